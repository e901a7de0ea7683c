//! Follows the cluster metadata log (`org.apache.kafka.raft.KafkaRaftClient` as an observer, and
//! `org.apache.kafka.image.loader.MetadataLoader`): fetches it from the active controller, keeps a copy on the disk, and
//! replays what is committed. What changed is published by `metadata_publisher`.

use super::backoff::ExponentialBackoff;
use super::channel::{Channel, ChannelId, Readiness};
use super::{Broker, Step, timers};
use crate::Rng;
use crate::config::{BrokerConfig, TopicConfig};
use crate::instant::Duration;
use crate::log::{LogContext, LogSettings, PartitionLog};
use crate::metadata::{ClusterImage, ImageDelta, METADATA_TOPIC_ID, metadata_partition};
use crate::node::ConnectionId;
use crate::storage::Disk;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::request::{FetchPartition, FetchRequest, IsolationLevel, ReplicaState};
use wire::response::{EpochEndOffset, FetchPartitionResult};
use wire::{
    ErrorCode, FetchMetadata, LeaderEpoch, MetadataRecord, Offset, Request, Response, Timestamp, TopicPartition,
};

/// How long the controller may wait for records.
const FETCH_MAX_WAIT_MS: i32 = 500;
/// How much one fetch may return.
const FETCH_MAX_BYTES: i32 = 8 * 1024 * 1024;
/// How long to wait before connecting again.
const RECONNECT_BACKOFF: ExponentialBackoff = ExponentialBackoff { initial_ms: 50, max_ms: 500, jitter_permille: 200 };

/// The broker's copy of the metadata log and what it adds up to.
#[derive(Clone, Debug)]
pub(super) struct MetadataFollower {
    /// The channel to the controller.
    pub(super) channel: Channel,
    /// The highest offset applied, -1 for none.
    pub(super) applied: Offset,
    /// Whether the image has been published, which first happens once the log has reached the high watermark.
    pub(super) is_published: bool,
    /// `__cluster_metadata-0`.
    pub(super) partition: TopicPartition,
    log: Option<PartitionLog>,
    log_config: Arc<TopicConfig>,
    log_settings: LogSettings,
    voter: usize,
    is_backing_off: bool,
}

impl MetadataFollower {
    /// Nothing is known yet.
    pub(super) fn new(config: &BrokerConfig, rng: &Rng) -> MetadataFollower {
        let log_settings = LogSettings::new(config, rng);
        let request_timeout = Duration::from_ms(config.controller_quorum_request_timeout_ms);
        MetadataFollower {
            channel: Channel::new(ChannelId::Metadata, RECONNECT_BACKOFF, request_timeout),
            applied: Offset(-1),
            is_published: false,
            partition: metadata_partition(),
            log: None,
            log_config: Arc::new(TopicConfig::resolve(&BTreeMap::new(), &BrokerConfig::default())),
            log_settings,
            voter: 0,
            is_backing_off: false,
        }
    }

    fn open(&mut self, disk: &Disk, wall_time: Timestamp, step: &mut Step<'_>) {
        let (partition, context) = (metadata_partition(), LogContext { config: &self.log_config, wall_time });
        let settings = LogSettings { had_clean_shutdown: disk.clean_shutdown.is_some(), ..self.log_settings };
        self.log = Some(match disk.logs.get(&partition) {
            Some(stored) => PartitionLog::load(partition, stored, settings, &context, step.effects),
            None => PartitionLog::create(partition, METADATA_TOPIC_ID, settings, &context, step.effects),
        });
    }

    fn log(&self) -> &PartitionLog {
        self.log.as_ref().expect("a broker that runs has its metadata log")
    }

    fn log_mut(&mut self) -> &mut PartitionLog {
        self.log.as_mut().expect("a broker that runs has its metadata log")
    }

    fn fetch_partition(&self) -> FetchPartition {
        let log = self.log();
        FetchPartition {
            partition: self.partition.clone(),
            topic_id: Some(METADATA_TOPIC_ID),
            current_leader_epoch: LeaderEpoch::NONE,
            fetch_offset: log.log_end_offset(),
            last_fetched_epoch: log.latest_epoch(),
            log_start_offset: log.log_start_offset(),
            max_bytes: FETCH_MAX_BYTES,
        }
    }

    /// Cuts the copy where it parts from the controller's log, or at the end of the last epoch before that.
    fn truncate(&mut self, leader_end: EpochEndOffset, step: &mut Step<'_>) {
        let own_end = self.log().end_offset_for(leader_end.leader_epoch);
        let is_epoch_known = own_end.leader_epoch == leader_end.leader_epoch;
        let offset = if is_epoch_known { own_end.end_offset.min(leader_end.end_offset) } else { own_end.end_offset };
        assert!(offset > self.applied, "what is committed is never truncated");
        self.log_mut().truncate_to(offset, step.effects);
    }

    fn append(&mut self, result: &FetchPartitionResult, wall_time: Timestamp, step: &mut Step<'_>) {
        let context = LogContext { config: &self.log_config, wall_time };
        let log = self.log.as_mut().expect("a broker that runs has its metadata log");
        let end = log.log_end_offset();
        for batch in result.batches.iter().filter(|batch| batch.base_offset >= end) {
            log.append_as_follower(batch, &context, step.effects).expect("batches of one answer follow each other");
        }
        if result.high_watermark > log.high_watermark() {
            log.update_high_watermark(result.high_watermark);
        }
    }

    /// Replays what is committed. The first time, only once the log has reached the controller's high watermark: a
    /// restarted broker does not act on what was long ago.
    fn replay(&mut self, leader_high_watermark: Offset, image: &mut Arc<ClusterImage>) -> Option<ImageDelta> {
        let log = self.log.as_ref().expect("a broker that runs has its metadata log");
        let has_caught_up = leader_high_watermark > Offset::ZERO && log.log_end_offset() >= leader_high_watermark;
        if !self.is_published && !has_caught_up {
            return None;
        }
        let mut delta = ImageDelta::default();
        let unseen = log.segments().batches_from(self.applied.next());
        for batch in unseen.take_while(|batch| batch.last_offset() < log.high_watermark()) {
            for record in batch.metadata_records().iter().filter(|record| **record != MetadataRecord::NoOp) {
                Arc::make_mut(image).replay(record, &mut delta);
            }
            self.applied = batch.last_offset();
        }
        Some(delta)
    }
}

impl Broker {
    /// The process starts: takes or makes its copy of the log, and begins to fetch.
    pub(super) fn start_metadata(&mut self, disk: &Disk, step: &mut Step<'_>) {
        let wall_time = self.setup.wall_clock.at(step.now);
        self.membership.metadata_log_mut().open(disk, wall_time, step);
        self.advance_metadata(step);
    }

    /// Connects or fetches, as far as that is possible now.
    pub(super) fn advance_metadata(&mut self, step: &mut Step<'_>) {
        if self.membership.metadata_log().is_backing_off {
            return;
        }
        match self.membership.metadata_log().channel.readiness() {
            Readiness::Busy => {}
            Readiness::Ready => {
                let request = self.metadata_fetch();
                self.membership.metadata_log_mut().channel.send(request, step);
            }
            Readiness::Disconnected => {
                let metadata_log = self.membership.metadata_log_mut();
                metadata_log.voter = self.controllers.believed();
                let endpoint = self.controllers.endpoint(metadata_log.voter);
                metadata_log.channel.connect(endpoint, &mut self.outbound, step);
            }
        }
    }

    fn metadata_fetch(&self) -> Request {
        Request::Fetch(FetchRequest {
            replica: Some(ReplicaState {
                replica_id: self.setup.broker_id,
                replica_epoch: self.broker_epoch_or_none(),
            }),
            max_wait_ms: FETCH_MAX_WAIT_MS,
            min_bytes: 1,
            max_bytes: FETCH_MAX_BYTES,
            isolation_level: IsolationLevel::ReadUncommitted,
            metadata: FetchMetadata::LEGACY,
            partitions: vec![self.membership.metadata_log().fetch_partition()],
            forgotten: Vec::new(),
            rack_id: None,
        })
    }

    /// The connection to the controller is gone.
    pub(super) fn metadata_disconnected(&mut self) {
        self.controllers.is_not_active(self.membership.metadata_log().voter);
    }

    /// The controller answered a fetch.
    pub(super) fn on_metadata_response(
        &mut self,
        (connection, correlation_id): (ConnectionId, i32),
        response: Response,
        step: &mut Step<'_>,
    ) {
        if !self.membership.metadata_log_mut().channel.on_response(connection, correlation_id) {
            return;
        }
        let Response::Fetch(response) = response else { unreachable!("a fetch was answered with {response:?}") };
        match response.partitions.first() {
            Some(result) if result.error == ErrorCode::None => self.on_metadata(result, step),
            Some(result) => self.on_metadata_error(result, step),
            None => unreachable!("an answer has a result for each partition of the request"),
        }
        self.advance_metadata(step);
    }

    fn on_metadata(&mut self, result: &FetchPartitionResult, step: &mut Step<'_>) {
        if let Some(leader_end) = result.diverging_epoch {
            return self.membership.metadata_log_mut().truncate(leader_end, step);
        }
        let wall_time = self.setup.wall_clock.at(step.now);
        let metadata_log = self.membership.metadata_log_mut();
        metadata_log.append(result, wall_time, step);
        let is_first = !metadata_log.is_published;
        match metadata_log.replay(result.high_watermark, &mut self.image) {
            Some(delta) if is_first || delta != ImageDelta::default() => self.publish(&delta, step),
            Some(_) | None => {}
        }
    }

    fn on_metadata_error(&mut self, result: &FetchPartitionResult, step: &mut Step<'_>) {
        match &result.current_leader {
            Some(current) => self.controllers.is_active(current.leader.0),
            None => self.controllers.is_not_active(self.membership.metadata_log().voter),
        }
        self.membership.metadata_log_mut().is_backing_off = true;
        let wait = Duration::from_ms(self.setup.config.controller_quorum_retry_backoff_ms);
        step.effects.set_timer(timers::single(timers::METADATA_FETCH), step.now + wait);
    }

    /// The metadata log may be fetched again, perhaps from another controller.
    pub(super) fn on_metadata_backoff_over(&mut self, step: &mut Step<'_>) {
        let metadata_log = self.membership.metadata_log_mut();
        metadata_log.is_backing_off = false;
        if metadata_log.voter != self.controllers.believed() {
            metadata_log.channel.close(&mut self.outbound, step);
        }
        self.advance_metadata(step);
    }
}
