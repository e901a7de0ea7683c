//! Why a record was given up or a call failed, in Kafka's own words: exception class and message, not translated.

use kafka::event::{AdminFailure, SendFailure};
use shell::admin_tool::failure_exception;
use shell::java_exception::JavaException;
use shell::log_lines::send_failure_exception;
use wire::TopicName;

/// The exception as a producer's callback gets it, with its cause.
pub(crate) fn failure_text(topic: &TopicName, failure: &SendFailure) -> String {
    on_one_line(&send_failure_exception(topic, failure))
}

/// The error of a `kafka-topics` call.
pub(crate) fn admin_failure_text(failure: &AdminFailure) -> String {
    on_one_line(&failure_exception(failure))
}

fn on_one_line(exception: &JavaException) -> String {
    exception.trace().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::ErrorCode;

    #[test]
    fn failures_read_as_the_exceptions_of_kafka() {
        let failure = SendFailure::NotInMetadata { after_ms: 60_000, cause: Some(ErrorCode::UnknownTopicOrPartition) };
        assert_eq!(
            failure_text(&TopicName::new("t"), &failure),
            "org.apache.kafka.common.errors.TimeoutException: Topic t not present in metadata after 60000 ms. \
             Caused by: org.apache.kafka.common.errors.UnknownTopicOrPartitionException: \
             This server does not host this topic-partition."
        );
    }
}
