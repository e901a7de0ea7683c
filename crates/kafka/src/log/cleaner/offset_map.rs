//! The last offset of each key (`OffsetMap`). Kafka keeps 24 bytes for each in a buffer of a given size and compares keys
//! by their MD5; here the keys themselves are compared, and their number is limited.

use super::transactions::CleanedTransactions;
use crate::log::segment::LogSegment;
use std::collections::BTreeMap;
use wire::{Bytes, Offset, RecordBatch};

/// Keys with the offsets of their last records.
#[derive(Clone, Debug)]
pub(super) struct OffsetMap {
    most_keys: u64,
    offsets: BTreeMap<Bytes, Offset>,
    latest: Offset,
}

impl OffsetMap {
    /// An empty one with room for so many keys, for what comes from `from` on.
    pub(super) fn new(most_keys: u64, from: Offset) -> OffsetMap {
        OffsetMap { most_keys, offsets: BTreeMap::new(), latest: from + -1 }
    }

    /// The last offset of a key, if it is there.
    pub(super) fn get(&self, key: &Bytes) -> Option<Offset> {
        self.offsets.get(key).copied()
    }

    /// Up to which offset records have been looked at.
    pub(super) fn latest_offset(&self) -> Offset {
        self.latest
    }

    /// Takes the records of a segment from the first of the offsets on into account; the next segment begins at the
    /// second. Tells whether there was room for all of them. What was aborted does not count.
    pub(super) fn add_segment(
        &mut self,
        segment: &LogSegment,
        (from, end): (Offset, Offset),
        transactions: &mut CleanedTransactions,
    ) -> bool {
        for batch in segment.batches_from(segment.place_of(from)) {
            let is_discarded = transactions.is_discardable(batch);
            if !is_discarded && !self.add_batch(batch, from) {
                return false;
            }
            self.latest = batch.last_offset();
        }
        self.latest = end + -1;
        true
    }

    fn add_batch(&mut self, batch: &RecordBatch, from: Offset) -> bool {
        for record in batch.records() {
            let offset = batch.base_offset + i64::from(record.offset_delta);
            if let Some(key) = record.key.as_ref().filter(|_| offset >= from) {
                if self.offsets.len() as u64 >= self.most_keys {
                    return false;
                }
                self.offsets.insert(key.clone(), offset);
                self.latest = offset;
            }
        }
        true
    }
}
