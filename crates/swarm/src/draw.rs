//! What a seed draws: the world, what clients do in it, and which faults strike. Faults are drawn one by one from those
//! that are possible at that instant.

use crate::action::{Action, Kind, Mistake, Question, TopicPlan};
use crate::historical::Historical;
use crate::legal::Legal;
use crate::plan::Plan;
use crate::world_plan::{WorldPlan, is_broker};
use kafka::instant::Duration;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use sim::Frame;
use std::collections::BTreeMap;
use wire::request::Acks;

/// Faults in a run.
const FAULTS: u32 = 26;

/// Topics that all runs have.
const TOPICS: [&str; 3] = ["safe", "fast", "growing"];

const ELIGIBLE_LEADER_REPLICAS: &str = "eligible.leader.replicas.enable";

/// The level of `metadata.version` that eligible leader replicas need.
const ELR_LEVEL: i16 = 22;

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

    /// One in so many.
    fn is_rare(&mut self, one_in: u32) -> bool {
        self.rng.random_range(0..one_in) == 0
    }

    /// A world and a plan in which nothing happens yet.
    pub fn plan(&mut self, seed: u64, historical: Option<Historical>) -> Plan {
        Plan { seed, world: self.world(historical), steps: Vec::new() }
    }

    fn world(&mut self, historical: Option<Historical>) -> WorldPlan {
        let controllers = match historical {
            Some(fault) if fault.is_of_zookeeper() => 0,
            Some(_) => 1,
            None => self.one_of(&[0, 0, 1, 1, 1, 1, 3, 3, 5]),
        };
        let racks = self.one_of(&[0, 0, 2]);
        WorldPlan {
            brokers: self.one_of(&[2, 3, 3, 3, 4]),
            controllers,
            combined: controllers > 0 && historical.is_none() && self.one_of(&[false, false, true]),
            racks,
            delay_us: self.one_of(&[250, 1_000, 1_000, 5_000]),
            jitter_us: self.one_of(&[100, 5_000, 20_000]),
            properties: self.properties(controllers, racks, historical),
            historical,
        }
    }

    fn properties(&mut self, controllers: i32, racks: i32, historical: Option<Historical>) -> BTreeMap<String, String> {
        let mut properties = vec![
            ("broker.session.timeout.ms", self.one_of(&["1000", "1000", "3000"])),
            ("broker.heartbeat.interval.ms", self.one_of(&["200", "500"])),
            ("replica.lag.time.max.ms", self.one_of(&["600", "2000", "30000"])),
            ("replica.fetch.wait.max.ms", self.one_of(&["100", "500"])),
            ("replica.high.watermark.checkpoint.interval.ms", self.one_of(&["500", "5000"])),
            ("leader.imbalance.check.interval.seconds", self.one_of(&["5", "300"])),
            ("log.initial.task.delay.ms", "500"),
            ("log.retention.check.interval.ms", "1000"),
            ("log.cleaner.backoff.ms", "500"),
            ("max.incremental.fetch.session.cache.slots", self.one_of(&["1000", "1000", "2"])),
        ];
        match controllers {
            0 => properties.push(("zookeeper.session.timeout.ms", "6000")),
            _ => {
                properties.push((ELIGIBLE_LEADER_REPLICAS, self.one_of(&["false", "false", "true"])));
                properties.push(("unstable.feature.versions.enable", "true"));
                let between = self.one_of(&["20971520", "2000"]);
                properties.push(("metadata.log.max.record.bytes.between.snapshots", between));
            }
        }
        if historical.is_none() && self.is_rare(12) {
            properties.push(("delete.topic.enable", "false"));
        }
        if racks > 0 && self.is_rare(2) {
            let selector = "org.apache.kafka.common.replica.RackAwareReplicaSelector";
            properties.push(("replica.selector.class", selector));
        }
        properties.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// What is done before faults strike: topics, producers and consumers.
    pub fn beginning(&mut self, world: &WorldPlan) -> Vec<Action> {
        let mut names = TOPICS.to_vec();
        names.extend(["compacted", "short"].into_iter().filter(|_| world.historical.is_none() && self.is_rare(3)));
        let mut actions: Vec<Action> =
            has_eligible_leader_replicas(world).then_some(Action::Upgrade(ELR_LEVEL)).into_iter().collect();
        actions.extend(names.iter().map(|name| Action::CreateTopic(self.topic(name, world))));
        for topic in names.iter().copied().chain(["scratch-0"]) {
            actions.push(self.producer(topic, world));
        }
        for topic in names.iter().copied().filter(|name| *name != "fast") {
            let rack = (world.racks > 0 && self.is_rare(2)).then(|| "rack-0".to_owned());
            actions.push(Action::Consume { topic: topic.to_owned(), rack });
        }
        actions
    }

    fn producer(&mut self, topic: &str, world: &WorldPlan) -> Action {
        let acks = match topic {
            "safe" if world.historical.is_none() => self.one_of(&[Acks::All, Acks::All, Acks::Leader]),
            "fast" => Acks::Leader,
            "growing" => Acks::None,
            _ => Acks::All,
        };
        let keys = if topic == "compacted" { 5 } else { 0 };
        Action::Produce { topic: topic.to_owned(), acks, interval_ms: self.one_of(&[5, 20, 20, 50]), keys }
    }

    fn topic(&mut self, name: &str, world: &WorldPlan) -> TopicPlan {
        let most = i16::try_from(world.brokers.min(3)).expect("few brokers");
        let replicas = self.one_of(&[most, most, most, 2]);
        let partitions = self.one_of(&[1, 1, 2, 3]);
        let min_insync_replicas = if name == "safe" { "2" } else { self.one_of(&["1", "1", "2"]) };
        let unclean_election = self.one_of(&["false", "false", "false", "true"]);
        let mut configs =
            vec![("min.insync.replicas", min_insync_replicas), ("unclean.leader.election.enable", unclean_election)];
        configs.extend(self.log_configs(name));
        let configs = configs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        TopicPlan { name: name.to_owned(), partitions, replicas, configs }
    }

    fn log_configs(&mut self, name: &str) -> Vec<(&'static str, &'static str)> {
        match name {
            "compacted" => vec![
                ("cleanup.policy", self.one_of(&["compact", "compact", "compact,delete"])),
                ("segment.bytes", self.one_of(&["2000", "4000"])),
                ("min.cleanable.dirty.ratio", self.one_of(&["0.01", "0.5"])),
            ],
            "short" => vec![
                self.one_of(&[("retention.ms", "2000"), ("retention.bytes", "4000")]),
                self.one_of(&[("segment.bytes", "2000"), ("segment.ms", "500")]),
            ],
            _ if self.is_rare(4) => vec![("segment.bytes", self.one_of(&["2000", "5000"]))],
            _ if self.is_rare(4) => vec![("message.timestamp.type", "LogAppendTime")],
            _ => Vec::new(),
        }
    }

    /// How long nothing happens before the next fault; now and then so long that the cluster settles. None when there have
    /// been enough faults.
    pub fn pause(&mut self, world: &WorldPlan) -> Option<Duration> {
        self.faults_left = self.faults_left.checked_sub(1)?;
        let is_long = self.is_rare(4);
        let longest = match (is_long, world.has_zookeeper()) {
            (true, true) => 9_000_000,
            (true, false) => 4_000_000,
            (false, _) => 400_000,
        };
        Some(Duration(self.rng.random_range(0..longest)))
    }

    /// The next fault, of those that are possible now, if any is.
    pub fn fault(&mut self, world: &WorldPlan, frame: &Frame) -> Option<Action> {
        let legal = Legal::of(frame);
        let weights = world.historical.map_or(&Kind::WEIGHTS[..], Historical::weights);
        let possible: Vec<(Vec<Action>, u32)> = weights
            .iter()
            .map(|(kind, weight)| (self.of_kind(*kind, world, &legal), *weight))
            .filter(|(actions, _)| !actions.is_empty())
            .collect();
        let total: u32 = possible.iter().map(|(_, weight)| weight).sum();
        let mut place = self.rng.random_range(0..total.max(1));
        for (actions, weight) in possible {
            match place.checked_sub(weight) {
                Some(rest) => place = rest,
                None => return Some(self.one_of(&actions)),
            }
        }
        None
    }

    fn cuts(&mut self, legal: &Legal) -> Vec<Action> {
        let is_one_way = self.one_of(&[false, false, true]);
        pairs(legal).map(|(from, to)| Action::Cut { from, to, is_one_way }).collect()
    }

    fn of_kind(&mut self, kind: Kind, world: &WorldPlan, legal: &Legal) -> Vec<Action> {
        let stored = |id: &&i32| **id != crate::world_plan::ZOOKEEPER;
        match kind {
            Kind::KillBroker | Kind::KillController | Kind::KillZooKeeper => of(kind, &legal.up, Action::Kill),
            Kind::StopBroker | Kind::StopController => of(kind, &legal.up, Action::Stop),
            Kind::StartBroker | Kind::StartController | Kind::StartZooKeeper => of(kind, &legal.down, Action::Start),
            Kind::Freeze => {
                legal.up.iter().filter(|id| !legal.frozen.contains(id)).copied().map(Action::Freeze).collect()
            }
            Kind::Thaw => legal.frozen.iter().copied().map(Action::Thaw).collect(),
            Kind::PowerOff => legal.up.iter().copied().map(Action::PowerOff).collect(),
            Kind::SlowDisk => {
                let delay_us = self.one_of(&[0, 1_000, 20_000, 200_000]);
                legal.up.iter().filter(stored).map(|id| Action::SlowDisk { server: *id, delay_us }).collect()
            }
            Kind::FullDisk => legal.up.iter().filter(|id| is_broker(**id)).copied().map(Action::FullDisk).collect(),
            Kind::Clock => {
                let offset_ms = self.one_of(&[-60_000, -500, 500, 60_000]);
                legal.up.iter().map(|id| Action::Clock { server: *id, offset_ms }).collect()
            }
            Kind::Cut => self.cuts(legal),
            Kind::Lag => {
                let delay_us = self.one_of(&[100_000, 400_000, 1_200_000]);
                pairs(legal).map(|(from, to)| Action::Lag { from, to, delay_us }).collect()
            }
            Kind::Isolate => legal.servers().map(Action::Isolate).collect(),
            Kind::Lossy => {
                let permille = self.one_of(&[10, 100, 500, 950]);
                legal.servers().map(|server| Action::Lossy { server, permille }).collect()
            }
            Kind::Delay => {
                let delay_us = self.one_of(&[20_000, 100_000, 600_000]);
                legal.servers().map(|server| Action::Delay { server, delay_us }).collect()
            }
            Kind::Jitter => {
                let jitter_us = self.one_of(&[20_000, 500_000]);
                legal.servers().map(|server| Action::Jitter { server, jitter_us }).collect()
            }
            Kind::Heal => legal.are_links_worse.then_some(Action::Heal).into_iter().collect(),
            Kind::AddBroker => legal.new_broker().map(Action::AddBroker).into_iter().collect(),
            Kind::RemoveBroker => legal.spare_brokers().map(Action::RemoveBroker).collect(),
            Kind::CreateTopic => {
                let scratch = self.scratch();
                vec![Action::CreateTopic(self.topic(&scratch, world))]
            }
            Kind::DeleteTopic => vec![Action::DeleteTopic(self.scratch())],
            Kind::AddPartitions => {
                let moving = legal.moving.first().filter(|_| self.is_rare(2)).map(|(topic, _)| topic.as_str());
                let topic = moving.unwrap_or("growing").to_owned();
                vec![Action::AddPartitions { topic, count: self.rng.random_range(2..6) }]
            }
            Kind::Configure => vec![self.configuration(world)],
            Kind::DeleteRecords => self.records_deletion(legal).into_iter().collect(),
            Kind::ElectPreferred => vec![Action::Elect { is_unclean: false }],
            Kind::ElectUnclean => vec![Action::Elect { is_unclean: true }],
            Kind::Reassign => self.reassignment(legal).into_iter().collect(),
            Kind::CancelReassignment => {
                let action = |(topic, partition)| Action::CancelReassignment { topic, partition };
                legal.moving.iter().cloned().map(action).collect()
            }
            Kind::Ask => Question::ALL.into_iter().map(Action::Ask).collect(),
            Kind::Mistake => Mistake::ALL.into_iter().map(Action::Mistake).collect(),
            Kind::Upgrade | Kind::Produce | Kind::Consume => Vec::new(),
        }
    }

    /// One of the topics that come and go.
    fn scratch(&mut self) -> String {
        format!("scratch-{}", self.rng.random_range(0..2))
    }

    fn records_deletion(&mut self, legal: &Legal) -> Option<Action> {
        let (topic, partition) = self.some_partition(legal)?;
        Some(Action::DeleteRecords { topic, partition, offset: self.one_of(&[-1, -1, 10, 1_000]) })
    }

    fn reassignment(&mut self, legal: &Legal) -> Option<Action> {
        let (topic, partition) = self.some_partition(legal)?;
        Some(Action::Reassign { topic, partition, replicas: self.replicas(legal)? })
    }

    fn some_partition(&mut self, legal: &Legal) -> Option<(String, i32)> {
        (!legal.partitions.is_empty()).then(|| self.one_of(&legal.partitions))
    }

    /// Two or three brokers, now and then one that does not exist.
    fn replicas(&mut self, legal: &Legal) -> Option<Vec<i32>> {
        let mut brokers: Vec<i32> = legal.servers().filter(|id| is_broker(*id)).collect();
        if self.is_rare(10) {
            brokers.push(99);
        }
        let count = self.one_of(&[2, 3, 3]);
        let mut replicas = Vec::new();
        while replicas.len() < count && !brokers.is_empty() {
            replicas.push(brokers.swap_remove(self.rng.random_range(0..brokers.len())));
        }
        (replicas.len() > 1).then_some(replicas)
    }

    /// What clients are not to lose must not change under them: the one topic stays as it is. So does `min.insync.replicas`
    /// where leaders may be eligible without being in sync, since Kafka 3.9 does not take notice of that.
    fn configuration(&mut self, world: &WorldPlan) -> Action {
        let min_insync_replicas =
            if has_eligible_leader_replicas(world) { "max.message.bytes" } else { "min.insync.replicas" };
        let (topic, key, value) = self.one_of(&[
            ("fast", min_insync_replicas, "3"),
            ("fast", "unclean.leader.election.enable", "true"),
            ("growing", min_insync_replicas, "2"),
            ("growing", "segment.bytes", "2000"),
            ("growing", "retention.ms", "3000"),
            ("short", "retention.bytes", "2000"),
            ("", "max.message.bytes", "70"),
            ("", "segment.bytes", "60"),
            ("", "cleanup.policy", "compact"),
            ("", "retention.ms", "many"),
            ("", "message.timestamp.before.max.ms", "1"),
            ("none", "retention.ms", "1"),
        ]);
        let topic = if topic.is_empty() { self.scratch() } else { topic.to_owned() };
        Action::Configure { topic, key: key.to_owned(), value: value.to_owned() }
    }
}

fn has_eligible_leader_replicas(world: &WorldPlan) -> bool {
    world.properties.get(ELIGIBLE_LEADER_REPLICAS).is_some_and(|value| value == "true")
}

/// Two servers, each in turn.
fn pairs(legal: &Legal) -> impl Iterator<Item = (i32, i32)> {
    legal.servers().flat_map(|from| legal.servers().map(move |to| (from, to))).filter(|(from, to)| from != to)
}

/// The action for each of the servers that the kind is about.
fn of(kind: Kind, servers: &[i32], action: fn(i32) -> Action) -> Vec<Action> {
    servers.iter().map(|id| action(*id)).filter(|action| action.kind() == kind).collect()
}
