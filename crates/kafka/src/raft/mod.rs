//! The metadata quorum (`org.apache.kafka.raft.KafkaRaftClient`; KIP-595, KIP-630, KIP-853 with static voters): who leads
//! it, what is in the metadata log and how much of that is committed. Controllers are its voters, brokers observe it.
//!
//! Sans-IO like everything here: the process that owns a [`RaftClient`] hands it what concerns it, and afterwards looks
//! at the leader, the log and the high watermark. It does not know what the records mean. Left out: a changing set of
//! voters (KIP-853), PreVote (not in 3.9), and the linger of the leader's appends.

mod client;
mod config;
mod elections;
mod leader;
mod links;
mod metadata_log;
mod parked;
mod requests;
mod responses;
mod serving;
mod snapshot;
mod snapshot_schedule;
mod state;
#[cfg(test)]
mod tests;

pub use client::{RaftClient, RaftSetup};
pub use config::QuorumConfig;
pub(crate) use links::{FIRST_CONNECTION, Links, Patience};
pub use metadata_log::MetadataLog;
pub use snapshot::MetadataSnapshot;
pub use snapshot_schedule::SnapshotSchedule;

use crate::instant::Instant;
use crate::node::Effects;
use crate::server_channels::ServerChannels;

/// One step of the process: when it happens, where answers go, and what else it does.
#[derive(Debug)]
pub struct RaftStep<'a> {
    /// When.
    pub now: Instant,
    /// The connections on which the process was asked something.
    pub channels: &'a mut ServerChannels,
    /// What it does.
    pub effects: &'a mut Effects,
}
