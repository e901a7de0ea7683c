//! The controller's channels to the brokers (`kafka.controller.ControllerChannelManager`): a queue for each, one request
//! in flight, and a request that gets no answer is sent again for as long as the broker is registered. Who does not answer
//! in time is connected to anew.

use crate::config::BrokerConfig;
use crate::instant::Duration;
use crate::node::ConnectionId;
use crate::zk_client::{ConnectionOwner, Host, HostTimer};
use std::collections::{BTreeMap, VecDeque};
use wire::{BrokerId, Endpoint, Request};

/// A request that failed is sent again after so long.
const BACKOFF_MS: i64 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Down,
    BackingOff,
    Connecting(ConnectionId),
    Ready(ConnectionId),
    Busy { connection: ConnectionId, correlation_id: i32 },
}

#[derive(Clone, Debug)]
struct Channel {
    endpoint: Endpoint,
    link: Link,
    queue: VecDeque<Request>,
    correlation_id: i32,
}

/// How long is waited.
#[derive(Clone, Copy, Debug)]
struct Timeouts {
    /// For a connection: `controller.socket.timeout.ms`.
    connecting: Duration,
    /// For an answer: `request.timeout.ms`.
    request: Duration,
}

/// The channels of an active controller, one for each registered broker.
#[derive(Clone, Debug)]
pub(super) struct Channels {
    timeouts: Timeouts,
    by_broker: BTreeMap<BrokerId, Channel>,
}

impl Channels {
    pub(super) fn new(config: &BrokerConfig) -> Channels {
        let timeouts = Timeouts {
            connecting: Duration::from_ms(config.controller_socket_timeout_ms),
            request: Duration::from_ms(config.request_timeout_ms),
        };
        Channels { timeouts, by_broker: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, broker: BrokerId, endpoint: Endpoint) {
        let channel = || Channel { endpoint, link: Link::Down, queue: VecDeque::new(), correlation_id: 0 };
        self.by_broker.entry(broker).or_insert_with(channel);
    }

    pub(super) fn remove(&mut self, broker: BrokerId, host: &mut impl Host) {
        if let Some(channel) = self.by_broker.remove(&broker) {
            channel.connection().into_iter().for_each(|connection| host.close(connection));
            host.cancel_timer(HostTimer::ControllerChannel(broker));
        }
    }

    pub(super) fn remove_all(&mut self, host: &mut impl Host) {
        let brokers: Vec<BrokerId> = self.by_broker.keys().copied().collect();
        brokers.into_iter().for_each(|broker| self.remove(broker, host));
    }

    /// Requests to a broker that has no channel are dropped, as in Kafka.
    pub(super) fn send(&mut self, broker: BrokerId, request: Request, host: &mut impl Host) {
        if let Some(channel) = self.by_broker.get_mut(&broker) {
            channel.queue.push_back(request);
            channel.advance(broker, self.timeouts, host);
        }
    }

    pub(super) fn on_connected(&mut self, broker: BrokerId, connection: ConnectionId, host: &mut impl Host) {
        if let Some(channel) = self.by_broker.get_mut(&broker)
            && channel.link == Link::Connecting(connection)
        {
            channel.become_ready(broker, connection, self.timeouts, host);
        }
    }

    pub(super) fn on_disconnected(&mut self, broker: BrokerId, connection: ConnectionId, host: &mut impl Host) {
        if let Some(channel) = self.by_broker.get_mut(&broker)
            && channel.connection() == Some(connection)
        {
            channel.back_off(broker, host);
        }
    }

    /// The channel has waited long enough: for its next try, or for a connection or an answer.
    pub(super) fn on_timer(&mut self, broker: BrokerId, host: &mut impl Host) {
        let Some(channel) = self.by_broker.get_mut(&broker) else { return };
        if let Some(connection) = channel.connection() {
            host.close(connection);
            channel.back_off(broker, host);
        } else {
            channel.link = Link::Down;
            channel.advance(broker, self.timeouts, host);
        }
    }

    /// An answer arrived. Returns the request that it answers.
    pub(super) fn on_response(
        &mut self,
        broker: BrokerId,
        (connection, correlation_id): (ConnectionId, i32),
        host: &mut impl Host,
    ) -> Option<Request> {
        let channel = self.by_broker.get_mut(&broker)?;
        if channel.link != (Link::Busy { connection, correlation_id }) {
            return None;
        }
        let answered = channel.queue.pop_front();
        channel.become_ready(broker, connection, self.timeouts, host);
        answered
    }
}

impl Channel {
    fn connection(&self) -> Option<ConnectionId> {
        match self.link {
            Link::Down | Link::BackingOff => None,
            Link::Connecting(connection) | Link::Ready(connection) | Link::Busy { connection, .. } => Some(connection),
        }
    }

    fn become_ready(&mut self, broker: BrokerId, connection: ConnectionId, timeouts: Timeouts, host: &mut impl Host) {
        self.link = Link::Ready(connection);
        host.cancel_timer(HostTimer::ControllerChannel(broker));
        self.advance(broker, timeouts, host);
    }

    fn back_off(&mut self, broker: BrokerId, host: &mut impl Host) {
        self.link = Link::BackingOff;
        host.set_timer(HostTimer::ControllerChannel(broker), host.now() + Duration::from_ms(BACKOFF_MS));
    }

    /// The request at the head of the queue stays there until it is answered.
    fn advance(&mut self, broker: BrokerId, timeouts: Timeouts, host: &mut impl Host) {
        let Some(request) = self.queue.front() else { return };
        match self.link {
            Link::Down => {
                self.link = Link::Connecting(host.open(ConnectionOwner::ControllerChannel(broker), &self.endpoint));
                host.set_timer(HostTimer::ControllerChannel(broker), host.now() + timeouts.connecting);
            }
            Link::Ready(connection) => {
                self.correlation_id += 1;
                self.link = Link::Busy { connection, correlation_id: self.correlation_id };
                host.send(connection, self.correlation_id, request.clone());
                host.set_timer(HostTimer::ControllerChannel(broker), host.now() + timeouts.request);
            }
            Link::BackingOff | Link::Connecting(_) | Link::Busy { .. } => {}
        }
    }
}
