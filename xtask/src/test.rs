//! `cargo xtask test`: everything that is tested, in four parts.
//!
//! A part that fails does not stop the next one, and the closing line counts what really ran: every test that
//! `cargo test` reports, and each other check as one.

use std::process::Command;

use crate::dist;
use crate::process::{Failure, Result, run, run_watched, say};
use crate::toolchain::browser::Browser;
use crate::toolchain::components;
use crate::workspace::cargo;

/// What can be tested alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Lint,
    Native,
    Wasm,
    Browser,
}

impl Part {
    pub(crate) const ALL: [Part; 4] = [Part::Lint, Part::Native, Part::Wasm, Part::Browser];

    /// The part of that name on the command line.
    pub(crate) fn named(name: &str) -> Option<Part> {
        match name {
            "lint" => Some(Part::Lint),
            "native" => Some(Part::Native),
            "wasm" => Some(Part::Wasm),
            "browser" => Some(Part::Browser),
            _ => None,
        }
    }
}

/// Runs the parts in order and prints the closing line. Fails if anything failed.
pub(crate) fn test(parts: &[Part]) -> Result<()> {
    let mut tally = Tally::default();
    if parts.contains(&Part::Lint) {
        lint(&mut tally);
    }
    if parts.contains(&Part::Native) {
        native(&mut tally);
    }
    if parts.contains(&Part::Wasm) || parts.contains(&Part::Browser) {
        site(parts, &mut tally);
    }
    tally.close()
}

fn lint(tally: &mut Tally) {
    if let Err(failure) = components::ensure() {
        tally.check("formatting and clippy", Err(failure));
        return;
    }
    say("cargo fmt --check");
    tally.check("formatting", run(cargo().args(["fmt", "--all", "--check"])));
    say("cargo clippy, with warnings as errors");
    let clippy = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    tally.check("clippy", run(cargo().args(clippy)));
}

fn native(tally: &mut Tally) {
    say("cargo test: every crate, natively");
    tally.tests("native tests", cargo().args(["test", "--locked", "--workspace", "--no-fail-fast"]));
}

/// The parts that need the built site.
fn site(parts: &[Part], tally: &mut Tally) {
    let built = dist::dist();
    let is_built = built.is_ok();
    tally.check("the site and its size", built.map(drop));
    if !is_built {
        return;
    }
    match Browser::ensure() {
        Ok(browser) => browser_tests(parts, &browser, tally),
        Err(failure) => tally.check("the browser", Err(failure)),
    }
}

fn browser_tests(parts: &[Part], browser: &Browser, tally: &mut Tally) {
    if parts.contains(&Part::Wasm) {
        say("the same hashes in wasm as natively");
        tally.tests("wasm tests", &mut ignored_tests("determinism", browser));
    }
    if parts.contains(&Part::Browser) {
        say("the page in headless Chromium (screenshots: target/screenshots/)");
        tally.tests("browser tests", &mut ignored_tests("browser", browser));
        tally.tests("the tutorial in the browser", &mut ignored_tests("tutorial", browser));
        tally.tests("clusters of other shapes in the browser", &mut ignored_tests("worlds", browser));
    }
}

/// Tests that an ordinary `cargo test` leaves out, because they need the built site and Chromium.
pub(crate) fn ignored_tests(target: &str, browser: &Browser) -> Command {
    let mut command = cargo();
    command.args(["test", "--locked", "--package", "acceptance", "--test", target, "--", "--ignored", "--nocapture"]);
    // One Chromium at a time: what a test waits for must not depend on how many others run.
    command.arg("--test-threads=1");
    browser.set_environment(&mut command);
    command
}

/// What passed and what failed so far.
#[derive(Default)]
struct Tally {
    passed: u32,
    failed: u32,
    /// The names of the steps in which something failed, with the reason.
    failures: Vec<String>,
}

impl Tally {
    /// Counts a check that is one thing.
    fn check(&mut self, name: &str, outcome: Result<()>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(failure) => self.fail(name, 1, &failure.to_string()),
        }
    }

    /// Runs `cargo test` and counts the tests that it reports.
    fn tests(&mut self, name: &str, command: &mut Command) {
        let mut counts = Counts::default();
        let outcome = run_watched(command, |line| counts.add_line(line));
        self.passed += counts.passed;
        match outcome {
            Ok(true) if counts.passed == 0 => self.fail(name, 1, "no test ran"),
            Ok(true) => {}
            // Without a failed test something else failed, such as the compiler.
            Ok(false) => self.fail(name, counts.failed.max(1), "see above"),
            Err(failure) => self.fail(name, 1, &failure.to_string()),
        }
    }

    fn fail(&mut self, name: &str, count: u32, reason: &str) {
        self.failed += count;
        self.failures.push(format!("{name}: {reason}"));
    }

    fn close(self) -> Result<()> {
        for failure in &self.failures {
            say(format!("FAILED {failure}"));
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failures.is_empty() { Ok(()) } else { Err(Failure::new("something failed (see above)")) }
    }
}

/// The sum of the closing lines of `cargo test`.
#[derive(Default, Debug, PartialEq, Eq)]
struct Counts {
    passed: u32,
    failed: u32,
}

impl Counts {
    /// Takes a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...`; any other line is not counted.
    fn add_line(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for part in counts.split("; ") {
            match part.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse::<u32>().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse::<u32>().unwrap_or(0),
                Some(_) | None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_all_test_programs_are_added_up() {
        let mut counts = Counts::default();
        for line in [
            "running 4 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            counts.add_line(line);
        }
        assert_eq!(counts, Counts { passed: 8, failed: 2 });
    }

    #[test]
    fn a_failed_check_fails_the_whole_run() {
        let mut tally = Tally::default();
        tally.check("one", Ok(()));
        assert_eq!((tally.passed, tally.failed), (1, 0));
        tally.check("two", Err(Failure::new("broken")));
        assert!(tally.close().is_err());
    }

    #[test]
    fn a_test_program_without_any_test_is_a_failure() {
        let mut tally = Tally::default();
        tally.tests("nothing", &mut Command::new("true"));
        assert_eq!((tally.passed, tally.failed), (0, 1));
    }

    #[test]
    fn a_compiler_error_counts_as_one_failure() {
        let mut tally = Tally::default();
        tally.tests("uncompilable", &mut Command::new("false"));
        assert_eq!((tally.passed, tally.failed), (0, 1));
    }
}
