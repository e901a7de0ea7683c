//! The producer program against brokers that the test plays.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test names what it expects; the rest is wrong or of no interest")]

use crate::client::testing::{T0, World, failed_metadata, metadata, partition, port_of, record, topic};
use crate::event::{ClientEvent, ClientLog, SendFailure};
use crate::instant::{Duration, Instant};
use crate::node::{ExitStatus, Instruction};
use crate::spec::{ProducerConfig, ProducerSpec, Program, Workload};
use crate::view::NodeView;
use std::sync::Arc;
use wire::request::{Acks, ProduceRequest};
use wire::response::{CurrentLeader, ProducePartitionResult, ProduceResponse};
use wire::{
    BrokerId, Endpoint, ErrorCode, LeaderEpoch, Offset, PartitionIndex, Record, RecordBatch, Request, Response,
    Timestamp,
};

fn producer(config: ProducerConfig) -> Program {
    Program::Producer(ProducerSpec { config, is_synchronous: false, workload: None })
}

/// As `kafka-console-producer` sets it.
fn console() -> ProducerConfig {
    ProducerConfig { linger_ms: 1_000, request_timeout_ms: 1_500, retries: 3, ..ProducerConfig::default() }
}

fn result(request: &ProduceRequest, error: ErrorCode, base_offset: i64) -> Response {
    let partitions = request.partitions.iter().map(|asked| ProducePartitionResult {
        partition: asked.partition.clone(),
        error,
        error_message: None,
        base_offset: Offset(base_offset),
        log_append_time: Timestamp(-1),
        log_start_offset: Offset(0),
        current_leader: None,
    });
    Response::Produce(ProduceResponse { partitions: partitions.collect() })
}

fn started(config: ProducerConfig) -> World {
    World::start(producer(config), &[9_092], &[9_092, 9_093, 9_094])
}

/// A producer that knows topic `t`, led by broker 1, and has a connection to it and the first batch on it.
fn with_batch_in_flight(config: ProducerConfig) -> (World, crate::client::testing::Asked) {
    let mut world = started(config);
    world.tell(Instruction::Produce(record("t", "x")));
    let asked = world.next_request();
    world.answer(&asked, Response::Metadata(metadata("t", &[(Some(1), 0)])));
    let asked = world.next_request();
    (world, asked)
}

fn produce_of(request: &Request) -> &ProduceRequest {
    match request {
        Request::Produce(produce) => produce,
        other => panic!("not a produce request: {other:?}"),
    }
}

#[test]
fn the_first_metadata_request_has_correlation_id_1_and_names_the_topic() {
    let mut world = started(console());
    world.tell(Instruction::Produce(record("t", "x")));
    let asked = world.next_request();
    assert_eq!((asked.correlation_id, asked.port), (1, 9_092));
    let Request::Metadata(request) = asked.request else { panic!("not metadata: {:?}", asked.request) };
    assert_eq!(request.topics, Some(vec![topic("t")]));
    assert!(request.allow_auto_topic_creation);
}

#[test]
fn a_record_is_sent_to_the_leader_and_acknowledged() {
    let (mut world, asked) = with_batch_in_flight(ProducerConfig::default());
    let batch = RecordBatch::from_producer(vec![Record::new(None, Some(b"x"), T0)]);
    let request = produce_of(&asked.request);
    assert_eq!((asked.port, request.acks, request.timeout_ms), (9_092, Acks::All, 30_000));
    assert_eq!(*request.partitions[0].batch, batch);
    world.answer(&asked, result(request, ErrorCode::None, 41));
    assert_eq!(
        world.take_events(),
        [ClientEvent::BatchAcknowledged {
            partition: partition("t", 0),
            first_offset: Offset(41),
            last_offset: Offset(41),
            acks: Acks::All,
            batch: Arc::new(batch),
        }]
    );
    world.tell(Instruction::EndOfInput);
    assert_eq!(world.exit, Some(ExitStatus(0)));
    let NodeView::Producer(view) = world.client.view() else { panic!("a producer has a producer's view") };
    assert_eq!((view.waiting, view.pending, view.acknowledged, view.failed), (0, 0, 1, 0));
    assert_eq!(view.last_offsets, [(partition("t", 0), Offset(41))]);
}

#[test]
fn records_linger_together_and_the_end_of_input_sends_them_at_once() {
    let mut world = started(console());
    for value in ["a", "b", "c"] {
        world.tell(Instruction::Produce(record("t", value)));
    }
    let asked = world.next_request();
    world.answer(&asked, Response::Metadata(metadata("t", &[(Some(1), 0)])));
    world.run(900, &mut |asked| panic!("nothing is sent yet: {asked:?}"));
    world.tell(Instruction::EndOfInput);
    let asked = world.next_request();
    let request = produce_of(&asked.request);
    assert_eq!(request.partitions[0].batch.records().len(), 3);
    assert_eq!(world.exit, None, "the batch is not answered yet");
    world.answer(&asked, result(request, ErrorCode::None, 0));
    assert_eq!(world.exit, Some(ExitStatus(0)));
}

#[test]
fn linger_ends_by_itself() {
    let mut world = started(console());
    world.tell(Instruction::Produce(record("t", "a")));
    let mut sent_at = None;
    world.run(2_000, &mut |asked| match &asked.request {
        Request::Metadata(_) => Some(Response::Metadata(metadata("t", &[(Some(1), 0)]))),
        Request::Produce(request) => {
            sent_at = Some(asked.at);
            Some(result(request, ErrorCode::None, 0))
        }
        other => panic!("unexpected {other:?}"),
    });
    assert_eq!(sent_at.map(Instant::as_ms), Some(1_000));
}

#[test]
fn an_interrupt_flushes_what_was_handed_over_and_exits_with_130() {
    let (mut world, asked) = with_batch_in_flight(ProducerConfig::default());
    world.tell(Instruction::Interrupt);
    assert_eq!(world.exit, None);
    world.answer(&asked, result(produce_of(&asked.request), ErrorCode::None, 0));
    assert_eq!(world.exit, Some(ExitStatus(130)));
}

#[test]
fn a_bootstrap_server_that_is_down_is_logged_in_pairs_at_growing_intervals() {
    let mut world = World::start(producer(ProducerConfig { max_block_ms: 5_000, ..console() }), &[9_192], &[]);
    world.tell(Instruction::Produce(record("here", "x")));
    world.run(5_000, &mut |asked| panic!("nobody listens: {asked:?}"));
    let failed = world.events.iter().find(|(_, event)| matches!(event, ClientEvent::RecordFailed { .. })).cloned();
    let failure = SendFailure::NotInMetadata { after_ms: 5_000, cause: None };
    let event = ClientEvent::RecordFailed { topic: topic("here"), key_bytes: None, value_bytes: Some(1), failure };
    assert_eq!(failed.map(|(at, event)| (at.as_ms(), event)), Some((5_000, event)));
    let logs = world.take_logs();
    let endpoint = Endpoint::new("localhost", 9_192);
    for pair in logs.chunks(2) {
        assert_eq!(pair[0].1, ClientLog::ConnectionNotEstablished { node: -1, endpoint: endpoint.clone() });
        assert_eq!(pair[1].1, ClientLog::BootstrapBrokerDisconnected { node: -1, endpoint: endpoint.clone() });
    }
    let times: Vec<i64> = logs.iter().step_by(2).map(|(at, _)| *at).collect();
    let pauses: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let expected = [(80, 120), (80, 120), (160, 240), (320, 480), (640, 960), (800, 1_001), (800, 1_001)];
    assert!(pauses.len() >= expected.len(), "{pauses:?}");
    for (pause, (low, high)) in pauses.iter().zip(expected) {
        assert!((low..=high).contains(pause), "{pauses:?}");
    }
}

#[test]
fn a_missing_topic_is_asked_for_with_growing_back_off_and_given_up_with_its_cause() {
    let mut world =
        World::start(producer(ProducerConfig { max_block_ms: 5_000, ..console() }), &[9_092], &[9_092, 9_093, 9_094]);
    world.tell(Instruction::Produce(record("nope", "x")));
    world.run(5_000, &mut |_| Some(Response::Metadata(failed_metadata("nope", ErrorCode::UnknownTopicOrPartition))));
    let failure = SendFailure::NotInMetadata { after_ms: 5_000, cause: Some(ErrorCode::UnknownTopicOrPartition) };
    assert!(world.events.iter().any(|(at, event)| at.as_ms() == 5_000
        && matches!(event, ClientEvent::RecordFailed { failure: actual, .. } if *actual == failure)));
    let logs = world.take_logs();
    let topics = vec![(topic("nope"), ErrorCode::UnknownTopicOrPartition)];
    assert_eq!(logs[0], (0, ClientLog::MetadataIssue { correlation_id: 1, topics }));
    let times: Vec<i64> = logs.iter().map(|(at, _)| *at).collect();
    for (pause, (low, high)) in times.windows(2).map(|pair| pair[1] - pair[0]).zip([
        (80, 120),
        (160, 240),
        (320, 480),
        (640, 960),
        (800, 1_001),
    ]) {
        assert!((low..=high).contains(&pause), "{times:?}");
    }
}

#[test]
fn an_illegal_topic_name_fails_at_once() {
    let mut world = started(console());
    world.tell(Instruction::Produce(record("bad name", "x")));
    let asked = world.next_request();
    world.answer(&asked, Response::Metadata(failed_metadata("bad name", ErrorCode::InvalidTopic)));
    let topics = vec![(topic("bad name"), ErrorCode::InvalidTopic)];
    let failure = SendFailure::InvalidTopic;
    assert_eq!(
        world.take_events(),
        [
            ClientEvent::Logged(ClientLog::MetadataIssue { correlation_id: 1, topics }),
            ClientEvent::Logged(ClientLog::InvalidTopics(vec![topic("bad name")])),
            ClientEvent::RecordFailed { topic: topic("bad name"), key_bytes: None, value_bytes: Some(1), failure },
        ]
    );
}

#[test]
fn an_error_is_retried_with_back_off_until_no_attempts_are_left() {
    let mut world = started(ProducerConfig { linger_ms: 0, ..console() });
    world.tell(Instruction::Produce(record("t", "x")));
    let mut sent_at = Vec::new();
    world.run(3_000, &mut |asked| match &asked.request {
        Request::Metadata(_) => Some(Response::Metadata(metadata("t", &[(Some(1), 0)]))),
        Request::Produce(request) => {
            sent_at.push(asked.at.as_ms());
            Some(result(request, ErrorCode::NotEnoughReplicas, -1))
        }
        other => panic!("unexpected {other:?}"),
    });
    let pauses: Vec<i64> = sent_at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses.len(), 3, "{pauses:?}");
    for (pause, (low, high)) in pauses.iter().zip([(80, 121), (160, 241), (320, 481)]) {
        assert!((low..=high).contains(pause), "{pauses:?}");
    }
    let events = world.take_events();
    let left: Vec<i32> = events
        .iter()
        .filter_map(|event| match event {
            ClientEvent::Logged(ClientLog::ProduceRetried { attempts_left, error, .. }) => {
                assert_eq!(*error, ErrorCode::NotEnoughReplicas);
                Some(*attempts_left)
            }
            _ => None,
        })
        .collect();
    assert_eq!(left, [2, 1, 0]);
    let failure = SendFailure::Error { error: ErrorCode::NotEnoughReplicas, message: None };
    let failed = ClientEvent::RecordFailed { topic: topic("t"), key_bytes: None, value_bytes: Some(1), failure };
    assert_eq!(events.last(), Some(&failed));
}

#[test]
fn a_batch_without_leader_expires() {
    let config = ProducerConfig { delivery_timeout_ms: 6_000, ..console() };
    let mut world = started(config);
    world.tell(Instruction::Produce(record("solo", "x")));
    world.run(7_000, &mut |asked| {
        assert!(matches!(asked.request, Request::Metadata(_)), "nothing can be sent");
        Some(Response::Metadata(metadata("solo", &[(None, 3)])))
    });
    let failure = SendFailure::Expired { partition: partition("solo", 0), records: 1, after_ms: 6_000 };
    let event = ClientEvent::RecordFailed { topic: topic("solo"), key_bytes: None, value_bytes: Some(1), failure };
    assert_eq!(world.events.last().map(|(at, event)| (at.as_ms(), event.clone())), Some((6_000, event)));
}

#[test]
fn a_batch_in_flight_expires_too_and_its_late_answer_is_ignored() {
    let config = ProducerConfig { delivery_timeout_ms: 3_000, request_timeout_ms: 30_000, ..ProducerConfig::default() };
    let (mut world, asked) = with_batch_in_flight(config);
    world.run(3_500, &mut |_| None);
    let events = world.take_events();
    assert!(
        matches!(&events[..], [ClientEvent::RecordFailed { failure: SendFailure::Expired { .. }, .. }]),
        "{events:?}"
    );
    world.answer(&asked, result(produce_of(&asked.request), ErrorCode::None, 0));
    assert_eq!(world.take_events(), []);
    world.tell(Instruction::EndOfInput);
    assert_eq!(world.exit, Some(ExitStatus(0)));
}

#[test]
fn a_record_above_max_request_size_is_refused_with_its_estimated_size() {
    let mut world = started(ProducerConfig { max_request_size: 100, ..ProducerConfig::default() });
    world.tell(Instruction::Produce(record("t", &"x".repeat(50))));
    let asked = world.next_request();
    world.answer(&asked, Response::Metadata(metadata("t", &[(Some(1), 0)])));
    let failure = SendFailure::TooLarge { bytes: 61 + 21 + 1 + 1 + 50 + 1, max_request_size: 100 };
    let failed = ClientEvent::RecordFailed { topic: topic("t"), key_bytes: None, value_bytes: Some(50), failure };
    assert_eq!(world.take_events(), [failed]);
}

#[test]
fn a_dead_leader_is_logged_and_the_batch_goes_to_the_new_one() {
    let (mut world, asked) = with_batch_in_flight(ProducerConfig { retries: 3, ..ProducerConfig::default() });
    world.kill(9_092);
    let message = Some("Disconnected from node 1".to_owned());
    let error = ErrorCode::NetworkException;
    let (correlation_id, partition_0) = (asked.correlation_id, partition("t", 0));
    let retried = ClientLog::ProduceRetried {
        correlation_id,
        partition: partition_0.clone(),
        attempts_left: 2,
        error,
        message: message.clone(),
    };
    let invalid = ClientLog::ProduceMetadataError { partition: partition_0.clone(), error, message };
    assert_eq!(world.take_events(), [ClientEvent::Logged(retried), ClientEvent::Logged(invalid)]);
    let mut sent_to = Vec::new();
    world.run(2_000, &mut |asked| match &asked.request {
        Request::Metadata(_) if asked.at.as_ms() < 500 => Some(Response::Metadata(metadata("t", &[(Some(1), 0)]))),
        Request::Metadata(_) => Some(Response::Metadata(metadata("t", &[(Some(2), 1)]))),
        Request::Produce(request) => {
            sent_to.push(asked.port);
            Some(result(request, ErrorCode::None, 5))
        }
        other => panic!("unexpected {other:?}"),
    });
    assert_eq!(sent_to, [port_of(2)]);
    let events = world.take_events();
    let refused = ClientLog::ConnectionNotEstablished { node: 1, endpoint: Endpoint::new("localhost", 9_092) };
    assert!(events.contains(&ClientEvent::Logged(refused)), "{events:?}");
    let leader = BrokerId(2);
    let learnt = ClientEvent::LeaderDiscovered { partition: partition_0, leader, leader_epoch: LeaderEpoch(1) };
    assert!(events.contains(&learnt), "{events:?}");
}

#[test]
fn the_leader_named_in_an_error_is_used_without_back_off() {
    let (mut world, asked) = with_batch_in_flight(ProducerConfig::default());
    let Response::Produce(mut response) = result(produce_of(&asked.request), ErrorCode::NotLeaderOrFollower, -1) else {
        panic!("a produce request has a produce response")
    };
    response.partitions[0].current_leader = Some(CurrentLeader {
        leader: BrokerId(3),
        leader_epoch: LeaderEpoch(1),
        endpoint: Endpoint::new("localhost", port_of(3)),
    });
    world.answer(&asked, Response::Produce(response));
    let mut sent = Vec::new();
    world.run(300, &mut |asked| match &asked.request {
        Request::Metadata(_) => Some(Response::Metadata(metadata("t", &[(Some(1), 0)]))),
        Request::Produce(request) => {
            sent.push((asked.port, asked.at.as_ms()));
            Some(result(request, ErrorCode::None, 5))
        }
        other => panic!("unexpected {other:?}"),
    });
    assert_eq!(sent.len(), 1);
    let (port, at) = sent[0];
    assert_eq!(port, port_of(3), "stale metadata does not undo what the leader said");
    assert!(at < 200, "{sent:?}");
}

#[test]
fn an_answer_that_takes_too_long_closes_the_connection_and_is_retried() {
    let (mut world, asked) = with_batch_in_flight(ProducerConfig { linger_ms: 0, ..console() });
    world.run(1_500, &mut |_| None);
    let message = Some("Disconnected from node 1 due to timeout".to_owned());
    let retried = ClientLog::ProduceRetried {
        correlation_id: asked.correlation_id,
        partition: partition("t", 0),
        attempts_left: 2,
        error: ErrorCode::RequestTimedOut,
        message,
    };
    assert_eq!(world.take_logs(), [(1_500, ClientLog::DisconnectedByTimeout { node: 1 }), (1_500, retried)]);
    assert_eq!(world.closed, 1);
}

#[test]
fn without_acknowledgement_a_record_counts_as_sent_at_once() {
    let (mut world, asked) = with_batch_in_flight(ProducerConfig { acks: Acks::None, ..ProducerConfig::default() });
    assert_eq!(produce_of(&asked.request).acks, Acks::None);
    let events = world.take_events();
    assert!(
        matches!(&events[..], [ClientEvent::BatchAcknowledged { first_offset: Offset(-1), acks: Acks::None, .. }]),
        "{events:?}"
    );
    world.kill(9_092);
    assert_eq!(world.take_events(), [], "nothing waits for an answer");
}

#[test]
fn a_batch_that_is_too_large_for_the_broker_is_split_and_sent_again_at_once() {
    let config = ProducerConfig { linger_ms: 10, retries: 3, ..ProducerConfig::default() };
    let mut world = started(config);
    for value in ["a", "b"] {
        world.tell(Instruction::Produce(record("t", value)));
    }
    let mut sent = Vec::new();
    world.run(1_000, &mut |asked| match &asked.request {
        Request::Metadata(_) => Some(Response::Metadata(metadata("t", &[(Some(1), 0)]))),
        Request::Produce(request) => {
            sent.push((asked.at.as_ms(), request.partitions[0].batch.records().len()));
            let is_first = sent.len() == 1;
            Some(result(request, if is_first { ErrorCode::MessageTooLarge } else { ErrorCode::None }, 0))
        }
        other => panic!("unexpected {other:?}"),
    });
    assert_eq!(sent, [(10, 2), (10, 2)], "split at batch.size, the records still fit one batch");
    assert!(world.take_events().iter().any(|event| matches!(
        event,
        ClientEvent::Logged(ClientLog::ProduceSplit { error: ErrorCode::MessageTooLarge, attempts_left: 3, .. })
    )));
}

#[test]
fn a_batch_that_is_split_in_vain_expires_after_the_delivery_timeout() {
    let config = ProducerConfig { linger_ms: 10, delivery_timeout_ms: 2_000, ..ProducerConfig::default() };
    let mut world = started(config);
    for value in ["a", "b"] {
        world.tell(Instruction::Produce(record("t", value)));
    }
    world.tell(Instruction::EndOfInput);
    let asked = world.next_request();
    world.answer(&asked, Response::Metadata(metadata("t", &[(Some(1), 0)])));
    for _ in 0..14 {
        assert_eq!(world.exit, None, "the batch is not given up yet");
        let asked = world.next_request();
        world.now = world.now + Duration::from_ms(150);
        world.answer(&asked, result(produce_of(&asked.request), ErrorCode::MessageTooLarge, -1));
    }
    let failure = SendFailure::Expired { partition: partition("t", 0), records: 2, after_ms: 2_100 };
    let is_expired =
        |event: &ClientEvent| matches!(event, ClientEvent::RecordFailed { failure: why, .. } if *why == failure);
    assert_eq!(world.take_events().iter().filter(|event| is_expired(event)).count(), 2);
    assert_eq!(world.exit, Some(ExitStatus(0)));
}

#[test]
fn keyed_records_go_to_the_partition_of_their_key_and_batches_fill_up() {
    let config = ProducerConfig { linger_ms: 10, ..ProducerConfig::default() };
    let workload =
        Workload { topic: topic("t"), interval_ms: 5, keys: vec!["user-1".into()], value_prefix: "v".into() };
    let spec = ProducerSpec { config, is_synchronous: false, workload: Some(workload) };
    let mut world = World::start(Program::Producer(spec), &[9_092], &[9_092, 9_093, 9_094]);
    let mut values = Vec::new();
    world.run(1_000, &mut |asked| match &asked.request {
        Request::Metadata(_) => Some(Response::Metadata(metadata("t", &[(Some(1), 0), (Some(2), 0), (Some(3), 0)]))),
        Request::Produce(request) => {
            assert_eq!((asked.port, request.partitions[0].partition.clone()), (port_of(3), partition("t", 2)));
            for record in request.partitions[0].batch.records() {
                let value = record.value.as_ref().expect("workload records have values");
                values.push(String::from_utf8(value.to_vec()).expect("they are text"));
            }
            Some(result(request, ErrorCode::None, 0))
        }
        other => panic!("unexpected {other:?}"),
    });
    assert!(values.len() > 150, "{}", values.len());
    let expected: Vec<String> = (1..=values.len()).map(|number| format!("v{number}")).collect();
    assert_eq!(values, expected);
}

#[test]
fn a_synchronous_producer_waits_for_each_answer() {
    let spec = ProducerSpec { config: ProducerConfig::default(), is_synchronous: true, workload: None };
    let mut world = World::start(Program::Producer(spec), &[9_092], &[9_092, 9_093, 9_094]);
    world.tell(Instruction::Produce(record("t", "a")));
    world.tell(Instruction::Produce(record("t", "b")));
    let asked = world.next_request();
    world.answer(&asked, Response::Metadata(metadata("t", &[(Some(1), 0)])));
    let first = world.next_request();
    assert_eq!(produce_of(&first.request).partitions[0].batch.records().len(), 1);
    assert!(world.asked.is_empty());
    world.answer(&first, result(produce_of(&first.request), ErrorCode::None, 0));
    let second = world.next_request();
    assert_eq!(produce_of(&second.request).partitions[0].batch.records()[0].value.as_deref(), Some(&b"b"[..]));
}

#[test]
fn a_partition_that_does_not_exist_holds_the_record_up() {
    let mut world = started(ProducerConfig { max_block_ms: 1_000, ..ProducerConfig::default() });
    let nowhere = crate::node::ProducerRecord { partition: Some(PartitionIndex(7)), ..record("t", "x") };
    world.tell(Instruction::Produce(nowhere));
    world.run(1_000, &mut |_| Some(Response::Metadata(metadata("t", &[(Some(1), 0)]))));
    let events = world.take_events();
    let failure = SendFailure::NotInMetadata { after_ms: 1_000, cause: None };
    let failed = ClientEvent::RecordFailed { topic: topic("t"), key_bytes: None, value_bytes: Some(1), failure };
    assert_eq!(events, [failed]);
}

#[test]
fn a_record_without_memory_waits_and_is_given_up() {
    let config = ProducerConfig {
        buffer_memory: 20_000,
        max_block_ms: 2_000,
        delivery_timeout_ms: 10_000,
        ..ProducerConfig::default()
    };
    let mut world = started(config);
    for index in [0, 1] {
        let placed = crate::node::ProducerRecord { partition: Some(PartitionIndex(index)), ..record("t", "x") };
        world.tell(Instruction::Produce(placed));
    }
    world.run(2_500, &mut |_| Some(Response::Metadata(metadata("t", &[(None, 0), (None, 0)]))));
    let events = world.take_events();
    let failure = SendFailure::BufferExhausted {
        bytes: 16_384,
        after_ms: 2_000,
        total_memory: 20_000,
        available_memory: 3_616,
        poolable_size: 16_384,
    };
    let failed = ClientEvent::RecordFailed { topic: topic("t"), key_bytes: None, value_bytes: Some(1), failure };
    assert_eq!(events, [failed]);
}

#[test]
fn a_producer_whose_leader_is_down_wakes_up_seldom() {
    let (mut world, _) = with_batch_in_flight(ProducerConfig::default());
    world.kill(9_092);
    world.wake_ups = 0;
    world.run(10_000, &mut |asked| match &asked.request {
        Request::Metadata(_) => Some(Response::Metadata(metadata("t", &[(Some(1), 0)]))),
        other => panic!("unexpected {other:?}"),
    });
    assert!((10..100).contains(&world.wake_ups), "{}", world.wake_ups);
}

#[test]
fn one_request_in_flight_keeps_the_order_of_a_partition_when_retrying() {
    let config = ProducerConfig { max_in_flight_requests_per_connection: 1, ..ProducerConfig::default() };
    let (mut world, first) = with_batch_in_flight(config);
    world.tell(Instruction::Produce(record("t", "y")));
    world.settle();
    assert!(world.asked.is_empty(), "the partition is muted");
    world.answer(&first, result(produce_of(&first.request), ErrorCode::NotEnoughReplicas, -1));
    let mut values = Vec::new();
    world.run(1_000, &mut |asked| match &asked.request {
        Request::Produce(request) => {
            values.push(request.partitions[0].batch.records()[0].value.as_deref().map(<[u8]>::to_vec));
            Some(result(request, ErrorCode::None, 0))
        }
        other => panic!("unexpected {other:?}"),
    });
    assert_eq!(values, [Some(b"x".to_vec()), Some(b"y".to_vec())]);
}
