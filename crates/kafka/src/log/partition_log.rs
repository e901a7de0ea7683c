//! `kafka.log.UnifiedLog`: the batches of one replica of one partition and the offsets around them.
//!
//! Every change is mirrored to the disk at once. Decides nothing about replication (see `replica`).

use crate::chunks::Chunks;
use crate::config::TopicConfig;
use crate::node::Effects;
use crate::storage::StoredLog;
use std::sync::Arc;
use wire::request::OffsetSpec;
use wire::response::EpochEndOffset;
use wire::{ErrorCode, LeaderEpoch, Offset, RecordBatch, Timestamp, TopicId, TopicPartition};

/// Why a leader did not append a producer's batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendError {
    /// The error.
    pub error: ErrorCode,
    /// More about it, where Kafka sends more to the producer.
    pub message: Option<String>,
}

/// Where a batch was appended (`LogAppendInfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendInfo {
    /// Offset of the first record.
    pub first_offset: Offset,
    /// Offset of the last record.
    pub last_offset: Offset,
    /// The append time under `LogAppendTime`, else -1.
    pub log_append_time: Timestamp,
    /// Where the log starts.
    pub log_start_offset: Offset,
}

/// Why a follower could not append a fetched batch: its offset lies below what the log already has
/// (`UnexpectedAppendOffsetException`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowerAppendError {
    /// First offset of the batch.
    pub first_offset: Offset,
    /// Last offset of the batch.
    pub last_offset: Offset,
}

/// How much to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimit {
    /// At most so many bytes.
    pub max_bytes: i32,
    /// The first batch may be larger than `max_bytes`, so that a reader always gets on (KIP-74).
    pub at_least_one_batch: bool,
}

/// One partition's log on one broker. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PartitionLog {}

impl PartitionLog {
    /// A new, empty log that starts at offset 0; makes its directory.
    #[must_use]
    pub fn create(_partition: TopicPartition, _topic_id: TopicId, _effects: &mut Effects) -> PartitionLog {
        todo!()
    }

    /// The log as an earlier run of the process left it: it ends behind its last batch, its high watermark is the
    /// checkpointed one as far as the log reaches.
    #[must_use]
    pub fn load(_partition: TopicPartition, _stored: &StoredLog) -> PartitionLog {
        todo!()
    }

    /// Deletes the log's directory.
    pub fn delete(self, _effects: &mut Effects) {
        todo!()
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> &TopicPartition {
        todo!()
    }

    /// The topic's id.
    #[must_use]
    pub fn topic_id(&self) -> TopicId {
        todo!()
    }

    /// The first offset that can be read.
    #[must_use]
    pub fn log_start_offset(&self) -> Offset {
        todo!()
    }

    /// The offset of the next record.
    #[must_use]
    pub fn log_end_offset(&self) -> Offset {
        todo!()
    }

    /// Below it everything is committed, as far as this replica knows.
    #[must_use]
    pub fn high_watermark(&self) -> Offset {
        todo!()
    }

    /// The batches, in offset order.
    #[must_use]
    pub fn batches(&self) -> &Chunks<Arc<RecordBatch>> {
        todo!()
    }

    /// The latest epoch with an entry, or `NONE`.
    #[must_use]
    pub fn latest_epoch(&self) -> LeaderEpoch {
        todo!()
    }

    /// Each epoch with the first offset written in it, ascending.
    #[must_use]
    pub fn leader_epochs(&self) -> &[(LeaderEpoch, Offset)] {
        todo!()
    }

    /// The largest epoch at or below `epoch` and where it ended (`endOffsetForEpoch`); -1 and -1 when unknown.
    #[must_use]
    pub fn end_offset_for(&self, _epoch: LeaderEpoch) -> EpochEndOffset {
        todo!()
    }

    /// Notes that `epoch` begins at `start_offset`, unless it is known already.
    pub fn assign_epoch_start_offset(&mut self, _epoch: LeaderEpoch, _start_offset: Offset, _effects: &mut Effects) {
        todo!()
    }

    /// Validates a producer's batch, gives it offsets and the leader's epoch, and appends it (`appendAsLeader`).
    ///
    /// # Errors
    /// What `LogValidator` finds wrong; nothing was appended then.
    pub fn append_as_leader(
        &mut self,
        _batch: &RecordBatch,
        _leader_epoch: LeaderEpoch,
        _config: &TopicConfig,
        _wall_time: Timestamp,
        _effects: &mut Effects,
    ) -> Result<AppendInfo, AppendError> {
        todo!()
    }

    /// Appends a batch as its leader stored it (`appendAsFollower`). Gaps are allowed.
    ///
    /// # Errors
    /// The batch begins below the log end offset; nothing was appended then.
    pub fn append_as_follower(
        &mut self,
        _batch: &Arc<RecordBatch>,
        _effects: &mut Effects,
    ) -> Result<AppendInfo, FollowerAppendError> {
        todo!()
    }

    /// Whether the high watermark rose to `offset` (`maybeIncrementHighWatermark`). `offset` must not lie beyond the log
    /// end offset.
    pub fn maybe_increment_high_watermark(&mut self, _offset: Offset) -> bool {
        todo!()
    }

    /// Sets the high watermark to `offset` as far as the log reaches, and tells whether it changed
    /// (`maybeUpdateHighWatermark`).
    pub fn update_high_watermark(&mut self, _offset: Offset) -> bool {
        todo!()
    }

    /// Drops every batch from `offset` on. Tells whether the log became shorter.
    pub fn truncate_to(&mut self, _offset: Offset, _effects: &mut Effects) -> bool {
        todo!()
    }

    /// Drops everything; the log is empty and starts at `offset`.
    pub fn truncate_fully_and_start_at(&mut self, _offset: Offset, _effects: &mut Effects) {
        todo!()
    }

    /// Whole batches from the one that contains `start` on, all of them below `upper_bound`, and their bytes.
    ///
    /// # Errors
    /// `OFFSET_OUT_OF_RANGE` when `start` lies below the log start offset or beyond the log end offset.
    pub fn read(
        &self,
        _start: Offset,
        _upper_bound: Offset,
        _limit: ReadLimit,
    ) -> Result<(Vec<Arc<RecordBatch>>, i32), ErrorCode> {
        todo!()
    }

    /// Bytes of the batches that contain offsets from `start` up to, not including, `end`.
    #[must_use]
    pub fn bytes_between(&self, _start: Offset, _end: Offset) -> i64 {
        todo!()
    }

    /// The timestamp, offset and epoch of what `spec` asks for; `Latest` is the log end offset. `None` when no record
    /// matches.
    #[must_use]
    pub fn find_offset(&self, _spec: OffsetSpec) -> Option<(Timestamp, Offset, LeaderEpoch)> {
        todo!()
    }
}
