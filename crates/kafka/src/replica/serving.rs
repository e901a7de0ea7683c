//! How a replica answers readers: fetches, offset look-ups, leader epochs (KIP-320, KIP-595, KIP-207).

use super::context::{Changes, Context};
use super::follower_progress::{FollowerFetch, UNKNOWN_OFFSET};
use super::partition::Partition;
use crate::log::{FoundOffset, LogRead, ReadLimit};
use crate::node::Effects;
use wire::request::{
    FetchPartition, IsolationLevel, ListOffsetsPartition, OffsetForLeaderPartition, OffsetSpec, ReplicaState,
};
use wire::response::{
    AbortedTransaction, EpochEndOffset, FetchPartitionResult, ListOffsetsResult, OffsetForLeaderResult,
};
use wire::{BrokerId, ErrorCode, LeaderEpoch, Offset, Timestamp};

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A follower, up to the log end offset and from the leader only.
    Follower(BrokerId),
    /// A client, up to the high watermark; it may fetch from a follower too.
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
    /// Whether the request must be answered at once whatever `min_bytes` says: an error, a diverging epoch, or another
    /// replica to read from.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        !self.result.error.is_none()
            || self.result.diverging_epoch.is_some()
            || self.result.preferred_read_replica.is_some()
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

/// What one read found, before it becomes an answer.
enum Found {
    Diverging(EpochEndOffset),
    Records(LogRead, Vec<AbortedTransaction>),
}

impl Partition {
    /// Reads for a consumer, or for a follower whose fetch was parked: changes nothing. `limit` is what is left of the
    /// whole request; the partition's own limit is in `request`.
    #[must_use]
    pub fn read(&self, request: &FetchPartition, reader: Reader, limit: ReadLimit) -> FetchRead {
        match self.find(request, reader, limit) {
            Ok(found) => self.answer(found),
            Err(error) => self.refuse(error),
        }
    }

    /// Takes a follower's fetch as it arrives: reads, then notes how far the follower has come, which may move the high
    /// watermark or propose the follower for the in-sync replicas. What is read carries the high watermark from before.
    pub fn on_follower_fetch(
        &mut self,
        request: &FetchPartition,
        follower: ReplicaState,
        limit: ReadLimit,
        context: &Context<'_>,
        effects: &mut Effects,
    ) -> (FetchRead, Changes) {
        let read = self.read(request, Reader::Follower(follower.replica_id), limit);
        if read.is_urgent() {
            return (read, Changes::default());
        }
        let fetch = FollowerFetch {
            log_start_offset: request.log_start_offset,
            fetch_offset: request.fetch_offset,
            leader_log_end_offset: self.log.log_end_offset(),
            time: context.now,
            broker_epoch: follower.replica_epoch,
        };
        match self.update_follower_progress(follower.replica_id, fetch, context, effects) {
            Ok(changes) => (read, changes),
            Err(error) => (self.refuse(error), Changes::default()),
        }
    }

    /// Sends a consumer to another replica instead of reading for it.
    #[must_use]
    pub fn redirect(&self, request: &FetchPartition, replica: BrokerId) -> FetchRead {
        let is_valid = self.check_topic(request).and_then(|()| self.check_leader_epoch(request.current_leader_epoch));
        if let Err(error) = is_valid {
            return self.refuse(error);
        }
        let mut read = self.answer(Found::Records(LogRead::default(), Vec::new()));
        read.result.preferred_read_replica = Some(replica);
        read
    }

    fn answer(&self, found: Found) -> FetchRead {
        let (diverging_epoch, read, aborted_transactions) = match found {
            Found::Diverging(end) => (Some(end), LogRead::default(), Vec::new()),
            Found::Records(read, aborted_transactions) => (None, read, aborted_transactions),
        };
        let result = FetchPartitionResult {
            partition: self.log.partition().clone(),
            error: ErrorCode::None,
            high_watermark: self.log.high_watermark(),
            last_stable_offset: self.log.last_stable_offset(),
            log_start_offset: self.log.log_start_offset(),
            diverging_epoch,
            quorum: None,
            current_leader: None,
            preferred_read_replica: None,
            aborted_transactions,
            batches: read.batches,
        };
        FetchRead { result, size_in_bytes: read.size_in_bytes }
    }

    fn refuse(&self, error: ErrorCode) -> FetchRead {
        let result = FetchPartitionResult::failed(self.log.partition().clone(), error);
        FetchRead { result, size_in_bytes: 0 }
    }

    fn find(&self, request: &FetchPartition, reader: Reader, limit: ReadLimit) -> Result<Found, ErrorCode> {
        self.check_topic(request)?;
        self.check_reader(request.current_leader_epoch, reader)?;
        if let Some(end) = self.diverging_epoch(request)? {
            return Ok(Found::Diverging(end));
        }
        let limit = ReadLimit { max_bytes: limit.max_bytes.min(request.max_bytes), ..limit };
        let read = self.log.read(request.fetch_offset, self.read_bound(reader), limit)?;
        let aborted_transactions = match reader {
            Reader::Consumer(IsolationLevel::ReadCommitted) => {
                self.log.aborted_transactions(request.fetch_offset, &read)
            }
            Reader::Follower(_) | Reader::Consumer(IsolationLevel::ReadUncommitted) => Vec::new(),
        };
        Ok(Found::Records(read, aborted_transactions))
    }

    fn check_topic(&self, request: &FetchPartition) -> Result<(), ErrorCode> {
        let is_another = request.topic_id.is_some_and(|topic_id| topic_id != self.log.topic_id());
        if is_another { Err(ErrorCode::InconsistentTopicId) } else { Ok(()) }
    }

    /// Whether `reader` may read here. A follower that the assignment does not name yet is told to come again.
    fn check_reader(&self, current_leader_epoch: LeaderEpoch, reader: Reader) -> Result<(), ErrorCode> {
        match reader {
            Reader::Consumer(_) => self.check_leader_epoch(current_leader_epoch),
            Reader::Follower(broker) => {
                let is_assigned = self.check_leader(current_leader_epoch)?.follower(broker).is_some();
                match (is_assigned, current_leader_epoch.is_known()) {
                    (true, _) => Ok(()),
                    (false, true) => Err(ErrorCode::UnknownLeaderEpoch),
                    (false, false) => Err(ErrorCode::NotLeaderOrFollower),
                }
            }
        }
    }

    /// An older epoch is fenced, a newer one not known here yet; -1 is not checked, and nothing was before KIP-320.
    fn check_leader_epoch(&self, current_leader_epoch: LeaderEpoch) -> Result<(), ErrorCode> {
        let is_unfenced = self.settings.historical_faults.fetches_are_unfenced() || !current_leader_epoch.is_known();
        match current_leader_epoch.cmp(&self.leader_epoch) {
            _ if is_unfenced => Ok(()),
            std::cmp::Ordering::Less => Err(ErrorCode::FencedLeaderEpoch),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(ErrorCode::UnknownLeaderEpoch),
        }
    }

    fn check_leader(&self, current_leader_epoch: LeaderEpoch) -> Result<&super::leading::Leader, ErrorCode> {
        self.check_leader_epoch(current_leader_epoch)?;
        self.as_leader().ok_or(ErrorCode::NotLeaderOrFollower)
    }

    /// Where the reader's log parts from this one, if it says which epoch its last record has.
    fn diverging_epoch(&self, request: &FetchPartition) -> Result<Option<EpochEndOffset>, ErrorCode> {
        if !request.last_fetched_epoch.is_known() {
            return Ok(None);
        }
        let end = self.log.end_offset_for(request.last_fetched_epoch);
        let is_unknown = !end.leader_epoch.is_known() || end.end_offset == UNKNOWN_OFFSET;
        if is_unknown || request.fetch_offset < self.log.log_start_offset() {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        let is_diverging = end.leader_epoch < request.last_fetched_epoch || end.end_offset < request.fetch_offset;
        Ok(is_diverging.then_some(end))
    }

    fn read_bound(&self, reader: Reader) -> Offset {
        match reader {
            Reader::Follower(_) => self.log.log_end_offset(),
            Reader::Consumer(IsolationLevel::ReadUncommitted) => self.log.high_watermark(),
            Reader::Consumer(IsolationLevel::ReadCommitted) => self.log.last_stable_offset(),
        }
    }

    /// How a parked fetch stands. A consumer beyond the high watermark is not parked.
    #[must_use]
    pub fn parked_fetch(&self, request: &FetchPartition, reader: Reader) -> ParkedFetch {
        let end = self.read_bound(reader);
        let is_readable = self.check_reader(request.current_leader_epoch, reader).is_ok()
            && request.fetch_offset <= end
            && self.diverging_epoch(request) == Ok(None)
            && !self.log.is_on_older_segment(request.fetch_offset, end);
        if !is_readable {
            return ParkedFetch::Complete;
        }
        let bytes = self.log.bytes_between(request.fetch_offset, end);
        ParkedFetch::Available(bytes.min(i64::from(request.max_bytes)))
    }

    /// Answers `ListOffsets`. Replicas see the log up to its end.
    #[must_use]
    pub fn list_offsets(&self, request: &ListOffsetsPartition, reader: Reader) -> ListOffsetsResult {
        let (error, found) = match self.look_up(request, reader) {
            Ok(found) => (ErrorCode::None, found),
            Err(error) => (error, None),
        };
        let nothing = FoundOffset { timestamp: Timestamp(-1), offset: UNKNOWN_OFFSET, leader_epoch: LeaderEpoch::NONE };
        let FoundOffset { timestamp, offset, leader_epoch } = found.unwrap_or(nothing);
        ListOffsetsResult { partition: self.log.partition().clone(), error, timestamp, offset, leader_epoch }
    }

    /// Clients get no offset that could be taken back while a new leader's high watermark lags behind the start of its
    /// epoch (they did before KIP-207); the earliest offset is never in doubt.
    fn look_up(&self, request: &ListOffsetsPartition, reader: Reader) -> Result<Option<FoundOffset>, ErrorCode> {
        let epoch_start_offset = self.check_leader(request.current_leader_epoch)?.epoch_start_offset;
        let last_fetchable = self.read_bound(reader);
        let is_lagging =
            epoch_start_offset > self.log.high_watermark() && !self.settings.historical_faults.end_offsets_in_doubt;
        let availability = match reader {
            Reader::Consumer(_) if is_lagging => Err(ErrorCode::OffsetNotAvailable),
            Reader::Consumer(_) | Reader::Follower(_) => Ok(()),
        };
        match request.spec {
            OffsetSpec::Earliest | OffsetSpec::EarliestLocal | OffsetSpec::LatestTiered => {
                Ok(self.log.find_offset(request.spec))
            }
            OffsetSpec::Latest => availability.map(|()| {
                let leader_epoch = self.leader_epoch;
                Some(FoundOffset { timestamp: Timestamp(-1), offset: last_fetchable, leader_epoch })
            }),
            OffsetSpec::MaxTimestamp | OffsetSpec::At(_) => {
                let found = self.log.find_offset(request.spec).filter(|found| found.offset < last_fetchable);
                if found.is_some() { Ok(found) } else { availability.map(|()| None) }
            }
        }
    }

    /// Answers `OffsetForLeaderEpoch`.
    #[must_use]
    pub fn offset_for_leader_epoch(&self, request: &OffsetForLeaderPartition) -> OffsetForLeaderResult {
        let (error, end) = match self.find_end(request) {
            Ok(end) => (ErrorCode::None, end),
            Err(error) => (error, EpochEndOffset { leader_epoch: LeaderEpoch::NONE, end_offset: UNKNOWN_OFFSET }),
        };
        OffsetForLeaderResult { partition: self.log.partition().clone(), error, end }
    }

    /// Consumers could not ask before KIP-320.
    fn find_end(&self, request: &OffsetForLeaderPartition) -> Result<EpochEndOffset, ErrorCode> {
        if self.settings.historical_faults.fetches_are_unfenced() {
            return Err(ErrorCode::UnsupportedVersion);
        }
        self.check_leader(request.current_leader_epoch)?;
        Ok(self.log.end_offset_for(request.leader_epoch))
    }
}
