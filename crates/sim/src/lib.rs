//! The world around the machines: virtual time, the event queue, the network, disks, faults, the trace, and time
//! travel. [`Session`] is the only type that the page, the shell and the swarm may hold.

pub mod command;
pub mod frame;
pub mod session;
pub mod trace;
pub mod world_spec;

pub use command::{Command, CommandError};
pub use frame::Frame;
pub use session::{Budget, Session};
pub use trace::{Event, EventId, TraceHash};
pub use world_spec::WorldSpec;
