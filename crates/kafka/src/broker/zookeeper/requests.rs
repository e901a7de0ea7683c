//! Requests that a broker gets only because its cluster uses ZooKeeper, and those that it takes only as the controller
//! (`KafkaApis` with `ZkSupport`).

use super::super::forwarding::refused;
use super::super::{Broker, Step};
use crate::node::RequestId;
use wire::response::{AlterPartitionResponse, ControlledShutdownResponse};
use wire::{ErrorCode, Request, Response};

impl Broker {
    /// The controller or another broker asks.
    pub(in super::super) fn on_request_in_zookeeper_mode(
        &mut self,
        id: RequestId,
        request: Request,
        step: &mut Step<'_>,
    ) {
        match request {
            Request::LeaderAndIsr(request) => self.on_leader_and_isr(id, request, step),
            Request::UpdateMetadata(request) => self.on_update_metadata(id, &request, step),
            Request::StopReplica(request) => self.on_stop_replica(id, &request, step),
            request => self.on_request_for_zookeeper_controller(id, request, step),
        }
    }

    /// A client or a broker wants what only the controller does.
    pub(in super::super) fn on_request_for_zookeeper_controller(
        &mut self,
        id: RequestId,
        request: Request,
        step: &mut Step<'_>,
    ) {
        if !self.is_active_controller() {
            return self.refuse_as_not_controller(id, &request, step);
        }
        match request {
            Request::CreateTopics(request) => self.create_topics(id, request, step),
            Request::CreatePartitions(request) => self.create_partitions(id, request, step),
            Request::DeleteTopics(request) => self.delete_topics(id, &request, step),
            _ => self.close_client(id.connection, step),
        }
    }

    fn is_active_controller(&self) -> bool {
        false
    }

    fn refuse_as_not_controller(&mut self, id: RequestId, request: &Request, step: &mut Step<'_>) {
        let error = ErrorCode::NotController;
        let response = match request {
            Request::AlterPartition(_) => {
                Response::AlterPartition(AlterPartitionResponse { error, partitions: Vec::new() })
            }
            Request::ControlledShutdown(_) => {
                Response::ControlledShutdown(ControlledShutdownResponse { error, remaining_partitions: Vec::new() })
            }
            request => refused(request, error),
        };
        self.server.respond(id, response, step.effects);
    }
}
