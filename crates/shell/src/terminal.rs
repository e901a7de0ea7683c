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
    files: Files,
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
        Terminal {
            clock: WallClock { epoch },
            is_interactive: true,
            files: Files::new(),
            jobs: Vec::new(),
            history: Vec::new(),
        }
    }

    /// A terminal at which nobody sits: what is not piped into a command is empty.
    #[must_use]
    pub fn for_script(epoch: Timestamp) -> Terminal {
        Terminal { is_interactive: false, ..Terminal::new(epoch) }
    }

    /// Puts a file there from the start.
    pub fn add_file(&mut self, path: &str, text: &str) {
        self.files.write(path, text);
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
        let mut files = self.files.clone();
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
