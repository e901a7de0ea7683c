//! What must hold whenever one looks.

use kafka::event::{ClientEvent, EventKind};
use kafka::log::Segments;
use kafka::metadata::{ClusterImage, METADATA_TOPIC, PartitionRegistration};
use kafka::node::NodeId;
use kafka::view::{BrokerState, BrokerView, NodeView, ReplicaRole, ReplicaView};
use sim::frame::{Frame, NodeFrame};
use sim::{EventId, Session};
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::request::Acks;
use wire::{
    BrokerEpoch, BrokerId, LeaderEpoch, Offset, PartitionEpoch, PartitionIndex, RecordBatch, TopicId, TopicPartition,
};

/// A partition of one life of a topic.
pub(crate) type Key = (TopicPartition, TopicId);

/// What was seen before.
#[derive(Default)]
pub(crate) struct History {
    /// The highest high watermark that a leader has had.
    pub(crate) committed: BTreeMap<Key, Offset>,
    /// Who led in which epoch.
    leaders: BTreeMap<(Key, LeaderEpoch), BrokerId>,
    /// The high watermark of a leadership, in which partition epoch it was seen, and with how many in-sync replicas.
    leaderships: BTreeMap<(Key, LeaderEpoch, BrokerEpoch), (Offset, PartitionEpoch, usize)>,
    /// The epochs of the controller's state.
    epochs: BTreeMap<Key, (LeaderEpoch, PartitionEpoch)>,
    /// How many batches, epochs and all, two logs were seen to share.
    matched: BTreeMap<(Key, BrokerId, BrokerId), usize>,
}

/// A log, of a running broker or on the disk of one that is down.
struct Log {
    broker: BrokerId,
    batches: Segments,
    end: Offset,
    epochs: Vec<(LeaderEpoch, Offset)>,
    view: Option<ReplicaView>,
    /// The registration of the broker's process, once it has one.
    broker_epoch: Option<BrokerEpoch>,
}

/// One look at the world.
pub(crate) struct Checks<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) seed: u64,
}

impl Checks<'_> {
    pub(crate) fn all(&self, history: &mut History) {
        let logs = self.logs();
        for ((key, logs), image) in logs.iter().map(|entry| (entry, self.controller_image())) {
            logs.iter().for_each(|log| self.log_is_in_order(key, log));
            self.logs_match(key, logs, history);
            self.leaders_are_legitimate(key, logs, history);
            if let Some(state) = image.as_ref().and_then(|image| state_of(image, key)) {
                self.in_sync_replicas_have_what_is_committed(key, state, logs, history);
            }
        }
        if let Some(image) = self.controller_image() {
            self.states_are_legal(&image, history);
        }
    }

    fn fail(&self, what: &str, key: &Key) -> ! {
        panic!("seed {} at {:?}: {what} ({} {:?})", self.seed, self.frame.now, key.0, key.1)
    }

    fn require(&self, holds: bool, what: &str, key: &Key) {
        if !holds {
            self.fail(what, key);
        }
    }

    fn controller_image(&self) -> Option<Arc<ClusterImage>> {
        self.frame.nodes.iter().find_map(|node| match &node.process {
            Some(NodeView::Controller(view)) if view.is_active => Some(view.image.clone()),
            Some(_) | None => None,
        })
    }

    fn brokers(&self) -> impl Iterator<Item = (BrokerId, &NodeFrame)> {
        self.frame.nodes.iter().filter_map(|node| match node.id {
            NodeId::Server(id @ 1..=3) => Some((BrokerId(id), node)),
            NodeId::Server(_) | NodeId::ZooKeeper | NodeId::Client(_) => None,
        })
    }

    fn logs(&self) -> BTreeMap<Key, Vec<Log>> {
        let mut logs: BTreeMap<Key, Vec<Log>> = BTreeMap::new();
        for (broker, node) in self.brokers() {
            match &node.process {
                Some(NodeView::Broker(view)) => view.replicas.iter().for_each(|replica| {
                    let key = (replica.partition.clone(), replica.topic_id);
                    logs.entry(key).or_default().push(Log::of_replica(broker, view, replica));
                }),
                Some(_) | None => node.disk.iter().for_each(|(partition, stored)| {
                    let key = (partition.clone(), stored.topic_id);
                    logs.entry(key).or_default().push(Log::on_disk(broker, stored));
                }),
            }
        }
        logs.retain(|(partition, _), _| partition.topic.as_str() != METADATA_TOPIC);
        logs
    }

    /// Log start, high watermark and log end stand in this order; epochs and offsets ascend.
    fn log_is_in_order(&self, key: &Key, log: &Log) {
        if let Some(view) = &log.view {
            let is_ordered = view.log_start_offset <= view.high_watermark && view.high_watermark <= log.end;
            self.require(is_ordered, "log start <= high watermark <= log end", key);
        }
        let ascends = log.epochs.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1);
        self.require(ascends, "leader epochs and their starts ascend", key);
        let tail = log.batches.len().saturating_sub(50);
        let tail: Vec<_> = log.batches.iter_from(tail).collect();
        let continues = |pair: &[&Arc<RecordBatch>]| {
            pair[0].last_offset() < pair[1].base_offset
                && pair[0].partition_leader_epoch <= pair[1].partition_leader_epoch
        };
        self.require(tail.windows(2).all(continues), "offsets and epochs of batches ascend", key);
    }

    /// Log matching, as strong as in Raft: where two logs have the same epoch at the same offset, all before is the same,
    /// and below both high watermarks they are the same anyhow.
    fn logs_match(&self, key: &Key, logs: &[Log], history: &mut History) {
        for (index, one) in logs.iter().enumerate() {
            for other in &logs[index + 1..] {
                let known = history.matched.entry((key.clone(), one.broker, other.broker)).or_default();
                let start = (*known).min(one.batches.len()).min(other.batches.len()).saturating_sub(50);
                let pairs = one.batches.iter_from(start).zip(other.batches.iter_from(start));
                let common = start + pairs.take_while(|(a, b)| Arc::ptr_eq(a, b) || a == b).count();
                *known = common;
                self.rest_differs(key, one, other, common);
            }
        }
    }

    fn rest_differs(&self, key: &Key, one: &Log, other: &Log, common: usize) {
        let rest: Vec<_> =
            one.batches.iter_from(common).map(|batch| (batch.base_offset, batch.partition_leader_epoch)).collect();
        for batch in other.batches.iter_from(common) {
            let is_there = rest.contains(&(batch.base_offset, batch.partition_leader_epoch));
            self.require(!is_there, "the same epoch at the same offset, and other records before it", key);
        }
        let watermark = |log: &Log| log.view.as_ref().map(|view| view.high_watermark);
        let (Some(a), Some(b)) = (watermark(one), watermark(other)) else { return };
        let parts_at = [one, other]
            .iter()
            .filter_map(|log| log.batches.iter_from(common).next())
            .map(|batch| batch.base_offset)
            .min();
        let both_long = one.batches.len() > common && other.batches.len() > common;
        let matches = !both_long || parts_at.is_none_or(|offset| offset >= a.min(b));
        self.require(matches, "two logs differ below both high watermarks", key);
    }

    /// An epoch has one leader; its high watermark never falls, stands still below `min.insync.replicas`, and all in-sync
    /// replicas reach it.
    fn leaders_are_legitimate(&self, key: &Key, logs: &[Log], history: &mut History) {
        for log in logs {
            let Some(view) = &log.view else { continue };
            let ReplicaRole::Leader { isr, partition_epoch, .. } = &view.role else { continue };
            let leader = *history.leaders.entry((key.clone(), view.leader_epoch)).or_insert(log.broker);
            self.require(leader == log.broker, "two leaders in one epoch", key);
            // A process that has just been started may hold itself for the leader that it was; it does not listen yet.
            let Some(broker_epoch) = log.broker_epoch else { continue };
            let term = (key.clone(), view.leader_epoch, broker_epoch);
            let seen = history.leaderships.insert(term, (view.high_watermark, *partition_epoch, isr.len()));
            if let Some((watermark, epoch, _)) = seen {
                self.require(watermark <= view.high_watermark, "a leader's high watermark fell", key);
                let min_isr = if key.0.topic.as_str() == "safe" { 2 } else { 1 };
                let stood = epoch != *partition_epoch || isr.len() >= min_isr || watermark == view.high_watermark;
                self.require(stood, "the high watermark rose below min.insync.replicas", key);
            }
            self.members_have_what_is_committed(key, log, view, isr, logs);
            let committed = history.committed.entry(key.clone()).or_insert(Offset::ZERO);
            *committed = view.high_watermark.max(*committed);
        }
    }

    fn members_have_what_is_committed(
        &self,
        key: &Key,
        leader: &Log,
        view: &ReplicaView,
        isr: &[BrokerId],
        logs: &[Log],
    ) {
        for member in logs.iter().filter(|log| isr.contains(&log.broker)) {
            let has_all = member.end >= view.high_watermark;
            self.require(
                has_all,
                &format!("in-sync {} lacks what {} has committed", member.broker, leader.broker),
                key,
            );
        }
    }

    /// Whoever may be elected has what any leader has committed.
    fn in_sync_replicas_have_what_is_committed(
        &self,
        key: &Key,
        state: &PartitionRegistration,
        logs: &[Log],
        history: &History,
    ) {
        let committed = history.committed.get(key).copied().unwrap_or(Offset::ZERO);
        for log in logs.iter().filter(|log| state.isr.contains(&log.broker)) {
            self.require(log.end >= committed, &format!("in-sync {} lacks committed records", log.broker), key);
        }
    }

    /// The controller's state of a partition makes sense, and its epochs do not fall.
    fn states_are_legal(&self, image: &ClusterImage, history: &mut History) {
        for (partition, state) in image.partitions() {
            let key = (partition.clone(), image.topics()[&partition.topic].topic_id);
            let is_active = |broker: &BrokerId| image.brokers().get(broker).is_some_and(|broker| broker.is_active());
            self.require(state.leader.is_none_or(|leader| state.isr.contains(&leader)), "the leader is in sync", &key);
            self.require(!state.isr.is_empty(), "somebody is in sync", &key);
            self.require(state.isr.iter().all(|member| state.replicas.contains(member)), "replicas are in sync", &key);
            self.require(state.leader.as_ref().is_none_or(is_active), "the leader is active", &key);
            let all_active = state.isr.iter().all(is_active);
            self.require(all_active || state.isr.len() == 1, "in-sync replicas are active, but for the last", &key);
            let now = (state.leader_epoch, state.partition_epoch);
            let before = history.epochs.insert(key.clone(), now);
            let rises = before.is_none_or(|before| before.0 <= now.0 && before.1 <= now.1);
            self.require(rises, "epochs do not fall", &key);
        }
    }

    /// What is not yet as it should be in a cluster without faults.
    pub(crate) fn what_is_unhealthy(&self) -> Option<String> {
        let Some(image) = self.controller_image() else { return Some("no active controller".to_owned()) };
        for (broker, node) in self.brokers() {
            let Some(NodeView::Broker(view)) = &node.process else { return Some(format!("{broker} is down")) };
            if let Some(wrong) = unhealthy_broker(view, &image) {
                return Some(format!("{broker}: {wrong}"));
            }
        }
        let offline =
            image.partitions().find(|(_, state)| state.leader.is_none() || state.isr.len() < state.replicas.len());
        offline.map(|(partition, state)| format!("{partition}: {state:?}"))
    }

    /// What was acknowledged is there, what was read is what is there.
    pub(crate) fn clients_were_told_the_truth(&self, session: &Session) {
        let stored = self.stored_records();
        for event in session.events(EventId(0)) {
            match &event.kind {
                EventKind::Client(ClientEvent::BatchAcknowledged {
                    partition,
                    first_offset,
                    acks: Acks::All,
                    batch,
                    ..
                }) if partition.topic.as_str() == "safe" => {
                    for record in batch.records() {
                        let place = (partition.clone(), *first_offset + i64::from(record.offset_delta));
                        let is_there = stored.get(&place).is_some_and(|value| *value == record.value);
                        assert!(
                            is_there,
                            "seed {}: {place:?} was acknowledged at {:?} and is lost",
                            self.seed, event.at
                        );
                    }
                }
                EventKind::Client(ClientEvent::RecordConsumed { partition, offset, record, .. }) => {
                    let is_there =
                        stored.get(&(partition.clone(), *offset)).is_some_and(|value| *value == record.value);
                    assert!(is_there, "seed {}: {partition} {offset:?} was read and is lost", self.seed);
                }
                EventKind::Client(_)
                | EventKind::Broker(_)
                | EventKind::Controller(_)
                | EventKind::ZooKeeper(_)
                | EventKind::Operator(_) => {}
            }
        }
    }

    /// Nothing is left out, nothing comes twice, and nothing below `committed` is still to come.
    pub(crate) fn consumers_read_everything_once(&self, session: &Session, committed: &BTreeMap<Key, Offset>) {
        let mut next: BTreeMap<&TopicPartition, Offset> = BTreeMap::new();
        for event in session.events(EventId(0)) {
            let EventKind::Client(ClientEvent::RecordConsumed { partition, offset, .. }) = &event.kind else {
                continue;
            };
            let expected = next.entry(partition).or_insert(Offset::ZERO);
            assert_eq!(*expected, *offset, "seed {} at {:?}: {partition}", self.seed, event.at);
            *expected = offset.next();
        }
        for ((partition, _), committed) in committed.iter().filter(|((partition, _), _)| is_consumed(partition)) {
            let read = next.get(partition).copied().unwrap_or(Offset::ZERO);
            assert!(read >= *committed, "seed {}: {partition} was read up to {read:?} of {committed:?}", self.seed);
        }
    }

    fn stored_records(&self) -> BTreeMap<(TopicPartition, Offset), Option<wire::Bytes>> {
        let logs = self.logs();
        let mut stored = BTreeMap::new();
        for ((partition, _), logs) in &logs {
            let is_leader =
                |log: &&Log| matches!(&log.view, Some(ReplicaView { role: ReplicaRole::Leader { .. }, .. }));
            let Some(leader) = logs.iter().find(is_leader) else { continue };
            for (batch, record) in
                leader.batches.iter().flat_map(|batch| batch.records().iter().map(move |r| (batch, r)))
            {
                let place = (partition.clone(), batch.base_offset + i64::from(record.offset_delta));
                stored.insert(place, record.value.clone());
            }
        }
        stored
    }
}

/// Partitions added later are found with the next refresh of metadata only.
fn is_consumed(partition: &TopicPartition) -> bool {
    partition.partition == PartitionIndex(0) && ["safe", "growing"].contains(&partition.topic.as_str())
}

fn state_of<'a>(image: &'a ClusterImage, key: &Key) -> Option<&'a PartitionRegistration> {
    let is_same_life = image.topics().get(&key.0.topic)?.topic_id == key.1;
    if is_same_life { image.partition(&key.0) } else { None }
}

fn unhealthy_broker(view: &BrokerView, image: &ClusterImage) -> Option<String> {
    if view.state != BrokerState::Running {
        return Some(format!("is {:?}", view.state));
    }
    if view.image.topics() != image.topics() || view.image.brokers() != image.brokers() {
        return Some("does not know the cluster as it is".to_owned());
    }
    let hosted: Vec<_> = view.replicas.iter().map(|replica| (replica.partition.clone(), replica.topic_id)).collect();
    let stray = hosted.iter().find(|key| state_of(image, key).is_none());
    stray.map(|key| format!("has a replica of {key:?}"))
}

impl Log {
    fn of_replica(broker: BrokerId, process: &BrokerView, replica: &ReplicaView) -> Log {
        Log {
            broker,
            batches: replica.segments.clone(),
            end: replica.log_end_offset,
            epochs: replica.leader_epochs.clone(),
            view: Some(replica.clone()),
            broker_epoch: process.broker_epoch,
        }
    }

    fn on_disk(broker: BrokerId, stored: &kafka::storage::StoredLog) -> Log {
        Log {
            broker,
            batches: stored.segments.clone(),
            end: stored.end_offset(),
            epochs: stored.leader_epochs.clone(),
            view: None,
            broker_epoch: None,
        }
    }
}
