//! Compaction. Numbers of Kafka's `LogCleanerTest` and `LogCleanerManagerTest`.

mod markers;

use super::producers::stamp;
use super::*;
use crate::Rng;
use rand::{RngExt, SeedableRng};
use wire::{BatchBody, EndTransactionMarker, ProducerEpoch, ProducerId, TransactionResult};

const ALL_KEYS: u64 = 5_000;
const DAY_MS: i64 = 86_400_000;
/// So late that whatever has a horizon is past it.
const END_OF_TIME: i64 = i64::MAX;

/// A log with the next sequence number of each producer.
struct Compacted {
    bench: Bench,
    sequences: BTreeMap<i64, i32>,
    dirty: Offset,
}

fn keyed(keys: &[i32]) -> RecordBatch {
    let record = |key: &i32| Record::new(Some(key.to_string().as_bytes()), Some(b"v"), NOW);
    RecordBatch::from_producer(keys.iter().map(record).collect())
}

fn tombstone(key: i32) -> RecordBatch {
    RecordBatch::from_producer(vec![Record::new(Some(key.to_string().as_bytes()), None, NOW)])
}

impl Compacted {
    fn new() -> Compacted {
        let mut bench = Bench::new();
        bench.config.cleanup_policy = CleanupPolicy::Compact;
        Compacted { bench, sequences: BTreeMap::new(), dirty: Offset::ZERO }
    }

    /// One record for each key, each in a batch of its own.
    fn with(keys: &[i32]) -> Compacted {
        let mut log = Compacted::new();
        keys.iter().for_each(|key| log.append(&keyed(&[*key])));
        log.roll();
        log
    }

    fn append(&mut self, batch: &RecordBatch) {
        self.bench.append(batch, 0).unwrap();
    }

    fn produce(&mut self, producer: i64, keys: &[i32], is_transactional: bool) {
        let sequence = self.sequences.entry(producer).or_default();
        let batch = keyed(keys).stamped(stamp(producer, 0, *sequence), is_transactional);
        *sequence += keys.len() as i32;
        self.append(&batch);
    }

    fn transact(&mut self, producer: i64, keys: &[i32]) {
        self.produce(producer, keys, true);
    }

    fn end(&mut self, producer: i64, result: TransactionResult) {
        let marker = EndTransactionMarker { result, coordinator_epoch: 0 };
        let batch = RecordBatch::of_end_transaction(marker, ProducerId(producer), ProducerEpoch(0), NOW);
        self.bench.append_as(AppendOrigin::Coordinator, &batch, 0).unwrap();
    }

    /// Begins another segment; everything before is committed.
    fn roll(&mut self) {
        let context = LogContext { config: &self.bench.config, wall_time: self.bench.now };
        self.bench.log.roll(Offset::ZERO, &context, &mut self.bench.effects);
        self.bench.flush();
        self.bench.log.update_high_watermark(self.bench.log.log_end_offset());
    }

    fn to_clean(&self) -> cleaner::LogToClean {
        self.bench.log.log_to_clean(&LogContext { config: &self.bench.config, wall_time: self.bench.now })
    }

    /// Compacts from the first dirty offset on, or from the beginning.
    fn compact_from(&mut self, dirty: Offset, most_keys: u64, time: i64) -> cleaner::CleanerStats {
        let to_clean = cleaner::LogToClean { first_dirty_offset: dirty, ..self.to_clean() };
        let context = LogContext { config: &self.bench.config, wall_time: Timestamp(time) };
        let stats = self.bench.log.compact(&to_clean, most_keys, &context, &mut self.bench.effects);
        self.bench.flush();
        self.dirty = self.bench.log.cleaner_offset().unwrap();
        stats
    }

    fn compact_at(&mut self, time: i64) {
        self.compact_from(self.dirty, ALL_KEYS, time);
    }

    /// The first pass gives tombstones and markers their time, the second comes when that is over.
    fn compact_twice(&mut self) {
        self.compact_at(NOW.0);
        self.compact_at(NOW.0 + DAY_MS + 1);
    }

    fn batches(&self) -> impl Iterator<Item = &Arc<RecordBatch>> {
        self.bench.log.segments().iter()
    }

    fn bases(&self) -> Vec<i64> {
        self.batches().map(|batch| batch.base_offset.0).collect()
    }

    fn last_offsets(&self) -> Vec<i64> {
        self.batches().map(|batch| batch.last_offset().0).collect()
    }

    /// The offsets of records and markers.
    fn offsets(&self) -> Vec<i64> {
        self.batches().flat_map(|batch| offsets_in(batch)).collect()
    }

    fn keys(&self) -> Vec<i32> {
        let records = self.batches().flat_map(|batch| batch.records());
        records.map(|record| std::str::from_utf8(record.key.as_ref().unwrap()).unwrap().parse().unwrap()).collect()
    }

    fn aborted(&self) -> Vec<(i64, i64, i64, i64)> {
        let all = self.bench.log.segments().segments().flat_map(LogSegment::aborted_transactions);
        all.map(|one| (one.producer_id.0, one.first_offset.0, one.last_offset.0, one.last_stable_offset.0)).collect()
    }
}

fn offsets_in(batch: &RecordBatch) -> Vec<i64> {
    match &batch.body {
        BatchBody::Records(records) => {
            records.iter().map(|record| batch.base_offset.0 + i64::from(record.offset_delta)).collect()
        }
        BatchBody::EndTransaction(_) => vec![batch.base_offset.0],
        _ => Vec::new(),
    }
}

use TransactionResult::{Abort, Commit};

#[test]
fn the_last_record_of_each_key_stays_where_it_was() {
    let mut log = Compacted::with(&[0, 1, 0, 1, 0]);
    let size = log.bench.log.size_in_bytes();
    let stats = log.compact_from(Offset(2), 3, NOW.0);
    assert_eq!((log.keys(), log.offsets(), log.dirty), (vec![1, 0], vec![3, 4], Offset(5)));
    assert_eq!((stats.records_read, stats.records_written, stats.invalid_records_read), (5, 2, 0));
    assert_eq!((stats.bytes_read as i64, stats.bytes_written as i64), (size, log.bench.log.size_in_bytes()));
    let restarted = log.bench.restarted();
    assert_eq!((restarted.segments().len(), restarted.log_end_offset()), (2, Offset(5)));
    assert_eq!(restarted.cleaner_offset(), Some(Offset(5)));
}

#[test]
fn with_room_for_one_key_compaction_gets_on_by_one_record() {
    let mut log = Compacted::with(&[0, 1, 0, 1, 0]);
    for (dirty, keys, offsets) in
        [(2, vec![1, 0, 1, 0], vec![1, 2, 3, 4]), (3, vec![0, 1, 0], vec![2, 3, 4]), (4, vec![1, 0], vec![3, 4])]
    {
        log.compact_from(Offset(dirty), 1, NOW.0);
        assert_eq!((log.keys(), log.offsets(), log.dirty), (keys, offsets, Offset(dirty + 1)));
    }
    let mut partial = Compacted::with(&[0, 1, 2, 3, 4]);
    partial.compact_from(Offset(2), 2, NOW.0);
    assert_eq!((partial.dirty, partial.offsets()), (Offset(4), vec![0, 1, 2, 3, 4]));
}

#[test]
fn duplicates_are_known_after_compaction_and_a_restart() {
    let mut log = Compacted::new();
    for (producer, keys) in [(1, &[1, 2, 3][..]), (2, &[3, 1, 4]), (3, &[1, 4])] {
        log.produce(producer, keys, false);
    }
    log.roll();
    log.compact_from(Offset::ZERO, ALL_KEYS, NOW.0);
    assert_eq!((log.last_offsets(), log.keys(), log.offsets()), (vec![2, 5, 7], vec![2, 3, 1, 4], vec![1, 3, 6, 7]));
    log.bench.restart(false);
    let repeated = |log: &mut Compacted, producer, keys: &[i32]| {
        let info = log.bench.append(&keyed(keys).stamped(stamp(producer, 0, 0), false), 0).unwrap();
        (info.is_duplicate, info.first_offset.0, info.last_offset.0)
    };
    assert_eq!(repeated(&mut log, 1, &[1, 2, 3]), (true, 0, 2));
    assert_eq!(repeated(&mut log, 3, &[1, 4]), (true, 6, 7));
    assert_eq!(repeated(&mut log, 2, &[3, 1, 4]), (true, 3, 5));
    log.produce(4, &[2], false);
    log.roll();
    log.compact_from(Offset::ZERO, ALL_KEYS, NOW.0);
    assert_eq!((log.last_offsets(), log.keys(), log.offsets()), (vec![2, 5, 7, 8], vec![3, 1, 4, 2], vec![3, 6, 7, 8]));
    log.bench.restart(false);
    assert_eq!(repeated(&mut log, 1, &[1, 2, 3]), (true, 0, 2));
}

#[test]
fn aborted_transactions_are_known_as_long_as_batches_of_theirs_were_there() {
    let mut log = Compacted::new();
    log.bench.config.delete_retention_ms = 50_000;
    log.transact(1, &[1, 2]);
    log.transact(2, &[2, 3]);
    log.transact(1, &[3, 4]);
    log.end(1, Commit);
    log.end(2, Commit);
    log.transact(1, &[2, 3]);
    log.end(1, Abort);
    log.transact(2, &[4, 5]);
    log.transact(1, &[5, 6]);
    log.end(1, Commit);
    log.end(2, Abort);
    log.transact(2, &[6, 7]);
    log.end(2, Commit);
    log.roll();
    let indexed = vec![(1, 8, 10, 11), (2, 11, 16, 17)];
    assert_eq!(log.aborted(), indexed);
    type Pass<'a> = (i64, i64, &'a [i64], &'a [i64]);
    let passes: &[Pass<'_>] = &[
        (0, 4, &[0, 2, 4, 6, 7, 10, 13, 15, 16, 17, 19], &[0, 2, 3, 4, 5, 6, 7, 10, 13, 14, 15, 16, 17, 18, 19]),
        (0, 14, &[0, 2, 4, 6, 7, 10, 13, 15, 16, 17, 19], &[0, 2, 4, 5, 6, 7, 10, 13, 14, 15, 16, 17, 18, 19]),
        (50_000, 20, &[0, 2, 4, 6, 7, 13, 15, 17, 19], &[0, 2, 4, 5, 6, 7, 13, 15, 17, 18, 19]),
    ];
    for (pass, (later_ms, dirty, bases, offsets)) in passes.iter().enumerate() {
        log.compact_from(log.dirty, 3, NOW.0 + later_ms);
        assert_eq!((log.dirty.0, &log.bases()[..], &log.offsets()[..]), (*dirty, *bases, *offsets), "pass {pass}");
        assert_eq!(log.aborted(), if pass == 0 { indexed.clone() } else { Vec::new() }, "pass {pass}");
    }
}

#[test]
fn what_was_aborted_counts_for_no_key() {
    let mut log = Compacted::new();
    log.transact(1, &[1, 2]);
    log.transact(2, &[2, 3]);
    log.transact(1, &[3, 4]);
    log.end(1, Abort);
    log.end(2, Commit);
    log.transact(1, &[2]);
    log.end(1, Commit);
    let before = log.aborted();
    log.roll();
    log.compact_at(NOW.0);
    assert_eq!((log.keys(), log.offsets()), (vec![3, 2], vec![3, 6, 7, 8, 9]));
    assert_eq!(log.aborted(), before);
}

#[test]
fn transactions_are_followed_across_segments() {
    let mut log = Compacted::new();
    log.transact(1, &[1, 2]);
    log.transact(3, &[2, 3]);
    log.transact(2, &[3, 4]);
    log.roll();
    log.transact(2, &[5, 6]);
    log.transact(3, &[6, 7]);
    log.transact(1, &[7, 8]);
    log.end(2, Abort);
    log.transact(3, &[8, 9]);
    log.end(3, Commit);
    log.transact(1, &[9, 10]);
    log.end(1, Abort);
    log.roll();
    log.transact(2, &[11]);
    log.transact(1, &[12]);
    log.bench.log.update_high_watermark(log.bench.log.log_end_offset());
    log.compact_at(NOW.0);
    assert_eq!(log.keys(), [2, 3, 6, 7, 8, 9, 11, 12]);
}

#[test]
fn a_commit_marker_goes_after_its_records_and_its_time() {
    let mut log = Compacted::new();
    log.transact(1, &[1]);
    log.transact(1, &[2, 3]);
    log.end(1, Commit);
    log.transact(1, &[2]);
    log.end(1, Commit);
    log.roll();
    log.compact_at(NOW.0);
    assert_eq!((log.keys(), log.offsets()), (vec![1, 3, 2], vec![0, 2, 3, 4, 5]));
    log.transact(1, &[1, 3]);
    log.end(1, Commit);
    log.roll();
    for (time, offsets) in
        [(NOW.0, &[3, 4, 5, 6, 7, 8][..]), (NOW.0, &[3, 4, 5, 6, 7, 8]), (END_OF_TIME, &[4, 5, 6, 7, 8])]
    {
        log.compact_at(time);
        assert_eq!((log.keys(), log.offsets()), (vec![2, 1, 3], offsets.to_vec()));
    }
}

#[test]
fn an_abort_marker_goes_after_its_records_and_its_time() {
    let mut log = Compacted::new();
    log.transact(1, &[1]);
    log.transact(1, &[2, 3]);
    log.end(1, Abort);
    log.transact(1, &[3]);
    log.end(1, Commit);
    log.roll();
    log.compact_at(NOW.0);
    assert_eq!((log.keys(), log.offsets()), (vec![3], vec![3, 4, 5]));
    log.compact_twice();
    assert_eq!((log.keys(), log.offsets()), (vec![3], vec![4, 5]));
}

#[test]
fn a_batch_that_carries_its_producers_last_sequence_stays_empty() {
    let mut log = Compacted::new();
    log.append(&keyed(&[0]));
    for (producer, keys) in [(1, &[0]), (2, &[0]), (3, &[0]), (2, &[1])] {
        log.produce(producer, keys, false);
    }
    log.roll();
    log.compact_at(NOW.0);
    assert_eq!((log.last_offsets(), log.keys(), log.offsets()), (vec![1, 3, 4], vec![0, 1], vec![3, 4]));

    let mut aborted = Compacted::new();
    aborted.transact(1, &[1]);
    aborted.transact(1, &[2, 3]);
    aborted.end(1, Abort);
    aborted.roll();
    aborted.compact_at(NOW.0);
    assert_eq!((aborted.last_offsets(), aborted.offsets()), (vec![2, 3], vec![3]));
    aborted.transact(1, &[1, 5]);
    aborted.end(1, Commit);
    aborted.roll();
    aborted.compact_at(NOW.0);
    assert_eq!((aborted.last_offsets(), aborted.keys()), (vec![3, 5, 6], vec![1, 5]));
}

#[test]
fn an_abort_marker_stays_while_an_empty_batch_of_its_transaction_does() {
    let mut log = Compacted::new();
    log.transact(1, &[2, 3]);
    log.end(1, Abort);
    log.roll();
    log.compact_at(NOW.0);
    log.compact_twice();
    assert_eq!((log.offsets(), log.last_offsets(), log.aborted().len()), (vec![2], vec![1, 2], 1));
    log.transact(1, &[1]);
    log.end(1, Commit);
    log.roll();
    log.compact_at(NOW.0);
    assert_eq!((log.offsets(), log.last_offsets(), log.aborted().len()), (vec![2, 3, 4], vec![2, 3, 4], 1));
    log.compact_twice();
    assert_eq!((log.offsets(), log.last_offsets(), log.aborted().len()), (vec![3, 4], vec![3, 4], 0));
}

#[test]
fn a_marker_that_carries_its_producers_epoch_stays_empty() {
    let mut log = Compacted::new();
    log.end(1, Commit);
    [2, 3].iter().for_each(|key| log.append(&keyed(&[*key])));
    log.roll();
    log.compact_twice();
    assert_eq!((log.keys(), log.offsets(), log.last_offsets()), (vec![2, 3], vec![1, 2], vec![0, 1, 2]));
    log.compact_at(END_OF_TIME);
    assert_eq!((log.offsets(), log.last_offsets()), (vec![1, 2], vec![0, 1, 2]));
}

#[test]
fn a_tombstone_stays_until_a_pass_after_its_time() {
    let mut log = Compacted::with(&[0]);
    log.compact_at(NOW.0);
    log.append(&tombstone(0));
    log.roll();
    log.compact_at(NOW.0);
    assert_eq!(log.last_offsets(), [1]);
    let horizon = log.batches().next().and_then(|batch| batch.delete_horizon());
    assert_eq!(horizon, Some(Timestamp(NOW.0 + DAY_MS)));
    log.append(&keyed(&[1]));
    log.roll();
    log.compact_at(NOW.0 + DAY_MS - 1);
    assert_eq!((log.last_offsets(), log.bench.log.segments().base_offset()), (vec![1, 2], Offset::ZERO));
    log.compact_at(NOW.0 + DAY_MS);
    assert_eq!((log.last_offsets(), log.bench.log.log_start_offset()), (vec![2], Offset::ZERO));
}

#[test]
fn records_without_a_key_go() {
    let mut log = Compacted::new();
    log.bench.config.cleanup_policy = CleanupPolicy::Delete;
    log.append(&RecordBatch::from_producer(vec![Record::new(None, Some(b"v"), NOW)]));
    log.append(&keyed(&[1]));
    log.roll();
    assert_eq!(log.compact_from(Offset::ZERO, ALL_KEYS, NOW.0).invalid_records_read, 1);
    assert_eq!(log.offsets(), [1]);
}

#[test]
fn compaction_gets_beyond_missing_offsets() {
    let mut log = Compacted::new();
    (0..10).for_each(|key| log.append(&keyed(&[key])));
    for base in [15, 30] {
        let batch = Arc::new(keyed(&[base]).appended_at(Offset(i64::from(base)), LeaderEpoch(0)));
        log.roll();
        log.bench.replicate_batch(&batch).unwrap();
    }
    let context = LogContext { config: &log.bench.config, wall_time: NOW };
    log.bench.log.roll(Offset(40), &context, &mut log.bench.effects);
    let first_uncleanable_offset = log.bench.log.segments().active().base_offset();
    let to_clean = cleaner::LogToClean { first_uncleanable_offset, ..log.to_clean() };
    log.bench.log.compact(&to_clean, ALL_KEYS, &context, &mut log.bench.effects);
    assert_eq!((first_uncleanable_offset, log.bench.log.cleaner_offset()), (Offset(40), Some(Offset(40))));
}

#[test]
fn neighbouring_segments_become_one_while_they_fit_and_empty_ones_do_no_harm() {
    let mut log = Compacted::new();
    for key in [0, 0, 0, 1, 1, 2] {
        log.append(&keyed(&[key]));
        log.roll();
    }
    let size = keyed(&[0]).size_in_bytes();
    log.bench.config.segment_bytes = 2 * size;
    log.compact_at(NOW.0);
    let bases =
        |log: &Compacted| log.bench.log.segments().segments().map(|one| one.base_offset().0).collect::<Vec<_>>();
    assert_eq!((bases(&log), log.offsets()), (vec![0, 2, 4, 6], vec![2, 4, 5]));
    assert!(log.bench.log.segments().at(0).unwrap().is_empty());
    assert_eq!(log.bench.log.segments().partition_point(|batch| batch.base_offset.0 < 4), 1);
    let all = ReadLimit { max_bytes: i32::MAX, at_least_one_batch: true };
    assert_eq!(read(&log.bench.log, 0, 6, all), Ok(vec![2]));
    log.compact_at(NOW.0);
    log.compact_from(Offset::ZERO, ALL_KEYS, NOW.0);
    assert_eq!((bases(&log), log.offsets()), (vec![0, 4, 6], vec![2, 4, 5]));
}

#[test]
fn the_uncleanable_part_begins_with_the_last_stable_offset_the_active_segment_or_young_records() {
    const LAG_MS: i64 = 3_600_000;
    let filled = |segments: usize| {
        let mut log = Compacted::new();
        log.bench.config.segment_bytes = 10 * keyed(&[0]).size_in_bytes();
        while log.bench.log.segments().count() < segments {
            log.append(&keyed(&[0]));
        }
        log
    };
    let mut none = filled(8);
    none.bench.log.update_high_watermark(Offset(50));
    assert_eq!((none.to_clean().first_dirty_offset, none.to_clean().first_uncleanable_offset), (Offset(0), Offset(50)));
    none.bench.log.update_high_watermark(Offset(55));
    assert_eq!(none.to_clean().first_uncleanable_offset, Offset(50), "only whole segments count");
    none.bench.log.update_high_watermark(none.bench.log.log_end_offset());
    assert_eq!(none.to_clean().first_uncleanable_offset, Offset(70));
    none.bench.config.min_compaction_lag_ms = LAG_MS;
    assert_eq!(none.to_clean().first_uncleanable_offset, Offset(0));
    none.bench.now.0 += LAG_MS;
    assert_eq!(none.to_clean().first_uncleanable_offset, Offset(70));
}

#[test]
fn a_transaction_that_is_open_or_young_is_not_compacted() {
    const LAG_MS: i64 = 3_600_000;
    let mut log = Compacted::new();
    log.bench.config.min_compaction_lag_ms = LAG_MS;
    log.transact(15, &[1, 2]);
    log.transact(15, &[3]);
    log.roll();
    log.bench.now.0 += LAG_MS + 1;
    let range = |log: &Compacted| (log.to_clean().first_dirty_offset.0, log.to_clean().first_uncleanable_offset.0);
    assert_eq!(range(&log), (0, 0));
    let marker = EndTransactionMarker { result: Abort, coordinator_epoch: 15 };
    let abort = RecordBatch::of_end_transaction(marker, ProducerId(15), ProducerEpoch(0), log.bench.now);
    log.bench.append_as(AppendOrigin::Coordinator, &abort, 0).unwrap();
    log.roll();
    assert_eq!(range(&log), (0, 3));
    log.bench.now.0 += LAG_MS + 1;
    assert_eq!(range(&log), (0, 4));
}

#[test]
fn a_log_is_due_by_its_share_of_dirty_bytes_or_when_it_has_waited_long() {
    let mut log = Compacted::new();
    for _ in 0..6 {
        log.append(&keyed(&[1]));
        log.roll();
    }
    let size = u64::from(keyed(&[1]).size_in_bytes().unsigned_abs());
    let is_due = |log: &Compacted| log.to_clean().is_due(&log.bench.config);
    for (dirty, expected) in [(0, true), (2, true), (3, false), (6, false)] {
        log.bench.log.set_cleaner_offset(Offset(dirty), &mut log.bench.effects);
        let to_clean = log.to_clean();
        assert_eq!((to_clean.clean_bytes, to_clean.cleanable_bytes), (dirty as u64 * size, (6 - dirty as u64) * size));
        assert_eq!(is_due(&log), expected, "from {dirty}");
    }
    log.bench.log.set_cleaner_offset(Offset(5), &mut log.bench.effects);
    log.bench.config.max_compaction_lag_ms = 1_000;
    log.bench.now = Timestamp(NOW.0 + 1_000);
    assert!(!is_due(&log));
    log.bench.now.0 += 1;
    assert!(is_due(&log));
}

#[test]
fn a_checkpoint_outside_the_log_does_not_count_and_is_cut_with_it() {
    let mut log = Compacted::with(&[0, 1, 2, 3]);
    log.append(&keyed(&[4]));
    for checkpoint in [0, 200] {
        log.bench.log.maybe_increment_log_start_offset(Offset(2), &mut log.bench.effects).unwrap();
        log.bench.log.set_cleaner_offset(Offset(checkpoint), &mut log.bench.effects);
        assert_eq!(log.to_clean().first_dirty_offset, Offset(2), "checkpoint {checkpoint}");
    }
    log.bench.log.set_cleaner_offset(Offset(4), &mut log.bench.effects);
    assert!(log.bench.truncate_to(3));
    assert_eq!(log.bench.log.cleaner_offset(), Some(Offset(0)));
}

/// What a consumer of committed records finds in a log: each key's last offset, and whether it is a tombstone.
fn last_of_each_key(log: &Compacted) -> BTreeMap<Vec<u8>, (i64, bool)> {
    let records = log.batches().flat_map(|batch| batch.records().iter().map(move |record| (batch, record)));
    let last = records.map(|(batch, record)| {
        let offset = batch.base_offset.0 + i64::from(record.offset_delta);
        (record.key.as_ref().unwrap().to_vec(), (offset, record.value.is_none()))
    });
    last.collect()
}

#[test]
fn random_logs_keep_the_last_record_of_each_key_through_any_number_of_passes() {
    let mut rng = Rng::seed_from_u64(11);
    let mut taken = 0;
    for _ in 0..60 {
        let mut log = Compacted::new();
        log.bench.config.segment_bytes = rng.random_range(150..600);
        for pass in 0..rng.random_range(1..5i64) {
            for _ in 0..rng.random_range(1..30u32) {
                let keys: Vec<i32> = (0..rng.random_range(1..4u32)).map(|_| rng.random_range(0..8)).collect();
                match rng.random_range(0..4u32) {
                    0 => log.append(&tombstone(keys[0])),
                    1 => log.produce(rng.random_range(1..4), &keys, false),
                    _ => log.append(&keyed(&keys)),
                }
            }
            log.bench.log.update_high_watermark(log.bench.log.log_end_offset());
            let (expected, before) = (last_of_each_key(&log), log.offsets());
            let most_keys = rng.random_range(1..10);
            log.compact_from(log.dirty, most_keys, NOW.0 + pass * DAY_MS / 2);
            let (left, after) = (last_of_each_key(&log), log.offsets());
            assert!(after.iter().all(|offset| before.contains(offset)) && after.is_sorted());
            for (key, (offset, is_tombstone)) in &expected {
                let kept = left.get(key).map(|(offset, _)| offset);
                assert!(kept == Some(offset) || *is_tombstone && kept.is_none(), "{key:?}: {offset}, {kept:?}");
            }
            taken += before.len() - after.len();
            let restarted = log.bench.restarted();
            assert!(restarted.segments().iter().eq(log.batches()), "the disk has the same");
        }
    }
    assert!(taken > 500, "only {taken} records went");
}
