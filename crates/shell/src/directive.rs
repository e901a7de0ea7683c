//! Directives that act on a running cluster: faults, and their end. Scripts have them between commands, a terminal takes
//! them as commands.

use crate::launch::seconds;
use crate::node_name::NodeName;
use kafka::fault::{DiskCondition, LinkChange, Links};
use kafka::instant::Duration;
use kafka::node::NodeId;
use kafka::spec::{ServerRole, ServerSpec};
use sim::{Command, Session};
use wire::Endpoint;

/// What a directive does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `@kill NODE`
    Kill(NodeName),
    /// `@stop NODE`
    Stop(NodeName),
    /// `@start NODE`
    Start(NodeName),
    /// `@freeze NODE`
    Freeze(NodeName),
    /// `@thaw NODE`
    Thaw(NodeName),
    /// `@power-off NODE`
    PowerOff(NodeName),
    /// `@slow-disk NODE MS`, `@full-disk NODE`, `@sound-disk NODE`
    SetDisk(NodeName, DiskCondition),
    /// `@clock NODE OFFSET_MS`
    SetClock(NodeName, i64),
    /// `@cut`, `@heal`, `@delay`, `@jitter` and `@loss`
    ChangeLinks(LinkNames, LinkChange),
    /// `@add-broker ID`
    AddBroker(i32),
    /// `@remove-broker ID`
    RemoveBroker(i32),
    /// `@sleep SECONDS`
    Sleep(Duration),
}

/// Links as they were named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkNames {
    /// No node named: all.
    All,
    /// One node: between it and all others.
    Of(NodeName),
    /// Two nodes: between them.
    Between(NodeName, NodeName),
    /// Two nodes and `one-way`: from the first to the second.
    OneWay(NodeName, NodeName),
}

/// How the directives are called, with their operands.
pub const USAGE: [&str; 18] = [
    "@kill NODE",
    "@stop NODE",
    "@start NODE",
    "@freeze NODE",
    "@thaw NODE",
    "@power-off NODE",
    "@slow-disk NODE MS",
    "@full-disk NODE",
    "@sound-disk NODE",
    "@clock NODE OFFSET_MS",
    "@cut [NODE [NODE [one-way]]]",
    "@heal [NODE [NODE [one-way]]]",
    "@delay [NODE [NODE [one-way]]] MS",
    "@jitter [NODE [NODE [one-way]]] MS",
    "@loss [NODE [NODE [one-way]]] PERCENT",
    "@add-broker ID",
    "@remove-broker ID",
    "@sleep SECONDS",
];

const FIRST_BROKER_PORT: u16 = 9092;

impl Action {
    /// Reads a directive; `None` if none of them is called so.
    ///
    /// # Errors
    /// What is wrong with its operands.
    pub fn parse(text: &str) -> Option<Result<Action, String>> {
        let mut words = text.split_whitespace();
        let name = words.next()?;
        let operands: Vec<&str> = words.collect();
        let usage = USAGE.into_iter().find(|usage| usage.split_whitespace().next() == Some(name))?;
        let is_spare = operands.len() >= usage.split_whitespace().count();
        Some(if is_spare { Err(format!("too many operands: {usage}")) } else { parsed(name, &operands) })
    }

    /// Does it to the cluster, but for `@sleep`, which is up to whoever moves time. Returns the node it was
    /// about.
    ///
    /// # Errors
    /// If it does not fit the cluster as it is now.
    pub fn carry_out(&self, session: &mut Session) -> Result<Option<NodeId>, String> {
        match self.command(session)? {
            Some(command) => session.apply(command).map(Some).map_err(|error| error.to_string()),
            None => Ok(None),
        }
    }

    fn command(&self, session: &mut Session) -> Result<Option<Command>, String> {
        Ok(Some(match self {
            Action::Kill(name) => Command::Kill(name.resolve(session)?),
            Action::Stop(name) => Command::Stop(name.resolve(session)?),
            Action::Start(name) => Command::Start(name.resolve(session)?),
            Action::Freeze(name) => Command::Freeze(name.resolve(session)?),
            Action::Thaw(name) => Command::Thaw(name.resolve(session)?),
            Action::PowerOff(name) => Command::PowerOff(name.resolve(session)?),
            Action::SetDisk(name, condition) => {
                Command::SetDisk { node: name.resolve(session)?, condition: *condition }
            }
            Action::SetClock(name, offset_ms) => {
                Command::SetClock { node: name.resolve(session)?, offset_ms: *offset_ms }
            }
            Action::ChangeLinks(names, change) => {
                Command::ChangeLinks { links: names.resolve(session)?, change: *change }
            }
            Action::AddBroker(id) => Command::AddServer(Box::new(new_broker(session, *id)?)),
            Action::RemoveBroker(id) => Command::RemoveServer(NodeId::Server(*id)),
            Action::Sleep(_) => return Ok(None),
        }))
    }
}

/// Like the brokers that the world began with, whose racks go round.
fn new_broker(session: &Session, id: i32) -> Result<ServerSpec, String> {
    let servers = &session.spec().servers;
    let brokers: Vec<&ServerSpec> = servers.iter().filter(|server| server.role.is_broker()).collect();
    let place = usize::try_from(id - 1).unwrap_or(0).checked_rem(brokers.len());
    let model = place.map(|place| brokers[place]).ok_or("there is no broker to take as a model")?;
    let endpoint = Endpoint::new("localhost", FIRST_BROKER_PORT + u16::try_from(id - 1).unwrap_or(0));
    Ok(ServerSpec { node_id: id, role: ServerRole::Broker, endpoint, ..model.clone() })
}

fn parsed(name: &str, operands: &[&str]) -> Result<Action, String> {
    let node = || NodeName::parse(operands.first().copied().unwrap_or_default());
    let second = operands.get(1).copied().unwrap_or_default();
    match name {
        "@kill" => node().map(Action::Kill),
        "@stop" => node().map(Action::Stop),
        "@start" => node().map(Action::Start),
        "@freeze" => node().map(Action::Freeze),
        "@thaw" => node().map(Action::Thaw),
        "@power-off" => node().map(Action::PowerOff),
        "@slow-disk" => Ok(Action::SetDisk(node()?, DiskCondition::Slow(milliseconds(second)?))),
        "@full-disk" => Ok(Action::SetDisk(node()?, DiskCondition::Full)),
        "@sound-disk" => Ok(Action::SetDisk(node()?, DiskCondition::Sound)),
        "@clock" => Ok(Action::SetClock(node()?, offset_ms(second)?)),
        "@cut" => Ok(Action::ChangeLinks(LinkNames::parse(operands)?, LinkChange::Cut)),
        "@heal" => Ok(Action::ChangeLinks(LinkNames::parse(operands)?, LinkChange::Heal)),
        "@add-broker" => broker_id(operands).map(Action::AddBroker),
        "@remove-broker" => broker_id(operands).map(Action::RemoveBroker),
        "@sleep" => {
            let text = operands.first().copied().unwrap_or_default();
            let span = seconds(text).ok_or_else(|| format!("@sleep takes seconds, not \"{text}\""))?;
            Ok(Action::Sleep(span))
        }
        measured => measured_change(measured, operands),
    }
}

/// `@delay`, `@jitter` and `@loss`: links, and how much.
fn measured_change(name: &str, operands: &[&str]) -> Result<Action, String> {
    let (measure, links) = operands.split_last().unwrap_or((&"", &[]));
    let change = match name {
        "@delay" => LinkChange::Delay(milliseconds(measure)?),
        "@jitter" => LinkChange::Jitter(milliseconds(measure)?),
        _ => LinkChange::Loss(permille(measure)?),
    };
    Ok(Action::ChangeLinks(LinkNames::parse(links)?, change))
}

impl LinkNames {
    fn parse(words: &[&str]) -> Result<LinkNames, String> {
        match words {
            [] => Ok(LinkNames::All),
            [node] => Ok(LinkNames::Of(NodeName::parse(node)?)),
            [one, other] => Ok(LinkNames::Between(NodeName::parse(one)?, NodeName::parse(other)?)),
            [from, to, "one-way"] => Ok(LinkNames::OneWay(NodeName::parse(from)?, NodeName::parse(to)?)),
            [_, _, word, ..] => Err(format!("only one-way may stand behind two nodes, not \"{word}\"")),
        }
    }

    fn resolve(&self, session: &mut Session) -> Result<Links, String> {
        Ok(match self {
            LinkNames::All => Links::All,
            LinkNames::Of(node) => Links::Of(node.resolve(session)?),
            LinkNames::Between(one, other) => Links::Between(one.resolve(session)?, other.resolve(session)?),
            LinkNames::OneWay(from, to) => Links::OneWay { from: from.resolve(session)?, to: to.resolve(session)? },
        })
    }
}

const LONGEST_MS: u32 = 3_600_000;

fn milliseconds(word: &str) -> Result<Duration, String> {
    let number = word.parse().ok().filter(|number: &u32| *number <= LONGEST_MS);
    let number = number.ok_or_else(|| format!("milliseconds are wanted, at most an hour, not \"{word}\""))?;
    Ok(Duration::from_ms(i64::from(number)))
}

const MOST_OFFSET_MS: i64 = 1_000_000_000_000;

fn offset_ms(word: &str) -> Result<i64, String> {
    let number = word.parse().ok().filter(|number: &i64| number.abs() <= MOST_OFFSET_MS);
    number.ok_or_else(|| format!("@clock takes milliseconds ahead, negative for behind, not \"{word}\""))
}

/// `20`, `20%` or `0.5%`.
fn permille(word: &str) -> Result<u16, String> {
    let wrong = || format!("@loss takes a percentage below 100, not \"{word}\"");
    let (whole, tenth) =
        word.strip_suffix('%').unwrap_or(word).split_once('.').unwrap_or((word.trim_end_matches('%'), "0"));
    let whole: u16 = whole.parse().map_err(|_| wrong())?;
    let tenth: u16 = tenth.parse().map_err(|_| wrong())?;
    let is_possible = whole < 100 && tenth < 10;
    if is_possible { Ok(whole * 10 + tenth) } else { Err(wrong()) }
}

fn broker_id(operands: &[&str]) -> Result<i32, String> {
    let word = operands.first().copied().unwrap_or_default();
    let id = word.parse().ok().filter(|id| (1..1_000).contains(id));
    id.ok_or_else(|| format!("a broker's id from 1 to 999 is wanted, not \"{word}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: i32) -> NodeName {
        NodeName::Node(NodeId::Server(id))
    }

    #[test]
    fn links_are_named_by_no_node_one_or_two() {
        let cases = [
            ("@cut", Action::ChangeLinks(LinkNames::All, LinkChange::Cut)),
            ("@cut 1", Action::ChangeLinks(LinkNames::Of(node(1)), LinkChange::Cut)),
            ("@heal 1 2", Action::ChangeLinks(LinkNames::Between(node(1), node(2)), LinkChange::Heal)),
            ("@cut 1 2 one-way", Action::ChangeLinks(LinkNames::OneWay(node(1), node(2)), LinkChange::Cut)),
            ("@delay 5", Action::ChangeLinks(LinkNames::All, LinkChange::Delay(Duration(5_000)))),
            ("@jitter 1 5", Action::ChangeLinks(LinkNames::Of(node(1)), LinkChange::Jitter(Duration(5_000)))),
            ("@loss 1 2 20%", Action::ChangeLinks(LinkNames::Between(node(1), node(2)), LinkChange::Loss(200))),
            ("@loss 0.5", Action::ChangeLinks(LinkNames::All, LinkChange::Loss(5))),
        ];
        for (text, action) in cases {
            assert_eq!(Action::parse(text), Some(Ok(action)), "{text}");
        }
    }

    #[test]
    fn hosts_are_named_with_what_becomes_of_them() {
        let cases = [
            ("@slow-disk 1 50", Action::SetDisk(node(1), DiskCondition::Slow(Duration(50_000)))),
            ("@full-disk zookeeper", Action::SetDisk(NodeName::Node(NodeId::ZooKeeper), DiskCondition::Full)),
            ("@clock 2 -1000", Action::SetClock(node(2), -1_000)),
            ("@freeze controller", Action::Freeze(NodeName::ActiveController)),
            ("@add-broker 4", Action::AddBroker(4)),
        ];
        for (text, action) in cases {
            assert_eq!(Action::parse(text), Some(Ok(action)), "{text}");
        }
        assert_eq!(Action::parse("@brokers 3"), None);
    }

    #[test]
    fn wrong_operands_are_named() {
        let cases = [
            ("@kill 1 2", "too many operands: @kill NODE"),
            ("@slow-disk 1 fast", "milliseconds are wanted, at most an hour, not \"fast\""),
            ("@cut 1 2 3", "only one-way may stand behind two nodes, not \"3\""),
            ("@loss 100%", "@loss takes a percentage below 100, not \"100%\""),
            ("@clock 1", "@clock takes milliseconds ahead, negative for behind, not \"\""),
            ("@add-broker 0", "a broker's id from 1 to 999 is wanted, not \"0\""),
            ("@sleep", "@sleep takes seconds, not \"\""),
        ];
        for (text, message) in cases {
            assert_eq!(Action::parse(text), Some(Err(message.to_owned())), "{text}");
        }
    }
}
