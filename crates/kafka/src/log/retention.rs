//! Which old segments a log gives up (`UnifiedLog.deleteOldSegments`): those below its start, those beyond
//! `retention.bytes`, those older than `retention.ms`. Nothing above the high watermark goes. Leaders and followers do
//! this each by themselves.

use super::partition_log::{LogContext, PartitionLog};
use super::segment::LogSegment;
use crate::event::{BrokerEvent, DeletionReason, EventKind};
use crate::node::Effects;
use wire::Offset;

impl PartitionLog {
    /// Deletes what the topic's configuration does not keep, and tells how many segments those were. What lies below the
    /// log start offset goes in any case, the rest only if `cleanup.policy` has `delete`.
    pub fn delete_old_segments(&mut self, context: &LogContext<'_>, effects: &mut Effects) -> usize {
        let below_start = self.delete_below_start(context, effects);
        if !context.config.cleanup_policy.deletes() {
            return below_start;
        }
        below_start + self.delete_beyond_size(context, effects) + self.delete_beyond_time(context, effects)
    }

    fn delete_below_start(&mut self, context: &LogContext<'_>, effects: &mut Effects) -> usize {
        let start = self.log_start_offset;
        let count = self.deletable(|_, next| next.is_some_and(|next| next <= start));
        self.delete_because(DeletionReason::LogStartOffset, count, context, effects)
    }

    fn delete_beyond_size(&mut self, context: &LogContext<'_>, effects: &mut Effects) -> usize {
        let retention_bytes = context.config.retention_bytes;
        if retention_bytes < 0 {
            return 0;
        }
        let mut excess = self.size_in_bytes() - retention_bytes;
        let count = self.deletable(|segment, _| {
            excess -= i64::from(segment.size_in_bytes());
            excess >= 0
        });
        self.delete_because(DeletionReason::Size { retention_bytes }, count, context, effects)
    }

    fn delete_beyond_time(&mut self, context: &LogContext<'_>, effects: &mut Effects) -> usize {
        let retention_ms = context.config.retention_ms;
        if retention_ms < 0 {
            return 0;
        }
        let is_too_old =
            |segment: &LogSegment| context.wall_time.0.saturating_sub(segment.largest_timestamp().0) > retention_ms;
        let count = self.deletable(|segment, _| is_too_old(segment));
        self.delete_because(DeletionReason::Time { retention_ms }, count, context, effects)
    }

    /// How many segments from the oldest on are due, by themselves and where the next begins. The first that is not ends
    /// it; so does one with records that are not committed, and an empty active one.
    fn deletable(&self, mut is_due: impl FnMut(&LogSegment, Option<Offset>) -> bool) -> usize {
        let next_bases = self.segments.segments().skip(1).map(|segment| Some(segment.base_offset()));
        let with_next = self.segments.segments().zip(next_bases.chain(std::iter::once(None)));
        let due = with_next.take_while(|(segment, next)| {
            let is_last_and_empty = next.is_none() && segment.is_empty();
            self.high_watermark >= next.unwrap_or(self.log_end_offset) && is_due(segment, *next) && !is_last_and_empty
        });
        due.count()
    }

    fn delete_because(
        &mut self,
        reason: DeletionReason,
        count: usize,
        context: &LogContext<'_>,
        effects: &mut Effects,
    ) -> usize {
        if count > 0 {
            let segments = self.delete_segments(count, context, effects).len() as u32;
            let (partition, log_start_offset) = (self.partition.clone(), self.log_start_offset);
            let event = BrokerEvent::SegmentsDeleted { partition, segments, log_start_offset, reason };
            effects.note(EventKind::Broker(event));
        }
        count
    }
}
