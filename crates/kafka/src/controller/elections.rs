//! Leaders are chosen by command (`ReplicationControlManager.electLeaders`, KIP-460). Pure functions from the cluster as
//! it stands to the records that change it.

use super::partition_change::Election;
use super::replication::Cluster;
use wire::request::{ElectLeadersRequest, ElectionType};
use wire::response::{ElectLeadersResponse, PartitionResult};
use wire::{ErrorCode, MetadataRecord, TopicPartition};

/// A partition that was not changed: the error, and more about it where the controller says more.
type Refusal = (ErrorCode, Option<String>);

impl Cluster<'_> {
    /// Chooses leaders. Where all partitions are meant, those that need no election are not told.
    pub(super) fn elect_leaders(&self, request: &ElectLeadersRequest) -> (Vec<MetadataRecord>, ElectLeadersResponse) {
        let mut records = Vec::new();
        let mut elect = |partition: TopicPartition| self.elect_leader(partition, request.election_type, &mut records);
        let results = match &request.partitions {
            Some(partitions) => partitions.iter().cloned().map(elect).collect(),
            None => {
                let all = self.image.partitions().map(|(partition, _)| elect(partition));
                all.filter(|result| result.error != ErrorCode::ElectionNotNeeded).collect()
            }
        };
        (records, ElectLeadersResponse { error: ErrorCode::None, results })
    }

    fn elect_leader(
        &self,
        partition: TopicPartition,
        election_type: ElectionType,
        records: &mut Vec<MetadataRecord>,
    ) -> PartitionResult {
        let (error, error_message) = match self.commanded_election(&partition, election_type) {
            Ok(record) => {
                records.push(record);
                (ErrorCode::None, None)
            }
            Err(refusal) => refusal,
        };
        PartitionResult { partition, error, error_message }
    }

    fn commanded_election(
        &self,
        partition: &TopicPartition,
        election_type: ElectionType,
    ) -> Result<MetadataRecord, Refusal> {
        let unknown = |what: String| (ErrorCode::UnknownTopicOrPartition, Some(what));
        let topic = self.image.topics().get(&partition.topic);
        let topic = topic.ok_or_else(|| unknown(format!("No such topic as {}", partition.topic)))?;
        let state = topic.partitions.get(&partition.partition);
        let state = state.ok_or_else(|| unknown(format!("No such partition as {partition}")))?;
        let (is_needed, election, failure) = match election_type {
            ElectionType::Preferred => (
                state.leader != state.replicas.first().copied(),
                Election::Preferred,
                ErrorCode::PreferredLeaderNotAvailable,
            ),
            ElectionType::Unclean => {
                (state.leader.is_none(), Election::Unclean, ErrorCode::EligibleLeadersNotAvailable)
            }
        };
        if !is_needed {
            return Err(with_message(ErrorCode::ElectionNotNeeded));
        }
        self.election(topic, partition.partition, state, election).ok_or_else(|| with_message(failure))
    }
}

fn with_message(error: ErrorCode) -> Refusal {
    (error, Some(error.message().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestCluster;
    use super::*;
    use wire::{PartitionIndex, TopicName};

    fn partitions(names: &[(&str, i32)]) -> Option<Vec<TopicPartition>> {
        let partition = |(name, index): &(&str, i32)| TopicPartition::new(TopicName::new(name), PartitionIndex(*index));
        Some(names.iter().map(partition).collect())
    }

    /// The errors by partition; the records are applied.
    fn elect(
        cluster: &mut TestCluster,
        election_type: ElectionType,
        partitions: Option<Vec<TopicPartition>>,
    ) -> Vec<(String, ErrorCode)> {
        let request = ElectLeadersRequest { election_type, partitions };
        let (records, response) = cluster.as_cluster().elect_leaders(&request);
        cluster.replay(records);
        response.results.into_iter().map(|result| (result.partition.to_string(), result.error)).collect()
    }

    fn three_partitions() -> TestCluster {
        let mut cluster = TestCluster::with_brokers(5);
        cluster.create("foo", &[&[1, 2, 3], &[2, 3, 4], &[0, 2, 1]]);
        cluster
    }

    #[test]
    fn an_unclean_election_by_command_waits_for_a_replica() {
        let mut cluster = three_partitions();
        [2, 3, 1].into_iter().for_each(|broker| cluster.fence(broker));
        assert_eq!(cluster.leaders_and_isrs("foo"), ["none [1]", "4 [4]", "0 [0]"]);
        let asked = partitions(&[("foo", 0), ("foo", 1), ("foo", 3), ("bar", 0)]);
        let expected = |first| {
            [
                ("foo-0".to_owned(), first),
                ("foo-1".to_owned(), ErrorCode::ElectionNotNeeded),
                ("foo-3".to_owned(), ErrorCode::UnknownTopicOrPartition),
                ("bar-0".to_owned(), ErrorCode::UnknownTopicOrPartition),
            ]
        };
        let unclean = ElectionType::Unclean;
        assert_eq!(elect(&mut cluster, unclean, asked.clone()), expected(ErrorCode::EligibleLeadersNotAvailable));
        cluster.unfence(2);
        assert_eq!(elect(&mut cluster, unclean, asked), expected(ErrorCode::None));
        assert_eq!(cluster.leaders_and_isrs("foo"), ["2 [2]", "4 [4]", "0 [0]"]);
    }

    #[test]
    fn all_partitions_means_those_that_need_an_election() {
        let mut cluster = three_partitions();
        [2, 3, 1].into_iter().for_each(|broker| cluster.fence(broker));
        cluster.unfence(2);
        assert_eq!(elect(&mut cluster, ElectionType::Unclean, None), [("foo-0".to_owned(), ErrorCode::None)]);
    }

    #[test]
    fn a_preferred_election_is_never_unclean() {
        let mut cluster = TestCluster::with_brokers(5);
        cluster.create("foo", &[&[1, 2, 3]]);
        cluster.configure("foo", "unclean.leader.election.enable", "false");
        [2, 3, 1].into_iter().for_each(|broker| cluster.fence(broker));
        cluster.unfence(2);
        let errors = elect(&mut cluster, ElectionType::Preferred, partitions(&[("foo", 0)]));
        assert_eq!(errors, [("foo-0".to_owned(), ErrorCode::PreferredLeaderNotAvailable)]);
    }

    #[test]
    fn preferred_leaders_take_over_again_once_they_are_in_sync() {
        let mut cluster = three_partitions();
        [1, 2].into_iter().for_each(|broker| cluster.fence(broker));
        [1, 2].into_iter().for_each(|broker| cluster.unfence(broker));
        assert_eq!(cluster.leaders_and_isrs("foo"), ["3 [3]", "3 [3, 4]", "0 [0]"]);
        cluster.change_isr("foo", 0, &[3, 1]);
        let asked = partitions(&[("foo", 0), ("foo", 1), ("foo", 2)]);
        assert_eq!(
            elect(&mut cluster, ElectionType::Preferred, asked),
            [
                ("foo-0".to_owned(), ErrorCode::None),
                ("foo-1".to_owned(), ErrorCode::PreferredLeaderNotAvailable),
                ("foo-2".to_owned(), ErrorCode::ElectionNotNeeded),
            ]
        );
        assert_eq!(cluster.leaders_and_isrs("foo")[0], "1 [3, 1]");
    }
}
