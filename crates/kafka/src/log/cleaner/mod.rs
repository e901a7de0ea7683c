//! Compaction of one log (`kafka.log.Cleaner`): of each key only the last record stays, tombstones and the markers of
//! emptied transactions go once they have been seen long enough, offsets never change (KIP-58, KIP-534).
//!
//! Pure: reads a log and says what is to take the place of what. Which log comes next, and when, is the business of the
//! broker; what must not be touched yet is in `selection`.

mod filter;
mod grouping;
mod offset_map;
mod selection;
mod transactions;

pub use selection::LogToClean;

use super::partition_log::{LogContext, PartitionLog};
use super::segment::{LogSegment, SegmentSettings};
use crate::event::{BrokerEvent, EventKind};
use crate::node::Effects;
use filter::Filter;
use offset_map::OffsetMap;
use std::sync::Arc;
use transactions::CleanedTransactions;
use wire::{Offset, Timestamp};

/// What was read and what is left of it (`CleanerStats`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CleanerStats {
    /// Records that were looked at.
    pub records_read: u64,
    /// Those that stay.
    pub records_written: u64,
    /// Bytes of the batches that were read.
    pub bytes_read: u64,
    /// Bytes of those that stay.
    pub bytes_written: u64,
    /// Records without a key, which do not belong there and go.
    pub invalid_records_read: u64,
}

/// What compaction makes of a log.
#[derive(Clone, Debug)]
struct Cleaned {
    /// The base offsets of groups of segments, and what takes the place of each.
    replacements: Vec<(Vec<Offset>, Arc<LogSegment>)>,
    /// Up to where the log is compacted then.
    end_offset: Offset,
    stats: CleanerStats,
}

impl PartitionLog {
    /// Compacts the log. So many keys can be told apart at once; if there are more, the rest is left for another time.
    /// Returns what was read and written.
    pub fn compact(
        &mut self,
        to_clean: &LogToClean,
        most_keys: u64,
        context: &LogContext<'_>,
        effects: &mut Effects,
    ) -> CleanerStats {
        let Cleaned { replacements, end_offset, stats } = self.cleaned(to_clean, most_keys, context);
        for (removed, added) in replacements {
            self.replace_segments(&removed, vec![added], effects);
        }
        self.set_cleaner_offset(end_offset, effects);
        effects.note(EventKind::Broker(BrokerEvent::LogCompacted {
            partition: self.partition.clone(),
            from: to_clean.first_dirty_offset,
            to: end_offset,
            records: (stats.records_read, stats.records_written),
            bytes: (stats.bytes_read, stats.bytes_written),
        }));
        stats
    }

    /// Finds the last record of each key in the part that was not compacted before, and goes through the log from its
    /// first segment on.
    fn cleaned(&self, to_clean: &LogToClean, most_keys: u64, context: &LogContext<'_>) -> Cleaned {
        let mut stats = CleanerStats::default();
        let (from, to) = (to_clean.first_dirty_offset, to_clean.first_uncleanable_offset);
        let map = self.offset_map((from, to), most_keys);
        let end_offset = map.latest_offset().next();
        let segments: Vec<&LogSegment> = self.segments.between(Offset::ZERO, end_offset).collect();
        let groups = grouping::group_by_size(&segments, context.config, to);
        let (mut transactions, last_records) = (CleanedTransactions::default(), self.producers().clone());
        let mut filter = Filter {
            map: &map,
            transactions: &mut transactions,
            producers: &last_records,
            now: context.wall_time,
            delete_retention_ms: context.config.delete_retention_ms,
            stats: &mut stats,
        };
        let replacements = groups.iter().map(|group| self.clean_group(group, &mut filter)).collect();
        Cleaned { replacements, end_offset, stats }
    }

    /// The last offset of each key in `from..to`, until as many keys were found as can be told apart (`buildOffsetMap`).
    fn offset_map(&self, (from, to): (Offset, Offset), most_keys: u64) -> OffsetMap {
        let mut map = OffsetMap::new(most_keys, from);
        let mut transactions = CleanedTransactions::default();
        transactions.expect(self.collect_aborted(from, to));
        let segments: Vec<&LogSegment> = self.segments.between(from, to).collect();
        for (place, segment) in segments.iter().enumerate() {
            let end = segments.get(place + 1).map_or(to, |next| next.base_offset());
            if !map.add_segment(segment, (from, end), &mut transactions) {
                break;
            }
        }
        map
    }

    fn clean_group(&self, group: &[&LogSegment], filter: &mut Filter<'_>) -> (Vec<Offset>, Arc<LogSegment>) {
        let bases: Vec<Offset> = group.iter().map(|segment| segment.base_offset()).collect();
        let mut kept = Vec::new();
        for (place, segment) in group.iter().enumerate() {
            let end = bases.get(place + 1).copied().unwrap_or(segment.next_offset());
            filter.transactions.expect(self.collect_aborted(segment.base_offset(), end));
            kept.extend(segment.batches().filter_map(|batch| filter.retained(batch)));
        }
        let modified_at = group.last().map_or(Timestamp(0), |segment| segment.modified_at());
        let settings = SegmentSettings { created_at: modified_at, ..self.segments.active().settings() };
        let cleaned = LogSegment::of_batches(bases[0], settings, kept);
        let aborted = filter.transactions.take_observed();
        (bases, Arc::new(cleaned.with_aborted_transactions(aborted)))
    }
}
