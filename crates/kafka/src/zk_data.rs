//! Where things are in ZooKeeper (`kafka.zk.ZkData`).

use wire::request::ConfigResource;
use wire::zookeeper::ZnodePath;
use wire::{BrokerId, TopicName, TopicPartition};

/// Where changes of configurations are announced.
pub const CONFIG_CHANGES: &str = "/config/changes";

/// The controller.
pub const CONTROLLER: &str = "/controller";

/// The epoch of the last controller.
pub const CONTROLLER_EPOCH: &str = "/controller_epoch";

/// Which partitions are asked to be led by their preferred replicas.
pub const PREFERRED_ELECTION: &str = "/admin/preferred_replica_election";

/// Which partitions are asked to be moved.
pub const REASSIGN_PARTITIONS: &str = "/admin/reassign_partitions";

/// The brokers that are there.
pub const BROKER_IDS: &str = "/brokers/ids";

/// The topics.
pub const TOPICS: &str = "/brokers/topics";

/// The topics that are to go.
pub const DELETE_TOPICS: &str = "/admin/delete_topics";

/// What the first broker makes, parents first (`ZkData.PersistentZkPaths`).
pub const TOP_LEVEL: [&str; 18] = [
    "/consumers",
    "/brokers",
    BROKER_IDS,
    TOPICS,
    "/config",
    CONFIG_CHANGES,
    "/admin",
    DELETE_TOPICS,
    "/brokers/seqid",
    "/isr_change_notification",
    "/latest_producer_id_block",
    "/log_dir_event_notification",
    "/config/topics",
    "/config/clients",
    "/config/users",
    "/config/brokers",
    "/config/ips",
    "/cluster",
];

/// The cluster's id.
pub const CLUSTER_ID: &str = "/cluster/id";

/// A broker's registration.
#[must_use]
pub fn broker(broker_id: BrokerId) -> ZnodePath {
    ZnodePath::new(&format!("{BROKER_IDS}/{broker_id}"))
}

/// A topic's own configurations.
#[must_use]
pub fn topic_config(topic: &TopicName) -> ZnodePath {
    ZnodePath::new(&format!("/config/topics/{topic}"))
}

/// What announcements of changes call a topic, a broker, or all brokers.
#[must_use]
pub fn config_entity(resource: &ConfigResource) -> String {
    match resource {
        ConfigResource::Topic(topic) => format!("topics/{topic}"),
        ConfigResource::Broker(Some(broker)) => format!("brokers/{broker}"),
        ConfigResource::Broker(None) => "brokers/<default>".to_owned(),
    }
}

/// Its own configurations.
#[must_use]
pub fn config_of(resource: &ConfigResource) -> ZnodePath {
    ZnodePath::new(&format!("/config/{}", config_entity(resource)))
}

/// A topic's id and replicas.
#[must_use]
pub fn topic(topic: &TopicName) -> ZnodePath {
    ZnodePath::new(&format!("{TOPICS}/{topic}"))
}

/// That a topic is to go.
#[must_use]
pub fn marked_for_deletion(topic: &TopicName) -> ZnodePath {
    ZnodePath::new(&format!("{DELETE_TOPICS}/{topic}"))
}

/// Below it, a topic's partitions.
#[must_use]
pub fn partitions(topic: &TopicName) -> ZnodePath {
    ZnodePath::new(&format!("{TOPICS}/{topic}/partitions"))
}

/// Below it, a partition's state.
#[must_use]
pub fn partition(partition: &TopicPartition) -> ZnodePath {
    let TopicPartition { topic, partition } = partition;
    ZnodePath::new(&format!("{TOPICS}/{topic}/partitions/{partition}"))
}

/// A partition's leader and in-sync replicas.
#[must_use]
pub fn partition_state(partition: &TopicPartition) -> ZnodePath {
    let TopicPartition { topic, partition } = partition;
    ZnodePath::new(&format!("{TOPICS}/{topic}/partitions/{partition}/state"))
}
