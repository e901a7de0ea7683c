//! Functions that the built page offers to JavaScript, as `window.wasmBindings`, for the tests in the browser.
//!
//! They are thin: what they compute is elsewhere.

#![expect(unreachable_pub, reason = "wasm_bindgen exports public functions only")]

use wasm_bindgen::prelude::wasm_bindgen;

use crate::determinism;

/// See [`determinism::random_draws_hash`]; the digest in hexadecimal, since JavaScript's numbers are too short for it.
#[wasm_bindgen]
pub fn random_draws_hash(seed: u32) -> String {
    format!("{:016x}", determinism::random_draws_hash(u64::from(seed)))
}

/// See [`determinism::trace_hash_of_script`]; the hash in hexadecimal.
///
/// # Errors
/// What is wrong with the script; it is thrown in JavaScript.
#[wasm_bindgen]
pub fn trace_hash_of_script(script: &str, seed: u32) -> Result<String, String> {
    determinism::trace_hash_of_script(script, u64::from(seed)).map(|hash| format!("{hash:016x}"))
}

/// See [`determinism::trace_hash_after_seeking`]; the hash in hexadecimal.
///
/// # Errors
/// What is wrong with the script; it is thrown in JavaScript.
#[wasm_bindgen]
pub fn trace_hash_after_seeking(script: &str, seed: u32) -> Result<String, String> {
    determinism::trace_hash_after_seeking(script, u64::from(seed)).map(|hash| format!("{hash:016x}"))
}
