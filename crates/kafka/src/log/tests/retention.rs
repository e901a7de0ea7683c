//! Retention. Numbers of Kafka's `UnifiedLogTest`.

use super::producers::stamp;
use super::*;
use crate::event::DeletionReason;

const DAY_MS: i64 = 86_400_000;

fn test_record(timestamp: i64) -> RecordBatch {
    RecordBatch::from_producer(vec![Record::new(Some(b"test"), Some(b"test"), Timestamp(timestamp))])
}

/// A log of three full segments, five records in each, and all of it committed.
fn three_segments(timestamp: i64, configure: impl Fn(&mut TopicConfig)) -> Bench {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 5 * test_record(timestamp).size_in_bytes();
    configure(&mut bench.config);
    (0..15).for_each(|_| bench.append(&test_record(timestamp), 0).map(drop).unwrap());
    bench.commit_all();
    assert_eq!(bench.log.segments().count(), 3);
    bench
}

impl Bench {
    fn commit_all(&mut self) {
        self.log.update_high_watermark(self.log.log_end_offset());
    }

    fn delete_old_segments(&mut self) -> usize {
        let context = LogContext { config: &self.config, wall_time: self.now };
        let deleted = self.log.delete_old_segments(&context, &mut self.effects);
        self.flush();
        deleted
    }

    fn start_at(&mut self, offset: i64) {
        self.log.maybe_increment_log_start_offset(Offset(offset), &mut self.effects).unwrap();
        self.flush();
    }

    fn bases(&self) -> Vec<i64> {
        self.log.segments().segments().map(|segment| segment.base_offset().0).collect()
    }
}

#[test]
fn only_what_lies_below_the_high_watermark_is_deleted() {
    let mut bench = Bench::new();
    let expired = NOW.0 - 1_000;
    bench.config.segment_bytes = 5 * test_record(expired).size_in_bytes();
    bench.config.retention_ms = 999;
    (0..100).for_each(|_| bench.append(&test_record(expired), 0).map(drop).unwrap());
    bench.log.assign_epoch_start_offset(LeaderEpoch(0), Offset(40), &mut bench.effects);
    bench.log.assign_epoch_start_offset(LeaderEpoch(1), Offset(90), &mut bench.effects);
    assert_eq!((bench.delete_old_segments(), bench.log.log_start_offset()), (0, Offset(0)));
    for high_watermark in 25..=30 {
        bench.log.update_high_watermark(Offset(high_watermark));
        bench.delete_old_segments();
        assert_eq!(bench.bases()[0], high_watermark / 5 * 5);
    }
    bench.commit_all();
    bench.delete_old_segments();
    assert_eq!((bench.bases(), bench.epochs(), bench.offsets()), (vec![100], vec![(1, 100)], (100, 100, 100)));
    assert_eq!(offsets(&bench.restarted()), (100, 100, 100));
}

#[test]
fn segments_go_that_lie_wholly_below_the_log_start_offset() {
    let mut bench = three_segments(NOW.0, |_| ());
    for (start, segments) in [(1, 3), (6, 2), (15, 1)] {
        bench.start_at(start);
        bench.delete_old_segments();
        assert_eq!((bench.log.segments().count(), bench.log.log_start_offset()), (segments, Offset(start)));
    }
}

/// Each row: what the topic's configuration says, how old the records are, and how many segments are left.
#[test]
fn size_and_time_delete_what_the_policy_lets_them() {
    type Row = (fn(&mut TopicConfig), i64, usize);
    let size = || i64::from(test_record(NOW.0).size_in_bytes());
    assert_eq!(size(), 76);
    let table: &[Row] = &[
        (|config| config.retention_bytes = 10 * 76, 0, 2),
        (|config| config.retention_bytes = 10 * 76 + 1, 0, 3),
        (|config| config.retention_bytes = 15 * 76, 0, 3),
        (|config| config.retention_bytes = 0, 0, 1),
        (|config| config.retention_ms = 10_000, 10_001, 1),
        (|config| config.retention_ms = 10_000, 10_000, 3),
        (|config| config.retention_ms = -1, 100 * DAY_MS, 3),
        (|_| (), 7 * DAY_MS, 3),
        (|_| (), 7 * DAY_MS + 1, 1),
        (|config| (config.retention_ms, config.cleanup_policy) = (10_000, CleanupPolicy::Compact), 20_000, 3),
        (|config| (config.retention_ms, config.cleanup_policy) = (10_000, CleanupPolicy::Neither), 20_000, 3),
        (|config| (config.retention_ms, config.cleanup_policy) = (10_000, CleanupPolicy::CompactAndDelete), 20_000, 1),
    ];
    for (row, (configure, age_ms, segments)) in table.iter().enumerate() {
        let mut bench = three_segments(NOW.0, configure);
        bench.now = Timestamp(NOW.0 + age_ms);
        bench.delete_old_segments();
        assert_eq!(bench.log.segments().count(), *segments, "row {row}");
    }
}

#[test]
fn a_compacted_topic_loses_only_what_lies_below_its_start() {
    let mut bench = three_segments(10, |config| config.cleanup_policy = CleanupPolicy::Compact);
    bench.start_at(5);
    assert_eq!(bench.delete_old_segments(), 1);
    assert_eq!(bench.bases(), [5, 10]);
}

#[test]
fn a_moved_start_makes_way_for_deletion_by_time() {
    let mut bench = Bench::new();
    bench.config.retention_ms = 900;
    for (ahead_ms, is_last) in [(100, false), (0, false), (100, true)] {
        bench.append(&test_record(NOW.0 + ahead_ms), 0).unwrap();
        if !is_last {
            let context = LogContext { config: &bench.config, wall_time: bench.now };
            bench.log.roll(Offset(0), &context, &mut bench.effects);
        }
    }
    bench.now = Timestamp(NOW.0 + 901);
    bench.commit_all();
    bench.start_at(1);
    assert_eq!((bench.delete_old_segments(), bench.delete_old_segments()), (2, 0));
    let reasons: Vec<_> = bench
        .events
        .iter()
        .map(|event| match event {
            BrokerEvent::SegmentsDeleted { segments, log_start_offset, reason, .. } => {
                (*segments, log_start_offset.0, *reason)
            }
            other => panic!("nothing else happens: {other:?}"),
        })
        .collect();
    let by_time = DeletionReason::Time { retention_ms: 900 };
    assert_eq!(reasons, [(1, 1, DeletionReason::LogStartOffset), (1, 2, by_time)]);
}

#[test]
fn records_without_a_time_are_as_old_as_the_last_write() {
    let mut bench = three_segments(-1, |config| config.retention_ms = 900);
    bench.now = Timestamp(NOW.0 + 900);
    assert_eq!(bench.delete_old_segments(), 0);
    bench.now = Timestamp(NOW.0 + 901);
    assert_eq!((bench.delete_old_segments(), bench.bases()), (3, vec![15]));
}

#[test]
fn producers_are_known_beyond_the_deletion_of_their_records() {
    let mut bench = Bench::new();
    let batch = |producer, sequence| records(1, NOW.0).stamped(stamp(producer, 0, sequence), false);
    bench.config.segment_bytes = batch(1, 0).size_in_bytes();
    bench.config.retention_bytes = i64::from(2 * batch(1, 0).size_in_bytes());
    for (producer, sequence) in [(1, 0), (2, 0), (2, 1)] {
        bench.append(&batch(producer, sequence), 0).unwrap();
    }
    bench.commit_all();
    assert_eq!(bench.delete_old_segments(), 1);
    assert_eq!((bench.log.segments().count(), bench.log.producers().len()), (2, 2));
}

#[test]
fn epochs_begin_where_the_log_does() {
    type Epochs<'a> = &'a [(i32, i64)];
    let table: &[(Epochs<'_>, Epochs<'_>)] =
        &[(&[(0, 0), (1, 5), (2, 10)], &[(1, 5), (2, 10)]), (&[(0, 0), (1, 7), (2, 10)], &[(0, 5), (1, 7), (2, 10)])];
    for (assigned, expected) in table {
        let mut bench = three_segments(NOW.0, |config| config.retention_bytes = 10 * 76);
        for (epoch, start) in *assigned {
            bench.log.assign_epoch_start_offset(LeaderEpoch(*epoch), Offset(*start), &mut bench.effects);
        }
        bench.delete_old_segments();
        assert_eq!(bench.epochs(), *expected);
    }
}

#[test]
fn deletion_does_not_change_where_the_log_ends() {
    for count in [0, 1, 25] {
        let mut bench = Bench::new();
        bench.config.segment_bytes = 100;
        bench.config.retention_ms = 0;
        (0..count).for_each(|_| bench.append(&test_record(NOW.0 - 10), 0).map(drop).unwrap());
        bench.commit_all();
        bench.delete_old_segments();
        assert_eq!((bench.bases(), bench.delete_old_segments()), (vec![count], 0));
        assert_eq!(bench.append(&test_record(NOW.0), 0).unwrap().first_offset, Offset(count));
    }
}
