//! Topics are made, enlarged and deleted (`org.apache.kafka.controller.ReplicationControlManager` and the checks of
//! `kafka.server.ControllerApis` before it). Error codes and messages are Kafka's. Create-topic policies, quotas and
//! authorization are not modelled.

use super::placement::{Draws, PlacementSpec, UsableBroker, place};
use super::replication::Cluster;
use super::topic_names::check_new_name;
use crate::config::validate_topic_configs;
use crate::metadata::{METADATA_TOPIC, TopicImage};
use std::collections::{BTreeMap, BTreeSet};
use wire::request::{
    ConfigResource, CreatableTopic, CreatePartitionsRequest, CreatePartitionsTopic, CreateTopicsRequest,
    DeleteTopicsRequest,
};
use wire::response::{TopicResult, TopicResults};
use wire::{BrokerId, ErrorCode, MetadataRecord, PartitionIndex, PartitionRecord, TopicId, TopicName};

/// At most so many records for one request (`MAX_RECORDS_PER_USER_OP`).
const MAX_RECORDS_PER_REQUEST: usize = 10_000;

/// What a request about topics leads to.
#[derive(Debug)]
pub(super) struct TopicsOutcome {
    pub(super) records: Vec<MetadataRecord>,
    pub(super) results: TopicResults,
}

/// Why a topic was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ApiError {
    error: ErrorCode,
    message: Option<String>,
}

/// What the controller draws for topics: their ids and their places.
pub(super) trait TopicDraws: Draws {
    /// An id that no topic has.
    fn topic_id(&mut self) -> TopicId;
}

impl TopicDraws for crate::Rng {
    fn topic_id(&mut self) -> TopicId {
        random_topic_id(self)
    }
}

/// A random (version 4) UUID. Its fixed bits rule out the reserved ids 0 and 1. Kafka draws again when the text would
/// begin with a dash, which command lines take for an option.
pub(crate) fn random_topic_id(rng: &mut crate::Rng) -> TopicId {
    const VERSION_AND_VARIANT: u128 = 0xf000_c000_0000_0000_0000;
    const VERSION_4: u128 = 0x4000_8000_0000_0000_0000;
    loop {
        let drawn = rand::RngExt::random::<u128>(rng);
        let topic_id = TopicId(drawn & !VERSION_AND_VARIANT | VERSION_4);
        if !topic_id.to_string().starts_with('-') {
            return topic_id;
        }
    }
}

/// The broker ids of one partition's replicas, and those of them that are active.
#[derive(Clone, Debug)]
struct Layout {
    replicas: Vec<BrokerId>,
    isr: Vec<BrokerId>,
}

impl ApiError {
    fn new(error: ErrorCode, message: impl Into<String>) -> ApiError {
        ApiError { error, message: Some(message.into()) }
    }

    fn without_message(error: ErrorCode) -> ApiError {
        ApiError { error, message: None }
    }

    fn of(self, name: &TopicName) -> TopicResult {
        TopicResult { name: name.clone(), topic_id: None, error: self.error, error_message: self.message }
    }
}

fn success(name: &TopicName, topic_id: Option<TopicId>) -> TopicResult {
    TopicResult { name: name.clone(), topic_id, error: ErrorCode::None, error_message: None }
}

fn invalid_assignment(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidReplicaAssignment, message)
}

/// Names that occur more than once, which makes each of them invalid.
fn duplicates<'a>(names: impl Iterator<Item = &'a TopicName>) -> BTreeSet<TopicName> {
    let mut seen = BTreeSet::new();
    names.filter(|name| !seen.insert((*name).clone())).cloned().collect()
}

fn duplicate_name(name: &TopicName) -> TopicResult {
    ApiError::new(ErrorCode::InvalidRequest, "Duplicate topic name.").of(name)
}

impl Cluster<'_> {
    /// Makes topics. `usable` are the brokers that may get replicas.
    pub(super) fn create_topics(
        &self,
        request: &CreateTopicsRequest,
        usable: &[UsableBroker],
        draws: &mut impl TopicDraws,
    ) -> TopicsOutcome {
        let duplicates = duplicates(request.topics.iter().map(|topic| &topic.name));
        let (mut records, mut results) = (Vec::new(), Vec::new());
        for topic in request.topics.iter().filter(|topic| !duplicates.contains(&topic.name)) {
            if topic.name.as_str() != METADATA_TOPIC {
                results.push(self.create_topic(topic, usable, draws, &mut records));
            }
        }
        results.extend(duplicates.iter().map(duplicate_name));
        results.extend(self.prohibited(request));
        if records.len() > MAX_RECORDS_PER_REQUEST {
            return too_large(request.topics.iter().map(|topic| &topic.name));
        }
        if request.validate_only {
            records.clear();
        }
        TopicsOutcome { records, results: TopicResults { topics: results } }
    }

    fn prohibited(&self, request: &CreateTopicsRequest) -> Option<TopicResult> {
        let topic = request.topics.iter().find(|topic| topic.name.as_str() == METADATA_TOPIC)?;
        let message = format!("Creation of internal topic {METADATA_TOPIC} is prohibited.");
        Some(ApiError::new(ErrorCode::InvalidRequest, message).of(&topic.name))
    }

    fn create_topic(
        &self,
        topic: &CreatableTopic,
        usable: &[UsableBroker],
        draws: &mut impl TopicDraws,
        records: &mut Vec<MetadataRecord>,
    ) -> TopicResult {
        match self.topic_records(topic, usable, draws) {
            Ok((topic_id, new_records)) => {
                records.extend(new_records);
                success(&topic.name, Some(topic_id))
            }
            Err(error) => error.of(&topic.name),
        }
    }

    fn topic_records(
        &self,
        topic: &CreatableTopic,
        usable: &[UsableBroker],
        draws: &mut impl TopicDraws,
    ) -> Result<(TopicId, Vec<MetadataRecord>), ApiError> {
        self.check_name(&topic.name)?;
        let configs: BTreeMap<String, String> = topic.configs.iter().cloned().collect();
        validate_topic_configs(&configs, self.config)
            .map_err(|message| ApiError::new(ErrorCode::InvalidConfig, message))?;
        let layouts = self.layouts(topic, usable, draws)?;
        let (name, topic_id) = (&topic.name, draws.topic_id());
        let mut records = vec![MetadataRecord::Topic { name: name.clone(), topic_id }];
        records.extend(configs.into_iter().map(|(key, value)| MetadataRecord::Config {
            resource: ConfigResource::Topic(name.clone()),
            key,
            value: Some(value),
        }));
        records.extend((0..).zip(layouts).map(|(index, layout)| new_partition(topic_id, index, layout)));
        Ok((topic_id, records))
    }

    /// An existing name is told before anything else that is wrong with a name.
    fn check_name(&self, name: &TopicName) -> Result<(), ApiError> {
        if self.image.topics().contains_key(name) {
            let message = format!("Topic '{name}' already exists.");
            return Err(ApiError::new(ErrorCode::TopicAlreadyExists, message));
        }
        check_new_name(name.as_str(), self.image).map_err(|message| ApiError::new(ErrorCode::InvalidTopic, message))
    }

    fn layouts(
        &self,
        topic: &CreatableTopic,
        usable: &[UsableBroker],
        draws: &mut impl TopicDraws,
    ) -> Result<Vec<Layout>, ApiError> {
        if !topic.assignments.is_empty() {
            return self.manual_layouts(topic);
        }
        let replication_factor = i32::from(topic.replication_factor.unwrap_or(-1));
        let partitions = topic.num_partitions.unwrap_or(-1);
        if replication_factor < -1 || replication_factor == 0 {
            let message = "Replication factor must be larger than 0, or -1 to use the default value.";
            return Err(ApiError::new(ErrorCode::InvalidReplicationFactor, message));
        }
        if partitions < -1 || partitions == 0 {
            let message = "Number of partitions was set to an invalid non-positive value.";
            return Err(ApiError::new(ErrorCode::InvalidPartitions, message));
        }
        let or_default = |value: i32, default: i32| if value == -1 { default } else { value };
        let spec = PlacementSpec {
            partitions: or_default(partitions, self.config.num_partitions),
            replication_factor: or_default(replication_factor, self.config.default_replication_factor),
        };
        let placed = place(bounded(spec), usable, draws).map_err(|why| unable_to_replicate(spec, &why))?;
        placed.into_iter().map(|replicas| self.placed_layout(replicas, spec)).collect()
    }

    fn placed_layout(&self, replicas: Vec<BrokerId>, spec: PlacementSpec) -> Result<Layout, ApiError> {
        let isr = self.active_of(&replicas);
        if isr.is_empty() {
            let why = "All brokers are currently fenced or in controlled shutdown.";
            return Err(unable_to_replicate(spec, why));
        }
        Ok(Layout { replicas, isr })
    }

    fn manual_layouts(&self, topic: &CreatableTopic) -> Result<Vec<Layout>, ApiError> {
        check_nothing_else_is_given(topic)?;
        let mut layouts = BTreeMap::new();
        let mut replication_factor = None;
        for (index, replicas) in &topic.assignments {
            if layouts.contains_key(index) {
                let message = format!("Found multiple manual partition assignments for partition {index}");
                return Err(invalid_assignment(message));
            }
            layouts.insert(*index, self.manual_layout(*index, replicas, replication_factor)?);
            replication_factor = Some(replicas.len());
        }
        let are_consecutive = (0..).zip(layouts.keys()).all(|(expected, index)| index.0 == expected);
        if !are_consecutive {
            return Err(invalid_assignment("partitions should be a consecutive 0-based integer sequence"));
        }
        Ok(layouts.into_values().collect())
    }

    fn manual_layout(
        &self,
        index: PartitionIndex,
        replicas: &[BrokerId],
        replication_factor: Option<usize>,
    ) -> Result<Layout, ApiError> {
        self.check_assignment(replicas, replication_factor).map_err(invalid_assignment)?;
        let isr = self.active_of(replicas);
        if isr.is_empty() {
            return Err(invalid_assignment(format!(
                "All brokers specified in the manual partition assignment for partition {index} are fenced or in \
                 controlled shutdown."
            )));
        }
        Ok(Layout { replicas: replicas.to_vec(), isr })
    }

    /// `validateManualPartitionAssignment`.
    ///
    /// # Errors
    /// What is wrong, in Kafka's words.
    pub(super) fn check_assignment(
        &self,
        replicas: &[BrokerId],
        replication_factor: Option<usize>,
    ) -> Result<(), String> {
        if replicas.is_empty() {
            return Err("The manual partition assignment includes an empty replica list.".to_owned());
        }
        let mut sorted = replicas.to_vec();
        sorted.sort_unstable();
        for (position, broker) in sorted.iter().enumerate() {
            if !self.image.brokers().contains_key(broker) {
                return Err(format!(
                    "The manual partition assignment includes broker {broker}, but no such broker is registered."
                ));
            }
            if sorted[..position].last() == Some(broker) {
                return Err(format!("The manual partition assignment includes the broker {broker} more than once."));
            }
        }
        match replication_factor {
            Some(expected) if expected != replicas.len() => Err(format!(
                "The manual partition assignment includes a partition with {} replica(s), but this is not consistent \
                 with previous partitions, which have {expected} replica(s).",
                replicas.len()
            )),
            Some(_) | None => Ok(()),
        }
    }

    fn active_of(&self, replicas: &[BrokerId]) -> Vec<BrokerId> {
        replicas.iter().copied().filter(|broker| self.is_active(*broker)).collect()
    }

    /// Adds partitions to topics.
    pub(super) fn create_partitions(
        &self,
        request: &CreatePartitionsRequest,
        usable: &[UsableBroker],
        draws: &mut impl Draws,
    ) -> TopicsOutcome {
        let duplicates = duplicates(request.topics.iter().map(|topic| &topic.name));
        let mut results: Vec<TopicResult> = duplicates.iter().map(duplicate_name).collect();
        let mut records = Vec::new();
        for topic in request.topics.iter().filter(|topic| !duplicates.contains(&topic.name)) {
            match self.partition_records(topic, usable, draws) {
                Ok(new_records) => {
                    records.extend(new_records);
                    results.push(success(&topic.name, None));
                }
                Err(error) => results.push(error.of(&topic.name)),
            }
        }
        if records.len() > MAX_RECORDS_PER_REQUEST {
            return too_large(request.topics.iter().map(|topic| &topic.name));
        }
        TopicsOutcome { records, results: TopicResults { topics: results } }
    }

    fn partition_records(
        &self,
        request: &CreatePartitionsTopic,
        usable: &[UsableBroker],
        draws: &mut impl Draws,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let unknown = ApiError::without_message(ErrorCode::UnknownTopicOrPartition);
        let topic = self.image.topics().get(&request.name).ok_or(unknown)?;
        check_is_increase(request, topic)?;
        let first = topic.partitions.len() as i32;
        let layouts = self.added_layouts(request, topic, usable, draws)?;
        Ok((first..).zip(layouts).map(|(index, layout)| new_partition(topic.topic_id, index, layout)).collect())
    }

    fn added_layouts(
        &self,
        request: &CreatePartitionsTopic,
        topic: &TopicImage,
        usable: &[UsableBroker],
        draws: &mut impl Draws,
    ) -> Result<Vec<Layout>, ApiError> {
        let existing = topic.partitions.len() as i32;
        let replication_factor = topic.partitions.values().next().expect("a topic has partitions").replicas.len();
        match &request.assignments {
            Some(assignments) => (existing..)
                .zip(assignments)
                .map(|(index, replicas)| self.manual_layout(PartitionIndex(index), replicas, Some(replication_factor)))
                .collect(),
            None => {
                let spec = PlacementSpec {
                    partitions: request.count - existing,
                    replication_factor: replication_factor as i32,
                };
                let placed = place(bounded(spec), usable, draws)
                    .map_err(|why| ApiError::new(ErrorCode::InvalidReplicationFactor, why))?;
                placed.into_iter().map(|replicas| self.placed_layout(replicas, spec)).collect()
            }
        }
    }

    /// Deletes topics.
    pub(super) fn delete_topics(&self, request: &DeleteTopicsRequest) -> TopicsOutcome {
        let duplicates = duplicates(request.topics.iter());
        let mut results: Vec<TopicResult> = duplicates.iter().map(duplicate_name).collect();
        let mut records = Vec::new();
        for name in request.topics.iter().filter(|name| !duplicates.contains(*name)) {
            results.push(self.delete_topic(name, &mut records));
        }
        TopicsOutcome { records, results: TopicResults { topics: results } }
    }

    fn delete_topic(&self, name: &TopicName, records: &mut Vec<MetadataRecord>) -> TopicResult {
        if !self.config.delete_topic_enable {
            return ApiError::without_message(ErrorCode::TopicDeletionDisabled).of(name);
        }
        match self.image.topics().get(name) {
            Some(topic) => {
                records.push(MetadataRecord::RemoveTopic { topic_id: topic.topic_id });
                success(name, Some(topic.topic_id))
            }
            None => {
                let error = ErrorCode::UnknownTopicOrPartition;
                ApiError::new(error, error.message()).of(name)
            }
        }
    }
}

fn check_nothing_else_is_given(topic: &CreatableTopic) -> Result<(), ApiError> {
    if topic.replication_factor.is_some_and(|factor| factor != -1) {
        let message = "A manual partition assignment was specified, but replication factor was not set to -1.";
        return Err(ApiError::new(ErrorCode::InvalidRequest, message));
    }
    if topic.num_partitions.is_some_and(|partitions| partitions != -1) {
        let message = "A manual partition assignment was specified, but numPartitions was not set to -1.";
        return Err(ApiError::new(ErrorCode::InvalidRequest, message));
    }
    Ok(())
}

fn check_is_increase(request: &CreatePartitionsTopic, topic: &TopicImage) -> Result<(), ApiError> {
    let existing = topic.partitions.len() as i32;
    let (name, count) = (&request.name, request.count);
    if count == existing {
        let message = format!("Topic already has {existing} partition(s).");
        return Err(ApiError::new(ErrorCode::InvalidPartitions, message));
    }
    if count < existing {
        let message =
            format!("The topic {name} currently has {existing} partition(s); {count} would not be an increase.");
        return Err(ApiError::new(ErrorCode::InvalidPartitions, message));
    }
    let additional = (count - existing) as usize;
    match &request.assignments {
        Some(assignments) if assignments.len() != additional => Err(invalid_assignment(format!(
            "Attempted to add {additional} additional partition(s), but only {} assignment(s) were specified.",
            assignments.len()
        ))),
        Some(_) | None => Ok(()),
    }
}

/// No more partitions than it takes to see that there are too many.
fn bounded(spec: PlacementSpec) -> PlacementSpec {
    PlacementSpec { partitions: spec.partitions.min(MAX_RECORDS_PER_REQUEST as i32 + 1), ..spec }
}

fn unable_to_replicate(spec: PlacementSpec, why: &str) -> ApiError {
    let message = format!("Unable to replicate the partition {} time(s): {why}", spec.replication_factor);
    ApiError::new(ErrorCode::InvalidReplicationFactor, message)
}

fn too_large<'a>(names: impl Iterator<Item = &'a TopicName>) -> TopicsOutcome {
    let error = ApiError::new(ErrorCode::PolicyViolation, "Unable to perform excessively large batch operation.");
    let topics = names.map(|name| error.clone().of(name)).collect();
    TopicsOutcome { records: Vec::new(), results: TopicResults { topics } }
}

fn new_partition(topic_id: TopicId, index: i32, layout: Layout) -> MetadataRecord {
    let place = (topic_id, PartitionIndex(index));
    MetadataRecord::Partition(PartitionRecord::created(place, layout.replicas, layout.isr))
}

#[cfg(test)]
mod tests;
