//! `LeaderEpochFileCache`: at which offset each leader epoch began (KIP-101).
//!
//! Does not write to the disk: the log does, after every call that tells of a change.

use wire::response::EpochEndOffset;
use wire::{LeaderEpoch, Offset};

/// Epochs with their first offsets, both strictly ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LeaderEpochCache {
    entries: Vec<(LeaderEpoch, Offset)>,
}

const UNDEFINED: EpochEndOffset = EpochEndOffset { leader_epoch: LeaderEpoch::NONE, end_offset: Offset(-1) };

impl LeaderEpochCache {
    /// What an earlier run wrote.
    pub(super) fn load(entries: &[(LeaderEpoch, Offset)]) -> LeaderEpochCache {
        let mut cache = LeaderEpochCache::default();
        for (epoch, start_offset) in entries {
            cache.assign(*epoch, *start_offset);
        }
        cache
    }

    /// The entries in order.
    pub(super) fn entries(&self) -> &[(LeaderEpoch, Offset)] {
        &self.entries
    }

    /// The latest epoch, or `NONE`.
    pub(super) fn latest_epoch(&self) -> LeaderEpoch {
        self.entries.last().map_or(LeaderEpoch::NONE, |(epoch, _)| *epoch)
    }

    /// Notes that `epoch` begins at `start_offset`, and tells whether that was new. Entries that contradict it go.
    pub(super) fn assign(&mut self, epoch: LeaderEpoch, start_offset: Offset) -> bool {
        assert!(epoch.is_known() && start_offset >= Offset::ZERO, "only stored batches and leaders begin epochs");
        let is_known = self.entries.last().is_some_and(|latest| latest.0 == epoch && start_offset >= latest.1);
        if is_known {
            return false;
        }
        while self.entries.last().is_some_and(|latest| latest.0 >= epoch || latest.1 >= start_offset) {
            self.entries.pop();
        }
        self.entries.push((epoch, start_offset));
        true
    }

    /// The largest epoch at or below `epoch` and where it ended; `epoch` itself if all are larger; -1 and -1 if `epoch` is
    /// larger than all.
    pub(super) fn end_offset_for(&self, epoch: LeaderEpoch, log_end_offset: Offset) -> EpochEndOffset {
        if !epoch.is_known() {
            return UNDEFINED;
        }
        if epoch == self.latest_epoch() {
            return EpochEndOffset { leader_epoch: epoch, end_offset: log_end_offset };
        }
        let above = self.entries.partition_point(|entry| entry.0 <= epoch);
        let Some((_, end_offset)) = self.entries.get(above).copied() else { return UNDEFINED };
        let leader_epoch = self.entries[..above].last().map_or(epoch, |floor| floor.0);
        EpochEndOffset { leader_epoch, end_offset }
    }

    /// Drops the entries that begin at or above `end_offset`, and tells whether there were any.
    pub(super) fn truncate_from_end(&mut self, end_offset: Offset) -> bool {
        let keep = self.entries.partition_point(|entry| entry.1 < end_offset);
        let is_shorter = keep < self.entries.len();
        self.entries.truncate(keep);
        is_shorter
    }

    /// Drops the entries that end at or below `start_offset`; the one that contains it begins there from now on.
    pub(super) fn truncate_from_start(&mut self, start_offset: Offset) {
        let begun = self.entries.partition_point(|entry| entry.1 <= start_offset);
        if let Some(last_begun) = begun.checked_sub(1) {
            self.entries[last_begun].1 = start_offset;
            self.entries.drain(..last_begun);
        }
    }

    /// The epoch that `offset` belongs to, or `NONE`.
    pub(super) fn epoch_for_offset(&self, offset: Offset) -> LeaderEpoch {
        let begun = self.entries.partition_point(|entry| entry.1 <= offset);
        self.entries[..begun].last().map_or(LeaderEpoch::NONE, |entry| entry.0)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}
