//! Requests among the voters of the metadata quorum and their observers (KIP-595, KIP-630).

use crate::{LeaderEpoch, Offset, OffsetAndEpoch};

/// `VoteRequest`: a candidate asks for a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VoteRequest {
    /// The epoch in which it wants to lead.
    pub candidate_epoch: LeaderEpoch,
    /// The candidate's `node.id`.
    pub candidate_id: i32,
    /// Epoch of the last record in its log, 0 if it has none.
    pub last_offset_epoch: LeaderEpoch,
    /// Where its log ends.
    pub last_offset: Offset,
}

/// `BeginQuorumEpochRequest`: a new leader makes itself known, and an old one says that it still leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BeginQuorumEpochRequest {
    /// The leader's `node.id`.
    pub leader_id: i32,
    /// Its epoch.
    pub leader_epoch: LeaderEpoch,
}

/// `EndQuorumEpochRequest`: a leader gives its epoch up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndQuorumEpochRequest {
    /// The leader's `node.id`.
    pub leader_id: i32,
    /// Its epoch.
    pub leader_epoch: LeaderEpoch,
    /// The other voters; the one with the longest log first.
    pub preferred_successors: Vec<i32>,
}

/// `FetchSnapshotRequest`: a part of a snapshot of the metadata log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FetchSnapshotRequest {
    /// Who asks, by `node.id`.
    pub replica_id: i32,
    /// The epoch in which it follows.
    pub current_leader_epoch: LeaderEpoch,
    /// Which snapshot.
    pub snapshot_id: OffsetAndEpoch,
    /// From which byte on.
    pub position: i64,
    /// At most about so many bytes.
    pub max_bytes: i32,
}
