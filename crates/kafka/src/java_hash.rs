//! The order in which `java.util.HashMap` and `HashSet` hand out what is in them, where a tool prints in that order.

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

/// Puts entries into the order of a map with these keys that nobody has given a size.
pub fn sort_as_hash_map<T, K: JavaHash + ?Sized>(entries: &mut [T], key: impl Fn(&T) -> &K) {
    sort_as_hash_map_of(FEWEST_BUCKETS, entries, key);
}

/// The same of a map that began with so many buckets, a power of two: three quarters of them may be full, and a hash goes
/// into one with its upper half mixed in.
pub fn sort_as_hash_map_of<T, K: JavaHash + ?Sized>(buckets: u32, entries: &mut [T], key: impl Fn(&T) -> &K) {
    let mut buckets = buckets;
    while entries.len() as u64 > u64::from(buckets) / 4 * 3 {
        buckets *= 2;
    }
    entries.sort_by_key(|entry| {
        let hash = key(entry).java_hash();
        (hash ^ (hash >> 16)) & (buckets - 1)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{PartitionIndex, TopicName};

    fn names(partitions: &[TopicPartition]) -> String {
        partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn partitions_come_in_the_order_of_a_recording() {
        let partition = |topic, index| TopicPartition::new(TopicName::new(topic), PartitionIndex(index));
        let mut elements =
            vec![partition("duo", 0), partition("my-topic", 1), partition("orders", 2), partition("zz", 0)];
        sort_as_hash_map(&mut elements, |partition| partition);
        assert_eq!(names(&elements), "zz-0 orders-2 my-topic-1 duo-0");
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
            ("my-topic", -1_894_580_786),
            ("a", 97),
            ("", 0),
            ("transactional-id", 510_590_431),
            ("my-transactional-id", -959_806_496),
            ("polygenelubricants", i32::MIN),
        ] {
            assert_eq!(text.java_hash().cast_signed(), hash, "{text}");
        }
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
        assert_eq!(names(&partitions), "t-13 t-12 t-11 t-10 t-9 t-8 t-7 t-6 t-5 t-4 t-3 t-2 t-1 t-0");
        let topics = ["his-topic", "keyed", "my-topic"].into_iter();
        let mut partitions: Vec<TopicPartition> =
            topics.flat_map(|topic| (0..4).map(move |at| named((topic, at)))).collect();
        sort_as_hash_map(&mut partitions, |partition| partition);
        assert_eq!(
            names(&partitions),
            "his-topic-1 his-topic-0 his-topic-3 his-topic-2 keyed-0 my-topic-0 keyed-1 my-topic-1 keyed-2 my-topic-2 \
             keyed-3 my-topic-3"
        );
    }
}
