//! What the engine costs: steps, checkpoints, seeks and frames of a cluster under steady load.
//!
//! It reads no clock: whoever runs it brings one, so that the same scenario is measured natively and in a browser.
//! Times of different machines cannot be compared, which is why the table also says how many steps each thing costs.

pub mod long_run;

use crate::session::{Budget, Session};
use crate::world_spec::WorldSpec;
use kafka::instant::{Duration, Instant};
use kafka::spec::{
    AutoOffsetReset, ClientSpec, ConsumerConfig, ConsumerSpec, ProducerConfig, ProducerSpec, Program, Subscription,
    TopicsAction, Workload,
};
use std::collections::BTreeMap;
use std::fmt;
use wire::request::{Acks, CreatableTopic};
use wire::{Endpoint, TopicName};

/// What is run: the default cluster, a topic with three partitions on all brokers, producers and consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Seconds of virtual time that are measured.
    pub seconds: u64,
    /// Producer programs with `acks=all`.
    pub producers: u32,
    /// Consumer programs, each of the whole topic.
    pub consumers: u32,
    /// Milliseconds between two records of a producer.
    pub interval_ms: i64,
    /// Their `linger.ms`: how long a batch waits for more records.
    pub linger_ms: i64,
    /// The seed.
    pub seed: u64,
}

/// What it costs. Times are in nanoseconds: medians, but for frames, which are too short for a browser's clock, averages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Steps that were measured.
    pub steps: u64,
    /// Events noted in them.
    pub events: u64,
    /// The measured virtual time, in milliseconds.
    pub virtual_ms: u64,
    /// One step, checkpoints included.
    pub step_ns: u64,
    /// Taking one checkpoint.
    pub checkpoint_ns: u64,
    /// A step right behind a checkpoint: what it changes has to be copied first.
    pub step_after_checkpoint_ns: u64,
    /// Going to an instant of the past.
    pub seek_ns: u64,
    /// The slowest of those.
    pub slowest_seek_ns: u64,
    /// A frame after a sixtieth of a second.
    pub frame_ns: u64,
    /// A frame after a jump, of which nothing can be taken over.
    pub new_frame_ns: u64,
}

const WARM_UP: Duration = Duration(10_000_000);
const FRAME_INTERVAL: Duration = Duration(16_667);
const BATCHES: u64 = 15;
const BATCH: u64 = 500;
/// So many that a browser's clock, which counts in tenths of a millisecond, can tell what one costs.
const CHECKPOINTS: u64 = 10_000;
const SEEKS: u64 = 41;
const FRAMES: u64 = 200;

impl Scenario {
    /// A producer that sends a thousand records per second, and a consumer.
    #[must_use]
    pub fn steady_load(seconds: u64) -> Scenario {
        Scenario { seconds, producers: 1, consumers: 1, interval_ms: 1, linger_ms: 0, seed: 1 }
    }

    /// Runs the scenario. `clock` gives nanoseconds since whenever, and never less than before.
    pub fn measure(&self, clock: &mut dyn FnMut() -> u64) -> Report {
        let mut session = Session::new(self.world(), self.seed);
        run_for(&mut session, WARM_UP);
        let mut report = Report::default();
        self.measure_steps(&mut session, clock, &mut report);
        measure_checkpoints(&mut session, clock, &mut report);
        measure_frames(&mut session, clock, &mut report);
        measure_seeks(&mut session, clock, &mut report);
        report
    }

    fn measure_steps(&self, session: &mut Session, clock: &mut dyn FnMut() -> u64, report: &mut Report) {
        let (steps, events, now) = (session.steps(), session.next_event(), session.now());
        let seconds = (0..self.seconds).map(|_| nanoseconds_per_step(session, clock));
        report.step_ns = median(seconds.collect());
        report.steps = session.steps() - steps;
        report.events = session.next_event().0 - events.0;
        report.virtual_ms = session.now().since(now).0 / 1_000;
    }

    /// The world that is run.
    #[must_use]
    pub fn world(&self) -> WorldSpec {
        let mut spec = WorldSpec::three_brokers(BTreeMap::new());
        let topic = TopicName::new("bench");
        spec.clients.push(create_topic(&topic, 3));
        let producer = || client("producer", producer_of(&topic, self.interval_ms, self.linger_ms));
        spec.clients.extend((0..self.producers).map(|_| producer()));
        spec.clients.extend((0..self.consumers).map(|_| client("consumer", consumer_of(&topic))));
        spec
    }
}

fn producer_of(topic: &TopicName, interval_ms: i64, linger_ms: i64) -> Program {
    Program::Producer(ProducerSpec {
        config: ProducerConfig { acks: Acks::All, linger_ms, ..ProducerConfig::default() },
        is_synchronous: false,
        workload: Some(Workload {
            topic: topic.clone(),
            interval_ms,
            keys: ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec(),
            value_prefix: "record ".to_owned(),
        }),
    })
}

fn client(client_id: &str, program: Program) -> ClientSpec {
    let bootstrap_servers = (9092..=9094).map(|port| Endpoint::new("localhost", port)).collect();
    ClientSpec { client_id: client_id.to_owned(), bootstrap_servers, program }
}

fn create_topic(name: &TopicName, partitions: i32) -> ClientSpec {
    let topic = CreatableTopic {
        name: name.clone(),
        num_partitions: Some(partitions),
        replication_factor: Some(3),
        assignments: Vec::new(),
        configs: Vec::new(),
    };
    client("topics", Program::Topics(TopicsAction::Create { topic, if_not_exists: false }))
}

fn consumer_of(topic: &TopicName) -> Program {
    let config = ConsumerConfig { auto_offset_reset: AutoOffsetReset::Earliest, ..ConsumerConfig::default() };
    Program::Consumer(ConsumerSpec {
        config,
        subscription: Subscription::Topic(topic.clone()),
        group_id: None,
        max_messages: None,
        timeout_ms: None,
    })
}

fn run_for(session: &mut Session, span: Duration) {
    session.run(Budget { until: session.now() + span, steps: u64::MAX });
}

fn timed(clock: &mut dyn FnMut() -> u64, work: impl FnOnce()) -> u64 {
    let begin = clock();
    work();
    clock() - begin
}

/// A step in the next second of virtual time.
fn nanoseconds_per_step(session: &mut Session, clock: &mut dyn FnMut() -> u64) -> u64 {
    let steps = session.steps();
    let elapsed = timed(clock, || run_for(session, Duration(1_000_000)));
    elapsed / session.steps().checked_sub(steps).filter(|steps| *steps > 0).expect("the cluster is under load")
}

/// Other programs of the same computer do not shift it as they do an average.
fn median(mut times: Vec<u64>) -> u64 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or(0)
}

fn measure_checkpoints(session: &mut Session, clock: &mut dyn FnMut() -> u64, report: &mut Report) {
    let mut kept = Vec::new();
    let mut batch = || {
        kept.clear();
        timed(clock, || kept.extend((0..CHECKPOINTS).map(|_| session.checkpoint()))) / CHECKPOINTS
    };
    report.checkpoint_ns = median((0..BATCHES).map(|_| batch()).collect());
    drop(kept);
    let mut batch = || timed(clock, || (0..BATCH).for_each(|_| step_behind_checkpoint(session))) / BATCH;
    report.step_after_checkpoint_ns = median((0..BATCHES).map(|_| batch()).collect());
}

fn step_behind_checkpoint(session: &mut Session) {
    let checkpoint = session.checkpoint();
    session.step();
    drop(checkpoint);
}

fn measure_frames(session: &mut Session, clock: &mut dyn FnMut() -> u64, report: &mut Report) {
    let mut frame = || {
        run_for(session, FRAME_INTERVAL);
        timed(clock, || drop(session.frame()))
    };
    report.frame_ns = (0..FRAMES).map(|_| frame()).sum::<u64>() / FRAMES;
}

/// Jumps criss-cross through the whole run.
fn measure_seeks(session: &mut Session, clock: &mut dyn FnMut() -> u64, report: &mut Report) {
    let end = session.now().0;
    let (mut seeks, mut frames) = (Vec::new(), Vec::new());
    for jump in 1..=SEEKS {
        let instant = Instant(end / SEEKS * (jump * 17 % SEEKS));
        seeks.push(timed(clock, || session.seek(instant)));
        frames.push(timed(clock, || drop(session.frame())));
    }
    report.slowest_seek_ns = seeks.iter().copied().max().unwrap_or(0);
    report.seek_ns = median(seeks);
    report.new_frame_ns = frames.iter().sum::<u64>() / SEEKS;
}

impl Report {
    /// Steps per second of real time.
    #[must_use]
    pub fn steps_per_second(&self) -> u64 {
        1_000_000_000 / self.step_ns.max(1)
    }

    /// Events noted in the trace per second of real time: what happened in Kafka's terms. Most steps note one or none.
    #[must_use]
    pub fn events_per_second(&self) -> u64 {
        self.events * 1_000_000_000 / (self.steps * self.step_ns).max(1)
    }

    /// How much faster than real time the cluster runs.
    #[must_use]
    pub fn speed(&self) -> u64 {
        self.virtual_ms * 1_000_000 / (self.steps * self.step_ns).max(1)
    }
}

impl fmt::Display for Report {
    /// A table: what, its time, and how many steps could be taken meanwhile.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (steps, events, seconds) = (self.steps, self.events, self.virtual_ms / 1_000);
        writeln!(formatter, "{steps} steps, which noted {events} events, in {seconds} s of virtual time")?;
        let (steps, events) = (self.steps_per_second(), self.events_per_second());
        writeln!(formatter, "{steps} steps and {events} noted events per second, {} times real time", self.speed())?;
        writeln!(formatter, "{:<28}{:>14}{:>14}", "", "ns", "steps")?;
        let rows = [
            ("a step", self.step_ns),
            ("a checkpoint", self.checkpoint_ns),
            ("a step after a checkpoint", self.step_after_checkpoint_ns),
            ("a seek", self.seek_ns),
            ("the slowest seek", self.slowest_seek_ns),
            ("a frame at 60 per second", self.frame_ns),
            ("a frame after a jump", self.new_frame_ns),
        ];
        rows.into_iter().try_for_each(|(what, time)| {
            let hundredths = time * 100 / self.step_ns.max(1);
            writeln!(formatter, "{what:<28}{time:>14}{:>11}.{:02}", hundredths / 100, hundredths % 100)
        })
    }
}
