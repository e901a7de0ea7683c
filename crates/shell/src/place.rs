//! Where in a run something was done, and whether that is part of the past from where the run stands now.

use sim::Session;
use sim::frame::BranchId;

/// A step of one history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    branch: BranchId,
    /// The last step that belongs to it.
    pub step: u64,
}

impl Place {
    /// Where the run stands.
    #[must_use]
    pub fn of(session: &Session) -> Place {
        Place { branch: session.branch(), step: session.steps() }
    }

    /// Whether it lies in the past: at or before now, in this history or in what it shares with those it forked from.
    #[must_use]
    pub fn is_past(self, session: &Session) -> bool {
        if session.steps() < self.step {
            return false;
        }
        let branches = session.branches();
        let mut branch = session.branch();
        while branch != self.branch {
            let Some(fork) = branches.iter().find(|known| known.id == branch) else { return false };
            match fork.forked_from {
                Some((parent, _)) if self.step <= fork.shared_steps => branch = parent,
                Some(_) | None => return false,
            }
        }
        true
    }
}
