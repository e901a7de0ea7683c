//! A connection that a broker keeps towards another server (`org.apache.kafka.clients.NetworkClient`): one request in
//! flight, a back-off before it connects again, an end to waiting for an answer. It does not know what it carries.

use super::Step;
use super::backoff::ExponentialBackoff;
use super::timers;
use crate::Rng;
use crate::instant::{Duration, Instant};
use crate::node::{ConnectionId, Identity};
use crate::zk_client::ConnectionOwner;
use std::collections::BTreeMap;
use wire::{BrokerId, Endpoint, Request};

/// `socket.connection.setup.timeout.ms`.
const CONNECTION_SETUP_TIMEOUT_MS: i64 = 10_000;

/// What a channel is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ChannelId {
    /// Registration and heartbeats.
    Heartbeat,
    /// Changes of in-sync replicas.
    AlterPartition,
    /// Clients' requests that only the controller can answer.
    Forwarding,
    /// The request of a ZooKeeper-mode broker that wants to go.
    ControlledShutdown,
    /// The replica fetcher of one source broker.
    ReplicaFetcher(BrokerId),
}

const FIRST_FETCHER_KEY: u64 = 16;

impl ChannelId {
    /// The key of its timers.
    pub(super) fn timer_key(self) -> u64 {
        match self {
            ChannelId::Heartbeat => 0,
            ChannelId::AlterPartition => 1,
            ChannelId::Forwarding => 2,
            ChannelId::ControlledShutdown => 3,
            ChannelId::ReplicaFetcher(source) => FIRST_FETCHER_KEY + u64::from(source.0.unsigned_abs()),
        }
    }

    /// The channel with that key.
    pub(super) fn from_timer_key(key: u64) -> ChannelId {
        match key {
            0 => ChannelId::Heartbeat,
            1 => ChannelId::AlterPartition,
            2 => ChannelId::Forwarding,
            3 => ChannelId::ControlledShutdown,
            fetcher => ChannelId::ReplicaFetcher(BrokerId((fetcher - FIRST_FETCHER_KEY) as i32)),
        }
    }
}

/// Whose connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A channel's.
    Channel(ChannelId),
    /// A part's that looks after its connections itself.
    Part(ConnectionOwner),
}

/// All connections that this broker opened, and whose they are.
#[derive(Clone, Debug)]
pub(super) struct Outbound {
    identity: Identity,
    opened: u32,
    owners: BTreeMap<ConnectionId, Owner>,
    /// Where jitter is drawn from.
    pub(super) rng: Rng,
}

impl Outbound {
    /// No connections yet.
    pub(super) fn new(identity: Identity, rng: Rng) -> Outbound {
        Outbound { identity, opened: 0, owners: BTreeMap::new(), rng }
    }

    /// The process that they belong to.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// All of them.
    pub(super) fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.owners.keys().copied()
    }

    /// Whose connection that is; `None` for one that is closed or was opened by the other side.
    pub(super) fn owner(&self, connection: ConnectionId) -> Option<Owner> {
        self.owners.get(&connection).copied()
    }

    /// Names a new connection and remembers whose it is.
    pub(super) fn open(&mut self, owner: Owner) -> ConnectionId {
        let Identity { node, incarnation, .. } = self.identity;
        let connection = ConnectionId { opener: node, incarnation, number: self.opened };
        self.opened += 1;
        self.owners.insert(connection, owner);
        connection
    }

    /// Nothing more is to be heard of that connection.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.owners.remove(&connection);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Down,
    BackingOff,
    Connecting(ConnectionId),
    Ready(ConnectionId),
    Busy { connection: ConnectionId, correlation_id: i32 },
}

/// What a channel can do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// Nothing before it is connected.
    Disconnected,
    /// Send a request.
    Ready,
    /// Wait: for a connection, for an answer, or for the end of a back-off.
    Busy,
}

/// A connection that comes back.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    id: ChannelId,
    backoff: ExponentialBackoff,
    request_timeout: Duration,
    link: Link,
    failures: u32,
    correlation_id: i32,
    deadline: Instant,
    is_timeout_timer_set: bool,
}

impl Channel {
    /// A channel that is not connected.
    pub(super) fn new(id: ChannelId, backoff: ExponentialBackoff, request_timeout: Duration) -> Channel {
        Channel {
            id,
            backoff,
            request_timeout,
            link: Link::Down,
            failures: 0,
            correlation_id: 0,
            deadline: Instant::ZERO,
            is_timeout_timer_set: false,
        }
    }

    /// What it can do now.
    pub(super) fn readiness(&self) -> Readiness {
        match self.link {
            Link::Down => Readiness::Disconnected,
            Link::Ready(_) => Readiness::Ready,
            Link::BackingOff | Link::Connecting(_) | Link::Busy { .. } => Readiness::Busy,
        }
    }

    /// Begins to connect.
    pub(super) fn connect(&mut self, endpoint: Endpoint, outbound: &mut Outbound, step: &mut Step<'_>) {
        assert_eq!(self.link, Link::Down, "a channel has one connection");
        let connection = outbound.open(Owner::Channel(self.id));
        self.link = Link::Connecting(connection);
        step.effects.connect(connection, endpoint);
        self.wait_at_most(self.request_timeout.min(Duration::from_ms(CONNECTION_SETUP_TIMEOUT_MS)), step);
    }

    /// Sends a request on a channel that is ready.
    pub(super) fn send(&mut self, request: Request, step: &mut Step<'_>) {
        let Link::Ready(connection) = self.link else { unreachable!("a request is sent on a ready channel only") };
        let correlation_id = self.correlation_id;
        self.correlation_id = correlation_id.wrapping_add(1);
        self.link = Link::Busy { connection, correlation_id };
        step.effects.request(connection, correlation_id, request);
        self.wait_at_most(self.request_timeout, step);
    }

    /// The connection is established.
    pub(super) fn on_connected(&mut self, connection: ConnectionId) {
        if self.link == Link::Connecting(connection) {
            self.link = Link::Ready(connection);
            self.failures = 0;
        }
    }

    /// An answer arrived. Returns whether it is the one waited for.
    pub(super) fn on_response(&mut self, connection: ConnectionId, correlation_id: i32) -> bool {
        let is_awaited = self.link == Link::Busy { connection, correlation_id };
        if is_awaited {
            self.link = Link::Ready(connection);
        }
        is_awaited
    }

    /// The connection is gone, or was never made.
    pub(super) fn on_disconnected(&mut self, outbound: &mut Outbound, step: &mut Step<'_>) {
        let wait = self.backoff.after(self.failures, &mut outbound.rng);
        self.failures = self.failures.saturating_add(1);
        self.forget(outbound);
        if wait > Duration::default() {
            self.back_off(wait, step);
        }
    }

    /// Does not connect before that time is over. The channel must not be connected.
    pub(super) fn back_off(&mut self, wait: Duration, step: &mut Step<'_>) {
        self.link = Link::BackingOff;
        step.effects.set_timer(timers::of_channel(timers::RECONNECT, self.id), step.now + wait);
    }

    /// The back-off is over.
    pub(super) fn on_backoff_over(&mut self) {
        if self.link == Link::BackingOff {
            self.link = Link::Down;
        }
    }

    /// The timeout timer fired. Returns whether the channel waited too long; it is then disconnected.
    pub(super) fn on_timeout_timer(&mut self, outbound: &mut Outbound, step: &mut Step<'_>) -> bool {
        self.is_timeout_timer_set = false;
        match self.link {
            Link::Down | Link::BackingOff | Link::Ready(_) => false,
            Link::Connecting(_) | Link::Busy { .. } if step.now < self.deadline => {
                self.set_timeout_timer(step);
                false
            }
            Link::Connecting(_) | Link::Busy { .. } => {
                self.disconnect(outbound, step);
                true
            }
        }
    }

    /// Closes the connection, if there is one, and backs off.
    pub(super) fn disconnect(&mut self, outbound: &mut Outbound, step: &mut Step<'_>) {
        if let Some(connection) = self.connection() {
            step.effects.close(connection);
            self.on_disconnected(outbound, step);
        }
    }

    /// Closes the connection for good and cancels the timers.
    pub(super) fn close(&mut self, outbound: &mut Outbound, step: &mut Step<'_>) {
        if let Some(connection) = self.connection() {
            step.effects.close(connection);
        }
        if self.link == Link::BackingOff {
            step.effects.cancel_timer(timers::of_channel(timers::RECONNECT, self.id));
        }
        if std::mem::take(&mut self.is_timeout_timer_set) {
            step.effects.cancel_timer(timers::of_channel(timers::CHANNEL_TIMEOUT, self.id));
        }
        self.forget(outbound);
    }

    fn forget(&mut self, outbound: &mut Outbound) {
        if let Some(connection) = self.connection() {
            outbound.forget(connection);
        }
        self.link = Link::Down;
    }

    fn connection(&self) -> Option<ConnectionId> {
        match self.link {
            Link::Down | Link::BackingOff => None,
            Link::Connecting(connection) | Link::Ready(connection) | Link::Busy { connection, .. } => Some(connection),
        }
    }

    /// Deadlines move with every request; the timer stays where it is until it fires, which costs one event per
    /// timeout instead of two effects per request.
    fn wait_at_most(&mut self, span: Duration, step: &mut Step<'_>) {
        self.deadline = step.now + span;
        if !self.is_timeout_timer_set {
            self.set_timeout_timer(step);
        }
    }

    fn set_timeout_timer(&mut self, step: &mut Step<'_>) {
        self.is_timeout_timer_set = true;
        step.effects.set_timer(timers::of_channel(timers::CHANNEL_TIMEOUT, self.id), self.deadline);
    }
}
