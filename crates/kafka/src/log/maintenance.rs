//! What is done to a log from time to time: flushing, checkpoints, moving its start, deleting and replacing segments.
//!
//! When segments are to go, and what compaction makes of them, is decided elsewhere.

use super::partition_log::{LogContext, PartitionLog};
use super::segment::LogSegment;
use crate::node::Effects;
use crate::storage::DiskWrite;
use std::sync::Arc;
use wire::{Offset, Timestamp};

/// The log cannot start above its high watermark (`OffsetOutOfRangeException`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartBeyondHighWatermark {
    /// The high watermark.
    pub high_watermark: Offset,
}

impl PartitionLog {
    /// Makes everything that was written survive a power loss.
    pub fn flush(&mut self, wall_time: Timestamp, effects: &mut Effects) {
        self.flushed_at = wall_time;
        if self.recovery_point < self.log_end_offset {
            self.recovery_point = self.log_end_offset;
            let (partition, up_to) = (self.partition.clone(), self.log_end_offset);
            effects.write(DiskWrite::Flush { partition, up_to });
        }
    }

    /// The same, if the last time is `flush.ms` ago. The broker asks every `log.flush.scheduler.interval.ms`.
    pub fn flush_if_due(&mut self, context: &LogContext<'_>, effects: &mut Effects) {
        if context.wall_time.0 - self.flushed_at.0 >= context.config.flush_ms {
            self.flush(context.wall_time, effects);
        }
    }

    /// The process ends as it should: a snapshot of the producers is taken, and everything is flushed.
    pub fn close(&mut self, wall_time: Timestamp, effects: &mut Effects) {
        if self.producers.take_snapshot() {
            self.write_producer_snapshots(effects);
        }
        self.flush(wall_time, effects);
    }

    /// Where the log starts, if that has to be written down: the name of the first segment does not tell
    /// (`log-start-offset-checkpoint`).
    #[must_use]
    pub fn log_start_offset_to_checkpoint(&self) -> Offset {
        if self.log_start_offset > self.segments.base_offset() { self.log_start_offset } else { Offset::ZERO }
    }

    /// Forgets producers that have been silent for `producer.id.expiration.ms`, and tells how many.
    pub fn remove_expired_producers(&mut self, wall_time: Timestamp) -> usize {
        self.producers.remove_expired(wall_time, self.settings.producer_id_expiration_ms)
    }

    /// Moves the start of the log up to `offset`, and tells whether it moved. The segments below stay until they are
    /// deleted.
    ///
    /// # Errors
    /// `offset` lies above the high watermark.
    pub fn maybe_increment_log_start_offset(
        &mut self,
        offset: Offset,
        effects: &mut Effects,
    ) -> Result<bool, StartBeyondHighWatermark> {
        if offset > self.high_watermark {
            return Err(StartBeyondHighWatermark { high_watermark: self.high_watermark });
        }
        if offset <= self.log_start_offset {
            return Ok(false);
        }
        self.log_start_offset = offset;
        self.recovery_point = self.recovery_point.max(offset);
        self.leader_epochs.truncate_from_start(offset);
        self.write_leader_epochs(effects);
        self.producers.on_log_start_offset_incremented(offset);
        self.update_first_unstable_offset();
        Ok(true)
    }

    /// Deletes the oldest `count` segments, of which all records must be committed; the log starts behind them. If these
    /// are all, a new one is rolled first; an empty one is never deleted. Returns the base offsets of those that went.
    pub fn delete_segments(&mut self, count: usize, context: &LogContext<'_>, effects: &mut Effects) -> Vec<Offset> {
        if count >= self.segments.count() {
            self.roll(self.log_end_offset, context, effects);
        }
        let deletable = self.segments.sealed().iter().take(count);
        let deleted: Vec<Offset> = deletable.map(|segment| segment.base_offset()).collect();
        let Some(next) = self.segments.at(deleted.len()).filter(|_| !deleted.is_empty()).map(LogSegment::base_offset)
        else {
            return deleted;
        };
        self.maybe_increment_log_start_offset(next, effects).expect("only what is committed is deleted");
        self.segments.replace(&deleted, &[]);
        effects.write(DiskWrite::ReplaceSegments {
            partition: self.partition.clone(),
            removed: deleted.clone(),
            added: Vec::new(),
        });
        self.drop_snapshots_of(&deleted, effects);
        deleted
    }

    /// Puts `added`, which compaction made, in the place of the sealed segments with the base offsets `removed`.
    pub fn replace_segments(&mut self, removed: &[Offset], added: Vec<Arc<LogSegment>>, effects: &mut Effects) {
        self.segments.replace(removed, &added);
        let stays = |offset: &Offset| added.iter().any(|segment| segment.base_offset() == *offset);
        let gone: Vec<Offset> = removed.iter().filter(|offset| !stays(offset)).copied().collect();
        effects.write(DiskWrite::ReplaceSegments {
            partition: self.partition.clone(),
            removed: removed.to_vec(),
            added,
        });
        self.drop_snapshots_of(&gone, effects);
    }

    /// Notes up to where the log is compacted.
    pub(super) fn set_cleaner_offset(&mut self, offset: Offset, effects: &mut Effects) {
        self.cleaner_offset = Some(offset);
        effects.write(DiskWrite::CleanerOffsets(vec![(self.partition.clone(), offset)]));
    }

    fn drop_snapshots_of(&mut self, segments: &[Offset], effects: &mut Effects) {
        if self.producers.retain_snapshots(|offset| !segments.contains(&offset)) {
            self.write_producer_snapshots(effects);
        }
    }
}
