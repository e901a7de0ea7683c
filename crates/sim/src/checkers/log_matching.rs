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
    let end = history.resumed.map_or(end, |(from, _)| end.min(from));
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

#[cfg(test)]
mod tests {
    use super::super::history::Histories;
    use super::super::sight::LogByHand;
    use super::*;
    use wire::{PartitionIndex, TopicId, TopicName};

    /// Where the second log differs from the first, looked at from `first` on, if records up to `deleted_ever` were deleted
    /// once.
    fn difference(one: &LogGlance<'_>, other: &LogGlance<'_>, first: i64, deleted_ever: i64) -> Option<i64> {
        let mut histories = Histories::default();
        let partition = TopicPartition::new(TopicName::new("t"), PartitionIndex(0));
        histories.begin_unless_known(partition.clone(), TopicId(7));
        let history = histories.get_mut(&partition, TopicId(7)).expect("it has just begun");
        history.deleted_ever = Offset(deleted_ever);
        let whole_from = one.start.max(other.start);
        first_difference(history, one, other, (Offset(first), whole_from)).map(|offset| offset.0)
    }

    #[test]
    fn batches_that_follow_others_differ_and_those_behind_a_log_start_do_not_count() {
        let (whole, short) = (LogByHand::of(&[(0, 4), (2, 4)]), LogByHand::of(&[(0, 6), (2, 4)]));
        assert_eq!(difference(&whole.from(0), &whole.from(0), 0, 0), None);
        assert_eq!(difference(&whole.from(0), &short.from(0), 4, 0), Some(6), "5 is of another epoch in each");
        assert_eq!(difference(&whole.from(0), &short.from(0), 6, 0), Some(6), "the one before is");
        assert_eq!(difference(&whole.from(0), &short.from(0), 7, 0), None, "by induction all before was compared");
        assert_eq!(difference(&whole.from(6), &short.from(6), 6, 0), None, "what lies before is no longer in the log");
    }

    #[test]
    fn what_was_deleted_and_is_back_is_compared_with_nothing() {
        let (whole, other) = (LogByHand::of(&[(0, 4), (2, 4)]), LogByHand::of(&[(0, 6), (2, 4)]).with_epochs_from(6));
        assert_eq!(difference(&whole.from(0), &other.from(0), 6, 5), Some(6), "5 was never deleted");
        assert_eq!(difference(&whole.from(0), &other.from(0), 6, 6), None);
    }
}
