//! The world at one instant, and how it moves: one step pops one entry of the queue, gives one input to one node and
//! carries out what the node does.
//!
//! A clone is a checkpoint: everything large is behind `Arc` and copied by whoever changes it next. The world knows no
//! past and no commands but the one at hand; see `session`.

mod faults;
mod host;

use crate::checkers::{Checkers, Looks};
use crate::command::{Command, CommandError};
use crate::digest;
use crate::machine::Machine;
use crate::network::{Arrival, Departure, Flight, Held, Network};
use crate::queue::{Due, Happening, Queue};
use crate::random;
use crate::trace::{Event, EventId, TraceHash, TraceHasher};
use crate::world_spec::WorldSpec;
pub(crate) use host::Host;
use host::Readiness;
use kafka::event::{BrokerEvent, EventKind, OperatorEvent};
use kafka::instant::Instant;
use kafka::node::{ConnectionId, Effect, Effects, ExitStatus, Identity, Input, Instruction, NodeId};
use kafka::spec::ClientSpec;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::Endpoint;

/// More steps than this at one instant mean that nodes wake each other in a circle.
const STEPS_AT_ONE_INSTANT: u64 = 1_000_000;

/// The world at one instant.
#[derive(Clone, Debug)]
pub(crate) struct World {
    spec: Arc<WorldSpec>,
    seed: u64,
    now: Instant,
    now_since_step: u64,
    steps: u64,
    hasher: TraceHasher,
    next_event: EventId,
    next_client: u32,
    clients_of_the_spec: ClientsOfTheSpec,
    hosts: Arc<BTreeMap<NodeId, Host>>,
    /// How many processes ran on servers that were taken away: connections are named by the number of the run.
    runs_of_removed: Arc<BTreeMap<NodeId, u32>>,
    queue: Arc<Queue>,
    network: Arc<Network>,
    checkers: Checkers,
    /// Filled within a step, taken by whoever asked for the step.
    noted: Vec<Event>,
    /// Empty between steps.
    effects: Effects,
}

/// Which client programs of the spec have started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientsOfTheSpec {
    /// None: some broker has never been ready.
    WaitForBrokers,
    /// All, or they are in the queue.
    Start,
    /// Those before `next`: like a script, it goes on when the tool called last has ended.
    WaitForTool { tool: NodeId, next: u32 },
}

/// Whether a process is still there after something it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    GoesOn,
    Ended,
}

impl World {
    /// The world at instant 0, before anything has happened.
    pub(crate) fn new(spec: WorldSpec, seed: u64) -> World {
        let addresses = spec
            .servers
            .iter()
            .flat_map(|server| server.listeners().map(|(listener, endpoint)| (endpoint, (server.node(), listener))));
        let mut world = World {
            seed,
            now: Instant::ZERO,
            now_since_step: 0,
            steps: 0,
            hasher: TraceHasher::default(),
            next_event: EventId(0),
            next_client: 1,
            clients_of_the_spec: ClientsOfTheSpec::WaitForBrokers,
            hosts: Arc::new(spec.servers.iter().map(Host::of_server).collect()),
            runs_of_removed: Arc::default(),
            queue: Arc::default(),
            network: Arc::new(Network::new(spec.network, seed, addresses)),
            checkers: Checkers::new(Looks::InProportion),
            noted: Vec::new(),
            effects: Effects::new(),
            spec: Arc::new(spec),
        };
        world.expect_servers();
        world
    }

    fn expect_servers(&mut self) {
        for server in &self.spec.clone().servers {
            let happening = Happening::ServerStarts(server.node());
            self.queue().push(Instant::ZERO, Due { cause: None, happening });
        }
        self.expect_clients_once_brokers_are_ready(None);
    }

    /// What it was made from.
    pub(crate) fn spec(&self) -> &WorldSpec {
        &self.spec
    }

    /// The instant of the last step.
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// How many steps have been taken.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// The digest of those steps and their events.
    pub(crate) fn trace_hash(&self) -> TraceHash {
        self.hasher.digest()
    }

    /// The number that the next event will get.
    pub(crate) fn next_event(&self) -> EventId {
        self.next_event
    }

    /// When the next step is due, if nobody commands anything before.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.queue.next_at()
    }

    /// The nodes: servers first, then the client programs that run, each in order of its id.
    pub(crate) fn hosts(&self) -> &BTreeMap<NodeId, Host> {
        &self.hosts
    }

    /// What is under way, in the order in which it will arrive.
    pub(crate) fn flights(&self) -> impl Iterator<Item = (Instant, &Flight)> {
        self.queue.iter().filter_map(|(at, due)| match &due.happening {
            Happening::FlightArrives(flight) => Some((at, flight)),
            Happening::ServerStarts(_)
            | Happening::ClientStarts(_)
            | Happening::TimerFires { .. }
            | Happening::InputArrives { .. }
            | Happening::WriteIsDone { .. }
            | Happening::RetransmissionEnds { .. } => None,
        })
    }

    /// What watches over the world.
    pub(crate) fn checkers(&self) -> &Checkers {
        &self.checkers
    }

    /// Checkers look at everything every so many steps, and answers are counted.
    pub(crate) fn look_every(&mut self, steps: u64) {
        self.checkers = Checkers::new(Looks::Every(steps));
        self.checkers.count_answers();
    }

    fn watch(&mut self) {
        self.checkers.on_step(self.now, self.steps, &self.hosts, &self.noted);
    }

    /// Takes out the events of the last step.
    pub(crate) fn drain_events(&mut self) -> impl Iterator<Item = Event> + '_ {
        self.noted.drain(..)
    }

    /// Takes the next step. False if nothing is due, ever.
    pub(crate) fn step(&mut self) -> bool {
        let Some((at, due)) = self.queue().pop() else { return false };
        self.begin_step(at);
        digest::mix_happening(&mut self.hasher, &due.happening);
        if let Some(node) = self.frozen_reader(&due.happening) {
            self.host(node).unread.push(due);
            return true;
        }
        let mut cause = due.cause;
        match due.happening {
            Happening::ServerStarts(node) => self.start_server_unless_running(node, &mut cause),
            Happening::ClientStarts(index) => self.start_client_of_the_spec(index, &mut cause),
            Happening::TimerFires { node, timer } => self.deliver(node, Input::TimerFired { timer }, &mut cause),
            Happening::FlightArrives(flight) => self.arrive(flight, &mut cause),
            Happening::InputArrives { node, input } => self.deliver(node, *input, &mut cause),
            Happening::WriteIsDone { node, effect } => self.go_on_behind_write(node, *effect, &mut cause),
            Happening::RetransmissionEnds { connection, sender } => self.give_up(connection, sender, &mut cause),
        }
        self.watch();
        true
    }

    /// Takes a step that a user asks for at `at`, which lies between the last step and the next; the command must fit
    /// (see `check`). Returns the node it was about.
    pub(crate) fn command(&mut self, at: Instant, command: &Command) -> NodeId {
        assert!(at >= self.now && self.next_at().is_none_or(|next| at <= next), "a command comes between two steps");
        self.begin_step(at);
        digest::mix_command(&mut self.hasher, command);
        let mut cause = None;
        let node = match command {
            Command::Kill(node) => self.kill(*node, &mut cause),
            Command::Stop(node) => self.stop(*node, &mut cause),
            Command::Start(node) => self.start_server(*node, &mut cause),
            Command::StartClient(spec) => self.start_client(spec.clone(), &mut cause),
            Command::Tell(node, instruction) => self.tell(*node, instruction.clone(), &mut cause),
            Command::Freeze(node) => self.freeze(*node, &mut cause),
            Command::Thaw(node) => self.thaw(*node, &mut cause),
            Command::PowerOff(node) => self.power_off(*node, &mut cause),
            Command::SetDisk { node, condition } => self.set_disk(*node, *condition, &mut cause),
            Command::SetClock { node, offset_ms } => self.set_clock(*node, *offset_ms, &mut cause),
            Command::ChangeLinks { links, change } => self.change_links(*links, *change, &mut cause),
            Command::AddServer(spec) => self.add_server(spec, &mut cause),
            Command::RemoveServer(node) => self.remove_server(*node, &mut cause),
        };
        self.watch();
        node
    }

    /// Whether a command fits the world as it is now.
    pub(crate) fn check(&self, command: &Command) -> Result<(), CommandError> {
        match command {
            Command::Kill(node) | Command::Stop(node) => self.check_running(*node),
            Command::Start(node) => self.check_startable(*node),
            Command::StartClient(_) => Ok(()),
            Command::Tell(node @ (NodeId::Server(_) | NodeId::ZooKeeper), _) => {
                self.check_running(*node).and(Err(CommandError::NotAClient(*node)))
            }
            Command::Tell(node @ NodeId::Client(_), _) => self.check_running(*node),
            Command::Freeze(node) => self.check_freezable(*node),
            Command::Thaw(node) => self.check_frozen(*node),
            Command::PowerOff(node) => self.check_powered(*node),
            Command::SetDisk { node, .. } => self.check_server(*node),
            Command::SetClock { node, .. } => self.check_host(*node),
            Command::ChangeLinks { links, change } => self.check_links(*links, *change),
            Command::AddServer(spec) => self.check_addable(spec),
            Command::RemoveServer(node) => self.check_removable(*node),
        }
    }

    fn check_running(&self, node: NodeId) -> Result<(), CommandError> {
        match self.hosts.get(&node) {
            Some(host) if host.process.is_some() => Ok(()),
            Some(_) => Err(CommandError::NotRunning(node)),
            None if self.was_a_client(node) => Err(CommandError::NotRunning(node)),
            None => Err(CommandError::UnknownNode(node)),
        }
    }

    fn check_startable(&self, node: NodeId) -> Result<(), CommandError> {
        match self.hosts.get(&node) {
            Some(host) if host.process.is_some() => Err(CommandError::AlreadyRunning(node)),
            Some(_) => Ok(()),
            None if self.was_a_client(node) => Err(CommandError::NotAServer(node)),
            None => Err(CommandError::UnknownNode(node)),
        }
    }

    fn was_a_client(&self, node: NodeId) -> bool {
        matches!(node, NodeId::Client(number) if (1..self.next_client).contains(&number))
    }

    fn begin_step(&mut self, at: Instant) {
        assert!(at >= self.now, "time does not run backwards");
        self.now_since_step = if at == self.now { self.now_since_step } else { self.steps };
        assert!(self.steps - self.now_since_step < STEPS_AT_ONE_INSTANT, "time stands still at {at}");
        self.now = at;
        self.steps += 1;
        digest::mix_instant(&mut self.hasher, at);
    }

    fn kill(&mut self, node: NodeId, cause: &mut Option<EventId>) -> NodeId {
        self.note(node, EventKind::Operator(OperatorEvent::ProcessKilled), cause);
        self.end_process(node, *cause);
        node
    }

    fn stop(&mut self, node: NodeId, cause: &mut Option<EventId>) -> NodeId {
        self.note(node, EventKind::Operator(OperatorEvent::ShutdownRequested), cause);
        self.tell(node, Instruction::ShutDown, cause)
    }

    fn tell(&mut self, node: NodeId, instruction: Instruction, cause: &mut Option<EventId>) -> NodeId {
        self.give(node, Input::Told(instruction), cause);
        node
    }

    fn start_server_unless_running(&mut self, node: NodeId, cause: &mut Option<EventId>) {
        if self.check_startable(node).is_ok() {
            self.start_server(node, cause);
        }
    }

    fn start_server(&mut self, node: NodeId, cause: &mut Option<EventId>) -> NodeId {
        self.power_on(node);
        let host = self.hosts.get(&node).expect("the node was looked up before");
        let spec = host.server.as_deref().expect("only servers are started again").clone();
        let identity = self.identity(node, host.runs);
        let rng = self.process_stream(node, host.runs);
        self.start_process(node, Machine::server(spec, identity, rng), OperatorEvent::ProcessStarted, cause);
        node
    }

    fn start_client_of_the_spec(&mut self, index: u32, cause: &mut Option<EventId>) {
        let cause_of_next = *cause;
        let spec = self.spec.clients[index as usize].clone();
        let is_tool = spec.program.is_tool();
        let node = self.start_client(spec, cause);
        if is_tool && self.hosts.contains_key(&node) {
            self.clients_of_the_spec = ClientsOfTheSpec::WaitForTool { tool: node, next: index + 1 };
        } else {
            self.expect_client(index + 1, cause_of_next);
        }
    }

    fn start_client(&mut self, spec: ClientSpec, cause: &mut Option<EventId>) -> NodeId {
        let node = NodeId::Client(self.next_client);
        self.next_client += 1;
        let started = OperatorEvent::ClientStarted { client_id: spec.client_id.clone() };
        let machine = Machine::client(spec, self.identity(node, 0), self.process_stream(node, 0));
        Arc::make_mut(&mut self.hosts).insert(node, Host::of_client());
        self.start_process(node, machine, started, cause);
        node
    }

    fn identity(&self, node: NodeId, incarnation: u32) -> Identity {
        Identity { node, incarnation, clock: self.clock_of(node) }
    }

    fn process_stream(&self, node: NodeId, incarnation: u32) -> kafka::Rng {
        random::stream(self.seed, &format!("node {node} run {incarnation}"))
    }

    fn start_process(&mut self, node: NodeId, machine: Machine, started: OperatorEvent, cause: &mut Option<EventId>) {
        let host = self.host(node);
        host.process = Some(machine);
        host.runs += 1;
        let disk = host.disk.clone();
        self.note(node, EventKind::Operator(started), cause);
        self.deliver(node, Input::Started { disk }, cause);
    }

    fn arrive(&mut self, flight: Flight, cause: &mut Option<EventId>) {
        let now = self.now;
        match self.network().arrive(now, flight) {
            Arrival::Dropped => {}
            Arrival::Told(node, input) => self.deliver(node, input, cause),
            Arrival::Answered(departure) => self.depart(departure, *cause),
        }
    }

    fn deliver(&mut self, node: NodeId, input: Input, cause: &mut Option<EventId>) {
        let (now, step) = (self.now, self.steps);
        self.checkers.on_input(node, &input);
        let mut effects = std::mem::take(&mut self.effects);
        let host = self.host(node);
        host.changed_in_step = step;
        host.process.as_mut().expect("only running processes get inputs").step(now, input, &mut effects);
        let mut written_at = now;
        for effect in effects.drain() {
            if self.carry_out(node, effect, &mut written_at, cause) == Life::Ended {
                break;
            }
        }
        self.effects = effects;
    }

    /// Carries out what a node does. What it sends after a write waits until that is done, at `written_at`.
    fn carry_out(
        &mut self,
        node: NodeId,
        effect: Effect,
        written_at: &mut Instant,
        cause: &mut Option<EventId>,
    ) -> Life {
        match effect {
            Effect::Write(write) => return self.write(node, write, written_at, cause),
            Effect::Exit(status) => return self.exit(node, status, cause),
            Effect::Close { connection } | Effect::Send { connection, .. } => {
                self.send_behind_writes(node, connection, effect, *written_at, *cause);
            }
            Effect::Listen(listener) => self.network().listen(node, listener),
            Effect::StopListening(listener) => self.network().stop_listening(node, listener),
            Effect::Connect { connection, endpoint } => self.connect(node, connection, &endpoint, *cause),
            Effect::SetTimer { timer, at } => {
                let at = at.max(self.now);
                self.queue().set_timer(node, timer, at, *cause);
            }
            Effect::CancelTimer { timer } => self.queue().cancel_timer(node, timer),
            Effect::Note(kind) => self.note_of_node(node, kind, cause),
        }
        Life::GoesOn
    }

    fn connect(&mut self, node: NodeId, connection: ConnectionId, endpoint: &Endpoint, cause: Option<EventId>) {
        assert_eq!(connection.opener, node, "a connection is named by the node that opens it");
        let now = self.now;
        let departure = self.network().connect(now, connection, endpoint);
        self.depart(departure, cause);
    }

    fn depart(&mut self, departure: Departure, cause: Option<EventId>) {
        let Departure { deliver_at, flight } = departure;
        match deliver_at {
            Some(at) => self.queue().push(at, Due { cause, happening: Happening::FlightArrives(flight) }),
            None => self.hold(Held { flight, cause }),
        }
    }

    fn note(&mut self, node: NodeId, kind: EventKind, cause: &mut Option<EventId>) {
        let id = self.next_event;
        self.next_event = EventId(id.0 + 1);
        let event = Event { id, cause: *cause, at: self.now, step: self.steps, node, kind };
        digest::mix_event(&mut self.hasher, &event);
        *cause = Some(id);
        self.noted.push(event);
    }

    fn note_of_node(&mut self, node: NodeId, kind: EventKind, cause: &mut Option<EventId>) {
        let is_ready = matches!(kind, EventKind::Broker(BrokerEvent::BecameReady));
        self.note(node, kind, cause);
        if is_ready {
            self.host(node).readiness = Readiness::HasBeenReady;
            self.expect_clients_once_brokers_are_ready(*cause);
        }
    }

    fn expect_clients_once_brokers_are_ready(&mut self, cause: Option<EventId>) {
        let waits = self.clients_of_the_spec == ClientsOfTheSpec::WaitForBrokers;
        if waits && !self.hosts.values().any(Host::is_awaited) {
            self.expect_client(0, cause);
        }
    }

    /// That client of the spec starts next, if there are so many.
    fn expect_client(&mut self, index: u32, cause: Option<EventId>) {
        self.clients_of_the_spec = ClientsOfTheSpec::Start;
        if (index as usize) < self.spec.clients.len() {
            let now = self.now;
            self.queue().push(now, Due { cause, happening: Happening::ClientStarts(index) });
        }
    }

    fn expect_client_behind(&mut self, ended: NodeId, cause: Option<EventId>) {
        match self.clients_of_the_spec {
            ClientsOfTheSpec::WaitForTool { tool, next } if tool == ended => self.expect_client(next, cause),
            ClientsOfTheSpec::WaitForTool { .. } | ClientsOfTheSpec::WaitForBrokers | ClientsOfTheSpec::Start => {}
        }
    }

    fn exit(&mut self, node: NodeId, status: ExitStatus, cause: &mut Option<EventId>) -> Life {
        self.note(node, EventKind::Operator(OperatorEvent::ProcessExited { status }), cause);
        self.end_process(node, *cause);
        Life::Ended
    }

    /// The process is gone with all it had in memory: a server's disk stays, a client program leaves nothing.
    fn end_process(&mut self, node: NodeId, cause: Option<EventId>) {
        let now = self.now;
        let closings = self.network().process_ended(now, node);
        closings.into_iter().for_each(|closing| self.depart(closing, cause));
        self.forget_process(node, cause);
    }

    /// Whatever is due for a process does not concern the next one.
    fn forget_process(&mut self, node: NodeId, cause: Option<EventId>) {
        let step = self.steps;
        self.queue().cancel_timers_of(node);
        self.queue().extract(|_, happening| happening.is_private_to(node));
        let host = self.host(node);
        host.end_process();
        host.changed_in_step = step;
        if host.server.is_none() {
            Arc::make_mut(&mut self.hosts).remove(&node);
            self.expect_client_behind(node, cause);
        }
    }

    fn host(&mut self, node: NodeId) -> &mut Host {
        Arc::make_mut(&mut self.hosts).get_mut(&node).expect("a node that does something exists")
    }

    fn queue(&mut self) -> &mut Queue {
        Arc::make_mut(&mut self.queue)
    }

    fn network(&mut self) -> &mut Network {
        Arc::make_mut(&mut self.network)
    }
}
