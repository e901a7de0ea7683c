//! `kafka.log.UnifiedLog`: the segments of one replica of one partition, and what is known about them.
//!
//! Every change is mirrored to the disk at once. How it is loaded, appended to, read, truncated and cleaned up is in the
//! files beside this one. Decides nothing about replication (see `replica`).

use super::leader_epoch_cache::LeaderEpochCache;
use super::producers::{ProducerSnapshots, ProducerState, Producers, VerificationGuard};
use super::segment::{LogSegment, SegmentSettings};
use super::segments::Segments;
use crate::Rng;
use crate::config::{BrokerConfig, TopicConfig};
use crate::node::Effects;
use crate::storage::DiskWrite;
use rand::{Rng as _, RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::response::EpochEndOffset;
use wire::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp, TopicId, TopicPartition};

/// What the broker's properties and this run of its process say about all its logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration_ms: i64,
    /// `transaction.partition.verification.enable`.
    pub transaction_partition_verification_enable: bool,
    /// Whether the last run left `.kafka_cleanshutdown`: nothing has to be recovered then.
    pub had_clean_shutdown: bool,
    /// Where the random part of segments' lives comes from (`segment.jitter.ms`).
    pub jitter_seed: u64,
}

/// What the log asks of the world when it writes.
#[derive(Clone, Copy, Debug)]
pub struct LogContext<'a> {
    /// The topic's configuration.
    pub config: &'a TopicConfig,
    /// The broker's clock.
    pub wall_time: Timestamp,
}

/// One partition's log on one broker. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PartitionLog {
    pub(super) partition: TopicPartition,
    pub(super) topic_id: TopicId,
    pub(super) settings: LogSettings,
    pub(super) segments: Segments,
    pub(super) log_start_offset: Offset,
    pub(super) log_end_offset: Offset,
    pub(super) high_watermark: Offset,
    pub(super) first_unstable_offset: Option<Offset>,
    /// Below it everything is on the disk for good.
    pub(super) recovery_point: Offset,
    pub(super) flushed_at: Timestamp,
    pub(super) leader_epochs: LeaderEpochCache,
    pub(super) producers: Producers,
    /// Up to where it is compacted, if it ever was.
    pub(super) cleaner_offset: Option<Offset>,
}

impl LogSettings {
    /// What `config` says. The seed is drawn from a stream beside `rng`, which stays as it is.
    #[must_use]
    pub fn new(config: &BrokerConfig, rng: &Rng) -> LogSettings {
        let mut beside = rng.clone();
        beside.jump();
        LogSettings {
            producer_id_expiration_ms: config.producer_id_expiration_ms,
            transaction_partition_verification_enable: config.transaction_partition_verification_enable,
            had_clean_shutdown: false,
            jitter_seed: beside.next_u64(),
        }
    }

    /// `randomSegmentJitter`, drawn anew for the segment that begins at `base_offset`.
    fn roll_jitter_ms(&self, config: &TopicConfig, partition: &TopicPartition, base_offset: Offset) -> i64 {
        let bound = config.segment_jitter_ms.min(config.segment_ms);
        if bound <= 0 {
            return 0;
        }
        let place = base_offset.0.unsigned_abs().wrapping_mul(31).wrapping_add(partition.partition.0 as u64);
        Rng::seed_from_u64(self.jitter_seed ^ place).random_range(0..bound)
    }
}

impl PartitionLog {
    /// A new, empty log that starts at offset 0; makes its directory.
    #[must_use]
    pub fn create(
        partition: TopicPartition,
        topic_id: TopicId,
        settings: LogSettings,
        context: &LogContext<'_>,
        effects: &mut Effects,
    ) -> PartitionLog {
        effects.write(DiskWrite::CreateLog { partition: partition.clone(), topic_id });
        PartitionLog::empty(partition, topic_id, settings, Offset::ZERO, context)
    }

    pub(super) fn empty(
        partition: TopicPartition,
        topic_id: TopicId,
        settings: LogSettings,
        start: Offset,
        context: &LogContext<'_>,
    ) -> PartitionLog {
        let segment = segment_settings(&settings, &partition, start, context);
        PartitionLog {
            partition,
            topic_id,
            settings,
            segments: Segments::new(LogSegment::new(start, segment)),
            log_start_offset: start,
            log_end_offset: start,
            high_watermark: start,
            first_unstable_offset: None,
            recovery_point: start,
            flushed_at: context.wall_time,
            leader_epochs: LeaderEpochCache::default(),
            producers: Producers::new(start, ProducerSnapshots::default()),
            cleaner_offset: None,
        }
    }

    pub(super) fn segment_settings(&self, base_offset: Offset, context: &LogContext<'_>) -> SegmentSettings {
        segment_settings(&self.settings, &self.partition, base_offset, context)
    }

    /// Deletes the log's directory.
    pub fn delete(self, effects: &mut Effects) {
        effects.write(DiskWrite::DeleteLog { partition: self.partition });
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> &TopicPartition {
        &self.partition
    }

    /// The topic's id.
    #[must_use]
    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    /// The first offset that can be read.
    #[must_use]
    pub fn log_start_offset(&self) -> Offset {
        self.log_start_offset
    }

    /// The offset of the next record.
    #[must_use]
    pub fn log_end_offset(&self) -> Offset {
        self.log_end_offset
    }

    /// Below it everything is committed, as far as this replica knows.
    #[must_use]
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    /// Where the first transaction begins that is open, or whose marker lies at or above the high watermark.
    #[must_use]
    pub fn first_unstable_offset(&self) -> Option<Offset> {
        self.first_unstable_offset
    }

    /// Where the first open transaction begins, committed or not: a cleaner stays below it.
    #[must_use]
    pub fn first_undecided_offset(&self) -> Option<Offset> {
        self.producers.first_undecided_offset()
    }

    /// Below it every transaction is settled and everything is committed: as far as `read_committed` consumers see.
    #[must_use]
    pub fn last_stable_offset(&self) -> Offset {
        self.first_unstable_offset.map_or(self.high_watermark, |offset| offset.min(self.high_watermark))
    }

    /// Below it everything survives a power loss.
    #[must_use]
    pub fn recovery_point(&self) -> Offset {
        self.recovery_point
    }

    /// Up to where it is compacted, if it ever was.
    #[must_use]
    pub fn cleaner_offset(&self) -> Option<Offset> {
        self.cleaner_offset
    }

    /// The segments.
    #[must_use]
    pub fn segments(&self) -> &Segments {
        &self.segments
    }

    /// Bytes of all segments.
    #[must_use]
    pub fn size_in_bytes(&self) -> i64 {
        self.segments.size_in_bytes()
    }

    /// What is known of the producers, by id; shared.
    #[must_use]
    pub fn producers(&self) -> &Arc<BTreeMap<ProducerId, ProducerState>> {
        self.producers.active()
    }

    /// Whether the producer has an open transaction here.
    #[must_use]
    pub fn has_ongoing_transaction(&self, producer_id: ProducerId) -> bool {
        self.producers.has_ongoing_transaction(producer_id)
    }

    /// Whether the oldest open transaction has been silent for longer than any transaction may take.
    #[must_use]
    pub fn has_late_transaction(&self, wall_time: Timestamp, transaction_max_timeout_ms: i64) -> bool {
        self.producers.has_late_transaction(wall_time, transaction_max_timeout_ms)
    }

    /// Lets a transaction's coordinator be asked before the first batch of the transaction is appended (KIP-890): the
    /// guard is to be passed with the append. `None` when the transaction has begun here already.
    pub fn begin_transaction_verification(
        &mut self,
        producer: (ProducerId, ProducerEpoch),
        sequence: i32,
        wall_time: Timestamp,
    ) -> Option<VerificationGuard> {
        self.producers.begin_verification(producer, sequence, wall_time)
    }

    /// The latest epoch with an entry, or `NONE`.
    #[must_use]
    pub fn latest_epoch(&self) -> LeaderEpoch {
        self.leader_epochs.latest_epoch()
    }

    /// Each epoch with the first offset written in it, ascending.
    #[must_use]
    pub fn leader_epochs(&self) -> &[(LeaderEpoch, Offset)] {
        self.leader_epochs.entries()
    }

    /// The largest epoch at or below `epoch` and where it ended (`endOffsetForEpoch`); -1 and -1 when unknown.
    #[must_use]
    pub fn end_offset_for(&self, epoch: LeaderEpoch) -> EpochEndOffset {
        self.leader_epochs.end_offset_for(epoch, self.log_end_offset)
    }

    /// Notes that `epoch` begins at `start_offset`, unless it is known already.
    pub fn assign_epoch_start_offset(&mut self, epoch: LeaderEpoch, start_offset: Offset, effects: &mut Effects) {
        if self.leader_epochs.assign(epoch, start_offset) {
            self.write_leader_epochs(effects);
        }
    }

    /// Whether the high watermark rose to `offset` (`maybeIncrementHighWatermark`). `offset` must not lie beyond the log
    /// end offset.
    pub fn maybe_increment_high_watermark(&mut self, offset: Offset) -> bool {
        assert!(offset <= self.log_end_offset, "nothing beyond the log end can be committed");
        let is_higher = offset > self.high_watermark;
        if is_higher {
            self.set_high_watermark(offset);
        }
        is_higher
    }

    /// Sets the high watermark to `offset` as far as the log reaches, and tells whether it changed
    /// (`maybeUpdateHighWatermark`).
    pub fn update_high_watermark(&mut self, offset: Offset) -> bool {
        let before = self.high_watermark;
        self.set_high_watermark(offset.clamp(self.log_start_offset, self.log_end_offset));
        self.high_watermark != before
    }

    fn set_high_watermark(&mut self, offset: Offset) {
        self.high_watermark = offset;
        self.producers.settle_below(offset);
        self.update_first_unstable_offset();
    }

    /// To be called whenever transactions or the log start offset changed.
    pub(super) fn update_first_unstable_offset(&mut self) {
        let first = self.producers.first_unstable_offset();
        self.first_unstable_offset = first.map(|offset| offset.max(self.log_start_offset));
    }

    pub(super) fn write_leader_epochs(&self, effects: &mut Effects) {
        let leader_epochs = self.leader_epochs.entries().to_vec();
        effects.write(DiskWrite::LeaderEpochs { partition: self.partition.clone(), leader_epochs });
    }

    pub(super) fn write_producer_snapshots(&self, effects: &mut Effects) {
        let snapshots = self.producers.snapshots().clone();
        effects.write(DiskWrite::ProducerSnapshots { partition: self.partition.clone(), snapshots });
    }
}

fn segment_settings(
    settings: &LogSettings,
    partition: &TopicPartition,
    base_offset: Offset,
    context: &LogContext<'_>,
) -> SegmentSettings {
    SegmentSettings {
        index_interval_bytes: context.config.index_interval_bytes,
        created_at: context.wall_time,
        roll_jitter_ms: settings.roll_jitter_ms(context.config, partition, base_offset),
    }
}
