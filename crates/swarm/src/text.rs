//! Plans as plain text: one line for each thing.

use crate::action::{Action, Mistake, Question, TopicPlan};
use crate::historical::Historical;
use crate::plan::{Plan, Step};
use crate::world_plan::WorldPlan;
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
            Action::Lag { from, to, delay_us } => write!(formatter, "lag {from} {to} {delay_us}"),
            Action::Isolate(id) => write!(formatter, "isolate {id}"),
            Action::Lossy { server, permille } => write!(formatter, "lossy {server} {permille}"),
            Action::Delay { server, delay_us } => write!(formatter, "delay {server} {delay_us}"),
            Action::Jitter { server, jitter_us } => write!(formatter, "jitter {server} {jitter_us}"),
            Action::Heal => formatter.write_str("heal"),
            Action::AddBroker(id) => write!(formatter, "add-broker {id}"),
            Action::RemoveBroker(id) => write!(formatter, "remove-broker {id}"),
            Action::CreateTopic(topic) => write_topic(formatter, topic),
            Action::DeleteTopic(topic) => write!(formatter, "delete {topic}"),
            Action::AddPartitions { topic, count } => write!(formatter, "partitions {topic} {count}"),
            Action::Configure { topic, key, value } => write!(formatter, "configure {topic} {key}={value}"),
            Action::DeleteRecords { topic, partition, offset } => {
                write!(formatter, "delete-records {topic} {partition} {offset}")
            }
            Action::Elect { is_unclean } => {
                write!(formatter, "elect {}", if *is_unclean { "unclean" } else { "preferred" })
            }
            Action::Reassign { topic, partition, replicas } => {
                write!(formatter, "reassign {topic} {partition}")?;
                replicas.iter().try_for_each(|replica| write!(formatter, " {replica}"))
            }
            Action::CancelReassignment { topic, partition } => {
                write!(formatter, "cancel-reassignment {topic} {partition}")
            }
            Action::Ask(question) => write!(formatter, "ask {}", question.name()),
            Action::Mistake(mistake) => write!(formatter, "mistake {}", mistake.name()),
            Action::Upgrade(level) => write!(formatter, "upgrade {level}"),
            Action::Produce { topic, acks, interval_ms, keys } => {
                write!(formatter, "produce {topic} {} {interval_ms} {keys}", acks_name(*acks))
            }
            Action::Consume { topic, rack: None } => write!(formatter, "consume {topic}"),
            Action::Consume { topic, rack: Some(rack) } => write!(formatter, "consume {topic} {rack}"),
        }
    }
}

fn write_topic(formatter: &mut fmt::Formatter<'_>, topic: &TopicPlan) -> fmt::Result {
    write!(formatter, "create {} {} {}", topic.name, topic.partitions, topic.replicas)?;
    topic.configs.iter().try_for_each(|(key, value)| write!(formatter, " {key}={value}"))
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
            ["brokers", count] => self.world.brokers = number_of_servers(count, 1)?,
            ["controllers", count] => self.world.controllers = number_of_servers(count, 0)?,
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

fn number_of_servers(text: &str, least: i32) -> Option<i32> {
    text.parse().ok().filter(|count| (least..=MOST_SERVERS).contains(count))
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
        ["lag", from, to, delay_us] => {
            Action::Lag { from: from.parse().ok()?, to: to.parse().ok()?, delay_us: delay_us.parse().ok()? }
        }
        ["isolate", id] => Action::Isolate(id.parse().ok()?),
        ["lossy", server, permille] => Action::Lossy { server: server.parse().ok()?, permille: permille.parse().ok()? },
        ["delay", server, delay_us] => Action::Delay { server: server.parse().ok()?, delay_us: delay_us.parse().ok()? },
        ["jitter", server, jitter_us] => {
            Action::Jitter { server: server.parse().ok()?, jitter_us: jitter_us.parse().ok()? }
        }
        ["heal"] => Action::Heal,
        ["add-broker", id] => Action::AddBroker(id.parse().ok()?),
        ["remove-broker", id] => Action::RemoveBroker(id.parse().ok()?),
        ["create", name, partitions, replicas, configs @ ..] => Action::CreateTopic(TopicPlan {
            name: (*name).to_owned(),
            partitions: partitions.parse().ok()?,
            replicas: replicas.parse().ok()?,
            configs: configs.iter().map(|config| read_config(config)).collect::<Option<_>>()?,
        }),
        _ => return read_request(words),
    };
    Some(action)
}

fn read_config(word: &str) -> Option<(String, String)> {
    let (key, value) = word.split_once('=')?;
    Some((key.to_owned(), value.to_owned()))
}

/// What clients are asked to do.
fn read_request(words: &[&str]) -> Option<Action> {
    let action = match words {
        ["delete", topic] => Action::DeleteTopic((*topic).to_owned()),
        ["partitions", topic, count] => {
            Action::AddPartitions { topic: (*topic).to_owned(), count: count.parse().ok()? }
        }
        ["configure", topic, config] => {
            let (key, value) = read_config(config)?;
            Action::Configure { topic: (*topic).to_owned(), key, value }
        }
        ["delete-records", topic, partition, offset] => Action::DeleteRecords {
            topic: (*topic).to_owned(),
            partition: partition.parse().ok()?,
            offset: offset.parse().ok()?,
        },
        ["elect", "preferred"] => Action::Elect { is_unclean: false },
        ["elect", "unclean"] => Action::Elect { is_unclean: true },
        ["reassign", topic, partition, replicas @ ..] => Action::Reassign {
            topic: (*topic).to_owned(),
            partition: partition.parse().ok()?,
            replicas: replicas.iter().map(|replica| replica.parse().ok()).collect::<Option<_>>()?,
        },
        ["cancel-reassignment", topic, partition] => {
            Action::CancelReassignment { topic: (*topic).to_owned(), partition: partition.parse().ok()? }
        }
        ["upgrade", level] => Action::Upgrade(level.parse().ok()?),
        ["ask", name] => Action::Ask(Question::ALL.into_iter().find(|question| question.name() == *name)?),
        ["mistake", name] => Action::Mistake(Mistake::ALL.into_iter().find(|mistake| mistake.name() == *name)?),
        ["produce", topic, acks, interval_ms, keys] => Action::Produce {
            topic: (*topic).to_owned(),
            acks: [Acks::None, Acks::Leader, Acks::All].into_iter().find(|known| acks_name(*known) == *acks)?,
            interval_ms: interval_ms.parse().ok()?,
            keys: keys.parse().ok()?,
        },
        ["consume", topic] => Action::Consume { topic: (*topic).to_owned(), rack: None },
        ["consume", topic, rack] => Action::Consume { topic: (*topic).to_owned(), rack: Some((*rack).to_owned()) },
        _ => return None,
    };
    Some(action)
}
