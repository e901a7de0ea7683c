//! A fixed number of seeds, the bugs that were found before, and that all of it really tests something.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests use both cores")]

use kafka::instant::Instant;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use sim::Checker;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use swarm::action::Kind;
use swarm::coverage::{Coverage, NOT_EXPECTED};
use swarm::historical::Historical;
use swarm::plan::Plan;
use swarm::run::{draw, follow};
use wire::ErrorCode;

const SEEDS: u64 = 1_000;
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
        assert!(times >= SEEDS / 40, "{kind:?} is rare: {times} times in {SEEDS} seeds");
    }
    for checker in Checker::ALL {
        let times = coverage.checks.get(&checker).copied().unwrap_or(0);
        assert!(times >= SEEDS, "{} had something to check {times} times only", checker.name());
    }
    let events = [
        ("log truncated", 100),
        ("broker fenced while it ran", 1),
        ("clean stop", 50),
        ("partition offline", 500),
        ("election", 1_000),
        ("unclean election", 50),
        ("topic deleted", 50),
        ("partitions added", 50),
        ("in-sync replicas changed by the leader", 1_000),
        ("eligible leaders changed", 50),
        ("reassignment started", 10),
        ("reassignment completed", 10),
        ("reassignment cancelled", 3),
        ("configuration changed", 100),
        ("snapshot loaded", 50),
        ("metadata log truncated", 30),
        ("log compacted", 100),
        ("segments deleted", 5),
        ("records deleted", 10),
        ("torn batch cut", 20),
        ("preferred read replica chosen", 500),
        ("ZooKeeper controller elected", 20),
        ("ZooKeeper controller resigned", 5),
        ("controller fenced by a broker", 2),
        ("session with ZooKeeper lost", 10),
        ("acknowledgement", 100_000),
        ("record consumed", 100_000),
    ];
    for (name, least) in events {
        let times = coverage.events.get(name).copied().unwrap_or(0);
        assert!(times >= least, "{name}: {times} times only, in {SEEDS} seeds");
    }
    for error in ErrorCode::ALL.iter().filter(|error| NOT_EXPECTED.iter().all(|(known, _)| known != *error)) {
        assert!(coverage.errors.contains_key(error.name()), "nobody met {}: {:?}", error.name(), coverage.errors);
    }
}

/// A seed for each fault of an earlier release that random faults find.
const HISTORICAL: [(Historical, u64); 8] = [
    (Historical::TruncateToHighWatermark, 0),
    (Historical::SingleRoundTruncation, 15),
    (Historical::TruncationBeforeFetching, 342),
    (Historical::UnfencedFetches, 342),
    (Historical::HighWatermarkBelowMinIsr, 1),
    (Historical::IsrWithoutBrokerEpochs, 2),
    (Historical::UnfencedZooKeeperControllers, 3),
    (Historical::UnnoticedBrokerBounces, 67),
];

#[test]
fn faults_of_earlier_releases_are_found_and_are_not_there_any_more() {
    for (fault, seed) in HISTORICAL {
        let (run, outcome) = draw(seed, Some(fault));
        assert!(outcome.is_err(), "{} is not found by seed {seed}", fault.name());
        assert_eq!(follow(&run.plan.without_historical()).1, Ok(()), "{}", fault.name());
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
    let plans = swarm::bug_base::plans();
    assert!(!plans.is_empty());
    for plan in plans {
        assert_eq!(follow(&plan).1, Ok(()), "{plan}");
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
