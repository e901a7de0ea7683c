//! Numbers of one replica: offsets in order, epochs ascending, high watermarks that do not fall and that stand still
//! below `min.insync.replicas` (KIP-966).

use super::findings::Findings;
use super::history::{History, Term};
use super::sight::{LeaderGlance, LogGlance, Sight};
use super::violation::{Checker, Details, Number};
use kafka::node::NodeId;
use wire::{BrokerEpoch, BrokerId, Offset, TopicPartition};

/// Log start, last stable offset, high watermark and log end stand in this order.
pub(super) fn offsets(findings: &mut Findings, sight: &Sight<'_>, broker: BrokerId, partition: &TopicPartition) {
    let Some(replica) = sight.replica(broker, partition) else { return };
    let (log_start_offset, last_stable_offset, high_watermark, log_end_offset) =
        (replica.log_start_offset, replica.last_stable_offset, replica.high_watermark, replica.log_end_offset);
    let is_ordered = [log_start_offset, last_stable_offset, high_watermark, log_end_offset].is_sorted();
    findings.require(Checker::OffsetOrder, sight, Some(partition), is_ordered, || Details::OutOfOrder {
        broker,
        log_start_offset,
        last_stable_offset,
        high_watermark,
        log_end_offset,
    });
}

/// What was appended from `first` on continues the log, in an epoch that the epoch cache knows. What has been deleted once
/// comes back when a replica restarts that has not written down its log start offset, and may be of any epoch. From `lost_from`
/// on a leader of a ZooKeeper cluster has lost records with its power, and maybe begun its epoch anew earlier in the log than
/// where others know it to begin (see `log_matching`): as their follower it gets records of older epochs behind that.
pub(super) fn appended(
    findings: &mut Findings,
    sight: &Sight<'_>,
    history: Option<&History>,
    broker: BrokerId,
    partition: &TopicPartition,
    log: &LogGlance<'_>,
    first: Offset,
) {
    let deleted_to = history.map_or(log.start, |history| history.deleted_ever.max(log.start));
    let lost_from = history.and_then(|history| history.lost_from).filter(|_| sight.zookeeper.is_some());
    let mut before = log.batch_before(first).filter(|before| before.base_offset >= deleted_to);
    for batch in log.batches_from(first) {
        let continues = before.is_none_or(|before| {
            let is_behind_loss = lost_from.is_some_and(|lost_from| batch.base_offset >= lost_from);
            let ascends = is_behind_loss || before.partition_leader_epoch <= batch.partition_leader_epoch;
            before.last_offset() < batch.base_offset && ascends
        });
        let is_gone = batch.base_offset < log.start;
        let is_known = is_gone || log.epoch_at(batch.base_offset) == batch.partition_leader_epoch;
        findings.require(Checker::EpochCache, sight, Some(partition), continues && is_known, || {
            Details::DoesNotAscend { broker, offset: batch.base_offset }
        });
        before = Some(batch);
    }
}

/// Epochs and their starts ascend.
pub(super) fn epoch_cache(findings: &mut Findings, sight: &Sight<'_>, broker: BrokerId, partition: &TopicPartition) {
    let Some(log) = sight.log(broker, partition) else { return };
    let falls = log.leader_epochs.windows(2).find(|pair| pair[0].0 >= pair[1].0 || pair[0].1 >= pair[1].1);
    findings.require(Checker::EpochCache, sight, Some(partition), falls.is_none(), || Details::DoesNotAscend {
        broker,
        offset: falls.map_or(log.start, |pair| pair[1].1),
    });
}

/// `broker` has cut its log: epochs that began behind its end are forgotten with the records.
pub(super) fn truncated(findings: &mut Findings, sight: &Sight<'_>, broker: BrokerId, partition: &TopicPartition) {
    let Some(log) = sight.log(broker, partition) else { return };
    let left = log.leader_epochs.last().filter(|(_, start)| *start >= log.end);
    findings.require(Checker::EpochCache, sight, Some(partition), left.is_none(), || Details::DoesNotAscend {
        broker,
        offset: left.map_or(log.end, |(_, start)| *start),
    });
}

/// `broker` believes to lead: within one leadership neither high watermark nor last stable offset nor log start fall.
pub(super) fn term(
    findings: &mut Findings,
    sight: &Sight<'_>,
    history: &mut History,
    leader: &LeaderGlance<'_>,
    broker_epoch: BrokerEpoch,
) {
    let LeaderGlance { broker, partition, replica, .. } = *leader;
    let now = Term {
        broker,
        broker_epoch,
        leader_epoch: replica.leader_epoch,
        high_watermark: replica.high_watermark,
        last_stable_offset: replica.last_stable_offset,
        log_start_offset: replica.log_start_offset,
    };
    let before = history.term.replace(now).filter(|term| {
        (term.broker, term.broker_epoch, term.leader_epoch) == (broker, broker_epoch, replica.leader_epoch)
    });
    let Some(before) = before else { return };
    for (number, from, to) in [
        (Number::HighWatermark, before.high_watermark, now.high_watermark),
        (Number::LastStableOffset, before.last_stable_offset, now.last_stable_offset),
        (Number::LogStartOffset, before.log_start_offset, now.log_start_offset),
    ] {
        let node = NodeId::Server(broker.0);
        findings.require(Checker::MonotoneNumbers, sight, Some(partition), from <= to, || Details::Fell {
            node,
            number,
            from: from.0,
            to: to.0,
        });
    }
}

/// The high watermark of a leader has risen: enough replicas are in sync. What a leader hears of its partition may come in
/// the same step, behind the rise: then it had enough when it was last looked at, and as many have what is committed.
pub(super) fn rise(findings: &mut Findings, sight: &Sight<'_>, history: &History, leader: &LeaderGlance<'_>) {
    let LeaderGlance { broker, partition, replica, leadership } = *leader;
    let (isr, min_isr) = (leadership.isr.len(), leadership.effective_min_isr);
    if isr >= min_isr {
        return;
    }
    let before = history.in_sync.filter(|before| (before.0, before.1) == (broker, replica.leader_epoch));
    let have_it = || {
        let logs = sight.logs_of(sight.keepers(partition), partition, replica.topic_id);
        logs.filter(|log| log.end >= replica.high_watermark).count()
    };
    let had_enough = before.is_none_or(|(_, _, isr, least)| isr >= least && have_it() >= least.min(min_isr));
    frozen(findings, sight, leader, had_enough);
}

/// A leader has too few in sync, as when it was last looked at, and more than is committed: that has stayed where it was.
/// Whenever it rises in between, the leader is looked at.
pub(super) fn stands_still(findings: &mut Findings, sight: &Sight<'_>, history: &History, leader: &LeaderGlance<'_>) {
    let LeaderGlance { broker, replica, leadership, .. } = *leader;
    let (Some((before, epoch, isr, least)), Some(term)) = (history.in_sync, history.term) else { return };
    let is_same_run = sight.broker(broker).and_then(|broker| broker.broker_epoch()) == Some(term.broker_epoch);
    let is_same =
        is_same_run && [before, term.broker] == [broker; 2] && [epoch, term.leader_epoch] == [replica.leader_epoch; 2];
    let was_below = isr < least && leadership.isr.len() < leadership.effective_min_isr;
    if is_same && was_below && replica.log_end_offset > replica.high_watermark {
        frozen(findings, sight, leader, term.high_watermark == replica.high_watermark);
    }
}

/// Too few are in sync, and the high watermark stands still, or that `is_right`.
fn frozen(findings: &mut Findings, sight: &Sight<'_>, leader: &LeaderGlance<'_>, is_right: bool) {
    let LeaderGlance { broker, partition, leadership, .. } = *leader;
    let (isr, min_isr) = (leadership.isr.len(), leadership.effective_min_isr);
    findings.require(Checker::HighWatermarkFrozen, sight, Some(partition), is_right, || Details::RoseBelowMinIsr {
        broker,
        isr,
        min_isr,
    });
}
