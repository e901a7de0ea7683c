//! Sends the leaders' proposals for in-sync replicas to the controller (`kafka.server.AlterPartitionManager`, KIP-497):
//! all that are waiting in one request, one request in flight.

use super::channel::{Channel, ChannelId};
use super::controller_channel::{ControllerChannel, Purpose};
use super::lifecycle::CONTROLLER_RECONNECT_BACKOFF;
use super::{Broker, Step, timers};
use crate::config::BrokerConfig;
use crate::instant::Duration;
use crate::replica::AlterPartitionOutcome;
use std::collections::BTreeSet;
use wire::request::{AlterPartitionData, AlterPartitionRequest};
use wire::response::{AlterPartitionResponse, AlterPartitionResult};
use wire::{ErrorCode, Request, TopicPartition};

/// How soon proposals are sent again after an error of the whole request.
const RETRY_MS: i64 = 50;

/// The proposals on their way to the controller.
#[derive(Clone, Debug)]
pub(super) struct AlterPartitionManager {
    /// The channel to the controller.
    pub(super) channel: ControllerChannel,
    unsent: BTreeSet<TopicPartition>,
    in_flight: Vec<AlterPartitionData>,
}

impl AlterPartitionManager {
    /// No proposals yet.
    pub(super) fn new(config: &BrokerConfig) -> AlterPartitionManager {
        let request_timeout = Duration::from_ms(config.controller_socket_timeout_ms);
        let channel = Channel::new(ChannelId::AlterPartition, CONTROLLER_RECONNECT_BACKOFF, request_timeout);
        AlterPartitionManager {
            channel: ControllerChannel::new(channel, None),
            unsent: BTreeSet::new(),
            in_flight: Vec::new(),
        }
    }
}

impl Broker {
    /// A partition proposes other in-sync replicas.
    pub(super) fn submit_proposal(&mut self, partition: &TopicPartition, step: &mut Step<'_>) {
        self.alter_partition.unsent.insert(partition.clone());
        self.send_proposals(step);
    }

    /// Sends what still stands of the proposals, unless a request is in flight.
    pub(super) fn send_proposals(&mut self, step: &mut Step<'_>) {
        if !self.alter_partition.in_flight.is_empty() {
            return;
        }
        let unsent = std::mem::take(&mut self.alter_partition.unsent);
        let proposals = unsent.iter().filter_map(|partition| self.replicas.get(partition)?.proposed_isr());
        let partitions: Vec<AlterPartitionData> = proposals.collect();
        if partitions.is_empty() {
            return;
        }
        self.alter_partition.in_flight.clone_from(&partitions);
        let request = AlterPartitionRequest {
            broker_id: self.setup.broker_id,
            broker_epoch: self.broker_epoch_or_none(),
            partitions,
        };
        self.alter_partition.channel.enqueue(Purpose::AlterPartition, Request::AlterPartition(request), step.now);
        self.advance(ChannelId::AlterPartition, step);
    }

    /// The controller answered.
    pub(super) fn on_alter_partition_response(&mut self, response: &AlterPartitionResponse, step: &mut Step<'_>) {
        let sent = std::mem::take(&mut self.alter_partition.in_flight);
        if response.error != ErrorCode::None {
            self.alter_partition.unsent.extend(sent.into_iter().map(|proposal| proposal.partition));
            let retry_at = step.now + Duration::from_ms(RETRY_MS);
            return step.effects.set_timer(timers::single(timers::ALTER_PARTITION), retry_at);
        }
        for proposal in &sent {
            match response.partitions.iter().find(|result| result.partition == proposal.partition) {
                Some(result) => self.on_alter_partition_result(proposal, result, step),
                None => drop(self.alter_partition.unsent.insert(proposal.partition.clone())),
            }
        }
        self.send_proposals(step);
    }

    fn on_alter_partition_result(
        &mut self,
        sent: &AlterPartitionData,
        result: &AlterPartitionResult,
        step: &mut Step<'_>,
    ) {
        let (context, replicas) = self.context(step.now);
        let Some(replica) = replicas.get_mut(&sent.partition) else { return };
        let (outcome, changes) = replica.on_alter_partition_result(sent, result, &context, step.effects);
        match outcome {
            AlterPartitionOutcome::Resend => drop(self.alter_partition.unsent.insert(sent.partition.clone())),
            AlterPartitionOutcome::Ignored
            | AlterPartitionOutcome::Committed
            | AlterPartitionOutcome::Reverted
            | AlterPartitionOutcome::AwaitingMetadata => {}
        }
        self.on_changes(&sent.partition, changes, step);
    }
}
