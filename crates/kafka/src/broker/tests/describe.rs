//! Effects in words, one line each, so that tests compare whole lists.

use super::scene::scene_number;
use crate::broker::timers;
use crate::event::{BrokerEvent, EventKind};
use crate::instant::Instant;
use crate::node::{ConnectionId, Effect, Message, NodeId, Timer};
use crate::storage::DiskWrite;
use wire::request::FetchPartition;
use wire::response::{
    DeleteRecordsResult, FetchPartitionResult, ProducePartitionResult, ReplicaStateResponse, TopicResults,
};
use wire::{RecordBatch, Request, Response};

/// One effect of a step at `now`.
pub(super) fn describe(effect: &Effect, now: Instant) -> String {
    match effect {
        Effect::Listen(_) => "listen".to_owned(),
        Effect::StopListening(_) => "stop listening".to_owned(),
        Effect::Connect { connection, endpoint } => format!("connect {} {endpoint}", name(*connection)),
        Effect::Close { connection } => format!("close {}", name(*connection)),
        Effect::Send { connection, message } => format!("send {} {}", name(*connection), message_text(message)),
        Effect::SetTimer { timer, at } => format!("timer {} in {} ms", timer_text(*timer), at.since(now).as_ms()),
        Effect::CancelTimer { timer } => format!("cancel {}", timer_text(*timer)),
        Effect::Write(write) => format!("write {}", write_text(write)),
        Effect::Note(EventKind::Broker(event)) => format!("note {}", event_text(event)),
        Effect::Note(event) => format!("note {event:?}"),
        Effect::Exit(status) => format!("exit {}", status.0),
    }
}

fn name(connection: ConnectionId) -> String {
    match connection.opener {
        NodeId::Server(1) => format!("#{}", scene_number(connection)),
        opener @ (NodeId::Server(_) | NodeId::ZooKeeper | NodeId::Client(_)) => {
            format!("{opener}#{}", connection.number)
        }
    }
}

fn timer_text(timer: Timer) -> String {
    let kind = match timer.kind {
        timers::COMMUNICATION => "communication",
        timers::REGISTRATION_TIMEOUT => "registration timeout",
        timers::SHUTDOWN_TIMEOUT => "shutdown timeout",
        timers::RECONNECT => "reconnect",
        timers::CHANNEL_TIMEOUT => "channel timeout",
        timers::METADATA_QUORUM => "metadata quorum",
        timers::FETCH_BACKOFF => "fetch back-off",
        timers::ISR_EXPIRATION => "isr expiration",
        timers::HIGH_WATERMARK_CHECKPOINT => "checkpoint",
        timers::LOG_CHECKPOINT => "log checkpoint",
        timers::LOG_FLUSH => "log flush",
        timers::PRODUCER_EXPIRATION => "producer expiration",
        timers::LOG_RETENTION => "log retention",
        timers::LOG_CLEANER => "log cleaner",
        timers::ALTER_PARTITION => "alter partition",
        timers::DELAYED_OPERATION => "delayed operation",
        timers::CONTROLLED_SHUTDOWN => "controlled shutdown",
        timers::ADMIN_JOB => "admin job",
        timers::ZOOKEEPER_SESSION => "session",
        timers::CONTROLLER_CHANNEL => "controller channel",
        timers::AUTO_LEADER_REBALANCE => "rebalance",
        kind => unreachable!("no timer of kind {kind}"),
    };
    format!("{kind}/{}", timer.key)
}

fn message_text(message: &Message) -> String {
    match message {
        Message::Request { correlation_id, request } => format!("?{correlation_id} {}", request_text(request)),
        Message::Response { correlation_id, response } => format!("!{correlation_id} {}", response_text(response)),
    }
}

fn request_text(request: &Request) -> String {
    match request {
        Request::BrokerRegistration(request) => format!("registration previous {}", request.previous_broker_epoch),
        Request::BrokerHeartbeat(request) => format!(
            "heartbeat epoch {} offset {} fence {} shut down {}",
            request.broker_epoch, request.current_metadata_offset, request.want_fence, request.want_shut_down
        ),
        Request::Fetch(request) => format!("fetch {}", joined(&request.partitions, fetch_text)),
        Request::AlterPartition(request) => format!(
            "alter {}",
            joined(&request.partitions, |data| format!("{} isr {:?}", data.partition, members(&data.new_isr)))
        ),
        Request::CreateTopics(request) => format!("create {}", joined(&request.topics, |topic| topic.name.to_string())),
        other => format!("{other:?}"),
    }
}

fn members(isr: &[(wire::BrokerId, wire::BrokerEpoch)]) -> Vec<(i32, i64)> {
    isr.iter().map(|(broker, epoch)| (broker.0, epoch.0)).collect()
}

fn fetch_text(fetch: &FetchPartition) -> String {
    format!(
        "{}@{} epoch {} last {}",
        fetch.partition, fetch.fetch_offset, fetch.current_leader_epoch, fetch.last_fetched_epoch
    )
}

fn response_text(response: &Response) -> String {
    match response {
        Response::Produce(response) => format!("produce {}", joined(&response.partitions, produced_text)),
        Response::Fetch(response) => format!("fetch {}", joined(&response.partitions, fetched_text)),
        Response::CreateTopics(results) | Response::CreatePartitions(results) | Response::DeleteTopics(results) => {
            results_text(results)
        }
        Response::Metadata(response) => format!(
            "metadata brokers {} topics {}",
            joined(&response.brokers, |broker| broker.broker_id.to_string()),
            joined(&response.topics, |topic| format!("{} {}", topic.name, topic.error.name()))
        ),
        Response::DeleteRecords(response) => format!("deleted {}", joined(&response.results, deleted_text)),
        Response::ApiVersions(_) => "api versions".to_owned(),
        Response::UpdateMetadata(error) => format!("update metadata {}", error.name()),
        Response::LeaderAndIsr(response) => format!("leader and isr {}", states_text(response)),
        Response::StopReplica(response) => format!("stop replica {}", states_text(response)),
        other => format!("{other:?}"),
    }
}

fn states_text(response: &ReplicaStateResponse) -> String {
    let partitions = joined(&response.partitions, |(partition, error)| format!("{partition} {}", error.name()));
    format!("{} [{partitions}]", response.error.name())
}

fn deleted_text(result: &DeleteRecordsResult) -> String {
    format!("{} {} low watermark {}", result.partition, result.error.name(), result.low_watermark)
}

fn results_text(results: &TopicResults) -> String {
    joined(&results.topics, |topic| format!("{} {}", topic.name, topic.error.name()))
}

fn produced_text(result: &ProducePartitionResult) -> String {
    let leader = result.current_leader.as_ref().map(|current| format!(" leader {}", current.leader));
    format!("{} {} @{}{}", result.partition, result.error.name(), result.base_offset, leader.unwrap_or_default())
}

fn fetched_text(result: &FetchPartitionResult) -> String {
    let batches = joined(&result.batches, |batch| batch_text(batch));
    format!("{} {} hw {} [{batches}]", result.partition, result.error.name(), result.high_watermark)
}

fn batch_text(batch: &RecordBatch) -> String {
    format!("{}..{} epoch {}", batch.base_offset, batch.last_offset(), batch.partition_leader_epoch)
}

fn write_text(write: &DiskWrite) -> String {
    match write {
        DiskWrite::CreateLog { partition, .. } => format!("create {partition}"),
        DiskWrite::DeleteLog { partition } => format!("delete {partition}"),
        DiskWrite::Append { partition, batch } => format!("{partition} {}", batch_text(batch)),
        DiskWrite::Roll { partition, base_offset, .. } => format!("{partition} rolls at {base_offset}"),
        DiskWrite::Flush { partition, up_to } => format!("{partition} flushed to {up_to}"),
        DiskWrite::ReplaceSegments { partition, removed, .. } => {
            format!("{partition} loses {} segments", removed.len())
        }
        DiskWrite::ProducerSnapshots { partition, snapshots } => format!("{partition} {} snapshots", snapshots.len()),
        DiskWrite::RecoveryPoints(offsets) => format!("recovery points {}", offsets.len()),
        DiskWrite::LogStartOffsets(offsets) => format!("log start offsets {}", offsets.len()),
        DiskWrite::CleanerOffsets(offsets) => format!("cleaner offsets {}", offsets.len()),
        DiskWrite::LeaderEpochs { partition, leader_epochs } => {
            format!("{partition} epochs {}", joined(leader_epochs, |(epoch, start)| format!("{epoch}@{start}")))
        }
        DiskWrite::HighWatermarks(high_watermarks) => {
            format!("hw {}", joined(high_watermarks, |(partition, offset)| format!("{partition} {offset}")))
        }
        DiskWrite::CleanShutdown(epoch) => format!("clean shutdown {:?}", epoch.map(|epoch| epoch.0)),
        other => format!("{other:?}"),
    }
}

fn event_text(event: &BrokerEvent) -> String {
    match event {
        BrokerEvent::Registered { broker_epoch } => format!("registered {broker_epoch}"),
        BrokerEvent::BecameLeader { partition, leader_epoch, .. } => format!("leads {partition} epoch {leader_epoch}"),
        BrokerEvent::BecameFollower { partition, leader, leader_epoch, .. } => {
            format!("follows {partition} of {:?} epoch {leader_epoch}", leader.map(|leader| leader.0))
        }
        BrokerEvent::RecordsAppended { partition, first_offset, last_offset } => {
            format!("appended {partition} {first_offset}..{last_offset}")
        }
        BrokerEvent::RecordsReplicated { partition, first_offset, last_offset } => {
            format!("replicated {partition} {first_offset}..{last_offset}")
        }
        BrokerEvent::HighWatermarkAdvanced { partition, from, to } => format!("hw {partition} {from}->{to}"),
        BrokerEvent::RecordsDeleted { partition, from, to } => format!("deleted {partition} {from}->{to}"),
        BrokerEvent::ProduceRejected { partition, error } => format!("rejected {partition} {}", error.name()),
        BrokerEvent::IsrChangeProposed { partition, to, .. } => {
            format!("proposes {partition} isr {:?}", to.iter().map(|member| member.0).collect::<Vec<i32>>())
        }
        other => format!("{other:?}"),
    }
}

fn joined<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<String>>().join(", ")
}
