//! What the command line prints, compared with recordings of Apache Kafka 3.9's own tools.
//!
//! `transcripts/*.case` holds a script that puts a cluster into the situation of the recording and ends with the recorded
//! command, and what the real tool printed. `transcripts/recorded.txt` lists every recording of the simulated tools, so
//! that none is skipped in silence: each is a case, a story below, or in `LEFT_OUT` with the reason.
//!
//! Masked on both sides: times, topic ids, correlation ids, numbers of generated groups, ports, Java stack frames, and
//! the descriptions in usage tables (what is kept of those are names, types, defaults and marks).

use kafka::instant::Duration;
use kafka::node::NodeId;
use regex_lite::Regex;
use shell::files::Files;
use shell::output::{Output, Stream};
use shell::plan::{Plan, Surroundings};
use shell::script::{Script, run_to_end, wait_until_ready};
use shell::terminal::{Entry, Key, Terminal};
use shell::tools::{Named, named};
use sim::{Budget, Command, Session, WorldSpec};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Recordings that this simulation cannot answer.
const LEFT_OUT: [(&str, &str); 9] = [
    ("consumer-after-delete", "its records were deleted with kafka-delete-records, which is not simulated"),
    ("consumer-group", "consumer groups are not simulated"),
    ("recover-describe2", "its leaders were moved with kafka-leader-election, which is not simulated"),
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

/// What a command printed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Printed {
    out: Vec<String>,
    err: Vec<String>,
    status: i32,
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

/// Hides what may differ between two runs of the same real tool.
struct Masks(Vec<(Regex, &'static str)>);

impl Masks {
    fn new() -> Masks {
        let masks = [
            (r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]", "[TIME]"),
            (r"CreateTime:\d+", "CreateTime:TIME"),
            (r"TopicId: \S+", "TopicId: ID"),
            (r"groupId=console-consumer-\d+", "groupId=console-consumer-N"),
            (r"correlation id \d+", "correlation id N"),
            (r"localhost:\d{4}", "localhost:PORT"),
            (r"127\.0\.0\.1:\d{4}", "127.0.0.1:PORT"),
            (r":\d+ ms has passed since", ":N ms has passed since"),
        ];
        Masks(masks.map(|(pattern, mask)| (Regex::new(pattern).unwrap(), mask)).into())
    }

    fn line(&self, line: &str) -> String {
        self.0.iter().fold(line.to_owned(), |line, (regex, mask)| regex.replace_all(&line, *mask).into_owned())
    }

    fn lines(&self, lines: &[String]) -> Vec<String> {
        let is_frame = |line: &&String| line.starts_with("\tat ") || line.starts_with("\t... ");
        lines.iter().filter(|line| !is_frame(line)).map(|line| self.line(line)).collect()
    }

    fn printed(&self, printed: &Printed, compare: &[String]) -> Printed {
        let (mut out, mut err) = (self.lines(&printed.out), self.lines(&printed.err));
        for how in compare {
            match how.as_str() {
                "unordered" => out = in_topic_order(out),
                "repeats" => err = without_repeats(err),
                "by-partition" => out.sort(),
                "expiry" => {}
                other => panic!("no comparison is called {other}"),
            }
        }
        Printed { out, err: usage_tables_reduced(err), status: printed.status }
    }
}

/// `--describe` shows topics in the order of a Java hash map: here they stand sorted.
fn in_topic_order(mut lines: Vec<String>) -> Vec<String> {
    let topic = |line: &String| line.trim_start().split('\t').next().unwrap_or_default().to_owned();
    lines.sort_by_key(topic);
    lines
}

/// How often a client retries is a matter of drawn back-offs: a run of the same one or two lines counts once.
fn without_repeats(lines: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for line in lines {
        kept.push(line);
        for length in [1, 2] {
            let count = kept.len();
            if count >= 2 * length && kept[count - length..] == kept[count - 2 * length..count - length] {
                kept.truncate(count - length);
            }
        }
    }
    kept
}

const OPTION_COLUMN: usize = 41;

/// Of a usage table, the option column and the marks and defaults of the descriptions.
fn usage_tables_reduced(lines: Vec<String>) -> Vec<String> {
    let Some(start) = lines.iter().position(|line| line.starts_with("Option   ")) else { return lines };
    let mut reduced: Vec<String> = lines[..start].to_vec();
    reduced.push("<usage table>".to_owned());
    let mut description = String::new();
    for line in &lines[start + 2..] {
        let (left, right) = line.split_at(OPTION_COLUMN.min(line.len()));
        if left.starts_with("--") {
            reduced.extend(marks(&std::mem::take(&mut description)));
        }
        if !left.trim().is_empty() {
            reduced.push(left.trim_end().to_owned());
        }
        description.push_str(right);
    }
    reduced.extend(marks(&description));
    reduced
}

fn marks(description: &str) -> Vec<String> {
    let mut marks = Vec::new();
    for mark in ["REQUIRED", "DEPRECATED"] {
        if description.trim_start().starts_with(mark) {
            marks.push(format!("  {mark}"));
        }
    }
    let dense: String = description.split_whitespace().collect();
    let default = dense.rsplit_once("(default:").and_then(|(_, default)| default.strip_suffix(')'));
    marks.extend(default.map(|default| format!("  default: {default}")));
    marks
}

fn printed_by(entry: &Entry) -> Printed {
    let lines = |stream| {
        entry.lines.iter().filter(|line| line.stream == stream).map(|line| line.text.clone()).collect::<Vec<_>>()
    };
    let status = entry.status.expect("the command has ended");
    Printed { out: lines(Stream::Out), err: lines(Stream::Err), status }
}

/// What the last command of a script prints: its part of the transcript.
fn replay(case: &Case) -> Printed {
    let script = Script::parse(&case.script).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let transcript = script.run(SEED).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let lines: Vec<&str> = transcript.text.lines().collect();
    let start = lines.iter().rposition(|line| line.starts_with("$ ")).expect("a script runs commands");
    let (status, printed) = lines[start + 1..].split_last().expect("a command has an exit status");
    let status = status.strip_prefix("= ").and_then(|status| status.parse().ok()).expect("the command has ended");
    let (err, out): (Vec<&str>, Vec<&str>) = printed.iter().partition(|line| line.starts_with("! "));
    let err = err.iter().map(|line| line[2..].to_owned()).collect();
    Printed { out: out.iter().map(|line| (*line).to_owned()).collect(), err, status }
}

/// A command line that ends before it has a client, without a session.
fn print_only(command: &str) -> Option<Printed> {
    let mut stages = shell::words::parse(command).ok()?.stages;
    let stage = stages.pop()?;
    let (name, arguments) = stage.words.split_first()?;
    let Named::Tool(tool) = named(name) else { return None };
    let files = Files::new();
    let Plan::Print(printout) = tool.plan(arguments, Surroundings { files: &files, group_number: 0 }) else {
        return None;
    };
    let mut output = Output::default();
    let clock = kafka::instant::WallClock { epoch: wire::Timestamp(0) };
    printout.pieces.iter().for_each(|piece| output.push(piece, kafka::instant::Instant(0), clock));
    let lines = |stream| output.text(stream).lines().map(str::to_owned).collect();
    Some(Printed { out: lines(Stream::Out), err: lines(Stream::Err), status: printout.status })
}

fn difference(case: &Case, ours: &Printed) -> Option<String> {
    let masks = Masks::new();
    let (real, ours) = (masks.printed(&case.printed, &case.compare), masks.printed(ours, &case.compare));
    (real != ours).then(|| format!("{}\n  Kafka: {real:#?}\n  here:  {ours:#?}\n", case.name))
}

#[test]
fn every_recording_is_a_case_a_story_or_left_out_with_a_reason() {
    let recorded = std::fs::read_to_string(folder().join("recorded.txt")).unwrap();
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

#[test]
fn tools_print_what_kafka_prints() {
    let differences: Vec<String> = cases().iter().filter_map(|case| difference(case, &replay(case))).collect();
    assert!(differences.is_empty(), "{} differ\n{}", differences.len(), differences.join("\n"));
}
