//! What becomes of answers that waited to be committed when their controller is not the active one any more:
//! `NOT_CONTROLLER`, each in its own shape.

use wire::response::{
    AllocateProducerIdsResponse, AlterConfigsResult, AlterPartitionReassignmentsResponse, AlterPartitionResponse,
    BrokerHeartbeatResponse, BrokerRegistrationResponse, ControllerRegistrationResponse, ElectLeadersResponse,
    IncrementalAlterConfigsResponse, ListPartitionReassignmentsResponse, TopicResult, TopicResults,
    UnregisterBrokerResponse, UpdateFeaturesResponse,
};
use wire::{BrokerEpoch, ErrorCode, Response};

/// The answer that says so, in place of `response`.
pub(super) fn refused(response: Response) -> Response {
    let error = ErrorCode::NotController;
    match response {
        Response::CreateTopics(results) => Response::CreateTopics(refused_topics(results)),
        Response::CreatePartitions(results) => Response::CreatePartitions(refused_topics(results)),
        Response::DeleteTopics(results) => Response::DeleteTopics(refused_topics(results)),
        Response::BrokerRegistration(_) => {
            Response::BrokerRegistration(BrokerRegistrationResponse { error, broker_epoch: BrokerEpoch::NONE })
        }
        Response::BrokerHeartbeat(_) => Response::BrokerHeartbeat(BrokerHeartbeatResponse {
            error,
            is_caught_up: false,
            is_fenced: true,
            should_shut_down: false,
        }),
        Response::AlterPartition(_) => {
            Response::AlterPartition(AlterPartitionResponse { error, partitions: Vec::new() })
        }
        Response::ElectLeaders(_) => Response::ElectLeaders(ElectLeadersResponse { error, results: Vec::new() }),
        Response::AlterPartitionReassignments(_) => {
            Response::AlterPartitionReassignments(AlterPartitionReassignmentsResponse { error, results: Vec::new() })
        }
        Response::ListPartitionReassignments(_) => {
            Response::ListPartitionReassignments(ListPartitionReassignmentsResponse { error, partitions: Vec::new() })
        }
        Response::IncrementalAlterConfigs(results) => Response::IncrementalAlterConfigs(refused_configs(results)),
        Response::UpdateFeatures(_) => Response::UpdateFeatures(UpdateFeaturesResponse {
            error,
            error_message: Some(error.message().to_owned()),
            results: Vec::new(),
        }),
        Response::UnregisterBroker(_) => {
            let error_message = Some(error.message().to_owned());
            Response::UnregisterBroker(UnregisterBrokerResponse { error, error_message })
        }
        Response::AllocateProducerIds(_) => {
            let (producer_id_start, producer_id_len) = (0, 0);
            Response::AllocateProducerIds(AllocateProducerIdsResponse { error, producer_id_start, producer_id_len })
        }
        Response::ControllerRegistration(_) => {
            Response::ControllerRegistration(ControllerRegistrationResponse { error })
        }
        other @ (Response::ApiVersions(_)
        | Response::Metadata(_)
        | Response::Produce(_)
        | Response::Fetch(_)
        | Response::ListOffsets(_)
        | Response::OffsetForLeaderEpoch(_)
        | Response::DescribeTopicPartitions(_)
        | Response::DescribeConfigs(_)
        | Response::DeleteRecords(_)
        | Response::DescribeLogDirs(_)
        | Response::DescribeCluster(_)
        | Response::InitProducerId(_)
        | Response::Vote(_)
        | Response::BeginQuorumEpoch(_)
        | Response::EndQuorumEpoch(_)
        | Response::FetchSnapshot(_)
        | Response::DescribeQuorum(_)
        | Response::LeaderAndIsr(_)
        | Response::UpdateMetadata(_)
        | Response::StopReplica(_)
        | Response::ControlledShutdown(_)
        | Response::ZooKeeper(_)) => unreachable!("{other:?} does not wait for anything to be committed"),
    }
}

fn refused_topics(results: TopicResults) -> TopicResults {
    let topics = results.topics.into_iter().map(|result| TopicResult {
        topic_id: None,
        error: ErrorCode::NotController,
        error_message: Some(ErrorCode::NotController.message().to_owned()),
        ..result
    });
    TopicResults { topics: topics.collect() }
}

fn refused_configs(results: IncrementalAlterConfigsResponse) -> IncrementalAlterConfigsResponse {
    let results = results.results.into_iter().map(|result| AlterConfigsResult {
        error: ErrorCode::NotController,
        error_message: Some(ErrorCode::NotController.message().to_owned()),
        ..result
    });
    IncrementalAlterConfigsResponse { results: results.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::request::ConfigResource;

    #[test]
    fn answers_to_administration_turn_into_refusals_too() {
        let altered = |error, error_message| {
            let resource = ConfigResource::Broker(None);
            let results = vec![AlterConfigsResult { resource, error, error_message }];
            Response::IncrementalAlterConfigs(IncrementalAlterConfigsResponse { results })
        };
        let message = ErrorCode::NotController.message().to_owned();
        assert_eq!(refused(altered(ErrorCode::None, None)), altered(ErrorCode::NotController, Some(message)));
        let elected = |error| Response::ElectLeaders(ElectLeadersResponse { error, results: Vec::new() });
        assert_eq!(refused(elected(ErrorCode::None)), elected(ErrorCode::NotController));
    }
}
