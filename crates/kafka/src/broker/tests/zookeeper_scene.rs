//! Broker 1 of a cluster that uses ZooKeeper, beside an ensemble that answers at once. Controller and other brokers are
//! played by hand.

use super::describe::describe;
use super::scene::{TOPIC_ID, own, t0};
use crate::Rng;
use crate::broker::Broker;
use crate::instant::{Duration, Instant, WallClock};
use crate::node::{ConnectionId, Effect, Effects, Identity, Input, Instruction, Message, Node, NodeId, Timer};
use crate::spec::{Coordination, HistoricalFaults, ServerRole, ServerSpec};
use crate::storage::Disk;
use crate::zookeeper::ZooKeeper;
use rand::SeedableRng;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use wire::request::{
    ControllerHeader, LeaderAndIsrPartition, LeaderAndIsrRequest, LiveBroker, MetadataLeader, StopReplicaPartition,
    StopReplicaRequest, UpdateMetadataPartition, UpdateMetadataRequest,
};
use wire::zookeeper::{CreateMode, Operation, ZnodeData, ZnodePath, ZooKeeperRequest};
use wire::{
    BrokerEpoch, BrokerId, Endpoint, LeaderEpoch, PartitionEpoch, Request, Response, Timestamp, TopicPartition,
};

const CLOCK: WallClock = WallClock { epoch: Timestamp(1_000_000) };

/// Broker 1, the ensemble and the time.
pub(super) struct ZooKeeperScene {
    pub(super) broker: Broker,
    pub(super) ensemble: ZooKeeper,
    pub(super) now: Instant,
    asked: i32,
    /// What a client was answered last.
    answered: Option<Response>,
}

/// What waits to happen at one of the two.
enum Due {
    AtBroker(Input),
    AtEnsemble(Input),
}

impl ZooKeeperScene {
    /// An ensemble in which broker 2 is the controller, and a broker that has not started.
    pub(super) fn new(properties: &[(&str, &str)], faults: HistoricalFaults) -> ZooKeeperScene {
        let identity = |node| Identity { node, incarnation: 0, clock: CLOCK };
        let mut scene = ZooKeeperScene {
            broker: Broker::new(spec(properties, faults), identity(NodeId::Server(1)), Rng::seed_from_u64(1)),
            ensemble: ZooKeeper::new(identity(NodeId::ZooKeeper)),
            now: Instant(1_000_000),
            asked: 0,
            answered: None,
        };
        scene.run(Due::AtEnsemble(Input::Started { disk: Disk::default() }));
        scene.elsewhere(vec![Operation::Create {
            path: ZnodePath::new("/controller"),
            data: ZnodeData::Controller { broker_id: BrokerId(2), timestamp: Timestamp(0) },
            mode: CreateMode::Ephemeral,
        }]);
        scene
    }

    /// The broker has registered and serves.
    pub(super) fn running() -> ZooKeeperScene {
        ZooKeeperScene::running_with(&[], HistoricalFaults::default())
    }

    pub(super) fn running_with(properties: &[(&str, &str)], faults: HistoricalFaults) -> ZooKeeperScene {
        let mut scene = ZooKeeperScene::new(properties, faults);
        scene.start(Disk::default());
        scene
    }

    /// Brokers 1 and 2 are alive, broker 2 is the controller of epoch 3, and broker 1 leads `t-0` with both in sync.
    pub(super) fn leading() -> ZooKeeperScene {
        let mut scene = ZooKeeperScene::running();
        scene.controller_says(update_metadata(&[1, 2], Some(1), 0));
        scene.controller_says(leader_and_isr(Some(1), 0));
        scene
    }

    pub(super) fn start(&mut self, disk: Disk) -> Vec<String> {
        self.step(Input::Started { disk })
    }

    /// The process starts, and ZooKeeper does not answer.
    pub(super) fn start_unheard(&mut self) -> Vec<String> {
        let mut effects = Effects::new();
        self.broker.step(self.now, Input::Started { disk: Disk::default() }, &mut effects);
        effects.drain().map(|effect| describe(&effect, self.now)).collect()
    }

    /// One input of the broker and what it does, except for what it says to ZooKeeper.
    pub(super) fn step(&mut self, input: Input) -> Vec<String> {
        self.run(Due::AtBroker(input))
    }

    fn run(&mut self, due: Due) -> Vec<String> {
        let (mut lines, mut queue) = (Vec::new(), VecDeque::from([due]));
        while let Some(due) = queue.pop_front() {
            let mut effects = Effects::new();
            let is_broker = match due {
                Due::AtBroker(input) => {
                    self.broker.step(self.now, input, &mut effects);
                    true
                }
                Due::AtEnsemble(input) => {
                    self.ensemble.step(self.now, input, &mut effects);
                    false
                }
            };
            for effect in effects.drain() {
                self.carry_out(effect, is_broker, &mut lines, &mut queue);
            }
        }
        lines
    }

    fn carry_out(&mut self, effect: Effect, is_broker: bool, lines: &mut Vec<String>, queue: &mut VecDeque<Due>) {
        if let Effect::Send { connection, message: Message::Response { response, .. } } = &effect
            && connection.opener == NodeId::Client(1)
        {
            self.answered = Some(response.clone());
        }
        match effect {
            Effect::Connect { connection, endpoint } if endpoint.port == 2181 => {
                queue.push_back(Due::AtBroker(Input::Connected { connection }));
            }
            Effect::Send { connection, message: message @ Message::Request { request: Request::ZooKeeper(_), .. } } => {
                queue.push_back(Due::AtEnsemble(Input::Received {
                    connection,
                    listener: crate::node::Listener::Plaintext,
                    message,
                }));
            }
            Effect::Send { connection, message } if !is_broker && connection.opener == NodeId::Server(1) => {
                queue.push_back(Due::AtBroker(Input::Received {
                    connection,
                    listener: crate::node::Listener::Plaintext,
                    message,
                }));
            }
            Effect::Close { connection } if !is_broker && connection.opener == NodeId::Server(1) => {
                queue.push_back(Due::AtBroker(Input::Disconnected { connection }));
            }
            effect if is_broker => lines.push(describe(&effect, self.now)),
            _ => {}
        }
    }

    pub(super) fn wait(&mut self, ms: i64) {
        self.now = self.now + Duration::from_ms(ms);
    }

    pub(super) fn fire(&mut self, kind: u8, key: u64) -> Vec<String> {
        self.step(Input::TimerFired { timer: Timer { kind, key } })
    }

    pub(super) fn shut_down(&mut self) -> Vec<String> {
        self.step(Input::Told(Instruction::ShutDown))
    }

    pub(super) fn connected(&mut self, number: u32) -> Vec<String> {
        self.step(Input::Connected { connection: own(number) })
    }

    pub(super) fn disconnected(&mut self, number: u32) -> Vec<String> {
        self.step(Input::Disconnected { connection: own(number) })
    }

    pub(super) fn answer(&mut self, number: u32, correlation_id: i32, response: Response) -> Vec<String> {
        self.step(Input::Received {
            connection: own(number),
            listener: crate::node::Listener::Plaintext,
            message: Message::Response { correlation_id, response },
        })
    }

    /// A request of the controller, on its connection.
    pub(super) fn controller_says(&mut self, request: Request) -> Vec<String> {
        self.asked += 1;
        let message = Message::Request { correlation_id: self.asked, request };
        self.step(Input::Received { connection: controller(), listener: crate::node::Listener::Plaintext, message })
    }

    /// A request of a client.
    pub(super) fn ask(&mut self, request: Request) -> Vec<String> {
        self.asked += 1;
        let connection = ConnectionId { opener: NodeId::Client(1), incarnation: 0, number: 0 };
        let message = Message::Request { correlation_id: self.asked, request };
        self.step(Input::Received { connection, listener: crate::node::Listener::Plaintext, message })
    }

    /// What a client is answered at once.
    pub(super) fn answer_to(&mut self, request: Request) -> Response {
        self.answered = None;
        self.ask(request);
        self.answered.take().expect("it is answered at once")
    }

    /// The process ends without a word, and when its session has expired another one starts.
    pub(super) fn restart(&mut self) {
        self.lose_session();
        let identity = Identity { node: NodeId::Server(1), incarnation: 1, clock: CLOCK };
        self.broker = Broker::new(spec(&[], HistoricalFaults::default()), identity, Rng::seed_from_u64(2));
        self.start(Disk::default());
    }

    /// Somebody else carries out operations in a session of its own; what that sets off at the broker.
    pub(super) fn elsewhere(&mut self, operations: Vec<Operation>) -> Vec<String> {
        let connection = ConnectionId { opener: NodeId::Server(2), incarnation: 0, number: 0 };
        let connect = ZooKeeperRequest::Connect { session: None, timeout_ms: 18_000 };
        let requests = [connect].into_iter().chain(operations.into_iter().map(ZooKeeperRequest::Operation));
        let mut lines = Vec::new();
        for (correlation_id, request) in (1..).zip(requests) {
            let message = Message::Request { correlation_id, request: Request::ZooKeeper(Box::new(request)) };
            lines.extend(self.run(Due::AtEnsemble(Input::Received {
                connection,
                listener: crate::node::Listener::Plaintext,
                message,
            })));
        }
        lines
    }

    /// ZooKeeper hears nothing of the session until it has expired; the broker connects again after that.
    pub(super) fn lose_session(&mut self) -> Vec<String> {
        let sessions = self.ensemble.view().sessions;
        let own = sessions.iter().find(|session| session.client == Some(NodeId::Server(1)));
        let own = own.expect("the broker has a session").session;
        self.wait(30_000);
        self.run(Due::AtEnsemble(Input::TimerFired { timer: Timer { kind: 1, key: own.0 } }))
    }
}

fn spec(properties: &[(&str, &str)], historical_faults: HistoricalFaults) -> ServerSpec {
    let owned = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ServerSpec {
        node_id: 1,
        role: ServerRole::Broker,
        endpoint: Endpoint::new("broker-1", 9092),
        rack: None,
        coordination: Coordination::ZooKeeper { connect: Endpoint::new("zookeeper", 2181) },
        properties: Arc::new(owned.collect::<BTreeMap<String, String>>()),
        historical_faults,
    }
}

fn controller() -> ConnectionId {
    ConnectionId { opener: NodeId::Server(2), incarnation: 0, number: 9 }
}

/// Broker 2 as the controller of epoch 3, to whatever run of broker 1 there is.
pub(super) const HEADER: ControllerHeader =
    ControllerHeader { controller_id: BrokerId(2), controller_epoch: 3, broker_epoch: BrokerEpoch::NONE };

fn ids(brokers: &[i32]) -> Vec<BrokerId> {
    brokers.iter().copied().map(BrokerId).collect()
}

pub(super) fn live(brokers: &[i32]) -> Vec<LiveBroker> {
    let live = |id: &i32| LiveBroker {
        broker_id: BrokerId(*id),
        endpoint: Endpoint::new(&format!("broker-{id}"), 9092),
        rack: None,
    };
    brokers.iter().map(live).collect()
}

/// `t-0` on brokers 1 and 2, both in sync.
pub(super) fn update_metadata(alive: &[i32], leader: Option<i32>, leader_epoch: i32) -> Request {
    let leader = leader.map_or(MetadataLeader::NoLeader, |leader| MetadataLeader::Broker(BrokerId(leader)));
    update_metadata_of(alive, leader, leader_epoch)
}

pub(super) fn update_metadata_of(alive: &[i32], leader: MetadataLeader, leader_epoch: i32) -> Request {
    let partition = UpdateMetadataPartition {
        partition: t0(),
        topic_id: TOPIC_ID,
        leader,
        leader_epoch: LeaderEpoch(leader_epoch),
        isr: ids(&[1, 2]),
        partition_epoch: PartitionEpoch(leader_epoch),
        replicas: ids(&[1, 2]),
        offline_replicas: Vec::new(),
    };
    Request::UpdateMetadata(UpdateMetadataRequest {
        header: HEADER,
        partitions: vec![partition],
        live_brokers: live(alive),
    })
}

pub(super) fn leader_and_isr(leader: Option<i32>, leader_epoch: i32) -> Request {
    leader_and_isr_with(HEADER, leader_state(leader, leader_epoch))
}

pub(super) fn leader_and_isr_with(header: ControllerHeader, state: LeaderAndIsrPartition) -> Request {
    Request::LeaderAndIsr(LeaderAndIsrRequest {
        header,
        partitions: vec![state],
        live_leaders: Vec::new(),
        is_full: false,
    })
}

pub(super) fn leader_state(leader: Option<i32>, leader_epoch: i32) -> LeaderAndIsrPartition {
    LeaderAndIsrPartition {
        partition: t0(),
        topic_id: TOPIC_ID,
        leader: leader.map(BrokerId),
        leader_epoch: LeaderEpoch(leader_epoch),
        isr: ids(&[1, 2]),
        partition_epoch: PartitionEpoch(leader_epoch),
        replicas: ids(&[1, 2]),
        adding_replicas: Vec::new(),
        removing_replicas: Vec::new(),
        is_new: false,
        is_recovering: false,
    }
}

pub(super) fn stop_replica(leader_epoch: Option<i32>, delete: bool) -> Request {
    let stop = |partition: TopicPartition| StopReplicaPartition {
        partition,
        leader_epoch: leader_epoch.map(LeaderEpoch),
        delete,
    };
    Request::StopReplica(StopReplicaRequest { header: HEADER, partitions: vec![stop(t0())] })
}
