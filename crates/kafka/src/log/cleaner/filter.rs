//! What compaction leaves of a batch (`Cleaner.cleanInto`, `MemoryRecords.filterTo`).

use super::CleanerStats;
use super::offset_map::OffsetMap;
use super::transactions::CleanedTransactions;
use crate::log::producers::ProducerState;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{BatchBody, Offset, ProducerId, Record, RecordBatch, Timestamp};

/// Decides batch by batch, in the order of the log.
pub(super) struct Filter<'a> {
    pub(super) map: &'a OffsetMap,
    pub(super) transactions: &'a mut CleanedTransactions,
    pub(super) producers: &'a BTreeMap<ProducerId, ProducerState>,
    pub(super) now: Timestamp,
    pub(super) delete_retention_ms: i64,
    pub(super) stats: &'a mut CleanerStats,
}

impl Filter<'_> {
    /// The batch as it stays, or nothing of it. One that carries the last sequence number or the epoch of its producer
    /// stays without records.
    pub(super) fn retained(&mut self, batch: &Arc<RecordBatch>) -> Option<Arc<RecordBatch>> {
        self.stats.bytes_read += u64::from(batch.size_in_bytes().unsigned_abs());
        let is_discardable = self.transactions.is_discardable(batch);
        let is_discarded = is_discardable && (!batch.is_control() || self.is_past_horizon(batch));
        let is_kept_empty = self.is_last_of_producer(batch);
        if is_discarded && !is_kept_empty {
            return None;
        }
        self.stats.records_read += u64::from(batch.records_count().unsigned_abs());
        let body = if is_discarded { emptied(&batch.body) } else { self.retained_body(batch) };
        let kept = self.rewritten(batch, body, is_discardable && batch.is_control(), is_kept_empty)?;
        self.stats.records_written += u64::from(kept.records_count().unsigned_abs());
        self.stats.bytes_written += u64::from(kept.size_in_bytes().unsigned_abs());
        Some(kept)
    }

    fn is_past_horizon(&self, batch: &RecordBatch) -> bool {
        batch.delete_horizon().is_some_and(|horizon| horizon <= self.now)
    }

    fn is_last_of_producer(&self, batch: &RecordBatch) -> bool {
        let producer = self.producers.get(&batch.producer_id).filter(|_| batch.has_producer_id());
        producer.is_some_and(|producer| match producer.last_data_offset() {
            Some(last) => batch.last_offset() == last,
            None => batch.is_control() && batch.producer_epoch == producer.producer_epoch,
        })
    }

    fn retained_body(&mut self, batch: &RecordBatch) -> BatchBody {
        match &batch.body {
            BatchBody::Records(records) => {
                let stays = |record: &&Record| self.is_retained(batch, record);
                BatchBody::Records(records.iter().filter(stays).cloned().collect())
            }
            BatchBody::Metadata(_)
            | BatchBody::EndTransaction(_)
            | BatchBody::EmptyControl
            | BatchBody::LeaderChange(_)
            | BatchBody::SnapshotHeader { .. }
            | BatchBody::SnapshotFooter => batch.body.clone(),
        }
    }

    /// Whether no later record has its key, and if it is a tombstone, whether it has not been seen long enough.
    fn is_retained(&mut self, batch: &RecordBatch, record: &Record) -> bool {
        let offset = batch.base_offset + i64::from(record.offset_delta);
        if offset > self.map.latest_offset() {
            return true;
        }
        let Some(key) = &record.key else {
            self.stats.invalid_records_read += 1;
            return false;
        };
        let is_latest = self.map.get(key).is_none_or(|latest: Offset| offset >= latest);
        is_latest && (record.value.is_some() || !self.is_past_horizon(batch))
    }

    /// The batch with `body`; as it was, if that is all of it and its tombstones or its marker have their time.
    fn rewritten(
        &self,
        batch: &Arc<RecordBatch>,
        body: BatchBody,
        is_marker_of_emptied: bool,
        is_kept_empty: bool,
    ) -> Option<Arc<RecordBatch>> {
        let kept = batch.retaining(body, batch.delete_horizon());
        if kept.records_count() == 0 {
            return is_kept_empty.then(|| Arc::new(kept.retaining(kept.body.clone(), None)));
        }
        let has_tombstones = kept.records().iter().any(|record| record.value.is_none());
        if (has_tombstones || is_marker_of_emptied) && batch.delete_horizon().is_none() {
            let horizon = Timestamp(self.now.0.saturating_add(self.delete_retention_ms));
            return Some(Arc::new(kept.retaining(kept.body.clone(), Some(horizon))));
        }
        Some(if kept.records_count() == batch.records_count() { batch.clone() } else { Arc::new(kept) })
    }
}

fn emptied(body: &BatchBody) -> BatchBody {
    match body {
        BatchBody::Records(_) => BatchBody::Records(Arc::default()),
        BatchBody::EndTransaction(_) | BatchBody::EmptyControl => BatchBody::EmptyControl,
        BatchBody::Metadata(_)
        | BatchBody::LeaderChange(_)
        | BatchBody::SnapshotHeader { .. }
        | BatchBody::SnapshotFooter => unreachable!("the metadata log is not compacted"),
    }
}
