//! Administrative tools: `kafka-topics` and its like, each a task that makes calls of the admin client.

mod admin_client;
#[cfg(test)]
mod administration_tests;
mod cluster;
mod configs;
mod delete_records;
mod describe;
mod elect_leaders;
mod features;
mod get_offsets;
mod leaders;
mod log_dirs;
mod program;
mod quorum;
mod reassign;
#[cfg(test)]
mod tests;
mod topics;

pub(super) use program::AdminProgram;
