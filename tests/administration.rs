//! Administration of a whole cluster with its own tools: reassignments, elections by command, and configurations that
//! change while it runs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use kafka::event::{ControllerEvent, EventKind};
use kafka::node::NodeId;
use kafka::view::{BrokerView, NodeView};
use shell::script::Script;
use sim::{Event, EventId, Session};
use wire::{PartitionIndex, TopicName, TopicPartition};

const DESCRIBE: &str = "kafka-topics --describe --topic t --bootstrap-server localhost:9092,localhost:9093";
const READ: &str = "kafka-console-consumer --topic t --from-beginning --timeout-ms 4000 --bootstrap-server \
                    localhost:9092,localhost:9093,localhost:9094";
const MOVE: &str =
    "echo '{\"version\":1,\"partitions\":[{\"topic\":\"t\",\"partition\":0,\"replicas\":[3,2]}]}' > move.json";

fn run(lines: &[&str]) -> (Session, String) {
    let script = Script::parse(&lines.join("\n")).unwrap();
    (script.session(1).unwrap(), script.run(1).unwrap().text)
}

fn create(assignment: &str) -> String {
    format!("kafka-topics --create --topic t --replica-assignment {assignment} --bootstrap-server localhost:9092")
}

fn produce(value: &str, acks: &str) -> String {
    format!(
        "printf '{value}\\n' | timeout 30 kafka-console-producer --topic t --bootstrap-server \
         localhost:9092,localhost:9093 --request-required-acks {acks}"
    )
}

fn reassign(action: &str) -> String {
    format!("kafka-reassign-partitions --bootstrap-server localhost:9092 --reassignment-json-file move.json --{action}")
}

fn elect(election_type: &str) -> String {
    format!(
        "kafka-leader-election --bootstrap-server localhost:9092,localhost:9093 --election-type {election_type} --topic t \
         --partition 0"
    )
}

fn configure(change: &str) -> String {
    format!("kafka-configs --bootstrap-server localhost:9092,localhost:9093 --alter --topic t {change}")
}

fn partition() -> TopicPartition {
    TopicPartition::new(TopicName::new("t"), PartitionIndex(0))
}

/// The brokers that hold a replica, with its log end offset.
fn replicas(session: &mut Session) -> Vec<(i32, i64)> {
    let end = |view: &BrokerView| {
        let replica = view.replicas.iter().find(|replica| replica.partition == partition())?;
        Some(replica.log_end_offset.0)
    };
    let frame = session.frame();
    let held = frame.nodes.iter().filter_map(|node| match (node.id, &node.process) {
        (NodeId::Server(id), Some(NodeView::Broker(view))) => Some((id, end(view)?)),
        (NodeId::Server(_) | NodeId::ZooKeeper | NodeId::Client(_), _) => None,
    });
    held.collect()
}

fn events(session: &Session) -> Vec<Event> {
    session.events(EventId(0)).collect()
}

/// The last described partition's columns, such as `Isr: 1,2`.
fn described(transcript: &str) -> Vec<&str> {
    let row = transcript.lines().rfind(|line| line.starts_with("\tTopic: t\t")).expect("the topic is described");
    row.split('\t').skip(3).filter(|cell| !cell.contains("lr: ")).collect()
}

fn has_line(transcript: &str, line: &str) -> bool {
    transcript.lines().any(|printed| printed == line)
}

#[test]
fn a_reassigned_partition_moves_with_its_records_and_leaves_nothing_behind() {
    let (mut session, text) = run(&[
        &create("1:2"),
        &produce("a\\nb\\nc", "all"),
        MOVE,
        &reassign("execute"),
        "@sleep 10",
        &reassign("verify"),
        DESCRIBE,
        READ,
    ]);
    assert!(has_line(&text, "Successfully started partition reassignment for t-0"), "{text}");
    assert!(has_line(&text, "Reassignment of partition t-0 is completed."), "{text}");
    assert_eq!(described(&text), ["Leader: 3", "Replicas: 3,2", "Isr: 2,3"]);
    assert_eq!(replicas(&mut session), [(2, 3), (3, 3)]);
    assert!(["a", "b", "c"].iter().all(|value| has_line(&text, value)), "{text}");
    let started = |kind: &EventKind| matches!(kind, EventKind::Controller(ControllerEvent::ReassignmentStarted { .. }));
    let completed =
        |kind: &EventKind| matches!(kind, EventKind::Controller(ControllerEvent::ReassignmentCompleted { .. }));
    let all = events(&session);
    let at = |is_wanted: &dyn Fn(&EventKind) -> bool| all.iter().position(|event| is_wanted(&event.kind)).unwrap();
    assert!(at(&started) < at(&completed));
}

#[test]
fn a_reassignment_under_way_is_told_and_can_be_cancelled() {
    let (mut session, text) = run(&[
        &create("1:2"),
        &produce("a", "all"),
        MOVE,
        "@cut 1 3",
        &reassign("execute"),
        "@sleep 1",
        &reassign("verify"),
        "kafka-reassign-partitions --bootstrap-server localhost:9092 --list",
        DESCRIBE,
        &reassign("execute"),
        &reassign("cancel"),
        "@heal",
        "@sleep 5",
        DESCRIBE,
    ]);
    assert!(has_line(&text, "Reassignment of partition t-0 is still in progress."), "{text}");
    assert!(has_line(&text, "t-0: replicas: 3,2,1. adding: 3. removing: 1."), "{text}");
    let moving = "Replicas: 3,2,1\tIsr: 1,2\tAdding Replicas: 3\tRemoving Replicas: 1\t";
    assert!(text.lines().any(|line| line.contains(moving)), "{text}");
    assert!(text.contains("Cannot execute because there is an existing partition assignment."), "{text}");
    assert!(has_line(&text, "Successfully cancelled partition reassignment for: t-0"), "{text}");
    assert_eq!(described(&text), ["Leader: 1", "Replicas: 2,1", "Isr: 1,2"]);
    assert_eq!(replicas(&mut session), [(1, 1), (2, 1)]);
}

#[test]
fn the_preferred_leader_takes_over_by_command() {
    let (_, text) = run(&[
        &create("1:2:3"),
        "@kill 1",
        "@sleep 15",
        "@start 1",
        "@sleep 15",
        DESCRIBE,
        &elect("preferred"),
        "@sleep 1",
        DESCRIBE,
        &elect("preferred"),
    ]);
    assert!(text.contains("\tLeader: 2\t"), "{text}");
    assert!(has_line(&text, "Successfully completed leader election (PREFERRED) for partitions t-0"), "{text}");
    assert_eq!(described(&text)[0], "Leader: 1");
    assert!(has_line(&text, "Valid replica already elected for partitions t-0"), "{text}");
}

#[test]
fn an_unclean_election_by_command_gives_up_what_the_new_leader_lacks() {
    let (_, text) = run(&[
        &create("1:2"),
        &produce("kept", "all"),
        "@kill 2",
        "@sleep 15",
        &produce("lost", "1"),
        "@kill 1",
        "@start 2",
        "@sleep 15",
        "kafka-topics --describe --topic t --bootstrap-server localhost:9093",
        "kafka-leader-election --bootstrap-server localhost:9093 --election-type unclean --topic t --partition 0",
        "@sleep 2",
        "kafka-topics --describe --topic t --bootstrap-server localhost:9093",
        READ,
    ]);
    assert!(text.contains("\tLeader: none\tReplicas: 1,2\tIsr: 1\t"), "{text}");
    assert!(has_line(&text, "Successfully completed leader election (UNCLEAN) for partitions t-0"), "{text}");
    assert_eq!(described(&text), ["Leader: 2", "Replicas: 1,2", "Isr: 2"]);
    assert!(has_line(&text, "kept") && !has_line(&text, "lost"), "{text}");
}

#[test]
fn a_topics_configuration_counts_from_the_moment_it_is_changed() {
    let count = "kafka-get-offsets --bootstrap-server localhost:9092 --topic t";
    let (_, text) = run(&[
        &create("1:2"),
        "@kill 2",
        "@sleep 15",
        &produce("taken", "all"),
        &configure("--add-config min.insync.replicas=2"),
        "@sleep 1",
        &produce("refused", "all"),
        count,
        &configure("--delete-config min.insync.replicas"),
        "@sleep 1",
        &produce("taken again", "all"),
        count,
    ]);
    let counts: Vec<&str> = text.lines().filter(|line| line.starts_with("t:0:")).collect();
    assert_eq!(counts, ["t:0:1", "t:0:2"], "{text}");
    assert!(text.contains("NotEnoughReplicasException"), "{text}");
}

#[test]
fn what_is_set_on_all_brokers_counts_for_topics_that_do_not_say() {
    let alter = "kafka-configs --bootstrap-server localhost:9092 --alter --entity-type brokers --entity-default \
                 --add-config message.max.bytes=100";
    let (_, text) = run(&[
        &create("1:2"),
        &produce("0123456789012345678901234567890123456789012345678901234567890123456789", "all"),
        alter,
        "@sleep 1",
        &produce("0123456789012345678901234567890123456789012345678901234567890123456789", "all"),
        "kafka-configs --bootstrap-server localhost:9092 --describe --entity-type brokers --entity-default",
        "kafka-get-offsets --bootstrap-server localhost:9092 --topic t",
    ]);
    assert!(has_line(&text, "t:0:1"), "{text}");
    assert!(text.contains("RecordTooLargeException"), "{text}");
    let synonyms = "synonyms={DYNAMIC_DEFAULT_BROKER_CONFIG:message.max.bytes=100}";
    assert!(has_line(&text, &format!("  message.max.bytes=100 sensitive=false {synonyms}")), "{text}");
}
