//! Faults of earlier releases by name, and the worlds in which each is likely to show.

use crate::action::Kind;
use kafka::spec::HistoricalFaults;

/// A fault of an earlier release, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Historical {
    /// `HistoricalFaults::truncate_to_high_watermark`: `KafkaTruncateToHighWatermark` of the formal models.
    TruncateToHighWatermark,
    /// `HistoricalFaults::single_round_truncation`: `Kip101`.
    SingleRoundTruncation,
    /// `HistoricalFaults::truncation_before_fetching`: `Kip279`.
    TruncationBeforeFetching,
    /// `HistoricalFaults::unfenced_fetches`: `Kip320FirstTry`.
    UnfencedFetches,
    /// `HistoricalFaults::high_watermark_below_min_isr`.
    HighWatermarkBelowMinIsr,
    /// `HistoricalFaults::isr_without_broker_epochs`.
    IsrWithoutBrokerEpochs,
    /// `HistoricalFaults::unfenced_zookeeper_controllers`.
    UnfencedZooKeeperControllers,
    /// `HistoricalFaults::unnoticed_broker_bounces`.
    UnnoticedBrokerBounces,
}

impl Historical {
    /// All of them.
    pub const ALL: [Historical; 8] = [
        Historical::TruncateToHighWatermark,
        Historical::SingleRoundTruncation,
        Historical::TruncationBeforeFetching,
        Historical::UnfencedFetches,
        Historical::HighWatermarkBelowMinIsr,
        Historical::IsrWithoutBrokerEpochs,
        Historical::UnfencedZooKeeperControllers,
        Historical::UnnoticedBrokerBounces,
    ];

    /// Its name in plans and on command lines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Historical::TruncateToHighWatermark => "truncate-to-high-watermark",
            Historical::SingleRoundTruncation => "single-round-truncation",
            Historical::TruncationBeforeFetching => "truncation-before-fetching",
            Historical::UnfencedFetches => "unfenced-fetches",
            Historical::HighWatermarkBelowMinIsr => "high-watermark-below-min-isr",
            Historical::IsrWithoutBrokerEpochs => "isr-without-broker-epochs",
            Historical::UnfencedZooKeeperControllers => "unfenced-zookeeper-controllers",
            Historical::UnnoticedBrokerBounces => "unnoticed-broker-bounces",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Historical> {
        Historical::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// Whether only a ZooKeeper cluster can show it.
    #[must_use]
    pub fn is_of_zookeeper(self) -> bool {
        matches!(self, Historical::UnfencedZooKeeperControllers | Historical::UnnoticedBrokerBounces)
    }

    /// What strikes in worlds that shall show it, and how often.
    #[must_use]
    pub fn weights(self) -> &'static [(Kind, u32)] {
        match self {
            Historical::TruncationBeforeFetching | Historical::UnfencedFetches => &LATE_NEWS,
            Historical::UnfencedZooKeeperControllers => &TWO_CONTROLLERS,
            Historical::UnnoticedBrokerBounces => &BOUNCES,
            Historical::TruncateToHighWatermark
            | Historical::SingleRoundTruncation
            | Historical::HighWatermarkBelowMinIsr
            | Historical::IsrWithoutBrokerEpochs => &SHORT_WAYS,
        }
    }

    pub(crate) fn faults(self) -> HistoricalFaults {
        let mut faults = HistoricalFaults::default();
        assert!(faults.switch_on(self.name()), "scripts know every fault that the swarm looks for");
        faults
    }
}

/// Leaders change quickly, and some stay behind without knowing.
const SHORT_WAYS: [(Kind, u32); 10] = [
    (Kind::KillBroker, 30),
    (Kind::StartBroker, 40),
    (Kind::StopBroker, 6),
    (Kind::Freeze, 15),
    (Kind::Thaw, 25),
    (Kind::Isolate, 10),
    (Kind::Cut, 10),
    (Kind::Heal, 20),
    (Kind::PowerOff, 8),
    (Kind::SlowDisk, 4),
];

/// Leaders change while all run, and some hear of it late.
const LATE_NEWS: [(Kind, u32); 9] = [
    (Kind::Lag, 40),
    (Kind::Heal, 10),
    (Kind::Reassign, 30),
    (Kind::ElectPreferred, 40),
    (Kind::StopBroker, 6),
    (Kind::KillBroker, 8),
    (Kind::StartBroker, 30),
    (Kind::Freeze, 6),
    (Kind::Thaw, 20),
];

/// A controller ends or stands still, another one takes over, and what the first one has sent comes late, or it goes on.
const TWO_CONTROLLERS: [(Kind, u32); 10] = [
    (Kind::Lag, 30),
    (Kind::Heal, 6),
    (Kind::StopBroker, 24),
    (Kind::StartBroker, 60),
    (Kind::KillBroker, 6),
    (Kind::Freeze, 10),
    (Kind::Thaw, 20),
    (Kind::Cut, 4),
    (Kind::Reassign, 8),
    (Kind::CreateTopic, 4),
];

/// Brokers come back before anybody has looked.
const BOUNCES: [(Kind, u32); 5] =
    [(Kind::StopBroker, 30), (Kind::KillBroker, 5), (Kind::StartBroker, 80), (Kind::Lag, 10), (Kind::Heal, 1)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_switches_one_fault_on_and_no_two_the_same() {
        let faults: Vec<HistoricalFaults> = Historical::ALL.into_iter().map(Historical::faults).collect();
        for (place, fault) in faults.iter().enumerate() {
            assert_ne!(*fault, HistoricalFaults::default());
            assert!(!faults[..place].contains(fault), "{fault:?}");
        }
    }
}
