//! How the active controller changes the cluster: the records of one operation become one batch of the metadata log, are
//! applied at once, and the request is answered when the batch is committed (`ControllerWriteEvent`,
//! `DeferredEventQueue`).

use super::Running;
use super::telling::tell;
use crate::event::ChangeReason;
use crate::instant::Instant;
use crate::metadata::ImageDelta;
use crate::node::{Effects, RequestId};
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
        self.append(now, operation, effects);
        let offset = self.quorum.log().last_offset();
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

    fn append(&mut self, now: Instant, operation: Operation, effects: &mut Effects) {
        if operation.records.is_empty() {
            return;
        }
        tell(&self.image, &operation.records, operation.reason, effects);
        let batch = self.quorum.append(operation.records, self.clock.at(now), effects);
        let delta = self.replay(&batch);
        if !delta.changed_partitions.is_empty() {
            self.schedule_elections(now, effects);
        }
    }

    /// Applies one batch of the log, the next one to come.
    fn replay(&mut self, batch: &RecordBatch) -> ImageDelta {
        let mut delta = ImageDelta::default();
        let image = Arc::make_mut(&mut self.image);
        for (number, record) in (0..).zip(batch.metadata_records()) {
            image.replay(record, &mut delta);
            match record {
                MetadataRecord::RegisterBroker { broker_id, .. } => {
                    self.registration_offsets.insert(*broker_id, batch.base_offset + number);
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
                | MetadataRecord::NoOp => {}
            }
        }
        self.replayed_to = batch.last_offset().next();
        if !delta.changed_broker_configs.is_empty() {
            self.configure();
        }
        delta
    }

    /// What was set on all brokers counts for controllers too, and then what was set on this very node.
    fn configure(&mut self) {
        let own = self.image.broker_configs(Some(self.node_id));
        self.config = self.static_config.with_dynamic(&[self.image.broker_configs(None), own]);
    }

    /// Looks at what the quorum has come to: becomes active, answers what is committed, wakes fetches.
    pub(super) fn follow_quorum(&mut self, now: Instant, effects: &mut Effects) {
        self.replay_committed();
        let is_caught_up = self.replayed_to == self.quorum.log().end_offset();
        if self.quorum.is_leader() && self.active.is_none() && is_caught_up {
            self.activate(now, effects);
        }
        self.answer_committed(effects);
        self.parked.wake(&self.quorum, &mut self.channels, effects);
    }

    fn replay_committed(&mut self) {
        let high_watermark = self.quorum.high_watermark().unwrap_or(Offset::ZERO);
        if self.replayed_to >= high_watermark {
            return;
        }
        let log = self.quorum.log().clone();
        let batches = log.batches_from(self.replayed_to);
        for batch in batches.take_while(|batch| batch.last_offset() < high_watermark) {
            self.replay(batch);
        }
    }

    fn answer_committed(&mut self, effects: &mut Effects) {
        let high_watermark = self.quorum.high_watermark().unwrap_or(Offset::ZERO);
        let Some(active) = self.active.as_mut() else { return };
        while let Some(pending) = active.pending.pop_front_if(|pending| pending.offset < high_watermark) {
            self.channels.respond(pending.id, pending.response, effects);
        }
    }
}
