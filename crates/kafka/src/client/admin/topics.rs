//! `kafka-topics`: one action, made of calls of the admin client (`TopicCommand`).
//!
//! Of `--describe`, the live brokers are those that the listing of topics told of. Several topics are described in the
//! order of their names; the real tool prints them in the order of a Java hash map.

use super::admin_client::NodeChoice;
use super::describe;
use super::program::{Call, Next};
use crate::client::pattern::{TopicPattern, is_internal};
use crate::event::{AdminFailure, ClientEvent, TopicDescription};
use crate::java_hash::sort_as_hash_map_of;
use crate::spec::{DescribeTarget, TopicFilter, TopicsAction};
use wire::request::{
    ConfigResource, CreatePartitionsRequest, CreatePartitionsTopic, CreateTopicsRequest, DeleteTopicsRequest,
    DescribeConfigsRequest, DescribeConfigsResource, DescribeTopicPartitionsRequest, ListPartitionReassignmentsRequest,
    MetadataRequest,
};
use wire::response::{
    DescribeConfigsResponse, DescribeTopicPartitionsResponse, DescribedTopic, ListPartitionReassignmentsResponse,
    MetadataResponse, TopicResults,
};
use wire::{BrokerId, ErrorCode, Request, Response, TopicId, TopicName, TopicPartition};

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
    /// `listPartitionReassignments`; the topics are described but for that.
    ListingReassignments(Vec<TopicDescription>),
    /// `createPartitions`.
    Enlarging,
    /// `deleteTopics`.
    Deleting,
}

impl Stage {
    /// The admin client's name for it.
    fn call_name(&self) -> &'static str {
        match self {
            Stage::Creating => "createTopics",
            Stage::Starting | Stage::Listing => "listTopics",
            Stage::Describing { .. } => "describeTopicPartitions",
            Stage::DescribingConfigs { .. } => "describeConfigs",
            Stage::ListingReassignments(_) => "listPartitionReassignments",
            Stage::Enlarging => "createPartitions",
            Stage::Deleting => "deleteTopics",
        }
    }
}

/// An action of `kafka-topics` under way.
#[derive(Clone, Debug)]
pub(super) struct TopicsTask {
    action: TopicsAction,
    stage: Stage,
}

impl TopicsTask {
    /// Nothing has been asked yet.
    pub(super) fn new(action: TopicsAction) -> TopicsTask {
        TopicsTask { action, stage: Stage::Starting }
    }

    /// The topic it is about, if it names one.
    pub(super) fn topic(&self) -> Option<TopicName> {
        match &self.action {
            TopicsAction::Create { topic, .. } => Some(topic.name.clone()),
            TopicsAction::List(filter)
            | TopicsAction::Describe { topics: DescribeTarget::Filter(filter), .. }
            | TopicsAction::Alter { topics: filter, .. }
            | TopicsAction::Delete { topics: filter, .. } => filter.pattern.as_deref().map(TopicName::new),
            TopicsAction::Describe { topics: DescribeTarget::Id(_), .. } => None,
        }
    }

    /// The first call.
    pub(super) fn start(&mut self) -> Next {
        if let TopicsAction::Create { topic, .. } = &self.action {
            let request = CreateTopicsRequest { topics: vec![topic.clone()], validate_only: false };
            return self.call(Stage::Creating, Request::CreateTopics(request), NodeChoice::Controller);
        }
        let request = MetadataRequest { topics: None, allow_auto_topic_creation: true };
        self.call(Stage::Listing, Request::Metadata(request), NodeChoice::LeastLoaded)
    }

    /// The last call failed (`TopicService.listAllReassignments` wraps what it meets with).
    pub(super) fn on_failure(&self, failure: AdminFailure) -> Next {
        Next::Fail(match self.stage {
            Stage::ListingReassignments(_) => AdminFailure::ReassignmentsUnlisted(Box::new(failure)),
            Stage::Starting
            | Stage::Creating
            | Stage::Listing
            | Stage::Describing { .. }
            | Stage::DescribingConfigs { .. }
            | Stage::Enlarging
            | Stage::Deleting => failure,
        })
    }

    fn call(&mut self, stage: Stage, request: Request, to: NodeChoice) -> Next {
        self.stage = stage;
        Next::Call(Call { name: self.stage.call_name(), request, to })
    }

    /// What follows from the answer to the last call.
    pub(super) fn on_response(&mut self, response: Response) -> Next {
        let stage = std::mem::replace(&mut self.stage, Stage::Starting);
        match (stage, response) {
            (Stage::Creating, Response::CreateTopics(results)) => self.on_results(Stage::Creating, results),
            (Stage::Enlarging, Response::CreatePartitions(results)) => self.on_results(Stage::Enlarging, results),
            (Stage::Deleting, Response::DeleteTopics(results)) => self.on_results(Stage::Deleting, results),
            (Stage::Listing, Response::Metadata(listing)) => self.on_listing(&listing),
            (Stage::Describing { live_brokers }, Response::DescribeTopicPartitions(described)) => {
                self.on_described(live_brokers, described)
            }
            (Stage::DescribingConfigs { live_brokers, topics }, Response::DescribeConfigs(configs)) => {
                self.on_configs(&live_brokers, topics, &configs)
            }
            (Stage::ListingReassignments(topics), Response::ListPartitionReassignments(listed)) => {
                self.on_reassignments(topics, listed)
            }
            (stage, response) => panic!("a broker answered {stage:?} with {response:?}"),
        }
    }

    /// Results by topic of a request that changes something.
    fn on_results(&mut self, stage: Stage, results: TopicResults) -> Next {
        self.stage = stage;
        if results.topics.iter().any(|result| result.error == ErrorCode::NotController) {
            return Next::RetryWithOtherController;
        }
        let failed = results.topics.into_iter().find(|result| !result.error.is_none());
        match (failed, self.action.clone()) {
            (Some(failed), TopicsAction::Create { if_not_exists: true, .. })
                if failed.error == ErrorCode::TopicAlreadyExists =>
            {
                Next::done()
            }
            (Some(failed), _) => refuse(failed.error, failed.error_message),
            (None, TopicsAction::Create { topic, .. }) => Next::finish(ClientEvent::TopicCreated(topic.name)),
            (
                None,
                TopicsAction::List(_)
                | TopicsAction::Describe { .. }
                | TopicsAction::Alter { .. }
                | TopicsAction::Delete { .. },
            ) => Next::done(),
        }
    }

    fn on_listing(&mut self, listing: &MetadataResponse) -> Next {
        let live_brokers: Vec<BrokerId> = listing.brokers.iter().map(|broker| broker.broker_id).collect();
        match self.action.clone() {
            TopicsAction::Create { .. } => panic!("creating a topic lists none"),
            TopicsAction::List(filter) => match_names(listing, &filter, true)
                .map_or_else(Next::Fail, |names| Next::finish(ClientEvent::TopicsListed(names))),
            TopicsAction::Describe { topics: DescribeTarget::Filter(filter), if_exists } => {
                match_names(listing, &filter, if_exists)
                    .map_or_else(Next::Fail, |names| self.describe(names, live_brokers))
            }
            TopicsAction::Describe { topics: DescribeTarget::Id(id), if_exists } => {
                self.describe_by_id(listing, id, if_exists, live_brokers)
            }
            TopicsAction::Alter { topics, count, assignments, if_exists } => {
                match match_names(listing, &topics, if_exists) {
                    Err(failure) => Next::Fail(failure),
                    Ok(names) if assignments.is_some() && !names.is_empty() => self.describe(names, live_brokers),
                    Ok(names) => {
                        let unassigned = |name| CreatePartitionsTopic { name, count, assignments: None };
                        self.enlarge(names.into_iter().map(unassigned).collect())
                    }
                }
            }
            TopicsAction::Delete { topics, if_exists } => {
                match_names(listing, &topics, if_exists).map_or_else(Next::Fail, |names| self.delete(names))
            }
        }
    }

    fn describe_by_id(
        &mut self,
        listing: &MetadataResponse,
        id: TopicId,
        if_exists: bool,
        live_brokers: Vec<BrokerId>,
    ) -> Next {
        let found = listing.topics.iter().find(|topic| topic.topic_id == id);
        if found.is_none() && !if_exists {
            return Next::Fail(AdminFailure::NoSuchTopicId(id));
        }
        self.describe(found.map(|topic| topic.name.clone()).into_iter().collect(), live_brokers)
    }

    fn describe(&mut self, topics: Vec<TopicName>, live_brokers: Vec<BrokerId>) -> Next {
        if topics.is_empty() {
            return Next::finish(ClientEvent::TopicsDescribed(Vec::new()));
        }
        let request = Request::DescribeTopicPartitions(DescribeTopicPartitionsRequest { topics });
        self.call(Stage::Describing { live_brokers }, request, NodeChoice::LeastLoaded)
    }

    fn on_described(&mut self, live_brokers: Vec<BrokerId>, described: DescribeTopicPartitionsResponse) -> Next {
        if let Some(failed) = described.topics.iter().find(|topic| !topic.error.is_none()) {
            return refuse(failed.error, None);
        }
        if let TopicsAction::Alter { count, assignments: Some(assignments), .. } = &self.action {
            let enlarged = described.topics.iter().map(|topic| CreatePartitionsTopic {
                name: topic.name.clone(),
                count: *count,
                assignments: Some(assignments.iter().skip(topic.partitions.len()).cloned().collect()),
            });
            return self.enlarge(enlarged.collect());
        }
        let mut topics = described.topics;
        topics.sort_by(|one, other| one.name.cmp(&other.name));
        // The real tool keeps them in a hash map that was made for so many.
        let buckets = (topics.len() as u32).next_power_of_two();
        sort_as_hash_map_of(buckets, &mut topics, |topic| topic.name.as_str());
        let names = topics.iter().map(|topic| all_configs_of(&topic.name)).collect();
        let request = Request::DescribeConfigs(DescribeConfigsRequest { resources: names, include_synonyms: false });
        self.call(Stage::DescribingConfigs { live_brokers, topics }, request, NodeChoice::LeastLoaded)
    }

    fn on_configs(
        &mut self,
        live_brokers: &[BrokerId],
        topics: Vec<DescribedTopic>,
        configs: &DescribeConfigsResponse,
    ) -> Next {
        if let Some(failed) = configs.results.iter().find(|topic| !topic.error.is_none()) {
            return refuse(failed.error, None);
        }
        let described: Vec<TopicDescription> = topics
            .into_iter()
            .map(|topic| {
                let resource = ConfigResource::Topic(topic.name.clone());
                let its_own = configs.results.iter().find(|configs| configs.resource == resource);
                describe::description(topic, its_own, live_brokers)
            })
            .collect();
        let request = ListPartitionReassignmentsRequest { partitions: Some(partitions_of(&described)) };
        let request = Request::ListPartitionReassignments(request);
        self.call(Stage::ListingReassignments(described), request, NodeChoice::Controller)
    }

    fn on_reassignments(
        &mut self,
        mut topics: Vec<TopicDescription>,
        listed: ListPartitionReassignmentsResponse,
    ) -> Next {
        if listed.error == ErrorCode::NotController {
            self.stage = Stage::ListingReassignments(topics);
            return Next::RetryWithOtherController;
        }
        if !listed.error.is_none() {
            let message = listed.error.message().to_owned();
            self.stage = Stage::ListingReassignments(topics);
            return self.on_failure(AdminFailure::Refused { error: listed.error, message });
        }
        for ongoing in listed.partitions {
            if let Some(topic) = topics.iter_mut().find(|topic| topic.topic.name == ongoing.partition.topic) {
                topic.reassignments.push(ongoing);
            }
        }
        Next::finish(ClientEvent::TopicsDescribed(topics))
    }

    fn enlarge(&mut self, topics: Vec<CreatePartitionsTopic>) -> Next {
        if topics.is_empty() {
            return Next::done();
        }
        let request = Request::CreatePartitions(CreatePartitionsRequest { topics });
        self.call(Stage::Enlarging, request, NodeChoice::Controller)
    }

    fn delete(&mut self, topics: Vec<TopicName>) -> Next {
        if topics.is_empty() {
            return Next::done();
        }
        let request = Request::DeleteTopics(DeleteTopicsRequest { topics });
        self.call(Stage::Deleting, request, NodeChoice::Controller)
    }
}

/// The names that match, sorted; a failure if there are none but should be.
fn match_names(
    listing: &MetadataResponse,
    filter: &TopicFilter,
    may_be_empty: bool,
) -> Result<Vec<TopicName>, AdminFailure> {
    let pattern = filter.pattern.as_deref().map(TopicPattern::parse_include_list).transpose().map_err(|_| {
        let message = format!("{} is an invalid regex.", filter.pattern.as_deref().unwrap_or_default());
        AdminFailure::Refused { error: ErrorCode::UnknownServerError, message }
    })?;
    let is_wanted = |name: &TopicName| {
        pattern.as_ref().is_none_or(|pattern| pattern.matches(name)) && !(filter.exclude_internal && is_internal(name))
    };
    let mut names: Vec<TopicName> = listing.topics.iter().map(|topic| topic.name.clone()).filter(is_wanted).collect();
    names.sort();
    match &filter.pattern {
        Some(pattern) if names.is_empty() && !may_be_empty && !pattern.is_empty() => {
            Err(AdminFailure::NoSuchTopic(pattern.clone()))
        }
        Some(_) | None => Ok(names),
    }
}

fn refuse(error: ErrorCode, message: Option<String>) -> Next {
    let message = message.unwrap_or_else(|| error.message().to_owned());
    Next::Fail(AdminFailure::Refused { error, message })
}

fn partitions_of(topics: &[TopicDescription]) -> Vec<TopicPartition> {
    let partitions = topics.iter().flat_map(|description| {
        let topic = &description.topic;
        topic.partitions.iter().map(|partition| TopicPartition::new(topic.name.clone(), partition.partition))
    });
    partitions.collect()
}

fn all_configs_of(topic: &TopicName) -> DescribeConfigsResource {
    DescribeConfigsResource { resource: ConfigResource::Topic(topic.clone()), names: None }
}
