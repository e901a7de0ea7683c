//! The leader: high watermark, in-sync replicas, appends.

use super::*;

/// A leader of epoch 5 with `count` records of epoch 4 and the in-sync replicas `isr`.
fn leader(count: usize, isr: &[i32], min_isr: i32) -> Bench {
    let mut bench = Bench::with_log(1, &vec![4; count]);
    bench.set_min_isr(min_isr);
    bench.metadata(&state(Some(1), 5, 1, isr));
    bench
}

/// The same with replicas 1 and 2 only.
fn leader_of_two(count: usize, isr: &[i32]) -> Bench {
    let mut bench = Bench::with_log(1, &vec![4; count]);
    bench.metadata(&PartitionRegistration { replicas: brokers(&[1, 2]), ..state(Some(1), 5, 1, isr) });
    bench
}

fn last_caught_up(bench: &Bench, follower: i32) -> Option<Instant> {
    bench.partition.as_leader().and_then(|leader| leader.follower(BrokerId(follower))?.last_caught_up_time)
}

fn known_end(bench: &Bench, follower: i32) -> Option<i64> {
    bench.partition.as_leader().and_then(|leader| Some(leader.follower(BrokerId(follower))?.log_end_offset.0))
}

#[test]
fn becoming_leader_starts_an_epoch_at_the_log_end() {
    let mut bench = Bench::with_log(1, &[4; 4]);
    let changes = bench.metadata(&state(Some(1), 8, 1, &[1, 2, 3]));
    assert_eq!(changes, Changes { leadership: true, ..Changes::default() });
    let end = bench.partition.log().end_offset_for(LeaderEpoch(8));
    assert_eq!((end.leader_epoch, end.end_offset), (LeaderEpoch(8), Offset(4)));
    let became =
        BrokerEvent::BecameLeader { partition: partition(), leader_epoch: LeaderEpoch(8), log_end_offset: Offset(4) };
    assert_eq!(bench.events, [became]);
}

#[test]
fn a_follower_counts_as_caught_up_when_it_has_what_the_leader_had() {
    let mut bench = leader_of_two(6, &[1, 2]);
    let start = bench.now;
    assert_eq!((last_caught_up(&bench, 2), known_end(&bench, 2)), (Some(start), Some(-1)));
    bench.sleep(500);
    bench.fetch(2, 3);
    assert_eq!((last_caught_up(&bench, 2), known_end(&bench, 2)), (Some(start), Some(3)));
    bench.sleep(500);
    bench.fetch(2, 6);
    assert_eq!((last_caught_up(&bench, 2), known_end(&bench, 2)), (Some(bench.now), Some(6)));
}

#[test]
fn a_newer_state_of_the_same_epoch_keeps_what_is_known_of_followers() {
    let mut bench = leader_of_two(0, &[1]);
    assert_eq!((last_caught_up(&bench, 2), known_end(&bench, 2)), (None, Some(-1)));
    bench.run(|partition, _, _| partition.set_config(topic_config(2)));
    bench.fetch(2, 0);
    let replicas = brokers(&[1, 2]);
    let changes = bench.metadata(&PartitionRegistration { replicas, ..state(Some(1), 5, 2, &[1]) });
    assert_eq!(changes, Changes::default());
    assert_eq!(bench.partition.partition_epoch(), PartitionEpoch(2));
    assert_eq!((last_caught_up(&bench, 2), known_end(&bench, 2)), (Some(bench.now), Some(0)));
}

#[test]
fn an_older_state_is_ignored() {
    let mut bench = leader(3, &[1, 2, 3], 1);
    assert_eq!(bench.metadata(&state(Some(2), 6, 0, &[2])), Changes::default());
    assert!(bench.partition.is_leader());
}

#[test]
fn the_high_watermark_waits_until_every_in_sync_replica_has_fetched() {
    let mut bench = leader(10, &[1, 2, 3], 1);
    assert!(!bench.fetch(2, 10).high_watermark);
    assert_eq!(bench.high_watermark(), 0);
    assert!(!bench.fetch(3, 0).high_watermark);
    let changes = bench.fetch(3, 7);
    assert_eq!((changes.high_watermark, bench.high_watermark()), (true, 7));
    let advanced = BrokerEvent::HighWatermarkAdvanced { partition: partition(), from: Offset(0), to: Offset(7) };
    assert_eq!(bench.events.last(), Some(&advanced));
}

#[test]
fn a_shrink_raises_the_high_watermark_only_once_committed() {
    let mut bench = leader(10, &[1, 2, 3], 1);
    bench.fetch(2, 10);
    assert_eq!(bench.shrink(), Changes::default());
    bench.sleep(30_001);
    assert!(bench.shrink().isr_proposed);
    assert_eq!(bench.proposed(), Some(vec![(1, 101), (2, 102)]));
    assert_eq!(bench.isr(), (vec![1, 2, 3], vec![1, 2, 3]));
    assert_eq!(bench.high_watermark(), 0);
    let (outcome, changes) = bench.complete_isr(2);
    assert_eq!((outcome, changes.high_watermark), (AlterPartitionOutcome::Committed, true));
    assert_eq!(bench.isr(), (vec![1, 2], vec![1, 2]));
    assert_eq!((bench.high_watermark(), bench.partition.partition_epoch()), (10, PartitionEpoch(2)));
}

#[test]
fn a_shrink_that_fails_leaves_isr_and_high_watermark_as_they_are() {
    let mut bench = leader_of_two(10, &[1, 2]);
    bench.sleep(30_001);
    assert!(bench.shrink().isr_proposed);
    assert_eq!(bench.answer_isr(ErrorCode::InvalidUpdateVersion, &[], 0).0, AlterPartitionOutcome::AwaitingMetadata);
    assert_eq!((bench.proposed().is_some(), bench.isr(), bench.high_watermark()), (true, (vec![1, 2], vec![1, 2]), 0));
}

#[test]
fn the_high_watermark_stands_still_below_min_isr() {
    let mut bench = leader(10, &[1, 2], 3);
    bench.fetch(2, 10);
    assert_eq!(bench.high_watermark(), 0);
    assert!(bench.fetch(3, 10).isr_proposed);
    assert_eq!((bench.high_watermark(), bench.isr().1.len()), (0, 3));
    bench.complete_isr(2);
    assert_eq!(bench.high_watermark(), 10);
}

#[test]
fn min_isr_is_never_more_than_the_replicas() {
    let mut bench = Bench::new(1);
    bench.set_min_isr(2);
    bench.metadata(&PartitionRegistration { replicas: brokers(&[1]), ..state(Some(1), 0, 0, &[1]) });
    bench.append(&records(1), Acks::All).unwrap();
    assert_eq!(bench.high_watermark(), 1);
}

#[test]
fn a_caught_up_follower_outside_the_isr_holds_the_high_watermark_if_it_may_join() {
    type Edit = fn(&mut Bench);
    let table: [(Edit, i64); 4] = [
        (|_| {}, 10),
        (|bench| bench.change(2, Some(true), None), 20),
        (|bench| bench.change(2, None, Some(true)), 20),
        (|bench| bench.register(2, BrokerEpoch(900)), 20),
    ];
    for (edit, expected) in table {
        let mut bench = leader_of_two(10, &[1, 2]);
        bench.fetch(2, 10);
        assert_eq!(bench.high_watermark(), 10);
        edit(&mut bench);
        (0..10).for_each(|_| bench.append(&records(1), Acks::Leader).map(drop).unwrap());
        let replicas = brokers(&[1, 2]);
        bench.metadata(&PartitionRegistration { replicas, ..state(Some(1), 5, 2, &[1]) });
        assert_eq!(bench.isr(), (vec![1], vec![1]));
        assert_eq!(bench.high_watermark(), expected);
    }
}

#[test]
fn a_follower_joins_the_isr_at_the_high_watermark_of_this_epoch() {
    let mut bench = leader_of_two(10, &[1]);
    assert_eq!(bench.high_watermark(), 10);
    assert!(!bench.fetch(2, 3).isr_proposed);
    assert_eq!(bench.proposed(), None);
    assert!(bench.fetch(2, 10).isr_proposed);
    assert_eq!(bench.proposed(), Some(vec![(1, 101), (2, 102)]));
    assert_eq!(bench.isr(), (vec![1], vec![1, 2]));
    bench.complete_isr(2);
    assert_eq!(bench.isr(), (vec![1, 2], vec![1, 2]));
}

#[test]
fn a_follower_does_not_join_before_it_reaches_the_start_of_the_epoch() {
    let mut bench = Bench::new(1);
    bench.metadata(&state(Some(1), 8, 1, &[1, 3]));
    bench.append(&records(2), Acks::Leader).unwrap();
    bench.append(&records(3), Acks::Leader).unwrap();
    bench.fetch(3, 0);
    bench.fetch(3, 1);
    assert_eq!(bench.high_watermark(), 1);
    bench.metadata(&state(Some(3), 9, 2, &[1, 3]));
    bench.metadata(&state(Some(1), 10, 3, &[1, 3]));
    bench.append(&records(2), Acks::Leader).unwrap();
    bench.fetch(2, 0);
    bench.fetch(2, 1);
    assert_eq!(bench.isr(), (vec![1, 3], vec![1, 3]));
    bench.fetch(2, 5);
    assert_eq!(bench.isr(), (vec![1, 3], vec![1, 3, 2]));
}

#[test]
fn only_eligible_followers_join_the_isr() {
    type Edit = fn(&mut Bench);
    let table: [(Edit, BrokerEpoch, bool); 6] = [
        (|_| {}, broker_epoch(2), true),
        (|_| {}, BrokerEpoch::NONE, true),
        (|_| {}, BrokerEpoch(500), false),
        (|bench| bench.change(2, Some(true), None), broker_epoch(2), false),
        (|bench| bench.change(2, None, Some(true)), broker_epoch(2), false),
        (|bench| bench.register(2, BrokerEpoch(900)), BrokerEpoch(900), true),
    ];
    for (edit, epoch, expected) in table {
        let mut bench = leader_of_two(10, &[1]);
        edit(&mut bench);
        let (_, changes) = bench.fetch_as(2, epoch, 10);
        assert_eq!(changes.isr_proposed, expected, "fetching with epoch {epoch}");
    }
}

#[test]
fn a_fetch_from_an_earlier_run_of_the_follower_is_refused() {
    let mut bench = leader_of_two(10, &[1]);
    bench.register(2, BrokerEpoch(900));
    let (read, changes) = bench.fetch_as(2, broker_epoch(2), 10);
    assert_eq!((read.result.error, changes), (ErrorCode::NotLeaderOrFollower, Changes::default()));
    assert_eq!(known_end(&bench, 2), Some(-1));
}

#[test]
fn a_follower_that_had_what_the_previous_fetch_found_is_not_dropped() {
    let mut bench = leader_of_two(10, &[1, 2]);
    let start = bench.now;
    bench.sleep(5_000);
    let first_fetch = bench.now;
    bench.fetch(2, 5);
    assert_eq!((last_caught_up(&bench, 2), bench.high_watermark()), (Some(start), 5));
    bench.sleep(5_001);
    (0..5).for_each(|_| bench.append(&records(1), Acks::Leader).map(drop).unwrap());
    bench.fetch(2, 10);
    assert_eq!((last_caught_up(&bench, 2), bench.high_watermark()), (Some(first_fetch), 10));
    assert_eq!(bench.shrink(), Changes::default());
}

#[test]
fn a_silent_follower_at_the_log_end_is_not_dropped() {
    let mut bench = leader_of_two(10, &[1, 2]);
    bench.fetch(2, 10);
    bench.sleep(30_001);
    assert_eq!(bench.shrink(), Changes::default());
    bench.append(&records(1), Acks::Leader).unwrap();
    assert!(bench.shrink().isr_proposed);
}

#[test]
fn a_leader_that_is_to_recover_says_with_its_first_proposal_that_it_has() {
    let mut bench = Bench::with_log(1, &[4; 10]);
    let leader_recovery_state = LeaderRecoveryState::Recovering;
    bench.metadata(&PartitionRegistration { leader_recovery_state, ..state(Some(1), 5, 1, &[1]) });
    assert_eq!(bench.proposed(), None, "nothing is proposed for that alone");
    bench.fetch(2, 10);
    let proposal = bench.partition.proposed_isr().unwrap();
    assert_eq!(proposal.leader_recovery_state, LeaderRecoveryState::Recovered);
}

#[test]
fn one_proposal_at_a_time() {
    let mut bench = leader(10, &[1], 1);
    assert!(bench.fetch(2, 10).isr_proposed);
    assert!(!bench.fetch(3, 10).isr_proposed);
    bench.sleep(60_000);
    assert!(!bench.shrink().isr_proposed);
    assert_eq!(bench.proposed(), Some(vec![(1, 101), (2, 102)]));
    bench.complete_isr(2);
    assert!(bench.fetch(3, 10).isr_proposed);
    assert_eq!(bench.proposed(), Some(vec![(1, 101), (2, 102), (3, 103)]));
}

#[test]
fn refusals_of_a_proposal_are_told_apart() {
    let waiting = [
        ErrorCode::UnknownTopicOrPartition,
        ErrorCode::UnknownTopicId,
        ErrorCode::FencedLeaderEpoch,
        ErrorCode::InvalidUpdateVersion,
        ErrorCode::InvalidRequest,
        ErrorCode::NewLeaderElected,
    ];
    let resent = [ErrorCode::UnknownServerError, ErrorCode::NotController, ErrorCode::RequestTimedOut];
    let table = waiting
        .map(|error| (error, AlterPartitionOutcome::AwaitingMetadata))
        .into_iter()
        .chain(resent.map(|error| (error, AlterPartitionOutcome::Resend)))
        .chain([(ErrorCode::IneligibleReplica, AlterPartitionOutcome::Reverted)]);
    for (error, expected) in table {
        let mut bench = leader_of_two(10, &[1]);
        bench.fetch(2, 10);
        assert_eq!(bench.answer_isr(error, &[], 0).0, expected, "{error:?}");
        let is_pending = expected != AlterPartitionOutcome::Reverted;
        assert_eq!((bench.proposed().is_some(), bench.isr().1.len()), (is_pending, 1 + usize::from(is_pending)));
        bench.sleep(60_000);
        bench.append(&records(1), Acks::Leader).unwrap();
        assert_eq!(bench.high_watermark(), if is_pending { 10 } else { 11 }, "only a proposed member is waited for");
    }
}

#[test]
fn an_answer_of_another_epoch_leaves_the_proposal_pending() {
    let mut bench = leader_of_two(10, &[1]);
    bench.fetch(2, 10);
    let (outcome, _) = bench.answer_isr(ErrorCode::None, &[1, 2], 0);
    assert_eq!((outcome, bench.isr().0), (AlterPartitionOutcome::AwaitingMetadata, vec![1]));
}

#[test]
fn metadata_overtakes_an_answer() {
    let mut bench = leader_of_two(10, &[1]);
    bench.fetch(2, 10);
    let sent = bench.partition.proposed_isr().unwrap();
    let replicas = brokers(&[1, 2]);
    bench.metadata(&PartitionRegistration { replicas, ..state(Some(1), 5, 2, &[1, 2]) });
    assert_eq!((bench.proposed(), bench.isr().0), (None, vec![1, 2]));
    let result = AlterPartitionResult {
        partition: partition(),
        error: ErrorCode::None,
        leader: Some(BrokerId(1)),
        leader_epoch: LeaderEpoch(5),
        isr: brokers(&[1]),
        partition_epoch: PartitionEpoch(9),
    };
    let (outcome, _) =
        bench.run(|partition, context, effects| partition.on_alter_partition_result(&sent, &result, context, effects));
    assert_eq!((outcome, bench.isr().0), (AlterPartitionOutcome::Ignored, vec![1, 2]));
}

#[test]
fn an_answer_overtakes_metadata() {
    let mut bench = leader(10, &[1], 1);
    bench.fetch(2, 10);
    bench.complete_isr(2);
    bench.fetch(3, 10);
    assert_eq!(bench.metadata(&state(Some(1), 5, 2, &[1, 2])), Changes::default());
    assert_eq!(bench.isr(), (vec![1, 2], vec![1, 2, 3]));
}

#[test]
fn acks_all_needs_min_isr_before_the_append() {
    let mut bench = leader(0, &[1], 2);
    assert_eq!(bench.append(&records(1), Acks::All), Err(ErrorCode::NotEnoughReplicas));
    assert_eq!(bench.log_end_offset(), 0);
    let rejected = BrokerEvent::ProduceRejected { partition: partition(), error: ErrorCode::NotEnoughReplicas };
    assert_eq!(bench.events.last(), Some(&rejected));
    let appended = bench.append(&records(2), Acks::Leader).unwrap();
    assert_eq!(appended.changes, Changes { log_end_offset: true, ..Changes::default() });
    assert_eq!((bench.log_end_offset(), bench.high_watermark()), (2, 0));
}

#[test]
fn a_lone_leader_commits_what_it_appends() {
    let mut bench = leader(0, &[1], 1);
    let appended = bench.append(&records(3), Acks::All).unwrap();
    assert!(appended.changes.high_watermark);
    assert_eq!((appended.info.first_offset, appended.info.last_offset), (Offset(0), Offset(2)));
    assert_eq!(bench.partition.parked_produce(Offset(3)), ParkedProduce::Replicated);
    assert_eq!(bench.partition.parked_produce(Offset(4)), ParkedProduce::Waiting);
}

#[test]
fn a_parked_produce_request_waits_for_the_in_sync_replicas() {
    let mut bench = leader(0, &[1, 2], 2);
    bench.fetch(2, 0);
    bench.append(&records(1), Acks::All).unwrap();
    assert_eq!(bench.partition.parked_produce(Offset(1)), ParkedProduce::Waiting);
    assert!(bench.fetch(2, 1).high_watermark);
    assert_eq!(bench.partition.parked_produce(Offset(1)), ParkedProduce::Replicated);
}

#[test]
fn a_parked_produce_request_fails_when_the_isr_shrank_or_the_leader_changed() {
    let mut bench = leader(0, &[1, 2], 2);
    bench.fetch(2, 0);
    bench.append(&records(1), Acks::All).unwrap();
    bench.fetch(2, 1);
    bench.metadata(&state(Some(1), 5, 2, &[1]));
    let expected = ParkedProduce::Failed(ErrorCode::NotEnoughReplicasAfterAppend);
    assert_eq!(bench.partition.parked_produce(Offset(1)), expected);
    assert!(bench.metadata(&state(Some(2), 6, 3, &[2])).leadership);
    let expected = ParkedProduce::Failed(ErrorCode::NotLeaderOrFollower);
    assert_eq!(bench.partition.parked_produce(Offset(1)), expected);
    assert_eq!(bench.append(&records(1), Acks::Leader), Err(ErrorCode::NotLeaderOrFollower));
}

#[test]
fn a_restarted_leader_begins_with_the_checkpointed_high_watermark() {
    let mut bench = leader(6, &[1, 2], 1);
    bench.fetch(2, 4);
    bench.restart();
    bench.metadata(&state(Some(1), 6, 2, &[1, 2]));
    assert_eq!((bench.high_watermark(), bench.log_end_offset()), (4, 6));
    bench.fetch(2, 6);
    assert_eq!(bench.high_watermark(), 6);
}
