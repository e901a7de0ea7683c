//! A map in the order of its keys, made for what comes and goes near its beginning: the keys lie in one vector, the least
//! at its end, and their values stay where they are. Putting in or taking out moves the keys before it, 24 bytes each.

/// The index of a value.
type Slot = u32;

/// Values by key, the least key first.
#[derive(Clone, Debug)]
pub(crate) struct Agenda<K, V> {
    /// Descending.
    keys: Vec<(K, Slot)>,
    /// None in a free slot.
    values: Vec<Option<V>>,
    free: Vec<Slot>,
}

impl<K, V> Default for Agenda<K, V> {
    fn default() -> Self {
        Agenda { keys: Vec::new(), values: Vec::new(), free: Vec::new() }
    }
}

impl<K: Copy + Ord, V> Agenda<K, V> {
    /// Puts a value in, at a key that is not there yet.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        let position = self.keys.partition_point(|(other, _)| *other > key);
        let slot = self.store(value);
        self.keys.insert(position, (key, slot));
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
        let position = self.keys.binary_search_by(|(other, _)| key.cmp(other)).ok()?;
        let (_, slot) = self.keys.remove(position);
        self.release(slot)
    }

    /// Takes out the value with the least key.
    pub(crate) fn pop_first(&mut self) -> Option<(K, V)> {
        let (key, slot) = self.keys.pop()?;
        self.release(slot).map(|value| (key, value))
    }

    fn release(&mut self, slot: Slot) -> Option<V> {
        self.free.push(slot);
        self.values[slot as usize].take()
    }

    /// The least key.
    pub(crate) fn first_key(&self) -> Option<K> {
        self.keys.last().map(|(key, _)| *key)
    }

    /// All in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        let value = |(key, slot): &(K, Slot)| self.values[*slot as usize].as_ref().map(|value| (*key, value));
        self.keys.iter().rev().filter_map(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn behaves_like_a_map_whatever_is_taken_from_its_middle() {
        let (mut agenda, mut model) = (Agenda::default(), BTreeMap::new());
        for number in 0..1_000u64 {
            let key = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            agenda.insert(key, number);
            model.insert(key, number);
            if number % 3 == 2 {
                let taken =
                    *model.keys().nth(number as usize * 7 % model.len()).expect("the index is below the length");
                assert_eq!(agenda.remove(taken), model.remove(&taken));
                assert_eq!(agenda.remove(taken), None);
            }
            assert_eq!(agenda.first_key(), model.keys().next().copied());
        }
        assert!(agenda.iter().map(|(key, value)| (key, *value)).eq(model.clone()));
        assert!(std::iter::from_fn(|| agenda.pop_first()).eq(model));
    }
}
