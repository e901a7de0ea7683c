//! The metadata log: what brokers and controllers hold of it is a prefix of what the active controller has committed
//! (`MetadataLogMatching`), and a quorum epoch has one leader (KIP-595).

use super::findings::Findings;
use super::sight::{Sight, as_controller};
use super::violation::{Checker, Details, Number};
use crate::world::Host;
use kafka::log::Segments;
use kafka::metadata::metadata_partition;
use kafka::node::NodeId;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{BrokerEpoch, LeaderEpoch, Offset};

/// A log may have been cut and have grown again between two looks: so many batches are compared once more.
const LOOK_BACK: usize = 16;

/// What is remembered of the quorum and of servers' metadata logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct MetadataHistory {
    /// Who became active in which epoch.
    leaders: BTreeMap<LeaderEpoch, NodeId>,
    /// How many batches of a server's log are known to be those of the active controller.
    matched: BTreeMap<i32, usize>,
    /// For whom each voter voted last, and in which epoch.
    votes: BTreeMap<NodeId, (LeaderEpoch, NodeId)>,
    /// The epoch in which each broker registered last.
    broker_epochs: BTreeMap<NodeId, BrokerEpoch>,
}

impl MetadataHistory {
    /// A controller became active.
    pub(super) fn on_active(&mut self, findings: &mut Findings, sight: &Sight<'_>, node: NodeId, epoch: LeaderEpoch) {
        let highest = self.leaders.last_key_value().map_or(LeaderEpoch::NONE, |(highest, _)| *highest);
        let other = *self.leaders.entry(epoch).or_insert(node);
        findings.require(Checker::Quorum, sight, None, other == node, || Details::TwoLeaders {
            one: other,
            other: node,
            leader_epoch: epoch,
        });
        findings.require(Checker::Quorum, sight, None, highest <= epoch, || Details::Fell {
            node,
            number: Number::QuorumEpoch,
            from: i64::from(highest.0),
            to: i64::from(epoch.0),
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

    /// Compares what servers' logs have got since the last look.
    pub(super) fn compare(&mut self, findings: &mut Findings, sight: &Sight<'_>) {
        let Some((active, committed)) = active_log(sight) else { return };
        for (id, host) in sight.servers().filter(|(id, _)| *id != active) {
            let Some(log) = metadata_batches(host) else { continue };
            let known = self.matched.entry(id).or_default();
            let bound = bound_of(host);
            let differs = advance(known, log, committed, bound);
            findings.require(Checker::MetadataPrefix, sight, None, differs.is_none(), || Details::NotAPrefix {
                node: NodeId::Server(id),
                offset: differs.unwrap_or(Offset::ZERO),
            });
        }
    }
}

/// Moves on over batches that are the same; where one differs below `bound`, that is it.
fn advance(known: &mut usize, log: &Segments, committed: &Segments, bound: Option<Offset>) -> Option<Offset> {
    *known = (*known).min(log.len()).min(committed.len()).saturating_sub(LOOK_BACK);
    for batch in log.iter_from(*known) {
        if bound.is_some_and(|bound| batch.base_offset >= bound) {
            return None;
        }
        let there = committed.get(*known);
        if !there.is_some_and(|there| Arc::ptr_eq(there, batch) || there == batch) {
            return Some(batch.base_offset);
        }
        *known += 1;
    }
    None
}

fn metadata_batches(host: &Host) -> Option<&Segments> {
    host.disk.logs.get(&metadata_partition()).map(|log| &log.segments)
}

/// Controllers may hold more than is committed, and may go on with it after a restart; brokers never get it.
fn bound_of(host: &Host) -> Option<Offset> {
    let is_up = host.process.is_some();
    match as_controller(host) {
        Some(controller) => Some(controller.view().high_watermark),
        None => (!is_up).then_some(Offset::ZERO),
    }
}

fn active_log<'a>(sight: &Sight<'a>) -> Option<(i32, &'a Segments)> {
    let epoch = |host: &'a Host| as_controller(host)?.active_image().map(|(epoch, _)| epoch);
    let active = sight.servers().filter_map(|(id, host)| Some((epoch(host)?, id, host)));
    let (_, id, host) = active.max_by_key(|(epoch, _, _)| *epoch)?;
    Some((id, metadata_batches(host)?))
}
