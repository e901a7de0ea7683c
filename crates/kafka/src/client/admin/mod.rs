//! Administrative tools: `kafka-topics` and its like, each a task that makes calls of the admin client.

mod admin_client;
mod cluster;
mod delete_records;
mod describe;
mod features;
mod get_offsets;
mod leaders;
mod log_dirs;
mod program;
mod quorum;
#[cfg(test)]
mod tests;
mod topics;

pub(super) use program::AdminProgram;
