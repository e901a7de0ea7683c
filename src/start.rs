//! The run with which the page begins: a small cluster that lives, made only of what a user could do too.

use crate::view::cluster::{Cast, ServerKind};
use kafka::event::{ClientEvent, EventKind};
use kafka::instant::{Duration, Instant};
use kafka::spec::{
    AutoOffsetReset, ClientSpec, ConsumerConfig, ConsumerSpec, ProducerConfig, ProducerSpec, Program, ServerRole,
    Subscription, TopicsAction, Workload,
};
use sim::world_spec::NetworkSpec;
use sim::{Budget, Command, EventId, Session, WorldSpec};
use std::collections::BTreeMap;
use wire::request::CreatableTopic;
use wire::{Endpoint, TopicName};

/// The seed of the run unless the address names another.
pub(crate) const DEFAULT_SEED: u64 = 1;

/// Messages are slow enough to be followed by eye at the speed with which the page begins.
const NETWORK: NetworkSpec = NetworkSpec { delay_us: 80_000, jitter_us: 40_000 };

/// How long the programs have been running when the page is first shown.
const HEAD_START: Duration = Duration(6_000_000);

/// When to stop waiting for the topic: it takes a few seconds.
const TOPIC_LIMIT: Instant = Instant(60_000_000);

const TOPIC: &str = "orders";

/// The servers and their network. The topic is created by a real `kafka-topics` call once the brokers are ready.
pub(crate) fn world() -> WorldSpec {
    let mut spec = WorldSpec::three_brokers(BTreeMap::new());
    spec.network = NETWORK;
    spec.clients = vec![client("kafka-topics", Program::Topics(create_topic()))];
    spec
}

/// What each server is.
pub(crate) fn cast(spec: &WorldSpec) -> Cast {
    let kind = |role: ServerRole| match role {
        ServerRole::Broker => ServerKind::Broker,
        ServerRole::Controller => ServerKind::Controller,
    };
    spec.servers.iter().map(|server| (server.node_id, kind(server.role))).collect()
}

/// Runs until the topic exists, starts a producer and a consumer, and lets them work for a while.
pub(crate) fn begin(spec: WorldSpec, seed: u64) -> Session {
    let mut session = Session::new(spec, seed);
    while !has_topic(&session) && session.now() < TOPIC_LIMIT && session.step() {}
    for program in [client("orders-producer", producer()), client("orders-consumer", consumer())] {
        session.apply(Command::StartClient(program)).expect("a client can always be started");
    }
    let until = session.now() + HEAD_START;
    session.run(Budget { until, steps: u64::MAX });
    session
}

fn has_topic(session: &Session) -> bool {
    let is_created = |kind: &EventKind| match kind {
        EventKind::Client(ClientEvent::TopicCreated(_)) => true,
        EventKind::Client(_) | EventKind::Operator(_) | EventKind::Controller(_) | EventKind::Broker(_) => false,
    };
    session.events(EventId(0)).any(|event| is_created(&event.kind))
}

/// A client program that knows all three brokers.
pub(crate) fn client(client_id: &str, program: Program) -> ClientSpec {
    let bootstrap_servers = [9092, 9093, 9094].map(|port| Endpoint::new("localhost", port)).into();
    ClientSpec { client_id: client_id.to_owned(), bootstrap_servers, program }
}

fn create_topic() -> TopicsAction {
    let topic = CreatableTopic {
        name: TopicName::new(TOPIC),
        num_partitions: Some(3),
        replication_factor: Some(3),
        assignments: Vec::new(),
        configs: vec![("min.insync.replicas".to_owned(), "2".to_owned())],
    };
    TopicsAction::Create { topic, if_not_exists: false }
}

fn producer() -> Program {
    let workload = Workload {
        topic: TopicName::new(TOPIC),
        interval_ms: 1_000,
        keys: ["ann", "bob", "kim", "lee"].map(str::to_owned).into(),
        value_prefix: "o".to_owned(),
    };
    Program::Producer(ProducerSpec { config: ProducerConfig::default(), is_synchronous: false, workload: Some(workload) })
}

fn consumer() -> Program {
    let config = ConsumerConfig { auto_offset_reset: AutoOffsetReset::Earliest, ..ConsumerConfig::default() };
    let subscription = Subscription::Topic(TopicName::new(TOPIC));
    Program::Consumer(ConsumerSpec { config, subscription, group_id: None, max_messages: None, timeout_ms: None })
}
