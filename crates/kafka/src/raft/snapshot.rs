//! Snapshots of the metadata log (KIP-630): the records that say what all records below an offset add up to, between a
//! header and a footer. Does not know what the records mean (see `metadata`).

use crate::metadata::message::metadata_batch;
use std::sync::Arc;
use wire::{LeaderEpoch, MetadataRecord, Offset, OffsetAndEpoch, RecordBatch, Timestamp};

/// How many records go into one batch of a snapshot at most.
const MAX_RECORDS_PER_BATCH: usize = 1_024;

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataSnapshot {
    /// It stands for all records below this offset, the last of which is of this epoch.
    pub id: OffsetAndEpoch,
    /// Header, records, footer; offsets count from 0.
    pub batches: Vec<Arc<RecordBatch>>,
}

impl MetadataSnapshot {
    /// Writes records between header and footer. `timestamp` is that of the last record the snapshot stands for.
    #[must_use]
    pub fn write(id: OffsetAndEpoch, records: &[MetadataRecord], timestamp: Timestamp) -> MetadataSnapshot {
        let body = records.chunks(MAX_RECORDS_PER_BATCH);
        let body = body.map(|records| metadata_batch(records.to_vec(), timestamp));
        let header = std::iter::once(RecordBatch::of_snapshot_header(timestamp));
        let footer = std::iter::once(RecordBatch::of_snapshot_footer(timestamp));
        let (mut end, mut batches) = (Offset::ZERO, Vec::new());
        for batch in header.chain(body).chain(footer) {
            batches.push(Arc::new(batch.appended_at(end, LeaderEpoch::ZERO)));
            end = batches.last().expect("a batch was just pushed").last_offset().next();
        }
        MetadataSnapshot { id, batches }
    }

    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = &MetadataRecord> {
        self.batches.iter().flat_map(|batch| batch.metadata_records())
    }

    /// Timestamp of the last record it stands for.
    pub(super) fn last_contained_timestamp(&self) -> Timestamp {
        self.batches.first().map_or(Timestamp(-1), |header| header.max_timestamp)
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size_in_bytes(&self) -> i64 {
        size_in_bytes(&self.batches)
    }

    /// Whole batches from a position in bytes on, at most about `max_bytes`, but at least one; `None` for a position
    /// at which no batch begins.
    #[must_use]
    pub fn read(&self, position: i64, max_bytes: i32) -> Option<Vec<Arc<RecordBatch>>> {
        let mut begin = 0;
        let first = self.batches.iter().position(|batch| {
            let is_there = begin == position;
            begin += i64::from(batch.size_in_bytes());
            is_there
        })?;
        let mut left = i64::from(max_bytes);
        let fitting = self.batches[first..].iter().take_while(|batch| {
            left -= i64::from(batch.size_in_bytes());
            left >= 0
        });
        let count = fitting.count().max(1);
        Some(self.batches[first..first + count].to_vec())
    }
}

/// Bytes of batches.
pub(super) fn size_in_bytes(batches: &[Arc<RecordBatch>]) -> i64 {
    batches.iter().map(|batch| i64::from(batch.size_in_bytes())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_read_in_parts_of_whole_batches() {
        let id = OffsetAndEpoch { offset: Offset(3_000), epoch: LeaderEpoch(2) };
        let snapshot = MetadataSnapshot::write(id, &vec![MetadataRecord::NoOp; 1_500], Timestamp(7));
        assert_eq!((snapshot.batches.len(), snapshot.records().count()), (4, 1_500));
        let (mut parts, mut fetched) = (0, Vec::new());
        while size_in_bytes(&fetched) < snapshot.size_in_bytes() {
            fetched.extend(snapshot.read(size_in_bytes(&fetched), 1_000).expect("a batch begins there"));
            parts += 1;
        }
        assert_eq!((parts, &fetched), (4, &snapshot.batches));
        assert_eq!(snapshot.read(1, 1_000), None);
        assert_eq!(snapshot.read(snapshot.size_in_bytes(), 1_000), None);
    }
}
