//! How a person names a node: by its id, as `zookeeper` or `client-2`, or by what it does just now: `controller` and
//! `leader:TOPIC-PARTITION`.

use kafka::metadata::ClusterImage;
use kafka::node::NodeId;
use sim::{Frame, Session};
use std::fmt;
use wire::{PartitionIndex, TopicName, TopicPartition};

/// A node as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeName {
    /// By what it always is.
    Node(NodeId),
    /// The active controller.
    ActiveController,
    /// The leader of a partition.
    Leader(TopicPartition),
}

impl NodeName {
    /// Reads a name.
    ///
    /// # Errors
    /// If it names nothing that a world can have.
    pub fn parse(word: &str) -> Result<NodeName, String> {
        if let Ok(id) = word.parse() {
            return Ok(NodeName::Node(NodeId::Server(id)));
        }
        let client = word.strip_prefix("client-").and_then(|number| number.parse().ok());
        match (word, client, word.strip_prefix("leader:")) {
            ("zookeeper", _, _) => Ok(NodeName::Node(NodeId::ZooKeeper)),
            ("controller" | "active-controller", _, _) => Ok(NodeName::ActiveController),
            (_, Some(number), _) => Ok(NodeName::Node(NodeId::Client(number))),
            (_, None, Some(partition)) => partition_named(partition).map(NodeName::Leader),
            (_, None, None) => Err(format!(
                "a node is wanted (an id, zookeeper, client-1, controller or leader:topic-0), not \"{word}\""
            )),
        }
    }

    /// Which node that is now.
    ///
    /// # Errors
    /// If no node is what the name says.
    pub fn resolve(&self, session: &mut Session) -> Result<NodeId, String> {
        match self {
            NodeName::Node(node) => Ok(*node),
            NodeName::ActiveController => {
                active_controller(&session.frame()).ok_or_else(|| "no controller is active now".to_owned())
            }
            NodeName::Leader(partition) => {
                leader(&session.frame(), partition).ok_or_else(|| format!("{partition} has no leader now"))
            }
        }
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeName::Node(node) => write!(formatter, "{node}"),
            NodeName::ActiveController => formatter.write_str("controller"),
            NodeName::Leader(partition) => write!(formatter, "leader:{partition}"),
        }
    }
}

fn partition_named(text: &str) -> Result<TopicPartition, String> {
    let wrong = || format!("leader: takes a topic and a partition, as in leader:topic-0, not \"{text}\"");
    let (topic, index) = text.rsplit_once('-').ok_or_else(wrong)?;
    let index = index.parse().map_err(|_| wrong())?;
    Ok(TopicPartition::new(TopicName::new(topic), PartitionIndex(index)))
}

/// Of two controllers that both think they are it, the one with the higher epoch.
fn active_controller(frame: &Frame) -> Option<NodeId> {
    let active = frame.nodes.iter().filter_map(|node| {
        let view = node.process.as_ref()?;
        let by_quorum = view.controller().filter(|view| view.is_active).map(|view| view.epoch.0);
        let by_zookeeper = view.broker().and_then(|view| view.controller).map(|office| office.controller_epoch);
        by_quorum.or(by_zookeeper).map(|epoch| (epoch, node.id))
    });
    active.max().map(|(_, node)| node)
}

/// The leader as the node knows it that has read most of the cluster's metadata.
fn leader(frame: &Frame, partition: &TopicPartition) -> Option<NodeId> {
    let images = frame.nodes.iter().filter_map(|node| {
        let view = node.process.as_ref()?;
        let of_controller = view.controller().map(|view| (view.log_end_offset, &view.image));
        of_controller.or_else(|| view.broker().map(|view| (view.metadata_offset, &view.image)))
    });
    let (_, image): (_, &std::sync::Arc<ClusterImage>) = images.max_by_key(|(offset, _)| *offset)?;
    let leader = image.partition(partition)?.leader?;
    Some(NodeId::Server(leader.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_and_written_alike() {
        for name in ["1", "100", "zookeeper", "client-2", "controller", "leader:my-topic-0"] {
            assert_eq!(NodeName::parse(name).unwrap().to_string(), name);
        }
        assert_eq!(NodeName::parse("active-controller"), Ok(NodeName::ActiveController));
    }

    #[test]
    fn what_names_nothing_is_said() {
        let wanted = "a node is wanted (an id, zookeeper, client-1, controller or leader:topic-0), not";
        assert_eq!(NodeName::parse("x"), Err(format!("{wanted} \"x\"")));
        assert_eq!(NodeName::parse("client-x"), Err(format!("{wanted} \"client-x\"")));
        let leader = "leader: takes a topic and a partition, as in leader:topic-0, not \"topic\"";
        assert_eq!(NodeName::parse("leader:topic"), Err(leader.to_owned()));
    }
}
