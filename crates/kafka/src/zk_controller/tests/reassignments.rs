use super::world::{World, ids, partition};
use crate::event::{ControllerEvent, EventKind};
use crate::zk_client::HostTimer;
use crate::zk_controller::ControllerRequest;
use std::collections::BTreeMap;
use wire::request::{AlterPartitionReassignmentsRequest, ListPartitionReassignmentsRequest, ReassignablePartition};
use wire::zookeeper::ZnodeData;
use wire::{BrokerId, ErrorCode, PartitionIndex, Request, Response};

const LEGACY: &str = "/admin/reassign_partitions";

/// Asks for a reassignment as tools did before KIP-455.
fn reassign_in_zookeeper(world: &mut World, target: &[i32]) {
    world.create(LEGACY, ZnodeData::Reassignment(BTreeMap::from([(partition(0), ids(target))])));
}

/// The error and its message of moving partition 0, or of cancelling that.
fn alter(world: &mut World, controller: i32, target: Option<&[i32]>) -> (ErrorCode, Option<String>) {
    let partitions = vec![ReassignablePartition { partition: partition(0), replicas: target.map(ids) }];
    let request = ControllerRequest::AlterPartitionReassignments(AlterPartitionReassignmentsRequest { partitions });
    match world.ask(controller, request) {
        Response::AlterPartitionReassignments(mut response) if response.error.is_none() => {
            let result = response.results.remove(0);
            (result.error, result.error_message)
        }
        Response::AlterPartitionReassignments(response) => (response.error, None),
        other => panic!("{other:?}"),
    }
}

/// Replicas, those that come and those that go, as the topic's znode has them.
fn assignment(world: &World) -> [Vec<i32>; 3] {
    let Some(ZnodeData::Topic { partitions, adding_replicas, removing_replicas, .. }) =
        world.znode("/brokers/topics/t")
    else {
        panic!("the topic is there")
    };
    [partitions, adding_replicas, removing_replicas].map(|by_partition| {
        let replicas = by_partition.get(&PartitionIndex(0)).map_or(&[][..], Vec::as_slice);
        replicas.iter().map(|broker| broker.0).collect()
    })
}

/// What brokers were told to stop, and whether to delete it.
fn stopped(world: &World) -> Vec<(i32, bool)> {
    let of = |(_, to, request): &(i32, i32, Request)| match request {
        Request::StopReplica(request) => request.partitions.iter().map(|told| (*to, told.delete)).collect(),
        _ => Vec::new(),
    };
    world.told.iter().flat_map(of).collect()
}

#[test]
fn a_partition_moves_in_three_leader_epochs() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[1]]);
    reassign_in_zookeeper(&mut world, &[2]);
    assert_eq!((world.state(0), assignment(&world)), ((1, 1, vec![1]), [vec![2, 1], vec![2], vec![1]]));
    let told = world.last_told(2, 0);
    assert_eq!((told.is_new, told.replicas, told.adding_replicas), (true, ids(&[2, 1]), ids(&[2])));
    assert_eq!(world.last_told(1, 0).removing_replicas, ids(&[1]));
    world.told.clear();
    world.propose_isr(0, &[1, 2]);
    assert_eq!((world.state(0), assignment(&world)), ((2, 3, vec![2]), [vec![2], vec![], vec![]]));
    assert_eq!(world.znode(LEGACY), None);
    assert_eq!(stopped(&world), [(1, false), (1, true)]);
    let told = world.last_told(2, 0);
    assert_eq!((told.leader, told.leader_epoch.0, told.replicas), (Some(BrokerId(2)), 3, ids(&[2])));
    let moved = |event: &&EventKind| {
        matches!(
            event,
            EventKind::Controller(
                ControllerEvent::ReassignmentStarted { .. } | ControllerEvent::ReassignmentCompleted { .. }
            )
        )
    };
    assert_eq!(world.events_of(1).iter().filter(moved).count(), 2);
}

#[test]
fn a_target_that_is_down_holds_a_reassignment_up_and_its_return_goes_on_with_it() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[1]]);
    world.kill(2);
    reassign_in_zookeeper(&mut world, &[2]);
    assert_eq!(world.state(0), (1, 1, vec![1]));
    assert!(world.znode(LEGACY).is_some());
    world.start(2);
    assert_eq!(world.state(0), (1, 2, vec![1]));
    world.propose_isr(0, &[1, 2]);
    assert_eq!((world.state(0), assignment(&world)), ((2, 4, vec![2]), [vec![2], vec![], vec![]]));
    assert_eq!(world.znode(LEGACY), None);
}

#[test]
fn a_preferred_replica_leads_while_the_same_partition_is_being_moved() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[1, 2]]);
    world.kill(3);
    reassign_in_zookeeper(&mut world, &[2, 1, 3]);
    assert_eq!(world.state(0), (1, 1, vec![1, 2]));
    world.wait_for(1, HostTimer::AutoLeaderRebalance);
    assert_eq!(world.state(0), (2, 2, vec![1, 2]));
    world.start(3);
    assert_eq!(world.state(0), (2, 3, vec![1, 2]));
    world.propose_isr(0, &[1, 2, 3]);
    assert_eq!((world.state(0), assignment(&world)), ((2, 4, vec![1, 2, 3]), [vec![2, 1, 3], vec![], vec![]]));
}

#[test]
fn a_preferred_replica_leads_while_another_partition_is_stuck() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[1], &[2, 1]]);
    world.kill(2);
    assert_eq!(world.state(1), (1, 1, vec![1]));
    world.kill(3);
    reassign_in_zookeeper(&mut world, &[3]);
    assert_eq!(world.state(0), (1, 1, vec![1]));
    world.start(2);
    world.propose_isr(1, &[1, 2]);
    world.wait_for(1, HostTimer::AutoLeaderRebalance);
    assert_eq!(world.state(1), (2, 2, vec![1, 2]));
    world.start(3);
    world.propose_isr(0, &[1, 3]);
    assert_eq!(world.state(0), (3, 4, vec![3]));
}

#[test]
fn an_api_request_is_checked_in_kafkas_words() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[1, 2]]);
    let invalid = |message: &str| (ErrorCode::InvalidReplicaAssignment, Some(message.to_owned()));
    let table: [(Option<&[i32]>, _); 5] = [
        (Some(&[]), invalid("Empty replica list specified in partition reassignment.")),
        (Some(&[1, 1]), invalid("Duplicate replica ids in partition reassignment replica list: ArrayBuffer(1, 1)")),
        (Some(&[-1, 2]), invalid("Invalid broker id in replica list: ArrayBuffer(-1, 2)")),
        (
            Some(&[1, 9]),
            invalid(
                "Replica assignment has brokers that are not alive. Replica list: ArrayBuffer(9), live broker list: \
                 Set(1, 2, 3)",
            ),
        ),
        (None, (ErrorCode::NoReassignmentInProgress, Some("No partition reassignment is in progress.".to_owned()))),
    ];
    for (target, expected) in table {
        assert_eq!(alter(&mut world, 1, target), expected, "{target:?}");
    }
    assert_eq!(alter(&mut world, 2, Some(&[3])), (ErrorCode::NotController, None));
    assert_eq!(world.state(0), (1, 0, vec![1, 2]));
}

#[test]
fn a_reassignment_is_listed_and_cancelled() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[1, 2]]);
    assert_eq!(alter(&mut world, 1, Some(&[3, 2])), (ErrorCode::None, None));
    let request = ListPartitionReassignmentsRequest { partitions: None };
    let Response::ListPartitionReassignments(listed) =
        world.ask(1, ControllerRequest::ListPartitionReassignments(request))
    else {
        panic!("it is answered in kind")
    };
    let [moving] = &listed.partitions[..] else { panic!("{listed:?}") };
    assert_eq!(
        (&moving.replicas, &moving.adding_replicas, &moving.removing_replicas),
        (&ids(&[3, 2, 1]), &ids(&[3]), &ids(&[1]))
    );
    world.told.clear();
    assert_eq!(alter(&mut world, 1, None), (ErrorCode::None, None));
    assert_eq!(assignment(&world), [vec![2, 1], vec![], vec![]]);
    assert_eq!((world.state(0).0, world.state(0).2), (1, vec![1, 2]));
    assert_eq!(stopped(&world), [(3, false), (3, true)]);
    let cancelled =
        |event: &EventKind| matches!(event, EventKind::Controller(ControllerEvent::ReassignmentCancelled { .. }));
    assert!(world.events_of(1).iter().any(cancelled));
}

#[test]
fn a_new_reassignment_takes_the_place_of_the_one_under_way() {
    let mut world = World::new(&[1, 2, 3, 4]);
    world.create_topic(&[&[1, 2]]);
    alter(&mut world, 1, Some(&[3, 2]));
    world.told.clear();
    assert_eq!(alter(&mut world, 1, Some(&[4, 2])), (ErrorCode::None, None));
    assert_eq!(assignment(&world), [vec![4, 2, 1], vec![4], vec![1]]);
    assert_eq!(stopped(&world), [(3, false), (3, true)]);
    world.propose_isr(0, &[1, 2, 4]);
    assert_eq!(assignment(&world), [vec![4, 2], vec![], vec![]]);
    assert_eq!((world.state(0).0, world.state(0).2), (4, vec![2, 4]));
}

#[test]
fn another_controller_goes_on_with_a_reassignment() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[2]]);
    alter(&mut world, 1, Some(&[3]));
    assert_eq!(world.state(0), (2, 1, vec![2]));
    world.kill(1);
    assert_eq!(world.controller_epoch(2), Some(2));
    assert_eq!(world.state(0), (2, 2, vec![2]));
    world.propose_isr(0, &[2, 3]);
    assert_eq!((world.state(0), assignment(&world)), ((3, 4, vec![3]), [vec![3], vec![], vec![]]));
}

#[test]
fn a_topic_is_not_deleted_while_its_replicas_move() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[1, 2]]);
    alter(&mut world, 1, Some(&[3, 2]));
    world.create("/admin/delete_topics/t", ZnodeData::Empty);
    assert!(world.znode("/brokers/topics/t").is_some());
    let unknown = (ErrorCode::UnknownTopicOrPartition, Some("The partition does not exist.".to_owned()));
    assert_eq!(alter(&mut world, 1, Some(&[1, 2])), unknown);
    world.propose_isr(0, &[1, 2, 3]);
    assert_eq!(world.znode("/brokers/topics/t"), None);
    assert_eq!(world.znode("/admin/delete_topics/t"), None);
}

#[test]
fn a_deposed_controller_does_not_touch_an_assignment() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[1]]);
    super::depose(&mut world);
    reassign_in_zookeeper(&mut world, &[2]);
    assert_eq!((world.state(0), assignment(&world)), ((1, 0, vec![1]), [vec![1], vec![], vec![]]));
    assert!(world.znode(LEGACY).is_some());
}

/// `ControllerContextTest.testReassignTo` and its neighbours.
#[test]
fn assignments_are_put_together_targets_first() {
    use crate::zk_controller::context::Assignment;
    let plain = |replicas: &[i32]| Assignment { replicas: ids(replicas), ..Assignment::default() };
    let full = |replicas: &[i32], adding: &[i32], removing: &[i32]| Assignment {
        replicas: ids(replicas),
        adding: ids(adding),
        removing: ids(removing),
    };
    let table = [
        (plain(&[1, 2, 3]), &[4, 5, 6][..], full(&[4, 5, 6, 1, 2, 3], &[4, 5, 6], &[1, 2, 3])),
        (full(&[4, 5, 6, 1, 2, 3], &[4, 5, 6], &[1, 2, 3]), &[3, 2, 1], plain(&[3, 2, 1])),
        (full(&[4, 5, 6, 1, 2, 3], &[4, 5, 6], &[1, 2, 3]), &[1, 2, 3], plain(&[1, 2, 3])),
        (plain(&[1, 2, 3, 4]), &[3, 2, 5, 1], full(&[3, 2, 5, 1, 4], &[5], &[4])),
        (plain(&[1, 2, 3]), &[2, 3, 1], plain(&[2, 3, 1])),
    ];
    for (before, target, after) in table {
        assert_eq!(before.reassigned_to(&ids(target)), after, "{target:?}");
    }
    let moving = full(&[4, 5, 6, 1, 2, 3], &[4, 5, 6], &[1, 2, 3]);
    assert_eq!((moving.origin(), moving.target()), (ids(&[1, 2, 3]), ids(&[4, 5, 6])));
}
