//! Three controllers: the metadata quorum elects another leader when the active controller dies, and the brokers go on.

use acceptance::clients::{create_topic, producer};
use kafka::event::{ClientEvent, EventKind};
use kafka::instant::Duration;
use kafka::node::NodeId;
use kafka::spec::{Coordination, ServerRole, ServerSpec};
use kafka::view::{ControllerView, NodeView};
use sim::{Budget, Command, EventId, Session, WorldSpec};
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
    let view = |id: i32| {
        let node = frame.nodes.iter().find(|node| node.id == NodeId::Server(id))?;
        match &node.process {
            Some(NodeView::Controller(view)) => Some((id, view.clone())),
            _ => None,
        }
    };
    CONTROLLERS.into_iter().filter_map(view).collect()
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
