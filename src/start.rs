//! The run with which the page begins: a small cluster that lives, made only of what a user could do too; or what a seed
//! of the swarm draws.

use crate::run::Run;
use crate::swarm_run::{self, SwarmRun, SwarmSeed};
use crate::view::cluster::{Cast, ServerKind};
use kafka::instant::Instant;
use kafka::node::NodeId;
use kafka::release::{METADATA_VERSION, RELEASE};
use kafka::spec::{
    AdminAction, AutoOffsetReset, ClientSpec, ConsumerConfig, ConsumerSpec, FeaturesAction, ProducerConfig,
    ProducerSpec, Program, ServerRole, ServerSpec, Subscription, TopicsAction, Workload,
};
use sim::world_spec::NetworkSpec;
use sim::{Budget, EventId, Frame, Session, WorldSpec};
use std::rc::Rc;
use wire::request::{CreatableTopic, FeatureUpdate, UpgradeType};
use wire::{Endpoint, TopicName};

/// Messages are slow enough to be followed by eye at the speed with which the page begins.
const NETWORK: NetworkSpec = NetworkSpec { delay_us: 80_000, jitter_us: 40_000 };

/// How far the run has come when the page is first shown: the cluster stands, and a few records are there.
const HEAD_START: Instant = Instant(14_000_000);

const TOPIC: &str = "orders";

/// What can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    Run(Run),
    Swarm(SwarmSeed),
}

/// A run as the page first shows it.
pub(crate) struct Opened {
    /// Its cluster and seed, which the form offers again.
    pub(crate) run: Run,
    pub(crate) session: Session,
    pub(crate) swarm: Option<Rc<SwarmRun>>,
    /// The event to look at first.
    pub(crate) first_event: Option<EventId>,
}

/// Opens a run.
pub(crate) fn open(opening: Opening) -> Opened {
    match opening {
        Opening::Run(run) => Opened { run, session: begin(world(run), run.seed), swarm: None, first_event: None },
        Opening::Swarm(seed) => {
            let (swarm, session, first_event) = swarm_run::open(seed);
            let world = &swarm.plan.world;
            let run = Run { mode: world.mode(), brokers: world.brokers, seed: seed.seed, ..Run::default() };
            Opened { run, session, swarm: Some(Rc::new(swarm)), first_event }
        }
    }
}

/// The servers, their network, and the programs: the topic is created by a real `kafka-topics` call.
pub(crate) fn world(run: Run) -> WorldSpec {
    let mut spec = run.shape().spec();
    spec.network = NETWORK;
    if run.has_eligible_leader_replicas() {
        let upgrade = client(&spec, "kafka-features", Program::Admin(AdminAction::Features(upgrade_metadata())));
        spec.clients.push(upgrade);
    }
    let programs = [
        client(&spec, "kafka-topics", Program::Topics(create_topic(run.brokers))),
        client(&spec, "orders-producer", producer()),
        client(&spec, "orders-consumer", consumer()),
    ];
    spec.clients.extend(programs);
    spec
}

/// What each server of Kafka's is.
pub(crate) fn cast(spec: &WorldSpec) -> Cast {
    let kind = |role: ServerRole| match role {
        ServerRole::Broker | ServerRole::Combined => Some(ServerKind::Broker),
        ServerRole::Controller => Some(ServerKind::Controller),
        ServerRole::ZooKeeper => None,
    };
    spec.servers.iter().filter_map(|server| Some((server.node_id, kind(server.role)?))).collect()
}

/// Begins a run, and lets it go on for a while.
pub(crate) fn begin(spec: WorldSpec, seed: u64) -> Session {
    let mut session = Session::new(spec, seed);
    session.run(Budget { until: HEAD_START, steps: u64::MAX });
    session
}

/// A client program that knows the first brokers.
pub(crate) fn client(world: &WorldSpec, client_id: &str, program: Program) -> ClientSpec {
    const KNOWN: usize = 3;
    let bootstrap_servers = brokers(world).take(KNOWN).map(|broker| broker.endpoint.clone()).collect();
    ClientSpec { client_id: client_id.to_owned(), bootstrap_servers, program }
}

fn brokers(world: &WorldSpec) -> impl Iterator<Item = &ServerSpec> {
    world.servers.iter().filter(|server| server.role.is_broker())
}

/// One more broker like the first, with the next id and port that are free; nothing if there is none to be like.
pub(crate) fn another_broker(world: &WorldSpec, frame: &Frame) -> Option<ServerSpec> {
    const PORT_BEFORE_FIRST: u16 = 9091;
    let is_free = |id: &i32| frame.nodes.iter().all(|node| node.id != NodeId::Server(*id));
    let node_id = (1..).find(is_free)?;
    let endpoint = Endpoint::new("localhost", PORT_BEFORE_FIRST.saturating_add(u16::try_from(node_id).ok()?));
    Some(ServerSpec { node_id, role: ServerRole::Broker, endpoint, ..brokers(world).next()?.clone() })
}

fn upgrade_metadata() -> FeaturesAction {
    let update = FeatureUpdate {
        feature: METADATA_VERSION.to_owned(),
        max_version_level: RELEASE.eligible_leader_replicas_from,
        upgrade_type: UpgradeType::Upgrade,
    };
    FeaturesAction::Update { updates: vec![update], dry_run: false }
}

/// Three replicas where there are so many brokers, and one of them may fail.
fn create_topic(brokers: i32) -> TopicsAction {
    let replicas = brokers.min(3);
    let topic = CreatableTopic {
        name: TopicName::new(TOPIC),
        num_partitions: Some(3),
        replication_factor: i16::try_from(replicas).ok(),
        assignments: Vec::new(),
        configs: vec![("min.insync.replicas".to_owned(), (replicas - 1).max(1).to_string())],
    };
    TopicsAction::Create { topic, if_not_exists: false }
}

fn producer() -> Program {
    let workload = Workload {
        topic: TopicName::new(TOPIC),
        interval_ms: 1_000,
        // One or two for each partition.
        keys: ["ann", "bob", "joe", "mia"].map(str::to_owned).into(),
        value_prefix: "o".to_owned(),
    };
    Program::Producer(ProducerSpec {
        config: ProducerConfig::default(),
        is_synchronous: false,
        workload: Some(workload),
    })
}

fn consumer() -> Program {
    let config = ConsumerConfig { auto_offset_reset: AutoOffsetReset::Earliest, ..ConsumerConfig::default() };
    let subscription = Subscription::Topic(TopicName::new(TOPIC));
    Program::Consumer(ConsumerSpec { config, subscription, group_id: None, max_messages: None, timeout_ms: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::DEFAULT_SEED;
    use crate::view::cluster;
    use kafka::event::{ControllerEvent, EventKind};
    use kafka::instant::Duration;
    use sim::Command;
    use sim::world_shape::Mode;

    fn assert_lives(run: Run) {
        let mut session = begin(world(run), run.seed);
        let frame = session.frame();
        assert_eq!(cluster::partitions(&frame, None).len(), 3, "{run:?}");
        let consumed = frame.nodes.iter().filter_map(cluster::client_view).map(|client| match client {
            cluster::ClientView::Consumer(view) => view.consumed,
            cluster::ClientView::Producer(_) | cluster::ClientView::Admin(_) => 0,
        });
        assert!(consumed.sum::<u64>() >= 2, "{run:?}");
    }

    #[test]
    fn when_the_page_is_first_shown_records_have_been_stored_and_read() {
        for seed in [DEFAULT_SEED, 2, 3, u64::MAX] {
            assert_lives(Run { seed, ..Run::default() });
        }
    }

    #[test]
    fn every_cluster_that_can_be_chosen_lives_when_it_is_first_shown() {
        let quorums = crate::run::CONTROLLERS.map(|controllers| Mode::KRaft { controllers });
        for mode in quorums.into_iter().chain([Mode::Combined { controllers: 3 }, Mode::ZooKeeper]) {
            for brokers in [1, 2, 3, crate::run::MOST_BROKERS] {
                assert_lives(Run { mode, brokers, ..Run::default() });
            }
        }
    }

    #[test]
    fn another_broker_takes_the_next_free_id_and_port() {
        let run = Run::default();
        let mut session = Session::new(world(run), run.seed);
        let spec = another_broker(&world(run), &session.frame()).expect("there are brokers to be like");
        assert_eq!((spec.node_id, spec.endpoint.port), (4, 9095));
        session.apply(Command::AddServer(Box::new(spec))).expect("nobody has that id or port");
    }

    #[test]
    fn eligible_leader_replicas_are_there_where_they_are_wanted() {
        for wants_eligible_leader_replicas in [false, true] {
            let run = Run { wants_eligible_leader_replicas, ..Run::default() };
            let mut session = begin(world(run), run.seed);
            for broker in [1, 2] {
                session.apply(Command::Kill(NodeId::Server(broker))).expect("it runs");
            }
            session.run(Budget { until: session.now() + Duration(15_000_000), steps: u64::MAX });
            let has_eligible = session.events(EventId(0)).any(|event| {
                matches!(event.kind, EventKind::Controller(ControllerEvent::EligibleLeadersChanged { .. }))
            });
            assert_eq!(has_eligible, wants_eligible_leader_replicas);
        }
    }
}
