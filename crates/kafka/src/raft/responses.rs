//! What a member makes of the answers of others (`KafkaRaftClient.handleResponse`).

use super::state::{Download, State};
use super::{MetadataSnapshot, RaftClient, RaftStep};
use crate::event::ControllerEvent;
use wire::response::{
    EpochEndOffset, FetchPartitionResult, FetchSnapshotResponse, LeaderIdAndEpoch, QuorumEpochResponse, VoteResponse,
};
use wire::{ErrorCode, Offset, OffsetAndEpoch, Response};

/// Whether there is more to an answer than who leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It belongs to the current epoch.
    Current,
    /// It told of another epoch or leader, or comes from a former one: whoever is to be asked now is asked at once.
    Done,
    /// Who was asked cannot serve just now.
    Unavailable,
}

impl RaftClient {
    #[allow(clippy::wildcard_enum_match_arm, reason = "the other requests are never sent to a member of the quorum")]
    pub(super) fn handle_response(&mut self, voter: i32, response: Response, step: &mut RaftStep<'_>) {
        match response {
            Response::Vote(response) => self.on_vote_response(voter, response, step),
            Response::BeginQuorumEpoch(response) => {
                self.weigh(response.error, response.current_leader, step);
            }
            Response::EndQuorumEpoch(response) => self.on_end_quorum_epoch_response(voter, response, step),
            Response::Fetch(response) => {
                let result = response.partitions.into_iter().next();
                self.on_fetch_response(voter, &result.expect("an answer has a result for each partition"), step);
            }
            Response::FetchSnapshot(response) => self.on_fetch_snapshot_response(voter, response, step),
            other @ (Response::ApiVersions(_)
            | Response::Metadata(_)
            | Response::Produce(_)
            | Response::ListOffsets(_)
            | Response::OffsetForLeaderEpoch(_)
            | Response::CreateTopics(_)
            | Response::CreatePartitions(_)
            | Response::DeleteTopics(_)
            | Response::DescribeTopicPartitions(_)
            | Response::ElectLeaders(_)
            | Response::AlterPartitionReassignments(_)
            | Response::ListPartitionReassignments(_)
            | Response::IncrementalAlterConfigs(_)
            | Response::DescribeConfigs(_)
            | Response::DeleteRecords(_)
            | Response::DescribeLogDirs(_)
            | Response::DescribeCluster(_)
            | Response::UpdateFeatures(_)
            | Response::UnregisterBroker(_)
            | Response::InitProducerId(_)
            | Response::AllocateProducerIds(_)
            | Response::ControllerRegistration(_)
            | Response::BrokerRegistration(_)
            | Response::BrokerHeartbeat(_)
            | Response::AlterPartition(_)
            | Response::DescribeQuorum(_)
            | Response::LeaderAndIsr(_)
            | Response::UpdateMetadata(_)
            | Response::StopReplica(_)
            | Response::ControlledShutdown(_)
            | Response::ZooKeeper(_)) => unreachable!("a member of the quorum was answered with {other:?}"),
        }
    }

    /// What every answer says of epoch and leader (`maybeHandleCommonResponse`).
    fn weigh(&mut self, error: ErrorCode, current: LeaderIdAndEpoch, step: &mut RaftStep<'_>) -> Verdict {
        if current.leader_epoch < self.epoch || error == ErrorCode::UnknownLeaderEpoch {
            return Verdict::Done;
        }
        let is_from_elsewhere = matches!(error, ErrorCode::FencedLeaderEpoch | ErrorCode::NotLeaderOrFollower);
        let is_newer = current.leader_epoch > self.epoch;
        let is_followed_now = !is_newer && current.leader_id.is_some() && self.leader().is_none();
        self.hear_of(current.leader_epoch, current.leader_id, step);
        if is_newer || is_from_elsewhere || is_followed_now && !error.is_none() {
            Verdict::Done
        } else if error == ErrorCode::BrokerNotAvailable {
            Verdict::Unavailable
        } else {
            Verdict::Current
        }
    }

    fn on_vote_response(&mut self, voter: i32, response: VoteResponse, step: &mut RaftStep<'_>) {
        let verdict = self.weigh(response.error, response.current_leader, step);
        if verdict != Verdict::Current || !response.error.is_none() {
            return;
        }
        let voters = self.voters();
        let State::Candidate(candidacy) = &mut self.state else { return };
        if response.vote_granted {
            candidacy.granted.insert(voter);
            self.lead_if_elected(step);
        } else {
            candidacy.rejected.insert(voter);
            if candidacy.is_rejected(voters) && candidacy.backing_off_until.is_none() {
                self.lose_election(step);
            }
        }
    }

    fn on_end_quorum_epoch_response(&mut self, voter: i32, response: QuorumEpochResponse, step: &mut RaftStep<'_>) {
        if self.weigh(response.error, response.current_leader, step) == Verdict::Current
            && response.error.is_none()
            && let State::Resigned { unacknowledged, .. } = &mut self.state
        {
            unacknowledged.remove(&voter);
        }
    }

    fn on_fetch_response(&mut self, voter: i32, result: &FetchPartitionResult, step: &mut RaftStep<'_>) {
        let Some(quorum) = result.quorum else { return self.pause(voter, step) };
        match self.weigh(result.error, quorum.current_leader, step) {
            Verdict::Done => return,
            Verdict::Current if result.error.is_none() => {}
            Verdict::Current | Verdict::Unavailable => return self.pause(voter, step),
        }
        let State::Follower { leader, .. } = &self.state else { return };
        if *leader != voter {
            return;
        }
        match (result.diverging_epoch, quorum.snapshot_id) {
            (Some(leader_end), _) => self.truncate(leader_end, step),
            (None, Some(snapshot_id)) => self.begin_download(snapshot_id),
            (None, None) => self.append_fetched(result, step),
        }
        self.fetch_succeeded(step);
    }

    /// Asked in vain: whoever cannot serve is asked again only after a while.
    fn pause(&mut self, voter: i32, step: &RaftStep<'_>) {
        let until = step.now + self.patience().retry_backoff;
        self.links.back_off(voter, until);
    }

    fn fetch_succeeded(&mut self, step: &RaftStep<'_>) {
        let timeout = self.setup.config.fetch_timeout();
        if let State::Follower { fetch_timeout_at, .. } = &mut self.state {
            *fetch_timeout_at = step.now + timeout;
        }
    }

    /// Cuts the log where it parts from the leader's.
    fn truncate(&mut self, leader_end: EpochEndOffset, step: &mut RaftStep<'_>) {
        let (from, to) = (self.log.end_offset(), self.log.divergence(leader_end));
        assert!(self.high_watermark.is_none_or(|committed| to >= committed), "what is committed is never truncated");
        self.log.truncate_to(to, step.effects);
        self.note_vote(ControllerEvent::MetadataLogTruncated { from, to }, step.effects);
    }

    fn append_fetched(&mut self, result: &FetchPartitionResult, step: &mut RaftStep<'_>) {
        self.log.append_as_follower(&result.batches, step.effects);
        if self.is_voter() && !result.batches.is_empty() {
            self.log.flush(step.effects);
        }
        self.learn_high_watermark(result.high_watermark);
    }

    /// A follower knows what is committed as far as its own log reaches.
    fn learn_high_watermark(&mut self, of_leader: Offset) {
        let known = of_leader.min(self.log.end_offset());
        if of_leader >= Offset::ZERO && self.high_watermark.is_none_or(|before| known > before) {
            self.high_watermark = Some(known);
        }
    }

    fn begin_download(&mut self, id: OffsetAndEpoch) {
        let has_it = self.log.snapshot(id).is_some();
        if let State::Follower { download, .. } = &mut self.state
            && !has_it
        {
            *download = Some(Download { id, batches: Vec::new() });
        }
    }

    fn on_fetch_snapshot_response(&mut self, voter: i32, response: FetchSnapshotResponse, step: &mut RaftStep<'_>) {
        let verdict = self.weigh(response.error, response.current_leader, step);
        let is_gone = matches!(response.error, ErrorCode::SnapshotNotFound | ErrorCode::PositionOutOfRange);
        let State::Follower { download, .. } = &mut self.state else { return };
        if is_gone {
            *download = None;
        } else if verdict == Verdict::Unavailable || verdict == Verdict::Current && !response.error.is_none() {
            return self.pause(voter, step);
        }
        if let Some(partial) = download.as_mut().filter(|partial| partial.id == response.snapshot_id)
            && verdict == Verdict::Current
        {
            partial.batches.extend(response.batches);
            let is_complete = super::snapshot::size_in_bytes(&partial.batches) >= response.size;
            if is_complete {
                self.finish_download(step);
            }
            self.fetch_succeeded(step);
        }
    }

    fn finish_download(&mut self, step: &mut RaftStep<'_>) {
        let State::Follower { download, .. } = &mut self.state else { return };
        let Some(Download { id, batches }) = download.take() else { return };
        self.log.restart_from(MetadataSnapshot { id, batches }, step.effects);
        self.learn_high_watermark(id.offset);
        self.note(ControllerEvent::SnapshotLoaded { end_offset: id.offset }, step.effects);
    }
}
