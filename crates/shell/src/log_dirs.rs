//! `kafka-log-dirs`: its options and its line of JSON (`LogDirsCommand` of Kafka 3.9).

use crate::admin_tool::{
    NoAdminClient, admin_client, checked_options, execution_exception, failure_exception, thrown, thrown_plan,
};
use crate::console_text::Reaction;
use crate::java_exception::JavaException;
use crate::json::Json;
use crate::log_lines::error_exception;
use crate::options::OptionSpec;
use crate::output::{Piece, joined};
use crate::plan::{Face, Plan, Surroundings};
use kafka::event::{AdminAnswer, AdminFailure, ClientEvent};
use kafka::java_hash::sort_as_hash_map;
use kafka::spec::{AdminAction, Program};
use std::collections::BTreeSet;
use wire::response::{DescribedLogDir, DescribedReplica};
use wire::{BrokerId, ErrorCode};

/// The options, sorted by name.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::text("bootstrap-server", "The server(s) to use for bootstrapping", "REQUIRED: brokers to ask first."),
    OptionSpec::text("broker-list", "Broker list", "Ids of the brokers to ask, with commas; all if it is left out")
        .or(""),
    OptionSpec::text("command-config", "Admin client property file", "A file with properties of the admin client."),
    OptionSpec::flag("describe", "Show the log directories and what lies in them."),
    OptionSpec::flag("help", "Print this text."),
    OptionSpec::text("topic-list", "Topic list", "The topics to show, with commas; all if it is left out").or(""),
    OptionSpec::flag("version", "Print Kafka's version."),
];

const ABOUT: &str = "This tool helps to query log directory usage on the specified brokers.";
const QUERYING: &str = "Querying brokers for log directories information";

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    planned(arguments, surroundings).unwrap_or_else(|plan| plan)
}

fn planned(arguments: &[String], surroundings: Surroundings<'_>) -> Result<Plan, Plan> {
    let options = checked_options(OPTIONS, arguments, ABOUT, &["bootstrap-server", "describe"], thrown_plan)?;
    let value = |name| options.value(name).map_err(|error| thrown_plan(&error.exception()));
    let servers = value("bootstrap-server")?.unwrap_or_default();
    let admin = admin_client(&options, surroundings, servers, "log-dirs-tool");
    let admin = admin.map_err(|problem: NoAdminClient| problem.plan(thrown_plan))?;
    let (topics, brokers) = (listed(value("topic-list")?), listed(value("broker-list")?));
    let id = |text: &&str| text.parse().map(BrokerId).map_err(|_| thrown_plan(&JavaException::number_format(text)));
    let brokers = brokers.iter().map(id).collect::<Result<BTreeSet<BrokerId>, Plan>>()?;
    let topics = topics.into_iter().map(str::to_owned).collect();
    Ok(admin.plan(Program::Admin(AdminAction::LogDirs(brokers)), Vec::new(), Face::LogDirs(topics)))
}

fn listed(list: Option<&str>) -> Vec<&str> {
    list.unwrap_or_default().split(',').filter(|item| !item.is_empty()).collect()
}

/// What an event of the admin client makes the tool print. Without `topics` all of them are shown.
#[must_use]
pub fn react(topics: &BTreeSet<String>, event: &ClientEvent) -> Reaction {
    Reaction::print(if let ClientEvent::AdminFailed(failure) = event {
        failed(failure)
    } else if let ClientEvent::AdminAnswered(answer) = event
        && let AdminAnswer::LogDirs(brokers) = &**answer
    {
        told(topics, brokers)
    } else {
        Vec::new()
    })
}

fn failed(failure: &AdminFailure) -> Vec<Piece> {
    let exception = failure_exception(failure);
    match failure {
        AdminFailure::Objected { .. } => vec![Piece::Err(exception.message().to_owned())],
        AdminFailure::Refused { .. }
        | AdminFailure::TimedOut { .. }
        | AdminFailure::NoSuchTopic(_)
        | AdminFailure::NoSuchTopicId(_)
        | AdminFailure::NoSuchPartition
        | AdminFailure::ReassignmentsUnlisted(_) => {
            let is_querying = exception.message().contains("describeLogDirs");
            let querying = is_querying.then(|| Piece::Out(QUERYING.to_owned()));
            querying.into_iter().chain(thrown(&execution_exception(exception))).collect()
        }
    }
}

fn told(topics: &BTreeSet<String>, brokers: &[(BrokerId, Vec<DescribedLogDir>)]) -> Vec<Piece> {
    let mut brokers: Vec<&(BrokerId, Vec<DescribedLogDir>)> = brokers.iter().collect();
    sort_as_hash_map(&mut brokers, |(broker, _)| broker);
    let ids = joined(brokers.iter().map(|(broker, _)| broker), ",");
    let described = brokers.iter().map(|(broker, log_dirs)| {
        let log_dirs = log_dirs.iter().map(|log_dir| described_log_dir(topics, log_dir)).collect();
        Json::object(vec![("broker", Json::Integer(broker.0.into())), ("logDirs", Json::Array(log_dirs))])
    });
    let json = Json::object(vec![("brokers", Json::Array(described.collect())), ("version", Json::Integer(1))]);
    vec![
        Piece::Out(QUERYING.to_owned()),
        Piece::Out(format!("Received log directory information from brokers {ids}")),
        Piece::Out(json.to_string()),
    ]
}

fn described_log_dir(topics: &BTreeSet<String>, log_dir: &DescribedLogDir) -> Json {
    let is_shown = |replica: &&DescribedReplica| topics.is_empty() || topics.contains(replica.partition.topic.as_str());
    let mut replicas: Vec<&DescribedReplica> = log_dir.partitions.iter().filter(is_shown).collect();
    sort_as_hash_map(&mut replicas, |replica| &replica.partition);
    let error = match log_dir.error == ErrorCode::None {
        true => Json::Null,
        false => Json::text(error_exception(log_dir.error, None).class()),
    };
    Json::object(vec![
        ("partitions", Json::Array(replicas.into_iter().map(described_replica).collect())),
        ("error", error),
        ("logDir", Json::text(&log_dir.log_dir)),
    ])
}

fn described_replica(replica: &DescribedReplica) -> Json {
    Json::object(vec![
        ("partition", Json::text(&replica.partition.to_string())),
        ("size", Json::Integer(replica.size)),
        ("offsetLag", Json::Integer(replica.offset_lag)),
        ("isFuture", Json::Boolean(replica.is_future)),
    ])
}
