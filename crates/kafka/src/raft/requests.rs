//! What a member asks of others, by its state.

use super::links::Attempt;
use super::state::State;
use super::{RaftClient, RaftStep};
use crate::metadata::{METADATA_TOPIC_ID, metadata_partition};
use rand::RngExt;
use wire::request::{
    BeginQuorumEpochRequest, EndQuorumEpochRequest, FetchPartition, FetchRequest, FetchSnapshotRequest, IsolationLevel,
    ReplicaState, VoteRequest,
};
use wire::{BrokerEpoch, BrokerId, FetchMetadata, Request};

/// How long a leader may wait for records (`MAX_FETCH_WAIT_MS`).
const FETCH_MAX_WAIT_MS: i32 = 500;
/// How much one fetch may return (`MAX_FETCH_SIZE`).
const FETCH_MAX_BYTES: i32 = 8 * 1024 * 1024;

impl RaftClient {
    /// Asks for what it needs, wherever no answer is waited for yet.
    pub(super) fn send_requests(&mut self, step: &mut RaftStep<'_>) {
        match &self.state {
            State::Unattached { .. } if !self.is_voter() => self.fetch_from_anyone(step),
            State::Unattached { .. } => {}
            State::Candidate(candidacy) => {
                let is_open = candidacy.backing_off_until.is_none() && !candidacy.is_rejected(self.voters());
                if is_open {
                    self.ask_for_votes(step);
                }
            }
            State::Leader(_) => self.tell_that_it_leads(step),
            State::Follower { leader, .. } => self.fetch_from_leader(*leader, step),
            State::Resigned { .. } => self.tell_that_it_resigned(step),
        }
    }

    fn attempt(&mut self, voter: i32, request: Request, step: &mut RaftStep<'_>) -> Attempt {
        let patience = self.patience();
        self.links.try_send(voter, step.now, patience, || request, step.effects)
    }

    fn ask_for_votes(&mut self, step: &mut RaftStep<'_>) {
        let State::Candidate(candidacy) = &self.state else { return };
        let answered = |voter: &i32| candidacy.granted.contains(voter) || candidacy.rejected.contains(voter);
        let open: Vec<i32> = self.other_voters().into_iter().filter(|voter| !answered(voter)).collect();
        let request = VoteRequest {
            candidate_epoch: self.epoch,
            candidate_id: self.setup.node_id,
            last_offset_epoch: self.log.last_epoch(),
            last_offset: self.log.end_offset(),
        };
        for voter in open {
            self.attempt(voter, Request::Vote(request), step);
        }
    }

    fn tell_that_it_leads(&mut self, step: &mut RaftStep<'_>) {
        let others = self.other_voters();
        let interval = self.setup.config.begin_quorum_epoch_interval();
        let State::Leader(leader) = &mut self.state else { return };
        if step.now >= leader.begin_quorum_epoch_at {
            leader.begin_quorum_epoch_at = step.now + interval;
            leader.untold = others;
        }
        let (leader_id, leader_epoch) = (self.setup.node_id, self.epoch);
        let request = BeginQuorumEpochRequest { leader_id, leader_epoch };
        for voter in leader.untold.clone() {
            let attempt = self.attempt(voter, Request::BeginQuorumEpoch(request), step);
            if attempt != Attempt::Connecting
                && let State::Leader(leader) = &mut self.state
            {
                leader.untold.remove(&voter);
            }
        }
    }

    fn tell_that_it_resigned(&mut self, step: &mut RaftStep<'_>) {
        let State::Resigned { unacknowledged, preferred_successors, .. } = &self.state else { return };
        let request = EndQuorumEpochRequest {
            leader_id: self.setup.node_id,
            leader_epoch: self.epoch,
            preferred_successors: preferred_successors.clone(),
        };
        for voter in unacknowledged.clone() {
            self.attempt(voter, Request::EndQuorumEpoch(request.clone()), step);
        }
    }

    /// A voter asks its leader. An observer asks another voter who leads while it gets nothing from its leader.
    fn fetch_from_leader(&mut self, leader: i32, step: &mut RaftStep<'_>) {
        let State::Follower { fetch_timeout_at, .. } = &self.state else { return };
        let has_timed_out = step.now >= *fetch_timeout_at;
        let gets_nothing = has_timed_out || self.links.is_backing_off(leader, step.now);
        if self.is_voter() {
            let request = self.fetch_or_fetch_snapshot();
            self.attempt(leader, request, step);
        } else if gets_nothing {
            self.fetch_from_anyone(step);
        } else if !self.links.is_any_busy() {
            let request = self.fetch_or_fetch_snapshot();
            self.attempt(leader, request, step);
        }
    }

    fn fetch_from_anyone(&mut self, step: &mut RaftStep<'_>) {
        if self.links.is_any_busy() {
            return;
        }
        let candidates = self.links.available(step.now);
        if !candidates.is_empty() {
            let voter = candidates[self.rng.random_range(0..candidates.len())];
            let request = self.fetch();
            self.attempt(voter, request, step);
        }
    }

    fn fetch_or_fetch_snapshot(&self) -> Request {
        let State::Follower { download: Some(download), .. } = &self.state else { return self.fetch() };
        Request::FetchSnapshot(FetchSnapshotRequest {
            replica_id: self.setup.node_id,
            current_leader_epoch: self.epoch,
            snapshot_id: download.id,
            position: super::snapshot::size_in_bytes(&download.batches),
            max_bytes: FETCH_MAX_BYTES,
        })
    }

    fn fetch(&self) -> Request {
        Request::Fetch(Box::new(FetchRequest {
            replica: Some(ReplicaState { replica_id: BrokerId(self.setup.node_id), replica_epoch: BrokerEpoch::NONE }),
            max_wait_ms: FETCH_MAX_WAIT_MS,
            min_bytes: 0,
            max_bytes: FETCH_MAX_BYTES,
            isolation_level: IsolationLevel::ReadUncommitted,
            metadata: FetchMetadata::LEGACY,
            forgotten: Vec::new(),
            rack_id: None,
            partitions: vec![FetchPartition {
                partition: metadata_partition(),
                topic_id: Some(METADATA_TOPIC_ID),
                current_leader_epoch: self.epoch,
                fetch_offset: self.log.end_offset(),
                last_fetched_epoch: self.log.last_epoch(),
                log_start_offset: self.log.start_offset(),
                max_bytes: FETCH_MAX_BYTES,
            }],
        }))
    }
}
