//! A cluster under random faults: brokers and the controller are killed, stopped and started, topics come, grow and go,
//! at random instants. What Kafka's formal specifications promise holds at every look, and once the faults end
//! everything heals.

#[path = "invariants/chaos.rs"]
mod chaos;
#[path = "invariants/checks.rs"]
mod checks;

use chaos::{Chaos, Fault};
use kafka::event::{BrokerEvent, ChangeReason, ClientEvent, ControllerEvent, EventKind};
use sim::{EventId, Session};
use std::collections::BTreeMap;
use wire::ErrorCode;

const SEEDS: u64 = 120;
const REWOUND_SEEDS: u64 = 10;

/// What a run was about, to see that the faults bite.
fn name_of(kind: &EventKind) -> Option<&'static str> {
    match kind {
        EventKind::Broker(BrokerEvent::LogTruncated { .. }) => Some("log truncated"),
        EventKind::Broker(BrokerEvent::BecameFenced) => Some("broker fenced while it ran"),
        EventKind::Broker(BrokerEvent::ControlledShutdownCompleted) => Some("clean stop"),
        EventKind::Broker(BrokerEvent::ProduceRejected { error: ErrorCode::NotEnoughReplicas, .. }) => {
            Some("not enough replicas")
        }
        EventKind::Controller(ControllerEvent::PartitionWentOffline { .. }) => Some("partition offline"),
        EventKind::Controller(ControllerEvent::LeaderElected { reason: Some(_), .. }) => Some("election"),
        EventKind::Controller(ControllerEvent::TopicDeleted { .. }) => Some("topic deleted"),
        EventKind::Controller(ControllerEvent::PartitionsAdded { .. }) => Some("partitions added"),
        EventKind::Controller(ControllerEvent::IsrChanged { reason: ChangeReason::AlterPartition, .. }) => {
            Some("in-sync replicas changed by the leader")
        }
        EventKind::Client(ClientEvent::BatchAcknowledged { .. }) => Some("acknowledgement"),
        EventKind::Client(ClientEvent::RecordConsumed { .. }) => Some("record consumed"),
        EventKind::Broker(_)
        | EventKind::Controller(_)
        | EventKind::ZooKeeper(_)
        | EventKind::Client(_)
        | EventKind::Operator(_) => None,
    }
}

fn count_events(session: &Session, counts: &mut BTreeMap<&'static str, u64>) {
    for name in session.events(EventId(0)).filter_map(|event| name_of(&event.kind)) {
        *counts.entry(name).or_default() += 1;
    }
}

#[test]
fn the_cluster_keeps_its_promises_under_random_faults_and_heals() {
    let (mut counts, mut faults) = (BTreeMap::new(), BTreeMap::new());
    for seed in 0..SEEDS {
        let mut chaos = Chaos::new(seed);
        chaos.run();
        chaos.heal();
        count_events(&chaos.session, &mut counts);
        chaos.faults.iter().for_each(|(fault, times)| *faults.entry(*fault).or_insert(0) += times);
    }
    let expected = [
        ("log truncated", 20),
        ("broker fenced while it ran", 1),
        ("clean stop", 50),
        ("not enough replicas", 100),
        ("partition offline", 100),
        ("election", 1_000),
        ("topic deleted", 50),
        ("partitions added", 20),
        ("in-sync replicas changed by the leader", 1_000),
        ("acknowledgement", 20_000),
        ("record consumed", 20_000),
    ];
    for (name, least) in expected {
        let times = counts.get(name).copied().unwrap_or(0);
        assert!(times >= least, "{name}: {times} times only, in {SEEDS} seeds ({counts:?})");
    }
    for fault in Fault::ALL {
        assert!(faults.get(&fault).is_some_and(|times| *times >= SEEDS / 2), "{fault:?} is rare: {faults:?}");
    }
}

#[test]
fn a_run_with_faults_comes_out_the_same_after_any_rewinding() {
    for seed in 0..REWOUND_SEEDS {
        let mut chaos = Chaos::new(seed);
        chaos.run();
        chaos.rewind_at_random();
    }
}
