//! A small machine for tests of the world alone: toy clients send numbered requests in bursts over one connection, the
//! toy server stores each and answers it. Everything it does depends on its inputs and its random stream.

#![allow(clippy::wildcard_enum_match_arm, reason = "what a test does not expect fails it")]

use kafka::Rng;
use kafka::event::{BrokerEvent, ClientEvent, EventKind};
use kafka::instant::{Duration, Instant};
use kafka::metadata::ClusterImage;
use kafka::node::{ConnectionId, Effects, ExitStatus, Identity, Input, Instruction, Message, Node, RequestId, Timer};
use kafka::spec::{ClientSpec, ServerSpec};
use kafka::storage::DiskWrite;
use kafka::view::{AdminView, ControllerView, NodeView, QuorumView};
use rand::RngExt;
use std::sync::Arc;
use wire::response::{ApiVersionsResponse, ListenerKind};
use wire::{
    Endpoint, LeaderEpoch, Offset, PartitionIndex, Record, RecordBatch, Request, Response, Timestamp, TopicId,
    TopicName, TopicPartition,
};

const BURST: Timer = Timer { kind: 0, key: 0 };
const RECONNECT: Timer = Timer { kind: 1, key: 0 };
const NEVER: Timer = Timer { kind: 2, key: 0 };
const REQUESTS_IN_A_BURST: i32 = 5;

/// Whether the spec of a server asks for a toy.
pub(crate) fn is_toy_server(spec: &ServerSpec) -> bool {
    spec.properties.contains_key("toy")
}

/// Whether the spec of a client program asks for a toy.
pub(crate) fn is_toy_client(spec: &ClientSpec) -> bool {
    spec.client_id == "toy"
}

/// The partition that a toy server writes to.
pub(crate) fn partition() -> TopicPartition {
    TopicPartition::new(TopicName::new("toy"), PartitionIndex(0))
}

/// A toy process.
#[derive(Clone, Debug)]
pub(crate) enum Toy {
    Server(ToyServer),
    Client(ToyClient),
}

#[derive(Clone, Debug)]
pub(crate) struct ToyServer {
    stored: i64,
    /// Lost when the process ends, unlike `stored`.
    in_memory: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct ToyClient {
    identity: Identity,
    rng: Rng,
    server: Endpoint,
    connection: Option<ConnectionId>,
    next_connection: u32,
    sent: i32,
    answered: i32,
}

impl Toy {
    pub(crate) fn server(_identity: Identity, _rng: Rng) -> Toy {
        Toy::Server(ToyServer { stored: 0, in_memory: 0 })
    }

    pub(crate) fn client(spec: ClientSpec, identity: Identity, rng: Rng) -> Toy {
        let server = spec.bootstrap_servers[0].clone();
        Toy::Client(ToyClient { identity, rng, server, connection: None, next_connection: 0, sent: 0, answered: 0 })
    }

    /// A server shows its numbers as a controller's offsets, a client as the name of its call.
    pub(crate) fn view(&self) -> NodeView {
        match self {
            Toy::Server(server) => NodeView::Controller(ControllerView {
                is_active: true,
                epoch: LeaderEpoch::ZERO,
                log_end_offset: Offset(server.stored),
                high_watermark: Offset(server.in_memory),
                image: Arc::new(ClusterImage::default()),
                quorum: QuorumView::of_nobody(),
            }),
            Toy::Client(client) => NodeView::Admin(AdminView {
                client_id: format!("{} of {} answered", client.answered, client.sent),
                call: "toy",
                topic: None,
                bootstrap_servers: vec![client.server.clone()],
            }),
        }
    }
}

impl Node for Toy {
    fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        match self {
            Toy::Server(server) => server.on_input(now, input, effects),
            Toy::Client(client) => client.on_input(now, input, effects),
        }
    }
}

impl ToyServer {
    fn on_input(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        match input {
            Input::Started { disk } => {
                match disk.logs.get(&partition()) {
                    Some(log) => self.stored = log.segments.len() as i64,
                    None => effects.write(DiskWrite::CreateLog { partition: partition(), topic_id: TopicId(1) }),
                }
                effects.set_timer(BURST, now + Duration(10_000));
                effects.set_timer(NEVER, now + Duration(20_000));
                effects.set_timer(RECONNECT, now + Duration(20_000));
            }
            Input::TimerFired { timer: BURST } => {
                effects.note(EventKind::Broker(BrokerEvent::BecameReady));
                effects.listen(kafka::node::Listener::Plaintext);
                effects.cancel_timer(NEVER);
                effects.set_timer(RECONNECT, now + Duration(30_000));
            }
            Input::TimerFired { timer: RECONNECT } => effects.note(EventKind::Broker(BrokerEvent::BecameFenced)),
            Input::Received { connection, message: Message::Request { correlation_id, .. }, .. } => {
                self.store(RequestId { connection, correlation_id }, effects);
            }
            Input::Told(Instruction::ShutDown) => effects.exit(ExitStatus(0)),
            Input::Disconnected { .. } => self.in_memory = 0,
            other => panic!("a toy server does not expect {other:?}"),
        }
    }

    /// Stores a request, notes its number and answers. It is noted as something that no checker looks at: a number is no
    /// offset.
    fn store(&mut self, request: RequestId, effects: &mut Effects) {
        let offset = Offset(self.stored);
        let batch = RecordBatch::from_producer(vec![Record::new(None, Some(b"toy"), Timestamp(0))]);
        let batch = Arc::new(batch.appended_at(offset, LeaderEpoch::ZERO));
        effects.write(DiskWrite::Append { partition: partition(), batch });
        let number = Offset(i64::from(request.correlation_id));
        effects.note(EventKind::Broker(BrokerEvent::DuplicateFound {
            partition: partition(),
            first_offset: number,
            last_offset: offset,
        }));
        effects.respond(request, Response::ApiVersions(ApiVersionsResponse::without_features(ListenerKind::Broker)));
        self.stored += 1;
        self.in_memory += 1;
    }
}

impl ToyClient {
    fn on_input(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        match input {
            Input::Started { .. } | Input::TimerFired { timer: RECONNECT } => self.connect(effects),
            Input::Connected { connection } => {
                self.connection = Some(connection);
                effects.set_timer(BURST, now);
            }
            Input::TimerFired { timer: BURST } => self.send_burst(now, effects),
            Input::Received { message: Message::Response { correlation_id, .. }, .. } => {
                self.answered += 1;
                let offset = Offset(i64::from(correlation_id));
                effects.note(EventKind::Client(ClientEvent::PositionReset { partition: partition(), offset }));
            }
            Input::Disconnected { .. } => self.reconnect_later(now, effects),
            Input::Told(Instruction::Produce(_)) => self.send(effects),
            Input::Told(_) => effects.exit(ExitStatus(130)),
            other => panic!("a toy client does not expect {other:?}"),
        }
    }

    fn connect(&mut self, effects: &mut Effects) {
        let (opener, incarnation) = (self.identity.node, self.identity.incarnation);
        effects.connect(ConnectionId { opener, incarnation, number: self.next_connection }, self.server.clone());
        self.next_connection += 1;
    }

    fn send_burst(&mut self, now: Instant, effects: &mut Effects) {
        (0..REQUESTS_IN_A_BURST).for_each(|_| self.send(effects));
        effects.set_timer(BURST, now + Duration(self.rng.random_range(500..1_500)));
    }

    fn send(&mut self, effects: &mut Effects) {
        if let Some(connection) = self.connection {
            effects.request(connection, self.sent, Request::ApiVersions);
            self.sent += 1;
        }
    }

    fn reconnect_later(&mut self, now: Instant, effects: &mut Effects) {
        self.connection = None;
        effects.note(EventKind::Client(ClientEvent::ConsumerTimedOut));
        effects.cancel_timer(BURST);
        effects.set_timer(RECONNECT, now + Duration(5_000));
    }
}
