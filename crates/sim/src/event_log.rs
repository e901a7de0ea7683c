//! The events of a history as they are kept: the newest as they came, the others packed in groups.
//!
//! An event takes 160 bytes, and a record that is produced, replicated twice and consumed leads to more than five. Nearly
//! all of them say where in which log something happened. Packed, those take about nine bytes: each number is written as
//! its distance from the one before it, and what they share with logs stays shared. Every other kind is kept as it is.

use crate::trace::{Event, EventId};
use kafka::chunks::Chunks;
use kafka::event::{BrokerEvent, ClientEvent, EventKind};
use kafka::instant::Instant;
use kafka::node::NodeId;
use std::sync::Arc;
use wire::request::Acks;
use wire::{Offset, Record, RecordBatch, SharedRecord, Timestamp, TimestampType, TopicPartition, varint};

/// Events in a group: to look at one, those before it in its group are unpacked.
const GROUP: usize = 128;

/// How far back the list of a group's partitions is searched before one is listed again.
const PARTITIONS_SEARCHED: usize = 16;

/// All events from number 0 on. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventLog {
    groups: Chunks<Arc<Group>>,
    newest: Vec<Event>,
}

/// [`GROUP`] events.
#[derive(Debug, Default)]
struct Group {
    numbers: Box<[u8]>,
    partitions: Box<[TopicPartition]>,
    records: Box<[Arc<[Record]>]>,
    /// Those of the kinds that are not packed.
    others: Box<[EventKind]>,
}

/// What a packed event is, as its first number.
const OTHER: i64 = 0;
const APPENDED: i64 = 1;
const REPLICATED: i64 = 2;
const HIGH_WATERMARK: i64 = 3;
const ACKNOWLEDGED: i64 = 4;
const CONSUMED: i64 = 5;

impl EventLog {
    /// How many events there are.
    pub(crate) fn len(&self) -> usize {
        self.packed() + self.newest.len()
    }

    fn packed(&self) -> usize {
        self.groups.len() * GROUP
    }

    /// Adds the next event.
    pub(crate) fn push(&mut self, event: Event) {
        self.newest.push(event);
        if self.newest.len() == GROUP {
            self.groups.push(Arc::new(pack(self.newest.drain(..))));
        }
    }

    /// Keeps the first `len` events.
    pub(crate) fn truncate(&mut self, len: usize) {
        if len < self.packed() {
            self.newest = self.iter_from(len / GROUP * GROUP).take(len % GROUP).collect();
            self.groups.truncate(len / GROUP);
        } else {
            self.newest.truncate(len - self.packed());
        }
    }

    /// The events from number `index` on, in order.
    pub(crate) fn iter_from(&self, index: usize) -> Events<'_> {
        let begin = if index < self.packed() { index / GROUP * GROUP } else { index };
        let mut events = Events { log: self, next: begin, group: Unpacker::default() };
        (begin..index).for_each(|_| drop(events.next()));
        events
    }
}

/// Events in order.
pub(crate) struct Events<'a> {
    log: &'a EventLog,
    next: usize,
    /// The rest of the group in which `next` lies.
    group: Unpacker<'a>,
}

impl Iterator for Events<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let index = self.next;
        self.next += 1;
        if let Some(place) = index.checked_sub(self.log.packed()) {
            return self.log.newest.get(place).cloned();
        }
        if index.is_multiple_of(GROUP) {
            self.group = Unpacker::new(self.log.groups.get(index / GROUP)?);
        }
        Some(self.group.event(EventId(index as u64)))
    }
}

/// What the next number of its kind is told from.
#[derive(Default)]
struct Former {
    at: i64,
    step: i64,
    timestamp: i64,
    /// Of each partition of the group.
    offsets: Vec<i64>,
}

#[derive(Default)]
struct Packer {
    numbers: Vec<u8>,
    partitions: Vec<TopicPartition>,
    records: Vec<Arc<[Record]>>,
    others: Vec<EventKind>,
    former: Former,
}

fn pack(events: impl Iterator<Item = Event>) -> Group {
    let mut packer = Packer::default();
    events.for_each(|event| packer.event(event));
    Group {
        numbers: packer.numbers.into(),
        partitions: packer.partitions.into(),
        records: packer.records.into(),
        others: packer.others.into(),
    }
}

impl Packer {
    fn number(&mut self, number: i64) {
        varint::write(number, &mut self.numbers);
    }

    fn event(&mut self, event: Event) {
        let (at, step) = (event.at.0 as i64, event.step as i64);
        self.number(at - self.former.at);
        self.number(step - self.former.step);
        (self.former.at, self.former.step) = (at, step);
        self.number(event.cause.map_or(0, |cause| (event.id.0 - cause.0) as i64));
        self.number(number_of_node(event.node));
        self.kind(event.kind);
    }

    fn kind(&mut self, kind: EventKind) {
        match &kind {
            EventKind::Broker(BrokerEvent::RecordsAppended { partition, first_offset, last_offset }) => {
                self.offsets(APPENDED, partition, *first_offset, *last_offset);
            }
            EventKind::Broker(BrokerEvent::RecordsReplicated { partition, first_offset, last_offset }) => {
                self.offsets(REPLICATED, partition, *first_offset, *last_offset);
            }
            EventKind::Broker(BrokerEvent::HighWatermarkAdvanced { partition, from, to }) => {
                self.offsets(HIGH_WATERMARK, partition, *from, *to);
            }
            EventKind::Client(ClientEvent::BatchAcknowledged { partition, first_offset, last_offset, acks, batch })
                if let Some(records) = as_sent(batch) =>
            {
                self.offsets(ACKNOWLEDGED, partition, *first_offset, *last_offset);
                self.number(acks.code().into());
                self.records(records);
            }
            EventKind::Client(ClientEvent::RecordConsumed { partition, offset, timestamp, timestamp_type, record }) => {
                self.offsets(CONSUMED, partition, *offset, *offset);
                self.number(timestamp.0.wrapping_sub(self.former.timestamp));
                self.former.timestamp = timestamp.0;
                self.number(*timestamp_type as i64);
                self.records(record.batch());
                self.number(record.place() as i64);
            }
            EventKind::Broker(_)
            | EventKind::Client(_)
            | EventKind::Controller(_)
            | EventKind::ZooKeeper(_)
            | EventKind::Operator(_) => {
                self.number(OTHER);
                self.others.push(kind);
            }
        }
    }

    fn offsets(&mut self, kind: i64, partition: &TopicPartition, first: Offset, last: Offset) {
        let place = self.place_of(partition);
        self.number(kind);
        self.number(place as i64);
        self.number(first.0.wrapping_sub(self.former.offsets[place]));
        self.number(last.0.wrapping_sub(first.0));
        self.former.offsets[place] = last.0;
    }

    fn place_of(&mut self, partition: &TopicPartition) -> usize {
        let listed = self.partitions.iter().enumerate().rev().take(PARTITIONS_SEARCHED);
        let known = listed.filter(|(_, other)| *other == partition).map(|(place, _)| place).next();
        known.unwrap_or_else(|| {
            self.partitions.push(partition.clone());
            self.former.offsets.push(0);
            self.partitions.len() - 1
        })
    }

    /// One if they are not those of the event before that had records.
    fn records(&mut self, records: &Arc<[Record]>) {
        let is_known = self.records.last().is_some_and(|last| Arc::ptr_eq(last, records));
        if !is_known {
            self.records.push(records.clone());
        }
        self.number((!is_known).into());
    }
}

/// Its records, if they say all about it.
fn as_sent(batch: &RecordBatch) -> Option<&Arc<[Record]>> {
    batch.shared_records().filter(|records| RecordBatch::of_records((*records).clone()) == *batch)
}

fn number_of_node(node: NodeId) -> i64 {
    match node {
        NodeId::Server(id) => i64::from(id) * 4,
        NodeId::ZooKeeper => 1,
        NodeId::Client(number) => i64::from(number) * 4 + 2,
    }
}

fn node_of_number(number: i64) -> NodeId {
    match number & 3 {
        0 => NodeId::Server((number >> 2) as i32),
        1 => NodeId::ZooKeeper,
        _ => NodeId::Client((number >> 2) as u32),
    }
}

/// A group on the way out.
#[derive(Default)]
struct Unpacker<'a> {
    numbers: &'a [u8],
    partitions: &'a [TopicPartition],
    records: &'a [Arc<[Record]>],
    last_records: Arc<[Record]>,
    others: &'a [EventKind],
    former: Former,
}

impl<'a> Unpacker<'a> {
    fn new(group: &'a Group) -> Unpacker<'a> {
        let Group { numbers, partitions, records, others } = group;
        let former = Former { offsets: vec![0; partitions.len()], ..Former::default() };
        Unpacker { numbers, partitions, records, last_records: Arc::default(), others, former }
    }

    fn number(&mut self) -> i64 {
        varint::read_i64(&mut self.numbers).expect("it was packed as a whole")
    }

    fn event(&mut self, id: EventId) -> Event {
        self.former.at += self.number();
        self.former.step += self.number();
        let (at, step) = (Instant(self.former.at as u64), self.former.step as u64);
        let cause = Some(self.number() as u64).filter(|back| *back > 0).map(|back| EventId(id.0 - back));
        Event { id, cause, at, step, node: node_of_number(self.number()), kind: self.kind() }
    }

    fn kind(&mut self) -> EventKind {
        let kind = self.number();
        if kind == OTHER {
            return next(&mut self.others);
        }
        let (partition, first_offset, last_offset) = self.offsets();
        match kind {
            APPENDED => EventKind::Broker(BrokerEvent::RecordsAppended { partition, first_offset, last_offset }),
            REPLICATED => EventKind::Broker(BrokerEvent::RecordsReplicated { partition, first_offset, last_offset }),
            HIGH_WATERMARK => {
                let (from, to) = (first_offset, last_offset);
                EventKind::Broker(BrokerEvent::HighWatermarkAdvanced { partition, from, to })
            }
            ACKNOWLEDGED => {
                let acks = self.acks();
                let batch = Arc::new(RecordBatch::of_records(self.records()));
                EventKind::Client(ClientEvent::BatchAcknowledged { partition, first_offset, last_offset, acks, batch })
            }
            _ => EventKind::Client(self.consumed(partition, first_offset)),
        }
    }

    fn consumed(&mut self, partition: TopicPartition, offset: Offset) -> ClientEvent {
        self.former.timestamp = self.former.timestamp.wrapping_add(self.number());
        let timestamp = Timestamp(self.former.timestamp);
        let timestamp_type = if self.number() == 0 { TimestampType::CreateTime } else { TimestampType::LogAppendTime };
        let record = SharedRecord::new(self.records(), self.number() as usize);
        ClientEvent::RecordConsumed { partition, offset, timestamp, timestamp_type, record }
    }

    fn offsets(&mut self) -> (TopicPartition, Offset, Offset) {
        let place = self.number() as usize;
        let first = self.former.offsets[place].wrapping_add(self.number());
        let last = first.wrapping_add(self.number());
        self.former.offsets[place] = last;
        (self.partitions[place].clone(), Offset(first), Offset(last))
    }

    fn acks(&mut self) -> Acks {
        match self.number() {
            0 => Acks::None,
            1 => Acks::Leader,
            _ => Acks::All,
        }
    }

    fn records(&mut self) -> Arc<[Record]> {
        let is_known = self.number() == 0;
        if !is_known {
            self.last_records = next(&mut self.records);
        }
        self.last_records.clone()
    }
}

/// The first of those that are left.
fn next<T: Clone>(left: &mut &[T]) -> T {
    let (first, rest) = left.split_first().expect("as many were packed");
    *left = rest;
    first.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka::event::OperatorEvent;
    use wire::{PartitionIndex, ProducerEpoch, ProducerId, ProducerStamp, TopicName};

    fn partition(number: u64) -> TopicPartition {
        TopicPartition::new(TopicName::new(["a", "b"][number as usize % 2]), PartitionIndex((number % 40) as i32))
    }

    fn batch(number: u64) -> RecordBatch {
        let record = |value: u64| Record::new(None, Some(&value.to_le_bytes()), Timestamp(1_000 - number as i64));
        RecordBatch::from_producer((0..=number % 3).map(record).collect())
    }

    /// Every packed kind, numbers that fall and rise, batches that are more than their records, and another kind.
    fn event(number: u64) -> Event {
        let partition = partition(number);
        let (first, last) = (Offset(number as i64 % 7 - 1), Offset(number as i64 * 1_000_000_007));
        let stamp = ProducerStamp { producer_id: ProducerId(7), producer_epoch: ProducerEpoch(0), base_sequence: 0 };
        let acks = [Acks::None, Acks::Leader, Acks::All][number as usize % 3];
        let acknowledged = |batch: RecordBatch| {
            let (partition, batch) = (partition.clone(), Arc::new(batch));
            EventKind::Client(ClientEvent::BatchAcknowledged {
                partition,
                first_offset: first,
                last_offset: last,
                acks,
                batch,
            })
        };
        let partition = partition.clone();
        let kind = match number % 7 {
            0 => EventKind::Broker(BrokerEvent::RecordsAppended { partition, first_offset: first, last_offset: last }),
            1 => {
                EventKind::Broker(BrokerEvent::RecordsReplicated { partition, first_offset: last, last_offset: first })
            }
            2 => EventKind::Broker(BrokerEvent::HighWatermarkAdvanced { partition, from: first, to: last }),
            3 => acknowledged(batch(number)),
            4 => acknowledged(batch(number).stamped(stamp, false)),
            5 => EventKind::Operator(OperatorEvent::ClientStarted { client_id: number.to_string() }),
            _ => EventKind::Client(ClientEvent::RecordConsumed {
                partition,
                offset: last,
                timestamp: Timestamp(number as i64 * 37 % 1_000),
                timestamp_type: if number.is_multiple_of(2) {
                    TimestampType::CreateTime
                } else {
                    TimestampType::LogAppendTime
                },
                record: SharedRecord::new(
                    batch(number).shared_records().cloned().unwrap_or_default(),
                    number as usize % 3,
                ),
            }),
        };
        let node = [NodeId::Server(number as i32), NodeId::ZooKeeper, NodeId::Client(number as u32)];
        Event {
            id: EventId(number),
            cause: (!number.is_multiple_of(5))
                .then(|| EventId(number - number.min(number % 5 * 60)))
                .filter(|id| id.0 < number),
            at: Instant(number * number),
            step: number * 3,
            node: node[number as usize % 3],
            kind,
        }
    }

    #[test]
    fn events_come_out_as_they_went_in() {
        let mut log = EventLog::default();
        let events: Vec<Event> = (0..1_000).map(event).collect();
        events.iter().for_each(|event| log.push(event.clone()));
        for begin in [0, 1, 127, 128, 129, 895, 896, 900, 999, 1_000, 1_001, 5_000] {
            let from: Vec<Event> = log.iter_from(begin).collect();
            assert_eq!(from, events[begin.min(1_000)..], "from {begin} on");
        }
    }

    #[test]
    fn a_shorter_log_goes_on_on_its_own() {
        let mut whole = EventLog::default();
        (0..1_000).for_each(|number| whole.push(event(number)));
        for len in [0, 1, 128, 200, 895, 896, 950, 1_000] {
            let mut fork = whole.clone();
            fork.truncate(len);
            assert_eq!(fork.len(), len);
            (len..700).for_each(|number| fork.push(Event { step: 1, ..event(number as u64) }));
            let steps = |log: &EventLog| log.iter_from(0).map(|event| event.step).collect::<Vec<u64>>();
            let expected: Vec<u64> =
                (0..len.max(700)).map(|number| if number < len { number as u64 * 3 } else { 1 }).collect();
            assert_eq!(steps(&fork), expected);
            assert_eq!(whole.len(), 1_000);
        }
    }

    #[test]
    fn the_events_of_a_record_take_less_than_a_hundred_bytes() {
        let mut log = EventLog::default();
        for number in 0..12_800 {
            let (partition, offset) = (partition(number / 5 % 3), Offset(number as i64 / 15));
            let kind = EventKind::Broker(BrokerEvent::RecordsAppended {
                partition,
                first_offset: offset,
                last_offset: offset,
            });
            log.push(Event { at: Instant(number * 200), step: number, ..Event { kind, ..event(number) } });
        }
        let bytes: usize = log.groups.iter().map(|group| group.numbers.len()).sum();
        assert!(bytes < 12_800 * 12, "{bytes}");
    }
}
