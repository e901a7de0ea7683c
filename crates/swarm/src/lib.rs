//! Random worlds, workloads and faults, all drawn from a seed, and what is asked of them: that sim's checkers find
//! nothing while faults strike, and that everything heals once they end.
//!
//! The library draws, runs, judges and shrinks; it has no threads and no clock, so that the page can open what a seed
//! draws. The programs beside it run many seeds and planted bugs.

#![warn(clippy::float_arithmetic)]

pub mod action;
#[cfg(not(target_family = "wasm"))]
pub mod bug_base;
pub mod consumers;
pub mod coverage;
pub mod draw;
pub mod health;
pub mod historical;
mod legal;
pub mod mutation;
pub mod plan;
pub mod producers;
mod programs;
pub mod run;
pub mod shrink;
mod text;
pub mod world_plan;
