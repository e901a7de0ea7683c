use super::*;
use crate::instant::WallClock;
use crate::node::{Effect, NodeId};
use wire::Timestamp;
use wire::zookeeper::{CreateMode, Stat, WatchedEventKind, ZnodeData, ZnodeVersion};

const EPOCH: Timestamp = Timestamp(1_795_230_000_000);

/// An ensemble with its disk, and what it sent.
struct World {
    zookeeper: ZooKeeper,
    disk: Disk,
    now: Instant,
    sent: Vec<(ConnectionId, ZooKeeperResponse)>,
    closed: Vec<ConnectionId>,
    timers: BTreeMap<Timer, Instant>,
}

fn connection(broker: i32, number: u32) -> ConnectionId {
    ConnectionId { opener: NodeId::Server(broker), incarnation: 0, number }
}

fn path(text: &str) -> ZnodePath {
    ZnodePath::new(text)
}

fn create(at: &str, mode: CreateMode) -> Operation {
    Operation::Create { path: path(at), data: ZnodeData::Empty, mode }
}

fn exists(at: &str) -> Operation {
    Operation::Exists { path: path(at), watch: true }
}

fn children(at: &str) -> Operation {
    Operation::GetChildren { path: path(at), watch: true }
}

fn set(at: &str, epoch: i32, version: Option<i32>) -> Operation {
    let version = version.map(ZnodeVersion);
    Operation::SetData { path: path(at), data: ZnodeData::ControllerEpoch(epoch), version }
}

impl World {
    fn new() -> World {
        let mut world = World {
            zookeeper: ZooKeeper::new(identity(0)),
            disk: Disk::default(),
            now: Instant::ZERO,
            sent: Vec::new(),
            closed: Vec::new(),
            timers: BTreeMap::new(),
        };
        world.step(Input::Started { disk: Disk::default() });
        world
    }

    fn restart(&mut self) {
        self.zookeeper = ZooKeeper::new(identity(1));
        self.timers.clear();
        let disk = self.disk.clone();
        self.step(Input::Started { disk });
    }

    fn step(&mut self, input: Input) {
        let mut effects = Effects::new();
        self.zookeeper.step(self.now, input, &mut effects);
        for effect in effects.drain() {
            match effect {
                Effect::Send { connection, message: Message::Response { response, .. } } => {
                    let Response::ZooKeeper(response) = response else { panic!("ZooKeeper speaks its own protocol") };
                    self.sent.push((connection, *response));
                }
                Effect::Close { connection } => self.closed.push(connection),
                Effect::Write(write) => self.disk.apply(write),
                Effect::SetTimer { timer, at } => {
                    self.timers.insert(timer, at);
                }
                Effect::CancelTimer { timer } => {
                    self.timers.remove(&timer);
                }
                Effect::Listen(_) | Effect::StopListening(_) | Effect::Note(_) => {}
                other => panic!("unexpected effect {other:?}"),
            }
        }
    }

    fn request(&mut self, connection: ConnectionId, request: ZooKeeperRequest) -> ZooKeeperResponse {
        let message = Message::Request { correlation_id: 1, request: Request::ZooKeeper(Box::new(request)) };
        self.step(Input::Received { connection, listener: crate::node::Listener::Plaintext, message });
        self.sent.pop().expect("every request is answered").1
    }

    fn begin(&mut self, connection: ConnectionId) -> SessionId {
        match self.request(connection, ZooKeeperRequest::Connect { session: None, timeout_ms: 18_000 }) {
            ZooKeeperResponse::Connected { session, timeout_ms: 18_000 } => session,
            other => panic!("{other:?}"),
        }
    }

    fn go_on(&mut self, connection: ConnectionId, session: SessionId) -> ZooKeeperResponse {
        self.request(connection, ZooKeeperRequest::Connect { session: Some(session), timeout_ms: 18_000 })
    }

    fn ask(&mut self, connection: ConnectionId, operation: Operation) -> Result<OperationResult, ZooKeeperError> {
        match self.request(connection, ZooKeeperRequest::Operation(operation)) {
            ZooKeeperResponse::Operation { result, .. } => result,
            other => panic!("{other:?}"),
        }
    }

    fn stat(&mut self, connection: ConnectionId, at: &str) -> Option<Stat> {
        match self.ask(connection, Operation::Exists { path: path(at), watch: false }) {
            Ok(OperationResult::Exists(stat)) => Some(stat),
            Err(ZooKeeperError::NoNode) => None,
            other => panic!("{other:?}"),
        }
    }

    /// Lets time pass; timers fire.
    fn sleep_ms(&mut self, ms: i64) {
        let until = self.now + Duration::from_ms(ms);
        while let Some((timer, at)) = self.timers.iter().map(|(timer, at)| (*timer, *at)).min_by_key(|(_, at)| *at) {
            if at > until {
                break;
            }
            self.timers.remove(&timer);
            self.now = at;
            self.step(Input::TimerFired { timer });
        }
        self.now = until;
    }

    fn notifications(&mut self) -> Vec<(ConnectionId, WatchedEventKind, String)> {
        let sent = std::mem::take(&mut self.sent);
        let told = |(connection, response)| match response {
            ZooKeeperResponse::Watched(event) => (connection, event.kind, event.path.0.to_string()),
            other => panic!("{other:?}"),
        };
        sent.into_iter().map(told).collect()
    }
}

fn identity(incarnation: u32) -> Identity {
    Identity { node: NodeId::ZooKeeper, incarnation, clock: WallClock { epoch: EPOCH } }
}

#[test]
fn a_znode_counts_its_changes_and_those_of_its_children() {
    let mut world = World::new();
    let here = connection(1, 0);
    world.begin(here);
    world.ask(here, create("/a", CreateMode::Persistent)).expect("the root exists");
    world.ask(here, create("/a/b", CreateMode::Persistent)).expect("its parent exists");
    world.ask(here, set("/a", 12, None)).expect("any version will do");
    let stat = world.stat(here, "/a").expect("it was made");
    assert_eq!((stat.czxid, stat.pzxid, stat.mzxid), (Zxid(2), Zxid(3), Zxid(4)));
    assert_eq!((stat.version, stat.cversion, stat.num_children, stat.data_length), (ZnodeVersion(1), 1, 1, 2));
}

#[test]
fn operations_fail_as_zookeeper_lets_them_fail() {
    let mut world = World::new();
    let here = connection(1, 0);
    world.begin(here);
    world.ask(here, create("/a", CreateMode::Persistent)).expect("the root exists");
    world.ask(here, create("/a/e", CreateMode::Ephemeral)).expect("its parent exists");
    let delete = |at: &str, version| Operation::Delete { path: path(at), version };
    let table = [
        (create("/a", CreateMode::Persistent), ZooKeeperError::NodeExists),
        (create("/x/y", CreateMode::Persistent), ZooKeeperError::NoNode),
        (create("/a/e/f", CreateMode::Persistent), ZooKeeperError::NoChildrenForEphemerals),
        (delete("/a", None), ZooKeeperError::NotEmpty),
        (delete("/x", None), ZooKeeperError::NoNode),
        (delete("/a/e", Some(ZnodeVersion(7))), ZooKeeperError::BadVersion),
        (set("/a", 1, Some(1)), ZooKeeperError::BadVersion),
        (exists("/x"), ZooKeeperError::NoNode),
        (children("/x"), ZooKeeperError::NoNode),
    ];
    for (operation, error) in table {
        assert_eq!(world.ask(here, operation.clone()), Err(error), "{operation:?}");
    }
}

#[test]
fn sequential_znodes_are_numbered_by_their_parent() {
    let mut world = World::new();
    let here = connection(1, 0);
    world.begin(here);
    let paths = [0, 1].map(|_| match world.ask(here, create("/n_", CreateMode::PersistentSequential)) {
        Ok(OperationResult::Created { path, .. }) => path.0.to_string(),
        other => panic!("{other:?}"),
    });
    assert_eq!(paths, ["/n_0000000000", "/n_0000000001"]);
}

#[test]
fn a_multi_does_all_or_nothing() {
    let mut world = World::new();
    let here = connection(1, 0);
    world.begin(here);
    world.ask(here, create("/epoch", CreateMode::Persistent)).expect("the root exists");
    let multi = |version| vec![create("/controller", CreateMode::Ephemeral), set("/epoch", 1, Some(version))];
    let failed = world.request(here, ZooKeeperRequest::Multi(multi(3)));
    let bad_version = Err((1, ZooKeeperError::BadVersion));
    assert_eq!(failed, ZooKeeperResponse::Multi { zxid: Zxid(2), result: bad_version });
    assert_eq!(world.stat(here, "/controller"), None);
    let done = world.request(here, ZooKeeperRequest::Multi(multi(0)));
    assert!(matches!(done, ZooKeeperResponse::Multi { zxid: Zxid(3), result: Ok(results) } if results.len() == 2));
}

#[test]
fn a_watch_fires_once_and_before_the_answer_to_the_change() {
    let mut world = World::new();
    let (here, there) = (connection(1, 0), connection(2, 0));
    world.begin(here);
    world.begin(there);
    assert_eq!(world.ask(there, exists("/a")), Err(ZooKeeperError::NoNode));
    world.ask(there, children("/")).expect("the root exists");
    world.ask(here, create("/a", CreateMode::Persistent)).expect("the root exists");
    assert_eq!(
        world.notifications(),
        [
            (there, WatchedEventKind::NodeCreated, "/a".to_owned()),
            (there, WatchedEventKind::NodeChildrenChanged, "/".to_owned())
        ]
    );
    world.ask(here, set("/a", 1, None)).expect("it exists");
    world.ask(here, create("/b", CreateMode::Persistent)).expect("the root exists");
    assert_eq!(world.notifications(), []);
    world.ask(there, Operation::GetData { path: path("/a"), watch: true }).expect("it exists");
    world.ask(here, Operation::Delete { path: path("/a"), version: None }).expect("it exists");
    assert_eq!(world.notifications(), [(there, WatchedEventKind::NodeDeleted, "/a".to_owned())]);
}

#[test]
fn a_session_expires_at_the_first_tick_after_its_timeout_and_takes_its_ephemerals_along() {
    let mut world = World::new();
    let (here, there) = (connection(1, 0), connection(2, 0));
    world.now = Instant(1_500_000);
    world.begin(here);
    world.ask(here, create("/e", CreateMode::Ephemeral)).expect("the root exists");
    world.sleep_ms(10_000);
    world.begin(there);
    world.ask(there, exists("/e")).expect("it exists");
    world.sleep_ms(9_499);
    assert_eq!(world.notifications(), []);
    world.sleep_ms(1);
    assert_eq!(world.now.as_ms(), 21_000);
    assert_eq!(world.notifications(), [(there, WatchedEventKind::NodeDeleted, "/e".to_owned())]);
    assert_eq!(world.closed, [here]);
}

#[test]
fn pings_keep_a_session_and_closing_ends_it_at_once() {
    let mut world = World::new();
    let (here, there) = (connection(1, 0), connection(2, 0));
    let session = world.begin(here);
    world.ask(here, create("/e", CreateMode::Ephemeral)).expect("the root exists");
    for _ in 0..10 {
        world.sleep_ms(6_000);
        assert_eq!(world.request(here, ZooKeeperRequest::Ping), ZooKeeperResponse::Pong);
    }
    assert_eq!(world.request(here, ZooKeeperRequest::CloseSession), ZooKeeperResponse::SessionClosed);
    world.begin(there);
    assert_eq!(world.stat(there, "/e"), None);
    assert_eq!(world.go_on(connection(1, 1), session), ZooKeeperResponse::SessionExpired);
}

#[test]
fn tree_and_sessions_survive_the_process_and_watches_are_left_again() {
    let mut world = World::new();
    let here = connection(1, 0);
    let session = world.begin(here);
    world.ask(here, create("/e", CreateMode::Ephemeral)).expect("the root exists");
    world.ask(here, create("/f", CreateMode::Persistent)).expect("the root exists");
    let before = world.zookeeper.database.clone();
    world.restart();
    assert_eq!(world.zookeeper.database.znodes(), before.znodes());
    let again = connection(1, 1);
    assert_eq!(world.go_on(again, session), ZooKeeperResponse::Connected { session, timeout_ms: 18_000 });
    let watches = vec![
        (WatchKind::Data, path("/e")),
        (WatchKind::Data, path("/gone")),
        (WatchKind::Exist, path("/later")),
        (WatchKind::Children, path("/")),
    ];
    let relative_zxid = Zxid(2);
    let set = world.request(again, ZooKeeperRequest::SetWatches { relative_zxid, watches });
    assert_eq!(set, ZooKeeperResponse::WatchesSet);
    assert_eq!(
        world.notifications(),
        [
            (again, WatchedEventKind::NodeDeleted, "/gone".to_owned()),
            (again, WatchedEventKind::NodeChildrenChanged, "/".to_owned())
        ]
    );
    world.ask(again, create("/later", CreateMode::Persistent)).expect("the root exists");
    assert_eq!(world.notifications(), [(again, WatchedEventKind::NodeCreated, "/later".to_owned())]);
    world.sleep_ms(30_000);
    assert_eq!(world.go_on(connection(1, 2), session), ZooKeeperResponse::SessionExpired);
}

#[test]
fn a_session_moves_to_the_connection_that_names_it_last() {
    let mut world = World::new();
    let session = world.begin(connection(1, 0));
    world.go_on(connection(1, 1), session);
    assert_eq!(world.closed, [connection(1, 0)]);
    assert_eq!(world.zookeeper.view().sessions[0].client, Some(NodeId::Server(1)));
}
