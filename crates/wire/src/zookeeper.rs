//! What ZooKeeper and its clients say to each other (`org.apache.zookeeper.proto`), as far as Kafka uses it.
//!
//! A connection carries one session. Requests are answered in order; a watch that fires arrives as a response that
//! nobody asked for, before the answer to any later request (`xid` -1). Data is kept as values instead of JSON text:
//! see [`ZnodeData`].

mod text;

use crate::{BrokerId, Endpoint, LeaderEpoch, PartitionIndex, Timestamp, TopicId, TopicName, TopicPartition};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A session's id, drawn by the ensemble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// `zxid`: counts the ensemble's changes. The one that made `/brokers/ids/N` (`czxid`) is that broker's epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zxid(pub i64);

/// A znode's data version. Writes may demand one (-1 on ZooKeeper's wire stands for any; here `None`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZnodeVersion(pub i32);

/// An absolute path, for example `/brokers/topics/t/partitions/0/state`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZnodePath(pub Arc<str>);

impl ZnodePath {
    /// A path from its text.
    #[must_use]
    pub fn new(path: &str) -> ZnodePath {
        ZnodePath(path.into())
    }
}

/// A request of a ZooKeeper client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ZooKeeperRequest {
    /// First on a connection: begin a session, or go on with one.
    Connect {
        /// The session to go on with; `None` begins one.
        session: Option<SessionId>,
        /// `zookeeper.session.timeout.ms` of the client.
        timeout_ms: i32,
    },
    /// Keep the session alive.
    Ping,
    /// End the session; its ephemeral znodes vanish at once.
    CloseSession,
    /// Carry out one operation.
    Operation(Operation),
    /// Carry out several or none (`multi`).
    Multi(Vec<Operation>),
    /// On a new connection of the same session: leave the watches again that the last one had. What happened to them
    /// since `relative_zxid` fires at once.
    SetWatches {
        /// The last change that the client has heard of.
        relative_zxid: Zxid,
        /// The watches.
        watches: Vec<(WatchKind, ZnodePath)>,
    },
}

/// What a watch waits for: `ClientWatchManager` keeps one list for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WatchKind {
    /// Left by reading a znode that exists: its data or its end.
    Data,
    /// Left by looking for a znode that does not exist: that it is made.
    Exist,
    /// Left by listing children: the list, or the znode's end.
    Children,
}

/// One operation on the tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Make a znode. Its parent must exist.
    Create {
        /// Where; a sequential znode gets its number appended.
        path: ZnodePath,
        /// What is in it.
        data: ZnodeData,
        /// How long it lives, and what it is called.
        mode: CreateMode,
    },
    /// Remove a znode without children.
    Delete {
        /// Which.
        path: ZnodePath,
        /// The version it must have.
        version: Option<ZnodeVersion>,
    },
    /// Replace a znode's data.
    SetData {
        /// Which.
        path: ZnodePath,
        /// The new data.
        data: ZnodeData,
        /// The version it must have.
        version: Option<ZnodeVersion>,
    },
    /// Only demand a version (in a `multi`).
    Check {
        /// Which.
        path: ZnodePath,
        /// The version it must have.
        version: ZnodeVersion,
    },
    /// Whether a znode exists; a watch fires when it is made, changed or removed.
    Exists {
        /// Which.
        path: ZnodePath,
        /// Leave a watch.
        watch: bool,
    },
    /// Read a znode; a watch fires when it is changed or removed.
    GetData {
        /// Which.
        path: ZnodePath,
        /// Leave a watch.
        watch: bool,
    },
    /// List a znode's children, in order of their names; a watch fires when that list changes.
    GetChildren {
        /// Whose.
        path: ZnodePath,
        /// Leave a watch.
        watch: bool,
    },
}

/// `CreateMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CreateMode {
    /// Lives until it is removed.
    Persistent,
    /// As persistent, with a ten-digit counter of its parent behind its name.
    PersistentSequential,
    /// Vanishes with the session that made it.
    Ephemeral,
}

/// What ZooKeeper sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ZooKeeperResponse {
    /// The session goes on, or began.
    Connected {
        /// Which.
        session: SessionId,
        /// The timeout that was agreed on.
        timeout_ms: i32,
    },
    /// The session that the client wanted to go on with has expired. The connection closes.
    SessionExpired,
    /// Answer to `Ping`.
    Pong,
    /// Answer to `CloseSession`.
    SessionClosed,
    /// Answer to `Operation`.
    Operation {
        /// The last change before the answer.
        zxid: Zxid,
        /// What came of it.
        result: Result<OperationResult, ZooKeeperError>,
    },
    /// Answer to `Multi`.
    Multi {
        /// The last change before the answer.
        zxid: Zxid,
        /// One result for each operation, or the place of the first that failed and why.
        result: Result<Vec<OperationResult>, (u32, ZooKeeperError)>,
    },
    /// Answer to `SetWatches`.
    WatchesSet,
    /// A watch has fired; it is gone now.
    Watched(WatchedEvent),
}

/// What an operation brought.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OperationResult {
    /// Made; the path as it is called with its number.
    Created {
        /// Its path.
        path: ZnodePath,
        /// Its state.
        stat: Stat,
    },
    /// Removed.
    Deleted,
    /// Replaced.
    DataSet(Stat),
    /// The version is as demanded.
    Checked,
    /// It exists.
    Exists(Stat),
    /// What is in it.
    Data {
        /// The data.
        data: ZnodeData,
        /// Its state.
        stat: Stat,
    },
    /// Its children's names, in order.
    Children {
        /// The names.
        names: Vec<String>,
        /// Its state.
        stat: Stat,
    },
}

/// `org.apache.zookeeper.data.Stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stat {
    /// The change that made it.
    pub czxid: Zxid,
    /// When it was made.
    pub ctime: Timestamp,
    /// The change that last set its data.
    pub mzxid: Zxid,
    /// When its data was last set.
    pub mtime: Timestamp,
    /// The change that last made or removed a child.
    pub pzxid: Zxid,
    /// How often children were made or removed.
    pub cversion: i32,
    /// How often its data was set.
    pub version: ZnodeVersion,
    /// The session it vanishes with.
    pub ephemeral_owner: Option<SessionId>,
    /// Bytes of its data as Kafka would write it.
    pub data_length: i32,
    /// How many children it has.
    pub num_children: i32,
}

/// `KeeperException.Code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ZooKeeperError {
    /// The znode, or the new znode's parent, does not exist.
    NoNode,
    /// The znode exists already.
    NodeExists,
    /// It has another version.
    BadVersion,
    /// It has children.
    NotEmpty,
    /// Ephemeral znodes have no children.
    NoChildrenForEphemerals,
    /// The session is gone.
    SessionExpired,
}

/// A watch that fired.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatchedEvent {
    /// What happened.
    pub kind: WatchedEventKind,
    /// To which znode.
    pub path: ZnodePath,
}

/// `Watcher.Event.EventType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WatchedEventKind {
    /// It was made.
    NodeCreated,
    /// It was removed.
    NodeDeleted,
    /// Its data was set.
    NodeDataChanged,
    /// Its list of children changed.
    NodeChildrenChanged,
}

/// What is in a znode, as Kafka means it (`kafka.zk.ZkData`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ZnodeData {
    /// Nothing: a znode that only holds children, or whose being there says all.
    Empty,
    /// `/controller`.
    Controller {
        /// The controller.
        broker_id: BrokerId,
        /// When it was elected.
        timestamp: Timestamp,
    },
    /// `/controller_epoch`.
    ControllerEpoch(i32),
    /// `/brokers/ids/N`.
    Broker {
        /// What it advertises.
        endpoint: Endpoint,
        /// `broker.rack`.
        rack: Option<String>,
        /// When it registered.
        timestamp: Timestamp,
    },
    /// `/brokers/topics/T`.
    Topic {
        /// Its id.
        topic_id: TopicId,
        /// The replicas of its partitions.
        partitions: BTreeMap<PartitionIndex, Vec<BrokerId>>,
        /// Replicas that a reassignment adds.
        adding_replicas: BTreeMap<PartitionIndex, Vec<BrokerId>>,
        /// Replicas that a reassignment removes.
        removing_replicas: BTreeMap<PartitionIndex, Vec<BrokerId>>,
    },
    /// `/brokers/topics/T/partitions/P/state`.
    PartitionState(PartitionStateData),
    /// `/config/topics/T` or `/config/brokers/N`.
    Config(BTreeMap<String, String>),
    /// `/config/changes/config_change_N`.
    ConfigChange {
        /// For example `topics/t`.
        entity_path: String,
    },
    /// `/admin/preferred_replica_election`: which partitions shall have their preferred leaders.
    PreferredReplicaElection(Vec<(TopicName, PartitionIndex)>),
    /// `/admin/reassign_partitions`: where partitions' replicas shall be, as tools asked for it before KIP-455.
    Reassignment(BTreeMap<TopicPartition, Vec<BrokerId>>),
    /// `/cluster/id`.
    ClusterId(String),
    /// `/latest_producer_id_block`.
    ProducerIdBlock {
        /// Whose block.
        broker_id: BrokerId,
        /// Its first id.
        block_start: i64,
        /// Its last id.
        block_end: i64,
    },
    /// `/feature`.
    Feature,
}

/// The state of one partition in ZooKeeper (`LeaderIsrAndControllerEpoch`); its znode's version is the partition epoch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartitionStateData {
    /// The leader, if there is one.
    pub leader: Option<BrokerId>,
    /// Its epoch.
    pub leader_epoch: LeaderEpoch,
    /// The in-sync replicas.
    pub isr: Vec<BrokerId>,
    /// The controller that wrote it.
    pub controller_epoch: i32,
    /// The leader was elected from outside the in-sync replicas and has not yet said that it recovered.
    pub is_recovering: bool,
}
