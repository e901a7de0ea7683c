//! Transactions in one partition. Numbers of Kafka's `UnifiedLogTest` and `ProducerStateManagerTest`.

use super::producers::stamp;
use super::*;
use std::collections::BTreeMap;
use wire::{EndTransactionMarker, ProducerEpoch, ProducerId, TransactionResult};

/// A log and the next sequence number of each producer.
struct Transactions {
    bench: Bench,
    sequences: BTreeMap<i64, i32>,
}

impl Transactions {
    fn new() -> Transactions {
        Transactions { bench: Bench::new(), sequences: BTreeMap::new() }
    }

    fn transactional(&mut self, producer_id: i64, count: usize) {
        let sequence = self.sequences.entry(producer_id).or_default();
        let batch = records(count, NOW.0).stamped(stamp(producer_id, 0, *sequence), true);
        *sequence += count as i32;
        self.bench.append(&batch, 0).unwrap();
    }

    fn plain(&mut self, count: usize) {
        self.bench.append(&records(count, NOW.0), 0).unwrap();
    }

    fn end(&mut self, producer_id: i64, result: TransactionResult) {
        self.bench.append_as(AppendOrigin::Coordinator, &marker(producer_id, 0, 0, result), 0).unwrap();
    }

    fn high_watermark(&mut self, offset: i64) {
        self.bench.log.update_high_watermark(Offset(offset));
    }

    fn replicate_all(&mut self) {
        self.high_watermark(self.bench.log.log_end_offset().0);
    }

    fn last_stable_offset(&self) -> i64 {
        self.bench.log.last_stable_offset().0
    }

    fn first_unstable_offset(&self) -> Option<i64> {
        self.bench.log.first_unstable_offset().map(|offset| offset.0)
    }
}

fn marker(producer_id: i64, epoch: i16, coordinator_epoch: i32, result: TransactionResult) -> RecordBatch {
    let marker = EndTransactionMarker { result, coordinator_epoch };
    RecordBatch::of_end_transaction(marker, ProducerId(producer_id), ProducerEpoch(epoch), NOW)
}

use TransactionResult::{Abort, Commit};

#[test]
fn a_transaction_is_stable_once_its_marker_is_replicated() {
    let mut log = Transactions::new();
    log.transactional(1, 5);
    log.plain(3);
    log.transactional(2, 2);
    log.transactional(1, 4);
    log.plain(2);
    log.transactional(1, 10);
    assert_eq!(log.last_stable_offset(), 0);
    log.replicate_all();
    assert_eq!(log.last_stable_offset(), 0);
    log.end(1, Commit);
    assert_eq!(log.last_stable_offset(), 0);
    log.replicate_all();
    assert_eq!(log.last_stable_offset(), 8);
    log.end(2, Abort);
    assert_eq!(log.last_stable_offset(), 8);
    log.replicate_all();
    assert_eq!(log.last_stable_offset(), log.bench.log.log_end_offset().0);
}

fn with_four_producers() -> Transactions {
    let mut log = Transactions::new();
    log.transactional(1, 5);
    log.plain(3);
    log.transactional(2, 2);
    log.transactional(1, 4);
    log.transactional(3, 3);
    log.plain(2);
    log.transactional(1, 10);
    log.end(1, Abort);
    log.transactional(2, 6);
    log.transactional(4, 3);
    log.plain(10);
    log.transactional(3, 9);
    log.end(3, Commit);
    log.transactional(4, 8);
    log.transactional(2, 7);
    log.end(2, Abort);
    log.plain(10);
    log.transactional(4, 4);
    log.end(4, Commit);
    log
}

fn aborted(log: &PartitionLog) -> Vec<(i64, i64, i64, i64)> {
    let all = log.segments().segments().flat_map(LogSegment::aborted_transactions);
    all.map(|one| (one.producer_id.0, one.first_offset.0, one.last_offset.0, one.last_stable_offset.0)).collect()
}

#[test]
fn the_transaction_index_has_the_aborted_ones() {
    let mut log = with_four_producers();
    let expected = [(1, 0, 29, 8), (2, 8, 74, 36)];
    assert_eq!(aborted(&log.bench.log), expected);
    log.high_watermark(30);
    assert_eq!(log.first_unstable_offset(), Some(8));
    log.high_watermark(75);
    assert_eq!(log.first_unstable_offset(), Some(36));
    log.replicate_all();
    assert_eq!(log.first_unstable_offset(), None);
    log.bench.restart(false);
    assert_eq!(aborted(&log.bench.log), expected, "and recovery makes it anew");
    assert!(log.bench.truncate_to(74));
    assert_eq!(aborted(&log.bench.log), expected[..1]);
}

#[test]
fn a_follower_has_the_same_transaction_index() {
    let leader = with_four_producers();
    let mut follower = Bench::new();
    for batch in leader.bench.log.segments().iter() {
        follower.replicate_batch(batch).unwrap();
    }
    assert_eq!(aborted(&follower.log), aborted(&leader.bench.log));
    for (high_watermark, unstable) in [(30, Some(8)), (75, Some(36)), (90, None)] {
        follower.log.update_high_watermark(Offset(high_watermark));
        assert_eq!(follower.log.first_unstable_offset().map(|offset| offset.0), unstable);
    }
}

#[test]
fn an_open_transaction_does_not_reach_below_the_log_start_offset() {
    for (start, deleted) in [(5, 0), (8, 1)] {
        let mut log = Transactions::new();
        log.transactional(1, 5);
        log.plain(3);
        let context = LogContext { config: &log.bench.config, wall_time: NOW };
        log.bench.log.roll(Offset(8), &context, &mut log.bench.effects);
        log.bench.flush();
        log.transactional(1, 5);
        assert_eq!(log.first_unstable_offset(), Some(0));
        log.replicate_all();
        log.bench.log.maybe_increment_log_start_offset(Offset(start), &mut log.bench.effects).unwrap();
        let context = LogContext { config: &log.bench.config, wall_time: NOW };
        assert_eq!(log.bench.log.delete_segments(deleted, &context, &mut log.bench.effects).len(), deleted);
        assert_eq!(log.first_unstable_offset(), Some(start));
    }
}

#[test]
fn a_read_tells_the_aborted_transactions_of_later_segments_too() {
    let mut log = Transactions::new();
    let size = records(3, NOW.0).size_in_bytes();
    log.bench.config.segment_bytes = size;
    log.transactional(137, 3);
    log.transactional(137, 3);
    log.end(137, Abort);
    log.replicate_all();
    assert_eq!((log.bench.log.segments().count(), log.first_unstable_offset()), (3, None));
    let limit = ReadLimit { max_bytes: 2048, at_least_one_batch: true };
    let read = log.bench.log.read(Offset(0), Offset(7), limit).unwrap();
    assert_eq!(read.batches.len(), 1);
    let aborted = log.bench.log.aborted_transactions(Offset(0), &read);
    let ids: Vec<_> = aborted.iter().map(|one| (one.producer_id.0, one.first_offset.0)).collect();
    assert_eq!(ids, [(137, 0)]);
    let after = log.bench.log.read(Offset(6), Offset(7), limit).unwrap();
    assert_eq!(log.bench.log.aborted_transactions(Offset(7), &after), []);
}

#[test]
fn markers_fence_old_producers_and_old_coordinators() {
    let end = |bench: &mut Bench, epoch, coordinator_epoch| {
        let marker = marker(1, epoch, coordinator_epoch, Abort);
        bench.append_as(AppendOrigin::Coordinator, &marker, 0).map(|info| info.last_offset.0).map_err(|e| e.error)
    };
    let data = |bench: &mut Bench, epoch, sequence| {
        let batch = records(1, NOW.0).stamped(stamp(1, epoch, sequence), false);
        bench.append(&batch, 0).map(|info| info.last_offset.0).map_err(|error| error.error)
    };
    let mut bench = Bench::new();
    assert_eq!(end(&mut bench, 2, 5), Ok(0), "a marker needs no transaction");
    assert_eq!(data(&mut bench, 0, 17), Err(ErrorCode::InvalidProducerEpoch));
    assert_eq!(data(&mut bench, 2, 17), Err(ErrorCode::OutOfOrderSequenceNumber));
    assert_eq!(data(&mut bench, 2, 0), Ok(1));
    assert_eq!(end(&mut bench, 2, 4), Err(ErrorCode::TransactionCoordinatorFenced));
    assert_eq!(end(&mut bench, 1, 6), Err(ErrorCode::InvalidProducerEpoch));
    assert_eq!(end(&mut bench, 3, 6), Ok(2), "a marker may raise the epoch");
    assert_eq!(data(&mut bench, 2, 1), Err(ErrorCode::InvalidProducerEpoch));
    assert_eq!(data(&mut bench, 3, 1), Err(ErrorCode::OutOfOrderSequenceNumber));
    assert_eq!(data(&mut bench, 3, 0), Ok(3));
    let client_marker = bench.append(&marker(1, 3, 6, Commit), 0).unwrap_err();
    assert_eq!(client_marker.error, ErrorCode::InvalidRecord);
}

#[test]
fn records_of_no_transaction_are_kept_out_of_one() {
    let mut log = Transactions::new();
    log.transactional(1, 1);
    let plain = records(1, NOW.0).stamped(stamp(1, 0, 1), false);
    assert_eq!(log.bench.append(&plain, 0).unwrap_err().error, ErrorCode::InvalidTxnState);
    let far = Timestamp(NOW.0 + 86_400_000);
    assert_eq!(log.bench.log.remove_expired_producers(far), 0, "who has an open transaction is not forgotten");
    assert!(log.bench.log.has_late_transaction(Timestamp(NOW.0 + 900_000 + 300_001), 900_000));
    assert!(!log.bench.log.has_late_transaction(Timestamp(NOW.0 + 900_000 + 300_000), 900_000));
}

#[test]
fn the_first_batch_of_a_transaction_needs_a_verification() {
    let mut bench = Bench::new();
    let verifying = LogSettings { transaction_partition_verification_enable: true, ..settings() };
    bench.log = bench.loaded(verifying, &mut Effects::new());
    let producer = (ProducerId(23), ProducerEpoch(1));
    let batch = |sequence| records(2, NOW.0).stamped(stamp(23, 1, sequence), true);
    let append = |bench: &mut Bench, batch: &RecordBatch, guard| {
        let context = LogContext { config: &bench.config, wall_time: NOW };
        let client = LeaderAppend::of_client(LeaderEpoch(0), context);
        let append = LeaderAppend { verification_guard: guard, ..client };
        let outcome = bench.log.append_as_leader(batch, &append, &mut bench.effects).map(drop);
        bench.flush();
        outcome.map_err(|error| error.error)
    };
    assert_eq!(append(&mut bench, &batch(3), None), Err(ErrorCode::InvalidTxnState));
    let guard = bench.log.begin_transaction_verification(producer, 3, NOW);
    assert_eq!(append(&mut bench, &batch(3), None), Err(ErrorCode::InvalidTxnState));
    assert_eq!(append(&mut bench, &batch(5), guard), Err(ErrorCode::OutOfOrderSequenceNumber));
    assert_eq!(append(&mut bench, &batch(3), guard), Ok(()), "any first sequence number will do");
    assert!(bench.log.has_ongoing_transaction(ProducerId(23)));
    assert_eq!(bench.log.begin_transaction_verification(producer, 5, NOW), None);
    assert_eq!(append(&mut bench, &batch(5), None), Ok(()));
    bench.append_as(AppendOrigin::Coordinator, &marker(23, 1, 0, Commit), 0).unwrap();
    let next = bench.log.begin_transaction_verification(producer, 7, NOW);
    assert!(next.is_some() && next != guard);
    assert_eq!(append(&mut bench, &batch(7), guard), Err(ErrorCode::InvalidTxnState));
}

#[test]
fn an_open_transaction_survives_a_restart() {
    for had_clean_shutdown in [true, false] {
        let mut log = Transactions::new();
        log.plain(2);
        log.transactional(1, 3);
        log.plain(2);
        log.bench.restart(had_clean_shutdown);
        log.replicate_all();
        assert_eq!((log.last_stable_offset(), log.first_unstable_offset()), (2, Some(2)));
        log.end(1, Abort);
        log.replicate_all();
        assert_eq!(log.last_stable_offset(), 8);
    }
}

/// A batch of one producer with the offset that its leader gave it.
fn replicated(bench: &mut Bench, offset: i64, batch: &RecordBatch) {
    bench.replicate_batch(&Arc::new(batch.appended_at(Offset(offset), LeaderEpoch(0)))).unwrap();
}

fn data(producer_id: i64, count: usize) -> RecordBatch {
    records(count, NOW.0).stamped(stamp(producer_id, 5, 0), true)
}

fn undecided_and_unstable(bench: &Bench) -> (Option<i64>, Option<i64>) {
    let number = |offset: Option<Offset>| offset.map(|offset| offset.0);
    (number(bench.log.first_undecided_offset()), number(bench.log.first_unstable_offset()))
}

/// `ProducerStateManagerTest.testFirstUnstableOffset`.
#[test]
fn a_decided_transaction_stays_unstable_until_its_marker_is_replicated() {
    let mut bench = Bench::new();
    assert_eq!(undecided_and_unstable(&bench), (None, None));
    replicated(&mut bench, 99, &data(1, 1));
    assert_eq!(undecided_and_unstable(&bench), (Some(99), Some(99)));
    replicated(&mut bench, 105, &data(2, 1));
    assert_eq!(undecided_and_unstable(&bench), (Some(99), Some(99)));
    replicated(&mut bench, 109, &marker(1, 5, 0, Commit));
    assert_eq!(undecided_and_unstable(&bench), (Some(105), Some(99)));
    for (high_watermark, unstable) in [(100, 99), (110, 105)] {
        bench.log.update_high_watermark(Offset(high_watermark));
        assert_eq!(undecided_and_unstable(&bench), (Some(105), Some(unstable)), "{high_watermark}");
    }
    replicated(&mut bench, 112, &marker(2, 5, 0, Abort));
    assert_eq!(undecided_and_unstable(&bench), (None, Some(105)));
    bench.log.update_high_watermark(Offset(113));
    assert_eq!(undecided_and_unstable(&bench), (None, None));
}

/// `ProducerStateManagerTest.testLastStableOffsetCompletedTxn`.
#[test]
fn the_index_says_what_was_stable_when_each_transaction_ended() {
    let starts = [992_342, 992_367, 992_399];
    let mut bench = Bench::new();
    (1..).zip(starts).for_each(|(producer, start)| replicated(&mut bench, start, &data(producer, 1)));
    for (producer, end, unstable) in [(1, 992_414, Some(starts[1])), (3, 992_434, Some(starts[1])), (2, 992_512, None)]
    {
        replicated(&mut bench, end, &marker(producer, 5, 0, Abort));
        bench.log.update_high_watermark(Offset(end + 1));
        assert_eq!(undecided_and_unstable(&bench).1, unstable);
    }
    let expected =
        [(1, starts[0], 992_414, starts[1]), (3, starts[2], 992_434, starts[1]), (2, starts[1], 992_512, 992_513)];
    assert_eq!(aborted(&bench.log), expected);
}

/// `ProducerStateManagerTest.testSkipEmptyTransactions`.
#[test]
fn a_marker_without_a_transaction_ends_nothing() {
    let mut bench = Bench::new();
    replicated(&mut bench, 16, &data(1, 5));
    bench.log.update_high_watermark(Offset(21));
    assert_eq!(undecided_and_unstable(&bench).1, Some(16));
    for (offset, batch) in [
        (21, marker(1, 5, 0, Commit)),
        (22, marker(1, 5, 0, Commit)),
        (23, marker(1, 5, 0, Abort)),
        (24, data(1, 4)),
        (28, marker(1, 5, 0, Abort)),
        (29, marker(1, 5, 0, Abort)),
        (30, data(1, 2)),
    ] {
        replicated(&mut bench, offset, &batch);
    }
    bench.log.update_high_watermark(Offset(32));
    assert_eq!(undecided_and_unstable(&bench), (Some(30), Some(30)));
    assert_eq!(aborted(&bench.log), [(1, 24, 28, 29)]);
}

/// `ProducerStateManagerTest.testFirstUnstableOffsetAfterTruncation`.
#[test]
fn a_transaction_is_open_again_when_its_marker_is_cut_off() {
    let mut bench = Bench::new();
    replicated(&mut bench, 99, &data(1, 1));
    assert_eq!(undecided_and_unstable(&bench).1, Some(99));
    bench.roll();
    replicated(&mut bench, 105, &marker(1, 5, 0, Commit));
    bench.log.update_high_watermark(Offset(106));
    bench.roll();
    assert_eq!(undecided_and_unstable(&bench).1, None);
    replicated(&mut bench, 106, &records(1, NOW.0).stamped(stamp(1, 5, 1), false));
    for (offset, unstable) in [(106, None), (100, Some(99))] {
        bench.truncate_to(offset);
        assert_eq!(undecided_and_unstable(&bench).1, unstable, "cut at {offset}");
    }
}

/// `testFirstUnstableOffsetWithTransactionalData` and `testLastStableOffsetWithMixedProducerData`.
#[test]
fn the_first_unstable_offset_is_that_of_the_oldest_transaction() {
    let mut log = Transactions::new();
    log.transactional(137, 3);
    assert_eq!(log.first_unstable_offset(), Some(0));
    log.transactional(137, 1);
    assert_eq!(log.first_unstable_offset(), Some(0));
    log.end(137, Commit);
    assert_eq!(log.first_unstable_offset(), Some(0));
    log.high_watermark(5);
    assert_eq!(log.first_unstable_offset(), None);

    let mut mixed = Transactions::new();
    mixed.transactional(137, 3);
    mixed.plain(3);
    mixed.transactional(983, 3);
    assert_eq!(mixed.first_unstable_offset(), Some(0));
    mixed.end(137, Abort);
    mixed.high_watermark(10);
    assert_eq!(mixed.first_unstable_offset(), Some(6));
    mixed.end(983, Commit);
    mixed.high_watermark(11);
    assert_eq!(mixed.first_unstable_offset(), None);
}

/// `TransactionIndexTest.testCollectAbortedTransactions` and `testTruncate`.
#[test]
fn aborted_transactions_are_collected_by_where_they_reach() {
    let indexed = [(0, 0, 10, 11), (1, 5, 15, 13), (2, 18, 35, 25), (3, 32, 50, 40)];
    let entry = |(producer, first, last, stable): (i64, i64, i64, i64)| segment::AbortedTransaction {
        producer_id: ProducerId(producer),
        first_offset: Offset(first),
        last_offset: Offset(last),
        last_stable_offset: Offset(stable),
    };
    let mut bench = Bench::new();
    bench.append_singly(60, 0);
    bench.roll();
    let segment = bench.log.segments().at(0).unwrap().clone();
    let segment = Arc::new(segment.with_aborted_transactions(indexed.map(entry).to_vec()));
    bench.log.replace_segments(&[Offset(0)], vec![segment], &mut bench.effects);
    for (start, upper_bound, found) in
        [(0, 100, 0..4), (0, 32, 0..3), (0, 35, 0..4), (10, 35, 0..4), (11, 35, 1..4), (20, 41, 2..4)]
    {
        let collected = bench.log.collect_aborted(Offset(start), Offset(upper_bound));
        assert_eq!(collected, indexed.map(entry)[found], "{start}..{upper_bound}");
    }
    for (offset, left) in [(51, 4), (50, 3), (0, 0)] {
        bench.truncate_to(offset);
        assert_eq!(aborted(&bench.log), indexed[..left], "cut at {offset}");
    }
}

/// `ProducerStateManagerTest.testHasLateTransaction`.
#[test]
fn the_oldest_open_transaction_says_whether_one_is_late() {
    const LATE_MS: i64 = 900_000 + 300_000;
    let mut log = Transactions::new();
    let begin = |log: &mut Transactions, producer, time| {
        let batch = records(1, time).stamped(stamp(producer, 0, 0), true);
        log.bench.append(&batch, 0).unwrap();
    };
    let is_late =
        |log: &Transactions, after_ms| log.bench.log.has_late_transaction(Timestamp(NOW.0 + after_ms), 900_000);
    begin(&mut log, 39, NOW.0);
    begin(&mut log, 57, NOW.0 + 500);
    assert_eq!([is_late(&log, 500), is_late(&log, LATE_MS), is_late(&log, LATE_MS + 1)], [false, false, true]);
    log.end(39, Commit);
    assert_eq!([is_late(&log, LATE_MS + 1), is_late(&log, LATE_MS + 501)], [false, true]);
    log.end(57, Commit);
    assert!(!is_late(&log, LATE_MS + 501));
}

/// `ProducerStateManagerTest.testProducerStateAfterFencingAbortMarker` and `testZombieCoordinatorFencedEmptyTransaction`.
#[test]
fn what_fences_is_remembered_without_records() {
    let mut log = Transactions::new();
    log.transactional(1, 1);
    let fencing = marker(1, 1, 0, Abort);
    log.bench.append_as(AppendOrigin::Coordinator, &fencing, 0).unwrap();
    let known = &log.bench.log.producers()[&ProducerId(1)];
    assert_eq!((known.current_transaction_first_offset, known.last_data_offset()), (None, None));
    assert_eq!(log.bench.log.remove_expired_producers(NOW), 0);
    for (coordinator_epoch, expected) in [(2, Ok(())), (2, Ok(())), (1, Err(ErrorCode::TransactionCoordinatorFenced))] {
        let end = marker(1, 1, coordinator_epoch, Abort);
        let outcome = log.bench.append_as(AppendOrigin::Coordinator, &end, 0);
        assert_eq!(outcome.map(drop).map_err(|error| error.error), expected);
    }
}

/// `ProducerStateManagerTest.testSequenceAndEpochInVerificationEntry`.
#[test]
fn a_verification_remembers_the_lowest_sequence_of_the_newest_epoch() {
    let lowest = |begun: &[(i16, i32)]| {
        let mut bench = Bench::new();
        let guards: Vec<_> = begun
            .iter()
            .map(|(epoch, sequence)| {
                bench.log.begin_transaction_verification((ProducerId(1), ProducerEpoch(*epoch)), *sequence, NOW)
            })
            .collect();
        assert!(guards.iter().all(|guard| guard.is_some() && *guard == guards[0]));
        (0..9).rev().find(|sequence| {
            let batch = records(1, NOW.0).stamped(stamp(1, 1, *sequence), true);
            bench.append(&batch, 0).is_ok()
        })
    };
    assert_eq!(lowest(&[(0, 1)]), Some(1));
    assert_eq!(lowest(&[(0, 1), (0, 0)]), Some(0));
    assert_eq!(lowest(&[(0, 1), (0, 0), (1, 2)]), Some(2));
    assert_eq!(lowest(&[(0, 1), (0, 0), (1, 2), (0, 0)]), Some(2));
}
