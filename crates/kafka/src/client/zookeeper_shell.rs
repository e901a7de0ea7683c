//! `zookeeper-shell`: a session with ZooKeeper in which one command is carried out after another (`ZooKeeperMain` over
//! `ClientCnxn`). Only what reads is simulated; ACLs, quotas and watches are not.

use super::alarm::Alarm;
use crate::Rng;
use crate::event::{AdminAnswer, ClientEvent, ConnectionEnd, EventKind, ZooKeeperFound, ZooKeeperTold};
use crate::instant::{Duration, Instant};
use crate::node::{ConnectionId, Effects, ExitStatus, Identity, Input, Instruction, Message, NodeId};
use crate::spec::{ClientSpec, ZooKeeperCommand};
use crate::view::AdminView;
use rand::RngExt;
use wire::zookeeper::{
    Operation, OperationResult, SessionId, ZnodePath, ZooKeeperError, ZooKeeperRequest, ZooKeeperResponse,
};
use wire::{Endpoint, Request, Response};

/// `-timeout`.
const SESSION_TIMEOUT_MS: i32 = 30_000;
/// How long the client waits for an answer: two thirds of the session's timeout.
const READ_TIMEOUT: Duration = Duration(20_000_000);
/// With what a shell ends that was given no command of ZooKeeper's.
const COMMAND_NOT_FOUND: ExitStatus = ExitStatus(127);
/// Before it connects again it sleeps up to so long.
const RECONNECT_MS: i64 = 1_000;

#[derive(Clone, Copy, Debug)]
enum State {
    Sleeping { until: Instant },
    Connecting { connection: ConnectionId, since: Instant },
    Connected { connection: ConnectionId, since: Instant },
}

/// A tree that is being listed: what is still to be visited, the next one last.
#[derive(Clone, Debug, Default)]
struct Walk {
    to_visit: Vec<ZnodePath>,
    found: Vec<ZnodePath>,
}

/// A `zookeeper-shell` process.
#[derive(Clone, Debug)]
pub(super) struct ZooKeeperShell {
    client_id: String,
    ensemble: Endpoint,
    opener: (NodeId, u32),
    commands: Vec<ZooKeeperCommand>,
    /// The command at work.
    next: usize,
    walk: Walk,
    session: Option<SessionId>,
    state: State,
    connections_opened: u32,
    correlation_id: i32,
    status: ExitStatus,
    alarm: Alarm,
    has_ended: bool,
    rng: Rng,
}

impl ZooKeeperShell {
    /// A process that has not started yet.
    pub(super) fn new(
        spec: ClientSpec,
        commands: Vec<ZooKeeperCommand>,
        identity: &Identity,
        rng: Rng,
    ) -> ZooKeeperShell {
        ZooKeeperShell {
            client_id: spec.client_id,
            ensemble: spec.bootstrap_servers.first().cloned().expect("the tool was told where ZooKeeper is"),
            opener: (identity.node, identity.incarnation),
            commands,
            next: 0,
            walk: Walk::default(),
            session: None,
            state: State::Sleeping { until: Instant::ZERO },
            connections_opened: 0,
            correlation_id: 0,
            status: ExitStatus(0),
            alarm: Alarm::default(),
            has_ended: false,
            rng,
        }
    }

    /// What an onlooker may see.
    pub(super) fn view(&self) -> AdminView {
        let call = match self.commands.get(self.next) {
            Some(ZooKeeperCommand::List { .. }) => "ls",
            Some(ZooKeeperCommand::Get(_)) => "get",
            Some(ZooKeeperCommand::Stat(_)) => "stat",
            Some(ZooKeeperCommand::Local(_) | ZooKeeperCommand::Quit) | None => "",
        };
        let bootstrap_servers = vec![self.ensemble.clone()];
        AdminView { client_id: self.client_id.clone(), call, topic: None, bootstrap_servers }
    }

    /// Handles one input completely.
    pub(super) fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        if self.has_ended {
            return;
        }
        match input {
            Input::Started { .. } => self.start(now, effects),
            Input::TimerFired { .. } => {
                self.alarm.on_fired();
                self.on_alarm(now, effects);
            }
            Input::Connected { connection } if Some(connection) == self.connection() => {
                let session = self.session;
                self.send(ZooKeeperRequest::Connect { session, timeout_ms: SESSION_TIMEOUT_MS }, effects);
            }
            Input::Disconnected { connection } if Some(connection) == self.connection() => {
                let end = match self.state {
                    State::Connected { .. } => ConnectionEnd::Closed,
                    State::Connecting { .. } | State::Sleeping { .. } => ConnectionEnd::Refused,
                };
                self.lose_connection(end, now, effects);
            }
            Input::Received { message: Message::Response { response: Response::ZooKeeper(response), .. }, .. } => {
                self.on_response(*response, now, effects);
            }
            Input::Told(Instruction::Interrupt) => self.end(ExitStatus(130), effects),
            Input::Told(Instruction::ShutDown) => self.end(ExitStatus(143), effects),
            Input::Received { .. }
            | Input::Connected { .. }
            | Input::Disconnected { .. }
            | Input::ClockSet(_)
            | Input::Told(Instruction::Produce(_) | Instruction::EndOfInput) => {}
        }
        let wake_at = match self.state {
            State::Sleeping { until } => until,
            State::Connecting { since, .. } | State::Connected { since, .. } => since + READ_TIMEOUT,
        };
        self.alarm.set(now, (!self.has_ended).then_some(wake_at), effects);
    }

    /// What does not fit is said before there is a connection; the list of commands takes longer to print.
    fn start(&mut self, now: Instant, effects: &mut Effects) {
        while let Some(ZooKeeperCommand::Local(status)) = self.commands.get(self.next)
            && *status != COMMAND_NOT_FOUND
        {
            self.end_local(*status, effects);
        }
        match self.commands.get(self.next) {
            Some(_) => self.connect(now, effects),
            None => self.exit(effects),
        }
    }

    fn end_local(&mut self, status: ExitStatus, effects: &mut Effects) {
        self.status = status;
        tell(ZooKeeperTold::Ended { command: self.next, found: Ok(ZooKeeperFound::Nothing) }, effects);
        self.next += 1;
    }

    fn connection(&self) -> Option<ConnectionId> {
        match self.state {
            State::Sleeping { .. } => None,
            State::Connecting { connection, .. } | State::Connected { connection, .. } => Some(connection),
        }
    }

    fn connect(&mut self, now: Instant, effects: &mut Effects) {
        let (opener, incarnation) = self.opener;
        let connection = ConnectionId { opener, incarnation, number: self.connections_opened };
        self.connections_opened += 1;
        self.state = State::Connecting { connection, since: now };
        effects.connect(connection, self.ensemble.clone());
    }

    fn on_alarm(&mut self, now: Instant, effects: &mut Effects) {
        match self.state {
            State::Sleeping { until } if now >= until => self.connect(now, effects),
            State::Connecting { since, connection } | State::Connected { since, connection }
                if now >= since + READ_TIMEOUT =>
            {
                effects.close(connection);
                self.lose_connection(ConnectionEnd::TimedOut { after_ms: now.as_ms() - since.as_ms() }, now, effects);
            }
            State::Sleeping { .. } | State::Connecting { .. } | State::Connected { .. } => {}
        }
    }

    /// Whatever waits for an answer gets none: its command ends.
    fn lose_connection(&mut self, end: ConnectionEnd, now: Instant, effects: &mut Effects) {
        tell(ZooKeeperTold::Disconnected { session: self.session, end }, effects);
        let pause = self.rng.random_range(0..RECONNECT_MS);
        self.state = State::Sleeping { until: now + Duration::from_ms(pause) };
        self.end_command(Err(None), effects);
        if self.next == self.commands.len() {
            self.exit(effects);
        }
    }

    fn on_response(&mut self, response: ZooKeeperResponse, now: Instant, effects: &mut Effects) {
        match response {
            ZooKeeperResponse::Connected { session, .. } => {
                self.session = Some(session);
                if let State::Connecting { connection, .. } = self.state {
                    self.state = State::Connected { connection, since: now };
                }
                tell(ZooKeeperTold::Connected, effects);
                self.go_on(now, effects);
            }
            ZooKeeperResponse::SessionExpired => {
                self.session = None;
                self.end_command(Err(Some(ZooKeeperError::SessionExpired)), effects);
                self.exit(effects);
            }
            ZooKeeperResponse::Operation { result, .. } => self.on_result(result, now, effects),
            ZooKeeperResponse::Pong
            | ZooKeeperResponse::SessionClosed
            | ZooKeeperResponse::Multi { .. }
            | ZooKeeperResponse::WatchesSet
            | ZooKeeperResponse::Watched(_) => {}
        }
    }

    /// Carries out commands up to the next that has to wait for an answer.
    fn go_on(&mut self, now: Instant, effects: &mut Effects) {
        loop {
            let operation = match self.commands.get(self.next) {
                None => return self.exit(effects),
                Some(ZooKeeperCommand::Quit) => {
                    self.send(ZooKeeperRequest::CloseSession, effects);
                    tell(ZooKeeperTold::Closed, effects);
                    return self.exit(effects);
                }
                Some(ZooKeeperCommand::Local(status)) => {
                    self.end_local(*status, effects);
                    continue;
                }
                Some(ZooKeeperCommand::Stat(path)) => Operation::Exists { path: path.clone(), watch: false },
                Some(ZooKeeperCommand::List { path, is_recursive: false }) => {
                    Operation::GetChildren { path: path.clone(), watch: false }
                }
                Some(ZooKeeperCommand::Get(path) | ZooKeeperCommand::List { path, is_recursive: true }) => {
                    Operation::GetData { path: path.clone(), watch: false }
                }
            };
            return self.ask(operation, now, effects);
        }
    }

    fn ask(&mut self, operation: Operation, now: Instant, effects: &mut Effects) {
        if let State::Connected { since, .. } = &mut self.state {
            *since = now;
        }
        self.send(ZooKeeperRequest::Operation(operation), effects);
    }

    fn on_result(&mut self, result: Result<OperationResult, ZooKeeperError>, now: Instant, effects: &mut Effects) {
        let Some(command) = self.commands.get(self.next) else { return };
        let root = match command {
            ZooKeeperCommand::List { path, is_recursive: true } => Some(path.clone()),
            ZooKeeperCommand::List { .. }
            | ZooKeeperCommand::Get(_)
            | ZooKeeperCommand::Stat(_)
            | ZooKeeperCommand::Local(_)
            | ZooKeeperCommand::Quit => None,
        };
        let found = match (root, result) {
            (None, Ok(result)) => Ok(found(result)),
            (Some(root), Ok(OperationResult::Data { .. })) => {
                self.walk = Walk { to_visit: vec![root.clone()], found: vec![root] };
                return self.visit_next(now, effects);
            }
            (Some(_), Ok(OperationResult::Children { names, .. })) => return self.on_children(&names, now, effects),
            (Some(_), Err(_)) if !self.walk.found.is_empty() => return self.on_children(&[], now, effects),
            (_, Err(error)) => Err(Some(error)),
            (Some(_), Ok(_)) => return,
        };
        self.end_command(found, effects);
        self.go_on(now, effects);
    }

    fn on_children(&mut self, names: &[String], now: Instant, effects: &mut Effects) {
        let Some(parent) = self.walk.to_visit.pop() else { return };
        let parent = parent.0.trim_end_matches('/');
        let children: Vec<ZnodePath> = names.iter().map(|name| ZnodePath::new(&format!("{parent}/{name}"))).collect();
        self.walk.found.extend(children.iter().cloned());
        self.walk.to_visit.extend(children.into_iter().rev());
        self.visit_next(now, effects);
    }

    /// A znode's children are listed before the children of any of them.
    fn visit_next(&mut self, now: Instant, effects: &mut Effects) {
        match self.walk.to_visit.last().cloned() {
            Some(path) => self.ask(Operation::GetChildren { path, watch: false }, now, effects),
            None => {
                let found = std::mem::take(&mut self.walk).found;
                self.end_command(Ok(ZooKeeperFound::Tree(found)), effects);
                self.go_on(now, effects);
            }
        }
    }

    fn end_command(&mut self, found: Result<ZooKeeperFound, Option<ZooKeeperError>>, effects: &mut Effects) {
        self.status = ExitStatus(i32::from(found.is_err()));
        self.walk = Walk::default();
        tell(ZooKeeperTold::Ended { command: self.next, found }, effects);
        self.next += 1;
    }

    fn send(&mut self, request: ZooKeeperRequest, effects: &mut Effects) {
        if let Some(connection) = self.connection() {
            self.correlation_id += 1;
            effects.request(connection, self.correlation_id, Request::ZooKeeper(Box::new(request)));
        }
    }

    fn exit(&mut self, effects: &mut Effects) {
        tell(ZooKeeperTold::Exiting(self.status), effects);
        self.end(self.status, effects);
    }

    fn end(&mut self, status: ExitStatus, effects: &mut Effects) {
        self.has_ended = true;
        effects.exit(status);
    }
}

fn found(result: OperationResult) -> ZooKeeperFound {
    match result {
        OperationResult::Exists(stat) => ZooKeeperFound::Stat(stat),
        OperationResult::Data { data, stat } => ZooKeeperFound::Data { data, stat },
        OperationResult::Children { names, stat } => ZooKeeperFound::Children { names, stat },
        OperationResult::Created { .. }
        | OperationResult::Deleted
        | OperationResult::DataSet(_)
        | OperationResult::Checked => ZooKeeperFound::Nothing,
    }
}

fn tell(told: ZooKeeperTold, effects: &mut Effects) {
    let answer = Box::new(AdminAnswer::ZooKeeper(told));
    effects.note(EventKind::Client(ClientEvent::AdminAnswered(answer)));
}
