//! What checkers see of the world: nodes and disks, borrowed.

use crate::machine::Machine;
use crate::trace::EventId;
use crate::world::Host;
use kafka::broker::Broker;
use kafka::client::Client;
use kafka::controller::Controller;
use kafka::instant::Instant;
use kafka::log::Segments;
use kafka::metadata::{ClusterImage, PartitionRegistration};
use kafka::node::NodeId;
use kafka::storage::StoredLog;
use kafka::view::{LeadershipGlance, ReplicaGlance};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{BrokerId, LeaderEpoch, Offset, RecordBatch, TopicId, TopicPartition};

/// The world after a step.
pub(crate) struct Sight<'a> {
    pub(crate) hosts: &'a BTreeMap<NodeId, Host>,
    pub(crate) now: Instant,
    pub(crate) step: u64,
    /// The event that is looked at, if it is one.
    pub(crate) event: Option<EventId>,
    /// The latest epoch in which a controller has been elected.
    pub(crate) quorum_epoch: LeaderEpoch,
    /// Looked for when it is asked for first: there may be many servers.
    pub(crate) active_controller: OnceCell<Option<ActiveController<'a>>>,
    /// The cluster as its znodes say, if there is a ZooKeeper.
    pub(crate) zookeeper: Option<&'a ClusterImage>,
}

/// The active controller, its epoch and its image.
type ActiveController<'a> = (i32, LeaderEpoch, &'a ClusterImage);

/// One replica's log, of a running process or on the disk of one that is down or has not loaded it.
#[derive(Clone, Copy)]
pub(crate) struct LogGlance<'a> {
    pub(crate) topic_id: TopicId,
    pub(crate) start: Offset,
    pub(crate) end: Offset,
    pub(crate) leader_epochs: &'a [(LeaderEpoch, Offset)],
    batches: &'a Segments,
}

/// A partition as the active controller has it.
#[derive(Clone, Copy)]
pub(crate) struct StateGlance<'a> {
    pub(crate) state: &'a PartitionRegistration,
    pub(crate) topic_id: TopicId,
    pub(crate) configs: &'a BTreeMap<String, String>,
}

/// A topic of which leaders may be elected that are not in sync.
const UNCLEAN_ELECTION: &str = "unclean.leader.election.enable";

/// A replica that believes to lead.
#[derive(Clone, Copy)]
pub(crate) struct LeaderGlance<'a> {
    pub(crate) broker: BrokerId,
    pub(crate) partition: &'a TopicPartition,
    pub(crate) replica: ReplicaGlance<'a>,
    pub(crate) leadership: LeadershipGlance<'a>,
}

impl<'a> Sight<'a> {
    /// Hosts as they are before anything has happened.
    #[cfg(test)]
    pub(crate) fn of_nothing(hosts: &'a BTreeMap<NodeId, Host>) -> Sight<'a> {
        let (now, quorum_epoch, active_controller) = (Instant::ZERO, LeaderEpoch::NONE, OnceCell::new());
        Sight { hosts, now, step: 0, event: None, quorum_epoch, active_controller, zookeeper: None }
    }

    /// The same, with the cluster as its znodes say.
    pub(crate) fn with_zookeeper<'b>(&self, image: &'b ClusterImage) -> Sight<'b>
    where
        'a: 'b,
    {
        let Sight { hosts, now, step, event, quorum_epoch, .. } = *self;
        Sight { hosts, now, step, event, quorum_epoch, zookeeper: Some(image), active_controller: OnceCell::new() }
    }

    /// A broker's process, if it runs.
    pub(crate) fn broker(&self, broker: BrokerId) -> Option<&'a Broker> {
        as_broker(self.hosts.get(&NodeId::Server(broker.0))?)
    }

    /// All running brokers.
    pub(crate) fn brokers(&self) -> impl Iterator<Item = (BrokerId, &'a Broker)> {
        self.servers().filter_map(|(id, host)| Some((BrokerId(id), as_broker(host)?)))
    }

    /// Who keeps a log of the partition as far as anybody knows; everybody while nobody does.
    pub(crate) fn keepers(&self, partition: &TopicPartition) -> Vec<BrokerId> {
        match self.known_state(partition) {
            Some(glance) => glance.state.replicas.clone(),
            None => self.servers().map(|(id, _)| BrokerId(id)).collect(),
        }
    }

    /// All servers.
    pub(crate) fn servers(&self) -> impl Iterator<Item = (i32, &'a Host)> {
        self.hosts.iter().map_while(|(node, host)| match node {
            NodeId::Server(id) => Some((*id, host)),
            NodeId::ZooKeeper | NodeId::Client(_) => None,
        })
    }

    /// Whether the broker's process, if there is one, has not registered yet.
    pub(crate) fn is_unregistered(&self, broker: BrokerId) -> bool {
        self.broker(broker).and_then(|broker| broker.broker_epoch()).is_none()
    }

    /// A replica of a running broker, once it is loaded.
    pub(crate) fn replica(&self, broker: BrokerId, partition: &TopicPartition) -> Option<ReplicaGlance<'a>> {
        self.broker(broker)?.glance(partition)
    }

    /// A replica's log, wherever it is.
    pub(crate) fn log(&self, broker: BrokerId, partition: &TopicPartition) -> Option<LogGlance<'a>> {
        let host = self.hosts.get(&NodeId::Server(broker.0))?;
        let loaded = as_broker(host).and_then(|broker| broker.glance(partition));
        loaded.map(LogGlance::of_replica).or_else(|| host.disk.logs.get(partition).map(LogGlance::on_disk))
    }

    /// The same, if it is of that topic: an earlier one of its name may have left its log.
    pub(crate) fn log_of(
        &self,
        broker: BrokerId,
        partition: &TopicPartition,
        topic_id: TopicId,
    ) -> Option<LogGlance<'a>> {
        self.log(broker, partition).filter(|log| log.topic_id == topic_id)
    }

    /// The logs of some replicas, as far as they are of that topic.
    pub(crate) fn logs_of(
        &self,
        brokers: impl IntoIterator<Item = BrokerId>,
        partition: &TopicPartition,
        topic_id: TopicId,
    ) -> impl Iterator<Item = LogGlance<'a>> {
        brokers.into_iter().filter_map(move |broker| self.log_of(broker, partition, topic_id))
    }

    /// The active controller's image, and its epoch. One that was frozen or cut off may still believe to be active: it
    /// does not count. In a ZooKeeper cluster the znodes are what all controllers go by; there is one of them only.
    pub(crate) fn image(&self) -> Option<(LeaderEpoch, &'a ClusterImage)> {
        let of_quorum = || self.active_controller().map(|(_, epoch, image)| (epoch, image));
        self.zookeeper.map(|image| (LeaderEpoch::ZERO, image)).or_else(of_quorum)
    }

    /// The active controller, its epoch and its image.
    pub(crate) fn active_controller(&self) -> Option<ActiveController<'a>> {
        *self.active_controller.get_or_init(|| {
            let active = self
                .servers()
                .filter_map(|(id, host)| as_controller(host)?.active_image().map(|(epoch, image)| (id, epoch, image)));
            active.max_by_key(|(_, epoch, _)| *epoch).filter(|(_, epoch, _)| *epoch >= self.quorum_epoch)
        })
    }

    /// A partition as the active controller has it, or while there is none the broker that has heard the latest.
    pub(crate) fn known_state(&self, partition: &TopicPartition) -> Option<StateGlance<'a>> {
        match self.image() {
            Some((_, image)) => state_in(image, partition),
            None => self.heard_states(partition).max_by_key(|glance| glance.state.partition_epoch),
        }
    }

    /// A partition as brokers have heard of it.
    pub(crate) fn heard_states(&self, partition: &TopicPartition) -> impl Iterator<Item = StateGlance<'a>> {
        self.brokers().filter_map(|(_, broker)| state_in(broker.image(), partition))
    }

    /// A partition as anybody knows it, brokers and controllers, active or not.
    pub(crate) fn states_of_all(&self, partition: &TopicPartition) -> impl Iterator<Item = StateGlance<'a>> {
        let images = self.servers().filter_map(|(_, host)| as_controller(host)?.image());
        self.heard_states(partition).chain(images.filter_map(|image| state_in(image, partition)))
    }

    /// Whether somebody knows that the partition of that topic does not exist any more.
    pub(crate) fn is_deleted(&self, partition: &TopicPartition, topic_id: TopicId) -> bool {
        let lacks = |image: &ClusterImage| state_in(image, partition).is_none_or(|glance| glance.topic_id != topic_id);
        match self.image() {
            Some((_, image)) => lacks(image),
            None => self.brokers().any(|(_, broker)| lacks(broker.image())),
        }
    }

    /// Whether all of these are in sync, as far as the controller knows.
    pub(crate) fn are_in_sync(&self, brokers: [BrokerId; 2], partition: &TopicPartition) -> bool {
        self.known_state(partition).is_some_and(|glance| brokers.iter().all(|broker| glance.state.isr.contains(broker)))
    }

    /// Whether leaders of the topic may be elected that are not in sync.
    pub(crate) fn allows_unclean_elections(&self, glance: &StateGlance<'a>) -> bool {
        let by_properties = |host: &Host| host.server.as_ref()?.properties.get(UNCLEAN_ELECTION).cloned();
        let of_topic = glance.configs.get(UNCLEAN_ELECTION).cloned();
        let of_all = || self.image()?.1.broker_configs(None).get(UNCLEAN_ELECTION).cloned();
        let value = of_topic.or_else(of_all).or_else(|| self.servers().find_map(|(_, host)| by_properties(host)));
        value.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// Who can become leader: who is in sync or eligible, if nobody is whoever led last, and where unclean elections are
    /// allowed anybody.
    pub(crate) fn candidates(&self, glance: &StateGlance<'a>) -> Vec<BrokerId> {
        if self.allows_unclean_elections(glance) {
            return glance.state.replicas.clone();
        }
        let state = glance.state;
        let nobody_has_all = state.isr.is_empty() && state.eligible_leader_replicas.is_empty();
        let last_known = state.last_known_elr.iter().filter(|_| nobody_has_all);
        state.isr.iter().chain(state.eligible_replicas()).chain(last_known).copied().collect()
    }

    /// Whether the broker's host, or at least its disk, is there.
    pub(crate) fn is_in_world(&self, broker: BrokerId) -> bool {
        self.hosts.contains_key(&NodeId::Server(broker.0))
    }

    /// A partition as the active controller has it.
    pub(crate) fn state(&self, partition: &TopicPartition) -> Option<StateGlance<'a>> {
        state_in(self.image()?.1, partition)
    }
}

fn state_in<'a>(image: &'a ClusterImage, partition: &TopicPartition) -> Option<StateGlance<'a>> {
    let topic = image.topics().get(&partition.topic)?;
    let state = topic.partitions.get(&partition.partition)?;
    Some(StateGlance { state, topic_id: topic.topic_id, configs: &topic.configs })
}

/// The epoch in which the record at `offset` was written.
pub(crate) fn epoch_at(leader_epochs: &[(LeaderEpoch, Offset)], offset: Offset) -> LeaderEpoch {
    let entry = leader_epochs.iter().rev().find(|(_, start)| *start <= offset);
    entry.map_or(LeaderEpoch::NONE, |(epoch, _)| *epoch)
}

/// The broker that runs on a host.
pub(crate) fn as_broker(host: &Host) -> Option<&Broker> {
    match host.process.as_ref()? {
        Machine::Broker(broker) => Some(broker),
        Machine::Combined(server) => server.broker(),
        Machine::Controller(_) | Machine::ZooKeeper(_) | Machine::Client(_) => None,
        #[cfg(test)]
        Machine::Toy(_) => None,
    }
}

/// The controller that runs on a host.
pub(crate) fn as_controller(host: &Host) -> Option<&Controller> {
    match host.process.as_ref()? {
        Machine::Controller(controller) => Some(controller),
        Machine::Combined(server) => Some(server.controller()),
        Machine::Broker(_) | Machine::ZooKeeper(_) | Machine::Client(_) => None,
        #[cfg(test)]
        Machine::Toy(_) => None,
    }
}

/// The client program that runs on a host.
pub(crate) fn as_client(host: &Host) -> Option<&Client> {
    match host.process.as_ref()? {
        Machine::Client(client) => Some(client),
        Machine::Broker(_) | Machine::Controller(_) | Machine::Combined(_) | Machine::ZooKeeper(_) => None,
        #[cfg(test)]
        Machine::Toy(_) => None,
    }
}

impl<'a> LogGlance<'a> {
    fn of_replica(replica: ReplicaGlance<'a>) -> LogGlance<'a> {
        LogGlance {
            topic_id: replica.topic_id,
            start: replica.log_start_offset,
            end: replica.log_end_offset,
            leader_epochs: replica.leader_epochs,
            batches: replica.segments,
        }
    }

    fn on_disk(stored: &'a StoredLog) -> LogGlance<'a> {
        LogGlance {
            topic_id: stored.topic_id,
            start: stored.start_offset(),
            end: stored.end_offset(),
            leader_epochs: &stored.leader_epochs,
            batches: &stored.segments,
        }
    }

    /// The epoch in which the record at `offset` was written, as the epoch cache says.
    pub(crate) fn epoch_at(&self, offset: Offset) -> LeaderEpoch {
        epoch_at(self.leader_epochs, offset)
    }

    /// Whether it has everything below `end`, whose last record was written in `epoch`; what retention took counts as
    /// had.
    pub(crate) fn reaches(&self, end: Offset, epoch: LeaderEpoch) -> bool {
        end <= self.start || end <= self.end && self.may_be_of(end + -1, epoch)
    }

    /// Whether the record at `offset` was written in `epoch`, if that is known. Where a log starts anew, or began as a copy
    /// of a compacted one, records lie below the first entry of the epoch cache; then the batch says it, if it is there.
    fn may_be_of(&self, offset: Offset, epoch: LeaderEpoch) -> bool {
        let is_known = epoch.is_known() && self.epoch_at(offset) != epoch;
        !is_known || self.written_in(offset).is_none_or(|written| written == epoch)
    }

    /// The epoch in which the record at `offset` was written, as its batch says, if it is still there.
    pub(crate) fn written_in(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.batch_at(offset).map(|batch| batch.partition_leader_epoch)
    }

    fn batch_at(&self, offset: Offset) -> Option<&'a Arc<RecordBatch>> {
        self.batches_from(offset).next().filter(|batch| batch.base_offset <= offset)
    }

    /// Where what it has of an epoch ends; what retention took counts as had, and so does what lies below the first entry
    /// of the epoch cache: a log start that was forgotten by a restart comes back without its epochs.
    pub(crate) fn end_of_epoch(&self, epoch: LeaderEpoch) -> Offset {
        let place = self.leader_epochs.partition_point(|(known, _)| *known <= epoch);
        let end = self.leader_epochs.get(place).map_or(self.end, |(_, start)| *start).min(self.end);
        let is_known = self.leader_epochs[..place].last().is_some_and(|(known, _)| *known == epoch);
        let unknown_to = match self.leader_epochs.first() {
            Some((first, start)) if epoch < *first => (*start).min(self.end),
            Some(_) => self.start,
            None => self.end,
        };
        if is_known { end } else { self.start.max(unknown_to) }
    }

    /// Where the logs part, as their epoch caches say. Logs that have no epoch in common have at most in common what lies
    /// below the first ones.
    pub(crate) fn common_end(&self, other: &LogGlance<'_>) -> Offset {
        let is_common =
            |(epoch, _): &&(LeaderEpoch, Offset)| other.leader_epochs.iter().any(|(known, _)| known == epoch);
        let last = self.leader_epochs.iter().rev().find(is_common);
        let end = last.map(|(epoch, _)| self.end_of_epoch(*epoch).min(other.end_of_epoch(*epoch)));
        let first = |log: &LogGlance<'_>| log.leader_epochs.first().map_or(log.end, |(_, start)| *start);
        end.unwrap_or(first(self).min(first(other)).min(self.end).min(other.end))
    }

    /// The batches from the one that contains `offset` or lies above it.
    pub(crate) fn batches_from(&self, offset: Offset) -> impl Iterator<Item = &'a Arc<RecordBatch>> {
        self.batches.batches_from(offset)
    }

    /// The batch that ends right before `offset`, if it is still there.
    pub(crate) fn batch_before(&self, offset: Offset) -> Option<&'a Arc<RecordBatch>> {
        self.batches_from(offset + -1).next().filter(|batch| batch.base_offset < offset)
    }
}

/// A log made by hand, with one record in each batch.
#[cfg(test)]
pub(crate) struct LogByHand {
    leader_epochs: Vec<(LeaderEpoch, Offset)>,
    segments: Segments,
}

#[cfg(test)]
impl LogByHand {
    /// From offset 0 on so many records of each epoch, with the epoch cache that belongs to them.
    pub(crate) fn of(epochs: &[(i32, i64)]) -> LogByHand {
        let (mut leader_epochs, mut batches) = (Vec::new(), Vec::new());
        for (epoch, records) in epochs {
            let (epoch, start) = (LeaderEpoch(*epoch), batches.len() as i64);
            leader_epochs.push((epoch, Offset(start)));
            let values = start..start + records;
            batches.extend(values.map(|offset| Arc::new(LogByHand::batch(offset, epoch))));
        }
        LogByHand { leader_epochs, segments: Segments::of_batches(Offset::ZERO, batches) }
    }

    fn batch(offset: i64, epoch: LeaderEpoch) -> RecordBatch {
        let record = wire::Record::new(None, Some(format!("{offset} in {epoch}").as_bytes()), wire::Timestamp(0));
        RecordBatch::from_producer(vec![record]).appended_at(Offset(offset), epoch)
    }

    /// Its epoch cache knows nothing below that offset, as after a deletion.
    pub(crate) fn with_epochs_from(mut self, offset: i64) -> LogByHand {
        let epoch = epoch_at(&self.leader_epochs, Offset(offset));
        self.leader_epochs.retain(|(known, _)| *known >= epoch);
        self.leader_epochs.first_mut().expect("there is such an epoch").1 = Offset(offset);
        self
    }

    /// What checkers see of it if it begins at that offset.
    pub(crate) fn from(&self, start: i64) -> LogGlance<'_> {
        LogGlance {
            topic_id: TopicId(7),
            start: Offset(start),
            end: self.segments.end_offset(),
            leader_epochs: &self.leader_epochs,
            batches: &self.segments,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_part_where_the_last_epoch_that_both_know_ends_first() {
        let whole = [(0, 4), (1, 3), (3, 2)];
        for (one, other, end) in [
            (&whole[..], &whole[..], 9),
            (&whole, &[(0, 4), (1, 1)], 5),
            (&whole, &[(0, 6)], 4),
            (&whole, &[(0, 4), (2, 8)], 4),
            (&whole, &[(0, 4), (1, 5), (3, 1)], 9),
            (&[(1, 3)], &[(2, 3)], 0),
            (&[], &whole, 0),
        ] {
            let (one, other) = (LogByHand::of(one), LogByHand::of(other));
            let ends = [one.from(0).common_end(&other.from(0)), other.from(0).common_end(&one.from(0))];
            assert_eq!(ends, [Offset(end); 2], "{:?} {:?}", one.leader_epochs, other.leader_epochs);
        }
    }

    #[test]
    fn a_log_reaches_an_end_in_the_epoch_in_which_its_last_record_was_written() {
        let log = LogByHand::of(&[(0, 4), (1, 3)]);
        for (end, epoch, start, reaches) in [
            (4, 0, 0, true),
            (5, 1, 0, true),
            (7, 1, 0, true),
            (8, 1, 0, false),
            (5, 0, 0, false),
            (4, 1, 0, false),
            (4, 1, 4, true),
            (7, -1, 0, true),
        ] {
            assert_eq!(log.from(start).reaches(Offset(end), LeaderEpoch(epoch)), reaches, "{end} in {epoch}");
        }
    }
}
