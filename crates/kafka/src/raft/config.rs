//! The times of the quorum (`org.apache.kafka.raft.QuorumConfig`).

use crate::Rng;
use crate::config::BrokerConfig;
use crate::instant::Duration;
use rand::RngExt;

/// The first step of the back-off between elections (`RETRY_BACKOFF_BASE_MS`).
const ELECTION_BACKOFF_BASE_MS: i64 = 100;

/// How long members of the quorum wait for what, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuorumConfig {
    /// `controller.quorum.election.timeout.ms`.
    pub election_timeout_ms: i64,
    /// `controller.quorum.election.backoff.max.ms`.
    pub election_backoff_max_ms: i64,
    /// `controller.quorum.fetch.timeout.ms`.
    pub fetch_timeout_ms: i64,
    /// `controller.quorum.request.timeout.ms`.
    pub request_timeout_ms: i64,
    /// `controller.quorum.retry.backoff.ms`.
    pub retry_backoff_ms: i64,
    /// How much log and snapshots there may be before old ones go: `metadata.max.retention.bytes`.
    pub max_retention_bytes: i64,
    /// How old a snapshot may be before it goes: `metadata.max.retention.ms`.
    pub max_retention_ms: i64,
}

impl QuorumConfig {
    /// From a server's properties.
    #[must_use]
    pub fn of(config: &BrokerConfig) -> QuorumConfig {
        QuorumConfig {
            election_timeout_ms: config.controller_quorum_election_timeout_ms,
            election_backoff_max_ms: config.controller_quorum_election_backoff_max_ms,
            fetch_timeout_ms: config.controller_quorum_fetch_timeout_ms,
            request_timeout_ms: config.controller_quorum_request_timeout_ms,
            retry_backoff_ms: config.controller_quorum_retry_backoff_ms,
            max_retention_bytes: config.metadata_max_retention_bytes,
            max_retention_ms: config.metadata_max_retention_ms,
        }
    }

    /// How long without a successful fetch before a follower stands for election.
    pub(super) fn fetch_timeout(&self) -> Duration {
        Duration::from_ms(self.fetch_timeout_ms)
    }

    /// How often a leader says that it leads.
    pub(super) fn begin_quorum_epoch_interval(&self) -> Duration {
        Duration::from_ms(self.fetch_timeout_ms / 2)
    }

    /// How long a leader leads without fetches of a majority.
    pub(super) fn check_quorum_timeout(&self) -> Duration {
        Duration::from_ms(self.fetch_timeout_ms * 3 / 2)
    }

    /// How long an election may take: differs by node and time, so that not all stand at once.
    pub(super) fn draw_election_timeout(&self, rng: &mut Rng) -> Duration {
        let timeout_ms = self.election_timeout_ms.max(1);
        Duration::from_ms(timeout_ms + rng.random_range(0..timeout_ms))
    }

    /// The wait after an election was lost, which was the `retries`th in a row, from 1
    /// (`binaryExponentialElectionBackoffMs`).
    pub(super) fn draw_election_backoff(&self, retries: u32, rng: &mut Rng) -> Duration {
        let steps = 2_i64 << retries.saturating_sub(1).min(20);
        let backoff_ms = ELECTION_BACKOFF_BASE_MS * rng.random_range(0..steps);
        Duration::from_ms(backoff_ms.min(self.election_backoff_max_ms))
    }

    /// How long a voter waits after the leader has resigned, by its place among the preferred successors
    /// (`strictExponentialElectionBackoffMs`): the first stands at once.
    pub(super) fn succession_backoff(&self, position: usize, successors: usize) -> Duration {
        if position == 0 {
            return Duration::default();
        }
        if position >= successors {
            return Duration::from_ms(self.election_backoff_max_ms);
        }
        let base_ms = self.election_backoff_max_ms >> (successors - 1);
        Duration::from_ms((base_ms << (position - 1)).min(self.election_backoff_max_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn successors_stand_one_after_another() {
        let config = QuorumConfig::of(&BrokerConfig::default());
        let waits = |successors| {
            (0..5).map(|position| config.succession_backoff(position, successors).as_ms()).collect::<Vec<_>>()
        };
        assert_eq!(waits(2), [0, 500, 1_000, 1_000, 1_000]);
        assert_eq!(waits(4), [0, 125, 250, 500, 1_000]);
    }

    #[test]
    fn waits_after_lost_elections_grow_up_to_the_limit() {
        let config = QuorumConfig::of(&BrokerConfig::default());
        let mut rng = Rng::seed_from_u64(1);
        let mut drawn = |retries| (0..200).map(|_| config.draw_election_backoff(retries, &mut rng).as_ms()).max();
        assert_eq!((drawn(1), drawn(2), drawn(9), drawn(90)), (Some(100), Some(300), Some(1_000), Some(1_000)));
    }
}
