//! Named random streams. Whatever draws has a stream of its own, derived from the world's seed and a label, so that one
//! more draw in one place shifts nothing elsewhere.
//!
//! The derivation is fixed: FNV-1a (64 bit) of the label, exclusive-or'ed with the seed after one round of SplitMix64's
//! output function, is what `seed_from_u64` of Xoshiro256++ is given.

use kafka::Rng;
use rand::SeedableRng;

const FNV_OFFSET_BASIS: u64 = 0xCBF2_9CE4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01B3;

/// The stream that `label` names in the world of `seed`.
pub(crate) fn stream(seed: u64, label: &str) -> Rng {
    Rng::seed_from_u64(spread(seed) ^ fnv1a(label))
}

fn fnv1a(label: &str) -> u64 {
    label.bytes().fold(FNV_OFFSET_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME))
}

/// SplitMix64's output function: neighbouring seeds become unrelated.
fn spread(seed: u64) -> u64 {
    let mut word = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn the_hash_of_a_label_is_fnv_1a() {
        assert_eq!(fnv1a(""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(fnv1a("a"), 0xAF63_DC4C_8601_EC8C);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_F739_67E8);
    }

    #[test]
    fn streams_differ_by_seed_and_by_label_and_repeat_for_the_same() {
        let first = |seed, label| stream(seed, label).random::<u64>();
        assert_eq!(first(1, "link 1->2"), first(1, "link 1->2"));
        assert_ne!(first(1, "link 1->2"), first(2, "link 1->2"));
        assert_ne!(first(1, "link 1->2"), first(1, "link 2->1"));
    }

    #[test]
    fn a_stream_draws_the_same_numbers_for_ever() {
        let mut stream = stream(7, "link 1->2");
        let drawn: Vec<u64> = (0..4).map(|_| stream.random_range(0..1_000)).collect();
        assert_eq!(drawn, [816, 887, 151, 462]);
    }
}
