//! Which part of the broker a request is for (`kafka.server.KafkaApis`).

use super::{Broker, Step};
use crate::node::{ConnectionId, RequestId};
use wire::Request;

impl Broker {
    /// Works on one request of a client or another broker.
    pub(super) fn on_request(&mut self, id: RequestId, request: Request, step: &mut Step<'_>) {
        match request {
            Request::ApiVersions => self.on_api_versions(id, step),
            Request::Metadata(request) => self.on_metadata_request(id, request, step),
            Request::Produce(request) => self.on_produce(id, &request, step),
            Request::Fetch(request) => self.on_fetch(id, request, step),
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
            | Request::DescribeQuorum => self.forward(id, request, step),
            Request::DescribeTopicPartitions(request) => self.on_describe_topic_partitions(id, request, step),
            Request::DescribeConfigs(request) => self.on_describe_configs(id, &request, step),
            Request::DescribeLogDirs(request) => self.on_describe_log_dirs(id, &request, step),
            Request::DescribeCluster => self.on_describe_cluster(id, step),
            Request::DeleteRecords(_)
            | Request::InitProducerId(_)
            | Request::AllocateProducerIds(_)
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
            | Request::ZooKeeper(_) => {
                self.close_client(id.connection, step);
            }
        }
    }

    /// Closes a connection that another process opened.
    pub(super) fn close_client(&mut self, connection: ConnectionId, step: &mut Step<'_>) {
        step.effects.close(connection);
        self.server.disconnected(connection);
        self.purgatory.forget_connection(connection, step);
    }
}
