//! The world and its histories, run with toy machines: whatever holds here holds for any machine.

#![allow(clippy::wildcard_enum_match_arm, reason = "what a test does not expect fails it")]

mod faults;
mod time_travel;

use crate::command::{Command, CommandError};
use crate::frame::{BranchId, Delivery, FlightContent, Frame, MessageInFlight};
use crate::session::{Budget, Session, Stopped};
use crate::toy;
use crate::trace::{Event, EventId, TraceHash};
use crate::world::World;
use crate::world_spec::{NetworkSpec, WorldSpec};
use kafka::event::{BrokerEvent, ClientEvent, EventKind, OperatorEvent};
use kafka::instant::{Duration, Instant};
use kafka::node::{ExitStatus, Instruction, NodeId, ProducerRecord};
use kafka::spec::{
    ClientSpec, Coordination, HistoricalFaults, ProducerConfig, ProducerSpec, Program, ServerRole, ServerSpec,
    TopicFilter, TopicsAction,
};
use kafka::view::NodeView;
use rand::RngExt;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use wire::{Endpoint, Timestamp};

const SERVER: NodeId = NodeId::Server(1);
const FIRST_CLIENT: NodeId = NodeId::Client(1);
const NETWORK: NetworkSpec = NetworkSpec { delay_us: 250, jitter_us: 2_000 };

fn toy_server(node_id: i32) -> ServerSpec {
    ServerSpec {
        node_id,
        role: ServerRole::Broker,
        endpoint: Endpoint::new("localhost", 9090 + node_id as u16),
        rack: None,
        coordination: Coordination::KRaft { voters: Vec::new() },
        properties: Arc::new(BTreeMap::from([("toy".to_owned(), String::new())])),
        historical_faults: HistoricalFaults::default(),
    }
}

fn toy_client(host: &str, port: u16) -> ClientSpec {
    let program = ProducerSpec { config: ProducerConfig::default(), is_synchronous: false, workload: None };
    ClientSpec {
        client_id: "toy".to_owned(),
        bootstrap_servers: vec![Endpoint::new(host, port)],
        program: Program::Producer(program),
    }
}

/// A toy that is called as a tool, whose end is waited for.
fn toy_tool() -> ClientSpec {
    let list = TopicsAction::List(TopicFilter { pattern: None, exclude_internal: false });
    ClientSpec { program: Program::Topics(list), ..toy_client("localhost", 9091) }
}

fn toy_world() -> WorldSpec {
    WorldSpec {
        servers: vec![toy_server(1), toy_server(2)],
        clients: vec![toy_client("localhost", 9091), toy_client("127.0.0.1", 9091), toy_client("localhost", 9092)],
        network: NETWORK,
        epoch: Timestamp(1_795_230_000_000),
    }
}

fn toy_session() -> Session {
    Session::new(toy_world(), 7)
}

fn run_until_ms(session: &mut Session, milliseconds: i64) {
    let until = Instant::ZERO + Duration::from_ms(milliseconds);
    assert_eq!(session.run(Budget { until, steps: u64::MAX }), Stopped::AtInstant);
}

fn session_at_ms(milliseconds: i64) -> Session {
    let mut session = toy_session();
    run_until_ms(&mut session, milliseconds);
    session
}

fn events(session: &Session) -> Vec<Event> {
    session.events(EventId(0)).collect()
}

fn events_of(session: &Session, node: NodeId) -> Vec<Event> {
    session.events(EventId(0)).filter(|event| event.node == node).collect()
}

fn find(events: &[Event], is_wanted: impl Fn(&EventKind) -> bool) -> &Event {
    events.iter().find(|event| is_wanted(&event.kind)).expect("the event is there")
}

/// What is on a frame, except how far its history is known.
fn picture(session: &mut Session) -> String {
    let frame = session.frame();
    format!("{:?} {} {:?} {:?} {:?}", frame.now, frame.step, frame.hash, frame.nodes, frame.messages)
}

/// What a toy server has stored, and what of it its process knows from memory.
fn server_state(frame: &Frame) -> Option<(i64, i64)> {
    let node = frame.nodes.iter().find(|node| node.id == SERVER).expect("a server is always on the frame");
    node.process.as_ref().map(|process| match process {
        NodeView::Controller(view) => (view.log_end_offset.0, view.high_watermark.0),
        other => panic!("a toy server shows itself as a controller, not as {other:?}"),
    })
}

fn produce() -> Instruction {
    Instruction::Produce(ProducerRecord {
        topic: wire::TopicName::new("toy"),
        partition: None,
        key: None,
        value: None,
        headers: Vec::new(),
    })
}

fn is_disconnected(kind: &EventKind) -> bool {
    *kind == EventKind::Client(ClientEvent::ConsumerTimedOut)
}

fn is_operator(kind: &EventKind, wanted: &OperatorEvent) -> bool {
    matches!(kind, EventKind::Operator(event) if event == wanted)
}

#[test]
fn messages_on_a_connection_arrive_in_order_however_much_they_jitter() {
    let session = session_at_ms(200);
    for server in [1, 2] {
        let mut by_client: BTreeMap<i64, i64> = BTreeMap::new();
        for event in events_of(&session, NodeId::Server(server)) {
            if let EventKind::Broker(BrokerEvent::DuplicateFound { first_offset, .. }) = event.kind {
                *by_client.entry(first_offset.0).or_default() += 1;
            }
        }
        let clients = if server == 1 { 2 } else { 1 };
        let complete = by_client.values().take_while(|count| **count == clients).count();
        assert!(complete > 500, "{complete} numbers arrived from every client");
    }
    let answers: Vec<i64> = events_of(&session, FIRST_CLIENT)
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Client(ClientEvent::PositionReset { offset, .. }) => Some(offset.0),
            _ => None,
        })
        .collect();
    assert!(answers.len() > 500 && answers.iter().copied().eq(0..answers.len() as i64));
}

#[test]
fn messages_on_different_links_overtake_each_other() {
    let mut session = session_at_ms(60);
    let mut overtaken = 0;
    for _ in 0..500 {
        let frame = session.frame();
        let mut ids = frame.messages.iter().map(|message| message.id);
        overtaken += u32::from(!ids.by_ref().is_sorted());
        session.step();
    }
    assert!(overtaken > 100, "jitter never changed the order");
}

#[test]
fn a_connection_is_refused_after_a_round_trip_until_somebody_listens() {
    let mut session = toy_session();
    run_until_ms(&mut session, 1);
    let client = session.apply(Command::StartClient(toy_client("localhost", 9091))).expect("clients can start");
    run_until_ms(&mut session, 30);
    let events = events_of(&session, client);
    let refusals: Vec<&Event> = events.iter().filter(|event| is_disconnected(&event.kind)).collect();
    let round_trip = 2 * NETWORK.delay_us..=2 * (NETWORK.delay_us + NETWORK.jitter_us);
    assert!(round_trip.contains(&(refusals[0].at.0 - 1_000)), "refused at {}", refusals[0].at);
    assert!((1..=3).contains(&refusals.len()), "{} refusals before 10 ms", refusals.len());
    assert!(events.iter().any(|event| matches!(event.kind, EventKind::Client(ClientEvent::PositionReset { .. }))));
}

#[test]
fn a_connection_to_where_no_server_lives_is_refused() {
    let mut session = session_at_ms(50);
    let client = session.apply(Command::StartClient(toy_client("elsewhere", 9091))).expect("clients can start");
    let frame = session.frame();
    let refusal = frame.messages.iter().find(|message| message.from == client).expect("it is on its way");
    assert_eq!((refusal.to, refusal.sent_at), (client, session.now()));
    assert!(matches!(refusal.content, FlightContent::Closing));
    run_until_ms(&mut session, 56);
    assert!(events_of(&session, client).iter().any(|event| is_disconnected(&event.kind)));
}

#[test]
fn a_kill_loses_memory_and_keeps_the_disk() {
    let mut session = session_at_ms(60);
    let (stored, in_memory) = server_state(&session.frame()).expect("the server runs");
    assert!(stored > 50 && in_memory == stored);
    session.apply(Command::Kill(SERVER)).expect("the server runs");
    let frame = session.frame();
    assert_eq!(server_state(&frame), None);
    let disk = &frame.nodes.iter().find(|node| node.id == SERVER).expect("it is still a node").disk;
    assert_eq!(disk[&toy::partition()].segments.len() as i64, stored);
    session.apply(Command::Start(SERVER)).expect("the server is down");
    assert_eq!(server_state(&session.frame()), Some((stored, 0)));
    run_until_ms(&mut session, 120);
    assert!(server_state(&session.frame()).is_some_and(|(now_stored, _)| now_stored > stored));
}

#[test]
fn peers_learn_of_a_death_after_what_was_sent_before() {
    let mut session = session_at_ms(60);
    let last_on_the_way = last_response_to(&session.frame(), FIRST_CLIENT);
    session.apply(Command::Kill(SERVER)).expect("the server runs");
    let killed = session.next_event().0 - 1;
    run_until_ms(&mut session, 70);
    let events = events_of(&session, FIRST_CLIENT);
    let told = events.iter().find(|event| is_disconnected(&event.kind)).expect("the client is told");
    let told_after = told.at.since(Instant(60_000)).0;
    assert_eq!(told.cause, Some(EventId(killed)));
    assert!(told_after >= NETWORK.delay_us && told.at >= last_on_the_way);
    let answered_before = events.iter().filter(|event| event.at.0 > 60_000 && event.id < told.id).count();
    assert!(answered_before > 0, "answers that were on their way still came");
}

fn arrival(message: &MessageInFlight) -> Instant {
    match message.delivery {
        Delivery::At(instant) => instant,
        other => panic!("nothing is held up, but {other:?}"),
    }
}

fn last_response_to(frame: &Frame, client: NodeId) -> Instant {
    let to_client = frame.messages.iter().filter(|message| message.from == SERVER && message.to == client);
    to_client.map(arrival).max().expect("answers are on their way")
}

#[test]
fn a_client_that_is_stopped_vanishes_and_its_server_is_told() {
    let mut session = session_at_ms(60);
    session.apply(Command::Stop(FIRST_CLIENT)).expect("the client runs");
    assert!(session.frame().nodes.iter().all(|node| node.id != FIRST_CLIENT));
    let events = events_of(&session, FIRST_CLIENT);
    let requested = find(&events, |kind| is_operator(kind, &OperatorEvent::ShutdownRequested));
    let exited = find(&events, |kind| is_operator(kind, &OperatorEvent::ProcessExited { status: ExitStatus(130) }));
    assert_eq!(exited.cause, Some(requested.id));
    run_until_ms(&mut session, 70);
    let (stored, in_memory) = server_state(&session.frame()).expect("the server runs");
    assert!(in_memory < stored, "a toy server forgets at a disconnection");
}

#[test]
fn clients_of_the_spec_wait_for_brokers_and_for_the_tools_before_them() {
    let clients = vec![toy_client("localhost", 9091), toy_tool(), toy_client("localhost", 9091), toy_tool()];
    let mut session = Session::new(WorldSpec { clients, ..toy_world() }, 7);
    let running = |session: &mut Session| session.frame().nodes.len() - 2;
    run_until_ms(&mut session, 9);
    assert_eq!(running(&mut session), 0);
    run_until_ms(&mut session, 50);
    assert_eq!(running(&mut session), 2);
    session.apply(Command::Stop(NodeId::Client(2))).expect("the tool runs");
    let exited = session.next_event().0 - 1;
    run_until_ms(&mut session, 60);
    assert_eq!(running(&mut session), 3);
    let started = &events_of(&session, NodeId::Client(3))[0];
    assert_eq!((started.at, started.cause), (Instant(50_000), Some(EventId(exited))));
}

#[test]
fn what_a_killed_opener_had_under_way_is_answered_to_nobody() {
    let mut session = toy_session();
    run_until_ms(&mut session, 15);
    let client = session.apply(Command::StartClient(toy_client("localhost", 9091))).expect("clients can start");
    session.apply(Command::Kill(client)).expect("the client runs");
    run_until_ms(&mut session, 30);
    assert!(session.frame().messages.iter().all(|message| message.connection.opener != client));
    assert_eq!(session.apply(Command::Start(client)), Err(CommandError::NotAServer(client)));
}

#[test]
fn causes_chain_through_messages_timers_and_the_start_of_clients() {
    let session = session_at_ms(100);
    let all = events(&session);
    let ready: Vec<&Event> =
        all.iter().filter(|event| event.kind == EventKind::Broker(BrokerEvent::BecameReady)).collect();
    assert_eq!(
        ready[0].cause.map(|id| &all[id.0 as usize].kind),
        Some(&EventKind::Operator(OperatorEvent::ProcessStarted))
    );
    let fenced = find(&all, |kind| *kind == EventKind::Broker(BrokerEvent::BecameFenced));
    assert_eq!(fenced.cause, Some(ready[0].id));
    let started = events_of(&session, FIRST_CLIENT)[0].clone();
    assert_eq!((started.cause, started.at), (Some(ready[1].id), ready[1].at));
    for event in &all {
        if matches!(event.kind, EventKind::Client(ClientEvent::PositionReset { .. })) {
            let cause = &all[event.cause.expect("an answer has a cause").0 as usize];
            assert!(matches!(cause.kind, EventKind::Broker(BrokerEvent::DuplicateFound { .. })));
            assert!(cause.at < event.at && cause.step < event.step);
        }
    }
}

#[test]
fn a_moved_timer_fires_once_at_its_new_time_and_a_cancelled_one_never() {
    let session = session_at_ms(100);
    let events = events_of(&session, SERVER);
    let fired: Vec<u64> = events
        .iter()
        .filter(|event| event.kind == EventKind::Broker(BrokerEvent::BecameFenced))
        .map(|event| event.at.0)
        .collect();
    assert_eq!(fired, [40_000]);
}

#[test]
fn a_frame_stays_the_same_until_something_changes() {
    let mut session = session_at_ms(60);
    let first = session.frame();
    assert!(Rc::ptr_eq(&first, &session.frame()));
    let next = session.next_step_at().expect("clients go on");
    session.run(Budget { until: Instant(next.0 - 1), steps: u64::MAX });
    let later = session.frame();
    assert_eq!((later.now, later.step, later.known_until), (Instant(next.0 - 1), first.step, Instant(next.0 - 1)));
    assert_eq!(first.now, Instant(60_000));
    session.step();
    assert_eq!(session.frame().step, first.step + 1);
}

#[test]
fn a_frame_made_from_the_one_before_is_like_one_made_anew() {
    let mut session = session_at_ms(60);
    for step in 0..300 {
        let kept = (step % 2 == 0).then(|| session.frame());
        if step == 100 {
            session.apply(Command::Kill(SERVER)).expect("the server runs");
            session.apply(Command::Kill(FIRST_CLIENT)).expect("the client runs");
        }
        session.step();
        let reused = picture(&mut session);
        session.seek_step(0);
        session.seek_step(u64::MAX);
        assert_eq!(picture(&mut session), reused);
        drop(kept);
    }
}

#[test]
fn a_frame_lists_what_is_under_way_in_the_order_of_arrival() {
    let mut session = session_at_ms(60);
    let frame = session.frame();
    assert!(frame.messages.len() > 10);
    assert!(frame.messages.iter().all(|message| message.sent_at <= frame.now && frame.now <= arrival(message)));
    assert!(frame.messages.is_sorted_by_key(arrival));
    assert!(frame.nodes.is_sorted_by_key(|node| node.id));
}

#[test]
fn a_budget_of_steps_stops_at_the_last_of_them() {
    let mut session = session_at_ms(60);
    let steps = session.steps();
    let stopped = session.run(Budget { until: Instant(80_000), steps: 10 });
    assert_eq!((stopped, session.steps()), (Stopped::OutOfSteps, steps + 10));
    assert!(session.now() < Instant(80_000));
    assert_eq!(session.run(Budget { until: Instant(80_000), steps: u64::MAX }), Stopped::AtInstant);
    assert_eq!(session.now(), Instant(80_000));
}

#[test]
fn a_world_without_anything_lets_time_pass() {
    let spec = WorldSpec { servers: Vec::new(), clients: Vec::new(), ..toy_world() };
    let mut session = Session::new(spec, 1);
    assert_eq!((session.step(), session.step_back(), session.next_step_at()), (false, false, None));
    session.seek(Instant(5_000_000));
    assert_eq!((session.now(), session.steps()), (Instant(5_000_000), 0));
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let hash = |seed| {
        let mut session = Session::new(toy_world(), seed);
        run_until_ms(&mut session, 100);
        session.trace_hash()
    };
    assert_eq!(hash(7), hash(7));
    assert_ne!(hash(7), hash(8));
}

/// If this fails without a change of the toy, of the kinds of events or of what is mixed into the hash, random numbers
/// or the order of steps have changed, and with them every recorded run.
#[test]
fn the_hash_of_a_toy_run_is_the_one_recorded() {
    let session = session_at_ms(100);
    assert_eq!((session.steps(), session.trace_hash()), (2_846, TraceHash(16_641_324_090_011_264_705)));
}

#[test]
fn checkpoints_of_a_long_run_stay_few_and_near_enough() {
    let mut world = World::new(toy_world(), 7);
    let mut checkpoints = crate::checkpoints::Checkpoints::new(world.clone());
    while world.steps() < 300_000 {
        world.step();
        world.drain_events().for_each(drop);
        if world.steps().is_multiple_of(1_000) {
            checkpoints.keep(&world, world.steps());
        }
    }
    assert!(checkpoints.len() < 90, "{} checkpoints", checkpoints.len());
    let distances = (0..=world.steps()).step_by(500).map(|step| step - checkpoints.before_step(step).steps());
    assert!(distances.max().is_some_and(|distance| distance < 8_000));
    assert!(world.steps() - checkpoints.before_step(world.steps() - 10_000).steps() <= 11_000);
}
