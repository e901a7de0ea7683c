//! The controller's state of partitions: leader and in-sync replicas fit together, epochs do not fall.

use super::findings::Findings;
use super::history::History;
use super::sight::{Sight, StateGlance};
use super::violation::{Checker, Details, Number};
use kafka::event::ChangeReason;
use kafka::metadata::{ClusterImage, PartitionRegistration};
use kafka::node::NodeId;
use kafka::release::RELEASE;
use wire::{BrokerId, LeaderEpoch, LeaderRecoveryState, TopicPartition};

/// What is wrong with a partition's state, if anything is.
///
/// With eligible leader replicas as of Kafka 3.9, who is moved away may stay eligible, and is not elected
/// (`PartitionChangeBuilder.maybePopulateTargetElr`); where nobody led when the last one in sync lost its place, nobody is
/// known (`maybeUpdateLastKnownLeader`); who led last is elected again, alone and uncleanly, without a look at whether it is
/// alive (`canElectLastKnownLeader`). A late heartbeat unfences a broker that shuts down, and makes it the leader where it
/// alone is in sync (`ReplicationControlManager.handleBrokerUnfenced`).
///
/// In ZooKeeper a broker is gone before the controller hears of it, and a reassignment that replaces another changes the
/// replicas first and then the in-sync ones.
fn flaw(image: &ClusterImage, state: &PartitionRegistration, is_zookeeper: bool) -> Option<Details> {
    let is_registered = |broker: &BrokerId| image.brokers().get(broker).is_some_and(|broker| broker.is_active());
    let is_active = |broker: &BrokerId| is_zookeeper || is_registered(broker);
    let is_twice = |member: &&BrokerId| state.isr.iter().filter(|other| other == member).count() > 1;
    let eligible = &state.eligible_leader_replicas;
    let is_stranger = |member: &BrokerId| !is_zookeeper && !state.replicas.contains(member);
    let is_misplaced = |member: &&BrokerId| is_stranger(member) || is_twice(member) || eligible.contains(member);
    let is_stray = |member: &&BrokerId| eligible.iter().filter(|other| other == member).count() > 1;
    let stray = state.isr.iter().find(is_misplaced).or_else(|| eligible.iter().find(is_stray));
    let inactive = state.isr.iter().find(|member| !is_active(member)).filter(|_| state.isr.len() > 1);
    if let Some(leader) = state.leader.filter(|leader| !state.isr.contains(leader)) {
        return Some(Details::LeaderOutOfSync(leader));
    }
    let is_recovering = state.leader_recovery_state == LeaderRecoveryState::Recovering;
    let has_eligible = RELEASE.rules(image.features()).eligible_leader_replicas;
    let may_be_empty = has_eligible && (state.leader.is_none() || !state.last_known_elr.is_empty());
    if state.isr.is_empty() && eligible.is_empty() && !may_be_empty && !is_recovering {
        return Some(Details::NobodyInSync);
    }
    let is_alone = state.isr.len() == 1;
    let is_unfenced = |broker: &BrokerId| image.brokers().get(broker).is_some_and(|broker| !broker.fenced);
    let may_be_last_known = is_recovering && has_eligible;
    let may_lead = |leader: &BrokerId| is_active(leader) || is_alone && (may_be_last_known || is_unfenced(leader));
    let inactive_leader = state.leader.as_ref().filter(|leader| !may_lead(leader));
    stray
        .map(|member| Details::MisplacedMember(*member))
        .or(inactive.or(inactive_leader).map(|member| Details::InactiveMember(*member)))
}

/// One partition's state.
pub(super) fn structure(
    findings: &mut Findings,
    sight: &Sight<'_>,
    image: &ClusterImage,
    partition: &TopicPartition,
    state: &PartitionRegistration,
) {
    let flaw = flaw(image, state, sight.zookeeper.is_some());
    findings.require(Checker::IsrStructure, sight, Some(partition), flaw.is_none(), || {
        flaw.unwrap_or(Details::NobodyInSync)
    });
}

/// The controller has just changed a partition: nobody is eligible while enough are in sync, as its topic's own
/// configuration says (KIP-966). How many there have to be at most is not known: as many as the topic's first partition had
/// replicas before.
pub(super) fn eligibility(
    findings: &mut Findings,
    sight: &Sight<'_>,
    partition: &TopicPartition,
    glance: &StateGlance<'_>,
) {
    let state = glance.state;
    let configured = glance.configs.get("min.insync.replicas").and_then(|value| value.trim().parse::<usize>().ok());
    let Some(min_isr) = configured.filter(|_| !state.eligible_leader_replicas.is_empty()) else { return };
    let is_needed = state.isr.len() < min_isr;
    findings.require(Checker::IsrStructure, sight, Some(partition), is_needed, || Details::NeedlessEligible);
}

/// A leader is elected that was not in sync: somebody asked for that, the topic allows it, or it led last while nobody was
/// eligible (KIP-966). A ZooKeeper controller asks whether it is allowed before it writes; that may change meanwhile.
pub(super) fn unclean_election(
    findings: &mut Findings,
    sight: &Sight<'_>,
    history: &History,
    (partition, leader): (&TopicPartition, BrokerId),
    reason: Option<ChangeReason>,
) {
    let (Some((quorum_epoch, _)), Some(glance)) = (sight.image(), sight.state(partition)) else { return };
    let before = history.state.as_ref().filter(|(epoch, _)| *epoch == quorum_epoch && sight.zookeeper.is_none());
    let Some((_, before)) = before else { return };
    let mut candidates = before.isr.iter().chain(&before.eligible_leader_replicas).chain(&before.last_known_elr);
    let is_allowed = reason == Some(ChangeReason::ElectionByCommand)
        || candidates.any(|candidate| *candidate == leader)
        || sight.allows_unclean_elections(&glance);
    findings.require(Checker::IsrStructure, sight, Some(partition), is_allowed, || Details::ElectedOutOfSync(leader));
}

/// Epochs do not fall, and one epoch has one leader, as long as one controller is active. The next one need not know what
/// the last could not commit.
pub(super) fn epochs(
    findings: &mut Findings,
    sight: &Sight<'_>,
    history: &mut History,
    partition: &TopicPartition,
    state: &PartitionRegistration,
    quorum_epoch: LeaderEpoch,
) {
    let before = history.state.replace((quorum_epoch, state.clone()));
    let Some((_, before)) = before.filter(|(epoch, _)| *epoch == quorum_epoch) else { return };
    let leaders = before.leader.zip(state.leader).filter(|(one, other)| one != other);
    let both = leaders.filter(|_| before.leader_epoch == state.leader_epoch);
    findings.require(Checker::OneLeaderPerEpoch, sight, Some(partition), both.is_none(), || {
        let [one, other] = both.map_or([-1; 2], |(one, other)| [one.0, other.0]).map(NodeId::Server);
        Details::TwoLeaders { one, other, leader_epoch: state.leader_epoch }
    });
    for (number, from, to) in [
        (Number::LeaderEpoch, before.leader_epoch.0, state.leader_epoch.0),
        (Number::PartitionEpoch, before.partition_epoch.0, state.partition_epoch.0),
    ] {
        let node = state.leader.map_or(NodeId::Server(-1), |leader| NodeId::Server(leader.0));
        findings.require(Checker::MonotoneNumbers, sight, Some(partition), from <= to, || Details::Fell {
            node,
            number,
            from: i64::from(from),
            to: i64::from(to),
        });
    }
}
