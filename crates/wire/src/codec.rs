//! Record batches as bytes, message format v2 (`DefaultRecordBatch`, `DefaultRecord`).
//!
//! Batches of producers' records and transactions' markers are written and read. What is compressed is recognised by its
//! attributes and refused, for there is no decompressor here; so are the control records of the metadata log, whose
//! bodies have no bytes here.

use crate::record::BATCH_HEADER_BYTES;
use crate::varint::{self, BadVarint};
use crate::{
    BatchBody, Bytes, Compression, ControlRecordType, EndTransactionMarker, ErrorCode, Header, LeaderEpoch, Offset,
    ProducerEpoch, ProducerId, Record, RecordBatch, Timestamp, TimestampType, TransactionResult, crc32c,
};
use std::fmt;

/// The first 12 bytes, which `batchLength` does not count (`LOG_OVERHEAD`).
const LOG_OVERHEAD: usize = 12;
/// The least `batchLength` of any message format (`LegacyRecord.RECORD_OVERHEAD_V0`).
const SMALLEST_LENGTH: i32 = 14;
const MAGIC: u8 = 2;
const MAGIC_AT: usize = 16;
const CRC_AT: usize = 17;
const ATTRIBUTES_AT: usize = 21;
const COMPRESSION: u16 = 0x07;
const LOG_APPEND_TIME: u16 = 0x08;
const TRANSACTIONAL: u16 = 0x10;
const CONTROL: u16 = 0x20;
const DELETE_HORIZON: u16 = 0x40;

/// What is wrong with the bytes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Fewer bytes than the header, or than the header says follow.
    Truncated,
    /// The header says that the batch is smaller than any batch of its format can be.
    TooSmall,
    /// Another message format than v2.
    UnsupportedMagic(u8),
    /// The checksum does not match.
    BadChecksum,
    /// The records are compressed, and nothing here can decompress them.
    Compressed(Compression),
    /// A compression algorithm that Kafka does not know either: its number.
    UnknownCompression(u16),
    /// A control record of the metadata log.
    MetadataControlRecord(ControlRecordType),
    /// A control record of a type that Kafka does not know either: its number.
    UnknownControlRecord(i16),
    /// A count, length or offset that cannot be.
    Malformed,
    /// Bytes are left behind the last record.
    TrailingBytes,
}

impl DecodeError {
    /// What a broker answers to a producer that sends such bytes. Kafka's has all decompressors, this one has none.
    #[must_use]
    pub fn error_code(self) -> ErrorCode {
        match self {
            DecodeError::TooSmall | DecodeError::BadChecksum | DecodeError::UnsupportedMagic(3..) => {
                ErrorCode::CorruptMessage
            }
            DecodeError::Truncated
            | DecodeError::UnsupportedMagic(0..=2)
            | DecodeError::MetadataControlRecord(_)
            | DecodeError::UnknownControlRecord(_)
            | DecodeError::Malformed
            | DecodeError::TrailingBytes => ErrorCode::InvalidRecord,
            DecodeError::Compressed(_) => ErrorCode::UnsupportedCompressionType,
            DecodeError::UnknownCompression(_) => ErrorCode::UnknownServerError,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Truncated => formatter.write_str("the batch ends too early"),
            DecodeError::TooSmall => formatter.write_str("the batch is smaller than its header"),
            DecodeError::UnsupportedMagic(magic) => write!(formatter, "message format {magic} is not format 2"),
            DecodeError::BadChecksum => formatter.write_str("the checksum does not match"),
            DecodeError::Compressed(compression) => {
                write!(formatter, "the records are compressed with {}: a decompressor is needed", compression.name())
            }
            DecodeError::UnknownCompression(number) => write!(formatter, "there is no compression type {number}"),
            DecodeError::MetadataControlRecord(_) => {
                formatter.write_str("a control record that belongs to the metadata log")
            }
            DecodeError::UnknownControlRecord(number) => write!(formatter, "there is no control record type {number}"),
            DecodeError::Malformed => formatter.write_str("a count, length or offset cannot be"),
            DecodeError::TrailingBytes => formatter.write_str("bytes are left behind the last record"),
        }
    }
}

impl From<BadVarint> for DecodeError {
    fn from(_: BadVarint) -> Self {
        DecodeError::Malformed
    }
}

/// The bytes of a batch of producers' records or of a transaction's marker; `None` for batches of the metadata log.
#[must_use]
pub fn encode(batch: &RecordBatch) -> Option<Vec<u8>> {
    match &batch.body {
        BatchBody::Records(records) => Some(encode_batch(batch, records)),
        BatchBody::EndTransaction(marker) => Some(encode_batch(batch, &[marker.as_record(batch.max_timestamp)])),
        BatchBody::EmptyControl => Some(encode_batch(batch, &[])),
        BatchBody::Metadata(_)
        | BatchBody::LeaderChange(_)
        | BatchBody::SnapshotHeader { .. }
        | BatchBody::SnapshotFooter => None,
    }
}

/// The bytes of a batch with these records in it.
#[must_use]
pub fn encode_batch(batch: &RecordBatch, records: &[Record]) -> Vec<u8> {
    let base_timestamp = batch.base_timestamp();
    let mut bytes = Vec::with_capacity(batch.size_in_bytes() as usize);
    bytes.extend_from_slice(&batch.base_offset.0.to_be_bytes());
    bytes.extend_from_slice(&(batch.size_in_bytes() - LOG_OVERHEAD as i32).to_be_bytes());
    bytes.extend_from_slice(&batch.partition_leader_epoch.0.to_be_bytes());
    bytes.push(MAGIC);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&attributes_of(batch).to_be_bytes());
    bytes.extend_from_slice(&batch.last_offset_delta.to_be_bytes());
    bytes.extend_from_slice(&base_timestamp.0.to_be_bytes());
    bytes.extend_from_slice(&batch.max_timestamp.0.to_be_bytes());
    bytes.extend_from_slice(&batch.producer_id.0.to_be_bytes());
    bytes.extend_from_slice(&batch.producer_epoch.0.to_be_bytes());
    bytes.extend_from_slice(&batch.base_sequence.to_be_bytes());
    bytes.extend_from_slice(&(records.len() as i32).to_be_bytes());
    records.iter().for_each(|record| encode_record(record, base_timestamp, &mut bytes));
    let crc = crc32c::checksum(&bytes[ATTRIBUTES_AT..]);
    bytes[CRC_AT..ATTRIBUTES_AT].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// The checksum that a batch has in its bytes.
#[must_use]
pub fn checksum_of(batch: &[u8]) -> u32 {
    let stored = batch.get(CRC_AT..ATTRIBUTES_AT).and_then(<[u8]>::first_chunk);
    stored.map_or(0, |stored| u32::from_be_bytes(*stored))
}

fn attributes_of(batch: &RecordBatch) -> u16 {
    let flags = [
        (LOG_APPEND_TIME, batch.timestamp_type == TimestampType::LogAppendTime),
        (TRANSACTIONAL, batch.is_transactional),
        (CONTROL, batch.is_control()),
        (DELETE_HORIZON, batch.delete_horizon().is_some()),
    ];
    flags.iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag).sum()
}

fn encode_record(record: &Record, base_timestamp: Timestamp, bytes: &mut Vec<u8>) {
    let mut body = vec![0u8];
    varint::write(record.timestamp.0.wrapping_sub(base_timestamp.0), &mut body);
    varint::write(i64::from(record.offset_delta), &mut body);
    encode_bytes(record.key.as_deref(), &mut body);
    encode_bytes(record.value.as_deref(), &mut body);
    varint::write(record.headers.len() as i64, &mut body);
    for header in record.headers.iter() {
        encode_bytes(Some(header.key.as_bytes()), &mut body);
        encode_bytes(header.value.as_deref(), &mut body);
    }
    varint::write(body.len() as i64, bytes);
    bytes.append(&mut body);
}

fn encode_bytes(content: Option<&[u8]>, bytes: &mut Vec<u8>) {
    match content {
        None => varint::write(-1, bytes),
        Some(content) => {
            varint::write(content.len() as i64, bytes);
            bytes.extend_from_slice(content);
        }
    }
}

/// Reads one batch from the front of `bytes`. Returns it and how many bytes it took.
///
/// # Errors
/// If the bytes are not one whole, intact batch, or one that cannot be read here.
pub fn decode(bytes: &[u8]) -> Result<(RecordBatch, usize), DecodeError> {
    let mut length = bytes.get(8..LOG_OVERHEAD).ok_or(DecodeError::Truncated)?;
    let length = take_i32(&mut length)?;
    if length < SMALLEST_LENGTH {
        return Err(DecodeError::TooSmall);
    }
    let size = length as usize + LOG_OVERHEAD;
    let bytes = bytes.get(..size).ok_or(DecodeError::Truncated)?;
    check_integrity(bytes)?;
    Ok((decode_intact(bytes)?, size))
}

fn check_integrity(bytes: &[u8]) -> Result<(), DecodeError> {
    if bytes[MAGIC_AT] != MAGIC {
        return Err(DecodeError::UnsupportedMagic(bytes[MAGIC_AT]));
    }
    if bytes.len() < BATCH_HEADER_BYTES as usize {
        return Err(DecodeError::TooSmall);
    }
    let mut stored = &bytes[CRC_AT..ATTRIBUTES_AT];
    if take_i32(&mut stored)? as u32 != crc32c::checksum(&bytes[ATTRIBUTES_AT..]) {
        return Err(DecodeError::BadChecksum);
    }
    Ok(())
}

fn decode_intact(bytes: &[u8]) -> Result<RecordBatch, DecodeError> {
    let mut front = bytes;
    let base_offset = Offset(take_i64(&mut front)?);
    take_i32(&mut front)?;
    let partition_leader_epoch = LeaderEpoch(take_i32(&mut front)?);
    let mut rest = &bytes[ATTRIBUTES_AT..];
    let attributes = take_i16(&mut rest)? as u16;
    check_compression(attributes)?;
    let is_set = |flag: u16| attributes & flag != 0;
    let last_offset_delta = take_i32(&mut rest)?;
    let base_timestamp = Timestamp(take_i64(&mut rest)?);
    let max_timestamp = Timestamp(take_i64(&mut rest)?);
    let (producer_id, producer_epoch) = (ProducerId(take_i64(&mut rest)?), ProducerEpoch(take_i16(&mut rest)?));
    let (base_sequence, count) = (take_i32(&mut rest)?, take_i32(&mut rest)?);
    let records = decode_records(count, base_timestamp, rest)?;
    let body = if is_set(CONTROL) { control_body(&records)? } else { BatchBody::Records(records.into()) };
    let mut batch = RecordBatch::with_body(0, max_timestamp, body).appended_at(base_offset, partition_leader_epoch);
    (batch.last_offset_delta, batch.is_transactional) = (last_offset_delta, is_set(TRANSACTIONAL));
    if is_set(LOG_APPEND_TIME) {
        batch.timestamp_type = TimestampType::LogAppendTime;
    }
    (batch.producer_id, batch.producer_epoch, batch.base_sequence) = (producer_id, producer_epoch, base_sequence);
    Ok(batch.with_delete_horizon(is_set(DELETE_HORIZON).then_some(base_timestamp)))
}

fn check_compression(attributes: u16) -> Result<(), DecodeError> {
    match Compression::of_number(attributes & COMPRESSION) {
        Some(Compression::None) => Ok(()),
        Some(compression) => Err(DecodeError::Compressed(compression)),
        None => Err(DecodeError::UnknownCompression(attributes & COMPRESSION)),
    }
}

/// A control batch has one record, unless compaction took it.
fn control_body(records: &[Record]) -> Result<BatchBody, DecodeError> {
    match records {
        [] => Ok(BatchBody::EmptyControl),
        [record] => Ok(BatchBody::EndTransaction(decode_marker(record)?)),
        [_, _, ..] => Err(DecodeError::Malformed),
    }
}

fn decode_marker(record: &Record) -> Result<EndTransactionMarker, DecodeError> {
    let mut key = record.key.as_deref().ok_or(DecodeError::Malformed)?;
    take_i16(&mut key)?;
    let number = take_i16(&mut key)?;
    let result = match ControlRecordType::of_number(number) {
        Some(ControlRecordType::Abort) => TransactionResult::Abort,
        Some(ControlRecordType::Commit) => TransactionResult::Commit,
        Some(other) => return Err(DecodeError::MetadataControlRecord(other)),
        None => return Err(DecodeError::UnknownControlRecord(number)),
    };
    let mut value = record.value.as_deref().ok_or(DecodeError::Malformed)?;
    take_i16(&mut value)?;
    Ok(EndTransactionMarker { result, coordinator_epoch: take_i32(&mut value)? })
}

fn decode_records(count: i32, base_timestamp: Timestamp, mut rest: &[u8]) -> Result<Vec<Record>, DecodeError> {
    let count = usize::try_from(count).map_err(|_| DecodeError::Malformed)?;
    let mut records = Vec::with_capacity(count.min(rest.len()));
    for _ in 0..count {
        let length = usize::try_from(varint::read_i32(&mut rest)?).map_err(|_| DecodeError::Malformed)?;
        let mut body = take(&mut rest, length)?;
        records.push(decode_record(base_timestamp, &mut body)?);
        if !body.is_empty() {
            return Err(DecodeError::Malformed);
        }
    }
    if rest.is_empty() { Ok(records) } else { Err(DecodeError::TrailingBytes) }
}

fn decode_record(base_timestamp: Timestamp, body: &mut &[u8]) -> Result<Record, DecodeError> {
    take(body, 1)?;
    let timestamp = Timestamp(base_timestamp.0.wrapping_add(varint::read_i64(body)?));
    let offset_delta = varint::read_i32(body)?;
    let (key, value) = (decode_bytes(body)?, decode_bytes(body)?);
    let count = usize::try_from(varint::read_i32(body)?).map_err(|_| DecodeError::Malformed)?;
    if count > body.len() {
        return Err(DecodeError::Malformed);
    }
    let headers: Vec<Header> = (0..count).map(|_| decode_header(body)).collect::<Result<_, _>>()?;
    Ok(Record { offset_delta, timestamp, key, value, headers: headers.into() })
}

fn decode_header(body: &mut &[u8]) -> Result<Header, DecodeError> {
    let key = decode_bytes(body)?.ok_or(DecodeError::Malformed)?;
    Ok(Header { key: String::from_utf8_lossy(&key).into(), value: decode_bytes(body)? })
}

fn decode_bytes(body: &mut &[u8]) -> Result<Option<Bytes>, DecodeError> {
    match varint::read_i32(body)? {
        -1 => Ok(None),
        length => {
            let length = usize::try_from(length).map_err(|_| DecodeError::Malformed)?;
            Ok(Some(Bytes::from(take(body, length)?)))
        }
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], DecodeError> {
    let (head, tail) = bytes.split_at_checked(length).ok_or(DecodeError::Malformed)?;
    *bytes = tail;
    Ok(head)
}

macro_rules! take_number {
    ($($name:ident: $number:ty),+) => {$(
        fn $name(bytes: &mut &[u8]) -> Result<$number, DecodeError> {
            let head = take(bytes, size_of::<$number>())?;
            Ok(<$number>::from_be_bytes(head.try_into().expect("as many bytes as the number has")))
        }
    )+};
}
take_number!(take_i16: i16, take_i32: i32, take_i64: i64);

#[cfg(test)]
mod tests;
