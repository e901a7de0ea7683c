//! The controller that every broker process of a ZooKeeper cluster hosts: the process passes on what happens to it and
//! carries out what it wants. What it decides is in `zk_controller`.

use super::super::{Broker, Step};
use super::Ask;
use super::session::Process;
use crate::zk_client::HostTimer;
use crate::zk_controller::{ControllerOutput, ZooKeeperController};

impl Broker {
    /// Whether this broker is the controller, as far as it knows.
    pub(super) fn is_active_controller(&self) -> bool {
        self.membership.zookeeper().controller.is_active()
    }

    /// Passes something on to the controller, and carries out what it wants then.
    pub(super) fn at_controller(
        &mut self,
        step: &mut Step<'_>,
        happen: impl FnOnce(&mut ZooKeeperController, &mut Process<'_, '_>),
    ) {
        let mut process = Process::new(self.setup.wall_clock, &mut self.outbound, step);
        let controller = &mut self.membership.zookeeper_mut().controller;
        happen(controller, &mut process);
        for output in controller.drain_outputs() {
            self.carry_out_for_controller(output, step);
        }
    }

    fn carry_out_for_controller(&mut self, output: ControllerOutput, step: &mut Step<'_>) {
        match output {
            ControllerOutput::Ask { tag, call } => self.call_zookeeper(Ask::Controller(tag), call, step),
            ControllerOutput::Respond { id, response } => self.server.respond(id, response, step.effects),
            ControllerOutput::Elected { id, outcome } => self.on_leaders_elected(id, outcome, step),
            ControllerOutput::BeginSession => self.begin_session(step),
        }
    }

    /// A timer of the controller fired.
    pub(in super::super) fn on_controller_timer(&mut self, timer: HostTimer, step: &mut Step<'_>) {
        self.at_controller(step, |controller, process| controller.on_timer(timer, process));
    }
}
