//! Appends producers' records (`KafkaApis.handleProduceRequest`, `ReplicaManager.appendRecords`,
//! `kafka.server.DelayedProduce`). Whether a batch is good, and who must have it, is decided in `replica`.

use super::purgatory::{Completion, Delayed};
use super::topics::is_internal;
use super::{Broker, Step};
use crate::event::{BrokerEvent, EventKind};
use crate::log::AppendError;
use crate::node::RequestId;
use crate::replica::{Appended, ParkedProduce};
use wire::request::{Acks, ProducePartition, ProduceRequest};
use wire::response::{CurrentLeader, ProducePartitionResult, ProduceResponse};
use wire::{ErrorCode, Offset, Response, Timestamp, TopicPartition};

/// A produce request with `acks=all` that waits for the in-sync replicas.
#[derive(Clone, Debug)]
pub(super) struct DelayedProduce {
    /// The request.
    pub(super) id: RequestId,
    /// What it is answered with, as far as that is known.
    pub(super) results: Vec<ProducePartitionResult>,
    pending: Vec<Pending>,
}

/// A result that is not final.
#[derive(Clone, Copy, Debug)]
struct Pending {
    /// Its place among the results.
    place: usize,
    /// Where the high watermark has to be.
    required_offset: Offset,
}

impl DelayedProduce {
    /// Whether a change in that partition may complete the request.
    pub(super) fn watches(&self, partition: &TopicPartition) -> bool {
        self.pending.iter().any(|pending| self.results[pending.place].partition == *partition)
    }
}

impl Broker {
    /// Appends the batches and answers, at once or when the in-sync replicas have them.
    pub(super) fn on_produce(&mut self, id: RequestId, request: &ProduceRequest, step: &mut Step<'_>) {
        let mut produce =
            DelayedProduce { id, results: Vec::with_capacity(request.partitions.len()), pending: Vec::new() };
        for (place, batch) in request.partitions.iter().enumerate() {
            match self.append(batch, request.acks, step) {
                Ok(Appended { info, .. }) => {
                    produce.results.push(appended(&batch.partition, info));
                    produce.pending.push(Pending { place, required_offset: info.last_offset.next() });
                }
                Err(error) => produce.results.push(rejected(&batch.partition, error)),
            }
        }
        match request.acks {
            Acks::None => self.finish_unacknowledged(id, &produce.results, step),
            Acks::Leader => self.respond_to_produce(id, produce.results, step),
            Acks::All => self.await_replication(produce, request.timeout_ms, step),
        }
    }

    fn append(&mut self, batch: &ProducePartition, acks: Acks, step: &mut Step<'_>) -> Result<Appended, AppendError> {
        let partition = &batch.partition;
        let (context, replicas) = self.context(step.now);
        let Some(replica) = replicas.get_mut(partition).filter(|_| !is_internal(&partition.topic)) else {
            let error = self.error_of_append(partition);
            note_rejection(partition, error, step);
            return Err(AppendError { error, message: None });
        };
        let appended = replica.append(&batch.batch, acks, &context, step.effects)?;
        self.on_changes(partition, appended.changes, step);
        Ok(appended)
    }

    /// Only coordinators write to internal topics.
    fn error_of_append(&self, partition: &TopicPartition) -> ErrorCode {
        let is_known = self.image.partition(partition).is_some();
        if is_known && is_internal(&partition.topic) {
            ErrorCode::InvalidTopic
        } else {
            self.error_without_replica(partition)
        }
    }

    /// `acks=0`: no answer. An error closes the connection, which is how the producer learns of it.
    fn finish_unacknowledged(&mut self, id: RequestId, results: &[ProducePartitionResult], step: &mut Step<'_>) {
        if results.iter().all(|result| result.error == ErrorCode::None) {
            return self.server.complete_silently(id);
        }
        self.close_client(id.connection, step);
    }

    fn await_replication(&mut self, mut produce: DelayedProduce, timeout_ms: i32, step: &mut Step<'_>) {
        match self.check_produce(&mut produce, step) {
            Completion::Complete => self.respond_to_produce(produce.id, produce.results, step),
            Completion::Waiting => self.purgatory.park(Delayed::Produce(produce), timeout_ms, step),
        }
    }

    /// Settles the results that have become final.
    pub(super) fn check_produce(&self, produce: &mut DelayedProduce, step: &mut Step<'_>) -> Completion {
        let DelayedProduce { results, pending, .. } = produce;
        pending.retain(|pending| {
            let result = &mut results[pending.place];
            match self.replication_of(&result.partition, pending.required_offset) {
                ParkedProduce::Waiting => true,
                ParkedProduce::Replicated => false,
                ParkedProduce::Failed(error) => {
                    result.error = error;
                    note_rejection(&result.partition, error, step);
                    false
                }
            }
        });
        if pending.is_empty() { Completion::Complete } else { Completion::Waiting }
    }

    fn replication_of(&self, partition: &TopicPartition, required_offset: Offset) -> ParkedProduce {
        match self.replicas.get(partition) {
            Some(replica) => replica.parked_produce(required_offset),
            None => ParkedProduce::Failed(self.error_without_replica(partition)),
        }
    }

    /// The in-sync replicas took too long. The records stay in the log.
    pub(super) fn expire_produce(&mut self, mut produce: DelayedProduce, step: &mut Step<'_>) {
        for pending in &produce.pending {
            let result = &mut produce.results[pending.place];
            result.error = ErrorCode::RequestTimedOut;
            note_rejection(&result.partition, result.error, step);
        }
        self.respond_to_produce(produce.id, produce.results, step);
    }

    /// Answers, with the newer leader where this broker is not the leader any more.
    pub(super) fn respond_to_produce(
        &mut self,
        id: RequestId,
        mut partitions: Vec<ProducePartitionResult>,
        step: &mut Step<'_>,
    ) {
        for result in &mut partitions {
            if result.error == ErrorCode::NotLeaderOrFollower {
                result.current_leader = self.current_leader(&result.partition);
            }
        }
        self.server.respond(id, Response::Produce(ProduceResponse { partitions }), step.effects);
    }

    /// The leader as this broker knows it, for clients that asked the wrong one (KIP-951).
    pub(super) fn current_leader(&self, partition: &TopicPartition) -> Option<CurrentLeader> {
        let (leader, leader_epoch) = match self.replicas.get(partition) {
            Some(replica) => (replica.leader(), replica.leader_epoch()),
            None => {
                let state = self.image.partition(partition)?;
                (state.leader, state.leader_epoch)
            }
        };
        let registration = self.image.brokers().get(&leader?).filter(|registration| !registration.fenced)?;
        Some(CurrentLeader { leader: leader?, leader_epoch, endpoint: registration.endpoint.clone() })
    }
}

fn note_rejection(partition: &TopicPartition, error: ErrorCode, step: &mut Step<'_>) {
    step.effects.note(EventKind::Broker(BrokerEvent::ProduceRejected { partition: partition.clone(), error }));
}

fn appended(partition: &TopicPartition, info: crate::log::AppendInfo) -> ProducePartitionResult {
    ProducePartitionResult {
        partition: partition.clone(),
        error: ErrorCode::None,
        error_message: None,
        base_offset: info.first_offset,
        log_append_time: info.log_append_time,
        log_start_offset: info.log_start_offset,
        current_leader: None,
    }
}

fn rejected(partition: &TopicPartition, error: AppendError) -> ProducePartitionResult {
    ProducePartitionResult {
        partition: partition.clone(),
        error: error.error,
        error_message: error.message,
        base_offset: Offset(-1),
        log_append_time: Timestamp(-1),
        log_start_offset: Offset(-1),
        current_leader: None,
    }
}
