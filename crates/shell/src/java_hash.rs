//! The order in which Java walks through a `HashMap` or `HashSet`: tools print what they keep in one as it comes.

use std::fmt::Display;
use wire::{BrokerId, TopicPartition};

/// The buckets of a map that nothing has been put into.
const FEWEST_BUCKETS: u32 = 16;

/// What has a `hashCode`.
pub trait JavaHash {
    /// `hashCode()`.
    fn java_hash(&self) -> u32;
}

impl JavaHash for str {
    fn java_hash(&self) -> u32 {
        self.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
    }
}

impl JavaHash for BrokerId {
    fn java_hash(&self) -> u32 {
        self.0.cast_unsigned()
    }
}

impl JavaHash for TopicPartition {
    fn java_hash(&self) -> u32 {
        let partition = 31u32.wrapping_add(self.partition.0.cast_unsigned());
        partition.wrapping_mul(31).wrapping_add(self.topic.as_str().java_hash())
    }
}

/// Puts entries into the order of a `HashMap` with these keys.
pub fn sort_as_hash_map<T, K: JavaHash + ?Sized>(entries: &mut [T], key: impl Fn(&T) -> &K) {
    let mut buckets = FEWEST_BUCKETS;
    while entries.len() as u64 > u64::from(buckets) / 4 * 3 {
        buckets *= 2;
    }
    entries.sort_by_key(|entry| {
        let hash = key(entry).java_hash();
        (hash ^ (hash >> 16)) & (buckets - 1)
    });
}

/// Texts with something between them.
pub fn joined<T: Display>(items: impl Iterator<Item = T>, between: &str) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{PartitionIndex, TopicName};

    #[test]
    fn hashes_are_those_of_java() {
        assert_eq!("my-topic".java_hash(), 2_400_386_510);
        assert_eq!(BrokerId(7).java_hash(), 7);
    }

    #[test]
    fn brokers_with_small_ids_come_in_order() {
        let mut brokers = [BrokerId(17), BrokerId(3), BrokerId(1)];
        sort_as_hash_map(&mut brokers, |broker| broker);
        assert_eq!(brokers, [BrokerId(17), BrokerId(1), BrokerId(3)]);
    }

    #[test]
    fn partitions_come_in_the_order_of_a_java_hash_map() {
        let named = |(topic, partition)| TopicPartition::new(TopicName::new(topic), PartitionIndex(partition));
        let mut partitions: Vec<TopicPartition> = (0..14).map(|partition| named(("t", partition))).collect();
        sort_as_hash_map(&mut partitions, |partition| partition);
        assert_eq!(joined(partitions.iter(), " "), "t-13 t-12 t-11 t-10 t-9 t-8 t-7 t-6 t-5 t-4 t-3 t-2 t-1 t-0");
        let topics = ["his-topic", "keyed", "my-topic"].into_iter();
        let mut partitions: Vec<TopicPartition> =
            topics.flat_map(|topic| (0..4).map(move |at| named((topic, at)))).collect();
        sort_as_hash_map(&mut partitions, |partition| partition);
        assert_eq!(
            joined(partitions.iter(), " "),
            "his-topic-1 his-topic-0 his-topic-3 his-topic-2 keyed-0 my-topic-0 keyed-1 my-topic-1 keyed-2 my-topic-2 \
             keyed-3 my-topic-3"
        );
    }
}
