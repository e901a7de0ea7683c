//! What becomes of one partition when brokers come, go or propose other in-sync replicas
//! (`org.apache.kafka.controller.PartitionChangeBuilder`). Pure functions from state to record.
//!
//! Left out: reassignment, eligible leader replicas (KIP-966, off in 3.9), and the recovery state of a leader that was
//! elected from outside the in-sync replicas.

use crate::metadata::PartitionRegistration;
use wire::{BrokerId, MetadataRecord, PartitionIndex, TopicId};

/// Which leader is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Election {
    /// The first replica if it can lead.
    Preferred,
    /// The one there is, or any in-sync replica.
    Online,
    /// As `Online`; if there is no in-sync replica, then any replica, and records may be lost.
    Unclean,
}

/// The outcome of an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Elected {
    leader: Option<BrokerId>,
    is_unclean: bool,
}

/// A change of one partition, to be worked out.
pub(super) struct PartitionChange<'a> {
    pub(super) topic_id: TopicId,
    pub(super) index: PartitionIndex,
    /// The partition before the change.
    pub(super) partition: &'a PartitionRegistration,
    /// The in-sync replicas that there should be.
    pub(super) target_isr: Vec<BrokerId>,
    pub(super) election: Election,
    /// Whether a broker may lead: unfenced and not shutting down.
    pub(super) is_acceptable_leader: &'a dyn Fn(BrokerId) -> bool,
}

impl PartitionChange<'_> {
    /// The record that brings the change about, if there is one. The in-sync replicas never become empty: the last one
    /// stays even when it cannot lead.
    pub(super) fn record(&self) -> Option<MetadataRecord> {
        let elected = self.elect();
        let leader = (elected.leader != self.partition.leader).then_some(elected.leader);
        let isr = self.new_isr(elected).filter(|isr| *isr != self.partition.isr);
        if leader.is_none() && isr.is_none() {
            return None;
        }
        Some(MetadataRecord::PartitionChange { topic_id: self.topic_id, partition: self.index, isr, leader })
    }

    fn new_isr(&self, elected: Elected) -> Option<Vec<BrokerId>> {
        match elected {
            Elected { leader: Some(leader), is_unclean: true } if Some(leader) != self.partition.leader => {
                Some(vec![leader])
            }
            Elected { .. } => (!self.target_isr.is_empty()).then(|| self.target_isr.clone()),
        }
    }

    fn elect(&self) -> Elected {
        let clean = match self.election {
            Election::Preferred => self.elect_preferred(),
            Election::Online | Election::Unclean => self.elect_any(),
        };
        match (clean, self.election) {
            (Some(leader), _) => Elected { leader: Some(leader), is_unclean: false },
            (None, Election::Unclean) => self.elect_unclean(),
            (None, Election::Preferred | Election::Online) => Elected { leader: None, is_unclean: false },
        }
    }

    fn elect_preferred(&self) -> Option<BrokerId> {
        let preferred = self.partition.replicas.first().copied();
        preferred.filter(|replica| self.is_valid(*replica)).or_else(|| self.elect_any())
    }

    fn elect_any(&self) -> Option<BrokerId> {
        let current = self.partition.leader.filter(|leader| self.is_valid(*leader));
        current.or_else(|| self.partition.replicas.iter().copied().find(|replica| self.is_valid(*replica)))
    }

    fn elect_unclean(&self) -> Elected {
        let leader = self.partition.replicas.iter().copied().find(|replica| (self.is_acceptable_leader)(*replica));
        Elected { leader, is_unclean: leader.is_some() }
    }

    fn is_valid(&self, replica: BrokerId) -> bool {
        self.target_isr.contains(&replica) && (self.is_acceptable_leader)(replica)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{LeaderEpoch, PartitionEpoch};

    fn ids(ids: &[i32]) -> Vec<BrokerId> {
        ids.iter().copied().map(BrokerId).collect()
    }

    fn partition(replicas: &[i32], isr: &[i32], leader: Option<i32>) -> PartitionRegistration {
        PartitionRegistration {
            replicas: ids(replicas),
            isr: ids(isr),
            leader: leader.map(BrokerId),
            leader_epoch: LeaderEpoch(100),
            partition_epoch: PartitionEpoch(200),
        }
    }

    fn change<'a>(
        partition: &'a PartitionRegistration,
        target_isr: &[i32],
        election: Election,
        is_acceptable_leader: &'a dyn Fn(BrokerId) -> bool,
    ) -> PartitionChange<'a> {
        let target_isr = ids(target_isr);
        PartitionChange {
            topic_id: TopicId(7),
            index: PartitionIndex(0),
            partition,
            target_isr,
            election,
            is_acceptable_leader,
        }
    }

    fn not_broker_3(broker: BrokerId) -> bool {
        broker != BrokerId(3)
    }

    #[test]
    fn leaders_are_elected_as_by_the_real_builder() {
        use Election::{Online, Preferred, Unclean};
        let foo = partition(&[2, 1, 3], &[2, 1, 3], Some(1));
        let foo_with_4 = partition(&[2, 1, 3, 4], &[2, 1, 3], Some(1));
        let baz = partition(&[2, 1, 3], &[1, 3], Some(3));
        let (anyone, not_3) = (|_: BrokerId| true, not_broker_3);
        let acceptable: [&dyn Fn(BrokerId) -> bool; 2] = [&not_3, &anyone];
        for (partition, acceptable, election, target_isr, leader, is_unclean) in [
            (&foo, acceptable[0], Preferred, &[2, 1, 3][..], Some(2), false),
            (&foo, acceptable[0], Online, &[2, 1, 3], Some(1), false),
            (&foo, acceptable[0], Unclean, &[2, 1, 3], Some(1), false),
            (&foo, acceptable[0], Online, &[1, 3], Some(1), false),
            (&foo, acceptable[0], Unclean, &[1, 3], Some(1), false),
            (&foo, acceptable[0], Online, &[3], None, false),
            (&foo, acceptable[0], Unclean, &[3], Some(2), true),
            (&foo_with_4, acceptable[0], Unclean, &[4], Some(4), false),
            (&baz, acceptable[1], Preferred, &[1, 3], Some(3), false),
            (&baz, acceptable[1], Online, &[1, 3], Some(3), false),
            (&baz, acceptable[1], Unclean, &[1, 3], Some(3), false),
        ] {
            let elected = change(partition, target_isr, election, acceptable).elect();
            assert_eq!(elected, Elected { leader: leader.map(BrokerId), is_unclean }, "{election:?} {target_isr:?}");
        }
    }

    type Change = Option<(Option<Vec<i32>>, Option<Option<i32>>)>;

    fn changed(change: &PartitionChange) -> Change {
        let record = change.record()?;
        let MetadataRecord::PartitionChange { isr, leader, .. } = record else {
            panic!("not a change of a partition: {record:?}");
        };
        Some((
            isr.map(|isr| isr.iter().map(|broker| broker.0).collect()),
            leader.map(|leader| leader.map(|broker| broker.0)),
        ))
    }

    #[test]
    fn only_what_changes_is_recorded() {
        use Election::{Online, Preferred, Unclean};
        let foo = partition(&[2, 1, 3], &[2, 1, 3], Some(1));
        let baz = partition(&[2, 1, 3], &[1, 3], Some(3));
        let single = partition(&[2], &[2], Some(2));
        let offline = partition(&[2, 1, 3], &[3], None);
        let (anyone, nobody) = (|_: BrokerId| true, |_: BrokerId| false);
        let only_1 = |broker: BrokerId| broker == BrokerId(1);
        assert_eq!(changed(&change(&foo, &[2, 1, 3], Online, &not_broker_3)), None);
        assert_eq!(changed(&change(&foo, &[2, 1, 3], Unclean, &not_broker_3)), None);
        assert_eq!(changed(&change(&baz, &[1, 3], Preferred, &anyone)), None);
        // A smaller ISR alone does not touch the leader; a leader outside of it is replaced.
        assert_eq!(changed(&change(&foo, &[2, 1], Online, &not_broker_3)), Some((Some(vec![2, 1]), None)));
        assert_eq!(changed(&change(&foo, &[2, 3], Online, &not_broker_3)), Some((Some(vec![2, 3]), Some(Some(2)))));
        // The last in-sync replica stays.
        assert_eq!(changed(&change(&single, &[], Online, &nobody)), Some((None, Some(None))));
        // A partition without leader: kept so, or given the first acceptable replica.
        assert_eq!(changed(&change(&offline, &[3], Online, &only_1)), None);
        assert_eq!(changed(&change(&offline, &[3], Preferred, &only_1)), None);
        assert_eq!(changed(&change(&offline, &[3], Unclean, &only_1)), Some((Some(vec![1]), Some(Some(1)))));
        assert_eq!(changed(&change(&offline, &[3], Online, &anyone)), Some((None, Some(Some(3)))));
    }
}
