//! A cluster that plays a schedule: record by record, fault by fault.

use crate::clients;
use kafka::event::{ClientEvent, ControllerEvent, EventKind};
use kafka::fault::{LinkChange, Links};
use kafka::instant::{Duration, Instant};
use kafka::node::{Instruction, NodeId, ProducerRecord};
use kafka::spec::{
    AdminAction, ClientSpec, FeaturesAction, PlacedReplicas, ProducerConfig, ProducerSpec, Program, ReassignAction,
};
use kafka::view::{BrokerView, NodeView, ReplicaRole, ReplicaView};
use sim::ledger::Verdict;
use sim::world_shape::WorldShape;
use sim::{Budget, Checker, Command, EventId, Session};
use std::collections::BTreeMap;
use wire::request::{Acks, FeatureUpdate, UpgradeType};
use wire::{BrokerId, Bytes, ErrorCode, Offset, PartitionIndex, RecordBatch, TopicName, TopicPartition};

/// The topic of every schedule: one partition.
pub const TOPIC: &str = "orders";

/// A world, its topic, and its producers.
pub struct Play {
    /// The world.
    pub session: Session,
}

impl Play {
    /// The topic is there on brokers 1 to `replicas`, and broker 1 leads it.
    #[must_use]
    pub fn new(shape: &WorldShape, replicas: i32, configs: &[(&str, &str)]) -> Play {
        let mut spec = shape.spec();
        spec.clients = vec![clients::create_topic(TOPIC, replicas, configs)];
        let mut play = Play { session: Session::new(spec, 1) };
        play.until("the topic is there", |play| play.leadership().is_some());
        play.pass(1_000);
        play
    }

    /// So much time passes.
    pub fn pass(&mut self, milliseconds: i64) {
        let until = self.session.now() + Duration::from_ms(milliseconds);
        self.session.run(Budget { until, steps: u64::MAX });
    }

    /// Time passes until something is so.
    ///
    /// # Panics
    /// After two minutes.
    #[track_caller]
    pub fn until(&mut self, what: &str, is_so: impl Fn(&mut Play) -> bool) {
        let deadline = self.session.now() + Duration::from_ms(120_000);
        while !is_so(self) {
            assert!(self.session.now() < deadline, "{what}: not after two minutes, but {:?}", self.leadership());
            self.pass(10);
        }
    }

    /// Does something to the world.
    ///
    /// # Panics
    /// If that is not possible.
    pub fn apply(&mut self, command: Command) -> NodeId {
        self.session.apply(command).expect("the command fits the world")
    }

    /// Kills a broker.
    pub fn kill(&mut self, broker: i32) {
        self.apply(Command::Kill(NodeId::Server(broker)));
    }

    /// Starts a broker and waits until it has taken up its replica.
    #[track_caller]
    pub fn start(&mut self, broker: i32) {
        self.apply(Command::Start(NodeId::Server(broker)));
        self.until("it runs", |play| play.replica(broker).is_some());
    }

    /// Stops a broker in a controlled way and waits until it is gone.
    #[track_caller]
    pub fn stop(&mut self, broker: i32) {
        self.apply(Command::Stop(NodeId::Server(broker)));
        self.until("it has stopped", |play| play.broker(broker).is_none());
    }

    /// Takes the power from a broker's host.
    pub fn power_off(&mut self, broker: i32) {
        self.apply(Command::PowerOff(NodeId::Server(broker)));
    }

    /// Cuts all links between two servers.
    pub fn cut(&mut self, one: i32, other: i32) {
        let links = Links::Between(NodeId::Server(one), NodeId::Server(other));
        self.apply(Command::ChangeLinks { links, change: LinkChange::Cut });
    }

    /// Mends all links.
    pub fn heal(&mut self) {
        self.apply(Command::ChangeLinks { links: Links::All, change: LinkChange::Heal });
    }

    /// Raises a feature of the cluster to a level.
    pub fn upgrade(&mut self, feature: &str, level: i16) {
        let upgrade_type = UpgradeType::Upgrade;
        let update = FeatureUpdate { feature: feature.to_owned(), max_version_level: level, upgrade_type };
        let action = FeaturesAction::Update { updates: vec![update], dry_run: false };
        self.start_client(Program::Admin(AdminAction::Features(action)));
        self.pass(1_000);
    }

    /// Asks for the partition to be moved to these brokers.
    pub fn reassign(&mut self, brokers: &[i32]) {
        let replicas = brokers.iter().map(|id| BrokerId(*id)).collect();
        self.alter_reassignment(replicas, |targets| ReassignAction::Execute { targets, is_additional: false });
    }

    /// Asks for the partition to stay where it was.
    pub fn cancel_reassignment(&mut self) {
        self.alter_reassignment(Vec::new(), |targets| ReassignAction::Cancel { targets, preserves_throttles: false });
    }

    fn alter_reassignment(
        &mut self,
        replicas: Vec<BrokerId>,
        action: impl FnOnce(Vec<PlacedReplicas>) -> ReassignAction,
    ) {
        let partition = TopicPartition::new(TopicName::new(TOPIC), PartitionIndex(0));
        let action = action(vec![PlacedReplicas { partition, replicas }]);
        self.start_client(Program::Admin(AdminAction::Reassign(action)));
        self.pass(1_000);
    }

    fn start_client(&mut self, program: Program) -> NodeId {
        let bootstrap_servers = (9092..=9094).map(|port| wire::Endpoint::new("localhost", port)).collect();
        self.apply(Command::StartClient(ClientSpec { client_id: "test".to_owned(), bootstrap_servers, program }))
    }

    /// Starts a producer that sends what it is told to; it gives a record up after 30 seconds.
    pub fn producer(&mut self, acks: Acks) -> NodeId {
        let config = ProducerConfig { acks, delivery_timeout_ms: 30_000, ..ProducerConfig::default() };
        let program = Program::Producer(ProducerSpec { config, is_synchronous: false, workload: None });
        let producer = self.start_client(program);
        self.pass(100);
        producer
    }

    /// Tells a producer to send a record, and does not wait.
    pub fn send(&mut self, producer: NodeId, value: &str) {
        let record = ProducerRecord {
            topic: TopicName::new(TOPIC),
            partition: None,
            key: None,
            value: Some(Bytes::from(value.as_bytes())),
            headers: Vec::new(),
        };
        self.apply(Command::Tell(producer, Instruction::Produce(record)));
    }

    /// Sends records one by one; each is acknowledged before the next.
    #[track_caller]
    pub fn write(&mut self, producer: NodeId, values: &[&str]) {
        for value in values {
            let before = self.acknowledged();
            self.send(producer, value);
            self.until("it is acknowledged", |play| play.acknowledged() > before);
        }
    }

    /// How many batches were acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.count(|kind| matches!(kind, EventKind::Client(ClientEvent::BatchAcknowledged { .. })))
    }

    /// The errors with which records failed for good.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.count(|kind| matches!(kind, EventKind::Client(ClientEvent::RecordFailed { .. })))
    }

    /// How many events there were of a kind.
    #[must_use]
    pub fn count(&self, is_wanted: impl Fn(&EventKind) -> bool) -> usize {
        self.session.events(EventId(0)).filter(|event| is_wanted(&event.kind)).count()
    }

    /// How many unclean elections there were.
    #[must_use]
    pub fn unclean_elections(&self) -> usize {
        self.count(|kind| {
            matches!(kind, EventKind::Controller(ControllerEvent::LeaderElected { is_unclean: true, .. }))
        })
    }

    /// How many proposals for the in-sync replicas were refused with an error.
    #[must_use]
    pub fn refused_proposals(&self, wanted: ErrorCode) -> usize {
        self.count(|kind| {
            matches!(kind, EventKind::Controller(ControllerEvent::AlterPartitionRejected { error, .. })
                if *error == wanted)
        })
    }

    /// A running broker.
    pub fn broker(&mut self, broker: i32) -> Option<BrokerView> {
        let frame = self.session.frame();
        let node = frame.nodes.iter().find(|node| node.id == NodeId::Server(broker))?;
        let NodeView::Broker(view) = node.process.as_ref()? else { return None };
        Some(view.clone())
    }

    /// The replica on a running broker.
    pub fn replica(&mut self, broker: i32) -> Option<ReplicaView> {
        self.broker(broker)?.replicas.into_iter().find(|replica| replica.partition.topic.as_str() == TOPIC)
    }

    /// The high watermark that a broker's disk has, once the broker is down.
    pub fn checkpointed_high_watermark(&mut self, broker: i32) -> Option<Offset> {
        let frame = self.session.frame();
        let node = frame.nodes.iter().find(|node| node.id == NodeId::Server(broker))?;
        let stored = node.disk.iter().find(|(partition, _)| partition.topic.as_str() == TOPIC);
        stored.map(|(_, stored)| stored.high_watermark)
    }

    /// The values in a broker's log, whether it runs or not.
    pub fn values(&mut self, broker: i32) -> Vec<String> {
        if let Some(replica) = self.replica(broker) {
            return replica.segments.iter().flat_map(|batch| values_of(batch)).collect();
        }
        let frame = self.session.frame();
        let node = frame.nodes.iter().find(|node| node.id == NodeId::Server(broker)).expect("it is in the world");
        let stored = node.disk.iter().filter(|(partition, _)| partition.topic.as_str() == TOPIC);
        stored
            .flat_map(|(_, stored)| stored.segments.iter().flat_map(|batch| values_of(batch)).collect::<Vec<_>>())
            .collect()
    }

    /// The epochs in a running broker's log with their starts.
    pub fn epochs(&mut self, broker: i32) -> Vec<(i32, i64)> {
        let replica = self.replica(broker).expect("it has a replica");
        replica.leader_epochs.iter().map(|(epoch, start)| (epoch.0, start.0)).collect()
    }

    /// The leader in the highest epoch, its epoch, and the in-sync replicas that it knows, sorted.
    pub fn leadership(&mut self) -> Option<(i32, i32, Vec<i32>)> {
        let brokers: Vec<i32> = self.session.spec().servers.iter().map(|server| server.node_id).collect();
        let replicas: BTreeMap<i32, ReplicaView> =
            brokers.into_iter().filter_map(|id| Some((id, self.replica(id)?))).collect();
        let highest = replicas.values().map(|replica| replica.leader_epoch).max()?;
        let leads = |(id, replica): (i32, ReplicaView)| match replica.role {
            ReplicaRole::Leader { isr, .. } if replica.leader_epoch == highest => Some((id, highest.0, isr)),
            ReplicaRole::Leader { .. } | ReplicaRole::Follower { .. } => None,
        };
        let (leader, epoch, isr) = replicas.into_iter().find_map(leads)?;
        let mut isr: Vec<i32> = isr.iter().map(|broker| broker.0).collect();
        isr.sort_unstable();
        Some((leader, epoch, isr))
    }

    /// Waits until a broker leads with these in sync.
    #[track_caller]
    pub fn await_leadership(&mut self, leader: i32, isr: &[i32]) {
        self.until("the leader leads with its in-sync replicas", |play| {
            play.leadership().is_some_and(|(id, _, members)| id == leader && members == isr)
        });
    }

    /// The stretches of lost records: first, last, and whether a promise was broken.
    #[must_use]
    pub fn losses(&self) -> Vec<(i64, i64, Verdict)> {
        let ledger = self.session.ledger();
        let losses = ledger.losses(0..ledger.losses_len());
        losses.map(|loss| (loss.first_offset.0, loss.last_offset.0, loss.verdict)).collect()
    }

    /// What kind of event took the first lost record.
    ///
    /// # Panics
    /// If none is lost, or nobody knows by which event.
    #[must_use]
    pub fn event_of_first_loss(&self) -> EventKind {
        let loss = self.session.ledger().losses(0..1).next().expect("a record is lost");
        let event = loss.event.expect("an event took it");
        self.session.events(event).next().expect("the event is in the trace").kind
    }

    /// The checkers that complain.
    #[must_use]
    pub fn complaints(&self) -> Vec<Checker> {
        self.session.violations().map(|violation| violation.checker).collect()
    }

    /// When it is.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.session.now()
    }
}

fn values_of(batch: &RecordBatch) -> Vec<String> {
    let values = batch.records().iter().filter_map(|record| record.value.as_ref());
    values.map(|value| String::from_utf8_lossy(value.as_ref()).into_owned()).collect()
}
