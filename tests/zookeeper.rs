//! Three brokers in a cluster that uses ZooKeeper: elections, the death of leaders, of controllers and of the ensemble.

use acceptance::clients;
use kafka::event::{BrokerEvent, ClientEvent, ControllerEvent, EventKind, OperatorEvent};
use kafka::instant::Instant;
use kafka::node::{ExitStatus, NodeId};
use kafka::spec::ClientSpec;
use kafka::view::{BrokerView, NodeView, ReplicaRole, ReplicaView};
use sim::world_shape::Mode;
use sim::{Budget, Command, Event, EventId, Session, WorldShape};
use std::collections::BTreeMap;
use wire::request::Acks;
use wire::{BrokerId, Offset};

const TOPIC: &str = "orders";

struct Cluster {
    session: Session,
}

/// The leader, its epoch and the in-sync replicas, sorted.
type Leadership = (i32, i32, Vec<i32>);

impl Cluster {
    fn new(clients: Vec<ClientSpec>) -> Cluster {
        let mut spec = WorldShape { mode: Mode::ZooKeeper, ..WorldShape::default() }.spec();
        spec.clients = clients;
        Cluster { session: Session::new(spec, 1) }
    }

    /// One partition on all brokers, broker 1 preferred, with a producer and a consumer.
    fn under_load(seconds: u64) -> Cluster {
        let mut cluster = Cluster::new(vec![
            clients::create_topic(TOPIC, 3, &[]),
            clients::producer(TOPIC, Acks::All, 20),
            clients::consumer(TOPIC),
        ]);
        cluster.run_to(seconds);
        cluster
    }

    fn run_to(&mut self, seconds: u64) {
        self.session.run(Budget { until: Instant(seconds * 1_000_000), steps: 10_000_000 });
        assert_eq!(self.session.now(), Instant(seconds * 1_000_000), "ten million steps should be enough");
    }

    fn apply(&mut self, command: Command) {
        self.session.apply(command).expect("the command fits the world");
    }

    fn count(&self, is_wanted: impl Fn(&EventKind) -> bool) -> usize {
        self.session.events(EventId(0)).filter(|event| is_wanted(&event.kind)).count()
    }

    fn brokers(&mut self) -> BTreeMap<i32, BrokerView> {
        let frame = self.session.frame();
        let view_of = |node: &sim::frame::NodeFrame| match (node.id, &node.process) {
            (NodeId::Server(id), Some(NodeView::Broker(view))) => Some((id, view.clone())),
            (NodeId::Server(_) | NodeId::ZooKeeper | NodeId::Client(_), _) => None,
        };
        frame.nodes.iter().filter_map(view_of).collect()
    }

    /// What the leader in the highest epoch says.
    fn leadership(&mut self) -> Leadership {
        let replicas =
            self.brokers().into_iter().flat_map(|(id, view)| view.replicas.into_iter().map(move |r| (id, r)));
        let leads = |(id, replica): (i32, ReplicaView)| match replica.role {
            ReplicaRole::Leader { isr, .. } => Some((replica.leader_epoch.0, id, isr)),
            ReplicaRole::Follower { .. } => None,
        };
        let (epoch, id, isr) = replicas.filter_map(leads).max().expect("somebody leads");
        let mut isr: Vec<i32> = isr.iter().map(|broker| broker.0).collect();
        isr.sort_unstable();
        (id, epoch, isr)
    }

    /// The controller and its epoch.
    fn controller(&mut self) -> (i32, i32) {
        let office = |(id, view): (i32, BrokerView)| Some((id, view.controller?.controller_epoch));
        self.brokers().into_iter().find_map(office).expect("there is a controller")
    }

    fn acknowledged(&self) -> usize {
        self.count(|kind| matches!(kind, EventKind::Client(ClientEvent::BatchAcknowledged { .. })))
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

    fn assert_every_offset_was_consumed_once(&self) {
        let consumed = self.consumed();
        assert!(consumed.len() > 100, "only {} records were consumed", consumed.len());
        assert!(consumed.iter().copied().eq((0..consumed.len() as i64).map(Offset)));
    }
}

fn broker(id: i32) -> NodeId {
    NodeId::Server(id)
}

#[test]
fn a_new_topic_has_leader_epoch_0_and_its_records_reach_everybody() {
    let mut cluster = Cluster::under_load(10);
    assert_eq!(cluster.leadership(), (1, 0, vec![1, 2, 3]));
    assert_eq!(cluster.controller().1, 1);
    assert!(cluster.acknowledged() > 300);
    cluster.assert_every_offset_was_consumed_once();
    for (id, view) in cluster.brokers() {
        assert_eq!(view.image.brokers().len(), 3, "broker {id} was told of all brokers");
    }
}

/// `testPreferredReplicaLeaderElection`: +1 when the leader goes, +2 when it leads again.
#[test]
fn a_dead_leader_is_replaced_when_its_session_ends_and_leads_again_after_a_rebalance() {
    let mut cluster = Cluster::under_load(10);
    cluster.apply(Command::Kill(broker(1)));
    cluster.run_to(20);
    assert_eq!(cluster.count(is_election_by(2)), 0, "the session has not ended yet");
    cluster.run_to(40);
    assert_eq!(cluster.leadership(), (2, 1, vec![2, 3]));
    cluster.apply(Command::Start(broker(1)));
    cluster.run_to(60);
    assert_eq!(cluster.leadership(), (2, 1, vec![1, 2, 3]));
    cluster.run_to(320);
    assert_eq!(cluster.leadership(), (1, 2, vec![1, 2, 3]));
    cluster.assert_every_offset_was_consumed_once();
}

fn is_election_by(leader: i32) -> impl Fn(&EventKind) -> bool {
    move |kind| {
        matches!(kind, EventKind::Controller(ControllerEvent::LeaderElected { leader: elected, .. })
            if *elected == BrokerId(leader))
    }
}

#[test]
fn a_dead_follower_leaves_the_isr_with_a_new_leader_epoch() {
    let mut cluster = Cluster::under_load(10);
    let (controller, _) = cluster.controller();
    let follower = if controller == 2 { 3 } else { 2 };
    cluster.apply(Command::Kill(broker(follower)));
    cluster.run_to(45);
    assert_eq!(cluster.leadership(), (1, 1, vec![1, 5 - follower]));
    cluster.assert_every_offset_was_consumed_once();
}

#[test]
fn a_stopping_leader_hands_over_before_it_goes() {
    let mut cluster = Cluster::under_load(10);
    cluster.apply(Command::Stop(broker(1)));
    cluster.run_to(12);
    let completed = EventKind::Broker(BrokerEvent::ControlledShutdownCompleted);
    let exited = EventKind::Operator(OperatorEvent::ProcessExited { status: ExitStatus(143) });
    assert_eq!((cluster.count(|kind| *kind == completed), cluster.count(|kind| *kind == exited)), (1, 1));
    let (leader, _, isr) = cluster.leadership();
    assert_eq!((leader, isr), (2, vec![2, 3]));
    cluster.apply(Command::Start(broker(1)));
    cluster.run_to(30);
    assert_eq!(cluster.leadership().2, [1, 2, 3]);
    cluster.assert_every_offset_was_consumed_once();
}

#[test]
fn a_broker_that_returns_before_its_old_session_has_ended_cannot_register() {
    let mut cluster = Cluster::under_load(10);
    cluster.apply(Command::Kill(broker(2)));
    cluster.run_to(12);
    cluster.apply(Command::Start(broker(2)));
    cluster.run_to(13);
    let refused = EventKind::Broker(BrokerEvent::RegistrationRefused);
    let failed = EventKind::Operator(OperatorEvent::ProcessExited { status: ExitStatus(1) });
    assert_eq!((cluster.count(|kind| *kind == refused), cluster.count(|kind| *kind == failed)), (1, 1));
    cluster.run_to(40);
    cluster.apply(Command::Start(broker(2)));
    cluster.run_to(60);
    assert_eq!(cluster.leadership().2, [1, 2, 3]);
}

#[test]
fn a_dead_controller_is_succeeded_in_the_next_epoch() {
    let mut cluster = Cluster::under_load(10);
    let (first, epoch) = cluster.controller();
    assert_eq!(epoch, 1);
    cluster.apply(Command::Kill(broker(first)));
    cluster.run_to(45);
    let (second, epoch) = cluster.controller();
    assert_eq!(epoch, 2);
    assert_ne!(second, first);
    let (leader, _, isr) = cluster.leadership();
    assert!(leader != first && !isr.contains(&first));
    cluster.assert_every_offset_was_consumed_once();
}

#[test]
fn the_cluster_serves_on_while_zookeeper_is_away_and_keeps_its_sessions() {
    for seconds in [5, 60] {
        let mut cluster = Cluster::under_load(10);
        let (before, controller) = (cluster.acknowledged(), cluster.controller());
        cluster.apply(Command::Kill(NodeId::ZooKeeper));
        cluster.run_to(10 + seconds);
        assert!(cluster.acknowledged() > before + 30 * seconds as usize, "{seconds} s: producers notice nothing");
        cluster.apply(Command::Start(NodeId::ZooKeeper));
        cluster.run_to(50 + seconds);
        assert_eq!(cluster.count(|kind| *kind == EventKind::Broker(BrokerEvent::SessionExpired)), 0);
        assert_eq!(cluster.controller(), controller);
        assert_eq!(cluster.leadership(), (1, 0, vec![1, 2, 3]));
        cluster.assert_every_offset_was_consumed_once();
    }
}
