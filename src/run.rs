//! Which run the page shows: the shape of its cluster and its seed, as addresses, the form and scripts name them.

use kafka::release::{METADATA_VERSION, RELEASE};
use sim::WorldShape;
use sim::world_shape::Mode;
use std::fmt::Write as _;

/// The seed of a run unless something else is asked for.
pub(crate) const DEFAULT_SEED: u64 = 1;

/// How many controllers the form offers. A script takes any number, but an even one only costs.
pub(crate) const CONTROLLERS: [i32; 3] = [1, 3, 5];

/// How many brokers there can be.
pub(crate) const MOST_BROKERS: i32 = 9;

/// A run before anybody has done anything in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) mode: Mode,
    pub(crate) brokers: i32,
    pub(crate) seed: u64,
    /// Whether eligible leader replicas (KIP-966) are wanted, which only a quorum knows.
    pub(crate) wants_eligible_leader_replicas: bool,
}

/// What eligible leader replicas need in 3.9, beside a newer `metadata.version`.
const FOR_ELIGIBLE_LEADER_REPLICAS: [&str; 2] = ["eligible.leader.replicas.enable", "unstable.feature.versions.enable"];

impl Default for Run {
    fn default() -> Run {
        let WorldShape { mode, brokers, .. } = WorldShape::default();
        Run { mode, brokers, seed: DEFAULT_SEED, wants_eligible_leader_replicas: false }
    }
}

impl Run {
    /// Whether the cluster has eligible leader replicas.
    pub(crate) fn has_eligible_leader_replicas(self) -> bool {
        self.wants_eligible_leader_replicas && self.mode != Mode::ZooKeeper
    }

    fn switches(self) -> impl Iterator<Item = &'static str> {
        FOR_ELIGIBLE_LEADER_REPLICAS.into_iter().filter(move |_| self.has_eligible_leader_replicas())
    }

    /// The cluster, as scripts make it too.
    pub(crate) fn shape(self) -> WorldShape {
        let properties = self.switches().map(|name| (name.to_owned(), "true".to_owned())).collect();
        WorldShape { mode: self.mode, brokers: self.brokers, properties, ..WorldShape::default() }
    }

    /// What the first lines of a script say for the same cluster.
    pub(crate) fn directives(self) -> Vec<String> {
        let Run { mode, brokers, seed, .. } = self;
        let mut directives = vec![format!("@mode {}", mode.name())];
        directives.extend(mode.controllers().map(|controllers| format!("@controllers {controllers}")));
        directives.extend([format!("@brokers {brokers}"), format!("@seed {seed}")]);
        directives.extend(self.switches().map(|name| format!("@config {name}=true")));
        if self.has_eligible_leader_replicas() {
            let level = RELEASE.eligible_leader_replicas_from;
            directives.push(format!(
                "kafka-features --bootstrap-server localhost:9092 upgrade --feature {METADATA_VERSION}={level}"
            ));
        }
        directives
    }

    /// The part of an address that opens this run: what differs from the usual one.
    pub(crate) fn wishes(self) -> String {
        let mut wishes = format!("seed={}", self.seed);
        let usual = Run::default().mode;
        if self.mode.name() != usual.name() {
            write!(wishes, "&mode={}", self.mode.name()).expect("a string takes all that is written");
        }
        if let Some(controllers) = self.mode.controllers().filter(|_| self.mode != usual) {
            write!(wishes, "&controllers={controllers}").expect("a string takes all that is written");
        }
        if self.brokers != Run::default().brokers {
            write!(wishes, "&brokers={}", self.brokers).expect("a string takes all that is written");
        }
        if self.has_eligible_leader_replicas() {
            wishes.push_str("&elr");
        }
        wishes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::start::Opening;

    #[test]
    fn an_address_made_from_a_run_opens_the_same_run() {
        let modes = CONTROLLERS.map(|controllers| Mode::KRaft { controllers });
        for mode in modes.into_iter().chain([Mode::Combined { controllers: 3 }, Mode::ZooKeeper]) {
            for brokers in [1, 3, MOST_BROKERS] {
                let wants_eligible_leader_replicas = brokers == 3 && mode != Mode::ZooKeeper;
                let run = Run { mode, brokers, seed: 7, wants_eligible_leader_replicas };
                let opening = Address::parse(&run.wishes(), "").opening();
                assert_eq!(opening, Opening::Run(run), "{}", run.wishes());
            }
        }
    }

    #[test]
    fn a_script_with_a_runs_directives_has_the_same_cluster() {
        for mode in [Mode::KRaft { controllers: 3 }, Mode::Combined { controllers: 3 }, Mode::ZooKeeper] {
            let run = Run { mode, brokers: 5, seed: 7, wants_eligible_leader_replicas: true };
            let script = shell::script::Script::parse(&run.directives().join("\n")).expect("directives are read");
            assert_eq!(script.shape(), &run.shape());
        }
    }
}
