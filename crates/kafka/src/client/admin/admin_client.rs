//! One administrative call at a time: choosing a node, sending, timing out and trying again
//! (`KafkaAdminClient` with its `AdminMetadataManager`), with the client's defaults.

use crate::Rng;
use crate::client::alarm::earlier;
use crate::client::backoff::ExponentialBackoff;
use crate::client::metadata::bootstrap_nodes;
use crate::client::network_client::{NetworkClient, NetworkEvent, Outcome};
use crate::client::split_rng;
use crate::instant::{Duration, Instant, WallClock};
use crate::node::{Effects, Identity, Input};
use std::collections::BTreeMap;
use wire::request::MetadataRequest;
use wire::response::{ListenerKind, MetadataResponse};
use wire::{BrokerId, Endpoint, Request, Response};

/// `default.api.timeout.ms`.
const API_TIMEOUT: Duration = Duration(60_000_000);
/// `request.timeout.ms`.
const REQUEST_TIMEOUT: Duration = Duration(30_000_000);
/// `retry.backoff.ms`: how long between two looks for a node, too.
const POLL: Duration = Duration(100_000);
/// `retry.backoff.ms` and `retry.backoff.max.ms`.
const RETRY: ExponentialBackoff = ExponentialBackoff { initial_ms: 100, max_ms: 1_000 };
/// How late Linux may end a long sleep: a thousandth of it, and at most so much (`select_estimate_accuracy`).
const MAX_TIMER_SLACK: Duration = Duration(100_000);
/// Calls on one connection: the admin client sends one after another.
const MAX_IN_FLIGHT: i32 = 100;

/// Which node a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeChoice {
    /// Any broker.
    LeastLoaded,
    /// The one that takes requests for the controller.
    Controller,
    /// This one.
    Broker(BrokerId),
}

/// How far a request is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// No node is chosen.
    Pending,
    /// It was answered with an error that passes, and is made again in a while. The real client looks leaders up again
    /// without any pause, so that a request is always on its way: when time is up it says so.
    BackingOff,
    /// A node is chosen but not connected; it is given up at `give_up_at`.
    Assigned { node: i32, give_up_at: Instant },
    /// It was sent.
    InFlight { correlation_id: i32 },
}

/// A call of the admin client.
#[derive(Clone, Debug)]
struct Call {
    name: &'static str,
    request: Request,
    to: NodeChoice,
    deadline: Instant,
    tries: u32,
    next_try_at: Instant,
    progress: Progress,
}

/// The client's own request for metadata (`fetchMetadata`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MetadataFetch {
    Quiescent,
    Requested,
    Running(Progress),
}

/// What became of a call.
#[derive(Clone, Debug)]
pub(super) enum CallOutcome {
    /// It was answered.
    Answered(Response),
    /// No node could be asked in time; the text does not name the call.
    NoNode(&'static str),
    /// The one broker that could answer is gone: it may have to be another one now.
    Disconnected,
    /// It was sent, but not answered in time; with Kafka's whole text.
    TimedOut(String),
    /// The server is a KRaft controller, which does not serve admin clients here.
    NotABroker,
    /// The server does not know the request; with its name in Kafka.
    Unsupported(&'static str),
}

/// The admin client.
#[derive(Clone, Debug)]
pub(super) struct AdminClient {
    network: NetworkClient,
    clock: WallClock,
    nodes: BTreeMap<i32, Endpoint>,
    is_bootstrap: bool,
    controller: Option<BrokerId>,
    metadata: MetadataFetch,
    last_metadata_attempt: Option<Instant>,
    call: Option<Call>,
    answered: Option<Call>,
    look_again_at: Option<Instant>,
    polled_at: Instant,
    rng: Rng,
}

fn timer_slack(slept: Duration) -> Duration {
    Duration(slept.0 / 1_000).min(MAX_TIMER_SLACK)
}

impl AdminClient {
    /// The wall clock was set.
    pub(super) fn set_clock(&mut self, clock: WallClock) {
        self.clock = clock;
    }

    /// Only the bootstrap servers are known.
    pub(super) fn new(bootstrap_servers: &[Endpoint], identity: &Identity, mut rng: Rng) -> AdminClient {
        AdminClient {
            network: NetworkClient::new(identity, MAX_IN_FLIGHT, REQUEST_TIMEOUT, split_rng(&mut rng)),
            clock: identity.clock,
            nodes: bootstrap_nodes(bootstrap_servers),
            is_bootstrap: true,
            controller: None,
            metadata: MetadataFetch::Requested,
            last_metadata_attempt: None,
            call: None,
            answered: None,
            look_again_at: None,
            polled_at: Instant::ZERO,
            rng,
        }
    }

    /// Starts a call. The one before must have ended.
    pub(super) fn start_call(&mut self, name: &'static str, request: Request, to: NodeChoice, now: Instant) {
        assert!(self.call.is_none(), "one call at a time");
        let (deadline, progress) = (now + API_TIMEOUT, Progress::Pending);
        self.call = Some(Call { name, request, to, deadline, tries: 0, next_try_at: now, progress });
    }

    /// Goes on with another request for the same purpose, within the time of the call that was answered last.
    pub(super) fn continue_call(&mut self, name: &'static str, request: Request, to: NodeChoice, now: Instant) {
        let Call { deadline, tries, .. } = self.answered.take().expect("only an answered call is continued");
        self.call = Some(Call { name, request, to, deadline, tries, next_try_at: now, progress: Progress::Pending });
    }

    /// Like `continue_call`, but as another try: after a back-off, if there is time for it.
    pub(super) fn retry_call(
        &mut self,
        name: &'static str,
        request: Request,
        to: NodeChoice,
        now: Instant,
    ) -> Option<CallOutcome> {
        self.request_metadata();
        let answered = self.answered.take().expect("only an answered call is made again");
        let outcome = self.fail_call(Call { name, request, to, ..answered }, now);
        if let Some(call) = &mut self.call {
            call.progress = Progress::BackingOff;
        }
        outcome
    }

    /// The controller turned out to be another one: asks for fresh metadata and makes the answered call again. Returns
    /// what became of it if it is too late for that.
    pub(super) fn retry_with_other_controller(&mut self, now: Instant) -> Option<CallOutcome> {
        self.controller = None;
        self.request_metadata();
        let call = self.answered.take().expect("only an answered call is made again");
        self.fail_call(call, now)
    }

    /// Takes a network input in.
    pub(super) fn on_input(&mut self, now: Instant, input: Input, effects: &mut Effects) -> Option<CallOutcome> {
        let events = self.network.on_input(now, input, effects);
        self.on_events(events, now)
    }

    /// Moves the call and the client's metadata on.
    pub(super) fn poll(&mut self, now: Instant, effects: &mut Effects) -> Option<CallOutcome> {
        (self.look_again_at, self.polled_at) = (None, now);
        let events = self.network.expire(now, effects);
        if let Some(outcome) = self.on_events(events, now).or_else(|| self.time_out_call(now)) {
            return Some(outcome);
        }
        if let Some(outcome) = self.poll_metadata(now, effects) {
            self.call = None;
            return Some(outcome);
        }
        if let Some(name) = self.unsupported_request() {
            self.call = None;
            return Some(CallOutcome::Unsupported(name));
        }
        self.poll_call(now, effects);
        None
    }

    /// Requests of the metadata quorum are not sent to brokers that have none.
    fn unsupported_request(&self) -> Option<&'static str> {
        let call = self.call.as_ref().filter(|call| !matches!(call.progress, Progress::InFlight { .. }))?;
        let name = if matches!(call.request, Request::DescribeQuorum) {
            "DESCRIBE_QUORUM"
        } else if matches!(call.request, Request::UnregisterBroker(_)) {
            "UNREGISTER_BROKER"
        } else {
            return None;
        };
        let is_without = |node: &i32| self.network.listener(*node) == Some(ListenerKind::ZooKeeperBroker);
        self.nodes.keys().any(is_without).then_some(name)
    }

    /// Closes every connection.
    pub(super) fn close(&mut self, effects: &mut Effects) {
        self.network.close_all(effects);
    }

    /// When there is something to do without an input. It does not wake for a request that takes longer than
    /// `request.timeout.ms`, but only when the call has no time left (`AdminClientRunnable.processRequests`), and then as
    /// late as Linux wakes whoever sleeps long: a broker that gives up after the same minute is heard.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let call = self.call.as_ref().map(|call| call.deadline + Duration::from_ms(1));
        let of_metadata = matches!(self.metadata, MetadataFetch::Running(Progress::InFlight { .. }));
        let metadata = self.metadata_deadline().filter(|_| of_metadata);
        let slept = earlier(call, metadata).map(|at| at + timer_slack(at.since(self.polled_at)));
        earlier(self.network.next_setup_deadline(), earlier(self.look_again_at, slept))
    }

    fn metadata_deadline(&self) -> Option<Instant> {
        self.last_metadata_attempt.map(|at| at + REQUEST_TIMEOUT)
    }

    fn on_events(&mut self, events: Vec<NetworkEvent>, now: Instant) -> Option<CallOutcome> {
        let mut outcome = None;
        for event in events {
            match event {
                NetworkEvent::Completed { correlation_id, outcome: ended, .. } => {
                    outcome = self.on_completed(correlation_id, ended, now).or(outcome);
                }
                NetworkEvent::ServerDisconnected { node } => self.on_server_disconnected(node),
            }
        }
        outcome
    }

    /// Requests that wait for a connection to this node look for another one.
    fn on_server_disconnected(&mut self, node: i32) {
        self.request_metadata();
        let lost =
            |progress: Progress| matches!(progress, Progress::Assigned { node: assigned, .. } if assigned == node);
        if let MetadataFetch::Running(progress) = &mut self.metadata
            && lost(*progress)
        {
            *progress = Progress::Pending;
        }
        if let Some(call) = self.call.as_mut().filter(|call| lost(call.progress)) {
            call.progress = Progress::Pending;
        }
    }

    fn on_completed(&mut self, correlation_id: i32, outcome: Outcome, now: Instant) -> Option<CallOutcome> {
        let sent = Progress::InFlight { correlation_id };
        if self.metadata == MetadataFetch::Running(sent) {
            self.on_metadata(outcome);
            return None;
        }
        let call = self.call.take_if(|call| call.progress == sent)?;
        match outcome {
            Outcome::Answered(response) => {
                self.answered = Some(call);
                Some(CallOutcome::Answered(response))
            }
            Outcome::Disconnected | Outcome::TimedOut => match call.to {
                NodeChoice::LeastLoaded | NodeChoice::Controller => self.fail_call(call, now),
                NodeChoice::Broker(_) => {
                    self.answered = Some(call);
                    Some(CallOutcome::Disconnected)
                }
            },
        }
    }

    fn on_metadata(&mut self, outcome: Outcome) {
        self.metadata = MetadataFetch::Requested;
        if let Outcome::Answered(Response::Metadata(response)) = outcome {
            self.metadata = MetadataFetch::Quiescent;
            self.learn(&response);
        }
    }

    fn learn(&mut self, response: &MetadataResponse) {
        self.controller = response.controller_id;
        if !response.brokers.is_empty() {
            let brokers = response.brokers.iter();
            self.nodes = brokers.map(|broker| (broker.broker_id.0, broker.endpoint.clone())).collect();
            self.is_bootstrap = false;
        }
    }

    /// The call was cut off: it is made again unless its time is over.
    fn fail_call(&mut self, mut call: Call, now: Instant) -> Option<CallOutcome> {
        call.next_try_at = now + RETRY.after(call.tries, &mut self.rng);
        call.tries += 1;
        if now >= call.deadline {
            return Some(CallOutcome::TimedOut(self.describe_timeout(&call, now)));
        }
        call.progress = Progress::Pending;
        self.call = Some(call);
        None
    }

    fn describe_timeout(&self, call: &Call, now: Instant) -> String {
        let Call { name, tries, .. } = call;
        let (deadline, next_try) = (self.clock.at(call.deadline), self.clock.at(call.next_try_at));
        let now = self.clock.at(now);
        format!(
            "Call(callName={name}, deadlineMs={deadline}, tries={tries}, nextAllowedTryMs={next_try}) timed out at {now} \
             after {tries} attempt(s)"
        )
    }

    fn time_out_call(&mut self, now: Instant) -> Option<CallOutcome> {
        let call = self.call.take_if(|call| now > call.deadline)?;
        match call.progress {
            Progress::Pending => Some(CallOutcome::NoNode("Timed out waiting for a node assignment.")),
            Progress::Assigned { .. } => Some(CallOutcome::NoNode("Timed out waiting to send the call.")),
            Progress::BackingOff | Progress::InFlight { .. } => self.fail_call(call, now),
        }
    }

    fn request_metadata(&mut self) {
        if self.metadata == MetadataFetch::Quiescent {
            self.metadata = MetadataFetch::Requested;
        }
    }

    fn poll_metadata(&mut self, now: Instant, effects: &mut Effects) -> Option<CallOutcome> {
        if self.metadata == MetadataFetch::Requested {
            let may_try_at = self.last_metadata_attempt.map_or(now, |last| last + POLL);
            if now < may_try_at {
                self.look_again(may_try_at);
                return None;
            }
            self.last_metadata_attempt = Some(now);
            self.metadata = MetadataFetch::Running(Progress::Pending);
        }
        let MetadataFetch::Running(progress) = self.metadata else { return None };
        if matches!(progress, Progress::Assigned { node, .. } if self.is_controller(node)) {
            return Some(CallOutcome::NotABroker);
        }
        let mut deadline = self.metadata_deadline().expect("it is being attempted");
        if now > deadline && !matches!(progress, Progress::InFlight { .. }) {
            self.last_metadata_attempt = Some(now);
            deadline = now + REQUEST_TIMEOUT;
        }
        let request = Request::Metadata(MetadataRequest { topics: Some(Vec::new()), allow_auto_topic_creation: true });
        let next = self.advance(progress, NodeChoice::LeastLoaded, &request, deadline, now, effects);
        self.metadata = MetadataFetch::Running(next);
        None
    }

    fn poll_call(&mut self, now: Instant, effects: &mut Effects) {
        let Some(mut call) = self.call.clone() else { return };
        if now < call.next_try_at {
            self.look_again(call.next_try_at);
            return;
        }
        if call.progress == Progress::BackingOff {
            call.progress = Progress::Pending;
        }
        if call.progress == Progress::Pending && (self.is_bootstrap || self.is_missing(call.to)) {
            self.request_metadata();
            self.look_again(now + POLL);
            return;
        }
        let progress = self.advance(call.progress, call.to, &call.request, call.deadline, now, effects);
        if let Some(call) = &mut self.call {
            call.progress = progress;
        }
    }

    fn is_missing(&self, to: NodeChoice) -> bool {
        let wanted = match to {
            NodeChoice::LeastLoaded => return false,
            NodeChoice::Controller => self.controller,
            NodeChoice::Broker(broker) => Some(broker),
        };
        wanted.is_none_or(|broker| !self.nodes.contains_key(&broker.0))
    }

    fn look_again(&mut self, at: Instant) {
        self.look_again_at = earlier(self.look_again_at, Some(at));
    }

    /// Moves a request from choosing a node over connecting to being sent.
    fn advance(
        &mut self,
        progress: Progress,
        to: NodeChoice,
        request: &Request,
        deadline: Instant,
        now: Instant,
        effects: &mut Effects,
    ) -> Progress {
        let (node, give_up_at) = match progress {
            Progress::InFlight { .. } => return progress,
            Progress::Assigned { node, give_up_at } => (node, give_up_at),
            Progress::Pending | Progress::BackingOff => match self.choose(to, now) {
                Some(node) => (node, now + REQUEST_TIMEOUT),
                None => {
                    self.look_again(now + POLL);
                    return Progress::Pending;
                }
            },
        };
        if self.network.can_send(node) {
            let expires_at = deadline.min(now + REQUEST_TIMEOUT);
            let correlation_id = self.network.send_until(node, request.clone(), expires_at, effects);
            return Progress::InFlight { correlation_id };
        }
        if now >= give_up_at {
            self.network.disconnect(node, now, effects);
            self.look_again(now + POLL);
            return Progress::Pending;
        }
        self.look_again(give_up_at);
        self.connect(node, now, effects);
        Progress::Assigned { node, give_up_at }
    }

    fn choose(&mut self, to: NodeChoice, now: Instant) -> Option<i32> {
        match to {
            NodeChoice::Controller => self.controller.map(|controller| controller.0),
            NodeChoice::Broker(broker) => Some(broker.0),
            NodeChoice::LeastLoaded => {
                let nodes: Vec<i32> = self.nodes.keys().copied().collect();
                self.network.least_loaded(&nodes, now)
            }
        }
    }

    fn connect(&mut self, node: i32, now: Instant, effects: &mut Effects) {
        if let Some(endpoint) = self.nodes.get(&node).cloned() {
            self.network.ensure_connected(node, &endpoint, now, effects);
        }
        if let Some(at) = self.network.backs_off_until(node, now) {
            self.look_again(at.max(now + POLL));
        }
    }

    /// Whether the server that a request would go to is a controller.
    fn is_controller(&self, node: i32) -> bool {
        self.network.listener(node) == Some(ListenerKind::Controller)
    }
}
