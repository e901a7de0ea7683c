//! What the in-sync replicas promise: WeakIsr, StrongIsr and leader completeness of Kafka's formal specifications
//! (`KafkaReplication.tla`, KIP-966), and that leaders wait for those whom the controller holds in sync (KIP-497), and
//! go on without those that lag.
//!
//! Where an unclean election or a power loss took committed records, only what is left counts (see `History::weaken`).

use super::findings::Findings;
use super::history::{History, Mark, Overdue, Proposed};
use super::sight::{LeaderGlance, Sight, epoch_at};
use super::violation::{Checker, Details};
use kafka::metadata::PartitionRegistration;
use kafka::node::NodeId;
use kafka::view::Laggard;
use wire::{BrokerEpoch, BrokerId, LeaderEpoch, Offset, PartitionEpoch, TopicPartition};

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
/// (`Partition.maybeIncrementLeaderHW`). Who adds partitions writes back the replicas that it has read, and takes the znode
/// back to before a move that began meanwhile (`ZkAdminManager.createPartitions` knows of that race): then somebody in sync
/// is none of the replicas, and which of these the leader knows nobody can tell.
fn is_owed(sight: &Sight<'_>, member: BrokerId, state: &PartitionRegistration) -> bool {
    let is_told = || {
        let is_out_of_date = state.isr.iter().any(|other| !state.replicas.contains(other));
        !is_out_of_date && !state.removing_replicas.contains(&member)
    };
    state.replicas.contains(&member) && (sight.zookeeper.is_none() || is_told())
}

/// Whether a controller of a ZooKeeper cluster has elected a replica that is being moved away. Its predecessor ended after
/// it had told the leader of the new replicas, and before it took it out of those in sync (`onPartitionReassignment`).
pub(super) fn is_elected_while_leaving(
    sight: &Sight<'_>,
    partition: &TopicPartition,
    broker: BrokerId,
    leader_epoch: LeaderEpoch,
) -> bool {
    let state = sight.state(partition).filter(|_| sight.zookeeper.is_some()).map(|glance| glance.state);
    let elected = state.filter(|state| state.leader == Some(broker) && state.leader_epoch == leader_epoch);
    elected.is_some_and(|state| !is_owed(sight, broker, state))
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
    let is_back = log.as_ref().is_some_and(|log| history.is_back(log, mark.end + -1));
    let is_nothing_left = is_back || mark.end <= history.deleted_to.max(history.compacted_to);
    let has_all = is_nothing_left || log.is_some_and(|log| log.reaches(mark.end, mark.epoch));
    // The replicas of a deleted topic go one after the other, while others still believe to lead.
    let has_resumed = history.has_resumed_below(mark);
    let is_excused = || {
        has_resumed || sight.is_deleted(partition, history.topic_id) || is_damaged(sight, history, member, partition)
    };
    let has_all = has_all || is_excused();
    findings.require(checker, sight, Some(partition), has_all, || Details::Lacks {
        broker: member,
        log_end_offset: log.map_or(Offset(-1), |log| log.end),
        offset: mark.end,
        leader_epoch: mark.epoch,
    });
}

/// A replica that lost records with its power is nobody's fault as long as it has not registered anew, which takes it
/// out of the in-sync replicas, as the leader hears later, or is the last one in sync. A ZooKeeper controller takes it
/// out when it hears of that. If it does not, the replica leads on without the records, while some of those in sync
/// with it keep theirs (see `log_matching`): one of them may be elected before it has fetched anew, and those that
/// followed the other one lack what it has.
fn is_damaged(sight: &Sight<'_>, history: &History, member: BrokerId, partition: &TopicPartition) -> bool {
    let is_down = sight.is_unregistered(member);
    let is_out_or_last = || {
        let state = sight.known_state(partition).map(|glance| glance.state);
        state.is_none_or(|state| state.isr.len() <= 1 || !state.isr.contains(&member))
    };
    history.damaged.contains(&member) && (is_down || sight.zookeeper.is_some() || is_out_or_last())
}

/// A change of the in-sync replicas that a leader proposed.
#[derive(Clone, Copy)]
pub(super) struct IsrChange<'a> {
    pub(super) partition: &'a TopicPartition,
    pub(super) from: &'a [BrokerId],
    pub(super) to: &'a [BrokerId],
    /// The epoch of the state that it has made.
    pub(super) partition_epoch: PartitionEpoch,
}

/// A leader's proposal has changed the in-sync replicas: it was made for those that there were and for the state that there
/// was (KIP-497), which is not that of another leader; and its members are those that the leader saw (KIP-903), or as far
/// as the controller of a ZooKeeper cluster knows are there at all.
pub(super) fn proposed(
    findings: &mut Findings,
    sight: &Sight<'_>,
    history: Option<&History>,
    controller: NodeId,
    change: IsrChange<'_>,
) {
    let IsrChange { partition, from, to, partition_epoch } = change;
    let is_same =
        |members: &[BrokerId]| members.len() == from.len() && members.iter().all(|member| from.contains(member));
    let is_meant = |proposed: &&Proposed| is_same(&proposed.from) && proposed.partition_epoch.next() == partition_epoch;
    let proposed = history.and_then(|history| history.proposals.values().find(is_meant));
    let (is_proposed, in_sync) = (history.is_none() || proposed.is_some(), from.len());
    findings.require(Checker::QuorumSuperset, sight, Some(partition), is_proposed, || Details::NotProposed { in_sync });
    let Some(proposed) = proposed else { return };
    let stranger = match sight.zookeeper {
        Some(_) => to.iter().find(|member| !from.contains(member) && !is_there(sight, controller, **member)),
        None => to.iter().find(|member| !is_as_seen(sight, proposed, **member)),
    };
    findings.require(Checker::IsrStructure, sight, Some(partition), stranger.is_none(), || {
        Details::NotAsProposed(stranger.copied().unwrap_or(BrokerId(-1)))
    });
}

fn is_there(sight: &Sight<'_>, controller: NodeId, member: BrokerId) -> bool {
    let NodeId::Server(controller) = controller else { return true };
    let controller = sight.broker(BrokerId(controller));
    controller.and_then(|controller| controller.knows_as_live(member)).unwrap_or(true)
}

fn is_as_seen(sight: &Sight<'_>, proposed: &Proposed, member: BrokerId) -> bool {
    let Some((_, image)) = sight.image() else { return true };
    let registered = image.brokers().get(&member).map(|broker| broker.broker_epoch);
    let seen = proposed.members.iter().find(|(broker, _)| *broker == member).map(|(_, epoch)| *epoch);
    seen.is_none_or(|seen| seen == BrokerEpoch::NONE || Some(seen) == registered)
}

/// `broker` leads. It looks twice in `replica.lag.time.max.ms` for in-sync replicas that have lagged for longer than that,
/// and proposes to go on without them: one at a time, as only one proposal can be under way.
pub(super) fn laggards(findings: &mut Findings, sight: &Sight<'_>, history: &mut History, leader: &LeaderGlance<'_>) {
    let LeaderGlance { broker, partition, replica, leadership } = *leader;
    let is_frozen = sight.hosts.get(&NodeId::Server(broker.0)).is_some_and(|host| host.faults.is_frozen);
    let laggard = sight.broker(broker).and_then(|process| process.laggard(partition));
    let lags = |laggard: &Laggard| sight.now.since(laggard.caught_up_at) > laggard.max_lag;
    let Some(laggard) = laggard.filter(lags).filter(|_| leadership.proposal.is_none() && !is_frozen) else {
        history.overdue = None;
        return;
    };
    let leader_epoch = replica.leader_epoch;
    let known = history.overdue.filter(|known| known.leader == broker && known.leader_epoch == leader_epoch);
    let overdue = known.unwrap_or(Overdue { leader: broker, leader_epoch, since: sight.now });
    history.overdue = Some(overdue);
    let is_in_time = sight.now.since(overdue.since) <= laggard.max_lag;
    findings.require(Checker::LaggardsLeave, sight, Some(partition), is_in_time, || Details::LaggardStays {
        leader: broker,
        broker: laggard.broker,
    });
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

#[cfg(test)]
mod tests {
    use super::super::history::Histories;
    use super::*;
    use std::collections::BTreeMap;
    use wire::{PartitionIndex, TopicId, TopicName};

    fn ids(ids: &[i32]) -> Vec<BrokerId> {
        ids.iter().copied().map(BrokerId).collect()
    }

    #[test]
    fn a_proposal_changes_only_the_state_for_which_it_was_made() {
        let (hosts, mut histories) = (BTreeMap::new(), Histories::default());
        let partition = TopicPartition::new(TopicName::new("t"), PartitionIndex(0));
        histories.begin_unless_known(partition.clone(), TopicId(7));
        let history = histories.get_mut(&partition, TopicId(7)).expect("it has just begun");
        let members = vec![(BrokerId(1), BrokerEpoch(10))];
        let made = Proposed { from: ids(&[1, 2]), partition_epoch: PartitionEpoch(4), members };
        history.proposals.insert(BrokerId(1), made);
        for (from, partition_epoch, is_right) in [([1, 2], 5, true), ([1, 2], 6, false), ([1, 3], 5, false)] {
            let (from, to, mut findings) = (ids(&from), ids(&[1]), Findings::default());
            let partition_epoch = PartitionEpoch(partition_epoch);
            let change = IsrChange { partition: &partition, from: &from, to: &to, partition_epoch };
            proposed(&mut findings, &Sight::of_nothing(&hosts), Some(&*history), NodeId::Server(1), change);
            let wrong: Vec<_> = findings.violations().iter().map(|violation| violation.details.clone()).collect();
            let expected = if is_right { vec![] } else { vec![Details::NotProposed { in_sync: 2 }] };
            assert_eq!(wrong, expected, "{from:?} {partition_epoch:?}");
        }
    }
}
