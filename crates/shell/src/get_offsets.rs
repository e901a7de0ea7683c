//! `kafka-get-offsets`: its options, checks and output (`GetOffsetShell` of Kafka 3.9).

use crate::admin_tool::{NoAdminClient, admin_client, execution_exception, failure_exception};
use crate::console_text::Reaction;
use crate::java_exception::JavaException;
use crate::options::{OptionSpec, ParsedOptions, parse};
use crate::output::Piece;
use crate::plan::{Face, Plan, Printout, Surroundings};
use kafka::event::{AdminAnswer, AdminFailure, ClientEvent};
use kafka::spec::{AdminAction, GetOffsetsAction, PartitionChoice, PartitionRule, Program};
use regex_lite::Regex;
use std::collections::BTreeSet;
use wire::request::OffsetSpec;
use wire::{Offset, Timestamp, TopicPartition};

/// The options, sorted by name.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::text("bootstrap-server", "HOST1:PORT1,...,HOST3:PORT3", "REQUIRED. Brokers to ask first."),
    OptionSpec::text(
        "broker-list",
        "HOST1:PORT1,...,HOST3:PORT3",
        "DEPRECATED, use --bootstrap-server, which counts if both are given.",
    ),
    OptionSpec::text("command-config", "config file", "A file with properties of the admin client."),
    OptionSpec::flag("exclude-internal-topics", "Leave out the topics that Kafka keeps for itself."),
    OptionSpec::flag("help", "Print this text."),
    OptionSpec::text(
        "partitions",
        "partition ids",
        "Numbers of partitions, with commas; all of them if it is left out. Not with --topic-partitions.",
    ),
    OptionSpec::text(
        "time",
        "<timestamp> / -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered",
        "Which offset: one of the words, or the first whose timestamp is not before this one (none is printed if all \
         are).",
    )
    .or("latest"),
    OptionSpec::text(
        "topic",
        "topic",
        "A topic or a regular expression; all topics if it is left out. Not with --topic-partitions.",
    ),
    OptionSpec::text(
        "topic-partitions",
        "topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3",
        "Topics and partitions with commas: a regular expression for the topic, and behind a colon a number, a range \
         without its upper end, a lower bound or an upper bound.",
    ),
    OptionSpec::flag("version", "Print Kafka's version."),
];

const USAGE: &str = "An interactive shell for getting topic-partition offsets.";

/// Why the program ends before it has an admin client.
enum Early {
    /// Message and usage table.
    Usage(String),
    /// A message without a stack trace (`TerseException`).
    Terse(String),
    /// A message and a stack trace.
    Exception(JavaException),
    Plan(Plan),
}

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    match parsed(arguments).and_then(|options| client(&options, surroundings)) {
        Ok(plan) | Err(Early::Plan(plan)) => plan,
        Err(Early::Usage(message)) => Plan::usage(OPTIONS, &message),
        Err(Early::Terse(message)) => Plan::Print(Printout { pieces: vec![occurred(&message)], status: 1 }),
        Err(Early::Exception(exception)) => Plan::Print(Printout { pieces: thrown(&exception), status: 1 }),
    }
}

fn occurred(message: &str) -> Piece {
    Piece::Err(format!("Error occurred: {message}"))
}

/// `mainNoExit`: the message, the stack trace, and the end of line behind it.
fn thrown(exception: &JavaException) -> Vec<Piece> {
    let mut pieces = vec![occurred(exception.message())];
    pieces.extend(Piece::trace(exception));
    pieces.push(Piece::Err(String::new()));
    pieces
}

fn parsed(arguments: &[String]) -> Result<ParsedOptions, Early> {
    if arguments.is_empty() {
        return Err(Early::Usage(USAGE.to_owned()));
    }
    let options = parse(OPTIONS, arguments).map_err(|error| Early::Terse(error.message()))?;
    if options.has("help") {
        return Err(Early::Usage(USAGE.to_owned()));
    }
    if options.has("version") {
        return Err(Early::Plan(Plan::version()));
    }
    if !options.has("bootstrap-server") && !options.has("broker-list") {
        return Err(Early::Usage("Missing required argument \"[bootstrap-server]\"".to_owned()));
    }
    Ok(options)
}

fn client(options: &ParsedOptions, surroundings: Surroundings<'_>) -> Result<Plan, Early> {
    let terse = |error: crate::options::OptionError| Early::Terse(error.message());
    if options.has("topic-partitions") && (options.has("topic") || options.has("partitions")) {
        return Err(Early::Terse("--topic-partitions cannot be used with --topic or --partitions".to_owned()));
    }
    let spec = offset_spec(options.value("time").map_err(terse)?.unwrap_or("latest"))?;
    let rules = match options.value("topic-partitions").map_err(terse)? {
        Some(list) => list.split(',').map(rule).collect::<Result<Vec<_>, Early>>()?,
        None => vec![PartitionRule {
            topic: options.value("topic").map_err(terse)?.unwrap_or(".*").to_owned(),
            partitions: listed(options.value("partitions").map_err(terse)?)?,
        }],
    };
    let exclude_internal = options.has("exclude-internal-topics");
    let action = AdminAction::GetOffsets(GetOffsetsAction { rules, exclude_internal, spec });
    let name = if options.has("bootstrap-server") { "bootstrap-server" } else { "broker-list" };
    let servers = options.value(name).map_err(terse)?.unwrap_or_default();
    let admin = admin_client(options, surroundings, servers, "GetOffsetShell").map_err(no_admin_client)?;
    Ok(admin.plan(Program::Admin(action), Vec::new(), Face::GetOffsets))
}

fn no_admin_client(problem: NoAdminClient) -> Early {
    Early::Plan(match problem {
        NoAdminClient::Exception(exception, log) => {
            Plan::Print(Printout { pieces: thrown(&exception), status: 1 }).after(log)
        }
        NoAdminClient::NotSimulated(what) => Plan::not_simulated(&what),
    })
}

fn offset_spec(time: &str) -> Result<OffsetSpec, Early> {
    Ok(match time {
        "latest" | "-1" => OffsetSpec::Latest,
        "earliest" | "-2" => OffsetSpec::Earliest,
        "max-timestamp" | "-3" => OffsetSpec::MaxTimestamp,
        "earliest-local" | "-4" => OffsetSpec::EarliestLocal,
        "latest-tiered" | "-5" => OffsetSpec::LatestTiered,
        other => OffsetSpec::At(Timestamp(other.parse().map_err(|_| {
            Early::Terse(format!(
                "Malformed time argument {other}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or \
                 earliest-local / -5 or latest-tiered, or a specified long format timestamp"
            ))
        })?)),
    })
}

fn listed(partitions: Option<&str>) -> Result<PartitionChoice, Early> {
    let Some(list) = partitions.filter(|list| !list.is_empty()) else { return Ok(PartitionChoice::All) };
    let numbers: Result<BTreeSet<i32>, _> = list.split(',').map(str::parse).collect();
    numbers.map(PartitionChoice::Listed).map_err(|_| {
        Early::Terse(format!(
            "--partitions expects a comma separated list of numeric partition ids, but received: {list}"
        ))
    })
}

/// One of `--topic-partitions`.
fn rule(text: &str) -> Result<PartitionRule, Early> {
    let pattern = Regex::new("^([^:,]*)(?::(?:([0-9]*)|(?:([0-9]*)-([0-9]*))))?$").expect("the pattern is constant");
    let invalid = || {
        let cause = JavaException::new(
            "org.apache.kafka.server.util.TerseException",
            &format!("Invalid rule specification: {text}"),
        );
        Early::Exception(JavaException::new("java.lang.RuntimeException", &cause.headline()).caused_by(cause))
    };
    let groups = pattern.captures(text).ok_or_else(invalid)?;
    let group = |number: usize| groups.get(number).map(|found| found.as_str()).filter(|found| !found.is_empty());
    let number = |number: usize| group(number).map(parsed_number).transpose();
    let partitions = match (number(2)?, number(3)?, number(4)?) {
        (Some(only), _, _) => PartitionChoice::Listed(BTreeSet::from([only])),
        (None, None, None) => PartitionChoice::All,
        (None, from, to) => PartitionChoice::Range(from.unwrap_or(0), to.unwrap_or(i32::MAX)),
    };
    Ok(PartitionRule { topic: group(1).unwrap_or(".*").to_owned(), partitions })
}

fn parsed_number(text: &str) -> Result<i32, Early> {
    text.parse().map_err(|_| Early::Exception(JavaException::number_format(text)))
}

/// What an event of the admin client makes the tool print.
#[must_use]
pub fn react(event: &ClientEvent) -> Reaction {
    let pieces = if let ClientEvent::AdminAnswered(answer) = event
        && let AdminAnswer::Offsets { found, skipped } = &**answer
    {
        offsets(found, skipped)
    } else if let ClientEvent::AdminFailed(failure) = event {
        failed(failure)
    } else {
        Vec::new()
    };
    Reaction::print(pieces)
}

fn failed(failure: &AdminFailure) -> Vec<Piece> {
    let exception = failure_exception(failure);
    if *failure == AdminFailure::NoSuchPartition {
        return vec![occurred(exception.message())];
    }
    thrown(&execution_exception(exception))
}

/// Sorted as texts, so that partition 10 stands before partition 2.
fn offsets(found: &[(TopicPartition, Offset)], skipped: &[(TopicPartition, AdminFailure)]) -> Vec<Piece> {
    let skipped = skipped.iter().map(|(partition, failure)| {
        let reason = failure_exception(failure).headline();
        Piece::Err(format!("Skip getting offsets for topic-partition {partition} due to error: {reason}"))
    });
    let mut found: Vec<&(TopicPartition, Offset)> = found.iter().collect();
    found.sort_by_key(|(partition, _)| partition.to_string());
    let found = found
        .into_iter()
        .map(|(partition, offset)| Piece::Out(format!("{}:{}:{offset}", partition.topic, partition.partition)));
    skipped.chain(found).collect()
}
