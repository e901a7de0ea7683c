//! What a seed of the swarm draws, opened in the page: a world and faults that anybody can run natively too, by
//! `cargo run --release -p swarm -- SEED`.
//!
//! Nothing is drawn or judged here; that is the crate `swarm`.

use crate::view::events::{Mark, mark_of};
use kafka::event::{EventKind, OperatorEvent};
use kafka::instant::Instant;
use sim::checkers::violation::Violation;
use sim::{Event, EventId, Session};
use swarm::plan::Plan;
use swarm::run::Failure;
use swarm::world_plan::Historical;

/// Which run of the swarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SwarmSeed {
    pub(crate) seed: u64,
    /// A fault of an earlier release that is switched on.
    pub(crate) historical: Option<Historical>,
}

/// What was drawn, what was done, and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct SwarmRun {
    pub(crate) plan: Plan,
    pub(crate) outcome: Result<(), Failure>,
    /// What was done from outside, in order: programs started, faults, repairs.
    pub(crate) journal: Vec<Event>,
}

impl SwarmRun {
    /// What broke, if a checker found something.
    pub(crate) fn violation(&self) -> Option<&Violation> {
        match &self.outcome {
            Err(Failure::Violated(violation)) => Some(violation),
            Ok(())
            | Err(
                Failure::NotHealed(_) | Failure::ReadOutOfOrder(_) | Failure::NotEndedOnce(_) | Failure::Panicked(_),
            ) => None,
        }
    }
}

/// Runs the seed to its end, and goes to where it became interesting: to what broke a promise, or else to the first
/// fault. The event there is returned too.
pub(crate) fn open(seed: SwarmSeed) -> (SwarmRun, Session, Option<EventId>) {
    let (run, outcome) = swarm::run::draw(seed.seed, seed.historical);
    let mut session = run.session;
    let journal = journal(&session);
    let (step, event) = match &outcome {
        Err(Failure::Violated(violation)) => (Some(violation.step), violation.event),
        Ok(())
        | Err(Failure::NotHealed(_) | Failure::ReadOutOfOrder(_) | Failure::NotEndedOnce(_) | Failure::Panicked(_)) => {
            let fault = journal.iter().find(|event| mark_of(event) == Some(Mark::Fault));
            (fault.map(|event| event.step), fault.map(|event| event.id))
        }
    };
    if let Some(step) = step {
        session.seek_step(step);
    }
    (SwarmRun { plan: run.plan, outcome, journal }, session, event)
}

fn journal(session: &Session) -> Vec<Event> {
    session.events(EventId(0)).filter(is_done_from_outside).collect()
}

fn is_done_from_outside(event: &Event) -> bool {
    let is_client = matches!(&event.kind, EventKind::Operator(OperatorEvent::ClientStarted { .. }));
    is_client || mark_of(event).is_some() && event.at > Instant::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::Checker;

    #[test]
    fn a_seed_opens_at_its_first_fault_and_ends_as_it_does_natively() {
        let (run, mut session, event) = open(SwarmSeed { seed: 1, historical: None });
        assert_eq!(run.outcome, Ok(()));
        let faults = run.journal.iter().filter(|event| mark_of(event) == Some(Mark::Fault));
        assert!(faults.clone().count() >= 5);
        let first = faults.clone().next().expect("there are some");
        assert_eq!((event, session.steps()), (Some(first.id), first.step));
        session.seek(session.known_until());
        let (native, _) = swarm::run::draw(1, None);
        assert_eq!(session.trace_hash(), native.session.trace_hash());
    }

    #[test]
    fn a_seed_that_breaks_a_promise_opens_at_what_broke_it() {
        let historical = Some(Historical::TruncateToHighWatermark);
        let broken = |seed| {
            let (run, session, event) = open(SwarmSeed { seed, historical });
            let Err(Failure::Violated(violation)) = run.outcome else { return None };
            assert_eq!((session.steps(), event), (violation.step, violation.event));
            assert_eq!(session.violations().next(), Some(&*violation));
            Some(violation.checker)
        };
        let found: Option<Checker> = (0..200).find_map(broken);
        assert!(found.is_some(), "a fault that Kafka had shows within 200 seeds");
    }
}
