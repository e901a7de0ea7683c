//! A record as its reader keeps it: together with its batch, whose records are in memory once.

use crate::Record;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// One of the records of a batch, shared with it. It reads, compares and hashes as that [`Record`].
#[derive(Clone, Debug)]
pub struct SharedRecord {
    records: Arc<[Record]>,
    place: u32,
}

impl SharedRecord {
    /// The record at `place`, which must be there.
    #[must_use]
    pub fn new(records: Arc<[Record]>, place: usize) -> SharedRecord {
        assert!(place < records.len(), "a record lies in its batch");
        SharedRecord { records, place: place as u32 }
    }

    /// All the records of its batch.
    #[must_use]
    pub fn batch(&self) -> &Arc<[Record]> {
        &self.records
    }

    /// Where among them it is.
    #[must_use]
    pub fn place(&self) -> usize {
        self.place as usize
    }
}

impl Deref for SharedRecord {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.records[self.place()]
    }
}

impl PartialEq for SharedRecord {
    fn eq(&self, other: &SharedRecord) -> bool {
        **self == **other
    }
}

impl Eq for SharedRecord {}

impl Hash for SharedRecord {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}
