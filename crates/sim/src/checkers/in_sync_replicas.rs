//! What the in-sync replicas promise: WeakIsr, StrongIsr and leader completeness of Kafka's formal specifications
//! (`KafkaReplication.tla`, KIP-966), and that leaders wait for those whom the controller holds in sync (KIP-497).
//!
//! Where an unclean election or a power loss took committed records, only what is left counts (see `History::weaken`).

use super::findings::Findings;
use super::history::{History, Mark};
use super::sight::{LeaderGlance, Sight, epoch_at};
use super::violation::{Checker, Details};
use kafka::metadata::PartitionRegistration;
use wire::{BrokerId, LeaderEpoch, Offset, TopicPartition};

/// `broker` believes to lead, and its high watermark has risen or one of the in-sync replicas that it knows was cut: they
/// have all below it.
pub(super) fn weak(findings: &mut Findings, sight: &Sight<'_>, history: &History, leader: &LeaderGlance<'_>) {
    let LeaderGlance { broker, partition, replica, leadership } = *leader;
    if replica.leader_epoch < history.weakened_before {
        return;
    }
    let mark =
        Mark { end: replica.high_watermark, epoch: epoch_at(replica.leader_epochs, replica.high_watermark + -1) };
    let state = sight.known_state(partition).map(|glance| glance.state);
    let is_meant = |member: &BrokerId| *member != broker && state.is_none_or(|state| is_owed(sight, *member, state));
    for member in leadership.isr.iter().copied().filter(is_meant) {
        has(findings, Checker::WeakIsr, sight, history, member, partition, mark);
    }
}

/// All who may be elected have what was committed.
pub(super) fn strong(findings: &mut Findings, sight: &Sight<'_>, history: &History, partition: &TopicPartition) {
    let Some(glance) = sight.state(partition).filter(|glance| glance.topic_id == history.topic_id) else { return };
    if history.committed.end == Offset::ZERO {
        return;
    }
    for member in glance.state.isr.iter().chain(glance.state.eligible_replicas()).copied() {
        if is_owed(sight, member, glance.state) {
            has(findings, Checker::StrongIsr, sight, history, member, partition, history.committed);
        }
    }
}

/// Whether a leader waits for a replica that it knows in sync. One that was moved away deletes its log, maybe before the
/// leader hears of that. In a ZooKeeper cluster the controller tells of the end of a reassignment before it takes replicas
/// that go out of the in-sync ones (`onPartitionReassignment`), and leaders wait for replicas of the partition only
/// (`Partition.maybeIncrementLeaderHW`).
fn is_owed(sight: &Sight<'_>, member: BrokerId, state: &PartitionRegistration) -> bool {
    state.replicas.contains(&member) && (sight.zookeeper.is_none() || !state.removing_replicas.contains(&member))
}

fn has(
    findings: &mut Findings,
    checker: Checker,
    sight: &Sight<'_>,
    history: &History,
    member: BrokerId,
    partition: &TopicPartition,
    mark: Mark,
) {
    let log = sight.log_of(member, partition, history.topic_id);
    // Who restarts forgets how far it had deleted, and as its epoch cache is empty goes back to its high watermark of
    // before; it has nothing to get again. A compacted log that was cut ends after a restart where its last record is.
    let is_nothing_left = mark.end <= history.deleted_to.max(history.compacted_to);
    let has_all = is_nothing_left || log.is_some_and(|log| log.reaches(mark.end, mark.epoch));
    // The replicas of a deleted topic go one after the other, while others still believe to lead.
    let is_excused = || sight.is_deleted(partition, history.topic_id) || is_damaged(sight, history, member, partition);
    let has_all = has_all || is_excused();
    findings.require(checker, sight, Some(partition), has_all, || Details::Lacks {
        broker: member,
        log_end_offset: log.map_or(Offset(-1), |log| log.end),
        offset: mark.end,
        leader_epoch: mark.epoch,
    });
}

/// A replica that lost records with its power is nobody's fault as long as it has not registered anew, which takes it out
/// of the in-sync replicas, or is the last one in sync. A ZooKeeper controller takes it out when it hears of that.
fn is_damaged(sight: &Sight<'_>, history: &History, member: BrokerId, partition: &TopicPartition) -> bool {
    let is_down = sight.broker(member).and_then(|broker| broker.broker_epoch()).is_none();
    let is_last = || sight.known_state(partition).is_none_or(|glance| glance.state.isr.len() <= 1);
    history.damaged.contains(&member) && (is_down || sight.zookeeper.is_some() || is_last())
}

/// A leader's proposal has changed the in-sync replicas: it was made for those that there were (KIP-497).
pub(super) fn proposed(
    findings: &mut Findings,
    sight: &Sight<'_>,
    history: Option<&History>,
    partition: &TopicPartition,
    from: &[BrokerId],
) {
    let is_same = |proposed_for: &Vec<BrokerId>| {
        proposed_for.len() == from.len() && proposed_for.iter().all(|member| from.contains(member))
    };
    let is_proposed = history.is_none_or(|history| history.proposals.values().any(is_same));
    let in_sync = from.len();
    findings.require(Checker::QuorumSuperset, sight, Some(partition), is_proposed, || Details::NotProposed { in_sync });
}

/// `broker` has begun to lead, in the epoch that the controller knows: it has what was committed and what was read.
pub(super) fn on_leader(
    findings: &mut Findings,
    sight: &Sight<'_>,
    history: &History,
    broker: BrokerId,
    partition: &TopicPartition,
    leader_epoch: LeaderEpoch,
) {
    let Some(glance) = sight.state(partition).filter(|glance| glance.topic_id == history.topic_id) else { return };
    if glance.state.leader != Some(broker) || glance.state.leader_epoch != leader_epoch {
        return;
    }
    for mark in [history.committed, history.read].into_iter().filter(|mark| mark.end > Offset::ZERO) {
        has(findings, Checker::LeaderCompleteness, sight, history, broker, partition, mark);
    }
}

/// `broker` believes to lead: all whom the controller holds in sync or eligible have what is committed, and a leader in the
/// controller's epoch waits for them, as long as enough are in sync. Whom the leader knows, `weak` has looked at.
pub(super) fn controllers_isr(
    findings: &mut Findings,
    sight: &Sight<'_>,
    history: &History,
    leader: &LeaderGlance<'_>,
) {
    let LeaderGlance { broker, partition, replica, leadership } = *leader;
    let Some(glance) = sight.state(partition).filter(|glance| glance.topic_id == replica.topic_id) else { return };
    let is_current = glance.state.leader == Some(broker) && glance.state.leader_epoch == replica.leader_epoch;
    let must_wait = is_current && leadership.isr.len() >= leadership.effective_min_isr;
    for member in glance.state.isr.iter().chain(glance.state.eligible_replicas()).copied() {
        let is_known = member == broker || leadership.isr.contains(&member);
        let is_owed = is_owed(sight, member, glance.state);
        if !is_known && is_owed && history.committed.end > Offset::ZERO {
            has(findings, Checker::StrongIsr, sight, history, member, partition, history.committed);
        }
        if must_wait && is_owed && glance.state.isr.contains(&member) {
            let waits = is_known || leadership.joining == Some(member);
            findings.require(Checker::QuorumSuperset, sight, Some(partition), waits, || Details::DoesNotWaitFor {
                leader: broker,
                broker: member,
            });
        }
    }
}
