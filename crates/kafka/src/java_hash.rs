//! The order in which `java.util.HashMap` and `HashSet` hand out what is in them, where a tool prints in that order.

use wire::TopicPartition;

/// The number of buckets of a table without elements.
const BUCKETS: u32 = 16;

/// The elements in the order of a Java hash set of their partitions.
#[must_use]
pub fn in_hash_order<T>(mut elements: Vec<T>, partition: impl Fn(&T) -> &TopicPartition) -> Vec<T> {
    let buckets = buckets_for(elements.len(), BUCKETS);
    elements.sort_by_key(|element| bucket(partition_hash(partition(element)), buckets));
    elements
}

/// The number of buckets of a table that began with `least`: three quarters of them may be full.
#[must_use]
pub fn buckets_for(elements: usize, least: u32) -> u32 {
    let mut buckets = least;
    while elements as u32 > buckets / 4 * 3 {
        buckets *= 2;
    }
    buckets
}

/// Where a hash goes: its upper half is mixed in.
#[must_use]
pub fn bucket(hash: u32, buckets: u32) -> u32 {
    (hash ^ (hash >> 16)) & (buckets - 1)
}

/// `TopicPartition.hashCode`.
fn partition_hash(partition: &TopicPartition) -> u32 {
    let of_index = 31u32.wrapping_add(partition.partition.0 as u32);
    of_index.wrapping_mul(31).wrapping_add(text_hash(partition.topic.as_str()))
}

/// `String.hashCode`.
#[must_use]
pub fn text_hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{PartitionIndex, TopicName};

    #[test]
    fn partitions_come_in_the_order_of_a_recording() {
        let partition = |topic, index| TopicPartition::new(TopicName::new(topic), PartitionIndex(index));
        let elements = vec![partition("duo", 0), partition("my-topic", 1), partition("orders", 2), partition("zz", 0)];
        let names: Vec<String> = in_hash_order(elements, |it| it).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["zz-0", "orders-2", "my-topic-1", "duo-0"]);
    }

    /// Made by Kafka's own classes: hashes of the names of groups and transactions.
    #[test]
    fn texts_have_the_hashes_that_java_gives_them() {
        for (text, hash) in [
            ("group", 98_629_247),
            ("my-group", -1_906_497_762),
            ("test-group", 627_841_412),
            ("consumer-group-1", 147_483_020),
            ("console-consumer-12345", 158_455_506),
            ("payments", 1_382_682_413),
            ("a", 97),
            ("", 0),
            ("transactional-id", 510_590_431),
            ("my-transactional-id", -959_806_496),
            ("polygenelubricants", i32::MIN),
        ] {
            assert_eq!(text_hash(text).cast_signed(), hash, "{text}");
        }
    }
}
