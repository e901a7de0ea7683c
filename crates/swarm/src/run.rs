//! A run: first faults strike while checkers watch, then everything is started, and must become well.

use crate::consumers::what_was_read_out_of_order;
use crate::coverage::Coverage;
use crate::draw::Draw;
use crate::health::{superseded_brokers, what_is_unhealthy};
use crate::plan::{Plan, Step};
use crate::world_plan::Historical;
use kafka::fault::{DiskCondition, LinkChange, Links};
use kafka::instant::{Duration, Instant};
use kafka::node::NodeId;
use sim::{Budget, Command, Session, Violation};

/// Steps between two looks of the checkers at everything.
const STEPS_BETWEEN_LOOKS: u64 = 50;
const BEGINNING: Duration = Duration(3_000_000);
const HEALING: Duration = Duration(180_000_000);
const QUIET: Duration = Duration(3_000_000);

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A checker found something.
    Violated(Box<Violation>),
    /// Not everything became well in time.
    NotHealed(String),
    /// A consumer left something out or read it twice.
    ReadOutOfOrder(String),
    /// An assertion of ours failed.
    Panicked(String),
}

impl Failure {
    /// What two failures have in common that are the same bug: the checker, or the kind.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Failure::Violated(violation) => violation.checker.name(),
            Failure::NotHealed(_) => "not-healed",
            Failure::ReadOutOfOrder(_) => "read-out-of-order",
            Failure::Panicked(_) => "panicked",
        }
    }
}

/// A run under way.
#[derive(Debug)]
pub struct Run {
    /// What has happened so far.
    pub plan: Plan,
    /// The world.
    pub session: Session,
    /// What it was about.
    pub coverage: Coverage,
}

impl Run {
    /// The world of a plan, at instant 0.
    #[must_use]
    pub fn new(mut plan: Plan) -> Run {
        plan.steps.clear();
        let session = Session::with_looks_every(STEPS_BETWEEN_LOOKS, plan.world.spec(), plan.seed);
        Run { plan, session, coverage: Coverage::default() }
    }

    /// Draws what happens from the seed while it happens.
    ///
    /// # Errors
    /// The first thing that goes wrong.
    pub fn draw(&mut self, draw: &mut Draw) -> Result<(), Failure> {
        self.sleep(BEGINNING)?;
        for action in draw.beginning(&self.plan.world) {
            self.happen(Step { at: self.session.now(), action })?;
            self.sleep(Duration(200_000))?;
        }
        loop {
            let pause = draw.pause();
            self.sleep(pause)?;
            let frame = self.session.frame();
            let Some(action) = draw.fault(&self.plan.world, &frame) else { break };
            self.happen(Step { at: self.session.now(), action })?;
        }
        self.heal()
    }

    /// Lets happen what a plan says; what is not possible any more is left out.
    ///
    /// # Errors
    /// The first thing that goes wrong.
    pub fn follow(&mut self, plan: &Plan) -> Result<(), Failure> {
        for step in &plan.steps {
            self.run_to(step.at)?;
            self.happen(step.clone())?;
        }
        self.sleep(QUIET)?;
        self.heal()
    }

    fn happen(&mut self, step: Step) -> Result<(), Failure> {
        let world = &self.plan.world;
        if self.session.apply(step.action.command(world)).is_ok() {
            self.coverage.count_action(step.action.kind(world));
            self.plan.steps.push(step);
        }
        self.judge()
    }

    fn sleep(&mut self, span: Duration) -> Result<(), Failure> {
        self.run_to(self.session.now() + span)
    }

    fn run_to(&mut self, until: Instant) -> Result<(), Failure> {
        self.session.run(Budget { until, steps: u64::MAX });
        self.judge()
    }

    fn judge(&self) -> Result<(), Failure> {
        match self.session.violations().next() {
            Some(violation) => Err(Failure::Violated(Box::new(violation.clone()))),
            None => Ok(()),
        }
    }

    /// Everything is started, and soon all is well.
    fn heal(&mut self) -> Result<(), Failure> {
        let deadline = self.session.now() + HEALING;
        self.put_right();
        loop {
            self.start_all();
            self.sleep(Duration(500_000))?;
            let frame = self.session.frame();
            let Some(wrong) = what_is_unhealthy(&frame) else { break };
            for broker in superseded_brokers(&frame) {
                self.session.apply(Command::Kill(broker)).ok();
            }
            if self.session.now() >= deadline {
                return Err(Failure::NotHealed(wrong));
            }
        }
        self.sleep(QUIET)?;
        self.coverage.count_run(&self.session);
        what_was_read_out_of_order(&self.session).map_or(Ok(()), |wrong| Err(Failure::ReadOutOfOrder(wrong)))
    }
}

impl Run {
    /// What is right already refuses to be put right, and that is fine.
    fn put_right(&mut self) {
        self.session.apply(Command::ChangeLinks { links: Links::All, change: LinkChange::Heal }).ok();
        for node in self.plan.world.server_ids().map(NodeId::Server) {
            self.session.apply(Command::SetDisk { node, condition: DiskCondition::Sound }).ok();
            self.session.apply(Command::SetClock { node, offset_ms: 0 }).ok();
            self.session.apply(Command::Thaw(node)).ok();
        }
    }

    /// A server that runs refuses to start, and that is fine.
    fn start_all(&mut self) {
        for node in self.plan.world.server_ids().map(NodeId::Server) {
            self.session.apply(Command::Start(node)).ok();
        }
    }
}

/// Draws a seed's run and takes it to its end.
pub fn draw(seed: u64, historical: Option<Historical>) -> (Run, Result<(), Failure>) {
    let mut draw = Draw::new(seed);
    let mut run = Run::new(draw.plan(seed, historical));
    let outcome = caught(&mut run, |run| run.draw(&mut draw));
    (run, outcome)
}

/// Runs a plan to its end.
pub fn follow(plan: &Plan) -> (Run, Result<(), Failure>) {
    let mut run = Run::new(plan.clone());
    let outcome = caught(&mut run, |run| run.follow(plan));
    (run, outcome)
}

/// An assertion of ours that fails is a finding like any other.
fn caught(run: &mut Run, act: impl FnOnce(&mut Run) -> Result<(), Failure>) -> Result<(), Failure> {
    let attempt = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(run)));
    attempt.unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Failure::Panicked(text.unwrap_or_default()))
    })
}
