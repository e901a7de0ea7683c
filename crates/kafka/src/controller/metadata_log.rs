//! The log of `__cluster_metadata-0` on a controller (`kafka.raft.KafkaMetadataLog`): batches and the epochs they were
//! written in, mirrored to the disk. Decides nothing (see `quorum`). Snapshots (KIP-630) are not modelled: the log keeps
//! everything.

use crate::chunks::Chunks;
use crate::metadata::{METADATA_TOPIC_ID, metadata_partition};
use crate::node::Effects;
use crate::storage::{Disk, DiskWrite};
use std::sync::Arc;
use wire::response::EpochEndOffset;
use wire::{LeaderEpoch, Offset, RecordBatch};

/// The metadata log. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct MetadataLog {
    batches: Chunks<Arc<RecordBatch>>,
    leader_epochs: Vec<(LeaderEpoch, Offset)>,
}

impl MetadataLog {
    /// The log that earlier runs left, or a new one.
    pub(super) fn open(disk: &Disk, effects: &mut Effects) -> MetadataLog {
        let partition = metadata_partition();
        match disk.logs.get(&partition) {
            Some(stored) => MetadataLog { batches: stored.batches(), leader_epochs: stored.leader_epochs.clone() },
            None => {
                effects.write(DiskWrite::CreateLog { partition, topic_id: METADATA_TOPIC_ID });
                MetadataLog { batches: Chunks::new(), leader_epochs: Vec::new() }
            }
        }
    }

    /// The offset of the next record.
    pub(super) fn end_offset(&self) -> Offset {
        self.batches.last().map_or(Offset::ZERO, |batch| batch.last_offset().next())
    }

    /// The offset of the last record, or -1.
    pub(super) fn last_offset(&self) -> Offset {
        self.batches.last().map_or(Offset(-1), |batch| batch.last_offset())
    }

    /// The epoch of the last record, or `NONE`.
    pub(super) fn last_epoch(&self) -> LeaderEpoch {
        self.leader_epochs.last().map_or(LeaderEpoch::NONE, |(epoch, _)| *epoch)
    }

    /// Appends a batch as the leader of `epoch`.
    pub(super) fn append(
        &mut self,
        batch: &RecordBatch,
        epoch: LeaderEpoch,
        effects: &mut Effects,
    ) -> Arc<RecordBatch> {
        let appended = Arc::new(batch.appended_at(self.end_offset(), epoch));
        if epoch > self.last_epoch() {
            self.leader_epochs.push((epoch, appended.base_offset));
            let leader_epochs = self.leader_epochs.clone();
            effects.write(DiskWrite::LeaderEpochs { partition: metadata_partition(), leader_epochs });
        }
        effects.write(DiskWrite::Append { partition: metadata_partition(), batch: Arc::clone(&appended) });
        self.batches.push(Arc::clone(&appended));
        appended
    }

    /// The largest epoch at or below `epoch`, and where it ended. What is asked about an epoch before the first one
    /// ends where the first one begins.
    pub(super) fn end_offset_for(&self, epoch: LeaderEpoch) -> EpochEndOffset {
        let later = self.leader_epochs.iter().find(|(known, _)| *known > epoch);
        let end_offset = later.map_or(self.end_offset(), |(_, start)| *start);
        let earlier = self.leader_epochs.iter().rev().find(|(known, _)| *known <= epoch);
        EpochEndOffset { leader_epoch: earlier.map_or(epoch, |(known, _)| *known), end_offset }
    }

    /// The batches from the one that holds `offset` on, in order.
    pub(super) fn batches_from(&self, offset: Offset) -> impl Iterator<Item = &Arc<RecordBatch>> {
        self.batches.iter_from(self.batches.partition_point(|batch| batch.last_offset() < offset))
    }

    /// Whole batches from `offset` on, at most about `max_bytes`, but at least one if there is any.
    pub(super) fn read(&self, offset: Offset, max_bytes: i32) -> Vec<Arc<RecordBatch>> {
        let mut bytes: i64 = 0;
        self.batches_from(offset)
            .take_while(|batch| {
                let is_first = bytes == 0;
                bytes += i64::from(batch.size_in_bytes());
                is_first || bytes <= i64::from(max_bytes)
            })
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{MetadataRecord, Timestamp};

    fn log_with_epochs(epochs: &[i32]) -> MetadataLog {
        let mut effects = Effects::new();
        let mut log = MetadataLog::open(&Disk::default(), &mut effects);
        for epoch in epochs {
            let batch = RecordBatch::of_metadata(vec![MetadataRecord::NoOp, MetadataRecord::NoOp], Timestamp(0));
            log.append(&batch, LeaderEpoch(*epoch), &mut effects);
        }
        log
    }

    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        let log = log_with_epochs(&[1, 1, 3, 4]);
        let end = |epoch: i32| {
            let end = log.end_offset_for(LeaderEpoch(epoch));
            (end.leader_epoch.0, end.end_offset.0)
        };
        assert_eq!([end(0), end(1), end(2), end(3), end(4), end(9)], [(0, 0), (1, 4), (1, 4), (3, 6), (4, 8), (4, 8)]);
    }

    #[test]
    fn a_read_gives_whole_batches_and_at_least_one() {
        let log = log_with_epochs(&[1, 1, 1]);
        let first_offsets = |offset: i64, max_bytes: i32| {
            let batches = log.read(Offset(offset), max_bytes);
            batches.iter().map(|batch| batch.base_offset.0).collect::<Vec<_>>()
        };
        assert_eq!(first_offsets(0, 1), [0]);
        assert_eq!(first_offsets(3, i32::MAX), [2, 4]);
        assert!(first_offsets(6, i32::MAX).is_empty());
    }

    #[test]
    fn a_log_is_found_again_on_the_disk() {
        let (mut effects, mut disk) = (Effects::new(), Disk::default());
        let mut log = MetadataLog::open(&disk, &mut effects);
        let batch = RecordBatch::of_metadata(vec![MetadataRecord::NoOp], Timestamp(0));
        log.append(&batch, LeaderEpoch(5), &mut effects);
        for effect in effects.drain() {
            if let crate::node::Effect::Write(write) = effect {
                disk.apply(write);
            }
        }
        let found = MetadataLog::open(&disk, &mut effects);
        assert_eq!((found.end_offset(), found.last_epoch()), (Offset(1), LeaderEpoch(5)));
        assert!(effects.as_slice().is_empty());
    }
}
