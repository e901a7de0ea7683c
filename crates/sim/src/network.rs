//! The network as a machine: directed links with delay and jitter, and TCP-like connections on them.
//!
//! On one connection and in one direction nothing overtakes what was sent before it. Opening takes a round trip; where
//! nobody listens it is refused after one. When one end closes, or its process ends, the other is told after what was
//! sent before. What arrives at an end that is closed is dropped: in TCP it would be answered by a reset, which would
//! arrive behind the closing that is already on its way and change nothing.
//!
//! What does not get through, because a link is cut or the receiving host has no power, is held back and transmitted
//! again until it does or the sender's host gives the connection up. A host that lost its power, or has given up, knows
//! nothing of its connections any more: what still arrives on them is answered by a reset.

mod faults;
mod links;
mod retransmission;

use crate::frame::FlightContent;
use crate::trace::EventId;
use crate::world_spec::NetworkSpec;
use kafka::instant::Instant;
use kafka::node::{ConnectionId, Input, Listener, Message, NodeId};
pub(crate) use links::Ends;
use links::LinkTable;
use retransmission::Retransmissions;
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
    /// When it will arrive; `None` if it does not get through.
    pub(crate) deliver_at: Option<Instant>,
    /// What travels.
    pub(crate) flight: Flight,
}

/// A flight that does not get through, with the event that it follows from.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// What is held back.
    pub(crate) flight: Flight,
    /// The last event noted before it was sent.
    pub(crate) cause: Option<EventId>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Side {
    /// The end that opened it.
    Opener,
    /// The server's end.
    Acceptor,
}

/// The network.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    addresses: Arc<BTreeMap<Endpoint, Place>>,
    listening: BTreeSet<Place>,
    links: LinkTable,
    without_power: BTreeSet<NodeId>,
    held: BTreeMap<Ends, Vec<Held>>,
    connections: BTreeMap<ConnectionId, Connection>,
    next_flight: u64,
}

const THERE: &str = "a connection is there until both ends are closed";

/// A server and one of its listeners.
pub(crate) type Place = (NodeId, Listener);

#[derive(Clone, Debug)]
struct Connection {
    opener: End,
    acceptor: End,
    /// The acceptor's.
    listener: Listener,
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
    /// The host does not know of the connection any more and has told nobody.
    Forgotten,
}

impl Network {
    /// A network on which the servers will listen at `addresses`.
    pub(crate) fn new(spec: NetworkSpec, seed: u64, addresses: impl Iterator<Item = (Endpoint, Place)>) -> Network {
        Network {
            addresses: Arc::new(addresses.map(|(endpoint, place)| (resolved(&endpoint), place)).collect()),
            listening: BTreeSet::new(),
            links: LinkTable::new(spec, seed),
            without_power: BTreeSet::new(),
            held: BTreeMap::new(),
            connections: BTreeMap::new(),
            next_flight: 0,
        }
    }

    /// A server accepts connections from now on.
    pub(crate) fn listen(&mut self, node: NodeId, listener: Listener) {
        self.listening.insert((node, listener));
    }

    /// It refuses them again.
    pub(crate) fn stop_listening(&mut self, node: NodeId, listener: Listener) {
        self.listening.remove(&(node, listener));
    }

    /// Opens a connection. An address at which no server of the world lives refuses it after a round trip from the
    /// opener to itself.
    pub(crate) fn connect(&mut self, now: Instant, connection: ConnectionId, endpoint: &Endpoint) -> Departure {
        let opener = connection.opener;
        let server = self.addresses.get(&resolved(endpoint)).copied();
        let end = |node, state| End { node, state, arrives_from: now };
        let state = if server.is_some() { EndState::Opening } else { EndState::Closed };
        let (acceptor, listener) = server.unwrap_or((opener, Listener::Plaintext));
        let ends = Connection { opener: end(opener, EndState::Opening), acceptor: end(acceptor, state), listener };
        let former = self.connections.insert(connection, ends);
        assert!(former.is_none(), "{opener} has opened {connection:?} before");
        match server {
            Some(_) => self.depart(now, connection, Side::Opener, FlightContent::Connecting),
            None => self.refuse_unknown_address(now, connection),
        }
    }

    fn refuse_unknown_address(&mut self, now: Instant, connection: ConnectionId) -> Departure {
        let to_itself = (connection.opener, connection.opener);
        let there = self.links.delay(to_itself, Retransmissions::OF_CONNECTING);
        let mut refusal = self.depart(now + there, connection, Side::Acceptor, FlightContent::Closing);
        refusal.flight.sent_at = now;
        refusal
    }

    /// Sends a message: requests travel from the opener, responses to it. Nothing sets out if the host has forgotten the
    /// connection, which its process has yet to learn.
    pub(crate) fn send(&mut self, now: Instant, connection: ConnectionId, message: Message) -> Option<Departure> {
        let sender = match message {
            Message::Request { .. } => Side::Opener,
            Message::Response { .. } => Side::Acceptor,
        };
        let state = self.connections.get(&connection)?.end(sender).state;
        (state != EndState::Forgotten)
            .then(|| self.depart(now, connection, sender, FlightContent::Message(Arc::new(message))))
    }

    /// `node` closes its end of a connection. Nothing is left to do if it is closed already.
    pub(crate) fn close(&mut self, now: Instant, node: NodeId, connection: ConnectionId) -> Option<Departure> {
        let ends = self.connections.get(&connection)?;
        let side = if connection.opener == node { Side::Opener } else { Side::Acceptor };
        let is_known_there = match (side, ends.end(side).state) {
            (_, EndState::Open) | (Side::Opener, EndState::Opening) => true,
            (_, EndState::Closed | EndState::Forgotten) | (Side::Acceptor, EndState::Opening) => false,
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
        self.listening.retain(|(server, _)| *server != node);
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
            Some(EndState::Forgotten) => self.reset(now, flight),
            Some(EndState::Opening | EndState::Open) => self.arrive_at_end(now, flight),
        }
    }

    /// What arrives at an end that its host has forgotten is answered by a reset, unless it says that the other end is
    /// closed.
    fn reset(&mut self, now: Instant, flight: Flight) -> Arrival {
        let (connection, side) = (flight.connection, flight.towards);
        let arrival = match flight.content {
            FlightContent::Closing => Arrival::Dropped,
            FlightContent::Connecting | FlightContent::Message(_) => {
                Arrival::Answered(self.depart(now, connection, side, FlightContent::Closing))
            }
        };
        self.close_end(connection, side);
        arrival
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
                let listener = self.listener_of(connection);
                Arrival::Told(flight.to, Input::Received { connection, listener, message })
            }
            (FlightContent::Closing, side) => {
                self.close_end(connection, side);
                Arrival::Told(flight.to, Input::Disconnected { connection })
            }
        }
    }

    fn accept(&mut self, now: Instant, server: NodeId, connection: ConnectionId) -> Arrival {
        if self.listening.contains(&(server, self.listener_of(connection))) {
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
        let id = self.next_flight;
        self.next_flight += 1;
        let flight = Flight { id, from, to, connection, towards: sender.other(), sent_at: now, content };
        let deliver_at = (!self.is_blocked((from, to))).then(|| self.transmit(now, &flight));
        Departure { deliver_at, flight }
    }

    /// When a flight arrives that is transmitted now and gets through.
    fn transmit(&mut self, now: Instant, flight: &Flight) -> Instant {
        let delay = self.links.delay((flight.from, flight.to), flight.retransmissions());
        match self.connections.get_mut(&flight.connection) {
            Some(ends) => {
                let end = ends.end_mut(flight.towards.other());
                end.arrives_from = end.arrives_from.max(now + delay);
                end.arrives_from
            }
            None => now + delay,
        }
    }

    fn listener_of(&self, connection: ConnectionId) -> Listener {
        self.connections.get(&connection).expect(THERE).listener
    }

    fn end_mut(&mut self, connection: ConnectionId, side: Side) -> &mut End {
        self.connections.get_mut(&connection).expect(THERE).end_mut(side)
    }

    fn close_end(&mut self, connection: ConnectionId, side: Side) {
        self.end_mut(connection, side).state = EndState::Closed;
        if self.connections.get(&connection).is_some_and(|ends| !ends.is_known_anywhere()) {
            self.connections.remove(&connection);
        }
    }

    /// Whether a node may still send on a connection: it is open at its end.
    pub(crate) fn is_open_at(&self, node: NodeId, connection: ConnectionId) -> bool {
        let side = if connection.opener == node { Side::Opener } else { Side::Acceptor };
        self.connections.get(&connection).is_some_and(|ends| ends.end(side).state == EndState::Open)
    }
}

impl Flight {
    /// The node whose process reads it; `None` if its host answers alone, as to a connection that is opened.
    pub(crate) fn reader(&self) -> Option<NodeId> {
        match (&self.content, self.towards) {
            (FlightContent::Connecting, Side::Acceptor) => None,
            (FlightContent::Connecting, Side::Opener) | (FlightContent::Message(_) | FlightContent::Closing, _) => {
                Some(self.to)
            }
        }
    }

    fn retransmissions(&self) -> Retransmissions {
        match self.content {
            FlightContent::Connecting => Retransmissions::OF_CONNECTING,
            FlightContent::Message(_) | FlightContent::Closing => Retransmissions::OF_DATA,
        }
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
