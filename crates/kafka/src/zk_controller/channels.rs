//! The controller's channels to the brokers (`kafka.controller.ControllerChannelManager`): a queue for each, one request
//! in flight, and a request that gets no answer is sent again for as long as the broker is registered.

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

/// The channels of an active controller, one for each registered broker.
#[derive(Clone, Debug, Default)]
pub(super) struct Channels {
    by_broker: BTreeMap<BrokerId, Channel>,
}

impl Channels {
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
            channel.advance(broker, host);
        }
    }

    pub(super) fn on_connected(&mut self, broker: BrokerId, connection: ConnectionId, host: &mut impl Host) {
        if let Some(channel) = self.by_broker.get_mut(&broker)
            && channel.link == Link::Connecting(connection)
        {
            channel.link = Link::Ready(connection);
            channel.advance(broker, host);
        }
    }

    pub(super) fn on_disconnected(&mut self, broker: BrokerId, connection: ConnectionId, host: &mut impl Host) {
        if let Some(channel) = self.by_broker.get_mut(&broker)
            && channel.connection() == Some(connection)
        {
            channel.link = Link::BackingOff;
            host.set_timer(HostTimer::ControllerChannel(broker), host.now() + Duration::from_ms(BACKOFF_MS));
        }
    }

    pub(super) fn on_backoff_over(&mut self, broker: BrokerId, host: &mut impl Host) {
        if let Some(channel) = self.by_broker.get_mut(&broker)
            && channel.link == Link::BackingOff
        {
            channel.link = Link::Down;
            channel.advance(broker, host);
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
        channel.link = Link::Ready(connection);
        let answered = channel.queue.pop_front();
        channel.advance(broker, host);
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

    /// The request at the head of the queue stays there until it is answered.
    fn advance(&mut self, broker: BrokerId, host: &mut impl Host) {
        let Some(request) = self.queue.front() else { return };
        match self.link {
            Link::Down => {
                self.link = Link::Connecting(host.open(ConnectionOwner::ControllerChannel(broker), &self.endpoint));
            }
            Link::Ready(connection) => {
                self.correlation_id += 1;
                self.link = Link::Busy { connection, correlation_id: self.correlation_id };
                host.send(connection, self.correlation_id, request.clone());
            }
            Link::BackingOff | Link::Connecting(_) | Link::Busy { .. } => {}
        }
    }
}
