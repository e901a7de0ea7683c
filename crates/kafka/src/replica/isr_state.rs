//! The in-sync replicas as a leader sees them: committed by the controller, or with one change under way (KIP-497).

use wire::{BrokerEpoch, BrokerId};

/// Members with the broker epochs that the leader saw, or -1 (KIP-903).
pub(super) type Proposal = Vec<(BrokerId, BrokerEpoch)>;

/// `kafka.cluster.PartitionState`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum IsrState {
    /// No change is under way.
    Committed(Vec<BrokerId>),
    /// A replica is to join. It counts as a member already, which only makes the high watermark stricter.
    PendingExpand {
        /// The members before.
        committed: Vec<BrokerId>,
        /// Who joins.
        new_member: BrokerId,
        /// The members with it.
        proposal: Proposal,
    },
    /// Replicas are to leave. They count as members until the controller has agreed.
    PendingShrink {
        /// The members before.
        committed: Vec<BrokerId>,
        /// The members without them.
        proposal: Proposal,
    },
}

impl IsrState {
    /// The members that the controller knows.
    pub(super) fn committed(&self) -> &[BrokerId] {
        match self {
            IsrState::Committed(committed)
            | IsrState::PendingExpand { committed, .. }
            | IsrState::PendingShrink { committed, .. } => committed,
        }
    }

    /// Who may be a member whatever becomes of a change under way (the maximal in-sync replicas).
    pub(super) fn maximal(&self) -> impl Iterator<Item = BrokerId> {
        self.committed().iter().copied().chain(self.joining())
    }

    /// Who joins by the change under way.
    pub(super) fn joining(&self) -> Option<BrokerId> {
        match self {
            IsrState::PendingExpand { new_member, .. } => Some(*new_member),
            IsrState::Committed(_) | IsrState::PendingShrink { .. } => None,
        }
    }

    /// The change under way.
    pub(super) fn proposal(&self) -> Option<&Proposal> {
        match self {
            IsrState::Committed(_) => None,
            IsrState::PendingExpand { proposal, .. } | IsrState::PendingShrink { proposal, .. } => Some(proposal),
        }
    }

    /// Gives the change under way up.
    pub(super) fn revert(&mut self) {
        *self = IsrState::Committed(self.committed().to_vec());
    }
}
