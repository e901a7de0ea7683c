//! What a ZooKeeper-mode controller asks of brokers, and they of it (KIP-380, KIP-455, KIP-497).

use crate::{BrokerEpoch, BrokerId, Endpoint, LeaderEpoch, PartitionEpoch, TopicId, TopicPartition};

/// Who sends, and to which incarnation of the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ControllerHeader {
    /// The controller.
    pub controller_id: BrokerId,
    /// Its epoch: brokers refuse one below the highest they have seen.
    pub controller_epoch: i32,
    /// The receiver's registration as the controller knows it: brokers refuse one below their own.
    pub broker_epoch: BrokerEpoch,
}

/// `LeaderAndIsrRequest`: become leader or follower.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaderAndIsrRequest {
    /// Who sends.
    pub header: ControllerHeader,
    /// The partitions of which the receiver is a replica.
    pub partitions: Vec<LeaderAndIsrPartition>,
    /// The brokers that lead them.
    pub live_leaders: Vec<(BrokerId, Endpoint)>,
    /// All partitions of the receiver are named (`LeaderAndIsrRequest.Type.FULL`), as after its start.
    pub is_full: bool,
}

/// One partition's state for its replicas.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaderAndIsrPartition {
    /// The partition.
    pub partition: TopicPartition,
    /// Its topic's id.
    pub topic_id: TopicId,
    /// The leader, if there is one.
    pub leader: Option<BrokerId>,
    /// Its epoch.
    pub leader_epoch: LeaderEpoch,
    /// The in-sync replicas.
    pub isr: Vec<BrokerId>,
    /// The version of its state znode.
    pub partition_epoch: PartitionEpoch,
    /// All replicas.
    pub replicas: Vec<BrokerId>,
    /// Replicas that a reassignment adds.
    pub adding_replicas: Vec<BrokerId>,
    /// Replicas that a reassignment removes.
    pub removing_replicas: Vec<BrokerId>,
    /// The replica is new: it may make its log.
    pub is_new: bool,
    /// The leader was elected from outside the in-sync replicas and has not yet said that it recovered.
    pub is_recovering: bool,
}

/// `UpdateMetadataRequest`: what brokers tell clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpdateMetadataRequest {
    /// Who sends.
    pub header: ControllerHeader,
    /// New or changed partitions.
    pub partitions: Vec<UpdateMetadataPartition>,
    /// All live brokers.
    pub live_brokers: Vec<LiveBroker>,
}

/// One partition's state for clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpdateMetadataPartition {
    /// The partition.
    pub partition: TopicPartition,
    /// Its topic's id.
    pub topic_id: TopicId,
    /// What leads it.
    pub leader: MetadataLeader,
    /// The leader's epoch.
    pub leader_epoch: LeaderEpoch,
    /// The in-sync replicas.
    pub isr: Vec<BrokerId>,
    /// The version of its state znode.
    pub partition_epoch: PartitionEpoch,
    /// All replicas.
    pub replicas: Vec<BrokerId>,
    /// Those that are down.
    pub offline_replicas: Vec<BrokerId>,
}

/// `LeaderAndIsr.leader` with its two special values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetadataLeader {
    /// A broker leads.
    Broker(BrokerId),
    /// -1: nobody does.
    NoLeader,
    /// -2: the topic is being deleted; brokers forget the partition.
    DuringDelete,
}

/// A live broker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LiveBroker {
    /// Its id.
    pub broker_id: BrokerId,
    /// What it advertises.
    pub endpoint: Endpoint,
    /// Its rack.
    pub rack: Option<String>,
}

/// `StopReplicaRequest`: stop following, and perhaps delete the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StopReplicaRequest {
    /// Who sends.
    pub header: ControllerHeader,
    /// The partitions.
    pub partitions: Vec<StopReplicaPartition>,
}

/// One replica to stop.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StopReplicaPartition {
    /// The partition.
    pub partition: TopicPartition,
    /// The leader epoch that the controller knows; `None` (-2) when the topic is being deleted.
    pub leader_epoch: Option<LeaderEpoch>,
    /// Delete the log too.
    pub delete: bool,
}

/// `ControlledShutdownRequest`: a broker wants to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ControlledShutdownRequest {
    /// The broker.
    pub broker_id: BrokerId,
    /// Its registration.
    pub broker_epoch: BrokerEpoch,
}
