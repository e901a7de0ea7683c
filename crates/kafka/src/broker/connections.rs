//! Which part of the broker a connection belongs to: passes on what happens to it.

use super::channel::{Channel, ChannelId, Outbound, Owner};
use super::controller_channel::{ControllerChannel, Controllers, Purpose};
use super::{Broker, Step};
use crate::node::ConnectionId;
use wire::{Request, Response};

impl Broker {
    /// A connection that this broker opened is established.
    pub(super) fn on_connected(&mut self, connection: ConnectionId, step: &mut Step<'_>) {
        if self.membership.is_of_quorum(connection) {
            return self.on_quorum_connected(connection, step);
        }
        match self.outbound.owner(connection) {
            None => {}
            Some(Owner::Part(part)) => self.on_part_connected(part, connection, step),
            Some(Owner::Channel(owner)) => {
                if let (Some(channel), _) = self.channel(owner) {
                    channel.on_connected(connection);
                }
                self.advance(owner, step);
            }
        }
    }

    /// A connection of either side's making is gone.
    pub(super) fn on_disconnected(&mut self, connection: ConnectionId, step: &mut Step<'_>) {
        if self.membership.is_of_quorum(connection) {
            return self.on_quorum_disconnected(connection, step);
        }
        match self.outbound.owner(connection) {
            None => {
                self.server.disconnected(connection);
                self.purgatory.forget_connection(connection, step);
            }
            Some(Owner::Part(part)) => self.on_part_disconnected(part, connection, step),
            Some(Owner::Channel(owner)) => {
                if let (Some(channel), outbound) = self.channel(owner) {
                    channel.on_disconnected(outbound, step);
                }
                self.after_disconnect(owner, step);
            }
        }
    }

    /// An answer arrived on a connection that this broker opened.
    pub(super) fn on_response(&mut self, answer: (ConnectionId, i32), response: Response, step: &mut Step<'_>) {
        match self.outbound.owner(answer.0) {
            None if self.membership.is_of_quorum(answer.0) => self.on_quorum_response(answer, response, step),
            None => {}
            Some(Owner::Part(part)) => self.on_part_response(part, answer, response, step),
            Some(Owner::Channel(owner)) => self.on_channel_response(owner, answer, response, step),
        }
    }

    fn on_channel_response(
        &mut self,
        owner: ChannelId,
        answer: (ConnectionId, i32),
        response: Response,
        step: &mut Step<'_>,
    ) {
        match owner {
            ChannelId::ControlledShutdown => self.on_controlled_shutdown_response(answer, &response, step),
            ChannelId::ReplicaFetcher(source) => self.on_fetcher_response(source, answer, response, step),
            ChannelId::Heartbeat | ChannelId::AlterPartition | ChannelId::Forwarding => {
                self.on_controller_channel_response(owner, answer, response, step);
            }
        }
    }

    /// A channel's back-off is over.
    pub(super) fn on_reconnect(&mut self, owner: ChannelId, step: &mut Step<'_>) {
        if let (Some(channel), _) = self.channel(owner) {
            channel.on_backoff_over();
        }
        self.advance(owner, step);
    }

    /// A channel may have waited too long.
    pub(super) fn on_channel_timeout(&mut self, owner: ChannelId, step: &mut Step<'_>) {
        let (Some(channel), outbound) = self.channel(owner) else { return };
        if channel.on_timeout_timer(outbound, step) {
            self.after_disconnect(owner, step);
        }
    }

    /// Lets a channel do what it can.
    pub(super) fn advance(&mut self, owner: ChannelId, step: &mut Step<'_>) {
        match owner {
            ChannelId::Heartbeat | ChannelId::AlterPartition | ChannelId::Forwarding => {
                self.advance_controller_channel(owner, step);
            }
            ChannelId::ControlledShutdown => self.advance_controlled_shutdown(step),
            ChannelId::ReplicaFetcher(source) => self.advance_fetcher(source, step),
        }
    }

    fn after_disconnect(&mut self, owner: ChannelId, step: &mut Step<'_>) {
        match owner {
            ChannelId::Heartbeat | ChannelId::AlterPartition | ChannelId::Forwarding => {
                self.controller_channel(owner).0.on_disconnected();
            }
            ChannelId::ControlledShutdown => self.on_attempt_failed(step),
            ChannelId::ReplicaFetcher(source) => self.fetcher_disconnected(source, step),
        }
        self.advance(owner, step);
    }

    /// Lets all channels to the controller do what they can: the active one may have become known.
    pub(super) fn advance_controller_channels(&mut self, step: &mut Step<'_>) {
        for owner in [ChannelId::Heartbeat, ChannelId::AlterPartition, ChannelId::Forwarding] {
            self.advance_controller_channel(owner, step);
        }
    }

    fn advance_controller_channel(&mut self, owner: ChannelId, step: &mut Step<'_>) {
        while let Some((purpose, request)) = self.controller_channel(owner).0.take_expired(step.now) {
            self.on_controller_request_expired(purpose, &request, step);
        }
        let (channel, controllers, outbound) = self.controller_channel(owner);
        channel.advance(controllers, outbound, step);
    }

    fn on_controller_request_expired(&mut self, purpose: Purpose, request: &Request, step: &mut Step<'_>) {
        match purpose {
            Purpose::Registration | Purpose::Heartbeat => self.on_communication_failed(step),
            Purpose::AlterPartition => unreachable!("proposals are sent until they are answered"),
            Purpose::Forwarded(id) => self.on_forwarded_expired(id, request, step),
            Purpose::AutoTopicCreation(topics) => self.forwarding.forget_creations(&topics),
        }
    }

    fn on_controller_channel_response(
        &mut self,
        owner: ChannelId,
        answer: (ConnectionId, i32),
        response: Response,
        step: &mut Step<'_>,
    ) {
        let (channel, _, outbound) = self.controller_channel(owner);
        if let Some(purpose) = channel.on_response(answer, &response, outbound, step) {
            self.on_controller_response(purpose, response, step);
        }
        self.advance(owner, step);
    }

    fn on_controller_response(&mut self, purpose: Purpose, response: Response, step: &mut Step<'_>) {
        match (purpose, response) {
            (Purpose::Registration, Response::BrokerRegistration(response)) => self.on_registration(response, step),
            (Purpose::Heartbeat, Response::BrokerHeartbeat(response)) => self.on_heartbeat(response, step),
            (Purpose::AlterPartition, Response::AlterPartition(response)) => {
                self.on_alter_partition_response(&response, step);
            }
            (Purpose::Forwarded(id), response) => self.server.respond(id, response, step.effects),
            (Purpose::AutoTopicCreation(topics), _) => self.forwarding.forget_creations(&topics),
            (purpose, response) => unreachable!("a controller answered {purpose:?} with {response:?}"),
        }
    }

    fn channel(&mut self, owner: ChannelId) -> (Option<&mut Channel>, &mut Outbound) {
        let channel = match owner {
            ChannelId::Heartbeat => Some(self.membership.lifecycle_mut().channel.channel_mut()),
            ChannelId::AlterPartition => Some(self.alter_partition.channel.channel_mut()),
            ChannelId::Forwarding => Some(self.forwarding.channel.channel_mut()),
            ChannelId::ControlledShutdown => Some(&mut self.membership.zookeeper_mut().shutdown.channel),
            ChannelId::ReplicaFetcher(source) => self.fetchers.get_mut(&source).map(|fetcher| &mut fetcher.channel),
        };
        (channel, &mut self.outbound)
    }

    fn controller_channel(&mut self, owner: ChannelId) -> (&mut ControllerChannel, &mut Controllers, &mut Outbound) {
        let channel = match owner {
            ChannelId::Heartbeat => &mut self.membership.lifecycle_mut().channel,
            ChannelId::AlterPartition => &mut self.alter_partition.channel,
            ChannelId::Forwarding => &mut self.forwarding.channel,
            ChannelId::ControlledShutdown | ChannelId::ReplicaFetcher(_) => {
                unreachable!("{owner:?} does not queue requests")
            }
        };
        (channel, &mut self.controllers, &mut self.outbound)
    }
}
