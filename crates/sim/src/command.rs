//! The only door in: what a user can do to the world.

use kafka::fault::{DiskCondition, LinkChange, Links};
use kafka::node::{Instruction, NodeId};
use kafka::spec::{ClientSpec, ServerSpec};
use std::fmt;
use wire::Endpoint;

/// One thing a user does. Commands are what the journal keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// SIGKILL: the process is gone at once; its disk stays.
    Kill(NodeId),
    /// SIGTERM: a broker shuts down in a controlled way, a client closes.
    Stop(NodeId),
    /// Start a server that is down.
    Start(NodeId),
    /// Start a client program; it gets the next free `NodeId::Client`.
    StartClient(ClientSpec),
    /// Say something to a running client program.
    Tell(NodeId, Instruction),
    /// SIGSTOP: the process does nothing more; its host goes on acknowledging what arrives, and connections stay open.
    Freeze(NodeId),
    /// SIGCONT: a frozen process goes on with all that has arrived and run out meanwhile.
    Thaw(NodeId),
    /// A server's host loses its power: nobody is told, and the disk keeps only what was flushed. `Start` switches it on.
    PowerOff(NodeId),
    /// The disk of a server becomes slow, full or sound again.
    SetDisk {
        /// Whose.
        node: NodeId,
        /// How it is from now on.
        condition: DiskCondition,
    },
    /// The wall clock of a host is set.
    SetClock {
        /// Whose.
        node: NodeId,
        /// How far ahead of the world's time.
        offset_ms: i64,
    },
    /// Links are cut, healed or made worse.
    ChangeLinks {
        /// Which.
        links: Links,
        /// What is done to them.
        change: LinkChange,
    },
    /// A server comes into the world and starts.
    AddServer(Box<ServerSpec>),
    /// A server that is down leaves the world with its disk.
    RemoveServer(NodeId),
}

/// Why a command could not be carried out. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// There is no such node.
    UnknownNode(NodeId),
    /// The process is not running.
    NotRunning(NodeId),
    /// The process is running already.
    AlreadyRunning(NodeId),
    /// A client program that has ended cannot be started again.
    NotAServer(NodeId),
    /// Only client programs can be told something.
    NotAClient(NodeId),
    /// The process is frozen already.
    AlreadyFrozen(NodeId),
    /// The process is not frozen.
    NotFrozen(NodeId),
    /// Only a server that is down can be taken away.
    StillRunning(NodeId),
    /// There is such a server already.
    AlreadyThere(NodeId),
    /// Another server listens there.
    AddressInUse(Endpoint),
    /// A link joins two different hosts.
    NoLink(NodeId),
    /// More than 999 of a thousand transmissions cannot be lost.
    LossOutOfRange,
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::UnknownNode(node) => write!(formatter, "there is no node {node}"),
            CommandError::NotRunning(node) => write!(formatter, "node {node} is not running"),
            CommandError::AlreadyRunning(node) => write!(formatter, "node {node} is running already"),
            CommandError::NotAServer(node) => write!(formatter, "{node} is not a server"),
            CommandError::NotAClient(node) => write!(formatter, "{node} is not a client program"),
            CommandError::AlreadyFrozen(node) => write!(formatter, "node {node} is frozen already"),
            CommandError::NotFrozen(node) => write!(formatter, "node {node} is not frozen"),
            CommandError::StillRunning(node) => write!(formatter, "node {node} is running: stop it first"),
            CommandError::AlreadyThere(node) => write!(formatter, "there is a node {node} already"),
            CommandError::AddressInUse(endpoint) => write!(formatter, "another server listens at {endpoint}"),
            CommandError::NoLink(node) => write!(formatter, "there is no link from {node} to itself"),
            CommandError::LossOutOfRange => {
                write!(formatter, "at most 999 of 1000 transmissions can be lost: cut the link instead")
            }
        }
    }
}

impl std::error::Error for CommandError {}
