//! What a world is made from. With a seed and a journal of commands it determines a run to the bit.

use crate::world_shape::WorldShape;
use kafka::spec::{ClientSpec, ServerSpec};
use std::collections::BTreeMap;
use wire::Timestamp;

/// The servers, the network and what runs from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldSpec {
    /// Brokers, controllers, ZooKeeper; they start at instant 0.
    pub servers: Vec<ServerSpec>,
    /// Client programs that start once every broker is ready to serve, in order. As in a script, a call of
    /// `kafka-topics` ends before the program behind it starts; producers and consumers run side by side.
    pub clients: Vec<ClientSpec>,
    /// How long messages travel.
    pub network: NetworkSpec,
    /// The wall-clock time at instant 0.
    pub epoch: Timestamp,
}

/// How long messages travel, one way, on every link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkSpec {
    /// The shortest time, in microseconds.
    pub delay_us: u64,
    /// Up to so much more, drawn for each message, in microseconds.
    pub jitter_us: u64,
}

impl WorldSpec {
    /// Three brokers 1, 2, 3 at localhost:9092, 9093 and 9094 and one isolated controller with id 100 at
    /// localhost:9090, on a fast local network. `properties` go to every server.
    #[must_use]
    pub fn three_brokers(properties: BTreeMap<String, String>) -> WorldSpec {
        WorldShape { properties, ..WorldShape::default() }.spec()
    }
}
