//! Responses to the requests of administration.

use super::MetadataBroker;
use crate::request::ConfigResource;
use crate::{BrokerId, ErrorCode, Offset, TopicPartition};

/// What became of one partition of an `ElectLeaders` or `AlterPartitionReassignments` request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartitionResult {
    /// The partition.
    pub partition: TopicPartition,
    /// Success or the error.
    pub error: ErrorCode,
    /// The error in Kafka's words.
    pub error_message: Option<String>,
}

/// `ElectLeadersResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ElectLeadersResponse {
    /// An error of the whole request.
    pub error: ErrorCode,
    /// One result for each partition. Where all partitions were meant, those that need no election are left out.
    pub results: Vec<PartitionResult>,
}

/// `AlterPartitionReassignmentsResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlterPartitionReassignmentsResponse {
    /// An error of the whole request.
    pub error: ErrorCode,
    /// One result for each partition of the request.
    pub results: Vec<PartitionResult>,
}

/// `ListPartitionReassignmentsResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListPartitionReassignmentsResponse {
    /// An error of the whole request.
    pub error: ErrorCode,
    /// The reassignments under way.
    pub partitions: Vec<OngoingReassignment>,
}

/// A reassignment under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OngoingReassignment {
    /// The partition.
    pub partition: TopicPartition,
    /// All replicas, those that come and those that go included.
    pub replicas: Vec<BrokerId>,
    /// Replicas that come.
    pub adding_replicas: Vec<BrokerId>,
    /// Replicas that go.
    pub removing_replicas: Vec<BrokerId>,
}

/// `IncrementalAlterConfigsResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IncrementalAlterConfigsResponse {
    /// One result for each resource of the request.
    pub results: Vec<AlterConfigsResult>,
}

/// What became of one resource's changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlterConfigsResult {
    /// The resource.
    pub resource: ConfigResource,
    /// Success or the error.
    pub error: ErrorCode,
    /// The error in Kafka's words.
    pub error_message: Option<String>,
}

/// `DescribeConfigsResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribeConfigsResponse {
    /// One result for each resource of the request.
    pub results: Vec<DescribedConfigs>,
}

/// A resource's configurations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribedConfigs {
    /// The resource.
    pub resource: ConfigResource,
    /// Success or the error.
    pub error: ErrorCode,
    /// The error in Kafka's words.
    pub error_message: Option<String>,
    /// Its configurations, in the order the broker lists them.
    pub entries: Vec<ConfigEntry>,
}

/// Where a value comes from, strongest first (`DescribeConfigsResponse.ConfigSource`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigSource {
    /// Set on the topic.
    DynamicTopicConfig,
    /// Set on this broker while it runs.
    DynamicBrokerConfig,
    /// Set on all brokers while they run.
    DynamicDefaultBrokerConfig,
    /// Set in the broker's properties.
    StaticBrokerConfig,
    /// Kafka's default.
    DefaultConfig,
}

impl ConfigSource {
    /// As the tools print it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ConfigSource::DynamicTopicConfig => "DYNAMIC_TOPIC_CONFIG",
            ConfigSource::DynamicBrokerConfig => "DYNAMIC_BROKER_CONFIG",
            ConfigSource::DynamicDefaultBrokerConfig => "DYNAMIC_DEFAULT_BROKER_CONFIG",
            ConfigSource::StaticBrokerConfig => "STATIC_BROKER_CONFIG",
            ConfigSource::DefaultConfig => "DEFAULT_CONFIG",
        }
    }
}

/// One configuration and its value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConfigEntry {
    /// For example `retention.ms`.
    pub name: String,
    /// Its value as text; `None` is Kafka's null.
    pub value: Option<String>,
    /// Who set it.
    pub source: ConfigSource,
    /// It cannot be changed while the broker runs.
    pub is_read_only: bool,
    /// Its value is kept secret.
    pub is_sensitive: bool,
    /// The values it could have, the one in force first; empty unless asked for.
    pub synonyms: Vec<ConfigSynonym>,
}

/// A value that counts unless a stronger one is set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConfigSynonym {
    /// For example `log.retention.ms`.
    pub name: String,
    /// Its value as text; `None` is Kafka's null.
    pub value: Option<String>,
    /// Who set it.
    pub source: ConfigSource,
}

/// `DeleteRecordsResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeleteRecordsResponse {
    /// One result for each partition of the request.
    pub results: Vec<DeleteRecordsResult>,
}

/// What became of one partition's records.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeleteRecordsResult {
    /// The partition.
    pub partition: TopicPartition,
    /// The least log start offset of its live replicas, or -1.
    pub low_watermark: Offset,
    /// Success or the error.
    pub error: ErrorCode,
}

/// `DescribeLogDirsResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribeLogDirsResponse {
    /// An error of the whole request.
    pub error: ErrorCode,
    /// The broker's log directories.
    pub log_dirs: Vec<DescribedLogDir>,
}

/// A log directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribedLogDir {
    /// Success or the error.
    pub error: ErrorCode,
    /// Its path.
    pub log_dir: String,
    /// The replicas in it.
    pub partitions: Vec<DescribedReplica>,
}

/// A replica in a log directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribedReplica {
    /// The partition.
    pub partition: TopicPartition,
    /// The bytes of its segments.
    pub size: i64,
    /// How far its log end is behind the high watermark; 0 if it is not.
    pub offset_lag: i64,
    /// It will take the place of the replica in another directory.
    pub is_future: bool,
}

/// `DescribeClusterResponse` (KIP-700).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribeClusterResponse {
    /// The cluster's id.
    pub cluster_id: String,
    /// A broker that takes requests for the controller; asked at a controller, the active one.
    pub controller_id: Option<BrokerId>,
    /// The unfenced brokers; asked at a controller, the controllers.
    pub brokers: Vec<MetadataBroker>,
}

/// `UpdateFeaturesResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpdateFeaturesResponse {
    /// An error of the whole request.
    pub error: ErrorCode,
    /// The error in Kafka's words.
    pub error_message: Option<String>,
    /// One result for each feature of the request, unless the whole failed.
    pub results: Vec<UpdatedFeature>,
}

/// What became of one feature.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpdatedFeature {
    /// The feature.
    pub feature: String,
    /// Success or the error.
    pub error: ErrorCode,
    /// The error in Kafka's words.
    pub error_message: Option<String>,
}

/// `UnregisterBrokerResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnregisterBrokerResponse {
    /// Success or the error.
    pub error: ErrorCode,
    /// The error in Kafka's words.
    pub error_message: Option<String>,
}

/// `AllocateProducerIdsResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllocateProducerIdsResponse {
    /// Success or the error.
    pub error: ErrorCode,
    /// The first id of the block.
    pub producer_id_start: i64,
    /// How many ids there are in it.
    pub producer_id_len: i32,
}

/// `ControllerRegistrationResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ControllerRegistrationResponse {
    /// Success or the error.
    pub error: ErrorCode,
}

/// `InitProducerIdResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InitProducerIdResponse {
    /// Success or the error.
    pub error: ErrorCode,
    /// The producer's id, or -1.
    pub producer_id: i64,
    /// Its epoch, or -1.
    pub producer_epoch: i16,
}

/// A feature that a server supports (`ApiVersionsResponse.SupportedFeatureKey`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SupportedFeature {
    /// For example `metadata.version`.
    pub name: &'static str,
    /// The lowest level it supports.
    pub min_version: i16,
    /// The highest level it supports.
    pub max_version: i16,
}

/// A feature and the level that the cluster has agreed on (`FinalizedFeatureKey`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FinalizedFeature {
    /// For example `metadata.version`.
    pub name: String,
    /// Its level.
    pub level: i16,
}
