//! The metadata log: what brokers and controllers hold of it is a prefix of what the active controller has committed
//! (`MetadataLogMatching`), a quorum epoch has one leader and nobody votes for a log that is behind (KIP-595), and snapshots
//! are of what is committed (KIP-630).

use super::findings::Findings;
use super::sight::{Sight, as_broker, as_controller};
use super::violation::{Checker, Details, Number};
use crate::world::Host;
use kafka::controller::Controller;
use kafka::log::Segments;
use kafka::metadata::metadata_partition;
use kafka::node::NodeId;
use kafka::storage::QuorumState;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{BrokerEpoch, LeaderEpoch, Offset, RecordBatch};

/// A log may have been cut and have grown again between two looks: so many offsets are compared once more.
const LOOK_BACK: i64 = 32;

/// What is remembered of the quorum and of servers' metadata logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct MetadataHistory {
    /// Who became active in which epoch.
    leaders: BTreeMap<LeaderEpoch, NodeId>,
    /// Up to where a server's log is known to be that of the active controller.
    matched: BTreeMap<i32, Offset>,
    /// For whom each voter voted last, and in which epoch.
    votes: BTreeMap<NodeId, (LeaderEpoch, NodeId)>,
    /// The latest epoch that each server has written down.
    epochs: BTreeMap<i32, LeaderEpoch>,
    /// The epoch in which each broker registered last.
    broker_epochs: BTreeMap<NodeId, BrokerEpoch>,
    /// Up to where the leader of which epoch has committed.
    committed: Option<(LeaderEpoch, Offset)>,
}

impl MetadataHistory {
    /// The latest epoch in which a controller was elected.
    pub(super) fn quorum_epoch(&self) -> LeaderEpoch {
        self.leaders.last_key_value().map_or(LeaderEpoch::NONE, |(epoch, _)| *epoch)
    }

    /// A controller leads the quorum. A vote may arrive so late that the next epoch has begun.
    pub(super) fn on_active(&mut self, findings: &mut Findings, sight: &Sight<'_>, node: NodeId, epoch: LeaderEpoch) {
        let other = *self.leaders.entry(epoch).or_insert(node);
        findings.require(Checker::Quorum, sight, None, other == node, || Details::TwoLeaders {
            one: other,
            other: node,
            leader_epoch: epoch,
        });
    }

    /// A voter gave its vote, maybe to itself: once in an epoch, and never in an earlier one.
    pub(super) fn on_vote(
        &mut self,
        findings: &mut Findings,
        sight: &Sight<'_>,
        voter: NodeId,
        (candidate, epoch): (NodeId, LeaderEpoch),
    ) {
        let before = self.votes.insert(voter, (epoch, candidate));
        let is_first = before.is_none_or(|(last, chosen)| last < epoch || last == epoch && chosen == candidate);
        findings.require(Checker::Quorum, sight, None, is_first, || Details::VotedTwice {
            voter,
            candidate,
            leader_epoch: epoch,
        });
        let logs = [voter, candidate].map(|node| sight.hosts.get(&node).and_then(as_controller).and_then(last_of_log));
        if let [Some((_, own)), Some((latest, other))] = logs
            && latest == epoch
            && voter != candidate
        {
            findings.require(Checker::Quorum, sight, None, own <= other, || Details::VotedForWhoIsBehind {
                voter,
                candidate,
            });
        }
    }

    /// A server and its disk are gone.
    pub(super) fn on_server_removed(&mut self, server: i32) {
        self.epochs.remove(&server);
    }

    /// What each server keeps on its disk: epochs never fall there, and snapshots are of
    /// what is committed.
    pub(super) fn disks(&mut self, findings: &mut Findings, sight: &Sight<'_>) {
        for (id, host) in sight.servers() {
            if let Some(QuorumState { leader_epoch: epoch, .. }) = host.disk.quorum_state {
                let before = self.epochs.insert(id, epoch).unwrap_or(epoch);
                findings.require(Checker::Quorum, sight, None, before <= epoch, || Details::Fell {
                    node: NodeId::Server(id),
                    number: Number::QuorumEpoch,
                    from: i64::from(before.0),
                    to: i64::from(epoch.0),
                });
            }
            snapshots(findings, sight, id, host);
        }
    }

    /// A broker registered.
    pub(super) fn on_registered(
        &mut self,
        findings: &mut Findings,
        sight: &Sight<'_>,
        node: NodeId,
        epoch: BrokerEpoch,
    ) {
        let before = self.broker_epochs.insert(node, epoch).unwrap_or(BrokerEpoch::NONE);
        findings.require(Checker::MonotoneNumbers, sight, None, before < epoch, || Details::Fell {
            node,
            number: Number::BrokerEpoch,
            from: before.0,
            to: epoch.0,
        });
    }

    /// What counts as committed is on a majority of the voters' disks, for good, and does not become less while one leads.
    pub(super) fn commitment(&mut self, findings: &mut Findings, sight: &Sight<'_>) {
        let Some((active, epoch, _)) = sight.active_controller() else { return };
        let Some(host) = sight.hosts.get(&NodeId::Server(active)) else { return };
        let committed = bound_of_controller(host).unwrap_or(Offset::ZERO);
        let before = self.committed.replace((epoch, committed)).filter(|before| before.0 == epoch);
        let from = before.map_or(committed, |before| before.1);
        findings.require(Checker::MetadataPrefix, sight, None, from <= committed, || Details::Fell {
            node: NodeId::Server(active),
            number: Number::MetadataHighWatermark,
            from: from.0,
            to: committed.0,
        });
        let voters: Vec<i32> = voters_of(host);
        let last = metadata_batches(host).and_then(|log| batch_before(log, committed));
        let has_it = |voter: &&i32| flushed_end(sight, **voter) >= committed && !differs(sight, **voter, last);
        let count = voters.iter().filter(has_it).count();
        findings.require(Checker::MetadataPrefix, sight, None, count > voters.len() / 2, || Details::NotOnMajority {
            voters: count,
            committed,
        });
    }

    /// Compares what servers' logs have got since the last look.
    pub(super) fn compare(&mut self, findings: &mut Findings, sight: &Sight<'_>) {
        let Some((active, committed)) = active_log(sight) else { return };
        for (id, host) in sight.servers().filter(|(id, _)| *id != active) {
            let Some(log) = metadata_batches(host) else { continue };
            let known = self.matched.entry(id).or_insert(Offset::ZERO);
            let bound = bound_of(host);
            let differs = advance(known, log, committed, bound);
            findings.require(Checker::MetadataPrefix, sight, None, differs.is_none(), || Details::NotAPrefix {
                node: NodeId::Server(id),
                offset: differs.unwrap_or(Offset::ZERO),
            });
        }
    }
}

/// Moves on over batches that are the same; where one differs below `bound`, that is it. What is below a snapshot is not
/// in the log any more.
fn advance(known: &mut Offset, log: &Segments, committed: &Segments, bound: Offset) -> Option<Offset> {
    for batch in log.batches_from(Offset((known.0 - LOOK_BACK).max(0))) {
        if batch.base_offset >= bound {
            return None;
        }
        let there = committed.batches_from(batch.base_offset).next();
        let is_below_snapshot = committed.base_offset() > batch.base_offset;
        if !is_below_snapshot && !there.is_some_and(|there| Arc::ptr_eq(there, batch) || there == batch) {
            return Some(batch.base_offset);
        }
        *known = batch.base_offset;
    }
    None
}

/// The latest snapshot is of what is committed, and the log begins where a snapshot ends, if not with the first record.
fn snapshots(findings: &mut Findings, sight: &Sight<'_>, id: i32, host: &Host) {
    let ends: Vec<Offset> = host.disk.metadata_snapshots.iter().map(|snapshot| snapshot.id.offset).collect();
    let start = host.disk.logs.get(&metadata_partition()).map_or(Offset::ZERO, |log| log.start_offset());
    if start > Offset::ZERO {
        let is_right = ends.contains(&start);
        findings.require(Checker::MetadataPrefix, sight, None, is_right, || Details::NoSnapshot {
            node: NodeId::Server(id),
            log_start_offset: start,
        });
    }
    if let Some(latest) = ends.last() {
        let voters = voters_of(host);
        let count = voters.iter().filter(|voter| flushed_end(sight, **voter) >= *latest).count();
        findings.require(Checker::MetadataPrefix, sight, None, count > voters.len() / 2, || Details::NotOnMajority {
            voters: count,
            committed: *latest,
        });
    }
}

/// The epoch of a controller, if it is a voter that runs, and where its log ends: the epoch of the last record and the offset
/// behind it.
fn last_of_log(controller: &Controller) -> Option<(LeaderEpoch, (LeaderEpoch, Offset))> {
    let raft = controller.raft()?;
    Some((raft.epoch(), (raft.log().last_epoch(), raft.log().end_offset())))
}

/// The batch that ends at `end` or holds what lies before it, if it is in the log.
fn batch_before(log: &Segments, end: Offset) -> Option<&Arc<RecordBatch>> {
    log.batches_from(end + -1).next().filter(|batch| batch.base_offset < end)
}

/// Whether a voter has another batch than `last` where that is.
fn differs(sight: &Sight<'_>, voter: i32, last: Option<&Arc<RecordBatch>>) -> bool {
    let log = sight.hosts.get(&NodeId::Server(voter)).and_then(metadata_batches);
    log.zip(last).is_some_and(|(log, last)| has_another(log, last))
}

/// Whether a log has another batch than `last` where that is. What lies below its start counts as the same.
fn has_another(log: &Segments, last: &Arc<RecordBatch>) -> bool {
    let there = batch_before(log, last.last_offset().next());
    there.is_some_and(|there| !Arc::ptr_eq(last, there) && last != there)
}

fn voters_of(host: &Host) -> Vec<i32> {
    let server = host.server.iter();
    server.flat_map(|server| server.coordination.voters()).map(|(voter, _)| *voter).collect()
}

fn flushed_end(sight: &Sight<'_>, voter: i32) -> Offset {
    let log = sight.hosts.get(&NodeId::Server(voter)).and_then(|host| host.disk.logs.get(&metadata_partition()));
    log.map_or(Offset::ZERO, |log| log.flushed_to)
}

fn bound_of_controller(host: &Host) -> Option<Offset> {
    as_controller(host).map(|controller| controller.view().high_watermark)
}

fn metadata_batches(host: &Host) -> Option<&Segments> {
    host.disk.logs.get(&metadata_partition()).map(|log| &log.segments)
}

/// Servers may hold more than is committed, brokers too; what they have applied is committed.
fn bound_of(host: &Host) -> Offset {
    let of_broker = as_broker(host).map(|broker| broker.metadata_offset().next());
    of_broker.or_else(|| bound_of_controller(host)).unwrap_or(Offset::ZERO)
}

fn active_log<'a>(sight: &Sight<'a>) -> Option<(i32, &'a Segments)> {
    let (id, _, _) = sight.active_controller()?;
    Some((id, metadata_batches(sight.hosts.get(&NodeId::Server(id))?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka::metadata::METADATA_TOPIC_ID;
    use kafka::raft::MetadataSnapshot;
    use kafka::storage::DiskWrite;
    use wire::{OffsetAndEpoch, Record, Timestamp};

    fn batch(offset: i64, epoch: i32, value: &str) -> Arc<RecordBatch> {
        let record = Record::new(None, Some(value.as_bytes()), Timestamp(0));
        Arc::new(RecordBatch::from_producer(vec![record]).appended_at(Offset(offset), LeaderEpoch(epoch)))
    }

    #[test]
    fn voters_have_what_is_committed_if_its_last_batch_is_the_same() {
        let log = Segments::of_batches(Offset(3), vec![batch(3, 1, "a"), batch(4, 2, "b"), batch(5, 2, "c")]);
        for (last, is_another) in [
            (batch(4, 2, "b"), false),
            (batch(4, 1, "b"), true),
            (batch(4, 2, "x"), true),
            (batch(5, 3, "c"), true),
            (batch(2, 9, "in a snapshot"), false),
        ] {
            assert_eq!(has_another(&log, &last), is_another, "{last:?}");
        }
        assert_eq!(batch_before(&log, Offset(5)).map(|batch| batch.base_offset), Some(Offset(4)));
    }

    #[test]
    fn a_log_begins_where_a_snapshot_ends() {
        let hosts = BTreeMap::new();
        let sight = Sight::of_nothing(&hosts);
        for (start, ends, complaints) in [(0, &[][..], 0), (7, &[7, 9], 0), (7, &[], 1), (7, &[9], 1)] {
            let mut host = Host::of_client();
            let log = DiskWrite::CreateLog { partition: metadata_partition(), topic_id: METADATA_TOPIC_ID };
            let begins = DiskWrite::TruncateFullyAndStartAt { partition: metadata_partition(), offset: Offset(start) };
            [log, begins].into_iter().for_each(|write| host.disk.apply(write));
            for end in ends {
                let id = OffsetAndEpoch { offset: Offset(*end), epoch: LeaderEpoch(1) };
                let snapshot = MetadataSnapshot { id, batches: Vec::new() };
                host.disk.apply(DiskWrite::MetadataSnapshot(Arc::new(snapshot)));
            }
            let mut findings = Findings::default();
            snapshots(&mut findings, &sight, 1, &host);
            let found =
                findings.violations().iter().filter(|found| matches!(found.details, Details::NoSnapshot { .. }));
            assert_eq!(found.count(), complaints, "{start} {ends:?}");
        }
    }
}
