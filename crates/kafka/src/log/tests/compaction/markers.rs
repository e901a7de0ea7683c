//! Transactions in compaction: when their records, their markers and what was emptied of them go. Numbers of Kafka's
//! `LogCleanerTest`.

use super::*;

impl Compacted {
    fn seen(&self) -> (Vec<i64>, Vec<i64>) {
        (self.offsets(), self.last_offsets())
    }

    fn compact_all_twice(&mut self) {
        self.compact_from(Offset::ZERO, ALL_KEYS, NOW.0);
        self.compact_from(Offset::ZERO, ALL_KEYS, NOW.0 + DAY_MS + 1);
    }
}

/// `testCommitMarkerRetentionWithEmptyBatch`.
#[test]
fn a_commit_marker_stays_while_an_empty_batch_of_its_transaction_does() {
    let mut log = Compacted::new();
    log.transact(1, &[2, 3]);
    log.roll();
    log.transact(2, &[2, 3]);
    log.end(2, Commit);
    log.roll();
    [2, 3].iter().for_each(|key| log.append(&keyed(&[*key])));
    log.end(1, Commit);
    log.roll();
    for pass in 0..2 {
        log.compact_at(NOW.0);
        assert_eq!(log.seen(), (vec![4, 5, 6, 7], vec![1, 3, 4, 5, 6, 7]), "pass {pass}");
    }
    log.transact(2, &[1]);
    log.end(2, Commit);
    log.roll();
    log.compact_at(NOW.0);
    assert_eq!((log.seen(), log.keys()), ((vec![4, 5, 6, 7, 8, 9], vec![1, 4, 5, 6, 7, 8, 9]), vec![2, 3, 1]));
    log.compact_twice();
    assert_eq!((log.seen(), log.keys()), ((vec![5, 6, 7, 8, 9], vec![1, 5, 6, 7, 8, 9]), vec![2, 3, 1]));
}

/// `testDeletedBatchesWithNoMessagesRead`.
#[test]
fn a_batch_may_go_wholly_and_its_marker_later() {
    let mut log = Compacted::new();
    log.transact(1, &[1]);
    log.end(1, Abort);
    log.transact(1, &[2]);
    log.transact(1, &[2]);
    log.end(1, Commit);
    log.roll();
    log.compact_at(NOW.0);
    assert_eq!((log.keys(), log.offsets()), (vec![2], vec![1, 3, 4]));
    log.compact_all_twice();
    assert_eq!((log.keys(), log.offsets()), (vec![2], vec![3, 4]));
}

/// `testEmptyBatchRemovalWithSequenceReuse`.
#[test]
fn an_empty_batch_goes_though_a_later_one_has_its_sequence_number() {
    let mut log = Compacted::new();
    for key in [1, 2] {
        let batch = keyed(&[key]).stamped(stamp(1, 0, 0), true);
        log.bench.append_as(AppendOrigin::Replication, &batch, 0).unwrap();
        log.end(1, Commit);
    }
    [1, 2].iter().for_each(|key| log.append(&keyed(&[*key])));
    log.roll();
    log.compact_at(NOW.0);
    assert_eq!(log.seen(), (vec![1, 3, 4, 5], vec![1, 2, 3, 4, 5]));
    log.compact_all_twice();
    assert_eq!(log.seen(), (vec![3, 4, 5], vec![2, 3, 4, 5]));
}

/// `testCommittedTransactionSpanningSegments` and `testAbortedTransactionSpanningSegments`.
#[test]
fn a_marker_stays_with_a_batch_of_its_transaction_in_another_segment() {
    for (result, offsets) in [(Commit, vec![0, 1]), (Abort, vec![1])] {
        let mut log = Compacted::new();
        log.transact(1, &[1]);
        log.roll();
        log.end(1, result);
        log.roll();
        for time in [NOW.0, END_OF_TIME] {
            log.compact_from(Offset::ZERO, ALL_KEYS, time);
            assert_eq!(log.seen(), (offsets.clone(), vec![0, 1]), "{result:?} at {time}");
        }
    }
}

/// `testCleaningWithKeysConflictingWithTxnMarkerKeys`.
#[test]
fn a_record_with_the_key_of_a_marker_takes_nothing_from_the_marker() {
    let mut log = Compacted::new();
    log.transact(1, &[1]);
    log.end(1, Commit);
    let like_a_marker = Record::new(Some(&[0, 0, 0, 1]), Some(b"foo"), NOW);
    log.append(&RecordBatch::from_producer(vec![like_a_marker]).stamped(stamp(2, 0, 0), true));
    log.end(2, Commit);
    log.roll();
    log.compact_at(NOW.0);
    assert_eq!(log.seen(), (vec![0, 1, 2, 3], vec![0, 1, 2, 3]));
}

fn records_in_segments(log: &Compacted) -> Vec<usize> {
    log.bench.log.segments().segments().map(LogSegment::len).collect()
}

/// `testCleaningWithUncleanableSection`.
#[test]
fn uncleanable_segments_stay_as_they_are() {
    let mut log = Compacted::new();
    log.bench.config.segment_bytes = 1024;
    let fill = |log: &mut Compacted, segments: usize| {
        while log.bench.log.segments().count() < segments {
            let key = log.bench.log.log_end_offset().0 % 10;
            log.append(&keyed(&[key as i32]));
        }
    };
    fill(&mut log, 7);
    let first_uncleanable_offset = log.bench.log.segments().at(2).unwrap().base_offset();
    let before = records_in_segments(&log);
    assert!(before[..6].iter().all(|count| *count > 10));
    let to_clean = cleaner::LogToClean { first_dirty_offset: Offset::ZERO, first_uncleanable_offset, ..log.to_clean() };
    let context = LogContext { config: &log.bench.config, wall_time: NOW };
    log.bench.log.compact(&to_clean, ALL_KEYS, &context, &mut log.bench.effects);
    assert_eq!(log.bench.log.cleaner_offset(), Some(first_uncleanable_offset));
    assert_eq!(records_in_segments(&log), [&[0, 10][..], &before[2..]].concat());
}

/// `testCleaningWithDeletes`.
#[test]
fn keys_with_tombstones_have_no_values_any_more() {
    let mut log = Compacted::new();
    log.bench.config.segment_bytes = 1024;
    let next_key = |log: &Compacted| log.bench.log.log_end_offset().0 as i32;
    while log.bench.log.segments().count() < 2 {
        log.append(&keyed(&[next_key(&log)]));
    }
    let end = next_key(&log);
    (0..end).step_by(2).for_each(|key| log.append(&tombstone(key)));
    while log.bench.log.segments().count() < 4 {
        log.append(&keyed(&[next_key(&log)]));
    }
    log.bench.log.update_high_watermark(log.bench.log.log_end_offset());
    log.compact_at(NOW.0);
    for (key, (_, is_tombstone)) in last_of_each_key(&log) {
        let key: i32 = std::str::from_utf8(&key).unwrap().parse().unwrap();
        assert_eq!(is_tombstone, key < end && key % 2 == 0, "{key}");
    }
    assert_eq!(log.keys().iter().filter(|key| **key == 0).count(), 1);
}

/// `testSegmentGroupingWithSparseOffsetsAndEmptySegments`.
#[test]
fn empty_segments_far_apart_become_one() {
    const SPAN: i64 = i32::MAX as i64 + 1;
    let mut log = Compacted::new();
    for number in 1..=3 {
        log.append(&keyed(&[0]));
        let far = keyed(&[0]).appended_at(Offset(number * SPAN - 1), LeaderEpoch(0));
        log.bench.replicate_batch(&Arc::new(far)).unwrap();
        assert_eq!(log.bench.log.segments().count() as i64, number);
    }
    log.append(&keyed(&[0]));
    log.bench.log.update_high_watermark(log.bench.log.log_end_offset());
    for segments in [4, 3] {
        log.compact_from(Offset::ZERO, ALL_KEYS, NOW.0);
        assert_eq!((log.bench.log.segments().count(), log.offsets()), (segments, vec![3 * SPAN - 1, 3 * SPAN]));
        assert!(log.bench.log.segments().at(0).unwrap().is_empty());
    }
}

/// `LogCleanerManagerTest.testCleanableOffsetsForTime`.
#[test]
fn what_is_younger_than_the_lag_begins_the_uncleanable_part() {
    const LAG_MS: i64 = 3_600_000;
    let mut log = Compacted::new();
    log.bench.config.segment_bytes = 1024;
    log.bench.config.min_compaction_lag_ms = LAG_MS;
    let fill = |log: &mut Compacted, segments: usize| {
        while log.bench.log.segments().count() < segments {
            let record = Record::new(Some(b"key"), Some(b"v"), log.bench.now);
            log.append(&RecordBatch::from_producer(vec![record]));
        }
    };
    fill(&mut log, 4);
    let active_before = log.bench.log.segments().active().base_offset();
    log.bench.now.0 += LAG_MS + 1;
    fill(&mut log, 8);
    log.bench.log.update_high_watermark(log.bench.log.log_end_offset());
    let to_clean = log.to_clean();
    assert_eq!((to_clean.first_dirty_offset, to_clean.first_uncleanable_offset), (Offset::ZERO, active_before));
}

/// `LogCleanerManagerTest.testDirtyOffsetLargerThanActiveSegmentBaseOffset` and
/// `testLogStartOffsetLargerThanActiveSegmentBaseOffset`.
#[test]
fn nothing_of_the_active_segment_is_due() {
    for (checkpoint, start) in [(3, 0), (0, 2)] {
        let mut log = Compacted::new();
        (0..6).for_each(|key| log.append(&keyed(&[key])));
        log.bench.log.update_high_watermark(Offset(6));
        log.bench.log.maybe_increment_log_start_offset(Offset(start), &mut log.bench.effects).unwrap();
        log.bench.log.set_cleaner_offset(Offset(checkpoint), &mut log.bench.effects);
        assert_eq!(log.to_clean().cleanable_bytes, 0);
        assert!(!log.to_clean().is_due(&log.bench.config));
    }
}

/// `testLogToCleanWithUncleanableSection`, `testLogToClean` and `testGrabFilthiestCompactedLogReturnsLogWithDirtiestRatio`.
#[test]
fn bytes_are_clean_cleanable_or_neither_and_the_dirtiest_log_comes_first() {
    let measured = |segments: i64| {
        let mut log = Compacted::new();
        log.bench.config.segment_bytes = keyed(&[1]).size_in_bytes();
        (0..6).for_each(|_| log.append(&keyed(&[1])));
        log.bench.log.update_high_watermark(Offset(2 + segments));
        log.bench.log.set_cleaner_offset(Offset(2), &mut log.bench.effects);
        log.to_clean()
    };
    let size = u64::from(keyed(&[1]).size_in_bytes().unsigned_abs());
    let logs = [measured(0), measured(2), measured(3)];
    let bytes = logs.map(|log| (log.clean_bytes / size, log.cleanable_bytes / size));
    assert_eq!(bytes, [(2, 0), (2, 2), (2, 3)]);
    assert_eq!(logs.iter().max_by(|one, other| one.compare_dirtiness(other)), Some(&logs[2]));
}
