//! What happens to a world: faults and what clients are asked to do, as values with a plain text.

use crate::programs;
use crate::world_plan::{WorldPlan, is_broker, node};
use kafka::fault::{DiskCondition, LinkChange, Links};
use kafka::instant::Duration;
use kafka::spec::{ClientSpec, Program};
use sim::Command;
use std::collections::BTreeMap;
use wire::request::Acks;

/// One thing that happens. Servers go by their ids; 0 is ZooKeeper.
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
    /// What goes between two servers takes so much longer.
    Lag {
        /// One.
        from: i32,
        /// The other.
        to: i32,
        /// So many microseconds.
        delay_us: u64,
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
    /// A server's messages take at least so long.
    Delay {
        /// Whose.
        server: i32,
        /// So many microseconds.
        delay_us: u64,
    },
    /// A server's messages take up to so much longer.
    Jitter {
        /// Whose.
        server: i32,
        /// So many microseconds.
        jitter_us: u64,
    },
    /// All links are as they were.
    Heal,
    /// A broker comes that was not there in the beginning.
    AddBroker(i32),
    /// A broker that is down goes with its disk.
    RemoveBroker(i32),
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
    /// A topic's configuration changes.
    Configure {
        /// Which.
        topic: String,
        /// Its key.
        key: String,
        /// The value.
        value: String,
    },
    /// What lies below an offset goes; -1 is the high watermark.
    DeleteRecords {
        /// Which topic.
        topic: String,
        /// Which partition.
        partition: i32,
        /// The offset.
        offset: i64,
    },
    /// Leaders are elected, of all partitions.
    Elect {
        /// Whether out-of-sync replicas may lead where there is no leader.
        is_unclean: bool,
    },
    /// Replicas move.
    Reassign {
        /// Which topic.
        topic: String,
        /// Which partition.
        partition: i32,
        /// Where they shall be.
        replicas: Vec<i32>,
    },
    /// Replicas stay where they were.
    CancelReassignment {
        /// Which topic.
        topic: String,
        /// Which partition.
        partition: i32,
    },
    /// A tool asks something.
    Ask(Question),
    /// A tool asks for what is refused.
    Mistake(Mistake),
    /// `metadata.version` is raised to a level.
    Upgrade(i16),
    /// A producer starts and sends without end.
    Produce {
        /// Where to.
        topic: String,
        /// `acks`.
        acks: Acks,
        /// Between two records.
        interval_ms: i64,
        /// So many keys; 0 for records without key.
        keys: u32,
    },
    /// A consumer starts and reads from the beginning without end.
    Consume {
        /// What.
        topic: String,
        /// `client.rack`, for a consumer that prefers its own.
        rack: Option<String>,
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
    /// Its own configurations.
    pub configs: BTreeMap<String, String>,
}

/// What a tool may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// `kafka-get-offsets`.
    Offsets,
    /// `kafka-log-dirs`.
    LogDirs,
    /// `kafka-metadata-quorum`.
    Quorum,
    /// `kafka-topics --describe`.
    Topics,
    /// `kafka-reassign-partitions --list`.
    Reassignments,
}

impl Question {
    /// All of them.
    pub const ALL: [Question; 5] =
        [Question::Offsets, Question::LogDirs, Question::Quorum, Question::Topics, Question::Reassignments];

    /// Its name in plans.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Question::Offsets => "offsets",
            Question::LogDirs => "log-dirs",
            Question::Quorum => "quorum",
            Question::Topics => "topics",
            Question::Reassignments => "reassignments",
        }
    }
}

/// What a user may ask for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mistake {
    /// A topic with a name that none may have.
    IllegalTopicName,
    /// A broker that does not exist is to be unregistered.
    UnknownBroker,
    /// The preferred replica is elected, which may lead already.
    NeedlessElection,
    /// The same broker is to have two replicas.
    RepeatedReplica,
    /// A key has two values.
    RepeatedConfig,
    /// Records of a compacted topic are to be deleted.
    CompactedRecords,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Mistake; 6] = [
        Mistake::IllegalTopicName,
        Mistake::UnknownBroker,
        Mistake::NeedlessElection,
        Mistake::RepeatedReplica,
        Mistake::RepeatedConfig,
        Mistake::CompactedRecords,
    ];

    /// Its name in plans.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mistake::IllegalTopicName => "illegal-topic-name",
            Mistake::UnknownBroker => "unknown-broker",
            Mistake::NeedlessElection => "needless-election",
            Mistake::RepeatedReplica => "repeated-replica",
            Mistake::RepeatedConfig => "repeated-config",
            Mistake::CompactedRecords => "compacted-records",
        }
    }
}

/// Kinds of actions: what coverage counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is an action above, of a broker, a controller or ZooKeeper where it matters")]
pub enum Kind {
    KillBroker,
    StopBroker,
    StartBroker,
    KillController,
    StopController,
    StartController,
    KillZooKeeper,
    StartZooKeeper,
    Freeze,
    Thaw,
    PowerOff,
    SlowDisk,
    FullDisk,
    Clock,
    Cut,
    Lag,
    Isolate,
    Lossy,
    Delay,
    Jitter,
    Heal,
    AddBroker,
    RemoveBroker,
    CreateTopic,
    DeleteTopic,
    AddPartitions,
    Configure,
    DeleteRecords,
    ElectPreferred,
    ElectUnclean,
    Reassign,
    CancelReassignment,
    Ask,
    Mistake,
    Upgrade,
    Produce,
    Consume,
}

impl Kind {
    /// Those that are drawn in the course of a run, and how often each.
    pub const WEIGHTS: [(Kind, u32); 34] = [
        (Kind::Freeze, 6),
        (Kind::Thaw, 20),
        (Kind::PowerOff, 4),
        (Kind::SlowDisk, 5),
        (Kind::FullDisk, 2),
        (Kind::Clock, 2),
        (Kind::Cut, 8),
        (Kind::Lag, 4),
        (Kind::Isolate, 6),
        (Kind::Lossy, 4),
        (Kind::Delay, 3),
        (Kind::Jitter, 2),
        (Kind::Heal, 14),
        (Kind::KillBroker, 24),
        (Kind::StopBroker, 10),
        (Kind::StartBroker, 34),
        (Kind::KillController, 5),
        (Kind::StopController, 4),
        (Kind::StartController, 14),
        (Kind::KillZooKeeper, 5),
        (Kind::StartZooKeeper, 20),
        (Kind::AddBroker, 3),
        (Kind::RemoveBroker, 6),
        (Kind::CreateTopic, 6),
        (Kind::DeleteTopic, 6),
        (Kind::AddPartitions, 5),
        (Kind::Configure, 6),
        (Kind::DeleteRecords, 4),
        (Kind::ElectPreferred, 4),
        (Kind::ElectUnclean, 2),
        (Kind::Reassign, 12),
        (Kind::CancelReassignment, 8),
        (Kind::Ask, 8),
        (Kind::Mistake, 8),
    ];
}

impl Action {
    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Action::Kill(id) => of_role(*id, [Kind::KillBroker, Kind::KillController, Kind::KillZooKeeper]),
            Action::Stop(id) => of_role(*id, [Kind::StopBroker, Kind::StopController, Kind::KillZooKeeper]),
            Action::Start(id) => of_role(*id, [Kind::StartBroker, Kind::StartController, Kind::StartZooKeeper]),
            Action::Freeze(_) => Kind::Freeze,
            Action::Thaw(_) => Kind::Thaw,
            Action::PowerOff(_) => Kind::PowerOff,
            Action::SlowDisk { .. } => Kind::SlowDisk,
            Action::FullDisk(_) => Kind::FullDisk,
            Action::Clock { .. } => Kind::Clock,
            Action::Cut { .. } => Kind::Cut,
            Action::Lag { .. } => Kind::Lag,
            Action::Isolate(_) => Kind::Isolate,
            Action::Lossy { .. } => Kind::Lossy,
            Action::Delay { .. } => Kind::Delay,
            Action::Jitter { .. } => Kind::Jitter,
            Action::Heal => Kind::Heal,
            Action::AddBroker(_) => Kind::AddBroker,
            Action::RemoveBroker(_) => Kind::RemoveBroker,
            Action::CreateTopic(_) => Kind::CreateTopic,
            Action::DeleteTopic(_) => Kind::DeleteTopic,
            Action::AddPartitions { .. } => Kind::AddPartitions,
            Action::Configure { .. } => Kind::Configure,
            Action::DeleteRecords { .. } => Kind::DeleteRecords,
            Action::Elect { is_unclean: false } => Kind::ElectPreferred,
            Action::Elect { is_unclean: true } => Kind::ElectUnclean,
            Action::Reassign { .. } => Kind::Reassign,
            Action::CancelReassignment { .. } => Kind::CancelReassignment,
            Action::Ask(_) => Kind::Ask,
            Action::Mistake(_) => Kind::Mistake,
            Action::Upgrade(_) => Kind::Upgrade,
            Action::Produce { .. } => Kind::Produce,
            Action::Consume { .. } => Kind::Consume,
        }
    }

    /// Its first words, `produce-safe`.
    pub(crate) fn client_id(&self) -> String {
        self.to_string().split(' ').take(2).collect::<Vec<_>>().join("-")
    }

    /// The command that it is in that world.
    #[must_use]
    pub fn command(&self, world: &WorldPlan) -> Command {
        match self {
            Action::Kill(id) => Command::Kill(node(*id)),
            Action::Stop(id) => Command::Stop(node(*id)),
            Action::Start(id) => Command::Start(node(*id)),
            Action::Freeze(id) => Command::Freeze(node(*id)),
            Action::Thaw(id) => Command::Thaw(node(*id)),
            Action::PowerOff(id) => Command::PowerOff(node(*id)),
            Action::SlowDisk { server, delay_us: 0 } => disk(*server, DiskCondition::Sound),
            Action::SlowDisk { server, delay_us } => disk(*server, DiskCondition::Slow(Duration(*delay_us))),
            Action::FullDisk(id) => disk(*id, DiskCondition::Full),
            Action::Clock { server, offset_ms } => Command::SetClock { node: node(*server), offset_ms: *offset_ms },
            Action::Cut { from, to, is_one_way } => {
                let (from, to) = (node(*from), node(*to));
                let links = if *is_one_way { Links::OneWay { from, to } } else { Links::Between(from, to) };
                Command::ChangeLinks { links, change: LinkChange::Cut }
            }
            Action::Isolate(id) => links_of(*id, LinkChange::Cut),
            Action::Lossy { server, permille } => links_of(*server, LinkChange::Loss(*permille)),
            Action::Lag { from, to, delay_us } => {
                let links = Links::Between(node(*from), node(*to));
                Command::ChangeLinks { links, change: LinkChange::Delay(Duration(*delay_us)) }
            }
            Action::Delay { server, delay_us } => links_of(*server, LinkChange::Delay(Duration(*delay_us))),
            Action::Jitter { server, jitter_us } => links_of(*server, LinkChange::Jitter(Duration(*jitter_us))),
            Action::Heal => Command::ChangeLinks { links: Links::All, change: LinkChange::Heal },
            Action::AddBroker(id) => Command::AddServer(Box::new(world.broker(*id))),
            Action::RemoveBroker(id) => Command::RemoveServer(node(*id)),
            Action::CreateTopic(topic) => self.client(world, programs::creation(topic)),
            Action::DeleteTopic(topic) => self.client(world, programs::deletion(topic)),
            Action::AddPartitions { topic, count } => self.client(world, programs::enlargement(topic, *count)),
            Action::Configure { topic, key, value } => self.client(world, programs::configuration(topic, key, value)),
            Action::DeleteRecords { topic, partition, offset } => {
                self.client(world, programs::records_deletion(topic, *partition, *offset))
            }
            Action::Elect { is_unclean } => self.client(world, programs::election(*is_unclean)),
            Action::Reassign { topic, partition, replicas } => {
                self.client(world, programs::reassignment(topic, *partition, replicas))
            }
            Action::CancelReassignment { topic, partition } => {
                self.client(world, programs::cancellation(topic, *partition))
            }
            Action::Ask(question) => self.client(world, programs::question(*question)),
            Action::Mistake(mistake) => self.client(world, programs::mistake(*mistake)),
            Action::Upgrade(level) => self.client(world, programs::upgrade(*level)),
            Action::Produce { topic, acks, interval_ms, keys } => {
                self.client(world, programs::producer(topic, *acks, *interval_ms, *keys))
            }
            Action::Consume { topic, rack } => self.client(world, programs::consumer(topic, rack.clone())),
        }
    }
}

impl Action {
    fn client(&self, world: &WorldPlan, program: Program) -> Command {
        let bootstrap_servers = world.bootstrap_servers();
        Command::StartClient(ClientSpec { client_id: self.client_id(), bootstrap_servers, program })
    }
}

fn of_role(id: i32, [broker, controller, zookeeper]: [Kind; 3]) -> Kind {
    match id {
        crate::world_plan::ZOOKEEPER => zookeeper,
        id if is_broker(id) => broker,
        _ => controller,
    }
}

fn disk(server: i32, condition: DiskCondition) -> Command {
    Command::SetDisk { node: node(server), condition }
}

fn links_of(server: i32, change: LinkChange) -> Command {
    Command::ChangeLinks { links: Links::Of(node(server)), change }
}
