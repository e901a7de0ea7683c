//! What becomes of the partitions when a broker is fenced, comes back or shuts down, and the elections that the
//! controller holds of itself (`org.apache.kafka.controller.ReplicationControlManager`). Pure functions from the cluster
//! as it stands to the records that change it.

use super::partition_change::{Election, PartitionChange};
use crate::config::BrokerConfig;
use crate::metadata::{ClusterImage, PartitionRegistration, TopicImage};
use wire::{BrokerId, MetadataRecord, PartitionIndex};

/// The cluster as it stands, with the properties that decide what topics leave open.
#[derive(Clone, Copy)]
pub(super) struct Cluster<'a> {
    pub(super) image: &'a ClusterImage,
    pub(super) config: &'a BrokerConfig,
}

/// A broker that is about to leave the set of those that may lead, or to join it.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Leaves(BrokerId),
    Joins(BrokerId),
}

/// At most so many elections in one go (`MAX_ELECTIONS_PER_IMBALANCE`).
pub(super) const MAX_ELECTIONS: usize = 1_000;

impl Cluster<'_> {
    /// Whether the broker is registered, unfenced and not shutting down.
    pub(super) fn is_active(&self, broker: BrokerId) -> bool {
        self.image.brokers().get(&broker).is_some_and(|registration| registration.is_active())
    }

    /// Whether the broker leads anything.
    pub(super) fn has_leaderships(&self, broker: BrokerId) -> bool {
        self.partitions().any(|(_, _, partition)| partition.leader == Some(broker))
    }

    /// `unclean.leader.election.enable` of the topic.
    pub(super) fn is_unclean_election_enabled(&self, topic: &TopicImage) -> bool {
        match topic.configs.get("unclean.leader.election.enable") {
            Some(value) => value.trim().eq_ignore_ascii_case("true"),
            None => self.config.unclean_leader_election_enable,
        }
    }

    /// A broker is fenced: it leaves all in-sync replicas, and others take over what it led.
    pub(super) fn fence(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        let mut records = self.remove_from_isrs(broker);
        records.push(self.registration_change(broker, Some(true), None));
        records
    }

    /// A broker may serve: partitions without leader may get it as theirs.
    pub(super) fn unfence(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        let mut records = vec![self.registration_change(broker, Some(false), None)];
        records.extend(self.updates(Turn::Joins(broker)));
        records
    }

    /// A broker begins its controlled shutdown: as if it were fenced, but it goes on serving.
    pub(super) fn begin_controlled_shutdown(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        let registration = self.image.brokers().get(&broker);
        let is_new = registration.is_some_and(|registration| !registration.in_controlled_shutdown);
        let mut records = Vec::new();
        if is_new {
            records.push(self.registration_change(broker, None, Some(true)));
        }
        records.extend(self.remove_from_isrs(broker));
        records
    }

    /// A broker leaves all in-sync replicas.
    pub(super) fn remove_from_isrs(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        self.updates(Turn::Leaves(broker))
    }

    /// Whether some partition is not led by its preferred replica.
    pub(super) fn has_imbalanced_partitions(&self) -> bool {
        self.partitions().any(|(_, _, partition)| is_imbalanced(partition))
    }

    /// Gives partitions back to their preferred replicas where that is possible.
    pub(super) fn rebalance(&self) -> Vec<MetadataRecord> {
        let imbalanced = self.partitions().filter(|(_, _, partition)| is_imbalanced(partition));
        imbalanced
            .filter_map(|(topic, index, partition)| self.election(topic, index, partition, Election::Preferred))
            .take(MAX_ELECTIONS)
            .collect()
    }

    /// Whether some partition has no leader.
    pub(super) fn has_leaderless_partitions(&self) -> bool {
        self.partitions().any(|(_, _, partition)| partition.leader.is_none())
    }

    /// Gives partitions without leader one from outside the in-sync replicas, where their topics allow it.
    pub(super) fn elect_unclean_leaders(&self) -> Vec<MetadataRecord> {
        let leaderless = self.partitions().filter(|(_, _, partition)| partition.leader.is_none());
        leaderless
            .filter(|(topic, _, _)| self.is_unclean_election_enabled(topic))
            .filter_map(|(topic, index, partition)| self.election(topic, index, partition, Election::Unclean))
            .take(MAX_ELECTIONS)
            .collect()
    }

    fn partitions(&self) -> impl Iterator<Item = (&TopicImage, PartitionIndex, &PartitionRegistration)> {
        self.image
            .topics()
            .values()
            .flat_map(|topic| topic.partitions.iter().map(|(index, partition)| (topic.as_ref(), *index, partition)))
    }

    fn election(
        &self,
        topic: &TopicImage,
        index: PartitionIndex,
        partition: &PartitionRegistration,
        election: Election,
    ) -> Option<MetadataRecord> {
        let target_isr = partition.isr.clone();
        let is_acceptable_leader = &|broker| self.is_active(broker);
        let topic_id = topic.topic_id;
        PartitionChange { topic_id, index, partition, target_isr, election, is_acceptable_leader }.record()
    }

    /// `generateLeaderAndIsrUpdates`.
    fn updates(&self, turn: Turn) -> Vec<MetadataRecord> {
        let concerned = self.partitions().filter(|(_, _, partition)| match turn {
            Turn::Leaves(broker) => partition.isr.contains(&broker),
            Turn::Joins(_) => partition.leader.is_none(),
        });
        concerned.filter_map(|(topic, index, partition)| self.update(topic, index, partition, turn)).collect()
    }

    fn update(
        &self,
        topic: &TopicImage,
        index: PartitionIndex,
        partition: &PartitionRegistration,
        turn: Turn,
    ) -> Option<MetadataRecord> {
        let is_acceptable_leader = &|broker| match turn {
            Turn::Leaves(leaving) if broker == leaving => false,
            Turn::Joins(joining) if broker == joining => true,
            Turn::Leaves(_) | Turn::Joins(_) => self.is_active(broker),
        };
        let target_isr = match turn {
            Turn::Leaves(leaving) => partition.isr.iter().copied().filter(|broker| *broker != leaving).collect(),
            Turn::Joins(_) => partition.isr.clone(),
        };
        let election = self.automatic_election(topic);
        let topic_id = topic.topic_id;
        PartitionChange { topic_id, index, partition, target_isr, election, is_acceptable_leader }.record()
    }

    /// The election that a change of brokers or in-sync replicas brings with it.
    pub(super) fn automatic_election(&self, topic: &TopicImage) -> Election {
        if self.is_unclean_election_enabled(topic) { Election::Unclean } else { Election::Online }
    }

    fn registration_change(
        &self,
        broker_id: BrokerId,
        fenced: Option<bool>,
        in_controlled_shutdown: Option<bool>,
    ) -> MetadataRecord {
        let registration = self.image.brokers().get(&broker_id).expect("only registered brokers change");
        let broker_epoch = registration.broker_epoch;
        MetadataRecord::BrokerRegistrationChange { broker_id, broker_epoch, fenced, in_controlled_shutdown }
    }
}

fn is_imbalanced(partition: &PartitionRegistration) -> bool {
    partition.leader != partition.replicas.first().copied()
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestCluster;

    #[test]
    fn fencing_several_brokers_leaves_their_isrs_and_moves_their_leaderships() {
        let mut cluster = TestCluster::with_brokers(5);
        cluster.create("foo", &[&[1, 2, 3], &[2, 3, 4], &[0, 2, 1]]);
        cluster.fence(2);
        cluster.fence(3);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["1 [1]", "4 [4]", "0 [0, 1]"]);
    }

    #[test]
    fn the_last_in_sync_replica_is_kept_and_comes_back_as_leader() {
        let mut cluster = TestCluster::with_brokers(5);
        cluster.create("foo", &[&[1, 2, 3], &[2, 3, 4], &[0, 2, 1]]);
        [2, 3, 1].into_iter().for_each(|broker| cluster.fence(broker));
        assert_eq!(cluster.leaders_and_isrs("foo"), ["none [1]", "4 [4]", "0 [0]"]);
        assert!(cluster.as_cluster().elect_unclean_leaders().is_empty());
        cluster.unfence(2);
        assert_eq!(cluster.leaders_and_isrs("foo")[0], "none [1]");
        cluster.unfence(1);
        assert_eq!(cluster.leaders_and_isrs("foo")[0], "1 [1]");
    }

    #[test]
    fn an_unclean_election_takes_the_first_replica_there_is() {
        let mut cluster = TestCluster::with_brokers(5);
        cluster.create("foo", &[&[1, 2, 3], &[2, 3, 4]]);
        [2, 3, 1].into_iter().for_each(|broker| cluster.fence(broker));
        cluster.configure("foo", "unclean.leader.election.enable", "true");
        assert!(cluster.as_cluster().elect_unclean_leaders().is_empty(), "no replica of foo-0 is there yet");
        cluster.unfence(2);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["2 [2]", "4 [4]"]);
    }

    #[test]
    fn the_periodic_unclean_election_finds_what_was_allowed_later() {
        let mut cluster = TestCluster::with_brokers(3);
        cluster.create("foo", &[&[1, 2]]);
        [2, 1].into_iter().for_each(|broker| cluster.fence(broker));
        cluster.unfence(2);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["none [1]"]);
        cluster.configure("foo", "unclean.leader.election.enable", "true");
        let records = cluster.as_cluster().elect_unclean_leaders();
        cluster.replay(records);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["2 [2]"]);
    }

    #[test]
    fn a_broker_that_shuts_down_hands_over_once() {
        let mut cluster = TestCluster::with_brokers(3);
        cluster.create("foo", &[&[0, 1, 2], &[1, 0], &[0]]);
        let records = cluster.as_cluster().begin_controlled_shutdown(wire::BrokerId(0));
        cluster.replay(records);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["1 [1, 2]", "1 [1]", "none [0]"]);
        assert!(!cluster.as_cluster().has_leaderships(wire::BrokerId(0)));
        assert!(cluster.as_cluster().begin_controlled_shutdown(wire::BrokerId(0)).is_empty());
    }

    #[test]
    fn rebalancing_gives_partitions_back_to_preferred_replicas_in_sync() {
        let mut cluster = TestCluster::with_brokers(4);
        cluster.create("foo", &[&[1, 2, 3], &[2, 3, 1]]);
        cluster.fence(1);
        cluster.unfence(1);
        assert!(cluster.as_cluster().has_imbalanced_partitions());
        assert!(cluster.as_cluster().rebalance().is_empty(), "broker 1 is not in sync yet");
        cluster.change_isr("foo", 0, &[2, 3, 1]);
        let records = cluster.as_cluster().rebalance();
        cluster.replay(records);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["1 [2, 3, 1]", "2 [2, 3]"]);
        assert!(!cluster.as_cluster().has_imbalanced_partitions());
    }
}
