//! The only door out, beside events: the world at one instant as an immutable value made of shared parts.

use crate::trace::TraceHash;
use kafka::fault::{DiskCondition, LinkCondition};
use kafka::instant::Instant;
use kafka::node::{ConnectionId, Message, NodeId};
use kafka::storage::StoredLog;
use kafka::view::NodeView;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{Endpoint, TopicPartition};

/// The world at one instant.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The instant.
    pub now: Instant,
    /// How many steps (deliveries and commands) have been taken.
    pub step: u64,
    /// The digest of those steps.
    pub hash: TraceHash,
    /// Every server, and every client program that runs, servers first, each in order of its id.
    pub nodes: Vec<NodeFrame>,
    /// Messages on their way: first those that will arrive, in that order, then those that are unread, then those held
    /// back.
    pub messages: Vec<MessageInFlight>,
    /// The links that are not as they were in the beginning.
    pub links: Vec<LinkFrame>,
    /// Which history this is.
    pub branch: BranchId,
    /// The instant up to which this history is known: it is ahead of `now` after a step back or a seek.
    pub known_until: Instant,
}

/// One node.
#[derive(Clone, Debug)]
pub struct NodeFrame {
    /// Which.
    pub id: NodeId,
    /// Where it listens, if it is a server.
    pub endpoint: Option<Endpoint>,
    /// Where a combined server listens as a controller.
    pub controller_endpoint: Option<Endpoint>,
    /// Its process, or `None` while it is down.
    pub process: Option<NodeView>,
    /// Its logs as they lie on disk while it is down; empty while it runs.
    pub disk: Arc<BTreeMap<TopicPartition, StoredLog>>,
    /// What is wrong with it.
    pub faults: NodeFaults,
}

/// What is wrong with a node and its host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeFaults {
    /// Its process got SIGSTOP.
    pub is_frozen: bool,
    /// Its host has no power.
    pub is_powered_off: bool,
    /// How its disk takes writes.
    pub disk: DiskCondition,
    /// How far its clock is ahead of the world's time, in milliseconds.
    pub clock_offset_ms: i64,
}

/// A link that is not as it was in the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkFrame {
    /// Where messages come from.
    pub from: NodeId,
    /// Where they go.
    pub to: NodeId,
    /// How it is.
    pub condition: LinkCondition,
}

/// A message on its way.
#[derive(Clone, Debug)]
pub struct MessageInFlight {
    /// A number that no other message of the run has.
    pub id: u64,
    /// The sender.
    pub from: NodeId,
    /// The receiver.
    pub to: NodeId,
    /// The connection.
    pub connection: ConnectionId,
    /// When it was sent.
    pub sent_at: Instant,
    /// When it will arrive, or what keeps it.
    pub delivery: Delivery,
    /// What it is.
    pub content: FlightContent,
}

/// What becomes of a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// It arrives then.
    At(Instant),
    /// It has arrived at a host whose process is frozen and reads nothing.
    Unread,
    /// The link is cut, or the host to which it goes is without power: the sender's host transmits it again and again.
    HeldBack,
}

/// What travels.
#[derive(Clone, Debug)]
pub enum FlightContent {
    /// A connection is being opened: on its way there, or back.
    Connecting,
    /// A request or response, shared with the queue.
    Message(Arc<Message>),
    /// A connection is closed or refused.
    Closing,
}

/// Which of the run's histories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchId(pub u32);

/// How a history came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Which.
    pub id: BranchId,
    /// The history it forked from, and where; `None` for the first.
    pub forked_from: Option<(BranchId, Instant)>,
    /// How many steps it shares with the history it forked from; 0 for the first.
    pub shared_steps: u64,
    /// How far it is known.
    pub known_until: Instant,
}
