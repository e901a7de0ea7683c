//! Elections, reassignments and configurations by tools, against brokers that the test plays.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test names what it expects; the rest is wrong or of no interest")]

use crate::client::testing::{Asked, World, brokers, metadata, partition, port_of};
use crate::event::{
    AdminAnswer, AdminFailure, ClearedThrottles, ClientEvent, ConfigsOutcome, Objection, ReassignOutcome,
    ReassignmentProgress,
};
use crate::node::ExitStatus;
use crate::spec::{
    AdminAction, ConfigEntities, ConfigsAction, ElectLeadersAction, PlacedReplicas, Program, ReassignAction,
};
use wire::request::{ConfigResource, ElectionType};
use wire::response::{
    AlterConfigsResult, ConfigEntry, ConfigSource, DescribeClusterResponse, DescribeConfigsResponse,
    DescribeTopicPartitionsResponse, DescribedConfigs, DescribedTopic, ElectLeadersResponse,
    IncrementalAlterConfigsResponse, ListPartitionReassignmentsResponse, MetadataResponse, PartitionResult,
};
use wire::{BrokerId, ErrorCode, Request, Response, TopicId};

fn started(action: AdminAction) -> World {
    World::start(Program::Admin(action), &[9_092], &[9_092, 9_093, 9_094])
}

fn cluster() -> Response {
    let topics = metadata("t", &[(Some(1), 0)]).topics;
    Response::Metadata(MetadataResponse { brokers: brokers(), controller_id: Some(BrokerId(2)), topics })
}

fn answer(world: &mut World) -> AdminAnswer {
    match world.take_events().pop() {
        Some(ClientEvent::AdminAnswered(answer)) => *answer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_election_is_asked_of_the_controller_until_one_takes_it_and_fails_if_a_partition_does() {
    let action = ElectLeadersAction { election_type: ElectionType::Preferred, partitions: None };
    let mut world = started(AdminAction::ElectLeaders(action));
    let result = |error| PartitionResult { partition: partition("t", 0), error, error_message: None };
    let results = vec![result(ErrorCode::PreferredLeaderNotAvailable)];
    let mut refused = 0;
    world.run(3_000, &mut |asked: &Asked| match &asked.request {
        Request::Metadata(_) => Some(cluster()),
        Request::ElectLeaders(_) if refused < 2 => {
            refused += 1;
            let error = ErrorCode::NotController;
            Some(Response::ElectLeaders(ElectLeadersResponse { error, results: Vec::new() }))
        }
        Request::ElectLeaders(_) => {
            assert_eq!(asked.port, port_of(2));
            let results = results.clone();
            Some(Response::ElectLeaders(ElectLeadersResponse { error: ErrorCode::None, results }))
        }
        other => panic!("unexpected {other:?}"),
    });
    let expected = AdminAnswer::LeadersElected { election_type: ElectionType::Preferred, results };
    assert_eq!((answer(&mut world), world.exit, refused), (expected, Some(ExitStatus(1)), 2));
}

#[test]
fn a_verified_reassignment_of_a_topic_that_is_gone_fails_when_its_throttles_are_cleared() {
    let target = PlacedReplicas { partition: partition("t", 0), replicas: vec![BrokerId(1)] };
    let action = ReassignAction::Verify { targets: vec![target], preserves_throttles: false };
    let mut world = started(AdminAction::Reassign(action));
    world.run(100, &mut |asked: &Asked| {
        Some(match &asked.request {
            Request::Metadata(_) => cluster(),
            Request::ListPartitionReassignments(_) => {
                let (error, partitions) = (ErrorCode::None, Vec::new());
                Response::ListPartitionReassignments(ListPartitionReassignmentsResponse { error, partitions })
            }
            Request::DescribeTopicPartitions(request) => {
                let topic = DescribedTopic {
                    error: ErrorCode::UnknownTopicOrPartition,
                    name: request.topics[0].clone(),
                    topic_id: TopicId(0),
                    is_internal: false,
                    partitions: Vec::new(),
                };
                Response::DescribeTopicPartitions(DescribeTopicPartitionsResponse { topics: vec![topic] })
            }
            Request::DescribeCluster => {
                let (cluster_id, controller_id) = (String::new(), None);
                Response::DescribeCluster(DescribeClusterResponse { cluster_id, controller_id, brokers: brokers() })
            }
            Request::IncrementalAlterConfigs(request) => {
                let result = |resource: &ConfigResource| AlterConfigsResult {
                    resource: resource.clone(),
                    error: match resource {
                        ConfigResource::Topic(_) => ErrorCode::UnknownTopicOrPartition,
                        ConfigResource::Broker(_) => ErrorCode::None,
                    },
                    error_message: Some("why".to_owned()),
                };
                let results = request.resources.iter().map(|altered| result(&altered.resource)).collect();
                Response::IncrementalAlterConfigs(IncrementalAlterConfigsResponse { results })
            }
            other => panic!("unexpected {other:?}"),
        })
    });
    let (error, message) = (ErrorCode::UnknownTopicOrPartition, "why".to_owned());
    let cleared = ClearedThrottles {
        brokers: vec![BrokerId(1), BrokerId(2), BrokerId(3)],
        topics: Some(vec![partition("t", 0).topic]),
        failure: Some(AdminFailure::Refused { error, message }),
    };
    let elsewhere = ReassignmentProgress::Elsewhere { current: Vec::new(), target: vec![BrokerId(1)] };
    let progress = vec![(partition("t", 0), elsewhere)];
    let outcome = ReassignOutcome::Verified { progress, cleared: Some(cleared) };
    assert_eq!((answer(&mut world), world.exit), (AdminAnswer::Reassignment(outcome), Some(ExitStatus(1))));
}

fn described(resource: ConfigResource, entries: Vec<ConfigEntry>) -> Response {
    let described = DescribedConfigs { resource, error: ErrorCode::None, error_message: None, entries };
    Response::DescribeConfigs(DescribeConfigsResponse { results: vec![described] })
}

fn entry(name: &str, source: ConfigSource) -> ConfigEntry {
    ConfigEntry {
        name: name.to_owned(),
        value: Some("1".to_owned()),
        source,
        is_read_only: false,
        is_sensitive: false,
        synonyms: Vec::new(),
    }
}

#[test]
fn a_broker_tells_its_own_configurations_sorted() {
    let resource = ConfigResource::Broker(Some(BrokerId(3)));
    let entities = ConfigEntities::One(resource.clone());
    let mut world = started(AdminAction::Configs(ConfigsAction::Describe { entities, all: false }));
    let set = |name| entry(name, ConfigSource::DynamicBrokerConfig);
    world.run(100, &mut |asked: &Asked| match &asked.request {
        Request::Metadata(_) => Some(cluster()),
        Request::DescribeConfigs(request) => {
            assert!(request.include_synonyms);
            assert_eq!(asked.port, port_of(3));
            let entries = vec![set("b"), entry("c", ConfigSource::StaticBrokerConfig), set("a")];
            Some(described(resource.clone(), entries))
        }
        other => panic!("unexpected {other:?}"),
    });
    let told = vec![(resource.clone(), vec![set("a"), set("b")])];
    let outcome = ConfigsOutcome::Described { described: told, failed: None, all: false };
    assert_eq!((answer(&mut world), world.exit), (AdminAnswer::Configs(outcome), Some(ExitStatus(0))));
}

#[test]
fn what_is_not_set_cannot_be_deleted() {
    let resource = ConfigResource::Topic(partition("t", 0).topic);
    let deleted = ["a", "b", "c"].map(str::to_owned).to_vec();
    let action = ConfigsAction::Alter { resource: resource.clone(), added: Vec::new(), deleted };
    let mut world = started(AdminAction::Configs(action));
    world.run(100, &mut |asked: &Asked| match &asked.request {
        Request::Metadata(_) => Some(cluster()),
        Request::DescribeConfigs(_) => {
            let entries = vec![entry("a", ConfigSource::DefaultConfig), entry("b", ConfigSource::DynamicTopicConfig)];
            Some(described(resource.clone(), entries))
        }
        other => panic!("unexpected {other:?}"),
    });
    let (objection, message) = (Objection::InvalidConfiguration, "Invalid config(s): a,c".to_owned());
    let failure = ClientEvent::AdminFailed(AdminFailure::Objected { objection, message });
    assert_eq!((world.take_events(), world.exit), (vec![failure], Some(ExitStatus(1))));
}
