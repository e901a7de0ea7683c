//! A world and what is done to it.

use crate::checks::{Checks, History};
use acceptance::clients::{consumer, create_topic, producer, topics};
use kafka::instant::{Duration, Instant};
use kafka::node::NodeId;
use kafka::spec::{TopicFilter, TopicsAction};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use sim::world_spec::NetworkSpec;
use sim::{Budget, Command, CommandError, Session, WorldSpec};
use std::collections::BTreeMap;
use wire::request::Acks;

const FAULTS_PER_RUN: u32 = 24;
/// Between two records of a producer.
const INTERVAL_MS: i64 = 20;
const CONTROLLER: NodeId = NodeId::Server(100);

/// What may happen to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    KillBroker,
    StopBroker,
    StartBroker,
    KillController,
    StopController,
    StartController,
    CreateTopic,
    DeleteTopic,
    AddPartitions,
}

impl Fault {
    pub(crate) const ALL: [Fault; 9] = [
        Fault::KillBroker,
        Fault::StopBroker,
        Fault::StartBroker,
        Fault::KillController,
        Fault::StopController,
        Fault::StartController,
        Fault::CreateTopic,
        Fault::DeleteTopic,
        Fault::AddPartitions,
    ];

    /// Of 100 draws, how many are this one.
    fn weight(self) -> u32 {
        match self {
            Fault::KillBroker => 24,
            Fault::StopBroker => 10,
            Fault::StartBroker => 30,
            Fault::KillController => 5,
            Fault::StopController => 4,
            Fault::StartController => 10,
            Fault::CreateTopic | Fault::DeleteTopic => 6,
            Fault::AddPartitions => 5,
        }
    }

    fn draw(rng: &mut Xoshiro256PlusPlus) -> Fault {
        let mut place: u32 = rng.random_range(0..100);
        for fault in Fault::ALL {
            match place.checked_sub(fault.weight()) {
                Some(rest) => place = rest,
                None => return fault,
            }
        }
        unreachable!("the weights add up to 100")
    }
}

/// A run of the world.
pub(crate) struct Chaos {
    pub(crate) session: Session,
    /// How often each fault struck.
    pub(crate) faults: BTreeMap<Fault, u64>,
    rng: Xoshiro256PlusPlus,
    history: History,
    seed: u64,
}

impl Chaos {
    pub(crate) fn new(seed: u64) -> Chaos {
        let session = Session::new(world(seed), seed);
        let rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut chaos = Chaos { session, faults: BTreeMap::new(), rng, history: History::default(), seed };
        chaos.sleep(Duration::from_ms(3_000));
        chaos
    }

    /// Faults, with pauses that now and then let the cluster settle.
    pub(crate) fn run(&mut self) {
        for _ in 0..FAULTS_PER_RUN {
            let longest = if self.rng.random_range(0..4) == 0 { 4_000_000 } else { 400_000 };
            let pause = Duration(self.rng.random_range(0..longest));
            self.sleep(pause);
            let fault = Fault::draw(&mut self.rng);
            let command = self.command(fault);
            match self.session.apply(command) {
                Ok(_) => *self.faults.entry(fault).or_default() += 1,
                Err(CommandError::NotRunning(_) | CommandError::AlreadyRunning(_)) => {}
                Err(error) => panic!("seed {}: {error}", self.seed),
            }
        }
    }

    fn command(&mut self, fault: Fault) -> Command {
        let broker = NodeId::Server(self.rng.random_range(1..=3));
        let scratch = format!("scratch-{}", self.rng.random_range(0..2));
        match fault {
            Fault::KillBroker => Command::Kill(broker),
            Fault::StopBroker => Command::Stop(broker),
            Fault::StartBroker => Command::Start(broker),
            Fault::KillController => Command::Kill(CONTROLLER),
            Fault::StopController => Command::Stop(CONTROLLER),
            Fault::StartController => Command::Start(CONTROLLER),
            Fault::CreateTopic => Command::StartClient(create_topic(&scratch, 3, &[])),
            Fault::DeleteTopic => Command::StartClient(topics(TopicsAction::Delete {
                topics: TopicFilter { pattern: Some(scratch), exclude_internal: false },
                if_exists: true,
            })),
            Fault::AddPartitions => Command::StartClient(topics(TopicsAction::Alter {
                topics: TopicFilter { pattern: Some("growing".to_owned()), exclude_internal: false },
                count: self.rng.random_range(2..6),
                assignments: None,
                if_exists: true,
            })),
        }
    }

    /// Lets time pass, and looks at the cluster every now and then.
    fn sleep(&mut self, span: Duration) {
        let until = self.session.now() + span;
        while self.session.now() < until {
            let look_at = until.min(self.session.now() + Duration::from_ms(100));
            self.session.run(Budget { until: look_at, steps: u64::MAX });
            let frame = self.session.frame();
            Checks { frame: &frame, seed: self.seed }.all(&mut self.history);
        }
    }

    /// Everything is started, and soon all is well.
    pub(crate) fn heal(&mut self) {
        let deadline = self.session.now() + Duration::from_ms(180_000);
        loop {
            for server in [CONTROLLER, NodeId::Server(1), NodeId::Server(2), NodeId::Server(3)] {
                match self.session.apply(Command::Start(server)) {
                    Ok(_) | Err(CommandError::AlreadyRunning(_)) => {}
                    Err(error) => panic!("seed {}: {error}", self.seed),
                }
            }
            self.sleep(Duration::from_ms(500));
            let frame = self.session.frame();
            let checks = Checks { frame: &frame, seed: self.seed };
            let Some(wrong) = checks.what_is_unhealthy() else { break };
            assert!(self.session.now() < deadline, "seed {}: not healed in time: {wrong}", self.seed);
        }
        let committed = self.history.committed.clone();
        self.sleep(Duration::from_ms(3_000));
        let frame = self.session.frame();
        let checks = Checks { frame: &frame, seed: self.seed };
        checks.clients_were_told_the_truth(&self.session);
        checks.consumers_read_everything_once(&self.session, &committed);
    }

    /// Moves about in the run and compares digests.
    pub(crate) fn rewind_at_random(&mut self) {
        let (end, end_hash) = (self.session.now(), self.session.trace_hash());
        for _ in 0..5 {
            let instant = Instant(self.rng.random_range(0..end.0));
            self.session.seek(instant);
            let (steps, hash) = (self.session.steps(), self.session.trace_hash());
            let back = self.rng.random_range(0..20);
            (0..back).for_each(|_| assert!(self.session.step_back(), "there are steps before"));
            (0..back).for_each(|_| assert!(self.session.step(), "the same steps come again"));
            assert_eq!((self.session.steps(), self.session.trace_hash()), (steps, hash), "seed {}", self.seed);
        }
        self.session.seek(end);
        assert_eq!(self.session.trace_hash(), end_hash, "seed {}", self.seed);
        assert_eq!(self.session.branches().len(), 1, "nothing was changed in the past");
    }
}

fn world(seed: u64) -> WorldSpec {
    let properties = [
        ("broker.session.timeout.ms", "1000"),
        ("broker.heartbeat.interval.ms", "200"),
        ("replica.lag.time.max.ms", if seed.is_multiple_of(2) { "600" } else { "30000" }),
    ];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut spec = WorldSpec::three_brokers(BTreeMap::from(properties));
    spec.network = NetworkSpec { delay_us: 1_000, jitter_us: 5_000 };
    spec.clients = vec![
        create_topic("safe", 3, &[("min.insync.replicas", "2")]),
        create_topic("fast", 2, &[]),
        create_topic("growing", 3, &[]),
        producer("safe", Acks::All, INTERVAL_MS),
        producer("fast", Acks::Leader, INTERVAL_MS),
        producer("growing", Acks::None, INTERVAL_MS),
        producer("scratch-0", Acks::All, INTERVAL_MS),
        consumer("safe"),
        consumer("growing"),
    ];
    spec
}
