//! The cluster as the page lists it: servers, clients, partitions and replicas, picked out of a frame. Nothing is
//! decided here; whose view a fact is, is part of its name.

use kafka::log::Segments;
use kafka::metadata::{BrokerRegistration, ClusterImage, PartitionRegistration};
use kafka::node::NodeId;
use kafka::storage::StoredLog;
use kafka::view::{
    AdminView, BrokerState, BrokerView, ConsumerView, ControllerView, NodeView, ProducerView, ReplicaRole, ReplicaView,
    ZooKeeperView,
};
use kafka::zk_data;
use sim::frame::{Frame, NodeFrame};
use std::collections::{BTreeMap, BTreeSet};
use wire::zookeeper::{ZnodeData, ZnodePath};
use wire::{BrokerId, Bytes, LeaderEpoch, Offset, RecordBatch, Timestamp, TopicName, TopicPartition};

/// The topic that holds the metadata log; it is not shown among the partitions.
pub(super) const METADATA_TOPIC: &str = "__cluster_metadata";

/// What a server is, from the world's specification: a dead process cannot tell. A combined server is a broker whose
/// process has a part in the quorum too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerKind {
    Broker,
    Controller,
}

/// The servers with which the world began, by `node.id`.
pub(crate) type Cast = BTreeMap<i32, ServerKind>;

/// What a server is; those that came later are brokers.
pub(crate) fn kind_of(id: i32, cast: &Cast) -> ServerKind {
    cast.get(&id).copied().unwrap_or(ServerKind::Broker)
}

/// Where a broker is in its life, its own word and the controller's together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BrokerStatus {
    Down,
    Starting,
    Recovery,
    Running,
    /// Its process says that it serves, the controller has fenced it.
    RunningButFenced,
    ControlledShutdown,
    ShuttingDown,
}

/// One replica, of a running process or on the disk of a dead one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replica<'f> {
    pub(crate) broker: BrokerId,
    pub(crate) source: ReplicaSource<'f>,
}

/// Where we see a replica.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ReplicaSource<'f> {
    Running(&'f ReplicaView),
    OnDisk(&'f StoredLog),
}

/// One record with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LogRecord {
    pub(crate) offset: Offset,
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    pub(crate) timestamp: Timestamp,
}

/// A client program that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClientView<'f> {
    Producer(&'f ProducerView),
    Consumer(&'f ConsumerView),
    Admin(&'f AdminView),
}

impl<'f> Replica<'f> {
    pub(crate) fn log_start_offset(&self) -> Offset {
        match self.source {
            ReplicaSource::Running(replica) => replica.log_start_offset,
            ReplicaSource::OnDisk(log) => log.start_offset(),
        }
    }

    pub(crate) fn log_end_offset(&self) -> Offset {
        match self.source {
            ReplicaSource::Running(replica) => replica.log_end_offset,
            ReplicaSource::OnDisk(log) => log.end_offset(),
        }
    }

    /// Of a dead broker: as last written to its checkpoint.
    pub(crate) fn high_watermark(&self) -> Offset {
        match self.source {
            ReplicaSource::Running(replica) => replica.high_watermark,
            ReplicaSource::OnDisk(log) => log.high_watermark,
        }
    }

    pub(crate) fn leader_epochs(&self) -> &'f [(LeaderEpoch, Offset)] {
        match self.source {
            ReplicaSource::Running(replica) => &replica.leader_epochs,
            ReplicaSource::OnDisk(log) => &log.leader_epochs,
        }
    }

    pub(crate) fn is_on_disk_only(&self) -> bool {
        match self.source {
            ReplicaSource::Running(_) => false,
            ReplicaSource::OnDisk(_) => true,
        }
    }

    pub(crate) fn running(&self) -> Option<&'f ReplicaView> {
        match self.source {
            ReplicaSource::Running(replica) => Some(replica),
            ReplicaSource::OnDisk(_) => None,
        }
    }

    pub(crate) fn is_leader(&self) -> bool {
        self.running().is_some_and(|replica| match replica.role {
            ReplicaRole::Leader { .. } => true,
            ReplicaRole::Follower { .. } => false,
        })
    }

    pub(crate) fn segments(&self) -> &'f Segments {
        match self.source {
            ReplicaSource::Running(replica) => &replica.segments,
            ReplicaSource::OnDisk(log) => &log.segments,
        }
    }

    /// The records from `from` on, below `to`.
    pub(crate) fn records(&self, from: Offset, to: Offset) -> Vec<LogRecord> {
        let within = self.segments().batches_from(from).take_while(|batch| batch.base_offset < to);
        let records = within.flat_map(|batch| batch.records().iter().map(move |record| log_record(batch, record)));
        records.filter(|record| (from..to).contains(&record.offset)).collect()
    }

    pub(crate) fn record_at(&self, offset: Offset) -> Option<LogRecord> {
        self.records(offset, offset.next()).pop()
    }
}

fn log_record(batch: &RecordBatch, record: &wire::Record) -> LogRecord {
    LogRecord {
        offset: batch.base_offset + i64::from(record.offset_delta),
        leader_epoch: batch.partition_leader_epoch,
        key: record.key.clone(),
        value: record.value.clone(),
        timestamp: batch.timestamp_of(record),
    }
}

impl ClientView<'_> {
    pub(crate) fn client_id(&self) -> &str {
        match self {
            ClientView::Producer(view) => &view.client_id,
            ClientView::Consumer(view) => &view.client_id,
            ClientView::Admin(view) => &view.client_id,
        }
    }
}

/// The broker that a node is, if it is one.
pub(crate) fn broker_id(node: NodeId, cast: &Cast) -> Option<BrokerId> {
    match node {
        NodeId::Server(id) if kind_of(id, cast) == ServerKind::Broker => Some(BrokerId(id)),
        NodeId::Server(_) | NodeId::ZooKeeper | NodeId::Client(_) => None,
    }
}

pub(crate) fn node(frame: &Frame, id: NodeId) -> Option<&NodeFrame> {
    frame.nodes.iter().find(|node| node.id == id)
}

/// The brokers, in order of their ids.
pub(crate) fn brokers<'f>(frame: &'f Frame, cast: &'f Cast) -> impl Iterator<Item = (BrokerId, &'f NodeFrame)> {
    servers(frame, cast, ServerKind::Broker).map(|(id, node)| (BrokerId(id), node))
}

/// The controllers, in order of their ids.
pub(crate) fn controllers<'f>(frame: &'f Frame, cast: &'f Cast) -> impl Iterator<Item = (i32, &'f NodeFrame)> {
    servers(frame, cast, ServerKind::Controller)
}

/// Who keeps the cluster's metadata: the controllers, or ZooKeeper.
pub(crate) fn coordinators<'f>(frame: &'f Frame, cast: &'f Cast) -> impl Iterator<Item = &'f NodeFrame> {
    let zookeeper = node(frame, NodeId::ZooKeeper);
    controllers(frame, cast).map(|(_, node)| node).chain(zookeeper)
}

fn servers<'f>(frame: &'f Frame, cast: &'f Cast, kind: ServerKind) -> impl Iterator<Item = (i32, &'f NodeFrame)> {
    let mut servers: Vec<(i32, &NodeFrame)> = frame
        .nodes
        .iter()
        .filter_map(|node| match node.id {
            NodeId::Server(id) if kind_of(id, cast) == kind => Some((id, node)),
            NodeId::Server(_) | NodeId::ZooKeeper | NodeId::Client(_) => None,
        })
        .collect();
    servers.sort_by_key(|(id, _)| *id);
    servers.into_iter()
}

/// The client programs that run.
pub(crate) fn clients(frame: &Frame) -> impl Iterator<Item = (NodeId, ClientView<'_>)> {
    frame.nodes.iter().filter_map(|node| Some((node.id, client_view(node)?)))
}

pub(crate) fn client_view(node: &NodeFrame) -> Option<ClientView<'_>> {
    match node.process.as_ref()? {
        NodeView::Producer(view) => Some(ClientView::Producer(view)),
        NodeView::Consumer(view) => Some(ClientView::Consumer(view)),
        NodeView::Admin(view) => Some(ClientView::Admin(view)),
        NodeView::Broker(_) | NodeView::Controller(_) | NodeView::Combined(..) | NodeView::ZooKeeper(_) => None,
    }
}

pub(crate) fn broker_view(node: &NodeFrame) -> Option<&BrokerView> {
    node.process.as_ref()?.broker()
}

pub(crate) fn controller_view(node: &NodeFrame) -> Option<&ControllerView> {
    node.process.as_ref()?.controller()
}

pub(crate) fn zookeeper_view(node: &NodeFrame) -> Option<&ZooKeeperView> {
    match node.process.as_ref()? {
        NodeView::ZooKeeper(view) => Some(view),
        NodeView::Broker(_)
        | NodeView::Controller(_)
        | NodeView::Combined(..)
        | NodeView::Producer(_)
        | NodeView::Consumer(_)
        | NodeView::Admin(_) => None,
    }
}

/// The controller's part of a combined server.
pub(crate) fn combined_controller(node: &NodeFrame) -> Option<&ControllerView> {
    broker_view(node).and(controller_view(node))
}

/// The epoch in which a broker is the controller of a ZooKeeper cluster, by its own word. One that was deposed and has
/// not heard of it yet says so too.
pub(crate) fn office(node: &NodeFrame) -> Option<i32> {
    broker_view(node)?.controller.map(|office| office.controller_epoch)
}

/// The broker that holds the office of the controller in the latest epoch.
fn controller_node(frame: &Frame) -> Option<&NodeFrame> {
    frame.nodes.iter().filter(|node| office(node).is_some()).max_by_key(|node| office(node))
}

/// The cluster as the active controller has it; nothing while there is none. In a ZooKeeper cluster: as the broker that
/// is its controller tells clients of it.
pub(crate) fn controller_image(frame: &Frame) -> Option<&ClusterImage> {
    let mut views = frame.nodes.iter().filter_map(controller_view);
    let active = views.find(|view| view.is_active).map(|view| &*view.image);
    active.or_else(|| Some(&*broker_view(controller_node(frame)?)?.image))
}

/// The broker that ZooKeeper has as the controller.
pub(crate) fn controller_in_zookeeper(view: &ZooKeeperView) -> Option<BrokerId> {
    let znode = view.database.znode(&ZnodePath::new(zk_data::CONTROLLER))?;
    let ZnodeData::Controller { broker_id, .. } = &znode.data else { return None };
    Some(*broker_id)
}

/// A partition's state as the active controller has it.
pub(crate) fn registration<'f>(frame: &'f Frame, partition: &TopicPartition) -> Option<&'f PartitionRegistration> {
    controller_image(frame)?.partition(partition)
}

/// A broker's registration as the active controller has it.
pub(crate) fn broker_registration(frame: &Frame, broker: BrokerId) -> Option<&BrokerRegistration> {
    controller_image(frame)?.brokers().get(&broker)
}

pub(crate) fn broker_status(frame: &Frame, node: &NodeFrame, broker: BrokerId) -> BrokerStatus {
    let Some(view) = broker_view(node) else { return BrokerStatus::Down };
    let is_fenced = broker_registration(frame, broker).is_some_and(|registration| registration.fenced);
    match view.state {
        BrokerState::Starting => BrokerStatus::Starting,
        BrokerState::Recovery => BrokerStatus::Recovery,
        BrokerState::Running if is_fenced => BrokerStatus::RunningButFenced,
        BrokerState::Running => BrokerStatus::Running,
        BrokerState::PendingControlledShutdown => BrokerStatus::ControlledShutdown,
        BrokerState::ShuttingDown => BrokerStatus::ShuttingDown,
    }
}

/// The replica of a partition on a broker, running or on disk.
pub(crate) fn replica<'f>(node: &'f NodeFrame, broker: BrokerId, partition: &TopicPartition) -> Option<Replica<'f>> {
    let source = match broker_view(node) {
        Some(view) => ReplicaSource::Running(view.replicas.iter().find(|replica| replica.partition == *partition)?),
        None => ReplicaSource::OnDisk(node.disk.get(partition)?),
    };
    Some(Replica { broker, source })
}

/// Every partition that the controller or a broker knows of, of one topic or of all.
pub(crate) fn partitions(frame: &Frame, topic: Option<&TopicName>) -> Vec<TopicPartition> {
    let mut found: BTreeSet<TopicPartition> = BTreeSet::new();
    if let Some(image) = controller_image(frame) {
        found.extend(image.partitions().map(|(partition, _)| partition));
    }
    for node in &frame.nodes {
        if let Some(view) = broker_view(node) {
            found.extend(view.replicas.iter().map(|replica| replica.partition.clone()));
        }
        found.extend(node.disk.keys().cloned());
    }
    let is_wanted = |partition: &TopicPartition| {
        partition.topic.as_str() != METADATA_TOPIC && topic.is_none_or(|topic| partition.topic == *topic)
    };
    found.into_iter().filter(is_wanted).collect()
}

/// The topics of those partitions.
pub(crate) fn topics(frame: &Frame) -> Vec<TopicName> {
    let topics: BTreeSet<TopicName> = partitions(frame, None).into_iter().map(|partition| partition.topic).collect();
    topics.into_iter().collect()
}

/// What the controller has noted of a replica besides that it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is not in sync.
    OutOfSync,
    /// It is not in sync, but has every committed record and may lead (KIP-966).
    Eligible,
    /// A reassignment adds it.
    Adding,
    /// A reassignment removes it.
    Removing,
}

/// What is to be said of a broker's replica of a partition; nothing of one that is simply in sync.
pub(crate) fn standings(frame: &Frame, broker: BrokerId, partition: &TopicPartition) -> Vec<Standing> {
    let Some(state) = registration(frame, partition).filter(|state| state.replicas.contains(&broker)) else {
        return Vec::new();
    };
    let is_eligible = state.eligible_leader_replicas.contains(&broker);
    [
        (!is_eligible && !state.isr.contains(&broker), Standing::OutOfSync),
        (is_eligible, Standing::Eligible),
        (state.adding_replicas.contains(&broker), Standing::Adding),
        (state.removing_replicas.contains(&broker), Standing::Removing),
    ]
    .into_iter()
    .filter_map(|(is_so, standing)| is_so.then_some(standing))
    .collect()
}
