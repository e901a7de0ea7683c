use super::world::{World, partition};
use crate::zk_controller::{ControllerRequest, ElectionOutcome};
use wire::ErrorCode;
use wire::request::ElectionType::{self, Preferred, Unclean};
use wire::zookeeper::ZnodeData;

/// Leaders by partition, and errors with their messages.
type Outcome = (Vec<(i32, i32)>, Vec<(i32, ErrorCode, Option<String>)>);

fn elect(world: &mut World, controller: i32, partitions: &[i32], election_type: ElectionType) -> Outcome {
    elect_of(world, controller, partitions, (election_type, false))
}

fn elect_of(
    world: &mut World,
    controller: i32,
    partitions: &[i32],
    (election_type, is_for_all): (ElectionType, bool),
) -> Outcome {
    let partitions = partitions.iter().map(|index| partition(*index)).collect();
    world.submit(controller, ControllerRequest::ElectLeaders { partitions, election_type, is_for_all });
    let ElectionOutcome { leaders, failures } = world.elected.pop().expect("it is answered");
    let leaders = leaders.into_iter().map(|(partition, leader)| (partition.partition.0, leader.0)).collect();
    let failures =
        failures.into_iter().map(|result| (result.partition.partition.0, result.error, result.error_message)).collect();
    (leaders, failures)
}

fn failed(index: i32, error: ErrorCode, message: &str) -> (i32, ErrorCode, Option<String>) {
    (index, error, Some(message.to_owned()))
}

/// Broker 2 was away: partition 0 has it in sync again, partition 1 not yet, and partition 2 never needed it.
fn away_and_back() -> World {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[2, 3], &[2, 1], &[3, 1]]);
    world.kill(2);
    world.start(2);
    world.propose_isr(0, &[3, 2]);
    world
}

#[test]
fn preferred_leaders_are_elected_where_they_are_in_sync() {
    let mut world = away_and_back();
    let not_needed = failed(2, ErrorCode::ElectionNotNeeded, ErrorCode::ElectionNotNeeded.message());
    let failures = vec![
        failed(
            1,
            ErrorCode::PreferredLeaderNotAvailable,
            "Failed to elect leader for partition t-1 under strategy PreferredReplicaPartitionLeaderElectionStrategy",
        ),
        not_needed,
        failed(7, ErrorCode::UnknownTopicOrPartition, "The partition does not exist."),
    ];
    let mut sorted = elect(&mut world, 1, &[0, 1, 2, 7], Preferred);
    sorted.1.sort_by_key(|(index, ..)| *index);
    assert_eq!(sorted, (vec![(0, 2)], failures));
    assert_eq!(world.state(0), (2, 2, vec![3, 2]));
}

#[test]
fn all_partitions_means_those_that_need_an_election() {
    let mut world = away_and_back();
    let (leaders, failures) = elect_of(&mut world, 1, &[0, 1, 2], (Preferred, true));
    assert_eq!((leaders, failures.len()), (vec![(0, 2)], 1));
}

#[test]
fn an_unclean_election_by_command_needs_a_live_replica_and_no_leader() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[2, 3], &[1]]);
    world.kill(3);
    world.kill(2);
    assert_eq!(world.state(0), (-1, 2, vec![2]));
    let message =
        "Failed to elect leader for partition t-0 under strategy OfflinePartitionLeaderElectionStrategy(true)";
    let nobody = failed(0, ErrorCode::EligibleLeadersNotAvailable, message);
    let not_needed = failed(1, ErrorCode::ElectionNotNeeded, ErrorCode::ElectionNotNeeded.message());
    let mut outcome = elect(&mut world, 1, &[0, 1], Unclean);
    outcome.1.sort_by_key(|(index, ..)| *index);
    assert_eq!(outcome, (vec![], vec![nobody, not_needed]));
    world.start(3);
    assert_eq!(world.state(0), (-1, 2, vec![2]), "nothing unclean happens by itself");
    assert_eq!(elect(&mut world, 1, &[0], Unclean), (vec![(0, 3)], vec![]));
    assert_eq!(world.state(0), (3, 3, vec![3]));
    assert!(world.state_data(0).is_recovering);
}

#[test]
fn only_the_controller_elects_and_not_for_topics_that_are_to_go() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[2, 3]]);
    let elsewhere = (vec![], vec![(0, ErrorCode::NotController, None)]);
    assert_eq!(elect(&mut world, 2, &[0], Preferred), elsewhere);
    world.kill(3);
    world.create("/admin/delete_topics/t", ZnodeData::Empty);
    let deleted = failed(0, ErrorCode::InvalidTopic, "The topic is being deleted");
    assert_eq!(elect(&mut world, 1, &[0], Preferred), (vec![], vec![deleted]));
}

/// `testPreferredReplicaLeaderElection`, `testBackToBackPreferredReplicaLeaderElections`.
#[test]
fn each_way_there_and_back_takes_two_leader_epochs() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[2, 1]]);
    for round in 0..2 {
        world.kill(2);
        assert_eq!(world.state(0), (1, 2 * round + 1, vec![1]));
        world.start(2);
        world.propose_isr(0, &[1, 2]);
        let asked = vec![(wire::TopicName::new("t"), partition(0).partition)];
        world.create("/admin/preferred_replica_election", ZnodeData::PreferredReplicaElection(asked));
        assert_eq!(world.state(0), (2, 2 * round + 2, vec![1, 2]));
        assert_eq!(world.znode("/admin/preferred_replica_election"), None);
    }
}

/// `testPreferredReplicaLeaderElectionWithOfflinePreferredReplica`.
#[test]
fn a_preferred_replica_that_is_down_is_given_up() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[2, 1]]);
    world.kill(2);
    let asked = vec![(wire::TopicName::new("t"), partition(0).partition)];
    world.create("/admin/preferred_replica_election", ZnodeData::PreferredReplicaElection(asked));
    assert_eq!(world.state(0), (1, 1, vec![1]));
    assert_eq!(world.znode("/admin/preferred_replica_election"), None);
}

#[test]
fn unclean_elections_may_be_switched_on_for_a_topic_or_for_all() {
    for is_for_topic in [true, false] {
        let mut world = World::new(&[1, 2, 3]);
        world.create_topic(&[&[2, 3]]);
        world.kill(3);
        world.kill(2);
        world.start(3);
        assert_eq!(world.state(0), (-1, 2, vec![2]));
        world.allow_unclean_elections(1, is_for_topic);
        assert_eq!(world.state(0), (3, 3, vec![3]), "{is_for_topic}");
    }
}
