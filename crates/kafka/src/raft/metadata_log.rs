//! The log of `__cluster_metadata-0` (`kafka.raft.KafkaMetadataLog`): batches, the epochs they were written in, and the
//! snapshots that stand for what lies before, all mirrored to the disk. Decides nothing.

use super::snapshot::MetadataSnapshot;
use crate::chunks::Chunks;
use crate::metadata::{METADATA_TOPIC_ID, metadata_partition};
use crate::node::Effects;
use crate::storage::{Disk, DiskWrite};
use std::sync::Arc;
use wire::response::EpochEndOffset;
use wire::{LeaderEpoch, Offset, OffsetAndEpoch, RecordBatch, Timestamp};

/// The metadata log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MetadataLog {
    batches: Chunks<Arc<RecordBatch>>,
    leader_epochs: Vec<(LeaderEpoch, Offset)>,
    start_offset: Offset,
    snapshots: Vec<Arc<MetadataSnapshot>>,
}

/// What the leader makes of the place from which a replica fetches (`ValidOffsetAndEpoch`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FetchPosition {
    /// It lies on this log.
    Valid,
    /// The replica's log parts from this one.
    Diverging(EpochEndOffset),
    /// This log does not reach back so far.
    Snapshot(OffsetAndEpoch),
}

impl MetadataLog {
    /// The log that earlier runs left, or a new one.
    pub(super) fn open(disk: &Disk, effects: &mut Effects) -> MetadataLog {
        let partition = metadata_partition();
        let snapshots = disk.metadata_snapshots.clone();
        match disk.logs.get(&partition) {
            Some(stored) => {
                let (batches, leader_epochs) = (stored.batches(), stored.leader_epochs.clone());
                let mut log = MetadataLog { batches, leader_epochs, start_offset: stored.log_start_offset, snapshots };
                if stored.torn_bytes > 0 {
                    log.recover(effects);
                }
                log
            }
            None => {
                effects.write(DiskWrite::CreateLog { partition, topic_id: METADATA_TOPIC_ID });
                MetadataLog { batches: Chunks::new(), leader_epochs: Vec::new(), start_offset: Offset::ZERO, snapshots }
            }
        }
    }

    /// What a power loss has left: half a batch, maybe epochs without records, and, of who does not vote and so need not
    /// flush, maybe a snapshot that reaches further than the log. Then that goes on where the snapshot ends
    /// (`truncateToLatestSnapshot`).
    fn recover(&mut self, effects: &mut Effects) {
        self.truncate_to(self.end_offset(), effects);
        if let Some(latest) = self.latest_snapshot().map(|snapshot| snapshot.id)
            && latest.offset > self.end_offset()
        {
            self.begin_at(latest, effects);
        }
    }

    /// The first offset that is still in the log.
    #[must_use]
    pub fn start_offset(&self) -> Offset {
        self.start_offset
    }

    /// The offset of the next record.
    #[must_use]
    pub fn end_offset(&self) -> Offset {
        self.batches.last().map_or(self.start_offset, |batch| batch.last_offset().next())
    }

    /// The epoch of the last record, 0 if there never was one.
    #[must_use]
    pub fn last_epoch(&self) -> LeaderEpoch {
        let of_snapshot = self.latest_snapshot().map_or(LeaderEpoch::ZERO, |snapshot| snapshot.id.epoch);
        self.leader_epochs.last().map_or(of_snapshot, |(epoch, _)| *epoch)
    }

    /// The newest snapshot.
    #[must_use]
    pub fn latest_snapshot(&self) -> Option<&Arc<MetadataSnapshot>> {
        self.snapshots.last()
    }

    pub(super) fn snapshot(&self, id: OffsetAndEpoch) -> Option<&Arc<MetadataSnapshot>> {
        self.snapshots.iter().find(|snapshot| snapshot.id == id)
    }

    /// Appends a batch as the leader of `epoch`.
    pub(super) fn append_as_leader(
        &mut self,
        batch: &RecordBatch,
        epoch: LeaderEpoch,
        effects: &mut Effects,
    ) -> Arc<RecordBatch> {
        let appended = Arc::new(batch.appended_at(self.end_offset(), epoch));
        self.append(Arc::clone(&appended), effects);
        appended
    }

    /// Appends what was fetched from the leader; what is there already is left out.
    pub(super) fn append_as_follower(&mut self, batches: &[Arc<RecordBatch>], effects: &mut Effects) {
        for batch in batches {
            if batch.base_offset >= self.end_offset() {
                assert_eq!(batch.base_offset, self.end_offset(), "batches of one answer follow each other");
                self.append(Arc::clone(batch), effects);
            }
        }
    }

    fn append(&mut self, batch: Arc<RecordBatch>, effects: &mut Effects) {
        if batch.partition_leader_epoch > self.leader_epochs.last().map_or(LeaderEpoch::NONE, |(epoch, _)| *epoch) {
            self.leader_epochs.push((batch.partition_leader_epoch, batch.base_offset));
            self.write_leader_epochs(effects);
        }
        effects.write(DiskWrite::Append { partition: metadata_partition(), batch: Arc::clone(&batch) });
        self.batches.push(batch);
    }

    /// Makes sure that what was appended survives a loss of power.
    pub(super) fn flush(&self, effects: &mut Effects) {
        effects.write(DiskWrite::Flush { partition: metadata_partition(), up_to: self.end_offset() });
    }

    fn write_leader_epochs(&self, effects: &mut Effects) {
        let leader_epochs = self.leader_epochs.clone();
        effects.write(DiskWrite::LeaderEpochs { partition: metadata_partition(), leader_epochs });
    }

    /// The largest epoch at or below `epoch`, and where it ended. What is asked about an epoch before the first one
    /// ends where the first one begins.
    pub(super) fn end_offset_for(&self, epoch: LeaderEpoch) -> EpochEndOffset {
        let later = self.leader_epochs.iter().find(|(known, _)| *known > epoch);
        let end_offset = later.map_or(self.end_offset(), |(_, start)| *start);
        let earlier = self.leader_epochs.iter().rev().find(|(known, _)| *known <= epoch);
        let oldest = self.snapshots.first().filter(|snapshot| earlier.is_none() && snapshot.id.offset == end_offset);
        match (oldest, earlier) {
            (Some(snapshot), _) => EpochEndOffset { leader_epoch: snapshot.id.epoch, end_offset },
            (None, Some((known, _))) => EpochEndOffset { leader_epoch: *known, end_offset },
            (None, None) => EpochEndOffset { leader_epoch: epoch, end_offset },
        }
    }

    /// Whether a replica with this log end and last epoch can go on from there
    /// (`ReplicatedLog.validateOffsetAndEpoch`).
    pub(super) fn validate(&self, offset: Offset, epoch: LeaderEpoch) -> FetchPosition {
        if let (Some(oldest), Some(latest)) = (self.snapshots.first(), self.snapshots.last()) {
            let is_below = offset < self.start_offset
                || (offset == self.start_offset && epoch != oldest.id.epoch)
                || epoch < oldest.id.epoch;
            if offset == Offset::ZERO || is_below {
                return FetchPosition::Snapshot(latest.id);
            }
        }
        if offset == Offset::ZERO {
            return FetchPosition::Valid;
        }
        let end = self.end_offset_for(epoch);
        let is_valid = end.leader_epoch == epoch && offset <= end.end_offset;
        if is_valid { FetchPosition::Valid } else { FetchPosition::Diverging(end) }
    }

    /// Where this log parts from the leader's, which ends the epoch there (`truncateToEndOffset`).
    pub(super) fn divergence(&self, leader_end: EpochEndOffset) -> Offset {
        let own_end = self.end_offset_for(leader_end.leader_epoch);
        if leader_end.leader_epoch == LeaderEpoch::ZERO {
            leader_end.end_offset
        } else if own_end.leader_epoch == leader_end.leader_epoch {
            own_end.end_offset.min(leader_end.end_offset)
        } else {
            own_end.end_offset
        }
    }

    /// Drops every batch that reaches `offset` or lies above it.
    pub(super) fn truncate_to(&mut self, offset: Offset, effects: &mut Effects) {
        let keep = self.batches.partition_point(|batch| batch.last_offset() < offset);
        self.batches.truncate(keep);
        effects.write(DiskWrite::TruncateTo { partition: metadata_partition(), offset: self.end_offset() });
        let end = self.end_offset();
        self.leader_epochs.retain(|(_, start)| *start < end);
        self.write_leader_epochs(effects);
    }

    /// Keeps a snapshot of what this log says below its end, and deletes older ones that are beyond the retention.
    pub(super) fn add_snapshot(&mut self, snapshot: MetadataSnapshot, retention: Retention, effects: &mut Effects) {
        let snapshot = Arc::new(snapshot);
        self.snapshots.push(Arc::clone(&snapshot));
        effects.write(DiskWrite::MetadataSnapshot(snapshot));
        while self.snapshots.len() > 1 && self.is_beyond(retention) {
            let next = self.snapshots[1].id;
            self.delete_before(next, effects);
        }
    }

    fn is_beyond(&self, retention: Retention) -> bool {
        let of_snapshots: i64 = self.snapshots.iter().map(|snapshot| snapshot.size_in_bytes()).sum();
        let of_log: i64 = self.batches.iter().map(|batch| i64::from(batch.size_in_bytes())).sum();
        let is_too_large = retention.bytes >= 0 && of_snapshots + of_log > retention.bytes;
        let is_too_old = retention.oldest.is_some_and(|oldest| self.snapshots[0].last_contained_timestamp() < oldest);
        is_too_large || is_too_old
    }

    fn delete_before(&mut self, snapshot: OffsetAndEpoch, effects: &mut Effects) {
        self.snapshots.retain(|kept| kept.id.offset >= snapshot.offset);
        let first = self.batches.partition_point(|batch| batch.last_offset() < snapshot.offset);
        self.batches = self.batches.iter_from(first).cloned().collect();
        self.start_offset = snapshot.offset;
        self.forget_epochs_before(snapshot.offset);
        effects.write(DiskWrite::DeleteMetadataBefore(snapshot));
        self.write_leader_epochs(effects);
    }

    fn forget_epochs_before(&mut self, offset: Offset) {
        let begun = self.leader_epochs.partition_point(|(_, start)| *start <= offset);
        if let Some(last_begun) = begun.checked_sub(1) {
            self.leader_epochs[last_begun].1 = offset;
            self.leader_epochs.drain(..last_begun);
        }
    }

    /// Gives the log up for a snapshot that the leader has sent: it is empty, and goes on where the snapshot ends.
    pub(super) fn restart_from(&mut self, snapshot: MetadataSnapshot, effects: &mut Effects) {
        let (id, snapshot) = (snapshot.id, Arc::new(snapshot));
        effects.write(DiskWrite::MetadataSnapshot(Arc::clone(&snapshot)));
        self.snapshots = vec![snapshot];
        self.begin_at(id, effects);
    }

    fn begin_at(&mut self, snapshot: OffsetAndEpoch, effects: &mut Effects) {
        let OffsetAndEpoch { offset, .. } = snapshot;
        self.batches = Chunks::new();
        self.leader_epochs.clear();
        self.start_offset = offset;
        self.snapshots.retain(|kept| kept.id.offset >= offset);
        effects.write(DiskWrite::TruncateFullyAndStartAt { partition: metadata_partition(), offset });
        effects.write(DiskWrite::DeleteMetadataBefore(snapshot));
        self.write_leader_epochs(effects);
    }

    /// The epoch and timestamp of the record before `offset`, from which a snapshot that ends there is named.
    pub(super) fn before(&self, offset: Offset) -> Option<(LeaderEpoch, Timestamp)> {
        let behind = self.batches.partition_point(|batch| batch.last_offset() < offset);
        let batch = self.batches.get(behind.checked_sub(1)?)?;
        Some((batch.partition_leader_epoch, batch.max_timestamp))
    }

    /// The batches from the one that holds `offset` on, in order.
    pub fn batches_from(&self, offset: Offset) -> impl Iterator<Item = &Arc<RecordBatch>> {
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

/// How much of the past is kept beside the newest snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retention {
    /// At most so many bytes of log and snapshots; negative for no limit.
    pub(super) bytes: i64,
    /// No snapshot from before this; `None` for no limit.
    pub(super) oldest: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::message::metadata_batch;
    use wire::MetadataRecord;

    fn log_with_epochs(epochs: &[i32]) -> MetadataLog {
        let mut effects = Effects::new();
        let mut log = MetadataLog::open(&Disk::default(), &mut effects);
        for epoch in epochs {
            let batch = metadata_batch(vec![MetadataRecord::NoOp, MetadataRecord::NoOp], Timestamp(0));
            log.append_as_leader(&batch, LeaderEpoch(*epoch), &mut effects);
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

    fn write_all(disk: &mut Disk, effects: &mut Effects) {
        for effect in effects.drain() {
            if let crate::node::Effect::Write(write) = effect {
                disk.apply(write);
            }
        }
    }

    #[test]
    fn a_power_loss_takes_what_was_not_flushed_with_its_epoch() {
        let (mut effects, mut disk) = (Effects::new(), Disk::default());
        let mut log = MetadataLog::open(&disk, &mut effects);
        let batch = metadata_batch(vec![MetadataRecord::NoOp], Timestamp(0));
        log.append_as_leader(&batch, LeaderEpoch(5), &mut effects);
        log.flush(&mut effects);
        log.append_as_leader(&batch, LeaderEpoch(6), &mut effects);
        write_all(&mut disk, &mut effects);
        disk.lose_power();
        let found = MetadataLog::open(&disk, &mut effects);
        assert_eq!((found.end_offset(), found.last_epoch()), (Offset(1), LeaderEpoch(5)));
        write_all(&mut disk, &mut effects);
        let stored = &disk.logs[&metadata_partition()];
        assert_eq!((stored.torn_bytes, &stored.leader_epochs[..]), (0, &[(LeaderEpoch(5), Offset(0))][..]));
    }

    #[test]
    fn a_log_that_is_shorter_than_its_snapshot_goes_on_where_that_ends() {
        let (mut effects, mut disk) = (Effects::new(), Disk::default());
        let mut log = MetadataLog::open(&disk, &mut effects);
        let batch = metadata_batch(vec![MetadataRecord::NoOp], Timestamp(0));
        (0..3).for_each(|_| drop(log.append_as_leader(&batch, LeaderEpoch(5), &mut effects)));
        let id = OffsetAndEpoch { offset: Offset(2), epoch: LeaderEpoch(5) };
        log.add_snapshot(
            MetadataSnapshot::write(id, &[], Timestamp(0)),
            Retention { bytes: -1, oldest: None },
            &mut effects,
        );
        write_all(&mut disk, &mut effects);
        disk.lose_power();
        let found = MetadataLog::open(&disk, &mut effects);
        assert_eq!((found.start_offset(), found.end_offset()), (Offset(2), Offset(2)));
        write_all(&mut disk, &mut effects);
        assert_eq!(disk.logs[&metadata_partition()].end_offset(), Offset(2));
    }

    #[test]
    fn a_log_is_found_again_on_the_disk() {
        let (mut effects, mut disk) = (Effects::new(), Disk::default());
        let mut log = MetadataLog::open(&disk, &mut effects);
        let batch = metadata_batch(vec![MetadataRecord::NoOp], Timestamp(0));
        log.append_as_leader(&batch, LeaderEpoch(5), &mut effects);
        write_all(&mut disk, &mut effects);
        let found = MetadataLog::open(&disk, &mut effects);
        assert_eq!((found.end_offset(), found.last_epoch()), (Offset(1), LeaderEpoch(5)));
        assert!(effects.as_slice().is_empty());
    }
}
