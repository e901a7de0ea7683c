//! What runs were about: a fault that never strikes, and a checker that never has anything to check, prove nothing.

use crate::action::Kind;
use kafka::event::{BrokerEvent, ChangeReason, ClientEvent, ControllerEvent, EventKind, ZooKeeperEvent};
use sim::{Checker, Event, EventId, Session};
use std::collections::BTreeMap;
use wire::ErrorCode;

const CLIENT_SIDE: &str = "made up by clients";
const NO_IDEMPOTENCE: &str = "producers are not idempotent yet";
const NEVER_ASKED: &str = "no client asks for that";
const ONE_DIRECTORY: &str = "a broker has one log directory, and ends with it";
const TIMING: &str = "a matter of timing: met now and then";

/// The codes that some hundred runs need not meet, and why. They must meet all others.
pub const NOT_EXPECTED: [(ErrorCode, &str); 25] = [
    (ErrorCode::None, "no error"),
    (ErrorCode::UnknownServerError, TIMING),
    (ErrorCode::CorruptMessage, "nothing is corrupted on its way"),
    (ErrorCode::RequestTimedOut, "clients give up as early as servers do"),
    (ErrorCode::BrokerNotAvailable, TIMING),
    (ErrorCode::NetworkException, CLIENT_SIDE),
    (ErrorCode::NotEnoughReplicasAfterAppend, "the high watermark stands still below min.insync.replicas"),
    (ErrorCode::InvalidRequiredAcks, NEVER_ASKED),
    (ErrorCode::UnsupportedVersion, CLIENT_SIDE),
    (ErrorCode::OutOfOrderSequenceNumber, NO_IDEMPOTENCE),
    (ErrorCode::DuplicateSequenceNumber, NO_IDEMPOTENCE),
    (ErrorCode::InvalidProducerEpoch, NO_IDEMPOTENCE),
    (ErrorCode::InvalidTxnState, NO_IDEMPOTENCE),
    (ErrorCode::TransactionCoordinatorFenced, NO_IDEMPOTENCE),
    (ErrorCode::UnknownProducerId, NO_IDEMPOTENCE),
    (ErrorCode::KafkaStorageError, ONE_DIRECTORY),
    (ErrorCode::LogDirNotFound, ONE_DIRECTORY),
    (ErrorCode::ReassignmentInProgress, TIMING),
    (ErrorCode::InvalidFetchSessionEpoch, "clients count the fetches of a session right"),
    (ErrorCode::UnsupportedCompressionType, NEVER_ASKED),
    (ErrorCode::NoReassignmentInProgress, "only what was listed as under way is cancelled"),
    (ErrorCode::FeatureUpdateFailed, "controllers do not fail at that"),
    (ErrorCode::SnapshotNotFound, TIMING),
    (ErrorCode::PositionOutOfRange, TIMING),
    (ErrorCode::InconsistentTopicId, TIMING),
];

/// How often what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Things that were done.
    pub actions: BTreeMap<Kind, u64>,
    /// Events of note.
    pub events: BTreeMap<&'static str, u64>,
    /// Error codes of answers that arrived.
    pub errors: BTreeMap<&'static str, u64>,
    /// How often each checker had something to check.
    pub checks: BTreeMap<Checker, u64>,
    /// Virtual seconds.
    pub seconds: u64,
    /// Steps of worlds.
    pub steps: u64,
}

/// The page, which must stay small, asks for no counts.
const IS_COUNTED: bool = cfg!(not(target_arch = "wasm32"));

impl Coverage {
    pub(crate) fn count_action(&mut self, kind: Kind) {
        if IS_COUNTED {
            *self.actions.entry(kind).or_default() += 1;
        }
    }

    /// A broker had to be restarted so that all became well.
    pub(crate) fn count_restart(&mut self) {
        if IS_COUNTED {
            *self.events.entry("restart that healed").or_default() += 1;
        }
    }

    /// A run is over.
    pub(crate) fn count_run(&mut self, session: &Session) {
        if !IS_COUNTED {
            return;
        }
        session.events(EventId(0)).for_each(|event| self.count_event(&event));
        for (error, times) in session.answers().filter(|(error, _)| !error.is_none()) {
            *self.errors.entry(error.name()).or_default() += times;
        }
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
        EventKind::Controller(ControllerEvent::EligibleLeadersChanged { .. }) => Some("eligible leaders changed"),
        EventKind::Controller(ControllerEvent::ReassignmentStarted { .. }) => Some("reassignment started"),
        EventKind::Controller(ControllerEvent::ReassignmentCompleted { .. }) => Some("reassignment completed"),
        EventKind::Controller(ControllerEvent::ReassignmentCancelled { .. }) => Some("reassignment cancelled"),
        EventKind::Controller(ControllerEvent::ConfigChanged { .. }) => Some("configuration changed"),
        EventKind::Controller(ControllerEvent::SnapshotLoaded { .. }) => Some("snapshot loaded"),
        EventKind::Controller(ControllerEvent::MetadataLogTruncated { .. }) => Some("metadata log truncated"),
        EventKind::Broker(BrokerEvent::LogCompacted { .. }) => Some("log compacted"),
        EventKind::Broker(BrokerEvent::SegmentsDeleted { .. }) => Some("segments deleted"),
        EventKind::Broker(BrokerEvent::RecordsDeleted { .. }) => Some("records deleted"),
        EventKind::Broker(BrokerEvent::TornBatchCut { .. }) => Some("torn batch cut"),
        EventKind::Broker(BrokerEvent::PreferredReadReplicaChosen { .. }) => Some("preferred read replica chosen"),
        EventKind::Broker(BrokerEvent::SessionExpired) => Some("session with ZooKeeper lost"),
        EventKind::Broker(BrokerEvent::ControllerFenced { .. }) => Some("controller fenced by a broker"),
        EventKind::ZooKeeper(ZooKeeperEvent::ControllerElected { .. }) => Some("ZooKeeper controller elected"),
        EventKind::ZooKeeper(ZooKeeperEvent::ControllerResigned { .. }) => Some("ZooKeeper controller resigned"),
        EventKind::Client(ClientEvent::BatchAcknowledged { .. }) => Some("acknowledgement"),
        EventKind::Client(ClientEvent::RecordConsumed { .. }) => Some("record consumed"),
        EventKind::Broker(_)
        | EventKind::Controller(_)
        | EventKind::ZooKeeper(_)
        | EventKind::Client(_)
        | EventKind::Operator(_) => None,
    }
}
