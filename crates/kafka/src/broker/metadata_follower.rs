//! Follows the cluster metadata log (`org.apache.kafka.image.loader.MetadataLoader`): as an observer of the quorum, whose
//! log and committed offset are kept by `raft`, it replays what is committed and writes snapshots of it. The broker of a
//! combined server reads what the controller beside it has, which writes the snapshots too (`SharedServer`). What changed
//! is published by `metadata_publisher`.

use super::{Broker, Step, timers};
use crate::Rng;
use crate::config::BrokerConfig;
use crate::instant::Instant;
use crate::metadata::{ClusterImage, ImageDelta, metadata_partition};
use crate::node::{ConnectionId, Identity};
use crate::raft::{MetadataLog, MetadataSnapshot, QuorumConfig, RaftClient, RaftSetup, RaftStep, SnapshotSchedule};
use crate::spec::ServerSpec;
use crate::storage::Disk;
use std::sync::Arc;
use wire::{MetadataRecord, Offset, Response, TopicPartition};

/// The broker's place in the metadata log.
#[derive(Clone, Debug)]
pub(super) struct MetadataFollower {
    /// The highest offset applied, -1 for none.
    pub(super) applied: Offset,
    /// Whether the image has been published, which first happens once the log has reached the high watermark.
    pub(super) is_published: bool,
    /// `__cluster_metadata-0`.
    pub(super) partition: TopicPartition,
    raft_rng: Rng,
    /// The broker's part in the quorum, once the process has started; none beside a controller, which has one.
    raft: Option<RaftClient>,
    snapshots: SnapshotSchedule,
}

impl MetadataFollower {
    /// Nothing is known yet. Draws of the quorum come from a stream of their own.
    pub(super) fn new(config: &BrokerConfig, rng: &Rng) -> MetadataFollower {
        let mut raft_rng = rng.clone();
        raft_rng.jump();
        MetadataFollower {
            applied: Offset(-1),
            is_published: false,
            partition: metadata_partition(),
            raft_rng,
            raft: None,
            snapshots: SnapshotSchedule::new(config, Instant::ZERO),
        }
    }

    fn open(
        &mut self,
        (spec, config): (&ServerSpec, &BrokerConfig),
        identity: Identity,
        disk: &Disk,
        step: &mut RaftStep<'_>,
    ) {
        let setup = RaftSetup {
            node_id: spec.node_id,
            identity,
            voters: spec.coordination.voters().to_vec(),
            config: QuorumConfig::of(config),
            timer: timers::single(timers::METADATA_QUORUM),
        };
        self.snapshots.restart(step.now);
        self.raft = Some(RaftClient::open(setup, disk, self.raft_rng.clone(), step));
    }

    /// Whether a connection is one of those to the quorum.
    pub(super) fn owns(&self, connection: ConnectionId) -> bool {
        self.raft.as_ref().is_some_and(|raft| raft.owns(connection))
    }

    /// Replays what has been committed since the last time, beginning with a snapshot where the log does not reach back.
    fn replay(
        &mut self,
        log: &MetadataLog,
        high_watermark: Offset,
        image: &mut Arc<ClusterImage>,
        now: Instant,
    ) -> ImageDelta {
        let mut delta = ImageDelta::default();
        let is_behind = self.applied < Offset::ZERO || self.applied.next() < log.start_offset();
        if let Some(snapshot) = log.latest_snapshot().filter(|_| is_behind) {
            delta = self.load(snapshot, image, now);
        }
        let batches = log.batches_from(self.applied.next());
        for batch in batches.take_while(|batch| batch.last_offset() < high_watermark) {
            for record in batch.metadata_records().iter().filter(|record| **record != MetadataRecord::NoOp) {
                Arc::make_mut(image).replay(record, &mut delta);
            }
            self.snapshots.count(batch);
            self.applied = batch.last_offset();
        }
        delta
    }

    /// How much is committed, if that is more than has been replayed.
    fn news(&self, raft: &RaftClient) -> Option<Offset> {
        raft.high_watermark().filter(|end| *end > self.applied.next())
    }

    fn load(&mut self, snapshot: &MetadataSnapshot, image: &mut Arc<ClusterImage>, now: Instant) -> ImageDelta {
        let before = std::mem::take(image);
        let new = Arc::make_mut(image);
        snapshot.records().for_each(|record| new.replay(record, &mut ImageDelta::default()));
        self.applied = snapshot.id.offset + -1;
        self.snapshots.restart(now);
        ImageDelta::between(&before, image)
    }
}

impl Broker {
    /// The process starts: takes or makes its copy of the log, and begins to fetch, unless there is a controller beside
    /// it that does.
    pub(super) fn start_metadata(&mut self, disk: &Disk, step: &mut Step<'_>) {
        let setup = Arc::clone(&self.setup);
        if setup.spec.role.is_controller() {
            return;
        }
        let identity = self.outbound.identity().clone();
        let mut raft_step = RaftStep { now: step.now, channels: &mut self.server, effects: step.effects };
        let parts = (&setup.spec, &setup.config);
        self.membership.metadata_log_mut().open(parts, identity, disk, &mut raft_step);
        self.with_raft(step, RaftClient::start);
    }

    /// Lets the quorum do something, and follows it.
    fn with_raft(&mut self, step: &mut Step<'_>, act: impl FnOnce(&mut RaftClient, &mut RaftStep<'_>)) {
        if let Some(raft) = self.membership.metadata_log_mut().raft.as_mut() {
            act(raft, &mut RaftStep { now: step.now, channels: &mut self.server, effects: step.effects });
            self.controllers.set_active(raft.leader());
        }
        self.advance_controller_channels(step);
        self.follow_quorum(step);
    }

    fn follow_quorum(&mut self, step: &mut Step<'_>) {
        let metadata_log = self.membership.metadata_log();
        let Some(raft) = &metadata_log.raft else { return };
        let Some(high_watermark) = metadata_log.news(raft) else { return };
        let log = raft.log().clone();
        self.replay_and_publish(&log, high_watermark, step);
        self.write_due_snapshot(step);
    }

    fn replay_and_publish(&mut self, log: &MetadataLog, high_watermark: Offset, step: &mut Step<'_>) {
        let metadata_log = self.membership.metadata_log_mut();
        let delta = metadata_log.replay(log, high_watermark, &mut self.image, step.now);
        if !metadata_log.is_published || delta != ImageDelta::default() {
            self.publish(&delta, step);
        }
    }

    /// Looks at what the controller beside it knows of the quorum.
    pub(super) fn look_at(&mut self, raft: &RaftClient, step: &mut Step<'_>) {
        if self.controllers.set_active(raft.leader()) {
            self.advance_controller_channels(step);
        }
        if let Some(high_watermark) = self.membership.metadata_log().news(raft) {
            self.replay_and_publish(raft.log(), high_watermark, step);
        }
    }

    fn write_due_snapshot(&mut self, step: &mut Step<'_>) {
        let metadata_log = self.membership.metadata_log_mut();
        let Some(raft) = metadata_log.raft.as_mut().filter(|_| metadata_log.snapshots.is_due(step.now)) else { return };
        let mut raft_step = RaftStep { now: step.now, channels: &mut self.server, effects: step.effects };
        raft.write_snapshot(metadata_log.applied.next(), &self.image.to_records(), &mut raft_step);
        metadata_log.snapshots.restart(step.now);
    }

    /// A connection to the quorum is established.
    pub(super) fn on_quorum_connected(&mut self, connection: ConnectionId, step: &mut Step<'_>) {
        self.with_raft(step, |raft, step| raft.on_connected(connection, step));
    }

    /// A connection to the quorum is gone.
    pub(super) fn on_quorum_disconnected(&mut self, connection: ConnectionId, step: &mut Step<'_>) {
        self.with_raft(step, |raft, step| raft.on_disconnected(connection, step));
    }

    /// A member of the quorum has answered.
    pub(super) fn on_quorum_response(&mut self, answer: (ConnectionId, i32), response: Response, step: &mut Step<'_>) {
        self.with_raft(step, |raft, step| raft.on_response(answer, response, step));
    }

    /// Something is due in the quorum.
    pub(super) fn on_quorum_timer(&mut self, step: &mut Step<'_>) {
        self.with_raft(step, RaftClient::on_timer);
    }
}
