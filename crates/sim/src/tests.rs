//! The world and its histories, run with toy machines: whatever holds here holds for any machine.

#![allow(clippy::wildcard_enum_match_arm, reason = "what a test does not expect fails it")]

use crate::command::{Command, CommandError};
use crate::frame::{BranchId, FlightContent, Frame};
use crate::session::{Budget, Session, Stopped};
use crate::toy;
use crate::trace::{Event, EventId, TraceHash};
use crate::world::World;
use crate::world_spec::{NetworkSpec, WorldSpec};
use kafka::event::{BrokerEvent, ClientEvent, EventKind, OperatorEvent};
use kafka::instant::{Duration, Instant};
use kafka::node::{ExitStatus, Instruction, NodeId, ProducerRecord};
use kafka::spec::{
    ClientSpec, ProducerConfig, ProducerSpec, Program, ServerRole, ServerSpec, TopicFilter, TopicsAction,
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
        controllers: Vec::new(),
        properties: Arc::new(BTreeMap::from([("toy".to_owned(), String::new())])),
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
    session.events(EventId(0)).cloned().collect()
}

fn events_of(session: &Session, node: NodeId) -> Vec<Event> {
    session.events(EventId(0)).filter(|event| event.node == node).cloned().collect()
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
            if let EventKind::Broker(BrokerEvent::RecordsAppended { first_offset, .. }) = event.kind {
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
    assert_eq!(disk[&toy::partition()].batches.len() as i64, stored);
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

fn last_response_to(frame: &Frame, client: NodeId) -> Instant {
    let to_client = frame.messages.iter().filter(|message| message.from == SERVER && message.to == client);
    to_client.map(|message| message.deliver_at).max().expect("answers are on their way")
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
            assert!(matches!(cause.kind, EventKind::Broker(BrokerEvent::RecordsAppended { .. })));
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
fn seeking_back_and_forth_gives_the_same_frames_and_hashes() {
    let mut session = toy_session();
    let mut seen: Vec<(Instant, u64, TraceHash, String)> = Vec::new();
    for millisecond in 1..200 {
        run_until_ms(&mut session, millisecond * 5);
        let picture = picture(&mut session);
        seen.push((session.now(), session.steps(), session.trace_hash(), picture));
    }
    assert!(session.steps() > 5_000, "{} steps are too few to need checkpoints", session.steps());
    let all = events(&session);
    for index in [150, 3, 198, 197, 0, 60, 61, 20, 198] {
        let (now, steps, hash, expected) = &seen[index];
        session.seek(*now);
        assert_eq!((session.now(), session.steps(), session.trace_hash()), (*now, *steps, *hash));
        assert_eq!(&picture(&mut session), expected);
        assert_eq!(session.known_until(), seen[198].0);
    }
    assert_eq!(events(&session), all);
    assert_eq!(session.branches().len(), 1);
}

#[test]
fn a_step_back_and_a_step_forward_end_where_they_began() {
    let mut session = session_at_ms(300);
    for _ in 0..20 {
        session.step();
        let (steps, here) = (session.steps(), picture(&mut session));
        assert!(session.step_back());
        assert_eq!(session.steps(), steps - 1);
        assert_ne!(picture(&mut session), here);
        assert!(session.step());
        assert_eq!(picture(&mut session), here);
    }
}

#[test]
fn steps_can_be_taken_back_to_the_very_beginning() {
    let mut session = toy_session();
    let mut hashes = vec![session.trace_hash()];
    for _ in 0..1_500 {
        session.step();
        hashes.push(session.trace_hash());
    }
    assert_eq!(hashes.iter().map(|hash| hash.0).collect::<BTreeSet<u64>>().len(), 1_501, "every step changes the hash");
    for expected in hashes.iter().rev().skip(1) {
        assert!(session.step_back());
        assert_eq!(session.trace_hash(), *expected);
    }
    assert!(!session.step_back());
    assert_eq!((session.now(), session.steps()), (Instant::ZERO, 0));
    session.seek_step(1_500);
    assert_eq!(session.trace_hash(), hashes[1_500]);
}

#[test]
fn seeking_a_step_goes_just_behind_it_and_not_beyond_the_known() {
    let mut session = session_at_ms(300);
    let known = session.steps();
    session.seek_step(1_234);
    let event = session.events(EventId(0)).find(|event| event.step == 1_234).cloned();
    assert_eq!((session.steps(), event.map(|event| event.at)), (1_234, Some(session.now())));
    session.seek_step(u64::MAX);
    assert_eq!((session.steps(), session.now()), (known, Instant(300_000)));
}

#[test]
fn a_command_in_the_past_forks_and_leaves_the_old_branch_as_it_was() {
    let mut session = session_at_ms(300);
    let (old_events, old_picture) = (events(&session), picture(&mut session));
    session.seek(Instant(100_000));
    let shared = session.next_event();
    session.apply(Command::Kill(SERVER)).expect("the server runs");
    run_until_ms(&mut session, 300);
    let (fork, fork_picture, fork_events) = (session.branch(), picture(&mut session), events(&session));
    assert_eq!(fork, BranchId(1));
    assert_eq!(session.branches()[1].forked_from, Some((BranchId(0), Instant(100_000))));
    assert!(session.branches()[1].shared_steps < session.steps());
    assert_eq!(fork_events[..shared.0 as usize], old_events[..shared.0 as usize]);
    assert_eq!(fork_events[shared.0 as usize].kind, EventKind::Operator(OperatorEvent::ProcessKilled));
    assert!(session.switch_branch(BranchId(0)));
    assert_eq!((picture(&mut session), events(&session)), (old_picture, old_events));
    assert!(session.switch_branch(fork));
    assert_eq!((picture(&mut session), events(&session)), (fork_picture, fork_events));
    assert!(!session.switch_branch(BranchId(2)));
}

#[test]
fn a_fork_without_a_command_goes_on_as_the_old_branch_did() {
    let mut session = session_at_ms(300);
    let (old_events, old_hash) = (events(&session), session.trace_hash());
    session.seek(Instant(100_000));
    assert_eq!((session.fork(), session.known_until()), (BranchId(1), Instant(100_000)));
    run_until_ms(&mut session, 300);
    assert_eq!((events(&session), session.trace_hash()), (old_events, old_hash));
}

#[test]
fn a_command_at_the_end_of_what_is_known_does_not_fork() {
    let mut session = session_at_ms(100);
    session.apply(Command::Kill(SERVER)).expect("the server runs");
    session.apply(Command::Start(SERVER)).expect("the server is down");
    session.seek(Instant(50_000));
    session.seek(Instant(100_000));
    session.apply(Command::Kill(SERVER)).expect("the server runs");
    assert_eq!(session.branches().len(), 1);
}

#[test]
fn switching_to_a_shorter_branch_goes_to_its_end() {
    let mut session = session_at_ms(100);
    session.seek(Instant(50_000));
    session.apply(Command::Kill(SERVER)).expect("the server runs");
    session.switch_branch(BranchId(0));
    session.seek(Instant(100_000));
    session.switch_branch(BranchId(1));
    assert_eq!((session.now(), session.known_until()), (Instant(50_000), Instant(50_000)));
    assert_eq!(server_state(&session.frame()), None);
}

#[test]
fn commands_between_steps_are_done_again_in_a_replay() {
    let mut session = session_at_ms(100);
    session.apply(Command::Tell(FIRST_CLIENT, produce())).expect("the client runs");
    session.apply(Command::Stop(SERVER)).expect("the server runs");
    run_until_ms(&mut session, 150);
    session.apply(Command::Start(SERVER)).expect("the server is down");
    let late = session.apply(Command::StartClient(toy_client("localhost", 9091))).expect("clients can start");
    run_until_ms(&mut session, 400);
    let (end, hash, all) = (picture(&mut session), session.trace_hash(), events(&session));
    session.seek(Instant(149_999));
    assert_eq!((server_state(&session.frame()), session.next_step_at().is_some()), (None, true));
    session.seek(Instant(150_000));
    assert!(session.frame().nodes.iter().any(|node| node.id == late));
    session.seek(Instant::ZERO);
    session.seek(Instant(400_000));
    assert_eq!((picture(&mut session), session.trace_hash(), events(&session)), (end, hash, all));
}

#[test]
fn the_next_step_of_a_replay_may_be_a_command() {
    let mut session = session_at_ms(99);
    session.apply(Command::Kill(SERVER)).expect("the server runs");
    let killed_in = session.steps();
    run_until_ms(&mut session, 120);
    session.seek_step(killed_in - 1);
    assert_eq!(session.next_step_at(), Some(Instant(99_000)));
    assert!(session.step());
    assert_eq!((session.steps(), session.now(), server_state(&session.frame())), (killed_in, Instant(99_000), None));
}

#[test]
fn commands_that_do_not_fit_change_nothing() {
    let mut session = session_at_ms(60);
    session.apply(Command::Kill(NodeId::Server(2))).expect("the server runs");
    session.apply(Command::Kill(NodeId::Client(3))).expect("the client runs");
    let here = picture(&mut session);
    let refused = [
        (Command::Kill(NodeId::Server(9)), CommandError::UnknownNode(NodeId::Server(9))),
        (Command::Stop(NodeId::Client(4)), CommandError::UnknownNode(NodeId::Client(4))),
        (Command::Start(NodeId::Client(0)), CommandError::UnknownNode(NodeId::Client(0))),
        (Command::Kill(NodeId::Server(2)), CommandError::NotRunning(NodeId::Server(2))),
        (Command::Tell(NodeId::Client(3), produce()), CommandError::NotRunning(NodeId::Client(3))),
        (Command::Start(SERVER), CommandError::AlreadyRunning(SERVER)),
        (Command::Start(FIRST_CLIENT), CommandError::AlreadyRunning(FIRST_CLIENT)),
        (Command::Start(NodeId::Client(3)), CommandError::NotAServer(NodeId::Client(3))),
        (Command::Tell(SERVER, produce()), CommandError::NotAClient(SERVER)),
    ];
    for (command, error) in refused {
        assert_eq!(session.apply(command), Err(error));
    }
    assert_eq!(picture(&mut session), here);
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
    assert!(frame.messages.iter().all(|message| message.sent_at <= frame.now && frame.now <= message.deliver_at));
    assert!(frame.messages.is_sorted_by_key(|message| message.deliver_at));
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

/// If this fails without a change of the toy, of the kinds of events or of what is mixed into the hash, random numbers or the order of steps
/// have changed, and with them every recorded run.
#[test]
fn the_hash_of_a_toy_run_is_the_one_recorded() {
    let session = session_at_ms(100);
    assert_eq!((session.steps(), session.trace_hash()), (2_846, TraceHash(324_112_736_637_080_849)));
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

/// What was seen of a run at its branches and steps, whichever way they were reached.
#[derive(Default)]
struct Seen {
    hashes: BTreeMap<(BranchId, u64), TraceHash>,
    events: BTreeMap<BranchId, Vec<Event>>,
    met_again: u32,
}

impl Seen {
    fn look(&mut self, session: &Session) {
        let (place, hash) = ((session.branch(), session.steps()), session.trace_hash());
        match self.hashes.insert(place, hash) {
            Some(before) => {
                assert_eq!(hash, before, "{place:?}");
                self.met_again += 1;
            }
            None => assert!(session.now() <= session.known_until()),
        }
        let known = self.events.entry(session.branch()).or_default();
        let now_known = events(session);
        assert_eq!(now_known[..known.len()], known[..]);
        *known = now_known;
        assert!(session.next_step_at().is_none_or(|next| next >= session.now()));
    }
}

fn move_at_random(session: &mut Session, rng: &mut kafka::Rng) {
    let instant = Instant(rng.random_range(0..=session.known_until().0 + 5_000));
    let command = match rng.random_range(0..10) {
        0 | 1 => return session.seek(instant),
        2 => return session.seek_step(rng.random_range(0..4_000)),
        3 => return assert_eq!(session.steps() > 0, session.step_back()),
        4 => return assert_eq!(session.next_step_at().is_some(), session.step()),
        5 => Command::Kill(SERVER),
        6 => Command::Start(SERVER),
        7 => Command::Tell(FIRST_CLIENT, produce()),
        8 => {
            let branch = BranchId(rng.random_range(0..8));
            return assert_eq!(session.branches().len() > branch.0 as usize, session.switch_branch(branch));
        }
        _ => {
            session.run(Budget { until: session.now() + Duration(20_000), steps: 500 });
            return;
        }
    };
    let branches = session.branches().len();
    if session.apply(command).is_err() {
        assert_eq!(session.branches().len(), branches, "what does not fit does not fork");
    }
}

#[test]
fn however_one_moves_the_same_step_of_a_branch_is_the_same() {
    let mut met_again = 0;
    for seed in 0..8 {
        let mut rng = crate::random::stream(seed, "moves");
        let (mut session, mut seen) = (Session::new(toy_world(), seed), Seen::default());
        for _ in 0..200 {
            move_at_random(&mut session, &mut rng);
            seen.look(&session);
        }
        assert!(session.branches().len() > 5, "{} branches", session.branches().len());
        met_again += seen.met_again;
    }
    assert!(met_again > 30, "only {met_again} places were seen more than once");
}
