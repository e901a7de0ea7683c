//! What a server keeps on disk: partition logs and the small checkpoint files beside them, as values.
//!
//! A write goes into the page cache at once and survives the death of the process. What a node holds in memory
//! beyond this (high watermarks newer than the checkpoint, parked requests, followers' positions) is lost with it.
//! A power loss takes more: of a log only what was flushed is left. Checkpoint files, snapshots of producers and the
//! quorum's state are written whole and synced, as Kafka does; so are truncations and the exchange of segments here.
//! Bytes and file names are not modelled.

use crate::Rng;
use crate::chunks::Chunks;
use crate::log::producers::ProducerSnapshots;
use crate::log::segment::SegmentSettings;
use crate::log::{LogSegment, Segments};
use crate::metadata::metadata_partition;
use crate::raft::MetadataSnapshot;
use crate::zookeeper::Transaction;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{BrokerEpoch, DirectoryId, LeaderEpoch, Offset, OffsetAndEpoch, RecordBatch, TopicId, TopicPartition};

/// The disk of one server.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// The logs by partition. The controller's is `__cluster_metadata-0`, and every broker keeps a copy.
    pub logs: Arc<BTreeMap<TopicPartition, StoredLog>>,
    /// `.kafka_cleanshutdown`: the broker epoch at a clean shutdown (KIP-966). Gone once a process has started.
    pub clean_shutdown: Option<BrokerEpoch>,
    /// `quorum-state` (KIP-595), as last written.
    pub quorum_state: Option<QuorumState>,
    /// The snapshots of the metadata log (KIP-630), oldest first.
    pub metadata_snapshots: Vec<Arc<MetadataSnapshot>>,
    /// ZooKeeper's transaction log.
    pub transactions: Chunks<Arc<Transaction>>,
}

/// One partition's directory.
#[derive(Clone, Debug)]
pub struct StoredLog {
    /// `partition.metadata`.
    pub topic_id: TopicId,
    /// Its entry in `log-start-offset-checkpoint`; the log starts there or where its first segment begins.
    pub log_start_offset: Offset,
    /// The segments, shared with the log of the process. The active one has no indexes here: they are made anew when the
    /// log is loaded.
    pub segments: Segments,
    /// Below it everything survives a power loss.
    pub flushed_to: Offset,
    /// Its entry in `recovery-point-offset-checkpoint`: what a process that was not shut down cleanly reads back begins
    /// there.
    pub recovery_point: Offset,
    /// Bytes of half a batch that a power loss has left behind the last whole one.
    pub torn_bytes: i32,
    /// `leader-epoch-checkpoint`: each epoch with the first offset written in it.
    pub leader_epochs: Vec<(LeaderEpoch, Offset)>,
    /// Its entry in `replication-offset-checkpoint`: the high watermark as last written there.
    pub high_watermark: Offset,
    /// The `.snapshot` files: the producers at some offsets.
    pub producer_snapshots: ProducerSnapshots,
    /// Its entry in `cleaner-offset-checkpoint`: up to where it is compacted.
    pub cleaner_offset: Option<Offset>,
}

/// What a member of the metadata quorum must not forget (`ElectionState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuorumState {
    /// The latest epoch it knows of.
    pub leader_epoch: LeaderEpoch,
    /// The leader of that epoch, if it knows it.
    pub leader_id: Option<i32>,
    /// Whom it gave its vote in that epoch, if it did.
    pub voted_id: Option<i32>,
}

/// One write to the disk.
#[derive(Clone, Debug)]
pub enum DiskWrite {
    /// Make a partition's directory with an empty log that starts at offset 0.
    CreateLog {
        /// The partition.
        partition: TopicPartition,
        /// Its topic's id.
        topic_id: TopicId,
    },
    /// Delete a partition's directory.
    DeleteLog {
        /// The partition.
        partition: TopicPartition,
    },
    /// Append one batch.
    Append {
        /// The partition.
        partition: TopicPartition,
        /// The batch, its offset above all others.
        batch: Arc<RecordBatch>,
    },
    /// Seal the active segment, flush it, and begin another.
    Roll {
        /// The partition.
        partition: TopicPartition,
        /// The segment that is sealed, with its indexes: the disk shares it.
        sealed: Arc<LogSegment>,
        /// Where the next one begins.
        base_offset: Offset,
    },
    /// Make everything below an offset survive a power loss.
    Flush {
        /// The partition.
        partition: TopicPartition,
        /// That offset.
        up_to: Offset,
    },
    /// Drop every batch that reaches `offset` or lies above it, and what is left of a torn one.
    TruncateTo {
        /// The partition.
        partition: TopicPartition,
        /// The new log end offset.
        offset: Offset,
    },
    /// Drop everything and begin anew at `offset`.
    TruncateFullyAndStartAt {
        /// The partition.
        partition: TopicPartition,
        /// The new log start and log end offset.
        offset: Offset,
    },
    /// Put segments in the place of others: compaction. With none to add: retention.
    ReplaceSegments {
        /// The partition.
        partition: TopicPartition,
        /// The base offsets of those that go; the active segment is not among them.
        removed: Vec<Offset>,
        /// Those that come.
        added: Vec<Arc<LogSegment>>,
    },
    /// Replace `leader-epoch-checkpoint`.
    LeaderEpochs {
        /// The partition.
        partition: TopicPartition,
        /// Each epoch with the first offset written in it.
        leader_epochs: Vec<(LeaderEpoch, Offset)>,
    },
    /// Replace the snapshots of the producers.
    ProducerSnapshots {
        /// The partition.
        partition: TopicPartition,
        /// All of them, by offset.
        snapshots: ProducerSnapshots,
    },
    /// Write `replication-offset-checkpoint`.
    HighWatermarks(Vec<(TopicPartition, Offset)>),
    /// Write `recovery-point-offset-checkpoint`.
    RecoveryPoints(Vec<(TopicPartition, Offset)>),
    /// Write `log-start-offset-checkpoint`.
    LogStartOffsets(Vec<(TopicPartition, Offset)>),
    /// Write `cleaner-offset-checkpoint`.
    CleanerOffsets(Vec<(TopicPartition, Offset)>),
    /// Write or remove `.kafka_cleanshutdown`.
    CleanShutdown(Option<BrokerEpoch>),
    /// Write `quorum-state`.
    QuorumState(QuorumState),
    /// Write a snapshot of the metadata log, newer than all others.
    MetadataSnapshot(Arc<MetadataSnapshot>),
    /// Delete the snapshots older than this one, and the metadata log below its end.
    DeleteMetadataBefore(OffsetAndEpoch),
    /// Append to ZooKeeper's transaction log.
    Transaction(Arc<Transaction>),
}

/// The id of a server's log directory (`directory.id` of `meta.properties`), which `kafka-storage format` would have
/// drawn.
#[must_use]
pub fn directory_id(node_id: i32) -> DirectoryId {
    DirectoryId(Rng::seed_from_u64(node_id.unsigned_abs().into()).random())
}

impl Disk {
    /// Carries out one write. Writes to a log that does not exist are the node's mistake.
    pub fn apply(&mut self, write: DiskWrite) {
        match write {
            DiskWrite::CreateLog { partition, topic_id } => {
                Arc::make_mut(&mut self.logs).insert(partition, StoredLog::new(topic_id));
            }
            DiskWrite::DeleteLog { partition } => {
                Arc::make_mut(&mut self.logs).remove(&partition);
            }
            DiskWrite::Append { partition, batch } => self.log(&partition).append(batch),
            DiskWrite::Roll { partition, sealed, base_offset } => self.log(&partition).roll(sealed, base_offset),
            DiskWrite::Flush { partition, up_to } => self.log(&partition).flush(up_to),
            DiskWrite::TruncateTo { partition, offset } => self.log(&partition).truncate_to(offset),
            DiskWrite::TruncateFullyAndStartAt { partition, offset } => self.log(&partition).restart_at(offset),
            DiskWrite::ReplaceSegments { partition, removed, added } => {
                self.log(&partition).segments.replace(&removed, &added);
            }
            DiskWrite::LeaderEpochs { partition, leader_epochs } => self.log(&partition).leader_epochs = leader_epochs,
            DiskWrite::ProducerSnapshots { partition, snapshots } => {
                self.log(&partition).producer_snapshots = snapshots;
            }
            DiskWrite::HighWatermarks(offsets) => self.checkpoint(offsets, |log, offset| log.high_watermark = offset),
            DiskWrite::RecoveryPoints(offsets) => self.checkpoint(offsets, |log, offset| log.recovery_point = offset),
            DiskWrite::LogStartOffsets(offsets) => {
                self.checkpoint(offsets, |log, offset| log.log_start_offset = offset);
            }
            DiskWrite::CleanerOffsets(offsets) => {
                self.checkpoint(offsets, |log, offset| log.cleaner_offset = Some(offset));
            }
            DiskWrite::CleanShutdown(broker_epoch) => self.clean_shutdown = broker_epoch,
            DiskWrite::QuorumState(state) => self.quorum_state = Some(state),
            DiskWrite::MetadataSnapshot(snapshot) => self.metadata_snapshots.push(snapshot),
            DiskWrite::DeleteMetadataBefore(snapshot) => self.delete_metadata_before(snapshot),
            DiskWrite::Transaction(transaction) => self.transactions.push(transaction),
        }
    }

    /// The power fails: of every log only what was flushed is left, and half of the first batch that was not.
    pub fn lose_power(&mut self) {
        let has_pending = |log: &StoredLog| log.segments.end_offset() > log.flushed_to;
        if self.logs.values().any(has_pending) {
            Arc::make_mut(&mut self.logs).values_mut().for_each(StoredLog::lose_power);
        }
    }

    fn delete_metadata_before(&mut self, snapshot: OffsetAndEpoch) {
        self.metadata_snapshots.retain(|kept| kept.id.offset >= snapshot.offset);
        self.log(&metadata_partition()).delete_before(snapshot.offset);
    }

    fn checkpoint(&mut self, offsets: Vec<(TopicPartition, Offset)>, set: impl Fn(&mut StoredLog, Offset)) {
        let logs = Arc::make_mut(&mut self.logs);
        for (partition, offset) in offsets {
            if let Some(log) = logs.get_mut(&partition) {
                set(log, offset);
            }
        }
    }

    fn log(&mut self, partition: &TopicPartition) -> &mut StoredLog {
        Arc::make_mut(&mut self.logs).get_mut(partition).expect("a node writes only to logs that it created")
    }
}

fn empty_segment(base_offset: Offset) -> LogSegment {
    LogSegment::new(base_offset, SegmentSettings::WITHOUT_INDEX)
}

impl StoredLog {
    /// An empty log that starts at offset 0.
    #[must_use]
    pub fn new(topic_id: TopicId) -> StoredLog {
        StoredLog {
            topic_id,
            log_start_offset: Offset::ZERO,
            segments: Segments::new(empty_segment(Offset::ZERO)),
            flushed_to: Offset::ZERO,
            recovery_point: Offset::ZERO,
            torn_bytes: 0,
            leader_epochs: Vec::new(),
            high_watermark: Offset::ZERO,
            producer_snapshots: ProducerSnapshots::default(),
            cleaner_offset: None,
        }
    }

    /// Where the log starts.
    #[must_use]
    pub fn start_offset(&self) -> Offset {
        self.log_start_offset.max(self.segments.base_offset())
    }

    /// Where the log ends: behind its last whole batch.
    #[must_use]
    pub fn end_offset(&self) -> Offset {
        self.segments.end_offset()
    }

    /// All batches as one sequence.
    #[must_use]
    pub fn batches(&self) -> Chunks<Arc<RecordBatch>> {
        self.segments.iter().cloned().collect()
    }

    fn append(&mut self, batch: Arc<RecordBatch>) {
        let written_at = batch.max_timestamp;
        self.segments.active_mut().append(batch, written_at);
    }

    fn roll(&mut self, sealed: Arc<LogSegment>, base_offset: Offset) {
        self.segments.roll_as(sealed, empty_segment(base_offset));
        self.flush(base_offset);
    }

    fn flush(&mut self, up_to: Offset) {
        self.flushed_to = self.flushed_to.max(up_to);
    }

    fn truncate_to(&mut self, offset: Offset) {
        self.torn_bytes = 0;
        if offset < self.end_offset() {
            self.segments.truncate_to(offset);
        }
        self.flushed_to = self.flushed_to.min(offset);
    }

    fn restart_at(&mut self, offset: Offset) {
        self.segments = Segments::new(empty_segment(offset));
        (self.flushed_to, self.torn_bytes) = (offset, 0);
    }

    /// Leaves one segment, which begins at or before `offset` with the batch that contains it.
    fn delete_before(&mut self, offset: Offset) {
        let kept: Vec<_> = self.segments.batches_from(offset).cloned().collect();
        let base_offset = kept.first().map_or(offset, |batch| batch.base_offset);
        self.segments = Segments::of_batches(base_offset, kept);
        self.log_start_offset = offset;
        self.flush(offset);
    }

    fn lose_power(&mut self) {
        let pending = self.segments.batches_from(self.flushed_to).next().map(|batch| batch.size_in_bytes());
        if let Some(size_in_bytes) = pending {
            self.segments.truncate_to(self.flushed_to);
            self.torn_bytes = size_in_bytes / 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{PartitionIndex, Record, Timestamp, TopicName};

    fn partition() -> TopicPartition {
        TopicPartition::new(TopicName::new("t"), PartitionIndex(0))
    }

    fn batch_at(offset: i64) -> Arc<RecordBatch> {
        let batch = RecordBatch::from_producer(vec![Record::new(None, Some(b"v"), Timestamp(0))]);
        Arc::new(batch.appended_at(Offset(offset), LeaderEpoch::ZERO))
    }

    #[test]
    fn truncation_drops_the_batches_from_the_offset_on() {
        let mut disk = Disk::default();
        disk.apply(DiskWrite::CreateLog { partition: partition(), topic_id: TopicId(7) });
        (0..5).for_each(|offset| disk.apply(DiskWrite::Append { partition: partition(), batch: batch_at(offset) }));
        disk.apply(DiskWrite::TruncateTo { partition: partition(), offset: Offset(3) });
        assert_eq!(disk.logs[&partition()].end_offset(), Offset(3));
    }

    #[test]
    fn a_power_loss_takes_what_was_not_flushed() {
        let mut disk = Disk::default();
        disk.apply(DiskWrite::CreateLog { partition: partition(), topic_id: TopicId(7) });
        (0..5).for_each(|offset| disk.apply(DiskWrite::Append { partition: partition(), batch: batch_at(offset) }));
        disk.apply(DiskWrite::Flush { partition: partition(), up_to: Offset(3) });
        disk.apply(DiskWrite::LeaderEpochs {
            partition: partition(),
            leader_epochs: vec![(LeaderEpoch(0), Offset(4))],
        });
        disk.lose_power();
        let log = &disk.logs[&partition()];
        assert_eq!((log.end_offset(), log.torn_bytes), (Offset(3), batch_at(3).size_in_bytes() / 2));
        assert_eq!(log.leader_epochs.len(), 1);
        disk.apply(DiskWrite::TruncateTo { partition: partition(), offset: Offset(3) });
        disk.lose_power();
        assert_eq!((disk.logs[&partition()].end_offset(), disk.logs[&partition()].torn_bytes), (Offset(3), 0));
    }
}
