//! The state znodes of partitions: making them, reading them, and replacing them under the condition that nobody else did.

use super::context::Leadership;
use super::work::{Stop, Work, data_of};
use crate::event::{ChangeReason, ControllerEvent};
use crate::zk_data;
use std::collections::{BTreeMap, BTreeSet};
use wire::zookeeper::{
    CreateMode, Operation, OperationResult, PartitionStateData, ZnodeData, ZnodePath, ZooKeeperError,
};
use wire::{PartitionEpoch, TopicName, TopicPartition};

fn create(path: ZnodePath, data: ZnodeData) -> Operation {
    Operation::Create { path, data, mode: CreateMode::Persistent }
}

/// Why a state is written, for the events.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion {
    pub(super) reason: Option<ChangeReason>,
}

/// What came of writing states.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// They are in ZooKeeper and in the context now.
    pub(super) done: Vec<TopicPartition>,
    /// Somebody else has written them meanwhile.
    pub(super) outdated: Vec<TopicPartition>,
}

impl Work<'_> {
    /// Makes the state znodes of new partitions. Returns those that were made.
    pub(super) fn create_states(
        &mut self,
        states: BTreeMap<TopicPartition, PartitionStateData>,
    ) -> Result<Vec<TopicPartition>, Stop> {
        let topics: BTreeSet<&TopicName> = states.keys().map(|partition| &partition.topic).collect();
        let of_topics = topics.into_iter().map(zk_data::partitions);
        let of_topics: Vec<Operation> = of_topics.map(|path| create(path, ZnodeData::Empty)).collect();
        self.write_all(of_topics)?;
        let of_partitions = states.keys().map(|partition| create(zk_data::partition(partition), ZnodeData::Empty));
        self.write_all(of_partitions.collect())?;
        let data = |state: &PartitionStateData| ZnodeData::PartitionState(state.clone());
        let outcomes = self.write_all(
            states.iter().map(|(partition, state)| create(zk_data::partition_state(partition), data(state))).collect(),
        )?;
        let mut made = Vec::new();
        for ((partition, state), outcome) in states.into_iter().zip(outcomes) {
            if let Ok(OperationResult::Created { stat, .. }) = outcome {
                self.take_state(&partition, state, stat.version, Occasion { reason: None });
                made.push(partition);
            }
        }
        Ok(made)
    }

    /// Reads states. Partitions without one are left out, and so are those that a later controller has written.
    pub(super) fn read_states(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, Leadership>, Stop> {
        let read =
            |partition: &TopicPartition| Operation::GetData { path: zk_data::partition_state(partition), watch: false };
        let outcomes = self.read_all(partitions.iter().map(read).collect())?;
        let states = partitions.iter().zip(outcomes).filter_map(|(partition, outcome)| match data_of(outcome)? {
            (ZnodeData::PartitionState(state), stat) => {
                Some((partition.clone(), Leadership { state, version: stat.version }))
            }
            _ => None,
        });
        Ok(states.collect())
    }

    /// Replaces states by others, each under the condition that it still has the version beside it.
    pub(super) fn write_states(
        &mut self,
        states: BTreeMap<TopicPartition, Leadership>,
        occasion: Occasion,
    ) -> Result<Written, Stop> {
        if states.is_empty() {
            return Ok(Written::default());
        }
        let replace = |(partition, leadership): (&TopicPartition, &Leadership)| Operation::SetData {
            path: zk_data::partition_state(partition),
            data: ZnodeData::PartitionState(leadership.state.clone()),
            version: self.demanded(leadership.version),
        };
        let operations = states.iter().map(replace).collect();
        let outcomes = self.write_all(operations)?;
        let mut written = Written::default();
        for ((partition, leadership), outcome) in states.into_iter().zip(outcomes) {
            match outcome {
                Ok(OperationResult::DataSet(stat)) => {
                    self.take_state(&partition, leadership.state, stat.version, occasion);
                    written.done.push(partition);
                }
                Err(ZooKeeperError::BadVersion) => written.outdated.push(partition),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(written)
    }

    fn take_state(
        &mut self,
        partition: &TopicPartition,
        state: PartitionStateData,
        version: wire::zookeeper::ZnodeVersion,
        occasion: Occasion,
    ) {
        let new = Leadership { state, version };
        let old = self.context().leaderships.insert(partition.clone(), new.clone());
        if let Some(event) = told_change(partition, old.as_ref(), &new, occasion.reason) {
            self.note(event);
        }
    }
}

fn told_change(
    partition: &TopicPartition,
    old: Option<&Leadership>,
    new: &Leadership,
    reason: Option<ChangeReason>,
) -> Option<ControllerEvent> {
    let partition = partition.clone();
    let previous_leader = old.and_then(|old| old.state.leader);
    let PartitionStateData { leader, leader_epoch, isr, .. } = new.state.clone();
    match (leader, reason, old) {
        (Some(leader), _, _) if previous_leader != Some(leader) => {
            let is_unclean = old.is_some_and(|old| !old.state.isr.contains(&leader));
            Some(ControllerEvent::LeaderElected {
                partition,
                leader,
                previous_leader,
                leader_epoch,
                isr,
                is_unclean,
                reason,
            })
        }
        (None, Some(reason), _) if previous_leader.is_some() => {
            Some(ControllerEvent::PartitionWentOffline { partition, leader_epoch, isr, reason })
        }
        (_, Some(reason), Some(old)) if old.state.isr != isr => Some(ControllerEvent::IsrChanged {
            partition,
            from: old.state.isr.clone(),
            to: isr,
            partition_epoch: PartitionEpoch(new.version.0),
            reason,
        }),
        _ => None,
    }
}
