//! A sequence that grows at its end, can be cut at its end, and is cheap to clone however long it is.
//!
//! Full chunks are sealed and shared between clones, and so are groups of chunks; a clone copies one pointer and the
//! short tail, and its next change copies one group of pointers and the list of groups. Logs and traces are such
//! sequences, which is what makes a checkpoint cost next to nothing.

use std::sync::Arc;

const CHUNK: usize = 64;

/// Room for so many items is made first, and then twice as much each time.
const FIRST_ROOM: usize = 4;

/// Items in a group of chunks.
const GROUP: usize = 64 * CHUNK;

type Group<T> = Arc<Vec<Arc<Vec<T>>>>;

/// A cheaply cloned, append-only sequence (with truncation).
#[derive(Clone, Debug)]
pub struct Chunks<T> {
    /// All but the last are full.
    groups: Arc<Vec<Group<T>>>,
    /// Items in the groups.
    sealed: usize,
    tail: Vec<T>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Chunks { groups: Arc::default(), sealed: 0, tail: Vec::new() }
    }
}

impl<T: Clone> Chunks<T> {
    /// An empty sequence.
    #[must_use]
    pub fn new() -> Chunks<T> {
        Chunks::default()
    }

    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sealed + self.tail.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&T> {
        match index.checked_sub(self.sealed) {
            Some(place) => self.tail.get(place),
            None => self.groups[index / GROUP][index % GROUP / CHUNK].get(index % CHUNK),
        }
    }

    /// The last item.
    #[must_use]
    pub fn last(&self) -> Option<&T> {
        self.tail.last().or_else(|| self.get(self.len().checked_sub(1)?))
    }

    /// Adds an item at the end.
    pub fn push(&mut self, item: T) {
        if self.tail.len() == self.tail.capacity() {
            self.tail.reserve_exact(self.room_to_add());
        }
        self.tail.push(item);
        if self.tail.len() == CHUNK {
            let chunk = std::mem::take(&mut self.tail);
            self.seal(Arc::new(chunk));
        }
    }

    /// A chunk has room for no more than its items, however often its sequence was cloned; a short one, for few.
    fn room_to_add(&self) -> usize {
        let len = self.tail.len();
        len.max(FIRST_ROOM).min(CHUNK - len)
    }

    fn seal(&mut self, chunk: Arc<Vec<T>>) {
        let groups = Arc::make_mut(&mut self.groups);
        if self.sealed.is_multiple_of(GROUP) {
            groups.push(Arc::default());
        }
        let last = groups.last_mut().expect("a group was added if there was none with room");
        Arc::make_mut(last).push(chunk);
        self.sealed += CHUNK;
    }

    /// Keeps the first `len` items.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.sealed {
            self.tail.truncate(len - self.sealed);
            return;
        }
        let groups = Arc::make_mut(&mut self.groups);
        self.tail = groups[len / GROUP][len % GROUP / CHUNK][..len % CHUNK].to_vec();
        self.sealed = len - self.tail.len();
        groups.truncate(self.sealed.div_ceil(GROUP));
        if let Some(last) = groups.last_mut() {
            Arc::make_mut(last).truncate((self.sealed - 1) % GROUP / CHUNK + 1);
        }
    }

    /// The items from `index` on, in order.
    pub fn iter_from(&self, index: usize) -> impl Iterator<Item = &T> {
        (index..self.len()).map_while(|position| self.get(position))
    }

    /// All items, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        let sealed = self.groups.iter().flat_map(|group| group.iter()).flat_map(|chunk| chunk.iter());
        sealed.chain(self.tail.iter())
    }

    /// How many items from the first on are before what is sought, given that no item behind one that is not is before
    /// it either. Quickest near the end.
    pub fn partition_point(&self, is_before: impl Fn(&T) -> bool) -> usize {
        if self.tail.first().is_some_and(&is_before) {
            return self.sealed + self.tail.partition_point(is_before);
        }
        let begins_before = |chunk: &Arc<Vec<T>>| chunk.first().is_some_and(&is_before);
        let groups = self.groups.partition_point(|group| group.first().is_some_and(begins_before));
        let Some(group) = groups.checked_sub(1) else { return 0 };
        let chunks = self.groups[group].partition_point(begins_before);
        let chunk = chunks - 1;
        group * GROUP + chunk * CHUNK + self.groups[group][chunk].partition_point(is_before)
    }
}

impl<T: Clone> FromIterator<T> for Chunks<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut chunks = Chunks::new();
        items.into_iter().for_each(|item| chunks.push(item));
        chunks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behaves_like_a_vector_at_every_length_and_cut() {
        for len in [0usize, 1, 63, 64, 65, 128, 200] {
            let whole: Chunks<usize> = (0..len).collect();
            assert_eq!(whole.len(), len);
            assert!(whole.iter().copied().eq(0..len));
            for cut in 0..=len {
                let mut shorter = whole.clone();
                shorter.truncate(cut);
                shorter.push(999);
                assert!(shorter.iter().copied().eq((0..cut).chain([999])));
                assert!(whole.iter_from(cut).copied().eq(cut..len));
                assert_eq!(whole.partition_point(|item| *item < cut), cut);
                assert_eq!(whole.get(cut), (cut < len).then_some(&cut));
            }
        }
    }

    #[test]
    fn groups_of_chunks_can_be_cut_anywhere() {
        let whole: Chunks<usize> = (0..10_000).collect();
        assert!(whole.iter().copied().eq(0..10_000));
        for cut in [0, 63, 64, 4_095, 4_096, 4_097, 4_159, 4_160, 8_191, 8_192, 8_193, 9_999] {
            let mut shorter = whole.clone();
            shorter.truncate(cut);
            assert_eq!((shorter.len(), shorter.last().copied()), (cut, cut.checked_sub(1)));
            (cut..9_000).for_each(|item| shorter.push(item));
            assert_eq!(whole.partition_point(|item| *item < cut), cut);
            assert!(shorter.iter_from(4_000).copied().eq(4_000..9_000.max(cut)));
            assert_eq!((whole.get(cut), whole.get(10_000)), (Some(&cut), None));
        }
    }

    #[test]
    fn a_clone_keeps_what_the_original_loses() {
        let mut original: Chunks<usize> = (0..150).collect();
        let copy = original.clone();
        original.truncate(10);
        assert_eq!((original.len(), copy.len(), copy.last()), (10, 150, Some(&149)));
    }
}
