use super::*;
use crate::Rng;
use crate::event::EventKind;
use crate::instant::WallClock;
use crate::node::NodeId;
use rand::SeedableRng;
use std::collections::BTreeMap;
use wire::Timestamp;
use wire::zookeeper::ZooKeeperRequest as Asked;

/// A process that only has a session: what it sent, and when its timer fires.
struct Process {
    now: Instant,
    rng: Rng,
    opened: u32,
    closed: Vec<ConnectionId>,
    sent: Vec<ZooKeeperRequest>,
    timers: BTreeMap<HostTimer, Instant>,
}

impl Host for Process {
    fn now(&self) -> Instant {
        self.now
    }
    fn clock(&self) -> WallClock {
        WallClock { epoch: Timestamp(0) }
    }
    fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }
    fn open(&mut self, owner: ConnectionOwner, _: &Endpoint) -> ConnectionId {
        assert_eq!(owner, ConnectionOwner::ZooKeeper);
        self.opened += 1;
        connection(self.opened)
    }
    fn close(&mut self, connection: ConnectionId) {
        self.closed.push(connection);
    }
    fn send(&mut self, _: ConnectionId, _: i32, request: Request) {
        let Request::ZooKeeper(request) = request else { panic!("{request:?}") };
        self.sent.push(*request);
    }
    fn set_timer(&mut self, timer: HostTimer, at: Instant) {
        self.timers.insert(timer, at);
    }
    fn cancel_timer(&mut self, timer: HostTimer) {
        self.timers.remove(&timer);
    }
    fn note(&mut self, _: EventKind) {}
}

fn connection(number: u32) -> ConnectionId {
    ConnectionId { opener: NodeId::Server(1), incarnation: 0, number }
}

const SESSION: SessionId = SessionId(7);

fn begun() -> (ZooKeeperClient<u8>, Process) {
    let mut process = Process {
        now: Instant::ZERO,
        rng: Rng::seed_from_u64(1),
        opened: 0,
        closed: Vec::new(),
        sent: Vec::new(),
        timers: BTreeMap::new(),
    };
    let mut client = ZooKeeperClient::new(Endpoint::new("localhost", 2181), 18_000);
    client.begin(&mut process);
    client.on_connected(connection(1), &mut process);
    assert_eq!(process.sent, [Asked::Connect { session: None, timeout_ms: 18_000 }]);
    let began = client.on_response(connection(1), connected(), &mut process);
    assert_eq!(began, [SessionEvent::Began { session: SESSION }]);
    process.sent.clear();
    (client, process)
}

fn connected() -> ZooKeeperResponse {
    ZooKeeperResponse::Connected { session: SESSION, timeout_ms: 18_000 }
}

fn exists(at: &str) -> Operation {
    Operation::Exists { path: ZnodePath::new(at), watch: true }
}

fn no_node() -> ZooKeeperResponse {
    ZooKeeperResponse::Operation { zxid: Zxid(5), result: Err(ZooKeeperError::NoNode) }
}

fn answered(tag: u8) -> SessionEvent<u8> {
    SessionEvent::Answered { tag, answer: Answer::Operation(Err(ZooKeeperError::NoNode)) }
}

fn sleep_until_timer(client: &mut ZooKeeperClient<u8>, process: &mut Process) -> Vec<SessionEvent<u8>> {
    process.now = process.timers.remove(&HostTimer::ZooKeeperSession).expect("the timer is set");
    client.on_timer(process)
}

#[test]
fn a_session_pings_every_third_of_its_timeout_and_misses_its_answers_after_two() {
    let (mut client, mut process) = begun();
    assert_eq!(sleep_until_timer(&mut client, &mut process), []);
    assert_eq!((process.now.as_ms(), process.sent.clone()), (6_000, vec![Asked::Ping]));
    assert_eq!(sleep_until_timer(&mut client, &mut process), [SessionEvent::Disconnected]);
    assert_eq!((process.now.as_ms(), process.closed.clone()), (12_000, vec![connection(1)]));
    sleep_until_timer(&mut client, &mut process);
    assert_eq!(process.opened, 2);
}

#[test]
fn answers_come_in_order_and_ten_requests_are_in_flight_at_most() {
    let (mut client, mut process) = begun();
    (0..12).for_each(|tag| client.submit(tag, Call::Operation(exists("/a")), &mut process));
    assert_eq!(process.sent.len(), 10);
    assert_eq!(client.on_response(connection(1), no_node(), &mut process), [answered(0)]);
    assert_eq!(process.sent.len(), 11);
}

#[test]
fn after_a_lost_connection_the_session_goes_on_with_its_watches_and_unanswered_requests() {
    let (mut client, mut process) = begun();
    client.submit(1, Call::Operation(exists("/a")), &mut process);
    client.on_response(connection(1), no_node(), &mut process);
    client.submit(2, Call::Operation(exists("/b")), &mut process);
    assert_eq!(client.on_disconnected(connection(1), &mut process), [SessionEvent::Disconnected]);
    client.submit(3, Call::Operation(exists("/c")), &mut process);
    process.sent.clear();
    sleep_until_timer(&mut client, &mut process);
    client.on_connected(connection(2), &mut process);
    assert_eq!(client.on_response(connection(2), connected(), &mut process), [SessionEvent::Reconnected]);
    assert_eq!(
        process.sent,
        [
            Asked::Connect { session: Some(SESSION), timeout_ms: 18_000 },
            Asked::SetWatches { relative_zxid: Zxid(5), watches: vec![(WatchKind::Exist, ZnodePath::new("/a"))] },
            Asked::Operation(exists("/b")),
            Asked::Operation(exists("/c")),
        ]
    );
}

#[test]
fn an_expired_session_fails_what_waits_and_begins_anew_only_when_told() {
    let (mut client, mut process) = begun();
    client.submit(1, Call::Operation(exists("/a")), &mut process);
    client.on_disconnected(connection(1), &mut process);
    sleep_until_timer(&mut client, &mut process);
    client.on_connected(connection(2), &mut process);
    let events = client.on_response(connection(2), ZooKeeperResponse::SessionExpired, &mut process);
    assert_eq!(events, [SessionEvent::Expired, SessionEvent::Answered { tag: 1, answer: Answer::SessionExpired }]);
    assert_eq!((client.session(), process.timers.len()), (None, 0));
    client.begin(&mut process);
    client.on_connected(connection(3), &mut process);
    assert_eq!(process.sent.last(), Some(&Asked::Connect { session: None, timeout_ms: 18_000 }));
}
