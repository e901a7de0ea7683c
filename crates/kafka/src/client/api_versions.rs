//! `kafka-broker-api-versions`: asks the first bootstrap server that answers which brokers there are, and then each of them
//! what it serves (`BrokerApiVersionsCommand` with its own small client over `ConsumerNetworkClient`).

use super::alarm::{Alarm, earlier};
use super::metadata::bootstrap_nodes;
use super::network_client::{NetworkClient, NetworkEvent, Outcome, log};
use super::split_rng;
use crate::Rng;
use crate::event::{AdminAnswer, AdminFailure, BrokerApis, ClientEvent, ClientLog, EventKind};
use crate::instant::{Duration, Instant};
use crate::node::{Effects, ExitStatus, Identity, Input, Instruction};
use crate::spec::ClientSpec;
use crate::view::AdminView;
use rand::seq::SliceRandom;
use std::collections::VecDeque;
use wire::request::MetadataRequest;
use wire::response::{ListenerKind, MetadataBroker};
use wire::{Endpoint, Request, Response};

/// `request.timeout.ms` of this client.
const REQUEST_TIMEOUT: Duration = Duration(5_000_000);
const MAX_IN_FLIGHT: i32 = 100;
/// How long it waits for a broker to be known (`awaitBrokers`).
const AWAIT: Duration = Duration(50_000);

/// Whom the program asks now.
#[derive(Clone, Debug)]
struct Asking {
    node: i32,
    endpoint: Endpoint,
    /// The request, once it is sent.
    correlation_id: Option<i32>,
    /// When it is given up unless it is sent.
    give_up_at: Instant,
}

/// A `kafka-broker-api-versions` process.
#[derive(Clone, Debug)]
pub(super) struct ApiVersionsProgram {
    client_id: String,
    bootstrap_servers: Vec<Endpoint>,
    network: NetworkClient,
    /// Bootstrap servers that were not asked yet.
    servers: VecDeque<(i32, Endpoint)>,
    /// Somebody knew of a broker.
    has_seen_brokers: bool,
    /// When it asks again whether there is one.
    look_again_at: Option<Instant>,
    /// Brokers that were not asked yet, the one that is asked now first.
    brokers: VecDeque<MetadataBroker>,
    found: Vec<BrokerApis>,
    asking: Option<Asking>,
    alarm: Alarm,
    has_ended: bool,
    rng: Rng,
}

impl ApiVersionsProgram {
    /// A process that has not started yet.
    pub(super) fn new(spec: ClientSpec, identity: &Identity, mut rng: Rng) -> ApiVersionsProgram {
        ApiVersionsProgram {
            client_id: spec.client_id,
            network: NetworkClient::new(identity, MAX_IN_FLIGHT, REQUEST_TIMEOUT, split_rng(&mut rng)),
            servers: VecDeque::new(),
            has_seen_brokers: false,
            look_again_at: None,
            bootstrap_servers: spec.bootstrap_servers,
            brokers: VecDeque::new(),
            found: Vec::new(),
            asking: None,
            alarm: Alarm::default(),
            has_ended: false,
            rng,
        }
    }

    /// What an onlooker may see.
    pub(super) fn view(&self) -> AdminView {
        let call = if self.brokers.is_empty() { "metadata" } else { "apiVersions" };
        let bootstrap_servers = self.bootstrap_servers.clone();
        AdminView { client_id: self.client_id.clone(), call, topic: None, bootstrap_servers }
    }

    /// Handles one input completely.
    pub(super) fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        if self.has_ended {
            return;
        }
        let mut events = Vec::new();
        match input {
            Input::Started { .. } => self.ask_servers(now, effects),
            Input::TimerFired { .. } => self.alarm.on_fired(),
            Input::Told(Instruction::Interrupt) => self.exit(ExitStatus(130), effects),
            Input::Told(Instruction::ShutDown) => self.exit(ExitStatus(143), effects),
            Input::Told(Instruction::Produce(_) | Instruction::EndOfInput) | Input::ClockSet(_) => {}
            Input::Connected { .. } | Input::Disconnected { .. } | Input::Received { .. } => {
                events = self.network.on_input(now, input, effects);
            }
        }
        events.extend(self.network.expire(now, effects));
        events.into_iter().for_each(|event| self.on_event(event, now, effects));
        self.poll(now, effects);
        let give_up_at = self.asking.as_ref().filter(|asking| asking.correlation_id.is_none());
        let next = earlier(self.network.next_deadline(), give_up_at.map(|asking| asking.give_up_at));
        let next = earlier(next, self.look_again_at);
        self.alarm.set(now, next.filter(|_| !self.has_ended), effects);
    }

    /// Sends what is to be asked once the node is connected.
    fn poll(&mut self, now: Instant, effects: &mut Effects) {
        if self.look_again_at.take_if(|at| now >= *at).is_some() {
            self.ask_servers(now, effects);
        }
        let Some(asking) = self.asking.clone().filter(|asking| asking.correlation_id.is_none()) else { return };
        let is_controller = self.network.listener(asking.node) == Some(ListenerKind::Controller);
        if is_controller && self.brokers.is_empty() {
            self.ask_next_server(now, effects);
        } else if self.network.can_send(asking.node) {
            let request = match self.brokers.is_empty() {
                true => Request::Metadata(MetadataRequest { topics: None, allow_auto_topic_creation: true }),
                false => Request::ApiVersions,
            };
            let correlation_id = self.network.send(asking.node, request, now, effects);
            self.asking = Some(Asking { correlation_id: Some(correlation_id), ..asking });
        } else if now >= asking.give_up_at {
            let waited_ms = REQUEST_TIMEOUT.as_ms();
            let message = format!("TimeoutException: Failed to send request after {waited_ms} ms.");
            self.on_failure(&message, now, effects);
        } else {
            self.network.ensure_connected(asking.node, &asking.endpoint, now, effects);
        }
    }

    fn on_event(&mut self, event: NetworkEvent, now: Instant, effects: &mut Effects) {
        let Some(asking) = self.asking.clone() else { return };
        match event {
            NetworkEvent::Completed { correlation_id, outcome, .. }
                if asking.correlation_id == Some(correlation_id) =>
            {
                match outcome {
                    Outcome::Answered(response) => self.on_response(response, now, effects),
                    Outcome::Disconnected | Outcome::TimedOut => self.on_failure(DISCONNECTED, now, effects),
                }
            }
            NetworkEvent::ServerDisconnected { node } if asking.node == node && asking.correlation_id.is_none() => {
                if self.brokers.is_empty() {
                    log(effects, ClientLog::BootstrapBrokerDisconnected { node, endpoint: asking.endpoint });
                }
                self.on_failure(DISCONNECTED, now, effects);
            }
            NetworkEvent::Completed { .. } | NetworkEvent::ServerDisconnected { .. } => {}
        }
    }

    fn on_response(&mut self, response: Response, now: Instant, effects: &mut Effects) {
        if let Response::Metadata(metadata) = response {
            self.on_metadata(metadata.brokers, now, effects);
        } else if let Response::ApiVersions(versions) = response {
            self.end_broker(Ok(versions.apis), now, effects);
        }
    }

    /// It waits until there is a broker, and then asks once more which there are.
    fn on_metadata(&mut self, mut brokers: Vec<MetadataBroker>, now: Instant, effects: &mut Effects) {
        if self.has_seen_brokers {
            brokers.shuffle(&mut self.rng);
            self.brokers = brokers.into();
            self.ask_next_broker(now, effects);
        } else if brokers.is_empty() {
            (self.asking, self.look_again_at) = (None, Some(now + AWAIT));
        } else {
            self.has_seen_brokers = true;
            self.ask_servers(now, effects);
        }
    }

    /// A bootstrap server that does not answer makes room for the next; a broker's failure is told.
    fn on_failure(&mut self, exception: &str, now: Instant, effects: &mut Effects) {
        match self.brokers.is_empty() {
            true => self.ask_next_server(now, effects),
            false => {
                self.end_broker(Err(format!("org.apache.kafka.common.errors.{exception}")), now, effects);
            }
        }
    }

    fn end_broker(
        &mut self,
        apis: Result<&'static [wire::response::ApiVersion], String>,
        now: Instant,
        effects: &mut Effects,
    ) {
        let broker = self.brokers.pop_front().expect("a broker was asked");
        self.found.push(BrokerApis { broker, apis });
        self.ask_next_broker(now, effects);
    }

    fn ask_servers(&mut self, now: Instant, effects: &mut Effects) {
        self.servers = bootstrap_nodes(&self.bootstrap_servers).into_iter().rev().collect();
        self.ask_next_server(now, effects);
    }

    fn ask_next_server(&mut self, now: Instant, effects: &mut Effects) {
        match self.servers.pop_front() {
            Some((node, endpoint)) => self.ask(node, endpoint, now),
            None => {
                let nodes =
                    (1..).zip(&self.bootstrap_servers).map(|(id, server)| format!("{server} (id: -{id} rack: null)"));
                let nodes: Vec<String> = nodes.collect();
                let message = format!("Request METADATA failed on brokers List({})", nodes.join(", "));
                let failure = AdminFailure::TimedOut { call: "metadata", message };
                effects.note(EventKind::Client(ClientEvent::AdminFailed(failure)));
                self.exit(ExitStatus(1), effects);
            }
        }
    }

    fn ask_next_broker(&mut self, now: Instant, effects: &mut Effects) {
        match self.brokers.front().map(|broker| (broker.broker_id.0, broker.endpoint.clone())) {
            Some((node, endpoint)) => self.ask(node, endpoint, now),
            None => {
                let answer = AdminAnswer::ApiVersions(std::mem::take(&mut self.found));
                effects.note(EventKind::Client(ClientEvent::AdminAnswered(Box::new(answer))));
                self.exit(ExitStatus(0), effects);
            }
        }
    }

    fn ask(&mut self, node: i32, endpoint: Endpoint, now: Instant) {
        self.asking = Some(Asking { node, endpoint, correlation_id: None, give_up_at: now + REQUEST_TIMEOUT });
    }

    fn exit(&mut self, status: ExitStatus, effects: &mut Effects) {
        self.network.close_all(effects);
        self.has_ended = true;
        effects.exit(status);
    }
}

const DISCONNECTED: &str = "DisconnectException";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::testing::{World, brokers};
    use crate::spec::{AdminAction, Program};
    use wire::response::{ApiVersionsResponse, MetadataResponse};

    fn metadata(brokers: Vec<MetadataBroker>) -> Response {
        Response::Metadata(MetadataResponse { brokers, controller_id: None, topics: Vec::new() })
    }

    #[test]
    fn it_waits_until_a_broker_is_known_and_asks_once_more_which_there_are() {
        let mut world = World::start(Program::Admin(AdminAction::ApiVersions), &[9_092], &[9_092, 9_093, 9_094]);
        let mut asked_for_metadata = 0;
        world.run(1_000, &mut |asked| match asked.request {
            Request::Metadata(_) => {
                asked_for_metadata += 1;
                Some(metadata(if asked_for_metadata < 3 { Vec::new() } else { brokers() }))
            }
            Request::ApiVersions => {
                Some(Response::ApiVersions(ApiVersionsResponse::without_features(ListenerKind::Broker)))
            }
            _ => panic!("it asks nothing else"),
        });
        assert_eq!((asked_for_metadata, world.exit), (4, Some(ExitStatus(0))));
        let events = world.take_events();
        let [ClientEvent::AdminAnswered(answer)] = &*events else { panic!("{events:?}") };
        let AdminAnswer::ApiVersions(found) = &**answer else { panic!("{answer:?}") };
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn brokers_that_are_gone_when_it_asks_once_more_are_not_told_of() {
        let mut world = World::start(Program::Admin(AdminAction::ApiVersions), &[9_092], &[9_092]);
        let mut answers = [brokers(), Vec::new()].into_iter();
        world.run(1_000, &mut |_| Some(metadata(answers.next().expect("it asks twice"))));
        let events = world.take_events();
        let [ClientEvent::AdminAnswered(answer)] = &*events else { panic!("{events:?}") };
        assert_eq!(**answer, AdminAnswer::ApiVersions(Vec::new()));
    }
}
