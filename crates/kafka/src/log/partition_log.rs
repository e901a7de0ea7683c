//! `kafka.log.UnifiedLog`: the batches of one replica of one partition and the offsets around them.
//!
//! Every change is mirrored to the disk at once. Decides nothing about replication (see `replica`).

use super::leader_epoch_cache::LeaderEpochCache;
use super::validation::validate;
use crate::chunks::Chunks;
use crate::config::TopicConfig;
use crate::node::Effects;
use crate::storage::{DiskWrite, StoredLog};
use std::sync::Arc;
use wire::request::OffsetSpec;
use wire::response::EpochEndOffset;
use wire::{ErrorCode, LeaderEpoch, Offset, RecordBatch, Timestamp, TimestampType, TopicId, TopicPartition};

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

/// An offset that was asked for by its meaning or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundOffset {
    /// That record's timestamp, or -1 for the ends of the log.
    pub timestamp: Timestamp,
    /// The offset.
    pub offset: Offset,
    /// Its epoch, or `NONE`.
    pub leader_epoch: LeaderEpoch,
}

/// One partition's log on one broker. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PartitionLog {
    partition: TopicPartition,
    topic_id: TopicId,
    batches: Chunks<Arc<RecordBatch>>,
    /// For each batch, the bytes of the log up to its end.
    end_positions: Chunks<i64>,
    log_start_offset: Offset,
    log_end_offset: Offset,
    high_watermark: Offset,
    leader_epochs: LeaderEpochCache,
}

impl PartitionLog {
    /// A new, empty log that starts at offset 0; makes its directory.
    #[must_use]
    pub fn create(partition: TopicPartition, topic_id: TopicId, effects: &mut Effects) -> PartitionLog {
        effects.write(DiskWrite::CreateLog { partition: partition.clone(), topic_id });
        PartitionLog::empty(partition, topic_id, Offset::ZERO)
    }

    /// The log as an earlier run of the process left it: it ends behind its last batch, its high watermark is the
    /// checkpointed one as far as the log reaches. An epoch that began but got no record is forgotten (`LogLoader`).
    #[must_use]
    pub fn load(partition: TopicPartition, stored: &StoredLog) -> PartitionLog {
        let mut log = PartitionLog::empty(partition, stored.topic_id, stored.log_start_offset);
        stored.batches.iter().for_each(|batch| log.push(batch.clone()));
        log.leader_epochs = LeaderEpochCache::load(&stored.leader_epochs);
        log.leader_epochs.truncate_from_end(log.log_end_offset);
        log.leader_epochs.truncate_from_start(log.log_start_offset);
        log.update_high_watermark(stored.high_watermark);
        log
    }

    fn empty(partition: TopicPartition, topic_id: TopicId, start: Offset) -> PartitionLog {
        PartitionLog {
            partition,
            topic_id,
            batches: Chunks::new(),
            end_positions: Chunks::new(),
            log_start_offset: start,
            log_end_offset: start,
            high_watermark: start,
            leader_epochs: LeaderEpochCache::default(),
        }
    }

    /// Deletes the log's directory.
    pub fn delete(self, effects: &mut Effects) {
        effects.write(DiskWrite::DeleteLog { partition: self.partition });
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> &TopicPartition {
        &self.partition
    }

    /// The topic's id.
    #[must_use]
    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    /// The first offset that can be read.
    #[must_use]
    pub fn log_start_offset(&self) -> Offset {
        self.log_start_offset
    }

    /// The offset of the next record.
    #[must_use]
    pub fn log_end_offset(&self) -> Offset {
        self.log_end_offset
    }

    /// Below it everything is committed, as far as this replica knows.
    #[must_use]
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    /// The batches, in offset order.
    #[must_use]
    pub fn batches(&self) -> &Chunks<Arc<RecordBatch>> {
        &self.batches
    }

    /// The latest epoch with an entry, or `NONE`.
    #[must_use]
    pub fn latest_epoch(&self) -> LeaderEpoch {
        self.leader_epochs.latest_epoch()
    }

    /// Each epoch with the first offset written in it, ascending.
    #[must_use]
    pub fn leader_epochs(&self) -> &[(LeaderEpoch, Offset)] {
        self.leader_epochs.entries()
    }

    /// The largest epoch at or below `epoch` and where it ended (`endOffsetForEpoch`); -1 and -1 when unknown.
    #[must_use]
    pub fn end_offset_for(&self, epoch: LeaderEpoch) -> EpochEndOffset {
        self.leader_epochs.end_offset_for(epoch, self.log_end_offset)
    }

    /// Notes that `epoch` begins at `start_offset`, unless it is known already.
    pub fn assign_epoch_start_offset(&mut self, epoch: LeaderEpoch, start_offset: Offset, effects: &mut Effects) {
        if self.leader_epochs.assign(epoch, start_offset) {
            self.write_leader_epochs(effects);
        }
    }

    /// Validates a producer's batch, gives it offsets and the leader's epoch, and appends it (`appendAsLeader`).
    ///
    /// # Errors
    /// What `LogValidator` finds wrong; nothing was appended then.
    pub fn append_as_leader(
        &mut self,
        batch: &RecordBatch,
        leader_epoch: LeaderEpoch,
        config: &TopicConfig,
        wall_time: Timestamp,
        effects: &mut Effects,
    ) -> Result<AppendInfo, AppendError> {
        validate(batch, &self.partition, config, wall_time)?;
        let mut stored = batch.appended_at(self.log_end_offset, leader_epoch);
        stored.timestamp_type = config.message_timestamp_type;
        let log_append_time = match config.message_timestamp_type {
            TimestampType::CreateTime => Timestamp(-1),
            TimestampType::LogAppendTime => {
                stored.max_timestamp = wall_time;
                wall_time
            }
        };
        Ok(AppendInfo { log_append_time, ..self.append(Arc::new(stored), effects) })
    }

    /// Appends a batch as its leader stored it (`appendAsFollower`). Gaps are allowed.
    ///
    /// # Errors
    /// The batch begins below the log end offset; nothing was appended then.
    pub fn append_as_follower(
        &mut self,
        batch: &Arc<RecordBatch>,
        effects: &mut Effects,
    ) -> Result<AppendInfo, FollowerAppendError> {
        if batch.base_offset < self.log_end_offset {
            return Err(FollowerAppendError { first_offset: batch.base_offset, last_offset: batch.last_offset() });
        }
        Ok(self.append(batch.clone(), effects))
    }

    fn append(&mut self, batch: Arc<RecordBatch>, effects: &mut Effects) -> AppendInfo {
        self.assign_epoch_start_offset(batch.partition_leader_epoch, batch.base_offset, effects);
        effects.write(DiskWrite::Append { partition: self.partition.clone(), batch: batch.clone() });
        let (first_offset, last_offset) = (batch.base_offset, batch.last_offset());
        self.push(batch);
        AppendInfo {
            first_offset,
            last_offset,
            log_append_time: Timestamp(-1),
            log_start_offset: self.log_start_offset,
        }
    }

    fn push(&mut self, batch: Arc<RecordBatch>) {
        let position = self.end_positions.last().copied().unwrap_or(0);
        self.end_positions.push(position + i64::from(batch.size_in_bytes()));
        self.log_end_offset = batch.last_offset().next();
        self.batches.push(batch);
    }

    /// Whether the high watermark rose to `offset` (`maybeIncrementHighWatermark`). `offset` must not lie beyond the log
    /// end offset.
    pub fn maybe_increment_high_watermark(&mut self, offset: Offset) -> bool {
        assert!(offset <= self.log_end_offset, "nothing beyond the log end can be committed");
        let is_higher = offset > self.high_watermark;
        if is_higher {
            self.high_watermark = offset;
        }
        is_higher
    }

    /// Sets the high watermark to `offset` as far as the log reaches, and tells whether it changed
    /// (`maybeUpdateHighWatermark`).
    pub fn update_high_watermark(&mut self, offset: Offset) -> bool {
        let before = self.high_watermark;
        self.high_watermark = offset.clamp(self.log_start_offset, self.log_end_offset);
        self.high_watermark != before
    }

    /// Drops every batch that reaches `offset` or lies above it. Tells whether the log became shorter; the epochs that
    /// begin behind its end go in any case.
    pub fn truncate_to(&mut self, offset: Offset, effects: &mut Effects) -> bool {
        if offset >= self.log_end_offset {
            self.truncate_epochs_from_end(effects);
            return false;
        }
        if offset < self.log_start_offset {
            self.truncate_fully_and_start_at(offset, effects);
            return true;
        }
        self.drop_batches_from(offset, effects);
        self.log_end_offset = offset;
        self.high_watermark = self.high_watermark.min(offset);
        self.truncate_epochs_from_end(effects);
        true
    }

    fn drop_batches_from(&mut self, offset: Offset, effects: &mut Effects) {
        let keep = self.index_of(offset);
        if let Some(first_dropped) = self.batches.get(keep) {
            let partition = self.partition.clone();
            effects.write(DiskWrite::TruncateTo { partition, offset: first_dropped.base_offset });
        }
        self.batches.truncate(keep);
        self.end_positions.truncate(keep);
    }

    fn truncate_epochs_from_end(&mut self, effects: &mut Effects) {
        if self.leader_epochs.truncate_from_end(self.log_end_offset) {
            self.write_leader_epochs(effects);
        }
    }

    /// Drops everything; the log is empty and starts at `offset`.
    pub fn truncate_fully_and_start_at(&mut self, offset: Offset, effects: &mut Effects) {
        self.batches = Chunks::new();
        self.end_positions = Chunks::new();
        (self.log_start_offset, self.log_end_offset, self.high_watermark) = (offset, offset, offset);
        self.leader_epochs.clear();
        effects.write(DiskWrite::TruncateFullyAndStartAt { partition: self.partition.clone(), offset });
        self.write_leader_epochs(effects);
    }

    fn write_leader_epochs(&self, effects: &mut Effects) {
        let leader_epochs = self.leader_epochs.entries().to_vec();
        effects.write(DiskWrite::LeaderEpochs { partition: self.partition.clone(), leader_epochs });
    }

    /// Whole batches from the one that contains `start` on, all of them below `upper_bound`, and their bytes.
    ///
    /// # Errors
    /// `OFFSET_OUT_OF_RANGE` when `start` lies below the log start offset or beyond the log end offset.
    pub fn read(
        &self,
        start: Offset,
        upper_bound: Offset,
        limit: ReadLimit,
    ) -> Result<(Vec<Arc<RecordBatch>>, i32), ErrorCode> {
        if start < self.log_start_offset || start > self.log_end_offset {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        let (mut batches, mut size_in_bytes) = (Vec::new(), 0);
        if start >= upper_bound {
            return Ok((batches, size_in_bytes));
        }
        for batch in self.batches.iter_from(self.index_of(start)) {
            let fits = batch.size_in_bytes() <= limit.max_bytes.saturating_sub(size_in_bytes);
            let is_owed = limit.at_least_one_batch && batches.is_empty();
            if batch.last_offset() >= upper_bound || !(fits || is_owed) {
                break;
            }
            size_in_bytes += batch.size_in_bytes();
            batches.push(batch.clone());
        }
        Ok((batches, size_in_bytes))
    }

    /// Bytes of the batches that contain offsets from `start` up to, not including, `end`.
    #[must_use]
    pub fn bytes_between(&self, start: Offset, end: Offset) -> i64 {
        let position = |offset: Offset| match self.index_of(offset).checked_sub(1) {
            Some(last) => self.end_positions.get(last).copied().expect("every batch has its position"),
            None => 0,
        };
        if start >= end { 0 } else { position(end) - position(start) }
    }

    /// The index of the first batch that contains `offset` or lies above it.
    fn index_of(&self, offset: Offset) -> usize {
        if offset >= self.log_end_offset {
            return self.batches.len();
        }
        self.batches.partition_point(|batch| batch.last_offset() < offset)
    }

    /// What `spec` asks for; `Latest` is the log end offset. `None` when no record matches.
    #[must_use]
    pub fn find_offset(&self, spec: OffsetSpec) -> Option<FoundOffset> {
        match spec {
            OffsetSpec::Earliest | OffsetSpec::EarliestLocal => {
                Some(self.end_of_log(self.log_start_offset, self.earliest_epoch()))
            }
            OffsetSpec::LatestTiered => Some(self.end_of_log(Offset(-1), LeaderEpoch::NONE)),
            OffsetSpec::Latest => Some(self.end_of_log(self.log_end_offset, self.latest_epoch())),
            OffsetSpec::MaxTimestamp => self.max_timestamp(),
            OffsetSpec::At(timestamp) => self.first_at_or_after(timestamp),
        }
    }

    fn end_of_log(&self, offset: Offset, leader_epoch: LeaderEpoch) -> FoundOffset {
        FoundOffset { timestamp: Timestamp(-1), offset, leader_epoch }
    }

    fn earliest_epoch(&self) -> LeaderEpoch {
        self.leader_epochs.epoch_for_offset(self.log_start_offset)
    }

    /// The first record with the largest timestamp.
    fn max_timestamp(&self) -> Option<FoundOffset> {
        let largest = self.batches.iter().map(|batch| batch.max_timestamp).max()?;
        let batch = self.batches.iter().find(|batch| batch.max_timestamp == largest)?;
        first_record_at_or_after(batch, largest, self.log_start_offset)
    }

    fn first_at_or_after(&self, timestamp: Timestamp) -> Option<FoundOffset> {
        self.batches
            .iter()
            .filter(|batch| batch.max_timestamp >= timestamp)
            .find_map(|batch| first_record_at_or_after(batch, timestamp, self.log_start_offset))
    }
}

fn first_record_at_or_after(batch: &RecordBatch, timestamp: Timestamp, start: Offset) -> Option<FoundOffset> {
    batch.records().iter().find_map(|record| {
        let offset = batch.base_offset + i64::from(record.offset_delta);
        let is_match = batch.timestamp_of(record) >= timestamp && offset >= start;
        is_match.then(|| FoundOffset {
            timestamp: batch.timestamp_of(record),
            offset,
            leader_epoch: batch.partition_leader_epoch,
        })
    })
}
