//! The requests that a client of Kafka 3.9 knows and in which versions a broker serves them (`ApiKeys`, `ApiVersions`).

use wire::response::ApiVersion;

/// A request that clients know.
#[derive(Clone, Copy, Debug)]
pub struct Api {
    /// Its number.
    pub key: i16,
    /// Its name.
    pub name: &'static str,
    served_by: Brokers,
}

/// Which brokers serve a request, and up to which version; all begin with version 0. With ZooKeeper that is the
/// controller's, too, for each broker may be the controller.
#[derive(Clone, Copy, Debug)]
enum Brokers {
    None,
    KRaft(i16),
    ZooKeeper(i16),
    Both(i16),
}

/// The requests that clients know, by number.
pub const CLIENT_APIS: [Api; 79] = [
    api(0, "Produce", Brokers::Both(11)),
    api(1, "Fetch", Brokers::Both(17)),
    api(2, "ListOffsets", Brokers::Both(9)),
    api(3, "Metadata", Brokers::Both(12)),
    api(4, "LeaderAndIsr", Brokers::ZooKeeper(7)),
    api(5, "StopReplica", Brokers::ZooKeeper(4)),
    api(6, "UpdateMetadata", Brokers::ZooKeeper(8)),
    api(7, "ControlledShutdown", Brokers::ZooKeeper(3)),
    api(8, "OffsetCommit", Brokers::Both(9)),
    api(9, "OffsetFetch", Brokers::Both(9)),
    api(10, "FindCoordinator", Brokers::Both(6)),
    api(11, "JoinGroup", Brokers::Both(9)),
    api(12, "Heartbeat", Brokers::Both(4)),
    api(13, "LeaveGroup", Brokers::Both(5)),
    api(14, "SyncGroup", Brokers::Both(5)),
    api(15, "DescribeGroups", Brokers::Both(5)),
    api(16, "ListGroups", Brokers::Both(5)),
    api(17, "SaslHandshake", Brokers::Both(1)),
    api(18, "ApiVersions", Brokers::Both(4)),
    api(19, "CreateTopics", Brokers::Both(7)),
    api(20, "DeleteTopics", Brokers::Both(6)),
    api(21, "DeleteRecords", Brokers::Both(2)),
    api(22, "InitProducerId", Brokers::Both(5)),
    api(23, "OffsetForLeaderEpoch", Brokers::Both(4)),
    api(24, "AddPartitionsToTxn", Brokers::Both(5)),
    api(25, "AddOffsetsToTxn", Brokers::Both(4)),
    api(26, "EndTxn", Brokers::Both(4)),
    api(27, "WriteTxnMarkers", Brokers::Both(1)),
    api(28, "TxnOffsetCommit", Brokers::Both(4)),
    api(29, "DescribeAcls", Brokers::Both(3)),
    api(30, "CreateAcls", Brokers::Both(3)),
    api(31, "DeleteAcls", Brokers::Both(3)),
    api(32, "DescribeConfigs", Brokers::Both(4)),
    api(33, "AlterConfigs", Brokers::Both(2)),
    api(34, "AlterReplicaLogDirs", Brokers::Both(2)),
    api(35, "DescribeLogDirs", Brokers::Both(4)),
    api(36, "SaslAuthenticate", Brokers::Both(2)),
    api(37, "CreatePartitions", Brokers::Both(3)),
    api(38, "CreateDelegationToken", Brokers::Both(3)),
    api(39, "RenewDelegationToken", Brokers::Both(2)),
    api(40, "ExpireDelegationToken", Brokers::Both(2)),
    api(41, "DescribeDelegationToken", Brokers::Both(3)),
    api(42, "DeleteGroups", Brokers::Both(2)),
    api(43, "ElectLeaders", Brokers::Both(2)),
    api(44, "IncrementalAlterConfigs", Brokers::Both(1)),
    api(45, "AlterPartitionReassignments", Brokers::Both(0)),
    api(46, "ListPartitionReassignments", Brokers::Both(0)),
    api(47, "OffsetDelete", Brokers::Both(0)),
    api(48, "DescribeClientQuotas", Brokers::Both(1)),
    api(49, "AlterClientQuotas", Brokers::Both(1)),
    api(50, "DescribeUserScramCredentials", Brokers::Both(0)),
    api(51, "AlterUserScramCredentials", Brokers::Both(0)),
    api(55, "DescribeQuorum", Brokers::KRaft(2)),
    api(56, "AlterPartition", Brokers::ZooKeeper(3)),
    api(57, "UpdateFeatures", Brokers::Both(1)),
    api(58, "Envelope", Brokers::ZooKeeper(0)),
    api(60, "DescribeCluster", Brokers::Both(1)),
    api(61, "DescribeProducers", Brokers::Both(0)),
    api(64, "UnregisterBroker", Brokers::KRaft(0)),
    api(65, "DescribeTransactions", Brokers::Both(0)),
    api(66, "ListTransactions", Brokers::Both(1)),
    api(67, "AllocateProducerIds", Brokers::ZooKeeper(0)),
    api(68, "ConsumerGroupHeartbeat", Brokers::Both(0)),
    api(69, "ConsumerGroupDescribe", Brokers::Both(0)),
    api(71, "GetTelemetrySubscriptions", Brokers::None),
    api(72, "PushTelemetry", Brokers::None),
    api(74, "ListClientMetricsResources", Brokers::KRaft(0)),
    api(75, "DescribeTopicPartitions", Brokers::KRaft(0)),
    api(76, "ShareGroupHeartbeat", Brokers::None),
    api(77, "ShareGroupDescribe", Brokers::None),
    api(78, "ShareFetch", Brokers::None),
    api(79, "ShareAcknowledge", Brokers::None),
    api(80, "AddRaftVoter", Brokers::KRaft(0)),
    api(81, "RemoveRaftVoter", Brokers::KRaft(0)),
    api(83, "InitializeShareGroupState", Brokers::None),
    api(84, "ReadShareGroupState", Brokers::None),
    api(85, "WriteShareGroupState", Brokers::None),
    api(86, "DeleteShareGroupState", Brokers::None),
    api(87, "ReadShareGroupStateSummary", Brokers::None),
];

/// What a broker of a KRaft cluster serves.
pub const KRAFT_BROKER_APIS: &[ApiVersion] = &served::<{ count(false) }>(false);

/// What a broker of a ZooKeeper cluster serves.
pub const ZOOKEEPER_BROKER_APIS: &[ApiVersion] = &served::<{ count(true) }>(true);

const fn api(key: i16, name: &'static str, served_by: Brokers) -> Api {
    Api { key, name, served_by }
}

impl Api {
    /// The newest version that a broker serves, with ZooKeeper or without.
    const fn newest(self, is_with_zookeeper: bool) -> Option<i16> {
        match (self.served_by, is_with_zookeeper) {
            (Brokers::Both(newest), _) | (Brokers::KRaft(newest), false) | (Brokers::ZooKeeper(newest), true) => {
                Some(newest)
            }
            (Brokers::None, _) | (Brokers::KRaft(_), true) | (Brokers::ZooKeeper(_), false) => None,
        }
    }
}

const fn count(is_with_zookeeper: bool) -> usize {
    let (mut count, mut place) = (0, 0);
    while place < CLIENT_APIS.len() {
        count += CLIENT_APIS[place].newest(is_with_zookeeper).is_some() as usize;
        place += 1;
    }
    count
}

const fn served<const COUNT: usize>(is_with_zookeeper: bool) -> [ApiVersion; COUNT] {
    let mut served = [const { ApiVersion { key: 0, min: 0, max: 0 } }; COUNT];
    let (mut count, mut place) = (0, 0);
    while place < CLIENT_APIS.len() {
        if let Some(max) = CLIENT_APIS[place].newest(is_with_zookeeper) {
            served[count] = ApiVersion { key: CLIENT_APIS[place].key, min: 0, max };
            count += 1;
        }
        place += 1;
    }
    served
}
