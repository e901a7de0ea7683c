//! Requests to the active controller (`kafka.server.NodeToControllerChannelManager`): one at a time, in order, sent
//! again when the connection is lost or the controller is not the active one, until their time is over.

use super::Step;
use super::channel::{Channel, Outbound, Readiness};
use crate::instant::{Duration, Instant};
use crate::node::{ConnectionId, RequestId};
use std::collections::VecDeque;
use wire::{Endpoint, ErrorCode, Request, Response, TopicName};

/// How long a request waits before it looks for a controller again.
const NO_CONTROLLER_BACKOFF_MS: i64 = 100;

/// The controllers that a broker knows, and which of them is believed to be active: the voters of the controller quorum,
/// or the one controller that ZooKeeper mode's metadata names.
#[derive(Clone, Debug)]
pub(super) struct Controllers {
    voters: Vec<(i32, Endpoint)>,
    believed: usize,
}

impl Controllers {
    /// The voters as `controller.quorum.voters` lists them.
    pub(super) fn new(voters: Vec<(i32, Endpoint)>) -> Controllers {
        Controllers { voters, believed: 0 }
    }

    /// Forgets them and knows these.
    pub(super) fn replace(&mut self, controllers: Vec<(i32, Endpoint)>) {
        *self = Controllers::new(controllers);
    }

    /// The voter believed to be active, by its place.
    pub(super) fn believed(&self) -> usize {
        self.believed
    }

    /// Where a voter listens.
    pub(super) fn endpoint(&self, voter: usize) -> Endpoint {
        self.voters[voter].1.clone()
    }

    /// Where the one believed to be active listens; `None` while no controller is known.
    pub(super) fn believed_endpoint(&self) -> Option<Endpoint> {
        self.voters.get(self.believed).map(|(_, endpoint)| endpoint.clone())
    }

    /// Another voter says that this one is active.
    pub(super) fn is_active(&mut self, voter_id: i32) {
        if let Some(voter) = self.voters.iter().position(|(id, _)| *id == voter_id) {
            self.believed = voter;
        }
    }

    /// That voter is not active, or not there: the next one may be.
    pub(super) fn is_not_active(&mut self, voter: usize) {
        if self.believed == voter {
            self.believed = (voter + 1) % self.voters.len().max(1);
        }
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
    voter: usize,
    retry_timeout: Option<Duration>,
    queue: VecDeque<Item>,
}

impl ControllerChannel {
    /// A channel whose requests are given up after `retry_timeout`; `None` is never.
    pub(super) fn new(channel: Channel, retry_timeout: Option<Duration>) -> ControllerChannel {
        ControllerChannel { channel, voter: 0, retry_timeout, queue: VecDeque::new() }
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
        let Some(item) = self.queue.front() else { return };
        match self.channel.readiness() {
            Readiness::Busy => {}
            Readiness::Ready => self.channel.send(item.request.clone(), step),
            Readiness::Disconnected => match controllers.believed_endpoint() {
                Some(endpoint) => {
                    self.voter = controllers.believed();
                    self.channel.connect(endpoint, outbound, step);
                }
                None => self.channel.back_off(Duration::from_ms(NO_CONTROLLER_BACKOFF_MS), step),
            },
        }
    }

    /// The voter it is or was last connected to.
    pub(super) fn voter(&self) -> usize {
        self.voter
    }

    /// The request in flight got its answer. Returns what it was for, or `None` if it has to be sent again.
    pub(super) fn on_response(
        &mut self,
        (connection, correlation_id): (ConnectionId, i32),
        response: &Response,
        controllers: &mut Controllers,
        outbound: &mut Outbound,
        step: &mut Step<'_>,
    ) -> Option<Purpose> {
        if !self.channel.on_response(connection, correlation_id) {
            return None;
        }
        if is_from_inactive_controller(response) {
            controllers.is_not_active(self.voter);
            self.channel.disconnect(outbound, step);
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
