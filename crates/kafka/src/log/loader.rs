//! `LogLoader`: a log as an earlier run of the process left it.
//!
//! What is sealed was flushed and is taken as it is; the active segment is read back from its batches, which makes its
//! indexes and what was known of producers anew, and after a kill such epochs, too, as are missing in the epoch cache
//! (`LogSegment.recover`). Time passes in none of this.

use super::leader_epoch_cache::LeaderEpochCache;
use super::partition_log::{LogContext, LogSettings, PartitionLog};
use super::producers::Producers;
use super::segment::LogSegment;
use crate::event::{BrokerEvent, EventKind};
use crate::node::Effects;
use crate::storage::{DiskWrite, StoredLog};
use wire::{Offset, RecordBatch, TopicPartition};

impl PartitionLog {
    /// The log that `stored` holds. It ends behind its last whole batch; half a batch behind that, which a power loss may
    /// have left, is cut off. The high watermark is the checkpointed one as far as the log reaches. An epoch that began
    /// but got no record is forgotten. Of each producer the last batch is known, unless it has been silent for too long.
    #[must_use]
    pub fn load(
        partition: TopicPartition,
        stored: &StoredLog,
        settings: LogSettings,
        context: &LogContext<'_>,
        effects: &mut Effects,
    ) -> PartitionLog {
        let start = stored.log_start_offset.max(stored.segments.base_offset());
        let mut log = PartitionLog::empty(partition, stored.topic_id, settings, start, context);
        log.leader_epochs = LeaderEpochCache::load(&stored.leader_epochs);
        log.producers = Producers::new(start, stored.producer_snapshots.clone());
        if stored.segments.end_offset() < start {
            log.truncate_fully_and_start_at(start, effects);
        } else {
            log.take_segments(stored, context);
        }
        log.recovery_point = log.loaded_recovery_point(stored);
        log.cleaner_offset = stored.cleaner_offset;
        log.fit_leader_epochs(stored, effects);
        log.update_high_watermark(stored.high_watermark);
        log.cut_torn_batch(stored, effects);
        log
    }

    fn take_segments(&mut self, stored: &StoredLog, context: &LogContext<'_>) {
        let base_offset = stored.segments.active().base_offset();
        let active = LogSegment::new(base_offset, self.segment_settings(base_offset, context));
        self.segments = stored.segments.clone();
        *self.segments.active_mut() = active;
        self.producers.truncate_and_reload(self.log_start_offset, base_offset, |_| false);
        let unseen = stored.segments.batches_from(self.producers.map_end_offset());
        unseen.filter(|batch| batch.base_offset < base_offset).for_each(|batch| self.replay_producer(batch));
        stored.segments.active().batches().for_each(|batch| self.recover_batch(batch, context));
        self.log_end_offset = stored.segments.end_offset();
        let expiration_ms = self.settings.producer_id_expiration_ms;
        let is_expired = |producer: &super::ProducerState| producer.is_expired(context.wall_time, expiration_ms);
        self.producers.reload(self.log_start_offset, self.log_end_offset, is_expired);
        self.update_first_unstable_offset();
    }

    /// What is forgotten must be forgotten on the disk, too: an earlier epoch's records may come to lie there, and the next
    /// run would take them for the forgotten epoch's.
    fn fit_leader_epochs(&mut self, stored: &StoredLog, effects: &mut Effects) {
        self.leader_epochs.truncate_from_end(self.log_end_offset);
        self.leader_epochs.truncate_from_start(stored.log_start_offset);
        if self.leader_epochs.entries() != stored.leader_epochs {
            self.write_leader_epochs(effects);
        }
    }

    fn recover_batch(&mut self, batch: &std::sync::Arc<RecordBatch>, context: &LogContext<'_>) {
        let is_readable = batch.last_offset() >= self.log_start_offset;
        if !self.settings.had_clean_shutdown && batch.partition_leader_epoch > self.leader_epochs.latest_epoch() {
            self.leader_epochs.assign(batch.partition_leader_epoch, batch.base_offset);
        }
        self.segments.active_mut().append(batch.clone(), context.wall_time);
        if let Some(update) = self.replayed(batch).filter(|_| is_readable) {
            self.apply_producer_update(update);
        }
        self.producers.set_map_end_offset(batch.last_offset().next());
    }

    fn loaded_recovery_point(&self, stored: &StoredLog) -> Offset {
        if self.settings.had_clean_shutdown {
            self.log_end_offset
        } else {
            stored.recovery_point.min(self.log_end_offset)
        }
    }

    fn cut_torn_batch(&self, stored: &StoredLog, effects: &mut Effects) {
        if stored.torn_bytes == 0 {
            return;
        }
        let (partition, log_end_offset) = (self.partition.clone(), self.log_end_offset);
        effects.write(DiskWrite::TruncateTo { partition: partition.clone(), offset: log_end_offset });
        let torn_bytes = stored.torn_bytes;
        effects.note(EventKind::Broker(BrokerEvent::TornBatchCut { partition, log_end_offset, torn_bytes }));
    }
}
