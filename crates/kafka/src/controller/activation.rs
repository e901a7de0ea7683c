//! What only the active controller does of itself: it watches brokers' sessions, writes `NoOpRecord`s, gives leaderships
//! back to preferred replicas, and looks for unclean leaders (`QuorumController`'s deferred events).

use super::heartbeats::Heartbeats;
use super::writes::{Operation, Pending};
use super::{Running, TimerKind};
use crate::event::{ChangeReason, ControllerEvent, EventKind};
use crate::instant::{Duration, Instant};
use crate::node::Effects;
use crate::release::RELEASE;
use std::collections::VecDeque;
use wire::{LeaderEpoch, MetadataRecord};

/// What the active controller has beyond the metadata log; lost when it is not active any more.
#[derive(Clone, Debug)]
pub(super) struct Active {
    /// The epoch in which it is active.
    pub(super) epoch: LeaderEpoch,
    pub(super) heartbeats: Heartbeats,
    /// Answers to requests, in the order of the offsets they wait for.
    pub(super) pending: VecDeque<Pending>,
    /// When the timer for sessions fires, if it is set.
    session_check_at: Option<Instant>,
    leader_rebalance: Schedule,
    unclean_election: Schedule,
}

/// `ImbalanceSchedule`: when a round of elections comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Schedule {
    /// After the interval, once there is something to do.
    Deferred,
    /// At once: the last round left some over.
    Immediately,
    /// The timer is set.
    Scheduled,
}

/// "At once" still lets other requests in between.
const IMMEDIATELY: Duration = Duration(10_000);

impl Running {
    /// Takes part in the quorum, and serves whoever connects.
    pub(super) fn start(&mut self, now: Instant, effects: &mut Effects) {
        effects.listen(crate::node::Listener::Controller);
        self.with_raft(now, effects, |raft, step| raft.start(step));
    }

    /// Becomes the active controller. Every broker counts as heard of just now, so that it has a whole session to find
    /// this controller; a new cluster gets its first records.
    pub(super) fn activate(&mut self, now: Instant, effects: &mut Effects) {
        let mut heartbeats = Heartbeats::new(Duration::from_ms(self.config.broker_session_timeout_ms));
        for (broker, registration) in self.image.brokers() {
            heartbeats.register(*broker, registration.fenced, now);
        }
        self.active = Some(Active {
            epoch: self.raft.epoch(),
            heartbeats,
            pending: VecDeque::new(),
            session_check_at: None,
            leader_rebalance: Schedule::Deferred,
            unclean_election: Schedule::Deferred,
        });
        effects.note(EventKind::Controller(ControllerEvent::BecameActive { epoch: self.raft.epoch() }));
        if self.image.features().is_empty() {
            self.write(now, Operation { records: bootstrap_records(), reason: None }, effects);
        }
        self.schedule_no_op(now, effects);
        self.schedule_session_check(now, effects);
        self.schedule_elections(now, effects);
    }

    fn schedule_no_op(&mut self, now: Instant, effects: &mut Effects) {
        if self.config.metadata_max_idle_interval_ms > 0 {
            let interval = Duration::from_ms(self.config.metadata_max_idle_interval_ms);
            effects.set_timer(TimerKind::NoOp.timer(0), now + interval);
        }
    }

    /// Written at every interval, whatever else was written meanwhile, so that brokers' metadata offsets move on.
    pub(super) fn on_no_op(&mut self, now: Instant, effects: &mut Effects) {
        self.schedule_no_op(now, effects);
        self.write(now, Operation { records: vec![MetadataRecord::NoOp], reason: None }, effects);
    }

    /// Sets the timer for the next session that may run out, unless it is set for an earlier time: then it will look
    /// again. A session is still valid at the very end of its timeout.
    pub(super) fn schedule_session_check(&mut self, now: Instant, effects: &mut Effects) {
        let Some(active) = self.active.as_mut() else { return };
        let Some(runs_out) = active.heartbeats.next_check() else { return };
        let at = (runs_out + Duration(1)).max(now);
        if active.session_check_at.is_none_or(|set| at < set) {
            active.session_check_at = Some(at);
            effects.set_timer(TimerKind::SessionCheck.timer(0), at);
        }
    }

    /// Fences one broker whose session has run out: the one that has been silent longest.
    pub(super) fn on_session_check(&mut self, now: Instant, effects: &mut Effects) {
        let Some(active) = self.active.as_mut() else { return };
        active.session_check_at = None;
        if let Some(broker) = active.heartbeats.find_one_stale_broker(now) {
            active.heartbeats.fence(broker);
            let operation =
                Operation { records: self.cluster().fence(broker), reason: Some(ChangeReason::BrokerFenced) };
            self.write(now, operation, effects);
        }
        self.schedule_session_check(now, effects);
    }

    /// Sets the timers for rounds of elections if there is something to do for them, and this is still the active
    /// controller.
    pub(super) fn schedule_elections(&mut self, now: Instant, effects: &mut Effects) {
        let is_imbalanced = self.config.auto_leader_rebalance_enable && self.cluster().has_imbalanced_partitions();
        let is_leaderless = self.cluster().has_leaderless_partitions();
        let rebalance_interval =
            Duration::from_ms(self.config.leader_imbalance_check_interval_seconds.saturating_mul(1_000));
        let unclean_interval = Duration::from_ms(self.config.unclean_leader_election_interval_ms);
        let Some(active) = self.active.as_mut() else { return };
        if is_imbalanced && let Some(delay) = active.leader_rebalance.take_delay(rebalance_interval) {
            effects.set_timer(TimerKind::LeaderRebalance.timer(0), now + delay);
        }
        if is_leaderless && let Some(delay) = active.unclean_election.take_delay(unclean_interval) {
            effects.set_timer(TimerKind::UncleanElection.timer(0), now + delay);
        }
    }

    /// `maybeBalancePartitionLeaders`.
    pub(super) fn on_leader_rebalance(&mut self, now: Instant, effects: &mut Effects) {
        let records = self.cluster().rebalance();
        let active = self.active.as_mut().expect("only the active controller holds elections");
        active.leader_rebalance = Schedule::after_a_round_of(records.len());
        self.write(now, Operation { records, reason: Some(ChangeReason::LeaderRebalance) }, effects);
        self.schedule_elections(now, effects);
    }

    /// `maybeElectUncleanLeaders`.
    pub(super) fn on_unclean_election(&mut self, now: Instant, effects: &mut Effects) {
        let records = self.cluster().elect_unclean_leaders();
        let active = self.active.as_mut().expect("only the active controller holds elections");
        active.unclean_election = Schedule::after_a_round_of(records.len());
        self.write(now, Operation { records, reason: Some(ChangeReason::UncleanElection) }, effects);
        self.schedule_elections(now, effects);
    }
}

/// What an empty log begins with (`ActivationRecordsGenerator`): the features that the storage was formatted with, and
/// that there never was a ZooKeeper, within one transaction.
fn bootstrap_records() -> Vec<MetadataRecord> {
    let record = |(name, level): &(&'static str, i16)| MetadataRecord::FeatureLevel { name, level: *level };
    let mut records = vec![MetadataRecord::BeginTransaction];
    records.extend(RELEASE.initial_features.iter().map(record));
    records.extend([MetadataRecord::ZkMigrationStateNone, MetadataRecord::EndTransaction]);
    records
}

impl Schedule {
    fn after_a_round_of(elections: usize) -> Schedule {
        if elections >= super::replication::MAX_ELECTIONS { Schedule::Immediately } else { Schedule::Deferred }
    }

    /// The delay of a timer that is to be set now, if it is not set yet.
    fn take_delay(&mut self, interval: Duration) -> Option<Duration> {
        match std::mem::replace(self, Schedule::Scheduled) {
            Schedule::Deferred => Some(interval),
            Schedule::Immediately => Some(IMMEDIATELY),
            Schedule::Scheduled => None,
        }
    }
}
