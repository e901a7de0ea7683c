//! The states of partitions and how they change (`kafka.controller.ZkPartitionStateMachine`).

use super::batch::Batch;
use super::context::{Leadership, PartitionState};
use super::state_znodes::Occasion;
use super::work::{Stop, Work};
use crate::event::ChangeReason;
use crate::leader_election::{Candidates, OfflineElection};
use crate::zk_data;
use std::collections::{BTreeMap, BTreeSet};
use wire::zookeeper::{PartitionStateData, ZnodeData};
use wire::{BrokerId, LeaderEpoch, TopicName, TopicPartition};

/// How a leader is chosen (`PartitionLeaderElectionStrategy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strategy {
    /// The partition has none. A replica out of sync may lead where its topic says so, or anyway.
    Offline {
        /// Whatever the topic says.
        is_unclean_allowed: bool,
    },
    /// The replicas that stay or come shall lead.
    Reassignment,
    /// Brokers shut down.
    ControlledShutdown,
    /// The preferred replica shall lead.
    Preferred,
}

impl Strategy {
    /// For a partition without leader whose topic says what is allowed.
    pub(super) const OFFLINE: Strategy = Strategy::Offline { is_unclean_allowed: false };

    /// As Scala prints it.
    fn name(self) -> &'static str {
        match self {
            Strategy::Offline { is_unclean_allowed: false } => "OfflinePartitionLeaderElectionStrategy(false)",
            Strategy::Offline { is_unclean_allowed: true } => "OfflinePartitionLeaderElectionStrategy(true)",
            Strategy::Reassignment => "ReassignPartitionLeaderElectionStrategy",
            Strategy::ControlledShutdown => "ControlledShutdownPartitionLeaderElectionStrategy",
            Strategy::Preferred => "PreferredReplicaPartitionLeaderElectionStrategy",
        }
    }
}

/// Who was elected, or why nobody was, in Kafka's words. New partitions are not told here.
pub(super) type ElectionResults = BTreeMap<TopicPartition, Result<BrokerId, String>>;

/// A leader that was chosen, with the state that says so and the replicas to be told.
struct Elected {
    state: PartitionStateData,
    recipients: Vec<BrokerId>,
}

impl Work<'_> {
    /// Partitions that may do so change to `New`.
    pub(super) fn partitions_become_new(&mut self, partitions: &[TopicPartition]) {
        self.set_partition_states(partitions, PartitionState::New);
    }

    /// Partitions that may do so change to `Offline`.
    pub(super) fn partitions_go_offline(&mut self, partitions: &[TopicPartition]) {
        self.set_partition_states(partitions, PartitionState::Offline);
    }

    /// Partitions that may do so cease to exist.
    pub(super) fn partitions_cease_to_exist(&mut self, partitions: &[TopicPartition]) {
        self.set_partition_states(partitions, PartitionState::NonExistent);
    }

    fn set_partition_states(&mut self, partitions: &[TopicPartition], to: PartitionState) {
        for partition in self.that_may_become(partitions, to) {
            self.context().partition_states.insert(partition, to);
        }
    }

    fn that_may_become(&mut self, partitions: &[TopicPartition], to: PartitionState) -> Vec<TopicPartition> {
        let context = self.context();
        let may = |partition: &&TopicPartition| to.may_follow(context.partition_state(partition));
        partitions.iter().filter(may).cloned().collect()
    }

    /// New and offline partitions, except of topics that are to go, try to come online
    /// (`triggerOnlinePartitionStateChange`).
    pub(super) fn bring_partitions_online(&mut self, reason: Option<ChangeReason>) -> Result<ElectionResults, Stop> {
        let context = self.context();
        let is_waiting = |state: PartitionState| matches!(state, PartitionState::New | PartitionState::Offline);
        let waiting = context.partition_states.iter().filter(|(_, state)| is_waiting(**state));
        let waiting = waiting.map(|(partition, _)| partition.clone());
        let waiting: Vec<TopicPartition> =
            waiting.filter(|partition| !context.is_queued_for_deletion(&partition.topic)).collect();
        self.partitions_come_online(&waiting, Strategy::OFFLINE, reason)
    }

    /// Partitions that may do so come online: new ones get their first leader, others elect one.
    pub(super) fn partitions_come_online(
        &mut self,
        partitions: &[TopicPartition],
        strategy: Strategy,
        reason: Option<ChangeReason>,
    ) -> Result<ElectionResults, Stop> {
        let partitions = self.that_may_become(partitions, PartitionState::Online);
        let context = self.context();
        let is_new = |partition: &TopicPartition| context.partition_state(partition) == PartitionState::New;
        let (new, others): (Vec<_>, Vec<_>) = partitions.into_iter().partition(is_new);
        let mut batch = Batch::default();
        self.initialize(&new, &mut batch)?;
        let results = self.elect(others, strategy, reason, &mut batch)?;
        batch.send(self);
        Ok(results)
    }

    /// The first leader of a new partition is its first live replica; one without any stays new.
    fn initialize(&mut self, partitions: &[TopicPartition], batch: &mut Batch) -> Result<(), Stop> {
        let controller_epoch = self.state.context.epoch;
        let states: BTreeMap<TopicPartition, PartitionStateData> = partitions
            .iter()
            .filter_map(|partition| {
                let isr = self.state.context.live_replicas(partition);
                let leader = Some(*isr.first()?);
                let leader_epoch = LeaderEpoch::ZERO;
                let state = PartitionStateData { leader, leader_epoch, isr, controller_epoch, is_recovering: false };
                Some((partition.clone(), state))
            })
            .collect();
        if states.is_empty() {
            return Ok(());
        }
        for partition in self.create_states(states)? {
            let context = self.context();
            context.partition_states.insert(partition.clone(), PartitionState::Online);
            let isr = context.leaderships[&partition].state.isr.clone();
            batch.tell_replicas(&isr, &partition, true, context);
        }
        Ok(())
    }

    /// Elects until ZooKeeper holds what was decided on: a leader may change its state meanwhile.
    fn elect(
        &mut self,
        mut remaining: Vec<TopicPartition>,
        strategy: Strategy,
        reason: Option<ChangeReason>,
        batch: &mut Batch,
    ) -> Result<ElectionResults, Stop> {
        let failure = |partition: &TopicPartition| {
            format!("Failed to elect leader for partition {partition} under strategy {}", strategy.name())
        };
        let mut results: ElectionResults =
            remaining.iter().map(|partition| (partition.clone(), Err(failure(partition)))).collect();
        while !remaining.is_empty() {
            remaining = self.elect_once(&remaining, (strategy, reason), batch, &mut results)?;
        }
        Ok(results)
    }

    fn elect_once(
        &mut self,
        partitions: &[TopicPartition],
        (strategy, reason): (Strategy, Option<ChangeReason>),
        batch: &mut Batch,
        results: &mut ElectionResults,
    ) -> Result<Vec<TopicPartition>, Stop> {
        let mut states = self.read_states(partitions)?;
        let epoch = self.state.context.epoch;
        states.retain(|_, leadership| leadership.state.controller_epoch <= epoch);
        let unclean = self.topics_with_unclean_elections(&states, strategy)?;
        let mut recipients = BTreeMap::new();
        let mut decided = BTreeMap::new();
        for (partition, leadership) in states {
            let is_unclean_allowed = unclean.contains(&partition.topic);
            if let Some(elected) = self.choose(&partition, &leadership.state, strategy, is_unclean_allowed) {
                recipients.insert(partition.clone(), elected.recipients);
                decided.insert(partition, Leadership { state: elected.state, version: leadership.version });
            }
        }
        let written = self.write_states(decided, Occasion { reason })?;
        for partition in written.done {
            let context = self.context();
            context.partition_states.insert(partition.clone(), PartitionState::Online);
            batch.tell_replicas(&recipients[&partition], &partition, false, context);
            let leader = context.leader(&partition).expect("a leader was elected");
            results.insert(partition, Ok(leader));
        }
        Ok(written.outdated)
    }

    fn choose(
        &self,
        partition: &TopicPartition,
        state: &PartitionStateData,
        strategy: Strategy,
        is_unclean_allowed: bool,
    ) -> Option<Elected> {
        let context = &self.state.context;
        let assignment = context.assignment(partition).replicas;
        let online = context.live_replicas(partition);
        let candidates = Candidates { assignment: &assignment, isr: &state.isr, live: &online };
        let next = |leader, isr: Vec<BrokerId>| PartitionStateData {
            leader: Some(leader),
            leader_epoch: state.leader_epoch.next(),
            isr,
            controller_epoch: context.epoch,
            is_recovering: state.is_recovering,
        };
        match strategy {
            Strategy::Offline { .. } => match candidates.offline(is_unclean_allowed) {
                OfflineElection::InSync(leader) => {
                    let isr = state.isr.iter().copied().filter(|replica| online.contains(replica)).collect();
                    Some(Elected { state: next(leader, isr), recipients: online })
                }
                OfflineElection::Unclean(leader) => {
                    let state = PartitionStateData { is_recovering: true, ..next(leader, vec![leader]) };
                    Some(Elected { state, recipients: online })
                }
                OfflineElection::Nobody => None,
            },
            Strategy::Reassignment => {
                let target = context.assignment(partition).target();
                let leader = Candidates { assignment: &target, ..candidates }.reassigned()?;
                Some(Elected { state: next(leader, state.isr.clone()), recipients: target })
            }
            Strategy::Preferred => {
                let leader = candidates.preferred()?;
                Some(Elected { state: next(leader, state.isr.clone()), recipients: assignment })
            }
            Strategy::ControlledShutdown => {
                let registered: Vec<BrokerId> =
                    assignment.iter().copied().filter(|replica| context.brokers.contains_key(replica)).collect();
                let leaving: Vec<BrokerId> = context.shutting_down.iter().copied().collect();
                let candidates = Candidates { live: &registered, ..candidates };
                let leader = candidates.controlled_shutdown(&leaving)?;
                let isr = state.isr.iter().copied().filter(|replica| !leaving.contains(replica)).collect();
                Some(Elected { state: next(leader, isr), recipients: registered })
            }
        }
    }

    /// Only partitions none of whose in-sync replicas is up can need an unclean election; their topics are looked up.
    fn topics_with_unclean_elections(
        &mut self,
        states: &BTreeMap<TopicPartition, Leadership>,
        strategy: Strategy,
    ) -> Result<BTreeSet<TopicName>, Stop> {
        let context = &self.state.context;
        let is_stuck = |leadership: &Leadership| !leadership.state.isr.iter().any(|replica| context.is_live(*replica));
        let Strategy::Offline { is_unclean_allowed } = strategy else { return Ok(BTreeSet::new()) };
        let stuck = states.iter().filter(|(_, leadership)| is_stuck(leadership));
        let topics: BTreeSet<TopicName> = stuck.map(|(partition, _)| partition.topic.clone()).collect();
        if is_unclean_allowed {
            return Ok(topics);
        }
        let mut allowed = BTreeSet::new();
        for topic in topics {
            if self.is_unclean_election_enabled(&topic)? {
                allowed.insert(topic);
            }
        }
        Ok(allowed)
    }

    /// Partitions of a topic may now elect leaders that are not in sync.
    pub(super) fn on_unclean_election_enabled(&mut self, topic: &TopicName) -> Result<(), Stop> {
        let context = self.context();
        let of_topic = context.partitions_of_topics(&BTreeSet::from([topic.clone()]));
        let is_waiting = |partition: &TopicPartition| context.partition_state(partition) == PartitionState::Offline;
        let waiting: Vec<TopicPartition> = of_topic.into_iter().filter(is_waiting).collect();
        self.partitions_come_online(&waiting, Strategy::OFFLINE, Some(ChangeReason::UncleanElection)).map(drop)
    }

    /// Partitions of all topics that do not say otherwise may now.
    pub(super) fn on_unclean_election_enabled_by_default(&mut self) -> Result<(), Stop> {
        self.bring_partitions_online(Some(ChangeReason::UncleanElection)).map(drop)
    }

    fn is_unclean_election_enabled(&mut self, topic: &TopicName) -> Result<bool, Stop> {
        let own = match self.get_data(&zk_data::topic_config(topic).0, false)? {
            Some((ZnodeData::Config(config), _)) => config.get("unclean.leader.election.enable").cloned(),
            _ => None,
        };
        let default = self.facts.config.unclean_leader_election_enable;
        Ok(own.map_or(default, |value| value.trim().eq_ignore_ascii_case("true")))
    }
}
