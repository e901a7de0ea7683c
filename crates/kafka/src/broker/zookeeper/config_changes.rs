//! Configurations of topics and brokers change by writing into ZooKeeper (`kafka.server.ConfigAdminManager`,
//! `kafka.server.ZkAdminManager.incrementalAlterConfigs`, `kafka.zk.AdminZkClient`; KIP-226, KIP-339): any broker does it
//! that is asked, and every broker hears of it through `/config/changes`. The messages are Kafka's.

use super::super::{Broker, Step};
use super::Ask;
use crate::config::{ConfigType, topic_config, validate_topic_configs};
use crate::controller::{check_changes, check_dynamic_configs, check_name, new_value, set};
use crate::node::RequestId;
use crate::zk_data;
use std::collections::BTreeMap;
use wire::request::{
    AlterConfigOperation, AlterConfigsResource, AlterableConfig, ConfigResource, IncrementalAlterConfigsRequest,
};
use wire::response::{AlterConfigsResult, IncrementalAlterConfigsResponse};
use wire::zookeeper::{CreateMode, Operation, OperationResult, Stat, ZnodeData, ZnodePath, ZooKeeperError};
use wire::{ErrorCode, Response};

/// A resource's own configurations.
type Configs = BTreeMap<String, String>;

/// Why a resource was not changed.
type Refusal = (ErrorCode, Option<String>);

/// Requests for changes that are not answered yet.
#[derive(Clone, Debug, Default)]
pub(super) struct ConfigChanges {
    pending: BTreeMap<u64, Pending>,
    last: u64,
}

#[derive(Clone, Debug)]
struct Pending {
    id: RequestId,
    request: IncrementalAlterConfigsRequest,
    /// What became of each resource, as far as that is known.
    results: BTreeMap<usize, Result<(), Refusal>>,
    /// What is being written, by resource.
    wanted: BTreeMap<usize, Configs>,
}

/// A question for one resource of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChangeAsk {
    request: u64,
    resource: usize,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// What is set now.
    Read,
    /// Whether there is a controller, and since when.
    Controller,
    /// Replace what is set.
    Replace(Stat),
    /// Set something for the first time.
    Create,
    /// Tell all brokers.
    Announce,
}

impl Broker {
    /// A client wants configurations to change.
    pub(super) fn alter_configs(
        &mut self,
        id: RequestId,
        request: IncrementalAlterConfigsRequest,
        step: &mut Step<'_>,
    ) {
        let results = request.resources.iter().enumerate().filter_map(|(place, altered)| {
            let refusal = self.check_request(altered, &request).err()?;
            Some((place, Err(refusal)))
        });
        let pending = Pending { id, results: results.collect(), wanted: BTreeMap::new(), request };
        let changes = &mut self.membership.zookeeper_mut().config_changes;
        changes.last += 1;
        let number = changes.last;
        let open: Vec<(usize, ZnodePath)> = pending
            .request
            .resources
            .iter()
            .enumerate()
            .filter(|(place, _)| !pending.results.contains_key(place))
            .map(|(place, altered)| (place, zk_data::config_of(&altered.resource)))
            .collect();
        changes.pending.insert(number, pending);
        for (resource, path) in open {
            let ask = ChangeAsk { request: number, resource, stage: Stage::Read };
            self.ask_zookeeper(Ask::ConfigWrite(ask), Operation::GetData { path, watch: false }, step);
        }
        self.answer_alter_configs(number, step);
    }

    /// What can be said without knowing what is set.
    fn check_request(
        &self,
        altered: &AlterConfigsResource,
        request: &IncrementalAlterConfigsRequest,
    ) -> Result<(), Refusal> {
        let resource = &altered.resource;
        if request.resources.iter().filter(|other| other.resource == *resource).count() > 1 {
            return Err(invalid_request("Each resource must appear at most once."));
        }
        check_changes(&altered.configs).map_err(with_message)?;
        match resource {
            ConfigResource::Broker(Some(broker)) if *broker != self.setup.broker_id => {
                let own = self.setup.broker_id;
                Err(invalid_request(&format!("Unexpected broker id, expected {own}, but received {broker}")))
            }
            ConfigResource::Broker(_) | ConfigResource::Topic(_) => Ok(()),
        }
    }

    /// ZooKeeper answered a question.
    pub(super) fn on_config_write(
        &mut self,
        ask: ChangeAsk,
        result: Result<OperationResult, ZooKeeperError>,
        step: &mut Step<'_>,
    ) {
        match (ask.stage, result) {
            (Stage::Read, Ok(OperationResult::Data { data: ZnodeData::Config(current), .. })) => {
                self.change_configs(ask, &current, step);
            }
            (Stage::Read, _) => self.change_configs(ask, &Configs::new(), step),
            (Stage::Controller, Ok(OperationResult::Data { stat, .. })) => self.replace_configs_of(ask, stat, step),
            (Stage::Controller, _) => self.settle_resource(ask, Err(self.without_controller(ask)), step),
            (Stage::Announce, Ok(_)) => self.settle_resource(ask, Ok(()), step),
            (Stage::Announce, Err(_)) => self.settle_resource(ask, Err((ErrorCode::UnknownServerError, None)), step),
            (Stage::Replace(_) | Stage::Create, _) => unreachable!("configurations are written together with a check"),
        }
    }

    /// ZooKeeper has written configurations, or not.
    pub(super) fn on_configs_written(
        &mut self,
        ask: ChangeAsk,
        result: Result<Vec<OperationResult>, (u32, ZooKeeperError)>,
        step: &mut Step<'_>,
    ) {
        match (ask.stage, result) {
            (Stage::Replace(_) | Stage::Create, Ok(_)) => self.announce_configs(ask, step),
            (Stage::Replace(stat), Err((1, ZooKeeperError::NoNode))) => self.create_configs(ask, stat, step),
            (Stage::Create, Err((1, ZooKeeperError::NodeExists))) => self.look_for_controller(ask, step),
            (_, Err((0, _))) => self.settle_resource(ask, Err((ErrorCode::StaleControllerEpoch, None)), step),
            (_, Err(_) | Ok(_)) => self.settle_resource(ask, Err((ErrorCode::UnknownServerError, None)), step),
        }
    }

    /// The session expired before the answer came.
    pub(super) fn on_config_question_lost(&mut self, ask: ChangeAsk, step: &mut Step<'_>) {
        self.settle_resource(ask, Err((ErrorCode::UnknownServerError, None)), step);
    }

    fn altered(&self, ask: ChangeAsk) -> &AlterConfigsResource {
        let pending = &self.membership.zookeeper().config_changes.pending[&ask.request];
        &pending.request.resources[ask.resource]
    }

    fn change_configs(&mut self, ask: ChangeAsk, current: &Configs, step: &mut Step<'_>) {
        let changed = self.changed(self.altered(ask), current);
        let pending = self.membership.zookeeper_mut().config_changes.pending.get_mut(&ask.request);
        let pending = pending.expect("a request is there until all of its resources are settled");
        match changed {
            Ok(_) if pending.request.validate_only => self.settle_resource(ask, Ok(()), step),
            Ok(configs) => {
                pending.wanted.insert(ask.resource, configs);
                self.look_for_controller(ask, step);
            }
            Err(refusal) => self.settle_resource(ask, Err(refusal), step),
        }
    }

    /// The configurations as they would be.
    fn changed(&self, altered: &AlterConfigsResource, current: &Configs) -> Result<Configs, Refusal> {
        let mut configs = current.clone();
        for change in &altered.configs {
            check_list(&altered.resource, change)?;
            let value = new_value(&altered.resource, change, configs.get(&change.name)).map_err(with_message)?;
            set(&mut configs, &change.name, value);
        }
        match &altered.resource {
            ConfigResource::Broker(_) => check_dynamic_configs(&configs).map_err(with_message)?,
            ConfigResource::Topic(name) if !self.image.topics().contains_key(name) => {
                let message = format!("The topic '{name}' does not exist.");
                return Err((ErrorCode::UnknownTopicOrPartition, Some(message)));
            }
            ConfigResource::Topic(name) => {
                check_name(name.as_str()).map_err(|message| (ErrorCode::InvalidTopic, Some(message)))?;
                self.check_topic_configs(name.as_str(), &configs)?;
            }
        }
        Ok(configs)
    }

    /// A value that is wrong by itself is told with the resource, all else without.
    fn check_topic_configs(&self, topic: &str, configs: &Configs) -> Result<(), Refusal> {
        validate_topic_configs(configs, &self.config).map_err(|message| {
            let message = if message.starts_with("Invalid value ") {
                format!("Invalid config value for resource ConfigResource(type=TOPIC, name='{topic}'): {message}")
            } else {
                message
            };
            (ErrorCode::InvalidConfig, Some(message))
        })
    }

    fn look_for_controller(&mut self, ask: ChangeAsk, step: &mut Step<'_>) {
        let ask = ChangeAsk { stage: Stage::Controller, ..ask };
        let path = ZnodePath::new(zk_data::CONTROLLER);
        self.ask_zookeeper(Ask::ConfigWrite(ask), Operation::GetData { path, watch: false }, step);
    }

    fn without_controller(&self, ask: ChangeAsk) -> Refusal {
        let entity = zk_data::config_entity(&self.altered(ask).resource).replacen('/', " ", 1);
        let message = format!("Cannot set entity configs for {entity} when there is no controller.");
        (ErrorCode::StaleControllerEpoch, Some(message))
    }

    fn replace_configs_of(&mut self, ask: ChangeAsk, controller: Stat, step: &mut Step<'_>) {
        let path = zk_data::config_of(&self.altered(ask).resource);
        let replace = Operation::SetData { path, data: self.wanted_configs(ask), version: None };
        self.write_checked(ChangeAsk { stage: Stage::Replace(controller), ..ask }, controller, replace, step);
    }

    fn create_configs(&mut self, ask: ChangeAsk, controller: Stat, step: &mut Step<'_>) {
        let path = zk_data::config_of(&self.altered(ask).resource);
        let create = Operation::Create { path, data: self.wanted_configs(ask), mode: CreateMode::Persistent };
        self.write_checked(ChangeAsk { stage: Stage::Create, ..ask }, controller, create, step);
    }

    fn wanted_configs(&self, ask: ChangeAsk) -> ZnodeData {
        let pending = &self.membership.zookeeper().config_changes.pending[&ask.request];
        ZnodeData::Config(pending.wanted[&ask.resource].clone())
    }

    /// Writes, unless another controller was elected meanwhile.
    fn write_checked(&mut self, ask: ChangeAsk, controller: Stat, write: Operation, step: &mut Step<'_>) {
        let check = Operation::Check { path: ZnodePath::new(zk_data::CONTROLLER), version: controller.version };
        self.ask_zookeeper_all(Ask::ConfigWrite(ask), vec![check, write], step);
    }

    fn announce_configs(&mut self, ask: ChangeAsk, step: &mut Step<'_>) {
        let entity_path = zk_data::config_entity(&self.altered(ask).resource);
        let announce = Operation::Create {
            path: ZnodePath::new(&format!("{}/config_change_", zk_data::CONFIG_CHANGES)),
            data: ZnodeData::ConfigChange { entity_path },
            mode: CreateMode::PersistentSequential,
        };
        self.ask_zookeeper(Ask::ConfigWrite(ChangeAsk { stage: Stage::Announce, ..ask }), announce, step);
    }

    fn settle_resource(&mut self, ask: ChangeAsk, result: Result<(), Refusal>, step: &mut Step<'_>) {
        let changes = &mut self.membership.zookeeper_mut().config_changes;
        if let Some(pending) = changes.pending.get_mut(&ask.request) {
            pending.results.insert(ask.resource, result);
            self.answer_alter_configs(ask.request, step);
        }
    }

    /// Answers a request when it is known what became of all of it.
    fn answer_alter_configs(&mut self, number: u64, step: &mut Step<'_>) {
        let changes = &mut self.membership.zookeeper_mut().config_changes;
        let is_settled = |pending: &Pending| pending.results.len() == pending.request.resources.len();
        if !changes.pending.get(&number).is_some_and(is_settled) {
            return;
        }
        let Some(Pending { id, request, results, .. }) = changes.pending.remove(&number) else { return };
        let results = request.resources.into_iter().zip(results.into_values()).map(|(altered, result)| {
            let (error, error_message) = result.err().unwrap_or((ErrorCode::None, None));
            AlterConfigsResult { resource: altered.resource, error, error_message }
        });
        let response = IncrementalAlterConfigsResponse { results: results.collect() };
        self.server.respond(id, Response::IncrementalAlterConfigs(response), step.effects);
    }
}

fn invalid_request(message: &str) -> Refusal {
    (ErrorCode::InvalidRequest, Some(message.to_owned()))
}

fn with_message((error, message): (ErrorCode, String)) -> Refusal {
    (error, Some(message))
}

/// Only lists are edited (`ConfigAdminManager.prepareIncrementalConfigs`).
fn check_list(resource: &ConfigResource, change: &AlterableConfig) -> Result<(), Refusal> {
    let operation = match change.operation {
        AlterConfigOperation::Append => "append",
        AlterConfigOperation::Subtract => "subtract",
        AlterConfigOperation::Set | AlterConfigOperation::Delete => return Ok(()),
    };
    let config_type = match resource {
        ConfigResource::Topic(_) => topic_config(&change.name).map(|config| config.definition.config_type),
        ConfigResource::Broker(_) => {
            let mut definitions = crate::config::BrokerConfig::definitions().iter();
            definitions.find(|config| config.name == change.name).map(|config| config.config_type)
        }
    };
    match config_type {
        Some(ConfigType::List) => Ok(()),
        Some(_) => {
            let message = format!("Config value {operation} is not allowed for config key: {}", change.name);
            Err((ErrorCode::InvalidConfig, Some(message)))
        }
        None => Err((ErrorCode::UnknownServerError, None)),
    }
}
