//! The clusters that people ask for in a few words: how they agree, how many brokers and controllers, which racks and
//! properties. Ids and ports follow from that.

use crate::world_spec::{NetworkSpec, WorldSpec};
use kafka::spec::{Coordination, HistoricalFaults, ServerRole, ServerSpec};
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{Endpoint, Timestamp};

const FIRST_BROKER_PORT: u16 = 9092;
const FIRST_CONTROLLER_ID: i32 = 100;
const FIRST_CONTROLLER_PORT: u16 = 9090;
const BETWEEN_CONTROLLER_PORTS: usize = 100;
const ZOOKEEPER_PORT: u16 = 2181;

/// How a cluster agrees on its metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A quorum of isolated controllers: 100 at localhost:9090, 101 at localhost:9190, and so on.
    KRaft {
        /// How many.
        controllers: i32,
    },
    /// A quorum of servers that are brokers too, the first so many, or all if there are fewer. Beside clients' ports they
    /// listen at localhost:9090, 9190, … for each other.
    Combined {
        /// How many.
        controllers: i32,
    },
    /// ZooKeeper at localhost:2181.
    ZooKeeper,
}

impl Mode {
    /// What directives and addresses call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mode::KRaft { .. } => "kraft",
            Mode::Combined { .. } => "combined",
            Mode::ZooKeeper => "zookeeper",
        }
    }

    /// The one of that name, with the usual number of controllers.
    #[must_use]
    pub fn named(name: &str) -> Option<Mode> {
        let modes = [Mode::KRaft { controllers: 1 }, Mode::Combined { controllers: 3 }, Mode::ZooKeeper];
        modes.into_iter().find(|mode| mode.name() == name)
    }

    /// How many controllers there are beside or among the brokers; with ZooKeeper there are none.
    #[must_use]
    pub fn controllers(self) -> Option<i32> {
        match self {
            Mode::KRaft { controllers } | Mode::Combined { controllers } => Some(controllers),
            Mode::ZooKeeper => None,
        }
    }

    /// The same with another number of them.
    #[must_use]
    pub fn with_controllers(self, controllers: i32) -> Mode {
        match self {
            Mode::KRaft { .. } => Mode::KRaft { controllers },
            Mode::Combined { .. } => Mode::Combined { controllers },
            Mode::ZooKeeper => Mode::ZooKeeper,
        }
    }
}

/// A cluster in a few words. Brokers are 1, 2, … at localhost:9092, 9093, …; as servers of one machine must, each has a log
/// directory of its own: `/tmp/kafka-logs-1` and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldShape {
    /// How it agrees on its metadata.
    pub mode: Mode,
    /// How many brokers.
    pub brokers: i32,
    /// `broker.rack` of the brokers in order, and from the start again; none for brokers without rack.
    pub racks: Vec<String>,
    /// Properties of every server.
    pub properties: BTreeMap<String, String>,
    /// Properties of single servers by `node.id`, which come before those of every server.
    pub properties_of: BTreeMap<i32, BTreeMap<String, String>>,
    /// Faults of earlier releases that every server shows again.
    pub historical_faults: HistoricalFaults,
}

impl Default for WorldShape {
    /// Three brokers and one controller.
    fn default() -> WorldShape {
        WorldShape {
            mode: Mode::KRaft { controllers: 1 },
            brokers: 3,
            racks: Vec::new(),
            properties: BTreeMap::new(),
            properties_of: BTreeMap::new(),
            historical_faults: HistoricalFaults::default(),
        }
    }
}

impl WorldShape {
    /// The world, on a fast local network.
    #[must_use]
    pub fn spec(&self) -> WorldSpec {
        let mut servers = self.coordinators();
        servers.extend(self.brokers());
        WorldSpec {
            servers,
            clients: Vec::new(),
            network: NetworkSpec { delay_us: 250, jitter_us: 100 },
            epoch: Timestamp(1_795_230_000_000),
        }
    }

    /// Numbers and ports go on behind those that controllers have.
    fn brokers(&self) -> Vec<ServerSpec> {
        let controllers = self.coordinators();
        let ids = (1..).filter(|id| controllers.iter().all(|server| server.node_id != *id));
        let ports =
            (FIRST_BROKER_PORT..).filter(|port| self.voters().iter().all(|(_, endpoint)| endpoint.port != *port));
        let count = usize::try_from(self.brokers).unwrap_or(0);
        (0..count).zip(ids.zip(ports)).map(|(place, (id, port))| self.broker(place, id, port)).collect()
    }

    fn broker(&self, place: usize, id: i32, port: u16) -> ServerSpec {
        let rack = place.checked_rem(self.racks.len()).map(|place| self.racks[place].clone());
        let is_voter = self.voters().iter().any(|(voter, _)| *voter == id);
        let role = if is_voter { ServerRole::Combined } else { ServerRole::Broker };
        ServerSpec { rack, ..self.server(id, role, Endpoint::new("localhost", port)) }
    }

    /// The controllers or ZooKeeper, where they are servers of their own.
    fn coordinators(&self) -> Vec<ServerSpec> {
        match self.mode {
            Mode::KRaft { .. } => {
                let controller = |(id, endpoint)| self.server(id, ServerRole::Controller, endpoint);
                self.voters().into_iter().map(controller).collect()
            }
            Mode::Combined { .. } => Vec::new(),
            Mode::ZooKeeper => vec![self.server(0, ServerRole::ZooKeeper, zookeeper())],
        }
    }

    fn server(&self, node_id: i32, role: ServerRole, endpoint: Endpoint) -> ServerSpec {
        let mut properties = BTreeMap::new();
        if role != ServerRole::ZooKeeper {
            properties.insert("log.dirs".to_owned(), format!("/tmp/kafka-logs-{node_id}"));
        }
        properties.extend(self.properties.clone());
        properties.extend(self.properties_of.get(&node_id).cloned().unwrap_or_default());
        ServerSpec {
            node_id,
            role,
            endpoint,
            rack: None,
            coordination: self.coordination(),
            properties: Arc::new(properties),
            historical_faults: self.historical_faults,
        }
    }

    fn coordination(&self) -> Coordination {
        match self.mode {
            Mode::KRaft { .. } | Mode::Combined { .. } => Coordination::KRaft { voters: self.voters() },
            Mode::ZooKeeper => Coordination::ZooKeeper { connect: zookeeper() },
        }
    }

    fn voters(&self) -> Vec<(i32, Endpoint)> {
        match self.mode {
            Mode::KRaft { controllers } => voters(FIRST_CONTROLLER_ID, controllers),
            Mode::Combined { controllers } => voters(1, controllers.min(self.brokers)),
            Mode::ZooKeeper => Vec::new(),
        }
    }
}

fn zookeeper() -> Endpoint {
    Endpoint::new("localhost", ZOOKEEPER_PORT)
}

fn voters(first: i32, count: i32) -> Vec<(i32, Endpoint)> {
    let ports = (FIRST_CONTROLLER_PORT..).step_by(BETWEEN_CONTROLLER_PORTS);
    (first..first + count).zip(ports.map(|port| Endpoint::new("localhost", port))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka::node::NodeId;

    fn places(shape: &WorldShape) -> Vec<(NodeId, u16)> {
        shape.spec().servers.iter().map(|server| (server.node(), server.endpoint.port)).collect()
    }

    #[test]
    fn ids_and_ports_follow_from_the_mode_and_the_numbers() {
        let server = |id, port| (NodeId::Server(id), port);
        let shape = WorldShape { mode: Mode::KRaft { controllers: 3 }, brokers: 2, ..WorldShape::default() };
        let expected = [server(100, 9090), server(101, 9190), server(102, 9290), server(1, 9092), server(2, 9093)];
        assert_eq!(places(&shape), expected);
        let shape = WorldShape { mode: Mode::ZooKeeper, brokers: 1, ..WorldShape::default() };
        assert_eq!(places(&shape), [(NodeId::ZooKeeper, 2181), server(1, 9092)]);
    }

    #[test]
    fn a_hundred_brokers_have_numbers_and_ports_of_their_own() {
        let shape = WorldShape { mode: Mode::KRaft { controllers: 2 }, brokers: 100, ..WorldShape::default() };
        let places = places(&shape);
        let last = [(NodeId::Server(99), 9191), (NodeId::Server(102), 9192)];
        assert_eq!((places.len(), &places[100..]), (102, &last[..]));
    }

    #[test]
    fn of_a_combined_cluster_the_first_servers_are_controllers_too() {
        let shape = WorldShape { mode: Mode::Combined { controllers: 1 }, brokers: 2, ..WorldShape::default() };
        assert_eq!(places(&shape), [(NodeId::Server(1), 9092), (NodeId::Server(2), 9093)]);
        let servers = shape.spec().servers;
        let second_ports: Vec<Option<u16>> =
            servers.iter().map(|server| server.controller_endpoint().map(|endpoint| endpoint.port)).collect();
        assert_eq!(second_ports, [Some(9090), None]);
        let voters = servers[1].coordination.voters().to_vec();
        assert_eq!(voters, [(1, Endpoint::new("localhost", 9090))]);
    }

    #[test]
    fn racks_go_round_and_a_servers_own_properties_come_first() {
        let properties = |value: &str| BTreeMap::from([("log.retention.ms".to_owned(), value.to_owned())]);
        let shape = WorldShape {
            racks: vec!["a".to_owned(), "b".to_owned()],
            properties: properties("1"),
            properties_of: BTreeMap::from([(2, properties("2"))]),
            ..WorldShape::default()
        };
        let spec = shape.spec();
        let racks: Vec<Option<&str>> = spec.servers.iter().map(|server| server.rack.as_deref()).collect();
        assert_eq!(racks, [None, Some("a"), Some("b"), Some("a")]);
        let values: Vec<&str> =
            spec.servers.iter().map(|server| server.properties["log.retention.ms"].as_str()).collect();
        assert_eq!(values, ["1", "1", "2", "1"]);
    }
}
