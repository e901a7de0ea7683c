//! Tells clients about this broker: what it and the cluster can do, where its replicas lie, and which brokers there are
//! beside it (`kafka.server.KafkaApis`; KIP-113, KIP-584, KIP-700).

use super::topics::live_brokers;
use super::{Broker, Step};
use crate::node::RequestId;
use crate::release::{KRAFT_BROKER_APIS, RELEASE, ZOOKEEPER_BROKER_APIS, finalized_features};
use wire::request::DescribeLogDirsRequest;
use wire::response::{
    ApiVersionsResponse, DescribeClusterResponse, DescribeLogDirsResponse, DescribedLogDir, DescribedReplica,
    ListenerKind,
};
use wire::{ErrorCode, Response};

/// The cluster's id, which `kafka-storage format` or the first broker of a ZooKeeper cluster would have drawn.
pub(super) const CLUSTER_ID: &str = "4L6g3nShT-eMCtK--X86sw";

impl Broker {
    /// What this broker serves, and the features it supports.
    pub(super) fn on_api_versions(&mut self, id: RequestId, step: &mut Step<'_>) {
        let is_with_zookeeper = self.membership.is_with_zookeeper();
        let (listener, supported_features) = match is_with_zookeeper {
            true => (ListenerKind::ZooKeeperBroker, Default::default()),
            false => (ListenerKind::Broker, RELEASE.features(self.config.unstable_feature_versions_enable)),
        };
        let response = ApiVersionsResponse {
            listener,
            apis: if is_with_zookeeper { ZOOKEEPER_BROKER_APIS } else { KRAFT_BROKER_APIS },
            supported_features,
            finalized_features_epoch: self.membership.metadata_offset().0,
            finalized_features: finalized_features(self.image.features()),
        };
        self.server.respond(id, Response::ApiVersions(response), step.effects);
    }

    /// Which brokers there are.
    pub(super) fn on_describe_cluster(&mut self, id: RequestId, step: &mut Step<'_>) {
        let response = DescribeClusterResponse {
            cluster_id: CLUSTER_ID.to_owned(),
            controller_id: self.broker_for_controller_requests(),
            brokers: live_brokers(&self.image),
        };
        self.server.respond(id, Response::DescribeCluster(response), step.effects);
    }

    /// The replicas in the log directory, of which the simulation has one.
    pub(super) fn on_describe_log_dirs(
        &mut self,
        id: RequestId,
        request: &DescribeLogDirsRequest,
        step: &mut Step<'_>,
    ) {
        let described = DescribedLogDir {
            error: ErrorCode::None,
            log_dir: self.setup.spec.log_dir().to_owned(),
            partitions: self.described_replicas(request),
        };
        let response = DescribeLogDirsResponse { error: ErrorCode::None, log_dirs: vec![described] };
        self.server.respond(id, Response::DescribeLogDirs(response), step.effects);
    }

    fn described_replicas(&self, request: &DescribeLogDirsRequest) -> Vec<DescribedReplica> {
        let replicas = self.replicas.iter();
        replicas
            .filter(|(partition, _)| request.partitions.as_ref().is_none_or(|asked| asked.contains(partition)))
            .map(|(partition, replica)| DescribedReplica {
                partition: partition.clone(),
                size: replica.log().size_in_bytes(),
                offset_lag: (replica.log().high_watermark() - replica.log().log_end_offset()).max(0),
                is_future: false,
            })
            .collect()
    }
}
