//! Brokers register, say that they are alive, and fall silent (`org.apache.kafka.controller.ClusterControlManager` and
//! the heartbeat side of `ReplicationControlManager`; KIP-631). Features, listeners beyond one, log directories and
//! cluster ids are not modelled.

use super::heartbeats::{BrokerControlState, Heartbeats};
use super::replication::Cluster;
use crate::event::ChangeReason;
use crate::instant::Instant;
use std::collections::BTreeMap;
use wire::request::{BrokerHeartbeatRequest, BrokerRegistrationRequest};
use wire::response::{BrokerHeartbeatResponse, BrokerRegistrationResponse};
use wire::{BrokerEpoch, BrokerId, ErrorCode, MetadataRecord, Offset};

/// What a registration leads to.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) records: Vec<MetadataRecord>,
    pub(super) response: BrokerRegistrationResponse,
}

/// What a heartbeat leads to.
#[derive(Debug)]
pub(super) struct HeartbeatOutcome {
    pub(super) records: Vec<MetadataRecord>,
    pub(super) reason: Option<ChangeReason>,
    pub(super) response: BrokerHeartbeatResponse,
    /// The broker is in controlled shutdown after this heartbeat.
    pub(super) in_controlled_shutdown: bool,
}

impl Cluster<'_> {
    /// A broker process registers. `next_offset` is where the first of the records will stand.
    pub(super) fn register_broker(
        &self,
        request: &BrokerRegistrationRequest,
        heartbeats: &mut Heartbeats,
        next_offset: Offset,
        now: Instant,
    ) -> Registered {
        let broker = request.broker_id;
        let existing = self.image.brokers().get(&broker);
        let same_incarnation = existing.filter(|existing| existing.incarnation_id == request.incarnation_id);
        match same_incarnation {
            None if heartbeats.has_valid_session(broker, now) => refused(ErrorCode::DuplicateBrokerRegistration),
            None => self.register_incarnation(request, heartbeats, next_offset, now),
            Some(existing) if existing.fenced => {
                heartbeats.register(broker, true, now);
                registered(Vec::new(), request, existing.broker_epoch)
            }
            Some(existing) => {
                let response =
                    BrokerRegistrationResponse { error: ErrorCode::None, broker_epoch: existing.broker_epoch };
                Registered { records: Vec::new(), response }
            }
        }
    }

    /// A new process of the broker: whatever an earlier one was in sync with is not trusted. Where replicas may be
    /// eligible without being in sync, a process that knows the epoch of the one before it is known to have ended cleanly,
    /// and leaves the replicas in sync as if it were fenced: a late heartbeat may have unfenced the dead process.
    fn register_incarnation(
        &self,
        request: &BrokerRegistrationRequest,
        heartbeats: &mut Heartbeats,
        next_offset: Offset,
        now: Instant,
    ) -> Registered {
        heartbeats.register(request.broker_id, true, now);
        let previous = self.image.brokers().get(&request.broker_id).map(|existing| existing.broker_epoch);
        let ended_cleanly = self.rules().eligible_leader_replicas && previous == Some(request.previous_broker_epoch);
        let records = match ended_cleanly {
            true => self.remove_from_isrs(request.broker_id),
            false => self.end_uncleanly(request.broker_id),
        };
        let broker_epoch = BrokerEpoch(next_offset.0 + records.len() as i64);
        registered(records, request, broker_epoch)
    }

    /// A broker says that it is alive. `registration_offsets` tells where each registration stands in the metadata log.
    pub(super) fn on_heartbeat(
        &self,
        request: &BrokerHeartbeatRequest,
        heartbeats: &mut Heartbeats,
        registration_offsets: &BTreeMap<BrokerId, Offset>,
        now: Instant,
    ) -> HeartbeatOutcome {
        let broker = request.broker_id;
        let error = self.check_broker_epoch(broker, request.broker_epoch);
        if !error.is_none() {
            return stale(error);
        }
        let registration_offset = *registration_offsets.get(&broker).expect("every registration has its offset");
        let states =
            heartbeats.calculate_next_broker_state(request, registration_offset, || self.has_leaderships(broker));
        let has_changed = states.current != states.next;
        let records = if has_changed { self.enter(broker, states.next) } else { Vec::new() };
        heartbeats.touch(broker, states.next.is_fenced(), request.current_metadata_offset, now);
        HeartbeatOutcome {
            records,
            reason: reason_for(states.next, request.want_shut_down),
            response: BrokerHeartbeatResponse {
                error,
                is_caught_up: request.current_metadata_offset >= registration_offset,
                is_fenced: states.next.is_fenced(),
                should_shut_down: states.next == BrokerControlState::ShutdownNow,
            },
            in_controlled_shutdown: states.next == BrokerControlState::ControlledShutdown,
        }
    }

    fn enter(&self, broker: BrokerId, state: BrokerControlState) -> Vec<MetadataRecord> {
        match state {
            BrokerControlState::Fenced | BrokerControlState::ShutdownNow => self.fence(broker),
            BrokerControlState::Unfenced => self.unfence(broker),
            BrokerControlState::ControlledShutdown => self.begin_controlled_shutdown(broker),
        }
    }
}

fn reason_for(state: BrokerControlState, want_shut_down: bool) -> Option<ChangeReason> {
    match state {
        BrokerControlState::Fenced if !want_shut_down => Some(ChangeReason::BrokerFenced),
        BrokerControlState::Unfenced => Some(ChangeReason::BrokerUnfenced),
        BrokerControlState::Fenced | BrokerControlState::ShutdownNow | BrokerControlState::ControlledShutdown => {
            Some(ChangeReason::ControlledShutdown)
        }
    }
}

fn registered(
    mut records: Vec<MetadataRecord>,
    request: &BrokerRegistrationRequest,
    broker_epoch: BrokerEpoch,
) -> Registered {
    records.push(MetadataRecord::RegisterBroker {
        broker_id: request.broker_id,
        incarnation_id: request.incarnation_id,
        broker_epoch,
        endpoint: request.endpoint.clone(),
        rack: request.rack.clone(),
    });
    Registered { records, response: BrokerRegistrationResponse { error: ErrorCode::None, broker_epoch } }
}

fn refused(error: ErrorCode) -> Registered {
    let response = BrokerRegistrationResponse { error, broker_epoch: BrokerEpoch::NONE };
    Registered { records: Vec::new(), response }
}

fn stale(error: ErrorCode) -> HeartbeatOutcome {
    let response = BrokerHeartbeatResponse { error, is_caught_up: false, is_fenced: true, should_shut_down: false };
    HeartbeatOutcome { records: Vec::new(), reason: None, response, in_controlled_shutdown: false }
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestCluster;
    use super::*;
    use crate::instant::Duration;
    use wire::{Endpoint, IncarnationId};

    fn request(incarnation: u128) -> BrokerRegistrationRequest {
        BrokerRegistrationRequest {
            broker_id: BrokerId(1),
            incarnation_id: IncarnationId(incarnation),
            endpoint: Endpoint::new("localhost", 9092),
            rack: None,
            previous_broker_epoch: BrokerEpoch::NONE,
        }
    }

    fn register(
        cluster: &mut TestCluster,
        heartbeats: &mut Heartbeats,
        incarnation: u128,
        offset: i64,
        now: Instant,
    ) -> BrokerRegistrationResponse {
        let registered = cluster.as_cluster().register_broker(&request(incarnation), heartbeats, Offset(offset), now);
        cluster.replay(registered.records);
        registered.response
    }

    #[test]
    fn a_new_incarnation_gets_a_new_epoch_and_the_same_one_keeps_its_own() {
        for (second_incarnation, epoch) in [(7, 100), (8, 111)] {
            let mut cluster = TestCluster::with_brokers(0);
            let mut heartbeats = Heartbeats::new(Duration::from_ms(9_000));
            let first = register(&mut cluster, &mut heartbeats, 7, 100, Instant::ZERO);
            let second = register(&mut cluster, &mut heartbeats, second_incarnation, 111, Instant::ZERO);
            assert_eq!((first.broker_epoch, second.broker_epoch), (BrokerEpoch(100), BrokerEpoch(epoch)));
            assert_eq!(cluster.epoch_of(BrokerId(1)), BrokerEpoch(epoch));
        }
    }

    #[test]
    fn another_incarnation_is_refused_while_the_session_is_valid() {
        let mut cluster = TestCluster::with_brokers(0);
        let mut heartbeats = Heartbeats::new(Duration::from_ms(9_000));
        register(&mut cluster, &mut heartbeats, 7, 100, Instant::ZERO);
        cluster.unfence(1);
        heartbeats.touch(BrokerId(1), false, Offset(100), Instant::ZERO);
        let (valid, over) = (Instant(9_000_000), Instant(9_000_001));
        let refused = register(&mut cluster, &mut heartbeats, 8, 111, valid);
        assert_eq!(refused.error, ErrorCode::DuplicateBrokerRegistration);
        assert_eq!(register(&mut cluster, &mut heartbeats, 7, 111, valid).broker_epoch, BrokerEpoch(100));
        assert_eq!(register(&mut cluster, &mut heartbeats, 8, 120, over).broker_epoch, BrokerEpoch(120));
    }

    #[test]
    fn a_new_incarnation_leaves_the_in_sync_replicas_of_the_old_one() {
        let mut cluster = TestCluster::with_brokers(3);
        cluster.create("foo", &[&[1, 2], &[2, 1]]);
        let mut heartbeats = Heartbeats::new(Duration::from_ms(9_000));
        let response = register(&mut cluster, &mut heartbeats, 99, 500, Instant::ZERO);
        assert_eq!(response.broker_epoch, BrokerEpoch(502));
        assert_eq!(cluster.leaders_and_isrs("foo"), ["2 [2]", "2 [2]"]);
    }

    #[test]
    fn heartbeats_of_unknown_registrations_are_stale() {
        let cluster = TestCluster::with_brokers(2);
        let mut heartbeats = Heartbeats::new(Duration::from_ms(9_000));
        for (broker, epoch) in [(1, 999), (7, 107)] {
            let request = BrokerHeartbeatRequest {
                broker_id: BrokerId(broker),
                broker_epoch: BrokerEpoch(epoch),
                current_metadata_offset: Offset(0),
                want_fence: false,
                want_shut_down: false,
            };
            let outcome = cluster.as_cluster().on_heartbeat(&request, &mut heartbeats, &BTreeMap::new(), Instant::ZERO);
            assert_eq!((outcome.response.error, outcome.records.len()), (ErrorCode::StaleBrokerEpoch, 0));
        }
    }
}
