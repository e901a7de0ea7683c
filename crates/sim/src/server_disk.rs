//! A server's disk as another program on its host finds it: what was written, and what its process has mapped into memory.

use crate::checkers::sight::as_broker;
use crate::world::Host;
use kafka::log::Segments;
use kafka::spec::ServerSpec;
use kafka::storage::Disk;
use wire::TopicPartition;

/// A server's disk.
#[derive(Clone, Copy, Debug)]
pub struct ServerDisk<'a> {
    spec: &'a ServerSpec,
    host: &'a Host,
}

impl<'a> ServerDisk<'a> {
    /// The disk of a host; `None` if a client program lives there.
    pub(crate) fn of(host: &'a Host) -> Option<ServerDisk<'a>> {
        host.server.as_deref().map(|spec| ServerDisk { spec, host })
    }

    /// Whose it is, with the properties that say where its directories are.
    #[must_use]
    pub fn server(&self) -> &'a ServerSpec {
        self.spec
    }

    /// What was written.
    #[must_use]
    pub fn disk(&self) -> &'a Disk {
        &self.host.disk
    }

    /// Whether its process was shut down cleanly and has not been started since: only then index files end with their
    /// last entry.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.host.process.is_none() && self.host.disk.clean_shutdown.is_some()
    }

    /// A replica's segments in the process, whose indexes are mapped files; `None` unless a broker runs and has it.
    #[must_use]
    pub fn mapped(&self, partition: &TopicPartition) -> Option<&'a Segments> {
        let broker = as_broker(self.host)?;
        broker.glance(partition).map(|replica| replica.segments)
    }
}
