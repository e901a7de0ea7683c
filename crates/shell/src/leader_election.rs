//! `kafka-leader-election`: its options, checks and output (`LeaderElectionCommand` of Kafka 3.9).

use crate::admin_tool::{NoAdminClient, admin_client, failure_exception};
use crate::console_text::Reaction;
use crate::java_exception::JavaException;
use crate::json::Json;
use crate::log_lines::error_exception;
use crate::options::{OptionSpec, ParsedOptions, ValueType, parse};
use crate::output::{Piece, joined};
use crate::plan::{Face, Plan, Printout, Surroundings};
use kafka::event::{AdminAnswer, AdminFailure, ClientEvent};
use kafka::java_hash::sort_as_hash_map;
use kafka::spec::{AdminAction, ElectLeadersAction, Program};
use std::collections::BTreeSet;
use wire::request::ElectionType;
use wire::response::PartitionResult;
use wire::{ErrorCode, PartitionIndex, TopicName, TopicPartition};

/// The options, sorted by name.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::text("admin.config", "config file", "A file with properties of the admin client."),
    OptionSpec::flag(
        "all-topic-partitions",
        "All partitions that can have the election. Not with --topic or --path-to-json-file.",
    ),
    OptionSpec::text("bootstrap-server", "host:port", "Brokers to ask first, with commas. Must be given."),
    OptionSpec::value(
        "election-type",
        ValueType::ElectionType,
        "election type",
        "\"preferred\": the first replica shall lead where another one does. \"unclean\": any live replica shall lead \
         where none does, though records may be lost. Must be given.",
    ),
    OptionSpec::flag("help", "Print this text."),
    OptionSpec::integer("partition", "partition id", "The partition's number. Goes with --topic."),
    OptionSpec::text(
        "path-to-json-file",
        "Path to JSON file",
        "A file that names the partitions, for example\n{\"partitions\":\n\t[{\"topic\": \"a\", \"partition\": 0},\n\t \
         {\"topic\": \"b\", \"partition\": 3}]\n}\nNot with --topic or --all-topic-partitions.",
    ),
    OptionSpec::text(
        "topic",
        "topic name",
        "The partition's topic. Not with --path-to-json-file or --all-topic-partitions.",
    ),
    OptionSpec::flag("version", "Print Kafka's version."),
];

const USAGE: &str = "This tool attempts to elect a new leader for a set of topic partitions. The type of elections \
                     supported are preferred replicas and unclean replicas.";

/// Why the program ends before it has an admin client.
enum Early {
    /// Message, stack trace, blank line.
    Exception(JavaException),
    Plan(Plan),
}

impl From<JavaException> for Early {
    fn from(exception: JavaException) -> Early {
        Early::Exception(exception)
    }
}

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    match parsed(arguments).and_then(|options| client(&options, surroundings)) {
        Ok(plan) | Err(Early::Plan(plan)) => plan,
        Err(Early::Exception(exception)) => Plan::Print(Printout { pieces: thrown(&exception), status: 1 }),
    }
}

fn thrown(exception: &JavaException) -> Vec<Piece> {
    let mut pieces = vec![Piece::Err(exception.message().to_owned())];
    pieces.extend(Piece::trace(exception));
    pieces.push(Piece::Err(String::new()));
    pieces
}

/// `AdminCommandFailedException`.
fn command_failed(message: &str) -> JavaException {
    JavaException::new("org.apache.kafka.server.common.AdminCommandFailedException", message)
}

fn operation_failed(message: &str) -> JavaException {
    JavaException::new("org.apache.kafka.server.common.AdminOperationException", message)
}

fn parsed(arguments: &[String]) -> Result<ParsedOptions, Early> {
    let options = parse(OPTIONS, arguments).map_err(|error| error.exception())?;
    if arguments.is_empty() || options.has("help") {
        return Err(Early::Plan(Plan::usage(OPTIONS, USAGE)));
    }
    if options.has("version") {
        return Err(Early::Plan(Plan::version()));
    }
    check(&options).map_err(|message| command_failed(&message))?;
    Ok(options)
}

fn check(options: &ParsedOptions) -> Result<(), String> {
    let missing: Vec<&str> =
        ["bootstrap-server", "election-type"].into_iter().filter(|name| !options.has(name)).collect();
    if !missing.is_empty() {
        return Err(format!("Missing required option(s): {}", missing.join(", ")));
    }
    let choices = ["topic", "all-topic-partitions", "path-to-json-file"];
    if choices.iter().filter(|name| options.has(name)).count() != 1 {
        return Err(format!("One and only one of the following options is required: {}", choices.join(", ")));
    }
    match (options.has("topic"), options.has("partition")) {
        (true, false) => Err("Missing required option(s): partition".to_owned()),
        (false, true) => Err("Option partition is only allowed if topic is used".to_owned()),
        (true, true) | (false, false) => Ok(()),
    }
}

fn client(options: &ParsedOptions, surroundings: Surroundings<'_>) -> Result<Plan, Early> {
    let text = |name| options.value(name).map_err(|error| error.exception());
    let election_type = match options.choice("election-type").map_err(|error| error.exception())? {
        Some("UNCLEAN") => ElectionType::Unclean,
        Some(_) | None => ElectionType::Preferred,
    };
    let partitions = match text("path-to-json-file")? {
        Some(path) => Some(listed(path, surroundings)?),
        None => single(options)?.map(|partition| vec![partition]),
    };
    let servers = text("bootstrap-server")?.unwrap_or_default();
    let admin = admin_client(options, surroundings, servers, "adminclient-1").map_err(no_admin_client)?;
    let action = AdminAction::ElectLeaders(ElectLeadersAction { election_type, partitions });
    Ok(admin.plan(Program::Admin(action), Vec::new(), Face::LeaderElection))
}

fn no_admin_client(problem: NoAdminClient) -> Early {
    Early::Plan(match problem {
        NoAdminClient::Exception(exception, log) => {
            Plan::Print(Printout { pieces: thrown(&exception), status: 1 }).after(log)
        }
        NoAdminClient::NotSimulated(what) => Plan::not_simulated(&what),
    })
}

fn single(options: &ParsedOptions) -> Result<Option<TopicPartition>, Early> {
    let topic = options.value("topic").map_err(|error| error.exception())?;
    let partition = options.integer("partition").map_err(|error| error.exception())?;
    Ok(topic.zip(partition).map(|(topic, index)| TopicPartition::new(TopicName::new(topic), PartitionIndex(index))))
}

/// The partitions of a JSON file.
fn listed(path: &str, surroundings: Surroundings<'_>) -> Result<Vec<TopicPartition>, JavaException> {
    let runtime =
        |cause: JavaException| JavaException::new("java.lang.RuntimeException", &cause.headline()).caused_by(cause);
    let text = surroundings.files.read(path).ok_or_else(|| runtime(JavaException::unreadable_file(path)))?;
    let json = Json::parse(text).ok_or_else(|| operation_failed("Replica election data is empty"))?;
    let missing = || operation_failed("Replica election data is missing \"partitions\" field");
    let elements = json.get("partitions").map_err(runtime)?.ok_or_else(missing)?.elements().map_err(runtime)?;
    let partitions = elements.iter().map(partition_of).collect::<Result<Vec<_>, _>>().map_err(runtime)?;
    let mut seen = BTreeSet::new();
    let duplicates: BTreeSet<String> =
        partitions.iter().filter(|partition| !seen.insert(*partition)).map(ToString::to_string).collect();
    if duplicates.is_empty() {
        return Ok(partitions);
    }
    let names: Vec<String> = duplicates.into_iter().collect();
    Err(operation_failed(&format!("Replica election data contains duplicate partitions: [{}]", names.join(", "))))
}

fn partition_of(json: &Json) -> Result<TopicPartition, JavaException> {
    let (topic, index) = (json.field("topic")?.string()?, json.field("partition")?.integer()?);
    Ok(TopicPartition::new(TopicName::new(topic), PartitionIndex(index)))
}

/// What an event of the admin client makes the tool print.
#[must_use]
pub fn react(event: &ClientEvent) -> Reaction {
    let pieces = if let ClientEvent::AdminAnswered(answer) = event
        && let AdminAnswer::LeadersElected { election_type, results } = &**answer
    {
        elected(*election_type, results)
    } else if let ClientEvent::AdminFailed(failure) = event {
        failed(failure)
    } else {
        Vec::new()
    };
    Reaction::print(pieces)
}

fn failed(failure: &AdminFailure) -> Vec<Piece> {
    let cause = failure_exception(failure);
    let has_timed_out = match failure {
        AdminFailure::TimedOut { .. } => true,
        AdminFailure::Refused { error, .. } => *error == ErrorCode::RequestTimedOut,
        AdminFailure::NoSuchTopic(_)
        | AdminFailure::NoSuchPartition
        | AdminFailure::ReassignmentsUnlisted(_)
        | AdminFailure::NoSuchTopicId(_)
        | AdminFailure::Objected { .. } => false,
    };
    if has_timed_out {
        let message = "Timeout waiting for election results";
        let mut pieces = vec![Piece::Out(message.to_owned())];
        pieces.extend(thrown(&command_failed(message).caused_by(cause)));
        return pieces;
    }
    let cause = crate::admin_tool::execution_exception(cause);
    thrown(&JavaException::new("java.lang.RuntimeException", &cause.headline()).caused_by(cause))
}

fn name(election_type: ElectionType) -> &'static str {
    match election_type {
        ElectionType::Preferred => "PREFERRED",
        ElectionType::Unclean => "UNCLEAN",
    }
}

/// Partitions in the order of a Java hash set.
fn elected(election_type: ElectionType, results: &[PartitionResult]) -> Vec<Piece> {
    let with = |is_wanted: fn(ErrorCode) -> bool| -> Vec<&PartitionResult> {
        let mut wanted: Vec<&PartitionResult> = results.iter().filter(|result| is_wanted(result.error)).collect();
        sort_as_hash_map(&mut wanted, |result| &result.partition);
        wanted
    };
    let names = |results: Vec<&PartitionResult>| joined(results.iter().map(|result| &result.partition), ", ");
    let kind = name(election_type);
    let mut pieces = Vec::new();
    let succeeded = with(ErrorCode::is_none);
    if !succeeded.is_empty() {
        let partitions = names(succeeded);
        pieces.push(Piece::Out(format!("Successfully completed leader election ({kind}) for partitions {partitions}")));
    }
    let not_needed = with(|error| error == ErrorCode::ElectionNotNeeded);
    if !not_needed.is_empty() {
        pieces.push(Piece::Out(format!("Valid replica already elected for partitions {}", names(not_needed))));
    }
    let failed = with(|error| !error.is_none() && error != ErrorCode::ElectionNotNeeded);
    pieces.extend(not_elected(kind, &failed));
    pieces
}

fn not_elected(kind: &str, failed: &[&PartitionResult]) -> Vec<Piece> {
    if failed.is_empty() {
        return Vec::new();
    }
    let why = |result: &&PartitionResult| error_exception(result.error, result.error_message.as_deref()).headline();
    let line = |result: &&PartitionResult| {
        let (partition, error) = (&result.partition, why(result));
        Piece::Out(format!("Error completing leader election ({kind}) for partition: {partition}: {error}"))
    };
    let mut pieces: Vec<Piece> = failed.iter().map(line).collect();
    let exception = command_failed(&format!("{} replica(s) could not be elected", failed.len()));
    pieces.push(Piece::Err(exception.message().to_owned()));
    pieces.extend(Piece::trace(&exception));
    pieces.extend(failed.iter().map(|result| Piece::Err(format!("\tSuppressed: {}", why(result)))));
    pieces.push(Piece::Err(String::new()));
    pieces
}
