//! The numbers of Kafka's own `LeaderEpochFileCacheTest` and `UnifiedLogTest`, and what a restart keeps.

mod appending;
mod compaction;
mod producers;
mod reading;
mod recovery;
mod retention;
mod segments;
mod transactions;

use super::leader_epoch_cache::LeaderEpochCache;
use super::*;
use crate::config::{BrokerConfig, CleanupPolicy, TopicConfig};
use crate::event::{BrokerEvent, EventKind};
use crate::node::{Effect, Effects};
use crate::storage::Disk;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::request::OffsetSpec;
use wire::{
    ErrorCode, LeaderEpoch, Offset, PartitionIndex, Record, RecordBatch, Timestamp, TimestampType, TopicId, TopicName,
    TopicPartition,
};

type Entries<'a> = &'a [(i32, i64)];

fn cache(assigned: Entries<'_>) -> LeaderEpochCache {
    let mut cache = LeaderEpochCache::default();
    for (epoch, start_offset) in assigned {
        cache.assign(LeaderEpoch(*epoch), Offset(*start_offset));
    }
    cache
}

fn entries(cache: &LeaderEpochCache) -> Vec<(i32, i64)> {
    cache.entries().iter().map(|(epoch, offset)| (epoch.0, offset.0)).collect()
}

#[test]
fn epochs_and_start_offsets_only_grow() {
    let table: &[(Entries<'_>, Entries<'_>)] = &[
        (&[(2, 10)], &[(2, 10)]),
        (&[(2, 9), (2, 10)], &[(2, 9)]),
        (&[(2, 9), (3, 9)], &[(3, 9)]),
        (&[(2, 6), (3, 5)], &[(3, 5)]),
        (&[(1, 5), (2, 6), (1, 7)], &[(1, 7)]),
        (&[(5, 11), (6, 12), (7, 13), (7, 12)], &[(5, 11), (7, 12)]),
        (&[(0, 0), (1, 0)], &[(1, 0)]),
        (&[(0, 0), (0, 1), (1, 3), (1, 4), (2, 6), (2, 7)], &[(0, 0), (1, 3), (2, 6)]),
    ];
    for (assigned, expected) in table {
        assert_eq!(entries(&cache(assigned)), *expected, "{assigned:?}");
    }
}

#[test]
fn an_epoch_ends_where_the_next_begins() {
    let table: &[(Entries<'_>, i64, i32, (i32, i64))] = &[
        (&[(2, 10)], 11, 2, (2, 11)),
        (&[(2, 11), (2, 12)], 14, 2, (2, 14)),
        (&[(2, 11), (3, 12)], 0, -1, (-1, -1)),
        (&[], 0, 0, (-1, -1)),
        (&[], 73, -1, (-1, -1)),
        (&[], 0, 7, (-1, -1)),
        (&[(5, 11), (6, 12), (7, 13)], 0, 4, (4, 11)),
        (&[(5, 11), (6, 12), (7, 13), (7, 12)], 0, 5, (5, 12)),
        (&[(5, 11), (6, 12), (7, 13), (7, 12)], 0, 6, (5, 12)),
        (&[(1, 11), (1, 12), (2, 13), (2, 14), (3, 15), (3, 16)], 17, 2, (2, 15)),
        (&[(0, 10), (2, 13), (4, 17)], 0, 1, (0, 13)),
        (&[(0, 10), (2, 13), (4, 17)], 0, 2, (2, 17)),
        (&[(0, 10), (2, 13), (4, 17)], 0, 3, (2, 17)),
        (&[(2, 100)], 100, 3, (-1, -1)),
        (&[(1, 5), (2, 6), (1, 7)], 8, 1, (1, 8)),
        (&[(1, 5), (2, 6), (1, 7)], 8, 2, (-1, -1)),
        (&[(0, 0), (1, 0)], 5, 1, (1, 5)),
        (&[(0, 0), (1, 0)], 5, 0, (0, 0)),
        (&[(0, 0), (1, 0), (2, 5)], 10, 2, (2, 10)),
        (&[(0, 0), (1, 0), (2, 5)], 10, 1, (1, 5)),
        (&[(0, 0), (1, 0), (2, 5)], 10, 0, (0, 0)),
        (&[(0, 0), (1, 3), (2, 6)], 9, 0, (0, 3)),
        (&[(0, 0), (1, 3), (2, 6)], 9, 1, (1, 6)),
    ];
    for (assigned, log_end_offset, epoch, expected) in table {
        let end = cache(assigned).end_offset_for(LeaderEpoch(*epoch), Offset(*log_end_offset));
        assert_eq!((end.leader_epoch.0, end.end_offset.0), *expected, "epoch {epoch} of {assigned:?}");
    }
}

#[test]
fn truncation_cuts_epochs_at_either_end() {
    const ALL: Entries<'_> = &[(2, 6), (3, 8), (4, 11)];
    let from_end: &[(i64, Entries<'_>)] = &[(8, &[(2, 6)]), (9, &[(2, 6), (3, 8)]), (12, ALL), (6, &[])];
    for (offset, expected) in from_end {
        let mut cache = cache(ALL);
        assert_eq!(cache.truncate_from_end(Offset(*offset)), *expected != ALL);
        assert_eq!(entries(&cache), *expected, "from the end at {offset}");
    }
    let from_start: &[(i64, Entries<'_>)] =
        &[(8, &[(3, 8), (4, 11)]), (9, &[(3, 9), (4, 11)]), (1, ALL), (6, ALL), (11, &[(4, 11)]), (15, &[(4, 15)])];
    for (offset, expected) in from_start {
        let mut cache = cache(ALL);
        cache.truncate_from_start(Offset(*offset));
        assert_eq!(entries(&cache), *expected, "from the start at {offset}");
    }
    let mut between = cache(&[(0, 0), (1, 7), (2, 10)]);
    between.truncate_from_start(Offset(5));
    assert_eq!(entries(&between), [(0, 5), (1, 7), (2, 10)]);
}

#[test]
fn an_offset_belongs_to_the_last_epoch_that_began() {
    let cache = cache(&[(0, 10), (1, 20), (5, 30)]);
    for (offset, epoch) in [(25, 1), (20, 1), (30, 5), (50, 5), (5, -1)] {
        assert_eq!(cache.epoch_for_offset(Offset(offset)), LeaderEpoch(epoch), "offset {offset}");
    }
}

/// A log beside the disk that it writes to.
struct Bench {
    log: PartitionLog,
    disk: Disk,
    effects: Effects,
    events: Vec<BrokerEvent>,
    config: TopicConfig,
    now: Timestamp,
}

/// Transactions are not verified, as in Kafka's tests of the log.
fn settings() -> LogSettings {
    LogSettings {
        producer_id_expiration_ms: 86_400_000,
        transaction_partition_verification_enable: false,
        had_clean_shutdown: false,
        jitter_seed: 7,
    }
}

const NOW: Timestamp = Timestamp(1_000_000);

fn partition() -> TopicPartition {
    TopicPartition::new(TopicName::new("t"), PartitionIndex(0))
}

fn records(count: usize, timestamp: i64) -> RecordBatch {
    RecordBatch::from_producer(vec![Record::new(Some(b"key"), Some(b"value"), Timestamp(timestamp)); count])
}

impl Bench {
    fn new() -> Bench {
        let mut effects = Effects::new();
        let config = TopicConfig::resolve(&BTreeMap::new(), &BrokerConfig::default());
        let context = LogContext { config: &config, wall_time: NOW };
        let log = PartitionLog::create(partition(), TopicId(7), settings(), &context, &mut effects);
        let disk = Disk::default();
        let mut bench = Bench { log, disk, effects, events: Vec::new(), config, now: NOW };
        bench.flush();
        bench
    }

    fn flush(&mut self) {
        for effect in self.effects.drain() {
            match effect {
                Effect::Write(write) => self.disk.apply(write),
                Effect::Note(EventKind::Broker(event)) => self.events.push(event),
                other => panic!("a log writes and notes, but did {other:?}"),
            }
        }
    }

    fn append(&mut self, batch: &RecordBatch, epoch: i32) -> Result<AppendInfo, AppendError> {
        self.append_as(AppendOrigin::Client, batch, epoch)
    }

    fn append_as(&mut self, origin: AppendOrigin, batch: &RecordBatch, epoch: i32) -> Result<AppendInfo, AppendError> {
        let context = LogContext { config: &self.config, wall_time: self.now };
        let append = LeaderAppend { origin, ..LeaderAppend::of_client(LeaderEpoch(epoch), context) };
        let info = self.log.append_as_leader(batch, &append, &mut self.effects);
        self.flush();
        info
    }

    /// Appends `count` records, each in a batch of its own.
    fn append_singly(&mut self, count: i64, epoch: i32) {
        for _ in 0..count {
            self.append(&records(1, 0), epoch).unwrap();
        }
    }

    fn replicate(&mut self, offset: i64, count: usize, epoch: i32) -> Result<(), FollowerAppendError> {
        let batch = Arc::new(records(count, 0).appended_at(Offset(offset), LeaderEpoch(epoch)));
        self.replicate_batch(&batch)
    }

    fn replicate_batch(&mut self, batch: &Arc<RecordBatch>) -> Result<(), FollowerAppendError> {
        self.replicate_batches(std::slice::from_ref(batch))
    }

    fn replicate_batches(&mut self, batches: &[Arc<RecordBatch>]) -> Result<(), FollowerAppendError> {
        let context = LogContext { config: &self.config, wall_time: self.now };
        let outcome = self.log.append_as_follower(batches, &context, &mut self.effects);
        self.flush();
        outcome
    }

    fn roll(&mut self) {
        let context = LogContext { config: &self.config, wall_time: self.now };
        self.log.roll(Offset::ZERO, &context, &mut self.effects);
        self.flush();
    }

    fn truncate_to(&mut self, offset: i64) -> bool {
        let is_shorter = self.log.truncate_to(Offset(offset), &mut self.effects);
        self.flush();
        is_shorter
    }

    fn restarted(&self) -> PartitionLog {
        self.loaded(settings(), &mut Effects::new())
    }

    fn loaded(&self, settings: LogSettings, effects: &mut Effects) -> PartitionLog {
        let context = LogContext { config: &self.config, wall_time: self.now };
        PartitionLog::load(partition(), &self.disk.logs[&partition()], settings, &context, effects)
    }

    /// Kills the process, or lets it end as it should, and starts it again.
    fn restart(&mut self, had_clean_shutdown: bool) {
        if had_clean_shutdown {
            self.log.close(self.now, &mut self.effects);
            self.flush();
        }
        let mut effects = Effects::new();
        self.log = self.loaded(LogSettings { had_clean_shutdown, ..settings() }, &mut effects);
        self.effects = effects;
        self.flush();
    }

    fn offsets(&self) -> (i64, i64, i64) {
        offsets(&self.log)
    }

    fn epochs(&self) -> Vec<(i32, i64)> {
        self.log.leader_epochs().iter().map(|(epoch, offset)| (epoch.0, offset.0)).collect()
    }
}

/// Log start offset, high watermark, log end offset.
fn offsets(log: &PartitionLog) -> (i64, i64, i64) {
    (log.log_start_offset().0, log.high_watermark().0, log.log_end_offset().0)
}

#[test]
fn an_epoch_without_records_is_forgotten_on_the_disk_too() {
    let mut bench = Bench::new();
    bench.append_singly(2, 0);
    bench.log.assign_epoch_start_offset(LeaderEpoch(2), Offset(2), &mut bench.effects);
    bench.flush();
    bench.restart(false);
    bench.replicate(2, 1, 0).unwrap();
    bench.restart(false);
    assert_eq!(bench.epochs(), [(0, 0)]);
}

#[test]
fn the_high_watermark_stays_within_the_log() {
    let mut bench = Bench::new();
    bench.append(&records(3, 0), 0).unwrap();
    assert_eq!(bench.offsets(), (0, 0, 3));
    assert!(bench.log.maybe_increment_high_watermark(Offset(1)));
    assert!(!bench.log.maybe_increment_high_watermark(Offset(0)));
    assert_eq!(bench.offsets(), (0, 1, 3));
    assert!(bench.log.update_high_watermark(Offset(5)));
    assert_eq!(bench.offsets(), (0, 3, 3));
    bench.replicate(3, 3, 0).unwrap();
    bench.log.update_high_watermark(Offset(6));
    assert_eq!(bench.offsets(), (0, 6, 6));
    assert!(bench.truncate_to(3));
    assert_eq!(bench.offsets(), (0, 3, 3));
    bench.log.truncate_fully_and_start_at(Offset(4), &mut bench.effects);
    bench.flush();
    assert_eq!(bench.offsets(), (4, 4, 4));
    assert_eq!(offsets(&bench.restarted()), (4, 4, 4));
}

#[test]
fn a_followers_high_watermark_tells_whether_it_changed() {
    let mut bench = Bench::new();
    bench.replicate(0, 100, 0).unwrap();
    let changes = [99, 99, 100, 101].map(|offset| bench.log.update_high_watermark(Offset(offset)));
    assert_eq!(changes, [true, false, true, false]);
    assert_eq!(bench.log.high_watermark(), Offset(100));
}

#[test]
fn truncation_drops_the_epochs_that_began_behind_it() {
    for (offset, expected) in [(20, 3), (11, 2), (10, 1), (0, 0)] {
        let mut bench = Bench::new();
        bench.append_singly(10, 0);
        bench.append_singly(6, 1);
        bench.append_singly(4, 2);
        bench.truncate_to(offset);
        assert_eq!(bench.log.leader_epochs().len(), expected, "truncated to {offset}");
        assert_eq!(bench.restarted().leader_epochs(), bench.log.leader_epochs());
        assert_eq!(bench.restarted().log_end_offset(), Offset(offset));
    }
}

#[test]
fn truncation_at_the_end_forgets_an_epoch_without_records() {
    let mut bench = Bench::new();
    bench.append_singly(10, 4);
    bench.log.assign_epoch_start_offset(LeaderEpoch(5), Offset(10), &mut bench.effects);
    assert_eq!(bench.epochs(), [(4, 0), (5, 10)]);
    assert!(!bench.truncate_to(10));
    assert_eq!(bench.epochs(), [(4, 0)]);
}

#[test]
fn a_log_below_its_start_begins_anew() {
    let mut bench = Bench::new();
    bench.log.truncate_fully_and_start_at(Offset(7), &mut bench.effects);
    let overlapping = FollowerAppendError::UnexpectedOffset { first_offset: Offset(4), last_offset: Offset(6) };
    assert_eq!(bench.replicate(4, 3, 0), Err(overlapping));
    bench.replicate(7, 3, 0).unwrap();
    assert!(bench.truncate_to(5));
    assert_eq!(bench.offsets(), (5, 5, 5));
}

#[test]
fn the_leader_gives_offsets_and_its_epoch() {
    let mut bench = Bench::new();
    assert_eq!(bench.append(&records(3, 5), 72).unwrap().first_offset, Offset(0));
    let info = bench.append(&records(3, 5), 72).unwrap();
    assert_eq!((info.first_offset, info.last_offset), (Offset(3), Offset(5)));
    assert_eq!(info.log_append_time, Timestamp(-1));
    let stored = bench.log.segments().last().unwrap();
    assert_eq!((stored.partition_leader_epoch, stored.max_timestamp), (LeaderEpoch(72), Timestamp(5)));
    assert_eq!(bench.epochs(), [(72, 0)]);
}

#[test]
fn a_follower_takes_offsets_and_epochs_as_they_are() {
    let mut bench = Bench::new();
    bench.replicate(0, 3, 42).unwrap();
    bench.replicate(5, 2, 43).unwrap();
    assert_eq!(bench.epochs(), [(42, 0), (43, 5)]);
    assert_eq!(bench.log.log_end_offset(), Offset(7));
    assert!(bench.replicate(6, 2, 43).is_err());
    assert_eq!(bench.log.log_end_offset(), Offset(7));
}

#[test]
fn log_append_time_replaces_the_producers_timestamps() {
    let mut bench = Bench::new();
    bench.config.message_timestamp_type = TimestampType::LogAppendTime;
    let info = bench.append(&records(1, 5), 0).unwrap();
    let stored = bench.log.segments().last().unwrap();
    assert_eq!((info.log_append_time, stored.timestamp_of(&stored.records()[0])), (NOW, NOW));
}

#[test]
fn a_producers_batch_is_checked_before_it_is_appended() {
    let keyless = RecordBatch::from_producer(vec![
        Record::new(Some(b"key"), Some(b"v"), Timestamp(0)),
        Record::new(None, Some(b"v"), Timestamp(0)),
    ]);
    let size = records(1, 0).size_in_bytes();
    type Edit = fn(&mut TopicConfig);
    let mut shifted = records(1, 0);
    shifted.base_offset = Offset(1);
    let mut inconsistent = records(2, 0);
    inconsistent.last_offset_delta = 4;
    let mut unsequenced = records(1, 0);
    unsequenced.producer_id = wire::ProducerId(17);
    let mut presumptuous = records(1, -1);
    presumptuous.timestamp_type = TimestampType::LogAppendTime;
    let leader_change = RecordBatch::of_leader_change(1, vec![1], vec![1], NOW);
    let table: Vec<(RecordBatch, Edit, ErrorCode)> = vec![
        (shifted, |_| {}, ErrorCode::InvalidRecord),
        (inconsistent, |_| {}, ErrorCode::InvalidRecord),
        (unsequenced, |_| {}, ErrorCode::InvalidRecord),
        (leader_change, |_| {}, ErrorCode::InvalidRecord),
        (presumptuous, |_| {}, ErrorCode::InvalidTimestamp),
        (records(2, 0), |config| config.max_message_bytes = 70, ErrorCode::MessageTooLarge),
        (records(2, 0), |config| config.segment_bytes = 70, ErrorCode::RecordListTooLarge),
        (keyless, |config| config.cleanup_policy = CleanupPolicy::CompactAndDelete, ErrorCode::InvalidRecord),
        (records(1, NOW.0 - 11), |config| config.message_timestamp_before_max_ms = 10, ErrorCode::InvalidTimestamp),
        (records(1, NOW.0 + 11), |config| config.message_timestamp_after_max_ms = 10, ErrorCode::InvalidTimestamp),
    ];
    assert!(size > 70);
    for (batch, edit, expected) in table {
        let mut bench = Bench::new();
        edit(&mut bench.config);
        assert_eq!(bench.append(&batch, 0).unwrap_err().error, expected, "{batch:?}");
        assert_eq!(bench.offsets(), (0, 0, 0));
    }
}

#[test]
fn batches_at_the_limits_are_appended() {
    let mut bench = Bench::new();
    bench.config.max_message_bytes = records(1, 0).size_in_bytes();
    bench.config.segment_bytes = records(1, 0).size_in_bytes();
    bench.config.cleanup_policy = CleanupPolicy::Compact;
    bench.config.message_timestamp_before_max_ms = 10;
    bench.config.message_timestamp_after_max_ms = 10;
    for timestamp in [NOW.0 - 10, NOW.0 + 10, -1] {
        bench.append(&records(1, timestamp), 0).unwrap();
    }
    assert_eq!(bench.log.log_end_offset(), Offset(3));
}

#[test]
fn a_missing_key_is_told_in_kafkas_words() {
    let mut bench = Bench::new();
    bench.config.cleanup_policy = CleanupPolicy::Compact;
    let keyless = RecordBatch::from_producer(vec![Record::new(None, Some(b"v"), Timestamp(0))]);
    assert_eq!(
        bench.append(&keyless, 0).unwrap_err().message.as_deref(),
        Some(
            "One or more records have been rejected due to 1 record errors in total, and only showing the first three \
             errors at most: [RecordError(batchIndex=0, message='Compacted topic cannot accept message without key in \
             topic partition t-0')]"
        )
    );
}

fn read(log: &PartitionLog, start: i64, upper_bound: i64, limit: ReadLimit) -> Result<Vec<i64>, ErrorCode> {
    let LogRead { batches, size_in_bytes, .. } = log.read(Offset(start), Offset(upper_bound), limit)?;
    assert_eq!(size_in_bytes, batches.iter().map(|batch| batch.size_in_bytes()).sum::<i32>());
    Ok(batches.iter().map(|batch| batch.base_offset.0).collect())
}

#[test]
fn reads_begin_with_the_batch_that_contains_the_offset() {
    let mut bench = Bench::new();
    bench.log.truncate_fully_and_start_at(Offset(10), &mut bench.effects);
    for offset in [10, 13, 16, 19] {
        bench.replicate(offset, 3, 0).unwrap();
    }
    let size = records(3, 0).size_in_bytes();
    let all = ReadLimit { max_bytes: i32::MAX, at_least_one_batch: true };
    let two = ReadLimit { max_bytes: 2 * size, ..all };
    let tiny = ReadLimit { max_bytes: size - 1, ..all };
    let nothing = ReadLimit { at_least_one_batch: false, ..tiny };
    type Bases<'a> = Result<&'a [i64], ErrorCode>;
    let table: &[(i64, i64, ReadLimit, Bases<'_>)] = &[
        (10, 22, all, Ok(&[10, 13, 16, 19])),
        (12, 22, all, Ok(&[10, 13, 16, 19])),
        (14, 19, all, Ok(&[13, 16])),
        (14, 18, all, Ok(&[13])),
        (10, 22, two, Ok(&[10, 13])),
        (10, 22, tiny, Ok(&[10])),
        (10, 22, nothing, Ok(&[])),
        (22, 22, all, Ok(&[])),
        (20, 16, all, Ok(&[])),
        (9, 22, all, Err(ErrorCode::OffsetOutOfRange)),
        (23, 22, all, Err(ErrorCode::OffsetOutOfRange)),
    ];
    for (start, upper_bound, limit, expected) in table {
        let found = read(&bench.log, *start, *upper_bound, *limit);
        assert_eq!(found.as_deref(), expected.as_deref(), "from {start} below {upper_bound}");
    }
}

#[test]
fn bytes_between_two_offsets_are_those_of_the_batches() {
    let mut bench = Bench::new();
    (0..200).for_each(|_| bench.append(&records(2, 0), 0).map(drop).unwrap());
    let size = i64::from(records(2, 0).size_in_bytes());
    let table = [(0, 400, 200 * size), (200, 400, 100 * size), (201, 204, 2 * size), (400, 400, 0), (400, 10, 0)];
    for (start, end, expected) in table {
        assert_eq!(bench.log.bytes_between(Offset(start), Offset(end)), expected, "{start}..{end}");
    }
    bench.truncate_to(100);
    bench.append(&records(2, 0), 1).unwrap();
    assert_eq!(bench.log.bytes_between(Offset(98), Offset(102)), 2 * size);
    assert_eq!(bench.restarted().bytes_between(Offset(98), Offset(102)), 2 * size);
}

#[test]
fn offsets_are_found_by_meaning_and_by_time() {
    let mut bench = Bench::new();
    let found = |bench: &Bench, spec| {
        bench.log.find_offset(spec).map(|found| (found.timestamp.0, found.offset.0, found.leader_epoch.0))
    };
    assert_eq!(found(&bench, OffsetSpec::MaxTimestamp), None);
    assert_eq!(found(&bench, OffsetSpec::Earliest), Some((-1, 0, -1)));
    for (timestamp, epoch) in [(10, 0), (30, 0), (20, 1), (30, 2)] {
        bench.append(&records(2, timestamp), epoch).unwrap();
    }
    let table = [
        (OffsetSpec::Earliest, Some((-1, 0, 0))),
        (OffsetSpec::Latest, Some((-1, 8, 2))),
        (OffsetSpec::MaxTimestamp, Some((30, 2, 0))),
        (OffsetSpec::At(Timestamp(0)), Some((10, 0, 0))),
        (OffsetSpec::At(Timestamp(11)), Some((30, 2, 0))),
        (OffsetSpec::At(Timestamp(31)), None),
    ];
    for (spec, expected) in table {
        assert_eq!(found(&bench, spec), expected, "{spec:?}");
    }
}

#[test]
fn a_restart_keeps_the_log_and_clamps_the_checkpointed_high_watermark() {
    for (checkpoint, expected) in [(4, 4), (9, 6), (0, 0)] {
        let mut bench = Bench::new();
        bench.append_singly(6, 3);
        bench.disk.apply(crate::storage::DiskWrite::HighWatermarks(vec![(partition(), Offset(checkpoint))]));
        let restarted = bench.restarted();
        assert_eq!(offsets(&restarted), (0, expected, 6), "checkpoint {checkpoint}");
        assert_eq!(restarted.leader_epochs(), [(LeaderEpoch(3), Offset(0))]);
        assert_eq!(restarted.topic_id(), TopicId(7));
    }
}

#[test]
fn a_restart_forgets_an_epoch_without_records() {
    let mut bench = Bench::new();
    bench.append_singly(2, 3);
    bench.log.assign_epoch_start_offset(LeaderEpoch(4), Offset(2), &mut bench.effects);
    bench.flush();
    assert_eq!(bench.restarted().latest_epoch(), LeaderEpoch(3));
}
