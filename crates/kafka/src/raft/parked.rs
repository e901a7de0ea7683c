//! Fetches of the metadata log that wait for records (the fetch purgatory of `KafkaRaftClient`). They are woken when the
//! log grows, not when more becomes committed, as in 3.9: a replica learns of that with its next fetch.

use crate::instant::Instant;
use crate::node::{ConnectionId, RequestId};
use wire::Offset;
use wire::request::FetchRequest;
use wire::response::FetchPartitionResult;

/// The fetches that wait, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct ParkedFetches {
    waiting: Vec<Parked>,
}

/// A fetch that waits.
#[derive(Clone, Debug)]
pub(super) struct Parked {
    pub(super) id: RequestId,
    pub(super) request: FetchRequest,
    pub(super) offset: Offset,
    pub(super) deadline: Instant,
    /// What it is answered if nothing comes: what was to be said when it came, however much is committed since.
    pub(super) results: Vec<FetchPartitionResult>,
}

impl ParkedFetches {
    /// Lets a fetch wait.
    pub(super) fn park(&mut self, fetch: Parked) {
        self.waiting.push(fetch);
    }

    /// Takes out what the log has grown beyond.
    pub(super) fn take_below(&mut self, end_offset: Offset) -> Vec<Parked> {
        self.waiting.extract_if(.., |fetch| fetch.offset < end_offset).collect()
    }

    /// Takes out what has waited long enough.
    pub(super) fn take_expired(&mut self, now: Instant) -> Vec<Parked> {
        self.waiting.extract_if(.., |fetch| fetch.deadline <= now).collect()
    }

    /// Takes out all.
    pub(super) fn take_all(&mut self) -> Vec<Parked> {
        std::mem::take(&mut self.waiting)
    }

    /// Nobody waits there any more.
    pub(super) fn on_disconnected(&mut self, connection: ConnectionId) {
        self.waiting.retain(|fetch| fetch.id.connection != connection);
    }

    /// When the next one has waited long enough.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|fetch| fetch.deadline).min()
    }
}
