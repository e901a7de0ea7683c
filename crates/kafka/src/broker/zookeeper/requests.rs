//! Requests that a broker of a ZooKeeper cluster takes only as the controller (`KafkaApis` with `ZkSupport`).

use super::super::forwarding::refused;
use super::super::{Broker, Step};
use crate::node::RequestId;
use wire::response::{AlterPartitionResponse, ControlledShutdownResponse};
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
            Request::AlterPartition(_) => {
                let (error, partitions) = (ErrorCode::NotController, Vec::new());
                let response = Response::AlterPartition(AlterPartitionResponse { error, partitions });
                self.server.respond(id, response, step.effects);
            }
            Request::ControlledShutdown(_) => {
                let (error, remaining_partitions) = (ErrorCode::NotController, Vec::new());
                let response = ControlledShutdownResponse { error, remaining_partitions };
                self.server.respond(id, Response::ControlledShutdown(response), step.effects);
            }
            Request::UnregisterBroker(_) | Request::DescribeQuorum => self.close_client(id.connection, step),
            Request::CreateTopics(_)
            | Request::CreatePartitions(_)
            | Request::DeleteTopics(_)
            | Request::ElectLeaders(_)
            | Request::AlterPartitionReassignments(_)
            | Request::ListPartitionReassignments(_)
            | Request::IncrementalAlterConfigs(_)
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
}
