//! The follower's side of a partition: what to ask the leader, and what to do with the answer.
//!
//! Follows the state that `kafka.server.AbstractFetcherThread` keeps for one partition, with truncation on fetch
//! (KIP-595). Its fetch offset is always its log end offset and its last fetched epoch the latest that its log knows,
//! so neither is kept apart from the log.

use super::context::{Changes, Context};
use super::partition::{Partition, Role};
use crate::event::{BrokerEvent, TruncationReason};
use crate::instant::Instant;
use crate::log::{FollowerAppendError, LogContext};
use crate::node::Effects;
use crate::view::ReplicaRole;
use std::sync::Arc;
use wire::request::{FetchPartition, ListOffsetsPartition, OffsetSpec};
use wire::response::{EpochEndOffset, FetchPartitionResult, ListOffsetsResult};
use wire::{BrokerId, ErrorCode, LeaderEpoch, Offset, RecordBatch, Timestamp};

/// What a follower asks its leader next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowerRequest {
    /// This partition's part of the next `FetchRequest`.
    Fetch(FetchPartition),
    /// The fetch offset was out of range: first ask this with `ListOffsetsRequest` (with our broker as `replica_id`).
    ListOffsets(ListOffsetsPartition),
}

/// What a follower knows beyond its log.
#[derive(Clone, Debug)]
pub(super) struct Follower {
    /// Whom it follows.
    pub(super) leader: Option<BrokerId>,
    state: FetchState,
    /// It has compared its log with the leader's once. Only a follower from before KIP-279 is content with that.
    has_compared: bool,
}

/// Where the follower is in its talk with the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FetchState {
    /// It has no leader or was told to stop.
    Stopped,
    /// It could not take in what it fetched, or was fenced; only a newer leader epoch helps (`markPartitionFailed`).
    Failed,
    /// It fetches.
    Fetching,
    /// It fetches again at an instant.
    BackingOff(Instant),
    /// Its fetch was out of range: it asks where the leader's log ends.
    AskingLogEnd,
    /// The leader's log does not end below its own: it asks where the leader's log starts.
    AskingLogStart,
}

impl Follower {
    /// A follower that does not fetch yet.
    pub(super) fn idle(leader: Option<BrokerId>) -> Follower {
        Follower { leader, state: FetchState::Stopped, has_compared: false }
    }

    /// What an onlooker may see.
    pub(super) fn view(&self) -> ReplicaRole {
        ReplicaRole::Follower { leader: self.leader, has_failed: self.state == FetchState::Failed }
    }
}

impl Partition {
    fn fetch_state(&self) -> FetchState {
        match &self.role {
            Role::Follower(follower) => follower.state,
            Role::Leader(_) => FetchState::Stopped,
        }
    }

    fn set_fetch_state(&mut self, state: FetchState) {
        if let Role::Follower(follower) = &mut self.role {
            follower.state = state;
        }
    }

    /// Begins to fetch from a new leader, if there is one. A log that knows no epoch is not to be trusted beyond its high
    /// watermark; before KIP-101 no log was.
    pub(super) fn start_fetching(&mut self, effects: &mut Effects) {
        if self.leader().is_none() {
            return;
        }
        if !self.log.latest_epoch().is_known() || self.settings.historical_faults.truncate_to_high_watermark {
            self.truncate(self.log.high_watermark(), TruncationReason::HighWatermark, effects);
        }
        self.set_fetch_state(FetchState::Fetching);
    }

    /// What to ask the leader now; `None` while there is none, while it leads, has failed or backs off.
    #[must_use]
    pub fn next_request(&self, now: Instant) -> Option<FollowerRequest> {
        match self.fetch_state() {
            FetchState::Stopped | FetchState::Failed => None,
            FetchState::BackingOff(until) if now < until => None,
            FetchState::BackingOff(_) | FetchState::Fetching => Some(FollowerRequest::Fetch(self.next_fetch())),
            FetchState::AskingLogEnd | FetchState::AskingLogStart => {
                self.asked().map(|spec| FollowerRequest::ListOffsets(self.ask(spec)))
            }
        }
    }

    fn next_fetch(&self) -> FetchPartition {
        FetchPartition {
            partition: self.log.partition().clone(),
            topic_id: Some(self.log.topic_id()),
            current_leader_epoch: self.leader_epoch,
            fetch_offset: self.log.log_end_offset(),
            last_fetched_epoch: self.epoch_to_compare(),
            log_start_offset: self.log.log_start_offset(),
            max_bytes: self.settings.replica_fetch_max_bytes,
        }
    }

    /// The epoch of its last record, by which the leader finds out whether the logs part. Early followers asked until they
    /// knew (before KIP-320), once (before KIP-279) or not at all (before KIP-101).
    fn epoch_to_compare(&self) -> LeaderEpoch {
        let faults = self.settings.historical_faults;
        let has_compared = match &self.role {
            Role::Follower(follower) => follower.has_compared,
            Role::Leader(_) => false,
        };
        let asks_no_more = faults.single_round_truncation || faults.truncation_before_fetching;
        if faults.truncate_to_high_watermark || asks_no_more && has_compared {
            return LeaderEpoch::NONE;
        }
        self.log.latest_epoch()
    }

    /// What it has to know of the leader's log before it fetches on.
    fn asked(&self) -> Option<OffsetSpec> {
        match self.fetch_state() {
            FetchState::Stopped | FetchState::Failed | FetchState::Fetching | FetchState::BackingOff(_) => None,
            FetchState::AskingLogEnd => Some(OffsetSpec::Latest),
            FetchState::AskingLogStart => Some(OffsetSpec::Earliest),
        }
    }

    fn ask(&self, spec: OffsetSpec) -> ListOffsetsPartition {
        ListOffsetsPartition { partition: self.log.partition().clone(), current_leader_epoch: self.leader_epoch, spec }
    }

    /// When the follower may ask again, if it backs off.
    #[must_use]
    pub fn backs_off_until(&self) -> Option<Instant> {
        match self.fetch_state() {
            FetchState::BackingOff(until) => Some(until),
            FetchState::Stopped
            | FetchState::Failed
            | FetchState::Fetching
            | FetchState::AskingLogEnd
            | FetchState::AskingLogStart => None,
        }
    }

    /// Takes the leader's answer to a fetch: appends, truncates, or backs off. Ignored if the follower has moved on
    /// since.
    pub fn on_fetch_result(
        &mut self,
        sent: &FetchPartition,
        result: &FetchPartitionResult,
        context: &Context<'_>,
        effects: &mut Effects,
    ) -> Changes {
        let is_expected = match self.fetch_state() {
            FetchState::Fetching => true,
            FetchState::BackingOff(until) => until <= context.now,
            FetchState::Stopped | FetchState::Failed | FetchState::AskingLogEnd | FetchState::AskingLogStart => false,
        };
        let is_current =
            sent.current_leader_epoch == self.leader_epoch && sent.fetch_offset == self.log.log_end_offset();
        if !is_expected || !is_current {
            return Changes::default();
        }
        let mark = self.mark();
        self.set_fetch_state(FetchState::Fetching);
        match (result.error, result.diverging_epoch) {
            (ErrorCode::None, Some(leader_end)) => self.truncate_to_common_epoch(leader_end, effects),
            (ErrorCode::None, None) => self.append_fetched(result, context, effects),
            (error, _) => self.on_error(error, context.now),
        }
        let is_answer = self.settings.historical_faults.single_round_truncation || result.diverging_epoch.is_none();
        if let Role::Follower(follower) = &mut self.role {
            follower.has_compared |= result.error.is_none() && is_answer;
        }
        self.changes_since(mark)
    }

    fn on_error(&mut self, error: ErrorCode, now: Instant) {
        if error == ErrorCode::OffsetOutOfRange {
            self.set_fetch_state(FetchState::AskingLogEnd);
        } else if error == ErrorCode::FencedLeaderEpoch {
            self.set_fetch_state(FetchState::Failed);
        } else {
            self.on_request_failed(now);
        }
    }

    /// Appends, then takes the leader's high watermark as far as its own log reaches (`processPartitionData`).
    fn append_fetched(&mut self, result: &FetchPartitionResult, context: &Context<'_>, effects: &mut Effects) {
        let high_watermark = self.log.high_watermark();
        if self.append_batches(&result.batches, context.wall_time(), effects).is_err() {
            self.set_fetch_state(FetchState::Failed);
            return;
        }
        if let (Some(first), Some(last)) = (result.batches.first(), result.batches.last()) {
            let (first_offset, last_offset) = (first.base_offset, last.last_offset());
            self.note(effects, |partition| BrokerEvent::RecordsReplicated { partition, first_offset, last_offset });
        }
        self.log.update_high_watermark(result.high_watermark);
        let log_start_offset = result.log_start_offset.min(self.log.high_watermark());
        self.log
            .maybe_increment_log_start_offset(log_start_offset, effects)
            .expect("it lies not above the high watermark");
        self.note_high_watermark(high_watermark, effects);
    }

    /// An empty log may begin inside a batch of the leader: it starts anew where that batch begins.
    fn append_batches(
        &mut self,
        batches: &[Arc<RecordBatch>],
        wall_time: Timestamp,
        effects: &mut Effects,
    ) -> Result<(), FollowerAppendError> {
        let context = LogContext { config: &self.config, wall_time };
        let log_end_offset = self.log.log_end_offset();
        let is_empty = log_end_offset == self.log.log_start_offset();
        match self.log.append_as_follower(batches, &context, effects) {
            Err(FollowerAppendError::UnexpectedOffset { first_offset, last_offset })
                if is_empty && last_offset >= log_end_offset =>
            {
                self.log.truncate_fully_and_start_at(first_offset, effects);
                self.log.append_as_follower(batches, &context, effects)
            }
            outcome => outcome,
        }
    }

    /// Cuts the log where the leader's answer says that it parts from the leader's (`getOffsetTruncationState`). If the
    /// leader's epoch is not known here, the next fetch asks about the one below.
    fn truncate_to_common_epoch(&mut self, leader_end: EpochEndOffset, effects: &mut Effects) {
        let offset = self.truncation_offset(leader_end);
        self.truncate(offset, TruncationReason::DivergingEpoch, effects);
    }

    fn truncation_offset(&self, leader_end: EpochEndOffset) -> Offset {
        let log_end_offset = self.log.log_end_offset();
        if leader_end.end_offset < Offset::ZERO {
            return log_end_offset;
        }
        let own_end = self.log.end_offset_for(leader_end.leader_epoch);
        let ignores_epoch = self.settings.historical_faults.single_round_truncation;
        let is_untracked = ignores_epoch || own_end.leader_epoch == LeaderEpoch::NONE;
        let offset = if is_untracked {
            leader_end.end_offset
        } else if own_end.leader_epoch == leader_end.leader_epoch {
            leader_end.end_offset.min(own_end.end_offset)
        } else {
            own_end.end_offset
        };
        offset.min(log_end_offset)
    }

    /// Epochs behind the log's end go even if no record does.
    fn truncate(&mut self, offset: Offset, reason: TruncationReason, effects: &mut Effects) {
        let from = self.log.log_end_offset();
        if self.log.truncate_to(offset, effects) {
            let to = self.log.log_end_offset();
            self.note(effects, |partition| BrokerEvent::LogTruncated { partition, from, to, reason });
        }
    }

    /// Takes the leader's answer to [`FollowerRequest::ListOffsets`].
    pub fn on_list_offsets_result(
        &mut self,
        sent: &ListOffsetsPartition,
        result: &ListOffsetsResult,
        context: &Context<'_>,
        effects: &mut Effects,
    ) -> Changes {
        if sent.current_leader_epoch != self.leader_epoch || self.asked() != Some(sent.spec) {
            return Changes::default();
        }
        let mark = self.mark();
        if !result.error.is_none() {
            self.on_error(result.error, context.now);
        } else if sent.spec == OffsetSpec::Latest {
            self.on_leader_log_end(result.offset, effects);
        } else {
            self.on_leader_log_start(result.offset, effects);
        }
        self.changes_since(mark)
    }

    /// A log that reaches beyond the leader's is cut there (`fetchOffsetAndTruncate`).
    fn on_leader_log_end(&mut self, leader_log_end_offset: Offset, effects: &mut Effects) {
        if leader_log_end_offset < self.log.log_end_offset() {
            self.truncate(leader_log_end_offset, TruncationReason::OffsetOutOfRange, effects);
            self.set_fetch_state(FetchState::Fetching);
        } else {
            self.set_fetch_state(FetchState::AskingLogStart);
        }
    }

    /// A log that ends below the leader's start is of no use.
    fn on_leader_log_start(&mut self, leader_log_start_offset: Offset, effects: &mut Effects) {
        let (from, to) = (self.log.log_end_offset(), leader_log_start_offset);
        if to > from {
            self.log.truncate_fully_and_start_at(to, effects);
            let reason = TruncationReason::OffsetOutOfRange;
            self.note(effects, |partition| BrokerEvent::LogTruncated { partition, from, to, reason });
        }
        self.set_fetch_state(FetchState::Fetching);
    }

    /// The request to the leader came to nothing (disconnected, timed out): backs off. To be called only while the replica
    /// still follows the leader and epoch that it was sent to.
    pub fn on_request_failed(&mut self, now: Instant) {
        match self.fetch_state() {
            FetchState::Stopped | FetchState::Failed => {}
            FetchState::Fetching
            | FetchState::BackingOff(_)
            | FetchState::AskingLogEnd
            | FetchState::AskingLogStart => {
                self.set_fetch_state(FetchState::BackingOff(now + self.settings.replica_fetch_backoff));
            }
        }
    }

    /// Fetches no more until a newer leader epoch (controlled shutdown).
    pub fn stop_fetching(&mut self) {
        self.set_fetch_state(FetchState::Stopped);
    }
}
