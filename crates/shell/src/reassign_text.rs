//! What `kafka-reassign-partitions` prints of the cluster's answers, all of it on standard output.

use crate::admin_tool::{execution_exception, failure_exception};
use crate::console_text::Reaction;
use crate::java_exception::JavaException;
use crate::json::Json;
use crate::output::{Piece, joined};
use kafka::event::{
    AdminAnswer, AdminFailure, ClearedThrottles, ClientEvent, Objection, ReassignOutcome, ReassignmentProgress,
};
use kafka::spec::PlacedReplicas;
use wire::response::OngoingReassignment;
use wire::{BrokerId, TopicPartition};

/// An exception that ends the tool.
#[must_use]
pub fn error(exception: &JavaException) -> Vec<Piece> {
    let mut pieces = vec![Piece::Out(format!("Error: {}", exception.message()))];
    pieces.extend(exception.trace().into_iter().map(Piece::Out));
    pieces.push(Piece::Out(String::new()));
    pieces
}

/// What an event of the admin client makes the tool print.
#[must_use]
pub fn react(event: &ClientEvent) -> Reaction {
    let pieces = if let ClientEvent::AdminAnswered(answer) = event
        && let AdminAnswer::Reassignment(outcome) = &**answer
    {
        told(outcome)
    } else if let ClientEvent::AdminFailed(failure) = event {
        failed(failure)
    } else {
        Vec::new()
    };
    Reaction::print(pieces)
}

fn failed(failure: &AdminFailure) -> Vec<Piece> {
    match failure {
        AdminFailure::Objected { objection: Objection::Terse, message } => vec![Piece::Out(message.clone())],
        AdminFailure::Objected { .. } => error(&failure_exception(failure)),
        AdminFailure::NoSuchTopic(_)
        | AdminFailure::NoSuchPartition
        | AdminFailure::ReassignmentsUnlisted(_)
        | AdminFailure::NoSuchTopicId(_)
        | AdminFailure::Refused { .. }
        | AdminFailure::TimedOut { .. } => error(&execution_exception(failure_exception(failure))),
    }
}

fn told(outcome: &ReassignOutcome) -> Vec<Piece> {
    match outcome {
        ReassignOutcome::Listed(ongoing) => listed(ongoing),
        ReassignOutcome::Proposed { current, proposed } => vec![
            Piece::Out(format!("Current partition replica assignment\n{}\n", as_json(current))),
            Piece::Out(format!("Proposed partition reassignment configuration\n{}", as_json(proposed))),
        ],
        ReassignOutcome::Started { before, refused } => started(before, refused),
        ReassignOutcome::Verified { progress, cleared } => verified(progress, cleared.as_ref()),
        ReassignOutcome::Cancelled { partitions, refused, cleared } => cancelled(partitions, refused, cleared.as_ref()),
    }
}

fn listed(ongoing: &[OngoingReassignment]) -> Vec<Piece> {
    if ongoing.is_empty() {
        return vec![Piece::Out("No partition reassignments found.".to_owned())];
    }
    let part = |what: &str, brokers: &[BrokerId]| {
        if brokers.is_empty() { String::new() } else { format!(" {what}: {}.", joined(brokers, ",")) }
    };
    let line = |ongoing: &OngoingReassignment| {
        let replicas = part("replicas", &ongoing.replicas);
        let adding = part("adding", &ongoing.adding_replicas);
        let removing = part("removing", &ongoing.removing_replicas);
        Piece::Out(format!("{}:{replicas}{adding}{removing}", ongoing.partition))
    };
    let title = Piece::Out("Current partition reassignments:".to_owned());
    std::iter::once(title).chain(ongoing.iter().map(line)).collect()
}

fn started(before: &[PlacedReplicas], refused: &[(TopicPartition, String)]) -> Vec<Piece> {
    let current = Piece::Out(format!(
        "Current partition replica assignment\n\n{}\n\nSave this to use as the --reassignment-json-file option during \
         rollback",
        as_json(before)
    ));
    let result = if refused.is_empty() {
        let partitions: Vec<&TopicPartition> = before.iter().map(|placed| &placed.partition).collect();
        let (s, names) = (plural(partitions.len()), joined(&partitions, ","));
        format!("Successfully started partition reassignment{s} for {names}")
    } else {
        format!("Error reassigning partition(s):\n{}", reasons(refused))
    };
    vec![current, Piece::Out(result)]
}

fn verified(progress: &[(TopicPartition, ReassignmentProgress)], cleared: Option<&ClearedThrottles>) -> Vec<Piece> {
    let mut pieces = vec![Piece::Out("Status of partition reassignment:".to_owned())];
    pieces.extend(progress.iter().map(|(partition, progress)| Piece::Out(progress_line(partition, progress))));
    // Where moves between directories would be told.
    pieces.push(Piece::Out(String::new()));
    pieces.extend(cleared.into_iter().flat_map(clearing));
    pieces
}

fn progress_line(partition: &TopicPartition, progress: &ReassignmentProgress) -> String {
    match progress {
        ReassignmentProgress::UnderWay => format!("Reassignment of partition {partition} is still in progress."),
        ReassignmentProgress::Completed => format!("Reassignment of partition {partition} is completed."),
        ReassignmentProgress::Elsewhere { current, target } => format!(
            "There is no active reassignment of partition {partition}, but replica set is {} rather than {}.",
            joined(current, ","),
            joined(target, ",")
        ),
    }
}

fn cancelled(
    partitions: &[TopicPartition],
    refused: &[(TopicPartition, String)],
    cleared: Option<&ClearedThrottles>,
) -> Vec<Piece> {
    if !refused.is_empty() {
        let s = plural(refused.len());
        return vec![Piece::Out(format!("Error cancelling partition reassignment{s} for:\n{}", reasons(refused)))];
    }
    let line = if partitions.is_empty() {
        "None of the specified partition reassignments are active.".to_owned()
    } else {
        let (s, names) = (plural(partitions.len()), joined(partitions, ","));
        format!("Successfully cancelled partition reassignment{s} for: {names}")
    };
    let unended = Piece::Text("None of the specified partition moves are active.".to_owned());
    let mut pieces = vec![Piece::Out(line), unended];
    pieces.extend(cleared.into_iter().flat_map(clearing));
    pieces
}

fn clearing(cleared: &ClearedThrottles) -> Vec<Piece> {
    let line = |level: &str, what: &str, count: usize, names: String| {
        Piece::Out(format!("Clearing {level}-level throttles on {what}{} {names}", plural(count)))
    };
    let mut pieces = vec![line("broker", "broker", cleared.brokers.len(), joined(&cleared.brokers, ","))];
    pieces.extend(cleared.topics.iter().map(|topics| line("topic", "topic", topics.len(), joined(topics, ","))));
    if let Some(failure) = &cleared.failure {
        pieces.extend(failed(failure));
    }
    pieces
}

fn reasons(refused: &[(TopicPartition, String)]) -> String {
    refused.iter().map(|(partition, why)| format!("{partition}: {why}")).collect::<Vec<_>>().join("\n")
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// A file for `--reassignment-json-file`.
fn as_json(placed: &[PlacedReplicas]) -> Json {
    let partition = |placed: &PlacedReplicas| {
        let replicas = placed.replicas.iter().map(|broker| Json::Integer(i64::from(broker.0)));
        let any = placed.replicas.iter().map(|_| Json::text("any"));
        Json::object(vec![
            ("topic", Json::text(placed.partition.topic.as_str())),
            ("partition", Json::Integer(i64::from(placed.partition.partition.0))),
            ("replicas", Json::Array(replicas.collect())),
            ("log_dirs", Json::Array(any.collect())),
        ])
    };
    let partitions = Json::Array(placed.iter().map(partition).collect());
    Json::object(vec![("version", Json::Integer(1)), ("partitions", partitions)])
}
