//! The controller as a whole: what it does with inputs, effect by effect.

mod world;

use super::*;
use crate::event::{ChangeReason, ControllerEvent};
use crate::metadata::{METADATA_TOPIC_ID, metadata_partition};
use crate::node::{Listener, NodeId};
use wire::request::{
    AlterPartitionData, AlterPartitionRequest, BrokerHeartbeatRequest, CreatableTopic, CreatePartitionsRequest,
    CreatePartitionsTopic, CreateTopicsRequest, MetadataRequest,
};
use wire::{
    BrokerEpoch, ErrorCode, LeaderRecoveryState, MetadataRecord, PartitionEpoch, PartitionIndex, Request, Response,
    TopicName, TopicPartition,
};
use world::{World, connection, controller, fetch, fetched, fetches_of, words};

#[test]
fn a_new_controller_leads_at_once_and_writes_the_first_records() {
    let mut world = World::started(&[]);
    let mut first = controller(&[3000], &[], 0);
    let mut effects = Effects::new();
    first.step(Instant::ZERO, Input::Started { disk: Disk::default() }, &mut effects);
    assert_eq!(
        words(effects.as_slice()),
        [
            "create log 1",
            "listen",
            "quorum epoch 1",
            "1 epochs",
            "append 0 1 LeaderChange(3000)",
            "note BecameActive",
            "append 1 1 BeginTransaction+FeatureLevel+ZkMigrationStateNone+EndTransaction",
            "connect localhost:9000",
            "timer Registration 5.000000",
            "timer NoOp 0.500000",
        ]
    );
    assert_eq!(world.disk.logs[&metadata_partition()].topic_id, METADATA_TOPIC_ID);
    let view = world.controller.view();
    assert!(view.is_active);
    assert_eq!((view.epoch, view.log_end_offset, view.high_watermark), (LeaderEpoch(1), Offset(5), Offset(5)));
    assert_eq!(world.take_notes(), [ControllerEvent::BecameActive { epoch: LeaderEpoch(1) }]);
}

/// Its registration arrives and is answered.
fn register(world: &mut World) {
    let connection = *world.opened.last().expect("it connects to the active controller, itself");
    world.step(Input::Connected { connection });
    let (_, correlation_id, request) = world.requests.pop().expect("it registers");
    world.responses.clear();
    let message = Message::Request { correlation_id, request };
    world.step(Input::Received { connection, listener: Listener::Controller, message });
    let (to, response) = world.responses.pop().expect("the registration is answered");
    assert_eq!(to, connection);
    let message = Message::Response { correlation_id, response };
    world.step(Input::Received { connection, listener: Listener::Controller, message });
}

#[test]
fn a_controller_registers_once_the_features_are_known_and_again_in_each_of_its_runs() {
    let mut world = World::started(&[]);
    register(&mut world);
    let registered = |world: &World| world.controller.view().image.controllers()[&3000].incarnation_id;
    let first = registered(&world);
    assert_eq!((world.log_end_offset(), world.opened.len()), (Offset(6), 1));
    world.run_for(20_000);
    assert_eq!((world.opened.len(), world.requests.len()), (1, 0), "once is enough");
    world.restart();
    assert_eq!(registered(&world), first, "the log still shows the run before");
    register(&mut world);
    assert_ne!(registered(&world), first);
}

#[test]
fn a_registration_that_fails_is_tried_again() {
    let mut world = World::started(&[]);
    let connection = world.opened[0];
    world.step(Input::Disconnected { connection });
    world.run_for(100);
    assert_eq!(world.opened.len(), 2, "a lost connection is made again");
    world.run_for(20_000);
    assert!((4..9).contains(&world.opened.len()), "later less and less often: {}", world.opened.len());
    register(&mut world);
    assert_eq!(world.controller.view().image.controllers().len(), 1);
}

#[test]
fn a_no_op_is_written_at_every_idle_interval() {
    let mut world = World::started(&[]);
    world.run_for(1_600);
    assert_eq!(world.log_end_offset(), Offset(8));
    let mut silent = World::started(&[("metadata.max.idle.interval.ms", "0")]);
    silent.run_for(1_600);
    assert_eq!(silent.log_end_offset(), Offset(5));
}

#[test]
fn a_broker_registers_with_the_offset_as_its_epoch_and_is_unfenced_once_it_has_caught_up() {
    let mut world = World::started(&[]);
    assert_eq!(world.register(1, 7).broker_epoch, BrokerEpoch(5));
    let behind = world.heartbeat(1, |request| request.current_metadata_offset = Offset(4));
    assert_eq!((behind.is_caught_up, behind.is_fenced), (false, true));
    let not_ready = world.heartbeat(1, |request| request.want_fence = true);
    assert_eq!((not_ready.is_caught_up, not_ready.is_fenced), (true, true));
    let ready = world.heartbeat(1, |_| {});
    assert_eq!((ready.is_caught_up, ready.is_fenced, ready.error), (true, false, ErrorCode::None));
    assert_eq!(
        world.take_notes()[1..],
        [
            ControllerEvent::BrokerRegistered { broker: BrokerId(1), broker_epoch: BrokerEpoch(5) },
            ControllerEvent::BrokerUnfenced { broker: BrokerId(1) },
        ]
    );
    assert_eq!(world.register(1, 8).error, ErrorCode::DuplicateBrokerRegistration);
    assert_eq!(world.heartbeat(1, |request| request.broker_epoch = BrokerEpoch(1)).error, ErrorCode::StaleBrokerEpoch);
}

#[test]
fn a_topic_is_written_told_and_answered_in_this_order() {
    let mut world = World::started(&[]).with_brokers(1..3);
    let topic = CreatableTopic {
        name: TopicName::new("foo"),
        num_partitions: Some(2),
        replication_factor: Some(2),
        assignments: Vec::new(),
        configs: vec![("retention.ms".to_owned(), "1000".to_owned())],
    };
    let request = Request::CreateTopics(CreateTopicsRequest { topics: vec![topic], validate_only: false });
    assert_eq!(
        words(&world.send(connection(1), request)),
        [
            "note TopicCreated",
            "note LeaderElected",
            "note LeaderElected",
            "append 9 1 Topic+Config+Partition+Partition",
            "respond 1",
        ]
    );
    assert_eq!(world.partition("foo", 1).isr.len(), 2);
}

#[test]
fn added_partitions_are_told_with_how_many_there_are_then() {
    let mut world = World::started(&[]).with_brokers(1..3);
    world.create_topic("foo", &[&[1, 2]]);
    world.take_notes();
    let (name, count, assignments) = (TopicName::new("foo"), 3, None);
    let topics = vec![CreatePartitionsTopic { name: name.clone(), count, assignments }];
    world.ask(1, Request::CreatePartitions(CreatePartitionsRequest { topics }));
    let notes = world.take_notes();
    assert_eq!(notes[0], ControllerEvent::PartitionsAdded { topic: name, partitions: 3 });
    assert_eq!(notes.len(), 3);
}

#[test]
fn brokers_that_fall_silent_are_fenced_one_after_another() {
    let mut world = World::started(&[("broker.session.timeout.ms", "1000")]).with_brokers(0..5);
    world.create_topic("foo", &[&[0, 1, 2], &[1, 2, 3], &[1, 4, 0]]);
    world.take_notes();
    for _ in 0..3 {
        world.run_for(500);
        world.heartbeat(1, |_| {});
    }
    let fenced: Vec<i32> = world
        .take_notes()
        .iter()
        .filter_map(|note| if let ControllerEvent::BrokerFenced { broker } = note { Some(broker.0) } else { None })
        .collect();
    assert_eq!(fenced, [0, 2, 3, 4]);
    for index in 0..3 {
        let partition = world.partition("foo", index);
        assert_eq!((partition.leader, partition.isr.as_slice()), (Some(BrokerId(1)), &[BrokerId(1)][..]));
    }
}

#[test]
fn a_session_lasts_through_the_last_instant_of_its_timeout() {
    let mut world = World::started(&[]).with_brokers(1..2);
    world.run_until(Instant(9_000_000));
    assert_eq!(world.take_notes(), []);
    world.run_until(Instant(9_000_001));
    assert_eq!(world.take_notes(), [ControllerEvent::BrokerFenced { broker: BrokerId(1) }]);
}

#[test]
fn the_events_of_a_lost_leader_say_what_became_of_its_partitions() {
    let mut world = World::started(&[]).with_brokers(1..3);
    world.create_topic("foo", &[&[1, 2]]);
    world.create_topic("solo", &[&[1]]);
    world.take_notes();
    world.run_for(5_000);
    world.heartbeat(2, |_| {});
    world.run_for(5_000);
    let (foo, solo) = (
        TopicPartition::new(TopicName::new("foo"), PartitionIndex(0)),
        TopicPartition::new(TopicName::new("solo"), PartitionIndex(0)),
    );
    let reason = ChangeReason::BrokerFenced;
    assert_eq!(
        world.take_notes(),
        [
            ControllerEvent::LeaderElected {
                partition: foo.clone(),
                leader: BrokerId(2),
                previous_leader: Some(BrokerId(1)),
                leader_epoch: LeaderEpoch(1),
                isr: vec![BrokerId(2)],
                is_unclean: false,
                reason: Some(reason),
            },
            ControllerEvent::IsrChanged {
                partition: foo,
                from: vec![BrokerId(1), BrokerId(2)],
                to: vec![BrokerId(2)],
                partition_epoch: PartitionEpoch(1),
                reason,
            },
            ControllerEvent::PartitionWentOffline {
                partition: solo,
                leader_epoch: LeaderEpoch(1),
                isr: vec![BrokerId(1)],
                reason,
            },
            ControllerEvent::BrokerFenced { broker: BrokerId(1) },
        ]
    );
}

#[test]
fn a_broker_shuts_down_when_the_others_know_its_new_leaders() {
    let mut world = World::started(&[]).with_brokers(1..3);
    world.create_topic("foo", &[&[1, 2]]);
    world.heartbeat(2, |_| {});
    world.take_notes();
    let shut_down = |request: &mut BrokerHeartbeatRequest| request.want_shut_down = true;
    let first = world.heartbeat(1, shut_down);
    assert_eq!((first.is_fenced, first.should_shut_down), (false, false));
    assert_eq!(world.partition("foo", 0).leader, Some(BrokerId(2)));
    assert!(matches!(
        world.take_notes().as_slice(),
        [
            ControllerEvent::ControlledShutdownStarted { broker: BrokerId(1) },
            ControllerEvent::LeaderElected { reason: Some(ChangeReason::ControlledShutdown), .. },
            ControllerEvent::IsrChanged { .. },
        ]
    ));
    assert!(!world.heartbeat(1, shut_down).should_shut_down, "broker 2 has not applied the change yet");
    world.heartbeat(2, |_| {});
    let last = world.heartbeat(1, shut_down);
    assert_eq!((last.is_fenced, last.should_shut_down), (true, true));
    assert_eq!(world.take_notes(), [ControllerEvent::BrokerFenced { broker: BrokerId(1) }]);
    assert_eq!(world.register(1, 99).error, ErrorCode::None, "a fenced broker may come back at once");
}

#[test]
fn a_late_heartbeat_makes_a_broker_that_has_shut_down_a_leader_that_may_not_alter_its_in_sync_replicas() {
    let mut world = World::started(&[]).with_brokers(1..2);
    world.create_topic("foo", &[&[1]]);
    let shut_down = |request: &mut BrokerHeartbeatRequest| request.want_shut_down = true;
    world.heartbeat(1, shut_down);
    let last = world.heartbeat(1, shut_down);
    assert_eq!((last.is_fenced, world.partition("foo", 0).leader), (true, None));
    let late = world.heartbeat(1, |_| {});
    assert_eq!((late.is_fenced, world.partition("foo", 0).leader), (false, Some(BrokerId(1))));
    let image = world.controller.view().image.clone();
    assert!(image.brokers()[&BrokerId(1)].in_controlled_shutdown);
    let partition = world.partition("foo", 0);
    let data = AlterPartitionData {
        topic_id: image.topics()[&TopicName::new("foo")].topic_id,
        partition: TopicPartition::new(TopicName::new("foo"), PartitionIndex(0)),
        leader_epoch: partition.leader_epoch,
        partition_epoch: partition.partition_epoch,
        new_isr: vec![(BrokerId(1), world.epoch_of(1))],
        leader_recovery_state: LeaderRecoveryState::Recovered,
    };
    let request =
        AlterPartitionRequest { broker_id: BrokerId(1), broker_epoch: world.epoch_of(1), partitions: vec![data] };
    let Response::AlterPartition(answer) = world.ask(1, Request::AlterPartition(request)) else {
        panic!("another answer")
    };
    assert_eq!(answer.partitions[0].error, ErrorCode::IneligibleReplica);
}

#[test]
fn a_leader_changes_its_in_sync_replicas() {
    let mut world = World::started(&[]).with_brokers(1..3);
    world.create_topic("foo", &[&[1, 2]]);
    world.take_notes();
    let topic = TopicName::new("foo");
    let data = AlterPartitionData {
        topic_id: world.controller.view().image.topics()[&topic].topic_id,
        partition: TopicPartition::new(topic, PartitionIndex(0)),
        leader_epoch: LeaderEpoch(0),
        partition_epoch: PartitionEpoch(0),
        new_isr: vec![(BrokerId(1), world.epoch_of(1))],
        leader_recovery_state: LeaderRecoveryState::Recovered,
    };
    let request =
        AlterPartitionRequest { broker_id: BrokerId(1), broker_epoch: world.epoch_of(1), partitions: vec![data] };
    let effects = world.send(connection(1), Request::AlterPartition(request.clone()));
    assert_eq!(words(&effects), ["note IsrChanged", "append 11 1 PartitionChange", "respond 1"]);
    assert_eq!(world.partition("foo", 0).isr, [BrokerId(1)]);
    let again = world.send(connection(1), Request::AlterPartition(request));
    assert_eq!(words(&again), ["note AlterPartitionRejected", "respond 1"]);
}

#[test]
fn a_fetch_waits_for_records_or_for_its_time() {
    let mut world = World::started(&[("metadata.max.idle.interval.ms", "0")]);
    world.send(fetches_of(1), fetch(Offset::ZERO, 0));
    let (_, response) = world.responses.pop().expect("there is something to fetch");
    assert_eq!((fetched(&response).batches.len(), fetched(&response).high_watermark), (2, Offset(5)));

    let parked = world.send(fetches_of(1), fetch(Offset(5), 1));
    assert_eq!(words(&parked), ["timer Quorum 0.500000"]);
    world.run_for(499);
    assert!(world.responses.is_empty());
    world.run_for(1);
    let (_, response) = world.responses.pop().expect("the fetch has waited long enough");
    assert_eq!((fetched(&response).batches.len(), fetched(&response).error), (0, ErrorCode::None));

    world.send(fetches_of(1), fetch(Offset(5), 1));
    world.register(2, 7);
    let (to, response) = world.responses.pop().expect("the registration wakes the fetch");
    assert_eq!((to, fetched(&response).batches.len()), (fetches_of(1), 1));
    assert_eq!(fetched(&response).high_watermark, Offset(6));
    assert!(!world.timers.keys().any(|(kind, _)| *kind == TimerKind::Quorum.timer(0).kind));
}

#[test]
fn a_fetch_of_a_lost_connection_is_forgotten() {
    let mut world = World::started(&[("metadata.max.idle.interval.ms", "0")]);
    world.send(fetches_of(1), fetch(Offset(5), 1));
    let effects = world.step(Input::Disconnected { connection: fetches_of(1) });
    assert_eq!(words(&effects), ["cancel Quorum"]);
    world.register(2, 7);
    assert!(world.responses.is_empty());
}

#[test]
fn a_restarted_controller_knows_everything_and_gives_brokers_a_whole_session() {
    let mut world = World::started(&[]).with_brokers(1..3);
    world.create_topic("foo", &[&[1, 2]]);
    world.run_for(5_000);
    let before = world.controller.view().image;
    world.restart();
    let view = world.controller.view();
    assert_eq!((view.epoch, view.is_active), (LeaderEpoch(2), true));
    assert_eq!(view.image.brokers(), before.brokers());
    assert_eq!(view.image.topics(), before.topics());
    world.take_notes();
    world.run_for(9_000);
    assert_eq!(world.take_notes(), []);
    world.run_for(1);
    assert_eq!(world.take_notes().len(), 5, "both brokers are fenced, and foo-0 moves and goes offline");
}

#[test]
fn a_restarted_controller_still_knows_where_registrations_stand() {
    let mut world = World::started(&[]);
    world.register(1, 7);
    world.restart();
    assert!(world.heartbeat(1, |request| request.current_metadata_offset = Offset(4)).is_fenced);
    assert!(!world.heartbeat(1, |request| request.current_metadata_offset = Offset(5)).is_fenced);
}

#[test]
fn leaderships_go_back_to_preferred_replicas_after_five_minutes() {
    let mut world = World::started(&[("broker.session.timeout.ms", "1000000")]).with_brokers(1..3);
    world.create_topic("foo", &[&[1, 2]]);
    world.heartbeat(1, |request| request.want_fence = true);
    world.heartbeat(1, |_| {});
    let topic = TopicName::new("foo");
    let data = AlterPartitionData {
        topic_id: world.controller.view().image.topics()[&topic].topic_id,
        partition: TopicPartition::new(topic, PartitionIndex(0)),
        leader_epoch: LeaderEpoch(1),
        partition_epoch: PartitionEpoch(1),
        new_isr: vec![(BrokerId(2), world.epoch_of(2)), (BrokerId(1), world.epoch_of(1))],
        leader_recovery_state: LeaderRecoveryState::Recovered,
    };
    let request =
        AlterPartitionRequest { broker_id: BrokerId(2), broker_epoch: world.epoch_of(2), partitions: vec![data] };
    world.ask(2, Request::AlterPartition(request));
    world.run_for(299_999);
    assert_eq!(world.partition("foo", 0).leader, Some(BrokerId(2)));
    world.take_notes();
    world.run_for(1);
    assert_eq!(world.partition("foo", 0).leader, Some(BrokerId(1)));
    assert!(matches!(
        world.take_notes().as_slice(),
        [ControllerEvent::LeaderElected { reason: Some(ChangeReason::LeaderRebalance), is_unclean: false, .. }]
    ));
}

#[test]
fn an_unclean_election_is_told_as_one() {
    let properties = [("unclean.leader.election.enable", "true")];
    let mut world = World::started(&properties).with_brokers(1..3);
    world.create_topic("foo", &[&[1, 2]]);
    world.heartbeat(2, |request| request.want_fence = true);
    world.heartbeat(1, |request| request.want_fence = true);
    assert_eq!(world.partition("foo", 0).leader, None);
    world.take_notes();
    world.heartbeat(2, |_| {});
    assert!(matches!(
        world.take_notes().as_slice(),
        [
            ControllerEvent::BrokerUnfenced { .. },
            ControllerEvent::LeaderElected { leader: BrokerId(2), is_unclean: true, .. },
            ControllerEvent::IsrChanged { .. },
        ]
    ));
}

#[test]
fn clients_are_told_what_it_is_and_then_turned_away() {
    let mut world = World::started(&[]);
    let client = ConnectionId { opener: NodeId::Client(1), incarnation: 0, number: 0 };
    world.send(client, Request::ApiVersions);
    let (_, response) = world.responses.pop().expect("anybody may ask for versions");
    assert!(matches!(
        response,
        Response::ApiVersions(answer) if answer.listener == wire::response::ListenerKind::Controller
    ));
    let metadata = Request::Metadata(MetadataRequest { topics: None, allow_auto_topic_creation: true });
    assert_eq!(words(&world.send(client, metadata)), ["close client-1"]);
}

#[test]
fn a_voter_that_does_not_lead_refuses_writes() {
    let mut world = World::around(controller(&[3000, 3001, 3002], &[], 0));
    assert!(!world.controller.view().is_active);
    assert_eq!(world.register(1, 7).error, ErrorCode::NotController);
    world.send(fetches_of(1), fetch(Offset::ZERO, 0));
    let (_, response) = world.responses.pop().expect("an error is answered at once");
    assert_eq!(fetched(&response).error, ErrorCode::UnknownLeaderEpoch);
}

#[test]
fn a_process_ends_with_its_properties_wrong_or_when_it_is_told_to() {
    let mut broken = controller(&[3000], &[("broker.session.timeout.ms", "soon")], 0);
    let mut effects = Effects::new();
    broken.step(Instant::ZERO, Input::Started { disk: Disk::default() }, &mut effects);
    assert_eq!(words(effects.as_slice()), ["exit 1"]);
    let mut world = World::started(&[]);
    assert_eq!(words(&world.step(Input::Told(Instruction::ShutDown))), ["exit 143"]);
}

#[test]
fn two_runs_with_the_same_inputs_write_the_same_log() {
    let run = || {
        let mut world = World::started(&[]).with_brokers(1..4);
        let topic = CreatableTopic {
            name: TopicName::new("foo"),
            num_partitions: Some(20),
            replication_factor: Some(3),
            assignments: Vec::new(),
            configs: Vec::new(),
        };
        world.ask(1, Request::CreateTopics(CreateTopicsRequest { topics: vec![topic], validate_only: false }));
        let log = &world.disk.logs[&metadata_partition()];
        log.segments.iter().flat_map(|batch| batch.metadata_records().to_vec()).collect::<Vec<MetadataRecord>>()
    };
    assert_eq!(run(), run());
}
