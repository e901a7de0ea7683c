//! `swarm SEED` shows what a seed draws and how it ends; `swarm --seeds A..B --jobs 2` runs many and says what they
//! covered; `swarm --historical NAME` looks for a fault of an earlier release, `swarm --until-failure` for any;
//! `swarm --replay FILE` runs a kept plan. With `--events TEXT` the events that mention TEXT are printed.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a native program: it has threads and a clock")]

use sim::EventId;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use swarm::coverage::Coverage;
use swarm::historical::Historical;
use swarm::plan::Plan;
use swarm::run::{Failure, Run, draw, follow};
use swarm::shrink::shrink;

/// Seeds between two words on how far the run is.
const SEEDS_BETWEEN_WORDS: u64 = 1_000;
/// Runs that shrinking may take.
const SHRINKING_RUNS: u32 = 200;

const USAGE: &str = "swarm SEED | swarm --seeds A..B [--jobs N] | swarm --historical NAME [--seeds A..B] | swarm --replay FILE, each [--events TEXT]";

/// What was asked for.
struct Asked {
    seed: Option<u64>,
    seeds: Range<u64>,
    jobs: usize,
    historical: Option<Historical>,
    replay: Option<String>,
    /// Stop at the first seed that fails.
    until_failure: bool,
    /// Print the events that mention this.
    events: Option<String>,
}

fn main() -> ExitCode {
    let Some(asked) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let is_sound = match (&asked.replay, asked.seed, asked.historical) {
        (Some(file), _, _) => replay(file, asked.events.as_deref()),
        (None, Some(seed), historical) => one(seed, historical, asked.events.as_deref()),
        (None, None, historical) if historical.is_some() || asked.until_failure => find(historical, asked.seeds),
        (None, None, _) => many(asked.seeds, asked.jobs),
    };
    if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(mut words: impl Iterator<Item = String>) -> Option<Asked> {
    let mut asked = Asked {
        seed: None,
        seeds: 0..1_000,
        jobs: 2,
        historical: None,
        replay: None,
        until_failure: false,
        events: None,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seeds" => {
                let range = words.next()?;
                let (first, end) = range.split_once("..")?;
                asked.seeds = first.parse().ok()?..end.parse().ok()?;
            }
            "--jobs" => asked.jobs = words.next()?.parse().ok()?,
            "--historical" => asked.historical = Some(Historical::named(&words.next()?)?),
            "--until-failure" => asked.until_failure = true,
            "--events" => asked.events = Some(words.next()?),
            "--replay" => asked.replay = Some(words.next()?),
            seed => asked.seed = Some(seed.parse().ok()?),
        }
    }
    Some(asked)
}

fn one(seed: u64, historical: Option<Historical>, events: Option<&str>) -> bool {
    let (run, outcome) = draw(seed, historical);
    print!("{}", run.plan);
    println!("# in the page: {}", run.plan.address());
    print_events(&run, events);
    report(&run.plan, outcome)
}

fn print_events(run: &Run, mentioned: Option<&str>) {
    let Some(mentioned) = mentioned else { return };
    for event in run.session.events(EventId(0)) {
        let line = format!("{} {} {:?}", event.at, event.node, event.kind);
        if line.contains(mentioned) {
            println!("{line}");
        }
    }
}

fn replay(file: &str, events: Option<&str>) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let plan: Plan = text.parse().unwrap_or_else(|error| panic!("{file}: {error:?}"));
    let (run, outcome) = follow(&plan);
    print_events(&run, events);
    report(&plan, outcome)
}

fn report(plan: &Plan, outcome: Result<(), Failure>) -> bool {
    match outcome {
        Ok(()) => println!("# all is well"),
        Err(failure) => {
            println!("# {}: {failure:#?}", failure.name());
            println!("# shrunk:\n{}", shrink(plan, failure.name(), SHRINKING_RUNS));
            return false;
        }
    }
    true
}

/// How many seeds it takes until something shows; with a fault of an earlier release, something that is well without it.
fn find(historical: Option<Historical>, seeds: Range<u64>) -> bool {
    for (count, seed) in (1..).zip(seeds) {
        let (run, outcome) = draw(seed, historical);
        let Err(failure) = outcome else { continue };
        if historical.is_none() || follow(&run.plan.without_historical()).1.is_ok() {
            println!("found by seed {seed} after {count} seeds: {}: {failure:?}", failure.name());
            return true;
        }
    }
    println!("not found");
    false
}

fn many(seeds: Range<u64>, jobs: usize) -> bool {
    let (begin, count) = (Instant::now(), seeds.end - seeds.start);
    let (next, coverage, failures) =
        (AtomicU64::new(seeds.start), Mutex::new(Coverage::default()), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            if seed > seeds.start && seed.is_multiple_of(SEEDS_BETWEEN_WORDS) {
                eprintln!("seed {seed}, after {} s", begin.elapsed().as_secs());
            }
            let (run, outcome) = draw(seed, None);
            coverage.lock().expect("no thread panics").add(&run.coverage);
            if let Err(failure) = outcome {
                println!("seed {seed}: {}: {failure:?}", failure.name());
                failures.lock().expect("no thread panics").push(seed);
            }
        }
    };
    std::thread::scope(|scope| (0..jobs).for_each(|_| drop(scope.spawn(work))));
    println!("{:#?}", coverage.into_inner().expect("no thread panics"));
    let failures = failures.into_inner().expect("no thread panics");
    let seconds = begin.elapsed().as_secs().max(1);
    println!("{count} seeds in {seconds} s, {} a minute; failed: {failures:?}", count * 60 / seconds);
    failures.is_empty()
}
