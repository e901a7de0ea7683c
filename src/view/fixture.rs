//! A frame made by hand for tests: three brokers, a controller, a producer and a consumer, and one topic whose leader is
//! one record ahead of its followers.

use super::cluster::{Cast, ServerKind};
use kafka::instant::Instant;
use kafka::log::{LogSegment, Segments};
use kafka::metadata::{ClusterImage, ImageDelta};
use kafka::node::{ConnectionId, Message, NodeId};
use kafka::storage::StoredLog;
use kafka::view::{
    BrokerState, BrokerView, ConsumerView, ControllerView, NodeView, OpenSends, PositionView, ProducerView, QuorumRole,
    QuorumView, ReplicaRole, ReplicaView, ZooKeeperControllerView, ZooKeeperSessionView, ZooKeeperView,
};
use kafka::zookeeper::{Change, Database, Transaction};
use sim::TraceHash;
use sim::frame::{BranchId, Delivery, FlightContent, Frame, MessageInFlight, NodeFaults, NodeFrame};
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::request::{Acks, FetchRequest, IsolationLevel};
use wire::zookeeper::{SessionId, ZnodeData, ZnodePath, Zxid};
use wire::{
    BrokerEpoch, BrokerId, Endpoint, FetchMetadata, IncarnationId, LeaderEpoch, MetadataRecord, Offset,
    PartitionChangeRecord, PartitionEpoch, PartitionIndex, PartitionRecord, Record, RecordBatch, Request, Timestamp,
    TopicId, TopicName, TopicPartition,
};

pub(crate) const LEADER_END: i64 = 8;
pub(crate) const FOLLOWER_END: i64 = 7;
pub(crate) const HIGH_WATERMARK: i64 = 6;
const TOPIC: TopicId = TopicId(7);

pub(crate) fn cast() -> Cast {
    let brokers = [1, 2, 3].map(|id| (id, ServerKind::Broker));
    brokers.into_iter().chain([(100, ServerKind::Controller)]).collect()
}

pub(crate) fn partition(index: i32) -> TopicPartition {
    TopicPartition::new(TopicName::new("orders"), PartitionIndex(index))
}

/// With so many partitions, all led by broker 1.
pub(crate) fn frame(partitions: i32) -> Frame {
    let image = Arc::new(image(partitions));
    let mut nodes: Vec<NodeFrame> = [1, 2, 3].map(|id| broker(id, partitions, &image)).into();
    nodes.push(server(100, 9090, Some(controller(&image))));
    nodes.push(client(1, producer()));
    nodes.push(client(2, consumer()));
    Frame {
        now: Instant(1_000_000),
        step: 10,
        hash: TraceHash(0),
        nodes,
        messages: Vec::new(),
        links: Vec::new(),
        branch: BranchId(0),
        known_until: Instant(1_000_000),
    }
}

fn image(partitions: i32) -> ClusterImage {
    let mut records: Vec<MetadataRecord> = [1, 2, 3].map(registration).into();
    records.extend([1, 2, 3].map(|id| fenced(id, false)));
    records.push(MetadataRecord::Topic { name: partition(0).topic, topic_id: TOPIC });
    let replicas = vec![BrokerId(1), BrokerId(2), BrokerId(3)];
    records.extend((0..partitions).map(|index| {
        let place = (TOPIC, PartitionIndex(index));
        MetadataRecord::Partition(PartitionRecord::created(place, replicas.clone(), replicas.clone()))
    }));
    let mut image = ClusterImage::default();
    records.iter().for_each(|record| image.replay(record, &mut ImageDelta::default()));
    image
}

fn registration(id: i32) -> MetadataRecord {
    MetadataRecord::RegisterBroker {
        broker_id: BrokerId(id),
        incarnation_id: IncarnationId(1),
        broker_epoch: BrokerEpoch(5),
        endpoint: endpoint(id),
        rack: None,
    }
}

fn fenced(id: i32, fenced: bool) -> MetadataRecord {
    MetadataRecord::BrokerRegistrationChange {
        broker_id: BrokerId(id),
        broker_epoch: BrokerEpoch(5),
        fenced: Some(fenced),
        in_controlled_shutdown: None,
    }
}

fn endpoint(id: i32) -> Endpoint {
    Endpoint::new("localhost", 9091 + id as u16)
}

fn server(id: i32, port: u16, process: Option<NodeView>) -> NodeFrame {
    let endpoint = Some(Endpoint::new("localhost", port));
    NodeFrame {
        id: NodeId::Server(id),
        endpoint,
        controller_endpoint: None,
        process,
        disk: Arc::default(),
        faults: NodeFaults::default(),
    }
}

fn client(number: u32, process: NodeView) -> NodeFrame {
    let (disk, faults) = (Arc::default(), NodeFaults::default());
    let (endpoint, controller_endpoint) = (None, None);
    NodeFrame { id: NodeId::Client(number), endpoint, controller_endpoint, process: Some(process), disk, faults }
}

fn broker(id: i32, partitions: i32, image: &Arc<ClusterImage>) -> NodeFrame {
    let view = BrokerView {
        fetch_sessions: 0,
        state: BrokerState::Running,
        broker_epoch: Some(BrokerEpoch(5)),
        controller: None,
        metadata_offset: Offset(20),
        image: image.clone(),
        replicas: (0..partitions).map(|index| replica(id, index)).collect(),
    };
    server(id, endpoint(id).port, Some(NodeView::Broker(view)))
}

fn replica(broker: i32, index: i32) -> ReplicaView {
    let ids = vec![BrokerId(1), BrokerId(2), BrokerId(3)];
    let is_leader = broker == 1;
    let log_end_offset = Offset(if is_leader { LEADER_END } else { FOLLOWER_END });
    ReplicaView {
        partition: partition(index),
        topic_id: TOPIC,
        role: if is_leader {
            ReplicaRole::Leader {
                isr: ids.clone(),
                maximal_isr: ids,
                has_proposal: false,
                partition_epoch: PartitionEpoch(0),
                followers: Vec::new(),
            }
        } else {
            ReplicaRole::Follower { leader: Some(BrokerId(1)), has_failed: false }
        },
        leader_epoch: LeaderEpoch::ZERO,
        log_start_offset: Offset::ZERO,
        log_end_offset,
        high_watermark: Offset(HIGH_WATERMARK),
        leader_epochs: vec![(LeaderEpoch::ZERO, Offset::ZERO)],
        last_stable_offset: Offset(HIGH_WATERMARK),
        recovery_point: Offset::ZERO,
        segments: segments(log_end_offset),
        producers: Arc::default(),
    }
}

/// Batches of two records, so that a batch's end is not a record's.
fn segments(end: Offset) -> Segments {
    let batches = (0..end.0).step_by(2).map(|offset| {
        let count = (end.0 - offset).min(2);
        let records = (0..count).map(|_| Record::new(Some(b"k"), Some("값".as_bytes()), Timestamp(0))).collect();
        Arc::new(RecordBatch::from_producer(records).appended_at(Offset(offset), LeaderEpoch::ZERO))
    });
    Segments::of_batches(Offset::ZERO, batches)
}

fn controller(image: &Arc<ClusterImage>) -> NodeView {
    NodeView::Controller(ControllerView {
        is_active: true,
        epoch: LeaderEpoch(1),
        log_end_offset: Offset(21),
        high_watermark: Offset(21),
        image: image.clone(),
        quorum: QuorumView { role: QuorumRole::Leader, leader: Some(100), ..QuorumView::of_nobody() },
    })
}

/// Adds controllers that follow 100.
pub(crate) fn add_controllers(frame: &mut Frame, ids: &[i32]) {
    for id in ids {
        let quorum = QuorumView { role: QuorumRole::Follower, leader: Some(100), ..QuorumView::of_nobody() };
        let view = ControllerView {
            is_active: false,
            epoch: LeaderEpoch(1),
            log_end_offset: Offset(21),
            high_watermark: Offset(20),
            image: Arc::default(),
            quorum,
        };
        frame.nodes.insert(0, server(*id, 9090, Some(NodeView::Controller(view))));
    }
}

/// With broker 1 as the only controller too.
pub(crate) fn combined_frame() -> Frame {
    let mut frame = frame(1);
    frame.nodes.retain(|node| node.id != NodeId::Server(100));
    for node in frame.nodes.iter_mut().filter(|node| node.id == NodeId::Server(1)) {
        let Some(NodeView::Broker(broker)) = node.process.take() else { panic!("a broker runs") };
        let NodeView::Controller(view) = controller(&broker.image) else { panic!("a controller is one") };
        node.process = Some(NodeView::Combined(broker, view));
    }
    frame
}

/// With ZooKeeper in place of the controller, one session, and broker 2 as the controller.
pub(crate) fn zookeeper_frame() -> Frame {
    let mut frame = frame(1);
    frame.nodes.retain(|node| node.id != NodeId::Server(100));
    let (session, path) = (SessionId(1), ZnodePath::new("/controller"));
    let data = ZnodeData::Controller { broker_id: BrokerId(2), timestamp: Timestamp(0) };
    let changes = vec![
        Change::CreateSession { session, timeout_ms: 18_000 },
        Change::Create { path, data, ephemeral_owner: Some(session) },
    ];
    let mut database = Database::default();
    database.apply(&Transaction { zxid: Zxid(1), at: Timestamp(0), changes });
    let client = Some(NodeId::Server(2));
    let session = ZooKeeperSessionView { session, timeout_ms: 18_000, client, expires_at: Instant(19_000_000) };
    let view = ZooKeeperView { database: Arc::new(database), sessions: vec![session] };
    for node in &mut frame.nodes {
        if let (NodeId::Server(2), Some(NodeView::Broker(view))) = (node.id, &mut node.process) {
            view.controller = Some(ZooKeeperControllerView { controller_epoch: 3, waiting_events: 0 });
        }
    }
    let process = server(0, 2181, Some(NodeView::ZooKeeper(view)));
    frame.nodes.insert(0, NodeFrame { id: NodeId::ZooKeeper, ..process });
    frame
}

fn producer() -> NodeView {
    NodeView::Producer(ProducerView {
        client_id: "orders-producer".to_owned(),
        acks: Acks::All,
        waiting: 0,
        pending: 1,
        acknowledged: 7,
        failed: 0,
        last_offsets: vec![(partition(0), Offset(5))],
        open: Some(OpenSends { since: Instant(1_000_000), given_up_at: Instant(121_000_000) }),
        known_brokers: vec![1],
    })
}

fn consumer() -> NodeView {
    let position = PositionView { partition: partition(0), position: Some(Offset(6)), leader: Some(BrokerId(1)) };
    NodeView::Consumer(ConsumerView {
        client_id: "orders-reader".to_owned(),
        positions: vec![position],
        consumed: 6,
        known_brokers: vec![1],
    })
}

/// A fetch between two servers, message number 1.
pub(crate) fn fetch_request(from: i32, to: i32, sent_at: u64, deliver_at: u64) -> MessageInFlight {
    let from = NodeId::Server(from);
    let request = Request::Fetch(Box::new(FetchRequest {
        replica: None,
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: 1,
        isolation_level: IsolationLevel::ReadUncommitted,
        metadata: FetchMetadata::LEGACY,
        partitions: Vec::new(),
        forgotten: Vec::new(),
        rack_id: None,
    }));
    MessageInFlight {
        id: 1,
        from,
        to: NodeId::Server(to),
        connection: ConnectionId { opener: from, incarnation: 0, number: 0 },
        sent_at: Instant(sent_at),
        delivery: Delivery::At(Instant(deliver_at)),
        content: FlightContent::Message(Arc::new(Message::Request { correlation_id: 1, request })),
    }
}

/// Takes a broker's process away and leaves its disk.
pub(crate) fn kill(frame: &mut Frame, id: i32) {
    let node = frame.nodes.iter_mut().find(|node| node.id == NodeId::Server(id)).expect("the broker exists");
    let Some(NodeView::Broker(view)) = node.process.take() else { panic!("a broker runs") };
    let disk: BTreeMap<TopicPartition, StoredLog> =
        view.replicas.into_iter().map(|replica| (replica.partition.clone(), stored(replica))).collect();
    node.disk = Arc::new(disk);
}

fn stored(replica: ReplicaView) -> StoredLog {
    StoredLog {
        log_start_offset: replica.log_start_offset,
        segments: replica.segments,
        leader_epochs: replica.leader_epochs,
        high_watermark: replica.high_watermark,
        ..StoredLog::new(replica.topic_id)
    }
}

/// Has the controller fence a broker.
pub(crate) fn fence(frame: &mut Frame, id: i32) {
    replay(frame, &fenced(id, true));
}

/// Has the controller change the in-sync replicas of partition 0.
pub(crate) fn shrink_isr(frame: &mut Frame, isr: &[i32]) {
    let isr = Some(isr.iter().map(|id| BrokerId(*id)).collect());
    let change = PartitionChangeRecord { isr, ..PartitionChangeRecord::of(TOPIC, PartitionIndex(0)) };
    replay(frame, &MetadataRecord::PartitionChange(change));
}

/// Has the controller take replicas out of sync that remain eligible to lead.
pub(crate) fn make_eligible(frame: &mut Frame, isr: &[i32], eligible: &[i32]) {
    let ids = |ids: &[i32]| Some(ids.iter().map(|id| BrokerId(*id)).collect());
    let (isr, eligible_leader_replicas) = (ids(isr), ids(eligible));
    let of_partition = PartitionChangeRecord::of(TOPIC, PartitionIndex(0));
    let change = PartitionChangeRecord { isr, eligible_leader_replicas, ..of_partition };
    replay(frame, &MetadataRecord::PartitionChange(change));
}

/// Has the controller add and remove replicas of partition 0.
pub(crate) fn reassign(frame: &mut Frame, adding: &[i32], removing: &[i32]) {
    let ids = |ids: &[i32]| Some(ids.iter().map(|id| BrokerId(*id)).collect());
    let (adding_replicas, removing_replicas) = (ids(adding), ids(removing));
    let of_partition = PartitionChangeRecord::of(TOPIC, PartitionIndex(0));
    let change = PartitionChangeRecord { adding_replicas, removing_replicas, ..of_partition };
    replay(frame, &MetadataRecord::PartitionChange(change));
}

/// Has a follower of partition 0 give up fetching.
pub(crate) fn give_up_fetching(frame: &mut Frame, broker: i32) {
    let node = frame.nodes.iter_mut().find(|node| node.id == NodeId::Server(broker));
    let Some(NodeView::Broker(view)) = node.and_then(|node| node.process.as_mut()) else { return };
    for replica in view.replicas.iter_mut().filter(|replica| replica.partition == partition(0)) {
        replica.role = ReplicaRole::Follower { leader: Some(BrokerId(1)), has_failed: true };
    }
}

fn replay(frame: &mut Frame, record: &MetadataRecord) {
    for node in &mut frame.nodes {
        if let Some(NodeView::Controller(view)) = &mut node.process {
            Arc::make_mut(&mut view.image).replay(record, &mut ImageDelta::default());
        }
    }
}

/// Takes all replicas off a running broker.
pub(crate) fn drop_replicas(frame: &mut Frame, id: i32) {
    replicas_of(frame, id).clear();
}

/// Leaves only the records below `end` on a running broker.
pub(crate) fn cut_log(frame: &mut Frame, id: i32, end: i64) {
    for replica in replicas_of(frame, id) {
        replica.log_end_offset = Offset(end);
        replica.high_watermark = replica.high_watermark.min(Offset(end));
        replica.segments = segments(Offset(end));
    }
}

/// Ends a segment of a running broker's logs at an offset.
pub(crate) fn roll_segment(frame: &mut Frame, id: i32, at: i64) {
    for replica in replicas_of(frame, id) {
        let settings = replica.segments.active().settings();
        let end = replica.log_end_offset;
        let later: Vec<Arc<RecordBatch>> = replica.segments.batches_from(Offset(at)).cloned().collect();
        replica.segments = segments(Offset(at));
        replica.segments.roll(LogSegment::new(Offset(at), settings));
        for batch in later {
            replica.segments.active_mut().append(batch, Timestamp(0));
        }
        assert_eq!(replica.segments.end_offset(), end, "the log is as long as before");
    }
}

/// Lets an open transaction hold the last stable offset of a running broker's logs.
pub(crate) fn hold_stable_offset(frame: &mut Frame, id: i32, offset: i64) {
    replicas_of(frame, id).iter_mut().for_each(|replica| replica.last_stable_offset = Offset(offset));
}

fn replicas_of(frame: &mut Frame, id: i32) -> &mut Vec<ReplicaView> {
    let node = frame.nodes.iter_mut().find(|node| node.id == NodeId::Server(id)).expect("the broker exists");
    let Some(NodeView::Broker(view)) = &mut node.process else { panic!("a broker runs") };
    &mut view.replicas
}
