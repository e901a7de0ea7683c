//! Administrative tools: `kafka-topics` and its like, each a task that makes calls of the admin client.

mod admin_client;
#[cfg(test)]
mod administration_tests;
mod configs;
mod describe;
mod elect_leaders;
mod get_offsets;
mod program;
mod reassign;
#[cfg(test)]
mod tests;
mod topics;

pub(super) use program::AdminProgram;
