//! Records waiting to be sent, in batches by partition (`RecordAccumulator` with its `BufferPool`).
//!
//! Without idempotence a batch that is sent again goes to the front of its queue, so later batches that were in flight
//! with it may have overtaken it, as in Kafka.

use super::batch::ProducerBatch;
use crate::Rng;
use crate::client::alarm::earlier;
use crate::client::backoff::ExponentialBackoff;
use crate::client::metadata::Metadata;
use crate::client::partitioner::StickyPartitioner;
use crate::instant::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wire::{BrokerId, PartitionIndex, Record, TopicName, TopicPartition};

/// What the accumulator needs of the producer's configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccumulatorSettings {
    pub(super) batch_size: i32,
    pub(super) linger: Duration,
    pub(super) retry_backoff: ExponentialBackoff,
    pub(super) buffer_memory: i64,
    pub(super) delivery_timeout: Duration,
}

/// One topic's queues.
#[derive(Clone, Debug)]
struct TopicQueues {
    partitioner: StickyPartitioner,
    queues: BTreeMap<PartitionIndex, VecDeque<ProducerBatch>>,
}

/// What can be sent, and what stands in the way of the rest.
#[derive(Clone, Debug, Default)]
pub(super) struct Readiness {
    /// Leaders of partitions with a batch to send.
    pub(super) nodes: BTreeSet<i32>,
    /// Some batch's partition has no leader.
    pub(super) has_unknown_leaders: bool,
    /// When the next batch will have waited long enough.
    pub(super) next_check_at: Option<Instant>,
}

/// Why a record was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BufferExhausted {
    /// Bytes that were wanted.
    pub(super) bytes: i64,
}

/// Whether batches leave before they are full or have waited `linger.ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// They wait.
    Lingering,
    /// They leave at once: the producer is closing, flushing or short of memory.
    Immediate,
}

/// The queues of all partitions.
#[derive(Clone, Debug)]
pub(super) struct RecordAccumulator {
    settings: AccumulatorSettings,
    topics: BTreeMap<TopicName, TopicQueues>,
    muted: BTreeSet<TopicPartition>,
    drain_index: BTreeMap<i32, u32>,
    memory_in_use: i64,
    rng: Rng,
}

impl RecordAccumulator {
    /// Nothing waits yet.
    pub(super) fn new(settings: AccumulatorSettings, rng: Rng) -> RecordAccumulator {
        RecordAccumulator {
            settings,
            topics: BTreeMap::new(),
            muted: BTreeSet::new(),
            drain_index: BTreeMap::new(),
            memory_in_use: 0,
            rng,
        }
    }

    /// Bytes of `buffer.memory` that are free.
    pub(super) fn available_memory(&self) -> i64 {
        self.settings.buffer_memory - self.memory_in_use
    }

    /// Appends a record to its partition's last batch, or to a new one. Without partition the sticky partitioner
    /// chooses.
    pub(super) fn append(
        &mut self,
        topic: &TopicName,
        partition: Option<PartitionIndex>,
        record: &Record,
        metadata: &Metadata,
        now: Instant,
    ) -> Result<(), BufferExhausted> {
        let chosen = partition.unwrap_or_else(|| self.sticky_partition(topic, metadata));
        let name = TopicPartition::new(topic.clone(), chosen);
        let bytes = match self.queue(&name).back_mut().and_then(|last| last.try_append(record)) {
            Some(bytes) => bytes,
            None => self.append_new_batch(&name, record, now)?,
        };
        if partition.is_none() {
            self.on_sticky_append(&name, bytes, metadata);
        }
        Ok(())
    }

    fn append_new_batch(
        &mut self,
        name: &TopicPartition,
        record: &Record,
        now: Instant,
    ) -> Result<i32, BufferExhausted> {
        let capacity = self.settings.batch_size.max(record.batch_size_upper_bound());
        let memory = i64::from(capacity);
        if memory > self.available_memory() {
            return Err(BufferExhausted { bytes: memory });
        }
        self.memory_in_use += memory;
        let mut batch = ProducerBatch::new(name.clone(), capacity, memory, now);
        batch.try_append(record).expect("an empty batch takes any record");
        let bytes = batch.size_in_bytes();
        let queue = self.queue(name);
        if let Some(last) = queue.back_mut() {
            last.close();
        }
        queue.push_back(batch);
        Ok(bytes)
    }

    fn topic(&mut self, topic: &TopicName) -> &mut TopicQueues {
        let batch_size = self.settings.batch_size;
        self.topics
            .entry(topic.clone())
            .or_insert_with(|| TopicQueues { partitioner: StickyPartitioner::new(batch_size), queues: BTreeMap::new() })
    }

    fn queue(&mut self, name: &TopicPartition) -> &mut VecDeque<ProducerBatch> {
        self.topic(&name.topic).queues.entry(name.partition).or_default()
    }

    /// The sticky partition; a switch that was put off while its last batch was not full is made up for first.
    fn sticky_partition(&mut self, topic: &TopicName, metadata: &Metadata) -> PartitionIndex {
        let (available, count) = choices(topic, metadata);
        let mut rng = self.rng.clone();
        let queues = self.topic(topic);
        let current = queues.partitioner.partition(&available, count, &mut rng);
        let is_full = queues.queues.get(&current).and_then(VecDeque::back).is_none_or(ProducerBatch::is_full);
        let chosen = if is_full {
            queues.partitioner.on_appended(0, true, &available, count, &mut rng);
            queues.partitioner.partition(&available, count, &mut rng)
        } else {
            current
        };
        self.rng = rng;
        chosen
    }

    fn on_sticky_append(&mut self, name: &TopicPartition, bytes: i32, metadata: &Metadata) {
        let (available, count) = choices(&name.topic, metadata);
        let mut rng = self.rng.clone();
        let queues = self.topic(&name.topic);
        let may_switch = queues.queues.get(&name.partition).and_then(VecDeque::back).is_none_or(ProducerBatch::is_full);
        queues.partitioner.on_appended(bytes, may_switch, &available, count, &mut rng);
        self.rng = rng;
    }

    /// Which nodes have something to be sent now.
    pub(super) fn ready(&mut self, metadata: &Metadata, urgency: Urgency, now: Instant) -> Readiness {
        let mut readiness = Readiness::default();
        let settings = self.settings;
        for (topic, queues) in &mut self.topics {
            for queue in queues.queues.values_mut() {
                let is_queued_up = queue.len() > 1;
                let Some(batch) = queue.front_mut() else { continue };
                let is_muted = self.muted.contains(&batch.partition);
                let leader = metadata.leader(&batch.partition);
                batch.update_leader_epoch(leader.leader_epoch);
                match leader.leader {
                    None => readiness.has_unknown_leaders = true,
                    Some(_) if is_muted => {}
                    Some(node) => {
                        check_batch(batch, is_queued_up, urgency, settings.linger, node, now, &mut readiness);
                    }
                }
            }
            queues.update_load(topic, metadata);
        }
        readiness
    }

    /// Takes one batch of each partition that the node leads, in turn, up to `max_request_size` bytes.
    pub(super) fn drain(
        &mut self,
        metadata: &Metadata,
        node: i32,
        max_request_size: i32,
        now: Instant,
    ) -> Vec<ProducerBatch> {
        let led = metadata.partitions_led_by(node);
        let mut drained: Vec<ProducerBatch> = Vec::new();
        let mut size = 0i32;
        let start = self.drain_index.get(&node).copied().unwrap_or(0);
        for step in 0..led.len() as u32 {
            let index = (start + step) % led.len() as u32;
            self.drain_index.insert(node, index);
            let name = &led[index as usize];
            let Some(next_size) = self.next_drainable(name, metadata, now) else { continue };
            if size.saturating_add(next_size) > max_request_size && !drained.is_empty() {
                break;
            }
            size = size.saturating_add(next_size);
            let mut batch = self.queue(name).pop_front().expect("the queue has a batch that may leave");
            batch.close();
            drained.push(batch);
        }
        drained
    }

    fn next_drainable(&mut self, name: &TopicPartition, metadata: &Metadata, now: Instant) -> Option<i32> {
        if self.muted.contains(name) {
            return None;
        }
        let epoch = metadata.leader(name).leader_epoch;
        let batch = self.topics.get_mut(&name.topic)?.queues.get_mut(&name.partition)?.front_mut()?;
        batch.update_leader_epoch(epoch);
        batch.back_off_until().is_none_or(|until| now >= until).then(|| batch.size_in_bytes())
    }

    /// Takes out the batches that are older than `delivery.timeout.ms`.
    pub(super) fn take_expired(&mut self, now: Instant) -> Vec<ProducerBatch> {
        let timeout = self.settings.delivery_timeout;
        let mut expired = Vec::new();
        for queue in self.topics.values_mut().flat_map(|topic| topic.queues.values_mut()) {
            while queue.front().is_some_and(|batch| now >= batch.created_at + timeout) {
                expired.extend(queue.pop_front());
            }
        }
        expired
    }

    /// When the next batch in the queues will be too old.
    pub(super) fn next_expiry_at(&self) -> Option<Instant> {
        let first = self.topics.values().flat_map(|topic| topic.queues.values()).filter_map(VecDeque::front);
        first.map(|batch| batch.created_at + self.settings.delivery_timeout).min()
    }

    /// When the oldest batch in the queues was made.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let batches = self.topics.values().flat_map(|topic| topic.queues.values()).flatten();
        batches.map(|batch| batch.created_at).min()
    }

    /// Puts a batch back to the front of its queue, to be sent again after a back-off.
    pub(super) fn reenqueue(&mut self, mut batch: ProducerBatch, now: Instant) {
        let backoff = self.settings.retry_backoff.after(batch.attempts, &mut self.rng);
        batch.on_reenqueued(now, backoff);
        self.queue(&batch.partition.clone()).push_front(batch);
    }

    /// Puts a batch that was too large back in parts.
    pub(super) fn split_and_reenqueue(&mut self, batch: &ProducerBatch) {
        let parts = batch.split(self.settings.batch_size);
        self.release(batch);
        let queue = self.queue(&batch.partition);
        parts.into_iter().rev().for_each(|part| queue.push_front(part));
    }

    /// Gives a batch's memory back, at its end.
    pub(super) fn release(&mut self, batch: &ProducerBatch) {
        self.memory_in_use -= batch.memory;
    }

    /// Keeps a partition's next batches back until the one in flight is answered.
    pub(super) fn mute(&mut self, partition: TopicPartition) {
        self.muted.insert(partition);
    }

    /// Lets a partition's batches go again.
    pub(super) fn unmute(&mut self, partition: &TopicPartition) {
        self.muted.remove(partition);
    }

    /// Records that wait in queues.
    pub(super) fn record_count(&self) -> u64 {
        let batches = self.topics.values().flat_map(|topic| topic.queues.values()).flatten();
        batches.map(|batch| batch.records().len() as u64).sum()
    }
}

impl TopicQueues {
    /// Tells the partitioner how long the queues are, once every partition has one.
    fn update_load(&mut self, topic: &TopicName, metadata: &Metadata) {
        let queue_count = self.queues.len() as u32;
        let partition_count = metadata.partition_count(topic).unwrap_or(0).unsigned_abs();
        if queue_count < partition_count {
            self.partitioner.update_load(None, queue_count);
            return;
        }
        let length = |partition| self.queues.get(&partition).map(|queue| (partition, queue.len() as u32));
        let lengths = metadata.available_partitions(topic).filter_map(length);
        if lengths.clone().filter(|(_, length)| *length == 0).count() as u32 == queue_count {
            self.partitioner.update_load(None, queue_count);
            return;
        }
        let lengths: Vec<(PartitionIndex, u32)> = lengths.collect();
        self.partitioner.update_load(Some(&lengths), queue_count);
    }
}

fn check_batch(
    batch: &ProducerBatch,
    is_queued_up: bool,
    urgency: Urgency,
    linger: Duration,
    BrokerId(node): BrokerId,
    now: Instant,
    readiness: &mut Readiness,
) {
    let backs_off_until = batch.back_off_until().filter(|until| now < *until);
    let lingers_until = batch.linger_until(linger);
    let is_sendable = is_queued_up || batch.is_full() || now >= lingers_until || urgency == Urgency::Immediate;
    match backs_off_until {
        None if is_sendable => {
            readiness.nodes.insert(node);
        }
        None => readiness.next_check_at = earlier(readiness.next_check_at, Some(lingers_until)),
        Some(until) => readiness.next_check_at = earlier(readiness.next_check_at, Some(until)),
    }
}

fn choices(topic: &TopicName, metadata: &Metadata) -> (Vec<PartitionIndex>, i32) {
    (metadata.available_partitions(topic).collect(), metadata.partition_count(topic).unwrap_or(1))
}
