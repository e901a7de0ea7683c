//! The follower: what it appends, where it truncates, when it backs off.

use super::*;
use crate::event::TruncationReason;
use crate::view::ReplicaRole;
use wire::response::EpochEndOffset;

/// A follower (2) and a leader (1) with these logs, in leader epoch `leader_epoch`.
fn pair(leader: &[i32], follower: &[i32], leader_epoch: i32) -> (Bench, Bench) {
    let (mut leading, mut following) = (Bench::with_log(1, leader), Bench::with_log(2, follower));
    let state = state(Some(1), leader_epoch, 1, &[1]);
    leading.metadata(&state);
    following.metadata(&state);
    (leading, following)
}

/// Where the follower's log was cut, in order.
fn cuts(bench: &Bench) -> Vec<i64> {
    let cut = |event: &BrokerEvent| {
        if let BrokerEvent::LogTruncated { to, .. } = event { Some(to.0) } else { None }
    };
    bench.events.iter().filter_map(cut).collect()
}

#[test]
fn a_follower_appends_and_takes_the_high_watermark_as_far_as_its_log_reaches() {
    let (mut leader, mut follower) = pair(&[0, 0, 0], &[], 1);
    assert_eq!(leader.high_watermark(), 3);
    let request = follower.next_fetch();
    let mut result = leader.partition.read(&request, Reader::Follower(BrokerId(2)), ALL).result;
    result.batches.pop();
    let changes = follower.take_fetch(&request, &result);
    assert_eq!(changes, Changes { log_end_offset: true, high_watermark: true, ..Changes::default() });
    assert_eq!((follower.high_watermark(), follower.log_end_offset()), (2, 2));
    let replicated =
        BrokerEvent::RecordsReplicated { partition: partition(), first_offset: Offset(0), last_offset: Offset(1) };
    assert!(follower.events.contains(&replicated));
    follower.sync_once(&mut leader);
    assert_eq!((follower.high_watermark(), follower.epochs()), (3, vec![0, 0, 0]));
    let request = follower.next_fetch();
    assert_eq!((request.fetch_offset, request.last_fetched_epoch), (Offset(3), LeaderEpoch(0)));
}

#[test]
fn the_high_watermark_reaches_a_follower_one_fetch_late() {
    let mut leader = Bench::with_log(1, &[]);
    let mut follower = Bench::new(2);
    leader.metadata(&state(Some(1), 0, 0, &[1, 2]));
    follower.metadata(&state(Some(1), 0, 0, &[1, 2]));
    leader.append(&records(1), Acks::Leader).unwrap();
    let mut seen = Vec::new();
    for _ in 0..4 {
        follower.sync_once(&mut leader);
        seen.push((leader.high_watermark(), follower.high_watermark(), follower.log_end_offset()));
    }
    assert_eq!(seen, [(0, 0, 1), (1, 0, 1), (1, 1, 1), (1, 1, 1)]);
}

#[test]
fn logs_of_interleaved_epochs_converge() {
    let (mut leader, mut follower) = pair(&[1, 3, 5], &[0, 2, 4], 5);
    for _ in 0..10 {
        follower.sync_once(&mut leader);
    }
    assert_eq!(follower.epochs(), [1, 3, 5]);
    assert_eq!(follower.high_watermark(), leader.high_watermark());
    assert_eq!(follower.disk.logs[&partition()].segments.len(), 3);
}

#[test]
fn the_last_fetched_epoch_falls_back_on_divergence() {
    let (mut leader, mut follower) = pair(&[0, 2, 5], &[0, 2, 4], 5);
    let mut seen = vec![follower.next_fetch().last_fetched_epoch.0];
    for _ in 0..2 {
        follower.sync_once(&mut leader);
        seen.push(follower.next_fetch().last_fetched_epoch.0);
    }
    assert_eq!(seen, [4, 2, 5]);
    assert_eq!(follower.epochs(), leader.epochs());
}

#[test]
fn a_diverging_answer_does_not_move_the_high_watermark() {
    let (mut leader, mut follower) = pair(&[0, 0, 2, 5, 5], &[0, 0, 2, 4, 4, 4], 5);
    follower.partition.log.update_high_watermark(Offset(1));
    follower.sync_once(&mut leader);
    assert_eq!((follower.log_end_offset(), follower.high_watermark()), (3, 1));
    let truncated = BrokerEvent::LogTruncated {
        partition: partition(),
        from: Offset(6),
        to: Offset(3),
        reason: TruncationReason::DivergingEpoch,
    };
    assert_eq!(follower.events.last(), Some(&truncated));
    follower.sync_once(&mut leader);
    assert_eq!((follower.log_end_offset(), follower.high_watermark()), (5, 5));
}

#[test]
fn divergence_is_cut_at_the_end_of_the_common_epoch() {
    // Name, leader's epochs, follower's epochs, where the follower cuts.
    type Case<'a> = (&'a str, &'a [i32], &'a [i32], &'a [i64]);
    let table: [Case<'_>; 8] = [
        ("A: the follower has the same", &[1, 1], &[1, 1], &[]),
        ("B: the follower has a part", &[1, 1, 2, 2], &[1, 1, 2], &[]),
        ("C", &[1, 1], &[1, 1, 1, 1], &[2]),
        ("D", &[1, 1], &[1, 1, 2, 2], &[2]),
        ("E", &[1, 1, 3, 3], &[1, 1, 2, 2, 2], &[2]),
        ("F", &[1, 1], &[1, 2, 2], &[1]),
        ("G", &[1, 1], &[2, 2], &[0]),
        ("an empty follower", &[1, 1], &[], &[]),
    ];
    for (name, leader_epochs, follower_epochs, expected) in table {
        let (mut leader, mut follower) = pair(leader_epochs, follower_epochs, 3);
        for _ in 0..6 {
            follower.sync_once(&mut leader);
        }
        assert_eq!(cuts(&follower), expected, "{name}");
        assert_eq!(follower.epochs(), leader.epochs(), "{name}");
    }
}

/// Gives the follower a diverging answer.
fn diverge(follower: &mut Bench, epoch: i32, end_offset: i64) {
    let request = follower.next_fetch();
    let diverging_epoch = Some(EpochEndOffset { leader_epoch: LeaderEpoch(epoch), end_offset: Offset(end_offset) });
    let result = FetchPartitionResult { diverging_epoch, ..answer(ErrorCode::None) };
    follower.take_fetch(&request, &result);
}

fn answer(error: ErrorCode) -> FetchPartitionResult {
    FetchPartitionResult {
        partition: partition(),
        error,
        high_watermark: Offset(0),
        last_stable_offset: Offset(0),
        log_start_offset: Offset(0),
        diverging_epoch: None,
        quorum: None,
        current_leader: None,
        aborted_transactions: Vec::new(),
        preferred_read_replica: None,
        batches: Vec::new(),
    }
}

#[test]
fn the_truncation_offset_follows_the_leaders_answer() {
    // The follower has epochs 2 at 0, 5 at 4 and 7 at 6, and ends at 8.
    let table = [
        ("no offset: stays", (5, -1), 8),
        ("no epoch: the leader's offset", (-1, 3), 3),
        ("a known epoch that ended earlier here", (5, 7), 6),
        ("a known epoch that ended earlier there", (5, 5), 5),
        ("an unknown epoch: the end of the one below", (4, 7), 4),
        ("an epoch below all: the start", (1, 3), 0),
        ("the latest epoch", (7, 7), 7),
    ];
    for (name, (epoch, end_offset), expected) in table {
        let mut follower = Bench::with_log(2, &[2, 2, 2, 2, 5, 5, 7, 7]);
        follower.metadata(&state(Some(1), 9, 1, &[1]));
        diverge(&mut follower, epoch, end_offset);
        assert_eq!(follower.log_end_offset(), expected, "{name}");
    }
}

/// `ReplicaFetcherThreadTest`, whose followers have 200 records.
#[test]
fn long_logs_are_cut_where_the_leaders_answers_say_round_by_round() {
    // The follower's epochs with their starts, the leader's answers, and where the log ends behind each of them.
    type Case<'a> = (&'a str, &'a [(i32, usize)], &'a [(i32, i64)], &'a [i64]);
    let table: [Case<'_>; 8] = [
        ("the same epoch", &[(5, 0)], &[(5, 156)], &[156]),
        ("the same epoch", &[(5, 0)], &[(5, 172)], &[172]),
        ("no epoch as old as the leader's: nothing is common", &[(5, 0)], &[(4, 156)], &[0]),
        ("an epoch that is not known here", &[(3, 0), (5, 120)], &[(4, 155), (3, 101)], &[120, 101]),
        ("an epoch that is not known here", &[(3, 0), (5, 120)], &[(4, 143), (3, 102)], &[120, 102]),
        ("twice", &[(1, 0), (2, 119), (4, 129), (5, 149)], &[(4, 140), (3, 130)], &[140, 129]),
        ("twice", &[(1, 0), (2, 119), (4, 129), (5, 149)], &[(4, 141), (3, 131)], &[141, 129]),
        ("and once more", &[(1, 0), (4, 119)], &[(2, 120)], &[119]),
    ];
    for (name, epochs, answers, expected) in table {
        let epoch_at = |offset| epochs.iter().rev().find(|(_, start)| *start <= offset).map_or(0, |(epoch, _)| *epoch);
        let mut follower = Bench::with_log(2, &(0..200).map(epoch_at).collect::<Vec<i32>>());
        follower.metadata(&state(Some(1), 9, 1, &[1]));
        for ((epoch, end_offset), expected) in answers.iter().zip(expected) {
            diverge(&mut follower, *epoch, *end_offset);
            assert_eq!(follower.log_end_offset(), *expected, "{name}: {epoch} ends at {end_offset}");
        }
    }
}

/// `offsetsShouldNotGoBackwards` of `EpochDrivenReplicationProtocolAcceptanceTest`: the follower's log ends in the middle of
/// a batch of the leader, which lost the half of its log that they had in common.
#[test]
fn a_follower_that_ends_inside_a_batch_of_the_leader_is_cut_before_it() {
    let mut follower = Bench::with_log(2, &[0; 100]);
    let mut leader = Bench::with_log(1, &[0; 50]);
    leader.metadata(&state(Some(1), 1, 1, &[1]));
    follower.metadata(&state(Some(1), 1, 1, &[1]));
    (0..2).for_each(|_| leader.append(&records(77), Acks::All).map(drop).unwrap());
    for _ in 0..4 {
        follower.sync_once(&mut leader);
    }
    assert_eq!((cuts(&follower), follower.log_end_offset()), (vec![50], 204));
    assert_eq!(follower.epochs(), leader.epochs());
}

#[test]
fn a_former_leader_without_records_forgets_its_epoch() {
    let mut leader = Bench::with_log(1, &[4, 4]);
    let mut follower = Bench::with_log(2, &[4, 4]);
    follower.metadata(&state(Some(2), 5, 1, &[1, 2]));
    assert_eq!(follower.partition.log().latest_epoch(), LeaderEpoch(5));
    leader.metadata(&state(Some(1), 6, 2, &[1, 2]));
    follower.metadata(&state(Some(1), 6, 2, &[1, 2]));
    follower.sync_once(&mut leader);
    assert_eq!((follower.log_end_offset(), follower.partition.log().latest_epoch()), (2, LeaderEpoch(4)));
    assert_eq!(cuts(&follower), [0; 0]);
    follower.sync_once(&mut leader);
    assert_eq!((leader.high_watermark(), follower.log_end_offset()), (2, 2));
}

#[test]
fn a_log_beyond_the_leaders_is_cut_at_its_end() {
    let (mut leader, mut follower) = pair(&[], &[0, 2, 4], 4);
    // The leader lost everything, its epochs included, and still leads in the same epoch.
    leader.partition.log.truncate_fully_and_start_at(Offset(0), &mut leader.effects);
    for _ in 0..3 {
        follower.sync_once(&mut leader);
    }
    assert_eq!((follower.log_end_offset(), follower.high_watermark()), (0, 0));
    assert_eq!(cuts(&follower), [0]);
}

#[test]
fn a_log_below_the_leaders_start_begins_there_anew() {
    let (mut leader, mut follower) = pair(&[], &[0], 4);
    leader.partition.log.truncate_fully_and_start_at(Offset(2), &mut leader.effects);
    leader.append(&records(1), Acks::Leader).unwrap();
    for _ in 0..5 {
        follower.sync_once(&mut leader);
    }
    assert_eq!((follower.partition.log().log_start_offset(), follower.epochs()), (Offset(2), vec![4]));
    assert_eq!(follower.high_watermark(), leader.high_watermark());
    let truncated = BrokerEvent::LogTruncated {
        partition: partition(),
        from: Offset(1),
        to: Offset(2),
        reason: TruncationReason::OffsetOutOfRange,
    };
    assert!(follower.events.contains(&truncated));
}

#[test]
fn a_follower_whose_log_is_in_range_keeps_it() {
    let mut follower = Bench::with_log(2, &[0, 0]);
    follower.metadata(&state(Some(1), 1, 1, &[1]));
    follower.take_fetch(&follower.next_fetch(), &answer(ErrorCode::OffsetOutOfRange));
    for (spec, offset) in [(OffsetSpec::Latest, 9), (OffsetSpec::Earliest, 1)] {
        let Some(FollowerRequest::ListOffsets(request)) = follower.partition.next_request(follower.now) else {
            panic!("expected to be asked for an offset")
        };
        assert_eq!(request.spec, spec);
        let result = ListOffsetsResult {
            partition: partition(),
            error: ErrorCode::None,
            timestamp: Timestamp(-1),
            offset: Offset(offset),
            leader_epoch: LeaderEpoch(1),
        };
        follower.take_list_offsets(&request, &result);
    }
    assert_eq!(follower.next_fetch().fetch_offset, Offset(2));
}

#[test]
fn errors_of_the_leader_stop_or_delay_the_follower() {
    let delaying = [
        ErrorCode::UnknownLeaderEpoch,
        ErrorCode::NotLeaderOrFollower,
        ErrorCode::UnknownTopicOrPartition,
        ErrorCode::UnknownTopicId,
        ErrorCode::InconsistentTopicId,
        ErrorCode::UnknownServerError,
    ];
    for error in delaying {
        let (_, mut follower) = pair(&[0], &[], 1);
        follower.take_fetch(&follower.next_fetch(), &answer(error));
        assert_eq!(follower.partition.next_request(follower.now), None, "{error:?}");
        assert_eq!(follower.partition.backs_off_until(), Some(follower.now + Duration::from_ms(1_000)));
        follower.sleep(999);
        assert_eq!(follower.partition.next_request(follower.now), None);
        follower.sleep(1);
        assert_eq!(follower.next_fetch().fetch_offset, Offset(0));
    }
    let (mut leader, mut follower) = pair(&[0], &[], 1);
    follower.take_fetch(&follower.next_fetch(), &answer(ErrorCode::FencedLeaderEpoch));
    follower.sleep(60_000);
    assert_eq!(follower.partition.next_request(follower.now), None);
    follower.metadata(&state(Some(1), 2, 2, &[1]));
    leader.metadata(&state(Some(1), 2, 2, &[1]));
    follower.sync_once(&mut leader);
    assert_eq!(follower.epochs(), [0]);
}

#[test]
fn a_lost_connection_delays_the_follower() {
    let (mut leader, mut follower) = pair(&[0], &[], 1);
    let now = follower.now;
    follower.partition.on_request_failed(now);
    assert!(!follower.sync_once(&mut leader));
    follower.sleep(1_000);
    assert!(follower.sync_once(&mut leader));
    assert_eq!(follower.partition.backs_off_until(), None);
}

#[test]
fn an_answer_to_an_outdated_fetch_is_ignored() {
    let (mut leader, mut follower) = pair(&[0, 0], &[], 1);
    let request = follower.next_fetch();
    let result = leader.partition.read(&request, Reader::Follower(BrokerId(2)), ALL).result;
    follower.sync_once(&mut leader);
    assert_eq!(follower.take_fetch(&request, &result), Changes::default());
    let request = follower.next_fetch();
    follower.metadata(&state(Some(3), 2, 2, &[3]));
    assert_eq!(follower.take_fetch(&request, &answer(ErrorCode::FencedLeaderEpoch)), Changes::default());
    assert_eq!(follower.next_fetch().current_leader_epoch, LeaderEpoch(2));
    assert_eq!(follower.log_end_offset(), 2);
}

#[test]
fn without_a_leader_nothing_is_fetched() {
    let mut follower = Bench::with_log(2, &[0]);
    assert!(follower.metadata(&state(None, 1, 1, &[1])).leadership);
    assert_eq!((follower.partition.leader(), follower.partition.next_request(follower.now)), (None, None));
    follower.metadata(&state(Some(1), 2, 2, &[1]));
    assert_eq!(follower.next_fetch().current_leader_epoch, LeaderEpoch(2));
    follower.partition.stop_fetching();
    assert_eq!(follower.partition.next_request(follower.now), None);
}

#[test]
fn an_empty_log_may_begin_inside_a_batch_of_the_leader() {
    let mut follower = Bench::new(2);
    follower.partition.log.truncate_fully_and_start_at(Offset(7), &mut follower.effects);
    follower.metadata(&state(Some(1), 1, 1, &[1]));
    let batch = Arc::new(records(5).appended_at(Offset(5), LeaderEpoch(1)));
    let result = FetchPartitionResult { batches: vec![batch], ..answer(ErrorCode::None) };
    follower.take_fetch(&follower.next_fetch(), &result);
    assert_eq!((follower.partition.log().log_start_offset().0, follower.log_end_offset()), (5, 10));
}

/// What overlaps the log, and what is larger than a segment may be.
#[test]
fn what_cannot_be_appended_stops_the_follower_until_the_next_leader_epoch() {
    for (offset, segment_bytes) in [(1, 1 << 30), (3, 60)] {
        let mut follower = Bench::with_log(2, &[0, 0, 0]);
        let config = TopicConfig { segment_bytes, ..TopicConfig::clone(follower.partition.config()) };
        follower.partition.set_config(Arc::new(config));
        follower.metadata(&state(Some(1), 1, 1, &[1]));
        let batch = Arc::new(records(5).appended_at(Offset(offset), LeaderEpoch(1)));
        let result = FetchPartitionResult { batches: vec![batch], ..answer(ErrorCode::None) };
        assert_eq!(follower.take_fetch(&follower.next_fetch(), &result), Changes::default());
        assert_eq!(follower.partition.next_request(follower.now), None);
        let has_failed =
            |bench: &Bench| matches!(bench.partition.view().role, ReplicaRole::Follower { has_failed: true, .. });
        assert!(has_failed(&follower));
        follower.metadata(&state(Some(1), 1, 2, &[1]));
        assert!(has_failed(&follower), "a newer partition epoch does not help");
        follower.metadata(&state(Some(1), 2, 3, &[1]));
        assert!(!has_failed(&follower) && follower.partition.next_request(follower.now).is_some());
    }
}

#[test]
fn a_follower_learns_where_the_leaders_log_starts() {
    let (mut leader, mut follower) = pair(&[0, 0, 0], &[], 1);
    follower.sync_once(&mut leader);
    leader.partition.log.maybe_increment_log_start_offset(Offset(2), &mut leader.effects).unwrap();
    follower.sync_once(&mut leader);
    assert_eq!(follower.partition.log().log_start_offset(), Offset(2));
    assert_eq!((follower.next_fetch().log_start_offset, follower.log_end_offset()), (Offset(2), 3));
}
