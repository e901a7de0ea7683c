mod elections;
mod office;
mod reassignments;
mod world;

use crate::event::{ControllerEvent, EventKind, ZooKeeperEvent};
use crate::spec::HistoricalFaults;
use crate::zk_client::HostTimer;
use crate::zk_controller::ControllerRequest;
use wire::request::{AlterPartitionData, AlterPartitionRequest, MetadataLeader};
use wire::zookeeper::{Operation, ZnodeData, ZnodePath};
use wire::{
    BrokerEpoch, BrokerId, ErrorCode, LeaderEpoch, LeaderRecoveryState, PartitionEpoch, Request, Response, TopicId,
    TopicName,
};
use world::{TOPIC_ID, World, ids, partition};

#[test]
fn the_first_broker_becomes_the_controller_in_epoch_1() {
    let world = World::new(&[1, 2, 3]);
    assert_eq!([1, 2, 3].map(|id| world.controller_epoch(id)), [Some(1), None, None]);
    assert_eq!(world.znode("/controller_epoch"), Some(ZnodeData::ControllerEpoch(1)));
}

#[test]
fn when_the_controller_is_gone_the_next_one_has_a_higher_epoch() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[1, 2, 3]]);
    world.kill(1);
    assert_eq!([2, 3].map(|id| world.controller_epoch(id)), [Some(2), None]);
    assert_eq!(world.state(0), (2, 2, vec![2, 3]));
}

#[test]
fn a_new_topic_is_led_by_its_first_live_replicas_in_epoch_0() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[2, 3], &[4, 1, 3]]);
    assert_eq!((world.state(0), world.state(1)), ((2, 0, vec![2, 3]), (1, 0, vec![1, 3])));
    let told = world.last_told(3, 1);
    assert_eq!(
        (told.leader, told.is_new, told.replicas, told.topic_id),
        (Some(BrokerId(1)), true, ids(&[4, 1, 3]), TOPIC_ID)
    );
}

#[test]
fn a_partition_whose_replicas_are_all_down_waits_for_the_first_of_them() {
    let mut world = World::new(&[1]);
    world.create_topic(&[&[2]]);
    assert_eq!(world.znode("/brokers/topics/t/partitions/0/state"), None);
    world.start(2);
    assert_eq!(world.state(0), (2, 0, vec![2]));
}

#[test]
fn added_partitions_get_leaders() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[1, 2]]);
    world.enlarge_topic(&[&[1, 2], &[2, 1]]);
    assert_eq!((world.state(0), world.state(1)), ((1, 0, vec![1, 2]), (2, 0, vec![2, 1])));
}

#[test]
fn a_dead_leader_is_replaced_and_leaves_the_in_sync_replicas() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[2, 3, 1], &[3, 2, 1]]);
    world.kill(2);
    assert_eq!((world.state(0), world.state(1)), ((3, 1, vec![3, 1]), (3, 1, vec![3, 1])));
    world.start(2);
    assert_eq!(world.state(0), (3, 1, vec![3, 1]));
    assert_eq!(world.last_told(2, 0).leader, Some(BrokerId(3)));
}

#[test]
fn the_last_in_sync_replica_stays_and_leads_again_when_it_returns() {
    for unclean in ["false", "true"] {
        let properties = [("unclean.leader.election.enable", unclean)];
        let mut world = World::with(&[1, 2], HistoricalFaults::default(), &properties);
        world.create_topic(&[&[2]]);
        world.kill(2);
        assert_eq!(world.state(0), (-1, 1, vec![2]));
        world.start(2);
        assert_eq!(world.state(0), (2, 2, vec![2]));
    }
}

#[test]
fn an_unclean_election_takes_a_live_replica_and_says_that_it_recovers() {
    let mut world = World::new(&[1, 2, 3]);
    world.create(
        "/config/topics/t",
        ZnodeData::Config([("unclean.leader.election.enable".into(), "true".into())].into()),
    );
    world.create_topic(&[&[2, 3]]);
    world.kill(3);
    world.kill(2);
    assert_eq!(world.state(0), (-1, 2, vec![2]));
    world.start(3);
    assert_eq!(world.state(0), (3, 3, vec![3]));
    assert!(world.state_data(0).is_recovering);
    let is_unclean = |event: &EventKind| {
        matches!(event, EventKind::Controller(ControllerEvent::LeaderElected { is_unclean: true, .. }))
    };
    assert!(world.events_of(1).iter().any(is_unclean));
}

#[test]
fn a_preferred_leader_returns_when_it_is_asked_for() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[2, 3]]);
    world.kill(2);
    world.start(2);
    let elect = || ZnodeData::PreferredReplicaElection(vec![(TopicName::new("t"), partition(0).partition)]);
    world.create("/admin/preferred_replica_election", elect());
    assert_eq!(world.state(0), (3, 1, vec![3]));
    assert_eq!(world.znode("/admin/preferred_replica_election"), None);
    join_isr(&mut world, 3, &[3, 2]);
    world.create("/admin/preferred_replica_election", elect());
    assert_eq!(world.state(0), (2, 2, vec![3, 2]));
}

#[test]
fn leaders_return_to_preferred_replicas_every_five_minutes() {
    let mut world = World::new(&[1, 2, 3]);
    assert_eq!(world.wait_for(1, HostTimer::AutoLeaderRebalance), 5_000);
    world.create_topic(&[&[2, 3]]);
    world.kill(2);
    world.start(2);
    join_isr(&mut world, 3, &[3, 2]);
    assert_eq!(world.state(0), (3, 1, vec![3, 2]));
    assert_eq!(world.wait_for(1, HostTimer::AutoLeaderRebalance), 300_000);
    assert_eq!(world.state(0), (2, 2, vec![3, 2]));
}

#[test]
fn a_controlled_shutdown_moves_leaderships_as_long_as_somebody_is_left() {
    let mut world = World::new(&[0, 1, 2]);
    world.create_topic(&[&[0, 1, 2]]);
    assert_eq!(world.shut_down(0, 2), (ErrorCode::None, 0));
    assert_eq!(world.state(0), (0, 1, vec![0, 1]));
    assert_eq!(world.shut_down(0, 1), (ErrorCode::None, 0));
    assert_eq!(world.state(0), (0, 2, vec![0]));
    assert_eq!(world.shut_down(0, 0), (ErrorCode::None, 1));
    assert_eq!(world.state(0), (0, 2, vec![0]));
}

#[test]
fn a_leader_that_shuts_down_is_followed_by_the_next_in_sync_replica() {
    let mut world = World::new(&[0, 1, 2]);
    world.create_topic(&[&[1, 2, 0]]);
    assert_eq!(world.shut_down(0, 1), (ErrorCode::None, 0));
    assert_eq!(world.state(0), (2, 1, vec![2, 0]));
}

#[test]
fn a_controlled_shutdown_is_refused_by_others_and_to_earlier_incarnations() {
    let mut world = World::new(&[1, 2]);
    let stale = wire::request::ControlledShutdownRequest { broker_id: BrokerId(2), broker_epoch: BrokerEpoch(0) };
    let Response::ControlledShutdown(response) = world.ask(1, ControllerRequest::ControlledShutdown(stale)) else {
        panic!("it is answered in kind");
    };
    assert_eq!(response.error, ErrorCode::StaleBrokerEpoch);
    assert_eq!(world.shut_down(2, 2).0, ErrorCode::StaleControllerEpoch);
}

#[test]
fn a_bounced_broker_is_a_failure_and_a_start() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[2, 3]]);
    world.bounce(2);
    assert_eq!(world.state(0), (3, 1, vec![3]));
    let mut blind = World::with(
        &[1, 2, 3],
        HistoricalFaults { unnoticed_broker_bounces: true, ..HistoricalFaults::default() },
        &[],
    );
    blind.create_topic(&[&[2, 3]]);
    blind.bounce(2);
    assert_eq!(blind.state(0), (2, 0, vec![2, 3]));
}

#[test]
fn a_deleted_topic_leaves_nothing_behind() {
    let mut world = World::new(&[1, 2]);
    world.create("/config/topics/t", ZnodeData::Config(Default::default()));
    world.create_topic(&[&[1, 2], &[2, 1]]);
    world.told.clear();
    world.create("/admin/delete_topics/t", ZnodeData::Empty);
    for path in ["/brokers/topics/t", "/config/topics/t", "/admin/delete_topics/t"] {
        assert_eq!(world.znode(path), None, "{path}");
    }
    let is_forgotten = |request: &Request| match request {
        Request::UpdateMetadata(request) => {
            !request.partitions.is_empty()
                && request.partitions.iter().all(|told| told.leader == MetadataLeader::DuringDelete)
        }
        _ => false,
    };
    assert!(world.told.iter().any(|(_, to, request)| *to == 2 && is_forgotten(request)));
    let deletes = |request: &Request| match request {
        Request::StopReplica(request) => {
            request.partitions.iter().all(|told| told.delete && told.leader_epoch.is_none())
        }
        _ => false,
    };
    assert!(world.told.iter().any(|(_, to, request)| *to == 2 && deletes(request)));
}

#[test]
fn a_topic_with_a_replica_on_a_dead_broker_is_deleted_when_that_returns() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[1, 2]]);
    world.kill(2);
    world.create("/admin/delete_topics/t", ZnodeData::Empty);
    assert!(world.znode("/brokers/topics/t").is_some());
    world.start(2);
    assert_eq!(world.znode("/brokers/topics/t"), None);
    assert_eq!(world.znode("/admin/delete_topics/t"), None);
}

#[test]
fn a_marked_topic_that_does_not_exist_is_unmarked() {
    let mut world = World::new(&[1]);
    world.create("/admin/delete_topics/x", ZnodeData::Empty);
    assert_eq!(world.znode("/admin/delete_topics/x"), None);
}

#[test]
fn proposals_of_leaders_are_checked_for_what_kafka_checks() {
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[2, 3, 1]]);
    world.kill(3);
    assert_eq!(world.state(0), (2, 1, vec![2, 1]));
    let stale = propose(&mut world, Proposal { broker_epoch: Some(BrokerEpoch(0)), ..Proposal::of(&[2]) });
    assert_eq!(stale, (ErrorCode::StaleBrokerEpoch, None));
    let elsewhere = propose(&mut world, Proposal { controller: 2, ..Proposal::of(&[2]) });
    assert_eq!(elsewhere, (ErrorCode::NotController, None));
    let table = [
        (Proposal { topic_id: TopicId(8), ..Proposal::of(&[2]) }, ErrorCode::UnknownTopicId),
        (Proposal { partition: 5, ..Proposal::of(&[2]) }, ErrorCode::UnknownTopicOrPartition),
        (Proposal { leader_epoch: 2, ..Proposal::of(&[2]) }, ErrorCode::NotController),
        (Proposal { partition_epoch: 9, ..Proposal::of(&[2]) }, ErrorCode::NotController),
        (Proposal { leader_epoch: 0, ..Proposal::of(&[2]) }, ErrorCode::FencedLeaderEpoch),
        (Proposal { partition_epoch: 0, ..Proposal::of(&[2, 1]) }, ErrorCode::None),
        (Proposal { partition_epoch: 0, ..Proposal::of(&[2]) }, ErrorCode::InvalidUpdateVersion),
        (Proposal { recovery: LeaderRecoveryState::Recovering, ..Proposal::of(&[2]) }, ErrorCode::InvalidRequest),
        (Proposal::of(&[2, 1, 3]), ErrorCode::IneligibleReplica),
        (Proposal::of(&[2]), ErrorCode::None),
    ];
    for (proposal, error) in table {
        assert_eq!(propose(&mut world, proposal.clone()), (ErrorCode::None, Some(error)), "{proposal:?}");
    }
    assert_eq!(world.state(0), (2, 1, vec![2]));
}

#[test]
fn of_two_faults_of_a_proposal_the_one_is_told_that_kafka_checks_first() {
    type Fault = fn(&mut Proposal);
    let for_all: [(Fault, ErrorCode); 2] = [
        (|proposal| proposal.controller = 2, ErrorCode::NotController),
        (|proposal| proposal.broker_epoch = Some(BrokerEpoch(0)), ErrorCode::StaleBrokerEpoch),
    ];
    let for_one: [(Fault, ErrorCode); 8] = [
        (|proposal| proposal.topic_id = TopicId(8), ErrorCode::UnknownTopicId),
        (|proposal| proposal.partition = 5, ErrorCode::UnknownTopicOrPartition),
        (|proposal| proposal.leader_epoch = 2, ErrorCode::NotController),
        (|proposal| proposal.partition_epoch = 9, ErrorCode::NotController),
        (|proposal| proposal.leader_epoch = 0, ErrorCode::FencedLeaderEpoch),
        (|proposal| proposal.partition_epoch = 0, ErrorCode::InvalidUpdateVersion),
        (|proposal| proposal.recovery = LeaderRecoveryState::Recovering, ErrorCode::InvalidRequest),
        (|proposal| proposal.isr = vec![2, 1, 3], ErrorCode::IneligibleReplica),
    ];
    let for_all = for_all.map(|(fault, error)| (fault, (error, None)));
    let for_one = for_one.map(|(fault, error)| (fault, (ErrorCode::None, Some(error))));
    let in_order: Vec<_> = for_all.into_iter().chain(for_one).collect();
    let mut world = World::new(&[1, 2, 3]);
    world.create_topic(&[&[2, 3, 1]]);
    world.kill(3);
    for (place, (first, answer)) in in_order.iter().enumerate() {
        for (second, _) in &in_order[place + 1..] {
            let mut proposal = Proposal::of(&[2]);
            second(&mut proposal);
            first(&mut proposal);
            assert_eq!(propose(&mut world, proposal.clone()), *answer, "{proposal:?}");
        }
    }
    assert_eq!(world.state(0), (2, 1, vec![2, 1]));
}

#[test]
fn a_deposed_controller_learns_of_it_when_it_writes() {
    let mut world = World::new(&[1, 2]);
    depose(&mut world);
    world.create_topic(&[&[1, 2]]);
    assert_eq!(world.znode("/brokers/topics/t/partitions/0/state"), None);
    let resigned = EventKind::ZooKeeper(ZooKeeperEvent::ControllerResigned { controller_epoch: 1 });
    assert_eq!(world.controller_epoch(1), Some(1), "it still holds /controller");
    assert!(!world.events_of(1).contains(&resigned));
}

#[test]
fn nothing_fences_a_deposed_controller_where_that_fault_is_on() {
    let faults = HistoricalFaults { unfenced_zookeeper_controllers: true, ..HistoricalFaults::default() };
    let mut world = World::with(&[1, 2], faults, &[]);
    depose(&mut world);
    world.create_topic(&[&[1, 2]]);
    assert_eq!(world.state(0), (1, 0, vec![1, 2]));
}

#[test]
fn an_expired_controller_resigns_and_another_takes_over() {
    let mut world = World::new(&[1, 2]);
    world.create_topic(&[&[2]]);
    world.expire(1);
    assert_eq!([1, 2].map(|id| world.controller_epoch(id)), [None, Some(2)]);
    assert_eq!(world.sessions_to_begin, 1);
    let resigned = EventKind::ZooKeeper(ZooKeeperEvent::ControllerResigned { controller_epoch: 1 });
    assert!(world.events_of(1).contains(&resigned));
    world.pass(1);
    assert_eq!(world.shut_down(1, 1).0, ErrorCode::StaleControllerEpoch);
}

/// Raises the epoch as another controller would.
fn depose(world: &mut World) {
    let path = ZnodePath::new("/controller_epoch");
    world.admin(Operation::SetData { path, data: ZnodeData::ControllerEpoch(2), version: None });
}

/// The leader proposes members that have caught up.
fn join_isr(world: &mut World, leader: i32, isr: &[i32]) {
    let proposal = Proposal { leader, ..Proposal::of(isr) };
    assert_eq!(propose(world, proposal), (ErrorCode::None, Some(ErrorCode::None)));
}

#[derive(Clone, Debug)]
struct Proposal {
    controller: i32,
    leader: i32,
    broker_epoch: Option<BrokerEpoch>,
    topic_id: TopicId,
    partition: i32,
    leader_epoch: i32,
    partition_epoch: i32,
    recovery: LeaderRecoveryState,
    isr: Vec<i32>,
}

impl Proposal {
    /// Of broker 2, which leads in epoch 1, to controller 1. One change has made the partition's epoch 1.
    fn of(isr: &[i32]) -> Proposal {
        Proposal {
            controller: 1,
            leader: 2,
            broker_epoch: None,
            topic_id: TOPIC_ID,
            partition: 0,
            leader_epoch: 1,
            partition_epoch: 1,
            recovery: LeaderRecoveryState::Recovered,
            isr: isr.to_vec(),
        }
    }
}

fn propose(world: &mut World, proposal: Proposal) -> (ErrorCode, Option<ErrorCode>) {
    let data = AlterPartitionData {
        topic_id: proposal.topic_id,
        partition: partition(proposal.partition),
        leader_epoch: LeaderEpoch(proposal.leader_epoch),
        partition_epoch: PartitionEpoch(proposal.partition_epoch),
        leader_recovery_state: proposal.recovery,
        new_isr: ids(&proposal.isr).into_iter().map(|broker| (broker, BrokerEpoch::NONE)).collect(),
    };
    let request = AlterPartitionRequest {
        broker_id: BrokerId(proposal.leader),
        broker_epoch: proposal.broker_epoch.unwrap_or_else(|| world.epoch_of(proposal.leader)),
        partitions: vec![data],
    };
    match world.ask(proposal.controller, ControllerRequest::AlterPartition(request)) {
        Response::AlterPartition(response) => (response.error, response.partitions.first().map(|result| result.error)),
        other => panic!("{other:?}"),
    }
}
