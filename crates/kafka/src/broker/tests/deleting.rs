//! Requests to delete records: what they wait for and how they end.

use super::scene::{FIRST_OPERATION, Scene, client, follower_fetch, peer, produce, t0};
use wire::request::{Acks, DeleteRecordsPartition, DeleteRecordsRequest};
use wire::{Offset, PartitionIndex, Request, TopicName, TopicPartition};

/// Broker 1 leads `t-0` with three records, which broker 2 has too.
fn replicated() -> Scene {
    let mut scene = Scene::leading();
    for _ in 0..3 {
        scene.ask(client(1), 0, produce(Acks::Leader));
    }
    scene.ask(peer(), 0, follower_fetch(0, -1));
    scene.ask(peer(), 1, follower_fetch(3, 0));
    scene
}

fn delete(partition: TopicPartition, offset: i64) -> Request {
    let partitions = vec![DeleteRecordsPartition { partition, offset: Offset(offset) }];
    Request::DeleteRecords(DeleteRecordsRequest { partitions, timeout_ms: 30_000 })
}

/// Broker 2 fetches at offset 3, and its log starts at `start`.
fn fetch_starting_at(start: i64) -> Request {
    let Request::Fetch(mut fetch) = follower_fetch(3, 0) else { unreachable!("it is a fetch") };
    fetch.partitions[0].log_start_offset = Offset(start);
    Request::Fetch(fetch)
}

#[test]
fn a_deletion_waits_until_the_followers_log_starts_there_too() {
    let mut scene = replicated();
    assert_eq!(
        scene.ask(client(2), 7, delete(t0(), 2)),
        ["write t-0 epochs 0@2", "note deleted t-0 0->2", "timer delayed operation/2 in 30000 ms"]
    );
    scene.wait(500);
    scene.fire(FIRST_OPERATION.0, FIRST_OPERATION.1);
    assert_eq!(
        scene.ask(peer(), 2, fetch_starting_at(2)),
        [
            "timer delayed operation/3 in 500 ms",
            "cancel delayed operation/2",
            "send client-2#0 !7 deleted t-0 NONE low watermark 2",
        ]
    );
}

#[test]
fn a_deletion_that_the_follower_does_not_follow_times_out_and_stays_done_on_the_leader() {
    let mut scene = replicated();
    scene.ask(client(2), 7, delete(t0(), -1));
    scene.wait(30_000);
    assert_eq!(scene.fire(FIRST_OPERATION.0, 2), ["send client-2#0 !7 deleted t-0 REQUEST_TIMED_OUT low watermark 0"]);
    assert_eq!(scene.broker.view().replicas[0].log_start_offset, Offset(3));
}

#[test]
fn a_deletion_ends_when_the_leadership_is_lost() {
    let mut scene = replicated();
    scene.ask(client(2), 7, delete(t0(), 2));
    let lines = scene.lose_leadership();
    let answer = "send client-2#0 !7 deleted t-0 NOT_LEADER_OR_FOLLOWER low watermark -1";
    assert!(lines.contains(&answer.to_owned()), "{lines:?}");
}

#[test]
fn deletions_that_cannot_be_done_are_refused_at_once() {
    let mut scene = replicated();
    let other = |topic: &str| TopicPartition::new(TopicName::new(topic), PartitionIndex(0));
    let cases = [
        (delete(t0(), 4), "t-0 OFFSET_OUT_OF_RANGE"),
        (delete(t0(), -2), "t-0 OFFSET_OUT_OF_RANGE"),
        (delete(other("u"), 0), "u-0 UNKNOWN_TOPIC_OR_PARTITION"),
        (delete(other("__consumer_offsets"), 0), "__consumer_offsets-0 INVALID_TOPIC_EXCEPTION"),
    ];
    for (request, refusal) in cases {
        let answer = format!("send client-2#0 !7 deleted {refusal} low watermark -1");
        assert_eq!(scene.ask(client(2), 7, request), [answer]);
    }
}

#[test]
fn a_deletion_of_what_is_gone_already_is_answered_at_once() {
    let mut scene = replicated();
    assert_eq!(scene.ask(client(2), 7, delete(t0(), 0)), ["send client-2#0 !7 deleted t-0 NONE low watermark 0"]);
}
