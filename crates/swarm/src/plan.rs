//! All of a run before its end: the seed, the world, and what happens in it at which instant. It can be printed and read
//! back, so that what failed once can be kept.

use crate::action::Action;
use crate::world_plan::WorldPlan;
use kafka::instant::Instant;

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What the world's own random streams come from.
    pub seed: u64,
    /// The world.
    pub world: WorldPlan,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

impl Plan {
    /// What the page's address must end in to open the run that was drawn from this seed.
    #[must_use]
    pub fn address(&self) -> String {
        let historical = self.world.historical.map(|fault| format!("&historical={}", fault.name()));
        format!("?swarm={}{}", self.seed, historical.unwrap_or_default())
    }
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Instant,
    /// What.
    pub action: Action,
}

impl Plan {
    /// The same, of servers as they are now.
    #[must_use]
    pub fn without_historical(&self) -> Plan {
        let mut plan = self.clone();
        plan.world.historical = None;
        plan
    }
}
