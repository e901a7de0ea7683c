//! The cluster as the metadata log describes it (`org.apache.kafka.image`): what replaying its records adds up to.
//!
//! The controller and every broker hold one each; a broker's lags behind by what it has not fetched and applied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wire::{
    BrokerEpoch, BrokerId, Endpoint, IncarnationId, LeaderEpoch, MetadataRecord, PartitionEpoch, PartitionIndex,
    TopicId, TopicName, TopicPartition,
};

/// The topic of the cluster metadata log; its one partition is number 0.
pub const METADATA_TOPIC: &str = "__cluster_metadata";

/// That topic's id (`Uuid.METADATA_TOPIC_ID`).
pub const METADATA_TOPIC_ID: TopicId = TopicId(1);

/// `metadata.version` of a cluster: 3.9-IV0.
pub const METADATA_VERSION: i16 = 21;

/// `__cluster_metadata-0`.
#[must_use]
pub fn metadata_partition() -> TopicPartition {
    TopicPartition::new(TopicName::new(METADATA_TOPIC), PartitionIndex(0))
}

/// The state of the cluster at one metadata offset. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct ClusterImage {
    brokers: BTreeMap<BrokerId, BrokerRegistration>,
    topics: BTreeMap<TopicName, Arc<TopicImage>>,
    topic_names: BTreeMap<TopicId, TopicName>,
}

/// A registered broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerRegistration {
    /// The process that registered.
    pub incarnation_id: IncarnationId,
    /// The metadata offset of its registration.
    pub broker_epoch: BrokerEpoch,
    /// What it advertises.
    pub endpoint: Endpoint,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Fenced brokers neither lead nor join in-sync replicas.
    pub fenced: bool,
    /// The broker is shutting down in a controlled way.
    pub in_controlled_shutdown: bool,
}

impl BrokerRegistration {
    /// Unfenced and not shutting down: may lead and be in sync.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !self.fenced && !self.in_controlled_shutdown
    }
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicImage {
    /// Its id.
    pub topic_id: TopicId,
    /// Its own configurations, as text.
    pub configs: BTreeMap<String, String>,
    /// Its partitions.
    pub partitions: BTreeMap<PartitionIndex, PartitionRegistration>,
}

/// A partition's state (`PartitionRegistration`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionRegistration {
    /// All replicas; the first is preferred.
    pub replicas: Vec<BrokerId>,
    /// The in-sync replicas.
    pub isr: Vec<BrokerId>,
    /// The leader, if there is one.
    pub leader: Option<BrokerId>,
    /// Counts leaderships.
    pub leader_epoch: LeaderEpoch,
    /// Counts changes.
    pub partition_epoch: PartitionEpoch,
}

/// What a stretch of the metadata log changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageDelta {
    /// New or changed partitions that still exist.
    pub changed_partitions: BTreeSet<TopicPartition>,
    /// Partitions of removed topics.
    pub removed_partitions: BTreeSet<TopicPartition>,
    /// Topics whose configurations changed.
    pub changed_configs: BTreeSet<TopicName>,
    /// Brokers that registered, were fenced or unfenced, or began to shut down.
    pub changed_brokers: BTreeSet<BrokerId>,
}

impl ClusterImage {
    /// The registered brokers by id.
    #[must_use]
    pub fn brokers(&self) -> &BTreeMap<BrokerId, BrokerRegistration> {
        &self.brokers
    }

    /// The topics by name.
    #[must_use]
    pub fn topics(&self) -> &BTreeMap<TopicName, Arc<TopicImage>> {
        &self.topics
    }

    /// The topic with that id.
    #[must_use]
    pub fn topic_name(&self, topic_id: TopicId) -> Option<&TopicName> {
        self.topic_names.get(&topic_id)
    }

    /// One partition's state.
    #[must_use]
    pub fn partition(&self, partition: &TopicPartition) -> Option<&PartitionRegistration> {
        self.topics.get(&partition.topic)?.partitions.get(&partition.partition)
    }

    /// All partitions, by topic name and number.
    pub fn partitions(&self) -> impl Iterator<Item = (TopicPartition, &PartitionRegistration)> {
        self.topics.iter().flat_map(|(name, topic)| {
            topic.partitions.iter().map(|(index, state)| (TopicPartition::new(name.clone(), *index), state))
        })
    }

    /// Replaces the brokers: a ZooKeeper-mode controller always names all that live.
    pub fn set_live_brokers(&mut self, brokers: BTreeMap<BrokerId, BrokerRegistration>) {
        self.brokers = brokers;
    }

    /// Adds or replaces a partition's state as a ZooKeeper-mode controller tells it.
    pub fn put_partition(&mut self, partition: &TopicPartition, topic_id: TopicId, state: PartitionRegistration) {
        let is_recreated = self.topics.get(&partition.topic).is_some_and(|topic| topic.topic_id != topic_id);
        if is_recreated {
            self.forget_topic(&partition.topic);
        }
        if !self.topics.contains_key(&partition.topic) {
            self.add_topic(&partition.topic, topic_id);
        }
        let (_, topic) = self.topic_mut(topic_id);
        topic.partitions.insert(partition.partition, state);
    }

    /// Forgets a partition, and with its last one its topic.
    pub fn remove_partition(&mut self, partition: &TopicPartition) {
        let Some(topic) = self.topics.get_mut(&partition.topic) else { return };
        let topic = Arc::make_mut(topic);
        topic.partitions.remove(&partition.partition);
        if topic.partitions.is_empty() {
            self.forget_topic(&partition.topic);
        }
    }

    fn forget_topic(&mut self, name: &TopicName) {
        let topic = self.topics.remove(name);
        self.topic_names.retain(|topic_id, _| topic.as_ref().is_none_or(|topic| topic.topic_id != *topic_id));
    }

    /// Replaces a topic's own configurations, if the topic is known.
    pub fn set_configs(&mut self, name: &TopicName, configs: &BTreeMap<String, String>) {
        if let Some(topic) = self.topics.get_mut(name) {
            Arc::make_mut(topic).configs.clone_from(configs);
        }
    }

    /// Applies one record and adds what it changed to `delta`. Records come from the controller, which never
    /// writes one that does not fit the state before it.
    pub fn replay(&mut self, record: &MetadataRecord, delta: &mut ImageDelta) {
        match record {
            MetadataRecord::FeatureLevel { .. } | MetadataRecord::NoOp => {}
            MetadataRecord::RegisterBroker { broker_id, incarnation_id, broker_epoch, endpoint, rack } => {
                self.register(
                    *broker_id,
                    BrokerRegistration {
                        incarnation_id: *incarnation_id,
                        broker_epoch: *broker_epoch,
                        endpoint: endpoint.clone(),
                        rack: rack.clone(),
                        fenced: true,
                        in_controlled_shutdown: false,
                    },
                    delta,
                );
            }
            MetadataRecord::BrokerRegistrationChange { broker_id, fenced, in_controlled_shutdown, .. } => {
                self.change_registration(*broker_id, *fenced, *in_controlled_shutdown, delta);
            }
            MetadataRecord::Topic { name, topic_id } => self.add_topic(name, *topic_id),
            MetadataRecord::RemoveTopic { topic_id } => self.remove_topic(*topic_id, delta),
            MetadataRecord::TopicConfig { name, key, value } => self.configure(name, key, value.as_deref(), delta),
            MetadataRecord::Partition { topic_id, partition, replicas, isr, leader, leader_epoch, partition_epoch } => {
                self.add_partition(
                    *topic_id,
                    *partition,
                    PartitionRegistration {
                        replicas: replicas.clone(),
                        isr: isr.clone(),
                        leader: *leader,
                        leader_epoch: *leader_epoch,
                        partition_epoch: *partition_epoch,
                    },
                    delta,
                )
            }
            MetadataRecord::PartitionChange { topic_id, partition, isr, leader } => {
                self.change_partition(*topic_id, *partition, isr.as_ref(), *leader, delta);
            }
        }
    }

    fn register(&mut self, broker_id: BrokerId, registration: BrokerRegistration, delta: &mut ImageDelta) {
        self.brokers.insert(broker_id, registration);
        delta.changed_brokers.insert(broker_id);
    }

    fn change_registration(
        &mut self,
        broker_id: BrokerId,
        fenced: Option<bool>,
        in_controlled_shutdown: Option<bool>,
        delta: &mut ImageDelta,
    ) {
        let broker = self.brokers.get_mut(&broker_id).expect("only registered brokers change");
        broker.fenced = fenced.unwrap_or(broker.fenced);
        broker.in_controlled_shutdown = in_controlled_shutdown.unwrap_or(broker.in_controlled_shutdown);
        delta.changed_brokers.insert(broker_id);
    }

    fn add_topic(&mut self, name: &TopicName, topic_id: TopicId) {
        let topic = TopicImage { topic_id, configs: BTreeMap::new(), partitions: BTreeMap::new() };
        self.topics.insert(name.clone(), Arc::new(topic));
        self.topic_names.insert(topic_id, name.clone());
    }

    fn remove_topic(&mut self, topic_id: TopicId, delta: &mut ImageDelta) {
        let name = self.topic_names.remove(&topic_id).expect("only existing topics are removed");
        let topic = self.topics.remove(&name).expect("names and topics go together");
        for index in topic.partitions.keys() {
            let partition = TopicPartition::new(name.clone(), *index);
            delta.changed_partitions.remove(&partition);
            delta.removed_partitions.insert(partition);
        }
        delta.changed_configs.remove(&name);
    }

    fn configure(&mut self, name: &TopicName, key: &str, value: Option<&str>, delta: &mut ImageDelta) {
        let topic = Arc::make_mut(self.topics.get_mut(name).expect("only existing topics are configured"));
        match value {
            Some(value) => topic.configs.insert(key.to_owned(), value.to_owned()),
            None => topic.configs.remove(key),
        };
        delta.changed_configs.insert(name.clone());
    }

    fn add_partition(
        &mut self,
        topic_id: TopicId,
        index: PartitionIndex,
        state: PartitionRegistration,
        delta: &mut ImageDelta,
    ) {
        let (name, topic) = self.topic_mut(topic_id);
        topic.partitions.insert(index, state);
        delta.changed_partitions.insert(TopicPartition::new(name, index));
    }

    fn change_partition(
        &mut self,
        topic_id: TopicId,
        index: PartitionIndex,
        isr: Option<&Vec<BrokerId>>,
        leader: Option<Option<BrokerId>>,
        delta: &mut ImageDelta,
    ) {
        let (name, topic) = self.topic_mut(topic_id);
        let state = topic.partitions.get_mut(&index).expect("only existing partitions change");
        if let Some(isr) = isr {
            state.isr.clone_from(isr);
        }
        if let Some(leader) = leader {
            state.leader = leader;
            state.leader_epoch = state.leader_epoch.next();
        }
        state.partition_epoch = state.partition_epoch.next();
        delta.changed_partitions.insert(TopicPartition::new(name, index));
    }

    fn topic_mut(&mut self, topic_id: TopicId) -> (TopicName, &mut TopicImage) {
        let name = self.topic_names.get(&topic_id).expect("only existing topics change").clone();
        let topic = self.topics.get_mut(&name).expect("names and topics go together");
        (name, Arc::make_mut(topic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_of_leader_raises_the_leader_epoch() {
        let (mut image, mut delta) = (ClusterImage::default(), ImageDelta::default());
        let (name, topic_id, partition) = (TopicName::new("t"), TopicId(1), PartitionIndex(0));
        let brokers = vec![BrokerId(1), BrokerId(2)];
        for record in [
            MetadataRecord::Topic { name: name.clone(), topic_id },
            MetadataRecord::Partition {
                topic_id,
                partition,
                replicas: brokers.clone(),
                isr: brokers,
                leader: Some(BrokerId(1)),
                leader_epoch: LeaderEpoch(0),
                partition_epoch: PartitionEpoch(0),
            },
            MetadataRecord::PartitionChange { topic_id, partition, isr: Some(vec![BrokerId(1)]), leader: None },
            MetadataRecord::PartitionChange { topic_id, partition, isr: None, leader: Some(None) },
        ] {
            image.replay(&record, &mut delta);
        }
        let state = image.partition(&TopicPartition::new(name, partition)).expect("the partition was created");
        assert_eq!(
            (state.leader_epoch, state.partition_epoch, state.leader),
            (LeaderEpoch(1), PartitionEpoch(2), None)
        );
        assert_eq!(state.isr, [BrokerId(1)]);
    }
}
