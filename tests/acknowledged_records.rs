//! What an acknowledgement is worth: records acknowledged with `acks=all` outlive the death of any one broker, records
//! acknowledged with `acks=1` do not always.

use acceptance::clients::{create_topic, producer};
use kafka::event::{ControllerEvent, EventKind};
use kafka::instant::{Duration, Instant};
use kafka::node::NodeId;
use kafka::view::{NodeView, ReplicaRole, ReplicaView};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use sim::ledger::Verdict;
use sim::world_spec::NetworkSpec;
use sim::{Budget, Command, EventId, Session, WorldSpec};
use std::collections::BTreeMap;
use wire::request::Acks;
use wire::{PartitionIndex, TopicName, TopicPartition};

const SEEDS: u64 = 300;
const KILLS: u32 = 2;
const TOPIC: &str = "orders";

fn partition() -> TopicPartition {
    TopicPartition::new(TopicName::new(TOPIC), PartitionIndex(0))
}

/// A producer writes while brokers are killed and restarted at random, one at a time.
struct Run {
    session: Session,
    rng: Xoshiro256PlusPlus,
}

impl Run {
    /// A cluster that notices a dead broker after one second, so that a run is short, and whose network is slow, so that
    /// a broker may well die between an acknowledgement and the followers' next fetch.
    fn new(seed: u64, acks: Acks) -> Run {
        let properties = BTreeMap::from([
            ("broker.session.timeout.ms".to_owned(), "1000".to_owned()),
            ("broker.heartbeat.interval.ms".to_owned(), "200".to_owned()),
        ]);
        let mut spec = WorldSpec::three_brokers(properties);
        spec.network = NetworkSpec { delay_us: 2_000, jitter_us: 6_000 };
        let session = Session::new(spec, seed);
        let mut run = Run { session, rng: Xoshiro256PlusPlus::seed_from_u64(seed) };
        for program in [create_topic(TOPIC, 3, &[("min.insync.replicas", "2")]), producer(TOPIC, acks, 8)] {
            run.sleep_ms(1_000);
            run.session.apply(Command::StartClient(program)).expect("a client can always be started");
        }
        run.sleep_ms(1_000);
        run
    }

    fn sleep_ms(&mut self, milliseconds: i64) {
        self.sleep(Duration::from_ms(milliseconds));
    }

    fn sleep(&mut self, span: Duration) {
        let until = self.session.now() + span;
        self.session.run(Budget { until, steps: u64::MAX });
    }

    fn kill_and_restart_brokers(&mut self) {
        for _ in 0..KILLS {
            let pause = Duration(self.rng.random_range(0..500_000));
            self.sleep(pause);
            let broker = NodeId::Server(self.rng.random_range(1..=3));
            self.session.apply(Command::Kill(broker)).expect("the broker runs");
            let down = Duration(self.rng.random_range(500_000..2_500_000));
            self.sleep(down);
            self.session.apply(Command::Start(broker)).expect("the broker was killed");
            self.wait_for_full_isr();
        }
        self.sleep_ms(1_000);
    }

    /// One broker down at a time means also: the one before it is in sync again.
    fn wait_for_full_isr(&mut self) {
        let deadline = self.session.now() + Duration::from_ms(60_000);
        while self.isr_size() < 3 {
            assert!(self.session.now() < deadline, "the in-sync replicas are not complete after a minute");
            self.sleep_ms(100);
        }
    }

    fn isr_size(&mut self) -> usize {
        match self.leader_view().map(|replica| replica.role) {
            Some(ReplicaRole::Leader { isr, .. }) => isr.len(),
            Some(ReplicaRole::Follower { .. }) | None => 0,
        }
    }

    /// The replica that leads in the highest epoch.
    fn leader_view(&mut self) -> Option<ReplicaView> {
        let frame = self.session.frame();
        let views = frame.nodes.iter().filter_map(|node| {
            let Some(NodeView::Broker(broker)) = &node.process else { return None };
            broker.replicas.iter().find(|replica| replica.partition == partition())
        });
        views
            .filter(|replica| matches!(replica.role, ReplicaRole::Leader { .. }))
            .max_by_key(|replica| replica.leader_epoch)
            .cloned()
    }

    fn elections(&self) -> usize {
        let is_election = |kind: &EventKind| {
            matches!(kind, EventKind::Controller(ControllerEvent::LeaderElected { reason: Some(_), .. }))
        };
        self.session.events(EventId(0)).filter(|event| is_election(&event.kind)).count()
    }

    fn lost(&self, verdict: Verdict) -> u64 {
        self.session.ledger().counts().lost(verdict)
    }
}

fn run_with_kills(seed: u64, acks: Acks) -> Run {
    let mut run = Run::new(seed, acks);
    assert_eq!(run.isr_size(), 3, "seed {seed}: the topic is there, with all replicas in sync");
    run.kill_and_restart_brokers();
    run
}

#[test]
fn records_acknowledged_by_all_survive_the_death_of_any_broker() {
    let (mut acknowledged, mut elections) = (0, 0);
    for seed in 0..SEEDS {
        let run = run_with_kills(seed, Acks::All);
        assert_eq!(run.session.ledger().losses_len(), 0, "seed {seed}");
        acknowledged += run.session.ledger().counts().acknowledged_by_all;
        elections += run.elections();
    }
    assert!(acknowledged > 15_000, "only {acknowledged} records were acknowledged");
    assert!(elections > 150, "only {elections} leaders were elected");
}

#[test]
fn a_record_acknowledged_by_the_leader_alone_can_be_lost() {
    let mut losses = 0;
    for seed in 0..SEEDS {
        let run = run_with_kills(seed, Acks::Leader);
        let lost: u64 = Verdict::ALL.into_iter().map(|verdict| run.lost(verdict)).sum();
        assert_eq!(lost, run.lost(Verdict::AcksLeader), "seed {seed}: nothing else was promised");
        losses += lost;
    }
    assert!(losses > 0, "no acknowledged record was lost in {SEEDS} seeds");
}

#[test]
fn the_ledger_says_which_event_took_a_record_and_goes_back_in_time_with_the_run() {
    let lossy = (0..SEEDS).map(|seed| run_with_kills(seed, Acks::Leader)).find(|run| run.lost(Verdict::AcksLeader) > 0);
    let mut session = lossy.expect("some seed loses a record").session;
    let (counts, loss) = (session.ledger().counts(), session.ledger().losses(0..1).next().cloned());
    let loss = loss.expect("something is lost");
    let event = loss.event.expect("it was noticed at the event");
    let is_election = |event: &sim::Event| {
        matches!(
            event.kind,
            EventKind::Controller(ControllerEvent::LeaderElected { .. } | ControllerEvent::IsrChanged { .. })
        )
    };
    assert!(
        session.events(event).next().is_some_and(|event| is_election(&event)),
        "{:?}",
        session.events(event).next()
    );
    let end = session.now();
    session.seek(Instant(loss.at.0 - 1));
    assert_eq!(session.ledger().losses_len(), 0);
    session.seek(end);
    assert_eq!(session.ledger().counts(), counts);
}
