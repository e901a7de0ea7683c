//! `kafka-topics` against brokers that the test plays.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test names what it expects; the rest is wrong or of no interest")]

use crate::client::testing::{World, brokers, metadata, port_of, topic};
use crate::event::{AdminFailure, ClientEvent, ClientLog};
use crate::node::{ExitStatus, Instruction};
use crate::spec::{DescribeTarget, Program, TopicFilter, TopicsAction};
use crate::view::NodeView;
use wire::request::{ConfigResource, CreatableTopic};
use wire::response::{
    ConfigEntry, ConfigSource, DescribeConfigsResponse, DescribeTopicPartitionsResponse, DescribedConfigs,
    DescribedPartition, DescribedTopic, ListPartitionReassignmentsResponse, ListenerKind, MetadataResponse,
    OngoingReassignment, TopicResult, TopicResults,
};
use wire::{BrokerId, Endpoint, ErrorCode, LeaderEpoch, PartitionIndex, Request, Response, TopicId, TopicPartition};

fn started(action: TopicsAction) -> World {
    World::start(Program::Topics(action), &[9_092], &[9_092, 9_093, 9_094])
}

fn all() -> TopicFilter {
    TopicFilter { pattern: None, exclude_internal: false }
}

fn named(pattern: &str) -> TopicFilter {
    TopicFilter { pattern: Some(pattern.to_owned()), exclude_internal: false }
}

fn create(if_not_exists: bool) -> TopicsAction {
    let topic = CreatableTopic {
        name: topic("t"),
        num_partitions: Some(3),
        replication_factor: None,
        assignments: Vec::new(),
        configs: Vec::new(),
    };
    TopicsAction::Create { topic, if_not_exists }
}

fn results(error: ErrorCode, message: Option<&str>) -> TopicResults {
    let error_message = message.map(str::to_owned);
    TopicResults { topics: vec![TopicResult { name: topic("t"), topic_id: None, error, error_message }] }
}

fn cluster(names: &[&str]) -> Response {
    let topics = names.iter().flat_map(|name| metadata(name, &[(Some(1), 0)]).topics).collect();
    Response::Metadata(MetadataResponse { brokers: brokers(), controller_id: Some(BrokerId(2)), topics })
}

fn described(name: &str) -> DescribedTopic {
    let partition = DescribedPartition {
        error: ErrorCode::None,
        partition: PartitionIndex(0),
        leader: Some(BrokerId(1)),
        leader_epoch: LeaderEpoch(0),
        replicas: vec![BrokerId(1)],
        isr: vec![BrokerId(1)],
        eligible_leader_replicas: Some(Vec::new()),
        last_known_elr: Some(Vec::new()),
        offline_replicas: Vec::new(),
    };
    DescribedTopic {
        error: ErrorCode::None,
        name: topic(name),
        topic_id: TopicId(77),
        is_internal: false,
        partitions: vec![partition],
    }
}

fn moving(partition: TopicPartition) -> OngoingReassignment {
    OngoingReassignment {
        partition,
        replicas: vec![BrokerId(2), BrokerId(1)],
        adding_replicas: vec![BrokerId(2)],
        removing_replicas: vec![BrokerId(1)],
    }
}

#[test]
fn a_topic_is_created_through_the_controller_that_metadata_names() {
    let mut world = started(create(false));
    let asked = world.next_request();
    assert_eq!((asked.correlation_id, asked.port), (1, 9_092));
    world.answer(&asked, cluster(&[]));
    let asked = world.next_request();
    assert!(matches!(asked.request, Request::CreateTopics(_)), "{asked:?}");
    assert_eq!(asked.port, port_of(2));
    world.answer(&asked, Response::CreateTopics(results(ErrorCode::None, None)));
    assert_eq!(world.take_events(), [ClientEvent::TopicCreated(topic("t"))]);
    assert_eq!(world.exit, Some(ExitStatus(0)));
    assert_eq!(world.closed, 2);
}

#[test]
fn a_refused_topic_is_told_with_the_brokers_words() {
    let mut world = started(create(false));
    world.run(100, &mut |asked| match asked.request {
        Request::Metadata(_) => Some(cluster(&[])),
        _ => {
            let text = "Topic 't' already exists.";
            Some(Response::CreateTopics(results(ErrorCode::TopicAlreadyExists, Some(text))))
        }
    });
    let (error, message) = (ErrorCode::TopicAlreadyExists, "Topic 't' already exists.".to_owned());
    assert_eq!(world.take_events(), [ClientEvent::AdminFailed(AdminFailure::Refused { error, message })]);
    assert_eq!(world.exit, Some(ExitStatus(1)));
}

/// What a broker says after a minute of vain forwarding comes before the client has woken to give the call up; what comes
/// later does not. Of `request.timeout.ms` nobody hears.
#[test]
fn the_client_sleeps_until_a_call_has_no_time_left_and_a_little_longer() {
    for (answered_after_ms, is_heard) in [(60_030, true), (60_090, false)] {
        let mut world = started(create(false));
        let asked = world.next_request();
        world.answer(&asked, cluster(&[]));
        let asked = world.next_request();
        world.run(answered_after_ms, &mut |_| None);
        if is_heard {
            let text = "The request timed out.";
            world.answer(&asked, Response::CreateTopics(results(ErrorCode::RequestTimedOut, Some(text))));
        }
        let events = world.take_events();
        let Some(ClientEvent::AdminFailed(AdminFailure::Refused { error: ErrorCode::RequestTimedOut, message })) =
            events.last()
        else {
            panic!("{events:?}")
        };
        assert_eq!(message == "The request timed out.", is_heard, "{message}");
        assert!(is_heard || message.ends_with("after 1 attempt(s)"), "{message}");
    }
}

#[test]
fn if_not_exists_forgives_a_topic_that_exists() {
    let mut world = started(create(true));
    world.run(100, &mut |asked| match asked.request {
        Request::Metadata(_) => Some(cluster(&[])),
        _ => Some(Response::CreateTopics(results(ErrorCode::TopicAlreadyExists, None))),
    });
    assert_eq!((world.take_events(), world.exit), (Vec::new(), Some(ExitStatus(0))));
}

#[test]
fn another_controller_is_asked_after_fresh_metadata() {
    let mut world = started(create(false));
    let mut refused = 0;
    world.run(2_000, &mut |asked| match asked.request {
        Request::Metadata(_) => Some(cluster(&[])),
        _ if refused < 2 => {
            refused += 1;
            Some(Response::CreateTopics(results(ErrorCode::NotController, None)))
        }
        _ => Some(Response::CreateTopics(results(ErrorCode::None, None))),
    });
    assert_eq!(world.take_events(), [ClientEvent::TopicCreated(topic("t"))]);
}

#[test]
fn topics_are_listed_sorted_and_filtered_by_pattern() {
    let names = ["test-topic", "kafka.test-topic", "my-topic", "__consumer_offsets"];
    for (filter, expected) in [
        (all(), &["__consumer_offsets", "kafka.test-topic", "my-topic", "test-topic"][..]),
        (TopicFilter { exclude_internal: true, ..all() }, &["kafka.test-topic", "my-topic", "test-topic"][..]),
        (named("my.*"), &["my-topic"][..]),
        (named("my-topic,test-topic"), &["my-topic", "test-topic"][..]),
        (named("nope"), &[][..]),
    ] {
        let mut world = started(TopicsAction::List(filter));
        world.run(100, &mut |_| Some(cluster(&names)));
        let expected = expected.iter().map(|name| topic(name)).collect();
        assert_eq!(world.take_events(), [ClientEvent::TopicsListed(expected)]);
        assert_eq!(world.exit, Some(ExitStatus(0)));
    }
}

#[test]
fn a_topic_is_described_with_its_overrides() {
    let action = TopicsAction::Describe { topics: DescribeTarget::Filter(named("zz")), if_exists: false };
    let mut world = started(action);
    let entry = |name: &str, value: &str, source| ConfigEntry {
        name: name.into(),
        value: Some(value.into()),
        source,
        is_read_only: false,
        is_sensitive: false,
        synonyms: Vec::new(),
    };
    world.run(100, &mut |asked| match &asked.request {
        Request::Metadata(_) => Some(cluster(&["zz", "other"])),
        Request::DescribeTopicPartitions(request) => {
            assert_eq!(request.topics, [topic("zz")]);
            let topics = vec![described("zz")];
            Some(Response::DescribeTopicPartitions(DescribeTopicPartitionsResponse { topics }))
        }
        Request::DescribeConfigs(_) => {
            let entries = vec![
                entry("cleanup.policy", "compact", ConfigSource::DynamicTopicConfig),
                entry("min.insync.replicas", "2", ConfigSource::DynamicTopicConfig),
                entry("retention.ms", "604800000", ConfigSource::DefaultConfig),
            ];
            let resource = ConfigResource::Topic(topic("zz"));
            let described = DescribedConfigs { resource, error: ErrorCode::None, error_message: None, entries };
            Some(Response::DescribeConfigs(DescribeConfigsResponse { results: vec![described] }))
        }
        Request::ListPartitionReassignments(request) => {
            let asked = TopicPartition::new(topic("zz"), PartitionIndex(0));
            assert_eq!(request.partitions, Some(vec![asked.clone()]));
            Some(Response::ListPartitionReassignments(ListPartitionReassignmentsResponse {
                error: ErrorCode::None,
                partitions: vec![moving(asked)],
            }))
        }
        other => panic!("unexpected {other:?}"),
    });
    let events = world.take_events();
    let [ClientEvent::TopicsDescribed(topics)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(topics[0].topic, described("zz"));
    let expected = [("min.insync.replicas", "2"), ("cleanup.policy", "compact")];
    assert_eq!(topics[0].configs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(topics[0].min_insync_replicas, 2);
    assert_eq!(topics[0].reassignments, [moving(TopicPartition::new(topic("zz"), PartitionIndex(0)))]);
    assert_eq!(topics[0].live_brokers, [BrokerId(1), BrokerId(2), BrokerId(3)]);
}

#[test]
fn a_missing_topic_is_an_error_unless_that_is_allowed() {
    let describe = |if_exists| TopicsAction::Describe { topics: DescribeTarget::Filter(named("nope")), if_exists };
    let delete = |if_exists| TopicsAction::Delete { topics: named("nope"), if_exists };
    let alter = |if_exists| TopicsAction::Alter { topics: named("nope"), count: 3, assignments: None, if_exists };
    for action in [describe(false), delete(false), alter(false)] {
        let mut world = started(action);
        world.run(100, &mut |_| Some(cluster(&["t"])));
        let failure = AdminFailure::NoSuchTopic("nope".to_owned());
        assert_eq!(world.take_events(), [ClientEvent::AdminFailed(failure)]);
        assert_eq!(world.exit, Some(ExitStatus(1)));
    }
    for action in [describe(true), delete(true), alter(true)] {
        let mut world = started(action);
        world.run(100, &mut |_| Some(cluster(&["t"])));
        assert!(!world.take_events().iter().any(|event| matches!(event, ClientEvent::AdminFailed(_))));
        assert_eq!(world.exit, Some(ExitStatus(0)));
    }
    let id = TopicId(5);
    let mut world = started(TopicsAction::Describe { topics: DescribeTarget::Id(id), if_exists: false });
    world.run(100, &mut |_| Some(cluster(&["t"])));
    assert_eq!(world.take_events(), [ClientEvent::AdminFailed(AdminFailure::NoSuchTopicId(id))]);
}

#[test]
fn partitions_are_added_with_the_assignments_of_the_new_ones_only() {
    let assignments = Some(vec![vec![BrokerId(1)], vec![BrokerId(2)], vec![BrokerId(3)]]);
    let mut world = started(TopicsAction::Alter { topics: named("t"), count: 3, assignments, if_exists: false });
    let mut enlarged = None;
    world.run(100, &mut |asked| match &asked.request {
        Request::Metadata(_) => Some(cluster(&["t"])),
        Request::DescribeTopicPartitions(_) => {
            let topics = vec![described("t")];
            Some(Response::DescribeTopicPartitions(DescribeTopicPartitionsResponse { topics }))
        }
        Request::CreatePartitions(request) => {
            assert_eq!(asked.port, port_of(2));
            enlarged = Some(request.topics[0].clone());
            Some(Response::CreatePartitions(results(ErrorCode::None, None)))
        }
        other => panic!("unexpected {other:?}"),
    });
    let enlarged = enlarged.expect("partitions are added");
    assert_eq!((enlarged.count, enlarged.assignments), (3, Some(vec![vec![BrokerId(2)], vec![BrokerId(3)]])));
    assert_eq!((world.take_events(), world.exit), (Vec::new(), Some(ExitStatus(0))));
}

#[test]
fn without_broker_the_call_times_out_after_a_minute() {
    let mut world = World::start(Program::Topics(TopicsAction::List(all())), &[9_192], &[]);
    world.run(70_000, &mut |asked| panic!("nobody listens: {asked:?}"));
    let message = "Timed out waiting for a node assignment.".to_owned();
    let failure = ClientEvent::AdminFailed(AdminFailure::TimedOut { call: "listTopics", message });
    assert_eq!(world.events.last().map(|(at, event)| (at.as_ms(), event.clone())), Some((60_001, failure)));
    assert_eq!(world.exit, Some(ExitStatus(1)));
    let logs = world.take_logs();
    let endpoint = Endpoint::new("localhost", 9_192);
    let line = ClientLog::ConnectionNotEstablished { node: -1, endpoint };
    assert!(logs.iter().all(|(_, logged)| *logged == line), "bootstrap brokers are not told of here");
    let times: Vec<i64> = logs.iter().map(|(at, _)| *at).collect();
    assert!((55..75).contains(&times.len()), "{times:?}");
    assert_eq!(times[..2], [0, 100]);
    for (time, (low, high)) in times[2..6].iter().zip([(200, 300), (400, 600), (700, 1_100), (1_400, 2_100)]) {
        assert!((low..=high).contains(time), "{times:?}");
    }
}

#[test]
fn a_controllers_port_is_told_as_the_real_tool_tells_it() {
    let mut world = started(TopicsAction::List(all()));
    world.listener = ListenerKind::Controller;
    world.settle();
    let told = ClientEvent::Logged(ClientLog::NotABroker);
    let message = "The node does not support METADATA".to_owned();
    let failure = AdminFailure::Refused { error: ErrorCode::UnsupportedVersion, message };
    let failed = ClientEvent::AdminFailed(failure);
    assert_eq!(world.take_events(), [told.clone(), told.clone(), failed, told.clone(), told]);
    assert_eq!(world.exit, Some(ExitStatus(1)));
}

#[test]
fn an_unanswered_call_is_given_up_with_its_story() {
    let mut world = started(TopicsAction::List(all()));
    let mut calls = 0;
    world.run(70_000, &mut |asked| match &asked.request {
        Request::Metadata(request) if request.topics.is_some() => Some(cluster(&[])),
        _ => {
            calls += 1;
            None
        }
    });
    assert_eq!(calls, 1);
    let events = world.take_events();
    let Some(ClientEvent::AdminFailed(AdminFailure::Refused { error, message })) = events.last() else {
        panic!("{events:?}")
    };
    assert_eq!(*error, ErrorCode::RequestTimedOut);
    assert!(message.starts_with("Call(callName=listTopics, deadlineMs=1700000060000, tries=1, "), "{message}");
    assert!(message.ends_with("timed out at 1700000060061 after 1 attempt(s)"), "{message}");
}

#[test]
fn an_interrupt_ends_the_tool() {
    let mut world = started(TopicsAction::List(all()));
    world.settle();
    let NodeView::Admin(view) = world.client.view() else { panic!("kafka-topics has an admin's view") };
    assert_eq!((view.call, view.topic), ("listTopics", None));
    world.tell(Instruction::Interrupt);
    assert_eq!(world.exit, Some(ExitStatus(130)));
}
