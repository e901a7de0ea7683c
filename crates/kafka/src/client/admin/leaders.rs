//! Looks up which brokers lead partitions, for calls that only a leader answers (`PartitionLeaderStrategy`).

use std::collections::{BTreeMap, BTreeSet};
use wire::request::MetadataRequest;
use wire::response::MetadataResponse;
use wire::{BrokerId, Request, TopicName, TopicPartition};

/// Partitions by their leader.
pub(super) type Leaders = BTreeMap<BrokerId, Vec<TopicPartition>>;

/// Asks for the leaders of these partitions.
pub(super) fn look_up<'a>(wanted: impl Iterator<Item = &'a TopicPartition>) -> Request {
    let topics: BTreeSet<TopicName> = wanted.map(|partition| partition.topic.clone()).collect();
    let topics = Some(topics.into_iter().collect());
    Request::Metadata(MetadataRequest { topics, allow_auto_topic_creation: false })
}

/// The leaders that metadata names; partitions without one are left out.
pub(super) fn leaders(metadata: &MetadataResponse, is_wanted: impl Fn(&TopicPartition) -> bool) -> Leaders {
    let mut leaders = Leaders::new();
    for topic in &metadata.topics {
        for described in &topic.partitions {
            let partition = TopicPartition::new(topic.name.clone(), described.partition);
            if let Some(leader) = described.leader.filter(|_| is_wanted(&partition)) {
                leaders.entry(leader).or_default().push(partition);
            }
        }
    }
    leaders
}
