//! What the console producer and the console consumer print of their clients' events.

use crate::console_consumer::LOGGER as CONSUMER_LOGGER;
use crate::java_exception::JavaException;
use crate::line_reader::LineReader;
use crate::log_lines::{LogLine, client_log_line, send_failure_exception};
use crate::message_formatter::{ConsumedRecord, MessageFormatter};
use crate::output::Piece;
use crate::plan::Face;
use crate::{
    api_versions, cluster, configs_text, delete_records, features, get_offsets, leader_election, log_dirs,
    metadata_quorum, reassign_text, topics_text, zookeeper_shell_text,
};
use kafka::event::{ClientEvent, SendFailure};
use wire::{Timestamp, TopicName};

/// What an event makes a tool do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaction {
    /// What it prints.
    pub pieces: Vec<Piece>,
    /// The exit status with which the program will end, if the event decides that.
    pub status: Option<i32>,
}

impl Reaction {
    /// A reaction that only prints.
    #[must_use]
    pub fn print(pieces: Vec<Piece>) -> Reaction {
        Reaction { pieces, status: None }
    }
}

/// What an event of a client makes its tool do. `prefix` stands in front of its log lines, and
/// `now` is the time of day.
#[must_use]
pub fn react(face: &Face, prefix: &str, now: Timestamp, event: &ClientEvent) -> Reaction {
    if let ClientEvent::Logged(log) = event {
        return Reaction::print(client_log_line(prefix, log).map(Piece::Log).into_iter().collect());
    }
    match face {
        Face::Topics(filter) => topics_text::react(*filter, event),
        Face::GetOffsets => get_offsets::react(event),
        Face::DeleteRecords(partitions) => delete_records::react(partitions, prefix, event),
        Face::ApiVersions => api_versions::react(event),
        Face::ZooKeeper { commands, port } => zookeeper_shell_text::react(commands, *port, event),
        Face::LogDirs(topics) => log_dirs::react(topics, event),
        Face::Cluster(action) => cluster::react(*action, prefix, event),
        Face::Features(asked) => features::react(asked.as_ref(), event),
        Face::Quorum(shown) => metadata_quorum::react(*shown, now, event),
        Face::LeaderElection => leader_election::react(event),
        Face::ReassignPartitions => reassign_text::react(event),
        Face::Configs { arguments } => configs_text::react(arguments, event),
        Face::Producer(reader) => producer_reaction(reader, event),
        Face::Consumer(formatter) => consumer_reaction(formatter, event),
    }
}

fn producer_reaction(reader: &LineReader, event: &ClientEvent) -> Reaction {
    match event {
        ClientEvent::RecordFailed { topic, failure, .. } if reader.is_synchronous() => sync_failed(topic, failure),
        ClientEvent::RecordFailed { topic, key_bytes, value_bytes, failure } => {
            let sizes = format!("key: {}, value: {}", size(*key_bytes), size(*value_bytes));
            let message = format!("Error when sending message to topic {topic} with {sizes} with error:");
            let logger = "org.apache.kafka.clients.producer.internals.ErrorLoggingCallback";
            let line = LogLine::error(logger, message).with(send_failure_exception(topic, failure));
            Reaction::print(vec![Piece::Log(line)])
        }
        ClientEvent::BatchAcknowledged { .. }
        | ClientEvent::RecordConsumed { .. }
        | ClientEvent::PositionReset { .. }
        | ClientEvent::LeaderDiscovered { .. }
        | ClientEvent::Logged(_)
        | ClientEvent::ConsumerTimedOut
        | ClientEvent::ConsumerFinished { .. }
        | ClientEvent::ConsumerFailed { .. }
        | ClientEvent::TopicCreated(_)
        | ClientEvent::TopicsListed(_)
        | ClientEvent::TopicsDescribed(_)
        | ClientEvent::AdminAnswered(_)
        | ClientEvent::AdminFailed(_) => Reaction::default(),
    }
}

/// With `--sync` the failed send throws out of the program.
fn sync_failed(topic: &TopicName, failure: &SendFailure) -> Reaction {
    let cause = send_failure_exception(topic, failure);
    let exception = JavaException::new("java.util.concurrent.ExecutionException", &cause.headline()).caused_by(cause);
    Reaction { pieces: Piece::trace(&exception), status: Some(1) }
}

fn size(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "null".to_owned(), |bytes| format!("{bytes} bytes"))
}

fn consumer_reaction(formatter: &MessageFormatter, event: &ClientEvent) -> Reaction {
    match event {
        ClientEvent::RecordConsumed { partition, offset, timestamp, timestamp_type, record } => {
            let message = ConsumedRecord {
                partition: partition.partition,
                offset: *offset,
                timestamp: *timestamp,
                timestamp_type: *timestamp_type,
                record,
            };
            Reaction::print(vec![Piece::Text(formatter.format(message))])
        }
        ClientEvent::ConsumerTimedOut => {
            terminated(JavaException::bare("org.apache.kafka.common.errors.TimeoutException"))
        }
        ClientEvent::ConsumerFailed { exception, message } => terminated(JavaException::new(exception, message)),
        ClientEvent::ConsumerFinished { messages } => {
            Reaction::print(vec![Piece::Err(format!("Processed a total of {messages} messages"))])
        }
        ClientEvent::BatchAcknowledged { .. }
        | ClientEvent::RecordFailed { .. }
        | ClientEvent::PositionReset { .. }
        | ClientEvent::LeaderDiscovered { .. }
        | ClientEvent::Logged(_)
        | ClientEvent::TopicCreated(_)
        | ClientEvent::TopicsListed(_)
        | ClientEvent::TopicsDescribed(_)
        | ClientEvent::AdminAnswered(_)
        | ClientEvent::AdminFailed(_) => Reaction::default(),
    }
}

fn terminated(exception: JavaException) -> Reaction {
    let message = "Error processing message, terminating consumer process: ".to_owned();
    Reaction::print(vec![Piece::Log(LogLine::error(CONSUMER_LOGGER, message).with(exception))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Output, Stream};
    use kafka::instant::{Instant, WallClock};
    use wire::{ErrorCode, Timestamp};

    fn printed(face: &Face, event: &ClientEvent) -> String {
        let mut output = Output::default();
        let clock = WallClock { epoch: Timestamp(0) };
        react(face, "", Timestamp(0), event).pieces.iter().for_each(|piece| output.push(piece, Instant(0), clock));
        output.text(Stream::Err)
    }

    fn failed(failure: SendFailure) -> ClientEvent {
        ClientEvent::RecordFailed { topic: TopicName::new("nope"), key_bytes: None, value_bytes: Some(1), failure }
    }

    #[test]
    fn a_record_that_failed_is_reported_as_kafka_reports_it() {
        let face = Face::Producer(LineReader::new("nope", &[], false).unwrap());
        let failure = SendFailure::NotInMetadata { after_ms: 5_000, cause: Some(ErrorCode::UnknownTopicOrPartition) };
        let expected = "[1970-01-01 00:00:00,000] ERROR Error when sending message to topic nope with key: null, value: \
                        1 bytes with error: (org.apache.kafka.clients.producer.internals.ErrorLoggingCallback)\n\
                        org.apache.kafka.common.errors.TimeoutException: Topic nope not present in metadata after \
                        5000 ms.\n\
                        Caused by: org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server does \
                        not host this topic-partition.\n";
        assert_eq!(printed(&face, &failed(failure)), expected);
    }

    #[test]
    fn with_sync_a_record_that_failed_ends_the_program() {
        let face = Face::Producer(LineReader::new("nope", &[], true).unwrap());
        let failure = SendFailure::Error { error: ErrorCode::NotEnoughReplicas, message: None };
        let reaction = react(&face, "", Timestamp(0), &failed(failure));
        assert_eq!((reaction.status, reaction.pieces.len()), (Some(1), 2));
    }

    #[test]
    fn a_consumer_that_waits_in_vain_says_so() {
        let face = Face::Consumer(MessageFormatter::new(crate::message_formatter::Kind::Default, &[]));
        let expected = "[1970-01-01 00:00:00,000] ERROR Error processing message, terminating consumer process:  \
                        (org.apache.kafka.tools.consumer.ConsoleConsumer)\n\
                        org.apache.kafka.common.errors.TimeoutException\n";
        assert_eq!(printed(&face, &ClientEvent::ConsumerTimedOut), expected);
    }
}
