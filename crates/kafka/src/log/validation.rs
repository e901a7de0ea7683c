//! `LogValidator`: what a leader checks before it appends a producer's batch.
//!
//! Checksums and compression are not checked: batches travel as values. Sequence numbers
//! are the business of `producers`.

use super::AppendError;
use super::partition_log::LogContext;
use super::producers::AppendOrigin;
use crate::config::TopicConfig;
use wire::{BatchBody, ErrorCode, Offset, Record, RecordBatch, Timestamp, TimestampType, TopicPartition};

impl AppendError {
    /// An error about which Kafka sends the producer no more than the code.
    #[must_use]
    pub fn plain(error: ErrorCode) -> AppendError {
        AppendError { error, message: None }
    }
}

/// Checks a batch in Kafka's order.
///
/// # Errors
/// The first thing that is wrong with it.
pub(super) fn validate(
    batch: &RecordBatch,
    partition: &TopicPartition,
    origin: AppendOrigin,
    context: &LogContext<'_>,
) -> Result<(), AppendError> {
    let LogContext { config, wall_time } = *context;
    if batch.base_offset != Offset::ZERO {
        return Err(AppendError::plain(ErrorCode::InvalidRecord));
    }
    if batch.size_in_bytes() > config.max_message_bytes {
        return Err(AppendError::plain(ErrorCode::MessageTooLarge));
    }
    validate_batch(batch, origin)?;
    validate_records(batch, partition, config, wall_time)
}

/// There are as many records as the batch says, a producer has numbered them, and only a coordinator writes markers.
fn validate_batch(batch: &RecordBatch, origin: AppendOrigin) -> Result<(), AppendError> {
    let is_allowed = match &batch.body {
        BatchBody::Records(_) => origin != AppendOrigin::Client || !batch.has_producer_id() || batch.base_sequence >= 0,
        BatchBody::EndTransaction(_) => origin != AppendOrigin::Client,
        BatchBody::EmptyControl
        | BatchBody::Metadata(_)
        | BatchBody::LeaderChange(_)
        | BatchBody::SnapshotHeader { .. }
        | BatchBody::SnapshotFooter => false,
    };
    let count = batch.records_count();
    let is_consistent = count > 0 && i64::from(batch.last_offset_delta) + 1 == i64::from(count);
    if is_allowed && is_consistent { Ok(()) } else { Err(AppendError::plain(ErrorCode::InvalidRecord)) }
}

/// Of a record without a key no more is asked; the others' timestamps go before missing keys.
fn validate_records(
    batch: &RecordBatch,
    partition: &TopicPartition,
    config: &TopicConfig,
    wall_time: Timestamp,
) -> Result<(), AppendError> {
    let records = batch.records();
    let lacks_key = |record: &Record| config.cleanup_policy.compacts() && record.key.is_none();
    if !records.iter().all(|record| lacks_key(record) || is_timely(record, batch.timestamp_type, config, wall_time)) {
        let message = "One or more records have been rejected due to invalid timestamp".to_owned();
        return Err(AppendError { error: ErrorCode::InvalidTimestamp, message: Some(message) });
    }
    if records.iter().any(lacks_key) {
        return Err(AppendError { error: ErrorCode::InvalidRecord, message: Some(missing_keys(records, partition)) });
    }
    Ok(())
}

/// The exception's message, which names the first three records at most.
fn missing_keys(records: &[Record], partition: &TopicPartition) -> String {
    let keyless = || records.iter().enumerate().filter(|(_, record)| record.key.is_none());
    let shown: Vec<String> = keyless()
        .take(3)
        .map(|(index, _)| {
            format!(
                "RecordError(batchIndex={index}, message='Compacted topic cannot accept message without key in topic \
                 partition {partition}')"
            )
        })
        .collect();
    format!(
        "One or more records have been rejected due to {} record errors in total, and only showing the first three \
         errors at most: [{}]",
        keyless().count(),
        shown.join(", ")
    )
}

fn is_timely(record: &Record, timestamp_type: TimestampType, config: &TopicConfig, wall_time: Timestamp) -> bool {
    match config.message_timestamp_type {
        TimestampType::CreateTime if record.timestamp != Timestamp(-1) => is_in_range(record, config, wall_time),
        TimestampType::CreateTime | TimestampType::LogAppendTime => timestamp_type == TimestampType::CreateTime,
    }
}

fn is_in_range(record: &Record, config: &TopicConfig, wall_time: Timestamp) -> bool {
    let age_ms = wall_time.0.wrapping_sub(record.timestamp.0);
    age_ms <= config.message_timestamp_before_max_ms && age_ms.wrapping_neg() <= config.message_timestamp_after_max_ms
}
