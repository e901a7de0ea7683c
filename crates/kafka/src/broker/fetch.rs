//! Reads records for consumers and followers (`KafkaApis.handleFetchRequest`, `ReplicaManager.fetchMessages`,
//! `kafka.server.DelayedFetch`). What sessions are is in `fetch_sessions`.

use super::fetch_sessions::{Asked, Evicted, FetchContext};
use super::purgatory::{Completion, Delayed};
use super::still_fetches::Stillness;
use super::{Broker, Step};
use crate::event::{BrokerEvent, EventKind};
use crate::instant::Instant;
use crate::log::ReadLimit;
use crate::node::RequestId;
use crate::replica::{Changes, FetchRead, ParkedFetch, Reader};
use std::sync::Arc;
use wire::request::{FetchPartition, FetchRequest};
use wire::response::{FetchPartitionResult, FetchResponse};
use wire::{ErrorCode, FetchMetadata, Response, TopicPartition};

/// The one `replica.selector.class` that there is beside Kafka's default, which always chooses the leader.
const RACK_AWARE: &str = "org.apache.kafka.common.replica.RackAwareReplicaSelector";

/// A fetch that waits for records.
#[derive(Clone, Debug)]
pub(super) struct DelayedFetch {
    /// The request's name.
    pub(super) id: RequestId,
    /// The request, whose partitions are in `asked`.
    request: FetchRequest,
    /// What is asked of each partition that existed when it came.
    asked: Asked,
    /// Those, and what is wrong with them.
    unknown: Vec<(FetchPartition, ErrorCode)>,
    /// In which session it is answered.
    context: FetchContext,
    /// How things stood when it came, if there was nothing to tell.
    still: Option<Stillness>,
}

impl DelayedFetch {
    /// Whether a change in that partition may complete the request.
    pub(super) fn watches(&self, partition: &TopicPartition) -> bool {
        let is_it = |fetch: &FetchPartition| {
            fetch.partition.partition == partition.partition && fetch.partition.topic == partition.topic
        };
        self.asked.iter().any(is_it)
    }
}

/// What was read so far in one request.
struct Reading {
    results: Vec<FetchPartitionResult>,
    bytes: i64,
    remaining_bytes: i32,
    is_urgent: bool,
    /// Some replica has more than the reader.
    is_behind: bool,
}

impl Reading {
    fn new(request: &FetchRequest, partitions: usize) -> Reading {
        Reading {
            results: Vec::with_capacity(partitions),
            bytes: 0,
            remaining_bytes: request.max_bytes,
            is_urgent: false,
            is_behind: false,
        }
    }

    fn limit(&self) -> ReadLimit {
        ReadLimit { max_bytes: self.remaining_bytes, at_least_one_batch: self.bytes == 0 }
    }

    fn add(&mut self, read: FetchRead) {
        self.is_urgent |= read.is_urgent();
        self.bytes += i64::from(read.size_in_bytes);
        self.remaining_bytes = self.remaining_bytes.saturating_sub(read.size_in_bytes).max(0);
        self.results.push(read.result);
    }

    fn is_enough(&self, request: &FetchRequest, asked: &Asked) -> bool {
        request.max_wait_ms <= 0 || asked.is_empty() || self.is_urgent || self.bytes >= i64::from(request.min_bytes)
    }
}

impl Broker {
    /// Reads what there is; if that is too little, the request waits, unless waiting would end at once: a consumer that is
    /// ahead of the high watermark asks in vain again and again.
    pub(super) fn on_fetch(&mut self, id: RequestId, mut request: FetchRequest, step: &mut Step<'_>) {
        request.max_bytes = request.max_bytes.min(self.setup.config.fetch_max_bytes);
        request.min_bytes = request.min_bytes.min(request.max_bytes);
        let (context, asked) = match self.fetch_sessions.open(&mut request, step.now) {
            Ok(opened) => opened,
            Err(error) => return self.refuse_session(id, error, step),
        };
        let stillness = self.stillness(&request);
        if self.fetch_sessions.is_still(context, &stillness) {
            if let Some(follower) = request.replica {
                self.replicas.on_still_fetch(follower.replica_id, &asked, step.now);
            }
            let fetch = DelayedFetch { id, request, asked, unknown: Vec::new(), context, still: Some(stillness) };
            return self.answer_or_park_still(fetch, step);
        }
        let fetch = DelayedFetch { id, request, asked, unknown: Vec::new(), context, still: None };
        self.read_all(fetch, stillness, step);
    }

    fn answer_or_park_still(&mut self, fetch: DelayedFetch, step: &mut Step<'_>) {
        let reading = Reading::new(&fetch.request, 0);
        if reading.is_enough(&fetch.request, &fetch.asked) {
            return self.respond_to_fetch(fetch, reading.results, step);
        }
        self.park(fetch, step);
    }

    /// Reads all partitions that exist. `before` is how things stood then: what the fetch itself changes, such as a high
    /// watermark, is still to be told.
    fn read_all(&mut self, mut fetch: DelayedFetch, before: Stillness, step: &mut Step<'_>) {
        self.take_unknown(&mut fetch);
        if self.is_rack_aware() {
            self.replicas.note_still_fetches();
        }
        let mut reading = Reading::new(&fetch.request, fetch.asked.len());
        for asked in fetch.asked.iter() {
            self.read_first(&fetch.request, asked, &mut reading, step);
        }
        if reading.is_enough(&fetch.request, &fetch.asked) {
            return self.respond_to_fetch(fetch, reading.results, step);
        }
        if self.check_fetch(&fetch) == Completion::Complete {
            return self.complete_fetch(fetch, step);
        }
        self.keep_still(&mut fetch, &reading, before);
        self.park(fetch, step);
    }

    /// If there was nothing to tell, the next request of the session need not read as long as nothing changes.
    fn keep_still(&mut self, fetch: &mut DelayedFetch, reading: &Reading, before: Stillness) {
        let has_everything = reading.bytes == 0 && !reading.is_behind;
        if has_everything && fetch.unknown.is_empty() && fetch.request.rack_id.is_none() {
            let is_still = self.fetch_sessions.keep_still(fetch.context, &reading.results, &before);
            fetch.still = is_still.then_some(before);
        }
    }

    fn park(&mut self, fetch: DelayedFetch, step: &mut Step<'_>) {
        let wait_ms = fetch.request.max_wait_ms;
        self.purgatory.park(Delayed::Fetch(fetch), wait_ms, step);
    }

    fn refuse_session(&mut self, id: RequestId, error: ErrorCode, step: &mut Step<'_>) {
        let response = FetchResponse::session_error(error, FetchMetadata::NO_SESSION);
        self.server.respond(id, Response::Fetch(response), step.effects);
    }

    /// Partitions that do not exist are told with the answer, but do not hasten it.
    fn take_unknown(&mut self, fetch: &mut DelayedFetch) {
        if self.fetch_sessions.are_known_in(fetch.context, &self.image) {
            return;
        }
        if fetch.asked.iter().all(|asked| self.check_known(asked).is_ok()) {
            return self.fetch_sessions.note_known_in(fetch.context, &self.image);
        }
        let unknown = &mut fetch.unknown;
        Arc::make_mut(&mut fetch.asked).retain(|asked| {
            let known = self.check_known(asked);
            unknown.extend(known.err().map(|error| (asked.clone(), error)));
            known.is_ok()
        });
    }

    /// Reads as the request arrives: this is when the leader learns how far a follower has come.
    fn read_first(
        &mut self,
        request: &FetchRequest,
        fetch: &FetchPartition,
        reading: &mut Reading,
        step: &mut Step<'_>,
    ) {
        let limit = reading.limit();
        let Some(follower) = request.replica else {
            return reading.add(self.read(request, fetch, limit, step.now));
        };
        let (context, replicas) = self.context(step.now);
        match replicas.get_mut_to_fetch(&fetch.partition) {
            None => reading.add(self.without_replica(&fetch.partition)),
            Some(replica) => {
                reading.is_behind |= fetch.fetch_offset != replica.log().log_end_offset();
                let (read, changes) = replica.on_follower_fetch(fetch, follower, limit, &context, step.effects);
                reading.add(read);
                if changes != Changes::default() {
                    replicas.on_leader_changed();
                    self.on_changes(&fetch.partition, changes, step);
                }
            }
        }
    }

    /// Reads without learning anything of the reader. A consumer may be sent to a nearer replica.
    fn read(&self, request: &FetchRequest, fetch: &FetchPartition, limit: ReadLimit, now: Instant) -> FetchRead {
        let Some(replica) = self.replicas.get(&fetch.partition) else {
            return self.without_replica(&fetch.partition);
        };
        let rack = request.rack_id.as_deref().filter(|_| request.replica.is_none() && self.is_rack_aware());
        match rack.and_then(|rack| replica.preferred_read_replica(rack, fetch.fetch_offset, &self.surroundings(now))) {
            Some(preferred) => replica.redirect(fetch, preferred),
            None => replica.read(fetch, reader(request), limit),
        }
    }

    fn is_rack_aware(&self) -> bool {
        self.setup.config.property("replica.selector.class") == Some(RACK_AWARE)
    }

    fn check_known(&self, fetch: &FetchPartition) -> Result<(), ErrorCode> {
        let image = &self.image;
        if fetch.topic_id.is_some_and(|topic_id| image.topic_name(topic_id).is_none()) {
            return Err(ErrorCode::UnknownTopicId);
        }
        match image.partition(&fetch.partition) {
            Some(_) => Ok(()),
            None => Err(ErrorCode::UnknownTopicOrPartition),
        }
    }

    /// Whether a parked fetch can be answered.
    pub(super) fn check_fetch(&self, delayed: &DelayedFetch) -> Completion {
        let request = &delayed.request;
        let mut available = 0;
        for fetch in delayed.asked.iter() {
            let Some(replica) = self.replicas.get(&fetch.partition) else { return Completion::Complete };
            match replica.parked_fetch(fetch, reader(request)) {
                ParkedFetch::Complete => return Completion::Complete,
                ParkedFetch::Available(bytes) => available += bytes,
            }
        }
        if available >= i64::from(request.min_bytes) { Completion::Complete } else { Completion::Waiting }
    }

    /// Reads once more and answers.
    pub(super) fn complete_fetch(&mut self, delayed: DelayedFetch, step: &mut Step<'_>) {
        let mut reading = Reading::new(&delayed.request, delayed.asked.len());
        if delayed.still.as_ref().is_some_and(|still| *still == self.stillness(&delayed.request)) {
            return self.respond_to_fetch(delayed, reading.results, step);
        }
        if self.is_rack_aware() {
            self.replicas.note_still_fetches();
        }
        for fetch in delayed.asked.iter() {
            reading.add(self.read(&delayed.request, fetch, reading.limit(), step.now));
        }
        self.respond_to_fetch(delayed, reading.results, step);
    }

    fn without_replica(&self, partition: &TopicPartition) -> FetchRead {
        let error = self.error_without_replica(partition);
        FetchRead { result: FetchPartitionResult::failed(partition.clone(), error), size_in_bytes: 0 }
    }

    fn respond_to_fetch(&mut self, fetch: DelayedFetch, mut results: Vec<FetchPartitionResult>, step: &mut Step<'_>) {
        let unknown = fetch.unknown.iter();
        results.extend(unknown.map(|(asked, error)| FetchPartitionResult::failed(asked.partition.clone(), *error)));
        for result in &mut results {
            if matches!(result.error, ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch) {
                result.current_leader = self.current_leader(&result.partition);
            }
            note_redirection(&fetch.request, result, step);
        }
        let id = fetch.id;
        let response = match fetch.context {
            FetchContext::Sessionless => FetchResponse::sessionless(results),
            FetchContext::Full => self.respond_with_new_session(fetch, results, step),
            FetchContext::Incremental(metadata) => match self.fetch_sessions.prune(metadata, &mut results) {
                Ok(()) => {
                    FetchResponse { error: ErrorCode::None, session_id: metadata.session_id, partitions: results }
                }
                Err(error) => FetchResponse::session_error(error, metadata.session_id),
            },
        };
        self.server.respond(id, Response::Fetch(response), step.effects);
    }

    fn respond_with_new_session(
        &mut self,
        fetch: DelayedFetch,
        partitions: Vec<FetchPartitionResult>,
        step: &mut Step<'_>,
    ) -> FetchResponse {
        let is_privileged = fetch.request.replica.is_some();
        let mut asked = Arc::unwrap_or_clone(fetch.asked);
        asked.extend(fetch.unknown.into_iter().map(|(asked, _)| asked));
        let (session_id, evicted) = self.fetch_sessions.create(asked, &partitions, is_privileged, step.now);
        if let Some(Evicted { session_id, partitions }) = evicted {
            step.effects.note(EventKind::Broker(BrokerEvent::FetchSessionEvicted { session_id, partitions }));
        }
        FetchResponse { error: ErrorCode::None, session_id, partitions }
    }
}

fn note_redirection(request: &FetchRequest, result: &FetchPartitionResult, step: &mut Step<'_>) {
    if let (Some(replica), Some(rack)) = (result.preferred_read_replica, &request.rack_id) {
        let (partition, rack) = (result.partition.clone(), rack.clone());
        let event = BrokerEvent::PreferredReadReplicaChosen { partition, replica, rack };
        step.effects.note(EventKind::Broker(event));
    }
}

fn reader(request: &FetchRequest) -> Reader {
    match request.replica {
        Some(follower) => Reader::Follower(follower.replica_id),
        None => Reader::Consumer(request.isolation_level),
    }
}
