//! Fetches of a follower that has everything: they are not read for, and nobody can tell.

use super::scene::{Scene, client, follower_fetch, peer, produce};
use crate::broker::timers;
use crate::instant::Instant;
use crate::view::ReplicaRole;
use wire::request::{Acks, FetchPartition, FetchRequest};
use wire::{BrokerId, FetchMetadata, Request, Response};

/// Broker 2 has fetched everything in a new session.
fn open_session(scene: &mut Scene) -> FetchMetadata {
    let full = FetchRequest { max_wait_ms: 0, metadata: FetchMetadata::INITIAL, ..fetch_of(follower_fetch(0, -1)) };
    let Response::Fetch(answer) = scene.answer_to(peer(), Request::Fetch(Box::new(full))) else {
        panic!("a fetch gets records")
    };
    FetchMetadata::new_incremental(answer.session_id)
}

fn fetch_of(request: Request) -> FetchRequest {
    let Request::Fetch(fetch) = request else { panic!("it is a fetch") };
    *fetch
}

fn incremental(metadata: FetchMetadata, partitions: Vec<FetchPartition>) -> Request {
    Request::Fetch(Box::new(FetchRequest { metadata, partitions, ..fetch_of(follower_fetch(0, -1)) }))
}

fn caught_up_at(scene: &Scene) -> Option<Instant> {
    let view = scene.broker.view();
    let ReplicaRole::Leader { followers, .. } = &view.replicas[0].role else { panic!("it leads") };
    followers.iter().find(|follower| follower.broker == BrokerId(2))?.last_caught_up_at
}

/// Asks in vain so often that only the first time something is read, and returns what comes next.
fn ask_in_vain(scene: &mut Scene, mut metadata: FetchMetadata) -> FetchMetadata {
    for operation in 1..=3 {
        scene.wait(100);
        let asked_at = scene.now;
        let parked = scene.ask(peer(), operation, incremental(metadata, Vec::new()));
        assert_eq!(parked, [format!("timer delayed operation/{operation} in 500 ms")]);
        scene.wait(500);
        let lines = scene.fire(timers::DELAYED_OPERATION, u64::from(operation.unsigned_abs()));
        assert!(lines.len() == 1 && lines[0].starts_with(&format!("send 2#0 !{operation} fetch")), "{lines:?}");
        assert_eq!(caught_up_at(scene), Some(asked_at), "after {operation} fetches");
        metadata = metadata.next_incremental();
    }
    metadata
}

#[test]
fn a_follower_that_asks_in_vain_is_caught_up_and_gets_the_next_record_at_once() {
    let mut scene = Scene::leading();
    let metadata = open_session(&mut scene);
    let metadata = ask_in_vain(&mut scene, metadata);
    scene.ask(peer(), 4, incremental(metadata, Vec::new()));
    let lines = scene.ask(client(1), 0, produce(Acks::Leader));
    assert_eq!(lines.last().map(String::as_str), Some("send 2#0 !4 fetch t-0 NONE hw 0 [0..0 epoch 0]"));
    let now_has_it = fetch_of(follower_fetch(1, 0)).partitions;
    let lines = scene.ask(peer(), 5, incremental(metadata.next_incremental(), now_has_it));
    assert_eq!(lines[0], "note hw t-0 0->1");
}

#[test]
fn a_follower_that_has_asked_in_vain_is_told_of_an_append_in_between() {
    let mut scene = Scene::leading();
    let metadata = open_session(&mut scene);
    let metadata = ask_in_vain(&mut scene, metadata);
    scene.ask(client(1), 0, produce(Acks::Leader));
    let lines = scene.ask(peer(), 4, incremental(metadata, Vec::new()));
    assert_eq!(lines, ["send 2#0 !4 fetch t-0 NONE hw 0 [0..0 epoch 0]"]);
}

#[test]
fn a_follower_that_asks_in_vain_stays_in_sync() {
    let mut scene = Scene::leading();
    let mut metadata = open_session(&mut scene);
    for correlation_id in 1..=100 {
        scene.wait(500);
        scene.ask(peer(), correlation_id, incremental(metadata, Vec::new()));
        scene.wait(500);
        scene.fire(timers::DELAYED_OPERATION, u64::from(correlation_id.unsigned_abs()));
        metadata = metadata.next_incremental();
    }
    scene.ask(client(1), 0, produce(Acks::Leader));
    let lines = scene.fire(timers::ISR_EXPIRATION, 0);
    assert!(!lines.iter().any(|line| line.contains("proposes")), "it had everything a moment ago: {lines:?}");
    scene.wait(30_001);
    let lines = scene.fire(timers::ISR_EXPIRATION, 0);
    assert!(lines.iter().any(|line| line.contains("proposes")), "now it lags: {lines:?}");
}
