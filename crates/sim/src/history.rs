//! What is known of one branch of a run: its commands, its events, digests to check replays against, and checkpoints.
//! It does not know where in it we are.

use crate::checkpoints::{Checkpoints, STEPS_APART};
use crate::command::Command;
use crate::event_log::EventLog;
use crate::frame::{Branch, BranchId};
use crate::trace::TraceHash;
use crate::world::World;
use kafka::chunks::Chunks;
use kafka::instant::Instant;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One branch.
#[derive(Clone, Debug)]
pub(crate) struct History {
    branch: Branch,
    /// What the user did, by the number of the step that it was.
    journal: BTreeMap<u64, (Instant, Arc<Command>)>,
    events: EventLog,
    checkpoints: Checkpoints,
    /// The trace hash after every [`STEPS_APART`] steps.
    hashes: Chunks<TraceHash>,
    known_steps: u64,
    last_hash: TraceHash,
}

impl History {
    /// Nothing is known but the beginning.
    pub(crate) fn new(beginning: World) -> History {
        History {
            branch: Branch { id: BranchId(0), forked_from: None, shared_steps: 0, known_until: Instant::ZERO },
            journal: BTreeMap::new(),
            events: EventLog::default(),
            hashes: Chunks::new(),
            known_steps: 0,
            last_hash: beginning.trace_hash(),
            checkpoints: Checkpoints::new(beginning),
        }
    }

    /// A branch that shares what is known up to `world`, at `now`.
    pub(crate) fn fork(&self, id: BranchId, world: &World, now: Instant) -> History {
        let mut fork = self.clone();
        let forked_from = Some((self.branch.id, now));
        fork.branch = Branch { id, forked_from, shared_steps: world.steps(), known_until: now };
        fork.journal.retain(|step, _| *step <= world.steps());
        fork.events.truncate(world.next_event().0 as usize);
        fork.hashes.truncate((world.steps() / STEPS_APART) as usize);
        fork.checkpoints.cut_after(world.steps());
        fork.known_steps = world.steps();
        fork.last_hash = world.trace_hash();
        fork
    }

    /// Which branch this is, and how far it is known.
    pub(crate) fn branch(&self) -> Branch {
        self.branch
    }

    /// How many steps are known.
    pub(crate) fn known_steps(&self) -> u64 {
        self.known_steps
    }

    /// The known events.
    pub(crate) fn events(&self) -> &EventLog {
        &self.events
    }

    /// The worlds to go back to.
    pub(crate) fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    /// The command that was step number `step`, and when it was given.
    pub(crate) fn command_at(&self, step: u64) -> Option<&(Instant, Arc<Command>)> {
        if step > self.known_steps { None } else { self.journal.get(&step) }
    }

    /// A command was given as step number `step`, the last known.
    pub(crate) fn record_command(&mut self, step: u64, at: Instant, command: Command) {
        self.journal.insert(step, (at, Arc::new(command)));
    }

    /// Time has passed up to `now`.
    pub(crate) fn record_time(&mut self, now: Instant) {
        self.branch.known_until = self.branch.known_until.max(now);
    }

    /// A step has been taken: a new one is written down, a known one must have come out as before.
    pub(crate) fn record_step(&mut self, world: &mut World) {
        self.record_events(world);
        self.record_time(world.now());
        if world.steps() > self.known_steps {
            self.known_steps = world.steps();
            self.last_hash = world.trace_hash();
        } else if world.steps() == self.known_steps {
            assert_eq!(world.trace_hash(), self.last_hash, "a replay came out otherwise than the run");
        }
        if world.steps().is_multiple_of(STEPS_APART) {
            self.record_hash(world);
            self.checkpoints.keep(world, self.known_steps);
        }
    }

    fn record_events(&mut self, world: &mut World) {
        let known = self.events.len() as u64;
        world.drain_events().filter(|event| event.id.0 >= known).for_each(|event| self.events.push(event));
    }

    fn record_hash(&mut self, world: &World) {
        let index = (world.steps() / STEPS_APART - 1) as usize;
        match self.hashes.get(index) {
            Some(recorded) => assert_eq!(world.trace_hash(), *recorded, "a replay came out otherwise than the run"),
            None => self.hashes.push(world.trace_hash()),
        }
    }
}
