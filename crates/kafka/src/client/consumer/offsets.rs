//! Looks positions up and has them confirmed by new leaders (`OffsetFetcher`, KIP-320).

use super::Consumer;
use super::fetcher::{PendingFetch, reset_target};
use super::subscription::{FetchState, PartitionState, Position};
use crate::client::cluster_client::Completion;
use crate::client::network_client::Outcome;
use crate::event::{ClientEvent, EventKind};
use crate::instant::{Duration, Instant};
use crate::node::Effects;
use std::collections::BTreeMap;
use wire::request::{
    ListOffsetsPartition, ListOffsetsRequest, OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetSpec,
};
use wire::response::{ListOffsetsResult, OffsetForLeaderResult};
use wire::{BrokerId, ErrorCode, LeaderEpoch, Offset, Request, Response, TopicPartition};

/// A request of the consumer that waits for its answer.
#[derive(Clone, Debug)]
pub(super) enum Pending {
    /// Records are read.
    Fetch(PendingFetch),
    /// Positions are looked up.
    ListOffsets(Vec<(TopicPartition, OffsetSpec)>),
    /// Positions are confirmed.
    OffsetForLeaderEpoch(Vec<(TopicPartition, Position)>),
}

impl Consumer {
    /// Asks the leaders for the positions that are needed and due.
    pub(super) fn reset_positions(&mut self, now: Instant, effects: &mut Effects) {
        let mut by_node: BTreeMap<i32, Vec<(TopicPartition, OffsetSpec, LeaderEpoch)>> = BTreeMap::new();
        let put_off = now + Duration::from_ms(self.config.retry_backoff_ms);
        for (name, state) in &mut self.assignment {
            let FetchState::AwaitReset { to, retry_at } = state.state else { continue };
            if now < retry_at {
                continue;
            }
            let info = self.cluster.metadata.leader(name);
            match info.leader {
                Some(BrokerId(node)) => by_node.entry(node).or_default().push((name.clone(), to, info.leader_epoch)),
                None => {
                    self.cluster.metadata.request_update();
                    state.put_off(put_off);
                }
            }
        }
        for (node, partitions) in by_node {
            self.send_list_offsets(node, partitions, now, effects);
        }
    }

    fn send_list_offsets(
        &mut self,
        node: i32,
        partitions: Vec<(TopicPartition, OffsetSpec, LeaderEpoch)>,
        now: Instant,
        effects: &mut Effects,
    ) {
        if !self.cluster.make_ready(node, now, effects) {
            return;
        }
        let asked = partitions.iter().map(|(name, spec, epoch)| ListOffsetsPartition {
            partition: name.clone(),
            current_leader_epoch: *epoch,
            spec: *spec,
        });
        let isolation_level = self.config.isolation_level;
        let request = ListOffsetsRequest { replica_id: None, isolation_level, partitions: asked.collect() };
        let correlation_id = self.cluster.network.send(node, Request::ListOffsets(request), now, effects);
        let asked: Vec<(TopicPartition, OffsetSpec)> =
            partitions.into_iter().map(|(name, spec, _)| (name, spec)).collect();
        self.put_off(asked.iter().map(|(name, _)| name), now + self.request_timeout());
        self.pending.insert(correlation_id, Pending::ListOffsets(asked));
    }

    /// Asks new leaders whether the positions still stand.
    pub(super) fn validate_positions(&mut self, now: Instant, effects: &mut Effects) {
        let mut by_node: BTreeMap<i32, Vec<(TopicPartition, Position)>> = BTreeMap::new();
        for (name, state) in &self.assignment {
            let FetchState::AwaitValidation { retry_at } = state.state else { continue };
            let Some(position) = state.position.filter(|_| now >= retry_at) else { continue };
            if let Some(BrokerId(node)) = position.leader {
                by_node.entry(node).or_default().push((name.clone(), position));
            }
        }
        for (node, partitions) in by_node {
            if self.cluster.make_ready(node, now, effects) {
                self.send_validation(node, partitions, now, effects);
            }
        }
    }

    fn send_validation(
        &mut self,
        node: i32,
        asked: Vec<(TopicPartition, Position)>,
        now: Instant,
        effects: &mut Effects,
    ) {
        let partitions = asked.iter().map(|(name, position)| OffsetForLeaderPartition {
            partition: name.clone(),
            current_leader_epoch: position.leader_epoch,
            leader_epoch: position.offset_epoch,
        });
        let request = OffsetForLeaderEpochRequest { replica_id: None, partitions: partitions.collect() };
        let correlation_id = self.cluster.network.send(node, Request::OffsetForLeaderEpoch(request), now, effects);
        self.put_off(asked.iter().map(|(name, _)| name), now + self.request_timeout());
        self.pending.insert(correlation_id, Pending::OffsetForLeaderEpoch(asked));
    }

    /// A request came to its end.
    pub(super) fn on_completion(&mut self, completion: Completion, now: Instant, effects: &mut Effects) {
        let Some(pending) = self.pending.remove(&completion.correlation_id) else { return };
        match (pending, completion.outcome) {
            (Pending::Fetch(asked), Outcome::Answered(Response::Fetch(response))) => {
                self.on_fetch_response(&asked, response, now, effects);
            }
            (Pending::ListOffsets(asked), Outcome::Answered(Response::ListOffsets(response))) => {
                for result in response.partitions {
                    self.on_list_offsets_result(&asked, &result, now, effects);
                }
            }
            (Pending::OffsetForLeaderEpoch(asked), Outcome::Answered(Response::OffsetForLeaderEpoch(response))) => {
                for result in response.partitions {
                    self.on_validation_result(&asked, &result, now, effects);
                }
            }
            (Pending::ListOffsets(asked), Outcome::Answered(_) | Outcome::Disconnected | Outcome::TimedOut) => {
                self.retry_later(asked.iter().map(|(name, _)| name), now);
            }
            (
                Pending::OffsetForLeaderEpoch(asked),
                Outcome::Answered(_) | Outcome::Disconnected | Outcome::TimedOut,
            ) => self.retry_later(asked.iter().map(|(name, _)| name), now),
            (Pending::Fetch(asked), Outcome::Answered(_) | Outcome::Disconnected | Outcome::TimedOut) => {
                self.on_fetch_failed(&asked);
            }
        }
    }

    fn on_list_offsets_result(
        &mut self,
        asked: &[(TopicPartition, OffsetSpec)],
        result: &ListOffsetsResult,
        now: Instant,
        effects: &mut Effects,
    ) {
        let Some((name, spec)) = asked.iter().find(|(name, _)| *name == result.partition) else { return };
        let Some(state) = self.assignment.get(name) else { return };
        if !matches!(state.state, FetchState::AwaitReset { to, .. } if to == *spec) {
            return;
        }
        if result.error.is_none() && result.offset.0 >= 0 {
            self.seek(name, result.offset, now, effects);
        } else {
            self.retry_later(std::iter::once(name), now);
        }
    }

    /// Sets a partition's position; nobody has to confirm it.
    pub(super) fn seek(&mut self, name: &TopicPartition, offset: Offset, now: Instant, effects: &mut Effects) {
        let info = self.cluster.metadata.leader(name);
        self.assignment.insert(name.clone(), PartitionState::at(offset, info, now));
        note_reset(name, offset, effects);
    }

    fn on_validation_result(
        &mut self,
        asked: &[(TopicPartition, Position)],
        result: &OffsetForLeaderResult,
        now: Instant,
        effects: &mut Effects,
    ) {
        let Some((name, position)) = asked.iter().find(|(name, _)| *name == result.partition) else { return };
        let Some(state) = self.assignment.get_mut(name) else { return };
        let is_awaited = matches!(state.state, FetchState::AwaitValidation { .. });
        if !is_awaited || state.position != Some(*position) {
            return;
        }
        if result.error == ErrorCode::UnsupportedVersion {
            // The broker is from before KIP-320: nobody can confirm the position.
            state.state = FetchState::Fetching { retry_at: now };
            return;
        }
        if !result.error.is_none() {
            self.retry_later(std::iter::once(name), now);
            return;
        }
        let is_unknown = result.end.end_offset.0 < 0 || !result.end.leader_epoch.is_known();
        if is_unknown || result.end.end_offset < position.offset {
            self.on_truncation(name, result, now, effects);
        } else {
            state.state = FetchState::Fetching { retry_at: now };
        }
    }

    /// The leader's log parts from what was read: goes back to where it does, if a reset policy allows that.
    fn on_truncation(
        &mut self,
        name: &TopicPartition,
        result: &OffsetForLeaderResult,
        now: Instant,
        effects: &mut Effects,
    ) {
        let end = result.end;
        let Some(to) = reset_target(self.config.auto_offset_reset) else {
            let divergent = match end.leader_epoch.is_known() {
                true => format!(
                    "{name}=OffsetAndMetadata{{offset={}, leaderEpoch={}, metadata=''}}",
                    end.end_offset, end.leader_epoch
                ),
                false => String::new(),
            };
            let message = format!("Truncated partitions detected with divergent offsets {{{divergent}}}");
            self.fail("org.apache.kafka.clients.consumer.LogTruncationException", message);
            return;
        };
        let state = self.assignment.get_mut(name).expect("the partition was just looked up");
        if end.end_offset.0 < 0 || !end.leader_epoch.is_known() {
            state.state = FetchState::AwaitReset { to, retry_at: now };
            return;
        }
        state.state = FetchState::Fetching { retry_at: now };
        state.advance(end.end_offset, end.leader_epoch);
        note_reset(name, end.end_offset, effects);
    }

    fn retry_later<'a>(&mut self, names: impl Iterator<Item = &'a TopicPartition>, now: Instant) {
        self.cluster.metadata.request_update();
        self.put_off(names, now + Duration::from_ms(self.config.retry_backoff_ms));
    }

    fn put_off<'a>(&mut self, names: impl Iterator<Item = &'a TopicPartition>, until: Instant) {
        for name in names {
            if let Some(state) = self.assignment.get_mut(name) {
                state.put_off(until);
            }
        }
    }

    fn request_timeout(&self) -> Duration {
        Duration::from_ms(i64::from(self.config.request_timeout_ms))
    }

    /// A position as Java prints it.
    pub(super) fn describe_position(&self, position: &Position) -> String {
        let epoch = |epoch: LeaderEpoch| if epoch.is_known() { Some(epoch.to_string()) } else { None };
        let offset_epoch =
            epoch(position.offset_epoch).map_or("Optional.empty".into(), |text| format!("Optional[{text}]"));
        let leader_epoch = epoch(position.leader_epoch).unwrap_or_else(|| "absent".into());
        let endpoint = position.leader.and_then(|leader| {
            self.cluster
                .metadata
                .endpoint(leader.0)
                .map(|endpoint| format!("Optional[{endpoint} (id: {leader} rack: null)]"))
        });
        let leader = endpoint.unwrap_or_else(|| "Optional.empty".into());
        let offset = position.offset;
        format!(
            "FetchPosition{{offset={offset}, offsetEpoch={offset_epoch}, \
             currentLeader=LeaderAndEpoch{{leader={leader}, epoch={leader_epoch}}}}}"
        )
    }
}

fn note_reset(name: &TopicPartition, offset: Offset, effects: &mut Effects) {
    effects.note(EventKind::Client(ClientEvent::PositionReset { partition: name.clone(), offset }));
}
