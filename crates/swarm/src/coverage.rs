//! What runs were about: a fault that never strikes, and a checker that never has anything to check, prove nothing.

use crate::action::Kind;
use kafka::event::{BrokerEvent, ChangeReason, ClientEvent, ClientLog, ControllerEvent, EventKind};
use sim::{Checker, Event, EventId, Session};
use std::collections::BTreeMap;
use wire::ErrorCode;

/// How often what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Things that were done.
    pub actions: BTreeMap<Kind, u64>,
    /// Events of note.
    pub events: BTreeMap<&'static str, u64>,
    /// Error codes that somebody was told of.
    pub errors: BTreeMap<&'static str, u64>,
    /// How often each checker had something to check.
    pub checks: BTreeMap<Checker, u64>,
    /// Virtual seconds.
    pub seconds: u64,
    /// Steps of worlds.
    pub steps: u64,
}

impl Coverage {
    pub(crate) fn count_action(&mut self, kind: Kind) {
        *self.actions.entry(kind).or_default() += 1;
    }

    /// A run is over.
    pub(crate) fn count_run(&mut self, session: &Session) {
        session.events(EventId(0)).for_each(|event| self.count_event(&event));
        for checker in Checker::ALL {
            *self.checks.entry(checker).or_default() += session.times_checked(checker);
        }
        self.seconds += session.now().0 / 1_000_000;
        self.steps += session.steps();
    }

    fn count_event(&mut self, event: &Event) {
        if let Some(name) = name_of(&event.kind) {
            *self.events.entry(name).or_default() += 1;
        }
        if let Some(error) = error_of(&event.kind) {
            *self.errors.entry(error.name()).or_default() += 1;
        }
    }

    /// Adds what other runs were about.
    pub fn add(&mut self, other: &Coverage) {
        sum(&mut self.actions, &other.actions);
        sum(&mut self.events, &other.events);
        sum(&mut self.errors, &other.errors);
        sum(&mut self.checks, &other.checks);
        self.seconds += other.seconds;
        self.steps += other.steps;
    }
}

fn sum<K: Copy + Ord>(into: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    from.iter().for_each(|(key, times)| *into.entry(*key).or_default() += times);
}

fn name_of(kind: &EventKind) -> Option<&'static str> {
    match kind {
        EventKind::Broker(BrokerEvent::LogTruncated { .. }) => Some("log truncated"),
        EventKind::Broker(BrokerEvent::BecameFenced) => Some("broker fenced while it ran"),
        EventKind::Broker(BrokerEvent::ControlledShutdownCompleted) => Some("clean stop"),
        EventKind::Controller(ControllerEvent::PartitionWentOffline { .. }) => Some("partition offline"),
        EventKind::Controller(ControllerEvent::LeaderElected { is_unclean: true, .. }) => Some("unclean election"),
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

fn error_of(kind: &EventKind) -> Option<ErrorCode> {
    match kind {
        EventKind::Broker(BrokerEvent::ProduceRejected { error, .. })
        | EventKind::Controller(ControllerEvent::AlterPartitionRejected { error, .. })
        | EventKind::Client(ClientEvent::Logged(
            ClientLog::ProduceRetried { error, .. } | ClientLog::ProduceMetadataError { error, .. },
        )) => Some(*error),
        EventKind::Broker(_)
        | EventKind::Controller(_)
        | EventKind::ZooKeeper(_)
        | EventKind::Client(_)
        | EventKind::Operator(_) => None,
    }
}
