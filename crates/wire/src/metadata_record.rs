//! The records of the cluster metadata log `__cluster_metadata-0` (KIP-631). The controller writes them,
//! brokers replay them; what they add up to is in `kafka::metadata`.

use crate::{
    BrokerEpoch, BrokerId, Endpoint, IncarnationId, LeaderEpoch, PartitionEpoch, PartitionIndex, TopicId, TopicName,
};

/// One record of the metadata log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MetadataRecord {
    /// `FeatureLevelRecord`: `metadata.version` of the cluster.
    FeatureLevel {
        /// The feature's name, `metadata.version` here.
        name: &'static str,
        /// Its finalized level; 21 is 3.9-IV0.
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
    /// `ConfigRecord` of a topic.
    TopicConfig {
        /// The topic.
        name: TopicName,
        /// The configuration's name, for example `retention.ms`.
        key: String,
        /// Its value, `None` when the override is removed.
        value: Option<String>,
    },
    /// `PartitionRecord`: a new partition.
    Partition {
        /// The partition's topic.
        topic_id: TopicId,
        /// The partition's number.
        partition: PartitionIndex,
        /// All replicas; the first is preferred.
        replicas: Vec<BrokerId>,
        /// The in-sync replicas.
        isr: Vec<BrokerId>,
        /// The leader, if there is one.
        leader: Option<BrokerId>,
        /// 0 for a new partition.
        leader_epoch: LeaderEpoch,
        /// 0 for a new partition.
        partition_epoch: PartitionEpoch,
    },
    /// `PartitionChangeRecord`. Absent fields stay as they were. The partition epoch grows by one; the
    /// leader epoch too when `leader` is present.
    PartitionChange {
        /// The partition's topic.
        topic_id: TopicId,
        /// The partition's number.
        partition: PartitionIndex,
        /// The new in-sync replicas.
        isr: Option<Vec<BrokerId>>,
        /// The new leader; `Some(None)` leaves the partition without one.
        leader: Option<Option<BrokerId>>,
    },
    /// `NoOpRecord`: written when the controller is otherwise idle, so that brokers' offsets move on.
    NoOp,
}
