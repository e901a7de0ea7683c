//! Whether a producer may append a batch, and what that changes (`ProducerAppendInfo`).

use super::{BatchMetadata, ProducerState, Producers};
use wire::{
    BatchBody, EndTransactionMarker, ErrorCode, Offset, ProducerEpoch, ProducerId, RecordBatch, TopicPartition,
    TransactionResult,
};

/// Who appends, which says how much is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOrigin {
    /// A producer: everything.
    Client,
    /// A coordinator of groups or transactions, which has no sequence numbers.
    Coordinator,
    /// The leader, or the log itself when it is read back: nothing, for that has been done.
    Replication,
}

/// Why a producer may not append a batch: the error, and the exception's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerError {
    /// The error.
    pub error: ErrorCode,
    /// What the broker's log says about it.
    pub message: String,
}

/// A transaction that ended (`CompletedTxn`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompletedTransaction {
    /// Whose it was.
    pub producer_id: ProducerId,
    /// Where it began in this partition.
    pub first_offset: Offset,
    /// The offset of its marker.
    pub last_offset: Offset,
    /// Whether it was aborted.
    pub is_aborted: bool,
}

/// What appending a batch changes about its producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerUpdate {
    /// The producer.
    pub producer_id: ProducerId,
    /// Its state then.
    pub state: ProducerState,
    /// Where a transaction begins with the batch.
    pub began_at: Option<Offset>,
    /// The transaction that ends with the batch.
    pub completed: Option<CompletedTransaction>,
    /// Whether the batch belongs to a transaction.
    pub is_transactional: bool,
}

/// Where a batch would go: for the messages.
struct Append<'a> {
    batch: &'a RecordBatch,
    place: &'a TopicPartition,
    origin: AppendOrigin,
}

impl Producers {
    /// What appending `batch`, which has its offset, changes. `place` names the partition. `None` if nothing: no producer,
    /// or a marker that compaction emptied.
    ///
    /// # Errors
    /// The producer is fenced, its coordinator is, the batch does not follow its last one, or it does not belong to the
    /// open transaction.
    pub(in crate::log) fn check(
        &self,
        batch: &RecordBatch,
        place: &TopicPartition,
        origin: AppendOrigin,
    ) -> Result<Option<ProducerUpdate>, ProducerError> {
        let append = Append { batch, place, origin };
        match &batch.body {
            BatchBody::Records(_) if batch.has_producer_id() => self.check_data(&append).map(Some),
            BatchBody::EndTransaction(marker) => self.check_marker(&append, *marker).map(Some),
            BatchBody::Records(_)
            | BatchBody::EmptyControl
            | BatchBody::Metadata(_)
            | BatchBody::LeaderChange(_)
            | BatchBody::SnapshotHeader { .. }
            | BatchBody::SnapshotFooter => Ok(None),
        }
    }

    fn known(&self, producer_id: ProducerId) -> ProducerState {
        self.active().get(&producer_id).cloned().unwrap_or_else(ProducerState::unknown)
    }

    fn check_data(&self, append: &Append<'_>) -> Result<ProducerUpdate, ProducerError> {
        let batch = append.batch;
        let mut state = self.known(batch.producer_id);
        append.check_epoch(state.producer_epoch)?;
        if append.origin == AppendOrigin::Client {
            self.check_lowest_sequence(append)?;
            append.check_sequence(&state)?;
        }
        state.set_epoch(batch.producer_epoch);
        state.add_batch(BatchMetadata::of(batch));
        let began_at = match state.current_transaction_first_offset {
            Some(_) if !batch.is_transactional && append.origin != AppendOrigin::Replication => {
                return Err(append.not_transactional());
            }
            Some(_) => None,
            None => batch.is_transactional.then_some(batch.base_offset),
        };
        state.current_transaction_first_offset = state.current_transaction_first_offset.or(began_at);
        let is_transactional = batch.is_transactional;
        Ok(ProducerUpdate { producer_id: batch.producer_id, state, began_at, completed: None, is_transactional })
    }

    fn check_lowest_sequence(&self, append: &Append<'_>) -> Result<(), ProducerError> {
        let lowest = self.verifications.get(&append.batch.producer_id).map(|known| known.lowest_sequence);
        match lowest {
            Some(lowest) if append.batch.base_sequence > lowest => {
                Err(append.out_of_order(&format!("{lowest} (earliest seen sequence)")))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_marker(&self, append: &Append<'_>, marker: EndTransactionMarker) -> Result<ProducerUpdate, ProducerError> {
        let batch = append.batch;
        let mut state = self.known(batch.producer_id);
        append.check_epoch(state.producer_epoch)?;
        append.check_coordinator_epoch(state.coordinator_epoch, marker.coordinator_epoch)?;
        let completed = state.current_transaction_first_offset.take().map(|first_offset| CompletedTransaction {
            producer_id: batch.producer_id,
            first_offset,
            last_offset: batch.base_offset,
            is_aborted: marker.result == TransactionResult::Abort,
        });
        state.set_epoch(batch.producer_epoch);
        (state.coordinator_epoch, state.last_timestamp) = (marker.coordinator_epoch, batch.max_timestamp);
        Ok(ProducerUpdate { producer_id: batch.producer_id, state, began_at: None, completed, is_transactional: true })
    }
}

impl Append<'_> {
    fn check_epoch(&self, known: ProducerEpoch) -> Result<(), ProducerError> {
        let RecordBatch { producer_id, producer_epoch, base_offset, .. } = self.batch;
        if *producer_epoch >= known || self.origin == AppendOrigin::Replication {
            return Ok(());
        }
        let message = format!(
            "Epoch of producer {producer_id} at offset {base_offset} in {} is {producer_epoch}, which is smaller than the \
             last seen epoch {known}",
            self.place
        );
        Err(ProducerError { error: ErrorCode::InvalidProducerEpoch, message })
    }

    fn check_coordinator_epoch(&self, known: i32, epoch: i32) -> Result<(), ProducerError> {
        if epoch >= known || self.origin == AppendOrigin::Replication {
            return Ok(());
        }
        let RecordBatch { producer_id, base_offset, .. } = self.batch;
        let message = format!(
            "Invalid coordinator epoch for producerId {producer_id} at offset {base_offset} in partition {}: {epoch} \
             (zombie), {known} (current)",
            self.place
        );
        Err(ProducerError { error: ErrorCode::TransactionCoordinatorFenced, message })
    }

    /// A new epoch begins with 0, a known one goes on; of a producer that is not known any sequence number is taken.
    fn check_sequence(&self, state: &ProducerState) -> Result<(), ProducerError> {
        let (epoch, first, known) = (self.batch.producer_epoch, self.batch.base_sequence, state.producer_epoch);
        let last = state.last_sequence();
        if known == ProducerEpoch::NONE {
            return Ok(());
        }
        if epoch != known {
            return if first == 0 { Ok(()) } else { Err(self.invalid_first_sequence(known)) };
        }
        let is_next = i64::from(first) == i64::from(last) + 1 || first == 0 && last == i32::MAX;
        if is_next { Ok(()) } else { Err(self.out_of_order(&format!("{last} (current end sequence number)"))) }
    }

    fn invalid_first_sequence(&self, known: ProducerEpoch) -> ProducerError {
        let RecordBatch { producer_id, producer_epoch, base_offset, base_sequence, .. } = self.batch;
        let message = format!(
            "Invalid sequence number for new epoch of producer {producer_id}at offset {base_offset} in partition {}: \
             {producer_epoch} (request epoch), {base_sequence} (seq. number), {known} (current producer epoch)",
            self.place
        );
        ProducerError { error: ErrorCode::OutOfOrderSequenceNumber, message }
    }

    fn out_of_order(&self, expected: &str) -> ProducerError {
        let RecordBatch { producer_id, base_offset, base_sequence, .. } = self.batch;
        let message = format!(
            "Out of order sequence number for producer {producer_id} at offset {base_offset} in partition {}: \
             {base_sequence} (incoming seq. number), {expected}",
            self.place
        );
        ProducerError { error: ErrorCode::OutOfOrderSequenceNumber, message }
    }

    fn not_transactional(&self) -> ProducerError {
        let RecordBatch { producer_id, base_offset, .. } = self.batch;
        let message = format!(
            "Expected transactional write from producer {producer_id} at offset {base_offset} in partition {}",
            self.place
        );
        ProducerError { error: ErrorCode::InvalidTxnState, message }
    }
}
