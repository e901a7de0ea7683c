//! A controller registers with the active one, which may be itself (`kafka.server.ControllerRegistrationManager`;
//! KIP-919): once the cluster's features are known and whenever the log does not show this very process.

use super::{Running, TimerKind};
use crate::Rng;
use crate::instant::{Duration, Instant};
use crate::node::{ConnectionId, Effects, Identity};
use crate::raft::{FIRST_CONNECTION, Links, Patience};
use rand::RngExt;
use wire::request::ControllerRegistrationRequest;
use wire::{Endpoint, ErrorCode, IncarnationId, Request, Response};

/// How long a registration is tried before it counts as failed.
const RETRY_TIMEOUT_MS: i64 = 5_000;
/// The pause after the first failure; it doubles with each, up to the next.
const BACKOFF_MS: i64 = 100;
const MAX_BACKOFF_MS: i64 = 120_000;
const PATIENCE: Patience =
    Patience { request_timeout: Duration(RETRY_TIMEOUT_MS as u64 * 1_000), retry_backoff: Duration(50_000) };

/// Where this process is with it.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    incarnation_id: IncarnationId,
    links: Links,
    rng: Rng,
    /// When the registration under way was begun.
    pending_since: Option<Instant>,
    /// What the log showed of this controller when the registration was answered: it is about to show another.
    answered_over: Option<Option<IncarnationId>>,
    failures: u32,
    retry_at: Instant,
    timer_at: Option<Instant>,
}

impl Registration {
    /// A process that has not registered; draws its incarnation id.
    pub(super) fn new(identity: Identity, voters: &[(i32, Endpoint)], mut rng: Rng) -> Registration {
        Registration {
            incarnation_id: IncarnationId(rng.random()),
            links: Links::new(identity, FIRST_CONNECTION, voters.iter()),
            rng,
            pending_since: None,
            answered_over: None,
            failures: 0,
            retry_at: Instant::ZERO,
            timer_at: None,
        }
    }

    fn fail(&mut self, now: Instant) {
        let backoff_ms = (BACKOFF_MS << self.failures.min(20)).min(MAX_BACKOFF_MS);
        let jittered = backoff_ms * self.rng.random_range(980..=1_020) / 1_000;
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now + Duration::from_ms(jittered);
        self.pending_since = None;
    }

    fn deadline(&self) -> Option<Instant> {
        self.pending_since.map(|since| since + Duration::from_ms(RETRY_TIMEOUT_MS))
    }
}

impl Running {
    /// Registers if that is due and possible.
    pub(super) fn advance_registration(&mut self, now: Instant, effects: &mut Effects) {
        let needs_registration = self.needs_registration();
        let registration = &mut self.registration;
        let is_at_rest = registration.timer_at.is_none() && registration.pending_since.is_none();
        if is_at_rest && !needs_registration {
            return;
        }
        registration.links.expire(now, PATIENCE, &mut registration.rng, effects);
        if registration.deadline().is_some_and(|deadline| now >= deadline) {
            registration.fail(now);
        }
        if needs_registration && now >= self.registration.retry_at {
            self.registration.pending_since.get_or_insert(now);
            self.send_registration(now, effects);
        }
        self.set_registration_timer(now, effects);
    }

    /// Looks at what is committed only.
    fn needs_registration(&self) -> bool {
        let is_all_committed = self.raft.high_watermark().is_some_and(|end| end >= self.replayed_to);
        let known = self.registered_incarnation();
        !self.is_shutting_down
            && is_all_committed
            && !self.image.features().is_empty()
            && !self.is_registered()
            && self.registration.answered_over != Some(known)
    }

    /// Whether the metadata log shows this very process.
    pub(super) fn is_registered(&self) -> bool {
        self.registered_incarnation() == Some(self.registration.incarnation_id)
    }

    fn registered_incarnation(&self) -> Option<IncarnationId> {
        self.image.controllers().get(&self.node_id.0).map(|known| known.incarnation_id)
    }

    fn send_registration(&mut self, now: Instant, effects: &mut Effects) {
        let Some(leader) = self.raft.leader() else { return };
        let incarnation_id = self.registration.incarnation_id;
        let (controller_id, endpoint) = (self.node_id.0, &self.endpoint);
        let request = || {
            let endpoint = endpoint.clone();
            Request::ControllerRegistration(ControllerRegistrationRequest { controller_id, incarnation_id, endpoint })
        };
        self.registration.links.try_send(leader, now, PATIENCE, request, effects);
    }

    fn set_registration_timer(&mut self, now: Instant, effects: &mut Effects) {
        let registration = &mut self.registration;
        let pause = (registration.retry_at > now).then_some(registration.retry_at);
        let next = [registration.links.next_deadline(now), registration.deadline(), pause];
        let next = next.into_iter().flatten().min();
        if next != registration.timer_at {
            registration.timer_at = next;
            match next {
                Some(at) => effects.set_timer(TimerKind::Registration.timer(0), at),
                None => effects.cancel_timer(TimerKind::Registration.timer(0)),
            }
        }
    }

    /// Something is due.
    pub(super) fn on_registration_timer(&mut self, now: Instant, effects: &mut Effects) {
        self.registration.timer_at = None;
        self.advance_registration(now, effects);
    }

    /// A connection is established, perhaps the registration's.
    pub(super) fn on_registration_connected(&mut self, now: Instant, connection: ConnectionId, effects: &mut Effects) {
        self.registration.links.on_connected(connection);
        self.advance_registration(now, effects);
    }

    /// A connection is gone, perhaps the registration's.
    pub(super) fn on_registration_disconnected(&mut self, now: Instant, connection: ConnectionId) {
        let registration = &mut self.registration;
        registration.links.on_disconnected(connection, now, PATIENCE, &mut registration.rng);
    }

    /// The active controller has answered, or one that is not active.
    pub(super) fn on_registration_response(
        &mut self,
        now: Instant,
        answer: (ConnectionId, i32),
        response: &Response,
        effects: &mut Effects,
    ) {
        let known = self.registered_incarnation();
        let registration = &mut self.registration;
        let voter = registration.links.on_response(answer.0, answer.1);
        if let (Some(voter), Response::ControllerRegistration(response)) = (voter, response) {
            if response.error.is_none() {
                (registration.pending_since, registration.failures) = (None, 0);
                registration.answered_over = Some(known);
            } else if response.error == ErrorCode::NotController {
                registration.links.back_off(voter, now + PATIENCE.retry_backoff);
            } else {
                registration.fail(now);
            }
        }
        self.advance_registration(now, effects);
    }
}
