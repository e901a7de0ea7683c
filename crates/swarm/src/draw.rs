//! What a seed draws: the world, what clients do in it, and which faults strike. Faults are drawn one by one from those
//! that are possible at that instant.

use crate::action::{Action, Kind, TopicPlan};
use crate::plan::Plan;
use crate::world_plan::{Historical, WorldPlan};
use kafka::instant::Duration;
use kafka::node::NodeId;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use sim::Frame;
use std::collections::BTreeMap;
use wire::request::Acks;

/// Faults in a run.
const FAULTS: u32 = 24;

/// Draws from a seed.
#[derive(Clone, Debug)]
pub struct Draw {
    rng: Xoshiro256PlusPlus,
    faults_left: u32,
}

impl Draw {
    /// The draws of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Draw {
        Draw { rng: Xoshiro256PlusPlus::seed_from_u64(seed), faults_left: FAULTS }
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.rng.random_range(0..choices.len())].clone()
    }

    /// A world and a plan in which nothing happens yet.
    pub fn plan(&mut self, seed: u64, historical: Option<Historical>) -> Plan {
        Plan { seed, world: self.world(historical), steps: Vec::new() }
    }

    fn world(&mut self, historical: Option<Historical>) -> WorldPlan {
        let properties = [
            ("broker.session.timeout.ms", self.one_of(&["1000", "1000", "3000"])),
            ("broker.heartbeat.interval.ms", self.one_of(&["200", "500"])),
            ("replica.lag.time.max.ms", self.one_of(&["600", "2000", "30000"])),
            ("replica.fetch.wait.max.ms", self.one_of(&["100", "500"])),
            ("leader.imbalance.check.interval.seconds", self.one_of(&["5", "300"])),
        ];
        WorldPlan {
            brokers: self.one_of(&[2, 3, 3, 3, 4]),
            controllers: self.one_of(&[1, 1, 3]),
            combined: self.one_of(&[false, false, true]),
            racks: self.one_of(&[0, 0, 2]),
            delay_us: self.one_of(&[250, 1_000, 1_000, 5_000]),
            jitter_us: self.one_of(&[100, 5_000, 20_000]),
            properties: BTreeMap::from(properties.map(|(key, value)| (key.to_owned(), value.to_owned()))),
            historical,
        }
    }

    /// What is done before faults strike: topics, producers and consumers.
    pub fn beginning(&mut self, world: &WorldPlan) -> Vec<Action> {
        let mut actions = Vec::new();
        for name in ["safe", "fast", "growing"] {
            let topic = self.topic(name, world);
            actions.push(Action::CreateTopic(topic));
        }
        let safe = self.one_of(&[Acks::All, Acks::All, Acks::Leader]);
        for (topic, acks) in [("safe", safe), ("fast", Acks::Leader), ("growing", Acks::None), ("scratch-0", Acks::All)]
        {
            let interval_ms = self.one_of(&[5, 20, 20, 50]);
            actions.push(Action::Produce { topic: topic.to_owned(), acks, interval_ms });
        }
        actions.extend(["safe", "growing"].map(|topic| Action::Consume { topic: topic.to_owned() }));
        actions
    }

    fn topic(&mut self, name: &str, world: &WorldPlan) -> TopicPlan {
        let most = i16::try_from(world.brokers.min(3)).expect("few brokers");
        let replicas = self.one_of(&[most, most, most, 2]);
        TopicPlan {
            name: name.to_owned(),
            partitions: self.one_of(&[1, 1, 2, 3]),
            replicas,
            min_insync_replicas: if name == "safe" { 2 } else { self.one_of(&[1, 1, 2]) },
            unclean_election: self.one_of(&[false, false, false, true]),
        }
    }

    /// How long nothing happens; now and then so long that the cluster settles.
    pub fn pause(&mut self) -> Duration {
        let longest = if self.rng.random_range(0..4) == 0 { 4_000_000 } else { 400_000 };
        Duration(self.rng.random_range(0..longest))
    }

    /// The next fault, of those that are possible now; none when there have been enough.
    pub fn fault(&mut self, world: &WorldPlan, frame: &Frame) -> Option<Action> {
        self.faults_left = self.faults_left.checked_sub(1)?;
        let possible: Vec<(Vec<Action>, u32)> = Kind::WEIGHTS
            .into_iter()
            .map(|(kind, weight)| (self.of_kind(kind, world, frame), weight))
            .filter(|(actions, _)| !actions.is_empty())
            .collect();
        let total: u32 = possible.iter().map(|(_, weight)| weight).sum();
        let mut place = self.rng.random_range(0..total);
        for (actions, weight) in possible {
            match place.checked_sub(weight) {
                Some(rest) => place = rest,
                None => return Some(self.one_of(&actions)),
            }
        }
        unreachable!("a place below the total lies within one of the weights")
    }

    fn cuts(&mut self, world: &WorldPlan) -> Vec<Action> {
        let is_one_way = self.one_of(&[false, false, true]);
        let pairs = world.server_ids().flat_map(|from| world.server_ids().map(move |to| (from, to)));
        pairs.filter(|(from, to)| from != to).map(|(from, to)| Action::Cut { from, to, is_one_way }).collect()
    }

    fn of_kind(&mut self, kind: Kind, world: &WorldPlan, frame: &Frame) -> Vec<Action> {
        let scratch = format!("scratch-{}", self.rng.random_range(0..2));
        let (up, down): (Vec<i32>, Vec<i32>) = world.server_ids().partition(|id| is_up(frame, *id));
        let of = |servers: &[i32], is_broker: bool, action: fn(i32) -> Action| {
            let chosen = servers.iter().filter(|id| (**id <= world.brokers) == is_broker);
            chosen.map(|id| action(*id)).collect()
        };
        match kind {
            Kind::KillBroker => of(&up, true, Action::Kill),
            Kind::StopBroker => of(&up, true, Action::Stop),
            Kind::StartBroker => of(&down, true, Action::Start),
            Kind::KillController => of(&up, false, Action::Kill),
            Kind::StopController => of(&up, false, Action::Stop),
            Kind::StartController => of(&down, false, Action::Start),
            Kind::Freeze => up.iter().filter(|id| !is_frozen(frame, **id)).map(|id| Action::Freeze(*id)).collect(),
            Kind::Thaw => up.iter().filter(|id| is_frozen(frame, **id)).map(|id| Action::Thaw(*id)).collect(),
            Kind::PowerOff => up.iter().map(|id| Action::PowerOff(*id)).collect(),
            Kind::SlowDisk => {
                let delay_us = self.one_of(&[0, 1_000, 20_000, 200_000]);
                up.iter().map(|id| Action::SlowDisk { server: *id, delay_us }).collect()
            }
            Kind::FullDisk => of(&up, true, Action::FullDisk),
            Kind::Clock => {
                let offset_ms = self.one_of(&[-60_000, -500, 500, 60_000]);
                up.iter().map(|id| Action::Clock { server: *id, offset_ms }).collect()
            }
            Kind::Cut => self.cuts(world),
            Kind::Isolate => world.server_ids().map(Action::Isolate).collect(),
            Kind::Lossy => {
                let permille = self.one_of(&[10, 100, 500]);
                world.server_ids().map(|server| Action::Lossy { server, permille }).collect()
            }
            Kind::Heal if frame.links.is_empty() => Vec::new(),
            Kind::Heal => vec![Action::Heal],
            Kind::CreateTopic => vec![Action::CreateTopic(self.topic(&scratch, world))],
            Kind::DeleteTopic => vec![Action::DeleteTopic(scratch)],
            Kind::AddPartitions => {
                vec![Action::AddPartitions { topic: "growing".to_owned(), count: self.rng.random_range(2..6) }]
            }
            Kind::Produce | Kind::Consume => Vec::new(),
        }
    }
}

fn is_frozen(frame: &Frame, id: i32) -> bool {
    frame.nodes.iter().any(|node| node.id == NodeId::Server(id) && node.faults.is_frozen)
}

fn is_up(frame: &Frame, id: i32) -> bool {
    frame.nodes.iter().any(|node| node.id == NodeId::Server(id) && node.process.is_some())
}
