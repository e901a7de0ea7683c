//! Log matching, as in Raft: where two logs have the same epoch at the same offset, all before is the same (KIP-101's
//! and KIP-279's guarantee). Checked batch by batch as they are appended: a batch that another log has, too, must be the
//! same there, and so must the one before it; by induction so is everything before. Truncation cannot break that.
//!
//! Besides, what lies below the high watermarks of two replicas is the same, whatever its epoch (WeakIsr's consequence);
//! where an unclean election or a power loss took committed records, that is asked of in-sync replicas only, since others
//! may still have to cut what was lost, and nobody knows where that begins if no log has it all.

use super::findings::Findings;
use super::history::History;
use super::sight::{LogGlance, Sight, epoch_at};
use super::violation::{Checker, Details};
use std::sync::Arc;
use wire::{BrokerId, Offset, RecordBatch, TopicPartition};

/// `broker` has appended batches to its log, the first at `first`. Replicas differ in what compaction has left (see
/// `compaction`), and in what only some have deleted: a follower does not look for where logs part in what its leader has
/// deleted (`LeaderEpochFileCache.endOffsetFor`), nor in what it has deleted itself, though its file may still hold that, and
/// may show it again after a restart. In a ZooKeeper cluster a leader that lost records with its power goes on in the same
/// epoch if no controller noticed: from there on nothing is compared.
pub(super) fn on_append(
    findings: &mut Findings,
    sight: &Sight<'_>,
    history: &History,
    broker: BrokerId,
    partition: &TopicPartition,
    log: &LogGlance<'_>,
    first: Offset,
) {
    let lost_from = history.lost_from.filter(|_| sight.zookeeper.is_some());
    for other in sight.keepers(partition).into_iter().filter(|other| *other != broker) {
        let Some(there) = sight.log_of(other, partition, log.topic_id) else { continue };
        let whole_from = history.compacted_to.max(history.deleted_to).max(log.start).max(there.start);
        let first = first.max(whole_from);
        if there.end > first {
            let differs = first_difference(history, log, &there, (first, whole_from))
                .filter(|offset| lost_from.is_none_or(|lost_from| *offset < lost_from));
            findings.require(Checker::LogMatching, sight, Some(partition), differs.is_none(), || Details::LogsDiffer {
                broker,
                other,
                offset: differs.unwrap_or(first),
            });
        }
    }
}

/// Where batches from `first` on have the same offset and epoch in both logs, but are not the same or do not follow the
/// same.
fn first_difference(
    history: &History,
    log: &LogGlance<'_>,
    other: &LogGlance<'_>,
    (first, whole_from): (Offset, Offset),
) -> Option<Offset> {
    let is_whole = |log: &LogGlance<'_>, batch: &RecordBatch| {
        batch.base_offset >= whole_from && !history.is_back(log, batch.base_offset)
    };
    let mut before = log.batch_before(first).filter(|before| is_whole(log, before));
    let mut before_there = other.batch_before(first).filter(|before| is_whole(other, before));
    for (batch, there) in log.batches_from(first).zip(other.batches_from(first)) {
        let is_same_place =
            batch.base_offset == there.base_offset && batch.partition_leader_epoch == there.partition_leader_epoch;
        let follows_the_same = match (before, before_there) {
            (Some(before), Some(before_there)) => is_same(before, before_there),
            (Some(_), None) | (None, Some(_)) | (None, None) => true,
        };
        if is_same_place && !(is_same(batch, there) && follows_the_same) {
            return Some(batch.base_offset);
        }
        (before, before_there) = (Some(batch), Some(there));
    }
    None
}

fn is_same(one: &Arc<RecordBatch>, other: &Arc<RecordBatch>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

/// Two replicas are the same below the high watermarks of both. Where a leader of a ZooKeeper cluster goes on in its
/// epoch without what it lost with its power, that epoch begins earlier in its log than in those of its followers. Once
/// it ends above what they have, they see nothing diverge (`Partition.readRecords` asks
/// `LeaderEpochFileCache.endOffsetFor`), and are in sync (`Partition.isFollowerInSync`).
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
    let end = history.resumed_from.map_or(end, |from| end.min(from));
    let is_excused = history.weakened_from.is_some() && !sight.are_in_sync([broker, other], partition);
    if is_excused || end <= there.log_start_offset.max(replica.log_start_offset).max(history.deleted_to) {
        return;
    }
    let last = end + -1;
    let written_in = |broker| {
        let log = sight.log(broker, partition).filter(|log| !history.is_back(log, last))?;
        log.written_in(last)
    };
    let is_same = epoch_at(replica.leader_epochs, last) == epoch_at(there.leader_epochs, last)
        || written_in(broker).zip(written_in(other)).is_none_or(|(one, other)| one == other);
    findings.require(Checker::LogMatching, sight, Some(partition), is_same, || Details::LogsDiffer {
        broker,
        other,
        offset: last,
    });
}
