//! What differs between releases of Kafka, as data: which features a release supports, and from which level of
//! `metadata.version` on a rule holds (`org.apache.kafka.server.common.MetadataVersion`, KIP-584, KIP-778).

mod apis;

pub use apis::{Api, CLIENT_APIS, KRAFT_BROKER_APIS, ZOOKEEPER_BROKER_APIS};

use std::collections::BTreeMap;
use wire::response::{FinalizedFeature, SupportedFeature};

/// The feature that stands for the format and the rules of the metadata log.
pub const METADATA_VERSION: &str = "metadata.version";

/// The names of the levels of `metadata.version`, from level 1 on. Those behind 3.9-IV0 are not for production.
pub const METADATA_VERSIONS: [&str; 23] = [
    "3.0-IV1", "3.1-IV0", "3.2-IV0", "3.3-IV0", "3.3-IV1", "3.3-IV2", "3.3-IV3", "3.4-IV0", "3.5-IV0", "3.5-IV1",
    "3.5-IV2", "3.6-IV0", "3.6-IV1", "3.6-IV2", "3.7-IV0", "3.7-IV1", "3.7-IV2", "3.7-IV3", "3.7-IV4", "3.8-IV0",
    "3.9-IV0", "4.0-IV0", "4.0-IV1",
];

/// A release of Kafka.
#[derive(Debug)]
pub struct Release {
    /// For example `3.9`.
    pub name: &'static str,
    /// The features that its servers support.
    pub supported_features: &'static [SupportedFeature],
    /// Those with `unstable.feature.versions.enable`.
    pub unstable_features: &'static [SupportedFeature],
    /// The features of a new cluster with their levels.
    pub initial_features: &'static [(&'static str, i16)],
    /// The lowest level to which `metadata.version` may be set.
    pub minimum_metadata_version: i16,
    /// Levels of `metadata.version` that brought other records: a way down across one of them would lose metadata.
    pub metadata_changes: &'static [i16],
    /// From this level on replicas may be eligible without being in sync (KIP-966), where the controllers' own property
    /// says so too.
    pub eligible_leader_replicas_from: i16,
    /// Up to below this level, a smaller set of in-sync replicas begins a new leader epoch (KAFKA-15021).
    pub leader_epoch_bump_on_isr_shrink_before: i16,
}

/// Kafka 3.9.
pub const KAFKA_3_9: Release = Release {
    name: "3.9",
    supported_features: &[
        SupportedFeature { name: "kraft.version", min_version: 0, max_version: 1 },
        SupportedFeature { name: METADATA_VERSION, min_version: 1, max_version: 21 },
    ],
    unstable_features: &[
        SupportedFeature { name: "group.version", min_version: 0, max_version: 1 },
        SupportedFeature { name: "kraft.version", min_version: 0, max_version: 1 },
        SupportedFeature { name: METADATA_VERSION, min_version: 1, max_version: 23 },
        SupportedFeature { name: "transaction.version", min_version: 0, max_version: 2 },
    ],
    initial_features: &[(METADATA_VERSION, 21)],
    minimum_metadata_version: 4,
    metadata_changes: &[3, 5, 6, 7, 8, 11, 13, 14, 15, 17],
    eligible_leader_replicas_from: 22,
    leader_epoch_bump_on_isr_shrink_before: 12,
};

/// The release that the simulated servers are.
pub const RELEASE: &Release = &KAFKA_3_9;

/// The rules that hold in a cluster with these finalized features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Replicas that left the in-sync ones below `min.insync.replicas` may lead (KIP-966).
    pub eligible_leader_replicas: bool,
    /// A smaller set of in-sync replicas begins a new leader epoch.
    pub bumps_leader_epoch_on_isr_shrink: bool,
}

impl Release {
    /// The features that a server supports, with those that are not for production or without them.
    #[must_use]
    pub fn features(&self, is_unstable_enabled: bool) -> &'static [SupportedFeature] {
        if is_unstable_enabled { self.unstable_features } else { self.supported_features }
    }

    /// The rules in a cluster that has agreed on these levels.
    #[must_use]
    pub fn rules(&self, features: &BTreeMap<&'static str, i16>) -> Rules {
        let level = |name: &str| features.get(name).copied();
        let metadata_version = level(METADATA_VERSION).unwrap_or(self.minimum_metadata_version);
        let has_metadata_version = level(METADATA_VERSION).is_some();
        Rules {
            eligible_leader_replicas: metadata_version >= self.eligible_leader_replicas_from,
            bumps_leader_epoch_on_isr_shrink: has_metadata_version
                && metadata_version < self.leader_epoch_bump_on_isr_shrink_before,
        }
    }

    /// Whether a way from one level of `metadata.version` down to another would lose metadata.
    #[must_use]
    pub fn loses_metadata(&self, from: i16, to: i16) -> bool {
        self.metadata_changes.iter().any(|level| (to + 1..=from).contains(level))
    }
}

/// The levels that a cluster has agreed on, as `ApiVersions` tells them.
#[must_use]
pub fn finalized_features(features: &BTreeMap<&'static str, i16>) -> Vec<FinalizedFeature> {
    features.iter().map(|(name, level)| FinalizedFeature { name: (*name).to_owned(), level: *level }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_isr_begins_an_epoch_before_3_6_only() {
        let rules = |level| RELEASE.rules(&BTreeMap::from([(METADATA_VERSION, level)]));
        assert!(rules(11).bumps_leader_epoch_on_isr_shrink);
        assert!(!rules(12).bumps_leader_epoch_on_isr_shrink);
        assert!(!rules(21).eligible_leader_replicas);
    }

    #[test]
    fn eligible_leader_replicas_need_a_level_that_is_not_for_production() {
        assert!(RELEASE.rules(&BTreeMap::from([(METADATA_VERSION, 22)])).eligible_leader_replicas);
        let highest = |is_unstable_enabled| {
            let features = RELEASE.features(is_unstable_enabled).iter();
            features.filter(|feature| feature.name == METADATA_VERSION).map(|feature| feature.max_version).max()
        };
        assert_eq!((highest(false), highest(true)), (Some(21), Some(23)));
    }
}
