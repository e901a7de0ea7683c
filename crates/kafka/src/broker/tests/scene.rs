//! Broker 1 and what happens to it. Broker 2 and the controller are played by hand.

use super::describe::describe;
use crate::Rng;
use crate::broker::{Broker, timers};
use crate::instant::{Duration, Instant, WallClock};
use crate::node::{ConnectionId, Effect, Effects, Identity, Input, Instruction, Message, Node, NodeId, Timer};
use crate::spec::{Coordination, HistoricalFaults, ServerRole, ServerSpec};
use crate::storage::{Disk, DiskWrite};
use rand::SeedableRng;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::request::{
    Acks, FetchPartition, FetchRequest, IsolationLevel, ProducePartition, ProduceRequest, ReplicaState,
};
use wire::response::{
    BrokerHeartbeatResponse, BrokerRegistrationResponse, FetchPartitionResult, FetchResponse, LeaderIdAndEpoch,
    QuorumFetchResult,
};
use wire::{
    BrokerEpoch, BrokerId, Endpoint, ErrorCode, FetchMetadata, IncarnationId, LeaderEpoch, MetadataRecord, Offset,
    PartitionChangeRecord, PartitionIndex, PartitionRecord, Record, RecordBatch, Request, Response, Timestamp, TopicId,
    TopicName, TopicPartition,
};

/// What the connections to the quorum are numbered from.
const FIRST_OF_QUORUM: u32 = 1 << 31;
/// The connection to the metadata quorum. Tests number it first, and the others behind it.
pub(super) const METADATA: u32 = 0;
/// The heartbeat channel's connection.
pub(super) const HEARTBEAT: u32 = 1;
/// The topic that tests use.
pub(super) const TOPIC_ID: TopicId = TopicId(7);
/// The epoch of broker 1.
pub(super) const EPOCH: BrokerEpoch = BrokerEpoch(3);
/// The epoch of broker 2.
pub(super) const OTHER_EPOCH: BrokerEpoch = BrokerEpoch(1);

/// Broker 1 and the time.
pub(super) struct Scene {
    pub(super) broker: Broker,
    pub(super) now: Instant,
    fetches: i32,
    heartbeats: i32,
    next_offset: i64,
}

impl Scene {
    /// A process that has not started.
    pub(super) fn new() -> Scene {
        Scene::with_properties(&[])
    }

    pub(super) fn with_properties(properties: &[(&str, &str)]) -> Scene {
        let owned = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let spec = ServerSpec {
            node_id: 1,
            role: ServerRole::Broker,
            endpoint: Endpoint::new("broker-1", 9092),
            rack: None,
            coordination: Coordination::KRaft { voters: vec![(100, Endpoint::new("controller", 9093))] },
            properties: Arc::new(owned.collect::<BTreeMap<String, String>>()),
            historical_faults: HistoricalFaults::default(),
        };
        let clock = WallClock { epoch: Timestamp(1_000_000) };
        let identity = Identity { node: NodeId::Server(1), incarnation: 0, clock };
        let broker = Broker::new(spec, identity, Rng::seed_from_u64(1));
        Scene { broker, now: Instant(1_000_000), fetches: 0, heartbeats: 0, next_offset: 0 }
    }

    /// Broker 1 runs, its listener is open, and it leads `t-0` with broker 2 in sync.
    pub(super) fn leading() -> Scene {
        Scene::leading_with(&[])
    }

    pub(super) fn leading_with(properties: &[(&str, &str)]) -> Scene {
        let mut scene = Scene::running(properties);
        scene.metadata(vec![topic(), partition_record(Some(1), &[1, 2])]);
        scene
    }

    /// Broker 1 runs and follows `t-0`, which broker 2 leads. The fetcher's connection is established.
    pub(super) fn following() -> Scene {
        let mut scene = Scene::running(&[]);
        scene.metadata(vec![topic(), partition_record(Some(2), &[1, 2])]);
        scene.connected(2);
        scene
    }

    /// Broker 1 runs without partitions.
    pub(super) fn running(properties: &[(&str, &str)]) -> Scene {
        let mut scene = Scene::with_properties(properties);
        scene.step(Input::Started { disk: Disk::default() });
        scene.find_controller();
        scene.connected(HEARTBEAT);
        scene.answer(HEARTBEAT, 0, registered());
        scene.heartbeats = 1;
        scene.metadata(vec![register(2, OTHER_EPOCH), unfence(2, OTHER_EPOCH), register(1, EPOCH), unfence(1, EPOCH)]);
        scene.heartbeat(true, true);
        scene.heartbeat(true, false);
        scene
    }

    /// One input, and what the broker does.
    pub(super) fn step(&mut self, input: Input) -> Vec<String> {
        let mut effects = Effects::new();
        self.broker.step(self.now, input, &mut effects);
        let told = effects.drain().filter(|effect| !is_of_quorum(effect));
        told.map(|effect| describe(&effect, self.now)).collect()
    }

    pub(super) fn wait(&mut self, ms: i64) {
        self.now = self.now + Duration::from_ms(ms);
    }

    pub(super) fn connected(&mut self, number: u32) -> Vec<String> {
        self.step(Input::Connected { connection: own(number) })
    }

    pub(super) fn disconnected(&mut self, connection: ConnectionId) -> Vec<String> {
        self.step(Input::Disconnected { connection })
    }

    pub(super) fn fire(&mut self, kind: u8, key: u64) -> Vec<String> {
        self.step(Input::TimerFired { timer: Timer { kind, key } })
    }

    pub(super) fn shut_down(&mut self) -> Vec<String> {
        self.step(Input::Told(Instruction::ShutDown))
    }

    /// An answer on a connection of broker 1.
    pub(super) fn answer(&mut self, number: u32, correlation_id: i32, response: Response) -> Vec<String> {
        let message = Message::Response { correlation_id, response };
        self.step(Input::Received { connection: own(number), listener: crate::node::Listener::Plaintext, message })
    }

    /// A request of a client or of broker 2.
    pub(super) fn ask(&mut self, connection: ConnectionId, correlation_id: i32, request: Request) -> Vec<String> {
        self.step(Input::Received {
            connection,
            listener: crate::node::Listener::Plaintext,
            message: Message::Request { correlation_id, request },
        })
    }

    /// What the broker answers at once to a request.
    pub(super) fn answer_to(&mut self, connection: ConnectionId, request: Request) -> Response {
        let mut effects = Effects::new();
        let message = Message::Request { correlation_id: 0, request };
        self.broker.step(
            self.now,
            Input::Received { connection, listener: crate::node::Listener::Plaintext, message },
            &mut effects,
        );
        let answered = effects.drain().into_iter().find_map(|effect| match effect {
            Effect::Send { message: Message::Response { response, .. }, .. } => Some(response),
            _ => None,
        });
        answered.expect("the request is answered at once")
    }

    /// The controller answers the metadata fetch with committed records. That the broker fetches on is left out.
    pub(super) fn metadata(&mut self, records: Vec<MetadataRecord>) -> Vec<String> {
        let batch = crate::metadata::message::metadata_batch(records, Timestamp(0))
            .appended_at(Offset(self.next_offset), LeaderEpoch(1));
        self.next_offset = batch.last_offset().next().0;
        let high_watermark = Offset(self.next_offset);
        let told = self.answer_metadata_fetch(fetched(metadata_partition(), high_watermark, vec![Arc::new(batch)]));
        told.into_iter().filter(|line| !line.starts_with("send #0")).collect()
    }

    /// The quorum's voter accepts the connection, and says in which epoch it leads.
    pub(super) fn find_controller(&mut self) -> Vec<String> {
        self.connected(METADATA);
        let error = FetchPartitionResult {
            quorum: Some(controller_leads()),
            ..FetchPartitionResult::failed(metadata_partition(), ErrorCode::FencedLeaderEpoch)
        };
        self.answer_metadata_fetch(Response::Fetch(FetchResponse::sessionless(vec![error])))
    }

    pub(super) fn answer_metadata_fetch(&mut self, response: Response) -> Vec<String> {
        self.fetches += 1;
        self.answer(METADATA, self.fetches - 1, response)
    }

    /// The controller answers the heartbeat under way.
    pub(super) fn heartbeat(&mut self, is_caught_up: bool, is_fenced: bool) -> Vec<String> {
        self.answer_heartbeat(BrokerHeartbeatResponse {
            error: ErrorCode::None,
            is_caught_up,
            is_fenced,
            should_shut_down: false,
        })
    }

    pub(super) fn answer_heartbeat(&mut self, response: BrokerHeartbeatResponse) -> Vec<String> {
        self.heartbeats += 1;
        self.answer(HEARTBEAT, self.heartbeats - 1, Response::BrokerHeartbeat(response))
    }

    /// Broker 2 becomes the leader of `t-0`.
    pub(super) fn lose_leadership(&mut self) -> Vec<String> {
        self.metadata(vec![MetadataRecord::PartitionChange(PartitionChangeRecord {
            isr: Some(vec![BrokerId(2)]),
            leader: Some(Some(BrokerId(2))),
            ..PartitionChangeRecord::of(TOPIC_ID, PartitionIndex(0))
        })])
    }
}

/// A connection that broker 1 opened.
pub(super) fn own(number: u32) -> ConnectionId {
    let number = if number == METADATA { FIRST_OF_QUORUM } else { number - 1 };
    ConnectionId { opener: NodeId::Server(1), incarnation: 0, number }
}

/// The number that tests give to a connection of broker 1.
pub(super) fn scene_number(connection: ConnectionId) -> u32 {
    connection.number.checked_sub(FIRST_OF_QUORUM).unwrap_or(connection.number + 1)
}

/// What every broker does for its part in the quorum; tests of that are in `raft`.
fn is_of_quorum(effect: &Effect) -> bool {
    match effect {
        Effect::SetTimer { timer, .. } | Effect::CancelTimer { timer } => timer.kind == timers::METADATA_QUORUM,
        Effect::Write(write) => matches!(write, DiskWrite::QuorumState(_)),
        _ => false,
    }
}

/// Controller 100 leads the quorum in epoch 1.
fn controller_leads() -> QuorumFetchResult {
    let current_leader = LeaderIdAndEpoch { leader_id: Some(100), leader_epoch: LeaderEpoch(1) };
    QuorumFetchResult { current_leader, snapshot_id: None }
}

/// A client's connection.
pub(super) fn client(number: u32) -> ConnectionId {
    ConnectionId { opener: NodeId::Client(number), incarnation: 0, number: 0 }
}

/// Broker 2's connection.
pub(super) fn peer() -> ConnectionId {
    ConnectionId { opener: NodeId::Server(2), incarnation: 0, number: 0 }
}

pub(super) fn t0() -> TopicPartition {
    TopicPartition::new(TopicName::new("t"), PartitionIndex(0))
}

fn metadata_partition() -> TopicPartition {
    TopicPartition::new(TopicName::new("__cluster_metadata"), PartitionIndex(0))
}

pub(super) fn registered() -> Response {
    Response::BrokerRegistration(BrokerRegistrationResponse { error: ErrorCode::None, broker_epoch: EPOCH })
}

pub(super) fn register(broker: i32, broker_epoch: BrokerEpoch) -> MetadataRecord {
    MetadataRecord::RegisterBroker {
        broker_id: BrokerId(broker),
        incarnation_id: IncarnationId(u128::from(broker.unsigned_abs())),
        broker_epoch,
        endpoint: Endpoint::new(&format!("broker-{broker}"), 9092),
        rack: None,
    }
}

pub(super) fn unfence(broker: i32, broker_epoch: BrokerEpoch) -> MetadataRecord {
    MetadataRecord::BrokerRegistrationChange {
        broker_id: BrokerId(broker),
        broker_epoch,
        fenced: Some(false),
        in_controlled_shutdown: None,
    }
}

pub(super) fn topic() -> MetadataRecord {
    MetadataRecord::Topic { name: TopicName::new("t"), topic_id: TOPIC_ID }
}

/// `t-0` on brokers 1 and 2.
pub(super) fn partition_record(leader: Option<i32>, isr: &[i32]) -> MetadataRecord {
    let isr = isr.iter().map(|broker| BrokerId(*broker)).collect();
    let created = PartitionRecord::created((TOPIC_ID, PartitionIndex(0)), vec![BrokerId(1), BrokerId(2)], isr);
    MetadataRecord::Partition(PartitionRecord { leader: leader.map(BrokerId), ..created })
}

/// A producer's batch with one record.
pub(super) fn batch() -> Arc<RecordBatch> {
    Arc::new(RecordBatch::from_producer(vec![Record::new(None, Some(b"v"), Timestamp(1_000_000))]))
}

/// That batch as broker 2 stored it.
pub(super) fn stored_batch(offset: i64, leader_epoch: i32) -> Arc<RecordBatch> {
    Arc::new(batch().appended_at(Offset(offset), LeaderEpoch(leader_epoch)))
}

pub(super) fn produce(acks: Acks) -> Request {
    produce_to(t0(), acks)
}

pub(super) fn produce_to(partition: TopicPartition, acks: Acks) -> Request {
    let partitions = vec![ProducePartition { partition, batch: batch() }];
    Request::Produce(ProduceRequest { acks, timeout_ms: 30_000, partitions })
}

/// Broker 2 fetches `t-0`.
pub(super) fn follower_fetch(offset: i64, last_fetched_epoch: i32) -> Request {
    let replica = Some(ReplicaState { replica_id: BrokerId(2), replica_epoch: OTHER_EPOCH });
    fetch(replica, offset, last_fetched_epoch)
}

/// A consumer fetches `t-0`.
pub(super) fn consumer_fetch(offset: i64) -> Request {
    fetch(None, offset, -1)
}

fn fetch(replica: Option<ReplicaState>, offset: i64, last_fetched_epoch: i32) -> Request {
    Request::Fetch(Box::new(FetchRequest {
        replica,
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: 10_485_760,
        isolation_level: IsolationLevel::ReadUncommitted,
        metadata: FetchMetadata::LEGACY,
        forgotten: Vec::new(),
        rack_id: None,
        partitions: vec![FetchPartition {
            partition: t0(),
            topic_id: Some(TOPIC_ID),
            current_leader_epoch: LeaderEpoch(0),
            fetch_offset: Offset(offset),
            last_fetched_epoch: LeaderEpoch(last_fetched_epoch),
            log_start_offset: Offset(0),
            max_bytes: 1_048_576,
        }],
    }))
}

/// A fetch's answer for one partition.
pub(super) fn fetched(partition: TopicPartition, high_watermark: Offset, batches: Vec<Arc<RecordBatch>>) -> Response {
    Response::Fetch(FetchResponse::sessionless(vec![FetchPartitionResult {
        partition,
        error: ErrorCode::None,
        high_watermark,
        last_stable_offset: high_watermark,
        log_start_offset: Offset(0),
        diverging_epoch: None,
        quorum: Some(controller_leads()),
        current_leader: None,
        preferred_read_replica: None,
        aborted_transactions: Vec::new(),
        batches,
    }]))
}

/// The timer of the purgatory's first operation.
pub(super) const FIRST_OPERATION: (u8, u64) = (timers::DELAYED_OPERATION, 1);
