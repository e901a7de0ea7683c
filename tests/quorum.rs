//! Three controllers: the metadata quorum elects another leader when the active controller dies, and the brokers go on.
//! The same where controllers are brokers too.

use acceptance::clients::{create_topic, producer};
use kafka::event::{ClientEvent, EventKind, OperatorEvent};
use kafka::instant::Duration;
use kafka::node::{ExitStatus, NodeId};
use kafka::spec::{Coordination, ServerRole, ServerSpec};
use kafka::view::{BrokerState, ControllerView};
use sim::frame::NodeFrame;
use sim::world_shape::Mode;
use sim::{Budget, Command, EventId, Session, WorldShape, WorldSpec};
use std::collections::BTreeMap;
use wire::request::Acks;
use wire::{BrokerId, Endpoint, PartitionIndex, TopicName, TopicPartition};

const CONTROLLERS: [i32; 3] = [100, 101, 102];

/// `three_brokers`, with three controllers instead of one.
fn three_controllers() -> WorldSpec {
    let mut spec = WorldSpec::three_brokers(BTreeMap::new());
    let endpoint = |id: i32| Endpoint::new("localhost", 8_980 + id.unsigned_abs() as u16);
    let voters: Vec<(i32, Endpoint)> = CONTROLLERS.iter().map(|id| (*id, endpoint(*id))).collect();
    let first = spec.servers.remove(0);
    spec.servers.iter_mut().for_each(|server| server.coordination = Coordination::KRaft { voters: voters.clone() });
    let controller = |(id, endpoint): &(i32, Endpoint)| ServerSpec {
        node_id: *id,
        role: ServerRole::Controller,
        endpoint: endpoint.clone(),
        coordination: Coordination::KRaft { voters: voters.clone() },
        ..first.clone()
    };
    let controllers: Vec<ServerSpec> = voters.iter().map(controller).collect();
    spec.servers.splice(0..0, controllers);
    spec
}

fn run(session: &mut Session, seconds: i64) {
    let until = session.now() + Duration::from_ms(seconds * 1_000);
    session.run(Budget { until, steps: u64::MAX });
}

fn controllers(session: &mut Session) -> Vec<(i32, ControllerView)> {
    let frame = session.frame();
    let view = |node: &NodeFrame| {
        let NodeId::Server(id) = node.id else { return None };
        Some((id, node.process.as_ref()?.controller()?.clone()))
    };
    frame.nodes.iter().filter_map(view).collect()
}

fn active(session: &mut Session) -> i32 {
    let active: Vec<i32> = controllers(session).iter().filter(|(_, view)| view.is_active).map(|(id, _)| *id).collect();
    assert_eq!(active.len(), 1, "one controller is active: {active:?}");
    active[0]
}

fn acknowledged(session: &Session) -> usize {
    let is_acknowledgement =
        |kind: &EventKind| matches!(kind, EventKind::Client(ClientEvent::BatchAcknowledged { .. }));
    session.events(EventId(0)).filter(|event| is_acknowledgement(&event.kind)).count()
}

#[test]
fn a_new_active_controller_takes_over_elects_leaders_and_lets_producers_go_on() {
    for seed in 0..8 {
        let mut session = Session::new(three_controllers(), seed);
        run(&mut session, 10);
        for program in [create_topic("orders", 3, &[]), producer("orders", Acks::All, 8)] {
            session.apply(Command::StartClient(program)).expect("a client can always be started");
            run(&mut session, 3);
        }
        let (old, before) = (active(&mut session), acknowledged(&session));
        assert!(before > 0, "the producer gets answers");
        session.apply(Command::Kill(NodeId::Server(old))).expect("the controller runs");
        run(&mut session, 8);
        let new = active(&mut session);
        let after = acknowledged(&session);
        assert!(new != old && after > before, "brokers serve on while the quorum elects");

        let partition = TopicPartition::new(TopicName::new("orders"), PartitionIndex(0));
        let leader_of = |session: &mut Session| {
            let views = controllers(session);
            let (_, view) = views.into_iter().find(|(_, view)| view.is_active).expect("one is active");
            view.image.partition(&partition).expect("the topic was created").leader
        };
        let leader = leader_of(&mut session).expect("the partition is led");
        session.apply(Command::Kill(NodeId::Server(leader.0))).expect("the broker runs");
        run(&mut session, 20);
        let successor = leader_of(&mut session);
        assert!(successor.is_some_and(|broker: BrokerId| broker != leader), "the new controller elects");
        assert!(acknowledged(&session) > after, "and producers find the new leader");

        session.apply(Command::Start(NodeId::Server(old))).expect("the controller was killed");
        run(&mut session, 5);
        let views = controllers(&mut session);
        assert_eq!(views.len(), 3);
        assert!(views.iter().all(|(_, view)| view.quorum.leader == Some(new)), "the old one follows");
    }
}

fn combined(brokers: i32) -> WorldSpec {
    WorldShape { mode: Mode::Combined { controllers: 3 }, brokers, ..WorldShape::default() }.spec()
}

fn is_serving(session: &mut Session, id: i32) -> bool {
    let frame = session.frame();
    let node = frame.nodes.iter().find(|node| node.id == NodeId::Server(id)).expect("the server exists");
    let broker = node.process.as_ref().and_then(|process| process.broker());
    broker.is_some_and(|broker| broker.state == BrokerState::Running)
}

fn exits(session: &Session) -> Vec<(NodeId, ExitStatus)> {
    let exit = |kind: &EventKind| {
        if let EventKind::Operator(OperatorEvent::ProcessExited { status }) = kind { Some(*status) } else { None }
    };
    let servers = session.events(EventId(0)).filter(|event| matches!(event.node, NodeId::Server(_)));
    servers.filter_map(|event| Some((event.node, exit(&event.kind)?))).collect()
}

#[test]
fn killing_a_combined_server_takes_both_a_controller_and_a_broker() {
    for seed in 0..6 {
        let mut session = Session::new(combined(3), seed);
        run(&mut session, 10);
        for program in [create_topic("orders", 3, &[]), producer("orders", Acks::All, 8)] {
            session.apply(Command::StartClient(program)).expect("a client can always be started");
            run(&mut session, 3);
        }
        let (old, before) = (active(&mut session), acknowledged(&session));
        session.apply(Command::Kill(NodeId::Server(old))).expect("the server runs");
        run(&mut session, 25);
        let new = active(&mut session);
        assert!(new != old && acknowledged(&session) > before, "seed {seed}");
        let views = controllers(&mut session);
        let (_, view) = views.iter().find(|(id, _)| *id == new).expect("it is there");
        assert!(view.image.brokers()[&BrokerId(old)].fenced, "seed {seed}");
        assert!(
            view.image.partitions().all(|(_, state)| !state.isr.contains(&BrokerId(old)) && state.leader.is_some())
        );

        session.apply(Command::Start(NodeId::Server(old))).expect("the server was killed");
        run(&mut session, 15);
        let views = controllers(&mut session);
        assert_eq!((views.len(), is_serving(&mut session, old)), (3, true), "seed {seed}");
        let (_, view) = views.iter().find(|(id, _)| *id == new).expect("it is there");
        assert!(view.image.partitions().all(|(_, state)| state.isr.len() == 3), "seed {seed}");
        assert_eq!(view.image.controllers().len(), 3, "all have registered");
    }
}

#[test]
fn the_only_combined_server_ends_in_order_and_begins_again() {
    let mut session = Session::new(combined(1), 1);
    run(&mut session, 10);
    session.apply(Command::StartClient(create_topic("orders", 1, &[]))).expect("a client can always be started");
    run(&mut session, 3);
    for round in 1..=2 {
        session.apply(Command::Stop(NodeId::Server(1))).expect("the server runs");
        run(&mut session, 10);
        assert_eq!(exits(&session), vec![(NodeId::Server(1), ExitStatus(143)); round]);
        session.apply(Command::Start(NodeId::Server(1))).expect("the server has ended");
        run(&mut session, 10);
        assert!(is_serving(&mut session, 1));
        let (_, view) = controllers(&mut session).remove(0);
        assert!(view.image.partitions().all(|(_, state)| state.leader == Some(BrokerId(1))));
    }
}

#[test]
fn a_combined_server_that_led_the_quorum_hands_over_when_it_is_stopped() {
    let mut session = Session::new(combined(3), 4);
    run(&mut session, 10);
    let old = active(&mut session);
    session.apply(Command::Stop(NodeId::Server(old))).expect("the server runs");
    run(&mut session, 8);
    assert_eq!(exits(&session), [(NodeId::Server(old), ExitStatus(143))]);
    assert_ne!(active(&mut session), old);
}

#[test]
fn without_a_quorum_a_combined_server_waits_five_minutes_for_its_controlled_shutdown() {
    let mut session = Session::new(combined(3), 1);
    run(&mut session, 10);
    for other in [2, 3] {
        session.apply(Command::Kill(NodeId::Server(other))).expect("the server runs");
    }
    run(&mut session, 10);
    session.apply(Command::Stop(NodeId::Server(1))).expect("the server runs");
    run(&mut session, 299);
    assert_eq!(exits(&session), []);
    run(&mut session, 7);
    assert_eq!(exits(&session), [(NodeId::Server(1), ExitStatus(143))]);
}
