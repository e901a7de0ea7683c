//! Bytes that are not a batch. Numbers of Kafka's `DefaultRecordBatchTest` and `DefaultRecordTest`; and every bit, every
//! length and every end of the recorded batches.

use super::*;

fn three() -> RecordBatch {
    let records = [("a", "1", 1), ("b", "2", 2), ("c", "3", 3)];
    RecordBatch::from_producer(records.map(|(key, value, time)| record(Some(key), Some(value), time)).to_vec())
}

fn with_int(bytes: &[u8], at: usize, value: i32) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
    bytes
}

fn with_length(bytes: Vec<u8>) -> Vec<u8> {
    let length = (bytes.len() - LOG_OVERHEAD) as i32;
    with_int(&bytes, 8, length)
}

const COUNT_AT: usize = 57;
const LAST_OFFSET_DELTA_AT: usize = 23;

#[test]
fn a_batch_that_says_it_is_too_small_or_has_another_checksum_is_corrupt() {
    let bytes = encode(&three()).unwrap();
    for damaged in [with_int(&bytes, 8, 10), with_int(&bytes, LAST_OFFSET_DELTA_AT, 23)] {
        assert_eq!(decode(&damaged).unwrap_err().error_code(), ErrorCode::CorruptMessage);
    }
}

#[test]
fn more_or_fewer_records_than_counted_are_invalid() {
    let bytes = encode(&three()).unwrap();
    for count in [5, 2, -1, i32::MIN, i32::MAX] {
        let damaged = with_crc(with_int(&bytes, COUNT_AT, count));
        assert_eq!(decode(&damaged).unwrap_err().error_code(), ErrorCode::InvalidRecord, "{count}");
    }
}

#[test]
fn what_the_leader_writes_needs_no_new_checksum() {
    let bytes = encode(&three()).unwrap();
    let stamped = encode(&three().appended_at(Offset(498), LeaderEpoch(500))).unwrap();
    assert_eq!(bytes[MAGIC_AT..], stamped[MAGIC_AT..]);
    let (read, _) = decode(&stamped).unwrap();
    assert_eq!((read.base_offset, read.last_offset()), (Offset(498), Offset(500)));
    assert_eq!(read.partition_leader_epoch, LeaderEpoch(500));
}

#[test]
fn sequence_numbers_wrap_around_within_a_batch() {
    let stamp = ProducerStamp {
        producer_id: ProducerId(23_423),
        producer_epoch: ProducerEpoch(145),
        base_sequence: i32::MAX - 1,
    };
    let batch = three().stamped(stamp, false).appended_at(Offset(1_234_567), LeaderEpoch(0));
    let (read, _) = decode(&encode(&batch).unwrap()).unwrap();
    assert_eq!((read.base_sequence, read.last_sequence()), (i32::MAX - 1, 0));
    assert_eq!((read.last_offset(), read.max_timestamp), (Offset(1_234_569), Timestamp(3)));
}

/// A batch with one record of these bytes behind its length.
fn with_record(length: i64, body: &[u8]) -> Vec<u8> {
    let mut bytes = encode(&three()).unwrap()[..BATCH_HEADER_BYTES as usize].to_vec();
    varint::write(length, &mut bytes);
    bytes.extend_from_slice(body);
    with_crc(with_int(&with_length(bytes), COUNT_AT, 1))
}

/// Attributes, timestamp delta 2, offset delta 1, these numbers, and zeros up to a hundred bytes.
fn padded(numbers: &[i64]) -> Vec<u8> {
    let mut body = vec![0];
    [2, 1].iter().chain(numbers).for_each(|number| varint::write(*number, &mut body));
    body.resize(100, 0);
    body
}

#[test]
fn records_whose_parts_do_not_fit_are_invalid() {
    let long_varlong = [&[0][..], &[0xff; 9], &[0x80]].concat();
    let table: [(&str, Vec<u8>); 9] = [
        ("a key beyond the record", padded(&[105])),
        ("a value beyond the record", padded(&[-1, 105])),
        ("fewer headers than none", padded(&[-1, -1, -1])),
        ("more headers than bytes", padded(&[-1, -1, 100])),
        ("a header key beyond the record", padded(&[-1, -1, 1, 105])),
        ("a header without a key", padded(&[-1, -1, 1, -1])),
        ("a header value beyond the record", padded(&[-1, -1, 1, 1, -1, 105])),
        ("no timestamp", vec![0]),
        ("a timestamp that does not end", long_varlong),
    ];
    for (what, body) in table {
        let read = decode(&with_record(body.len() as i64, &body));
        assert_eq!(read.map_err(DecodeError::error_code), Err(ErrorCode::InvalidRecord), "{what}");
    }
}

#[test]
fn a_record_has_as_many_bytes_and_headers_as_it_says() {
    let mut full = record(Some("hi"), Some("there"), 15);
    full.headers = Arc::new([
        Header { key: "foo".into(), value: Some(Bytes::from(&b"value"[..])) },
        Header { key: "bar".into(), value: None },
        Header { key: "\"A\u{ea}\u{f1}\u{fc}C\"".into(), value: Some(Bytes::from(&b"value"[..])) },
    ]);
    let batch = RecordBatch::from_producer(vec![full.clone()]);
    let bytes = encode(&batch).unwrap();
    assert_eq!(decode(&bytes), Ok((batch, bytes.len())));
    let headers_at = bytes.iter().position(|byte| *byte == 6).unwrap();
    for doubled_count in [4, 8] {
        let damaged = with_crc(changed(&bytes, headers_at, doubled_count));
        assert_eq!(decode(&damaged).unwrap_err().error_code(), ErrorCode::InvalidRecord, "{doubled_count}");
    }
    let body = &bytes[BATCH_HEADER_BYTES as usize + 1..];
    for length in [0, body.len() as i64 - 1, body.len() as i64 + 1, -1, i64::from(i32::MAX), i64::from(i32::MIN)] {
        let read = decode(&with_record(length, body));
        assert_eq!(read.map_err(DecodeError::error_code), Err(ErrorCode::InvalidRecord), "{length}");
    }
    let sizes = [(Some("key"), Some("value")), (None, Some("value")), (Some("key"), None), (None, None)];
    let some = sizes.map(|(key, value)| record(key, value, 30_000)).to_vec();
    let batch = RecordBatch::from_producer([some, vec![full]].concat());
    assert_eq!(encode(&batch).unwrap().len() as i32, batch.size_in_bytes());
}

/// Kafka reads a header's key as Java reads text: what is not UTF-8 is shown as U+FFFD, and is no error.
#[test]
fn a_header_key_that_is_no_text_is_still_read() {
    let mut body = vec![0];
    [0, 0, -1, -1, 1, 1].iter().for_each(|number| varint::write(*number, &mut body));
    body.push(0xff);
    varint::write(-1, &mut body);
    let (read, _) = decode(&with_record(body.len() as i64, &body)).unwrap();
    assert_eq!(&*read.records()[0].headers[0].key, "\u{fffd}");
}

#[test]
fn each_cut_of_a_recorded_batch_is_noticed() {
    for (_, text) in recorded() {
        let bytes = hex(text);
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length]), Err(DecodeError::Truncated), "{length} bytes of {text}");
            if length > MAGIC_AT {
                let shortened = with_length(bytes[..length].to_vec());
                assert!(decode(&shortened).is_err(), "{length} bytes of {text}, and the header says so");
            }
            if length >= BATCH_HEADER_BYTES as usize {
                let consistent = with_crc(with_length(bytes[..length].to_vec()));
                assert!(decode(&consistent).is_err(), "{length} bytes of {text}, with a checksum");
            }
        }
    }
}

#[test]
fn each_flipped_bit_of_a_recorded_batch_is_noticed_unless_the_leader_writes_it() {
    for (_, text) in recorded() {
        let bytes = hex(text);
        for bit in 0..8 * bytes.len() {
            let (at, flipped) = (bit / 8, changed(&bytes, bit / 8, bytes[bit / 8] ^ 1 << (bit % 8)));
            match at {
                0..8 | 12..MAGIC_AT => assert!(decode(&flipped).is_ok(), "bit {bit} of {text}"),
                8..12 => {
                    let error = decode(&flipped).unwrap_err();
                    assert!(matches!(error, DecodeError::Truncated | DecodeError::TooSmall | DecodeError::BadChecksum));
                }
                MAGIC_AT => {
                    assert_eq!(decode(&flipped), Err(DecodeError::UnsupportedMagic(2 ^ 1 << (bit % 8))));
                }
                _ => assert_eq!(decode(&flipped), Err(DecodeError::BadChecksum), "bit {bit} of {text}"),
            }
        }
    }
}

/// Whatever is read has as many records as were counted, and can be written again.
fn read_is_sound(bytes: &[u8]) -> bool {
    match decode(bytes) {
        Ok((batch, size)) => {
            assert_eq!(size, bytes.len());
            assert!(encode(&batch).is_some());
            true
        }
        Err(error) => {
            assert_ne!(error.to_string(), "");
            assert_ne!(error.error_code(), ErrorCode::None);
            false
        }
    }
}

#[test]
fn damage_behind_a_right_checksum_is_read_or_refused_without_a_panic() {
    let (mut read, mut refused) = (0, 0);
    for (_, text) in recorded() {
        let bytes = hex(text);
        for at in ATTRIBUTES_AT..bytes.len() {
            for byte in 0..=255 {
                let is_sound = read_is_sound(&with_crc(changed(&bytes, at, byte)));
                if is_sound { read += 1 } else { refused += 1 }
            }
        }
        for at in ATTRIBUTES_AT..=bytes.len() - 4 {
            for number in [i32::MIN, -1, i32::MAX, 1 << 30] {
                read_is_sound(&with_crc(with_int(&bytes, at, number)));
            }
        }
    }
    assert!(read > 10_000 && refused > 10_000, "{read} read, {refused} refused");
}
