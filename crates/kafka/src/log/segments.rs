//! The segments of one log in order, and their batches as one sequence (`LogSegments`).
//!
//! Sealed segments are shared: a log, the disk beside it and whoever looks at it have the same ones. A clone copies a few
//! pointers and the short tail of the active segment.

use super::segment::{LogSegment, SegmentSettings};
use crate::chunks::Chunks;
use std::sync::Arc;
use wire::{Offset, RecordBatch};

/// One or more segments, ascending by base offset.
#[derive(Clone, Debug)]
pub struct Segments {
    sealed: Chunks<Arc<LogSegment>>,
    sealed_batches: usize,
    sealed_bytes: i64,
    active: LogSegment,
}

impl Segments {
    /// One segment, which is written to.
    #[must_use]
    pub fn new(active: LogSegment) -> Segments {
        Segments { sealed: Chunks::new(), sealed_batches: 0, sealed_bytes: 0, active }
    }

    /// One segment with these batches, which are in offset order, and without indexes.
    #[must_use]
    pub fn of_batches(base_offset: Offset, batches: impl IntoIterator<Item = Arc<RecordBatch>>) -> Segments {
        Segments::new(LogSegment::of_batches(base_offset, SegmentSettings::WITHOUT_INDEX, batches))
    }

    /// The segments that are full.
    #[must_use]
    pub fn sealed(&self) -> &Chunks<Arc<LogSegment>> {
        &self.sealed
    }

    /// The last one, which is written to.
    #[must_use]
    pub fn active(&self) -> &LogSegment {
        &self.active
    }

    /// The same, to write to.
    pub fn active_mut(&mut self) -> &mut LogSegment {
        &mut self.active
    }

    /// How many segments there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sealed.len() + 1
    }

    /// The segment at `place`.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<&LogSegment> {
        if place == self.sealed.len() { Some(&self.active) } else { self.sealed.get(place).map(|segment| &**segment) }
    }

    /// All segments, in order.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &LogSegment> {
        self.sealed.iter().map(|segment| &**segment).chain(std::iter::once(&self.active))
    }

    /// The segments from `place` on.
    pub fn segments_from(&self, place: usize) -> impl Iterator<Item = &LogSegment> {
        (place..self.count()).map_while(|place| self.at(place))
    }

    /// The segments from the one that contains `from` up to those that begin below `to` (`LogSegments.values`).
    pub fn between(&self, from: Offset, to: Offset) -> impl Iterator<Item = &LogSegment> {
        let first = if from < to { self.floor(from).unwrap_or(0) } else { self.count() };
        self.segments_from(first).take_while(move |segment| segment.base_offset() < to)
    }

    /// Where the first segment begins.
    #[must_use]
    pub fn base_offset(&self) -> Offset {
        self.sealed.get(0).map_or(self.active.base_offset(), |segment| segment.base_offset())
    }

    /// Behind the last record of all.
    #[must_use]
    pub fn end_offset(&self) -> Offset {
        self.active.next_offset()
    }

    /// The place of the segment in which `offset` is to be looked for first; `None` below all of them.
    #[must_use]
    pub fn floor(&self, offset: Offset) -> Option<usize> {
        if self.active.base_offset() <= offset {
            return Some(self.sealed.len());
        }
        self.sealed.partition_point(|segment| segment.base_offset() <= offset).checked_sub(1)
    }

    /// Bytes of all batches.
    #[must_use]
    pub fn size_in_bytes(&self) -> i64 {
        self.sealed_bytes + i64::from(self.active.size_in_bytes())
    }

    /// How many batches there are in all segments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sealed_batches + self.active.len()
    }

    /// Whether there are no batches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The batch that comes after `index` others. Quickest near the end.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Arc<RecordBatch>> {
        match index.checked_sub(self.sealed_batches) {
            Some(place) => self.active.get(place),
            None => self.iter_from(index).next(),
        }
    }

    /// How many batches from the first on are before what is sought, given that no batch behind one that is not is before
    /// it either. Quickest near the end.
    pub fn partition_point(&self, is_before: impl Fn(&Arc<RecordBatch>) -> bool) -> usize {
        if self.active.get(0).is_some_and(&is_before) {
            return self.sealed_batches + self.active.partition_point(is_before);
        }
        let begins_before = |place: &usize| self.at(*place).and_then(|segment| segment.get(0)).is_some_and(&is_before);
        let Some(last) = (0..self.sealed.len()).rev().find(begins_before) else { return 0 };
        let skipped: usize = self.sealed.iter().take(last).map(|segment| segment.len()).sum();
        skipped + self.sealed.get(last).map_or(0, |segment| segment.partition_point(is_before))
    }

    /// All batches, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<RecordBatch>> {
        self.segments().flat_map(LogSegment::batches)
    }

    /// The batches from the one on that comes after `index` others.
    pub fn iter_from(&self, index: usize) -> impl Iterator<Item = &Arc<RecordBatch>> {
        let (mut place, mut rest) = (0, index);
        while let Some(segment) = self.sealed.get(place).filter(|segment| segment.len() <= rest) {
            (place, rest) = (place + 1, rest - segment.len());
        }
        let first = self.at(place).into_iter().flat_map(move |segment| segment.batches_from(rest));
        first.chain(self.segments_from(place + 1).flat_map(LogSegment::batches))
    }

    /// The batches from the one on that contains `offset` or is the first above it.
    pub fn batches_from(&self, offset: Offset) -> impl Iterator<Item = &Arc<RecordBatch>> {
        let first = self.floor(offset).unwrap_or(0);
        let place = self.at(first).map_or(0, |segment| segment.place_of(offset));
        let in_first = self.at(first).into_iter().flat_map(move |segment| segment.batches_from(place));
        in_first.chain(self.segments_from(first + 1).flat_map(LogSegment::batches))
    }

    /// The last batch.
    #[must_use]
    pub fn last(&self) -> Option<&Arc<RecordBatch>> {
        self.iter().next_back()
    }

    /// Seals the active segment and goes on with `next`. Returns the sealed one.
    pub fn roll(&mut self, next: LogSegment) -> Arc<LogSegment> {
        let sealed = Arc::new(std::mem::replace(&mut self.active, next));
        self.push_sealed(sealed.clone());
        sealed
    }

    /// Takes `sealed` for the active segment, which has the same batches, and goes on with `next`.
    pub fn roll_as(&mut self, sealed: Arc<LogSegment>, next: LogSegment) {
        self.push_sealed(sealed);
        self.active = next;
    }

    fn push_sealed(&mut self, sealed: Arc<LogSegment>) {
        self.sealed_batches += sealed.len();
        self.sealed_bytes += i64::from(sealed.size_in_bytes());
        self.sealed.push(sealed);
    }

    /// Drops every batch that reaches `offset` or lies above it, and the segments that begin above it. `offset` must not
    /// lie below the first segment.
    pub fn truncate_to(&mut self, offset: Offset) {
        let place = self.floor(offset).expect("a truncation below the first segment starts the log anew");
        if let Some(last) = self.sealed.get(place).cloned() {
            self.active = LogSegment::clone(&last);
            self.set_sealed(self.sealed.iter().take(place).cloned().collect());
        }
        self.active.truncate_to(offset);
    }

    /// Removes the sealed segments with these base offsets and puts `added` in their place.
    pub fn replace(&mut self, removed: &[Offset], added: &[Arc<LogSegment>]) {
        let stays = |segment: &&Arc<LogSegment>| !removed.contains(&segment.base_offset());
        let mut sealed: Vec<_> = self.sealed.iter().filter(stays).chain(added).cloned().collect();
        sealed.sort_by_key(|segment| segment.base_offset());
        self.set_sealed(sealed);
    }

    fn set_sealed(&mut self, sealed: Vec<Arc<LogSegment>>) {
        (self.sealed, self.sealed_batches, self.sealed_bytes) = (Chunks::new(), 0, 0);
        sealed.into_iter().for_each(|segment| self.push_sealed(segment));
    }
}
