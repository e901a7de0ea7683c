//! Makes a plan that fails shorter as long as it fails in the same way: fewer actions, an earlier end, fewer brokers.

use crate::plan::Plan;
use crate::run::follow;

/// A shorter plan with a failure of that name, after at most so many runs.
#[must_use]
pub fn shrink(plan: &Plan, failure: &str, mut runs: u32) -> Plan {
    let mut fails = |candidate: &Plan| {
        runs = runs.saturating_sub(1);
        runs > 0 && follow(candidate).1.is_err_and(|found| found.name() == failure)
    };
    let mut plan = plan.clone();
    if !fails(&plan) {
        return plan;
    }
    let mut size = plan.steps.len();
    while size > 0 {
        let mut begin = 0;
        while begin < plan.steps.len() {
            let candidate = without(&plan, begin, size);
            if fails(&candidate) {
                plan = candidate;
            } else {
                begin += size;
            }
        }
        size /= 2;
    }
    for smaller in [with_fewer_brokers, without_racks, without_jitter] {
        let candidate = smaller(&plan);
        if candidate != plan && fails(&candidate) {
            plan = candidate;
        }
    }
    plan
}

fn without(plan: &Plan, begin: usize, size: usize) -> Plan {
    let mut shorter = plan.clone();
    shorter.steps.drain(begin..(begin + size).min(plan.steps.len()));
    shorter
}

fn with_fewer_brokers(plan: &Plan) -> Plan {
    let mut smaller = plan.clone();
    smaller.world.brokers = (plan.world.brokers - 1).max(1);
    smaller
}

fn without_racks(plan: &Plan) -> Plan {
    let mut smaller = plan.clone();
    smaller.world.racks = 0;
    smaller
}

fn without_jitter(plan: &Plan) -> Plan {
    let mut smaller = plan.clone();
    smaller.world.jitter_us = 0;
    smaller
}
