//! `kafka-reassign-partitions`: generates, executes, verifies, cancels and lists reassignments
//! (`ReassignPartitionsCommand`). Replicas are not moved between log directories.

use super::admin_client::NodeChoice;
use super::program::{Call, Next};
use crate::Rng;
use crate::event::{
    AdminAnswer, AdminFailure, ClearedThrottles, ClientEvent, Objection, ReassignOutcome, ReassignmentProgress,
};
use crate::java_hash::sort_as_hash_map;
use crate::node::ExitStatus;
use crate::replica_assignment::{BrokerPlace, assign_replicas};
use crate::spec::{PlacedReplicas, ReassignAction};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wire::request::{
    AlterConfigOperation, AlterConfigsResource, AlterPartitionReassignmentsRequest, AlterableConfig, ConfigResource,
    DescribeTopicPartitionsRequest, IncrementalAlterConfigsRequest, ListPartitionReassignmentsRequest,
    ReassignablePartition,
};
use wire::response::{
    AlterPartitionReassignmentsResponse, DescribeClusterResponse, DescribeTopicPartitionsResponse, DescribedTopic,
    IncrementalAlterConfigsResponse, ListPartitionReassignmentsResponse, OngoingReassignment, PartitionResult,
};
use wire::{BrokerId, ErrorCode, Request, Response, TopicName, TopicPartition};

/// What a throttle sets on brokers and on topics.
const BROKER_THROTTLES: [&str; 3] = [
    "leader.replication.throttled.rate",
    "follower.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];
const TOPIC_THROTTLES: [&str; 2] = ["leader.replication.throttled.replicas", "follower.replication.throttled.replicas"];

const UNDER_WAY: &str = "Cannot execute because there is an existing partition assignment.  Use --additional to override \
                         this and create a new partition assignment in addition to the existing one. The --additional \
                         flag can also be used to change the throttle by resubmitting the current reassignment.";

const RACKS_INCOMPLETE: &str = "Not all brokers have rack information. Add --disable-rack-aware in command line to make \
                                replica assignment without rack information.";

/// A `kafka-reassign-partitions` call under way, and what it has learnt.
#[derive(Clone, Debug)]
pub(super) struct ReassignTask {
    action: ReassignAction,
    rng: Rng,
    ongoing: Vec<OngoingReassignment>,
    topics: Vec<DescribedTopic>,
    /// What is told at the end, once throttles are cleared.
    outcome: Option<ReassignOutcome>,
    cleared: Option<ClearedThrottles>,
    /// Brokers whose throttles are cleared one after another; the first is being asked.
    uncleared: VecDeque<BrokerId>,
}

impl ReassignTask {
    /// Nothing has been asked yet.
    pub(super) fn new(action: ReassignAction, rng: Rng) -> ReassignTask {
        let (ongoing, topics, uncleared) = Default::default();
        ReassignTask { action, rng, ongoing, topics, outcome: None, cleared: None, uncleared }
    }

    /// The first call.
    pub(super) fn start(&self) -> Next {
        match &self.action {
            ReassignAction::Generate { topics, .. } => describe_topics(topics.iter().cloned().collect()),
            ReassignAction::Cancel { targets, .. } => list(Some(partitions_of(targets))),
            ReassignAction::List | ReassignAction::Execute { .. } | ReassignAction::Verify { .. } => list(None),
        }
    }

    /// What follows from the answer to the last call.
    pub(super) fn on_response(&mut self, response: Response) -> Next {
        if let Response::ListPartitionReassignments(listed) = response {
            return self.on_listed(listed);
        }
        if let Response::DescribeTopicPartitions(described) = response {
            return self.on_topics(described);
        }
        if let Response::DescribeCluster(cluster) = response {
            return self.on_cluster(&cluster);
        }
        if let Response::AlterPartitionReassignments(altered) = response {
            return self.on_altered(altered);
        }
        let Response::IncrementalAlterConfigs(cleared) = response else {
            panic!("a broker answered with {response:?}");
        };
        self.on_cleared(&cleared)
    }

    fn on_listed(&mut self, listed: ListPartitionReassignmentsResponse) -> Next {
        if let Some(next) = check_whole(listed.error) {
            return next;
        }
        self.ongoing = listed.partitions;
        self.ongoing.sort_by(|one, other| one.partition.cmp(&other.partition));
        match &self.action {
            ReassignAction::List => finish(ReassignOutcome::Listed(self.ongoing.clone()), 0),
            ReassignAction::Generate { .. } => unreachable!("a proposal does not depend on reassignments"),
            ReassignAction::Execute { is_additional: false, .. } if !self.ongoing.is_empty() => {
                object(Objection::Terse, UNDER_WAY.to_owned())
            }
            ReassignAction::Execute { .. } => describe_cluster(),
            ReassignAction::Verify { targets, .. } => self.look_at(&targets.clone()),
            ReassignAction::Cancel { .. } => self.cancel(),
        }
    }

    /// Partitions of which nothing moves are described.
    fn look_at(&mut self, targets: &[PlacedReplicas]) -> Next {
        let settled = targets.iter().filter(|target| !self.moves(&target.partition));
        let topics: BTreeSet<TopicName> = settled.map(|target| target.partition.topic.clone()).collect();
        if topics.is_empty() { self.verify() } else { describe_topics(topics) }
    }

    fn moves(&self, partition: &TopicPartition) -> bool {
        self.ongoing.iter().any(|ongoing| ongoing.partition == *partition)
    }

    fn on_topics(&mut self, described: DescribeTopicPartitionsResponse) -> Next {
        self.topics = described.topics;
        let failed = self.topics.iter().find(|topic| !topic.error.is_none()).map(|topic| (topic.error, &topic.name));
        match (&self.action, failed) {
            (ReassignAction::Verify { .. }, None | Some((ErrorCode::UnknownTopicOrPartition, _))) => self.verify(),
            (_, Some((ErrorCode::UnknownTopicOrPartition, name))) => {
                refuse(ErrorCode::UnknownTopicOrPartition, Some(format!("Topic {name} not found.")))
            }
            (_, Some((error, _))) => refuse(error, None),
            (ReassignAction::Execute { targets, .. }, None) => self.execute(&targets.clone()),
            (ReassignAction::Generate { .. } | ReassignAction::List | ReassignAction::Cancel { .. }, None) => {
                describe_cluster()
            }
        }
    }

    fn on_cluster(&mut self, cluster: &DescribeClusterResponse) -> Next {
        let live: BTreeSet<BrokerId> = cluster.brokers.iter().map(|broker| broker.broker_id).collect();
        match self.action.clone() {
            ReassignAction::Generate { brokers, is_rack_aware, .. } => self.propose(cluster, &brokers, is_rack_aware),
            ReassignAction::Execute { targets, .. } => {
                let wanted: BTreeSet<BrokerId> = targets.iter().flat_map(|target| target.replicas.clone()).collect();
                match wanted.difference(&live).next() {
                    Some(unknown) => object(Objection::CommandFailed, format!("Unknown broker id {unknown}")),
                    None => describe_topics(targets.iter().map(|target| target.partition.topic.clone()).collect()),
                }
            }
            ReassignAction::Verify { targets, .. } | ReassignAction::Cancel { targets, .. } => {
                let targets = targets.into_iter().flat_map(|target| target.replicas);
                self.clear_brokers(targets.chain(live).collect())
            }
            ReassignAction::List => unreachable!("it needs no brokers"),
        }
    }

    fn propose(&mut self, cluster: &DescribeClusterResponse, brokers: &[BrokerId], is_rack_aware: bool) -> Next {
        let listed = cluster.brokers.iter().filter(|broker| brokers.contains(&broker.broker_id));
        let places: Vec<BrokerPlace> = listed
            .map(|broker| BrokerPlace { broker: broker.broker_id, rack: broker.rack.clone().filter(|_| is_rack_aware) })
            .collect();
        let without_rack = places.iter().filter(|place| place.rack.is_none()).count();
        if without_rack != 0 && without_rack != places.len() {
            return object(Objection::Operation, RACKS_INCOMPLETE.to_owned());
        }
        let current = placed(&self.topics);
        // The replication factor is that of whichever partition comes first in a Java hash map.
        let mut shuffled = current.clone();
        sort_as_hash_map(&mut shuffled, |placed| &placed.partition);
        let mut proposed = Vec::new();
        for topic in &self.topics {
            let first = shuffled.iter().find(|placed| placed.partition.topic == topic.name);
            let replication_factor = first.map_or(0, |placed| placed.replicas.len());
            match assign_replicas(&places, topic.partitions.len(), replication_factor, &mut self.rng) {
                Ok(rows) => proposed.extend((0..).zip(rows).map(|(number, replicas)| PlacedReplicas {
                    partition: TopicPartition::new(topic.name.clone(), wire::PartitionIndex(number)),
                    replicas,
                })),
                Err(message) => return object(Objection::InvalidReplicationFactor, message),
            }
        }
        proposed.sort_by(|one, other| one.partition.cmp(&other.partition));
        finish(ReassignOutcome::Proposed { current, proposed }, 0)
    }

    fn execute(&mut self, targets: &[PlacedReplicas]) -> Next {
        let mut before = placed(&self.topics);
        before.retain(|current| targets.iter().any(|target| target.partition == current.partition));
        let is_missing = |target: &&PlacedReplicas| before.iter().all(|found| found.partition != target.partition);
        let missing: Vec<String> =
            targets.iter().filter(is_missing).map(|target| target.partition.to_string()).collect();
        if !missing.is_empty() {
            let message = format!("Unable to find partition: {}", missing.join(", "));
            return refuse(ErrorCode::UnknownTopicOrPartition, Some(message));
        }
        self.outcome = Some(ReassignOutcome::Started { before, refused: Vec::new() });
        let replicas = |target: &PlacedReplicas| (target.partition.clone(), Some(target.replicas.clone()));
        alter(targets.iter().map(replicas))
    }

    /// A reassignment that only adds replicas is not cancelled: the real tool has this gap.
    fn cancel(&mut self) -> Next {
        let is_cancelled = |ongoing: &&OngoingReassignment| {
            ongoing.adding_replicas.is_empty() || !ongoing.removing_replicas.is_empty()
        };
        let partitions: Vec<TopicPartition> =
            self.ongoing.iter().filter(is_cancelled).map(|ongoing| ongoing.partition.clone()).collect();
        let (refused, cleared) = (Vec::new(), None);
        self.outcome = Some(ReassignOutcome::Cancelled { partitions: partitions.clone(), refused, cleared });
        if partitions.is_empty() { self.clear() } else { alter(partitions.into_iter().map(|it| (it, None))) }
    }

    fn on_altered(&mut self, altered: AlterPartitionReassignmentsResponse) -> Next {
        if let Some(next) = check_whole(altered.error) {
            return next;
        }
        let why = |result: PartitionResult| {
            let message = result.error_message.unwrap_or_else(|| result.error.message().to_owned());
            (result.partition, message)
        };
        let failed = altered.results.into_iter().filter(|result| !result.error.is_none());
        let mut errors: Vec<(TopicPartition, String)> = failed.map(why).collect();
        errors.sort();
        let status = i32::from(!errors.is_empty());
        match self.outcome.take() {
            Some(ReassignOutcome::Started { before, .. }) => {
                finish(ReassignOutcome::Started { before, refused: errors }, status)
            }
            Some(ReassignOutcome::Cancelled { partitions, .. }) if !errors.is_empty() => {
                finish(ReassignOutcome::Cancelled { partitions, refused: errors, cleared: None }, status)
            }
            outcome => {
                self.outcome = outcome;
                self.clear()
            }
        }
    }

    fn verify(&mut self) -> Next {
        let ReassignAction::Verify { targets, .. } = &self.action else { unreachable!("only --verify looks") };
        let progress: BTreeMap<TopicPartition, ReassignmentProgress> =
            targets.iter().map(|target| (target.partition.clone(), self.progress_of(target))).collect();
        let outcome = ReassignOutcome::Verified { progress: progress.into_iter().collect(), cleared: None };
        if !self.ongoing.is_empty() {
            return finish(outcome, 0);
        }
        self.outcome = Some(outcome);
        self.clear()
    }

    fn progress_of(&self, target: &PlacedReplicas) -> ReassignmentProgress {
        if self.moves(&target.partition) {
            return ReassignmentProgress::UnderWay;
        }
        let current = placed(&self.topics).into_iter().find(|placed| placed.partition == target.partition);
        let current = current.map_or_else(Vec::new, |placed| placed.replicas);
        if current == target.replicas {
            return ReassignmentProgress::Completed;
        }
        ReassignmentProgress::Elsewhere { current, target: target.replicas.clone() }
    }

    /// Throttles are cleared on all brokers, because nobody knows any more which ones took part.
    fn clear(&mut self) -> Next {
        match &self.action {
            ReassignAction::Verify { preserves_throttles: false, .. }
            | ReassignAction::Cancel { preserves_throttles: false, .. } => describe_cluster(),
            ReassignAction::Verify { .. }
            | ReassignAction::Cancel { .. }
            | ReassignAction::List
            | ReassignAction::Generate { .. }
            | ReassignAction::Execute { .. } => self.conclude(),
        }
    }

    fn clear_brokers(&mut self, brokers: BTreeSet<BrokerId>) -> Next {
        self.uncleared = brokers.iter().copied().collect();
        let brokers = brokers.into_iter().collect();
        self.cleared = Some(ClearedThrottles { brokers, topics: None, failure: None });
        self.clear_next_broker()
    }

    /// A broker changes its own configurations; topics follow after the last one.
    fn clear_next_broker(&mut self) -> Next {
        match self.uncleared.front() {
            Some(broker) => Next::Call(clear_broker(*broker)),
            None => self.clear_topics(),
        }
    }

    /// The broker that was asked is gone: it is asked again.
    pub(super) fn on_disconnected(&self) -> Next {
        let broker = self.uncleared.front().expect("only brokers with throttles are asked by their ids");
        Next::Retry(clear_broker(*broker))
    }

    fn on_cleared(&mut self, results: &IncrementalAlterConfigsResponse) -> Next {
        let failed = results.results.iter().find(|result| !result.error.is_none());
        let failure = failed.map(|result| AdminFailure::Refused {
            error: result.error,
            message: result.error_message.clone().unwrap_or_else(|| result.error.message().to_owned()),
        });
        let has_cleared_broker = self.uncleared.pop_front().is_some();
        let cleared = self.cleared.as_mut().expect("the brokers' throttles were cleared first");
        if failure.is_some() || !has_cleared_broker {
            cleared.failure = failure;
            return self.conclude();
        }
        self.clear_next_broker()
    }

    fn clear_topics(&mut self) -> Next {
        let topics = self.target_topics();
        let cleared = self.cleared.as_mut().expect("the brokers' throttles were cleared first");
        cleared.topics = Some(topics.clone());
        let resources = topics.into_iter().map(ConfigResource::Topic).collect();
        Next::Call(delete_configs(resources, &TOPIC_THROTTLES, NodeChoice::LeastLoaded))
    }

    fn target_topics(&self) -> Vec<TopicName> {
        match &self.action {
            ReassignAction::Execute { targets, .. }
            | ReassignAction::Verify { targets, .. }
            | ReassignAction::Cancel { targets, .. } => {
                let topics: BTreeSet<TopicName> = targets.iter().map(|target| target.partition.topic.clone()).collect();
                topics.into_iter().collect()
            }
            ReassignAction::List | ReassignAction::Generate { .. } => Vec::new(),
        }
    }

    fn conclude(&mut self) -> Next {
        let now_cleared = self.cleared.take();
        let status = i32::from(now_cleared.as_ref().is_some_and(|cleared| cleared.failure.is_some()));
        let mut outcome = self.outcome.take().expect("what is told stands before throttles are cleared");
        match &mut outcome {
            ReassignOutcome::Verified { cleared, .. } | ReassignOutcome::Cancelled { cleared, .. } => {
                *cleared = now_cleared;
            }
            ReassignOutcome::Listed(_) | ReassignOutcome::Proposed { .. } | ReassignOutcome::Started { .. } => {}
        }
        finish(outcome, status)
    }
}

fn finish(outcome: ReassignOutcome, status: i32) -> Next {
    let event = ClientEvent::AdminAnswered(Box::new(AdminAnswer::Reassignment(outcome)));
    Next::Finish { event: Some(event), status: ExitStatus(status) }
}

fn object(objection: Objection, message: String) -> Next {
    Next::Fail(AdminFailure::Objected { objection, message })
}

fn refuse(error: ErrorCode, message: Option<String>) -> Next {
    let message = message.unwrap_or_else(|| error.message().to_owned());
    Next::Fail(AdminFailure::Refused { error, message })
}

fn check_whole(error: ErrorCode) -> Option<Next> {
    if error == ErrorCode::NotController {
        return Some(Next::RetryWithOtherController);
    }
    (!error.is_none()).then(|| refuse(error, None))
}

fn list(partitions: Option<Vec<TopicPartition>>) -> Next {
    let request = Request::ListPartitionReassignments(ListPartitionReassignmentsRequest { partitions });
    Next::Call(Call { name: "listPartitionReassignments", request, to: NodeChoice::Controller })
}

fn describe_cluster() -> Next {
    Next::Call(Call { name: "listNodes", request: Request::DescribeCluster, to: NodeChoice::LeastLoaded })
}

fn describe_topics(topics: BTreeSet<TopicName>) -> Next {
    let topics = topics.into_iter().collect();
    let request = Request::DescribeTopicPartitions(DescribeTopicPartitionsRequest { topics });
    Next::Call(Call { name: "describeTopicPartitions", request, to: NodeChoice::LeastLoaded })
}

fn alter(partitions: impl Iterator<Item = (TopicPartition, Option<Vec<BrokerId>>)>) -> Next {
    let reassigned = |(partition, replicas)| ReassignablePartition { partition, replicas };
    let request = AlterPartitionReassignmentsRequest { partitions: partitions.map(reassigned).collect() };
    let request = Request::AlterPartitionReassignments(request);
    Next::Call(Call { name: "alterPartitionReassignments", request, to: NodeChoice::Controller })
}

fn clear_broker(broker: BrokerId) -> Call {
    delete_configs(vec![ConfigResource::Broker(Some(broker))], &BROKER_THROTTLES, NodeChoice::Broker(broker))
}

fn delete_configs(resources: Vec<ConfigResource>, names: &[&str], to: NodeChoice) -> Call {
    let deletion = |name: &&str| AlterableConfig {
        name: (*name).to_owned(),
        operation: AlterConfigOperation::Delete,
        value: None,
    };
    let configs: Vec<AlterableConfig> = names.iter().map(deletion).collect();
    let resources =
        resources.into_iter().map(|resource| AlterConfigsResource { resource, configs: configs.clone() }).collect();
    let request = IncrementalAlterConfigsRequest { resources, validate_only: false };
    Call { name: "incrementalAlterConfigs", request: Request::IncrementalAlterConfigs(request), to }
}

fn partitions_of(targets: &[PlacedReplicas]) -> Vec<TopicPartition> {
    let partitions: BTreeSet<TopicPartition> = targets.iter().map(|target| target.partition.clone()).collect();
    partitions.into_iter().collect()
}

/// Where replicas are, by partition.
fn placed(topics: &[DescribedTopic]) -> Vec<PlacedReplicas> {
    let partitions = topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| PlacedReplicas {
            partition: TopicPartition::new(topic.name.clone(), partition.partition),
            replicas: partition.replicas.clone(),
        })
    });
    let mut placed: Vec<PlacedReplicas> = partitions.collect();
    placed.sort_by(|one, other| one.partition.cmp(&other.partition));
    placed
}
