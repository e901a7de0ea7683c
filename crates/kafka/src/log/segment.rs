//! One segment of a log: a run of batches with its sparse indexes (`LogSegment`, `OffsetIndex`, `TimeIndex`,
//! `TransactionIndex`).
//!
//! Batches are found by binary search; the index entries are kept because they say when a segment is full, where a
//! search by time begins and how far the list of aborted transactions of a fetch reaches. Files are not modelled.

use super::producers::CompletedTransaction;
use crate::chunks::Chunks;
use std::sync::Arc;
use wire::{Offset, ProducerId, RecordBatch, Timestamp};

/// Bytes of an entry of the offset index.
const OFFSET_ENTRY_BYTES: i32 = 8;

/// Bytes of an entry of the time index.
const TIME_ENTRY_BYTES: i32 = 12;

/// What does not change while a segment is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentSettings {
    /// `index.interval.bytes`.
    pub index_interval_bytes: i32,
    /// When the segment was made, by the broker's clock.
    pub created_at: Timestamp,
    /// How much earlier than `segment.ms` it rolls (`segment.jitter.ms`).
    pub roll_jitter_ms: i64,
}

/// An entry of the sparse indexes: the offset index has one for each, the time index where the timestamp has grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The last offset of a batch.
    pub offset: Offset,
    /// Where in the segment that batch begins, in bytes.
    pub position: i32,
    /// The largest timestamp up to there, and where it is.
    pub largest: TimestampOffset,
}

/// A timestamp and the last offset of the batch that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampOffset {
    /// The timestamp, -1 for none.
    pub timestamp: Timestamp,
    /// The offset.
    pub offset: Offset,
}

/// A transaction that was aborted (`AbortedTxn`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Whose it was.
    pub producer_id: ProducerId,
    /// Where it began in this partition.
    pub first_offset: Offset,
    /// The offset of its marker.
    pub last_offset: Offset,
    /// The last stable offset when the marker was written.
    pub last_stable_offset: Offset,
}

/// What an append would do to a segment, and the limits (`RollParams`).
#[derive(Clone, Copy, Debug)]
pub struct RollParams {
    /// `segment.bytes`.
    pub segment_bytes: i32,
    /// `segment.ms`.
    pub segment_ms: i64,
    /// `segment.index.bytes`.
    pub segment_index_bytes: i32,
    /// The largest timestamp of what is appended.
    pub max_timestamp: Timestamp,
    /// Its last offset.
    pub last_offset: Offset,
    /// Its size.
    pub size_in_bytes: i32,
    /// The broker's clock.
    pub wall_time: Timestamp,
}

#[derive(Clone, Debug)]
struct Placed {
    batch: Arc<RecordBatch>,
    end_position: i32,
}

/// A segment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LogSegment {
    base_offset: Offset,
    settings: SegmentSettings,
    batches: Chunks<Placed>,
    index: Chunks<IndexEntry>,
    time_entries: i32,
    bytes_since_last_index_entry: i32,
    largest: TimestampOffset,
    modified_at: Timestamp,
    /// Everything was cut off: it counts as made when it is written to again.
    was_emptied: bool,
    aborted: Arc<Vec<AbortedTransaction>>,
}

impl SegmentSettings {
    /// Of a segment that is kept for its batches only: it gets no index entries.
    pub const WITHOUT_INDEX: SegmentSettings =
        SegmentSettings { index_interval_bytes: i32::MAX, created_at: Timestamp(0), roll_jitter_ms: 0 };
}

impl LogSegment {
    /// An empty segment.
    #[must_use]
    pub fn new(base_offset: Offset, settings: SegmentSettings) -> LogSegment {
        LogSegment {
            base_offset,
            settings,
            batches: Chunks::new(),
            index: Chunks::new(),
            time_entries: 0,
            bytes_since_last_index_entry: 0,
            largest: TimestampOffset { timestamp: Timestamp(-1), offset: base_offset },
            modified_at: settings.created_at,
            was_emptied: false,
            aborted: Arc::default(),
        }
    }

    /// A segment of these batches, which are in offset order.
    #[must_use]
    pub fn of_batches(
        base_offset: Offset,
        settings: SegmentSettings,
        batches: impl IntoIterator<Item = Arc<RecordBatch>>,
    ) -> LogSegment {
        let mut segment = LogSegment::new(base_offset, settings);
        batches.into_iter().for_each(|batch| segment.append(batch, settings.created_at));
        segment
    }

    /// The same segment with these aborted transactions, which compaction has kept.
    #[must_use]
    pub fn with_aborted_transactions(self, aborted: Vec<AbortedTransaction>) -> LogSegment {
        LogSegment { aborted: Arc::new(aborted), ..self }
    }

    /// An empty one in the place of this one, which was cut off wholly.
    #[must_use]
    pub fn emptied_at(&self, base_offset: Offset) -> LogSegment {
        LogSegment { was_emptied: true, ..LogSegment::new(base_offset, self.settings) }
    }

    /// The name of its files: the offset from which on it holds records.
    #[must_use]
    pub fn base_offset(&self) -> Offset {
        self.base_offset
    }

    /// What it was made with.
    #[must_use]
    pub fn settings(&self) -> SegmentSettings {
        self.settings
    }

    /// Bytes of its batches.
    #[must_use]
    pub fn size_in_bytes(&self) -> i32 {
        self.batches.last().map_or(0, |placed| placed.end_position)
    }

    /// How many batches it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batches.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// The batch at `place`.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&Arc<RecordBatch>> {
        self.batches.get(place).map(|placed| &placed.batch)
    }

    /// Its batches, in order.
    pub fn batches(&self) -> impl DoubleEndedIterator<Item = &Arc<RecordBatch>> {
        self.batches.iter().map(|placed| &placed.batch)
    }

    /// The batches from `place` on.
    pub fn batches_from(&self, place: usize) -> impl Iterator<Item = &Arc<RecordBatch>> {
        self.batches.iter_from(place).map(|placed| &placed.batch)
    }

    /// The place of the first batch that contains `offset` or lies above it.
    #[must_use]
    pub fn place_of(&self, offset: Offset) -> usize {
        self.batches.partition_point(|placed| placed.batch.last_offset() < offset)
    }

    /// How many batches from the first on are before what is sought, given that no batch behind one that is not is before
    /// it either.
    pub fn partition_point(&self, is_before: impl Fn(&Arc<RecordBatch>) -> bool) -> usize {
        self.batches.partition_point(|placed| is_before(&placed.batch))
    }

    /// Where the batch at `place` begins, in bytes.
    #[must_use]
    pub fn position_at(&self, place: usize) -> i32 {
        let before = place.checked_sub(1).and_then(|before| self.batches.get(before));
        before.map_or(0, |placed| placed.end_position)
    }

    /// The offset behind its last record (`readNextOffset`).
    #[must_use]
    pub fn next_offset(&self) -> Offset {
        self.batches.last().map_or(self.base_offset, |placed| placed.batch.last_offset().next())
    }

    /// The entries of the sparse indexes.
    #[must_use]
    pub fn index(&self) -> &Chunks<IndexEntry> {
        &self.index
    }

    /// How many of them are in the time index.
    #[must_use]
    pub fn time_entries(&self) -> i32 {
        self.time_entries
    }

    /// Bytes of the offset index and of the time index.
    #[must_use]
    pub fn index_sizes_in_bytes(&self) -> (i64, i64) {
        let offset_index = self.index.len() as i64 * i64::from(OFFSET_ENTRY_BYTES);
        (offset_index, i64::from(self.time_entries) * i64::from(TIME_ENTRY_BYTES))
    }

    /// The aborted transactions whose markers it has (`.txnindex`).
    #[must_use]
    pub fn aborted_transactions(&self) -> &[AbortedTransaction] {
        &self.aborted
    }

    /// The largest timestamp of a record and the last offset of the first batch with it; -1 when there is none.
    #[must_use]
    pub fn largest(&self) -> TimestampOffset {
        self.largest
    }

    /// When it was last written to.
    #[must_use]
    pub fn modified_at(&self) -> Timestamp {
        self.modified_at
    }

    /// What retention by time goes by: the largest timestamp of a record, or when the segment was last written to.
    #[must_use]
    pub fn largest_timestamp(&self) -> Timestamp {
        if self.largest.timestamp >= Timestamp(0) { self.largest.timestamp } else { self.modified_at }
    }

    /// The largest timestamp of its first batch, from which the time until it rolls is counted; `None` without one.
    #[must_use]
    pub fn first_batch_timestamp(&self) -> Option<Timestamp> {
        self.get(0).map(|batch| batch.max_timestamp).filter(|timestamp| *timestamp >= Timestamp(0))
    }

    /// Whether a new segment must begin before the append.
    #[must_use]
    pub fn should_roll(&self, params: &RollParams) -> bool {
        let is_too_big = self.size_in_bytes() > params.segment_bytes - params.size_in_bytes;
        let is_too_old =
            !self.is_empty() && self.waited_ms(params) > params.segment_ms.saturating_sub(self.settings.roll_jitter_ms);
        let is_too_wide = params.last_offset - self.base_offset > i64::from(i32::MAX);
        is_too_big || is_too_old || self.is_index_full(params.segment_index_bytes) || is_too_wide
    }

    fn waited_ms(&self, params: &RollParams) -> i64 {
        match self.first_batch_timestamp() {
            Some(first) => params.max_timestamp.0.saturating_sub(first.0),
            None => params.wall_time.0 - self.settings.created_at.0,
        }
    }

    fn is_index_full(&self, segment_index_bytes: i32) -> bool {
        self.index.len() as i64 >= i64::from(segment_index_bytes / OFFSET_ENTRY_BYTES)
            || self.time_entries >= segment_index_bytes / TIME_ENTRY_BYTES - 1
    }

    /// Adds a batch behind all others.
    pub fn append(&mut self, batch: Arc<RecordBatch>, wall_time: Timestamp) {
        self.append_together(std::slice::from_ref(&batch), wall_time);
    }

    /// Adds batches that came together: the indexes get one entry for all of them, if they get any.
    pub fn append_together(&mut self, batches: &[Arc<RecordBatch>], wall_time: Timestamp) {
        let Some(last) = batches.last() else { return };
        let position = self.size_in_bytes();
        if std::mem::take(&mut self.was_emptied) {
            self.settings.created_at = wall_time;
        }
        for batch in batches {
            if batch.max_timestamp > self.largest.timestamp {
                self.largest = TimestampOffset { timestamp: batch.max_timestamp, offset: batch.last_offset() };
            }
        }
        if self.bytes_since_last_index_entry > self.settings.index_interval_bytes {
            self.append_index_entry(last.last_offset(), position);
            self.bytes_since_last_index_entry = 0;
        }
        let mut end_position = position;
        for batch in batches {
            end_position += batch.size_in_bytes();
            self.batches.push(Placed { batch: batch.clone(), end_position });
        }
        self.bytes_since_last_index_entry = self.bytes_since_last_index_entry.saturating_add(end_position - position);
        self.modified_at = wall_time;
    }

    fn append_index_entry(&mut self, offset: Offset, position: i32) {
        let last = self.index.last().map_or(Timestamp(-1), |entry| entry.largest.timestamp);
        self.time_entries += i32::from(self.largest.timestamp > last);
        self.index.push(IndexEntry { offset, position, largest: self.largest });
    }

    /// Notes how a transaction ended whose marker was just appended. Only aborted ones are kept.
    pub fn append_completed(&mut self, completed: &CompletedTransaction, last_stable_offset: Offset) {
        if completed.is_aborted {
            Arc::make_mut(&mut self.aborted).push(AbortedTransaction {
                producer_id: completed.producer_id,
                first_offset: completed.first_offset,
                last_offset: completed.last_offset,
                last_stable_offset,
            });
        }
    }

    /// Drops every batch that reaches `offset` or lies above it.
    pub fn truncate_to(&mut self, offset: Offset) {
        self.batches.truncate(self.place_of(offset));
        self.index.truncate(self.index.partition_point(|entry| entry.offset < offset));
        self.bytes_since_last_index_entry = 0;
        self.was_emptied = self.is_empty();
        self.recount_timestamps();
        if self.aborted.last().is_some_and(|aborted| aborted.last_offset >= offset) {
            Arc::make_mut(&mut self.aborted).retain(|aborted| aborted.last_offset < offset);
        }
    }

    fn recount_timestamps(&mut self) {
        let nothing = TimestampOffset { timestamp: Timestamp(-1), offset: self.base_offset };
        let known = self.index.last().copied();
        let mut largest = known.map_or(nothing, |entry| entry.largest);
        let rest = known.map_or(0, |entry| self.place_of(entry.offset));
        for batch in self.batches_from(rest).filter(|batch| batch.max_timestamp >= Timestamp(0)) {
            if batch.max_timestamp > largest.timestamp {
                largest = TimestampOffset { timestamp: batch.max_timestamp, offset: batch.last_offset() };
            }
        }
        let mut last = Timestamp(-1);
        let grown = self.index.iter().filter(|entry| {
            let has_grown = entry.largest.timestamp > last;
            last = last.max(entry.largest.timestamp);
            has_grown
        });
        self.time_entries = grown.count() as i32;
        self.largest = largest;
    }

    /// The place from which on to look for `timestamp`: no batch before has one as large, by the time index.
    #[must_use]
    pub fn place_to_search_from(&self, timestamp: Timestamp) -> usize {
        let below = self.index.partition_point(|entry| entry.largest.timestamp <= timestamp);
        let entry = below.checked_sub(1).and_then(|last| self.index.get(last));
        entry.map_or(0, |entry| self.place_of(entry.largest.offset))
    }

    /// The offset of the first index entry at or behind `position`, if there is one (`fetchUpperBoundOffset`).
    #[must_use]
    pub fn indexed_offset_at(&self, position: i32) -> Option<Offset> {
        let before = self.index.partition_point(|entry| entry.position < position);
        self.index.get(before).map(|entry| entry.offset)
    }
}
