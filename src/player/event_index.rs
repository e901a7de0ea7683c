//! Which events the short list and the time bar hold, so that a long trace is looked through once and not ten times a second.

use crate::store::EventFilter;
use crate::view::events::{Mark, is_important, mark_of};
use kafka::event::{EventKind, OperatorEvent};
use kafka::instant::Instant;
use kafka::node::NodeId;
use sim::frame::BranchId;
use sim::{Event, EventId, Session};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// The numbers of the important events of one history, and how its clients are called, as far as it has been looked
/// through.
#[derive(Debug, Default)]
pub(super) struct EventIndex {
    branch: Option<BranchId>,
    scanned: u64,
    important: Vec<EventId>,
    marks: Vec<(Instant, Mark)>,
    client_ids: BTreeMap<NodeId, Rc<str>>,
}

impl EventIndex {
    /// Looks through what is new. Another history is looked through from its beginning.
    pub(super) fn catch_up(&mut self, session: &Session) {
        if self.branch != Some(session.branch()) {
            *self = EventIndex { branch: Some(session.branch()), ..EventIndex::default() };
        }
        for event in session.events(EventId(self.scanned)) {
            self.scanned = event.id.0 + 1;
            self.note(&event);
        }
    }

    fn note(&mut self, event: &Event) {
        if is_important(&event.kind) {
            self.important.push(event.id);
        }
        self.marks.extend(mark_of(event).map(|mark| (event.at, mark)));
        if let EventKind::Operator(OperatorEvent::ClientStarted { client_id }) = &event.kind {
            self.client_ids.insert(event.node, Rc::from(client_id.as_str()));
        }
    }

    /// The `client.id` of a program of this history, whether it still runs or not.
    pub(super) fn client_id(&self, node: NodeId) -> Option<Rc<str>> {
        self.client_ids.get(&node).cloned()
    }

    /// What was done to the cluster from outside, in order.
    pub(super) fn marks(&self) -> &[(Instant, Mark)] {
        &self.marks
    }

    /// How many events there are, and how many of them lie below `end`.
    pub(super) fn counts(&self, filter: EventFilter, end: EventId) -> (usize, usize) {
        match filter {
            EventFilter::All => (self.scanned as usize, self.scanned.min(end.0) as usize),
            EventFilter::Important => (self.important.len(), self.important.partition_point(|event| *event < end)),
        }
    }

    /// The numbers at those places of the filtered list.
    pub(super) fn ids(&self, filter: EventFilter, places: Range<usize>) -> Vec<EventId> {
        let places = |count: usize| places.start.min(count)..places.end.min(count);
        match filter {
            EventFilter::All => places(self.scanned as usize).map(|place| EventId(place as u64)).collect(),
            EventFilter::Important => self.important[places(self.important.len())].to_vec(),
        }
    }
}
