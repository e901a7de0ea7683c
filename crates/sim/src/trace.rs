//! What happened, in order, each event with the one that caused it; and a hash that tells two runs apart.

use kafka::event::EventKind;
use kafka::instant::Instant;
use kafka::node::NodeId;
use std::hash::Hasher;

/// Counts the events of a run from 0. A fork keeps the numbers of what it shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u64);

/// One event of the trace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Its number.
    pub id: EventId,
    /// The event that led to it: the last one noted before the message, timer or command was set off that made the
    /// node take the step in which this one was noted; within a step, the event noted before it.
    pub cause: Option<EventId>,
    /// When.
    pub at: Instant,
    /// The step (delivery or command) in which it was noted, from 1: `Session::seek_step` goes just behind it.
    pub step: u64,
    /// Where.
    pub node: NodeId,
    /// What.
    pub kind: EventKind,
}

/// A digest of every step and event so far: equal for two runs that did the same, natively and in the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceHash(pub u64);

/// Mixes whatever derives `Hash` into a digest that is the same on every platform: each write is taken as one or more
/// words of 64 bits, little-endian, `usize` and `isize` too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TraceHasher(u64);

impl TraceHasher {
    /// The digest of what was mixed in so far.
    pub(crate) fn digest(self) -> TraceHash {
        TraceHash(self.finish())
    }

    fn mix(&mut self, word: u64) {
        let product = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = product ^ (product >> 32);
    }
}

impl Hasher for TraceHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.mix(u64::from(number));
    }

    fn write_u16(&mut self, number: u16) {
        self.mix(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    fn write_u128(&mut self, number: u128) {
        self.mix(number as u64);
        self.mix((number >> 64) as u64);
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.mix(number as i64 as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::Hash;

    fn digest(value: impl Hash) -> TraceHash {
        let mut hasher = TraceHasher::default();
        value.hash(&mut hasher);
        hasher.digest()
    }

    #[test]
    fn every_word_and_its_place_count() {
        assert_ne!(digest((1u64, 2u64)), digest((2u64, 1u64)));
        assert_ne!(digest("ab"), digest("ba"));
        assert_ne!(digest(["ab", "c"]), digest(["a", "bc"]));
        assert_ne!(digest(NodeId::Server(1)), digest(NodeId::Client(1)));
        assert_ne!(digest(1u128), digest(1u128 << 64));
    }

    #[test]
    fn platform_sized_numbers_count_as_64_bits() {
        assert_eq!(digest(-1isize), digest(-1i64));
        assert_eq!(digest(7usize), digest(7u64));
    }
}
