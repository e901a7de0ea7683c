//! What a controller is asked, and by whom (`kafka.server.ControllerApis`).

use super::Running;
use super::admin_requests::Asked;
use super::placement::UsableBroker;
use super::replication::Cluster;
use super::writes::Operation;
use crate::event::{ChangeReason, ControllerEvent, EventKind};
use crate::instant::Instant;
use crate::node::{Effects, RequestId};
use crate::release::{RELEASE, finalized_features};
use wire::request::{
    AlterPartitionRequest, BrokerHeartbeatRequest, BrokerRegistrationRequest, CreatePartitionsRequest,
    CreateTopicsRequest, DeleteTopicsRequest,
};
use wire::response::{
    AlterPartitionResponse, ApiVersionsResponse, BrokerHeartbeatResponse, BrokerRegistrationResponse, ListenerKind,
    TopicResult, TopicResults,
};
use wire::{BrokerEpoch, ErrorCode, Request, Response, TopicName};

impl Running {
    pub(super) fn on_request(&mut self, now: Instant, id: RequestId, request: Request, effects: &mut Effects) {
        let asked = Asked { now, id, reason: None };
        match request {
            Request::ApiVersions => self.on_api_versions(id, effects),
            Request::Fetch(request) => self.with_raft(now, effects, |raft, step| raft.on_fetch(id, *request, step)),
            Request::Vote(request) => self.with_raft(now, effects, |raft, step| raft.on_vote(id, &request, step)),
            Request::BeginQuorumEpoch(request) => {
                self.with_raft(now, effects, |raft, step| raft.on_begin_quorum_epoch(id, &request, step));
            }
            Request::EndQuorumEpoch(request) => {
                self.with_raft(now, effects, |raft, step| raft.on_end_quorum_epoch(id, &request, step));
            }
            Request::FetchSnapshot(request) => {
                self.with_raft(now, effects, |raft, step| raft.on_fetch_snapshot(id, &request, step));
            }
            Request::DescribeQuorum => self.with_raft(now, effects, |raft, step| raft.on_describe_quorum(id, step)),
            Request::CreateTopics(request) => self.on_create_topics(now, id, &request, effects),
            Request::CreatePartitions(request) => self.on_create_partitions(now, id, &request, effects),
            Request::DeleteTopics(request) => self.on_delete_topics(now, id, &request, effects),
            Request::ElectLeaders(request) => self.on_elect_leaders(asked, &request, effects),
            Request::AlterPartitionReassignments(request) => {
                self.on_alter_partition_reassignments(asked, &request, effects);
            }
            Request::ListPartitionReassignments(request) => {
                self.on_list_partition_reassignments(asked, &request, effects);
            }
            Request::IncrementalAlterConfigs(request) => self.on_incremental_alter_configs(asked, &request, effects),
            Request::UpdateFeatures(request) => self.on_update_features(asked, &request, effects),
            Request::UnregisterBroker(request) => self.on_unregister_broker(asked, request, effects),
            Request::AllocateProducerIds(request) => self.on_allocate_producer_ids(asked, request, effects),
            Request::BrokerRegistration(request) => self.on_broker_registration(now, id, &request, effects),
            Request::BrokerHeartbeat(request) => self.on_broker_heartbeat(now, id, &request, effects),
            Request::ControllerRegistration(request) => self.on_controller_registration(asked, request, effects),
            Request::AlterPartition(request) => self.on_alter_partition(now, id, &request, effects),
            Request::Metadata(_)
            | Request::Produce(_)
            | Request::ListOffsets(_)
            | Request::OffsetForLeaderEpoch(_)
            | Request::DescribeTopicPartitions(_)
            | Request::DescribeConfigs(_)
            | Request::DeleteRecords(_)
            | Request::DescribeLogDirs(_)
            | Request::DescribeCluster
            | Request::InitProducerId(_)
            | Request::LeaderAndIsr(_)
            | Request::UpdateMetadata(_)
            | Request::StopReplica(_)
            | Request::ControlledShutdown(_)
            | Request::ZooKeeper(_) => self.on_request_for_brokers(now, id, effects),
        }
    }

    fn on_api_versions(&mut self, id: RequestId, effects: &mut Effects) {
        let response = ApiVersionsResponse {
            apis: &[],
            listener: ListenerKind::Controller,
            supported_features: RELEASE.features(self.config.unstable_feature_versions_enable),
            finalized_features_epoch: self.replayed_to.0 - 1,
            finalized_features: finalized_features(self.image.features()),
        };
        self.channels.respond(id, Response::ApiVersions(response), effects);
    }

    /// A request that is not enabled on this listener: the socket server closes the connection.
    fn on_request_for_brokers(&mut self, now: Instant, id: RequestId, effects: &mut Effects) {
        effects.close(id.connection);
        self.on_disconnected(now, id.connection, effects);
    }

    pub(super) fn cluster(&self) -> Cluster<'_> {
        Cluster { image: &self.image, config: &self.config, faults: self.faults }
    }

    /// Registered brokers that are not shutting down.
    fn usable_brokers(&self) -> Vec<UsableBroker> {
        let active = self.active.as_ref().expect("only the active controller places replicas");
        let brokers = self.image.brokers().iter();
        brokers
            .filter(|(id, _)| !active.heartbeats.is_shutting_down(**id))
            .map(|(id, broker)| UsableBroker { id: *id, rack: broker.rack.clone(), fenced: broker.fenced })
            .collect()
    }

    fn on_create_topics(&mut self, now: Instant, id: RequestId, request: &CreateTopicsRequest, effects: &mut Effects) {
        let respond = Response::CreateTopics;
        if self.active.is_none() {
            let names = request.topics.iter().map(|topic| &topic.name);
            return self.channels.respond(id, respond(not_controller(names)), effects);
        }
        let usable = self.usable_brokers();
        let cluster = Cluster { image: &self.image, config: &self.config, faults: self.faults };
        let outcome = cluster.create_topics(request, &usable, &mut self.rng);
        let operation = Operation { records: outcome.records, reason: None };
        self.complete(now, id, operation, respond(outcome.results), effects);
    }

    fn on_create_partitions(
        &mut self,
        now: Instant,
        id: RequestId,
        request: &CreatePartitionsRequest,
        effects: &mut Effects,
    ) {
        let respond = Response::CreatePartitions;
        if self.active.is_none() {
            let names = request.topics.iter().map(|topic| &topic.name);
            return self.channels.respond(id, respond(not_controller(names)), effects);
        }
        let usable = self.usable_brokers();
        let cluster = Cluster { image: &self.image, config: &self.config, faults: self.faults };
        let outcome = cluster.create_partitions(request, &usable, &mut self.rng);
        let operation = Operation { records: outcome.records, reason: None };
        self.complete(now, id, operation, respond(outcome.results), effects);
    }

    fn on_delete_topics(&mut self, now: Instant, id: RequestId, request: &DeleteTopicsRequest, effects: &mut Effects) {
        let respond = Response::DeleteTopics;
        if self.active.is_none() {
            return self.channels.respond(id, respond(not_controller(request.topics.iter())), effects);
        }
        let outcome = self.cluster().delete_topics(request);
        let operation = Operation { records: outcome.records, reason: None };
        self.complete(now, id, operation, respond(outcome.results), effects);
    }

    fn on_broker_registration(
        &mut self,
        now: Instant,
        id: RequestId,
        request: &BrokerRegistrationRequest,
        effects: &mut Effects,
    ) {
        let respond = Response::BrokerRegistration;
        let next_offset = self.raft.log().end_offset();
        let Some(active) = self.active.as_mut() else {
            let error = ErrorCode::NotController;
            let response = BrokerRegistrationResponse { error, broker_epoch: BrokerEpoch::NONE };
            return self.channels.respond(id, respond(response), effects);
        };
        let cluster = Cluster { image: &self.image, config: &self.config, faults: self.faults };
        let registered = cluster.register_broker(request, &mut active.heartbeats, next_offset, now);
        let operation = Operation { records: registered.records, reason: Some(ChangeReason::BrokerFenced) };
        self.complete(now, id, operation, respond(registered.response), effects);
        self.schedule_session_check(now, effects);
    }

    fn on_broker_heartbeat(
        &mut self,
        now: Instant,
        id: RequestId,
        request: &BrokerHeartbeatRequest,
        effects: &mut Effects,
    ) {
        let respond = Response::BrokerHeartbeat;
        let Some(active) = self.active.as_mut() else {
            let error = ErrorCode::NotController;
            let response =
                BrokerHeartbeatResponse { error, is_caught_up: false, is_fenced: true, should_shut_down: false };
            return self.channels.respond(id, respond(response), effects);
        };
        let cluster = Cluster { image: &self.image, config: &self.config, faults: self.faults };
        let outcome = cluster.on_heartbeat(request, &mut active.heartbeats, &self.registration_offsets, now);
        let operation = Operation { records: outcome.records, reason: outcome.reason };
        self.complete(now, id, operation, respond(outcome.response), effects);
        if outcome.in_controlled_shutdown {
            self.remember_controlled_shutdown(request);
        }
        self.schedule_session_check(now, effects);
    }

    /// The broker may go when every active broker has applied what the log holds now.
    fn remember_controlled_shutdown(&mut self, request: &BrokerHeartbeatRequest) {
        let last_offset = self.last_offset();
        if let Some(active) = self.active.as_mut() {
            active.heartbeats.maybe_update_controlled_shutdown_offset(request.broker_id, last_offset);
        }
    }

    fn on_alter_partition(
        &mut self,
        now: Instant,
        id: RequestId,
        request: &AlterPartitionRequest,
        effects: &mut Effects,
    ) {
        let respond = Response::AlterPartition;
        if self.active.is_none() {
            let response = AlterPartitionResponse { error: ErrorCode::NotController, partitions: Vec::new() };
            return self.channels.respond(id, respond(response), effects);
        }
        let (records, response) = self.cluster().alter_partition(request);
        note_refusals(request, &response, effects);
        let operation = Operation { records, reason: Some(ChangeReason::AlterPartition) };
        self.complete(now, id, operation, respond(response), effects);
    }
}

fn not_controller<'a>(names: impl Iterator<Item = &'a TopicName>) -> TopicResults {
    let (error, error_message) = (ErrorCode::NotController, Some(ErrorCode::NotController.message().to_owned()));
    let topics = names
        .map(|name| TopicResult { name: name.clone(), topic_id: None, error, error_message: error_message.clone() })
        .collect();
    TopicResults { topics }
}

fn note_refusals(request: &AlterPartitionRequest, response: &AlterPartitionResponse, effects: &mut Effects) {
    for (number, data) in request.partitions.iter().enumerate() {
        let error = response.partitions.get(number).map_or(response.error, |result| result.error);
        if !error.is_none() {
            let (partition, broker) = (data.partition.clone(), request.broker_id);
            effects.note(EventKind::Controller(ControllerEvent::AlterPartitionRejected { partition, broker, error }));
        }
    }
}
