//! Readers: fetches, diverging epochs, offset look-ups.

use super::*;
use crate::log::{AppendOrigin, LeaderAppend};
use wire::request::OffsetForLeaderPartition;
use wire::{EndTransactionMarker, ProducerEpoch, ProducerId, ProducerStamp, TransactionResult};

const COMMITTED: Reader = Reader::Consumer(IsolationLevel::ReadCommitted);
const OUT_OF_RANGE: Result<Option<(i32, i64)>, ErrorCode> = Err(ErrorCode::OffsetOutOfRange);

/// The log of Kafka's `testLastFetchedOffsetValidation`, from `log_start_offset` on.
fn leader_with_history(log_start_offset: i64) -> Bench {
    let epochs: Vec<i32> = [(0, 2), (3, 6), (4, 5), (7, 1), (9, 3)].into_iter().flat_map(|(e, n)| vec![e; n]).collect();
    let mut bench = Bench::with_log(1, &epochs);
    let mut stored = bench.disk.logs[&partition()].clone();
    stored.log_start_offset = Offset(log_start_offset);
    let settings = bench.partition.settings;
    bench.partition =
        Partition::load(partition(), &stored, topic_config(1), settings, Timestamp(0), &mut bench.effects);
    bench.metadata(&state(Some(1), 10, 1, &[1, 2]));
    bench
}

/// The diverging epoch with which a fetch is answered.
fn diverging(bench: &Bench, epoch: i32, offset: i64) -> Result<Option<(i32, i64)>, ErrorCode> {
    let request = FetchPartition { last_fetched_epoch: LeaderEpoch(epoch), ..bench.request(offset) };
    let read = bench.partition.read(&request, Reader::Follower(BrokerId(2)), ALL);
    if !read.result.error.is_none() {
        return Err(read.result.error);
    }
    Ok(read.result.diverging_epoch.map(|end| (end.leader_epoch.0, end.end_offset.0)))
}

#[test]
fn a_fetch_behind_the_end_of_its_epoch_is_told_where_that_ended() {
    let bench = leader_with_history(0);
    assert_eq!(bench.log_end_offset(), 17);
    let table = [
        (2, 5, Ok(Some((0, 2)))),
        (0, 4, Ok(Some((0, 2)))),
        (6, 6, Ok(Some((4, 13)))),
        (5, 9, Ok(Some((4, 13)))),
        (10, 18, Ok(Some((10, 17)))),
        (0, 2, Ok(None)),
        (7, 14, Ok(None)),
        (9, 17, Ok(None)),
        (10, 17, Ok(None)),
        (11, 5, OUT_OF_RANGE),
    ];
    for (epoch, offset, expected) in table {
        assert_eq!(diverging(&bench, epoch, offset), expected, "epoch {epoch}, offset {offset}");
    }
}

#[test]
fn a_fetch_below_the_log_start_is_out_of_range_whatever_its_epoch() {
    let from_5 = [(2, 8, Ok(Some((2, 5)))), (0, 5, Ok(None)), (3, 5, Ok(None)), (0, 0, OUT_OF_RANGE)];
    for (epoch, offset, expected) in from_5 {
        assert_eq!(diverging(&leader_with_history(5), epoch, offset), expected, "epoch {epoch}, offset {offset}");
    }
    for (epoch, offset) in [(5, 6), (3, 6)] {
        assert_eq!(diverging(&leader_with_history(10), epoch, offset), OUT_OF_RANGE);
    }
}

#[test]
fn a_diverging_fetch_tells_nothing_of_the_follower() {
    let mut bench = leader_with_history(0);
    let request = FetchPartition { last_fetched_epoch: LeaderEpoch(2), ..bench.request(5) };
    let replica = ReplicaState { replica_id: BrokerId(2), replica_epoch: broker_epoch(2) };
    let (read, changes) =
        bench.run(|partition, context, effects| partition.on_follower_fetch(&request, replica, ALL, context, effects));
    assert!(read.is_urgent() && read.result.batches.is_empty());
    assert_eq!(changes, Changes::default());
    let known = bench.partition.as_leader().unwrap().follower(BrokerId(2)).unwrap().log_end_offset;
    assert_eq!(known, Offset(-1));
}

#[test]
fn leader_epochs_are_checked_first() {
    let mut bench = Bench::with_log(1, &[0, 0]);
    let table = [(4, ErrorCode::FencedLeaderEpoch), (6, ErrorCode::UnknownLeaderEpoch)];
    for leader in [Some(1), Some(2)] {
        bench.metadata(&state(leader, 5, 1, &[1, 2]));
        let is_leader = bench.partition.is_leader();
        let others = [(5, is_leader), (-1, is_leader)]
            .map(|(epoch, ok)| (epoch, if ok { ErrorCode::None } else { ErrorCode::NotLeaderOrFollower }));
        for (epoch, expected) in table.into_iter().chain(others) {
            let current_leader_epoch = LeaderEpoch(epoch);
            let request = FetchPartition { current_leader_epoch, ..bench.request(0) };
            let read = bench.partition.read(&request, Reader::Follower(BrokerId(2)), ALL);
            assert_eq!(read.result.error, expected, "fetch in epoch {epoch}");
            let request =
                OffsetForLeaderPartition { partition: partition(), current_leader_epoch, leader_epoch: LeaderEpoch(0) };
            assert_eq!(bench.partition.offset_for_leader_epoch(&request).error, expected);
            let request =
                ListOffsetsPartition { partition: partition(), current_leader_epoch, spec: OffsetSpec::Earliest };
            assert_eq!(bench.partition.list_offsets(&request, CONSUMER).error, expected);
        }
        bench = Bench::with_log(1, &[0, 0]);
    }
}

#[test]
fn a_follower_outside_the_assignment_is_told_to_come_again() {
    let mut bench = Bench::with_log(1, &[0, 0]);
    bench.metadata(&state(Some(1), 5, 1, &[1]));
    for (epoch, expected) in [(5, ErrorCode::UnknownLeaderEpoch), (-1, ErrorCode::NotLeaderOrFollower)] {
        let request = FetchPartition { current_leader_epoch: LeaderEpoch(epoch), ..bench.request(0) };
        let read = bench.partition.read(&request, Reader::Follower(BrokerId(9)), ALL);
        assert_eq!(read.result.error, expected);
        assert_eq!(bench.partition.parked_fetch(&request, Reader::Follower(BrokerId(9))), ParkedFetch::Complete);
    }
}

#[test]
fn another_topics_fetch_is_refused() {
    let mut bench = Bench::with_log(1, &[0]);
    bench.metadata(&state(Some(1), 5, 1, &[1]));
    let request = FetchPartition { topic_id: Some(TopicId(8)), ..bench.request(0) };
    assert_eq!(bench.partition.read(&request, CONSUMER, ALL).result.error, ErrorCode::InconsistentTopicId);
    assert_eq!(bench.partition.redirect(&request, BrokerId(2)).result.error, ErrorCode::InconsistentTopicId);
}

#[test]
fn consumers_read_below_the_high_watermark_and_followers_to_the_end() {
    let mut bench = Bench::with_log(1, &[0; 5]);
    bench.metadata(&state(Some(1), 5, 1, &[1, 2]));
    bench.fetch(2, 3);
    let count = |offset, reader| {
        let read = bench.partition.read(&bench.request(offset), reader, ALL);
        (read.result.error, read.result.batches.len())
    };
    assert_eq!(count(0, CONSUMER), (ErrorCode::None, 3));
    assert_eq!(count(4, CONSUMER), (ErrorCode::None, 0));
    assert_eq!(count(6, CONSUMER), (ErrorCode::OffsetOutOfRange, 0));
    assert_eq!(count(0, Reader::Follower(BrokerId(2))), (ErrorCode::None, 5));
}

#[test]
fn a_fetch_response_carries_the_high_watermark_from_before() {
    let mut bench = Bench::with_log(1, &[0; 3]);
    bench.metadata(&state(Some(1), 5, 1, &[1, 2]));
    let (read, changes) = bench.fetch_as(2, broker_epoch(2), 3);
    assert_eq!((read.result.high_watermark, changes.high_watermark), (Offset(0), true));
    let (read, changes) = bench.fetch_as(2, broker_epoch(2), 3);
    assert_eq!((read.result.high_watermark, changes), (Offset(3), Changes::default()));
    assert_eq!(read.size_in_bytes, 0);
}

#[test]
fn a_parked_fetch_is_complete_when_its_ground_moves() {
    let mut bench = Bench::with_log(1, &[0; 3]);
    bench.metadata(&state(Some(1), 5, 1, &[1, 2]));
    let follower = Reader::Follower(BrokerId(2));
    let request = FetchPartition { last_fetched_epoch: LeaderEpoch(0), ..bench.request(3) };
    assert_eq!(bench.partition.parked_fetch(&request, follower), ParkedFetch::Available(0));
    bench.append(&records(1), Acks::Leader).unwrap();
    let size = i64::from(records(1).size_in_bytes());
    assert_eq!(bench.partition.parked_fetch(&request, follower), ParkedFetch::Available(size));
    let small = FetchPartition { max_bytes: 10, ..request.clone() };
    assert_eq!(bench.partition.parked_fetch(&small, follower), ParkedFetch::Available(10));
    let beyond = FetchPartition { fetch_offset: Offset(5), ..request.clone() };
    assert_eq!(bench.partition.parked_fetch(&beyond, follower), ParkedFetch::Complete);
    let diverging = FetchPartition { last_fetched_epoch: LeaderEpoch(3), ..request.clone() };
    assert_eq!(bench.partition.parked_fetch(&diverging, follower), ParkedFetch::Complete);
    assert_eq!(bench.partition.parked_fetch(&bench.request(1), CONSUMER), ParkedFetch::Complete);
    bench.fetch(2, 3);
    assert_eq!(bench.partition.parked_fetch(&bench.request(1), CONSUMER), ParkedFetch::Available(2 * size));
    bench.metadata(&state(Some(2), 6, 2, &[2]));
    assert_eq!(bench.partition.parked_fetch(&request, follower), ParkedFetch::Complete);
}

fn list(bench: &Bench, spec: OffsetSpec, reader: Reader) -> Result<(i64, i64), ErrorCode> {
    let current_leader_epoch = bench.partition.leader_epoch();
    let request = ListOffsetsPartition { partition: partition(), current_leader_epoch, spec };
    let result = bench.partition.list_offsets(&request, reader);
    if result.error.is_none() { Ok((result.offset.0, result.timestamp.0)) } else { Err(result.error) }
}

#[test]
fn listed_offsets_do_not_go_back_when_the_leader_changes() {
    let replica = Reader::Follower(BrokerId(3));
    let at = |timestamp| OffsetSpec::At(Timestamp(timestamp));
    let mut bench = Bench::new(1);
    bench.metadata(&state(Some(1), 8, 1, &[1, 3]));
    bench.append(&timestamped(&[10, 11]), Acks::None).unwrap();
    bench.append(&timestamped(&[-1, 20, 21]), Acks::None).unwrap();
    for (follower, offset) in [(2, 0), (2, 2), (3, 0), (3, 2)] {
        bench.fetch(follower, offset);
    }
    bench.complete_isr(2);
    assert_eq!(bench.high_watermark(), 2);
    assert_eq!(list(&bench, OffsetSpec::Latest, replica), Ok((5, -1)));
    assert_eq!(list(&bench, OffsetSpec::Latest, CONSUMER), Ok((2, -1)));
    assert_eq!(list(&bench, at(30), CONSUMER), Ok((-1, -1)));
    assert_eq!(list(&bench, at(20), CONSUMER), Ok((-1, -1)));

    bench.metadata(&state(Some(3), 9, 4, &[1, 3, 2]));
    assert_eq!(list(&bench, OffsetSpec::Latest, CONSUMER), Err(ErrorCode::NotLeaderOrFollower));
    bench.metadata(&state(Some(1), 10, 5, &[1, 3]));
    assert_eq!(list(&bench, OffsetSpec::Latest, CONSUMER), Err(ErrorCode::OffsetNotAvailable));
    assert_eq!(list(&bench, OffsetSpec::Latest, replica), Ok((5, -1)));
    assert_eq!(list(&bench, OffsetSpec::Earliest, CONSUMER), Ok((0, -1)));
    assert_eq!(list(&bench, at(11), CONSUMER), Ok((1, 11)));
    assert_eq!(list(&bench, at(100), CONSUMER), Err(ErrorCode::OffsetNotAvailable));
    assert_eq!(list(&bench, OffsetSpec::MaxTimestamp, CONSUMER), Err(ErrorCode::OffsetNotAvailable));

    bench.fetch(2, 5);
    bench.fetch(3, 5);
    bench.complete_isr(6);
    assert_eq!(list(&bench, OffsetSpec::Latest, CONSUMER), Ok((5, -1)));
    assert_eq!(list(&bench, at(100), CONSUMER), Ok((-1, -1)));
    assert_eq!(list(&bench, OffsetSpec::MaxTimestamp, CONSUMER), Ok((4, 21)));
}

/// A leader that takes transactions without asking their coordinator, with an empty log and a follower in sync.
fn leader_of_transactions() -> Bench {
    let mut bench = Bench::new(1);
    let stored = bench.disk.logs[&partition()].clone();
    let log = LogSettings { transaction_partition_verification_enable: false, ..log_settings() };
    let settings = ReplicaSettings { log, ..bench.partition.settings };
    bench.partition =
        Partition::load(partition(), &stored, topic_config(1), settings, Timestamp(0), &mut bench.effects);
    bench.metadata(&state(Some(1), 5, 1, &[1, 2]));
    bench
}

const PRODUCER: (ProducerId, ProducerEpoch) = (ProducerId(234), ProducerEpoch(5));

fn append_in_transaction(bench: &mut Bench, base_sequence: i32, count: usize) {
    let stamp = ProducerStamp { producer_id: PRODUCER.0, producer_epoch: PRODUCER.1, base_sequence };
    bench.append(&records(count).stamped(stamp, true), Acks::Leader).unwrap();
}

/// The coordinator writes a marker.
fn end_transaction(bench: &mut Bench, result: TransactionResult) {
    let marker = EndTransactionMarker { result, coordinator_epoch: 0 };
    let batch = RecordBatch::of_end_transaction(marker, PRODUCER.0, PRODUCER.1, Timestamp(0));
    let config = bench.partition.config.clone();
    let context = LogContext { config: &config, wall_time: Timestamp(0) };
    let append = LeaderAppend::of_client(bench.partition.leader_epoch(), context);
    let append = LeaderAppend { origin: AppendOrigin::Coordinator, ..append };
    bench.partition.log.append_as_leader(&batch, &append, &mut bench.effects).unwrap();
    bench.flush();
}

/// How many batches a consumer gets from `offset` on, the last stable offset, and where aborted transactions begin.
fn read_as(bench: &Bench, reader: Reader, offset: i64) -> (usize, i64, Vec<(i64, i64)>) {
    let result = bench.partition.read(&bench.request(offset), reader, ALL).result;
    assert_eq!(result.error, ErrorCode::None);
    let aborted = result.aborted_transactions.iter().map(|aborted| (aborted.producer_id.0, aborted.first_offset.0));
    (result.batches.len(), result.last_stable_offset.0, aborted.collect())
}

/// As `testReadCommittedFetchLimitedAtLSO`, which commits; then another transaction is aborted.
#[test]
fn a_read_committed_consumer_reads_to_the_last_stable_offset_and_is_told_what_was_aborted() {
    let mut bench = leader_of_transactions();
    (0..3).for_each(|sequence| append_in_transaction(&mut bench, sequence, 1));
    bench.fetch(2, 3);
    assert_eq!(read_as(&bench, COMMITTED, 0), (0, 0, vec![]), "the transaction is open");
    assert_eq!(bench.partition.parked_fetch(&bench.request(0), COMMITTED), ParkedFetch::Available(0));
    end_transaction(&mut bench, TransactionResult::Commit);
    assert_eq!(read_as(&bench, COMMITTED, 0), (0, 0, vec![]), "the marker is not replicated");
    bench.fetch(2, 4);
    assert_eq!(read_as(&bench, COMMITTED, 0), (4, 4, vec![]));

    (3..5).for_each(|sequence| append_in_transaction(&mut bench, sequence, 1));
    end_transaction(&mut bench, TransactionResult::Abort);
    bench.fetch(2, 6);
    assert_eq!(read_as(&bench, COMMITTED, 0), (4, 4, vec![(234, 4)]), "it is told up to the end of the log");
    bench.fetch(2, 7);
    for (offset, batches, aborted) in [(0, 7, vec![(234, 4)]), (4, 3, vec![(234, 4)]), (7, 0, vec![])] {
        assert_eq!(read_as(&bench, COMMITTED, offset), (batches, 7, aborted), "from {offset}");
        assert_eq!(read_as(&bench, CONSUMER, offset), (batches, 7, vec![]), "from {offset}, uncommitted");
    }
}

/// As `testListOffsetIsolationLevels`.
#[test]
fn the_latest_offset_depends_on_who_asks() {
    let mut bench = leader_of_transactions();
    append_in_transaction(&mut bench, 0, 3);
    let readers = [Reader::Follower(BrokerId(2)), CONSUMER, COMMITTED];
    let latest = |bench: &Bench| readers.map(|reader| list(bench, OffsetSpec::Latest, reader).unwrap().0);
    assert_eq!(latest(&bench), [3, 0, 0]);
    bench.partition.log.update_high_watermark(Offset(1));
    assert_eq!(latest(&bench), [3, 1, 0]);
}

#[test]
fn the_end_of_an_epoch_is_told_to_clients() {
    let bench = leader_with_history(0);
    for (epoch, expected) in [(3, (3, 8)), (5, (4, 13)), (10, (10, 17)), (11, (-1, -1)), (-1, (-1, -1))] {
        let request = OffsetForLeaderPartition {
            partition: partition(),
            current_leader_epoch: LeaderEpoch(10),
            leader_epoch: LeaderEpoch(epoch),
        };
        let result = bench.partition.offset_for_leader_epoch(&request);
        assert_eq!((result.end.leader_epoch.0, result.end.end_offset.0), expected, "epoch {epoch}");
    }
}
