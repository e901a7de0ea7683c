//! The watches of the connections (`org.apache.zookeeper.server.watch.WatchManager`): each fires once and is gone.

use super::database::{Change, Database, parent_and_name};
use crate::node::ConnectionId;
use std::collections::{BTreeMap, BTreeSet};
use wire::zookeeper::{Operation, WatchKind, WatchedEvent, WatchedEventKind, ZnodePath, Zxid};

type Watchers = BTreeMap<ZnodePath, BTreeSet<ConnectionId>>;

/// Who watches what. Data watches see a znode made, changed or removed, child watches its list of children.
#[derive(Clone, Debug, Default)]
pub(super) struct Watches {
    data: Watchers,
    children: Watchers,
}

/// A watch that fired, and whom to tell.
pub(super) type Notification = (ConnectionId, WatchedEvent);

impl Watches {
    /// Leaves the watch that a read asked for. Of a znode that is not there only `exists` leaves one.
    pub(super) fn leave(&mut self, connection: ConnectionId, operation: &Operation, found: bool) {
        match operation {
            Operation::Exists { path, watch: true } => add(&mut self.data, path, connection),
            Operation::GetData { path, watch: true } if found => add(&mut self.data, path, connection),
            Operation::GetChildren { path, watch: true } if found => add(&mut self.children, path, connection),
            Operation::Exists { .. }
            | Operation::GetData { .. }
            | Operation::GetChildren { .. }
            | Operation::Create { .. }
            | Operation::Delete { .. }
            | Operation::SetData { .. }
            | Operation::Check { .. } => {}
        }
    }

    /// A connection is gone, and its watches with it.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        for watchers in [&mut self.data, &mut self.children] {
            watchers.values_mut().for_each(|connections| {
                connections.remove(&connection);
            });
            watchers.retain(|_, connections| !connections.is_empty());
        }
    }

    /// The watches that a change sets off, in order.
    pub(super) fn fire(&mut self, change: &Change) -> Vec<Notification> {
        match change {
            Change::CreateSession { .. } | Change::CloseSession { .. } => Vec::new(),
            Change::Create { path, .. } => {
                let mut fired = take(&mut self.data, path, WatchedEventKind::NodeCreated);
                fired.extend(self.fire_children_of_parent(path));
                fired
            }
            Change::SetData { path, .. } => take(&mut self.data, path, WatchedEventKind::NodeDataChanged),
            Change::Delete { path } => {
                let mut fired = take(&mut self.data, path, WatchedEventKind::NodeDeleted);
                let of_children = take(&mut self.children, path, WatchedEventKind::NodeDeleted);
                let unheard = of_children.into_iter().filter(|notification| !fired.contains(notification));
                fired.extend(unheard.collect::<Vec<Notification>>());
                fired.extend(self.fire_children_of_parent(path));
                fired
            }
        }
    }

    fn fire_children_of_parent(&mut self, path: &ZnodePath) -> Vec<Notification> {
        let (parent, _) = parent_and_name(path).expect("the root is neither made nor removed");
        take(&mut self.children, &parent, WatchedEventKind::NodeChildrenChanged)
    }

    /// Leaves a watch that an earlier connection of the session had, or says what it missed meanwhile.
    pub(super) fn leave_again(
        &mut self,
        connection: ConnectionId,
        (kind, path): &(WatchKind, ZnodePath),
        (database, relative_zxid): (&Database, Zxid),
    ) -> Option<WatchedEvent> {
        let znode = database.znode(path);
        let missed = match (kind, znode) {
            (WatchKind::Exist, Some(_)) => Some(WatchedEventKind::NodeCreated),
            (WatchKind::Exist, None) => None,
            (WatchKind::Data | WatchKind::Children, None) => Some(WatchedEventKind::NodeDeleted),
            (WatchKind::Data, Some(znode)) => {
                (znode.modified.0 > relative_zxid).then_some(WatchedEventKind::NodeDataChanged)
            }
            (WatchKind::Children, Some(znode)) => {
                (znode.pzxid > relative_zxid).then_some(WatchedEventKind::NodeChildrenChanged)
            }
        };
        if missed.is_none() {
            let watchers = if *kind == WatchKind::Children { &mut self.children } else { &mut self.data };
            add(watchers, path, connection);
        }
        missed.map(|kind| WatchedEvent { kind, path: path.clone() })
    }
}

fn add(watchers: &mut Watchers, path: &ZnodePath, connection: ConnectionId) {
    watchers.entry(path.clone()).or_default().insert(connection);
}

fn take(watchers: &mut Watchers, path: &ZnodePath, kind: WatchedEventKind) -> Vec<Notification> {
    let connections = watchers.remove(path).unwrap_or_default();
    connections.into_iter().map(|connection| (connection, WatchedEvent { kind, path: path.clone() })).collect()
}
