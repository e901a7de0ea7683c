//! Deletes records on request (`ReplicaManager.deleteRecords`, `kafka.server.DelayedDeleteRecords`). What may be deleted,
//! and how far the other replicas are, is decided in `replica`.

use super::purgatory::{Completion, Delayed};
use super::topics::is_internal;
use super::{Broker, Step};
use crate::instant::Instant;
use crate::node::RequestId;
use crate::replica::Deletion;
use wire::request::{DeleteRecordsPartition, DeleteRecordsRequest};
use wire::response::{DeleteRecordsResponse, DeleteRecordsResult};
use wire::{ErrorCode, Offset, Response, TopicPartition};

/// "Not known" (`INVALID_LOW_WATERMARK`).
const NO_LOW_WATERMARK: Offset = Offset(-1);

/// A request that waits for the other replicas.
#[derive(Clone, Debug)]
pub(super) struct DelayedDeleteRecords {
    /// The request.
    pub(super) id: RequestId,
    results: Vec<DeleteRecordsResult>,
    pending: Vec<Pending>,
}

/// A result that is not final.
#[derive(Clone, Copy, Debug)]
struct Pending {
    /// Its place among the results.
    place: usize,
    /// Where the low watermark has to be.
    required_offset: Offset,
}

impl DelayedDeleteRecords {
    /// Whether a change in that partition may complete the request.
    pub(super) fn watches(&self, partition: &TopicPartition) -> bool {
        self.pending.iter().any(|pending| self.results[pending.place].partition == *partition)
    }

    fn add(&mut self, partition: &TopicPartition, deletion: Result<Deletion, ErrorCode>) {
        let (error, low_watermark) = match deletion {
            Ok(Deletion { required_offset, low_watermark, .. }) => {
                if low_watermark < required_offset {
                    self.pending.push(Pending { place: self.results.len(), required_offset });
                }
                (ErrorCode::None, low_watermark)
            }
            Err(error) => (error, NO_LOW_WATERMARK),
        };
        self.results.push(DeleteRecordsResult { partition: partition.clone(), low_watermark, error });
    }
}

impl Broker {
    /// Moves the log start offsets of the partitions that it leads, and answers when the other replicas have followed.
    pub(super) fn on_delete_records(&mut self, id: RequestId, request: &DeleteRecordsRequest, step: &mut Step<'_>) {
        let results = Vec::with_capacity(request.partitions.len());
        let mut deletion = DelayedDeleteRecords { id, results, pending: Vec::new() };
        for asked in &request.partitions {
            let deleted = self.delete_records(asked, step);
            deletion.add(&asked.partition, deleted);
        }
        if deletion.pending.is_empty() {
            return self.respond_to_deletion(deletion, step);
        }
        self.purgatory.park(Delayed::DeleteRecords(deletion), request.timeout_ms, step);
    }

    fn delete_records(&mut self, asked: &DeleteRecordsPartition, step: &mut Step<'_>) -> Result<Deletion, ErrorCode> {
        let partition = &asked.partition;
        if is_internal(&partition.topic) {
            return Err(ErrorCode::InvalidTopic);
        }
        let (context, replicas) = self.context(step.now);
        let Some(replica) = replicas.get_mut(partition) else { return Err(self.error_without_replica(partition)) };
        let deletion = replica.delete_records(asked.offset, &context, step.effects)?;
        self.on_changes(partition, deletion.changes, step);
        Ok(deletion)
    }

    /// Settles the results that have become final.
    pub(super) fn check_deletion(&self, deletion: &mut DelayedDeleteRecords, now: Instant) -> Completion {
        let DelayedDeleteRecords { results, pending, .. } = deletion;
        let context = self.surroundings(now);
        pending.retain(|pending| {
            let result = &mut results[pending.place];
            let replica = self.replicas.get(&result.partition).ok_or(ErrorCode::UnknownTopicOrPartition);
            match replica.and_then(|replica| replica.low_watermark(&context)) {
                Ok(low_watermark) if low_watermark < pending.required_offset => return true,
                Ok(low_watermark) => result.low_watermark = low_watermark,
                Err(error) => (result.error, result.low_watermark) = (error, NO_LOW_WATERMARK),
            }
            false
        });
        if pending.is_empty() { Completion::Complete } else { Completion::Waiting }
    }

    /// The other replicas took too long. The leader's log stays as short as it is.
    pub(super) fn expire_deletion(&mut self, mut deletion: DelayedDeleteRecords, step: &mut Step<'_>) {
        for pending in &deletion.pending {
            deletion.results[pending.place].error = ErrorCode::RequestTimedOut;
        }
        self.respond_to_deletion(deletion, step);
    }

    /// Answers.
    pub(super) fn respond_to_deletion(&mut self, deletion: DelayedDeleteRecords, step: &mut Step<'_>) {
        let response = DeleteRecordsResponse { results: deletion.results };
        self.server.respond(deletion.id, Response::DeleteRecords(response), step.effects);
    }
}
