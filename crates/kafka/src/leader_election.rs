//! Who leads next (`kafka.controller.PartitionLeaderElectionAlgorithms`): pure choices from a partition's replicas in the
//! order of their assignment, its in-sync replicas, and who is there.

use wire::BrokerId;

/// What an election chooses from.
#[derive(Clone, Copy, Debug)]
pub struct Candidates<'a> {
    /// The replicas, the preferred one first.
    pub assignment: &'a [BrokerId],
    /// The in-sync replicas.
    pub isr: &'a [BrokerId],
    /// The replicas whose brokers are up.
    pub live: &'a [BrokerId],
}

/// Whom an election of a partition without leader chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfflineElection {
    /// An in-sync replica.
    InSync(BrokerId),
    /// A replica that is not in sync: what it lacks is lost.
    Unclean(BrokerId),
    /// Nobody.
    Nobody,
}

impl Candidates<'_> {
    fn is_live_and_in_sync(&self, replica: BrokerId) -> bool {
        self.live.contains(&replica) && self.isr.contains(&replica)
    }

    fn first(&self, mut is_eligible: impl FnMut(BrokerId) -> bool) -> Option<BrokerId> {
        self.assignment.iter().copied().find(|replica| is_eligible(*replica))
    }

    /// For a partition without leader: the first that is up and in sync, or if allowed the first that is up.
    #[must_use]
    pub fn offline(&self, is_unclean_allowed: bool) -> OfflineElection {
        let in_sync = self.first(|replica| self.is_live_and_in_sync(replica)).map(OfflineElection::InSync);
        let unclean = || self.first(|replica| self.live.contains(&replica)).filter(|_| is_unclean_allowed);
        in_sync.or_else(|| unclean().map(OfflineElection::Unclean)).unwrap_or(OfflineElection::Nobody)
    }

    /// At a reassignment, whose target replicas stand for the assignment: the first of them that is up and in sync.
    #[must_use]
    pub fn reassigned(&self) -> Option<BrokerId> {
        self.first(|replica| self.is_live_and_in_sync(replica))
    }

    /// The preferred replica, if it is up and in sync.
    #[must_use]
    pub fn preferred(&self) -> Option<BrokerId> {
        self.assignment.first().copied().filter(|replica| self.is_live_and_in_sync(*replica))
    }

    /// While brokers shut down: the first that is up, in sync and not about to go.
    #[must_use]
    pub fn controlled_shutdown(&self, shutting_down: &[BrokerId]) -> Option<BrokerId> {
        self.first(|replica| self.is_live_and_in_sync(replica) && !shutting_down.contains(&replica))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[i32]) -> Vec<BrokerId> {
        ids.iter().copied().map(BrokerId).collect()
    }

    #[test]
    fn a_partition_without_leader_gets_the_first_that_is_up_and_in_sync() {
        let table = [
            (&[2, 4][..], &[4][..], false, OfflineElection::InSync(BrokerId(4))),
            (&[2], &[4], false, OfflineElection::Nobody),
            (&[2], &[4], true, OfflineElection::Unclean(BrokerId(4))),
            (&[2, 4], &[], true, OfflineElection::Nobody),
        ];
        for (isr, live, is_unclean_allowed, elected) in table {
            let (assignment, isr, live) = (ids(&[2, 4]), ids(isr), ids(live));
            let candidates = Candidates { assignment: &assignment, isr: &isr, live: &live };
            assert_eq!(candidates.offline(is_unclean_allowed), elected, "{isr:?} {live:?}");
        }
    }

    #[test]
    fn other_elections_never_leave_the_in_sync_replicas() {
        let elect = |isr: &[i32], live: &[i32], shutting_down: &[i32]| {
            let (assignment, isr, live) = (ids(&[2, 4]), ids(isr), ids(live));
            let candidates = Candidates { assignment: &assignment, isr: &isr, live: &live };
            let shut_down = candidates.controlled_shutdown(&ids(shutting_down));
            [candidates.reassigned(), candidates.preferred(), shut_down].map(|leader| leader.map(|leader| leader.0))
        };
        assert_eq!(elect(&[2, 4], &[2, 4], &[2]), [Some(2), Some(2), Some(4)]);
        assert_eq!(elect(&[2, 4], &[4], &[]), [Some(4), None, Some(4)]);
        assert_eq!(elect(&[], &[2, 4], &[]), [None, None, None]);
        assert_eq!(elect(&[], &[], &[]), [None, None, None]);
        assert_eq!(elect(&[2], &[], &[]), [None, None, None]);
        assert_eq!(elect(&[4], &[2, 4], &[2]), [Some(4), None, Some(4)]);
        assert_eq!(elect(&[2], &[2, 4], &[2]), [Some(2), Some(2), None]);
        assert_eq!(elect(&[2, 4], &[2, 4], &[2, 4])[2], None);
    }
}
