//! What a part of a broker process needs of the process around it: connections, timers, random numbers, a place for events.

use crate::Rng;
use crate::event::EventKind;
use crate::instant::{Instant, WallClock};
use crate::node::ConnectionId;
use wire::{BrokerId, Endpoint, Request};

/// Whose connection it is, so that the process can pass on what happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConnectionOwner {
    /// The session with ZooKeeper.
    ZooKeeper,
    /// The controller's channel to a broker.
    ControllerChannel(BrokerId),
}

/// A timer of such a part; the process gives it back when it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostTimer {
    /// The session with ZooKeeper: a ping, a timeout or another try to connect is due.
    ZooKeeperSession,
    /// The controller's channel to a broker may try again.
    ControllerChannel(BrokerId),
    /// The controller looks for leaders that are not the preferred ones.
    AutoLeaderRebalance,
}

/// The process around a part of it.
pub trait Host {
    /// Now.
    fn now(&self) -> Instant;
    /// What the host's clock says.
    fn clock(&self) -> WallClock;
    /// Where random numbers are drawn from.
    fn rng(&mut self) -> &mut Rng;
    /// Opens a connection and remembers whose it is.
    fn open(&mut self, owner: ConnectionOwner, endpoint: &Endpoint) -> ConnectionId;
    /// Closes a connection; nothing more is heard of it.
    fn close(&mut self, connection: ConnectionId);
    /// Sends a request on a connection that is established.
    fn send(&mut self, connection: ConnectionId, correlation_id: i32, request: Request);
    /// Sets or moves a timer.
    fn set_timer(&mut self, timer: HostTimer, at: Instant);
    /// Cancels a timer.
    fn cancel_timer(&mut self, timer: HostTimer);
    /// Notes an event.
    fn note(&mut self, event: EventKind);
}
