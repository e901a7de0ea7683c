//! What clients were told: `acks=all` means committed, what was read is what is there, and whoever is told nothing gives
//! up in time.

use super::findings::Findings;
use super::history::{Histories, Mark};
use super::sight::{Sight, as_client};
use super::violation::{Checker, Details};
use crate::ledger::Standing;
use kafka::client::Client;
use kafka::node::NodeId;
use kafka::view::OpenSends;
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

/// What the ledger has found out about promises to producers.
pub(super) fn promised(findings: &mut Findings, sight: &Sight<'_>, partition: &TopicPartition, standing: Standing) {
    match standing {
        Standing::Unknown => {}
        Standing::Kept => findings.count(Checker::AcknowledgedRecords),
        Standing::Broken { first_offset, last_offset } => {
            findings.require(Checker::AcknowledgedRecords, sight, Some(partition), false, || Details::RecordsLost {
                first_offset,
                last_offset,
            });
        }
    }
}

/// What any producer has sent is given up in time, unless its process stands still (KIP-91).
pub(super) fn deliveries(findings: &mut Findings, sight: &Sight<'_>) {
    for (node, host) in sight.hosts.iter().filter(|(_, host)| !host.faults.is_frozen) {
        if let Some(open) = as_client(host).and_then(Client::open_sends) {
            delivery(findings, sight, *node, open);
        }
    }
}

fn delivery(findings: &mut Findings, sight: &Sight<'_>, producer: NodeId, OpenSends { given_up_at, .. }: OpenSends) {
    findings.require(Checker::DeliveryTimeout, sight, None, sight.now <= given_up_at, || Details::NotGivenUp {
        producer,
        given_up_at,
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

#[cfg(test)]
mod tests {
    use super::*;
    use kafka::instant::Instant;
    use std::collections::BTreeMap;
    use wire::{PartitionIndex, TopicName};

    #[test]
    fn a_broken_promise_is_a_complaint_and_what_nobody_can_tell_is_no_check() {
        let hosts = BTreeMap::new();
        let place = TopicPartition::new(TopicName::new("t"), PartitionIndex(0));
        let broken = Standing::Broken { first_offset: Offset(3), last_offset: Offset(4) };
        for (standing, checks, complaints) in [(Standing::Unknown, 0, 0), (Standing::Kept, 1, 0), (broken, 1, 1)] {
            let mut findings = Findings::default();
            promised(&mut findings, &Sight::of_nothing(&hosts), &place, standing);
            let counts = (findings.times_checked(Checker::AcknowledgedRecords), findings.violations().len());
            assert_eq!(counts, (checks, complaints), "{standing:?}");
        }
    }

    #[test]
    fn a_producer_gives_up_at_its_delivery_timeout_and_not_later() {
        let hosts = BTreeMap::new();
        let open = OpenSends { since: Instant(5), given_up_at: Instant(120_000_005) };
        for (now, complaints) in [(7, 0), (120_000_005, 0), (120_000_006, 1)] {
            let (mut findings, sight) = (Findings::default(), Sight { now: Instant(now), ..Sight::of_nothing(&hosts) });
            delivery(&mut findings, &sight, NodeId::Client(1), open);
            let counts = (findings.times_checked(Checker::DeliveryTimeout), findings.violations().len());
            assert_eq!(counts, (1, complaints), "at {now}");
        }
    }
}
