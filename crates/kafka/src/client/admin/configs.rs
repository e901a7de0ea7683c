//! `kafka-configs` for topics and brokers (`ConfigCommand`): configurations are described one resource after another;
//! before they change, what is to be deleted is looked for.

use super::admin_client::NodeChoice;
use super::program::{Call, Next};
use crate::event::{AdminAnswer, AdminFailure, ClientEvent, ConfigsOutcome, Objection};
use crate::node::ExitStatus;
use crate::spec::{ConfigEntities, ConfigsAction};
use std::collections::VecDeque;
use wire::request::{
    AlterConfigOperation, AlterConfigsResource, AlterableConfig, ConfigResource, DescribeConfigsRequest,
    DescribeConfigsResource, IncrementalAlterConfigsRequest, MetadataRequest,
};
use wire::response::{ConfigEntry, ConfigSource, DescribeConfigsResponse, IncrementalAlterConfigsResponse};
use wire::{ErrorCode, Request, Response};

/// A `kafka-configs` call under way.
#[derive(Clone, Debug)]
pub(super) struct ConfigsTask {
    action: ConfigsAction,
    /// What is described next, the one that was asked for first.
    waiting: VecDeque<ConfigResource>,
    described: Vec<(ConfigResource, Vec<ConfigEntry>)>,
}

impl ConfigsTask {
    /// Nothing has been asked yet.
    pub(super) fn new(action: ConfigsAction) -> ConfigsTask {
        ConfigsTask { action, waiting: VecDeque::new(), described: Vec::new() }
    }

    /// The first call.
    pub(super) fn start(&mut self) -> Next {
        match self.action.clone() {
            ConfigsAction::Describe { entities: ConfigEntities::One(resource), .. }
            | ConfigsAction::Alter { resource, .. } => {
                self.waiting.push_back(resource);
                self.describe_next()
            }
            ConfigsAction::Describe { entities: ConfigEntities::Topics, .. } => {
                let request = MetadataRequest { topics: None, allow_auto_topic_creation: true };
                call("listTopics", Request::Metadata(request), NodeChoice::LeastLoaded)
            }
            ConfigsAction::Describe { entities: ConfigEntities::Brokers, .. } => {
                call("listNodes", Request::DescribeCluster, NodeChoice::LeastLoaded)
            }
        }
    }

    fn describe_next(&self) -> Next {
        match self.waiting.front() {
            Some(resource) => Next::Call(self.describe(resource)),
            None => self.finish(None),
        }
    }

    fn describe(&self, resource: &ConfigResource) -> Call {
        let include_synonyms = matches!(self.action, ConfigsAction::Describe { .. });
        let resources = vec![DescribeConfigsResource { resource: resource.clone(), names: None }];
        let request = Request::DescribeConfigs(DescribeConfigsRequest { resources, include_synonyms });
        Call { name: "describeConfigs", request, to: node_for(resource) }
    }

    /// What follows from the answer to the last call.
    pub(super) fn on_response(&mut self, response: Response) -> Next {
        if let Response::Metadata(listing) = response {
            self.waiting = listing.topics.into_iter().map(|topic| ConfigResource::Topic(topic.name)).collect();
            return self.describe_next();
        }
        if let Response::DescribeCluster(cluster) = response {
            let brokers = cluster.brokers.iter().map(|broker| ConfigResource::Broker(Some(broker.broker_id)));
            self.waiting = brokers.chain([ConfigResource::Broker(None)]).collect();
            return self.describe_next();
        }
        if let Response::DescribeConfigs(configs) = response {
            return self.on_described(configs);
        }
        let Response::IncrementalAlterConfigs(results) = response else {
            panic!("a broker answered with {response:?}");
        };
        self.on_altered(results)
    }

    /// The broker that a call was for is gone: asks it again.
    pub(super) fn on_disconnected(&self) -> Next {
        match self.waiting.front() {
            Some(resource) => Next::Retry(self.describe(resource)),
            None => Next::Retry(self.alter()),
        }
    }

    /// No answer came: what was described before stays told.
    pub(super) fn on_failure(&mut self, failure: AdminFailure) -> Next {
        match (&self.action, self.waiting.pop_front()) {
            (ConfigsAction::Describe { .. }, Some(resource)) => self.finish(Some((resource, failure))),
            (ConfigsAction::Describe { .. } | ConfigsAction::Alter { .. }, _) => Next::Fail(failure),
        }
    }

    fn on_described(&mut self, configs: DescribeConfigsResponse) -> Next {
        let described = configs.results.into_iter().next().expect("an answer has a result for each resource");
        if !described.error.is_none() {
            let message = described.error_message.unwrap_or_default();
            return self.on_failure(AdminFailure::Refused { error: described.error, message });
        }
        let resource = self.waiting.pop_front().expect("it was asked for");
        match &self.action {
            ConfigsAction::Describe { all, .. } => {
                let mut entries = described.entries;
                entries.retain(|entry| *all || is_dynamic(&resource, entry));
                entries.sort_by(|one, other| one.name.cmp(&other.name));
                self.described.push((resource, entries));
                self.describe_next()
            }
            ConfigsAction::Alter { deleted, .. } => {
                let set = described.entries.iter().filter(|entry| is_dynamic(&resource, entry));
                let names: Vec<&str> = set.map(|entry| entry.name.as_str()).collect();
                let absent: Vec<&str> =
                    deleted.iter().map(String::as_str).filter(|name| !names.contains(name)).collect();
                if absent.is_empty() {
                    return Next::Call(self.alter());
                }
                let message = format!("Invalid config(s): {}", absent.join(","));
                Next::Fail(AdminFailure::Objected { objection: Objection::InvalidConfiguration, message })
            }
        }
    }

    fn alter(&self) -> Call {
        let ConfigsAction::Alter { resource, added, deleted } = &self.action else {
            unreachable!("only what is to change is altered");
        };
        let added = added.iter().map(|(name, value)| AlterableConfig {
            name: name.clone(),
            operation: AlterConfigOperation::Set,
            value: Some(value.clone()),
        });
        let deleted = deleted.iter().map(|name| AlterableConfig {
            name: name.clone(),
            operation: AlterConfigOperation::Delete,
            value: None,
        });
        let configs = added.chain(deleted).collect();
        let resources = vec![AlterConfigsResource { resource: resource.clone(), configs }];
        let request = IncrementalAlterConfigsRequest { resources, validate_only: false };
        let to = node_for(resource);
        Call { name: "incrementalAlterConfigs", request: Request::IncrementalAlterConfigs(request), to }
    }

    fn on_altered(&self, results: IncrementalAlterConfigsResponse) -> Next {
        let result = results.results.into_iter().next().expect("an answer has a result for each resource");
        if result.error == ErrorCode::NotController {
            return Next::Retry(self.alter());
        }
        if !result.error.is_none() {
            let message = result.error_message.unwrap_or_else(|| result.error.message().to_owned());
            return Next::Fail(AdminFailure::Refused { error: result.error, message });
        }
        answer(ConfigsOutcome::Altered(result.resource), ExitStatus(0))
    }

    fn finish(&self, failed: Option<(ConfigResource, AdminFailure)>) -> Next {
        let all = matches!(self.action, ConfigsAction::Describe { all: true, .. });
        let status = ExitStatus(i32::from(failed.is_some()));
        answer(ConfigsOutcome::Described { described: self.described.clone(), failed, all }, status)
    }
}

fn call(name: &'static str, request: Request, to: NodeChoice) -> Next {
    Next::Call(Call { name, request, to })
}

fn answer(outcome: ConfigsOutcome, status: ExitStatus) -> Next {
    let event = ClientEvent::AdminAnswered(Box::new(AdminAnswer::Configs(outcome)));
    Next::Finish { event: Some(event), status }
}

/// A broker tells and changes its own configurations.
fn node_for(resource: &ConfigResource) -> NodeChoice {
    match resource {
        ConfigResource::Broker(Some(broker)) => NodeChoice::Broker(*broker),
        ConfigResource::Broker(None) | ConfigResource::Topic(_) => NodeChoice::LeastLoaded,
    }
}

/// Whether a value was set on the resource itself.
fn is_dynamic(resource: &ConfigResource, entry: &ConfigEntry) -> bool {
    entry.source
        == match resource {
            ConfigResource::Topic(_) => ConfigSource::DynamicTopicConfig,
            ConfigResource::Broker(Some(_)) => ConfigSource::DynamicBrokerConfig,
            ConfigResource::Broker(None) => ConfigSource::DynamicDefaultBrokerConfig,
        }
}
