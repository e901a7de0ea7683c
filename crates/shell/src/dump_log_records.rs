//! What `kafka-dump-log` prints of batches and records, and how it reads keys and values.

use crate::disk_files::LogFile;
use crate::dump_log::Abort;
use crate::java_exception::JavaException;
use crate::json::Json;
use crate::options::ParsedOptions;
use crate::output::Piece;
use kafka::metadata::message::{Field, FieldValue, MetadataMessage, written_records};
use std::sync::Arc;
use wire::record::{NO_SEQUENCE, increment_sequence};
use wire::{
    BatchBody, ControlRecordType, Offset, Record, RecordBatch, TimestampType, TopicId, TransactionResult, codec, varint,
};

/// How keys and values are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoder {
    /// By these classes: keys, values.
    Classes(Class, Class),
    /// `--offsets-decoder`.
    Offsets,
    /// `--transaction-log-decoder`.
    TransactionLog,
    /// `--cluster-metadata-decoder`.
    ClusterMetadata,
}

/// A class of `org.apache.kafka.tools.api`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// `StringDecoder`.
    Text,
    /// `IntegerDecoder`.
    Integer,
    /// `LongDecoder`.
    Long,
}

const PACKAGE: &str = "org.apache.kafka.tools.api.";
const DEPRECATED_PACKAGE: &str = "kafka.serializer.";

impl Decoder {
    /// The decoder that the options ask for. What is said about old names goes to `pieces`.
    ///
    /// # Errors
    /// There is no such class, or it is not simulated.
    pub fn of_options(options: &ParsedOptions, pieces: &mut Vec<Piece>) -> Result<Decoder, Abort> {
        if options.has("offsets-decoder") {
            return Ok(Decoder::Offsets);
        }
        if options.has("transaction-log-decoder") {
            return Ok(Decoder::TransactionLog);
        }
        if options.has("cluster-metadata-decoder") {
            return Ok(Decoder::ClusterMetadata);
        }
        if options.has("remote-log-metadata-decoder") {
            return Err(Abort::NotSimulated("remote storage is not simulated".to_owned()));
        }
        let mut class = |name| Class::named(options.value(name)?.unwrap_or_default(), pieces);
        let value = class("value-decoder-class")?;
        Ok(Decoder::Classes(class("key-decoder-class")?, value))
    }
}

impl Class {
    fn named(name: &str, pieces: &mut Vec<Piece>) -> Result<Class, Abort> {
        let mut short = name.strip_prefix(PACKAGE);
        if let Some(old) = name.strip_prefix(DEPRECATED_PACKAGE).filter(|old| OLD_CLASSES.contains(old)) {
            pieces.push(Piece::Out(format!("{name} is deprecated. Please use {PACKAGE}{old} instead")));
            short = Some(old);
        }
        match short {
            Some("StringDecoder") => Ok(Class::Text),
            Some("IntegerDecoder") => Ok(Class::Integer),
            Some("LongDecoder") => Ok(Class::Long),
            Some("DefaultDecoder") => {
                Err(Abort::NotSimulated("DefaultDecoder prints addresses in a Java heap: not simulated".to_owned()))
            }
            Some(_) | None => Err(Abort::Exception(JavaException::new("java.lang.ClassNotFoundException", name))),
        }
    }

    fn read(self, bytes: &[u8]) -> Result<String, Abort> {
        let underflow = || Abort::Exception(JavaException::bare("java.nio.BufferUnderflowException"));
        match self {
            Class::Text => Ok(String::from_utf8_lossy(bytes).into_owned()),
            Class::Integer => {
                bytes.first_chunk().map(|head| i32::from_be_bytes(*head).to_string()).ok_or_else(underflow)
            }
            Class::Long => bytes.first_chunk().map(|head| i64::from_be_bytes(*head).to_string()).ok_or_else(underflow),
        }
    }
}

const OLD_CLASSES: [&str; 4] = ["StringDecoder", "LongDecoder", "IntegerDecoder", "DefaultDecoder"];

/// The batches of one file on their way to text.
pub struct BatchesDump<'a> {
    log: &'a LogFile,
    max_bytes: i32,
    is_deep: bool,
    contents: Option<Decoder>,
    skips_metadata: bool,
    last_offset: Option<Offset>,
    /// What is printed.
    pub pieces: Vec<Piece>,
    /// Records whose offset is not the one behind that of the record before, with that one in front.
    pub non_consecutive: Vec<(Offset, Offset)>,
    /// Bytes behind the last batch that is whole.
    pub trailing_bytes: i32,
}

impl<'a> BatchesDump<'a> {
    /// Nothing is dumped yet. Without a decoder no contents are shown.
    #[must_use]
    pub fn new(
        log: &'a LogFile,
        max_bytes: i32,
        is_deep: bool,
        contents: Option<Decoder>,
        skips_metadata: bool,
    ) -> BatchesDump<'a> {
        BatchesDump {
            log,
            max_bytes,
            is_deep,
            contents,
            skips_metadata,
            last_offset: None,
            pieces: Vec::new(),
            non_consecutive: Vec::new(),
            trailing_bytes: log.torn_bytes,
        }
    }

    /// Dumps the batches that are whole within the bytes that may be read.
    ///
    /// # Errors
    /// A record cannot be read.
    pub fn run(&mut self) -> Result<(), Abort> {
        let mut position = 0;
        for batch in &self.log.batches {
            if batch.size_in_bytes() > self.max_bytes - position {
                break;
            }
            self.dump(batch, position)?;
            position += batch.size_in_bytes();
        }
        Ok(())
    }

    fn dump(&mut self, batch: &Arc<RecordBatch>, position: i32) -> Result<(), Abort> {
        let records = written_records(batch);
        self.pieces.push(Piece::Out(batch_line(batch, &records, position)));
        if self.is_deep {
            for (place, record) in records.iter().enumerate() {
                self.note_offset(batch.base_offset + i64::from(record.offset_delta));
                let mut line = String::new();
                let ended = self.write_record(batch, place, record, &mut line);
                self.pieces.push(match ended.is_ok() {
                    true => Piece::Out(line),
                    false => Piece::Text(line),
                });
                ended?;
            }
        }
        Ok(())
    }

    fn note_offset(&mut self, offset: Offset) {
        if let Some(last) = self.last_offset.filter(|last| last.next() != offset) {
            self.non_consecutive.push((last, offset));
        }
        self.last_offset = Some(offset);
    }

    fn write_record(&self, batch: &RecordBatch, place: usize, record: &Record, line: &mut String) -> Result<(), Abort> {
        if !self.skips_metadata {
            *line += &format!("|{}", metadata_of(batch, record));
        }
        let Some(decoder) = self.contents.filter(|_| !batch.is_control()) else { return Ok(()) };
        let (key, payload) = decoded(decoder, batch, place, record)?;
        if let Some(key) = key {
            *line += if self.skips_metadata { "| key: " } else { " key: " };
            *line += &key;
        }
        *line += &payload.map_or_else(String::new, |payload| format!(" payload: {payload}"));
        Ok(())
    }
}

fn timestamp_type(batch: &RecordBatch) -> &'static str {
    match batch.timestamp_type {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    }
}

fn batch_line(batch: &RecordBatch, records: &[Record], position: i32) -> String {
    let bytes = codec::encode_batch(batch, records);
    let horizon = batch.delete_horizon();
    let horizon = horizon.map_or_else(|| "OptionalLong.empty".to_owned(), |at| format!("OptionalLong[{at}]"));
    format!(
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} producerEpoch: {} \
         partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {horizon} position: {position} \
         {}: {} size: {} magic: 2 compresscodec: none crc: {} isvalid: true",
        batch.base_offset,
        batch.last_offset(),
        records.len(),
        batch.base_sequence,
        batch.last_sequence(),
        batch.producer_id,
        batch.producer_epoch,
        batch.partition_leader_epoch,
        batch.is_transactional,
        batch.is_control(),
        timestamp_type(batch),
        batch.max_timestamp,
        bytes.len(),
        codec::checksum_of(&bytes),
    )
}

fn metadata_of(batch: &RecordBatch, record: &Record) -> String {
    let size = |bytes: &Option<wire::Bytes>| bytes.as_ref().map_or(-1, |bytes| bytes.len() as i64);
    let sequence = match batch.base_sequence {
        NO_SEQUENCE => NO_SEQUENCE,
        first => increment_sequence(first, record.offset_delta),
    };
    let headers: Vec<&str> = record.headers.iter().map(|header| &*header.key).collect();
    format!(
        " offset: {} {}: {} keySize: {} valueSize: {} sequence: {sequence} headerKeys: [{}]{}",
        batch.base_offset + i64::from(record.offset_delta),
        timestamp_type(batch),
        batch.timestamp_of(record),
        size(&record.key),
        size(&record.value),
        headers.join(","),
        control_of(batch),
    )
}

fn control_of(batch: &RecordBatch) -> String {
    match &batch.body {
        BatchBody::EndTransaction(marker) => {
            let result = match marker.result {
                TransactionResult::Abort => "ABORT",
                TransactionResult::Commit => "COMMIT",
            };
            format!(" endTxnMarker: {result} coordinatorEpoch: {}", marker.coordinator_epoch)
        }
        BatchBody::LeaderChange(_) => {
            format!(" controlType: LEADER_CHANGE({})", ControlRecordType::LeaderChange.number())
        }
        BatchBody::SnapshotHeader { last_contained_log_timestamp: timestamp } => {
            format!(" SnapshotHeader {{\"version\":0,\"lastContainedLogTimestamp\":{timestamp}}}")
        }
        BatchBody::SnapshotFooter => " SnapshotFooter {\"version\":0}".to_owned(),
        BatchBody::Records(_) | BatchBody::Metadata(_) | BatchBody::EmptyControl => String::new(),
    }
}

type Contents = (Option<String>, Option<String>);

fn decoded(decoder: Decoder, batch: &RecordBatch, place: usize, record: &Record) -> Result<Contents, Abort> {
    let offset = batch.base_offset + i64::from(record.offset_delta);
    match decoder {
        Decoder::Classes(key_class, value_class) => Ok((
            record.key.as_ref().map(|key| key_class.read(key)).transpose()?,
            record.value.as_ref().map(|value| value_class.read(value)).transpose()?,
        )),
        Decoder::Offsets => Ok((Some(offsets_key(offset, record)?), None)),
        Decoder::TransactionLog => Ok((Some(transaction_key(record)?), None)),
        Decoder::ClusterMetadata => Ok((None, Some(metadata_json(batch, place, record, offset)))),
    }
}

/// The types of keys in `__consumer_offsets`, which there is none of here.
const GROUP_KEYS: std::ops::RangeInclusive<i16> = 0..=8;

fn offsets_key(offset: Offset, record: &Record) -> Result<String, Abort> {
    let Some(key) = &record.key else {
        let message = format!(
            "Failed to decode message at offset {offset} using offset topic decoder (message had a missing key)"
        );
        return Err(Abort::Exception(JavaException::new("java.lang.RuntimeException", &message)));
    };
    match key.first_chunk().map(|version| i16::from_be_bytes(*version)) {
        None => Ok(format!("Error at offset {offset}, skipping. Could not read version from key's buffer.")),
        Some(version) if GROUP_KEYS.contains(&version) => {
            Err(Abort::NotSimulated("records of consumer groups are not simulated".to_owned()))
        }
        Some(version) => Ok(format!("Unknown record type {version} at offset {offset}, skipping.")),
    }
}

fn transaction_key(record: &Record) -> Result<String, Abort> {
    let no_key = || {
        let message = "Cannot invoke \"java.nio.ByteBuffer.getShort()\" because \"buffer\" is null";
        Abort::Exception(JavaException::new("java.lang.NullPointerException", message))
    };
    let key = record.key.as_ref().ok_or_else(no_key)?;
    match key.first_chunk().map(|version| i16::from_be_bytes(*version)) {
        None => Err(Abort::Exception(JavaException::bare("java.nio.BufferUnderflowException"))),
        Some(0) => Err(Abort::NotSimulated("records of transaction coordinators are not simulated".to_owned())),
        Some(version) => Ok(format!("unknown::version={version}")),
    }
}

/// A record of another topic begins with what cannot be a frame's version.
fn metadata_json(batch: &RecordBatch, place: usize, record: &Record, offset: Offset) -> String {
    if let Some(written) = batch.metadata_records().get(place) {
        return message_json(&MetadataMessage::of(written)).to_string();
    }
    let frame_version = varint::read_unsigned_i32(&mut record.value.as_deref().unwrap_or_default());
    let problem = match frame_version.map(i16::try_from) {
        Err(_) => "Error while reading frame version".to_owned(),
        Ok(Err(_)) => "Value for frame version was too large.".to_owned(),
        Ok(Ok(0)) => "Could not deserialize metadata record with frame version 0. Note that upgrades from the preview \
                      release of KRaft in 2.8 to newer versions are not supported."
            .to_owned(),
        Ok(Ok(version)) => format!(
            "Could not deserialize metadata record due to unknown frame version {version}(only frame version 1 is \
             supported)"
        ),
    };
    format!("Error at {offset}, skipping. {problem}")
}

fn message_json(message: &MetadataMessage) -> Json {
    Json::object(vec![
        ("type", Json::text(message.name)),
        ("version", Json::Integer(message.version.into())),
        ("data", fields_json(&message.fields)),
    ])
}

fn fields_json(fields: &[Field]) -> Json {
    Json::object(fields.iter().map(|field| (field.name, value_json(&field.value))).collect())
}

fn value_json(value: &FieldValue) -> Json {
    match value {
        FieldValue::Boolean(value) => Json::Boolean(*value),
        FieldValue::Integer(value, _) => Json::Integer(*value),
        FieldValue::Uuid(uuid) => Json::text(&TopicId(*uuid).to_string()),
        FieldValue::Text(Some(text)) => Json::text(text),
        FieldValue::Text(None) => Json::Null,
        FieldValue::Array(elements) => Json::Array(elements.iter().map(value_json).collect()),
        FieldValue::Struct(fields) => fields_json(fields),
    }
}
