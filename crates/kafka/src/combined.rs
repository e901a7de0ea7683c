//! A server with both roles, `process.roles=broker,controller` (`kafka.server.KafkaRaftServer` over one `SharedServer`):
//! a controller and a broker in one process, under one `node.id`, with one copy of the metadata log.
//!
//! The broker starts once the controller is up: without a quorum it does not even begin to register, and so never gives
//! up. (Kafka waits for metadata and then takes its time; here the broker starts as soon as the controller has
//! registered, so that registrations come in Kafka's order.)
//!
//! Each input goes to the part that it concerns: messages by the listener they came to, answers and timers by who asked
//! for them. The broker reads the controller's log instead of fetching it. All else between them goes over the network,
//! as in Kafka: the broker registers with the active controller, even if that is the one beside it.

use crate::Rng;
use crate::broker::Broker;
use crate::controller::{Controller, FIRST_TIMER_KIND};
use crate::instant::Instant;
use crate::node::{ConnectionId, Effects, ExitStatus, Identity, Input, Instruction, Listener, Message, Node, NodeId};
use crate::raft::FIRST_CONNECTION;
use crate::spec::ServerSpec;
use crate::storage::Disk;
use crate::view::NodeView;
use rand::SeedableRng;

/// Exit status of a Java process that SIGTERM has ended: only behind it does the controller end in order.
const EXIT_ON_SIGTERM: ExitStatus = ExitStatus(143);

/// A broker and a controller in one process.
#[derive(Clone, Debug)]
pub struct CombinedServer {
    node: NodeId,
    controller: Controller,
    broker: Broker,
    phase: Phase,
    /// What the broker will start with.
    disk: Option<Disk>,
}

/// Who is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The broker waits for the controller to be up.
    BrokerWaits,
    /// Both.
    Both,
    /// The broker has ended in order, the controller is about to.
    ControllerOnly,
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Broker,
    Controller,
}

/// Whom an input is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Concerned {
    One(Part),
    Both,
}

impl CombinedServer {
    /// A process that has not started yet: its first input is `Input::Started`.
    #[must_use]
    pub fn new(spec: ServerSpec, identity: Identity, mut rng: Rng) -> CombinedServer {
        let of_controller = Rng::from_rng(&mut rng);
        CombinedServer {
            node: identity.node,
            controller: Controller::new(spec.clone(), identity.clone(), of_controller),
            broker: Broker::new(spec, identity, rng),
            phase: Phase::BrokerWaits,
            disk: None,
        }
    }

    /// The broker, from its start to its end.
    #[must_use]
    pub fn broker(&self) -> Option<&Broker> {
        (self.phase == Phase::Both).then_some(&self.broker)
    }

    /// The controller.
    #[must_use]
    pub fn controller(&self) -> &Controller {
        &self.controller
    }

    /// What an onlooker may see.
    #[must_use]
    pub fn view(&self) -> NodeView {
        NodeView::Combined(self.broker.view(), self.controller.view())
    }

    /// Who is concerned. That a connection has gone concerns whoever opened it and whoever accepted it, which may be both
    /// parts; that the clock was set, both.
    fn concerned(&self, input: &Input) -> Concerned {
        let is_of_controller = match input {
            Input::Started { .. } => true,
            Input::Disconnected { .. } | Input::ClockSet(_) => return Concerned::Both,
            Input::Connected { connection } => self.is_of_controller(*connection),
            Input::Received { message: Message::Request { .. }, listener, .. } => *listener == Listener::Controller,
            Input::Received { message: Message::Response { .. }, connection, .. } => self.is_of_controller(*connection),
            Input::TimerFired { timer } => timer.kind >= FIRST_TIMER_KIND,
            Input::Told(_) => self.phase != Phase::Both,
        };
        Concerned::One(if is_of_controller { Part::Controller } else { Part::Broker })
    }

    fn is_of_controller(&self, connection: ConnectionId) -> bool {
        connection.opener == self.node && connection.number >= FIRST_CONNECTION
    }

    /// Whether the process goes on behind it.
    fn step_of(&mut self, part: Part, now: Instant, input: Input, effects: &mut Effects) -> bool {
        match part {
            Part::Controller => self.controller.step(now, input, effects),
            Part::Broker if self.phase == Phase::ControllerOnly => return true,
            Part::Broker => self.broker.step(now, input, effects),
        }
        if part == Part::Broker { self.end_behind_broker(now, effects) } else { !effects.is_exit_decided() }
    }

    /// The broker sees what has become of the quorum, or starts.
    fn share(&mut self, now: Instant, effects: &mut Effects) {
        if self.phase == Phase::BrokerWaits && self.controller.is_registered() {
            self.phase = Phase::Both;
            let disk = self.disk.take().expect("a process starts once, with a disk");
            self.step_of(Part::Broker, now, Input::Started { disk }, effects);
        }
        if let (Phase::Both, Some(raft)) = (self.phase, self.controller.raft()) {
            self.broker.follow(raft, now, effects);
            self.end_behind_broker(now, effects);
        }
    }

    /// Once the broker has ended in order, so does the controller; a broker that fails takes the process with it.
    fn end_behind_broker(&mut self, now: Instant, effects: &mut Effects) -> bool {
        let Some(status) = effects.take_exit() else { return true };
        if status != EXIT_ON_SIGTERM {
            effects.exit(status);
            return false;
        }
        self.phase = Phase::ControllerOnly;
        self.broker.close_connections(effects);
        self.controller.step(now, Input::Told(Instruction::ShutDown), effects);
        !effects.is_exit_decided()
    }
}

impl Node for CombinedServer {
    fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        if let Input::Started { disk } = &input {
            self.disk = Some(disk.clone());
        }
        let goes_on = match self.concerned(&input) {
            Concerned::One(part) => self.step_of(part, now, input, effects),
            Concerned::Both => {
                self.step_of(Part::Controller, now, input.clone(), effects)
                    && self.step_of(Part::Broker, now, input, effects)
            }
        };
        if goes_on {
            self.share(now, effects);
        }
    }
}
