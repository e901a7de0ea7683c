//! Whatever is read from outside, be it a script, a directive, a file of a tool or a server's property, is understood or
//! refused: no panic, no endless work.
//!
//! Texts are good ones with parts dropped, doubled, swapped, cut or replaced by absurd ones, and plain noise. Every seed
//! gives the same texts again. Command lines have tests of their own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use kafka::config::{BrokerConfig, TOPIC_CONFIGS, validate_topic_config};
use kafka::instant::{Duration, Instant};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use shell::directive::Action;
use shell::files::{Files, parse_properties};
use shell::json::Json;
use shell::line_reader::{LineReader, lines_of};
use shell::plan::{Plan, Surroundings};
use shell::reassign_json::{parse_targets, parse_topics};
use shell::script::Script;
use shell::terminal::Terminal;
use shell::tools::{Named, named};
use sim::{Budget, Session};
use std::collections::BTreeMap;
use std::panic::catch_unwind;

type Rng = Xoshiro256PlusPlus;

const ABSURD: [&str; 30] = [
    "",
    "-",
    "-1",
    "0",
    "00",
    "1",
    "2147483647",
    "2147483648",
    "-2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999",
    "18446744073709551615",
    "1e9",
    "1e999",
    "0.5",
    "NaN",
    "Infinity",
    "true",
    "null",
    "[",
    "{\"",
    "\\u",
    "\\ud800",
    "=",
    "%",
    "토픽-🙂",
    "\u{0}",
    "@",
    "one-way",
];

fn pick<'a>(rng: &mut Rng, items: &[&'a str]) -> &'a str {
    items[rng.random_range(0..items.len())]
}

fn noise(rng: &mut Rng) -> String {
    let length = rng.random_range(0..40usize);
    let bytes: Vec<u8> = (0..length).map(|_| rng.random_range(0..=255u32) as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The parts of a text: runs of letters and digits, and single characters between them.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut was_word = false;
    for character in text.chars() {
        let is_word = character.is_alphanumeric();
        match parts.last_mut() {
            Some(last) if is_word && was_word => last.push(character),
            Some(_) | None => parts.push(character.to_string()),
        }
        was_word = is_word;
    }
    parts
}

fn mutated(rng: &mut Rng, text: &str) -> String {
    let mut parts = parts(text);
    for _ in 0..rng.random_range(0..4u32) {
        if parts.is_empty() {
            break;
        }
        let at = rng.random_range(0..parts.len());
        match rng.random_range(0..8u32) {
            0 => drop(parts.remove(at)),
            1 => parts.insert(at, parts[at].clone()),
            2 | 3 => parts[at] = pick(rng, &ABSURD).to_owned(),
            4 => parts.insert(at, pick(rng, &ABSURD).to_owned()),
            5 => parts[at] = parts[at].repeat(rng.random_range(1..500usize)),
            6 => parts.truncate(at),
            _ => parts.swap(0, at),
        }
    }
    if rng.random_range(0..20u32) == 0 {
        parts.push(noise(rng))
    }
    parts.concat()
}

/// How many were understood, and how many refused.
#[derive(Debug, Default)]
struct Count {
    understood: u32,
    refused: u32,
}

impl Count {
    fn add(&mut self, is_understood: bool) {
        if is_understood { self.understood += 1 } else { self.refused += 1 }
    }

    fn is_at_least(&self, least: u32) {
        assert!(self.understood >= least && self.refused >= least, "{self:?}");
    }
}

const DIRECTIVES: [&str; 20] = [
    "@kill 1",
    "@stop leader:orders-0",
    "@start 2",
    "@freeze controller",
    "@thaw 1",
    "@power-off 3",
    "@slow-disk 1 50",
    "@full-disk 2",
    "@sound-disk 2",
    "@clock 3 -5000",
    "@cut 1 2 one-way",
    "@heal",
    "@delay 1 3 20",
    "@jitter 5",
    "@loss 1 2 20%",
    "@add-broker 4",
    "@remove-broker 4",
    "@sleep 2.5",
    "@freeze client-1",
    "@kill zookeeper",
];

const SHAPES: [&str; 9] = [
    "@mode zookeeper",
    "@mode kraft",
    "@brokers 5",
    "@controllers 3",
    "@racks a b c",
    "@config log.retention.ms=1000",
    "@config 2 min.insync.replicas=2",
    "@historical unfenced-fetches",
    "@seed 7",
];

#[test]
fn scripts_are_read_or_refused_with_the_line() {
    let mut rng = Rng::seed_from_u64(1);
    let mut count = Count::default();
    for _ in 0..8_000 {
        let mut lines: Vec<String> =
            (0..rng.random_range(0..3u32)).map(|_| pick(&mut rng, &SHAPES).to_owned()).collect();
        lines.extend((0..rng.random_range(0..3u32)).map(|_| pick(&mut rng, &DIRECTIVES).to_owned()));
        lines.push("kafka-topics --list --bootstrap-server localhost:9092".to_owned());
        let text = mutated(&mut rng, &lines.join("\n"));
        match Script::parse(&text) {
            Ok(script) => {
                assert!(script.shape().brokers <= 9, "{text}");
                count.add(true);
            }
            Err(error) => {
                assert!(error.to_string().starts_with("line "), "{error}");
                count.add(false);
            }
        }
    }
    count.is_at_least(2_000);
}

/// Faults of every kind on every node that there is, was or never will be, while the cluster runs.
#[test]
fn directives_fit_the_cluster_or_are_refused() {
    for (seed, mode) in [(2, "@mode kraft\n@controllers 3"), (3, "@mode zookeeper")] {
        let mut rng = Rng::seed_from_u64(seed);
        let mut session = Session::new(Script::parse(mode).unwrap().world(), seed);
        session.run(Budget { until: Instant::ZERO + Duration::from_ms(10_000), steps: 100_000 });
        let mut count = Count::default();
        for _ in 0..1_500 {
            let directive = pick(&mut rng, &DIRECTIVES);
            let text = mutated(&mut rng, directive);
            match Action::parse(&text) {
                Some(Ok(Action::Sleep(_))) | None => {}
                Some(Ok(action)) => count.add(action.carry_out(&mut session).is_ok()),
                Some(Err(message)) => {
                    assert!(!message.is_empty());
                    count.add(false);
                }
            }
            let until = session.now() + Duration::from_ms(rng.random_range(0..200));
            session.run(Budget { until, steps: 300 });
        }
        count.is_at_least(100);
    }
}

const JSON: [&str; 6] = [
    r#"{"version":1,"partitions":[{"topic":"orders","partition":0,"replicas":[3,2],"log_dirs":["any","any"]}]}"#,
    r#"{"partitions":[{"topic":"orders","partition":0,"offset":3},{"topic":"orders","partition":1,"offset":-1}],"version":1}"#,
    r#"{"partitions":[{"topic":"orders","partition":0}]}"#,
    r#"{"topics":[{"topic":"orders"},{"topic":"payments"}],"version":1}"#,
    r#"{"a":[1,-2,2.5e-3,true,false,null,"x\"\\\n\u00e4\/"],"b":{"c":{}},"d":[]}"#,
    "[[[[[[[[[[]]]]]]]]]]",
];

#[test]
fn json_is_read_as_it_is_written_or_refused() {
    let mut rng = Rng::seed_from_u64(4);
    let mut count = Count::default();
    for _ in 0..8_000 {
        let text = pick(&mut rng, &JSON);
        let text = mutated(&mut rng, text);
        let read = Json::parse(&text);
        count.add(read.is_some());
        if let Some(json) = read {
            assert_eq!(Json::parse(&json.to_string()), Some(json), "{text}");
        }
        for refusal in [parse_targets(&text).err(), parse_topics(&text).err()].into_iter().flatten() {
            assert!(!refusal.message().is_empty(), "{text}");
        }
    }
    count.is_at_least(1_000);
    for deep in ["[", "{\"a\":", "[{\"a\":["] {
        assert_eq!(Json::parse(&deep.repeat(100_000)), None);
    }
}

#[test]
fn files_of_the_tools_are_read_or_refused_with_a_message() {
    let lines = [
        "kafka-reassign-partitions --bootstrap-server localhost:9092 --reassignment-json-file file --execute",
        "kafka-reassign-partitions --bootstrap-server localhost:9092 --reassignment-json-file file --verify",
        "kafka-reassign-partitions --bootstrap-server localhost:9092 --topics-to-move-json-file file --broker-list 1,2 --generate",
        "kafka-delete-records --bootstrap-server localhost:9092 --offset-json-file file",
        "kafka-leader-election --bootstrap-server localhost:9092 --election-type preferred --path-to-json-file file",
        "kafka-topics --bootstrap-server localhost:9092 --list --command-config file",
        "kafka-configs --bootstrap-server localhost:9092 --alter --entity-type topics --entity-name a --add-config-file file",
        "kafka-console-producer --bootstrap-server localhost:9092 --topic a --producer.config file",
        "kafka-console-consumer --bootstrap-server localhost:9092 --topic a --consumer.config file",
    ];
    const PROPERTIES: &str = "acks=all\nlinger.ms: 5\n# a comment\nfetch.min.bytes 1\nretention.ms=100\nclient.id=";
    let mut rng = Rng::seed_from_u64(5);
    let mut count = Count::default();
    for _ in 0..8_000 {
        let good = if rng.random_range(0..4u32) == 0 { PROPERTIES } else { pick(&mut rng, &JSON) };
        let mut files = Files::new();
        files.write("file", &mutated(&mut rng, good));
        let words: Vec<String> = pick(&mut rng, &lines).split(' ').map(str::to_owned).collect();
        let Named::Tool(tool) = named(&words[0]) else { panic!("{} is a tool", words[0]) };
        match tool.plan(
            &words[1..],
            Surroundings {
                files: &files,
                disks: shell::disk_files::DiskFiles::default(),
                input: None,
                group_number: 7,
            },
        ) {
            Plan::Client(_) => count.add(true),
            Plan::Print(printout) => {
                assert!(!printout.pieces.is_empty(), "a tool that ends at once says why");
                count.add(false);
            }
        }
    }
    count.is_at_least(1_000);
}

#[test]
fn lines_become_records_or_are_refused() {
    let names = ["parse.key", "parse.headers", "ignore.error", "null.marker", "key.separator", "headers.separator"];
    let values = ["true", "\t", ",", ":", "NULL", "", "🙂", ".", "\\", "[", "a|b"];
    let mut rng = Rng::seed_from_u64(6);
    let mut count = Count::default();
    for _ in 0..4_000 {
        let property = |rng: &mut Rng| (pick(rng, &names).to_owned(), pick(rng, &values).to_owned());
        let properties: Vec<_> = (0..rng.random_range(0..6u32)).map(|_| property(&mut rng)).collect();
        let Ok(reader) = LineReader::new("t", &properties, false) else { continue };
        let text = mutated(&mut rng, "h1:v1,h2:v2\tkey\tvalue\r\nNULL\tNULL\n🙂🙂");
        for (number, line) in (1..).zip(lines_of(&text)) {
            count.add(reader.read(line, number).is_ok());
        }
        assert!(parse_properties(&text).len() <= text.lines().count());
    }
    count.is_at_least(1_000);
}

/// A cluster that starts, a topic with a few records, and a broker that is killed and comes back. All of that may fail,
/// but time must pass.
fn use_a_cluster(mode: &str, property: &str) {
    let script = format!("@mode {mode}\n@config {property}");
    let lines = [
        "",
        "timeout 2 kafka-topics --create --topic t --replication-factor 3 --bootstrap-server localhost:9092",
        "printf 'a\\nb\\n' | timeout 2 kafka-console-producer --topic auto --bootstrap-server localhost:9092",
        "@kill 1",
        "@start 1",
    ];
    time_passes(&script, &lines, property);
}

fn time_passes(script: &str, lines: &[&str], about: &str) {
    let world = Script::parse(script).unwrap().world();
    let mut terminal = Terminal::for_script(world.epoch);
    let mut session = Session::new(world, 8);
    for line in lines {
        terminal.run(line, &mut session);
        let begun = session.now();
        for _ in 0..10 {
            let until = session.now() + Duration::from_ms(250);
            session.run(Budget { until, steps: 2_000 });
            terminal.advance(&mut session).unwrap();
        }
        let passed = session.now().since(begun);
        assert!(passed >= Duration::from_ms(500), "{about}: after {} steps it is {}", session.steps(), session.now());
    }
}

/// Each property of a server with absurd values: what Kafka's own checks let through does not break the cluster.
#[test]
fn servers_run_with_whatever_their_properties_allow() {
    let mut broken = Vec::new();
    let mut count = Count::default();
    for (place, definition) in BrokerConfig::definitions().iter().enumerate() {
        for value in ["-9223372036854775808", "-1", "0", "1", "2147483647", "9223372036854775807", "1e-9", "x"] {
            let property = format!("{}={value}", definition.name);
            let properties = BTreeMap::from([(definition.name.to_owned(), value.to_owned())]);
            let is_accepted = BrokerConfig::from_properties(&properties).is_ok();
            count.add(is_accepted);
            let mode = ["kraft", "zookeeper"][place % 2];
            if is_accepted && catch_unwind(|| use_a_cluster(mode, &property)).is_err() {
                broken.push(property);
            }
        }
    }
    assert!(broken.is_empty(), "these properties break a broker: {broken:?}");
    count.is_at_least(400);
}

/// A topic with such a configuration, a few records, everything that is done from time to time, and a broker that is killed
/// and comes back.
fn use_a_topic(config: &str) {
    let script = "@config log.retention.check.interval.ms=500\n@config log.cleaner.backoff.ms=500\n\
                  @config log.flush.scheduler.interval.ms=500";
    let create = format!(
        "timeout 2 kafka-topics --create --topic t --replication-factor 3 --config {config} --bootstrap-server localhost:9092"
    );
    let produce = "printf 'k:a\\nk:b\\nj:c\\n' | timeout 2 kafka-console-producer --topic t --bootstrap-server localhost:9092 \
                   --property parse.key=true --property key.separator=: --batch-size 1";
    let consume = "timeout 2 kafka-console-consumer --topic t --from-beginning --bootstrap-server localhost:9093";
    let lines = ["", "", &create, produce, produce, "@power-off 1", produce, "@start 1", consume, "@sleep 9"];
    time_passes(script, &lines, config);
}

/// Each configuration of a topic with absurd values.
#[test]
fn topics_live_with_whatever_their_configurations_allow() {
    let (mut count, mut broken) = (Count::default(), Vec::new());
    for definition in TOPIC_CONFIGS {
        for value in ["-9223372036854775808", "-1", "0", "1", "14", "2147483647", "9223372036854775807", "compact", "x"]
        {
            let is_accepted = validate_topic_config(definition.name(), value).is_ok();
            count.add(is_accepted);
            let config = format!("{}={value}", definition.name());
            if is_accepted && catch_unwind(|| use_a_topic(&config)).is_err() {
                broken.push(config);
            }
        }
    }
    assert!(broken.is_empty(), "these configurations break a broker: {broken:?}");
    count.is_at_least(70);
}
