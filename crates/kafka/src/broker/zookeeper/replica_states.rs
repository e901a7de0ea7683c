//! What the controller makes of this broker's replicas: leaders, followers, or nothing any more
//! (`ReplicaManager.becomeLeaderOrFollower`, `ReplicaManager.stopReplicas`). What a replica does then is the same as in
//! KRaft mode.

use super::super::{Broker, Step};
use crate::event::{BrokerEvent, EventKind};
use crate::metadata::{PartitionRegistration, TopicImage};
use crate::node::RequestId;
use crate::view::Obeyed;
use std::collections::BTreeMap;
use wire::request::{
    ControllerHeader, LeaderAndIsrPartition, LeaderAndIsrRequest, StopReplicaPartition, StopReplicaRequest,
};
use wire::response::ReplicaStateResponse;
use wire::{BrokerEpoch, ErrorCode, LeaderRecoveryState, Response, TopicPartition};

impl Broker {
    /// Refuses what was meant for an earlier run of this broker, or comes from a controller that another one has
    /// replaced. Else remembers the controller's epoch.
    pub(super) fn fence_controller(&mut self, header: &ControllerHeader, step: &mut Step<'_>) -> ErrorCode {
        let error = self.control_request_error(header);
        if error.is_none() {
            let obeyed = Obeyed { header: *header, broker_epoch: self.broker_epoch_or_none() };
            self.membership.zookeeper_mut().obeyed = Some(obeyed);
        } else {
            step.effects.note(EventKind::Broker(BrokerEvent::ControllerFenced {
                controller: header.controller_id,
                controller_epoch: header.controller_epoch,
                error,
            }));
        }
        error
    }

    fn control_request_error(&self, header: &ControllerHeader) -> ErrorCode {
        let faults = self.setup.spec.historical_faults;
        let is_for_earlier_run = header.broker_epoch != BrokerEpoch::NONE
            && header.broker_epoch < self.broker_epoch_or_none()
            && !faults.unnoticed_broker_bounces;
        let is_from_earlier_controller = header.controller_epoch < self.membership.zookeeper().controller_epoch()
            && !faults.unfenced_zookeeper_controllers;
        match (is_for_earlier_run, is_from_earlier_controller) {
            (true, _) => ErrorCode::StaleBrokerEpoch,
            (false, true) => ErrorCode::StaleControllerEpoch,
            (false, false) => ErrorCode::None,
        }
    }

    /// Replicas are to lead or follow, once their topics' configurations are known.
    pub(in super::super) fn on_leader_and_isr(
        &mut self,
        id: RequestId,
        request: LeaderAndIsrRequest,
        step: &mut Step<'_>,
    ) {
        let error = self.fence_controller(&request.header, step);
        if !error.is_none() {
            let response = ReplicaStateResponse { error, partitions: Vec::new() };
            return self.server.respond(id, Response::LeaderAndIsr(response), step.effects);
        }
        let topics = request.partitions.iter().map(|state| state.partition.topic.clone()).collect();
        self.once_configured(topics, super::configs::Waiting::LeaderAndIsr(id, request), step);
    }

    /// First the replicas to lead, then those to follow.
    pub(super) fn become_leader_or_follower(
        &mut self,
        id: RequestId,
        request: &LeaderAndIsrRequest,
        step: &mut Step<'_>,
    ) {
        let errors: BTreeMap<&TopicPartition, ErrorCode> =
            request.partitions.iter().map(|state| (&state.partition, self.leader_and_isr_error(state))).collect();
        for leads in [true, false] {
            for state in &request.partitions {
                let is_turn = (state.leader == Some(self.setup.broker_id)) == leads;
                if is_turn && errors[&state.partition].is_none() {
                    self.take_role(state, step);
                }
            }
        }
        self.start_checkpointing(step);
        self.advance_fetchers(step);
        let partitions = request.partitions.iter().map(|state| (state.partition.clone(), errors[&state.partition]));
        let response = ReplicaStateResponse { error: ErrorCode::None, partitions: partitions.collect() };
        self.server.respond(id, Response::LeaderAndIsr(response), step.effects);
    }

    /// Only a newer leader epoch is obeyed.
    fn leader_and_isr_error(&self, state: &LeaderAndIsrPartition) -> ErrorCode {
        let known_topic_id = self.replicas.topic_id(&state.partition);
        let known_epoch = self.replicas.get(&state.partition).map(|replica| replica.leader_epoch());
        if known_topic_id.is_some_and(|topic_id| topic_id != state.topic_id) {
            ErrorCode::InconsistentTopicId
        } else if known_epoch.is_some_and(|epoch| state.leader_epoch <= epoch) {
            ErrorCode::StaleControllerEpoch
        } else if !state.replicas.contains(&self.setup.broker_id) {
            ErrorCode::UnknownTopicOrPartition
        } else {
            ErrorCode::None
        }
    }

    /// A leader that is not alive, as far as this broker was told, is not followed: the replica stays what it was.
    fn take_role(&mut self, state: &LeaderAndIsrPartition, step: &mut Step<'_>) {
        let configs = self.membership.zookeeper().configs.of(&state.partition.topic).clone();
        let topic = TopicImage { topic_id: state.topic_id, configs, partitions: BTreeMap::new() };
        let is_known = |leader| leader == self.setup.broker_id || self.image.brokers().contains_key(&leader);
        if !state.leader.is_some_and(is_known) {
            self.replicas.ensure(
                &state.partition,
                &topic,
                (&self.config, self.setup.wall_clock.at(step.now)),
                step.effects,
            );
            return;
        }
        self.apply_role(&state.partition, &topic, &registration(state), step);
    }

    /// Replicas are to stop, and perhaps to go.
    pub(in super::super) fn on_stop_replica(
        &mut self,
        id: RequestId,
        request: &StopReplicaRequest,
        step: &mut Step<'_>,
    ) {
        let error = self.fence_controller(&request.header, step);
        let obeyed = if error.is_none() { &request.partitions[..] } else { &[] };
        let results = obeyed.iter().map(|stop| (stop.partition.clone(), self.stop_replica(stop, step)));
        let response = ReplicaStateResponse { error, partitions: results.collect() };
        if obeyed.iter().any(|stop| stop.delete) {
            self.checkpoint_logs(step);
        }
        self.advance_fetchers(step);
        self.server.respond(id, Response::StopReplica(response), step.effects);
    }

    fn stop_replica(&mut self, stop: &StopReplicaPartition, step: &mut Step<'_>) -> ErrorCode {
        let known_epoch = self.replicas.get(&stop.partition).map(|replica| replica.leader_epoch());
        if stop.leader_epoch.zip(known_epoch).is_some_and(|(told, known)| told < known) {
            return ErrorCode::FencedLeaderEpoch;
        }
        self.remove_from_fetchers(&stop.partition);
        if stop.delete {
            self.replicas.delete(&stop.partition, step.effects);
        } else if let Some(replica) = self.replicas.get_mut(&stop.partition) {
            replica.stop_fetching();
        }
        self.purgatory.touch(&stop.partition);
        ErrorCode::None
    }
}

fn registration(state: &LeaderAndIsrPartition) -> PartitionRegistration {
    PartitionRegistration {
        replicas: state.replicas.clone(),
        isr: state.isr.clone(),
        adding_replicas: state.adding_replicas.clone(),
        removing_replicas: state.removing_replicas.clone(),
        leader: state.leader,
        leader_recovery_state: if state.is_recovering {
            LeaderRecoveryState::Recovering
        } else {
            LeaderRecoveryState::Recovered
        },
        leader_epoch: state.leader_epoch,
        partition_epoch: state.partition_epoch,
        eligible_leader_replicas: Vec::new(),
        last_known_elr: Vec::new(),
    }
}
