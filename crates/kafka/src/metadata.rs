//! The cluster as the metadata log describes it (`org.apache.kafka.image`): what replaying its records adds up to.
//!
//! The controller and every broker hold one each; a broker's lags behind by what it has not fetched and applied.

pub mod message;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wire::request::ConfigResource;
use wire::{
    BrokerEpoch, BrokerId, Endpoint, IncarnationId, LeaderEpoch, LeaderRecoveryState, MetadataRecord,
    PartitionChangeRecord, PartitionEpoch, PartitionIndex, PartitionRecord, TopicId, TopicName, TopicPartition,
};

/// The topic of the cluster metadata log; its one partition is number 0.
pub const METADATA_TOPIC: &str = "__cluster_metadata";

/// That topic's id (`Uuid.METADATA_TOPIC_ID`).
pub const METADATA_TOPIC_ID: TopicId = TopicId(1);

/// `__cluster_metadata-0`.
#[must_use]
pub fn metadata_partition() -> TopicPartition {
    TopicPartition::new(TopicName::new(METADATA_TOPIC), PartitionIndex(0))
}

/// The state of the cluster at one metadata offset. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterImage {
    brokers: BTreeMap<BrokerId, BrokerRegistration>,
    controllers: BTreeMap<i32, ControllerRegistration>,
    topics: BTreeMap<TopicName, Arc<TopicImage>>,
    topic_names: BTreeMap<TopicId, TopicName>,
    /// By broker; `None` is all brokers.
    broker_configs: BTreeMap<Option<BrokerId>, Arc<BTreeMap<String, String>>>,
    features: BTreeMap<&'static str, i16>,
    next_producer_id: i64,
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

/// A registered controller (KIP-919).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerRegistration {
    /// The process that registered.
    pub incarnation_id: IncarnationId,
    /// Where it listens.
    pub endpoint: Endpoint,
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
    /// Replicas that a reassignment adds; they are among `replicas` already.
    pub adding_replicas: Vec<BrokerId>,
    /// Replicas that a reassignment removes; they are among `replicas` still.
    pub removing_replicas: Vec<BrokerId>,
    /// The leader, if there is one.
    pub leader: Option<BrokerId>,
    /// Whether the leader was elected uncleanly and has not recovered yet.
    pub leader_recovery_state: LeaderRecoveryState,
    /// Counts leaderships.
    pub leader_epoch: LeaderEpoch,
    /// Counts changes.
    pub partition_epoch: PartitionEpoch,
    /// Replicas outside of the in-sync ones that have every committed record (KIP-966).
    pub eligible_leader_replicas: Vec<BrokerId>,
    /// Who led last, when nobody may lead (KIP-966).
    pub last_known_elr: Vec<BrokerId>,
}

impl From<&PartitionRecord> for PartitionRegistration {
    fn from(record: &PartitionRecord) -> PartitionRegistration {
        PartitionRegistration {
            replicas: record.replicas.clone(),
            isr: record.isr.clone(),
            adding_replicas: record.adding_replicas.clone(),
            removing_replicas: record.removing_replicas.clone(),
            leader: record.leader,
            leader_recovery_state: record.leader_recovery_state,
            leader_epoch: record.leader_epoch,
            partition_epoch: record.partition_epoch,
            eligible_leader_replicas: record.eligible_leader_replicas.clone(),
            last_known_elr: record.last_known_elr.clone(),
        }
    }
}

impl PartitionRegistration {
    /// Whether replicas are being moved.
    #[must_use]
    pub fn is_reassigning(&self) -> bool {
        !self.adding_replicas.is_empty() || !self.removing_replicas.is_empty()
    }

    /// Replicas that may lead without being in sync (KIP-966). One that has been moved away may still stand among those that
    /// are eligible, and is not elected.
    pub fn eligible_replicas(&self) -> impl Iterator<Item = &BrokerId> {
        self.eligible_leader_replicas.iter().filter(|replica| self.replicas.contains(replica))
    }

    /// The state after a change.
    pub fn merge(&mut self, change: &PartitionChangeRecord) {
        replace(&mut self.replicas, change.replicas.as_ref());
        replace(&mut self.isr, change.isr.as_ref());
        replace(&mut self.adding_replicas, change.adding_replicas.as_ref());
        replace(&mut self.removing_replicas, change.removing_replicas.as_ref());
        replace(&mut self.eligible_leader_replicas, change.eligible_leader_replicas.as_ref());
        replace(&mut self.last_known_elr, change.last_known_elr.as_ref());
        self.leader_recovery_state = change.leader_recovery_state.unwrap_or(self.leader_recovery_state);
        if let Some(leader) = change.leader {
            self.leader = leader;
            self.leader_epoch = self.leader_epoch.next();
        }
        self.partition_epoch = self.partition_epoch.next();
    }
}

fn replace(brokers: &mut Vec<BrokerId>, change: Option<&Vec<BrokerId>>) {
    if let Some(change) = change {
        brokers.clone_from(change);
    }
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
    /// Brokers whose configurations changed; `None` is all brokers.
    pub changed_broker_configs: BTreeSet<Option<BrokerId>>,
    /// Brokers that registered, were fenced or unfenced, began to shut down, or were forgotten.
    pub changed_brokers: BTreeSet<BrokerId>,
}

impl ClusterImage {
    /// The registered brokers by id.
    #[must_use]
    pub fn brokers(&self) -> &BTreeMap<BrokerId, BrokerRegistration> {
        &self.brokers
    }

    /// The registered controllers by `node.id`.
    #[must_use]
    pub fn controllers(&self) -> &BTreeMap<i32, ControllerRegistration> {
        &self.controllers
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

    /// What was set on a broker, or on all of them (`None`), while they run.
    #[must_use]
    pub fn broker_configs(&self, broker: Option<BrokerId>) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.broker_configs.get(&broker).map_or(&NONE, |configs| configs)
    }

    /// The features that the cluster has agreed on, with their levels.
    #[must_use]
    pub fn features(&self) -> &BTreeMap<&'static str, i16> {
        &self.features
    }

    /// The first producer id that no broker has.
    #[must_use]
    pub fn next_producer_id(&self) -> i64 {
        self.next_producer_id
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

    /// Replaces what is set on a broker, or on all of them (`None`).
    pub fn set_broker_configs(&mut self, broker: Option<BrokerId>, configs: BTreeMap<String, String>) {
        self.broker_configs.insert(broker, Arc::new(configs));
    }

    /// Applies one record and adds what it changed to `delta`. Records come from the controller, which never
    /// writes one that does not fit the state before it.
    pub fn replay(&mut self, record: &MetadataRecord, delta: &mut ImageDelta) {
        match record {
            MetadataRecord::NoOp
            | MetadataRecord::ZkMigrationStateNone
            | MetadataRecord::BeginTransaction
            | MetadataRecord::EndTransaction => {}
            MetadataRecord::RegisterController { controller_id, incarnation_id, endpoint } => {
                let (incarnation_id, endpoint) = (*incarnation_id, endpoint.clone());
                self.controllers.insert(*controller_id, ControllerRegistration { incarnation_id, endpoint });
            }
            MetadataRecord::FeatureLevel { name, level } => self.finalize(name, *level),
            MetadataRecord::ProducerIds { next_producer_id, .. } => {
                assert!(*next_producer_id > self.next_producer_id, "blocks of producer ids only go up");
                self.next_producer_id = *next_producer_id;
            }
            MetadataRecord::UnregisterBroker { broker_id, .. } => self.unregister(*broker_id, delta),
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
            MetadataRecord::Config { resource, key, value } => self.configure(resource, key, value.as_deref(), delta),
            MetadataRecord::Partition(record) => self.add_partition(record, delta),
            MetadataRecord::PartitionChange(record) => self.change_partition(record, delta),
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

    fn finalize(&mut self, name: &'static str, level: i16) {
        match level {
            0 => self.features.remove(name),
            level => self.features.insert(name, level),
        };
    }

    fn unregister(&mut self, broker_id: BrokerId, delta: &mut ImageDelta) {
        self.brokers.remove(&broker_id);
        delta.changed_brokers.insert(broker_id);
    }

    fn configure(&mut self, resource: &ConfigResource, key: &str, value: Option<&str>, delta: &mut ImageDelta) {
        match resource {
            ConfigResource::Topic(name) => {
                let topic = Arc::make_mut(self.topics.get_mut(name).expect("only existing topics are configured"));
                set(&mut topic.configs, key, value);
                delta.changed_configs.insert(name.clone());
            }
            ConfigResource::Broker(broker) => {
                let configs = Arc::make_mut(self.broker_configs.entry(*broker).or_default());
                set(configs, key, value);
                delta.changed_broker_configs.insert(*broker);
            }
        }
    }

    fn add_partition(&mut self, record: &PartitionRecord, delta: &mut ImageDelta) {
        let (name, topic) = self.topic_mut(record.topic_id);
        topic.partitions.insert(record.partition, PartitionRegistration::from(record));
        delta.changed_partitions.insert(TopicPartition::new(name, record.partition));
    }

    fn change_partition(&mut self, record: &PartitionChangeRecord, delta: &mut ImageDelta) {
        let (name, topic) = self.topic_mut(record.topic_id);
        let state = topic.partitions.get_mut(&record.partition).expect("only existing partitions change");
        state.merge(record);
        delta.changed_partitions.insert(TopicPartition::new(name, record.partition));
    }

    fn topic_mut(&mut self, topic_id: TopicId) -> (TopicName, &mut TopicImage) {
        let name = self.topic_names.get(&topic_id).expect("only existing topics change").clone();
        let topic = self.topics.get_mut(&name).expect("names and topics go together");
        (name, Arc::make_mut(topic))
    }
}

fn set(configs: &mut BTreeMap<String, String>, key: &str, value: Option<&str>) {
    match value {
        Some(value) => configs.insert(key.to_owned(), value.to_owned()),
        None => configs.remove(key),
    };
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
            MetadataRecord::Partition(PartitionRecord::created((topic_id, partition), brokers.clone(), brokers)),
            MetadataRecord::PartitionChange(PartitionChangeRecord {
                isr: Some(vec![BrokerId(1)]),
                ..PartitionChangeRecord::of(topic_id, partition)
            }),
            MetadataRecord::PartitionChange(PartitionChangeRecord {
                leader: Some(None),
                ..PartitionChangeRecord::of(topic_id, partition)
            }),
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
