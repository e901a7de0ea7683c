//! What is checked, by name, and what was found broken, as typed data.

use crate::trace::EventId;
use kafka::instant::Instant;
use kafka::node::NodeId;
use wire::{BrokerId, LeaderEpoch, Offset, TopicPartition};

/// A family of things that must hold at every event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Checker {
    /// Where two logs have the same epoch at the same offset, they are the same up to there; below both high watermarks
    /// they are the same anyhow.
    LogMatching,
    /// Whoever believes to lead: its own in-sync replicas have what it has committed.
    WeakIsr,
    /// The controller's in-sync replicas have what any leader has committed.
    StrongIsr,
    /// A leader proposes in time to go on without a replica that lags.
    LaggardsLeave,
    /// A leader waits for at least those that the controller holds in sync or eligible.
    QuorumSuperset,
    /// An elected leader has everything that was committed before.
    LeaderCompleteness,
    /// A record acknowledged to all in-sync replicas is never lost.
    AcknowledgedRecords,
    /// What a consumer has read is what the leader has there.
    ConsistentRead,
    /// Leader, in-sync replicas and eligible replicas of a partition fit together.
    IsrStructure,
    /// Compaction keeps the last record of each key at its offset and no other, and stays below the last stable offset and
    /// the active segment.
    Compaction,
    /// Epochs never fall, nor do a leader's high watermark, last stable offset and log start within one leadership.
    MonotoneNumbers,
    /// Log start, last stable offset, high watermark and log end stand in this order.
    OffsetOrder,
    /// Epochs and offsets ascend along a log, and the epoch cache says so too.
    EpochCache,
    /// An epoch has one leader.
    OneLeaderPerEpoch,
    /// The high watermark stands still below `min.insync.replicas`.
    HighWatermarkFrozen,
    /// A server's metadata log is a prefix of the committed one, and its snapshots are of what is committed.
    MetadataPrefix,
    /// A controller epoch has one controller, in a quorum nobody votes twice in it or for a log that is behind, and epochs
    /// never fall.
    Quorum,
    /// `acks=all` is answered when the records are committed, not before.
    AcksAllCommitted,
    /// A producer gives up what is neither acknowledged nor refused within `delivery.timeout.ms`.
    DeliveryTimeout,
    /// A ZooKeeper cluster has one controller in each controller epoch, epochs never fall, only the controller of the
    /// latest one writes partitions' states, and brokers obey nothing of before.
    OneController,
}

impl Checker {
    /// All of them.
    pub const ALL: [Checker; 20] = [
        Checker::LogMatching,
        Checker::WeakIsr,
        Checker::StrongIsr,
        Checker::LaggardsLeave,
        Checker::QuorumSuperset,
        Checker::LeaderCompleteness,
        Checker::AcknowledgedRecords,
        Checker::ConsistentRead,
        Checker::IsrStructure,
        Checker::Compaction,
        Checker::MonotoneNumbers,
        Checker::OffsetOrder,
        Checker::EpochCache,
        Checker::OneLeaderPerEpoch,
        Checker::HighWatermarkFrozen,
        Checker::MetadataPrefix,
        Checker::Quorum,
        Checker::AcksAllCommitted,
        Checker::DeliveryTimeout,
        Checker::OneController,
    ];

    /// Its name, which stays.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Checker::LogMatching => "log-matching",
            Checker::WeakIsr => "weak-isr",
            Checker::StrongIsr => "strong-isr",
            Checker::LaggardsLeave => "laggards-leave",
            Checker::QuorumSuperset => "quorum-superset",
            Checker::LeaderCompleteness => "leader-completeness",
            Checker::AcknowledgedRecords => "acknowledged-records",
            Checker::ConsistentRead => "consistent-read",
            Checker::IsrStructure => "isr-structure",
            Checker::Compaction => "compaction",
            Checker::MonotoneNumbers => "monotone-numbers",
            Checker::OffsetOrder => "offset-order",
            Checker::EpochCache => "epoch-cache",
            Checker::OneLeaderPerEpoch => "one-leader-per-epoch",
            Checker::HighWatermarkFrozen => "high-watermark-frozen",
            Checker::MetadataPrefix => "metadata-prefix",
            Checker::Quorum => "quorum",
            Checker::AcksAllCommitted => "acks-all-committed",
            Checker::DeliveryTimeout => "delivery-timeout",
            Checker::OneController => "one-controller",
        }
    }
}

/// Something that must hold did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which check.
    pub checker: Checker,
    /// When it was noticed.
    pub at: Instant,
    /// The step after which it was noticed.
    pub step: u64,
    /// The event that broke it; none if that was noticed later, by a look at everything.
    pub event: Option<EventId>,
    /// The partition, if it is about one.
    pub partition: Option<TopicPartition>,
    /// What is wrong.
    pub details: Details,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Details {
    /// Two logs are not the same at an offset.
    LogsDiffer {
        /// One.
        broker: BrokerId,
        /// The other.
        other: BrokerId,
        /// Where.
        offset: Offset,
    },
    /// A replica does not have what lies below an offset.
    Lacks {
        /// The replica.
        broker: BrokerId,
        /// Where its log ends.
        log_end_offset: Offset,
        /// Up to where it should have everything.
        offset: Offset,
        /// The epoch of the last record that it should have.
        leader_epoch: LeaderEpoch,
    },
    /// A leader does not wait for a replica.
    DoesNotWaitFor {
        /// The leader.
        leader: BrokerId,
        /// The replica.
        broker: BrokerId,
    },
    /// In-sync replicas were changed as no leader had proposed.
    NotProposed {
        /// How many were in sync.
        in_sync: usize,
    },
    /// A member of the in-sync replicas is not who the leader had proposed: it has gone or registered anew.
    NotAsProposed(BrokerId),
    /// A leader does not propose to go on without a replica that lags.
    LaggardStays {
        /// The leader.
        leader: BrokerId,
        /// The replica.
        broker: BrokerId,
    },
    /// Acknowledged records are lost although Kafka promises to keep them.
    RecordsLost {
        /// The first.
        first_offset: Offset,
        /// The last.
        last_offset: Offset,
    },
    /// A consumer read something else than the leader has.
    ReadDiffers {
        /// Where.
        offset: Offset,
    },
    /// Compaction went further than it may.
    CompactedTooFar {
        /// The replica.
        broker: BrokerId,
        /// Up to where.
        to: Offset,
        /// Up to where it may.
        limit: Offset,
    },
    /// Compaction changed a record or took the last one of a key.
    CompactedAway {
        /// The replica.
        broker: BrokerId,
        /// Where it was.
        offset: Offset,
    },
    /// Compaction left a record although a later one that it has seen has its key.
    NotCompacted {
        /// The replica.
        broker: BrokerId,
        /// Where it is.
        offset: Offset,
    },
    /// The leader is not among the in-sync replicas.
    LeaderOutOfSync(BrokerId),
    /// A leader was elected that was not in sync, and nobody allows that.
    ElectedOutOfSync(BrokerId),
    /// A member of the in-sync or eligible replicas is no replica, is there twice, or is in both.
    MisplacedMember(BrokerId),
    /// A member or leader is fenced or shutting down.
    InactiveMember(BrokerId),
    /// Nobody is in sync, and nobody is eligible.
    NobodyInSync,
    /// Enough replicas are in sync, and some are still eligible.
    NeedlessEligible,
    /// A number fell.
    Fell {
        /// Where.
        node: NodeId,
        /// Which.
        number: Number,
        /// Before.
        from: i64,
        /// After.
        to: i64,
    },
    /// Offsets of a replica are out of order.
    OutOfOrder {
        /// The replica.
        broker: BrokerId,
        /// Its log start offset.
        log_start_offset: Offset,
        /// Its last stable offset.
        last_stable_offset: Offset,
        /// Its high watermark.
        high_watermark: Offset,
        /// Its log end offset.
        log_end_offset: Offset,
    },
    /// Epochs or offsets do not ascend.
    DoesNotAscend {
        /// The replica.
        broker: BrokerId,
        /// Where.
        offset: Offset,
    },
    /// Two lead in one epoch.
    TwoLeaders {
        /// The first.
        one: NodeId,
        /// The second.
        other: NodeId,
        /// The epoch.
        leader_epoch: LeaderEpoch,
    },
    /// A broker obeyed a request that was meant for its earlier registration.
    ObeyedForEarlierRun {
        /// The broker.
        broker: BrokerId,
        /// Who sent it.
        controller: BrokerId,
    },
    /// A voter voted twice in an epoch, or in an earlier one than before.
    VotedTwice {
        /// The voter.
        voter: NodeId,
        /// For whom, the second time.
        candidate: NodeId,
        /// The epoch.
        leader_epoch: LeaderEpoch,
    },
    /// A voter voted for a candidate whose log is behind its own.
    VotedForWhoIsBehind {
        /// The voter.
        voter: NodeId,
        /// For whom.
        candidate: NodeId,
    },
    /// The high watermark rose with too few in-sync replicas.
    RoseBelowMinIsr {
        /// The leader.
        broker: BrokerId,
        /// How many are in sync.
        isr: usize,
        /// How many there must be.
        min_isr: usize,
    },
    /// A server's metadata log is not a prefix of the committed one.
    NotAPrefix {
        /// The server.
        node: NodeId,
        /// Where it differs.
        offset: Offset,
    },
    /// A server's metadata log begins where no snapshot of what lies before ends.
    NoSnapshot {
        /// The server.
        node: NodeId,
        /// Where its log begins.
        log_start_offset: Offset,
    },
    /// Too few voters have what counts as committed of the metadata log.
    NotOnMajority {
        /// How many have it.
        voters: usize,
        /// Up to where it counts as committed.
        committed: Offset,
    },
    /// A producer was told that records are committed which are not.
    NotCommitted {
        /// The last record.
        last_offset: Offset,
        /// Up to where records have been committed.
        committed: Offset,
    },
    /// A producer has not given up what it sent too long ago.
    NotGivenUp {
        /// The producer.
        producer: NodeId,
        /// When it should have.
        given_up_at: Instant,
    },
}

/// A number that never falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// A partition's leader epoch, in the controller.
    LeaderEpoch,
    /// A partition's epoch, in the controller.
    PartitionEpoch,
    /// A broker's epoch, from one registration to the next.
    BrokerEpoch,
    /// A leader's high watermark.
    HighWatermark,
    /// A leader's last stable offset.
    LastStableOffset,
    /// A leader's log start offset.
    LogStartOffset,
    /// The epoch of a ZooKeeper cluster's controller.
    ControllerEpoch,
    /// Up to where the metadata log is committed.
    MetadataHighWatermark,
    /// The latest epoch of the quorum that a server has heard of.
    QuorumEpoch,
}
