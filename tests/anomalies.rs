//! What Kafka once did wrong, and what it allows: schedules of whole clusters, each played with the rule of 3.9 left out,
//! where the anomaly shows, and in force, where it does not. Between single replicas more of them are played in
//! `kafka::replica`.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test names what it expects; the rest is of no interest")]

use acceptance::play::{Play, TOPIC};
use kafka::event::OperatorEvent;
use kafka::event::{AdminAnswer, BrokerEvent, ClientEvent, ControllerEvent, EventKind};
use kafka::fault::{LinkChange, Links};
use kafka::node::NodeId;
use kafka::spec::{
    AdminAction, ClientSpec, GetOffsetsAction, HistoricalFaults, PartitionChoice, PartitionRule, Program,
};
use sim::ledger::Verdict;
use sim::world_shape::{Mode, WorldShape};
use sim::{Checker, Command};
use wire::request::{Acks, OffsetSpec};
use wire::{BrokerId, Endpoint, ErrorCode, Offset};

const NONE: HistoricalFaults = HistoricalFaults {
    truncate_to_high_watermark: false,
    single_round_truncation: false,
    unfenced_fetches: false,
    truncation_before_fetching: false,
    high_watermark_below_min_isr: false,
    isr_without_broker_epochs: false,
    end_offsets_in_doubt: false,
    unfenced_zookeeper_controllers: false,
    unnoticed_broker_bounces: false,
};

/// Brokers that are noticed to be dead after three seconds, and that go at once when they are told to.
fn shape(brokers: i32, historical_faults: HistoricalFaults, properties: &[(&str, &str)]) -> WorldShape {
    let common = [("broker.session.timeout.ms", "3000"), ("auto.leader.rebalance.enable", "false")];
    let all = common.iter().chain(properties);
    let properties = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    WorldShape { brokers, historical_faults, properties, ..WorldShape::default() }
}

fn zookeeper(brokers: i32, historical_faults: HistoricalFaults, properties: &[(&str, &str)]) -> WorldShape {
    WorldShape { mode: Mode::ZooKeeper, ..shape(brokers, historical_faults, properties) }
}

/// `EpochDrivenReplicationProtocolAcceptanceTest.shouldNotAllowDivergentLogs`: of ten records the leader loses five, leads
/// again and writes nine others.
fn the_leader_loses_its_tail(historical_faults: HistoricalFaults) -> Play {
    let mut play = Play::new(&shape(2, historical_faults, &[]), 2, &[]);
    let producer = play.producer(Acks::All);
    play.write(producer, &["0", "1", "2", "3", "4"]);
    play.stop(1);
    play.start(1);
    play.await_leadership(2, &[1, 2]);
    play.write(producer, &["5", "6", "7", "8", "9"]);
    play.pass(6_000);
    play.stop(2);
    play.await_leadership(1, &[1]);
    play.power_off(1);
    play.pass(5_000);
    assert_eq!(play.values(1).len(), 5, "what a clean shutdown had flushed");
    play.start(1);
    play.await_leadership(1, &[1]);
    let producer = play.producer(Acks::All);
    play.write(producer, &["11", "12", "13", "14", "15", "16", "17", "18", "19"]);
    play.start(2);
    play.await_leadership(1, &[1, 2]);
    play.pass(20_000);
    play
}

/// Schedule 4.2, KIP-101.
#[test]
fn without_epochs_the_logs_of_a_leader_that_lost_its_tail_and_of_its_follower_diverge() {
    let mut play = the_leader_loses_its_tail(NONE);
    assert_eq!((play.values(1).len(), play.values(1)), (14, play.values(2)));
    assert_eq!(play.losses(), [(5, 9, Verdict::PowerLoss)], "the last one in sync lost its power");
    assert_eq!(play.event_of_first_loss(), EventKind::Operator(OperatorEvent::PowerLost));
    assert_eq!(play.complaints(), []);
    let faults = HistoricalFaults { truncate_to_high_watermark: true, ..NONE };
    let mut play = the_leader_loses_its_tail(faults);
    let (leader, follower) = (play.values(1), play.values(2));
    assert_eq!(leader[..5], follower[..5]);
    assert_eq!(
        (&leader[5..10], &follower[5..10]),
        (&owned(&["11", "12", "13", "14", "15"])[..], &owned(&["5", "6", "7", "8", "9"])[..])
    );
    assert!(play.complaints().contains(&Checker::LogMatching), "{:?}", play.complaints());
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// `EpochDrivenReplicationProtocolAcceptanceTest.logsShouldNotDivergeOnUncleanLeaderElections`: two brokers take turns.
fn brokers_take_turns(shape: &WorldShape) -> Play {
    let mut play = Play::new(shape, 2, &[("unclean.leader.election.enable", "true"), ("min.insync.replicas", "1")]);
    let first = play.producer(Acks::Leader);
    play.write(first, &["both"]);
    play.pass(2_000);
    let mut written = 0;
    for (broker, count) in [(2, 1), (1, 3), (2, 1), (1, 2)] {
        play.stop(3 - broker);
        if play.broker(broker).is_none() {
            play.start(broker);
        }
        play.until("it leads alone", |play| play.leadership().is_some_and(|(leader, _, _)| leader == broker));
        let producer = play.producer(Acks::Leader);
        for _ in 0..count {
            written += 1;
            play.write(producer, &[&format!("{written} by {broker}")]);
        }
    }
    play.start(2);
    play.pass(20_000);
    play
}

/// Schedule 4.3, KIP-279.
#[test]
fn a_single_round_of_truncation_lets_logs_diverge_when_unclean_leaders_take_turns() {
    let properties = [("controlled.shutdown.enable", "false")];
    for in_mode in [shape, zookeeper] {
        let mut play = brokers_take_turns(&in_mode(2, NONE, &properties));
        let expected = ["both", "2 by 1", "3 by 1", "4 by 1", "6 by 1", "7 by 1"];
        assert_eq!((play.values(1), play.values(2)), (owned(&expected), owned(&expected)));
        assert_eq!(play.unclean_elections(), 3);
        assert!(play.losses().iter().all(|(_, _, verdict)| *verdict == Verdict::AcksLeader), "{:?}", play.losses());
        assert_eq!(play.complaints(), []);
        let faults = HistoricalFaults { single_round_truncation: true, ..NONE };
        let mut play = brokers_take_turns(&in_mode(2, faults, &properties));
        assert_eq!(play.values(1), owned(&expected));
        assert_eq!(play.values(2)[..3], owned(&["both", "1 by 2", "5 by 2"])[..]);
        assert!(play.complaints().contains(&Checker::LogMatching), "{:?}", play.complaints());
    }
}

/// `EpochDrivenReplicationProtocolAcceptanceTest.shouldSurviveFastLeaderChange`.
#[test]
fn bouncing_follower_and_leader_in_turn_loses_nothing() {
    for in_mode in [shape, zookeeper] {
        let mut play = Play::new(&in_mode(2, NONE, &[]), 2, &[]);
        let producer = play.producer(Acks::All);
        play.write(producer, &["first"]);
        for written in 2..=6 {
            let (leader, _, _) = play.leadership().expect("somebody leads");
            play.write(producer, &["next"]);
            play.stop(3 - leader);
            play.start(3 - leader);
            play.await_leadership(leader, &[1, 2]);
            play.stop(leader);
            play.start(leader);
            play.await_leadership(3 - leader, &[1, 2]);
            let ends = [1, 2].map(|id| play.replica(id).expect("it has a replica").log_end_offset);
            assert_eq!(ends, [Offset(written); 2]);
        }
        assert_eq!((play.losses(), play.complaints()), (vec![], vec![]));
    }
}

/// `EpochDrivenReplicationProtocolAcceptanceTest.shouldFollowLeaderEpochBasicWorkflow`, with ZooKeeper, where a follower
/// that goes begins an epoch.
#[test]
fn with_zookeeper_every_bounce_begins_an_epoch_that_followers_learn_of_with_the_next_record() {
    let mut play = Play::new(&zookeeper(2, NONE, &[]), 2, &[]);
    let producer = play.producer(Acks::All);
    play.write(producer, &["first"]);
    play.pass(1_000);
    assert_eq!((play.epochs(1), play.epochs(2)), (vec![(0, 0)], vec![(0, 0)]));
    play.stop(2);
    play.start(2);
    play.await_leadership(1, &[1, 2]);
    assert_eq!((play.epochs(1), play.epochs(2)), (vec![(0, 0), (1, 1)], vec![(0, 0)]));
    play.write(producer, &["second"]);
    play.pass(1_000);
    assert_eq!((play.epochs(1), play.epochs(2)), (vec![(0, 0), (1, 1)], vec![(0, 0), (1, 1)]));
    play.stop(1);
    play.start(1);
    play.await_leadership(2, &[1, 2]);
    assert_eq!((play.epochs(2), play.epochs(1)), (vec![(0, 0), (1, 1), (2, 2)], vec![(0, 0), (1, 1)]));
    play.write(producer, &["third"]);
    play.pass(1_000);
    assert_eq!(play.epochs(1), play.epochs(2));
}

/// `LeaderEpochIntegrationTest.shouldIncreaseLeaderEpochBetweenLeaderRestarts` and
/// `shouldAddCurrentLeaderEpochToMessagesAsTheyAreWrittenToLeader`.
#[test]
fn a_single_replica_gains_two_epochs_by_a_bounce_and_a_leader_with_a_successor_one() {
    for in_mode in [shape, zookeeper] {
        let properties = [("controlled.shutdown.enable", "false")];
        let mut play = Play::new(&in_mode(2, NONE, &properties), 1, &[]);
        let producer = play.producer(Acks::All);
        play.write(producer, &["first"]);
        for expected in [vec![(0, 0), (2, 1)], vec![(0, 0), (2, 1), (4, 2)]] {
            play.stop(1);
            play.pass(5_000);
            play.start(1);
            play.await_leadership(1, &[1]);
            play.write(producer, &["next"]);
            assert_eq!(play.epochs(1), expected);
        }
        let mut play = Play::new(&in_mode(2, NONE, &[]), 2, &[]);
        let producer = play.producer(Acks::All);
        play.write(producer, &["1", "2", "3", "4"]);
        play.stop(1);
        play.start(1);
        play.await_leadership(2, &[1, 2]);
        play.write(producer, &["5", "6", "7", "8"]);
        play.pass(1_000);
        assert_eq!((play.epochs(1), play.epochs(2)), (vec![(0, 0), (1, 4)], vec![(0, 0), (1, 4)]));
    }
}

/// `LogRecoveryTest`: where the high watermark is written down.
#[test]
fn high_watermarks_are_written_down_from_time_to_time_and_when_a_broker_stops() {
    let properties = [("controlled.shutdown.enable", "false"), ("replica.lag.time.max.ms", "5000")];
    for in_mode in [shape, zookeeper] {
        let start = || {
            let mut play = Play::new(&in_mode(2, NONE, &properties), 2, &[("segment.bytes", "200")]);
            let producer = play.producer(Acks::All);
            (play, producer)
        };
        let checkpoints =
            |play: &mut Play| [1, 2].map(|id| play.checkpointed_high_watermark(id).map(|offset| offset.0));

        let (mut play, producer) = start();
        play.write(producer, &["1", "2"]);
        play.pass(6_000);
        play.kill(1);
        play.kill(2);
        assert_eq!(checkpoints(&mut play), [Some(2), Some(2)]);

        let (mut play, producer) = start();
        play.write(producer, &["1"]);
        play.pass(1_000);
        play.stop(1);
        assert_eq!(play.checkpointed_high_watermark(1), Some(Offset(1)));
        play.await_leadership(2, &[2]);
        play.start(1);
        play.await_leadership(2, &[1, 2]);
        play.stop(2);
        assert_eq!(play.checkpointed_high_watermark(2), Some(Offset(1)));
        play.start(2);
        play.pass(25_000);
        play.until("both are in sync", |play| play.leadership().is_some_and(|(_, _, isr)| isr == [1, 2]));
        play.write(producer, &["2"]);
        play.pass(1_000);
        play.stop(1);
        play.stop(2);
        assert_eq!(checkpoints(&mut play), [Some(2), Some(2)]);

        let (mut play, producer) = start();
        (0..20).for_each(|_| play.write(producer, &["hello"]));
        play.pass(1_000);
        play.stop(1);
        play.stop(2);
        assert_eq!(checkpoints(&mut play), [Some(20), Some(20)]);

        let (mut play, producer) = start();
        play.write(producer, &["1", "2"]);
        play.pass(1_000);
        play.stop(1);
        play.await_leadership(2, &[2]);
        play.stop(2);
        assert_eq!(checkpoints(&mut play), [Some(2), Some(2)]);
        play.start(2);
        play.await_leadership(2, &[2]);
        play.start(1);
        play.await_leadership(2, &[1, 2]);
        play.write(producer, &["3", "4"]);
        play.pass(1_000);
        play.stop(1);
        play.stop(2);
        assert_eq!(checkpoints(&mut play), [Some(4), Some(4)]);
        assert_eq!(play.complaints(), []);
    }
}

/// Schedule 4.5: nothing is wrong, and the ledger says so.
#[test]
fn what_the_leader_alone_has_acknowledged_goes_with_it() {
    let mut play = Play::new(&shape(2, NONE, &[]), 2, &[]);
    let producer = play.producer(Acks::Leader);
    play.write(producer, &["m0", "m1", "m2", "m3", "m4"]);
    play.pass(1_000);
    play.cut(1, 2);
    play.write(producer, &["m5"]);
    play.kill(1);
    play.await_leadership(2, &[2]);
    assert_eq!(play.replica(2).expect("it leads").log_end_offset, Offset(5));
    assert_eq!(play.losses(), [(5, 5, Verdict::AcksLeader)]);
    assert!(
        matches!(
            play.event_of_first_loss(),
            EventKind::Controller(ControllerEvent::LeaderElected { leader: BrokerId(2), is_unclean: false, .. })
        ),
        "{:?}",
        play.event_of_first_loss()
    );
    play.heal();
    play.write(producer, &["m5'"]);
    play.start(1);
    play.await_leadership(2, &[1, 2]);
    let expected = owned(&["m0", "m1", "m2", "m3", "m4", "m5'"]);
    assert_eq!((play.values(1), play.values(2)), (expected.clone(), expected));
    assert_eq!((play.losses().len(), play.complaints()), (1, vec![]));
}

/// `UncleanLeaderElectionTest`: the follower is down when the second record is written, and the leader when the follower
/// comes back.
fn only_the_follower_comes_back(shape: &WorldShape, topic_configs: &[(&str, &str)]) -> (Play, NodeId) {
    let mut play = Play::new(shape, 2, topic_configs);
    let producer = play.producer(Acks::All);
    play.write(producer, &["first"]);
    play.stop(2);
    play.await_leadership(1, &[1]);
    play.write(producer, &["second"]);
    assert_eq!(play.unclean_elections(), 0);
    play.stop(1);
    play.start(2);
    (play, producer)
}

const UNCLEAN: &str = "unclean.leader.election.enable";

fn shutting_down_quickly(is_unclean_allowed: &'static str) -> [(&'static str, &'static str); 3] {
    [
        (UNCLEAN, is_unclean_allowed),
        ("controlled.shutdown.max.retries", "1"),
        ("controlled.shutdown.retry.backoff.ms", "1000"),
    ]
}

/// Schedule 4.6. A topic's own word comes before that of the brokers.
#[test]
fn an_unclean_leader_costs_what_one_replica_alone_had_acknowledged() {
    for in_mode in [shape, zookeeper] {
        for (of_brokers, of_topic) in [("true", None), ("false", Some("true"))] {
            let shape = in_mode(2, NONE, &shutting_down_quickly(of_brokers));
            let configs: Vec<(&str, &str)> = of_topic.map(|value| (UNCLEAN, value)).into_iter().collect();
            let (mut play, producer) = only_the_follower_comes_back(&shape, &configs);
            play.await_leadership(2, &[2]);
            assert_eq!(play.unclean_elections(), 1);
            play.write(producer, &["third"]);
            play.start(1);
            play.await_leadership(2, &[1, 2]);
            assert_eq!((play.values(1), play.values(2)), (owned(&["first", "third"]), owned(&["first", "third"])));
            assert_eq!(play.losses(), [(1, 1, Verdict::OneInSyncReplica)]);
            assert_eq!(play.complaints(), []);
        }
    }
}

#[test]
fn without_unclean_elections_the_partition_waits_for_its_last_leader() {
    for in_mode in [shape, zookeeper] {
        for (of_brokers, of_topic) in [("false", None), ("true", Some("false"))] {
            let shape = in_mode(2, NONE, &shutting_down_quickly(of_brokers));
            let configs: Vec<(&str, &str)> = of_topic.map(|value| (UNCLEAN, value)).into_iter().collect();
            let (mut play, producer) = only_the_follower_comes_back(&shape, &configs);
            play.send(producer, "nowhere");
            play.until("it fails", |play| play.failures() == 1);
            assert_eq!((play.leadership(), play.unclean_elections()), (None, 0));
            play.start(1);
            play.await_leadership(1, &[1, 2]);
            play.write(producer, &["third"]);
            play.stop(1);
            play.await_leadership(2, &[2]);
            assert_eq!(play.values(2), owned(&["first", "second", "third"]));
            assert_eq!((play.losses(), play.complaints()), (vec![], vec![]));
        }
    }
}

/// What eligible leader replicas need in 3.9, beside level 22 of `metadata.version`.
const ELIGIBLE_REPLICAS: &[(&str, &str)] =
    &[("eligible.leader.replicas.enable", "true"), ("unstable.feature.versions.enable", "true")];

/// Schedule 4.7, KIP-966: the in-sync replicas shrink to one, and that one loses its power and comes back first.
fn the_last_replica_standing_falls(historical_faults: HistoricalFaults, properties: &[(&str, &str)]) -> (Play, Offset) {
    let lag = [("replica.lag.time.max.ms", "2000")];
    let all: Vec<(&str, &str)> = lag.iter().chain(properties).copied().collect();
    let mut play = Play::new(&shape(3, historical_faults, &all), 3, &[("min.insync.replicas", "2")]);
    if properties == ELIGIBLE_REPLICAS {
        play.upgrade("metadata.version", 22);
    }
    let (to_all, to_leader) = (play.producer(Acks::All), play.producer(Acks::Leader));
    play.write(to_all, &["m0", "m1"]);
    play.pass(1_000);
    play.cut(1, 2);
    play.cut(1, 3);
    play.write(to_leader, &["below the minimum"]);
    play.await_leadership(1, &[1]);
    let high_watermark = play.replica(1).expect("it leads").high_watermark;
    let before = play.acknowledged();
    play.send(to_all, "refused");
    play.pass(2_000);
    assert_eq!(play.acknowledged(), before, "acks=all needs two");
    play.power_off(1);
    play.pass(500);
    play.heal();
    play.apply(Command::Start(NodeId::Server(1)));
    play.pass(20_000);
    (play, high_watermark)
}

#[test]
fn the_last_replica_standing_takes_what_the_others_had_with_it_unless_they_are_eligible() {
    let (mut play, high_watermark) = the_last_replica_standing_falls(NONE, &[]);
    assert_eq!(high_watermark, Offset(2), "it stands still below min.insync.replicas");
    assert_eq!(play.losses(), [(0, 1, Verdict::PowerLoss), (2, 2, Verdict::AcksLeader)]);
    assert_eq!(play.event_of_first_loss(), EventKind::Operator(OperatorEvent::PowerLost));
    assert!(!play.values(2).contains(&"m0".to_owned()), "the others had it and had to cut it");
    assert_eq!(play.complaints(), []);

    let (mut play, _) = the_last_replica_standing_falls(NONE, ELIGIBLE_REPLICAS);
    assert_eq!(play.losses(), [(2, 2, Verdict::AcksLeader)]);
    assert_eq!(play.values(1)[..2], owned(&["m0", "m1"])[..]);
    assert_eq!(play.complaints(), []);

    let faults = HistoricalFaults { high_watermark_below_min_isr: true, ..NONE };
    let (play, high_watermark) = the_last_replica_standing_falls(faults, &[]);
    assert_eq!(high_watermark, Offset(3), "consumers read what one replica has");
    assert!(play.complaints().contains(&Checker::HighWatermarkFrozen));
}

/// Schedule 4.8, KIP-841: the controller hears nothing from a follower and fences it, but the leader hears from it.
#[test]
fn without_eligibility_a_fenced_follower_is_taken_back_into_the_isr() {
    let isr_of = |historical_faults| {
        let mut play = Play::new(&shape(2, historical_faults, &[]), 2, &[]);
        let producer = play.producer(Acks::All);
        play.write(producer, &["m0"]);
        play.cut(2, 100);
        play.pass(6_000);
        play.write(producer, &["m1"]);
        play.pass(2_000);
        play
    };
    let mut play = isr_of(NONE);
    assert_eq!(play.leadership(), Some((1, 0, vec![1])));
    assert_eq!(play.complaints(), []);
    let mut play = isr_of(HistoricalFaults { isr_without_broker_epochs: true, ..NONE });
    assert_eq!(play.leadership(), Some((1, 0, vec![1, 2])), "with a member that cannot be elected");
    assert!(play.complaints().contains(&Checker::IsrStructure));
}

/// Asks for the end of the log as `kafka-get-offsets` does, and waits for the answer.
fn end_of_log(play: &mut Play, milliseconds: i64) -> Option<Offset> {
    let from = play.session.next_event();
    let rules = vec![PartitionRule { topic: TOPIC.to_owned(), partitions: PartitionChoice::All }];
    let action = GetOffsetsAction { rules, exclude_internal: false, spec: OffsetSpec::Latest };
    let bootstrap_servers = (9092..=9094).map(|port| Endpoint::new("localhost", port)).collect();
    let program = Program::Admin(AdminAction::GetOffsets(action));
    play.apply(Command::StartClient(ClientSpec { client_id: "test".to_owned(), bootstrap_servers, program }));
    play.pass(milliseconds);
    let answer = |kind: &EventKind| match kind {
        EventKind::Client(ClientEvent::AdminAnswered(answer)) => match &**answer {
            AdminAnswer::Offsets { found, .. } => found.first().map(|(_, offset)| *offset),
            _ => None,
        },
        _ => None,
    };
    play.session.events(from).find_map(|event| answer(&event.kind))
}

/// Schedule 4.9, KIP-207: a new leader has not heard how far the one before it had committed, and one of its followers is
/// silent.
#[test]
fn a_new_leader_does_not_tell_an_end_of_the_log_that_lies_behind_what_was_told_before() {
    for (is_fault_on, expected) in [(false, None), (true, Some(Offset(1)))] {
        let faults = HistoricalFaults { end_offsets_in_doubt: is_fault_on, ..NONE };
        let mut play = Play::new(&shape(3, faults, &[]), 3, &[]);
        let producer = play.producer(Acks::All);
        play.write(producer, &["m0"]);
        play.pass(2_000);
        play.write(producer, &["m1"]);
        assert_eq!(
            play.replica(2).expect("it follows").high_watermark,
            Offset(1),
            "it hears of it with the next answer"
        );
        play.cut(2, 3);
        play.kill(1);
        play.until("its successor leads", |play| play.leadership().is_some_and(|(leader, _, _)| leader == 2));
        assert_eq!(play.replica(2).expect("it leads").high_watermark, Offset(1));
        assert_eq!(end_of_log(&mut play, 2_000), expected, "fault: {is_fault_on}");
        play.heal();
        play.pass(5_000);
        assert_eq!(end_of_log(&mut play, 2_000), Some(Offset(2)));
        assert_eq!((play.losses(), play.complaints()), (vec![], vec![]));
    }
}

/// The broker that is the controller of a ZooKeeper cluster.
fn controller(play: &mut Play) -> i32 {
    let ids = [1, 2, 3];
    ids.into_iter().find(|id| play.broker(*id).is_some_and(|broker| broker.controller.is_some())).expect("one is it")
}

fn metadata_leader_epoch(play: &mut Play, broker: i32) -> i32 {
    let view = play.broker(broker).expect("it runs");
    let mut partitions = view.image.partitions().filter(|(partition, _)| partition.topic.as_str() == TOPIC);
    let (_, state) = partitions.next().expect("the topic is known");
    state.leader_epoch.0
}

/// Schedule 4.15: what a controller said before it was deposed, and what it says before it has noticed, arrives after what
/// its successor said.
#[test]
fn a_deposed_controller_of_a_zookeeper_cluster_is_not_obeyed() {
    for is_fault_on in [false, true] {
        let faults = HistoricalFaults { unfenced_zookeeper_controllers: is_fault_on, ..NONE };
        let mut play = Play::new(&zookeeper(3, faults, &[]), 3, &[]);
        let deposed = controller(&mut play);
        let [heir, third] = [1, 2, 3].into_iter().filter(|id| *id != deposed).collect::<Vec<_>>()[..] else {
            panic!("three brokers are there")
        };
        let links = Links::OneWay { from: NodeId::Server(deposed), to: NodeId::Server(heir) };
        play.apply(Command::ChangeLinks { links, change: LinkChange::Cut });
        play.kill(third);
        play.until("the controller has written the new state down", |play| {
            play.count(|kind| {
                matches!(
                    kind,
                    EventKind::Controller(
                        ControllerEvent::IsrChanged { .. } | ControllerEvent::LeaderElected { reason: Some(_), .. }
                    )
                )
            }) > 0
        });
        play.pass(100);
        play.apply(Command::Freeze(NodeId::Server(deposed)));
        play.until("another one takes over", |play| {
            play.broker(heir).is_some_and(|broker| broker.controller.is_some())
        });
        play.pass(5_000);
        let told = metadata_leader_epoch(&mut play, heir);
        play.heal();
        play.pass(60_000);
        play.apply(Command::Thaw(NodeId::Server(deposed)));
        let mut is_told_again = false;
        for _ in 0..2_000 {
            play.pass(1);
            is_told_again |= metadata_leader_epoch(&mut play, heir) < told;
        }
        let fenced = play.count(|kind| {
            matches!(
                kind,
                EventKind::Broker(BrokerEvent::ControllerFenced { error: ErrorCode::StaleControllerEpoch, .. })
            )
        });
        assert_eq!((fenced > 0, is_told_again), (!is_fault_on, is_fault_on), "fault: {is_fault_on}");
        assert_eq!(play.complaints().contains(&Checker::OneController), is_fault_on);
    }
}

/// Schedule 4.16, KIP-380: a leader restarts while the controller is not looking.
#[test]
fn a_broker_that_restarts_faster_than_the_controller_looks_is_told_its_replicas_again() {
    for is_fault_on in [false, true] {
        let faults = HistoricalFaults { unnoticed_broker_bounces: is_fault_on, ..NONE };
        let mut play = Play::new(&zookeeper(3, faults, &[("controlled.shutdown.enable", "false")]), 3, &[]);
        let producer = play.producer(Acks::All);
        play.write(producer, &["m0"]);
        let busy = controller(&mut play);
        let (leader, _, _) = play.leadership().expect("somebody leads");
        let bounced = if leader == busy { leader % 3 + 1 } else { leader };
        play.apply(Command::Freeze(NodeId::Server(busy)));
        play.stop(bounced);
        play.apply(Command::Start(NodeId::Server(bounced)));
        play.pass(5_000);
        play.apply(Command::Thaw(NodeId::Server(busy)));
        play.pass(10_000);
        let is_told = play.replica(bounced).is_some();
        assert_eq!(is_told, !is_fault_on, "fault: {is_fault_on}");
        let written = play.acknowledged();
        play.send(producer, "m1");
        play.pass(10_000);
        assert_eq!(play.acknowledged() > written, !is_fault_on || bounced != leader);
    }
}

/// A move to three brokers, of which two have caught up; then those that had the partition before go, and it is cancelled.
fn the_move_is_cancelled_too_late(shape: &WorldShape) -> Play {
    let mut play = Play::new(shape, 2, &[]);
    play.cut(1, 5);
    play.cut(2, 5);
    let producer = play.producer(Acks::All);
    play.write(producer, &["before"]);
    play.reassign(&[3, 4, 5]);
    play.await_leadership(1, &[1, 2, 3, 4]);
    play.cut(3, 5);
    play.cut(4, 5);
    play.stop(2);
    play.stop(1);
    play.until("who was added is left", |play| {
        play.leadership().is_some_and(|(id, _, isr)| [3, 4].contains(&id) && isr == [3, 4])
    });
    let producer = play.producer(Acks::All);
    play.write(producer, &["meanwhile"]);
    play.cancel_reassignment();
    play.pass(5_000);
    play
}

/// `KafkaController.maybeBuildReassignment` does not look at who is in sync; `ReplicationControlManager` does, and refuses
/// where unclean elections are not allowed (`cancelPartitionReassignment`).
#[test]
fn only_a_zookeeper_controller_lets_a_move_be_cancelled_that_all_in_sync_came_with() {
    let mut play = the_move_is_cancelled_too_late(&zookeeper(5, NONE, &[]));
    assert_eq!(play.losses(), [0, 1].map(|offset| (offset, offset, Verdict::ReassignmentCancelled)));
    assert_eq!((play.replica(3).is_some(), play.leadership()), (false, None));
    assert_eq!(play.complaints(), []);
    let mut play = the_move_is_cancelled_too_late(&shape(5, NONE, &[]));
    assert_eq!((play.losses(), play.complaints()), (vec![], vec![]));
    assert_eq!(play.values(3), owned(&["before", "meanwhile"]));
}
