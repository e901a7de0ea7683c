//! What a topic that is to be made or enlarged would look like in ZooKeeper, or why it is refused
//! (`kafka.server.ZkAdminManager`, `kafka.zk.AdminZkClient`). The messages are Kafka's.

use super::placement::{LiveBroker, Placement, Refusal, Start, place};
use crate::Rng;
use crate::config::{BrokerConfig, validate_topic_configs};
use crate::controller::{check_name, collide, has_collision_characters, random_topic_id};
use std::collections::{BTreeMap, BTreeSet};
use wire::request::{CreatableTopic, CreatePartitionsTopic};
use wire::{BrokerId, ErrorCode, PartitionIndex, TopicId};

/// The replicas of a topic's partitions.
pub(super) type Assignment = BTreeMap<PartitionIndex, Vec<BrokerId>>;

/// What is known when a plan is made.
pub(super) struct Knowledge<'a> {
    pub(super) config: &'a BrokerConfig,
    /// The brokers that are alive, in order of their ids.
    pub(super) brokers: &'a [LiveBroker],
    /// The names in `/brokers/topics`.
    pub(super) existing: &'a [String],
    /// The names in `/admin/delete_topics`.
    pub(super) marked_for_deletion: &'a [String],
}

/// A new topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TopicPlan {
    pub(super) topic_id: TopicId,
    pub(super) assignment: Assignment,
    pub(super) configs: BTreeMap<String, String>,
}

impl Knowledge<'_> {
    /// A topic as it would be made.
    pub(super) fn plan_topic(&self, topic: &CreatableTopic, rng: &mut Rng) -> Result<TopicPlan, Refusal> {
        let assignment = self.assignment(topic, rng)?;
        self.check_new_name(topic.name.as_str())?;
        check_assignment(&assignment)?;
        let configs: BTreeMap<String, String> = topic.configs.iter().cloned().collect();
        validate_topic_configs(&configs, self.config).map_err(|message| (ErrorCode::InvalidConfig, message))?;
        Ok(TopicPlan { topic_id: random_topic_id(rng), assignment, configs })
    }

    fn assignment(&self, topic: &CreatableTopic, rng: &mut Rng) -> Result<Assignment, Refusal> {
        let is_counted = topic.num_partitions.is_some() || topic.replication_factor.is_some();
        if topic.assignments.is_empty() {
            return self.placed(topic, rng);
        }
        if is_counted {
            let message = "Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be \
                           used at the same time.";
            return Err((ErrorCode::InvalidRequest, message.to_owned()));
        }
        Ok(topic.assignments.iter().cloned().collect())
    }

    fn placed(&self, topic: &CreatableTopic, rng: &mut Rng) -> Result<Assignment, Refusal> {
        let default_factor = self.config.default_replication_factor;
        let placement = Placement {
            partitions: topic.num_partitions.unwrap_or(self.config.num_partitions),
            replication_factor: topic.replication_factor.map_or(default_factor, i32::from),
            first_partition: 0,
        };
        let placed = place(placement, self.brokers, Start::drawn(self.brokers.len(), rng))?;
        Ok((0..).map(PartitionIndex).zip(placed).collect())
    }

    fn check_new_name(&self, name: &str) -> Result<(), Refusal> {
        check_name(name).map_err(|message| (ErrorCode::InvalidTopic, message))?;
        if self.marked_for_deletion.iter().any(|marked| marked == name) {
            return Err((ErrorCode::TopicAlreadyExists, format!("Topic '{name}' is marked for deletion.")));
        }
        if self.existing.iter().any(|existing| existing == name) {
            return Err(already_exists(name));
        }
        let collides = |existing: &&str| has_collision_characters(existing) && collide(existing, name);
        let colliding: Vec<&str> = self.existing.iter().map(String::as_str).filter(collides).collect();
        if !has_collision_characters(name) || colliding.is_empty() {
            return Ok(());
        }
        let message = format!("Topic '{name}' collides with existing topics: {}", colliding.join(", "));
        Err((ErrorCode::InvalidTopic, message))
    }

    /// A topic's partitions as they would be with more of them.
    pub(super) fn plan_partitions(
        &self,
        existing: &Assignment,
        wanted: &CreatePartitionsTopic,
    ) -> Result<Assignment, Refusal> {
        let (before, count) = (existing.len() as i32, wanted.count);
        if count < before {
            let message =
                format!("Topic currently has {before} partitions, which is higher than the requested {count}.");
            return Err((ErrorCode::InvalidPartitions, message));
        }
        if count == before {
            return Err((ErrorCode::InvalidPartitions, format!("Topic already has {before} partitions.")));
        }
        let added = match &wanted.assignments {
            Some(assignments) => self.assigned_partitions(existing, assignments, count - before)?,
            None => self.placed_partitions(existing, count - before)?,
        };
        Ok(existing.clone().into_iter().chain((before..).map(PartitionIndex).zip(added)).collect())
    }

    fn placed_partitions(&self, existing: &Assignment, added: i32) -> Result<Vec<Vec<BrokerId>>, Refusal> {
        let first = existing.values().next().expect("a topic has a partition");
        let leader = first.first().copied().unwrap_or(BrokerId(0));
        let index = self.brokers.iter().position(|broker| broker.id >= leader).unwrap_or(0);
        let placement = Placement {
            partitions: added,
            replication_factor: first.len() as i32,
            first_partition: existing.len() as u32,
        };
        place(placement, self.brokers, Start::fixed(index))
    }

    fn assigned_partitions(
        &self,
        existing: &Assignment,
        assignments: &[Vec<BrokerId>],
        added: i32,
    ) -> Result<Vec<Vec<BrokerId>>, Refusal> {
        let alive: BTreeSet<BrokerId> = self.brokers.iter().map(|broker| broker.id).collect();
        let unknown: BTreeSet<BrokerId> =
            assignments.iter().flatten().copied().filter(|id| !alive.contains(id)).collect();
        if !unknown.is_empty() {
            return Err(invalid_assignment(format!("Unknown broker(s) in replica assignment: {}.", joined(&unknown))));
        }
        if assignments.len() as i32 != added {
            let given = assignments.len();
            let message = format!("Increasing the number of partitions by {added} but {given} assignments provided.");
            return Err(invalid_assignment(message));
        }
        let factor = existing.values().next().map_or(0, Vec::len);
        for (partition, replicas) in (existing.len()..).zip(assignments) {
            check_added(partition, replicas)?;
        }
        check_factors(existing.len(), factor, assignments)?;
        Ok(assignments.to_vec())
    }
}

/// `Topic 't' already exists.`
pub(super) fn already_exists(name: &str) -> Refusal {
    (ErrorCode::TopicAlreadyExists, format!("Topic '{name}' already exists."))
}

fn invalid_assignment(message: impl Into<String>) -> Refusal {
    (ErrorCode::InvalidReplicaAssignment, message.into())
}

fn joined<'a>(brokers: impl IntoIterator<Item = &'a BrokerId>) -> String {
    brokers.into_iter().map(BrokerId::to_string).collect::<Vec<String>>().join(", ")
}

fn check_assignment(assignment: &Assignment) -> Result<(), Refusal> {
    let factors: BTreeSet<usize> = assignment.values().map(Vec::len).collect();
    if factors.len() != 1 {
        return Err(invalid_assignment("All partitions should have the same number of replicas"));
    }
    let has_duplicate = |replicas: &Vec<BrokerId>| replicas.iter().collect::<BTreeSet<_>>().len() < replicas.len();
    if assignment.values().any(has_duplicate) {
        let partition = |(index, replicas): (&PartitionIndex, &Vec<BrokerId>)| {
            format!("{index} -> ArrayBuffer({})", joined(replicas))
        };
        let text = assignment.iter().map(partition).collect::<Vec<String>>().join(", ");
        return Err(invalid_assignment(format!("Duplicate replica assignment found: HashMap({text})")));
    }
    let are_consecutive = (0..).zip(assignment.keys()).all(|(expected, index)| index.0 == expected);
    if !are_consecutive {
        return Err(invalid_assignment("partitions should be a consecutive 0-based integer sequence"));
    }
    Ok(())
}

fn check_added(partition: usize, replicas: &[BrokerId]) -> Result<(), Refusal> {
    if replicas.is_empty() {
        return Err(invalid_assignment(format!("Cannot have replication factor of 0 for partition id {partition}.")));
    }
    if replicas.iter().collect::<BTreeSet<_>>().len() < replicas.len() {
        return Err(invalid_assignment(format!(
            "Duplicate brokers not allowed in replica assignment: {} for partition id {partition}.",
            joined(replicas)
        )));
    }
    Ok(())
}

fn check_factors(first: usize, expected: usize, assignments: &[Vec<BrokerId>]) -> Result<(), Refusal> {
    let wrong: Vec<(usize, usize)> = (first..)
        .zip(assignments)
        .filter(|(_, replicas)| replicas.len() != expected)
        .map(|(partition, replicas)| (partition, replicas.len()))
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let list = |part: fn(&(usize, usize)) -> usize| {
        wrong.iter().map(|entry| part(entry).to_string()).collect::<Vec<String>>().join(", ")
    };
    Err(invalid_assignment(format!(
        "Inconsistent replication factor between partitions, partition 0 has {expected} while partitions [{}] have \
         replication factors [{}], respectively.",
        list(|entry| entry.0),
        list(|entry| entry.1)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `AdminZkClientTest.testManualReplicaAssignment`.
    #[test]
    fn given_assignments_begin_with_partition_0_and_have_replicas_that_are_equally_many_and_differ() {
        type Given<'a> = &'a [(i32, &'a [i32])];
        let check = |given: Given<'_>| {
            let entry = |(partition, replicas): &(i32, &[i32])| {
                (PartitionIndex(*partition), replicas.iter().copied().map(BrokerId).collect())
            };
            check_assignment(&given.iter().map(entry).collect())
        };
        let refused: [Given<'_>; 5] = [
            &[(0, &[0, 0])],
            &[(0, &[0, 1]), (1, &[0])],
            &[(1, &[1, 2]), (2, &[1, 2])],
            &[(0, &[1, 2]), (3, &[1, 2])],
            &[(-1, &[1, 2]), (1, &[1, 2]), (2, &[1, 2]), (4, &[1, 2])],
        ];
        for given in refused {
            assert_eq!(
                check(given).map_err(|refusal| refusal.0),
                Err(ErrorCode::InvalidReplicaAssignment),
                "{given:?}"
            );
        }
        assert_eq!(check(&[(0, &[0, 1, 2]), (1, &[1, 2, 3])]), Ok(()));
    }
}
