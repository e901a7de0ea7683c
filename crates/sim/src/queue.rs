//! The event queue: what is due, ordered by instant and then by the order in which it was put in, so that ties never
//! depend on what the entries are.

use crate::agenda::Agenda;
use crate::network::{Flight, Side};
use crate::trace::EventId;
use kafka::instant::Instant;
use kafka::node::{ConnectionId, Effect, Input, NodeId, Timer};
use std::collections::BTreeMap;

/// Where an entry stands in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    at: Instant,
    sequence: u64,
}

/// An entry of the queue.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    /// The last event noted before this was set off.
    pub(crate) cause: Option<EventId>,
    /// What is due.
    pub(crate) happening: Happening,
}

/// What the queue can hold.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// A server of the spec starts.
    ServerStarts(NodeId),
    /// A client program of the spec starts: its index there.
    ClientStarts(u32),
    /// A timer runs out.
    TimerFires {
        /// Whose it is.
        node: NodeId,
        /// Which.
        timer: Timer,
    },
    /// Something arrives over the network.
    FlightArrives(Flight),
    /// A process takes in what waited for it while it was frozen, or learns that its host has given a connection up.
    InputArrives {
        /// Whose it is.
        node: NodeId,
        /// What; rare, and large beside the others.
        input: Box<Input>,
    },
    /// A slow disk has written, and what the process did behind that write follows.
    WriteIsDone {
        /// Whose disk.
        node: NodeId,
        /// What follows.
        effect: Box<Effect>,
    },
    /// A host gives up transmitting what it sent on a connection, unless it has got through meanwhile.
    RetransmissionEnds {
        /// The connection.
        connection: ConnectionId,
        /// The end that sends.
        sender: Side,
    },
}

impl Happening {
    /// The node that takes it in with its process; `None` if its host or the world sees to it alone.
    pub(crate) fn reader(&self) -> Option<NodeId> {
        match self {
            Happening::ServerStarts(_) | Happening::ClientStarts(_) | Happening::RetransmissionEnds { .. } => None,
            Happening::TimerFires { node, .. }
            | Happening::InputArrives { node, .. }
            | Happening::WriteIsDone { node, .. } => Some(*node),
            Happening::FlightArrives(flight) => flight.reader(),
        }
    }

    /// Whether it is something that a process of `node` has set off for itself.
    pub(crate) fn is_private_to(&self, node: NodeId) -> bool {
        match self {
            Happening::InputArrives { node: owner, .. } | Happening::WriteIsDone { node: owner, .. } => *owner == node,
            Happening::ServerStarts(_)
            | Happening::ClientStarts(_)
            | Happening::TimerFires { .. }
            | Happening::FlightArrives(_)
            | Happening::RetransmissionEnds { .. } => false,
        }
    }
}

/// The queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    entries: Agenda<Place, Due>,
    timers: BTreeMap<(NodeId, Timer), Place>,
    next_sequence: u64,
}

impl Queue {
    /// Puts something in, behind everything else that is due at the same instant.
    pub(crate) fn push(&mut self, at: Instant, due: Due) {
        let place = self.next_place(at);
        self.entries.insert(place, due);
    }

    /// Sets a timer, or moves it: a node has at most one of each name.
    pub(crate) fn set_timer(&mut self, node: NodeId, timer: Timer, at: Instant, cause: Option<EventId>) {
        let place = self.next_place(at);
        if let Some(former) = self.timers.insert((node, timer), place) {
            self.entries.remove(former);
        }
        self.entries.insert(place, Due { cause, happening: Happening::TimerFires { node, timer } });
    }

    /// Forgets a timer, if it is set.
    pub(crate) fn cancel_timer(&mut self, node: NodeId, timer: Timer) {
        if let Some(place) = self.timers.remove(&(node, timer)) {
            self.entries.remove(place);
        }
    }

    /// Forgets all timers of a node.
    pub(crate) fn cancel_timers_of(&mut self, node: NodeId) {
        let timers: Vec<Timer> = self.timers_of(node).collect();
        timers.into_iter().for_each(|timer| self.cancel_timer(node, timer));
    }

    fn timers_of(&self, node: NodeId) -> impl Iterator<Item = Timer> + '_ {
        let first = (node, Timer { kind: 0, key: 0 });
        self.timers
            .range(first..)
            .map(|(key, _)| *key)
            .take_while(move |(owner, _)| *owner == node)
            .map(|(_, timer)| timer)
    }

    /// Takes out what is due next, with its instant.
    pub(crate) fn pop(&mut self) -> Option<(Instant, Due)> {
        let (place, due) = self.entries.pop_first()?;
        if let Happening::TimerFires { node, timer } = &due.happening {
            self.timers.remove(&(*node, *timer));
        }
        Some((place.at, due))
    }

    /// Takes out all that fits, in order, each with its instant.
    pub(crate) fn extract(&mut self, fits: impl Fn(Instant, &Happening) -> bool) -> Vec<(Instant, Due)> {
        let fitting = self.entries.iter().filter(|(place, due)| fits(place.at, &due.happening));
        let places: Vec<Place> = fitting.map(|(place, _)| place).collect();
        places.into_iter().filter_map(|place| self.take(place).map(|due| (place.at, due))).collect()
    }

    fn take(&mut self, place: Place) -> Option<Due> {
        let due = self.entries.remove(place)?;
        if let Happening::TimerFires { node, timer } = &due.happening {
            self.timers.remove(&(*node, *timer));
        }
        Some(due)
    }

    /// When something is due next.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.entries.first_key().map(|place| place.at)
    }

    /// All that is due, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Instant, &Due)> {
        self.entries.iter().map(|(place, due)| (place.at, due))
    }

    fn next_place(&mut self, at: Instant) -> Place {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        Place { at, sequence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId::Server(1);
    const OTHER: NodeId = NodeId::Server(2);

    fn timer(key: u64) -> Timer {
        Timer { kind: 0, key }
    }

    fn due(node: NodeId) -> Due {
        Due { cause: None, happening: Happening::ServerStarts(node) }
    }

    fn drain(queue: &mut Queue) -> Vec<(u64, String)> {
        let name = |due: Due| match due.happening {
            Happening::ServerStarts(node) => format!("start {node}"),
            Happening::ClientStarts(index) => format!("client {index}"),
            Happening::TimerFires { node, timer } => format!("timer {node}/{}", timer.key),
            Happening::FlightArrives(flight) => format!("flight {}", flight.id),
            Happening::InputArrives { .. } | Happening::WriteIsDone { .. } | Happening::RetransmissionEnds { .. } => {
                unreachable!("no test puts it in")
            }
        };
        std::iter::from_fn(|| queue.pop()).map(|(at, due)| (at.0, name(due))).collect()
    }

    fn expected(entries: &[(u64, &str)]) -> Vec<(u64, String)> {
        entries.iter().map(|(at, name)| (*at, (*name).to_owned())).collect()
    }

    #[test]
    fn ties_come_out_in_the_order_in_which_they_went_in() {
        let mut queue = Queue::default();
        queue.push(Instant(5), due(OTHER));
        queue.set_timer(NODE, timer(1), Instant(5), None);
        queue.push(Instant(5), due(NODE));
        queue.push(Instant(4), due(NODE));
        let listed: Vec<u64> = queue.iter().map(|(at, _)| at.0).collect();
        assert_eq!(listed, [4, 5, 5, 5]);
        assert_eq!(queue.next_at(), Some(Instant(4)));
        let order = expected(&[(4, "start 1"), (5, "start 2"), (5, "timer 1/1"), (5, "start 1")]);
        assert_eq!(drain(&mut queue), order);
        assert_eq!(queue.next_at(), None);
    }

    #[test]
    fn a_timer_set_again_moves_and_fires_once() {
        let mut queue = Queue::default();
        queue.set_timer(NODE, timer(1), Instant(5), None);
        queue.set_timer(NODE, timer(2), Instant(6), None);
        queue.set_timer(NODE, timer(1), Instant(9), None);
        queue.set_timer(NODE, timer(2), Instant(3), None);
        assert_eq!(drain(&mut queue), expected(&[(3, "timer 1/2"), (9, "timer 1/1")]));
    }

    #[test]
    fn a_cancelled_timer_does_not_fire_and_can_be_set_again() {
        let mut queue = Queue::default();
        queue.set_timer(NODE, timer(1), Instant(5), None);
        queue.cancel_timer(NODE, timer(1));
        queue.cancel_timer(NODE, timer(7));
        assert_eq!(drain(&mut queue), []);
        queue.set_timer(NODE, timer(1), Instant(6), None);
        assert_eq!(drain(&mut queue), expected(&[(6, "timer 1/1")]));
    }

    #[test]
    fn a_nodes_timers_are_cancelled_without_touching_anothers() {
        let mut queue = Queue::default();
        (0..3).for_each(|key| queue.set_timer(NODE, timer(key), Instant(key), None));
        queue.set_timer(OTHER, timer(0), Instant(8), None);
        queue.push(Instant(9), due(NODE));
        queue.cancel_timers_of(NODE);
        assert_eq!(drain(&mut queue), expected(&[(8, "timer 2/0"), (9, "start 1")]));
    }
}
