//! The shape of every machine: one input at a time, ordered effects.
//!
//! Connections are TCP-like. A node opens one towards an [`Endpoint`]; the network answers with
//! [`Input::Connected`] or [`Input::Disconnected`]. Messages on one connection arrive in the order in which they
//! were sent. When either process dies or closes, the other side gets [`Input::Disconnected`] after what was sent
//! before. A server answers on the connection on which a request came.

use crate::event::EventKind;
use crate::instant::{Instant, WallClock};
use crate::storage::{Disk, DiskWrite};
use std::cmp::Ordering;
use std::fmt;
use wire::{Endpoint, Request, Response};

/// A process of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeId {
    /// A broker or a controller, by its `node.id`.
    Server(i32),
    /// The ZooKeeper ensemble, which stands in the world as one process.
    ZooKeeper,
    /// A client program, in the order in which they were started, from 1.
    Client(u32),
}

impl NodeId {
    /// Orders as the variants and their numbers do, in one comparison: maps of nodes are looked up several times a step.
    fn rank(self) -> i64 {
        match self {
            NodeId::Server(id) => i64::from(id),
            NodeId::ZooKeeper => 1 << 32,
            NodeId::Client(number) => (1 << 33) + i64::from(number),
        }
    }
}

impl Ord for NodeId {
    fn cmp(&self, other: &NodeId) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for NodeId {
    fn partial_cmp(&self, other: &NodeId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeId::Server(id) => write!(formatter, "{id}"),
            NodeId::ZooKeeper => formatter.write_str("zookeeper"),
            NodeId::Client(number) => write!(formatter, "client-{number}"),
        }
    }
}

/// One connection, named by the node that opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    /// Who opened it.
    pub opener: NodeId,
    /// Which run of that process: a restarted one never meets its old connections.
    pub incarnation: u32,
    /// Counts the connections of that run.
    pub number: u32,
}

impl ConnectionId {
    /// Orders as the fields do, in two comparisons.
    fn rank(self) -> (i64, u64) {
        (self.opener.rank(), u64::from(self.incarnation) << 32 | u64::from(self.number))
    }
}

impl Ord for ConnectionId {
    fn cmp(&self, other: &ConnectionId) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for ConnectionId {
    fn partial_cmp(&self, other: &ConnectionId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A request that waits for its answer, as the server names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    /// Where it came from.
    pub connection: ConnectionId,
    /// The client's number for it.
    pub correlation_id: i32,
}

/// What travels on a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// From the side that opened the connection.
    Request {
        /// The opener's number for this request, counting up.
        correlation_id: i32,
        /// The request.
        request: Request,
    },
    /// Back from the server.
    Response {
        /// The number of the request that this answers.
        correlation_id: i32,
        /// The answer.
        response: Response,
    },
}

/// A server's listener, by its name in `listeners`. ZooKeeper's only one counts as the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listener {
    /// `PLAINTEXT`: clients and brokers.
    Plaintext,
    /// `CONTROLLER`, as `controller.listener.names` says: the quorum, and brokers towards their controller.
    Controller,
}

/// One thing that happens to a node.
#[derive(Clone, Debug)]
pub enum Input {
    /// The process starts, with what is on its disk. Always the first input; a client's disk is empty.
    Started {
        /// What earlier runs left.
        disk: Disk,
    },
    /// A connection that this node opened is established.
    Connected {
        /// Which one.
        connection: ConnectionId,
    },
    /// A connection is gone, or could not be established: nobody listens there.
    Disconnected {
        /// Which one; it may have been opened by either side.
        connection: ConnectionId,
    },
    /// A message arrives.
    Received {
        /// On which connection.
        connection: ConnectionId,
        /// To which listener that connection was opened.
        listener: Listener,
        /// What.
        message: Message,
    },
    /// A timer that this node set has run out.
    TimerFired {
        /// Which one.
        timer: Timer,
    },
    /// The user says something to the process.
    Told(Instruction),
    /// The host's wall clock was set.
    ClockSet(WallClock),
}

/// What a user can say to a running process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// SIGTERM: a broker begins its controlled shutdown, a client closes.
    ShutDown,
    /// A producer: send this record. Records wait in the program until earlier ones are handed over.
    Produce(ProducerRecord),
    /// A producer: no more records come (end of input, Ctrl-D); it flushes, closes and exits.
    EndOfInput,
    /// A client program: Ctrl-C.
    Interrupt,
}

/// `org.apache.kafka.clients.producer.ProducerRecord`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProducerRecord {
    /// Where to.
    pub topic: wire::TopicName,
    /// Which partition; `None` leaves it to the partitioner.
    pub partition: Option<wire::PartitionIndex>,
    /// The serialized key.
    pub key: Option<wire::Bytes>,
    /// The serialized value.
    pub value: Option<wire::Bytes>,
    /// The headers.
    pub headers: Vec<wire::Header>,
}

/// A timer's name within its node: each machine numbers its own kinds. Setting a timer that is set moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timer {
    /// The kind, private to the machine.
    pub kind: u8,
    /// Which of that kind, for example a counter or a broker's id.
    pub key: u64,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExitStatus(pub i32);

/// One thing a node does.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Accept connections at one's own endpoint from now on, until the process ends; before that they are refused.
    /// A broker opens its listener only once it has been unfenced, a controller as soon as it starts.
    Listen(Listener),
    /// Refuse connections again: the broker's part of a server has ended, the controller's goes on.
    StopListening(Listener),
    /// Open a connection.
    Connect {
        /// Its name, not used before.
        connection: ConnectionId,
        /// Where to.
        endpoint: Endpoint,
    },
    /// Close a connection of either side's making.
    Close {
        /// Which one.
        connection: ConnectionId,
    },
    /// Send on an established connection.
    Send {
        /// Which one.
        connection: ConnectionId,
        /// What.
        message: Message,
    },
    /// Be woken at an instant.
    SetTimer {
        /// The timer's name.
        timer: Timer,
        /// When.
        at: Instant,
    },
    /// Not be woken after all. Cancelling a timer that is not set does nothing.
    CancelTimer {
        /// The timer's name.
        timer: Timer,
    },
    /// Write to the disk: into the page cache at once, which a process kill leaves intact.
    Write(DiskWrite),
    /// Something worth telling has happened.
    Note(EventKind),
    /// The process ends of itself.
    Exit(ExitStatus),
}

/// The ordered effects of one step.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    effects: Vec<Effect>,
}

impl Effects {
    /// No effects yet.
    #[must_use]
    pub fn new() -> Effects {
        Effects::default()
    }

    /// Accepts connections at one's own endpoint from now on.
    pub fn listen(&mut self, listener: Listener) {
        self.effects.push(Effect::Listen(listener));
    }

    /// Refuses connections there again.
    pub fn stop_listening(&mut self, listener: Listener) {
        self.effects.push(Effect::StopListening(listener));
    }

    /// Opens a connection.
    pub fn connect(&mut self, connection: ConnectionId, endpoint: Endpoint) {
        self.effects.push(Effect::Connect { connection, endpoint });
    }

    /// Closes a connection.
    pub fn close(&mut self, connection: ConnectionId) {
        self.effects.push(Effect::Close { connection });
    }

    /// Sends a request on a connection that this node opened.
    pub fn request(&mut self, connection: ConnectionId, correlation_id: i32, request: Request) {
        self.effects.push(Effect::Send { connection, message: Message::Request { correlation_id, request } });
    }

    /// Answers a request.
    pub fn respond(&mut self, request: RequestId, response: Response) {
        let message = Message::Response { correlation_id: request.correlation_id, response };
        self.effects.push(Effect::Send { connection: request.connection, message });
    }

    /// Sets or moves a timer.
    pub fn set_timer(&mut self, timer: Timer, at: Instant) {
        self.effects.push(Effect::SetTimer { timer, at });
    }

    /// Cancels a timer.
    pub fn cancel_timer(&mut self, timer: Timer) {
        self.effects.push(Effect::CancelTimer { timer });
    }

    /// Writes to the disk.
    pub fn write(&mut self, write: DiskWrite) {
        self.effects.push(Effect::Write(write));
    }

    /// Notes an event.
    pub fn note(&mut self, event: EventKind) {
        self.effects.push(Effect::Note(event));
    }

    /// Ends the process.
    pub fn exit(&mut self, status: ExitStatus) {
        self.effects.push(Effect::Exit(status));
    }

    /// Whether the end of the process has been decided.
    #[must_use]
    pub fn is_exit_decided(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Exit(_)))
    }

    /// Takes back the end of the process, if it has been decided.
    pub fn take_exit(&mut self) -> Option<ExitStatus> {
        let exit = |effect: &Effect| if let Effect::Exit(status) = effect { Some(*status) } else { None };
        let mut exits = self.effects.iter().enumerate().filter_map(|(place, effect)| Some((place, exit(effect)?)));
        let (place, status) = exits.next()?;
        self.effects.remove(place);
        Some(status)
    }

    /// What was collected so far, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Effect] {
        &self.effects
    }

    /// Takes all effects out, leaving the buffer empty and its memory in place.
    pub fn drain(&mut self) -> impl Iterator<Item = Effect> + '_ {
        self.effects.drain(..)
    }
}

/// What a process is told about itself when it is made.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its name.
    pub node: NodeId,
    /// Which run of it, from 0.
    pub incarnation: u32,
    /// Its wall clock.
    pub clock: WallClock,
}

/// A machine: takes one input, does ordered things.
pub trait Node {
    /// Handles one input completely. Deterministic: the same state and input give the same effects.
    fn step(&mut self, now: Instant, input: Input, effects: &mut Effects);
}
