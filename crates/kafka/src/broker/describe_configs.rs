//! Tells clients about configurations (`kafka.server.ConfigHelper`).

use super::topics::error_without_topic;
use super::{Broker, Step};
use crate::config::describe_topic_configs;
use crate::node::RequestId;
use wire::request::{ConfigResource, DescribeConfigsRequest, DescribeConfigsResource};
use wire::response::{ConfigEntry, DescribeConfigsResponse, DescribedConfigs};
use wire::{ErrorCode, Response};

impl Broker {
    /// Configurations of topics and of this broker.
    pub(super) fn describe_configs(&mut self, id: RequestId, request: &DescribeConfigsRequest, step: &mut Step<'_>) {
        let results = request.resources.iter().map(|wanted| self.described_configs(wanted)).collect();
        self.server.respond(id, Response::DescribeConfigs(DescribeConfigsResponse { results }), step.effects);
    }

    fn described_configs(&self, wanted: &DescribeConfigsResource) -> DescribedConfigs {
        let resource = wanted.resource.clone();
        match self.config_entries(&resource) {
            Ok(entries) => DescribedConfigs { resource, error: ErrorCode::None, error_message: None, entries },
            Err(error) => DescribedConfigs { resource, error, error_message: None, entries: Vec::new() },
        }
    }

    fn config_entries(&self, resource: &ConfigResource) -> Result<Vec<ConfigEntry>, ErrorCode> {
        match resource {
            ConfigResource::Topic(name) => match self.image.topics().get(name) {
                Some(topic) => Ok(describe_topic_configs(&topic.configs, &self.setup.config)),
                None => Err(error_without_topic(name)),
            },
            ConfigResource::Broker(_) => Err(ErrorCode::InvalidRequest),
        }
    }
}
