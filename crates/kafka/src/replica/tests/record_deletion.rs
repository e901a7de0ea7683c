//! Deleting records on request, and the low watermark.

use super::*;

/// Broker 1 leads three replicas with ten records; both followers have them.
fn replicated() -> Bench {
    let mut bench = Bench::new(1);
    bench.metadata(&state(Some(1), 1, 1, &[1, 2, 3]));
    bench.append(&records(10), Acks::Leader).unwrap();
    bench.fetch(2, 10);
    bench.fetch(3, 10);
    assert_eq!(bench.high_watermark(), 10);
    bench
}

fn delete(bench: &mut Bench, offset: i64) -> Result<(i64, i64), ErrorCode> {
    let deletion =
        bench.run(|partition, context, effects| partition.delete_records(Offset(offset), context, effects))?;
    Ok((deletion.required_offset.0, deletion.low_watermark.0))
}

/// A follower that has everything fetches, and its log starts at `start`.
fn fetch_starting_at(bench: &mut Bench, follower: i32, start: i64) -> Changes {
    let request = FetchPartition { log_start_offset: Offset(start), ..bench.request(10) };
    let replica = ReplicaState { replica_id: BrokerId(follower), replica_epoch: broker_epoch(follower) };
    bench.run(|partition, context, effects| partition.on_follower_fetch(&request, replica, ALL, context, effects)).1
}

fn low_watermark(bench: &mut Bench) -> i64 {
    bench.run(|partition, context, _| partition.low_watermark(context)).unwrap().0
}

#[test]
fn the_low_watermark_is_the_start_of_the_slowest_live_replica() {
    let mut bench = replicated();
    assert_eq!(delete(&mut bench, 5), Ok((5, 0)));
    assert!(fetch_starting_at(&mut bench, 2, 5).log_start_offset);
    assert_eq!(low_watermark(&mut bench), 0);
    bench.change(3, Some(true), None);
    assert_eq!(low_watermark(&mut bench), 5, "a fenced follower does not count");
    bench.change(3, Some(false), None);
    fetch_starting_at(&mut bench, 3, 4);
    assert_eq!(low_watermark(&mut bench), 4);
}

#[test]
fn minus_one_is_the_high_watermark_and_nothing_above_it_can_be_deleted() {
    let mut bench = replicated();
    bench.append(&records(2), Acks::Leader).unwrap();
    assert_eq!(delete(&mut bench, 11), Err(ErrorCode::OffsetOutOfRange));
    assert_eq!(delete(&mut bench, -2), Err(ErrorCode::OffsetOutOfRange));
    assert_eq!(delete(&mut bench, -1), Ok((10, 0)));
    assert_eq!(bench.partition.log().log_start_offset(), Offset(10));
    assert_eq!(delete(&mut bench, 3), Ok((3, 0)), "what is gone already is no error");
    assert_eq!(bench.partition.log().log_start_offset(), Offset(10));
}

#[test]
fn only_leaders_of_topics_with_the_delete_policy_delete_records() {
    for (policy, outcome) in
        [("delete", Ok((5, 0))), ("compact,delete", Ok((5, 0))), ("compact", Err(ErrorCode::PolicyViolation))]
    {
        let mut bench = replicated();
        let overrides = BTreeMap::from([("cleanup.policy".to_owned(), policy.to_owned())]);
        bench.partition.set_config(Arc::new(TopicConfig::resolve(&overrides, &BrokerConfig::default())));
        assert_eq!(delete(&mut bench, 5), outcome, "{policy}");
    }
    let mut bench = replicated();
    bench.metadata(&state(Some(2), 2, 2, &[1, 2, 3]));
    assert_eq!(delete(&mut bench, 5), Err(ErrorCode::NotLeaderOrFollower));
}

#[test]
fn followers_move_their_start_with_the_leaders_and_start_anew_behind_their_end() {
    let mut leader = replicated();
    let mut follower = Bench::with_log(2, &[1; 10]);
    let mut empty = Bench::new(3);
    for bench in [&mut follower, &mut empty] {
        bench.metadata(&state(Some(1), 1, 1, &[1, 2, 3]));
    }
    delete(&mut leader, 6).unwrap();
    follower.sync_once(&mut leader);
    assert_eq!((follower.partition.log().log_start_offset(), follower.log_end_offset()), (Offset(6), 10));
    while empty.partition.log().log_start_offset() != Offset(6) {
        assert!(empty.sync_once(&mut leader));
    }
    assert!(empty.events.iter().any(|event| matches!(
        event,
        BrokerEvent::LogTruncated { to: Offset(6), reason: crate::event::TruncationReason::OffsetOutOfRange, .. }
    )));
}
