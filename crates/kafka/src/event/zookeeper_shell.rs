//! What `zookeeper-shell` sees of its session.

use crate::node::ExitStatus;
use wire::zookeeper::{SessionId, Stat, ZnodeData, ZnodePath, ZooKeeperError};

/// Something that `zookeeper-shell` tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ZooKeeperTold {
    /// The session has begun, or goes on.
    Connected,
    /// The connection is gone, or could not be established.
    Disconnected {
        /// The session, if there is one.
        session: Option<SessionId>,
        /// How it ended.
        end: ConnectionEnd,
    },
    /// A command has ended.
    Ended {
        /// Its place among the commands.
        command: usize,
        /// What it found; or the error, none if the connection was lost.
        found: Result<ZooKeeperFound, Option<ZooKeeperError>>,
    },
    /// The session was closed (`quit`).
    Closed,
    /// The process exits.
    Exiting(ExitStatus),
}

/// How a connection with ZooKeeper ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionEnd {
    /// Nobody listens there.
    Refused,
    /// The other side closed it.
    Closed,
    /// Nothing was heard for too long.
    TimedOut {
        /// For so long.
        after_ms: i64,
    },
}

/// What a command found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ZooKeeperFound {
    /// It does not look for anything.
    Nothing,
    /// A znode's children.
    Children {
        /// Their names, in order.
        names: Vec<String>,
        /// The znode's state.
        stat: Stat,
    },
    /// A znode and all below it.
    Tree(Vec<ZnodePath>),
    /// What is in a znode.
    Data {
        /// The data.
        data: ZnodeData,
        /// Its state.
        stat: Stat,
    },
    /// A znode's state.
    Stat(Stat),
}
