//! What retention and compaction leave of a topic, what consumers see of that, and that a rewound run does it again.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test names what it expects; the rest is of no interest")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use kafka::event::{BrokerEvent, ClientEvent, DeletionReason, EventKind};
use kafka::node::NodeId;
use shell::script::Script;
use sim::{Checker, EventId, Session};
use std::collections::BTreeSet;
use wire::Offset;

const CLUSTER: &str = "--bootstrap-server localhost:9092";

fn run(lines: &[String]) -> (Session, String) {
    let script = Script::parse(&lines.join("\n")).unwrap();
    (script.session(1).unwrap(), script.run(1).unwrap().text)
}

/// A topic on all three brokers, with room for one record in a segment.
fn create(configs: &[&str]) -> String {
    let configs: String = configs.iter().map(|config| format!(" --config {config}")).collect();
    format!("kafka-topics --create --topic t --replica-assignment 1:2:3 --config segment.bytes=100{configs} {CLUSTER}")
}

/// Records in batches of their own, as `key:value`.
fn produce(records: &[&str]) -> Vec<String> {
    let reader = "--property parse.key=true --property key.separator=: --property null.marker=NULL";
    let one = |record: &&str| format!("printf '{record}\\n' | kafka-console-producer --topic t {reader} {CLUSTER}");
    records.iter().map(one).collect()
}

fn read(place: &str) -> String {
    format!(
        "kafka-console-consumer --topic t {place} --timeout-ms 3000 --property print.offset=true \
         --property print.key=true {CLUSTER}"
    )
}

/// What the consumer printed, offset by offset.
fn lines(transcript: &str) -> Vec<&str> {
    transcript.lines().filter(|line| line.starts_with("Offset:")).collect()
}

fn broker_events(session: &Session) -> Vec<(NodeId, BrokerEvent)> {
    let of_broker = |event: &sim::Event| match &event.kind {
        EventKind::Broker(broker) => Some((event.node, broker.clone())),
        _ => None,
    };
    session.events(EventId(0)).filter_map(|event| of_broker(&event)).collect()
}

/// Going anywhere and back gives the digest that the run had, and nothing that must hold was broken.
fn replays_alike(session: &mut Session) {
    let (end, hash, steps) = (session.now(), session.trace_hash(), session.steps());
    session.seek_step(steps / 2);
    session.seek_step(steps / 3);
    session.seek(end);
    assert_eq!(session.trace_hash(), hash);
    assert_eq!(session.violations().collect::<Vec<_>>(), Vec::<&sim::Violation>::new());
}

#[test]
fn a_compacted_topic_keeps_the_last_value_of_each_key_where_it_was() {
    let compacted = create(&["cleanup.policy=compact", "min.cleanable.dirty.ratio=0.01", "delete.retention.ms=20000"]);
    let mut script = vec![compacted];
    script.extend(produce(&["a:1", "b:1", "a:2", "b:NULL", "c:1"]));
    script.extend(["@sleep 16".to_owned(), read("--from-beginning"), "@sleep 30".to_owned()]);
    script.extend(produce(&["d:1"]));
    script.extend(["@sleep 16".to_owned(), read("--from-beginning")]);
    let (mut session, text) = run(&script);
    let expected = ["Offset:2\ta\t2", "Offset:3\tb\tnull", "Offset:4\tc\t1"];
    let later = ["Offset:2\ta\t2", "Offset:4\tc\t1", "Offset:5\td\t1"];
    assert_eq!(lines(&text), [expected, later].concat(), "{text}");
    let compacted = broker_events(&session).into_iter().filter_map(|(node, event)| match event {
        BrokerEvent::LogCompacted { to, .. } => Some((node, to)),
        _ => None,
    });
    let compacted: BTreeSet<_> = compacted.collect();
    let by_all = (1..=3).flat_map(|id| [4, 5].map(|to| (NodeId::Server(id), Offset(to))));
    assert!(by_all.into_iter().all(|one| compacted.contains(&one)), "{compacted:?}");
    assert!(session.times_checked(Checker::Compaction) > 0);
    replays_alike(&mut session);
}

#[test]
fn retention_by_time_moves_the_start_and_a_consumer_behind_it_is_reset() {
    let often = "@config log.retention.check.interval.ms=10000".to_owned();
    let earliest = format!("kafka-get-offsets --topic t --time earliest {CLUSTER}");
    let behind = read("--partition 0 --offset 0 --consumer-property auto.offset.reset=earliest");
    let mut script = vec![often, create(&["retention.ms=60000"])];
    script.extend(produce(&["a:1", "b:1", "c:1"]));
    script.extend([earliest.clone(), "@sleep 120".to_owned(), earliest]);
    script.extend(produce(&["d:1"]));
    script.push(behind);
    let (mut session, text) = run(&script);
    let starts: Vec<&str> = text.lines().filter(|line| line.starts_with("t:0:")).collect();
    assert_eq!(starts, ["t:0:0", "t:0:3"], "{text}");
    assert_eq!(lines(&text), ["Offset:3\td\t1"], "{text}");
    let deleted = broker_events(&session).into_iter().filter_map(|(node, event)| match event {
        BrokerEvent::SegmentsDeleted { reason: DeletionReason::Time { retention_ms: 60_000 }, .. } => Some(node),
        _ => None,
    });
    assert_eq!(deleted.collect::<BTreeSet<_>>().len(), 3, "each replica deletes by itself");
    let is_reset = |event: &sim::Event| {
        matches!(&event.kind, EventKind::Client(ClientEvent::PositionReset { offset: Offset(3), .. }))
    };
    assert!(session.events(EventId(0)).any(|event| is_reset(&event)));
    replays_alike(&mut session);
}
