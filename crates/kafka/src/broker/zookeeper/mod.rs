//! A broker of a ZooKeeper cluster (`kafka.server.KafkaServer`): it registers a znode in its session, is told by the
//! controller what to lead and what to tell clients, and runs for controller itself.
//!
//! It behaves as 3.9 does with `inter.broker.protocol.version` 3.9-IV0. What it does as the controller is in
//! `zk_controller`; the session is in `zk_client`.

mod admin;
mod config_changes;
mod configs;
mod elections;
mod hosting;
mod metadata_cache;
mod placement;
mod registration;
mod replica_states;
mod requests;
mod session;
mod shutdown;
mod topic_plans;

use crate::config::BrokerConfig;
use crate::spec::ServerSpec;
use crate::view::{Obeyed, ZooKeeperControllerView};
use crate::zk_client::ZooKeeperClient;
use crate::zk_controller::{ControllerTag, ZooKeeperController};
use admin::{AdminAsk, AdminJobs};
use config_changes::{ChangeAsk, ConfigChanges};
use configs::TopicConfigs;
use elections::PendingElections;
use shutdown::ControlledShutdown;
use wire::{BrokerId, Endpoint, TopicName};

/// What a broker knows and does because its cluster uses ZooKeeper.
#[derive(Clone, Debug)]
pub(super) struct ZooKeeperMember {
    session: ZooKeeperClient<Ask>,
    controller: ZooKeeperController,
    /// The last request of a controller that was obeyed.
    pub(super) obeyed: Option<Obeyed>,
    /// The controller, as the last one to send metadata named itself.
    pub(super) controller_id: Option<BrokerId>,
    configs: TopicConfigs,
    config_changes: ConfigChanges,
    admin: AdminJobs,
    elections: PendingElections,
    /// The attempts to leave in good order.
    pub(super) shutdown: ControlledShutdown,
}

/// What ZooKeeper was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ask {
    /// Make a znode that every cluster has.
    TopLevelPath,
    /// Register this broker.
    Register,
    /// Whose the registration is that is there already.
    Registered,
    /// A topic's own configurations, which somebody needs.
    TopicConfigs(TopicName),
    /// A topic's own configurations, which have changed.
    ChangedTopicConfigs(TopicName),
    /// What is set on this broker or on all (`None`).
    BrokerConfigs(Option<BrokerId>),
    /// A question of a request to change configurations.
    ConfigWrite(ChangeAsk),
    /// Which changes of configurations were announced.
    ConfigChanges,
    /// What one of them is about.
    ConfigChange,
    /// How old one of them is.
    OldConfigChange(String),
    /// One of them goes.
    ObsoleteConfigChange,
    /// A question of the request about topics with that number.
    Admin(u64, AdminAsk),
    /// A question of the controller.
    Controller(ControllerTag),
}

impl ZooKeeperMember {
    /// A process that has no session.
    pub(super) fn new(ensemble: Endpoint, spec: &ServerSpec, config: &BrokerConfig) -> ZooKeeperMember {
        let broker_id = BrokerId(spec.node_id);
        ZooKeeperMember {
            session: ZooKeeperClient::new(ensemble, config.zookeeper_session_timeout_ms),
            controller: ZooKeeperController::new(broker_id, config.clone(), spec.historical_faults),
            obeyed: None,
            controller_id: None,
            configs: TopicConfigs::default(),
            config_changes: ConfigChanges::default(),
            admin: AdminJobs::default(),
            elections: PendingElections::default(),
            shutdown: ControlledShutdown::new(config),
        }
    }

    /// Its office as the controller, while it holds it.
    pub(super) fn controller_view(&self) -> Option<ZooKeeperControllerView> {
        self.controller.view()
    }

    /// Whether `broker` is live, as far as it knows as the controller; nothing while it is not.
    pub(super) fn knows_as_live(&self, broker: BrokerId) -> Option<bool> {
        self.controller.knows_as_live(broker)
    }

    /// The highest epoch of a controller that has sent something; 0 before any.
    fn controller_epoch(&self) -> i32 {
        self.obeyed.map_or(0, |obeyed| obeyed.header.controller_epoch)
    }
}
