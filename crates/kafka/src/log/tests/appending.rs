//! What leaders and followers append, and what they refuse. Numbers of Kafka's `UnifiedLogTest`.

use super::producers::stamp;
use super::*;

/// `testAppendInfoFirstOffset`.
#[test]
fn offsets_go_on_in_the_next_segment() {
    let mut bench = Bench::new();
    let mut first_offset = |rolls: bool| {
        if rolls {
            bench.roll();
        }
        bench.append(&records(3, 0), 0).unwrap().first_offset.0
    };
    assert_eq!([first_offset(false), first_offset(false), first_offset(true)], [0, 3, 6]);
}

/// `testMessageSizeCheckInAppendAsFollower`.
#[test]
fn a_follower_takes_batches_that_are_too_large_for_a_producer() {
    let mut bench = Bench::new();
    bench.config.max_message_bytes = records(2, 0).size_in_bytes() - 1;
    assert_eq!(bench.append(&records(2, 0), 0).unwrap_err().error, ErrorCode::MessageTooLarge);
    bench.replicate(0, 1, 0).unwrap();
    bench.replicate(5, 2, 0).unwrap();
    assert_eq!(bench.log.log_end_offset(), Offset(7));
}

fn with_keys(keys: &[Option<&[u8]>]) -> RecordBatch {
    RecordBatch::from_producer(keys.iter().map(|key| Record::new(*key, Some(b"v"), Timestamp(0))).collect())
}

/// `testCompactedTopicConstraints`.
#[test]
fn a_compacted_topic_takes_no_batch_in_which_a_key_is_missing() {
    let key = Some(&b"key"[..]);
    for (keys, index) in [(&[None][..], 0), (&[None, key], 0), (&[key, None], 1)] {
        let mut bench = Bench::new();
        bench.config.cleanup_policy = CleanupPolicy::Compact;
        let refused = bench.append(&with_keys(keys), 0).unwrap_err();
        assert_eq!(refused.error, ErrorCode::InvalidRecord);
        assert!(refused.message.unwrap().contains(&format!("[RecordError(batchIndex={index}, ")));
        for accepted in [&[key][..], &[key, key]] {
            bench.append(&with_keys(accepted), 0).unwrap();
        }
        assert_eq!(bench.log.log_end_offset(), Offset(3));
    }
}

/// `LogValidator.processRecordErrors`: one bad timestamp, and missing keys are not spoken of.
#[test]
fn of_several_faults_in_a_batch_a_timestamp_is_told() {
    let refused = |timestamps: [i64; 2]| {
        let mut bench = Bench::new();
        bench.config.cleanup_policy = CleanupPolicy::Compact;
        bench.config.message_timestamp_before_max_ms = 10;
        let (keyless, keyed) = (None, Some(&b"key"[..]));
        let record = |(key, time)| Record::new(key, Some(b"v"), Timestamp(time));
        let batch = RecordBatch::from_producer([keyless, keyed].into_iter().zip(timestamps).map(record).collect());
        bench.append(&batch, 0).unwrap_err().error
    };
    assert_eq!(refused([NOW.0, NOW.0]), ErrorCode::InvalidRecord);
    assert_eq!(refused([NOW.0, NOW.0 - 11]), ErrorCode::InvalidTimestamp);
    assert_eq!(
        refused([NOW.0 - 11, NOW.0]),
        ErrorCode::InvalidRecord,
        "the record without a key is not looked at further"
    );
}

#[test]
fn a_batch_larger_than_a_segment_is_refused_when_its_epoch_has_begun() {
    let mut bench = Bench::new();
    bench.append_singly(2, 0);
    bench.config.segment_bytes = 70;
    assert_eq!(bench.append(&records(1, 0), 3).unwrap_err().error, ErrorCode::RecordListTooLarge);
    assert_eq!((bench.epochs(), bench.offsets()), (vec![(0, 0), (3, 2)], (0, 0, 2)));
}

/// `testDuplicateAppendToFollower` and `testMultipleProducersWithDuplicatesInSingleAppend`.
#[test]
fn a_follower_does_not_look_for_duplicates() {
    type Batch = (i64, i64, i32, usize);
    let table: [(&[Batch], i64); 2] = [
        (&[(0, 1, 0, 2), (2, 1, 0, 2)], 4),
        (&[(0, 1, 0, 1), (1, 2, 0, 1), (2, 1, 1, 1), (3, 2, 1, 1), (4, 1, 1, 1)], 5),
    ];
    for (batches, end) in table {
        let mut bench = Bench::new();
        for (offset, producer, sequence, count) in batches {
            let batch = records(*count, NOW.0).stamped(stamp(*producer, 0, *sequence), false);
            bench.replicate_batch(&Arc::new(batch.appended_at(Offset(*offset), LeaderEpoch(0)))).unwrap();
        }
        assert_eq!(bench.log.log_end_offset(), Offset(end));
    }
}

/// `testRollSegmentThatAlreadyExists`.
#[test]
fn an_empty_segment_is_rolled_in_its_place() {
    let mut bench = Bench::new();
    bench.roll();
    assert_eq!(bench.log.segments().count(), 1);
    bench.replicate(0, 1, 0).unwrap();
    bench.replicate(1, 1, 0).unwrap();
    assert_eq!((bench.log.segments().count(), bench.log.log_end_offset()), (1, Offset(2)));
    for _ in 0..2 {
        bench.roll();
        assert_eq!((bench.log.segments().count(), bench.log.segments().active().base_offset()), (2, Offset(2)));
    }
    bench.replicate(2, 1, 0).unwrap();
    assert_eq!((bench.log.segments().count(), bench.log.log_end_offset()), (2, Offset(3)));
}

/// `testLogRolls`.
#[test]
fn a_log_of_a_hundred_segments_has_every_record_and_is_flushed_up_to_the_last_of_them() {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 100;
    (0..100).for_each(|time| bench.append(&records(1, time), 0).map(drop).unwrap());
    assert_eq!(bench.log.segments().count(), 100);
    let limit = ReadLimit { max_bytes: 1 << 20, at_least_one_batch: true };
    for offset in 0..100 {
        let read = bench.log.read(Offset(offset), Offset(100), limit).unwrap();
        let [batch] = &read.batches[..] else { panic!("one batch at {offset}") };
        assert_eq!((batch.base_offset, batch.max_timestamp), (Offset(offset), Timestamp(offset)));
    }
    assert_eq!(read(&bench.log, 100, 100, limit), Ok(vec![]));
    assert_eq!(bench.log.recovery_point(), Offset(99));
}

fn singles(offsets: std::ops::Range<i64>, epoch: i32) -> Vec<Arc<RecordBatch>> {
    offsets.map(|offset| Arc::new(records(1, 0).appended_at(Offset(offset), LeaderEpoch(epoch)))).collect()
}

#[test]
fn what_a_fetch_brings_goes_into_one_segment_and_gets_one_index_entry() {
    let mut bench = Bench::new();
    let size = records(1, 0).size_in_bytes();
    bench.config.segment_bytes = 5 * size;
    bench.config.index_interval_bytes = 0;
    bench.roll();
    for fetched in [0..2, 2..5, 5..6, 6..10, 10..12] {
        bench.replicate_batches(&singles(fetched, 0)).unwrap();
    }
    let segments: Vec<(i64, Vec<i64>)> = bench
        .log
        .segments()
        .segments()
        .map(|segment| (segment.base_offset().0, segment.index().iter().map(|entry| entry.offset.0).collect()))
        .collect();
    assert_eq!(segments, [(0, vec![4]), (5, vec![9]), (10, vec![])]);
}

#[test]
fn a_follower_takes_no_more_at_once_than_a_segment_may_hold() {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 2 * records(1, 0).size_in_bytes();
    bench.replicate_batches(&singles(0..2, 0)).unwrap();
    assert_eq!(bench.replicate_batches(&singles(2..5, 1)), Err(FollowerAppendError::TooLarge));
    assert_eq!((bench.offsets(), bench.epochs()), ((0, 0, 2), vec![(0, 0), (1, 2)]));
}
