//! What commands printed, in a form in which two runs can be compared: split by command, without what differs by chance.
//!
//! Masked are times, topic ids, correlation ids, numbers of generated groups, ports, Java stack frames, and the
//! descriptions in usage tables (what is kept of those are names, types, defaults and marks).

use regex_lite::Regex;

/// What a command printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// Its standard output, line by line.
    pub out: Vec<String>,
    /// Its standard error.
    pub err: Vec<String>,
    /// Its exit status.
    pub status: i32,
}

/// The commands of a transcript, each with what it printed.
///
/// # Panics
/// If the text is no transcript.
#[must_use]
pub fn commands(transcript: &str) -> Vec<(String, Printed)> {
    let mut commands: Vec<(String, Printed)> = Vec::new();
    let mut is_open = false;
    for line in transcript.lines() {
        if let Some(command) = line.strip_prefix("$ ").filter(|_| !is_open) {
            commands.push((command.to_owned(), Printed { out: Vec::new(), err: Vec::new(), status: 0 }));
            is_open = true;
        } else if let Some((_, printed)) = commands.last_mut().filter(|_| is_open) {
            match (line.strip_prefix("! "), line.strip_prefix("= ")) {
                (Some(err), _) => printed.err.push(err.to_owned()),
                (None, Some(status)) => {
                    printed.status = status.parse().expect("an exit status is a number");
                    is_open = false;
                }
                (None, None) => printed.out.push(line.to_owned()),
            }
        }
    }
    commands
}

/// How the recordings of a script are compared: the words of its lines `# compare …`.
#[must_use]
pub fn comparison(script: &str) -> Vec<String> {
    let words = script.lines().filter_map(|line| line.strip_prefix("# compare ")).flat_map(str::split_whitespace);
    words.map(str::to_owned).collect()
}

/// Where two transcripts of one script differ, command by command, as a text for people; empty if they do not.
#[must_use]
pub fn differences(real: &str, ours: &str, compare: &[String]) -> String {
    let (real, ours) = (commands(real), commands(ours));
    let masks = Masks::new();
    let mut text = String::new();
    for ((command, kafka), (_, here)) in real.iter().zip(&ours) {
        let (kafka, here) = (masks.printed(kafka, compare), masks.printed(here, compare));
        if kafka != here {
            text += &format!("$ {command}\n{}", side_by_side(&kafka, &here));
        }
    }
    if real.len() != ours.len() {
        text += &format!("Kafka ran {} commands, here ran {}\n", real.len(), ours.len());
    }
    text
}

fn side_by_side(kafka: &Printed, here: &Printed) -> String {
    let lines = |who: &str, printed: &Printed| -> String {
        let out = printed.out.iter().map(|line| format!("  {who} {line}\n"));
        let err = printed.err.iter().map(|line| format!("  {who} ! {line}\n"));
        out.chain(err).collect::<String>() + &format!("  {who} = {}\n", printed.status)
    };
    lines("Kafka:", kafka) + &lines("here: ", here)
}

/// Hides what may differ between two runs of the same real tool.
pub struct Masks(Vec<(Regex, &'static str)>, Regex);

impl Default for Masks {
    fn default() -> Masks {
        Masks::new()
    }
}

impl Masks {
    /// The masks.
    #[must_use]
    pub fn new() -> Masks {
        let masks = [
            (r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]", "[TIME]"),
            (r"CreateTime: ?\d+", "CreateTime:TIME"),
            (r" crc: \d+ ", " crc: N "),
            (r"OptionalLong\[\d+\]", "OptionalLong[TIME]"),
            (r"^timestamp: \d{13}", "timestamp: TIME"),
            (r#""timestamp":"\d+""#, r#""timestamp":"TIME""#),
            (r#""(topic_id|id)":"[\w-]{22}""#, r#""$1":"ID""#),
            (r"^(.)Zxid = 0x[0-9a-f]+$", "${1}Zxid = ZXID"),
            (r"^(.)time = .+ UTC \d{4}$", "${1}time = TIME"),
            (r"ephemeralOwner = 0x[0-9a-f]{2,}", "ephemeralOwner = SESSION"),
            (r"TopicId: \S+", "TopicId: ID"),
            (r"groupId=console-consumer-\d+", "groupId=console-consumer-N"),
            (r"correlation id \d+", "correlation id N"),
            (r"localhost:\d{4}", "localhost:PORT"),
            (r"127\.0\.0\.1:\d{4}", "127.0.0.1:PORT"),
            (r":\d+ ms has passed since", ":N ms has passed since"),
            (r"Cluster ID: \S{22}$", "Cluster ID: ID"),
            (r"\tEpoch: \d+$", "\tEpoch: N"),
            (
                r"deadlineMs=\d+, tries=\d+, nextAllowedTryMs=\d+\) timed out at \d+ after \d+ attempt",
                "deadlineMs=TIME, tries=N, nextAllowedTryMs=TIME) timed out at TIME after N attempt",
            ),
        ];
        let regex = |pattern| Regex::new(pattern).expect("the masks are regular expressions");
        let producer = regex(r"\b(baseSequence|lastSequence|producerId|producerEpoch|sequence): -?\d+");
        Masks(masks.map(|(pattern, mask)| (regex(pattern), mask)).into(), producer)
    }

    fn line(&self, line: &str) -> String {
        self.0.iter().fold(line.to_owned(), |line, (regex, mask)| regex.replace_all(&line, *mask).into_owned())
    }

    fn without_producer(&self, line: &str) -> String {
        self.1.replace_all(line, "$1: N").into_owned()
    }

    /// Lines without what may differ, and without Java's stack frames.
    #[must_use]
    pub fn lines(&self, lines: &[String]) -> Vec<String> {
        let is_frame = |line: &&String| line.starts_with("\tat ") || line.starts_with("\t... ");
        lines.iter().filter(|line| !is_frame(line)).map(|line| self.line(line)).collect()
    }

    /// What a command printed, without what may differ, to be compared as the words in `compare` say: `unordered`,
    /// `repeats`, `by-partition`, `quorum`, `brokers-in-any-order`, `producer-numbers` (of an idempotent producer in a log),
    /// `any-bootstrap-server` (the first to be asked is drawn, and may be dead), `metadata-log` (a dump of it).
    #[must_use]
    pub fn printed(&self, printed: &Printed, compare: &[String]) -> Printed {
        let (mut out, mut err) = (self.lines(&printed.out), self.lines(&printed.err));
        for how in compare {
            match how.as_str() {
                "unordered" => out = in_topic_order(out),
                "repeats" => err = without_repeats(err),
                "by-partition" => out.sort(),
                "quorum" => out = quorum_reduced(out),
                "brokers-in-any-order" => out = in_broker_order(&out),
                "producer-numbers" => out = out.iter().map(|line| self.without_producer(line)).collect(),
                "metadata-log" => out = kinds_of_metadata(out),
                "any-bootstrap-server" => err.retain(|line| !is_dead_bootstrap_server(line)),
                other => panic!("no comparison is called {other}"),
            }
        }
        Printed { out: help_texts_reduced(out), err: usage_tables_reduced(err), status: printed.status }
    }
}

/// Of a dump of the metadata log, each different record. When it was written, in which batch, and which no-op records lie
/// between is a matter of milliseconds.
fn kinds_of_metadata(mut lines: Vec<String>) -> Vec<String> {
    let drawn = Regex::new("^\\| offset: \\d+ CreateTime:TIME|\"[\\w-]{22}\"|\"brokerEpoch\":\\d+|\"port\":\\d+");
    let drawn = drawn.expect("the mask is a regular expression");
    lines.retain(|line| !line.starts_with("baseOffset:") && !line.contains("NO_OP_RECORD"));
    let mut kinds: Vec<String> = lines.iter().map(|line| drawn.replace_all(line, "-").into_owned()).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// Bootstrap servers have negative ids.
fn is_dead_bootstrap_server(warning: &str) -> bool {
    warning.contains("Connection to node -") && warning.contains("could not be established")
}

/// `kafka-broker-api-versions` asks brokers in an order that is drawn: here they stand sorted.
fn in_broker_order(lines: &[String]) -> Vec<String> {
    let text = lines.join("\n");
    let mut brokers: Vec<&str> = text.split_inclusive("\n)").map(str::trim_start).collect();
    brokers.sort_unstable();
    brokers.iter().flat_map(|broker| broker.lines()).map(str::to_owned).collect()
}

/// `--describe` shows topics in the order of a Java hash map: here they stand sorted.
fn in_topic_order(mut lines: Vec<String>) -> Vec<String> {
    let topic = |line: &String| line.trim_start().split('\t').next().unwrap_or_default().to_owned();
    lines.sort_by_key(topic);
    lines
}

/// Of what `kafka-metadata-quorum` tells, all but who leads, in which epoch, how far everybody is, and in which order
/// observers stand: that of a Java hash map whose keys hold directory ids, which are drawn. Who lags still shows.
fn quorum_reduced(mut lines: Vec<String>) -> Vec<String> {
    const DRAWN: [&str; 5] = ["ClusterId:", "LeaderId:", "LeaderEpoch:", "HighWatermark:", "MaxFollowerLag"];
    let number = |cell: &str| cell.parse::<i64>().is_ok_and(|number| number > 0);
    let cell = |cell: &str| match cell.trim() {
        ago if ago.ends_with(" ms ago") => "N ms ago".to_owned(),
        id if id.len() == 22 && id.bytes().any(|byte| byte != b'A') => "ID".to_owned(),
        text if number(text) => "N".to_owned(),
        text => text.to_owned(),
    };
    let directory = Regex::new("\"directoryId\": \"[^\"]*\"").expect("the mask is a regular expression");
    for line in &mut lines {
        if line.contains('\t') {
            *line = line.split('\t').map(cell).collect::<Vec<_>>().join("\t");
        } else if let Some(name) = DRAWN.iter().find(|name| line.starts_with(*name)) {
            *line = (*name).to_owned();
        } else {
            *line = directory.replace_all(line, "\"directoryId\": ID").into_owned();
        }
        if let Some(observers) = line.strip_prefix("CurrentObservers:").map(str::trim) {
            let mut observers: Vec<&str> = observers.trim_matches(['[', ']']).split_inclusive('}').collect();
            observers.iter_mut().for_each(|observer| *observer = observer.trim_start_matches(", "));
            observers.sort_unstable();
            *line = format!("CurrentObservers: {observers:?}");
        }
    }
    if lines.first().is_some_and(|line| line.starts_with("NodeId")) {
        lines[1..].sort();
    }
    lines
}

/// How often a client retries is a matter of drawn back-offs: a run of the same one or two lines counts once.
#[must_use]
pub fn without_repeats(lines: Vec<String>) -> Vec<String> {
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

/// Of a usage table, the option column and the marks and defaults of the descriptions.
fn usage_tables_reduced(lines: Vec<String>) -> Vec<String> {
    let Some(start) = lines.iter().position(|line| line.starts_with("Option   ")) else { return lines };
    let mut reduced: Vec<String> = lines[..start].to_vec();
    reduced.push("<usage table>".to_owned());
    let mut description = String::new();
    let column = lines[start].find("Description").expect("a usage table has two columns");
    for line in &lines[start + 2..] {
        let (left, right) = line.split_at(column.min(line.len()));
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

const HELP_COLUMN: usize = 25;

/// Of a help text of argparse4j, all but the descriptions of subcommands and options.
fn help_texts_reduced(lines: Vec<String>) -> Vec<String> {
    let Some(start) = lines.iter().position(|line| line.ends_with(" arguments:")) else { return lines };
    let mut reduced: Vec<String> = lines[..start].to_vec();
    for line in &lines[start..] {
        let is_name = line.starts_with("  ") && !line.starts_with(&" ".repeat(HELP_COLUMN));
        let is_long = line.len() > HELP_COLUMN && line.as_bytes()[HELP_COLUMN - 1] != b' ';
        let end = if is_name && !is_long { HELP_COLUMN.min(line.len()) } else { line.len() };
        if is_name || !line.starts_with(' ') {
            reduced.push(line[..end].trim_end().to_owned());
        }
    }
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
