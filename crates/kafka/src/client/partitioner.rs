//! Which partition a record goes to: murmur2 for keys, the built-in sticky partitioner for records without key
//! (`BuiltInPartitioner`, KIP-480 and KIP-794).
//!
//! `partitioner.availability.timeout.ms` is absent (its default is 0, which turns it off).

use crate::Rng;
use rand::RngExt;
use wire::PartitionIndex;

const SEED: u32 = 0x9747_b28c;
const M: u32 = 0x5bd1_e995;
const R: u32 = 24;

/// The 32-bit murmur2 hash as Kafka computes it (`Utils.murmur2`).
pub(super) fn murmur2(data: &[u8]) -> i32 {
    let mut hash = SEED ^ (data.len() as u32);
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k = (k ^ (k >> R)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let tail = words.remainder();
    if !tail.is_empty() {
        for (place, byte) in tail.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    (hash ^ (hash >> 15)).cast_signed()
}

/// The partition of a keyed record: over all partitions, those without leader included.
pub(super) fn partition_for_key(key: &[u8], partition_count: i32) -> PartitionIndex {
    assert!(partition_count > 0, "a known topic has partitions");
    PartitionIndex((murmur2(key) & 0x7fff_ffff) % partition_count)
}

/// How full the queues of a topic's partitions are, as a table from which a partition can be drawn: the longer its
/// queue, the less likely it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LoadStats {
    cumulative_frequencies: Vec<u32>,
    partitions: Vec<PartitionIndex>,
}

/// The partition that records without key of one topic stick to at present.
#[derive(Clone, Debug)]
pub(super) struct StickyPartitioner {
    sticky_batch_size: i32,
    current: Option<PartitionIndex>,
    produced_bytes: i32,
    load: Option<LoadStats>,
}

impl StickyPartitioner {
    /// Sticks to a partition for about `sticky_batch_size` bytes (`batch.size`).
    pub(super) fn new(sticky_batch_size: i32) -> StickyPartitioner {
        StickyPartitioner { sticky_batch_size: sticky_batch_size.max(1), current: None, produced_bytes: 0, load: None }
    }

    /// The partition to use now, chosen if there is none yet. `available` are the partitions with a leader.
    pub(super) fn partition(
        &mut self,
        available: &[PartitionIndex],
        partition_count: i32,
        rng: &mut Rng,
    ) -> PartitionIndex {
        let chosen = self.current.unwrap_or_else(|| self.next_partition(available, partition_count, random(rng)));
        self.current = Some(chosen);
        chosen
    }

    /// Counts what was appended. Moves on when that is a batch's worth and the queue has only full batches
    /// (`may_switch`), or two batches' worth.
    pub(super) fn on_appended(
        &mut self,
        bytes: i32,
        may_switch: bool,
        available: &[PartitionIndex],
        partition_count: i32,
        rng: &mut Rng,
    ) {
        self.produced_bytes = self.produced_bytes.saturating_add(bytes);
        let is_enough = self.produced_bytes >= self.sticky_batch_size && may_switch;
        if is_enough || self.produced_bytes >= self.sticky_batch_size.saturating_mul(2) {
            self.current = Some(self.next_partition(available, partition_count, random(rng)));
            self.produced_bytes = 0;
        }
    }

    fn next_partition(&self, available: &[PartitionIndex], partition_count: i32, random: u32) -> PartitionIndex {
        if let Some(load) = &self.load {
            return load.draw(random);
        }
        if available.is_empty() {
            return PartitionIndex((random % partition_count.max(1).unsigned_abs()).cast_signed());
        }
        available[random as usize % available.len()]
    }

    /// Takes in the queues' lengths, of all partitions with a leader; `None` when they are not all known.
    /// `queue_count` is the number of the topic's queues, those without leader included.
    pub(super) fn update_load(&mut self, queues: Option<&[(PartitionIndex, u32)]>, queue_count: u32) {
        self.load = queues.and_then(|queues| LoadStats::of(queues, queue_count));
    }
}

impl LoadStats {
    fn of(queues: &[(PartitionIndex, u32)], queue_count: u32) -> Option<LoadStats> {
        let (_, first) = queues.first()?;
        let all_equal = queues.iter().all(|(_, length)| length == first);
        if queue_count < 2 || (all_equal && queues.len() as u32 == queue_count) {
            return None;
        }
        let longest_and_one = queues.iter().map(|(_, length)| *length).max()? + 1;
        let mut sum = 0;
        let mut cumulative_frequencies = Vec::with_capacity(queues.len());
        for (_, length) in queues {
            sum += longest_and_one - length;
            cumulative_frequencies.push(sum);
        }
        Some(LoadStats { cumulative_frequencies, partitions: queues.iter().map(|(partition, _)| *partition).collect() })
    }

    fn draw(&self, random: u32) -> PartitionIndex {
        let range = *self.cumulative_frequencies.last().expect("the table has an entry");
        let drawn = random % range;
        let place = self.cumulative_frequencies.partition_point(|frequency| *frequency <= drawn);
        self.partitions[place]
    }
}

fn random(rng: &mut Rng) -> u32 {
    rng.random_range(0..=0x7fff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn murmur2_gives_kafkas_values() {
        for (text, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
            ("", 275_646_681),
            ("key", -1_079_937_367),
            ("kafka", -798_503_068),
            ("é", 186_971_271),
        ] {
            assert_eq!(murmur2(text.as_bytes()), hash, "{text}");
        }
    }

    #[test]
    fn keys_go_to_the_partitions_that_kafka_chooses() {
        for (key, partition_count, partition) in [
            ("user-1", 3, 2),
            ("user-1", 6, 2),
            ("user-42", 3, 1),
            ("user-42", 6, 4),
            ("order-1001", 3, 0),
            ("order-1001", 6, 0),
        ] {
            assert_eq!(partition_for_key(key.as_bytes(), partition_count), PartitionIndex(partition), "{key}");
        }
    }

    const THREE: [PartitionIndex; 3] = [PartitionIndex(0), PartitionIndex(1), PartitionIndex(2)];

    #[test]
    fn the_sticky_partition_is_kept_until_a_batch_is_produced() {
        let mut partitioner = StickyPartitioner::new(3);
        let mut rng = Rng::seed_from_u64(4);
        partitioner.current = Some(PartitionIndex(1));
        for _ in 0..2 {
            partitioner.on_appended(1, true, &THREE, 3, &mut rng);
            assert_eq!((partitioner.current, partitioner.produced_bytes > 0), (Some(PartitionIndex(1)), true));
        }
        partitioner.on_appended(1, true, &THREE, 3, &mut rng);
        assert_eq!(partitioner.produced_bytes, 0, "after the third record another partition is drawn");
    }

    #[test]
    fn an_unfilled_batch_delays_the_switch_to_twice_the_size() {
        let mut partitioner = StickyPartitioner::new(3);
        let mut rng = Rng::seed_from_u64(4);
        partitioner.partition(&THREE, 3, &mut rng);
        for bytes in 1..=5 {
            partitioner.on_appended(1, false, &THREE, 3, &mut rng);
            assert_eq!(partitioner.produced_bytes, bytes);
        }
        partitioner.on_appended(1, false, &THREE, 3, &mut rng);
        assert_eq!(partitioner.produced_bytes, 0);
    }

    #[test]
    fn partitions_without_leader_are_not_chosen_unless_there_is_no_other() {
        let mut rng = Rng::seed_from_u64(5);
        let mut partitioner = StickyPartitioner::new(1);
        let mut seen = [0; 3];
        for _ in 0..100 {
            let chosen = partitioner.partition(&[PartitionIndex(0), PartitionIndex(2)], 3, &mut rng);
            seen[chosen.0 as usize] += 1;
            partitioner.on_appended(1, true, &[PartitionIndex(0), PartitionIndex(2)], 3, &mut rng);
        }
        assert!(seen[0] > 20 && seen[1] == 0 && seen[2] > 20, "{seen:?}");
        assert_eq!(StickyPartitioner::new(1).partition(&[], 1, &mut rng), PartitionIndex(0));
    }

    #[test]
    fn longer_queues_are_drawn_less_often() {
        let mut partitioner = StickyPartitioner::new(1);
        let queues: Vec<(PartitionIndex, u32)> = [5, 0, 3, 0, 1]
            .into_iter()
            .enumerate()
            .map(|(index, length)| (PartitionIndex(index as i32), length))
            .collect();
        partitioner.update_load(Some(&queues), 5);
        let mut frequencies = [0; 5];
        for random in 0..21 {
            frequencies[partitioner.next_partition(&[], 5, random).0 as usize] += 1;
        }
        assert_eq!(frequencies, [1, 6, 3, 6, 5]);
    }

    #[test]
    fn equal_queues_give_every_partition_the_same_chance() {
        let mut partitioner = StickyPartitioner::new(1);
        let queues = [(PartitionIndex(0), 2), (PartitionIndex(1), 2)];
        partitioner.update_load(Some(&queues), 2);
        assert_eq!(partitioner.load, None);
        partitioner.update_load(Some(&queues), 3);
        assert!(partitioner.load.is_some(), "a partition without leader is left out by the table");
    }
}
