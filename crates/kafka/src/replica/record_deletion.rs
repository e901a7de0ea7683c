//! Deletes the oldest records on request (KIP-107, `deleteRecordsOnLeader`). The leader's log start offset moves at once;
//! followers learn of it with their next fetches, and tell with the ones after how far they are. The request waits for the
//! slowest of the live replicas, whose log start offset is the low watermark. Segments are deleted elsewhere.

use super::context::{Changes, Context};
use super::partition::Partition;
use crate::config::CleanupPolicy;
use crate::event::BrokerEvent;
use crate::node::Effects;
use wire::{ErrorCode, Offset};

/// "Up to the high watermark" in a request (`DeleteRecordsRequest.HIGH_WATERMARK`).
const UP_TO_HIGH_WATERMARK: Offset = Offset(-1);

/// The leader deleted records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Where the low watermark has to be for the request to be complete.
    pub required_offset: Offset,
    /// Where it is.
    pub low_watermark: Offset,
    /// What changed.
    pub changes: Changes,
}

impl Partition {
    /// Deletes the records below `offset`, or all below the high watermark if that is -1; notes `RecordsDeleted`.
    ///
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER`; `POLICY_VIOLATION` where `cleanup.policy` lacks `delete`; `OFFSET_OUT_OF_RANGE` above the
    /// high watermark.
    pub fn delete_records(
        &mut self,
        offset: Offset,
        context: &Context<'_>,
        effects: &mut Effects,
    ) -> Result<Deletion, ErrorCode> {
        self.as_leader().ok_or(ErrorCode::NotLeaderOrFollower)?;
        if !deletes(self.config.cleanup_policy) {
            return Err(ErrorCode::PolicyViolation);
        }
        let required_offset = if offset == UP_TO_HIGH_WATERMARK { self.log.high_watermark() } else { offset };
        if required_offset < Offset::ZERO {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        let (mark, from) = (self.mark(), self.log.log_start_offset());
        let moved = self.log.maybe_increment_log_start_offset(required_offset, effects);
        if moved.map_err(|_| ErrorCode::OffsetOutOfRange)? {
            self.note(effects, |partition| BrokerEvent::RecordsDeleted { partition, from, to: required_offset });
        }
        let low_watermark = self.low_watermark(context)?;
        Ok(Deletion { required_offset, low_watermark, changes: self.changes_since(mark) })
    }

    /// The least log start offset among the leader and the live followers (`lowWatermarkIfLeader`). One that has not
    /// fetched from this leader yet counts with -1.
    ///
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER`.
    pub fn low_watermark(&self, context: &Context<'_>) -> Result<Offset, ErrorCode> {
        let leader = self.as_leader().ok_or(ErrorCode::NotLeaderOrFollower)?;
        let live = leader.followers().iter().filter(|follower| context.alive_broker_epoch(follower.broker).is_some());
        let starts = live.map(|follower| follower.log_start_offset);
        Ok(starts.fold(self.log.log_start_offset(), Offset::min))
    }
}

fn deletes(policy: CleanupPolicy) -> bool {
    match policy {
        CleanupPolicy::Delete | CleanupPolicy::CompactAndDelete => true,
        CleanupPolicy::Compact | CleanupPolicy::Neither => false,
    }
}
