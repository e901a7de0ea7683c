//! A broker in a cluster that uses ZooKeeper: registration, what the controller tells it, topics and leaving.

use super::scene::{TOPIC_ID, produce, t0};
use super::zookeeper_scene::{
    HEADER, ZooKeeperScene, leader_and_isr, leader_and_isr_with, leader_state, stop_replica, update_metadata,
    update_metadata_of,
};
use crate::broker::timers;
use crate::spec::HistoricalFaults;
use crate::storage::{Disk, DiskWrite};
use crate::view::BrokerState;
use std::collections::BTreeMap;
use wire::request::{
    Acks, ControllerHeader, CreatableTopic, CreateTopicsRequest, LeaderAndIsrPartition, MetadataLeader, MetadataRequest,
};
use wire::response::ControlledShutdownResponse;
use wire::zookeeper::{CreateMode, Operation, ZnodeData, ZnodePath};
use wire::{BrokerEpoch, BrokerId, ErrorCode, LeaderEpoch, Request, Response, TopicId, TopicName};

#[test]
fn a_broker_registers_in_its_session_and_then_serves() {
    let mut scene = ZooKeeperScene::new(&[], HistoricalFaults::default());
    let lines = scene.start(Disk::default());
    let steps = ["timer registration timeout/0 in 18000 ms", "note registered 23", "listen", "note BecameReady"];
    let places = steps.map(|step| lines.iter().position(|line| line == step));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{lines:?}");
    let view = scene.broker.view();
    assert_eq!((view.state, view.broker_epoch), (BrokerState::Running, Some(BrokerEpoch(23))));
}

#[test]
fn a_registration_of_another_session_keeps_the_process_from_starting() {
    let mut scene = ZooKeeperScene::new(&[], HistoricalFaults::default());
    let create = |path: &str, mode| Operation::Create { path: ZnodePath::new(path), data: ZnodeData::Empty, mode };
    scene.elsewhere(vec![
        create("/brokers", CreateMode::Persistent),
        create("/brokers/ids", CreateMode::Persistent),
        create("/brokers/ids/1", CreateMode::Ephemeral),
    ]);
    let lines = scene.start(Disk::default());
    assert_eq!(lines[lines.len() - 2..], ["note RegistrationRefused", "exit 1"]);
}

#[test]
fn a_process_without_a_session_in_time_gives_up() {
    let mut scene = ZooKeeperScene::new(&[("zookeeper.connection.timeout.ms", "7000")], HistoricalFaults::default());
    assert!(scene.start_unheard().contains(&"timer registration timeout/0 in 7000 ms".to_owned()));
    scene.wait(7_000);
    assert_eq!(scene.fire(timers::REGISTRATION_TIMEOUT, 0), ["exit 1"]);
}

#[test]
fn after_its_session_expired_a_broker_registers_anew_and_goes_on() {
    let mut scene = ZooKeeperScene::leading();
    scene.lose_session();
    scene.wait(1_000);
    let lines = scene.fire(timers::ZOOKEEPER_SESSION, 0);
    assert!(lines.contains(&"note SessionExpired".to_owned()), "{lines:?}");
    assert!(lines.contains(&"note registered 26".to_owned()), "{lines:?}");
    assert!(scene.broker.replicas.get(&t0()).is_some_and(|replica| replica.is_leader()));
}

#[test]
fn replicas_take_the_roles_that_the_controller_gives_them() {
    let mut scene = ZooKeeperScene::running();
    assert_eq!(scene.controller_says(update_metadata(&[1, 2], Some(1), 0)), ["send 2#9 !1 update metadata NONE"]);
    assert_eq!(
        scene.controller_says(leader_and_isr(Some(1), 0)),
        [
            "write create t-0",
            "note leads t-0 epoch 0",
            "write t-0 epochs 0@0",
            "timer checkpoint/0 in 5000 ms",
            "send 2#9 !2 leader and isr NONE [t-0 NONE]",
        ]
    );
    assert_eq!(
        scene.controller_says(leader_and_isr(Some(2), 1)),
        [
            "note follows t-0 of Some(2) epoch 1",
            "connect #2 broker-2:9092",
            "timer channel timeout/18 in 10000 ms",
            "send 2#9 !3 leader and isr NONE [t-0 NONE]",
        ]
    );
    assert_eq!(scene.connected(2)[0], "send #2 ?0 fetch t-0@0 epoch 1 last 0");
}

#[test]
fn a_leader_that_is_not_alive_is_not_followed() {
    let mut scene = ZooKeeperScene::leading();
    assert_eq!(scene.controller_says(leader_and_isr(None, 1)), ["send 2#9 !3 leader and isr NONE [t-0 NONE]"]);
    assert_eq!(scene.controller_says(leader_and_isr(Some(7), 1)), ["send 2#9 !4 leader and isr NONE [t-0 NONE]"]);
    let replica = scene.broker.replicas.get(&t0()).expect("the replica is here");
    assert_eq!((replica.is_leader(), replica.leader_epoch()), (true, LeaderEpoch(0)));
}

#[test]
fn only_a_newer_leader_epoch_of_the_same_topic_is_obeyed() {
    let other_topic = LeaderAndIsrPartition { topic_id: TopicId(8), ..leader_state(Some(1), 9) };
    let not_here = LeaderAndIsrPartition { replicas: vec![BrokerId(2)], ..leader_state(Some(2), 9) };
    for (state, error) in [
        (leader_state(Some(2), 0), ErrorCode::StaleControllerEpoch),
        (leader_state(Some(2), -1), ErrorCode::StaleControllerEpoch),
        (other_topic, ErrorCode::InconsistentTopicId),
        (not_here, ErrorCode::UnknownTopicOrPartition),
    ] {
        let mut scene = ZooKeeperScene::leading();
        let lines = scene.controller_says(leader_and_isr_with(HEADER, state));
        assert_eq!(lines, [format!("send 2#9 !3 leader and isr NONE [t-0 {}]", error.name())]);
    }
}

#[test]
fn requests_for_an_earlier_run_and_of_an_earlier_controller_are_refused() {
    let refusal = |header: ControllerHeader, faults| {
        let mut scene = ZooKeeperScene::running_with(&[], faults);
        scene.controller_says(update_metadata(&[1, 2], Some(1), 0));
        scene.controller_says(leader_and_isr_with(header, leader_state(Some(1), 0))).pop().expect("it is answered")
    };
    let stale_run = ControllerHeader { broker_epoch: BrokerEpoch(22), ..HEADER };
    let same_run = ControllerHeader { broker_epoch: BrokerEpoch(23), ..HEADER };
    let stale_controller = ControllerHeader { controller_epoch: 2, ..HEADER };
    let none = HistoricalFaults::default();
    let unfenced = HistoricalFaults { unfenced_zookeeper_controllers: true, ..none };
    let unnoticed = HistoricalFaults { unnoticed_broker_bounces: true, ..none };
    for (header, faults, answer) in [
        (same_run, none, "NONE [t-0 NONE]"),
        (stale_run, none, "STALE_BROKER_EPOCH []"),
        (stale_run, unnoticed, "NONE [t-0 NONE]"),
        (stale_controller, none, "STALE_CONTROLLER_EPOCH []"),
        (stale_controller, unfenced, "NONE [t-0 NONE]"),
    ] {
        assert_eq!(refusal(header, faults), format!("send 2#9 !2 leader and isr {answer}"));
    }
}

#[test]
fn a_refused_controller_is_noted() {
    let mut scene = ZooKeeperScene::leading();
    let stale = ControllerHeader { controller_epoch: 1, ..HEADER };
    let lines = scene.controller_says(leader_and_isr_with(stale, leader_state(Some(2), 5)));
    assert_eq!(
        lines[0],
        "note ControllerFenced { controller: BrokerId(2), controller_epoch: 1, error: StaleControllerEpoch }"
    );
}

#[test]
fn a_stopped_replica_keeps_its_log_unless_it_is_to_be_deleted() {
    let mut scene = ZooKeeperScene::leading();
    assert_eq!(
        scene.controller_says(stop_replica(Some(-1), false)),
        ["send 2#9 !3 stop replica NONE [t-0 FENCED_LEADER_EPOCH]"]
    );
    assert_eq!(scene.controller_says(stop_replica(Some(0), false)), ["send 2#9 !4 stop replica NONE [t-0 NONE]"]);
    assert!(scene.broker.replicas.get(&t0()).is_some());
    assert_eq!(
        scene.controller_says(stop_replica(None, true)),
        ["write delete t-0", "send 2#9 !5 stop replica NONE [t-0 NONE]"]
    );
    assert!(scene.broker.replicas.get(&t0()).is_none());
}

#[test]
fn a_log_that_was_never_loaded_is_deleted_too() {
    let mut disk = Disk::default();
    disk.apply(DiskWrite::CreateLog { partition: t0(), topic_id: TOPIC_ID });
    let mut scene = ZooKeeperScene::new(&[], HistoricalFaults::default());
    scene.start(disk);
    assert_eq!(
        scene.controller_says(stop_replica(None, true)),
        ["write delete t-0", "send 2#9 !1 stop replica NONE [t-0 NONE]"]
    );
}

#[test]
fn clients_are_told_of_the_controller_and_of_what_it_said_last() {
    let mut scene = ZooKeeperScene::running();
    let metadata = |scene: &mut ZooKeeperScene| {
        scene.ask(Request::Metadata(MetadataRequest { topics: None, allow_auto_topic_creation: false })).remove(0)
    };
    assert_eq!(metadata(&mut scene), "send client-1#0 !1 metadata brokers  topics ");
    scene.controller_says(update_metadata(&[1, 2], Some(1), 0));
    assert_eq!(metadata(&mut scene), "send client-1#0 !3 metadata brokers 1, 2 topics t NONE");
    assert_eq!(scene.broker.broker_for_controller_requests(), Some(BrokerId(2)));
    scene.controller_says(update_metadata_of(&[1], MetadataLeader::DuringDelete, 0));
    assert_eq!(metadata(&mut scene), "send client-1#0 !5 metadata brokers 1 topics ");
}

#[test]
fn new_replicas_take_their_topics_configurations_and_every_later_change() {
    let mut scene = ZooKeeperScene::running();
    let path = ZnodePath::new("/config/topics/t");
    let config =
        |value: &str| ZnodeData::Config(BTreeMap::from([("min.insync.replicas".to_owned(), value.to_owned())]));
    let create = |path, data, mode| Operation::Create { path, data, mode };
    scene.elsewhere(vec![create(path.clone(), config("1"), CreateMode::Persistent)]);
    scene.controller_says(update_metadata(&[1, 2], Some(1), 0));
    let alone = LeaderAndIsrPartition { isr: vec![BrokerId(1)], ..leader_state(Some(1), 0) };
    scene.controller_says(leader_and_isr_with(HEADER, alone));
    assert!(scene.ask(produce(Acks::All)).contains(&"note appended t-0 0..0".to_owned()));
    let announcement = ZnodeData::ConfigChange { entity_path: "topics/t".to_owned() };
    scene.elsewhere(vec![
        Operation::SetData { path, data: config("2"), version: None },
        create(ZnodePath::new("/config/changes/config_change_"), announcement, CreateMode::PersistentSequential),
    ]);
    assert_eq!(scene.ask(produce(Acks::All))[0], "note rejected t-0 NOT_ENOUGH_REPLICAS");
    let image = scene.broker.view().image;
    assert_eq!(image.topics()[&TopicName::new("t")].configs["min.insync.replicas"], "2");
}

#[test]
fn a_broker_that_is_not_the_controller_makes_no_topics() {
    let mut scene = ZooKeeperScene::leading();
    let topic = CreatableTopic {
        name: TopicName::new("u"),
        num_partitions: None,
        replication_factor: None,
        assignments: Vec::new(),
        configs: Vec::new(),
    };
    let request = CreateTopicsRequest { topics: vec![topic], validate_only: false };
    assert_eq!(scene.ask(Request::CreateTopics(request)), ["send client-1#0 !3 u NOT_CONTROLLER"]);
}

#[test]
fn a_topic_that_is_asked_about_is_made_by_whoever_was_asked() {
    let mut scene = ZooKeeperScene::leading();
    let topics = Some(vec![TopicName::new("u")]);
    scene.ask(Request::Metadata(MetadataRequest { topics, allow_auto_topic_creation: true }));
    let database = scene.ensemble.view().database;
    let znode = database.znode(&ZnodePath::new("/brokers/topics/u")).expect("the topic was made");
    let ZnodeData::Topic { partitions, .. } = &znode.data else { panic!("not a topic: {znode:?}") };
    assert_eq!(partitions.len(), 1);
    assert!(database.znode(&ZnodePath::new("/config/topics/u")).is_some());
}

#[test]
fn a_stopping_broker_asks_the_controller_three_times_and_then_goes_anyway() {
    let mut scene = ZooKeeperScene::leading();
    assert_eq!(
        scene.shut_down(),
        ["note ControlledShutdownStarted", "connect #2 broker-2:9092", "timer channel timeout/3 in 10000 ms"]
    );
    assert!(scene.connected(2)[0].contains("ControlledShutdown"));
    let refused = ControlledShutdownResponse { error: ErrorCode::None, remaining_partitions: vec![t0()] };
    let lines = scene.answer(2, 0, Response::ControlledShutdown(refused));
    assert_eq!(lines, ["close #2", "timer controlled shutdown/0 in 5000 ms"]);
    scene.wait(5_000);
    assert_eq!(scene.fire(timers::CONTROLLED_SHUTDOWN, 0), ["connect #3 broker-2:9092"]);
    assert_eq!(scene.disconnected(3), ["timer controlled shutdown/0 in 5000 ms"]);
    scene.wait(5_000);
    scene.fire(timers::CONTROLLED_SHUTDOWN, 0);
    let lines = scene.disconnected(4);
    assert_eq!(lines[0], "note ControlledShutdownFailed");
    assert_eq!(lines[lines.len() - 1], "exit 143");
    assert!(scene.ensemble.view().database.znode(&ZnodePath::new("/brokers/ids/1")).is_none());
}

#[test]
fn a_broker_that_leads_nothing_any_more_goes_at_once() {
    let mut scene = ZooKeeperScene::leading();
    scene.shut_down();
    scene.connected(2);
    let response = ControlledShutdownResponse { error: ErrorCode::None, remaining_partitions: Vec::new() };
    let lines = scene.answer(2, 0, Response::ControlledShutdown(response));
    assert_eq!(lines[0], "note ControlledShutdownCompleted");
    assert_eq!(lines[lines.len() - 1], "exit 143");
    assert!(lines.contains(&"write clean shutdown Some(-1)".to_owned()), "{lines:?}");
}

#[test]
fn proposals_go_to_the_controller_that_metadata_names() {
    let mut scene = ZooKeeperScene::leading();
    scene.ask(produce(Acks::Leader));
    scene.wait(30_001);
    let lines = scene.fire(timers::ISR_EXPIRATION, 0);
    assert_eq!(lines[..2], ["note proposes t-0 isr [1]", "connect #2 broker-2:9092"]);
    assert_eq!(scene.connected(2)[0], "send #2 ?0 alter t-0 isr [(1, 23)]");
}
