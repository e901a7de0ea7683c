//! What becomes of answers that waited to be committed when their controller is not the active one any more:
//! `NOT_CONTROLLER`, each in its own shape.

use wire::response::{
    AlterPartitionResponse, BrokerHeartbeatResponse, BrokerRegistrationResponse, TopicResult, TopicResults,
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
        other => unreachable!("{other:?} does not wait for anything to be committed"),
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
