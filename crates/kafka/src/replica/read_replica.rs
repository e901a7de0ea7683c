//! Which replica a consumer had better read from (KIP-392, `RackAwareReplicaSelector`).

use super::context::Context;
use super::follower_progress::FollowerProgress;
use super::partition::Partition;
use crate::instant::Duration;
use std::cmp::Reverse;
use wire::{BrokerId, Offset};

impl Partition {
    /// The replica in `rack` from which a consumer should read `fetch_offset` on, if this broker leads, is not in that
    /// rack itself, and an in-sync replica there has what the consumer wants. The one that is furthest is best.
    #[must_use]
    pub fn preferred_read_replica(&self, rack: &str, fetch_offset: Offset, context: &Context<'_>) -> Option<BrokerId> {
        let leader = self.as_leader()?;
        let is_near = |broker: BrokerId| context.rack_of(broker) == Some(rack);
        if is_near(self.settings.broker_id) {
            return None;
        }
        let can_serve = |follower: &&FollowerProgress| {
            leader.committed_isr().contains(&follower.broker)
                && follower.log_end_offset >= fetch_offset
                && follower.log_start_offset <= fetch_offset
        };
        let candidates = leader.followers().iter().filter(can_serve).filter(|follower| is_near(follower.broker));
        let lag = |follower: &FollowerProgress| {
            follower.last_caught_up_time.map_or(Duration(u64::MAX), |time| context.now.since(time))
        };
        let best = candidates.max_by_key(|follower| (follower.log_end_offset, Reverse(lag(follower)), follower.broker));
        best.map(|follower| follower.broker)
    }
}
