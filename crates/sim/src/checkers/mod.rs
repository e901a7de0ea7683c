//! What must hold at every event: the invariants of Kafka's formal specifications, and what clients are told.
//!
//! One file per family; each says which event makes it look, and at what. All of this is derived from the world and
//! changes nothing in it; it is kept with the world, so that it is rewound with it. What a step's events point at is
//! checked behind the step; everything is looked over at an interval besides. Switched-on faults of earlier releases are
//! no excuse; an unclean election, which the user allowed, and a power loss are (see `History::weaken`).

mod clients;
mod compaction;
mod controller_state;
mod findings;
pub(crate) mod history;
mod in_sync_replicas;
mod log_matching;
mod metadata_log;
mod replica_numbers;
pub(crate) mod sight;
pub mod violation;

use crate::ledger::Ledger;
use crate::trace::Event;
use crate::world::Host;
use findings::Findings;
use history::Histories;
use kafka::chunks::Chunks;
use kafka::event::{BrokerEvent, ClientEvent, ControllerEvent, EventKind, OperatorEvent, ZooKeeperEvent};
use kafka::instant::Instant;
use kafka::node::NodeId;
use metadata_log::MetadataHistory;
use sight::{LeaderGlance, Sight};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use violation::{Checker, Violation};
use wire::{BrokerId, LeaderEpoch, Offset, TopicPartition};

/// When everything is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looks {
    /// Every so many steps.
    Every(u64),
    /// Every thousand steps, and less often where there is much to look at: a look at a replica costs about as much as two
    /// steps, and all looks together are to cost a small part of the steps in between.
    InProportion,
}

const STEPS_BETWEEN_LOOKS: u64 = 1_000;
const STEPS_FOR_EACH_REPLICA: u64 = 40;

/// All checkers, and what they remember.
#[derive(Clone, Debug)]
pub(crate) struct Checkers {
    looks: Looks,
    next_look: u64,
    /// How many there were at the last look.
    replicas: u64,
    findings: Arc<Findings>,
    histories: Histories,
    metadata: Arc<MetadataHistory>,
    ledger: Ledger,
}

impl Looks {
    /// With so many replicas.
    fn steps_until_next(self, replicas: u64) -> u64 {
        match self {
            Looks::Every(steps) => steps,
            Looks::InProportion => STEPS_BETWEEN_LOOKS.max(replicas * STEPS_FOR_EACH_REPLICA),
        }
    }
}

impl Checkers {
    /// Nothing has been seen.
    pub(crate) fn new(looks: Looks) -> Checkers {
        let (findings, metadata) = (Arc::default(), Arc::default());
        let (histories, ledger) = (Histories::default(), Ledger::default());
        Checkers { looks, next_look: looks.steps_until_next(0), replicas: 0, findings, histories, metadata, ledger }
    }

    /// What was found broken.
    pub(crate) fn violations(&self) -> &Chunks<Violation> {
        self.findings.violations()
    }

    /// How many replicas there were when everything was last looked at.
    pub(crate) fn replicas(&self) -> u64 {
        self.replicas
    }

    /// What was acknowledged, and what of it is lost.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// How often a checker had something to check.
    pub(crate) fn times_checked(&self, checker: Checker) -> u64 {
        self.findings.times_checked(checker)
    }

    /// A step has been taken, and these are its events.
    pub(crate) fn on_step(&mut self, now: Instant, step: u64, hosts: &BTreeMap<NodeId, Host>, events: &[Event]) {
        let sight = |checkers: &Checkers, event| {
            let quorum_epoch = checkers.metadata.quorum_epoch();
            Sight { hosts, now, step, event, quorum_epoch, active_controller: OnceCell::new() }
        };
        for event in events {
            self.on_event(&sight(self, Some(event.id)), event);
        }
        if step >= self.next_look {
            self.replicas = self.look(&sight(self, None));
            self.next_look = step + self.looks.steps_until_next(self.replicas);
        }
    }

    fn on_event(&mut self, sight: &Sight<'_>, event: &Event) {
        match &event.kind {
            EventKind::Broker(broker_event) => self.on_broker_event(sight, event.node, broker_event),
            EventKind::Controller(controller_event) => self.on_controller_event(sight, event.node, controller_event),
            EventKind::Client(client_event) => self.on_client_event(sight, client_event),
            EventKind::Operator(OperatorEvent::PowerLost) => self.on_power_loss(sight, event.node),
            EventKind::Operator(OperatorEvent::ServerRemoved) => self.on_server_removed(sight, event.node),
            EventKind::ZooKeeper(ZooKeeperEvent::ControllerElected { controller_epoch }) => {
                let findings = Arc::make_mut(&mut self.findings);
                let epoch = LeaderEpoch(*controller_epoch);
                Arc::make_mut(&mut self.metadata).on_active(findings, sight, event.node, epoch);
            }
            EventKind::Operator(_) | EventKind::ZooKeeper(_) => {}
        }
    }

    fn on_broker_event(&mut self, sight: &Sight<'_>, node: NodeId, event: &BrokerEvent) {
        let NodeId::Server(id) = node else { return };
        let broker = BrokerId(id);
        match event {
            BrokerEvent::RecordsAppended { partition, first_offset, .. }
            | BrokerEvent::RecordsReplicated { partition, first_offset, .. } => {
                self.on_append(sight, broker, partition, *first_offset);
            }
            BrokerEvent::HighWatermarkAdvanced { partition, to, .. } if sight.broker(broker).is_none() => {
                self.on_last_high_watermark(sight, broker, partition, *to);
            }
            BrokerEvent::HighWatermarkAdvanced { partition, .. } => self.on_high_watermark(sight, broker, partition),
            BrokerEvent::LogTruncated { partition, .. } => self.on_truncation(sight, broker, partition),
            BrokerEvent::BecameLeader { partition, leader_epoch, .. } => {
                self.on_leader(sight, broker, partition, *leader_epoch);
            }
            BrokerEvent::Registered { broker_epoch } => {
                let findings = Arc::make_mut(&mut self.findings);
                Arc::make_mut(&mut self.metadata).on_registered(findings, sight, node, *broker_epoch);
            }
            BrokerEvent::LogCompacted { partition, to, .. } => self.on_compaction(sight, broker, partition, *to),
            BrokerEvent::BecameReady
            | BrokerEvent::BecameFenced
            | BrokerEvent::ControlledShutdownStarted
            | BrokerEvent::ControlledShutdownCompleted
            | BrokerEvent::ControlledShutdownFailed
            | BrokerEvent::SessionExpired
            | BrokerEvent::RegistrationRefused
            | BrokerEvent::ControllerFenced { .. }
            | BrokerEvent::BecameFollower { .. }
            | BrokerEvent::DuplicateFound { .. }
            | BrokerEvent::TornBatchCut { .. }
            | BrokerEvent::SegmentsDeleted { .. }
            | BrokerEvent::RecordsDeleted { .. }
            | BrokerEvent::IsrChangeProposed { .. }
            | BrokerEvent::PreferredReadReplicaChosen { .. }
            | BrokerEvent::FetchSessionEvicted { .. }
            | BrokerEvent::ProduceRejected { .. } => {}
        }
    }

    fn on_controller_event(&mut self, sight: &Sight<'_>, node: NodeId, event: &ControllerEvent) {
        match event {
            ControllerEvent::BecameActive { epoch } | ControllerEvent::WonElection { epoch, .. } => {
                let findings = Arc::make_mut(&mut self.findings);
                Arc::make_mut(&mut self.metadata).on_active(findings, sight, node, *epoch);
            }
            ControllerEvent::BecameCandidate { epoch } => self.on_vote(sight, node, node, *epoch),
            ControllerEvent::VoteGranted { candidate, epoch } => {
                self.on_vote(sight, node, NodeId::Server(*candidate), *epoch);
            }
            ControllerEvent::TopicCreated { topic, topic_id, partitions } => {
                self.histories.on_topic_created(topic, *topic_id, *partitions);
            }
            ControllerEvent::PartitionsAdded { topic, partitions } => {
                self.histories.on_partitions_added(topic, *partitions);
            }
            ControllerEvent::LeaderElected { partition, leader, leader_epoch, is_unclean, .. } => {
                if *is_unclean {
                    self.ledger.on_unclean_election(sight, partition, *leader);
                    self.on_unclean_election(sight, *leader, partition, *leader_epoch);
                }
                self.on_state(sight, partition);
            }
            ControllerEvent::PartitionWentOffline { partition, .. }
            | ControllerEvent::IsrChanged { partition, .. }
            | ControllerEvent::EligibleLeadersChanged { partition, .. }
            | ControllerEvent::ReassignmentStarted { partition, .. }
            | ControllerEvent::ReassignmentCompleted { partition, .. }
            | ControllerEvent::ReassignmentCancelled { partition, .. } => self.on_state(sight, partition),
            ControllerEvent::BrokerRegistered { .. }
            | ControllerEvent::BrokerUnfenced { .. }
            | ControllerEvent::BrokerFenced { .. }
            | ControllerEvent::BrokerUnregistered { .. }
            | ControllerEvent::ControlledShutdownStarted { .. } => self.look_at_states(sight),
            ControllerEvent::TopicDeleted { topic } => self.ledger.on_topic_deleted(topic),
            ControllerEvent::NoLongerActive { .. }
            | ControllerEvent::VoteRejected { .. }
            | ControllerEvent::LostElection { .. }
            | ControllerEvent::LeaderResigned { .. }
            | ControllerEvent::FollowsQuorumLeader { .. }
            | ControllerEvent::MetadataLogTruncated { .. }
            | ControllerEvent::SnapshotWritten { .. }
            | ControllerEvent::SnapshotLoaded { .. }
            | ControllerEvent::ConfigChanged { .. }
            | ControllerEvent::FeatureLevelChanged { .. }
            | ControllerEvent::AlterPartitionRejected { .. } => {}
        }
    }

    fn on_client_event(&mut self, sight: &Sight<'_>, event: &ClientEvent) {
        let findings = Arc::make_mut(&mut self.findings);
        match event {
            ClientEvent::BatchAcknowledged { partition, first_offset, last_offset, acks, batch } => {
                clients::acknowledged(findings, sight, &self.histories, partition, *last_offset, *acks);
                let history = self.histories.last(partition);
                self.ledger.on_acknowledged(sight, history, (partition, *first_offset), *acks, batch);
            }
            ClientEvent::RecordConsumed { partition, offset, record, .. } => {
                clients::consumed(findings, sight, &mut self.histories, partition, *offset, record);
            }
            ClientEvent::RecordFailed { .. }
            | ClientEvent::PositionReset { .. }
            | ClientEvent::LeaderDiscovered { .. }
            | ClientEvent::Logged(_)
            | ClientEvent::ConsumerTimedOut
            | ClientEvent::ConsumerFinished { .. }
            | ClientEvent::ConsumerFailed { .. }
            | ClientEvent::TopicCreated(_)
            | ClientEvent::TopicsListed(_)
            | ClientEvent::TopicsDescribed(_)
            | ClientEvent::AdminAnswered(_)
            | ClientEvent::AdminFailed(_) => {}
        }
    }

    fn on_vote(&mut self, sight: &Sight<'_>, voter: NodeId, candidate: NodeId, epoch: LeaderEpoch) {
        let findings = Arc::make_mut(&mut self.findings);
        Arc::make_mut(&mut self.metadata).on_vote(findings, sight, voter, (candidate, epoch));
    }

    fn on_append(&mut self, sight: &Sight<'_>, broker: BrokerId, partition: &TopicPartition, first: Offset) {
        let Some(log) = sight.log(broker, partition) else { return };
        let findings = Arc::make_mut(&mut self.findings);
        replica_numbers::appended(findings, sight, broker, partition, &log, first);
        let history = self.histories.get(partition, log.topic_id);
        let compacted_to = history.map_or(Offset::ZERO, |history| history.compacted_to);
        log_matching::on_append(findings, sight, broker, partition, &log, (first, compacted_to));
    }

    fn on_compaction(&mut self, sight: &Sight<'_>, broker: BrokerId, partition: &TopicPartition, to: Offset) {
        let Some(replica) = sight.replica(broker, partition) else { return };
        let Some(history) = self.histories.get_mut(partition, replica.topic_id) else { return };
        let findings = Arc::make_mut(&mut self.findings);
        compaction::on_compaction(findings, sight, history, (broker, &replica), partition, to);
    }

    fn on_high_watermark(&mut self, sight: &Sight<'_>, broker: BrokerId, partition: &TopicPartition) {
        let findings = Arc::make_mut(&mut self.findings);
        replica_numbers::offsets(findings, sight, broker, partition);
        let Some(replica) = sight.replica(broker, partition) else { return };
        let Some(history) = self.histories.get(partition, replica.topic_id) else { return };
        match (replica.leadership, history.term) {
            (Some(leadership), _) => {
                let leader = LeaderGlance { broker, partition, replica, leadership };
                in_sync_replicas::weak(findings, sight, history, &leader);
                replica_numbers::frozen(findings, sight, &leader);
                self.on_leadership(sight, &leader);
            }
            (None, Some(term)) if term.broker != broker => {
                log_matching::below_high_watermarks(findings, sight, history, (broker, term.broker), partition);
            }
            (None, _) => {}
        }
    }

    /// The process ended in the very step in which its high watermark rose: if it led, what it committed counts.
    fn on_last_high_watermark(&mut self, sight: &Sight<'_>, broker: BrokerId, partition: &TopicPartition, to: Offset) {
        let Some(log) = sight.log(broker, partition) else { return };
        let Some(history) = self.histories.get_mut(partition, log.topic_id) else { return };
        if history.term.is_some_and(|term| term.broker == broker && term.leader_epoch >= history.weakened_before) {
            history.commit(to, log.leader_epochs);
        }
    }

    /// A process that has just been started may hold itself for the leader that it was; it is not registered, and does
    /// not serve, yet.
    fn on_leadership(&mut self, sight: &Sight<'_>, leader: &LeaderGlance<'_>) {
        let LeaderGlance { broker, partition, replica, .. } = *leader;
        let Some(broker_epoch) = sight.broker(broker).and_then(|broker| broker.broker_epoch()) else { return };
        let findings = Arc::make_mut(&mut self.findings);
        let Some(history) = self.histories.get_mut(partition, replica.topic_id) else { return };
        replica_numbers::term(findings, sight, history, leader, broker_epoch);
        if replica.leader_epoch >= history.weakened_before {
            history.commit(replica.high_watermark, replica.leader_epochs);
        }
        in_sync_replicas::controllers_isr(findings, sight, history, leader);
    }

    fn on_truncation(&mut self, sight: &Sight<'_>, broker: BrokerId, partition: &TopicPartition) {
        let findings = Arc::make_mut(&mut self.findings);
        replica_numbers::offsets(findings, sight, broker, partition);
        replica_numbers::epoch_cache(findings, sight, broker, partition);
        let topic_id = sight.replica(broker, partition).map(|replica| replica.topic_id);
        if let Some(history) = topic_id.and_then(|topic_id| self.histories.get(partition, topic_id)) {
            in_sync_replicas::strong(findings, sight, history, partition);
            for leader in leaders_of(sight, partition).filter(|leader| leader.leadership.isr.contains(&broker)) {
                in_sync_replicas::weak(findings, sight, history, &leader);
            }
        }
        self.settle(sight, partition);
    }

    fn on_leader(&mut self, sight: &Sight<'_>, broker: BrokerId, partition: &TopicPartition, epoch: LeaderEpoch) {
        let Some(replica) = sight.replica(broker, partition) else { return };
        let findings = Arc::make_mut(&mut self.findings);
        replica_numbers::epoch_cache(findings, sight, broker, partition);
        let Some(history) = self.histories.get_mut(partition, replica.topic_id) else { return };
        let other = *history.leaders.entry(epoch).or_insert(broker);
        findings.require(Checker::OneLeaderPerEpoch, sight, Some(partition), other == broker, || {
            violation::Details::TwoLeaders {
                one: NodeId::Server(other.0),
                other: NodeId::Server(broker.0),
                leader_epoch: epoch,
            }
        });
        if let (true, Some(log)) = (history.damaged.contains(&broker), sight.log(broker, partition)) {
            history.damaged.retain(|damaged| *damaged != broker);
            if !log.reaches(history.committed.end, history.committed.epoch) {
                history.weaken(epoch, &log);
            }
        }
        in_sync_replicas::on_leader(findings, sight, history, broker, partition, epoch);
    }

    fn on_power_loss(&mut self, sight: &Sight<'_>, node: NodeId) {
        let NodeId::Server(id) = node else { return };
        let broker = BrokerId(id);
        for partition in self.histories.partitions() {
            let Some(log) = sight.log(broker, &partition) else { continue };
            if let Some(history) = self.histories.get_mut(&partition, log.topic_id) {
                history.lose_power(broker, &log);
                self.ledger.on_power_loss(sight, (&partition, log.topic_id), broker);
                self.settle(sight, &partition);
            }
        }
    }

    fn on_server_removed(&mut self, sight: &Sight<'_>, node: NodeId) {
        let NodeId::Server(id) = node else { return };
        self.ledger.on_server_removed(sight, BrokerId(id));
        self.ledger.partitions().iter().for_each(|partition| self.settle(sight, partition));
    }

    fn on_unclean_election(
        &mut self,
        sight: &Sight<'_>,
        leader: BrokerId,
        partition: &TopicPartition,
        epoch: LeaderEpoch,
    ) {
        let Some(log) = sight.log(leader, partition) else { return };
        if let Some(history) = self.histories.get_mut(partition, log.topic_id) {
            history.weaken(epoch, &log);
        }
    }

    /// The controller has changed a partition's state.
    fn on_state(&mut self, sight: &Sight<'_>, partition: &TopicPartition) {
        let (Some((quorum_epoch, image)), Some(glance)) = (sight.image(), sight.state(partition)) else {
            return self.settle(sight, partition);
        };
        let findings = Arc::make_mut(&mut self.findings);
        controller_state::structure(findings, sight, image, partition, glance.state);
        controller_state::eligibility(findings, sight, partition, &glance);
        self.settle(sight, partition);
        let findings = Arc::make_mut(&mut self.findings);
        let Some(history) = self.histories.get_mut(partition, glance.topic_id) else { return };
        controller_state::epochs(findings, sight, history, partition, glance.state, quorum_epoch);
        in_sync_replicas::strong(findings, sight, history, partition);
    }

    /// Records may be gone: the ledger finds out which.
    fn settle(&mut self, sight: &Sight<'_>, partition: &TopicPartition) {
        let broken = self.ledger.settle(sight, partition);
        let findings = Arc::make_mut(&mut self.findings);
        findings.require(Checker::AcknowledgedRecords, sight, Some(partition), broken.is_none(), || {
            let (first_offset, last_offset) =
                broken.map_or((Offset::ZERO, Offset::ZERO), |loss| (loss.first_offset, loss.last_offset));
            violation::Details::RecordsLost { first_offset, last_offset }
        });
    }

    fn look_at_states(&mut self, sight: &Sight<'_>) {
        let Some((_, image)) = sight.image() else { return };
        let findings = Arc::make_mut(&mut self.findings);
        for (partition, state) in image.partitions() {
            controller_state::structure(findings, sight, image, &partition, state);
        }
    }

    /// Looks at everything, and tells how many replicas there are.
    fn look(&mut self, sight: &Sight<'_>) -> u64 {
        self.look_at_states(sight);
        self.ledger.partitions().iter().for_each(|partition| self.settle(sight, partition));
        Arc::make_mut(&mut self.metadata).compare(Arc::make_mut(&mut self.findings), sight);
        let mut keepers: BTreeMap<&TopicPartition, Vec<BrokerId>> = BTreeMap::new();
        for (id, broker) in sight.brokers() {
            broker.partitions().for_each(|partition| keepers.entry(partition).or_default().push(id));
        }
        for (partition, keepers) in &keepers {
            keepers.iter().for_each(|broker| self.look_at_replica(sight, *broker, partition, keepers));
        }
        keepers.values().map(|keepers| keepers.len() as u64).sum()
    }

    fn look_at_replica(
        &mut self,
        sight: &Sight<'_>,
        broker: BrokerId,
        partition: &TopicPartition,
        keepers: &[BrokerId],
    ) {
        let Some(replica) = sight.replica(broker, partition) else { return };
        let findings = Arc::make_mut(&mut self.findings);
        replica_numbers::offsets(findings, sight, broker, partition);
        replica_numbers::epoch_cache(findings, sight, broker, partition);
        let Some(history) = self.histories.get(partition, replica.topic_id) else { return };
        for other in keepers.iter().copied().filter(|other| *other != broker) {
            log_matching::below_high_watermarks(findings, sight, history, (broker, other), partition);
        }
        if let Some(leadership) = replica.leadership {
            in_sync_replicas::strong(findings, sight, history, partition);
            self.on_leadership(sight, &LeaderGlance { broker, partition, replica, leadership });
        }
    }
}

/// All who believe to lead.
fn leaders_of<'b, 'a: 'b>(
    sight: &'b Sight<'a>,
    partition: &'b TopicPartition,
) -> impl Iterator<Item = LeaderGlance<'b>> {
    sight.brokers().filter_map(move |(broker, process)| {
        let replica = process.glance(partition)?;
        Some(LeaderGlance { broker, partition, replica, leadership: replica.leadership? })
    })
}
