//! What can go wrong in the world, and how it is put right: frozen processes, hosts without power, disks, clocks, links,
//! and servers that come and go.
//!
//! A process on a full disk ends with status 1 at its first write, as a broker whose only log directory fails halts. The
//! `KAFKA_STORAGE_ERROR` that a real broker may still send before is not: its clients see the connection close.

use super::host::Host;
use super::{Life, World};
use crate::command::CommandError;
use crate::frame::LinkFrame;
use crate::network::{Flight, Held, Side};
use crate::queue::{Due, Happening};
use crate::trace::EventId;
use kafka::event::{EventKind, OperatorEvent};
use kafka::fault::{DiskCondition, LinkChange, Links};
use kafka::instant::{Instant, WallClock};
use kafka::node::{ConnectionId, Effect, ExitStatus, Input, NodeId};
use kafka::spec::ServerSpec;
use kafka::storage::DiskWrite;
use std::sync::Arc;
use wire::Timestamp;

const EXIT_ON_DISK_FAILURE: ExitStatus = ExitStatus(1);
const MOST_LOST_PERMILLE: u16 = 999;

impl World {
    /// What has arrived and is not read yet, node by node.
    pub(crate) fn unread_flights(&self) -> impl Iterator<Item = &Flight> {
        self.hosts.values().flat_map(|host| &host.unread).filter_map(|due| match &due.happening {
            Happening::FlightArrives(flight) => Some(flight),
            Happening::ServerStarts(_)
            | Happening::ClientStarts(_)
            | Happening::TimerFires { .. }
            | Happening::InputArrives { .. }
            | Happening::WriteIsDone { .. }
            | Happening::RetransmissionEnds { .. } => None,
        })
    }

    /// What does not get through, link by link.
    pub(crate) fn held_flights(&self) -> impl Iterator<Item = &Flight> {
        self.network.held().map(|held| &held.flight)
    }

    /// The links between hosts that are not as they were in the beginning.
    pub(crate) fn faulty_links(&self) -> Vec<LinkFrame> {
        self.network.faulty_links(&self.host_ids())
    }

    fn host_ids(&self) -> Vec<NodeId> {
        self.hosts.keys().copied().collect()
    }

    pub(super) fn check_freezable(&self, node: NodeId) -> Result<(), CommandError> {
        self.check_running(node)?;
        if self.is_frozen(node) { Err(CommandError::AlreadyFrozen(node)) } else { Ok(()) }
    }

    pub(super) fn check_frozen(&self, node: NodeId) -> Result<(), CommandError> {
        self.check_running(node)?;
        if self.is_frozen(node) { Ok(()) } else { Err(CommandError::NotFrozen(node)) }
    }

    pub(super) fn check_host(&self, node: NodeId) -> Result<(), CommandError> {
        match self.hosts.get(&node) {
            Some(_) => Ok(()),
            None => self.check_running(node),
        }
    }

    pub(super) fn check_server(&self, node: NodeId) -> Result<(), CommandError> {
        self.check_host(node)?;
        let is_server = self.hosts.get(&node).is_some_and(|host| host.server.is_some());
        if is_server { Ok(()) } else { Err(CommandError::NotAServer(node)) }
    }

    pub(super) fn check_powered(&self, node: NodeId) -> Result<(), CommandError> {
        self.check_server(node)?;
        let is_off = self.hosts.get(&node).is_some_and(|host| host.faults.is_powered_off);
        if is_off { Err(CommandError::NotRunning(node)) } else { Ok(()) }
    }

    pub(super) fn check_links(&self, links: Links, change: LinkChange) -> Result<(), CommandError> {
        match links {
            Links::All => {}
            Links::Of(node) => self.check_host(node)?,
            Links::Between(one, other) | Links::OneWay { from: one, to: other } => {
                self.check_host(one)?;
                self.check_host(other)?;
                if one == other {
                    return Err(CommandError::NoLink(one));
                }
            }
        }
        match change {
            LinkChange::Loss(permille) if permille > MOST_LOST_PERMILLE => Err(CommandError::LossOutOfRange),
            LinkChange::Loss(_) | LinkChange::Cut | LinkChange::Heal | LinkChange::Delay(_) | LinkChange::Jitter(_) => {
                Ok(())
            }
        }
    }

    pub(super) fn check_addable(&self, spec: &ServerSpec) -> Result<(), CommandError> {
        let (node, _) = Host::of_server(spec);
        if self.hosts.contains_key(&node) {
            return Err(CommandError::AlreadyThere(node));
        }
        let mut addresses = spec.listeners().map(|(_, endpoint)| endpoint);
        match addresses.find(|endpoint| self.network.owner_of(endpoint).is_some()) {
            Some(endpoint) => Err(CommandError::AddressInUse(endpoint)),
            None => Ok(()),
        }
    }

    pub(super) fn check_removable(&self, node: NodeId) -> Result<(), CommandError> {
        self.check_server(node)?;
        if self.check_running(node).is_ok() { Err(CommandError::StillRunning(node)) } else { Ok(()) }
    }

    fn is_frozen(&self, node: NodeId) -> bool {
        self.hosts.get(&node).is_some_and(|host| host.faults.is_frozen)
    }

    /// The frozen process that something would be for.
    pub(super) fn frozen_reader(&self, happening: &Happening) -> Option<NodeId> {
        happening.reader().filter(|node| self.is_frozen(*node))
    }

    pub(super) fn freeze(&mut self, node: NodeId, cause: &mut Option<EventId>) -> NodeId {
        self.note(node, EventKind::Operator(OperatorEvent::ProcessFrozen), cause);
        self.changed_host(node).faults.is_frozen = true;
        node
    }

    /// All that waited happens now, in the order in which it came, before what comes at this very instant.
    pub(super) fn thaw(&mut self, node: NodeId, cause: &mut Option<EventId>) -> NodeId {
        self.note(node, EventKind::Operator(OperatorEvent::ProcessThawed), cause);
        let now = self.now;
        let host = self.changed_host(node);
        host.faults.is_frozen = false;
        let mut unread = std::mem::take(&mut host.unread);
        let comes_now = self.queue().extract(|at, happening| at == now && happening.reader() == Some(node));
        unread.extend(comes_now.into_iter().map(|(_, due)| due));
        unread.into_iter().for_each(|due| self.happen_now(due));
        node
    }

    fn happen_now(&mut self, due: Due) {
        let now = self.now;
        match due.happening {
            Happening::TimerFires { node, timer } => self.queue().set_timer(node, timer, now, due.cause),
            Happening::ServerStarts(_)
            | Happening::ClientStarts(_)
            | Happening::FlightArrives(_)
            | Happening::InputArrives { .. }
            | Happening::WriteIsDone { .. }
            | Happening::RetransmissionEnds { .. } => self.queue().push(now, due),
        }
    }

    /// Gives a process an input that does not come over the network: at once, or once it is not frozen any more.
    pub(super) fn give(&mut self, node: NodeId, input: Input, cause: &mut Option<EventId>) {
        if self.is_frozen(node) {
            let due = Due { cause: *cause, happening: Happening::InputArrives { node, input: Box::new(input) } };
            self.host(node).unread.push(due);
        } else {
            self.deliver(node, input, cause);
        }
    }

    pub(super) fn power_off(&mut self, node: NodeId, cause: &mut Option<EventId>) -> NodeId {
        self.note(node, EventKind::Operator(OperatorEvent::PowerLost), cause);
        self.network().power_off(node);
        self.hold_what_is_blocked();
        self.forget_process(node, *cause);
        let host = self.host(node);
        host.faults.is_powered_off = true;
        host.disk.lose_power();
        node
    }

    /// A host that is started has power.
    pub(super) fn power_on(&mut self, node: NodeId) {
        let now = self.now;
        self.host(node).faults.is_powered_off = false;
        let released = self.network().power_on(now, node);
        self.transmit_again(released);
    }

    pub(super) fn set_disk(&mut self, node: NodeId, condition: DiskCondition, cause: &mut Option<EventId>) -> NodeId {
        self.note(node, EventKind::Operator(OperatorEvent::DiskChanged { condition }), cause);
        self.changed_host(node).faults.disk = condition;
        if condition == DiskCondition::Sound {
            self.finish_writes(node);
        }
        node
    }

    /// A disk that is sound again has written at once what had piled up; what waited for that leaves now, in order.
    fn finish_writes(&mut self, node: NodeId) {
        let now = self.now;
        self.host(node).all_is_written(now);
        let is_of_node =
            |happening: &Happening| matches!(happening, Happening::WriteIsDone { node: at, .. } if *at == node);
        let waiting = self.queue().extract(|_, happening| is_of_node(happening));
        waiting.into_iter().for_each(|(_, due)| self.queue().push(now, due));
    }

    pub(super) fn write(
        &mut self,
        node: NodeId,
        write: DiskWrite,
        written_at: &mut Instant,
        cause: &mut Option<EventId>,
    ) -> Life {
        let now = self.now;
        let host = self.host(node);
        if host.faults.disk == DiskCondition::Full {
            self.note(node, EventKind::Operator(OperatorEvent::DiskWriteFailed), cause);
            return self.exit(node, EXIT_ON_DISK_FAILURE, cause);
        }
        *written_at = host.write_takes_until(now);
        host.disk.apply(write);
        Life::GoesOn
    }

    /// Sends or closes, behind the writes before it.
    pub(super) fn send_behind_writes(
        &mut self,
        node: NodeId,
        connection: ConnectionId,
        effect: Effect,
        written_at: Instant,
        cause: Option<EventId>,
    ) {
        let now = self.now;
        match self.host(node).leaves_at(now, connection, written_at) {
            None => self.use_network(node, effect, cause),
            Some(at) => self
                .queue()
                .push(at, Due { cause, happening: Happening::WriteIsDone { node, effect: Box::new(effect) } }),
        }
    }

    pub(super) fn go_on_behind_write(&mut self, node: NodeId, effect: Effect, cause: &mut Option<EventId>) {
        let (Effect::Send { connection, .. } | Effect::Close { connection }) = effect else { return };
        self.host(node).leaves_now(connection);
        // The other end may have closed it while the disk was writing.
        let is_in_vain = matches!(effect, Effect::Send { .. }) && !self.network.is_open_at(node, connection);
        if !is_in_vain {
            self.use_network(node, effect, *cause);
        }
    }

    fn use_network(&mut self, node: NodeId, effect: Effect, cause: Option<EventId>) {
        let now = self.now;
        let departure = match effect {
            Effect::Send { connection, message } => self.network().send(now, connection, message),
            Effect::Close { connection } => self.network().close(now, node, connection),
            Effect::Listen(_)
            | Effect::StopListening(_)
            | Effect::Connect { .. }
            | Effect::SetTimer { .. }
            | Effect::CancelTimer { .. }
            | Effect::Write(_)
            | Effect::Note(_)
            | Effect::Exit(_) => unreachable!("only what is sent or closed comes here"),
        };
        departure.into_iter().for_each(|departure| self.depart(departure, cause));
    }

    pub(super) fn set_clock(&mut self, node: NodeId, offset_ms: i64, cause: &mut Option<EventId>) -> NodeId {
        self.note(node, EventKind::Operator(OperatorEvent::ClockSet { offset_ms }), cause);
        self.changed_host(node).faults.clock_offset_ms = offset_ms;
        if self.check_running(node).is_ok() {
            let clock = self.clock_of(node);
            self.give(node, Input::ClockSet(clock), cause);
        }
        node
    }

    /// The wall clock of a host.
    pub(super) fn clock_of(&self, node: NodeId) -> WallClock {
        let offset_ms = self.hosts.get(&node).map_or(0, |host| host.faults.clock_offset_ms);
        WallClock { epoch: Timestamp(self.spec.epoch.0.saturating_add(offset_ms)) }
    }

    /// The event is noted at the first host that the links belong to.
    pub(super) fn change_links(&mut self, links: Links, change: LinkChange, cause: &mut Option<EventId>) -> NodeId {
        let (now, hosts) = (self.now, self.host_ids());
        let node = match links {
            Links::All => hosts.first().copied().unwrap_or(NodeId::Client(0)),
            Links::Of(node) | Links::Between(node, _) | Links::OneWay { from: node, .. } => node,
        };
        self.note(node, EventKind::Operator(OperatorEvent::LinksChanged { links, change }), cause);
        let released = self.network().change_links(now, links, change);
        self.transmit_again(released);
        self.hold_what_is_blocked();
        node
    }

    fn transmit_again(&mut self, released: Vec<(crate::network::Departure, Held)>) {
        released.into_iter().for_each(|(departure, held)| self.depart(departure, held.cause));
    }

    /// What is on its way when nothing gets through any more must be transmitted again.
    fn hold_what_is_blocked(&mut self) {
        let network = self.network.clone();
        let blocked = self.queue().extract(|_, happening| match happening {
            Happening::FlightArrives(flight) => network.is_blocked((flight.from, flight.to)),
            Happening::ServerStarts(_)
            | Happening::ClientStarts(_)
            | Happening::TimerFires { .. }
            | Happening::InputArrives { .. }
            | Happening::WriteIsDone { .. }
            | Happening::RetransmissionEnds { .. } => false,
        });
        for (_, Due { cause, happening }) in blocked {
            if let Happening::FlightArrives(flight) = happening {
                self.hold(Held { flight, cause });
            }
        }
    }

    pub(super) fn hold(&mut self, held: Held) {
        let cause = held.cause;
        if let Some((at, connection, sender)) = self.network().hold(held) {
            let happening = Happening::RetransmissionEnds { connection, sender };
            self.queue().push(at, Due { cause, happening });
        }
    }

    pub(super) fn give_up(&mut self, connection: ConnectionId, sender: Side, cause: &mut Option<EventId>) {
        let now = self.now;
        let told = self.network().end_retransmission(now, connection, sender);
        if let Some(node) = told.filter(|node| self.check_running(*node).is_ok()) {
            self.give(node, Input::Disconnected { connection }, cause);
        }
    }

    pub(super) fn add_server(&mut self, spec: &ServerSpec, cause: &mut Option<EventId>) -> NodeId {
        let (node, mut host) = Host::of_server(spec);
        host.runs = self.runs_of_removed.get(&node).copied().unwrap_or(0);
        Arc::make_mut(&mut self.hosts).insert(node, host);
        spec.listeners().for_each(|(listener, endpoint)| self.network().add_address(&endpoint, (node, listener)));
        self.note(node, EventKind::Operator(OperatorEvent::ServerAdded), cause);
        self.start_server(node, cause)
    }

    pub(super) fn remove_server(&mut self, node: NodeId, cause: &mut Option<EventId>) -> NodeId {
        self.note(node, EventKind::Operator(OperatorEvent::ServerRemoved), cause);
        let host = Arc::make_mut(&mut self.hosts).remove(&node).expect("the node was looked up before");
        Arc::make_mut(&mut self.runs_of_removed).insert(node, host.runs);
        let addresses = host.server.iter().flat_map(|spec| spec.listeners());
        addresses.for_each(|(_, endpoint)| self.network().remove_address(&endpoint));
        self.expect_clients_once_brokers_are_ready(*cause);
        node
    }

    fn changed_host(&mut self, node: NodeId) -> &mut Host {
        let step = self.steps;
        let host = self.host(node);
        host.changed_in_step = step;
        host
    }
}
