//! A host: where a server or a client program lives. What is there while the process is not: a place, a disk, a clock and
//! the number of its runs; and what is wrong with it.

use crate::frame::NodeFaults;
use crate::machine::Machine;
use crate::queue::Due;
use kafka::fault::DiskCondition;
use kafka::instant::Instant;
use kafka::node::{ConnectionId, NodeId};
use kafka::spec::ServerSpec;
use kafka::storage::Disk;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a node is when its process is taken away: a place, a disk and the number of its runs.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// How to start it again, if it is a server.
    pub(crate) server: Option<Arc<ServerSpec>>,
    /// Its process, while it runs.
    pub(crate) process: Option<Machine>,
    /// What it has written.
    pub(crate) disk: Disk,
    /// The last step in which it changed.
    pub(crate) changed_in_step: u64,
    /// How many processes have run there.
    pub(super) runs: u32,
    /// Whether it has served yet.
    pub(super) readiness: Readiness,
    /// What is wrong with it.
    pub(crate) faults: NodeFaults,
    /// What waits for its frozen process, in the order in which it came.
    pub(super) unread: Vec<Due>,
    /// When its slow disk will have written what it was given.
    disk_is_busy_until: Instant,
    /// What is to be sent after a write, by connection: how much, and the instant of the last of it.
    behind_writes: BTreeMap<ConnectionId, (u32, Instant)>,
}

/// Whether a broker has served yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// Not in any of its runs.
    NeverReadyYet,
    /// It has.
    HasBeenReady,
}

impl Host {
    /// A server's host, without a process yet.
    pub(super) fn of_server(spec: &ServerSpec) -> (NodeId, Host) {
        (spec.node(), Host { server: Some(Arc::new(spec.clone())), ..Host::of_client() })
    }

    /// A client program's host, without a process yet.
    pub(crate) fn of_client() -> Host {
        Host {
            server: None,
            process: None,
            disk: Disk::default(),
            changed_in_step: 0,
            runs: 0,
            readiness: Readiness::NeverReadyYet,
            faults: NodeFaults::default(),
            unread: Vec::new(),
            disk_is_busy_until: Instant::ZERO,
            behind_writes: BTreeMap::new(),
        }
    }

    /// The process is gone, and with it all that it had not done yet.
    pub(super) fn end_process(&mut self) {
        self.process = None;
        self.faults.is_frozen = false;
        self.unread.clear();
        self.behind_writes.clear();
    }

    /// When a write that begins at `now` is done.
    pub(super) fn write_takes_until(&mut self, now: Instant) -> Instant {
        match self.faults.disk {
            DiskCondition::Slow(delay) => {
                self.disk_is_busy_until = self.disk_is_busy_until.max(now) + delay;
                self.disk_is_busy_until
            }
            DiskCondition::Sound | DiskCondition::Full => now,
        }
    }

    /// Nothing waits for the disk any more.
    pub(super) fn all_is_written(&mut self, now: Instant) {
        self.disk_is_busy_until = now;
        self.behind_writes.values_mut().for_each(|(_, last)| *last = now);
    }

    /// When something may leave on a connection, behind a write of the same step and behind what waits there already;
    /// `None` for at once.
    pub(super) fn leaves_at(&mut self, now: Instant, connection: ConnectionId, written_at: Instant) -> Option<Instant> {
        let waiting = self.behind_writes.get(&connection).copied();
        if written_at <= now && waiting.is_none() {
            return None;
        }
        let (count, last) = waiting.unwrap_or((0, now));
        let leaves_at = last.max(written_at).max(now);
        self.behind_writes.insert(connection, (count + 1, leaves_at));
        Some(leaves_at)
    }

    /// Something that was to leave on a connection behind a write leaves now.
    pub(super) fn leaves_now(&mut self, connection: ConnectionId) {
        let (count, last) = self.behind_writes.remove(&connection).expect("it was noted when it was put off");
        if count > 1 {
            self.behind_writes.insert(connection, (count - 1, last));
        }
    }

    /// Whether it is a broker that has never been ready to serve.
    pub(super) fn is_awaited(&self) -> bool {
        let is_broker = self.server.as_ref().is_some_and(|spec| spec.role.is_broker());
        is_broker && self.readiness == Readiness::NeverReadyYet
    }
}
