//! The identifiers, offsets and epochs of Kafka, each a type of its own so that two of them cannot be swapped.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Arc;

/// A broker's `node.id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerId(pub i32);

/// A position in a partition's log; the first record ever appended has offset 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

/// Counts the leaderships of one partition. `NONE` stands for "not known".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaderEpoch(pub i32);

/// A place in a log and the epoch of the record before it (`OffsetAndEpoch`). Names a snapshot: all records below the
/// offset, the last of them of that epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OffsetAndEpoch {
    /// The offset.
    pub offset: Offset,
    /// The epoch.
    pub epoch: LeaderEpoch,
}

/// Counts the controller's changes of one partition's state (KIP-497).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionEpoch(pub i32);

/// The metadata offset of a broker's registration record; grows with every restart (KIP-631).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerEpoch(pub i64);

/// Names an idempotent or transactional producer (KIP-98); a coordinator hands it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerId(pub i64);

/// Counts the runs of one producer: an older one is fenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerEpoch(pub i16);

/// The number of a partition within its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionIndex(pub i32);

/// Milliseconds since 1970-01-01T00:00:00Z, as records carry them; -1 is "no timestamp".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// One run of a broker process; drawn anew at each start (KIP-631).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncarnationId(pub u128);

/// A topic's 128-bit id (KIP-516), shown as 22 characters of URL-safe base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub u128);

/// A log directory's 128-bit id (KIP-858), shown like a topic's; 0 where it plays no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DirectoryId(pub u128);

/// A topic's name. Not necessarily a legal one: requests carry what the user typed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TopicName(pub Arc<str>);

impl Ord for TopicName {
    /// Names are mostly copies of one another, which share their text.
    fn cmp(&self, other: &TopicName) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl PartialOrd for TopicName {
    fn partial_cmp(&self, other: &TopicName) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// One partition of one topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: TopicName,
    /// The partition's number.
    pub partition: PartitionIndex,
}

/// Where a server listens: what clients resolve and connect to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// A host name, for example `localhost`.
    pub host: Arc<str>,
    /// A TCP port.
    pub port: u16,
}

impl Offset {
    /// The first offset of a log.
    pub const ZERO: Offset = Offset(0);

    /// The offset one above this one.
    #[must_use]
    pub fn next(self) -> Offset {
        Offset(self.0 + 1)
    }
}

impl Add<i64> for Offset {
    type Output = Offset;
    fn add(self, records: i64) -> Offset {
        Offset(self.0 + records)
    }
}

impl Sub for Offset {
    type Output = i64;
    fn sub(self, other: Offset) -> i64 {
        self.0 - other.0
    }
}

impl LeaderEpoch {
    /// "No epoch known", -1 on the wire.
    pub const NONE: LeaderEpoch = LeaderEpoch(-1);
    /// The epoch of a new partition's first leader.
    pub const ZERO: LeaderEpoch = LeaderEpoch(0);

    /// The epoch after this one.
    #[must_use]
    pub fn next(self) -> LeaderEpoch {
        LeaderEpoch(self.0 + 1)
    }

    /// Whether an epoch is known at all.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.0 >= 0
    }
}

impl PartitionEpoch {
    /// The epoch after this one.
    #[must_use]
    pub fn next(self) -> PartitionEpoch {
        PartitionEpoch(self.0 + 1)
    }
}

impl BrokerEpoch {
    /// "No epoch known", -1 on the wire; bypasses the epoch checks.
    pub const NONE: BrokerEpoch = BrokerEpoch(-1);
}

impl ProducerId {
    /// "No idempotent producer", -1 on the wire.
    pub const NONE: ProducerId = ProducerId(-1);
}

impl ProducerEpoch {
    /// "No epoch", -1 on the wire.
    pub const NONE: ProducerEpoch = ProducerEpoch(-1);
}

impl TopicName {
    /// A name from text.
    #[must_use]
    pub fn new(name: &str) -> TopicName {
        TopicName(Arc::from(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TopicPartition {
    /// Partition number `partition` of `topic`.
    #[must_use]
    pub fn new(topic: TopicName, partition: PartitionIndex) -> TopicPartition {
        TopicPartition { topic, partition }
    }
}

impl Endpoint {
    /// `host:port`.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Endpoint {
        Endpoint { host: Arc::from(host), port }
    }
}

const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// 22 characters of unpadded URL-safe base64, as `org.apache.kafka.common.Uuid` prints it.
fn write_uuid(formatter: &mut fmt::Formatter<'_>, uuid: u128) -> fmt::Result {
    for group in 0..22u32 {
        let shift = 122i32 - 6 * group as i32;
        let bits = if shift >= 0 { uuid >> shift } else { uuid << -shift } & 63;
        write!(formatter, "{}", char::from(BASE64_URL[bits as usize]))?;
    }
    Ok(())
}

impl fmt::Display for TopicId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(formatter, self.0)
    }
}

impl fmt::Display for DirectoryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(formatter, self.0)
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for TopicPartition {
    /// `topic-0`, as Kafka's logs and directories name a partition.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.topic, self.partition)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

macro_rules! display_as_number {
    ($($name:ty),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}", self.0)
            }
        }
    )+};
}
display_as_number!(
    BrokerId,
    Offset,
    LeaderEpoch,
    PartitionEpoch,
    BrokerEpoch,
    PartitionIndex,
    ProducerId,
    ProducerEpoch,
    Timestamp
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_id_prints_as_the_real_tools_print_it() {
        assert_eq!(TopicId(1).to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(TopicId(u128::MAX).to_string(), "_____________________w");
    }

    #[test]
    fn a_partition_prints_as_its_directory_is_named() {
        let partition = TopicPartition::new(TopicName::new("his-topic"), PartitionIndex(3));
        assert_eq!(partition.to_string(), "his-topic-3");
    }
}
