//! Scripts: command lines and directives, run against a fresh cluster, giving a transcript.
//!
//! One command a line. Directives: `@config KEY=VALUE` and `@brokers N` (before the first command), `@kill ID`,
//! `@stop ID`, `@start ID`, `@sleep SECONDS` (of virtual time). Blank lines and `#` comments do nothing.

use crate::launch::seconds;
use crate::output::Stream;
use crate::terminal::{Entry, Terminal};
use kafka::config::BrokerConfig;
use kafka::instant::{Duration, Instant};
use kafka::node::NodeId;
use kafka::spec::{ServerRole, ServerSpec};
use kafka::view::{BrokerState, NodeView};
use sim::{Budget, Command, Session, TraceHash, WorldSpec};
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use wire::Endpoint;

/// A script that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    properties: BTreeMap<String, String>,
    brokers: i32,
    statements: Vec<Numbered>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Numbered {
    line: usize,
    text: String,
    statement: Statement,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Statement {
    Command,
    Kill(i32),
    Stop(i32),
    Start(i32),
    Sleep(Duration),
}

/// What is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    line: usize,
    message: String,
    /// The transcript of the lines before.
    pub so_far: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ScriptError {}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// Each command behind `$ `, its standard output, its standard error behind `! `, and `= ` with its exit status.
    pub text: String,
    /// The digest of all that happened.
    pub hash: TraceHash,
}

const MOST_BROKERS: i32 = 9;
const FIRST_PORT: u16 = 9092;

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// The first line that cannot be understood.
    pub fn parse(text: &str) -> Result<Script, ScriptError> {
        let mut script = Script { properties: BTreeMap::new(), brokers: 3, statements: Vec::new() };
        for (index, text) in text.lines().enumerate() {
            let line = index + 1;
            let read = match text.trim() {
                "" => Ok(()),
                comment if comment.starts_with('#') => Ok(()),
                directive if directive.starts_with('@') => script.directive(line, directive),
                command => {
                    script.push(line, command, Statement::Command);
                    Ok(())
                }
            };
            read.map_err(|message| ScriptError { line, message, so_far: String::new() })?;
        }
        Ok(script)
    }

    fn push(&mut self, line: usize, text: &str, statement: Statement) {
        self.statements.push(Numbered { line, text: text.to_owned(), statement });
    }

    fn directive(&mut self, line: usize, text: &str) -> Result<(), String> {
        let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let argument = argument.trim();
        let statement = match name {
            "@config" => return self.configure(argument),
            "@brokers" => return self.set_brokers(argument),
            "@kill" => Statement::Kill(server_id(argument)?),
            "@stop" => Statement::Stop(server_id(argument)?),
            "@start" => Statement::Start(server_id(argument)?),
            "@sleep" => {
                Statement::Sleep(seconds(argument).ok_or_else(|| format!("@sleep takes seconds, not \"{argument}\""))?)
            }
            other => return Err(format!("there is no directive {other}")),
        };
        self.push(line, text, statement);
        Ok(())
    }

    fn check_is_first(&self, name: &str) -> Result<(), String> {
        if self.statements.is_empty() { Ok(()) } else { Err(format!("{name} must stand before the first command")) }
    }

    fn configure(&mut self, argument: &str) -> Result<(), String> {
        self.check_is_first("@config")?;
        let (key, value) = argument.split_once('=').ok_or("@config takes KEY=VALUE")?;
        self.properties.insert(key.trim().to_owned(), value.trim().to_owned());
        BrokerConfig::from_properties(&self.properties).map(drop).map_err(|error| error.to_string())
    }

    fn set_brokers(&mut self, argument: &str) -> Result<(), String> {
        self.check_is_first("@brokers")?;
        let count = argument.parse().ok().filter(|count| (1..=MOST_BROKERS).contains(count));
        self.brokers = count.ok_or_else(|| format!("@brokers takes a number from 1 to {MOST_BROKERS}"))?;
        Ok(())
    }

    /// The cluster that the script runs on: brokers 1, 2, … at localhost:9092, 9093, … and one controller.
    #[must_use]
    pub fn world(&self) -> WorldSpec {
        let mut world = WorldSpec::three_brokers(self.properties.clone());
        let is_controller = |server: &ServerSpec| server.role == ServerRole::Controller;
        let model = world.servers.iter().find(|server| !is_controller(server)).cloned();
        let model = model.expect("the usual world has brokers");
        world.servers.retain(is_controller);
        world.servers.extend((1..=self.brokers).zip(FIRST_PORT..).map(|(node_id, port)| ServerSpec {
            node_id,
            endpoint: Endpoint::new("localhost", port),
            ..model.clone()
        }));
        world
    }

    /// Runs the script from the beginning.
    ///
    /// # Errors
    /// A directive that does not fit the cluster, or a command that does not end.
    pub fn run(&self, seed: u64) -> Result<Transcript, ScriptError> {
        let Runner { session, text, .. } = self.run_to_end(seed)?;
        Ok(Transcript { text, hash: session.trace_hash() })
    }

    /// Runs the script like `run` and gives the session, to move through what happened.
    ///
    /// # Errors
    /// Those of `run`.
    pub fn session(&self, seed: u64) -> Result<Session, ScriptError> {
        self.run_to_end(seed).map(|runner| runner.session)
    }

    fn run_to_end(&self, seed: u64) -> Result<Runner, ScriptError> {
        let world = self.world();
        let terminal = Terminal::for_script(world.epoch);
        let mut runner = Runner { session: Session::new(world, seed), terminal, text: String::new() };
        let first_line = self.statements.first().map_or(1, |statement| statement.line);
        let failed = |line, message, runner: &Runner| ScriptError { line, message, so_far: runner.text.clone() };
        wait_until_ready(&mut runner.session).map_err(|message| failed(first_line, message, &runner))?;
        for Numbered { line, text, statement } in &self.statements {
            runner.statement(text, statement).map_err(|message| failed(*line, message, &runner))?;
        }
        Ok(runner)
    }
}

fn server_id(argument: &str) -> Result<i32, String> {
    argument.parse().map_err(|_| format!("a server's id is wanted, not \"{argument}\""))
}

const READY_WITHIN: Instant = Instant(120_000_000);
const GLANCE: Duration = Duration(100_000);

/// Lets time pass until every broker serves.
///
/// # Errors
/// If that takes more than two minutes.
pub fn wait_until_ready(session: &mut Session) -> Result<(), String> {
    while session.now() < READY_WITHIN {
        if are_brokers_running(session) {
            return Ok(());
        }
        let until = session.now() + GLANCE;
        session.run(Budget { until, steps: u64::MAX });
    }
    Err("the cluster was not ready within two minutes".to_owned())
}

fn are_brokers_running(session: &mut Session) -> bool {
    session.frame().nodes.iter().all(|node| match &node.process {
        Some(NodeView::Broker(broker)) => broker.state == BrokerState::Running,
        Some(
            NodeView::Controller(_)
            | NodeView::ZooKeeper(_)
            | NodeView::Producer(_)
            | NodeView::Consumer(_)
            | NodeView::Admin(_),
        ) => true,
        None => false,
    })
}

/// A script on its way.
struct Runner {
    session: Session,
    terminal: Terminal,
    text: String,
}

impl Runner {
    fn statement(&mut self, text: &str, statement: &Statement) -> Result<(), String> {
        let server = |id: &i32| NodeId::Server(*id);
        match statement {
            Statement::Command => self.command(text),
            Statement::Kill(id) => self.directive(text, Command::Kill(server(id))),
            Statement::Stop(id) => self.directive(text, Command::Stop(server(id))),
            Statement::Start(id) => self.directive(text, Command::Start(server(id))),
            Statement::Sleep(duration) => {
                self.print(text);
                let until = self.session.now() + *duration;
                self.session.run(Budget { until, steps: u64::MAX });
                Ok(())
            }
        }
    }

    fn print(&mut self, line: &str) {
        writeln!(self.text, "{line}").expect("writing to a string does not fail");
    }

    fn directive(&mut self, text: &str, command: Command) -> Result<(), String> {
        self.session.apply(command).map_err(|error| error.to_string())?;
        self.print(text);
        Ok(())
    }

    fn command(&mut self, text: &str) -> Result<(), String> {
        if !self.terminal.run(text, &mut self.session) {
            return Ok(());
        }
        run_to_end(&mut self.terminal, &mut self.session)?;
        let entry = self.terminal.last_entry(&self.session).expect("the command has just ended");
        self.text.push_str(&transcribed(&entry));
        Ok(())
    }
}

const LONGEST: Duration = Duration(3_600_000_000);
const MOST_STEPS: u64 = 20_000_000;

/// Lets time pass until the foreground command has ended.
///
/// # Errors
/// If that takes more than an hour.
pub fn run_to_end(terminal: &mut Terminal, session: &mut Session) -> Result<(), String> {
    let until = session.now() + LONGEST;
    let endless = "the command does not end: give it an end, for example `timeout 10` in front of it";
    for _ in 0..MOST_STEPS {
        if terminal.foreground(session).is_none() {
            return Ok(());
        }
        let next = session.next_step_at();
        match terminal.due_at(session) {
            Some(due) if next.is_none_or(|next| due < next) => {
                session.run(Budget { until: due, steps: u64::MAX });
                terminal.advance(session).map_err(|error| error.to_string())?;
            }
            Some(_) | None if next.is_none_or(|next| next > until) => return Err(endless.to_owned()),
            Some(_) | None => {
                session.step();
                terminal.advance(session).map_err(|error| error.to_string())?;
            }
        }
    }
    Err(endless.to_owned())
}

/// A command with what it printed, stream by stream.
#[must_use]
pub fn transcribed(entry: &Entry) -> String {
    let lines = |stream: Stream, mark: &str| -> String {
        let lines = entry.lines.iter().filter(|line| line.stream == stream);
        lines.map(|line| format!("{mark}{}\n", line.text)).collect()
    };
    let status = entry.status.map_or_else(|| "running".to_owned(), |status| status.to_string());
    format!("$ {}\n{}{}= {status}\n", entry.command, lines(Stream::Out, ""), lines(Stream::Err, "! "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_directive_is_named_with_its_line() {
        let cases = [
            ("# x\n@foo", "line 2: there is no directive @foo"),
            ("@kill x", "line 1: a server's id is wanted, not \"x\""),
            ("@sleep", "line 1: @sleep takes seconds, not \"\""),
            ("ls\n@config a=b", "line 2: @config must stand before the first command"),
            ("@config a", "line 1: @config takes KEY=VALUE"),
            ("@brokers 0", "line 1: @brokers takes a number from 1 to 9"),
        ];
        for (text, message) in cases {
            assert_eq!(Script::parse(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn the_cluster_has_as_many_brokers_as_the_script_says() {
        let script = Script::parse("@brokers 2\n").unwrap();
        let ports: Vec<u16> = script.world().servers.iter().map(|server| server.endpoint.port).collect();
        assert_eq!(ports, [9090, 9092, 9093]);
    }
}
