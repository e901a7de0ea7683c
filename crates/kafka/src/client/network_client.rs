//! Connections and requests of a client program: `org.apache.kafka.clients.NetworkClient` with its
//! `ClusterConnectionStates` and `InFlightRequests`.
//!
//! A connection to a node is opened when someone needs it; `ApiVersions` goes out first on it. What came of each
//! request is handed back as a [`NetworkEvent`]. Which node to ask and when is decided elsewhere (`cluster_client`,
//! `admin`). Idle connections stay open, and throttling (KIP-219) is not modelled.

use super::alarm::earlier;
use super::backoff::ExponentialBackoff;
use crate::Rng;
use crate::event::{ClientEvent, ClientLog, EventKind};
use crate::instant::{Duration, Instant};
use crate::node::{ConnectionId, Effects, Identity, Input, Message, NodeId};
use rand::RngExt;
use std::collections::{BTreeMap, VecDeque};
use wire::response::ListenerKind;
use wire::{Endpoint, Request, Response};

/// `reconnect.backoff.ms` and `reconnect.backoff.max.ms`.
const RECONNECT: ExponentialBackoff = ExponentialBackoff { initial_ms: 50, max_ms: 1_000 };

/// `socket.connection.setup.timeout.ms` and its maximum.
const CONNECTION_SETUP: ExponentialBackoff = ExponentialBackoff { initial_ms: 10_000, max_ms: 30_000 };

/// What became of a request.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// The node answered.
    Answered(Response),
    /// The connection went away before the answer.
    Disconnected,
    /// The answer took too long, and the connection was closed for it.
    TimedOut,
}

/// Something that the owner of the connections has to know.
#[derive(Clone, Debug)]
pub(super) enum NetworkEvent {
    /// A request came to its end.
    Completed {
        /// The node that was asked.
        node: i32,
        /// The request's number.
        correlation_id: i32,
        /// What became of it.
        outcome: Outcome,
    },
    /// A connection is gone or could not be established. Comes behind the ends of its requests.
    ServerDisconnected {
        /// The node.
        node: i32,
    },
}

/// How far a connection is (`ConnectionState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnectionState {
    Disconnected,
    Connecting { connection: ConnectionId, give_up_at: Instant },
    CheckingApiVersions { connection: ConnectionId },
    Ready { connection: ConnectionId, listener: ListenerKind },
}

/// A request without answer yet.
#[derive(Clone, Copy, Debug)]
struct InFlightRequest {
    correlation_id: i32,
    expires_at: Instant,
    is_api_versions: bool,
}

/// A node as the connections see it.
#[derive(Clone, Debug)]
struct NodeConnection {
    endpoint: Endpoint,
    state: ConnectionState,
    last_attempt_at: Instant,
    may_connect_at: Instant,
    failed_attempts: u32,
    failed_connects: u32,
    in_flight: VecDeque<InFlightRequest>,
}

/// The connections of one client.
#[derive(Clone, Debug)]
pub(super) struct NetworkClient {
    opener: NodeId,
    incarnation: u32,
    max_in_flight: i32,
    request_timeout: Duration,
    connections_opened: u32,
    next_correlation_id: i32,
    nodes: BTreeMap<i32, NodeConnection>,
    rng: Rng,
}

impl NodeConnection {
    fn backs_off_until(&self, now: Instant) -> Option<Instant> {
        let is_backing_off = self.state == ConnectionState::Disconnected && self.may_connect_at > now;
        is_backing_off.then_some(self.may_connect_at)
    }

    fn new(endpoint: Endpoint) -> NodeConnection {
        NodeConnection {
            endpoint,
            state: ConnectionState::Disconnected,
            last_attempt_at: Instant::ZERO,
            may_connect_at: Instant::ZERO,
            failed_attempts: 0,
            failed_connects: 0,
            in_flight: VecDeque::new(),
        }
    }

    fn connection(&self) -> Option<ConnectionId> {
        match self.state {
            ConnectionState::Disconnected => None,
            ConnectionState::Connecting { connection, .. }
            | ConnectionState::CheckingApiVersions { connection }
            | ConnectionState::Ready { connection, .. } => Some(connection),
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let setup = match self.state {
            ConnectionState::Connecting { give_up_at, .. } => Some(give_up_at),
            ConnectionState::Disconnected
            | ConnectionState::CheckingApiVersions { .. }
            | ConnectionState::Ready { .. } => None,
        };
        earlier(setup, self.in_flight.iter().map(|request| request.expires_at).min())
    }
}

impl NetworkClient {
    /// No connections yet.
    pub(super) fn new(identity: &Identity, max_in_flight: i32, request_timeout: Duration, rng: Rng) -> NetworkClient {
        NetworkClient {
            opener: identity.node,
            incarnation: identity.incarnation,
            max_in_flight,
            request_timeout,
            connections_opened: 0,
            next_correlation_id: 0,
            nodes: BTreeMap::new(),
            rng,
        }
    }

    /// Takes the next correlation id for a request that is not sent yet.
    pub(super) fn take_correlation_id(&mut self) -> i32 {
        let correlation_id = self.next_correlation_id;
        self.next_correlation_id = correlation_id.wrapping_add(1) & i32::MAX;
        correlation_id
    }

    /// Whether a request can be sent to the node now.
    pub(super) fn can_send(&self, node: i32) -> bool {
        let Some(node) = self.nodes.get(&node) else { return false };
        matches!(node.state, ConnectionState::Ready { .. })
            && (node.in_flight.len() as u64) < u64::from(self.max_in_flight.unsigned_abs())
    }

    /// What kind of server the node turned out to be; `None` while it is not connected.
    pub(super) fn listener(&self, node: i32) -> Option<ListenerKind> {
        match self.nodes.get(&node)?.state {
            ConnectionState::Ready { listener, .. } => Some(listener),
            ConnectionState::Disconnected
            | ConnectionState::Connecting { .. }
            | ConnectionState::CheckingApiVersions { .. } => None,
        }
    }

    /// Whether a connection to the node may be opened now: there is none, and its back-off is over.
    pub(super) fn can_connect(&self, node: i32, now: Instant) -> bool {
        self.nodes
            .get(&node)
            .is_none_or(|node| node.state == ConnectionState::Disconnected && now >= node.may_connect_at)
    }

    /// Whether the TCP connection to the node is being opened.
    pub(super) fn is_connecting(&self, node: i32) -> bool {
        self.nodes.get(&node).is_some_and(|node| matches!(node.state, ConnectionState::Connecting { .. }))
    }

    /// When the node's back-off ends, if one runs.
    pub(super) fn backs_off_until(&self, node: i32, now: Instant) -> Option<Instant> {
        self.nodes.get(&node)?.backs_off_until(now)
    }

    /// Whether the back-off of any node runs.
    pub(super) fn is_backing_off(&self, now: Instant) -> bool {
        self.nodes.values().any(|node| node.backs_off_until(now).is_some())
    }

    /// Opens a connection unless there is one or its back-off runs.
    pub(super) fn ensure_connected(&mut self, node: i32, endpoint: &Endpoint, now: Instant, effects: &mut Effects) {
        if !self.can_connect(node, now) {
            return;
        }
        let connection =
            ConnectionId { opener: self.opener, incarnation: self.incarnation, number: self.connections_opened };
        self.connections_opened += 1;
        let entry = self.nodes.entry(node).or_insert_with(|| NodeConnection::new(endpoint.clone()));
        let give_up_at = now + CONNECTION_SETUP.after(entry.failed_connects, &mut self.rng);
        entry.endpoint = endpoint.clone();
        entry.last_attempt_at = now;
        entry.state = ConnectionState::Connecting { connection, give_up_at };
        effects.connect(connection, endpoint.clone());
    }

    /// Sends a request that waits for its answer. The node must be ready for it (`can_send`).
    pub(super) fn send(&mut self, node: i32, request: Request, now: Instant, effects: &mut Effects) -> i32 {
        let correlation_id = self.take_correlation_id();
        let expires_at = now + self.request_timeout;
        let in_flight = InFlightRequest { correlation_id, expires_at, is_api_versions: false };
        self.transmit(node, request, in_flight, effects);
        correlation_id
    }

    /// Sends a request with its own timeout, for the admin client.
    pub(super) fn send_until(
        &mut self,
        node: i32,
        request: Request,
        expires_at: Instant,
        effects: &mut Effects,
    ) -> i32 {
        let correlation_id = self.take_correlation_id();
        self.transmit(node, request, InFlightRequest { correlation_id, expires_at, is_api_versions: false }, effects);
        correlation_id
    }

    /// Sends a request that is never answered (`acks=0`).
    pub(super) fn send_without_answer(&mut self, node: i32, request: Request, effects: &mut Effects) -> i32 {
        let correlation_id = self.take_correlation_id();
        let node = self.nodes.get(&node).expect("a request goes to a node that is ready");
        let connection = node.connection().expect("a ready node has a connection");
        effects.request(connection, correlation_id, request);
        correlation_id
    }

    fn transmit(&mut self, node: i32, request: Request, in_flight: InFlightRequest, effects: &mut Effects) {
        let node = self.nodes.get_mut(&node).expect("a request goes to a node that is ready");
        let connection = node.connection().expect("a ready node has a connection");
        node.in_flight.push_back(in_flight);
        effects.request(connection, in_flight.correlation_id, request);
    }

    /// Takes a network input in; returns what came of requests. Other inputs do nothing.
    pub(super) fn on_input(&mut self, now: Instant, input: Input, effects: &mut Effects) -> Vec<NetworkEvent> {
        match input {
            Input::Connected { connection } => {
                self.on_connected(connection, now, effects);
                Vec::new()
            }
            Input::Disconnected { connection } => self.on_disconnected(connection, now, effects),
            Input::Received { connection, message, .. } => self.on_message(connection, message),
            Input::Started { .. } | Input::TimerFired { .. } | Input::Told(_) | Input::ClockSet(_) => Vec::new(),
        }
    }

    /// A connection is established: asks for the API versions first.
    fn on_connected(&mut self, connection: ConnectionId, now: Instant, effects: &mut Effects) {
        let Some(id) = self.node_of(connection) else { return };
        let correlation_id = self.take_correlation_id();
        let expires_at = now + self.request_timeout;
        let node = self.nodes.get_mut(&id).expect("the node was found by its connection");
        node.state = ConnectionState::CheckingApiVersions { connection };
        let in_flight = InFlightRequest { correlation_id, expires_at, is_api_versions: true };
        self.transmit(id, Request::ApiVersions, in_flight, effects);
    }

    /// A connection is gone, or was refused.
    fn on_disconnected(&mut self, connection: ConnectionId, now: Instant, effects: &mut Effects) -> Vec<NetworkEvent> {
        let Some(id) = self.node_of(connection) else { return Vec::new() };
        if self.is_connecting(id) {
            let endpoint = self.nodes[&id].endpoint.clone();
            log(effects, ClientLog::ConnectionNotEstablished { node: id, endpoint });
        }
        self.process_disconnection(id, now, &Outcome::Disconnected)
    }

    /// An answer arrived.
    fn on_message(&mut self, connection: ConnectionId, message: Message) -> Vec<NetworkEvent> {
        let Message::Response { correlation_id, response } = message else { return Vec::new() };
        let Some(id) = self.node_of(connection) else { return Vec::new() };
        let node = self.nodes.get_mut(&id).expect("the node was found by its connection");
        let Some(place) = node.in_flight.iter().position(|request| request.correlation_id == correlation_id) else {
            return Vec::new();
        };
        let request = node.in_flight.remove(place).expect("its place was just found");
        if !request.is_api_versions {
            return vec![NetworkEvent::Completed { node: id, correlation_id, outcome: Outcome::Answered(response) }];
        }
        if let Response::ApiVersions(answer) = response {
            node.state = ConnectionState::Ready { connection, listener: answer.listener };
            node.failed_attempts = 0;
            node.failed_connects = 0;
        }
        Vec::new()
    }

    /// Closes connections that take too long to open or to answer.
    pub(super) fn expire(&mut self, now: Instant, effects: &mut Effects) -> Vec<NetworkEvent> {
        let overdue = |node: &NodeConnection| node.next_deadline().is_some_and(|deadline| now >= deadline);
        let late: Vec<i32> = self.nodes.iter().filter(|(_, node)| overdue(node)).map(|(id, _)| *id).collect();
        let mut events = Vec::new();
        for id in late {
            log(effects, ClientLog::DisconnectedByTimeout { node: id });
            self.close_connection(id, effects);
            events.extend(self.process_disconnection(id, now, &Outcome::TimedOut));
        }
        events
    }

    /// Closes the connection to a node of our own accord: its requests end as disconnected.
    pub(super) fn disconnect(&mut self, node: i32, now: Instant, effects: &mut Effects) -> Vec<NetworkEvent> {
        self.close_connection(node, effects);
        self.process_disconnection(node, now, &Outcome::Disconnected)
    }

    /// Closes every connection, at the end of the program.
    pub(super) fn close_all(&mut self, effects: &mut Effects) {
        let nodes: Vec<i32> = self.nodes.keys().copied().collect();
        nodes.into_iter().for_each(|node| self.close_connection(node, effects));
        self.nodes.clear();
    }

    /// When a connection or a request has to be given up.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.nodes.values().filter_map(NodeConnection::next_deadline).min()
    }

    /// When a connection has to be given up that is not ready yet.
    pub(super) fn next_setup_deadline(&self) -> Option<Instant> {
        let is_ready = |node: &&NodeConnection| matches!(node.state, ConnectionState::Ready { .. });
        self.nodes.values().filter(|node| !is_ready(node)).filter_map(NodeConnection::next_deadline).min()
    }

    /// The node that has least to do: a ready one without requests, else the ready one with fewest, else one being
    /// connected to, else one that may be connected to, preferring the one tried longest ago.
    pub(super) fn least_loaded(&mut self, candidates: &[i32], now: Instant) -> Option<i32> {
        if candidates.is_empty() {
            return None;
        }
        let offset = self.rng.random_range(0..candidates.len() as u32) as usize;
        let (before, after) = candidates.split_at(offset);
        let mut best: Option<((u8, u64), i32)> = None;
        for id in after.iter().chain(before) {
            let Some(rank) = self.load_rank(*id, now) else { continue };
            if best.is_none_or(|(lowest, _)| rank < lowest) {
                best = Some((rank, *id));
            }
        }
        best.map(|(_, id)| id)
    }

    fn load_rank(&self, id: i32, now: Instant) -> Option<(u8, u64)> {
        if self.can_send(id) {
            return Some((0, self.nodes[&id].in_flight.len() as u64));
        }
        let Some(node) = self.nodes.get(&id) else { return Some((2, 0)) };
        match node.state {
            ConnectionState::Connecting { .. } | ConnectionState::CheckingApiVersions { .. } => Some((1, 0)),
            ConnectionState::Disconnected if now >= node.may_connect_at => Some((2, node.last_attempt_at.0)),
            ConnectionState::Disconnected | ConnectionState::Ready { .. } => None,
        }
    }

    fn node_of(&self, connection: ConnectionId) -> Option<i32> {
        self.nodes.iter().find(|(_, node)| node.connection() == Some(connection)).map(|(id, _)| *id)
    }

    fn close_connection(&mut self, node: i32, effects: &mut Effects) {
        if let Some(connection) = self.nodes.get(&node).and_then(NodeConnection::connection) {
            effects.close(connection);
        }
    }

    fn process_disconnection(&mut self, id: i32, now: Instant, outcome: &Outcome) -> Vec<NetworkEvent> {
        let Some(node) = self.nodes.get_mut(&id) else { return Vec::new() };
        if matches!(node.state, ConnectionState::Connecting { .. }) {
            node.failed_connects += 1;
        }
        node.state = ConnectionState::Disconnected;
        node.last_attempt_at = now;
        node.may_connect_at = now + RECONNECT.after(node.failed_attempts, &mut self.rng);
        node.failed_attempts += 1;
        let cancelled = node.in_flight.drain(..).filter(|request| !request.is_api_versions);
        let mut events: Vec<NetworkEvent> = cancelled
            .map(|request| NetworkEvent::Completed {
                node: id,
                correlation_id: request.correlation_id,
                outcome: outcome.clone(),
            })
            .collect();
        events.push(NetworkEvent::ServerDisconnected { node: id });
        events
    }
}

/// Writes a line to the client's log.
pub(super) fn log(effects: &mut Effects, line: ClientLog) {
    effects.note(EventKind::Client(ClientEvent::Logged(line)));
}
