//! What `kafka-topics` prints of the cluster's answers.

use crate::admin_tool::failure_exception;
use crate::console_text::Reaction;
use crate::java_exception::JavaException;
use crate::log_lines::LogLine;
use crate::output::{Piece, joined};
use crate::topics::DescribeFilter;
use kafka::event::{ClientEvent, TopicDescription};
use wire::response::{DescribedPartition, OngoingReassignment};
use wire::{BrokerId, TopicName};

const LOGGER: &str = "org.apache.kafka.tools.TopicCommand";

/// A failed action: one line on standard output, and the exception in the log (`TopicCommand.printException`).
#[must_use]
pub fn failure(exception: &JavaException) -> Vec<Piece> {
    let mut trace = exception.trace().join("\n");
    trace.push('\n');
    vec![
        Piece::Out(format!("Error while executing topic command : {}", exception.message())),
        Piece::Log(LogLine::error(LOGGER, trace)),
    ]
}

/// What an event of the admin client makes the tool print.
#[must_use]
pub fn react(filter: DescribeFilter, event: &ClientEvent) -> Reaction {
    match event {
        ClientEvent::TopicCreated(topic) => Reaction::print(vec![Piece::Out(format!("Created topic {topic}."))]),
        ClientEvent::TopicsListed(topics) => Reaction::print(vec![Piece::Out(listed(topics))]),
        ClientEvent::TopicsDescribed(topics) => Reaction::print(described(filter, topics)),
        ClientEvent::AdminFailed(reason) => Reaction::print(failure(&failure_exception(reason))),
        ClientEvent::BatchAcknowledged { .. }
        | ClientEvent::RecordFailed { .. }
        | ClientEvent::RecordConsumed { .. }
        | ClientEvent::PositionReset { .. }
        | ClientEvent::LeaderDiscovered { .. }
        | ClientEvent::Logged(_)
        | ClientEvent::ConsumerTimedOut
        | ClientEvent::ConsumerFinished { .. }
        | ClientEvent::ConsumerFailed { .. }
        | ClientEvent::AdminAnswered(_) => Reaction::default(),
    }
}

fn listed(topics: &[TopicName]) -> String {
    topics.iter().map(TopicName::as_str).collect::<Vec<_>>().join("\n")
}

fn described(filter: DescribeFilter, topics: &[TopicDescription]) -> Vec<Piece> {
    topics.iter().flat_map(|topic| topic_rows(filter, topic)).map(Piece::Out).collect()
}

fn topic_rows(filter: DescribeFilter, topic: &TopicDescription) -> Vec<String> {
    let shows_some = filter.under_replicated || filter.unavailable || filter.under_min_isr || filter.at_min_isr;
    let mut rows = Vec::new();
    if !shows_some && (!filter.with_overrides || !topic.configs.is_empty()) {
        rows.push(topic_row(topic));
    }
    let mut partitions: Vec<&DescribedPartition> = topic.topic.partitions.iter().collect();
    partitions.sort_by_key(|partition| partition.partition);
    partitions.retain(|partition| !filter.with_overrides && (!shows_some || is_wanted(filter, topic, partition)));
    rows.extend(partitions.into_iter().map(|partition| partition_row(topic, partition)));
    rows
}

fn is_wanted(filter: DescribeFilter, topic: &TopicDescription, partition: &DescribedPartition) -> bool {
    let in_sync = i32::try_from(partition.isr.len()).unwrap_or(i32::MAX);
    let is_available = partition.leader.is_some_and(|leader| topic.live_brokers.contains(&leader));
    let is_under_min_isr = partition.leader.is_none() || in_sync < topic.min_insync_replicas;
    (filter.under_replicated && partition.isr.len() < replication_factor(topic, partition))
        || (filter.unavailable && !is_available)
        || (filter.under_min_isr && is_under_min_isr)
        || (filter.at_min_isr && in_sync == topic.min_insync_replicas)
}

fn topic_row(topic: &TopicDescription) -> String {
    let described = &topic.topic;
    let configs: Vec<String> = topic.configs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!(
        "Topic: {}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}",
        described.name,
        described.topic_id,
        described.partitions.len(),
        described
            .partitions
            .iter()
            .min_by_key(|partition| partition.partition)
            .map_or(0, |first| replication_factor(topic, first)),
        configs.join(",")
    )
}

fn reassignment<'a>(topic: &'a TopicDescription, partition: &DescribedPartition) -> Option<&'a OngoingReassignment> {
    topic.reassignments.iter().find(|ongoing| ongoing.partition.partition == partition.partition)
}

/// Replicas that come do not count yet.
fn replication_factor(topic: &TopicDescription, partition: &DescribedPartition) -> usize {
    let adding = reassignment(topic, partition).map_or(0, |ongoing| ongoing.adding_replicas.len());
    partition.replicas.len() - adding
}

fn partition_row(topic: &TopicDescription, partition: &DescribedPartition) -> String {
    let moving = reassignment(topic, partition).map_or_else(String::new, |ongoing| {
        let (adding, removing) = (joined(&ongoing.adding_replicas, ","), joined(&ongoing.removing_replicas, ","));
        format!("\tAdding Replicas: {adding}\tRemoving Replicas: {removing}")
    });
    format!(
        "\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}{moving}\tElr: {}\tLastKnownElr: {}",
        topic.topic.name,
        partition.partition,
        partition.leader.map_or_else(|| "none".to_owned(), |leader| leader.to_string()),
        joined(&partition.replicas, ","),
        joined(&partition.isr, ","),
        joined_if_known(partition.eligible_leader_replicas.as_deref()),
        joined_if_known(partition.last_known_elr.as_deref()),
    )
}

/// Older brokers do not tell.
fn joined_if_known(brokers: Option<&[BrokerId]>) -> String {
    brokers.map_or_else(|| "N/A".to_owned(), |brokers| joined(brokers, ","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::response::DescribedTopic;
    use wire::{ErrorCode, LeaderEpoch, PartitionIndex, TopicId};

    fn ids(brokers: &[i32]) -> Vec<BrokerId> {
        brokers.iter().copied().map(BrokerId).collect()
    }

    fn partition(index: i32, leader: Option<i32>, replicas: &[i32], isr: &[i32]) -> DescribedPartition {
        DescribedPartition {
            error: ErrorCode::None,
            partition: PartitionIndex(index),
            leader: leader.map(BrokerId),
            leader_epoch: LeaderEpoch::ZERO,
            replicas: ids(replicas),
            isr: ids(isr),
            eligible_leader_replicas: Some(Vec::new()),
            last_known_elr: Some(Vec::new()),
            offline_replicas: Vec::new(),
        }
    }

    fn described_rows(filter: DescribeFilter) -> Vec<String> {
        let partitions = vec![
            partition(1, Some(2), &[2, 3, 1], &[2, 1]),
            partition(0, Some(1), &[1, 2, 3], &[1, 2, 3]),
            partition(2, None, &[3, 1, 2], &[3]),
        ];
        let topic = TopicDescription {
            topic: DescribedTopic {
                error: ErrorCode::None,
                name: TopicName::new("t"),
                topic_id: TopicId(1),
                is_internal: false,
                partitions,
            },
            configs: vec![("min.insync.replicas".to_owned(), "2".to_owned())],
            min_insync_replicas: 2,
            reassignments: Vec::new(),
            live_brokers: ids(&[1, 2]),
        };
        let line = |piece: Piece| {
            let Piece::Out(line) = piece else { panic!("{piece:?}") };
            line
        };
        described(filter, &[topic]).into_iter().map(line).collect()
    }

    const NONE: DescribeFilter = DescribeFilter {
        under_replicated: false,
        unavailable: false,
        under_min_isr: false,
        at_min_isr: false,
        with_overrides: false,
    };

    #[test]
    fn a_description_has_a_row_for_the_topic_and_one_for_each_partition() {
        let expected = [
            "Topic: t\tTopicId: AAAAAAAAAAAAAAAAAAAAAQ\tPartitionCount: 3\tReplicationFactor: 3\tConfigs: \
             min.insync.replicas=2",
            "\tTopic: t\tPartition: 0\tLeader: 1\tReplicas: 1,2,3\tIsr: 1,2,3\tElr: \tLastKnownElr: ",
            "\tTopic: t\tPartition: 1\tLeader: 2\tReplicas: 2,3,1\tIsr: 2,1\tElr: \tLastKnownElr: ",
            "\tTopic: t\tPartition: 2\tLeader: none\tReplicas: 3,1,2\tIsr: 3\tElr: \tLastKnownElr: ",
        ];
        assert_eq!(described_rows(NONE), expected);
    }

    #[test]
    fn a_filter_leaves_the_rows_it_asks_for() {
        let numbers = |filter| -> Vec<String> {
            let number = |row: &String| row.split("Partition: ").nth(1).map_or("topic", |rest| &rest[..1]).to_owned();
            described_rows(filter).iter().map(number).collect()
        };
        assert_eq!(numbers(DescribeFilter { under_replicated: true, ..NONE }), ["1", "2"]);
        assert_eq!(numbers(DescribeFilter { unavailable: true, ..NONE }), ["2"]);
        assert_eq!(numbers(DescribeFilter { under_min_isr: true, ..NONE }), ["2"]);
        assert_eq!(numbers(DescribeFilter { at_min_isr: true, ..NONE }), ["1"]);
        assert_eq!(numbers(DescribeFilter { with_overrides: true, ..NONE }), ["topic"]);
    }
}
