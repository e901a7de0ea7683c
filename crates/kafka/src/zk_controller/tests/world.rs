//! Brokers that are nothing but their controllers, around a real ensemble. Whatever is on its way arrives before a call
//! returns; brokers that live answer every request with success.

use crate::Rng;
use crate::config::BrokerConfig;
use crate::event::EventKind;
use crate::instant::{Duration, Instant, WallClock};
use crate::node::{ConnectionId, Effect, Effects, Identity, Input, Message, Node, NodeId, RequestId};
use crate::spec::HistoricalFaults;
use crate::storage::Disk;
use crate::zk_client::{Answer, Call, ConnectionOwner, Host, HostTimer};
use crate::zk_controller::{ControllerOutput, ControllerRequest, ControllerTag, ElectionOutcome, ZooKeeperController};
use crate::zookeeper::ZooKeeper;
use rand::SeedableRng;
use std::collections::{BTreeMap, VecDeque};
use wire::request::{AlterPartitionData, AlterPartitionRequest, ControlledShutdownRequest, LeaderAndIsrPartition};
use wire::response::{ControlledShutdownResponse, ReplicaStateResponse};
use wire::zookeeper::{
    CreateMode, Operation, OperationResult, PartitionStateData, WatchedEvent, ZnodeData, ZnodePath, ZooKeeperRequest,
    ZooKeeperResponse,
};
use wire::{
    BrokerEpoch, BrokerId, Endpoint, ErrorCode, LeaderRecoveryState, PartitionEpoch, PartitionIndex, Request, Response,
    Timestamp, TopicId, TopicName, TopicPartition,
};

const EPOCH: Timestamp = Timestamp(1_795_230_000_000);

/// Whoever changes ZooKeeper without being a broker.
const ADMIN: i32 = 99;

enum Arrival {
    Answer(i32, ControllerTag, Answer),
    Watched(i32, WatchedEvent),
    Connected(i32, BrokerId, ConnectionId),
    Refused(i32, BrokerId, ConnectionId),
    Response(i32, BrokerId, ConnectionId, i32, Response),
}

/// A broker's process as its controller sees it.
pub(super) struct Process {
    id: i32,
    now: Instant,
    rng: Rng,
    opened: BTreeMap<ConnectionId, BrokerId>,
    sent: Vec<(ConnectionId, i32, Request)>,
    fresh: Vec<ConnectionId>,
    timers: BTreeMap<HostTimer, Instant>,
    events: Vec<EventKind>,
}

impl Host for Process {
    fn now(&self) -> Instant {
        self.now
    }
    fn clock(&self) -> WallClock {
        WallClock { epoch: EPOCH }
    }
    fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }
    fn open(&mut self, owner: ConnectionOwner, _: &Endpoint) -> ConnectionId {
        let ConnectionOwner::ControllerChannel(broker) = owner else { panic!("{owner:?}") };
        let connection = connection(self.id, self.opened.len() as u32 + 10);
        self.opened.insert(connection, broker);
        self.fresh.push(connection);
        connection
    }
    fn close(&mut self, _: ConnectionId) {}
    fn send(&mut self, connection: ConnectionId, correlation_id: i32, request: Request) {
        self.sent.push((connection, correlation_id, request));
    }
    fn set_timer(&mut self, timer: HostTimer, at: Instant) {
        self.timers.insert(timer, at);
    }
    fn cancel_timer(&mut self, timer: HostTimer) {
        self.timers.remove(&timer);
    }
    fn note(&mut self, event: EventKind) {
        self.events.push(event);
    }
}

pub(super) struct Broker {
    controller: ZooKeeperController,
    process: Process,
    connection: ConnectionId,
    epoch: BrokerEpoch,
}

pub(super) struct World {
    now: Instant,
    zookeeper: ZooKeeper,
    brokers: BTreeMap<i32, Broker>,
    arrivals: VecDeque<Arrival>,
    connections: u32,
    faults: HistoricalFaults,
    config: BrokerConfig,
    /// What controllers sent: who, to whom, what.
    pub(super) told: Vec<(i32, i32, Request)>,
    /// What controllers answered.
    pub(super) responses: Vec<Response>,
    /// What came of elections by command.
    pub(super) elected: Vec<ElectionOutcome>,
    /// How often a broker was told to begin a session anew.
    pub(super) sessions_to_begin: u32,
    /// What is on its way stays there.
    is_held: bool,
    /// A broker that lives and answers nothing.
    pub(super) is_deaf: Option<i32>,
}

fn connection(opener: i32, number: u32) -> ConnectionId {
    ConnectionId { opener: NodeId::Server(opener), incarnation: 0, number }
}

pub(super) fn ids(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

pub(super) fn partition(index: i32) -> TopicPartition {
    TopicPartition::new(TopicName::new("t"), PartitionIndex(index))
}

pub(super) const TOPIC_ID: TopicId = TopicId(7);

impl World {
    /// An ensemble with the znodes that every cluster has, and brokers that register one after another.
    pub(super) fn new(brokers: &[i32]) -> World {
        World::with(brokers, HistoricalFaults::default(), &[])
    }

    pub(super) fn with(brokers: &[i32], faults: HistoricalFaults, properties: &[(&str, &str)]) -> World {
        let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let identity = Identity { node: NodeId::ZooKeeper, incarnation: 0, clock: WallClock { epoch: EPOCH } };
        let mut world = World {
            now: Instant::ZERO,
            zookeeper: ZooKeeper::new(identity),
            brokers: BTreeMap::new(),
            arrivals: VecDeque::new(),
            connections: 0,
            faults,
            config: BrokerConfig::from_properties(&properties.collect()).expect("they are legal"),
            told: Vec::new(),
            responses: Vec::new(),
            elected: Vec::new(),
            sessions_to_begin: 0,
            is_held: false,
            is_deaf: None,
        };
        world.zookeeper.step(Instant::ZERO, Input::Started { disk: Disk::default() }, &mut Effects::new());
        world.begin_session(connection(ADMIN, 0));
        let paths = ["/brokers", "/brokers/ids", "/brokers/topics", "/admin", "/admin/delete_topics", "/config"];
        paths.iter().chain(&["/config/topics"]).for_each(|path| world.create(path, ZnodeData::Empty));
        brokers.iter().for_each(|id| world.start(*id));
        world
    }

    fn begin_session(&mut self, connection: ConnectionId) {
        self.zookeeper_step(connection, ZooKeeperRequest::Connect { session: None, timeout_ms: 18_000 });
    }

    /// A broker registers in a new session.
    pub(super) fn start(&mut self, id: i32) {
        self.connections += 1;
        let connection = connection(id, self.connections);
        self.begin_session(connection);
        let process = Process {
            id,
            now: self.now,
            rng: Rng::seed_from_u64(1),
            opened: BTreeMap::new(),
            sent: Vec::new(),
            fresh: Vec::new(),
            timers: BTreeMap::new(),
            events: Vec::new(),
        };
        let controller = ZooKeeperController::new(BrokerId(id), self.config.clone(), self.faults);
        let broker = Broker { controller, process, connection, epoch: BrokerEpoch(-1) };
        self.brokers.insert(id, broker);
        self.register(id);
        self.with_controller(id, |controller, process| controller.on_registered(process));
        self.settle();
    }

    fn register(&mut self, id: i32) {
        let endpoint = Endpoint::new("localhost", 9091 + id as u16);
        let create = Operation::Create {
            path: ZnodePath::new(&format!("/brokers/ids/{id}")),
            data: ZnodeData::Broker { endpoint, rack: None, timestamp: EPOCH },
            mode: CreateMode::Ephemeral,
        };
        let connection = self.brokers[&id].connection;
        let answer = self.zookeeper_step(connection, ZooKeeperRequest::Operation(create));
        let Some(ZooKeeperResponse::Operation { result: Ok(OperationResult::Created { stat, .. }), .. }) = answer
        else {
            panic!("{answer:?}");
        };
        self.brokers.get_mut(&id).expect("it runs").epoch = BrokerEpoch(stat.czxid.0);
    }

    /// A broker's process dies and its session ends.
    pub(super) fn kill(&mut self, id: i32) {
        let broker = self.brokers.remove(&id).expect("it runs");
        self.zookeeper_step(broker.connection, ZooKeeperRequest::CloseSession);
        self.settle();
    }

    /// A broker dies and comes back before anybody has looked.
    pub(super) fn bounce(&mut self, id: i32) {
        let broker = self.brokers.remove(&id).expect("it runs");
        self.zookeeper_step(broker.connection, ZooKeeperRequest::CloseSession);
        self.start(id);
    }

    /// A broker learns that its session has expired, but it does not begin another.
    pub(super) fn expire(&mut self, id: i32) {
        let connection = self.brokers[&id].connection;
        self.zookeeper_step(connection, ZooKeeperRequest::CloseSession);
        // Its connection is gone: it does not hear of what follows.
        self.arrivals.retain(|arrival| !matches!(arrival, Arrival::Watched(to, _) if *to == id));
        self.with_controller(id, |controller, process| controller.on_session_expired(process));
        self.settle();
    }

    pub(super) fn create(&mut self, path: &str, data: ZnodeData) {
        self.admin(Operation::Create { path: ZnodePath::new(path), data, mode: CreateMode::Persistent });
    }

    /// Somebody changes ZooKeeper; what follows from it happens.
    pub(super) fn admin(&mut self, operation: Operation) {
        self.zookeeper_step(connection(ADMIN, 0), ZooKeeperRequest::Operation(operation));
        self.settle();
    }

    fn topic(partitions: &[&[i32]]) -> ZnodeData {
        let replicas = partitions.iter().enumerate().map(|(index, of)| (PartitionIndex(index as i32), ids(of)));
        let partitions = replicas.collect();
        let (adding_replicas, removing_replicas) = Default::default();
        ZnodeData::Topic { topic_id: TOPIC_ID, partitions, adding_replicas, removing_replicas }
    }

    pub(super) fn create_topic(&mut self, partitions: &[&[i32]]) {
        self.create("/brokers/topics/t", World::topic(partitions));
    }

    pub(super) fn enlarge_topic(&mut self, partitions: &[&[i32]]) {
        let path = ZnodePath::new("/brokers/topics/t");
        self.admin(Operation::SetData { path, data: World::topic(partitions), version: None });
    }

    pub(super) fn ask(&mut self, controller: i32, request: ControllerRequest) -> Response {
        self.submit(controller, request);
        self.responses.pop().expect("every request is answered")
    }

    pub(super) fn submit(&mut self, controller: i32, request: ControllerRequest) {
        let id = RequestId { connection: connection(98, 0), correlation_id: 0 };
        self.with_controller(controller, |controller, process| controller.on_request(id, request, process));
        self.settle();
    }

    /// The leader of a partition proposes in-sync replicas to the controller, knowing its state as it is.
    pub(super) fn propose_isr(&mut self, index: i32, isr: &[i32]) {
        let controller = self.brokers.keys().copied().find(|id| self.controller_epoch(*id).is_some());
        let state = self.state_data(index);
        let leader = state.leader.expect("somebody leads");
        let path = ZnodePath::new(&format!("/brokers/topics/t/partitions/{index}/state"));
        let version = self.zookeeper.view().database.znode(&path).expect("it has a state").version;
        let data = AlterPartitionData {
            topic_id: TOPIC_ID,
            partition: partition(index),
            leader_epoch: state.leader_epoch,
            partition_epoch: PartitionEpoch(version.0),
            leader_recovery_state: LeaderRecoveryState::Recovered,
            new_isr: ids(isr).into_iter().map(|broker| (broker, BrokerEpoch::NONE)).collect(),
        };
        let broker_epoch = self.epoch_of(leader.0);
        let request = AlterPartitionRequest { broker_id: leader, broker_epoch, partitions: vec![data] };
        let controller = controller.expect("somebody is the controller");
        match self.ask(controller, ControllerRequest::AlterPartition(request)) {
            Response::AlterPartition(response) => assert_eq!(response.partitions[0].error, ErrorCode::None),
            other => panic!("{other:?}"),
        }
    }

    /// The controller hears that unclean elections are allowed now: by the topic, or by the default of all brokers.
    pub(super) fn allow_unclean_elections(&mut self, controller: i32, is_for_topic: bool) {
        let configs = BTreeMap::from([("unclean.leader.election.enable".to_owned(), "true".to_owned())]);
        let topic = is_for_topic.then(|| TopicName::new("t"));
        if is_for_topic {
            self.create("/config/topics/t", ZnodeData::Config(configs.clone()));
        }
        self.with_controller(controller, |controller, process| {
            if !is_for_topic {
                controller.configure(BrokerConfig::from_properties(&configs).expect("they are legal"));
            }
            controller.on_unclean_election_enabled(topic, process);
        });
        self.settle();
    }

    /// Error and remaining partitions of a controlled shutdown.
    pub(super) fn shut_down(&mut self, controller: i32, broker: i32) -> (ErrorCode, usize) {
        let broker_epoch = self.epoch_of(broker);
        let request = ControlledShutdownRequest { broker_id: BrokerId(broker), broker_epoch };
        match self.ask(controller, ControllerRequest::ControlledShutdown(request)) {
            Response::ControlledShutdown(ControlledShutdownResponse { error, remaining_partitions }) => {
                (error, remaining_partitions.len())
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn epoch_of(&self, broker: i32) -> BrokerEpoch {
        self.brokers[&broker].epoch
    }

    pub(super) fn controller_epoch(&self, broker: i32) -> Option<i32> {
        self.brokers[&broker].controller.view().map(|view| view.controller_epoch)
    }

    pub(super) fn events_of(&self, broker: i32) -> &[EventKind] {
        &self.brokers[&broker].process.events
    }

    /// Lets the time pass until a broker's timer fires.
    pub(super) fn wait_for(&mut self, broker: i32, timer: HostTimer) -> i64 {
        let process = &mut self.brokers.get_mut(&broker).expect("it runs").process;
        let at = process.timers.remove(&timer).expect("the timer is set");
        let waited = at.since(self.now);
        self.now = at;
        self.with_controller(broker, |controller, process| controller.on_timer(timer, process));
        self.settle();
        waited.as_ms()
    }

    pub(super) fn pass(&mut self, ms: i64) {
        self.now = self.now + Duration::from_ms(ms);
    }

    pub(super) fn znode(&self, path: &str) -> Option<ZnodeData> {
        self.zookeeper.view().database.znode(&ZnodePath::new(path)).map(|znode| znode.data.clone())
    }

    /// Leader, leader epoch and in-sync replicas of a partition as ZooKeeper has them.
    pub(super) fn state(&self, index: i32) -> (i32, i32, Vec<i32>) {
        let PartitionStateData { leader, leader_epoch, isr, .. } = self.state_data(index);
        let isr = isr.iter().map(|broker| broker.0).collect();
        (leader.map_or(-1, |leader| leader.0), leader_epoch.0, isr)
    }

    pub(super) fn state_data(&self, index: i32) -> PartitionStateData {
        match self.znode(&format!("/brokers/topics/t/partitions/{index}/state")) {
            Some(ZnodeData::PartitionState(state)) => state,
            other => panic!("{other:?}"),
        }
    }

    /// The last that a broker was told about a partition.
    pub(super) fn last_told(&self, broker: i32, index: i32) -> LeaderAndIsrPartition {
        let told = self.told.iter().rev().find_map(|(_, to, request)| match request {
            Request::LeaderAndIsr(request) if *to == broker => {
                request.partitions.iter().find(|told| told.partition == partition(index)).cloned()
            }
            _ => None,
        });
        told.expect("it was told")
    }

    fn with_controller(&mut self, id: i32, call: impl FnOnce(&mut ZooKeeperController, &mut Process)) {
        let broker = self.brokers.get_mut(&id).expect("it runs");
        broker.process.now = self.now;
        call(&mut broker.controller, &mut broker.process);
        let connection = broker.connection;
        let outputs = broker.controller.drain_outputs();
        let fresh: Vec<ConnectionId> = broker.process.fresh.drain(..).collect();
        let sent: Vec<_> = broker.process.sent.drain(..).collect();
        fresh.into_iter().for_each(|fresh| self.connect(id, fresh));
        sent.into_iter().for_each(|(on, correlation_id, request)| self.deliver(id, on, correlation_id, request));
        outputs.into_iter().for_each(|output| self.carry_out(id, connection, output));
    }

    fn carry_out(&mut self, id: i32, connection: ConnectionId, output: ControllerOutput) {
        match output {
            ControllerOutput::Ask { tag, call } => {
                let request = match call {
                    Call::Operation(operation) => ZooKeeperRequest::Operation(operation),
                    Call::Multi(operations) => ZooKeeperRequest::Multi(operations),
                };
                let answer = match self.zookeeper_step(connection, request) {
                    Some(ZooKeeperResponse::Operation { result, .. }) => Answer::Operation(result),
                    Some(ZooKeeperResponse::Multi { result, .. }) => Answer::Multi(result),
                    other => panic!("{other:?}"),
                };
                self.arrivals.push_back(Arrival::Answer(id, tag, answer));
            }
            ControllerOutput::Respond { response, .. } => self.responses.push(response),
            ControllerOutput::Elected { outcome, .. } => self.elected.push(outcome),
            ControllerOutput::BeginSession => self.sessions_to_begin += 1,
        }
    }

    fn connect(&mut self, from: i32, connection: ConnectionId) {
        let to = self.brokers[&from].process.opened[&connection];
        let arrival = if self.brokers.contains_key(&to.0) { Arrival::Connected } else { Arrival::Refused };
        self.arrivals.push_back(arrival(from, to, connection));
    }

    fn deliver(&mut self, from: i32, connection: ConnectionId, correlation_id: i32, request: Request) {
        let to = self.brokers[&from].process.opened[&connection];
        if !self.brokers.contains_key(&to.0) {
            return self.arrivals.push_back(Arrival::Refused(from, to, connection));
        }
        let success = |partitions: Vec<TopicPartition>| ReplicaStateResponse {
            error: ErrorCode::None,
            partitions: partitions.into_iter().map(|partition| (partition, ErrorCode::None)).collect(),
        };
        let response = match &request {
            Request::LeaderAndIsr(request) => {
                Response::LeaderAndIsr(success(request.partitions.iter().map(|told| told.partition.clone()).collect()))
            }
            Request::StopReplica(request) => {
                Response::StopReplica(success(request.partitions.iter().map(|told| told.partition.clone()).collect()))
            }
            Request::UpdateMetadata(_) => Response::UpdateMetadata(ErrorCode::None),
            other => panic!("{other:?}"),
        };
        self.told.push((from, to.0, request));
        if self.is_deaf == Some(to.0) {
            return;
        }
        self.arrivals.push_back(Arrival::Response(from, to, connection, correlation_id, response));
    }

    /// One request to ZooKeeper. Returns its answer; watches that fire are on their way.
    fn zookeeper_step(&mut self, from: ConnectionId, request: ZooKeeperRequest) -> Option<ZooKeeperResponse> {
        let mut effects = Effects::new();
        let message = Message::Request { correlation_id: 1, request: Request::ZooKeeper(Box::new(request)) };
        self.zookeeper.step(
            self.now,
            Input::Received { connection: from, listener: crate::node::Listener::Plaintext, message },
            &mut effects,
        );
        let mut answer = None;
        for effect in effects.drain() {
            let Effect::Send { connection, message: Message::Response { response, .. } } = effect else { continue };
            let Response::ZooKeeper(response) = response else { panic!("ZooKeeper speaks its own protocol") };
            match (*response, connection.opener) {
                (ZooKeeperResponse::Watched(event), NodeId::Server(id)) => {
                    self.arrivals.push_back(Arrival::Watched(id, event));
                }
                (response, _) => answer = Some(response),
            }
        }
        answer
    }

    /// Nothing arrives at brokers until the other controller has moved in; then everything does.
    pub(super) fn while_the_controller_moves(&mut self, happen: impl FnOnce(&mut World)) {
        self.is_held = true;
        happen(self);
        let path = ZnodePath::new("/controller");
        self.admin(Operation::Delete { path: path.clone(), version: None });
        let data = ZnodeData::Controller { broker_id: BrokerId(99), timestamp: EPOCH };
        self.admin(Operation::Create { path, data, mode: CreateMode::Persistent });
        let path = ZnodePath::new("/controller_epoch");
        self.admin(Operation::SetData { path, data: ZnodeData::ControllerEpoch(2), version: None });
        self.is_held = false;
        self.settle();
    }

    /// A broker's session expires while the controller there waits for ZooKeeper's answers about a request.
    pub(super) fn expire_while_asked(&mut self, controller: i32, request: ControllerRequest) {
        self.is_held = true;
        self.submit(controller, request);
        self.arrivals.clear();
        self.is_held = false;
        self.expire(controller);
    }

    /// A broker dies, and of what follows only so much happens.
    pub(super) fn kill_and_see_some(&mut self, id: i32, arrivals: usize) {
        self.is_held = true;
        self.kill(id);
        for _ in 0..arrivals {
            let arrival = self.arrivals.pop_front().expect("it goes on and on");
            self.arrive(arrival);
        }
        self.is_held = false;
    }

    fn settle(&mut self) {
        if self.is_held {
            return;
        }
        while let Some(arrival) = self.arrivals.pop_front() {
            self.arrive(arrival);
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        let to = match &arrival {
            Arrival::Answer(to, ..)
            | Arrival::Watched(to, _)
            | Arrival::Connected(to, ..)
            | Arrival::Refused(to, ..)
            | Arrival::Response(to, ..) => *to,
        };
        if !self.brokers.contains_key(&to) {
            return;
        }
        self.with_controller(to, |controller, process| match arrival {
            Arrival::Answer(_, tag, answer) => controller.on_answer(tag, answer, process),
            Arrival::Watched(_, event) => controller.on_watched(&event, process),
            Arrival::Connected(_, broker, connection) => controller.on_connected(broker, connection, process),
            Arrival::Refused(_, broker, connection) => controller.on_disconnected(broker, connection, process),
            Arrival::Response(_, broker, connection, correlation_id, response) => {
                controller.on_response(broker, (connection, correlation_id), &response, process);
            }
        });
    }
}
