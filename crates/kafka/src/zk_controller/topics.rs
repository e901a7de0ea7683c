//! New topics and partitions, and topics that are to go (`TopicChange`, `PartitionModifications` and `TopicDeletion` of
//! `kafka.controller.KafkaController`, and its `TopicDeletionManager`).

use super::batch::Batch;
use super::context::{Assignment, Context, Replica, ReplicaState, Topic};
use super::partitions::Strategy;
use super::work::{Stop, Work, data_of};
use crate::event::ControllerEvent;
use crate::zk_data;
use std::collections::{BTreeMap, BTreeSet};
use wire::zookeeper::{Operation, ZnodeData, ZnodePath};
use wire::{BrokerId, ErrorCode, PartitionIndex, TopicId, TopicName, TopicPartition};

impl Work<'_> {
    /// The list of topics changed.
    pub(super) fn on_topic_change(&mut self) -> Result<(), Stop> {
        let names: BTreeSet<TopicName> =
            self.get_children(zk_data::TOPICS)?.iter().map(|name| TopicName::new(name)).collect();
        let known: BTreeSet<TopicName> = self.context().topics.keys().cloned().collect();
        for topic in known.difference(&names) {
            self.context().remove_topic(topic);
        }
        let new: Vec<TopicName> = names.difference(&known).cloned().collect();
        let topics = self.read_topics(&new)?;
        for (name, topic) in &topics {
            self.note(ControllerEvent::TopicCreated {
                topic: name.clone(),
                topic_id: topic.topic_id,
                partitions: topic.partitions.len() as i32,
            });
        }
        let names: BTreeSet<TopicName> = topics.keys().cloned().collect();
        self.context().topics.extend(topics);
        let partitions = self.context().partitions_of_topics(&names);
        self.create_partitions(&partitions)
    }

    /// A topic's znode changed: partitions may have been added.
    pub(super) fn on_partition_modifications(&mut self, topic: &TopicName) -> Result<(), Stop> {
        let Some(read) = self.read_topics(std::slice::from_ref(topic))?.remove(topic) else { return Ok(()) };
        let context = self.context();
        let is_to_go = context.is_queued_for_deletion(topic);
        let Some(known) = context.topics.get_mut(topic) else { return Ok(()) };
        let added: Vec<PartitionIndex> =
            read.partitions.keys().filter(|index| !known.partitions.contains_key(index)).copied().collect();
        if added.is_empty() {
            return Ok(());
        }
        if is_to_go {
            return self.undo_additions(topic, &read);
        }
        known.partitions.extend(added.iter().map(|index| (*index, read.partitions[index].clone())));
        let partitions = known.partitions.len() as i32;
        self.note(ControllerEvent::PartitionsAdded { topic: topic.clone(), partitions });
        let added: Vec<TopicPartition> =
            added.into_iter().map(|index| TopicPartition::new(topic.clone(), index)).collect();
        self.create_partitions(&added)
    }

    /// A topic that is to go gets no partitions (`restorePartitionReplicaAssignment`).
    fn undo_additions(&mut self, topic: &TopicName, read: &Topic) -> Result<(), Stop> {
        let existing = self.ask(Operation::GetChildren { path: zk_data::partitions(topic), watch: false })?;
        let Ok(wire::zookeeper::OperationResult::Children { names, .. }) = existing else { return Ok(()) };
        let was_there = |index: &PartitionIndex| names.contains(&index.to_string());
        let context = self.context();
        let assignments = read
            .partitions
            .keys()
            .filter(|index| was_there(index))
            .map(|index| (*index, context.assignment(&TopicPartition::new(topic.clone(), *index))));
        let data = topic_data(read.topic_id, &assignments.collect());
        self.write_all(vec![Operation::SetData { path: zk_data::topic(topic), data, version: None }]).map(drop)
    }

    /// Reads topics' ids and replicas; leaves a watch on each.
    pub(super) fn read_topics(&mut self, names: &[TopicName]) -> Result<BTreeMap<TopicName, Topic>, Stop> {
        let read = |name: &TopicName| Operation::GetData { path: zk_data::topic(name), watch: true };
        let outcomes = self.read_all(names.iter().map(read).collect())?;
        let topics = names.iter().zip(outcomes);
        Ok(topics.filter_map(|(name, outcome)| Some((name.clone(), topic_of(data_of(outcome)?.0)?))).collect())
    }

    /// `onNewPartitionCreation`.
    fn create_partitions(&mut self, partitions: &[TopicPartition]) -> Result<(), Stop> {
        let replicas = self.context().replicas_of(partitions);
        self.partitions_become_new(partitions);
        self.replicas_become_new(&replicas);
        self.partitions_come_online(partitions, Strategy::OFFLINE, None)?;
        self.replicas_come_online(&replicas);
        Ok(())
    }

    /// Topics were marked: they are deleted as far as their replicas are up.
    pub(super) fn on_topic_deletion(&mut self) -> Result<(), Stop> {
        let marked: BTreeSet<TopicName> =
            self.get_children(zk_data::DELETE_TOPICS)?.iter().map(|name| TopicName::new(name)).collect();
        let is_enabled = self.facts.config.delete_topic_enable;
        let context = self.context();
        let (known, unknown): (BTreeSet<TopicName>, BTreeSet<TopicName>) =
            marked.into_iter().partition(|topic| is_enabled && context.topics.contains_key(topic));
        self.delete_all(unknown.iter().map(zk_data::marked_for_deletion).collect())?;
        if known.is_empty() {
            return Ok(());
        }
        let context = self.context();
        let moving = context.reassigning().into_iter().map(|partition| partition.topic);
        let moving: Vec<TopicName> = moving.filter(|topic| known.contains(topic)).collect();
        context.topics_to_delete.extend(known);
        moving.iter().for_each(|topic| self.halt_deletion(topic));
        self.resume_deletions()
    }

    /// Topics with replicas on brokers that came back may be deleted after all (`resumeDeletionForTopics`).
    pub(super) fn resume_deletions_of(&mut self, topics: BTreeSet<TopicName>) -> Result<(), Stop> {
        let context = self.context();
        let queued: BTreeSet<TopicName> = topics.intersection(&context.topics_to_delete).cloned().collect();
        if queued.is_empty() {
            return Ok(());
        }
        context.topics_ineligible_for_deletion.retain(|topic| !queued.contains(topic));
        self.resume_deletions()
    }

    /// A broker answered the request to delete replicas.
    pub(super) fn on_replicas_deleted(
        &mut self,
        broker: BrokerId,
        results: &[(TopicPartition, ErrorCode)],
    ) -> Result<(), Stop> {
        let replica = |(partition, _): &(TopicPartition, ErrorCode)| (partition.clone(), broker);
        let failed: Vec<Replica> = results.iter().filter(|(_, error)| !error.is_none()).map(replica).collect();
        let deleted: Vec<Replica> = results.iter().filter(|(_, error)| error.is_none()).map(replica).collect();
        self.fail_deletion(failed)?;
        self.deletion_succeeded(&deleted);
        self.resume_deletions()
    }

    /// Replicas of topics that are to go cannot be deleted now (`failReplicaDeletion`).
    pub(super) fn fail_deletion(&mut self, mut replicas: Vec<Replica>) -> Result<(), Stop> {
        replicas.retain(|(partition, _)| self.context().is_queued_for_deletion(&partition.topic));
        if replicas.is_empty() {
            return Ok(());
        }
        self.deletion_became_ineligible(&replicas);
        let topics = replicas.into_iter().map(|(partition, _)| partition.topic);
        self.context().topics_ineligible_for_deletion.extend(topics);
        self.resume_deletions()
    }

    /// `resumeDeletions`: completes, retries and begins what can be.
    pub(super) fn resume_deletions(&mut self) -> Result<(), Stop> {
        let queued: Vec<TopicName> = self.context().topics_to_delete.iter().cloned().collect();
        let mut to_retry = Vec::new();
        let mut to_begin = BTreeSet::new();
        for topic in queued {
            let replicas = replicas_of_topic(self.context(), &topic);
            let is_any =
                |work: &mut Self, state| replicas.iter().any(|replica| work.context().replica_state(replica) == state);
            let is_done = |work: &mut Self| {
                let is_deleted =
                    |replica| work.state.context.replica_state(replica) == ReplicaState::DeletionSuccessful;
                replicas.iter().all(is_deleted)
            };
            if is_done(self) {
                self.complete_deletion(&topic)?;
                continue;
            }
            if is_any(self, ReplicaState::DeletionStarted) {
                continue;
            }
            if is_any(self, ReplicaState::DeletionIneligible) {
                to_retry.extend(replicas);
            }
            if !self.context().topics_ineligible_for_deletion.contains(&topic) {
                to_begin.insert(topic);
            }
        }
        to_retry.retain(|replica| self.context().replica_state(replica) == ReplicaState::DeletionIneligible);
        self.replicas_go_offline(&to_retry, None)?;
        if to_begin.is_empty() { Ok(()) } else { self.begin_deletion(&to_begin) }
    }

    fn begin_deletion(&mut self, topics: &BTreeSet<TopicName>) -> Result<(), Stop> {
        let context = self.context();
        let unseen: BTreeSet<TopicName> = topics.difference(&context.topics_with_deletion_started).cloned().collect();
        context.topics_with_deletion_started.extend(unseen.iter().cloned());
        let partitions = context.partitions_of_topics(&unseen);
        self.partitions_go_offline(&partitions);
        self.partitions_cease_to_exist(&partitions);
        let mut batch = Batch::default();
        let context = self.context();
        batch.tell_clients_of(&context.partitions_of_topics(topics), &context.registered(), context);
        batch.send(self);
        self.delete_replicas(topics)
    }

    /// Live replicas are deleted; a topic with dead ones has to wait for them.
    fn delete_replicas(&mut self, topics: &BTreeSet<TopicName>) -> Result<(), Stop> {
        let context = self.context();
        let replicas = context.replicas_of(&context.partitions_of_topics(topics));
        let (alive, dead): (Vec<Replica>, Vec<Replica>) =
            replicas.into_iter().partition(|(_, broker)| context.is_live(*broker));
        let is_left = |replica: &Replica| context.replica_state(replica) != ReplicaState::DeletionSuccessful;
        let to_delete: Vec<Replica> = alive.into_iter().filter(is_left).collect();
        let waiting = dead.iter().map(|(partition, _)| partition.topic.clone()).collect::<Vec<TopicName>>();
        context.topics_ineligible_for_deletion.extend(waiting);
        self.deletion_became_ineligible(&dead);
        self.replicas_go_offline(&to_delete, None)?;
        self.start_deletion(&to_delete);
        Ok(())
    }

    /// Every replica is gone: now the znodes go.
    fn complete_deletion(&mut self, topic: &TopicName) -> Result<(), Stop> {
        self.delete_tree(zk_data::topic(topic))?;
        self.delete_all(vec![zk_data::topic_config(topic)])?;
        self.delete_all(vec![zk_data::marked_for_deletion(topic)])?;
        let is_known = self.context().topics.contains_key(topic);
        self.context().remove_topic(topic);
        if is_known {
            self.note(ControllerEvent::TopicDeleted { topic: topic.clone() });
        }
        Ok(())
    }

    /// `deleteRecursive`: children before their parents.
    fn delete_tree(&mut self, root: ZnodePath) -> Result<(), Stop> {
        let mut levels = vec![vec![root]];
        while let Some(parents) = levels.last().filter(|level| !level.is_empty()) {
            let list = |path: &ZnodePath| Operation::GetChildren { path: path.clone(), watch: false };
            let operations = parents.iter().map(list).collect();
            let parents = parents.clone();
            let outcomes = self.read_all(operations)?;
            levels.push(
                parents.iter().zip(outcomes).flat_map(|(parent, outcome)| children_of(parent, outcome)).collect(),
            );
        }
        for level in levels.into_iter().rev() {
            self.delete_all(level)?;
        }
        Ok(())
    }
}

fn children_of(parent: &ZnodePath, outcome: super::work::Outcome) -> Vec<ZnodePath> {
    match outcome {
        Ok(wire::zookeeper::OperationResult::Children { names, .. }) => {
            names.iter().map(|name| ZnodePath::new(&format!("{}/{name}", parent.0))).collect()
        }
        _ => Vec::new(),
    }
}

fn replicas_of_topic(context: &Context, topic: &TopicName) -> Vec<Replica> {
    context.replicas_of(&context.partitions_of_topics(&BTreeSet::from([topic.clone()])))
}

/// A topic's znode.
pub(super) fn topic_data(topic_id: TopicId, assignments: &BTreeMap<PartitionIndex, Assignment>) -> ZnodeData {
    let all = |brokers: fn(&Assignment) -> &Vec<BrokerId>| {
        assignments.iter().map(|(index, assignment)| (*index, brokers(assignment).clone())).collect::<BTreeMap<_, _>>()
    };
    let some = |brokers| {
        let mut changing = all(brokers);
        changing.retain(|_, brokers| !brokers.is_empty());
        changing
    };
    ZnodeData::Topic {
        topic_id,
        partitions: all(|assignment| &assignment.replicas),
        adding_replicas: some(|assignment| &assignment.adding),
        removing_replicas: some(|assignment| &assignment.removing),
    }
}

fn topic_of(data: ZnodeData) -> Option<Topic> {
    let ZnodeData::Topic { topic_id, partitions, adding_replicas, removing_replicas } = data else { return None };
    let assignment = |(index, replicas): (PartitionIndex, Vec<BrokerId>)| {
        let (adding, removing) = (changing(&adding_replicas, index), changing(&removing_replicas, index));
        (index, Assignment { replicas, adding, removing })
    };
    Some(Topic { topic_id, partitions: partitions.into_iter().map(assignment).collect() })
}

fn changing(replicas: &BTreeMap<PartitionIndex, Vec<BrokerId>>, index: PartitionIndex) -> Vec<BrokerId> {
    replicas.get(&index).cloned().unwrap_or_default()
}
