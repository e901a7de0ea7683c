//! A fixed number of seeds, the bugs that were found before, and that all of it really tests something.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests use both cores")]

use kafka::instant::Instant;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use sim::Checker;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use swarm::action::Kind;
use swarm::coverage::Coverage;
use swarm::plan::Plan;
use swarm::run::{draw, follow};

const SEEDS: u64 = 400;
const REWOUND_SEEDS: u64 = 10;

fn run_all(seeds: u64) -> Coverage {
    let (next, coverage) = (AtomicU64::new(0), Mutex::new(Coverage::default()));
    let work = || {
        for seed in std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take_while(|seed| *seed < seeds) {
            let (run, outcome) = draw(seed, None);
            assert_eq!(outcome, Ok(()), "seed {seed}");
            coverage.lock().expect("no thread panics").add(&run.coverage);
        }
    };
    std::thread::scope(|scope| {
        [scope.spawn(work), scope.spawn(work)].map(|thread| thread.join().expect("all is well"))
    });
    coverage.into_inner().expect("no thread panics")
}

#[test]
fn the_cluster_keeps_its_promises_under_random_faults_and_heals() {
    let coverage = run_all(SEEDS);
    for (kind, _) in Kind::WEIGHTS {
        let times = coverage.actions.get(&kind).copied().unwrap_or(0);
        assert!(times >= SEEDS / 4, "{kind:?} is rare: {times} times in {SEEDS} seeds");
    }
    // No topic of a drawn world is compacted: the checker of compaction has its own run among the tests of retention.
    for checker in Checker::ALL.into_iter().filter(|checker| *checker != Checker::Compaction) {
        let times = coverage.checks.get(&checker).copied().unwrap_or(0);
        assert!(times >= SEEDS, "{} had something to check {times} times only", checker.name());
    }
    let events = [
        ("log truncated", 100),
        ("broker fenced while it ran", 1),
        ("clean stop", 100),
        ("partition offline", 1_000),
        ("election", 2_000),
        ("unclean election", 100),
        ("topic deleted", 100),
        ("partitions added", 100),
        ("in-sync replicas changed by the leader", 2_000),
        ("acknowledgement", 100_000),
        ("record consumed", 100_000),
    ];
    for (name, least) in events {
        let times = coverage.events.get(name).copied().unwrap_or(0);
        assert!(times >= least, "{name}: {times} times only, in {SEEDS} seeds");
    }
    let errors = [
        "FENCED_LEADER_EPOCH",
        "INELIGIBLE_REPLICA",
        "INVALID_UPDATE_VERSION",
        "NETWORK_EXCEPTION",
        "NOT_ENOUGH_REPLICAS",
        "NOT_LEADER_OR_FOLLOWER",
        "STALE_BROKER_EPOCH",
        "UNKNOWN_TOPIC_OR_PARTITION",
    ];
    for error in errors {
        assert!(coverage.errors.contains_key(error), "nobody met {error}: {:?}", coverage.errors);
    }
}

#[test]
fn a_run_with_faults_comes_out_the_same_after_any_rewinding() {
    for seed in 0..REWOUND_SEEDS {
        let (run, _) = draw(seed, None);
        let (mut session, mut rng) = (run.session, Xoshiro256PlusPlus::seed_from_u64(seed));
        let (end, hash, counts) = (session.now(), session.trace_hash(), session.ledger().counts());
        for _ in 0..5 {
            session.seek(Instant(rng.random_range(0..end.0)));
            let before = (session.steps(), session.trace_hash(), session.ledger().counts());
            let back = rng.random_range(0..20);
            (0..back).for_each(|_| assert!(session.step_back(), "there are steps before"));
            (0..back).for_each(|_| assert!(session.step(), "the same steps come again"));
            assert_eq!((session.steps(), session.trace_hash(), session.ledger().counts()), before, "seed {seed}");
        }
        session.seek(end);
        assert_eq!((session.trace_hash(), session.ledger().counts()), (hash, counts), "seed {seed}");
        assert_eq!(session.branches().len(), 1, "nothing was changed in the past");
    }
}

#[test]
fn what_a_seed_drew_can_be_printed_read_back_and_run_again() {
    for seed in 0..5 {
        let (drawn, _) = draw(seed, None);
        let plan: Plan = drawn.plan.to_string().parse().expect("a printed plan can be read");
        assert_eq!(plan, drawn.plan);
        let (again, outcome) = follow(&plan);
        assert_eq!((again.plan, outcome), (plan, Ok(())));
    }
}

#[test]
fn bugs_that_were_found_before_do_not_come_back() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/bugs");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("there is a bug base")
        .map(|file| file.expect("it can be read").path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let plan: Plan = std::fs::read_to_string(&file).expect("it can be read").parse().expect("a plan");
        assert_eq!(follow(&plan).1, Ok(()), "{}", file.display());
    }
}

#[test]
fn every_planted_bug_still_has_its_place() {
    let mutations = swarm::mutation::all();
    assert!(mutations.len() >= 30, "{} planted bugs", mutations.len());
    for mutation in mutations {
        let file = format!("{}/../../{}", env!("CARGO_MANIFEST_DIR"), mutation.file);
        let text = std::fs::read_to_string(&file).expect("the file exists");
        assert_ne!(mutation.apply(&text).expect(&mutation.name), text, "{}", mutation.name);
    }
}
