//! What a replica is told with each call, and what it tells of the call's consequences.

use crate::config::BrokerConfig;
use crate::instant::{Duration, Instant, WallClock};
use crate::log::LogSettings;
use crate::metadata::ClusterImage;
use crate::spec::HistoricalFaults;
use wire::{BrokerEpoch, BrokerId, Timestamp};

/// What all replicas of one broker share: its id and what its properties say about replication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaSettings {
    /// The broker's `node.id`.
    pub broker_id: BrokerId,
    /// `replica.lag.time.max.ms`.
    pub replica_lag_time_max: Duration,
    /// `replica.fetch.backoff.ms`.
    pub replica_fetch_backoff: Duration,
    /// `replica.fetch.max.bytes`, for one partition.
    pub replica_fetch_max_bytes: i32,
    /// What holds for all their logs.
    pub log: LogSettings,
    /// Rules that the broker leaves out.
    pub historical_faults: HistoricalFaults,
}

impl ReplicaSettings {
    /// What `config` says for the replicas of `broker_id`.
    #[must_use]
    pub fn new(
        broker_id: BrokerId,
        config: &BrokerConfig,
        log: LogSettings,
        historical_faults: HistoricalFaults,
    ) -> ReplicaSettings {
        ReplicaSettings {
            broker_id,
            replica_lag_time_max: Duration::from_ms(config.replica_lag_time_max_ms),
            replica_fetch_backoff: Duration::from_ms(config.replica_fetch_backoff_ms),
            replica_fetch_max_bytes: config.replica_fetch_max_bytes,
            log,
            historical_faults,
        }
    }
}

/// The world around a replica in one step.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time.
    pub now: Instant,
    /// The broker's wall clock.
    pub wall_clock: WallClock,
    /// The broker's own registration.
    pub broker_epoch: BrokerEpoch,
    /// The cluster as the broker knows it: who may join the in-sync replicas.
    pub image: &'a ClusterImage,
}

impl Context<'_> {
    /// The rack of a broker.
    pub(super) fn rack_of(&self, broker: BrokerId) -> Option<&str> {
        self.image.brokers().get(&broker)?.rack.as_deref()
    }

    /// What the broker's clock says.
    pub(super) fn wall_time(&self) -> Timestamp {
        self.wall_clock.at(self.now)
    }

    /// The epoch of an unfenced broker (`getAliveBrokerEpoch`).
    pub(super) fn alive_broker_epoch(&self, broker: BrokerId) -> Option<BrokerEpoch> {
        let registration = self.image.brokers().get(&broker)?;
        (!registration.fenced).then_some(registration.broker_epoch)
    }

    /// Whether a broker whose fetches carry `fetch_epoch` may join the in-sync replicas (`isReplicaIsrEligible`). With
    /// ZooKeeper, brokers do not know each other's epochs: that it is alive is enough.
    pub(super) fn may_be_in_sync(&self, broker: BrokerId, fetch_epoch: Option<BrokerEpoch>) -> bool {
        let Some(registration) = self.image.brokers().get(&broker) else { return false };
        let is_this_run =
            fetch_epoch.is_some_and(|epoch| epoch == BrokerEpoch::NONE || epoch == registration.broker_epoch);
        registration.is_active() && (is_this_run || registration.broker_epoch == BrokerEpoch::NONE)
    }
}

/// What a call changed in a replica, so that the broker knows what to look at again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The replica leads or follows in a newer leader epoch: look at all parked requests of the partition, and at whom
    /// to fetch from.
    pub leadership: bool,
    /// The log start offset moved, here or as a follower says: look at parked deletions of records.
    pub log_start_offset: bool,
    /// The log end offset moved: look at parked fetches (of followers).
    pub log_end_offset: bool,
    /// The high watermark moved: look at parked fetches and parked produce requests.
    pub high_watermark: bool,
    /// There is a new proposal for the in-sync replicas: send [`super::Partition::proposed_isr`] to the controller.
    pub isr_proposed: bool,
}
