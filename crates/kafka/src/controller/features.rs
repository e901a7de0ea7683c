//! The cluster agrees on other levels of features (`org.apache.kafka.controller.FeatureControlManager`; KIP-584,
//! KIP-778), and brokers get blocks of producer ids (`ProducerIdControlManager`; KIP-730). All servers of the simulation
//! are of one release, so that what the controller supports, the brokers do too.

use super::replication::Cluster;
use crate::release::{METADATA_VERSION, RELEASE};
use wire::request::{AllocateProducerIdsRequest, FeatureUpdate, UpdateFeaturesRequest, UpgradeType};
use wire::response::{AllocateProducerIdsResponse, UpdateFeaturesResponse, UpdatedFeature};
use wire::{ErrorCode, MetadataRecord};

/// `ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`.
const PRODUCER_ID_BLOCK_SIZE: i32 = 1_000;

impl Cluster<'_> {
    /// Changes the levels of all features in the request, or of none.
    pub(super) fn update_features(
        &self,
        request: &UpdateFeaturesRequest,
    ) -> (Vec<MetadataRecord>, UpdateFeaturesResponse) {
        let updates: Result<Vec<MetadataRecord>, String> =
            request.updates.iter().map(|update| self.update_feature(update)).collect();
        match updates {
            Ok(_) if request.validate_only => (Vec::new(), updated(request)),
            Ok(records) => (records, updated(request)),
            Err(message) => (Vec::new(), refused(ErrorCode::InvalidUpdateVersion, message)),
        }
    }

    fn update_feature(&self, update: &FeatureUpdate) -> Result<MetadataRecord, String> {
        let invalid = |reason: String| invalid_version(update, &reason);
        let (name, level) = (update.feature.as_str(), update.max_version_level);
        let current = self.image.features().get(name).copied().unwrap_or(0);
        if level < 0 {
            return Err(invalid("A feature version cannot be less than 0.".to_owned()));
        }
        let feature = RELEASE.feature(name).ok_or_else(|| invalid(not_supported(update, "0-0")))?;
        if level != 0 && !(feature.min_version..=feature.max_version).contains(&level) {
            let range = format!("{}-{}", feature.min_version, feature.max_version);
            return Err(invalid(not_supported(update, &range)));
        }
        match update.upgrade_type {
            UpgradeType::Upgrade if level < current => {
                let reason = "Can't downgrade the version of this feature without setting the upgrade type to either \
                              safe or unsafe downgrade.";
                Err(invalid(reason.to_owned()))
            }
            UpgradeType::SafeDowngrade | UpgradeType::UnsafeDowngrade if level > current => {
                Err(invalid("Can't downgrade to a newer version.".to_owned()))
            }
            UpgradeType::Upgrade | UpgradeType::SafeDowngrade | UpgradeType::UnsafeDowngrade => {
                self.check_metadata_version(update, current)?;
                Ok(MetadataRecord::FeatureLevel { name: feature.name, level })
            }
        }
    }

    fn check_metadata_version(&self, update: &FeatureUpdate, current: i16) -> Result<(), String> {
        let level = update.max_version_level;
        if update.feature != METADATA_VERSION {
            return Ok(());
        }
        let invalid = |reason: &str| Err(format!("Invalid metadata.version {level}. {reason}"));
        if level < RELEASE.minimum_metadata_version {
            return invalid("Unable to set a metadata.version less than 3.3-IV0");
        }
        match update.upgrade_type {
            UpgradeType::UnsafeDowngrade if RELEASE.loses_metadata(current, level) => {
                invalid("Unsafe metadata downgrade is not supported in this version.")
            }
            UpgradeType::SafeDowngrade if RELEASE.loses_metadata(current, level) => {
                invalid("Refusing to perform the requested downgrade because it might delete metadata information.")
            }
            UpgradeType::Upgrade | UpgradeType::SafeDowngrade | UpgradeType::UnsafeDowngrade => Ok(()),
        }
    }

    /// Gives a broker the next block of producer ids.
    pub(super) fn allocate_producer_ids(
        &self,
        request: &AllocateProducerIdsRequest,
    ) -> (Vec<MetadataRecord>, AllocateProducerIdsResponse) {
        let (first, length) = (self.image.next_producer_id(), PRODUCER_ID_BLOCK_SIZE);
        let stale = self.check_broker_epoch(request.broker_id, request.broker_epoch);
        let error = match first.checked_add(i64::from(length)) {
            _ if !stale.is_none() => stale,
            None => ErrorCode::UnknownServerError,
            Some(next_producer_id) => {
                let (broker_id, broker_epoch) = (request.broker_id, request.broker_epoch);
                let record = MetadataRecord::ProducerIds { broker_id, broker_epoch, next_producer_id };
                let (error, producer_id_start, producer_id_len) = (ErrorCode::None, first, length);
                return (vec![record], AllocateProducerIdsResponse { error, producer_id_start, producer_id_len });
            }
        };
        (Vec::new(), AllocateProducerIdsResponse { error, producer_id_start: 0, producer_id_len: 0 })
    }
}

fn not_supported(update: &FeatureUpdate, range: &str) -> String {
    format!(
        "Local controller does not support feature {} version {}, range is {range}",
        update.feature, update.max_version_level
    )
}

fn invalid_version(update: &FeatureUpdate, reason: &str) -> String {
    format!("Invalid update version {} for feature {}. {reason}", update.max_version_level, update.feature)
}

fn updated(request: &UpdateFeaturesRequest) -> UpdateFeaturesResponse {
    let result = |update: &FeatureUpdate| UpdatedFeature {
        feature: update.feature.clone(),
        error: ErrorCode::None,
        error_message: None,
    };
    let results = request.updates.iter().map(result).collect();
    UpdateFeaturesResponse { error: ErrorCode::None, error_message: None, results }
}

fn refused(error: ErrorCode, message: String) -> UpdateFeaturesResponse {
    UpdateFeaturesResponse { error, error_message: Some(message), results: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestCluster;
    use super::*;
    use wire::{BrokerEpoch, BrokerId};

    fn update(cluster: &mut TestCluster, feature: &str, level: i16, upgrade_type: UpgradeType) -> Option<String> {
        let updates = vec![FeatureUpdate { feature: feature.to_owned(), max_version_level: level, upgrade_type }];
        let request = UpdateFeaturesRequest { updates, validate_only: false };
        let (records, response) = cluster.as_cluster().update_features(&request);
        cluster.replay(records);
        response.error_message
    }

    #[test]
    fn levels_change_in_the_direction_that_was_asked_for() {
        use UpgradeType::{SafeDowngrade, Upgrade};
        let mut cluster = TestCluster::with_brokers(1);
        cluster.replay(vec![MetadataRecord::FeatureLevel { name: METADATA_VERSION, level: 18 }]);
        assert_eq!(update(&mut cluster, METADATA_VERSION, 21, Upgrade), None);
        assert_eq!(cluster.image.features()[METADATA_VERSION], 21);
        assert_eq!(
            update(&mut cluster, METADATA_VERSION, 20, Upgrade).as_deref(),
            Some(
                "Invalid update version 20 for feature metadata.version. Can't downgrade the version of this feature \
                 without setting the upgrade type to either safe or unsafe downgrade."
            )
        );
        assert_eq!(update(&mut cluster, METADATA_VERSION, 19, SafeDowngrade), None);
        assert_eq!(
            update(&mut cluster, METADATA_VERSION, 16, SafeDowngrade).as_deref(),
            Some(
                "Invalid metadata.version 16. Refusing to perform the requested downgrade because it might delete \
                 metadata information."
            )
        );
        assert_eq!(cluster.image.features()[METADATA_VERSION], 19);
    }

    #[test]
    fn unknown_features_and_levels_are_refused() {
        let mut cluster = TestCluster::with_brokers(1);
        assert!(update(&mut cluster, "no.such.feature", 1, UpgradeType::Upgrade).is_some());
        assert!(update(&mut cluster, METADATA_VERSION, 22, UpgradeType::Upgrade).is_some());
        assert!(cluster.image.features().is_empty());
    }

    fn allocate(cluster: &mut TestCluster, broker: i32, epoch: BrokerEpoch) -> AllocateProducerIdsResponse {
        let request = AllocateProducerIdsRequest { broker_id: BrokerId(broker), broker_epoch: epoch };
        let (records, response) = cluster.as_cluster().allocate_producer_ids(&request);
        cluster.replay(records);
        response
    }

    #[test]
    fn each_block_of_producer_ids_begins_where_the_one_before_it_ends() {
        let mut cluster = TestCluster::with_brokers(2);
        let block = |start| AllocateProducerIdsResponse {
            error: ErrorCode::None,
            producer_id_start: start,
            producer_id_len: 1_000,
        };
        assert_eq!(allocate(&mut cluster, 0, BrokerEpoch(100)), block(0));
        assert_eq!(allocate(&mut cluster, 1, BrokerEpoch(101)), block(1_000));
        assert_eq!(cluster.image.next_producer_id(), 2_000);
        for (broker, epoch) in [(0, BrokerEpoch(99)), (9, BrokerEpoch(109))] {
            assert_eq!(allocate(&mut cluster, broker, epoch).error, ErrorCode::StaleBrokerEpoch);
        }
    }

    #[test]
    fn producer_ids_may_be_exhausted() {
        let mut cluster = TestCluster::with_brokers(1);
        let (broker_id, broker_epoch) = (BrokerId(0), BrokerEpoch(100));
        let next_producer_id = i64::MAX - 1;
        cluster.replay(vec![MetadataRecord::ProducerIds { broker_id, broker_epoch, next_producer_id }]);
        assert_eq!(allocate(&mut cluster, 0, BrokerEpoch(100)).error, ErrorCode::UnknownServerError);
    }
}
