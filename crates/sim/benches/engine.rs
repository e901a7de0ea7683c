//! `cargo bench -p sim`: what the engine costs natively. An argument is the number of virtual seconds to measure.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use sim::bench::Scenario;
use std::time::Instant;

const SECONDS: u64 = 60;

fn main() {
    let begin = Instant::now();
    let mut clock = || begin.elapsed().as_nanos() as u64;
    let asked_for = std::env::args().find_map(|argument| argument.parse().ok());
    print!("{}", Scenario::steady_load(asked_for.unwrap_or(SECONDS)).measure(&mut clock));
}
