//! Events in English.

use crate::text::{admin_failure_text, failure_text};
use crate::view::format;
use kafka::event::{
    AdminAnswer, BrokerEvent, ChangeReason, ClientEvent, ClientLog, ConfigsOutcome, ControllerEvent, DeletionReason,
    EventKind, OperatorEvent, ReassignOutcome, TruncationReason, ZooKeeperEvent, ZooKeeperTold,
};
use kafka::fault::{DiskCondition, LinkChange, Links};
use kafka::node::NodeId;
use wire::request::ConfigResource;
use wire::zookeeper::ZnodePath;
use wire::{BrokerId, LeaderEpoch, Offset, TopicPartition};

pub(super) fn sentence(kind: &EventKind, node: &str) -> String {
    let sentence = match kind {
        EventKind::Operator(event) => operator(event, node),
        EventKind::Controller(event) => controller(event, node),
        EventKind::Broker(event) => broker(event, node),
        EventKind::ZooKeeper(event) => zookeeper(event, node),
        EventKind::Client(event) => client(event, node),
    };
    capitalised(&sentence)
}

/// Sentences begin with a capital, but names of partitions and programs keep theirs.
fn capitalised(sentence: &str) -> String {
    for word in ["broker", "controller", "a "] {
        if let Some(rest) = sentence.strip_prefix(word) {
            return format!("{}{}{rest}", word[..1].to_uppercase(), &word[1..]);
        }
    }
    sentence.to_owned()
}

fn operator(event: &OperatorEvent, node: &str) -> String {
    match event {
        OperatorEvent::ProcessStarted | OperatorEvent::ClientStarted { .. } => format!("{node} was started."),
        OperatorEvent::ProcessKilled => format!("{node} was killed (SIGKILL)."),
        OperatorEvent::ShutdownRequested => format!("{node} was asked to shut down (SIGTERM)."),
        OperatorEvent::ProcessExited { status } => format!("{node} exited with status {}.", status.0),
        OperatorEvent::ProcessFrozen => format!("{node} was frozen (SIGSTOP)."),
        OperatorEvent::ProcessThawed => format!("{node} goes on (SIGCONT)."),
        OperatorEvent::PowerLost => format!("{node} lost its power, and with it what its disk had not flushed."),
        OperatorEvent::DiskChanged { condition } => format!("{node}: {}.", disk(*condition)),
        OperatorEvent::DiskWriteFailed => format!("{node} could not write: its disk is full."),
        OperatorEvent::ClockSet { offset_ms } => {
            format!("{node}: its clock was set {} ms {}.", offset_ms.abs(), ahead(*offset_ms))
        }
        OperatorEvent::LinksChanged { links, change } => format!("{}: {}.", links_named(*links), link_change(*change)),
        OperatorEvent::ServerAdded => format!("{node} was added."),
        OperatorEvent::ServerRemoved => format!("{node} was taken away with its disk."),
    }
}

fn disk(condition: DiskCondition) -> String {
    match condition {
        DiskCondition::Sound => "its disk is sound again".to_owned(),
        DiskCondition::Slow(delay) => format!("each write to its disk takes {} ms", format::milliseconds(delay)),
        DiskCondition::Full => "its disk is full".to_owned(),
    }
}

fn ahead(offset_ms: i64) -> &'static str {
    if offset_ms < 0 { "behind" } else { "ahead" }
}

fn links_named(links: Links) -> String {
    match links {
        Links::All => "All links".to_owned(),
        Links::Of(node) => format!("All links of {node}"),
        Links::Between(one, other) => format!("The link between {one} and {other}"),
        Links::OneWay { from, to } => format!("The link from {from} to {to}"),
    }
}

fn link_change(change: LinkChange) -> String {
    match change {
        LinkChange::Cut => "cut".to_owned(),
        LinkChange::Heal => "as before".to_owned(),
        LinkChange::Delay(delay) => format!("messages travel at least {} ms", format::milliseconds(delay)),
        LinkChange::Jitter(jitter) => format!("messages travel up to {} ms longer", format::milliseconds(jitter)),
        LinkChange::Loss(permille) => format!("{} of transmissions are lost", format::permille(permille)),
    }
}

fn controller(event: &ControllerEvent, node: &str) -> String {
    match event {
        ControllerEvent::BecameActive { epoch } => format!("{node} became the active controller in epoch {epoch}."),
        ControllerEvent::NoLongerActive { epoch } => {
            format!("{node} is no longer the active controller of epoch {epoch}; what was not committed is undone.")
        }
        ControllerEvent::BecameCandidate { epoch } => {
            format!("{node} stands for election as leader of the metadata quorum in epoch {epoch}.")
        }
        ControllerEvent::VoteGranted { candidate, epoch } => {
            format!("{node} voted for controller {candidate} in epoch {epoch}.")
        }
        ControllerEvent::VoteRejected { candidate, epoch } => {
            format!("{node} refused controller {candidate} its vote in epoch {epoch}.")
        }
        ControllerEvent::WonElection { epoch, granted_by } => {
            let votes: Vec<String> = granted_by.iter().map(i32::to_string).collect();
            format!("{node} won the election of epoch {epoch} with the votes of {}.", votes.join(", "))
        }
        ControllerEvent::LostElection { epoch } => {
            format!("{node} did not get a majority in epoch {epoch} and will try again.")
        }
        ControllerEvent::LeaderResigned { epoch } => {
            format!("{node} gave up leading the metadata quorum in epoch {epoch}.")
        }
        ControllerEvent::FollowsQuorumLeader { leader, epoch } => {
            format!("{node} follows controller {leader} as leader of the metadata quorum in epoch {epoch}.")
        }
        ControllerEvent::MetadataLogTruncated { from, to } => {
            format!("{node} cut its metadata log from offset {from} to {to}; nothing committed was there.")
        }
        ControllerEvent::SnapshotWritten { end_offset } => {
            format!("{node} wrote a snapshot of the metadata below offset {end_offset}.")
        }
        ControllerEvent::SnapshotLoaded { end_offset } => {
            format!("{node} loaded the leader's snapshot of the metadata below offset {end_offset}.")
        }
        ControllerEvent::BrokerRegistered { broker, broker_epoch } => {
            format!("The controller registered broker {broker} with broker epoch {broker_epoch}.")
        }
        ControllerEvent::BrokerUnfenced { broker } => {
            format!("The controller unfenced broker {broker}: it may lead and be in sync.")
        }
        ControllerEvent::BrokerFenced { broker } => {
            format!("The controller fenced broker {broker}: it may no longer lead or be in sync.")
        }
        ControllerEvent::ControlledShutdownStarted { broker } => {
            format!("The controller moves leadership away from broker {broker}, which is shutting down.")
        }
        ControllerEvent::TopicCreated { topic, topic_id, partitions } => {
            format!("Topic {topic} was created with {} (id {topic_id}).", counted(i64::from(*partitions), "partition"))
        }
        ControllerEvent::PartitionsAdded { topic, partitions } => {
            format!("Topic {topic} now has {}.", counted(i64::from(*partitions), "partition"))
        }
        ControllerEvent::TopicDeleted { topic } => format!("Topic {topic} was deleted."),
        ControllerEvent::LeaderElected {
            partition,
            leader,
            previous_leader,
            leader_epoch,
            isr,
            is_unclean,
            reason,
        } => {
            let change = (*leader, *previous_leader);
            elected(partition, change, *leader_epoch, isr, *is_unclean, *reason)
        }
        ControllerEvent::PartitionWentOffline { partition, leader_epoch, isr, reason } => format!(
            "{partition} has no leader any more (epoch {leader_epoch}, ISR {}), because {}.",
            brokers(isr),
            because(*reason)
        ),
        ControllerEvent::IsrChanged { partition, from, to, reason, .. } => format!(
            "{partition}: the ISR changed from {} to {}, because {}.",
            brokers(from),
            brokers(to),
            because(*reason)
        ),
        ControllerEvent::EligibleLeadersChanged { partition, from, to } => format!(
            "{partition}: the eligible leader replicas outside the ISR changed from {} to {}.",
            brokers(from),
            brokers(to)
        ),
        ControllerEvent::ReassignmentStarted { partition, adding, removing } => {
            format!("{partition}: a reassignment began (adding {}, removing {}).", brokers(adding), brokers(removing))
        }
        ControllerEvent::ReassignmentCompleted { partition, replicas } => {
            format!("{partition}: the reassignment is complete; the replicas are {}.", brokers(replicas))
        }
        ControllerEvent::ReassignmentCancelled { partition, replicas } => {
            format!("{partition}: the reassignment was cancelled; the replicas are {}.", brokers(replicas))
        }
        ControllerEvent::ConfigChanged { resource, key, value } => config_changed(resource, key, value.as_deref()),
        ControllerEvent::FeatureLevelChanged { feature, level } => {
            format!("The level of the feature {feature} is {level} now.")
        }
        ControllerEvent::BrokerUnregistered { broker } => {
            format!("The controller unregistered broker {broker}: it does not belong to the cluster any more.")
        }
        ControllerEvent::AlterPartitionRejected { partition, broker, error } => {
            format!("{partition}: the controller refused broker {broker}'s change of the ISR: {}.", error.name())
        }
    }
}

fn elected(
    partition: &TopicPartition,
    (leader, previous_leader): (BrokerId, Option<BrokerId>),
    leader_epoch: LeaderEpoch,
    isr: &[BrokerId],
    is_unclean: bool,
    reason: Option<ChangeReason>,
) -> String {
    let isr = brokers(isr);
    let because = reason.map_or_else(String::new, |reason| format!(", because {}", because(reason)));
    let loss = if is_unclean { " It was not in sync: what it lacks is lost." } else { "" };
    match previous_leader.filter(|previous| *previous != leader) {
        Some(previous) => format!(
            "{partition}: broker {leader} was elected leader in place of broker {previous} (epoch {leader_epoch}, ISR {isr}){because}.{loss}"
        ),
        None => format!("{partition}: broker {leader} is the leader (epoch {leader_epoch}, ISR {isr}){because}.{loss}"),
    }
}

fn config_changed(resource: &ConfigResource, key: &str, value: Option<&str>) -> String {
    let resource = match resource {
        ConfigResource::Topic(topic) => format!("Topic {topic}"),
        ConfigResource::Broker(Some(broker)) => format!("Broker {broker}"),
        ConfigResource::Broker(None) => "All brokers".to_owned(),
    };
    match value {
        Some(value) => format!("{resource}: {key} was set to {value}."),
        None => format!("{resource}: {key} has its default again."),
    }
}

fn because(reason: ChangeReason) -> &'static str {
    match reason {
        ChangeReason::BrokerFenced => "a broker was fenced",
        ChangeReason::BrokerUnfenced => "a broker came back",
        ChangeReason::ControlledShutdown => "a broker is shutting down",
        ChangeReason::AlterPartition => "the leader asked for it",
        ChangeReason::LeaderRebalance => "the preferred replica takes the lead again",
        ChangeReason::UncleanElection => "unclean leader election is enabled",
        ChangeReason::ElectionByCommand => "an election was asked for",
        ChangeReason::Reassignment => "its replicas are being moved",
        ChangeReason::BrokerUnregistered => "a broker was unregistered",
    }
}

fn broker(event: &BrokerEvent, node: &str) -> String {
    match event {
        BrokerEvent::Registered { broker_epoch } => format!("{node} is registered with broker epoch {broker_epoch}."),
        BrokerEvent::BecameReady => format!("{node} is ready to serve clients."),
        BrokerEvent::BecameFenced => format!("{node} learnt that it is fenced."),
        BrokerEvent::ControlledShutdownStarted => format!("{node} began its controlled shutdown."),
        BrokerEvent::ControlledShutdownCompleted => format!("{node} has completed its controlled shutdown."),
        BrokerEvent::ControlledShutdownFailed => {
            format!("{node} goes although the controller has not moved all of its leaderships away.")
        }
        BrokerEvent::SessionExpired => {
            format!("{node}: its ZooKeeper session has expired, and its registration is gone.")
        }
        BrokerEvent::RegistrationRefused => {
            format!("{node} cannot start: the ZooKeeper session of its earlier run still holds its registration.")
        }
        BrokerEvent::ControllerFenced { controller, controller_epoch, error } => format!(
            "{node} refused a request of broker {controller} as the controller of epoch {controller_epoch}: {}.",
            error.name()
        ),
        BrokerEvent::BecameLeader { partition, leader_epoch, log_end_offset } => {
            format!("{node} leads {partition} in epoch {leader_epoch}, from log end offset {log_end_offset}.")
        }
        BrokerEvent::BecameFollower { partition, leader, leader_epoch, log_end_offset } => {
            let whom = leader.map_or_else(|| "nobody".to_owned(), |leader| format!("broker {leader}"));
            format!(
                "{node} follows {whom} for {partition} in epoch {leader_epoch}, from log end offset {log_end_offset}."
            )
        }
        BrokerEvent::RecordsAppended { partition, first_offset, last_offset } => {
            format!("{node} appended {} to {partition}.", offsets(*first_offset, *last_offset))
        }
        BrokerEvent::RecordsReplicated { partition, first_offset, last_offset } => {
            format!("{node} replicated {} of {partition} from the leader.", offsets(*first_offset, *last_offset))
        }
        BrokerEvent::DuplicateFound { partition, first_offset, last_offset } => format!(
            "{node} has the producer's batch in {partition} already ({}) and appended nothing.",
            offsets(*first_offset, *last_offset)
        ),
        BrokerEvent::TornBatchCut { partition, log_end_offset, torn_bytes } => format!(
            "{node} recovered its log of {partition} after the power loss: {torn_bytes} bytes of half a batch were cut \
             off, and it ends at {log_end_offset}."
        ),
        BrokerEvent::HighWatermarkAdvanced { partition, from, to } => {
            format!("{node}: the high watermark of {partition} rose from {from} to {to}.")
        }
        BrokerEvent::LogTruncated { partition, from, to, reason } => format!(
            "{node} cut its log of {partition} from log end offset {from} back to {to}, because {}.",
            truncated_because(*reason)
        ),
        BrokerEvent::SegmentsDeleted { partition, segments, log_start_offset, reason } => format!(
            "{node} deleted the oldest {} of {partition}, {}; the log starts at {log_start_offset}.",
            if *segments == 1 { "segment".to_owned() } else { format!("{segments} segments") },
            deleted_because(*reason)
        ),
        BrokerEvent::LogCompacted { partition, from, to, records, bytes } => format!(
            "{node} compacted its log of {partition} up to {to} (before: up to {from}): of {} records {} are left, of {} \
             bytes {}.",
            records.0, records.1, bytes.0, bytes.1
        ),
        BrokerEvent::RecordsDeleted { partition, from, to } => {
            format!("{node} deleted the records of {partition} from offset {from} to just below {to}, on request.")
        }
        BrokerEvent::IsrChangeProposed { partition, from, to } => {
            format!("{node} proposes to change the ISR of {partition} from {} to {}.", brokers(from), brokers(to))
        }
        BrokerEvent::PreferredReadReplicaChosen { partition, replica, rack } => {
            format!("{node} sent a consumer in rack {rack} to broker {replica} for {partition}.")
        }
        BrokerEvent::FetchSessionEvicted { session_id, partitions } => {
            format!("{node} gave fetch session {session_id} ({partitions} partitions) up for another one.")
        }
        BrokerEvent::ProduceRejected { partition, error } => {
            format!("{node} refused records for {partition}: {}.", error.name())
        }
    }
}

fn deleted_because(reason: DeletionReason) -> String {
    match reason {
        DeletionReason::LogStartOffset => "which lay below the log start offset".to_owned(),
        DeletionReason::Size { retention_bytes } => {
            format!("for the log was larger than retention.bytes ({retention_bytes})")
        }
        DeletionReason::Time { retention_ms } => {
            format!("whose records were older than retention.ms ({retention_ms})")
        }
    }
}

fn truncated_because(reason: TruncationReason) -> &'static str {
    match reason {
        TruncationReason::DivergingEpoch => "the leader's log differs from there on",
        TruncationReason::HighWatermark => "only what lies below its high watermark is trusted",
        TruncationReason::OffsetOutOfRange => "it lies outside the leader's range of offsets",
    }
}

fn zookeeper(event: &ZooKeeperEvent, node: &str) -> String {
    match event {
        ZooKeeperEvent::SessionCreated { client, timeout_ms, .. } => {
            format!("ZooKeeper began a session with {} (timeout {timeout_ms} ms).", session_owner(*client))
        }
        ZooKeeperEvent::SessionClosed { session, ephemerals } => {
            format!("Session {} with ZooKeeper was closed.{}", format::session(*session), vanished(ephemerals))
        }
        ZooKeeperEvent::SessionExpired { session, ephemerals } => {
            format!("Session {} with ZooKeeper expired.{}", format::session(*session), vanished(ephemerals))
        }
        ZooKeeperEvent::ControllerElected { controller_epoch } => {
            format!("{node} became the controller in epoch {controller_epoch}.")
        }
        ZooKeeperEvent::ControllerResigned { controller_epoch } => {
            format!("{node}, controller in epoch {controller_epoch}, resigned.")
        }
    }
}

fn session_owner(client: NodeId) -> String {
    match client {
        NodeId::Server(id) => format!("broker {id}"),
        NodeId::ZooKeeper | NodeId::Client(_) => client.to_string(),
    }
}

fn vanished(ephemerals: &[ZnodePath]) -> String {
    if ephemerals.is_empty() { String::new() } else { format!(" Gone with it: {}.", format::paths(ephemerals)) }
}

fn client(event: &ClientEvent, node: &str) -> String {
    match event {
        ClientEvent::BatchAcknowledged { partition, first_offset, last_offset, acks, .. } => format!(
            "{node}: {} of {partition} acknowledged (acks={}).",
            offsets(*first_offset, *last_offset),
            format::acks(*acks)
        ),
        ClientEvent::RecordFailed { topic, failure, .. } => {
            format!("{node} gave up a record for {topic}: {}", failure_text(topic, failure))
        }
        ClientEvent::RecordConsumed { partition, offset, record, .. } => format!(
            "{node} consumed {partition} offset {offset}: {} = {}.",
            format::excerpt(record.key.as_ref()),
            format::excerpt(record.value.as_ref())
        ),
        ClientEvent::PositionReset { partition, offset } => format!("{node} reads {partition} from offset {offset}."),
        ClientEvent::LeaderDiscovered { partition, leader, leader_epoch } => {
            format!("{node} learnt that broker {leader} leads {partition} (epoch {leader_epoch}).")
        }
        ClientEvent::Logged(log) => format!("{node} logged: {}", logged(log)),
        ClientEvent::ConsumerTimedOut => format!("{node} stopped: no record came in time."),
        ClientEvent::ConsumerFinished { messages } => {
            format!("{node} ended after {}.", counted(*messages as i64, "record"))
        }
        ClientEvent::ConsumerFailed { exception, message } => format!("{node} failed: {exception}: {message}"),
        ClientEvent::TopicCreated(topic) => format!("{node} created topic {topic}."),
        ClientEvent::TopicsListed(topics) => format!("{node} listed {}.", counted(topics.len() as i64, "topic")),
        ClientEvent::TopicsDescribed(topics) => format!("{node} described {}.", counted(topics.len() as i64, "topic")),
        ClientEvent::AdminAnswered(answer) => format!("{node} {}.", administered(answer)),
        ClientEvent::AdminFailed(failure) => format!("{node} failed: {}", admin_failure_text(failure)),
    }
}

fn administered(answer: &AdminAnswer) -> String {
    match answer {
        AdminAnswer::Offsets { found, .. } => {
            format!("learned the offsets of {}", counted(found.len() as i64, "partition"))
        }
        AdminAnswer::RecordsDeleted(results) => {
            let done = results.iter().filter(|(_, result)| result.is_ok()).count();
            format!("deleted records of {}", counted(done as i64, "partition"))
        }
        AdminAnswer::LogDirs(brokers) => {
            format!("learned what lies in the log directories of {}", counted(brokers.len() as i64, "broker"))
        }
        AdminAnswer::ApiVersions(brokers) => {
            format!("learned what {} can be asked", counted(brokers.len() as i64, "broker"))
        }
        AdminAnswer::ZooKeeper(told) => zookeeper_told(told).to_owned(),
        AdminAnswer::ClusterId(id) => format!("learned the cluster's id, {id}"),
        AdminAnswer::BrokerUnregistered(broker) => format!("unregistered broker {broker}"),
        AdminAnswer::Features { supported, .. } => {
            format!("learned of {}", counted(supported.len() as i64, "feature"))
        }
        AdminAnswer::FeaturesUpdated(results) => {
            let done = results.iter().filter(|(_, failure)| failure.is_none()).count();
            format!("changed {}", counted(done as i64, "feature"))
        }
        AdminAnswer::Quorum { quorum, .. } => {
            let (voters, observers) = (quorum.voters.len() as i64, quorum.observers.len() as i64);
            format!("saw {} and {} in the quorum", counted(voters, "voter"), counted(observers, "observer"))
        }
        AdminAnswer::LeadersElected { results, .. } => {
            let elected = results.iter().filter(|result| result.error.is_none()).count();
            format!("had the leaders of {} elected", counted(elected as i64, "partition"))
        }
        AdminAnswer::Reassignment(outcome) => reassigned(outcome),
        AdminAnswer::Configs(ConfigsOutcome::Described { described, .. }) => {
            format!("learned the configurations of {}", counted(described.len() as i64, "resource"))
        }
        AdminAnswer::Configs(ConfigsOutcome::Altered(resource)) => {
            format!("changed the configuration of {}", configured(resource))
        }
    }
}

fn zookeeper_told(told: &ZooKeeperTold) -> &'static str {
    match told {
        ZooKeeperTold::Connected => "is connected to ZooKeeper",
        ZooKeeperTold::Disconnected { .. } => "lost its connection to ZooKeeper or got none",
        ZooKeeperTold::Ended { found: Ok(_), .. } => "carried out a command",
        ZooKeeperTold::Ended { found: Err(_), .. } => "could not carry out a command",
        ZooKeeperTold::Closed => "closed its session with ZooKeeper",
        ZooKeeperTold::Exiting(_) => "is done",
    }
}

fn configured(resource: &ConfigResource) -> String {
    match resource {
        ConfigResource::Topic(topic) => format!("topic {topic}"),
        ConfigResource::Broker(Some(broker)) => format!("broker {broker}"),
        ConfigResource::Broker(None) => "all brokers".to_owned(),
    }
}

fn reassigned(outcome: &ReassignOutcome) -> String {
    let partitions = |count: usize| counted(count as i64, "partition");
    match outcome {
        ReassignOutcome::Listed(ongoing) => format!("learned that {} are being reassigned", partitions(ongoing.len())),
        ReassignOutcome::Proposed { proposed, .. } => {
            format!("proposed where the replicas of {} could be", partitions(proposed.len()))
        }
        ReassignOutcome::Started { before, refused } => {
            format!("began to reassign {}", partitions(before.len().saturating_sub(refused.len())))
        }
        ReassignOutcome::Verified { progress, .. } => {
            format!("looked how far the reassignment of {} is", partitions(progress.len()))
        }
        ReassignOutcome::Cancelled { partitions: cancelled, .. } => {
            format!("cancelled the reassignment of {}", partitions(cancelled.len()))
        }
    }
}

fn logged(log: &ClientLog) -> String {
    match log {
        ClientLog::ConnectionNotEstablished { node, endpoint } => {
            format!("connection to node {node} ({endpoint}) could not be established.")
        }
        ClientLog::BootstrapBrokerDisconnected { endpoint, .. } => format!("bootstrap broker {endpoint} disconnected."),
        ClientLog::MetadataIssue { topics, .. } => {
            let issues: Vec<String> = topics.iter().map(|(topic, error)| format!("{topic}={}", error.name())).collect();
            format!("metadata has a problem that may pass: {}.", issues.join(", "))
        }
        ClientLog::InvalidTopics(topics) => {
            let names: Vec<&str> = topics.iter().map(wire::TopicName::as_str).collect();
            format!("metadata reported invalid topics: {}.", names.join(", "))
        }
        ClientLog::ProduceRetried { partition, error, .. } | ClientLog::ProduceSplit { partition, error, .. } => {
            format!("sending to {partition} is retried after {}.", error.name())
        }
        ClientLog::ProduceMetadataError { partition, error, .. } => {
            format!("sending to {partition} met {}: metadata is out of date.", error.name())
        }
        ClientLog::ProduceUnknownPartition(partition) => {
            format!("{partition} is unknown to the broker asked to append.")
        }
        ClientLog::FetchUnknownPartition(partition) => format!("{partition} is unknown to the broker asked to read."),
        ClientLog::FetchUnknownTopicId(partition) => {
            format!("The topic id of {partition} is unknown to the broker asked to read.")
        }
        ClientLog::DisconnectedByTimeout { node } => format!("disconnected from node {node} after a timeout."),
        ClientLog::NotABroker => "the server is a controller, not a broker.".to_owned(),
    }
}

/// Brokers by their ids, or that there are none.
fn brokers(ids: &[BrokerId]) -> String {
    if ids.is_empty() { "none".to_owned() } else { format::broker_ids(ids) }
}

fn offsets(first: Offset, last: Offset) -> String {
    if first == last { format!("offset {first}") } else { format!("offsets {first} to {last}") }
}

fn counted(count: i64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_common_nouns_are_capitalised() {
        assert_eq!(capitalised("broker 1 x"), "Broker 1 x");
        assert_eq!(capitalised("orders-0: broker 1"), "orders-0: broker 1");
    }
}
