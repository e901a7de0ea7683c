//! The controller's state of partitions: leader and in-sync replicas fit together, epochs do not fall.

use super::findings::Findings;
use super::history::History;
use super::sight::{Sight, StateGlance};
use super::violation::{Checker, Details, Number};
use kafka::metadata::{ClusterImage, PartitionRegistration};
use kafka::node::NodeId;
use wire::{BrokerId, LeaderEpoch, TopicPartition};

/// What is wrong with a partition's state, if anything is.
fn flaw(image: &ClusterImage, state: &PartitionRegistration) -> Option<Details> {
    let is_active = |broker: &BrokerId| image.brokers().get(broker).is_some_and(|broker| broker.is_active());
    let is_twice = |member: &&BrokerId| state.isr.iter().filter(|other| other == member).count() > 1;
    let eligible = &state.eligible_leader_replicas;
    let is_misplaced =
        |member: &&BrokerId| !state.replicas.contains(member) || is_twice(member) || eligible.contains(member);
    let is_stray = |member: &&BrokerId| {
        !state.replicas.contains(member) || eligible.iter().filter(|other| other == member).count() > 1
    };
    let stray = state.isr.iter().find(is_misplaced).or_else(|| eligible.iter().find(is_stray));
    let inactive = state.isr.iter().find(|member| !is_active(member)).filter(|_| state.isr.len() > 1);
    if state.isr.is_empty() && eligible.is_empty() && state.last_known_elr.is_empty() {
        return Some(Details::NobodyInSync);
    }
    if let Some(leader) = state.leader.filter(|leader| !state.isr.contains(leader)) {
        return Some(Details::LeaderOutOfSync(leader));
    }
    // A heartbeat that was long under way unfences even a broker that has shut down, and as the one to be unfenced it may
    // lead (`ReplicationControlManager.handleBrokerUnfenced`).
    let is_fenced = |broker: &BrokerId| image.brokers().get(broker).is_none_or(|broker| broker.fenced);
    let inactive_leader = state.leader.as_ref().filter(|leader| is_fenced(leader));
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
    let flaw = flaw(image, state);
    findings.require(Checker::IsrStructure, sight, Some(partition), flaw.is_none(), || {
        flaw.unwrap_or(Details::NobodyInSync)
    });
}

/// The controller has just changed a partition: nobody is eligible while enough are in sync, as its topic's own
/// configuration says (KIP-966).
pub(super) fn eligibility(
    findings: &mut Findings,
    sight: &Sight<'_>,
    partition: &TopicPartition,
    glance: &StateGlance<'_>,
) {
    let state = glance.state;
    let configured = glance.configs.get("min.insync.replicas").and_then(|value| value.trim().parse::<usize>().ok());
    let Some(min_isr) = configured.filter(|_| !state.eligible_leader_replicas.is_empty()) else { return };
    let is_needed = state.isr.len() < min_isr.min(state.replicas.len());
    findings.require(Checker::IsrStructure, sight, Some(partition), is_needed, || Details::NeedlessEligible);
}

/// Epochs do not fall, as long as one controller is active. The next one need not know what the last could not commit.
pub(super) fn epochs(
    findings: &mut Findings,
    sight: &Sight<'_>,
    history: &mut History,
    partition: &TopicPartition,
    state: &PartitionRegistration,
    quorum_epoch: LeaderEpoch,
) {
    let now = (quorum_epoch, state.leader_epoch, state.partition_epoch);
    let Some(before) = history.state.replace(now).filter(|before| before.0 == quorum_epoch) else { return };
    for (number, from, to) in
        [(Number::LeaderEpoch, before.1.0, now.1.0), (Number::PartitionEpoch, before.2.0, now.2.0)]
    {
        let node = state.leader.map_or(NodeId::Server(-1), |leader| NodeId::Server(leader.0));
        findings.require(Checker::MonotoneNumbers, sight, Some(partition), from <= to, || Details::Fell {
            node,
            number,
            from: i64::from(from),
            to: i64::from(to),
        });
    }
}
