//! A cluster for tests: an image with the shortest words to change it.

use super::replication::Cluster;
use crate::config::BrokerConfig;
use crate::metadata::{ClusterImage, ImageDelta};
use crate::spec::HistoricalFaults;
use wire::request::ConfigResource;
use wire::{
    BrokerEpoch, BrokerId, Endpoint, IncarnationId, MetadataRecord, PartitionChangeRecord, PartitionIndex,
    PartitionRecord, TopicId, TopicName,
};

#[derive(Clone)]
pub(super) struct TestCluster {
    pub(super) image: ClusterImage,
    pub(super) config: BrokerConfig,
    pub(super) faults: HistoricalFaults,
}

pub(super) fn ids(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

impl TestCluster {
    /// Brokers 0, 1, 2, … with the epochs 100, 101, 102, …, all unfenced.
    pub(super) fn with_brokers(count: i32) -> TestCluster {
        let mut cluster = TestCluster {
            image: ClusterImage::default(),
            config: BrokerConfig::default(),
            faults: HistoricalFaults::default(),
        };
        for broker in 0..count {
            cluster.register(broker);
            cluster.unfence(broker);
        }
        cluster
    }

    pub(super) fn as_cluster(&self) -> Cluster<'_> {
        Cluster { image: &self.image, config: &self.config, faults: self.faults }
    }

    pub(super) fn replay(&mut self, records: Vec<MetadataRecord>) {
        records.iter().for_each(|record| self.image.replay(record, &mut ImageDelta::default()));
    }

    pub(super) fn register(&mut self, broker: i32) {
        self.replay(vec![MetadataRecord::RegisterBroker {
            broker_id: BrokerId(broker),
            incarnation_id: IncarnationId(u128::from(broker.unsigned_abs())),
            broker_epoch: BrokerEpoch(i64::from(100 + broker)),
            endpoint: Endpoint::new("localhost", 9092),
            rack: None,
        }]);
    }

    pub(super) fn epoch_of(&self, broker: BrokerId) -> BrokerEpoch {
        self.image.brokers().get(&broker).map_or(BrokerEpoch::NONE, |registration| registration.broker_epoch)
    }

    pub(super) fn fence(&mut self, broker: i32) {
        let records = self.as_cluster().fence(BrokerId(broker));
        self.replay(records);
    }

    pub(super) fn unfence(&mut self, broker: i32) {
        let records = self.as_cluster().unfence(BrokerId(broker));
        self.replay(records);
    }

    /// A topic whose partitions have these replicas, all in sync, led by the first.
    pub(super) fn create(&mut self, name: &str, partitions: &[&[i32]]) {
        let topic_id = TopicId(100 + self.image.topics().len() as u128);
        self.replay(vec![MetadataRecord::Topic { name: TopicName::new(name), topic_id }]);
        for (index, replicas) in (0..).zip(partitions) {
            let place = (topic_id, PartitionIndex(index));
            let record = PartitionRecord::created(place, ids(replicas), ids(replicas));
            self.replay(vec![MetadataRecord::Partition(record)]);
        }
    }

    pub(super) fn configure(&mut self, topic: &str, key: &str, value: &str) {
        let resource = ConfigResource::Topic(TopicName::new(topic));
        let (key, value) = (key.to_owned(), Some(value.to_owned()));
        self.replay(vec![MetadataRecord::Config { resource, key, value }]);
    }

    pub(super) fn change_isr(&mut self, topic: &str, partition: i32, isr: &[i32]) {
        self.change(topic, partition, Some(ids(isr)), None);
    }

    pub(super) fn change_leader(&mut self, topic: &str, partition: i32, leader: i32) {
        self.change(topic, partition, None, Some(Some(BrokerId(leader))));
    }

    fn change(&mut self, topic: &str, partition: i32, isr: Option<Vec<BrokerId>>, leader: Option<Option<BrokerId>>) {
        let topic_id = self.image.topics()[&TopicName::new(topic)].topic_id;
        let partition = PartitionIndex(partition);
        let change = PartitionChangeRecord { isr, leader, ..PartitionChangeRecord::of(topic_id, partition) };
        self.replay(vec![MetadataRecord::PartitionChange(change)]);
    }

    /// For each partition its leader and in-sync replicas, for example `1 [1, 2]`.
    pub(super) fn leaders_and_isrs(&self, topic: &str) -> Vec<String> {
        let partitions = self.image.topics()[&TopicName::new(topic)].partitions.values();
        partitions
            .map(|partition| {
                let leader = partition.leader.map_or("none".to_owned(), |leader| leader.to_string());
                let isr: Vec<i32> = partition.isr.iter().map(|broker| broker.0).collect();
                format!("{leader} {isr:?}")
            })
            .collect()
    }
}
