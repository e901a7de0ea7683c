//! What brokers ask of the controller: other in-sync replicas (AlterPartition, KIP-497), and to be relieved of their
//! leaderships before they go (ControlledShutdown).

use super::batch::Batch;
use super::context::{Leadership, Replica};
use super::elections::ElectionOutcome;
use super::partitions::Strategy;
use super::state_znodes::Occasion;
use super::work::{Stop, Work};
use super::{ControllerOutput, ControllerRequest};
use crate::event::{ChangeReason, ControllerEvent};
use crate::node::RequestId;
use std::collections::BTreeMap;
use wire::request::{AlterPartitionData, AlterPartitionRequest, ControlledShutdownRequest};
use wire::response::{
    AlterPartitionReassignmentsResponse, AlterPartitionResponse, AlterPartitionResult, ControlledShutdownResponse,
    ListPartitionReassignmentsResponse, PartitionResult,
};
use wire::zookeeper::PartitionStateData;
use wire::{
    BrokerEpoch, BrokerId, ErrorCode, LeaderEpoch, LeaderRecoveryState, PartitionEpoch, Response, TopicPartition,
};

/// Why a request came to nothing.
enum Refused {
    /// It is answered with this error.
    With(ErrorCode),
    /// The work stops.
    Stopped(Stop),
}

impl Work<'_> {
    /// A leader proposes other in-sync replicas. Reassignments that waited for them complete behind the answer.
    pub(super) fn on_alter_partition(&mut self, id: RequestId, request: &AlterPartitionRequest) -> Result<(), Stop> {
        let error = self.check_sender(request.broker_id, request.broker_epoch);
        let altered = if error.is_none() { self.alter_partitions(id, request) } else { Err(Refused::With(error)) };
        match altered {
            Ok(altered) => altered.iter().try_for_each(|partition| self.maybe_complete_reassignment(partition)),
            Err(Refused::With(error)) => {
                let response = AlterPartitionResponse { error, partitions: Vec::new() };
                self.respond(id, Response::AlterPartition(response));
                Ok(())
            }
            Err(Refused::Stopped(stop)) => Err(stop),
        }
    }

    /// Returns the partitions that are as proposed now. A controller that is deposed answers with an error, and does not
    /// learn from it.
    fn alter_partitions(
        &mut self,
        id: RequestId,
        request: &AlterPartitionRequest,
    ) -> Result<Vec<TopicPartition>, Refused> {
        let mut errors: BTreeMap<TopicPartition, ErrorCode> = BTreeMap::new();
        let mut accepted: BTreeMap<TopicPartition, Leadership> = BTreeMap::new();
        for data in &request.partitions {
            match self.judge(request.broker_id, data) {
                Ok(Some(leadership)) => drop(accepted.insert(data.partition.clone(), leadership)),
                Ok(None) => {}
                Err(error) => drop(errors.insert(data.partition.clone(), error)),
            }
        }
        let proposed: Vec<TopicPartition> = accepted.keys().cloned().collect();
        let occasion = Occasion { reason: Some(ChangeReason::AlterPartition) };
        let written = self.write_states(accepted, occasion).map_err(|stop| match stop {
            Stop::Waiting => Refused::Stopped(stop),
            Stop::ControllerMoved | Stop::Failed => Refused::With(ErrorCode::UnknownServerError),
        })?;
        let failed = proposed.into_iter().filter(|partition| !written.done.contains(partition));
        errors.extend(failed.map(|partition| (partition, ErrorCode::InvalidUpdateVersion)));
        self.tell_after_alter_partition(request);
        self.answer_alter_partition(id, request, &errors);
        let partitions = request.partitions.iter().map(|data| &data.partition);
        Ok(partitions.filter(|partition| !errors.contains_key(partition)).cloned().collect())
    }

    fn check_sender(&self, broker: BrokerId, broker_epoch: BrokerEpoch) -> ErrorCode {
        match self.state.context.brokers.get(&broker) {
            _ if !self.is_active() => ErrorCode::NotController,
            None => ErrorCode::StaleBrokerEpoch,
            Some(known) if known.epoch != broker_epoch && !self.facts.is_blind_to_bounces => {
                ErrorCode::StaleBrokerEpoch
            }
            Some(_) => ErrorCode::None,
        }
    }

    /// `tryProcessAlterPartition`: the state to write, nothing if it is as proposed already, or why not.
    fn judge(&self, sender: BrokerId, data: &AlterPartitionData) -> Result<Option<Leadership>, ErrorCode> {
        let context = &self.state.context;
        if !context.topics.values().any(|topic| topic.topic_id == data.topic_id) {
            return Err(ErrorCode::UnknownTopicId);
        }
        let known = context.leaderships.get(&data.partition).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        let known_epoch = PartitionEpoch(known.version.0);
        let isr: Vec<BrokerId> = data.new_isr.iter().map(|(broker, _)| *broker).collect();
        let proposed = PartitionStateData {
            leader: Some(sender),
            leader_epoch: data.leader_epoch,
            isr,
            controller_epoch: context.epoch,
            is_recovering: data.leader_recovery_state == LeaderRecoveryState::Recovering,
        };
        let is_as_proposed = PartitionStateData { controller_epoch: context.epoch, ..known.state.clone() } == proposed;
        if data.partition_epoch > known_epoch || data.leader_epoch > known.state.leader_epoch {
            Err(ErrorCode::NotController)
        } else if data.leader_epoch < known.state.leader_epoch {
            Err(ErrorCode::FencedLeaderEpoch)
        } else if is_as_proposed {
            Ok(None)
        } else if data.partition_epoch < known_epoch {
            Err(ErrorCode::InvalidUpdateVersion)
        } else if proposed.is_recovering && (proposed.isr.len() > 1 || !known.state.is_recovering) {
            Err(ErrorCode::InvalidRequest)
        } else if !proposed.isr.iter().all(|member| context.is_live(*member)) {
            Err(ErrorCode::IneligibleReplica)
        } else {
            Ok(Some(Leadership { state: proposed, version: known.version }))
        }
    }

    fn tell_after_alter_partition(&mut self, request: &AlterPartitionRequest) {
        let partitions: Vec<TopicPartition> = request.partitions.iter().map(|data| data.partition.clone()).collect();
        let mut batch = Batch::default();
        let context = self.context();
        batch.tell_clients_of(&partitions, &context.registered(), context);
        batch.send(self);
    }

    fn answer_alter_partition(
        &mut self,
        id: RequestId,
        request: &AlterPartitionRequest,
        errors: &BTreeMap<TopicPartition, ErrorCode>,
    ) {
        let mut partitions = Vec::new();
        for data in &request.partitions {
            let (partition, broker) = (data.partition.clone(), request.broker_id);
            let error = errors.get(&partition).copied().unwrap_or(ErrorCode::None);
            if !error.is_none() {
                self.note(ControllerEvent::AlterPartitionRejected { partition, broker, error });
            }
            partitions.push(alter_partition_result(data, error, self.state.context.leaderships.get(&data.partition)));
        }
        let response = AlterPartitionResponse { error: ErrorCode::None, partitions };
        self.respond(id, Response::AlterPartition(response));
    }

    /// A broker wants to go.
    pub(super) fn on_controlled_shutdown(
        &mut self,
        id: RequestId,
        request: &ControlledShutdownRequest,
    ) -> Result<(), Stop> {
        let error = self.check_leaver(request);
        let relieved = if error.is_none() { self.relieve(request.broker_id) } else { Ok(Vec::new()) };
        let (error, remaining_partitions) = match relieved {
            Ok(remaining) => (error, remaining),
            Err(Stop::Waiting) => return Err(Stop::Waiting),
            Err(Stop::ControllerMoved) => (ErrorCode::StaleControllerEpoch, Vec::new()),
            Err(Stop::Failed) => (ErrorCode::UnknownServerError, Vec::new()),
        };
        let response = ControlledShutdownResponse { error, remaining_partitions };
        self.respond(id, Response::ControlledShutdown(response));
        Ok(())
    }

    fn check_leaver(&self, request: &ControlledShutdownRequest) -> ErrorCode {
        match self.state.context.brokers.get(&request.broker_id) {
            _ if !self.is_active() => ErrorCode::StaleControllerEpoch,
            Some(known) if known.epoch > request.broker_epoch && !self.facts.is_blind_to_bounces => {
                ErrorCode::StaleBrokerEpoch
            }
            None => ErrorCode::BrokerNotAvailable,
            Some(_) => ErrorCode::None,
        }
    }

    /// `doControlledShutdown`: moves leaderships away and stops followers. Returns what the broker still leads.
    fn relieve(&mut self, broker: BrokerId) -> Result<Vec<TopicPartition>, Stop> {
        if self.context().shutting_down.insert(broker) {
            self.note(ControllerEvent::ControlledShutdownStarted { broker });
        }
        let replicas = self.context().replicas_on(&[broker]);
        let context = self.context();
        let can_move = |partition: &TopicPartition| {
            context.assignment(partition).replicas.len() > 1
                && context.leaderships.contains_key(partition)
                && !context.is_queued_for_deletion(&partition.topic)
        };
        let partitions = replicas.into_iter().map(|(partition, _)| partition).filter(can_move);
        let (led, followed): (Vec<TopicPartition>, Vec<TopicPartition>) =
            partitions.partition(|partition| context.leader(partition) == Some(broker));
        let reason = Some(ChangeReason::ControlledShutdown);
        self.partitions_come_online(&led, Strategy::ControlledShutdown, reason)?;
        let mut batch = Batch::default();
        followed.iter().for_each(|partition| batch.stop_replica(broker, partition, false, self.context()));
        batch.send(self);
        let followed: Vec<Replica> = followed.into_iter().map(|partition| (partition, broker)).collect();
        self.replicas_go_offline(&followed, reason)?;
        let context = self.context();
        let is_remaining = |partition: &TopicPartition| {
            context.leader(partition) == Some(broker) && context.assignment(partition).replicas.len() > 1
        };
        Ok(context.partitions().into_iter().filter(is_remaining).collect())
    }
}

fn alter_partition_result(
    data: &AlterPartitionData,
    error: ErrorCode,
    known: Option<&Leadership>,
) -> AlterPartitionResult {
    let partition = data.partition.clone();
    match known.filter(|_| error.is_none()) {
        Some(known) => AlterPartitionResult {
            partition,
            error,
            leader: known.state.leader,
            leader_epoch: known.state.leader_epoch,
            isr: known.state.isr.clone(),
            partition_epoch: PartitionEpoch(known.version.0),
        },
        None => AlterPartitionResult {
            partition,
            error,
            leader: None,
            leader_epoch: LeaderEpoch::NONE,
            isr: Vec::new(),
            partition_epoch: PartitionEpoch(-1),
        },
    }
}

/// The answer of a broker that is not the controller, or is it no longer (`preempt`).
pub(super) fn refuse(id: RequestId, request: &ControllerRequest) -> ControllerOutput {
    let error = ErrorCode::NotController;
    let response = match request {
        ControllerRequest::AlterPartition(_) => {
            Response::AlterPartition(AlterPartitionResponse { error, partitions: Vec::new() })
        }
        ControllerRequest::ControlledShutdown(_) => Response::ControlledShutdown(ControlledShutdownResponse {
            error: ErrorCode::StaleControllerEpoch,
            remaining_partitions: Vec::new(),
        }),
        ControllerRequest::AlterPartitionReassignments(_) => {
            Response::AlterPartitionReassignments(AlterPartitionReassignmentsResponse { error, results: Vec::new() })
        }
        ControllerRequest::ListPartitionReassignments(_) => {
            Response::ListPartitionReassignments(ListPartitionReassignmentsResponse { error, partitions: Vec::new() })
        }
        ControllerRequest::ElectLeaders { partitions, .. } => {
            let failed = |partition: &TopicPartition| PartitionResult {
                partition: partition.clone(),
                error,
                error_message: None,
            };
            let (leaders, failures) = (BTreeMap::new(), partitions.iter().map(failed).collect());
            return ControllerOutput::Elected { id, outcome: ElectionOutcome { leaders, failures } };
        }
    };
    ControllerOutput::Respond { id, response }
}
