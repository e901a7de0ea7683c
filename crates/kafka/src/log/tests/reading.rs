//! What is read from a log, found in it, and left of it by truncation. Numbers of Kafka's `UnifiedLogTest`, `LogSegmentTest`,
//! `OffsetIndexTest` and `TimeIndexTest`.

use super::*;
use crate::log::segment::SegmentSettings;

const ALL: ReadLimit = ReadLimit { max_bytes: i32::MAX, at_least_one_batch: true };

fn at(offset: i64, timestamp: i64) -> Arc<RecordBatch> {
    Arc::new(records(1, timestamp).appended_at(Offset(offset), LeaderEpoch(0)))
}

fn size() -> i32 {
    records(1, 0).size_in_bytes()
}

fn segment(base_offset: i64, index_interval_bytes: i32) -> LogSegment {
    let settings = SegmentSettings { index_interval_bytes, created_at: NOW, roll_jitter_ms: 0 };
    LogSegment::new(Offset(base_offset), settings)
}

/// `testFetchUpToHighWatermark`.
#[test]
fn nothing_is_read_at_or_above_the_high_watermark() {
    let mut bench = Bench::new();
    bench.append(&records(3, 0), 0).unwrap();
    bench.append(&records(2, 0), 0).unwrap();
    for high_watermark in [0, 3, 5] {
        bench.log.update_high_watermark(Offset(high_watermark));
        for offset in 0..=5 {
            let read = bench.log.read(Offset(offset), Offset(high_watermark), ALL).unwrap();
            assert_eq!(read.batches.is_empty(), offset >= high_watermark, "{offset} below {high_watermark}");
            assert!(read.batches.iter().all(|batch| batch.last_offset() < Offset(high_watermark)));
        }
    }
}

/// `testHighWatermarkMetadataUpdatedAfterSegmentRoll`.
#[test]
fn a_roll_changes_nothing_for_readers_of_what_is_committed() {
    let mut bench = Bench::new();
    let limit = ReadLimit { max_bytes: 2048, at_least_one_batch: false };
    let committed = |bench: &Bench, start| read(&bench.log, start, bench.log.high_watermark().0, limit);
    bench.append(&records(3, 0), 0).unwrap();
    assert_eq!(committed(&bench, 0), Ok(vec![]));
    bench.log.maybe_increment_high_watermark(Offset(3));
    assert_eq!(committed(&bench, 0), Ok(vec![0]));
    bench.roll();
    assert_eq!(committed(&bench, 0), Ok(vec![0]));
    bench.append(&records(3, 0), 0).unwrap();
    assert_eq!(committed(&bench, 3), Ok(vec![]));
}

/// `LogSegmentTest.testReadFromGap` and `testReadAtLogGap`.
#[test]
fn a_read_in_a_gap_begins_behind_it() {
    let mut bench = Bench::new();
    bench.replicate(50, 2, 0).unwrap();
    bench.replicate(60, 2, 0).unwrap();
    assert_eq!(read(&bench.log, 55, 62, ALL), Ok(vec![60]));

    let mut bench = Bench::new();
    bench.config.segment_bytes = 300;
    while bench.log.segments().count() == 1 {
        bench.append_singly(1, 0);
    }
    let mut first = bench.log.segments().at(0).unwrap().clone();
    first.truncate_to(Offset(1));
    bench.log.replace_segments(&[Offset(0)], vec![Arc::new(first)], &mut bench.effects);
    let end = bench.log.log_end_offset().0;
    assert_eq!(read(&bench.log, 1, end, ALL), Ok(vec![end - 1]));
}

/// `testFetchOffsetByTimestampIncludesLeaderEpoch` and `testFetchOffsetByTimestampWithMaxTimestampIncludesTimestamp`.
#[test]
fn found_offsets_come_with_their_epochs_and_times() {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 200;
    bench.config.index_interval_bytes = 1;
    bench.restart(true);
    let found = |bench: &Bench, spec| {
        bench.log.find_offset(spec).map(|found| (found.timestamp.0, found.offset.0, found.leader_epoch.0))
    };
    let by_time = |bench: &Bench, time| found(bench, OffsetSpec::At(Timestamp(time)));
    assert_eq!(by_time(&bench, 0), None);
    bench.append(&records(1, NOW.0), 0).unwrap();
    bench.append(&records(1, NOW.0 + 1), 1).unwrap();
    assert_eq!(by_time(&bench, NOW.0), Some((NOW.0, 0, 0)));
    assert_eq!(by_time(&bench, NOW.0 + 1), Some((NOW.0 + 1, 1, 1)));
    assert_eq!(found(&bench, OffsetSpec::Earliest), Some((-1, 0, 0)));
    assert_eq!(found(&bench, OffsetSpec::EarliestLocal), Some((-1, 0, 0)));
    assert_eq!(found(&bench, OffsetSpec::Latest), Some((-1, 2, 1)));
    bench.log.assign_epoch_start_offset(LeaderEpoch(2), Offset(2), &mut bench.effects);
    assert_eq!(found(&bench, OffsetSpec::Latest), Some((-1, 2, 2)));
    assert_eq!(found(&bench, OffsetSpec::LatestTiered), Some((-1, -1, -1)));
    bench.append(&records(1, NOW.0), 2).unwrap();
    assert_eq!(found(&bench, OffsetSpec::MaxTimestamp), Some((NOW.0 + 1, 1, 1)));
}

#[test]
fn a_log_without_timestamps_has_its_largest_at_its_first_record() {
    let mut bench = Bench::new();
    bench.append(&records(2, -1), 0).unwrap();
    bench.append(&records(2, -1), 0).unwrap();
    let found = bench.log.find_offset(OffsetSpec::MaxTimestamp).unwrap();
    assert_eq!((found.timestamp, found.offset), (Timestamp(-1), Offset(0)));
}

/// `LogSegmentTest.testFindOffsetByTimestamp`.
#[test]
fn timestamps_are_found_between_index_entries() {
    let mut bench = Bench::new();
    bench.config.index_interval_bytes = 2 * size() - 1;
    bench.log.truncate_fully_and_start_at(Offset(40), &mut bench.effects);
    bench.flush();
    bench.restart(true);
    (40..50).for_each(|offset| bench.replicate_batch(&at(offset, offset * 10)).map(drop).unwrap());
    assert_eq!(bench.log.segments().active().largest_timestamp(), Timestamp(490));
    let table = [
        (420, Some(42)),
        (421, Some(43)),
        (430, Some(43)),
        (431, Some(44)),
        (491, None),
        (401, Some(41)),
        (399, Some(40)),
    ];
    for (time, expected) in table {
        let found = bench.log.find_offset(OffsetSpec::At(Timestamp(time)));
        assert_eq!(found.map(|found| found.offset.0), expected, "{time}");
    }
}

/// `TimeIndexTest.testLookUp`.
#[test]
fn a_search_by_time_begins_at_the_last_entry_that_is_not_later() {
    let mut segment = segment(45, 0);
    assert_eq!(segment.place_to_search_from(Timestamp(100)), 0);
    (0..30).for_each(|number| segment.append(at(45 + 10 * number, 10 * number), NOW));
    let entries: Vec<_> =
        segment.index().iter().take(4).map(|entry| (entry.largest.timestamp.0, entry.offset.0)).collect();
    assert_eq!(entries, [(10, 55), (20, 65), (30, 75), (40, 85)]);
    let offset = |time| segment.get(segment.place_to_search_from(Timestamp(time))).unwrap().base_offset;
    assert_eq!([offset(9), offset(25), offset(30)], [Offset(45), Offset(65), Offset(75)]);
}

/// `OffsetIndexTest.truncate`.
#[test]
fn truncation_drops_the_entries_at_its_offset_and_above() {
    let mut segment = segment(0, 0);
    (0..10).for_each(|offset| segment.append(at(offset, -1), NOW));
    for (offset, last, appended) in
        [(12, Some(9), 10), (10, Some(9), 10), (9, Some(8), 9), (5, Some(4), 5), (0, None, 0)]
    {
        segment.truncate_to(Offset(offset));
        assert_eq!(segment.index().last().map(|entry| entry.offset.0), last, "truncated to {offset}");
        segment.append(at(appended, -1), NOW);
    }
}

/// `OffsetIndexTest.testFetchUpperBoundOffset`.
#[test]
fn the_first_entry_at_or_behind_the_end_of_a_fetch_bounds_it() {
    let mut segment = segment(42, 0);
    assert_eq!(segment.indexed_offset_at(5), None);
    (42..46).for_each(|offset| segment.append(at(offset, -1), NOW));
    let bounds =
        [(5, Some(43)), (size(), Some(43)), (size() + 1, Some(44)), (3 * size(), Some(45)), (3 * size() + 1, None)];
    for (position, expected) in bounds {
        assert_eq!(segment.indexed_offset_at(position).map(|offset| offset.0), expected, "{position}");
    }
}

/// `LogSegmentTest.testReloadLargestTimestampAndNextOffsetAfterTruncation`.
#[test]
fn truncation_brings_back_the_largest_timestamp_that_is_left() {
    let mut segment = segment(40, 2 * size() - 1);
    (40..70).for_each(|offset| segment.append(at(offset, offset * 10), NOW));
    assert_eq!((segment.next_offset(), segment.time_entries()), (Offset(70), 14));
    segment.truncate_to(Offset(41));
    assert_eq!(
        (segment.time_entries(), segment.largest_timestamp(), segment.next_offset()),
        (0, Timestamp(400), Offset(41))
    );
}

/// `LogSegmentTest.testTruncate`.
#[test]
fn a_segment_can_be_cut_and_written_to_again_and_again() {
    let mut segment = segment(40, 4096);
    for offset in 40..70 {
        segment.append(at(offset, -1), NOW);
        segment.append(at(offset + 1, -1), NOW);
        segment.truncate_to(Offset(offset + 1));
        assert_eq!(segment.batches().last().unwrap().base_offset, Offset(offset));
    }
    assert_eq!((segment.len(), segment.size_in_bytes()), (30, 30 * size()));
}

/// `LogSegmentTest.testTruncateFull`: a segment that lost everything counts as made anew.
#[test]
fn a_log_that_was_cut_off_wholly_does_not_roll_sooner_for_it() {
    for starts_elsewhere in [false, true] {
        let mut bench = Bench::new();
        bench.config.segment_ms = 3_600;
        bench.append(&records(1, -1), 0).unwrap();
        bench.now.0 += 500;
        if starts_elsewhere {
            bench.log.truncate_fully_and_start_at(Offset(9), &mut bench.effects);
        } else {
            bench.truncate_to(0);
        }
        for (sleep_ms, segments) in [(0, 1), (3_600, 1), (1, 2)] {
            bench.now.0 += sleep_ms;
            bench.append(&records(1, -1), 0).unwrap();
            assert_eq!(bench.log.segments().count(), segments, "after {sleep_ms} ms more");
        }
    }
}

/// `testTruncateTo`.
#[test]
fn truncation_changes_offsets_and_sizes() {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 10 * size();
    bench.append_singly(10, 0);
    let ends = |bench: &Bench| (bench.log.log_end_offset().0, bench.log.size_in_bytes() / i64::from(size()));
    for (offset, expected) in [(10, (10, 10)), (11, (10, 10)), (5, (5, 5)), (0, (0, 0))] {
        bench.truncate_to(offset);
        assert_eq!(ends(&bench), expected, "truncated to {offset}");
    }
    bench.append_singly(10, 0);
    assert_eq!(ends(&bench), (10, 10));
    bench.log.truncate_fully_and_start_at(Offset(1), &mut bench.effects);
    assert_eq!(ends(&bench), (1, 0));
    bench.append_singly(10, 0);
    assert_eq!(ends(&bench), (11, 10));
    bench.truncate_to(0);
    assert_eq!((ends(&bench), bench.offsets()), ((0, 0), (0, 0, 0)));
}

/// `testCannotIncrementLogStartOffsetPastHighWatermark`.
#[test]
fn the_start_stays_at_or_below_the_high_watermark() {
    let mut bench = Bench::new();
    bench.append_singly(100, 0);
    bench.log.update_high_watermark(Offset(25));
    let refused = Err(StartBeyondHighWatermark { high_watermark: Offset(25) });
    assert_eq!(bench.log.maybe_increment_log_start_offset(Offset(26), &mut bench.effects), refused);
    assert_eq!(bench.log.maybe_increment_log_start_offset(Offset(25), &mut bench.effects), Ok(true));
}
