//! Members of the quorum with their disks, a network that carries what they send, and the time. The leader appends a
//! record every 50 ms. Deterministic from its seed.

use crate::Rng;
use crate::event::{ControllerEvent, EventKind};
use crate::instant::{Duration, Instant, WallClock};
use crate::node::{ConnectionId, Effect, Effects, Identity, Message, NodeId, Timer};
use crate::raft::{QuorumConfig, RaftClient, RaftSetup, RaftStep};
use crate::server_channels::ServerChannels;
use crate::storage::Disk;
use crate::view::QuorumRole;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wire::{Endpoint, LeaderEpoch, MetadataRecord, Offset, RecordBatch, Request, Timestamp};

/// As in `RaftEventSimulationTest`, but for the fetch timeout, which is the shorter default.
const CONFIG: QuorumConfig = QuorumConfig {
    election_timeout_ms: 1_000,
    election_backoff_max_ms: 100,
    fetch_timeout_ms: 2_000,
    request_timeout_ms: 3_000,
    retry_backoff_ms: 50,
    max_retention_bytes: 1,
    max_retention_ms: -1,
};
/// How often the leader appends.
const APPEND_INTERVAL_MS: i64 = 50;
/// A story that takes longer than this has failed.
const LIMIT_MS: i64 = 120_000;

#[derive(Clone, Debug)]
enum Happening {
    Connect { connection: ConnectionId, to: i32 },
    Connected(ConnectionId),
    Disconnected { connection: ConnectionId, at: i32 },
    Received { connection: ConnectionId, at: i32, message: Box<Message> },
    Timer { node: i32, run: u32 },
    Append,
}

struct Member {
    raft: Option<(RaftClient, ServerChannels)>,
    disk: Disk,
    runs: u32,
    timer_at: Option<Instant>,
    has_exited: bool,
}

/// The network and all on it.
pub(super) struct Network {
    members: BTreeMap<i32, Member>,
    voters: Vec<(i32, Endpoint)>,
    queue: BTreeMap<(Instant, u64), Happening>,
    /// Connections that are open, and who accepted them.
    open: BTreeMap<ConnectionId, i32>,
    /// When the last thing on a connection arrives at a side: nothing overtakes it.
    arrivals: BTreeMap<(ConnectionId, i32), Instant>,
    cut: BTreeSet<i32>,
    now: Instant,
    sequence: u64,
    rng: Rng,
    /// What the members noted.
    pub(super) notes: Vec<(i32, ControllerEvent)>,
    leaders_by_epoch: BTreeMap<LeaderEpoch, i32>,
    committed: Vec<Arc<RecordBatch>>,
    last_high_watermarks: BTreeMap<(i32, u32), Offset>,
}

impl Network {
    /// That many voters, all started.
    pub(super) fn started(voters: i32, seed: u64) -> Network {
        let voters: Vec<(i32, Endpoint)> =
            (0..voters).map(|voter| (voter, Endpoint::new("voter", 9_000 + voter.unsigned_abs() as u16))).collect();
        let mut network = Network {
            members: BTreeMap::new(),
            voters: voters.clone(),
            queue: BTreeMap::new(),
            open: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            cut: BTreeSet::new(),
            now: Instant::ZERO,
            sequence: 0,
            rng: Rng::seed_from_u64(seed),
            notes: Vec::new(),
            leaders_by_epoch: BTreeMap::new(),
            committed: Vec::new(),
            last_high_watermarks: BTreeMap::new(),
        };
        for (voter, _) in voters {
            network.add_observer(voter);
        }
        network.schedule(APPEND_INTERVAL_MS * 1_000, Happening::Append);
        network
    }

    /// One more member, which has a vote only if it is among the voters.
    pub(super) fn add_observer(&mut self, id: i32) {
        let member = Member { raft: None, disk: Disk::default(), runs: 0, timer_at: None, has_exited: false };
        self.members.insert(id, member);
        self.start(id);
    }

    pub(super) fn start(&mut self, id: i32) {
        let rng = Rng::seed_from_u64(self.rng.random());
        let member = self.members.get_mut(&id).expect("the member exists");
        let identity = Identity {
            node: NodeId::Server(id),
            incarnation: member.runs,
            clock: WallClock { epoch: Timestamp(1_000_000) },
        };
        member.runs += 1;
        member.has_exited = false;
        let timer = Timer { kind: 0, key: 0 };
        let setup = RaftSetup { node_id: id, identity, voters: self.voters.clone(), config: CONFIG, timer };
        let (mut effects, mut channels) = (Effects::new(), ServerChannels::default());
        let mut step = RaftStep { now: self.now, channels: &mut channels, effects: &mut effects };
        let raft = RaftClient::open(setup, &member.disk, rng, &mut step);
        member.raft = Some((raft, channels));
        self.carry_out(id, effects);
        self.act(id, RaftClient::start);
    }

    /// The process is gone; its peers learn of it.
    pub(super) fn kill(&mut self, id: i32) {
        let member = self.members.get_mut(&id).expect("the member exists");
        member.raft = None;
        member.timer_at = None;
        let of_member = |connection: &ConnectionId, acceptor: i32| opener(*connection) == id || acceptor == id;
        let gone: Vec<(ConnectionId, i32)> =
            self.open.iter().map(|(one, other)| (*one, *other)).filter(|(one, other)| of_member(one, *other)).collect();
        for (connection, acceptor) in gone {
            self.open.remove(&connection);
            let peer = if acceptor == id { opener(connection) } else { acceptor };
            self.send(connection, peer, Happening::Disconnected { connection, at: peer });
        }
    }

    /// All that is on the disk of a dead member is lost.
    pub(super) fn wipe(&mut self, id: i32) {
        self.members.get_mut(&id).expect("the member exists").disk = Disk::default();
    }

    /// Nothing reaches that member or comes from it; nobody is told.
    pub(super) fn isolate(&mut self, id: i32) {
        self.cut.insert(id);
    }

    /// All links carry again.
    pub(super) fn heal(&mut self) {
        self.cut.clear();
    }

    pub(super) fn shut_down(&mut self, id: i32) {
        self.act(id, RaftClient::shut_down);
    }

    pub(super) fn has_exited(&self, id: i32) -> bool {
        self.members[&id].has_exited
    }

    /// The member writes a snapshot of all that it knows to be committed.
    pub(super) fn snapshot(&mut self, id: i32) {
        for _ in 0..2 {
            self.act(id, |raft, step| {
                let end = raft.high_watermark().expect("something is committed");
                raft.write_snapshot(end, &[MetadataRecord::NoOp], step);
            });
            self.run_for(500);
        }
    }

    /// Who leads, if that is one.
    pub(super) fn leader(&self) -> Option<i32> {
        let leaders = self.leaders();
        leaders.first().copied().filter(|_| leaders.len() == 1)
    }

    pub(super) fn leaders(&self) -> Vec<i32> {
        self.running().filter(|(_, raft)| raft.is_leader()).map(|(id, _)| id).collect()
    }

    pub(super) fn role(&self, id: i32) -> QuorumRole {
        self.raft(id).view().role
    }

    /// Up to where a leader knows that a voter has fetched.
    pub(super) fn fetched_by(&self, voter: i32, leader: i32) -> Option<i64> {
        self.raft(leader).view().voters.iter().find(|(id, _)| *id == voter)?.1.map(|end| end.0)
    }

    pub(super) fn epoch(&self, id: i32) -> LeaderEpoch {
        self.raft(id).epoch()
    }

    pub(super) fn log_start_offset(&self, id: i32) -> i64 {
        self.raft(id).log().start_offset().0
    }

    /// The highest that anybody has ever known to be committed.
    pub(super) fn high_watermark(&self) -> i64 {
        self.committed.last().map_or(0, |batch| batch.last_offset().next().0)
    }

    /// So many members know that everything below `offset` is committed.
    pub(super) fn run_until_committed_everywhere(&mut self, members: i32, offset: i64) {
        self.run_until(|network| {
            let known = network.running().filter(|(_, raft)| raft.high_watermark() >= Some(Offset(offset)));
            known.count() as i32 >= members
        });
    }

    pub(super) fn run_for(&mut self, ms: i64) {
        let end = self.now + Duration::from_ms(ms);
        while self.queue.keys().next().is_some_and(|(at, _)| *at <= end) {
            self.take_next();
        }
        self.now = end;
    }

    pub(super) fn run_until(&mut self, is_reached: impl Fn(&Network) -> bool) {
        let limit = self.now + Duration::from_ms(LIMIT_MS);
        while !is_reached(self) {
            assert!(
                self.now < limit,
                "it does not come to that: {:?}",
                self.notes.iter().rev().take(20).collect::<Vec<_>>()
            );
            self.take_next();
        }
    }

    fn take_next(&mut self) {
        let ((at, _), happening) = self.queue.pop_first().expect("the leader's appends never end");
        self.now = at;
        self.happen(happening);
        self.check();
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Connect { connection, to } => self.accept(connection, to),
            Happening::Connected(connection) => {
                self.act(opener(connection), |raft, step| raft.on_connected(connection, step));
            }
            Happening::Disconnected { connection, at } => {
                self.act(at, |raft, step| {
                    step.channels.disconnected(connection);
                    raft.on_disconnected(connection, step);
                });
            }
            Happening::Received { connection, at, message } => self.receive(connection, at, *message),
            Happening::Timer { node, run } => {
                let member = self.members.get_mut(&node).expect("the member exists");
                if member.runs == run && member.timer_at == Some(self.now) {
                    member.timer_at = None;
                    self.act(node, RaftClient::on_timer);
                }
            }
            Happening::Append => self.append(),
        }
    }

    fn accept(&mut self, connection: ConnectionId, to: i32) {
        let from = opener(connection);
        if self.members[&to].raft.is_some() {
            self.open.insert(connection, to);
            self.send(connection, from, Happening::Connected(connection));
        } else {
            self.send(connection, from, Happening::Disconnected { connection, at: from });
        }
    }

    fn receive(&mut self, connection: ConnectionId, at: i32, message: Message) {
        if !self.open.contains_key(&connection) {
            return;
        }
        match message {
            Message::Response { correlation_id, response } => {
                self.act(at, |raft, step| raft.on_response((connection, correlation_id), response, step));
            }
            Message::Request { correlation_id, request } => self.act(at, |raft, step| {
                step.channels.receive(connection, correlation_id, request);
                serve(raft, step);
            }),
        }
    }

    fn append(&mut self) {
        for leader in self.leaders() {
            self.act(leader, |raft, step| {
                raft.append(vec![MetadataRecord::NoOp], step);
            });
        }
        self.schedule(APPEND_INTERVAL_MS * 1_000, Happening::Append);
    }

    fn act(&mut self, id: i32, act: impl FnOnce(&mut RaftClient, &mut RaftStep<'_>)) {
        let mut effects = Effects::new();
        let member = self.members.get_mut(&id).expect("the member exists");
        let Some((raft, channels)) = member.raft.as_mut() else { return };
        let mut step = RaftStep { now: self.now, channels, effects: &mut effects };
        act(raft, &mut step);
        serve(raft, &mut step);
        member.has_exited |= raft.may_exit(self.now);
        self.carry_out(id, effects);
    }

    fn carry_out(&mut self, id: i32, mut effects: Effects) {
        for effect in effects.drain() {
            match effect {
                Effect::Connect { connection, endpoint } => {
                    let to = self.voters.iter().find(|(_, known)| *known == endpoint).expect("a voter's endpoint").0;
                    self.send(connection, to, Happening::Connect { connection, to });
                }
                Effect::Close { connection } => self.close(connection, id),
                Effect::Send { connection, message } => {
                    let acceptor = self.open.get(&connection).copied().unwrap_or(id);
                    let at = if acceptor == id { opener(connection) } else { acceptor };
                    self.send(connection, at, Happening::Received { connection, at, message: Box::new(message) });
                }
                Effect::SetTimer { at, .. } => self.set_timer(id, at),
                Effect::CancelTimer { .. } => self.members.get_mut(&id).expect("it exists").timer_at = None,
                Effect::Write(write) => self.members.get_mut(&id).expect("it exists").disk.apply(write),
                Effect::Note(EventKind::Controller(note)) => self.notes.push((id, note)),
                effect => panic!("a member of the quorum does not do that: {effect:?}"),
            }
        }
    }

    fn close(&mut self, connection: ConnectionId, id: i32) {
        if let Some(acceptor) = self.open.remove(&connection) {
            let at = if acceptor == id { opener(connection) } else { acceptor };
            self.send(connection, at, Happening::Disconnected { connection, at });
        }
    }

    fn set_timer(&mut self, node: i32, at: Instant) {
        let member = self.members.get_mut(&node).expect("the member exists");
        member.timer_at = Some(at);
        let run = member.runs;
        self.schedule_at(at, Happening::Timer { node, run });
    }

    /// Lets something travel towards a member: in order, with a delay, and not at all while a side is cut off.
    fn send(&mut self, connection: ConnectionId, to: i32, happening: Happening) {
        let acceptor = self.open.get(&connection).copied();
        let ends = [Some(opener(connection)), acceptor, Some(to)];
        if ends.into_iter().flatten().any(|end| self.cut.contains(&end)) {
            return;
        }
        let delay = Duration(self.rng.random_range(500..20_000));
        let last = self.arrivals.get(&(connection, to)).copied().unwrap_or(Instant::ZERO);
        let at = (self.now + delay).max(last);
        self.arrivals.insert((connection, to), at);
        self.schedule_at(at, happening);
    }

    fn schedule(&mut self, us: i64, happening: Happening) {
        self.schedule_at(self.now + Duration(us.unsigned_abs()), happening);
    }

    fn schedule_at(&mut self, at: Instant, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((at.max(self.now), self.sequence), happening);
    }

    fn running(&self) -> impl Iterator<Item = (i32, &RaftClient)> {
        self.members.iter().filter_map(|(id, member)| member.raft.as_ref().map(|(raft, _)| (*id, raft)))
    }

    fn raft(&self, id: i32) -> &RaftClient {
        &self.members[&id].raft.as_ref().expect("the member runs").0
    }

    /// One leader in an epoch; high watermarks only rise; what is committed is the same everywhere and for ever.
    fn check(&mut self) {
        let facts: Vec<(i32, u32, LeaderEpoch, bool, Option<Offset>)> = self
            .running()
            .map(|(id, raft)| (id, self.members[&id].runs, raft.epoch(), raft.is_leader(), raft.high_watermark()))
            .collect();
        for (id, run, epoch, is_leader, high_watermark) in facts {
            if is_leader {
                let leader = *self.leaders_by_epoch.entry(epoch).or_insert(id);
                assert_eq!(leader, id, "two leaders in epoch {epoch}");
            }
            if let Some(high_watermark) = high_watermark {
                let before = self.last_high_watermarks.insert((id, run), high_watermark);
                assert!(before.is_none_or(|before| before <= high_watermark), "a high watermark fell");
                self.check_committed(id, high_watermark);
            }
        }
    }

    fn check_committed(&mut self, id: i32, high_watermark: Offset) {
        let log = self.raft(id).log().clone();
        assert!(log.end_offset() >= high_watermark, "{id} knows as committed what it does not have");
        let known = Offset(self.high_watermark());
        let below = self.committed.partition_point(|batch| batch.last_offset() < high_watermark);
        if let Some(last) = below.checked_sub(1).map(|last| &self.committed[last]) {
            let same = log.batches_from(last.base_offset).next();
            assert!(last.base_offset < log.start_offset() || same == Some(last), "committed logs part at {id}");
        }
        for batch in log.batches_from(known).take_while(|batch| batch.last_offset() < high_watermark) {
            assert!(batch.base_offset >= Offset(self.high_watermark()), "batches are committed as a whole");
            self.committed.push(Arc::clone(batch));
        }
    }
}

fn serve(raft: &mut RaftClient, step: &mut RaftStep<'_>) {
    while let Some((id, request)) = step.channels.next_ready() {
        match request {
            Request::Vote(request) => raft.on_vote(id, &request, step),
            Request::BeginQuorumEpoch(request) => raft.on_begin_quorum_epoch(id, &request, step),
            Request::EndQuorumEpoch(request) => raft.on_end_quorum_epoch(id, &request, step),
            Request::Fetch(request) => raft.on_fetch(id, *request, step),
            Request::FetchSnapshot(request) => raft.on_fetch_snapshot(id, &request, step),
            other => panic!("members of the quorum do not ask {other:?}"),
        }
    }
}

fn opener(connection: ConnectionId) -> i32 {
    match connection.opener {
        NodeId::Server(id) => id,
        NodeId::Client(_) | NodeId::ZooKeeper => panic!("only members of the quorum are here"),
    }
}
