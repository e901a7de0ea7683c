//! What took records with the user's leave, and which.

use std::ops::Range;
use wire::Offset;

/// Why a loss breaks no promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excuse {
    /// A leader without the records was elected, which the user had allowed.
    UncleanElection,
    /// A replica in sync lost them with its power.
    PowerLoss,
    /// The disk of a replica in sync was taken away.
    DiskRemoved,
    /// A reassignment was cancelled that had brought all replicas in sync.
    ReassignmentCancelled,
}

/// Stretches of offsets of one epoch, one for each kind of excuse: from the first offset that was ever taken so to the
/// last one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Excuses {
    stretches: [(Offset, Offset); Excuse::ALL.len()],
}

impl Excuse {
    const ALL: [Excuse; 4] =
        [Excuse::UncleanElection, Excuse::PowerLoss, Excuse::DiskRemoved, Excuse::ReassignmentCancelled];
}

impl Excuses {
    /// Nothing was taken.
    pub(super) const NONE: Excuses = Excuses { stretches: [(Offset(i64::MAX), Offset::ZERO); Excuse::ALL.len()] };

    /// These were taken.
    pub(super) fn add(&mut self, excuse: Excuse, taken: Range<Offset>) {
        if taken.start < taken.end {
            let (from, to) = &mut self.stretches[excuse as usize];
            (*from, *to) = ((*from).min(taken.start), (*to).max(taken.end));
        }
    }

    /// What took the first of these, if all of them were taken so or otherwise.
    pub(super) fn of(&self, lost: Range<Offset>) -> Option<Excuse> {
        let mut first = None;
        let mut at = lost.start;
        while at < lost.end {
            let taken = |excuse: &Excuse| {
                (self.stretches[*excuse as usize].0..self.stretches[*excuse as usize].1).contains(&at)
            };
            let excuse = Excuse::ALL.into_iter().find(taken)?;
            first = first.or(Some(excuse));
            at = self.stretches[excuse as usize].1;
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_excused_only_where_all_of_it_was_taken() {
        let mut excuses = Excuses::NONE;
        assert_eq!(excuses.of(Offset(0)..Offset(1)), None);
        excuses.add(Excuse::PowerLoss, Offset(5)..Offset(5));
        excuses.add(Excuse::PowerLoss, Offset(5)..Offset(10));
        excuses.add(Excuse::UncleanElection, Offset(8)..Offset(12));
        for (lost, excuse) in [
            (5..10, Some(Excuse::PowerLoss)),
            (9..12, Some(Excuse::UncleanElection)),
            (5..12, Some(Excuse::PowerLoss)),
            (4..6, None),
            (9..13, None),
        ] {
            assert_eq!(excuses.of(Offset(lost.start)..Offset(lost.end)), excuse, "{lost:?}");
        }
    }
}
