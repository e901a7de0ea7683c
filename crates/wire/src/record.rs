//! Records and record batches, message format v2 (KIP-98), as values. Their bytes are in `codec`.
//!
//! A batch is immutable once built: the producer, the leader's log, the followers' logs and every fetch
//! response share one allocation of its records.

use crate::{LeaderEpoch, MetadataRecord, Offset, ProducerEpoch, ProducerId, Timestamp, varint};
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

/// What a control record says, by the number in its key (`ControlRecordType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControlRecordType {
    /// The transaction's records do not count.
    Abort,
    /// The transaction's records count.
    Commit,
    /// A quorum has a new leader.
    LeaderChange,
    /// The first record of a metadata snapshot.
    SnapshotHeader,
    /// The last record of a metadata snapshot.
    SnapshotFooter,
    /// The version of the quorum's protocol (KIP-853).
    KRaftVersion,
    /// The quorum's voters (KIP-853).
    KRaftVoters,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionResult {
    /// `ABORT`: consumers that read committed records skip what it wrote.
    Abort,
    /// `COMMIT`.
    Commit,
}

/// The value of a transaction's last control record (`EndTransactionMarker`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EndTransactionMarker {
    /// How it ended.
    pub result: TransactionResult,
    /// The leader epoch of the coordinator's partition of `__transaction_state`; an older one is fenced.
    pub coordinator_epoch: i32,
}

/// The algorithm in the lowest three bits of a batch's attributes (`CompressionType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// `none`: the only one that is written and read here.
    None,
    /// `gzip`.
    Gzip,
    /// `snappy`.
    Snappy,
    /// `lz4`.
    Lz4,
    /// `zstd`.
    Zstd,
}

/// The value of the control record of a new quorum leader (`LeaderChangeMessage`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaderChange {
    /// The quorum's new leader.
    pub leader: i32,
    /// All voters.
    pub voters: Vec<i32>,
    /// Those that voted for it.
    pub granting_voters: Vec<i32>,
}

/// Who sent a batch, so that the leader can tell whether it has it already (KIP-98).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProducerStamp {
    /// The producer.
    pub producer_id: ProducerId,
    /// Its epoch.
    pub producer_epoch: ProducerEpoch,
    /// The sequence number of the first record.
    pub base_sequence: i32,
}

/// What a batch holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BatchBody {
    /// Records of producers.
    Records(Arc<[Record]>),
    /// Records of the cluster metadata log; only ever found in `__cluster_metadata`. Each takes one offset.
    Metadata(Arc<[MetadataRecord]>),
    /// The control record that ends a transaction in this partition (KIP-98). Takes one offset.
    EndTransaction(EndTransactionMarker),
    /// What compaction leaves of a control batch to keep its producer's epoch: no record, the offsets all the same.
    EmptyControl,
    /// The control record that a new quorum leader writes first (KIP-595). Takes one offset.
    LeaderChange(Arc<LeaderChange>),
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
    /// Whether the records, or the marker, belong to a transaction.
    pub is_transactional: bool,
    /// The largest timestamp, or the append time under `LogAppendTime`; -1 when there is none.
    pub max_timestamp: Timestamp,
    /// The idempotent producer's id, or `NONE`.
    pub producer_id: ProducerId,
    /// Its epoch, or `NONE`.
    pub producer_epoch: ProducerEpoch,
    /// Sequence number of the first record, or -1.
    pub base_sequence: i32,
    /// The records.
    pub body: BatchBody,
    /// When compaction may drop the tombstones and markers in it; `None` before it met them (KIP-534).
    delete_horizon: Option<Timestamp>,
    /// Set when the batch is built: neither base offset nor epoch change it.
    size_in_bytes: i32,
}

/// Bytes before the first record of a batch (`RECORD_BATCH_OVERHEAD`).
pub const BATCH_HEADER_BYTES: i32 = 61;

/// The most that a record takes beyond its key, value and headers (`MAX_RECORD_OVERHEAD`).
const MAX_RECORD_OVERHEAD: i32 = 21;

/// A batch without a sequence number (`NO_SEQUENCE`).
pub const NO_SEQUENCE: i32 = -1;

/// The number `increment` after `sequence`; behind 2147483647 comes 0 (`DefaultRecordBatch.incrementSequence`).
#[must_use]
pub fn increment_sequence(sequence: i32, increment: i32) -> i32 {
    if sequence > i32::MAX - increment { increment - (i32::MAX - sequence) - 1 } else { sequence + increment }
}

/// The number `decrement` before `sequence`; before 0 comes 2147483647 (`DefaultRecordBatch.decrementSequence`).
#[must_use]
pub fn decrement_sequence(sequence: i32, decrement: i32) -> i32 {
    if sequence < decrement { i32::MAX - (decrement - sequence) + 1 } else { sequence - decrement }
}

impl ControlRecordType {
    const ALL: [ControlRecordType; 7] = [
        ControlRecordType::Abort,
        ControlRecordType::Commit,
        ControlRecordType::LeaderChange,
        ControlRecordType::SnapshotHeader,
        ControlRecordType::SnapshotFooter,
        ControlRecordType::KRaftVersion,
        ControlRecordType::KRaftVoters,
    ];

    /// The type with this number; `None` for those of later versions, which readers skip.
    #[must_use]
    pub fn of_number(number: i16) -> Option<ControlRecordType> {
        usize::try_from(number).ok().and_then(|place| ControlRecordType::ALL.get(place)).copied()
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> i16 {
        self as i16
    }
}

impl TransactionResult {
    /// The number in the key of the control record.
    #[must_use]
    pub fn number(self) -> i16 {
        match self {
            TransactionResult::Abort => 0,
            TransactionResult::Commit => 1,
        }
    }
}

impl Compression {
    const ALL: [Compression; 5] =
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

    /// The algorithm with this number in a batch's attributes.
    #[must_use]
    pub fn of_number(number: u16) -> Option<Compression> {
        Compression::ALL.get(usize::from(number)).copied()
    }

    /// Its name in configurations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }
}

impl Record {
    /// A record without headers at the start of a batch.
    #[must_use]
    pub fn new(key: Option<&[u8]>, value: Option<&[u8]>, timestamp: Timestamp) -> Record {
        Record {
            offset_delta: 0,
            timestamp,
            key: key.map(Bytes::from),
            value: value.map(Bytes::from),
            headers: Arc::default(),
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
        let body = self.body_size_in_bytes(base_timestamp);
        varint::size(i64::from(body)) + body
    }

    fn body_size_in_bytes(&self, base_timestamp: Timestamp) -> i32 {
        1 + varint::size(self.timestamp.0.wrapping_sub(base_timestamp.0))
            + varint::size(i64::from(self.offset_delta))
            + self.content_size_in_bytes()
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
    fn size_in_bytes(&self, base_timestamp: Timestamp, max_timestamp: Timestamp) -> i32 {
        match self {
            BatchBody::Records(records) => records.iter().map(|record| record.size_in_bytes(base_timestamp)).sum(),
            BatchBody::Metadata(_) | BatchBody::EmptyControl => 0,
            BatchBody::EndTransaction(_)
            | BatchBody::LeaderChange(_)
            | BatchBody::SnapshotHeader { .. }
            | BatchBody::SnapshotFooter => {
                self.control_record(max_timestamp).map_or(0, |record| record.size_in_bytes(base_timestamp))
            }
        }
    }

    /// The one record of a control batch: its key is a version and the type; its value depends on the type.
    fn control_record(&self, timestamp: Timestamp) -> Option<Record> {
        let voters = |voters: &[i32]| -> Vec<u8> {
            let voters = voters.iter().flat_map(|voter| voter.to_be_bytes().into_iter().chain([0]));
            voters.collect()
        };
        let list = |list: &[i32]| [&[list.len() as u8 + 1], &*voters(list)].concat();
        let (kind, value) = match self {
            BatchBody::Records(_) | BatchBody::Metadata(_) | BatchBody::EmptyControl => return None,
            BatchBody::EndTransaction(marker) => return Some(marker.as_record(timestamp)),
            BatchBody::LeaderChange(change) => {
                let LeaderChange { leader, voters, granting_voters } = &**change;
                let value = [&[0, 0], &leader.to_be_bytes()[..], &list(voters), &list(granting_voters), &[0]].concat();
                (ControlRecordType::LeaderChange, value)
            }
            BatchBody::SnapshotHeader { last_contained_log_timestamp } => {
                let value = [&[0, 0], &last_contained_log_timestamp.0.to_be_bytes()[..], &[0]].concat();
                (ControlRecordType::SnapshotHeader, value)
            }
            BatchBody::SnapshotFooter => (ControlRecordType::SnapshotFooter, vec![0; 3]),
        };
        let mut key = [0; 4];
        key[2..].copy_from_slice(&kind.number().to_be_bytes());
        Some(Record::new(Some(&key), Some(&value), timestamp))
    }

    fn first_timestamp(&self, max_timestamp: Timestamp) -> Timestamp {
        match self {
            BatchBody::Records(records) => records.first().map_or(Timestamp(-1), |record| record.timestamp),
            BatchBody::EmptyControl => Timestamp(-1),
            BatchBody::Metadata(_)
            | BatchBody::EndTransaction(_)
            | BatchBody::LeaderChange(_)
            | BatchBody::SnapshotHeader { .. }
            | BatchBody::SnapshotFooter => max_timestamp,
        }
    }
}

impl EndTransactionMarker {
    /// The control record: its key is a version and the type, its value a version and the coordinator's epoch.
    #[must_use]
    pub fn as_record(&self, timestamp: Timestamp) -> Record {
        let mut key = [0; 4];
        key[2..].copy_from_slice(&self.result.number().to_be_bytes());
        let mut value = [0; 6];
        value[2..].copy_from_slice(&self.coordinator_epoch.to_be_bytes());
        Record::new(Some(&key), Some(&value), timestamp)
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
        RecordBatch::of_records(records.into())
    }

    /// The same of records that have their offset deltas, and may belong to another batch as well.
    #[must_use]
    pub fn of_records(records: Arc<[Record]>) -> RecordBatch {
        let max_timestamp = records.iter().map(|record| record.timestamp).max().unwrap_or(Timestamp(-1));
        RecordBatch::with_body(records.len() as i32, max_timestamp, BatchBody::Records(records))
    }

    /// The control batch with which a coordinator ends the transaction of `producer_id`.
    #[must_use]
    pub fn of_end_transaction(
        marker: EndTransactionMarker,
        producer_id: ProducerId,
        producer_epoch: ProducerEpoch,
        timestamp: Timestamp,
    ) -> RecordBatch {
        let batch = RecordBatch::with_body(1, timestamp, BatchBody::EndTransaction(marker));
        RecordBatch { producer_id, producer_epoch, is_transactional: true, ..batch }
    }

    /// The same batch as an idempotent or transactional producer sends it.
    #[must_use]
    pub fn stamped(self, stamp: ProducerStamp, is_transactional: bool) -> RecordBatch {
        let ProducerStamp { producer_id, producer_epoch, base_sequence } = stamp;
        RecordBatch { producer_id, producer_epoch, base_sequence, is_transactional, ..self }
    }

    /// What compaction leaves of the batch: `body`, with the deltas of its records as they were, and perhaps a time from
    /// which its tombstones and markers may go. Offsets and the producer's numbers stay. The largest timestamp is that of
    /// the records that stay, unless it is the append time or none stays.
    #[must_use]
    pub fn retaining(&self, body: BatchBody, delete_horizon: Option<Timestamp>) -> RecordBatch {
        let mut batch = RecordBatch { body, delete_horizon, ..self.clone() };
        if self.timestamp_type == TimestampType::CreateTime
            && let Some(largest) = batch.records().iter().map(|record| record.timestamp).max()
        {
            batch.max_timestamp = largest;
        }
        batch.sized()
    }

    /// What a batch read from bytes says of itself beyond its records.
    pub(crate) fn with_delete_horizon(self, delete_horizon: Option<Timestamp>) -> RecordBatch {
        RecordBatch { delete_horizon, ..self }.sized()
    }

    /// A batch of the metadata log, written by the active controller, and how many bytes each of its records' values
    /// takes. `records` must not be empty.
    #[must_use]
    pub fn of_metadata(records: Vec<MetadataRecord>, value_sizes: Vec<i32>, timestamp: Timestamp) -> RecordBatch {
        assert!(!records.is_empty(), "the controller never writes an empty batch");
        let sizes = (0..).zip(value_sizes).map(|(offset_delta, size)| {
            let empty = Record { offset_delta, ..Record::new(None, Some(&[]), timestamp) };
            let body = empty.body_size_in_bytes(timestamp) - 1 + varint::size(size.into()) + size;
            varint::size(body.into()) + body
        });
        let size_in_bytes = BATCH_HEADER_BYTES + sizes.sum::<i32>();
        let batch = RecordBatch::with_body(records.len() as i32, timestamp, BatchBody::Metadata(records.into()));
        RecordBatch { size_in_bytes, ..batch }
    }

    /// The control batch with which a quorum leader opens its epoch, and who voted for it.
    #[must_use]
    pub fn of_leader_change(
        leader: i32,
        voters: Vec<i32>,
        granting_voters: Vec<i32>,
        timestamp: Timestamp,
    ) -> RecordBatch {
        let change = Arc::new(LeaderChange { leader, voters, granting_voters });
        RecordBatch::with_body(1, timestamp, BatchBody::LeaderChange(change))
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

    /// A batch of `count` offsets from 0 on, of nobody in particular.
    pub(crate) fn with_body(count: i32, max_timestamp: Timestamp, body: BatchBody) -> RecordBatch {
        RecordBatch {
            base_offset: Offset::ZERO,
            size_in_bytes: 0,
            partition_leader_epoch: LeaderEpoch::NONE,
            last_offset_delta: count - 1,
            timestamp_type: TimestampType::CreateTime,
            is_transactional: false,
            max_timestamp,
            producer_id: ProducerId::NONE,
            producer_epoch: ProducerEpoch::NONE,
            base_sequence: NO_SEQUENCE,
            body,
            delete_horizon: None,
        }
        .sized()
    }

    fn sized(self) -> RecordBatch {
        let body = self.body.size_in_bytes(self.base_timestamp(), self.max_timestamp);
        RecordBatch { size_in_bytes: BATCH_HEADER_BYTES + body, ..self }
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
        self.shared_records().map_or(&[], |records| records)
    }

    /// The same as they are shared between batches; `None` in a batch that was not made for a producer's.
    #[must_use]
    pub fn shared_records(&self) -> Option<&Arc<[Record]>> {
        match &self.body {
            BatchBody::Records(records) => Some(records),
            BatchBody::Metadata(_)
            | BatchBody::LeaderChange(_)
            | BatchBody::SnapshotHeader { .. }
            | BatchBody::SnapshotFooter
            | BatchBody::EndTransaction(_)
            | BatchBody::EmptyControl => None,
        }
    }

    /// The metadata records in it; none in batches of producers.
    #[must_use]
    pub fn metadata_records(&self) -> &[MetadataRecord] {
        match &self.body {
            BatchBody::Metadata(records) => records,
            BatchBody::Records(_)
            | BatchBody::LeaderChange(_)
            | BatchBody::SnapshotHeader { .. }
            | BatchBody::SnapshotFooter
            | BatchBody::EndTransaction(_)
            | BatchBody::EmptyControl => &[],
        }
    }

    /// How many records it says it has; compaction may leave none.
    #[must_use]
    pub fn records_count(&self) -> i32 {
        match &self.body {
            BatchBody::Records(records) => records.len() as i32,
            BatchBody::Metadata(records) => records.len() as i32,
            BatchBody::EndTransaction(_)
            | BatchBody::LeaderChange(_)
            | BatchBody::SnapshotHeader { .. }
            | BatchBody::SnapshotFooter => 1,
            BatchBody::EmptyControl => 0,
        }
    }

    /// The record of a control batch; none in others, or if compaction took it.
    #[must_use]
    pub fn control_record(&self) -> Option<Record> {
        self.body.control_record(self.max_timestamp)
    }

    /// Whether it is for brokers only: consumers step over it.
    #[must_use]
    pub fn is_control(&self) -> bool {
        match &self.body {
            BatchBody::EndTransaction(_)
            | BatchBody::EmptyControl
            | BatchBody::LeaderChange(_)
            | BatchBody::SnapshotHeader { .. }
            | BatchBody::SnapshotFooter => true,
            BatchBody::Records(_) | BatchBody::Metadata(_) => false,
        }
    }

    /// Whether an idempotent producer or a transaction's coordinator wrote it.
    #[must_use]
    pub fn has_producer_id(&self) -> bool {
        self.producer_id != ProducerId::NONE
    }

    /// The sequence number of the last record, or -1.
    #[must_use]
    pub fn last_sequence(&self) -> i32 {
        match self.base_sequence {
            NO_SEQUENCE => NO_SEQUENCE,
            first => increment_sequence(first, self.last_offset_delta),
        }
    }

    /// When compaction may drop the tombstones and markers in it; `None` before it met them.
    #[must_use]
    pub fn delete_horizon(&self) -> Option<Timestamp> {
        self.delete_horizon
    }

    /// What the timestamps of its records are counted from: the delete horizon or the first record's timestamp.
    pub(crate) fn base_timestamp(&self) -> Timestamp {
        self.delete_horizon.unwrap_or_else(|| self.body.first_timestamp(self.max_timestamp))
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
    fn behind_the_last_sequence_number_comes_the_first() {
        let table = [(0, 1, 1), (i32::MAX, 1, 0), (i32::MAX - 1, 3, 1), (i32::MAX - 10, 10, i32::MAX)];
        for (sequence, step, expected) in table {
            assert_eq!(increment_sequence(sequence, step), expected, "{sequence} + {step}");
            assert_eq!(decrement_sequence(expected, step), sequence, "{expected} - {step}");
        }
        let stamp = ProducerStamp {
            producer_id: ProducerId(17),
            producer_epoch: ProducerEpoch(3),
            base_sequence: i32::MAX - 1,
        };
        let batch = RecordBatch::from_producer(vec![record(None, None, 0); 3]).stamped(stamp, false);
        assert_eq!(batch.last_sequence(), 0);
    }

    #[test]
    fn compaction_keeps_offsets_and_the_producers_numbers() {
        let records = vec![record(Some("a"), Some("v"), 5), record(Some("b"), None, 9), record(Some("c"), None, 7)];
        let batch = RecordBatch::from_producer(records).appended_at(Offset(10), LeaderEpoch(1));
        let kept: Arc<[Record]> = batch.records()[2..].into();
        let retained = batch.retaining(BatchBody::Records(kept), Some(Timestamp(7)));
        assert_eq!((retained.base_offset, retained.last_offset()), (Offset(10), Offset(12)));
        assert_eq!((retained.max_timestamp, retained.base_timestamp()), (Timestamp(7), Timestamp(7)));
        assert_eq!(retained.size_in_bytes(), 61 + 1 + 1 + 1 + 1 + 2 + 1 + 1);
        let empty = batch.retaining(BatchBody::Records(Arc::default()), None);
        assert_eq!((empty.size_in_bytes(), empty.max_timestamp, empty.records_count()), (61, Timestamp(9), 0));
    }

    /// A million records in memory should cost little more than what is in them.
    #[test]
    fn a_record_takes_at_most_64_bytes_beside_its_key_and_value() {
        assert_eq!(size_of::<Record>(), 64);
        assert!(size_of::<RecordBatch>() <= 96, "{}", size_of::<RecordBatch>());
    }

    #[test]
    fn the_upper_bound_is_that_of_the_real_producer() {
        assert_eq!(record(None, Some("x"), 0).batch_size_upper_bound(), 61 + 21 + 1 + 1 + 1 + 1);
    }
}
