//! Requests of administration: elections, reassignments, configurations, log directories, features and producer ids.

use crate::{BrokerEpoch, BrokerId, Endpoint, IncarnationId, Offset, TopicName, TopicPartition};

/// Which leader is wanted (`ElectionType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ElectionType {
    /// The first replica.
    Preferred,
    /// Any replica, where there is no leader; records may be lost.
    Unclean,
}

/// `ElectLeadersRequest` (KIP-460).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ElectLeadersRequest {
    /// Which leader is wanted.
    pub election_type: ElectionType,
    /// The partitions; `None` is all of them.
    pub partitions: Option<Vec<TopicPartition>>,
}

/// `AlterPartitionReassignmentsRequest` (KIP-455).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlterPartitionReassignmentsRequest {
    /// The partitions.
    pub partitions: Vec<ReassignablePartition>,
}

/// Where a partition's replicas shall be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReassignablePartition {
    /// The partition.
    pub partition: TopicPartition,
    /// The replicas, the preferred one first; `None` cancels a reassignment that is under way.
    pub replicas: Option<Vec<BrokerId>>,
}

/// `ListPartitionReassignmentsRequest` (KIP-455).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListPartitionReassignmentsRequest {
    /// The partitions of interest; `None` is all of them.
    pub partitions: Option<Vec<TopicPartition>>,
}

/// What configurations belong to (`ConfigResource`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigResource {
    /// A topic.
    Topic(TopicName),
    /// A broker; `None` stands for all brokers (the cluster-wide default).
    Broker(Option<BrokerId>),
}

/// `IncrementalAlterConfigsRequest` (KIP-339).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IncrementalAlterConfigsRequest {
    /// The resources.
    pub resources: Vec<AlterConfigsResource>,
    /// Only check.
    pub validate_only: bool,
}

/// What changes in one resource's configurations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlterConfigsResource {
    /// The resource.
    pub resource: ConfigResource,
    /// The changes.
    pub configs: Vec<AlterableConfig>,
}

/// The change of one configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlterableConfig {
    /// For example `retention.ms`.
    pub name: String,
    /// What is done.
    pub operation: AlterConfigOperation,
    /// With what value; deletions have none.
    pub value: Option<String>,
}

/// `AlterConfigOp.OpType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlterConfigOperation {
    /// Sets the value.
    Set,
    /// Returns to the default.
    Delete,
    /// Adds entries to a list.
    Append,
    /// Takes entries out of a list.
    Subtract,
}

/// `DescribeConfigsRequest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribeConfigsRequest {
    /// The resources.
    pub resources: Vec<DescribeConfigsResource>,
    /// Tell all the values that would count if stronger ones were not set.
    pub include_synonyms: bool,
}

/// Which configurations of a resource are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribeConfigsResource {
    /// The resource.
    pub resource: ConfigResource,
    /// Their names; `None` is all of them.
    pub names: Option<Vec<String>>,
}

/// `DeleteRecordsRequest` (KIP-107), to the leaders.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeleteRecordsRequest {
    /// The partitions.
    pub partitions: Vec<DeleteRecordsPartition>,
    /// How long the leader waits for the other replicas.
    pub timeout_ms: i32,
}

/// Which records of a partition go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeleteRecordsPartition {
    /// The partition.
    pub partition: TopicPartition,
    /// Everything below it goes; -1 is the high watermark.
    pub offset: Offset,
}

/// `DescribeLogDirsRequest` (KIP-113).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribeLogDirsRequest {
    /// The partitions of interest; `None` is all of them.
    pub partitions: Option<Vec<TopicPartition>>,
}

/// `UpdateFeaturesRequest` (KIP-584).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpdateFeaturesRequest {
    /// The changes.
    pub updates: Vec<FeatureUpdate>,
    /// Only check.
    pub validate_only: bool,
}

/// The wanted level of one feature.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeatureUpdate {
    /// For example `metadata.version`.
    pub feature: String,
    /// The new level; 0 switches it off.
    pub max_version_level: i16,
    /// In which direction it may go.
    pub upgrade_type: UpgradeType,
}

/// `FeatureUpdate.UpgradeType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UpgradeType {
    /// Up only.
    Upgrade,
    /// Down too, if no metadata is lost.
    SafeDowngrade,
    /// Down even if metadata is lost.
    UnsafeDowngrade,
}

/// `UnregisterBrokerRequest` (KIP-500).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnregisterBrokerRequest {
    /// The broker that is gone for good.
    pub broker_id: BrokerId,
}

/// `AllocateProducerIdsRequest` (KIP-730): broker to controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllocateProducerIdsRequest {
    /// The broker that asks.
    pub broker_id: BrokerId,
    /// Its registration.
    pub broker_epoch: BrokerEpoch,
}

/// `ControllerRegistrationRequest` (KIP-919).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ControllerRegistrationRequest {
    /// The controller's `node.id`.
    pub controller_id: i32,
    /// This run of its process.
    pub incarnation_id: IncarnationId,
    /// Where it listens.
    pub endpoint: Endpoint,
}

/// `InitProducerIdRequest` (KIP-98).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InitProducerIdRequest {
    /// `transactional.id`, if the producer has one.
    pub transactional_id: Option<String>,
    /// `transaction.timeout.ms`.
    pub transaction_timeout_ms: i32,
    /// The id whose epoch shall grow, or -1 (KIP-360).
    pub producer_id: i64,
    /// That id's epoch, or -1.
    pub producer_epoch: i16,
}
