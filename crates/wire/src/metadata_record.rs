//! The records of the cluster metadata log `__cluster_metadata-0` (KIP-631). The controller writes them,
//! brokers replay them; what they add up to is in `kafka::metadata`.

use crate::request::ConfigResource;
use crate::{
    BrokerEpoch, BrokerId, Endpoint, IncarnationId, LeaderEpoch, PartitionEpoch, PartitionIndex, TopicId, TopicName,
};

/// One record of the metadata log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MetadataRecord {
    /// `FeatureLevelRecord`: the cluster has agreed on a feature's level.
    FeatureLevel {
        /// The feature's name, for example `metadata.version`.
        name: &'static str,
        /// Its finalized level; 0 switches it off.
        level: i16,
    },
    /// `RegisterBrokerRecord`: a broker process has registered; it starts fenced. Its own offset is the
    /// broker epoch.
    RegisterBroker {
        /// The broker's `node.id`.
        broker_id: BrokerId,
        /// The process that registered.
        incarnation_id: IncarnationId,
        /// Equal to this record's offset.
        broker_epoch: BrokerEpoch,
        /// What the broker advertises to clients and other brokers.
        endpoint: Endpoint,
        /// `broker.rack`.
        rack: Option<String>,
    },
    /// `BrokerRegistrationChangeRecord`: fenced, unfenced, or in controlled shutdown.
    BrokerRegistrationChange {
        /// The broker's `node.id`.
        broker_id: BrokerId,
        /// The registration that changes.
        broker_epoch: BrokerEpoch,
        /// The new fencing, if it changes.
        fenced: Option<bool>,
        /// True when controlled shutdown begins.
        in_controlled_shutdown: Option<bool>,
    },
    /// `UnregisterBrokerRecord`: the broker is forgotten.
    UnregisterBroker {
        /// The broker's `node.id`.
        broker_id: BrokerId,
        /// The registration that ends.
        broker_epoch: BrokerEpoch,
    },
    /// `TopicRecord`.
    Topic {
        /// The topic's name.
        name: TopicName,
        /// The topic's id.
        topic_id: TopicId,
    },
    /// `RemoveTopicRecord`.
    RemoveTopic {
        /// The topic that is gone.
        topic_id: TopicId,
    },
    /// `ConfigRecord`.
    Config {
        /// What is configured.
        resource: ConfigResource,
        /// The configuration's name, for example `retention.ms`.
        key: String,
        /// Its value, `None` when the override is removed.
        value: Option<String>,
    },
    /// `PartitionRecord`: a new partition.
    Partition(PartitionRecord),
    /// `PartitionChangeRecord`.
    PartitionChange(PartitionChangeRecord),
    /// `ProducerIdsRecord`: a broker was given a block of producer ids.
    ProducerIds {
        /// The broker.
        broker_id: BrokerId,
        /// Its registration.
        broker_epoch: BrokerEpoch,
        /// The first id that nobody has yet.
        next_producer_id: i64,
    },
    /// `RegisterControllerRecord`: a controller process has registered (KIP-919).
    RegisterController {
        /// The controller's `node.id`.
        controller_id: i32,
        /// The process that registered.
        incarnation_id: IncarnationId,
        /// Where it listens.
        endpoint: Endpoint,
    },
    /// `ZkMigrationStateRecord`: the cluster was made without ZooKeeper (KIP-866).
    ZkMigrationStateNone,
    /// `BeginTransactionRecord` (KIP-868): what follows holds once its end is there. Begin and end come in one batch here,
    /// so that nothing is ever left without its end.
    BeginTransaction,
    /// `EndTransactionRecord`.
    EndTransaction,
    /// `NoOpRecord`: written when the controller is otherwise idle, so that brokers' offsets move on.
    NoOp,
}

/// Whether a partition's leader may have records that others have lost, or the reverse (KIP-704).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaderRecoveryState {
    /// The leader was elected from the in-sync replicas, or has recovered since.
    #[default]
    Recovered,
    /// The leader was elected uncleanly and has not told yet that it has recovered.
    Recovering,
}

/// A new partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartitionRecord {
    /// The partition's topic.
    pub topic_id: TopicId,
    /// The partition's number.
    pub partition: PartitionIndex,
    /// All replicas; the first is preferred.
    pub replicas: Vec<BrokerId>,
    /// The in-sync replicas.
    pub isr: Vec<BrokerId>,
    /// Replicas that a reassignment adds.
    pub adding_replicas: Vec<BrokerId>,
    /// Replicas that a reassignment removes.
    pub removing_replicas: Vec<BrokerId>,
    /// The leader, if there is one.
    pub leader: Option<BrokerId>,
    /// Whether the leader was elected uncleanly.
    pub leader_recovery_state: LeaderRecoveryState,
    /// 0 for a new partition.
    pub leader_epoch: LeaderEpoch,
    /// 0 for a new partition.
    pub partition_epoch: PartitionEpoch,
    /// Replicas outside of the in-sync ones that have every committed record (KIP-966).
    pub eligible_leader_replicas: Vec<BrokerId>,
    /// Who led last, when nobody may lead (KIP-966).
    pub last_known_elr: Vec<BrokerId>,
}

impl PartitionRecord {
    /// A partition that has never existed, led by the first of its in-sync replicas.
    #[must_use]
    pub fn created(
        (topic_id, partition): (TopicId, PartitionIndex),
        replicas: Vec<BrokerId>,
        isr: Vec<BrokerId>,
    ) -> PartitionRecord {
        PartitionRecord {
            topic_id,
            partition,
            leader: isr.first().copied(),
            replicas,
            isr,
            adding_replicas: Vec::new(),
            removing_replicas: Vec::new(),
            leader_recovery_state: LeaderRecoveryState::Recovered,
            leader_epoch: LeaderEpoch::ZERO,
            partition_epoch: PartitionEpoch(0),
            eligible_leader_replicas: Vec::new(),
            last_known_elr: Vec::new(),
        }
    }
}

/// A change of a partition. Absent fields stay as they were. The partition epoch grows by one; the leader epoch too
/// when `leader` is present.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartitionChangeRecord {
    /// The partition's topic.
    pub topic_id: TopicId,
    /// The partition's number.
    pub partition: PartitionIndex,
    /// The new in-sync replicas.
    pub isr: Option<Vec<BrokerId>>,
    /// The new leader; `Some(None)` leaves the partition without one.
    pub leader: Option<Option<BrokerId>>,
    /// All replicas.
    pub replicas: Option<Vec<BrokerId>>,
    /// Replicas that a reassignment adds.
    pub adding_replicas: Option<Vec<BrokerId>>,
    /// Replicas that a reassignment removes.
    pub removing_replicas: Option<Vec<BrokerId>>,
    /// Whether the leader was elected uncleanly.
    pub leader_recovery_state: Option<LeaderRecoveryState>,
    /// Replicas outside of the in-sync ones that have every committed record (KIP-966).
    pub eligible_leader_replicas: Option<Vec<BrokerId>>,
    /// Who led last, when nobody may lead (KIP-966).
    pub last_known_elr: Option<Vec<BrokerId>>,
}

impl PartitionChangeRecord {
    /// Nothing changes.
    #[must_use]
    pub fn of(topic_id: TopicId, partition: PartitionIndex) -> PartitionChangeRecord {
        PartitionChangeRecord {
            topic_id,
            partition,
            isr: None,
            leader: None,
            replicas: None,
            adding_replicas: None,
            removing_replicas: None,
            leader_recovery_state: None,
            eligible_leader_replicas: None,
            last_known_elr: None,
        }
    }
}
