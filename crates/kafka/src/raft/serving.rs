//! What a member answers to others (`KafkaRaftClient.handleRequest`).

use super::metadata_log::FetchPosition;
use super::parked::Parked;
use super::state::State;
use super::{RaftClient, RaftStep};
use crate::event::ControllerEvent;
use crate::instant::Duration;
use crate::metadata::metadata_partition;
use crate::node::RequestId;
use crate::storage::directory_id;
use wire::request::{
    BeginQuorumEpochRequest, EndQuorumEpochRequest, FetchPartition, FetchRequest, FetchSnapshotRequest, VoteRequest,
};
use wire::response::{
    CurrentLeader, DescribeQuorumResponse, FetchPartitionResult, FetchResponse, FetchSnapshotResponse,
    QuorumEpochResponse, QuorumFetchResult, QuorumReplica, VoteResponse,
};
use wire::{BrokerId, DirectoryId, ErrorCode, LeaderEpoch, Offset, Response, Timestamp};

impl RaftClient {
    /// A candidate asks for this member's vote.
    pub fn on_vote(&mut self, id: RequestId, request: &VoteRequest, step: &mut RaftStep<'_>) {
        let (error, vote_granted) = self.decide_vote(request, step);
        let response = VoteResponse { error, current_leader: self.leader_and_epoch(), vote_granted };
        step.channels.respond(id, Response::Vote(response), step.effects);
        self.poll(step);
    }

    fn decide_vote(&mut self, request: &VoteRequest, step: &mut RaftStep<'_>) -> (ErrorCode, bool) {
        let (candidate, epoch) = (request.candidate_id, request.candidate_epoch);
        if request.last_offset_epoch >= epoch {
            return (ErrorCode::InvalidRequest, false);
        }
        if epoch < self.epoch {
            return (ErrorCode::FencedLeaderEpoch, false);
        }
        if epoch > self.epoch {
            self.become_unattached(epoch, step);
        }
        let is_granted = self.can_vote_for(request);
        if is_granted && matches!(self.state, State::Unattached { voted: None, .. }) {
            self.vote_for(candidate, step);
        }
        let event = if is_granted {
            ControllerEvent::VoteGranted { candidate, epoch }
        } else {
            ControllerEvent::VoteRejected { candidate, epoch }
        };
        self.note_vote(event, step.effects);
        (ErrorCode::None, is_granted)
    }

    /// One vote in an epoch, for nobody whose log is behind, and none once there is a leader.
    fn can_vote_for(&self, request: &VoteRequest) -> bool {
        match &self.state {
            State::Unattached { voted: Some(voted), .. } => *voted == request.candidate_id,
            State::Unattached { voted: None, .. } => {
                let own = (self.log.last_epoch(), self.log.end_offset());
                (request.last_offset_epoch, request.last_offset) >= own
            }
            State::Candidate(_) | State::Leader(_) | State::Follower { .. } | State::Resigned { .. } => false,
        }
    }

    /// A leader says that it leads.
    pub fn on_begin_quorum_epoch(&mut self, id: RequestId, request: &BeginQuorumEpochRequest, step: &mut RaftStep<'_>) {
        let error = self.check_epoch_of_leader(request.leader_epoch);
        if error.is_none() {
            self.hear_of(request.leader_epoch, Some(request.leader_id), step);
        }
        let response = QuorumEpochResponse { error, current_leader: self.leader_and_epoch() };
        step.channels.respond(id, Response::BeginQuorumEpoch(response), step.effects);
        self.poll(step);
    }

    /// A leader gives its epoch up: the best of its followers stands for election at once.
    pub fn on_end_quorum_epoch(&mut self, id: RequestId, request: &EndQuorumEpochRequest, step: &mut RaftStep<'_>) {
        let error = self.check_epoch_of_leader(request.leader_epoch);
        if error.is_none() {
            self.hear_of(request.leader_epoch, Some(request.leader_id), step);
            self.expect_election(request, step);
        }
        let response = QuorumEpochResponse { error, current_leader: self.leader_and_epoch() };
        step.channels.respond(id, Response::EndQuorumEpoch(response), step.effects);
        self.poll(step);
    }

    fn expect_election(&mut self, request: &EndQuorumEpochRequest, step: &mut RaftStep<'_>) {
        let successors = &request.preferred_successors;
        let position = successors.iter().position(|successor| *successor == self.setup.node_id);
        let backoff = self.setup.config.succession_backoff(position.unwrap_or(successors.len()), successors.len());
        if let State::Follower { leader, fetch_timeout_at, .. } = &mut self.state
            && *leader == request.leader_id
        {
            *fetch_timeout_at = step.now + backoff;
        }
    }

    fn check_epoch_of_leader(&self, epoch: LeaderEpoch) -> ErrorCode {
        if epoch < self.epoch { ErrorCode::FencedLeaderEpoch } else { ErrorCode::None }
    }

    /// A voter or an observer fetches the metadata log. Answers at once if there is something to say, or lets it wait.
    pub fn on_fetch(&mut self, id: RequestId, request: FetchRequest, step: &mut RaftStep<'_>) {
        let results = self.fetch_all(&request, step);
        let offset = request.partitions.first().map_or(Offset::ZERO, |partition| partition.fetch_offset);
        if request.max_wait_ms <= 0 || results.iter().any(is_worth_telling) {
            respond(id, results, step);
        } else {
            let deadline = step.now + Duration::from_ms(i64::from(request.max_wait_ms));
            self.parked.park(Parked { id, request, offset, deadline, results });
        }
        self.poll(step);
    }

    /// Answers what waits for records that are there now.
    pub(super) fn wake_parked(&mut self, step: &mut RaftStep<'_>) {
        let woken = self.parked.take_below(self.log.end_offset());
        self.answer(woken, step);
    }

    /// Answers what has waited long enough.
    pub(super) fn answer_expired(&mut self, step: &mut RaftStep<'_>) {
        for fetch in self.parked.take_expired(step.now) {
            respond(fetch.id, fetch.results, step);
        }
    }

    /// This member does not lead any more: whoever waits must ask another one.
    pub(super) fn refuse_parked(&mut self, step: &mut RaftStep<'_>) {
        let waiting = self.parked.take_all();
        self.answer(waiting, step);
    }

    fn answer(&mut self, fetches: Vec<Parked>, step: &mut RaftStep<'_>) {
        for fetch in fetches {
            let results = self.fetch_all(&fetch.request, step);
            respond(fetch.id, results, step);
        }
    }

    fn fetch_all(&mut self, request: &FetchRequest, step: &mut RaftStep<'_>) -> Vec<FetchPartitionResult> {
        let replica = request.replica.map(|replica| replica.replica_id.0);
        request.partitions.iter().map(|partition| self.fetch_one(replica, partition, step)).collect()
    }

    fn fetch_one(
        &mut self,
        replica: Option<i32>,
        request: &FetchPartition,
        step: &mut RaftStep<'_>,
    ) -> FetchPartitionResult {
        if request.partition != metadata_partition() {
            return FetchPartitionResult::failed(request.partition.clone(), ErrorCode::UnknownTopicOrPartition);
        }
        let error = self.check_leader_request(request.current_leader_epoch);
        if !error.is_none() {
            return self.result(request, error);
        }
        let position = self.log.validate(request.fetch_offset, request.last_fetched_epoch);
        if let (FetchPosition::Valid, Some(replica)) = (position, replica) {
            self.on_progress(replica, request.fetch_offset, step);
        }
        let mut result = self.result(request, error);
        match position {
            FetchPosition::Valid => result.batches = self.log.read(request.fetch_offset, request.max_bytes),
            FetchPosition::Diverging(end) => result.diverging_epoch = Some(end),
            FetchPosition::Snapshot(snapshot_id) => {
                let current_leader = self.leader_and_epoch();
                result.quorum = Some(QuorumFetchResult { current_leader, snapshot_id: Some(snapshot_id) });
            }
        }
        result
    }

    fn on_progress(&mut self, replica: i32, end_offset: Offset, step: &RaftStep<'_>) {
        let leader_end = self.log.end_offset();
        if let State::Leader(leader) = &mut self.state
            && leader.on_fetch(replica, end_offset, leader_end, step.now)
        {
            self.high_watermark = leader.high_watermark;
        }
    }

    /// Whether a request for the leader of this epoch has come to the right place (`validateLeaderOnlyRequest`).
    fn check_leader_request(&self, epoch: LeaderEpoch) -> ErrorCode {
        if epoch < self.epoch {
            ErrorCode::FencedLeaderEpoch
        } else if epoch > self.epoch {
            ErrorCode::UnknownLeaderEpoch
        } else if !self.is_leader() {
            ErrorCode::NotLeaderOrFollower
        } else if self.is_shutting_down() {
            ErrorCode::BrokerNotAvailable
        } else {
            ErrorCode::None
        }
    }

    fn result(&self, request: &FetchPartition, error: ErrorCode) -> FetchPartitionResult {
        let high_watermark = self.committed_as_leader();
        FetchPartitionResult {
            high_watermark,
            last_stable_offset: high_watermark,
            log_start_offset: self.log.start_offset(),
            current_leader: self.current_leader(),
            quorum: Some(QuorumFetchResult { current_leader: self.leader_and_epoch(), snapshot_id: None }),
            ..FetchPartitionResult::failed(request.partition.clone(), error)
        }
    }

    fn committed_as_leader(&self) -> Offset {
        match &self.state {
            State::Leader(leader) => leader.high_watermark.unwrap_or(Offset(-1)),
            State::Unattached { .. } | State::Candidate(_) | State::Follower { .. } | State::Resigned { .. } => {
                Offset(-1)
            }
        }
    }

    fn current_leader(&self) -> Option<CurrentLeader> {
        let leader = self.leader()?;
        let (_, endpoint) = self.setup.voters.iter().find(|(voter, _)| *voter == leader)?;
        Some(CurrentLeader { leader: BrokerId(leader), leader_epoch: self.epoch, endpoint: endpoint.clone() })
    }

    /// Somebody fetches a part of a snapshot.
    pub fn on_fetch_snapshot(&mut self, id: RequestId, request: &FetchSnapshotRequest, step: &mut RaftStep<'_>) {
        let mut response = FetchSnapshotResponse {
            error: self.check_leader_request(request.current_leader_epoch),
            current_leader: self.leader_and_epoch(),
            snapshot_id: request.snapshot_id,
            size: 0,
            position: request.position,
            batches: Vec::new(),
        };
        if response.error.is_none() {
            self.read_snapshot(request, &mut response);
            if let State::Leader(leader) = &mut self.state {
                leader.on_contact(request.replica_id, step.now);
            }
        }
        step.channels.respond(id, Response::FetchSnapshot(response), step.effects);
        self.poll(step);
    }

    fn read_snapshot(&self, request: &FetchSnapshotRequest, response: &mut FetchSnapshotResponse) {
        match self.log.snapshot(request.snapshot_id) {
            None => response.error = ErrorCode::SnapshotNotFound,
            Some(snapshot) => match snapshot.read(request.position, request.max_bytes) {
                None => response.error = ErrorCode::PositionOutOfRange,
                Some(batches) => (response.size, response.batches) = (snapshot.size_in_bytes(), batches),
            },
        }
    }

    /// Somebody asks how far the replicas are (KIP-836).
    pub fn on_describe_quorum(&mut self, id: RequestId, step: &mut RaftStep<'_>) {
        let response = self.describe(step);
        step.channels.respond(id, Response::DescribeQuorum(response), step.effects);
    }

    fn describe(&self, step: &RaftStep<'_>) -> DescribeQuorumResponse {
        let current_leader = self.leader_and_epoch();
        let State::Leader(leader) = &self.state else {
            let (high_watermark, voters, observers) = (Offset(-1), Vec::new(), Vec::new());
            let error = ErrorCode::NotLeaderOrFollower;
            return DescribeQuorumResponse { error, current_leader, high_watermark, voters, observers };
        };
        let describe = |(id, at): (&i32, &super::leader::Progress)| {
            let own = (*id == self.setup.node_id).then_some(step.now);
            let time = |at: Option<_>| own.or(at).map_or(Timestamp(-1), |at| self.timestamp(at));
            let voter = self.setup.voters.iter().find(|(voter, _)| voter == id);
            QuorumReplica {
                replica_id: *id,
                directory_id: if voter.is_some() { DirectoryId(0) } else { directory_id(*id) },
                endpoint: voter.map(|(_, endpoint)| endpoint.clone()),
                log_end_offset: at.end_offset.unwrap_or(Offset(-1)),
                last_fetch_timestamp: time(at.last_fetch),
                last_caught_up_timestamp: time(at.last_caught_up),
            }
        };
        DescribeQuorumResponse {
            error: ErrorCode::None,
            current_leader,
            high_watermark: self.committed_as_leader(),
            voters: leader.voters().iter().map(describe).collect(),
            observers: leader.observers(step.now).map(describe).collect(),
        }
    }
}

fn is_worth_telling(result: &FetchPartitionResult) -> bool {
    let has_snapshot = result.quorum.is_some_and(|quorum| quorum.snapshot_id.is_some());
    !result.error.is_none() || result.diverging_epoch.is_some() || has_snapshot || !result.batches.is_empty()
}

fn respond(id: RequestId, partitions: Vec<FetchPartitionResult>, step: &mut RaftStep<'_>) {
    step.channels.respond(id, Response::Fetch(FetchResponse::sessionless(partitions)), step.effects);
}
