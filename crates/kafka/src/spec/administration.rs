//! What `kafka-leader-election`, `kafka-reassign-partitions`, `kafka-configs` and `zookeeper-shell` are asked to do.

use crate::node::ExitStatus;
use wire::request::{ConfigResource, ElectionType};
use wire::zookeeper::ZnodePath;
use wire::{BrokerId, TopicName, TopicPartition};

/// What `kafka-leader-election` is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElectLeadersAction {
    /// `--election-type`.
    pub election_type: ElectionType,
    /// The partitions; `None` is `--all-topic-partitions`.
    pub partitions: Option<Vec<TopicPartition>>,
}

/// What `kafka-reassign-partitions` is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReassignAction {
    /// `--list`.
    List,
    /// `--generate`.
    Generate {
        /// `--topics-to-move-json-file`.
        topics: Vec<TopicName>,
        /// `--broker-list`.
        brokers: Vec<BrokerId>,
        /// Not `--disable-rack-aware`.
        is_rack_aware: bool,
    },
    /// `--execute`.
    Execute {
        /// Where replicas shall be.
        targets: Vec<PlacedReplicas>,
        /// `--additional`.
        is_additional: bool,
    },
    /// `--verify`.
    Verify {
        /// Where replicas shall be.
        targets: Vec<PlacedReplicas>,
        /// `--preserve-throttles`.
        preserves_throttles: bool,
    },
    /// `--cancel`.
    Cancel {
        /// The partitions that shall stay.
        targets: Vec<PlacedReplicas>,
        /// `--preserve-throttles`.
        preserves_throttles: bool,
    },
}

/// A partition and where its replicas are or shall be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlacedReplicas {
    /// The partition.
    pub partition: TopicPartition,
    /// The brokers, the preferred leader first.
    pub replicas: Vec<BrokerId>,
}

/// What `kafka-configs` is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigsAction {
    /// `--describe`.
    Describe {
        /// Whose.
        entities: ConfigEntities,
        /// `--all`.
        all: bool,
    },
    /// `--alter`.
    Alter {
        /// Whose.
        resource: ConfigResource,
        /// What is set.
        added: Vec<(String, String)>,
        /// What returns to the default.
        deleted: Vec<String>,
    },
}

/// Whose configurations are described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigEntities {
    /// Those of one topic or broker.
    One(ConfigResource),
    /// Those of all topics.
    Topics,
    /// Those of all brokers, and what was set for all of them.
    Brokers,
}

/// One command of `zookeeper-shell`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZooKeeperCommand {
    /// `ls`.
    List {
        /// Whose children.
        path: ZnodePath,
        /// `-R`: all below it.
        is_recursive: bool,
    },
    /// `get`.
    Get(ZnodePath),
    /// `stat`.
    Stat(ZnodePath),
    /// One that asks ZooKeeper nothing, and its exit status.
    Local(ExitStatus),
    /// `quit`.
    Quit,
}
