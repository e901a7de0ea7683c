//! A znode's data as Kafka writes it: the JSON text of `kafka.zk.ZkData` in 3.9, with the fields in the order in which
//! Scala's and Java's hash maps yield them there.

use super::{PartitionStateData, ZnodeData};
use crate::{BrokerId, Endpoint, PartitionIndex, Timestamp, TopicName, TopicPartition};
use std::collections::BTreeMap;

impl ZnodeData {
    /// The text in the znode; `None` where there is no data at all, which `zookeeper-shell` prints as `null`.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            ZnodeData::Empty => None,
            ZnodeData::Controller { broker_id, timestamp } => Some(format!(
                r#"{{"version":2,"brokerid":{broker_id},"timestamp":"{timestamp}","kraftControllerEpoch":-1}}"#
            )),
            ZnodeData::ControllerEpoch(epoch) => Some(epoch.to_string()),
            ZnodeData::Broker { endpoint, rack, timestamp } => Some(broker(endpoint, rack.as_deref(), *timestamp)),
            ZnodeData::Topic { topic_id, partitions, adding_replicas, removing_replicas } => Some(format!(
                r#"{{"partitions":{},"topic_id":"{topic_id}","adding_replicas":{},"removing_replicas":{},"version":3}}"#,
                replicas_by_partition(partitions),
                replicas_by_partition(adding_replicas),
                replicas_by_partition(removing_replicas)
            )),
            ZnodeData::PartitionState(state) => Some(partition_state(state)),
            ZnodeData::Config(config) => Some(format!(r#"{{"version":1,"config":{}}}"#, properties(config))),
            ZnodeData::ConfigChange { entity_path } => {
                Some(format!(r#"{{"version":2,"entity_path":{}}}"#, quoted(entity_path)))
            }
            ZnodeData::PreferredReplicaElection(partitions) => {
                Some(format!(r#"{{"version":1,"partitions":[{}]}}"#, joined(partitions.iter().map(partition_entry))))
            }
            ZnodeData::Reassignment(partitions) => {
                Some(format!(r#"{{"version":1,"partitions":[{}]}}"#, joined(partitions.iter().map(reassigned_entry))))
            }
            ZnodeData::ClusterId(id) => Some(format!(r#"{{"version":"1","id":{}}}"#, quoted(id))),
            ZnodeData::ProducerIdBlock { broker_id, block_start, block_end } => Some(format!(
                r#"{{"version":1,"broker":{broker_id},"block_start":"{block_start}","block_end":"{block_end}"}}"#
            )),
            ZnodeData::Feature => Some(r#"{"features":{},"version":2,"status":1}"#.to_owned()),
        }
    }

    /// `Stat.dataLength`: how many bytes that text has.
    #[must_use]
    pub fn length(&self) -> i32 {
        self.text().map_or(0, |text| text.len() as i32)
    }
}

fn broker(endpoint: &Endpoint, rack: Option<&str>, timestamp: Timestamp) -> String {
    let rack = rack.map_or_else(String::new, |rack| format!(r#""rack":{},"#, quoted(rack)));
    let (host, port) = (quoted(&endpoint.host), endpoint.port);
    format!(
        r#"{{"features":{{}},"listener_security_protocol_map":{{"PLAINTEXT":"PLAINTEXT"}},"endpoints":["PLAINTEXT://{endpoint}"],{rack}"jmx_port":-1,"port":{port},"host":{host},"version":5,"timestamp":"{timestamp}"}}"#
    )
}

fn partition_state(state: &PartitionStateData) -> String {
    let PartitionStateData { leader_epoch, controller_epoch, .. } = state;
    let (leader, isr) = (state.leader.map_or(-1, |leader| leader.0), ids(&state.isr));
    let recovery_state = if state.is_recovering { r#""leader_recovery_state":1,"# } else { "" };
    format!(
        r#"{{"controller_epoch":{controller_epoch},"leader":{leader},"version":1,{recovery_state}"leader_epoch":{leader_epoch},"isr":{isr}}}"#
    )
}

fn partition_entry((topic, partition): &(TopicName, PartitionIndex)) -> String {
    format!(r#"{{"topic":{},"partition":{partition}}}"#, quoted(topic.as_str()))
}

fn reassigned_entry((partition, replicas): (&TopicPartition, &Vec<BrokerId>)) -> String {
    let (topic, index, replicas) = (quoted(partition.topic.as_str()), partition.partition, ids(replicas));
    format!(r#"{{"topic":{topic},"partition":{index},"replicas":{replicas}}}"#)
}

fn replicas_by_partition(partitions: &BTreeMap<PartitionIndex, Vec<BrokerId>>) -> String {
    in_hash_order(partitions.iter().map(|(partition, replicas)| (partition.to_string(), ids(replicas))).collect())
}

fn properties(config: &BTreeMap<String, String>) -> String {
    in_hash_order(config.iter().map(|(name, value)| (name.clone(), quoted(value))).collect())
}

/// A JSON object whose keys come bucket by bucket, as the hash tables of Scala and Java yield them. Within a bucket the
/// order given is kept: Java remembers the one of insertion, and partition numbers rarely meet in one.
fn in_hash_order(mut entries: Vec<(String, String)>) -> String {
    let buckets = table_size(entries.len());
    entries.sort_by_key(|(key, _)| spread_hash(key) % buckets);
    format!("{{{}}}", joined(entries.iter().map(|(key, value)| format!("{}:{value}", quoted(key)))))
}

/// `String.hashCode`, its upper half folded into the lower.
fn spread_hash(key: &str) -> u32 {
    let hash = key.bytes().fold(0u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    hash ^ (hash >> 16)
}

/// The table doubles when it is three quarters full.
fn table_size(entries: usize) -> u32 {
    let mut size = 16;
    while entries as u32 >= size / 4 * 3 {
        size *= 2;
    }
    size
}

fn ids(brokers: &[BrokerId]) -> String {
    format!("[{}]", joined(brokers.iter().map(BrokerId::to_string)))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<String>>().join(",")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LeaderEpoch, TopicId};

    fn brokers(ids: &[i32]) -> Vec<BrokerId> {
        ids.iter().copied().map(BrokerId).collect()
    }

    fn state(is_recovering: bool) -> ZnodeData {
        ZnodeData::PartitionState(PartitionStateData {
            leader: None,
            leader_epoch: LeaderEpoch(3),
            isr: brokers(&[1, 2]),
            controller_epoch: 2,
            is_recovering,
        })
    }

    fn config(names: &[&str]) -> ZnodeData {
        ZnodeData::Config(names.iter().map(|name| ((*name).to_owned(), "1".to_owned())).collect())
    }

    fn topic(partitions: i32) -> ZnodeData {
        let change = |broker| BTreeMap::from([(PartitionIndex(1), brokers(&[broker]))]);
        ZnodeData::Topic {
            topic_id: TopicId(0),
            partitions: (0..partitions).map(|partition| (PartitionIndex(partition), brokers(&[1, 2]))).collect(),
            adding_replicas: change(3),
            removing_replicas: change(1),
        }
    }

    #[test]
    fn data_reads_as_kafka_writes_it() {
        let endpoint = Endpoint::new("localhost", 9092);
        let broker = |rack: Option<&str>| ZnodeData::Broker {
            endpoint: endpoint.clone(),
            rack: rack.map(str::to_owned),
            timestamp: Timestamp(1_795_256_899_077),
        };
        let t0 = (TopicName::new("t"), PartitionIndex(0));
        let u3 = (TopicName::new("u"), PartitionIndex(3));
        let table = [
            (
                ZnodeData::Controller { broker_id: BrokerId(1), timestamp: Timestamp(1_795_234_165_279) },
                r#"{"version":2,"brokerid":1,"timestamp":"1795234165279","kraftControllerEpoch":-1}"#,
            ),
            (ZnodeData::ControllerEpoch(1), "1"),
            (ZnodeData::Feature, r#"{"features":{},"version":2,"status":1}"#),
            (
                broker(None),
                r#"{"features":{},"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT"},"endpoints":["PLAINTEXT://localhost:9092"],"jmx_port":-1,"port":9092,"host":"localhost","version":5,"timestamp":"1795256899077"}"#,
            ),
            (
                broker(Some("r1")),
                r#"{"features":{},"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT"},"endpoints":["PLAINTEXT://localhost:9092"],"rack":"r1","jmx_port":-1,"port":9092,"host":"localhost","version":5,"timestamp":"1795256899077"}"#,
            ),
            (state(false), r#"{"controller_epoch":2,"leader":-1,"version":1,"leader_epoch":3,"isr":[1,2]}"#),
            (
                state(true),
                r#"{"controller_epoch":2,"leader":-1,"version":1,"leader_recovery_state":1,"leader_epoch":3,"isr":[1,2]}"#,
            ),
            (
                config(&["retention.ms", "min.insync.replicas", "cleanup.policy"]),
                r#"{"version":1,"config":{"cleanup.policy":"1","min.insync.replicas":"1","retention.ms":"1"}}"#,
            ),
            (
                ZnodeData::ConfigChange { entity_path: "topics/t".to_owned() },
                r#"{"version":2,"entity_path":"topics/t"}"#,
            ),
            (
                ZnodeData::PreferredReplicaElection(vec![t0, u3]),
                r#"{"version":1,"partitions":[{"topic":"t","partition":0},{"topic":"u","partition":3}]}"#,
            ),
            (
                ZnodeData::Reassignment(BTreeMap::from([(
                    TopicPartition::new(TopicName::new("t"), PartitionIndex(0)),
                    brokers(&[3, 1]),
                )])),
                r#"{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[3,1]}]}"#,
            ),
            (
                ZnodeData::ClusterId("beoOAc4USM6ywJV_Q96FBg".to_owned()),
                r#"{"version":"1","id":"beoOAc4USM6ywJV_Q96FBg"}"#,
            ),
            (
                ZnodeData::ProducerIdBlock { broker_id: BrokerId(1), block_start: 1000, block_end: 1999 },
                r#"{"version":1,"broker":1,"block_start":"1000","block_end":"1999"}"#,
            ),
        ];
        for (data, text) in table {
            assert_eq!(data.text().as_deref(), Some(text));
        }
        assert_eq!((ZnodeData::Empty.text(), ZnodeData::Empty.length()), (None, 0));
    }

    #[test]
    fn many_partitions_come_in_the_order_of_their_hashes() {
        let text = topic(25).text().expect("a topic has data");
        let places = ["22", "23", "24", "10", "11", "19", "0", "1", "9", "20", "21"]
            .map(|partition| text.find(&format!("\"{partition}\":[1,2]")).expect("every partition is there"));
        assert!(places.is_sorted(), "{text}");
        assert!(text.ends_with(
            r#""topic_id":"AAAAAAAAAAAAAAAAAAAAAA","adding_replicas":{"1":[3]},"removing_replicas":{"1":[1]},"version":3}"#
        ));
    }

    #[test]
    fn many_configurations_come_in_the_order_of_their_hashes() {
        let six = [
            "retention.ms",
            "min.insync.replicas",
            "segment.bytes",
            "cleanup.policy",
            "unclean.leader.election.enable",
            "max.message.bytes",
        ];
        assert_eq!(
            config(&six).text().as_deref(),
            Some(
                r#"{"version":1,"config":{"cleanup.policy":"1","max.message.bytes":"1","min.insync.replicas":"1","retention.ms":"1","segment.bytes":"1","unclean.leader.election.enable":"1"}}"#
            )
        );
    }
}
