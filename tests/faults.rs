//! What faults do to a whole cluster: what peers and clients see of them, and what is left when they are over.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use acceptance::clients::{consumer, create_topic, producer};
use kafka::event::{BrokerEvent, ControllerEvent, EventKind, OperatorEvent};
use kafka::fault::{DiskCondition, LinkChange, Links};
use kafka::instant::Duration;
use kafka::node::NodeId;
use kafka::view::NodeView;
use rand::{RngExt, SeedableRng};
use shell::script::Script;
use sim::{Budget, Command, Event, EventId, Session, WorldSpec};
use std::collections::BTreeMap;
use wire::BrokerId;
use wire::request::Acks;

const CREATE: &str = "kafka-topics --create --topic t --replica-assignment 1:2:3 --bootstrap-server localhost:9092";
const DESCRIBE: &str = "kafka-topics --describe --topic t --bootstrap-server localhost:9092,localhost:9093";

fn run(lines: &[&str]) -> (Session, String) {
    let script = Script::parse(&lines.join("\n")).unwrap();
    (script.session(1).unwrap(), script.run(1).unwrap().text)
}

fn events(session: &Session) -> Vec<Event> {
    session.events(EventId(0)).collect()
}

/// The column of a described partition, such as `Isr: 1,2`.
fn is_described(transcript: &str, column: &str) -> bool {
    transcript.lines().any(|line| line.starts_with("\tTopic: t\t") && line.split('\t').any(|cell| cell == column))
}

/// Going anywhere and back gives the digest that the run had.
fn replays_alike(session: &mut Session) {
    let (end, hash, steps) = (session.now(), session.trace_hash(), session.steps());
    session.seek_step(steps / 2);
    session.seek_step(steps / 3);
    session.seek(end);
    assert_eq!(session.trace_hash(), hash);
}

fn produce(value: &str, acks: &str) -> String {
    format!(
        "printf '{value}\\n' | timeout 30 kafka-console-producer --topic t --bootstrap-server localhost:9092 \
         --request-required-acks {acks} --request-timeout-ms 3000 --max-block-ms 5000"
    )
}

const READ: &str = "kafka-console-consumer --topic t --from-beginning --timeout-ms 4000 --bootstrap-server \
                    localhost:9093,localhost:9094";

#[test]
fn a_frozen_leader_is_fenced_and_comes_back_as_a_zombie_that_cannot_commit() {
    let zombie = "printf 'lost\\n' | timeout 30 kafka-console-producer --topic t --bootstrap-server localhost:9092 \
                  --request-required-acks 1 --request-timeout-ms 60000";
    let (mut session, text) =
        run(&[CREATE, &produce("kept", "all"), "@freeze 1", "@sleep 20", DESCRIBE, "@thaw 1", zombie, READ]);
    assert!(is_described(&text, "Leader: 2") && is_described(&text, "Isr: 2,3"), "{text}");
    let all = events(&session);
    let frozen = all.iter().find(|event| event.kind == EventKind::Operator(OperatorEvent::ProcessFrozen)).unwrap();
    let fenced = EventKind::Controller(ControllerEvent::BrokerFenced { broker: BrokerId(1) });
    let fenced = all.iter().find(|event| event.kind == fenced).unwrap();
    let waited_ms = fenced.at.since(frozen.at).as_ms();
    assert!((7_000..=10_000).contains(&waited_ms), "its session of nine seconds ran out after {waited_ms} ms");
    assert!(text.contains("\nkept\nlost\n"), "what the producer sent in the end went to the new leader: {text}");
    let leads_in_vain = |event: &Event| {
        matches!(event.kind, EventKind::Broker(BrokerEvent::HighWatermarkAdvanced { .. }))
            && event.node == NodeId::Server(1)
    };
    assert!(all.iter().filter(|event| event.at > frozen.at && event.at < fenced.at).all(|event| !leads_in_vain(event)));
    replays_alike(&mut session);
}

#[test]
fn a_follower_that_is_cut_off_leaves_the_isr_and_comes_back_when_it_is_healed() {
    let fast = "@config replica.lag.time.max.ms=2000";
    let ten = "for-the-leader";
    let (mut session, text) = run(&[fast, CREATE, "@cut 1 3", &produce(ten, "1"), "@sleep 8", DESCRIBE]);
    assert!(is_described(&text, "Isr: 1,2"), "{text}");
    replays_alike(&mut session);
    let (_, text) = run(&[fast, CREATE, "@cut 1 3", &produce(ten, "1"), "@sleep 8", "@heal", "@sleep 15", DESCRIBE]);
    assert!(is_described(&text, "Isr: 1,2,3"), "{text}");
}

#[test]
fn a_one_way_cut_from_the_controller_costs_a_broker_its_registration_although_it_is_heard() {
    let (mut session, text) =
        run(&[CREATE, "@cut 100 1 one-way", "@sleep 30", &DESCRIBE.replace("localhost:9092,", "")]);
    assert!(is_described(&text, "Leader: 2"), "{text}");
    assert!(session.frame().links.iter().any(|link| link.from == NodeId::Server(100) && link.condition.is_cut));
    replays_alike(&mut session);
}

#[test]
fn a_loss_of_power_takes_what_was_not_flushed_and_a_kill_does_not() {
    let only = "kafka-topics --create --topic t --replica-assignment 1 --bootstrap-server localhost:9092";
    let read = READ.replace("9093", "9092");
    let (_, text) = run(&[only, &produce("kept", "all"), "@kill 1", "@start 1", "@sleep 5", &read]);
    assert!(text.contains("\nkept\n"), "{text}");
    let (mut session, text) = run(&[only, &produce("gone", "all"), "@power-off 1", "@start 1", "@sleep 5", &read]);
    assert!(!text.contains("\ngone\n") && text.contains("Processed a total of 0 messages"), "{text}");
    replays_alike(&mut session);
}

#[test]
fn a_full_disk_ends_the_broker_and_another_leads() {
    let (mut session, text) = run(&[CREATE, "@full-disk leader:t-0", &produce("x", "all"), "@sleep 15", DESCRIBE]);
    assert!(is_described(&text, "Leader: 2"), "{text}");
    let frame = session.frame();
    assert!(frame.nodes.iter().any(|node| node.id == NodeId::Server(1) && node.process.is_none()));
    replays_alike(&mut session);
}

#[test]
fn a_clock_that_is_wrong_shows_in_timestamps_and_in_nothing_else() {
    let append_time = CREATE.to_owned() + " --config message.timestamp.type=LogAppendTime";
    let read = READ.to_owned() + " --property print.timestamp=true";
    let (mut session, text) =
        run(&[&append_time, &produce("before", "all"), "@clock 1 -3600000", &produce("after", "all"), &read]);
    let stamp = |value: &str| -> i64 {
        let line = text.lines().find(|line| line.ends_with(value)).unwrap_or_else(|| panic!("{value}: {text}"));
        line.trim_start_matches("LogAppendTime:").split('\t').next().unwrap().parse().unwrap()
    };
    let difference = stamp("\tafter") - stamp("\tbefore");
    assert!((-3_600_000..-3_500_000).contains(&difference), "{difference}");
    replays_alike(&mut session);
}

#[test]
fn a_broker_that_is_added_serves_and_one_that_is_stopped_can_be_removed() {
    let on_four = "kafka-topics --create --topic four --replica-assignment 4 --bootstrap-server localhost:9095";
    let (mut session, text) = run(&["@add-broker 4", on_four, "@stop 4", "@remove-broker 4"]);
    assert!(text.contains("Created topic four."), "{text}");
    assert!(session.frame().nodes.iter().all(|node| node.id != NodeId::Server(4)));
    let registered = session.frame().nodes.iter().any(|node| match &node.process {
        Some(NodeView::Controller(view)) => view.image.brokers().contains_key(&BrokerId(4)),
        _ => false,
    });
    assert!(registered, "nobody has unregistered it");
    replays_alike(&mut session);
}

fn random_fault(rng: &mut kafka::Rng) -> Command {
    let node = NodeId::Server([1, 2, 3, 100][rng.random_range(0..4)]);
    let other = [NodeId::Server(1), NodeId::Server(100), NodeId::Client(2), NodeId::Client(3)][rng.random_range(0..4)];
    let links = match rng.random_range(0..4) {
        0 => Links::All,
        1 => Links::Of(node),
        2 => Links::Between(node, other),
        _ => Links::OneWay { from: other, to: node },
    };
    let change = |change| Command::ChangeLinks { links, change };
    match rng.random_range(0..20) {
        0 | 1 => Command::Freeze(node),
        2..=4 => Command::Thaw(node),
        5 => Command::PowerOff(node),
        6 => Command::Kill(node),
        7..=9 => Command::Start(node),
        10 => Command::SetDisk { node, condition: DiskCondition::Slow(Duration(rng.random_range(0..50_000))) },
        11 => Command::SetDisk { node, condition: DiskCondition::Full },
        12 => Command::SetDisk { node, condition: DiskCondition::Sound },
        13 => Command::SetClock { node, offset_ms: rng.random_range(-10_000_000..10_000_000) },
        14 | 15 => change(LinkChange::Cut),
        16 | 17 => change(LinkChange::Heal),
        18 => change(LinkChange::Loss(rng.random_range(0..300))),
        _ => change(LinkChange::Jitter(Duration(rng.random_range(0..2_000_000)))),
    }
}

fn pass(session: &mut Session, span: Duration) {
    let until = session.now() + span;
    session.run(Budget { until, steps: 10_000_000 });
}

/// All is put right. What need not be, such as thawing what is not frozen, does not fit.
fn put_right(session: &mut Session) {
    session.apply(Command::ChangeLinks { links: Links::All, change: LinkChange::Heal }).unwrap();
    for node in [100, 1, 2, 3].map(NodeId::Server) {
        session.apply(Command::SetDisk { node, condition: DiskCondition::Sound }).unwrap();
        session.apply(Command::Thaw(node)).ok();
    }
    for _ in 0..3 {
        for id in [100, 1, 2, 3] {
            session.apply(Command::Start(NodeId::Server(id))).ok();
        }
        pass(session, Duration(60_000_000));
    }
}

#[test]
fn whatever_hosts_and_links_suffer_the_cluster_comes_back() {
    for seed in 0..20 {
        let mut rng = kafka::Rng::seed_from_u64(seed);
        let mut spec = WorldSpec::three_brokers(BTreeMap::new());
        spec.clients = vec![create_topic("t", 3, &[]), producer("t", Acks::All, 50), consumer("t")];
        let mut session = Session::new(spec, seed);
        pass(&mut session, Duration(5_000_000));
        for _ in 0..30 {
            session.apply(random_fault(&mut rng)).ok();
            pass(&mut session, Duration(rng.random_range(0..8_000_000)));
        }
        put_right(&mut session);
        let frame = session.frame();
        let image = frame.nodes.iter().find_map(|node| match &node.process {
            Some(NodeView::Controller(view)) => Some(view.image.clone()),
            _ => None,
        });
        let image = image.unwrap_or_else(|| panic!("seed {seed}: the controller is back"));
        let all_in_sync = |isr: &[BrokerId]| isr.len() == 3;
        for (partition, registration) in image.partitions() {
            assert!(all_in_sync(&registration.isr), "seed {seed}: {partition} has {registration:?}");
        }
        replays_alike(&mut session);
    }
}
