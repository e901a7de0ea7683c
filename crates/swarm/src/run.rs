//! A run: first faults strike while checkers watch, then everything is started, and must become well.

use crate::action::Action;
use crate::consumers::{Past, what_is_unread, what_was_read_out_of_order};
use crate::coverage::Coverage;
use crate::draw::Draw;
use crate::health::{
    Excuses, brokers_that_remember, brokers_with_replicas, cluster_image, controllers_that_missed, is_orphaned,
    superseded_brokers, waiting_leaders, what_is_unhealthy,
};
use crate::historical::Historical;
use crate::plan::{Plan, Step};
use crate::producers::{what_did_not_end_once, what_is_unanswered};
use crate::world_plan::is_broker;
use kafka::fault::{DiskCondition, LinkChange, Links};
use kafka::instant::{Duration, Instant};
use kafka::node::NodeId;
use kafka::view::{BrokerState, NodeView};
use sim::frame::NodeFrame;
use sim::{Budget, Command, Frame, Session, Violation};
use std::collections::{BTreeMap, BTreeSet};
use wire::{BrokerId, TopicName};

/// Steps between two looks of the checkers at everything.
const STEPS_BETWEEN_LOOKS: u64 = 50;
const BEGINNING: Duration = Duration(3_000_000);
const HEALING: Duration = Duration(180_000_000);
/// While all heals, a round takes half a second.
const ROUNDS_BETWEEN_ELECTIONS: u64 = 20;
/// So long nobody restarts what does not heal by itself.
const ROUNDS_BETWEEN_RESTARTS: u64 = 80;
/// So long producers may wait once all is well: twice for an answer that does not come, `request.timeout.ms`, and some.
const ANSWERING: Duration = Duration(70_000_000);
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
    /// A record that a producer sent was forgotten, or ended twice.
    NotEndedOnce(String),
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
            Failure::NotEndedOnce(_) => "not-ended-once",
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
    /// What has happened, as of the last look while all heals.
    past: Past,
}

impl Run {
    /// The world of a plan, at instant 0.
    #[must_use]
    pub fn new(mut plan: Plan) -> Run {
        plan.steps.clear();
        let session = Session::with_looks_every(STEPS_BETWEEN_LOOKS, plan.world.spec(), plan.seed);
        Run { plan, session, coverage: Coverage::default(), past: Past::default() }
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
        while let Some(pause) = draw.pause(&self.plan.world) {
            self.sleep(pause)?;
            let frame = self.session.frame();
            if let Some(action) = draw.fault(&self.plan.world, &frame) {
                self.happen(Step { at: self.session.now(), action })?;
            }
        }
        self.sleep(QUIET)?;
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
            self.coverage.count_action(step.action.kind());
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

    /// Everything is started, and soon all is well and read.
    fn heal(&mut self) -> Result<(), Failure> {
        let deadline = self.session.now() + HEALING;
        self.put_right();
        self.wait_until(deadline, |run, frame| what_is_unhealthy(frame, &run.excuses()))?;
        let (past, well_since) = (self.past.clone(), self.session.now());
        self.wait_until(deadline, |_, frame| what_is_unread(frame, &past))?;
        let topics = self.produced_topics();
        self.wait_until(self.session.now() + ANSWERING, |run, frame| {
            what_is_unanswered(frame, &topics, &run.past, well_since)
        })?;
        self.sleep(QUIET)?;
        self.coverage.count_run(&self.session);
        let frame = self.session.frame();
        if let Some(wrong) = what_did_not_end_once(&self.session, &frame) {
            return Err(Failure::NotEndedOnce(wrong));
        }
        what_was_read_out_of_order(&self.session).map_or(Ok(()), |wrong| Err(Failure::ReadOutOfOrder(wrong)))
    }

    /// Where producers send to, by their client ids.
    fn produced_topics(&self) -> BTreeMap<String, TopicName> {
        let topics = self.plan.steps.iter().filter_map(|Step { action, .. }| {
            let Action::Produce { topic, .. } = action else { return None };
            Some((action.client_id(), TopicName::new(topic)))
        });
        topics.collect()
    }

    fn wait_until(&mut self, deadline: Instant, wrong: impl Fn(&Run, &Frame) -> Option<String>) -> Result<(), Failure> {
        for round in 1_u64.. {
            self.start_all();
            if round.is_multiple_of(ROUNDS_BETWEEN_ELECTIONS) {
                self.elect_where_nobody_is_eligible();
            }
            self.sleep(Duration(500_000))?;
            let frame = self.session.frame();
            self.past.catch_up(&self.session);
            let Some(wrong) = wrong(self, &frame) else { return Ok(()) };
            for broker in superseded_brokers(&frame) {
                self.session.apply(Command::Kill(broker)).ok();
            }
            if self.session.now() >= deadline {
                return Err(Failure::NotHealed(wrong));
            }
            if round.is_multiple_of(ROUNDS_BETWEEN_RESTARTS) {
                self.restart(&frame);
            }
        }
        Ok(())
    }

    /// What operators do when nothing else helps (see `health`): who does not end is killed, and of a ZooKeeper cluster who
    /// leads and waits in vain, remembers what was deleted behind its back, or is the controller and does not know of a
    /// partition that it has made.
    fn restart(&mut self, frame: &Frame) {
        let ends = |node: &&NodeFrame| {
            let view = node.process.as_ref().and_then(NodeView::broker);
            view.is_some_and(|view| view.state == BrokerState::PendingControlledShutdown)
        };
        let mut brokers: BTreeSet<NodeId> = frame.nodes.iter().filter(ends).map(|node| node.id).collect();
        if self.plan.world.has_zookeeper() && self.plan.world.historical.is_none() {
            brokers.extend(waiting_leaders(frame));
            brokers.extend(controllers_that_missed(frame));
            let lost_sessions = &self.past.lost_sessions;
            brokers.extend(brokers_that_remember(frame).into_iter().filter(|broker| lost_sessions.contains(broker)));
        }
        for broker in brokers {
            self.coverage.count_restart();
            self.session.apply(Command::Kill(broker)).ok();
        }
    }

    /// What has happened until now counts: retention and commands go on while all heals.
    fn excuses(&self) -> Excuses {
        let has_zookeeper = self.plan.world.has_zookeeper();
        let moved = self.plan.steps.iter().filter_map(|step| {
            let Action::Reassign { topic, .. } = &step.action else { return None };
            has_zookeeper.then(|| TopicName::new(topic))
        });
        let made_smaller = self.plan.steps.iter().filter_map(|step| {
            let Action::Configure { topic, key, .. } = &step.action else { return None };
            (key == "segment.bytes").then(|| TopicName::new(topic))
        });
        Excuses {
            left_behind: moved.collect(),
            topics_may_fail: made_smaller.collect(),
            all_may_fail: has_zookeeper && self.past.has_lost_power,
            may_fail: self.past.thinned.clone(),
        }
    }

    /// A partition may be left to its operator: in a ZooKeeper cluster, or with eligible leader replicas as of Kafka 3.9 once
    /// who led last is forgotten.
    fn elect_where_nobody_is_eligible(&mut self) {
        let Some(image) = cluster_image(&self.session.frame()) else { return };
        if image.partitions().any(|(_, state)| is_orphaned(state)) {
            let election = Action::Elect { is_unclean: true };
            self.session.apply(election.command(&self.plan.world)).ok();
        }
    }
}

impl Run {
    fn servers(&mut self) -> Vec<NodeId> {
        let frame = self.session.frame();
        frame.nodes.iter().filter(|node| node.endpoint.is_some()).map(|node| node.id).collect()
    }

    /// What is right already refuses to be put right, and that is fine.
    fn put_right(&mut self) {
        self.session.apply(Command::ChangeLinks { links: Links::All, change: LinkChange::Heal }).ok();
        for node in self.servers() {
            self.session.apply(Command::SetDisk { node, condition: DiskCondition::Sound }).ok();
            self.session.apply(Command::SetClock { node, offset_ms: 0 }).ok();
            self.session.apply(Command::Thaw(node)).ok();
        }
    }

    /// A server that runs refuses to start, and that is fine. A broker that was taken away comes back, empty, if replicas
    /// were placed on it meanwhile.
    fn start_all(&mut self) {
        for node in self.servers() {
            self.session.apply(Command::Start(node)).ok();
        }
        let used = brokers_with_replicas(&self.session.frame());
        for BrokerId(id) in used.into_iter().filter(|id| is_broker(id.0)) {
            self.session.apply(Command::AddServer(Box::new(self.plan.world.broker(id)))).ok();
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
