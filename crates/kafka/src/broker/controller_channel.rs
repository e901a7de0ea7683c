//! Requests to the active controller (`kafka.server.NodeToControllerChannelManager`): one at a time, in order, sent
//! again when the connection is lost or the controller is not the active one, until their time is over.

use super::Step;
use super::channel::{Channel, Outbound, Readiness};
use crate::instant::{Duration, Instant};
use crate::node::{ConnectionId, RequestId};
use std::collections::VecDeque;
use wire::{Endpoint, ErrorCode, Request, Response, TopicName};

/// The controllers that a broker knows, and which of them is active as far as it has heard: the voters of the quorum
/// (`kafka.server.RaftControllerNodeProvider`), or the one that ZooKeeper mode's metadata names
/// (`kafka.server.MetadataCacheControllerNodeProvider`).
#[derive(Clone, Debug)]
pub(super) struct Controllers {
    voters: Vec<(i32, Endpoint)>,
    active: Option<i32>,
}

impl Controllers {
    /// The voters as `controller.quorum.voters` lists them.
    pub(super) fn new(voters: Vec<(i32, Endpoint)>) -> Controllers {
        Controllers { voters, active: None }
    }

    /// Where the active controller listens, if one is known.
    pub(super) fn active_endpoint(&self) -> Option<Endpoint> {
        let active = self.voters.iter().find(|(voter, _)| Some(*voter) == self.active);
        active.map(|(_, endpoint)| endpoint.clone())
    }

    /// The quorum has this leader now, or none that is known. Tells whether that is news.
    pub(super) fn set_active(&mut self, voter: Option<i32>) -> bool {
        std::mem::replace(&mut self.active, voter) != voter
    }

    /// The controller is this one now.
    pub(super) fn replace(&mut self, controller: Option<(i32, Endpoint)>) {
        self.active = controller.as_ref().map(|(id, _)| *id);
        self.voters = controller.into_iter().collect();
    }
}

/// What a request was sent for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The broker's registration.
    Registration,
    /// A heartbeat.
    Heartbeat,
    /// Changes of in-sync replicas.
    AlterPartition,
    /// A client waits for the answer.
    Forwarded(RequestId),
    /// A client asked about topics that do not exist.
    AutoTopicCreation(Vec<TopicName>),
}

#[derive(Clone, Debug)]
struct Item {
    created: Instant,
    request: Request,
    purpose: Purpose,
}

/// A queue of requests to the active controller.
#[derive(Clone, Debug)]
pub(super) struct ControllerChannel {
    channel: Channel,
    retry_timeout: Option<Duration>,
    queue: VecDeque<Item>,
    /// Where the active controller listened when the channel last looked. It looks again only once a request has failed
    /// there (`activeControllerAddress`): a quorum that has lost its leader is still asked what that one knows.
    address: Option<Endpoint>,
}

impl ControllerChannel {
    /// A channel whose requests are given up after `retry_timeout`; `None` is never.
    pub(super) fn new(channel: Channel, retry_timeout: Option<Duration>) -> ControllerChannel {
        ControllerChannel { channel, retry_timeout, queue: VecDeque::new(), address: None }
    }

    /// The connection below.
    pub(super) fn channel_mut(&mut self) -> &mut Channel {
        &mut self.channel
    }

    /// Adds a request.
    pub(super) fn enqueue(&mut self, purpose: Purpose, request: Request, now: Instant) {
        self.queue.push_back(Item { created: now, request, purpose });
    }

    /// Takes out a request whose time is over. Call it until it returns `None`.
    pub(super) fn take_expired(&mut self, now: Instant) -> Option<(Purpose, Request)> {
        let retry_timeout = self.retry_timeout?;
        let is_expired = |item: &Item| now.since(item.created) >= retry_timeout;
        if self.channel.readiness() == Readiness::Busy || !self.queue.front().is_some_and(is_expired) {
            return None;
        }
        self.queue.pop_front().map(|item| (item.purpose, item.request))
    }

    /// Connects or sends, as far as that is possible now.
    pub(super) fn advance(&mut self, controllers: &Controllers, outbound: &mut Outbound, step: &mut Step<'_>) {
        self.address = self.address.take().or_else(|| controllers.active_endpoint());
        let Some(item) = self.queue.front() else { return };
        match self.channel.readiness() {
            Readiness::Busy => {}
            Readiness::Ready => self.channel.send(item.request.clone(), step),
            Readiness::Disconnected => {
                if let Some(endpoint) = &self.address {
                    self.channel.connect(endpoint.clone(), outbound, step);
                }
            }
        }
    }

    /// The connection is gone. A request that waited for it looks for the controller anew.
    pub(super) fn on_disconnected(&mut self) {
        if !self.queue.is_empty() {
            self.address = None;
        }
    }

    /// The request in flight got its answer. Returns what it was for, or `None` if it has to be sent again.
    pub(super) fn on_response(
        &mut self,
        (connection, correlation_id): (ConnectionId, i32),
        response: &Response,
        outbound: &mut Outbound,
        step: &mut Step<'_>,
    ) -> Option<Purpose> {
        if !self.channel.on_response(connection, correlation_id) {
            return None;
        }
        if is_from_inactive_controller(response) {
            self.channel.disconnect(outbound, step);
            self.address = None;
            return None;
        }
        self.queue.pop_front().map(|item| item.purpose)
    }
}

fn is_from_inactive_controller(response: &Response) -> bool {
    let error = match response {
        Response::BrokerRegistration(response) => response.error,
        Response::BrokerHeartbeat(response) => response.error,
        Response::AlterPartition(response) => response.error,
        Response::DescribeQuorum(response) => return response.error == ErrorCode::NotLeaderOrFollower,
        Response::CreateTopics(results) | Response::CreatePartitions(results) | Response::DeleteTopics(results) => {
            results.topics.first().map_or(ErrorCode::None, |topic| topic.error)
        }
        Response::ElectLeaders(response) => response.error,
        Response::AlterPartitionReassignments(response) => response.error,
        Response::ListPartitionReassignments(response) => response.error,
        Response::IncrementalAlterConfigs(response) => {
            response.results.first().map_or(ErrorCode::None, |result| result.error)
        }
        Response::UpdateFeatures(response) => response.error,
        Response::UnregisterBroker(response) => response.error,
        Response::AllocateProducerIds(response) => response.error,
        Response::ApiVersions(_)
        | Response::Metadata(_)
        | Response::Produce(_)
        | Response::Fetch(_)
        | Response::ListOffsets(_)
        | Response::OffsetForLeaderEpoch(_)
        | Response::DescribeTopicPartitions(_)
        | Response::DescribeConfigs(_)
        | Response::DeleteRecords(_)
        | Response::DescribeLogDirs(_)
        | Response::DescribeCluster(_)
        | Response::InitProducerId(_)
        | Response::ControllerRegistration(_)
        | Response::Vote(_)
        | Response::BeginQuorumEpoch(_)
        | Response::EndQuorumEpoch(_)
        | Response::FetchSnapshot(_)
        | Response::LeaderAndIsr(_)
        | Response::UpdateMetadata(_)
        | Response::StopReplica(_)
        | Response::ControlledShutdown(_)
        | Response::ZooKeeper(_) => ErrorCode::None,
    };
    error == ErrorCode::NotController
}
