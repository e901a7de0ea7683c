//! Configurations of topics and brokers change (`org.apache.kafka.controller.ConfigurationControlManager` with the checks
//! of `kafka.server.ConfigAdminManager`; KIP-226, KIP-339). Pure functions from the cluster as it stands to records.
//! Error codes and messages are Kafka's. Alter-config policies are not modelled, and a broker does not refuse to pass on
//! what is meant for another one.

use super::replication::Cluster;
use super::topic_names::check_name;
use crate::config::{
    BrokerConfig, ConfigDefinition, ConfigType, is_dynamic_config, topic_config, validate_topic_configs,
};
use std::collections::{BTreeMap, BTreeSet};
use wire::request::{
    AlterConfigOperation, AlterConfigsResource, AlterableConfig, ConfigResource, IncrementalAlterConfigsRequest,
};
use wire::response::{AlterConfigsResult, IncrementalAlterConfigsResponse};
use wire::{ErrorCode, MetadataRecord};

/// Why a resource was not changed.
type Refusal = (ErrorCode, String);

impl Cluster<'_> {
    /// Changes configurations. One wrong change refuses all of its resource.
    pub(super) fn incremental_alter_configs(
        &self,
        request: &IncrementalAlterConfigsRequest,
    ) -> (Vec<MetadataRecord>, IncrementalAlterConfigsResponse) {
        let mut records = Vec::new();
        let mut results = Vec::new();
        for altered in &request.resources {
            let (error, error_message) = match self.alter_resource(altered, request) {
                Ok(new_records) => {
                    records.extend(new_records);
                    (ErrorCode::None, None)
                }
                Err((error, message)) => (error, Some(message)),
            };
            results.push(AlterConfigsResult { resource: altered.resource.clone(), error, error_message });
        }
        if request.validate_only {
            records.clear();
        }
        (records, IncrementalAlterConfigsResponse { results })
    }

    fn alter_resource(
        &self,
        altered: &AlterConfigsResource,
        request: &IncrementalAlterConfigsRequest,
    ) -> Result<Vec<MetadataRecord>, Refusal> {
        let resource = &altered.resource;
        if request.resources.iter().filter(|other| other.resource == *resource).count() > 1 {
            return Err(invalid_request("Each resource must appear at most once."));
        }
        check_changes(&altered.configs)?;
        let current = self.current_configs(resource);
        let mut configs = current.clone();
        let mut records = Vec::new();
        for change in &altered.configs {
            let value = new_value(resource, change, current.get(&change.name))?;
            // Brokers act again on values that are set again (KAFKA-14136).
            let is_for_brokers = matches!(resource, ConfigResource::Broker(_));
            if is_for_brokers || current.get(&change.name) != value.as_ref() {
                let (resource, key) = (resource.clone(), change.name.clone());
                records.push(MetadataRecord::Config { resource, key, value: value.clone() });
            }
            set(&mut configs, &change.name, value);
        }
        self.check_configs(resource, &configs)?;
        Ok(records)
    }

    fn current_configs(&self, resource: &ConfigResource) -> BTreeMap<String, String> {
        match resource {
            ConfigResource::Topic(name) => {
                self.image.topics().get(name).map_or_else(BTreeMap::new, |topic| topic.configs.clone())
            }
            ConfigResource::Broker(broker) => self.image.broker_configs(*broker).clone(),
        }
    }

    fn check_configs(&self, resource: &ConfigResource, configs: &BTreeMap<String, String>) -> Result<(), Refusal> {
        match resource {
            ConfigResource::Topic(name) => {
                check_name(name.as_str()).map_err(|message| (ErrorCode::InvalidTopic, message))?;
                validate_topic_configs(configs, self.config).map_err(|message| (ErrorCode::InvalidConfig, message))?;
                if !self.image.topics().contains_key(name) {
                    return Err((ErrorCode::UnknownTopicOrPartition, format!("The topic '{name}' does not exist.")));
                }
            }
            ConfigResource::Broker(broker) => {
                check_dynamic_configs(configs)?;
                if let Some(broker) = broker.filter(|broker| !self.image.brokers().contains_key(broker)) {
                    return Err((ErrorCode::BrokerIdNotRegistered, format!("No broker with id {broker} found.")));
                }
            }
        }
        Ok(())
    }
}

fn invalid_request(message: impl Into<String>) -> Refusal {
    (ErrorCode::InvalidRequest, message.into())
}

/// No configuration is named twice, and all but deletions have values.
pub(crate) fn check_changes(changes: &[AlterableConfig]) -> Result<(), Refusal> {
    let names: BTreeSet<&str> = changes.iter().map(|change| change.name.as_str()).collect();
    if names.len() < changes.len() {
        return Err(invalid_request("Error due to duplicate config keys"));
    }
    let lacks_value =
        |change: &&AlterableConfig| change.operation != AlterConfigOperation::Delete && change.value.is_none();
    let without_value: Vec<&str> = changes.iter().filter(lacks_value).map(|change| change.name.as_str()).collect();
    if without_value.is_empty() {
        return Ok(());
    }
    Err(invalid_request(format!("Null value not supported for : {}", without_value.join(", "))))
}

/// Only some configurations of brokers can change while these run.
pub(crate) fn check_dynamic_configs(configs: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let definition = |name: &str| BrokerConfig::definitions().iter().find(|config| config.name == name);
    let is_fixed = |name: &&String| !is_dynamic_config(name) && is_broker_config(name);
    let fixed: Vec<&str> = configs.keys().filter(is_fixed).map(String::as_str).collect();
    if !fixed.is_empty() {
        let message = format!("Cannot update these configs dynamically: Set({})", fixed.join(", "));
        return Err(invalid_request(message));
    }
    for (name, value) in configs {
        if let Some(definition) = definition(name) {
            definition.parse(value).map_err(invalid_request)?;
        }
    }
    Ok(())
}

/// Those that identify a server are not in the table of definitions.
fn is_broker_config(name: &str) -> bool {
    const IDENTITY: [&str; 6] = ["broker.id", "node.id", "process.roles", "broker.rack", "log.dir", "log.dirs"];
    IDENTITY.contains(&name) || BrokerConfig::definitions().iter().any(|config| config.name == name)
}

fn definition_of(resource: &ConfigResource, name: &str) -> Option<&'static ConfigDefinition> {
    match resource {
        ConfigResource::Topic(_) => topic_config(name).map(|config| &config.definition),
        ConfigResource::Broker(_) => BrokerConfig::definitions().iter().find(|config| config.name == name),
    }
}

/// What a configuration becomes; `None` is its default.
pub(crate) fn new_value(
    resource: &ConfigResource,
    change: &AlterableConfig,
    current: Option<&String>,
) -> Result<Option<String>, Refusal> {
    match change.operation {
        AlterConfigOperation::Set => Ok(change.value.clone()),
        AlterConfigOperation::Delete => Ok(None),
        AlterConfigOperation::Append => edited_list(resource, change, current, "APPEND"),
        AlterConfigOperation::Subtract => edited_list(resource, change, current, "SUBTRACT"),
    }
}

fn edited_list(
    resource: &ConfigResource,
    change: &AlterableConfig,
    current: Option<&String>,
    operation: &str,
) -> Result<Option<String>, Refusal> {
    let name = &change.name;
    let definition = definition_of(resource, name).filter(|definition| definition.config_type == ConfigType::List);
    let Some(definition) = definition else {
        let message = format!("Can't {operation} to key {name} because its type is not LIST.");
        return Err((ErrorCode::InvalidConfig, message));
    };
    let current = current.map_or(definition.default.unwrap_or_default(), String::as_str);
    let mut entries: Vec<&str> = current.split(',').filter(|entry| !entry.is_empty()).collect();
    for entry in change.value.as_deref().unwrap_or_default().split(',') {
        let position = entries.iter().position(|existing| *existing == entry);
        match (change.operation, position) {
            (AlterConfigOperation::Append, None) => entries.push(entry),
            (AlterConfigOperation::Subtract, Some(position)) => drop(entries.remove(position)),
            (AlterConfigOperation::Append, Some(_)) | (AlterConfigOperation::Subtract, None) => {}
            (AlterConfigOperation::Set | AlterConfigOperation::Delete, _) => unreachable!("lists are edited"),
        }
    }
    Ok(Some(entries.join(",")))
}

/// Sets a configuration, or returns to its default.
pub(crate) fn set(configs: &mut BTreeMap<String, String>, name: &str, value: Option<String>) {
    match value {
        Some(value) => configs.insert(name.to_owned(), value),
        None => configs.remove(name),
    };
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestCluster;
    use super::AlterConfigOperation::{Append, Delete, Set, Subtract};
    use super::*;
    use wire::{BrokerId, TopicName};

    type Changes<'a> = &'a [(&'a str, AlterConfigOperation, Option<&'a str>)];

    fn topic(name: &str) -> ConfigResource {
        ConfigResource::Topic(TopicName::new(name))
    }

    /// The error; the records are applied.
    fn alter(cluster: &mut TestCluster, resource: ConfigResource, changes: Changes) -> (ErrorCode, Option<String>) {
        let change = |(name, operation, value): &(&str, AlterConfigOperation, Option<&str>)| AlterableConfig {
            name: (*name).to_owned(),
            operation: *operation,
            value: value.map(str::to_owned),
        };
        let resources = vec![AlterConfigsResource { resource, configs: changes.iter().map(change).collect() }];
        let request = IncrementalAlterConfigsRequest { resources, validate_only: false };
        let (records, mut response) = cluster.as_cluster().incremental_alter_configs(&request);
        cluster.replay(records);
        let result = response.results.remove(0);
        (result.error, result.error_message)
    }

    fn cluster() -> TestCluster {
        let mut cluster = TestCluster::with_brokers(2);
        cluster.create("foo", &[&[0, 1]]);
        cluster
    }

    fn configs_of_foo(cluster: &TestCluster) -> Vec<String> {
        let topic = &cluster.image.topics()[&TopicName::new("foo")];
        topic.configs.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn values_are_set_deleted_and_lists_edited() {
        let mut cluster = cluster();
        for (change, expected) in [
            (("retention.ms", Set, Some("1000")), &["retention.ms=1000"][..]),
            (
                ("cleanup.policy", Append, Some("compact,delete")),
                &["cleanup.policy=delete,compact", "retention.ms=1000"],
            ),
            (("cleanup.policy", Subtract, Some("delete")), &["cleanup.policy=compact", "retention.ms=1000"]),
            (("retention.ms", Delete, None), &["cleanup.policy=compact"]),
            (("retention.ms", Delete, None), &["cleanup.policy=compact"]),
        ] {
            assert_eq!(alter(&mut cluster, topic("foo"), &[change]), (ErrorCode::None, None));
            assert_eq!(configs_of_foo(&cluster), expected);
        }
    }

    #[test]
    fn wrong_changes_are_refused_in_kafkas_words() {
        let broker = || ConfigResource::Broker(Some(BrokerId(1)));
        let absent = || ConfigResource::Broker(Some(BrokerId(7)));
        let cases: [(ConfigResource, Changes, ErrorCode, &str); 9] = [
            (
                topic("foo"),
                &[("retention.msx", Set, Some("1"))],
                ErrorCode::InvalidConfig,
                "Unknown topic config name: retention.msx",
            ),
            (
                topic("foo"),
                &[("retention.ms", Set, Some("x"))],
                ErrorCode::InvalidConfig,
                "Invalid value x for configuration retention.ms: Not a number of type LONG",
            ),
            (
                topic("foo"),
                &[("retention.ms", Append, Some("1"))],
                ErrorCode::InvalidConfig,
                "Can't APPEND to key retention.ms because its type is not LIST.",
            ),
            (
                topic("foo"),
                &[("retention.ms", Set, None)],
                ErrorCode::InvalidRequest,
                "Null value not supported for : retention.ms",
            ),
            (
                topic("foo"),
                &[("retention.ms", Set, Some("1")), ("retention.ms", Delete, None)],
                ErrorCode::InvalidRequest,
                "Error due to duplicate config keys",
            ),
            (
                topic("bar"),
                &[("retention.ms", Set, Some("1"))],
                ErrorCode::UnknownTopicOrPartition,
                "The topic 'bar' does not exist.",
            ),
            (
                broker(),
                &[("broker.id", Set, Some("5"))],
                ErrorCode::InvalidRequest,
                "Cannot update these configs dynamically: Set(broker.id)",
            ),
            (
                broker(),
                &[("log.cleaner.threads", Set, Some("x"))],
                ErrorCode::InvalidRequest,
                "Invalid value x for configuration log.cleaner.threads: Not a number of type INT",
            ),
            (
                absent(),
                &[("log.cleaner.threads", Set, Some("2"))],
                ErrorCode::BrokerIdNotRegistered,
                "No broker with id 7 found.",
            ),
        ];
        for (resource, changes, error, message) in cases {
            let mut cluster = cluster();
            assert_eq!(alter(&mut cluster, resource, changes), (error, Some(message.to_owned())));
            assert!(configs_of_foo(&cluster).is_empty());
        }
    }

    #[test]
    fn configurations_of_one_broker_and_of_all_are_kept_apart() {
        let mut cluster = cluster();
        let all = ConfigResource::Broker(None);
        alter(&mut cluster, all, &[("min.insync.replicas", Set, Some("2"))]);
        alter(&mut cluster, ConfigResource::Broker(Some(BrokerId(1))), &[("log.cleaner.threads", Set, Some("2"))]);
        let of = |broker| cluster.image.broker_configs(broker).keys().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(of(None), ["min.insync.replicas"]);
        assert_eq!(of(Some(BrokerId(1))), ["log.cleaner.threads"]);
        assert!(of(Some(BrokerId(0))).is_empty());
    }
}
