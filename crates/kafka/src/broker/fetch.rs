//! Reads records for consumers and followers (`KafkaApis.handleFetchRequest`, `ReplicaManager.fetchMessages`,
//! `kafka.server.DelayedFetch`). Fetch sessions (KIP-227) and reading from followers (KIP-392) are not modelled.

use super::purgatory::{Completion, Delayed};
use super::{Broker, Step};
use crate::log::ReadLimit;
use crate::node::RequestId;
use crate::replica::{FetchRead, ParkedFetch, Reader};
use wire::request::{FetchPartition, FetchRequest};
use wire::response::{FetchPartitionResult, FetchResponse};
use wire::{ErrorCode, Response, TopicPartition};

/// A fetch that waits for records.
#[derive(Clone, Debug)]
pub(super) struct DelayedFetch {
    /// The request's name.
    pub(super) id: RequestId,
    /// The request, without the partitions that did not exist when it came.
    request: FetchRequest,
    /// What those are answered with.
    unknown: Vec<FetchPartitionResult>,
}

impl DelayedFetch {
    /// Whether a change in that partition may complete the request.
    pub(super) fn watches(&self, partition: &TopicPartition) -> bool {
        let is_it = |fetch: &FetchPartition| {
            fetch.partition.partition == partition.partition && fetch.partition.topic == partition.topic
        };
        self.request.partitions.iter().any(is_it)
    }
}

/// What was read so far in one request.
struct Reading {
    results: Vec<FetchPartitionResult>,
    bytes: i64,
    remaining_bytes: i32,
    is_urgent: bool,
}

impl Reading {
    fn new(request: &FetchRequest) -> Reading {
        Reading {
            results: Vec::with_capacity(request.partitions.len()),
            bytes: 0,
            remaining_bytes: request.max_bytes,
            is_urgent: false,
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

    fn is_enough(&self, request: &FetchRequest) -> bool {
        request.max_wait_ms <= 0
            || request.partitions.is_empty()
            || self.is_urgent
            || self.bytes >= i64::from(request.min_bytes)
    }
}

impl Broker {
    /// Reads what there is; if that is too little, the request waits.
    pub(super) fn on_fetch(&mut self, id: RequestId, mut request: FetchRequest, step: &mut Step<'_>) {
        request.max_bytes = request.max_bytes.min(self.setup.config.fetch_max_bytes);
        request.min_bytes = request.min_bytes.min(request.max_bytes);
        let unknown = self.take_unknown(&mut request);
        let mut reading = Reading::new(&request);
        for fetch in &request.partitions {
            self.read_first(&request, fetch, &mut reading, step);
        }
        if reading.is_enough(&request) {
            return self.respond_to_fetch(id, reading.results, unknown, step);
        }
        let wait_ms = request.max_wait_ms;
        self.purgatory.park(Delayed::Fetch(DelayedFetch { id, request, unknown }), wait_ms, step);
    }

    /// Partitions that do not exist are told with the answer, but do not hasten it.
    fn take_unknown(&self, request: &mut FetchRequest) -> Vec<FetchPartitionResult> {
        let mut unknown = Vec::new();
        request.partitions.retain(|fetch| {
            let known = self.check_known(fetch);
            unknown.extend(known.err().map(|error| FetchPartitionResult::failed(fetch.partition.clone(), error)));
            known.is_ok()
        });
        unknown
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
        match (self.replicas.get(&fetch.partition), request.replica) {
            (None, _) => reading.add(self.without_replica(&fetch.partition)),
            (Some(replica), None) => reading.add(replica.read(fetch, reader(request), limit)),
            (Some(_), Some(follower)) => {
                let (context, replicas) = self.context(step.now);
                let replica = replicas.get_mut(&fetch.partition).expect("the replica was just seen");
                let (read, changes) = replica.on_follower_fetch(fetch, follower, limit, &context, step.effects);
                reading.add(read);
                self.on_changes(&fetch.partition, changes, step);
            }
        }
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
        for fetch in &request.partitions {
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
        let DelayedFetch { id, request, unknown } = delayed;
        let mut reading = Reading::new(&request);
        for fetch in &request.partitions {
            reading.add(match self.replicas.get(&fetch.partition) {
                Some(replica) => replica.read(fetch, reader(&request), reading.limit()),
                None => self.without_replica(&fetch.partition),
            });
        }
        self.respond_to_fetch(id, reading.results, unknown, step);
    }

    fn without_replica(&self, partition: &TopicPartition) -> FetchRead {
        let error = self.error_without_replica(partition);
        FetchRead { result: FetchPartitionResult::failed(partition.clone(), error), size_in_bytes: 0 }
    }

    fn respond_to_fetch(
        &mut self,
        id: RequestId,
        mut partitions: Vec<FetchPartitionResult>,
        unknown: Vec<FetchPartitionResult>,
        step: &mut Step<'_>,
    ) {
        partitions.extend(unknown);
        for result in &mut partitions {
            if matches!(result.error, ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch) {
                result.current_leader = self.current_leader(&result.partition);
            }
        }
        self.server.respond(id, Response::Fetch(FetchResponse::sessionless(partitions)), step.effects);
    }
}

fn reader(request: &FetchRequest) -> Reader {
    match request.replica {
        Some(follower) => Reader::Follower(follower.replica_id),
        None => Reader::Consumer(request.isolation_level),
    }
}
