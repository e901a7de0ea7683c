//! Segments: when they roll, what their indexes hold, and reads across them. Numbers of Kafka's `UnifiedLogTest`,
//! `LogSegmentTest` and `LocalLogTest`.

use super::*;
use crate::storage::DiskWrite;

const SEGMENT_MS: i64 = 3_600;

fn value(timestamp: i64) -> RecordBatch {
    RecordBatch::from_producer(vec![Record::new(None, Some(b"test"), Timestamp(timestamp))])
}

fn bases(bench: &Bench) -> Vec<i64> {
    bench.log.segments().segments().map(|segment| segment.base_offset().0).collect()
}

#[test]
fn a_segment_rolls_when_the_next_batch_does_not_fit() {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 10 * (value(-1).size_in_bytes() - 1);
    (0..11).for_each(|_| bench.append(&value(-1), 0).map(drop).unwrap());
    assert_eq!(bases(&bench), [0, 9]);
    let size = i64::from(value(-1).size_in_bytes());
    assert_eq!(bench.log.size_in_bytes(), 11 * size);
    assert_eq!(bench.log.bytes_between(Offset(1), Offset(10)), 9 * size);
    assert!(bench.log.is_on_older_segment(Offset(8), Offset(9)));
    assert!(!bench.log.is_on_older_segment(Offset(9), Offset(11)));
}

/// Each step: how long passes, the batch's timestamp from then, and how many segments there are after the append.
#[test]
fn a_segment_rolls_by_time_of_records_or_by_the_clock_without_them() {
    let mut bench = Bench::new();
    bench.config.segment_ms = SEGMENT_MS;
    let late = SEGMENT_MS + 1;
    let with_time = NOW.0 + 4 * late;
    let table: &[(i64, Option<i64>, usize)] = &[
        (late, None, 1),
        (0, None, 2),
        (late, None, 3),
        (late, None, 4),
        (0, Some(with_time), 4),
        (late, Some(with_time), 5),
        (late, Some(with_time), 5),
        (0, Some(NOW.0 + 5 * late), 6),
    ];
    for (step, (sleep_ms, timestamp, expected)) in table.iter().enumerate() {
        bench.now.0 += sleep_ms;
        bench.append(&value(timestamp.unwrap_or(-1)), 0).unwrap();
        assert_eq!(bench.log.segments().count(), *expected, "step {step}");
    }
    bench.now.0 += late;
    bench.replicate_batches(&[]).unwrap();
    assert_eq!(bench.log.segments().count(), 6, "nothing is appended, so nothing rolls");
}

#[test]
fn jitter_lets_a_segment_roll_earlier_by_a_drawn_time_that_stays_the_same() {
    let rolled_after = |seed: u64| {
        let mut bench = Bench::new();
        bench.config.segment_ms = SEGMENT_MS;
        bench.config.segment_jitter_ms = 1_000;
        let context = LogContext { config: &bench.config, wall_time: NOW };
        let settings = LogSettings { jitter_seed: seed, ..settings() };
        bench.log = PartitionLog::create(partition(), TopicId(7), settings, &context, &mut bench.effects);
        bench.flush();
        bench.append(&value(0), 0).unwrap();
        (0..=SEGMENT_MS + 1).find(|time| {
            bench.append(&value(*time), 0).unwrap();
            bench.log.segments().count() == 2
        })
    };
    let times: Vec<_> = (0..4).map(rolled_after).collect();
    assert!(times.iter().all(|time| time.is_some_and(|time| (SEGMENT_MS - 998..=SEGMENT_MS + 1).contains(&time))));
    assert!(times.windows(2).any(|pair| pair[0] != pair[1]), "{times:?}");
    assert_eq!(times, (0..4).map(rolled_after).collect::<Vec<_>>());
}

#[test]
fn a_segment_rolls_when_an_index_is_full_or_offsets_reach_too_far() {
    let mut bench = Bench::new();
    bench.config.index_interval_bytes = 0;
    bench.config.segment_index_bytes = 5 * 12;
    bench.restart(true);
    (1..=12).for_each(|time| bench.append(&value(time), 0).map(drop).unwrap());
    assert_eq!(bases(&bench), [0, 5, 10]);
    bench.replicate(i64::from(i32::MAX) + 11, 1, 0).unwrap();
    assert_eq!(bases(&bench), [0, 5, 10, i64::from(i32::MAX) + 11]);
}

#[test]
fn every_batch_but_a_segments_first_gets_an_index_entry_at_interval_1() {
    let mut bench = Bench::new();
    bench.config.index_interval_bytes = 1;
    bench.restart(true);
    for offset in 0..100 {
        let batch = Arc::new(value(NOW.0 + offset).appended_at(Offset(100 + offset), LeaderEpoch(0)));
        bench.replicate_batch(&batch).unwrap();
    }
    let active = bench.log.segments().active();
    let last = active.index().last().copied().unwrap();
    assert_eq!((active.index().len(), active.time_entries()), (99, 99));
    assert_eq!((last.largest.timestamp, last.offset), (Timestamp(NOW.0 + 99), Offset(199)));
    assert_eq!(bench.log.segments().active().place_to_search_from(Timestamp(NOW.0 + 50)), 50);
}

#[test]
fn the_sparse_index_has_an_entry_each_4096_bytes() {
    let mut bench = Bench::new();
    (0..200).for_each(|_| bench.append(&value(5), 0).map(drop).unwrap());
    let active = bench.log.segments().active();
    let positions: Vec<i32> = active.index().iter().map(|entry| entry.position).collect();
    assert_eq!(positions, [57 * 72, 114 * 72, 171 * 72]);
    assert_eq!(active.time_entries(), 1);
    assert_eq!(active.indexed_offset_at(57 * 72 + 1), Some(Offset(114)));
}

/// The log of `testAppendAndReadWithNonSequentialOffsets`: a segment for each record, and gaps from 50 on.
fn with_gaps() -> (Bench, Vec<i64>) {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 72;
    let offsets: Vec<i64> = (0..50).chain((50..200).step_by(7)).collect();
    for offset in &offsets {
        let batch = Arc::new(value(-1).appended_at(Offset(*offset), LeaderEpoch(0)));
        bench.replicate_batch(&batch).unwrap();
    }
    (bench, offsets)
}

#[test]
fn a_read_in_a_gap_goes_on_with_the_next_segment_and_never_crosses_one() {
    let (bench, offsets) = with_gaps();
    let end = bench.log.log_end_offset().0;
    assert_eq!(bench.log.segments().count(), offsets.len());
    for start in 50..*offsets.last().unwrap() {
        let next = offsets.iter().copied().find(|offset| *offset >= start).unwrap();
        for max_bytes in [1, 100, 100_000] {
            let limit = ReadLimit { max_bytes, at_least_one_batch: true };
            assert_eq!(read(&bench.log, start, end, limit), Ok(vec![next]), "from {start}");
        }
        let nothing = ReadLimit { max_bytes: 0, at_least_one_batch: false };
        assert_eq!(read(&bench.log, start, end, nothing), Ok(vec![]));
    }
}

#[test]
fn only_the_log_end_can_be_read_in_vain() {
    let mut bench = Bench::new();
    bench.log.truncate_fully_and_start_at(Offset(1024), &mut bench.effects);
    bench.append(&value(-1), 0).unwrap();
    let all = ReadLimit { max_bytes: 1000, at_least_one_batch: true };
    assert_eq!(read(&bench.log, 1025, 1025, all), Ok(vec![]));
    assert_eq!(read(&bench.log, 1024, 1025, all), Ok(vec![1024]));
    assert_eq!(read(&bench.log, 0, 1025, all), Err(ErrorCode::OffsetOutOfRange));
    assert_eq!(read(&bench.log, 1026, 1025, all), Err(ErrorCode::OffsetOutOfRange));
}

#[test]
fn truncation_reaches_into_older_segments() {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 10 * value(0).size_in_bytes();
    (0..35).for_each(|time| bench.append(&value(time), 0).map(drop).unwrap());
    assert_eq!(bases(&bench), [0, 10, 20, 30]);
    assert!(bench.truncate_to(15));
    assert_eq!((bases(&bench), bench.log.log_end_offset()), (vec![0, 10], Offset(15)));
    assert_eq!(bench.log.segments().active().largest().timestamp, Timestamp(14));
    assert_eq!(bench.log.recovery_point(), Offset(15));
    (0..10).for_each(|time| bench.append(&value(time), 1).map(drop).unwrap());
    assert_eq!(bases(&bench), [0, 10, 20]);
    assert_eq!(bench.log.size_in_bytes(), 25 * i64::from(value(0).size_in_bytes()));
    assert_eq!(bench.restarted().segments().iter().count(), 25);
    assert!(bench.truncate_to(0));
    assert_eq!((bases(&bench), bench.log.size_in_bytes(), bench.offsets()), (vec![0], 0, (0, 0, 0)));
}

#[test]
fn timestamps_are_found_across_segments() {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 2 * value(0).size_in_bytes();
    bench.config.index_interval_bytes = 0;
    for time in [10, 40, 20, 30, 50, 5] {
        bench.append(&value(time), 0).unwrap();
    }
    let found = |spec| bench.log.find_offset(spec).map(|found| (found.timestamp.0, found.offset.0));
    let at = |time| found(OffsetSpec::At(Timestamp(time)));
    assert_eq!(
        [at(0), at(11), at(40), at(41), at(51)],
        [Some((10, 0)), Some((40, 1)), Some((40, 1)), Some((50, 4)), None]
    );
    assert_eq!(found(OffsetSpec::MaxTimestamp), Some((50, 4)));
    assert_eq!((found(OffsetSpec::EarliestLocal), found(OffsetSpec::LatestTiered)), (Some((-1, 0)), Some((-1, -1))));
}

/// As `testLogDeletionAfterDeleteRecords`: the start moves first, whole segments below it go later.
#[test]
fn the_log_start_offset_moves_up_to_the_high_watermark_only() {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 5 * value(0).size_in_bytes();
    (0..15).for_each(|_| bench.append(&value(0), 0).map(drop).unwrap());
    bench.log.update_high_watermark(Offset(14));
    let moved = |bench: &mut Bench, offset: i64| {
        let moved = bench.log.maybe_increment_log_start_offset(Offset(offset), &mut bench.effects);
        bench.flush();
        moved
    };
    let refused = Err(StartBeyondHighWatermark { high_watermark: Offset(14) });
    assert_eq!(moved(&mut bench, 15), refused);
    assert_eq!((moved(&mut bench, 6), moved(&mut bench, 1)), (Ok(true), Ok(false)));
    assert_eq!((bench.offsets(), bench.epochs()), ((6, 14, 15), vec![(0, 6)]));
    assert_eq!(bench.log.log_start_offset_to_checkpoint(), Offset(6));
    let context = LogContext { config: &bench.config, wall_time: NOW };
    assert_eq!(bench.log.delete_segments(1, &context, &mut bench.effects), [Offset(0)]);
    bench.flush();
    assert_eq!((bases(&bench), bench.offsets()), (vec![5, 10], (6, 14, 15)));
    assert_eq!(offsets(&bench.restarted()).0, 5, "the start was not written down yet");
    let start = DiskWrite::LogStartOffsets(vec![(partition(), Offset(6))]);
    bench.disk.apply(start);
    assert_eq!(offsets(&bench.restarted()).0, 6);
}

#[test]
fn when_all_segments_go_a_new_one_is_rolled_first() {
    let mut bench = Bench::new();
    bench.append_singly(3, 4);
    bench.log.update_high_watermark(Offset(3));
    for expected in [vec![Offset(0)], vec![]] {
        let context = LogContext { config: &bench.config, wall_time: NOW };
        assert_eq!(bench.log.delete_segments(1, &context, &mut bench.effects), expected);
        bench.flush();
        assert_eq!((bases(&bench), bench.offsets(), bench.epochs()), (vec![3], (3, 3, 3), vec![(4, 3)]));
    }
    assert_eq!(offsets(&bench.restarted()), (3, 3, 3));
}

#[test]
fn compacted_segments_take_the_place_of_others() {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 2 * value(0).size_in_bytes();
    (0..7).for_each(|_| bench.append(&value(0), 0).map(drop).unwrap());
    let kept: Vec<_> =
        bench.log.segments().iter().take(4).filter(|batch| batch.base_offset.0 % 2 == 1).cloned().collect();
    let segment = Arc::new(LogSegment::of_batches(Offset(0), bench.log.segments().active().settings(), kept));
    bench.log.replace_segments(&[Offset(0), Offset(2)], vec![segment], &mut bench.effects);
    bench.flush();
    let all = ReadLimit { max_bytes: i32::MAX, at_least_one_batch: true };
    assert_eq!(bases(&bench), [0, 4, 6]);
    assert_eq!(read(&bench.log, 0, 7, all), Ok(vec![1, 3]));
    assert_eq!((bench.log.segments().len(), bench.restarted().segments().len()), (5, 5));
    let indexes = |index| bench.log.segments().get(index).map(|batch| batch.base_offset.0);
    assert_eq!([0, 1, 2, 4, 5].map(indexes), [Some(1), Some(3), Some(4), Some(6), None]);
    assert_eq!(bench.log.segments().partition_point(|batch| batch.base_offset.0 < 5), 3);
    assert_eq!(bench.log.segments().iter_from(3).map(|batch| batch.base_offset.0).collect::<Vec<_>>(), [5, 6]);
}
