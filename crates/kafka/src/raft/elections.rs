//! From one state to the next (`org.apache.kafka.raft.QuorumState`): what a member becomes when it starts, when time runs
//! out, and when it hears of other epochs and leaders.

use super::leader::LeaderState;
use super::state::{Candidacy, State};
use super::{RaftClient, RaftStep};
use crate::event::ControllerEvent;
use crate::instant::{Duration, Instant};
use crate::storage::QuorumState;
use std::collections::BTreeSet;
use wire::{LeaderEpoch, RecordBatch};

impl RaftClient {
    /// What an earlier run left: a former leader has resigned, a former candidate still is one, a follower goes on
    /// following.
    pub(super) fn restore(&mut self, stored: Option<QuorumState>, now: Instant) {
        let election_at = self.draw_election_at(now);
        self.state = State::Unattached { voted: None, election_at };
        let Some(stored) = stored.filter(|stored| stored.leader_epoch >= self.epoch) else { return };
        self.epoch = stored.leader_epoch;
        let own_id = self.setup.node_id;
        self.state = match (stored.leader_id, stored.voted_id, election_at) {
            (Some(leader), _, Some(election_at)) if leader == own_id => {
                State::Resigned { unacknowledged: self.other_voters(), preferred_successors: Vec::new(), election_at }
            }
            (_, Some(voted), Some(election_at)) if voted == own_id => State::Candidate(self.candidacy(1, election_at)),
            (_, Some(voted), election_at) => State::Unattached { voted: Some(voted), election_at },
            (Some(leader), None, _) => {
                State::Follower { leader, fetch_timeout_at: self.fetch_timeout(now), download: None }
            }
            (None, None, election_at) => State::Unattached { voted: None, election_at },
        };
    }

    /// When a voter that knows of no leader stands for election.
    fn draw_election_at(&mut self, now: Instant) -> Option<Instant> {
        let config = self.setup.config;
        self.is_voter().then(|| now + config.draw_election_timeout(&mut self.rng))
    }

    fn fetch_timeout(&self, now: Instant) -> Instant {
        now + self.setup.config.fetch_timeout()
    }

    fn candidacy(&self, retries: u32, election_timeout_at: Instant) -> Candidacy {
        Candidacy {
            granted: BTreeSet::from([self.setup.node_id]),
            rejected: BTreeSet::new(),
            retries,
            election_timeout_at,
            backing_off_until: None,
        }
    }

    pub(super) fn other_voters(&self) -> BTreeSet<i32> {
        let own_id = self.setup.node_id;
        self.setup.voters.iter().map(|(voter, _)| *voter).filter(|voter| *voter != own_id).collect()
    }

    /// Does what is due: an election to stand for, to give up or to hold again, a leadership to resign. While it shuts
    /// down it gives up what it leads and stands for nothing new.
    pub(super) fn advance_state(&mut self, step: &mut RaftStep<'_>) {
        let now = step.now;
        if self.is_shutting_down() {
            return self.resign(step);
        }
        match &self.state {
            State::Unattached { election_at, .. } if election_at.is_some_and(|at| now >= at) => {
                self.become_candidate(step);
            }
            State::Candidate(candidacy) => match candidacy.backing_off_until {
                Some(until) if now >= until => self.become_candidate(step),
                None if now >= candidacy.election_timeout_at => self.lose_election(step),
                Some(_) | None => {}
            },
            State::Leader(leader) if leader.has_lost_quorum(now) => self.resign(step),
            State::Follower { fetch_timeout_at, .. } if self.is_voter() && now >= *fetch_timeout_at => {
                self.become_candidate(step);
            }
            State::Resigned { election_at, .. } if now >= *election_at => self.become_candidate(step),
            State::Unattached { .. } | State::Leader(_) | State::Follower { .. } | State::Resigned { .. } => {}
        }
    }

    /// Stands for election in the next epoch, with its own vote.
    pub(super) fn become_candidate(&mut self, step: &mut RaftStep<'_>) {
        let retries = match &self.state {
            State::Candidate(candidacy) => candidacy.retries + 1,
            State::Unattached { .. } | State::Leader(_) | State::Follower { .. } | State::Resigned { .. } => 1,
        };
        let election_timeout_at = step.now + self.setup.config.draw_election_timeout(&mut self.rng);
        self.epoch = self.epoch.next();
        self.state = State::Candidate(self.candidacy(retries, election_timeout_at));
        self.links.forget_requests();
        if self.voters() > 1 {
            self.write_quorum_state(step.effects);
        }
        self.note_vote(ControllerEvent::BecameCandidate { epoch: self.epoch }, step.effects);
        self.lead_if_elected(step);
    }

    /// Leads if a majority has voted for it.
    pub(super) fn lead_if_elected(&mut self, step: &mut RaftStep<'_>) {
        let State::Candidate(candidacy) = &self.state else { return };
        if !candidacy.is_granted(self.voters()) {
            return;
        }
        let granted_by: Vec<i32> = candidacy.granted.iter().copied().collect();
        let voters: Vec<i32> = self.setup.voters.iter().map(|(voter, _)| *voter).collect();
        let (own_id, start) = (self.setup.node_id, self.log.end_offset());
        let leader = LeaderState::new(own_id, voters.iter().copied(), start, &self.setup.config, step.now);
        self.state = State::Leader(leader);
        self.links.forget_requests();
        self.write_quorum_state(step.effects);
        let opening = RecordBatch::of_leader_change(own_id, voters, granted_by.clone(), self.timestamp(step.now));
        self.note_vote(ControllerEvent::WonElection { epoch: self.epoch, granted_by }, step.effects);
        self.log.append_as_leader(&opening, self.epoch, step.effects);
        self.on_local_append(step);
    }

    /// A majority cannot be reached, or not in time: tries again after a while.
    pub(super) fn lose_election(&mut self, step: &mut RaftStep<'_>) {
        let State::Candidate(candidacy) = &mut self.state else { return };
        let backoff = self.setup.config.draw_election_backoff(candidacy.retries, &mut self.rng);
        candidacy.backing_off_until = Some(step.now + backoff);
        self.note_vote(ControllerEvent::LostElection { epoch: self.epoch }, step.effects);
        if backoff == Duration::default() {
            self.become_candidate(step);
        }
    }

    /// A leader gives its epoch up.
    pub(super) fn resign(&mut self, step: &mut RaftStep<'_>) {
        let State::Leader(leader) = &self.state else { return };
        let preferred_successors = leader.successors();
        let election_at = step.now + self.setup.config.draw_election_timeout(&mut self.rng);
        self.state = State::Resigned { unacknowledged: self.other_voters(), preferred_successors, election_at };
        self.links.forget_requests();
        self.note_vote(ControllerEvent::LeaderResigned { epoch: self.epoch }, step.effects);
        self.refuse_parked(step);
    }

    /// There is a later epoch, whose leader is not known. A voter that was waiting for its election goes on waiting.
    pub(super) fn become_unattached(&mut self, epoch: LeaderEpoch, step: &mut RaftStep<'_>) {
        assert!(epoch > self.epoch, "epochs only grow");
        let election_at = match &self.state {
            State::Unattached { election_at, .. } => *election_at,
            State::Candidate(candidacy) => Some(candidacy.election_timeout_at),
            State::Leader(_) | State::Follower { .. } | State::Resigned { .. } => self.draw_election_at(step.now),
        };
        self.epoch = epoch;
        self.state = State::Unattached { voted: None, election_at };
        self.links.forget_requests();
        self.write_quorum_state(step.effects);
        self.refuse_parked(step);
    }

    /// Gives its vote away.
    pub(super) fn vote_for(&mut self, candidate: i32, step: &mut RaftStep<'_>) {
        let election_at = self.draw_election_at(step.now);
        self.state = State::Unattached { voted: Some(candidate), election_at };
        self.write_quorum_state(step.effects);
    }

    /// Follows a leader.
    pub(super) fn become_follower(&mut self, epoch: LeaderEpoch, leader: i32, step: &mut RaftStep<'_>) {
        assert!(epoch >= self.epoch && leader != self.setup.node_id, "nobody follows itself or an earlier epoch");
        self.epoch = epoch;
        self.state = State::Follower { leader, fetch_timeout_at: self.fetch_timeout(step.now), download: None };
        self.links.forget_requests();
        self.write_quorum_state(step.effects);
        self.note_vote(ControllerEvent::FollowsQuorumLeader { leader, epoch }, step.effects);
        self.refuse_parked(step);
    }

    /// Somebody said who leads which epoch. Follows if that is news (`maybeTransition`).
    pub(super) fn hear_of(&mut self, epoch: LeaderEpoch, leader: Option<i32>, step: &mut RaftStep<'_>) {
        let leader = leader.filter(|leader| *leader != self.setup.node_id);
        match leader {
            Some(leader) if epoch > self.epoch || (epoch == self.epoch && self.leader().is_none()) => {
                self.become_follower(epoch, leader, step);
            }
            None if epoch > self.epoch => self.become_unattached(epoch, step),
            Some(_) | None => {}
        }
    }
}
