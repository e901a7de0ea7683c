//! What a command line comes to once a tool has read its options: text at once, or a client program to start.

use crate::disk_files::DiskFiles;
use crate::files::Files;
use crate::java_exception::JavaException;
use crate::line_reader::LineReader;
use crate::log_lines::LogLine;
use crate::message_formatter::MessageFormatter;
use crate::options::OptionSpec;
use crate::output::Piece;
use crate::topics::DescribeFilter;
use crate::usage::usage_table;
use crate::zookeeper_shell::ShellCommand;
use crate::{features, metadata_quorum};
use kafka::spec::{ClientSpec, ClusterAction};
use std::collections::BTreeSet;
use wire::TopicPartition;

/// The version that the tools report.
pub const KAFKA_VERSION: &str = "3.9.0";

/// Exit status of what real Kafka can do and this simulation cannot.
pub const NOT_SIMULATED: i32 = 2;

/// What a tool may look at while it reads its options.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The files.
    pub files: &'a Files,
    /// The servers' disks.
    pub disks: DiskFiles<'a>,
    /// What comes through a pipe or out of a file; `None` where a user would type.
    pub input: Option<&'a str>,
    /// The number that a consumer without `--group` gets in its group's name, below 100,000.
    pub group_number: u32,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Plan {
    /// Nothing but to print.
    Print(Printout),
    /// A client program.
    Client(Box<ClientPlan>),
}

/// A command that ends at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printout {
    /// What it prints.
    pub pieces: Vec<Piece>,
    /// Its exit status.
    pub status: i32,
}

/// A command that talks to the cluster.
#[derive(Clone, Debug)]
pub struct ClientPlan {
    /// The program.
    pub spec: ClientSpec,
    /// What the tool prints before it connects.
    pub opening: Vec<Piece>,
    /// How its events become text.
    pub face: Face,
}

/// How a client program's events become text.
#[derive(Clone, Debug)]
pub enum Face {
    /// `kafka-topics`.
    Topics(DescribeFilter),
    /// `kafka-get-offsets`.
    GetOffsets,
    /// `kafka-delete-records`: the partitions.
    DeleteRecords(Vec<TopicPartition>),
    /// `kafka-log-dirs`: the topics to show; none for all of them.
    LogDirs(BTreeSet<String>),
    /// `kafka-broker-api-versions`.
    ApiVersions,
    /// `zookeeper-shell`.
    ZooKeeper {
        /// The commands.
        commands: Vec<ShellCommand>,
        /// Where ZooKeeper listens.
        port: u16,
    },
    /// `kafka-cluster`.
    Cluster(ClusterAction),
    /// `kafka-features`: what is to be changed, if anything.
    Features(Option<features::Asked>),
    /// `kafka-metadata-quorum`.
    Quorum(metadata_quorum::Shown),
    /// `kafka-leader-election`.
    LeaderElection,
    /// `kafka-reassign-partitions`.
    ReassignPartitions,
    /// `kafka-configs`.
    Configs {
        /// The arguments, as they were given.
        arguments: String,
    },
    /// `kafka-console-producer`.
    Producer(LineReader),
    /// `kafka-console-consumer`.
    Consumer(MessageFormatter),
}

impl Plan {
    /// `CommandLineUtils.printUsageAndExit`: a message and the usage table on standard error, status 1.
    #[must_use]
    pub fn usage(specs: &[OptionSpec], message: &str) -> Plan {
        let mut pieces = vec![Piece::Err(message.to_owned())];
        pieces.extend(usage_table(specs).into_iter().map(Piece::Err));
        Plan::Print(Printout { pieces, status: 1 })
    }

    /// `--version`.
    #[must_use]
    pub fn version() -> Plan {
        Plan::Print(Printout { pieces: vec![Piece::Out(KAFKA_VERSION.to_owned())], status: 0 })
    }

    /// `e.printStackTrace()`, status 1.
    #[must_use]
    pub fn stack_trace(exception: &JavaException) -> Plan {
        Plan::Print(Printout { pieces: Piece::trace(exception), status: 1 })
    }

    /// An exception that nothing caught, status 1.
    #[must_use]
    pub fn uncaught(exception: &JavaException) -> Plan {
        let mut lines = exception.trace();
        lines[0] = format!("Exception in thread \"main\" {}", lines[0]);
        Plan::Print(Printout { pieces: lines.into_iter().map(Piece::Err).collect(), status: 1 })
    }

    /// One line on standard error that says what is not simulated.
    #[must_use]
    pub fn not_simulated(what: &str) -> Plan {
        let pieces = vec![Piece::Err(format!("kafkascope: {what}"))];
        Plan::Print(Printout { pieces, status: NOT_SIMULATED })
    }

    /// The same plan with log lines in front.
    #[must_use]
    pub fn after(mut self, lines: Vec<LogLine>) -> Plan {
        let pieces = match &mut self {
            Plan::Print(printout) => &mut printout.pieces,
            Plan::Client(client) => &mut client.opening,
        };
        pieces.splice(0..0, lines.into_iter().map(Piece::Log));
        self
    }
}
