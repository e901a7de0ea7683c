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
