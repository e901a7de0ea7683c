//! The world of a run: few numbers that are drawn, printed and read back, and the servers they stand for.

pub use crate::historical::Historical;
use kafka::node::NodeId;
use kafka::spec::{Coordination, HistoricalFaults, ServerRole, ServerSpec};
use sim::WorldSpec;
use sim::world_shape::Mode;
use sim::world_spec::NetworkSpec;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::Endpoint;

/// `node.id` of the first controller.
pub const FIRST_CONTROLLER: i32 = 100;

/// What plans call the ZooKeeper ensemble.
pub const ZOOKEEPER: i32 = 0;

/// A world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldPlan {
    /// Brokers 1, 2, … at localhost:9092, 9093, …
    pub brokers: i32,
    /// Controllers 100, 101, …; 0 for a ZooKeeper instead.
    pub controllers: i32,
    /// Whether the first so many brokers are the controllers instead, or all if there are fewer.
    pub combined: bool,
    /// Racks that brokers are spread over in turn; 0 for none.
    pub racks: i32,
    /// The shortest time that a message travels, in microseconds.
    pub delay_us: u64,
    /// Up to so much more.
    pub jitter_us: u64,
    /// What all servers have in their properties.
    pub properties: BTreeMap<String, String>,
    /// A fault of an earlier release that is switched on.
    pub historical: Option<Historical>,
}

/// What a server of a plan is called in its world.
#[must_use]
pub fn node(server: i32) -> NodeId {
    if server == ZOOKEEPER { NodeId::ZooKeeper } else { NodeId::Server(server) }
}

/// Whether a server of a plan is a broker.
#[must_use]
pub fn is_broker(server: i32) -> bool {
    (1..FIRST_CONTROLLER).contains(&server)
}

impl WorldPlan {
    /// Whether there is a ZooKeeper instead of a quorum of controllers.
    #[must_use]
    pub fn has_zookeeper(&self) -> bool {
        self.controllers == 0
    }

    /// How the cluster agrees on its metadata.
    #[must_use]
    pub fn mode(&self) -> Mode {
        let controllers = self.controllers;
        match (controllers, self.combined) {
            (0, _) => Mode::ZooKeeper,
            (_, true) => Mode::Combined { controllers },
            (_, false) => Mode::KRaft { controllers },
        }
    }

    /// The brokers' ids in the beginning.
    pub fn broker_ids(&self) -> impl Iterator<Item = i32> + use<> {
        1..=self.brokers
    }

    /// The controllers' ids.
    pub fn controller_ids(&self) -> impl Iterator<Item = i32> + use<> {
        if self.combined {
            1..self.controllers.min(self.brokers) + 1
        } else {
            FIRST_CONTROLLER..FIRST_CONTROLLER + self.controllers
        }
    }

    /// Where the brokers listen.
    #[must_use]
    pub fn bootstrap_servers(&self) -> Vec<Endpoint> {
        self.broker_ids().map(endpoint).collect()
    }

    /// The world that it stands for.
    #[must_use]
    pub fn spec(&self) -> WorldSpec {
        let zookeeper = self.has_zookeeper().then_some((ZOOKEEPER, ServerRole::ZooKeeper));
        let controllers = self.controller_ids().filter(|id| !is_broker(*id)).map(|id| (id, ServerRole::Controller));
        let coordinators = zookeeper.into_iter().chain(controllers).map(|(id, role)| self.server(id, role));
        let servers = coordinators.chain(self.broker_ids().map(|id| self.broker(id))).collect();
        let network = NetworkSpec { delay_us: self.delay_us, jitter_us: self.jitter_us };
        WorldSpec { servers, network, ..WorldSpec::three_brokers(BTreeMap::new()) }
    }

    /// A broker, of those in the beginning or one that comes later.
    #[must_use]
    pub fn broker(&self, id: i32) -> ServerSpec {
        let rack = (self.racks > 0).then(|| format!("rack-{}", id % self.racks));
        let is_controller = self.controller_ids().any(|controller| controller == id);
        let role = if is_controller { ServerRole::Combined } else { ServerRole::Broker };
        ServerSpec { rack, ..self.server(id, role) }
    }

    fn server(&self, node_id: i32, role: ServerRole) -> ServerSpec {
        ServerSpec {
            node_id,
            role,
            endpoint: endpoint(node_id),
            rack: None,
            coordination: self.coordination(),
            properties: Arc::new(self.properties.clone()),
            historical_faults: self.historical.map_or_else(HistoricalFaults::default, Historical::faults),
        }
    }

    fn coordination(&self) -> Coordination {
        if self.has_zookeeper() {
            return Coordination::ZooKeeper { connect: endpoint(ZOOKEEPER) };
        }
        Coordination::KRaft { voters: self.controller_ids().map(|id| (id, controller_endpoint(id))).collect() }
    }
}

/// Where a controller listens for the quorum: a combined one at a port of its own.
fn controller_endpoint(id: i32) -> Endpoint {
    endpoint(if id >= FIRST_CONTROLLER { id } else { FIRST_CONTROLLER + id - 1 })
}

fn endpoint(id: i32) -> Endpoint {
    let port = match id {
        ZOOKEEPER => 2_181,
        id if is_broker(id) => 9_091 + id,
        id => 8_900 + id,
    };
    Endpoint::new("localhost", u16::try_from(port).expect("ids are small"))
}
