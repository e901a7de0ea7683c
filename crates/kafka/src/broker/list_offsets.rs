//! Answers questions about offsets: `ListOffsets` and `OffsetForLeaderEpoch`.

use super::{Broker, Step};
use crate::node::RequestId;
use crate::replica::Reader;
use wire::request::{ListOffsetsPartition, ListOffsetsRequest, OffsetForLeaderEpochRequest, OffsetForLeaderPartition};
use wire::response::{
    EpochEndOffset, ListOffsetsResponse, ListOffsetsResult, OffsetForLeaderEpochResponse, OffsetForLeaderResult,
};
use wire::{LeaderEpoch, Offset, Response, Timestamp};

impl Broker {
    /// Finds offsets by time.
    pub(super) fn on_list_offsets(&mut self, id: RequestId, request: &ListOffsetsRequest, step: &mut Step<'_>) {
        let reader = match request.replica_id {
            Some(follower) => Reader::Follower(follower),
            None => Reader::Consumer(request.isolation_level),
        };
        let partitions = request.partitions.iter().map(|asked| self.list_offsets(asked, reader)).collect();
        self.server.respond(id, Response::ListOffsets(ListOffsetsResponse { partitions }), step.effects);
    }

    fn list_offsets(&self, asked: &ListOffsetsPartition, reader: Reader) -> ListOffsetsResult {
        match self.replicas.get(&asked.partition) {
            Some(replica) => replica.list_offsets(asked, reader),
            None => ListOffsetsResult {
                partition: asked.partition.clone(),
                error: self.error_without_replica(&asked.partition),
                timestamp: Timestamp(-1),
                offset: Offset(-1),
                leader_epoch: LeaderEpoch::NONE,
            },
        }
    }

    /// Tells where leader epochs ended.
    pub(super) fn on_offset_for_leader_epoch(
        &mut self,
        id: RequestId,
        request: &OffsetForLeaderEpochRequest,
        step: &mut Step<'_>,
    ) {
        let partitions = request.partitions.iter().map(|asked| self.offset_for_leader_epoch(asked)).collect();
        let response = OffsetForLeaderEpochResponse { partitions };
        self.server.respond(id, Response::OffsetForLeaderEpoch(response), step.effects);
    }

    fn offset_for_leader_epoch(&self, asked: &OffsetForLeaderPartition) -> OffsetForLeaderResult {
        match self.replicas.get(&asked.partition) {
            Some(replica) => replica.offset_for_leader_epoch(asked),
            None => OffsetForLeaderResult {
                partition: asked.partition.clone(),
                error: self.error_without_replica(&asked.partition),
                end: EpochEndOffset { leader_epoch: LeaderEpoch::NONE, end_offset: Offset(-1) },
            },
        }
    }
}
