//! What clients were told: `acks=all` means committed, and what was read is what is there.

use super::findings::Findings;
use super::history::{Histories, Mark};
use super::sight::Sight;
use super::violation::{Checker, Details};
use wire::request::Acks;
use wire::{Offset, Record, RecordBatch, TopicPartition};

/// A producer was told that its records up to `last_offset` are stored.
pub(super) fn acknowledged(
    findings: &mut Findings,
    sight: &Sight<'_>,
    histories: &Histories,
    partition: &TopicPartition,
    last_offset: Offset,
    acks: Acks,
) {
    let Some(history) = histories.last(partition).filter(|history| acks == Acks::All && history.lives == 1) else {
        return;
    };
    let committed = history.committed_ever;
    findings.require(Checker::AcksAllCommitted, sight, Some(partition), last_offset < committed, || {
        Details::NotCommitted { last_offset, committed }
    });
}

fn has_record(batch: &RecordBatch, offset: Offset) -> bool {
    batch.records().iter().any(|record| batch.base_offset + i64::from(record.offset_delta) == offset)
}

/// A consumer handed a record over; what compaction has taken since cannot be compared. Where topics of one name followed each other, it may be of an earlier one; where an
/// election was unclean, it may be of a lost stretch.
pub(super) fn consumed(
    findings: &mut Findings,
    sight: &Sight<'_>,
    histories: &mut Histories,
    partition: &TopicPartition,
    offset: Offset,
    record: &Record,
) {
    let Some(glance) = sight.state(partition) else { return };
    let Some(history) = histories.get(partition, glance.topic_id) else { return };
    let is_certain = history.lives == 1 && history.weakened_from.is_none_or(|from| offset < from);
    let leader = glance.state.leader.filter(|leader| !history.damaged.contains(leader));
    let log = leader.and_then(|leader| sight.log(leader, partition));
    let Some(log) = log.filter(|log| is_certain && log.topic_id == history.topic_id && offset >= log.start) else {
        return;
    };
    let batch = log.batches_from(offset).next();
    if offset < history.compacted_to && !batch.is_some_and(|batch| has_record(batch, offset)) {
        return;
    }
    let is_same = batch.is_some_and(|batch| {
        let there = batch.records().iter().find(|there| batch.base_offset + i64::from(there.offset_delta) == offset);
        there.is_some_and(|there| (&there.key, &there.value) == (&record.key, &record.value))
    });
    findings.require(Checker::ConsistentRead, sight, Some(partition), is_same, || Details::ReadDiffers { offset });
    if offset >= history.read.end {
        let (topic_id, read) = (history.topic_id, Mark { end: offset.next(), epoch: log.epoch_at(offset) });
        if let Some(history) = histories.get_mut(partition, topic_id) {
            history.read = read;
        }
    }
}
