//! What happened, in the past tense: the events that nodes note and the trace keeps.

mod administration;
mod zookeeper_shell;

pub use administration::{ClearedThrottles, ConfigsOutcome, Objection, ReassignOutcome, ReassignmentProgress};
pub use zookeeper_shell::{ConnectionEnd, ZooKeeperFound, ZooKeeperTold};

use crate::fault::{DiskCondition, LinkChange, Links};
use crate::node::{ExitStatus, NodeId};
use std::sync::Arc;
use wire::request::{Acks, ConfigResource, ElectionType};
use wire::response::{
    ApiVersion, DescribeQuorumResponse, DescribedLogDir, DescribedTopic, FinalizedFeature, MetadataBroker,
    OngoingReassignment, PartitionResult, SupportedFeature,
};
use wire::zookeeper::{SessionId, ZnodePath};
use wire::{
    BrokerEpoch, BrokerId, Endpoint, ErrorCode, LeaderEpoch, Offset, PartitionEpoch, RecordBatch, SharedRecord,
    Timestamp, TimestampType, TopicId, TopicName, TopicPartition,
};

/// One thing that happened at one node (the trace adds when, where and why).
#[derive(Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The user did something to a process.
    Operator(OperatorEvent),
    /// Something happened in the controller.
    Controller(ControllerEvent),
    /// Something happened in a broker.
    Broker(BrokerEvent),
    /// Something happened in ZooKeeper, or to a broker's office as controller.
    ZooKeeper(ZooKeeperEvent),
    /// Something happened in a client program.
    Client(ClientEvent),
}

impl Clone for EventKind {
    /// A large function, and with `derive` every crate would have its own.
    fn clone(&self) -> EventKind {
        match self {
            EventKind::Operator(event) => EventKind::Operator(event.clone()),
            EventKind::Controller(event) => EventKind::Controller(event.clone()),
            EventKind::Broker(event) => EventKind::Broker(event.clone()),
            EventKind::ZooKeeper(event) => EventKind::ZooKeeper(event.clone()),
            EventKind::Client(event) => EventKind::Client(event.clone()),
        }
    }
}

/// What the user did, or what a process did to itself by ending.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OperatorEvent {
    /// A broker or a controller was started.
    ProcessStarted,
    /// A client program was started; it has a name even after it has ended.
    ClientStarted {
        /// Its `client.id`.
        client_id: String,
    },
    /// A process got SIGKILL.
    ProcessKilled,
    /// A process was asked to shut down (SIGTERM).
    ShutdownRequested,
    /// A process was frozen (SIGSTOP).
    ProcessFrozen,
    /// A frozen process goes on (SIGCONT).
    ProcessThawed,
    /// A host lost its power, and what its disk had not yet flushed.
    PowerLost,
    /// A disk was made slow, full or sound.
    DiskChanged {
        /// How it is now.
        condition: DiskCondition,
    },
    /// A write found no room on the disk.
    DiskWriteFailed,
    /// A host's clock was set.
    ClockSet {
        /// How far ahead of the world's time it is now; behind, if negative.
        offset_ms: i64,
    },
    /// Something was done to links.
    LinksChanged {
        /// Which.
        links: Links,
        /// What.
        change: LinkChange,
    },
    /// A server was added to the running cluster's hosts.
    ServerAdded,
    /// A server was taken away with its disk.
    ServerRemoved,
    /// A process ended of itself.
    ProcessExited {
        /// Its exit status.
        status: ExitStatus,
    },
}

/// Why a partition's state changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeReason {
    /// A broker's session ran out or it registered anew.
    BrokerFenced,
    /// A broker came back.
    BrokerUnfenced,
    /// A broker is shutting down.
    ControlledShutdown,
    /// The leader proposed it (AlterPartition).
    AlterPartition,
    /// The preferred replica takes over again (`auto.leader.rebalance.enable`).
    LeaderRebalance,
    /// A partition without leader gets one from outside its in-sync replicas (`unclean.leader.election.enable`).
    UncleanElection,
    /// Somebody asked for an election (`kafka-leader-election`).
    ElectionByCommand,
    /// Somebody moves replicas (`kafka-reassign-partitions`).
    Reassignment,
    /// A broker was forgotten (`kafka-cluster unregister`).
    BrokerUnregistered,
}

/// Events of the controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ControllerEvent {
    /// This controller became the active one.
    BecameActive {
        /// The quorum epoch.
        epoch: LeaderEpoch,
    },
    /// This controller is not the active one any more. What was not committed is undone.
    NoLongerActive {
        /// The epoch in which it was.
        epoch: LeaderEpoch,
    },
    /// A voter stands for election.
    BecameCandidate {
        /// The new epoch.
        epoch: LeaderEpoch,
    },
    /// A voter gave its vote.
    VoteGranted {
        /// To whom.
        candidate: i32,
        /// The candidate's epoch.
        epoch: LeaderEpoch,
    },
    /// A voter refused its vote.
    VoteRejected {
        /// To whom.
        candidate: i32,
        /// The candidate's epoch.
        epoch: LeaderEpoch,
    },
    /// A candidate got the votes of a majority and leads the quorum.
    WonElection {
        /// Its epoch.
        epoch: LeaderEpoch,
        /// Who voted for it, itself among them.
        granted_by: Vec<i32>,
    },
    /// A candidate did not get the votes of a majority. It waits, and tries again.
    LostElection {
        /// Its epoch.
        epoch: LeaderEpoch,
    },
    /// The quorum's leader gave its epoch up.
    LeaderResigned {
        /// Its epoch.
        epoch: LeaderEpoch,
    },
    /// A voter follows a new leader of the quorum.
    FollowsQuorumLeader {
        /// The leader.
        leader: i32,
        /// Its epoch.
        epoch: LeaderEpoch,
    },
    /// The metadata log was cut where it parted from the leader's. What is gone was never committed.
    MetadataLogTruncated {
        /// Where it ended before.
        from: Offset,
        /// Where it ends now.
        to: Offset,
    },
    /// A snapshot of the metadata log was written.
    SnapshotWritten {
        /// It stands for all records below this offset.
        end_offset: Offset,
    },
    /// A snapshot of the metadata log was fetched from the leader and loaded.
    SnapshotLoaded {
        /// It stands for all records below this offset.
        end_offset: Offset,
    },
    /// A broker process registered.
    BrokerRegistered {
        /// The broker.
        broker: BrokerId,
        /// The new epoch.
        broker_epoch: BrokerEpoch,
    },
    /// A broker may serve.
    BrokerUnfenced {
        /// The broker.
        broker: BrokerId,
    },
    /// A broker may not serve any more: its session ran out, or it shut down.
    BrokerFenced {
        /// The broker.
        broker: BrokerId,
    },
    /// A broker began its controlled shutdown.
    ControlledShutdownStarted {
        /// The broker.
        broker: BrokerId,
    },
    /// A topic was made.
    TopicCreated {
        /// The topic.
        topic: TopicName,
        /// Its id.
        topic_id: TopicId,
        /// How many partitions it has.
        partitions: i32,
    },
    /// Partitions were added.
    PartitionsAdded {
        /// The topic.
        topic: TopicName,
        /// How many it has now.
        partitions: i32,
    },
    /// A topic was removed.
    TopicDeleted {
        /// The topic.
        topic: TopicName,
    },
    /// A partition got a leader, at its creation or by election.
    LeaderElected {
        /// The partition.
        partition: TopicPartition,
        /// The leader.
        leader: BrokerId,
        /// The one before it.
        previous_leader: Option<BrokerId>,
        /// The new epoch.
        leader_epoch: LeaderEpoch,
        /// The in-sync replicas.
        isr: Vec<BrokerId>,
        /// The leader was not in sync: what it lacks is lost.
        is_unclean: bool,
        /// Why; `None` at creation.
        reason: Option<ChangeReason>,
    },
    /// A partition lost its leader and no in-sync replica can take over.
    PartitionWentOffline {
        /// The partition.
        partition: TopicPartition,
        /// The new epoch.
        leader_epoch: LeaderEpoch,
        /// The in-sync replicas, kept.
        isr: Vec<BrokerId>,
        /// Why.
        reason: ChangeReason,
    },
    /// The in-sync replicas changed.
    IsrChanged {
        /// The partition.
        partition: TopicPartition,
        /// Before.
        from: Vec<BrokerId>,
        /// After.
        to: Vec<BrokerId>,
        /// The epoch of this state.
        partition_epoch: PartitionEpoch,
        /// Why.
        reason: ChangeReason,
    },
    /// Replicas that are not in sync may lead, or may not any more (KIP-966).
    EligibleLeadersChanged {
        /// The partition.
        partition: TopicPartition,
        /// Before.
        from: Vec<BrokerId>,
        /// After.
        to: Vec<BrokerId>,
    },
    /// Replicas are being moved.
    ReassignmentStarted {
        /// The partition.
        partition: TopicPartition,
        /// Replicas that come.
        adding: Vec<BrokerId>,
        /// Replicas that go.
        removing: Vec<BrokerId>,
    },
    /// Replicas have been moved.
    ReassignmentCompleted {
        /// The partition.
        partition: TopicPartition,
        /// Where they are now.
        replicas: Vec<BrokerId>,
    },
    /// Replicas stay where they were.
    ReassignmentCancelled {
        /// The partition.
        partition: TopicPartition,
        /// Where they are.
        replicas: Vec<BrokerId>,
    },
    /// A configuration of a topic or a broker changed.
    ConfigChanged {
        /// The topic or the broker.
        resource: ConfigResource,
        /// The configuration.
        key: String,
        /// Its value; `None` is the default again.
        value: Option<String>,
    },
    /// The cluster agreed on another level of a feature.
    FeatureLevelChanged {
        /// The feature.
        feature: &'static str,
        /// Its level.
        level: i16,
    },
    /// A broker was forgotten.
    BrokerUnregistered {
        /// The broker.
        broker: BrokerId,
    },
    /// A leader's proposal was refused.
    AlterPartitionRejected {
        /// The partition.
        partition: TopicPartition,
        /// The leader that asked.
        broker: BrokerId,
        /// The error.
        error: ErrorCode,
    },
}

/// Why a log was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TruncationReason {
    /// The leader's log parts from it there (KIP-595).
    DivergingEpoch,
    /// Nothing above its high watermark is to be trusted: its log knows no epochs, or it follows as before KIP-101.
    HighWatermark,
    /// Its log end offset lies above the leader's, or the leader's log starts above it.
    OffsetOutOfRange,
}

/// Why old segments of a log were deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeletionReason {
    /// They lie below the log start offset.
    LogStartOffset,
    /// The log was larger than `retention.bytes`.
    Size {
        /// `retention.bytes`.
        retention_bytes: i64,
    },
    /// Their records were older than `retention.ms`.
    Time {
        /// `retention.ms`.
        retention_ms: i64,
    },
}

/// Events of brokers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BrokerEvent {
    /// The controller accepted the registration.
    Registered {
        /// The broker's epoch.
        broker_epoch: BrokerEpoch,
    },
    /// The broker serves clients.
    BecameReady,
    /// The broker was fenced while it ran.
    BecameFenced,
    /// Controlled shutdown began.
    ControlledShutdownStarted,
    /// Controlled shutdown is complete; the process exits.
    ControlledShutdownCompleted,
    /// The controller did not let the broker go in as many attempts as it has; the process exits all the same.
    ControlledShutdownFailed,
    /// ZooKeeper has ended the broker's session: its registration is gone.
    SessionExpired,
    /// The broker's znode still belongs to the session of an earlier run: the process cannot start.
    RegistrationRefused,
    /// A request of a ZooKeeper-mode controller was refused: another one has replaced it, or it was meant for an earlier
    /// run of this broker.
    ControllerFenced {
        /// Who sent it.
        controller: BrokerId,
        /// In which epoch.
        controller_epoch: i32,
        /// `STALE_CONTROLLER_EPOCH` or `STALE_BROKER_EPOCH`.
        error: ErrorCode,
    },
    /// The broker leads a partition.
    BecameLeader {
        /// The partition.
        partition: TopicPartition,
        /// In which epoch.
        leader_epoch: LeaderEpoch,
        /// Where its log ended then.
        log_end_offset: Offset,
    },
    /// The broker follows a partition's leader.
    BecameFollower {
        /// The partition.
        partition: TopicPartition,
        /// Whom it follows; nobody while there is no leader.
        leader: Option<BrokerId>,
        /// In which epoch.
        leader_epoch: LeaderEpoch,
        /// Where its log ended then.
        log_end_offset: Offset,
    },
    /// The leader appended a producer's batch.
    RecordsAppended {
        /// The partition.
        partition: TopicPartition,
        /// Offset of the first record.
        first_offset: Offset,
        /// Offset of the last record.
        last_offset: Offset,
    },
    /// A follower appended what it fetched.
    RecordsReplicated {
        /// The partition.
        partition: TopicPartition,
        /// Offset of the first record.
        first_offset: Offset,
        /// Offset of the last record.
        last_offset: Offset,
    },
    /// The leader found that it has a producer's batch already, and appended nothing.
    DuplicateFound {
        /// The partition.
        partition: TopicPartition,
        /// Offset of the first record, from the first time.
        first_offset: Offset,
        /// Offset of the last record.
        last_offset: Offset,
    },
    /// A power loss had left half a batch behind the end of a log; it was cut off when the log was recovered.
    TornBatchCut {
        /// The partition.
        partition: TopicPartition,
        /// Where the log ends.
        log_end_offset: Offset,
        /// Bytes that were cut off.
        torn_bytes: i32,
    },
    /// A replica's high watermark rose.
    HighWatermarkAdvanced {
        /// The partition.
        partition: TopicPartition,
        /// Before.
        from: Offset,
        /// After.
        to: Offset,
    },
    /// A log was cut.
    LogTruncated {
        /// The partition.
        partition: TopicPartition,
        /// Where it ended before.
        from: Offset,
        /// Where it ends now.
        to: Offset,
        /// Why.
        reason: TruncationReason,
    },
    /// The oldest segments of a log were deleted.
    SegmentsDeleted {
        /// The partition.
        partition: TopicPartition,
        /// How many.
        segments: u32,
        /// Where the log starts now.
        log_start_offset: Offset,
        /// Why.
        reason: DeletionReason,
    },
    /// A log was compacted.
    LogCompacted {
        /// The partition.
        partition: TopicPartition,
        /// From where on it had not been compacted before.
        from: Offset,
        /// Up to where it is now.
        to: Offset,
        /// How many records were read, and how many of them are left.
        records: (u64, u64),
        /// How many bytes were read, and how many are left.
        bytes: (u64, u64),
    },
    /// The leader deleted the oldest records of a partition, as it was asked to (KIP-107).
    RecordsDeleted {
        /// The partition.
        partition: TopicPartition,
        /// Where its log started before.
        from: Offset,
        /// Where it starts now.
        to: Offset,
    },
    /// The leader proposes other in-sync replicas.
    IsrChangeProposed {
        /// The partition.
        partition: TopicPartition,
        /// The committed ones.
        from: Vec<BrokerId>,
        /// The proposal.
        to: Vec<BrokerId>,
    },
    /// The leader sent a consumer to a replica in the consumer's rack (KIP-392).
    PreferredReadReplicaChosen {
        /// The partition.
        partition: TopicPartition,
        /// Who is to be read from.
        replica: BrokerId,
        /// The consumer's rack.
        rack: String,
    },
    /// A reader's fetch session gave way to another one (KIP-227).
    FetchSessionEvicted {
        /// The session.
        session_id: i32,
        /// How many partitions it held.
        partitions: u64,
    },
    /// The leader refused or gave up on a producer's batch.
    ProduceRejected {
        /// The partition.
        partition: TopicPartition,
        /// The error.
        error: ErrorCode,
    },
}

/// Events of the ZooKeeper ensemble, and of brokers that are or were the controller by its grace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ZooKeeperEvent {
    /// A session began.
    SessionCreated {
        /// Which.
        session: SessionId,
        /// Whose.
        client: NodeId,
        /// The timeout agreed on.
        timeout_ms: i32,
    },
    /// A client ended its session.
    SessionClosed {
        /// Which.
        session: SessionId,
        /// The znodes that vanished with it.
        ephemerals: Vec<ZnodePath>,
    },
    /// Nothing was heard of a session for its timeout.
    SessionExpired {
        /// Which.
        session: SessionId,
        /// The znodes that vanished with it.
        ephemerals: Vec<ZnodePath>,
    },
    /// This broker became the controller.
    ControllerElected {
        /// Its epoch.
        controller_epoch: i32,
    },
    /// This broker is no longer the controller.
    ControllerResigned {
        /// The epoch that it had.
        controller_epoch: i32,
    },
}

/// Events of client programs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClientEvent {
    /// A producer got the answer that a batch is stored as its `acks` demanded.
    BatchAcknowledged {
        /// The partition.
        partition: TopicPartition,
        /// Offset of the first record.
        first_offset: Offset,
        /// Offset of the last record.
        last_offset: Offset,
        /// What the producer had asked for.
        acks: Acks,
        /// The records, as they were sent.
        batch: Arc<RecordBatch>,
    },
    /// A producer gave a record up.
    RecordFailed {
        /// The topic.
        topic: TopicName,
        /// Bytes of the key, if there was one.
        key_bytes: Option<u64>,
        /// Bytes of the value, if there was one.
        value_bytes: Option<u64>,
        /// Why.
        failure: SendFailure,
    },
    /// A consumer handed a record to its program.
    RecordConsumed {
        /// The partition.
        partition: TopicPartition,
        /// The offset.
        offset: Offset,
        /// The timestamp as it reads.
        timestamp: Timestamp,
        /// Whose clock that is from.
        timestamp_type: TimestampType,
        /// The record.
        record: SharedRecord,
    },
    /// A consumer's place in a partition was set: at the start, after an offset out of range, or after truncation.
    PositionReset {
        /// The partition.
        partition: TopicPartition,
        /// From where it reads now.
        offset: Offset,
    },
    /// A client learnt of another leader.
    LeaderDiscovered {
        /// The partition.
        partition: TopicPartition,
        /// The leader.
        leader: BrokerId,
        /// Its epoch.
        leader_epoch: LeaderEpoch,
    },
    /// A client wrote to its log.
    Logged(ClientLog),
    /// A consumer program stopped: no record came for `--timeout-ms`.
    ConsumerTimedOut,
    /// A consumer program ended.
    ConsumerFinished {
        /// How many records it had handed over.
        messages: u64,
    },
    /// A consumer program met an error that it cannot handle.
    ConsumerFailed {
        /// The exception's class, for example `org.apache.kafka.common.errors.InvalidTopicException`.
        exception: String,
        /// Its message.
        message: String,
    },
    /// `kafka-topics --create` is done.
    TopicCreated(TopicName),
    /// `kafka-topics --list` is done: the names, sorted.
    TopicsListed(Vec<TopicName>),
    /// `kafka-topics --describe` is done.
    TopicsDescribed(Vec<TopicDescription>),
    /// Another administrative tool is done.
    AdminAnswered(Box<AdminAnswer>),
    /// An administrative tool failed.
    AdminFailed(AdminFailure),
}

/// A topic as `kafka-topics --describe` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TopicDescription {
    /// The topic and its partitions.
    pub topic: DescribedTopic,
    /// Configurations that are not Kafka's defaults, in the order in which the tool prints them.
    pub configs: Vec<(String, String)>,
    /// The `min.insync.replicas` in force.
    pub min_insync_replicas: i32,
    /// Reassignments of its partitions that are under way.
    pub reassignments: Vec<OngoingReassignment>,
    /// Brokers that are up, as metadata said: a leader that is not among them counts as unavailable.
    pub live_brokers: Vec<BrokerId>,
}

/// A broker, and what it says that it serves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BrokerApis {
    /// The broker.
    pub broker: MetadataBroker,
    /// The requests; or the exception that came instead of an answer.
    pub apis: Result<&'static [ApiVersion], String>,
}

/// What an administrative tool found out or brought about: one variant for each tool.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AdminAnswer {
    /// `kafka-get-offsets`.
    Offsets {
        /// The offsets, by partition; those without such an offset are left out.
        found: Vec<(TopicPartition, Offset)>,
        /// Partitions that could not be asked about, and why.
        skipped: Vec<(TopicPartition, AdminFailure)>,
    },
    /// `kafka-delete-records`: where each partition starts now, or why it does not.
    RecordsDeleted(Vec<(TopicPartition, Result<Offset, AdminFailure>)>),
    /// `kafka-log-dirs`: each broker's directories.
    LogDirs(Vec<(BrokerId, Vec<DescribedLogDir>)>),
    /// `kafka-broker-api-versions`: each broker, and what it serves.
    ApiVersions(Vec<BrokerApis>),
    /// `zookeeper-shell`.
    ZooKeeper(ZooKeeperTold),
    /// `kafka-cluster cluster-id`.
    ClusterId(String),
    /// `kafka-cluster unregister`.
    BrokerUnregistered(BrokerId),
    /// `kafka-features describe`.
    Features {
        /// What the broker supports.
        supported: Vec<SupportedFeature>,
        /// The levels that the cluster has agreed on.
        finalized: Vec<FinalizedFeature>,
        /// The metadata offset up to which that is known.
        epoch: Option<i64>,
    },
    /// `kafka-features upgrade` and its like: each feature, and why it was not changed if it was not.
    FeaturesUpdated(Vec<(String, Option<AdminFailure>)>),
    /// `kafka-metadata-quorum describe`.
    Quorum {
        /// The cluster's id, if it was asked for.
        cluster_id: Option<String>,
        /// The quorum as its leader sees it.
        quorum: DescribeQuorumResponse,
    },
    /// `kafka-leader-election`.
    LeadersElected {
        /// Which leaders were wanted.
        election_type: ElectionType,
        /// What became of each partition.
        results: Vec<PartitionResult>,
    },
    /// `kafka-reassign-partitions`.
    Reassignment(ReassignOutcome),
    /// `kafka-configs`.
    Configs(ConfigsOutcome),
}

/// Why an administrative tool failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AdminFailure {
    /// No topic matches `--topic`.
    NoSuchTopic(String),
    /// No partition matches what was asked for.
    NoSuchPartition,
    /// No topic has that id.
    NoSuchTopicId(TopicId),
    /// The tool itself cannot go on.
    Objected {
        /// The exception with which it says so.
        objection: Objection,
        /// Its message.
        message: String,
    },
    /// The cluster refused.
    Refused {
        /// The error.
        error: ErrorCode,
        /// The error in Kafka's words.
        message: String,
    },
    /// `kafka-topics --describe` could not list the reassignments, and says so in its own way.
    ReassignmentsUnlisted(Box<AdminFailure>),
    /// No broker answered in time.
    TimedOut {
        /// The call of the admin client, for example `listTopics`.
        call: &'static str,
        /// What went wrong in Kafka's words, for example `Timed out waiting for a node assignment.`
        message: String,
    },
}

/// Why a producer gave a record up, with what its exception's message needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SendFailure {
    /// The broker's last answer was an error that is not to be retried, or retries ran out.
    Error {
        /// The error.
        error: ErrorCode,
        /// The broker's own message, if it sent one.
        message: Option<String>,
    },
    /// `Topic T not present in metadata after N ms.`
    NotInMetadata {
        /// `max.block.ms`.
        after_ms: i64,
        /// The error the cluster last gave for the topic.
        cause: Option<ErrorCode>,
    },
    /// `Partition P of topic T with partition count N is not present in metadata after M ms.`
    PartitionNotInMetadata {
        /// The partition asked for.
        partition: i32,
        /// How many there are.
        partition_count: i32,
        /// `max.block.ms`.
        after_ms: i64,
    },
    /// `Expiring N record(s) for T-P:M ms has passed since batch creation`
    Expired {
        /// The partition.
        partition: TopicPartition,
        /// Records in the batch.
        records: i32,
        /// Age of the batch.
        after_ms: i64,
    },
    /// `The message is N bytes when serialized which is larger than M, …`
    TooLarge {
        /// Size of the record as the producer estimates it.
        bytes: i64,
        /// `max.request.size`.
        max_request_size: i32,
    },
    /// The topic's name is not legal.
    InvalidTopic,
    /// `Failed to allocate N bytes within the configured max blocking time M ms. Total memory: T bytes. Available memory:
    /// A bytes. Poolable size: P bytes` (`org.apache.kafka.clients.producer.BufferExhaustedException`)
    BufferExhausted {
        /// Bytes wanted.
        bytes: i64,
        /// `max.block.ms`.
        after_ms: i64,
        /// `buffer.memory`.
        total_memory: i64,
        /// Bytes of it that are free.
        available_memory: i64,
        /// `batch.size`.
        poolable_size: i32,
    },
}

/// What clients write to their logs, with what the line needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClientLog {
    /// `Connection to node N (…) could not be established. Node may not be available.`
    ConnectionNotEstablished {
        /// -1, -2, … for bootstrap servers, else the broker's id.
        node: i32,
        /// Where it was sought.
        endpoint: Endpoint,
    },
    /// `Bootstrap broker … (id: -1 rack: null) disconnected`
    BootstrapBrokerDisconnected {
        /// -1, -2, …
        node: i32,
        /// Where it was sought.
        endpoint: Endpoint,
    },
    /// `The metadata response from the cluster reported a recoverable issue with correlation id N : {…}`
    MetadataIssue {
        /// Of the metadata request.
        correlation_id: i32,
        /// The topics with their errors.
        topics: Vec<(TopicName, ErrorCode)>,
    },
    /// `Metadata response reported invalid topics […]`
    InvalidTopics(Vec<TopicName>),
    /// `Got error produce response with correlation id N on topic-partition T-P, retrying (M attempts left). Error: E`
    ProduceRetried {
        /// Of the produce request.
        correlation_id: i32,
        /// The partition.
        partition: TopicPartition,
        /// How often it may still try.
        attempts_left: i32,
        /// The error.
        error: ErrorCode,
        /// `Disconnected from node N` and its like.
        message: Option<String>,
    },
    /// `Got error produce response in correlation id N on topic-partition T-P, splitting and retrying (M attempts left).
    /// Error: E`
    ProduceSplit {
        /// Of the produce request.
        correlation_id: i32,
        /// The partition.
        partition: TopicPartition,
        /// How often it may still try; this try does not count.
        attempts_left: i32,
        /// The error.
        error: ErrorCode,
        /// The broker's own message, if it sent one.
        message: Option<String>,
    },
    /// `Received invalid metadata error in produce request on partition T-P due to E. Going to request metadata update now`
    ProduceMetadataError {
        /// The partition.
        partition: TopicPartition,
        /// The error.
        error: ErrorCode,
        /// `Disconnected from node N` and its like.
        message: Option<String>,
    },
    /// `Received unknown topic or partition error in produce request on partition T-P. …`
    ProduceUnknownPartition(TopicPartition),
    /// `Received unknown topic or partition error in fetch for partition T-P`
    FetchUnknownPartition(TopicPartition),
    /// `Received unknown topic ID error in fetch for partition T-P`
    FetchUnknownTopicId(TopicPartition),
    /// `Disconnected from node N due to timeout` and its like.
    DisconnectedByTimeout {
        /// The node.
        node: i32,
    },
    /// A KRaft controller was asked for what only brokers serve.
    NotABroker,
}
