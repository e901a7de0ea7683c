//! `kafka-dump-log`: its options, and which file is dumped how (`DumpLogSegments` of Kafka 3.9). It reads the servers'
//! disks and talks to nobody. What files hold is turned into text in `dump_log_records` and `dump_log_indexes`.

use crate::admin_tool::checked_options;
use crate::disk_files::{LogFile, snapshot_id};
use crate::dump_log_indexes::{IndexDump, TimeIndexErrors};
use crate::dump_log_records::{BatchesDump, Decoder};
use crate::java_exception::JavaException;
use crate::options::{Argument, OptionError, OptionSpec, ParsedOptions, ValueType};
use crate::output::Piece;
use crate::plan::{Plan, Printout, Surroundings};
use kafka::log::producers::SnapshotEntry;
use wire::Offset;

const STRING_DECODER: &str = "org.apache.kafka.tools.api.StringDecoder";

const fn decoder_class(name: &'static str, description: &'static str) -> OptionSpec {
    let argument = Argument::Optional(ValueType::String, "");
    OptionSpec { name, argument, default: Some(STRING_DECODER), description }
}

/// The options, sorted by name.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::flag("cluster-metadata-decoder", "Read the values as records of the metadata log."),
    OptionSpec::flag("deep-iteration", "Show the records of each batch, too; implied by --print-data-log."),
    OptionSpec::text("files", "file1, file2, ...", "REQUIRED: Logs and indexes to dump, with commas."),
    OptionSpec::flag("help", "Print this text."),
    OptionSpec::flag("index-sanity-check", "Only check indexes as a broker does when it starts."),
    decoder_class("key-decoder-class", "The class that reads keys."),
    OptionSpec::integer("max-bytes", "size", "Read no more than so much of a log.").or("2147483647"),
    OptionSpec::integer("max-message-size", "size", "The largest batch to look for from an index.").or("5242880"),
    OptionSpec::flag("offsets-decoder", "Read keys and values as those of __consumer_offsets."),
    OptionSpec::flag("print-data-log", "Show keys and values; implied by every decoder."),
    OptionSpec::flag("remote-log-metadata-decoder", "Read the values as metadata of remote segments."),
    OptionSpec::flag("skip-record-metadata", "Show of each record its key and value only."),
    OptionSpec::flag("transaction-log-decoder", "Read keys and values as those of __transaction_state."),
    decoder_class("value-decoder-class", "The class that reads values."),
    OptionSpec::flag("verify-index-only", "Check indexes without showing their entries."),
    OptionSpec::flag("version", "Print Kafka's version."),
];

const ABOUT: &str = "This tool helps to parse a log file and dump its contents to the console, useful for debugging a \
                     seemingly corrupt log segment.";

/// Why the tool ends early.
pub enum Abort {
    /// An exception that nothing catches.
    Exception(JavaException),
    /// What would be printed cannot be known here.
    NotSimulated(String),
}

impl From<JavaException> for Abort {
    fn from(exception: JavaException) -> Abort {
        Abort::Exception(exception)
    }
}

impl From<OptionError> for Abort {
    fn from(error: OptionError) -> Abort {
        Abort::Exception(error.exception())
    }
}

/// What a call comes to.
#[must_use]
pub fn plan(arguments: &[String], surroundings: Surroundings<'_>) -> Plan {
    match checked_options(OPTIONS, arguments, ABOUT, &["files"], Plan::uncaught) {
        Ok(options) => Plan::Print(Dump { options: &options, surroundings, pieces: Vec::new() }.run()),
        Err(plan) => plan,
    }
}

struct Dump<'a> {
    options: &'a ParsedOptions,
    surroundings: Surroundings<'a>,
    pieces: Vec<Piece>,
}

/// What is told of all files at the end.
#[derive(Default)]
struct Findings {
    mismatches: Vec<(String, Vec<(Offset, Offset)>)>,
    time_index_errors: TimeIndexErrors,
    non_consecutive: Vec<(String, Vec<(Offset, Offset)>)>,
}

/// A path as `java.io.File` has it.
struct JavaFile {
    path: String,
}

impl Dump<'_> {
    fn run(mut self) -> Printout {
        match self.dump_all() {
            Ok(()) => Printout { pieces: self.pieces, status: 0 },
            Err(abort) => {
                let end = match abort {
                    Abort::Exception(exception) => Plan::uncaught(&exception),
                    Abort::NotSimulated(what) => Plan::not_simulated(&what),
                };
                let Plan::Print(end) = end else { unreachable!("both only print") };
                self.pieces.extend(end.pieces);
                Printout { pieces: self.pieces, status: end.status }
            }
        }
    }

    fn dump_all(&mut self) -> Result<(), Abort> {
        let mut findings = Findings::default();
        for path in java_split(self.options.value("files")?.unwrap_or_default()) {
            self.dump(&JavaFile::new(path), &mut findings)?;
        }
        for (path, mismatches) in findings.mismatches {
            self.err(format!("Mismatches in :{path}"));
            for (index, log) in mismatches.iter().rev() {
                self.err(format!("  Index offset: {index}, log offset: {log}"));
            }
        }
        self.pieces.extend(findings.time_index_errors.pieces());
        for (path, pairs) in findings.non_consecutive {
            self.err(format!("Non-consecutive offsets in {path}"));
            for (first, second) in pairs.iter().rev() {
                self.err(format!("  {first} is followed by {second}"));
            }
        }
        Ok(())
    }

    fn dump(&mut self, file: &JavaFile, findings: &mut Findings) -> Result<(), Abort> {
        self.out(format!("Dumping {}", file.path));
        match file.suffix()? {
            ".log" | ".checkpoint" => self.dump_log(file, findings),
            ".index" => self.dump_index(file, findings),
            ".timeindex" => self.dump_time_index(file, findings),
            ".snapshot" => self.dump_producers(file),
            ".txnindex" => self.dump_transactions(file),
            _ => {
                self.err(format!("Ignoring unknown file {}", file.path));
                Ok(())
            }
        }
    }

    fn dump_log(&mut self, file: &JavaFile, findings: &mut Findings) -> Result<(), Abort> {
        let has = |name| self.options.has(name);
        let decoder = Decoder::of_options(self.options, &mut self.pieces)?;
        let prints_contents = has("print-data-log") || DECODERS.into_iter().any(has);
        let is_deep = has("deep-iteration") || prints_contents;
        let max_bytes = self.options.integer("max-bytes")?.unwrap_or(i32::MAX);
        let log = self.open_log(file)?;
        if max_bytes < 0 {
            return Err(negative_size(max_bytes, &log, &file.path).into());
        }
        let skips_metadata = self.options.has("skip-record-metadata");
        let mut dump = BatchesDump::new(&log, max_bytes, is_deep, prints_contents.then_some(decoder), skips_metadata);
        let ended = dump.run();
        self.pieces.append(&mut dump.pieces);
        if !dump.non_consecutive.is_empty() {
            findings.non_consecutive.push((file.path.clone(), std::mem::take(&mut dump.non_consecutive)));
        }
        ended?;
        let trailing = dump.trailing_bytes;
        if trailing > 0 && max_bytes == i32::MAX {
            self.out(format!("Found {trailing} invalid bytes at the end of {}", file.name()));
        }
        Ok(())
    }

    /// Tells where the file begins or ends, and opens it.
    fn open_log(&mut self, file: &JavaFile) -> Result<LogFile, JavaException> {
        let disks = self.surroundings.disks;
        let missing = || JavaException::no_such_file(&file.path);
        if file.name().ends_with(".log") {
            let start = file.base_offset()?;
            self.out(format!("Log starting offset: {start}"));
            let written = || Some(LogFile { batches: Vec::new(), torn_bytes: self.written_bytes(&file.path)? });
            return disks.log(file.folder(), Offset(start)).or_else(written).ok_or_else(missing);
        }
        if file.name() == "bootstrap.checkpoint" {
            self.out("KRaft bootstrap snapshot".to_owned());
            return Err(missing());
        }
        let id = snapshot_id(file.name()).ok_or_else(|| JavaException::number_format(file.stem()))?;
        self.out(format!("Snapshot end offset: {}, epoch: {}", id.offset, id.epoch));
        disks.metadata_snapshot(file.folder(), id).ok_or_else(missing)
    }

    /// A text that somebody wrote has no batch in it: the length where a batch has its own is larger than any file.
    fn written_bytes(&self, path: &str) -> Option<i32> {
        self.surroundings.files.read(path).map(|text| text.len() as i32)
    }

    fn dump_index(&mut self, file: &JavaFile, findings: &mut Findings) -> Result<(), Abort> {
        let dump = self.index_dump(file)?;
        let index = self.surroundings.disks.offset_index(file.folder(), dump.base_offset);
        let index = index.ok_or_else(|| JavaException::no_such_file(&file.path))?;
        let max_message_size = self.options.integer("max-message-size")?.unwrap_or(i32::MAX);
        let mismatches = dump.offsets(&index, max_message_size, &mut self.pieces)?;
        if !mismatches.is_empty() {
            findings.mismatches.push((file.path.clone(), mismatches));
        }
        Ok(())
    }

    fn dump_time_index(&mut self, file: &JavaFile, findings: &mut Findings) -> Result<(), Abort> {
        let dump = self.index_dump(file)?;
        let index = self.surroundings.disks.time_index(file.folder(), dump.base_offset);
        let index = index.ok_or_else(|| JavaException::no_such_file(&file.path))?;
        dump.times(&index, &mut findings.time_index_errors, &mut self.pieces)?;
        Ok(())
    }

    /// The log beside an index is opened first.
    fn index_dump(&self, file: &JavaFile) -> Result<IndexDump, Abort> {
        let base_offset = Offset(file.base_offset()?);
        let log = self.surroundings.disks.log(file.folder(), base_offset);
        let missing = || JavaException::no_such_file(&format!("{}/{}.log", file.folder(), file.stem()));
        Ok(IndexDump {
            path: file.path.clone(),
            base_offset,
            batches: log.ok_or_else(missing)?.batches,
            checks_sanity_only: self.options.has("index-sanity-check"),
            verifies_only: self.options.has("verify-index-only"),
        })
    }

    fn dump_producers(&mut self, file: &JavaFile) -> Result<(), Abort> {
        let offset = file.base_offset().ok().map(Offset);
        let producers = offset.and_then(|offset| self.surroundings.disks.producers(file.folder(), offset));
        let producers = producers.ok_or_else(|| JavaException::no_such_file(&file.path))?;
        producers.iter().for_each(|entry| self.out(producer_line(entry)));
        Ok(())
    }

    fn dump_transactions(&mut self, file: &JavaFile) -> Result<(), Abort> {
        let base_offset = Offset(file.base_offset()?);
        for aborted in self.surroundings.disks.aborted_transactions(file.folder(), base_offset) {
            self.out(format!(
                "version: 0 producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}",
                aborted.producer_id, aborted.first_offset, aborted.last_offset, aborted.last_stable_offset
            ));
        }
        Ok(())
    }

    fn out(&mut self, line: String) {
        self.pieces.push(Piece::Out(line));
    }

    fn err(&mut self, line: String) {
        self.pieces.push(Piece::Err(line));
    }
}

/// The options with which contents are shown.
const DECODERS: [&str; 6] = [
    "offsets-decoder",
    "transaction-log-decoder",
    "cluster-metadata-decoder",
    "remote-log-metadata-decoder",
    "value-decoder-class",
    "key-decoder-class",
];

fn producer_line((producer_id, state): &SnapshotEntry) -> String {
    let first = state
        .current_transaction_first_offset
        .map_or_else(|| "OptionalLong.empty".to_owned(), |offset| format!("OptionalLong[{offset}]"));
    let front = format!(
        "producerId: {producer_id} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {first} \
         lastTimestamp: {} ",
        state.producer_epoch, state.coordinator_epoch, state.last_timestamp
    );
    let batch = state.batches().first().map_or_else(String::new, |batch| {
        format!(
            "firstSequence: {} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}",
            batch.first_sequence(),
            batch.last_sequence,
            batch.last_offset,
            batch.offset_delta,
            batch.timestamp
        )
    });
    front + &batch
}

fn negative_size(max_bytes: i32, log: &LogFile, path: &str) -> JavaException {
    let size = log.batches.iter().map(|batch| batch.size_in_bytes()).sum::<i32>() + log.torn_bytes;
    JavaException::illegal_argument(&format!(
        "Invalid size: {max_bytes} in read from FileRecords(size={size}, file={path}, start=0, end=2147483647)"
    ))
}

/// `String.split(",")`: empty strings at the end are dropped.
fn java_split(text: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = text.split(',').collect();
    while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts
}

impl JavaFile {
    fn new(path: &str) -> JavaFile {
        let mut normal = String::new();
        for character in path.chars() {
            if character != '/' || !normal.ends_with('/') {
                normal.push(character);
            }
        }
        if normal.len() > 1 && normal.ends_with('/') {
            normal.pop();
        }
        JavaFile { path: normal }
    }

    fn name(&self) -> &str {
        self.path.rsplit_once('/').map_or(&self.path, |(_, name)| name)
    }

    fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    fn stem(&self) -> &str {
        self.name().split('.').next().unwrap_or_default()
    }

    fn suffix(&self) -> Result<&str, JavaException> {
        let name = self.name();
        name.rfind('.').map(|dot| &name[dot..]).ok_or_else(|| {
            let length = name.encode_utf16().count();
            let message = format!("begin -1, end {length}, length {length}");
            JavaException::new("java.lang.StringIndexOutOfBoundsException", &message)
        })
    }

    /// What stands in front of the first dot, as a number.
    fn base_offset(&self) -> Result<i64, JavaException> {
        self.stem().parse().map_err(|_| JavaException::number_format(self.stem()))
    }
}
