//! One member of the quorum: its parts, and what it does of itself (`KafkaRaftClient.poll`).

use super::config::QuorumConfig;
use super::links::{FIRST_OF_QUORUM, Links, Patience};
use super::metadata_log::{MetadataLog, Retention};
use super::parked::ParkedFetches;
use super::state::State;
use super::{MetadataSnapshot, RaftStep};
use crate::Rng;
use crate::event::{ControllerEvent, EventKind};
use crate::instant::{Duration, Instant, WallClock};
use crate::metadata::message::metadata_batch;
use crate::node::{ConnectionId, Effects, Identity, Timer};
use crate::storage::{Disk, DiskWrite, QuorumState};
use crate::view::QuorumView;
use std::sync::Arc;
use wire::response::LeaderIdAndEpoch;
use wire::{Endpoint, LeaderEpoch, MetadataRecord, Offset, OffsetAndEpoch, RecordBatch, Response, Timestamp};

/// How long a leader that shuts down waits for its successor.
const SHUTDOWN_TIMEOUT_MS: i64 = 5_000;

/// What a member is told about itself when it is made.
#[derive(Clone, Debug)]
pub struct RaftSetup {
    /// Its `node.id`.
    pub node_id: i32,
    /// The process it is part of.
    pub identity: Identity,
    /// `controller.quorum.voters`.
    pub voters: Vec<(i32, Endpoint)>,
    /// The times of the quorum.
    pub config: QuorumConfig,
    /// The timer that wakes it.
    pub timer: Timer,
}

/// A member of the quorum.
#[derive(Clone, Debug)]
pub struct RaftClient {
    pub(super) setup: Arc<RaftSetup>,
    pub(super) rng: Rng,
    pub(super) epoch: LeaderEpoch,
    pub(super) state: State,
    pub(super) log: MetadataLog,
    /// The highest that this member has known since it started.
    pub(super) high_watermark: Option<Offset>,
    pub(super) links: Links,
    pub(super) parked: ParkedFetches,
    /// Set once the process is asked to shut down: when it goes in any case.
    shutdown_at: Option<Instant>,
    timer_at: Option<Instant>,
}

impl RaftClient {
    /// Starts with what is on the disk, in the epoch in which this member last took part.
    #[must_use]
    pub fn open(setup: RaftSetup, disk: &Disk, rng: Rng, step: &mut RaftStep<'_>) -> RaftClient {
        let log = MetadataLog::open(disk, step.effects);
        let mut client = RaftClient {
            links: Links::new(
                setup.identity.clone(),
                FIRST_OF_QUORUM,
                setup.voters.iter().filter(|(voter, _)| *voter != setup.node_id),
            ),
            setup: Arc::new(setup),
            rng,
            epoch: log.last_epoch(),
            state: State::Unattached { voted: None, election_at: None },
            log,
            high_watermark: None,
            parked: ParkedFetches::default(),
            shutdown_at: None,
            timer_at: None,
        };
        client.restore(disk.quorum_state, step.now);
        client
    }

    /// Takes part in the quorum from now on. A sole voter leads at once.
    pub fn start(&mut self, step: &mut RaftStep<'_>) {
        if self.is_voter() && self.voters() == 1 {
            self.become_candidate(step);
        }
        self.poll(step);
    }

    /// Who leads, as far as this member knows. A leader that has resigned still names itself.
    #[must_use]
    pub fn leader(&self) -> Option<i32> {
        match &self.state {
            State::Unattached { .. } | State::Candidate(_) => None,
            State::Leader(_) | State::Resigned { .. } => Some(self.setup.node_id),
            State::Follower { leader, .. } => Some(*leader),
        }
    }

    /// Whether this member leads.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        matches!(self.state, State::Leader(_))
    }

    /// If it leads: where its epoch begins. Who has replayed the log beyond that knows all that was committed before.
    #[must_use]
    pub fn epoch_start_offset(&self) -> Option<Offset> {
        match &self.state {
            State::Leader(leader) => Some(leader.epoch_start_offset),
            State::Unattached { .. } | State::Candidate(_) | State::Follower { .. } | State::Resigned { .. } => None,
        }
    }

    /// The current epoch.
    #[must_use]
    pub fn epoch(&self) -> LeaderEpoch {
        self.epoch
    }

    /// Below it everything is committed, as far as this member knows; `None` while it knows nothing.
    #[must_use]
    pub fn high_watermark(&self) -> Option<Offset> {
        self.high_watermark
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &MetadataLog {
        &self.log
    }

    /// Appends records as one batch, which becomes committed as a whole. Only the leader may.
    pub fn append(&mut self, records: Vec<MetadataRecord>, step: &mut RaftStep<'_>) -> Arc<RecordBatch> {
        assert!(self.is_leader(), "only the leader writes");
        let batch = metadata_batch(records, self.timestamp(step.now));
        let appended = self.log.append_as_leader(&batch, self.epoch, step.effects);
        self.on_local_append(step);
        self.set_timer(step);
        appended
    }

    pub(super) fn on_local_append(&mut self, step: &mut RaftStep<'_>) {
        self.log.flush(step.effects);
        let end = self.log.end_offset();
        if let State::Leader(leader) = &mut self.state
            && leader.update_local_end(end)
        {
            self.high_watermark = leader.high_watermark;
        }
        self.wake_parked(step);
    }

    /// Writes a snapshot: `records` say what all records below `end_offset`, which are committed, add up to.
    pub fn write_snapshot(&mut self, end_offset: Offset, records: &[MetadataRecord], step: &mut RaftStep<'_>) {
        assert!(
            self.high_watermark.is_some_and(|committed| end_offset <= committed),
            "snapshots are of what is committed"
        );
        let is_newer = self.log.latest_snapshot().is_none_or(|latest| latest.id.offset < end_offset);
        let Some((epoch, timestamp)) = self.log.before(end_offset).filter(|_| is_newer) else { return };
        let snapshot = MetadataSnapshot::write(OffsetAndEpoch { offset: end_offset, epoch }, records, timestamp);
        let retention = self.retention(step.now);
        self.log.add_snapshot(snapshot, retention, step.effects);
        self.note(ControllerEvent::SnapshotWritten { end_offset }, step.effects);
    }

    fn retention(&self, now: Instant) -> Retention {
        let config = &self.setup.config;
        let oldest = Timestamp(self.timestamp(now).0 - config.max_retention_ms);
        Retention { bytes: config.max_retention_bytes, oldest: (config.max_retention_ms >= 0).then_some(oldest) }
    }

    /// Whether a connection was opened by this member.
    #[must_use]
    pub fn owns(&self, connection: ConnectionId) -> bool {
        self.links.owns(connection)
    }

    /// A connection that it opened is established.
    pub fn on_connected(&mut self, connection: ConnectionId, step: &mut RaftStep<'_>) {
        self.links.on_connected(connection);
        self.poll(step);
    }

    /// A connection of either side's making is gone.
    pub fn on_disconnected(&mut self, connection: ConnectionId, step: &mut RaftStep<'_>) {
        self.parked.on_disconnected(connection);
        let patience = self.patience();
        if let Some(voter) = self.links.on_disconnected(connection, step.now, patience, &mut self.rng) {
            self.on_failed(voter);
        }
        self.poll(step);
    }

    fn on_failed(&mut self, voter: i32) {
        if let State::Leader(leader) = &mut self.state {
            leader.untold.remove(&voter);
        }
    }

    /// An answer arrived on a connection that it opened.
    pub fn on_response(&mut self, answer: (ConnectionId, i32), response: Response, step: &mut RaftStep<'_>) {
        if let Some(voter) = self.links.on_response(answer.0, answer.1) {
            self.handle_response(voter, response, step);
        }
        self.poll(step);
    }

    /// Its timer has fired.
    pub fn on_timer(&mut self, step: &mut RaftStep<'_>) {
        self.timer_at = None;
        self.poll(step);
    }

    /// The process is asked to end: a leader hands over first.
    pub fn shut_down(&mut self, step: &mut RaftStep<'_>) {
        self.shutdown_at = Some(step.now + Duration::from_ms(SHUTDOWN_TIMEOUT_MS));
        self.poll(step);
    }

    /// Whether nothing keeps a process from ending that was asked to: nobody waits for this member, another one leads,
    /// or it has waited long enough (`maybeCompleteShutdown`).
    #[must_use]
    pub fn may_exit(&self, now: Instant) -> bool {
        let has_remote_leader = self.leader().is_some_and(|leader| leader != self.setup.node_id);
        let is_over = self.shutdown_at.is_some_and(|at| now >= at);
        !self.is_voter() || self.voters() == 1 || has_remote_leader || is_over
    }

    pub(super) fn is_shutting_down(&self) -> bool {
        self.shutdown_at.is_some()
    }

    /// Does what is due now, asks for what it needs, and sets its timer for what comes next. A member that has shut down
    /// asks for nothing any more.
    pub(super) fn poll(&mut self, step: &mut RaftStep<'_>) {
        if self.is_shutting_down() && self.may_exit(step.now) {
            return;
        }
        let patience = self.patience();
        for voter in self.links.expire(step.now, patience, &mut self.rng, step.effects) {
            self.on_failed(voter);
        }
        self.answer_expired(step);
        self.advance_state(step);
        self.send_requests(step);
        self.set_timer(step);
    }

    fn set_timer(&mut self, step: &mut RaftStep<'_>) {
        let of_state = self.state.next_deadline().filter(|at| *at > step.now);
        let of_links = self.links.next_deadline(step.now);
        let of_shutdown = self.shutdown_at.filter(|at| *at > step.now);
        let deadlines = [of_state, of_links, self.parked.next_deadline(), of_shutdown];
        let next = deadlines.into_iter().flatten().min();
        if next != self.timer_at {
            match next {
                Some(at) => step.effects.set_timer(self.setup.timer, at),
                None => step.effects.cancel_timer(self.setup.timer),
            }
            self.timer_at = next;
        }
    }

    pub(super) fn patience(&self) -> Patience {
        Patience {
            request_timeout: Duration::from_ms(self.setup.config.request_timeout_ms),
            retry_backoff: Duration::from_ms(self.setup.config.retry_backoff_ms),
        }
    }

    pub(super) fn voters(&self) -> usize {
        self.setup.voters.len()
    }

    pub(super) fn is_voter(&self) -> bool {
        self.setup.voters.iter().any(|(voter, _)| *voter == self.setup.node_id)
    }

    pub(super) fn timestamp(&self, now: Instant) -> Timestamp {
        self.clock().at(now)
    }

    /// The wall clock was set.
    pub fn set_clock(&mut self, clock: WallClock) {
        Arc::make_mut(&mut self.setup).identity.clock = clock;
    }

    fn clock(&self) -> WallClock {
        self.setup.identity.clock
    }

    pub(super) fn leader_and_epoch(&self) -> LeaderIdAndEpoch {
        LeaderIdAndEpoch { leader_id: self.leader(), leader_epoch: self.epoch }
    }

    /// Writes down what a restarted process must know.
    pub(super) fn write_quorum_state(&self, effects: &mut Effects) {
        let voted_id = match &self.state {
            State::Unattached { voted, .. } => *voted,
            State::Candidate(_) => Some(self.setup.node_id),
            State::Leader(_) | State::Follower { .. } | State::Resigned { .. } => None,
        };
        let state = QuorumState { leader_epoch: self.epoch, leader_id: self.leader(), voted_id };
        effects.write(DiskWrite::QuorumState(state));
    }

    pub(super) fn note(&self, event: ControllerEvent, effects: &mut Effects) {
        effects.note(EventKind::Controller(event));
    }

    /// Notes what only voters tell, and only where there is somebody to vote with.
    pub(super) fn note_vote(&self, event: ControllerEvent, effects: &mut Effects) {
        if self.is_voter() && self.voters() > 1 {
            self.note(event, effects);
        }
    }

    /// What an onlooker may see.
    #[must_use]
    pub fn view(&self) -> QuorumView {
        let voted = match &self.state {
            State::Unattached { voted, .. } => *voted,
            State::Candidate(_) => Some(self.setup.node_id),
            State::Leader(_) | State::Follower { .. } | State::Resigned { .. } => None,
        };
        let end_of = |voter: i32| match &self.state {
            State::Leader(leader) => leader.voters().get(&voter).and_then(|at| at.end_offset),
            State::Unattached { .. } | State::Candidate(_) | State::Follower { .. } | State::Resigned { .. } => None,
        };
        QuorumView {
            role: self.state.role(),
            leader: self.leader(),
            voted,
            voters: self.setup.voters.iter().map(|(voter, _)| (*voter, end_of(*voter))).collect(),
            log_start_offset: self.log.start_offset(),
            snapshot_end_offset: self.log.latest_snapshot().map(|snapshot| snapshot.id.offset),
        }
    }
}
