//! Replicas that come and go with metadata, and how a follower fetches.

use super::scene::{METADATA, Scene, TOPIC_ID, fetched, own, partition_record, stored_batch, t0, topic};
use crate::broker::timers;
use crate::instant::Duration;
use wire::response::{FetchPartitionResult, FetchResponse, LeaderIdAndEpoch, QuorumFetchResult};
use wire::{
    BrokerId, ErrorCode, LeaderEpoch, MetadataRecord, Offset, PartitionChangeRecord, PartitionIndex, PartitionRecord,
    Response, TopicId, TopicName,
};

/// The fetcher's connection to broker 2.
const FETCHER: u32 = 2;
/// The key of its channel's timers.
const FETCHER_KEY: u64 = 18;

#[test]
fn a_new_partition_is_made_and_led() {
    let mut scene = Scene::running(&[]);
    assert_eq!(
        scene.metadata(vec![topic(), partition_record(Some(1), &[1, 2])]),
        [
            "write __cluster_metadata-0 4..5 epoch 1",
            "write create t-0",
            "note leads t-0 epoch 0",
            "write t-0 epochs 0@0",
        ]
    );
}

#[test]
fn a_new_partition_is_made_and_followed() {
    let mut scene = Scene::running(&[]);
    assert_eq!(
        scene.metadata(vec![topic(), partition_record(Some(2), &[1, 2])]),
        [
            "write __cluster_metadata-0 4..5 epoch 1",
            "write create t-0",
            "note follows t-0 of Some(2) epoch 0",
            "connect #2 broker-2:9092",
            "timer channel timeout/18 in 10000 ms",
        ]
    );
    assert_eq!(scene.connected(FETCHER), ["send #2 ?0 fetch t-0@0 epoch 0 last -1"]);
}

#[test]
fn records_beyond_the_high_watermark_of_metadata_are_kept_but_not_applied() {
    let mut scene = Scene::running(&[]);
    let uncommitted = crate::metadata::message::metadata_batch(vec![topic()], wire::Timestamp(0))
        .appended_at(Offset(4), LeaderEpoch(1));
    let partition = wire::TopicPartition::new(TopicName::new("__cluster_metadata"), PartitionIndex(0));
    let batches = vec![std::sync::Arc::new(uncommitted)];
    scene.answer_metadata_fetch(fetched(partition.clone(), Offset(4), batches));
    let view = scene.broker.view();
    assert_eq!((view.metadata_offset, view.image.topics().len()), (Offset(3), 0));
    scene.answer_metadata_fetch(fetched(partition, Offset(5), Vec::new()));
    let view = scene.broker.view();
    assert_eq!((view.metadata_offset, view.image.topics().len()), (Offset(4), 1));
}

#[test]
fn a_follower_appends_and_fetches_again_at_once() {
    let mut scene = Scene::following();
    assert_eq!(
        scene.answer(FETCHER, 0, fetched(t0(), Offset(0), vec![stored_batch(0, 0)])),
        [
            "write t-0 epochs 0@0",
            "write t-0 0..0 epoch 0",
            "note replicated t-0 0..0",
            "send #2 ?1 fetch t-0@1 epoch 0 last 0",
        ]
    );
    assert_eq!(
        scene.answer(FETCHER, 1, fetched(t0(), Offset(1), Vec::new())),
        ["note hw t-0 0->1", "send #2 ?2 fetch t-0@1 epoch 0 last 0"]
    );
}

#[test]
fn an_error_makes_the_partition_wait_for_the_back_off() {
    let mut scene = Scene::following();
    assert_eq!(scene.answer(FETCHER, 0, failed(ErrorCode::UnknownLeaderEpoch)), ["timer fetch back-off/2 in 1000 ms"]);
    scene.wait(1_000);
    assert_eq!(scene.fire(timers::FETCH_BACKOFF, 2), ["send #2 ?1 fetch t-0@0 epoch 0 last -1"]);
}

#[test]
fn a_lost_connection_makes_all_partitions_wait_and_connect_anew() {
    let mut scene = Scene::following();
    assert_eq!(scene.disconnected(own(FETCHER)), ["timer fetch back-off/2 in 1000 ms"]);
    scene.wait(1_000);
    assert_eq!(scene.fire(timers::FETCH_BACKOFF, 2), ["connect #3 broker-2:9092"]);
    assert_eq!(scene.connected(3), ["send #3 ?1 fetch t-0@0 epoch 0 last -1"]);
}

#[test]
fn a_leader_that_does_not_answer_is_given_up_after_the_socket_timeout() {
    let mut scene = Scene::following();
    scene.wait(10_000);
    assert_eq!(scene.fire(timers::CHANNEL_TIMEOUT, FETCHER_KEY), ["timer channel timeout/18 in 20000 ms"]);
    scene.wait(20_000);
    assert_eq!(scene.fire(timers::CHANNEL_TIMEOUT, FETCHER_KEY), ["close #2", "timer fetch back-off/2 in 1000 ms"]);
}

#[test]
fn becoming_leader_ends_the_fetching_and_a_late_answer_is_ignored() {
    let mut scene = Scene::following();
    let lines = scene.metadata(vec![MetadataRecord::PartitionChange(PartitionChangeRecord {
        isr: Some(vec![BrokerId(1)]),
        leader: Some(Some(BrokerId(1))),
        ..PartitionChangeRecord::of(TOPIC_ID, PartitionIndex(0))
    })]);
    assert_eq!(
        lines[1..],
        [
            "note leads t-0 epoch 1",
            "write t-0 epochs 1@0",
            "close #2",
            "cancel channel timeout/18",
            "cancel fetch back-off/2",
        ]
    );
    assert!(scene.answer(FETCHER, 0, fetched(t0(), Offset(0), vec![stored_batch(0, 0)])).is_empty());
    assert_eq!(scene.broker.view().replicas[0].log_end_offset, Offset(0));
}

#[test]
fn a_topic_made_anew_under_the_same_name_starts_with_an_empty_log() {
    let mut scene = Scene::leading();
    let recreated = MetadataRecord::Topic { name: TopicName::new("t"), topic_id: TopicId(8) };
    let replicas = vec![BrokerId(1), BrokerId(2)];
    let record = PartitionRecord::created((TopicId(8), PartitionIndex(0)), replicas.clone(), replicas);
    let partition = MetadataRecord::Partition(record);
    let lines = scene.metadata(vec![MetadataRecord::RemoveTopic { topic_id: TOPIC_ID }, recreated, partition]);
    assert_eq!(lines[1..5], ["write delete t-0", "write create t-0", "note leads t-0 epoch 0", "write t-0 epochs 0@0"]);
    assert_eq!(scene.broker.view().replicas[0].topic_id, TopicId(8));
}

#[test]
fn a_replica_that_was_moved_away_is_deleted_and_a_new_one_is_made() {
    let mut scene = Scene::leading();
    let moved = |replicas: &[i32], leader: i32| {
        let replicas: Vec<BrokerId> = replicas.iter().copied().map(BrokerId).collect();
        MetadataRecord::PartitionChange(PartitionChangeRecord {
            isr: Some(vec![BrokerId(leader)]),
            leader: Some(Some(BrokerId(leader))),
            replicas: Some(replicas),
            ..PartitionChangeRecord::of(TOPIC_ID, PartitionIndex(0))
        })
    };
    let lines = scene.metadata(vec![moved(&[2], 2)]);
    assert!(lines.contains(&"write delete t-0".to_owned()), "{lines:?}");
    assert!(scene.broker.view().replicas.is_empty());
    let lines = scene.metadata(vec![moved(&[1, 2], 2)]);
    assert!(lines.contains(&"write create t-0".to_owned()), "{lines:?}");
    assert_eq!(scene.broker.view().replicas.len(), 1);
}

#[test]
fn high_watermarks_are_written_down_when_they_have_changed() {
    let mut scene = Scene::leading();
    let timer = "timer checkpoint/0 in 5000 ms";
    assert_eq!(scene.fire(timers::HIGH_WATERMARK_CHECKPOINT, 0), ["write hw t-0 0", timer]);
    assert_eq!(scene.fire(timers::HIGH_WATERMARK_CHECKPOINT, 0), [timer]);
}

#[test]
fn metadata_is_fetched_again_at_once_unless_the_controller_shuts_down() {
    let mut scene = Scene::new();
    scene.step(crate::node::Input::Started { disk: crate::storage::Disk::default() });
    scene.connected(METADATA);
    let refusal = |error| FetchPartitionResult {
        partition: wire::TopicPartition::new(TopicName::new("__cluster_metadata"), PartitionIndex(0)),
        quorum: Some(QuorumFetchResult {
            current_leader: LeaderIdAndEpoch { leader_id: None, leader_epoch: LeaderEpoch::ZERO },
            snapshot_id: None,
        }),
        ..FetchPartitionResult::failed(t0(), error)
    };
    let response = |error| Response::Fetch(FetchResponse::sessionless(vec![refusal(error)]));
    let again = scene.answer_metadata_fetch(response(ErrorCode::NotLeaderOrFollower));
    assert!(again.contains(&"send #0 ?1 fetch __cluster_metadata-0@0 epoch 0 last 0".to_owned()), "{again:?}");
    scene.answer_metadata_fetch(response(ErrorCode::BrokerNotAvailable));
    scene.now = scene.now + Duration::from_ms(19);
    assert!(scene.fire(timers::METADATA_QUORUM, 0).is_empty());
    scene.now = scene.now + Duration::from_ms(1);
    assert_eq!(scene.fire(timers::METADATA_QUORUM, 0), ["send #0 ?2 fetch __cluster_metadata-0@0 epoch 0 last 0"]);
}

fn failed(error: ErrorCode) -> Response {
    Response::Fetch(FetchResponse::sessionless(vec![FetchPartitionResult::failed(t0(), error)]))
}
