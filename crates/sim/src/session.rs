//! A run that can be moved through: forward by simulating, anywhere by checkpoints and re-stepping, and into a new
//! history by acting in the past.

use crate::command::{Command, CommandError};
use crate::frame::{Branch, BranchId, Frame};
use crate::trace::{Event, EventId, TraceHash};
use crate::world_spec::WorldSpec;
use kafka::instant::Instant;
use kafka::node::NodeId;
use std::rc::Rc;

/// A run.
#[derive(Debug)]
pub struct Session {}

/// How far `run` may go; it stops at whichever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// No further than this instant.
    pub until: Instant,
    /// No more than so many steps.
    pub steps: u64,
}

/// Where `run` stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// `now` is the instant asked for; what was due by then has happened.
    AtInstant,
    /// The steps are used up; `now` is the instant of the last one.
    OutOfSteps,
}

impl Session {
    /// A world at instant 0, before anything has happened.
    #[must_use]
    pub fn new(_spec: WorldSpec, _seed: u64) -> Session {
        todo!()
    }

    /// Does something now. If a later part of this history is already known, the run forks first: the history so
    /// far is shared, what lay ahead stays in the old branch. Returns the node that the command was about, which for
    /// `StartClient` is the new one.
    ///
    /// # Errors
    /// If the command does not fit the world as it is now; nothing has changed then.
    pub fn apply(&mut self, _command: Command) -> Result<NodeId, CommandError> {
        todo!()
    }

    /// Moves on: re-steps what is known, simulates what is not. Time passes even when nothing happens.
    pub fn run(&mut self, _budget: Budget) -> Stopped {
        todo!()
    }

    /// Takes the next step, at its own instant. False if nothing will ever happen.
    pub fn step(&mut self) -> bool {
        todo!()
    }

    /// Goes back to just before the last step, at the instant of the one before it. False at the beginning.
    pub fn step_back(&mut self) -> bool {
        todo!()
    }

    /// Goes to an instant of this history, known or not yet: everything due by then has happened.
    pub fn seek(&mut self, _instant: Instant) {
        todo!()
    }

    /// Goes to just behind a step of this history, at that step's instant. Beyond the known it goes to the end.
    pub fn seek_step(&mut self, _step: u64) {
        todo!()
    }

    /// Goes to another history, at the same instant as now, or at its end if that comes sooner.
    /// False if there is no such history.
    pub fn switch_branch(&mut self, _branch: BranchId) -> bool {
        todo!()
    }

    /// All histories, in the order in which they came about.
    #[must_use]
    pub fn branches(&self) -> Vec<Branch> {
        todo!()
    }

    /// The history in which we are.
    #[must_use]
    pub fn branch(&self) -> BranchId {
        todo!()
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Instant {
        todo!()
    }

    /// How many steps have been taken up to now.
    #[must_use]
    pub fn steps(&self) -> u64 {
        todo!()
    }

    /// When the next step is due; `None` if nothing will ever happen.
    #[must_use]
    pub fn next_step_at(&self) -> Option<Instant> {
        todo!()
    }

    /// The instant up to which this history is known, now or later.
    #[must_use]
    pub fn known_until(&self) -> Instant {
        todo!()
    }

    /// The world now. The same `Rc` comes back while nothing changes.
    pub fn frame(&mut self) -> Rc<Frame> {
        todo!()
    }

    /// The known events of this history from `since` on, in order, those ahead of now included.
    pub fn events(&self, _since: EventId) -> impl Iterator<Item = &Event> {
        std::iter::empty()
    }

    /// The number that the next event will get: events below it have happened by now.
    #[must_use]
    pub fn next_event(&self) -> EventId {
        todo!()
    }

    /// The digest of all that has happened by now.
    #[must_use]
    pub fn trace_hash(&self) -> TraceHash {
        todo!()
    }
}
