//! The log lines of Kafka's clients, as log4j prints them for the tools (`config/tools-log4j.properties`): WARN and
//! above, to standard error, time of day in UTC.

use crate::java_exception::JavaException;
use crate::output::joined;
use kafka::event::{ClientLog, SendFailure};
use kafka::spec::{AdminAction, ClientSpec, Program};
use wire::{Endpoint, ErrorCode, Timestamp, TopicName, TopicPartition};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something went wrong and may mend.
    Warn,
    /// Something went wrong.
    Error,
}

/// One call of a logger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How bad it is.
    pub level: Level,
    /// The message; it may hold several lines.
    pub message: String,
    /// The logger: a Java class.
    pub logger: &'static str,
    /// The exception that goes with it.
    pub exception: Option<JavaException>,
}

const NETWORK_CLIENT: &str = "org.apache.kafka.clients.NetworkClient";
const SENDER: &str = "org.apache.kafka.clients.producer.internals.Sender";
const FETCH_COLLECTOR: &str = "org.apache.kafka.clients.consumer.internals.FetchCollector";

impl LogLine {
    /// A warning.
    #[must_use]
    pub fn warn(logger: &'static str, message: String) -> LogLine {
        LogLine { level: Level::Warn, message, logger, exception: None }
    }

    /// An error.
    #[must_use]
    pub fn error(logger: &'static str, message: String) -> LogLine {
        LogLine { level: Level::Error, message, logger, exception: None }
    }

    /// The same line with an exception.
    #[must_use]
    pub fn with(mut self, exception: JavaException) -> LogLine {
        self.exception = Some(exception);
        self
    }

    /// The line, and the exception's trace below it.
    #[must_use]
    pub fn render(&self, now: Timestamp) -> Vec<String> {
        let level = match self.level {
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        };
        let text = format!("[{}] {level} {} ({})", date_time(now), self.message, self.logger);
        let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        lines.extend(self.exception.iter().flat_map(JavaException::trace));
        lines
    }
}

/// What stands in front of every message of a client's log.
#[must_use]
pub fn log_prefix(spec: &ClientSpec) -> String {
    let client_id = &spec.client_id;
    match &spec.program {
        Program::Producer(_) => format!("[Producer clientId={client_id}] "),
        Program::Consumer(consumer) => match &consumer.group_id {
            Some(group_id) => format!("[Consumer clientId={client_id}, groupId={group_id}] "),
            None => format!("[Consumer clientId={client_id}, groupId=null] "),
        },
        Program::Admin(AdminAction::ApiVersions) => format!("[LegacyAdminClient clientId={client_id}] "),
        Program::Topics(_) | Program::Admin(_) => format!("[AdminClient clientId={client_id}] "),
    }
}

/// The line for what a client logged; `None` if the real client logs it below WARN.
#[must_use]
pub fn client_log_line(prefix: &str, log: &ClientLog) -> Option<LogLine> {
    let warn = |logger, message: String| Some(LogLine::warn(logger, format!("{prefix}{message}")));
    match log {
        ClientLog::ConnectionNotEstablished { node, endpoint } => {
            warn(NETWORK_CLIENT, not_established(*node, endpoint))
        }
        ClientLog::BootstrapBrokerDisconnected { node, endpoint } => {
            warn(NETWORK_CLIENT, format!("Bootstrap broker {endpoint} (id: {node} rack: null) disconnected"))
        }
        ClientLog::MetadataIssue { correlation_id, topics } => {
            warn(NETWORK_CLIENT, metadata_issue(*correlation_id, topics))
        }
        ClientLog::InvalidTopics(topics) => Some(LogLine::error(
            "org.apache.kafka.clients.Metadata",
            format!("{prefix}Metadata response reported invalid topics [{}]", joined(topics, ", ")),
        )),
        ClientLog::ProduceRetried { correlation_id, partition, attempts_left, error, message } => warn(
            SENDER,
            format!(
                "Got error produce response with correlation id {correlation_id} on topic-partition {partition}, \
                 retrying ({attempts_left} attempts left). Error: {}",
                error_in_response(*error, message.as_deref())
            ),
        ),
        ClientLog::ProduceSplit { correlation_id, partition, attempts_left, error, message } => warn(
            SENDER,
            format!(
                "Got error produce response in correlation id {correlation_id} on topic-partition {partition}, \
                 splitting and retrying ({attempts_left} attempts left). Error: {}",
                error_in_response(*error, message.as_deref())
            ),
        ),
        ClientLog::ProduceMetadataError { partition, error, message } => {
            warn(SENDER, invalid_metadata(partition, &error_exception(*error, message.as_deref())))
        }
        ClientLog::ProduceUnknownPartition(partition) => warn(SENDER, unknown_in_produce(partition)),
        ClientLog::FetchUnknownPartition(partition) => warn(
            FETCH_COLLECTOR,
            format!("Received unknown topic or partition error in fetch for partition {partition}"),
        ),
        ClientLog::FetchUnknownTopicId(partition) => {
            warn(FETCH_COLLECTOR, format!("Received unknown topic ID error in fetch for partition {partition}"))
        }
        ClientLog::DisconnectedByTimeout { .. } => None,
        ClientLog::NotABroker => Some(not_a_broker(prefix)),
    }
}

fn not_established(node: i32, endpoint: &Endpoint) -> String {
    format!("Connection to node {node} ({}) could not be established. Node may not be available.", resolved(endpoint))
}

fn metadata_issue(correlation_id: i32, topics: &[(TopicName, ErrorCode)]) -> String {
    let topics: Vec<String> = topics.iter().map(|(topic, error)| format!("{topic}={}", error.name())).collect();
    format!(
        "The metadata response from the cluster reported a recoverable issue with correlation id {correlation_id} : \
         {{{}}}",
        topics.join(", ")
    )
}

fn invalid_metadata(partition: &TopicPartition, exception: &JavaException) -> String {
    format!(
        "Received invalid metadata error in produce request on partition {partition} due to {} Going to request \
         metadata update now",
        exception.headline()
    )
}

fn unknown_in_produce(partition: &TopicPartition) -> String {
    format!(
        "Received unknown topic or partition error in produce request on partition {partition}. The topic-partition \
         may not exist or the user may not have Describe access to it"
    )
}

fn not_a_broker(prefix: &str) -> LogLine {
    LogLine::warn(
        "org.apache.kafka.clients.admin.internals.AdminMetadataManager",
        format!("{prefix}The remote node is not a BROKER that supports the METADATA api."),
    )
    .with(JavaException::of_kafka("UnsupportedVersionException", "The node does not support METADATA"))
}

/// An address as Java prints it once its host is resolved.
fn resolved(endpoint: &Endpoint) -> String {
    match &*endpoint.host {
        "localhost" => format!("localhost/127.0.0.1:{}", endpoint.port),
        host => format!("{host}:{}", endpoint.port),
    }
}

/// The exception that stands for an error code.
#[must_use]
pub fn error_exception(error: ErrorCode, message: Option<&str>) -> JavaException {
    JavaException::of_kafka(error.exception(), message.unwrap_or(error.message()))
}

/// The exception with which a record's `send` failed.
#[must_use]
pub fn send_failure_exception(topic: &TopicName, failure: &SendFailure) -> JavaException {
    let timeout = |message: String| JavaException::of_kafka("TimeoutException", &message);
    match failure {
        SendFailure::Error { error, message } => error_exception(*error, message.as_deref()),
        SendFailure::NotInMetadata { after_ms, cause } => {
            let exception = timeout(format!("Topic {topic} not present in metadata after {after_ms} ms."));
            match cause {
                Some(cause) => exception.caused_by(error_exception(*cause, None)),
                None => exception,
            }
        }
        SendFailure::PartitionNotInMetadata { partition, partition_count, after_ms } => timeout(format!(
            "Partition {partition} of topic {topic} with partition count {partition_count} is not present in metadata \
             after {after_ms} ms."
        )),
        SendFailure::Expired { partition, records, after_ms } => timeout(format!(
            "Expiring {records} record(s) for {partition}:{after_ms} ms has passed since batch creation"
        )),
        SendFailure::TooLarge { bytes, max_request_size } => JavaException::of_kafka(
            "RecordTooLargeException",
            &format!(
                "The message is {bytes} bytes when serialized which is larger than {max_request_size}, which is the \
                 value of the max.request.size configuration."
            ),
        ),
        SendFailure::InvalidTopic => {
            JavaException::of_kafka("InvalidTopicException", &format!("Invalid topics: [{topic}]"))
        }
        SendFailure::BufferExhausted { bytes, after_ms, total_memory, available_memory, poolable_size } => {
            JavaException::new(
                "org.apache.kafka.clients.producer.BufferExhaustedException",
                &format!(
                    "Failed to allocate {bytes} bytes within the configured max blocking time {after_ms} ms. \
                     Total memory: {total_memory} bytes. Available memory: {available_memory} bytes. \
                     Poolable size: {poolable_size} bytes"
                ),
            )
        }
    }
}

const MS_PER_DAY: i64 = 86_400_000;

/// `yyyy-MM-dd HH:mm:ss,SSS` in UTC.
#[must_use]
pub fn date_time(timestamp: Timestamp) -> String {
    let (year, month, day) = civil_date(timestamp.0.div_euclid(MS_PER_DAY));
    let ms = timestamp.0.rem_euclid(MS_PER_DAY);
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02} {hours:02}:{minutes:02}:{seconds:02},{:03}", ms % 1_000)
}

/// Year, month and day in the Gregorian calendar of a day counted from 1970-01-01. Works in eras of 400 years that
/// begin on 1 March, so that the leap day is the last day of a year.
fn civil_date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `Sender.formatErrMsg`.
fn error_in_response(error: ErrorCode, message: Option<&str>) -> String {
    let message = message.map(|message| format!(". Error Message: {message}")).unwrap_or_default();
    format!("{}{message}", error.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::PartitionIndex;

    #[test]
    fn times_are_printed_as_log4j_prints_them() {
        let cases = [
            (0, "1970-01-01 00:00:00,000"),
            (951_782_400_000, "2000-02-29 00:00:00,000"),
            (1_795_231_868_699, "2026-11-21 03:31:08,699"),
            (-1, "1969-12-31 23:59:59,999"),
        ];
        for (ms, text) in cases {
            assert_eq!(date_time(Timestamp(ms)), text);
        }
    }

    #[test]
    fn log_lines_have_the_words_of_the_real_clients() {
        let partition = || TopicPartition::new(TopicName::new("ld"), PartitionIndex(0));
        let error = ErrorCode::NetworkException;
        let message = Some("Disconnected from node 3".to_owned());
        let retried = ClientLog::ProduceRetried {
            correlation_id: 11,
            partition: partition(),
            attempts_left: 2,
            error,
            message: message.clone(),
        };
        let split = ClientLog::ProduceSplit {
            correlation_id: 7,
            partition: partition(),
            attempts_left: 3,
            error: ErrorCode::MessageTooLarge,
            message: None,
        };
        let metadata = ClientLog::ProduceMetadataError { partition: partition(), error, message };
        let cases = [
            (
                split,
                "Got error produce response in correlation id 7 on topic-partition ld-0, splitting and retrying (3 \
                 attempts left). Error: MESSAGE_TOO_LARGE",
            ),
            (
                retried,
                "Got error produce response with correlation id 11 on topic-partition ld-0, retrying (2 attempts \
                 left). Error: NETWORK_EXCEPTION. Error Message: Disconnected from node 3",
            ),
            (
                metadata,
                "Received invalid metadata error in produce request on partition ld-0 due to \
                 org.apache.kafka.common.errors.NetworkException: Disconnected from node 3 Going to request metadata \
                 update now",
            ),
            (
                ClientLog::ConnectionNotEstablished { node: -1, endpoint: Endpoint::new("localhost", 9092) },
                "Connection to node -1 (localhost/127.0.0.1:9092) could not be established. Node may not be available.",
            ),
        ];
        for (log, expected) in cases {
            assert_eq!(client_log_line("", &log).unwrap().message, expected);
        }
    }
}
