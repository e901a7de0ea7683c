//! Leaders propose other in-sync replicas (`AlterPartition`; KIP-497, KIP-841, KIP-903). Checks the proposals in Kafka's
//! order (`ReplicationControlManager.alterPartition`).

use super::partition_change::PartitionChange;
use super::replication::Cluster;
use crate::metadata::{PartitionRegistration, TopicImage};
use wire::request::{AlterPartitionData, AlterPartitionRequest};
use wire::response::{AlterPartitionResponse, AlterPartitionResult};
use wire::{
    BrokerEpoch, BrokerId, ErrorCode, LeaderEpoch, LeaderRecoveryState, MetadataRecord, PartitionChangeRecord,
    PartitionEpoch,
};

impl Cluster<'_> {
    /// The changes that are accepted, and the answer.
    pub(super) fn alter_partition(
        &self,
        request: &AlterPartitionRequest,
    ) -> (Vec<MetadataRecord>, AlterPartitionResponse) {
        let mut records = Vec::new();
        let error = self.check_broker_epoch(request.broker_id, request.broker_epoch);
        if !error.is_none() {
            return (records, AlterPartitionResponse { error, partitions: Vec::new() });
        }
        let partitions =
            request.partitions.iter().map(|data| self.alter_one(request.broker_id, data, &mut records)).collect();
        (records, AlterPartitionResponse { error, partitions })
    }

    /// `STALE_BROKER_EPOCH` unless this is the broker's current registration.
    pub(super) fn check_broker_epoch(&self, broker: BrokerId, epoch: BrokerEpoch) -> ErrorCode {
        match self.image.brokers().get(&broker) {
            Some(registration) if registration.broker_epoch == epoch => ErrorCode::None,
            Some(_) | None => ErrorCode::StaleBrokerEpoch,
        }
    }

    fn alter_one(
        &self,
        sender: BrokerId,
        data: &AlterPartitionData,
        records: &mut Vec<MetadataRecord>,
    ) -> AlterPartitionResult {
        let found = match self.find(data) {
            Ok(found) => found,
            Err(error) => return refused(data, error),
        };
        let error = self.check_proposal(sender, found.1, data);
        if !error.is_none() {
            return refused(data, error);
        }
        let change = self.proposed_change(found, data);
        let result = accepted(data, found.1, change.as_ref());
        records.extend(change.map(MetadataRecord::PartitionChange));
        result
    }

    fn find(&self, data: &AlterPartitionData) -> Result<(&TopicImage, &PartitionRegistration), ErrorCode> {
        let name = self.image.topic_name(data.topic_id).ok_or(ErrorCode::UnknownTopicId)?;
        let topic = self.image.topics().get(name).expect("names and topics go together");
        let partition = topic.partitions.get(&data.partition.partition).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        Ok((topic, partition))
    }

    fn check_proposal(
        &self,
        sender: BrokerId,
        partition: &PartitionRegistration,
        data: &AlterPartitionData,
    ) -> ErrorCode {
        if data.leader_epoch > partition.leader_epoch || data.partition_epoch > partition.partition_epoch {
            ErrorCode::NotController
        } else if data.leader_epoch < partition.leader_epoch {
            ErrorCode::FencedLeaderEpoch
        } else if partition.leader != Some(sender) {
            ErrorCode::InvalidRequest
        } else if data.partition_epoch < partition.partition_epoch {
            ErrorCode::InvalidUpdateVersion
        } else if !is_valid_isr(sender, partition, data) || !is_valid_recovery(partition, data) {
            ErrorCode::InvalidRequest
        } else if data.new_isr.iter().any(|(broker, epoch)| !self.is_eligible(*broker, *epoch)) {
            ErrorCode::IneligibleReplica
        } else {
            ErrorCode::None
        }
    }

    /// Whether the broker is active, in the very registration that the leader saw (`ineligibleReplicasForIsr`; the leader
    /// itself is asked about, too). Earlier releases did not ask.
    fn is_eligible(&self, broker: BrokerId, epoch: BrokerEpoch) -> bool {
        if self.faults.isr_without_broker_epochs {
            return true;
        }
        let registration = self.image.brokers().get(&broker);
        registration.is_some_and(|registration| {
            registration.is_active() && (epoch == BrokerEpoch::NONE || epoch == registration.broker_epoch)
        })
    }

    fn proposed_change(
        &self,
        (topic, partition): (&TopicImage, &PartitionRegistration),
        data: &AlterPartitionData,
    ) -> Option<PartitionChangeRecord> {
        let is_acceptable_leader = &|broker| self.is_active(broker);
        let subject = self.subject(topic, data.partition.partition, partition, is_acceptable_leader);
        let mut change = PartitionChange::new(subject, self.automatic_election(topic));
        change.isr = data.new_isr.iter().map(|(broker, _)| *broker).collect();
        change.leader_recovery_state = data.leader_recovery_state;
        change.record()
    }
}

/// Replicas only, none twice, and the leader among them.
fn is_valid_isr(leader: BrokerId, partition: &PartitionRegistration, data: &AlterPartitionData) -> bool {
    let mut isr: Vec<BrokerId> = data.new_isr.iter().map(|(broker, _)| *broker).collect();
    let are_replicas = isr.iter().all(|broker| partition.replicas.contains(broker));
    isr.sort_unstable();
    let has_duplicates = isr.windows(2).any(|pair| pair[0] == pair[1]);
    are_replicas && !has_duplicates && isr.contains(&leader)
}

/// A leader that recovers is alone in sync, and none begins to recover of itself.
fn is_valid_recovery(partition: &PartitionRegistration, data: &AlterPartitionData) -> bool {
    match (data.leader_recovery_state, partition.leader_recovery_state) {
        (LeaderRecoveryState::Recovered, _) => true,
        (LeaderRecoveryState::Recovering, LeaderRecoveryState::Recovered) => false,
        (LeaderRecoveryState::Recovering, LeaderRecoveryState::Recovering) => data.new_isr.len() <= 1,
    }
}

fn refused(data: &AlterPartitionData, error: ErrorCode) -> AlterPartitionResult {
    AlterPartitionResult {
        partition: data.partition.clone(),
        error,
        leader: None,
        leader_epoch: LeaderEpoch(0),
        isr: Vec::new(),
        partition_epoch: PartitionEpoch(0),
    }
}

/// The partition after the change. A proposal may complete a reassignment that takes the leadership from its sender: then
/// the change is made, and the sender is told that it does not lead any more.
fn accepted(
    data: &AlterPartitionData,
    before: &PartitionRegistration,
    change: Option<&PartitionChangeRecord>,
) -> AlterPartitionResult {
    let mut after = before.clone();
    if let Some(change) = change {
        after.merge(change);
    }
    if after.leader != before.leader {
        return refused(data, ErrorCode::NewLeaderElected);
    }
    AlterPartitionResult {
        partition: data.partition.clone(),
        error: ErrorCode::None,
        leader: after.leader,
        leader_epoch: after.leader_epoch,
        isr: after.isr,
        partition_epoch: after.partition_epoch,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TestCluster, ids};
    use super::*;
    use wire::{PartitionIndex, TopicId, TopicName, TopicPartition};

    /// What the leader of foo-0, broker 0, proposes as long as a test does not change it.
    fn proposal(cluster: &TestCluster, isr: &[i32]) -> AlterPartitionRequest {
        let topic = TopicName::new("foo");
        let data = AlterPartitionData {
            topic_id: cluster.image.topics()[&topic].topic_id,
            partition: TopicPartition::new(topic, PartitionIndex(0)),
            leader_epoch: LeaderEpoch(0),
            partition_epoch: PartitionEpoch(0),
            new_isr: ids(isr).into_iter().map(|broker| (broker, cluster.epoch_of(broker))).collect(),
            leader_recovery_state: LeaderRecoveryState::Recovered,
        };
        AlterPartitionRequest {
            broker_id: BrokerId(0),
            broker_epoch: cluster.epoch_of(BrokerId(0)),
            partitions: vec![data],
        }
    }

    fn foo() -> TestCluster {
        let mut cluster = TestCluster::with_brokers(4);
        cluster.create("foo", &[&[0, 1, 2]]);
        cluster
    }

    fn error_of(cluster: &TestCluster, change: impl Fn(&mut AlterPartitionRequest)) -> ErrorCode {
        let mut request = proposal(cluster, &[0, 1]);
        change(&mut request);
        let (records, response) = cluster.as_cluster().alter_partition(&request);
        let error = response.partitions.first().map_or(response.error, |result| result.error);
        assert!(error.is_none() != records.is_empty(), "{error:?} {records:?}");
        error
    }

    #[test]
    fn proposals_are_checked_for_what_the_real_controller_checks() {
        let cluster = foo();
        type Change = fn(&mut AlterPartitionRequest);
        let cases: [(Change, ErrorCode); 14] = [
            (|_| {}, ErrorCode::None),
            (|request| request.broker_epoch = BrokerEpoch(999), ErrorCode::StaleBrokerEpoch),
            (|request| request.broker_id = BrokerId(9), ErrorCode::StaleBrokerEpoch),
            (|request| request.partitions[0].topic_id = TopicId(999), ErrorCode::UnknownTopicId),
            (
                |request| request.partitions[0].partition.partition = PartitionIndex(5),
                ErrorCode::UnknownTopicOrPartition,
            ),
            (|request| request.partitions[0].leader_epoch = LeaderEpoch(1), ErrorCode::NotController),
            (|request| request.partitions[0].partition_epoch = PartitionEpoch(1), ErrorCode::NotController),
            (|request| request.partitions[0].leader_epoch = LeaderEpoch(-1), ErrorCode::FencedLeaderEpoch),
            (|request| request.partitions[0].partition_epoch = PartitionEpoch(-1), ErrorCode::InvalidUpdateVersion),
            (|request| request.partitions[0].new_isr[1].0 = BrokerId(3), ErrorCode::InvalidRequest),
            (|request| request.partitions[0].new_isr[1].0 = BrokerId(0), ErrorCode::InvalidRequest),
            (|request| request.partitions[0].new_isr[0].0 = BrokerId(2), ErrorCode::InvalidRequest),
            (|request| request.partitions[0].new_isr[1].1 = BrokerEpoch(999), ErrorCode::IneligibleReplica),
            (|request| request.partitions[0].new_isr[1].1 = BrokerEpoch::NONE, ErrorCode::None),
        ];
        for (number, (change, error)) in cases.into_iter().enumerate() {
            assert_eq!(error_of(&cluster, change), error, "case {number}");
        }
    }

    #[test]
    fn of_two_faults_the_one_is_told_that_the_real_controller_checks_first() {
        type Fault = fn(&TestCluster, &mut AlterPartitionRequest);
        let in_order: [(Fault, ErrorCode); 11] = [
            (|_, request| request.broker_epoch = BrokerEpoch(999), ErrorCode::StaleBrokerEpoch),
            (|_, request| request.partitions[0].topic_id = TopicId(999), ErrorCode::UnknownTopicId),
            (
                |_, request| request.partitions[0].partition.partition = PartitionIndex(5),
                ErrorCode::UnknownTopicOrPartition,
            ),
            (|_, request| request.partitions[0].leader_epoch = LeaderEpoch(1), ErrorCode::NotController),
            (|_, request| request.partitions[0].partition_epoch = PartitionEpoch(1), ErrorCode::NotController),
            (|_, request| request.partitions[0].leader_epoch = LeaderEpoch(-1), ErrorCode::FencedLeaderEpoch),
            (
                |cluster, request| {
                    request.broker_id = BrokerId(1);
                    request.broker_epoch = cluster.epoch_of(BrokerId(1));
                },
                ErrorCode::InvalidRequest,
            ),
            (|_, request| request.partitions[0].partition_epoch = PartitionEpoch(-1), ErrorCode::InvalidUpdateVersion),
            (|_, request| request.partitions[0].new_isr[1].0 = BrokerId(3), ErrorCode::InvalidRequest),
            (
                |_, request| request.partitions[0].leader_recovery_state = LeaderRecoveryState::Recovering,
                ErrorCode::InvalidRequest,
            ),
            (|_, request| request.partitions[0].new_isr[1].1 = BrokerEpoch(999), ErrorCode::IneligibleReplica),
        ];
        let cluster = foo();
        for (place, (first, error)) in in_order.iter().enumerate() {
            for (later, (second, _)) in in_order.iter().enumerate().skip(place + 1) {
                let told = error_of(&cluster, |request| {
                    second(&cluster, request);
                    first(&cluster, request);
                });
                assert_eq!(told, *error, "faults {place} and {later}");
            }
        }
    }

    #[test]
    fn only_the_leader_may_propose() {
        let mut cluster = foo();
        cluster.change_leader("foo", 0, 1);
        let error = error_of(&cluster, |request| {
            request.partitions[0].leader_epoch = LeaderEpoch(1);
            request.partitions[0].partition_epoch = PartitionEpoch(1);
        });
        assert_eq!(error, ErrorCode::InvalidRequest);
    }

    #[test]
    fn brokers_that_are_fenced_or_shutting_down_are_not_let_in() {
        let mut cluster = foo();
        cluster.change_isr("foo", 0, &[0]);
        let is_refused = |cluster: &TestCluster| {
            error_of(cluster, |request| request.partitions[0].partition_epoch = PartitionEpoch(1))
        };
        let mut fenced = cluster.clone();
        fenced.fence(1);
        assert_eq!(is_refused(&fenced), ErrorCode::IneligibleReplica);
        let records = cluster.as_cluster().begin_controlled_shutdown(BrokerId(1));
        cluster.replay(records);
        assert_eq!(is_refused(&cluster), ErrorCode::IneligibleReplica);
    }

    #[test]
    fn an_accepted_proposal_raises_the_partition_epoch_only() {
        let cluster = foo();
        let (records, response) = cluster.as_cluster().alter_partition(&proposal(&cluster, &[0, 2]));
        let result = &response.partitions[0];
        assert_eq!(records.len(), 1);
        assert_eq!((result.leader, &result.isr), (Some(BrokerId(0)), &ids(&[0, 2])));
        assert_eq!((result.leader_epoch, result.partition_epoch), (LeaderEpoch(0), PartitionEpoch(1)));
    }

    /// Proposes and applies; returns the answer's ISR and who is eligible then.
    fn propose(cluster: &mut TestCluster, isr: &[i32], partition_epoch: i32) -> [Vec<BrokerId>; 2] {
        let mut request = proposal(cluster, isr);
        request.partitions[0].partition_epoch = PartitionEpoch(partition_epoch);
        let (records, response) = cluster.as_cluster().alter_partition(&request);
        cluster.replay(records);
        let state = cluster.image.partition(&request.partitions[0].partition).expect("foo-0 exists");
        assert_eq!(response.partitions[0].isr, state.isr);
        [state.isr.clone(), state.eligible_leader_replicas.clone()]
    }

    #[test]
    fn who_leaves_below_min_isr_is_eligible_until_enough_are_in_sync_again() {
        let mut cluster = foo();
        assert_eq!(propose(&mut cluster, &[0, 1], 0), [ids(&[0, 1]), ids(&[])]);
        assert_eq!(propose(&mut cluster, &[0, 1, 2], 1), [ids(&[0, 1, 2]), ids(&[])]);
        let level = MetadataRecord::FeatureLevel { name: crate::release::METADATA_VERSION, level: 22 };
        cluster.replay(vec![level]);
        cluster.config.eligible_leader_replicas_enable = true;
        cluster.configure("foo", "min.insync.replicas", "2");
        assert_eq!(propose(&mut cluster, &[0], 2), [ids(&[0]), ids(&[1, 2])]);
        assert_eq!(propose(&mut cluster, &[0, 1], 3), [ids(&[0, 1]), ids(&[])]);
    }

    #[test]
    fn a_proposal_that_completes_a_reassignment_may_cost_the_leadership() {
        let mut cluster = TestCluster::with_brokers(4);
        cluster.create("foo", &[&[0, 1, 2]]);
        let (topic_id, partition) = (cluster.image.topics()[&TopicName::new("foo")].topic_id, PartitionIndex(0));
        cluster.replay(vec![MetadataRecord::PartitionChange(PartitionChangeRecord {
            replicas: Some(ids(&[3, 1, 2, 0])),
            adding_replicas: Some(ids(&[3])),
            removing_replicas: Some(ids(&[0])),
            ..PartitionChangeRecord::of(topic_id, partition)
        })]);
        let mut request = proposal(&cluster, &[0, 1, 2, 3]);
        request.partitions[0].partition_epoch = PartitionEpoch(1);
        let (records, response) = cluster.as_cluster().alter_partition(&request);
        cluster.replay(records);
        assert_eq!(response.partitions[0].error, ErrorCode::NewLeaderElected);
        assert_eq!(cluster.leaders_and_isrs("foo"), ["3 [1, 2, 3]"]);
    }

    #[test]
    fn a_leader_cannot_begin_to_recover_of_itself() {
        let cluster = foo();
        let recovering = |request: &mut AlterPartitionRequest| {
            request.partitions[0].leader_recovery_state = LeaderRecoveryState::Recovering;
        };
        assert_eq!(error_of(&cluster, recovering), ErrorCode::InvalidRequest);
    }

    #[test]
    fn a_recovering_leader_is_alone_until_it_has_recovered() {
        let mut cluster = foo();
        cluster.change_isr("foo", 0, &[0]);
        let (topic_id, partition) = (cluster.image.topics()[&TopicName::new("foo")].topic_id, PartitionIndex(0));
        cluster.replay(vec![MetadataRecord::PartitionChange(PartitionChangeRecord {
            leader_recovery_state: Some(LeaderRecoveryState::Recovering),
            ..PartitionChangeRecord::of(topic_id, partition)
        })]);
        for (state, error) in [
            (LeaderRecoveryState::Recovering, ErrorCode::InvalidRequest),
            (LeaderRecoveryState::Recovered, ErrorCode::None),
        ] {
            let answer = error_of(&cluster, |request| {
                request.partitions[0].partition_epoch = PartitionEpoch(2);
                request.partitions[0].leader_recovery_state = state;
            });
            assert_eq!(answer, error);
        }
    }

    #[test]
    fn earlier_releases_let_fenced_brokers_and_old_incarnations_in() {
        let mut cluster = foo();
        cluster.change_isr("foo", 0, &[0]);
        cluster.fence(1);
        let propose = |cluster: &TestCluster| {
            error_of(cluster, |request| {
                request.partitions[0].partition_epoch = PartitionEpoch(1);
                request.partitions[0].new_isr[1].1 = BrokerEpoch(1);
            })
        };
        assert_eq!(propose(&cluster), ErrorCode::IneligibleReplica);
        cluster.faults.isr_without_broker_epochs = true;
        assert_eq!(propose(&cluster), ErrorCode::None);
    }
}
