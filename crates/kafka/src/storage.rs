//! What a server keeps on disk: partition logs and the small checkpoint files beside them, as values.
//!
//! A write goes into the page cache at once and survives the death of the process. What a node holds in memory
//! beyond this (high watermarks newer than the checkpoint, parked requests, followers' positions) is lost with it.
//! Bytes and file names are not modelled here.

use crate::chunks::Chunks;
use crate::metadata::metadata_partition;
use crate::raft::MetadataSnapshot;
use crate::zookeeper::Transaction;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{BrokerEpoch, LeaderEpoch, Offset, OffsetAndEpoch, RecordBatch, TopicId, TopicPartition};

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
    /// Its entry in `log-start-offset-checkpoint`.
    pub log_start_offset: Offset,
    /// The batches, in offset order.
    pub batches: Chunks<Arc<RecordBatch>>,
    /// `leader-epoch-checkpoint`: each epoch with the first offset written in it.
    pub leader_epochs: Vec<(LeaderEpoch, Offset)>,
    /// Its entry in `replication-offset-checkpoint`: the high watermark as last written there.
    pub high_watermark: Offset,
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
    /// Drop every batch that begins at or above `offset`.
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
    /// Replace `leader-epoch-checkpoint`.
    LeaderEpochs {
        /// The partition.
        partition: TopicPartition,
        /// Each epoch with the first offset written in it.
        leader_epochs: Vec<(LeaderEpoch, Offset)>,
    },
    /// Write `replication-offset-checkpoint`.
    HighWatermarks(Vec<(TopicPartition, Offset)>),
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

impl Disk {
    /// Carries out one write. Writes to a log that does not exist are the node's mistake.
    pub fn apply(&mut self, write: DiskWrite) {
        match write {
            DiskWrite::CreateLog { partition, topic_id } => self.create_log(partition, topic_id),
            DiskWrite::DeleteLog { partition } => {
                Arc::make_mut(&mut self.logs).remove(&partition);
            }
            DiskWrite::Append { partition, batch } => self.log(&partition).batches.push(batch),
            DiskWrite::TruncateTo { partition, offset } => self.log(&partition).truncate_to(offset),
            DiskWrite::TruncateFullyAndStartAt { partition, offset } => self.log(&partition).restart_at(offset),
            DiskWrite::LeaderEpochs { partition, leader_epochs } => self.log(&partition).leader_epochs = leader_epochs,
            DiskWrite::HighWatermarks(high_watermarks) => self.checkpoint(high_watermarks),
            DiskWrite::CleanShutdown(broker_epoch) => self.clean_shutdown = broker_epoch,
            DiskWrite::QuorumState(state) => self.quorum_state = Some(state),
            DiskWrite::MetadataSnapshot(snapshot) => self.metadata_snapshots.push(snapshot),
            DiskWrite::DeleteMetadataBefore(snapshot) => self.delete_metadata_before(snapshot),
            DiskWrite::Transaction(transaction) => self.transactions.push(transaction),
        }
    }

    fn create_log(&mut self, partition: TopicPartition, topic_id: TopicId) {
        Arc::make_mut(&mut self.logs).insert(
            partition,
            StoredLog {
                topic_id,
                log_start_offset: Offset::ZERO,
                batches: Chunks::new(),
                leader_epochs: Vec::new(),
                high_watermark: Offset::ZERO,
            },
        );
    }

    fn delete_metadata_before(&mut self, snapshot: OffsetAndEpoch) {
        self.metadata_snapshots.retain(|kept| kept.id.offset >= snapshot.offset);
        let log = self.log(&metadata_partition());
        let first = log.batches.partition_point(|batch| batch.last_offset() < snapshot.offset);
        log.batches = log.batches.iter_from(first).cloned().collect();
        log.log_start_offset = snapshot.offset;
    }

    fn checkpoint(&mut self, high_watermarks: Vec<(TopicPartition, Offset)>) {
        let logs = Arc::make_mut(&mut self.logs);
        for (partition, high_watermark) in high_watermarks {
            if let Some(log) = logs.get_mut(&partition) {
                log.high_watermark = high_watermark;
            }
        }
    }

    fn log(&mut self, partition: &TopicPartition) -> &mut StoredLog {
        Arc::make_mut(&mut self.logs).get_mut(partition).expect("a node writes only to logs that it created")
    }
}

impl StoredLog {
    fn truncate_to(&mut self, offset: Offset) {
        let keep = self.batches.partition_point(|batch| batch.base_offset < offset);
        self.batches.truncate(keep);
    }

    fn restart_at(&mut self, offset: Offset) {
        self.batches = Chunks::new();
        self.log_start_offset = offset;
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
        assert_eq!(disk.logs[&partition()].batches.last().map(|batch| batch.last_offset()), Some(Offset(2)));
    }
}
