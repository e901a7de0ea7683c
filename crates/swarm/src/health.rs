//! Liveness: once all faults have ended, everything becomes well within bounded time. Brokers serve, are unfenced and
//! know the cluster as it is; every partition has a leader and all its replicas in sync.

use kafka::metadata::ClusterImage;
use kafka::node::NodeId;
use kafka::view::{BrokerState, BrokerView};
use sim::Frame;
use std::sync::Arc;
use wire::BrokerId;

/// What is not yet as it should be, if anything.
#[must_use]
pub fn what_is_unhealthy(frame: &Frame) -> Option<String> {
    let Some(image) = controller_image(frame) else { return Some("no active controller".to_owned()) };
    for node in &frame.nodes {
        match (&node.id, &node.process) {
            (NodeId::Server(id), None) => return Some(format!("server {id} is down")),
            (NodeId::Server(id), Some(process)) => {
                let wrong = process.broker().and_then(|view| unhealthy_broker(view, &image));
                if let Some(wrong) = wrong {
                    return Some(format!("broker {id} {wrong}"));
                }
            }
            (NodeId::ZooKeeper | NodeId::Client(_), _) => {}
        }
    }
    let offline =
        image.partitions().find(|(_, state)| state.leader.is_none() || state.isr.len() < state.replicas.len());
    offline.map(|(partition, _)| format!("{partition} lacks a leader or in-sync replicas"))
}

/// The brokers that will never serve: a registration that a dead process of theirs had sent came after their own and
/// replaced it, as nobody but an unfenced broker has a valid session (`BrokerHeartbeatManager.hasValidSession`). In Kafka too
/// only a restart helps.
#[must_use]
pub fn superseded_brokers(frame: &Frame) -> Vec<NodeId> {
    let Some(image) = controller_image(frame) else { return Vec::new() };
    let registered = |id: i32| image.brokers().get(&BrokerId(id)).map(|broker| broker.broker_epoch);
    let is_superseded = |id: i32, view: &BrokerView| {
        view.state != BrokerState::Running && view.broker_epoch.is_some() && registered(id) > view.broker_epoch
    };
    let superseded = frame.nodes.iter().filter_map(|node| match (node.id, node.process.as_ref()?.broker()?) {
        (NodeId::Server(id), view) if is_superseded(id, view) => Some(node.id),
        (NodeId::Server(_) | NodeId::ZooKeeper | NodeId::Client(_), _) => None,
    });
    superseded.collect()
}

fn controller_image(frame: &Frame) -> Option<Arc<ClusterImage>> {
    let views = frame.nodes.iter().filter_map(|node| node.process.as_ref()?.controller());
    views.filter(|view| view.is_active).max_by_key(|view| view.epoch).map(|view| view.image.clone())
}

fn unhealthy_broker(view: &BrokerView, image: &ClusterImage) -> Option<String> {
    if view.state != BrokerState::Running {
        return Some("does not serve yet".to_owned());
    }
    if view.image.topics() != image.topics() || view.image.brokers() != image.brokers() {
        return Some("does not know the cluster as it is".to_owned());
    }
    let is_stray = |replica: &&kafka::view::ReplicaView| {
        let topic = image.topics().get(&replica.partition.topic);
        topic.is_none_or(|topic| topic.topic_id != replica.topic_id)
    };
    view.replicas.iter().find(is_stray).map(|replica| format!("has a replica of {}", replica.partition))
}
