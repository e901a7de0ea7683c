//! Replicas are moved (`ReplicationControlManager.alterPartitionReassignments`, KIP-455). This begins, changes, cancels
//! and lists; a reassignment completes when its leader proposes in-sync replicas that contain all targets (see
//! `partition_change`).

use super::partition_change::{Election, PartitionChange, without};
use super::replication::Cluster;
use crate::metadata::{PartitionRegistration, TopicImage};
use wire::request::{AlterPartitionReassignmentsRequest, ListPartitionReassignmentsRequest, ReassignablePartition};
use wire::response::{
    AlterPartitionReassignmentsResponse, ListPartitionReassignmentsResponse, OngoingReassignment, PartitionResult,
};
use wire::{BrokerId, ErrorCode, MetadataRecord, PartitionIndex, TopicPartition};

/// Why a partition was not changed.
type Refusal = (ErrorCode, String);

/// A partition that exists.
#[derive(Clone, Copy)]
struct Found<'a> {
    topic: &'a TopicImage,
    index: PartitionIndex,
    state: &'a PartitionRegistration,
}

impl Cluster<'_> {
    /// Begins, changes and cancels reassignments.
    pub(super) fn alter_partition_reassignments(
        &self,
        request: &AlterPartitionReassignmentsRequest,
    ) -> (Vec<MetadataRecord>, AlterPartitionReassignmentsResponse) {
        let mut records = Vec::new();
        let mut results = Vec::new();
        for target in &request.partitions {
            let partition = target.partition.clone();
            let (error, error_message) = match self.alter_reassignment(target) {
                Ok(record) => {
                    records.extend(record);
                    (ErrorCode::None, None)
                }
                Err((error, message)) => (error, Some(message)),
            };
            results.push(PartitionResult { partition, error, error_message });
        }
        (records, AlterPartitionReassignmentsResponse { error: ErrorCode::None, results })
    }

    /// The reassignments under way.
    pub(super) fn list_partition_reassignments(
        &self,
        request: &ListPartitionReassignmentsRequest,
    ) -> ListPartitionReassignmentsResponse {
        let is_asked = |partition: &TopicPartition| match &request.partitions {
            Some(asked) => asked.contains(partition),
            None => true,
        };
        let moving = self.image.partitions().filter(|(partition, state)| state.is_reassigning() && is_asked(partition));
        let partitions = moving.map(|(partition, state)| ongoing(partition, state)).collect();
        ListPartitionReassignmentsResponse { error: ErrorCode::None, partitions }
    }

    fn alter_reassignment(&self, target: &ReassignablePartition) -> Result<Option<MetadataRecord>, Refusal> {
        let found = self.find_partition(&target.partition)?;
        match &target.replicas {
            Some(replicas) => self.reassign(found, replicas),
            None => self.cancel_reassignment(found, &target.partition),
        }
    }

    fn find_partition(&self, partition: &TopicPartition) -> Result<Found<'_>, Refusal> {
        let TopicPartition { topic: name, partition: index } = partition;
        let unknown = |what: String| (ErrorCode::UnknownTopicOrPartition, what);
        let topic = self.image.topics().get(name);
        let topic = topic.ok_or_else(|| unknown(format!("Unable to find a topic named {name}.")))?;
        let state = topic.partitions.get(index);
        let state = state.ok_or_else(|| unknown(format!("Unable to find partition {name}:{index}.")))?;
        Ok(Found { topic, index: *index, state })
    }

    /// The targets first, then those that go, so that the first target is preferred at once. What an earlier
    /// reassignment was adding and this one does not want goes too.
    fn reassign(&self, found: Found<'_>, targets: &[BrokerId]) -> Result<Option<MetadataRecord>, Refusal> {
        self.check_assignment(targets, None).map_err(|message| (ErrorCode::InvalidReplicaAssignment, message))?;
        let current = &found.state.replicas;
        let (mut adding, mut removing) = (without(targets, current), without(current, targets));
        adding.sort_unstable();
        removing.sort_unstable();
        let is_acceptable_leader = &|broker| self.is_active(broker);
        let subject = self.subject(found.topic, found.index, found.state, is_acceptable_leader);
        let mut change = PartitionChange::new(subject, Election::Online);
        change.replicas = targets.iter().chain(&removing).copied().collect();
        if !removing.is_empty() {
            change.removing_replicas = removing;
        }
        if !adding.is_empty() {
            change.adding_replicas = adding;
        }
        Ok(change.metadata_record())
    }

    /// Back to the replicas from before. If only replicas that were being added are in sync, the first of the others
    /// takes over uncleanly.
    fn cancel_reassignment(
        &self,
        found: Found<'_>,
        partition: &TopicPartition,
    ) -> Result<Option<MetadataRecord>, Refusal> {
        let (state, TopicPartition { topic: name, partition: index }) = (found.state, partition);
        if !state.is_reassigning() {
            let error = ErrorCode::NoReassignmentInProgress;
            return Err((error, error.message().to_owned()));
        }
        let replicas = without(&state.replicas, &state.adding_replicas);
        let mut isr = without(&state.isr, &state.adding_replicas);
        if isr.is_empty() {
            if !self.is_unclean_election_enabled(found.topic) {
                let message = format!(
                    "Unable to revert partition assignment for {name}:{index} because it would require an unclean leader \
                     election."
                );
                return Err((ErrorCode::InvalidReplicaAssignment, message));
            }
            isr.extend(replicas.first());
        }
        let is_acceptable_leader = &|broker| self.is_active(broker);
        let subject = self.subject(found.topic, found.index, state, is_acceptable_leader);
        let mut change = PartitionChange::new(subject, self.automatic_election(found.topic));
        (change.isr, change.replicas) = (isr, replicas);
        change.adding_replicas.clear();
        change.removing_replicas.clear();
        Ok(change.metadata_record())
    }
}

fn ongoing(partition: TopicPartition, state: &PartitionRegistration) -> OngoingReassignment {
    OngoingReassignment {
        partition,
        replicas: state.replicas.clone(),
        adding_replicas: state.adding_replicas.clone(),
        removing_replicas: state.removing_replicas.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TestCluster, ids};
    use super::*;
    use wire::TopicName;

    fn foo(index: i32) -> TopicPartition {
        TopicPartition::new(TopicName::new("foo"), PartitionIndex(index))
    }

    /// The error of moving foo-0; the record is applied.
    fn alter(cluster: &mut TestCluster, replicas: Option<&[i32]>) -> (ErrorCode, Option<String>) {
        alter_partition(cluster, foo(0), replicas)
    }

    fn alter_partition(
        cluster: &mut TestCluster,
        partition: TopicPartition,
        replicas: Option<&[i32]>,
    ) -> (ErrorCode, Option<String>) {
        let replicas = replicas.map(ids);
        let partitions = vec![ReassignablePartition { partition, replicas }];
        let request = AlterPartitionReassignmentsRequest { partitions };
        let (records, mut response) = cluster.as_cluster().alter_partition_reassignments(&request);
        cluster.replay(records);
        let result = response.results.remove(0);
        (result.error, result.error_message)
    }

    /// Replicas, those that come, and those that go.
    fn assignment(cluster: &TestCluster) -> [Vec<i32>; 3] {
        let state = cluster.image.partition(&foo(0)).expect("foo-0 exists");
        [&state.replicas, &state.adding_replicas, &state.removing_replicas]
            .map(|brokers| brokers.iter().map(|broker| broker.0).collect())
    }

    fn moving() -> TestCluster {
        let mut cluster = TestCluster::with_brokers(4);
        cluster.create("foo", &[&[3, 2, 1]]);
        assert_eq!(alter(&mut cluster, Some(&[0, 2, 1])), (ErrorCode::None, None));
        cluster
    }

    #[test]
    fn a_reassignment_begins_with_all_replicas_targets_first() {
        let cluster = moving();
        assert_eq!(assignment(&cluster), [vec![0, 2, 1, 3], vec![0], vec![3]]);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["3 [3, 2, 1]"]);
        let listed = |partitions| {
            let request = ListPartitionReassignmentsRequest { partitions };
            cluster.as_cluster().list_partition_reassignments(&request).partitions
        };
        let expected = OngoingReassignment {
            partition: foo(0),
            replicas: ids(&[0, 2, 1, 3]),
            adding_replicas: ids(&[0]),
            removing_replicas: ids(&[3]),
        };
        assert_eq!(listed(None), std::slice::from_ref(&expected));
        assert_eq!(listed(Some(vec![foo(0)])), [expected]);
        assert_eq!(listed(Some(vec![foo(1)])), []);
    }

    /// `PartitionReassignmentReplicasTest`: replicas, those that come and those that go, both sorted.
    #[test]
    fn targets_come_first_and_then_those_that_go_in_order() {
        type Case<'a> = (&'a [i32], &'a [i32], [Vec<i32>; 3]);
        let table: [Case<'_>; 4] = [
            (&[3, 2, 1], &[3, 6, 2, 1, 5], [vec![3, 6, 2, 1, 5], vec![5, 6], vec![]]),
            (&[3, 2, 1, 0], &[7, 3, 1, 9], [vec![7, 3, 1, 9, 0, 2], vec![7, 9], vec![0, 2]]),
            (&[3, 2, 1, 0], &[0, 1, 3, 2], [vec![0, 1, 3, 2], vec![], vec![]]),
            (&[3, 2, 1], &[3, 2, 1], [vec![3, 2, 1], vec![], vec![]]),
        ];
        for (before, target, expected) in table {
            let mut cluster = TestCluster::with_brokers(10);
            cluster.create("foo", &[before]);
            assert_eq!(alter(&mut cluster, Some(target)).0, ErrorCode::None);
            assert_eq!(assignment(&cluster), expected, "{before:?} -> {target:?}");
        }
        let mut cluster = TestCluster::with_brokers(4);
        cluster.create("foo", &[&[3, 2, 1, 0]]);
        alter(&mut cluster, Some(&[3, 1]));
        assert_eq!(assignment(&cluster), [vec![3, 1], vec![], vec![]], "who only goes is gone at once");
    }

    /// `PartitionReassignmentRevertTest`: of replicas 3, 2 and 1, with 4 and 5 on their way.
    #[test]
    fn a_way_back_keeps_who_was_in_sync_before_and_needs_an_unclean_election_if_nobody_was() {
        for (isr, error, after) in
            [(&[4, 5, 2][..], ErrorCode::None, "2 [2]"), (&[4, 5], ErrorCode::InvalidReplicaAssignment, "3 [4, 5]")]
        {
            let mut cluster = TestCluster::with_brokers(6);
            cluster.create("foo", &[&[3, 2, 1]]);
            alter(&mut cluster, Some(&[4, 5, 3, 2, 1]));
            assert_eq!(assignment(&cluster), [vec![4, 5, 3, 2, 1], vec![4, 5], vec![]]);
            cluster.change_isr("foo", 0, isr);
            assert_eq!(alter(&mut cluster, None).0, error);
            assert_eq!(cluster.leaders_and_isrs("foo"), [after]);
            if error != ErrorCode::None {
                cluster.configure("foo", "unclean.leader.election.enable", "true");
                assert_eq!(alter(&mut cluster, None).0, ErrorCode::None);
                assert_eq!(cluster.leaders_and_isrs("foo"), ["3 [3]"]);
            }
            assert_eq!(assignment(&cluster), [vec![3, 2, 1], vec![], vec![]]);
        }
    }

    #[test]
    fn a_cancelled_reassignment_leaves_the_replicas_from_before() {
        let mut cluster = moving();
        assert_eq!(alter(&mut cluster, None), (ErrorCode::None, None));
        assert_eq!(assignment(&cluster), [vec![2, 1, 3], vec![], vec![]]);
        let error = ErrorCode::NoReassignmentInProgress;
        assert_eq!(alter(&mut cluster, None), (error, Some("No partition reassignment is in progress.".to_owned())));
    }

    #[test]
    fn a_new_reassignment_takes_the_place_of_the_one_under_way() {
        let mut cluster = TestCluster::with_brokers(5);
        cluster.create("foo", &[&[3, 2, 1]]);
        alter(&mut cluster, Some(&[0, 2, 1]));
        alter(&mut cluster, Some(&[4, 2, 1]));
        assert_eq!(assignment(&cluster), [vec![4, 2, 1, 0, 3], vec![4], vec![0, 3]]);
    }

    #[test]
    fn replicas_that_only_go_or_change_places_are_done_at_once() {
        let mut cluster = TestCluster::with_brokers(4);
        cluster.create("foo", &[&[3, 2, 1]]);
        alter(&mut cluster, Some(&[1, 2]));
        assert_eq!(assignment(&cluster), [vec![1, 2], vec![], vec![]]);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["1 [2, 1]"]);
        alter(&mut cluster, Some(&[2, 1]));
        assert_eq!(assignment(&cluster), [vec![2, 1], vec![], vec![]]);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["1 [2, 1]"]);
    }

    #[test]
    fn a_way_back_to_a_replica_out_of_sync_is_unclean() {
        let mut cluster = moving();
        cluster.change_isr("foo", 0, &[0]);
        let (error, message) = alter(&mut cluster, None);
        assert_eq!(error, ErrorCode::InvalidReplicaAssignment);
        let expected =
            "Unable to revert partition assignment for foo:0 because it would require an unclean leader election.";
        assert_eq!(message.as_deref(), Some(expected));
        cluster.configure("foo", "unclean.leader.election.enable", "true");
        assert_eq!(alter(&mut cluster, None).0, ErrorCode::None);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["2 [2]"]);
    }

    #[test]
    fn wrong_targets_are_refused() {
        let mut cluster = moving();
        for (replicas, error) in [
            (&[][..], ErrorCode::InvalidReplicaAssignment),
            (&[1, 1], ErrorCode::InvalidReplicaAssignment),
            (&[9], ErrorCode::InvalidReplicaAssignment),
            (&[-1], ErrorCode::InvalidReplicaAssignment),
        ] {
            assert_eq!(alter(&mut cluster, Some(replicas)).0, error, "{replicas:?}");
        }
        let bar = TopicPartition::new(TopicName::new("bar"), PartitionIndex(0));
        let unknown = (ErrorCode::UnknownTopicOrPartition, Some("Unable to find a topic named bar.".to_owned()));
        assert_eq!(alter_partition(&mut cluster, bar, None), unknown);
        let unknown = (ErrorCode::UnknownTopicOrPartition, Some("Unable to find partition foo:7.".to_owned()));
        assert_eq!(alter_partition(&mut cluster, foo(7), Some(&[1])), unknown);
    }
}
