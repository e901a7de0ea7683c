//! A plan is read as it was written, or the line that is not understood is told: no panic, and no world without limits.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use swarm::plan::Plan;
use swarm::run::draw;

const ABSURD: [&str; 14] = [
    "-1",
    "0",
    "00",
    "2147483648",
    "-9223372036854775808",
    "18446744073709551615",
    "99999999999999999999",
    "1e9",
    "true",
    "at",
    "#",
    "토픽",
    "\u{0}",
    "create",
];

#[test]
fn plans_are_read_as_they_were_written_or_refused_with_the_line() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let good: Vec<String> = (0..4).map(|seed| draw(seed, None).0.plan.to_string()).collect();
    let (mut understood, mut refused) = (0, 0);
    for _ in 0..4_000 {
        let text = &good[rng.random_range(0..good.len())];
        let mut words: Vec<&str> = text.split_inclusive([' ', '\n']).collect();
        for _ in 0..rng.random_range(0..3u32) {
            let at = rng.random_range(0..words.len());
            match rng.random_range(0..5u32) {
                0 => drop(words.remove(at)),
                1 => words.insert(at, words[at]),
                2 => words[at] = ABSURD[rng.random_range(0..ABSURD.len())],
                3 => words.truncate(at.max(1)),
                _ => words.swap(0, at),
            }
        }
        let text = words.concat();
        match text.parse::<Plan>() {
            Ok(plan) => {
                assert_eq!(plan.to_string().parse(), Ok(plan.clone()), "{text}");
                assert!(plan.world.spec().servers.len() <= 198);
                understood += 1;
            }
            Err(line) => {
                assert!(text.lines().any(|given| given.trim() == line.0), "{line:?} is a line of {text}");
                refused += 1;
            }
        }
    }
    assert!(understood > 500 && refused > 500, "{understood} understood, {refused} refused");
}
