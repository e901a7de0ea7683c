//! Requests of administration: each is a pure function of the cluster as it stands, whose records are written and whose
//! answer waits until they are committed (`kafka.server.ControllerApis`).

use super::Running;
use super::replication::Cluster;
use super::writes::Operation;
use crate::event::ChangeReason;
use crate::instant::Instant;
use crate::node::{Effects, RequestId};
use wire::request::{
    AllocateProducerIdsRequest, AlterPartitionReassignmentsRequest, ConfigResource, ControllerRegistrationRequest,
    ElectLeadersRequest, IncrementalAlterConfigsRequest, ListPartitionReassignmentsRequest, UnregisterBrokerRequest,
    UpdateFeaturesRequest,
};
use wire::response::{
    AllocateProducerIdsResponse, AlterConfigsResult, AlterPartitionReassignmentsResponse,
    ControllerRegistrationResponse, ElectLeadersResponse, IncrementalAlterConfigsResponse, UnregisterBrokerResponse,
    UpdateFeaturesResponse,
};
use wire::{ErrorCode, MetadataRecord, Response};

const NOT_CONTROLLER: ErrorCode = ErrorCode::NotController;

/// A request that has arrived, and why partitions change by it.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) now: Instant,
    pub(super) id: RequestId,
    pub(super) reason: Option<ChangeReason>,
}

impl Running {
    /// Answers as the cluster says, or with the refusal when this controller is not the active one.
    fn administer<T>(
        &mut self,
        asked: Asked,
        answer: impl Fn(Cluster<'_>) -> (Vec<MetadataRecord>, T),
        refusal: T,
        respond: fn(T) -> Response,
        effects: &mut Effects,
    ) {
        if self.active.is_none() {
            return self.channels.respond(asked.id, respond(refusal), effects);
        }
        let (records, response) = answer(self.cluster());
        let operation = Operation { records, reason: asked.reason };
        self.complete(asked.now, asked.id, operation, respond(response), effects);
    }

    pub(super) fn on_elect_leaders(&mut self, asked: Asked, request: &ElectLeadersRequest, effects: &mut Effects) {
        let asked = Asked { reason: Some(ChangeReason::ElectionByCommand), ..asked };
        let refusal = ElectLeadersResponse { error: NOT_CONTROLLER, results: Vec::new() };
        self.administer(asked, |cluster| cluster.elect_leaders(request), refusal, Response::ElectLeaders, effects);
    }

    pub(super) fn on_alter_partition_reassignments(
        &mut self,
        asked: Asked,
        request: &AlterPartitionReassignmentsRequest,
        effects: &mut Effects,
    ) {
        let asked = Asked { reason: Some(ChangeReason::Reassignment), ..asked };
        let refusal = AlterPartitionReassignmentsResponse { error: NOT_CONTROLLER, results: Vec::new() };
        let answer = |cluster: Cluster<'_>| cluster.alter_partition_reassignments(request);
        self.administer(asked, answer, refusal, Response::AlterPartitionReassignments, effects);
    }

    /// A controller says what it knows, whether it is the active one or not.
    pub(super) fn on_list_partition_reassignments(
        &mut self,
        asked: Asked,
        request: &ListPartitionReassignmentsRequest,
        effects: &mut Effects,
    ) {
        let response = self.cluster().list_partition_reassignments(request);
        self.channels.respond(asked.id, Response::ListPartitionReassignments(response), effects);
    }

    pub(super) fn on_incremental_alter_configs(
        &mut self,
        asked: Asked,
        request: &IncrementalAlterConfigsRequest,
        effects: &mut Effects,
    ) {
        let answer = |cluster: Cluster<'_>| cluster.incremental_alter_configs(request);
        self.administer(asked, answer, configs_refused(request), Response::IncrementalAlterConfigs, effects);
    }

    pub(super) fn on_update_features(&mut self, asked: Asked, request: &UpdateFeaturesRequest, effects: &mut Effects) {
        let (error, error_message) = (NOT_CONTROLLER, Some(NOT_CONTROLLER.message().to_owned()));
        let refusal = UpdateFeaturesResponse { error, error_message, results: Vec::new() };
        let controller_id = self.node_id.0;
        let answer = |cluster: Cluster<'_>| cluster.update_features(request, controller_id);
        self.administer(asked, answer, refusal, Response::UpdateFeatures, effects);
    }

    pub(super) fn on_unregister_broker(
        &mut self,
        asked: Asked,
        request: UnregisterBrokerRequest,
        effects: &mut Effects,
    ) {
        let asked = Asked { reason: Some(ChangeReason::BrokerUnregistered), ..asked };
        let (error, error_message) = (NOT_CONTROLLER, Some(NOT_CONTROLLER.message().to_owned()));
        let refusal = UnregisterBrokerResponse { error, error_message };
        let answer = |cluster: Cluster<'_>| cluster.unregister_broker(request);
        self.administer(asked, answer, refusal, Response::UnregisterBroker, effects);
    }

    pub(super) fn on_controller_registration(
        &mut self,
        asked: Asked,
        request: ControllerRegistrationRequest,
        effects: &mut Effects,
    ) {
        let ControllerRegistrationRequest { controller_id, incarnation_id, endpoint } = request;
        let record = MetadataRecord::RegisterController { controller_id, incarnation_id, endpoint };
        let answer = |_: Cluster<'_>| (vec![record.clone()], ControllerRegistrationResponse { error: ErrorCode::None });
        let refusal = ControllerRegistrationResponse { error: NOT_CONTROLLER };
        self.administer(asked, answer, refusal, Response::ControllerRegistration, effects);
    }

    pub(super) fn on_allocate_producer_ids(
        &mut self,
        asked: Asked,
        request: AllocateProducerIdsRequest,
        effects: &mut Effects,
    ) {
        let (error, producer_id_start, producer_id_len) = (NOT_CONTROLLER, 0, 0);
        let refusal = AllocateProducerIdsResponse { error, producer_id_start, producer_id_len };
        let answer = |cluster: Cluster<'_>| cluster.allocate_producer_ids(&request);
        self.administer(asked, answer, refusal, Response::AllocateProducerIds, effects);
    }
}

impl Cluster<'_> {
    fn unregister_broker(&self, request: UnregisterBrokerRequest) -> (Vec<MetadataRecord>, UnregisterBrokerResponse) {
        match self.unregister(request.broker_id) {
            Some(records) => (records, UnregisterBrokerResponse { error: ErrorCode::None, error_message: None }),
            None => {
                let error = ErrorCode::BrokerIdNotRegistered;
                let message = format!("Broker ID {} is not currently registered", request.broker_id);
                (Vec::new(), UnregisterBrokerResponse { error, error_message: Some(message) })
            }
        }
    }
}

fn configs_refused(request: &IncrementalAlterConfigsRequest) -> IncrementalAlterConfigsResponse {
    let result = |resource: &ConfigResource| AlterConfigsResult {
        resource: resource.clone(),
        error: NOT_CONTROLLER,
        error_message: Some(NOT_CONTROLLER.message().to_owned()),
    };
    let results = request.resources.iter().map(|altered| result(&altered.resource)).collect();
    IncrementalAlterConfigsResponse { results }
}
