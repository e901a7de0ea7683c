//! Compaction: it stays below the last stable offset and the active segment, leaves one record of each key, and that is
//! the one that was last. What was last is known from other replicas, as long as these have not been compacted further.

use super::findings::Findings;
use super::history::History;
use super::sight::{LogGlance, Sight};
use super::violation::{Checker, Details};
use kafka::view::ReplicaGlance;
use std::collections::BTreeMap;
use wire::{BrokerId, Bytes, Offset, Record, TopicPartition};

/// The records below an offset, by key: the last one of each.
type LastRecords<'a> = BTreeMap<&'a Bytes, (Offset, &'a Record)>;

/// `broker` has compacted its log up to `to`.
pub(super) fn on_compaction(
    findings: &mut Findings,
    sight: &Sight<'_>,
    history: &mut History,
    (broker, replica): (BrokerId, &ReplicaGlance<'_>),
    partition: &TopicPartition,
    to: Offset,
) {
    let limit = replica.last_stable_offset.min(replica.segments.active().base_offset()).max(replica.log_start_offset);
    findings.require(Checker::Compaction, sight, Some(partition), to <= limit, || Details::CompactedTooFar {
        broker,
        to,
        limit,
    });
    let gone = first_taken(sight, history, (broker, replica), partition, to);
    findings.require(Checker::Compaction, sight, Some(partition), gone.is_none(), || Details::CompactedAway {
        broker,
        offset: gone.unwrap_or(to),
    });
    let superseded = sight.log(broker, partition).and_then(|log| first_superseded(&log, history, to));
    findings.require(Checker::Compaction, sight, Some(partition), superseded.is_none(), || Details::NotCompacted {
        broker,
        offset: superseded.unwrap_or(to),
    });
    history.compacted_to = history.compacted_to.max(end_of_rewritten(replica, to));
}

/// Segments are rewritten as a whole, also the one in which `to` lies.
fn end_of_rewritten(replica: &ReplicaGlance<'_>, to: Offset) -> Offset {
    let behind = replica.segments.segments().map(|segment| segment.base_offset()).find(|base| *base >= to);
    behind.unwrap_or(to)
}

/// The first offset that another replica shows to be the last of its key below `to` and that is not there any more. What
/// lies behind the place where the logs part, the other one may yet cut.
fn first_taken(
    sight: &Sight<'_>,
    history: &History,
    (broker, replica): (BrokerId, &ReplicaGlance<'_>),
    partition: &TopicPartition,
    to: Offset,
) -> Option<Offset> {
    let log = sight.log(broker, partition)?;
    let here = last_records(&log, (Offset::ZERO, to));
    let is_whole = history.weakened_from.is_none() && !(sight.zookeeper.is_some() && history.lost_from.is_some());
    let keepers = sight.keepers(partition).into_iter().filter(|other| *other != broker);
    let others = keepers.filter_map(|other| sight.replica(other, partition).map(|_| other));
    let others = others.filter(|_| history.compacted_to <= to && is_whole);
    others
        .filter_map(|other| sight.log_of(other, partition, replica.topic_id))
        .flat_map(|there| last_records(&there, (log.start.max(there.start), to.min(log.common_end(&there)))))
        .filter(|(_, (_, record))| record.value.is_some())
        .find(|(key, last)| here.get(*key).is_none_or(|kept| kept.0 < last.0 || kept.0 == last.0 && kept.1 != last.1))
        .map(|(_, (offset, _))| offset)
}

/// Where a record still stands below `to` although another one there has its key. What lies below the log's start nobody
/// reads, and the cleaner does not map; and where power was lost, what was compacted may be new again.
fn first_superseded(log: &LogGlance<'_>, history: &History, to: Offset) -> Option<Offset> {
    let mut seen: BTreeMap<&Bytes, Offset> = BTreeMap::new();
    let mut records = keyed_records(log, (log.start, to)).filter(|_| history.lost_from.is_none());
    records.find_map(|(offset, key, _)| seen.insert(key, offset))
}

fn last_records<'a>(log: &LogGlance<'a>, limits: (Offset, Offset)) -> LastRecords<'a> {
    keyed_records(log, limits).map(|(offset, key, record)| (key, (offset, record))).collect()
}

/// Records of transactions do not count: whether they were aborted is not known here.
fn keyed_records<'a>(
    log: &LogGlance<'a>,
    (from, to): (Offset, Offset),
) -> impl Iterator<Item = (Offset, &'a Bytes, &'a Record)> {
    let batches = log.batches_from(from).take_while(move |batch| batch.base_offset < to);
    let plain = batches.filter(|batch| !batch.is_transactional);
    let records = plain.flat_map(|batch| {
        batch.records().iter().map(|record| (batch.base_offset + i64::from(record.offset_delta), record))
    });
    let inside = records.filter(move |(offset, _)| (from..to).contains(offset));
    inside.filter_map(|(offset, record)| Some((offset, record.key.as_ref()?, record)))
}
