//! Metadata, and requests that the controller answers.

use super::scene::{Scene, client, own};
use crate::broker::timers;
use wire::request::{CreatableTopic, CreateTopicsRequest, MetadataRequest};
use wire::response::{TopicResult, TopicResults};
use wire::{ErrorCode, Request, Response, TopicId, TopicName};

/// The forwarding channel's connection.
const FORWARDING: u32 = 2;

fn metadata_of(names: &[&str]) -> Request {
    let topics = Some(names.iter().map(|name| TopicName::new(name)).collect());
    Request::Metadata(MetadataRequest { topics, allow_auto_topic_creation: true })
}

fn create(name: &str) -> Request {
    let topic = CreatableTopic {
        name: TopicName::new(name),
        num_partitions: Some(1),
        replication_factor: Some(1),
        assignments: Vec::new(),
        configs: Vec::new(),
    };
    Request::CreateTopics(CreateTopicsRequest { topics: vec![topic], validate_only: false })
}

fn created(name: &str, error: ErrorCode) -> Response {
    let topic_id = error.is_none().then_some(TopicId(9));
    let result = TopicResult { name: TopicName::new(name), topic_id, error, error_message: None };
    Response::CreateTopics(TopicResults { topics: vec![result] })
}

#[test]
fn metadata_tells_brokers_topics_and_what_is_wrong_with_names() {
    let mut scene = Scene::leading_with(&[("auto.create.topics.enable", "false")]);
    assert_eq!(
        scene.ask(client(1), 0, metadata_of(&["t", "missing", "not legal"])),
        ["send client-1#0 !0 metadata brokers 1, 2 topics t NONE, missing UNKNOWN_TOPIC_OR_PARTITION, \
          not legal INVALID_TOPIC_EXCEPTION"]
    );
}

#[test]
fn a_missing_topic_is_created_once_however_many_clients_ask() {
    let mut scene = Scene::leading();
    let unknown =
        |client| format!("send client-{client}#0 !0 metadata brokers 1, 2 topics new UNKNOWN_TOPIC_OR_PARTITION");
    assert_eq!(
        scene.ask(client(1), 0, metadata_of(&["new"])),
        [unknown(1), "connect #2 controller:9093".to_owned(), "timer channel timeout/2 in 10000 ms".to_owned()]
    );
    assert_eq!(scene.connected(FORWARDING), ["send #2 ?0 create new"]);
    assert_eq!(scene.ask(client(2), 0, metadata_of(&["new"])), [unknown(2)]);
    assert!(scene.answer(FORWARDING, 0, created("new", ErrorCode::None)).is_empty());
}

#[test]
fn an_answer_of_the_controller_is_passed_on() {
    let mut scene = Scene::running(&[]);
    scene.ask(client(1), 4, create("new"));
    assert_eq!(scene.connected(FORWARDING), ["send #2 ?0 create new"]);
    assert_eq!(
        scene.answer(FORWARDING, 0, created("new", ErrorCode::TopicAlreadyExists)),
        ["send client-1#0 !4 new TOPIC_ALREADY_EXISTS"]
    );
}

#[test]
fn a_controller_that_is_not_active_is_asked_again_on_another_connection() {
    let mut scene = Scene::running(&[]);
    scene.ask(client(1), 4, create("new"));
    scene.connected(FORWARDING);
    assert_eq!(
        scene.answer(FORWARDING, 0, created("new", ErrorCode::NotController)),
        ["close #2", "timer reconnect/2 in 50 ms"]
    );
    scene.wait(50);
    assert_eq!(scene.fire(timers::RECONNECT, 2), ["connect #3 controller:9093"]);
    assert_eq!(scene.connected(3), ["send #3 ?1 create new"]);
}

#[test]
fn without_a_controller_a_forwarded_request_times_out_after_a_minute() {
    let mut scene = Scene::running(&[]);
    scene.ask(client(1), 4, create("new"));
    assert_eq!(scene.disconnected(own(FORWARDING)), ["timer reconnect/2 in 50 ms"]);
    scene.wait(60_000);
    assert_eq!(scene.fire(timers::RECONNECT, 2), ["send client-1#0 !4 new REQUEST_TIMED_OUT"]);
}
