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
    /// Changes the levels of those features that may change; each has a result of its own.
    pub(super) fn update_features(
        &self,
        request: &UpdateFeaturesRequest,
        controller_id: i32,
    ) -> (Vec<MetadataRecord>, UpdateFeaturesResponse) {
        let (mut records, mut results) = (Vec::new(), Vec::new());
        for update in &request.updates {
            let feature = update.feature.clone();
            results.push(match self.update_feature(update, controller_id) {
                Ok(record) => {
                    records.push(record);
                    UpdatedFeature { feature, error: ErrorCode::None, error_message: None }
                }
                Err(message) => {
                    UpdatedFeature { feature, error: ErrorCode::InvalidUpdateVersion, error_message: Some(message) }
                }
            });
        }
        if request.validate_only {
            records.clear();
        }
        (records, UpdateFeaturesResponse { error: ErrorCode::None, error_message: None, results })
    }

    fn update_feature(&self, update: &FeatureUpdate, controller_id: i32) -> Result<MetadataRecord, String> {
        let invalid = |reason: String| invalid_version(update, &reason);
        let (name, level) = (update.feature.as_str(), update.max_version_level);
        let current = self.image.features().get(name).copied().unwrap_or(0);
        if level < 0 {
            return Err(invalid("A feature version cannot be less than 0.".to_owned()));
        }
        let supported = RELEASE.features(self.config.unstable_feature_versions_enable);
        let Some(feature) = supported.iter().find(|feature| feature.name == name) else {
            return Err(invalid(format!("Local controller {controller_id} does not support this feature.")));
        };
        let (lowest, highest) = (feature.min_version, feature.max_version);
        if !(lowest..=highest).contains(&level) {
            return Err(invalid(format!("Local controller {controller_id} only supports versions {lowest}-{highest}")));
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

fn invalid_version(update: &FeatureUpdate, reason: &str) -> String {
    format!("Invalid update version {} for feature {}. {reason}", update.max_version_level, update.feature)
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestCluster;
    use super::*;
    use wire::{BrokerEpoch, BrokerId};

    fn update(cluster: &mut TestCluster, feature: &str, level: i16, upgrade_type: UpgradeType) -> Option<String> {
        let updates = vec![FeatureUpdate { feature: feature.to_owned(), max_version_level: level, upgrade_type }];
        let request = UpdateFeaturesRequest { updates, validate_only: false };
        let (records, mut response) = cluster.as_cluster().update_features(&request, 3000);
        cluster.replay(records);
        response.results.remove(0).error_message
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
    fn unknown_features_and_levels_are_refused_and_the_others_change() {
        let mut cluster = TestCluster::with_brokers(1);
        let upgrade = |feature: &str, max_version_level| FeatureUpdate {
            feature: feature.to_owned(),
            max_version_level,
            upgrade_type: UpgradeType::Upgrade,
        };
        let updates = vec![upgrade("no.such.feature", 1), upgrade(METADATA_VERSION, 21), upgrade(METADATA_VERSION, 22)];
        let request = UpdateFeaturesRequest { updates, validate_only: false };
        let (records, response) = cluster.as_cluster().update_features(&request, 3000);
        cluster.replay(records);
        let messages: Vec<Option<String>> = response.results.into_iter().map(|result| result.error_message).collect();
        let unknown = "Invalid update version 1 for feature no.such.feature. Local controller 3000 does not support \
                       this feature.";
        let too_high = "Invalid update version 22 for feature metadata.version. Local controller 3000 only supports \
                        versions 1-21";
        assert_eq!(messages, [Some(unknown.to_owned()), None, Some(too_high.to_owned())]);
        assert_eq!(cluster.image.features()[METADATA_VERSION], 21);
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
    fn a_block_of_producer_ids_begins_where_the_last_record_says() {
        let mut cluster = TestCluster::with_brokers(2);
        let (broker_id, broker_epoch) = (BrokerId(1), BrokerEpoch(101));
        for next_producer_id in [42, 50] {
            cluster.replay(vec![MetadataRecord::ProducerIds { broker_id, broker_epoch, next_producer_id }]);
            assert_eq!(cluster.image.next_producer_id(), next_producer_id);
        }
        assert_eq!(allocate(&mut cluster, 1, broker_epoch).producer_id_start, 50);
        assert_eq!(cluster.image.next_producer_id(), 1_050);
    }

    #[test]
    #[should_panic(expected = "blocks of producer ids only go up")]
    fn producer_ids_never_go_back() {
        let mut cluster = TestCluster::with_brokers(2);
        let (broker_id, broker_epoch) = (BrokerId(1), BrokerEpoch(101));
        for next_producer_id in [42, 42] {
            cluster.replay(vec![MetadataRecord::ProducerIds { broker_id, broker_epoch, next_producer_id }]);
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
