//! `kafka.cluster.Partition`: a replica on this broker and how it takes up its roles.
//!
//! What it does as a leader is in `leading`, as a follower in `following`; how it answers readers in `serving`.

use super::context::{Changes, Context, ReplicaSettings};
use super::following::Follower;
use super::leading::Leader;
use crate::config::TopicConfig;
use crate::event::{BrokerEvent, EventKind};
use crate::log::cleaner::LogToClean;
use crate::log::{LogContext, PartitionLog};
use crate::metadata::PartitionRegistration;
use crate::node::Effects;
use crate::storage::StoredLog;
use crate::view::{ReplicaGlance, ReplicaView};
use std::sync::Arc;
use wire::{BrokerId, LeaderEpoch, Offset, PartitionEpoch, Timestamp, TopicId, TopicPartition};

/// One replica on this broker.
#[derive(Clone, Debug)]
pub struct Partition {
    pub(super) settings: ReplicaSettings,
    pub(super) config: Arc<TopicConfig>,
    pub(super) log: PartitionLog,
    pub(super) leader_epoch: LeaderEpoch,
    pub(super) partition_epoch: PartitionEpoch,
    pub(super) role: Role,
}

/// What this broker is for the partition.
#[derive(Clone, Debug)]
pub(super) enum Role {
    Leader(Leader),
    Follower(Follower),
}

/// What [`Changes`] are measured from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    leader_epoch: LeaderEpoch,
    log_start_offset: Offset,
    log_end_offset: Offset,
    high_watermark: Offset,
}

impl Partition {
    /// A new replica with an empty log; it has no role until [`Partition::apply_metadata`].
    #[must_use]
    pub fn create(
        partition: TopicPartition,
        topic_id: TopicId,
        config: Arc<TopicConfig>,
        settings: ReplicaSettings,
        wall_time: Timestamp,
        effects: &mut Effects,
    ) -> Partition {
        let context = LogContext { config: &config, wall_time };
        let log = PartitionLog::create(partition, topic_id, settings.log, &context, effects);
        Partition::with_log(log, config, settings)
    }

    /// A replica whose log is on the disk; it has no role until [`Partition::apply_metadata`].
    #[must_use]
    pub fn load(
        partition: TopicPartition,
        stored: &StoredLog,
        config: Arc<TopicConfig>,
        settings: ReplicaSettings,
        wall_time: Timestamp,
        effects: &mut Effects,
    ) -> Partition {
        let context = LogContext { config: &config, wall_time };
        let log = PartitionLog::load(partition, stored, settings.log, &context, effects);
        Partition::with_log(log, config, settings)
    }

    fn with_log(log: PartitionLog, config: Arc<TopicConfig>, settings: ReplicaSettings) -> Partition {
        Partition {
            settings,
            config,
            log,
            leader_epoch: LeaderEpoch::NONE,
            partition_epoch: PartitionEpoch(-1),
            role: Role::Follower(Follower::idle(None)),
        }
    }

    /// Deletes the replica's log.
    pub fn delete(self, effects: &mut Effects) {
        self.log.delete(effects);
    }

    /// The process ends as it should.
    pub fn close_log(&mut self, wall_time: Timestamp, effects: &mut Effects) {
        self.log.close(wall_time, effects);
    }

    /// Flushes the log if it has not been for `flush.ms`.
    pub fn flush_log_if_due(&mut self, wall_time: Timestamp, effects: &mut Effects) {
        self.log.flush_if_due(&LogContext { config: &self.config, wall_time }, effects);
    }

    /// Forgets producers that have been silent for `producer.id.expiration.ms`.
    pub fn remove_expired_producers(&mut self, wall_time: Timestamp) {
        self.log.remove_expired_producers(wall_time);
    }

    /// Deletes the segments that the topic does not keep.
    pub fn delete_old_segments(&mut self, wall_time: Timestamp, effects: &mut Effects) {
        self.log.delete_old_segments(&LogContext { config: &self.config, wall_time }, effects);
    }

    /// What compaction could do for the log; `None` if the topic is not compacted.
    #[must_use]
    pub fn log_to_clean(&self, wall_time: Timestamp) -> Option<LogToClean> {
        let context = LogContext { config: &self.config, wall_time };
        self.config.cleanup_policy.compacts().then(|| self.log.log_to_clean(&context))
    }

    /// Compacts the log, as far as so many keys allow.
    pub fn compact(&mut self, to_clean: &LogToClean, most_keys: u64, wall_time: Timestamp, effects: &mut Effects) {
        self.log.compact(to_clean, most_keys, &LogContext { config: &self.config, wall_time }, effects);
    }

    /// The topic's configuration.
    #[must_use]
    pub fn config(&self) -> &TopicConfig {
        &self.config
    }

    /// The topic's configuration changed.
    pub fn set_config(&mut self, config: Arc<TopicConfig>) {
        self.config = config;
    }

    /// Takes the partition's state as metadata has it: leads if this broker is the leader, else follows
    /// (`makeLeader`, `makeFollower`). A partition epoch that is not newer than the known one tells nothing new and is
    /// ignored; the controller's answer to a proposal may have told it before. (Kafka takes an equal one once more and
    /// forgets a proposal that went out in between.)
    pub fn apply_metadata(
        &mut self,
        state: &PartitionRegistration,
        context: &Context<'_>,
        effects: &mut Effects,
    ) -> Changes {
        if state.partition_epoch <= self.partition_epoch {
            return Changes::default();
        }
        let mark = self.mark();
        if state.leader == Some(self.settings.broker_id) {
            self.make_leader(state, context, effects);
        } else {
            self.make_follower(state, effects);
        }
        self.changes_since(mark)
    }

    /// A newer state of the same leadership replaces the in-sync replicas and nothing else.
    fn make_leader(&mut self, state: &PartitionRegistration, context: &Context<'_>, effects: &mut Effects) {
        let is_new_epoch = state.leader_epoch > self.leader_epoch || !self.is_leader();
        let start_offset = self.log.log_end_offset();
        let previous = match &mut self.role {
            Role::Leader(leader) => Some(leader.clone()),
            Role::Follower(_) => None,
        };
        let mut leader = Leader::with_assignment(previous.as_ref(), state, self.settings.broker_id, start_offset);
        if is_new_epoch {
            leader.begin_epoch(start_offset, context.now, previous.is_none());
        }
        self.role = Role::Leader(leader);
        (self.leader_epoch, self.partition_epoch) = (state.leader_epoch, state.partition_epoch);
        if is_new_epoch {
            self.note(effects, |partition| BrokerEvent::BecameLeader {
                partition,
                leader_epoch: state.leader_epoch,
                log_end_offset: start_offset,
            });
            self.log.assign_epoch_start_offset(state.leader_epoch, start_offset, effects);
        }
        self.maybe_increment_leader_high_watermark(context, effects);
    }

    fn make_follower(&mut self, state: &PartitionRegistration, effects: &mut Effects) {
        let is_new_epoch = state.leader_epoch > self.leader_epoch;
        (self.leader_epoch, self.partition_epoch) = (state.leader_epoch, state.partition_epoch);
        if !is_new_epoch {
            return;
        }
        self.role = Role::Follower(Follower::idle(state.leader));
        self.note(effects, |partition| BrokerEvent::BecameFollower {
            partition,
            leader: state.leader,
            leader_epoch: state.leader_epoch,
            log_end_offset: self.log.log_end_offset(),
        });
        self.start_fetching(effects);
    }

    /// The replica's log.
    #[must_use]
    pub fn log(&self) -> &PartitionLog {
        &self.log
    }

    /// Whether this broker leads.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        match self.role {
            Role::Leader(_) => true,
            Role::Follower(_) => false,
        }
    }

    /// The leader, this broker or another, if there is one.
    #[must_use]
    pub fn leader(&self) -> Option<BrokerId> {
        match &self.role {
            Role::Leader(_) => Some(self.settings.broker_id),
            Role::Follower(follower) => follower.leader,
        }
    }

    /// The epoch in which it leads or follows; `NONE` before any metadata.
    #[must_use]
    pub fn leader_epoch(&self) -> LeaderEpoch {
        self.leader_epoch
    }

    /// The epoch of the partition's state; -1 before any metadata.
    #[must_use]
    pub fn partition_epoch(&self) -> PartitionEpoch {
        self.partition_epoch
    }

    /// What an onlooker may see.
    #[must_use]
    pub fn view(&self) -> ReplicaView {
        ReplicaView {
            partition: self.log.partition().clone(),
            topic_id: self.log.topic_id(),
            role: match &self.role {
                Role::Leader(leader) => leader.view(self.partition_epoch),
                Role::Follower(follower) => follower.view(),
            },
            leader_epoch: self.leader_epoch,
            log_start_offset: self.log.log_start_offset(),
            log_end_offset: self.log.log_end_offset(),
            high_watermark: self.log.high_watermark(),
            last_stable_offset: self.log.last_stable_offset(),
            recovery_point: self.log.recovery_point(),
            leader_epochs: self.log.leader_epochs().to_vec(),
            segments: self.log.segments().clone(),
            producers: self.log.producers().clone(),
        }
    }

    /// The same, borrowed.
    #[must_use]
    pub fn glance(&self) -> ReplicaGlance<'_> {
        ReplicaGlance {
            topic_id: self.log.topic_id(),
            leader_epoch: self.leader_epoch,
            log_start_offset: self.log.log_start_offset(),
            log_end_offset: self.log.log_end_offset(),
            high_watermark: self.log.high_watermark(),
            last_stable_offset: self.log.last_stable_offset(),
            leader_epochs: self.log.leader_epochs(),
            segments: self.log.segments(),
            leadership: self.as_leader().map(|leader| leader.glance(self.partition_epoch, &self.config)),
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            leader_epoch: self.leader_epoch,
            log_start_offset: self.log.log_start_offset(),
            log_end_offset: self.log.log_end_offset(),
            high_watermark: self.log.high_watermark(),
        }
    }

    pub(super) fn changes_since(&self, mark: Mark) -> Changes {
        Changes {
            leadership: self.leader_epoch != mark.leader_epoch,
            log_start_offset: self.log.log_start_offset() != mark.log_start_offset,
            log_end_offset: self.log.log_end_offset() != mark.log_end_offset,
            high_watermark: self.log.high_watermark() != mark.high_watermark,
            isr_proposed: false,
        }
    }

    pub(super) fn note(&self, effects: &mut Effects, event: impl FnOnce(TopicPartition) -> BrokerEvent) {
        effects.note(EventKind::Broker(event(self.log.partition().clone())));
    }

    /// Notes that the high watermark rose, if it did.
    pub(super) fn note_high_watermark(&self, from: Offset, effects: &mut Effects) {
        let to = self.log.high_watermark();
        if to > from {
            self.note(effects, |partition| BrokerEvent::HighWatermarkAdvanced { partition, from, to });
        }
    }
}
