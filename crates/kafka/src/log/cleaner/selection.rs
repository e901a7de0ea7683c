//! Whether a log is to be compacted, and from where to where (`LogCleanerManager`, `LogToClean`).

use crate::config::TopicConfig;
use crate::log::partition_log::{LogContext, PartitionLog};
use crate::log::segment::LogSegment;
use std::cmp::Ordering;
use wire::{Offset, Timestamp};

/// A log that compaction may be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogToClean {
    /// From here on it has not been compacted.
    pub first_dirty_offset: Offset,
    /// From this segment on it must not be yet.
    pub first_uncleanable_offset: Offset,
    /// Bytes of the segments that are compacted.
    pub clean_bytes: u64,
    /// Bytes of those that can be.
    pub cleanable_bytes: u64,
    /// Whether the oldest of these has waited for `max.compaction.lag.ms`.
    pub has_waited_long: bool,
}

impl LogToClean {
    /// Whether it is time, by `min.cleanable.dirty.ratio` and `max.compaction.lag.ms`.
    #[must_use]
    pub fn is_due(&self, config: &TopicConfig) -> bool {
        let total = self.clean_bytes + self.cleanable_bytes;
        let is_dirty = total > 0 && config.min_cleanable_dirty_ratio.is_exceeded_by(self.cleanable_bytes, total);
        is_dirty || self.has_waited_long && self.cleanable_bytes > 0
    }

    /// Which of two has the larger share of bytes that can be compacted.
    #[must_use]
    pub fn compare_dirtiness(&self, other: &LogToClean) -> Ordering {
        let product = |one: &LogToClean, all: &LogToClean| {
            u128::from(one.cleanable_bytes) * u128::from(all.clean_bytes + all.cleanable_bytes)
        };
        product(self, other).cmp(&product(other, self))
    }
}

impl PartitionLog {
    /// From where to where the log could be compacted. The upper end is the last stable offset, the active segment, or the
    /// first segment with records younger than `min.compaction.lag.ms`, whichever comes first; only whole segments count.
    #[must_use]
    pub fn log_to_clean(&self, context: &LogContext<'_>) -> LogToClean {
        let first_dirty_offset = self.first_dirty_offset();
        let uncleanable = self.first_uncleanable_offset(first_dirty_offset, context);
        let first_uncleanable_offset = self.segment_base(uncleanable);
        let clean = self.segments.between(Offset(-1), first_dirty_offset);
        let cleanable = self.segments.between(first_dirty_offset, first_uncleanable_offset);
        LogToClean {
            first_dirty_offset,
            first_uncleanable_offset,
            clean_bytes: size_of(clean),
            cleanable_bytes: size_of(cleanable),
            has_waited_long: self.has_waited_long(first_dirty_offset, context),
        }
    }

    /// The checkpoint, or the start of the log if it lies outside the log by now. (Kafka writes that down at once, here the
    /// next checkpoint does.)
    fn first_dirty_offset(&self) -> Offset {
        let checkpoint = self.cleaner_offset.unwrap_or(self.log_start_offset);
        let is_inside = (self.log_start_offset..=self.log_end_offset).contains(&checkpoint);
        if is_inside { checkpoint } else { self.log_start_offset }
    }

    pub(super) fn first_uncleanable_offset(&self, first_dirty_offset: Offset, context: &LogContext<'_>) -> Offset {
        let lag_ms = context.config.min_compaction_lag_ms;
        let is_young = |segment: &&LogSegment| segment.largest_timestamp().0 > context.wall_time.0 - lag_ms;
        let young = self.sealed_from(first_dirty_offset).find(|segment| lag_ms > 0 && is_young(segment));
        let bound = self.last_stable_offset().min(self.segments.active().base_offset());
        young.map_or(bound, |segment| bound.min(segment.base_offset())).max(first_dirty_offset)
    }

    /// Where the segment begins that has `offset`.
    fn segment_base(&self, offset: Offset) -> Offset {
        let segment = self.sealed_from(offset).next().unwrap_or(self.segments.active());
        segment.base_offset()
    }

    /// The segments from the one that contains `offset` on, without the active one.
    fn sealed_from(&self, offset: Offset) -> impl Iterator<Item = &LogSegment> {
        self.segments.between(offset, self.segments.active().base_offset())
    }

    fn has_waited_long(&self, first_dirty_offset: Offset, context: &LogContext<'_>) -> bool {
        let timestamps = self.sealed_from(first_dirty_offset).filter_map(LogSegment::first_batch_timestamp);
        let earliest = timestamps.filter(|timestamp| *timestamp > Timestamp(0)).min();
        earliest.is_some_and(|earliest| {
            earliest.0 < context.wall_time.0.saturating_sub(context.config.max_compaction_lag_ms)
        })
    }
}

fn size_of<'a>(segments: impl Iterator<Item = &'a LogSegment>) -> u64 {
    segments.map(|segment| u64::from(segment.size_in_bytes().unsigned_abs())).sum()
}
