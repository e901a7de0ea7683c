//! Runs in the copy of the tree in which bugs are planted: `hunt SEEDS JOBS NUMBER…`. For each bug that is caught it
//! prints its number, how many seeds it took, and what caught it: 0 if it is a plan of the bug base.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a native program: it has threads")]

use std::sync::atomic::{AtomicUsize, Ordering};

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let numbers: Vec<u64> = std::env::args().skip(1).map(|word| word.parse().expect("numbers")).collect();
    let (seeds, jobs, bugs) = (numbers[0], numbers[1], &numbers[2..]);
    let plans = swarm::bug_base::plans();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(bug) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
            wire::plant(usize::try_from(*bug).expect("few bugs"));
            let by_known_plan =
                plans.iter().find_map(|plan| swarm::run::follow(plan).1.err().map(|failure| (0, failure)));
            let by_seed =
                || (1..).zip(0..seeds).find_map(|(count, seed)| Some((count, swarm::run::draw(seed, None).1.err()?)));
            let caught = by_known_plan.or_else(by_seed).map(|(count, failure)| format!("{count} {}", failure.name()));
            match caught {
                Some(caught) => println!("{bug}: {caught}"),
                None => eprintln!("bug {bug} is not caught"),
            }
        }
    };
    std::thread::scope(|scope| (0..jobs).for_each(|_| drop(scope.spawn(work))));
}
