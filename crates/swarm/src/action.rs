//! What happens to a world: faults and what clients are asked to do, as values with a plain text.

use crate::world_plan::WorldPlan;
use kafka::fault::{DiskCondition, LinkChange, Links};
use kafka::instant::Duration;
use kafka::node::NodeId;
use kafka::spec::{
    AutoOffsetReset, ClientSpec, ConsumerConfig, ConsumerSpec, ProducerConfig, ProducerSpec, Program, Subscription,
    TopicFilter, TopicsAction, Workload,
};
use sim::Command;
use wire::TopicName;
use wire::request::{Acks, CreatableTopic};

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// SIGKILL to a server.
    Kill(i32),
    /// SIGTERM to a server.
    Stop(i32),
    /// A server starts.
    Start(i32),
    /// SIGSTOP to a server.
    Freeze(i32),
    /// SIGCONT to a server.
    Thaw(i32),
    /// A server's host loses its power.
    PowerOff(i32),
    /// A server's disk takes so many microseconds for a write; 0 is sound again.
    SlowDisk {
        /// Whose.
        server: i32,
        /// So many microseconds.
        delay_us: u64,
    },
    /// A server's disk is full.
    FullDisk(i32),
    /// A server's clock is set.
    Clock {
        /// Whose.
        server: i32,
        /// So far ahead.
        offset_ms: i64,
    },
    /// Nothing gets through between two servers, or from the one to the other only.
    Cut {
        /// One.
        from: i32,
        /// The other.
        to: i32,
        /// Whether only what the first sends is lost.
        is_one_way: bool,
    },
    /// Nothing gets through between a server and anybody else.
    Isolate(i32),
    /// So many of a thousand transmissions from and to a server are lost.
    Lossy {
        /// Which.
        server: i32,
        /// So many.
        permille: u16,
    },
    /// All links are as they were.
    Heal,
    /// A topic is made, unless it is there.
    CreateTopic(TopicPlan),
    /// A topic is deleted, if it is there.
    DeleteTopic(String),
    /// A topic gets more partitions, if it is there.
    AddPartitions {
        /// Which.
        topic: String,
        /// So many.
        count: i32,
    },
    /// A producer starts and sends without end.
    Produce {
        /// Where to.
        topic: String,
        /// `acks`.
        acks: Acks,
        /// Between two records.
        interval_ms: i64,
    },
    /// A consumer starts and reads from the beginning without end.
    Consume {
        /// What.
        topic: String,
    },
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPlan {
    /// Its name.
    pub name: String,
    /// So many partitions.
    pub partitions: i32,
    /// So many replicas of each.
    pub replicas: i16,
    /// `min.insync.replicas`.
    pub min_insync_replicas: i32,
    /// `unclean.leader.election.enable`.
    pub unclean_election: bool,
}

/// Kinds of actions: what coverage counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A broker is killed.
    KillBroker,
    /// A broker shuts down.
    StopBroker,
    /// A broker starts.
    StartBroker,
    /// A controller is killed.
    KillController,
    /// A controller shuts down.
    StopController,
    /// A controller starts.
    StartController,
    /// A server stands still.
    Freeze,
    /// A server goes on.
    Thaw,
    /// A host loses its power.
    PowerOff,
    /// A disk becomes slow or sound.
    SlowDisk,
    /// A disk becomes full.
    FullDisk,
    /// A clock is set.
    Clock,
    /// A link is cut.
    Cut,
    /// A server is cut off.
    Isolate,
    /// A server's links lose much.
    Lossy,
    /// Links heal.
    Heal,
    /// A topic is made.
    CreateTopic,
    /// A topic is deleted.
    DeleteTopic,
    /// A topic grows.
    AddPartitions,
    /// A producer starts.
    Produce,
    /// A consumer starts.
    Consume,
}

impl Kind {
    /// Those that are drawn in the course of a run, and how often each.
    pub const WEIGHTS: [(Kind, u32); 19] = [
        (Kind::Freeze, 6),
        (Kind::Thaw, 20),
        (Kind::PowerOff, 4),
        (Kind::SlowDisk, 5),
        (Kind::FullDisk, 2),
        (Kind::Clock, 2),
        (Kind::Cut, 8),
        (Kind::Isolate, 6),
        (Kind::Lossy, 4),
        (Kind::Heal, 12),
        (Kind::KillBroker, 24),
        (Kind::StopBroker, 10),
        (Kind::StartBroker, 30),
        (Kind::KillController, 5),
        (Kind::StopController, 4),
        (Kind::StartController, 10),
        (Kind::CreateTopic, 6),
        (Kind::DeleteTopic, 6),
        (Kind::AddPartitions, 5),
    ];
}

impl Action {
    /// What kind it is.
    #[must_use]
    pub fn kind(&self, world: &WorldPlan) -> Kind {
        let is_broker = |id: &i32| *id <= world.brokers;
        match self {
            Action::Kill(id) if is_broker(id) => Kind::KillBroker,
            Action::Kill(_) => Kind::KillController,
            Action::Stop(id) if is_broker(id) => Kind::StopBroker,
            Action::Stop(_) => Kind::StopController,
            Action::Start(id) if is_broker(id) => Kind::StartBroker,
            Action::Start(_) => Kind::StartController,
            Action::Freeze(_) => Kind::Freeze,
            Action::Thaw(_) => Kind::Thaw,
            Action::PowerOff(_) => Kind::PowerOff,
            Action::SlowDisk { .. } => Kind::SlowDisk,
            Action::FullDisk(_) => Kind::FullDisk,
            Action::Clock { .. } => Kind::Clock,
            Action::Cut { .. } => Kind::Cut,
            Action::Isolate(_) => Kind::Isolate,
            Action::Lossy { .. } => Kind::Lossy,
            Action::Heal => Kind::Heal,
            Action::CreateTopic(_) => Kind::CreateTopic,
            Action::DeleteTopic(_) => Kind::DeleteTopic,
            Action::AddPartitions { .. } => Kind::AddPartitions,
            Action::Produce { .. } => Kind::Produce,
            Action::Consume { .. } => Kind::Consume,
        }
    }

    /// Its first words, `produce-safe`.
    fn client_id(&self) -> String {
        self.to_string().split(' ').take(2).collect::<Vec<_>>().join("-")
    }

    /// The command that it is in that world.
    #[must_use]
    pub fn command(&self, world: &WorldPlan) -> Command {
        let client = |program| {
            let bootstrap_servers = world.bootstrap_servers();
            Command::StartClient(ClientSpec { client_id: self.client_id(), bootstrap_servers, program })
        };
        let topics = |action| client(Program::Topics(action));
        match self {
            Action::Kill(id) => Command::Kill(NodeId::Server(*id)),
            Action::Stop(id) => Command::Stop(NodeId::Server(*id)),
            Action::Start(id) => Command::Start(NodeId::Server(*id)),
            Action::Freeze(id) => Command::Freeze(NodeId::Server(*id)),
            Action::Thaw(id) => Command::Thaw(NodeId::Server(*id)),
            Action::PowerOff(id) => Command::PowerOff(NodeId::Server(*id)),
            Action::SlowDisk { server, delay_us: 0 } => disk(*server, DiskCondition::Sound),
            Action::SlowDisk { server, delay_us } => disk(*server, DiskCondition::Slow(Duration(*delay_us))),
            Action::FullDisk(id) => disk(*id, DiskCondition::Full),
            Action::Clock { server, offset_ms } => {
                Command::SetClock { node: NodeId::Server(*server), offset_ms: *offset_ms }
            }
            Action::Cut { from, to, is_one_way } => {
                let (from, to) = (NodeId::Server(*from), NodeId::Server(*to));
                let links = if *is_one_way { Links::OneWay { from, to } } else { Links::Between(from, to) };
                Command::ChangeLinks { links, change: LinkChange::Cut }
            }
            Action::Isolate(id) => {
                Command::ChangeLinks { links: Links::Of(NodeId::Server(*id)), change: LinkChange::Cut }
            }
            Action::Lossy { server, permille } => {
                Command::ChangeLinks { links: Links::Of(NodeId::Server(*server)), change: LinkChange::Loss(*permille) }
            }
            Action::Heal => Command::ChangeLinks { links: Links::All, change: LinkChange::Heal },
            Action::CreateTopic(topic) => topics(topic.creation()),
            Action::DeleteTopic(topic) => topics(TopicsAction::Delete { topics: filter(topic), if_exists: true }),
            Action::AddPartitions { topic, count } => {
                topics(TopicsAction::Alter { topics: filter(topic), count: *count, assignments: None, if_exists: true })
            }
            Action::Produce { topic, acks, interval_ms } => client(producer(topic, *acks, *interval_ms)),
            Action::Consume { topic } => client(consumer(topic)),
        }
    }
}

impl TopicPlan {
    fn creation(&self) -> TopicsAction {
        let configs = [
            ("min.insync.replicas", self.min_insync_replicas.to_string()),
            ("unclean.leader.election.enable", self.unclean_election.to_string()),
        ];
        TopicsAction::Create {
            topic: CreatableTopic {
                name: TopicName::new(&self.name),
                num_partitions: Some(self.partitions),
                replication_factor: Some(self.replicas),
                assignments: Vec::new(),
                configs: configs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            },
            if_not_exists: true,
        }
    }
}

fn disk(server: i32, condition: DiskCondition) -> Command {
    Command::SetDisk { node: NodeId::Server(server), condition }
}

fn filter(topic: &str) -> TopicFilter {
    TopicFilter { pattern: Some(topic.to_owned()), exclude_internal: false }
}

fn producer(topic: &str, acks: Acks, interval_ms: i64) -> Program {
    Program::Producer(ProducerSpec {
        config: ProducerConfig { acks, ..ProducerConfig::default() },
        is_synchronous: false,
        workload: Some(Workload {
            topic: TopicName::new(topic),
            interval_ms,
            keys: Vec::new(),
            value_prefix: "record ".to_owned(),
        }),
    })
}

fn consumer(topic: &str) -> Program {
    Program::Consumer(ConsumerSpec {
        config: ConsumerConfig {
            auto_offset_reset: AutoOffsetReset::Earliest,
            metadata_max_age_ms: 5_000,
            ..ConsumerConfig::default()
        },
        subscription: Subscription::Topic(TopicName::new(topic)),
        group_id: None,
        max_messages: None,
        timeout_ms: None,
    })
}
