//! What a member of the quorum is in its epoch (`org.apache.kafka.raft.EpochState` and its classes). A broker is an
//! observer: it is only ever unattached or a follower, and never stands for election.

use super::leader::LeaderState;
use crate::instant::Instant;
use crate::view::QuorumRole;
use std::collections::BTreeSet;
use std::sync::Arc;
use wire::{OffsetAndEpoch, RecordBatch};

/// What a member is in its epoch.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Knows of no leader.
    Unattached {
        /// Whom it gave its vote in this epoch.
        voted: Option<i32>,
        /// When a voter stands for election; observers never do.
        election_at: Option<Instant>,
    },
    /// Asks for votes.
    Candidate(Candidacy),
    /// Leads.
    Leader(LeaderState),
    /// Follows.
    Follower {
        /// Whom.
        leader: i32,
        /// When it gives that leader up unless a fetch succeeds before.
        fetch_timeout_at: Instant,
        /// A snapshot that it is fetching.
        download: Option<Download>,
    },
    /// Led this epoch and gave it up, or led it before the process was restarted.
    Resigned {
        /// The voters that have not heard of it yet.
        unacknowledged: BTreeSet<i32>,
        /// The other voters, best first.
        preferred_successors: Vec<i32>,
        /// When it stands for election itself.
        election_at: Instant,
    },
}

/// `CandidateState`.
#[derive(Clone, Debug)]
pub(super) struct Candidacy {
    /// Who voted for it, itself among them.
    pub(super) granted: BTreeSet<i32>,
    /// Who refused.
    pub(super) rejected: BTreeSet<i32>,
    /// How many elections in a row this is, from 1.
    pub(super) retries: u32,
    /// When the election has taken too long.
    pub(super) election_timeout_at: Instant,
    /// Set once the election is lost: when to try again.
    pub(super) backing_off_until: Option<Instant>,
}

/// The part of a snapshot that has arrived.
#[derive(Clone, Debug)]
pub(super) struct Download {
    pub(super) id: OffsetAndEpoch,
    pub(super) batches: Vec<Arc<RecordBatch>>,
}

impl State {
    /// As an onlooker sees it.
    pub(super) fn role(&self) -> QuorumRole {
        match self {
            State::Unattached { .. } => QuorumRole::Unattached,
            State::Candidate(_) => QuorumRole::Candidate,
            State::Leader(_) => QuorumRole::Leader,
            State::Follower { .. } => QuorumRole::Follower,
            State::Resigned { .. } => QuorumRole::Resigned,
        }
    }

    /// When something is due of itself.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        match self {
            State::Unattached { election_at, .. } => *election_at,
            State::Candidate(candidacy) => Some(candidacy.backing_off_until.unwrap_or(candidacy.election_timeout_at)),
            State::Leader(leader) => leader.next_deadline(),
            State::Follower { fetch_timeout_at, .. } => Some(*fetch_timeout_at),
            State::Resigned { election_at, .. } => Some(*election_at),
        }
    }
}

impl Candidacy {
    /// Whether a majority of that many voters is for it.
    pub(super) fn is_granted(&self, voters: usize) -> bool {
        self.granted.len() >= majority(voters)
    }

    /// Whether a majority cannot be reached any more.
    pub(super) fn is_rejected(&self, voters: usize) -> bool {
        voters - self.rejected.len() < majority(voters)
    }
}

/// More than half.
pub(super) fn majority(voters: usize) -> usize {
    voters / 2 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_of_the_voters_decides() {
        // So many voters, how many are for the candidate, itself among them, and how many against it: won, lost.
        let cases = [
            (1, 1, 0, (true, false)),
            (2, 1, 0, (false, false)),
            (2, 2, 0, (true, false)),
            (2, 1, 1, (false, true)),
            (3, 1, 0, (false, false)),
            (3, 2, 0, (true, false)),
            (3, 1, 1, (false, false)),
            (3, 1, 2, (false, true)),
            (5, 2, 2, (false, false)),
            (5, 3, 2, (true, false)),
            (5, 2, 3, (false, true)),
        ];
        for (voters, granted, rejected, decided) in cases {
            let candidacy = Candidacy {
                granted: (0..granted).collect(),
                rejected: (10..10 + rejected).collect(),
                retries: 1,
                election_timeout_at: Instant::ZERO,
                backing_off_until: None,
            };
            let found = (candidacy.is_granted(voters), candidacy.is_rejected(voters));
            assert_eq!(found, decided, "{voters} voters, {granted} for it, {rejected} against it");
        }
    }
}
