//! The files of the servers' disks by path: what is in a partition's directory, as Kafka names it. Hosts have one file
//! system for all here; a server's log directory is what its properties say.

use kafka::log::producers::ProducerSnapshot;
use kafka::log::segment::{AbortedTransaction, IndexEntry, SegmentSettings, TimestampOffset};
use kafka::log::{LogSegment, Segments};
use kafka::raft::MetadataSnapshot;
use kafka::storage::StoredLog;
use sim::{ServerDisk, Session};
use std::borrow::Cow;
use std::sync::Arc;
use wire::{LeaderEpoch, Offset, OffsetAndEpoch, PartitionIndex, RecordBatch, TopicName, TopicPartition};

/// `index.interval.bytes` where nobody has set it.
const INDEX_INTERVAL_BYTES: i32 = 4096;

/// The disks of all servers; none without a session.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskFiles<'a>(pub Option<&'a Session>);

/// `.log`, or a snapshot of the metadata log.
pub struct LogFile {
    /// The batches.
    pub batches: Vec<Arc<RecordBatch>>,
    /// Bytes behind the last whole batch.
    pub torn_bytes: i32,
}

/// `.index` or `.timeindex`.
pub struct IndexFile<E> {
    /// The entries that were written.
    pub entries: Vec<E>,
    /// Whether zeros follow them: a segment that is written to has index files of their full length.
    pub is_preallocated: bool,
}

/// An entry of `.index`: an offset, and where the batch that ends there begins.
pub type OffsetEntry = (Offset, i32);

/// A directory of a partition.
struct Folder<'a> {
    server: ServerDisk<'a>,
    partition: TopicPartition,
    log: &'a StoredLog,
}

impl<'a> DiskFiles<'a> {
    /// `.log` of the segment that begins at `base_offset`, in the directory at `folder`.
    #[must_use]
    pub fn log(self, folder: &str, base_offset: Offset) -> Option<LogFile> {
        self.folders(folder).find_map(|folder| folder.log_file(base_offset))
    }

    /// `.index` beside it.
    #[must_use]
    pub fn offset_index(self, folder: &str, base_offset: Offset) -> Option<IndexFile<OffsetEntry>> {
        self.folders(folder).find_map(|folder| folder.offset_index(base_offset))
    }

    /// `.timeindex` beside it.
    #[must_use]
    pub fn time_index(self, folder: &str, base_offset: Offset) -> Option<IndexFile<TimestampOffset>> {
        self.folders(folder).find_map(|folder| folder.time_index(base_offset))
    }

    /// `.txnindex` beside it; nothing if there is no such file.
    #[must_use]
    pub fn aborted_transactions(self, folder: &str, base_offset: Offset) -> Vec<AbortedTransaction> {
        let segments = self.folders(folder).filter_map(|folder| Some(folder.segment(base_offset)?.0.into_owned()));
        segments.flat_map(|segment| segment.aborted_transactions().to_vec()).collect()
    }

    /// `.snapshot`: the producers at an offset.
    #[must_use]
    pub fn producers(self, folder: &str, offset: Offset) -> Option<ProducerSnapshot> {
        self.folders(folder).find_map(|folder| folder.log.producer_snapshots.get(&offset).cloned())
    }

    /// `.checkpoint`: a snapshot of the metadata log.
    #[must_use]
    pub fn metadata_snapshot(self, folder: &str, id: OffsetAndEpoch) -> Option<LogFile> {
        let snapshots = |folder: Folder<'a>| folder.server.disk().metadata_snapshots.iter();
        let is_metadata = |folder: &Folder<'a>| folder.partition == kafka::metadata::metadata_partition();
        let mut all = self.folders(folder).filter(is_metadata).flat_map(snapshots);
        let found: Option<&Arc<MetadataSnapshot>> = all.find(|snapshot| snapshot.id == id);
        found.map(|snapshot| LogFile { batches: snapshot.batches.clone(), torn_bytes: 0 })
    }

    fn folders(self, path: &str) -> impl Iterator<Item = Folder<'a>> {
        let disks = self.0.into_iter().flat_map(Session::disks);
        disks.filter_map(move |server| Folder::at(path, server))
    }
}

impl<'a> Folder<'a> {
    fn at(path: &str, server: ServerDisk<'a>) -> Option<Folder<'a>> {
        let name = path.strip_prefix(server.server().log_dir())?.strip_prefix('/')?;
        let (topic, number) = name.rsplit_once('-')?;
        let partition = TopicPartition::new(TopicName::new(topic), PartitionIndex(number.parse().ok()?));
        let log = server.disk().logs.get(&partition)?;
        Some(Folder { server, partition, log })
    }

    /// A segment, and whether it is written to.
    fn segment(&self, base_offset: Offset) -> Option<(Cow<'a, LogSegment>, bool)> {
        let found = |segments: &'a Segments| segments.segments().find(|segment| segment.base_offset() == base_offset);
        let is_active = self.log.segments.active().base_offset() == base_offset;
        let stored = found(&self.log.segments)?;
        if !is_active {
            return Some((Cow::Borrowed(stored), false));
        }
        let mapped = self.server.mapped(&self.partition).and_then(found);
        Some((mapped.map_or_else(|| Cow::Owned(indexed(stored)), Cow::Borrowed), !self.server.is_closed()))
    }

    fn log_file(&self, base_offset: Offset) -> Option<LogFile> {
        let segment = self.log.segments.segments().find(|segment| segment.base_offset() == base_offset)?;
        let is_active = self.log.segments.active().base_offset() == base_offset;
        let torn_bytes = if is_active { self.log.torn_bytes } else { 0 };
        Some(LogFile { batches: segment.batches().cloned().collect(), torn_bytes })
    }

    fn offset_index(&self, base_offset: Offset) -> Option<IndexFile<OffsetEntry>> {
        let (segment, is_preallocated) = self.segment(base_offset)?;
        let entries = segment.index().iter().map(|entry| (entry.offset, entry.position)).collect();
        Some(IndexFile { entries, is_preallocated })
    }

    /// Entries are made where the largest timestamp has grown, and once more when the file is closed.
    fn time_index(&self, base_offset: Offset) -> Option<IndexFile<TimestampOffset>> {
        let (segment, is_preallocated) = self.segment(base_offset)?;
        let last = (!is_preallocated).then(|| segment.largest());
        let mut entries: Vec<TimestampOffset> = Vec::new();
        for entry in segment.index().iter().map(|entry: &IndexEntry| entry.largest).chain(last) {
            if entries.last().map_or(-1, |last| last.timestamp.0) < entry.timestamp.0 {
                entries.push(entry);
            }
        }
        Some(IndexFile { entries, is_preallocated })
    }
}

/// The segment with the indexes that its process had mapped, which died.
fn indexed(stored: &LogSegment) -> LogSegment {
    let settings = SegmentSettings { index_interval_bytes: INDEX_INTERVAL_BYTES, ..stored.settings() };
    LogSegment::of_batches(stored.base_offset(), settings, stored.batches().cloned())
}

/// The epoch and offset in the name of a snapshot of the metadata log: `00000000000000000123-0000000004.checkpoint`.
#[must_use]
pub fn snapshot_id(name: &str) -> Option<OffsetAndEpoch> {
    let (offset, epoch) = name.strip_suffix(".checkpoint")?.split_once('-')?;
    Some(OffsetAndEpoch { offset: Offset(offset.parse().ok()?), epoch: LeaderEpoch(epoch.parse().ok()?) })
}
