//! The only door in: what a user can do to the world.

use kafka::node::{Instruction, NodeId};
use kafka::spec::ClientSpec;
use std::fmt;

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
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::UnknownNode(node) => write!(formatter, "there is no node {node}"),
            CommandError::NotRunning(node) => write!(formatter, "node {node} is not running"),
            CommandError::AlreadyRunning(node) => write!(formatter, "node {node} is running already"),
            CommandError::NotAServer(node) => write!(formatter, "{node} is not a server"),
            CommandError::NotAClient(node) => write!(formatter, "{node} is not a client program"),
        }
    }
}

impl std::error::Error for CommandError {}
