//! Appending: as a leader with offsets given here, as a follower with those of the leader; and rolling segments.

use super::partition_log::{LogContext, PartitionLog};
use super::producers::{AppendOrigin, BatchMetadata, ProducerError, ProducerUpdate, VerificationGuard};
use super::segment::{LogSegment, RollParams};
use super::validation::validate;
use crate::node::Effects;
use crate::storage::DiskWrite;
use std::sync::Arc;
use wire::{ErrorCode, LeaderEpoch, Offset, RecordBatch, Timestamp, TimestampType};

/// Why a leader did not append a batch.
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
    /// The append time under `LogAppendTime`, else -1. Of a repeated batch: its timestamp.
    pub log_append_time: Timestamp,
    /// Where the log starts.
    pub log_start_offset: Offset,
    /// Whether the log had the batch already: nothing was appended, and the offsets are those from the first time.
    pub is_duplicate: bool,
}

/// Why a follower could not append what it fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowerAppendError {
    /// It begins below the end of the log (`UnexpectedAppendOffsetException`).
    UnexpectedOffset {
        /// Its first offset.
        first_offset: Offset,
        /// Its last offset.
        last_offset: Offset,
    },
    /// It is larger than a segment may be here (`RecordBatchTooLargeException`).
    TooLarge,
}

/// How a leader appends.
#[derive(Clone, Copy, Debug)]
pub struct LeaderAppend<'a> {
    /// The leader's epoch, which the batch gets.
    pub leader_epoch: LeaderEpoch,
    /// Who wrote the batch.
    pub origin: AppendOrigin,
    /// What [`PartitionLog::begin_transaction_verification`] gave, if the coordinator was asked.
    pub verification_guard: Option<VerificationGuard>,
    /// The world around the log.
    pub context: LogContext<'a>,
}

impl<'a> LeaderAppend<'a> {
    /// The append of a producer's batch.
    #[must_use]
    pub fn of_client(leader_epoch: LeaderEpoch, context: LogContext<'a>) -> LeaderAppend<'a> {
        LeaderAppend { leader_epoch, origin: AppendOrigin::Client, verification_guard: None, context }
    }
}

impl From<ProducerError> for AppendError {
    /// Kafka sends the producer the code only.
    fn from(error: ProducerError) -> AppendError {
        AppendError::plain(error.error)
    }
}

impl PartitionLog {
    /// Validates a batch, gives it offsets and the leader's epoch, and appends it (`appendAsLeader`). A batch that the
    /// producer repeats is found and not appended again.
    ///
    /// # Errors
    /// What `LogValidator` or the producer's state finds wrong, or a batch larger than a segment; nothing was appended then,
    /// though the epoch may have begun and a segment may have been rolled.
    pub fn append_as_leader(
        &mut self,
        batch: &RecordBatch,
        append: &LeaderAppend<'_>,
        effects: &mut Effects,
    ) -> Result<AppendInfo, AppendError> {
        let LogContext { config, wall_time } = append.context;
        validate(batch, &self.partition, append.origin, &append.context)?;
        let mut stored = batch.appended_at(self.log_end_offset, append.leader_epoch);
        stored.timestamp_type = config.message_timestamp_type;
        let log_append_time = match config.message_timestamp_type {
            TimestampType::CreateTime => Timestamp(-1),
            TimestampType::LogAppendTime => {
                stored.max_timestamp = wall_time;
                wall_time
            }
        };
        self.assign_epoch_start_offset(append.leader_epoch, stored.base_offset, effects);
        if stored.size_in_bytes() > config.segment_bytes {
            return Err(AppendError::plain(ErrorCode::RecordListTooLarge));
        }
        let stored = Arc::new(stored);
        let batches = std::slice::from_ref(&stored);
        self.maybe_roll(batches, &append.context, effects);
        if let Some(known) = self.duplicate_of(&stored, append.origin) {
            return Ok(self.repeated(&known));
        }
        let update = self.check_producer(&stored, append)?;
        self.store(batches, append.context.wall_time, effects);
        self.take_in(update);
        self.finish_append(&append.context, effects);
        Ok(AppendInfo { log_append_time, ..self.appended(batch.last_offset_delta) })
    }

    fn appended(&self, last_offset_delta: i32) -> AppendInfo {
        let last_offset = self.log_end_offset + -1;
        AppendInfo {
            first_offset: last_offset + -i64::from(last_offset_delta),
            last_offset,
            log_append_time: Timestamp(-1),
            log_start_offset: self.log_start_offset,
            is_duplicate: false,
        }
    }

    fn repeated(&self, known: &BatchMetadata) -> AppendInfo {
        AppendInfo {
            first_offset: known.first_offset(),
            last_offset: known.last_offset,
            log_append_time: known.timestamp,
            log_start_offset: self.log_start_offset,
            is_duplicate: true,
        }
    }

    fn duplicate_of(&self, batch: &RecordBatch, origin: AppendOrigin) -> Option<BatchMetadata> {
        match origin {
            AppendOrigin::Client => self.producers.duplicate_of(batch),
            AppendOrigin::Coordinator | AppendOrigin::Replication => None,
        }
    }

    fn check_producer(
        &self,
        batch: &RecordBatch,
        append: &LeaderAppend<'_>,
    ) -> Result<Option<ProducerUpdate>, AppendError> {
        if !batch.has_producer_id() {
            return Ok(None);
        }
        let begins_transaction =
            batch.is_transactional && !batch.is_control() && !self.has_ongoing_transaction(batch.producer_id);
        if begins_transaction
            && self.settings.transaction_partition_verification_enable
            && !self.producers.is_verified(batch.producer_id, append.verification_guard)
        {
            return Err(AppendError::plain(ErrorCode::InvalidTxnState));
        }
        Ok(self.producers.check(batch, &self.partition, append.origin)?)
    }

    /// Appends what a fetch brought as the leader stored it (`appendAsFollower`): all of it goes into one segment. Gaps are
    /// allowed.
    ///
    /// # Errors
    /// It does not continue the log or does not fit into a segment; nothing was appended then, though epochs may have
    /// begun.
    pub fn append_as_follower(
        &mut self,
        batches: &[Arc<RecordBatch>],
        context: &LogContext<'_>,
        effects: &mut Effects,
    ) -> Result<(), FollowerAppendError> {
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else { return Ok(()) };
        let (first_offset, last_offset) = (first.base_offset, last.last_offset());
        if first_offset < self.log_end_offset {
            return Err(FollowerAppendError::UnexpectedOffset { first_offset, last_offset });
        }
        for batch in batches {
            self.assign_epoch_start_offset(batch.partition_leader_epoch, batch.base_offset, effects);
        }
        if size_of(batches) > context.config.segment_bytes {
            return Err(FollowerAppendError::TooLarge);
        }
        self.maybe_roll(batches, context, effects);
        self.store(batches, context.wall_time, effects);
        for batch in batches {
            self.take_in(self.replayed(batch));
        }
        self.finish_append(context, effects);
        Ok(())
    }

    /// What a batch that was checked before changes about its producer.
    pub(super) fn replayed(&self, batch: &RecordBatch) -> Option<ProducerUpdate> {
        if !batch.has_producer_id() {
            return None;
        }
        let checked = self.producers.check(batch, &self.partition, AppendOrigin::Replication);
        checked.expect("what was checked before is not refused")
    }

    fn store(&mut self, batches: &[Arc<RecordBatch>], wall_time: Timestamp, effects: &mut Effects) {
        for batch in batches {
            effects.write(DiskWrite::Append { partition: self.partition.clone(), batch: batch.clone() });
            self.log_end_offset = batch.last_offset().next();
        }
        self.segments.active_mut().append_together(batches, wall_time);
    }

    fn take_in(&mut self, update: Option<ProducerUpdate>) {
        if let Some(update) = update {
            self.apply_producer_update(update);
            self.update_first_unstable_offset();
        }
    }

    fn finish_append(&mut self, context: &LogContext<'_>, effects: &mut Effects) {
        self.producers.set_map_end_offset(self.log_end_offset);
        if self.log_end_offset - self.recovery_point >= context.config.flush_messages {
            self.flush(context.wall_time, effects);
        }
    }

    pub(super) fn apply_producer_update(&mut self, update: ProducerUpdate) {
        if let Some(completed) = self.producers.apply(update) {
            let last_stable_offset = self.producers.last_stable_offset(&completed);
            self.segments.active_mut().append_completed(&completed, last_stable_offset);
            self.producers.complete(&completed);
        }
    }

    /// Takes a batch that the active segment has into account for its producer, when the log is read back.
    pub(super) fn replay_producer(&mut self, batch: &RecordBatch) {
        if let Some(completed) = self.replayed(batch).and_then(|update| self.producers.apply(update)) {
            self.producers.complete(&completed);
        }
        self.producers.set_map_end_offset(batch.last_offset().next());
    }

    /// The batches go into one segment.
    fn maybe_roll(&mut self, batches: &[Arc<RecordBatch>], context: &LogContext<'_>, effects: &mut Effects) {
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else { return };
        let params = RollParams {
            segment_bytes: context.config.segment_bytes,
            segment_ms: context.config.segment_ms,
            segment_index_bytes: context.config.segment_index_bytes,
            max_timestamp: batches.iter().map(|batch| batch.max_timestamp).max().unwrap_or(first.max_timestamp),
            last_offset: last.last_offset(),
            size_in_bytes: size_of(batches),
            wall_time: context.wall_time,
        };
        if self.segments.active().should_roll(&params) {
            self.roll(first.base_offset, context, effects);
        }
    }

    /// Seals the active segment; the next one begins at `next_offset` or at the log's end, whichever is higher. What was
    /// written before is flushed, and a snapshot of the producers is taken. An empty segment that would begin at the same
    /// offset is made anew.
    pub fn roll(&mut self, next_offset: Offset, context: &LogContext<'_>, effects: &mut Effects) {
        let base_offset = next_offset.max(self.log_end_offset);
        let next = LogSegment::new(base_offset, self.segment_settings(base_offset, context));
        if self.segments.active().is_empty() {
            *self.segments.active_mut() = next;
        } else {
            let sealed = self.segments.roll(next);
            effects.write(DiskWrite::Roll { partition: self.partition.clone(), sealed, base_offset });
        }
        self.producers.set_map_end_offset(base_offset);
        if self.producers.take_snapshot() {
            self.write_producer_snapshots(effects);
        }
        self.recovery_point = self.recovery_point.max(base_offset);
        self.flushed_at = context.wall_time;
    }
}

fn size_of(batches: &[Arc<RecordBatch>]) -> i32 {
    batches.iter().map(|batch| batch.size_in_bytes()).fold(0, i32::saturating_add)
}
