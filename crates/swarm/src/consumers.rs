//! What consumers handed over: nothing left out and nothing twice, as long as nothing that they had read was lost, and in
//! the end all that was acknowledged with `acks=all`.

use kafka::event::{BrokerEvent, ClientEvent, ControllerEvent, EventKind, OperatorEvent};
use kafka::node::NodeId;
use kafka::spec::ServerRole;
use kafka::view::NodeView;
use sim::{EventId, Frame, Session};
use std::collections::{BTreeMap, BTreeSet};
use wire::request::Acks;
use wire::{Offset, TopicName, TopicPartition};

/// A consumer that left out or repeated something. Topics that were deleted, or of which leaders were elected
/// uncleanly, are not looked at, nor is anything when power was lost: there a consumer may have to begin anew. So it does
/// when a broker of a ZooKeeper cluster that has just started, and knows of no topics yet, answers for metadata.
#[must_use]
pub fn what_was_read_out_of_order(session: &Session) -> Option<String> {
    if has_lost_power(session) {
        return None;
    }
    let excused = excused(session);
    let thinned = thinned(session);
    let has_zookeeper = session.spec().servers.iter().any(|server| server.role == ServerRole::ZooKeeper);
    let mut next: BTreeMap<(NodeId, TopicPartition), Offset> = BTreeMap::new();
    for event in session.events(EventId(0)) {
        if let EventKind::Client(ClientEvent::PositionReset { partition, offset }) = &event.kind
            && has_zookeeper
        {
            next.insert((event.node, partition.clone()), *offset);
        }
        let EventKind::Client(ClientEvent::RecordConsumed { partition, offset, .. }) = &event.kind else { continue };
        let expected = next.entry((event.node, partition.clone())).or_insert(Offset::ZERO);
        let is_next = *expected == *offset || *expected < *offset && thinned.contains(partition);
        if !is_next && !excused.contains(&partition.topic) {
            return Some(format!("{} read {partition} at {offset} instead of {expected}, at {}", event.node, event.at));
        }
        *expected = offset.next();
    }
    None
}

/// Up to where records are acknowledged by all in-sync replicas, by partition; nothing where consumers are excused.
#[must_use]
pub fn acknowledged(session: &Session) -> BTreeMap<TopicPartition, Offset> {
    let mut ends: BTreeMap<TopicPartition, Offset> = BTreeMap::new();
    if has_lost_power(session) {
        return ends;
    }
    let excused = excused(session);
    for event in session.events(EventId(0)) {
        let EventKind::Client(ClientEvent::BatchAcknowledged { partition, last_offset, acks: Acks::All, .. }) =
            &event.kind
        else {
            continue;
        };
        if !excused.contains(&partition.topic) {
            let end = ends.entry(partition.clone()).or_insert(Offset::ZERO);
            *end = (*end).max(last_offset.next());
        }
    }
    ends
}

/// A consumer that has not read all of this yet.
#[must_use]
pub fn what_is_unread(frame: &Frame, acknowledged: &BTreeMap<TopicPartition, Offset>) -> Option<String> {
    for node in &frame.nodes {
        let Some(NodeView::Consumer(view)) = &node.process else { continue };
        for place in &view.positions {
            let end = acknowledged.get(&place.partition).copied().unwrap_or(Offset::ZERO);
            if place.position.is_none_or(|position| position < end) {
                return Some(format!("{} stands at {:?} in {}, below {end}", node.id, place.position, place.partition));
            }
        }
    }
    None
}

/// Whether some host has lost its power.
pub(crate) fn has_lost_power(session: &Session) -> bool {
    session.events(EventId(0)).any(|event| event.kind == EventKind::Operator(OperatorEvent::PowerLost))
}

/// Partitions of which retention, compaction or a command took records.
pub(crate) fn thinned(session: &Session) -> BTreeSet<TopicPartition> {
    let partitions = session.events(EventId(0)).filter_map(|event| match &event.kind {
        EventKind::Broker(
            BrokerEvent::SegmentsDeleted { partition, .. }
            | BrokerEvent::RecordsDeleted { partition, .. }
            | BrokerEvent::LogCompacted { partition, .. },
        ) => Some(partition.clone()),
        EventKind::Broker(_)
        | EventKind::Controller(_)
        | EventKind::ZooKeeper(_)
        | EventKind::Client(_)
        | EventKind::Operator(_) => None,
    });
    partitions.collect()
}

fn excused(session: &Session) -> BTreeSet<TopicName> {
    let mut topics = BTreeSet::new();
    for event in session.events(EventId(0)) {
        match &event.kind {
            EventKind::Controller(ControllerEvent::TopicDeleted { topic }) => {
                topics.insert(topic.clone());
            }
            EventKind::Controller(ControllerEvent::LeaderElected { partition, is_unclean: true, .. }) => {
                topics.insert(partition.topic.clone());
            }
            EventKind::Controller(ControllerEvent::IsrChanged { partition, from, to, .. })
                if !to.is_empty() && !to.iter().any(|member| from.contains(member)) =>
            {
                topics.insert(partition.topic.clone());
            }
            EventKind::Controller(_)
            | EventKind::Broker(_)
            | EventKind::ZooKeeper(_)
            | EventKind::Client(_)
            | EventKind::Operator(_) => {}
        }
    }
    topics
}
