//! What the command line prints, compared with recordings of Apache Kafka 3.9's own tools.
//!
//! `transcripts/*.case` holds a script that puts a cluster into the situation of the recording and ends with the recorded
//! command, and what the real tool printed. `transcripts/recorded.txt` lists every recording of the simulated tools, so
//! that none is skipped in silence: each is a case, a story below, or in `LEFT_OUT` with the reason.
//!
//! `scripts/*.script` are whole stories, which `cargo xtask oracle --record tests/transcripts` runs against a real cluster;
//! `transcripts/*.transcript` is what Kafka printed then, command by command. What differs by chance is masked on both
//! sides (see `acceptance::recording`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use acceptance::recording::{Masks, Printed, commands, comparison, differences, without_repeats};
use kafka::instant::Duration;
use kafka::node::{Message, NodeId};
use shell::disk_files::DiskFiles;
use shell::files::Files;
use shell::output::{Output, Stream};
use shell::plan::{Plan, Surroundings};
use shell::script::{Script, run_to_end, wait_until_ready};
use shell::terminal::{Key, Terminal};
use shell::tools::{Named, named};
use sim::frame::FlightContent;
use sim::{Budget, Command, Session, WorldSpec};
use std::collections::BTreeMap;
use std::path::PathBuf;
use wire::Request;

/// Recordings that this simulation cannot answer.
const LEFT_OUT: [(&str, &str); 16] = [
    (
        "dumplog-cluster",
        "the log of half an hour, with topics of consumer groups; scripts/metadata-log.script dumps such a log",
    ),
    ("dumplog-offsets", "consumer groups, and with them __consumer_offsets, are not simulated"),
    ("dumplog-txn", "the log of a test of wrong advertised hosts, which are not simulated"),
    ("getoffsets-all", "consumer groups, and with them __consumer_offsets, are not simulated"),
    ("configs-client-describe", "quotas are not simulated"),
    ("configs-client-quota", "quotas are not simulated"),
    ("configs-describe-broker-all", "a simulated broker knows fewer configurations than a real one"),
    ("configs-loggers", "the loggers of brokers are not simulated"),
    ("consumer-group", "consumer groups are not simulated"),
    ("reassign-execute-throttle", "throttles of replication are not simulated"),
    ("misadv-host-consume", "brokers advertise where they listen: a wrong advertised host is not simulated"),
    ("misadv-host-list", "brokers advertise where they listen: a wrong advertised host is not simulated"),
    ("misadv-host-produce", "brokers advertise where they listen: a wrong advertised host is not simulated"),
    ("misadv-port-consume", "brokers advertise where they listen: a wrong advertised port is not simulated"),
    ("misadv-port-list", "brokers advertise where they listen: a wrong advertised port is not simulated"),
    ("misadv-port-produce", "brokers advertise where they listen: a wrong advertised port is not simulated"),
];

/// Recordings of several processes or of a terminal, told as stories below.
const STORIES: [&str; 5] =
    ["consumer-topic-deleted", "follower-death-hard", "leader-death-graceful", "leader-death-hard", "tty-producer"];

const SEED: u64 = 39;

/// A recording and how to come by it.
struct Case {
    name: String,
    /// How exactly it is compared.
    compare: Vec<String>,
    script: String,
    printed: Printed,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("transcripts")
}

fn cases() -> Vec<Case> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the recordings are part of the sources")
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "case"))
        .collect();
    paths.sort();
    paths.iter().map(read_case).collect()
}

fn read_case(path: &PathBuf) -> Case {
    let text = std::fs::read_to_string(path).expect("a recording is text");
    let mut sections: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let (mut section, mut compare, mut status) = ("", Vec::new(), 0);
    for line in text.lines() {
        match line.strip_prefix("--- ").and_then(|mark| mark.split(' ').collect::<Vec<_>>().split_first().map(owned)) {
            Some(("script" | "stdout" | "stderr", _)) => section = &line[4..],
            Some(("compare", words)) => compare = words,
            Some(("exit", words)) => status = words[0].parse().expect("an exit status is a number"),
            Some(_) | None => sections.entry(section).or_default().push(line.to_owned()),
        }
    }
    let mut take = |name| sections.remove(name).unwrap_or_default();
    let printed = Printed { out: take("stdout"), err: take("stderr"), status };
    let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    Case { name, compare, script: take("script").join("\n"), printed }
}

fn owned<'a>((first, rest): (&&'a str, &[&'a str])) -> (&'a str, Vec<String>) {
    (first, rest.iter().map(|word| (*word).to_owned()).collect())
}

/// What the last command of a script prints: its part of the transcript.
fn replay(case: &Case) -> Printed {
    let script = Script::parse(&case.script).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let transcript = script.run(SEED).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let (_, printed) = commands(&transcript.text).pop().expect("a script runs commands");
    printed
}

/// A command line that ends before it has a client, without a session.
fn print_only(command: &str) -> Option<Printed> {
    let mut stages = shell::words::parse(command).ok()?.stages;
    let stage = stages.pop()?;
    let (name, arguments) = stage.words.split_first()?;
    let Named::Tool(tool) = named(name) else { return None };
    let files = Files::new();
    let Plan::Print(printout) =
        tool.plan(arguments, Surroundings { files: &files, disks: DiskFiles::default(), input: None, group_number: 0 })
    else {
        return None;
    };
    let mut output = Output::default();
    let clock = kafka::instant::WallClock { epoch: wire::Timestamp(0) };
    printout.pieces.iter().for_each(|piece| output.push(piece, kafka::instant::Instant(0), clock));
    let lines = |stream| output.text(stream).lines().map(str::to_owned).collect();
    Some(Printed { out: lines(Stream::Out), err: lines(Stream::Err), status: printout.status })
}

/// How often a client retries in a given time may differ by chance, but not by far.
fn check_repeats(case: &Case, ours: &Printed) {
    let (real, ours) = (case.printed.err.len(), ours.err.len());
    let is_alike = ours <= 2 * real && real <= 2 * ours;
    assert!(is_alike || !case.compare.iter().any(|how| how == "repeats"), "{}: {ours} lines for {real}", case.name);
}

fn difference(case: &Case, ours: &Printed) -> Option<String> {
    check_repeats(case, ours);
    let masks = Masks::new();
    let (real, ours) = (masks.printed(&case.printed, &case.compare), masks.printed(ours, &case.compare));
    (real != ours).then(|| format!("{}\n  Kafka: {real:#?}\n  here:  {ours:#?}\n", case.name))
}

#[test]
fn every_recording_is_a_case_a_story_or_left_out_with_a_reason() {
    let recorded = std::fs::read_to_string(folder().join("recorded.txt")).expect("the list is part of the sources");
    let mut covered: Vec<String> = cases().into_iter().map(|case| case.name).collect();
    covered.extend(STORIES.map(str::to_owned));
    covered.extend(LEFT_OUT.map(|(name, _)| name.to_owned()));
    let missing: Vec<&str> = recorded.lines().filter(|name| !covered.iter().any(|known| known == name)).collect();
    assert_eq!(missing, [""; 0]);
    assert_eq!(recorded.lines().count(), covered.len());
}

#[test]
fn tools_that_stop_at_their_options_print_what_kafka_prints() {
    let compared: Vec<Option<String>> = cases()
        .iter()
        .filter(|case| case.script.lines().count() == 1)
        .filter_map(|case| print_only(&case.script).map(|ours| difference(case, &ours)))
        .collect();
    let differences: Vec<&str> = compared.iter().flatten().map(String::as_str).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(compared.len() > 40, "only {} recordings were compared", compared.len());
}

/// The recording `topics-version`: all tools whose options are Kafka's `CommandDefaultOptions` do that.
#[test]
fn tools_tell_their_version() {
    for tool in [
        "broker-api-versions",
        "configs",
        "console-consumer",
        "console-producer",
        "delete-records",
        "dump-log",
        "get-offsets",
        "leader-election",
        "log-dirs",
        "reassign-partitions",
        "topics",
    ] {
        let printed = print_only(&format!("kafka-{tool}.sh --version"));
        let expected = Printed { out: vec!["3.9.0".to_owned()], err: vec![], status: 0 };
        assert_eq!(printed, Some(expected), "kafka-{tool}");
    }
}

/// The scripts of ours that were run against a real cluster by `cargo xtask oracle`, by name.
fn scripts() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut scripts: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("the scripts are part of the sources")
        .map(|entry| entry.expect("a folder can be listed").path())
        .map(|path| {
            let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a script is text"))
        })
        .collect();
    scripts.sort();
    scripts
}

#[test]
fn scripts_print_what_they_print_on_a_real_cluster() {
    let mut different = String::new();
    let mut compared = 0;
    for (name, text) in scripts() {
        let recorded = folder().join(format!("{name}.transcript"));
        let recorded = std::fs::read_to_string(&recorded).unwrap_or_else(|error| panic!("{name}: {error}"));
        let ours = Script::parse(&text).and_then(|script| script.run(SEED));
        let ours = ours.unwrap_or_else(|error| panic!("{name}: {error}\n{}", error.so_far));
        let differences = differences(&recorded, &ours.text, &comparison(&text));
        if !differences.is_empty() {
            different += &format!("{name}\n{differences}");
        }
        compared += 1;
    }
    assert!(different.is_empty(), "{different}");
    assert!(compared > 0);
}

#[test]
fn tools_print_what_kafka_prints() {
    let differences: Vec<String> = cases().iter().filter_map(|case| difference(case, &replay(case))).collect();
    assert!(differences.is_empty(), "{} differ\n{}", differences.len(), differences.join("\n"));
}

/// A cluster with terminals at it. The first is the one where topics are made and described.
struct Stage {
    session: Session,
    terminals: Vec<Terminal>,
}

impl Stage {
    fn new(terminals: usize) -> Stage {
        Stage::with(terminals, BTreeMap::new())
    }

    fn with(terminals: usize, properties: BTreeMap<String, String>) -> Stage {
        let world = WorldSpec::three_brokers(properties);
        let terminals = vec![Terminal::new(world.epoch); terminals];
        let mut session = Session::new(world, SEED);
        wait_until_ready(&mut session).expect("the cluster starts");
        Stage { session, terminals }
    }

    fn enter(&mut self, terminal: usize, line: &str) {
        self.terminals[terminal].enter(line, &mut self.session).expect("the foreground command runs");
    }

    /// Runs a command at the first terminal and gives what it printed.
    fn run(&mut self, line: &str) -> Printed {
        self.enter(0, line);
        self.finish(0)
    }

    /// Lets time pass until a terminal's command has ended.
    fn finish(&mut self, terminal: usize) -> Printed {
        run_to_end(&mut self.terminals[terminal], &mut self.session).expect("the command ends");
        let entry = self.terminals[terminal].last_entry(&self.session).expect("a command was run");
        let lines = |stream| {
            entry.lines.iter().filter(|line| line.stream == stream).map(|line| line.text.clone()).collect::<Vec<_>>()
        };
        Printed {
            out: lines(Stream::Out),
            err: lines(Stream::Err),
            status: entry.status.expect("the command has ended"),
        }
    }

    fn pass(&mut self, span: Duration) {
        let until = self.session.now() + span;
        self.session.run(Budget { until, steps: u64::MAX });
    }

    /// Waits until the producer at a terminal has a request on its way.
    fn wait_for_produce_request(&mut self, terminal: usize) {
        let client =
            self.terminals[terminal].foreground(&self.session).and_then(|job| job.client()).expect("a client runs");
        let is_produce = |content: &FlightContent| match content {
            FlightContent::Message(message) => {
                matches!(&**message, Message::Request { request: Request::Produce(_), .. })
            }
            FlightContent::Connecting | FlightContent::Closing => false,
        };
        for _ in 0..100_000 {
            if self.session.frame().messages.iter().any(|flight| flight.from == client && is_produce(&flight.content)) {
                return;
            }
            assert!(self.session.step());
        }
        panic!("the producer has sent nothing");
    }
}

const SECOND: Duration = Duration(1_000_000);

#[test]
fn a_console_producer_at_a_terminal_prompts_for_each_line() {
    let mut stage = Stage::new(1);
    stage.run("kafka-topics.sh --bootstrap-server localhost:9092 --create --topic tty");
    stage.enter(0, "kafka-console-producer.sh --bootstrap-server localhost:9092 --topic tty");
    for line in ["hello", "world"] {
        stage.pass(SECOND);
        stage.enter(0, line);
    }
    let entry = stage.terminals[0].last_entry(&stage.session).expect("a command was run");
    let mut screen: Vec<String> = entry.lines.iter().map(|line| line.text.clone()).collect();
    screen.extend(entry.shows_prompt.then(|| ">".to_owned()));
    assert_eq!(screen, [">hello", ">world", ">"]);
    stage.terminals[0].press(Key::EndOfInput, &mut stage.session).expect("the producer runs");
    assert_eq!(stage.finish(0), Printed { out: vec![], err: vec![], status: 0 });
    let read = "kafka-console-consumer --bootstrap-server localhost:9092 --topic tty --from-beginning --max-messages 2";
    assert_eq!(stage.run(read).out, ["hello", "world"]);
}

const LD: &str = "kafka-topics.sh --bootstrap-server localhost:9092 --create --topic ld --replica-assignment 3:1:2 \
                  --config min.insync.replicas=2";
const DESCRIBE_LD: &str = "kafka-topics.sh --bootstrap-server localhost:9092 --describe --topic ld";

/// Twelve lines, one every two seconds; the leader goes away with the fourth.
fn leader_death(name: &str, death: Command, has_to_be_sent: bool) -> (Printed, Printed) {
    let mut stage = Stage::new(3);
    stage.run(LD);
    stage.enter(1, "kafka-console-producer.sh --bootstrap-server localhost:9092 --topic ld");
    let consume = "kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic ld --from-beginning \
                   --timeout-ms 15000";
    stage.enter(2, consume);
    for number in 1..=12 {
        stage.enter(1, &format!("{name}-{number}"));
        if number == 4 {
            if has_to_be_sent {
                stage.wait_for_produce_request(1);
            }
            stage.session.apply(death.clone()).expect("the leader runs");
        }
        stage.pass(Duration(2 * SECOND.0));
    }
    stage.terminals[1].press(Key::EndOfInput, &mut stage.session).expect("the producer runs");
    let producer = stage.finish(1);
    let consumer = stage.finish(2);
    let expected: Vec<String> = (1..=12).map(|number| format!("{name}-{number}")).collect();
    assert_eq!(consumer.out, expected, "no record is lost, none comes twice");
    let after = "\tTopic: ld\tPartition: 0\tLeader: 1\tReplicas: 3,1,2\tIsr: 1,2\tElr: \tLastKnownElr: ";
    assert_eq!(stage.run(DESCRIBE_LD).out[1], after);
    (producer, consumer)
}

fn masked(lines: &[String]) -> Vec<String> {
    without_repeats(Masks::new().lines(lines))
}

const SENDER: &str = "(org.apache.kafka.clients.producer.internals.Sender)";
const NO_CONNECTION: &str = "Connection to node 3 (localhost/127.0.0.1:PORT) could not be established. Node may not be \
                             available. (org.apache.kafka.clients.NetworkClient)";

#[test]
fn a_leader_that_is_killed_costs_retries_and_no_record() {
    let (producer, consumer) = leader_death("hard", Command::Kill(NodeId::Server(3)), true);
    let expected = [
        format!(
            "[TIME] WARN [Producer clientId=console-producer] Got error produce response with correlation id N on \
             topic-partition ld-0, retrying (2 attempts left). Error: NETWORK_EXCEPTION. Error Message: Disconnected \
             from node 3 {SENDER}"
        ),
        format!(
            "[TIME] WARN [Producer clientId=console-producer] Received invalid metadata error in produce request on \
             partition ld-0 due to org.apache.kafka.common.errors.NetworkException: Disconnected from node 3 Going to \
             request metadata update now {SENDER}"
        ),
        format!("[TIME] WARN [Producer clientId=console-producer] {NO_CONNECTION}"),
    ];
    assert_eq!((masked(&producer.err), producer.status), (expected.to_vec(), 0));
    let expected = [
        format!("[TIME] WARN [Consumer clientId=console-consumer, groupId=console-consumer-N] {NO_CONNECTION}"),
        "[TIME] ERROR Error processing message, terminating consumer process:  \
         (org.apache.kafka.tools.consumer.ConsoleConsumer)"
            .to_owned(),
        "org.apache.kafka.common.errors.TimeoutException".to_owned(),
        "Processed a total of 12 messages".to_owned(),
    ];
    assert_eq!((masked(&consumer.err), consumer.status), (expected.to_vec(), 0));
}

#[test]
fn a_leader_that_is_shut_down_costs_one_retry() {
    let (producer, _) = leader_death("graceful", Command::Stop(NodeId::Server(3)), false);
    let expected = [
        format!(
            "[TIME] WARN [Producer clientId=console-producer] Got error produce response with correlation id N on \
             topic-partition ld-0, retrying (2 attempts left). Error: NOT_LEADER_OR_FOLLOWER {SENDER}"
        ),
        format!(
            "[TIME] WARN [Producer clientId=console-producer] Received invalid metadata error in produce request on \
             partition ld-0 due to org.apache.kafka.common.errors.NotLeaderOrFollowerException: For requests intended \
             only for the leader, this error indicates that the broker is not the current leader. For requests intended \
             for any replica, this error indicates that the broker is not a replica of the topic partition. Going to \
             request metadata update now {SENDER}"
        ),
    ];
    assert_eq!((masked(&producer.err), producer.status), (expected.to_vec(), 0));
}

/// The console producer gives a record up before the cluster has noticed that a follower is gone: reported failed, yet
/// stored. The recorded producer was idempotent and stored each record once; the simulated one is not, and a retry may
/// store it again.
#[test]
fn a_follower_that_is_killed_makes_the_producer_give_up_a_record_that_is_stored() {
    let mut stage = Stage::new(2);
    stage.run(
        "kafka-topics.sh --bootstrap-server localhost:9092 --create --topic orders --replica-assignment 2:3:1 --config \
         min.insync.replicas=2",
    );
    stage.enter(1, "kafka-console-producer.sh --bootstrap-server localhost:9092 --topic orders");
    for number in 1..=14 {
        stage.enter(1, &format!("m{number}"));
        stage.pass(SECOND);
        if number == 3 {
            stage.session.apply(Command::Kill(NodeId::Server(3))).expect("the follower runs");
        }
    }
    stage.terminals[1].press(Key::EndOfInput, &mut stage.session).expect("the producer runs");
    let producer = stage.finish(1);
    let retried = "[TIME] WARN [Producer clientId=console-producer] Got error produce response with correlation id N on \
                   topic-partition orders-0, retrying (2 attempts left). Error: REQUEST_TIMED_OUT";
    let given_up = "[TIME] ERROR Error when sending message to topic orders with key: null, value: 2 bytes with error: \
                    (org.apache.kafka.clients.producer.internals.ErrorLoggingCallback)";
    let printed = masked(&producer.err);
    assert!(printed.iter().any(|line| line.starts_with(retried)), "{printed:#?}");
    let failed = printed.iter().position(|line| line == given_up).expect("a record is reported as failed");
    // Broker and client give the request up at the same age: whose answer is the last is a matter of microseconds.
    let by_the_broker = "org.apache.kafka.common.errors.TimeoutException: The request timed out.";
    let by_the_client = "org.apache.kafka.common.errors.TimeoutException: Disconnected from node 2 due to timeout";
    assert!([by_the_broker, by_the_client].contains(&&*printed[failed + 1]), "{}", printed[failed + 1]);
    let read =
        "kafka-console-consumer --bootstrap-server localhost:9092 --topic orders --from-beginning --timeout-ms 3000";
    let stored = stage.run(read).out;
    for number in 1..=14 {
        assert!(stored.contains(&format!("m{number}")), "m{number} is not stored: {stored:?}");
    }
}

#[test]
fn a_consumer_of_a_topic_that_is_deleted_waits_and_warns() {
    let no_auto_creation = BTreeMap::from([("auto.create.topics.enable".to_owned(), "false".to_owned())]);
    let mut stage = Stage::with(2, no_auto_creation);
    let create = "kafka-topics.sh --bootstrap-server localhost:9092 --create --topic tty --replica-assignment 1";
    stage.run(create);
    stage.enter(1, "kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic tty --timeout-ms 8000");
    stage.pass(Duration(1_250_000));
    stage.run("kafka-topics.sh --bootstrap-server localhost:9092 --delete --topic tty");
    let printed = stage.finish(1);
    let warn = "[TIME] WARN [Consumer clientId=console-consumer, groupId=console-consumer-N]";
    let expected = [
        format!(
            "{warn} Received unknown topic or partition error in fetch for partition tty-0 \
             (org.apache.kafka.clients.consumer.internals.FetchCollector)"
        ),
        format!(
            "{warn} The metadata response from the cluster reported a recoverable issue with correlation id N : \
             {{tty=UNKNOWN_TOPIC_OR_PARTITION}} (org.apache.kafka.clients.NetworkClient)"
        ),
        "[TIME] ERROR Error processing message, terminating consumer process:  \
         (org.apache.kafka.tools.consumer.ConsoleConsumer)"
            .to_owned(),
        "org.apache.kafka.common.errors.TimeoutException".to_owned(),
        "Processed a total of 0 messages".to_owned(),
    ];
    assert_eq!((masked(&printed.err), printed.status), (expected.to_vec(), 0));
}
