//! The Raft quorum that keeps the metadata log (`org.apache.kafka.raft.KafkaRaftClient`, KIP-595): who leads, in which
//! epoch, what is in the log and how much of it is committed.
//!
//! The rest of the controller asks [`Quorum::is_leader`], appends, and looks at the high watermark; it does not know
//! how those come about. One voter is its own majority: it leads as soon as it has started, and what it appends is
//! committed at once. Votes between several voters are not modelled yet: such a quorum stays without a leader.

use super::metadata_log::MetadataLog;
use crate::metadata::metadata_partition;
use crate::node::Effects;
use crate::storage::{Disk, DiskWrite, QuorumState};
use std::sync::Arc;
use wire::request::FetchPartition;
use wire::response::{CurrentLeader, EpochEndOffset, FetchPartitionResult};
use wire::{BrokerId, Endpoint, ErrorCode, LeaderEpoch, MetadataRecord, Offset, RecordBatch, Timestamp};

/// One voter's part of the quorum.
#[derive(Clone, Debug)]
pub(super) struct Quorum {
    node_id: i32,
    voters: Arc<[(i32, Endpoint)]>,
    role: Role,
    epoch: LeaderEpoch,
    log: MetadataLog,
    /// Unknown until the leader of this epoch has committed something.
    high_watermark: Option<Offset>,
}

/// What the voter is in its epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Knows of no leader.
    Unattached,
    /// Leads. Only what lies above the start of its epoch may move the high watermark.
    Leader { epoch_start_offset: Offset },
}

impl Quorum {
    /// Starts with what is on the disk, in the epoch in which this voter last took part.
    pub(super) fn open(node_id: i32, voters: &[(i32, Endpoint)], disk: &Disk, effects: &mut Effects) -> Quorum {
        let log = MetadataLog::open(disk, effects);
        let epoch = disk.quorum_state.map_or(LeaderEpoch::ZERO, |state| state.leader_epoch).max(log.last_epoch());
        Quorum { node_id, voters: voters.into(), role: Role::Unattached, epoch, log, high_watermark: None }
    }

    /// Becomes a candidate in the next epoch if it may win: a sole voter wins at once.
    pub(super) fn start_election(&mut self, timestamp: Timestamp, effects: &mut Effects) {
        let is_sole_voter = self.voters.iter().all(|(voter, _)| *voter == self.node_id);
        if is_sole_voter {
            self.epoch = self.epoch.next();
            let (leader_epoch, leader_id) = (self.epoch, Some(self.node_id));
            effects.write(DiskWrite::QuorumState(QuorumState { leader_epoch, leader_id, voted_id: None }));
            self.become_leader(timestamp, effects);
        }
    }

    fn become_leader(&mut self, timestamp: Timestamp, effects: &mut Effects) {
        self.role = Role::Leader { epoch_start_offset: self.log.end_offset() };
        let voters = self.voters.iter().map(|(voter, _)| *voter).collect();
        let batch = RecordBatch::of_leader_change(self.node_id, voters, timestamp);
        self.log.append(&batch, self.epoch, effects);
        self.update_high_watermark();
    }

    /// Whether this voter leads, and so is the active controller.
    pub(super) fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader { .. })
    }

    /// The current epoch.
    pub(super) fn epoch(&self) -> LeaderEpoch {
        self.epoch
    }

    /// Below it everything is committed; `None` while that is unknown.
    pub(super) fn high_watermark(&self) -> Option<Offset> {
        self.high_watermark
    }

    /// The log.
    pub(super) fn log(&self) -> &MetadataLog {
        &self.log
    }

    /// Appends records as one batch, which becomes committed as a whole. Only the leader may.
    pub(super) fn append(
        &mut self,
        records: Vec<MetadataRecord>,
        timestamp: Timestamp,
        effects: &mut Effects,
    ) -> Arc<RecordBatch> {
        assert!(self.is_leader(), "only the active controller writes");
        let batch = self.log.append(&RecordBatch::of_metadata(records, timestamp), self.epoch, effects);
        self.update_high_watermark();
        batch
    }

    /// What a majority has is committed; a sole voter is the majority.
    fn update_high_watermark(&mut self) {
        match self.role {
            Role::Leader { epoch_start_offset } if self.log.end_offset() > epoch_start_offset => {
                self.high_watermark = Some(self.log.end_offset());
            }
            Role::Leader { .. } | Role::Unattached => {}
        }
    }

    /// Answers a fetch of the metadata log by a broker.
    pub(super) fn fetch(&self, request: &FetchPartition) -> FetchPartitionResult {
        if request.partition != metadata_partition() {
            return self.result(request, ErrorCode::UnknownTopicOrPartition);
        }
        let error = self.check_fetch(request);
        let mut result = self.result(request, error);
        if error.is_none() {
            result.diverging_epoch = self.divergence(request);
            if result.diverging_epoch.is_none() {
                result.batches = self.log.read(request.fetch_offset, request.max_bytes);
            }
        }
        result
    }

    fn check_fetch(&self, request: &FetchPartition) -> ErrorCode {
        if !self.is_leader() {
            ErrorCode::NotLeaderOrFollower
        } else if request.current_leader_epoch.is_known() && request.current_leader_epoch < self.epoch {
            ErrorCode::FencedLeaderEpoch
        } else if request.current_leader_epoch > self.epoch {
            ErrorCode::UnknownLeaderEpoch
        } else {
            ErrorCode::None
        }
    }

    /// Where the reader's log parts from this one, if it does. An empty log parts from none.
    fn divergence(&self, request: &FetchPartition) -> Option<EpochEndOffset> {
        if request.fetch_offset == Offset::ZERO {
            return None;
        }
        let end = self.log.end_offset_for(request.last_fetched_epoch);
        let is_valid = end.leader_epoch == request.last_fetched_epoch && request.fetch_offset <= end.end_offset;
        (!is_valid).then_some(end)
    }

    fn result(&self, request: &FetchPartition, error: ErrorCode) -> FetchPartitionResult {
        FetchPartitionResult {
            partition: request.partition.clone(),
            error,
            high_watermark: self.high_watermark.unwrap_or(Offset(-1)),
            last_stable_offset: self.high_watermark.unwrap_or(Offset(-1)),
            log_start_offset: Offset::ZERO,
            diverging_epoch: None,
            preferred_read_replica: None,
            quorum: None,
            current_leader: self.current_leader(),
            aborted_transactions: Vec::new(),
            batches: Vec::new(),
        }
    }

    fn current_leader(&self) -> Option<CurrentLeader> {
        let leader = match self.role {
            Role::Leader { .. } => self.node_id,
            Role::Unattached => return None,
        };
        let (_, endpoint) = self.voters.iter().find(|(voter, _)| *voter == leader)?;
        Some(CurrentLeader { leader: BrokerId(leader), leader_epoch: self.epoch, endpoint: endpoint.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{PartitionIndex, TopicName, TopicPartition};

    fn started(voters: &[i32], disk: &Disk) -> (Quorum, Effects) {
        let voters: Vec<(i32, Endpoint)> = voters.iter().map(|id| (*id, Endpoint::new("localhost", 9093))).collect();
        let mut effects = Effects::new();
        let mut quorum = Quorum::open(3000, &voters, disk, &mut effects);
        quorum.start_election(Timestamp(0), &mut effects);
        (quorum, effects)
    }

    fn fetch(offset: i64, last_epoch: i32, leader_epoch: i32) -> FetchPartition {
        FetchPartition {
            partition: metadata_partition(),
            topic_id: None,
            current_leader_epoch: LeaderEpoch(leader_epoch),
            fetch_offset: Offset(offset),
            last_fetched_epoch: LeaderEpoch(last_epoch),
            log_start_offset: Offset(-1),
            max_bytes: i32::MAX,
        }
    }

    #[test]
    fn a_sole_voter_leads_the_next_epoch_at_once() {
        let (quorum, _) = started(&[3000], &Disk::default());
        assert!(quorum.is_leader());
        assert_eq!((quorum.epoch(), quorum.high_watermark()), (LeaderEpoch(1), Some(Offset(1))));
        let (next, _) = started(
            &[3000],
            &Disk {
                quorum_state: Some(QuorumState { leader_epoch: LeaderEpoch(7), leader_id: None, voted_id: None }),
                ..Disk::default()
            },
        );
        assert_eq!(next.epoch(), LeaderEpoch(8));
    }

    #[test]
    fn one_of_several_voters_does_not_lead_by_itself() {
        let (quorum, _) = started(&[3000, 3001, 3002], &Disk::default());
        assert!(!quorum.is_leader());
        assert_eq!(quorum.fetch(&fetch(0, -1, -1)).error, ErrorCode::NotLeaderOrFollower);
    }

    #[test]
    fn what_a_sole_voter_appends_is_committed() {
        let (mut quorum, mut effects) = started(&[3000], &Disk::default());
        let batch = quorum.append(vec![MetadataRecord::NoOp, MetadataRecord::NoOp], Timestamp(0), &mut effects);
        assert_eq!((batch.base_offset, batch.partition_leader_epoch), (Offset(1), LeaderEpoch(1)));
        assert_eq!(quorum.high_watermark(), Some(Offset(3)));
    }

    #[test]
    fn a_fetch_gets_records_a_divergence_or_an_error() {
        let (mut quorum, mut effects) = started(&[3000], &Disk::default());
        quorum.append(vec![MetadataRecord::NoOp], Timestamp(0), &mut effects);
        for (request, error, diverging, batches) in [
            (fetch(0, -1, -1), ErrorCode::None, None, 2),
            (fetch(0, 0, 1), ErrorCode::None, None, 2),
            (fetch(1, 1, 1), ErrorCode::None, None, 1),
            (fetch(2, 1, 1), ErrorCode::None, None, 0),
            (fetch(3, 1, 1), ErrorCode::None, Some((1, 2)), 0),
            (fetch(2, 0, 1), ErrorCode::None, Some((0, 0)), 0),
            (fetch(2, 1, 0), ErrorCode::FencedLeaderEpoch, None, 0),
            (fetch(2, 1, 2), ErrorCode::UnknownLeaderEpoch, None, 0),
        ] {
            let result = quorum.fetch(&request);
            let diverging_epoch = result.diverging_epoch.map(|end| (end.leader_epoch.0, end.end_offset.0));
            assert_eq!(
                (result.error, diverging_epoch, result.batches.len()),
                (error, diverging, batches),
                "{request:?}"
            );
        }
        let other = TopicPartition::new(TopicName::new("t"), PartitionIndex(0));
        let result = quorum.fetch(&FetchPartition { partition: other, ..fetch(0, -1, -1) });
        assert_eq!(result.error, ErrorCode::UnknownTopicOrPartition);
    }
}
