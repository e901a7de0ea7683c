//! The tree of znodes and the sessions (`org.apache.zookeeper.server.ZKDatabase`): what the transactions so far add up to.
//! It applies transactions that fit; whether one fits is decided in `operations`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wire::Timestamp;
use wire::zookeeper::{SessionId, Stat, ZnodeData, ZnodePath, ZnodeVersion, Zxid};

/// One line of the transaction log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its number.
    pub zxid: Zxid,
    /// When it was made.
    pub at: Timestamp,
    /// What it changes, in order.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A session began.
    CreateSession {
        /// Which.
        session: SessionId,
        /// Its timeout.
        timeout_ms: i32,
    },
    /// A session ended. Its ephemeral znodes vanish.
    CloseSession {
        /// Which.
        session: SessionId,
    },
    /// A znode was made.
    Create {
        /// Where.
        path: ZnodePath,
        /// What is in it.
        data: ZnodeData,
        /// The session that it vanishes with.
        ephemeral_owner: Option<SessionId>,
    },
    /// A znode was removed.
    Delete {
        /// Which.
        path: ZnodePath,
    },
    /// A znode's data was replaced.
    SetData {
        /// Which.
        path: ZnodePath,
        /// The new data.
        data: ZnodeData,
    },
}

/// A znode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Znode {
    /// What is in it.
    pub data: ZnodeData,
    /// The change that made it, and when.
    pub created: (Zxid, Timestamp),
    /// The change that last set its data, and when.
    pub modified: (Zxid, Timestamp),
    /// How often its data was set.
    pub version: ZnodeVersion,
    /// The change that last made or removed a child.
    pub pzxid: Zxid,
    /// How often children were made or removed: the counter behind the names of sequential znodes.
    pub cversion: i32,
    /// The session that it vanishes with.
    pub ephemeral_owner: Option<SessionId>,
    /// Its children's names.
    pub children: BTreeSet<String>,
}

impl Znode {
    /// `Stat`.
    #[must_use]
    pub fn stat(&self) -> Stat {
        Stat {
            czxid: self.created.0,
            ctime: self.created.1,
            mzxid: self.modified.0,
            mtime: self.modified.1,
            pzxid: self.pzxid,
            cversion: self.cversion,
            version: self.version,
            ephemeral_owner: self.ephemeral_owner,
            data_length: self.data.length(),
            num_children: self.children.len() as i32,
        }
    }
}

/// The tree, the sessions and the number of the last transaction.
#[derive(Clone, Debug)]
pub struct Database {
    znodes: BTreeMap<ZnodePath, Arc<Znode>>,
    sessions: BTreeMap<SessionId, i32>,
    last_zxid: Zxid,
}

impl Default for Database {
    /// An ensemble's first start: the root, and the znode that ZooKeeper keeps for itself.
    fn default() -> Database {
        let mut database = Database { znodes: BTreeMap::new(), sessions: BTreeMap::new(), last_zxid: Zxid(0) };
        database.insert(ZnodePath::new("/"), znode(ZnodeData::Empty, (Zxid(0), Timestamp(0)), None));
        database.insert(ZnodePath::new("/zookeeper"), znode(ZnodeData::Empty, (Zxid(0), Timestamp(0)), None));
        let root = database.znode_mut(&ZnodePath::new("/"));
        root.children.insert("zookeeper".to_owned());
        database
    }
}

/// The path above one, and the last name in it. The root has none.
#[must_use]
pub fn parent_and_name(path: &ZnodePath) -> Option<(ZnodePath, &str)> {
    let (parent, name) = path.0.rsplit_once('/')?;
    match (parent, name) {
        (_, "") => None,
        ("", name) => Some((ZnodePath::new("/"), name)),
        (parent, name) => Some((ZnodePath::new(parent), name)),
    }
}

fn znode(data: ZnodeData, made: (Zxid, Timestamp), ephemeral_owner: Option<SessionId>) -> Znode {
    Znode {
        data,
        created: made,
        modified: made,
        version: ZnodeVersion(0),
        pzxid: made.0,
        cversion: 0,
        ephemeral_owner,
        children: BTreeSet::new(),
    }
}

impl Database {
    /// A znode.
    #[must_use]
    pub fn znode(&self, path: &ZnodePath) -> Option<&Znode> {
        self.znodes.get(path).map(Arc::as_ref)
    }

    /// All znodes by path.
    #[must_use]
    pub fn znodes(&self) -> &BTreeMap<ZnodePath, Arc<Znode>> {
        &self.znodes
    }

    /// The sessions with their timeouts in milliseconds.
    #[must_use]
    pub fn sessions(&self) -> &BTreeMap<SessionId, i32> {
        &self.sessions
    }

    /// The number of the last transaction.
    #[must_use]
    pub fn last_zxid(&self) -> Zxid {
        self.last_zxid
    }

    /// The ephemeral znodes of a session, by path.
    #[must_use]
    pub fn ephemerals(&self, session: SessionId) -> Vec<ZnodePath> {
        let is_its_own = |znode: &Znode| znode.ephemeral_owner == Some(session);
        self.znodes.iter().filter(|(_, znode)| is_its_own(znode)).map(|(path, _)| path.clone()).collect()
    }

    /// Applies a transaction that fits.
    pub fn apply(&mut self, transaction: &Transaction) {
        self.last_zxid = transaction.zxid;
        let stamp = (transaction.zxid, transaction.at);
        transaction.changes.iter().for_each(|change| self.apply_change(change, stamp));
    }

    /// Applies one change of a transaction.
    pub(super) fn apply_change(&mut self, change: &Change, stamp: (Zxid, Timestamp)) {
        match change {
            Change::CreateSession { session, timeout_ms } => {
                self.sessions.insert(*session, *timeout_ms);
            }
            Change::CloseSession { session } => {
                self.sessions.remove(session);
            }
            Change::Create { path, data, ephemeral_owner } => {
                self.touch_parent(path, stamp.0, |children, name| children.insert(name));
                self.insert(path.clone(), znode(data.clone(), stamp, *ephemeral_owner));
            }
            Change::Delete { path } => {
                self.znodes.remove(path);
                self.touch_parent(path, stamp.0, |children, name| children.remove(&name));
            }
            Change::SetData { path, data } => self.set_data(path, data, stamp),
        }
    }

    fn set_data(&mut self, path: &ZnodePath, data: &ZnodeData, stamp: (Zxid, Timestamp)) {
        let znode = self.znode_mut(path);
        znode.data = data.clone();
        znode.modified = stamp;
        znode.version = ZnodeVersion(znode.version.0 + 1);
    }

    fn touch_parent(
        &mut self,
        path: &ZnodePath,
        zxid: Zxid,
        change: impl FnOnce(&mut BTreeSet<String>, String) -> bool,
    ) {
        let (parent, name) = parent_and_name(path).expect("the root is neither made nor removed");
        let parent = self.znode_mut(&parent);
        assert!(change(&mut parent.children, name.to_owned()), "a transaction fits the tree");
        parent.pzxid = zxid;
        parent.cversion += 1;
    }

    fn insert(&mut self, path: ZnodePath, znode: Znode) {
        self.znodes.insert(path, Arc::new(znode));
    }

    fn znode_mut(&mut self, path: &ZnodePath) -> &mut Znode {
        Arc::make_mut(self.znodes.get_mut(path).expect("a transaction fits the tree"))
    }
}
