//! Fetch sessions (KIP-227): both sides of them, with the rules of Kafka's `FetchSessionTest` and
//! `FetchSessionHandlerTest`.

use super::scene::t0;
use crate::Rng;
use crate::broker::fetch_sessions::{Evicted, FetchContext, FetchSessions};
use crate::fetch_session_handler::FetchSessionHandler;
use crate::instant::Instant;
use rand::SeedableRng;
use std::sync::Arc;
use wire::request::{FetchPartition, FetchRequest, IsolationLevel};
use wire::response::{FetchPartitionResult, FetchResponse};
use wire::{ErrorCode, FetchMetadata, LeaderEpoch, Offset, PartitionIndex, TopicPartition};

fn partition(index: i32) -> TopicPartition {
    TopicPartition { partition: PartitionIndex(index), ..t0() }
}

fn asked(index: i32, offset: i64) -> FetchPartition {
    FetchPartition {
        partition: partition(index),
        topic_id: None,
        current_leader_epoch: LeaderEpoch(0),
        fetch_offset: Offset(offset),
        last_fetched_epoch: LeaderEpoch::NONE,
        log_start_offset: Offset(-1),
        max_bytes: 100,
    }
}

fn told(index: i32, high_watermark: i64) -> FetchPartitionResult {
    let result = FetchPartitionResult::failed(partition(index), ErrorCode::None);
    FetchPartitionResult { high_watermark: Offset(high_watermark), log_start_offset: Offset(0), ..result }
}

fn request(metadata: FetchMetadata, partitions: Vec<FetchPartition>, forgotten: Vec<TopicPartition>) -> FetchRequest {
    FetchRequest {
        replica: None,
        max_wait_ms: 0,
        min_bytes: 1,
        max_bytes: 100,
        isolation_level: IsolationLevel::ReadUncommitted,
        metadata,
        partitions,
        forgotten,
        rack_id: None,
    }
}

fn seconds(seconds: u64) -> Instant {
    Instant(seconds * 1_000_000)
}

fn sessions(slots: i32) -> FetchSessions {
    FetchSessions::new(slots, Rng::seed_from_u64(1))
}

/// A session with partitions 0 and 1, both told with high watermark 5.
fn with_session() -> (FetchSessions, FetchMetadata) {
    let mut sessions = sessions(10);
    let (id, _) = sessions.create(vec![asked(0, 0), asked(1, 0)], &[told(0, 5), told(1, 5)], false, seconds(0));
    (sessions, FetchMetadata::new_incremental(id))
}

#[test]
fn an_incremental_request_reads_everything_and_is_told_only_what_changed() {
    let (mut sessions, metadata) = with_session();
    let mut second = request(metadata, vec![asked(1, 7)], Vec::new());
    let everything = Arc::new(vec![asked(0, 0), asked(1, 7)]);
    assert_eq!(sessions.open(&mut second, seconds(1)), Ok((FetchContext::Incremental(metadata), everything)));
    let mut results = vec![told(0, 5), told(1, 6)];
    assert_eq!(sessions.prune(metadata, &mut results), Ok(()));
    assert_eq!(results, [told(1, 6)]);
}

#[test]
fn an_error_is_told_each_time_and_its_end_too() {
    let (mut sessions, mut metadata) = with_session();
    let failed = FetchPartitionResult::failed(partition(0), ErrorCode::NotLeaderOrFollower);
    for (result, is_told) in [(failed.clone(), true), (failed, true), (told(0, 5), true), (told(0, 5), false)] {
        sessions.open(&mut request(metadata, Vec::new(), Vec::new()), seconds(1)).unwrap();
        let mut results = vec![result];
        sessions.prune(metadata, &mut results).unwrap();
        assert_eq!(!results.is_empty(), is_told);
        metadata = metadata.next_incremental();
    }
}

#[test]
fn sessions_that_do_not_exist_and_requests_out_of_order_are_refused() {
    let (mut sessions, metadata) = with_session();
    let mut open = |metadata| {
        let opened = sessions.open(&mut request(metadata, Vec::new(), Vec::new()), seconds(1));
        opened.map(|(context, _)| context)
    };
    let unknown = FetchMetadata { session_id: metadata.session_id + 1, ..metadata };
    assert_eq!(open(unknown), Err(ErrorCode::FetchSessionIdNotFound));
    assert_eq!(open(metadata.next_incremental()), Err(ErrorCode::InvalidFetchSessionEpoch));
    assert_eq!(open(metadata), Ok(FetchContext::Incremental(metadata)));
    assert_eq!(open(metadata), Err(ErrorCode::InvalidFetchSessionEpoch));
    assert_eq!(open(metadata.close_existing()), Ok(FetchContext::Sessionless));
    assert_eq!(open(metadata.next_incremental()), Err(ErrorCode::FetchSessionIdNotFound));
}

#[test]
fn a_session_without_partitions_ends() {
    let (mut sessions, metadata) = with_session();
    let mut forget = request(metadata, Vec::new(), vec![partition(0), partition(1)]);
    assert_eq!(sessions.open(&mut forget, seconds(1)), Ok((FetchContext::Sessionless, Arc::default())));
    assert_eq!(sessions.len(), 0);
}

#[test]
fn an_answer_is_refused_when_another_request_of_the_session_came_in_between() {
    let (mut sessions, metadata) = with_session();
    sessions.open(&mut request(metadata, Vec::new(), Vec::new()), seconds(1)).unwrap();
    sessions.open(&mut request(metadata.next_incremental(), Vec::new(), Vec::new()), seconds(1)).unwrap();
    assert_eq!(sessions.prune(metadata, &mut Vec::new()), Err(ErrorCode::InvalidFetchSessionEpoch));
}

#[test]
fn a_full_cache_lets_only_the_more_valuable_in() {
    // Partitions and rank of the newcomer, when it comes, and whether the session of one partition gives way.
    let table = [
        ("as large, soon", 1, false, 1, false),
        ("larger, but soon", 2, false, 1, false),
        ("a follower, soon", 1, true, 1, true),
        ("anybody, once it is stale", 1, false, 121, true),
    ];
    for (name, count, is_privileged, at, gives_way) in table {
        let mut sessions = sessions(1);
        let (first, _) = sessions.create(vec![asked(0, 0)], &[told(0, 0)], false, seconds(0));
        let partitions: Vec<FetchPartition> = (0..count).map(|index| asked(index, 0)).collect();
        let results: Vec<FetchPartitionResult> = (0..count).map(|index| told(index, 0)).collect();
        let (id, evicted) = sessions.create(partitions, &results, is_privileged, seconds(at));
        let expected = gives_way.then_some(Evicted { session_id: first, partitions: 1 });
        assert_eq!((evicted, id != FetchMetadata::NO_SESSION), (expected, gives_way), "{name}");
        assert_eq!(sessions.len(), 1, "{name}");
    }
}

#[test]
fn an_old_session_in_use_gives_way_to_a_larger_one() {
    let mut sessions = sessions(1);
    let (first, _) = sessions.create(vec![asked(0, 0)], &[told(0, 0)], false, seconds(0));
    let metadata = FetchMetadata::new_incremental(first);
    sessions.open(&mut request(metadata, Vec::new(), Vec::new()), seconds(130)).unwrap();
    assert_eq!(sessions.create(vec![asked(0, 0)], &[told(0, 0)], false, seconds(131)), (0, None));
    let two = (vec![asked(0, 0), asked(1, 0)], [told(0, 0), told(1, 0)]);
    let (_, evicted) = sessions.create(two.0, &two.1, false, seconds(131));
    assert_eq!(evicted, Some(Evicted { session_id: first, partitions: 1 }));
}

#[test]
fn a_reader_names_what_is_new_changed_or_gone() {
    let mut handler = FetchSessionHandler::new();
    let first = handler.next_request(&[asked(0, 0), asked(1, 0)]);
    assert_eq!((first.metadata, first.partitions.len()), (FetchMetadata::INITIAL, 2));
    let answer = FetchResponse { error: ErrorCode::None, session_id: 9, partitions: Vec::new() };
    assert!(handler.on_response(&answer));
    let second = handler.next_request(&[asked(0, 0), asked(2, 0)]);
    assert_eq!(second.metadata, FetchMetadata::new_incremental(9));
    assert_eq!((second.partitions, second.forgotten), (vec![asked(2, 0)], vec![partition(1)]));
    handler.on_response(&answer);
    let third = handler.next_request(&[asked(0, 4), asked(2, 0)]);
    assert_eq!((third.metadata.epoch, third.partitions, third.forgotten), (2, vec![asked(0, 4)], Vec::new()));
}

#[test]
fn a_reader_begins_anew_after_an_error_of_the_session() {
    let closing = FetchMetadata { session_id: 9, epoch: 0 };
    let table =
        [(ErrorCode::FetchSessionIdNotFound, FetchMetadata::INITIAL), (ErrorCode::InvalidFetchSessionEpoch, closing)];
    for (error, expected) in table {
        let mut handler = FetchSessionHandler::new();
        handler.next_request(&[asked(0, 0)]);
        handler.on_response(&FetchResponse { error: ErrorCode::None, session_id: 9, partitions: Vec::new() });
        assert!(!handler.on_response(&FetchResponse::session_error(error, 0)));
        assert_eq!(handler.next_request(&[asked(0, 0)]).metadata, expected);
    }
    let mut handler = FetchSessionHandler::new();
    handler.next_request(&[asked(0, 0)]);
    handler.on_response(&FetchResponse { error: ErrorCode::None, session_id: 9, partitions: Vec::new() });
    handler.on_error();
    assert_eq!(handler.next_request(&[asked(0, 0)]).metadata, closing);
}
