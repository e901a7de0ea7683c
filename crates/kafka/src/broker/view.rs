//! What an onlooker may see of a broker.

use super::Broker;
use crate::metadata::ClusterImage;
use crate::view::{BrokerView, Laggard, Obeyed, ReplicaGlance};
use std::sync::Arc;
use wire::{BrokerEpoch, BrokerId, Offset, TopicPartition};

impl Broker {
    /// What an onlooker may see. The image and the logs are shared, not copied.
    #[must_use]
    pub fn view(&self) -> BrokerView {
        BrokerView {
            state: self.state,
            broker_epoch: self.broker_epoch,
            controller: self.membership.controller_view(),
            metadata_offset: self.membership.metadata_offset(),
            image: Arc::clone(&self.image),
            fetch_sessions: self.fetch_sessions.len(),
            replicas: self.replicas.views(),
        }
    }

    /// One replica, borrowed, if it is loaded.
    #[must_use]
    pub fn glance(&self, partition: &TopicPartition) -> Option<ReplicaGlance<'_>> {
        self.replicas.get(partition).map(|replica| replica.glance())
    }

    /// The in-sync follower of a partition that it leads that has lacked something for longest, if any does.
    #[must_use]
    pub fn laggard(&self, partition: &TopicPartition) -> Option<Laggard> {
        self.replicas.get(partition)?.laggard()
    }

    /// The last request of a ZooKeeper cluster's controller that it has obeyed.
    #[must_use]
    pub fn obeyed(&self) -> Option<Obeyed> {
        self.membership.member_of_zookeeper()?.obeyed
    }

    /// Whether it knows `broker` as a live one, if it is the controller of a ZooKeeper cluster.
    #[must_use]
    pub fn knows_as_live(&self, broker: BrokerId) -> Option<bool> {
        self.membership.member_of_zookeeper()?.knows_as_live(broker)
    }

    /// The partitions whose replicas are loaded.
    pub fn partitions(&self) -> impl Iterator<Item = &TopicPartition> {
        self.replicas.iter().map(|(partition, _)| partition)
    }

    /// Highest metadata offset it has applied, -1 for none.
    #[must_use]
    pub fn metadata_offset(&self) -> Offset {
        self.membership.metadata_offset()
    }

    /// Its registration, once it has one.
    #[must_use]
    pub fn broker_epoch(&self) -> Option<BrokerEpoch> {
        self.broker_epoch
    }

    /// The cluster as it knows it.
    #[must_use]
    pub fn image(&self) -> &ClusterImage {
        &self.image
    }
}
