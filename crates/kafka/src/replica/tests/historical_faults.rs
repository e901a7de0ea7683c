//! The faults that Kafka once had: each schedule is played with the rule left out, where the fault shows, and with the
//! rule in force, where it does not.

use super::*;

/// Two replicas of which either may lead, in leader epoch 0 of broker 1, both in sync.
fn couple(faults: HistoricalFaults) -> (Bench, Bench) {
    let (mut first, mut second) = (Bench::new(1).with_faults(faults), Bench::new(2).with_faults(faults));
    first.metadata(&state(Some(1), 0, 0, &[1, 2]));
    second.metadata(&state(Some(1), 0, 0, &[1, 2]));
    (first, second)
}

/// Appends one record with this text to a leader.
fn write(leader: &mut Bench, text: &str) {
    let record = Record::new(None, Some(text.as_bytes()), Timestamp(0));
    leader.append(&RecordBatch::from_producer(vec![record]), Acks::Leader).expect("the leader takes it");
}

/// The texts in a replica's log.
fn texts(bench: &Bench) -> Vec<String> {
    let batches = bench.partition.log().segments().batches_from(Offset::ZERO);
    let values = batches.flat_map(|batch| batch.records().to_vec()).map(|record| record.value.expect("has a value"));
    values.map(|value| String::from_utf8_lossy(value.as_ref()).into_owned()).collect()
}

fn sync(follower: &mut Bench, leader: &mut Bench, times: usize) {
    for _ in 0..times {
        follower.sync_once(leader);
    }
}

#[test]
fn truncation_to_the_high_watermark_loses_what_was_committed() {
    for (is_fault_on, expected) in [(false, vec!["m0", "m1"]), (true, vec!["m0"])] {
        let faults = HistoricalFaults { truncate_to_high_watermark: is_fault_on, ..HistoricalFaults::default() };
        let (mut a, mut b) = couple(faults);
        write(&mut a, "m0");
        sync(&mut b, &mut a, 3);
        write(&mut a, "m1");
        sync(&mut b, &mut a, 1);
        // B's next fetch reaches A, but the answer with the high watermark does not reach B.
        a.fetch(2, 2);
        assert_eq!((a.high_watermark(), b.high_watermark(), b.log_end_offset()), (2, 1, 2));
        b.restart();
        b.metadata(&state(Some(1), 0, 1, &[1, 2]));
        a.restart();
        b.metadata(&state(Some(2), 1, 2, &[2]));
        a.metadata(&state(Some(2), 1, 2, &[2]));
        sync(&mut a, &mut b, 6);
        assert_eq!((texts(&a), texts(&b)), (owned(&expected), owned(&expected)), "fault: {is_fault_on}");
    }
}

#[test]
fn truncation_to_the_high_watermark_lets_logs_diverge() {
    for (is_fault_on, expected) in [(false, vec!["m0", "other"]), (true, vec!["m0", "m1"])] {
        let faults = HistoricalFaults { truncate_to_high_watermark: is_fault_on, ..HistoricalFaults::default() };
        let (mut a, mut b) = couple(faults);
        write(&mut a, "m0");
        sync(&mut b, &mut a, 3);
        write(&mut a, "m1");
        // B told A that it has m1, and lost it when the power failed.
        a.fetch(2, 2);
        assert_eq!((a.high_watermark(), b.log_end_offset()), (2, 1));
        a.restart();
        b.restart();
        b.metadata(&state(Some(2), 1, 1, &[2]));
        write(&mut b, "other");
        a.metadata(&state(Some(2), 1, 1, &[2]));
        sync(&mut a, &mut b, 6);
        assert_eq!(texts(&b), ["m0", "other"]);
        assert_eq!(texts(&a), owned(&expected), "fault: {is_fault_on}");
    }
}

#[test]
fn a_single_round_of_truncation_keeps_records_of_an_epoch_that_the_leader_never_had() {
    for (is_fault_on, expected) in [(false, [0, 0, 2]), (true, [0, 1, 2])] {
        let faults = HistoricalFaults { single_round_truncation: is_fault_on, ..HistoricalFaults::default() };
        let mut leader = Bench::with_log(1, &[0, 0, 2]).with_faults(faults);
        let mut follower = Bench::with_log(2, &[0, 1, 1]).with_faults(faults);
        leader.metadata(&state(Some(1), 2, 1, &[1]));
        follower.metadata(&state(Some(1), 2, 1, &[1]));
        sync(&mut follower, &mut leader, 6);
        assert_eq!((follower.epochs(), follower.log_end_offset()), (expected.to_vec(), 3), "fault: {is_fault_on}");
    }
}

/// What KIP-320 mended: a follower hears who leads before that one does, which is still to follow another, and to be cut.
#[test]
fn a_follower_that_compares_logs_before_it_fetches_only_does_so_with_one_that_is_yet_to_lead() {
    for (is_fault_on, expected) in [(false, vec!["m0", "other"]), (true, vec!["m0", "m1"])] {
        let faults = HistoricalFaults { truncation_before_fetching: is_fault_on, ..HistoricalFaults::default() };
        let (mut a, mut b) = couple(faults);
        let mut c = Bench::new(3).with_faults(faults);
        c.metadata(&state(Some(1), 0, 0, &[1, 2]));
        write(&mut a, "m0");
        [&mut b, &mut c].into_iter().for_each(|follower| sync(follower, &mut a, 3));
        write(&mut a, "m1");
        sync(&mut b, &mut a, 1);
        c.metadata(&state(Some(3), 1, 1, &[1, 3]));
        write(&mut c, "other");
        // B hears of the third leadership while A still is in the first.
        b.metadata(&state(Some(1), 2, 2, &[1, 3]));
        sync(&mut b, &mut a, 1);
        a.metadata(&state(Some(3), 1, 1, &[1, 3]));
        sync(&mut a, &mut c, 4);
        assert_eq!(texts(&a), ["m0", "other"]);
        a.metadata(&state(Some(1), 2, 2, &[1, 3]));
        b.now = b.now + b.partition.settings.replica_fetch_backoff;
        sync(&mut b, &mut a, 6);
        assert_eq!((texts(&b), b.log_end_offset()), (owned(&expected), 2), "fault: {is_fault_on}");
    }
}

#[test]
fn without_fencing_a_deposed_leader_goes_on_serving() {
    for (is_fault_on, expected) in [(false, ErrorCode::UnknownLeaderEpoch), (true, ErrorCode::None)] {
        let faults = HistoricalFaults { unfenced_fetches: is_fault_on, ..HistoricalFaults::default() };
        let (mut zombie, mut successor) = couple(faults);
        write(&mut zombie, "m0");
        sync(&mut successor, &mut zombie, 3);
        write(&mut zombie, "never committed");
        zombie.fetch(2, 2);
        successor.metadata(&state(Some(2), 1, 1, &[2]));
        write(&mut successor, "m1");
        // The consumer knows the new epoch, but its request still goes to the old leader.
        let request = FetchPartition { current_leader_epoch: LeaderEpoch(1), ..zombie.request(1) };
        let read = zombie.partition.read(&request, CONSUMER, ALL).result;
        assert_eq!((read.error, read.batches.len()), (expected, usize::from(is_fault_on)), "fault: {is_fault_on}");
    }
}

#[test]
fn the_high_watermark_below_min_isr_commits_what_one_replica_has() {
    for (is_fault_on, expected) in [(false, 0), (true, 1)] {
        let faults = HistoricalFaults { high_watermark_below_min_isr: is_fault_on, ..HistoricalFaults::default() };
        let mut leader = Bench::new(1).with_faults(faults);
        leader.set_min_isr(2);
        leader.metadata(&state(Some(1), 0, 0, &[1]));
        write(&mut leader, "acknowledged with acks=1");
        assert_eq!(leader.append(&records(1), Acks::All).err(), Some(ErrorCode::NotEnoughReplicas));
        assert_eq!(leader.high_watermark(), expected, "fault: {is_fault_on}");
        let visible = leader.partition.read(&leader.request(0), CONSUMER, ALL).result.batches.len();
        assert_eq!(i64::try_from(visible), Ok(expected));
    }
}

#[test]
fn without_broker_epochs_an_earlier_run_of_a_follower_joins_the_isr() {
    for (is_fault_on, expected) in [(false, None), (true, Some(vec![(1, -1), (2, -1)]))] {
        let faults = HistoricalFaults { isr_without_broker_epochs: is_fault_on, ..HistoricalFaults::default() };
        let mut leader = Bench::with_log(1, &[0, 0]).with_faults(faults);
        leader.metadata(&state(Some(1), 1, 1, &[1]));
        // The follower has restarted and lost its tail; a fetch of its earlier run arrives late.
        leader.register(2, BrokerEpoch(broker_epoch(2).0 + 10));
        let (read, _) = leader.fetch_as(2, broker_epoch(2), 2);
        let error = if is_fault_on { ErrorCode::None } else { ErrorCode::NotLeaderOrFollower };
        assert_eq!((read.result.error, leader.proposed()), (error, expected), "fault: {is_fault_on}");
    }
}

#[test]
fn without_broker_epochs_a_fenced_follower_joins_the_isr() {
    for is_fault_on in [false, true] {
        let faults = HistoricalFaults { isr_without_broker_epochs: is_fault_on, ..HistoricalFaults::default() };
        let mut leader = Bench::with_log(1, &[0, 0]).with_faults(faults);
        leader.metadata(&state(Some(1), 1, 1, &[1]));
        leader.change(2, Some(true), None);
        assert_eq!(leader.fetch(2, 2).isr_proposed, is_fault_on);
    }
}

/// Schedule 4.9, KIP-207: the high watermark of a new leader lags behind what the leader before it told.
#[test]
fn before_kip_207_the_end_of_the_log_goes_back_when_the_leader_changes() {
    for (is_fault_on, expected) in [(false, Err(ErrorCode::OffsetNotAvailable)), (true, Ok(1))] {
        let faults = HistoricalFaults { end_offsets_in_doubt: is_fault_on, ..HistoricalFaults::default() };
        let (mut a, mut b) = couple(faults);
        write(&mut a, "m0");
        sync(&mut b, &mut a, 3);
        write(&mut a, "m1");
        sync(&mut b, &mut a, 1);
        a.fetch(2, 2);
        assert_eq!(latest(&a), Ok(2));
        b.metadata(&state(Some(2), 1, 1, &[1, 2]));
        assert_eq!(latest(&b), expected, "fault: {is_fault_on}");
        a.metadata(&state(Some(2), 1, 1, &[1, 2]));
        sync(&mut a, &mut b, 2);
        assert_eq!(latest(&b), Ok(2));
    }
}

/// What a client is told of the end of the log.
fn latest(bench: &Bench) -> Result<i64, ErrorCode> {
    let current_leader_epoch = bench.partition.leader_epoch();
    let request = ListOffsetsPartition { partition: partition(), current_leader_epoch, spec: OffsetSpec::Latest };
    let result = bench.partition.list_offsets(&request, CONSUMER);
    if result.error.is_none() { Ok(result.offset.0) } else { Err(result.error) }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
