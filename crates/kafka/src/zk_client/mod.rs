//! A session with ZooKeeper (`org.apache.zookeeper.ClientCnxn` beneath `kafka.zk.KafkaZkClient`).
//!
//! Requests are pipelined and answered in order. When the connection is lost, what was not answered waits and is sent
//! again on the next connection of the same session, as `KafkaZkClient` does on `CONNECTIONLOSS`; watches are left again
//! there. Once the session has expired, everything that waits is answered with `SessionExpired`, its watches are gone, and
//! nothing happens before [`ZooKeeperClient::begin`] is called anew. `T` is what the process remembers about a request.

mod host;
#[cfg(test)]
mod tests;

pub use host::{ConnectionOwner, Host, HostTimer};

use crate::instant::{Duration, Instant};
use crate::node::ConnectionId;
use rand::RngExt;
use std::collections::{BTreeSet, VecDeque};
use wire::zookeeper::{
    Operation, OperationResult, SessionId, WatchKind, WatchedEvent, WatchedEventKind, ZnodePath, ZooKeeperError,
    ZooKeeperRequest, ZooKeeperResponse, Zxid,
};
use wire::{Endpoint, Request};

/// `zookeeper.max.in.flight.requests`.
const MAX_IN_FLIGHT: usize = 10;

/// Before it connects again a client sleeps up to so long.
const RECONNECT_MS: i64 = 1_000;

/// What a session asks ZooKeeper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// One operation.
    Operation(Operation),
    /// Several or none.
    Multi(Vec<Operation>),
}

/// The answer to a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To one operation.
    Operation(Result<OperationResult, ZooKeeperError>),
    /// To several: the place of the one that failed, and why.
    Multi(Result<Vec<OperationResult>, (u32, ZooKeeperError)>),
    /// The session has expired before it was answered: nobody knows what came of it.
    SessionExpired,
}

/// What a session tells its process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEvent<T> {
    /// A session has begun.
    Began {
        /// Which.
        session: SessionId,
    },
    /// The connection was lost; the session may live on.
    Disconnected,
    /// The same session goes on.
    Reconnected,
    /// The session has expired. Call [`ZooKeeperClient::begin`] when the process is done with it. What was not answered
    /// follows, each with [`Answer::SessionExpired`].
    Expired,
    /// A call was answered.
    Answered {
        /// What was remembered about it.
        tag: T,
        /// The answer.
        answer: Answer,
    },
    /// A watch fired.
    Watched(WatchedEvent),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not begun, expired or closed.
    Idle,
    /// Before another try to connect.
    Sleeping {
        until: Instant,
    },
    /// The connection is being opened, or the session not yet agreed on.
    Connecting {
        connection: ConnectionId,
        until: Instant,
    },
    Connected {
        connection: ConnectionId,
        last_sent: Instant,
        last_heard: Instant,
    },
}

/// A session, and how to come by one.
#[derive(Clone, Debug)]
pub struct ZooKeeperClient<T> {
    ensemble: Endpoint,
    timeout_ms: i32,
    state: State,
    session: Option<SessionId>,
    last_zxid: Zxid,
    watches: BTreeSet<(WatchKind, ZnodePath)>,
    waiting: VecDeque<(T, Call)>,
    in_flight: VecDeque<(T, Call)>,
    correlation_id: i32,
}

impl<T: Clone> ZooKeeperClient<T> {
    /// A client without a session. `timeout_ms` is `zookeeper.session.timeout.ms`.
    #[must_use]
    pub fn new(ensemble: Endpoint, timeout_ms: i32) -> ZooKeeperClient<T> {
        ZooKeeperClient {
            ensemble,
            timeout_ms,
            state: State::Idle,
            session: None,
            last_zxid: Zxid(0),
            watches: BTreeSet::new(),
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            correlation_id: 0,
        }
    }

    /// The session, if there is one that has not been seen to expire.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// Whether requests can be sent now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self.state, State::Connected { .. })
    }

    /// Begins a session: at the start of the process, and after one has expired.
    pub fn begin(&mut self, host: &mut impl Host) {
        assert_eq!(self.state, State::Idle, "a client has one session");
        self.connect(host);
    }

    /// Asks ZooKeeper something, in order behind what was asked before. While there is no connection it waits.
    pub fn submit(&mut self, tag: T, call: Call, host: &mut impl Host) {
        self.waiting.push_back((tag, call));
        self.send_waiting(host);
    }

    /// Ends the session at a clean shutdown, without waiting for the answer: its ephemeral znodes vanish at once.
    pub fn close(&mut self, host: &mut impl Host) {
        if let State::Connected { .. } = self.state {
            self.send(ZooKeeperRequest::CloseSession, host);
        }
        self.state = State::Idle;
        self.session = None;
        host.cancel_timer(HostTimer::ZooKeeperSession);
    }

    /// A connection of [`ConnectionOwner::ZooKeeper`] is established.
    pub fn on_connected(&mut self, connection: ConnectionId, host: &mut impl Host) {
        if let State::Connecting { connection: awaited, .. } = self.state
            && awaited == connection
        {
            let request = ZooKeeperRequest::Connect { session: self.session, timeout_ms: self.timeout_ms };
            self.send_on(connection, request, host);
        }
    }

    /// A connection of [`ConnectionOwner::ZooKeeper`] is gone.
    pub fn on_disconnected(&mut self, connection: ConnectionId, host: &mut impl Host) -> Vec<SessionEvent<T>> {
        if self.connection() == Some(connection) { self.lose_connection(host) } else { Vec::new() }
    }

    /// Something arrived on a connection of [`ConnectionOwner::ZooKeeper`].
    pub fn on_response(
        &mut self,
        connection: ConnectionId,
        response: ZooKeeperResponse,
        host: &mut impl Host,
    ) -> Vec<SessionEvent<T>> {
        if self.connection() != Some(connection) {
            return Vec::new();
        }
        self.hear(host);
        match response {
            ZooKeeperResponse::Connected { session, timeout_ms } => self.on_session(session, timeout_ms, host),
            ZooKeeperResponse::SessionExpired => self.expire(host),
            ZooKeeperResponse::Pong | ZooKeeperResponse::SessionClosed | ZooKeeperResponse::WatchesSet => Vec::new(),
            ZooKeeperResponse::Operation { zxid, result } => self.on_answer(zxid, Answer::Operation(result), host),
            ZooKeeperResponse::Multi { zxid, result } => self.on_answer(zxid, Answer::Multi(result), host),
            ZooKeeperResponse::Watched(event) => self.on_watched(event),
        }
    }

    /// The timer of the session fired.
    pub fn on_timer(&mut self, host: &mut impl Host) -> Vec<SessionEvent<T>> {
        let now = host.now();
        match self.state {
            State::Idle => return Vec::new(),
            State::Sleeping { until } if now >= until => self.connect(host),
            State::Connecting { until, .. } if now >= until => return self.give_up_connection(host),
            State::Connected { last_heard, .. } if now >= last_heard + self.read_timeout() => {
                return self.give_up_connection(host);
            }
            State::Connected { last_sent, .. } if now >= last_sent + self.ping_interval() => {
                self.send(ZooKeeperRequest::Ping, host);
            }
            State::Sleeping { .. } | State::Connecting { .. } | State::Connected { .. } => {}
        }
        self.set_timer(host);
        Vec::new()
    }

    fn on_session(&mut self, session: SessionId, timeout_ms: i32, host: &mut impl Host) -> Vec<SessionEvent<T>> {
        let State::Connecting { connection, .. } = self.state else { return Vec::new() };
        let goes_on = self.session.replace(session).is_some();
        self.timeout_ms = timeout_ms;
        self.state = State::Connected { connection, last_sent: host.now(), last_heard: host.now() };
        self.set_timer(host);
        if !self.watches.is_empty() {
            let watches = self.watches.iter().cloned().collect();
            self.send(ZooKeeperRequest::SetWatches { relative_zxid: self.last_zxid, watches }, host);
        }
        self.send_waiting(host);
        vec![if goes_on { SessionEvent::Reconnected } else { SessionEvent::Began { session } }]
    }

    fn on_answer(&mut self, zxid: Zxid, answer: Answer, host: &mut impl Host) -> Vec<SessionEvent<T>> {
        self.last_zxid = self.last_zxid.max(zxid);
        let (tag, call) = self.in_flight.pop_front().expect("ZooKeeper answers what it was asked");
        self.watches.extend(left_watch(&call, &answer));
        self.send_waiting(host);
        vec![SessionEvent::Answered { tag, answer }]
    }

    fn on_watched(&mut self, event: WatchedEvent) -> Vec<SessionEvent<T>> {
        for kind in fired_watches(event.kind) {
            self.watches.remove(&(*kind, event.path.clone()));
        }
        vec![SessionEvent::Watched(event)]
    }

    fn expire(&mut self, host: &mut impl Host) -> Vec<SessionEvent<T>> {
        if let Some(connection) = self.connection() {
            host.close(connection);
        }
        host.cancel_timer(HostTimer::ZooKeeperSession);
        self.state = State::Idle;
        self.session = None;
        self.watches.clear();
        self.last_zxid = Zxid(0);
        let unanswered = self.in_flight.drain(..).chain(self.waiting.drain(..));
        let failed = unanswered.map(|(tag, _)| SessionEvent::Answered { tag, answer: Answer::SessionExpired });
        [SessionEvent::Expired].into_iter().chain(failed).collect()
    }

    fn give_up_connection(&mut self, host: &mut impl Host) -> Vec<SessionEvent<T>> {
        if let Some(connection) = self.connection() {
            host.close(connection);
        }
        self.lose_connection(host)
    }

    fn lose_connection(&mut self, host: &mut impl Host) -> Vec<SessionEvent<T>> {
        let was_connected = self.is_connected();
        let pause = host.rng().random_range(0..RECONNECT_MS);
        self.state = State::Sleeping { until: host.now() + Duration::from_ms(pause) };
        self.set_timer(host);
        self.in_flight.drain(..).rev().for_each(|unanswered| self.waiting.push_front(unanswered));
        if was_connected { vec![SessionEvent::Disconnected] } else { Vec::new() }
    }

    fn connect(&mut self, host: &mut impl Host) {
        let connection = host.open(ConnectionOwner::ZooKeeper, &self.ensemble);
        let until = host.now() + Duration::from_ms(i64::from(self.timeout_ms));
        self.state = State::Connecting { connection, until };
        self.set_timer(host);
    }

    fn send_waiting(&mut self, host: &mut impl Host) {
        while self.is_connected() && self.in_flight.len() < MAX_IN_FLIGHT {
            let Some((tag, call)) = self.waiting.pop_front() else { return };
            self.in_flight.push_back((tag, call.clone()));
            let request = match call {
                Call::Operation(operation) => ZooKeeperRequest::Operation(operation),
                Call::Multi(operations) => ZooKeeperRequest::Multi(operations),
            };
            self.send(request, host);
        }
    }

    fn send(&mut self, request: ZooKeeperRequest, host: &mut impl Host) {
        let State::Connected { connection, last_sent, .. } = &mut self.state else {
            unreachable!("a session sends while it is connected");
        };
        *last_sent = host.now();
        let connection = *connection;
        self.send_on(connection, request, host);
    }

    fn send_on(&mut self, connection: ConnectionId, request: ZooKeeperRequest, host: &mut impl Host) {
        self.correlation_id += 1;
        host.send(connection, self.correlation_id, Request::ZooKeeper(Box::new(request)));
    }

    fn hear(&mut self, host: &mut impl Host) {
        if let State::Connected { last_heard, .. } = &mut self.state {
            *last_heard = host.now();
        }
    }

    fn connection(&self) -> Option<ConnectionId> {
        match self.state {
            State::Idle | State::Sleeping { .. } => None,
            State::Connecting { connection, .. } | State::Connected { connection, .. } => Some(connection),
        }
    }

    /// The timer is looked at when it fires; what happens meanwhile only moves deadlines on.
    fn set_timer(&mut self, host: &mut impl Host) {
        let at = match self.state {
            State::Idle => return,
            State::Sleeping { until } | State::Connecting { until, .. } => until,
            State::Connected { last_sent, last_heard, .. } => {
                (last_sent + self.ping_interval()).min(last_heard + self.read_timeout())
            }
        };
        host.set_timer(HostTimer::ZooKeeperSession, at);
    }

    fn ping_interval(&self) -> Duration {
        Duration::from_ms(i64::from(self.timeout_ms) / 3)
    }

    /// When nothing was heard for so long, the connection counts as lost.
    fn read_timeout(&self) -> Duration {
        Duration::from_ms(i64::from(self.timeout_ms) * 2 / 3)
    }
}

/// The watch that an answered call has left, if it asked for one.
fn left_watch(call: &Call, answer: &Answer) -> Option<(WatchKind, ZnodePath)> {
    let (Call::Operation(operation), Answer::Operation(result)) = (call, answer) else { return None };
    match (operation, result.is_ok()) {
        (Operation::Exists { path, watch: true }, false) => Some((WatchKind::Exist, path.clone())),
        (Operation::Exists { path, watch: true } | Operation::GetData { path, watch: true }, true) => {
            Some((WatchKind::Data, path.clone()))
        }
        (Operation::GetChildren { path, watch: true }, true) => Some((WatchKind::Children, path.clone())),
        (
            Operation::Exists { .. }
            | Operation::GetData { .. }
            | Operation::GetChildren { .. }
            | Operation::Create { .. }
            | Operation::Delete { .. }
            | Operation::SetData { .. }
            | Operation::Check { .. },
            _,
        ) => None,
    }
}

fn fired_watches(kind: WatchedEventKind) -> &'static [WatchKind] {
    match kind {
        WatchedEventKind::NodeCreated | WatchedEventKind::NodeDataChanged => &[WatchKind::Data, WatchKind::Exist],
        WatchedEventKind::NodeDeleted => &[WatchKind::Data, WatchKind::Exist, WatchKind::Children],
        WatchedEventKind::NodeChildrenChanged => &[WatchKind::Children],
    }
}
