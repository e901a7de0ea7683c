//! Requests that a broker of a ZooKeeper cluster takes only as the controller (`KafkaApis` with `ZkSupport`).

use super::super::forwarding::refused;
use super::super::{Broker, Step};
use crate::node::RequestId;
use crate::zk_controller::ControllerRequest;
use wire::request::{FeatureUpdate, UpdateFeaturesRequest};
use wire::response::{UpdateFeaturesResponse, UpdatedFeature};
use wire::{ErrorCode, Request, Response};

impl Broker {
    /// A client or a broker wants what only the controller does.
    pub(in super::super) fn on_request_for_zookeeper_controller(
        &mut self,
        id: RequestId,
        request: Request,
        step: &mut Step<'_>,
    ) {
        match request {
            Request::AlterPartition(request) => {
                self.ask_controller(id, ControllerRequest::AlterPartition(request), step);
            }
            Request::ControlledShutdown(request) => {
                self.ask_controller(id, ControllerRequest::ControlledShutdown(request), step);
            }
            Request::CreateTopics(request) if self.is_active_controller() => self.create_topics(id, request, step),
            Request::CreatePartitions(request) if self.is_active_controller() => {
                self.create_partitions(id, request, step);
            }
            Request::DeleteTopics(request) if self.is_active_controller() => self.delete_topics(id, &request, step),
            Request::AlterPartitionReassignments(request) => {
                self.ask_controller(id, ControllerRequest::AlterPartitionReassignments(request), step);
            }
            Request::ListPartitionReassignments(request) => {
                self.ask_controller(id, ControllerRequest::ListPartitionReassignments(request), step);
            }
            Request::ElectLeaders(request) => self.elect_leaders(id, request, step),
            Request::UpdateFeatures(request) if self.is_active_controller() => {
                self.server.respond(id, Response::UpdateFeatures(unsupported_features(&request)), step.effects);
            }
            Request::IncrementalAlterConfigs(request) => self.alter_configs(id, request, step),
            Request::UnregisterBroker(_) | Request::DescribeQuorum => self.close_client(id.connection, step),
            Request::CreateTopics(_)
            | Request::CreatePartitions(_)
            | Request::DeleteTopics(_)
            | Request::UpdateFeatures(_) => {
                self.server.respond(id, refused(&request, ErrorCode::NotController), step.effects);
            }
            Request::ApiVersions
            | Request::Metadata(_)
            | Request::Produce(_)
            | Request::Fetch(_)
            | Request::ListOffsets(_)
            | Request::OffsetForLeaderEpoch(_)
            | Request::DescribeTopicPartitions(_)
            | Request::DescribeConfigs(_)
            | Request::DeleteRecords(_)
            | Request::DescribeLogDirs(_)
            | Request::DescribeCluster
            | Request::InitProducerId(_)
            | Request::AllocateProducerIds(_)
            | Request::ControllerRegistration(_)
            | Request::BrokerRegistration(_)
            | Request::BrokerHeartbeat(_)
            | Request::Vote(_)
            | Request::BeginQuorumEpoch(_)
            | Request::EndQuorumEpoch(_)
            | Request::FetchSnapshot(_)
            | Request::LeaderAndIsr(_)
            | Request::UpdateMetadata(_)
            | Request::StopReplica(_)
            | Request::ZooKeeper(_) => unreachable!("{request:?} is not for the controller"),
        }
    }

    /// Hands a request to the controller here.
    pub(super) fn ask_controller(&mut self, id: RequestId, request: ControllerRequest, step: &mut Step<'_>) {
        self.at_controller(step, |controller, process| controller.on_request(id, request, process));
    }
}

/// With ZooKeeper no feature is supported, so none can be set.
fn unsupported_features(request: &UpdateFeaturesRequest) -> UpdateFeaturesResponse {
    let result = |update: &FeatureUpdate| {
        let message = match update.max_version_level {
            0 => "Can not delete non-existing finalized feature.",
            _ => "Could not apply finalized feature update because the provided feature is not supported.",
        };
        let (feature, error) = (update.feature.clone(), ErrorCode::InvalidRequest);
        UpdatedFeature { feature, error, error_message: Some(message.to_owned()) }
    };
    let results = request.updates.iter().map(result).collect();
    UpdateFeaturesResponse { error: ErrorCode::None, error_message: None, results }
}
