//! Plans as plain text: one line for each thing.

use crate::action::{Action, TopicPlan};
use crate::plan::{Plan, Step};
use crate::world_plan::{Historical, WorldPlan};
use kafka::instant::Instant;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use wire::request::Acks;

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = &self.world;
        writeln!(formatter, "seed {}", self.seed)?;
        writeln!(formatter, "brokers {}", world.brokers)?;
        writeln!(formatter, "controllers {}", world.controllers)?;
        if world.combined {
            writeln!(formatter, "combined")?;
        }
        writeln!(formatter, "racks {}", world.racks)?;
        writeln!(formatter, "network {} {}", world.delay_us, world.jitter_us)?;
        if let Some(historical) = world.historical {
            writeln!(formatter, "historical {}", historical.name())?;
        }
        for (key, value) in &world.properties {
            writeln!(formatter, "property {key} {value}")?;
        }
        self.steps.iter().try_for_each(|step| writeln!(formatter, "at {} {}", step.at.0, step.action))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Kill(id) => write!(formatter, "kill {id}"),
            Action::Stop(id) => write!(formatter, "stop {id}"),
            Action::Start(id) => write!(formatter, "start {id}"),
            Action::Freeze(id) => write!(formatter, "freeze {id}"),
            Action::Thaw(id) => write!(formatter, "thaw {id}"),
            Action::PowerOff(id) => write!(formatter, "power-off {id}"),
            Action::SlowDisk { server, delay_us } => write!(formatter, "slow-disk {server} {delay_us}"),
            Action::FullDisk(id) => write!(formatter, "full-disk {id}"),
            Action::Clock { server, offset_ms } => write!(formatter, "clock {server} {offset_ms}"),
            Action::Cut { from, to, is_one_way } => write!(formatter, "cut {from} {to} {is_one_way}"),
            Action::Isolate(id) => write!(formatter, "isolate {id}"),
            Action::Lossy { server, permille } => write!(formatter, "lossy {server} {permille}"),
            Action::Heal => formatter.write_str("heal"),
            Action::CreateTopic(topic) => write!(
                formatter,
                "create {} {} {} {} {}",
                topic.name, topic.partitions, topic.replicas, topic.min_insync_replicas, topic.unclean_election
            ),
            Action::DeleteTopic(topic) => write!(formatter, "delete {topic}"),
            Action::AddPartitions { topic, count } => write!(formatter, "partitions {topic} {count}"),
            Action::Produce { topic, acks, interval_ms } => {
                write!(formatter, "produce {topic} {} {interval_ms}", acks_name(*acks))
            }
            Action::Consume { topic } => write!(formatter, "consume {topic}"),
        }
    }
}

fn acks_name(acks: Acks) -> &'static str {
    match acks {
        Acks::None => "0",
        Acks::Leader => "1",
        Acks::All => "all",
    }
}

/// A line that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine(pub String);

impl FromStr for Plan {
    type Err = BadLine;

    /// Empty lines and those that begin with `#` say nothing.
    fn from_str(text: &str) -> Result<Plan, BadLine> {
        let mut plan = Plan { seed: 0, world: WorldPlan::empty(), steps: Vec::new() };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            plan.read(&words).ok_or_else(|| BadLine(line.to_owned()))?;
        }
        Ok(plan)
    }
}

impl WorldPlan {
    fn empty() -> WorldPlan {
        let (brokers, controllers, racks, delay_us, jitter_us) = (3, 1, 0, 1_000, 1_000);
        let (properties, historical) = (BTreeMap::new(), None);
        WorldPlan { brokers, controllers, combined: false, racks, delay_us, jitter_us, properties, historical }
    }
}

impl Plan {
    fn read(&mut self, words: &[&str]) -> Option<()> {
        match words {
            ["seed", seed] => self.seed = seed.parse().ok()?,
            ["brokers", count] => self.world.brokers = number_of_servers(count)?,
            ["controllers", count] => self.world.controllers = number_of_servers(count)?,
            ["combined"] => self.world.combined = true,
            ["racks", count] => self.world.racks = count.parse().ok()?,
            ["network", delay, jitter] => {
                (self.world.delay_us, self.world.jitter_us) = (delay.parse().ok()?, jitter.parse().ok()?);
            }
            ["historical", name] => self.world.historical = Some(Historical::named(name)?),
            ["property", key, value] => {
                self.world.properties.insert((*key).to_owned(), (*value).to_owned());
            }
            ["at", at, action @ ..] => {
                self.steps.push(Step { at: Instant(at.parse().ok()?), action: read_action(action)? });
            }
            _ => return None,
        }
        Some(())
    }
}

/// More servers than that nobody has drawn, and their ports would run out.
const MOST_SERVERS: i32 = 99;

fn number_of_servers(text: &str) -> Option<i32> {
    text.parse().ok().filter(|count| (1..=MOST_SERVERS).contains(count))
}

fn read_action(words: &[&str]) -> Option<Action> {
    let action = match words {
        ["kill", id] => Action::Kill(id.parse().ok()?),
        ["stop", id] => Action::Stop(id.parse().ok()?),
        ["start", id] => Action::Start(id.parse().ok()?),
        ["freeze", id] => Action::Freeze(id.parse().ok()?),
        ["thaw", id] => Action::Thaw(id.parse().ok()?),
        ["power-off", id] => Action::PowerOff(id.parse().ok()?),
        ["slow-disk", server, delay_us] => {
            Action::SlowDisk { server: server.parse().ok()?, delay_us: delay_us.parse().ok()? }
        }
        ["full-disk", id] => Action::FullDisk(id.parse().ok()?),
        ["clock", server, offset_ms] => {
            Action::Clock { server: server.parse().ok()?, offset_ms: offset_ms.parse().ok()? }
        }
        ["cut", from, to, is_one_way] => {
            Action::Cut { from: from.parse().ok()?, to: to.parse().ok()?, is_one_way: is_one_way.parse().ok()? }
        }
        ["isolate", id] => Action::Isolate(id.parse().ok()?),
        ["lossy", server, permille] => Action::Lossy { server: server.parse().ok()?, permille: permille.parse().ok()? },
        ["heal"] => Action::Heal,
        ["create", name, partitions, replicas, min_insync_replicas, unclean_election] => {
            Action::CreateTopic(TopicPlan {
                name: (*name).to_owned(),
                partitions: partitions.parse().ok()?,
                replicas: replicas.parse().ok()?,
                min_insync_replicas: min_insync_replicas.parse().ok()?,
                unclean_election: unclean_election.parse().ok()?,
            })
        }
        ["delete", topic] => Action::DeleteTopic((*topic).to_owned()),
        ["partitions", topic, count] => {
            Action::AddPartitions { topic: (*topic).to_owned(), count: count.parse().ok()? }
        }
        ["produce", topic, acks, interval_ms] => Action::Produce {
            topic: (*topic).to_owned(),
            acks: [Acks::None, Acks::Leader, Acks::All].into_iter().find(|known| acks_name(*known) == *acks)?,
            interval_ms: interval_ms.parse().ok()?,
        },
        ["consume", topic] => Action::Consume { topic: (*topic).to_owned() },
        _ => return None,
    };
    Some(action)
}
