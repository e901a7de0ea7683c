//! Reads records and hands them over (`AbstractFetch`, `FetchBuffer`, `FetchCollector`).
//!
//! One fetch at a time is in flight to each broker. After an error that calls for fresh metadata a partition waits for one retry
//! back-off, where a Java client asks again at once.

use super::Consumer;
use super::offsets::Pending;
use super::subscription::{FetchState, PartitionState};
use crate::client::network_client::log;
use crate::event::{ClientEvent, ClientLog, EventKind};
use crate::fetch_session_handler::{FetchSessionHandler, SessionRequest};
use crate::instant::{Duration, Instant};
use crate::node::Effects;
use crate::spec::AutoOffsetReset;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use wire::request::{FetchPartition, FetchRequest, OffsetSpec};
use wire::response::{FetchPartitionResult, FetchResponse};
use wire::{BrokerId, ErrorCode, LeaderEpoch, Offset, RecordBatch, Request, SharedRecord, TopicPartition};

/// A fetch in flight: to which node, and from where each partition is read.
#[derive(Clone, Debug)]
pub(super) struct PendingFetch {
    pub(super) node: i32,
    pub(super) offsets: Vec<(TopicPartition, Offset)>,
}

/// What was fetched of one partition and not handed over yet (`CompletedFetch`).
#[derive(Clone, Debug)]
pub(super) struct CompletedFetch {
    partition: TopicPartition,
    next_offset: Offset,
    batches: VecDeque<Arc<RecordBatch>>,
}

impl Consumer {
    /// Asks every leader for the partitions of which nothing is at hand.
    pub(super) fn send_fetches(&mut self, now: Instant, effects: &mut Effects) {
        self.leave_offline_replicas(now);
        let mut by_node: BTreeMap<i32, Vec<FetchPartition>> = BTreeMap::new();
        let busy = self.nodes_fetched_from();
        for (name, state) in &self.assignment {
            let is_at_hand = self.fetched.iter().any(|fetch| fetch.partition == *name);
            let Some(position) = state.fetch_position().filter(|_| !is_at_hand && now >= state.retry_at()) else {
                continue;
            };
            let read_replica = position.leader.map(|leader| state.preferred_read_replica(now).unwrap_or(leader));
            match read_replica {
                None => self.cluster.metadata.request_update(),
                Some(BrokerId(node)) if busy.contains(&node) => {}
                Some(BrokerId(node)) => by_node.entry(node).or_default().push(FetchPartition {
                    partition: name.clone(),
                    topic_id: self.cluster.metadata.topic(&name.topic).and_then(|topic| topic.topic_id),
                    current_leader_epoch: position.leader_epoch,
                    fetch_offset: position.offset,
                    last_fetched_epoch: LeaderEpoch::NONE,
                    log_start_offset: Offset(-1),
                    max_bytes: self.config.max_partition_fetch_bytes,
                }),
            }
        }
        for (node, partitions) in by_node {
            self.send_fetch(node, partitions, now, effects);
        }
    }

    fn send_fetch(&mut self, node: i32, wanted: Vec<FetchPartition>, now: Instant, effects: &mut Effects) {
        if !self.cluster.make_ready(node, now, effects) {
            return;
        }
        let offsets = wanted.iter().map(|asked| (asked.partition.clone(), asked.fetch_offset)).collect();
        let session = self.sessions.entry(node).or_insert_with(FetchSessionHandler::new);
        let request = session.next_request(&wanted);
        let request = self.fetch_request(request);
        let correlation_id = self.cluster.network.send(node, request, now, effects);
        self.pending.insert(correlation_id, Pending::Fetch(PendingFetch { node, offsets }));
    }

    /// A recommended replica that metadata does not show any more is given up (`selectReadReplica`).
    fn leave_offline_replicas(&mut self, now: Instant) {
        for state in self.assignment.values_mut() {
            let is_gone = |replica: BrokerId| self.cluster.metadata.endpoint(replica.0).is_none();
            if state.preferred_read_replica(now).is_some_and(is_gone) {
                state.return_to_leader();
                self.cluster.metadata.request_update();
            }
        }
    }

    /// No answer came to a fetch: the session starts anew, and replicas that were recommended are given up.
    pub(super) fn on_fetch_failed(&mut self, asked: &PendingFetch) {
        let Some(session) = self.sessions.get_mut(&asked.node) else { return };
        session.on_error();
        for name in session.partitions() {
            if let Some(state) = self.assignment.get_mut(name) {
                state.return_to_leader();
            }
        }
    }

    /// Ends the sessions with brokers that have nothing to answer (`maybeCloseFetchSessions`). A Java client waits for the
    /// others; here they find out that the connection is gone, and the session stays until it has to give way.
    pub(super) fn close_fetch_sessions(&mut self, effects: &mut Effects) {
        let busy = self.nodes_fetched_from();
        let sessions = std::mem::take(&mut self.sessions);
        for (node, session) in sessions {
            let is_free = !busy.contains(&node) && self.cluster.network.can_send(node);
            if let Some(metadata) = session.close().filter(|_| is_free) {
                let request =
                    self.fetch_request(SessionRequest { metadata, partitions: Vec::new(), forgotten: Vec::new() });
                self.cluster.network.send_without_answer(node, request, effects);
            }
        }
    }

    fn fetch_request(&self, session_request: SessionRequest) -> Request {
        let SessionRequest { metadata, partitions, forgotten } = session_request;
        Request::Fetch(Box::new(FetchRequest {
            replica: None,
            max_wait_ms: self.config.fetch_max_wait_ms,
            min_bytes: self.config.fetch_min_bytes,
            max_bytes: self.config.fetch_max_bytes,
            isolation_level: self.config.isolation_level,
            metadata,
            partitions,
            forgotten,
            rack_id: self.config.client_rack.clone(),
        }))
    }

    fn nodes_fetched_from(&self) -> BTreeSet<i32> {
        let node = |pending: &Pending| if let Pending::Fetch(fetch) = pending { Some(fetch.node) } else { None };
        self.pending.values().filter_map(node).collect()
    }

    /// A broker answered.
    pub(super) fn on_fetch_response(
        &mut self,
        asked: &PendingFetch,
        response: FetchResponse,
        now: Instant,
        effects: &mut Effects,
    ) {
        let session = self.sessions.entry(asked.node).or_insert_with(FetchSessionHandler::new);
        if !session.on_response(&response) {
            return;
        }
        let mut hints = Vec::new();
        for mut result in response.partitions {
            let Some((_, offset)) = asked.offsets.iter().find(|(name, _)| *name == result.partition) else { continue };
            hints.extend(result.current_leader.take().map(|leader| (result.partition.clone(), leader)));
            if result.error.is_none() {
                self.on_fetched(result, *offset, now);
            } else {
                self.on_fetch_error(&result.partition, result.error, *offset, now, effects);
            }
        }
        for (partition, leader) in hints {
            self.cluster.on_current_leader(&partition, &leader, effects);
        }
        self.on_new_metadata(now);
    }

    fn on_fetched(&mut self, result: FetchPartitionResult, asked_offset: Offset, now: Instant) {
        if let (Some(replica), Some(state)) =
            (result.preferred_read_replica, self.assignment.get_mut(&result.partition))
        {
            state.prefer(replica, now + Duration::from_ms(self.config.metadata_max_age_ms));
        }
        let is_current = self
            .assignment
            .get(&result.partition)
            .and_then(PartitionState::fetch_position)
            .is_some_and(|position| position.offset == asked_offset);
        if is_current && !result.batches.is_empty() {
            let batches = result.batches.into();
            self.fetched.push_back(CompletedFetch { partition: result.partition, next_offset: asked_offset, batches });
        }
    }

    fn on_fetch_error(
        &mut self,
        name: &TopicPartition,
        error: ErrorCode,
        asked_offset: Offset,
        now: Instant,
        effects: &mut Effects,
    ) {
        if error == ErrorCode::OffsetOutOfRange {
            self.on_offset_out_of_range(name, asked_offset, now);
            return;
        }
        if error == ErrorCode::UnknownTopicOrPartition {
            log(effects, ClientLog::FetchUnknownPartition(name.clone()));
        }
        if error == ErrorCode::UnknownTopicId {
            log(effects, ClientLog::FetchUnknownTopicId(name.clone()));
        }
        if error != ErrorCode::UnknownLeaderEpoch {
            self.cluster.metadata.request_update();
        }
        let retry_at = now + Duration::from_ms(self.config.retry_backoff_ms);
        if let Some(state) = self.assignment.get_mut(name) {
            state.put_off(retry_at);
            if error != ErrorCode::UnknownLeaderEpoch {
                state.return_to_leader();
            }
        }
    }

    fn on_offset_out_of_range(&mut self, name: &TopicPartition, asked_offset: Offset, now: Instant) {
        let Some(state) = self.assignment.get_mut(name) else { return };
        if state.return_to_leader() {
            return;
        }
        let Some(position) = state.fetch_position().filter(|position| position.offset == asked_offset) else { return };
        match reset_target(self.config.auto_offset_reset) {
            Some(to) => state.state = FetchState::AwaitReset { to, retry_at: now },
            None => {
                let position = self.describe_position(&position);
                let message = format!("Fetch position {position} is out of range for partition {name}");
                self.fail("org.apache.kafka.clients.consumer.OffsetOutOfRangeException", message);
            }
        }
    }

    /// Hands over what one call of `poll` returns. Says whether there was anything.
    pub(super) fn deliver(&mut self, now: Instant, effects: &mut Effects) -> bool {
        let left_to_read = self.max_messages.map_or(u64::MAX, |max| max - self.consumed.min(max));
        let mut left = u64::from(self.config.max_poll_records.max(1).unsigned_abs()).min(left_to_read);
        let mut has_delivered = false;
        while left > 0 {
            let Some(mut fetch) = self.fetched.pop_front() else { break };
            let delivered = self.deliver_from(&mut fetch, left, effects);
            left -= delivered;
            has_delivered |= delivered > 0;
            if !fetch.batches.is_empty() {
                self.fetched.push_front(fetch);
            }
        }
        if has_delivered {
            self.idle_since = now;
        }
        has_delivered
    }

    fn deliver_from(&mut self, fetch: &mut CompletedFetch, at_most: u64, effects: &mut Effects) -> u64 {
        let is_current = self
            .assignment
            .get(&fetch.partition)
            .and_then(PartitionState::fetch_position)
            .is_some_and(|position| position.offset == fetch.next_offset);
        if !is_current {
            fetch.batches.clear();
            return 0;
        }
        let mut delivered = 0;
        while delivered < at_most {
            let Some(batch) = fetch.batches.pop_front() else { break };
            delivered += self.deliver_batch(fetch, &batch, at_most - delivered, effects);
            if fetch.next_offset <= batch.last_offset() {
                fetch.batches.push_front(batch);
            }
        }
        let state = self.assignment.get_mut(&fetch.partition).expect("its position was just read");
        state.advance(fetch.next_offset, self.last_delivered_epoch);
        delivered
    }

    fn deliver_batch(
        &mut self,
        fetch: &mut CompletedFetch,
        batch: &RecordBatch,
        at_most: u64,
        effects: &mut Effects,
    ) -> u64 {
        self.last_delivered_epoch = batch.partition_leader_epoch;
        let first_delta = fetch.next_offset - batch.base_offset;
        let records = batch.shared_records().cloned().unwrap_or_default();
        let from = records.partition_point(|record| i64::from(record.offset_delta) < first_delta);
        let mut delivered = 0;
        for (place, record) in records.iter().enumerate().skip(from) {
            if delivered == at_most {
                return delivered;
            }
            let offset = batch.base_offset + i64::from(record.offset_delta);
            effects.note(EventKind::Client(ClientEvent::RecordConsumed {
                partition: fetch.partition.clone(),
                offset,
                timestamp: batch.timestamp_of(record),
                timestamp_type: batch.timestamp_type,
                record: SharedRecord::new(records.clone(), place),
            }));
            delivered += 1;
            self.consumed += 1;
            fetch.next_offset = offset.next();
        }
        fetch.next_offset = fetch.next_offset.max(batch.last_offset().next());
        delivered
    }
}

/// Where `auto.offset.reset` leads to.
pub(super) fn reset_target(policy: AutoOffsetReset) -> Option<OffsetSpec> {
    match policy {
        AutoOffsetReset::Earliest => Some(OffsetSpec::Earliest),
        AutoOffsetReset::Latest => Some(OffsetSpec::Latest),
        AutoOffsetReset::None => None,
    }
}
