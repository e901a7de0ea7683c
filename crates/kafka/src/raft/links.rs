//! The connections of a member of the quorum to its voters (`RequestManager` over a `NetworkClient`): at most one request
//! that is waited for on each, a pause after a failure, an end to waiting.

use crate::Rng;
use crate::instant::{Duration, Instant};
use crate::node::{ConnectionId, Effects, Identity};
use rand::RngExt;
use std::collections::BTreeMap;
use wire::{Endpoint, Request};

/// The numbers of these connections begin here: a broker numbers its other ones from 0.
pub(crate) const FIRST_CONNECTION: u32 = 1 << 30;
/// Those of the quorum itself begin here: below are a controller's for its registration.
pub(super) const FIRST_OF_QUORUM: u32 = 1 << 31;
/// `reconnect.backoff.ms` of the quorum's network client.
const RECONNECT_BACKOFF_MS: i64 = 50;
/// `reconnect.backoff.max.ms` of the same.
const RECONNECT_BACKOFF_MAX_MS: i64 = 500;

/// All connections to voters.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    identity: Identity,
    first: u32,
    opened: u32,
    links: BTreeMap<i32, Link>,
}

#[derive(Clone, Debug)]
struct Link {
    endpoint: Endpoint,
    phase: Phase,
    in_flight: Option<InFlight>,
    sent: i32,
    failures: u32,
    /// No request before this: the last one failed.
    retry_at: Instant,
    /// No connection before this: the last one failed.
    reconnect_at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Down,
    Connecting { connection: ConnectionId, deadline: Instant },
    Up(ConnectionId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct InFlight {
    correlation_id: i32,
    deadline: Instant,
}

/// What became of the wish to send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It is on its way.
    Sent,
    /// A connection is being made first.
    Connecting,
    /// Another request is waited for, or the last one failed a moment ago.
    Unavailable,
}

/// How long requests may take, and the pause after a failed one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) request_timeout: Duration,
    pub(crate) retry_backoff: Duration,
}

impl Links {
    /// No connections yet.
    pub(crate) fn new<'a>(identity: Identity, first: u32, voters: impl Iterator<Item = &'a (i32, Endpoint)>) -> Links {
        let links = voters.map(|(voter, endpoint)| (*voter, Link::new(endpoint.clone()))).collect();
        Links { identity, first, opened: 0, links }
    }

    /// Whether a connection is one of these, or was.
    pub(crate) fn owns(&self, connection: ConnectionId) -> bool {
        connection.opener == self.identity.node && connection.number >= self.first
    }

    /// Sends a request if none is waited for, or begins to connect.
    pub(crate) fn try_send(
        &mut self,
        voter: i32,
        now: Instant,
        patience: Patience,
        request: impl FnOnce() -> Request,
        effects: &mut Effects,
    ) -> Attempt {
        let Some(link) = self.links.get_mut(&voter) else { return Attempt::Unavailable };
        match link.phase {
            Phase::Connecting { .. } => Attempt::Connecting,
            Phase::Down | Phase::Up(_) if link.in_flight.is_some() || now < link.retry_at => Attempt::Unavailable,
            Phase::Down if now < link.reconnect_at => Attempt::Unavailable,
            Phase::Down => {
                self.connect(voter, now + patience.request_timeout, effects);
                Attempt::Connecting
            }
            Phase::Up(connection) => {
                link.send(connection, now + patience.request_timeout, request(), effects);
                Attempt::Sent
            }
        }
    }

    fn connect(&mut self, voter: i32, deadline: Instant, effects: &mut Effects) {
        let Identity { node, incarnation, .. } = self.identity;
        let connection = ConnectionId { opener: node, incarnation, number: self.first + self.opened };
        self.opened += 1;
        let link = self.links.get_mut(&voter).expect("only known voters are connected to");
        link.phase = Phase::Connecting { connection, deadline };
        effects.connect(connection, link.endpoint.clone());
    }

    /// A connection is established.
    pub(crate) fn on_connected(&mut self, connection: ConnectionId) {
        for link in self.links.values_mut() {
            if matches!(link.phase, Phase::Connecting { connection: pending, .. } if pending == connection) {
                link.phase = Phase::Up(connection);
                link.failures = 0;
            }
        }
    }

    /// A connection is gone. Returns whose it was.
    pub(crate) fn on_disconnected(
        &mut self,
        connection: ConnectionId,
        now: Instant,
        patience: Patience,
        rng: &mut Rng,
    ) -> Option<i32> {
        let voter = self.voter_of(connection)?;
        self.fail(voter, now, patience, rng);
        Some(voter)
    }

    fn voter_of(&self, connection: ConnectionId) -> Option<i32> {
        let link = self.links.iter().find(|(_, link)| link.connection() == Some(connection));
        link.map(|(voter, _)| *voter)
    }

    fn fail(&mut self, voter: i32, now: Instant, patience: Patience, rng: &mut Rng) {
        let link = self.links.get_mut(&voter).expect("only known voters are connected to");
        link.phase = Phase::Down;
        link.in_flight = None;
        link.retry_at = now + patience.retry_backoff;
        link.reconnect_at = now + reconnect_backoff(link.failures, rng);
        link.failures = link.failures.saturating_add(1);
    }

    /// An answer arrived. Returns the voter if it was waited for.
    pub(crate) fn on_response(&mut self, connection: ConnectionId, correlation_id: i32) -> Option<i32> {
        let voter = self.voter_of(connection)?;
        let link = self.links.get_mut(&voter).expect("the voter was just found");
        let is_awaited = link.in_flight.is_some_and(|in_flight| in_flight.correlation_id == correlation_id);
        is_awaited.then(|| {
            link.in_flight = None;
            voter
        })
    }

    /// The voter cannot serve just now: ask it again only after a pause.
    pub(crate) fn back_off(&mut self, voter: i32, until: Instant) {
        if let Some(link) = self.links.get_mut(&voter) {
            link.retry_at = until;
        }
    }

    /// Closes the connections on which an answer or an acceptance did not come in time. Returns whose they were.
    pub(crate) fn expire(
        &mut self,
        now: Instant,
        patience: Patience,
        rng: &mut Rng,
        effects: &mut Effects,
    ) -> Vec<i32> {
        let is_late = |link: &Link| link.deadline().is_some_and(|deadline| now >= deadline);
        let late: Vec<i32> = self.links.iter().filter(|(_, link)| is_late(link)).map(|(voter, _)| *voter).collect();
        for voter in &late {
            let connection = self.links[voter].connection().expect("who waits has a connection");
            effects.close(connection);
            self.fail(*voter, now, patience, rng);
        }
        late
    }

    /// Answers to what was asked before are not waited for any more: the node has another part to play.
    pub(super) fn forget_requests(&mut self) {
        for link in self.links.values_mut() {
            link.in_flight = None;
            link.retry_at = Instant::ZERO;
        }
    }

    /// Whether any request is on its way or any connection being made.
    pub(super) fn is_any_busy(&self) -> bool {
        self.links.values().any(|link| link.deadline().is_some())
    }

    /// Whether the voter failed a moment ago.
    pub(super) fn is_backing_off(&self, voter: i32, now: Instant) -> bool {
        self.links.get(&voter).is_some_and(|link| link.available_from() > now)
    }

    /// The voters that could be asked now, whether they are connected to or not: were those with a connection asked first,
    /// the leader could be passed over for ever (`RequestManager.findReadyBootstrapServer`).
    pub(super) fn available(&self, now: Instant) -> Vec<i32> {
        let free = self.links.iter().filter(|(_, link)| link.deadline().is_none() && link.available_from() <= now);
        free.map(|(voter, _)| *voter).collect()
    }

    /// When waiting comes to an end somewhere, or a pause does.
    pub(crate) fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let pauses = self.links.values().map(Link::available_from).filter(|at| *at > now);
        self.links.values().filter_map(Link::deadline).chain(pauses).min()
    }
}

impl Link {
    fn new(endpoint: Endpoint) -> Link {
        Link {
            endpoint,
            phase: Phase::Down,
            in_flight: None,
            sent: 0,
            failures: 0,
            retry_at: Instant::ZERO,
            reconnect_at: Instant::ZERO,
        }
    }

    fn connection(&self) -> Option<ConnectionId> {
        match self.phase {
            Phase::Down => None,
            Phase::Connecting { connection, .. } | Phase::Up(connection) => Some(connection),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Connecting { deadline, .. } => Some(deadline),
            Phase::Down | Phase::Up(_) => self.in_flight.map(|in_flight| in_flight.deadline),
        }
    }

    fn available_from(&self) -> Instant {
        match self.phase {
            Phase::Down => self.retry_at.max(self.reconnect_at),
            Phase::Connecting { .. } | Phase::Up(_) => self.retry_at,
        }
    }

    fn send(&mut self, connection: ConnectionId, deadline: Instant, request: Request, effects: &mut Effects) {
        let correlation_id = self.sent;
        self.sent = self.sent.wrapping_add(1);
        self.in_flight = Some(InFlight { correlation_id, deadline });
        effects.request(connection, correlation_id, request);
    }
}

fn reconnect_backoff(failures: u32, rng: &mut Rng) -> Duration {
    let term_ms = (RECONNECT_BACKOFF_MS << failures.min(10)).min(RECONNECT_BACKOFF_MAX_MS);
    Duration::from_ms(term_ms * rng.random_range(800..=1_200) / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instant::WallClock;
    use crate::node::NodeId;
    use wire::Timestamp;

    #[test]
    fn a_voter_may_be_asked_whether_it_is_connected_to_or_not() {
        let node = NodeId::Server(4);
        let identity = Identity { node, incarnation: 0, clock: WallClock { epoch: Timestamp(0) } };
        let voters = [101, 102].map(|id| (id, Endpoint::new("localhost", 9_000)));
        let mut links = Links::new(identity, 4, voters.iter());
        links.connect(101, Instant(1), &mut Effects::new());
        assert_eq!(links.available(Instant::ZERO), [102]);
        links.on_connected(ConnectionId { opener: node, incarnation: 0, number: 4 });
        assert_eq!(links.available(Instant::ZERO), [101, 102]);
    }
}
