//! Which batches belong to aborted transactions, and which markers have outlived the batches of theirs
//! (`CleanedTransactionMetadata`).

use crate::log::segment::AbortedTransaction;
use std::collections::{BTreeMap, BTreeSet};
use wire::{BatchBody, Offset, ProducerId, RecordBatch, TransactionResult};

/// The transactions of the part of a log that is gone through, in the order of its batches.
#[derive(Clone, Debug, Default)]
pub(super) struct CleanedTransactions {
    /// Aborted ones that begin further on.
    ahead: BTreeMap<(Offset, ProducerId), AbortedTransaction>,
    /// Aborted ones whose markers come further on.
    aborted: BTreeMap<ProducerId, Ongoing>,
    /// Producers with batches of a committed transaction whose marker comes further on.
    committed: BTreeSet<ProducerId>,
    /// Aborted ones of which there were still batches.
    observed: Vec<AbortedTransaction>,
}

#[derive(Clone, Debug)]
struct Ongoing {
    transaction: AbortedTransaction,
    has_batches: bool,
}

impl CleanedTransactions {
    /// These aborted transactions reach into what comes next.
    pub(super) fn expect(&mut self, aborted: Vec<AbortedTransaction>) {
        let by_place = aborted.into_iter().map(|one| ((one.first_offset, one.producer_id), one));
        self.ahead.extend(by_place);
    }

    /// Whether the next batch is not needed: records that were aborted, or the marker of a transaction of which no batch
    /// is left.
    pub(super) fn is_discardable(&mut self, batch: &RecordBatch) -> bool {
        self.begin_up_to(batch.last_offset());
        match &batch.body {
            BatchBody::EndTransaction(marker) => match marker.result {
                TransactionResult::Abort => self.is_abort_discardable(batch.producer_id),
                TransactionResult::Commit => !self.committed.remove(&batch.producer_id),
            },
            BatchBody::EmptyControl => true,
            BatchBody::Records(_) => batch.is_transactional && self.is_aborted(batch.producer_id),
            BatchBody::Metadata(_)
            | BatchBody::LeaderChange(_)
            | BatchBody::SnapshotHeader { .. }
            | BatchBody::SnapshotFooter => false,
        }
    }

    fn begin_up_to(&mut self, offset: Offset) {
        while let Some(first) = self.ahead.first_entry().filter(|first| first.key().0 <= offset) {
            let transaction = first.remove();
            let ongoing = Ongoing { transaction, has_batches: false };
            self.aborted.entry(transaction.producer_id).or_insert(ongoing);
        }
    }

    fn is_abort_discardable(&mut self, producer_id: ProducerId) -> bool {
        match self.aborted.remove(&producer_id) {
            Some(Ongoing { transaction, has_batches: true }) => {
                self.observed.push(transaction);
                false
            }
            Some(Ongoing { has_batches: false, .. }) | None => true,
        }
    }

    fn is_aborted(&mut self, producer_id: ProducerId) -> bool {
        match self.aborted.get_mut(&producer_id) {
            Some(ongoing) => {
                ongoing.has_batches = true;
                true
            }
            None => {
                self.committed.insert(producer_id);
                false
            }
        }
    }

    /// The aborted transactions whose markers were met since the last time, and batches of which before them: the index of
    /// what is written keeps these.
    pub(super) fn take_observed(&mut self) -> Vec<AbortedTransaction> {
        std::mem::take(&mut self.observed)
    }
}
