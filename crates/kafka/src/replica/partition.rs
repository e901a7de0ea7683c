//! `kafka.cluster.Partition`: what a broker does with one replica, whichever role it has.

use crate::config::{BrokerConfig, TopicConfig};
use crate::instant::{Duration, Instant, WallClock};
use crate::log::{AppendError, AppendInfo, PartitionLog, ReadLimit};
use crate::metadata::{ClusterImage, PartitionRegistration};
use crate::node::Effects;
use crate::storage::StoredLog;
use crate::view::ReplicaView;
use std::sync::Arc;
use wire::request::{
    Acks, AlterPartitionData, FetchPartition, IsolationLevel, ListOffsetsPartition, OffsetForLeaderPartition,
    ReplicaState,
};
use wire::response::{AlterPartitionResult, FetchPartitionResult, ListOffsetsResult, OffsetForLeaderResult};
use wire::{
    BrokerEpoch, BrokerId, ErrorCode, LeaderEpoch, Offset, PartitionEpoch, RecordBatch, TopicId, TopicPartition,
};

/// What all replicas of one broker share: its id and what its properties say about replication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaSettings {
    /// The broker's `node.id`.
    pub broker_id: BrokerId,
    /// `replica.lag.time.max.ms`.
    pub replica_lag_time_max: Duration,
    /// `replica.fetch.backoff.ms`.
    pub replica_fetch_backoff: Duration,
    /// `replica.fetch.max.bytes`, for one partition.
    pub replica_fetch_max_bytes: i32,
}

impl ReplicaSettings {
    /// What `config` says for the replicas of `broker_id`.
    #[must_use]
    pub fn new(broker_id: BrokerId, config: &BrokerConfig) -> ReplicaSettings {
        ReplicaSettings {
            broker_id,
            replica_lag_time_max: Duration::from_ms(config.replica_lag_time_max_ms),
            replica_fetch_backoff: Duration::from_ms(config.replica_fetch_backoff_ms),
            replica_fetch_max_bytes: config.replica_fetch_max_bytes,
        }
    }
}

/// The world around a replica in one step.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time.
    pub now: Instant,
    /// The broker's wall clock.
    pub wall_clock: WallClock,
    /// The broker's own registration.
    pub broker_epoch: BrokerEpoch,
    /// The cluster as the broker knows it: who may join the in-sync replicas.
    pub image: &'a ClusterImage,
}

/// What a call changed in a replica, so that the broker knows what to look at again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The replica leads or follows in a newer leader epoch: look at all parked requests of the partition, and at whom
    /// to fetch from.
    pub leadership: bool,
    /// The log end offset moved: look at parked fetches (of followers).
    pub log_end_offset: bool,
    /// The high watermark moved: look at parked fetches and parked produce requests.
    pub high_watermark: bool,
    /// There is a new proposal for the in-sync replicas: send [`Partition::proposed_isr`] to the controller.
    pub isr_proposed: bool,
}

/// A producer's batch was appended by the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Where. The request is complete once the high watermark reaches one above the last offset (`acks=all`).
    pub info: AppendInfo,
    /// What changed.
    pub changes: Changes,
}

/// How a produce request with `acks=all` stands in this partition (`checkEnoughReplicasReachOffset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkedProduce {
    /// Not yet replicated.
    Waiting,
    /// Replicated to enough in-sync replicas.
    Replicated,
    /// Over: `NOT_ENOUGH_REPLICAS_AFTER_APPEND` or `NOT_LEADER_OR_FOLLOWER`.
    Failed(ErrorCode),
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A follower, up to the log end offset and from the leader only.
    Follower(BrokerId),
    /// A client, up to the high watermark.
    Consumer(IsolationLevel),
}

/// What was read of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRead {
    /// The answer, but for `current_leader`, which the broker adds.
    pub result: FetchPartitionResult,
    /// Bytes of its batches.
    pub size_in_bytes: i32,
}

impl FetchRead {
    /// Whether the request must be answered at once whatever `min_bytes` says: an error or a diverging epoch.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        !self.result.error.is_none() || self.result.diverging_epoch.is_some()
    }
}

/// How a parked fetch stands in this partition (`DelayedFetch.tryComplete`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkedFetch {
    /// The request must be answered now: an error, a truncated log, a diverging epoch.
    Complete,
    /// So many bytes could be read; the request is complete when all partitions together have `min_bytes`.
    Available(i64),
}

/// What a follower asks its leader next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowerRequest {
    /// This partition's part of the next `FetchRequest`.
    Fetch(FetchPartition),
    /// The fetch offset was out of range: first ask this with `ListOffsetsRequest` (with our broker as `replica_id`).
    ListOffsets(ListOffsetsPartition),
}

/// What became of a proposal for the in-sync replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlterPartitionOutcome {
    /// The answer is for a proposal that does not stand any more.
    Ignored,
    /// The in-sync replicas are as the controller says.
    Committed,
    /// The controller refused; the committed in-sync replicas hold.
    Reverted,
    /// The proposal stands until metadata says more.
    AwaitingMetadata,
    /// Send the same proposal again.
    Resend,
}

/// One replica on this broker.
#[derive(Clone, Debug)]
pub struct Partition {}

impl Partition {
    /// A new replica with an empty log; it has no role until [`Partition::apply_metadata`].
    #[must_use]
    pub fn create(
        _partition: TopicPartition,
        _topic_id: TopicId,
        _config: Arc<TopicConfig>,
        _settings: ReplicaSettings,
        _effects: &mut Effects,
    ) -> Partition {
        todo!()
    }

    /// A replica whose log is on the disk; it has no role until [`Partition::apply_metadata`].
    #[must_use]
    pub fn load(
        _partition: TopicPartition,
        _stored: &StoredLog,
        _config: Arc<TopicConfig>,
        _settings: ReplicaSettings,
    ) -> Partition {
        todo!()
    }

    /// Deletes the replica's log.
    pub fn delete(self, _effects: &mut Effects) {
        todo!()
    }

    /// The topic's configuration changed.
    pub fn set_config(&mut self, _config: Arc<TopicConfig>) {
        todo!()
    }

    /// Takes the partition's state as metadata has it: leads if this broker is the leader, else follows
    /// (`makeLeader`, `makeFollower`). An older partition epoch than the known one is ignored.
    pub fn apply_metadata(
        &mut self,
        _state: &PartitionRegistration,
        _context: &Context<'_>,
        _effects: &mut Effects,
    ) -> Changes {
        todo!()
    }

    /// The replica's log.
    #[must_use]
    pub fn log(&self) -> &PartitionLog {
        todo!()
    }

    /// Whether this broker leads.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        todo!()
    }

    /// The leader, this broker or another, if there is one.
    #[must_use]
    pub fn leader(&self) -> Option<BrokerId> {
        todo!()
    }

    /// The epoch in which it leads or follows; `NONE` before any metadata.
    #[must_use]
    pub fn leader_epoch(&self) -> LeaderEpoch {
        todo!()
    }

    /// The epoch of the partition's state.
    #[must_use]
    pub fn partition_epoch(&self) -> PartitionEpoch {
        todo!()
    }

    /// What an onlooker may see.
    #[must_use]
    pub fn view(&self) -> ReplicaView {
        todo!()
    }

    // The leader's side.

    /// Appends a producer's batch (`appendRecordsToLeader`); notes `RecordsAppended` or `ProduceRejected`.
    ///
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER`, `NOT_ENOUGH_REPLICAS`, or what is wrong with the batch. Nothing was appended then.
    pub fn append(
        &mut self,
        _batch: &RecordBatch,
        _acks: Acks,
        _context: &Context<'_>,
        _effects: &mut Effects,
    ) -> Result<Appended, AppendError> {
        todo!()
    }

    /// How a produce request with `acks=all` stands whose last record in this partition is just below
    /// `required_offset`.
    #[must_use]
    pub fn parked_produce(&self, _required_offset: Offset) -> ParkedProduce {
        todo!()
    }

    /// Reads for a consumer, or for a follower whose fetch was parked: changes nothing.
    #[must_use]
    pub fn read(&self, _request: &FetchPartition, _reader: Reader, _limit: ReadLimit) -> FetchRead {
        todo!()
    }

    /// Takes a follower's fetch as it arrives: reads, then notes how far the follower has come, which may move the high
    /// watermark or propose the follower for the in-sync replicas. What is read carries the high watermark from before.
    pub fn on_follower_fetch(
        &mut self,
        _request: &FetchPartition,
        _follower: ReplicaState,
        _limit: ReadLimit,
        _context: &Context<'_>,
        _effects: &mut Effects,
    ) -> (FetchRead, Changes) {
        todo!()
    }

    /// How a parked fetch stands.
    #[must_use]
    pub fn parked_fetch(&self, _request: &FetchPartition, _reader: Reader) -> ParkedFetch {
        todo!()
    }

    /// Answers `ListOffsets`.
    #[must_use]
    pub fn list_offsets(&self, _request: &ListOffsetsPartition, _reader: Reader) -> ListOffsetsResult {
        todo!()
    }

    /// Answers `OffsetForLeaderEpoch`.
    #[must_use]
    pub fn offset_for_leader_epoch(&self, _request: &OffsetForLeaderPartition) -> OffsetForLeaderResult {
        todo!()
    }

    /// Proposes to drop followers that have not caught up for `replica.lag.time.max.ms`. To be called every half of that.
    pub fn maybe_shrink_isr(&mut self, _context: &Context<'_>, _effects: &mut Effects) -> Changes {
        todo!()
    }

    /// The proposal under way, as it is sent to the controller.
    #[must_use]
    pub fn proposed_isr(&self) -> Option<AlterPartitionData> {
        todo!()
    }

    /// Takes the controller's answer to `sent`. An error of the whole request is not passed here: the broker sends the
    /// proposals that still stand again.
    pub fn on_alter_partition_result(
        &mut self,
        _sent: &AlterPartitionData,
        _result: &AlterPartitionResult,
        _context: &Context<'_>,
        _effects: &mut Effects,
    ) -> (AlterPartitionOutcome, Changes) {
        todo!()
    }

    // The follower's side.

    /// What to ask the leader now; `None` while there is none, while it leads, has failed or backs off.
    #[must_use]
    pub fn next_request(&self, _now: Instant) -> Option<FollowerRequest> {
        todo!()
    }

    /// When the follower may ask again, if it backs off.
    #[must_use]
    pub fn backs_off_until(&self) -> Option<Instant> {
        todo!()
    }

    /// Takes the leader's answer to a fetch: appends, truncates, or backs off. Ignored if the follower has moved on
    /// since.
    pub fn on_fetch_result(
        &mut self,
        _sent: &FetchPartition,
        _result: &FetchPartitionResult,
        _context: &Context<'_>,
        _effects: &mut Effects,
    ) -> Changes {
        todo!()
    }

    /// Takes the leader's answer to [`FollowerRequest::ListOffsets`].
    pub fn on_list_offsets_result(
        &mut self,
        _sent: &ListOffsetsPartition,
        _result: &ListOffsetsResult,
        _context: &Context<'_>,
        _effects: &mut Effects,
    ) -> Changes {
        todo!()
    }

    /// The request to the leader came to nothing (disconnected, timed out): backs off. To be called only while the replica
    /// still follows the leader and epoch that it was sent to.
    pub fn on_request_failed(&mut self, _now: Instant) {
        todo!()
    }

    /// Fetches no more until a newer leader epoch (controlled shutdown).
    pub fn stop_fetching(&mut self) {
        todo!()
    }
}
