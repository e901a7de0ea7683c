//! The reader's side of a fetch session (`FetchSessionHandler`, KIP-227): what to name in the next request to one broker.

use std::collections::BTreeMap;
use wire::request::FetchPartition;
use wire::response::FetchResponse;
use wire::{ErrorCode, FetchMetadata, TopicPartition};

/// The session with one broker.
#[derive(Clone, Debug)]
pub(crate) struct FetchSessionHandler {
    next: FetchMetadata,
    partitions: BTreeMap<TopicPartition, FetchPartition>,
}

/// The part of a request that has to do with its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionRequest {
    /// The session.
    pub(crate) metadata: FetchMetadata,
    /// Partitions that are new or changed; all in a full request.
    pub(crate) partitions: Vec<FetchPartition>,
    /// Partitions that are not read any more.
    pub(crate) forgotten: Vec<TopicPartition>,
}

impl FetchSessionHandler {
    /// No session yet.
    pub(crate) fn new() -> FetchSessionHandler {
        FetchSessionHandler { next: FetchMetadata::INITIAL, partitions: BTreeMap::new() }
    }

    /// The next request, which reads `wanted`, ordered by partition.
    pub(crate) fn next_request(&mut self, wanted: &[FetchPartition]) -> SessionRequest {
        let metadata = self.next;
        if metadata.is_full() {
            let named = wanted.iter().map(|asked| (asked.partition.clone(), asked.clone()));
            self.partitions = named.collect();
            return SessionRequest { metadata, partitions: wanted.to_vec(), forgotten: Vec::new() };
        }
        let partitions = wanted.iter().filter(|asked| self.take_in(asked)).cloned().collect();
        SessionRequest { metadata, partitions, forgotten: self.forget_all_but(wanted) }
    }

    /// The next request, if it reads the same as the last one, which the broker then knows; `None` if that has to name
    /// everything.
    pub(crate) fn next_of_the_same(&self) -> Option<SessionRequest> {
        let metadata = self.next;
        (!metadata.is_full()).then(|| SessionRequest { metadata, partitions: Vec::new(), forgotten: Vec::new() })
    }

    /// Whether the broker does not know this yet.
    fn take_in(&mut self, asked: &FetchPartition) -> bool {
        match self.partitions.get_mut(&asked.partition) {
            Some(known) if known == asked => false,
            Some(known) => {
                known.clone_from(asked);
                true
            }
            None => {
                self.partitions.insert(asked.partition.clone(), asked.clone());
                true
            }
        }
    }

    fn forget_all_but(&mut self, wanted: &[FetchPartition]) -> Vec<TopicPartition> {
        if self.partitions.len() == wanted.len() {
            return Vec::new();
        }
        let mut forgotten = Vec::new();
        self.partitions.retain(|partition, _| {
            let stays = wanted.binary_search_by(|asked| asked.partition.cmp(partition)).is_ok();
            if !stays {
                forgotten.push(partition.clone());
            }
            stays
        });
        forgotten
    }

    /// Takes the broker's answer, and tells whether its partitions count. After an error of the session the next request
    /// is a full one.
    pub(crate) fn on_response(&mut self, response: &FetchResponse) -> bool {
        let has_session = response.session_id != FetchMetadata::NO_SESSION;
        let is_success = response.error.is_none();
        self.next = if response.error == ErrorCode::FetchSessionIdNotFound || is_success && !has_session {
            FetchMetadata::INITIAL
        } else if !is_success {
            self.next.close_existing_attempt_new()
        } else if self.next.is_full() {
            FetchMetadata::new_incremental(response.session_id)
        } else {
            self.next.next_incremental()
        };
        is_success
    }

    /// No answer came: the next request is a full one and ends the session.
    pub(crate) fn on_error(&mut self) {
        self.next = self.next.close_existing_attempt_new();
    }

    /// The request that ends the session, if there is one.
    pub(crate) fn close(&self) -> Option<FetchMetadata> {
        let has_session = self.next.session_id != FetchMetadata::NO_SESSION;
        has_session.then(|| self.next.close_existing())
    }

    /// The partitions that the broker was last asked for.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = &TopicPartition> {
        self.partitions.keys()
    }
}
