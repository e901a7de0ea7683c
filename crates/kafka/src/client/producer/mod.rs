//! A producer program: `kafka-console-producer`, or one that makes its own records, around `KafkaProducer`.
//!
//! Records are handed over one after another, as a program does that calls `send`: a record whose topic is not known
//! yet, or for which there is no memory, holds up those behind it for up to `max.block.ms`. Closing sends everything
//! that was handed over. Idempotence (KIP-98), transactions and compression are absent.

mod accumulator;
mod batch;
mod sender;
#[cfg(test)]
mod tests;
mod workload;

use super::alarm::{Alarm, earlier};
use super::backoff::ExponentialBackoff;
use super::cluster_client::{ClusterClient, NO_METADATA};
use super::metadata::{Interest, Metadata};
use super::network_client::NetworkClient;
use super::partitioner::partition_for_key;
use super::split_rng;
use crate::Rng;
use crate::event::{ClientEvent, EventKind, SendFailure};
use crate::instant::{Duration, Instant, WallClock};
use crate::node::{Effects, ExitStatus, Identity, Input, Instruction, ProducerRecord};
use crate::spec::{ClientSpec, ProducerConfig, ProducerSpec};
use crate::view::{OpenSends, ProducerView};
use accumulator::Urgency;
use sender::Sender;
use std::collections::VecDeque;
use std::sync::Arc;
use wire::{ErrorCode, PartitionIndex, Record};
use workload::WorkloadRunner;

/// How far the program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It takes records.
    Running,
    /// No more records come; those that wait are still handed over.
    Ending(ExitStatus),
    /// What was handed over is sent, then the program exits.
    Closing(ExitStatus),
    /// It has exited.
    Ended,
}

/// A call of `send` that cannot return yet.
#[derive(Clone, Copy, Debug)]
struct BlockedSend {
    since: Instant,
    seen_update: u64,
    known_partitions: Option<i32>,
}

/// What became of an attempt to hand a record over.
enum Handover {
    Done,
    Blocked,
    Failed(SendFailure),
}

/// A producer program.
#[derive(Clone, Debug)]
pub(super) struct Producer {
    client_id: String,
    config: ProducerConfig,
    is_synchronous: bool,
    clock: WallClock,
    cluster: ClusterClient,
    sender: Sender,
    workload: Option<WorkloadRunner>,
    /// As many as the user typed ahead.
    waiting: VecDeque<ProducerRecord>,
    blocked: Option<BlockedSend>,
    failed_to_send: u64,
    phase: Phase,
    alarm: Alarm,
}

impl Producer {
    /// A process that has not started yet.
    pub(super) fn new(spec: ClientSpec, producer: ProducerSpec, identity: &Identity, mut rng: Rng) -> Producer {
        let config = producer.config;
        let backoff = ExponentialBackoff { initial_ms: config.retry_backoff_ms, max_ms: config.retry_backoff_max_ms };
        let max_age = Duration::from_ms(config.metadata_max_age_ms);
        let interest = Interest::Produced(Default::default());
        let metadata = Metadata::bootstrap(&spec.bootstrap_servers, interest, true, backoff, max_age);
        let network = NetworkClient::new(
            identity,
            config.max_in_flight_requests_per_connection,
            Duration::from_ms(i64::from(config.request_timeout_ms)),
            split_rng(&mut rng),
        );
        Producer {
            client_id: spec.client_id,
            cluster: ClusterClient::new(network, metadata, split_rng(&mut rng)),
            sender: Sender::new(config.clone(), split_rng(&mut rng)),
            workload: producer.workload.map(|workload| WorkloadRunner::new(workload, split_rng(&mut rng))),
            config,
            is_synchronous: producer.is_synchronous,
            clock: identity.clock,
            waiting: VecDeque::new(),
            blocked: None,
            failed_to_send: 0,
            phase: Phase::Running,
            alarm: Alarm::default(),
        }
    }

    /// What an onlooker may see.
    pub(super) fn view(&self) -> ProducerView {
        let totals = &self.sender.totals;
        ProducerView {
            client_id: self.client_id.clone(),
            acks: self.config.acks,
            waiting: self.waiting.len() as u64,
            pending: self.sender.pending(),
            acknowledged: totals.acknowledged,
            failed: totals.failed + self.failed_to_send,
            last_offsets: totals.last_offsets.iter().map(|(name, offset)| (name.clone(), *offset)).collect(),
            open: self.open_sends(),
            known_brokers: self.cluster.metadata.node_ids(),
        }
    }

    /// What it has sent and heard nothing of, if there is anything.
    pub(super) fn open_sends(&self) -> Option<OpenSends> {
        self.sender.open_sends()
    }

    /// Handles one input completely.
    pub(super) fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        if self.phase == Phase::Ended {
            return;
        }
        match input {
            Input::Started { .. } => {}
            Input::TimerFired { .. } => self.alarm.on_fired(),
            Input::Told(instruction) => self.on_told(instruction),
            Input::ClockSet(clock) => self.clock = clock,
            Input::Connected { .. } | Input::Disconnected { .. } | Input::Received { .. } => {
                let completions = self.cluster.on_input(now, input, effects);
                self.on_completions(now, completions, effects);
            }
        }
        self.poll(now, effects);
    }

    fn on_told(&mut self, instruction: Instruction) {
        match instruction {
            Instruction::Produce(record) if self.phase == Phase::Running => self.waiting.push_back(record),
            Instruction::Produce(_) => {}
            Instruction::EndOfInput => self.end(ExitStatus(0)),
            Instruction::ShutDown => self.interrupt(ExitStatus(143)),
            Instruction::Interrupt => self.interrupt(ExitStatus(130)),
        }
    }

    fn end(&mut self, status: ExitStatus) {
        if self.phase == Phase::Running {
            self.phase = Phase::Ending(status);
            self.workload = None;
        }
    }

    /// A signal: what was not handed over yet is lost, what was is still sent.
    fn interrupt(&mut self, status: ExitStatus) {
        match self.phase {
            Phase::Running | Phase::Ending(_) => {
                self.waiting.clear();
                self.blocked = None;
                self.workload = None;
                self.phase = Phase::Closing(status);
            }
            Phase::Closing(_) | Phase::Ended => {}
        }
    }

    fn poll(&mut self, now: Instant, effects: &mut Effects) {
        if let Some(workload) = &mut self.workload
            && self.waiting.is_empty()
        {
            self.waiting.extend(workload.take_due(now));
        }
        self.hand_over(now, effects);
        let completions = self.cluster.poll(now, effects);
        self.on_completions(now, completions, effects);
        self.poll_sender(now, effects);
        // An answer or an expiry may have freed memory or ended a synchronous send.
        if self.hand_over(now, effects) {
            self.poll_sender(now, effects);
        }
        self.finish_if_done(effects);
        let next = if self.phase == Phase::Ended { None } else { self.next_deadline(now) };
        self.alarm.set(now, next, effects);
    }

    fn poll_sender(&mut self, now: Instant, effects: &mut Effects) {
        if let Phase::Ending(status) = self.phase
            && self.waiting.is_empty()
        {
            self.phase = Phase::Closing(status);
        }
        let urgency = self.urgency();
        self.sender.poll(&mut self.cluster, urgency, now, effects);
    }

    fn urgency(&self) -> Urgency {
        match self.phase {
            Phase::Closing(_) | Phase::Ended => Urgency::Immediate,
            Phase::Running | Phase::Ending(_) if self.is_out_of_memory() => Urgency::Immediate,
            Phase::Running | Phase::Ending(_) => Urgency::Lingering,
        }
    }

    /// Whether the blocked record waits for memory: its topic is known.
    fn is_out_of_memory(&self) -> bool {
        let Some(record) = self.waiting.front().filter(|_| self.blocked.is_some()) else { return false };
        self.cluster.metadata.partition_count(&record.topic).is_some()
    }

    fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let max_block = Duration::from_ms(self.config.max_block_ms);
        let blocked = self.blocked.map(|blocked| blocked.since + max_block);
        let workload = self.workload.as_ref().filter(|_| self.waiting.is_empty()).map(WorkloadRunner::due_at);
        let own = earlier(blocked, earlier(workload, self.sender.next_deadline()));
        earlier(own, self.cluster.next_deadline(now))
    }

    fn on_completions(
        &mut self,
        now: Instant,
        completions: Vec<super::cluster_client::Completion>,
        effects: &mut Effects,
    ) {
        for completion in completions {
            self.sender.on_completion(&mut self.cluster, completion, now, effects);
        }
    }

    fn finish_if_done(&mut self, effects: &mut Effects) {
        self.end_if_a_synchronous_send_failed();
        if let Phase::Closing(status) = self.phase
            && self.sender.pending() == 0
        {
            self.cluster.network.close_all(effects);
            effects.exit(status);
            self.phase = Phase::Ended;
        }
    }

    /// Hands waiting records over until one blocks. Returns whether any went.
    fn hand_over(&mut self, now: Instant, effects: &mut Effects) -> bool {
        let before = self.waiting.len();
        for _ in 0..before {
            self.end_if_a_synchronous_send_failed();
            if self.is_synchronous && self.sender.pending() > 0 {
                break;
            }
            let Some(record) = self.waiting.pop_front() else { break };
            match self.send(&record, now) {
                Handover::Done => self.blocked = None,
                Handover::Blocked => {
                    self.waiting.push_front(record);
                    break;
                }
                Handover::Failed(failure) => {
                    self.blocked = None;
                    self.fail(record, failure, effects);
                }
            }
        }
        self.waiting.len() < before
    }

    /// `producer.send(record).get()` throws out of the program: what was not handed over yet is lost.
    fn end_if_a_synchronous_send_failed(&mut self) {
        if self.is_synchronous && self.failed_to_send + self.sender.totals.failed > 0 {
            self.interrupt(ExitStatus(1));
        }
    }

    fn fail(&mut self, record: ProducerRecord, failure: SendFailure, effects: &mut Effects) {
        self.failed_to_send += 1;
        effects.note(EventKind::Client(ClientEvent::RecordFailed {
            topic: record.topic,
            key_bytes: record.key.map(|key| key.len() as u64),
            value_bytes: record.value.map(|value| value.len() as u64),
            failure,
        }));
    }

    /// `KafkaProducer.doSend`.
    fn send(&mut self, record: &ProducerRecord, now: Instant) -> Handover {
        let partition_count = match self.wait_on_metadata(record, now) {
            Ok(Some(partition_count)) => partition_count,
            Ok(None) => return Handover::Blocked,
            Err(failure) => return Handover::Failed(failure),
        };
        let serialized = Record {
            offset_delta: 0,
            timestamp: self.clock.at(now),
            key: record.key.clone(),
            value: record.value.clone(),
            headers: if record.headers.is_empty() { Arc::default() } else { record.headers.as_slice().into() },
        };
        if let Err(failure) = self.check_size(&serialized) {
            return Handover::Failed(failure);
        }
        let partition = self.partition(record, partition_count);
        match self.sender.accumulator.append(&record.topic, partition, &serialized, &self.cluster.metadata, now) {
            Ok(()) => Handover::Done,
            Err(exhausted) => self.wait_on_memory(exhausted.bytes, now),
        }
    }

    fn partition(&self, record: &ProducerRecord, partition_count: i32) -> Option<PartitionIndex> {
        let key = record.key.as_ref().filter(|_| !self.config.partitioner_ignore_keys);
        record.partition.or_else(|| key.map(|key| partition_for_key(key, partition_count)))
    }

    fn check_size(&self, record: &Record) -> Result<(), SendFailure> {
        let bytes = i64::from(record.batch_size_upper_bound());
        if bytes > i64::from(self.config.max_request_size) {
            return Err(SendFailure::TooLarge { bytes, max_request_size: self.config.max_request_size });
        }
        if bytes > self.config.buffer_memory {
            let message = format!(
                "The message is {bytes} bytes when serialized which is larger than the total memory buffer you have \
                 configured with the buffer.memory configuration."
            );
            return Err(SendFailure::Error { error: ErrorCode::MessageTooLarge, message: Some(message) });
        }
        Ok(())
    }

    fn wait_on_memory(&mut self, bytes: i64, now: Instant) -> Handover {
        let blocked = self.block(now);
        if now.since(blocked.since) < Duration::from_ms(self.config.max_block_ms) {
            return Handover::Blocked;
        }
        Handover::Failed(SendFailure::BufferExhausted {
            bytes,
            after_ms: self.config.max_block_ms,
            total_memory: self.config.buffer_memory,
            available_memory: self.sender.accumulator.available_memory(),
            poolable_size: self.config.batch_size,
        })
    }

    fn block(&mut self, now: Instant) -> BlockedSend {
        let seen_update = self.cluster.metadata.update_version();
        *self.blocked.get_or_insert(BlockedSend { since: now, seen_update, known_partitions: None })
    }

    /// How many partitions the record's topic has, once that and the record's own partition are known.
    fn wait_on_metadata(&mut self, record: &ProducerRecord, now: Instant) -> Result<Option<i32>, SendFailure> {
        let topic = &record.topic;
        if self.cluster.metadata.error(topic) == Some(ErrorCode::InvalidTopic) {
            return Err(SendFailure::InvalidTopic);
        }
        self.cluster.metadata.add_topic(topic, now);
        let count = self.cluster.metadata.partition_count(topic);
        let has_partition = |count: i32| record.partition.is_none_or(|partition| partition.0 < count);
        if let Some(count) = count.filter(|count| *count > 0 && has_partition(*count)) {
            return Ok(Some(count));
        }
        if self.cluster.take_fatal_error() {
            let message = Some(NO_METADATA.to_owned());
            return Err(SendFailure::Error { error: ErrorCode::UnsupportedVersion, message });
        }
        self.await_update(record, count, now)
    }

    fn await_update(
        &mut self,
        record: &ProducerRecord,
        count: Option<i32>,
        now: Instant,
    ) -> Result<Option<i32>, SendFailure> {
        let is_first = self.blocked.is_none();
        let blocked = self.block(now);
        let version = self.cluster.metadata.update_version();
        let has_update = version > blocked.seen_update;
        if now.since(blocked.since) >= Duration::from_ms(self.config.max_block_ms) {
            return Err(self.not_in_metadata(record, blocked, has_update));
        }
        if is_first || has_update {
            self.cluster.metadata.request_update_for_topic(&record.topic);
            self.blocked = Some(BlockedSend { seen_update: version, known_partitions: count, ..blocked });
        }
        Ok(None)
    }

    /// The partition count is told only when the wait ends with an answer, as in Kafka.
    fn not_in_metadata(&self, record: &ProducerRecord, blocked: BlockedSend, has_update: bool) -> SendFailure {
        let after_ms = self.config.max_block_ms;
        match (record.partition, blocked.known_partitions) {
            (Some(partition), Some(partition_count)) if has_update => {
                SendFailure::PartitionNotInMetadata { partition: partition.0, partition_count, after_ms }
            }
            (_, _) => {
                let cause = self.cluster.metadata.error(&record.topic);
                SendFailure::NotInMetadata { after_ms, cause }
            }
        }
    }
}
