//! What a partition knows of one producer (`ProducerStateEntry`, KIP-98).

use wire::record::{NO_SEQUENCE, decrement_sequence};
use wire::{Offset, ProducerEpoch, ProducerId, RecordBatch, Timestamp};

/// How many batches of a producer are told apart from new ones (`NUM_BATCHES_TO_RETAIN`).
const BATCHES_TO_RETAIN: usize = 5;

/// A batch that a producer has written here (`BatchMetadata`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchMetadata {
    /// Sequence number of its last record.
    pub last_sequence: i32,
    /// Offset of its last record.
    pub last_offset: Offset,
    /// Distance from the first to the last.
    pub offset_delta: i32,
    /// Its largest timestamp.
    pub timestamp: Timestamp,
}

/// One producer in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerState {
    /// Its newest epoch seen here; `NONE` when nothing is known of it.
    pub producer_epoch: ProducerEpoch,
    /// The epoch of the coordinator that wrote its last marker here, or -1.
    pub coordinator_epoch: i32,
    /// The timestamp of what it wrote last, or -1.
    pub last_timestamp: Timestamp,
    /// Where its open transaction began here, if one is open.
    pub current_transaction_first_offset: Option<Offset>,
    recent: RecentBatches,
}

/// The last batches of a producer, oldest first, in place: a state is copied with every append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RecentBatches {
    batches: [BatchMetadata; BATCHES_TO_RETAIN],
    len: usize,
}

const NO_BATCH: BatchMetadata =
    BatchMetadata { last_sequence: NO_SEQUENCE, last_offset: Offset(-1), offset_delta: 0, timestamp: Timestamp(-1) };

impl RecentBatches {
    const NONE: RecentBatches = RecentBatches { batches: [NO_BATCH; BATCHES_TO_RETAIN], len: 0 };

    fn as_slice(&self) -> &[BatchMetadata] {
        &self.batches[..self.len]
    }

    fn push(&mut self, batch: BatchMetadata) {
        if self.len == BATCHES_TO_RETAIN {
            self.batches.rotate_left(1);
            self.len -= 1;
        }
        self.batches[self.len] = batch;
        self.len += 1;
    }
}

impl BatchMetadata {
    /// What is remembered of `batch`.
    pub(super) fn of(batch: &RecordBatch) -> BatchMetadata {
        BatchMetadata {
            last_sequence: batch.last_sequence(),
            last_offset: batch.last_offset(),
            offset_delta: batch.last_offset_delta,
            timestamp: batch.max_timestamp,
        }
    }

    /// Sequence number of its first record.
    #[must_use]
    pub fn first_sequence(&self) -> i32 {
        decrement_sequence(self.last_sequence, self.offset_delta)
    }

    /// Offset of its first record.
    #[must_use]
    pub fn first_offset(&self) -> Offset {
        self.last_offset + -i64::from(self.offset_delta)
    }
}

impl ProducerState {
    /// A producer of which nothing is known.
    pub(super) fn unknown() -> ProducerState {
        ProducerState {
            producer_epoch: ProducerEpoch::NONE,
            coordinator_epoch: -1,
            last_timestamp: Timestamp(-1),
            current_transaction_first_offset: None,
            recent: RecentBatches::NONE,
        }
    }

    /// Its last batches, oldest first.
    #[must_use]
    pub fn batches(&self) -> &[BatchMetadata] {
        self.recent.as_slice()
    }

    /// The sequence number of its last record, or -1.
    #[must_use]
    pub fn last_sequence(&self) -> i32 {
        self.batches().last().map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }

    /// The offset of its last record, if one is remembered.
    #[must_use]
    pub fn last_data_offset(&self) -> Option<Offset> {
        self.batches().last().map(|batch| batch.last_offset)
    }

    /// The remembered batch that `batch` repeats, if it does.
    pub(super) fn duplicate_of(&self, batch: &RecordBatch) -> Option<BatchMetadata> {
        let is_same = |known: &&BatchMetadata| {
            known.first_sequence() == batch.base_sequence && known.last_sequence == batch.last_sequence()
        };
        self.batches().iter().find(is_same).filter(|_| batch.producer_epoch == self.producer_epoch).copied()
    }

    /// Takes an epoch; the batches of another one do not count any more.
    pub(super) fn set_epoch(&mut self, epoch: ProducerEpoch) {
        if self.producer_epoch != epoch {
            self.recent = RecentBatches::NONE;
            self.producer_epoch = epoch;
        }
    }

    /// Remembers a batch, and forgets the oldest if there are too many.
    pub(super) fn add_batch(&mut self, batch: BatchMetadata) {
        self.recent.push(batch);
        self.last_timestamp = batch.timestamp;
    }

    /// What a snapshot keeps of it: of the batches the last one only.
    pub(super) fn in_snapshot(&self) -> ProducerState {
        let mut recent = RecentBatches::NONE;
        self.batches().last().into_iter().for_each(|last| recent.push(*last));
        ProducerState { recent, ..self.clone() }
    }

    /// Whether it has been silent for `expiration_ms` and has no open transaction.
    pub(in crate::log) fn is_expired(&self, wall_time: Timestamp, expiration_ms: i64) -> bool {
        self.current_transaction_first_offset.is_none()
            && wall_time.0.saturating_sub(self.last_timestamp.0) >= expiration_ms
    }
}

/// A producer's state in a snapshot.
pub type SnapshotEntry = (ProducerId, ProducerState);
