//! Which tools there are, under which names they may be called, and which of Kafka's are not simulated.

use crate::plan::{Plan, Surroundings};
use crate::{
    api_versions, cluster, configs, console_consumer, console_producer, delete_records, dump_log, features,
    get_offsets, leader_election, log_dirs, metadata_quorum, reassign_partitions, topics, zookeeper_shell,
};

/// A tool that is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `kafka-topics`.
    Topics,
    /// `kafka-get-offsets`.
    GetOffsets,
    /// `kafka-delete-records`.
    DeleteRecords,
    /// `kafka-log-dirs`.
    LogDirs,
    /// `kafka-dump-log`.
    DumpLog,
    /// `kafka-broker-api-versions`.
    ApiVersions,
    /// `zookeeper-shell`.
    ZooKeeperShell,
    /// `kafka-cluster`.
    Cluster,
    /// `kafka-features`.
    Features,
    /// `kafka-metadata-quorum`.
    MetadataQuorum,
    /// `kafka-leader-election`.
    LeaderElection,
    /// `kafka-reassign-partitions`.
    ReassignPartitions,
    /// `kafka-configs`.
    Configs,
    /// `kafka-console-producer`.
    ConsoleProducer,
    /// `kafka-console-consumer`.
    ConsoleConsumer,
}

/// What a command's name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A tool that is simulated.
    Tool(Tool),
    /// A program of Kafka's that is not; its bare name.
    NotSimulated(String),
    /// Nothing known.
    Unknown,
}

/// The tools that are simulated, by name.
pub const SIMULATED: [(&str, Tool); 15] = [
    ("kafka-topics", Tool::Topics),
    ("kafka-get-offsets", Tool::GetOffsets),
    ("kafka-delete-records", Tool::DeleteRecords),
    ("kafka-log-dirs", Tool::LogDirs),
    ("kafka-dump-log", Tool::DumpLog),
    ("kafka-broker-api-versions", Tool::ApiVersions),
    ("zookeeper-shell", Tool::ZooKeeperShell),
    ("kafka-cluster", Tool::Cluster),
    ("kafka-features", Tool::Features),
    ("kafka-metadata-quorum", Tool::MetadataQuorum),
    ("kafka-leader-election", Tool::LeaderElection),
    ("kafka-reassign-partitions", Tool::ReassignPartitions),
    ("kafka-configs", Tool::Configs),
    ("kafka-console-producer", Tool::ConsoleProducer),
    ("kafka-console-consumer", Tool::ConsoleConsumer),
];

/// Programs of a Kafka installation that are not simulated.
const OTHERS: [&str; 27] = [
    "connect-distributed",
    "connect-mirror-maker",
    "connect-plugin-path",
    "connect-standalone",
    "kafka-acls",
    "kafka-client-metrics",
    "kafka-consumer-groups",
    "kafka-consumer-perf-test",
    "kafka-delegation-tokens",
    "kafka-e2e-latency",
    "kafka-jmx",
    "kafka-metadata-shell",
    "kafka-mirror-maker",
    "kafka-preferred-replica-election",
    "kafka-producer-perf-test",
    "kafka-replica-verification",
    "kafka-run-class",
    "kafka-server-start",
    "kafka-server-stop",
    "kafka-storage",
    "kafka-streams-application-reset",
    "kafka-transactions",
    "kafka-verifiable-consumer",
    "kafka-verifiable-producer",
    "zookeeper-security-migration",
    "zookeeper-server-start",
    "zookeeper-server-stop",
];

/// What the first word of a command stands for: `NAME`, `NAME.sh`, with `bin/` of an installation in front, or as on
/// Windows.
#[must_use]
pub fn named(word: &str) -> Named {
    let name = bare_name(word);
    match SIMULATED.iter().find(|(known, _)| *known == name) {
        Some((_, tool)) => Named::Tool(*tool),
        None if OTHERS.contains(&name) => Named::NotSimulated(name.to_owned()),
        None => Named::Unknown,
    }
}

const FOLDERS: [&str; 8] = [
    "$KAFKA_HOME/bin/windows/",
    "$KAFKA_HOME/bin/",
    "${KAFKA_HOME}/bin/",
    "%KAFKA_HOME%\\bin\\windows\\",
    "./bin/windows/",
    "./bin/",
    "bin/windows/",
    "bin/",
];

fn bare_name(word: &str) -> &str {
    let inside = FOLDERS.iter().find_map(|folder| word.strip_prefix(folder)).unwrap_or(word);
    let inside = inside.strip_prefix("./").unwrap_or(inside);
    inside.strip_suffix(".sh").or_else(|| inside.strip_suffix(".bat")).unwrap_or(inside)
}

impl Tool {
    /// What a call of the tool comes to.
    #[must_use]
    pub fn plan(self, arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
        match self {
            Tool::Topics => topics::plan(arguments, surroundings),
            Tool::GetOffsets => get_offsets::plan(arguments, surroundings),
            Tool::DeleteRecords => delete_records::plan(arguments, surroundings),
            Tool::LogDirs => log_dirs::plan(arguments, surroundings),
            Tool::DumpLog => dump_log::plan(arguments, surroundings),
            Tool::ApiVersions => api_versions::plan(arguments, surroundings),
            Tool::ZooKeeperShell => zookeeper_shell::plan(arguments, surroundings),
            Tool::Cluster => cluster::plan(arguments, surroundings),
            Tool::Features => features::plan(arguments, surroundings),
            Tool::MetadataQuorum => metadata_quorum::plan(arguments, surroundings),
            Tool::LeaderElection => leader_election::plan(arguments, surroundings),
            Tool::ReassignPartitions => reassign_partitions::plan(arguments, surroundings),
            Tool::Configs => configs::plan(arguments, surroundings),
            Tool::ConsoleProducer => console_producer::plan(arguments, surroundings),
            Tool::ConsoleConsumer => console_consumer::plan(arguments, surroundings),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_may_be_called_by_every_name_that_people_type() {
        let names = [
            "kafka-topics",
            "kafka-topics.sh",
            "bin/kafka-topics.sh",
            "./bin/kafka-topics.sh",
            "./kafka-topics.sh",
            "$KAFKA_HOME/bin/kafka-topics.sh",
            "bin/windows/kafka-topics.bat",
        ];
        for name in names {
            assert_eq!(named(name), Named::Tool(Tool::Topics), "{name}");
        }
        assert_eq!(named("kafka-acls.sh"), Named::NotSimulated("kafka-acls".to_owned()));
        assert_eq!(named("foo"), Named::Unknown);
    }
}
