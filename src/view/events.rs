//! Which events matter most, for the short list, and which are marked on the time bar.

use kafka::event::{BrokerEvent, ClientEvent, ControllerEvent, EventKind, OperatorEvent, ZooKeeperEvent};
use kafka::fault::{DiskCondition, LinkChange};
use kafka::instant::Instant;
use sim::Event;

/// A mark on the time bar; of several in one place the last of these is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// Something was put right.
    Repair,
    /// Something was made to go wrong.
    Fault,
    /// A check failed.
    Break,
}

impl Mark {
    /// Its name in the style sheet.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Mark::Repair => "repair",
            Mark::Fault => "fault",
            Mark::Break => "break",
        }
    }
}

/// The mark of what was done to the cluster from outside. That servers start at the beginning is none.
pub(crate) fn mark_of(event: &Event) -> Option<Mark> {
    let EventKind::Operator(done) = &event.kind else { return None };
    match done {
        OperatorEvent::ProcessStarted if event.at == Instant::ZERO => None,
        OperatorEvent::ProcessStarted
        | OperatorEvent::ProcessThawed
        | OperatorEvent::ServerAdded
        | OperatorEvent::DiskChanged { condition: DiskCondition::Sound }
        | OperatorEvent::ClockSet { offset_ms: 0 }
        | OperatorEvent::LinksChanged { change: LinkChange::Heal, .. } => Some(Mark::Repair),
        OperatorEvent::ProcessKilled
        | OperatorEvent::ShutdownRequested
        | OperatorEvent::ProcessFrozen
        | OperatorEvent::PowerLost
        | OperatorEvent::DiskChanged { .. }
        | OperatorEvent::ClockSet { .. }
        | OperatorEvent::LinksChanged { .. }
        | OperatorEvent::ServerRemoved => Some(Mark::Fault),
        OperatorEvent::ClientStarted { .. } | OperatorEvent::DiskWriteFailed | OperatorEvent::ProcessExited { .. } => {
            None
        }
    }
}

/// Whether an event changes what the cluster can do, or ends something: elections, the in-sync replicas, processes,
/// refusals and truncations; not the daily traffic of records.
pub(crate) fn is_important(kind: &EventKind) -> bool {
    match kind {
        EventKind::Operator(_) => true,
        EventKind::Controller(event) => is_important_to_controller(event),
        EventKind::Broker(event) => is_important_to_broker(event),
        EventKind::ZooKeeper(event) => is_important_to_zookeeper(event),
        EventKind::Client(event) => is_important_to_client(event),
    }
}

fn is_important_to_controller(event: &ControllerEvent) -> bool {
    match event {
        ControllerEvent::BecameActive { .. }
        | ControllerEvent::NoLongerActive { .. }
        | ControllerEvent::BecameCandidate { .. }
        | ControllerEvent::VoteGranted { .. }
        | ControllerEvent::VoteRejected { .. }
        | ControllerEvent::WonElection { .. }
        | ControllerEvent::LostElection { .. }
        | ControllerEvent::LeaderResigned { .. }
        | ControllerEvent::FollowsQuorumLeader { .. }
        | ControllerEvent::MetadataLogTruncated { .. }
        | ControllerEvent::SnapshotWritten { .. }
        | ControllerEvent::SnapshotLoaded { .. }
        | ControllerEvent::BrokerUnfenced { .. }
        | ControllerEvent::BrokerFenced { .. }
        | ControllerEvent::ControlledShutdownStarted { .. }
        | ControllerEvent::TopicCreated { .. }
        | ControllerEvent::PartitionsAdded { .. }
        | ControllerEvent::TopicDeleted { .. }
        | ControllerEvent::LeaderElected { .. }
        | ControllerEvent::PartitionWentOffline { .. }
        | ControllerEvent::IsrChanged { .. }
        | ControllerEvent::EligibleLeadersChanged { .. }
        | ControllerEvent::ReassignmentStarted { .. }
        | ControllerEvent::ReassignmentCompleted { .. }
        | ControllerEvent::ReassignmentCancelled { .. }
        | ControllerEvent::ConfigChanged { .. }
        | ControllerEvent::FeatureLevelChanged { .. }
        | ControllerEvent::BrokerUnregistered { .. }
        | ControllerEvent::AlterPartitionRejected { .. } => true,
        ControllerEvent::BrokerRegistered { .. } => false,
    }
}

fn is_important_to_broker(event: &BrokerEvent) -> bool {
    match event {
        BrokerEvent::BecameReady
        | BrokerEvent::BecameFenced
        | BrokerEvent::ControlledShutdownCompleted
        | BrokerEvent::ControlledShutdownFailed
        | BrokerEvent::SessionExpired
        | BrokerEvent::RegistrationRefused
        | BrokerEvent::ControllerFenced { .. }
        | BrokerEvent::DuplicateFound { .. }
        | BrokerEvent::TornBatchCut { .. }
        | BrokerEvent::LogTruncated { .. }
        | BrokerEvent::SegmentsDeleted { .. }
        | BrokerEvent::LogCompacted { .. }
        | BrokerEvent::RecordsDeleted { .. }
        | BrokerEvent::ProduceRejected { .. } => true,
        BrokerEvent::Registered { .. }
        | BrokerEvent::ControlledShutdownStarted
        | BrokerEvent::BecameLeader { .. }
        | BrokerEvent::BecameFollower { .. }
        | BrokerEvent::RecordsAppended { .. }
        | BrokerEvent::RecordsReplicated { .. }
        | BrokerEvent::HighWatermarkAdvanced { .. }
        | BrokerEvent::IsrChangeProposed { .. }
        | BrokerEvent::PreferredReadReplicaChosen { .. }
        | BrokerEvent::FetchSessionEvicted { .. } => false,
    }
}

fn is_important_to_zookeeper(event: &ZooKeeperEvent) -> bool {
    match event {
        ZooKeeperEvent::SessionExpired { .. }
        | ZooKeeperEvent::ControllerElected { .. }
        | ZooKeeperEvent::ControllerResigned { .. } => true,
        ZooKeeperEvent::SessionCreated { .. } | ZooKeeperEvent::SessionClosed { .. } => false,
    }
}

fn is_important_to_client(event: &ClientEvent) -> bool {
    match event {
        ClientEvent::RecordFailed { .. }
        | ClientEvent::ConsumerTimedOut
        | ClientEvent::ConsumerFinished { .. }
        | ClientEvent::ConsumerFailed { .. }
        | ClientEvent::AdminAnswered(_)
        | ClientEvent::AdminFailed(_) => true,
        ClientEvent::BatchAcknowledged { .. }
        | ClientEvent::RecordConsumed { .. }
        | ClientEvent::PositionReset { .. }
        | ClientEvent::LeaderDiscovered { .. }
        | ClientEvent::Logged(_)
        | ClientEvent::TopicCreated(_)
        | ClientEvent::TopicsListed(_)
        | ClientEvent::TopicsDescribed(_) => false,
    }
}
