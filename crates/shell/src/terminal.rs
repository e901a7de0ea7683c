//! What a terminal page needs: the commands that were run with what they print, one of them in the foreground, and a
//! history of lines to go back through. Plain data, no DOM.
//!
//! Everything that is shown follows from where the session stands: after a step back the commands that lie ahead are
//! gone, and files hold what was written to them by then.

use crate::files::Files;
use crate::job::Job;
use crate::launch::Launch;
use crate::output::Line;
use kafka::instant::{Instant, WallClock};
use sim::{CommandError, Session};
use wire::Timestamp;

/// A terminal at which one user sits, or one script runs.
#[derive(Clone, Debug)]
pub struct Terminal {
    clock: WallClock,
    is_interactive: bool,
    jobs: Vec<Job>,
    history: Vec<String>,
}

/// A command as the terminal shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The command as it was typed.
    pub command: String,
    /// When it began.
    pub began_at: Instant,
    /// What it has printed.
    pub lines: Vec<Line>,
    /// Its exit status, once it has ended.
    pub status: Option<i32>,
    /// Whether it waits for typed lines behind a `>`.
    pub shows_prompt: bool,
}

/// What may be typed at a running command besides lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    EndOfInput,
}

impl Terminal {
    /// A terminal for a session whose world began at the wall-clock time `epoch`.
    #[must_use]
    pub fn new(epoch: Timestamp) -> Terminal {
        Terminal { clock: WallClock { epoch }, is_interactive: true, jobs: Vec::new(), history: Vec::new() }
    }

    /// A terminal at which nobody sits: what is not piped into a command is empty.
    #[must_use]
    pub fn for_script(epoch: Timestamp) -> Terminal {
        Terminal { is_interactive: false, ..Terminal::new(epoch) }
    }

    /// Takes a line: for the foreground command if there is one, otherwise as a new command.
    ///
    /// # Errors
    /// If the foreground command has ended meanwhile.
    pub fn enter(&mut self, line: &str, session: &mut Session) -> Result<(), CommandError> {
        match self.foreground(session) {
            Some(job) => job.type_line(line, session).map(drop),
            None => {
                self.run(line, session);
                Ok(())
            }
        }
    }

    /// Runs a command line. True unless it is blank.
    pub fn run(&mut self, line: &str, session: &mut Session) -> bool {
        if !line.trim().is_empty() && self.history.last().is_none_or(|last| last != line) {
            self.history.push(line.to_owned());
        }
        let files = self.files(session);
        let last_status = self.last_status(session);
        let launch = Launch { files: &files, clock: self.clock, last_status, is_terminal: self.is_interactive };
        let job = launch.run(line, session);
        let is_run = job.is_some();
        self.jobs.extend(job);
        is_run
    }

    /// Presses a key at the foreground command; nothing happens without one.
    ///
    /// # Errors
    /// If the foreground command has ended meanwhile.
    pub fn press(&mut self, key: Key, session: &mut Session) -> Result<(), CommandError> {
        match (self.foreground(session), key) {
            (None, Key::Interrupt | Key::EndOfInput) => Ok(()),
            (Some(job), Key::Interrupt) => job.interrupt(session),
            (Some(job), Key::EndOfInput) if job.takes_lines() => job.end_of_input(session),
            (Some(_), Key::EndOfInput) => Ok(()),
        }
    }

    /// The command that runs now, if one does.
    pub fn foreground(&mut self, session: &Session) -> Option<&mut Job> {
        let job = self.jobs.iter_mut().rev().find(|job| job.has_begun(session))?;
        if job.status(session).is_none() { Some(job) } else { None }
    }

    /// The commands that have begun by now, with what they have printed by now.
    pub fn entries(&mut self, session: &Session) -> Vec<Entry> {
        self.jobs.iter_mut().filter_map(|job| entry(job, session)).collect()
    }

    /// The last command that has begun by now.
    pub fn last_entry(&mut self, session: &Session) -> Option<Entry> {
        self.jobs.iter_mut().rev().find_map(|job| entry(job, session))
    }

    /// When the foreground command gets SIGTERM from `timeout`; call [`Terminal::advance`] then.
    pub fn due_at(&mut self, session: &Session) -> Option<Instant> {
        self.foreground(session).and_then(|job| job.due_at()).filter(|due| *due > session.now())
    }

    /// Sends SIGTERM to the foreground command if its `timeout` is over. Does nothing while the session replays what is
    /// known already.
    ///
    /// # Errors
    /// If the command has ended meanwhile.
    pub fn advance(&mut self, session: &mut Session) -> Result<(), CommandError> {
        if session.now() < session.known_until() {
            return Ok(());
        }
        match self.foreground(session) {
            Some(job) if job.is_overdue(session) => job.terminate(session),
            Some(_) | None => Ok(()),
        }
    }

    /// The files as the commands so far have left them.
    pub fn files(&mut self, session: &Session) -> Files {
        let mut files = Files::new();
        for view in self.jobs.iter_mut().filter_map(|job| job.view(session)) {
            for (file, text) in view.writes {
                if file.is_append {
                    files.append(&file.path, &text);
                } else {
                    files.write(&file.path, &text);
                }
            }
        }
        files
    }

    /// The lines that were entered as commands, oldest first, the same one not twice in a row.
    #[must_use]
    pub fn history(&self) -> &[String] {
        &self.history
    }

    fn last_status(&mut self, session: &Session) -> i32 {
        self.jobs.iter_mut().rev().find_map(|job| job.status(session)).unwrap_or(0)
    }
}

fn entry(job: &mut Job, session: &Session) -> Option<Entry> {
    let view = job.view(session)?;
    Some(Entry {
        command: job.command().to_owned(),
        began_at: job.began_at(),
        shows_prompt: view.status.is_none() && job.shows_prompt(session),
        lines: view.lines,
        status: view.status,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{run_to_end, wait_until_ready};
    use kafka::instant::Duration;
    use sim::frame::BranchId;
    use sim::{Budget, WorldSpec};
    use std::collections::BTreeMap;

    const TOPICS: &str = "kafka-topics --bootstrap-server localhost:9092";
    const PRODUCE: &str = "kafka-console-producer --bootstrap-server localhost:9092 --topic t";
    const READ: &str =
        "kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --timeout-ms 2000";

    fn ready() -> (Terminal, Session) {
        let world = WorldSpec::three_brokers(BTreeMap::new());
        let terminal = Terminal::new(world.epoch);
        let mut session = Session::new(world, 3);
        wait_until_ready(&mut session).unwrap();
        (terminal, session)
    }

    fn finished(terminal: &mut Terminal, session: &mut Session, line: &str) -> Entry {
        terminal.enter(line, session).unwrap();
        run_to_end(terminal, session).unwrap();
        terminal.last_entry(session).unwrap()
    }

    fn pass(session: &mut Session, span: Duration) {
        let until = session.now() + span;
        session.run(Budget { until, steps: u64::MAX });
    }

    fn shown(terminal: &mut Terminal, session: &Session) -> Vec<String> {
        terminal.entries(session).iter().flat_map(|entry| entry.lines.iter().map(|line| line.text.clone())).collect()
    }

    #[test]
    fn what_lies_ahead_is_not_shown_and_comes_back() {
        let (mut terminal, mut session) = ready();
        finished(&mut terminal, &mut session, &format!("{TOPICS} --create --topic t"));
        let between = session.now() + Duration(500_000);
        pass(&mut session, Duration(1_000_000));
        finished(&mut terminal, &mut session, &format!("{TOPICS} --list > f"));
        finished(&mut terminal, &mut session, "cat f");
        let end = session.now();
        assert_eq!(shown(&mut terminal, &session), ["Created topic t.", "t"]);
        session.seek(between);
        assert_eq!(shown(&mut terminal, &session), ["Created topic t."]);
        assert_eq!(terminal.files(&session).read("f"), None);
        session.seek(Instant::ZERO);
        assert_eq!(shown(&mut terminal, &session), [""; 0]);
        session.seek(end);
        assert_eq!(shown(&mut terminal, &session), ["Created topic t.", "t"]);
        assert_eq!(terminal.files(&session).read("f"), Some("t\n"));
    }

    #[test]
    fn a_fork_forgets_the_future_it_leaves_behind_and_the_old_history_keeps_it() {
        let (mut terminal, mut session) = ready();
        finished(&mut terminal, &mut session, &format!("{TOPICS} --create --topic t"));
        terminal.enter(PRODUCE, &mut session).unwrap();
        pass(&mut session, Duration(1_000_000));
        terminal.enter("one", &mut session).unwrap();
        pass(&mut session, Duration(2_000_000));
        let before = session.now();
        terminal.enter("two", &mut session).unwrap();
        pass(&mut session, Duration(2_000_000));
        assert_eq!(shown(&mut terminal, &session), ["Created topic t.", ">one", ">two"]);

        session.seek(before - Duration(1));
        assert_eq!(shown(&mut terminal, &session), ["Created topic t.", ">one"]);
        terminal.enter("another", &mut session).unwrap();
        pass(&mut session, Duration(2_000_000));
        assert_eq!(shown(&mut terminal, &session), ["Created topic t.", ">one", ">another"]);
        terminal.press(Key::EndOfInput, &mut session).unwrap();
        run_to_end(&mut terminal, &mut session).unwrap();
        let read = finished(&mut terminal, &mut session, READ);
        let records: Vec<&str> = read.lines.iter().take(2).map(|line| line.text.as_str()).collect();
        assert_eq!(records, ["one", "another"]);

        assert!(session.switch_branch(BranchId(0)));
        session.seek(before + Duration(2_000_000));
        assert_eq!(shown(&mut terminal, &session), ["Created topic t.", ">one", ">two"]);
    }

    #[test]
    fn output_grows_step_by_step_as_it_is_seen_from_the_start() {
        let (mut terminal, mut session) = ready();
        finished(&mut terminal, &mut session, &format!("echo x | {PRODUCE}"));
        terminal.enter(READ, &mut session).unwrap();
        while terminal.foreground(&session).is_some() {
            session.step();
            let grown = shown(&mut terminal, &session);
            assert_eq!(shown(&mut terminal.clone(), &session), grown);
        }
        let grown = shown(&mut terminal, &session);
        session.seek(Instant::ZERO);
        assert_eq!(shown(&mut terminal, &session), [""; 0]);
        session.seek(session.known_until());
        assert_eq!(shown(&mut terminal, &session), grown);
    }

    #[test]
    fn keys_end_what_runs_in_the_foreground() {
        let (mut terminal, mut session) = ready();
        terminal.enter(&READ.replace(" --timeout-ms 2000", ""), &mut session).unwrap();
        pass(&mut session, Duration(1_000_000));
        terminal.press(Key::Interrupt, &mut session).unwrap();
        run_to_end(&mut terminal, &mut session).unwrap();
        let entry = terminal.last_entry(&session).unwrap();
        assert_eq!(entry.status, Some(130));
        assert_eq!(entry.lines.last().map(|line| line.text.as_str()), Some("Processed a total of 0 messages"));
    }

    #[test]
    fn a_synchronous_producer_ends_with_its_first_failure() {
        let (mut terminal, mut session) = ready();
        let produce = PRODUCE.replace("9092", "9099");
        let line = format!("printf 'a\\nb\\n' | {produce} --sync --max-block-ms 1000 2>&1 | grep ExecutionException");
        let entry = finished(&mut terminal, &mut session, &line);
        assert_eq!(entry.lines.len(), 1);
    }
}
