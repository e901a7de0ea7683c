//! The client programs that actions start.

use crate::action::{Mistake, Question, TopicPlan};
use crate::producers::VALUE_PREFIX;
use kafka::spec::{
    AdminAction, AutoOffsetReset, ClusterAction, ConfigsAction, ConsumerConfig, ConsumerSpec, DescribeTarget,
    ElectLeadersAction, FeaturesAction, GetOffsetsAction, PartitionChoice, PartitionRule, PlacedReplicas,
    ProducerConfig, ProducerSpec, Program, QuorumAction, ReassignAction, Subscription, TopicFilter, TopicsAction,
    Workload,
};
use std::collections::{BTreeMap, BTreeSet};
use wire::request::{
    Acks, ConfigResource, CreatableTopic, DeleteRecordsPartition, ElectionType, FeatureUpdate, OffsetSpec, UpgradeType,
};
use wire::{BrokerId, Offset, PartitionIndex, TopicName, TopicPartition};

pub(crate) fn creation(plan: &TopicPlan) -> Program {
    Program::Topics(TopicsAction::Create {
        topic: CreatableTopic {
            name: TopicName::new(&plan.name),
            num_partitions: Some(plan.partitions),
            replication_factor: Some(plan.replicas),
            assignments: Vec::new(),
            configs: plan.configs.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        },
        if_not_exists: true,
    })
}

pub(crate) fn deletion(topic: &str) -> Program {
    Program::Topics(TopicsAction::Delete { topics: filter(topic), if_exists: true })
}

pub(crate) fn enlargement(topic: &str, count: i32) -> Program {
    let topics = filter(topic);
    Program::Topics(TopicsAction::Alter { topics, count, assignments: None, if_exists: true })
}

fn filter(topic: &str) -> TopicFilter {
    TopicFilter { pattern: Some(topic.to_owned()), exclude_internal: false }
}

pub(crate) fn configuration(topic: &str, key: &str, value: &str) -> Program {
    configurations(topic, &[(key, value)])
}

fn configurations(topic: &str, added: &[(&str, &str)]) -> Program {
    Program::Admin(AdminAction::Configs(ConfigsAction::Alter {
        resource: ConfigResource::Topic(TopicName::new(topic)),
        added: added.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        deleted: Vec::new(),
    }))
}

fn topic_partition(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition::new(TopicName::new(topic), PartitionIndex(partition))
}

pub(crate) fn records_deletion(topic: &str, partition: i32, offset: i64) -> Program {
    let partition = topic_partition(topic, partition);
    Program::Admin(AdminAction::DeleteRecords(vec![DeleteRecordsPartition { partition, offset: Offset(offset) }]))
}

pub(crate) fn election(is_unclean: bool) -> Program {
    let election_type = if is_unclean { ElectionType::Unclean } else { ElectionType::Preferred };
    Program::Admin(AdminAction::ElectLeaders(ElectLeadersAction { election_type, partitions: None }))
}

pub(crate) fn reassignment(topic: &str, partition: i32, replicas: &[i32]) -> Program {
    let targets = vec![placed(topic, partition, replicas)];
    Program::Admin(AdminAction::Reassign(ReassignAction::Execute { targets, is_additional: true }))
}

pub(crate) fn cancellation(topic: &str, partition: i32) -> Program {
    let targets = vec![placed(topic, partition, &[])];
    Program::Admin(AdminAction::Reassign(ReassignAction::Cancel { targets, preserves_throttles: true }))
}

fn placed(topic: &str, partition: i32, replicas: &[i32]) -> PlacedReplicas {
    let replicas = replicas.iter().copied().map(BrokerId).collect();
    PlacedReplicas { partition: topic_partition(topic, partition), replicas }
}

pub(crate) fn question(question: Question) -> Program {
    match question {
        Question::Offsets => {
            let rules = vec![PartitionRule { topic: ".*".to_owned(), partitions: PartitionChoice::All }];
            let action = GetOffsetsAction { rules, exclude_internal: false, spec: OffsetSpec::Latest };
            Program::Admin(AdminAction::GetOffsets(action))
        }
        Question::LogDirs => Program::Admin(AdminAction::LogDirs(BTreeSet::new())),
        Question::Quorum => Program::Admin(AdminAction::Quorum(QuorumAction::Replication)),
        Question::Topics => {
            let topics = DescribeTarget::Filter(TopicFilter { pattern: None, exclude_internal: false });
            Program::Topics(TopicsAction::Describe { topics, if_exists: true })
        }
        Question::Reassignments => Program::Admin(AdminAction::Reassign(ReassignAction::List)),
    }
}

pub(crate) fn mistake(mistake: Mistake) -> Program {
    match mistake {
        Mistake::IllegalTopicName => {
            creation(&TopicPlan { name: "no/name".to_owned(), partitions: 1, replicas: 1, configs: BTreeMap::new() })
        }
        Mistake::UnknownBroker => Program::Admin(AdminAction::Cluster(ClusterAction::Unregister(BrokerId(99)))),
        Mistake::NeedlessElection => {
            let partitions = Some(vec![topic_partition("safe", 0)]);
            let election_type = ElectionType::Preferred;
            Program::Admin(AdminAction::ElectLeaders(ElectLeadersAction { election_type, partitions }))
        }
        Mistake::RepeatedReplica => reassignment("safe", 0, &[1, 1]),
        Mistake::RepeatedConfig => configurations("safe", &[("segment.ms", "100000"), ("segment.ms", "200000")]),
        Mistake::CompactedRecords => records_deletion("compacted", 0, -1),
    }
}

pub(crate) fn upgrade(level: i16) -> Program {
    let (feature, upgrade_type) = ("metadata.version".to_owned(), UpgradeType::Upgrade);
    let updates = vec![FeatureUpdate { feature, max_version_level: level, upgrade_type }];
    Program::Admin(AdminAction::Features(FeaturesAction::Update { updates, dry_run: false }))
}

pub(crate) fn producer(topic: &str, acks: Acks, interval_ms: i64, keys: u32) -> Program {
    Program::Producer(ProducerSpec {
        config: ProducerConfig { acks, ..ProducerConfig::default() },
        is_synchronous: false,
        workload: Some(Workload {
            topic: TopicName::new(topic),
            interval_ms,
            keys: (1..=keys).map(|key| format!("key {key}")).collect(),
            value_prefix: VALUE_PREFIX.to_owned(),
        }),
    })
}

pub(crate) fn consumer(topic: &str, client_rack: Option<String>) -> Program {
    Program::Consumer(ConsumerSpec {
        config: ConsumerConfig {
            auto_offset_reset: AutoOffsetReset::Earliest,
            metadata_max_age_ms: 5_000,
            client_rack,
            ..ConsumerConfig::default()
        },
        subscription: Subscription::Topic(TopicName::new(topic)),
        group_id: None,
        max_messages: None,
        timeout_ms: None,
    })
}
