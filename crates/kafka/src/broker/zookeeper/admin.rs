//! Topics are made, enlarged and deleted by writing into ZooKeeper (`kafka.server.ZkAdminManager`): the broker that was
//! asked writes, the controller sees it, and the request is answered once the broker's own metadata shows what was done.

use super::super::{Broker, Step, timers};
use super::Ask;
use super::placement::{LiveBroker, Refusal};
use super::topic_plans::{Assignment, Knowledge, TopicPlan, already_exists};
use crate::instant::Duration;
use crate::metadata::METADATA_TOPIC;
use crate::node::RequestId;
use crate::zk_data;
use std::collections::{BTreeMap, BTreeSet};
use wire::request::{
    CreatableTopic, CreatePartitionsRequest, CreatePartitionsTopic, CreateTopicsRequest, DeleteTopicsRequest,
};
use wire::response::{TopicResult, TopicResults};
use wire::zookeeper::{CreateMode, Operation, OperationResult, ZnodeData, ZooKeeperError};
use wire::{ErrorCode, PartitionIndex, Response, TopicId, TopicName, TopicPartition};

/// How long a request waits for metadata to show what was done: the admin client's `request.timeout.ms`, which it sends.
pub(super) const TIMEOUT_MS: i64 = 30_000;

/// Requests about topics that are not answered yet.
#[derive(Clone, Debug, Default)]
pub(super) struct AdminJobs {
    jobs: BTreeMap<u64, Job>,
    last: u64,
}

#[derive(Clone, Debug)]
struct Job {
    origin: Origin,
    kind: JobKind,
    results: BTreeMap<TopicName, TopicResult>,
    /// What ZooKeeper has not answered yet.
    unanswered: u32,
    /// Names in `/admin/delete_topics` when the job began.
    marked_for_deletion: Vec<String>,
    /// How many partitions metadata must show before a topic counts as done; 0 for a topic that is to go.
    awaited: BTreeMap<TopicName, i32>,
}

/// Who wants it.
#[derive(Clone, Copy, Debug)]
enum Origin {
    Client(RequestId),
    /// The topic was asked about and did not exist.
    Automatic,
}

#[derive(Clone, Debug)]
enum JobKind {
    Create { topics: Vec<CreatableTopic>, validate_only: bool, plans: BTreeMap<TopicName, TopicPlan> },
    Enlarge { topics: Vec<CreatePartitionsTopic> },
    Delete { topics: Vec<TopicName> },
}

/// What ZooKeeper was asked for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AdminAsk {
    /// Which topics are being deleted.
    MarkedForDeletion,
    /// Which topics there are.
    Topics,
    /// Replace a new topic's configurations, which an earlier one may have left.
    ReplaceConfigs(TopicName),
    /// Write a new topic's configurations.
    WriteConfigs(TopicName),
    /// Make a topic.
    CreateTopic(TopicName),
    /// Read a topic that is to be enlarged.
    ReadTopic(TopicName),
    /// Enlarge it.
    WriteTopic(TopicName, i32),
    /// Mark a topic for deletion.
    MarkForDeletion(TopicName),
}

impl Job {
    fn new(origin: Origin, kind: JobKind) -> Job {
        let (results, marked_for_deletion, awaited) = Default::default();
        Job { origin, kind, results, unanswered: 0, marked_for_deletion, awaited }
    }

    fn succeed(&mut self, name: &TopicName, topic_id: Option<TopicId>, awaited: i32) {
        let result = TopicResult { name: name.clone(), topic_id, error: ErrorCode::None, error_message: None };
        self.results.insert(name.clone(), result);
        self.awaited.insert(name.clone(), awaited);
    }

    fn refuse(&mut self, name: &TopicName, error: ErrorCode, message: Option<String>) {
        let result = TopicResult { name: name.clone(), topic_id: None, error, error_message: message };
        self.results.insert(name.clone(), result);
        self.awaited.remove(name);
    }

    fn refuse_as(&mut self, name: &TopicName, (error, message): Refusal) {
        self.refuse(name, error, Some(message));
    }

    fn names(&self) -> Vec<TopicName> {
        match &self.kind {
            JobKind::Create { topics, .. } => topics.iter().map(|topic| topic.name.clone()).collect(),
            JobKind::Enlarge { topics } => topics.iter().map(|topic| topic.name.clone()).collect(),
            JobKind::Delete { topics } => topics.clone(),
        }
    }

    fn is_refused(&self, name: &TopicName) -> bool {
        self.results.contains_key(name)
    }
}

/// Names that occur more than once.
fn duplicates<'a>(names: impl Iterator<Item = &'a TopicName>) -> BTreeSet<&'a TopicName> {
    let mut seen = BTreeSet::new();
    names.filter(|name| !seen.insert(*name)).collect()
}

impl Broker {
    /// A client wants topics.
    pub(super) fn create_topics(&mut self, id: RequestId, request: CreateTopicsRequest, step: &mut Step<'_>) {
        let CreateTopicsRequest { topics, validate_only } = request;
        self.begin_creation(Origin::Client(id), topics, validate_only, step);
    }

    /// A client asked about topics that do not exist: this broker makes them, controller or not.
    pub(in super::super) fn create_topics_automatically(&mut self, topics: Vec<CreatableTopic>, step: &mut Step<'_>) {
        self.begin_creation(Origin::Automatic, topics, false, step);
    }

    fn begin_creation(
        &mut self,
        origin: Origin,
        topics: Vec<CreatableTopic>,
        validate_only: bool,
        step: &mut Step<'_>,
    ) {
        let kind = JobKind::Create { topics: topics.clone(), validate_only, plans: BTreeMap::new() };
        let mut job = Job::new(origin, kind);
        let duplicates = duplicates(topics.iter().map(|topic| &topic.name));
        for topic in &topics {
            let name = &topic.name;
            if name.as_str() == METADATA_TOPIC {
                let message = format!("Creation of internal topic {METADATA_TOPIC} is prohibited.");
                job.refuse(name, ErrorCode::InvalidRequest, Some(message));
            } else if duplicates.contains(name) {
                let message = "Found multiple entries for this topic.".to_owned();
                job.refuse(name, ErrorCode::InvalidRequest, Some(message));
            } else if self.image.topics().contains_key(name) {
                job.refuse_as(name, already_exists(name.as_str()));
            }
        }
        self.look_around(job, step);
    }

    /// A client wants partitions.
    pub(super) fn create_partitions(&mut self, id: RequestId, request: CreatePartitionsRequest, step: &mut Step<'_>) {
        let topics = request.topics;
        let mut job = Job::new(Origin::Client(id), JobKind::Enlarge { topics: topics.clone() });
        for name in duplicates(topics.iter().map(|topic| &topic.name)) {
            job.refuse(name, ErrorCode::InvalidRequest, Some("Duplicate topic in request.".to_owned()));
        }
        self.look_around(job, step);
    }

    /// A client wants topics to go.
    pub(super) fn delete_topics(&mut self, id: RequestId, request: &DeleteTopicsRequest, step: &mut Step<'_>) {
        let kind = JobKind::Delete { topics: request.topics.clone() };
        let mut job = Job::new(Origin::Client(id), kind);
        for name in &request.topics {
            if !self.setup.config.delete_topic_enable {
                job.refuse(name, ErrorCode::TopicDeletionDisabled, None);
            } else if !self.image.topics().contains_key(name) {
                job.refuse(name, ErrorCode::UnknownTopicOrPartition, None);
            }
        }
        let number = self.add_job(job);
        for name in &request.topics {
            if !self.job(number).is_refused(name) {
                let create = Operation::Create {
                    path: zk_data::marked_for_deletion(name),
                    data: ZnodeData::Empty,
                    mode: CreateMode::Persistent,
                };
                self.ask_for_job(number, AdminAsk::MarkForDeletion(name.clone()), create, step);
            }
        }
        self.go_on_with_job(number, step);
    }

    /// What is new depends on what there is.
    fn look_around(&mut self, job: Job, step: &mut Step<'_>) {
        let number = self.add_job(job);
        for (ask, path) in [(AdminAsk::MarkedForDeletion, zk_data::DELETE_TOPICS), (AdminAsk::Topics, zk_data::TOPICS)]
        {
            let path = wire::zookeeper::ZnodePath::new(path);
            self.ask_for_job(number, ask, Operation::GetChildren { path, watch: false }, step);
        }
    }

    fn add_job(&mut self, job: Job) -> u64 {
        let jobs = &mut self.membership.zookeeper_mut().admin;
        jobs.last += 1;
        jobs.jobs.insert(jobs.last, job);
        jobs.last
    }

    fn job(&mut self, number: u64) -> &mut Job {
        let jobs = &mut self.membership.zookeeper_mut().admin.jobs;
        jobs.get_mut(&number).expect("a job is there until all of its questions are answered")
    }

    fn ask_for_job(&mut self, number: u64, ask: AdminAsk, operation: Operation, step: &mut Step<'_>) {
        self.job(number).unanswered += 1;
        self.ask_zookeeper(Ask::Admin(number, ask), operation, step);
    }

    /// ZooKeeper answered a question of a job.
    pub(super) fn on_admin_answer(
        &mut self,
        number: u64,
        ask: AdminAsk,
        result: Result<OperationResult, ZooKeeperError>,
        step: &mut Step<'_>,
    ) {
        self.job(number).unanswered -= 1;
        match ask {
            AdminAsk::MarkedForDeletion => self.job(number).marked_for_deletion = names(result),
            AdminAsk::Topics => self.plan(number, &names(result), step),
            AdminAsk::ReplaceConfigs(name) if result.is_err() => self.write_configs(number, name, step),
            AdminAsk::ReplaceConfigs(name) | AdminAsk::WriteConfigs(name) => self.write_new_topic(number, name, step),
            AdminAsk::CreateTopic(name) => self.on_topic_created(number, &name, result.is_ok()),
            AdminAsk::ReadTopic(name) => self.on_topic_read(number, &name, result.ok(), step),
            AdminAsk::WriteTopic(name, count) => self.job(number).succeed(&name, None, count),
            AdminAsk::MarkForDeletion(name) => self.job(number).succeed(&name, None, 0),
        }
        self.go_on_with_job(number, step);
    }

    /// The session expired before ZooKeeper answered: nobody knows what was done.
    pub(super) fn on_admin_question_lost(&mut self, number: u64, step: &mut Step<'_>) {
        let job = self.job(number);
        job.unanswered -= 1;
        for name in job.names() {
            if !job.is_refused(&name) {
                job.refuse(&name, ErrorCode::UnknownServerError, None);
            }
        }
        self.go_on_with_job(number, step);
    }

    fn plan(&mut self, number: u64, existing: &[String], step: &mut Step<'_>) {
        match self.job(number).kind.clone() {
            JobKind::Create { topics, validate_only, .. } => {
                for topic in &topics {
                    self.plan_topic(number, topic, existing, validate_only, step);
                }
            }
            JobKind::Enlarge { topics } => {
                for topic in &topics {
                    self.read_topic(number, &topic.name, step);
                }
            }
            JobKind::Delete { .. } => unreachable!("a deletion does not look at other topics"),
        }
    }

    fn plan_topic(
        &mut self,
        number: u64,
        topic: &CreatableTopic,
        existing: &[String],
        validate_only: bool,
        step: &mut Step<'_>,
    ) {
        let name = topic.name.clone();
        if self.job(number).is_refused(&name) {
            return;
        }
        let marked_for_deletion = self.job(number).marked_for_deletion.clone();
        let (config, brokers) = (&self.setup.config, self.live_brokers());
        let knowledge = Knowledge { config, brokers: &brokers, existing, marked_for_deletion: &marked_for_deletion };
        match knowledge.plan_topic(topic, &mut self.outbound.rng) {
            Ok(_) if validate_only => {
                self.job(number).succeed(&name, None, 0);
                self.job(number).awaited.clear();
            }
            Ok(plan) => self.replace_configs(number, name, plan, step),
            Err(refusal) => self.job(number).refuse_as(&name, refusal),
        }
    }

    fn live_brokers(&self) -> Vec<LiveBroker> {
        let brokers = self.image.brokers().iter();
        brokers.map(|(id, registration)| LiveBroker { id: *id, rack: registration.rack.clone() }).collect()
    }

    fn plan_of(&mut self, number: u64, name: &TopicName) -> TopicPlan {
        match &self.job(number).kind {
            JobKind::Create { plans, .. } => plans[name].clone(),
            JobKind::Enlarge { .. } | JobKind::Delete { .. } => unreachable!("only new topics are planned"),
        }
    }

    fn replace_configs(&mut self, number: u64, name: TopicName, plan: TopicPlan, step: &mut Step<'_>) {
        let data = ZnodeData::Config(plan.configs.clone());
        if let JobKind::Create { plans, .. } = &mut self.job(number).kind {
            plans.insert(name.clone(), plan);
        }
        let replace = Operation::SetData { path: zk_data::topic_config(&name), data, version: None };
        self.ask_for_job(number, AdminAsk::ReplaceConfigs(name), replace, step);
    }

    fn write_configs(&mut self, number: u64, name: TopicName, step: &mut Step<'_>) {
        let data = ZnodeData::Config(self.plan_of(number, &name).configs);
        let write = Operation::Create { path: zk_data::topic_config(&name), data, mode: CreateMode::Persistent };
        self.ask_for_job(number, AdminAsk::WriteConfigs(name), write, step);
    }

    fn write_new_topic(&mut self, number: u64, name: TopicName, step: &mut Step<'_>) {
        let TopicPlan { topic_id, assignment, .. } = self.plan_of(number, &name);
        let data = ZnodeData::Topic {
            topic_id,
            partitions: assignment,
            adding_replicas: BTreeMap::new(),
            removing_replicas: BTreeMap::new(),
        };
        let create = Operation::Create { path: zk_data::topic(&name), data, mode: CreateMode::Persistent };
        self.ask_for_job(number, AdminAsk::CreateTopic(name), create, step);
    }

    fn on_topic_created(&mut self, number: u64, name: &TopicName, is_created: bool) {
        let TopicPlan { topic_id, assignment, .. } = self.plan_of(number, name);
        if is_created {
            self.job(number).succeed(name, Some(topic_id), assignment.len() as i32);
        } else {
            self.job(number).refuse_as(name, already_exists(name.as_str()));
        }
    }

    fn read_topic(&mut self, number: u64, name: &TopicName, step: &mut Step<'_>) {
        let job = self.job(number);
        if job.is_refused(name) {
            return;
        }
        if job.marked_for_deletion.iter().any(|marked| marked == name.as_str()) {
            let message = "The topic is queued for deletion.".to_owned();
            return job.refuse(name, ErrorCode::InvalidTopic, Some(message));
        }
        let read = Operation::GetData { path: zk_data::topic(name), watch: false };
        self.ask_for_job(number, AdminAsk::ReadTopic(name.clone()), read, step);
    }

    fn on_topic_read(&mut self, number: u64, name: &TopicName, read: Option<OperationResult>, step: &mut Step<'_>) {
        let Some(OperationResult::Data {
            data: ZnodeData::Topic { topic_id, partitions, adding_replicas, removing_replicas },
            ..
        }) = read
        else {
            let message = format!("The topic '{name}' does not exist.");
            return self.job(number).refuse(name, ErrorCode::UnknownTopicOrPartition, Some(message));
        };
        if !adding_replicas.is_empty() || !removing_replicas.is_empty() {
            let message = format!("A partition reassignment is in progress for the topic '{name}'.");
            return self.job(number).refuse(name, ErrorCode::ReassignmentInProgress, Some(message));
        }
        match self.enlarged(number, name, &partitions) {
            Ok(partitions) => {
                let count = partitions.len() as i32;
                let data = ZnodeData::Topic { topic_id, partitions, adding_replicas, removing_replicas };
                let write = Operation::SetData { path: zk_data::topic(name), data, version: None };
                self.ask_for_job(number, AdminAsk::WriteTopic(name.clone(), count), write, step);
            }
            Err(refusal) => self.job(number).refuse_as(name, refusal),
        }
    }

    fn enlarged(&mut self, number: u64, name: &TopicName, existing: &Assignment) -> Result<Assignment, Refusal> {
        let JobKind::Enlarge { topics } = self.job(number).kind.clone() else {
            unreachable!("only topics that are to be enlarged are read")
        };
        let wanted = topics.iter().find(|topic| topic.name == *name).expect("the topic was asked for");
        let (config, brokers) = (&self.setup.config, self.live_brokers());
        let knowledge = Knowledge { config, brokers: &brokers, existing: &[], marked_for_deletion: &[] };
        knowledge.plan_partitions(existing, wanted)
    }

    /// Everything is written or refused: the answer waits for metadata.
    fn go_on_with_job(&mut self, number: u64, step: &mut Step<'_>) {
        if self.job(number).unanswered > 0 {
            return;
        }
        step.effects.set_timer(timers::of_admin_job(number), step.now + Duration::from_ms(TIMEOUT_MS));
        self.complete_admin_jobs(step);
    }

    /// Answers the requests of which metadata shows what they did.
    pub(super) fn complete_admin_jobs(&mut self, step: &mut Step<'_>) {
        let jobs = &self.membership.zookeeper().admin.jobs;
        let done = jobs.iter().filter(|(_, job)| self.is_done(job)).map(|(number, _)| *number);
        let done: Vec<u64> = done.collect();
        for number in done {
            step.effects.cancel_timer(timers::of_admin_job(number));
            self.answer_job(number, step);
        }
    }

    fn is_done(&self, job: &Job) -> bool {
        let is_shown = || job.awaited.iter().all(|(name, count)| self.shows(name, *count));
        match job.origin {
            Origin::Automatic => job.unanswered == 0,
            Origin::Client(_) => job.unanswered == 0 && is_shown(),
        }
    }

    /// Whether metadata shows so many partitions with leaders; for 0, that it does not show the topic at all.
    fn shows(&self, name: &TopicName, count: i32) -> bool {
        let leads = |index| {
            let partition = TopicPartition::new(name.clone(), PartitionIndex(index));
            self.image.partition(&partition).is_some_and(|state| state.leader.is_some())
        };
        if count == 0 { !self.image.topics().contains_key(name) } else { (0..count).all(leads) }
    }

    /// Metadata did not show everything in time.
    pub(in super::super) fn on_admin_timeout(&mut self, number: u64, step: &mut Step<'_>) {
        let awaited = self.job(number).awaited.clone();
        for (name, count) in awaited {
            if !self.shows(&name, count) {
                self.job(number).refuse(&name, ErrorCode::RequestTimedOut, None);
            }
        }
        self.answer_job(number, step);
    }

    fn answer_job(&mut self, number: u64, step: &mut Step<'_>) {
        let Some(job) = self.membership.zookeeper_mut().admin.jobs.remove(&number) else { return };
        let results = TopicResults { topics: job.results.into_values().collect() };
        let topics: Vec<TopicName> = results.topics.iter().map(|result| result.name.clone()).collect();
        match (job.origin, job.kind) {
            (Origin::Automatic, _) => self.forwarding.forget_creations(&topics),
            (Origin::Client(id), JobKind::Create { .. }) => {
                self.server.respond(id, Response::CreateTopics(results), step.effects);
            }
            (Origin::Client(id), JobKind::Enlarge { .. }) => {
                self.server.respond(id, Response::CreatePartitions(results), step.effects);
            }
            (Origin::Client(id), JobKind::Delete { .. }) => {
                self.server.respond(id, Response::DeleteTopics(results), step.effects);
            }
        }
    }
}

fn names(result: Result<OperationResult, ZooKeeperError>) -> Vec<String> {
    match result {
        Ok(OperationResult::Children { names, .. }) => names,
        Ok(_) | Err(_) => Vec::new(),
    }
}
