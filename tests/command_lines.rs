//! Whatever is typed, the command line answers: no panic, and always an exit status.
//!
//! Lines are good ones with some of their words dropped, doubled, swapped, cut or replaced by absurd ones, and plain
//! noise. Every seed gives the same lines again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use shell::disk_files::DiskFiles;
use shell::files::Files;
use shell::plan::{Plan, Surroundings};
use shell::script::{run_to_end, wait_until_ready};
use shell::terminal::Terminal;
use shell::tools::{Named, named};
use sim::{Session, WorldSpec};
use std::collections::BTreeMap;

const GOOD: [&str; 29] = [
    "kafka-topics.sh --bootstrap-server localhost:9092 --create --topic a --partitions 3 --replication-factor 2",
    "kafka-topics --bootstrap-server localhost:9092 --create --topic b --replica-assignment 1:2,2:3 --config retention.ms=5",
    "kafka-topics --bootstrap-server localhost:9092 --create --if-not-exists --topic c --config min.insync.replicas=2",
    "kafka-topics --bootstrap-server=localhost:9092 --list --exclude-internal --topic a.*",
    "kafka-topics --bootstrap-server localhost:9092 --describe --topic a,b --under-replicated-partitions",
    "kafka-topics --bootstrap-server localhost:9092 --describe --topic-id AAAAAAAAAAAAAAAAAAAAAQ --if-exists",
    "kafka-topics --bootstrap-server localhost:9092 --alter --topic a --partitions 6 --if-exists",
    "kafka-topics --bootstrap-server localhost:9092 --delete --topic b --if-exists",
    "printf 'k:v\\nx\\n' | kafka-console-producer.sh --bootstrap-server localhost:9092 --topic a --property parse.key=true \
     --property key.separator=: --property ignore.error=true",
    "printf 'h:1\\tk\\tv\\n' | kafka-console-producer --broker-list localhost:9092 --topic a --property parse.headers=true \
     --producer-property linger.ms=5 --request-required-acks 1 --timeout 3 --sync",
    "echo x | kafka-console-producer --bootstrap-server localhost:9092,localhost:9093 --topic c --max-block-ms 2000 \
     --compression-codec lz4 --batch-size 100 --message-send-max-retries 0",
    "kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic a --from-beginning --timeout-ms 1500",
    "kafka-console-consumer --bootstrap-server localhost:9092 --include a|b --max-messages 2 --timeout-ms 1500 \
     --property print.key=true --property print.timestamp=true --consumer-property fetch.min.bytes=1 > out",
    "kafka-console-consumer --bootstrap-server localhost:9092 --topic a --partition 0 --offset 1 --timeout-ms 900 | sort",
    "kafka-get-offsets --bootstrap-server localhost:9092 --topic-partitions a:0-2,b,.*:1 --time earliest --exclude-internal-topics",
    "kafka-delete-records.sh --bootstrap-server localhost:9092 --offset-json-file delete.json",
    "kafka-log-dirs --bootstrap-server localhost:9092 --describe --topic-list a,b --broker-list 1,2",
    "kafka-cluster cluster-id --bootstrap-server localhost:9092",
    "kafka-cluster.sh unregister -b localhost:9092 --id 9",
    "kafka-features --bootstrap-server localhost:9092 describe",
    "kafka-features.sh --bootstrap-server localhost:9092 upgrade --feature metadata.version=21 --feature a=1 --dry-run",
    "kafka-features.sh --bootstrap-server localhost:9092 downgrade --metadata 3.8 --unsafe --dry-run",
    "kafka-metadata-quorum --bootstrap-server localhost:9092 describe --replication --human-readable",
    "kafka-metadata-quorum.sh --bootstrap-server=localhost:9092 describe --stat",
    "kafka-leader-election --bootstrap-server localhost:9092 --election-type unclean --topic a --partition 1",
    "kafka-reassign-partitions.sh --bootstrap-server localhost:9092 --reassignment-json-file move.json --execute --additional",
    "kafka-reassign-partitions --bootstrap-server localhost:9092 --list --command-config none",
    "kafka-configs.sh --bootstrap-server localhost:9092 --describe --entity-type brokers --entity-name 1 --all",
    "kafka-configs --bootstrap-server localhost:9092 --alter --topic a --add-config k=[1,2],retention.ms=5 --delete-config x,y",
];

const ABSURD: [&str; 26] = [
    "''",
    "-",
    "--",
    "-1",
    "0",
    "2147483647",
    "2147483648",
    "-9223372036854775808",
    "99999999999999999999",
    "1e9",
    "NaN",
    "localhost",
    ":9092",
    "nosuchhost:9092",
    "localhost:99999",
    "[",
    "(",
    ".*",
    "..",
    "토픽",
    "=",
    "a=b=c",
    "--topic",
    "--help",
    "\\",
    "$?",
];

fn pick<'a>(rng: &mut Xoshiro256PlusPlus, items: &[&'a str]) -> &'a str {
    items[rng.random_range(0..items.len())]
}

fn mutated(rng: &mut Xoshiro256PlusPlus) -> String {
    let mut words: Vec<String> = pick(rng, &GOOD).split(' ').map(str::to_owned).collect();
    for _ in 0..rng.random_range(0..4u32) {
        let at = rng.random_range(0..words.len());
        match rng.random_range(0..7u32) {
            0 => drop(words.remove(at)),
            1 => words.insert(at, words[at].clone()),
            2 => words[at] = pick(rng, &ABSURD).to_owned(),
            3 => words.insert(at, pick(rng, &ABSURD).to_owned()),
            4 => words[at] = "x".repeat(rng.random_range(1..3_000usize)),
            5 => words[at] = words[at].chars().take(rng.random_range(0..6usize)).collect(),
            _ => words.swap(0, at),
        }
        if words.is_empty() {
            break;
        }
    }
    words.join(" ")
}

fn noise(rng: &mut Xoshiro256PlusPlus) -> String {
    let length = rng.random_range(0..60usize);
    let bytes: Vec<u8> = (0..length).map(|_| rng.random_range(0..=255u32) as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn line(rng: &mut Xoshiro256PlusPlus) -> String {
    if rng.random_range(0..10u32) == 0 { noise(rng) } else { mutated(rng) }
}

#[test]
fn every_line_is_understood_or_refused() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let files = Files::new();
    let (mut started, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let Ok(pipeline) = shell::words::parse(&line(&mut rng)) else { continue };
        for stage in pipeline.stages {
            let Some((name, arguments)) = stage.words.split_first() else { continue };
            let Named::Tool(tool) = named(name) else { continue };
            match tool.plan(
                arguments,
                Surroundings { files: &files, disks: DiskFiles::default(), input: None, group_number: 7 },
            ) {
                Plan::Client(_) => started += 1,
                Plan::Print(printout) => {
                    refused += 1;
                    assert!(!printout.pieces.is_empty(), "a tool that ends at once says why");
                }
            }
        }
    }
    assert!(started > 3_000 && refused > 3_000, "{started} started, {refused} refused");
}

#[test]
fn every_line_ends_with_an_exit_status() {
    let world = WorldSpec::three_brokers(BTreeMap::new());
    let mut terminal = Terminal::for_script(world.epoch);
    let mut session = Session::new(world, 5);
    wait_until_ready(&mut session).expect("the cluster starts");
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let mut statuses: BTreeMap<i32, u32> = BTreeMap::new();
    for _ in 0..400 {
        let line = line(&mut rng).replace("kafka-console-consumer", "timeout 3 kafka-console-consumer");
        if !terminal.run(&line, &mut session) {
            continue;
        }
        run_to_end(&mut terminal, &mut session).unwrap_or_else(|error| panic!("{line}: {error}"));
        let entry = terminal.last_entry(&session).expect("a command was run");
        let status = entry.status.unwrap_or_else(|| panic!("{line} has no exit status"));
        *statuses.entry(status).or_default() += 1;
    }
    for status in [0, 1, 2, 124, 127] {
        assert!(statuses.contains_key(&status), "no line ended with {status}: {statuses:?}");
    }
}
