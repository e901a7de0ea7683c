//! An image as records (`ClusterImage.write`), the content of snapshots; and what differs between two images, which is
//! what loading a snapshot changes.

use super::{BrokerRegistration, ClusterImage, ImageDelta, PartitionRegistration, TopicImage};
use std::collections::BTreeMap;
use wire::request::ConfigResource;
use wire::{
    BrokerEpoch, BrokerId, MetadataRecord, PartitionIndex, PartitionRecord, TopicId, TopicName, TopicPartition,
};

impl ClusterImage {
    /// Records that make this image out of an empty one. Fenced brokers and those that shut down get a change record
    /// behind their registration, where Kafka has fields in it.
    #[must_use]
    pub fn to_records(&self) -> Vec<MetadataRecord> {
        let ClusterImage { brokers, controllers, topics, topic_names: _, broker_configs, features, next_producer_id } =
            self;
        let mut records: Vec<MetadataRecord> =
            features.iter().map(|(name, level)| MetadataRecord::FeatureLevel { name, level: *level }).collect();
        records.extend((!features.is_empty()).then_some(MetadataRecord::ZkMigrationStateNone));
        brokers.iter().for_each(|(id, registration)| write_broker(*id, registration, &mut records));
        records.extend(controllers.iter().map(|(id, registration)| MetadataRecord::RegisterController {
            controller_id: *id,
            incarnation_id: registration.incarnation_id,
            endpoint: registration.endpoint.clone(),
        }));
        topics.iter().for_each(|(name, topic)| write_topic(name, topic, &mut records));
        for (broker, configs) in broker_configs {
            write_configs(&ConfigResource::Broker(*broker), configs, &mut records);
        }
        if *next_producer_id > 0 {
            let (broker_id, broker_epoch) = (BrokerId(-1), BrokerEpoch::NONE);
            let next_producer_id = *next_producer_id;
            records.push(MetadataRecord::ProducerIds { broker_id, broker_epoch, next_producer_id });
        }
        records
    }
}

fn write_broker(broker_id: BrokerId, registration: &BrokerRegistration, records: &mut Vec<MetadataRecord>) {
    let BrokerRegistration { incarnation_id, broker_epoch, endpoint, rack, fenced, in_controlled_shutdown } =
        registration.clone();
    records.push(MetadataRecord::RegisterBroker { broker_id, incarnation_id, broker_epoch, endpoint, rack });
    if !fenced || in_controlled_shutdown {
        records.push(MetadataRecord::BrokerRegistrationChange {
            broker_id,
            broker_epoch,
            fenced: Some(fenced),
            in_controlled_shutdown: Some(in_controlled_shutdown),
        });
    }
}

fn write_topic(name: &TopicName, topic: &TopicImage, records: &mut Vec<MetadataRecord>) {
    let TopicImage { topic_id, configs, partitions } = topic;
    records.push(MetadataRecord::Topic { name: name.clone(), topic_id: *topic_id });
    records.extend(partitions.iter().map(|(index, state)| partition_record(*topic_id, *index, state.clone())));
    write_configs(&ConfigResource::Topic(name.clone()), configs, records);
}

fn write_configs(resource: &ConfigResource, configs: &BTreeMap<String, String>, records: &mut Vec<MetadataRecord>) {
    records.extend(configs.iter().map(|(key, value)| MetadataRecord::Config {
        resource: resource.clone(),
        key: key.clone(),
        value: Some(value.clone()),
    }));
}

fn partition_record(topic_id: TopicId, partition: PartitionIndex, state: PartitionRegistration) -> MetadataRecord {
    MetadataRecord::Partition(PartitionRecord {
        topic_id,
        partition,
        replicas: state.replicas,
        isr: state.isr,
        adding_replicas: state.adding_replicas,
        removing_replicas: state.removing_replicas,
        leader: state.leader,
        leader_recovery_state: state.leader_recovery_state,
        leader_epoch: state.leader_epoch,
        partition_epoch: state.partition_epoch,
        eligible_leader_replicas: state.eligible_leader_replicas,
        last_known_elr: state.last_known_elr,
    })
}

impl ImageDelta {
    /// What differs between two images, neither of which need come from the other.
    #[must_use]
    pub fn between(before: &ClusterImage, after: &ClusterImage) -> ImageDelta {
        let id_of = |image: &ClusterImage, topic: &TopicName| image.topics.get(topic).map(|topic| topic.topic_id);
        let is_same_topic = |topic: &TopicName| id_of(before, topic) == id_of(after, topic);
        let is_changed = |partition: &TopicPartition, state: &PartitionRegistration| {
            before.partition(partition) != Some(state) || !is_same_topic(&partition.topic)
        };
        let is_removed =
            |partition: &TopicPartition| after.partition(partition).is_none() || !is_same_topic(&partition.topic);
        let configs_of = |topic: &TopicName| before.topics.get(topic).map(|topic| &topic.configs);
        let changed_topics = after.topics.iter().filter(|(name, topic)| configs_of(name) != Some(&topic.configs));
        let changed_brokers = after.brokers.iter().filter(|(id, broker)| before.brokers.get(id) != Some(broker));
        let configured = before.broker_configs.keys().chain(after.broker_configs.keys());
        let is_reconfigured =
            |broker: &&Option<BrokerId>| before.broker_configs.get(broker) != after.broker_configs.get(broker);
        let changed_partitions = after.partitions().filter(|(partition, state)| is_changed(partition, state));
        ImageDelta {
            changed_partitions: changed_partitions.map(|(partition, _)| partition).collect(),
            removed_partitions: before.partitions().map(|(partition, _)| partition).filter(is_removed).collect(),
            changed_configs: changed_topics.map(|(name, _)| name.clone()).collect(),
            changed_brokers: changed_brokers.map(|(id, _)| *id).collect(),
            changed_broker_configs: configured.filter(is_reconfigured).copied().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{Endpoint, IncarnationId, PartitionChangeRecord};

    fn partition(index: i32) -> PartitionRecord {
        let brokers = vec![BrokerId(1), BrokerId(2)];
        PartitionRecord::created((TopicId(7), PartitionIndex(index)), brokers.clone(), brokers)
    }

    /// Two brokers, one of them serving, a topic with two partitions, and settings of all kinds.
    fn image() -> ClusterImage {
        let mut image = ClusterImage::default();
        let register = |id: i32| MetadataRecord::RegisterBroker {
            broker_id: BrokerId(id),
            incarnation_id: IncarnationId(9),
            broker_epoch: BrokerEpoch(5),
            endpoint: Endpoint::new("localhost", 9092),
            rack: Some("r".to_owned()),
        };
        let unfence = MetadataRecord::BrokerRegistrationChange {
            broker_id: BrokerId(2),
            broker_epoch: BrokerEpoch(5),
            fenced: Some(false),
            in_controlled_shutdown: None,
        };
        let config = |resource| MetadataRecord::Config { resource, key: "k".to_owned(), value: Some("v".to_owned()) };
        let change =
            PartitionChangeRecord { leader: Some(None), ..PartitionChangeRecord::of(TopicId(7), PartitionIndex(1)) };
        let (broker_id, broker_epoch) = (BrokerId(1), BrokerEpoch(5));
        let records = [
            MetadataRecord::FeatureLevel { name: "metadata.version", level: 21 },
            register(1),
            register(2),
            unfence,
            MetadataRecord::Topic { name: TopicName::new("t"), topic_id: TopicId(7) },
            MetadataRecord::Partition(partition(0)),
            MetadataRecord::Partition(partition(1)),
            MetadataRecord::PartitionChange(change),
            config(ConfigResource::Topic(TopicName::new("t"))),
            config(ConfigResource::Broker(None)),
            MetadataRecord::ProducerIds { broker_id, broker_epoch, next_producer_id: 1_000 },
            MetadataRecord::RegisterController {
                controller_id: 100,
                incarnation_id: IncarnationId(3),
                endpoint: Endpoint::new("localhost", 9090),
            },
        ];
        records.iter().for_each(|record| image.replay(record, &mut ImageDelta::default()));
        image
    }

    #[test]
    fn the_records_of_an_image_make_the_same_image() {
        let mut copy = ClusterImage::default();
        image().to_records().iter().for_each(|record| copy.replay(record, &mut ImageDelta::default()));
        assert_eq!(copy, image());
    }

    #[test]
    fn a_snapshot_changes_what_differs_and_nothing_else() {
        assert_eq!(ImageDelta::between(&image(), &image()), ImageDelta::default());
        let mut after = image();
        let mut delta = ImageDelta::default();
        after.replay(&MetadataRecord::RemoveTopic { topic_id: TopicId(7) }, &mut delta);
        assert_eq!(ImageDelta::between(&image(), &after), delta);
        let added = ImageDelta::between(&after, &image());
        assert_eq!((added.changed_partitions.len(), added.changed_configs.len()), (2, 1));
    }
}
