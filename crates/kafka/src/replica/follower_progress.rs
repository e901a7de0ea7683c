//! What a leader knows of one follower (`kafka.cluster.Replica`).

use crate::instant::{Duration, Instant};
use crate::view::FollowerView;
use wire::{BrokerEpoch, BrokerId, Offset};

/// "Not known", -1.
pub(super) const UNKNOWN_OFFSET: Offset = Offset(-1);

/// How far a follower has come, as its fetches say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FollowerProgress {
    /// The follower.
    pub(super) broker: BrokerId,
    /// Where its log started at its last fetch, -1 before the first.
    pub(super) log_start_offset: Offset,
    /// Where its log ended at its last fetch, -1 before the first.
    pub(super) log_end_offset: Offset,
    /// Where the leader's log ended then.
    pub(super) last_fetch_leader_log_end_offset: Offset,
    /// When that was.
    pub(super) last_fetch_time: Option<Instant>,
    /// The last time at which it had all that the leader had.
    pub(super) last_caught_up_time: Option<Instant>,
    /// The registration that its last fetch carried.
    pub(super) broker_epoch: Option<BrokerEpoch>,
}

/// One fetch of a follower.
#[derive(Clone, Copy, Debug)]
pub(super) struct FollowerFetch {
    /// Where the follower's log starts.
    pub(super) log_start_offset: Offset,
    /// Where the follower's log ends.
    pub(super) fetch_offset: Offset,
    /// Where the leader's log ended before the read.
    pub(super) leader_log_end_offset: Offset,
    /// When.
    pub(super) time: Instant,
    /// The follower's registration, or -1.
    pub(super) broker_epoch: BrokerEpoch,
}

impl FollowerProgress {
    /// A replica that has not fetched.
    pub(super) fn unknown(broker: BrokerId) -> FollowerProgress {
        FollowerProgress {
            broker,
            log_start_offset: UNKNOWN_OFFSET,
            log_end_offset: UNKNOWN_OFFSET,
            last_fetch_leader_log_end_offset: Offset::ZERO,
            last_fetch_time: None,
            last_caught_up_time: None,
            broker_epoch: None,
        }
    }

    /// What an onlooker may see.
    pub(super) fn view(&self) -> FollowerView {
        FollowerView {
            broker: self.broker,
            log_start_offset: self.log_start_offset,
            log_end_offset: self.log_end_offset,
            last_caught_up_at: self.last_caught_up_time,
        }
    }

    /// A new leader begins: of the follower only its membership is known (`resetReplicaState`).
    pub(super) fn reset_for_new_leader(&mut self, now: Instant, is_in_sync: bool) {
        *self = FollowerProgress {
            last_fetch_leader_log_end_offset: UNKNOWN_OFFSET,
            last_caught_up_time: is_in_sync.then_some(now),
            ..FollowerProgress::unknown(self.broker)
        };
    }

    /// The same leader begins a new epoch: the follower's position still holds (`resetReplicaState`).
    pub(super) fn reset_for_new_epoch(&mut self, now: Instant, epoch_start_offset: Offset, is_in_sync: bool) {
        self.last_fetch_leader_log_end_offset = epoch_start_offset;
        self.last_fetch_time = is_in_sync.then_some(now);
        self.last_caught_up_time = is_in_sync.then_some(now);
    }

    /// Takes a fetch (`updateFetchStateOrThrow`). A follower that fetches what the leader had at its previous fetch was
    /// caught up then.
    pub(super) fn on_fetch(&mut self, fetch: FollowerFetch) {
        if fetch.fetch_offset >= fetch.leader_log_end_offset {
            self.last_caught_up_time = self.last_caught_up_time.max(Some(fetch.time));
        } else if fetch.fetch_offset >= self.last_fetch_leader_log_end_offset {
            self.last_caught_up_time = self.last_caught_up_time.max(self.last_fetch_time);
        }
        self.log_start_offset = fetch.log_start_offset;
        self.log_end_offset = fetch.fetch_offset;
        self.last_fetch_leader_log_end_offset = self.last_fetch_leader_log_end_offset.max(fetch.leader_log_end_offset);
        self.last_fetch_time = Some(fetch.time);
        self.broker_epoch = Some(fetch.broker_epoch);
    }

    /// Takes a fetch that asks for the same as the one before, which had all that the leader has.
    pub(super) fn on_still_fetch(&mut self, time: Instant) {
        self.last_caught_up_time = self.last_caught_up_time.max(Some(time));
        self.last_fetch_time = Some(time);
    }

    /// Whether it has all that the leader has, or had it not longer than `max_lag` ago.
    pub(super) fn is_caught_up(&self, leader_log_end_offset: Offset, now: Instant, max_lag: Duration) -> bool {
        self.log_end_offset == leader_log_end_offset
            || self.last_caught_up_time.is_some_and(|time| now.since(time) <= max_lag)
    }
}
