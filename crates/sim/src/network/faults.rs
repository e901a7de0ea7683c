//! What the network does when links are cut, slowed and healed, and when hosts lose their power and get it back: what is
//! held back, and when it is transmitted again.

use super::{Connection, Departure, EndState, Ends, Flight, Held, Network, Place, Side};
use crate::frame::{FlightContent, LinkFrame};
use kafka::fault::{LinkChange, LinkCondition, Links};
use kafka::instant::Instant;
use kafka::node::{ConnectionId, NodeId};
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::Endpoint;

impl Network {
    /// Changes links. What was held back on those that are whole again is transmitted.
    pub(crate) fn change_links(&mut self, now: Instant, links: Links, change: LinkChange) -> Vec<(Departure, Held)> {
        self.links.change(links, change);
        self.release(now)
    }

    /// Whether nothing gets through from one host to another.
    pub(crate) fn is_blocked(&self, ends: Ends) -> bool {
        self.without_power.contains(&ends.1) || self.links.condition(ends).is_cut
    }

    /// Keeps what does not get through. Returns when its host gives the connection up, if this is the first of it.
    pub(crate) fn hold(&mut self, held: Held) -> Option<(Instant, ConnectionId, Side)> {
        let flight = &held.flight;
        let (connection, sender) = (flight.connection, flight.towards.other());
        let given_up_at = flight.sent_at + flight.retransmissions().give_up_after();
        let on_link = self.held.entry((flight.from, flight.to)).or_default();
        let is_first = !on_link.iter().any(|other| other.flight.is_on(connection, sender));
        on_link.push(held);
        is_first.then_some((given_up_at, connection, sender))
    }

    /// What is held back, link by link, in the order in which it was sent.
    pub(crate) fn held(&self) -> impl Iterator<Item = &Held> {
        self.held.values().flatten()
    }

    /// A host loses its power: nobody listens there, its connections are forgotten, and what it still had to transmit is
    /// lost.
    pub(crate) fn power_off(&mut self, node: NodeId) {
        self.listening.retain(|(server, _)| *server != node);
        self.without_power.insert(node);
        let lost: Vec<Ends> = self.held.keys().copied().filter(|(from, _)| *from == node).collect();
        let lost: Vec<Held> = lost.into_iter().filter_map(|ends| self.held.remove(&ends)).flatten().collect();
        self.connections.values_mut().for_each(|ends| ends.forget(node));
        for held in lost.iter().filter(|held| held.flight.opens_connection()) {
            self.connections.remove(&held.flight.connection);
        }
        self.connections.retain(|_, ends| ends.is_known_anywhere());
    }

    /// A host has power again: what others transmit to it gets through.
    pub(crate) fn power_on(&mut self, now: Instant, node: NodeId) -> Vec<(Departure, Held)> {
        if self.without_power.remove(&node) { self.release(now) } else { Vec::new() }
    }

    /// Takes out what is held back on links that let it through, with the time at which it arrives: with the next
    /// transmission of the first that is held back on its connection.
    fn release(&mut self, now: Instant) -> Vec<(Departure, Held)> {
        let open: Vec<Ends> = self.held.keys().copied().filter(|ends| !self.is_blocked(*ends)).collect();
        let held: Vec<Held> = open.into_iter().filter_map(|ends| self.held.remove(&ends)).flatten().collect();
        let mut tries: BTreeMap<(ConnectionId, Side), Instant> = BTreeMap::new();
        let mut released = Vec::with_capacity(held.len());
        for held in held {
            let flight = held.flight.clone();
            let next = flight.retransmissions().next(flight.sent_at, now);
            let sent_again_at = *tries.entry((flight.connection, flight.towards)).or_insert(next);
            let deliver_at = Some(self.transmit(sent_again_at, &flight));
            released.push((Departure { deliver_at, flight }, held));
        }
        released
    }

    /// A host has transmitted in vain for too long. If it has, it forgets the connection; returns the node that is told.
    pub(crate) fn end_retransmission(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        sender: Side,
    ) -> Option<NodeId> {
        let is_over = |flight: &Flight| flight.sent_at + flight.retransmissions().give_up_after() <= now;
        let of_sender = |held: &Held| held.flight.is_on(connection, sender);
        self.held().find(|held| of_sender(held) && is_over(&held.flight))?;
        self.held.values_mut().for_each(|held| held.retain(|held| !of_sender(held)));
        self.held.retain(|_, held| !held.is_empty());
        self.give_up(connection, sender)
    }

    fn give_up(&mut self, connection: ConnectionId, sender: Side) -> Option<NodeId> {
        let ends = self.connections.get_mut(&connection)?;
        let (node, state) = (ends.end(sender).node, ends.end(sender).state);
        ends.forget(node);
        if !ends.is_known_anywhere() || ends.end(sender.other()).state == EndState::Opening {
            self.connections.remove(&connection);
        }
        match state {
            EndState::Opening | EndState::Open => Some(node),
            EndState::Closed | EndState::Forgotten => None,
        }
    }

    /// A server will listen at a new address.
    pub(crate) fn add_address(&mut self, endpoint: &Endpoint, place: Place) {
        Arc::make_mut(&mut self.addresses).insert(super::resolved(endpoint), place);
    }

    /// Nobody will listen there any more.
    pub(crate) fn remove_address(&mut self, endpoint: &Endpoint) {
        Arc::make_mut(&mut self.addresses).remove(&super::resolved(endpoint));
    }

    /// Who listens or will listen at an address.
    pub(crate) fn owner_of(&self, endpoint: &Endpoint) -> Option<NodeId> {
        self.addresses.get(&super::resolved(endpoint)).map(|(node, _)| *node)
    }

    /// The links among these hosts that have faults.
    pub(crate) fn faulty_links(&self, hosts: &[NodeId]) -> Vec<LinkFrame> {
        let ends = hosts.iter().flat_map(|from| hosts.iter().map(move |to| (*from, *to)));
        let frame = |(from, to)| LinkFrame { from, to, condition: self.links.condition((from, to)) };
        ends.map(frame).filter(|link| link.condition != LinkCondition::default()).collect()
    }
}

impl Flight {
    fn is_on(&self, connection: ConnectionId, sender: Side) -> bool {
        self.connection == connection && self.towards == sender.other()
    }

    /// Whether it is the first that its receiver would hear of the connection.
    fn opens_connection(&self) -> bool {
        match self.content {
            FlightContent::Connecting => self.towards == Side::Acceptor,
            FlightContent::Message(_) | FlightContent::Closing => false,
        }
    }
}

impl Connection {
    /// The host of `node` forgets what it knows of the connection. One that it has not heard of yet may still come.
    fn forget(&mut self, node: NodeId) {
        for side in [Side::Opener, Side::Acceptor] {
            let end = self.end_mut(side);
            let is_unheard_of = side == Side::Acceptor && end.state == EndState::Opening;
            if end.node == node && end.state != EndState::Closed && !is_unheard_of {
                end.state = EndState::Forgotten;
            }
        }
    }

    pub(super) fn is_known_anywhere(&self) -> bool {
        let is_known = |side| match self.end(side).state {
            EndState::Opening | EndState::Open => true,
            EndState::Closed | EndState::Forgotten => false,
        };
        is_known(Side::Opener) || is_known(Side::Acceptor)
    }
}
