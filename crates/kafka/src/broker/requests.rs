//! Which part of the broker a request is for (`kafka.server.KafkaApis`).

use super::membership::Membership;
use super::{Broker, Step};
use crate::node::{ConnectionId, RequestId};
use wire::Request;
use wire::request::DescribeConfigsRequest;

impl Broker {
    /// Works on one request of a client or another broker.
    pub(super) fn on_request(&mut self, id: RequestId, request: Request, step: &mut Step<'_>) {
        let is_with_zookeeper = self.membership.is_with_zookeeper();
        match request {
            Request::ApiVersions => self.on_api_versions(id, step),
            Request::Metadata(request) => self.on_metadata_request(id, request, step),
            Request::Produce(request) => self.on_produce(id, &request, step),
            Request::Fetch(request) => self.on_fetch(id, *request, step),
            Request::ListOffsets(request) => self.on_list_offsets(id, &request, step),
            Request::OffsetForLeaderEpoch(request) => self.on_offset_for_leader_epoch(id, &request, step),
            Request::CreateTopics(_)
            | Request::CreatePartitions(_)
            | Request::DeleteTopics(_)
            | Request::ElectLeaders(_)
            | Request::AlterPartitionReassignments(_)
            | Request::ListPartitionReassignments(_)
            | Request::IncrementalAlterConfigs(_)
            | Request::UpdateFeatures(_)
            | Request::UnregisterBroker(_)
            | Request::DescribeQuorum => self.on_request_for_controller(id, request, step),
            Request::DescribeTopicPartitions(request) => self.on_describe_topic_partitions(id, request, step),
            Request::DescribeConfigs(request) => self.on_describe_configs(id, request, step),
            Request::LeaderAndIsr(request) if is_with_zookeeper => self.on_leader_and_isr(id, request, step),
            Request::UpdateMetadata(request) if is_with_zookeeper => self.on_update_metadata(id, &request, step),
            Request::StopReplica(request) if is_with_zookeeper => self.on_stop_replica(id, &request, step),
            Request::AlterPartition(_) | Request::ControlledShutdown(_) if is_with_zookeeper => {
                self.on_request_for_zookeeper_controller(id, request, step);
            }
            Request::DescribeLogDirs(request) => self.on_describe_log_dirs(id, &request, step),
            Request::DescribeCluster => self.on_describe_cluster(id, step),
            Request::DeleteRecords(request) => self.on_delete_records(id, &request, step),
            Request::InitProducerId(_)
            | Request::AllocateProducerIds(_)
            | Request::ControllerRegistration(_)
            | Request::BrokerRegistration(_)
            | Request::BrokerHeartbeat(_)
            | Request::AlterPartition(_)
            | Request::Vote(_)
            | Request::BeginQuorumEpoch(_)
            | Request::EndQuorumEpoch(_)
            | Request::FetchSnapshot(_)
            | Request::LeaderAndIsr(_)
            | Request::UpdateMetadata(_)
            | Request::StopReplica(_)
            | Request::ControlledShutdown(_)
            | Request::ZooKeeper(_) => self.close_client(id.connection, step),
        }
    }

    /// What only the controller can do: with KRaft any broker passes it on, with ZooKeeper only the controller takes it.
    fn on_request_for_controller(&mut self, id: RequestId, request: Request, step: &mut Step<'_>) {
        match &self.membership {
            Membership::KRaft { .. } => self.forward(id, request, step),
            Membership::ZooKeeper(_) => self.on_request_for_zookeeper_controller(id, request, step),
        }
    }

    /// With ZooKeeper, a broker that does not know the configurations reads them first.
    fn on_describe_configs(&mut self, id: RequestId, request: DescribeConfigsRequest, step: &mut Step<'_>) {
        match &self.membership {
            Membership::KRaft { .. } => self.describe_configs(id, &request, step),
            Membership::ZooKeeper(_) => self.read_and_describe_configs(id, request, step),
        }
    }

    /// Closes a connection that another process opened.
    pub(super) fn close_client(&mut self, connection: ConnectionId, step: &mut Step<'_>) {
        step.effects.close(connection);
        self.server.disconnected(connection);
        self.purgatory.forget_connection(connection, step);
    }
}
