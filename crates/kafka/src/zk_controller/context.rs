//! What the controller knows of the cluster (`kafka.controller.ControllerContext`). Everything here was read from
//! ZooKeeper or written to it.

use std::collections::{BTreeMap, BTreeSet};
use wire::zookeeper::{PartitionStateData, ZnodeVersion};
use wire::{BrokerEpoch, BrokerId, Endpoint, PartitionIndex, TopicId, TopicName, TopicPartition};

/// A replica of a partition.
pub(super) type Replica = (TopicPartition, BrokerId);

/// `PartitionState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartitionState {
    NonExistent,
    New,
    Online,
    Offline,
}

impl PartitionState {
    /// Whether a partition may come here from there.
    pub(super) fn may_follow(self, from: PartitionState) -> bool {
        use PartitionState::{New, NonExistent, Offline, Online};
        match self {
            NonExistent => from == Offline,
            New => from == NonExistent,
            Online | Offline => matches!(from, New | Online | Offline),
        }
    }
}

/// `ReplicaState`; `NonExistentReplica` is a replica without a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplicaState {
    NonExistent,
    New,
    Online,
    Offline,
    DeletionStarted,
    DeletionSuccessful,
    DeletionIneligible,
}

impl ReplicaState {
    /// Whether a replica may come here from there.
    pub(super) fn may_follow(self, from: ReplicaState) -> bool {
        use ReplicaState::{
            DeletionIneligible, DeletionStarted, DeletionSuccessful, New, NonExistent, Offline, Online,
        };
        match self {
            NonExistent => from == DeletionSuccessful,
            New => from == NonExistent,
            Online | Offline => matches!(from, New | Online | Offline | DeletionIneligible),
            DeletionStarted => from == Offline,
            DeletionSuccessful => from == DeletionStarted,
            DeletionIneligible => matches!(from, Offline | DeletionStarted),
        }
    }
}

/// A broker that has a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RegisteredBroker {
    pub(super) endpoint: Endpoint,
    pub(super) rack: Option<String>,
    pub(super) epoch: BrokerEpoch,
}

/// A partition's replicas (`ReplicaAssignment`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) replicas: Vec<BrokerId>,
    pub(super) adding: Vec<BrokerId>,
    pub(super) removing: Vec<BrokerId>,
}

impl Assignment {
    /// The replicas without those that come.
    pub(super) fn origin(&self) -> Vec<BrokerId> {
        without(&self.replicas, &self.adding)
    }

    /// The replicas without those that go.
    pub(super) fn target(&self) -> Vec<BrokerId> {
        without(&self.replicas, &self.removing)
    }

    /// Whether replicas come or go (`isBeingReassigned`).
    pub(super) fn is_reassigning(&self) -> bool {
        !self.adding.is_empty() || !self.removing.is_empty()
    }

    /// The replicas on the way to others: the targets first, in their order (`reassignTo`).
    pub(super) fn reassigned_to(&self, target: &[BrokerId]) -> Assignment {
        let origin = self.origin();
        let mut replicas: Vec<BrokerId> = Vec::new();
        for replica in target.iter().chain(&origin) {
            if !replicas.contains(replica) {
                replicas.push(*replica);
            }
        }
        Assignment { adding: without(&replicas, &origin), removing: without(&replicas, target), replicas }
    }
}

/// Brokers without others.
pub(super) fn without(brokers: &[BrokerId], others: &[BrokerId]) -> Vec<BrokerId> {
    brokers.iter().copied().filter(|broker| !others.contains(broker)).collect()
}

/// A partition's state znode as it was last read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leadership {
    pub(super) state: PartitionStateData,
    pub(super) version: ZnodeVersion,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topic {
    pub(super) topic_id: TopicId,
    pub(super) partitions: BTreeMap<PartitionIndex, Assignment>,
}

/// The cluster as the controller knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    /// The epoch of this controller, 0 while it is not one.
    pub(super) epoch: i32,
    /// The version of `/controller_epoch` that every write demands.
    pub(super) epoch_version: Option<ZnodeVersion>,
    pub(super) brokers: BTreeMap<BrokerId, RegisteredBroker>,
    pub(super) shutting_down: BTreeSet<BrokerId>,
    pub(super) topics: BTreeMap<TopicName, Topic>,
    pub(super) leaderships: BTreeMap<TopicPartition, Leadership>,
    pub(super) partition_states: BTreeMap<TopicPartition, PartitionState>,
    pub(super) replica_states: BTreeMap<Replica, ReplicaState>,
    pub(super) topics_to_delete: BTreeSet<TopicName>,
    pub(super) topics_with_deletion_started: BTreeSet<TopicName>,
    pub(super) topics_ineligible_for_deletion: BTreeSet<TopicName>,
}

impl Context {
    pub(super) fn is_live(&self, broker: BrokerId) -> bool {
        self.brokers.contains_key(&broker) && !self.shutting_down.contains(&broker)
    }

    pub(super) fn registered(&self) -> Vec<BrokerId> {
        self.brokers.keys().copied().collect()
    }

    pub(super) fn partitions(&self) -> Vec<TopicPartition> {
        let of_topic = |(name, topic): (&TopicName, &Topic)| partitions_of(name, topic);
        self.topics.iter().flat_map(of_topic).collect()
    }

    pub(super) fn partitions_of_topics(&self, topics: &BTreeSet<TopicName>) -> Vec<TopicPartition> {
        let of_topic =
            |name: &TopicName| self.topics.get(name).map_or_else(Vec::new, |topic| partitions_of(name, topic));
        topics.iter().flat_map(of_topic).collect()
    }

    pub(super) fn assignment(&self, partition: &TopicPartition) -> Assignment {
        let topic = self.topics.get(&partition.topic);
        topic.and_then(|topic| topic.partitions.get(&partition.partition)).cloned().unwrap_or_default()
    }

    pub(super) fn set_assignment(&mut self, partition: &TopicPartition, assignment: Assignment) {
        if let Some(topic) = self.topics.get_mut(&partition.topic) {
            topic.partitions.insert(partition.partition, assignment);
        }
    }

    /// Partitions whose replicas are being moved.
    pub(super) fn reassigning(&self) -> Vec<TopicPartition> {
        let of_topic = |(name, topic): (&TopicName, &Topic)| {
            let moving = topic.partitions.iter().filter(|(_, assignment)| assignment.is_reassigning());
            moving.map(|(index, _)| TopicPartition::new(name.clone(), *index)).collect::<Vec<TopicPartition>>()
        };
        self.topics.iter().flat_map(of_topic).collect()
    }

    pub(super) fn live_replicas(&self, partition: &TopicPartition) -> Vec<BrokerId> {
        self.assignment(partition).replicas.into_iter().filter(|replica| self.is_live(*replica)).collect()
    }

    pub(super) fn replicas_of(&self, partitions: &[TopicPartition]) -> Vec<Replica> {
        let replicas = |partition: &TopicPartition| {
            let ids = self.assignment(partition).replicas;
            ids.into_iter().map(|replica| (partition.clone(), replica)).collect::<Vec<Replica>>()
        };
        partitions.iter().flat_map(replicas).collect()
    }

    pub(super) fn replicas_on(&self, brokers: &[BrokerId]) -> Vec<Replica> {
        let all = self.replicas_of(&self.partitions());
        all.into_iter().filter(|(_, broker)| brokers.contains(broker)).collect()
    }

    pub(super) fn partition_state(&self, partition: &TopicPartition) -> PartitionState {
        self.partition_states.get(partition).copied().unwrap_or(PartitionState::NonExistent)
    }

    pub(super) fn replica_state(&self, replica: &Replica) -> ReplicaState {
        self.replica_states.get(replica).copied().unwrap_or(ReplicaState::NonExistent)
    }

    pub(super) fn is_queued_for_deletion(&self, topic: &TopicName) -> bool {
        self.topics_to_delete.contains(topic)
    }

    pub(super) fn leader(&self, partition: &TopicPartition) -> Option<BrokerId> {
        self.leaderships.get(partition).and_then(|leadership| leadership.state.leader)
    }

    pub(super) fn remove_topic(&mut self, topic: &TopicName) {
        self.topics.remove(topic);
        self.topics_to_delete.remove(topic);
        self.topics_with_deletion_started.remove(topic);
        self.topics_ineligible_for_deletion.remove(topic);
        self.leaderships.retain(|partition, _| partition.topic != *topic);
        self.partition_states.retain(|partition, _| partition.topic != *topic);
        self.replica_states.retain(|(partition, _), _| partition.topic != *topic);
    }
}

fn partitions_of(name: &TopicName, topic: &Topic) -> Vec<TopicPartition> {
    topic.partitions.keys().map(|partition| TopicPartition::new(name.clone(), *partition)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_those_of_partitions_that_exist() {
        let ids = |ids: &[i32]| ids.iter().copied().map(BrokerId).collect::<Vec<BrokerId>>();
        let (name, partition) =
            (TopicName::new("t"), |index| TopicPartition::new(TopicName::new("t"), PartitionIndex(index)));
        let plain = |replicas: &[i32]| Assignment { replicas: ids(replicas), ..Assignment::default() };
        let partitions = BTreeMap::from([(PartitionIndex(0), plain(&[1, 2])), (PartitionIndex(1), plain(&[3]))]);
        let mut context = Context::default();
        assert!(context.partitions_of_topics(&BTreeSet::from([name.clone()])).is_empty());
        context.topics.insert(name.clone(), Topic { topic_id: TopicId(1), partitions });
        assert_eq!(context.assignment(&partition(0)), plain(&[1, 2]));
        assert_eq!(context.assignment(&partition(7)), Assignment::default());
        assert_eq!(context.partitions_of_topics(&BTreeSet::from([name])), [partition(0), partition(1)]);
        let moving = context.assignment(&partition(0)).reassigned_to(&ids(&[2, 4]));
        context.set_assignment(&partition(0), moving.clone());
        assert_eq!(context.assignment(&partition(0)), moving);
        assert_eq!(context.reassigning(), [partition(0)]);
        assert_eq!(context.replicas_on(&ids(&[4])), [(partition(0), BrokerId(4))]);
    }

    #[test]
    fn partitions_change_state_as_kafka_lets_them() {
        use PartitionState::{New, NonExistent, Offline, Online};
        let valid = [
            (NonExistent, New),
            (New, Online),
            (New, Offline),
            (Online, Online),
            (Online, Offline),
            (Offline, Online),
            (Offline, Offline),
            (Offline, NonExistent),
        ];
        let states = [NonExistent, New, Online, Offline];
        for (from, to) in states.iter().flat_map(|from| states.map(|to| (*from, to))) {
            assert_eq!(to.may_follow(from), valid.contains(&(from, to)), "{from:?} -> {to:?}");
        }
    }

    #[test]
    fn replicas_change_state_as_kafka_lets_them() {
        use ReplicaState::{
            DeletionIneligible, DeletionStarted, DeletionSuccessful, New, NonExistent, Offline, Online,
        };
        let valid = [
            (NonExistent, New),
            (New, Online),
            (New, Offline),
            (Online, Online),
            (Online, Offline),
            (Offline, Online),
            (Offline, Offline),
            (Offline, DeletionStarted),
            (Offline, DeletionIneligible),
            (DeletionStarted, DeletionSuccessful),
            (DeletionStarted, DeletionIneligible),
            (DeletionSuccessful, NonExistent),
            (DeletionIneligible, Online),
            (DeletionIneligible, Offline),
        ];
        let states = [NonExistent, New, Online, Offline, DeletionStarted, DeletionSuccessful, DeletionIneligible];
        for (from, to) in states.iter().flat_map(|from| states.map(|to| (*from, to))) {
            assert_eq!(to.may_follow(from), valid.contains(&(from, to)), "{from:?} -> {to:?}");
        }
    }
}
