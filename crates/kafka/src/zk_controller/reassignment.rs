//! Replicas move to other brokers (`onPartitionReassignment` of `kafka.controller.KafkaController`, KIP-455).
//!
//! The topic's znode holds the replicas of before and after together with those that come and those that go, so that any
//! controller can go on where another one stopped. While targets are missing in the in-sync replicas, new replicas are
//! started under a new leader epoch; once all are there, leadership moves to a target and the others go.

use super::Task;
use super::batch::Batch;
use super::context::{Assignment, Context, Leadership, Replica};
use super::elections::partition_result;
use super::partitions::Strategy;
use super::state_znodes::Occasion;
use super::work::{Deed, Outcome, Stop, Work};
use crate::event::{ChangeReason, ControllerEvent};
use crate::node::RequestId;
use crate::zk_data;
use std::collections::{BTreeMap, BTreeSet};
use wire::request::{AlterPartitionReassignmentsRequest, ListPartitionReassignmentsRequest, ReassignablePartition};
use wire::response::{
    AlterPartitionReassignmentsResponse, ListPartitionReassignmentsResponse, OngoingReassignment, PartitionResult,
};
use wire::zookeeper::{CreateMode, Operation, PartitionStateData, ZnodeData, ZnodePath};
use wire::{BrokerId, ErrorCode, Response, TopicName, TopicPartition};

const REASON: Option<ChangeReason> = Some(ChangeReason::Reassignment);

/// Why a partition is not reassigned.
type Refusal = (ErrorCode, String);

impl Work<'_> {
    /// A client begins, changes or cancels reassignments.
    pub(super) fn on_alter_reassignments(
        &mut self,
        id: RequestId,
        request: &AlterPartitionReassignmentsRequest,
    ) -> Result<(), Stop> {
        let mut results: BTreeMap<TopicPartition, PartitionResult> = BTreeMap::new();
        let mut wanted = BTreeMap::new();
        for target in &request.partitions {
            match self.planned(target) {
                Ok(assignment) => drop(wanted.insert(target.partition.clone(), assignment)),
                Err(refusal) => {
                    let result = partition_result(&target.partition, Err(refusal));
                    results.insert(target.partition.clone(), result);
                }
            }
        }
        self.forget_in_zookeeper(|partition, _| wanted.contains_key(partition))?;
        for (partition, result) in self.begin_reassignments(wanted)? {
            results.insert(partition.clone(), partition_result(&partition, result));
        }
        let results = results.into_values().collect();
        let response = AlterPartitionReassignmentsResponse { error: ErrorCode::None, results };
        self.respond(id, Response::AlterPartitionReassignments(response));
        Ok(())
    }

    /// A client asks for the reassignments under way.
    pub(super) fn on_list_reassignments(&mut self, id: RequestId, request: &ListPartitionReassignmentsRequest) {
        let context = self.context();
        let is_asked =
            |partition: &TopicPartition| request.partitions.as_ref().is_none_or(|asked| asked.contains(partition));
        let asked = context.reassigning().into_iter().filter(is_asked);
        let ongoing = asked.map(|partition| {
            let Assignment { replicas, adding, removing } = context.assignment(&partition);
            OngoingReassignment { partition, replicas, adding_replicas: adding, removing_replicas: removing }
        });
        let partitions = ongoing.collect();
        let response = ListPartitionReassignmentsResponse { error: ErrorCode::None, partitions };
        self.respond(id, Response::ListPartitionReassignments(response));
    }

    /// Reassignments may have been asked for by `/admin/reassign_partitions`; leaves a watch there. Returns those that
    /// were begun.
    pub(super) fn on_zookeeper_reassignment(&mut self) -> Result<BTreeSet<TopicPartition>, Stop> {
        self.watch(zk_data::REASSIGN_PARTITIONS)?;
        let wanted = self.read_reassignment()?;
        let plans = wanted.into_iter().map(|(partition, replicas)| {
            let assignment = self.state.context.assignment(&partition).reassigned_to(&replicas);
            (partition, assignment)
        });
        let plans = plans.collect();
        let (begun, failed): (BTreeMap<_, _>, BTreeMap<_, _>) =
            self.begin_reassignments(plans)?.into_iter().partition(|(_, result)| result.is_ok());
        if !failed.is_empty() {
            self.forget_in_zookeeper(|partition, _| failed.contains_key(partition))?;
        }
        Ok(begun.into_keys().collect())
    }

    /// A new controller goes on with what it finds.
    pub(super) fn resume_all_reassignments(&mut self) -> Result<(), Stop> {
        let resumed = self.on_zookeeper_reassignment()?;
        self.resume_reassignments(|partition, _| !resumed.contains(partition))
    }

    /// Goes on with those reassignments under way for which something has changed.
    pub(super) fn resume_reassignments(
        &mut self,
        is_concerned: impl Fn(&TopicPartition, &Assignment) -> bool,
    ) -> Result<(), Stop> {
        for partition in self.context().reassigning() {
            let assignment = self.context().assignment(&partition);
            if is_concerned(&partition, &assignment) {
                self.reassign(&partition, assignment)?;
            }
        }
        Ok(())
    }

    /// Other in-sync replicas may be all that a reassignment waited for.
    pub(super) fn maybe_complete_reassignment(&mut self, partition: &TopicPartition) -> Result<(), Stop> {
        let assignment = self.context().assignment(partition);
        if assignment.is_reassigning() && self.are_targets_in_sync(partition, &assignment)? {
            self.reassign(partition, assignment)?;
        }
        Ok(())
    }

    /// The replicas as they would be meanwhile, or why not.
    fn planned(&mut self, target: &ReassignablePartition) -> Result<Assignment, Refusal> {
        let context = self.context();
        let current = context.assignment(&target.partition);
        match &target.replicas {
            Some(replicas) => {
                let planned = current.reassigned_to(replicas);
                check_replicas(replicas, &planned, context)
                    .map_err(|message| (ErrorCode::InvalidReplicaAssignment, message))?;
                Ok(planned)
            }
            None if current.is_reassigning() => Ok(current.reassigned_to(&current.origin())),
            None => {
                let error = ErrorCode::NoReassignmentInProgress;
                Err((error, error.message().to_owned()))
            }
        }
    }

    fn begin_reassignments(
        &mut self,
        wanted: BTreeMap<TopicPartition, Assignment>,
    ) -> Result<BTreeMap<TopicPartition, Result<(), Refusal>>, Stop> {
        let mut results = BTreeMap::new();
        for (partition, assignment) in wanted {
            let context = self.context();
            let exists = !context.is_queued_for_deletion(&partition.topic)
                && !context.assignment(&partition).replicas.is_empty();
            let result = if !exists {
                Err((ErrorCode::UnknownTopicOrPartition, "The partition does not exist.".to_owned()))
            } else {
                match self.reassign(&partition, assignment) {
                    Err(Stop::Failed) => {
                        let error = ErrorCode::UnknownServerError;
                        Err((error, error.message().to_owned()))
                    }
                    other => Ok(other?),
                }
            };
            results.insert(partition, result);
        }
        Ok(results)
    }

    fn reassign(&mut self, partition: &TopicPartition, assignment: Assignment) -> Result<(), Stop> {
        self.halt_deletion(&partition.topic);
        let before = self.context().assignment(partition);
        if before != assignment {
            self.update_assignment(partition, &before, &assignment)?;
        }
        if self.are_targets_in_sync(partition, &assignment)? {
            let is_cancelled = before.is_reassigning() && !assignment.is_reassigning();
            return self.complete_reassignment(partition, &assignment, is_cancelled);
        }
        self.raise_leader_epoch(partition, &assignment)?;
        assignment.adding.iter().for_each(|replica| self.replicas_become_new(&[(partition.clone(), *replica)]));
        Ok(())
    }

    /// Replicas that an earlier reassignment was adding and this one does not want go at once.
    fn update_assignment(
        &mut self,
        partition: &TopicPartition,
        before: &Assignment,
        after: &Assignment,
    ) -> Result<(), Stop> {
        self.write_assignment(partition, after)?;
        self.context().set_assignment(partition, after.clone());
        if after.is_reassigning() {
            let (partition, adding, removing) = (partition.clone(), after.adding.clone(), after.removing.clone());
            self.note(ControllerEvent::ReassignmentStarted { partition, adding, removing });
        }
        let unneeded = super::context::without(&before.replicas, &after.replicas);
        if unneeded.is_empty() { Ok(()) } else { self.stop_removed(partition, &unneeded) }
    }

    fn complete_reassignment(
        &mut self,
        partition: &TopicPartition,
        assignment: &Assignment,
        is_cancelled: bool,
    ) -> Result<(), Stop> {
        self.replicas_come_online(&replicas(partition, &assignment.adding));
        let completed = Assignment { replicas: assignment.target(), ..Assignment::default() };
        self.context().set_assignment(partition, completed.clone());
        self.move_leader(partition, &completed)?;
        self.stop_removed(partition, &assignment.removing)?;
        self.write_assignment(partition, &completed)?;
        self.forget_in_zookeeper(|its, targets| its == partition && *targets == completed.replicas)?;
        let (its, replicas) = (partition.clone(), completed.replicas);
        self.note(match is_cancelled {
            true => ControllerEvent::ReassignmentCancelled { partition: its, replicas },
            false => ControllerEvent::ReassignmentCompleted { partition: its, replicas },
        });
        let mut batch = Batch::default();
        let context = self.context();
        batch.tell_clients_of(std::slice::from_ref(partition), &context.registered(), context);
        batch.send(self);
        self.resume_deletions_of(BTreeSet::from([partition.topic.clone()]))
    }

    /// The leader must be one of the targets; where it is already, replicas hear of the new list under a new epoch.
    fn move_leader(&mut self, partition: &TopicPartition, completed: &Assignment) -> Result<(), Stop> {
        let context = self.context();
        let leadership = context.leaderships.get(partition).ok_or(Stop::Failed)?;
        let may_stay = |leader: BrokerId| completed.replicas.contains(&leader) && context.is_live(leader);
        if leadership.state.leader.is_some_and(may_stay) {
            return self.raise_leader_epoch(partition, completed);
        }
        self.partitions_come_online(std::slice::from_ref(partition), Strategy::Reassignment, REASON).map(drop)
    }

    /// Nobody waits for the answers of brokers that delete their replicas.
    fn stop_removed(&mut self, partition: &TopicPartition, removed: &[BrokerId]) -> Result<(), Stop> {
        let removed = replicas(partition, removed);
        self.replicas_go_offline(&removed, REASON)?;
        self.start_deletion(&removed);
        self.deletion_succeeded(&removed);
        self.replicas_cease_to_exist(&removed);
        Ok(())
    }

    fn are_targets_in_sync(&mut self, partition: &TopicPartition, assignment: &Assignment) -> Result<bool, Stop> {
        if !assignment.is_reassigning() {
            return Ok(true);
        }
        let states = self.read_states(std::slice::from_ref(partition))?;
        let isr = states.get(partition).map(|leadership| &leadership.state.isr);
        Ok(isr.is_some_and(|isr| assignment.target().iter().all(|target| isr.contains(target))))
    }

    /// Neither leader nor in-sync replicas change, but replicas obey the new list.
    fn raise_leader_epoch(&mut self, partition: &TopicPartition, assignment: &Assignment) -> Result<(), Stop> {
        loop {
            let known = self.read_states(std::slice::from_ref(partition))?.remove(partition).ok_or(Stop::Failed)?;
            let controller_epoch = self.state.context.epoch;
            if known.state.controller_epoch > controller_epoch {
                return Err(Stop::Failed);
            }
            let leader_epoch = known.state.leader_epoch.next();
            let state = PartitionStateData { leader_epoch, controller_epoch, ..known.state };
            let raised = BTreeMap::from([(partition.clone(), Leadership { state, version: known.version })]);
            let written = self.write_states(raised, Occasion { reason: REASON })?;
            match (written.done.is_empty(), written.outdated.is_empty()) {
                (false, _) => break,
                (true, false) => {}
                (true, true) => return Err(Stop::Failed),
            }
        }
        let mut batch = Batch::default();
        batch.tell_replicas(&assignment.origin(), partition, false, self.context());
        batch.tell_replicas(&assignment.adding, partition, true, self.context());
        batch.send(self);
        Ok(())
    }

    fn write_assignment(&mut self, partition: &TopicPartition, assignment: &Assignment) -> Result<(), Stop> {
        let topic = self.context().topics.get(&partition.topic).ok_or(Stop::Failed)?;
        let mut assignments = topic.partitions.clone();
        let topic_id = topic.topic_id;
        assignments.insert(partition.partition, assignment.clone());
        let data = super::topics::topic_data(topic_id, &assignments);
        match self.write_data(&zk_data::topic(&partition.topic).0, data)? {
            Ok(_) => Ok(()),
            Err(_) => Err(Stop::Failed),
        }
    }

    fn write_data(&mut self, path: &str, data: ZnodeData) -> Result<Outcome, Stop> {
        let replace = Operation::SetData { path: ZnodePath::new(path), data, version: None };
        Ok(self.write_all(vec![replace])?.remove(0))
    }

    fn read_reassignment(&mut self) -> Result<BTreeMap<TopicPartition, Vec<BrokerId>>, Stop> {
        match self.get_data(zk_data::REASSIGN_PARTITIONS, false)? {
            Some((ZnodeData::Reassignment(wanted), _)) => Ok(wanted),
            _ => Ok(BTreeMap::new()),
        }
    }

    /// Takes partitions out of `/admin/reassign_partitions`, if that is there; with the last one it goes.
    fn forget_in_zookeeper(&mut self, is_over: impl Fn(&TopicPartition, &Vec<BrokerId>) -> bool) -> Result<(), Stop> {
        if self.get_data(zk_data::REASSIGN_PARTITIONS, false)?.is_none() {
            return Ok(());
        }
        let mut wanted = self.read_reassignment()?;
        wanted.retain(|partition, replicas| !is_over(partition, replicas));
        if wanted.is_empty() {
            self.delete_all(vec![ZnodePath::new(zk_data::REASSIGN_PARTITIONS)])?;
            self.deeds.push(Deed::Put(Task::Reassignment));
            return Ok(());
        }
        let data = ZnodeData::Reassignment(wanted);
        if self.write_data(zk_data::REASSIGN_PARTITIONS, data.clone())?.is_err() {
            let path = ZnodePath::new(zk_data::REASSIGN_PARTITIONS);
            self.write_all(vec![Operation::Create { path, data, mode: CreateMode::Persistent }])?;
        }
        Ok(())
    }

    /// While replicas of a topic move it is not deleted.
    pub(super) fn halt_deletion(&mut self, topic: &TopicName) {
        let context = self.context();
        if context.is_queued_for_deletion(topic) {
            context.topics_ineligible_for_deletion.insert(topic.clone());
        }
    }
}

fn replicas(partition: &TopicPartition, brokers: &[BrokerId]) -> Vec<Replica> {
    brokers.iter().map(|broker| (partition.clone(), *broker)).collect()
}

/// `validateReplicas`; the messages are Kafka's.
fn check_replicas(replicas: &[BrokerId], planned: &Assignment, context: &Context) -> Result<(), String> {
    let distinct: BTreeSet<&BrokerId> = replicas.iter().collect();
    if replicas.is_empty() {
        Err("Empty replica list specified in partition reassignment.".to_owned())
    } else if distinct.len() < replicas.len() {
        Err(format!(
            "Duplicate replica ids in partition reassignment replica list: {}",
            listed("ArrayBuffer", replicas)
        ))
    } else if replicas.iter().any(|replica| replica.0 < 0) {
        Err(format!("Invalid broker id in replica list: {}", listed("ArrayBuffer", replicas)))
    } else if !planned.adding.iter().all(|replica| context.is_live(*replica)) {
        let live: Vec<BrokerId> = context.registered().into_iter().filter(|broker| context.is_live(*broker)).collect();
        let kind = if live.len() > 4 { "HashSet" } else { "Set" };
        Err(format!(
            "Replica assignment has brokers that are not alive. Replica list: {}, live broker list: {}",
            listed("ArrayBuffer", &planned.adding),
            listed(kind, &live)
        ))
    } else {
        Ok(())
    }
}

/// As Scala prints a collection.
fn listed(kind: &str, brokers: &[BrokerId]) -> String {
    format!("{kind}({})", brokers.iter().map(BrokerId::to_string).collect::<Vec<String>>().join(", "))
}
