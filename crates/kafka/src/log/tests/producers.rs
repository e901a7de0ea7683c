//! Idempotent producers. Numbers of Kafka's `ProducerStateManagerTest` and `UnifiedLogTest`.

use super::*;
use wire::{ProducerEpoch, ProducerId, ProducerStamp};

/// A batch of producer 1.
fn batch(epoch: i16, sequence: i32, count: usize) -> RecordBatch {
    records(count, NOW.0).stamped(stamp(1, epoch, sequence), false)
}

pub(super) fn stamp(producer_id: i64, epoch: i16, base_sequence: i32) -> ProducerStamp {
    ProducerStamp { producer_id: ProducerId(producer_id), producer_epoch: ProducerEpoch(epoch), base_sequence }
}

impl Bench {
    /// Appends, and says at which offsets the batch is, or why it is not there.
    fn try_append(&mut self, batch: &RecordBatch) -> Result<(i64, i64), ErrorCode> {
        let info = self.append(batch, 0).map_err(|error| error.error)?;
        Ok((info.first_offset.0, info.last_offset.0))
    }
}

const OUT_OF_ORDER: Result<(i64, i64), ErrorCode> = Err(ErrorCode::OutOfOrderSequenceNumber);

#[test]
fn the_last_five_batches_are_known_again() {
    let mut bench = Bench::new();
    (0..6).for_each(|sequence| assert!(bench.try_append(&batch(0, sequence, 1)).is_ok()));
    assert_eq!(bench.try_append(&batch(0, 6, 3)), Ok((6, 8)));
    assert_eq!(bench.try_append(&batch(0, 6, 3)), Ok((6, 8)));
    assert_eq!(bench.try_append(&batch(0, 7, 2)), OUT_OF_ORDER);
    assert_eq!(bench.try_append(&batch(0, 2, 1)), Ok((2, 2)));
    assert_eq!(bench.try_append(&batch(0, 1, 1)), OUT_OF_ORDER);
    assert_eq!(bench.try_append(&batch(0, 9, 1)), Ok((9, 9)));
    assert_eq!(bench.try_append(&batch(0, 9, 1)), Ok((9, 9)));
    assert_eq!(bench.offsets(), (0, 0, 10));
    let again = bench.append(&batch(0, 9, 1), 0).unwrap();
    assert_eq!((again.is_duplicate, again.log_append_time), (true, NOW));
}

#[test]
fn sequence_numbers_follow_each_other_within_an_epoch() {
    type Step = (i16, i32, Result<(i64, i64), ErrorCode>);
    let fenced = Err(ErrorCode::InvalidProducerEpoch);
    let table: &[&[Step]] = &[
        &[(0, 0, Ok((0, 0))), (0, 1, Ok((1, 1))), (0, 5, OUT_OF_ORDER), (1, 0, Ok((2, 2))), (0, 2, fenced)],
        &[(0, 0, Ok((0, 0))), (0, 2, OUT_OF_ORDER)],
        &[(0, 0, Ok((0, 0))), (1, 1, OUT_OF_ORDER), (1, 0, Ok((1, 1)))],
        &[(0, i32::MAX, Ok((0, 0))), (0, 0, Ok((1, 1)))],
        &[(0, i32::MAX, Ok((0, 0))), (0, 1, OUT_OF_ORDER)],
        &[(3, 17, Ok((0, 0))), (3, 18, Ok((1, 1)))],
    ];
    for steps in table {
        let mut bench = Bench::new();
        for (epoch, sequence, expected) in *steps {
            assert_eq!(bench.try_append(&batch(*epoch, *sequence, 1)), *expected, "{epoch}, {sequence} of {steps:?}");
        }
    }
}

#[test]
fn a_batch_may_wrap_around() {
    let mut bench = Bench::new();
    assert_eq!(bench.try_append(&batch(0, i32::MAX - 10, 21)), Ok((0, 20)));
    let known = &bench.log.producers()[&ProducerId(1)];
    assert_eq!((known.last_sequence(), known.batches()[0].first_sequence()), (9, i32::MAX - 10));
    assert_eq!(bench.try_append(&batch(0, 10, 1)), Ok((21, 21)));
}

#[test]
fn a_follower_takes_what_its_leader_took() {
    let mut bench = Bench::new();
    for (offset, sequence) in [(0, 16), (1, 16), (2, 23), (3, 5)] {
        let batch = Arc::new(batch(0, sequence, 1).appended_at(Offset(offset), LeaderEpoch(0)));
        bench.replicate_batch(&batch).unwrap();
    }
    assert_eq!((bench.offsets(), bench.log.producers()[&ProducerId(1)].last_sequence()), ((0, 0, 4), 5));
}

#[test]
fn silent_producers_are_forgotten() {
    let mut bench = Bench::new();
    bench.try_append(&batch(0, 0, 1)).unwrap();
    let expired_at = |ms: i64| Timestamp(NOW.0 + ms);
    assert_eq!(bench.log.remove_expired_producers(expired_at(86_399_999)), 0);
    assert_eq!(bench.log.remove_expired_producers(expired_at(86_400_000)), 1);
    assert_eq!(bench.try_append(&batch(0, 7, 1)), Ok((1, 1)), "any first number is taken then");
}

/// Kafka's snapshots have the last batch only, and recovery takes one.
#[test]
fn a_restart_remembers_the_last_batch_of_each_producer() {
    for had_clean_shutdown in [true, false] {
        let mut bench = Bench::new();
        (0..3).for_each(|sequence| assert!(bench.try_append(&batch(0, sequence, 1)).is_ok()));
        bench.restart(had_clean_shutdown);
        assert_eq!(bench.log.producers()[&ProducerId(1)].batches().len(), 1);
        assert_eq!(bench.try_append(&batch(0, 2, 1)), Ok((2, 2)));
        assert_eq!(bench.try_append(&batch(0, 1, 1)), OUT_OF_ORDER);
        assert_eq!(bench.try_append(&batch(0, 3, 1)), Ok((3, 3)));
    }
}

#[test]
fn a_restart_forgets_producers_that_have_been_silent_for_too_long() {
    let mut bench = Bench::new();
    bench.try_append(&batch(0, 0, 1)).unwrap();
    bench.now.0 += 86_400_000;
    bench.restart(false);
    assert!(bench.log.producers().is_empty());
}

#[test]
fn truncation_takes_the_producers_back() {
    let mut bench = Bench::new();
    bench.config.segment_bytes = 3 * batch(0, 0, 1).size_in_bytes();
    (0..8).for_each(|sequence| assert!(bench.try_append(&batch(0, sequence, 1)).is_ok()));
    for end in [7, 5, 3, 1] {
        bench.truncate_to(end);
        assert_eq!(bench.log.producers()[&ProducerId(1)].last_sequence(), end as i32 - 1, "cut to {end}");
    }
    assert_eq!(bench.try_append(&batch(0, 1, 1)), Ok((1, 1)));
    bench.truncate_to(0);
    assert!(bench.log.producers().is_empty());
}

#[test]
fn producers_outlive_their_segments() {
    let mut bench = Bench::new();
    bench.config.segment_bytes = batch(0, 0, 1).size_in_bytes();
    (0..3).for_each(|sequence| assert!(bench.try_append(&batch(0, sequence, 1)).is_ok()));
    bench.log.update_high_watermark(Offset(3));
    let context = LogContext { config: &bench.config, wall_time: NOW };
    bench.log.delete_segments(2, &context, &mut bench.effects);
    bench.flush();
    assert_eq!(bench.log.producers()[&ProducerId(1)].last_sequence(), 2);
    let snapshots: Vec<i64> = bench.disk.logs[&partition()].producer_snapshots.keys().map(|offset| offset.0).collect();
    assert_eq!(snapshots, [2]);
}
