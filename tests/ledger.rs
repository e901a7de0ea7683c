//! The promise ledger in whole clusters: what counts as lost, by which event, and what that says about the promise.

use acceptance::clients;
use acceptance::play::{Play, TOPIC};
use kafka::event::{EventKind, OperatorEvent};
use kafka::fault::{LinkChange, Links};
use kafka::instant::Duration;
use kafka::node::NodeId;
use kafka::spec::{AdminAction, ClientSpec, HistoricalFaults, Program, TopicFilter, TopicsAction};
use sim::ledger::Verdict;
use sim::world_shape::{Mode, WorldShape};
use sim::{Checker, Command};
use wire::request::{Acks, DeleteRecordsPartition};
use wire::{Endpoint, Offset, PartitionIndex, TopicName, TopicPartition};

fn shape(brokers: i32, properties: &[(&str, &str)]) -> WorldShape {
    let all = [("broker.session.timeout.ms", "3000")];
    let properties = all.iter().chain(properties).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    WorldShape { brokers, properties: properties.collect(), ..WorldShape::default() }
}

/// One partition on so many brokers, with one record acknowledged by all of them.
fn one_record(replicas: i32) -> Play {
    let mut play = Play::new(&shape(3, &[]), replicas, &[]);
    let producer = play.producer(Acks::All);
    play.write(producer, &["m0"]);
    play.pass(1_000);
    play
}

fn run(play: &mut Play, program: Program) {
    let bootstrap_servers = (9092..=9094).map(|port| Endpoint::new("localhost", port)).collect();
    play.apply(Command::StartClient(ClientSpec { client_id: "test".to_owned(), bootstrap_servers, program }));
    play.pass(2_000);
}

#[test]
fn what_lies_on_disks_of_processes_that_are_down_is_not_lost() {
    for replicas in [1, 2] {
        let mut play = one_record(replicas);
        (1..=replicas).for_each(|broker| play.kill(broker));
        play.pass(10_000);
        assert_eq!(play.losses(), []);
        (1..=replicas).for_each(|broker| play.start(broker));
        play.pass(10_000);
        assert_eq!((play.values(1), play.losses(), play.complaints()), (vec!["m0".to_owned()], vec![], vec![]));
    }
}

#[test]
fn a_record_is_lost_when_the_last_replica_in_sync_has_lost_it_with_its_power() {
    for (replicas, verdict) in [(1, Verdict::SingleReplica), (3, Verdict::PowerLoss)] {
        let mut play = one_record(replicas);
        for broker in 1..=replicas {
            assert_eq!(play.losses(), [], "broker {broker} still has it");
            play.power_off(broker);
            play.pass(10);
        }
        assert_eq!(play.losses(), [(0, 0, verdict)]);
        assert_eq!(play.event_of_first_loss(), EventKind::Operator(OperatorEvent::PowerLost));
        assert_eq!(play.complaints(), []);
    }
}

/// The answer travels so long that only the leader is in sync any more when it arrives.
#[test]
fn who_was_in_sync_at_the_commit_counts_and_not_who_is_when_the_answer_arrives() {
    let properties = [("replica.lag.time.max.ms", "2000")];
    let mut play = Play::new(&shape(3, &properties), 3, &[("min.insync.replicas", "2")]);
    let (producer, to_leader) = (play.producer(Acks::All), play.producer(Acks::Leader));
    play.write(producer, &["m0"]);
    let links = Links::OneWay { from: NodeId::Server(1), to: producer };
    play.apply(Command::ChangeLinks { links, change: LinkChange::Delay(Duration::from_ms(10_000)) });
    play.send(producer, "m1");
    play.pass(1_000);
    assert_eq!(play.replica(1).expect("it leads").high_watermark, Offset(2));
    play.cut(1, 2);
    play.cut(1, 3);
    play.write(to_leader, &["m2"]);
    play.await_leadership(1, &[1]);
    let before = play.acknowledged();
    play.pass(10_000);
    assert_eq!(play.acknowledged(), before + 1, "the answer was on its way");
    play.power_off(1);
    let mut losses = play.losses();
    losses.sort_unstable();
    let expected = [(0, 0, Verdict::PowerLoss), (1, 1, Verdict::PowerLoss), (2, 2, Verdict::AcksLeader)];
    assert_eq!(losses, expected, "three were in sync when m1 was committed, of which two had to be");
}

/// The answer is on its way when all who have the record lose it.
#[test]
fn what_is_lost_before_its_producer_hears_of_it_is_lost_for_the_same_reason() {
    for (replicas, verdict) in [(1, Verdict::SingleReplica), (3, Verdict::PowerLoss)] {
        let mut play = one_record(replicas);
        let producer = play.producer(Acks::All);
        play.write(producer, &["m1"]);
        let links = Links::OneWay { from: NodeId::Server(1), to: producer };
        play.apply(Command::ChangeLinks { links, change: LinkChange::Delay(Duration::from_ms(5_000)) });
        play.send(producer, "m2");
        play.pass(1_000);
        assert_eq!(play.replica(1).expect("it leads").high_watermark, Offset(3));
        let heard = play.acknowledged();
        (1..=replicas).for_each(|broker| play.power_off(broker));
        assert_eq!(play.losses(), [(0, 1, verdict)]);
        play.pass(10_000);
        assert_eq!(play.acknowledged(), heard + 1, "the answer was on its way");
        assert_eq!((play.losses(), play.complaints()), (vec![(0, 1, verdict), (2, 2, verdict)], vec![]));
    }
}

/// A ZooKeeper controller leaves a single replica its epoch.
#[test]
fn what_a_leader_writes_that_goes_on_in_its_epoch_is_there_though_what_it_had_is_lost() {
    let mut play = Play::new(&WorldShape { mode: Mode::ZooKeeper, ..shape(1, &[]) }, 1, &[]);
    let producer = play.producer(Acks::All);
    play.write(producer, &["m0", "m1"]);
    for _ in 0..2 {
        play.power_off(1);
        play.pass(20_000);
        play.start(1);
        play.pass(5_000);
        play.write(producer, &["n0", "n1", "n2"]);
    }
    assert_eq!(play.losses(), [(0, 1, Verdict::SingleReplica), (0, 2, Verdict::SingleReplica)]);
    assert_eq!((play.values(1), play.complaints()), (["n0", "n1", "n2"].map(str::to_owned).to_vec(), vec![]));
}

#[test]
fn a_disk_that_is_taken_away_takes_what_it_alone_had() {
    let mut play = one_record(1);
    play.stop(1);
    play.apply(Command::RemoveServer(NodeId::Server(1)));
    assert_eq!(play.losses(), [(0, 0, Verdict::SingleReplica)]);
    let mut play = one_record(2);
    play.stop(1);
    play.await_leadership(2, &[2]);
    play.apply(Command::RemoveServer(NodeId::Server(1)));
    assert_eq!(play.losses(), []);
    play.kill(2);
    play.apply(Command::RemoveServer(NodeId::Server(2)));
    assert_eq!(play.losses(), [(0, 0, Verdict::DiskRemoved)]);
    assert_eq!(play.event_of_first_loss(), EventKind::Operator(OperatorEvent::ServerRemoved));
    assert_eq!(play.complaints(), []);
}

#[test]
fn what_the_user_deletes_is_not_lost() {
    let mut play = one_record(3);
    let partition = TopicPartition::new(TopicName::new(TOPIC), PartitionIndex(0));
    let deletion = DeleteRecordsPartition { partition, offset: Offset(1) };
    run(&mut play, Program::Admin(AdminAction::DeleteRecords(vec![deletion])));
    assert_eq!(play.replica(1).expect("it leads").log_start_offset, Offset(1));
    let topics = TopicFilter { pattern: Some(TOPIC.to_owned()), exclude_internal: false };
    run(&mut play, Program::Topics(TopicsAction::Delete { topics, if_exists: false }));
    assert!(play.replica(1).is_none(), "the topic is gone");
    play.apply(Command::StartClient(clients::create_topic(TOPIC, 3, &[])));
    play.pass(2_000);
    let producer = play.producer(Acks::All);
    play.write(producer, &["n0"]);
    play.kill(1);
    play.pass(10_000);
    assert_eq!((play.values(2), play.losses(), play.complaints()), (vec!["n0".to_owned()], vec![], vec![]));
}

#[test]
fn what_retention_takes_is_not_lost() {
    let properties = [("log.retention.check.interval.ms", "1000")];
    let configs = [("segment.bytes", "200"), ("retention.bytes", "200"), ("file.delete.delay.ms", "0")];
    let mut play = Play::new(&shape(3, &properties), 3, &configs);
    let producer = play.producer(Acks::All);
    (0..10).for_each(|_| play.write(producer, &["a record of some length"]));
    play.pass(60_000);
    assert!(play.values(1).len() < 10, "retention took some");
    play.kill(1);
    play.pass(10_000);
    assert_eq!((play.losses(), play.complaints()), (vec![], vec![]));
}

#[test]
fn nothing_was_promised_to_who_did_not_ask() {
    let mut play = Play::new(&shape(3, &[]), 3, &[]);
    let producer = play.producer(Acks::None);
    play.send(producer, "m0");
    play.pass(1_000);
    (1..=3).for_each(|broker| play.power_off(broker));
    play.pass(1_000);
    let counts = play.session.ledger().counts();
    assert_eq!((counts.unanswered, counts.acknowledged_by_leader, counts.acknowledged_by_all), (1, 0, 0));
    assert_eq!(play.losses(), []);
}

/// A power loss long ago is no excuse for what a mistake takes: followers that cut their logs at the high watermark.
#[test]
fn a_promise_is_broken_when_nothing_allowed_the_loss() {
    let historical_faults = HistoricalFaults { truncate_to_high_watermark: true, ..HistoricalFaults::default() };
    let shape = WorldShape { historical_faults, ..shape(3, &[]) };
    let mut play = Play::new(&shape, 3, &[]);
    let producer = play.producer(Acks::All);
    play.write(producer, &["m0"]);
    play.power_off(3);
    play.pass(6_000);
    play.start(3);
    play.await_leadership(1, &[1, 2, 3]);
    play.pass(2_000);
    play.write(producer, &["m1"]);
    play.cut(2, 3);
    play.kill(1);
    play.until("its successor leads", |play| play.leadership().is_some_and(|(leader, _, _)| leader == 2));
    play.kill(2);
    play.until("the last one leads", |play| play.leadership().is_some_and(|(leader, _, _)| leader == 3));
    assert_eq!(play.values(3), ["m0"]);
    assert_eq!(play.losses(), [(1, 1, Verdict::PromiseBroken)]);
    assert!(play.complaints().contains(&Checker::AcknowledgedRecords));
}
