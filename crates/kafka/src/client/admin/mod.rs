//! `kafka-topics`: one action, made of calls of the admin client, then the program exits (`TopicCommand`).
//!
//! Of `--describe` the calls that look for reassignments are absent, and the live brokers are those that the listing of
//! topics told of. Several topics are described in the order of their names; the real tool prints them in the order of
//! a Java hash map.

mod admin_client;
mod describe;
#[cfg(test)]
mod tests;

use super::alarm::Alarm;
use super::cluster_client::NO_METADATA;
use super::network_client::log;
use super::pattern::{TopicPattern, is_internal};
use crate::Rng;
use crate::event::{ClientEvent, ClientLog, EventKind, TopicDescription, TopicsFailure};
use crate::instant::Instant;
use crate::node::{Effects, ExitStatus, Identity, Input, Instruction};
use crate::spec::{ClientSpec, DescribeTarget, TopicFilter, TopicsAction};
use crate::view::AdminView;
use admin_client::{AdminClient, CallOutcome, NodeChoice};
use wire::request::{
    ConfigResource, CreatePartitionsRequest, CreatePartitionsTopic, CreateTopicsRequest, DeleteTopicsRequest,
    DescribeConfigsRequest, DescribeConfigsResource, DescribeTopicPartitionsRequest, MetadataRequest,
};
use wire::response::{
    DescribeConfigsResponse, DescribeTopicPartitionsResponse, DescribedTopic, MetadataResponse, TopicResults,
};
use wire::{BrokerId, Endpoint, ErrorCode, Request, Response, TopicId, TopicName};

/// What is called at present.
#[derive(Clone, Debug)]
enum Stage {
    /// Not started.
    Starting,
    /// `createTopics`.
    Creating,
    /// `listTopics`, which most actions begin with.
    Listing,
    /// `describeTopics`.
    Describing { live_brokers: Vec<BrokerId> },
    /// `describeConfigs`.
    DescribingConfigs { live_brokers: Vec<BrokerId>, topics: Vec<DescribedTopic> },
    /// `createPartitions`.
    Enlarging,
    /// `deleteTopics`.
    Deleting,
    /// The program has exited.
    Ended,
}

/// A `kafka-topics` program.
#[derive(Clone, Debug)]
pub(super) struct TopicsCommand {
    client_id: String,
    bootstrap_servers: Vec<Endpoint>,
    action: TopicsAction,
    admin: AdminClient,
    stage: Stage,
    alarm: Alarm,
}

impl TopicsCommand {
    /// A process that has not started yet.
    pub(super) fn new(spec: ClientSpec, action: TopicsAction, identity: &Identity, rng: Rng) -> TopicsCommand {
        TopicsCommand {
            admin: AdminClient::new(&spec.bootstrap_servers, identity, rng),
            client_id: spec.client_id,
            bootstrap_servers: spec.bootstrap_servers,
            action,
            stage: Stage::Starting,
            alarm: Alarm::default(),
        }
    }

    /// What an onlooker may see.
    pub(super) fn view(&self) -> AdminView {
        AdminView {
            client_id: self.client_id.clone(),
            call: self.call_name(),
            topic: match &self.action {
                TopicsAction::Create { topic, .. } => Some(topic.name.clone()),
                TopicsAction::List(filter)
                | TopicsAction::Describe { topics: DescribeTarget::Filter(filter), .. }
                | TopicsAction::Alter { topics: filter, .. }
                | TopicsAction::Delete { topics: filter, .. } => filter.pattern.as_deref().map(TopicName::new),
                TopicsAction::Describe { topics: DescribeTarget::Id(_), .. } => None,
            },
            bootstrap_servers: self.bootstrap_servers.clone(),
        }
    }

    fn call_name(&self) -> &'static str {
        match (&self.stage, &self.action) {
            (Stage::Creating, _) | (Stage::Starting | Stage::Ended, TopicsAction::Create { .. }) => "createTopics",
            (Stage::Describing { .. }, _) => "describeTopicPartitions",
            (Stage::DescribingConfigs { .. }, _) => "describeConfigs",
            (Stage::Enlarging, _) => "createPartitions",
            (Stage::Deleting, _) => "deleteTopics",
            (
                Stage::Listing | Stage::Starting | Stage::Ended,
                TopicsAction::Create { .. }
                | TopicsAction::List(_)
                | TopicsAction::Describe { .. }
                | TopicsAction::Alter { .. }
                | TopicsAction::Delete { .. },
            ) => "listTopics",
        }
    }

    /// Handles one input completely.
    pub(super) fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        if self.has_ended() {
            return;
        }
        match input {
            Input::Started { .. } => self.start(now),
            Input::TimerFired { .. } => self.alarm.on_fired(),
            Input::Told(Instruction::Interrupt) => self.exit(ExitStatus(130), effects),
            Input::Told(Instruction::ShutDown) => self.exit(ExitStatus(143), effects),
            Input::Told(Instruction::Produce(_) | Instruction::EndOfInput) => {}
            Input::Connected { .. } | Input::Disconnected { .. } | Input::Received { .. } => {
                if let Some(outcome) = self.admin.on_input(now, input, effects) {
                    self.on_outcome(outcome, now, effects);
                }
            }
        }
        self.poll(now, effects);
    }

    fn poll(&mut self, now: Instant, effects: &mut Effects) {
        if self.has_ended() {
            return self.alarm.set(now, None, effects);
        }
        if let Some(outcome) = self.admin.poll(now, effects) {
            self.on_outcome(outcome, now, effects);
        }
        let next = if self.has_ended() { None } else { self.admin.next_deadline() };
        self.alarm.set(now, next, effects);
    }

    fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended)
    }

    fn start(&mut self, now: Instant) {
        if let TopicsAction::Create { topic, .. } = &self.action {
            let request = CreateTopicsRequest { topics: vec![topic.clone()], validate_only: false };
            self.call(Stage::Creating, Request::CreateTopics(request), NodeChoice::Controller, now);
        } else {
            let request = MetadataRequest { topics: None, allow_auto_topic_creation: true };
            self.call(Stage::Listing, Request::Metadata(request), NodeChoice::LeastLoaded, now);
        }
    }

    fn call(&mut self, stage: Stage, request: Request, to: NodeChoice, now: Instant) {
        self.stage = stage;
        self.admin.start_call(self.call_name(), request, to, now);
    }

    fn on_outcome(&mut self, outcome: CallOutcome, now: Instant, effects: &mut Effects) {
        match outcome {
            CallOutcome::Answered(response) => self.on_response(response, now, effects),
            CallOutcome::NoNode(message) => {
                self.fail(TopicsFailure::TimedOut { call: self.call_name(), message: message.to_owned() }, effects);
            }
            CallOutcome::TimedOut(message) => {
                self.fail(TopicsFailure::Refused { error: ErrorCode::RequestTimedOut, message }, effects);
            }
            CallOutcome::NotABroker => self.on_not_a_broker(effects),
        }
    }

    /// The real client tells it twice before it gives the call up, and twice while it closes.
    fn on_not_a_broker(&mut self, effects: &mut Effects) {
        log(effects, ClientLog::NotABroker);
        log(effects, ClientLog::NotABroker);
        let message = NO_METADATA.to_owned();
        let failure = TopicsFailure::Refused { error: ErrorCode::UnsupportedVersion, message };
        note(effects, ClientEvent::TopicsFailed(failure));
        log(effects, ClientLog::NotABroker);
        log(effects, ClientLog::NotABroker);
        self.exit(ExitStatus(1), effects);
    }

    fn on_response(&mut self, response: Response, now: Instant, effects: &mut Effects) {
        let stage = std::mem::replace(&mut self.stage, Stage::Starting);
        match (stage, response) {
            (Stage::Creating, Response::CreateTopics(results)) => {
                self.on_results(Stage::Creating, results, now, effects);
            }
            (Stage::Enlarging, Response::CreatePartitions(results)) => {
                self.on_results(Stage::Enlarging, results, now, effects);
            }
            (Stage::Deleting, Response::DeleteTopics(results)) => {
                self.on_results(Stage::Deleting, results, now, effects);
            }
            (Stage::Listing, Response::Metadata(listing)) => self.on_listing(&listing, now, effects),
            (Stage::Describing { live_brokers }, Response::DescribeTopicPartitions(described)) => {
                self.on_described(live_brokers, described, now, effects);
            }
            (Stage::DescribingConfigs { live_brokers, topics }, Response::DescribeConfigs(configs)) => {
                self.on_configs(&live_brokers, topics, &configs, effects);
            }
            (stage, response) => panic!("a broker answered {stage:?} with {response:?}"),
        }
    }

    /// Results by topic of a request that changes something.
    fn on_results(&mut self, stage: Stage, results: TopicResults, now: Instant, effects: &mut Effects) {
        self.stage = stage;
        if results.topics.iter().any(|result| result.error == ErrorCode::NotController) {
            if let Some(outcome) = self.admin.retry_with_other_controller(now) {
                self.on_outcome(outcome, now, effects);
            }
            return;
        }
        let failed = results.topics.into_iter().find(|result| !result.error.is_none());
        match (failed, self.action.clone()) {
            (Some(failed), TopicsAction::Create { if_not_exists: true, .. })
                if failed.error == ErrorCode::TopicAlreadyExists =>
            {
                self.exit(ExitStatus(0), effects);
            }
            (Some(failed), _) => self.refuse(failed.error, failed.error_message, effects),
            (None, TopicsAction::Create { topic, .. }) => {
                note(effects, ClientEvent::TopicCreated(topic.name));
                self.exit(ExitStatus(0), effects);
            }
            (
                None,
                TopicsAction::List(_)
                | TopicsAction::Describe { .. }
                | TopicsAction::Alter { .. }
                | TopicsAction::Delete { .. },
            ) => self.exit(ExitStatus(0), effects),
        }
    }

    fn on_listing(&mut self, listing: &MetadataResponse, now: Instant, effects: &mut Effects) {
        let live_brokers: Vec<BrokerId> = listing.brokers.iter().map(|broker| broker.broker_id).collect();
        match self.action.clone() {
            TopicsAction::Create { .. } => panic!("creating a topic lists none"),
            TopicsAction::List(filter) => {
                let Some(names) = self.filter(listing, &filter, true, effects) else { return };
                note(effects, ClientEvent::TopicsListed(names));
                self.exit(ExitStatus(0), effects);
            }
            TopicsAction::Describe { topics: DescribeTarget::Filter(filter), if_exists } => {
                let Some(names) = self.filter(listing, &filter, if_exists, effects) else { return };
                self.describe(names, live_brokers, now, effects);
            }
            TopicsAction::Describe { topics: DescribeTarget::Id(id), if_exists } => {
                self.describe_by_id(listing, id, if_exists, live_brokers, now, effects);
            }
            TopicsAction::Alter { topics, count, assignments, if_exists } => {
                let Some(names) = self.filter(listing, &topics, if_exists, effects) else { return };
                if assignments.is_some() && !names.is_empty() {
                    self.describe(names, live_brokers, now, effects);
                } else {
                    let unassigned = |name| CreatePartitionsTopic { name, count, assignments: None };
                    self.enlarge(names.into_iter().map(unassigned).collect(), now, effects);
                }
            }
            TopicsAction::Delete { topics, if_exists } => {
                let Some(names) = self.filter(listing, &topics, if_exists, effects) else { return };
                self.delete(names, now, effects);
            }
        }
    }

    /// The names that match, sorted. Ends the program if there are none but should be.
    fn filter(
        &mut self,
        listing: &MetadataResponse,
        filter: &TopicFilter,
        may_be_empty: bool,
        effects: &mut Effects,
    ) -> Option<Vec<TopicName>> {
        let pattern = match filter.pattern.as_deref().map(TopicPattern::parse_include_list).transpose() {
            Ok(pattern) => pattern,
            Err(_) => {
                let message = format!("{} is an invalid regex.", filter.pattern.as_deref().unwrap_or_default());
                self.fail(TopicsFailure::Refused { error: ErrorCode::UnknownServerError, message }, effects);
                return None;
            }
        };
        let is_wanted = |name: &TopicName| {
            pattern.as_ref().is_none_or(|pattern| pattern.matches(name))
                && !(filter.exclude_internal && is_internal(name))
        };
        let mut names: Vec<TopicName> =
            listing.topics.iter().map(|topic| topic.name.clone()).filter(is_wanted).collect();
        names.sort();
        match &filter.pattern {
            Some(pattern) if names.is_empty() && !may_be_empty && !pattern.is_empty() => {
                self.fail(TopicsFailure::NoSuchTopic(pattern.clone()), effects);
                None
            }
            Some(_) | None => Some(names),
        }
    }

    fn describe_by_id(
        &mut self,
        listing: &MetadataResponse,
        id: TopicId,
        if_exists: bool,
        live_brokers: Vec<BrokerId>,
        now: Instant,
        effects: &mut Effects,
    ) {
        let found = listing.topics.iter().find(|topic| topic.topic_id == id);
        if found.is_none() && !if_exists {
            return self.fail(TopicsFailure::NoSuchTopicId(id), effects);
        }
        self.describe(found.map(|topic| topic.name.clone()).into_iter().collect(), live_brokers, now, effects);
    }

    fn describe(&mut self, topics: Vec<TopicName>, live_brokers: Vec<BrokerId>, now: Instant, effects: &mut Effects) {
        if topics.is_empty() {
            note(effects, ClientEvent::TopicsDescribed(Vec::new()));
            return self.exit(ExitStatus(0), effects);
        }
        let request = Request::DescribeTopicPartitions(DescribeTopicPartitionsRequest { topics });
        self.call(Stage::Describing { live_brokers }, request, NodeChoice::LeastLoaded, now);
    }

    fn on_described(
        &mut self,
        live_brokers: Vec<BrokerId>,
        described: DescribeTopicPartitionsResponse,
        now: Instant,
        effects: &mut Effects,
    ) {
        if let Some(failed) = described.topics.iter().find(|topic| !topic.error.is_none()) {
            return self.refuse(failed.error, None, effects);
        }
        if let TopicsAction::Alter { count, assignments: Some(assignments), .. } = &self.action {
            let enlarged = described.topics.iter().map(|topic| CreatePartitionsTopic {
                name: topic.name.clone(),
                count: *count,
                assignments: Some(assignments.iter().skip(topic.partitions.len()).cloned().collect()),
            });
            return self.enlarge(enlarged.collect(), now, effects);
        }
        let mut topics = described.topics;
        topics.sort_by(|one, other| one.name.cmp(&other.name));
        let names = topics.iter().map(|topic| all_configs_of(&topic.name)).collect();
        let request = Request::DescribeConfigs(DescribeConfigsRequest { resources: names, include_synonyms: false });
        self.call(Stage::DescribingConfigs { live_brokers, topics }, request, NodeChoice::LeastLoaded, now);
    }

    fn on_configs(
        &mut self,
        live_brokers: &[BrokerId],
        topics: Vec<DescribedTopic>,
        configs: &DescribeConfigsResponse,
        effects: &mut Effects,
    ) {
        if let Some(failed) = configs.results.iter().find(|topic| !topic.error.is_none()) {
            return self.refuse(failed.error, None, effects);
        }
        let described: Vec<TopicDescription> = topics
            .into_iter()
            .map(|topic| {
                let resource = ConfigResource::Topic(topic.name.clone());
                let its_own = configs.results.iter().find(|configs| configs.resource == resource);
                describe::description(topic, its_own, live_brokers)
            })
            .collect();
        note(effects, ClientEvent::TopicsDescribed(described));
        self.exit(ExitStatus(0), effects);
    }

    fn enlarge(&mut self, topics: Vec<CreatePartitionsTopic>, now: Instant, effects: &mut Effects) {
        if topics.is_empty() {
            return self.exit(ExitStatus(0), effects);
        }
        let request = Request::CreatePartitions(CreatePartitionsRequest { topics });
        self.call(Stage::Enlarging, request, NodeChoice::Controller, now);
    }

    fn delete(&mut self, topics: Vec<TopicName>, now: Instant, effects: &mut Effects) {
        if topics.is_empty() {
            return self.exit(ExitStatus(0), effects);
        }
        let request = Request::DeleteTopics(DeleteTopicsRequest { topics });
        self.call(Stage::Deleting, request, NodeChoice::Controller, now);
    }

    fn refuse(&mut self, error: ErrorCode, message: Option<String>, effects: &mut Effects) {
        let message = message.unwrap_or_else(|| error.message().to_owned());
        self.fail(TopicsFailure::Refused { error, message }, effects);
    }

    fn fail(&mut self, failure: TopicsFailure, effects: &mut Effects) {
        note(effects, ClientEvent::TopicsFailed(failure));
        self.exit(ExitStatus(1), effects);
    }

    fn exit(&mut self, status: ExitStatus, effects: &mut Effects) {
        self.admin.close(effects);
        effects.exit(status);
        self.stage = Stage::Ended;
    }
}

fn all_configs_of(topic: &TopicName) -> DescribeConfigsResource {
    DescribeConfigsResource { resource: ConfigResource::Topic(topic.clone()), names: None }
}

fn note(effects: &mut Effects, event: ClientEvent) {
    effects.note(EventKind::Client(event));
}
