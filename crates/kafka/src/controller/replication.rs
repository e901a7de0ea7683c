//! What becomes of the partitions when a broker is fenced, comes back or shuts down, and the elections that the
//! controller holds of itself (`org.apache.kafka.controller.ReplicationControlManager`). Pure functions from the cluster
//! as it stands to the records that change it.

use super::partition_change::{Election, PartitionChange, Subject, without};
use crate::config::BrokerConfig;
use crate::metadata::{ClusterImage, PartitionRegistration, TopicImage};
use crate::release::{RELEASE, Rules};
use crate::spec::HistoricalFaults;
use wire::{BrokerId, MetadataRecord, PartitionIndex};

/// The cluster as it stands, with the properties that decide what topics leave open.
#[derive(Clone, Copy)]
pub(super) struct Cluster<'a> {
    pub(super) image: &'a ClusterImage,
    pub(super) config: &'a BrokerConfig,
    pub(super) faults: HistoricalFaults,
}

/// A broker that is about to leave the set of those that may lead, or to join it.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Leaves(BrokerId),
    Joins(BrokerId),
    /// Its process ended without leave, so that it may have lost records.
    EndedUncleanly(BrokerId),
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

    /// `min.insync.replicas` of the topic, but no more than its first partition has replicas (`getTopicEffectiveMinIsr`).
    pub(super) fn effective_min_isr(&self, topic: &TopicImage) -> usize {
        let own = topic.configs.get("min.insync.replicas").and_then(|value| value.trim().parse().ok());
        let replicas = topic.partitions.values().next().map_or(0, |partition| partition.replicas.len());
        usize::try_from(own.unwrap_or(self.config.min_insync_replicas)).unwrap_or(1).min(replicas)
    }

    /// The rules of this cluster: those of its features, and eligible leader replicas only where the controller's own
    /// property switches them on too.
    pub(super) fn rules(&self) -> Rules {
        let rules = RELEASE.rules(self.image.features());
        let is_enabled = rules.eligible_leader_replicas && self.config.eligible_leader_replicas_enable;
        Rules { eligible_leader_replicas: is_enabled, ..rules }
    }

    /// A partition as elections see it.
    pub(super) fn subject<'b>(
        &self,
        topic: &TopicImage,
        index: PartitionIndex,
        partition: &'b PartitionRegistration,
        is_acceptable_leader: &'b dyn Fn(BrokerId) -> bool,
    ) -> Subject<'b> {
        Subject {
            topic_id: topic.topic_id,
            index,
            partition,
            is_acceptable_leader,
            rules: self.rules(),
            min_isr: self.effective_min_isr(topic),
        }
    }

    /// A broker is fenced: it leaves all in-sync replicas, and others take over what it led.
    pub(super) fn fence(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        let mut records = self.remove_from_isrs(broker);
        records.push(self.registration_change(broker, Some(true), None));
        records
    }

    /// A broker may serve: partitions without leader may get it as theirs (`ReplicationControlManager.handleBrokerUnfenced`),
    /// even if a late heartbeat unfences a broker whose controlled shutdown is over: only another registration ends that.
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

    /// A new process of a broker registers, and the one before it did not say good-bye: what it had is not trusted.
    pub(super) fn end_uncleanly(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        if self.rules().eligible_leader_replicas {
            self.updates(Turn::EndedUncleanly(broker))
        } else {
            self.remove_from_isrs(broker)
        }
    }

    /// A broker is forgotten.
    pub(super) fn unregister(&self, broker: BrokerId) -> Option<Vec<MetadataRecord>> {
        let registration = self.image.brokers().get(&broker)?;
        let mut records = self.remove_from_isrs(broker);
        records.push(MetadataRecord::UnregisterBroker { broker_id: broker, broker_epoch: registration.broker_epoch });
        Some(records)
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

    /// All partitions with their topics.
    pub(super) fn partitions(&self) -> impl Iterator<Item = (&TopicImage, PartitionIndex, &PartitionRegistration)> {
        self.image
            .topics()
            .values()
            .flat_map(|topic| topic.partitions.iter().map(|(index, partition)| (topic.as_ref(), *index, partition)))
    }

    /// The record of an election, if it changes something.
    pub(super) fn election(
        &self,
        topic: &TopicImage,
        index: PartitionIndex,
        partition: &PartitionRegistration,
        election: Election,
    ) -> Option<MetadataRecord> {
        let is_acceptable_leader = &|broker| self.is_active(broker);
        PartitionChange::new(self.subject(topic, index, partition, is_acceptable_leader), election).metadata_record()
    }

    /// `generateLeaderAndIsrUpdates`.
    fn updates(&self, turn: Turn) -> Vec<MetadataRecord> {
        let concerned = self.partitions().filter(|(_, _, partition)| match turn {
            Turn::Leaves(broker) => partition.isr.contains(&broker),
            Turn::Joins(_) => partition.leader.is_none(),
            Turn::EndedUncleanly(broker) => {
                partition.isr.contains(&broker) || partition.eligible_leader_replicas.contains(&broker)
            }
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
            Turn::Leaves(leaving) | Turn::EndedUncleanly(leaving) if broker == leaving => false,
            Turn::Joins(joining) if broker == joining => true,
            Turn::Leaves(_) | Turn::Joins(_) | Turn::EndedUncleanly(_) => self.is_active(broker),
        };
        let subject = self.subject(topic, index, partition, is_acceptable_leader);
        let mut change = PartitionChange::new(subject, self.automatic_election(topic));
        match turn {
            Turn::Leaves(leaving) => change.isr = without(&partition.isr, &[leaving]),
            Turn::Joins(_) => {}
            Turn::EndedUncleanly(ended) => {
                change.isr = without(&partition.isr, &[ended]);
                change.unclean_shutdown = Some(ended);
            }
        }
        change.metadata_record()
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
    fn partitions_without_leader_take_whoever_is_there_once_that_is_allowed() {
        let start = || {
            let mut cluster = TestCluster::with_brokers(5);
            cluster.create("foo", &[&[1, 2, 4], &[1, 3, 4], &[0, 2, 4]]);
            cluster
        };
        let fence_all = |cluster: &mut TestCluster| {
            (0..5).for_each(|broker| cluster.fence(broker));
            assert_eq!(cluster.leaders_and_isrs("foo"), ["none [4]"; 3]);
            cluster.unfence(2);
        };
        let mut cluster = start();
        fence_all(&mut cluster);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["none [4]"; 3]);
        assert!(cluster.as_cluster().elect_unclean_leaders().is_empty());
        cluster.configure("foo", "unclean.leader.election.enable", "true");
        let records = cluster.as_cluster().elect_unclean_leaders();
        cluster.replay(records);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["2 [2]", "none [4]", "2 [2]"]);
        let mut cluster = start();
        cluster.config.unclean_leader_election_enable = true;
        fence_all(&mut cluster);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["2 [2]", "none [4]", "2 [2]"]);
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

    /// For each partition its leader, in-sync replicas, eligible leader replicas and last known leader.
    fn eligibility(cluster: &TestCluster) -> Vec<String> {
        let numbers = |brokers: &[wire::BrokerId]| brokers.iter().map(|broker| broker.0).collect::<Vec<_>>();
        let states = cluster.image.topics()[&wire::TopicName::new("foo")].partitions.values();
        states
            .map(|state| {
                let leader = state.leader.map_or(-1, |leader| leader.0);
                let (isr, elr) = (numbers(&state.isr), numbers(&state.eligible_leader_replicas));
                format!("{leader} {isr:?} {elr:?} {:?}", numbers(&state.last_known_elr))
            })
            .collect()
    }

    fn with_eligible_leaders(replicas: &[i32], min_isr: i32) -> TestCluster {
        let mut cluster = TestCluster::with_brokers(5);
        cluster.config.eligible_leader_replicas_enable = true;
        let level = wire::MetadataRecord::FeatureLevel { name: crate::release::METADATA_VERSION, level: 22 };
        cluster.replay(vec![level]);
        cluster.config.min_insync_replicas = min_isr;
        cluster.create("foo", &[replicas]);
        cluster
    }

    #[test]
    fn fenced_brokers_stay_eligible_below_min_isr_and_coming_back_changes_nothing() {
        let mut cluster = with_eligible_leaders(&[0, 1, 2, 3], 3);
        [2, 3].into_iter().for_each(|broker| cluster.fence(broker));
        assert_eq!(eligibility(&cluster), ["0 [0, 1] [3] []"]);
        cluster.fence(1);
        assert_eq!(eligibility(&cluster), ["0 [0] [1, 3] []"]);
        [1, 2, 3].into_iter().for_each(|broker| cluster.unfence(broker));
        assert_eq!(eligibility(&cluster), ["0 [0] [1, 3] []"]);
    }

    #[test]
    fn an_eligible_replica_that_comes_back_leads_when_nobody_is_in_sync() {
        let mut cluster = with_eligible_leaders(&[0, 1, 2, 3], 3);
        [1, 2, 3].into_iter().for_each(|broker| cluster.fence(broker));
        assert_eq!(eligibility(&cluster), ["0 [0] [2, 3] []"]);
        cluster.unfence(2);
        cluster.fence(0);
        assert_eq!(eligibility(&cluster), ["2 [2] [0, 3] []"]);
    }

    #[test]
    fn min_isr_is_no_more_than_there_are_replicas() {
        let cluster = with_eligible_leaders(&[0, 1, 2], 5);
        let topic = &cluster.image.topics()[&wire::TopicName::new("foo")];
        assert_eq!(cluster.as_cluster().effective_min_isr(topic), 3);
    }

    #[test]
    fn a_process_that_ended_uncleanly_makes_its_replicas_ineligible() {
        let mut cluster = with_eligible_leaders(&[0, 1, 2], 3);
        [2, 1].into_iter().for_each(|broker| cluster.fence(broker));
        assert_eq!(eligibility(&cluster), ["0 [0] [1, 2] []"]);
        for (broker, expected) in [(1, "0 [0] [2] []"), (2, "0 [0] [] []"), (0, "-1 [] [] [0]")] {
            let records = cluster.as_cluster().end_uncleanly(wire::BrokerId(broker));
            cluster.replay(records);
            assert_eq!(eligibility(&cluster), [expected]);
        }
    }

    #[test]
    fn an_eligible_replica_outlives_the_unclean_end_of_the_last_in_sync_one() {
        let mut cluster = with_eligible_leaders(&[0, 1, 2, 3], 3);
        [1, 2, 3].into_iter().for_each(|broker| cluster.fence(broker));
        assert_eq!(eligibility(&cluster), ["0 [0] [2, 3] []"]);
        for (broker, expected) in [(3, "0 [0] [2] []"), (0, "-1 [] [2] [0]")] {
            let records = cluster.as_cluster().end_uncleanly(wire::BrokerId(broker));
            cluster.replay(records);
            assert_eq!(eligibility(&cluster), [expected]);
        }
    }

    #[test]
    fn a_broker_that_is_forgotten_leaves_all_isrs() {
        let mut cluster = TestCluster::with_brokers(3);
        cluster.create("foo", &[&[1, 2]]);
        let records = cluster.as_cluster().unregister(wire::BrokerId(1)).expect("it is registered");
        cluster.replay(records);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["2 [2]"]);
        assert!(!cluster.image.brokers().contains_key(&wire::BrokerId(1)));
        assert!(cluster.as_cluster().unregister(wire::BrokerId(1)).is_none());
    }
}
