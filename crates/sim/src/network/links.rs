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
    /// The condition of every link that is not in `conditions`.
    usual: LinkCondition,
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
        LinkTable { spec, seed, by_ends: BTreeMap::new(), usual: LinkCondition::default(), conditions: BTreeMap::new() }
    }

    /// How a link is. The way from a host to itself has no faults.
    pub(super) fn condition(&self, ends: Ends) -> LinkCondition {
        if ends.0 == ends.1 {
            return LinkCondition::default();
        }
        self.conditions.get(&ends).copied().unwrap_or(self.usual)
    }

    /// Changes links among these hosts.
    pub(super) fn change(&mut self, links: Links, change: LinkChange, hosts: &[NodeId]) {
        if links == Links::All {
            self.usual = self.usual.changed(change);
            self.conditions.values_mut().for_each(|condition| *condition = condition.changed(change));
        } else {
            ends_of(links, hosts).into_iter().for_each(|ends| self.change_one(ends, change));
        }
        let usual = self.usual;
        self.conditions.retain(|_, condition| *condition != usual);
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

/// The single links that `links` stands for among these hosts; none for all of them.
fn ends_of(links: Links, hosts: &[NodeId]) -> Vec<Ends> {
    match links {
        Links::All => Vec::new(),
        Links::Of(node) => {
            let others = hosts.iter().filter(|other| **other != node);
            others.flat_map(|other| [(node, *other), (*other, node)]).collect()
        }
        Links::Between(one, other) => vec![(one, other), (other, one)],
        Links::OneWay { from, to } => vec![(from, to)],
    }
}
