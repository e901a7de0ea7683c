//! The consumer program against brokers that the test plays.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test names what it expects; the rest is wrong or of no interest")]

use crate::client::testing::{Asked, T0, World, brokers, failed_metadata, metadata, partition, port_of, topic};
use crate::event::{ClientEvent, ClientLog};
use crate::node::{ExitStatus, Instruction};
use crate::spec::{AutoOffsetReset, ConsumerConfig, ConsumerSpec, Program, StartOffset, Subscription};
use crate::view::NodeView;
use std::sync::Arc;
use wire::request::{FetchRequest, OffsetSpec};
use wire::response::{
    EpochEndOffset, FetchPartitionResult, FetchResponse, ListOffsetsResponse, ListOffsetsResult, MetadataResponse,
    OffsetForLeaderEpochResponse, OffsetForLeaderResult,
};
use wire::{
    BrokerId, ErrorCode, LeaderEpoch, Offset, PartitionIndex, Record, RecordBatch, Request, Response, Timestamp,
    TopicPartition,
};

fn consumer(subscription: Subscription) -> ConsumerSpec {
    let config = ConsumerConfig { auto_offset_reset: AutoOffsetReset::Earliest, ..ConsumerConfig::default() };
    ConsumerSpec { config, subscription, group_id: None, max_messages: None, timeout_ms: None }
}

fn started(spec: ConsumerSpec) -> World {
    World::start(Program::Consumer(spec), &[9_092], &[9_092, 9_093, 9_094])
}

fn topic_t() -> Subscription {
    Subscription::Topic(topic("t"))
}

fn at(offset: i64) -> Subscription {
    let (partition, start) = (PartitionIndex(0), Some(StartOffset::At(Offset(offset))));
    Subscription::Partition { topic: topic("t"), partition, start }
}

/// A batch of records from `base` on, each with its offset as its value.
fn batch(base: i64, count: i64, epoch: i32) -> Arc<RecordBatch> {
    let record = |offset: i64| Record::new(None, Some(offset.to_string().as_bytes()), T0);
    let batch = RecordBatch::from_producer((base..base + count).map(record).collect());
    Arc::new(batch.appended_at(Offset(base), LeaderEpoch(epoch)))
}

fn fetched(partition: TopicPartition, error: ErrorCode, batches: Vec<Arc<RecordBatch>>) -> Response {
    let result = FetchPartitionResult { batches, ..FetchPartitionResult::failed(partition, error) };
    Response::Fetch(FetchResponse::sessionless(vec![result]))
}

fn listed(request: &wire::request::ListOffsetsRequest, earliest: i64, latest: i64) -> Response {
    let partitions = request.partitions.iter().map(|asked| ListOffsetsResult {
        partition: asked.partition.clone(),
        error: ErrorCode::None,
        timestamp: Timestamp(-1),
        offset: Offset(if asked.spec == OffsetSpec::Earliest { earliest } else { latest }),
        leader_epoch: LeaderEpoch(0),
    });
    Response::ListOffsets(ListOffsetsResponse { partitions: partitions.collect() })
}

fn fetch_of(asked: &Asked) -> &FetchRequest {
    match &asked.request {
        Request::Fetch(fetch) => fetch,
        other => panic!("not a fetch: {other:?}"),
    }
}

fn offsets(events: &[ClientEvent]) -> Vec<i64> {
    let consumed = events.iter().filter_map(|event| match event {
        ClientEvent::RecordConsumed { offset, .. } => Some(offset.0),
        _ => None,
    });
    consumed.collect()
}

/// Answers as a broker with `end` records in the only partition, led by broker 1 in epoch 0, would.
fn serve(end: i64) -> impl FnMut(&Asked) -> Option<Response> {
    move |asked| match &asked.request {
        Request::Metadata(_) => Some(Response::Metadata(metadata("t", &[(Some(1), 0)]))),
        Request::ListOffsets(request) => Some(listed(request, 0, end)),
        Request::Fetch(request) => {
            let from = request.partitions[0].fetch_offset.0;
            (from < end).then(|| fetched(partition("t", 0), ErrorCode::None, vec![batch(from, end - from, 0)]))
        }
        other => panic!("unexpected {other:?}"),
    }
}

#[test]
fn a_subscribed_consumer_starts_with_correlation_id_2_and_an_assigned_one_with_1() {
    for (subscription, first) in [(topic_t(), 2), (at(0), 1)] {
        let asked = started(consumer(subscription)).next_request();
        assert_eq!(asked.correlation_id, first);
        let Request::Metadata(request) = asked.request else { panic!("not metadata") };
        assert_eq!(request.topics, Some(vec![topic("t")]));
    }
}

#[test]
fn everything_is_read_from_the_beginning_in_order() {
    let mut world = started(consumer(topic_t()));
    let asked = world.next_request();
    world.answer(&asked, Response::Metadata(metadata("t", &[(Some(1), 4)])));
    let asked = world.next_request();
    let Request::ListOffsets(request) = &asked.request else { panic!("not ListOffsets: {asked:?}") };
    let wanted = &request.partitions[0];
    assert_eq!((asked.port, wanted.spec, wanted.current_leader_epoch), (9_092, OffsetSpec::Earliest, LeaderEpoch(4)));
    world.answer(&asked, listed(request, 2, 9));
    assert_eq!(world.take_events(), [ClientEvent::PositionReset { partition: partition("t", 0), offset: Offset(2) }]);
    let asked = world.next_request();
    let wanted = &fetch_of(&asked).partitions[0];
    assert_eq!((wanted.fetch_offset, wanted.current_leader_epoch), (Offset(2), LeaderEpoch(4)));
    world.answer(&asked, fetched(partition("t", 0), ErrorCode::None, vec![batch(0, 4, 4), batch(4, 2, 4)]));
    assert_eq!(offsets(&world.take_events()), [2, 3, 4, 5], "the first batch begins below the position");
    let next = world.next_request();
    assert_eq!(fetch_of(&next).partitions[0].fetch_offset, Offset(6));
    let NodeView::Consumer(view) = world.client.view() else { panic!("a consumer has a consumer's view") };
    assert_eq!((view.consumed, view.positions[0].position), (4, Some(Offset(6))));
}

#[test]
fn one_poll_hands_over_at_most_max_poll_records() {
    let mut spec = consumer(topic_t());
    spec.config.max_poll_records = 3;
    let mut world = started(spec);
    world.run(100, &mut serve(8));
    let mut by_time: Vec<(i64, Vec<i64>)> = Vec::new();
    for (time, event) in &world.events {
        if let ClientEvent::RecordConsumed { offset, .. } = event {
            match by_time.last_mut() {
                Some((last, offsets)) if *last == time.as_ms() => offsets.push(offset.0),
                _ => by_time.push((time.as_ms(), vec![offset.0])),
            }
        }
    }
    assert_eq!(by_time, [(0, vec![0, 1, 2]), (1, vec![3, 4, 5]), (2, vec![6, 7])]);
}

#[test]
fn max_messages_ends_the_program() {
    let mut world = started(ConsumerSpec { max_messages: Some(3), ..consumer(topic_t()) });
    world.run(100, &mut serve(10));
    let events = world.take_events();
    assert_eq!(offsets(&events), [0, 1, 2]);
    assert_eq!(events.last(), Some(&ClientEvent::ConsumerFinished { messages: 3 }));
    assert_eq!(world.exit, Some(ExitStatus(0)));
}

#[test]
fn the_idle_timeout_counts_from_the_last_record() {
    let mut world = started(ConsumerSpec { timeout_ms: Some(3_000), ..consumer(topic_t()) });
    let mut is_first = true;
    world.run(2_000, &mut |asked| match &asked.request {
        Request::Fetch(_) if asked.at.as_ms() < 1_500 => {
            let was_first = std::mem::replace(&mut is_first, false);
            was_first.then(|| fetched(partition("t", 0), ErrorCode::None, vec![batch(0, 1, 0)]))
        }
        Request::Fetch(_) => None,
        _ => serve(1)(asked),
    });
    world.run(5_000, &mut |_| None);
    let at: Vec<(i64, ClientEvent)> = world.events.iter().map(|(at, event)| (at.as_ms(), event.clone())).collect();
    let end = at.len() - 2;
    assert_eq!(
        at[end..],
        [(3_000, ClientEvent::ConsumerTimedOut), (3_000, ClientEvent::ConsumerFinished { messages: 1 })]
    );
    assert_eq!(world.exit, Some(ExitStatus(0)));
}

#[test]
fn an_interrupt_tells_the_count_and_exits_with_130() {
    let mut world = started(consumer(topic_t()));
    world.run(100, &mut serve(2));
    world.tell(Instruction::Interrupt);
    assert_eq!(world.take_events().last(), Some(&ClientEvent::ConsumerFinished { messages: 2 }));
    assert_eq!(world.exit, Some(ExitStatus(130)));
}

#[test]
fn an_offset_out_of_range_follows_the_reset_policy() {
    let mut spec = consumer(at(500));
    spec.config.auto_offset_reset = AutoOffsetReset::Latest;
    let mut world = started(spec);
    let mut fetched_from = Vec::new();
    world.run(100, &mut |asked| match &asked.request {
        Request::Fetch(request) if request.partitions[0].fetch_offset == Offset(500) => {
            fetched_from.push(500);
            Some(fetched(partition("t", 0), ErrorCode::OffsetOutOfRange, Vec::new()))
        }
        Request::Fetch(request) => {
            fetched_from.push(request.partitions[0].fetch_offset.0);
            None
        }
        _ => serve(10)(asked),
    });
    assert_eq!(fetched_from, [500, 10]);
    let name = partition("t", 0);
    assert_eq!(
        world.take_events(),
        [
            ClientEvent::PositionReset { partition: name.clone(), offset: Offset(500) },
            ClientEvent::PositionReset { partition: name, offset: Offset(10) },
        ]
    );
}

#[test]
fn an_offset_out_of_range_without_policy_is_an_error() {
    let mut spec = consumer(at(500));
    spec.config.auto_offset_reset = AutoOffsetReset::None;
    let mut world = started(spec);
    world.run(100, &mut |asked| match &asked.request {
        Request::Fetch(_) => Some(fetched(partition("t", 0), ErrorCode::OffsetOutOfRange, Vec::new())),
        _ => serve(10)(asked),
    });
    let exception = "org.apache.kafka.clients.consumer.OffsetOutOfRangeException".to_owned();
    let message = "Fetch position FetchPosition{offset=500, offsetEpoch=Optional.empty, \
                   currentLeader=LeaderAndEpoch{leader=Optional[localhost:9092 (id: 1 rack: null)], epoch=0}} \
                   is out of range for partition t-0"
        .to_owned();
    let events = world.take_events();
    let end = events.len() - 2;
    assert_eq!(
        events[end..],
        [ClientEvent::ConsumerFailed { exception, message }, ClientEvent::ConsumerFinished { messages: 0 }]
    );
    assert_eq!(world.exit, Some(ExitStatus(0)));
}

/// Reads records 0 to 4 from broker 1 in epoch 0; then broker 2 leads in epoch 1 and its log of epoch 0 ends at `end`.
fn after_leader_change(policy: AutoOffsetReset, end: i64) -> (World, Vec<(u16, i64)>) {
    let mut spec = consumer(at(0));
    spec.config.auto_offset_reset = policy;
    let mut world = started(spec);
    world.run(50, &mut serve(5));
    world.events.clear();
    world.kill(9_092);
    let mut fetches = Vec::new();
    world.run(1_000, &mut |asked| match &asked.request {
        Request::Metadata(_) => Some(Response::Metadata(metadata("t", &[(Some(2), 1)]))),
        Request::OffsetForLeaderEpoch(request) => {
            let asked_for = &request.partitions[0];
            assert_eq!((asked_for.leader_epoch, asked_for.current_leader_epoch), (LeaderEpoch(0), LeaderEpoch(1)));
            let end = EpochEndOffset { leader_epoch: LeaderEpoch(0), end_offset: Offset(end) };
            let result = OffsetForLeaderResult { partition: partition("t", 0), error: ErrorCode::None, end };
            Some(Response::OffsetForLeaderEpoch(OffsetForLeaderEpochResponse { partitions: vec![result] }))
        }
        Request::Fetch(request) => {
            fetches.push((asked.port, request.partitions[0].fetch_offset.0));
            None
        }
        other => panic!("unexpected {other:?}"),
    });
    (world, fetches)
}

#[test]
fn a_new_leader_confirms_the_position_before_it_is_read_from() {
    let (mut world, fetches) = after_leader_change(AutoOffsetReset::Latest, 5);
    assert_eq!(fetches, [(port_of(2), 5)]);
    let events = world.take_events();
    let (leader, leader_epoch) = (BrokerId(2), LeaderEpoch(1));
    assert!(events.contains(&ClientEvent::LeaderDiscovered { partition: partition("t", 0), leader, leader_epoch }));
    assert!(!events.iter().any(|event| matches!(event, ClientEvent::PositionReset { .. })));
}

#[test]
fn a_position_that_was_truncated_away_goes_back_to_the_divergence() {
    let (mut world, fetches) = after_leader_change(AutoOffsetReset::Latest, 3);
    assert_eq!(fetches, [(port_of(2), 3)]);
    let reset = ClientEvent::PositionReset { partition: partition("t", 0), offset: Offset(3) };
    assert!(world.take_events().contains(&reset));
}

#[test]
fn truncation_without_reset_policy_is_an_error() {
    let (mut world, fetches) = after_leader_change(AutoOffsetReset::None, 3);
    assert_eq!(fetches, []);
    let exception = "org.apache.kafka.clients.consumer.LogTruncationException".to_owned();
    let message = "Truncated partitions detected with divergent offsets \
                   {t-0=OffsetAndMetadata{offset=3, leaderEpoch=0, metadata=''}}"
        .to_owned();
    assert!(world.take_events().contains(&ClientEvent::ConsumerFailed { exception, message }));
}

#[test]
fn a_fenced_epoch_makes_the_consumer_ask_for_metadata() {
    let mut world = started(consumer(at(0)));
    let mut ports = Vec::new();
    world.run(1_000, &mut |asked| match &asked.request {
        Request::Metadata(_) if ports.is_empty() => Some(Response::Metadata(metadata("t", &[(Some(1), 0)]))),
        Request::Metadata(_) => Some(Response::Metadata(metadata("t", &[(Some(3), 2)]))),
        Request::Fetch(_) => {
            ports.push(asked.port);
            (asked.port == port_of(1)).then(|| fetched(partition("t", 0), ErrorCode::FencedLeaderEpoch, Vec::new()))
        }
        other => panic!("unexpected {other:?}"),
    });
    assert_eq!(ports, [port_of(1), port_of(3)]);
}

#[test]
fn a_missing_topic_is_waited_for() {
    let mut world = started(ConsumerSpec { timeout_ms: Some(3_000), ..consumer(topic_t()) });
    world.run(4_000, &mut |_| Some(Response::Metadata(failed_metadata("t", ErrorCode::UnknownTopicOrPartition))));
    let topics = vec![(topic("t"), ErrorCode::UnknownTopicOrPartition)];
    let issue = ClientLog::MetadataIssue { correlation_id: 2, topics };
    assert_eq!(world.events[0], (crate::instant::Instant(0), ClientEvent::Logged(issue)));
    assert_eq!(world.take_events().last(), Some(&ClientEvent::ConsumerFinished { messages: 0 }));
    assert_eq!(world.exit, Some(ExitStatus(0)));
}

#[test]
fn a_missing_partition_is_waited_for_in_silence() {
    let subscription = Subscription::Partition {
        topic: topic("t"),
        partition: PartitionIndex(7),
        start: Some(StartOffset::At(Offset(0))),
    };
    let mut world = started(ConsumerSpec { timeout_ms: Some(5_000), ..consumer(subscription) });
    let mut asked_for_metadata = 0;
    world.run(6_000, &mut |asked| {
        asked_for_metadata += 1;
        serve(10)(asked)
    });
    assert!((5..20).contains(&asked_for_metadata), "{asked_for_metadata}");
    let events = world.take_events();
    assert_eq!(
        events,
        [
            ClientEvent::PositionReset { partition: partition("t", 7), offset: Offset(0) },
            ClientEvent::ConsumerTimedOut,
            ClientEvent::ConsumerFinished { messages: 0 },
        ]
    );
}

#[test]
fn an_illegal_topic_name_ends_the_program() {
    let mut world = started(consumer(Subscription::Topic(topic("bad name"))));
    world.run(100, &mut |_| Some(Response::Metadata(failed_metadata("bad name", ErrorCode::InvalidTopic))));
    let exception = "org.apache.kafka.common.errors.InvalidTopicException".to_owned();
    let message = "Invalid topics: [bad name]".to_owned();
    let events = world.take_events();
    assert!(events.contains(&ClientEvent::ConsumerFailed { exception, message }), "{events:?}");
    assert_eq!(world.exit, Some(ExitStatus(0)));
}

#[test]
fn a_deleted_topic_is_logged_and_let_go() {
    let mut world = started(consumer(topic_t()));
    world.run(50, &mut serve(1));
    world.events.clear();
    // The fetch that waits is lost with its connection; the next one finds the topic gone.
    world.kill(9_092);
    world.up.insert(9_092);
    world.run(2_000, &mut |asked| match &asked.request {
        Request::Metadata(_) if asked.at.as_ms() < 1_000 => Some(Response::Metadata(metadata("t", &[(Some(1), 0)]))),
        Request::Metadata(_) => Some(Response::Metadata(failed_metadata("t", ErrorCode::UnknownTopicOrPartition))),
        Request::Fetch(_) if asked.at.as_ms() < 200 => {
            Some(fetched(partition("t", 0), ErrorCode::UnknownTopicOrPartition, Vec::new()))
        }
        Request::Fetch(_) => None,
        other => panic!("unexpected {other:?}"),
    });
    let unknown = ClientEvent::Logged(ClientLog::FetchUnknownPartition(partition("t", 0)));
    assert!(world.take_events().contains(&unknown));
}

#[test]
fn a_pattern_reads_all_matching_topics_and_finds_new_ones() {
    let mut spec = consumer(Subscription::Pattern("his.*|keyed".to_owned()));
    spec.config.metadata_max_age_ms = 1_000;
    let mut world = started(spec);
    let cluster = |names: &[&str]| {
        let topics = names.iter().flat_map(|name| metadata(name, &[(Some(1), 0)]).topics).collect();
        Response::Metadata(MetadataResponse { brokers: brokers(), controller_id: Some(BrokerId(1)), topics })
    };
    world.run(2_500, &mut |asked| match &asked.request {
        Request::Metadata(request) => {
            assert_eq!(request.topics, None);
            Some(cluster(if asked.at.as_ms() < 500 { &["keyed", "other"] } else { &["his-topic", "keyed", "other"] }))
        }
        Request::ListOffsets(request) => Some(listed(request, 0, 0)),
        Request::Fetch(_) => None,
        other => panic!("unexpected {other:?}"),
    });
    let NodeView::Consumer(view) = world.client.view() else { panic!("a consumer has a consumer's view") };
    let names: Vec<String> = view.positions.iter().map(|place| place.partition.to_string()).collect();
    assert_eq!(names, ["his-topic-0", "keyed-0"]);
}

#[test]
fn a_consumer_without_group_reset_policy_cannot_begin() {
    let mut spec = consumer(topic_t());
    spec.config.auto_offset_reset = AutoOffsetReset::None;
    let mut world = started(spec);
    world.run(100, &mut serve(3));
    let exception = "org.apache.kafka.clients.consumer.NoOffsetForPartitionException".to_owned();
    let message = "Undefined offset with no reset policy for partitions: [t-0]".to_owned();
    assert!(world.take_events().contains(&ClientEvent::ConsumerFailed { exception, message }));
}

#[test]
fn a_consumer_whose_leader_is_gone_wakes_up_seldom() {
    let mut world = started(consumer(topic_t()));
    world.run(50, &mut serve(1));
    world.kill(9_092);
    world.wake_ups = 0;
    world.run(10_000, &mut |asked| match &asked.request {
        Request::Metadata(_) => {
            let mut without_broker_1 = metadata("t", &[(None, 1)]);
            without_broker_1.brokers.remove(0);
            Some(Response::Metadata(without_broker_1))
        }
        other => panic!("unexpected {other:?}"),
    });
    assert!((5..100).contains(&world.wake_ups), "{}", world.wake_ups);
}
