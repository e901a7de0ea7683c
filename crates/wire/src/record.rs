//! Records and record batches, message format v2 (KIP-98), as values. Their bytes are in `codec`.
//!
//! A batch is immutable once built: the producer, the leader's log, the followers' logs and every fetch
//! response share one allocation of its records.

use crate::{LeaderEpoch, MetadataRecord, Offset, Timestamp, varint};
use std::sync::Arc;

/// Immutable, shared bytes of a key or a value.
pub type Bytes = Arc<[u8]>;

/// A record's header; a key may occur several times.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The header's name.
    pub key: Arc<str>,
    /// Its value, `None` for null.
    pub value: Option<Bytes>,
}

/// One record. Its offset is its batch's base offset plus `offset_delta`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Distance from the batch's base offset.
    pub offset_delta: i32,
    /// When the producer made it, or -1.
    pub timestamp: Timestamp,
    /// The key, `None` for null.
    pub key: Option<Bytes>,
    /// The value, `None` for null: a tombstone in a compacted topic.
    pub value: Option<Bytes>,
    /// The headers, in order.
    pub headers: Arc<[Header]>,
}

/// Whether timestamps are the producer's or the broker's (`message.timestamp.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimestampType {
    /// `CreateTime`: set by the producer.
    CreateTime,
    /// `LogAppendTime`: every record reads as the batch's `max_timestamp`.
    LogAppendTime,
}

/// What a batch holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BatchBody {
    /// Records of producers.
    Records(Arc<[Record]>),
    /// Records of the cluster metadata log; only ever found in `__cluster_metadata`. Each takes one offset.
    Metadata(Arc<[MetadataRecord]>),
    /// The control record that a new quorum leader writes first (KIP-595). Takes one offset.
    LeaderChange {
        /// The quorum's new leader.
        leader: i32,
        /// All voters.
        voters: Arc<[i32]>,
    },
    /// The control record that begins a snapshot of the metadata log (KIP-630).
    SnapshotHeader {
        /// Timestamp of the last record that the snapshot stands for.
        last_contained_log_timestamp: Timestamp,
    },
    /// The control record that ends a snapshot.
    SnapshotFooter,
}

/// A record batch. Cheap to clone: the records are shared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordBatch {
    /// Offset of the first record; producers send 0, the leader assigns it.
    pub base_offset: Offset,
    /// Epoch of the leader that appended it; producers send -1.
    pub partition_leader_epoch: LeaderEpoch,
    /// Distance from the first to the last offset; compaction keeps it.
    pub last_offset_delta: i32,
    /// Whose clock the timestamps are from.
    pub timestamp_type: TimestampType,
    /// The largest timestamp, or the append time under `LogAppendTime`; -1 when there is none.
    pub max_timestamp: Timestamp,
    /// The idempotent producer's id, or -1.
    pub producer_id: i64,
    /// Its epoch, or -1.
    pub producer_epoch: i16,
    /// Sequence number of the first record, or -1.
    pub base_sequence: i32,
    /// The records.
    pub body: BatchBody,
    /// Set when the batch is built: neither base offset nor epoch change it.
    size_in_bytes: i32,
}

/// Bytes before the first record of a batch (`RECORD_BATCH_OVERHEAD`).
pub const BATCH_HEADER_BYTES: i32 = 61;

/// The most that a record takes beyond its key, value and headers (`MAX_RECORD_OVERHEAD`).
const MAX_RECORD_OVERHEAD: i32 = 21;

/// What one metadata record counts for. Its bytes are not modelled; this is about what real ones take.
const METADATA_RECORD_BYTES: i32 = 64;

/// What a leader change record with its three voters takes.
const LEADER_CHANGE_BYTES: i32 = 45;

/// What the first and the last record of a snapshot take each.
const SNAPSHOT_CONTROL_BYTES: i32 = 21;

impl Record {
    /// A record without headers at the start of a batch.
    #[must_use]
    pub fn new(key: Option<&[u8]>, value: Option<&[u8]>, timestamp: Timestamp) -> Record {
        Record {
            offset_delta: 0,
            timestamp,
            key: key.map(Bytes::from),
            value: value.map(Bytes::from),
            headers: Arc::new([]),
        }
    }
}

impl Record {
    /// Bytes of key, value and headers with the numbers that say how long each is.
    #[must_use]
    pub fn content_size_in_bytes(&self) -> i32 {
        let headers: i32 = self.headers.iter().map(header_size_in_bytes).sum();
        sized(self.key.as_ref()) + sized(self.value.as_ref()) + varint::size(self.headers.len() as i64) + headers
    }

    /// Bytes of the whole record in a batch whose base timestamp is `base_timestamp`.
    #[must_use]
    pub fn size_in_bytes(&self, base_timestamp: Timestamp) -> i32 {
        let body = 1
            + varint::size(self.timestamp.0.wrapping_sub(base_timestamp.0))
            + varint::size(i64::from(self.offset_delta))
            + self.content_size_in_bytes();
        varint::size(i64::from(body)) + body
    }

    /// The most that the record can take in a batch (`DefaultRecord.recordSizeUpperBound`).
    #[must_use]
    pub fn size_upper_bound(&self) -> i32 {
        MAX_RECORD_OVERHEAD + self.content_size_in_bytes()
    }

    /// The most that a batch with this record alone can take (`AbstractRecords.estimateSizeInBytesUpperBound`): what a
    /// producer compares with `max.request.size`.
    #[must_use]
    pub fn batch_size_upper_bound(&self) -> i32 {
        BATCH_HEADER_BYTES + self.size_upper_bound()
    }
}

fn sized(bytes: Option<&Bytes>) -> i32 {
    match bytes {
        None => varint::size(-1),
        Some(bytes) => varint::size(bytes.len() as i64) + bytes.len() as i32,
    }
}

fn header_size_in_bytes(header: &Header) -> i32 {
    varint::size(header.key.len() as i64) + header.key.len() as i32 + sized(header.value.as_ref())
}

impl BatchBody {
    fn size_in_bytes(&self) -> i32 {
        match self {
            BatchBody::Records(records) => {
                let base_timestamp = records.first().map_or(Timestamp(-1), |record| record.timestamp);
                records.iter().map(|record| record.size_in_bytes(base_timestamp)).sum()
            }
            BatchBody::Metadata(records) => METADATA_RECORD_BYTES * records.len() as i32,
            BatchBody::LeaderChange { .. } => LEADER_CHANGE_BYTES,
            BatchBody::SnapshotHeader { .. } | BatchBody::SnapshotFooter => SNAPSHOT_CONTROL_BYTES,
        }
    }
}

impl RecordBatch {
    /// A batch as a non-idempotent producer sends it: offsets from 0, no epoch, `CreateTime`.
    /// The records' offset deltas are set to 0, 1, 2, … `records` must not be empty.
    #[must_use]
    pub fn from_producer(mut records: Vec<Record>) -> RecordBatch {
        assert!(!records.is_empty(), "a producer never sends an empty batch");
        for (delta, record) in (0..).zip(records.iter_mut()) {
            record.offset_delta = delta;
        }
        let max_timestamp = records.iter().map(|record| record.timestamp).max().unwrap_or(Timestamp(-1));
        RecordBatch::with_body(records.len() as i32, max_timestamp, BatchBody::Records(records.into()))
    }

    /// A batch read back from bytes, whose records and offsets may have gaps.
    pub(crate) fn from_parts(
        records: Vec<Record>,
        last_offset_delta: i32,
        timestamp_type: TimestampType,
        max_timestamp: Timestamp,
    ) -> RecordBatch {
        let batch = RecordBatch::with_body(0, max_timestamp, BatchBody::Records(records.into()));
        RecordBatch { last_offset_delta, timestamp_type, ..batch }
    }

    /// A batch of the metadata log, written by the active controller. `records` must not be empty.
    #[must_use]
    pub fn of_metadata(records: Vec<MetadataRecord>, timestamp: Timestamp) -> RecordBatch {
        assert!(!records.is_empty(), "the controller never writes an empty batch");
        RecordBatch::with_body(records.len() as i32, timestamp, BatchBody::Metadata(records.into()))
    }

    /// The control batch with which a quorum leader opens its epoch.
    #[must_use]
    pub fn of_leader_change(leader: i32, voters: Vec<i32>, timestamp: Timestamp) -> RecordBatch {
        RecordBatch::with_body(1, timestamp, BatchBody::LeaderChange { leader, voters: voters.into() })
    }

    /// The batch that begins a snapshot of the metadata log.
    #[must_use]
    pub fn of_snapshot_header(last_contained_log_timestamp: Timestamp) -> RecordBatch {
        let body = BatchBody::SnapshotHeader { last_contained_log_timestamp };
        RecordBatch::with_body(1, last_contained_log_timestamp, body)
    }

    /// The batch that ends a snapshot of the metadata log.
    #[must_use]
    pub fn of_snapshot_footer(last_contained_log_timestamp: Timestamp) -> RecordBatch {
        RecordBatch::with_body(1, last_contained_log_timestamp, BatchBody::SnapshotFooter)
    }

    fn with_body(count: i32, max_timestamp: Timestamp, body: BatchBody) -> RecordBatch {
        let size_in_bytes = BATCH_HEADER_BYTES + body.size_in_bytes();
        RecordBatch {
            base_offset: Offset::ZERO,
            size_in_bytes,
            partition_leader_epoch: LeaderEpoch::NONE,
            last_offset_delta: count - 1,
            timestamp_type: TimestampType::CreateTime,
            max_timestamp,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            body,
        }
    }

    /// The same batch as the leader stores it.
    #[must_use]
    pub fn appended_at(&self, base_offset: Offset, leader_epoch: LeaderEpoch) -> RecordBatch {
        RecordBatch { base_offset, partition_leader_epoch: leader_epoch, ..self.clone() }
    }

    /// How many bytes the batch takes in a log or on the wire.
    #[must_use]
    pub fn size_in_bytes(&self) -> i32 {
        self.size_in_bytes
    }

    /// The last offset the batch covers, even if compaction removed its last record.
    #[must_use]
    pub fn last_offset(&self) -> Offset {
        self.base_offset + i64::from(self.last_offset_delta)
    }

    /// The producers' records in it; none in batches of the metadata log.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        match &self.body {
            BatchBody::Records(records) => records,
            BatchBody::Metadata(_)
            | BatchBody::LeaderChange { .. }
            | BatchBody::SnapshotHeader { .. }
            | BatchBody::SnapshotFooter => &[],
        }
    }

    /// The metadata records in it; none in batches of producers.
    #[must_use]
    pub fn metadata_records(&self) -> &[MetadataRecord] {
        match &self.body {
            BatchBody::Metadata(records) => records,
            BatchBody::Records(_)
            | BatchBody::LeaderChange { .. }
            | BatchBody::SnapshotHeader { .. }
            | BatchBody::SnapshotFooter => &[],
        }
    }

    /// The timestamp `record` reads as.
    #[must_use]
    pub fn timestamp_of(&self, record: &Record) -> Timestamp {
        match self.timestamp_type {
            TimestampType::CreateTime => record.timestamp,
            TimestampType::LogAppendTime => self.max_timestamp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: Option<&str>, value: Option<&str>, timestamp: i64) -> Record {
        Record::new(key.map(str::as_bytes), value.map(str::as_bytes), Timestamp(timestamp))
    }

    #[test]
    fn batches_have_the_sizes_of_real_ones() {
        let one = RecordBatch::from_producer(vec![record(None, Some("test"), -1)]);
        let three = RecordBatch::from_producer(vec![
            record(Some("a"), Some("value"), 1000),
            record(Some("b"), Some("value"), 1005),
            record(Some("c"), None, 999),
        ]);
        assert_eq!((one.size_in_bytes(), three.size_in_bytes()), (72, 95));
        assert_eq!(three.max_timestamp, Timestamp(1005));
    }

    #[test]
    fn the_upper_bound_is_that_of_the_real_producer() {
        assert_eq!(record(None, Some("x"), 0).batch_size_upper_bound(), 61 + 21 + 1 + 1 + 1 + 1);
    }
}
