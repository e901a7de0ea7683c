//! Client programs for a cluster of brokers 1, 2 and 3 that listen at localhost:9092, 9093 and 9094.

use kafka::spec::{
    AutoOffsetReset, ClientSpec, ConsumerConfig, ConsumerSpec, ProducerConfig, ProducerSpec, Program, Subscription,
    TopicsAction, Workload,
};
use wire::request::{Acks, CreatableTopic};
use wire::{BrokerId, Endpoint, PartitionIndex, TopicName};

fn client(program: Program) -> ClientSpec {
    let bootstrap_servers = (9092..=9094).map(|port| Endpoint::new("localhost", port)).collect();
    ClientSpec { client_id: "test".to_owned(), bootstrap_servers, program }
}

/// A call of `kafka-topics`.
#[must_use]
pub fn topics(action: TopicsAction) -> ClientSpec {
    client(Program::Topics(action))
}

/// Makes a topic, unless it is there, of one partition on brokers 1 to `replicas`; broker 1 is preferred as its leader.
#[must_use]
pub fn create_topic(name: &str, replicas: i32, configs: &[(&str, &str)]) -> ClientSpec {
    topics(TopicsAction::Create {
        topic: CreatableTopic {
            name: TopicName::new(name),
            num_partitions: None,
            replication_factor: None,
            assignments: vec![(PartitionIndex(0), (1..=replicas).map(BrokerId).collect())],
            configs: configs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        },
        if_not_exists: true,
    })
}

/// A producer that makes a record every `interval_ms`.
#[must_use]
pub fn producer(topic: &str, acks: Acks, interval_ms: i64) -> ClientSpec {
    client(Program::Producer(ProducerSpec {
        config: ProducerConfig { acks, ..ProducerConfig::default() },
        is_synchronous: false,
        workload: Some(Workload {
            topic: TopicName::new(topic),
            interval_ms,
            keys: Vec::new(),
            value_prefix: "record ".to_owned(),
        }),
    }))
}

/// A consumer that reads a topic from its beginning, without end.
#[must_use]
pub fn consumer(topic: &str) -> ClientSpec {
    client(Program::Consumer(ConsumerSpec {
        config: ConsumerConfig { auto_offset_reset: AutoOffsetReset::Earliest, ..ConsumerConfig::default() },
        subscription: Subscription::Topic(TopicName::new(topic)),
        group_id: None,
        max_messages: None,
        timeout_ms: None,
    }))
}
