use super::world::{TOPIC_ID, World, ids, partition};
use super::{Proposal, join_isr, propose};
use crate::event::{EventKind, ZooKeeperEvent};
use crate::spec::HistoricalFaults;
use crate::zk_controller::{ControllerRequest, HostTimer};
use std::collections::BTreeMap;
use wire::request::{
    AlterPartitionReassignmentsRequest, ElectionType, ListPartitionReassignmentsRequest, UpdateMetadataRequest,
};
use wire::zookeeper::{Operation, ZnodeData, ZnodePath};
use wire::{BrokerId, ErrorCode, LeaderRecoveryState, Request, Response, TopicName};

fn last_metadata(world: &World, broker: i32) -> UpdateMetadataRequest {
    let told = world.told.iter().rev().find_map(|(_, to, request)| match request {
        Request::UpdateMetadata(request) if *to == broker => Some(request.clone()),
        _ => None,
    });
    told.expect("it was told")
}

fn delete(path: &str) -> Operation {
    Operation::Delete { path: ZnodePath::new(path), version: None }
}

#[test]
fn the_controller_epoch_outlives_all_brokers() {
    let mut world = World::new(&[1, 2]);
    world.kill(2);
    world.kill(1);
    assert_eq!(world.znode("/controller"), None);
    assert_eq!(world.znode("/controller_epoch"), Some(ZnodeData::ControllerEpoch(1)));
    world.start(2);
    assert_eq!(world.controller_epoch(2), Some(2));
}

#[test]
fn a_controller_that_is_removed_is_replaced_in_the_next_epoch() {
    let mut world = World::new(&[1, 2]);
    world.admin(delete("/controller"));
    let epochs: Vec<i32> = [1, 2].into_iter().filter_map(|id| world.controller_epoch(id)).collect();
    assert_eq!(epochs, [2]);
}

/// `testControllerMoveOn…`: the controller learns of it by what it writes.
#[test]
fn a_controller_that_has_moved_resigns_whatever_it_was_about_to_do() {
    type Story = (&'static str, fn(&mut World));
    let stories: [Story; 4] = [
        ("partitions are added", |world| world.enlarge_topic(&[&[2, 3], &[3, 2]])),
        ("a topic is deleted", |world| world.create("/admin/delete_topics/t", ZnodeData::Empty)),
        ("a preferred leader is wanted", |world| {
            let asked = vec![(TopicName::new("t"), partition(0).partition)];
            world.create("/admin/preferred_replica_election", ZnodeData::PreferredReplicaElection(asked));
        }),
        ("replicas shall move", |world| {
            let wanted = ZnodeData::Reassignment(BTreeMap::from([(partition(0), ids(&[3]))]));
            world.create("/admin/reassign_partitions", wanted);
        }),
    ];
    for (story, happen) in stories {
        let mut world = World::new(&[1, 2, 3]);
        world.create_topic(&[&[2, 3]]);
        world.kill(2);
        world.start(2);
        join_isr(&mut world, 3, &[3, 2]);
        let before = world.state(0);
        world.while_the_controller_moves(happen);
        assert_eq!(world.controller_epoch(1), None, "{story}");
        let resigned = EventKind::ZooKeeper(ZooKeeperEvent::ControllerResigned { controller_epoch: 1 });
        assert!(world.events_of(1).contains(&resigned), "{story}");
        assert_eq!(world.state(0), before, "{story}");
    }
}

/// A partition that never had a leader stands among those that shall have their preferred one: Kafka's controller fails
/// over that while it takes over, and the office goes round as long as it stands there.
#[test]
fn a_controller_that_cannot_take_over_gives_its_office_up() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[9]]);
    let path = "/admin/preferred_replica_election";
    world.create(path, ZnodeData::PreferredReplicaElection(vec![(TopicName::new("t"), partition(0).partition)]));
    assert_eq!(world.controller_epoch(1), Some(1), "an event that fails costs nothing");
    world.kill_and_see_some(1, 300);
    let notes: Vec<EventKind> = [2, 3].iter().flat_map(|id| world.events_of(*id).to_vec()).collect();
    for controller_epoch in 2..5 {
        assert!(notes.contains(&EventKind::ZooKeeper(ZooKeeperEvent::ControllerElected { controller_epoch })));
        assert!(notes.contains(&EventKind::ZooKeeper(ZooKeeperEvent::ControllerResigned { controller_epoch })));
    }
    world.admin(delete(path));
    let epoch = [2, 3].into_iter().find_map(|id| world.controller_epoch(id)).expect("nothing hinders it any more");
    assert_eq!(world.znode("/controller_epoch"), Some(ZnodeData::ControllerEpoch(epoch)));
}

/// `testPreemptionWithCallbacks`.
#[test]
fn requests_at_work_are_answered_when_the_session_expires() {
    let reassign = || AlterPartitionReassignmentsRequest { partitions: Vec::new() };
    let mut world = World::new(&[1, 2]);
    world.expire_while_asked(1, ControllerRequest::AlterPartitionReassignments(reassign()));
    let Some(Response::AlterPartitionReassignments(response)) = world.responses.pop() else {
        panic!("it is answered in kind")
    };
    assert_eq!(response.error, ErrorCode::NotController);
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[2, 1]]);
    world.kill(2);
    world.start(2);
    join_isr_of_1(&mut world);
    let request = ControllerRequest::ElectLeaders {
        partitions: [partition(0)].into(),
        election_type: ElectionType::Preferred,
        is_for_all: false,
    };
    world.expire_while_asked(1, request);
    let outcome = world.elected.pop().expect("it is answered");
    assert_eq!(outcome.failures.iter().map(|result| result.error).collect::<Vec<_>>(), [ErrorCode::NotController]);
    let list = ListPartitionReassignmentsRequest { partitions: None };
    let Response::ListPartitionReassignments(listed) =
        world.ask(1, ControllerRequest::ListPartitionReassignments(list))
    else {
        panic!("it is answered in kind")
    };
    assert_eq!(listed.error, ErrorCode::NotController);
}

fn join_isr_of_1(world: &mut World) {
    join_isr(world, 1, &[1, 2]);
}

/// `testMetadataPropagationOnBrokerChange`, `testMetadataPropagationForOfflineReplicas`.
#[test]
fn everybody_hears_which_replicas_are_down() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[1, 2, 3], &[3]]);
    world.told.clear();
    world.kill(3);
    let told = world.told.iter().filter_map(|(_, to, request)| match request {
        Request::UpdateMetadata(request) if *to == 2 => Some(request.partitions.clone()),
        _ => None,
    });
    let last = told.flatten().fold(BTreeMap::new(), |mut last, state| {
        last.insert(state.partition.clone(), (state.offline_replicas, state.isr));
        last
    });
    assert_eq!(last[&partition(0)], (ids(&[3]), ids(&[1, 2])));
    assert_eq!(last[&partition(1)], (ids(&[3]), ids(&[3])));
    assert_eq!(last_metadata(&world, 2).live_brokers.len(), 2);
}

/// `testMetadataPropagationOnBrokerShutdownWithNoReplicas`.
#[test]
fn everybody_hears_of_the_death_of_a_broker_without_replicas() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[1, 2]]);
    world.told.clear();
    world.kill(3);
    let live: Vec<BrokerId> = last_metadata(&world, 2).live_brokers.iter().map(|broker| broker.broker_id).collect();
    assert_eq!(live, ids(&[1, 2]));
    let all_told = world.told.iter().filter(|(_, to, _)| *to == 2).count();
    assert_eq!(all_told, 1);
}

/// `testTopicPartitionExpansionWithOfflineReplica`.
#[test]
fn an_added_partition_is_led_by_whoever_is_there() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[1, 2]]);
    world.kill(2);
    world.enlarge_topic(&[&[1, 2], &[2, 1]]);
    assert_eq!(world.state(1), (1, 0, vec![1]));
}

/// `TopicDeletionTest.testIncreasePartitionCountDuringDeleteTopic`.
#[test]
fn a_topic_that_is_to_go_gets_no_partitions() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[1, 2]]);
    world.kill(2);
    world.create("/admin/delete_topics/t", ZnodeData::Empty);
    world.enlarge_topic(&[&[1, 2], &[2, 1]]);
    let Some(ZnodeData::Topic { partitions, .. }) = world.znode("/brokers/topics/t") else { panic!("it is there") };
    assert_eq!(partitions.len(), 1);
    world.start(2);
    assert_eq!(world.znode("/brokers/topics/t"), None);
}

/// `TopicDeletionManagerTest.testBrokerFailureAfterDeletionStarted`.
#[test]
fn a_broker_that_dies_while_it_deletes_goes_on_with_it_when_it_returns() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[1, 2]]);
    world.is_deaf = Some(2);
    world.create("/admin/delete_topics/t", ZnodeData::Empty);
    assert!(world.znode("/brokers/topics/t").is_some());
    world.kill(2);
    world.is_deaf = None;
    assert!(world.znode("/brokers/topics/t").is_some());
    world.start(2);
    assert_eq!(world.znode("/brokers/topics/t"), None);
}

/// `RequestSendThread` connects anew when `request.timeout.ms` is over, and sends what got no answer again.
#[test]
fn a_request_that_gets_no_answer_in_time_is_sent_again_on_another_connection() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[1, 2]]);
    world.is_deaf = Some(2);
    world.create("/admin/delete_topics/t", ZnodeData::Empty);
    world.is_deaf = None;
    assert_eq!(world.wait_for(1, HostTimer::ControllerChannel(BrokerId(2))), 30_000);
    assert!(world.znode("/brokers/topics/t").is_some());
    assert_eq!(world.wait_for(1, HostTimer::ControllerChannel(BrokerId(2))), 100);
    assert_eq!(world.znode("/brokers/topics/t"), None);
}

/// `TopicDeletionManagerTest.testInitialization` and what else a new controller finds in `/admin/delete_topics`.
#[test]
fn a_new_controller_goes_on_with_deletions_and_unmarks_what_is_not_there() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[2, 3]]);
    world.kill(3);
    world.create("/admin/delete_topics/t", ZnodeData::Empty);
    world.kill(1);
    world.kill(2);
    world.create("/admin/delete_topics/nothing", ZnodeData::Empty);
    world.start(2);
    assert_eq!(world.znode("/admin/delete_topics/nothing"), None);
    assert!(world.znode("/brokers/topics/t").is_some());
    world.start(3);
    assert_eq!(world.znode("/brokers/topics/t"), None);
}

#[test]
fn marks_mean_nothing_where_topics_are_not_deleted() {
    let mut world = World::with(&[1], HistoricalFaults::default(), &[("delete.topic.enable", "false")]);
    world.create_topic(&[&[1]]);
    world.create("/admin/delete_topics/t", ZnodeData::Empty);
    assert_eq!(world.znode("/admin/delete_topics/t"), None);
    assert!(world.znode("/brokers/topics/t").is_some());
}

/// `testTopicIdPersistsThroughControllerReelection`, `testTopicIdPersistsThroughControllerRestart`.
#[test]
fn a_topic_keeps_its_id_under_other_controllers() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[2]]);
    world.told.clear();
    world.kill(1);
    assert_eq!(world.last_told(2, 0).topic_id, TOPIC_ID);
    world.kill(2);
    world.start(2);
    assert_eq!(world.last_told(2, 0).topic_id, TOPIC_ID);
}

/// `testShutdownBrokerNotAddedToIsr`.
#[test]
fn a_broker_on_its_way_out_does_not_join_the_in_sync_replicas() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[2, 3]]);
    assert_eq!(world.shut_down(1, 3), (ErrorCode::None, 0));
    assert_eq!(world.state(0), (2, 1, vec![2]));
    let back = propose(&mut world, Proposal::of(&[2, 3]));
    assert_eq!(back, (ErrorCode::None, Some(ErrorCode::IneligibleReplica)));
}

/// `testAlterPartitionErrors`: a sender that nobody knows.
#[test]
fn a_proposal_of_an_unknown_broker_is_stale() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[2, 1]]);
    let unknown = Proposal { leader: 99, broker_epoch: Some(world.epoch_of(2)), ..Proposal::of(&[2]) };
    assert_eq!(propose(&mut world, unknown), (ErrorCode::StaleBrokerEpoch, None));
}

/// `testAlterPartitionErrorsAfterUncleanElection`.
#[test]
fn proposals_after_an_unclean_election_may_only_recover() {
    let mut world = World::with(&[1, 2, 3], HistoricalFaults::default(), &[("unclean.leader.election.enable", "true")]);
    world.create_topic(&[&[2, 3]]);
    world.kill(2);
    world.kill(3);
    assert_eq!(world.state(0), (-1, 2, vec![3]));
    world.start(2);
    assert_eq!(world.state(0), (2, 3, vec![2]));
    assert!(world.state_data(0).is_recovering);
    world.start(3);
    let of = |recovery, isr: &[i32]| Proposal { leader_epoch: 3, partition_epoch: 3, recovery, ..Proposal::of(isr) };
    let (recovering, recovered) = (LeaderRecoveryState::Recovering, LeaderRecoveryState::Recovered);
    let table = [
        (Proposal { leader_epoch: 2, ..of(recovered, &[2]) }, ErrorCode::FencedLeaderEpoch),
        (Proposal { leader_epoch: 4, ..of(recovered, &[2]) }, ErrorCode::NotController),
        (Proposal { partition_epoch: 4, ..of(recovered, &[2]) }, ErrorCode::NotController),
        (of(recovering, &[2]), ErrorCode::None),
        (Proposal { partition_epoch: 2, ..of(recovered, &[2]) }, ErrorCode::InvalidUpdateVersion),
        (of(recovering, &[2, 3]), ErrorCode::InvalidRequest),
        (of(recovered, &[2]), ErrorCode::None),
        (Proposal { partition_epoch: 4, ..of(recovering, &[2]) }, ErrorCode::InvalidRequest),
        (Proposal { partition_epoch: 4, ..of(recovered, &[2, 3]) }, ErrorCode::None),
    ];
    for (proposal, error) in table {
        assert_eq!(propose(&mut world, proposal.clone()), (ErrorCode::None, Some(error)), "{proposal:?}");
    }
    assert!(!world.state_data(0).is_recovering);
    assert_eq!(world.state(0), (2, 3, vec![2, 3]));
}
