//! What the leader of the quorum knows (`org.apache.kafka.raft.LeaderState`): how far the replicas are, what is
//! committed, and whether a majority still fetches from it.

use super::config::QuorumConfig;
use super::state::majority;
use crate::instant::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};
use wire::Offset;

/// An observer that has not fetched for so long is forgotten (`OBSERVER_SESSION_TIMEOUT_MS`).
const OBSERVER_SESSION_TIMEOUT_MS: i64 = 300_000;

/// The leader's knowledge.
#[derive(Clone, Debug)]
pub(super) struct LeaderState {
    node_id: i32,
    /// Where its epoch begins. Only what lies above may move the high watermark.
    pub(super) epoch_start_offset: Offset,
    /// Unknown until something of this epoch is committed.
    pub(super) high_watermark: Option<Offset>,
    voters: BTreeMap<i32, Progress>,
    observers: BTreeMap<i32, Progress>,
    fetched_voters: BTreeSet<i32>,
    check_quorum_timeout: Duration,
    /// When it resigns unless a majority fetches before.
    check_quorum_at: Instant,
    /// When it says next that it leads.
    pub(super) begin_quorum_epoch_at: Instant,
    /// The voters that are still to be told.
    pub(super) untold: BTreeSet<i32>,
}

/// How far a replica is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) end_offset: Option<Offset>,
    pub(super) last_fetch: Option<Instant>,
    pub(super) last_caught_up: Option<Instant>,
    leader_end_at_last_fetch: Option<Offset>,
}

impl LeaderState {
    /// A leader that was just elected. `voters` includes itself.
    pub(super) fn new(
        node_id: i32,
        voters: impl Iterator<Item = i32>,
        epoch_start_offset: Offset,
        config: &QuorumConfig,
        now: Instant,
    ) -> LeaderState {
        LeaderState {
            node_id,
            epoch_start_offset,
            high_watermark: None,
            voters: voters.map(|voter| (voter, Progress::default())).collect(),
            observers: BTreeMap::new(),
            fetched_voters: BTreeSet::new(),
            check_quorum_timeout: config.check_quorum_timeout(),
            check_quorum_at: now + config.check_quorum_timeout(),
            begin_quorum_epoch_at: now,
            untold: BTreeSet::new(),
        }
    }

    /// Its own log has grown. Tells whether more is committed by it.
    pub(super) fn update_local_end(&mut self, end_offset: Offset) -> bool {
        self.voters.entry(self.node_id).or_default().end_offset = Some(end_offset);
        self.update_high_watermark()
    }

    /// A replica fetched from `end_offset` on, so it has all before. Tells whether more is committed by that.
    pub(super) fn on_fetch(&mut self, replica: i32, end_offset: Offset, leader_end: Offset, now: Instant) -> bool {
        if replica == self.node_id {
            return false;
        }
        self.on_contact(replica, now);
        let is_voter = self.voters.contains_key(&replica);
        let replicas = if is_voter { &mut self.voters } else { &mut self.observers };
        replicas.entry(replica).or_default().update(end_offset, leader_end, now);
        is_voter && self.update_high_watermark()
    }

    /// A replica is there: once a majority has been, the leader may lead on.
    pub(super) fn on_contact(&mut self, replica: i32, now: Instant) {
        if self.voters.contains_key(&replica) && replica != self.node_id {
            self.fetched_voters.insert(replica);
        }
        if self.fetched_voters.len() >= majority(self.voters.len()) - 1 {
            self.fetched_voters.clear();
            self.check_quorum_at = now + self.check_quorum_timeout;
        }
    }

    /// Whether a majority has not fetched for too long. A sole voter needs nobody.
    pub(super) fn has_lost_quorum(&self, now: Instant) -> bool {
        self.voters.len() > 1 && now >= self.check_quorum_at
    }

    /// When something is due of itself.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let is_alone = self.voters.len() == 1;
        (!is_alone).then_some(self.check_quorum_at.min(self.begin_quorum_epoch_at))
    }

    /// The other voters, longest log first.
    pub(super) fn successors(&self) -> Vec<i32> {
        let others = self.voters.iter().filter(|(voter, _)| **voter != self.node_id);
        let mut others: Vec<(Option<Offset>, i32)> = others.map(|(voter, at)| (at.end_offset, *voter)).collect();
        others.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
        others.into_iter().map(|(_, voter)| voter).collect()
    }

    /// The voters and how far they are.
    pub(super) fn voters(&self) -> &BTreeMap<i32, Progress> {
        &self.voters
    }

    /// The observers that have fetched within their session.
    pub(super) fn observers(&self, now: Instant) -> impl Iterator<Item = (&i32, &Progress)> {
        let timeout = Duration::from_ms(OBSERVER_SESSION_TIMEOUT_MS);
        self.observers.iter().filter(move |(_, at)| at.last_fetch.is_some_and(|fetched| fetched + timeout > now))
    }

    /// What a majority has is committed, but only from the start of this epoch on, and never less than before.
    fn update_high_watermark(&mut self) -> bool {
        let mut ends: Vec<Option<Offset>> = self.voters.values().map(|at| at.end_offset).collect();
        ends.sort_by(|one, other| other.cmp(one));
        let Some(end) = ends[ends.len() / 2] else { return false };
        let is_higher = end > self.epoch_start_offset && self.high_watermark.is_none_or(|before| end > before);
        if is_higher {
            self.high_watermark = Some(end);
        }
        is_higher
    }
}

impl Progress {
    fn update(&mut self, end_offset: Offset, leader_end: Offset, now: Instant) {
        if end_offset >= leader_end {
            self.last_caught_up = Some(now);
        } else if self.leader_end_at_last_fetch.is_some_and(|end| end > Offset::ZERO && end_offset >= end) {
            self.last_caught_up = self.last_caught_up.max(self.last_fetch);
        }
        self.leader_end_at_last_fetch = Some(leader_end);
        self.last_fetch = Some(now);
        self.end_offset = Some(end_offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BrokerConfig;

    fn leader(voters: i32, epoch_start: i64) -> LeaderState {
        let config = QuorumConfig::of(&BrokerConfig::default());
        LeaderState::new(0, 0..voters, Offset(epoch_start), &config, Instant::ZERO)
    }

    /// Each step is a voter and where its log ends then; the result are the high watermarks behind the steps.
    fn high_watermarks(leader: &mut LeaderState, steps: &[(i32, i64)]) -> Vec<Option<i64>> {
        steps
            .iter()
            .map(|(voter, end)| {
                match voter {
                    0 => leader.update_local_end(Offset(*end)),
                    voter => leader.on_fetch(*voter, Offset(*end), Offset(*end), Instant::ZERO),
                };
                leader.high_watermark.map(|high_watermark| high_watermark.0)
            })
            .collect()
    }

    #[test]
    fn the_high_watermark_is_what_a_majority_has_above_the_start_of_the_epoch() {
        let (one, two, three) = (&mut leader(1, 15), &mut leader(2, 10), &mut leader(3, 10));
        assert_eq!(high_watermarks(one, &[(0, 15), (0, 16), (0, 20)]), [None, Some(16), Some(20)]);
        assert_eq!(high_watermarks(two, &[(0, 13), (1, 10), (1, 11), (1, 13)]), [None, None, Some(11), Some(13)]);
        assert_eq!(
            high_watermarks(three, &[(0, 15), (1, 10), (2, 10), (2, 15), (0, 20), (1, 20)]),
            [None, None, None, Some(15), Some(15), Some(20)]
        );
    }

    #[test]
    fn the_high_watermark_does_not_fall_with_a_voter_that_lost_its_log() {
        assert_eq!(high_watermarks(&mut leader(2, 10), &[(0, 15), (1, 15), (1, 3)]), [None, Some(15), Some(15)]);
    }

    #[test]
    fn observers_do_not_move_the_high_watermark() {
        let mut leader = leader(3, 10);
        assert_eq!(high_watermarks(&mut leader, &[(0, 15), (7, 15), (8, 15)]), [None, None, None]);
        assert_eq!(leader.observers(Instant::ZERO).count(), 2);
        assert_eq!(leader.observers(Instant(300_000_000)).count(), 0);
    }

    #[test]
    fn successors_are_ordered_by_their_logs() {
        let mut leader = leader(4, 10);
        high_watermarks(&mut leader, &[(0, 15), (1, 11), (2, 14), (3, 11)]);
        assert_eq!(leader.successors(), [2, 1, 3]);
    }

    #[test]
    fn a_leader_needs_fetches_of_a_majority_within_its_time() {
        let mut five = leader(5, 0);
        five.on_contact(1, Instant(2_000_000));
        assert!(!five.has_lost_quorum(Instant(2_999_999)));
        assert!(five.has_lost_quorum(Instant(3_000_000)), "one of four others is no majority");
        five.on_contact(1, Instant(2_500_000));
        five.on_contact(9, Instant(2_500_000));
        assert!(five.has_lost_quorum(Instant(3_000_000)), "neither the same one again nor an observer counts");
        five.on_contact(2, Instant(2_500_000));
        assert!(!five.has_lost_quorum(Instant(5_499_999)));
        assert!(five.has_lost_quorum(Instant(5_500_000)));
        assert!(!leader(1, 0).has_lost_quorum(Instant(9_000_000)), "a sole voter needs nobody");
    }
}
