//! What the brokers are told after a change, gathered into one request of a kind for each
//! (`kafka.controller.ControllerBrokerRequestBatch`).

use super::context::{Assignment, Context, Leadership};
use super::work::{Deed, Work};
use std::collections::{BTreeMap, BTreeSet};
use wire::request::{
    ControllerHeader, LeaderAndIsrPartition, LeaderAndIsrRequest, LiveBroker, MetadataLeader, StopReplicaPartition,
    StopReplicaRequest, UpdateMetadataPartition, UpdateMetadataRequest,
};
use wire::{BrokerEpoch, BrokerId, LeaderEpoch, PartitionEpoch, Request, TopicId, TopicPartition};

/// What is to be told.
#[derive(Debug, Default)]
pub(super) struct Batch {
    leader_and_isr: BTreeMap<BrokerId, BTreeMap<TopicPartition, LeaderAndIsrPartition>>,
    stop_replica: BTreeMap<BrokerId, BTreeMap<TopicPartition, StopReplicaPartition>>,
    told_metadata: BTreeSet<BrokerId>,
    metadata: BTreeMap<TopicPartition, UpdateMetadataPartition>,
}

impl Batch {
    /// Tells replicas what they are for a partition, and everybody what to tell clients.
    pub(super) fn tell_replicas(
        &mut self,
        brokers: &[BrokerId],
        partition: &TopicPartition,
        is_new: bool,
        context: &Context,
    ) {
        let leadership = context.leaderships.get(partition).expect("a partition with a state is told of");
        let assignment = context.assignment(partition);
        for broker in brokers {
            let partitions = self.leader_and_isr.entry(*broker).or_default();
            let was_new = partitions.get(partition).is_some_and(|earlier| earlier.is_new);
            let topic_id = topic_id(partition, context);
            let state = leader_and_isr(partition, topic_id, leadership, &assignment, is_new || was_new);
            partitions.insert(partition.clone(), state);
        }
        self.tell_clients_of(std::slice::from_ref(partition), &context.registered(), context);
    }

    /// Tells brokers what to tell clients of partitions; without any it is only who is there.
    pub(super) fn tell_clients_of(&mut self, partitions: &[TopicPartition], brokers: &[BrokerId], context: &Context) {
        self.told_metadata.extend(brokers);
        let known = partitions.iter().filter_map(|partition| Some((partition, context.leaderships.get(partition)?)));
        for (partition, leadership) in known {
            self.metadata.insert(partition.clone(), metadata_of(partition, leadership, context));
        }
    }

    /// Tells a replica to stop.
    pub(super) fn stop_replica(
        &mut self,
        broker: BrokerId,
        partition: &TopicPartition,
        delete: bool,
        context: &Context,
    ) {
        let partitions = self.stop_replica.entry(broker).or_default();
        let was_deleted = partitions.get(partition).is_some_and(|earlier| earlier.delete);
        let known = context.leaderships.get(partition).map_or(LeaderEpoch::NONE, |known| known.state.leader_epoch);
        let leader_epoch = (!context.is_queued_for_deletion(&partition.topic)).then_some(known);
        let state = StopReplicaPartition { partition: partition.clone(), leader_epoch, delete: delete || was_deleted };
        partitions.insert(partition.clone(), state);
    }

    /// Sends everything to the brokers that are registered.
    pub(super) fn send(self, work: &mut Work<'_>) {
        let leader_and_isr = self.leader_and_isr.into_iter().map(|(broker, partitions)| {
            let request =
                |header| Request::LeaderAndIsr(leader_and_isr_request(header, partitions, &work.state.context));
            (broker, header(broker, work).map(request))
        });
        let live_brokers = live_brokers(&work.state.context);
        let partitions: Vec<UpdateMetadataPartition> = self.metadata.into_values().collect();
        let update_metadata = self.told_metadata.into_iter().map(|broker| {
            let (partitions, live_brokers) = (partitions.clone(), live_brokers.clone());
            let request = |header| Request::UpdateMetadata(UpdateMetadataRequest { header, partitions, live_brokers });
            (broker, header(broker, work).map(request))
        });
        let stop_replica = self.stop_replica.into_iter().map(|(broker, partitions)| {
            let partitions = partitions.into_values().collect();
            let request = |header| Request::StopReplica(StopReplicaRequest { header, partitions });
            (broker, header(broker, work).map(request))
        });
        let requests = leader_and_isr.chain(update_metadata).chain(stop_replica);
        let deeds: Vec<Deed> = requests.filter_map(|(broker, request)| Some(Deed::Send(broker, request?))).collect();
        work.deeds.extend(deeds);
    }
}

fn header(broker: BrokerId, work: &Work<'_>) -> Option<ControllerHeader> {
    let context = &work.state.context;
    let registered = context.brokers.get(&broker)?;
    let broker_epoch = if work.facts.is_blind_to_bounces { BrokerEpoch::NONE } else { registered.epoch };
    Some(ControllerHeader { controller_id: work.facts.broker_id, controller_epoch: context.epoch, broker_epoch })
}

fn leader_and_isr_request(
    header: ControllerHeader,
    partitions: BTreeMap<TopicPartition, LeaderAndIsrPartition>,
    context: &Context,
) -> LeaderAndIsrRequest {
    let leaders: BTreeSet<BrokerId> = partitions.values().filter_map(|partition| partition.leader).collect();
    let live = leaders.into_iter().filter_map(|leader| Some((leader, context.brokers.get(&leader)?.endpoint.clone())));
    let live_leaders = live.collect();
    LeaderAndIsrRequest { header, partitions: partitions.into_values().collect(), live_leaders, is_full: false }
}

fn live_brokers(context: &Context) -> Vec<LiveBroker> {
    let brokers = context.brokers.iter().map(|(broker_id, broker)| LiveBroker {
        broker_id: *broker_id,
        endpoint: broker.endpoint.clone(),
        rack: broker.rack.clone(),
    });
    brokers.collect()
}

fn leader_and_isr(
    partition: &TopicPartition,
    topic_id: TopicId,
    leadership: &Leadership,
    assignment: &Assignment,
    is_new: bool,
) -> LeaderAndIsrPartition {
    LeaderAndIsrPartition {
        partition: partition.clone(),
        topic_id,
        leader: leadership.state.leader,
        leader_epoch: leadership.state.leader_epoch,
        isr: leadership.state.isr.clone(),
        partition_epoch: PartitionEpoch(leadership.version.0),
        replicas: assignment.replicas.clone(),
        adding_replicas: assignment.adding.clone(),
        removing_replicas: assignment.removing.clone(),
        is_new,
        is_recovering: leadership.state.is_recovering,
    }
}

fn metadata_of(partition: &TopicPartition, leadership: &Leadership, context: &Context) -> UpdateMetadataPartition {
    let replicas = context.assignment(partition).replicas;
    let leader = match leadership.state.leader {
        _ if context.is_queued_for_deletion(&partition.topic) => MetadataLeader::DuringDelete,
        Some(leader) => MetadataLeader::Broker(leader),
        None => MetadataLeader::NoLeader,
    };
    UpdateMetadataPartition {
        partition: partition.clone(),
        topic_id: topic_id(partition, context),
        leader,
        leader_epoch: leadership.state.leader_epoch,
        isr: leadership.state.isr.clone(),
        partition_epoch: PartitionEpoch(leadership.version.0),
        offline_replicas: replicas.iter().copied().filter(|replica| !context.is_live(*replica)).collect(),
        replicas,
    }
}

fn topic_id(partition: &TopicPartition, context: &Context) -> TopicId {
    context.topics.get(&partition.topic).map_or(TopicId(0), |topic| topic.topic_id)
}
