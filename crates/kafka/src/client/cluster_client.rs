//! A network client that keeps its metadata fresh of itself: `NetworkClient` with its `DefaultMetadataUpdater`, as
//! producers and consumers use it.

use super::alarm::earlier;
use super::metadata::{LeaderChange, Metadata, MetadataQuery};
use super::network_client::{NetworkClient, NetworkEvent, Outcome, log};
use crate::Rng;
use crate::event::{ClientEvent, ClientLog, EventKind};
use crate::instant::Instant;
use crate::node::{Effects, Input};
use wire::response::{CurrentLeader, ListenerKind, MetadataResponse};
use wire::{ErrorCode, Request, Response, TopicName, TopicPartition};

/// A metadata request that waits for its answer.
#[derive(Clone, Debug)]
struct InProgress {
    correlation_id: i32,
    query: MetadataQuery,
}

/// An ended request of the producer or consumer itself.
#[derive(Clone, Debug)]
pub(super) struct Completion {
    pub(super) node: i32,
    pub(super) correlation_id: i32,
    pub(super) outcome: Outcome,
}

/// Connections, metadata, and the metadata request under way.
#[derive(Clone, Debug)]
pub(super) struct ClusterClient {
    pub(super) network: NetworkClient,
    pub(super) metadata: Metadata,
    in_progress: Option<InProgress>,
    has_fatal_error: bool,
    rng: Rng,
}

impl ClusterClient {
    /// Nothing is connected yet.
    pub(super) fn new(network: NetworkClient, metadata: Metadata, rng: Rng) -> ClusterClient {
        ClusterClient { network, metadata, in_progress: None, has_fatal_error: false, rng }
    }

    /// Takes a network input in; returns what became of requests.
    pub(super) fn on_input(&mut self, now: Instant, input: Input, effects: &mut Effects) -> Vec<Completion> {
        let events = self.network.on_input(now, input, effects);
        self.on_events(now, events, effects)
    }

    /// Gives up what took too long and asks for metadata when that is due; returns what became of requests.
    pub(super) fn poll(&mut self, now: Instant, effects: &mut Effects) -> Vec<Completion> {
        let events = self.network.expire(now, effects);
        let completions = self.on_events(now, events, effects);
        self.maybe_update_metadata(now, effects);
        completions
    }

    /// Whether requests may be sent to the node: it is connected, has room, and no metadata request goes before.
    pub(super) fn is_ready(&self, node: i32, now: Instant) -> bool {
        !self.is_update_due(now) && self.network.can_send(node)
    }

    /// Like `is_ready`; opens a connection if there is none.
    pub(super) fn make_ready(&mut self, node: i32, now: Instant, effects: &mut Effects) -> bool {
        if self.is_ready(node, now) {
            return true;
        }
        if let Some(endpoint) = self.metadata.endpoint(node).cloned() {
            self.network.ensure_connected(node, &endpoint, now, effects);
        }
        false
    }

    /// Takes in a newer leader that a broker named in an error (KIP-951).
    pub(super) fn on_current_leader(
        &mut self,
        partition: &TopicPartition,
        hint: &CurrentLeader,
        effects: &mut Effects,
    ) {
        if let Some(change) = self.metadata.on_current_leader(partition, hint) {
            note_leader(change, effects);
        }
    }

    /// Whether a server turned out not to be a broker; asking clears it.
    pub(super) fn take_fatal_error(&mut self) -> bool {
        std::mem::take(&mut self.has_fatal_error)
    }

    /// When the connections or the metadata need attention.
    pub(super) fn next_deadline(&self, now: Instant) -> Option<Instant> {
        earlier(self.network.next_deadline(), self.next_metadata_attempt(now))
    }

    fn next_metadata_attempt(&self, now: Instant) -> Option<Instant> {
        if self.in_progress.is_some() {
            return None;
        }
        let due_at = self.metadata.next_update_at();
        if due_at > now {
            return Some(due_at);
        }
        let nodes = self.metadata.node_ids();
        nodes.iter().filter_map(|node| self.network.backs_off_until(*node, now)).min()
    }

    fn is_update_due(&self, now: Instant) -> bool {
        self.in_progress.is_none() && now >= self.metadata.next_update_at()
    }

    /// Asks for metadata if that is due. A turn in which the program may have found out that it needs newer metadata ends
    /// with this, as nothing else would wake it.
    pub(super) fn maybe_update_metadata(&mut self, now: Instant, effects: &mut Effects) {
        if !self.is_update_due(now) {
            return;
        }
        let nodes = self.metadata.node_ids();
        let Some(node) = self.network.least_loaded(&nodes, now) else { return };
        if self.network.can_send(node) {
            self.send_metadata_request(node, now, effects);
        } else if !nodes.iter().any(|node| self.network.is_connecting(*node)) {
            let endpoint = self.metadata.endpoint(node).expect("the node is one of the metadata's").clone();
            self.network.ensure_connected(node, &endpoint, now, effects);
        }
    }

    fn send_metadata_request(&mut self, node: i32, now: Instant, effects: &mut Effects) {
        if self.network.listener(node) == Some(ListenerKind::Controller) {
            self.has_fatal_error = true;
            self.metadata.on_failed_update(now, &mut self.rng);
            return;
        }
        let query = self.metadata.next_query(now);
        let request = Request::Metadata(query.request.clone());
        let correlation_id = self.network.send(node, request, now, effects);
        self.in_progress = Some(InProgress { correlation_id, query });
    }

    fn on_events(&mut self, now: Instant, events: Vec<NetworkEvent>, effects: &mut Effects) -> Vec<Completion> {
        let mut completions = Vec::new();
        for event in events {
            match event {
                NetworkEvent::Completed { node, correlation_id, outcome } => {
                    match self.in_progress.take_if(|query| query.correlation_id == correlation_id) {
                        Some(query) => self.on_metadata_outcome(now, &query, outcome, effects),
                        None => completions.push(Completion { node, correlation_id, outcome }),
                    }
                }
                NetworkEvent::ServerDisconnected { node } => self.on_server_disconnected(node, now, effects),
            }
        }
        completions
    }

    fn on_server_disconnected(&mut self, node: i32, now: Instant, effects: &mut Effects) {
        if self.metadata.is_bootstrap()
            && let Some(endpoint) = self.metadata.endpoint(node)
        {
            log(effects, ClientLog::BootstrapBrokerDisconnected { node, endpoint: endpoint.clone() });
        }
        if self.is_update_due(now) {
            self.metadata.on_failed_connection(now, &mut self.rng);
        }
        self.metadata.request_update();
    }

    fn on_metadata_outcome(&mut self, now: Instant, asked: &InProgress, outcome: Outcome, effects: &mut Effects) {
        match outcome {
            Outcome::Answered(Response::Metadata(response)) => self.on_metadata(now, asked, &response, effects),
            Outcome::Answered(_) | Outcome::Disconnected | Outcome::TimedOut => {
                self.metadata.on_failed_update(now, &mut self.rng);
            }
        }
    }

    fn on_metadata(&mut self, now: Instant, asked: &InProgress, response: &MetadataResponse, effects: &mut Effects) {
        let failed = response.topics.iter().filter(|topic| !topic.error.is_none());
        let topics: Vec<(TopicName, ErrorCode)> = failed.map(|topic| (topic.name.clone(), topic.error)).collect();
        if !topics.is_empty() {
            log(effects, ClientLog::MetadataIssue { correlation_id: asked.correlation_id, topics });
        }
        if response.brokers.is_empty() {
            self.metadata.on_failed_update(now, &mut self.rng);
            return;
        }
        let changes = self.metadata.on_update(&asked.query, response, now, &mut self.rng);
        let invalid = self.metadata.invalid_topics();
        if !invalid.is_empty() {
            log(effects, ClientLog::InvalidTopics(invalid));
        }
        changes.into_iter().for_each(|change| note_leader(change, effects));
    }
}

/// What a program is told when it asked a KRaft controller for what only brokers serve.
pub(super) const NO_METADATA: &str = "The node does not support METADATA";

fn note_leader(change: LeaderChange, effects: &mut Effects) {
    let LeaderChange { partition, leader, leader_epoch } = change;
    effects.note(EventKind::Client(ClientEvent::LeaderDiscovered { partition, leader, leader_epoch }));
}
