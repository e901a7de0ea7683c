//! A broker's life from registration to controlled shutdown (`kafka.server.BrokerLifecycleManager`, KIP-631): one
//! registration or heartbeat at a time, and what the controller's answers make of the broker's state.

use super::backoff::ExponentialBackoff;
use super::channel::{Channel, ChannelId};
use super::controller_channel::{ControllerChannel, Purpose};
use super::{Broker, Step, timers};
use crate::Rng;
use crate::config::BrokerConfig;
use crate::event::{BrokerEvent, EventKind};
use crate::instant::Duration;
use crate::node::{ExitStatus, Listener};
use crate::storage::DiskWrite;
use crate::view::BrokerState;
use rand::RngExt;
use wire::request::{BrokerHeartbeatRequest, BrokerRegistrationRequest};
use wire::response::{BrokerHeartbeatResponse, BrokerRegistrationResponse};
use wire::{BrokerEpoch, ErrorCode, IncarnationId, Request};

/// How soon the next heartbeat follows while the broker starts.
const STARTING_HEARTBEAT_INTERVAL_MS: i64 = 10;
/// How soon a heartbeat follows the first answer during controlled shutdown.
const FIRST_SHUTDOWN_HEARTBEAT_INTERVAL_MS: i64 = 50;
/// How long a broker waits for the controller to let it go (`BrokerServer.shutdown`).
const SHUTDOWN_TIMEOUT_MS: i64 = 300_000;
/// Exit status of a process that cannot start.
const EXIT_ON_FAILURE: ExitStatus = ExitStatus(1);
/// Exit status of a Java process that SIGTERM has ended, however well its shutdown went.
pub(super) const EXIT_ON_SHUTDOWN: ExitStatus = ExitStatus(143);
/// How long a channel to the controller waits before it connects again.
pub(super) const CONTROLLER_RECONNECT_BACKOFF: ExponentialBackoff =
    ExponentialBackoff { initial_ms: 50, max_ms: 50, jitter_permille: 0 };

/// Whether a registration or heartbeat is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Communication {
    /// The timer says when the next one is due.
    Scheduled,
    /// One is under way; when the answer is there, its kind says when the next one is due.
    InFlight,
    /// One is under way, and the next one is to follow at once.
    InFlightThenAtOnce,
}

/// Where the broker is in its life.
#[derive(Clone, Debug)]
pub(super) struct Lifecycle {
    /// The channel to the controller.
    pub(super) channel: ControllerChannel,
    incarnation_id: IncarnationId,
    previous_broker_epoch: Option<BrokerEpoch>,
    backoff: ExponentialBackoff,
    failed_attempts: u32,
    is_ready_to_unfence: bool,
    has_controlled_shutdown_response: bool,
    communication: Communication,
}

impl Lifecycle {
    /// A process that has not registered; draws its incarnation id.
    pub(super) fn new(config: &BrokerConfig, rng: &mut Rng) -> Lifecycle {
        let session_timeout_ms = config.broker_session_timeout_ms;
        let retry_timeout = Duration::from_ms(session_timeout_ms / 2);
        let request_timeout = retry_timeout.min(Duration::from_ms(config.controller_socket_timeout_ms));
        let channel = Channel::new(ChannelId::Heartbeat, CONTROLLER_RECONNECT_BACKOFF, request_timeout);
        Lifecycle {
            channel: ControllerChannel::new(channel, Some(retry_timeout)),
            incarnation_id: IncarnationId(rng.random()),
            previous_broker_epoch: None,
            backoff: ExponentialBackoff { initial_ms: 100, max_ms: session_timeout_ms, jitter_permille: 20 },
            failed_attempts: 0,
            is_ready_to_unfence: false,
            has_controlled_shutdown_response: false,
            communication: Communication::Scheduled,
        }
    }
}

impl Broker {
    /// The process starts: the clean-shutdown file is read and removed, and registration begins.
    pub(super) fn start_lifecycle(&mut self, clean_shutdown: Option<BrokerEpoch>, step: &mut Step<'_>) {
        self.membership.lifecycle_mut().previous_broker_epoch = clean_shutdown;
        if clean_shutdown.is_some() {
            step.effects.write(DiskWrite::CleanShutdown(None));
        }
        let timeout = Duration::from_ms(self.setup.config.initial_broker_registration_timeout_ms);
        step.effects.set_timer(timers::single(timers::REGISTRATION_TIMEOUT), step.now + timeout);
        self.on_communication_due(step);
    }

    /// Registers or sends a heartbeat, unless one is under way.
    pub(super) fn on_communication_due(&mut self, step: &mut Step<'_>) {
        let communication = &mut self.membership.lifecycle_mut().communication;
        match communication {
            Communication::InFlight | Communication::InFlightThenAtOnce => {
                *communication = Communication::InFlightThenAtOnce;
            }
            Communication::Scheduled => self.communicate(step),
        }
    }

    fn communicate(&mut self, step: &mut Step<'_>) {
        let (purpose, request) = match self.broker_epoch {
            None => (Purpose::Registration, self.registration()),
            Some(broker_epoch) => (Purpose::Heartbeat, self.heartbeat(broker_epoch)),
        };
        let lifecycle = self.membership.lifecycle_mut();
        lifecycle.communication = Communication::InFlight;
        lifecycle.channel.enqueue(purpose, request, step.now);
        self.advance(ChannelId::Heartbeat, step);
    }

    fn registration(&self) -> Request {
        let lifecycle = self.membership.lifecycle();
        Request::BrokerRegistration(BrokerRegistrationRequest {
            broker_id: self.setup.broker_id,
            incarnation_id: lifecycle.incarnation_id,
            endpoint: self.setup.spec.endpoint.clone(),
            rack: self.setup.spec.rack.clone(),
            previous_broker_epoch: lifecycle.previous_broker_epoch.unwrap_or(BrokerEpoch::NONE),
        })
    }

    fn heartbeat(&self, broker_epoch: BrokerEpoch) -> Request {
        Request::BrokerHeartbeat(BrokerHeartbeatRequest {
            broker_id: self.setup.broker_id,
            broker_epoch,
            current_metadata_offset: self.membership.metadata_log().applied,
            want_fence: !self.membership.lifecycle().is_ready_to_unfence,
            want_shut_down: self.state == BrokerState::PendingControlledShutdown,
        })
    }

    /// The controller answered the registration.
    pub(super) fn on_registration(&mut self, response: BrokerRegistrationResponse, step: &mut Step<'_>) {
        if response.error != ErrorCode::None {
            return self.on_communication_failed(step);
        }
        let broker_epoch = response.broker_epoch;
        self.membership.lifecycle_mut().failed_attempts = 0;
        self.broker_epoch = Some(broker_epoch);
        step.effects.cancel_timer(timers::single(timers::REGISTRATION_TIMEOUT));
        step.effects.note(EventKind::Broker(BrokerEvent::Registered { broker_epoch }));
        self.communicate_after(Duration::default(), step);
    }

    /// The controller answered a heartbeat.
    pub(super) fn on_heartbeat(&mut self, response: BrokerHeartbeatResponse, step: &mut Step<'_>) {
        if response.error != ErrorCode::None {
            return self.on_communication_failed(step);
        }
        self.membership.lifecycle_mut().failed_attempts = 0;
        let interval = Duration::from_ms(self.setup.config.broker_heartbeat_interval_ms);
        match self.state {
            BrokerState::Starting => self.on_heartbeat_while_starting(response, step),
            BrokerState::Recovery => {
                if !response.is_fenced {
                    self.become_ready(step);
                }
                self.communicate_after(interval, step);
            }
            BrokerState::Running => self.communicate_after(interval, step),
            BrokerState::PendingControlledShutdown => self.on_heartbeat_while_shutting_down(response, step),
            BrokerState::ShuttingDown => {}
        }
    }

    fn on_heartbeat_while_starting(&mut self, response: BrokerHeartbeatResponse, step: &mut Step<'_>) {
        if response.is_caught_up {
            self.state = BrokerState::Recovery;
        }
        let wait_ms = if self.becomes_ready_to_unfence() { 0 } else { STARTING_HEARTBEAT_INTERVAL_MS };
        self.communicate_after(Duration::from_ms(wait_ms), step);
    }

    /// Metadata was published for the first time.
    pub(super) fn on_first_publish(&mut self, step: &mut Step<'_>) {
        if self.becomes_ready_to_unfence() {
            self.communicate_at_once(step);
        }
    }

    /// Caught up and with metadata published, the broker asks to be unfenced.
    fn becomes_ready_to_unfence(&mut self) -> bool {
        let is_ready = self.state == BrokerState::Recovery && self.membership.metadata_log().is_published;
        let lifecycle = self.membership.lifecycle_mut();
        let was_ready = lifecycle.is_ready_to_unfence;
        lifecycle.is_ready_to_unfence = was_ready || is_ready;
        !was_ready && is_ready
    }

    fn communicate_at_once(&mut self, step: &mut Step<'_>) {
        step.effects.cancel_timer(timers::single(timers::COMMUNICATION));
        self.on_communication_due(step);
    }

    fn become_ready(&mut self, step: &mut Step<'_>) {
        self.state = BrokerState::Running;
        step.effects.listen(Listener::Plaintext);
        step.effects.note(EventKind::Broker(BrokerEvent::BecameReady));
    }

    /// A registration or heartbeat came to nothing: the next one follows after a back-off.
    pub(super) fn on_communication_failed(&mut self, step: &mut Step<'_>) {
        let lifecycle = self.membership.lifecycle_mut();
        let wait = lifecycle.backoff.after(lifecycle.failed_attempts, &mut self.outbound.rng);
        lifecycle.failed_attempts = lifecycle.failed_attempts.saturating_add(1);
        lifecycle.communication = Communication::InFlight;
        self.communicate_after(wait, step);
    }

    fn communicate_after(&mut self, wait: Duration, step: &mut Step<'_>) {
        let lifecycle = self.membership.lifecycle_mut();
        let at_once = lifecycle.communication == Communication::InFlightThenAtOnce;
        lifecycle.communication = Communication::Scheduled;
        if at_once || wait == Duration::default() {
            self.communicate(step);
        } else {
            step.effects.set_timer(timers::single(timers::COMMUNICATION), step.now + wait);
        }
    }

    /// The process cannot go on: its properties are wrong, or it could not register in time.
    pub(super) fn give_up(&mut self, step: &mut Step<'_>) {
        self.state = BrokerState::ShuttingDown;
        step.effects.exit(EXIT_ON_FAILURE);
    }

    /// SIGTERM: a running broker asks the controller to move its leaderships away first.
    pub(super) fn begin_controlled_shutdown(&mut self, step: &mut Step<'_>) {
        match self.state {
            BrokerState::Running if self.setup.config.controlled_shutdown_enable => {
                self.state = BrokerState::PendingControlledShutdown;
                step.effects.note(EventKind::Broker(BrokerEvent::ControlledShutdownStarted));
                let deadline = step.now + Duration::from_ms(SHUTDOWN_TIMEOUT_MS);
                step.effects.set_timer(timers::single(timers::SHUTDOWN_TIMEOUT), deadline);
                self.communicate_at_once(step);
            }
            BrokerState::Running | BrokerState::Starting | BrokerState::Recovery => self.finish_shutdown(step),
            BrokerState::PendingControlledShutdown | BrokerState::ShuttingDown => {}
        }
    }

    fn on_heartbeat_while_shutting_down(&mut self, response: BrokerHeartbeatResponse, step: &mut Step<'_>) {
        if response.should_shut_down {
            step.effects.note(EventKind::Broker(BrokerEvent::ControlledShutdownCompleted));
            return self.finish_shutdown(step);
        }
        let lifecycle = self.membership.lifecycle_mut();
        let is_first = !std::mem::replace(&mut lifecycle.has_controlled_shutdown_response, true);
        let wait_ms = if is_first {
            FIRST_SHUTDOWN_HEARTBEAT_INTERVAL_MS
        } else {
            self.setup.config.broker_heartbeat_interval_ms
        };
        self.communicate_after(Duration::from_ms(wait_ms), step);
    }

    /// Writes down what the next run wants to know, and exits.
    pub(super) fn finish_shutdown(&mut self, step: &mut Step<'_>) {
        self.state = BrokerState::ShuttingDown;
        self.close_logs(step);
        self.checkpoint_high_watermarks(step);
        let broker_epoch = self.broker_epoch.or(self.membership.lifecycle().previous_broker_epoch);
        if broker_epoch.is_some() {
            step.effects.write(DiskWrite::CleanShutdown(broker_epoch));
        }
        step.effects.exit(EXIT_ON_SHUTDOWN);
    }
}
