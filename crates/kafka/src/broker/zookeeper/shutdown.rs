//! A clean stop: the controller is asked to move the leaderships away, a few times if it must be
//! (`KafkaServer.controlledShutdown`), then the session is closed, which removes the registration at once.

use super::super::channel::{Channel, ChannelId, Readiness};
use super::super::lifecycle::EXIT_ON_SHUTDOWN;
use super::super::{Broker, Step, backoff::ExponentialBackoff, timers};
use crate::config::BrokerConfig;
use crate::event::{BrokerEvent, EventKind};
use crate::instant::Duration;
use crate::node::ConnectionId;
use crate::storage::DiskWrite;
use crate::view::BrokerState;
use wire::request::ControlledShutdownRequest;
use wire::response::ControlledShutdownResponse;
use wire::{BrokerEpoch, Request, Response};

/// A lost connection is not made again by itself: that is the next attempt.
const NO_BACKOFF: ExponentialBackoff = ExponentialBackoff { initial_ms: 0, max_ms: 0, jitter_permille: 0 };

/// The attempts at a controlled shutdown.
#[derive(Clone, Debug)]
pub(in super::super) struct ControlledShutdown {
    /// The channel to the controller.
    pub(in super::super) channel: Channel,
    attempts_left: i32,
    is_attempt_under_way: bool,
}

impl ControlledShutdown {
    /// None was made.
    pub(super) fn new(config: &BrokerConfig) -> ControlledShutdown {
        let request_timeout = Duration::from_ms(config.controller_socket_timeout_ms);
        ControlledShutdown {
            channel: Channel::new(ChannelId::ControlledShutdown, NO_BACKOFF, request_timeout),
            attempts_left: config.controlled_shutdown_max_retries,
            is_attempt_under_way: false,
        }
    }
}

impl Broker {
    /// SIGTERM.
    pub(in super::super) fn begin_shutdown_with_zookeeper(&mut self, step: &mut Step<'_>) {
        match self.state {
            BrokerState::Running if self.setup.config.controlled_shutdown_enable => {
                self.state = BrokerState::PendingControlledShutdown;
                step.effects.note(EventKind::Broker(BrokerEvent::ControlledShutdownStarted));
                self.attempt_controlled_shutdown(step);
            }
            BrokerState::Running | BrokerState::Starting | BrokerState::Recovery => self.close_session(step),
            BrokerState::PendingControlledShutdown | BrokerState::ShuttingDown => {}
        }
    }

    /// Asks once more, if there are attempts left.
    pub(in super::super) fn attempt_controlled_shutdown(&mut self, step: &mut Step<'_>) {
        let shutdown = &mut self.membership.zookeeper_mut().shutdown;
        if shutdown.attempts_left <= 0 {
            return self.close_session(step);
        }
        shutdown.attempts_left -= 1;
        shutdown.is_attempt_under_way = true;
        if self.controllers.active_endpoint().is_none() {
            return self.on_attempt_failed(step);
        }
        self.advance_controlled_shutdown(step);
    }

    /// Connects or asks, as far as that is possible now.
    pub(in super::super) fn advance_controlled_shutdown(&mut self, step: &mut Step<'_>) {
        let request = Request::ControlledShutdown(ControlledShutdownRequest {
            broker_id: self.setup.broker_id,
            broker_epoch: self.broker_epoch_or_none(),
        });
        let shutdown = &mut self.membership.zookeeper_mut().shutdown;
        match (shutdown.is_attempt_under_way, shutdown.channel.readiness(), self.controllers.active_endpoint()) {
            (true, Readiness::Ready, _) => shutdown.channel.send(request, step),
            (true, Readiness::Disconnected, Some(endpoint)) => {
                shutdown.channel.connect(endpoint, &mut self.outbound, step);
            }
            (_, Readiness::Busy, _) | (false, _, _) | (true, Readiness::Disconnected, None) => {}
        }
    }

    /// The controller answered.
    pub(in super::super) fn on_controlled_shutdown_response(
        &mut self,
        (connection, correlation_id): (ConnectionId, i32),
        response: &Response,
        step: &mut Step<'_>,
    ) {
        if !self.membership.zookeeper_mut().shutdown.channel.on_response(connection, correlation_id) {
            return;
        }
        let Response::ControlledShutdown(ControlledShutdownResponse { error, remaining_partitions }) = response else {
            unreachable!("a controlled shutdown was answered with {response:?}")
        };
        if error.is_none() && remaining_partitions.is_empty() {
            step.effects.note(EventKind::Broker(BrokerEvent::ControlledShutdownCompleted));
            return self.close_session(step);
        }
        self.on_attempt_failed(step);
    }

    /// The attempt came to nothing: the next one follows later, or the broker goes as it is.
    pub(in super::super) fn on_attempt_failed(&mut self, step: &mut Step<'_>) {
        let shutdown = &mut self.membership.zookeeper_mut().shutdown;
        if !std::mem::take(&mut shutdown.is_attempt_under_way) {
            return;
        }
        shutdown.channel.disconnect(&mut self.outbound, step);
        if shutdown.attempts_left == 0 {
            step.effects.note(EventKind::Broker(BrokerEvent::ControlledShutdownFailed));
            return self.close_session(step);
        }
        let wait = Duration::from_ms(self.setup.config.controlled_shutdown_retry_backoff_ms);
        step.effects.set_timer(timers::single(timers::CONTROLLED_SHUTDOWN), step.now + wait);
    }

    /// Writes down what the next run wants to know, and ends the session.
    fn close_session(&mut self, step: &mut Step<'_>) {
        self.state = BrokerState::ShuttingDown;
        self.checkpoint_high_watermarks(step);
        step.effects.write(DiskWrite::CleanShutdown(Some(BrokerEpoch::NONE)));
        self.end_session(step);
        step.effects.exit(EXIT_ON_SHUTDOWN);
    }
}
