//! What consumers handed over: nothing left out and nothing twice, as long as nothing that they had read was lost, and in
//! the end all that was acknowledged with `acks=all`.

use crate::health::{cluster_image, is_orphaned, knows_only_gone};
use crate::producers::is_answer;
use kafka::event::{BrokerEvent, ClientEvent, ControllerEvent, EventKind, OperatorEvent, TruncationReason};
use kafka::instant::Instant;
use kafka::node::NodeId;
use kafka::spec::ServerRole;
use kafka::view::{NodeView, ReplicaRole};
use sim::{Event, EventId, Frame, Session};
use std::collections::{BTreeMap, BTreeSet};
use wire::request::Acks;
use wire::{Offset, TopicName, TopicPartition};

/// What has happened so far, as far as it matters for consumers and for what a cluster need not put right.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// This event and those behind it are not taken in yet.
    next_event: Option<EventId>,
    /// Some host has lost its power.
    pub(crate) has_lost_power: bool,
    /// Brokers that have lost a session with ZooKeeper since they started.
    pub(crate) lost_sessions: Vec<NodeId>,
    /// Partitions of which retention, compaction or a command took records.
    pub(crate) thinned: BTreeSet<TopicPartition>,
    /// Topics that were deleted, or of which leaders were elected uncleanly: records may be lost that somebody had read, or
    /// had been told to be stored.
    lossy: BTreeSet<TopicName>,
    /// Topics that were deleted, at least once.
    pub(crate) deleted: BTreeSet<TopicName>,
    /// Topics that partitions were added to.
    grown: BTreeSet<TopicName>,
    /// Up to where records are acknowledged by all in-sync replicas.
    acknowledged: BTreeMap<TopicPartition, Offset>,
    /// When a broker last took or refused what a producer had sent.
    pub(crate) answered: BTreeMap<NodeId, Instant>,
}

impl Past {
    /// What has happened in a session.
    #[must_use]
    pub fn of(session: &Session) -> Past {
        let mut past = Past::default();
        past.catch_up(session);
        past
    }

    /// Takes in what has happened in the session since the last time.
    pub fn catch_up(&mut self, session: &Session) {
        let news = session.events(self.next_event.unwrap_or(EventId(0)));
        news.for_each(|event| self.take_in(event));
        self.next_event = Some(session.next_event());
    }

    fn take_in(&mut self, Event { node, at, kind, .. }: Event) {
        if is_answer(&kind) {
            self.answered.insert(node, at);
        }
        match kind {
            EventKind::Operator(OperatorEvent::ProcessStarted) => self.lost_sessions.retain(|other| *other != node),
            EventKind::Broker(BrokerEvent::SessionExpired) => self.lost_sessions.push(node),
            EventKind::Operator(OperatorEvent::PowerLost) => self.has_lost_power = true,
            EventKind::Broker(
                BrokerEvent::SegmentsDeleted { partition, .. }
                | BrokerEvent::RecordsDeleted { partition, .. }
                | BrokerEvent::LogCompacted { partition, .. },
            ) => drop(self.thinned.insert(partition)),
            EventKind::Controller(ControllerEvent::PartitionsAdded { topic, .. }) => drop(self.grown.insert(topic)),
            EventKind::Controller(ControllerEvent::TopicDeleted { topic }) => {
                self.deleted.insert(topic.clone());
                self.lossy.insert(topic);
            }
            EventKind::Controller(ControllerEvent::LeaderElected { partition, is_unclean: true, .. }) => {
                self.lossy.insert(partition.topic);
            }
            EventKind::Controller(ControllerEvent::IsrChanged { partition, from, to, .. })
                if !to.is_empty() && !to.iter().any(|member| from.contains(member)) =>
            {
                self.lossy.insert(partition.topic);
            }
            EventKind::Client(ClientEvent::BatchAcknowledged { partition, last_offset, acks: Acks::All, .. }) => {
                let end = self.acknowledged.entry(partition).or_insert(Offset::ZERO);
                *end = (*end).max(last_offset.next());
            }
            EventKind::Controller(_)
            | EventKind::Broker(_)
            | EventKind::ZooKeeper(_)
            | EventKind::Client(_)
            | EventKind::Operator(_) => {}
        }
    }

    fn may_have_lost(&self, topic: &TopicName) -> bool {
        self.has_lost_power || self.lossy.contains(topic)
    }
}

/// A consumer that left out or repeated something. Where records may have been lost, it may have to begin anew, but says so.
/// So it does with partitions that a broker which answers for metadata does not know: it has just started in a ZooKeeper
/// cluster, and knows of no topics yet, or is cut off from the controller since before the partitions were added. Only
/// committed offsets would keep the place, and `kafka-console-consumer` commits none by default.
///
/// It may begin anew, too, where all that it had read was deleted. A killed follower forgets that it had deleted up to
/// its log's end, and has its records back, but no epoch of them (`LogLoader.load`,
/// `LeaderEpochFileCache.truncateFromEnd`). It cuts them off above its high watermark
/// (`AbstractFetcherThread.truncateToHighWatermark`), and if it is elected while it is still in sync, the partition
/// goes on from there.
///
/// In a ZooKeeper cluster where power was lost nothing is looked at: a leader that lost records may go on in the same epoch,
/// and its followers cut their logs within batches, which go as a whole and leave holes (`LogSegment.truncateTo`).
#[must_use]
pub fn what_was_read_out_of_order(session: &Session) -> Option<String> {
    let past = Past::of(session);
    let has_zookeeper = session.spec().servers.iter().any(|server| server.role == ServerRole::ZooKeeper);
    if has_zookeeper && past.has_lost_power {
        return None;
    }
    let may_begin_anew = |topic: &TopicName| has_zookeeper || past.may_have_lost(topic) || past.grown.contains(topic);
    let mut next: BTreeMap<(NodeId, TopicPartition), Offset> = BTreeMap::new();
    let mut deletions = Deletions::default();
    for event in session.events(EventId(0)) {
        deletions.take_in(&event.kind);
        if let EventKind::Client(ClientEvent::PositionReset { partition, offset }) = &event.kind {
            let position = next.entry((event.node, partition.clone())).or_insert(Offset::ZERO);
            if may_begin_anew(&partition.topic) || deletions.may_be_forgotten(partition, *position) {
                *position = *offset;
            }
        }
        let EventKind::Client(ClientEvent::RecordConsumed { partition, offset, .. }) = &event.kind else { continue };
        let expected = next.entry((event.node, partition.clone())).or_insert(Offset::ZERO);
        let is_next = *expected == *offset || *expected < *offset && past.thinned.contains(partition);
        if !is_next {
            return Some(format!("{} read {partition} at {offset} instead of {expected}, at {}", event.node, event.at));
        }
        *expected = offset.next();
    }
    None
}

/// What was deleted, and who may have forgotten it.
#[derive(Default)]
struct Deletions {
    /// Up to where records of a partition were deleted on some broker.
    ends: BTreeMap<TopicPartition, Offset>,
    /// Partitions of which a follower that knew no epoch cut its log.
    cut: BTreeSet<TopicPartition>,
}

impl Deletions {
    fn take_in(&mut self, event: &EventKind) {
        match event {
            EventKind::Broker(
                BrokerEvent::SegmentsDeleted { partition, log_start_offset: to, .. }
                | BrokerEvent::RecordsDeleted { partition, to, .. },
            ) => {
                let end = self.ends.entry(partition.clone()).or_insert(Offset::ZERO);
                *end = (*end).max(*to);
            }
            EventKind::Broker(BrokerEvent::LogTruncated {
                partition, reason: TruncationReason::HighWatermark, ..
            }) => drop(self.cut.insert(partition.clone())),
            EventKind::Broker(_)
            | EventKind::Controller(_)
            | EventKind::ZooKeeper(_)
            | EventKind::Client(_)
            | EventKind::Operator(_) => {}
        }
    }

    /// Whether a partition may go on below a position, as all that lay there was deleted.
    fn may_be_forgotten(&self, partition: &TopicPartition, position: Offset) -> bool {
        self.cut.contains(partition) && self.ends.get(partition).is_some_and(|end| position <= *end)
    }
}

/// A consumer that has not read yet all that was acknowledged. Where records may have been lost, what leaders hold for
/// committed is all; a partition that is left to its operator cannot be read (see `health`); a consumer that last heard of no
/// brokers but such as were taken away asks those for ever (`metadata.recovery.strategy=none`); and in a ZooKeeper cluster
/// where power was lost, a consumer may be sent to a follower that has given up.
#[must_use]
pub fn what_is_unread(frame: &Frame, past: &Past) -> Option<String> {
    if past.has_lost_power && frame.nodes.iter().any(|node| node.id == NodeId::ZooKeeper) {
        return None;
    }
    let image = cluster_image(frame);
    let state_of = |place: &TopicPartition| image.as_ref().and_then(|image| image.partition(place));
    let can_be_read =
        |place: &TopicPartition| state_of(place).is_none_or(|state| state.leader.is_some() || !is_orphaned(state));
    for node in &frame.nodes {
        let Some(NodeView::Consumer(view)) = &node.process else { continue };
        if knows_only_gone(frame, &view.known_brokers) {
            continue;
        }
        for place in view.positions.iter().filter(|place| can_be_read(&place.partition)) {
            let mut end = past.acknowledged.get(&place.partition).copied().unwrap_or(Offset::ZERO);
            if past.may_have_lost(&place.partition.topic) {
                end = end.min(high_watermark(frame, &place.partition));
            }
            if place.position.is_none_or(|position| position < end) {
                return Some(format!("{} stands at {:?} in {}, below {end}", node.id, place.position, place.partition));
            }
        }
    }
    None
}

/// The highest among those who believe to lead.
fn high_watermark(frame: &Frame, partition: &TopicPartition) -> Offset {
    let brokers = frame.nodes.iter().filter_map(|node| node.process.as_ref()?.broker());
    let replicas = brokers.flat_map(|broker| &broker.replicas).filter(|replica| replica.partition == *partition);
    let leaders = replicas.filter(|replica| matches!(replica.role, ReplicaRole::Leader { .. }));
    leaders.map(|replica| replica.high_watermark).max().unwrap_or(Offset::ZERO)
}
