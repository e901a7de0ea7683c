//! Fetch requests of consumers and followers, and the in-sync replicas that follow from them.

use super::scene::{
    FIRST_OPERATION, Scene, TOPIC_ID, batch, client, consumer_fetch, follower_fetch, peer, produce, t0,
};
use crate::broker::timers;
use std::sync::Arc;
use wire::request::{Acks, FetchPartition, IsolationLevel, OffsetForLeaderEpochRequest, OffsetForLeaderPartition};
use wire::response::{AlterPartitionResponse, AlterPartitionResult};
use wire::{
    BrokerId, ErrorCode, LeaderEpoch, MetadataRecord, PartitionChangeRecord, PartitionEpoch, PartitionIndex,
    ProducerEpoch, ProducerId, ProducerStamp, Request, Response, TopicName, TopicPartition,
};

/// The first connection that is opened beyond metadata and heartbeats.
const NEXT_CONNECTION: u32 = 2;

#[test]
fn the_high_watermark_reaches_the_follower_one_fetch_later() {
    let mut scene = Scene::leading();
    scene.ask(client(1), 0, produce(Acks::Leader));
    assert_eq!(scene.ask(peer(), 0, follower_fetch(0, -1)), ["send 2#0 !0 fetch t-0 NONE hw 0 [0..0 epoch 0]"]);
    assert_eq!(scene.ask(peer(), 1, follower_fetch(1, 0)), ["note hw t-0 0->1", "timer delayed operation/1 in 500 ms"]);
    scene.wait(500);
    assert_eq!(scene.fire(FIRST_OPERATION.0, FIRST_OPERATION.1), ["send 2#0 !1 fetch t-0 NONE hw 1 []"]);
}

#[test]
fn a_parked_follower_fetch_is_answered_by_the_next_append() {
    let mut scene = Scene::leading();
    assert_eq!(scene.ask(peer(), 0, follower_fetch(0, -1)), ["timer delayed operation/1 in 500 ms"]);
    assert_eq!(
        scene.ask(client(1), 0, produce(Acks::Leader)),
        [
            "write t-0 0..0 epoch 0",
            "note appended t-0 0..0",
            "send client-1#0 !0 produce t-0 NONE @0",
            "cancel delayed operation/1",
            "send 2#0 !0 fetch t-0 NONE hw 0 [0..0 epoch 0]",
        ]
    );
}

#[test]
fn a_consumer_waits_until_the_record_is_committed() {
    let mut scene = Scene::leading();
    assert_eq!(scene.ask(client(2), 0, consumer_fetch(0)), ["timer delayed operation/1 in 500 ms"]);
    scene.ask(client(1), 0, produce(Acks::Leader));
    scene.ask(peer(), 0, follower_fetch(0, -1));
    assert_eq!(
        scene.ask(peer(), 1, follower_fetch(1, 0)),
        [
            "note hw t-0 0->1",
            "timer delayed operation/2 in 500 ms",
            "cancel delayed operation/1",
            "send client-2#0 !0 fetch t-0 NONE hw 1 [0..0 epoch 0]",
        ]
    );
}

/// As `testReadCommittedFetchLimitedAtLSO`.
#[test]
fn a_read_committed_consumer_waits_in_vain_while_a_transaction_is_open() {
    let mut scene = Scene::leading_with(&[("transaction.partition.verification.enable", "false")]);
    let stamp = ProducerStamp { producer_id: ProducerId(234), producer_epoch: ProducerEpoch(5), base_sequence: 0 };
    let Request::Produce(mut request) = produce(Acks::Leader) else { unreachable!("a produce request") };
    request.partitions[0].batch = Arc::new((*batch()).clone().stamped(stamp, true));
    scene.ask(client(1), 0, Request::Produce(request));
    scene.ask(peer(), 0, follower_fetch(0, -1));
    scene.ask(peer(), 1, follower_fetch(1, 0));
    let Request::Fetch(mut committed) = consumer_fetch(0) else { unreachable!("a fetch") };
    committed.isolation_level = IsolationLevel::ReadCommitted;
    assert_eq!(scene.ask(client(2), 0, Request::Fetch(committed)), ["timer delayed operation/2 in 500 ms"]);
    assert_eq!(scene.ask(client(3), 0, consumer_fetch(0)), ["send client-3#0 !0 fetch t-0 NONE hw 1 [0..0 epoch 0]"]);
    scene.wait(500);
    assert_eq!(scene.fire(timers::DELAYED_OPERATION, 2), ["send client-2#0 !0 fetch t-0 NONE hw 1 []"]);
}

/// As `LeaderEpochIntegrationTest` asks: a leader that was away twice, each time for two epochs.
#[test]
fn epochs_without_records_end_where_those_before_them_end() {
    let mut scene = Scene::leading();
    let ends = |scene: &mut Scene, epochs: &[i32]| -> Vec<(i32, i64)> {
        let asked = |epoch: &i32| OffsetForLeaderPartition {
            partition: t0(),
            current_leader_epoch: LeaderEpoch::NONE,
            leader_epoch: LeaderEpoch(*epoch),
        };
        let request = OffsetForLeaderEpochRequest { replica_id: None, partitions: epochs.iter().map(asked).collect() };
        let response = scene.answer_to(client(2), Request::OffsetForLeaderEpoch(request));
        let Response::OffsetForLeaderEpoch(response) = response else { unreachable!("it is answered in kind") };
        response.partitions.iter().map(|result| (result.end.leader_epoch.0, result.end.end_offset.0)).collect()
    };
    scene.ask(client(1), 0, produce(Acks::Leader));
    bounce(&mut scene);
    scene.ask(client(1), 1, produce(Acks::Leader));
    assert_eq!(ends(&mut scene, &[0, 1, 2]), [(0, 1), (0, 1), (2, 2)]);
    bounce(&mut scene);
    scene.ask(client(1), 2, produce(Acks::Leader));
    assert_eq!(ends(&mut scene, &[0, 1, 2, 3, 4, 5]), [(0, 1), (0, 1), (2, 2), (2, 2), (4, 3), (-1, -1)]);
}

/// Nobody leads for a while, then broker 1 again: two leader epochs.
fn bounce(scene: &mut Scene) {
    for leader in [None, Some(BrokerId(1))] {
        scene.metadata(vec![MetadataRecord::PartitionChange(PartitionChangeRecord {
            leader: Some(leader),
            ..PartitionChangeRecord::of(TOPIC_ID, PartitionIndex(0))
        })]);
    }
}

#[test]
fn a_parked_fetch_is_answered_when_the_leadership_is_lost() {
    let mut scene = Scene::leading();
    scene.ask(peer(), 0, follower_fetch(0, -1));
    let lines = scene.lose_leadership();
    assert_eq!(
        lines[lines.len() - 2..],
        ["cancel delayed operation/1", "send 2#0 !0 fetch t-0 FENCED_LEADER_EPOCH hw -1 []"]
    );
}

/// Case F of `DelayedFetch`.
#[test]
fn a_consumer_ahead_of_the_high_watermark_is_answered_at_once() {
    let mut scene = Scene::leading();
    scene.ask(client(1), 0, produce(Acks::Leader));
    assert_eq!(
        scene.ask(client(2), 0, consumer_fetch(1)),
        ["send client-2#0 !0 fetch t-0 NONE hw 0 []"],
        "it is neither out of range nor worth to wait for"
    );
}

#[test]
fn a_fetch_beyond_the_log_is_answered_at_once() {
    let mut scene = Scene::leading();
    assert_eq!(
        scene.ask(client(1), 0, consumer_fetch(7)),
        ["send client-1#0 !0 fetch t-0 OFFSET_OUT_OF_RANGE hw -1 []"]
    );
}

#[test]
fn a_silent_follower_leaves_the_in_sync_replicas_and_the_high_watermark_moves_on() {
    let mut scene = Scene::leading();
    scene.ask(client(1), 0, produce(Acks::All));
    scene.wait(30_001);
    assert_eq!(
        scene.fire(timers::ISR_EXPIRATION, 0),
        [
            "note proposes t-0 isr [1]",
            "connect #2 controller:9093",
            "timer channel timeout/1 in 10000 ms",
            "timer isr expiration/0 in 15000 ms",
        ]
    );
    assert_eq!(scene.connected(NEXT_CONNECTION), ["send #2 ?0 alter t-0 isr [(1, 3)]"]);
    assert_eq!(
        scene.answer(NEXT_CONNECTION, 0, altered(&[1], 1)),
        ["note hw t-0 0->1", "cancel delayed operation/1", "send client-1#0 !0 produce t-0 NONE @0"]
    );
}

#[test]
fn a_refused_alter_partition_request_is_sent_again_after_50_ms() {
    let mut scene = Scene::leading();
    scene.ask(client(1), 0, produce(Acks::Leader));
    scene.wait(30_001);
    scene.fire(timers::ISR_EXPIRATION, 0);
    scene.connected(NEXT_CONNECTION);
    let refused =
        Response::AlterPartition(AlterPartitionResponse { error: ErrorCode::StaleBrokerEpoch, partitions: Vec::new() });
    assert_eq!(scene.answer(NEXT_CONNECTION, 0, refused), ["timer alter partition/0 in 50 ms"]);
    assert_eq!(scene.fire(timers::ALTER_PARTITION, 0), ["send #2 ?1 alter t-0 isr [(1, 3)]"]);
}

#[test]
fn a_follower_that_has_caught_up_is_proposed_for_the_in_sync_replicas() {
    let mut scene = Scene::running(&[]);
    scene.metadata(vec![super::scene::topic(), super::scene::partition_record(Some(1), &[1])]);
    assert_eq!(
        scene.ask(peer(), 0, follower_fetch(0, -1)),
        [
            "note proposes t-0 isr [1, 2]",
            "connect #2 controller:9093",
            "timer channel timeout/1 in 10000 ms",
            "timer delayed operation/1 in 500 ms",
        ]
    );
    assert_eq!(scene.connected(NEXT_CONNECTION), ["send #2 ?0 alter t-0 isr [(1, 3), (2, 1)]"]);
}

fn altered(isr: &[i32], partition_epoch: i32) -> Response {
    Response::AlterPartition(AlterPartitionResponse {
        error: ErrorCode::None,
        partitions: vec![AlterPartitionResult {
            partition: t0(),
            error: ErrorCode::None,
            leader: Some(BrokerId(1)),
            leader_epoch: LeaderEpoch(0),
            isr: isr.iter().map(|broker| BrokerId(*broker)).collect(),
            partition_epoch: PartitionEpoch(partition_epoch),
        }],
    })
}

#[test]
fn a_partition_that_does_not_exist_is_told_but_does_not_hasten_the_answer() {
    let mut scene = Scene::leading();
    let Request::Fetch(mut request) = consumer_fetch(0) else { unreachable!("a fetch") };
    let missing = TopicPartition::new(TopicName::new("missing"), PartitionIndex(0));
    request
        .partitions
        .insert(0, FetchPartition { partition: missing, topic_id: None, ..request.partitions[0].clone() });
    assert_eq!(scene.ask(client(1), 0, Request::Fetch(request)), ["timer delayed operation/1 in 500 ms"]);
    assert_eq!(
        scene.fire(FIRST_OPERATION.0, FIRST_OPERATION.1),
        ["send client-1#0 !0 fetch t-0 NONE hw 0 [], missing-0 UNKNOWN_TOPIC_OR_PARTITION hw -1 []"]
    );
}

#[test]
fn requests_that_wait_for_a_deleted_topic_are_answered_at_once() {
    let mut scene = Scene::leading();
    scene.ask(client(1), 0, consumer_fetch(0));
    scene.ask(client(2), 0, produce(Acks::All));
    let lines = scene.metadata(vec![MetadataRecord::RemoveTopic { topic_id: TOPIC_ID }]);
    assert_eq!(
        lines[1..],
        [
            "write delete t-0",
            "cancel delayed operation/1",
            "send client-1#0 !0 fetch t-0 UNKNOWN_TOPIC_OR_PARTITION hw -1 []",
            "note rejected t-0 UNKNOWN_TOPIC_OR_PARTITION",
            "cancel delayed operation/2",
            "send client-2#0 !0 produce t-0 UNKNOWN_TOPIC_OR_PARTITION @0",
        ]
    );
}
