//! Sends batches and deals with the answers (`org.apache.kafka.clients.producer.internals.Sender`), without
//! idempotence and transactions.

use super::accumulator::{AccumulatorSettings, RecordAccumulator, Urgency};
use super::batch::ProducerBatch;
use crate::Rng;
use crate::client::alarm::earlier;
use crate::client::backoff::ExponentialBackoff;
use crate::client::cluster_client::{ClusterClient, Completion};
use crate::client::network_client::{Outcome, log};
use crate::event::{ClientEvent, ClientLog, EventKind, SendFailure};
use crate::instant::{Duration, Instant};
use crate::node::Effects;
use crate::spec::ProducerConfig;
use crate::view::OpenSends;
use std::collections::BTreeMap;
use wire::request::{Acks, ProducePartition, ProduceRequest};
use wire::response::{ProducePartitionResult, ProduceResponse};
use wire::{ErrorCode, Offset, Request, Response, TopicPartition};

/// A produce request without answer yet, with the batches that were not given up meanwhile.
#[derive(Clone, Debug)]
struct InFlightProduce {
    partitions: Vec<TopicPartition>,
    batches: Vec<ProducerBatch>,
}

/// The error of one partition in an answer, or of a whole request.
#[derive(Clone, Debug)]
struct BatchError {
    error: ErrorCode,
    message: Option<String>,
    correlation_id: i32,
}

/// Numbers of a producer's whole life.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    pub(super) acknowledged: u64,
    pub(super) failed: u64,
    pub(super) last_offsets: BTreeMap<TopicPartition, Offset>,
}

/// The sending side of a producer.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    config: ProducerConfig,
    pub(super) accumulator: RecordAccumulator,
    in_flight: BTreeMap<i32, InFlightProduce>,
    pub(super) totals: Totals,
    next_check_at: Option<Instant>,
}

impl Sender {
    /// Nothing to send yet.
    pub(super) fn new(config: ProducerConfig, rng: Rng) -> Sender {
        let settings = AccumulatorSettings {
            batch_size: config.batch_size.max(1),
            linger: Duration::from_ms(config.linger_ms),
            retry_backoff: ExponentialBackoff {
                initial_ms: config.retry_backoff_ms,
                max_ms: config.retry_backoff_max_ms,
            },
            buffer_memory: config.buffer_memory,
            delivery_timeout: Duration::from_ms(config.delivery_timeout_ms),
        };
        Sender {
            config,
            accumulator: RecordAccumulator::new(settings, rng),
            in_flight: BTreeMap::new(),
            totals: Totals::default(),
            next_check_at: None,
        }
    }

    /// Records in queues or in flight.
    pub(super) fn pending(&self) -> u64 {
        let in_flight = self.in_flight.values().flat_map(|request| &request.batches);
        self.accumulator.record_count() + in_flight.map(|batch| batch.records().len() as u64).sum::<u64>()
    }

    /// What was sent and neither acknowledged nor given up yet, if there is anything.
    pub(super) fn open_sends(&self) -> Option<OpenSends> {
        let since = earlier(self.oldest_in_flight(), self.accumulator.oldest())?;
        self.next_expiry_at().map(|given_up_at| OpenSends { since, given_up_at })
    }

    fn oldest_in_flight(&self) -> Option<Instant> {
        let in_flight = self.in_flight.values().flat_map(|request| &request.batches);
        in_flight.map(|batch| batch.created_at).min()
    }

    /// When the next batch will be too old.
    fn next_expiry_at(&self) -> Option<Instant> {
        let delivery_timeout = Duration::from_ms(self.config.delivery_timeout_ms);
        let in_flight = self.oldest_in_flight().map(|oldest| oldest + delivery_timeout);
        earlier(in_flight, self.accumulator.next_expiry_at())
    }

    /// When there is something to do without an input.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        earlier(self.next_check_at, self.next_expiry_at())
    }

    /// Sends what is ready and gives up what is too old.
    pub(super) fn poll(&mut self, cluster: &mut ClusterClient, urgency: Urgency, now: Instant, effects: &mut Effects) {
        let ready = self.accumulator.ready(&cluster.metadata, urgency, now);
        if ready.has_unknown_leaders {
            cluster.metadata.request_update();
        }
        self.next_check_at = ready.next_check_at;
        let mut requests = Vec::new();
        for node in ready.nodes {
            if cluster.make_ready(node, now, effects) {
                let max_request_size = self.config.max_request_size;
                requests.push((node, self.accumulator.drain(&cluster.metadata, node, max_request_size, now)));
            } else {
                self.next_check_at = earlier(self.next_check_at, cluster.network.backs_off_until(node, now));
            }
        }
        for (node, batches) in requests {
            self.send_produce_request(cluster, node, batches, now, effects);
        }
        self.expire_batches(now, effects);
    }

    fn send_produce_request(
        &mut self,
        cluster: &mut ClusterClient,
        node: i32,
        mut batches: Vec<ProducerBatch>,
        now: Instant,
        effects: &mut Effects,
    ) {
        if batches.is_empty() {
            return;
        }
        let sealed =
            |batch: &mut ProducerBatch| ProducePartition { partition: batch.partition.clone(), batch: batch.seal() };
        let partitions = batches.iter_mut().map(sealed).collect();
        let request = ProduceRequest { acks: self.config.acks, timeout_ms: self.config.request_timeout_ms, partitions };
        if self.config.acks == Acks::None {
            cluster.network.send_without_answer(node, Request::Produce(request), effects);
            batches.iter_mut().for_each(|batch| self.complete(batch, Offset(-1), effects));
            return;
        }
        let correlation_id = cluster.network.send(node, Request::Produce(request), now, effects);
        let partitions: Vec<TopicPartition> = batches.iter().map(|batch| batch.partition.clone()).collect();
        if self.config.max_in_flight_requests_per_connection == 1 {
            partitions.iter().for_each(|partition| self.accumulator.mute(partition.clone()));
        }
        self.in_flight.insert(correlation_id, InFlightProduce { partitions, batches });
    }

    /// Batches that have just been sent expire too, so that one that is split and sent again and again comes to an end.
    fn expire_batches(&mut self, now: Instant, effects: &mut Effects) {
        let timeout = Duration::from_ms(self.config.delivery_timeout_ms);
        let mut expired = self.accumulator.take_expired(now);
        for request in self.in_flight.values_mut() {
            expired.extend(request.batches.extract_if(.., |batch| now >= batch.created_at + timeout));
        }
        for batch in expired {
            let failure = SendFailure::Expired {
                partition: batch.partition.clone(),
                records: batch.records().len() as i32,
                after_ms: now.since(batch.created_at).as_ms(),
            };
            self.fail(&batch, &failure, effects);
        }
    }

    /// A produce request came to its end.
    pub(super) fn on_completion(
        &mut self,
        cluster: &mut ClusterClient,
        completion: Completion,
        now: Instant,
        effects: &mut Effects,
    ) {
        let Completion { node, correlation_id, outcome } = completion;
        let Some(request) = self.in_flight.remove(&correlation_id) else { return };
        let InFlightProduce { partitions, batches } = request;
        match outcome {
            Outcome::Answered(Response::Produce(response)) => {
                self.on_response(cluster, correlation_id, batches, response, now, effects);
            }
            Outcome::TimedOut => {
                let message = Some(format!("Disconnected from node {node} due to timeout"));
                let error = BatchError { error: ErrorCode::RequestTimedOut, message, correlation_id };
                self.on_request_failure(cluster, batches, &error, now, effects);
            }
            Outcome::Disconnected | Outcome::Answered(_) => {
                let message = Some(format!("Disconnected from node {node}"));
                let error = BatchError { error: ErrorCode::NetworkException, message, correlation_id };
                self.on_request_failure(cluster, batches, &error, now, effects);
            }
        }
        partitions.iter().for_each(|partition| self.accumulator.unmute(partition));
    }

    fn on_request_failure(
        &mut self,
        cluster: &mut ClusterClient,
        batches: Vec<ProducerBatch>,
        error: &BatchError,
        now: Instant,
        effects: &mut Effects,
    ) {
        for batch in batches {
            self.on_batch_error(cluster, batch, error, now, effects);
        }
    }

    fn on_response(
        &mut self,
        cluster: &mut ClusterClient,
        correlation_id: i32,
        mut batches: Vec<ProducerBatch>,
        response: ProduceResponse,
        now: Instant,
        effects: &mut Effects,
    ) {
        let mut hints = Vec::new();
        for result in response.partitions {
            let Some(place) = batches.iter().position(|batch| batch.partition == result.partition) else { continue };
            let mut batch = batches.remove(place);
            let ProducePartitionResult { partition, error, error_message, base_offset, current_leader, .. } = result;
            if error.is_none() {
                self.complete(&mut batch, base_offset, effects);
                continue;
            }
            let error = BatchError { error, message: error_message, correlation_id };
            self.on_batch_error(cluster, batch, &error, now, effects);
            hints.extend(current_leader.map(|leader| (partition, leader)));
        }
        for (partition, leader) in hints {
            cluster.on_current_leader(&partition, &leader, effects);
        }
    }

    fn on_batch_error(
        &mut self,
        cluster: &mut ClusterClient,
        batch: ProducerBatch,
        error: &BatchError,
        now: Instant,
        effects: &mut Effects,
    ) {
        let partition = batch.partition.clone();
        let attempts_left = i64::from(self.config.retries) - i64::from(batch.attempts);
        if error.error == ErrorCode::MessageTooLarge && batch.records().len() > 1 {
            log(effects, split(partition.clone(), attempts_left, error));
            self.accumulator.split_and_reenqueue(&batch);
        } else if self.can_retry(&batch, error.error, now) {
            log(effects, retried(partition.clone(), attempts_left - 1, error));
            self.accumulator.reenqueue(batch, now);
        } else {
            let failure = SendFailure::Error { error: error.error, message: error.message.clone() };
            self.fail(&batch, &failure, effects);
        }
        if error.error.is_invalid_metadata() {
            log(effects, metadata_error(partition, error));
            cluster.metadata.request_update();
        }
    }

    fn can_retry(&self, batch: &ProducerBatch, error: ErrorCode, now: Instant) -> bool {
        let deadline = batch.created_at + Duration::from_ms(self.config.delivery_timeout_ms);
        now < deadline && i64::from(batch.attempts) < i64::from(self.config.retries) && error.is_retriable()
    }

    fn complete(&mut self, batch: &mut ProducerBatch, base_offset: Offset, effects: &mut Effects) {
        self.accumulator.release(batch);
        let records = batch.records().len() as u64;
        self.totals.acknowledged += records;
        let is_placed = base_offset.0 >= 0;
        let last_offset = if is_placed { base_offset + (records as i64 - 1) } else { base_offset };
        if is_placed {
            self.totals.last_offsets.insert(batch.partition.clone(), last_offset);
        }
        effects.note(EventKind::Client(ClientEvent::BatchAcknowledged {
            partition: batch.partition.clone(),
            first_offset: base_offset,
            last_offset,
            acks: self.config.acks,
            batch: batch.seal(),
        }));
    }

    fn fail(&mut self, batch: &ProducerBatch, failure: &SendFailure, effects: &mut Effects) {
        self.accumulator.release(batch);
        for record in batch.records() {
            self.totals.failed += 1;
            effects.note(EventKind::Client(ClientEvent::RecordFailed {
                topic: batch.partition.topic.clone(),
                key_bytes: record.key.as_ref().map(|key| key.len() as u64),
                value_bytes: record.value.as_ref().map(|value| value.len() as u64),
                failure: failure.clone(),
            }));
        }
    }
}

fn retried(partition: TopicPartition, attempts_left: i64, error: &BatchError) -> ClientLog {
    let BatchError { error, message, correlation_id } = error.clone();
    let attempts_left = attempts_left.clamp(0, i64::from(i32::MAX)) as i32;
    ClientLog::ProduceRetried { correlation_id, partition, attempts_left, error, message }
}

fn split(partition: TopicPartition, attempts_left: i64, error: &BatchError) -> ClientLog {
    let BatchError { error, message, correlation_id } = error.clone();
    let attempts_left = attempts_left.clamp(0, i64::from(i32::MAX)) as i32;
    ClientLog::ProduceSplit { correlation_id, partition, attempts_left, error, message }
}

fn metadata_error(partition: TopicPartition, error: &BatchError) -> ClientLog {
    if error.error == ErrorCode::UnknownTopicOrPartition {
        return ClientLog::ProduceUnknownPartition(partition);
    }
    ClientLog::ProduceMetadataError { partition, error: error.error, message: error.message.clone() }
}
