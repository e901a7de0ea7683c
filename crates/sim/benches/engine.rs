//! `cargo bench -p sim`: what the engine costs natively. Arguments name what to measure, for example `load day`; a number
//! is the virtual seconds of `load`. Memory is what the process has in it (`VmRSS`), as far as the system tells.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use sim::bench::Scenario;
use sim::bench::long_run::{LongRun, Meters};
use std::process::{Command, ExitCode};
use std::time::Instant;

const SECONDS: u64 = 60;
const LOAD: &str = "load";
const KNOWN_OPTION: &str = "--bench";

fn main() -> ExitCode {
    if measured() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether all that was asked for could be measured.
fn measured() -> bool {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != KNOWN_OPTION).collect();
    let seconds = words.iter().find_map(|word| word.parse().ok());
    let names: Vec<&str> = words.iter().map(String::as_str).filter(|word| word.parse::<u64>().is_err()).collect();
    match names.as_slice() {
        [] if seconds.is_none() => each_in_a_process_of_its_own(),
        [] | [LOAD] => measure_load(seconds.unwrap_or(SECONDS)),
        [name] => measure_long_run(name),
        names => names.iter().all(|name| in_a_process_of_its_own(name)),
    }
}

/// What one has taken in memory would else be there for the next.
fn each_in_a_process_of_its_own() -> bool {
    let long_runs = LongRun::ALL.iter().map(|run| run.name());
    std::iter::once(LOAD).chain(long_runs).all(in_a_process_of_its_own)
}

fn in_a_process_of_its_own(name: &str) -> bool {
    let program = std::env::current_exe().expect("a program that runs has a path");
    Command::new(program).arg(name).status().is_ok_and(|status| status.success())
}

fn measure_load(seconds: u64) -> bool {
    println!("{LOAD}: a producer of a thousand records per second, and a consumer");
    print!("{}", Scenario::steady_load(seconds).measure(&mut clock()));
    true
}

fn measure_long_run(name: &str) -> bool {
    let Some(run) = LongRun::ALL.into_iter().find(|run| run.name() == name) else {
        let names: Vec<&str> = LongRun::ALL.iter().map(|run| run.name()).collect();
        eprintln!("there is no benchmark `{name}`, only {LOAD}, {}", names.join(", "));
        return false;
    };
    println!("{}: {}", run.name(), run.title());
    let mut meters = Meters { clock: &mut clock(), processor: &mut processor_ns, memory: &mut resident_bytes };
    print!("{}", run.measure(&mut meters));
    true
}

fn clock() -> impl FnMut() -> u64 {
    let begin = Instant::now();
    move || begin.elapsed().as_nanos() as u64
}

/// What the kernel has counted for the main thread, which is the only one.
fn processor_ns() -> u64 {
    let times = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    times.split_whitespace().next().and_then(|time| time.parse().ok()).unwrap_or(0)
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    kilobytes.unwrap_or(0_u64) * 1_024
}
