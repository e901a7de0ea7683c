//! What becomes of one partition when brokers come and go, when its leader proposes other in-sync replicas, and when its
//! replicas are moved (`org.apache.kafka.controller.PartitionChangeBuilder`; KIP-455, KIP-704, KIP-966). Pure functions
//! from state to record.

use crate::metadata::PartitionRegistration;
use crate::release::Rules;
use wire::{BrokerId, LeaderRecoveryState, MetadataRecord, PartitionChangeRecord, PartitionIndex, TopicId};

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

/// The partition whose state may change, and what decides about that.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) topic_id: TopicId,
    pub(super) index: PartitionIndex,
    /// The partition before the change.
    pub(super) partition: &'a PartitionRegistration,
    /// Whether a broker may lead: unfenced and not shutting down.
    pub(super) is_acceptable_leader: &'a dyn Fn(BrokerId) -> bool,
    pub(super) rules: Rules,
    /// `min.insync.replicas`, which counts for no more than the topic's first partition has replicas.
    pub(super) min_isr: usize,
}

/// A change of one partition, to be worked out.
#[derive(Clone)]
pub(super) struct PartitionChange<'a> {
    subject: Subject<'a>,
    pub(super) election: Election,
    pub(super) isr: Vec<BrokerId>,
    pub(super) replicas: Vec<BrokerId>,
    pub(super) adding_replicas: Vec<BrokerId>,
    pub(super) removing_replicas: Vec<BrokerId>,
    pub(super) leader_recovery_state: LeaderRecoveryState,
    /// Replicas that may have lost records when their processes ended.
    pub(super) unclean_shutdown: Option<BrokerId>,
    eligible_leader_replicas: Vec<BrokerId>,
}

impl<'a> PartitionChange<'a> {
    /// Nothing is to change but what an election brings about.
    pub(super) fn new(subject: Subject<'a>, election: Election) -> PartitionChange<'a> {
        let partition = subject.partition;
        PartitionChange {
            subject,
            election,
            isr: partition.isr.clone(),
            replicas: partition.replicas.clone(),
            adding_replicas: partition.adding_replicas.clone(),
            removing_replicas: partition.removing_replicas.clone(),
            leader_recovery_state: partition.leader_recovery_state,
            unclean_shutdown: None,
            eligible_leader_replicas: partition.eligible_leader_replicas.clone(),
        }
    }

    /// The record that brings the change about, if there is one. Without eligible leader replicas, the in-sync replicas
    /// never become empty: the last one stays even when it cannot lead.
    pub(super) fn record(mut self) -> Option<PartitionChangeRecord> {
        let unchanged = PartitionChangeRecord::of(self.subject.topic_id, self.subject.index);
        let mut change = unchanged.clone();
        self.complete_reassignment();
        self.find_eligible_leaders();
        self.hold_election(&mut change);
        self.begin_epoch_if_replicas_go(&mut change);
        self.record_eligible_leaders(&mut change);
        self.record_isr(&mut change);
        self.record_last_known_leader(&mut change);
        self.record_assignment(&mut change);
        (change != unchanged).then_some(change)
    }

    /// The same as a record of the metadata log.
    pub(super) fn metadata_record(self) -> Option<MetadataRecord> {
        self.record().map(MetadataRecord::PartitionChange)
    }

    /// A reassignment is complete when all replicas that are to stay are in sync.
    fn complete_reassignment(&mut self) {
        if self.adding_replicas.is_empty() && self.removing_replicas.is_empty() {
            return;
        }
        let isr = without(&self.isr, &self.removing_replicas);
        let replicas = without(&self.replicas, &self.removing_replicas);
        let has_any = !isr.is_empty() && !replicas.is_empty();
        if (has_any || self.removing_replicas.is_empty()) && replicas.iter().all(|replica| isr.contains(replica)) {
            (self.isr, self.replicas) = (isr, replicas);
            self.adding_replicas.clear();
            self.removing_replicas.clear();
        }
    }

    /// Below the least number of in-sync replicas, those that leave still have every committed record. So does one that is
    /// moved away, and it may stay eligible though it is no replica any more: then it is not elected.
    fn find_eligible_leaders(&mut self) {
        if !self.subject.rules.eligible_leader_replicas {
            return;
        }
        if self.isr.len() >= self.subject.min_isr {
            return self.eligible_leader_replicas.clear();
        }
        let mut candidates = self.eligible_leader_replicas.clone();
        candidates.extend(&self.subject.partition.isr);
        candidates.sort_unstable();
        candidates.dedup();
        candidates.retain(|replica| !self.isr.contains(replica) && self.unclean_shutdown != Some(*replica));
        self.eligible_leader_replicas = candidates;
    }

    fn hold_election(&mut self, change: &mut PartitionChangeRecord) {
        let elected = self.elect();
        let partition = self.subject.partition;
        if elected.leader == partition.leader {
            return;
        }
        if let Some(leader) = elected.leader.filter(|leader| self.eligible_leader_replicas.contains(leader)) {
            self.isr = vec![leader];
            self.eligible_leader_replicas.retain(|replica| *replica != leader);
        }
        change.leader = Some(elected.leader);
        if let (Some(leader), true) = (elected.leader, elected.is_unclean) {
            change.isr = Some(vec![leader]);
            self.leader_recovery_state = LeaderRecoveryState::Recovering;
        }
    }

    fn elect(&self) -> Elected {
        let clean = match self.election {
            Election::Preferred => self.elect_preferred(),
            Election::Online | Election::Unclean => self.elect_any(),
        };
        let unclean = || self.last_known_leader().or_else(|| self.elect_unclean());
        match clean {
            Some(leader) => Elected { leader: Some(leader), is_unclean: false },
            None => unclean().map_or(Elected { leader: None, is_unclean: false }, |leader| Elected {
                leader: Some(leader),
                is_unclean: true,
            }),
        }
    }

    fn elect_preferred(&self) -> Option<BrokerId> {
        let preferred = self.replicas.first().copied();
        preferred.filter(|replica| self.is_valid(*replica)).or_else(|| self.elect_any())
    }

    fn elect_any(&self) -> Option<BrokerId> {
        let current = self.subject.partition.leader.filter(|leader| self.is_valid(*leader));
        current.or_else(|| self.replicas.iter().copied().find(|replica| self.is_valid(*replica)))
    }

    fn elect_unclean(&self) -> Option<BrokerId> {
        let is_allowed = self.election == Election::Unclean;
        let acceptable = |replica: &BrokerId| (self.subject.is_acceptable_leader)(*replica);
        self.replicas.iter().copied().filter(|_| is_allowed).find(acceptable)
    }

    /// Who led last takes over again when nobody else has the committed records. As in Kafka 3.9, nobody asks whether it
    /// is alive.
    fn last_known_leader(&self) -> Option<BrokerId> {
        let nobody_has_all = self.isr.is_empty() && self.eligible_leader_replicas.is_empty();
        match self.subject.partition.last_known_elr.as_slice() {
            [leader] if self.subject.rules.eligible_leader_replicas && nobody_has_all => Some(*leader),
            _ => None,
        }
    }

    /// In sync, or eligible when nobody is in sync.
    fn is_valid(&self, replica: BrokerId) -> bool {
        let is_eligible = self.isr.is_empty() && self.eligible_leader_replicas.contains(&replica);
        (self.isr.contains(&replica) || is_eligible) && (self.subject.is_acceptable_leader)(replica)
    }

    /// Replicas that go must learn of it, and the leader must forget them: all begin a new epoch.
    fn begin_epoch_if_replicas_go(&self, change: &mut PartitionChangeRecord) {
        let partition = self.subject.partition;
        let keeps_all = partition.replicas.iter().all(|replica| self.replicas.contains(replica));
        if change.leader.is_none() && !keeps_all {
            change.leader = Some(partition.leader);
        }
    }

    /// An unclean election has set the in-sync replicas already, and nobody is eligible beside its leader.
    fn record_eligible_leaders(&mut self, change: &mut PartitionChangeRecord) {
        if change.isr.is_some() || !self.subject.rules.eligible_leader_replicas {
            self.eligible_leader_replicas.clear();
        }
        change.eligible_leader_replicas =
            changed(&self.eligible_leader_replicas, &self.subject.partition.eligible_leader_replicas);
    }

    fn record_isr(&self, change: &mut PartitionChangeRecord) {
        let partition = self.subject.partition;
        let may_be_empty = self.subject.rules.eligible_leader_replicas;
        if change.isr.is_none() && (may_be_empty || !self.isr.is_empty()) {
            change.isr = changed(&self.isr, &partition.isr);
        }
        let shrinks = change.isr.as_ref().is_some_and(|isr| partition.isr.iter().any(|replica| !isr.contains(replica)));
        if self.subject.rules.bumps_leader_epoch_on_isr_shrink && shrinks && change.leader.is_none() {
            change.leader = Some(partition.leader);
        }
    }

    /// Remembered when the partition becomes leaderless, and forgotten when it has a leader.
    fn record_last_known_leader(&self, change: &mut PartitionChangeRecord) {
        if !self.subject.rules.eligible_leader_replicas {
            return;
        }
        let partition = self.subject.partition;
        let leader = partition.leader.map(|leader| vec![leader]);
        let has_leader = change.leader.unwrap_or(partition.leader).is_some();
        if change.isr.as_ref().is_some_and(Vec::is_empty) && leader.as_ref() != Some(&partition.last_known_elr) {
            change.last_known_elr = leader;
        } else if has_leader && !partition.last_known_elr.is_empty() {
            change.last_known_elr = Some(Vec::new());
        }
    }

    fn record_assignment(&self, change: &mut PartitionChangeRecord) {
        let partition = self.subject.partition;
        change.replicas = changed(&self.replicas, &partition.replicas);
        change.removing_replicas = changed(&self.removing_replicas, &partition.removing_replicas);
        change.adding_replicas = changed(&self.adding_replicas, &partition.adding_replicas);
        let recovery = self.leader_recovery_state;
        change.leader_recovery_state = (recovery != partition.leader_recovery_state).then_some(recovery);
    }
}

/// All of `brokers` that are not in `removed`, in order.
pub(super) fn without(brokers: &[BrokerId], removed: &[BrokerId]) -> Vec<BrokerId> {
    brokers.iter().copied().filter(|broker| !removed.contains(broker)).collect()
}

fn changed(after: &[BrokerId], before: &[BrokerId]) -> Option<Vec<BrokerId>> {
    (after != before).then(|| after.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{LeaderEpoch, PartitionEpoch, PartitionRecord};

    fn ids(ids: &[i32]) -> Vec<BrokerId> {
        ids.iter().copied().map(BrokerId).collect()
    }

    fn partition(replicas: &[i32], isr: &[i32], leader: Option<i32>) -> PartitionRegistration {
        let place = (TopicId(7), PartitionIndex(0));
        let record = PartitionRecord {
            leader: leader.map(BrokerId),
            leader_epoch: LeaderEpoch(100),
            partition_epoch: PartitionEpoch(200),
            ..PartitionRecord::created(place, ids(replicas), ids(isr))
        };
        PartitionRegistration::from(&record)
    }

    fn subject<'a>(
        partition: &'a PartitionRegistration,
        is_acceptable_leader: &'a dyn Fn(BrokerId) -> bool,
    ) -> Subject<'a> {
        let (topic_id, index, rules, min_isr) = (TopicId(7), PartitionIndex(0), Rules::default(), 2);
        Subject { topic_id, index, partition, is_acceptable_leader, rules, min_isr }
    }

    fn change<'a>(
        partition: &'a PartitionRegistration,
        isr: &[i32],
        election: Election,
        is_acceptable_leader: &'a dyn Fn(BrokerId) -> bool,
    ) -> PartitionChange<'a> {
        PartitionChange { isr: ids(isr), ..PartitionChange::new(subject(partition, is_acceptable_leader), election) }
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
        let record = change.clone().record()?;
        Some((
            record.isr.map(|isr| isr.iter().map(|broker| broker.0).collect()),
            record.leader.map(|leader| leader.map(|broker| broker.0)),
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

    fn merged(partition: &PartitionRegistration, change: PartitionChange) -> PartitionRegistration {
        let mut merged = partition.clone();
        if let Some(record) = change.record() {
            merged.merge(&record);
        }
        merged
    }

    #[test]
    fn only_before_3_6_does_a_smaller_isr_begin_a_leader_epoch() {
        let foo = partition(&[2, 1, 3], &[2, 1, 3], Some(1));
        for (bumps, isr, leader) in [
            (false, &[2, 1][..], None),
            (true, &[2, 1], Some(Some(BrokerId(1)))),
            (true, &[2, 1, 3], None),
            (true, &[], Some(None)),
        ] {
            let mut shrunk = change(&foo, isr, Election::Online, &not_broker_3);
            shrunk.subject.rules.bumps_leader_epoch_on_isr_shrink = bumps;
            assert_eq!(shrunk.record().and_then(|record| record.leader), leader, "{bumps} {isr:?}");
        }
    }

    #[test]
    fn replicas_that_go_begin_a_leader_epoch_even_under_the_same_leader() {
        let foo = partition(&[2, 1, 3], &[2, 1, 3], Some(1));
        let mut moved = change(&foo, &[2, 1], Election::Online, &not_broker_3);
        moved.replicas = ids(&[2, 1, 4]);
        let record = moved.record().expect("replicas change");
        assert_eq!((record.leader, record.replicas), (Some(Some(BrokerId(1))), Some(ids(&[2, 1, 4]))));
    }

    #[test]
    fn an_unclean_leader_begins_as_recovering() {
        let offline = partition(&[2, 1, 3], &[3], None);
        let only_1 = |broker: BrokerId| broker == BrokerId(1);
        let elected = merged(&offline, change(&offline, &[3], Election::Unclean, &only_1));
        assert_eq!((elected.leader, &elected.isr), (Some(BrokerId(1)), &ids(&[1])));
        assert_eq!(elected.leader_recovery_state, LeaderRecoveryState::Recovering);
        let mut recovered = change(&elected, &[1], Election::Online, &only_1);
        recovered.leader_recovery_state = LeaderRecoveryState::Recovered;
        let record = recovered.record().expect("the leader has recovered");
        assert_eq!((record.leader, record.isr), (None, None));
        assert_eq!(record.leader_recovery_state, Some(LeaderRecoveryState::Recovered));
    }

    #[test]
    fn a_larger_isr_completes_a_reassignment_and_a_leader_that_goes_is_replaced() {
        let mut moving = partition(&[1, 2, 3, 4], &[1, 2, 3], Some(1));
        moving.adding_replicas = ids(&[4]);
        moving.removing_replicas = ids(&[1]);
        let anyone = |_: BrokerId| true;
        let done = merged(&moving, change(&moving, &[1, 2, 3, 4], Election::Online, &anyone));
        assert_eq!((&done.replicas, &done.isr), (&ids(&[2, 3, 4]), &ids(&[2, 3, 4])));
        assert_eq!((done.leader, done.is_reassigning()), (Some(BrokerId(2)), false));
        assert_eq!((done.leader_epoch, done.partition_epoch), (LeaderEpoch(101), PartitionEpoch(201)));
        let waiting = merged(&moving, change(&moving, &[1, 2, 3], Election::Online, &anyone));
        assert_eq!(waiting, moving, "replica 4 is not in sync yet");
    }

    /// `PartitionReassignmentReplicasTest`.
    #[test]
    fn a_reassignment_completes_when_all_targets_are_in_sync() {
        // Replicas, those that come, those that go, the target ISR, and the replicas and ISR after that.
        type Case<'a> = (&'a [i32], &'a [i32], &'a [i32], &'a [i32], &'a [i32], &'a [i32]);
        let all_new: [&[i32]; 3] = [&[3, 4, 5, 0, 1, 2], &[3, 4, 5], &[0, 1, 2]];
        let some_new: [&[i32]; 3] = [&[0, 1, 3, 2], &[3], &[2]];
        let cases: [Case<'_>; 5] = [
            (all_new[0], all_new[1], all_new[2], &[0, 1, 2, 3, 4], all_new[0], &[0, 1, 2, 3, 4]),
            (&[0, 1, 2], &[], &[], &[0, 1, 2], &[0, 1, 2], &[0, 1, 2]),
            (all_new[0], all_new[1], all_new[2], &[0, 1, 2, 3, 4, 5], &[3, 4, 5], &[3, 4, 5]),
            (some_new[0], some_new[1], some_new[2], &[0, 1, 2, 3], &[0, 1, 3], &[0, 1, 3]),
            (some_new[0], some_new[1], some_new[2], &[3], some_new[0], &[3]),
        ];
        let anyone = |_: BrokerId| true;
        for (replicas, adding, removing, isr, replicas_after, isr_after) in cases {
            let mut moving = partition(replicas, &[0, 1, 2], Some(0));
            (moving.adding_replicas, moving.removing_replicas) = (ids(adding), ids(removing));
            let after = merged(&moving, change(&moving, isr, Election::Online, &anyone));
            assert_eq!((&after.replicas, &after.isr), (&ids(replicas_after), &ids(isr_after)), "{replicas:?} {isr:?}");
            let is_done = replicas_after != replicas || adding.is_empty();
            assert_eq!(after.is_reassigning(), !is_done);
        }
    }

    #[test]
    fn a_leader_that_goes_leaves_none_when_nobody_can_take_over() {
        let mut moving = partition(&[2, 1, 3, 4], &[1, 2, 3], Some(1));
        moving.removing_replicas = ids(&[1]);
        moving.adding_replicas = ids(&[4]);
        let only_1 = |broker: BrokerId| broker == BrokerId(1);
        let done = merged(&moving, change(&moving, &[1, 2, 3, 4], Election::Online, &only_1));
        assert_eq!((done.leader, &done.replicas), (None, &ids(&[2, 3, 4])));
    }

    fn with_elr<'a>(
        partition: &'a PartitionRegistration,
        isr: &[i32],
        is_acceptable_leader: &'a dyn Fn(BrokerId) -> bool,
        min_isr: usize,
    ) -> PartitionChange<'a> {
        let mut change = change(partition, isr, Election::Online, is_acceptable_leader);
        change.subject.rules.eligible_leader_replicas = true;
        change.subject.min_isr = min_isr;
        change
    }

    /// ISR, ELR and last known ELR.
    fn eligibility(partition: &PartitionRegistration) -> [Vec<i32>; 3] {
        [&partition.isr, &partition.eligible_leader_replicas, &partition.last_known_elr]
            .map(|brokers| brokers.iter().map(|broker| broker.0).collect())
    }

    #[test]
    fn replicas_that_are_moved_away_stay_eligible_while_too_few_are_in_sync() {
        let mut moving = partition(&[2, 3, 1, 4], &[2, 1, 4], Some(2));
        (moving.adding_replicas, moving.removing_replicas) = (ids(&[3]), ids(&[1, 4]));
        let anyone = |_: BrokerId| true;
        for (min_isr, eligible) in [(2, vec![]), (3, vec![1, 4])] {
            let done = merged(&moving, with_elr(&moving, &[2, 1, 4, 3], &anyone, min_isr));
            assert_eq!(done.replicas, ids(&[2, 3]));
            assert_eq!(eligibility(&done), [vec![2, 3], eligible, vec![]]);
        }
    }

    #[test]
    fn eligible_leader_replicas_change_as_by_the_real_builder() {
        let anyone = |_: BrokerId| true;
        let start = |isr: &[i32], elr: &[i32], last_known: &[i32]| PartitionRegistration {
            eligible_leader_replicas: ids(elr),
            last_known_elr: ids(last_known),
            ..partition(&[1, 2, 3, 4], isr, Some(1))
        };
        for (name, before, target, min_isr, expected) in [
            ("below min", start(&[1, 2, 3, 4], &[], &[]), &[1, 2][..], 3, [vec![1, 2], vec![3, 4], vec![]]),
            ("above min", start(&[1, 2], &[3, 4], &[]), &[1, 2, 3], 3, [vec![1, 2, 3], vec![], vec![]]),
            ("a member from outside", start(&[1], &[3], &[]), &[1, 4], 3, [vec![1, 4], vec![3], vec![]]),
            ("with a leader, none is last known", start(&[1], &[3], &[2]), &[1, 4], 3, [vec![1, 4], vec![3], vec![]]),
        ] {
            let after = merged(&before, with_elr(&before, target, &anyone, min_isr));
            assert_eq!(eligibility(&after), expected, "{name}");
        }
    }

    #[test]
    fn replicas_whose_processes_ended_uncleanly_are_not_eligible() {
        let before =
            PartitionRegistration { eligible_leader_replicas: ids(&[3]), ..partition(&[1, 2, 3, 4], &[1, 2], Some(1)) };
        let anyone = |_: BrokerId| true;
        let mut ended = with_elr(&before, &[1, 2], &anyone, 3);
        ended.unclean_shutdown = Some(BrokerId(3));
        assert_eq!(eligibility(&merged(&before, ended)), [vec![1, 2], vec![], vec![]]);
    }

    #[test]
    fn an_eligible_replica_leads_when_nobody_is_in_sync() {
        let before = PartitionRegistration {
            eligible_leader_replicas: ids(&[1, 3]),
            last_known_elr: ids(&[2]),
            ..partition(&[1, 2, 3, 4], &[], None)
        };
        let only_3 = |broker: BrokerId| broker == BrokerId(3);
        let after = merged(&before, with_elr(&before, &[], &only_3, 3));
        assert_eq!((after.leader, eligibility(&after)), (Some(BrokerId(3)), [vec![3], vec![1], vec![]]));
        assert_eq!(after.leader_recovery_state, LeaderRecoveryState::Recovered);
    }

    #[test]
    fn with_eligible_replicas_the_isr_may_become_empty_and_the_last_leader_is_remembered() {
        let before = PartitionRegistration {
            eligible_leader_replicas: ids(&[2, 3, 4]),
            ..partition(&[1, 2, 3, 4], &[1], Some(1))
        };
        let nobody = |_: BrokerId| false;
        let after = merged(&before, with_elr(&before, &[], &nobody, 3));
        assert_eq!((after.leader, eligibility(&after)), (None, [vec![], vec![1, 2, 3, 4], vec![1]]));
    }

    #[test]
    fn the_last_known_leader_takes_over_when_nobody_is_eligible() {
        let alone = PartitionRegistration { last_known_elr: ids(&[1]), ..partition(&[1, 2, 3, 4], &[], None) };
        let anyone = |_: BrokerId| true;
        let after = merged(&alone, with_elr(&alone, &[], &anyone, 3));
        assert_eq!((after.leader, eligibility(&after)), (Some(BrokerId(1)), [vec![1], vec![], vec![]]));
        assert_eq!(after.leader_recovery_state, LeaderRecoveryState::Recovering);
        let two = PartitionRegistration { last_known_elr: ids(&[1, 2]), ..alone.clone() };
        assert_eq!(merged(&two, with_elr(&two, &[], &anyone, 3)).leader, None);
        let eligible = PartitionRegistration { eligible_leader_replicas: ids(&[2]), ..alone };
        let only_1 = |broker: BrokerId| broker == BrokerId(1);
        assert_eq!(merged(&eligible, with_elr(&eligible, &[], &only_1, 3)).leader, None);
    }
}
