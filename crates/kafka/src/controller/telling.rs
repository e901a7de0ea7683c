//! Tells as events what records of the active controller change.

use super::partition_change::without;
use crate::event::{ChangeReason, ControllerEvent, EventKind};
use crate::metadata::{ClusterImage, PartitionRegistration};
use crate::node::Effects;
use std::collections::BTreeSet;
use wire::request::ConfigResource;
use wire::{
    BrokerId, LeaderRecoveryState, MetadataRecord, PartitionChangeRecord, PartitionIndex, PartitionRecord, TopicId,
    TopicName, TopicPartition,
};

/// Tells what one batch changes in the cluster as it stands before the batch. `reason` is why partitions change.
pub(super) fn tell(
    before: &ClusterImage,
    records: &[MetadataRecord],
    reason: Option<ChangeReason>,
    effects: &mut Effects,
) {
    let teller = Teller { before, records, reason };
    tell_additions(&teller, effects);
    for record in records {
        teller.tell_record(record, effects);
    }
}

struct Teller<'a> {
    before: &'a ClusterImage,
    records: &'a [MetadataRecord],
    reason: Option<ChangeReason>,
}

fn note(event: ControllerEvent, effects: &mut Effects) {
    effects.note(EventKind::Controller(event));
}

/// Partitions of topics that were there before.
fn tell_additions(teller: &Teller, effects: &mut Effects) {
    for topic_id in teller.enlarged_topics() {
        let name = teller.name_of(topic_id);
        let existing = teller.before.topics().get(&name).map_or(0, |topic| topic.partitions.len() as i32);
        let partitions = existing + teller.new_partitions(topic_id);
        note(ControllerEvent::PartitionsAdded { topic: name, partitions }, effects);
    }
}

impl Teller<'_> {
    fn tell_record(&self, record: &MetadataRecord, effects: &mut Effects) {
        match record {
            MetadataRecord::ProducerIds { .. }
            | MetadataRecord::RegisterController { .. }
            | MetadataRecord::ZkMigrationStateNone
            | MetadataRecord::BeginTransaction
            | MetadataRecord::EndTransaction
            | MetadataRecord::NoOp => {}
            MetadataRecord::FeatureLevel { name, level } => self.tell_feature_level(name, *level, effects),
            MetadataRecord::Config { resource, key, value } => {
                self.tell_config(resource, key, value.as_deref(), effects);
            }
            MetadataRecord::UnregisterBroker { broker_id, .. } => {
                note(ControllerEvent::BrokerUnregistered { broker: *broker_id }, effects);
            }
            MetadataRecord::RegisterBroker { broker_id, broker_epoch, .. } => {
                let (broker, broker_epoch) = (*broker_id, *broker_epoch);
                note(ControllerEvent::BrokerRegistered { broker, broker_epoch }, effects);
            }
            MetadataRecord::BrokerRegistrationChange { broker_id, fenced, in_controlled_shutdown, .. } => {
                tell_registration_change(*broker_id, *fenced, *in_controlled_shutdown, effects);
            }
            MetadataRecord::Topic { name, topic_id } => {
                let (topic, partitions) = (name.clone(), self.new_partitions(*topic_id));
                note(ControllerEvent::TopicCreated { topic, topic_id: *topic_id, partitions }, effects);
            }
            MetadataRecord::RemoveTopic { topic_id } => {
                note(ControllerEvent::TopicDeleted { topic: self.name_of(*topic_id) }, effects);
            }
            MetadataRecord::Partition(record) => self.tell_new_partition(record, effects),
            MetadataRecord::PartitionChange(change) => self.tell_change(change, effects),
        }
    }

    /// Topics that were there before and get more partitions.
    fn enlarged_topics(&self) -> BTreeSet<TopicId> {
        let mut topics = BTreeSet::new();
        for record in self.records {
            if let MetadataRecord::Partition(record) = record
                && self.before.topic_name(record.topic_id).is_some()
            {
                topics.insert(record.topic_id);
            }
        }
        topics
    }

    fn new_partitions(&self, topic: TopicId) -> i32 {
        let is_new =
            |record: &&MetadataRecord| matches!(record, MetadataRecord::Partition(record) if record.topic_id == topic);
        self.records.iter().filter(is_new).count() as i32
    }

    fn name_of(&self, topic: TopicId) -> TopicName {
        let existing = self.before.topic_name(topic).cloned();
        let new = || {
            self.records.iter().find_map(|record| match record {
                MetadataRecord::Topic { name, topic_id } if *topic_id == topic => Some(name.clone()),
                MetadataRecord::FeatureLevel { .. }
                | MetadataRecord::RegisterBroker { .. }
                | MetadataRecord::BrokerRegistrationChange { .. }
                | MetadataRecord::Topic { .. }
                | MetadataRecord::RemoveTopic { .. }
                | MetadataRecord::UnregisterBroker { .. }
                | MetadataRecord::Config { .. }
                | MetadataRecord::Partition(_)
                | MetadataRecord::PartitionChange(_)
                | MetadataRecord::ProducerIds { .. }
                | MetadataRecord::RegisterController { .. }
                | MetadataRecord::ZkMigrationStateNone
                | MetadataRecord::BeginTransaction
                | MetadataRecord::EndTransaction
                | MetadataRecord::NoOp => None,
            })
        };
        existing.or_else(new).expect("records are about topics that exist or are made with them")
    }

    fn partition(&self, topic: TopicId, index: PartitionIndex) -> TopicPartition {
        TopicPartition::new(self.name_of(topic), index)
    }

    fn tell_new_partition(&self, record: &PartitionRecord, effects: &mut Effects) {
        let event = ControllerEvent::LeaderElected {
            partition: self.partition(record.topic_id, record.partition),
            leader: record.leader.expect("a new partition has a leader"),
            previous_leader: None,
            leader_epoch: record.leader_epoch,
            isr: record.isr.clone(),
            is_unclean: false,
            reason: None,
        };
        note(event, effects);
    }

    /// The levels of a new cluster are not told.
    fn tell_feature_level(&self, feature: &'static str, level: i16, effects: &mut Effects) {
        if !self.before.features().is_empty() {
            note(ControllerEvent::FeatureLevelChanged { feature, level }, effects);
        }
    }

    /// The configurations of a new topic are not told.
    fn tell_config(&self, resource: &ConfigResource, key: &str, value: Option<&str>, effects: &mut Effects) {
        let is_new = match resource {
            ConfigResource::Topic(name) => !self.before.topics().contains_key(name),
            ConfigResource::Broker(_) => false,
        };
        if !is_new {
            let (resource, key, value) = (resource.clone(), key.to_owned(), value.map(str::to_owned));
            note(ControllerEvent::ConfigChanged { resource, key, value }, effects);
        }
    }

    fn tell_reassignment(
        &self,
        partition: &TopicPartition,
        before: &PartitionRegistration,
        change: &PartitionChangeRecord,
        effects: &mut Effects,
    ) {
        let mut after = before.clone();
        after.merge(change);
        let has_moved = after.replicas != before.replicas;
        let is_cancelled = after.replicas == without(&before.replicas, &before.adding_replicas)
            && self.reason == Some(ChangeReason::Reassignment);
        let partition = partition.clone();
        let event = match (before.is_reassigning(), after.is_reassigning()) {
            (_, true) if change.adding_replicas.is_none() && change.removing_replicas.is_none() => return,
            (_, true) => {
                let (adding, removing) = (after.adding_replicas, after.removing_replicas);
                ControllerEvent::ReassignmentStarted { partition, adding, removing }
            }
            (true, false) if is_cancelled => {
                ControllerEvent::ReassignmentCancelled { partition, replicas: after.replicas }
            }
            (true, false) => ControllerEvent::ReassignmentCompleted { partition, replicas: after.replicas },
            (false, false) if has_moved => {
                ControllerEvent::ReassignmentCompleted { partition, replicas: after.replicas }
            }
            (false, false) => return,
        };
        note(event, effects);
    }

    fn tell_change(&self, change: &PartitionChangeRecord, effects: &mut Effects) {
        let partition = self.partition(change.topic_id, change.partition);
        let before = self.before.partition(&partition).expect("only existing partitions change");
        self.tell_reassignment(&partition, before, change, effects);
        if let Some(eligible) = &change.eligible_leader_replicas {
            let (partition, from) = (partition.clone(), before.eligible_leader_replicas.clone());
            note(ControllerEvent::EligibleLeadersChanged { partition, from, to: eligible.clone() }, effects);
        }
        if let Some(leader) = change.leader {
            let isr = change.isr.as_ref().unwrap_or(&before.isr);
            let is_to_recover = change.leader_recovery_state == Some(LeaderRecoveryState::Recovering);
            let lacks_records = is_to_recover || leader.is_some_and(|leader| self.registers(leader));
            note(self.election(partition.clone(), before, leader, (isr, lacks_records)), effects);
        }
        if let Some(isr) = &change.isr {
            let event = ControllerEvent::IsrChanged {
                partition,
                from: before.isr.clone(),
                to: isr.clone(),
                partition_epoch: before.partition_epoch.next(),
                reason: self.reason(),
            };
            note(event, effects);
        }
    }

    fn election(
        &self,
        partition: TopicPartition,
        before: &PartitionRegistration,
        leader: Option<BrokerId>,
        (isr, lacks_records): (&[BrokerId], bool),
    ) -> ControllerEvent {
        let (leader_epoch, reason) = (before.leader_epoch.next(), self.reason());
        let is_unclean = |leader: BrokerId| lacks_records || isr == [leader] && !had_all_records(before, leader);
        let isr = isr.to_vec();
        match leader {
            None => ControllerEvent::PartitionWentOffline { partition, leader_epoch, isr, reason },
            Some(leader) => ControllerEvent::LeaderElected {
                partition,
                leader,
                previous_leader: before.leader,
                leader_epoch,
                isr,
                is_unclean: is_unclean(leader),
                reason: Some(reason),
            },
        }
    }

    /// Whether a broker comes back that may have lost records. As the last known leader it is elected at once, whether or not
    /// the partition is recovering from an earlier unclean election.
    fn registers(&self, broker: BrokerId) -> bool {
        let is_its = |record: &MetadataRecord| matches!(record, MetadataRecord::RegisterBroker { broker_id, .. } if *broker_id == broker);
        self.records.iter().any(is_its)
    }

    fn reason(&self) -> ChangeReason {
        self.reason.expect("partitions change for a reason")
    }
}

/// In sync, or eligible to lead without being so.
fn had_all_records(before: &PartitionRegistration, leader: BrokerId) -> bool {
    before.isr.contains(&leader) || before.eligible_leader_replicas.contains(&leader)
}

fn tell_registration_change(
    broker: BrokerId,
    fenced: Option<bool>,
    in_controlled_shutdown: Option<bool>,
    effects: &mut Effects,
) {
    match fenced {
        Some(true) => note(ControllerEvent::BrokerFenced { broker }, effects),
        Some(false) => note(ControllerEvent::BrokerUnfenced { broker }, effects),
        None => {}
    }
    if in_controlled_shutdown == Some(true) {
        note(ControllerEvent::ControlledShutdownStarted { broker }, effects);
    }
}
