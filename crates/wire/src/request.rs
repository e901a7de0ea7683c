//! Requests, named as in Kafka's protocol guide. Fields that this project does not need are left out.

mod admin;
mod quorum;
mod zookeeper_mode;

pub use admin::{
    AllocateProducerIdsRequest, AlterConfigOperation, AlterConfigsResource, AlterPartitionReassignmentsRequest,
    AlterableConfig, ConfigResource, ControllerRegistrationRequest, DeleteRecordsPartition, DeleteRecordsRequest,
    DescribeConfigsRequest, DescribeConfigsResource, DescribeLogDirsRequest, ElectLeadersRequest, ElectionType,
    FeatureUpdate, IncrementalAlterConfigsRequest, InitProducerIdRequest, ListPartitionReassignmentsRequest,
    ReassignablePartition, UnregisterBrokerRequest, UpdateFeaturesRequest, UpgradeType,
};
pub use quorum::{BeginQuorumEpochRequest, EndQuorumEpochRequest, FetchSnapshotRequest, VoteRequest};
pub use zookeeper_mode::{
    ControlledShutdownRequest, ControllerHeader, LeaderAndIsrPartition, LeaderAndIsrRequest, LiveBroker,
    MetadataLeader, StopReplicaPartition, StopReplicaRequest, UpdateMetadataPartition, UpdateMetadataRequest,
};

use crate::zookeeper::ZooKeeperRequest;
use crate::{
    BrokerEpoch, BrokerId, Endpoint, FetchMetadata, IncarnationId, LeaderEpoch, LeaderRecoveryState, Offset,
    PartitionEpoch, PartitionIndex, RecordBatch, TopicId, TopicName, TopicPartition,
};
use std::sync::Arc;

/// A request of a client, a broker or a controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// What a client sends first on a new connection.
    ApiVersions,
    /// Which brokers and partitions there are.
    Metadata(MetadataRequest),
    /// Append records.
    Produce(ProduceRequest),
    /// Read records: consumers, followers, and brokers that follow the metadata log.
    Fetch(Box<FetchRequest>),
    /// Find offsets by time.
    ListOffsets(ListOffsetsRequest),
    /// Where a leader epoch ended (KIP-101, KIP-320).
    OffsetForLeaderEpoch(OffsetForLeaderEpochRequest),
    /// Make topics. Brokers forward it to the controller.
    CreateTopics(CreateTopicsRequest),
    /// Add partitions to topics. Brokers forward it to the controller.
    CreatePartitions(CreatePartitionsRequest),
    /// Remove topics. Brokers forward it to the controller.
    DeleteTopics(DeleteTopicsRequest),
    /// The state of topics' partitions in detail (KIP-966).
    DescribeTopicPartitions(DescribeTopicPartitionsRequest),
    /// Choose leaders by hand. Brokers forward it to the controller.
    ElectLeaders(ElectLeadersRequest),
    /// Move replicas, or cancel that. Brokers forward it to the controller.
    AlterPartitionReassignments(AlterPartitionReassignmentsRequest),
    /// Which replicas are being moved. Brokers forward it to the controller.
    ListPartitionReassignments(ListPartitionReassignmentsRequest),
    /// Change configurations. Brokers forward it to the controller.
    IncrementalAlterConfigs(IncrementalAlterConfigsRequest),
    /// Configurations of topics and brokers.
    DescribeConfigs(DescribeConfigsRequest),
    /// Delete records below an offset.
    DeleteRecords(DeleteRecordsRequest),
    /// The replicas in a broker's log directories.
    DescribeLogDirs(DescribeLogDirsRequest),
    /// Which brokers there are, and the cluster's id.
    DescribeCluster,
    /// Change the levels of features. Brokers forward it to the controller.
    UpdateFeatures(UpdateFeaturesRequest),
    /// Forget a broker. Brokers forward it to the controller.
    UnregisterBroker(UnregisterBrokerRequest),
    /// Give a producer its id.
    InitProducerId(InitProducerIdRequest),
    /// Broker to controller: a block of producer ids (KIP-730).
    AllocateProducerIds(AllocateProducerIdsRequest),
    /// Controller to controller: a controller process has started (KIP-919).
    ControllerRegistration(ControllerRegistrationRequest),
    /// Broker to controller: a broker process has started (KIP-631).
    BrokerRegistration(BrokerRegistrationRequest),
    /// Broker to controller: still alive (KIP-631).
    BrokerHeartbeat(BrokerHeartbeatRequest),
    /// Leader to controller: the in-sync replicas changed (KIP-497, KIP-841, KIP-903).
    AlterPartition(AlterPartitionRequest),
    /// Candidate to voter: vote for me (KIP-595).
    Vote(VoteRequest),
    /// Quorum leader to voter: I lead this epoch (KIP-595).
    BeginQuorumEpoch(BeginQuorumEpochRequest),
    /// Quorum leader to voter: I give this epoch up (KIP-595).
    EndQuorumEpoch(EndQuorumEpochRequest),
    /// Voter or broker to quorum leader: a part of a snapshot (KIP-630).
    FetchSnapshot(FetchSnapshotRequest),
    /// How far the metadata quorum's replicas are (KIP-836). Brokers forward it to the controller.
    DescribeQuorum,
    /// ZooKeeper-mode controller to broker: become leader or follower.
    LeaderAndIsr(LeaderAndIsrRequest),
    /// ZooKeeper-mode controller to broker: what to tell clients.
    UpdateMetadata(UpdateMetadataRequest),
    /// ZooKeeper-mode controller to broker: give replicas up.
    StopReplica(StopReplicaRequest),
    /// Broker to ZooKeeper-mode controller: move my leaderships away.
    ControlledShutdown(ControlledShutdownRequest),
    /// To ZooKeeper, in its own protocol.
    ZooKeeper(Box<ZooKeeperRequest>),
}

/// `MetadataRequest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MetadataRequest {
    /// The topics of interest; `None` asks for all, an empty list for the brokers only.
    pub topics: Option<Vec<TopicName>>,
    /// Whether a missing topic may be created if `auto.create.topics.enable` allows it too.
    pub allow_auto_topic_creation: bool,
}

/// Who must have a record before the producer is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acks {
    /// `acks=0`: nobody, and there is no answer.
    None,
    /// `acks=1`: the leader.
    Leader,
    /// `acks=all` (-1): every in-sync replica.
    All,
}

impl Acks {
    /// The number on the wire.
    #[must_use]
    pub fn code(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

/// `ProduceRequest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProduceRequest {
    /// Who must have the records.
    pub acks: Acks,
    /// How long the leader waits for the in-sync replicas.
    pub timeout_ms: i32,
    /// One batch for each partition.
    pub partitions: Vec<ProducePartition>,
}

/// The records for one partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProducePartition {
    /// Where to append.
    pub partition: TopicPartition,
    /// What to append.
    pub batch: Arc<RecordBatch>,
}

/// Which records a reader may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IsolationLevel {
    /// Up to the high watermark.
    ReadUncommitted,
    /// Up to the last stable offset.
    ReadCommitted,
}

/// `FetchRequest.ReplicaState` (KIP-903): a follower says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplicaState {
    /// The follower.
    pub replica_id: BrokerId,
    /// Its registration.
    pub replica_epoch: BrokerEpoch,
}

/// `FetchRequest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FetchRequest {
    /// The follower that reads; `None` for a consumer.
    pub replica: Option<ReplicaState>,
    /// How long the broker may wait for `min_bytes`.
    pub max_wait_ms: i32,
    /// Answer at once when at least so many bytes can be read.
    pub min_bytes: i32,
    /// At most about so many bytes in the whole response.
    pub max_bytes: i32,
    /// What a consumer may see.
    pub isolation_level: IsolationLevel,
    /// Which session the request belongs to (KIP-227).
    pub metadata: FetchMetadata,
    /// What to read: everything in a full request, what is new or changed in an incremental one.
    pub partitions: Vec<FetchPartition>,
    /// What an incremental request takes out of its session.
    pub forgotten: Vec<TopicPartition>,
    /// `client.rack` of a consumer (KIP-392).
    pub rack_id: Option<String>,
}

/// What to read of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FetchPartition {
    /// The partition.
    pub partition: TopicPartition,
    /// The topic's id, if the reader knows it (KIP-516).
    pub topic_id: Option<TopicId>,
    /// The leader epoch the reader believes in, or -1 (KIP-320).
    pub current_leader_epoch: LeaderEpoch,
    /// The first offset wanted.
    pub fetch_offset: Offset,
    /// Epoch of the last record the reader has, or -1 (KIP-595).
    pub last_fetched_epoch: LeaderEpoch,
    /// A follower's log start offset, or -1.
    pub log_start_offset: Offset,
    /// At most about so many bytes of this partition.
    pub max_bytes: i32,
}

/// Which offset of a partition is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OffsetSpec {
    /// -2: the log start offset.
    Earliest,
    /// -1: the high watermark for clients, the log end offset for replicas.
    Latest,
    /// -3: the record with the largest timestamp.
    MaxTimestamp,
    /// -4: where the log on the broker's own disk starts: the log start offset without tiered storage (KIP-405).
    EarliestLocal,
    /// -5: the last offset in remote storage: -1 without tiered storage (KIP-1005).
    LatestTiered,
    /// The first record at or after this time.
    At(crate::Timestamp),
}

/// `ListOffsetsRequest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListOffsetsRequest {
    /// The follower that asks; `None` for a client.
    pub replica_id: Option<BrokerId>,
    /// What a client may see.
    pub isolation_level: IsolationLevel,
    /// The partitions.
    pub partitions: Vec<ListOffsetsPartition>,
}

/// Which offset of one partition is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListOffsetsPartition {
    /// The partition.
    pub partition: TopicPartition,
    /// The leader epoch the client believes in, or -1.
    pub current_leader_epoch: LeaderEpoch,
    /// Which offset.
    pub spec: OffsetSpec,
}

/// `OffsetForLeaderEpochRequest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OffsetForLeaderEpochRequest {
    /// The follower that asks; `None` for a client.
    pub replica_id: Option<BrokerId>,
    /// The partitions.
    pub partitions: Vec<OffsetForLeaderPartition>,
}

/// The epoch asked about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OffsetForLeaderPartition {
    /// The partition.
    pub partition: TopicPartition,
    /// The leader epoch the asker believes in, or -1.
    pub current_leader_epoch: LeaderEpoch,
    /// The epoch whose end is wanted.
    pub leader_epoch: LeaderEpoch,
}

/// `CreateTopicsRequest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateTopicsRequest {
    /// The topics.
    pub topics: Vec<CreatableTopic>,
    /// Only check.
    pub validate_only: bool,
}

/// A topic to make.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreatableTopic {
    /// Its name, not yet checked.
    pub name: TopicName,
    /// How many partitions; `None` (-1) for `num.partitions`, or with `assignments`.
    pub num_partitions: Option<i32>,
    /// How many replicas; `None` (-1) for `default.replication.factor`, or with `assignments`.
    pub replication_factor: Option<i16>,
    /// Replicas by hand: partition number to brokers. Empty lets the controller place them.
    pub assignments: Vec<(PartitionIndex, Vec<BrokerId>)>,
    /// Topic configurations, in the order given.
    pub configs: Vec<(String, String)>,
}

/// `CreatePartitionsRequest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreatePartitionsRequest {
    /// The topics.
    pub topics: Vec<CreatePartitionsTopic>,
}

/// A topic to enlarge.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreatePartitionsTopic {
    /// Its name.
    pub name: TopicName,
    /// How many partitions it should have afterwards.
    pub count: i32,
    /// Replicas of the new partitions by hand; `None` lets the controller place them.
    pub assignments: Option<Vec<Vec<BrokerId>>>,
}

/// `DeleteTopicsRequest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeleteTopicsRequest {
    /// The topics.
    pub topics: Vec<TopicName>,
}

/// `DescribeTopicPartitionsRequest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribeTopicPartitionsRequest {
    /// The topics.
    pub topics: Vec<TopicName>,
}

/// `BrokerRegistrationRequest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BrokerRegistrationRequest {
    /// The broker.
    pub broker_id: BrokerId,
    /// This run of its process.
    pub incarnation_id: IncarnationId,
    /// What it advertises.
    pub endpoint: Endpoint,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Its epoch before a clean shutdown, or -1 (KIP-966).
    pub previous_broker_epoch: BrokerEpoch,
}

/// `BrokerHeartbeatRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BrokerHeartbeatRequest {
    /// The broker.
    pub broker_id: BrokerId,
    /// Its registration.
    pub broker_epoch: BrokerEpoch,
    /// Highest metadata offset it has applied, -1 for none.
    pub current_metadata_offset: Offset,
    /// It is not ready to serve.
    pub want_fence: bool,
    /// It wants to shut down in a controlled way.
    pub want_shut_down: bool,
}

/// `AlterPartitionRequest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlterPartitionRequest {
    /// The leader that asks.
    pub broker_id: BrokerId,
    /// Its registration.
    pub broker_epoch: BrokerEpoch,
    /// The partitions.
    pub partitions: Vec<AlterPartitionData>,
}

/// One partition's proposed in-sync replicas.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlterPartitionData {
    /// The partition's topic.
    pub topic_id: TopicId,
    /// The partition.
    pub partition: TopicPartition,
    /// The epoch in which the sender leads.
    pub leader_epoch: LeaderEpoch,
    /// The state on which the proposal rests.
    pub partition_epoch: PartitionEpoch,
    /// The proposal: members with the broker epoch that the leader saw, or -1 (KIP-903).
    pub new_isr: Vec<(BrokerId, BrokerEpoch)>,
    /// Whether the leader has recovered from its unclean election (KIP-704).
    pub leader_recovery_state: LeaderRecoveryState,
}
