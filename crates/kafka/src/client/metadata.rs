//! What a client knows of the cluster and when it asks again: `org.apache.kafka.clients.Metadata` with
//! `ProducerMetadata` and `ConsumerMetadata`.
//!
//! The leader epoch of a partition never goes back: an older answer is ignored (KIP-320), unless the topic is a new
//! one of the same name. Answers that tell nothing new make the next request wait longer. Rebootstrapping is absent.

use super::backoff::ExponentialBackoff;
use crate::Rng;
use crate::instant::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};
use wire::request::MetadataRequest;
use wire::response::{CurrentLeader, MetadataPartition, MetadataResponse, MetadataTopic};
use wire::{BrokerId, Endpoint, ErrorCode, LeaderEpoch, PartitionIndex, TopicId, TopicName, TopicPartition};

/// `metadata.max.idle.ms`: how long a producer remembers a topic that it does not use.
const MAX_IDLE: Duration = Duration(300_000_000);

/// Which topics a client asks about.
#[derive(Clone, Debug)]
pub(super) enum Interest {
    /// A producer: those that it sends to.
    Produced(BTreeMap<TopicName, ProducedTopic>),
    /// A consumer: those that it named.
    Listed(Vec<TopicName>),
    /// A consumer with a pattern: all.
    All,
}

/// A topic that a producer sends to.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProducedTopic {
    expires_at: Instant,
    is_new: bool,
}

/// A topic as the client knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct TopicInfo {
    /// Its id, if the cluster has ids.
    pub(super) topic_id: Option<TopicId>,
    /// The partitions by number.
    pub(super) partitions: BTreeMap<PartitionIndex, PartitionInfo>,
}

/// A partition as the client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PartitionInfo {
    /// Its leader.
    pub(super) leader: Option<BrokerId>,
    /// That leader's epoch.
    pub(super) leader_epoch: LeaderEpoch,
}

/// A partition whose leader is another one than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeaderChange {
    pub(super) partition: TopicPartition,
    pub(super) leader: BrokerId,
    pub(super) leader_epoch: LeaderEpoch,
}

/// A request for metadata, and what its answer will be about.
#[derive(Clone, Debug)]
pub(super) struct MetadataQuery {
    pub(super) request: MetadataRequest,
    pub(super) request_version: u64,
    pub(super) is_partial: bool,
}

/// The cluster as one client knows it.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    interest: Interest,
    allow_auto_topic_creation: bool,
    backoff: ExponentialBackoff,
    max_age: Duration,
    nodes: BTreeMap<i32, Endpoint>,
    is_bootstrap: bool,
    topics: BTreeMap<TopicName, TopicInfo>,
    errors: BTreeMap<TopicName, ErrorCode>,
    last_seen_epochs: BTreeMap<TopicPartition, LeaderEpoch>,
    last_successful_refresh: Option<Instant>,
    last_refresh: Option<Instant>,
    attempts: u32,
    equivalent_responses: u32,
    backoff_for_attempts: Duration,
    backoff_for_responses: Duration,
    request_version: u64,
    update_version: u64,
    needs_full_update: bool,
    needs_partial_update: bool,
}

impl Metadata {
    /// Only the bootstrap servers are known; they are nodes -1, -2, …
    pub(super) fn bootstrap(
        servers: &[Endpoint],
        interest: Interest,
        allow_auto_topic_creation: bool,
        backoff: ExponentialBackoff,
        max_age: Duration,
    ) -> Metadata {
        Metadata {
            interest,
            allow_auto_topic_creation,
            backoff,
            max_age,
            nodes: bootstrap_nodes(servers),
            is_bootstrap: true,
            topics: BTreeMap::new(),
            errors: BTreeMap::new(),
            last_seen_epochs: BTreeMap::new(),
            last_successful_refresh: None,
            last_refresh: None,
            attempts: 0,
            equivalent_responses: 0,
            backoff_for_attempts: Duration::default(),
            backoff_for_responses: Duration::default(),
            request_version: 0,
            update_version: 0,
            needs_full_update: true,
            needs_partial_update: false,
        }
    }

    /// Whether only the bootstrap servers are known yet.
    pub(super) fn is_bootstrap(&self) -> bool {
        self.is_bootstrap
    }

    /// The nodes that may be asked.
    pub(super) fn node_ids(&self) -> Vec<i32> {
        self.nodes.keys().copied().collect()
    }

    /// Where a node listens.
    pub(super) fn endpoint(&self, node: i32) -> Option<&Endpoint> {
        self.nodes.get(&node)
    }

    /// A topic, if the cluster told of it.
    pub(super) fn topic(&self, topic: &TopicName) -> Option<&TopicInfo> {
        self.topics.get(topic)
    }

    /// All known topics.
    pub(super) fn topics(&self) -> impl Iterator<Item = (&TopicName, &TopicInfo)> {
        self.topics.iter()
    }

    /// How many partitions a topic has, if it is known.
    pub(super) fn partition_count(&self, topic: &TopicName) -> Option<i32> {
        self.topics.get(topic).map(|info| info.partitions.len() as i32)
    }

    /// The error that the cluster last gave for a topic.
    pub(super) fn error(&self, topic: &TopicName) -> Option<ErrorCode> {
        self.errors.get(topic).copied()
    }

    /// The topics whose names the cluster called illegal.
    pub(super) fn invalid_topics(&self) -> Vec<TopicName> {
        let invalid = self.errors.iter().filter(|(_, error)| **error == ErrorCode::InvalidTopic);
        invalid.map(|(topic, _)| topic.clone()).collect()
    }

    /// A partition's leader, if it has one that is a known node, and its epoch.
    pub(super) fn leader(&self, partition: &TopicPartition) -> PartitionInfo {
        let known = self.topics.get(&partition.topic).and_then(|info| info.partitions.get(&partition.partition));
        let epoch = self.last_seen_epochs.get(partition).copied().unwrap_or(LeaderEpoch::NONE);
        match known {
            Some(info) if info.leader_epoch == epoch || !epoch.is_known() => self.with_live_leader(*info),
            Some(_) | None => PartitionInfo { leader: None, leader_epoch: epoch },
        }
    }

    fn with_live_leader(&self, info: PartitionInfo) -> PartitionInfo {
        PartitionInfo { leader: info.leader.filter(|leader| self.nodes.contains_key(&leader.0)), ..info }
    }

    /// The partitions of a topic that have a leader, in order.
    pub(super) fn available_partitions(&self, topic: &TopicName) -> impl Iterator<Item = PartitionIndex> + Clone {
        let partitions = self.topics.get(topic).into_iter().flat_map(|info| &info.partitions);
        let available = partitions
            .filter(|(_, partition)| partition.leader.is_some_and(|leader| self.nodes.contains_key(&leader.0)));
        available.map(|(index, _)| *index)
    }

    /// The partitions that a node leads, in order.
    pub(super) fn partitions_led_by(&self, node: i32) -> Vec<TopicPartition> {
        let mut led = Vec::new();
        for (topic, info) in &self.topics {
            let mine = info.partitions.iter().filter(|(_, partition)| partition.leader == Some(BrokerId(node)));
            led.extend(mine.map(|(index, _)| TopicPartition::new(topic.clone(), *index)));
        }
        led
    }

    /// Counts the answers taken.
    pub(super) fn update_version(&self) -> u64 {
        self.update_version
    }

    /// A producer is about to send to a topic.
    pub(super) fn add_topic(&mut self, topic: &TopicName, now: Instant) {
        let Interest::Produced(topics) = &mut self.interest else { return };
        let expires_at = now + MAX_IDLE;
        let is_new = !topics.contains_key(topic);
        let entry = topics.entry(topic.clone()).or_insert(ProducedTopic { expires_at, is_new: true });
        entry.expires_at = expires_at;
        if is_new {
            self.request_update_for_new_topics();
        }
    }

    /// A producer waits for a topic.
    pub(super) fn request_update_for_topic(&mut self, topic: &TopicName) {
        let is_new = match &self.interest {
            Interest::Produced(topics) => topics.get(topic).is_some_and(|topic| topic.is_new),
            Interest::Listed(_) | Interest::All => false,
        };
        if is_new { self.request_update_for_new_topics() } else { self.request_update() }
    }

    fn request_update_for_new_topics(&mut self) {
        self.last_refresh = None;
        self.needs_partial_update = true;
        self.equivalent_responses = 0;
        self.backoff_for_responses = Duration::default();
        self.request_version += 1;
    }

    /// What is known is out of date.
    pub(super) fn request_update(&mut self) {
        self.needs_full_update = true;
    }

    /// When the next request is due, by need or by age, back-off included.
    pub(super) fn next_update_at(&self) -> Instant {
        let pause = self.backoff_for_attempts.max(self.backoff_for_responses);
        let allowed_at = self.last_refresh.map_or(Instant::ZERO, |last| last + pause);
        let expires_at = self.last_successful_refresh.map_or(Instant::ZERO, |last| last + self.max_age);
        let is_requested = self.needs_full_update || self.needs_partial_update;
        if is_requested { allowed_at } else { expires_at.max(allowed_at) }
    }

    /// The next request.
    pub(super) fn next_query(&self, now: Instant) -> MetadataQuery {
        let has_expired = self.last_successful_refresh.is_none_or(|last| now >= last + self.max_age);
        let new_topics = self.new_topics();
        let is_partial = !self.needs_full_update && !has_expired && !new_topics.is_empty();
        let topics = if is_partial { Some(new_topics) } else { self.interest.topics() };
        let allow_auto_topic_creation = self.allow_auto_topic_creation;
        let request = MetadataRequest { topics, allow_auto_topic_creation };
        MetadataQuery { request, request_version: self.request_version, is_partial }
    }

    fn new_topics(&self) -> Vec<TopicName> {
        match &self.interest {
            Interest::Produced(topics) => {
                topics.iter().filter(|(_, topic)| topic.is_new).map(|(name, _)| name.clone()).collect()
            }
            Interest::Listed(_) | Interest::All => Vec::new(),
        }
    }

    /// A request failed.
    pub(super) fn on_failed_update(&mut self, now: Instant, rng: &mut Rng) {
        self.last_refresh = Some(now);
        self.backoff_for_attempts = self.backoff.after(self.attempts, rng);
        self.attempts += 1;
        self.equivalent_responses = 0;
        self.backoff_for_responses = Duration::default();
    }

    /// A connection failed while a request was due. Real clients then wait one first back-off; what makes the pauses
    /// grow is the back-off of the node.
    pub(super) fn on_failed_connection(&mut self, now: Instant, rng: &mut Rng) {
        self.last_refresh = Some(now);
        self.backoff_for_attempts = self.backoff.after(0, rng);
        self.attempts = self.attempts.max(1);
    }

    /// Takes an answer in. Returns the partitions that have changed their leader.
    pub(super) fn on_update(
        &mut self,
        query: &MetadataQuery,
        response: &MetadataResponse,
        now: Instant,
        rng: &mut Rng,
    ) -> Vec<LeaderChange> {
        self.needs_partial_update = query.request_version < self.request_version;
        self.last_refresh = Some(now);
        self.attempts = 0;
        self.update_version += 1;
        if !query.is_partial {
            self.needs_full_update = false;
            self.last_successful_refresh = Some(now);
        }
        self.equivalent_responses += 1;
        self.retain_interest(response, now);
        let changes = self.merge(query.is_partial, response);
        self.backoff_for_attempts = self.backoff.after(0, rng);
        self.backoff_for_responses = match self.equivalent_responses {
            0 => Duration::default(),
            count => self.backoff.after(count - 1, rng),
        };
        changes
    }

    /// Topics that were told of are no longer new; those unused for long are forgotten.
    fn retain_interest(&mut self, response: &MetadataResponse, now: Instant) {
        let answered: BTreeSet<&TopicName> = response.topics.iter().map(|topic| &topic.name).collect();
        match &mut self.interest {
            Interest::Produced(topics) => {
                for (name, topic) in topics.iter_mut() {
                    topic.is_new &= !answered.contains(name);
                }
                topics.retain(|_, topic| topic.is_new || topic.expires_at > now);
                self.last_seen_epochs.retain(|partition, _| topics.contains_key(&partition.topic));
            }
            Interest::Listed(_) => {}
            Interest::All => self.last_seen_epochs.retain(|partition, _| answered.contains(&partition.topic)),
        }
    }

    fn merge(&mut self, is_partial: bool, response: &MetadataResponse) -> Vec<LeaderChange> {
        let mut changes = Vec::new();
        let brokers = response.brokers.iter();
        self.nodes = brokers.map(|broker| (broker.broker_id.0, broker.endpoint.clone())).collect();
        self.is_bootstrap = false;
        let mut topics = BTreeMap::new();
        for topic in &response.topics {
            if let Some(info) = self.learn_topic(topic, &mut changes) {
                topics.insert(topic.name.clone(), info);
            }
        }
        if is_partial {
            for topic in &response.topics {
                self.topics.remove(&topic.name);
                self.errors.remove(&topic.name);
            }
            self.topics.append(&mut topics);
        } else {
            self.topics = topics;
            self.errors.clear();
        }
        let failed = response.topics.iter().filter(|topic| !topic.error.is_none());
        self.errors.extend(failed.map(|topic| (topic.name.clone(), topic.error)));
        changes
    }

    fn learn_topic(&mut self, topic: &MetadataTopic, changes: &mut Vec<LeaderChange>) -> Option<TopicInfo> {
        if !topic.error.is_none() {
            if topic.error.is_invalid_metadata() {
                self.request_update();
            }
            return None;
        }
        let topic_id = (topic.topic_id != TopicId(0)).then_some(topic.topic_id);
        let known_id = self.topics.get(&topic.name).and_then(|info| info.topic_id);
        let is_other_topic = topic_id.is_some() && topic_id != known_id;
        let mut info = TopicInfo { topic_id, partitions: BTreeMap::new() };
        for partition in &topic.partitions {
            let name = TopicPartition::new(topic.name.clone(), partition.partition);
            if let Some(learnt) = self.learn_partition(&name, partition, is_other_topic, changes) {
                info.partitions.insert(partition.partition, learnt);
            }
            if partition.error.is_invalid_metadata() {
                self.request_update();
            }
        }
        Some(info)
    }

    fn learn_partition(
        &mut self,
        name: &TopicPartition,
        told: &MetadataPartition,
        is_other_topic: bool,
        changes: &mut Vec<LeaderChange>,
    ) -> Option<PartitionInfo> {
        let known = self.topics.get(&name.topic).and_then(|info| info.partitions.get(&name.partition)).copied();
        let seen = self.last_seen_epochs.get(name).copied().filter(|_| !is_other_topic);
        if seen.is_some_and(|seen| told.leader_epoch < seen) {
            return known;
        }
        if seen.is_none_or(|seen| told.leader_epoch > seen) {
            self.equivalent_responses = 0;
        }
        self.last_seen_epochs.insert(name.clone(), told.leader_epoch);
        let leader = told.leader.filter(|_| told.error.is_none());
        let learnt = PartitionInfo { leader, leader_epoch: told.leader_epoch };
        note_change(name, known, learnt, changes);
        Some(learnt)
    }

    /// Takes in a newer leader that a broker named in an error (KIP-951). Returns the change, if it is one.
    pub(super) fn on_current_leader(&mut self, name: &TopicPartition, hint: &CurrentLeader) -> Option<LeaderChange> {
        let current = self.leader(name).leader_epoch;
        if current.is_known() && hint.leader_epoch <= current {
            return None;
        }
        let info = self.topics.get_mut(&name.topic)?.partitions.get_mut(&name.partition)?;
        let known = *info;
        *info = PartitionInfo { leader: Some(hint.leader), leader_epoch: hint.leader_epoch };
        let learnt = *info;
        self.nodes.insert(hint.leader.0, hint.endpoint.clone());
        self.last_seen_epochs.insert(name.clone(), hint.leader_epoch);
        let mut changes = Vec::new();
        note_change(name, Some(known), learnt, &mut changes);
        changes.pop()
    }
}

impl Interest {
    fn topics(&self) -> Option<Vec<TopicName>> {
        match self {
            Interest::Produced(topics) => Some(topics.keys().cloned().collect()),
            Interest::Listed(topics) => Some(topics.clone()),
            Interest::All => None,
        }
    }
}

/// The bootstrap servers as nodes -1, -2, …
pub(super) fn bootstrap_nodes(servers: &[Endpoint]) -> BTreeMap<i32, Endpoint> {
    (1..).zip(servers).map(|(number, server): (i32, _)| (-number, server.clone())).collect()
}

fn note_change(
    name: &TopicPartition,
    known: Option<PartitionInfo>,
    learnt: PartitionInfo,
    changes: &mut Vec<LeaderChange>,
) {
    let Some(leader) = learnt.leader else { return };
    if known.is_some_and(|known| known.leader != Some(leader)) {
        changes.push(LeaderChange { partition: name.clone(), leader, leader_epoch: learnt.leader_epoch });
    }
}
