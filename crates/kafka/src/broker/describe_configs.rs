//! Tells clients about configurations of topics and of this broker (`kafka.server.ConfigHelper`).

use super::topics::error_without_topic;
use super::{Broker, Step};
use crate::config::ConfigLayers;
use crate::node::RequestId;
use wire::request::{ConfigResource, DescribeConfigsRequest, DescribeConfigsResource};
use wire::response::{ConfigEntry, DescribeConfigsResponse, DescribedConfigs};
use wire::{ErrorCode, Response};

/// Why configurations are not told.
type Refusal = (ErrorCode, Option<String>);

impl Broker {
    /// Configurations of topics and of this broker.
    pub(super) fn describe_configs(&mut self, id: RequestId, request: &DescribeConfigsRequest, step: &mut Step<'_>) {
        let described = |wanted| self.described_configs(wanted, request.include_synonyms);
        let results = request.resources.iter().map(described).collect();
        self.server.respond(id, Response::DescribeConfigs(DescribeConfigsResponse { results }), step.effects);
    }

    fn described_configs(&self, wanted: &DescribeConfigsResource, include_synonyms: bool) -> DescribedConfigs {
        let resource = wanted.resource.clone();
        match self.config_entries(&resource) {
            Ok(mut entries) => {
                entries.retain(|entry| wanted.names.as_ref().is_none_or(|names| names.contains(&entry.name)));
                if !include_synonyms {
                    entries.iter_mut().for_each(|entry| entry.synonyms.clear());
                }
                DescribedConfigs { resource, error: ErrorCode::None, error_message: None, entries }
            }
            Err((error, error_message)) => DescribedConfigs { resource, error, error_message, entries: Vec::new() },
        }
    }

    fn config_entries(&self, resource: &ConfigResource) -> Result<Vec<ConfigEntry>, Refusal> {
        let layers = self.config_layers();
        match resource {
            ConfigResource::Topic(name) => match self.image.topics().get(name) {
                Some(topic) => Ok(layers.describe_topic(&topic.configs)),
                None => Err((error_without_topic(name), None)),
            },
            ConfigResource::Broker(None) => Ok(layers.describe_all_brokers()),
            ConfigResource::Broker(Some(broker)) if *broker == self.setup.broker_id => Ok(layers.describe_broker()),
            ConfigResource::Broker(Some(broker)) => {
                let own = self.setup.broker_id;
                let message = format!("Unexpected broker id, expected {own} or empty string, but received {broker}");
                Err((ErrorCode::InvalidRequest, Some(message)))
            }
        }
    }

    /// Where this broker's configurations come from.
    pub(super) fn config_layers(&self) -> ConfigLayers<'_> {
        ConfigLayers {
            properties: &self.setup.config,
            on_all_brokers: self.image.broker_configs(None),
            on_this_broker: self.image.broker_configs(Some(self.setup.broker_id)),
        }
    }
}
