//! What a consumer handed over: nothing left out and nothing twice, as long as nothing that it had read was lost.

use kafka::event::{ClientEvent, ControllerEvent, EventKind, OperatorEvent};
use kafka::node::NodeId;
use sim::{EventId, Session};
use std::collections::{BTreeMap, BTreeSet};
use wire::{Offset, TopicName, TopicPartition};

/// A consumer that left out or repeated something. Topics that were deleted, or of which leaders were elected
/// uncleanly, are not looked at, nor is anything when power was lost: there a consumer may have to begin anew.
#[must_use]
pub fn what_was_read_out_of_order(session: &Session) -> Option<String> {
    if session.events(EventId(0)).any(|event| event.kind == EventKind::Operator(OperatorEvent::PowerLost)) {
        return None;
    }
    let excused = excused(session);
    let mut next: BTreeMap<(NodeId, TopicPartition), Offset> = BTreeMap::new();
    for event in session.events(EventId(0)) {
        let EventKind::Client(ClientEvent::RecordConsumed { partition, offset, .. }) = &event.kind else { continue };
        let expected = next.entry((event.node, partition.clone())).or_insert(Offset::ZERO);
        if *expected != *offset && !excused.contains(&partition.topic) {
            return Some(format!("{} read {partition} at {offset} instead of {expected}, at {}", event.node, event.at));
        }
        *expected = offset.next();
    }
    None
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
            EventKind::Controller(_)
            | EventKind::Broker(_)
            | EventKind::ZooKeeper(_)
            | EventKind::Client(_)
            | EventKind::Operator(_) => {}
        }
    }
    topics
}
