//! Responses, one for each request of `request`, named as in Kafka's protocol guide.

mod admin;
mod quorum;
mod zookeeper_mode;

pub use admin::{
    AllocateProducerIdsResponse, AlterConfigsResult, AlterPartitionReassignmentsResponse, ConfigEntry, ConfigSource,
    ConfigSynonym, ControllerRegistrationResponse, DeleteRecordsResponse, DeleteRecordsResult, DescribeClusterResponse,
    DescribeConfigsResponse, DescribeLogDirsResponse, DescribedConfigs, DescribedLogDir, DescribedReplica,
    ElectLeadersResponse, FinalizedFeature, IncrementalAlterConfigsResponse, InitProducerIdResponse,
    ListPartitionReassignmentsResponse, OngoingReassignment, PartitionResult, SupportedFeature,
    UnregisterBrokerResponse, UpdateFeaturesResponse, UpdatedFeature,
};
pub use quorum::{
    DescribeQuorumResponse, FetchSnapshotResponse, LeaderIdAndEpoch, QuorumEpochResponse, QuorumFetchResult,
    QuorumReplica, VoteResponse,
};
pub use zookeeper_mode::{ControlledShutdownResponse, ReplicaStateResponse};

use crate::zookeeper::ZooKeeperResponse;
use crate::{
    BrokerEpoch, BrokerId, Endpoint, ErrorCode, FetchMetadata, LeaderEpoch, Offset, PartitionEpoch, PartitionIndex,
    ProducerId, RecordBatch, Timestamp, TopicId, TopicName, TopicPartition,
};
use std::sync::Arc;

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Response {
    /// Success, or the error with which a server refuses clients: a KRaft controller answers clients too.
    ApiVersions(ApiVersionsResponse),
    /// Answer to `Metadata`.
    Metadata(MetadataResponse),
    /// Answer to `Produce`; there is none for `acks=0`.
    Produce(ProduceResponse),
    /// Answer to `Fetch`.
    Fetch(FetchResponse),
    /// Answer to `ListOffsets`.
    ListOffsets(ListOffsetsResponse),
    /// Answer to `OffsetForLeaderEpoch`.
    OffsetForLeaderEpoch(OffsetForLeaderEpochResponse),
    /// Answer to `CreateTopics`.
    CreateTopics(TopicResults),
    /// Answer to `CreatePartitions`.
    CreatePartitions(TopicResults),
    /// Answer to `DeleteTopics`.
    DeleteTopics(TopicResults),
    /// Answer to `DescribeTopicPartitions`.
    DescribeTopicPartitions(DescribeTopicPartitionsResponse),
    /// Answer to `ElectLeaders`.
    ElectLeaders(ElectLeadersResponse),
    /// Answer to `AlterPartitionReassignments`.
    AlterPartitionReassignments(AlterPartitionReassignmentsResponse),
    /// Answer to `ListPartitionReassignments`.
    ListPartitionReassignments(ListPartitionReassignmentsResponse),
    /// Answer to `IncrementalAlterConfigs`.
    IncrementalAlterConfigs(IncrementalAlterConfigsResponse),
    /// Answer to `DescribeConfigs`.
    DescribeConfigs(DescribeConfigsResponse),
    /// Answer to `DeleteRecords`.
    DeleteRecords(DeleteRecordsResponse),
    /// Answer to `DescribeLogDirs`.
    DescribeLogDirs(DescribeLogDirsResponse),
    /// Answer to `DescribeCluster`.
    DescribeCluster(DescribeClusterResponse),
    /// Answer to `UpdateFeatures`.
    UpdateFeatures(UpdateFeaturesResponse),
    /// Answer to `UnregisterBroker`.
    UnregisterBroker(UnregisterBrokerResponse),
    /// Answer to `InitProducerId`.
    InitProducerId(InitProducerIdResponse),
    /// Answer to `AllocateProducerIds`.
    AllocateProducerIds(AllocateProducerIdsResponse),
    /// Answer to `ControllerRegistration`.
    ControllerRegistration(ControllerRegistrationResponse),
    /// Answer to `BrokerRegistration`.
    BrokerRegistration(BrokerRegistrationResponse),
    /// Answer to `BrokerHeartbeat`.
    BrokerHeartbeat(BrokerHeartbeatResponse),
    /// Answer to `AlterPartition`.
    AlterPartition(AlterPartitionResponse),
    /// Answer to `Vote`.
    Vote(VoteResponse),
    /// Answer to `BeginQuorumEpoch`.
    BeginQuorumEpoch(QuorumEpochResponse),
    /// Answer to `EndQuorumEpoch`.
    EndQuorumEpoch(QuorumEpochResponse),
    /// Answer to `FetchSnapshot`.
    FetchSnapshot(FetchSnapshotResponse),
    /// Answer to `DescribeQuorum`.
    DescribeQuorum(DescribeQuorumResponse),
    /// Answer to `LeaderAndIsr`.
    LeaderAndIsr(ReplicaStateResponse),
    /// Answer to `UpdateMetadata`: success or the error.
    UpdateMetadata(ErrorCode),
    /// Answer to `StopReplica`.
    StopReplica(ReplicaStateResponse),
    /// Answer to `ControlledShutdown`.
    ControlledShutdown(ControlledShutdownResponse),
    /// From ZooKeeper, in its own protocol.
    ZooKeeper(Box<ZooKeeperResponse>),
}

/// What kind of server answered `ApiVersions`: the two serve different requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListenerKind {
    /// A broker, which serves clients.
    Broker,
    /// A broker of a ZooKeeper cluster, which knows no requests of the metadata quorum.
    ZooKeeperBroker,
    /// A KRaft controller, which serves brokers only.
    Controller,
}

/// A kind of request and its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApiVersion {
    /// `ApiKeys.id`.
    pub key: i16,
    /// The lowest version.
    pub min: i16,
    /// The highest version.
    pub max: i16,
}

/// `ApiVersionsResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApiVersionsResponse {
    /// Who answers.
    pub listener: ListenerKind,
    /// The requests that it serves; brokers tell, controllers leave it out here.
    pub apis: &'static [ApiVersion],
    /// The features that it supports (KIP-584).
    pub supported_features: &'static [SupportedFeature],
    /// The metadata offset at which it has seen the levels below, or -1.
    pub finalized_features_epoch: i64,
    /// The levels that the cluster has agreed on.
    pub finalized_features: Vec<FinalizedFeature>,
}

impl ApiVersionsResponse {
    /// Of a server that knows of no features.
    #[must_use]
    pub fn without_features(listener: ListenerKind) -> ApiVersionsResponse {
        ApiVersionsResponse {
            listener,
            apis: &[],
            supported_features: &[],
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
        }
    }
}

/// `MetadataResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MetadataResponse {
    /// The unfenced brokers.
    pub brokers: Vec<MetadataBroker>,
    /// A broker that takes requests for the controller; KRaft picks any live one.
    pub controller_id: Option<BrokerId>,
    /// The topics asked for.
    pub topics: Vec<MetadataTopic>,
}

/// A broker that clients may connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MetadataBroker {
    /// Its id.
    pub broker_id: BrokerId,
    /// Where it listens.
    pub endpoint: Endpoint,
    /// Its rack.
    pub rack: Option<String>,
}

/// A topic, or why it cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MetadataTopic {
    /// Success or the error.
    pub error: ErrorCode,
    /// The name.
    pub name: TopicName,
    /// The id; 0 when unknown.
    pub topic_id: TopicId,
    /// `__consumer_offsets` and its like.
    pub is_internal: bool,
    /// The partitions.
    pub partitions: Vec<MetadataPartition>,
}

/// A partition as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MetadataPartition {
    /// `LEADER_NOT_AVAILABLE` when there is no leader.
    pub error: ErrorCode,
    /// Its number.
    pub partition: PartitionIndex,
    /// Its leader.
    pub leader: Option<BrokerId>,
    /// That leader's epoch.
    pub leader_epoch: LeaderEpoch,
    /// All replicas.
    pub replicas: Vec<BrokerId>,
    /// The in-sync replicas.
    pub isr: Vec<BrokerId>,
    /// Replicas that are fenced or down.
    pub offline_replicas: Vec<BrokerId>,
}

/// `ProduceResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProduceResponse {
    /// One result for each partition of the request.
    pub partitions: Vec<ProducePartitionResult>,
}

/// What became of one batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProducePartitionResult {
    /// The partition.
    pub partition: TopicPartition,
    /// Success or the error.
    pub error: ErrorCode,
    /// More about the error, where the broker says more.
    pub error_message: Option<String>,
    /// Offset of the first record, or -1.
    pub base_offset: Offset,
    /// The append time under `LogAppendTime`, or -1.
    pub log_append_time: Timestamp,
    /// The leader's log start offset, or -1.
    pub log_start_offset: Offset,
    /// The newer leader, when the error is `NOT_LEADER_OR_FOLLOWER` and the broker knows it (KIP-951).
    pub current_leader: Option<CurrentLeader>,
}

/// A newer leader than the one the client asked (KIP-951).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CurrentLeader {
    /// The leader.
    pub leader: BrokerId,
    /// Its epoch.
    pub leader_epoch: LeaderEpoch,
    /// Where it listens.
    pub endpoint: Endpoint,
}

/// `FetchResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FetchResponse {
    /// Success, or what is wrong with the session; there are no partitions then.
    pub error: ErrorCode,
    /// The session, or [`FetchMetadata::NO_SESSION`] (KIP-227).
    pub session_id: i32,
    /// One result for each partition of a full request; in a session only those that have something new to tell.
    pub partitions: Vec<FetchPartitionResult>,
}

impl FetchResponse {
    /// An answer outside any session.
    #[must_use]
    pub fn sessionless(partitions: Vec<FetchPartitionResult>) -> FetchResponse {
        FetchResponse { error: ErrorCode::None, session_id: FetchMetadata::NO_SESSION, partitions }
    }

    /// The session of the request is not as the client believes.
    #[must_use]
    pub fn session_error(error: ErrorCode, session_id: i32) -> FetchResponse {
        FetchResponse { error, session_id, partitions: Vec::new() }
    }
}

/// Where the reader's log parts from the leader's (KIP-595): the largest epoch at or below the one asked
/// about that the leader knows, and where it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EpochEndOffset {
    /// The epoch, or -1 if the leader knows none.
    pub leader_epoch: LeaderEpoch,
    /// One above that epoch's last offset, or -1.
    pub end_offset: Offset,
}

/// A transaction whose records a `read_committed` consumer skips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AbortedTransaction {
    /// Whose it was.
    pub producer_id: ProducerId,
    /// Its first offset in the partition; it ends with the producer's next marker.
    pub first_offset: Offset,
}

/// What was read of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FetchPartitionResult {
    /// The partition.
    pub partition: TopicPartition,
    /// Success or the error.
    pub error: ErrorCode,
    /// The high watermark, or -1.
    pub high_watermark: Offset,
    /// The last stable offset, or -1.
    pub last_stable_offset: Offset,
    /// The log start offset, or -1.
    pub log_start_offset: Offset,
    /// Present when the reader must truncate first; there are no records then.
    pub diverging_epoch: Option<EpochEndOffset>,
    /// The newer leader, with `NOT_LEADER_OR_FOLLOWER` or `FENCED_LEADER_EPOCH` (KIP-951).
    pub current_leader: Option<CurrentLeader>,
    /// Ask this replica instead: it is nearer (KIP-392). There are no records then.
    pub preferred_read_replica: Option<BrokerId>,
    /// Present in answers about the metadata log.
    pub quorum: Option<QuorumFetchResult>,
    /// For `read_committed` consumers: the aborted transactions that concern the batches.
    pub aborted_transactions: Vec<AbortedTransaction>,
    /// Whole batches in offset order; the first may begin below the offset asked for.
    pub batches: Vec<Arc<RecordBatch>>,
}

impl FetchPartitionResult {
    /// Nothing was read; all offsets are -1.
    #[must_use]
    pub fn failed(partition: TopicPartition, error: ErrorCode) -> FetchPartitionResult {
        FetchPartitionResult {
            partition,
            error,
            high_watermark: Offset(-1),
            last_stable_offset: Offset(-1),
            log_start_offset: Offset(-1),
            diverging_epoch: None,
            current_leader: None,
            preferred_read_replica: None,
            quorum: None,
            aborted_transactions: Vec::new(),
            batches: Vec::new(),
        }
    }
}

/// `ListOffsetsResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListOffsetsResponse {
    /// One result for each partition of the request.
    pub partitions: Vec<ListOffsetsResult>,
}

/// The offset of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListOffsetsResult {
    /// The partition.
    pub partition: TopicPartition,
    /// Success or the error.
    pub error: ErrorCode,
    /// That record's timestamp, or -1.
    pub timestamp: Timestamp,
    /// The offset, or -1 when no record matches.
    pub offset: Offset,
    /// The epoch of that offset, or -1.
    pub leader_epoch: LeaderEpoch,
}

/// `OffsetForLeaderEpochResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OffsetForLeaderEpochResponse {
    /// One result for each partition of the request.
    pub partitions: Vec<OffsetForLeaderResult>,
}

/// Where an epoch ended in one partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OffsetForLeaderResult {
    /// The partition.
    pub partition: TopicPartition,
    /// Success or the error.
    pub error: ErrorCode,
    /// The epoch and its end.
    pub end: EpochEndOffset,
}

/// Results by topic of `CreateTopics`, `CreatePartitions` and `DeleteTopics`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TopicResults {
    /// One result for each topic of the request.
    pub topics: Vec<TopicResult>,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TopicResult {
    /// The topic.
    pub name: TopicName,
    /// Its id, when it was made.
    pub topic_id: Option<TopicId>,
    /// Success or the error.
    pub error: ErrorCode,
    /// The error in Kafka's words.
    pub error_message: Option<String>,
}

/// `DescribeTopicPartitionsResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribeTopicPartitionsResponse {
    /// The topics asked for.
    pub topics: Vec<DescribedTopic>,
}

/// A topic in detail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribedTopic {
    /// Success or the error.
    pub error: ErrorCode,
    /// The name.
    pub name: TopicName,
    /// The id.
    pub topic_id: TopicId,
    /// `__consumer_offsets` and its like.
    pub is_internal: bool,
    /// The partitions.
    pub partitions: Vec<DescribedPartition>,
}

/// A partition in detail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribedPartition {
    /// `LEADER_NOT_AVAILABLE` when there is no leader.
    pub error: ErrorCode,
    /// Its number.
    pub partition: PartitionIndex,
    /// Its leader.
    pub leader: Option<BrokerId>,
    /// That leader's epoch.
    pub leader_epoch: LeaderEpoch,
    /// All replicas.
    pub replicas: Vec<BrokerId>,
    /// The in-sync replicas.
    pub isr: Vec<BrokerId>,
    /// Replicas outside of the in-sync ones that have every committed record (KIP-966); `None` if the broker is too
    /// old to tell.
    pub eligible_leader_replicas: Option<Vec<BrokerId>>,
    /// Who led last, when nobody may lead (KIP-966).
    pub last_known_elr: Option<Vec<BrokerId>>,
    /// Replicas that are fenced or down.
    pub offline_replicas: Vec<BrokerId>,
}

/// `BrokerRegistrationResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BrokerRegistrationResponse {
    /// Success or the error.
    pub error: ErrorCode,
    /// The broker's epoch, or -1.
    pub broker_epoch: BrokerEpoch,
}

/// `BrokerHeartbeatResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BrokerHeartbeatResponse {
    /// Success or the error.
    pub error: ErrorCode,
    /// The broker has applied its own registration.
    pub is_caught_up: bool,
    /// The broker is fenced.
    pub is_fenced: bool,
    /// The broker may exit now.
    pub should_shut_down: bool,
}

/// `AlterPartitionResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlterPartitionResponse {
    /// An error of the whole request.
    pub error: ErrorCode,
    /// One result for each partition of the request.
    pub partitions: Vec<AlterPartitionResult>,
}

/// The partition's state after the change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlterPartitionResult {
    /// The partition.
    pub partition: TopicPartition,
    /// Success or the error; the other fields count only on success.
    pub error: ErrorCode,
    /// The leader.
    pub leader: Option<BrokerId>,
    /// Its epoch.
    pub leader_epoch: LeaderEpoch,
    /// The in-sync replicas.
    pub isr: Vec<BrokerId>,
    /// The epoch of this state.
    pub partition_epoch: PartitionEpoch,
}
