//! `kafka-get-offsets`: topics are listed and described, then each partition's leader is asked (`GetOffsetShell` over
//! `ListOffsetsHandler` and `PartitionLeaderStrategy`).

use super::admin_client::NodeChoice;
use super::program::{Call, Next};
use crate::client::pattern::{TopicPattern, is_internal};
use crate::event::{AdminAnswer, AdminFailure, ClientEvent};
use crate::spec::{GetOffsetsAction, PartitionChoice};
use std::collections::{BTreeMap, BTreeSet};
use wire::request::{
    DescribeTopicPartitionsRequest, IsolationLevel, ListOffsetsPartition, ListOffsetsRequest, MetadataRequest,
};
use wire::response::{DescribeTopicPartitionsResponse, ListOffsetsResponse, MetadataResponse};
use wire::{BrokerId, LeaderEpoch, Offset, Request, Response, TopicName, TopicPartition};

/// The admin client's names for the calls.
const LOOK_UP: &str = "listOffsets(api=METADATA)";
const FETCH: &str = "listOffsets(api=LIST_OFFSETS)";

/// What is called at present.
#[derive(Clone, Debug)]
enum Stage {
    Listing,
    Describing,
    LookingUp,
    Asking { leaders: BTreeMap<BrokerId, Vec<TopicPartition>> },
}

/// A `kafka-get-offsets` call under way.
#[derive(Clone, Debug)]
pub(super) struct GetOffsetsTask {
    action: GetOffsetsAction,
    stage: Stage,
    wanted: BTreeSet<TopicPartition>,
    found: BTreeMap<TopicPartition, Offset>,
    skipped: BTreeMap<TopicPartition, AdminFailure>,
}

impl GetOffsetsTask {
    /// Nothing has been asked yet.
    pub(super) fn new(action: GetOffsetsAction) -> GetOffsetsTask {
        let (found, skipped) = (BTreeMap::new(), BTreeMap::new());
        GetOffsetsTask { action, stage: Stage::Listing, wanted: BTreeSet::new(), found, skipped }
    }

    /// The first call.
    pub(super) fn start(&mut self) -> Next {
        let request = MetadataRequest { topics: None, allow_auto_topic_creation: true };
        Next::Call(Call { name: "listTopics", request: Request::Metadata(request), to: NodeChoice::LeastLoaded })
    }

    /// What follows from the answer to the last call.
    pub(super) fn on_response(&mut self, response: Response) -> Next {
        match (std::mem::replace(&mut self.stage, Stage::LookingUp), response) {
            (Stage::Listing, Response::Metadata(listing)) => self.describe(&listing),
            (Stage::Describing, Response::DescribeTopicPartitions(described)) => self.on_described(&described),
            (Stage::LookingUp, Response::Metadata(metadata)) => self.on_looked_up(&metadata),
            (Stage::Asking { leaders }, Response::ListOffsets(offsets)) => self.on_offsets(leaders, &offsets),
            (stage, response) => panic!("a broker answered {stage:?} with {response:?}"),
        }
    }

    /// A leader is gone: looks who leads now.
    pub(super) fn on_disconnected(&mut self) -> Next {
        Next::Retry(self.look_up())
    }

    /// Time is up for the partitions that are left; what comes before them fails the tool.
    pub(super) fn on_failure(&mut self, failure: AdminFailure) -> Next {
        match self.stage {
            Stage::Listing | Stage::Describing => Next::Fail(failure),
            Stage::LookingUp | Stage::Asking { .. } => {
                let rest = std::mem::take(&mut self.wanted).into_iter();
                self.skipped.extend(rest.map(|partition| (partition, failure.clone())));
                self.finish()
            }
        }
    }

    fn describe(&mut self, listing: &MetadataResponse) -> Next {
        let names = listing.topics.iter().map(|topic| &topic.name);
        let topics: Vec<TopicName> = names.filter(|name| self.admits_topic(name)).cloned().collect();
        if topics.is_empty() {
            return Next::Fail(AdminFailure::NoSuchPartition);
        }
        self.stage = Stage::Describing;
        let request = Request::DescribeTopicPartitions(DescribeTopicPartitionsRequest { topics });
        Next::Call(Call { name: "describeTopicPartitions", request, to: NodeChoice::LeastLoaded })
    }

    fn admits_topic(&self, name: &TopicName) -> bool {
        !(self.action.exclude_internal && is_internal(name)) && self.choices(name).next().is_some()
    }

    fn choices(&self, name: &TopicName) -> impl Iterator<Item = &PartitionChoice> {
        let matches =
            |pattern: &str| TopicPattern::parse_include_list(pattern).is_ok_and(|pattern| pattern.matches(name));
        self.action.rules.iter().filter(move |rule| matches(&rule.topic)).map(|rule| &rule.partitions)
    }

    fn on_described(&mut self, described: &DescribeTopicPartitionsResponse) -> Next {
        for topic in &described.topics {
            let is_wanted = |partition| self.choices(&topic.name).any(|choice| choice.admits(partition));
            let partitions = topic.partitions.iter().map(|described| described.partition).filter(|it| is_wanted(*it));
            let wanted: Vec<TopicPartition> =
                partitions.map(|partition| TopicPartition::new(topic.name.clone(), partition)).collect();
            self.wanted.extend(wanted);
        }
        if self.wanted.is_empty() {
            return Next::Fail(AdminFailure::NoSuchPartition);
        }
        Next::Call(self.look_up())
    }

    fn look_up(&mut self) -> Call {
        self.stage = Stage::LookingUp;
        let topics: BTreeSet<TopicName> = self.wanted.iter().map(|partition| partition.topic.clone()).collect();
        let request = MetadataRequest { topics: Some(topics.into_iter().collect()), allow_auto_topic_creation: false };
        Call { name: LOOK_UP, request: Request::Metadata(request), to: NodeChoice::LeastLoaded }
    }

    fn on_looked_up(&mut self, metadata: &MetadataResponse) -> Next {
        let mut leaders: BTreeMap<BrokerId, Vec<TopicPartition>> = BTreeMap::new();
        for topic in &metadata.topics {
            for described in &topic.partitions {
                let partition = TopicPartition::new(topic.name.clone(), described.partition);
                if let Some(leader) = described.leader.filter(|_| self.wanted.contains(&partition)) {
                    leaders.entry(leader).or_default().push(partition);
                }
            }
        }
        self.ask(leaders)
    }

    /// Asks the next leader; when there is none, looks again for those of the partitions that are left.
    fn ask(&mut self, leaders: BTreeMap<BrokerId, Vec<TopicPartition>>) -> Next {
        let Some((leader, partitions)) = leaders.first_key_value() else {
            return if self.wanted.is_empty() { self.finish() } else { Next::Retry(self.look_up()) };
        };
        let partitions = partitions.iter().map(|partition| ListOffsetsPartition {
            partition: partition.clone(),
            current_leader_epoch: LeaderEpoch::NONE,
            spec: self.action.spec,
        });
        let request = Request::ListOffsets(ListOffsetsRequest {
            replica_id: None,
            isolation_level: IsolationLevel::ReadUncommitted,
            partitions: partitions.collect(),
        });
        let to = NodeChoice::Broker(*leader);
        self.stage = Stage::Asking { leaders };
        Next::Continue(Call { name: FETCH, request, to })
    }

    fn on_offsets(
        &mut self,
        mut leaders: BTreeMap<BrokerId, Vec<TopicPartition>>,
        offsets: &ListOffsetsResponse,
    ) -> Next {
        leaders.pop_first();
        for result in &offsets.partitions {
            let error = result.error;
            if error.is_none() {
                self.wanted.remove(&result.partition);
                self.found.insert(result.partition.clone(), result.offset);
            } else if !error.is_retriable() {
                self.wanted.remove(&result.partition);
                let failure = AdminFailure::Refused { error, message: error.message().to_owned() };
                self.skipped.insert(result.partition.clone(), failure);
            }
        }
        self.ask(leaders)
    }

    fn finish(&mut self) -> Next {
        let found = std::mem::take(&mut self.found).into_iter().filter(|(_, offset)| offset.0 >= 0).collect();
        let skipped = std::mem::take(&mut self.skipped).into_iter().collect();
        Next::finish(ClientEvent::AdminAnswered(Box::new(AdminAnswer::Offsets { found, skipped })))
    }
}
