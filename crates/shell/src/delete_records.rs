//! `kafka-delete-records`: its options, its JSON file and its output (`DeleteRecordsCommand` of Kafka 3.9).

use crate::admin_tool::{NoAdminClient, admin_client, checked_options, failure_exception, thrown_plan};
use crate::console_text::Reaction;
use crate::java_exception::JavaException;
use crate::json::Json;
use crate::log_lines::LogLine;
use crate::options::OptionSpec;
use crate::output::{Piece, joined};
use crate::plan::{Face, Plan, Surroundings};
use kafka::event::{AdminAnswer, AdminFailure, ClientEvent};
use kafka::java_hash::sort_as_hash_map;
use kafka::spec::{AdminAction, Program};
use std::collections::{BTreeMap, BTreeSet};
use wire::request::DeleteRecordsPartition;
use wire::{Offset, PartitionIndex, TopicName, TopicPartition};

/// The options, sorted by name.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::text("bootstrap-server", "server(s) to use for bootstrapping", "REQUIRED: Brokers to ask first."),
    OptionSpec::text(
        "command-config",
        "command config property file path",
        "A file with properties of the admin client.",
    ),
    OptionSpec::flag("help", "Print this text."),
    OptionSpec::text(
        "offset-json-file",
        "Offset json file path",
        "REQUIRED: A JSON file with the partitions and the offsets below which their records go, for example:\n\
         {\"partitions\":\n  [{\"topic\": \"foo\", \"partition\": 1, \"offset\": 1}],\n \"version\":1\n}",
    ),
    OptionSpec::flag("version", "Print Kafka's version."),
];

const ABOUT: &str = "This tool helps to delete records of the given partitions down to the specified offset.";
const HANDLER: &str = "org.apache.kafka.clients.admin.internals.DeleteRecordsHandler";

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    planned(arguments, surroundings).unwrap_or_else(|plan| plan)
}

fn planned(arguments: &[String], surroundings: Surroundings<'_>) -> Result<Plan, Plan> {
    let needed = ["bootstrap-server", "offset-json-file"];
    let options = checked_options(OPTIONS, arguments, ABOUT, &needed, thrown_plan)?;
    let value = |name| options.value(name).map_err(|error| thrown_plan(&error.exception()));
    let servers = value("bootstrap-server")?.unwrap_or_default();
    let admin = admin_client(&options, surroundings, servers, "adminclient-1");
    let admin = admin.map_err(|problem: NoAdminClient| problem.plan(thrown_plan))?;
    let path = value("offset-json-file")?.unwrap_or_default();
    let text = surroundings.files.read(path).ok_or_else(|| thrown_plan(&JavaException::no_such_file(path)))?;
    let wanted = wanted(text).map_err(|exception| thrown_plan(&exception))?;
    let partitions: Vec<TopicPartition> = wanted.iter().map(|wanted| wanted.partition.clone()).collect();
    let said = ["Executing records delete operation", "Records delete operation completed:"];
    let opening = said.map(|line| Piece::Out(line.to_owned())).to_vec();
    Ok(admin.plan(Program::Admin(AdminAction::DeleteRecords(wanted)), opening, Face::DeleteRecords(partitions)))
}

fn operation_exception(message: &str) -> JavaException {
    JavaException::new("org.apache.kafka.server.common.AdminOperationException", message)
}

/// The partitions and offsets of the file.
fn wanted(text: &str) -> Result<Vec<DeleteRecordsPartition>, JavaException> {
    let json = Json::parse(text).ok_or_else(|| operation_exception("The input string is not a valid JSON"))?;
    let version = json.get("version")?.map_or(Ok(1), Json::integer)?;
    if version != 1 {
        return Err(operation_exception(&format!("Not supported version field value {version}")));
    }
    let partitions = json.get("partitions")?.ok_or_else(|| operation_exception("Missing partitions field"))?;
    let wanted = partitions.elements()?.iter().map(wanted_partition).collect::<Result<Vec<_>, _>>()?;
    check_duplicates(&wanted)?;
    Ok(wanted)
}

fn wanted_partition(json: &Json) -> Result<DeleteRecordsPartition, JavaException> {
    let topic = TopicName::new(json.field("topic")?.string()?);
    let partition = PartitionIndex(json.field("partition")?.integer()?);
    let offset = Offset(json.field("offset")?.long()?);
    Ok(DeleteRecordsPartition { partition: TopicPartition::new(topic, partition), offset })
}

fn check_duplicates(wanted: &[DeleteRecordsPartition]) -> Result<(), JavaException> {
    let mut seen = BTreeSet::new();
    let again = wanted.iter().map(|wanted| &wanted.partition).filter(|partition| !seen.insert(*partition));
    let mut again: Vec<&TopicPartition> = again.collect::<BTreeSet<_>>().into_iter().collect();
    if again.is_empty() {
        return Ok(());
    }
    sort_as_hash_map(&mut again, |partition| *partition);
    let message = format!("Offset json file contains duplicate topic partitions: {}", joined(again, ","));
    Err(JavaException::new("org.apache.kafka.server.common.AdminCommandFailedException", &message))
}

/// What an event of the admin client makes the tool print. A failure is one of every partition.
#[must_use]
pub fn react(partitions: &[TopicPartition], prefix: &str, event: &ClientEvent) -> Reaction {
    let results = if let ClientEvent::AdminFailed(failure) = event {
        partitions.iter().map(|partition| (partition.clone(), Err(failure.clone()))).collect()
    } else if let ClientEvent::AdminAnswered(answer) = event
        && let AdminAnswer::RecordsDeleted(results) = &**answer
    {
        results.clone()
    } else {
        return Reaction::default();
    };
    Reaction { pieces: told(results.into_iter().collect(), prefix), status: Some(0) }
}

fn told(results: BTreeMap<TopicPartition, Result<Offset, AdminFailure>>, prefix: &str) -> Vec<Piece> {
    let mut results: Vec<(TopicPartition, Result<Offset, AdminFailure>)> = results.into_iter().collect();
    sort_as_hash_map(&mut results, |(partition, _)| partition);
    results.iter().flat_map(|(partition, result)| result_lines(partition, result, prefix)).collect()
}

fn result_lines(partition: &TopicPartition, result: &Result<Offset, AdminFailure>, prefix: &str) -> Vec<Piece> {
    let failure = match result {
        Ok(low_watermark) => {
            return vec![Piece::Out(format!("partition: {partition}\tlow_watermark: {low_watermark}"))];
        }
        Err(failure) => failure,
    };
    let line = Piece::Out(format!("partition: {partition}\terror: {}", failure_exception(failure).headline()));
    match failure {
        AdminFailure::Refused { error, .. } if !error.is_retriable() => {
            let message = format!(
                "{prefix}DeleteRecords request for topic partition {partition} failed due to an unexpected error {}",
                error.name()
            );
            vec![Piece::Log(LogLine::error(HANDLER, message)), line]
        }
        AdminFailure::Refused { .. }
        | AdminFailure::TimedOut { .. }
        | AdminFailure::NoSuchTopic(_)
        | AdminFailure::NoSuchTopicId(_)
        | AdminFailure::NoSuchPartition
        | AdminFailure::ReassignmentsUnlisted(_)
        | AdminFailure::Objected { .. } => vec![line],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        wanted(text).unwrap_err().message().to_owned()
    }

    #[test]
    fn the_file_names_each_partition_once() {
        let text = r#"{"partitions":[{"topic":"t","partition":0,"offset":4},{"topic":"t","partition":1,"offset":-1}]}"#;
        let offsets: Vec<i64> = wanted(text).unwrap().iter().map(|wanted| wanted.offset.0).collect();
        assert_eq!(offsets, [4, -1]);
        let twice = text.replace("\"partition\":1", "\"partition\":0");
        assert_eq!(message(&twice), "Offset json file contains duplicate topic partitions: t-0");
    }

    /// As `DeleteRecordsCommandTest` has them.
    #[test]
    fn a_file_of_another_kind_is_refused() {
        assert_eq!(message("oops"), "The input string is not a valid JSON");
        assert_eq!(message(r#"{"partitions":{}, "version":1}"#), "Expected JSON array, received {}");
        assert_eq!(message(r#"{"version":1}"#), "Missing partitions field");
        assert_eq!(message(r#"{"partitions":[{"topic":"t"}], "version":2}"#), "Not supported version field value 2");
        assert_eq!(message(r#"{"partitions":[{"topic":"t"}]}"#), "No such field exists: `partition`");
    }
}
