//! Log matching, as in Raft: where two logs have the same epoch at the same offset, all before is the same (KIP-101's
//! and KIP-279's guarantee). Checked batch by batch as they are appended: a batch that another log has, too, must be the
//! same there, and so must the one before it; by induction so is everything before. Truncation cannot break that.
//!
//! Besides, what lies below the high watermarks of two replicas is the same, whatever its epoch (WeakIsr's consequence);
//! where an unclean election or a power loss took committed records, that is asked of later leaders' terms only.

use super::findings::Findings;
use super::history::History;
use super::sight::{LogGlance, Sight, epoch_at};
use super::violation::{Checker, Details};
use std::sync::Arc;
use wire::{BrokerId, Offset, RecordBatch, TopicPartition};

/// `broker` has appended batches to its log, the first at the index `begin`.
pub(super) fn on_append(
    findings: &mut Findings,
    sight: &Sight<'_>,
    broker: BrokerId,
    partition: &TopicPartition,
    (log, begin): (&LogGlance<'_>, usize),
) {
    let Some(first) = log.batches.get(begin).map(|batch| batch.base_offset) else { return };
    for other in sight.other_brokers(broker) {
        let Some(other_log) = sight.log(other, partition).filter(|other| other.topic_id == log.topic_id) else {
            continue;
        };
        if other_log.end > first {
            let differs = first_difference(log, &other_log, begin);
            findings.require(Checker::LogMatching, sight, Some(partition), differs.is_none(), || Details::LogsDiffer {
                broker,
                other,
                offset: differs.unwrap_or(first),
            });
        }
    }
}

/// Where batches of `log` from the index `begin` on have the same offset and epoch in `other`, but are not the same or do
/// not follow the same.
fn first_difference(log: &LogGlance<'_>, other: &LogGlance<'_>, begin: usize) -> Option<Offset> {
    let begin_there = other.index_of(log.batches.get(begin)?.base_offset, begin);
    for (index_there, index) in (begin_there..).zip(begin..log.batches.len()) {
        let (batch, there) = (log.batches.get(index)?, other.batches.get(index_there)?);
        let is_same_place =
            batch.base_offset == there.base_offset && batch.partition_leader_epoch == there.partition_leader_epoch;
        if is_same_place && !(is_same(batch, there) && follow_the_same(log, other, index, index_there)) {
            return Some(batch.base_offset);
        }
    }
    None
}

fn is_same(one: &Arc<RecordBatch>, other: &Arc<RecordBatch>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

/// Whether the batches before the two are the same, as far as both logs still have them.
fn follow_the_same(log: &LogGlance<'_>, other: &LogGlance<'_>, index: usize, index_there: usize) -> bool {
    let before = index.checked_sub(1).and_then(|index| log.batches.get(index));
    let there = index_there.checked_sub(1).and_then(|index| other.batches.get(index));
    match (before, there) {
        (Some(before), Some(there)) => is_same(before, there),
        (Some(before), None) => before.last_offset() < other.start,
        (None, Some(there)) => there.last_offset() < log.start,
        (None, None) => true,
    }
}

/// Two replicas are the same below the high watermarks of both.
pub(super) fn below_high_watermarks(
    findings: &mut Findings,
    sight: &Sight<'_>,
    history: &History,
    (broker, other): (BrokerId, BrokerId),
    partition: &TopicPartition,
) {
    let Some(replica) = sight.replica(broker, partition) else { return };
    let Some(there) = sight.replica(other, partition).filter(|there| there.topic_id == replica.topic_id) else {
        return;
    };
    let end = there.high_watermark.min(replica.high_watermark);
    let is_comparable = there.leader_epoch.min(replica.leader_epoch) >= history.weakened_before;
    if !is_comparable || end <= there.log_start_offset.max(replica.log_start_offset) {
        return;
    }
    let last = end + -1;
    let is_same = epoch_at(replica.leader_epochs, last) == epoch_at(there.leader_epochs, last);
    findings.require(Checker::LogMatching, sight, Some(partition), is_same, || Details::LogsDiffer {
        broker,
        other,
        offset: last,
    });
}
