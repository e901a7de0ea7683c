//! The producers of one partition: what they wrote last, and their transactions (`ProducerStateManager`,
//! `ProducerAppendInfo`, KIP-98, KIP-890).
//!
//! Says whether a batch is new, repeated or out of order, and where the first transaction is that is not settled. Does not
//! write to the disk: the log does, when a snapshot was taken or dropped.

mod check;
mod entry;

pub use check::{AppendOrigin, CompletedTransaction, ProducerError, ProducerUpdate};
pub use entry::{BatchMetadata, ProducerState, SnapshotEntry};

use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{Offset, ProducerEpoch, ProducerId, RecordBatch, Timestamp};

/// The producers at one offset; of their batches only the last ones are in it.
pub type ProducerSnapshot = Arc<[SnapshotEntry]>;

/// The snapshots of a partition, by offset.
pub type ProducerSnapshots = Arc<BTreeMap<Offset, ProducerSnapshot>>;

/// How long beyond `transaction.max.timeout.ms` a transaction may be open before it counts as late.
const LATE_TRANSACTION_BUFFER_MS: i64 = 5 * 60 * 1000;

/// Says that whoever holds it has had a transaction verified by its coordinator (KIP-890).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerificationGuard(u64);

/// A producer that is about to begin a transaction here.
#[derive(Clone, Copy, Debug)]
struct Verification {
    guard: VerificationGuard,
    lowest_sequence: i32,
    epoch: ProducerEpoch,
    timestamp: Timestamp,
}

/// All producers of a partition. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Producers {
    producers: Arc<BTreeMap<ProducerId, ProducerState>>,
    verifications: BTreeMap<ProducerId, Verification>,
    verifications_begun: u64,
    /// Open transactions by first offset.
    ongoing: BTreeMap<Offset, ProducerId>,
    /// Transactions whose markers lie above the high watermark: their markers' offsets by first offset.
    unreplicated: BTreeMap<Offset, Offset>,
    snapshots: ProducerSnapshots,
    map_end_offset: Offset,
    last_snapshot_offset: Offset,
}

impl Producers {
    /// No producers, in a log that starts at `offset`, with the snapshots that are on the disk.
    pub(super) fn new(offset: Offset, snapshots: ProducerSnapshots) -> Producers {
        Producers {
            producers: Arc::default(),
            verifications: BTreeMap::new(),
            verifications_begun: 0,
            ongoing: BTreeMap::new(),
            unreplicated: BTreeMap::new(),
            snapshots,
            map_end_offset: offset,
            last_snapshot_offset: offset,
        }
    }

    /// The producers by id.
    pub(super) fn active(&self) -> &Arc<BTreeMap<ProducerId, ProducerState>> {
        &self.producers
    }

    /// Whether nothing is known of any producer.
    pub(super) fn is_empty(&self) -> bool {
        self.producers.is_empty() && self.unreplicated.is_empty()
    }

    /// The snapshots.
    pub(super) fn snapshots(&self) -> &ProducerSnapshots {
        &self.snapshots
    }

    /// Up to where the log has been taken into account.
    pub(super) fn map_end_offset(&self) -> Offset {
        self.map_end_offset
    }

    /// The log has been taken into account up to `offset`.
    pub(super) fn set_map_end_offset(&mut self, offset: Offset) {
        self.map_end_offset = offset;
    }

    /// Where the first transaction begins that is open or whose marker is not replicated yet.
    pub(super) fn first_unstable_offset(&self) -> Option<Offset> {
        let first_undecided = self.ongoing.keys().next();
        self.unreplicated.keys().next().into_iter().chain(first_undecided).min().copied()
    }

    /// Where the first open transaction begins.
    pub(super) fn first_undecided_offset(&self) -> Option<Offset> {
        self.ongoing.keys().next().copied()
    }

    /// Whether the oldest open transaction has been silent for longer than any transaction may take.
    pub(super) fn has_late_transaction(&self, wall_time: Timestamp, transaction_max_timeout_ms: i64) -> bool {
        let oldest = self.ongoing.values().next().and_then(|producer_id| self.producers.get(producer_id));
        oldest.is_some_and(|producer| {
            let silent_ms = wall_time.0 - producer.last_timestamp.0;
            producer.last_timestamp > Timestamp(0)
                && silent_ms > transaction_max_timeout_ms + LATE_TRANSACTION_BUFFER_MS
        })
    }

    /// Whether the producer has an open transaction here.
    pub(super) fn has_ongoing_transaction(&self, producer_id: ProducerId) -> bool {
        self.producers.get(&producer_id).is_some_and(|producer| producer.current_transaction_first_offset.is_some())
    }

    /// The batch that `batch` repeats, if it does.
    pub(super) fn duplicate_of(&self, batch: &RecordBatch) -> Option<BatchMetadata> {
        self.producers.get(&batch.producer_id)?.duplicate_of(batch)
    }

    /// Lets a producer's transaction be verified before it begins here; `None` if it has begun already.
    pub(super) fn begin_verification(
        &mut self,
        (producer_id, epoch): (ProducerId, ProducerEpoch),
        sequence: i32,
        wall_time: Timestamp,
    ) -> Option<VerificationGuard> {
        if self.has_ongoing_transaction(producer_id) {
            return None;
        }
        self.verifications_begun += 1;
        let guard = VerificationGuard(self.verifications_begun);
        let new = Verification { guard, lowest_sequence: sequence, epoch, timestamp: wall_time };
        let known = self.verifications.entry(producer_id).or_insert(new);
        if known.epoch < epoch {
            (known.epoch, known.lowest_sequence) = (epoch, sequence);
        } else if known.epoch == epoch {
            known.lowest_sequence = known.lowest_sequence.min(sequence);
        }
        Some(known.guard)
    }

    /// Whether `guard` is that of the verification under way.
    pub(super) fn is_verified(&self, producer_id: ProducerId, guard: Option<VerificationGuard>) -> bool {
        guard.is_some() && self.verifications.get(&producer_id).map(|known| known.guard) == guard
    }

    /// Takes what [`Producers::check`] found into account. Returns the transaction that it ended.
    pub(super) fn apply(&mut self, update: ProducerUpdate) -> Option<CompletedTransaction> {
        let ProducerUpdate { producer_id, state, began_at, completed, is_transactional } = update;
        if is_transactional {
            self.verifications.remove(&producer_id);
        }
        Arc::make_mut(&mut self.producers).insert(producer_id, state);
        if let Some(first_offset) = began_at {
            self.ongoing.insert(first_offset, producer_id);
        }
        completed
    }

    /// Where the next open transaction of another producer begins, or behind the marker of this one: what is stable once
    /// the marker is replicated.
    pub(super) fn last_stable_offset(&self, completed: &CompletedTransaction) -> Offset {
        let others = self.ongoing.iter().find(|(_, producer_id)| **producer_id != completed.producer_id);
        others.map_or(completed.last_offset.next(), |(first_offset, _)| *first_offset)
    }

    /// A transaction has ended; it is settled once its marker is replicated.
    pub(super) fn complete(&mut self, completed: &CompletedTransaction) {
        self.ongoing.remove(&completed.first_offset).expect("a transaction that ends has begun");
        self.unreplicated.insert(completed.first_offset, completed.last_offset);
    }

    /// Transactions whose markers lie below `offset` are settled.
    pub(super) fn settle_below(&mut self, offset: Offset) {
        if !self.unreplicated.is_empty() {
            self.unreplicated.retain(|_, marker| *marker >= offset);
        }
    }

    /// The log starts at `offset` from now on.
    pub(super) fn on_log_start_offset_incremented(&mut self, offset: Offset) {
        self.settle_below(offset);
        self.map_end_offset = self.map_end_offset.max(offset);
        self.last_snapshot_offset = self.latest_snapshot_offset().unwrap_or(offset);
    }

    /// Forgets who has been silent for `expiration_ms`. Returns how many those were.
    pub(super) fn remove_expired(&mut self, wall_time: Timestamp, expiration_ms: i64) -> usize {
        let is_expired = |state: &ProducerState| state.is_expired(wall_time, expiration_ms);
        let expired = self.producers.values().filter(|state| is_expired(state)).count();
        if expired > 0 {
            Arc::make_mut(&mut self.producers).retain(|_, state| !is_expired(state));
        }
        self.verifications.retain(|_, known| wall_time.0 - known.timestamp.0 < expiration_ms);
        expired
    }

    /// Writes the producers down as of where the log has been taken into account. Tells whether that was not done before.
    pub(super) fn take_snapshot(&mut self) -> bool {
        let is_new = self.map_end_offset > self.last_snapshot_offset;
        if is_new {
            let entries = self.producers.iter().map(|(id, state)| (*id, state.in_snapshot()));
            let snapshot: ProducerSnapshot = entries.collect();
            Arc::make_mut(&mut self.snapshots).insert(self.map_end_offset, snapshot);
            self.last_snapshot_offset = self.map_end_offset;
        }
        is_new
    }

    /// The offset of the newest snapshot.
    pub(super) fn latest_snapshot_offset(&self) -> Option<Offset> {
        self.snapshots.keys().next_back().copied()
    }

    /// Keeps the snapshots at offsets of which `is_kept` says so, and tells whether others went.
    pub(super) fn retain_snapshots(&mut self, is_kept: impl Fn(Offset) -> bool) -> bool {
        let drops_any = self.snapshots.keys().any(|offset| !is_kept(*offset));
        if drops_any {
            Arc::make_mut(&mut self.snapshots).retain(|offset, _| is_kept(*offset));
        }
        drops_any
    }

    /// Goes back to the newest snapshot at or below `log_end_offset`, unless that is where it stands
    /// (`truncateAndReload`). What is above that snapshot is to be replayed then.
    pub(super) fn truncate_and_reload(
        &mut self,
        log_start_offset: Offset,
        log_end_offset: Offset,
        is_expired: impl Fn(&ProducerState) -> bool,
    ) {
        self.retain_snapshots(|offset| offset > log_start_offset && offset <= log_end_offset);
        if log_end_offset == self.map_end_offset {
            self.on_log_start_offset_incremented(log_start_offset);
            return;
        }
        self.ongoing.clear();
        self.unreplicated.clear();
        let newest = self.snapshots.iter().next_back().map(|(offset, snapshot)| (*offset, snapshot.clone()));
        let (offset, entries) = newest.unwrap_or((log_start_offset, Arc::default()));
        self.producers = Arc::new(entries.iter().filter(|(_, state)| !is_expired(state)).cloned().collect());
        let began = |(id, state): (&ProducerId, &ProducerState)| Some((state.current_transaction_first_offset?, *id));
        self.ongoing = self.producers.iter().filter_map(began).collect();
        (self.last_snapshot_offset, self.map_end_offset) = (offset, offset);
    }

    /// What is left when the producers are written down at `log_end_offset` and read again: of their batches the last ones,
    /// and no transaction that has ended.
    pub(super) fn reload(
        &mut self,
        log_start_offset: Offset,
        log_end_offset: Offset,
        is_expired: impl Fn(&ProducerState) -> bool,
    ) {
        self.map_end_offset = log_end_offset;
        self.take_snapshot();
        self.map_end_offset = Offset(-1);
        self.truncate_and_reload(log_start_offset, log_end_offset, is_expired);
        self.map_end_offset = log_end_offset;
    }

    /// Forgets everything, snapshots included; the log begins anew at `offset`.
    pub(super) fn truncate_fully_and_start_at(&mut self, offset: Offset) {
        let verifications_begun = self.verifications_begun;
        *self = Producers { verifications_begun, ..Producers::new(offset, ProducerSnapshots::default()) };
        self.last_snapshot_offset = Offset::ZERO;
    }
}
