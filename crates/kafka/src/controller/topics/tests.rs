//! Topics are made, enlarged, deleted and refused as by a real controller.

use super::super::testing::{TestCluster, ids};
use super::*;
use rand::SeedableRng;
use wire::LeaderEpoch;

fn usable(cluster: &TestCluster) -> Vec<UsableBroker> {
    let brokers = cluster.image.brokers().iter();
    brokers.map(|(id, broker)| UsableBroker { id: *id, rack: None, fenced: broker.fenced }).collect()
}

fn topic(name: &str) -> CreatableTopic {
    CreatableTopic {
        name: TopicName::new(name),
        num_partitions: None,
        replication_factor: None,
        assignments: Vec::new(),
        configs: Vec::new(),
    }
}

fn assigned(name: &str, assignments: &[(i32, &[i32])]) -> CreatableTopic {
    let assignments = assignments.iter().map(|(index, replicas)| (PartitionIndex(*index), ids(replicas))).collect();
    CreatableTopic { assignments, ..topic(name) }
}

fn create(cluster: &TestCluster, topics: Vec<CreatableTopic>) -> TopicsOutcome {
    let request = CreateTopicsRequest { topics, validate_only: false };
    cluster.as_cluster().create_topics(&request, &usable(cluster), &mut crate::Rng::seed_from_u64(1))
}

fn told(outcome: &TopicsOutcome) -> Vec<(ErrorCode, &str)> {
    let results = outcome.results.topics.iter();
    results.map(|result| (result.error, result.error_message.as_deref().unwrap_or_default())).collect()
}

#[test]
fn a_topic_is_recorded_with_its_configurations_and_partitions() {
    let cluster = TestCluster::with_brokers(3);
    let request = CreatableTopic {
        num_partitions: Some(2),
        replication_factor: Some(3),
        configs: vec![("retention.ms".to_owned(), "1000".to_owned())],
        ..topic("foo")
    };
    let outcome = create(&cluster, vec![request]);
    let topic_id = outcome.results.topics[0].topic_id.expect("the topic was made");
    assert!(matches!(
        outcome.records.as_slice(),
        [
            MetadataRecord::Topic { .. },
            MetadataRecord::Config { .. },
            MetadataRecord::Partition(PartitionRecord { partition: PartitionIndex(0), .. }),
            MetadataRecord::Partition(PartitionRecord { partition: PartitionIndex(1), .. }),
        ]
    ));
    for record in &outcome.records[2..] {
        let MetadataRecord::Partition(PartitionRecord { topic_id: id, replicas, isr, leader, leader_epoch, .. }) =
            record
        else {
            panic!("not a partition: {record:?}");
        };
        assert_eq!((*id, isr, *leader_epoch), (topic_id, replicas, LeaderEpoch(0)));
        assert_eq!(*leader, replicas.first().copied());
    }
}

#[test]
fn fenced_brokers_get_replicas_but_are_not_in_sync() {
    let mut cluster = TestCluster::with_brokers(3);
    cluster.fence(2);
    let records = cluster.as_cluster().begin_controlled_shutdown(BrokerId(1));
    cluster.replay(records);
    let outcome = create(&cluster, vec![assigned("foo", &[(0, &[1, 0, 2])])]);
    let Some(MetadataRecord::Partition(PartitionRecord { replicas, isr, leader, .. })) = outcome.records.last() else {
        panic!("no partition: {outcome:?}");
    };
    assert_eq!((replicas, isr, *leader), (&ids(&[1, 0, 2]), &ids(&[0]), Some(BrokerId(0))));
}

#[test]
fn defaults_come_from_the_controllers_properties() {
    let mut cluster = TestCluster::with_brokers(3);
    cluster.config.num_partitions = 4;
    cluster.config.default_replication_factor = 2;
    let records = create(&cluster, vec![topic("foo")]).records;
    let has_two = |record: &&MetadataRecord| matches!(record, MetadataRecord::Partition(PartitionRecord { replicas, .. }) if replicas.len() == 2);
    assert_eq!((records.len(), records.iter().filter(has_two).count()), (5, 4));
}

#[test]
fn topics_are_refused_in_kafkas_words() {
    use ErrorCode::{
        InvalidConfig, InvalidPartitions, InvalidReplicaAssignment, InvalidReplicationFactor, InvalidRequest,
        InvalidTopic, PolicyViolation, TopicAlreadyExists,
    };
    let mut cluster = TestCluster::with_brokers(3);
    cluster.create("test-topic", &[&[0]]);
    cluster.create("kafka.test-topic", &[&[0]]);
    let with_config =
        |name: &str, value: &str| CreatableTopic { configs: vec![(name.to_owned(), value.to_owned())], ..topic("foo") };
    let with_factor = |factor: i16| CreatableTopic { replication_factor: Some(factor), ..topic("foo") };
    let with_partitions = |count: i32| CreatableTopic { num_partitions: Some(count), ..topic("foo") };
    for (request, error, message) in [
        (topic("test-topic"), TopicAlreadyExists, "Topic 'test-topic' already exists."),
        (topic("kafka.test-topic"), TopicAlreadyExists, "Topic 'kafka.test-topic' already exists."),
        (
            topic("kafka_test-topic"),
            InvalidTopic,
            "Topic 'kafka_test-topic' collides with existing topic: kafka.test-topic",
        ),
        (topic(".."), InvalidTopic, "Topic name is invalid: '..' is not allowed"),
        (topic("__cluster_metadata"), InvalidRequest, "Creation of internal topic __cluster_metadata is prohibited."),
        (with_config("nope", "1"), InvalidConfig, "Unknown topic config name: nope"),
        (
            with_config("retention.ms", "abc"),
            InvalidConfig,
            "Invalid value abc for configuration retention.ms: Not a number of type LONG",
        ),
        (
            with_factor(5),
            InvalidReplicationFactor,
            "Unable to replicate the partition 5 time(s): The target replication factor of 5 cannot be reached because only 3 broker(s) are registered.",
        ),
        (
            with_factor(0),
            InvalidReplicationFactor,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        ),
        (with_partitions(0), InvalidPartitions, "Number of partitions was set to an invalid non-positive value."),
        (with_partitions(i32::MAX), PolicyViolation, "Unable to perform excessively large batch operation."),
        (
            CreatableTopic { replication_factor: Some(1), ..assigned("foo", &[(0, &[1])]) },
            InvalidRequest,
            "A manual partition assignment was specified, but replication factor was not set to -1.",
        ),
        (
            CreatableTopic { num_partitions: Some(1), ..assigned("foo", &[(0, &[1])]) },
            InvalidRequest,
            "A manual partition assignment was specified, but numPartitions was not set to -1.",
        ),
        (
            assigned("foo", &[(0, &[0]), (2, &[1])]),
            InvalidReplicaAssignment,
            "partitions should be a consecutive 0-based integer sequence",
        ),
        (
            assigned("foo", &[(0, &[0]), (0, &[1])]),
            InvalidReplicaAssignment,
            "Found multiple manual partition assignments for partition 0",
        ),
        (
            assigned("foo", &[(0, &[])]),
            InvalidReplicaAssignment,
            "The manual partition assignment includes an empty replica list.",
        ),
        (
            assigned("foo", &[(0, &[0, 7])]),
            InvalidReplicaAssignment,
            "The manual partition assignment includes broker 7, but no such broker is registered.",
        ),
        (
            assigned("foo", &[(0, &[1, 0, 1])]),
            InvalidReplicaAssignment,
            "The manual partition assignment includes the broker 1 more than once.",
        ),
        (
            assigned("foo", &[(0, &[0, 1]), (1, &[2])]),
            InvalidReplicaAssignment,
            "The manual partition assignment includes a partition with 1 replica(s), but this is not consistent with previous partitions, which have 2 replica(s).",
        ),
    ] {
        let outcome = create(&cluster, vec![request]);
        assert_eq!(told(&outcome), [(error, message)]);
        assert!(outcome.records.is_empty());
    }
}

#[test]
fn nothing_can_be_placed_while_all_brokers_are_fenced() {
    let mut cluster = TestCluster::with_brokers(2);
    cluster.fence(0);
    cluster.fence(1);
    let message = "Unable to replicate the partition 1 time(s): All brokers are currently fenced.";
    assert_eq!(told(&create(&cluster, vec![topic("foo")])), [(ErrorCode::InvalidReplicationFactor, message)]);
    let message = "All brokers specified in the manual partition assignment for partition 0 are fenced or in controlled shutdown.";
    let outcome = create(&cluster, vec![assigned("foo", &[(0, &[0, 1])])]);
    assert_eq!(told(&outcome), [(ErrorCode::InvalidReplicaAssignment, message)]);
}

#[test]
fn a_name_given_twice_is_refused_and_others_are_made() {
    let cluster = TestCluster::with_brokers(1);
    let outcome = create(&cluster, vec![topic("foo"), topic("bar"), topic("foo")]);
    assert_eq!(told(&outcome), [(ErrorCode::None, ""), (ErrorCode::InvalidRequest, "Duplicate topic name.")]);
    assert_eq!(outcome.results.topics[0].name, TopicName::new("bar"));
}

#[test]
fn checking_only_records_nothing() {
    let cluster = TestCluster::with_brokers(1);
    let request = CreateTopicsRequest { topics: vec![topic("foo")], validate_only: true };
    let mut rng = crate::Rng::seed_from_u64(1);
    let outcome = cluster.as_cluster().create_topics(&request, &usable(&cluster), &mut rng);
    assert_eq!((told(&outcome), outcome.records.len()), (vec![(ErrorCode::None, "")], 0));
}

fn enlarge(cluster: &TestCluster, name: &str, count: i32, assignments: Option<&[&[i32]]>) -> TopicsOutcome {
    let assignments = assignments.map(|lists| lists.iter().map(|list| ids(list)).collect());
    let request = CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic { name: TopicName::new(name), count, assignments }],
    };
    cluster.as_cluster().create_partitions(&request, &usable(cluster), &mut crate::Rng::seed_from_u64(1))
}

#[test]
fn partitions_are_added_behind_the_existing_ones() {
    let mut cluster = TestCluster::with_brokers(3);
    cluster.create("foo", &[&[0, 1], &[1, 2]]);
    let outcome = enlarge(&cluster, "foo", 4, Some(&[&[2, 0], &[0, 1]]));
    assert_eq!(told(&outcome), [(ErrorCode::None, "")]);
    cluster.replay(outcome.records);
    assert_eq!(cluster.leaders_and_isrs("foo")[2..], ["2 [2, 0]", "0 [0, 1]"]);
    let placed = enlarge(&cluster, "foo", 6, None);
    assert_eq!(placed.records.len(), 2);
    cluster.replay(placed.records);
    assert_eq!(cluster.leaders_and_isrs("foo").len(), 6);
}

#[test]
fn partitions_are_refused_in_kafkas_words() {
    use ErrorCode::{InvalidPartitions, InvalidReplicaAssignment, UnknownTopicOrPartition};
    let mut cluster = TestCluster::with_brokers(3);
    cluster.create("test-topic", &[&[0], &[1], &[2]]);
    for (name, count, assignments, error, message) in [
        ("nope", 5, None, UnknownTopicOrPartition, ""),
        ("test-topic", 3, None, InvalidPartitions, "Topic already has 3 partition(s)."),
        (
            "test-topic",
            2,
            None,
            InvalidPartitions,
            "The topic test-topic currently has 3 partition(s); 2 would not be an increase.",
        ),
        (
            "test-topic",
            5,
            Some(&[&[0][..]][..]),
            InvalidReplicaAssignment,
            "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.",
        ),
    ] {
        assert_eq!(told(&enlarge(&cluster, name, count, assignments)), [(error, message)]);
    }
}

#[test]
fn topics_are_deleted_by_name() {
    let mut cluster = TestCluster::with_brokers(1);
    cluster.create("foo", &[&[0]]);
    let request = DeleteTopicsRequest { topics: vec![TopicName::new("foo"), TopicName::new("nope")] };
    let outcome = cluster.as_cluster().delete_topics(&request);
    let unknown = (ErrorCode::UnknownTopicOrPartition, ErrorCode::UnknownTopicOrPartition.message());
    assert_eq!(told(&outcome), [(ErrorCode::None, ""), unknown]);
    cluster.replay(outcome.records);
    assert!(cluster.image.topics().is_empty());
    cluster.config.delete_topic_enable = false;
    let refused = cluster.as_cluster().delete_topics(&request);
    assert_eq!(told(&refused), [(ErrorCode::TopicDeletionDisabled, ""); 2]);
}

#[test]
fn topic_ids_are_random_uuids() {
    let mut rng = crate::Rng::seed_from_u64(3);
    let drawn: BTreeSet<u128> = (0..200).map(|_| rng.topic_id().0).collect();
    assert_eq!(drawn.len(), 200);
    assert!(drawn.iter().all(|id| id >> 76 & 0xf == 4 && id >> 62 & 3 == 2));
    assert!(drawn.iter().all(|id| !TopicId(*id).to_string().starts_with('-')));
}
