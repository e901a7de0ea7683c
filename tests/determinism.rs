//! The same code gives the same results in the browser as natively, to the bit.

// The page's own file, compiled natively here.
#[path = "../src/determinism.rs"]
mod determinism;

use acceptance::driver::Page;
use determinism::random_draws_hash;

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

/// A new release of the generator that draws other values would change every recorded run.
#[test]
fn random_draws_stay_what_they_were() {
    assert_eq!(format!("{:016x}", random_draws_hash(42)), "faecd2b2ac8f0070");
    assert_ne!(random_draws_hash(42), random_draws_hash(43));
}
