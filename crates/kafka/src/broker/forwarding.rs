//! Clients' requests that only the controller can answer (`kafka.server.ForwardingManager`), and the creation of topics
//! that a client asked about (`kafka.server.AutoTopicCreationManager`).

use super::channel::{Channel, ChannelId};
use super::controller_channel::{ControllerChannel, Purpose};
use super::lifecycle::CONTROLLER_RECONNECT_BACKOFF;
use super::membership::Membership;
use super::{Broker, Step};
use crate::config::BrokerConfig;
use crate::instant::Duration;
use crate::node::RequestId;
use std::collections::BTreeSet;
use wire::request::{ConfigResource, CreatableTopic, CreateTopicsRequest, IncrementalAlterConfigsRequest};
use wire::response::{
    AlterConfigsResult, AlterPartitionReassignmentsResponse, DescribeQuorumResponse, ElectLeadersResponse,
    IncrementalAlterConfigsResponse, LeaderIdAndEpoch, ListPartitionReassignmentsResponse, TopicResult, TopicResults,
    UnregisterBrokerResponse, UpdateFeaturesResponse,
};
use wire::{ErrorCode, LeaderEpoch, Offset, Request, Response, TopicName};

/// How long a forwarded request is tried.
const RETRY_TIMEOUT_MS: i64 = 60_000;

/// The channel for forwarded requests.
#[derive(Clone, Debug)]
pub(super) struct ForwardingManager {
    /// The channel to the controller.
    pub(super) channel: ControllerChannel,
    creations: BTreeSet<TopicName>,
}

impl ForwardingManager {
    /// Nothing is forwarded yet.
    pub(super) fn new(config: &BrokerConfig) -> ForwardingManager {
        let retry_timeout = Duration::from_ms(RETRY_TIMEOUT_MS);
        let request_timeout = retry_timeout.min(Duration::from_ms(config.controller_socket_timeout_ms));
        let channel = Channel::new(ChannelId::Forwarding, CONTROLLER_RECONNECT_BACKOFF, request_timeout);
        ForwardingManager { channel: ControllerChannel::new(channel, Some(retry_timeout)), creations: BTreeSet::new() }
    }

    /// The creation of these topics was answered, or given up.
    pub(super) fn forget_creations(&mut self, topics: &[TopicName]) {
        for topic in topics {
            self.creations.remove(topic);
        }
    }
}

impl Broker {
    /// Passes a client's request on to the controller; its answer goes back as it is.
    pub(super) fn forward(&mut self, id: RequestId, request: Request, step: &mut Step<'_>) {
        self.forwarding.channel.enqueue(Purpose::Forwarded(id), request, step.now);
        self.advance(ChannelId::Forwarding, step);
    }

    /// No controller took the request in time.
    pub(super) fn on_forwarded_expired(&mut self, id: RequestId, request: &Request, step: &mut Step<'_>) {
        self.server.respond(id, refused(request, ErrorCode::RequestTimedOut), step.effects);
    }

    /// Has topics made that a client asked about, unless that is under way already: with KRaft by the controller, with
    /// ZooKeeper by this broker.
    pub(super) fn create_automatically(&mut self, topics: Vec<TopicName>, step: &mut Step<'_>) {
        let missing: Vec<TopicName> =
            topics.into_iter().filter(|topic| self.forwarding.creations.insert(topic.clone())).collect();
        if missing.is_empty() {
            return;
        }
        let topics = missing.iter().map(|name| self.automatic_topic(name)).collect();
        match &self.membership {
            Membership::KRaft { .. } => self.ask_for_creation(missing, topics, step),
            Membership::ZooKeeper(_) => self.create_topics_automatically(topics, step),
        }
    }

    fn ask_for_creation(&mut self, missing: Vec<TopicName>, topics: Vec<CreatableTopic>, step: &mut Step<'_>) {
        let request = Request::CreateTopics(CreateTopicsRequest { topics, validate_only: false });
        self.forwarding.channel.enqueue(Purpose::AutoTopicCreation(missing), request, step.now);
        self.advance(ChannelId::Forwarding, step);
    }

    fn automatic_topic(&self, name: &TopicName) -> CreatableTopic {
        let config = &self.config;
        CreatableTopic {
            name: name.clone(),
            num_partitions: Some(config.num_partitions),
            replication_factor: i16::try_from(config.default_replication_factor).ok(),
            assignments: Vec::new(),
            configs: Vec::new(),
        }
    }
}

/// The answer that refuses a request for the controller as a whole.
pub(super) fn refused(request: &Request, error: ErrorCode) -> Response {
    match request {
        Request::CreateTopics(request) => {
            Response::CreateTopics(all_refused(request.topics.iter().map(|topic| &topic.name), error))
        }
        Request::CreatePartitions(request) => {
            Response::CreatePartitions(all_refused(request.topics.iter().map(|topic| &topic.name), error))
        }
        Request::DeleteTopics(request) => Response::DeleteTopics(all_refused(request.topics.iter(), error)),
        Request::ElectLeaders(_) => Response::ElectLeaders(ElectLeadersResponse { error, results: Vec::new() }),
        Request::AlterPartitionReassignments(_) => {
            Response::AlterPartitionReassignments(AlterPartitionReassignmentsResponse { error, results: Vec::new() })
        }
        Request::ListPartitionReassignments(_) => {
            Response::ListPartitionReassignments(ListPartitionReassignmentsResponse { error, partitions: Vec::new() })
        }
        Request::IncrementalAlterConfigs(request) => all_configs_refused(request, error),
        Request::UpdateFeatures(_) => {
            Response::UpdateFeatures(UpdateFeaturesResponse { error, error_message: None, results: Vec::new() })
        }
        Request::UnregisterBroker(_) => {
            Response::UnregisterBroker(UnregisterBrokerResponse { error, error_message: None })
        }
        Request::DescribeQuorum => Response::DescribeQuorum(describe_quorum_refused(error)),
        Request::ApiVersions
        | Request::Metadata(_)
        | Request::Produce(_)
        | Request::Fetch(_)
        | Request::ListOffsets(_)
        | Request::OffsetForLeaderEpoch(_)
        | Request::DescribeTopicPartitions(_)
        | Request::DescribeConfigs(_)
        | Request::DeleteRecords(_)
        | Request::DescribeLogDirs(_)
        | Request::DescribeCluster
        | Request::InitProducerId(_)
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
        | Request::ZooKeeper(_) => unreachable!("{request:?} is not forwarded"),
    }
}

fn all_configs_refused(request: &IncrementalAlterConfigsRequest, error: ErrorCode) -> Response {
    let result =
        |resource: &ConfigResource| AlterConfigsResult { resource: resource.clone(), error, error_message: None };
    let results = request.resources.iter().map(|altered| result(&altered.resource)).collect();
    Response::IncrementalAlterConfigs(IncrementalAlterConfigsResponse { results })
}

fn describe_quorum_refused(error: ErrorCode) -> DescribeQuorumResponse {
    DescribeQuorumResponse {
        error,
        current_leader: LeaderIdAndEpoch { leader_id: None, leader_epoch: LeaderEpoch::NONE },
        high_watermark: Offset(-1),
        voters: Vec::new(),
        observers: Vec::new(),
    }
}

fn all_refused<'a>(names: impl Iterator<Item = &'a TopicName>, error: ErrorCode) -> TopicResults {
    let result = |name: &TopicName| TopicResult { name: name.clone(), topic_id: None, error, error_message: None };
    TopicResults { topics: names.map(result).collect() }
}
