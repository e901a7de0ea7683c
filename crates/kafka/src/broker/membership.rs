//! How a broker belongs to its cluster: whom it registers with, and from whom it learns of the cluster. What does not
//! depend on that (replicas, fetchers, clients' requests) sees the broker's state, its epoch and its image of the
//! cluster, and nothing of this.

use super::lifecycle::Lifecycle;
use super::metadata_follower::MetadataFollower;
use super::{Broker, Step};
use crate::Rng;
use crate::config::BrokerConfig;
use crate::storage::Disk;
use crate::view::BrokerState;
use wire::{BrokerEpoch, Offset};

/// How a broker belongs to its cluster.
#[derive(Clone, Debug)]
pub(super) enum Membership {
    /// It registers with the controllers' quorum and follows the metadata log.
    KRaft {
        /// Registration, heartbeats and shutdown.
        lifecycle: Lifecycle,
        /// The metadata log.
        metadata_log: MetadataFollower,
    },
}

impl Membership {
    /// A process that has not registered.
    pub(super) fn new(config: &BrokerConfig, rng: &mut Rng) -> Membership {
        Membership::KRaft { lifecycle: Lifecycle::new(config, rng), metadata_log: MetadataFollower::new(config, rng) }
    }

    /// The life cycle in KRaft mode.
    pub(super) fn lifecycle(&self) -> &Lifecycle {
        match self {
            Membership::KRaft { lifecycle, .. } => lifecycle,
        }
    }

    /// The same, to change it.
    pub(super) fn lifecycle_mut(&mut self) -> &mut Lifecycle {
        match self {
            Membership::KRaft { lifecycle, .. } => lifecycle,
        }
    }

    /// The metadata log in KRaft mode.
    pub(super) fn metadata_log(&self) -> &MetadataFollower {
        match self {
            Membership::KRaft { metadata_log, .. } => metadata_log,
        }
    }

    /// The same, to change it.
    pub(super) fn metadata_log_mut(&mut self) -> &mut MetadataFollower {
        match self {
            Membership::KRaft { metadata_log, .. } => metadata_log,
        }
    }

    /// The highest metadata offset that it has applied, -1 for none.
    pub(super) fn metadata_offset(&self) -> Offset {
        match self {
            Membership::KRaft { metadata_log, .. } => metadata_log.applied,
        }
    }
}

impl Broker {
    /// The process starts to take part in the cluster.
    pub(super) fn join_cluster(&mut self, disk: &Disk, step: &mut Step<'_>) {
        match &self.membership {
            Membership::KRaft { .. } => {
                self.start_metadata(disk, step);
                self.start_lifecycle(disk.clean_shutdown, step);
            }
        }
    }

    /// The registration as requests carry it: -1 before there is one.
    pub(super) fn broker_epoch_or_none(&self) -> BrokerEpoch {
        self.broker_epoch.unwrap_or(BrokerEpoch::NONE)
    }

    /// Whether the broker is on its way out.
    pub(super) fn is_shutting_down(&self) -> bool {
        match self.state {
            BrokerState::Starting | BrokerState::Recovery | BrokerState::Running => false,
            BrokerState::PendingControlledShutdown | BrokerState::ShuttingDown => true,
        }
    }
}
