//! The states of replicas and how they change (`kafka.controller.ZkReplicaStateMachine`).

use super::batch::Batch;
use super::context::{Leadership, Replica, ReplicaState};
use super::state_znodes::Occasion;
use super::work::{Stop, Work};
use crate::event::ChangeReason;
use std::collections::{BTreeMap, BTreeSet};
use wire::zookeeper::PartitionStateData;
use wire::{BrokerId, TopicPartition};

impl Work<'_> {
    fn replicas_that_may_become(&mut self, replicas: &[Replica], to: ReplicaState) -> Vec<Replica> {
        let context = self.context();
        let may = |replica: &&Replica| to.may_follow(context.replica_state(replica));
        replicas.iter().filter(may).cloned().collect()
    }

    fn set_replica_states(&mut self, replicas: &[Replica], to: ReplicaState) -> Vec<Replica> {
        let changed = self.replicas_that_may_become(replicas, to);
        for replica in &changed {
            self.context().replica_states.insert(replica.clone(), to);
        }
        changed
    }

    /// Replicas are new. Those of partitions that have a state already, as at a reassignment, are told what they are.
    pub(super) fn replicas_become_new(&mut self, replicas: &[Replica]) {
        let mut batch = Batch::default();
        for replica in self.replicas_that_may_become(replicas, ReplicaState::New) {
            let context = self.context();
            let (partition, broker) = &replica;
            if context.leader(partition) == Some(*broker) {
                continue;
            }
            if context.leaderships.contains_key(partition) {
                batch.tell_replicas(&[*broker], partition, true, context);
            }
            context.replica_states.insert(replica, ReplicaState::New);
        }
        batch.send(self);
    }

    /// Replicas are there (again): those that were known before are told what they are.
    pub(super) fn replicas_come_online(&mut self, replicas: &[Replica]) {
        let mut batch = Batch::default();
        for replica in self.replicas_that_may_become(replicas, ReplicaState::Online) {
            let context = self.context();
            let was_new = context.replica_state(&replica) == ReplicaState::New;
            if !was_new && context.leaderships.contains_key(&replica.0) {
                batch.tell_replicas(&[replica.1], &replica.0, false, context);
            }
            context.replica_states.insert(replica, ReplicaState::Online);
        }
        batch.send(self);
    }

    /// Replicas are gone: they are told to stop, and leave the in-sync replicas.
    pub(super) fn replicas_go_offline(
        &mut self,
        replicas: &[Replica],
        reason: Option<ChangeReason>,
    ) -> Result<(), Stop> {
        let replicas = self.replicas_that_may_become(replicas, ReplicaState::Offline);
        let brokers: BTreeSet<BrokerId> = replicas.iter().map(|(_, broker)| *broker).collect();
        let mut batch = Batch::default();
        for broker in brokers {
            let of_broker = replicas.iter().filter(|(_, its)| *its == broker);
            let partitions: Vec<TopicPartition> = of_broker.map(|(partition, _)| partition.clone()).collect();
            self.replicas_of_broker_go_offline(broker, partitions, reason, &mut batch)?;
        }
        batch.send(self);
        Ok(())
    }

    fn replicas_of_broker_go_offline(
        &mut self,
        broker: BrokerId,
        partitions: Vec<TopicPartition>,
        reason: Option<ChangeReason>,
        batch: &mut Batch,
    ) -> Result<(), Stop> {
        let context = self.context();
        partitions.iter().for_each(|partition| batch.stop_replica(broker, partition, false, context));
        let has_state = |partition: &TopicPartition| context.leaderships.contains_key(partition);
        let (with_state, without): (Vec<_>, Vec<_>) = partitions.into_iter().partition(has_state);
        for partition in self.remove_from_isr(broker, with_state, reason)? {
            let context = self.context();
            if !context.is_queued_for_deletion(&partition.topic) {
                let mut others = context.assignment(&partition).replicas;
                others.retain(|replica| *replica != broker);
                batch.tell_replicas(&others, &partition, false, context);
            }
            context.replica_states.insert((partition, broker), ReplicaState::Offline);
        }
        for partition in without {
            let context = self.context();
            batch.tell_clients_of(&[], &context.registered(), context);
            context.replica_states.insert((partition, broker), ReplicaState::Offline);
        }
        Ok(())
    }

    /// Takes a broker out of the in-sync replicas until ZooKeeper has it. The last member stays. Returns the partitions
    /// whose state is known now, changed or not.
    fn remove_from_isr(
        &mut self,
        broker: BrokerId,
        mut remaining: Vec<TopicPartition>,
        reason: Option<ChangeReason>,
    ) -> Result<Vec<TopicPartition>, Stop> {
        let mut settled = Vec::new();
        while !remaining.is_empty() {
            let epoch = self.state.context.epoch;
            let mut states = self.read_states(&remaining)?;
            states.retain(|_, leadership| leadership.state.controller_epoch <= epoch);
            let is_member = |leadership: &Leadership| leadership.state.isr.contains(&broker);
            let (members, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
                states.into_iter().partition(|(_, leadership)| is_member(leadership));
            settled.extend(others.keys().cloned());
            self.context().leaderships.extend(others);
            let shrunk = members.into_iter().map(|(partition, leadership)| {
                let state = without(broker, &leadership.state, epoch);
                (partition, Leadership { state, version: leadership.version })
            });
            let written = self.write_states(shrunk.collect(), Occasion { reason })?;
            settled.extend(written.done);
            remaining = written.outdated;
        }
        Ok(settled)
    }

    /// Replicas of a topic that is to go are told to delete their logs.
    pub(super) fn start_deletion(&mut self, replicas: &[Replica]) {
        let mut batch = Batch::default();
        for (partition, broker) in self.set_replica_states(replicas, ReplicaState::DeletionStarted) {
            batch.stop_replica(broker, &partition, true, self.context());
        }
        batch.send(self);
    }

    /// Replicas cannot be deleted for now.
    pub(super) fn deletion_became_ineligible(&mut self, replicas: &[Replica]) {
        self.set_replica_states(replicas, ReplicaState::DeletionIneligible);
    }

    /// Replicas have deleted their logs.
    pub(super) fn deletion_succeeded(&mut self, replicas: &[Replica]) {
        self.set_replica_states(replicas, ReplicaState::DeletionSuccessful);
    }

    /// Replicas are nothing any more, and belong to their partitions no longer.
    pub(super) fn replicas_cease_to_exist(&mut self, replicas: &[Replica]) {
        for (partition, broker) in self.replicas_that_may_become(replicas, ReplicaState::NonExistent) {
            let context = self.context();
            let mut assignment = context.assignment(&partition);
            for brokers in [&mut assignment.replicas, &mut assignment.adding, &mut assignment.removing] {
                brokers.retain(|replica| *replica != broker);
            }
            context.set_assignment(&partition, assignment);
            context.replica_states.remove(&(partition, broker));
        }
    }
}

fn without(broker: BrokerId, state: &PartitionStateData, controller_epoch: i32) -> PartitionStateData {
    let mut isr = state.isr.clone();
    if isr.len() > 1 {
        isr.retain(|member| *member != broker);
    }
    PartitionStateData {
        leader: state.leader.filter(|leader| *leader != broker),
        leader_epoch: state.leader_epoch.next(),
        isr,
        controller_epoch,
        is_recovering: state.is_recovering,
    }
}
