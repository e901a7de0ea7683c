//! A sequence that grows at its end, can be cut at its end, and is cheap to clone however long it is.
//!
//! Full chunks are sealed and shared between clones; a clone copies one pointer and the short tail. Logs,
//! traces and journals are such sequences, which is what makes a checkpoint cost next to nothing.

use std::sync::Arc;

const CHUNK: usize = 64;

/// A cheaply cloned, append-only sequence (with truncation).
#[derive(Clone, Debug)]
pub struct Chunks<T> {
    sealed: Arc<Vec<Arc<[T]>>>,
    tail: Vec<T>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Chunks { sealed: Arc::default(), tail: Vec::new() }
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
        self.sealed.len() * CHUNK + self.tail.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&T> {
        match self.sealed.get(index / CHUNK) {
            Some(chunk) => chunk.get(index % CHUNK),
            None => self.tail.get(index - self.sealed.len() * CHUNK),
        }
    }

    /// The last item.
    #[must_use]
    pub fn last(&self) -> Option<&T> {
        self.tail.last().or_else(|| self.sealed.last().and_then(|chunk| chunk.last()))
    }

    /// Adds an item at the end.
    pub fn push(&mut self, item: T) {
        self.tail.push(item);
        if self.tail.len() == CHUNK {
            let chunk = std::mem::replace(&mut self.tail, Vec::with_capacity(CHUNK));
            Arc::make_mut(&mut self.sealed).push(chunk.into());
        }
    }

    /// Keeps the first `len` items.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.sealed.len() * CHUNK {
            self.tail.truncate(len - self.sealed.len() * CHUNK);
            return;
        }
        let sealed = Arc::make_mut(&mut self.sealed);
        self.tail = sealed[len / CHUNK][..len % CHUNK].to_vec();
        sealed.truncate(len / CHUNK);
    }

    /// The items from `index` on, in order.
    pub fn iter_from(&self, index: usize) -> impl Iterator<Item = &T> {
        (index..self.len()).map_while(|position| self.get(position))
    }

    /// All items, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.sealed.iter().flat_map(|chunk| chunk.iter()).chain(self.tail.iter())
    }

    /// The index of the first item for which `is_after` holds, given that it holds for every item behind it too.
    pub fn partition_point(&self, is_before: impl Fn(&T) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.get(middle).is_some_and(&is_before) { low = middle + 1 } else { high = middle }
        }
        low
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
    fn a_clone_keeps_what_the_original_loses() {
        let mut original: Chunks<usize> = (0..150).collect();
        let copy = original.clone();
        original.truncate(10);
        assert_eq!((original.len(), copy.len(), copy.last()), (10, 150, Some(&149)));
    }
}
