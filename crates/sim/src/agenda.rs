//! A map in the order of its keys, made for what comes and goes near its beginning: the least keys lie in one vector, the
//! very least at its end, and their values stay where they are. Putting in or taking out there moves the keys before it, 24
//! bytes each; so that these do not become too many, what comes later than some hundred others lies in a tree.

use std::collections::BTreeMap;

/// So many keys lie in the vector at most; half of them go to the tree then, and as many come back when it is empty.
const MOST_NEAR: usize = 512;

/// The index of a value.
type Slot = u32;

/// Values by key, the least key first.
#[derive(Clone, Debug)]
pub(crate) struct Agenda<K, V> {
    /// Descending.
    near: Vec<(K, Slot)>,
    /// Greater than those in `near`.
    far: BTreeMap<K, Slot>,
    /// None in a free slot.
    values: Vec<Option<V>>,
    free: Vec<Slot>,
}

impl<K, V> Default for Agenda<K, V> {
    fn default() -> Self {
        Agenda { near: Vec::new(), far: BTreeMap::new(), values: Vec::new(), free: Vec::new() }
    }
}

impl<K: Copy + Ord, V> Agenda<K, V> {
    /// Puts a value in, at a key that is not there yet.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        let slot = self.store(value);
        if self.is_far(key) {
            self.far.insert(key, slot);
            return;
        }
        let position = self.near.partition_point(|(other, _)| *other > key);
        self.near.insert(position, (key, slot));
        if self.near.len() > MOST_NEAR {
            self.far.extend(self.near.drain(..MOST_NEAR / 2));
        }
    }

    fn is_far(&self, key: K) -> bool {
        self.far.first_key_value().is_some_and(|(first, _)| key >= *first)
    }

    fn store(&mut self, value: V) -> Slot {
        if let Some(slot) = self.free.pop() {
            self.values[slot as usize] = Some(value);
            return slot;
        }
        self.values.push(Some(value));
        self.values.len() as Slot - 1
    }

    /// Takes a value out, if it is there.
    pub(crate) fn remove(&mut self, key: K) -> Option<V> {
        let slot = if self.is_far(key) { self.far.remove(&key)? } else { self.remove_near(key)? };
        self.release(slot)
    }

    fn remove_near(&mut self, key: K) -> Option<Slot> {
        let position = self.near.binary_search_by(|(other, _)| key.cmp(other)).ok()?;
        Some(self.near.remove(position).1)
    }

    /// Takes out the value with the least key.
    pub(crate) fn pop_first(&mut self) -> Option<(K, V)> {
        if self.near.is_empty() {
            self.near.extend(std::iter::from_fn(|| self.far.pop_first()).take(MOST_NEAR / 2));
            self.near.reverse();
        }
        let (key, slot) = self.near.pop()?;
        self.release(slot).map(|value| (key, value))
    }

    fn release(&mut self, slot: Slot) -> Option<V> {
        self.free.push(slot);
        self.values[slot as usize].take()
    }

    /// The least key.
    pub(crate) fn first_key(&self) -> Option<K> {
        let near = self.near.last().map(|(key, _)| *key);
        near.or_else(|| self.far.first_key_value().map(|(key, _)| *key))
    }

    /// All in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        let slots = self.near.iter().rev().copied().chain(self.far.iter().map(|(key, slot)| (*key, *slot)));
        slots.filter_map(|(key, slot)| self.values[slot as usize].as_ref().map(|value| (key, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn behaves_like_a_map_whatever_is_taken_from_its_middle() {
        let (mut agenda, mut model) = (Agenda::default(), BTreeMap::new());
        for number in 0..5_000u64 {
            let key = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            agenda.insert(key, number);
            model.insert(key, number);
            if number % 3 == 2 {
                let taken =
                    *model.keys().nth(number as usize * 7 % model.len()).expect("the index is below the length");
                assert_eq!(agenda.remove(taken), model.remove(&taken));
                assert_eq!(agenda.remove(taken), None);
            }
            if number % 7 == 6 {
                assert_eq!(agenda.pop_first(), model.pop_first());
            }
            assert_eq!(agenda.first_key(), model.keys().next().copied());
        }
        assert!(!agenda.far.is_empty(), "some are far");
        assert!(agenda.iter().map(|(key, value)| (key, *value)).eq(model.clone()));
        assert!(std::iter::from_fn(|| agenda.pop_first()).eq(model));
    }
}
