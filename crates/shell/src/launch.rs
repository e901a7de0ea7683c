//! From a command line to a job: pipes, redirections, `timeout`, and the tool in the middle.

use crate::directive::{self, Action};
use crate::disk_files::DiskFiles;
use crate::files::Files;
use crate::job::{Job, JobSpec};
use crate::line_reader::lines_of;
use crate::output::Piece;
use crate::plan::{Plan, Printout, Surroundings};
use crate::sinks::Sinks;
use crate::text_commands::{self, TextResult};
use crate::tools::{Named, SIMULATED, named};
use crate::words::{Redirection, Stage, parse};
use kafka::instant::{Duration, WallClock};
use sim::Session;

/// What a command line is launched with.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// The files.
    pub files: &'a Files,
    /// The wall clock.
    pub clock: WallClock,
    /// What `$?` stands for.
    pub last_status: i32,
    /// Whether a user sits at it: without a pipe, input is then typed. Otherwise it is empty.
    pub is_terminal: bool,
}

/// Exit status of a command line that cannot be understood, and of what is not simulated.
const MISUSE: i32 = 2;
/// Exit status of a command that is not there.
const NOT_FOUND: i32 = 127;
/// Exit status of `timeout` when it is called wrongly.
const TIMEOUT_MISUSE: i32 = 125;

/// What a command line comes to before it touches the session.
enum Prepared {
    Text(Printout),
    Tool { plan: Plan, input: Option<String>, stage: Stage, filters: Vec<Stage>, timeout: Option<Duration> },
}

impl Launch<'_> {
    /// Runs a command line; `None` for a blank line or a comment.
    #[must_use]
    pub fn run(&self, line: &str, session: &mut Session) -> Option<Job> {
        if line.trim_start().starts_with('@') {
            return Some(self.direct(line, session));
        }
        let stages = match parse(line) {
            Ok(pipeline) => pipeline.stages,
            Err(error) => return Some(self.misuse(line, &error.to_string(), session)),
        };
        if stages.is_empty() {
            return None;
        }
        Some(match self.prepare(stages, session) {
            Ok(prepared) => self.launch(line, prepared, session),
            Err(message) => self.misuse(line, &message, session),
        })
    }

    /// A directive acts at once and prints nothing, unless it does not fit.
    fn direct(&self, line: &str, session: &mut Session) -> Job {
        let done = match Action::parse(line.trim()) {
            None => Err(format!("there is no such directive here; there are: {}", directive::USAGE.join(", "))),
            Some(Ok(Action::Sleep(_))) => Err("time passes by itself here; @sleep is for scripts".to_owned()),
            Some(action) => action.and_then(|action| action.carry_out(session)),
        };
        match done {
            Ok(_) => {
                Job::printed(self.spec(line, Sinks::new(&Stage::default(), &[]), None), Printout::default(), session)
            }
            Err(message) => self.misuse(line, &message, session),
        }
    }

    fn misuse(&self, line: &str, message: &str, session: &Session) -> Job {
        let printout = Printout { pieces: vec![Piece::Err(message.to_owned())], status: MISUSE };
        Job::printed(self.spec(line, Sinks::new(&Stage::default(), &[]), None), printout, session)
    }

    fn spec(&self, line: &str, sinks: Sinks, timeout: Option<Duration>) -> JobSpec {
        JobSpec { command: line.to_owned(), clock: self.clock, sinks, timeout, is_terminal: self.is_terminal }
    }

    /// Runs the text commands in front and reads the tool's options.
    fn prepare(&self, stages: Vec<Stage>, session: &Session) -> Result<Prepared, String> {
        let mut input: Option<String> = None;
        let mut printed = TextResult::default();
        let mut stages = stages.into_iter();
        while let Some(mut stage) = stages.next() {
            stage.words.iter_mut().filter(|word| *word == "$?").for_each(|word| *word = self.last_status.to_string());
            if let Some(path) = redirected_input(&stage) {
                let text = self.files.read(path).ok_or_else(|| format!("bash: {path}: No such file or directory"))?;
                input = Some(text.to_owned());
            }
            match text_commands::run(&stage.words, input.as_deref().unwrap_or_default(), self.files) {
                Some(result) => {
                    let result = TextResult { err: printed.err + &result.err, ..result };
                    input = Some(result.out.clone());
                    printed = result;
                    if stages.len() == 0 {
                        return Ok(text_only(printed, stage));
                    }
                }
                None => return self.prepare_tool(stage, stages.collect(), input, session),
            }
        }
        Ok(Prepared::Text(Printout::default()))
    }

    fn prepare_tool(
        &self,
        mut stage: Stage,
        filters: Vec<Stage>,
        input: Option<String>,
        session: &Session,
    ) -> Result<Prepared, String> {
        let is_filter = |stage: &Stage| stage.words.first().is_some_and(|name| text_commands::NAMES.contains(&&**name));
        if let Some(other) = filters.iter().find(|stage| !is_filter(stage)) {
            let name = other.words.first().map_or("", String::as_str);
            return Err(format!("kafkascope: output can be piped to text filters only, not to {name}"));
        }
        let timeout = match take_timeout(&mut stage) {
            Ok(timeout) => timeout,
            Err(message) => {
                let printout = Printout { pieces: vec![Piece::Err(message)], status: TIMEOUT_MISUSE };
                return Ok(Prepared::Text(printout));
            }
        };
        let typed = if self.is_terminal { None } else { Some("") };
        let plan = self.plan(&stage, input.as_deref().or(typed), session);
        Ok(Prepared::Tool { plan, input, stage, filters, timeout })
    }

    fn plan(&self, stage: &Stage, input: Option<&str>, session: &Session) -> Plan {
        let group_number = (session.trace_hash().0 % 100_000) as u32;
        let surroundings = Surroundings { files: self.files, disks: DiskFiles(Some(session)), input, group_number };
        let Some((name, arguments)) = stage.words.split_first() else {
            return Plan::Print(Printout::default());
        };
        match named(name) {
            Named::Tool(tool) => tool.plan(arguments, surroundings),
            Named::NotSimulated(name) => Plan::not_simulated(&format!("{name} is not simulated yet")),
            Named::Unknown if name == "help" => Plan::Print(Printout { pieces: help(), status: 0 }),
            Named::Unknown => {
                let pieces = vec![Piece::Err(format!("bash: {name}: command not found"))];
                Plan::Print(Printout { pieces, status: NOT_FOUND })
            }
        }
    }

    fn launch(&self, line: &str, prepared: Prepared, session: &mut Session) -> Job {
        match prepared {
            Prepared::Text(printout) => {
                Job::printed(self.spec(line, Sinks::new(&Stage::default(), &[]), None), printout, session)
            }
            Prepared::Tool { plan, input, stage, filters, timeout } => {
                let is_terminal = self.is_terminal && input.is_none();
                let spec = JobSpec { is_terminal, ..self.spec(line, Sinks::new(&stage, &filters), timeout) };
                match plan {
                    Plan::Print(printout) => Job::printed(spec, printout, session),
                    Plan::Client(client) => {
                        let mut job = Job::start(spec, *client, session);
                        if !is_terminal {
                            feed(&mut job, &input.unwrap_or_default(), session);
                        }
                        job
                    }
                }
            }
        }
    }
}

fn redirected_input(stage: &Stage) -> Option<&str> {
    stage.redirections.iter().rev().find_map(|redirection| match redirection {
        Redirection::Input(path) => Some(path.as_str()),
        Redirection::Output(_)
        | Redirection::Errors(_)
        | Redirection::Both(_)
        | Redirection::ErrorsToOutput
        | Redirection::OutputToErrors => None,
    })
}

/// A pipeline of text commands only. Its redirections are kept for the sinks.
fn text_only(result: TextResult, stage: Stage) -> Prepared {
    let mut pieces: Vec<Piece> = result.err.lines().map(|line| Piece::Err(line.to_owned())).collect();
    if !result.out.is_empty() {
        pieces.push(Piece::Text(result.out));
    }
    let plan = Plan::Print(Printout { pieces, status: result.status });
    Prepared::Tool { plan, input: None, stage, filters: Vec::new(), timeout: None }
}

/// Takes `timeout SECONDS` off the front of a command.
fn take_timeout(stage: &mut Stage) -> Result<Option<Duration>, String> {
    if stage.words.first().is_none_or(|name| name != "timeout") {
        return Ok(None);
    }
    if stage.words.len() < 3 {
        return Err("timeout: missing operand".to_owned());
    }
    let text = stage.words[1].clone();
    let duration = seconds(&text).ok_or_else(|| format!("timeout: invalid time interval '{text}'"))?;
    stage.words.drain(..2);
    Ok(Some(duration))
}

const LONGEST_SECONDS: u64 = 1_000_000_000;

/// `20`, `1.5`, `20s` or `2m`.
#[must_use]
pub fn seconds(text: &str) -> Option<Duration> {
    let (number, unit) = match (text.strip_suffix('s'), text.strip_suffix('m')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 60),
        (None, None) => (text, 1),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |digits: &str| digits.chars().all(|digit| digit.is_ascii_digit());
    if number.is_empty() || !is_number(whole) || !is_number(fraction) || fraction.len() > 6 {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let micros: u64 = format!("{fraction:0<6}").parse().ok()?;
    (whole <= LONGEST_SECONDS).then(|| Duration((whole * 1_000_000 + micros) * unit))
}

/// Hands text over to a console producer, line by line, and ends its input. A reader that refuses a line has ended the
/// input already.
fn feed(job: &mut Job, input: &str, session: &mut Session) {
    if !job.takes_lines() {
        return;
    }
    for line in lines_of(input) {
        let is_accepted = job.type_line(line, session).expect("a program that was just started takes lines");
        if !is_accepted {
            return;
        }
    }
    job.end_of_input(session).expect("a program that was just started takes the end of its input");
}

fn help() -> Vec<Piece> {
    let tools = SIMULATED.map(|(name, _)| name).join(", ");
    let text = text_commands::NAMES.join(", ");
    vec![
        Piece::Out(format!("Kafka's tools: {tools} (each explains itself with --help)")),
        Piece::Out(format!("Around them: {text}, timeout, pipes and redirections")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_timeout_reads_them() {
        let cases =
            [("20", Some(20_000_000)), ("1.5s", Some(1_500_000)), ("2m", Some(120_000_000)), ("x", None), ("", None)];
        for (text, micros) in cases {
            assert_eq!(seconds(text), micros.map(Duration), "{text}");
        }
    }
}
