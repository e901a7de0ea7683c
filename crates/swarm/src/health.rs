//! Liveness: once all faults have ended, everything becomes well within bounded time. Brokers serve, are unfenced and
//! know the cluster as it is; every partition has a leader and all its replicas in sync, and none is being moved. In a
//! quorum every other voter follows the active controller closely.
//!
//! Kafka does not always heal by itself. A follower that cannot append what it fetched gives up until the next leader
//! epoch (`AbstractFetcherThread.markPartitionFailed`). Where all records were deleted, epoch caches are empty after a
//! restart (`LogLoader`): a leader may go on from its high watermark of before, and its followers find no place where
//! the logs part. In a ZooKeeper cluster that happens to any follower whose leader lost records with its power and goes
//! on in the same epoch, since no controller noticed. Where `segment.bytes` became smaller, a follower that is behind
//! fetches more at once than a segment may hold (`UnifiedLog.append`). Where a leader deleted up to the midst of a
//! batch, followers that part from its log there, and have a log of their own, are sent the whole batch
//! (`LeaderEpochFileCache.endOffsetFor`, `Partition.appendRecordsToFollowerOrFutureReplica`). Only partitions whose
//! missing replicas have all given up are let off.
//!
//! Who led last is elected again also while it shuts down, and then neither may grow its in-sync replicas nor ends
//! before five minutes have passed (`PartitionChangeBuilder.canElectLastKnownLeader`). A ZooKeeper controller whose
//! conditional write got no answer tries again, is refused, and leaves the partition's leader waiting
//! (`badVersionUpdates` of `KafkaController`). A broker whose session expires while it runs does not hear of topics
//! that are deleted before it has registered again, and remembers them: it is told of what there is, and forgets only
//! what it is told to forget (`ZkMetadataCache.updateMetadata`, `KafkaController.onBrokerStartup`). A controller whose
//! creation of a partition's state got no answer tries again, is told that it is there, and takes that for a failure,
//! again and again, until another one reads it (`PartitionStateMachine.initializeLeaderAndIsrForPartitions`). In all
//! these cases a restart helps. Where the only replica in sync is one that came with a reassignment, cancelling that
//! leaves a partition whose replicas may not lead (`stopRemovedReplicasOfReassignedPartition`): its operator has one
//! elected. A ZooKeeper controller refuses even that while a broker that stands among those in sync lives
//! (`PartitionStateMachine.collectUncleanLeaderElectionState`).
//!
//! A topic of a ZooKeeper cluster whose replicas were moved may leave some of them behind when it is deleted: nobody asks a
//! broker again to delete what moved away (`stopRemovedReplicasOfReassignedPartition`), and one that comes back resumes both
//! moves and deletions (`onBrokerStartup`). One that is deleted while it is being moved stays for good: the deletion waits for
//! the move, and the move for followers, which leaders refuse as soon as they are told of such a partition as of one that is
//! gone (`ControllerBrokerRequestBatch.addUpdateMetadataRequestForBrokers`, `KafkaApis.handleFetchRequest`).

use kafka::metadata::{BrokerRegistration, ClusterImage, PartitionRegistration};
use kafka::node::NodeId;
use kafka::view::{BrokerState, BrokerView, ControllerView, NodeView, QuorumRole, ReplicaRole, ReplicaView};
use sim::Frame;
use std::collections::BTreeSet;
use std::sync::Arc;
use wire::{BrokerId, LeaderEpoch, TopicName, TopicPartition};

/// A controller appends no more metadata records in a few seconds.
const NEAR: i64 = 100;

/// What a cluster need not put right.
#[derive(Clone, Debug, Default)]
pub struct Excuses {
    /// Topics whose replicas were moved, which may leave some behind when they are deleted.
    pub left_behind: BTreeSet<TopicName>,
    /// Partitions of which followers may give up.
    pub may_fail: BTreeSet<TopicPartition>,
    /// Topics of which they may.
    pub topics_may_fail: BTreeSet<TopicName>,
    /// So may those of all partitions.
    pub all_may_fail: bool,
}

/// What is not yet as it should be, if anything.
#[must_use]
pub fn what_is_unhealthy(frame: &Frame, excuses: &Excuses) -> Option<String> {
    let Some(image) = cluster_image(frame) else { return Some("no active controller".to_owned()) };
    if let Some(wrong) = unhealthy_quorum(frame) {
        return Some(wrong);
    }
    let has_zookeeper = frame.nodes.iter().any(|node| node.id == NodeId::ZooKeeper);
    let mut controllers = 0;
    for node in &frame.nodes {
        match (&node.id, &node.process) {
            (NodeId::Server(_) | NodeId::ZooKeeper, None) => return Some(format!("{} is down", node.id)),
            (NodeId::Server(id), Some(process)) => {
                let Some(view) = process.broker() else { continue };
                controllers += u32::from(view.controller.is_some());
                if let Some(wrong) = unhealthy_broker(view, &image, has_zookeeper, &excuses.left_behind) {
                    return Some(format!("broker {id} {wrong}"));
                }
                if !image.brokers().get(&BrokerId(*id)).is_some_and(BrokerRegistration::is_active) {
                    return Some(format!("broker {id} is not registered as active"));
                }
            }
            (NodeId::ZooKeeper | NodeId::Client(_), _) => {}
        }
    }
    if has_zookeeper && controllers != 1 {
        return Some(format!("{controllers} brokers are the controller"));
    }
    let is_excused = |place: &TopicPartition, state: &PartitionRegistration| {
        let may_fail = excuses.may_fail.contains(place) || excuses.topics_may_fail.contains(&place.topic);
        let has_failed =
            (may_fail || excuses.all_may_fail) && state.leader.is_some() && have_given_up(frame, place, state);
        has_failed || has_zookeeper && state.leader.is_none() && is_orphaned(state)
    };
    let unwell = image.partitions().find(|(place, state)| !is_well(state) && !is_excused(place, state));
    unwell.map(|(partition, state)| format!("{partition}: {state:?}"))
}

/// Whether all replicas that are not in sync have given up fetching.
fn have_given_up(frame: &Frame, place: &TopicPartition, state: &PartitionRegistration) -> bool {
    let has_failed = |broker: &BrokerId| {
        let role = replica(frame, *broker, place).map(|replica| &replica.role);
        matches!(role, Some(ReplicaRole::Follower { has_failed: true, .. }))
    };
    let mut missing = state.replicas.iter().filter(|broker| !state.isr.contains(broker)).peekable();
    missing.peek().is_some() && missing.all(has_failed)
}

fn replica<'a>(frame: &'a Frame, broker: BrokerId, place: &TopicPartition) -> Option<&'a ReplicaView> {
    let node = frame.nodes.iter().find(|node| node.id == NodeId::Server(broker.0))?;
    node.process.as_ref()?.broker()?.replicas.iter().find(|replica| replica.partition == *place)
}

/// The brokers that lead a partition, and wait for an answer to what they proposed. What they proposed may stand in
/// ZooKeeper already, without its controller and other brokers knowing.
#[must_use]
pub fn waiting_leaders(frame: &Frame) -> BTreeSet<NodeId> {
    let Some(image) = cluster_image(frame) else { return BTreeSet::new() };
    let waits = |(place, state): (TopicPartition, &PartitionRegistration)| {
        let leader = state.leader?;
        let role = replica(frame, leader, &place).map(|replica| &replica.role);
        let is_waiting = matches!(role, Some(ReplicaRole::Leader { has_proposal: true, .. }));
        is_waiting.then_some(NodeId::Server(leader.0))
    };
    image.partitions().filter_map(waits).collect()
}

/// Whether a partition is left to its operator: nobody who may lead is in sync or eligible.
#[must_use]
pub fn is_orphaned(state: &PartitionRegistration) -> bool {
    !state.isr.iter().any(|member| state.replicas.contains(member)) && state.eligible_replicas().next().is_none()
}

/// The brokers that will never serve: a registration that a dead process of theirs had sent came after their own and
/// replaced it, as nobody but an unfenced broker has a valid session (`BrokerHeartbeatManager.hasValidSession`). In Kafka too
/// only a restart helps.
#[must_use]
pub fn superseded_brokers(frame: &Frame) -> Vec<NodeId> {
    let Some(image) = cluster_image(frame) else { return Vec::new() };
    let registered = |id: i32| image.brokers().get(&BrokerId(id)).map(|broker| broker.broker_epoch);
    let is_superseded = |id: i32, view: &BrokerView| {
        view.state != BrokerState::Running && view.broker_epoch.is_some() && registered(id) > view.broker_epoch
    };
    let superseded = frame.nodes.iter().filter_map(|node| match (node.id, node.process.as_ref()?.broker()?) {
        (NodeId::Server(id), view) if is_superseded(id, view) => Some(node.id),
        (NodeId::Server(_) | NodeId::ZooKeeper | NodeId::Client(_), _) => None,
    });
    superseded.collect()
}

/// The brokers of a ZooKeeper cluster that still know partitions which are gone.
#[must_use]
pub fn brokers_that_remember(frame: &Frame) -> Vec<NodeId> {
    let Some(image) = cluster_image(frame) else { return Vec::new() };
    brokers_where(frame, |view| view.image.partitions().any(|(place, _)| image.partition(&place).is_none()))
}

fn brokers_where(frame: &Frame, is_so: impl Fn(&BrokerView) -> bool) -> Vec<NodeId> {
    let nodes = frame.nodes.iter();
    let found = nodes.filter(|node| node.process.as_ref().and_then(NodeView::broker).is_some_and(&is_so));
    found.map(|node| node.id).collect()
}

/// Whether a partition has a leader and all its replicas in sync, and stays where it is.
#[must_use]
pub fn is_well(state: &PartitionRegistration) -> bool {
    state.leader.is_some() && state.isr.len() == state.replicas.len() && !state.is_reassigning()
}

/// The cluster as the active controller has it, or as ZooKeeper keeps it.
#[must_use]
pub fn cluster_image(frame: &Frame) -> Option<Arc<ClusterImage>> {
    let views = frame.nodes.iter().filter_map(|node| node.process.as_ref());
    let known = views.filter_map(|view| {
        if let NodeView::ZooKeeper(view) = view {
            return Some((LeaderEpoch::ZERO, Arc::new(sim::image_of_znodes(&view.database))));
        }
        view.controller().filter(|view| view.is_active).map(|view| (view.epoch, view.image.clone()))
    });
    known.max_by_key(|(epoch, _)| *epoch).map(|(_, image)| image)
}

/// The controllers of a ZooKeeper cluster that do not know of partitions which they have made.
#[must_use]
pub fn controllers_that_missed(frame: &Frame) -> Vec<NodeId> {
    let Some(image) = cluster_image(frame) else { return Vec::new() };
    brokers_where(frame, |view| {
        view.controller.is_some() && image.partitions().any(|(place, _)| view.image.partition(&place).is_none())
    })
}

/// The brokers that somebody expects replicas on, some of them more than once.
#[must_use]
pub fn brokers_with_replicas(frame: &Frame) -> Vec<BrokerId> {
    let database = frame.nodes.iter().find_map(|node| {
        let Some(NodeView::ZooKeeper(view)) = &node.process else { return None };
        Some(&view.database)
    });
    if let Some(database) = database {
        return sim::brokers_with_replicas(database);
    }
    let image = cluster_image(frame).unwrap_or_default();
    image.partitions().flat_map(|(_, state)| state.replicas.clone()).collect()
}

/// Whether a client knows only brokers that were taken away: those it asks for ever (`metadata.recovery.strategy=none`).
/// Bootstrap servers count from -1 down.
#[must_use]
pub fn knows_only_gone(frame: &Frame, known_brokers: &[i32]) -> bool {
    let is_gone = |id: &i32| *id >= 0 && frame.nodes.iter().all(|node| node.id != NodeId::Server(*id));
    known_brokers.iter().all(is_gone)
}

/// A controller that neither leads the quorum nor follows closely, if there is one.
fn unhealthy_quorum(frame: &Frame) -> Option<String> {
    let controllers = || frame.nodes.iter().filter_map(|node| Some((node.id, node.process.as_ref()?.controller()?)));
    let (leader, active) = controllers().filter(|(_, view)| view.is_active).max_by_key(|(_, view)| view.epoch)?;
    let mut others = controllers().filter(|(id, _)| *id != leader);
    others.find_map(|(id, view)| unhealthy_voter(view, leader, active).map(|wrong| format!("controller {id} {wrong}")))
}

fn unhealthy_voter(view: &ControllerView, leader: NodeId, active: &ControllerView) -> Option<String> {
    let is_follower =
        view.quorum.role == QuorumRole::Follower && view.quorum.leader.map(NodeId::Server) == Some(leader);
    if !is_follower || view.epoch != active.epoch {
        return Some(format!("does not follow {leader} in epoch {}: {:?}", active.epoch, view.quorum));
    }
    let (end, to) = (view.log_end_offset, active.log_end_offset);
    (end + NEAR < to).then(|| format!("has metadata up to {end} only, and {leader} up to {to}"))
}

fn unhealthy_broker(
    view: &BrokerView,
    image: &ClusterImage,
    has_zookeeper: bool,
    left_behind: &BTreeSet<TopicName>,
) -> Option<String> {
    if view.state != BrokerState::Running {
        return Some("does not serve yet".to_owned());
    }
    let is_up_to_date = match has_zookeeper {
        true => knows_what_zookeeper_tells(&view.image, image, left_behind),
        false => view.image.topics() == image.topics() && view.image.brokers() == image.brokers(),
    };
    if !is_up_to_date {
        let mut places = image.partitions().chain(view.image.partitions()).map(|(place, _)| place);
        let differs = places.find(|place| view.image.partition(place) != image.partition(place));
        return Some(format!("does not know the cluster as it is, {differs:?}"));
    }
    let is_stray = |replica: &&ReplicaView| {
        let topic = image.topics().get(&replica.partition.topic);
        let is_other = topic.is_none_or(|topic| topic.topic_id != replica.topic_id);
        is_other && !left_behind.contains(&replica.partition.topic)
    };
    view.replicas.iter().find(is_stray).map(|replica| format!("has a replica of {}", replica.partition))
}

/// A ZooKeeper controller tells brokers less than it knows.
fn knows_what_zookeeper_tells(known: &ClusterImage, image: &ClusterImage, left_behind: &BTreeSet<TopicName>) -> bool {
    let counts = |topic: &TopicName| image.topics().contains_key(topic) || !left_behind.contains(topic);
    let told = |image: &ClusterImage| {
        let state = |state: &PartitionRegistration| {
            (state.leader, state.leader_epoch, state.isr.clone(), state.replicas.clone())
        };
        let counted = image.partitions().filter(|(place, _)| counts(&place.topic));
        let partitions: Vec<_> = counted.map(|(place, found)| (place, state(found))).collect();
        (image.brokers().keys().copied().collect::<Vec<_>>(), partitions)
    };
    told(known) == told(image)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka::view::QuorumView;
    use wire::Offset;

    fn controller(role: QuorumRole, leader: Option<i32>, epoch: i32, end: i64) -> ControllerView {
        ControllerView {
            is_active: role == QuorumRole::Leader,
            epoch: LeaderEpoch(epoch),
            log_end_offset: Offset(end),
            high_watermark: Offset(end),
            image: Arc::default(),
            quorum: QuorumView { role, leader, ..QuorumView::of_nobody() },
        }
    }

    #[test]
    fn a_voter_is_well_that_follows_the_active_controller_closely() {
        let active = controller(QuorumRole::Leader, Some(1), 5, 1_000);
        for (role, leader, epoch, end, is_well) in [
            (QuorumRole::Follower, Some(1), 5, 1_000, true),
            (QuorumRole::Follower, Some(1), 5, 900, true),
            (QuorumRole::Follower, Some(1), 5, 899, false),
            (QuorumRole::Follower, Some(2), 5, 1_000, false),
            (QuorumRole::Follower, Some(1), 4, 1_000, false),
            (QuorumRole::Unattached, None, 5, 1_000, false),
            (QuorumRole::Candidate, None, 6, 1_000, false),
            (QuorumRole::Resigned, None, 5, 1_000, false),
            (QuorumRole::Leader, Some(2), 4, 1_000, false),
        ] {
            let wrong = unhealthy_voter(&controller(role, leader, epoch, end), NodeId::Server(1), &active);
            assert_eq!(wrong.is_none(), is_well, "{role:?} {leader:?} {epoch} {end}: {wrong:?}");
        }
    }
}
