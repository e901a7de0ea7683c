//! Which replica a consumer is sent to. Follows `ReplicaSelectorTest` and `PartitionTest.testPreferredReplicaAsLeader…`.

use super::*;

/// Broker 1 leads ten records; brokers 1, 2, 3 are in racks `racks`.
fn leader_in_racks(racks: [&str; 3], isr: &[i32]) -> Bench {
    let mut bench = Bench::with_log(1, &[0; 10]);
    for (id, rack) in (1..).zip(racks) {
        bench.replay(&MetadataRecord::RegisterBroker {
            broker_id: BrokerId(id),
            incarnation_id: IncarnationId(1),
            broker_epoch: broker_epoch(id),
            endpoint: Endpoint::new("localhost", 9092),
            rack: Some(rack.to_owned()),
        });
        bench.change(id, Some(false), None);
    }
    bench.metadata(&state(Some(1), 1, 1, isr));
    bench
}

fn preferred(bench: &mut Bench, rack: &str, fetch_offset: i64) -> Option<i32> {
    let offset = Offset(fetch_offset);
    bench.run(|partition, context, _| partition.preferred_read_replica(rack, offset, context)).map(|broker| broker.0)
}

#[test]
fn a_consumer_is_sent_to_the_in_sync_follower_in_its_rack() {
    let mut bench = leader_in_racks(["a", "b", "c"], &[1, 2, 3]);
    bench.fetch(2, 10);
    bench.fetch(3, 5);
    for (rack, fetch_offset, expected) in [
        ("a", 5, None),
        ("b", 5, Some(2)),
        ("b", 10, Some(2)),
        ("b", 11, None),
        ("c", 5, Some(3)),
        ("c", 6, None),
        ("nowhere", 5, None),
    ] {
        assert_eq!(preferred(&mut bench, rack, fetch_offset), expected, "rack {rack}, offset {fetch_offset}");
    }
}

#[test]
fn the_leader_is_preferred_when_it_is_near_or_the_near_follower_is_out_of_the_isr() {
    let mut bench = leader_in_racks(["b", "b", "b"], &[1, 2, 3]);
    bench.fetch(2, 10);
    assert_eq!(preferred(&mut bench, "b", 5), None);
    let mut bench = leader_in_racks(["a", "b", "c"], &[1, 3]);
    bench.fetch(2, 5);
    assert_eq!(preferred(&mut bench, "b", 5), None);
}

#[test]
fn of_several_near_followers_the_furthest_is_chosen_then_the_last_to_be_caught_up_then_the_greater_id() {
    let mut bench = leader_in_racks(["a", "b", "b"], &[1, 2, 3]);
    bench.fetch(2, 9);
    bench.fetch(3, 8);
    assert_eq!(preferred(&mut bench, "b", 5), Some(2));
    bench.fetch(2, 10);
    bench.sleep(1);
    bench.fetch(3, 10);
    assert_eq!(preferred(&mut bench, "b", 5), Some(3));
    bench.sleep(1);
    bench.fetch(2, 10);
    assert_eq!(preferred(&mut bench, "b", 5), Some(2));
    bench.fetch(3, 10);
    assert_eq!(preferred(&mut bench, "b", 5), Some(3));
}

#[test]
fn a_follower_whose_log_starts_behind_the_offset_cannot_serve_it() {
    let mut bench = leader_in_racks(["a", "b", "c"], &[1, 2, 3]);
    let request = FetchPartition { log_start_offset: Offset(6), ..bench.request(10) };
    let replica = ReplicaState { replica_id: BrokerId(2), replica_epoch: broker_epoch(2) };
    bench.run(|partition, context, effects| partition.on_follower_fetch(&request, replica, ALL, context, effects));
    assert_eq!((preferred(&mut bench, "b", 5), preferred(&mut bench, "b", 6)), (None, Some(2)));
}

#[test]
fn a_redirected_fetch_is_answered_at_once_without_records() {
    let bench = leader_in_racks(["a", "b", "c"], &[1, 2, 3]);
    let read = bench.partition.redirect(&bench.request(0), BrokerId(2));
    assert!(read.is_urgent() && read.result.batches.is_empty());
    assert_eq!(read.result.preferred_read_replica, Some(BrokerId(2)));
    let request = FetchPartition { current_leader_epoch: LeaderEpoch(0), ..bench.request(0) };
    assert_eq!(bench.partition.redirect(&request, BrokerId(2)).result.error, ErrorCode::FencedLeaderEpoch);
}
