//! Cutting a log at its end, or starting it anew.

use super::partition_log::PartitionLog;
use super::segments::Segments;
use crate::node::Effects;
use crate::storage::DiskWrite;
use wire::Offset;

impl PartitionLog {
    /// Drops every batch that reaches `offset` or lies above it. Tells whether the log became shorter; the epochs that
    /// begin behind its end go in any case.
    pub fn truncate_to(&mut self, offset: Offset, effects: &mut Effects) -> bool {
        if offset >= self.log_end_offset {
            self.truncate_epochs_from_end(self.log_end_offset, effects);
            return false;
        }
        if offset < self.segments.base_offset() {
            self.truncate_fully_and_start_at(offset, effects);
            return true;
        }
        self.segments.truncate_to(offset);
        effects.write(DiskWrite::TruncateTo { partition: self.partition.clone(), offset });
        self.log_end_offset = offset;
        self.recovery_point = self.recovery_point.min(offset);
        self.truncate_epochs_from_end(offset, effects);
        self.log_start_offset = self.log_start_offset.min(offset);
        self.rebuild_producers();
        self.write_producer_snapshots(effects);
        self.update_high_watermark(self.high_watermark);
        self.truncate_cleaner_offset(effects);
        true
    }

    /// Nothing of the active segment is compacted (`maybeTruncateCheckpoint`).
    fn truncate_cleaner_offset(&mut self, effects: &mut Effects) {
        let active = self.segments.active().base_offset();
        if self.cleaner_offset.is_some_and(|offset| offset > active) {
            self.set_cleaner_offset(active, effects);
        }
    }

    fn truncate_epochs_from_end(&mut self, offset: Offset, effects: &mut Effects) {
        if self.leader_epochs.truncate_from_end(offset) {
            self.write_leader_epochs(effects);
        }
    }

    /// Drops everything; the log is empty and starts at `offset`.
    pub fn truncate_fully_and_start_at(&mut self, offset: Offset, effects: &mut Effects) {
        self.segments = Segments::new(self.segments.active().emptied_at(offset));
        (self.log_start_offset, self.log_end_offset) = (offset, offset);
        self.recovery_point = self.recovery_point.min(offset);
        self.leader_epochs.clear();
        effects.write(DiskWrite::TruncateFullyAndStartAt { partition: self.partition.clone(), offset });
        self.write_leader_epochs(effects);
        self.producers.truncate_fully_and_start_at(offset);
        self.write_producer_snapshots(effects);
        self.update_high_watermark(offset);
        self.truncate_cleaner_offset(effects);
    }

    /// Brings what is known of the producers in line with the log as it is now: from the newest snapshot that still holds,
    /// and what was written after it (`rebuildProducerState`).
    fn rebuild_producers(&mut self) {
        let were_there_any = !self.producers.is_empty();
        self.producers.truncate_and_reload(self.log_start_offset, self.log_end_offset, |_| false);
        if were_there_any {
            let from = self.producers.map_end_offset().max(self.log_start_offset);
            let unseen = self.segments.batches_from(from).filter(|batch| batch.has_producer_id());
            let unseen: Vec<_> = unseen.cloned().collect();
            unseen.iter().for_each(|batch| self.replay_producer(batch));
        }
        self.producers.set_map_end_offset(self.log_end_offset);
        self.producers.take_snapshot();
        self.update_first_unstable_offset();
    }
}
