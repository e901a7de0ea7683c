//! The metadata log: what brokers and controllers hold of it is a prefix of what the active controller has committed
//! (`MetadataLogMatching`), and a quorum epoch has one leader (KIP-595).

use super::findings::Findings;
use super::sight::{Sight, as_broker, as_controller};
use super::violation::{Checker, Details, Number};
use crate::world::Host;
use kafka::log::Segments;
use kafka::metadata::metadata_partition;
use kafka::node::NodeId;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{BrokerEpoch, LeaderEpoch, Offset};

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
        let has_it = |voter: &&i32| flushed_end(sight, **voter) >= committed;
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
