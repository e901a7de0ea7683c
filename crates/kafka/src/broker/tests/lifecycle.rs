//! Registration, unfencing, controlled shutdown, and life without a controller.

use super::scene::{
    EPOCH, HEARTBEAT, OTHER_EPOCH, Scene, TOPIC_ID, client, own, partition_record, produce, register, registered,
    topic, unfence,
};
use crate::broker::timers;
use crate::node::Input;
use crate::storage::{Disk, DiskWrite};
use crate::view::BrokerState;
use wire::request::Acks;
use wire::response::{BrokerHeartbeatResponse, BrokerRegistrationResponse};
use wire::{BrokerEpoch, BrokerId, ErrorCode, MetadataRecord, PartitionIndex, Response, TopicName, TopicPartition};

#[test]
fn a_new_broker_makes_its_metadata_log_and_looks_for_the_controller() {
    let mut scene = Scene::new();
    assert_eq!(
        scene.step(Input::Started { disk: Disk::default() }),
        ["write create __cluster_metadata-0", "connect #0 controller:9093", "timer registration timeout/0 in 60000 ms",]
    );
    assert_eq!(
        scene.find_controller(),
        [
            "send #0 ?1 fetch __cluster_metadata-0@0 epoch 1 last 0",
            "connect #1 controller:9093",
            "timer channel timeout/0 in 4500 ms",
        ]
    );
    assert_eq!(scene.connected(HEARTBEAT), ["send #1 ?0 registration previous -1"]);
}

#[test]
fn a_broker_registers_catches_up_is_unfenced_and_only_then_listens() {
    let mut scene = Scene::new();
    scene.step(Input::Started { disk: Disk::default() });
    scene.find_controller();
    scene.connected(HEARTBEAT);
    assert_eq!(
        scene.answer(HEARTBEAT, 0, registered()),
        [
            "cancel registration timeout/0",
            "note registered 3",
            "send #1 ?1 heartbeat epoch 3 offset -1 fence true shut down false",
        ]
    );
    let heartbeat = |is_caught_up, is_fenced| {
        let should_shut_down = false;
        Response::BrokerHeartbeat(BrokerHeartbeatResponse {
            error: ErrorCode::None,
            is_caught_up,
            is_fenced,
            should_shut_down,
        })
    };
    assert_eq!(scene.answer(HEARTBEAT, 1, heartbeat(false, true)), ["timer communication/0 in 10 ms"]);
    assert_eq!(
        scene.metadata(vec![register(1, EPOCH)]),
        [
            "write __cluster_metadata-0 epochs 1@0",
            "write __cluster_metadata-0 0..0 epoch 1",
            "timer isr expiration/0 in 15000 ms",
            "timer checkpoint/0 in 5000 ms",
            "timer log checkpoint/0 in 30000 ms",
            "timer producer expiration/0 in 600000 ms",
            "timer log retention/0 in 30000 ms",
            "timer log cleaner/0 in 0 ms",
        ]
    );
    scene.wait(10);
    assert_eq!(
        scene.fire(timers::COMMUNICATION, 0),
        ["send #1 ?2 heartbeat epoch 3 offset 0 fence true shut down false"]
    );
    assert_eq!(
        scene.answer(HEARTBEAT, 2, heartbeat(true, true)),
        ["send #1 ?3 heartbeat epoch 3 offset 0 fence false shut down false"]
    );
    assert_eq!(scene.broker.view().state, BrokerState::Recovery);
    assert_eq!(
        scene.answer(HEARTBEAT, 3, heartbeat(true, false)),
        ["listen", "note BecameReady", "timer communication/0 in 2000 ms"]
    );
    assert_eq!(scene.broker.view().state, BrokerState::Running);
}

#[test]
fn a_restarted_broker_tells_its_previous_epoch_and_removes_the_clean_shutdown_file() {
    let mut scene = Scene::new();
    let disk = Disk { clean_shutdown: Some(BrokerEpoch(10)), ..Disk::default() };
    assert!(scene.step(Input::Started { disk }).contains(&"write clean shutdown None".to_owned()));
    scene.find_controller();
    assert_eq!(scene.connected(HEARTBEAT), ["send #1 ?0 registration previous 10"]);
    let broker_epoch = BrokerEpoch(1_000);
    let registered = Response::BrokerRegistration(BrokerRegistrationResponse { error: ErrorCode::None, broker_epoch });
    assert_eq!(
        scene.answer(HEARTBEAT, 0, registered),
        [
            "cancel registration timeout/0",
            "note registered 1000",
            "send #1 ?1 heartbeat epoch 1000 offset -1 fence true shut down false",
        ]
    );
}

#[test]
fn a_refused_registration_is_tried_again_after_a_growing_back_off() {
    let mut scene = Scene::new();
    scene.step(Input::Started { disk: Disk::default() });
    scene.find_controller();
    scene.connected(HEARTBEAT);
    let duplicate = Response::BrokerRegistration(BrokerRegistrationResponse {
        error: ErrorCode::DuplicateBrokerRegistration,
        broker_epoch: BrokerEpoch::NONE,
    });
    for (attempt, low, high) in [(0, 98, 102), (1, 196, 204), (2, 392, 408)] {
        let lines = scene.answer(HEARTBEAT, attempt, duplicate.clone());
        let [line] = lines.as_slice() else { panic!("one timer is set: {lines:?}") };
        let words: Vec<&str> = line.split(' ').collect();
        let ms: i64 = words[3].parse().expect("the wait is a number");
        assert!((low..=high).contains(&ms), "{line}");
        scene.wait(ms);
        let again = format!("send #1 ?{} registration previous -1", attempt + 1);
        assert_eq!(scene.fire(timers::COMMUNICATION, 0), [again]);
    }
}

#[test]
fn a_heartbeat_cut_off_is_sent_again_on_the_next_connection() {
    let mut scene = Scene::running(&[]);
    scene.wait(2_000);
    scene.fire(timers::COMMUNICATION, 0);
    assert_eq!(scene.disconnected(own(HEARTBEAT)), ["timer reconnect/0 in 50 ms"]);
    scene.wait(50);
    assert_eq!(scene.fire(timers::RECONNECT, 0), ["connect #2 controller:9093"]);
    assert_eq!(scene.connected(2), ["send #2 ?4 heartbeat epoch 3 offset 3 fence false shut down false"]);
}

#[test]
fn a_heartbeat_without_answer_is_given_up_after_half_a_session() {
    let mut scene = Scene::running(&[]);
    scene.wait(2_000);
    scene.fire(timers::COMMUNICATION, 0);
    scene.wait(4_500);
    let lines = scene.fire(timers::CHANNEL_TIMEOUT, 0);
    assert_eq!(lines[..2], ["close #1", "timer reconnect/0 in 50 ms"]);
    scene.wait(50);
    let lines = scene.fire(timers::RECONNECT, 0);
    let [line] = lines.as_slice() else { panic!("one timer is set: {lines:?}") };
    assert!(line.starts_with("timer communication/0 in "), "{line}");
}

#[test]
fn a_broker_that_cannot_register_gives_up() {
    let mut scene = Scene::new();
    scene.step(Input::Started { disk: Disk::default() });
    scene.wait(60_000);
    assert_eq!(scene.fire(timers::REGISTRATION_TIMEOUT, 0), ["exit 1"]);
}

#[test]
fn controlled_shutdown_asks_the_controller_and_leaves_a_clean_shutdown_file() {
    let mut scene = Scene::leading();
    scene.ask(client(1), 0, produce(Acks::Leader));
    assert_eq!(
        scene.shut_down(),
        [
            "note ControlledShutdownStarted",
            "timer shutdown timeout/0 in 300000 ms",
            "cancel communication/0",
            "send #1 ?3 heartbeat epoch 3 offset 5 fence false shut down true",
        ]
    );
    assert!(scene.shut_down().is_empty(), "a second request changes nothing");
    let answer = |should_shut_down| BrokerHeartbeatResponse {
        error: ErrorCode::None,
        is_caught_up: true,
        is_fenced: false,
        should_shut_down,
    };
    assert_eq!(scene.answer_heartbeat(answer(false)), ["timer communication/0 in 50 ms"]);
    scene.fire(timers::COMMUNICATION, 0);
    assert_eq!(scene.answer_heartbeat(answer(false)), ["timer communication/0 in 2000 ms"]);
    scene.fire(timers::COMMUNICATION, 0);
    assert_eq!(
        scene.answer_heartbeat(answer(true)),
        [
            "note ControlledShutdownCompleted",
            "write t-0 1 snapshots",
            "write t-0 flushed to 1",
            "write recovery points 1",
            "write log start offsets 1",
            "write hw t-0 0",
            "write clean shutdown Some(3)",
            "exit 143"
        ]
    );
}

#[test]
fn a_broker_without_a_controller_still_shuts_down_in_the_end() {
    let mut scene = Scene::running(&[]);
    scene.shut_down();
    scene.wait(300_000);
    assert_eq!(scene.fire(timers::SHUTDOWN_TIMEOUT, 0), ["write clean shutdown Some(3)", "exit 143"]);
}

#[test]
fn a_broker_that_is_not_running_yet_exits_at_once() {
    let mut scene = Scene::new();
    scene.step(Input::Started { disk: Disk::default() });
    assert_eq!(scene.shut_down(), ["exit 143"]);
}

#[test]
fn logs_of_topics_that_are_gone_are_deleted_once_metadata_is_known() {
    let mut restarted = Scene::new();
    let mut disk = Disk::default();
    for name in ["t", "gone"] {
        let partition = TopicPartition::new(TopicName::new(name), PartitionIndex(0));
        disk.apply(DiskWrite::CreateLog { partition, topic_id: TOPIC_ID });
    }
    restarted.step(Input::Started { disk });
    restarted.find_controller();
    let lines = restarted.metadata(vec![
        register(2, OTHER_EPOCH),
        unfence(2, OTHER_EPOCH),
        topic(),
        partition_record(None, &[1]),
    ]);
    assert!(lines.contains(&"write delete gone-0".to_owned()), "{lines:?}");
    assert!(!lines.contains(&"write create t-0".to_owned()), "{lines:?}");
    assert_eq!(restarted.broker.view().replicas.len(), 1);
}

#[test]
fn properties_that_kafka_refuses_end_the_process_as_it_starts() {
    let mut scene = Scene::with_properties(&[("num.partitions", "zero")]);
    assert_eq!(scene.step(Input::Started { disk: Disk::default() }), ["exit 1"]);
}

#[test]
fn during_controlled_shutdown_a_replica_that_left_the_in_sync_replicas_is_not_followed_any_more() {
    let mut scene = Scene::leading();
    scene.shut_down();
    let lines = scene.lose_leadership();
    assert_eq!(lines[1..], ["note follows t-0 of Some(2) epoch 1",]);
}

#[test]
fn being_fenced_while_running_is_noted() {
    let mut scene = Scene::running(&[]);
    let fenced = MetadataRecord::BrokerRegistrationChange {
        broker_id: BrokerId(1),
        broker_epoch: EPOCH,
        fenced: Some(true),
        in_controlled_shutdown: None,
    };
    assert!(scene.metadata(vec![fenced]).contains(&"note BecameFenced".to_owned()));
}
