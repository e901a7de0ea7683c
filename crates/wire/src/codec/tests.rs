//! Batches as Kafka's own classes write them, and damage of every kind.

mod malformed;

use super::*;
use crate::ProducerStamp;
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::sync::Arc;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn record(key: Option<&str>, value: Option<&str>, timestamp: i64) -> Record {
    Record::new(key.map(str::as_bytes), value.map(str::as_bytes), Timestamp(timestamp))
}

fn with_crc(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::checksum(&bytes[ATTRIBUTES_AT..]);
    bytes[CRC_AT..ATTRIBUTES_AT].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn changed(bytes: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] = byte;
    bytes
}

fn marker(result: TransactionResult) -> RecordBatch {
    let marker = EndTransactionMarker { result, coordinator_epoch: 9 };
    RecordBatch::of_end_transaction(marker, ProducerId(17), ProducerEpoch(3), Timestamp(1000))
        .appended_at(Offset(42), LeaderEpoch(7))
}

const COMMIT_MARKER: &str = "000000000000002a000000420000000702c01f0f6100300000000000000000000003e800000000000003e800000000000000110003ffffffff000000012000000008000000010c00000000000900";

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
    let stamp =
        |base_sequence| ProducerStamp { producer_id: ProducerId(17), producer_epoch: ProducerEpoch(3), base_sequence };
    let two = vec![record(Some("k"), Some("v"), 1), record(Some("k"), Some("v"), 2)];
    let idempotent = RecordBatch::from_producer(two).stamped(stamp(i32::MAX), false);
    let one = RecordBatch::from_producer(vec![record(Some("k"), Some("v"), 1)]);
    let compacted = RecordBatch::from_producer(vec![record(Some("k"), None, 1000); 3])
        .stamped(stamp(4), false)
        .appended_at(Offset(10), LeaderEpoch(7))
        .retaining(BatchBody::Records(Arc::default()), None);
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
            idempotent.appended_at(Offset(100), LeaderEpoch(7)),
            "0000000000000064000000430000000702d501a7db00000000000100000000000000010000000000000002000000000000001100037fffffff0000000210000000026b02760010000202026b027600",
        ),
        (
            one.stamped(stamp(0), true),
            "00000000000000000000003affffffff022dc6b07d0010000000000000000000000001000000000000000100000000000000110003000000000000000110000000026b027600",
        ),
        (marker(TransactionResult::Commit), COMMIT_MARKER),
        (
            compacted,
            "000000000000000a000000310000000702bf92db2e000000000002ffffffffffffffff00000000000003e8000000000000001100030000000400000000",
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
fn an_abort_marker_differs_from_a_commit_in_one_byte_and_the_checksum() {
    let abort = encode(&marker(TransactionResult::Abort)).unwrap();
    assert_eq!(abort[CRC_AT..ATTRIBUTES_AT], 874_633_513_u32.to_be_bytes());
    assert_eq!(with_crc(changed(&abort, 69, 1)), hex(COMMIT_MARKER));
    assert_eq!(decode(&abort).unwrap().0, marker(TransactionResult::Abort));
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
fn a_batch_with_a_delete_horizon_counts_its_timestamps_from_there() {
    let records = vec![record(Some("a"), None, 1000), record(Some("b"), Some("v"), 1005)];
    let batch = RecordBatch::from_producer(records);
    let horizon = batch.retaining(batch.body.clone(), Some(Timestamp(86_401_000)));
    let bytes = encode(&horizon).unwrap();
    assert_eq!((bytes[22], &bytes[27..35]), (0x40, &86_401_000_i64.to_be_bytes()[..]));
    assert_eq!(bytes.len() as i32, horizon.size_in_bytes());
    assert_eq!(decode(&bytes), Ok((horizon, bytes.len())));
}

#[test]
fn what_compaction_leaves_of_a_marker_is_still_a_control_batch() {
    let marker = EndTransactionMarker { result: TransactionResult::Commit, coordinator_epoch: 9 };
    let batch = RecordBatch::of_end_transaction(marker, ProducerId(17), ProducerEpoch(3), Timestamp(1000));
    let empty = batch.retaining(BatchBody::EmptyControl, None);
    let bytes = encode(&empty).unwrap();
    assert_eq!((bytes.len(), bytes[22]), (61, 0x30));
    assert_eq!(decode(&bytes), Ok((empty, 61)));
}

#[test]
fn what_cannot_be_read_says_what_it_would_need() {
    for (number, text) in [
        (1, "the records are compressed with gzip: a decompressor is needed"),
        (2, "the records are compressed with snappy: a decompressor is needed"),
        (3, "the records are compressed with lz4: a decompressor is needed"),
        (4, "the records are compressed with zstd: a decompressor is needed"),
    ] {
        let error = decode(&with_crc(changed(&hex(ONE_VALUE), 22, number))).unwrap_err();
        assert_eq!((error.error_code(), error.to_string().as_str()), (ErrorCode::UnsupportedCompressionType, text));
    }
    let unknown = decode(&with_crc(changed(&hex(ONE_VALUE), 22, 5))).unwrap_err();
    assert_eq!(unknown, DecodeError::UnknownCompression(5));
    assert_eq!(unknown.error_code(), ErrorCode::UnknownServerError);
    let of_type = |number: u8| decode(&with_crc(changed(&hex(COMMIT_MARKER), 69, number)));
    let unread = |kind| Err(DecodeError::MetadataControlRecord(kind));
    assert_eq!(of_type(2), unread(ControlRecordType::LeaderChange));
    assert_eq!(of_type(3), unread(ControlRecordType::SnapshotHeader));
    assert_eq!(of_type(4), unread(ControlRecordType::SnapshotFooter));
    assert_eq!(of_type(5), unread(ControlRecordType::KRaftVersion));
    assert_eq!(of_type(6), unread(ControlRecordType::KRaftVoters));
    assert_eq!(of_type(7), Err(DecodeError::UnknownControlRecord(7)));
}

#[test]
fn damaged_batches_are_refused() {
    let good = hex(ONE_VALUE);
    let changed = |at: usize, byte: u8| changed(&good, at, byte);
    assert_eq!(decode(&good[..71]), Err(DecodeError::Truncated));
    assert_eq!(decode(&changed(11, 0x10)), Err(DecodeError::TooSmall));
    assert_eq!(decode(&changed(16, 1)), Err(DecodeError::UnsupportedMagic(1)));
    assert_eq!(decode(&changed(16, 1)).unwrap_err().error_code(), ErrorCode::InvalidRecord);
    assert_eq!(decode(&changed(16, 3)).unwrap_err().error_code(), ErrorCode::CorruptMessage);
    assert_eq!(decode(&changed(70, 0)), Err(DecodeError::BadChecksum));
    assert_eq!(decode(&with_crc(changed(57, 0x80))), Err(DecodeError::Malformed));
    assert_eq!(decode(&with_crc(changed(60, 0))), Err(DecodeError::TrailingBytes));
    assert_eq!(decode(&with_crc(changed(60, 2))), Err(DecodeError::Malformed));
    assert_eq!(decode(&with_crc(changed(22, 0x20))), Err(DecodeError::Malformed));
    assert_eq!(decode(&with_crc(changed(66, 0x7f))), Err(DecodeError::Malformed));
    assert_eq!(decode(&changed(70, 0)).unwrap_err().error_code(), ErrorCode::CorruptMessage);
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

/// A batch of any kind: with records of a producer or without, retained by compaction or not, or a marker.
fn random_batch(rng: &mut Xoshiro256PlusPlus) -> RecordBatch {
    let stamp = ProducerStamp {
        producer_id: ProducerId(rng.random_range(0..9)),
        producer_epoch: ProducerEpoch(rng.random_range(0..9)),
        base_sequence: rng.random_range(0..i32::MAX),
    };
    let records: Vec<Record> = (0..rng.random_range(1..5u32)).map(|_| random_record(rng)).collect();
    let batch = match rng.random_range(0..4u32) {
        0 => marker(TransactionResult::Abort),
        1 => RecordBatch::from_producer(records),
        _ => RecordBatch::from_producer(records).stamped(stamp, rng.random_bool(0.5)),
    };
    let horizon = rng.random_bool(0.5).then(|| Timestamp(rng.random_range(0..1 << 40)));
    let retained = match &batch.body {
        BatchBody::Records(records) => {
            let kept: Vec<Record> = records.iter().filter(|_| rng.random_bool(0.7)).cloned().collect();
            batch.retaining(BatchBody::Records(kept.into()), horizon)
        }
        BatchBody::Metadata(_)
        | BatchBody::EndTransaction(_)
        | BatchBody::EmptyControl
        | BatchBody::LeaderChange(_)
        | BatchBody::SnapshotHeader { .. }
        | BatchBody::SnapshotFooter => batch.clone(),
    };
    let kept = if rng.random_bool(0.5) { retained } else { batch };
    kept.appended_at(Offset(rng.random_range(0..1 << 50)), LeaderEpoch(rng.random_range(0..99)))
}

/// What the checksum does not cover may read as something else; everything else is noticed.
#[test]
fn a_flipped_bit_is_noticed_or_changes_only_what_the_leader_writes() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let mut kept = 0u32;
    for _ in 0..500 {
        let batch = random_batch(&mut rng);
        let bytes = encode(&batch).unwrap();
        assert_eq!(decode(&bytes), Ok((batch.clone(), bytes.len())));
        for _ in 0..50 {
            let bit = rng.random_range(0..bytes.len() as u32 * 8);
            let mut flipped = bytes.clone();
            flipped[bit as usize / 8] ^= 1 << (bit % 8);
            if let Ok((read, _)) = decode(&flipped) {
                assert_eq!(read.appended_at(batch.base_offset, batch.partition_leader_epoch), batch, "bit {bit}");
                kept += 1;
            }
        }
    }
    assert!(kept > 100, "only {kept} flips hit what the leader writes");
}

#[test]
fn random_bytes_are_refused_without_a_panic() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    for _ in 0..20_000 {
        let length = rng.random_range(0..160u32);
        let mut bytes: Vec<u8> = (0..length).map(|_| rng.next_u32() as u8).collect();
        assert!(decode(&bytes).is_err(), "{bytes:?}");
        if bytes.len() >= BATCH_HEADER_BYTES as usize {
            bytes[8..LOG_OVERHEAD].copy_from_slice(&(length as i32 - LOG_OVERHEAD as i32).to_be_bytes());
            bytes[MAGIC_AT] = MAGIC;
            let read = decode(&with_crc(bytes));
            assert!(read.is_err() || read.is_ok_and(|(batch, _)| batch.records_count() == 0));
        }
    }
}
