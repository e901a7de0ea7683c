//! Administrative tools: `kafka-topics` and its like, each a task that makes calls of the admin client.

mod admin_client;
mod describe;
mod get_offsets;
mod program;
#[cfg(test)]
mod tests;
mod topics;

pub(super) use program::AdminProgram;
