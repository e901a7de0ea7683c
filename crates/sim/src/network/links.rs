//! All directed links between hosts: how long the next thing on one travels, and whether anything gets through.
//!
//! Loss shows as delay, as TCP shows it: a transmission that is lost is made up for by another after the time-out of
//! `retransmission`. Every kind of fault draws from a stream of its own, so that a link without faults draws as it
//! always did.

use super::retransmission::Retransmissions;
use crate::random;
use crate::world_spec::NetworkSpec;
use kafka::Rng;
use kafka::fault::{LinkChange, LinkCondition, Links};
use kafka::instant::Duration;
use kafka::node::NodeId;
use rand::RngExt;
use std::collections::BTreeMap;

/// One link: where messages come from, and where they go.
pub(crate) type Ends = (NodeId, NodeId);

/// All links on which something has travelled.
#[derive(Clone, Debug)]
pub(super) struct LinkTable {
    spec: NetworkSpec,
    seed: u64,
    by_ends: BTreeMap<Ends, Link>,
    /// The condition of every link that is not in one of the maps.
    usual: LinkCondition,
    /// That of the links of a host that are not in `conditions`, to hosts that are yet to come too.
    of_host: BTreeMap<NodeId, LinkCondition>,
    conditions: BTreeMap<Ends, LinkCondition>,
}

/// One direction between two hosts.
#[derive(Clone, Debug)]
struct Link {
    rng: Rng,
    jitter: Rng,
    loss: Rng,
}

impl LinkTable {
    /// Links without faults.
    pub(super) fn new(spec: NetworkSpec, seed: u64) -> LinkTable {
        LinkTable {
            spec,
            seed,
            by_ends: BTreeMap::new(),
            usual: LinkCondition::default(),
            of_host: BTreeMap::new(),
            conditions: BTreeMap::new(),
        }
    }

    /// How a link is. The way from a host to itself has no faults.
    pub(super) fn condition(&self, ends: Ends) -> LinkCondition {
        if ends.0 == ends.1 {
            return LinkCondition::default();
        }
        self.conditions.get(&ends).copied().unwrap_or_else(|| self.condition_by_hosts(ends))
    }

    fn condition_by_hosts(&self, (from, to): Ends) -> LinkCondition {
        let of_host = self.of_host.get(&from).or_else(|| self.of_host.get(&to));
        of_host.copied().unwrap_or(self.usual)
    }

    /// Changes links.
    pub(super) fn change(&mut self, links: Links, change: LinkChange) {
        match links {
            Links::All => self.change_all(change),
            Links::Of(node) => self.change_all_of(node, change),
            Links::Between(one, other) => {
                self.change_one((one, other), change);
                self.change_one((other, one), change);
            }
            Links::OneWay { from, to } => self.change_one((from, to), change),
        }
    }

    fn change_all(&mut self, change: LinkChange) {
        self.usual = self.usual.changed(change);
        let others = self.of_host.values_mut().chain(self.conditions.values_mut());
        others.for_each(|condition| *condition = condition.changed(change));
    }

    /// Where two hosts have conditions of their own, the link between them gets one too.
    fn change_all_of(&mut self, node: NodeId, change: LinkChange) {
        let others: Vec<NodeId> = self.of_host.keys().copied().filter(|other| *other != node).collect();
        for ends in others.into_iter().flat_map(|other| [(node, other), (other, node)]) {
            let condition = self.condition(ends);
            self.conditions.insert(ends, condition);
        }
        let condition = self.of_host.get(&node).copied().unwrap_or(self.usual).changed(change);
        self.of_host.insert(node, condition);
        let of_node = self.conditions.iter_mut().filter(|((from, to), _)| *from == node || *to == node);
        of_node.for_each(|(_, condition)| *condition = condition.changed(change));
    }

    fn change_one(&mut self, ends: Ends, change: LinkChange) {
        let condition = self.condition(ends).changed(change);
        self.conditions.insert(ends, condition);
    }

    /// How long the next thing on a link travels that is transmitted, lost and transmitted again as `retransmissions` say.
    pub(super) fn delay(&mut self, ends: Ends, retransmissions: Retransmissions) -> Duration {
        let (condition, spec, seed) = (self.condition(ends), self.spec, self.seed);
        let (from, to) = ends;
        let stream = |kind| random::stream(seed, &format!("{kind} {from}->{to}"));
        let new_link = || Link { rng: stream("link"), jitter: stream("jitter"), loss: stream("loss") };
        let link = self.by_ends.entry(ends).or_insert_with(new_link);
        Duration(link.travel_us(spec, condition) + link.lost_us(condition, retransmissions))
    }
}

impl Link {
    fn travel_us(&mut self, spec: NetworkSpec, condition: LinkCondition) -> u64 {
        let usual_jitter = self.rng.random_range(0..=spec.jitter_us);
        let jitter = condition.jitter.map(|jitter| self.jitter.random_range(0..=jitter.0));
        condition.delay.map_or(spec.delay_us, |delay| delay.0) + jitter.unwrap_or(usual_jitter)
    }

    /// What the losses before the transmission that gets through cost. The last one that is allowed gets through.
    fn lost_us(&mut self, condition: LinkCondition, retransmissions: Retransmissions) -> u64 {
        if condition.loss_permille == 0 {
            return 0;
        }
        let mut lost = 0;
        while lost < retransmissions.most() && self.loss.random_range(0..1_000) < condition.loss_permille {
            lost += 1;
        }
        retransmissions.after(lost).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: NodeId = NodeId::Server(1);
    const TWO: NodeId = NodeId::Server(2);
    const LATER: NodeId = NodeId::Client(7);

    type Change = (Links, LinkChange);

    fn cut_after(changes: &[Change]) -> [bool; 4] {
        let mut links = LinkTable::new(NetworkSpec { delay_us: 1, jitter_us: 0 }, 0);
        changes.iter().for_each(|(which, change)| links.change(*which, *change));
        [(ONE, TWO), (TWO, ONE), (ONE, LATER), (TWO, LATER)].map(|ends| links.condition(ends).is_cut)
    }

    #[test]
    fn the_last_change_of_a_link_counts_whichever_links_it_was_among() {
        let (cut, heal) = (LinkChange::Cut, LinkChange::Heal);
        let cases: [(&[Change], [bool; 4]); 6] = [
            (&[(Links::Of(ONE), cut)], [true, true, true, false]),
            (&[(Links::Of(ONE), cut), (Links::Of(TWO), heal)], [false, false, true, false]),
            (&[(Links::All, cut), (Links::OneWay { from: ONE, to: TWO }, heal)], [false, true, true, true]),
            (&[(Links::Between(ONE, TWO), heal), (Links::All, cut)], [true; 4]),
            (&[(Links::Of(ONE), cut), (Links::Between(ONE, LATER), heal)], [true, true, false, false]),
            (&[(Links::Of(ONE), cut), (Links::OneWay { from: TWO, to: ONE }, cut), (Links::All, heal)], [false; 4]),
        ];
        for (changes, expected) in cases {
            assert_eq!(cut_after(changes), expected, "{changes:?}");
        }
    }
}
