//! What processes are made from: brokers and controllers with their properties, client programs with theirs.

mod administration;

pub use administration::{
    ConfigEntities, ConfigsAction, ElectLeadersAction, PlacedReplicas, ReassignAction, ZooKeeperCommand,
};

use crate::node::{Listener, NodeId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wire::request::{Acks, DeleteRecordsPartition, FeatureUpdate, IsolationLevel, OffsetSpec};
use wire::{BrokerId, Endpoint, PartitionIndex, TopicName};

/// `log.dir` of a server whose properties do not say.
const DEFAULT_LOG_DIR: &str = "/tmp/kafka-logs";

/// A server of the cluster and the properties file it starts with. A controller's listener is where the voters say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSpec {
    /// `node.id`; ZooKeeper has none.
    pub node_id: i32,
    /// `process.roles`.
    pub role: ServerRole,
    /// Where it listens; what it advertises.
    pub endpoint: Endpoint,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// How the cluster agrees on its metadata.
    pub coordination: Coordination,
    /// Properties that differ from the defaults.
    pub properties: Arc<BTreeMap<String, String>>,
    /// Faults of earlier releases that this server shall show again.
    pub historical_faults: HistoricalFaults,
}

impl ServerSpec {
    /// Its log directory: `log.dirs`, or `log.dir`. There is one.
    #[must_use]
    pub fn log_dir(&self) -> &str {
        let property = |name| self.properties.get(name).map(String::as_str);
        property("log.dirs").or(property("log.dir")).unwrap_or(DEFAULT_LOG_DIR)
    }

    /// What its process is called.
    #[must_use]
    pub fn node(&self) -> NodeId {
        match self.role {
            ServerRole::Broker | ServerRole::Controller | ServerRole::Combined => NodeId::Server(self.node_id),
            ServerRole::ZooKeeper => NodeId::ZooKeeper,
        }
    }

    /// Where it listens: a combined server at two places, all others at one.
    pub fn listeners(&self) -> impl Iterator<Item = (Listener, Endpoint)> {
        let first = match self.role {
            ServerRole::Broker | ServerRole::Combined | ServerRole::ZooKeeper => Listener::Plaintext,
            ServerRole::Controller => Listener::Controller,
        };
        let second = self.controller_endpoint().map(|endpoint| (Listener::Controller, endpoint.clone()));
        std::iter::once((first, self.endpoint.clone())).chain(second)
    }

    /// The second listener of a combined server.
    #[must_use]
    pub fn controller_endpoint(&self) -> Option<&Endpoint> {
        let mut voters = self.coordination.voters().iter();
        let own = voters.find(|(voter, _)| self.role == ServerRole::Combined && *voter == self.node_id);
        own.map(|(_, endpoint)| endpoint)
    }
}

/// Where a server finds the cluster's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coordination {
    /// KRaft: `controller.quorum.voters`.
    KRaft {
        /// The voters by `node.id`, and where each listens for brokers and other voters.
        voters: Vec<(i32, Endpoint)>,
    },
    /// ZooKeeper: `zookeeper.connect`.
    ZooKeeper {
        /// Where the ensemble listens.
        connect: Endpoint,
    },
}

impl Coordination {
    /// The quorum's voters; none with ZooKeeper.
    #[must_use]
    pub fn voters(&self) -> &[(i32, Endpoint)] {
        match self {
            Coordination::KRaft { voters } => voters,
            Coordination::ZooKeeper { .. } => &[],
        }
    }
}

/// Faults that Kafka once had and has mended since, to be seen at work. All are off by default; each is one rule of
/// 3.9 left out, and nothing else changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HistoricalFaults {
    /// A new follower truncates to its high watermark instead of asking where its epoch ended (before KIP-101).
    pub truncate_to_high_watermark: bool,
    /// A follower asks once where its latest epoch ended and takes the leader's end offset without looking at the epoch
    /// in the answer (before KIP-279).
    pub single_round_truncation: bool,
    /// Fetches carry no current leader epoch, so that nobody notices a leader that was deposed (before KIP-320). A
    /// follower still compares the epoch of its last record whenever it fetches: `Kip320FirstTry` of the formal models.
    pub unfenced_fetches: bool,
    /// A follower looks for where its log parts from the leader's until it has found that place, and never again in that
    /// epoch; fetches carry no current leader epoch either: what KIP-279 left, before KIP-320.
    pub truncation_before_fetching: bool,
    /// The high watermark advances although fewer than `min.insync.replicas` are in sync (before KIP-966).
    pub high_watermark_below_min_isr: bool,
    /// The controller takes fenced brokers and earlier incarnations of brokers into the in-sync replicas
    /// (before KIP-841 and KIP-903).
    pub isr_without_broker_epochs: bool,
    /// A new leader tells clients its high watermark as the end of the log although it may lag behind what the leader
    /// before it has told (before KIP-207).
    pub end_offsets_in_doubt: bool,
    /// ZooKeeper mode: neither brokers nor ZooKeeper fence a controller that was deposed.
    pub unfenced_zookeeper_controllers: bool,
    /// ZooKeeper mode: a broker that restarts faster than the controller looks is not noticed (before KIP-380).
    pub unnoticed_broker_bounces: bool,
}

impl HistoricalFaults {
    /// Switches the one of that name on, as scripts and plans call it; tells whether there is one.
    #[must_use]
    pub fn switch_on(&mut self, name: &str) -> bool {
        let fault = match name {
            "truncate-to-high-watermark" => &mut self.truncate_to_high_watermark,
            "single-round-truncation" => &mut self.single_round_truncation,
            "unfenced-fetches" => &mut self.unfenced_fetches,
            "truncation-before-fetching" => &mut self.truncation_before_fetching,
            "high-watermark-below-min-isr" => &mut self.high_watermark_below_min_isr,
            "isr-without-broker-epochs" => &mut self.isr_without_broker_epochs,
            "end-offsets-in-doubt" => &mut self.end_offsets_in_doubt,
            "unfenced-zookeeper-controllers" => &mut self.unfenced_zookeeper_controllers,
            "unnoticed-broker-bounces" => &mut self.unnoticed_broker_bounces,
            _ => return false,
        };
        *fault = true;
        true
    }

    /// Whether fetches and questions about epochs carry no current leader epoch.
    #[must_use]
    pub fn fetches_are_unfenced(self) -> bool {
        self.unfenced_fetches || self.truncation_before_fetching
    }
}

/// `process.roles` of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerRole {
    /// A broker only.
    Broker,
    /// An isolated controller.
    Controller,
    /// Both, in one process.
    Combined,
    /// No server of Kafka's but the ZooKeeper ensemble.
    ZooKeeper,
}

impl ServerRole {
    /// Whether it serves clients.
    #[must_use]
    pub fn is_broker(self) -> bool {
        match self {
            ServerRole::Broker | ServerRole::Combined => true,
            ServerRole::Controller | ServerRole::ZooKeeper => false,
        }
    }

    /// Whether it votes in the metadata quorum.
    #[must_use]
    pub fn is_controller(self) -> bool {
        match self {
            ServerRole::Controller | ServerRole::Combined => true,
            ServerRole::Broker | ServerRole::ZooKeeper => false,
        }
    }
}

/// A client program and how it was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSpec {
    /// `client.id`, for example `console-producer`.
    pub client_id: String,
    /// `bootstrap.servers`.
    pub bootstrap_servers: Vec<Endpoint>,
    /// What the program is.
    pub program: Program,
}

/// The client programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// Sends records.
    Producer(ProducerSpec),
    /// Reads records.
    Consumer(ConsumerSpec),
    /// `kafka-topics`: one administrative action, then exits.
    Topics(TopicsAction),
    /// Another administrative tool: one action, then exits.
    Admin(AdminAction),
}

impl Program {
    /// Whether it does one thing and exits, however long nothing else happens.
    #[must_use]
    pub fn is_tool(&self) -> bool {
        match self {
            Program::Topics(_) | Program::Admin(_) => true,
            Program::Producer(_) | Program::Consumer(_) => false,
        }
    }
}

/// What an administrative tool is asked to do, once its command line has been understood: one variant for each tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminAction {
    /// `kafka-get-offsets`.
    GetOffsets(GetOffsetsAction),
    /// `kafka-delete-records`: up to where the records of which partitions go.
    DeleteRecords(Vec<DeleteRecordsPartition>),
    /// `kafka-log-dirs`: which brokers are asked; none for all of them.
    LogDirs(BTreeSet<BrokerId>),
    /// `kafka-broker-api-versions`.
    ApiVersions,
    /// `zookeeper-shell`: its commands, one after another.
    ZooKeeper(Vec<ZooKeeperCommand>),
    /// `kafka-cluster`.
    Cluster(ClusterAction),
    /// `kafka-features`.
    Features(FeaturesAction),
    /// `kafka-metadata-quorum`.
    Quorum(QuorumAction),
    /// `kafka-leader-election`.
    ElectLeaders(ElectLeadersAction),
    /// `kafka-reassign-partitions`.
    Reassign(ReassignAction),
    /// `kafka-configs`.
    Configs(ConfigsAction),
}

/// What `kafka-cluster` is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterAction {
    /// `cluster-id`.
    Id,
    /// `unregister`.
    Unregister(BrokerId),
}

/// What `kafka-features` is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeaturesAction {
    /// `describe`.
    Describe,
    /// `upgrade`, `downgrade` or `disable`.
    Update {
        /// The changes.
        updates: Vec<FeatureUpdate>,
        /// `--dry-run`.
        dry_run: bool,
    },
}

/// What `kafka-metadata-quorum describe` is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuorumAction {
    /// `--status`.
    Status,
    /// `--replication`.
    Replication,
}

/// What `kafka-get-offsets` is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetOffsetsAction {
    /// A partition counts if one of these admits it (`TopicPartitionFilter`).
    pub rules: Vec<PartitionRule>,
    /// `--exclude-internal-topics`.
    pub exclude_internal: bool,
    /// `--time`.
    pub spec: OffsetSpec,
}

/// Partitions of the topics that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionRule {
    /// A (Java) regular expression or a comma list of them for the topic's whole name.
    pub topic: String,
    /// Which of its partitions.
    pub partitions: PartitionChoice,
}

/// Which partitions of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartitionChoice {
    /// All of them.
    All,
    /// These.
    Listed(BTreeSet<i32>),
    /// From the first number up to, not including, the second.
    Range(i32, i32),
}

impl PartitionChoice {
    /// Whether a partition is among them.
    #[must_use]
    pub fn admits(&self, partition: PartitionIndex) -> bool {
        match self {
            PartitionChoice::All => true,
            PartitionChoice::Listed(numbers) => numbers.contains(&partition.0),
            PartitionChoice::Range(from, to) => (*from..*to).contains(&partition.0),
        }
    }
}

/// A producer program. Without a workload it sends what it is told ([`crate::node::Instruction::Produce`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerSpec {
    /// The producer's configuration.
    pub config: ProducerConfig,
    /// Wait for each record's answer before taking the next one (`--sync`).
    pub is_synchronous: bool,
    /// Records it makes of itself.
    pub workload: Option<Workload>,
}

/// Records that a producer makes of itself, one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Where they go.
    pub topic: TopicName,
    /// The time between two of them, in milliseconds, at least 1.
    pub interval_ms: i64,
    /// Keys to draw from; empty for records without key.
    pub keys: Vec<String>,
    /// Values are this text with a counter from 1 behind it.
    pub value_prefix: String,
}

/// `ProducerConfig`; the defaults are Kafka's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerConfig {
    /// `acks`.
    pub acks: Acks,
    /// `batch.size`, in bytes.
    pub batch_size: i32,
    /// `linger.ms`.
    pub linger_ms: i64,
    /// `max.request.size`, in bytes.
    pub max_request_size: i32,
    /// `buffer.memory`, in bytes.
    pub buffer_memory: i64,
    /// `max.block.ms`.
    pub max_block_ms: i64,
    /// `max.in.flight.requests.per.connection`.
    pub max_in_flight_requests_per_connection: i32,
    /// `request.timeout.ms`.
    pub request_timeout_ms: i32,
    /// `delivery.timeout.ms`.
    pub delivery_timeout_ms: i64,
    /// `retries`.
    pub retries: i32,
    /// `retry.backoff.ms`.
    pub retry_backoff_ms: i64,
    /// `retry.backoff.max.ms`.
    pub retry_backoff_max_ms: i64,
    /// `metadata.max.age.ms`.
    pub metadata_max_age_ms: i64,
    /// `partitioner.ignore.keys`.
    pub partitioner_ignore_keys: bool,
}

impl Default for ProducerConfig {
    fn default() -> Self {
        ProducerConfig {
            acks: Acks::All,
            batch_size: 16_384,
            linger_ms: 0,
            max_request_size: 1_048_576,
            buffer_memory: 33_554_432,
            max_block_ms: 60_000,
            max_in_flight_requests_per_connection: 5,
            request_timeout_ms: 30_000,
            delivery_timeout_ms: 120_000,
            retries: i32::MAX,
            retry_backoff_ms: 100,
            retry_backoff_max_ms: 1_000,
            metadata_max_age_ms: 300_000,
            partitioner_ignore_keys: false,
        }
    }
}

/// A consumer program. It assigns partitions to itself: consumer groups are not modelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerSpec {
    /// The consumer's configuration.
    pub config: ConsumerConfig,
    /// What it reads.
    pub subscription: Subscription,
    /// `group.id` as its log lines print it.
    pub group_id: Option<String>,
    /// Exit after so many records.
    pub max_messages: Option<u64>,
    /// Exit when no record comes for so long.
    pub timeout_ms: Option<i64>,
}

/// What a consumer reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscription {
    /// All partitions of a topic.
    Topic(TopicName),
    /// All partitions of the topics whose whole name matches this (Java) regular expression.
    Pattern(String),
    /// One partition, from a given place.
    Partition {
        /// The topic.
        topic: TopicName,
        /// The partition.
        partition: PartitionIndex,
        /// Where to begin; `None` follows `auto.offset.reset`.
        start: Option<StartOffset>,
    },
}

/// Where a consumer begins to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartOffset {
    /// The first record there is.
    Earliest,
    /// The records that come from now on.
    Latest,
    /// This offset.
    At(wire::Offset),
}

/// `auto.offset.reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoOffsetReset {
    /// The first record there is.
    Earliest,
    /// The records that come from now on.
    Latest,
    /// Fail.
    None,
}

/// `ConsumerConfig`; the defaults are Kafka's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerConfig {
    /// `auto.offset.reset`.
    pub auto_offset_reset: AutoOffsetReset,
    /// `isolation.level`.
    pub isolation_level: IsolationLevel,
    /// `fetch.min.bytes`.
    pub fetch_min_bytes: i32,
    /// `fetch.max.bytes`.
    pub fetch_max_bytes: i32,
    /// `fetch.max.wait.ms`.
    pub fetch_max_wait_ms: i32,
    /// `max.partition.fetch.bytes`.
    pub max_partition_fetch_bytes: i32,
    /// `max.poll.records`.
    pub max_poll_records: i32,
    /// `request.timeout.ms`.
    pub request_timeout_ms: i32,
    /// `retry.backoff.ms`.
    pub retry_backoff_ms: i64,
    /// `retry.backoff.max.ms`.
    pub retry_backoff_max_ms: i64,
    /// `metadata.max.age.ms`.
    pub metadata_max_age_ms: i64,
    /// `allow.auto.create.topics`.
    pub allow_auto_create_topics: bool,
    /// `client.rack`; empty in Kafka is `None` here.
    pub client_rack: Option<String>,
}

impl Default for ConsumerConfig {
    fn default() -> Self {
        ConsumerConfig {
            auto_offset_reset: AutoOffsetReset::Latest,
            isolation_level: IsolationLevel::ReadUncommitted,
            fetch_min_bytes: 1,
            fetch_max_bytes: 52_428_800,
            fetch_max_wait_ms: 500,
            max_partition_fetch_bytes: 1_048_576,
            max_poll_records: 500,
            request_timeout_ms: 30_000,
            retry_backoff_ms: 100,
            retry_backoff_max_ms: 1_000,
            metadata_max_age_ms: 300_000,
            allow_auto_create_topics: true,
            client_rack: None,
        }
    }
}

/// What `kafka-topics` is asked to do, once its command line has been understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicsAction {
    /// `--create`.
    Create {
        /// The topic and its layout.
        topic: wire::request::CreatableTopic,
        /// `--if-not-exists`.
        if_not_exists: bool,
    },
    /// `--list`.
    List(TopicFilter),
    /// `--describe`.
    Describe {
        /// Which topics.
        topics: DescribeTarget,
        /// `--if-exists`.
        if_exists: bool,
    },
    /// `--alter --partitions`.
    Alter {
        /// Which topics.
        topics: TopicFilter,
        /// `--partitions`.
        count: i32,
        /// `--replica-assignment`: the assignment of all partitions, old ones included.
        assignments: Option<Vec<Vec<BrokerId>>>,
        /// `--if-exists`.
        if_exists: bool,
    },
    /// `--delete`.
    Delete {
        /// Which topics.
        topics: TopicFilter,
        /// `--if-exists`.
        if_exists: bool,
    },
}

/// Which topics `kafka-topics` works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicFilter {
    /// `--topic`: a (Java) regular expression or a comma list; `None` for all topics.
    pub pattern: Option<String>,
    /// `--exclude-internal`.
    pub exclude_internal: bool,
}

/// What `kafka-topics --describe` is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DescribeTarget {
    /// Topics by name.
    Filter(TopicFilter),
    /// `--topic-id`.
    Id(wire::TopicId),
}
