//! The server side of connections (`kafka.network.SocketServer`): one request of a connection is worked on at a
//! time; later ones wait unread until its answer is sent (a muted channel).

use crate::node::{ConnectionId, Effects, RequestId};
use std::collections::{BTreeMap, VecDeque};
use wire::{Request, Response};

/// All connections on which a server has been asked something.
#[derive(Clone, Debug, Default)]
pub struct ServerChannels {
    channels: BTreeMap<ConnectionId, Channel>,
    ready: VecDeque<(RequestId, Request)>,
}

#[derive(Clone, Debug, Default)]
struct Channel {
    in_work: Option<i32>,
    unread: VecDeque<(i32, Request)>,
}

impl ServerChannels {
    /// A request has arrived. It becomes ready now or when the one before it is answered.
    pub fn receive(&mut self, connection: ConnectionId, correlation_id: i32, request: Request) {
        let channel = self.channels.entry(connection).or_default();
        if channel.in_work.is_some() {
            return channel.unread.push_back((correlation_id, request));
        }
        channel.in_work = Some(correlation_id);
        self.ready.push_back((RequestId { connection, correlation_id }, request));
    }

    /// The next request to work on. Call it until it returns `None` before a step ends.
    pub fn next_ready(&mut self) -> Option<(RequestId, Request)> {
        self.ready.pop_front()
    }

    /// Answers a request. Does nothing if the connection has gone meanwhile.
    pub fn respond(&mut self, id: RequestId, response: Response, effects: &mut Effects) {
        if self.finish(id) {
            effects.respond(id, response);
        }
    }

    /// Lets the next request in without an answer, as for `acks=0`.
    pub fn complete_silently(&mut self, id: RequestId) {
        self.finish(id);
    }

    /// Those that are open.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.channels.keys().copied()
    }

    /// The connection is gone: what was asked on it is forgotten.
    pub fn disconnected(&mut self, connection: ConnectionId) {
        self.channels.remove(&connection);
        self.ready.retain(|(id, _)| id.connection != connection);
    }

    fn finish(&mut self, id: RequestId) -> bool {
        let Some(channel) = self.channels.get_mut(&id.connection) else { return false };
        if channel.in_work != Some(id.correlation_id) {
            return false;
        }
        let next = channel.unread.pop_front();
        channel.in_work = next.as_ref().map(|(correlation_id, _)| *correlation_id);
        let named = |(correlation_id, request)| (RequestId { correlation_id, ..id }, request);
        self.ready.extend(next.map(named));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Effect, NodeId};
    use wire::response::{ApiVersionsResponse, ListenerKind};

    const CONNECTION: ConnectionId = ConnectionId { opener: NodeId::Client(1), incarnation: 0, number: 0 };

    fn answer() -> Response {
        Response::ApiVersions(ApiVersionsResponse::without_features(ListenerKind::Broker))
    }

    #[test]
    fn a_second_request_waits_for_the_answer_to_the_first() {
        let (mut channels, mut effects) = (ServerChannels::default(), Effects::new());
        channels.receive(CONNECTION, 1, Request::ApiVersions);
        channels.receive(CONNECTION, 2, Request::ApiVersions);
        let (first, _) = channels.next_ready().expect("the first request is ready");
        assert_eq!(channels.next_ready(), None);
        channels.respond(first, answer(), &mut effects);
        assert_eq!(channels.next_ready().map(|(id, _)| id.correlation_id), Some(2));
        assert!(matches!(effects.as_slice(), [Effect::Send { .. }]));
    }

    #[test]
    fn an_answer_to_a_lost_connection_is_dropped() {
        let (mut channels, mut effects) = (ServerChannels::default(), Effects::new());
        channels.receive(CONNECTION, 1, Request::ApiVersions);
        let (first, _) = channels.next_ready().expect("the request is ready");
        channels.disconnected(CONNECTION);
        channels.respond(first, answer(), &mut effects);
        assert!(effects.as_slice().is_empty());
    }
}
