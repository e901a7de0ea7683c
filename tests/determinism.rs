//! The same code gives the same results in the browser as natively, to the bit.

// The page's own file, compiled natively here.
#[path = "../src/determinism.rs"]
mod determinism;

use acceptance::driver::Page;
use determinism::{random_draws_hash, trace_hash_after_seeking, trace_hash_of_script};
use serde_json::json;

/// Calls a function that the page exports (`src/exports.rs`) and compares its result with the native one.
fn assert_same_in_wasm(page: &Page, call: &str, native: u64) {
    let in_wasm = page.eval(&format!("window.wasmBindings.{call}"));
    assert_eq!(in_wasm, format!("{native:016x}"), "{call}");
}

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test wasm"]
fn random_draws_are_the_same_in_wasm() {
    let page = Page::open("");
    for seed in [0, 1, 42, u32::MAX] {
        assert_same_in_wasm(&page, &format!("random_draws_hash({seed})"), random_draws_hash(u64::from(seed)));
    }
    page.assert_no_console_errors();
}

/// A topic, records, a dead leader and its return.
const SCRIPT: &str = "
kafka-topics --bootstrap-server localhost:9092 --create --topic t --partitions 3 --replication-factor 3
echo one | kafka-console-producer --bootstrap-server localhost:9092 --topic t
@kill 1
@sleep 12
echo two | kafka-console-producer --bootstrap-server localhost:9093 --topic t
@start 1
@sleep 5
kafka-topics --bootstrap-server localhost:9093 --describe --topic t
";

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test wasm"]
fn runs_of_a_script_are_the_same_in_wasm() {
    let page = Page::open("");
    let hashes = [1, 2, 42].map(|seed: u32| {
        let native = trace_hash_of_script(SCRIPT, u64::from(seed)).expect("the script is right");
        assert_same_in_wasm(&page, &format!("trace_hash_of_script({}, {seed})", json!(SCRIPT)), native);
        assert_same_in_wasm(&page, &format!("trace_hash_after_seeking({}, {seed})", json!(SCRIPT)), native);
        native
    });
    assert_ne!(hashes[0], hashes[1], "another seed must give another run");
    page.assert_no_console_errors();
}

#[test]
fn runs_of_a_script_are_the_same_again_and_after_seeking() {
    let hash = |seed| trace_hash_of_script(SCRIPT, seed).expect("the script is right");
    for seed in [1, 2, 42] {
        assert_eq!(hash(seed), hash(seed));
        assert_eq!(trace_hash_after_seeking(SCRIPT, seed), Ok(hash(seed)));
    }
    assert_ne!(hash(1), hash(2), "another seed must give another run");
}

#[test]
fn a_script_that_is_wrong_is_refused() {
    assert_eq!(trace_hash_of_script("@nonsense", 1), Err("line 1: there is no directive @nonsense".to_owned()));
}

/// A new release of the generator that draws other values would change every recorded run.
#[test]
fn random_draws_stay_what_they_were() {
    assert_eq!(format!("{:016x}", random_draws_hash(42)), "faecd2b2ac8f0070");
    assert_ne!(random_draws_hash(42), random_draws_hash(43));
}
