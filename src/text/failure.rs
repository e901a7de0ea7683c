//! Why a record was given up or a call failed, in Kafka's own words: exception class and message, not translated.

use kafka::event::{SendFailure, TopicsFailure};
use wire::ErrorCode;

/// The exception as a producer's callback gets it.
pub(crate) fn failure_text(failure: &SendFailure) -> String {
    match failure {
        SendFailure::Error { error, message } => exception(*error, message.as_deref()),
        SendFailure::NotInMetadata { after_ms, .. } => {
            format!("TimeoutException: Topic not present in metadata after {after_ms} ms.")
        }
        SendFailure::PartitionNotInMetadata { partition, partition_count, after_ms } => format!(
            "TimeoutException: Partition {partition} of topic with partition count {partition_count} is not present in metadata after {after_ms} ms."
        ),
        SendFailure::Expired { partition, records, after_ms } => format!(
            "TimeoutException: Expiring {records} record(s) for {partition}:{after_ms} ms has passed since batch creation"
        ),
        SendFailure::TooLarge { bytes, max_request_size } => format!(
            "RecordTooLargeException: The message is {bytes} bytes when serialized which is larger than {max_request_size}, which is the value of the max.request.size configuration."
        ),
        SendFailure::InvalidTopic => exception(ErrorCode::InvalidTopic, None),
    }
}

/// The error of a `kafka-topics` call.
pub(crate) fn topics_failure_text(failure: &TopicsFailure) -> String {
    match failure {
        TopicsFailure::NoSuchTopic(topic) => {
            format!("IllegalArgumentException: Topic '{topic}' does not exist as expected")
        }
        TopicsFailure::NoSuchTopicId(id) => {
            format!("IllegalArgumentException: TopicId '{id}' does not exist as expected")
        }
        TopicsFailure::Refused { error, message } => exception(*error, Some(message)),
        TopicsFailure::TimedOut { call, message } => format!("TimeoutException: {call}: {message}"),
    }
}

fn exception(error: ErrorCode, message: Option<&str>) -> String {
    format!("{}: {}", error.exception(), message.unwrap_or(error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_read_as_the_exceptions_of_kafka() {
        let failure = SendFailure::Error { error: ErrorCode::NotEnoughReplicas, message: None };
        assert!(failure_text(&failure).starts_with("NotEnoughReplicasException: "));
        let failure = SendFailure::TooLarge { bytes: 2_000_000, max_request_size: 1_048_576 };
        assert_eq!(
            failure_text(&failure),
            "RecordTooLargeException: The message is 2000000 bytes when serialized which is larger than 1048576, which is the value of the max.request.size configuration."
        );
    }
}
