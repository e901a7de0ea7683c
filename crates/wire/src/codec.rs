//! Record batches as bytes, message format v2 (`DefaultRecordBatch`, `DefaultRecord`).
//!
//! Batches of plain records are written and read. Compressed, transactional and control batches, and batches with a
//! delete horizon, are recognised by their attributes and refused; the bodies of the metadata log have no bytes here.

use crate::record::BATCH_HEADER_BYTES;
use crate::varint::{self, BadVarint};
use crate::{BatchBody, Bytes, Header, LeaderEpoch, Offset, Record, RecordBatch, Timestamp, TimestampType, crc32c};
use std::sync::Arc;

/// The first 12 bytes, which `batchLength` does not count (`LOG_OVERHEAD`).
const LOG_OVERHEAD: usize = 12;
const MAGIC: u8 = 2;
const MAGIC_AT: usize = 16;
const CRC_AT: usize = 17;
const ATTRIBUTES_AT: usize = 21;
const LOG_APPEND_TIME: u16 = 0x08;
const UNREAD_ATTRIBUTES: u16 = 0x77;

/// What is wrong with the bytes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Fewer bytes than the header, or than the header says follow.
    Truncated,
    /// Another message format than v2.
    UnsupportedMagic(u8),
    /// The checksum does not match.
    BadChecksum,
    /// Compressed, transactional or control records, or a delete horizon: the attributes that are set.
    UnsupportedAttributes(u16),
    /// A count, length or offset that cannot be.
    Malformed,
    /// Bytes are left behind the last record.
    TrailingBytes,
}

impl From<BadVarint> for DecodeError {
    fn from(_: BadVarint) -> Self {
        DecodeError::Malformed
    }
}

/// The bytes of a batch of records; `None` for batches of the metadata log.
#[must_use]
pub fn encode(batch: &RecordBatch) -> Option<Vec<u8>> {
    let BatchBody::Records(records) = &batch.body else { return None };
    let base_timestamp = records.first().map_or(Timestamp(-1), |record| record.timestamp);
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
    bytes.extend_from_slice(&batch.producer_id.to_be_bytes());
    bytes.extend_from_slice(&batch.producer_epoch.to_be_bytes());
    bytes.extend_from_slice(&batch.base_sequence.to_be_bytes());
    bytes.extend_from_slice(&(records.len() as i32).to_be_bytes());
    records.iter().for_each(|record| encode_record(record, base_timestamp, &mut bytes));
    let crc = crc32c::checksum(&bytes[ATTRIBUTES_AT..]);
    bytes[CRC_AT..ATTRIBUTES_AT].copy_from_slice(&crc.to_be_bytes());
    Some(bytes)
}

fn attributes_of(batch: &RecordBatch) -> u16 {
    match batch.timestamp_type {
        TimestampType::CreateTime => 0,
        TimestampType::LogAppendTime => LOG_APPEND_TIME,
    }
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
/// If the bytes are not one whole, intact batch of plain records.
pub fn decode(bytes: &[u8]) -> Result<(RecordBatch, usize), DecodeError> {
    let mut length = bytes.get(8..LOG_OVERHEAD).ok_or(DecodeError::Truncated)?;
    let size = usize::try_from(take_i32(&mut length)?).map_err(|_| DecodeError::Malformed)? + LOG_OVERHEAD;
    if size < BATCH_HEADER_BYTES as usize {
        return Err(DecodeError::Malformed);
    }
    let bytes = bytes.get(..size).ok_or(DecodeError::Truncated)?;
    check_integrity(bytes)?;
    Ok((decode_intact(bytes)?, size))
}

fn check_integrity(bytes: &[u8]) -> Result<(), DecodeError> {
    if bytes[MAGIC_AT] != MAGIC {
        return Err(DecodeError::UnsupportedMagic(bytes[MAGIC_AT]));
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
    if attributes & UNREAD_ATTRIBUTES != 0 {
        return Err(DecodeError::UnsupportedAttributes(attributes & UNREAD_ATTRIBUTES));
    }
    let timestamp_type =
        if attributes & LOG_APPEND_TIME != 0 { TimestampType::LogAppendTime } else { TimestampType::CreateTime };
    let last_offset_delta = take_i32(&mut rest)?;
    let base_timestamp = Timestamp(take_i64(&mut rest)?);
    let max_timestamp = Timestamp(take_i64(&mut rest)?);
    let (producer_id, producer_epoch) = (take_i64(&mut rest)?, take_i16(&mut rest)?);
    let (base_sequence, count) = (take_i32(&mut rest)?, take_i32(&mut rest)?);
    let records = decode_records(count, base_timestamp, rest)?;
    let mut batch = RecordBatch::from_parts(records, last_offset_delta, timestamp_type, max_timestamp)
        .appended_at(base_offset, partition_leader_epoch);
    (batch.producer_id, batch.producer_epoch, batch.base_sequence) = (producer_id, producer_epoch, base_sequence);
    Ok(batch)
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
    let key: Arc<str> = std::str::from_utf8(&key).map_err(|_| DecodeError::Malformed)?.into();
    Ok(Header { key, value: decode_bytes(body)? })
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
mod tests {
    use super::*;
    use rand::{Rng, RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
    }

    fn record(key: Option<&str>, value: Option<&str>, timestamp: i64) -> Record {
        Record::new(key.map(str::as_bytes), value.map(str::as_bytes), Timestamp(timestamp))
    }

    const ONE_VALUE: &str = "00000000000000000000003cffffffff02cf4e42cc000000000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff000000011400000001087465737400";

    /// Batches whose bytes Kafka's own classes made.
    fn recorded() -> Vec<(RecordBatch, &'static str)> {
        let mut with_headers = record(Some("key"), Some("value"), 1_700_000_000_000);
        with_headers.headers = Arc::new([
            Header { key: "h1".into(), value: Some(Bytes::from(&b"x"[..])) },
            Header { key: "h2".into(), value: None },
        ]);
        let three = vec![
            record(Some("a"), Some("value"), 1000),
            record(Some("b"), Some("value"), 1005),
            record(Some("c"), None, 999),
        ];
        let mut idempotent =
            RecordBatch::from_producer(vec![record(Some("k"), Some("v"), 1), record(Some("k"), Some("v"), 2)])
                .appended_at(Offset(100), LeaderEpoch(7));
        (idempotent.producer_id, idempotent.producer_epoch, idempotent.base_sequence) = (17, 3, i32::MAX);
        vec![
            (RecordBatch::from_producer(vec![record(None, Some("test"), -1)]), ONE_VALUE),
            (
                RecordBatch::from_producer(three),
                "000000000000000000000053ffffffff027784a1f000000000000200000000000003e800000000000003edffffffffffffffffffffffffffff000000031800000002610a76616c75650018000a0202620a76616c7565000e00010402630100",
            ),
            (
                RecordBatch::from_producer(vec![with_headers]).appended_at(Offset(1_234_567), LeaderEpoch(5)),
                "000000000012d68700000049000000050275f0aaf30000000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff000000012e000000066b65790a76616c756504046831027804683201",
            ),
            (
                idempotent,
                "0000000000000064000000430000000702d501a7db00000000000100000000000000010000000000000002000000000000001100037fffffff0000000210000000026b02760010000202026b027600",
            ),
        ]
    }

    #[test]
    fn batches_have_the_bytes_that_kafka_gives_them() {
        for (batch, expected) in recorded() {
            assert_eq!(encode(&batch), Some(hex(expected)));
            assert_eq!(decode(&hex(expected)), Ok((batch, expected.len() / 2)));
        }
    }

    #[test]
    fn log_append_time_reads_as_the_batchs_timestamp() {
        let mut batch = RecordBatch::from_producer(vec![record(None, Some("v"), 1000)]);
        batch.timestamp_type = TimestampType::LogAppendTime;
        batch.max_timestamp = Timestamp(5000);
        let bytes = encode(&batch).unwrap();
        assert_eq!(bytes[21..23], [0, 8]);
        let (read, _) = decode(&bytes).unwrap();
        assert_eq!(read.timestamp_of(&read.records()[0]), Timestamp(5000));
    }

    #[test]
    fn transactional_and_control_batches_are_told_apart_and_refused() {
        let transactional = "00000000000000000000003affffffff022dc6b07d0010000000000000000000000001000000000000000100000000000000110003000000000000000110000000026b027600";
        let marker = "000000000000002a000000420000000702c01f0f6100300000000000000000000003e800000000000003e800000000000000110003ffffffff000000012000000008000000010c00000000000900";
        assert_eq!(decode(&hex(transactional)), Err(DecodeError::UnsupportedAttributes(0x10)));
        assert_eq!(decode(&hex(marker)), Err(DecodeError::UnsupportedAttributes(0x30)));
    }

    #[test]
    fn an_empty_batch_left_by_compaction_keeps_its_offsets() {
        let empty = "000000000000000a000000310000000702bf92db2e000000000002ffffffffffffffff00000000000003e8000000000000001100030000000400000000";
        let (batch, size) = decode(&hex(empty)).unwrap();
        assert_eq!((size, batch.last_offset(), batch.records().len()), (61, Offset(12), 0));
        assert_eq!(encode(&batch), Some(hex(empty)));
    }

    #[test]
    fn damaged_batches_are_refused() {
        let good = hex(ONE_VALUE);
        let with_crc = |mut bytes: Vec<u8>| {
            let crc = crc32c::checksum(&bytes[ATTRIBUTES_AT..]);
            bytes[CRC_AT..ATTRIBUTES_AT].copy_from_slice(&crc.to_be_bytes());
            bytes
        };
        let changed = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            bytes
        };
        assert_eq!(decode(&good[..71]), Err(DecodeError::Truncated));
        assert_eq!(decode(&changed(11, 0x10)), Err(DecodeError::Malformed));
        assert_eq!(decode(&changed(16, 1)), Err(DecodeError::UnsupportedMagic(1)));
        assert_eq!(decode(&changed(70, 0)), Err(DecodeError::BadChecksum));
        assert_eq!(decode(&with_crc(changed(57, 0x80))), Err(DecodeError::Malformed));
        assert_eq!(decode(&with_crc(changed(60, 0))), Err(DecodeError::TrailingBytes));
        assert_eq!(decode(&with_crc(changed(60, 2))), Err(DecodeError::Malformed));
        assert_eq!(decode(&with_crc(changed(22, 1))), Err(DecodeError::UnsupportedAttributes(1)));
    }

    fn random_record(rng: &mut Xoshiro256PlusPlus) -> Record {
        let bytes = |rng: &mut Xoshiro256PlusPlus| {
            let length = rng.random_range(0..200u32);
            rng.random_bool(0.8).then(|| (0..length).map(|_| rng.next_u32() as u8).collect::<Vec<u8>>())
        };
        let (key, value) = (bytes(rng), bytes(rng));
        let mut record = Record::new(key.as_deref(), value.as_deref(), Timestamp(rng.next_u64() as i64));
        let headers = rng.random_range(0..3u32);
        record.headers = (0..headers)
            .map(|number| Header { key: format!("h{number}").into(), value: bytes(rng).map(Bytes::from) })
            .collect();
        record
    }

    #[test]
    fn random_batches_read_back_and_random_damage_never_panics() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut refused = 0u32;
        for _ in 0..2_000 {
            let count = rng.random_range(1..8u32);
            let batch = RecordBatch::from_producer((0..count).map(|_| random_record(&mut rng)).collect());
            let bytes = encode(&batch).unwrap();
            assert_eq!(bytes.len() as i32, batch.size_in_bytes());
            assert_eq!(decode(&bytes), Ok((batch, bytes.len())));
            for _ in 0..20 {
                let mut damaged = bytes.clone();
                for _ in 0..rng.random_range(1..4u32) {
                    let at = rng.random_range(0..damaged.len() as u32) as usize;
                    damaged[at] = rng.next_u32() as u8;
                }
                let crc = crc32c::checksum(&damaged[ATTRIBUTES_AT..]);
                damaged[CRC_AT..ATTRIBUTES_AT].copy_from_slice(&crc.to_be_bytes());
                refused += u32::from(decode(&damaged).is_err());
            }
        }
        assert!(refused > 1_000, "only {refused} damaged batches were refused");
    }
}
