//! What surrounds a controller in tests: its disk, its timers, and brokers that say what a test makes them say.

use crate::Rng;
use crate::controller::{Controller, TimerKind};
use crate::event::{ControllerEvent, EventKind};
use crate::instant::{Instant, WallClock};
use crate::metadata::{PartitionRegistration, metadata_partition};
use crate::node::{ConnectionId, Effect, Effects, Identity, Input, Message, Node, NodeId, Timer};
use crate::spec::{Coordination, HistoricalFaults, ServerRole, ServerSpec};
use crate::storage::{Disk, DiskWrite};
use rand::SeedableRng;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::request::{
    BrokerHeartbeatRequest, BrokerRegistrationRequest, CreatableTopic, CreateTopicsRequest, FetchPartition,
    FetchRequest, IsolationLevel, ReplicaState,
};
use wire::response::{BrokerHeartbeatResponse, FetchPartitionResult};
use wire::{
    BatchBody, BrokerEpoch, BrokerId, Endpoint, FetchMetadata, IncarnationId, LeaderEpoch, Offset, PartitionIndex,
    Request, Response, Timestamp, TopicName, TopicPartition,
};

/// A controller with its disk and timers, and brokers that say what a test makes them say.
#[derive(Clone)]
pub(super) struct World {
    pub(super) controller: Controller,
    pub(super) disk: Disk,
    pub(super) now: Instant,
    pub(super) timers: BTreeMap<(u8, u64), Instant>,
    pub(super) sent: i32,
    pub(super) notes: Vec<ControllerEvent>,
    pub(super) responses: Vec<(ConnectionId, Response)>,
    /// The connections that it opened, and what it asked on them: nobody answers unless a test does.
    pub(super) opened: Vec<ConnectionId>,
    pub(super) requests: Vec<(ConnectionId, i32, Request)>,
}

pub(super) fn controller(voters: &[i32], properties: &[(&str, &str)], incarnation: u32) -> Controller {
    let endpoint = |id: i32| Endpoint::new("localhost", 9_000 + id.unsigned_abs() as u16 % 100);
    let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let spec = ServerSpec {
        node_id: 3000,
        role: ServerRole::Controller,
        endpoint: endpoint(3000),
        rack: None,
        coordination: Coordination::KRaft { voters: voters.iter().map(|id| (*id, endpoint(*id))).collect() },
        properties: Arc::new(properties),
        historical_faults: HistoricalFaults::default(),
    };
    let clock = WallClock { epoch: Timestamp(1_000_000) };
    Controller::new(
        spec,
        Identity { node: NodeId::Server(3000), incarnation, clock },
        Rng::seed_from_u64(42 + u64::from(incarnation)),
    )
}

pub(super) fn connection(broker: i32) -> ConnectionId {
    ConnectionId { opener: NodeId::Server(broker), incarnation: 0, number: 0 }
}

pub(super) fn fetches_of(broker: i32) -> ConnectionId {
    ConnectionId { number: 1, ..connection(broker) }
}

impl World {
    pub(super) fn started(properties: &[(&str, &str)]) -> World {
        World::around(controller(&[3000], properties, 0))
    }

    pub(super) fn around(controller: Controller) -> World {
        let mut world = World {
            controller,
            disk: Disk::default(),
            now: Instant::ZERO,
            timers: BTreeMap::new(),
            sent: 0,
            notes: Vec::new(),
            responses: Vec::new(),
            opened: Vec::new(),
            requests: Vec::new(),
        };
        world.step(Input::Started { disk: Disk::default() });
        world
    }

    /// The process dies and starts again with what is on the disk.
    pub(super) fn restart(&mut self) {
        self.controller = controller(&[3000], &[], 1);
        self.timers.clear();
        self.step(Input::Started { disk: self.disk.clone() });
    }

    pub(super) fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Effects::new();
        self.controller.step(self.now, input, &mut effects);
        let effects: Vec<Effect> = effects.drain().collect();
        effects.iter().cloned().for_each(|effect| self.take(effect));
        effects
    }

    pub(super) fn take(&mut self, effect: Effect) {
        match effect.clone() {
            Effect::Write(write) => self.disk.apply(write),
            Effect::SetTimer { timer, at } => {
                self.timers.insert((timer.kind, timer.key), at);
            }
            Effect::CancelTimer { timer } => {
                self.timers.remove(&(timer.kind, timer.key));
            }
            Effect::Note(EventKind::Controller(event)) => self.notes.push(event),
            Effect::Send { connection, message: Message::Response { response, .. } } => {
                self.responses.push((connection, response));
            }
            Effect::Listen(_) | Effect::StopListening(_) | Effect::Close { .. } | Effect::Exit(_) => {}
            Effect::Connect { connection, .. } => self.opened.push(connection),
            Effect::Send { connection, message: Message::Request { correlation_id, request } } => {
                self.requests.push((connection, correlation_id, request));
            }
            Effect::Note(_) => panic!("a controller does not do that: {effect:?}"),
        }
    }

    /// Lets time pass, firing timers on the way.
    pub(super) fn run_until(&mut self, end: Instant) {
        while let Some((at, (kind, key))) = self.timers.iter().map(|(name, at)| (*at, *name)).min() {
            if at > end {
                break;
            }
            self.timers.remove(&(kind, key));
            self.now = at;
            self.step(Input::TimerFired { timer: Timer { kind, key } });
        }
        self.now = end;
    }

    pub(super) fn run_for(&mut self, milliseconds: u64) {
        self.run_until(Instant(self.now.0 + milliseconds * 1_000));
    }

    pub(super) fn send(&mut self, connection: ConnectionId, request: Request) -> Vec<Effect> {
        self.sent += 1;
        let message = Message::Request { correlation_id: self.sent, request };
        self.step(Input::Received { connection, listener: crate::node::Listener::Controller, message })
    }

    /// Sends a request that is answered at once.
    pub(super) fn ask(&mut self, broker: i32, request: Request) -> Response {
        self.send(connection(broker), request);
        let answers = |(to, _): &(ConnectionId, Response)| *to == connection(broker);
        let answer = self.responses.iter().position(answers).expect("the request is answered at once");
        self.responses.remove(answer).1
    }

    pub(super) fn register(&mut self, broker: i32, incarnation: u128) -> wire::response::BrokerRegistrationResponse {
        let request = BrokerRegistrationRequest {
            broker_id: BrokerId(broker),
            incarnation_id: IncarnationId(incarnation),
            endpoint: Endpoint::new("localhost", 9_092),
            rack: None,
            previous_broker_epoch: BrokerEpoch::NONE,
        };
        let answer = self.ask(broker, Request::BrokerRegistration(request));
        let Response::BrokerRegistration(response) = answer else {
            panic!("not an answer to a registration: {answer:?}")
        };
        response
    }

    pub(super) fn epoch_of(&self, broker: i32) -> BrokerEpoch {
        self.controller.view().image.brokers()[&BrokerId(broker)].broker_epoch
    }

    pub(super) fn heartbeat(
        &mut self,
        broker: i32,
        change: impl Fn(&mut BrokerHeartbeatRequest),
    ) -> BrokerHeartbeatResponse {
        let mut request = BrokerHeartbeatRequest {
            broker_id: BrokerId(broker),
            broker_epoch: self.epoch_of(broker),
            current_metadata_offset: self.log_end_offset() + -1,
            want_fence: false,
            want_shut_down: false,
        };
        change(&mut request);
        let answer = self.ask(broker, Request::BrokerHeartbeat(request));
        let Response::BrokerHeartbeat(response) = answer else { panic!("not an answer to a heartbeat: {answer:?}") };
        response
    }

    /// Registers brokers and unfences them.
    pub(super) fn with_brokers(mut self, brokers: std::ops::Range<i32>) -> World {
        for broker in brokers {
            self.register(broker, broker as u128);
            self.heartbeat(broker, |_| {});
        }
        self.notes.clear();
        self
    }

    pub(super) fn create_topic(&mut self, name: &str, assignments: &[&[i32]]) {
        let assignments = (0..)
            .zip(assignments)
            .map(|(index, ids)| (PartitionIndex(index), ids.iter().copied().map(BrokerId).collect()))
            .collect();
        let topic = CreatableTopic {
            name: TopicName::new(name),
            num_partitions: None,
            replication_factor: None,
            assignments,
            configs: Vec::new(),
        };
        let request = CreateTopicsRequest { topics: vec![topic], validate_only: false };
        let answer = self.ask(0, Request::CreateTopics(request));
        let Response::CreateTopics(results) = answer else {
            panic!("not an answer to the creation of a topic: {answer:?}")
        };
        assert_eq!(results.topics[0].error_message, None);
    }

    pub(super) fn log_end_offset(&self) -> Offset {
        self.controller.view().log_end_offset
    }

    pub(super) fn partition(&self, topic: &str, index: i32) -> PartitionRegistration {
        let partition = TopicPartition::new(TopicName::new(topic), PartitionIndex(index));
        self.controller.view().image.partition(&partition).expect("the partition exists").clone()
    }

    pub(super) fn take_notes(&mut self) -> Vec<ControllerEvent> {
        std::mem::take(&mut self.notes)
    }
}

pub(super) fn fetch(offset: Offset, last_epoch: i32) -> Request {
    let partition = FetchPartition {
        partition: metadata_partition(),
        topic_id: None,
        current_leader_epoch: LeaderEpoch(1),
        fetch_offset: offset,
        last_fetched_epoch: LeaderEpoch(last_epoch),
        log_start_offset: Offset::ZERO,
        max_bytes: 8 * 1_024 * 1_024,
    };
    Request::Fetch(Box::new(FetchRequest {
        replica: Some(ReplicaState { replica_id: BrokerId(1), replica_epoch: BrokerEpoch::NONE }),
        max_wait_ms: 500,
        min_bytes: 0,
        max_bytes: 8 * 1_024 * 1_024,
        isolation_level: IsolationLevel::ReadUncommitted,
        metadata: FetchMetadata::LEGACY,
        partitions: vec![partition],
        forgotten: Vec::new(),
        rack_id: None,
    }))
}

pub(super) fn fetched(response: &Response) -> &FetchPartitionResult {
    let Response::Fetch(response) = response else { panic!("not an answer to a fetch: {response:?}") };
    &response.partitions[0]
}

/// One word for each effect, with what matters of it.
pub(super) fn words(effects: &[Effect]) -> Vec<String> {
    let is_flush = |effect: &&Effect| matches!(effect, Effect::Write(DiskWrite::Flush { .. }));
    effects.iter().filter(|effect| !is_flush(effect)).map(word).collect()
}

pub(super) fn word(effect: &Effect) -> String {
    match effect {
        Effect::Write(DiskWrite::CreateLog { topic_id, .. }) => format!("create log {}", topic_id.0),
        Effect::Write(DiskWrite::QuorumState(state)) => format!("quorum epoch {}", state.leader_epoch),
        Effect::Write(DiskWrite::MetadataSnapshot(snapshot)) => format!("snapshot {}", snapshot.id.offset),
        Effect::Write(DiskWrite::DeleteMetadataBefore(id)) => format!("delete before {}", id.offset),
        Effect::Write(DiskWrite::LeaderEpochs { leader_epochs, .. }) => format!("{} epochs", leader_epochs.len()),
        Effect::Write(DiskWrite::Append { batch, .. }) => {
            format!("append {} {} {}", batch.base_offset, batch.partition_leader_epoch, records(&batch.body))
        }
        Effect::SetTimer { timer, at } => format!("timer {:?} {at}", TimerKind::of(*timer)),
        Effect::CancelTimer { timer } => format!("cancel {:?}", TimerKind::of(*timer)),
        Effect::Note(EventKind::Controller(event)) => {
            let event = format!("{event:?}");
            format!("note {}", event.split(' ').next().unwrap_or_default())
        }
        Effect::Send { connection, .. } => format!("respond {}", connection.opener),
        Effect::Close { connection } => format!("close {}", connection.opener),
        Effect::Listen(_) => "listen".to_owned(),
        Effect::StopListening(_) => "stop listening".to_owned(),
        Effect::Exit(status) => format!("exit {}", status.0),
        Effect::Connect { endpoint, .. } => format!("connect {endpoint}"),
        Effect::Write(_) | Effect::Note(_) => format!("{effect:?}"),
    }
}

pub(super) fn records(body: &BatchBody) -> String {
    match body {
        BatchBody::LeaderChange(change) => format!("LeaderChange({})", change.leader),
        BatchBody::Metadata(records) => {
            let names = records.iter().map(|record| {
                let record = format!("{record:?}");
                record.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
            });
            names.collect::<Vec<_>>().join("+")
        }
        BatchBody::SnapshotHeader { .. } => "SnapshotHeader".to_owned(),
        BatchBody::SnapshotFooter => "SnapshotFooter".to_owned(),
        BatchBody::Records(_) => "records".to_owned(),
        BatchBody::EndTransaction(marker) => format!("{:?}", marker.result),
        BatchBody::EmptyControl => "empty".to_owned(),
    }
}
