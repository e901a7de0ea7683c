//! Where a consumer stands in each of its partitions (`SubscriptionState`).

use crate::client::metadata::PartitionInfo;
use crate::instant::Instant;
use std::collections::BTreeMap;
use wire::request::OffsetSpec;
use wire::{BrokerId, LeaderEpoch, Offset, TopicPartition};

/// The next record to hand over, and whom to ask for it (`FetchPosition`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// Offset of the next record.
    pub(super) offset: Offset,
    /// Epoch of the last record handed over, or -1.
    pub(super) offset_epoch: LeaderEpoch,
    /// The leader, as last known.
    pub(super) leader: Option<BrokerId>,
    /// Its epoch.
    pub(super) leader_epoch: LeaderEpoch,
}

/// What a partition needs next (`FetchState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FetchState {
    /// Its position has to be looked up.
    AwaitReset {
        /// Where to.
        to: OffsetSpec,
        /// Not before.
        retry_at: Instant,
    },
    /// A new leader has to confirm the position (KIP-320).
    AwaitValidation {
        /// Not before.
        retry_at: Instant,
    },
    /// It can be read.
    Fetching {
        /// Not before: an error made it wait for fresh metadata.
        retry_at: Instant,
    },
}

/// One assigned partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PartitionState {
    pub(super) state: FetchState,
    pub(super) position: Option<Position>,
    /// A nearer replica that the leader recommended, and until when that counts (KIP-392).
    preferred_read_replica: Option<(BrokerId, Instant)>,
}

/// All assigned partitions.
pub(super) type Assignment = BTreeMap<TopicPartition, PartitionState>;

impl PartitionState {
    /// A partition whose position has to be looked up.
    pub(super) fn to_reset(to: OffsetSpec, now: Instant) -> PartitionState {
        PartitionState {
            state: FetchState::AwaitReset { to, retry_at: now },
            position: None,
            preferred_read_replica: None,
        }
    }

    /// A partition that is read from an offset on; nobody has to confirm it.
    pub(super) fn at(offset: Offset, info: PartitionInfo, now: Instant) -> PartitionState {
        let position =
            Position { offset, offset_epoch: LeaderEpoch::NONE, leader: info.leader, leader_epoch: info.leader_epoch };
        PartitionState {
            state: FetchState::Fetching { retry_at: now },
            position: Some(position),
            preferred_read_replica: None,
        }
    }

    /// The position, if records may be handed over from it.
    pub(super) fn fetch_position(&self) -> Option<Position> {
        match self.state {
            FetchState::Fetching { .. } => self.position,
            FetchState::AwaitReset { .. } | FetchState::AwaitValidation { .. } => None,
        }
    }

    /// Takes in who leads now. A newer leader has to confirm a position behind a record whose epoch is known.
    pub(super) fn on_leader(&mut self, info: PartitionInfo, now: Instant) {
        let Some(position) = &mut self.position else { return };
        let is_same = (position.leader, position.leader_epoch) == (info.leader, info.leader_epoch);
        if info.leader.is_none() || is_same || matches!(self.state, FetchState::AwaitReset { .. }) {
            return;
        }
        self.preferred_read_replica = None;
        position.leader = info.leader;
        position.leader_epoch = info.leader_epoch;
        self.state = if position.offset_epoch.is_known() && info.leader_epoch.is_known() {
            FetchState::AwaitValidation { retry_at: now }
        } else {
            FetchState::Fetching { retry_at: now }
        };
    }

    /// The leader recommends another replica.
    pub(super) fn prefer(&mut self, replica: BrokerId, until: Instant) {
        self.preferred_read_replica = Some((replica, until));
    }

    /// The replica to read from instead of the leader.
    pub(super) fn preferred_read_replica(&self, now: Instant) -> Option<BrokerId> {
        self.preferred_read_replica.filter(|(_, until)| now < *until).map(|(replica, _)| replica)
    }

    /// Goes back to the leader, and tells whether it was read from another replica.
    pub(super) fn return_to_leader(&mut self) -> bool {
        self.preferred_read_replica.take().is_some()
    }

    /// Records up to `offset` were handed over; the last had `offset_epoch`.
    pub(super) fn advance(&mut self, offset: Offset, offset_epoch: LeaderEpoch) {
        if let Some(position) = &mut self.position {
            position.offset = offset;
            position.offset_epoch = offset_epoch;
        }
    }

    /// When a try that was put off is due.
    pub(super) fn retry_at(&self) -> Instant {
        match self.state {
            FetchState::AwaitReset { retry_at, .. }
            | FetchState::AwaitValidation { retry_at }
            | FetchState::Fetching { retry_at } => retry_at,
        }
    }

    /// Puts the next try off.
    pub(super) fn put_off(&mut self, until: Instant) {
        match &mut self.state {
            FetchState::AwaitReset { retry_at, .. }
            | FetchState::AwaitValidation { retry_at }
            | FetchState::Fetching { retry_at } => *retry_at = until,
        }
    }
}
