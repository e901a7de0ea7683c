//! Moving through time: seeking, stepping back, forking, and replays that must come out as recorded.

use super::*;

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
    let event = session.events(EventId(0)).find(|event| event.step == 1_234);
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
