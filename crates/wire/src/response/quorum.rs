//! Responses of the metadata quorum (KIP-595, KIP-630, KIP-836).

use crate::{DirectoryId, Endpoint, ErrorCode, LeaderEpoch, Offset, OffsetAndEpoch, RecordBatch, Timestamp};
use std::sync::Arc;

/// Who leads the quorum as far as the answering node knows. In every answer of the quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaderIdAndEpoch {
    /// The leader's `node.id`, if it is known.
    pub leader_id: Option<i32>,
    /// The epoch.
    pub leader_epoch: LeaderEpoch,
}

/// `VoteResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VoteResponse {
    /// Success or the error.
    pub error: ErrorCode,
    /// Who leads.
    pub current_leader: LeaderIdAndEpoch,
    /// Whether the candidate has this vote.
    pub vote_granted: bool,
}

/// `BeginQuorumEpochResponse` and `EndQuorumEpochResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QuorumEpochResponse {
    /// Success or the error.
    pub error: ErrorCode,
    /// Who leads.
    pub current_leader: LeaderIdAndEpoch,
}

/// What an answer to a fetch of the metadata log says beyond one of an ordinary partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QuorumFetchResult {
    /// Who leads.
    pub current_leader: LeaderIdAndEpoch,
    /// The snapshot to load first: the log does not reach back to the offset asked for. There are no records then.
    pub snapshot_id: Option<OffsetAndEpoch>,
}

/// `FetchSnapshotResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FetchSnapshotResponse {
    /// Success or the error.
    pub error: ErrorCode,
    /// Who leads.
    pub current_leader: LeaderIdAndEpoch,
    /// The snapshot.
    pub snapshot_id: OffsetAndEpoch,
    /// Its whole size in bytes.
    pub size: i64,
    /// Where this part begins.
    pub position: i64,
    /// Whole batches of the snapshot.
    pub batches: Vec<Arc<RecordBatch>>,
}

/// `DescribeQuorumResponse` for the metadata quorum.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribeQuorumResponse {
    /// Success, or `NOT_LEADER_OR_FOLLOWER`.
    pub error: ErrorCode,
    /// Who leads.
    pub current_leader: LeaderIdAndEpoch,
    /// The high watermark, or -1.
    pub high_watermark: Offset,
    /// The voters by `node.id`, the leader among them.
    pub voters: Vec<QuorumReplica>,
    /// The brokers and others that fetch without a vote, by `node.id`.
    pub observers: Vec<QuorumReplica>,
}

/// How far a replica of the metadata log is, as its leader knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QuorumReplica {
    /// Its `node.id`.
    pub replica_id: i32,
    /// The id of its metadata log's directory; 0 for the voters of a static quorum.
    pub directory_id: DirectoryId,
    /// Where a voter listens (`Nodes` of the response).
    pub endpoint: Option<Endpoint>,
    /// Where its log ends, or -1.
    pub log_end_offset: Offset,
    /// When it fetched last, or -1.
    pub last_fetch_timestamp: Timestamp,
    /// When it had last fetched all that there was then, or -1.
    pub last_caught_up_timestamp: Timestamp,
}
