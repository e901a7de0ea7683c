//! The network as a machine: directed links with delay and jitter, and TCP-like connections on them.
//!
//! On one connection and in one direction nothing overtakes what was sent before it. Opening takes a round trip; where
//! nobody listens it is refused after one. When one end closes, or its process ends, the other is told after what was
//! sent before. What arrives at an end that is closed is dropped: in TCP it would be answered by a reset, which would
//! arrive behind the closing that is already on its way and change nothing. Hosts do not fail yet, and links neither
//! lose, narrow nor break; they would do so in [`Link`], as delay.

use crate::frame::FlightContent;
use crate::random;
use crate::world_spec::NetworkSpec;
use kafka::Rng;
use kafka::instant::{Duration, Instant};
use kafka::node::{ConnectionId, Input, Message, NodeId};
use rand::RngExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wire::Endpoint;

/// Something on its way over the network.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    /// A number that no other of the run has.
    pub(crate) id: u64,
    /// The sender.
    pub(crate) from: NodeId,
    /// The receiver.
    pub(crate) to: NodeId,
    /// The connection.
    pub(crate) connection: ConnectionId,
    /// Which end of the connection it travels to.
    pub(crate) towards: Side,
    /// When it was sent.
    pub(crate) sent_at: Instant,
    /// What it is.
    pub(crate) content: FlightContent,
}

/// A flight that has just set out, and when it will arrive.
#[derive(Clone, Debug)]
pub(crate) struct Departure {
    /// When it will arrive.
    pub(crate) deliver_at: Instant,
    /// What travels.
    pub(crate) flight: Flight,
}

/// What comes of an arrival.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// Nothing: the end it was for is closed.
    Dropped,
    /// The node there is told.
    Told(NodeId, Input),
    /// The host there answers by itself.
    Answered(Departure),
}

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    /// The end that opened it.
    Opener,
    /// The server's end.
    Acceptor,
}

/// The network.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    addresses: Arc<BTreeMap<Endpoint, NodeId>>,
    listeners: BTreeSet<NodeId>,
    links: Links,
    connections: BTreeMap<ConnectionId, Connection>,
    next_flight: u64,
}

/// All links on which something has travelled.
#[derive(Clone, Debug)]
struct Links {
    spec: NetworkSpec,
    seed: u64,
    by_ends: BTreeMap<(NodeId, NodeId), Link>,
}

/// One direction between two hosts.
#[derive(Clone, Debug)]
struct Link {
    rng: Rng,
}

#[derive(Clone, Debug)]
struct Connection {
    opener: End,
    acceptor: End,
}

#[derive(Clone, Debug)]
struct End {
    node: NodeId,
    state: EndState,
    /// What this end sends arrives no earlier than this: when the last thing it sent does.
    arrives_from: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EndState {
    /// The opener waits for its answer; the acceptor has not heard of it yet.
    Opening,
    Open,
    Closed,
}

impl Network {
    /// A network on which the servers will listen at `addresses`.
    pub(crate) fn new(spec: NetworkSpec, seed: u64, addresses: impl Iterator<Item = (Endpoint, NodeId)>) -> Network {
        Network {
            addresses: Arc::new(addresses.map(|(endpoint, node)| (resolved(&endpoint), node)).collect()),
            listeners: BTreeSet::new(),
            links: Links { spec, seed, by_ends: BTreeMap::new() },
            connections: BTreeMap::new(),
            next_flight: 0,
        }
    }

    /// A server accepts connections from now on.
    pub(crate) fn listen(&mut self, node: NodeId) {
        self.listeners.insert(node);
    }

    /// Opens a connection. An address at which no server of the world lives refuses it after a round trip from the
    /// opener to itself.
    pub(crate) fn connect(&mut self, now: Instant, connection: ConnectionId, endpoint: &Endpoint) -> Departure {
        let opener = connection.opener;
        let server = self.addresses.get(&resolved(endpoint)).copied();
        let end = |node, state| End { node, state, arrives_from: now };
        let (acceptor, state) = server.map_or((opener, EndState::Closed), |server| (server, EndState::Opening));
        let ends = Connection { opener: end(opener, EndState::Opening), acceptor: end(acceptor, state) };
        let former = self.connections.insert(connection, ends);
        assert!(former.is_none(), "{opener} has opened {connection:?} before");
        match server {
            Some(_) => self.depart(now, connection, Side::Opener, FlightContent::Connecting),
            None => self.refuse_unknown_address(now, connection),
        }
    }

    fn refuse_unknown_address(&mut self, now: Instant, connection: ConnectionId) -> Departure {
        let there = self.links.delay(connection.opener, connection.opener);
        let mut refusal = self.depart(now + there, connection, Side::Acceptor, FlightContent::Closing);
        refusal.flight.sent_at = now;
        refusal
    }

    /// Sends a message: requests travel from the opener, responses to it.
    pub(crate) fn send(&mut self, now: Instant, connection: ConnectionId, message: Message) -> Departure {
        let sender = match message {
            Message::Request { .. } => Side::Opener,
            Message::Response { .. } => Side::Acceptor,
        };
        self.depart(now, connection, sender, FlightContent::Message(Arc::new(message)))
    }

    /// `node` closes its end of a connection. Nothing is left to do if it is closed already.
    pub(crate) fn close(&mut self, now: Instant, node: NodeId, connection: ConnectionId) -> Option<Departure> {
        let ends = self.connections.get(&connection)?;
        let side = if connection.opener == node { Side::Opener } else { Side::Acceptor };
        let is_known_there = match (side, ends.end(side).state) {
            (_, EndState::Open) | (Side::Opener, EndState::Opening) => true,
            (_, EndState::Closed) | (Side::Acceptor, EndState::Opening) => false,
        };
        is_known_there.then(|| {
            let closing = self.depart(now, connection, side, FlightContent::Closing);
            self.close_end(connection, side);
            closing
        })
    }

    /// The process of `node` has ended: its host closes all its connections, and nobody listens there any more. Of those
    /// that it had with itself nobody is left to be told.
    pub(crate) fn process_ended(&mut self, now: Instant, node: NodeId) -> Vec<Departure> {
        self.listeners.remove(&node);
        self.connections.retain(|_, ends| !(ends.opener.node == node && ends.acceptor.node == node));
        let has_end = |ends: &Connection| ends.opener.node == node || ends.acceptor.node == node;
        let of_node = self.connections.iter().filter(|(_, ends)| has_end(ends)).map(|(connection, _)| *connection);
        let of_node: Vec<ConnectionId> = of_node.collect();
        of_node.into_iter().filter_map(|connection| self.close(now, node, connection)).collect()
    }

    /// A flight has arrived.
    pub(crate) fn arrive(&mut self, now: Instant, flight: Flight) -> Arrival {
        let state = self.connections.get(&flight.connection).map(|ends| ends.end(flight.towards).state);
        match state {
            None | Some(EndState::Closed) => Arrival::Dropped,
            Some(EndState::Opening | EndState::Open) => self.arrive_at_end(now, flight),
        }
    }

    fn arrive_at_end(&mut self, now: Instant, flight: Flight) -> Arrival {
        let connection = flight.connection;
        match (flight.content, flight.towards) {
            (FlightContent::Connecting, Side::Acceptor) => self.accept(now, flight.to, connection),
            (FlightContent::Connecting, Side::Opener) => {
                self.end_mut(connection, Side::Opener).state = EndState::Open;
                Arrival::Told(flight.to, Input::Connected { connection })
            }
            (FlightContent::Message(message), _) => {
                let message = Arc::unwrap_or_clone(message);
                Arrival::Told(flight.to, Input::Received { connection, message })
            }
            (FlightContent::Closing, side) => {
                self.close_end(connection, side);
                Arrival::Told(flight.to, Input::Disconnected { connection })
            }
        }
    }

    fn accept(&mut self, now: Instant, server: NodeId, connection: ConnectionId) -> Arrival {
        if self.listeners.contains(&server) {
            self.end_mut(connection, Side::Acceptor).state = EndState::Open;
            return Arrival::Answered(self.depart(now, connection, Side::Acceptor, FlightContent::Connecting));
        }
        let refusal = self.depart(now, connection, Side::Acceptor, FlightContent::Closing);
        self.close_end(connection, Side::Acceptor);
        Arrival::Answered(refusal)
    }

    fn depart(&mut self, now: Instant, connection: ConnectionId, sender: Side, content: FlightContent) -> Departure {
        let ends = self.connections.get_mut(&connection).expect("what departs does so on a connection");
        let to = ends.end(sender.other()).node;
        let end = ends.end_mut(sender);
        assert!(end.may_send(&content), "a node sends on {connection:?}, which is not open at its end: {content:?}");
        let from = end.node;
        end.arrives_from = end.arrives_from.max(now + self.links.delay(from, to));
        let deliver_at = end.arrives_from;
        let id = self.next_flight;
        self.next_flight += 1;
        let flight = Flight { id, from, to, connection, towards: sender.other(), sent_at: now, content };
        Departure { deliver_at, flight }
    }

    fn end_mut(&mut self, connection: ConnectionId, side: Side) -> &mut End {
        let ends = self.connections.get_mut(&connection).expect("a connection is there until both ends are closed");
        ends.end_mut(side)
    }

    fn close_end(&mut self, connection: ConnectionId, side: Side) {
        self.end_mut(connection, side).state = EndState::Closed;
        if self.end_mut(connection, side.other()).state == EndState::Closed {
            self.connections.remove(&connection);
        }
    }
}

impl Links {
    /// How long the next thing from one host to another travels.
    fn delay(&mut self, from: NodeId, to: NodeId) -> Duration {
        let seed = self.seed;
        let new_link = || Link { rng: random::stream(seed, &format!("link {from}->{to}")) };
        self.by_ends.entry((from, to)).or_insert_with(new_link).delay(self.spec)
    }
}

impl Link {
    fn delay(&mut self, spec: NetworkSpec) -> Duration {
        Duration(spec.delay_us + self.rng.random_range(0..=spec.jitter_us))
    }
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Opener => Side::Acceptor,
            Side::Acceptor => Side::Opener,
        }
    }
}

impl Connection {
    fn end(&self, side: Side) -> &End {
        match side {
            Side::Opener => &self.opener,
            Side::Acceptor => &self.acceptor,
        }
    }

    fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::Opener => &mut self.opener,
            Side::Acceptor => &mut self.acceptor,
        }
    }
}

impl End {
    /// Messages travel only on connections that are open at the sender's end.
    fn may_send(&self, content: &FlightContent) -> bool {
        match content {
            FlightContent::Message(_) => self.state == EndState::Open,
            FlightContent::Connecting | FlightContent::Closing => true,
        }
    }
}

/// The world is one machine's loopback network as far as names go: `localhost` is `127.0.0.1`.
fn resolved(endpoint: &Endpoint) -> Endpoint {
    match &*endpoint.host {
        "localhost" => Endpoint::new("127.0.0.1", endpoint.port),
        _ => endpoint.clone(),
    }
}
