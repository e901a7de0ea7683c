//! Elections that somebody asks for: by `ElectLeaders` (KIP-460), or through `/admin/preferred_replica_election`
//! (`processReplicaLeaderElection` of `kafka.controller.KafkaController`).

use super::Task;
use super::partitions::{ElectionResults, Strategy};
use super::work::{Deed, Stop, Work};
use crate::event::ChangeReason;
use crate::node::RequestId;
use crate::zk_data;
use std::collections::{BTreeMap, BTreeSet};
use wire::request::ElectionType;
use wire::response::PartitionResult;
use wire::zookeeper::{ZnodeData, ZnodePath};
use wire::{BrokerId, ErrorCode, TopicPartition};

/// What came of `ElectLeaders`. It is answered once the broker's own metadata shows the leaders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElectionOutcome {
    /// Who was elected.
    pub leaders: BTreeMap<TopicPartition, BrokerId>,
    /// Partitions for which nobody was, and why.
    pub failures: Vec<PartitionResult>,
}

impl Work<'_> {
    /// A client wants leaders to be elected.
    pub(super) fn on_elect_leaders(
        &mut self,
        id: RequestId,
        partitions: &BTreeSet<TopicPartition>,
        election_type: ElectionType,
        is_for_all: bool,
    ) -> Result<(), Stop> {
        let (electable, mut failures) = self.electable(partitions, election_type)?;
        let (strategy, failure) = match election_type {
            ElectionType::Preferred => (Strategy::Preferred, ErrorCode::PreferredLeaderNotAvailable),
            ElectionType::Unclean => {
                (Strategy::Offline { is_unclean_allowed: true }, ErrorCode::EligibleLeadersNotAvailable)
            }
        };
        let results = self.partitions_come_online(&electable, strategy, Some(ChangeReason::ElectionByCommand))?;
        let mut leaders = BTreeMap::new();
        for (partition, result) in results {
            match result {
                Ok(leader) => drop(leaders.insert(partition, leader)),
                Err(message) => failures.push(partition_result(&partition, Err((failure, message)))),
            }
        }
        if is_for_all {
            failures.retain(|result| result.error != ErrorCode::ElectionNotNeeded);
        }
        self.deeds.push(Deed::Elected(id, ElectionOutcome { leaders, failures }));
        Ok(())
    }

    /// Somebody may have written which partitions shall have their preferred leader; leaves a watch there.
    pub(super) fn on_preferred_election(&mut self) -> Result<(), Stop> {
        self.watch(zk_data::PREFERRED_ELECTION)?;
        let asked = match self.get_data(zk_data::PREFERRED_ELECTION, false)? {
            Some((ZnodeData::PreferredReplicaElection(asked), _)) => asked,
            _ => return Ok(()),
        };
        let asked = asked.into_iter().map(|(topic, partition)| TopicPartition::new(topic, partition)).collect();
        let (electable, _) = self.electable(&asked, ElectionType::Preferred)?;
        self.elect_preferred(&electable)?;
        self.delete_all(vec![ZnodePath::new(zk_data::PREFERRED_ELECTION)])?;
        self.deeds.push(Deed::Put(Task::PreferredElection));
        Ok(())
    }

    /// Elects preferred replicas without being asked for it by a client.
    pub(super) fn elect_preferred(&mut self, partitions: &[TopicPartition]) -> Result<ElectionResults, Stop> {
        self.partitions_come_online(partitions, Strategy::Preferred, Some(ChangeReason::LeaderRebalance))
    }

    /// Partitions that need such an election, and what is said of the others.
    fn electable(
        &self,
        partitions: &BTreeSet<TopicPartition>,
        election_type: ElectionType,
    ) -> Result<(Vec<TopicPartition>, Vec<PartitionResult>), Stop> {
        let (mut electable, mut others) = (Vec::new(), Vec::new());
        for partition in partitions {
            let context = &self.state.context;
            let preferred = context.assignment(partition).replicas.first().copied();
            let refusal = if preferred.is_none() {
                (ErrorCode::UnknownTopicOrPartition, "The partition does not exist.")
            } else if context.is_queued_for_deletion(&partition.topic) {
                (ErrorCode::InvalidTopic, "The topic is being deleted")
            } else {
                let leader = context.leaderships.get(partition).ok_or(Stop::Failed)?.state.leader;
                let is_needed = match election_type {
                    ElectionType::Preferred => leader != preferred,
                    ElectionType::Unclean => leader.is_none_or(|leader| !context.is_live(leader)),
                };
                if is_needed {
                    electable.push(partition.clone());
                    continue;
                }
                (ErrorCode::ElectionNotNeeded, ErrorCode::ElectionNotNeeded.message())
            };
            others.push(partition_result(partition, Err((refusal.0, refusal.1.to_owned()))));
        }
        Ok((electable, others))
    }
}

/// What became of a partition.
pub(super) fn partition_result(partition: &TopicPartition, result: Result<(), (ErrorCode, String)>) -> PartitionResult {
    let (error, error_message) = match result {
        Ok(()) => (ErrorCode::None, None),
        Err((error, message)) => (error, Some(message)),
    };
    PartitionResult { partition: partition.clone(), error, error_message }
}
