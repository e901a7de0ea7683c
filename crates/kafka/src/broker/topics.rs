//! Tells clients about brokers and topics from the image (`kafka.server.metadata.KRaftMetadataCache`,
//! `DescribeTopicPartitionsRequestHandler`).

use super::membership::Membership;
use super::{Broker, Step};
use crate::metadata::{ClusterImage, PartitionRegistration};
use crate::node::RequestId;
use rand::RngExt;
use wire::request::{DescribeTopicPartitionsRequest, MetadataRequest};
use wire::response::{
    DescribeTopicPartitionsResponse, DescribedPartition, DescribedTopic, MetadataBroker, MetadataPartition,
    MetadataResponse, MetadataTopic,
};
use wire::{BrokerId, ErrorCode, PartitionIndex, Response, TopicId, TopicName, TopicPartition};

/// `Topic.MAX_NAME_LENGTH`.
const MAX_TOPIC_NAME_LENGTH: usize = 249;

impl Broker {
    /// Which brokers and partitions there are. Topics that do not exist may be made.
    pub(super) fn on_metadata_request(&mut self, id: RequestId, request: MetadataRequest, step: &mut Step<'_>) {
        let response = MetadataResponse {
            brokers: live_brokers(&self.image),
            controller_id: self.broker_for_controller_requests(),
            topics: self.metadata_topics(request.topics.as_deref()),
        };
        self.server.respond(id, Response::Metadata(response), step.effects);
        if request.allow_auto_topic_creation && self.config.auto_create_topics_enable {
            self.create_missing(request.topics.unwrap_or_default(), step);
        }
    }

    fn metadata_topics(&self, names: Option<&[TopicName]>) -> Vec<MetadataTopic> {
        let image = &self.image;
        match names {
            Some(names) => names.iter().map(|name| metadata_topic(image, name)).collect(),
            None => image.topics().keys().map(|name| metadata_topic(image, name)).collect(),
        }
    }

    fn create_missing(&mut self, names: Vec<TopicName>, step: &mut Step<'_>) {
        let image = &self.image;
        let is_missing = |name: &TopicName| is_legal(name) && !image.topics().contains_key(name);
        let missing = names.into_iter().filter(is_missing).collect();
        self.create_automatically(missing, step);
    }

    /// Where clients send what is for the controller: in ZooKeeper mode to the controller, else anywhere.
    pub(super) fn broker_for_controller_requests(&mut self) -> Option<BrokerId> {
        match &self.membership {
            Membership::KRaft { .. } => self.draw_live_broker(),
            Membership::ZooKeeper(member) => member.controller_id,
        }
    }

    /// Any live broker takes requests for the controller (`getRandomAliveBrokerId`).
    fn draw_live_broker(&mut self) -> Option<BrokerId> {
        let live = || self.image.brokers().iter().filter(|(_, registration)| !registration.fenced);
        let count = live().count();
        if count == 0 {
            return None;
        }
        let drawn = self.outbound.rng.random_range(0..count as u64);
        live().nth(drawn as usize).map(|(broker, _)| *broker)
    }

    /// The state of topics' partitions in detail.
    pub(super) fn on_describe_topic_partitions(
        &mut self,
        id: RequestId,
        request: DescribeTopicPartitionsRequest,
        step: &mut Step<'_>,
    ) {
        let image = &self.image;
        let mut names = request.topics;
        if names.is_empty() {
            names = image.topics().keys().cloned().collect();
        }
        names.sort();
        let mut topics: Vec<DescribedTopic> = names.iter().map(|name| described_topic(image, name)).collect();
        if self.membership.is_with_zookeeper() {
            topics.iter_mut().for_each(forget_eligible_leaders);
        }
        let response = DescribeTopicPartitionsResponse { topics };
        self.server.respond(id, Response::DescribeTopicPartitions(response), step.effects);
    }
}

/// Brokers that are not fenced.
pub(super) fn live_brokers(image: &ClusterImage) -> Vec<MetadataBroker> {
    let live = image.brokers().iter().filter(|(_, registration)| !registration.fenced);
    live.map(|(broker_id, registration)| MetadataBroker {
        broker_id: *broker_id,
        endpoint: registration.endpoint.clone(),
        rack: registration.rack.clone(),
    })
    .collect()
}

fn metadata_topic(image: &ClusterImage, name: &TopicName) -> MetadataTopic {
    let is_internal = is_internal(name);
    match image.topics().get(name) {
        Some(topic) => MetadataTopic {
            error: ErrorCode::None,
            name: name.clone(),
            topic_id: topic.topic_id,
            is_internal,
            partitions: topic
                .partitions
                .iter()
                .map(|(index, state)| metadata_partition(image, *index, state))
                .collect(),
        },
        None => MetadataTopic {
            error: error_without_topic(name),
            name: name.clone(),
            topic_id: TopicId(0),
            is_internal,
            partitions: Vec::new(),
        },
    }
}

fn metadata_partition(
    image: &ClusterImage,
    partition: PartitionIndex,
    state: &PartitionRegistration,
) -> MetadataPartition {
    let leader = registered_leader(image, state);
    MetadataPartition {
        error: if leader.is_some() { ErrorCode::None } else { ErrorCode::LeaderNotAvailable },
        partition,
        leader,
        leader_epoch: state.leader_epoch,
        replicas: state.replicas.clone(),
        isr: state.isr.clone(),
        offline_replicas: offline_replicas(image, state),
    }
}

fn described_topic(image: &ClusterImage, name: &TopicName) -> DescribedTopic {
    let MetadataTopic { error, name, topic_id, is_internal, partitions } = metadata_topic(image, name);
    let described = partitions.into_iter().map(|partition| described_partition(image, &name, partition)).collect();
    DescribedTopic { error, name, topic_id, is_internal, partitions: described }
}

/// ZooKeeper knows of no eligible leader replicas (KIP-966): clients have them from nobody then.
fn forget_eligible_leaders(topic: &mut DescribedTopic) {
    for partition in &mut topic.partitions {
        (partition.eligible_leader_replicas, partition.last_known_elr) = (None, None);
    }
}

/// Unlike `Metadata`, this answer has no error for a partition without a leader.
fn described_partition(image: &ClusterImage, topic: &TopicName, partition: MetadataPartition) -> DescribedPartition {
    let state = image.partition(&TopicPartition::new(topic.clone(), partition.partition));
    DescribedPartition {
        error: ErrorCode::None,
        partition: partition.partition,
        leader: partition.leader,
        leader_epoch: partition.leader_epoch,
        replicas: partition.replicas,
        isr: partition.isr,
        eligible_leader_replicas: state.map(|state| state.eligible_leader_replicas.clone()),
        last_known_elr: state.map(|state| state.last_known_elr.clone()),
        offline_replicas: partition.offline_replicas,
    }
}

fn registered_leader(image: &ClusterImage, state: &PartitionRegistration) -> Option<BrokerId> {
    state.leader.filter(|leader| image.brokers().contains_key(leader))
}

fn offline_replicas(image: &ClusterImage, state: &PartitionRegistration) -> Vec<BrokerId> {
    let is_offline = |broker: &&BrokerId| image.brokers().get(broker).is_none_or(|registration| registration.fenced);
    state.replicas.iter().filter(is_offline).copied().collect()
}

/// Why a topic that does not exist is not told.
pub(super) fn error_without_topic(name: &TopicName) -> ErrorCode {
    if is_legal(name) { ErrorCode::UnknownTopicOrPartition } else { ErrorCode::InvalidTopic }
}

/// `Topic.validate`.
fn is_legal(name: &TopicName) -> bool {
    let name = name.as_str();
    let is_legal_character = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    !matches!(name, "" | "." | "..") && name.len() <= MAX_TOPIC_NAME_LENGTH && name.chars().all(is_legal_character)
}

/// `Topic.isInternal`.
pub(super) fn is_internal(name: &TopicName) -> bool {
    matches!(name.as_str(), "__consumer_offsets" | "__transaction_state" | "__share_group_state")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_names_are_legal_as_kafka_says() {
        let longest = "a".repeat(249);
        let too_long = "a".repeat(250);
        let cases = [("a", true), ("A.b_c-9", true), ("", false), (".", false), ("..", false), ("...", true)];
        let more = [("a b", false), ("ä", false), ("a/b", false), (&*longest, true), (&*too_long, false)];
        for (name, expected) in cases.into_iter().chain(more) {
            assert_eq!(is_legal(&TopicName::new(name)), expected, "{name}");
        }
    }
}
