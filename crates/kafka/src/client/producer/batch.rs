//! Records on their way to one partition (`ProducerBatch` with its `MemoryRecordsBuilder`).

use crate::instant::{Duration, Instant};
use std::sync::Arc;
use wire::record::BATCH_HEADER_BYTES;
use wire::{LeaderEpoch, Record, RecordBatch, TopicPartition};

/// A batch that is being filled, waits to be sent, or is on its way.
#[derive(Clone, Debug)]
pub(super) struct ProducerBatch {
    pub(super) partition: TopicPartition,
    pub(super) created_at: Instant,
    /// How often it was sent in vain.
    pub(super) attempts: u32,
    /// Bytes of `buffer.memory` that it holds.
    pub(super) memory: i64,
    records: Arc<Vec<Record>>,
    sealed: Option<Arc<RecordBatch>>,
    written_bytes: i32,
    write_limit: i32,
    is_closed: bool,
    last_attempt_at: Instant,
    retry_backoff: Duration,
    leader_epoch: LeaderEpoch,
    attempts_when_leader_changed: Option<u32>,
}

impl ProducerBatch {
    /// An empty batch with room for `write_limit` bytes; the first record is always taken.
    pub(super) fn new(partition: TopicPartition, write_limit: i32, memory: i64, created_at: Instant) -> ProducerBatch {
        ProducerBatch {
            partition,
            created_at,
            attempts: 0,
            memory,
            records: Arc::new(Vec::new()),
            sealed: None,
            written_bytes: BATCH_HEADER_BYTES,
            write_limit,
            is_closed: false,
            last_attempt_at: created_at,
            retry_backoff: Duration::default(),
            leader_epoch: LeaderEpoch::NONE,
            attempts_when_leader_changed: None,
        }
    }

    /// Appends a record if there is room; says how many bytes that took.
    pub(super) fn try_append(&mut self, record: &Record) -> Option<i32> {
        let offset_delta = self.records.len() as i32;
        let record = Record { offset_delta, ..record.clone() };
        let base_timestamp = self.records.first().map_or(record.timestamp, |first| first.timestamp);
        let bytes = record.size_in_bytes(base_timestamp);
        let has_room = self.records.is_empty() || self.write_limit >= self.written_bytes + bytes;
        if self.is_closed || !has_room {
            return None;
        }
        self.written_bytes += bytes;
        Arc::make_mut(&mut self.records).push(record);
        Some(bytes)
    }

    /// No more records are taken.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    /// Whether no more records fit or are taken.
    pub(super) fn is_full(&self) -> bool {
        self.is_closed || (!self.records.is_empty() && self.write_limit <= self.written_bytes)
    }

    /// Bytes of the batch.
    pub(super) fn size_in_bytes(&self) -> i32 {
        self.written_bytes
    }

    /// The records in it.
    pub(super) fn records(&self) -> &[Record] {
        &self.records
    }

    /// The batch as it is sent, each time the same. No more records are taken.
    pub(super) fn seal(&mut self) -> Arc<RecordBatch> {
        self.close();
        let records = &self.records;
        self.sealed.get_or_insert_with(|| Arc::new(RecordBatch::from_producer(records.to_vec()))).clone()
    }

    /// The batch was sent in vain and waits for its next try.
    pub(super) fn on_reenqueued(&mut self, now: Instant, retry_backoff: Duration) {
        self.attempts += 1;
        self.last_attempt_at = now;
        self.retry_backoff = retry_backoff;
    }

    /// Learns in which epoch the partition is led; a newer one ends the back-off of a retry (KIP-951).
    pub(super) fn update_leader_epoch(&mut self, leader_epoch: LeaderEpoch) {
        if leader_epoch.is_known() && leader_epoch != self.leader_epoch {
            self.leader_epoch = leader_epoch;
            self.attempts_when_leader_changed = Some(self.attempts);
        }
    }

    /// When the back-off of a retry ends; `None` if there is none.
    pub(super) fn back_off_until(&self) -> Option<Instant> {
        let has_leader_changed = self.attempts_when_leader_changed == Some(self.attempts);
        (self.attempts > 0 && !has_leader_changed).then(|| self.last_attempt_at + self.retry_backoff)
    }

    /// When the batch has waited `linger` since it was made or last sent.
    pub(super) fn linger_until(&self, linger: Duration) -> Instant {
        self.last_attempt_at + linger
    }

    /// The same records in batches of at most about `batch_size` bytes, as old as this one. Without compression a batch
    /// is seldom larger than that, so a broker that takes less than `batch.size` gets the same batch again until it
    /// expires, as in Kafka (KAFKA-8350).
    pub(super) fn split(&self, batch_size: i32) -> Vec<ProducerBatch> {
        let mut parts: Vec<ProducerBatch> = Vec::new();
        for record in self.records.iter() {
            if parts.last_mut().and_then(|part| part.try_append(record)).is_none() {
                let write_limit = batch_size.max(record.batch_size_upper_bound());
                let mut part = ProducerBatch::new(self.partition.clone(), write_limit, 0, self.created_at);
                part.try_append(record).expect("an empty batch takes any record");
                parts.push(part);
            }
        }
        parts.iter_mut().for_each(ProducerBatch::close);
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{PartitionIndex, Timestamp, TopicName};

    fn batch(write_limit: i32) -> ProducerBatch {
        let partition = TopicPartition::new(TopicName::new("t"), PartitionIndex(0));
        ProducerBatch::new(partition, write_limit, 0, Instant(5))
    }

    #[test]
    fn a_split_keeps_order_and_age() {
        let mut whole = batch(10_000);
        for value in [b"a", b"b", b"c"] {
            let record = Record::new(None, Some(&value.repeat(60)), Timestamp(1));
            assert!(whole.try_append(&record).is_some());
        }
        let parts = whole.split(200);
        let counts: Vec<usize> = parts.iter().map(|part| part.records().len()).collect();
        assert_eq!(counts, [2, 1]);
        assert!(parts.iter().all(|part| part.created_at == Instant(5) && part.is_full()));
        assert_eq!(parts[1].records()[0].value.as_ref().map(|value| value[0]), Some(b'c'));
    }

    #[test]
    fn the_written_size_is_that_of_the_sealed_batch() {
        let mut batch = batch(200);
        let record = |timestamp| Record::new(Some(b"key"), Some(b"value"), Timestamp(timestamp));
        for timestamp in [1_000, 1_005, 900] {
            assert!(batch.try_append(&record(timestamp)).is_some());
        }
        assert_eq!(batch.seal().size_in_bytes(), batch.size_in_bytes());
    }

    #[test]
    fn a_full_batch_takes_no_more() {
        let mut batch = batch(100);
        let record = Record::new(None, Some(&[0; 60]), Timestamp(1));
        assert!(batch.try_append(&record).is_some(), "the first record is always taken");
        assert!(batch.is_full());
        assert_eq!(batch.try_append(&record), None);
    }
}
