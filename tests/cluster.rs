//! The real machines together: three brokers, a controller and client programs in one world.

use acceptance::clients;
use kafka::event::{BrokerEvent, ClientEvent, ControllerEvent, EventKind, OperatorEvent};
use kafka::instant::{Duration, Instant};
use kafka::node::{ExitStatus, NodeId};
use kafka::spec::ClientSpec;
use kafka::view::{BrokerState, BrokerView, NodeView, ReplicaRole, ReplicaView};
use rand::{RngExt, SeedableRng};
use sim::{Budget, Command, Event, EventId, Session, WorldSpec};
use std::collections::BTreeMap;
use wire::request::Acks;
use wire::{Offset, PartitionIndex, TopicName, TopicPartition};

const CONTROLLER: NodeId = NodeId::Server(100);
const TOPIC: &str = "orders";

fn topic() -> TopicName {
    TopicName::new(TOPIC)
}

fn partition() -> TopicPartition {
    TopicPartition::new(topic(), PartitionIndex(0))
}

/// One partition on brokers 1, 2 and 3.
fn create_topic() -> ClientSpec {
    clients::create_topic(TOPIC, 3, &[])
}

fn producer() -> ClientSpec {
    clients::producer(TOPIC, Acks::All, 10)
}

fn consumer() -> ClientSpec {
    clients::consumer(TOPIC)
}

struct Cluster {
    session: Session,
}

impl Cluster {
    fn new(clients: Vec<ClientSpec>, seed: u64) -> Cluster {
        let mut spec = WorldSpec::three_brokers(BTreeMap::new());
        spec.clients = clients;
        Cluster { session: Session::new(spec, seed) }
    }

    /// A cluster that has run with a topic, a producer and a consumer up to `seconds`.
    fn under_load(seconds: u64) -> Cluster {
        let mut cluster = Cluster::new(vec![create_topic(), producer(), consumer()], 1);
        cluster.run_to(seconds);
        cluster
    }

    fn run_to(&mut self, seconds: u64) {
        self.session.run(Budget { until: Instant(seconds * 1_000_000), steps: 10_000_000 });
        assert_eq!(self.session.now(), Instant(seconds * 1_000_000), "ten million steps should be enough");
    }

    fn apply(&mut self, command: Command) -> NodeId {
        self.session.apply(command).expect("the command fits the world")
    }

    fn events(&self) -> Vec<Event> {
        self.session.events(EventId(0)).collect()
    }

    fn count(&self, is_wanted: impl Fn(&EventKind) -> bool) -> usize {
        self.session.events(EventId(0)).filter(|event| is_wanted(&event.kind)).count()
    }

    fn has_event(&self, node: NodeId, is_wanted: impl Fn(&EventKind) -> bool) -> bool {
        self.session.events(EventId(0)).any(|event| event.node == node && is_wanted(&event.kind))
    }

    fn brokers(&mut self) -> BTreeMap<i32, BrokerView> {
        let frame = self.session.frame();
        let view_of = |node: &sim::frame::NodeFrame| match (node.id, &node.process) {
            (NodeId::Server(id), Some(NodeView::Broker(view))) => Some((id, view.clone())),
            (NodeId::Server(_) | NodeId::ZooKeeper | NodeId::Client(_), _) => None,
        };
        frame.nodes.iter().filter_map(view_of).collect()
    }

    fn replicas(&mut self) -> BTreeMap<i32, ReplicaView> {
        let replica = |view: BrokerView| view.replicas.into_iter().find(|replica| replica.partition == partition());
        self.brokers().into_iter().filter_map(|(id, view)| Some((id, replica(view)?))).collect()
    }

    /// The leader and its in-sync replicas, sorted.
    fn leader(&mut self) -> (i32, Vec<i32>) {
        let leads = |(id, replica): (i32, ReplicaView)| match replica.role {
            ReplicaRole::Leader { isr, .. } => Some((replica.leader_epoch, id, isr)),
            ReplicaRole::Follower { .. } => None,
        };
        let (_, id, isr) = self.replicas().into_iter().filter_map(leads).max().expect("somebody leads");
        let mut isr: Vec<i32> = isr.iter().map(|broker| broker.0).collect();
        isr.sort_unstable();
        (id, isr)
    }

    fn acknowledged(&self) -> Vec<Offset> {
        let last_offset = |event: &Event| match &event.kind {
            EventKind::Client(ClientEvent::BatchAcknowledged { last_offset, .. }) => Some(*last_offset),
            EventKind::Client(_)
            | EventKind::Broker(_)
            | EventKind::Controller(_)
            | EventKind::ZooKeeper(_)
            | EventKind::Operator(_) => None,
        };
        self.session.events(EventId(0)).filter_map(|event| last_offset(&event)).collect()
    }

    fn consumed(&self) -> Vec<Offset> {
        let offset = |event: &Event| match &event.kind {
            EventKind::Client(ClientEvent::RecordConsumed { offset, .. }) => Some(*offset),
            EventKind::Client(_)
            | EventKind::Broker(_)
            | EventKind::Controller(_)
            | EventKind::ZooKeeper(_)
            | EventKind::Operator(_) => None,
        };
        self.session.events(EventId(0)).filter_map(|event| offset(&event)).collect()
    }
}

#[test]
fn three_brokers_register_and_become_ready() {
    let mut cluster = Cluster::new(Vec::new(), 1);
    cluster.run_to(10);
    let is_active = |kind: &EventKind| matches!(kind, EventKind::Controller(ControllerEvent::BecameActive { .. }));
    assert!(cluster.has_event(CONTROLLER, is_active));
    let brokers = cluster.brokers();
    assert_eq!(brokers.len(), 3);
    for (id, view) in brokers {
        let node = NodeId::Server(id);
        assert!(cluster.has_event(node, |kind| *kind == EventKind::Broker(BrokerEvent::BecameReady)));
        assert_eq!(view.state, BrokerState::Running);
        let unfenced = view.image.brokers().values().filter(|registration| !registration.fenced).count();
        assert_eq!(unfenced, 3, "broker {id} sees all brokers");
    }
}

#[test]
fn a_topic_gets_a_leader_and_all_replicas_in_sync() {
    let mut cluster = Cluster::new(vec![create_topic()], 1);
    cluster.run_to(10);
    assert_eq!(cluster.count(|kind| *kind == EventKind::Client(ClientEvent::TopicCreated(topic()))), 1);
    assert_eq!(cluster.leader(), (1, vec![1, 2, 3]));
    assert_eq!(cluster.replicas().len(), 3);
    let exited = EventKind::Operator(OperatorEvent::ProcessExited { status: ExitStatus(0) });
    assert!(cluster.has_event(NodeId::Client(1), |kind| *kind == exited));
}

#[test]
fn records_are_replicated_acknowledged_and_consumed_in_order() {
    let mut cluster = Cluster::under_load(20);
    let acknowledged = cluster.acknowledged();
    assert!(acknowledged.len() > 1_000, "only {} batches were acknowledged", acknowledged.len());
    assert!(acknowledged.is_sorted());
    let consumed = cluster.consumed();
    assert!(consumed.len() as i64 >= acknowledged.last().expect("there are some").0 - 20);
    assert!(consumed.iter().copied().eq((0..consumed.len() as i64).map(Offset)));
    let high_watermark = consumed.len() as i64;
    for (id, replica) in cluster.replicas() {
        assert!(replica.log_end_offset.0 >= high_watermark, "broker {id} has what was consumed");
    }
}

#[test]
fn the_death_of_a_leader_elects_another_and_its_return_joins_the_isr() {
    let mut cluster = Cluster::under_load(10);
    assert_eq!(cluster.leader(), (1, vec![1, 2, 3]));
    let before = cluster.acknowledged().len();
    cluster.apply(Command::Kill(NodeId::Server(1)));
    cluster.run_to(40);
    assert_eq!(cluster.leader(), (2, vec![2, 3]));
    assert!(cluster.acknowledged().len() > before + 500, "the producer goes on with the new leader");
    cluster.apply(Command::Start(NodeId::Server(1)));
    cluster.run_to(70);
    assert_eq!(cluster.leader(), (2, vec![1, 2, 3]));
    let consumed = cluster.consumed();
    assert!(consumed.iter().copied().eq((0..consumed.len() as i64).map(Offset)), "every offset once");
}

#[test]
fn a_controlled_shutdown_hands_over_and_exits() {
    let mut cluster = Cluster::under_load(10);
    cluster.apply(Command::Stop(NodeId::Server(1)));
    cluster.run_to(20);
    let completed = EventKind::Broker(BrokerEvent::ControlledShutdownCompleted);
    let exited = EventKind::Operator(OperatorEvent::ProcessExited { status: ExitStatus(143) });
    assert!(cluster.has_event(NodeId::Server(1), |kind| *kind == completed));
    assert!(cluster.has_event(NodeId::Server(1), |kind| *kind == exited));
    assert_eq!(cluster.leader(), (2, vec![2, 3]));
    let disconnections = |kind: &EventKind| matches!(kind, EventKind::Client(ClientEvent::RecordFailed { .. }));
    assert_eq!(cluster.count(disconnections), 0);
}

#[test]
fn a_run_can_be_moved_through_and_comes_out_the_same() {
    let mut cluster = Cluster::under_load(12);
    cluster.apply(Command::Kill(NodeId::Server(1)));
    cluster.run_to(24);
    let (hash, events) = (cluster.session.trace_hash(), cluster.events());
    for seconds in [3, 23, 12, 11, 0, 24] {
        cluster.session.seek(Instant(seconds * 1_000_000));
        assert_eq!(cluster.session.now(), Instant(seconds * 1_000_000));
    }
    assert_eq!((cluster.session.trace_hash(), cluster.events()), (hash, events));
    let mut again = Cluster::under_load(12);
    again.apply(Command::Kill(NodeId::Server(1)));
    again.run_to(24);
    assert_eq!(again.session.trace_hash(), hash);
}

#[test]
fn every_event_but_a_start_or_a_command_has_a_cause_before_it() {
    let cluster = Cluster::under_load(10);
    for event in cluster.events() {
        match event.cause {
            Some(cause) => assert!(cause < event.id),
            None => assert!(matches!(
                event.kind,
                EventKind::Operator(OperatorEvent::ProcessStarted | OperatorEvent::ClientStarted { .. })
            )),
        }
    }
}

#[test]
fn an_idle_cluster_is_quiet() {
    let mut cluster = Cluster::new(vec![create_topic()], 1);
    cluster.run_to(20);
    let steps = cluster.session.steps();
    cluster.session.run(Budget { until: cluster.session.now() + Duration(10_000_000), steps: u64::MAX });
    let per_second = (cluster.session.steps() - steps) / 10;
    assert!(per_second < 200, "{per_second} steps per second while nothing happens");
}

#[test]
fn brokers_without_a_controller_give_up_and_clients_reach_nobody() {
    let mut cluster = Cluster::new(Vec::new(), 1);
    let mut spec = WorldSpec::three_brokers(BTreeMap::new());
    spec.servers.retain(|server| NodeId::Server(server.node_id) != CONTROLLER);
    cluster.session = Session::new(spec, 1);
    cluster.apply(Command::StartClient(producer()));
    cluster.apply(Command::StartClient(consumer()));
    cluster.apply(Command::StartClient(create_topic()));
    cluster.run_to(70);
    let gave_up = EventKind::Operator(OperatorEvent::ProcessExited { status: ExitStatus(1) });
    assert_eq!(cluster.count(|kind| *kind == gave_up), 4, "three brokers and kafka-topics");
    assert!(cluster.brokers().is_empty());
}

/// Kills, stops and starts servers at random for a while, then starts all of them.
fn disturb(cluster: &mut Cluster, rng: &mut kafka::Rng) {
    for _ in 0..30 {
        let node = NodeId::Server([1, 2, 3, 100][rng.random_range(0..4)]);
        let command = match rng.random_range(0..4) {
            0 => Command::Kill(node),
            1 => Command::Stop(node),
            _ => Command::Start(node),
        };
        // What does not fit, such as killing the dead, changes nothing.
        cluster.session.apply(command).ok();
        let until = cluster.session.now() + Duration(rng.random_range(0..8_000_000));
        cluster.session.run(Budget { until, steps: 10_000_000 });
    }
    // Twice, because one that is still shutting down cannot be started yet.
    for _ in 0..2 {
        for node in [100, 1, 2, 3].map(NodeId::Server) {
            cluster.session.apply(Command::Start(node)).ok();
        }
        let until = cluster.session.now() + Duration(60_000_000);
        cluster.session.run(Budget { until, steps: 10_000_000 });
    }
}

#[test]
fn whatever_servers_suffer_the_cluster_comes_back_and_replicas_agree() {
    for seed in 0..10 {
        let mut rng = kafka::Rng::seed_from_u64(seed);
        let mut cluster = Cluster::new(vec![create_topic(), producer(), consumer()], seed);
        cluster.run_to(5);
        disturb(&mut cluster, &mut rng);
        let (_, isr) = cluster.leader();
        assert_eq!(cluster.brokers().len(), 3, "seed {seed}: all brokers run");
        assert_eq!(isr, [1, 2, 3], "seed {seed}");
        let before = cluster.acknowledged().len();
        let until = cluster.session.now() + Duration(5_000_000);
        cluster.session.run(Budget { until, steps: 10_000_000 });
        assert!(cluster.acknowledged().len() > before + 100, "seed {seed}: the producer goes on");
        let consumed = cluster.consumed();
        assert!(consumed.iter().copied().eq((0..consumed.len() as i64).map(Offset)), "seed {seed}: every offset once");
        let logs: Vec<ReplicaView> = cluster.replicas().into_values().collect();
        let committed = logs.iter().map(|replica| replica.high_watermark).min().expect("there are replicas");
        for replica in &logs[1..] {
            let same = logs[0]
                .segments
                .iter()
                .zip(replica.segments.iter())
                .all(|(one, other)| one == other || one.last_offset() >= committed);
            assert!(same, "seed {seed}: replicas hold the same batches below {committed}");
        }
    }
}
