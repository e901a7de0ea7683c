//! Which error codes an answer carries, for whoever asks what a run was about.

use wire::response::PartitionResult;
use wire::{ErrorCode, Response};

/// Calls `count` with every code in the answer, success among them.
pub(crate) fn codes_of(response: &Response, count: &mut dyn FnMut(ErrorCode)) {
    match response {
        Response::ApiVersions(_) | Response::DescribeCluster(_) | Response::ZooKeeper(_) => {}
        Response::Metadata(answer) => answer.topics.iter().for_each(|topic| {
            count(topic.error);
            topic.partitions.iter().for_each(|partition| count(partition.error));
        }),
        Response::Produce(answer) => answer.partitions.iter().for_each(|partition| count(partition.error)),
        Response::Fetch(answer) => {
            count(answer.error);
            answer.partitions.iter().for_each(|partition| count(partition.error));
        }
        Response::ListOffsets(answer) => answer.partitions.iter().for_each(|partition| count(partition.error)),
        Response::OffsetForLeaderEpoch(answer) => answer.partitions.iter().for_each(|partition| count(partition.error)),
        Response::CreateTopics(answer) | Response::CreatePartitions(answer) | Response::DeleteTopics(answer) => {
            answer.topics.iter().for_each(|topic| count(topic.error));
        }
        Response::DescribeTopicPartitions(answer) => answer.topics.iter().for_each(|topic| {
            count(topic.error);
            topic.partitions.iter().for_each(|partition| count(partition.error));
        }),
        Response::ElectLeaders(answer) => of_partitions(answer.error, &answer.results, count),
        Response::AlterPartitionReassignments(answer) => of_partitions(answer.error, &answer.results, count),
        Response::ListPartitionReassignments(answer) => count(answer.error),
        Response::IncrementalAlterConfigs(answer) => answer.results.iter().for_each(|result| count(result.error)),
        Response::DescribeConfigs(answer) => answer.results.iter().for_each(|result| count(result.error)),
        Response::DeleteRecords(answer) => answer.results.iter().for_each(|result| count(result.error)),
        Response::DescribeLogDirs(answer) => {
            count(answer.error);
            answer.log_dirs.iter().for_each(|dir| count(dir.error));
        }
        Response::UpdateFeatures(answer) => {
            count(answer.error);
            answer.results.iter().for_each(|result| count(result.error));
        }
        Response::UnregisterBroker(answer) => count(answer.error),
        Response::InitProducerId(answer) => count(answer.error),
        Response::AllocateProducerIds(answer) => count(answer.error),
        Response::BrokerRegistration(answer) => count(answer.error),
        Response::ControllerRegistration(answer) => count(answer.error),
        Response::BrokerHeartbeat(answer) => count(answer.error),
        Response::AlterPartition(answer) => {
            count(answer.error);
            answer.partitions.iter().for_each(|partition| count(partition.error));
        }
        Response::Vote(answer) => count(answer.error),
        Response::BeginQuorumEpoch(answer) | Response::EndQuorumEpoch(answer) => count(answer.error),
        Response::FetchSnapshot(answer) => count(answer.error),
        Response::DescribeQuorum(answer) => count(answer.error),
        Response::LeaderAndIsr(answer) | Response::StopReplica(answer) => {
            count(answer.error);
            answer.partitions.iter().for_each(|(_, error)| count(*error));
        }
        Response::UpdateMetadata(error) => count(*error),
        Response::ControlledShutdown(answer) => count(answer.error),
    }
}

fn of_partitions(error: ErrorCode, results: &[PartitionResult], count: &mut dyn FnMut(ErrorCode)) {
    count(error);
    results.iter().for_each(|result| count(result.error));
}
