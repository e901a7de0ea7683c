//! A consumer program: `kafka-console-consumer` around `KafkaConsumer`.
//!
//! It assigns itself all partitions of its subscription and finds new ones when it refreshes its metadata. Consumer
//! groups, committed offsets and rebalancing are absent, so two programs with one `group.id` both read everything.

mod fetcher;
mod offsets;
mod subscription;
#[cfg(test)]
mod tests;

use super::alarm::{Alarm, earlier};
use super::backoff::ExponentialBackoff;
use super::cluster_client::{ClusterClient, NO_METADATA};
use super::metadata::{Interest, Metadata};
use super::network_client::NetworkClient;
use super::pattern::{TopicPattern, is_internal};
use super::split_rng;
use crate::Rng;
use crate::event::{ClientEvent, EventKind};
use crate::fetch_session_handler::FetchSessionHandler;
use crate::instant::{Duration, Instant};
use crate::node::{Effects, ExitStatus, Identity, Input, Instruction};
use crate::spec::{ClientSpec, ConsumerConfig, ConsumerSpec, StartOffset, Subscription};
use crate::view::{ConsumerView, PositionView};
use fetcher::{CompletedFetch, reset_target};
use offsets::Pending;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use subscription::{Assignment, PartitionState};
use wire::request::OffsetSpec;
use wire::{LeaderEpoch, TopicName, TopicPartition};

/// Requests to a node that may wait for their answers: a consumer does not limit them.
const MAX_IN_FLIGHT: i32 = 100;

/// Which partitions the program wants.
#[derive(Clone, Debug)]
enum Wanted {
    Topic(TopicName),
    Pattern(TopicPattern),
    Partition { name: TopicPartition, start: Option<StartOffset> },
}

/// An error that ends the program.
#[derive(Clone, Debug)]
struct Failure {
    exception: &'static str,
    message: String,
    status: ExitStatus,
}

/// A consumer program.
#[derive(Clone, Debug)]
pub(super) struct Consumer {
    client_id: String,
    config: ConsumerConfig,
    wanted: Wanted,
    max_messages: Option<u64>,
    timeout: Option<Duration>,
    cluster: ClusterClient,
    assignment: Assignment,
    pending: BTreeMap<i32, Pending>,
    /// The fetch session with each broker.
    sessions: BTreeMap<i32, FetchSessionHandler>,
    fetched: VecDeque<CompletedFetch>,
    last_delivered_epoch: LeaderEpoch,
    seen_update: u64,
    consumed: u64,
    idle_since: Instant,
    failure: Option<Failure>,
    has_ended: bool,
    alarm: Alarm,
}

impl Consumer {
    /// A process that has not started yet.
    pub(super) fn new(spec: ClientSpec, consumer: ConsumerSpec, identity: &Identity, mut rng: Rng) -> Consumer {
        let config = consumer.config;
        let (wanted, interest, failure) = understand(&consumer.subscription);
        let backoff = ExponentialBackoff { initial_ms: config.retry_backoff_ms, max_ms: config.retry_backoff_max_ms };
        let max_age = Duration::from_ms(config.metadata_max_age_ms);
        let may_create = config.allow_auto_create_topics;
        let metadata = Metadata::bootstrap(&spec.bootstrap_servers, interest, may_create, backoff, max_age);
        let request_timeout = Duration::from_ms(i64::from(config.request_timeout_ms));
        let mut network = NetworkClient::new(identity, MAX_IN_FLIGHT, request_timeout, split_rng(&mut rng));
        if !matches!(wanted, Wanted::Partition { .. }) {
            // The search for the group's coordinator takes the first number in a Java client that subscribes.
            network.take_correlation_id();
        }
        Consumer {
            client_id: spec.client_id,
            cluster: ClusterClient::new(network, metadata, split_rng(&mut rng)),
            config,
            wanted,
            max_messages: consumer.max_messages,
            timeout: consumer.timeout_ms.map(Duration::from_ms),
            assignment: Assignment::new(),
            pending: BTreeMap::new(),
            sessions: BTreeMap::new(),
            fetched: VecDeque::new(),
            last_delivered_epoch: LeaderEpoch::NONE,
            seen_update: 0,
            consumed: 0,
            idle_since: Instant::ZERO,
            failure,
            has_ended: false,
            alarm: Alarm::default(),
        }
    }

    /// What an onlooker may see.
    pub(super) fn view(&self) -> ConsumerView {
        let position = |(name, state): (&TopicPartition, &PartitionState)| PositionView {
            partition: name.clone(),
            position: state.position.map(|position| position.offset),
            leader: state.position.and_then(|position| position.leader),
        };
        ConsumerView {
            client_id: self.client_id.clone(),
            positions: self.assignment.iter().map(position).collect(),
            consumed: self.consumed,
            known_brokers: self.cluster.metadata.node_ids(),
        }
    }

    /// Handles one input completely.
    pub(super) fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        if self.has_ended {
            return;
        }
        match input {
            Input::Started { .. } => self.on_started(now, effects),
            Input::TimerFired { .. } => self.alarm.on_fired(),
            Input::Told(instruction) => return self.on_told(&instruction, effects),
            Input::ClockSet(_) => {}
            Input::Connected { .. } | Input::Disconnected { .. } | Input::Received { .. } => {
                for completion in self.cluster.on_input(now, input, effects) {
                    self.on_completion(completion, now, effects);
                }
            }
        }
        self.poll(now, effects);
    }

    fn on_started(&mut self, now: Instant, effects: &mut Effects) {
        self.idle_since = now;
        if let Wanted::Partition { name, start } = self.wanted.clone() {
            self.assign(vec![name], start, now, effects);
        }
    }

    fn on_told(&mut self, instruction: &Instruction, effects: &mut Effects) {
        match instruction {
            Instruction::Interrupt => self.finish(ExitStatus(130), effects),
            Instruction::ShutDown => self.finish(ExitStatus(143), effects),
            Instruction::Produce(_) | Instruction::EndOfInput => {}
        }
    }

    /// One turn of the program's loop around `KafkaConsumer.poll`.
    fn poll(&mut self, now: Instant, effects: &mut Effects) {
        for completion in self.cluster.poll(now, effects) {
            self.on_completion(completion, now, effects);
        }
        self.take_metadata(now, effects);
        if !self.has_enough() {
            self.deliver(now, effects);
        }
        if self.failure.is_none() && !self.has_enough() {
            self.reset_positions(now, effects);
            self.validate_positions(now, effects);
            self.send_fetches(now, effects);
            self.cluster.maybe_update_metadata(now, effects);
        }
        self.end_if_due(now, effects);
        let next = if self.has_ended { None } else { self.next_deadline(now) };
        self.alarm.set(now, next, effects);
    }

    fn has_enough(&self) -> bool {
        self.max_messages.is_some_and(|max| self.consumed >= max)
    }

    fn end_if_due(&mut self, now: Instant, effects: &mut Effects) {
        if let Some(failure) = self.failure.take() {
            let Failure { exception, message, status } = failure;
            let exception = exception.to_owned();
            effects.note(EventKind::Client(ClientEvent::ConsumerFailed { exception, message }));
            self.finish(status, effects);
        } else if self.has_enough() {
            self.finish(ExitStatus(0), effects);
        } else if self.fetched.is_empty() && self.idle_deadline().is_some_and(|deadline| now >= deadline) {
            effects.note(EventKind::Client(ClientEvent::ConsumerTimedOut));
            self.finish(ExitStatus(0), effects);
        }
    }

    fn idle_deadline(&self) -> Option<Instant> {
        self.timeout.map(|timeout| self.idle_since + timeout)
    }

    fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let due = self.assignment.values().map(PartitionState::retry_at).filter(|at| *at > now).min();
        let next_page = (!self.fetched.is_empty()).then_some(now);
        let own = earlier(earlier(due, next_page), self.idle_deadline());
        earlier(own, earlier(self.next_reconnect(now), self.cluster.next_deadline(now)))
    }

    /// When a leader that is needed may be connected to again.
    fn next_reconnect(&self, now: Instant) -> Option<Instant> {
        if !self.cluster.network.is_backing_off(now) {
            return None;
        }
        let leaders = self.assignment.keys().filter_map(|name| self.cluster.metadata.leader(name).leader);
        let positions = self.assignment.values().filter_map(|state| state.position).filter_map(|place| place.leader);
        let preferred = self.assignment.values().filter_map(|state| state.preferred_read_replica(now));
        leaders
            .chain(positions)
            .chain(preferred)
            .filter_map(|leader| self.cluster.network.backs_off_until(leader.0, now))
            .min()
    }

    /// Takes in what the last metadata answer told, and what made it impossible to go on.
    fn take_metadata(&mut self, now: Instant, effects: &mut Effects) {
        if self.cluster.take_fatal_error() {
            self.fail("org.apache.kafka.common.errors.UnsupportedVersionException", NO_METADATA.to_owned());
        }
        if self.cluster.metadata.update_version() == self.seen_update {
            return;
        }
        self.seen_update = self.cluster.metadata.update_version();
        let invalid = self.cluster.metadata.invalid_topics();
        if !invalid.is_empty() {
            let names: Vec<&str> = invalid.iter().map(TopicName::as_str).collect();
            let message = format!("Invalid topics: [{}]", names.join(", "));
            self.fail("org.apache.kafka.common.errors.InvalidTopicException", message);
        }
        self.assign_subscribed(now, effects);
        self.on_new_metadata(now);
    }

    /// Every position learns who leads its partition now.
    fn on_new_metadata(&mut self, now: Instant) {
        for (name, state) in &mut self.assignment {
            state.on_leader(self.cluster.metadata.leader(name), now);
        }
    }

    /// Assigns the partitions that the subscription has by now, and lets go of those that are gone.
    fn assign_subscribed(&mut self, now: Instant, effects: &mut Effects) {
        if matches!(self.wanted, Wanted::Partition { .. }) {
            return;
        }
        let subscribed: BTreeSet<TopicPartition> = self.subscribed_partitions().collect();
        self.assignment.retain(|name, _| subscribed.contains(name));
        let new: Vec<TopicPartition> =
            subscribed.into_iter().filter(|name| !self.assignment.contains_key(name)).collect();
        self.assign(new, None, now, effects);
    }

    fn subscribed_partitions(&self) -> impl Iterator<Item = TopicPartition> {
        let topics = self.cluster.metadata.topics().filter(|(topic, _)| self.is_subscribed(topic));
        topics.flat_map(|(topic, info)| {
            info.partitions.keys().map(|partition| TopicPartition::new(topic.clone(), *partition))
        })
    }

    fn is_subscribed(&self, topic: &TopicName) -> bool {
        match &self.wanted {
            Wanted::Topic(wanted) => topic == wanted,
            Wanted::Pattern(pattern) => pattern.matches(topic) && !is_internal(topic),
            Wanted::Partition { name, .. } => *topic == name.topic,
        }
    }

    fn assign(&mut self, names: Vec<TopicPartition>, start: Option<StartOffset>, now: Instant, effects: &mut Effects) {
        let to = match start {
            Some(StartOffset::At(offset)) => {
                names.iter().for_each(|name| self.seek(name, offset, now, effects));
                return;
            }
            Some(StartOffset::Earliest) => Some(OffsetSpec::Earliest),
            Some(StartOffset::Latest) => Some(OffsetSpec::Latest),
            None => reset_target(self.config.auto_offset_reset),
        };
        match to {
            Some(to) => {
                self.assignment.extend(names.into_iter().map(|name| (name, PartitionState::to_reset(to, now))));
            }
            None if names.is_empty() => {}
            None => {
                let names: Vec<String> = names.iter().map(TopicPartition::to_string).collect();
                let message = format!("Undefined offset with no reset policy for partitions: [{}]", names.join(", "));
                self.fail("org.apache.kafka.clients.consumer.NoOffsetForPartitionException", message);
            }
        }
    }

    /// The program ends with this step. An error in `poll` ends `kafka-console-consumer` with status 0.
    fn fail(&mut self, exception: &'static str, message: String) {
        self.failure.get_or_insert(Failure { exception, message, status: ExitStatus(0) });
    }

    fn finish(&mut self, status: ExitStatus, effects: &mut Effects) {
        effects.note(EventKind::Client(ClientEvent::ConsumerFinished { messages: self.consumed }));
        self.close_fetch_sessions(effects);
        self.cluster.network.close_all(effects);
        effects.exit(status);
        self.has_ended = true;
    }
}

/// What a subscription wants, which topics that asks about, and what is wrong with it.
fn understand(subscription: &Subscription) -> (Wanted, Interest, Option<Failure>) {
    match subscription {
        Subscription::Topic(topic) => (Wanted::Topic(topic.clone()), Interest::Listed(vec![topic.clone()]), None),
        Subscription::Partition { topic, partition, start } => {
            let name = TopicPartition::new(topic.clone(), *partition);
            (Wanted::Partition { name, start: *start }, Interest::Listed(vec![topic.clone()]), None)
        }
        Subscription::Pattern(pattern) => match TopicPattern::parse(pattern) {
            Ok(pattern) => (Wanted::Pattern(pattern), Interest::All, None),
            Err(error) => {
                let exception = "java.util.regex.PatternSyntaxException";
                let failure = Failure { exception, message: error.0, status: ExitStatus(1) };
                (Wanted::Topic(TopicName::new(pattern)), Interest::Listed(Vec::new()), Some(failure))
            }
        },
    }
}
