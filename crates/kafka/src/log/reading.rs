//! Reading: batches from an offset on, offsets by their meaning or time, and which transactions to skip.

use super::partition_log::PartitionLog;
use super::segment::{self, LogSegment};
use std::sync::Arc;
use wire::request::OffsetSpec;
use wire::response::AbortedTransaction;
use wire::{BatchBody, ErrorCode, LeaderEpoch, Offset, RecordBatch, Timestamp};

/// How much to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimit {
    /// At most so many bytes.
    pub max_bytes: i32,
    /// The first batch may be larger than `max_bytes`, so that a reader always gets on (KIP-74).
    pub at_least_one_batch: bool,
}

/// What was read (`FetchDataInfo`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogRead {
    /// Whole batches of one segment, in order. The first may begin below the offset asked for.
    pub batches: Vec<Arc<RecordBatch>>,
    /// Their bytes.
    pub size_in_bytes: i32,
    /// Up to which offset transactions that were aborted may concern the batches.
    upper_bound_offset: Option<Offset>,
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

impl PartitionLog {
    /// Whole batches from the one that contains `start` on, all of them below `upper_bound`. They come from one segment; if
    /// the segment in which `start` lies has nothing from there on, from the next.
    ///
    /// # Errors
    /// `OFFSET_OUT_OF_RANGE` when `start` lies below the log start offset or beyond the log end offset.
    pub fn read(&self, start: Offset, upper_bound: Offset, limit: ReadLimit) -> Result<LogRead, ErrorCode> {
        if start < self.log_start_offset || start > self.log_end_offset {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        let Some((place, segment)) = self.segment_to_read(start).filter(|_| start < upper_bound) else {
            return Ok(LogRead::default());
        };
        let mut read = LogRead::default();
        let first = segment.place_of(start);
        for batch in segment.batches_from(first) {
            let fits = batch.size_in_bytes() <= limit.max_bytes.saturating_sub(read.size_in_bytes);
            let is_owed = limit.at_least_one_batch && read.batches.is_empty();
            if batch.last_offset() >= upper_bound || !(fits || is_owed) {
                break;
            }
            read.size_in_bytes += batch.size_in_bytes();
            read.batches.push(batch.clone());
        }
        let end_position = segment.position_at(first) + read.size_in_bytes;
        let next_segment = || self.segments.at(place + 1).map_or(self.log_end_offset, LogSegment::base_offset);
        read.upper_bound_offset = Some(segment.indexed_offset_at(end_position).unwrap_or_else(next_segment));
        Ok(read)
    }

    /// The first segment that has a batch at `start` or above: compaction leaves segments without any.
    fn segment_to_read(&self, start: Offset) -> Option<(usize, &LogSegment)> {
        let first = self.segments.floor(start)?;
        let mut segments = self.segments.segments_from(first).enumerate();
        let has_some = |segment: &LogSegment| segment.next_offset() > start.max(segment.base_offset());
        let (later, segment) = segments.find(|(_, segment)| has_some(segment))?;
        Some((first + later, segment))
    }

    /// The aborted transactions that a `read_committed` consumer must know to read `read`, which was read from `start` on.
    #[must_use]
    pub fn aborted_transactions(&self, start: Offset, read: &LogRead) -> Vec<AbortedTransaction> {
        let Some(upper_bound) = read.upper_bound_offset else { return Vec::new() };
        let found = self.collect_aborted(start, upper_bound);
        found
            .iter()
            .map(|aborted| AbortedTransaction { producer_id: aborted.producer_id, first_offset: aborted.first_offset })
            .collect()
    }

    /// The aborted transactions that overlap `start..upper_bound` (`collectAbortedTransactions`).
    pub(super) fn collect_aborted(&self, start: Offset, upper_bound: Offset) -> Vec<segment::AbortedTransaction> {
        let mut found = Vec::new();
        let first = self.segments.floor(start).unwrap_or(0);
        for aborted in self.segments.segments_from(first).flat_map(LogSegment::aborted_transactions) {
            if aborted.last_offset >= start && aborted.first_offset < upper_bound {
                found.push(*aborted);
            }
            if aborted.last_stable_offset >= upper_bound {
                break;
            }
        }
        found
    }

    /// Bytes of the batches that contain offsets from `start` up to, not including, `end`.
    #[must_use]
    pub fn bytes_between(&self, start: Offset, end: Offset) -> i64 {
        if start >= end {
            return 0;
        }
        let (Some(first), Some(last)) = (self.segments.floor(start), self.segments.floor(end)) else { return 0 };
        let position = |place: usize, offset: Offset| {
            let segment = self.segments.at(place).expect("the floor of an offset is a segment");
            i64::from(segment.position_at(segment.place_of(offset)))
        };
        let between = self.segments.segments_from(first).take(last - first);
        let skipped: i64 = between.map(|segment| i64::from(segment.size_in_bytes())).sum();
        skipped + position(last, end) - position(first, start)
    }

    /// Whether `start` lies in an older segment than `end`: no fetch from `start` would reach so far
    /// (`LogOffsetMetadata.onOlderSegment`).
    #[must_use]
    pub fn is_on_older_segment(&self, start: Offset, end: Offset) -> bool {
        self.segments.floor(start) < self.segments.floor(end)
    }

    /// What `spec` asks for; `Latest` is the log end offset. `None` when no record matches.
    #[must_use]
    pub fn find_offset(&self, spec: OffsetSpec) -> Option<FoundOffset> {
        let place = |offset, leader_epoch| Some(FoundOffset { timestamp: Timestamp(-1), offset, leader_epoch });
        match spec {
            OffsetSpec::Earliest | OffsetSpec::EarliestLocal => place(self.log_start_offset, self.earliest_epoch()),
            OffsetSpec::Latest => place(self.log_end_offset, self.latest_epoch()),
            OffsetSpec::LatestTiered => place(Offset(-1), LeaderEpoch::NONE),
            OffsetSpec::MaxTimestamp => self.find_max_timestamp(),
            OffsetSpec::At(timestamp) => self.find_by_time(timestamp),
        }
    }

    fn earliest_epoch(&self) -> LeaderEpoch {
        self.leader_epochs.epoch_for_offset(self.log_start_offset)
    }

    /// The first record with the largest timestamp, in the first segment that has it.
    fn find_max_timestamp(&self) -> Option<FoundOffset> {
        let largest = self.segments.segments().map(|segment| segment.largest().timestamp).max()?;
        let segment = self.segments.segments().find(|segment| segment.largest().timestamp == largest)?;
        let mut batches = segment.batches_from(segment.place_of(segment.largest().offset));
        first_record_at_or_after(batches.find(|batch| batch.max_timestamp == largest)?, largest, Offset::ZERO)
    }

    /// The first record at or after `timestamp`, in the first segment that reaches so far.
    fn find_by_time(&self, timestamp: Timestamp) -> Option<FoundOffset> {
        let segment = self.segments.segments().find(|segment| segment.largest_timestamp() >= timestamp)?;
        let place = segment.place_to_search_from(timestamp).max(segment.place_of(self.log_start_offset));
        let mut batches = segment.batches_from(place).filter(|batch| batch.max_timestamp >= timestamp);
        batches.find_map(|batch| first_record_at_or_after(batch, timestamp, self.log_start_offset))
    }
}

fn first_record_at_or_after(batch: &RecordBatch, timestamp: Timestamp, start: Offset) -> Option<FoundOffset> {
    let found = |timestamp, offset| FoundOffset { timestamp, offset, leader_epoch: batch.partition_leader_epoch };
    let is_match = |found: &FoundOffset| found.timestamp >= timestamp && found.offset >= start;
    match &batch.body {
        BatchBody::Records(records) => records
            .iter()
            .map(|record| found(batch.timestamp_of(record), batch.base_offset + i64::from(record.offset_delta)))
            .find(is_match),
        BatchBody::EndTransaction(_)
        | BatchBody::LeaderChange(_)
        | BatchBody::SnapshotHeader { .. }
        | BatchBody::SnapshotFooter
        | BatchBody::Metadata(_) => Some(found(batch.max_timestamp, batch.base_offset)).filter(is_match),
        BatchBody::EmptyControl => None,
    }
}
