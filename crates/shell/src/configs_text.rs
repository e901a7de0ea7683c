//! What `kafka-configs` prints of the cluster's answers.

use crate::admin_tool::{execution_exception, failure_exception};
use crate::console_text::Reaction;
use crate::java_exception::JavaException;
use crate::output::Piece;
use kafka::event::{AdminAnswer, AdminFailure, ClientEvent, ConfigsOutcome, Objection};
use wire::request::ConfigResource;
use wire::response::ConfigEntry;

/// An exception that ends the tool, behind the arguments it was called with.
#[must_use]
pub fn thrown(arguments: &str, exception: &JavaException) -> Vec<Piece> {
    let mut pieces = vec![Piece::Err(format!("Error while executing config command with args '{arguments}'"))];
    pieces.extend(Piece::trace(exception));
    pieces
}

/// What an event of the admin client makes the tool print.
#[must_use]
pub fn react(arguments: &str, event: &ClientEvent) -> Reaction {
    let pieces = if let ClientEvent::AdminAnswered(answer) = event
        && let AdminAnswer::Configs(outcome) = &**answer
    {
        told(arguments, outcome)
    } else if let ClientEvent::AdminFailed(failure) = event {
        failed(arguments, failure)
    } else {
        Vec::new()
    };
    Reaction::print(pieces)
}

fn failed(arguments: &str, failure: &AdminFailure) -> Vec<Piece> {
    match failure {
        AdminFailure::Objected { objection: Objection::InvalidConfiguration, message } => {
            vec![Piece::Err(message.clone())]
        }
        AdminFailure::Objected { .. }
        | AdminFailure::NoSuchTopic(_)
        | AdminFailure::NoSuchPartition
        | AdminFailure::ReassignmentsUnlisted(_)
        | AdminFailure::NoSuchTopicId(_)
        | AdminFailure::Refused { .. }
        | AdminFailure::TimedOut { .. } => thrown(arguments, &execution_exception(failure_exception(failure))),
    }
}

fn told(arguments: &str, outcome: &ConfigsOutcome) -> Vec<Piece> {
    match outcome {
        ConfigsOutcome::Described { described, failed: failure, all } => {
            let mut pieces: Vec<Piece> = described.iter().flat_map(|described| entity(described, *all)).collect();
            if let Some((resource, failure)) = failure {
                pieces.push(title(resource, *all));
                pieces.extend(failed(arguments, failure));
            }
            pieces
        }
        ConfigsOutcome::Altered(resource) => vec![altered(resource)],
    }
}

fn entity((resource, entries): &(ConfigResource, Vec<ConfigEntry>), all: bool) -> Vec<Piece> {
    std::iter::once(title(resource, all)).chain(entries.iter().map(row)).collect()
}

fn title(resource: &ConfigResource, all: bool) -> Piece {
    let which = if all { "All" } else { "Dynamic" };
    Piece::Out(match resource {
        ConfigResource::Topic(topic) if topic.as_str().is_empty() => {
            "Default configs for topics in the cluster are:".to_owned()
        }
        ConfigResource::Topic(topic) => format!("{which} configs for topic {topic} are:"),
        ConfigResource::Broker(Some(broker)) => format!("{which} configs for broker {broker} are:"),
        ConfigResource::Broker(None) => "Default configs for brokers in the cluster are:".to_owned(),
    })
}

fn row(entry: &ConfigEntry) -> Piece {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let synonyms = entry.synonyms.iter();
    let synonyms: Vec<String> = synonyms
        .map(|synonym| format!("{}:{}={}", synonym.source.name(), synonym.name, text(&synonym.value)))
        .collect();
    let (name, value, sensitive) = (&entry.name, text(&entry.value), entry.is_sensitive);
    Piece::Out(format!("  {name}={value} sensitive={sensitive} synonyms={{{}}}", synonyms.join(", ")))
}

fn altered(resource: &ConfigResource) -> Piece {
    Piece::Out(match resource {
        ConfigResource::Topic(topic) => format!("Completed updating config for topic {topic}."),
        ConfigResource::Broker(Some(broker)) => format!("Completed updating config for broker {broker}."),
        ConfigResource::Broker(None) => "Completed updating default config for brokers in the cluster.".to_owned(),
    })
}
