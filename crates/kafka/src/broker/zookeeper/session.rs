//! The broker's session with ZooKeeper: what it asks there, whom an answer is for, and the process as the parts that need
//! connections and timers see it.

use super::super::channel::{Outbound, Owner};
use super::super::{Broker, Step, timers};
use super::Ask;
use crate::Rng;
use crate::event::{BrokerEvent, EventKind};
use crate::instant::{Instant, WallClock};
use crate::node::ConnectionId;
use crate::zk_client::{Answer, Call, ConnectionOwner, Host, HostTimer, SessionEvent, ZooKeeperClient};
use crate::zk_data;
use std::collections::BTreeMap;
use wire::zookeeper::{Operation, OperationResult, SessionId, WatchedEvent, ZnodeData, ZooKeeperError};
use wire::{Endpoint, Request, Response};

/// This process, as a part of it sees it.
pub(super) struct Process<'a, 'b> {
    clock: WallClock,
    outbound: &'a mut Outbound,
    step: &'a mut Step<'b>,
}

impl<'a, 'b> Process<'a, 'b> {
    /// The process in one of its steps.
    pub(super) fn new(clock: WallClock, outbound: &'a mut Outbound, step: &'a mut Step<'b>) -> Process<'a, 'b> {
        Process { clock, outbound, step }
    }
}

impl Host for Process<'_, '_> {
    fn now(&self) -> Instant {
        self.step.now
    }

    fn clock(&self) -> WallClock {
        self.clock
    }

    fn rng(&mut self) -> &mut Rng {
        &mut self.outbound.rng
    }

    fn open(&mut self, owner: ConnectionOwner, endpoint: &Endpoint) -> ConnectionId {
        let connection = self.outbound.open(Owner::Part(owner));
        self.step.effects.connect(connection, endpoint.clone());
        connection
    }

    fn close(&mut self, connection: ConnectionId) {
        self.outbound.forget(connection);
        self.step.effects.close(connection);
    }

    fn send(&mut self, connection: ConnectionId, correlation_id: i32, request: Request) {
        self.step.effects.request(connection, correlation_id, request);
    }

    fn set_timer(&mut self, timer: HostTimer, at: Instant) {
        self.step.effects.set_timer(timers::of_part(timer), at);
    }

    fn cancel_timer(&mut self, timer: HostTimer) {
        self.step.effects.cancel_timer(timers::of_part(timer));
    }

    fn note(&mut self, event: EventKind) {
        self.step.effects.note(event);
    }
}

impl Broker {
    /// The session, and the process around it.
    fn session<'a, 'b>(&'a mut self, step: &'a mut Step<'b>) -> (&'a mut ZooKeeperClient<Ask>, Process<'a, 'b>) {
        let process = Process::new(self.setup.wall_clock, &mut self.outbound, step);
        (&mut self.membership.zookeeper_mut().session, process)
    }

    /// Begins a session.
    pub(super) fn begin_session(&mut self, step: &mut Step<'_>) {
        let (session, mut process) = self.session(step);
        session.begin(&mut process);
    }

    /// Ends the session, if there is one.
    pub(super) fn end_session(&mut self, step: &mut Step<'_>) {
        let (session, mut process) = self.session(step);
        session.close(&mut process);
    }

    /// Whether that is this broker's session.
    pub(super) fn is_own_session(&self, owner: Option<SessionId>) -> bool {
        owner.is_some() && owner == self.membership.zookeeper().session.session()
    }

    /// Asks ZooKeeper something.
    pub(super) fn ask_zookeeper(&mut self, ask: Ask, operation: Operation, step: &mut Step<'_>) {
        self.call_zookeeper(ask, Call::Operation(operation), step);
    }

    /// Asks ZooKeeper for several things or none.
    pub(super) fn ask_zookeeper_all(&mut self, ask: Ask, operations: Vec<Operation>, step: &mut Step<'_>) {
        self.call_zookeeper(ask, Call::Multi(operations), step);
    }

    /// Asks ZooKeeper one thing or several.
    pub(super) fn call_zookeeper(&mut self, ask: Ask, call: Call, step: &mut Step<'_>) {
        let (session, mut process) = self.session(step);
        session.submit(ask, call, &mut process);
    }

    /// A part's connection is established.
    pub(in super::super) fn on_part_connected(
        &mut self,
        owner: ConnectionOwner,
        connection: ConnectionId,
        step: &mut Step<'_>,
    ) {
        match owner {
            ConnectionOwner::ZooKeeper => {
                let (session, mut process) = self.session(step);
                session.on_connected(connection, &mut process);
            }
            ConnectionOwner::ControllerChannel(broker) => {
                self.at_controller(step, |controller, process| controller.on_connected(broker, connection, process));
            }
        }
    }

    /// A part's connection is gone.
    pub(in super::super) fn on_part_disconnected(
        &mut self,
        owner: ConnectionOwner,
        connection: ConnectionId,
        step: &mut Step<'_>,
    ) {
        self.outbound.forget(connection);
        match owner {
            ConnectionOwner::ZooKeeper => {
                let (session, mut process) = self.session(step);
                let events = session.on_disconnected(connection, &mut process);
                self.on_session_events(events, step);
            }
            ConnectionOwner::ControllerChannel(broker) => {
                self.at_controller(step, |controller, process| {
                    controller.on_disconnected(broker, connection, process);
                });
            }
        }
    }

    /// A part got an answer.
    pub(in super::super) fn on_part_response(
        &mut self,
        owner: ConnectionOwner,
        answer: (ConnectionId, i32),
        response: Response,
        step: &mut Step<'_>,
    ) {
        match (owner, response) {
            (ConnectionOwner::ZooKeeper, Response::ZooKeeper(response)) => {
                let (session, mut process) = self.session(step);
                let events = session.on_response(answer.0, *response, &mut process);
                self.on_session_events(events, step);
            }
            (ConnectionOwner::ControllerChannel(broker), response) => {
                self.at_controller(step, |controller, process| {
                    controller.on_response(broker, answer, &response, process);
                });
            }
            (ConnectionOwner::ZooKeeper, response) => unreachable!("ZooKeeper answered with {response:?}"),
        }
    }

    /// A ping is due, or time to give up or to connect again.
    pub(in super::super) fn on_session_timer(&mut self, step: &mut Step<'_>) {
        let (session, mut process) = self.session(step);
        let events = session.on_timer(&mut process);
        self.on_session_events(events, step);
    }

    fn on_session_events(&mut self, events: Vec<SessionEvent<Ask>>, step: &mut Step<'_>) {
        for event in events {
            match event {
                SessionEvent::Began { .. } => self.on_session_began(step),
                SessionEvent::Disconnected | SessionEvent::Reconnected => {}
                SessionEvent::Expired => self.on_session_expired(step),
                SessionEvent::Answered { tag, answer } => self.on_zookeeper_answer(tag, answer, step),
                SessionEvent::Watched(event) => self.on_watched(&event, step),
            }
        }
    }

    /// The registration is gone. The next session is begun once the controller here has resigned.
    fn on_session_expired(&mut self, step: &mut Step<'_>) {
        step.effects.note(EventKind::Broker(BrokerEvent::SessionExpired));
        self.at_controller(step, |controller, process| controller.on_session_expired(process));
    }

    fn on_watched(&mut self, event: &WatchedEvent, step: &mut Step<'_>) {
        if &*event.path.0 == zk_data::CONFIG_CHANGES {
            self.look_for_config_changes(step);
        }
        self.at_controller(step, |controller, process| controller.on_watched(event, process));
    }

    fn on_zookeeper_answer(&mut self, ask: Ask, answer: Answer, step: &mut Step<'_>) {
        match (ask, answer) {
            (Ask::Controller(tag), answer) => {
                self.at_controller(step, |controller, process| controller.on_answer(tag, answer, process));
            }
            (ask, Answer::Operation(result)) => self.on_operation(ask, result, step),
            (Ask::ConfigWrite(ask), Answer::Multi(result)) => self.on_configs_written(ask, result, step),
            (_, Answer::Multi(result)) => self.on_register(result, step),
            (ask, Answer::SessionExpired) => self.on_question_lost(ask, step),
        }
    }

    fn on_operation(&mut self, ask: Ask, result: Result<OperationResult, ZooKeeperError>, step: &mut Step<'_>) {
        match (ask, result) {
            (Ask::TopLevelPath, _) => {}
            (Ask::Register | Ask::Controller(_), _) => unreachable!("the broker's own single operations end here"),
            (Ask::Registered, result) => self.on_earlier_registration(result, step),
            (Ask::TopicConfigs(topic), read) => self.on_topic_configs(&topic, configs_of(read), step),
            (Ask::ChangedTopicConfigs(topic), read) => self.on_changed_topic_configs(topic, configs_of(read), step),
            (Ask::BrokerConfigs(broker), read) => self.on_broker_configs(broker, configs_of(read), step),
            (Ask::ConfigWrite(ask), result) => self.on_config_write(ask, result, step),
            (Ask::ConfigChanges, Ok(OperationResult::Children { names, .. })) => self.on_config_changes(&names, step),
            (Ask::ConfigChange, Ok(OperationResult::Data { data: ZnodeData::ConfigChange { entity_path }, .. })) => {
                self.on_config_change(&entity_path, step);
            }
            (Ask::OldConfigChange(name), Ok(OperationResult::Data { stat, .. })) => {
                self.purge_config_change(&name, stat.ctime, step);
            }
            (Ask::ConfigChanges | Ask::ConfigChange | Ask::OldConfigChange(_) | Ask::ObsoleteConfigChange, _) => {}
            (Ask::Admin(number, ask), result) => self.on_admin_answer(number, ask, result, step),
        }
    }

    /// The session expired before the answer came. What the next session asks anyway is not asked twice.
    fn on_question_lost(&mut self, ask: Ask, step: &mut Step<'_>) {
        match ask {
            Ask::TopLevelPath
            | Ask::Register
            | Ask::Registered
            | Ask::ConfigChanges
            | Ask::ConfigChange
            | Ask::OldConfigChange(_)
            | Ask::ObsoleteConfigChange => {}
            Ask::Controller(_) => unreachable!("the controller hears of it itself"),
            Ask::TopicConfigs(topic) => self.read_configs(topic, step),
            Ask::ChangedTopicConfigs(topic) => self.read_changed_configs(topic, step),
            Ask::BrokerConfigs(broker) => self.read_broker_configs(broker, step),
            Ask::ConfigWrite(ask) => self.on_config_question_lost(ask, step),
            Ask::Admin(number, _) => self.on_admin_question_lost(number, step),
        }
    }
}

/// What is set; nothing where there is no znode.
fn configs_of(read: Result<OperationResult, ZooKeeperError>) -> BTreeMap<String, String> {
    match read {
        Ok(OperationResult::Data { data: ZnodeData::Config(configs), .. }) => configs,
        Ok(_) | Err(_) => BTreeMap::new(),
    }
}
