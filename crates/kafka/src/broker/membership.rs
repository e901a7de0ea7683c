//! How a broker belongs to its cluster: whom it registers with, and from whom it learns of the cluster. What does not
//! depend on that (replicas, fetchers, clients' requests) sees the broker's state, its epoch and its image of the
//! cluster, and nothing of this.

use super::lifecycle::Lifecycle;
use super::metadata_follower::MetadataFollower;
use super::zookeeper::ZooKeeperMember;
use super::{Broker, Step};
use crate::Rng;
use crate::config::BrokerConfig;
use crate::metadata::PartitionRegistration;
use crate::node::ConnectionId;
use crate::spec::{Coordination, ServerSpec};
use crate::storage::Disk;
use crate::view::{BrokerState, ZooKeeperControllerView};
use wire::{BrokerEpoch, Offset};

/// How a broker belongs to its cluster.
#[derive(Clone, Debug)]
pub(super) enum Membership {
    /// It registers with the controllers' quorum and follows the metadata log.
    KRaft {
        /// Registration, heartbeats and shutdown.
        lifecycle: Box<Lifecycle>,
        /// The metadata log.
        metadata_log: Box<MetadataFollower>,
    },
    /// It registers in ZooKeeper and is told by the controller.
    ZooKeeper(Box<ZooKeeperMember>),
}

const NOT_KRAFT: &str = "what belongs to KRaft runs in KRaft mode only";
const NOT_ZOOKEEPER: &str = "what belongs to ZooKeeper runs in ZooKeeper mode only";

impl Membership {
    /// A process that has not registered.
    pub(super) fn new(spec: &ServerSpec, config: &BrokerConfig, rng: &mut Rng) -> Membership {
        match &spec.coordination {
            Coordination::KRaft { .. } => {
                let lifecycle = Box::new(Lifecycle::new(config, rng));
                Membership::KRaft { lifecycle, metadata_log: Box::new(MetadataFollower::new(config, rng)) }
            }
            Coordination::ZooKeeper { connect } => {
                Membership::ZooKeeper(Box::new(ZooKeeperMember::new(connect.clone(), spec, config)))
            }
        }
    }

    /// Whether the cluster uses ZooKeeper.
    pub(super) fn is_with_zookeeper(&self) -> bool {
        match self {
            Membership::KRaft { .. } => false,
            Membership::ZooKeeper(_) => true,
        }
    }

    /// Whether a connection is one of those to the controllers' quorum.
    pub(super) fn is_of_quorum(&self, connection: ConnectionId) -> bool {
        match self {
            Membership::KRaft { metadata_log, .. } => metadata_log.owns(connection),
            Membership::ZooKeeper(_) => false,
        }
    }

    /// The life cycle in KRaft mode.
    pub(super) fn lifecycle(&self) -> &Lifecycle {
        match self {
            Membership::KRaft { lifecycle, .. } => lifecycle,
            Membership::ZooKeeper(_) => unreachable!("{NOT_KRAFT}"),
        }
    }

    /// The same, to change it.
    pub(super) fn lifecycle_mut(&mut self) -> &mut Lifecycle {
        match self {
            Membership::KRaft { lifecycle, .. } => lifecycle,
            Membership::ZooKeeper(_) => unreachable!("{NOT_KRAFT}"),
        }
    }

    /// The metadata log in KRaft mode.
    pub(super) fn metadata_log(&self) -> &MetadataFollower {
        match self {
            Membership::KRaft { metadata_log, .. } => metadata_log,
            Membership::ZooKeeper(_) => unreachable!("{NOT_KRAFT}"),
        }
    }

    /// The same, to change it.
    pub(super) fn metadata_log_mut(&mut self) -> &mut MetadataFollower {
        match self {
            Membership::KRaft { metadata_log, .. } => metadata_log,
            Membership::ZooKeeper(_) => unreachable!("{NOT_KRAFT}"),
        }
    }

    /// What there is in ZooKeeper mode.
    pub(super) fn zookeeper(&self) -> &ZooKeeperMember {
        match self {
            Membership::KRaft { .. } => unreachable!("{NOT_ZOOKEEPER}"),
            Membership::ZooKeeper(member) => member,
        }
    }

    /// The same, to change it.
    pub(super) fn zookeeper_mut(&mut self) -> &mut ZooKeeperMember {
        match self {
            Membership::KRaft { .. } => unreachable!("{NOT_ZOOKEEPER}"),
            Membership::ZooKeeper(member) => member,
        }
    }

    /// What there is in ZooKeeper mode, if it is that.
    pub(super) fn member_of_zookeeper(&self) -> Option<&ZooKeeperMember> {
        match self {
            Membership::KRaft { .. } => None,
            Membership::ZooKeeper(member) => Some(member),
        }
    }

    /// Its office as the controller of a ZooKeeper cluster, while it holds it.
    pub(super) fn controller_view(&self) -> Option<ZooKeeperControllerView> {
        self.member_of_zookeeper()?.controller_view()
    }

    /// The highest metadata offset that it has applied, -1 for none.
    pub(super) fn metadata_offset(&self) -> Offset {
        match self {
            Membership::KRaft { metadata_log, .. } => metadata_log.applied,
            Membership::ZooKeeper(_) => Offset(-1),
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
            Membership::ZooKeeper(_) => self.start_with_zookeeper(step),
        }
    }

    /// SIGTERM: the broker moves its leaderships away first, if it runs.
    pub(super) fn begin_shutdown(&mut self, step: &mut Step<'_>) {
        match &self.membership {
            Membership::KRaft { .. } => self.begin_controlled_shutdown(step),
            Membership::ZooKeeper(_) => self.begin_shutdown_with_zookeeper(step),
        }
    }

    /// A replica that follows nobody any more while the broker is on its way out: with KRaft one without a leader or out
    /// of the in-sync replicas, with ZooKeeper each that is told something new.
    pub(super) fn gives_up_following(&self, state: &PartitionRegistration) -> bool {
        let is_left_alone = match &self.membership {
            Membership::KRaft { .. } => state.leader.is_none() || !state.isr.contains(&self.setup.broker_id),
            Membership::ZooKeeper(_) => true,
        };
        self.is_shutting_down() && is_left_alone
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
