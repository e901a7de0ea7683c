//! Answers between a ZooKeeper-mode controller and brokers.

use crate::{ErrorCode, TopicPartition};

/// `LeaderAndIsrResponse` and `StopReplicaResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplicaStateResponse {
    /// An error of the whole request: `STALE_CONTROLLER_EPOCH` or `STALE_BROKER_EPOCH`.
    pub error: ErrorCode,
    /// One result for each partition of the request.
    pub partitions: Vec<(TopicPartition, ErrorCode)>,
}

/// `ControlledShutdownResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ControlledShutdownResponse {
    /// Success or the error.
    pub error: ErrorCode,
    /// What the broker still leads.
    pub remaining_partitions: Vec<TopicPartition>,
}
