//! A run that can be moved through: forward by simulating, anywhere by checkpoints and re-stepping, and into a new
//! history by acting in the past.

use crate::checkers::violation::{Checker, Violation};
use crate::command::{Command, CommandError};
use crate::frame::{Branch, BranchId, Frame};
use crate::frame_builder;
use crate::history::History;
use crate::ledger::Ledger;
use crate::server_disk::ServerDisk;
use crate::trace::{Event, EventId, TraceHash};
use crate::world::World;
use crate::world_spec::WorldSpec;
use kafka::instant::Instant;
use kafka::node::NodeId;
use std::rc::Rc;
use wire::ErrorCode;

/// A run.
#[derive(Debug)]
pub struct Session {
    world: World,
    /// Not before the world's last step, and not behind its next.
    now: Instant,
    branch: BranchId,
    /// By the number of the branch; never empty.
    histories: Vec<History>,
    /// The frame made last; none after a jump, when nothing of it can be taken over.
    last_frame: Option<Rc<Frame>>,
}

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
    pub fn new(spec: WorldSpec, seed: u64) -> Session {
        Session::of_world(World::new(spec, seed))
    }

    /// The same, with checkers that look at everything every so many steps, and not only at what events point at, and with
    /// answers counted by their codes.
    #[must_use]
    pub fn with_looks_every(steps: u64, spec: WorldSpec, seed: u64) -> Session {
        let mut world = World::new(spec, seed);
        world.look_every(steps);
        Session::of_world(world)
    }

    fn of_world(world: World) -> Session {
        let histories = vec![History::new(world.clone())];
        Session { world, now: Instant::ZERO, branch: BranchId(0), histories, last_frame: None }
    }

    /// Does something now. If a later part of this history is already known, the run forks first: the history so
    /// far is shared, what lay ahead stays in the old branch. Returns the node that the command was about, which for
    /// `StartClient` is the new one.
    ///
    /// # Errors
    /// If the command does not fit the world as it is now; nothing has changed then.
    pub fn apply(&mut self, command: Command) -> Result<NodeId, CommandError> {
        let now = self.now;
        self.world.check(&command)?;
        if self.is_future_known() {
            self.fork();
        }
        let node = self.world.command(now, &command);
        let step = self.world.steps();
        self.history_mut().record_command(step, now, command);
        self.record_step();
        Ok(node)
    }

    /// Begins a new history here, which shares all that has happened by now, and goes on in it. [`Session::apply`]
    /// does so by itself where a later part is known.
    pub fn fork(&mut self) -> BranchId {
        let id = BranchId(u32::try_from(self.histories.len()).expect("a user forks fewer than 2^32 times"));
        let fork = self.history().fork(id, &self.world, self.now);
        self.histories.push(fork);
        self.branch = id;
        id
    }

    /// Moves on: re-steps what is known, simulates what is not. Time passes even when nothing happens.
    pub fn run(&mut self, budget: Budget) -> Stopped {
        let mut steps_left = budget.steps;
        while self.next_step_at().is_some_and(|next| next <= budget.until) {
            if steps_left == 0 {
                return Stopped::OutOfSteps;
            }
            steps_left -= 1;
            self.step();
        }
        self.pass_time(budget.until);
        Stopped::AtInstant
    }

    /// Takes the next step, at its own instant. False if nothing will ever happen.
    pub fn step(&mut self) -> bool {
        let step = self.world.steps() + 1;
        if let Some((at, command)) = self.history().command_at(step).cloned() {
            self.world.check(&command).expect("a command fits the world in a replay as it did when it was given");
            self.world.command(at, &command);
        } else if !self.world.step() {
            return false;
        }
        self.record_step();
        true
    }

    /// Goes back to just before the last step, at the instant of the one before it. False at the beginning.
    pub fn step_back(&mut self) -> bool {
        let steps = self.world.steps();
        if steps > 0 {
            self.seek_step(steps - 1);
        }
        steps > 0
    }

    /// Goes to an instant of this history, known or not yet: everything due by then has happened.
    pub fn seek(&mut self, instant: Instant) {
        let nearest = self.history().checkpoints().before_instant(instant);
        if self.world.now() > instant || nearest.steps() > self.world.steps() {
            self.jump(nearest.clone());
        }
        self.now = self.now.min(instant);
        self.run(Budget { until: instant, steps: u64::MAX });
    }

    /// Goes to just behind a step of this history, at that step's instant. Beyond the known it goes to the end.
    pub fn seek_step(&mut self, step: u64) {
        let known_steps = self.history().known_steps();
        let target = step.min(known_steps);
        let nearest = self.history().checkpoints().before_step(target);
        if self.world.steps() > target || nearest.steps() > self.world.steps() {
            self.jump(nearest.clone());
        }
        while self.world.steps() < target {
            self.step();
        }
        self.now = if step > known_steps { self.known_until() } else { self.world.now() };
    }

    /// Goes to another history, at the same instant as now, or at its end if that comes sooner.
    /// False if there is no such history.
    pub fn switch_branch(&mut self, branch: BranchId) -> bool {
        let Some(history) = self.histories.get(branch.0 as usize) else { return false };
        let instant = self.now.min(history.branch().known_until);
        if branch != self.branch {
            let world = history.checkpoints().before_instant(instant).clone();
            self.branch = branch;
            self.jump(world);
            self.seek(instant);
        }
        true
    }

    /// All histories, in the order in which they came about.
    #[must_use]
    pub fn branches(&self) -> Vec<Branch> {
        self.histories.iter().map(History::branch).collect()
    }

    /// The history in which we are.
    #[must_use]
    pub fn branch(&self) -> BranchId {
        self.branch
    }

    /// What the world was made from.
    #[must_use]
    pub fn spec(&self) -> &WorldSpec {
        self.world.spec()
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How many steps have been taken up to now.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.world.steps()
    }

    /// When the next step is due; `None` if nothing will ever happen.
    #[must_use]
    pub fn next_step_at(&self) -> Option<Instant> {
        match self.history().command_at(self.world.steps() + 1) {
            Some((at, _)) => Some(*at),
            None => self.world.next_at(),
        }
    }

    /// The instant up to which this history is known, now or later.
    #[must_use]
    pub fn known_until(&self) -> Instant {
        self.history().branch().known_until
    }

    /// The world now. The same `Rc` comes back while nothing changes.
    pub fn frame(&mut self) -> Rc<Frame> {
        let frame = match self.last_frame.take() {
            Some(frame) if frame.step == self.world.steps() => self.at_this_instant(frame),
            earlier => Rc::new(self.new_frame(earlier)),
        };
        self.last_frame = Some(frame.clone());
        frame
    }

    /// The servers' disks as they are now, in order of their nodes.
    pub fn disks(&self) -> impl Iterator<Item = ServerDisk<'_>> {
        self.world.hosts().values().filter_map(ServerDisk::of)
    }

    /// The known events of this history from `since` on, in order, those ahead of now included.
    /// They are unpacked on the way.
    pub fn events(&self, since: EventId) -> impl Iterator<Item = Event> + '_ {
        self.history().events().iter_from(since.0 as usize)
    }

    /// The number that the next event will get: events below it have happened by now.
    #[must_use]
    pub fn next_event(&self) -> EventId {
        self.world.next_event()
    }

    /// What must hold and did not, by now, in the order in which it was noticed.
    pub fn violations(&self) -> impl Iterator<Item = &Violation> {
        self.world.checkers().violations().iter()
    }

    /// The codes of the answers that have arrived; none unless [`Session::with_looks_every`] was asked for.
    pub fn answers(&self) -> impl Iterator<Item = (ErrorCode, u64)> {
        self.world.checkers().answers()
    }

    /// What producers were promised by now, and what of it is lost.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        self.world.checkers().ledger()
    }

    /// How often a checker has had something to check by now.
    #[must_use]
    pub fn times_checked(&self, checker: Checker) -> u64 {
        self.world.checkers().times_checked(checker)
    }

    /// The digest of all that has happened by now.
    #[must_use]
    pub fn trace_hash(&self) -> TraceHash {
        self.world.trace_hash()
    }

    /// The world as it would be kept to come back to.
    pub(crate) fn checkpoint(&self) -> World {
        self.world.clone()
    }

    fn history(&self) -> &History {
        &self.histories[self.branch.0 as usize]
    }

    fn history_mut(&mut self) -> &mut History {
        &mut self.histories[self.branch.0 as usize]
    }

    fn is_future_known(&self) -> bool {
        self.world.steps() < self.history().known_steps() || self.now < self.known_until()
    }

    fn record_step(&mut self) {
        self.now = self.world.now();
        self.histories[self.branch.0 as usize].record_step(&mut self.world);
    }

    fn pass_time(&mut self, until: Instant) {
        self.now = self.now.max(until);
        let now = self.now;
        self.history_mut().record_time(now);
    }

    fn jump(&mut self, world: World) {
        self.now = world.now();
        self.world = world;
        self.last_frame = None;
    }

    /// A frame of the same step: only time and what is known can differ.
    fn at_this_instant(&self, mut frame: Rc<Frame>) -> Rc<Frame> {
        let present = (self.now, self.branch, self.known_until());
        if (frame.now, frame.branch, frame.known_until) != present {
            let frame = Rc::make_mut(&mut frame);
            (frame.now, frame.branch, frame.known_until) = present;
        }
        frame
    }

    fn new_frame(&self, earlier: Option<Rc<Frame>>) -> Frame {
        Frame {
            now: self.now,
            step: self.world.steps(),
            hash: self.world.trace_hash(),
            nodes: frame_builder::nodes(&self.world, earlier),
            messages: frame_builder::messages(&self.world),
            links: self.world.faulty_links(),
            branch: self.branch,
            known_until: self.known_until(),
        }
    }
}
