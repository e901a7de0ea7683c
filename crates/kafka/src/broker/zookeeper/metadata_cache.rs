//! The metadata cache: what the controller last told of brokers and partitions (`kafka.server.metadata.ZkMetadataCache`,
//! `KafkaApis.handleUpdateMetadataRequest`). It lags behind ZooKeeper as far as the controller's requests do.

use super::super::channel::ChannelId;
use super::super::{Broker, Step};
use crate::metadata::{BrokerRegistration, ClusterImage, PartitionRegistration};
use crate::node::RequestId;
use std::sync::Arc;
use wire::request::{LiveBroker, MetadataLeader, UpdateMetadataPartition, UpdateMetadataRequest};
use wire::{BrokerEpoch, BrokerId, IncarnationId, LeaderRecoveryState, Response};

impl Broker {
    /// The controller tells of brokers and partitions.
    pub(in super::super) fn on_update_metadata(
        &mut self,
        id: RequestId,
        request: &UpdateMetadataRequest,
        step: &mut Step<'_>,
    ) {
        let error = self.fence_controller(&request.header, step);
        if error.is_none() {
            self.update_metadata(request, step);
            self.complete_admin_jobs(step);
            self.complete_elections(step);
        }
        self.server.respond(id, Response::UpdateMetadata(error), step.effects);
    }

    fn update_metadata(&mut self, request: &UpdateMetadataRequest, step: &mut Step<'_>) {
        let image = Arc::make_mut(&mut self.image);
        image.set_live_brokers(request.live_brokers.iter().map(registration).collect());
        for partition in &request.partitions {
            apply(image, partition);
        }
        self.believe_in_controller(request.header.controller_id, step);
        self.match_configs_with_image();
    }

    /// From now on requests for the controller go to this one, if it is alive.
    fn believe_in_controller(&mut self, controller_id: BrokerId, step: &mut Step<'_>) {
        self.membership.zookeeper_mut().controller_id = Some(controller_id);
        let registration = self.image.brokers().get(&controller_id);
        let endpoint = registration.map(|registration| (controller_id.0, registration.endpoint.clone()));
        self.controllers.replace(endpoint);
        self.advance(ChannelId::AlterPartition, step);
    }
}

/// A live broker; the controller does not tell of its epoch.
fn registration(broker: &LiveBroker) -> (BrokerId, BrokerRegistration) {
    let registration = BrokerRegistration {
        incarnation_id: IncarnationId(0),
        broker_epoch: BrokerEpoch::NONE,
        endpoint: broker.endpoint.clone(),
        rack: broker.rack.clone(),
        fenced: false,
        in_controlled_shutdown: false,
    };
    (broker.broker_id, registration)
}

fn apply(image: &mut ClusterImage, told: &UpdateMetadataPartition) {
    let leader = match told.leader {
        MetadataLeader::Broker(leader) => Some(leader),
        MetadataLeader::NoLeader => None,
        MetadataLeader::DuringDelete => return image.remove_partition(&told.partition),
    };
    let state = PartitionRegistration {
        replicas: told.replicas.clone(),
        isr: told.isr.clone(),
        adding_replicas: Vec::new(),
        removing_replicas: Vec::new(),
        leader,
        leader_recovery_state: LeaderRecoveryState::Recovered,
        leader_epoch: told.leader_epoch,
        partition_epoch: told.partition_epoch,
        eligible_leader_replicas: Vec::new(),
        last_known_elr: Vec::new(),
    };
    image.put_partition(&told.partition, told.topic_id, state);
}
