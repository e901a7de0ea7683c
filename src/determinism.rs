//! What must come out the same in the browser as natively, to the bit.
//!
//! The page exports these functions to JavaScript (see `exports`); the test target `determinism` of the package in
//! `tests/` compiles this very file natively and compares. So this file uses nothing of the page.

use kafka::Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use shell::script::Script;

/// A digest of many draws of every kind from the generator that all machines use.
pub(crate) fn random_draws_hash(seed: u64) -> u64 {
    let mut rng = Rng::seed_from_u64(seed);
    let mut digest = Fnv::new();
    let mut order: Vec<u32> = (0..100).collect();
    for bound in 1..=10_000u64 {
        digest.add(rng.random_range(0..bound));
        digest.add(u64::from(rng.random_bool(0.3)));
        digest.add(u64::from(rng.random_range(0..=u32::MAX)));
    }
    order.shuffle(&mut rng);
    order.iter().for_each(|number| digest.add(u64::from(*number)));
    digest.0
}

/// The trace hash of a script's run, or what is wrong with the script.
pub(crate) fn trace_hash_of_script(script: &str, seed: u64) -> Result<u64, String> {
    let run = Script::parse(script).and_then(|script| script.run(seed));
    run.map(|transcript| transcript.hash.0).map_err(|error| error.to_string())
}

/// The trace hash of a script's run after jumping back and forth through it and to its end again.
pub(crate) fn trace_hash_after_seeking(script: &str, seed: u64) -> Result<u64, String> {
    let session = Script::parse(script).and_then(|script| script.session(seed));
    let mut session = session.map_err(|error| error.to_string())?;
    let steps = session.steps();
    for seventh in [3, 6, 1, 0, 5, 7] {
        session.seek_step(steps * seventh / 7);
    }
    Ok(session.trace_hash().0)
}

/// The hash function FNV-1a, 64 bits.
struct Fnv(u64);

impl Fnv {
    fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, number: u64) {
        for byte in number.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
