//! Runs that are long or large: an idle day, a hundred brokers, a million events, a million records. Each is run once;
//! what a step of ordinary load costs is in the module above.

use super::{Scenario, client, consumer_of, create_topic, median, producer_of, run_for, timed};
use crate::session::Session;
use crate::trace::EventId;
use crate::world_shape::WorldShape;
use crate::world_spec::WorldSpec;
use kafka::event::{ControllerEvent, EventKind};
use kafka::instant::{Duration, Instant};
use kafka::view::{NodeView, ReplicaView};
use std::collections::BTreeMap;
use std::fmt;
use wire::{Record, TopicName, TopicPartition};

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongRun {
    /// Three brokers with a topic of fifty partitions, which nobody writes or reads, for a day.
    IdleDay,
    /// A hundred brokers with a hundred topics of a hundred partitions, and a producer and a consumer of ten of them.
    ManyBrokers,
    /// Steady load until a million events are noted, and then jumps criss-cross through them.
    MillionEvents,
    /// Ten producers until a million records are acknowledged, and a consumer that reads them.
    MillionRecords,
    /// The same with producers that linger, so that a batch has dozens of records instead of one.
    MillionBatched,
}

/// What a run is measured with.
pub struct Meters<'a> {
    /// Nanoseconds since whenever, and never less than before.
    pub clock: &'a mut dyn FnMut() -> u64,
    /// The same, without the time in which the processor did other programs' work; 0 where nobody can tell.
    pub processor: &'a mut dyn FnMut() -> u64,
    /// Bytes that the program takes now; 0 where nobody can tell.
    pub memory: &'a mut dyn FnMut() -> u64,
}

/// What a run has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Time until the cluster and its topics were there, in nanoseconds.
    pub set_up_ns: u64,
    /// Time of the run itself, in nanoseconds.
    pub run_ns: u64,
    /// How much of that the processor has worked for it.
    pub run_processor_ns: u64,
    /// Its steps.
    pub steps: u64,
    /// Events noted in it.
    pub events: u64,
    /// Its virtual time, in milliseconds.
    pub virtual_ms: u64,
    /// How many bytes more the program takes than before.
    pub memory_bytes: u64,
    /// Records in the logs, each counted once.
    pub records: u64,
    /// Bytes of their keys and values.
    pub payload_bytes: u64,
    /// The median time of a jump, in nanoseconds; 0 where none was made.
    pub seek_ns: u64,
    /// The slowest of them.
    pub slowest_seek_ns: u64,
}

const A_MILLION: u64 = 1_000_000;
const SECOND: Duration = Duration(1_000_000);
const SEEKS: u64 = 101;
const SEED: u64 = 1;

impl LongRun {
    /// All of them.
    pub const ALL: [LongRun; 5] = [
        LongRun::IdleDay,
        LongRun::ManyBrokers,
        LongRun::MillionEvents,
        LongRun::MillionRecords,
        LongRun::MillionBatched,
    ];

    /// How it is asked for.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            LongRun::IdleDay => "day",
            LongRun::ManyBrokers => "brokers",
            LongRun::MillionEvents => "events",
            LongRun::MillionRecords => "records",
            LongRun::MillionBatched => "batches",
        }
    }

    /// What it is.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            LongRun::IdleDay => "a day of three brokers with 50 partitions, which nobody writes or reads",
            LongRun::ManyBrokers => "100 brokers with 10,000 partitions, ten producers and ten consumers",
            LongRun::MillionEvents => "a million events of steady load",
            LongRun::MillionRecords => "a million records of ten producers, each in a batch of its own, and a consumer",
            LongRun::MillionBatched => "a million records of ten producers with linger.ms=100, and a consumer",
        }
    }

    /// Runs it.
    pub fn measure(self, meters: &mut Meters<'_>) -> Cost {
        let memory_before = (meters.memory)();
        let mut session = Session::new(self.world(), SEED);
        let set_up_ns = timed(meters.clock, || make_topics(&mut session, self.topics()));
        let (steps, events, now) = (session.steps(), session.next_event().0, session.now());
        let processor = (meters.processor)();
        let run_ns = timed(meters.clock, || self.run(&mut session));
        let mut cost = Cost {
            set_up_ns,
            run_ns,
            run_processor_ns: (meters.processor)() - processor,
            steps: session.steps() - steps,
            events: session.next_event().0 - events,
            virtual_ms: session.now().since(now).0 / 1_000,
            memory_bytes: (meters.memory)().saturating_sub(memory_before),
            ..Cost::default()
        };
        (cost.records, cost.payload_bytes) = records_and_payload(&mut session);
        if self == LongRun::MillionEvents {
            measure_seeks(&mut session, meters.clock, &mut cost);
        }
        cost
    }

    fn world(self) -> WorldSpec {
        match self {
            LongRun::IdleDay => {
                let mut world = WorldShape::default().spec();
                world.clients.push(create_topic(&numbered(0), 50));
                world
            }
            LongRun::ManyBrokers => many_brokers(),
            LongRun::MillionEvents => Scenario::steady_load(0).world(),
            LongRun::MillionRecords => Scenario { producers: 10, ..Scenario::steady_load(0) }.world(),
            LongRun::MillionBatched => Scenario { producers: 10, linger_ms: 100, ..Scenario::steady_load(0) }.world(),
        }
    }

    fn topics(self) -> usize {
        match self {
            LongRun::IdleDay | LongRun::MillionEvents | LongRun::MillionRecords | LongRun::MillionBatched => 1,
            LongRun::ManyBrokers => 100,
        }
    }

    fn run(self, session: &mut Session) {
        match self {
            LongRun::IdleDay => run_for(session, Duration(86_400 * SECOND.0)),
            LongRun::ManyBrokers => run_for(session, Duration(10 * SECOND.0)),
            LongRun::MillionEvents => run_until(session, |session| session.next_event().0 >= A_MILLION),
            LongRun::MillionRecords | LongRun::MillionBatched => {
                run_until(session, |session| session.ledger().counts().acknowledged_by_all >= A_MILLION);
            }
        }
    }
}

fn many_brokers() -> WorldSpec {
    let mut world = WorldShape { brokers: 100, ..WorldShape::default() }.spec();
    world.clients.extend((0..100).map(|number| create_topic(&numbered(number), 100)));
    for number in 0..10 {
        let topic = numbered(number * 10);
        world.clients.push(client("producer", producer_of(&topic, 10, 0)));
        world.clients.push(client("consumer", consumer_of(&topic)));
    }
    world
}

fn numbered(number: u32) -> TopicName {
    TopicName::new(&format!("bench-{number}"))
}

/// Runs until so many topics are made, and five seconds more, until all brokers know of them.
fn make_topics(session: &mut Session, topics: usize) {
    let (mut made, mut cursor) = (0, EventId(0));
    run_until(session, |session| {
        let is_creation =
            |kind: &EventKind| matches!(kind, EventKind::Controller(ControllerEvent::TopicCreated { .. }));
        made += session.events(cursor).filter(|event| is_creation(&event.kind)).count();
        cursor = session.next_event();
        made >= topics
    });
    run_for(session, Duration(5 * SECOND.0));
}

fn run_until(session: &mut Session, mut is_done: impl FnMut(&Session) -> bool) {
    while !is_done(session) {
        run_for(session, Duration(SECOND.0 / 10));
    }
}

/// Jumps criss-cross through the whole run.
fn measure_seeks(session: &mut Session, clock: &mut dyn FnMut() -> u64, cost: &mut Cost) {
    let end = session.now().0;
    let instants = (1..=SEEKS).map(|jump| Instant(end / SEEKS * (jump * 37 % SEEKS)));
    let seeks: Vec<u64> = instants.map(|instant| timed(clock, || session.seek(instant))).collect();
    cost.slowest_seek_ns = seeks.iter().copied().max().unwrap_or(0);
    cost.seek_ns = median(seeks);
}

/// How many records the logs have, and the bytes of their keys and values: of each partition the longest replica counts.
fn records_and_payload(session: &mut Session) -> (u64, u64) {
    let frame = session.frame();
    let mut longest: BTreeMap<&TopicPartition, &ReplicaView> = BTreeMap::new();
    for node in &frame.nodes {
        let Some(NodeView::Broker(broker)) = &node.process else { continue };
        for replica in &broker.replicas {
            let known = longest.entry(&replica.partition).or_insert(replica);
            if replica.log_end_offset > known.log_end_offset {
                *known = replica;
            }
        }
    }
    let batches = longest.values().flat_map(|replica| replica.segments.iter());
    batches
        .flat_map(|batch| batch.records())
        .fold((0, 0), |(records, bytes), record| (records + 1, bytes + payload(record)))
}

fn payload(record: &Record) -> u64 {
    [&record.key, &record.value].into_iter().flatten().map(|bytes| bytes.len() as u64).sum()
}

impl Cost {
    /// What a run on an idle machine would have taken, as far as that is known.
    fn work_ns(&self) -> u64 {
        if self.run_processor_ns > 0 { self.run_processor_ns } else { self.run_ns }
    }

    fn per_second(&self, count: u64) -> u64 {
        (u128::from(count) * 1_000_000_000 / u128::from(self.work_ns().max(1))) as u64
    }

    /// Bytes of memory for each record, without its key and value.
    #[must_use]
    pub fn bytes_per_record(&self) -> u64 {
        self.memory_bytes.saturating_sub(self.payload_bytes) / self.records.max(1)
    }
}

impl fmt::Display for Cost {
    /// What it took, and what that comes to.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [set_up, run, work] =
            [self.set_up_ns, self.run_ns, self.run_processor_ns].map(|nanoseconds| nanoseconds / 1_000_000);
        let virtual_seconds = self.virtual_ms / 1_000;
        writeln!(formatter, "  {run} ms, {work} ms of them on the processor, for {virtual_seconds} s of virtual time")?;
        writeln!(formatter, "  {set_up} ms before that to set it up")?;
        let per_second = self.work_ns() / self.virtual_ms.max(1);
        writeln!(formatter, "  {per_second} us for a second of virtual time")?;
        let (steps, events) = (self.per_second(self.steps), self.per_second(self.events));
        writeln!(formatter, "  {} steps, {steps} per second; {} events, {events} per second", self.steps, self.events)?;
        writeln!(formatter, "  {} MB of memory", self.memory_bytes / 1_000_000)?;
        if self.records > 0 {
            let (records, payload, beyond) = (self.records, self.payload_bytes, self.bytes_per_record());
            writeln!(
                formatter,
                "  {records} records with {payload} bytes; {beyond} bytes of memory for each beyond those"
            )?;
        }
        if self.seek_ns > 0 {
            let (median, slowest) = (self.seek_ns / 1_000, self.slowest_seek_ns / 1_000);
            writeln!(formatter, "  a seek takes {median} us, the slowest {slowest} us")?;
        }
        Ok(())
    }
}
