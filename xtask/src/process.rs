//! Running other programs: the line that says what happens next, and failures as one sentence.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// Why a command of ours ended without success: a sentence for the person at the terminal.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Failure {
        Failure(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Prints the line before a step.
pub(crate) fn say(line: impl fmt::Display) {
    println!("==> {line}");
}

/// Runs a program with its output on our terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{}` failed ({status})", line_of(command)))) }
}

/// Runs a program, passes its standard output on line by line, and shows each line to `on_line`.
/// Returns whether the program ended with success.
pub(crate) fn run_watched(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<bool> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| not_started(command, &error))?;
    let mut output = BufReader::new(child.stdout.take().expect("standard output was piped above"));
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).map_err(|error| not_started(command, &error))? > 0 {
        std::io::stdout().write_all(&line).map_err(|error| not_started(command, &error))?;
        on_line(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    Ok(child.wait().map_err(|error| not_started(command, &error))?.success())
}

/// What a program prints to standard output, when it ends with success.
pub(crate) fn output_of(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("`{}` could not be run: {error}", line_of(command)))
}

fn line_of(command: &Command) -> String {
    let words: Vec<_> =
        std::iter::once(command.get_program()).chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_that_failed() {
        let failure = run(Command::new("sh").args(["-c", "exit 3"])).expect_err("it exits with 3");
        assert!(failure.to_string().starts_with("`sh -c exit 3` failed"), "{failure}");
    }

    #[test]
    fn every_line_of_a_watched_program_is_seen() {
        let mut lines = Vec::new();
        let success = run_watched(Command::new("sh").args(["-c", "echo one; echo two; exit 1"]), |line| {
            lines.push(line.to_owned());
        });
        assert_eq!(lines, ["one", "two"]);
        assert!(!success.expect("it was started"));
    }
}
