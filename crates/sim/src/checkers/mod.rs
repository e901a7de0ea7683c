//! What must hold at all times: the invariants of Kafka's formal specifications, and what clients are told.
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
pub mod zookeeper;

use crate::answers::codes_of;
use crate::ledger::Ledger;
use crate::trace::Event;
use crate::world::Host;
use findings::Findings;
use history::{Histories, History, Proposed, Term};
use in_sync_replicas::IsrChange;
use kafka::chunks::Chunks;
use kafka::event::{BrokerEvent, ChangeReason, ClientEvent, ControllerEvent, EventKind, OperatorEvent, ZooKeeperEvent};
use kafka::instant::Instant;
use kafka::node::{Input, Message, NodeId};
use metadata_log::MetadataHistory;
use sight::{LeaderGlance, Sight};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use violation::{Checker, Violation};
use wire::{BrokerId, ErrorCode, LeaderEpoch, Offset, TopicPartition};
use zookeeper::{ChangedState, ZooKeeperHistory};

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
    /// Who has got something in this step.
    acting: Option<NodeId>,
    findings: Arc<Findings>,
    histories: Histories,
    metadata: Arc<MetadataHistory>,
    zookeeper: Arc<ZooKeeperHistory>,
    ledger: Ledger,
    /// The codes of all answers that arrived, if somebody wants to know.
    answers: Option<Arc<BTreeMap<ErrorCode, u64>>>,
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
        let (findings, metadata, zookeeper) = (Arc::default(), Arc::default(), Arc::default());
        let (histories, ledger) = (Histories::default(), Ledger::default());
        let next_look = looks.steps_until_next(0);
        let (replicas, acting, answers) = (0, None, None);
        Checkers { looks, next_look, replicas, acting, findings, histories, metadata, zookeeper, ledger, answers }
    }

    /// From now on answers are counted by their codes.
    pub(crate) fn count_answers(&mut self) {
        self.answers = Some(Arc::default());
    }

    /// The codes of the answers that arrived, as far as they are counted.
    pub(crate) fn answers(&self) -> impl Iterator<Item = (ErrorCode, u64)> {
        self.answers.iter().flat_map(|answers| answers.iter().map(|(error, times)| (*error, *times)))
    }

    /// A node gets something, maybe an answer.
    pub(crate) fn on_input(&mut self, node: NodeId, input: &Input) {
        self.acting = Some(node);
        if let Input::Received { message: Message::Response { response, .. }, .. } = input
            && let Some(answers) = &mut self.answers
        {
            codes_of(response, &mut |error| *Arc::make_mut(answers).entry(error).or_default() += 1);
        }
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
        let event = events.first().map(|event| event.id);
        let bare = |event, quorum_epoch| Sight {
            hosts,
            now,
            step,
            event,
            quorum_epoch,
            zookeeper: None,
            active_controller: OnceCell::new(),
        };
        self.read_zookeeper(&bare(event, LeaderEpoch::NONE));
        let image = self.zookeeper.image().cloned();
        let sight = |checkers: &Checkers, event| Sight {
            zookeeper: image.as_deref(),
            ..bare(event, checkers.metadata.quorum_epoch())
        };
        if let (Some(NodeId::Server(id)), true) = (self.acting.take(), image.is_some()) {
            self.on_obeyed(&sight(self, event), BrokerId(id));
        }
        self.weaken_first(&sight(self, event), events);
        for event in events {
            self.on_event(&sight(self, Some(event.id)), event);
        }
        if step >= self.next_look {
            self.replicas = self.look(&sight(self, None));
            self.next_look = step + self.looks.steps_until_next(self.replicas);
        }
    }

    fn on_obeyed(&mut self, sight: &Sight<'_>, broker: BrokerId) {
        let obeyed = sight.broker(broker).and_then(|broker| broker.obeyed());
        if self.zookeeper.is_news(broker, obeyed) {
            let (zookeeper, findings) = (Arc::make_mut(&mut self.zookeeper), Arc::make_mut(&mut self.findings));
            zookeeper.on_obeyed(findings, sight, broker, obeyed);
        }
    }

    /// An unclean election comes with other events of the same partition, some of them before it.
    fn weaken_first(&mut self, sight: &Sight<'_>, events: &[Event]) {
        for event in events {
            let (node, EventKind::Controller(event)) = (event.node, &event.kind) else { continue };
            if let ControllerEvent::LeaderElected { partition, leader, is_unclean: true, reason, .. } = event
                && let Some(history) = self.histories.last(partition).filter(|_| counts(sight, node))
            {
                let findings = Arc::make_mut(&mut self.findings);
                controller_state::unclean_election(findings, sight, history, (partition, *leader), *reason);
            }
            if let Some((partition, elected)) = unclean_election(sight, event) {
                self.on_unclean_election(sight, partition, elected);
            }
        }
    }

    /// The tree of znodes may have changed: what that means for partitions.
    fn read_zookeeper(&mut self, sight: &Sight<'_>) {
        if !self.zookeeper.is_behind(sight.hosts) {
            return;
        }
        let changed = Arc::make_mut(&mut self.zookeeper).read(Arc::make_mut(&mut self.findings), sight);
        let Some(image) = self.zookeeper.image().cloned() else { return };
        let sight = sight.with_zookeeper(&image);
        for ChangedState { partition, unclean } in changed {
            if let Some(topic) = image.topics().get(&partition.topic) {
                self.histories.begin_unless_known(partition.clone(), topic.topic_id);
            }
            if let Some(elected) = unclean {
                self.on_unclean_election(&sight, &partition, elected);
            }
            self.on_state(&sight, &partition);
        }
    }

    fn on_event(&mut self, sight: &Sight<'_>, event: &Event) {
        match &event.kind {
            EventKind::Broker(broker_event) => self.on_broker_event(sight, event.node, broker_event),
            EventKind::Controller(controller_event) => self.on_controller_event(sight, event.node, controller_event),
            EventKind::Client(client_event) => self.on_client_event(sight, client_event),
            EventKind::Operator(OperatorEvent::PowerLost) => self.on_power_loss(sight, event.node),
            EventKind::Operator(OperatorEvent::ProcessStarted | OperatorEvent::ProcessThawed) => {
                if let NodeId::Server(id) = event.node {
                    self.histories.give_time_to(BrokerId(id));
                }
            }
            EventKind::Operator(OperatorEvent::ServerRemoved) => self.on_server_removed(sight, event.node),
            EventKind::ZooKeeper(ZooKeeperEvent::ControllerElected { controller_epoch }) => {
                let findings = Arc::make_mut(&mut self.findings);
                let epoch = LeaderEpoch(*controller_epoch);
                Arc::make_mut(&mut self.metadata).on_active(findings, sight, event.node, epoch);
                Arc::make_mut(&mut self.zookeeper).on_elected(findings, sight, event.node, *controller_epoch);
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
            BrokerEvent::SegmentsDeleted { partition, log_start_offset: to, .. }
            | BrokerEvent::RecordsDeleted { partition, to, .. } => {
                if let Some(history) = self.history_of(sight, broker, partition) {
                    history.deleted_to = history.deleted_to.max(*to);
                    history.deleted_ever = history.deleted_ever.max(*to);
                }
            }
            BrokerEvent::IsrChangeProposed { partition, from, .. } => self.on_proposal(sight, broker, partition, from),
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
            ControllerEvent::IsrChanged { partition, from, to, partition_epoch, reason } => {
                if *reason == ChangeReason::AlterPartition && counts(sight, node) {
                    let (findings, history) = (Arc::make_mut(&mut self.findings), self.histories.last(partition));
                    let change = IsrChange { partition, from, to, partition_epoch: *partition_epoch };
                    in_sync_replicas::proposed(findings, sight, history, node, change);
                }
                to.iter()
                    .filter(|member| !from.contains(member))
                    .for_each(|member| self.on_join(sight, *member, partition));
                self.on_state(sight, partition);
            }
            ControllerEvent::LeaderElected { partition, .. }
            | ControllerEvent::EligibleLeadersChanged { partition, .. }
            | ControllerEvent::ReassignmentStarted { partition, .. }
            | ControllerEvent::ReassignmentCompleted { partition, .. }
            | ControllerEvent::ReassignmentCancelled { partition, .. } => self.on_state(sight, partition),
            ControllerEvent::PartitionWentOffline { partition, reason, .. } => {
                if *reason == ChangeReason::Reassignment {
                    self.ledger.on_offline_by_reassignment(sight, partition);
                }
                self.on_state(sight, partition);
            }
            ControllerEvent::BrokerRegistered { .. }
            | ControllerEvent::BrokerUnfenced { .. }
            | ControllerEvent::BrokerFenced { .. }
            | ControllerEvent::BrokerUnregistered { .. }
            | ControllerEvent::ControlledShutdownStarted { .. } => self.look_at_states(sight),
            ControllerEvent::TopicDeleted { topic } => {
                self.histories.on_topic_deleted(topic);
                self.ledger.on_topic_deleted(topic);
            }
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
                let standing = self.ledger.on_acknowledged(sight, history, (partition, *first_offset), *acks, batch);
                clients::promised(findings, sight, partition, standing);
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

    fn on_proposal(&mut self, sight: &Sight<'_>, broker: BrokerId, partition: &TopicPartition, from: &[BrokerId]) {
        let leadership = sight.replica(broker, partition).and_then(|replica| replica.leadership);
        let Some((leadership, history)) = leadership.zip(self.history_of(sight, broker, partition)) else { return };
        let (from, partition_epoch) = (from.to_vec(), leadership.partition_epoch);
        let members = leadership.proposal.map_or_else(Vec::new, <[_]>::to_vec);
        history.proposals.insert(broker, Proposed { from, partition_epoch, members });
        history.overdue = None;
    }

    fn on_vote(&mut self, sight: &Sight<'_>, voter: NodeId, candidate: NodeId, epoch: LeaderEpoch) {
        let findings = Arc::make_mut(&mut self.findings);
        Arc::make_mut(&mut self.metadata).on_vote(findings, sight, voter, (candidate, epoch));
    }

    fn on_append(&mut self, sight: &Sight<'_>, broker: BrokerId, partition: &TopicPartition, first: Offset) {
        let Some(log) = sight.log(broker, partition) else { return };
        let findings = Arc::make_mut(&mut self.findings);
        let is_news = |history: &History| history.damaged.contains(&broker) || history.written_to < log.end;
        if self.histories.get(partition, log.topic_id).is_some_and(is_news)
            && let Some(history) = self.histories.get_mut(partition, log.topic_id)
        {
            history.written_to = history.written_to.max(log.end);
            history.maybe_repair(broker, &log);
        }
        let history = self.histories.get(partition, log.topic_id);
        replica_numbers::appended(findings, sight, history, broker, partition, &log, first);
        if let Some(history) = history {
            log_matching::on_append(findings, sight, history, broker, partition, &log, first);
        }
    }

    fn on_join(&mut self, sight: &Sight<'_>, member: BrokerId, partition: &TopicPartition) {
        let Some(history) = self.histories.last(partition) else { return };
        if history.damaged.contains(&member) && sight.is_unregistered(member) {
            self.ledger.on_loser_joined(sight, history, (partition, history.topic_id), member);
        }
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
        let Some(history) = self.histories.get_mut(partition, replica.topic_id) else { return };
        match (replica.leadership, history.term) {
            (Some(leadership), _) => {
                let leader = LeaderGlance { broker, partition, replica, leadership };
                in_sync_replicas::weak(findings, sight, history, &leader);
                replica_numbers::rise(findings, sight, history, &leader);
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
        history.claim(to);
        let has_led = |term: Term| term.broker == broker && term.leader_epoch >= history.weakened_before;
        if let (true, Some((_, _, in_sync, _))) = (history.term.is_some_and(has_led), history.in_sync) {
            history.commit(to, in_sync, log.leader_epochs);
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
        history.claim(replica.high_watermark);
        let (in_sync, least) = (leader.leadership.isr.len(), leader.leadership.effective_min_isr);
        history.in_sync = Some((broker, replica.leader_epoch, in_sync, least));
        if replica.leader_epoch >= history.weakened_before {
            history.commit(replica.high_watermark, in_sync, replica.leader_epochs);
        }
        in_sync_replicas::controllers_isr(findings, sight, history, leader);
    }

    fn on_truncation(&mut self, sight: &Sight<'_>, broker: BrokerId, partition: &TopicPartition) {
        let findings = Arc::make_mut(&mut self.findings);
        replica_numbers::offsets(findings, sight, broker, partition);
        replica_numbers::epoch_cache(findings, sight, broker, partition);
        replica_numbers::truncated(findings, sight, broker, partition);
        let topic_id = sight.replica(broker, partition).map(|replica| replica.topic_id);
        if let Some(history) = topic_id.and_then(|topic_id| self.histories.get_mut(partition, topic_id)) {
            if history.unaware == Some(broker) {
                history.weaken(history.weakened_before, sight.log(broker, partition).as_ref(), None, Offset(i64::MAX));
            }
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
        let has_led = history.leaders.contains_key(&epoch);
        let other = *history.leaders.entry(epoch).or_insert(broker);
        if epoch >= history.weakened_before {
            history.unaware = None;
        }
        findings.require(Checker::OneLeaderPerEpoch, sight, Some(partition), other == broker, || {
            violation::Details::TwoLeaders {
                one: NodeId::Server(other.0),
                other: NodeId::Server(broker.0),
                leader_epoch: epoch,
            }
        });
        let is_registered = sight.broker(broker).is_some_and(|broker| broker.broker_epoch().is_some());
        let is_damaged = is_registered && history.damaged.contains(&broker);
        let may_lack = is_damaged || in_sync_replicas::is_elected_while_leaving(sight, partition, broker, epoch);
        if let (true, Some(log)) = (may_lack, sight.log(broker, partition)) {
            history.damaged.retain(|damaged| *damaged != broker);
            if is_damaged && has_led && sight.zookeeper.is_some() {
                history.resume(log.end, epoch);
            }
            if !log.reaches(history.committed.end, history.committed.epoch) {
                history.weaken(epoch, Some(&log), None, log.end);
            }
        }
        in_sync_replicas::on_leader(findings, sight, history, broker, partition, epoch);
    }

    fn on_power_loss(&mut self, sight: &Sight<'_>, node: NodeId) {
        let NodeId::Server(id) = node else { return };
        let broker = BrokerId(id);
        for partition in self.histories.partitions() {
            let Some(log) = sight.log(broker, &partition) else { continue };
            let others = sight.servers().map(|(id, _)| BrokerId(id)).filter(|other| *other != broker);
            let longest = sight.logs_of(others, &partition, log.topic_id).map(|there| there.end).max();
            if let Some(history) = self.histories.get_mut(&partition, log.topic_id) {
                history.lose_power(broker, &log, longest.unwrap_or(Offset::ZERO));
                if history.is_proposed(broker) {
                    self.ledger.on_loser_joined(sight, history, (&partition, log.topic_id), broker);
                }
                self.ledger.on_power_loss(sight, history, (&partition, log.topic_id), broker);
                self.settle(sight, &partition);
            }
        }
    }

    fn on_server_removed(&mut self, sight: &Sight<'_>, node: NodeId) {
        let NodeId::Server(id) = node else { return };
        Arc::make_mut(&mut self.metadata).on_server_removed(id);
        self.ledger.on_server_removed(sight, &self.histories, BrokerId(id));
        self.ledger.partitions().iter().for_each(|partition| self.settle(sight, partition));
    }

    /// `leader` was elected, which need not have all that was committed and acknowledged.
    fn on_unclean_election(
        &mut self,
        sight: &Sight<'_>,
        partition: &TopicPartition,
        (leader, leader_epoch): (BrokerId, LeaderEpoch),
    ) {
        self.ledger.on_unclean_election(sight, partition, (leader, leader_epoch));
        let Some(topic_id) = sight.known_state(partition).map(|glance| glance.topic_id) else { return };
        if let Some(history) = self.histories.get_mut(partition, topic_id) {
            let own = sight.log_of(leader, partition, topic_id);
            let logs = || sight.logs_of(sight.keepers(partition), partition, topic_id);
            let whole = logs().max_by_key(|log| {
                let is_whole = log.reaches(history.committed.end, history.committed.epoch);
                (is_whole, log.leader_epochs.last().copied(), log.end)
            });
            let prefix = own.as_ref().and_then(|own| logs().map(|log| own.common_end(&log)).min());
            history.weaken(leader_epoch, own.as_ref(), whole, prefix.unwrap_or(Offset::ZERO));
            history.unaware = Some(leader);
        }
    }

    /// What is remembered of the partition that a broker has a replica of.
    fn history_of(&mut self, sight: &Sight<'_>, broker: BrokerId, partition: &TopicPartition) -> Option<&mut History> {
        let topic_id = sight.log(broker, partition)?.topic_id;
        self.histories.get_mut(partition, topic_id)
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
        let standing = self.ledger.settle(sight, self.histories.last(partition), partition);
        clients::promised(Arc::make_mut(&mut self.findings), sight, partition, standing);
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
        let (metadata, findings) = (Arc::make_mut(&mut self.metadata), Arc::make_mut(&mut self.findings));
        metadata.compare(findings, sight);
        metadata.commitment(findings, sight);
        metadata.disks(findings, sight);
        clients::deliveries(findings, sight);
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
            let leader = LeaderGlance { broker, partition, replica, leadership };
            if let Some(history) = self.histories.get_mut(partition, replica.topic_id) {
                in_sync_replicas::laggards(findings, sight, history, &leader);
                replica_numbers::stands_still(findings, sight, history, &leader);
            }
            self.on_leadership(sight, &leader);
        }
    }
}

/// Whether what a controller does is looked at: what a deposed one of a quorum still decides does not count.
fn counts(sight: &Sight<'_>, controller: NodeId) -> bool {
    let is_active = || sight.active_controller().is_some_and(|(id, ..)| NodeId::Server(id) == controller);
    sight.zookeeper.is_some() || is_active()
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

/// A leader that was not in sync and its epoch, if the event elects one. The end of a reassignment from which nobody in
/// sync is left, which unclean elections allow, is such an election, too.
fn unclean_election<'a>(
    sight: &Sight<'_>,
    event: &'a ControllerEvent,
) -> Option<(&'a TopicPartition, (BrokerId, LeaderEpoch))> {
    if let ControllerEvent::LeaderElected { partition, leader, leader_epoch, is_unclean: true, .. } = event {
        return Some((partition, (*leader, *leader_epoch)));
    }
    let ControllerEvent::IsrChanged { partition, from, to, reason: ChangeReason::Reassignment, .. } = event else {
        return None;
    };
    let is_one_left = to.iter().any(|member| from.contains(member));
    let leader_epoch = sight.state(partition)?.state.leader_epoch;
    to.first().filter(|_| !is_one_left).map(|first| (partition, (*first, leader_epoch)))
}
