//! One command that was started: a fold over the session's events.
//!
//! A job keeps where in the run it began and what was typed into it; everything else follows from the events of its
//! client program up to now. So its output is right wherever the run is moved to: what lies ahead is not shown, and a
//! job that began in a future that was left behind is not there.

use crate::console_text::{Reaction, react};
use crate::line_reader::LineReader;
use crate::output::{Line, Output, Piece};
use crate::place::Place;
use crate::plan::{ClientPlan, Face, Printout};
use crate::sinks::{Drained, Sinks};
use kafka::event::{EventKind, OperatorEvent};
use kafka::instant::{Duration, Instant, WallClock};
use kafka::node::{Instruction, NodeId};
use sim::{Command, CommandError, Event, EventId, Session};

/// Exit status of a command that `timeout` ended.
const TIMED_OUT: i32 = 124;
/// Exit status after SIGKILL.
const KILLED: i32 = 137;

/// A command that was started.
#[derive(Clone, Debug)]
pub struct Job {
    command: String,
    began: Place,
    began_at: Instant,
    clock: WallClock,
    sinks: Sinks,
    timeout: Option<Duration>,
    kind: JobKind,
    is_terminal: bool,
    typed: Vec<TypedLine>,
    /// Where the user ended the input, in whichever history.
    input_ended: Vec<Place>,
    /// The fold so far, for the history in which it was last looked at.
    folded: Folded,
}

#[derive(Clone, Debug)]
enum JobKind {
    Printed(Printout),
    Program(Box<ProgramJob>),
}

#[derive(Clone, Debug)]
struct ProgramJob {
    client: NodeId,
    first_event: EventId,
    log_prefix: String,
    opening: Vec<Piece>,
    face: Face,
}

/// A line that was typed, or handed over by a pipe.
#[derive(Clone, Debug)]
struct TypedLine {
    place: Place,
    at: Instant,
    /// What was shown of it: nothing if it came from a pipe.
    shown: Option<String>,
    /// What the line reader said to it, ending the program.
    failure: Vec<Piece>,
}

/// How a job is made.
#[derive(Clone, Debug)]
pub struct JobSpec {
    /// The command as it was typed.
    pub command: String,
    /// The wall clock of its log lines.
    pub clock: WallClock,
    /// Where its streams go.
    pub sinks: Sinks,
    /// `timeout`: when it gets SIGTERM.
    pub timeout: Option<Duration>,
    /// Whether a user sits at it, and not a pipe or a file.
    pub is_terminal: bool,
}

/// What has been folded up to some event.
#[derive(Clone, Debug)]
struct Folded {
    place: Option<Place>,
    cursor: EventId,
    /// The step of the last typed line.
    typed_step: u64,
    output: Output,
    /// What the tool said its exit status will be, whatever the program's is.
    decided: Option<i32>,
    was_asked_to_stop: bool,
    ended: Option<(i32, Instant)>,
}

/// A job as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobView {
    /// What it has printed on the screen.
    pub lines: Vec<Line>,
    /// Its exit status, once it has ended.
    pub status: Option<i32>,
    /// What it has written to files; complete once it has ended.
    pub writes: Vec<(crate::words::FileTarget, String)>,
}

impl Job {
    /// A command that ends at once.
    #[must_use]
    pub fn printed(spec: JobSpec, printout: Printout, session: &Session) -> Job {
        Job::new(spec, JobKind::Printed(printout), session)
    }

    /// Starts a client program in the session. What lies ahead of now is left behind in its own history.
    #[must_use]
    pub fn start(spec: JobSpec, plan: ClientPlan, session: &mut Session) -> Job {
        let first_event = session.next_event();
        let log_prefix = crate::log_lines::log_prefix(&plan.spec);
        let client = session.apply(Command::StartClient(plan.spec)).expect("a client program can always be started");
        let ClientPlan { opening, face, .. } = plan;
        let program = ProgramJob { client, first_event, log_prefix, opening, face };
        Job::new(spec, JobKind::Program(Box::new(program)), session)
    }

    fn new(spec: JobSpec, kind: JobKind, session: &Session) -> Job {
        let JobSpec { command, clock, sinks, timeout, is_terminal } = spec;
        Job {
            command,
            began: Place::of(session),
            began_at: session.now(),
            clock,
            sinks,
            timeout,
            kind,
            is_terminal,
            typed: Vec::new(),
            input_ended: Vec::new(),
            folded: Folded::default(),
        }
    }

    /// The command as it was typed.
    #[must_use]
    pub fn command(&self) -> &str {
        &self.command
    }

    /// Its client program, if it has one.
    #[must_use]
    pub fn client(&self) -> Option<NodeId> {
        self.program().map(|program| program.client)
    }

    /// When it began.
    #[must_use]
    pub fn began_at(&self) -> Instant {
        self.began_at
    }

    /// Whether it has begun by now in this history.
    #[must_use]
    pub fn has_begun(&self, session: &Session) -> bool {
        self.began.is_past(session) && self.began_at <= session.now()
    }

    /// Whether typed lines go to it: it is a console producer.
    #[must_use]
    pub fn takes_lines(&self) -> bool {
        self.reader().is_some()
    }

    /// Whether a user sits at it and types lines behind a `>`.
    #[must_use]
    pub fn shows_prompt(&self, session: &Session) -> bool {
        let has_ended = self.input_ended.iter().any(|place| place.is_past(session));
        self.is_terminal && self.takes_lines() && !has_ended
    }

    /// Whether `timeout` ends it now: it is over, and SIGTERM has not been sent.
    #[must_use]
    pub fn is_overdue(&self, session: &Session) -> bool {
        self.due_at().is_some_and(|due| due <= session.now()) && !self.folded.was_asked_to_stop
    }

    /// When `timeout` ends it.
    #[must_use]
    pub fn due_at(&self) -> Option<Instant> {
        self.timeout.map(|timeout| self.began_at + timeout)
    }

    fn program(&self) -> Option<&ProgramJob> {
        match &self.kind {
            JobKind::Printed(_) => None,
            JobKind::Program(program) => Some(program),
        }
    }

    fn reader(&self) -> Option<&LineReader> {
        match self.program().map(|program| &program.face) {
            Some(Face::Producer(reader)) => Some(reader),
            Some(
                Face::Topics(_)
                | Face::GetOffsets
                | Face::DeleteRecords(_)
                | Face::LogDirs(_)
                | Face::ApiVersions
                | Face::ZooKeeper { .. }
                | Face::Cluster(_)
                | Face::Features(_)
                | Face::Quorum(_)
                | Face::LeaderElection
                | Face::ReassignPartitions
                | Face::Configs { .. }
                | Face::Consumer(_),
            )
            | None => None,
        }
    }

    /// What it has printed by now and how it ended, or `None` if it has not begun.
    pub fn view(&mut self, session: &Session) -> Option<JobView> {
        if !self.has_begun(session) {
            return None;
        }
        self.advance(session);
        let Folded { output, ended, .. } = &self.folded;
        let status = ended.map(|(status, _)| status);
        if self.sinks.is_plain() {
            return Some(JobView { lines: output.lines().to_vec(), status, writes: Vec::new() });
        }
        let Drained { screen, writes, status: filtered } = self.sinks.drain(output.lines(), ended.map(|(_, at)| at));
        Some(JobView { lines: screen, status: status.map(|status| filtered.unwrap_or(status)), writes })
    }

    /// Its exit status, if it has ended by now.
    pub fn status(&mut self, session: &Session) -> Option<i32> {
        if !self.has_begun(session) {
            return None;
        }
        self.advance(session);
        let (status, at) = self.folded.ended?;
        if self.sinks.is_plain() {
            return Some(status);
        }
        Some(self.sinks.drain(self.folded.output.lines(), Some(at)).status.unwrap_or(status))
    }

    /// Goes on with the fold, or begins it anew if the run was moved back or to another history.
    fn advance(&mut self, session: &Session) {
        let is_ahead = |place: Place| place.is_past(session) && self.folded.cursor <= session.next_event();
        if !self.folded.place.is_some_and(is_ahead) {
            self.open();
        }
        if let JobKind::Program(program) = &self.kind {
            let due_at = self.due_at();
            let typed = self.typed_since(self.folded.typed_step, session);
            let (clock, folded) = (self.clock, &mut self.folded);
            Fold { program, clock, due_at, folded }.run(session, &typed);
        }
        self.folded.place = Some(Place::of(session));
    }

    fn open(&mut self) {
        self.folded = Folded::default();
        let folded = &mut self.folded;
        let pieces = match &self.kind {
            JobKind::Printed(printout) => {
                folded.ended = Some((printout.status, self.began_at));
                &printout.pieces
            }
            JobKind::Program(program) => {
                folded.cursor = program.first_event;
                &program.opening
            }
        };
        pieces.iter().for_each(|piece| folded.output.push(piece, self.began_at, self.clock));
    }

    /// The lines behind `step` that were typed by now in this history, in order.
    fn typed_since(&self, step: u64, session: &Session) -> Vec<TypedLine> {
        let is_new = |line: &&TypedLine| line.place.step > step && line.place.is_past(session);
        let mut lines: Vec<TypedLine> = self.typed.iter().filter(is_new).cloned().collect();
        lines.sort_by_key(|line| line.place.step);
        lines
    }

    /// A line for the program's standard input. A console producer makes a record of it; other tools do not read.
    /// Returns whether more lines may come: a line that the reader refuses ends the program.
    ///
    /// # Errors
    /// If the program has ended.
    pub fn type_line(&mut self, line: &str, session: &mut Session) -> Result<bool, CommandError> {
        let Some((client, reader)) = self.client().zip(self.reader()) else { return Ok(true) };
        let number = self.typed_since(0, session).len() as u64 + 1;
        let (instruction, failure) = match reader.read(line, number) {
            Ok(record) => (Instruction::Produce(record), Vec::new()),
            Err(exception) => (Instruction::EndOfInput, Piece::trace(&exception)),
        };
        session.apply(Command::Tell(client, instruction))?;
        let shown = self.is_terminal.then(|| format!(">{line}"));
        let is_accepted = failure.is_empty();
        self.typed.push(TypedLine { place: Place::of(session), at: session.now(), shown, failure });
        Ok(is_accepted)
    }

    /// Ctrl-D, or the end of a pipe.
    ///
    /// # Errors
    /// If the program has ended.
    pub fn end_of_input(&mut self, session: &mut Session) -> Result<(), CommandError> {
        let Some(client) = self.client() else { return Ok(()) };
        session.apply(Command::Tell(client, Instruction::EndOfInput))?;
        self.input_ended.push(Place::of(session));
        Ok(())
    }

    /// Ctrl-C.
    ///
    /// # Errors
    /// If the program has ended.
    pub fn interrupt(&mut self, session: &mut Session) -> Result<(), CommandError> {
        match self.client() {
            Some(client) => session.apply(Command::Tell(client, Instruction::Interrupt)).map(drop),
            None => Ok(()),
        }
    }

    /// SIGTERM.
    ///
    /// # Errors
    /// If the program has ended.
    pub fn terminate(&mut self, session: &mut Session) -> Result<(), CommandError> {
        match self.client() {
            Some(client) => session.apply(Command::Stop(client)).map(drop),
            None => Ok(()),
        }
    }
}

impl Default for Folded {
    fn default() -> Folded {
        Folded {
            place: None,
            cursor: EventId(0),
            typed_step: 0,
            output: Output::default(),
            decided: None,
            was_asked_to_stop: false,
            ended: None,
        }
    }
}

/// One stretch of the fold over a program's events.
struct Fold<'a> {
    program: &'a ProgramJob,
    clock: WallClock,
    due_at: Option<Instant>,
    folded: &'a mut Folded,
}

impl Fold<'_> {
    /// Typed lines and events, in the order of their steps.
    fn run(&mut self, session: &Session, typed: &[TypedLine]) {
        let next = session.next_event();
        let mut typed = typed.iter().peekable();
        for event in session.events(self.folded.cursor).take_while(|event| event.id < next) {
            while let Some(line) = typed.next_if(|line| line.place.step <= event.step) {
                self.on_typed(line);
            }
            if event.node == self.program.client {
                self.on_event(&event);
            }
        }
        typed.for_each(|line| self.on_typed(line));
        self.folded.cursor = next;
    }

    fn print(&mut self, pieces: &[Piece], at: Instant) {
        pieces.iter().for_each(|piece| self.folded.output.push(piece, at, self.clock));
    }

    fn on_typed(&mut self, line: &TypedLine) {
        self.folded.typed_step = line.place.step;
        let shown: Vec<Piece> = line.shown.iter().cloned().map(Piece::Typed).collect();
        self.print(&shown, line.at);
        self.print(&line.failure, line.at);
        if !line.failure.is_empty() {
            self.folded.decided = Some(1);
        }
    }

    fn on_event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Client(client_event) => {
                let Reaction { pieces, status } =
                    react(&self.program.face, &self.program.log_prefix, self.clock.at(event.at), client_event);
                self.print(&pieces, event.at);
                self.folded.decided = self.folded.decided.or(status);
            }
            EventKind::Operator(operator_event) => self.on_operator(operator_event, event.at),
            EventKind::Controller(_) | EventKind::Broker(_) | EventKind::ZooKeeper(_) => {}
        }
    }

    fn on_operator(&mut self, event: &OperatorEvent, at: Instant) {
        match event {
            OperatorEvent::ProcessStarted
            | OperatorEvent::ClientStarted { .. }
            | OperatorEvent::ProcessFrozen
            | OperatorEvent::ProcessThawed
            | OperatorEvent::PowerLost
            | OperatorEvent::DiskChanged { .. }
            | OperatorEvent::DiskWriteFailed
            | OperatorEvent::ClockSet { .. }
            | OperatorEvent::LinksChanged { .. }
            | OperatorEvent::ServerAdded
            | OperatorEvent::ServerRemoved => {}
            OperatorEvent::ShutdownRequested => self.folded.was_asked_to_stop = true,
            OperatorEvent::ProcessKilled => self.folded.ended = Some((KILLED, at)),
            OperatorEvent::ProcessExited { status } => {
                let is_due = self.folded.was_asked_to_stop && self.due_at.is_some_and(|due| due <= at);
                let decided = if is_due { Some(TIMED_OUT) } else { self.folded.decided };
                self.folded.ended = Some((decided.unwrap_or(status.0), at));
            }
        }
    }
}
