//! What may be wrong with the disk of a host and with the links between hosts, as plain values. What follows from it is
//! up to the world around the machines.

use crate::instant::Duration;
use crate::node::NodeId;

/// How a disk takes writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DiskCondition {
    /// At once.
    #[default]
    Sound,
    /// One after the other, each so late. What a process sends after a write waits for it.
    Slow(Duration),
    /// Not at all: there is no room left.
    Full,
}

/// Which links of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Links {
    /// All of them.
    All,
    /// Those between one host and every other.
    Of(NodeId),
    /// Those between two hosts.
    Between(NodeId, NodeId),
    /// That from one host to another.
    OneWay {
        /// Where messages come from.
        from: NodeId,
        /// Where they go.
        to: NodeId,
    },
}

/// What is done to links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkChange {
    /// Nothing gets through any more.
    Cut,
    /// As they were in the beginning.
    Heal,
    /// The shortest time that a message travels.
    Delay(Duration),
    /// Up to so much more, drawn for each message.
    Jitter(Duration),
    /// So many of a thousand transmissions are lost, and made up for by another.
    Loss(u16),
}

/// The state of one link in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LinkCondition {
    /// Nothing gets through.
    pub is_cut: bool,
    /// The shortest time that a message travels, if it is not the world's usual one.
    pub delay: Option<Duration>,
    /// Up to so much more, if it is not the world's usual.
    pub jitter: Option<Duration>,
    /// So many of a thousand transmissions are lost.
    pub loss_permille: u16,
}

impl LinkCondition {
    /// The condition after a change.
    #[must_use]
    pub fn changed(self, change: LinkChange) -> LinkCondition {
        match change {
            LinkChange::Cut => LinkCondition { is_cut: true, ..self },
            LinkChange::Heal => LinkCondition::default(),
            LinkChange::Delay(delay) => LinkCondition { delay: Some(delay), ..self },
            LinkChange::Jitter(jitter) => LinkCondition { jitter: Some(jitter), ..self },
            LinkChange::Loss(loss_permille) => LinkCondition { loss_permille, ..self },
        }
    }
}
