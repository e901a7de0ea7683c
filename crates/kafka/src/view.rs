//! What an onlooker may see of a node: plain values made of shared parts. The page, the checkers and the ledger read
//! these and nothing else of a machine.

use crate::instant::{Duration, Instant};
use crate::log::{ProducerState, Segments};
use crate::metadata::ClusterImage;
use crate::node::NodeId;
use crate::zookeeper::Database;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::request::{Acks, ControllerHeader};
use wire::zookeeper::SessionId;
use wire::{
    BrokerEpoch, BrokerId, Endpoint, LeaderEpoch, Offset, PartitionEpoch, ProducerId, TopicId, TopicName,
    TopicPartition,
};

/// What kind of node, and its state.
#[derive(Clone, Debug)]
pub enum NodeView {
    /// A broker.
    Broker(BrokerView),
    /// A controller.
    Controller(ControllerView),
    /// A broker and a controller in one process.
    Combined(BrokerView, ControllerView),
    /// The ZooKeeper ensemble.
    ZooKeeper(ZooKeeperView),
    /// A producer program.
    Producer(ProducerView),
    /// A consumer program.
    Consumer(ConsumerView),
    /// A `kafka-topics` call.
    Admin(AdminView),
}

impl NodeView {
    /// As a broker, if it is one.
    #[must_use]
    pub fn broker(&self) -> Option<&BrokerView> {
        match self {
            NodeView::Broker(view) | NodeView::Combined(view, _) => Some(view),
            NodeView::Controller(_)
            | NodeView::ZooKeeper(_)
            | NodeView::Producer(_)
            | NodeView::Consumer(_)
            | NodeView::Admin(_) => None,
        }
    }

    /// As a KRaft controller, if it is one.
    #[must_use]
    pub fn controller(&self) -> Option<&ControllerView> {
        match self {
            NodeView::Controller(view) | NodeView::Combined(_, view) => Some(view),
            NodeView::Broker(_)
            | NodeView::ZooKeeper(_)
            | NodeView::Producer(_)
            | NodeView::Consumer(_)
            | NodeView::Admin(_) => None,
        }
    }
}

/// `BrokerState`, as far as it is modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BrokerState {
    /// Registering, and catching up with the metadata log.
    Starting,
    /// Caught up, but still fenced.
    Recovery,
    /// Serving.
    Running,
    /// Moving its leaderships away.
    PendingControlledShutdown,
    /// About to exit.
    ShuttingDown,
}

/// A broker.
#[derive(Clone, Debug)]
pub struct BrokerView {
    /// Where it is in its life.
    pub state: BrokerState,
    /// Its registration, once it has one.
    pub broker_epoch: Option<BrokerEpoch>,
    /// Its office as the controller of a ZooKeeper cluster, while it holds it.
    pub controller: Option<ZooKeeperControllerView>,
    /// Highest metadata offset it has applied, -1 for none.
    pub metadata_offset: Offset,
    /// The cluster as it knows it.
    pub image: Arc<ClusterImage>,
    /// Its replicas, by partition.
    pub replicas: Vec<ReplicaView>,
    /// How many readers' fetch sessions it remembers (KIP-227).
    pub fetch_sessions: usize,
}

/// One replica of a partition.
#[derive(Clone, Debug)]
pub struct ReplicaView {
    /// The partition.
    pub partition: TopicPartition,
    /// Its topic's id.
    pub topic_id: TopicId,
    /// What the broker is for it.
    pub role: ReplicaRole,
    /// The epoch in which it leads or follows.
    pub leader_epoch: LeaderEpoch,
    /// Where the log starts.
    pub log_start_offset: Offset,
    /// Where the log ends: the offset of the next record.
    pub log_end_offset: Offset,
    /// Below it everything is committed, as far as this replica knows.
    pub high_watermark: Offset,
    /// Below it every transaction is settled too.
    pub last_stable_offset: Offset,
    /// Below it everything survives a power loss.
    pub recovery_point: Offset,
    /// Each epoch with the first offset written in it.
    pub leader_epochs: Vec<(LeaderEpoch, Offset)>,
    /// The log itself, shared.
    pub segments: Segments,
    /// What is known of the idempotent producers that wrote to it, shared.
    pub producers: Arc<BTreeMap<ProducerId, ProducerState>>,
}

/// One replica of a partition, borrowed: for onlookers that look after every step.
#[derive(Clone, Copy, Debug)]
pub struct ReplicaGlance<'a> {
    /// Its topic's id.
    pub topic_id: TopicId,
    /// The epoch in which it leads or follows.
    pub leader_epoch: LeaderEpoch,
    /// Where the log starts.
    pub log_start_offset: Offset,
    /// Where the log ends: the offset of the next record.
    pub log_end_offset: Offset,
    /// Below it everything is committed, as far as this replica knows.
    pub high_watermark: Offset,
    /// Below it every transaction is settled and everything is committed, as far as this replica knows.
    pub last_stable_offset: Offset,
    /// Each epoch with the first offset written in it.
    pub leader_epochs: &'a [(LeaderEpoch, Offset)],
    /// The log itself.
    pub segments: &'a Segments,
    /// What it knows as a leader, if it believes that it leads.
    pub leadership: Option<LeadershipGlance<'a>>,
}

/// What a leader knows of the in-sync replicas, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct LeadershipGlance<'a> {
    /// The committed in-sync replicas.
    pub isr: &'a [BrokerId],
    /// Who joins them by a change under way.
    pub joining: Option<BrokerId>,
    /// The change under way: the members as proposed, with the registrations that the leader saw, or -1.
    pub proposal: Option<&'a [(BrokerId, BrokerEpoch)]>,
    /// The epoch of the partition's state.
    pub partition_epoch: PartitionEpoch,
    /// `min.insync.replicas`, but never more than there are replicas.
    pub effective_min_isr: usize,
}

/// An in-sync follower that lacks something, as its leader knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Laggard {
    /// The follower.
    pub broker: BrokerId,
    /// When it last had all that the leader had.
    pub caught_up_at: Instant,
    /// `replica.lag.time.max.ms`.
    pub max_lag: Duration,
}

/// What a broker is for a partition.
#[derive(Clone, Debug)]
pub enum ReplicaRole {
    /// It leads.
    Leader {
        /// The committed in-sync replicas.
        isr: Vec<BrokerId>,
        /// The in-sync replicas that a pending change would leave or add.
        maximal_isr: Vec<BrokerId>,
        /// Whether a change of them is under way.
        has_proposal: bool,
        /// The state's epoch.
        partition_epoch: PartitionEpoch,
        /// What it knows of each follower.
        followers: Vec<FollowerView>,
    },
    /// It follows.
    Follower {
        /// Whom; nobody while there is no leader.
        leader: Option<BrokerId>,
        /// It has given up fetching in this epoch (`FailedPartitions`).
        has_failed: bool,
    },
}

/// What a leader knows of a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowerView {
    /// The follower.
    pub broker: BrokerId,
    /// Where its log starts, as its last fetch said; -1 before the first.
    pub log_start_offset: Offset,
    /// Where its log ends, as its last fetch said; -1 before the first.
    pub log_end_offset: Offset,
    /// The last time at which it had all that the leader had, as far as the leader knows.
    pub last_caught_up_at: Option<Instant>,
}

/// A controller.
#[derive(Clone, Debug)]
pub struct ControllerView {
    /// Whether it is the active one.
    pub is_active: bool,
    /// The quorum epoch.
    pub epoch: LeaderEpoch,
    /// Where its metadata log ends.
    pub log_end_offset: Offset,
    /// Below it the metadata log is committed.
    pub high_watermark: Offset,
    /// The cluster as it stands.
    pub image: Arc<ClusterImage>,
    /// Its part in the metadata quorum.
    pub quorum: QuorumView,
}

/// A voter's part in the metadata quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumView {
    /// What it is in its epoch.
    pub role: QuorumRole,
    /// Who leads, as far as it knows.
    pub leader: Option<i32>,
    /// Whom it gave its vote in this epoch.
    pub voted: Option<i32>,
    /// All voters, and where their logs end as far as the leader knows; offsets are known at the leader only.
    pub voters: Vec<(i32, Option<Offset>)>,
    /// Where its metadata log starts: what lies below is in a snapshot.
    pub log_start_offset: Offset,
    /// Where its latest snapshot ends, if there is one.
    pub snapshot_end_offset: Option<Offset>,
}

/// The states of `org.apache.kafka.raft.QuorumState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuorumRole {
    /// Knows of no leader in its epoch.
    Unattached,
    /// Asks for votes.
    Candidate,
    /// Leads.
    Leader,
    /// Follows the leader.
    Follower,
    /// Led this epoch and gave it up.
    Resigned,
}

impl QuorumView {
    /// Of a process that has not started.
    #[must_use]
    pub fn of_nobody() -> QuorumView {
        QuorumView {
            role: QuorumRole::Unattached,
            leader: None,
            voted: None,
            voters: Vec::new(),
            log_start_offset: Offset::ZERO,
            snapshot_end_offset: None,
        }
    }
}

/// The ZooKeeper ensemble.
#[derive(Clone, Debug)]
pub struct ZooKeeperView {
    /// The tree, shared.
    pub database: Arc<Database>,
    /// The sessions, in order of their ids.
    pub sessions: Vec<ZooKeeperSessionView>,
}

/// The last request of a controller that a broker of a ZooKeeper cluster has obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obeyed {
    /// Who sent it, and to which registration.
    pub header: ControllerHeader,
    /// The broker's registration then, -1 if it had none.
    pub broker_epoch: BrokerEpoch,
}

/// A broker's office as the controller of a ZooKeeper cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZooKeeperControllerView {
    /// Its epoch.
    pub controller_epoch: i32,
    /// Events that wait for the one at work.
    pub waiting_events: u32,
}

/// A session with ZooKeeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZooKeeperSessionView {
    /// Which.
    pub session: SessionId,
    /// The timeout agreed on.
    pub timeout_ms: i32,
    /// Who is connected to it now.
    pub client: Option<NodeId>,
    /// When it ends unless something is heard of it before.
    pub expires_at: Instant,
}

/// A producer program.
#[derive(Clone, Debug)]
pub struct ProducerView {
    /// `client.id`.
    pub client_id: String,
    /// `acks`.
    pub acks: Acks,
    /// Records not yet handed to a partition's queue.
    pub waiting: u64,
    /// Records in queues or sent and not yet answered.
    pub pending: u64,
    /// Records acknowledged.
    pub acknowledged: u64,
    /// Records given up.
    pub failed: u64,
    /// Last acknowledged offset by partition.
    pub last_offsets: Vec<(TopicPartition, Offset)>,
    /// What it has sent and heard nothing of, if there is anything.
    pub open: Option<OpenSends>,
    /// The brokers that it knows and asks; bootstrap servers count from -1 down.
    pub known_brokers: Vec<i32>,
}

/// Records that a producer has neither seen acknowledged nor given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenSends {
    /// Since when the oldest is there.
    pub since: Instant,
    /// When the next is given up, by `delivery.timeout.ms`. Those that others have overtaken wait for these
    /// (`RecordAccumulator.expiredBatches`).
    pub given_up_at: Instant,
}

/// A consumer program.
#[derive(Clone, Debug)]
pub struct ConsumerView {
    /// `client.id`.
    pub client_id: String,
    /// Offset of the next record to hand over, by partition.
    pub positions: Vec<PositionView>,
    /// Records handed over.
    pub consumed: u64,
    /// The brokers that it knows and asks; bootstrap servers count from -1 down.
    pub known_brokers: Vec<i32>,
}

/// A consumer's place in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionView {
    /// The partition.
    pub partition: TopicPartition,
    /// Offset of the next record, once known.
    pub position: Option<Offset>,
    /// The leader it reads from, as far as it knows.
    pub leader: Option<BrokerId>,
}

/// A `kafka-topics` call.
#[derive(Clone, Debug)]
pub struct AdminView {
    /// `client.id`.
    pub client_id: String,
    /// The call under way, for example `listTopics`.
    pub call: &'static str,
    /// The topic it is about, if it names one.
    pub topic: Option<TopicName>,
    /// Where it asks.
    pub bootstrap_servers: Vec<Endpoint>,
}
