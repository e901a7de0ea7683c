//! Each kind of fault happens as it would to real hosts and processes, and a replay over it comes out the same.

use super::*;
use crate::frame::LinkFrame;
use kafka::fault::{DiskCondition, LinkChange, LinkCondition, Links};

const OTHER_SERVER: NodeId = NodeId::Server(2);
const BETWEEN: Links = Links::Between(SERVER, FIRST_CLIENT);

fn apply(session: &mut Session, command: Command) {
    session.apply(command).expect("the command fits");
}

fn change(session: &mut Session, links: Links, change: LinkChange) {
    apply(session, Command::ChangeLinks { links, change });
}

/// The numbers of the requests that the server took in from the first two clients, with the instant of each.
fn stored(session: &Session, node: NodeId) -> Vec<(Instant, i64)> {
    let appended = |event: Event| match event.kind {
        EventKind::Broker(BrokerEvent::DuplicateFound { first_offset, .. }) => Some((event.at, first_offset.0)),
        _ => None,
    };
    events_of(session, node).into_iter().filter_map(appended).collect()
}

fn answers(session: &Session, node: NodeId) -> Vec<(Instant, i64)> {
    let answered = |event: Event| match event.kind {
        EventKind::Client(ClientEvent::PositionReset { offset, .. }) => Some((event.at, offset.0)),
        _ => None,
    };
    events_of(session, node).into_iter().filter_map(answered).collect()
}

fn disconnections(session: &Session, node: NodeId) -> Vec<Instant> {
    events_of(session, node).iter().filter(|event| is_disconnected(&event.kind)).map(|event| event.at).collect()
}

fn is_in_order_without_gap(answers: &[(Instant, i64)]) -> bool {
    answers.iter().map(|(_, number)| *number).eq(0..answers.len() as i64)
}

fn in_delivery(session: &mut Session, delivery: Delivery) -> usize {
    session.frame().messages.iter().filter(|message| message.delivery == delivery).count()
}

#[test]
fn a_frozen_process_does_nothing_and_then_all_that_waited_in_order() {
    let mut session = session_at_ms(60);
    let before = stored(&session, SERVER).len();
    apply(&mut session, Command::Freeze(SERVER));
    run_until_ms(&mut session, 70);
    assert_eq!(stored(&session, SERVER).len(), before);
    assert!(disconnections(&session, FIRST_CLIENT).is_empty(), "the connection stays open");
    let unread = in_delivery(&mut session, Delivery::Unread);
    assert!(unread > 50, "{unread} requests wait at the server");
    assert!(session.frame().nodes.iter().any(|node| node.id == SERVER && node.faults.is_frozen));
    apply(&mut session, Command::Thaw(SERVER));
    let thawed = session.next_event().0 - 1;
    run_until_ms(&mut session, 90);
    assert_eq!(in_delivery(&mut session, Delivery::Unread), 0);
    let at_once = stored(&session, SERVER).iter().filter(|(at, _)| *at == Instant(70_000)).count();
    assert!(at_once >= unread, "{at_once} of {unread} were taken in at once");
    assert!(is_in_order_without_gap(&answers(&session, FIRST_CLIENT)));
    assert_eq!(session.events(EventId(thawed)).next().map(|event| event.kind), Some(operator_thawed()));
}

fn operator_thawed() -> EventKind {
    EventKind::Operator(OperatorEvent::ProcessThawed)
}

#[test]
fn timers_of_a_frozen_process_run_out_when_it_is_thawed() {
    let mut session = toy_session();
    run_until_ms(&mut session, 5);
    apply(&mut session, Command::Freeze(SERVER));
    run_until_ms(&mut session, 50);
    apply(&mut session, Command::Thaw(SERVER));
    run_until_ms(&mut session, 100);
    let ready = events_of(&session, SERVER).into_iter().find(|event| event.kind == became_ready()).expect("it runs");
    assert_eq!(ready.at, Instant(50_000));
}

fn became_ready() -> EventKind {
    EventKind::Broker(BrokerEvent::BecameReady)
}

#[test]
fn the_host_of_a_frozen_process_accepts_connections() {
    let mut session = session_at_ms(60);
    apply(&mut session, Command::Freeze(SERVER));
    let client = session.apply(Command::StartClient(toy_client("localhost", 9091))).expect("clients can start");
    run_until_ms(&mut session, 80);
    let from_client =
        session.frame().messages.iter().filter(|message| message.from == client).map(|message| message.delivery).min();
    assert!(from_client.is_some(), "the client has been connected and sends");
    assert!(answers(&session, client).is_empty() && disconnections(&session, client).is_empty());
}

#[test]
fn what_is_said_to_a_frozen_process_reaches_it_when_it_is_thawed_and_a_kill_at_once() {
    let mut session = session_at_ms(60);
    apply(&mut session, Command::Freeze(SERVER));
    apply(&mut session, Command::Freeze(OTHER_SERVER));
    apply(&mut session, Command::Stop(SERVER));
    apply(&mut session, Command::Kill(OTHER_SERVER));
    run_until_ms(&mut session, 70);
    let runs = |session: &mut Session, node| {
        session.frame().nodes.iter().any(|other| other.id == node && other.process.is_some())
    };
    assert_eq!((runs(&mut session, SERVER), runs(&mut session, OTHER_SERVER)), (true, false));
    apply(&mut session, Command::Thaw(SERVER));
    run_until_ms(&mut session, 71);
    assert!(!runs(&mut session, SERVER));
    apply(&mut session, Command::Start(OTHER_SERVER));
    run_until_ms(&mut session, 90);
    assert!(session.frame().nodes.iter().all(|node| !node.faults.is_frozen));
}

#[test]
fn a_cut_holds_messages_back_and_healing_delivers_them_all_in_order() {
    let mut session = session_at_ms(60);
    change(&mut session, BETWEEN, LinkChange::Cut);
    let held_at_once = in_delivery(&mut session, Delivery::HeldBack);
    assert!(held_at_once > 0, "what was on its way does not arrive either");
    let before = answers(&session, FIRST_CLIENT).len();
    run_until_ms(&mut session, 160);
    assert_eq!(answers(&session, FIRST_CLIENT).len(), before);
    assert!(in_delivery(&mut session, Delivery::HeldBack) > held_at_once);
    assert!(disconnections(&session, FIRST_CLIENT).is_empty());
    change(&mut session, BETWEEN, LinkChange::Heal);
    run_until_ms(&mut session, 400);
    let answers = answers(&session, FIRST_CLIENT);
    let first_after = answers[before].0;
    // What was sent last before the cut is transmitted again 200 ms later, and takes its way there and back.
    assert!((Instant(255_000)..Instant(275_000)).contains(&first_after), "{first_after}");
    assert!(is_in_order_without_gap(&answers) && answers.len() > before + 100);
    assert_eq!((in_delivery(&mut session, Delivery::HeldBack), session.frame().links.len()), (0, 0));
}

#[test]
fn a_one_way_cut_lets_requests_through_and_no_answers() {
    let mut session = session_at_ms(60);
    let one_way = Links::OneWay { from: SERVER, to: FIRST_CLIENT };
    change(&mut session, one_way, LinkChange::Cut);
    let (asked, answered) = (stored(&session, SERVER).len(), answers(&session, FIRST_CLIENT).len());
    apply(&mut session, Command::Kill(NodeId::Client(2)));
    run_until_ms(&mut session, 120);
    assert!(stored(&session, SERVER).len() > asked + 100);
    assert_eq!(answers(&session, FIRST_CLIENT).len(), answered);
    let condition = LinkCondition { is_cut: true, ..LinkCondition::default() };
    assert_eq!(session.frame().links, [LinkFrame { from: SERVER, to: FIRST_CLIENT, condition }]);
}

#[test]
fn a_connection_over_a_cut_link_is_given_up_after_two_minutes() {
    let mut session = Session::new(WorldSpec { clients: Vec::new(), ..toy_world() }, 7);
    run_until_ms(&mut session, 60);
    change(&mut session, Links::Of(SERVER), LinkChange::Cut);
    let client = session.apply(Command::StartClient(toy_client("localhost", 9091))).expect("clients can start");
    run_until_ms(&mut session, 127_059);
    assert!(disconnections(&session, client).is_empty());
    run_until_ms(&mut session, 127_061);
    assert_eq!(disconnections(&session, client), [Instant(127_060_000)]);
}

#[test]
fn a_host_gives_up_a_connection_on_which_nothing_gets_through_for_a_quarter_of_an_hour() {
    let clients = vec![toy_client("localhost", 9091)];
    let mut session = Session::new(WorldSpec { clients, ..toy_world() }, 7);
    run_until_ms(&mut session, 60);
    change(&mut session, Links::OneWay { from: SERVER, to: FIRST_CLIENT }, LinkChange::Cut);
    apply(&mut session, Command::Tell(FIRST_CLIENT, produce()));
    apply(&mut session, Command::Freeze(FIRST_CLIENT));
    run_until_ms(&mut session, 924_000);
    assert!(server_state(&session.frame()).is_some_and(|(_, in_memory)| in_memory > 0));
    run_until_ms(&mut session, 925_000);
    assert!(server_state(&session.frame()).is_some_and(|(_, in_memory)| in_memory == 0), "the server was told");
    change(&mut session, Links::All, LinkChange::Heal);
    apply(&mut session, Command::Thaw(FIRST_CLIENT));
    run_until_ms(&mut session, 925_100);
    assert_eq!(disconnections(&session, FIRST_CLIENT).len(), 1, "what the client sends is answered by a reset");
}

#[test]
fn delay_jitter_and_loss_slow_messages_down_and_lose_none() {
    let changes = [
        (LinkChange::Delay(Duration(30_000)), 60_000),
        (LinkChange::Jitter(Duration(40_000)), 20_000),
        (LinkChange::Loss(100), 400_000),
    ];
    for (link_change, at_least) in changes {
        let mut session = session_at_ms(60);
        change(&mut session, Links::All, link_change);
        run_until_ms(&mut session, 160);
        let frame = session.frame();
        let longest = frame.messages.iter().map(|message| arrival(message).since(message.sent_at).0).max();
        assert!(longest.is_some_and(|longest| longest >= at_least / 2), "{link_change:?}: {longest:?}");
        change(&mut session, Links::All, LinkChange::Heal);
        run_until_ms(&mut session, 3_000);
        let answers = answers(&session, FIRST_CLIENT);
        assert!(is_in_order_without_gap(&answers) && answers.len() > 1_000, "{link_change:?}");
    }
}

#[test]
fn a_loss_of_power_closes_no_connection_until_the_host_is_back() {
    let mut session = session_at_ms(60);
    apply(&mut session, Command::PowerOff(SERVER));
    assert_eq!(server_state(&session.frame()), None);
    run_until_ms(&mut session, 1_000);
    assert!(disconnections(&session, FIRST_CLIENT).is_empty(), "nobody tells the client");
    assert!(in_delivery(&mut session, Delivery::HeldBack) > 1_000);
    apply(&mut session, Command::Start(SERVER));
    run_until_ms(&mut session, 3_000);
    let told = disconnections(&session, FIRST_CLIENT)[0];
    assert!((Instant(1_000_000)..Instant(1_500_000)).contains(&told), "a reset answers what is transmitted again");
    assert!(answers(&session, FIRST_CLIENT).last().is_some_and(|(at, _)| *at > told), "it is connected again");
}

#[test]
fn a_slow_disk_delays_answers_and_nothing_else_and_keeps_their_order() {
    let mut session = session_at_ms(60);
    let condition = DiskCondition::Slow(Duration(2_000));
    apply(&mut session, Command::SetDisk { node: SERVER, condition });
    run_until_ms(&mut session, 160);
    let events: Vec<Event> = session.events(EventId(0)).collect();
    let slowed = events.iter().filter(|event| event.node == FIRST_CLIENT && event.at > Instant(70_000));
    let waits = slowed.filter_map(|answer| {
        let cause = &events[answer.cause?.0 as usize];
        matches!(answer.kind, EventKind::Client(ClientEvent::PositionReset { .. })).then(|| answer.at.since(cause.at).0)
    });
    let waits: Vec<u64> = waits.collect();
    assert!(waits.iter().all(|wait| *wait > 2_000) && waits.len() > 5, "{waits:?}");
    assert!(waits.last() > waits.first(), "writes wait for the writes before them");
    assert!(is_in_order_without_gap(&answers(&session, FIRST_CLIENT)));
    apply(&mut session, Command::SetDisk { node: SERVER, condition: DiskCondition::Sound });
    apply(&mut session, Command::Kill(SERVER));
    let answered = answers(&session, FIRST_CLIENT).len();
    run_until_ms(&mut session, 2_000);
    let after = answers(&session, FIRST_CLIENT).len() - answered;
    assert!(after < 20, "what waited for the disk died with the process, but {after} answers came");
}

#[test]
fn a_disk_that_is_sound_again_keeps_nothing_waiting() {
    let mut session = session_at_ms(60);
    let condition = DiskCondition::Slow(Duration(2_000_000));
    apply(&mut session, Command::SetDisk { node: SERVER, condition });
    run_until_ms(&mut session, 160);
    let before = answers(&session, FIRST_CLIENT).len();
    run_until_ms(&mut session, 1_000);
    assert_eq!(answers(&session, FIRST_CLIENT).len(), before, "the disk has not written yet");
    apply(&mut session, Command::SetDisk { node: SERVER, condition: DiskCondition::Sound });
    run_until_ms(&mut session, 1_050);
    let answers = answers(&session, FIRST_CLIENT);
    assert!(answers.len() > before, "what waited has left");
    assert!(is_in_order_without_gap(&answers));
}

#[test]
fn the_first_write_to_a_full_disk_ends_the_process_and_leaves_the_disk_as_it_was() {
    let mut session = session_at_ms(60);
    let (stored_before, _) = server_state(&session.frame()).expect("the server runs");
    apply(&mut session, Command::SetDisk { node: SERVER, condition: DiskCondition::Full });
    run_until_ms(&mut session, 80);
    let events = events_of(&session, SERVER);
    let failed = find(&events, |kind| is_operator(kind, &OperatorEvent::DiskWriteFailed));
    let exited = find(&events, |kind| is_operator(kind, &OperatorEvent::ProcessExited { status: ExitStatus(1) }));
    assert_eq!(exited.cause, Some(failed.id));
    let frame = session.frame();
    let disk = &frame.nodes.iter().find(|node| node.id == SERVER).expect("it is still a node").disk;
    assert_eq!(disk[&toy::partition()].batches().len() as i64, stored_before);
    assert_eq!(disconnections(&session, FIRST_CLIENT).first().map(|at| at.0 / 10_000), Some(6));
}

#[test]
fn servers_come_and_go_while_the_world_runs() {
    let mut session = session_at_ms(60);
    let added = session.apply(Command::AddServer(Box::new(toy_server(3)))).expect("there is room");
    assert_eq!(added, NodeId::Server(3));
    let client = session.apply(Command::StartClient(toy_client("localhost", 9093))).expect("clients can start");
    run_until_ms(&mut session, 120);
    assert!(answers(&session, client).len() > 50);
    assert_eq!(session.apply(Command::RemoveServer(added)), Err(CommandError::StillRunning(added)));
    apply(&mut session, Command::PowerOff(added));
    apply(&mut session, Command::RemoveServer(added));
    assert!(session.frame().nodes.iter().all(|node| node.id != added));
    run_until_ms(&mut session, 200);
    apply(&mut session, Command::AddServer(Box::new(toy_server(3))));
    run_until_ms(&mut session, 2_000);
    assert!(stored(&session, added).len() > 1_000, "its clients find it again");
    let first_of_new_disk = session
        .events(EventId(0))
        .filter(|event| event.node == added && event.at > Instant(200_000))
        .find_map(|event| match event.kind {
            EventKind::Broker(BrokerEvent::DuplicateFound { last_offset, .. }) => Some(last_offset.0),
            _ => None,
        });
    assert_eq!(first_of_new_disk, Some(0));
}

#[test]
fn faults_that_do_not_fit_change_nothing() {
    let mut session = session_at_ms(60);
    apply(&mut session, Command::Kill(OTHER_SERVER));
    apply(&mut session, Command::Freeze(FIRST_CLIENT));
    let here = picture(&mut session);
    let cut = |links| Command::ChangeLinks { links, change: LinkChange::Cut };
    let nobody = NodeId::Server(9);
    let taken = ServerSpec { node_id: 5, ..toy_server(1) };
    let refused = [
        (Command::Freeze(OTHER_SERVER), CommandError::NotRunning(OTHER_SERVER)),
        (Command::Freeze(FIRST_CLIENT), CommandError::AlreadyFrozen(FIRST_CLIENT)),
        (Command::Thaw(SERVER), CommandError::NotFrozen(SERVER)),
        (Command::PowerOff(FIRST_CLIENT), CommandError::NotAServer(FIRST_CLIENT)),
        (Command::SetDisk { node: nobody, condition: DiskCondition::Full }, CommandError::UnknownNode(nobody)),
        (Command::SetClock { node: nobody, offset_ms: 1 }, CommandError::UnknownNode(nobody)),
        (cut(Links::Between(SERVER, nobody)), CommandError::UnknownNode(nobody)),
        (cut(Links::Between(SERVER, SERVER)), CommandError::NoLink(SERVER)),
        (Command::ChangeLinks { links: Links::All, change: LinkChange::Loss(1_000) }, CommandError::LossOutOfRange),
        (Command::AddServer(Box::new(toy_server(1))), CommandError::AlreadyThere(SERVER)),
        (Command::AddServer(Box::new(taken)), CommandError::AddressInUse(Endpoint::new("localhost", 9091))),
        (Command::RemoveServer(SERVER), CommandError::StillRunning(SERVER)),
    ];
    for (command, error) in refused {
        assert_eq!(session.apply(command), Err(error));
    }
    assert_eq!(picture(&mut session), here);
}

fn random_fault(rng: &mut kafka::Rng) -> Command {
    let node = NodeId::Server(rng.random_range(1..=4));
    let client = NodeId::Client(rng.random_range(1..=4));
    let links = match rng.random_range(0..4) {
        0 => Links::All,
        1 => Links::Of(node),
        2 => Links::Between(node, client),
        _ => Links::OneWay { from: client, to: node },
    };
    let change = |change| Command::ChangeLinks { links, change };
    match rng.random_range(0..18) {
        0 => Command::Freeze(node),
        1 => Command::Freeze(client),
        2 | 3 => Command::Thaw(node),
        4 => Command::Thaw(client),
        5 => Command::PowerOff(node),
        6 | 7 => Command::Start(node),
        8 => Command::SetDisk { node, condition: DiskCondition::Slow(Duration(rng.random_range(0..3_000))) },
        9 => Command::SetDisk { node, condition: DiskCondition::Full },
        10 => Command::SetDisk { node, condition: DiskCondition::Sound },
        11 => change(LinkChange::Cut),
        12 | 13 => change(LinkChange::Heal),
        14 => change(LinkChange::Loss(rng.random_range(0..1_000))),
        15 => change(LinkChange::Jitter(Duration(rng.random_range(0..20_000)))),
        16 => Command::AddServer(Box::new(toy_server(rng.random_range(1..=4)))),
        _ => Command::RemoveServer(node),
    }
}

#[test]
fn any_sequence_of_faults_replays_to_the_same_hashes() {
    let (mut applied, mut refused) = (BTreeSet::new(), 0);
    for seed in 0..12 {
        let mut rng = crate::random::stream(seed, "faults");
        let mut session = Session::new(toy_world(), seed);
        let mut seen = Vec::new();
        for _ in 0..40 {
            let pause = if rng.random_range(0..20) == 0 { 200_000_000 } else { rng.random_range(0..30_000) };
            let until = session.now() + Duration(pause);
            session.run(Budget { until, steps: 400 });
            let command = random_fault(&mut rng);
            match session.apply(command.clone()) {
                Ok(_) => {
                    applied.insert(format!("{command:?}").chars().take(12).collect::<String>());
                }
                Err(_) => refused += 1,
            }
            seen.push((session.steps(), session.trace_hash()));
        }
        for (steps, hash) in seen.iter().rev().step_by(7) {
            session.seek_step(*steps);
            assert_eq!(session.trace_hash(), *hash, "seed {seed}, step {steps}");
        }
    }
    assert!(applied.len() >= 8 && refused > 30, "{applied:?} were applied, {refused} refused");
}
