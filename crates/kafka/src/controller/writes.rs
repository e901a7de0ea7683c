//! How the active controller changes the cluster: the records of one operation become one batch of the metadata log, are
//! applied at once, and the request is answered when the batch is committed (`ControllerWriteEvent`,
//! `DeferredEventQueue`). A controller that is not active replays what is committed and nothing else.

use super::refusals::refused;
use super::telling::tell;
use super::{Running, TimerKind};
use crate::event::{ChangeReason, ControllerEvent, EventKind};
use crate::instant::Instant;
use crate::metadata::ImageDelta;
use crate::node::{Effects, RequestId};
use crate::raft::{MetadataSnapshot, RaftStep};
use std::sync::Arc;
use wire::{MetadataRecord, Offset, RecordBatch, Response};

/// What one operation writes, and why partitions change by it.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) records: Vec<MetadataRecord>,
    pub(super) reason: Option<ChangeReason>,
}

/// An answer that waits until an offset is committed.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    offset: Offset,
    id: RequestId,
    response: Response,
}

impl Running {
    /// Writes, and answers once everything up to here is committed: an answer without records of its own may rest on
    /// records of others.
    pub(super) fn complete(
        &mut self,
        now: Instant,
        id: RequestId,
        operation: Operation,
        response: Response,
        effects: &mut Effects,
    ) {
        if !self.append(now, operation, effects) {
            return self.channels.respond(id, refused(response), effects);
        }
        let offset = self.last_offset();
        if let Some(active) = self.active.as_mut() {
            active.pending.push_back(Pending { offset, id, response });
        }
        self.follow_quorum(now, effects);
    }

    /// Writes without anybody waiting for it.
    pub(super) fn write(&mut self, now: Instant, operation: Operation, effects: &mut Effects) {
        self.append(now, operation, effects);
        self.follow_quorum(now, effects);
    }

    /// Writes. A controller whose voter has resigned meanwhile cannot: only now it notices, and is active no more. Tells
    /// whether it still is.
    fn append(&mut self, now: Instant, operation: Operation, effects: &mut Effects) -> bool {
        if operation.records.is_empty() {
            return true;
        }
        if !self.raft.is_leader() {
            self.renounce(now, effects);
            return false;
        }
        tell(&self.image, &operation.records, operation.reason, effects);
        let mut step = RaftStep { now, channels: &mut self.channels, effects };
        let batch = self.raft.append(operation.records, &mut step);
        let delta = self.replay(&batch);
        self.track(&batch, now);
        if !delta.changed_partitions.is_empty() {
            self.schedule_elections(now, effects);
        }
        true
    }

    /// What a batch of its own says of brokers, the active controller's soft state follows.
    fn track(&mut self, batch: &RecordBatch, now: Instant) {
        let Some(active) = self.active.as_mut() else { return };
        for record in batch.metadata_records() {
            if let MetadataRecord::BrokerRegistrationChange { broker_id, .. } = record {
                let registration = self.image.brokers().get(broker_id).expect("only registered brokers change");
                active.heartbeats.replayed(*broker_id, registration.fenced, now);
            } else if let MetadataRecord::UnregisterBroker { broker_id, .. } = record {
                active.heartbeats.remove(*broker_id);
            }
        }
    }

    /// The offset of the last record in the log, or -1.
    pub(super) fn last_offset(&self) -> Offset {
        self.raft.log().end_offset() + -1
    }

    /// Applies one batch of the log, the next one to come.
    fn replay(&mut self, batch: &RecordBatch) -> ImageDelta {
        let mut delta = ImageDelta::default();
        for (number, record) in (0..).zip(batch.metadata_records()) {
            self.replay_record(record, batch.base_offset + number, &mut delta);
        }
        self.snapshots.count(batch);
        self.replayed_to = batch.last_offset().next();
        if !delta.changed_broker_configs.is_empty() {
            self.configure();
        }
        delta
    }

    fn replay_record(&mut self, record: &MetadataRecord, offset: Offset, delta: &mut ImageDelta) {
        Arc::make_mut(&mut self.image).replay(record, delta);
        match record {
            MetadataRecord::RegisterBroker { broker_id, .. } => {
                self.registration_offsets.insert(*broker_id, offset);
            }
            MetadataRecord::UnregisterBroker { broker_id, .. } => {
                self.registration_offsets.remove(broker_id);
            }
            MetadataRecord::FeatureLevel { .. }
            | MetadataRecord::BrokerRegistrationChange { .. }
            | MetadataRecord::Topic { .. }
            | MetadataRecord::RemoveTopic { .. }
            | MetadataRecord::Config { .. }
            | MetadataRecord::Partition(_)
            | MetadataRecord::PartitionChange(_)
            | MetadataRecord::ProducerIds { .. }
            | MetadataRecord::RegisterController { .. }
            | MetadataRecord::ZkMigrationStateNone
            | MetadataRecord::BeginTransaction
            | MetadataRecord::EndTransaction
            | MetadataRecord::NoOp => {}
        }
    }

    /// What was set on all brokers counts for controllers too, and then what was set on this very node.
    fn configure(&mut self) {
        let own = self.image.broker_configs(Some(self.node_id));
        self.config = self.static_config.with_dynamic(&[self.image.broker_configs(None), own]);
    }

    /// Looks at what the quorum has come to: becomes active or stops being so, answers what is committed.
    pub(super) fn follow_quorum(&mut self, now: Instant, effects: &mut Effects) {
        if self.active.as_ref().is_some_and(|active| active.epoch != self.raft.epoch()) {
            self.renounce(now, effects);
        }
        self.replay_committed(now);
        let has_replayed_all = self.raft.epoch_start_offset().is_some_and(|start| self.replayed_to > start);
        if self.active.is_none() && has_replayed_all {
            self.activate(now, effects);
        }
        self.answer_committed(effects);
        self.write_due_snapshot(now, effects);
        self.advance_registration(now, effects);
    }

    /// Is not the active controller any more: what was not committed is undone, and whoever waits for it must ask the
    /// next one.
    fn renounce(&mut self, now: Instant, effects: &mut Effects) {
        let Some(active) = self.active.take() else { return };
        let epoch = active.epoch;
        effects.note(EventKind::Controller(ControllerEvent::NoLongerActive { epoch }));
        for pending in active.pending {
            self.channels.respond(pending.id, refused(pending.response), effects);
        }
        TimerKind::OF_ACTIVE.iter().for_each(|kind| effects.cancel_timer(kind.timer(0)));
        self.image = Arc::default();
        self.registration_offsets.clear();
        self.replayed_to = Offset::ZERO;
        self.configure();
        self.replay_committed(now);
    }

    fn replay_committed(&mut self, now: Instant) {
        let Some(high_watermark) = self.raft.high_watermark().filter(|end| *end > self.replayed_to) else { return };
        let log = self.raft.log().clone();
        let is_behind = self.replayed_to == Offset::ZERO || self.replayed_to < log.start_offset();
        if let Some(snapshot) = log.latest_snapshot().filter(|_| is_behind) {
            self.load(snapshot, now);
        }
        let batches = log.batches_from(self.replayed_to);
        for batch in batches.take_while(|batch| batch.last_offset() < high_watermark) {
            self.replay(batch);
        }
    }

    fn load(&mut self, snapshot: &MetadataSnapshot, now: Instant) {
        let last_contained_offset = snapshot.id.offset + -1;
        self.image = Arc::default();
        self.registration_offsets.clear();
        for record in snapshot.records() {
            self.replay_record(record, last_contained_offset, &mut ImageDelta::default());
        }
        self.replayed_to = snapshot.id.offset;
        self.snapshots.restart(now);
        self.configure();
    }

    /// The active controller is ahead of what is committed; it waits until both are the same.
    fn write_due_snapshot(&mut self, now: Instant, effects: &mut Effects) {
        let is_committed = self.raft.high_watermark() == Some(self.replayed_to);
        if is_committed && self.snapshots.is_due(now) {
            let mut step = RaftStep { now, channels: &mut self.channels, effects };
            self.raft.write_snapshot(self.replayed_to, &self.image.to_records(), &mut step);
            self.snapshots.restart(now);
        }
    }

    fn answer_committed(&mut self, effects: &mut Effects) {
        let high_watermark = self.raft.high_watermark().unwrap_or(Offset::ZERO);
        let Some(active) = self.active.as_mut() else { return };
        while let Some(pending) = active.pending.pop_front_if(|pending| pending.offset < high_watermark) {
            self.channels.respond(pending.id, pending.response, effects);
        }
    }
}
