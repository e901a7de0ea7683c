//! Who is alive (`org.apache.kafka.controller.BrokerHeartbeatManager`, KIP-631): when each broker was last heard of, how
//! much metadata it has applied, and what its next state is. Soft state of the active controller; nothing of it is in
//! the metadata log.

use crate::instant::{Duration, Instant};
use std::collections::BTreeMap;
use wire::request::BrokerHeartbeatRequest;
use wire::{BrokerId, Offset};

/// `BrokerControlState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BrokerControlState {
    /// Does not serve.
    Fenced,
    /// Serves.
    Unfenced,
    /// Hands its leaderships over.
    ControlledShutdown,
    /// May exit; fenced.
    ShutdownNow,
}

impl BrokerControlState {
    pub(super) fn is_fenced(self) -> bool {
        matches!(self, BrokerControlState::Fenced | BrokerControlState::ShutdownNow)
    }
}

/// The state a broker is in, and the one its heartbeat leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BrokerControlStates {
    pub(super) current: BrokerControlState,
    pub(super) next: BrokerControlState,
}

/// All registered brokers.
#[derive(Clone, Debug)]
pub(super) struct Heartbeats {
    session_timeout: Duration,
    brokers: BTreeMap<BrokerId, Tracked>,
    touches: u64,
}

#[derive(Clone, Copy, Debug)]
struct Tracked {
    is_fenced: bool,
    last_contact: Instant,
    /// Orders brokers that were heard of at the same instant.
    touch: u64,
    metadata_offset: Offset,
    /// Where the metadata log ended when its controlled shutdown began.
    controlled_shutdown_offset: Option<Offset>,
}

impl Heartbeats {
    pub(super) fn new(session_timeout: Duration) -> Heartbeats {
        Heartbeats { session_timeout, brokers: BTreeMap::new(), touches: 0 }
    }

    /// A broker process has registered, or this controller has just become the active one.
    pub(super) fn register(&mut self, broker: BrokerId, is_fenced: bool, now: Instant) {
        self.brokers.remove(&broker);
        let tracked = Tracked {
            is_fenced,
            last_contact: now,
            touch: 0,
            metadata_offset: Offset(-1),
            controlled_shutdown_offset: None,
        };
        self.brokers.insert(broker, tracked);
        self.touch(broker, is_fenced, Offset(-1), now);
    }

    /// A broker was heard of.
    pub(super) fn touch(&mut self, broker: BrokerId, is_fenced: bool, metadata_offset: Offset, now: Instant) {
        self.touches += 1;
        let tracked = self.brokers.get_mut(&broker).expect("only registered brokers are tracked");
        tracked.last_contact = now;
        tracked.touch = self.touches;
        tracked.metadata_offset = metadata_offset;
        tracked.is_fenced = is_fenced;
        if is_fenced {
            tracked.controlled_shutdown_offset = None;
        }
    }

    /// A record about the broker was replayed. If that was known here already, what it had applied is forgotten until its
    /// next heartbeat: with an unfenced broker nobody's controlled shutdown ends before that.
    pub(super) fn replayed(&mut self, broker: BrokerId, is_fenced: bool, now: Instant) {
        let Some(tracked) = self.brokers.get(&broker) else { return };
        let metadata_offset = if tracked.is_fenced == is_fenced { Offset(-1) } else { tracked.metadata_offset };
        self.touch(broker, is_fenced, metadata_offset, now);
    }

    /// A broker is registered no more.
    pub(super) fn remove(&mut self, broker: BrokerId) {
        self.brokers.remove(&broker);
    }

    /// A broker's session has run out.
    pub(super) fn fence(&mut self, broker: BrokerId) {
        let tracked = self.brokers.get_mut(&broker).expect("only registered brokers are tracked");
        tracked.is_fenced = true;
        tracked.controlled_shutdown_offset = None;
    }

    /// Whether the broker is unfenced and was heard of within the session timeout (`hasValidSession`): a fenced one has
    /// none, so that its next process may register at once.
    pub(super) fn has_valid_session(&self, broker: BrokerId, now: Instant) -> bool {
        self.brokers.get(&broker).is_some_and(|tracked| self.is_valid(tracked, now))
    }

    fn is_valid(&self, tracked: &Tracked, now: Instant) -> bool {
        !tracked.is_fenced && tracked.last_contact + self.session_timeout >= now
    }

    /// Whether the broker is shutting down: it gets no new replicas.
    pub(super) fn is_shutting_down(&self, broker: BrokerId) -> bool {
        self.brokers.get(&broker).is_some_and(|tracked| tracked.controlled_shutdown_offset.is_some())
    }

    /// When the next session runs out, if there is one.
    pub(super) fn next_check(&self) -> Option<Instant> {
        self.longest_silent().map(|(_, tracked)| tracked.last_contact + self.session_timeout)
    }

    /// The broker that has been silent longest, if its session has run out.
    pub(super) fn find_one_stale_broker(&self, now: Instant) -> Option<BrokerId> {
        let (broker, tracked) = self.longest_silent()?;
        (!self.is_valid(tracked, now)).then_some(broker)
    }

    fn longest_silent(&self) -> Option<(BrokerId, &Tracked)> {
        let unfenced = self.brokers.iter().filter(|(_, tracked)| !tracked.is_fenced);
        let longest = unfenced.min_by_key(|(_, tracked)| (tracked.last_contact, tracked.touch));
        longest.map(|(broker, tracked)| (*broker, tracked))
    }

    /// The least metadata offset that an active broker has applied.
    pub(super) fn lowest_active_offset(&self) -> Option<Offset> {
        let active = self.brokers.values().filter(|tracked| !tracked.is_fenced);
        active
            .filter(|tracked| tracked.controlled_shutdown_offset.is_none())
            .map(|tracked| tracked.metadata_offset)
            .min()
    }

    /// Remembers where the metadata log ended when the broker's controlled shutdown began. Only the first call counts.
    pub(super) fn maybe_update_controlled_shutdown_offset(&mut self, broker: BrokerId, offset: Offset) {
        let tracked = self.brokers.get_mut(&broker).expect("only registered brokers are tracked");
        assert!(!tracked.is_fenced, "fenced brokers cannot enter controlled shutdown");
        tracked.controlled_shutdown_offset.get_or_insert(offset);
    }

    /// What a heartbeat leads to. `registration_offset` is where the broker's registration stands in the metadata log.
    pub(super) fn calculate_next_broker_state(
        &self,
        request: &BrokerHeartbeatRequest,
        registration_offset: Offset,
        has_leaderships: impl Fn() -> bool,
    ) -> BrokerControlStates {
        let tracked = self.brokers.get(&request.broker_id).expect("only registered brokers are tracked");
        let current = current_state(tracked);
        let next = match current {
            BrokerControlState::Fenced => next_of_fenced(request, registration_offset),
            BrokerControlState::Unfenced => next_of_unfenced(request, has_leaderships),
            BrokerControlState::ControlledShutdown => self.next_of_shutting_down(tracked, has_leaderships),
            BrokerControlState::ShutdownNow => BrokerControlState::ShutdownNow,
        };
        BrokerControlStates { current, next }
    }

    fn next_of_shutting_down(&self, tracked: &Tracked, has_leaderships: impl Fn() -> bool) -> BrokerControlState {
        let shutdown_offset = tracked.controlled_shutdown_offset.unwrap_or(Offset(-1));
        let others_know = self.lowest_active_offset().is_none_or(|lowest| shutdown_offset <= lowest);
        if !has_leaderships() && others_know {
            BrokerControlState::ShutdownNow
        } else {
            BrokerControlState::ControlledShutdown
        }
    }
}

fn current_state(tracked: &Tracked) -> BrokerControlState {
    match (tracked.controlled_shutdown_offset, tracked.is_fenced) {
        (Some(_), _) => BrokerControlState::ControlledShutdown,
        (None, true) => BrokerControlState::Fenced,
        (None, false) => BrokerControlState::Unfenced,
    }
}

fn next_of_fenced(request: &BrokerHeartbeatRequest, registration_offset: Offset) -> BrokerControlState {
    let is_caught_up = request.current_metadata_offset >= registration_offset;
    match (request.want_shut_down, request.want_fence) {
        (true, _) => BrokerControlState::ShutdownNow,
        (false, false) if is_caught_up => BrokerControlState::Unfenced,
        (false, _) => BrokerControlState::Fenced,
    }
}

fn next_of_unfenced(request: &BrokerHeartbeatRequest, has_leaderships: impl Fn() -> bool) -> BrokerControlState {
    match (request.want_fence, request.want_shut_down) {
        (true, true) => BrokerControlState::ShutdownNow,
        (true, false) => BrokerControlState::Fenced,
        (false, true) if has_leaderships() => BrokerControlState::ControlledShutdown,
        (false, true) => BrokerControlState::ShutdownNow,
        (false, false) => BrokerControlState::Unfenced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::BrokerEpoch;

    fn at(milliseconds: u64) -> Instant {
        Instant(milliseconds * 1_000)
    }

    fn fenced_brokers(count: i32) -> Heartbeats {
        let mut heartbeats = Heartbeats::new(Duration::from_ms(10));
        (0..count).for_each(|broker| heartbeats.register(BrokerId(broker), true, at(0)));
        heartbeats
    }

    fn sessions(heartbeats: &Heartbeats, now: Instant) -> Vec<bool> {
        (0..4).map(|broker| heartbeats.has_valid_session(BrokerId(broker), now)).collect()
    }

    #[test]
    fn a_session_is_valid_for_the_session_timeout() {
        let mut heartbeats = fenced_brokers(3);
        heartbeats.touch(BrokerId(0), false, Offset(0), at(0));
        heartbeats.touch(BrokerId(1), false, Offset(0), at(5));
        heartbeats.touch(BrokerId(2), false, Offset(0), at(5));
        assert_eq!(sessions(&heartbeats, at(5)), [true, true, true, false]);
        assert_eq!(sessions(&heartbeats, at(11)), [false, true, true, false]);
    }

    #[test]
    fn the_longest_silent_broker_is_found_first() {
        let mut heartbeats = fenced_brokers(3);
        heartbeats.touch(BrokerId(0), false, Offset(0), at(0));
        heartbeats.touch(BrokerId(1), false, Offset(0), at(5));
        heartbeats.touch(BrokerId(2), false, Offset(0), at(6));
        assert_eq!(heartbeats.find_one_stale_broker(at(6)), None);
        assert_eq!(heartbeats.find_one_stale_broker(at(11)), Some(BrokerId(0)));
        heartbeats.fence(BrokerId(0));
        assert_eq!(heartbeats.find_one_stale_broker(at(11)), None);
        assert_eq!(heartbeats.find_one_stale_broker(at(31)), Some(BrokerId(1)));
        heartbeats.fence(BrokerId(1));
        assert_eq!(heartbeats.find_one_stale_broker(at(31)), Some(BrokerId(2)));
        heartbeats.fence(BrokerId(2));
        assert_eq!((heartbeats.find_one_stale_broker(at(31)), heartbeats.next_check()), (None, None));
    }

    #[test]
    fn the_next_check_is_when_the_oldest_session_runs_out() {
        let mut heartbeats = fenced_brokers(4);
        assert_eq!(heartbeats.next_check(), None);
        for (broker, time) in [(0, 0), (1, 2), (2, 3), (3, 4)] {
            heartbeats.touch(BrokerId(broker), false, Offset(0), at(time));
        }
        assert_eq!(heartbeats.next_check(), Some(at(10)));
        heartbeats.fence(BrokerId(0));
        assert_eq!(heartbeats.next_check(), Some(at(12)));
        heartbeats.fence(BrokerId(1));
        heartbeats.fence(BrokerId(2));
        assert_eq!(heartbeats.next_check(), Some(at(14)));
    }

    #[test]
    fn brokers_that_shut_down_are_not_active() {
        let mut heartbeats = fenced_brokers(5);
        for (broker, offset) in [(0, 100), (1, 100), (2, 98), (3, 100)] {
            heartbeats.touch(BrokerId(broker), false, Offset(offset), at(0));
        }
        assert_eq!(heartbeats.lowest_active_offset(), Some(Offset(98)));
        heartbeats.maybe_update_controlled_shutdown_offset(BrokerId(2), Offset(0));
        assert_eq!(heartbeats.lowest_active_offset(), Some(Offset(100)));
        assert!(heartbeats.is_shutting_down(BrokerId(2)) && !heartbeats.is_shutting_down(BrokerId(4)));
    }

    #[test]
    fn only_the_first_offset_of_a_controlled_shutdown_counts() {
        let mut heartbeats = fenced_brokers(1);
        heartbeats.touch(BrokerId(0), false, Offset(90), at(0));
        for offset in [98, 99] {
            heartbeats.maybe_update_controlled_shutdown_offset(BrokerId(0), Offset(offset));
            assert_eq!(heartbeats.brokers[&BrokerId(0)].controlled_shutdown_offset, Some(Offset(98)));
        }
        heartbeats.touch(BrokerId(0), true, Offset(101), at(1));
        assert!(!heartbeats.is_shutting_down(BrokerId(0)), "a fenced broker has left its controlled shutdown");
    }

    #[test]
    fn what_a_broker_has_applied_is_forgotten_when_its_unfencing_is_replayed() {
        let mut heartbeats = fenced_brokers(2);
        heartbeats.touch(BrokerId(0), false, Offset(100), at(1));
        heartbeats.touch(BrokerId(1), true, Offset(90), at(1));
        assert_eq!(heartbeats.lowest_active_offset(), Some(Offset(100)));
        heartbeats.replayed(BrokerId(0), false, at(2));
        assert_eq!(heartbeats.lowest_active_offset(), Some(Offset(-1)));
        heartbeats.touch(BrokerId(0), false, Offset(101), at(3));
        heartbeats.replayed(BrokerId(1), false, at(3));
        assert_eq!(heartbeats.lowest_active_offset(), Some(Offset(90)), "news leave it as it was");
        heartbeats.remove(BrokerId(1));
        assert_eq!(heartbeats.lowest_active_offset(), Some(Offset(101)));
    }

    fn request(broker: i32) -> BrokerHeartbeatRequest {
        BrokerHeartbeatRequest {
            broker_id: BrokerId(broker),
            broker_epoch: BrokerEpoch(0),
            current_metadata_offset: Offset(0),
            want_fence: false,
            want_shut_down: false,
        }
    }

    #[test]
    fn heartbeats_lead_to_the_states_of_the_real_manager() {
        use BrokerControlState::{ControlledShutdown, Fenced, ShutdownNow, Unfenced};
        let mut heartbeats = fenced_brokers(6);
        for (broker, offset) in [(1, 98), (2, 100), (3, 100), (5, 99)] {
            heartbeats.touch(BrokerId(broker), false, Offset(offset), at(0));
        }
        heartbeats.maybe_update_controlled_shutdown_offset(BrokerId(5), Offset(99));
        let next = |heartbeats: &Heartbeats, request: BrokerHeartbeatRequest, leads: bool| {
            let states = heartbeats.calculate_next_broker_state(&request, Offset(100), || leads);
            (states.current, states.next)
        };
        let shut_down = |broker: i32| BrokerHeartbeatRequest { want_shut_down: true, ..request(broker) };
        let at_offset = |offset: i64| BrokerHeartbeatRequest { current_metadata_offset: Offset(offset), ..request(0) };
        let want_fence = |broker: i32| BrokerHeartbeatRequest { want_fence: true, ..request(broker) };
        assert_eq!(next(&heartbeats, shut_down(0), false), (Fenced, ShutdownNow));
        assert_eq!(next(&heartbeats, at_offset(100), false), (Fenced, Unfenced));
        assert_eq!(next(&heartbeats, at_offset(50), false), (Fenced, Fenced));
        assert_eq!(next(&heartbeats, want_fence(0), false), (Fenced, Fenced));
        assert_eq!(next(&heartbeats, want_fence(1), true), (Unfenced, Fenced));
        assert_eq!(next(&heartbeats, shut_down(1), true), (Unfenced, ControlledShutdown));
        assert_eq!(next(&heartbeats, shut_down(1), false), (Unfenced, ShutdownNow));
        assert_eq!(next(&heartbeats, request(1), false), (Unfenced, Unfenced));
        assert_eq!(next(&heartbeats, shut_down(5), true), (ControlledShutdown, ControlledShutdown));
        assert_eq!(next(&heartbeats, shut_down(5), false), (ControlledShutdown, ControlledShutdown));
        heartbeats.fence(BrokerId(1));
        assert_eq!(next(&heartbeats, shut_down(5), false), (ControlledShutdown, ShutdownNow));
        assert_eq!(next(&heartbeats, shut_down(5), true), (ControlledShutdown, ControlledShutdown));
    }
}
