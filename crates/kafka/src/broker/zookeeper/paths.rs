//! Where things are in ZooKeeper (`kafka.zk.ZkData`), as far as a broker needs it itself.

use wire::request::ConfigResource;
use wire::zookeeper::ZnodePath;
use wire::{BrokerId, TopicName};

/// Where changes of configurations are announced.
pub(super) const CONFIG_CHANGES: &str = "/config/changes";

/// The controller.
pub(super) const CONTROLLER: &str = "/controller";

/// What the first broker makes, parents first (`ZkData.PersistentZkPaths`).
pub(super) const TOP_LEVEL: [&str; 18] = [
    "/consumers",
    "/brokers",
    "/brokers/ids",
    "/brokers/topics",
    "/config",
    "/config/changes",
    "/admin",
    "/admin/delete_topics",
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
pub(super) const CLUSTER_ID: &str = "/cluster/id";

/// A broker's registration.
pub(super) fn broker(broker_id: BrokerId) -> ZnodePath {
    ZnodePath::new(&format!("/brokers/ids/{broker_id}"))
}

/// A topic's own configurations.
pub(super) fn topic_config(topic: &TopicName) -> ZnodePath {
    ZnodePath::new(&format!("/config/topics/{topic}"))
}

/// What announcements of changes call a topic, a broker, or all brokers.
pub(super) fn config_entity(resource: &ConfigResource) -> String {
    match resource {
        ConfigResource::Topic(topic) => format!("topics/{topic}"),
        ConfigResource::Broker(Some(broker)) => format!("brokers/{broker}"),
        ConfigResource::Broker(None) => "brokers/<default>".to_owned(),
    }
}

/// Its own configurations.
pub(super) fn config_of(resource: &ConfigResource) -> ZnodePath {
    ZnodePath::new(&format!("/config/{}", config_entity(resource)))
}

/// The topics.
pub(super) const TOPICS: &str = "/brokers/topics";

/// The topics that are to go.
pub(super) const DELETE_TOPICS: &str = "/admin/delete_topics";

/// A topic's id and replicas.
pub(super) fn topic(topic: &TopicName) -> ZnodePath {
    ZnodePath::new(&format!("{TOPICS}/{topic}"))
}

/// That a topic is to go.
pub(super) fn marked_for_deletion(topic: &TopicName) -> ZnodePath {
    ZnodePath::new(&format!("{DELETE_TOPICS}/{topic}"))
}
