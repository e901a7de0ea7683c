//! Scripts: command lines and directives, run against a fresh cluster, giving a transcript.
//!
//! One command a line. Before the first of them, directives shape the cluster: `@mode kraft|combined|zookeeper`,
//! `@brokers N`,
//! `@controllers N`, `@racks RACK…`, `@config [ID] KEY=VALUE`, `@historical FAULT`, `@seed N`. Later ones act on it; they
//! are those of `directive`. `@stop` waits until the process has ended, `@start` until it serves or a minute is over.
//! Blank lines and `#` comments do nothing.

use crate::directive::Action;
use crate::output::Stream;
use crate::terminal::{Entry, Terminal};
use kafka::config::BrokerConfig;
use kafka::instant::{Duration, Instant};
use kafka::node::NodeId;
use kafka::view::BrokerState;
use sim::frame::NodeFrame;
use sim::world_shape::Mode;
use sim::{Budget, Session, TraceHash, WorldShape, WorldSpec};
use std::fmt;
use std::fmt::Write as _;

/// A script that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    shape: WorldShape,
    seed: Option<u64>,
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
    Act(Action),
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
const MOST_CONTROLLERS: i32 = 9;

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// The first line that cannot be understood.
    pub fn parse(text: &str) -> Result<Script, ScriptError> {
        let mut script = Script { shape: WorldShape::default(), seed: None, statements: Vec::new() };
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
        match Action::parse(text) {
            Some(action) => self.push(line, text, Statement::Act(action?)),
            None => self.shape_directive(text)?,
        }
        Ok(())
    }

    fn shape_directive(&mut self, text: &str) -> Result<(), String> {
        let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let argument = argument.trim();
        let set = match name {
            "@mode" => Script::set_mode,
            "@brokers" => Script::set_brokers,
            "@controllers" => Script::set_controllers,
            "@racks" => Script::set_racks,
            "@config" => Script::configure,
            "@historical" => Script::add_historical_fault,
            "@seed" => Script::set_seed,
            other => return Err(format!("there is no directive {other}")),
        };
        if !self.statements.is_empty() {
            return Err(format!("{name} must stand before the first command"));
        }
        set(self, argument)
    }

    fn set_mode(&mut self, argument: &str) -> Result<(), String> {
        let mode = Mode::named(argument).ok_or("@mode takes kraft, combined or zookeeper")?;
        if mode.name() != self.shape.mode.name() {
            self.shape.mode = mode;
        }
        Ok(())
    }

    fn set_brokers(&mut self, argument: &str) -> Result<(), String> {
        self.shape.brokers = number_up_to(MOST_BROKERS, "@brokers", argument)?;
        Ok(())
    }

    fn set_controllers(&mut self, argument: &str) -> Result<(), String> {
        let number = number_up_to(MOST_CONTROLLERS, "@controllers", argument)?;
        if self.shape.mode == Mode::ZooKeeper {
            return Err("with ZooKeeper there are no controllers beside the brokers".to_owned());
        }
        self.shape.mode = self.shape.mode.with_controllers(number);
        Ok(())
    }

    fn set_racks(&mut self, argument: &str) -> Result<(), String> {
        let racks = argument.split([' ', ',']).filter(|rack| !rack.is_empty()).map(str::to_owned);
        self.shape.racks = racks.collect();
        if self.shape.racks.is_empty() { Err("@racks takes the names of racks".to_owned()) } else { Ok(()) }
    }

    fn configure(&mut self, argument: &str) -> Result<(), String> {
        let (target, value) = argument.split_once('=').ok_or("@config takes KEY=VALUE, or ID KEY=VALUE")?;
        let properties = match target.trim().split_once(char::is_whitespace) {
            None => &mut self.shape.properties,
            Some((id, _)) => {
                let id = id.parse().map_err(|_| format!("a server's id is wanted, not \"{id}\""))?;
                self.shape.properties_of.entry(id).or_default()
            }
        };
        let key = target.split_whitespace().last().unwrap_or_default();
        properties.insert(key.to_owned(), value.trim().to_owned());
        BrokerConfig::from_properties(properties).map(drop).map_err(|error| error.to_string())
    }

    fn add_historical_fault(&mut self, argument: &str) -> Result<(), String> {
        let is_known = self.shape.historical_faults.switch_on(argument);
        is_known.then_some(()).ok_or_else(|| format!("there is no historical fault \"{argument}\""))
    }

    fn set_seed(&mut self, argument: &str) -> Result<(), String> {
        let seed = argument.parse().map_err(|_| "@seed takes a number".to_owned())?;
        self.seed = Some(seed);
        Ok(())
    }

    /// What the cluster looks like that the script runs on.
    #[must_use]
    pub fn shape(&self) -> &WorldShape {
        &self.shape
    }

    /// The cluster that the script runs on.
    #[must_use]
    pub fn world(&self) -> WorldSpec {
        self.shape.spec()
    }

    /// What the script does, line by line: `None` for a command, which the line is then.
    pub fn statements(&self) -> impl Iterator<Item = (&str, Option<&Action>)> {
        self.statements.iter().map(|numbered| {
            let action = match &numbered.statement {
                Statement::Command => None,
                Statement::Act(action) => Some(action),
            };
            (numbered.text.as_str(), action)
        })
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
        let session = Session::new(world, self.seed.unwrap_or(seed));
        let mut runner = Runner { session, terminal, text: String::new() };
        let first_line = self.statements.first().map_or(1, |statement| statement.line);
        let failed = |line, message, runner: &Runner| ScriptError { line, message, so_far: runner.text.clone() };
        wait_until_ready(&mut runner.session).map_err(|message| failed(first_line, message, &runner))?;
        for Numbered { line, text, statement } in &self.statements {
            runner.statement(text, statement).map_err(|message| failed(*line, message, &runner))?;
        }
        Ok(runner)
    }
}

fn number_up_to(most: i32, name: &str, argument: &str) -> Result<i32, String> {
    let number = argument.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("{name} takes a number from 1 to {most}"))
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
    session.frame().nodes.iter().all(is_serving)
}

fn is_serving(node: &NodeFrame) -> bool {
    node.process.as_ref().is_some_and(|view| view.broker().is_none_or(|broker| broker.state == BrokerState::Running))
}

fn is_running(session: &mut Session, node: NodeId) -> bool {
    session.frame().nodes.iter().any(|frame| frame.id == node && frame.process.is_some())
}

fn serves(session: &mut Session, node: NodeId) -> bool {
    session.frame().nodes.iter().any(|frame| frame.id == node && is_serving(frame))
}

/// A script on its way.
struct Runner {
    session: Session,
    terminal: Terminal,
    text: String,
}

/// The longest that `@stop` waits for the end of a process, and `@start` for the service of one.
const PATIENCE: Duration = Duration(60_000_000);

impl Runner {
    fn statement(&mut self, text: &str, statement: &Statement) -> Result<(), String> {
        match statement {
            Statement::Command => self.command(text),
            Statement::Act(action) => self.act(text, action),
        }
    }

    fn print(&mut self, line: &str) {
        writeln!(self.text, "{line}").expect("writing to a string does not fail");
    }

    fn act(&mut self, text: &str, action: &Action) -> Result<(), String> {
        let node = action.carry_out(&mut self.session)?;
        self.print(text);
        match (action, node) {
            (Action::Sleep(span), _) => self.pass(*span),
            (Action::Stop(_), Some(node)) => self.wait_until(|session| !is_running(session, node)),
            (Action::Start(_) | Action::AddBroker(_), Some(node)) => {
                self.wait_until(|session| serves(session, node));
            }
            (
                Action::Kill(_)
                | Action::Stop(_)
                | Action::Start(_)
                | Action::Freeze(_)
                | Action::Thaw(_)
                | Action::PowerOff(_)
                | Action::SetDisk(_, _)
                | Action::SetClock(_, _)
                | Action::ChangeLinks(_, _)
                | Action::AddBroker(_)
                | Action::RemoveBroker(_),
                _,
            ) => {}
        }
        Ok(())
    }

    fn pass(&mut self, span: Duration) {
        let until = self.session.now() + span;
        self.session.run(Budget { until, steps: u64::MAX });
    }

    fn wait_until(&mut self, is_done: impl Fn(&mut Session) -> bool) {
        let at_last = self.session.now() + PATIENCE;
        while self.session.now() < at_last && !is_done(&mut self.session) {
            self.pass(GLANCE);
        }
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
            (
                "@kill x",
                "line 1: a node is wanted (an id, zookeeper, client-1, controller or leader:topic-0), not \"x\"",
            ),
            ("@sleep", "line 1: @sleep takes seconds, not \"\""),
            ("ls\n@config a=b", "line 2: @config must stand before the first command"),
            ("@config a", "line 1: @config takes KEY=VALUE, or ID KEY=VALUE"),
            ("@config x a=b", "line 1: a server's id is wanted, not \"x\""),
            ("@mode raft", "line 1: @mode takes kraft, combined or zookeeper"),
            ("@mode zookeeper\n@controllers 3", "line 2: with ZooKeeper there are no controllers beside the brokers"),
            ("@historical y2k", "line 1: there is no historical fault \"y2k\""),
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

    #[test]
    fn directives_before_the_first_command_shape_the_cluster() {
        let text = "@controllers 3\n@brokers 2\n@racks a, b\n@config log.retention.ms=5\n@config 2 log.retention.ms=6\n\
                    @historical unfenced-fetches\n@seed 9";
        let script = Script::parse(text).unwrap();
        let servers = script.world().servers;
        assert_eq!(servers.iter().map(|server| server.node_id).collect::<Vec<_>>(), [100, 101, 102, 1, 2]);
        assert_eq!(servers[4].rack.as_deref(), Some("b"));
        assert_eq!(
            (&*servers[3].properties["log.retention.ms"], &*servers[4].properties["log.retention.ms"]),
            ("5", "6")
        );
        assert!(servers.iter().all(|server| server.historical_faults.unfenced_fetches));
        let zookeeper = Script::parse("@mode zookeeper").unwrap().world();
        assert_eq!(zookeeper.servers[0].node(), NodeId::ZooKeeper);
    }

    #[test]
    fn faults_are_done_in_their_place_and_said_where_they_do_not_fit() {
        let text = "kafka-topics --create --topic t --replica-assignment 1:2 --bootstrap-server localhost:9092\n\
                    @freeze leader:t-0\n@sleep 20\n\
                    kafka-topics --describe --topic t --bootstrap-server localhost:9093\n\
                    @thaw 1\n@stop 1\n@start 1\n@thaw 1";
        let error = Script::parse(text).unwrap().run(1).unwrap_err();
        assert_eq!(error.to_string(), "line 8: node 1 is not frozen");
        assert!(error.so_far.contains("Leader: 2"), "{}", error.so_far);
        let refused = Script::parse("@kill leader:t-0").unwrap().run(1).unwrap_err();
        assert_eq!(refused.to_string(), "line 1: t-0 has no leader now");
    }
}
