//! What `kafka-reassign-partitions` and `kafka-configs` found out or brought about.

use super::AdminFailure;
use crate::spec::PlacedReplicas;
use wire::request::ConfigResource;
use wire::response::{ConfigEntry, OngoingReassignment};
use wire::{BrokerId, TopicName, TopicPartition};

/// What came of an action of `kafka-reassign-partitions`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReassignOutcome {
    /// `--list`.
    Listed(Vec<OngoingReassignment>),
    /// `--generate`.
    Proposed {
        /// Where replicas are.
        current: Vec<PlacedReplicas>,
        /// Where they could be.
        proposed: Vec<PlacedReplicas>,
    },
    /// `--execute`.
    Started {
        /// Where replicas were before.
        before: Vec<PlacedReplicas>,
        /// Partitions that were refused, and why in Kafka's words.
        refused: Vec<(TopicPartition, String)>,
    },
    /// `--verify`.
    Verified {
        /// How far each partition is.
        progress: Vec<(TopicPartition, ReassignmentProgress)>,
        /// What was cleared, unless something is still under way.
        cleared: Option<ClearedThrottles>,
    },
    /// `--cancel`.
    Cancelled {
        /// The partitions whose reassignment was under way.
        partitions: Vec<TopicPartition>,
        /// Partitions whose reassignment could not be cancelled, and why in Kafka's words.
        refused: Vec<(TopicPartition, String)>,
        /// What was cleared.
        cleared: Option<ClearedThrottles>,
    },
}

/// How far a reassignment is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReassignmentProgress {
    /// Replicas still move.
    UnderWay,
    /// They are where they shall be.
    Completed,
    /// They are elsewhere, and nothing moves.
    Elsewhere {
        /// Where they are.
        current: Vec<BrokerId>,
        /// Where they shall be.
        target: Vec<BrokerId>,
    },
}

/// Throttles that were cleared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClearedThrottles {
    /// On these brokers.
    pub brokers: Vec<BrokerId>,
    /// On these topics; `None` if clearing failed at the brokers.
    pub topics: Option<Vec<TopicName>>,
    /// Why clearing failed.
    pub failure: Option<AdminFailure>,
}

/// What came of an action of `kafka-configs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ConfigsOutcome {
    /// `--describe`.
    Described {
        /// The configurations of each topic or broker, by name.
        described: Vec<(ConfigResource, Vec<ConfigEntry>)>,
        /// What could not be described, and why; nothing behind it was.
        failed: Option<(ConfigResource, AdminFailure)>,
        /// `--all`.
        all: bool,
    },
    /// `--alter`.
    Altered(ConfigResource),
}

/// The exception with which a tool itself objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Objection {
    /// `AdminCommandFailedException`.
    CommandFailed,
    /// `AdminOperationException`.
    Operation,
    /// `TerseException`: only its message is printed.
    Terse,
    /// `InvalidConfigurationException`.
    InvalidConfiguration,
    /// `InvalidReplicationFactorException`.
    InvalidReplicationFactor,
}
