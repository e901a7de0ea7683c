//! Produce requests: who is answered when, and with what.

use super::scene::{
    FIRST_OPERATION, Scene, TOPIC_ID, client, follower_fetch, partition_record, peer, produce, produce_to,
};
use wire::request::Acks;
use wire::{MetadataRecord, PartitionIndex, TopicName, TopicPartition};

#[test]
fn acks_1_is_answered_as_soon_as_the_leader_has_the_records() {
    let mut scene = Scene::leading();
    assert_eq!(
        scene.ask(client(1), 5, produce(Acks::Leader)),
        ["write t-0 0..0 epoch 0", "note appended t-0 0..0", "send client-1#0 !5 produce t-0 NONE @0"]
    );
}

#[test]
fn acks_0_is_never_answered_and_lets_the_next_request_in() {
    let mut scene = Scene::leading();
    assert_eq!(scene.ask(client(1), 0, produce(Acks::None)), ["write t-0 0..0 epoch 0", "note appended t-0 0..0"]);
    assert_eq!(scene.ask(client(1), 1, produce(Acks::None)), ["write t-0 1..1 epoch 0", "note appended t-0 1..1"]);
}

#[test]
fn an_error_under_acks_0_closes_the_connection() {
    let mut scene = Scene::following();
    assert_eq!(
        scene.ask(client(1), 0, produce(Acks::None)),
        ["note rejected t-0 NOT_LEADER_OR_FOLLOWER", "close client-1#0"]
    );
}

#[test]
fn acks_all_is_answered_when_the_follower_has_fetched_beyond_the_record() {
    let mut scene = Scene::leading();
    assert_eq!(
        scene.ask(client(1), 0, produce(Acks::All)),
        ["write t-0 0..0 epoch 0", "note appended t-0 0..0", "timer delayed operation/1 in 30000 ms"]
    );
    assert_eq!(scene.ask(peer(), 0, follower_fetch(0, -1)), ["send 2#0 !0 fetch t-0 NONE hw 0 [0..0 epoch 0]"]);
    assert_eq!(
        scene.ask(peer(), 1, follower_fetch(1, 0)),
        [
            "note hw t-0 0->1",
            "timer delayed operation/2 in 500 ms",
            "cancel delayed operation/1",
            "send client-1#0 !0 produce t-0 NONE @0",
        ]
    );
}

#[test]
fn acks_all_times_out_while_the_follower_is_silent_and_the_record_stays() {
    let mut scene = Scene::leading();
    scene.ask(client(1), 0, produce(Acks::All));
    scene.wait(30_000);
    assert_eq!(
        scene.fire(FIRST_OPERATION.0, FIRST_OPERATION.1),
        ["note rejected t-0 REQUEST_TIMED_OUT", "send client-1#0 !0 produce t-0 REQUEST_TIMED_OUT @0"]
    );
    assert_eq!(scene.broker.view().replicas[0].log_end_offset.0, 1);
}

#[test]
fn a_parked_produce_ends_when_the_leadership_is_lost_and_names_the_new_leader() {
    let mut scene = Scene::leading();
    scene.ask(client(1), 0, produce(Acks::All));
    assert_eq!(
        scene.lose_leadership(),
        [
            "write __cluster_metadata-0 6..6 epoch 1",
            "note follows t-0 of Some(2) epoch 1",
            "connect #2 broker-2:9092",
            "timer channel timeout/18 in 10000 ms",
            "note rejected t-0 NOT_LEADER_OR_FOLLOWER",
            "cancel delayed operation/1",
            "send client-1#0 !0 produce t-0 NOT_LEADER_OR_FOLLOWER @0 leader 2",
        ]
    );
}

#[test]
fn a_lost_connection_forgets_its_parked_request() {
    let mut scene = Scene::leading();
    scene.ask(client(1), 0, produce(Acks::All));
    assert_eq!(scene.disconnected(client(1)), ["cancel delayed operation/1"]);
    scene.ask(peer(), 0, follower_fetch(0, -1));
    assert_eq!(scene.ask(peer(), 1, follower_fetch(1, 0)), ["note hw t-0 0->1", "timer delayed operation/2 in 500 ms"]);
}

#[test]
fn a_second_request_of_a_connection_waits_for_the_answer_to_the_first() {
    let mut scene = Scene::leading();
    scene.ask(client(1), 0, produce(Acks::All));
    assert!(scene.ask(client(1), 1, produce(Acks::Leader)).is_empty());
    scene.wait(30_000);
    assert_eq!(
        scene.fire(FIRST_OPERATION.0, FIRST_OPERATION.1)[1..],
        [
            "send client-1#0 !0 produce t-0 REQUEST_TIMED_OUT @0",
            "write t-0 1..1 epoch 0",
            "note appended t-0 1..1",
            "send client-1#0 !1 produce t-0 NONE @1",
        ]
    );
}

#[test]
fn wrong_partitions_are_refused_with_the_error_that_helps() {
    let cases = [
        (
            Scene::leading(),
            TopicPartition::new(TopicName::new("x"), PartitionIndex(0)),
            "UNKNOWN_TOPIC_OR_PARTITION",
            "",
        ),
        (
            Scene::leading(),
            TopicPartition::new(TopicName::new("t"), PartitionIndex(9)),
            "UNKNOWN_TOPIC_OR_PARTITION",
            "",
        ),
        (Scene::following(), super::scene::t0(), "NOT_LEADER_OR_FOLLOWER", " leader 2"),
    ];
    for (mut scene, partition, error, leader) in cases {
        assert_eq!(
            scene.ask(client(1), 0, produce_to(partition.clone(), Acks::All)),
            [
                format!("note rejected {partition} {error}"),
                format!("send client-1#0 !0 produce {partition} {error} @-1{leader}"),
            ]
        );
    }
}

#[test]
fn too_few_in_sync_replicas_refuse_acks_all_only() {
    let mut scene = Scene::running(&[("min.insync.replicas", "2")]);
    scene.metadata(vec![super::scene::topic(), partition_record(Some(1), &[1])]);
    assert_eq!(
        scene.ask(client(1), 0, produce(Acks::All)),
        ["note rejected t-0 NOT_ENOUGH_REPLICAS", "send client-1#0 !0 produce t-0 NOT_ENOUGH_REPLICAS @-1"]
    );
    let lines = scene.ask(client(1), 1, produce(Acks::Leader));
    assert_eq!(lines.last().map(String::as_str), Some("send client-1#0 !1 produce t-0 NONE @0"));
}

#[test]
fn producers_may_not_write_to_internal_topics() {
    let mut scene = Scene::running(&[]);
    let name = TopicName::new("__consumer_offsets");
    let topic = MetadataRecord::Topic { name: name.clone(), topic_id: TOPIC_ID };
    scene.metadata(vec![topic, partition_record(Some(1), &[1, 2])]);
    let partition = TopicPartition::new(name, PartitionIndex(0));
    assert_eq!(
        scene.ask(client(1), 0, produce_to(partition, Acks::All)),
        [
            "note rejected __consumer_offsets-0 INVALID_TOPIC_EXCEPTION",
            "send client-1#0 !0 produce __consumer_offsets-0 INVALID_TOPIC_EXCEPTION @-1",
        ]
    );
}
