//! What is possible in a world now: which servers run, which stand still, which partitions there are.

use crate::health::cluster_image;
use crate::world_plan::{ZOOKEEPER, is_broker};
use kafka::node::NodeId;
use sim::Frame;
use std::collections::BTreeSet;

/// So many brokers may come later.
const LAST_BROKER: i32 = 6;

/// What is possible.
#[derive(Clone, Debug, Default)]
pub(crate) struct Legal {
    pub(crate) up: Vec<i32>,
    pub(crate) down: Vec<i32>,
    pub(crate) frozen: Vec<i32>,
    pub(crate) are_links_worse: bool,
    /// All partitions that the cluster knows.
    pub(crate) partitions: Vec<(String, i32)>,
    /// Those whose replicas are being moved.
    pub(crate) moving: Vec<(String, i32)>,
    /// Brokers with replicas.
    used: BTreeSet<i32>,
}

impl Legal {
    pub(crate) fn of(frame: &Frame) -> Legal {
        let mut legal = Legal { are_links_worse: !frame.links.is_empty(), ..Legal::default() };
        for node in &frame.nodes {
            let id = match node.id {
                NodeId::Server(id) => id,
                NodeId::ZooKeeper => ZOOKEEPER,
                NodeId::Client(_) => continue,
            };
            if node.process.is_some() {
                legal.up.push(id)
            } else {
                legal.down.push(id)
            }
            legal.frozen.extend(node.faults.is_frozen.then_some(id));
        }
        if let Some(image) = cluster_image(frame) {
            for (partition, state) in image.partitions() {
                let name = (partition.topic.to_string(), partition.partition.0);
                legal.used.extend(state.replicas.iter().map(|broker| broker.0));
                legal.moving.extend(state.is_reassigning().then(|| name.clone()));
                legal.partitions.push(name);
            }
        }
        legal
    }

    pub(crate) fn servers(&self) -> impl Iterator<Item = i32> {
        self.up.iter().chain(&self.down).copied()
    }

    /// The id of the next broker to come, if one may.
    pub(crate) fn new_broker(&self) -> Option<i32> {
        (1..=LAST_BROKER).find(|id| self.servers().all(|known| known != *id))
    }

    /// Brokers that are down and have no replicas, as far as the cluster knows.
    pub(crate) fn spare_brokers(&self) -> impl Iterator<Item = i32> {
        let is_known = !self.partitions.is_empty();
        self.down.iter().copied().filter(move |id| is_known && is_broker(*id) && !self.used.contains(id))
    }
}
