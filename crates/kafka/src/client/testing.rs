//! A world for one client program in tests: brokers that answer at once, as the test tells them to.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test names what it expects; the rest is wrong or of no interest")]

use super::Client;
use crate::Rng;
use crate::event::{ClientEvent, ClientLog, EventKind};
use crate::instant::{Duration, Instant, WallClock};
use crate::node::{
    ConnectionId, Effect, Effects, ExitStatus, Identity, Input, Instruction, Message, Node, NodeId, ProducerRecord,
    Timer,
};
use crate::spec::{ClientSpec, Program};
use crate::storage::Disk;
use rand::SeedableRng;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wire::response::{
    ApiVersionsResponse, ListenerKind, MetadataBroker, MetadataPartition, MetadataResponse, MetadataTopic,
};
use wire::{
    BrokerId, Bytes, Endpoint, ErrorCode, LeaderEpoch, PartitionIndex, Request, Response, Timestamp, TopicId,
    TopicName, TopicPartition,
};

pub(super) const T0: Timestamp = Timestamp(1_700_000_000_000);

/// A request as a broker sees it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) at: Instant,
    pub(super) port: u16,
    pub(super) connection: ConnectionId,
    pub(super) correlation_id: i32,
    pub(super) request: Request,
}

/// A client program and the world around it.
pub(super) struct World {
    pub(super) client: Client,
    pub(super) now: Instant,
    pub(super) up: BTreeSet<u16>,
    pub(super) listener: ListenerKind,
    pub(super) asked: VecDeque<Asked>,
    pub(super) events: Vec<(Instant, ClientEvent)>,
    pub(super) exit: Option<ExitStatus>,
    pub(super) closed: u32,
    /// How often the program's timer went off.
    pub(super) wake_ups: u32,
    connections: BTreeMap<ConnectionId, u16>,
    opening: VecDeque<ConnectionId>,
    timer: Option<(Timer, Instant)>,
}

impl World {
    /// Starts a program; brokers listen on `up`.
    pub(super) fn start(program: Program, bootstrap: &[u16], up: &[u16]) -> World {
        let spec = ClientSpec {
            client_id: "test".into(),
            bootstrap_servers: bootstrap.iter().map(|port| Endpoint::new("localhost", *port)).collect(),
            program,
        };
        let identity = Identity { node: NodeId::Client(1), incarnation: 0, clock: WallClock { epoch: T0 } };
        let mut world = World {
            client: Client::new(spec, identity, Rng::seed_from_u64(7)),
            now: Instant::ZERO,
            up: up.iter().copied().collect(),
            listener: ListenerKind::Broker,
            asked: VecDeque::new(),
            events: Vec::new(),
            exit: None,
            closed: 0,
            wake_ups: 0,
            connections: BTreeMap::new(),
            opening: VecDeque::new(),
            timer: None,
        };
        world.step(Input::Started { disk: Disk::default() });
        world
    }

    pub(super) fn tell(&mut self, instruction: Instruction) {
        self.step(Input::Told(instruction));
    }

    pub(super) fn step(&mut self, input: Input) {
        let mut effects = Effects::new();
        self.client.step(self.now, input, &mut effects);
        let drained: Vec<Effect> = effects.drain().collect();
        drained.into_iter().for_each(|effect| self.take(effect));
    }

    fn take(&mut self, effect: Effect) {
        match effect {
            Effect::Connect { connection, endpoint } => {
                assert!(self.connections.insert(connection, endpoint.port).is_none(), "a connection's name is new");
                self.opening.push_back(connection);
            }
            Effect::Close { connection } => {
                assert!(self.connections.remove(&connection).is_some(), "only open connections are closed");
                self.opening.retain(|opening| *opening != connection);
                self.closed += 1;
            }
            Effect::Send { connection, message: Message::Request { correlation_id, request } } => {
                let port = self.connections[&connection];
                assert!(!self.opening.contains(&connection), "requests go over established connections");
                self.asked.push_back(Asked { at: self.now, port, connection, correlation_id, request });
            }
            Effect::SetTimer { timer, at } => {
                assert!(at > self.now, "timers lie ahead");
                self.timer = Some((timer, at));
            }
            Effect::CancelTimer { .. } => self.timer = None,
            Effect::Note(EventKind::Client(event)) => self.events.push((self.now, event)),
            Effect::Exit(status) => {
                assert!(self.connections.is_empty(), "a program closes its connections before it exits");
                self.exit = Some(status);
            }
            Effect::Listen(_) | Effect::StopListening(_) | Effect::Note(_) | Effect::Write(_) | Effect::Send { .. } => {
                panic!("a client does no such thing: {effect:?}")
            }
        }
    }

    /// Establishes or refuses connections, and answers `ApiVersions`.
    pub(super) fn settle(&mut self) {
        for _ in 0..1_000 {
            if let Some(connection) = self.opening.pop_front() {
                let is_up = self.up.contains(&self.connections[&connection]);
                if !is_up {
                    self.connections.remove(&connection);
                }
                self.step(if is_up { Input::Connected { connection } } else { Input::Disconnected { connection } });
                continue;
            }
            let Some(place) = self.asked.iter().position(|asked| asked.request == Request::ApiVersions) else { return };
            let asked = self.asked.remove(place).expect("it was just found");
            let listener = self.listener;
            self.answer(&asked, Response::ApiVersions(ApiVersionsResponse::without_features(listener)));
        }
        panic!("the client never comes to rest");
    }

    pub(super) fn answer(&mut self, asked: &Asked, response: Response) {
        if self.connections.contains_key(&asked.connection) {
            let message = Message::Response { correlation_id: asked.correlation_id, response };
            self.step(Input::Received {
                connection: asked.connection,
                listener: crate::node::Listener::Plaintext,
                message,
            });
        }
    }

    /// The next request that is not `ApiVersions`.
    pub(super) fn next_request(&mut self) -> Asked {
        self.settle();
        self.asked.pop_front().expect("the client has sent a request")
    }

    /// A broker dies: its connections go away, and no one listens there any more.
    pub(super) fn kill(&mut self, port: u16) {
        self.up.remove(&port);
        let lost: Vec<ConnectionId> =
            self.connections.iter().filter(|(_, to)| **to == port).map(|(connection, _)| *connection).collect();
        self.asked.retain(|asked| asked.port != port);
        for connection in lost {
            self.connections.remove(&connection);
            self.opening.retain(|opening| *opening != connection);
            self.step(Input::Disconnected { connection });
        }
    }

    /// Lets the time pass, answering requests through `broker`; requests without answer stay unanswered.
    pub(super) fn run(&mut self, for_ms: i64, broker: &mut dyn FnMut(&Asked) -> Option<Response>) {
        let until = self.now + Duration::from_ms(for_ms);
        let mut answered = 0;
        for _ in 0..100_000 {
            self.settle();
            while let Some(asked) = self.asked.pop_front() {
                answered += 1;
                assert!(answered < 10_000, "the client asks too much: {asked:?}");
                if let Some(response) = broker(&asked) {
                    self.answer(&asked, response);
                    self.settle();
                }
            }
            match self.timer {
                Some((timer, at)) if at <= until => {
                    self.timer = None;
                    self.now = at;
                    self.wake_ups += 1;
                    self.step(Input::TimerFired { timer });
                }
                Some(_) | None => {
                    self.now = until;
                    return;
                }
            }
        }
        panic!("the client does too much");
    }

    /// What the program noted since the last call.
    pub(super) fn take_events(&mut self) -> Vec<ClientEvent> {
        self.events.drain(..).map(|(_, event)| event).collect()
    }

    /// The log lines noted since the last call, with their times in milliseconds.
    pub(super) fn take_logs(&mut self) -> Vec<(i64, ClientLog)> {
        let logged = self.events.drain(..).filter_map(|(at, event)| match event {
            ClientEvent::Logged(line) => Some((at.as_ms(), line)),
            _ => None,
        });
        logged.collect()
    }
}

/// Ports of brokers 1, 2, 3.
pub(super) fn port_of(broker: i32) -> u16 {
    9_091 + u16::try_from(broker).expect("brokers have small numbers")
}

pub(super) fn topic(name: &str) -> TopicName {
    TopicName::new(name)
}

pub(super) fn partition(name: &str, index: i32) -> TopicPartition {
    TopicPartition::new(topic(name), PartitionIndex(index))
}

pub(super) fn record(name: &str, value: &str) -> ProducerRecord {
    ProducerRecord {
        topic: topic(name),
        partition: None,
        key: None,
        value: Some(Bytes::from(value.as_bytes())),
        headers: Vec::new(),
    }
}

/// Metadata of a topic whose partitions have these leaders and epochs; brokers 1 to 3 are up.
pub(super) fn metadata(name: &str, leaders: &[(Option<i32>, i32)]) -> MetadataResponse {
    let partitions = leaders.iter().enumerate().map(|(index, (leader, epoch))| MetadataPartition {
        error: if leader.is_some() { ErrorCode::None } else { ErrorCode::LeaderNotAvailable },
        partition: PartitionIndex(index as i32),
        leader: leader.map(BrokerId),
        leader_epoch: LeaderEpoch(*epoch),
        replicas: vec![BrokerId(1), BrokerId(2), BrokerId(3)],
        isr: vec![BrokerId(1), BrokerId(2), BrokerId(3)],
        offline_replicas: Vec::new(),
    });
    let topic = MetadataTopic {
        error: ErrorCode::None,
        name: topic(name),
        topic_id: TopicId(77),
        is_internal: false,
        partitions: partitions.collect(),
    };
    MetadataResponse { brokers: brokers(), controller_id: Some(BrokerId(2)), topics: vec![topic] }
}

/// Metadata that gives an error for a topic.
pub(super) fn failed_metadata(name: &str, error: ErrorCode) -> MetadataResponse {
    let topic =
        MetadataTopic { error, name: topic(name), topic_id: TopicId(0), is_internal: false, partitions: Vec::new() };
    MetadataResponse { brokers: brokers(), controller_id: Some(BrokerId(1)), topics: vec![topic] }
}

pub(super) fn brokers() -> Vec<MetadataBroker> {
    let broker =
        |id| MetadataBroker { broker_id: BrokerId(id), endpoint: Endpoint::new("localhost", port_of(id)), rack: None };
    (1..=3).map(broker).collect()
}
