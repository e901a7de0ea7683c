//! The ZooKeeper ensemble as one process: a tree of znodes, sessions and watches behind one linear order of changes.
//!
//! What makes an ensemble of it (leader election, quorums, observers) is not modelled: one node stands for all, and when
//! it is down the ensemble has no quorum. Every change goes into a transaction log on disk before it is answered, so that
//! tree and sessions survive the process; watches do not, and clients leave them again on their next connection.
//! Sessions expire by ticks as ZooKeeper's do: at the first tick after their timeout. Follows `ZooKeeperServer`,
//! `SessionTrackerImpl` and `DataTree` of ZooKeeper 3.8; ACLs, quotas, TTLs and containers are left out.

mod database;
mod operations;
#[cfg(test)]
mod tests;
mod watches;

pub use database::{Change, Database, Transaction, Znode, parent_and_name};

use crate::event::{EventKind, ZooKeeperEvent};
use crate::instant::{Duration, Instant};
use crate::node::{ConnectionId, Effects, ExitStatus, Identity, Input, Instruction, Message, Node, RequestId, Timer};
use crate::storage::{Disk, DiskWrite};
use crate::view::{ZooKeeperSessionView, ZooKeeperView};
use operations::{Author, Outcome};
use std::collections::BTreeMap;
use std::sync::Arc;
use watches::{Notification, Watches};
use wire::zookeeper::{
    Operation, OperationResult, SessionId, WatchKind, ZnodePath, ZooKeeperError, ZooKeeperRequest, ZooKeeperResponse,
    Zxid,
};
use wire::{Request, Response};

/// `tickTime`, which Kafka's `zookeeper.properties` leaves at its default.
const TICK_TIME_MS: i64 = 3_000;

/// Timeouts that a client asks for are brought between 2 and 20 ticks.
const SESSION_TIMEOUT_TICKS: (i32, i32) = (2, 20);

/// The `xid` of a message that answers no request.
const NOTIFICATION: i32 = -1;

/// What the process answers to SIGTERM.
const TERMINATED: ExitStatus = ExitStatus(143);

const SESSION_TIMER: u8 = 1;

/// The ensemble.
#[derive(Clone, Debug)]
pub struct ZooKeeper {
    identity: Identity,
    database: Arc<Database>,
    watches: Watches,
    connections: BTreeMap<ConnectionId, SessionId>,
    expiries: BTreeMap<SessionId, Instant>,
    next_session: SessionId,
}

/// One step: when it happens, and what it does.
struct Step<'a> {
    now: Instant,
    effects: &'a mut Effects,
}

impl ZooKeeper {
    /// A process that has not started yet: its first input is `Input::Started`.
    #[must_use]
    pub fn new(identity: Identity) -> ZooKeeper {
        ZooKeeper {
            identity,
            database: Arc::default(),
            watches: Watches::default(),
            connections: BTreeMap::new(),
            expiries: BTreeMap::new(),
            next_session: SessionId(0),
        }
    }

    /// What an onlooker may see.
    #[must_use]
    pub fn view(&self) -> ZooKeeperView {
        let session_view = |(session, timeout_ms): (&SessionId, &i32)| ZooKeeperSessionView {
            session: *session,
            timeout_ms: *timeout_ms,
            client: self.connection_of(*session).map(|connection| connection.opener),
            expires_at: self.expiries[session],
        };
        ZooKeeperView {
            sessions: self.database.sessions().iter().map(session_view).collect(),
            database: self.database.clone(),
        }
    }

    /// The tree as it is now.
    #[must_use]
    pub fn database(&self) -> &Arc<Database> {
        &self.database
    }

    fn on_input(&mut self, input: Input, step: &mut Step<'_>) {
        match input {
            Input::Started { disk } => self.on_started(&disk, step),
            Input::Connected { .. } => unreachable!("ZooKeeper opens no connections"),
            Input::Disconnected { connection } => self.forget_connection(connection),
            Input::Received { connection, message, .. } => self.on_message(connection, message, step),
            Input::TimerFired { timer } => self.on_session_timer(SessionId(timer.key), step),
            Input::Told(Instruction::ShutDown) => step.effects.exit(TERMINATED),
            Input::Told(Instruction::Produce(_) | Instruction::EndOfInput | Instruction::Interrupt) => {}
            Input::ClockSet(clock) => self.identity.clock = clock,
        }
    }

    fn on_started(&mut self, disk: &Disk, step: &mut Step<'_>) {
        let database = Arc::make_mut(&mut self.database);
        disk.transactions.iter().for_each(|transaction| database.apply(transaction));
        self.next_session = first_session(self.identity.clock.at(step.now).0);
        let sessions: Vec<SessionId> = self.database.sessions().keys().copied().collect();
        sessions.into_iter().for_each(|session| self.touch(session, step));
        step.effects.listen(crate::node::Listener::Plaintext);
    }

    fn on_message(&mut self, connection: ConnectionId, message: Message, step: &mut Step<'_>) {
        match message {
            Message::Request { correlation_id, request: Request::ZooKeeper(request) } => {
                self.on_request(RequestId { connection, correlation_id }, *request, step);
            }
            // Whoever does not speak ZooKeeper's protocol is hung up on.
            Message::Request { .. } | Message::Response { .. } => self.hang_up(connection, step),
        }
    }

    fn on_request(&mut self, id: RequestId, request: ZooKeeperRequest, step: &mut Step<'_>) {
        if let ZooKeeperRequest::Connect { session, timeout_ms } = request {
            return self.on_connect(id, session, timeout_ms, step);
        }
        let Some(session) = self.connections.get(&id.connection).copied() else {
            return self.hang_up(id.connection, step);
        };
        self.touch(session, step);
        match request {
            ZooKeeperRequest::Connect { .. } => unreachable!("handled above"),
            ZooKeeperRequest::Ping => respond(id, ZooKeeperResponse::Pong, step),
            ZooKeeperRequest::CloseSession => self.on_close_session(id, session, step),
            ZooKeeperRequest::Operation(operation) => self.on_operation(id, session, operation, step),
            ZooKeeperRequest::Multi(operations) => self.on_multi(id, session, &operations, step),
            ZooKeeperRequest::SetWatches { relative_zxid, watches } => {
                self.on_set_watches(id, relative_zxid, &watches, step);
            }
        }
    }

    fn on_connect(&mut self, id: RequestId, session: Option<SessionId>, timeout_ms: i32, step: &mut Step<'_>) {
        match session {
            None => self.create_session(id, timeout_ms, step),
            Some(session) if self.database.sessions().contains_key(&session) => self.go_on(id, session, step),
            Some(_) => {
                respond(id, ZooKeeperResponse::SessionExpired, step);
                self.hang_up(id.connection, step);
            }
        }
    }

    fn create_session(&mut self, id: RequestId, timeout_ms: i32, step: &mut Step<'_>) {
        let session = self.next_session;
        self.next_session = SessionId(session.0 + 1);
        let tick = TICK_TIME_MS as i32;
        let timeout_ms = timeout_ms.clamp(SESSION_TIMEOUT_TICKS.0 * tick, SESSION_TIMEOUT_TICKS.1 * tick);
        self.commit(vec![Change::CreateSession { session, timeout_ms }], step);
        let client = id.connection.opener;
        step.effects.note(EventKind::ZooKeeper(ZooKeeperEvent::SessionCreated { session, client, timeout_ms }));
        self.attach(id, session, step);
    }

    fn go_on(&mut self, id: RequestId, session: SessionId, step: &mut Step<'_>) {
        if let Some(former) = self.connection_of(session) {
            self.hang_up(former, step);
        }
        self.attach(id, session, step);
    }

    fn attach(&mut self, id: RequestId, session: SessionId, step: &mut Step<'_>) {
        self.connections.insert(id.connection, session);
        self.touch(session, step);
        let timeout_ms = self.database.sessions()[&session];
        respond(id, ZooKeeperResponse::Connected { session, timeout_ms }, step);
    }

    fn on_close_session(&mut self, id: RequestId, session: SessionId, step: &mut Step<'_>) {
        let ephemerals = self.end_session(session, step);
        step.effects.note(EventKind::ZooKeeper(ZooKeeperEvent::SessionClosed { session, ephemerals }));
        respond(id, ZooKeeperResponse::SessionClosed, step);
        self.hang_up(id.connection, step);
    }

    fn on_session_timer(&mut self, session: SessionId, step: &mut Step<'_>) {
        let connection = self.connection_of(session);
        let ephemerals = self.end_session(session, step);
        step.effects.note(EventKind::ZooKeeper(ZooKeeperEvent::SessionExpired { session, ephemerals }));
        if let Some(connection) = connection {
            self.hang_up(connection, step);
        }
    }

    /// Ends a session, and returns the znodes that vanished with it.
    fn end_session(&mut self, session: SessionId, step: &mut Step<'_>) -> Vec<ZnodePath> {
        let ephemerals = self.database.ephemerals(session);
        let deletions = ephemerals.iter().map(|path| Change::Delete { path: path.clone() });
        self.commit(deletions.chain([Change::CloseSession { session }]).collect(), step);
        self.expiries.remove(&session);
        step.effects.cancel_timer(session_timer(session));
        ephemerals
    }

    fn on_operation(&mut self, id: RequestId, session: SessionId, operation: Operation, step: &mut Step<'_>) {
        let operations = [operation];
        let result = self.work_on(&operations, session, step);
        let [operation] = &operations;
        self.watches.leave(id.connection, operation, result.is_ok());
        let result = result.map(|mut results| results.remove(0)).map_err(|(_, error)| error);
        respond(id, ZooKeeperResponse::Operation { zxid: self.database.last_zxid(), result }, step);
    }

    fn on_multi(&mut self, id: RequestId, session: SessionId, operations: &[Operation], step: &mut Step<'_>) {
        let result = self.work_on(operations, session, step);
        respond(id, ZooKeeperResponse::Multi { zxid: self.database.last_zxid(), result }, step);
    }

    fn work_on(
        &mut self,
        operations: &[Operation],
        session: SessionId,
        step: &mut Step<'_>,
    ) -> Result<Vec<OperationResult>, (u32, ZooKeeperError)> {
        let author = Author { session, at: self.identity.clock.at(step.now) };
        let Outcome { results, transaction } = operations::prepare(&self.database, operations, author)?;
        if let Some(transaction) = transaction {
            self.apply(transaction, step);
        }
        Ok(results)
    }

    fn on_set_watches(
        &mut self,
        id: RequestId,
        relative_zxid: Zxid,
        watches: &[(WatchKind, ZnodePath)],
        step: &mut Step<'_>,
    ) {
        for watch in watches {
            let since = (self.database.as_ref(), relative_zxid);
            if let Some(missed) = self.watches.leave_again(id.connection, watch, since) {
                notify((id.connection, missed), step);
            }
        }
        respond(id, ZooKeeperResponse::WatchesSet, step);
    }

    fn commit(&mut self, changes: Vec<Change>, step: &mut Step<'_>) {
        let zxid = Zxid(self.database.last_zxid().0 + 1);
        self.apply(Transaction { zxid, at: self.identity.clock.at(step.now), changes }, step);
    }

    /// Writes a transaction down, applies it, and tells who watches: before the answer to the request that brought it.
    fn apply(&mut self, transaction: Transaction, step: &mut Step<'_>) {
        Arc::make_mut(&mut self.database).apply(&transaction);
        for change in &transaction.changes {
            self.watches.fire(change).into_iter().for_each(|notification| notify(notification, step));
        }
        step.effects.write(DiskWrite::Transaction(Arc::new(transaction)));
    }

    /// A session is heard of: it ends at the first tick after its timeout from now.
    fn touch(&mut self, session: SessionId, step: &mut Step<'_>) {
        let timeout_ms = i64::from(self.database.sessions()[&session]);
        let ticks = (step.now.as_ms() + timeout_ms) / TICK_TIME_MS + 1;
        let expires_at = Instant::ZERO + Duration::from_ms(ticks * TICK_TIME_MS);
        if self.expiries.insert(session, expires_at) != Some(expires_at) {
            step.effects.set_timer(session_timer(session), expires_at);
        }
    }

    fn connection_of(&self, session: SessionId) -> Option<ConnectionId> {
        let of_session = |(_, its): &(&ConnectionId, &SessionId)| **its == session;
        self.connections.iter().find(of_session).map(|(connection, _)| *connection)
    }

    fn hang_up(&mut self, connection: ConnectionId, step: &mut Step<'_>) {
        step.effects.close(connection);
        self.forget_connection(connection);
    }

    fn forget_connection(&mut self, connection: ConnectionId) {
        self.connections.remove(&connection);
        self.watches.forget(connection);
    }
}

/// `SessionTrackerImpl.initializeNextSessionId` for server 1: session ids do not repeat after a restart.
fn first_session(at_ms: i64) -> SessionId {
    SessionId(((at_ms as u64) << 24) >> 8 | 1 << 56)
}

fn session_timer(session: SessionId) -> Timer {
    Timer { kind: SESSION_TIMER, key: session.0 }
}

fn respond(id: RequestId, response: ZooKeeperResponse, step: &mut Step<'_>) {
    step.effects.respond(id, Response::ZooKeeper(Box::new(response)));
}

fn notify((connection, event): Notification, step: &mut Step<'_>) {
    let id = RequestId { connection, correlation_id: NOTIFICATION };
    step.effects.respond(id, Response::ZooKeeper(Box::new(ZooKeeperResponse::Watched(event))));
}

impl Node for ZooKeeper {
    fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        self.on_input(input, &mut Step { now, effects });
    }
}
