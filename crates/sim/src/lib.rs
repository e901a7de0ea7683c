//! The world around the machines: virtual time, the event queue, the network, disks, faults, the trace, and time
//! travel. [`Session`] is the only type that the page, the shell and tests across crates hold.

#![warn(clippy::float_arithmetic)]

mod agenda;
mod answers;
pub mod bench;
pub mod checkers;
mod checkpoints;
pub mod command;
mod digest;
mod event_log;
pub mod frame;
mod frame_builder;
mod history;
pub mod ledger;
mod machine;
mod network;
mod queue;
mod random;
mod server_disk;
pub mod session;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;
pub mod trace;
mod world;
pub mod world_shape;
pub mod world_spec;

pub use checkers::violation::{Checker, Violation};
pub use checkers::zookeeper::{brokers_with_replicas, image_of as image_of_znodes};
pub use command::{Command, CommandError};
pub use frame::Frame;
pub use ledger::Ledger;
pub use server_disk::ServerDisk;
pub use session::{Budget, Session};
pub use trace::{Event, EventId, TraceHash};
pub use world_shape::WorldShape;
pub use world_spec::WorldSpec;
