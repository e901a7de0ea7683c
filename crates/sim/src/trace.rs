//! What happened, in order, each event with the one that caused it; and a hash that tells two runs apart.

use kafka::event::EventKind;
use kafka::instant::Instant;
use kafka::node::NodeId;

/// Counts the events of a run from 0. A fork keeps the numbers of what it shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u64);

/// One event of the trace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Its number.
    pub id: EventId,
    /// The event that led to it: the last one noted before the message, timer or command was set off that made the
    /// node take the step in which this one was noted; within a step, the event noted before it.
    pub cause: Option<EventId>,
    /// When.
    pub at: Instant,
    /// The step (delivery or command) in which it was noted, from 1: `Session::seek_step` goes just behind it.
    pub step: u64,
    /// Where.
    pub node: NodeId,
    /// What.
    pub kind: EventKind,
}

/// A digest of every step and event so far: equal for two runs that did the same, natively and in the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceHash(pub u64);
