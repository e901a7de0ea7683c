//! What `kafka-dump-log` prints of offset and time indexes, and how it compares them with their log.
//!
//! The index files of a segment that is written to have their full length, and zeros behind their last entry. The real tool
//! reads those too: an index without entries looks as if it had one of zeros.

use crate::disk_files::{IndexFile, OffsetEntry};
use crate::java_exception::JavaException;
use crate::output::Piece;
use kafka::log::segment::TimestampOffset;
use std::sync::Arc;
use wire::{Offset, RecordBatch, Timestamp};

/// An index file, the batches beside it, and what is asked of them.
pub struct IndexDump {
    /// The file.
    pub path: String,
    /// The offset in its name.
    pub base_offset: Offset,
    /// The batches of the log.
    pub batches: Vec<Arc<RecordBatch>>,
    /// `--index-sanity-check`.
    pub checks_sanity_only: bool,
    /// `--verify-index-only`.
    pub verifies_only: bool,
}

/// Where time indexes and logs differ, by file.
#[derive(Default)]
pub struct TimeIndexErrors {
    mismatches: Vec<(String, Vec<(Timestamp, Timestamp)>)>,
    out_of_order: Vec<(String, Vec<(Timestamp, Timestamp)>)>,
    not_found: Vec<(String, Vec<(Offset, Offset)>)>,
}

impl IndexDump {
    /// Dumps an offset index. Returns the entries that do not name the last offset of their batch, with that offset.
    ///
    /// # Errors
    /// An entry names a place where no batch is, or one that is too large.
    pub fn offsets(
        &self,
        index: &IndexFile<OffsetEntry>,
        max_message_size: i32,
        pieces: &mut Vec<Piece>,
    ) -> Result<Vec<(Offset, Offset)>, JavaException> {
        let entries = seen(index, (self.base_offset, 0));
        if entries.is_empty() {
            pieces.push(Piece::Out(format!("{} is empty.", self.path)));
            return Ok(Vec::new());
        }
        if self.checks_sanity_only {
            self.passed(pieces);
            return Ok(Vec::new());
        }
        let mut mismatches = Vec::new();
        for (place, (offset, position)) in entries.into_iter().enumerate() {
            if offset == self.base_offset && place > 0 {
                break;
            }
            let last = self.batch_at(position, max_message_size)?.last_offset();
            if last != offset {
                mismatches.push((offset, last));
            }
            self.show(format!("offset: {offset} position: {position}"), pieces);
        }
        Ok(mismatches)
    }

    fn batch_at(&self, position: i32, max_message_size: i32) -> Result<&RecordBatch, JavaException> {
        if max_message_size < 0 {
            let message = format!("Invalid size: {max_message_size} in read from {}", self.path);
            return Err(JavaException::illegal_argument(&message));
        }
        let mut begin = 0;
        let found = self.batches.iter().find(|batch| {
            let is_there = begin == position;
            begin += batch.size_in_bytes();
            is_there
        });
        let found = found.filter(|batch| batch.size_in_bytes() <= max_message_size);
        found.map(|batch| &**batch).ok_or_else(|| JavaException::bare("java.util.NoSuchElementException"))
    }

    /// Dumps a time index.
    ///
    /// # Errors
    /// The sanity check finds the index corrupt.
    pub fn times(
        &self,
        index: &IndexFile<TimestampOffset>,
        errors: &mut TimeIndexErrors,
        pieces: &mut Vec<Piece>,
    ) -> Result<(), JavaException> {
        if self.checks_sanity_only {
            return self.check_times(index, pieces);
        }
        let zeros = TimestampOffset { timestamp: Timestamp(0), offset: self.base_offset };
        let mut previous = Timestamp(-1);
        for (place, entry) in seen(index, zeros).into_iter().enumerate() {
            if entry.offset == self.base_offset && place > 0 {
                break;
            }
            self.compare(entry, previous, errors);
            self.show(format!("timestamp: {} offset: {}", entry.timestamp, entry.offset), pieces);
            previous = entry.timestamp;
        }
        Ok(())
    }

    fn compare(&self, entry: TimestampOffset, previous: Timestamp, errors: &mut TimeIndexErrors) {
        let found = self.batches.iter().find(|batch| batch.last_offset() >= entry.offset);
        let Some(batch) = found.filter(|batch| batch.last_offset() == entry.offset) else {
            let last = found.map_or(Offset(-1), |batch| batch.last_offset());
            return note(&mut errors.not_found, &self.path, (entry.offset, last));
        };
        let records = batch.records().iter().map(|record| batch.timestamp_of(record));
        let largest = if batch.records().is_empty() { Some(batch.max_timestamp) } else { records.max() };
        let largest = largest.unwrap_or(Timestamp(-1));
        if largest != entry.timestamp {
            note(&mut errors.mismatches, &self.path, (entry.timestamp, largest));
        }
        if previous >= entry.timestamp {
            note(&mut errors.out_of_order, &self.path, (entry.timestamp, previous));
        }
    }

    /// Zeros behind an entry look like a last entry before the first.
    fn check_times(&self, index: &IndexFile<TimestampOffset>, pieces: &mut Vec<Piece>) -> Result<(), JavaException> {
        match index.entries.first().filter(|first| index.is_preallocated && first.timestamp > Timestamp(0)) {
            None => {
                self.passed(pieces);
                Ok(())
            }
            Some(first) => Err(JavaException::new(
                "org.apache.kafka.storage.internals.log.CorruptIndexException",
                &format!(
                    "Corrupt time index found, time index file ({}) has non-zero size but the last timestamp is 0 which \
                     is less than the first timestamp {}",
                    self.path, first.timestamp
                ),
            )),
        }
    }

    fn passed(&self, pieces: &mut Vec<Piece>) {
        pieces.push(Piece::Out(format!("{} passed sanity check.", self.path)));
    }

    fn show(&self, line: String, pieces: &mut Vec<Piece>) {
        if !self.verifies_only {
            pieces.push(Piece::Out(line));
        }
    }
}

/// The entries that the tool comes to see: those that were written, or one of zeros.
fn seen<E: Copy>(index: &IndexFile<E>, zeros: E) -> Vec<E> {
    if index.entries.is_empty() && index.is_preallocated { vec![zeros] } else { index.entries.clone() }
}

fn note<T>(files: &mut Vec<(String, Vec<T>)>, path: &str, found: T) {
    match files.iter_mut().find(|(file, _)| file == path) {
        Some((_, all)) => all.push(found),
        None => files.push((path.to_owned(), vec![found])),
    }
}

impl TimeIndexErrors {
    /// What is said of them at the end.
    #[must_use]
    pub fn pieces(&self) -> Vec<Piece> {
        let mut lines = Vec::new();
        for (path, found) in &self.mismatches {
            lines.push(format!("Found timestamp mismatch in :{path}"));
            lines.extend(found.iter().map(|(index, log)| format!("  Index timestamp: {index}, log timestamp: {log}")));
        }
        for (path, found) in &self.out_of_order {
            lines.push(format!("Found out of order timestamp in :{path}"));
            lines.extend(
                found
                    .iter()
                    .map(|(index, last)| format!("  Index timestamp: {index}, Previously indexed timestamp: {last}")),
            );
        }
        for (_, found) in &self.not_found {
            lines.push("The following indexed offsets are not found in the log.".to_owned());
            lines.extend(found.iter().map(|(index, log)| format!("Indexed offset: {index}, found log offset: {log}")));
        }
        lines.into_iter().map(Piece::Err).collect()
    }
}
