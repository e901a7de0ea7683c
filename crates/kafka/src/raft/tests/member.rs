//! One member of the quorum, whose peers say what a test makes them say, in the manner of `KafkaRaftClientTest`.

use crate::Rng;
use crate::config::BrokerConfig;
use crate::instant::{Duration, Instant, WallClock};
use crate::metadata::{METADATA_TOPIC_ID, metadata_partition};
use crate::node::{ConnectionId, Effect, Effects, Identity, Message, NodeId, RequestId, Timer};
use crate::raft::{QuorumConfig, RaftClient, RaftSetup, RaftStep};
use crate::server_channels::ServerChannels;
use crate::storage::{Disk, DiskWrite, QuorumState};
use crate::view::QuorumRole;
use rand::SeedableRng;
use wire::request::{
    BeginQuorumEpochRequest, EndQuorumEpochRequest, FetchPartition, FetchRequest, IsolationLevel, ReplicaState,
    VoteRequest,
};
use wire::response::{
    EpochEndOffset, FetchPartitionResult, FetchResponse, LeaderIdAndEpoch, QuorumEpochResponse, QuorumFetchResult,
    VoteResponse,
};
use wire::{
    BrokerEpoch, BrokerId, Endpoint, ErrorCode, FetchMetadata, LeaderEpoch, MetadataRecord, Offset, Request, Response,
    Timestamp,
};

const SELF: i32 = 0;

struct Member {
    raft: RaftClient,
    channels: ServerChannels,
    disk: Disk,
    now: Instant,
    timer_at: Option<Instant>,
    /// Requests under way: to whom, on which connection, and what.
    sent: Vec<(i32, ConnectionId, i32, Request)>,
    answers: Vec<Response>,
    peers: Vec<(ConnectionId, i32)>,
    asked: i32,
}

fn epoch(epoch: i32) -> LeaderEpoch {
    LeaderEpoch(epoch)
}

fn endpoint(id: i32) -> Endpoint {
    Endpoint::new("voter", 9_000 + id.unsigned_abs() as u16)
}

fn state(leader_epoch: i32, leader_id: Option<i32>, voted_id: Option<i32>) -> Disk {
    let quorum_state = Some(QuorumState { leader_epoch: epoch(leader_epoch), leader_id, voted_id });
    Disk { quorum_state, ..Disk::default() }
}

/// A log of so many records in each of these epochs.
fn with_log(mut disk: Disk, epochs: &[(i32, usize)]) -> Disk {
    let mut effects = Effects::new();
    let mut log = crate::raft::metadata_log::MetadataLog::open(&disk, &mut effects);
    for (number, count) in epochs {
        let batch = crate::metadata::message::metadata_batch(vec![MetadataRecord::NoOp; *count], Timestamp(0));
        log.append_as_leader(&batch, epoch(*number), &mut effects);
    }
    for effect in effects.drain() {
        if let Effect::Write(write) = effect {
            disk.apply(write);
        }
    }
    disk
}

impl Member {
    fn started(voters: i32, disk: Disk) -> Member {
        let voters = (0..voters).map(|voter| (voter, endpoint(voter))).collect();
        let clock = WallClock { epoch: Timestamp(1_000_000) };
        let setup = RaftSetup {
            node_id: SELF,
            identity: Identity { node: NodeId::Server(SELF), incarnation: 0, clock },
            voters,
            config: QuorumConfig::of(&BrokerConfig::default()),
            timer: Timer { kind: 0, key: 0 },
        };
        Member::of(setup, disk)
    }

    fn of(setup: RaftSetup, disk: Disk) -> Member {
        let (mut effects, mut channels) = (Effects::new(), ServerChannels::default());
        let mut step = RaftStep { now: Instant::ZERO, channels: &mut channels, effects: &mut effects };
        let raft = RaftClient::open(setup, &disk, Rng::seed_from_u64(1), &mut step);
        let mut member = Member {
            raft,
            channels,
            disk,
            now: Instant::ZERO,
            timer_at: None,
            sent: Vec::new(),
            answers: Vec::new(),
            peers: Vec::new(),
            asked: 0,
        };
        member.carry_out(effects);
        member.act(RaftClient::start);
        member
    }

    fn act(&mut self, act: impl FnOnce(&mut RaftClient, &mut RaftStep<'_>)) {
        let mut effects = Effects::new();
        let mut step = RaftStep { now: self.now, channels: &mut self.channels, effects: &mut effects };
        act(&mut self.raft, &mut step);
        self.carry_out(effects);
    }

    /// Connections are accepted at once; what is sent stays until the test answers it.
    fn carry_out(&mut self, mut effects: Effects) {
        let effects: Vec<Effect> = effects.drain().collect();
        for effect in effects {
            match effect {
                Effect::Write(write) => self.write(write),
                Effect::SetTimer { at, .. } => self.timer_at = Some(at),
                Effect::CancelTimer { .. } => self.timer_at = None,
                Effect::Connect { connection, endpoint } => {
                    self.peers.push((connection, i32::from(endpoint.port) - 9_000));
                    self.act(|raft, step| raft.on_connected(connection, step));
                }
                Effect::Send { connection, message: Message::Request { correlation_id, request } } => {
                    let (_, peer) = self.peers.iter().find(|(known, _)| *known == connection).expect("it was opened");
                    self.sent.push((*peer, connection, correlation_id, request));
                }
                Effect::Send { message: Message::Response { response, .. }, .. } => self.answers.push(response),
                Effect::Close { .. } | Effect::Note(_) => {}
                other => panic!("a member does not do that: {other:?}"),
            }
        }
    }

    fn write(&mut self, write: DiskWrite) {
        self.disk.apply(write);
    }

    fn run_for(&mut self, milliseconds: i64) {
        let end = self.now + Duration::from_ms(milliseconds);
        while let Some(at) = self.timer_at.filter(|at| *at <= end) {
            self.timer_at = None;
            self.now = at.max(self.now);
            self.act(RaftClient::on_timer);
        }
        self.now = end;
    }

    fn next_request(&mut self) -> (RequestId, ConnectionId) {
        self.asked += 1;
        let connection = ConnectionId { opener: NodeId::Server(99), incarnation: 0, number: self.asked.unsigned_abs() };
        (RequestId { connection, correlation_id: 0 }, connection)
    }

    /// Asks, and gives the answer if there is one yet.
    fn ask(&mut self, ask: impl FnOnce(&mut RaftClient, RequestId, &mut RaftStep<'_>)) -> Option<Response> {
        let (id, connection) = self.next_request();
        self.channels.receive(connection, 0, Request::ApiVersions);
        assert!(self.channels.next_ready().is_some());
        self.answers.clear();
        self.act(|raft, step| ask(raft, id, step));
        self.answers.pop()
    }

    /// Error, whether the vote was granted, and the leader and epoch that the answer tells.
    fn vote(&mut self, candidate: i32, number: i32, last: (i64, i32)) -> (ErrorCode, bool, Option<i32>, i32) {
        let request = VoteRequest {
            candidate_epoch: epoch(number),
            candidate_id: candidate,
            last_offset_epoch: epoch(last.1),
            last_offset: Offset(last.0),
        };
        match self.ask(|raft, id, step| raft.on_vote(id, &request, step)) {
            Some(Response::Vote(VoteResponse { error, current_leader, vote_granted })) => {
                (error, vote_granted, current_leader.leader_id, current_leader.leader_epoch.0)
            }
            other => panic!("{other:?}"),
        }
    }

    fn begin_epoch(&mut self, leader_id: i32, number: i32) -> ErrorCode {
        let request = BeginQuorumEpochRequest { leader_id, leader_epoch: epoch(number) };
        match self.ask(|raft, id, step| raft.on_begin_quorum_epoch(id, &request, step)) {
            Some(Response::BeginQuorumEpoch(response)) => response.error,
            other => panic!("{other:?}"),
        }
    }

    fn end_epoch(&mut self, leader_id: i32, number: i32, preferred_successors: &[i32]) -> ErrorCode {
        let preferred_successors = preferred_successors.to_vec();
        let request = EndQuorumEpochRequest { leader_id, leader_epoch: epoch(number), preferred_successors };
        match self.ask(|raft, id, step| raft.on_end_quorum_epoch(id, &request, step)) {
            Some(Response::EndQuorumEpoch(response)) => response.error,
            other => panic!("{other:?}"),
        }
    }

    fn fetch(&mut self, replica: i32, number: i32, offset: i64, last_fetched: i32) -> Option<FetchPartitionResult> {
        let request = FetchRequest {
            replica: Some(ReplicaState { replica_id: BrokerId(replica), replica_epoch: BrokerEpoch::NONE }),
            max_wait_ms: 500,
            min_bytes: 0,
            max_bytes: i32::MAX,
            isolation_level: IsolationLevel::ReadUncommitted,
            metadata: FetchMetadata::LEGACY,
            forgotten: Vec::new(),
            rack_id: None,
            partitions: vec![FetchPartition {
                partition: metadata_partition(),
                topic_id: Some(METADATA_TOPIC_ID),
                current_leader_epoch: epoch(number),
                fetch_offset: Offset(offset),
                last_fetched_epoch: epoch(last_fetched),
                log_start_offset: Offset::ZERO,
                max_bytes: i32::MAX,
            }],
        };
        match self.ask(|raft, id, step| raft.on_fetch(id, request, step))? {
            Response::Fetch(mut response) => response.partitions.pop(),
            other => panic!("{other:?}"),
        }
    }

    /// The requests under way, in words.
    fn requests(&mut self) -> Vec<String> {
        self.sent.sort_by_key(|(peer, ..)| *peer);
        let words = |(peer, _, _, request): &(i32, ConnectionId, i32, Request)| match request {
            Request::Vote(vote) => format!("{peer}: vote {} in {}", vote.candidate_id, vote.candidate_epoch),
            Request::BeginQuorumEpoch(begin) => format!("{peer}: begin {}", begin.leader_epoch),
            Request::EndQuorumEpoch(end) => format!("{peer}: end {} {:?}", end.leader_epoch, end.preferred_successors),
            Request::Fetch(fetch) => {
                let wanted = &fetch.partitions[0];
                format!("{peer}: fetch {} {}", wanted.fetch_offset, wanted.current_leader_epoch)
            }
            other => format!("{peer}: {other:?}"),
        };
        self.sent.iter().map(words).collect()
    }

    fn answer(&mut self, peer: i32, response: Response) {
        let place = self.sent.iter().position(|(to, ..)| *to == peer).expect("something was asked");
        let (_, connection, correlation_id, _) = self.sent.remove(place);
        self.act(|raft, step| raft.on_response((connection, correlation_id), response, step));
    }

    fn answer_vote(&mut self, peer: i32, number: i32, vote_granted: bool) {
        let current_leader = LeaderIdAndEpoch { leader_id: None, leader_epoch: epoch(number) };
        self.answer(peer, Response::Vote(VoteResponse { error: ErrorCode::None, current_leader, vote_granted }));
    }

    fn answer_begin(&mut self, peer: i32, leader: i32, number: i32) {
        let current_leader = LeaderIdAndEpoch { leader_id: Some(leader), leader_epoch: epoch(number) };
        let response = QuorumEpochResponse { error: ErrorCode::None, current_leader };
        self.answer(peer, Response::BeginQuorumEpoch(response));
    }

    fn answer_fetch(&mut self, peer: i32, error: ErrorCode, leader: Option<i32>, number: i32) {
        let result = FetchPartitionResult::failed(metadata_partition(), error);
        self.answer_fetch_with(peer, (leader, number), result);
    }

    fn answer_fetch_with(&mut self, peer: i32, (leader, number): (Option<i32>, i32), result: FetchPartitionResult) {
        let current_leader = LeaderIdAndEpoch { leader_id: leader, leader_epoch: epoch(number) };
        let quorum = Some(QuorumFetchResult { current_leader, snapshot_id: None });
        let result = FetchPartitionResult { quorum, ..result };
        self.answer(peer, Response::Fetch(FetchResponse::sessionless(vec![result])));
    }

    fn role(&self) -> (QuorumRole, i32) {
        (self.raft.view().role, self.raft.epoch().0)
    }

    fn stored(&self) -> (i32, Option<i32>, Option<i32>) {
        let state = self.disk.quorum_state.expect("the state was written");
        (state.leader_epoch.0, state.leader_id, state.voted_id)
    }

    /// A leader of three, elected in the epoch behind the one that it remembers.
    fn leading(disk: Disk) -> Member {
        let mut member = Member::started(3, disk);
        member.run_for(2_000);
        let number = member.raft.epoch().0;
        member.answer_vote(1, number, true);
        assert_eq!(member.role(), (QuorumRole::Leader, number));
        member.sent.clear();
        member
    }
}

#[test]
fn a_former_leader_has_resigned_from_its_epoch_and_grants_votes_in_later_ones() {
    let mut member = Member::started(3, with_log(state(2, Some(SELF), None), &[(1, 1), (2, 1)]));
    assert_eq!(member.role(), (QuorumRole::Resigned, 2));
    assert_eq!(member.requests(), ["1: end 2 []", "2: end 2 []"]);
    assert_eq!(member.vote(1, 2, (9, 1)), (ErrorCode::None, false, Some(SELF), 2), "the same epoch");
    assert_eq!(member.vote(1, 3, (2, 2)), (ErrorCode::None, true, None, 3));
    assert_eq!((member.role(), member.stored()), ((QuorumRole::Unattached, 3), (3, None, Some(1))));
}

#[test]
fn a_former_candidate_stands_in_its_epoch_again() {
    let mut member = Member::started(3, state(2, None, Some(SELF)));
    assert_eq!(member.role(), (QuorumRole::Candidate, 2));
    assert_eq!(member.requests(), ["1: vote 0 in 2", "2: vote 0 in 2"]);
    let voter = Member::started(3, state(2, None, Some(1)));
    assert_eq!(voter.role(), (QuorumRole::Unattached, 2));
    let mut follower = Member::started(3, state(2, Some(1), None));
    assert_eq!((follower.role(), follower.requests()), ((QuorumRole::Follower, 2), vec!["1: fetch 0 2".to_owned()]));
}

#[test]
fn a_new_voter_becomes_a_candidate_and_leads_with_a_majority() {
    let mut member = Member::started(3, Disk::default());
    assert_eq!((member.role(), member.requests()), ((QuorumRole::Unattached, 0), Vec::new()));
    member.run_for(2_000);
    assert_eq!((member.role(), member.stored()), ((QuorumRole::Candidate, 1), (1, None, Some(SELF))));
    assert_eq!(member.requests(), ["1: vote 0 in 1", "2: vote 0 in 1"]);
    member.answer_vote(1, 1, true);
    assert_eq!((member.role(), member.stored()), ((QuorumRole::Leader, 1), (1, Some(SELF), None)));
    assert_eq!(member.raft.log().end_offset(), Offset(1), "the epoch is opened by a record");
    assert_eq!(member.raft.high_watermark(), None);
    member.answer_vote(2, 1, true);
    assert_eq!(member.role(), (QuorumRole::Leader, 1), "a late vote changes nothing");
}

#[test]
fn a_candidate_that_is_refused_waits_and_stands_in_the_next_epoch() {
    let mut member = Member::started(3, Disk::default());
    member.run_for(2_000);
    member.answer_vote(1, 1, false);
    assert_eq!(member.role(), (QuorumRole::Candidate, 1), "another vote may still come");
    member.answer_vote(2, 1, false);
    member.run_for(100);
    assert_eq!(member.role(), (QuorumRole::Candidate, 2));
    assert_eq!(member.requests(), ["1: vote 0 in 2", "2: vote 0 in 2"]);
}

#[test]
fn a_candidate_without_answers_gives_its_election_up() {
    let mut member = Member::started(3, state(2, None, Some(SELF)));
    member.run_for(2_100);
    assert_eq!(member.role().0, QuorumRole::Candidate);
    assert!(member.role().1 > 2, "it stands again: {:?}", member.role());
}

#[test]
fn a_follower_whose_fetches_fail_becomes_a_candidate_and_an_observer_does_not() {
    let mut member = Member::started(3, state(1, Some(1), None));
    member.run_for(1_999);
    assert_eq!(member.role(), (QuorumRole::Follower, 1));
    member.run_for(1);
    assert_eq!((member.role(), member.stored()), ((QuorumRole::Candidate, 2), (2, None, Some(SELF))));

    let voters = vec![(1, endpoint(1)), (2, endpoint(2)), (3, endpoint(3))];
    let setup = RaftSetup { voters, ..(*member.raft.setup).clone() };
    let mut observer = Member::of(setup, state(1, Some(1), None));
    observer.run_for(10_000);
    assert_eq!(observer.role(), (QuorumRole::Follower, 1));
}

#[test]
fn votes_are_given_once_in_an_epoch_to_nobody_whose_log_is_behind() {
    let disk = || with_log(state(3, None, None), &[(1, 2), (3, 2)]);
    let cases = [
        (2, (4, 3), (ErrorCode::InvalidRequest, false, 3)),
        (2, (4, 1), (ErrorCode::FencedLeaderEpoch, false, 3)),
        (3, (4, 2), (ErrorCode::None, false, 3)),
        (4, (3, 3), (ErrorCode::None, false, 4)),
        (4, (9, 2), (ErrorCode::None, false, 4)),
        (4, (4, 3), (ErrorCode::None, true, 4)),
        (9, (1, 4), (ErrorCode::None, true, 9)),
    ];
    for (number, last, (error, is_granted, answered)) in cases {
        let mut member = Member::started(3, disk());
        assert_eq!(member.vote(1, number, last), (error, is_granted, None, answered), "{number} {last:?}");
    }
    let mut member = Member::started(3, disk());
    assert!(member.vote(1, 4, (4, 3)).1 && member.vote(1, 4, (4, 3)).1, "the same candidate may ask again");
    assert!(!member.vote(2, 4, (4, 3)).1, "another one is refused");
    assert_eq!(member.begin_epoch(2, 4), ErrorCode::None, "but may have won");
    assert_eq!(member.role(), (QuorumRole::Follower, 4));
    assert_eq!(member.vote(1, 4, (4, 3)), (ErrorCode::None, false, Some(2), 4), "who follows does not vote");
}

#[test]
fn a_leader_keeps_its_epoch_against_candidates_in_it_and_loses_it_to_later_ones() {
    let mut member = Member::leading(state(4, None, None));
    assert_eq!(member.vote(2, 5, (9, 4)), (ErrorCode::None, false, Some(SELF), 5));
    assert_eq!(member.role(), (QuorumRole::Leader, 5));
    assert_eq!(member.vote(2, 6, (9, 5)), (ErrorCode::None, true, None, 6));
    assert_eq!(member.role(), (QuorumRole::Unattached, 6));
    assert_eq!(member.begin_epoch(1, 5), ErrorCode::FencedLeaderEpoch);
}

#[test]
fn a_leader_says_that_it_leads_at_every_half_of_the_fetch_timeout() {
    let mut member = Member::started(3, Disk::default());
    member.run_for(2_000);
    member.answer_vote(1, 1, true);
    member.sent.retain(|(.., request)| !matches!(request, Request::Vote(_)));
    assert_eq!(member.requests(), ["1: begin 1", "2: begin 1"]);
    for voter in [1, 2] {
        member.answer_begin(voter, SELF, 1);
    }
    member.run_for(999);
    assert_eq!(member.requests(), Vec::<String>::new());
    member.run_for(1);
    assert_eq!(member.requests(), ["1: begin 1", "2: begin 1"]);
}

#[test]
fn a_leader_that_no_majority_fetches_from_resigns() {
    let mut member = Member::leading(Disk::default());
    let end = member.raft.log().end_offset().0;
    member.run_for(2_000);
    assert!(member.fetch(1, 1, end, 1).is_none(), "it waits for records");
    member.run_for(2_999);
    assert_eq!(member.role(), (QuorumRole::Leader, 1));
    member.sent.clear();
    member.run_for(1);
    assert_eq!(member.role(), (QuorumRole::Resigned, 1));
    // Nobody has answered it, so that it must connect again first.
    member.run_for(600);
    assert_eq!(member.requests(), ["1: end 1 [1, 2]", "2: end 1 [1, 2]"], "who fetched last is the first successor");
}

#[test]
fn successors_stand_in_their_order() {
    let follower = || Member::started(3, state(2, Some(1), None));
    let mut first = follower();
    assert_eq!(first.end_epoch(1, 2, &[SELF, 2]), ErrorCode::None);
    assert_eq!(first.role(), (QuorumRole::Candidate, 3));
    let mut second = follower();
    assert_eq!(second.end_epoch(1, 2, &[2, SELF]), ErrorCode::None);
    second.run_for(499);
    assert_eq!(second.role(), (QuorumRole::Follower, 2));
    second.run_for(1);
    assert_eq!(second.role(), (QuorumRole::Candidate, 3));
    assert_eq!(follower().end_epoch(1, 1, &[SELF]), ErrorCode::FencedLeaderEpoch);
}

/// A voter with one record, in epoch 5.
fn in_every_state() -> [Member; 6] {
    let disk = |leader, voted| with_log(state(5, leader, voted), &[(1, 1)]);
    [
        Member::started(3, disk(None, None)),
        Member::started(3, disk(None, Some(1))),
        Member::started(3, disk(None, Some(SELF))),
        Member::leading(with_log(state(4, None, None), &[(1, 1)])),
        Member::started(3, disk(Some(1), None)),
        Member::started(3, disk(Some(SELF), None)),
    ]
}

#[test]
fn a_later_epoch_is_entered_from_every_state_and_an_earlier_one_from_none() {
    for mut member in in_every_state() {
        assert_eq!(member.begin_epoch(2, 8), ErrorCode::None);
        assert_eq!((member.role(), member.stored()), ((QuorumRole::Follower, 8), (8, Some(2), None)));
    }
    for mut member in in_every_state() {
        assert!(member.vote(2, 8, (9, 7)).1, "its log is longer");
        assert_eq!((member.role(), member.stored()), ((QuorumRole::Unattached, 8), (8, None, Some(2))));
    }
    for mut member in in_every_state() {
        assert!(!member.vote(2, 8, (0, 0)).1, "its log is shorter");
        assert_eq!((member.role(), member.stored()), ((QuorumRole::Unattached, 8), (8, None, None)));
    }
    for mut member in in_every_state() {
        let before = (member.role(), member.stored());
        assert_eq!(before.0.1, 5);
        assert_eq!(member.begin_epoch(2, 4), ErrorCode::FencedLeaderEpoch);
        assert_eq!(member.vote(2, 4, (9, 3)).0, ErrorCode::FencedLeaderEpoch);
        assert_eq!((member.role(), member.stored()), before);
    }
}

#[test]
fn whoever_knows_no_leader_of_its_epoch_follows_the_one_it_hears_of() {
    let [unattached, voted, candidate, ..] = in_every_state();
    for mut member in [unattached, voted, candidate] {
        assert_eq!(member.begin_epoch(2, 5), ErrorCode::None);
        assert_eq!((member.role(), member.stored()), ((QuorumRole::Follower, 5), (5, Some(2), None)));
        member.run_for(1_999);
        assert_eq!(member.role(), (QuorumRole::Follower, 5));
        member.run_for(1);
        assert_eq!((member.role(), member.stored()), ((QuorumRole::Candidate, 6), (6, None, Some(SELF))));
    }
}

#[test]
fn a_vote_starts_the_election_timeout_anew_and_a_later_epoch_does_not() {
    let due = |member: &Member| member.raft.state.next_deadline().expect("a voter stands some day");
    let [mut member, ..] = in_every_state();
    let before = due(&member);
    member.run_for(500);
    assert!(!member.vote(2, 6, (0, 0)).1);
    assert_eq!((member.role(), due(&member)), ((QuorumRole::Unattached, 6), before));
    assert!(member.vote(2, 6, (9, 5)).1);
    assert_eq!(member.role(), (QuorumRole::Unattached, 6));
    assert_ne!(due(&member), before);
}

#[test]
fn a_replica_that_parts_from_the_leader_is_told_at_once_where() {
    let mut member = Member::leading(with_log(state(4, None, None), &[(1, 2), (3, 2), (4, 2)]));
    let at = |number, offset| EpochEndOffset { leader_epoch: epoch(number), end_offset: Offset(offset) };
    let cases = [(3, 2, Some(at(1, 2))), (5, 3, Some(at(3, 4))), (9, 4, Some(at(4, 6))), (4, 3, None), (2, 1, None)];
    for (offset, last_fetched, diverging) in cases {
        let result = member.fetch(1, 5, offset, last_fetched).expect("it is answered at once");
        assert_eq!((result.error, result.diverging_epoch), (ErrorCode::None, diverging), "{offset} {last_fetched}");
    }
    let errors = |member: &mut Member, number| member.fetch(1, number, 4, 3).expect("at once").error;
    assert_eq!(errors(&mut member, 4), ErrorCode::FencedLeaderEpoch);
    assert_eq!(errors(&mut member, 6), ErrorCode::UnknownLeaderEpoch);
    let mut follower = Member::started(3, state(4, Some(1), None));
    assert_eq!(errors(&mut follower, 4), ErrorCode::NotLeaderOrFollower);
}

#[test]
fn a_follower_truncates_to_where_its_log_parts_from_the_leaders() {
    let mut member = Member::started(3, with_log(state(3, Some(1), None), &[(1, 2), (2, 4)]));
    assert_eq!(member.requests(), ["1: fetch 6 3"]);
    let leader_end = EpochEndOffset { leader_epoch: epoch(1), end_offset: Offset(3) };
    let result = FetchPartitionResult {
        diverging_epoch: Some(leader_end),
        ..FetchPartitionResult::failed(metadata_partition(), ErrorCode::None)
    };
    member.answer_fetch_with(1, (Some(1), 3), result);
    assert_eq!((member.raft.log().end_offset(), member.requests()), (Offset(2), vec!["1: fetch 2 3".to_owned()]));
}

#[test]
fn whoever_is_told_of_another_leader_asks_it_at_once_and_pauses_only_where_nobody_can_serve() {
    let mut member = Member::started(3, state(2, Some(1), None));
    member.answer_fetch(1, ErrorCode::FencedLeaderEpoch, Some(2), 3);
    assert_eq!((member.role(), member.requests()), ((QuorumRole::Follower, 3), vec!["2: fetch 0 3".to_owned()]));
    member.answer_fetch(2, ErrorCode::NotLeaderOrFollower, Some(2), 3);
    assert_eq!(member.requests(), ["2: fetch 0 3"], "it has resigned, and is asked again at once");
    member.answer_fetch(2, ErrorCode::BrokerNotAvailable, Some(2), 3);
    assert_eq!(member.requests(), Vec::<String>::new(), "it shuts down");
    member.run_for(20);
    assert_eq!(member.requests(), ["2: fetch 0 3"]);
}
