//! The controller as a whole: what it does with inputs, effect by effect.

use super::*;
use crate::event::{ChangeReason, ControllerEvent, EventKind};
use crate::metadata::{METADATA_TOPIC_ID, PartitionRegistration, metadata_partition};
use crate::node::{Effect, NodeId};
use crate::spec::ServerRole;
use crate::storage::DiskWrite;
use rand::SeedableRng;
use wire::request::{
    AlterPartitionData, AlterPartitionRequest, BrokerHeartbeatRequest, BrokerRegistrationRequest, CreatableTopic,
    CreateTopicsRequest, FetchPartition, FetchRequest, IsolationLevel, MetadataRequest, ReplicaState,
};
use wire::response::{BrokerHeartbeatResponse, FetchPartitionResult};
use wire::{
    BatchBody, BrokerEpoch, Endpoint, ErrorCode, IncarnationId, MetadataRecord, PartitionEpoch, PartitionIndex,
    Request, Response, Timestamp, TopicName, TopicPartition,
};

/// A controller with its disk and timers, and brokers that say what a test makes them say.
#[derive(Clone)]
struct World {
    controller: Controller,
    disk: Disk,
    now: Instant,
    timers: BTreeMap<(u8, u64), Instant>,
    sent: i32,
    notes: Vec<ControllerEvent>,
    responses: Vec<(ConnectionId, Response)>,
}

fn controller(voters: &[i32], properties: &[(&str, &str)], incarnation: u32) -> Controller {
    let endpoint = |id: i32| Endpoint::new("localhost", 9_000 + id.unsigned_abs() as u16 % 100);
    let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let spec = ServerSpec {
        node_id: 3000,
        role: ServerRole::Controller,
        endpoint: endpoint(3000),
        rack: None,
        controllers: voters.iter().map(|id| (*id, endpoint(*id))).collect(),
        properties: Arc::new(properties),
    };
    let clock = WallClock { epoch: Timestamp(1_000_000) };
    Controller::new(spec, Identity { node: NodeId::Server(3000), incarnation, clock }, Rng::seed_from_u64(42))
}

fn connection(broker: i32) -> ConnectionId {
    ConnectionId { opener: NodeId::Server(broker), incarnation: 0, number: 0 }
}

fn fetches_of(broker: i32) -> ConnectionId {
    ConnectionId { number: 1, ..connection(broker) }
}

impl World {
    fn started(properties: &[(&str, &str)]) -> World {
        World::around(controller(&[3000], properties, 0))
    }

    fn around(controller: Controller) -> World {
        let mut world = World {
            controller,
            disk: Disk::default(),
            now: Instant::ZERO,
            timers: BTreeMap::new(),
            sent: 0,
            notes: Vec::new(),
            responses: Vec::new(),
        };
        world.step(Input::Started { disk: Disk::default() });
        world
    }

    /// The process dies and starts again with what is on the disk.
    fn restart(&mut self) {
        self.controller = controller(&[3000], &[], 1);
        self.timers.clear();
        self.step(Input::Started { disk: self.disk.clone() });
    }

    fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Effects::new();
        self.controller.step(self.now, input, &mut effects);
        let effects: Vec<Effect> = effects.drain().collect();
        effects.iter().cloned().for_each(|effect| self.take(effect));
        effects
    }

    fn take(&mut self, effect: Effect) {
        match effect {
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
            Effect::Close { .. } | Effect::Exit(_) => {}
            other => panic!("a controller does not do that: {other:?}"),
        }
    }

    /// Lets time pass, firing timers on the way.
    fn run_until(&mut self, end: Instant) {
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

    fn run_for(&mut self, milliseconds: u64) {
        self.run_until(Instant(self.now.0 + milliseconds * 1_000));
    }

    fn send(&mut self, connection: ConnectionId, request: Request) -> Vec<Effect> {
        self.sent += 1;
        let message = Message::Request { correlation_id: self.sent, request };
        self.step(Input::Received { connection, message })
    }

    /// Sends a request that is answered at once.
    fn ask(&mut self, broker: i32, request: Request) -> Response {
        self.send(connection(broker), request);
        let answers = |(to, _): &(ConnectionId, Response)| *to == connection(broker);
        let answer = self.responses.iter().position(answers).expect("the request is answered at once");
        self.responses.remove(answer).1
    }

    fn register(&mut self, broker: i32, incarnation: u128) -> wire::response::BrokerRegistrationResponse {
        let request = BrokerRegistrationRequest {
            broker_id: BrokerId(broker),
            incarnation_id: IncarnationId(incarnation),
            endpoint: Endpoint::new("localhost", 9_092),
            rack: None,
            previous_broker_epoch: BrokerEpoch::NONE,
        };
        match self.ask(broker, Request::BrokerRegistration(request)) {
            Response::BrokerRegistration(response) => response,
            other => panic!("not an answer to a registration: {other:?}"),
        }
    }

    fn epoch_of(&self, broker: i32) -> BrokerEpoch {
        self.controller.view().image.brokers()[&BrokerId(broker)].broker_epoch
    }

    fn heartbeat(&mut self, broker: i32, change: impl Fn(&mut BrokerHeartbeatRequest)) -> BrokerHeartbeatResponse {
        let mut request = BrokerHeartbeatRequest {
            broker_id: BrokerId(broker),
            broker_epoch: self.epoch_of(broker),
            current_metadata_offset: self.log_end_offset() + -1,
            want_fence: false,
            want_shut_down: false,
        };
        change(&mut request);
        match self.ask(broker, Request::BrokerHeartbeat(request)) {
            Response::BrokerHeartbeat(response) => response,
            other => panic!("not an answer to a heartbeat: {other:?}"),
        }
    }

    /// Registers brokers and unfences them.
    fn with_brokers(mut self, brokers: std::ops::Range<i32>) -> World {
        for broker in brokers {
            self.register(broker, broker as u128);
            self.heartbeat(broker, |_| {});
        }
        self.notes.clear();
        self
    }

    fn create_topic(&mut self, name: &str, assignments: &[&[i32]]) {
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
        match self.ask(0, Request::CreateTopics(request)) {
            Response::CreateTopics(results) => assert_eq!(results.topics[0].error_message, None),
            other => panic!("not an answer to the creation of a topic: {other:?}"),
        }
    }

    fn log_end_offset(&self) -> Offset {
        self.controller.view().log_end_offset
    }

    fn partition(&self, topic: &str, index: i32) -> PartitionRegistration {
        let partition = TopicPartition::new(TopicName::new(topic), PartitionIndex(index));
        self.controller.view().image.partition(&partition).expect("the partition exists").clone()
    }

    fn take_notes(&mut self) -> Vec<ControllerEvent> {
        std::mem::take(&mut self.notes)
    }
}

fn fetch(offset: Offset, last_epoch: i32) -> Request {
    let partition = FetchPartition {
        partition: metadata_partition(),
        topic_id: None,
        current_leader_epoch: LeaderEpoch::NONE,
        fetch_offset: offset,
        last_fetched_epoch: LeaderEpoch(last_epoch),
        log_start_offset: Offset::ZERO,
        max_bytes: 8 * 1_024 * 1_024,
    };
    Request::Fetch(FetchRequest {
        replica: Some(ReplicaState { replica_id: BrokerId(1), replica_epoch: BrokerEpoch::NONE }),
        max_wait_ms: 500,
        min_bytes: 0,
        max_bytes: 8 * 1_024 * 1_024,
        isolation_level: IsolationLevel::ReadUncommitted,
        partitions: vec![partition],
    })
}

fn fetched(response: &Response) -> &FetchPartitionResult {
    match response {
        Response::Fetch(response) => &response.partitions[0],
        other => panic!("not an answer to a fetch: {other:?}"),
    }
}

/// One word for each effect, with what matters of it.
fn words(effects: &[Effect]) -> Vec<String> {
    effects.iter().map(word).collect()
}

fn word(effect: &Effect) -> String {
    match effect {
        Effect::Write(DiskWrite::CreateLog { topic_id, .. }) => format!("create log {}", topic_id.0),
        Effect::Write(DiskWrite::QuorumEpoch(epoch)) => format!("quorum epoch {epoch}"),
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
        Effect::Exit(status) => format!("exit {}", status.0),
        other => format!("{other:?}"),
    }
}

fn records(body: &BatchBody) -> String {
    match body {
        BatchBody::LeaderChange { leader, .. } => format!("LeaderChange({leader})"),
        BatchBody::Metadata(records) => {
            let names = records.iter().map(|record| {
                let record = format!("{record:?}");
                record.split([' ', '{']).next().unwrap_or_default().to_owned()
            });
            names.collect::<Vec<_>>().join("+")
        }
        BatchBody::Records(_) => "records".to_owned(),
    }
}

#[test]
fn a_new_controller_leads_at_once_and_writes_the_first_records() {
    let mut world = World::started(&[]);
    let mut first = controller(&[3000], &[], 0);
    let mut effects = Effects::new();
    first.step(Instant::ZERO, Input::Started { disk: Disk::default() }, &mut effects);
    assert_eq!(
        words(effects.as_slice()),
        [
            "create log 1",
            "quorum epoch 1",
            "1 epochs",
            "append 0 1 LeaderChange(3000)",
            "note BecameActive",
            "append 1 1 FeatureLevel",
            "timer NoOp 0.500000",
        ]
    );
    assert_eq!(world.disk.logs[&metadata_partition()].topic_id, METADATA_TOPIC_ID);
    let view = world.controller.view();
    assert!(view.is_active);
    assert_eq!((view.epoch, view.log_end_offset, view.high_watermark), (LeaderEpoch(1), Offset(2), Offset(2)));
    assert_eq!(world.take_notes(), [ControllerEvent::BecameActive { epoch: LeaderEpoch(1) }]);
}

#[test]
fn a_no_op_is_written_at_every_idle_interval() {
    let mut world = World::started(&[]);
    world.run_for(1_600);
    assert_eq!(world.log_end_offset(), Offset(5));
    let mut silent = World::started(&[("metadata.max.idle.interval.ms", "0")]);
    silent.run_for(1_600);
    assert_eq!(silent.log_end_offset(), Offset(2));
}

#[test]
fn a_broker_registers_with_the_offset_as_its_epoch_and_is_unfenced_once_it_has_caught_up() {
    let mut world = World::started(&[]);
    assert_eq!(world.register(1, 7).broker_epoch, BrokerEpoch(2));
    let behind = world.heartbeat(1, |request| request.current_metadata_offset = Offset(1));
    assert_eq!((behind.is_caught_up, behind.is_fenced), (false, true));
    let not_ready = world.heartbeat(1, |request| request.want_fence = true);
    assert_eq!((not_ready.is_caught_up, not_ready.is_fenced), (true, true));
    let ready = world.heartbeat(1, |_| {});
    assert_eq!((ready.is_caught_up, ready.is_fenced, ready.error), (true, false, ErrorCode::None));
    assert_eq!(
        world.take_notes()[1..],
        [
            ControllerEvent::BrokerRegistered { broker: BrokerId(1), broker_epoch: BrokerEpoch(2) },
            ControllerEvent::BrokerUnfenced { broker: BrokerId(1) },
        ]
    );
    assert_eq!(world.register(1, 8).error, ErrorCode::DuplicateBrokerRegistration);
    assert_eq!(world.heartbeat(1, |request| request.broker_epoch = BrokerEpoch(1)).error, ErrorCode::StaleBrokerEpoch);
}

#[test]
fn a_topic_is_written_told_and_answered_in_this_order() {
    let mut world = World::started(&[]).with_brokers(1..3);
    let topic = CreatableTopic {
        name: TopicName::new("foo"),
        num_partitions: Some(2),
        replication_factor: Some(2),
        assignments: Vec::new(),
        configs: vec![("retention.ms".to_owned(), "1000".to_owned())],
    };
    let request = Request::CreateTopics(CreateTopicsRequest { topics: vec![topic], validate_only: false });
    assert_eq!(
        words(&world.send(connection(1), request)),
        [
            "note TopicCreated",
            "note LeaderElected",
            "note LeaderElected",
            "append 6 1 Topic+TopicConfig+Partition+Partition",
            "respond 1",
        ]
    );
    assert_eq!(world.partition("foo", 1).isr.len(), 2);
}

#[test]
fn brokers_that_fall_silent_are_fenced_one_after_another() {
    let mut world = World::started(&[("broker.session.timeout.ms", "1000")]).with_brokers(0..5);
    world.create_topic("foo", &[&[0, 1, 2], &[1, 2, 3], &[1, 4, 0]]);
    world.take_notes();
    for _ in 0..3 {
        world.run_for(500);
        world.heartbeat(1, |_| {});
    }
    let fenced: Vec<i32> = world
        .take_notes()
        .iter()
        .filter_map(|note| match note {
            ControllerEvent::BrokerFenced { broker } => Some(broker.0),
            _ => None,
        })
        .collect();
    assert_eq!(fenced, [0, 2, 3, 4]);
    for index in 0..3 {
        let partition = world.partition("foo", index);
        assert_eq!((partition.leader, partition.isr.as_slice()), (Some(BrokerId(1)), &[BrokerId(1)][..]));
    }
}

#[test]
fn a_session_lasts_through_the_last_instant_of_its_timeout() {
    let mut world = World::started(&[]).with_brokers(1..2);
    world.run_until(Instant(9_000_000));
    assert_eq!(world.take_notes(), []);
    world.run_until(Instant(9_000_001));
    assert_eq!(world.take_notes(), [ControllerEvent::BrokerFenced { broker: BrokerId(1) }]);
}

#[test]
fn the_events_of_a_lost_leader_say_what_became_of_its_partitions() {
    let mut world = World::started(&[]).with_brokers(1..3);
    world.create_topic("foo", &[&[1, 2]]);
    world.create_topic("solo", &[&[1]]);
    world.take_notes();
    world.run_for(5_000);
    world.heartbeat(2, |_| {});
    world.run_for(5_000);
    let (foo, solo) = (
        TopicPartition::new(TopicName::new("foo"), PartitionIndex(0)),
        TopicPartition::new(TopicName::new("solo"), PartitionIndex(0)),
    );
    let reason = ChangeReason::BrokerFenced;
    assert_eq!(
        world.take_notes(),
        [
            ControllerEvent::LeaderElected {
                partition: foo.clone(),
                leader: BrokerId(2),
                previous_leader: Some(BrokerId(1)),
                leader_epoch: LeaderEpoch(1),
                isr: vec![BrokerId(2)],
                is_unclean: false,
                reason: Some(reason),
            },
            ControllerEvent::IsrChanged {
                partition: foo,
                from: vec![BrokerId(1), BrokerId(2)],
                to: vec![BrokerId(2)],
                partition_epoch: PartitionEpoch(1),
                reason,
            },
            ControllerEvent::PartitionWentOffline {
                partition: solo,
                leader_epoch: LeaderEpoch(1),
                isr: vec![BrokerId(1)],
                reason,
            },
            ControllerEvent::BrokerFenced { broker: BrokerId(1) },
        ]
    );
}

#[test]
fn a_broker_shuts_down_when_the_others_know_its_new_leaders() {
    let mut world = World::started(&[]).with_brokers(1..3);
    world.create_topic("foo", &[&[1, 2]]);
    world.heartbeat(2, |_| {});
    world.take_notes();
    let shut_down = |request: &mut BrokerHeartbeatRequest| request.want_shut_down = true;
    let first = world.heartbeat(1, shut_down);
    assert_eq!((first.is_fenced, first.should_shut_down), (false, false));
    assert_eq!(world.partition("foo", 0).leader, Some(BrokerId(2)));
    assert!(matches!(
        world.take_notes().as_slice(),
        [
            ControllerEvent::ControlledShutdownStarted { broker: BrokerId(1) },
            ControllerEvent::LeaderElected { reason: Some(ChangeReason::ControlledShutdown), .. },
            ControllerEvent::IsrChanged { .. },
        ]
    ));
    assert!(!world.heartbeat(1, shut_down).should_shut_down, "broker 2 has not applied the change yet");
    world.heartbeat(2, |_| {});
    let last = world.heartbeat(1, shut_down);
    assert_eq!((last.is_fenced, last.should_shut_down), (true, true));
    assert_eq!(world.take_notes(), [ControllerEvent::BrokerFenced { broker: BrokerId(1) }]);
    assert_eq!(world.register(1, 99).error, ErrorCode::None, "a fenced broker may come back at once");
}

#[test]
fn a_leader_changes_its_in_sync_replicas() {
    let mut world = World::started(&[]).with_brokers(1..3);
    world.create_topic("foo", &[&[1, 2]]);
    world.take_notes();
    let topic = TopicName::new("foo");
    let data = AlterPartitionData {
        topic_id: world.controller.view().image.topics()[&topic].topic_id,
        partition: TopicPartition::new(topic, PartitionIndex(0)),
        leader_epoch: LeaderEpoch(0),
        partition_epoch: PartitionEpoch(0),
        new_isr: vec![(BrokerId(1), world.epoch_of(1))],
    };
    let request =
        AlterPartitionRequest { broker_id: BrokerId(1), broker_epoch: world.epoch_of(1), partitions: vec![data] };
    let effects = world.send(connection(1), Request::AlterPartition(request.clone()));
    assert_eq!(words(&effects), ["note IsrChanged", "append 8 1 PartitionChange", "respond 1"]);
    assert_eq!(world.partition("foo", 0).isr, [BrokerId(1)]);
    let again = world.send(connection(1), Request::AlterPartition(request));
    assert_eq!(words(&again), ["note AlterPartitionRejected", "respond 1"]);
}

#[test]
fn a_fetch_waits_for_records_or_for_its_time() {
    let mut world = World::started(&[("metadata.max.idle.interval.ms", "0")]);
    world.send(fetches_of(1), fetch(Offset::ZERO, -1));
    let (_, response) = world.responses.pop().expect("there is something to fetch");
    assert_eq!((fetched(&response).batches.len(), fetched(&response).high_watermark), (2, Offset(2)));

    let parked = world.send(fetches_of(1), fetch(Offset(2), 1));
    assert_eq!(words(&parked), ["timer FetchWait 0.500000"]);
    world.run_for(499);
    assert!(world.responses.is_empty());
    world.run_for(1);
    let (_, response) = world.responses.pop().expect("the fetch has waited long enough");
    assert_eq!((fetched(&response).batches.len(), fetched(&response).error), (0, ErrorCode::None));

    world.send(fetches_of(1), fetch(Offset(2), 1));
    world.register(2, 7);
    let (to, response) = world.responses.pop().expect("the registration wakes the fetch");
    assert_eq!((to, fetched(&response).batches.len()), (fetches_of(1), 1));
    assert_eq!(fetched(&response).high_watermark, Offset(3));
    assert!(!world.timers.keys().any(|(kind, _)| *kind == TimerKind::FetchWait as u8));
}

#[test]
fn a_fetch_of_a_lost_connection_is_forgotten() {
    let mut world = World::started(&[("metadata.max.idle.interval.ms", "0")]);
    world.send(fetches_of(1), fetch(Offset(2), 1));
    let effects = world.step(Input::Disconnected { connection: fetches_of(1) });
    assert_eq!(words(&effects), ["cancel FetchWait"]);
    world.register(2, 7);
    assert!(world.responses.is_empty());
}

#[test]
fn a_restarted_controller_knows_everything_and_gives_brokers_a_whole_session() {
    let mut world = World::started(&[]).with_brokers(1..3);
    world.create_topic("foo", &[&[1, 2]]);
    world.run_for(5_000);
    let before = world.controller.view().image;
    world.restart();
    let view = world.controller.view();
    assert_eq!((view.epoch, view.is_active), (LeaderEpoch(2), true));
    assert_eq!(view.image.brokers(), before.brokers());
    assert_eq!(view.image.topics(), before.topics());
    world.take_notes();
    world.run_for(9_000);
    assert_eq!(world.take_notes(), []);
    world.run_for(1);
    assert_eq!(world.take_notes().len(), 5, "both brokers are fenced, and foo-0 moves and goes offline");
}

#[test]
fn a_restarted_controller_still_knows_where_registrations_stand() {
    let mut world = World::started(&[]);
    world.register(1, 7);
    world.restart();
    assert!(world.heartbeat(1, |request| request.current_metadata_offset = Offset(1)).is_fenced);
    assert!(!world.heartbeat(1, |request| request.current_metadata_offset = Offset(2)).is_fenced);
}

#[test]
fn leaderships_go_back_to_preferred_replicas_after_five_minutes() {
    let mut world = World::started(&[("broker.session.timeout.ms", "1000000")]).with_brokers(1..3);
    world.create_topic("foo", &[&[1, 2]]);
    world.heartbeat(1, |request| request.want_fence = true);
    world.heartbeat(1, |_| {});
    let topic = TopicName::new("foo");
    let data = AlterPartitionData {
        topic_id: world.controller.view().image.topics()[&topic].topic_id,
        partition: TopicPartition::new(topic, PartitionIndex(0)),
        leader_epoch: LeaderEpoch(1),
        partition_epoch: PartitionEpoch(1),
        new_isr: vec![(BrokerId(2), world.epoch_of(2)), (BrokerId(1), world.epoch_of(1))],
    };
    let request =
        AlterPartitionRequest { broker_id: BrokerId(2), broker_epoch: world.epoch_of(2), partitions: vec![data] };
    world.ask(2, Request::AlterPartition(request));
    world.run_for(299_999);
    assert_eq!(world.partition("foo", 0).leader, Some(BrokerId(2)));
    world.take_notes();
    world.run_for(1);
    assert_eq!(world.partition("foo", 0).leader, Some(BrokerId(1)));
    assert!(matches!(
        world.take_notes().as_slice(),
        [ControllerEvent::LeaderElected { reason: Some(ChangeReason::LeaderRebalance), is_unclean: false, .. }]
    ));
}

#[test]
fn an_unclean_election_is_told_as_one() {
    let properties = [("unclean.leader.election.enable", "true")];
    let mut world = World::started(&properties).with_brokers(1..3);
    world.create_topic("foo", &[&[1, 2]]);
    world.heartbeat(2, |request| request.want_fence = true);
    world.heartbeat(1, |request| request.want_fence = true);
    assert_eq!(world.partition("foo", 0).leader, None);
    world.take_notes();
    world.heartbeat(2, |_| {});
    assert!(matches!(
        world.take_notes().as_slice(),
        [
            ControllerEvent::BrokerUnfenced { .. },
            ControllerEvent::LeaderElected { leader: BrokerId(2), is_unclean: true, .. },
            ControllerEvent::IsrChanged { .. },
        ]
    ));
}

#[test]
fn clients_are_told_what_it_is_and_then_turned_away() {
    let mut world = World::started(&[]);
    let client = ConnectionId { opener: NodeId::Client(1), incarnation: 0, number: 0 };
    world.send(client, Request::ApiVersions);
    let (_, response) = world.responses.pop().expect("anybody may ask for versions");
    assert!(matches!(
        response,
        Response::ApiVersions(answer) if answer.listener == wire::response::ListenerKind::Controller
    ));
    let metadata = Request::Metadata(MetadataRequest { topics: None, allow_auto_topic_creation: true });
    assert_eq!(words(&world.send(client, metadata)), ["close client-1"]);
}

#[test]
fn a_voter_that_does_not_lead_refuses_writes() {
    let mut world = World::around(controller(&[3000, 3001, 3002], &[], 0));
    assert!(!world.controller.view().is_active);
    assert_eq!(world.register(1, 7).error, ErrorCode::NotController);
    world.send(fetches_of(1), fetch(Offset::ZERO, -1));
    let (_, response) = world.responses.pop().expect("an error is answered at once");
    assert_eq!(fetched(&response).error, ErrorCode::NotLeaderOrFollower);
}

#[test]
fn a_process_ends_with_its_properties_wrong_or_when_it_is_told_to() {
    let mut broken = controller(&[3000], &[("broker.session.timeout.ms", "soon")], 0);
    let mut effects = Effects::new();
    broken.step(Instant::ZERO, Input::Started { disk: Disk::default() }, &mut effects);
    assert_eq!(words(effects.as_slice()), ["exit 1"]);
    let mut world = World::started(&[]);
    assert_eq!(words(&world.step(Input::Told(Instruction::ShutDown))), ["exit 143"]);
}

#[test]
fn two_runs_with_the_same_inputs_write_the_same_log() {
    let run = || {
        let mut world = World::started(&[]).with_brokers(1..4);
        let topic = CreatableTopic {
            name: TopicName::new("foo"),
            num_partitions: Some(20),
            replication_factor: Some(3),
            assignments: Vec::new(),
            configs: Vec::new(),
        };
        world.ask(1, Request::CreateTopics(CreateTopicsRequest { topics: vec![topic], validate_only: false }));
        let log = &world.disk.logs[&metadata_partition()];
        log.batches.iter().flat_map(|batch| batch.metadata_records().to_vec()).collect::<Vec<MetadataRecord>>()
    };
    assert_eq!(run(), run());
}
