//! What is done to all logs of the broker from time to time, and when it stops (`kafka.log.LogManager`): recovery points
//! and log start offsets are written down, logs are flushed whose time has come, silent producers are forgotten, old
//! segments are deleted.
//!
//! High watermarks are the business of `replica_manager`, compaction of `log_cleaner`; what a log does itself is in `log`.

use super::{Broker, Step, timers};
use crate::instant::{Duration, Instant};
use crate::replica::Partition;
use crate::storage::DiskWrite;
use wire::{Timestamp, TopicPartition};

impl Broker {
    /// Starts what runs from time to time.
    pub(super) fn start_log_manager(&mut self, step: &mut Step<'_>) {
        let first_ms = self.setup.config.log_initial_task_delay_ms;
        let first = Duration::from_ms(first_ms);
        step.effects.set_timer(timers::single(timers::LOG_CHECKPOINT), step.now + first);
        timers::set_again(
            timers::PRODUCER_EXPIRATION,
            self.setup.config.producer_id_expiration_check_interval_ms,
            step,
        );
        self.schedule_flush(first_ms, step);
        step.effects.set_timer(timers::single(timers::LOG_RETENTION), step.now + first);
        self.start_log_cleaner(step);
    }

    /// Recovery points and log start offsets are written down. Kafka does so in two tasks, which have the same interval.
    pub(super) fn on_log_checkpoint(&mut self, step: &mut Step<'_>) {
        self.checkpoint_logs(step);
        timers::set_again(timers::LOG_CHECKPOINT, self.setup.config.log_flush_offset_checkpoint_interval_ms, step);
    }

    /// Also done whenever logs are deleted (`asyncDelete`).
    pub(super) fn checkpoint_logs(&self, step: &mut Step<'_>) {
        let logs = || self.replicas.iter().map(|(partition, replica)| (partition.clone(), replica.log()));
        if logs().next().is_some() {
            let recovery_points = logs().map(|(partition, log)| (partition, log.recovery_point()));
            step.effects.write(DiskWrite::RecoveryPoints(recovery_points.collect()));
            let start_offsets = logs().map(|(partition, log)| (partition, log.log_start_offset_to_checkpoint()));
            step.effects.write(DiskWrite::LogStartOffsets(start_offsets.collect()));
        }
    }

    /// Logs are flushed that have not been for `flush.ms`.
    pub(super) fn on_log_flush(&mut self, step: &mut Step<'_>) {
        self.for_each_log(step, |replica, wall_time, step| replica.flush_log_if_due(wall_time, step.effects));
        self.schedule_flush(self.setup.config.log_flush_scheduler_interval_ms, step);
    }

    /// By default brokers leave flushing to the operating system: the interval is for ever.
    fn schedule_flush(&self, wait_ms: i64, step: &mut Step<'_>) {
        if self.setup.config.log_flush_scheduler_interval_ms < i64::MAX {
            timers::set_again(timers::LOG_FLUSH, wait_ms, step);
        }
    }

    /// Producers are forgotten that have been silent for `producer.id.expiration.ms`.
    pub(super) fn on_producer_expiration(&mut self, step: &mut Step<'_>) {
        self.for_each_log(step, |replica, wall_time, _| replica.remove_expired_producers(wall_time));
        timers::set_again(
            timers::PRODUCER_EXPIRATION,
            self.setup.config.producer_id_expiration_check_interval_ms,
            step,
        );
    }

    /// Old segments are deleted. Those of compacted topics are the cleaner's business.
    pub(super) fn on_log_retention(&mut self, step: &mut Step<'_>) {
        self.delete_old_segments(false, step);
        timers::set_again(timers::LOG_RETENTION, self.config.log_retention_check_interval_ms, step);
    }

    /// Deletes what topics do not keep: of compacted ones, or of the others.
    pub(super) fn delete_old_segments(&mut self, of_compacted: bool, step: &mut Step<'_>) {
        self.for_each_log(step, |replica, wall_time, step| {
            if replica.config().cleanup_policy.compacts() == of_compacted {
                replica.delete_old_segments(wall_time, step.effects);
            }
        });
    }

    /// The process ends as it should: everything is flushed, and the checkpoints are written. Logs that were not loaded
    /// yet are flushed too.
    pub(super) fn close_logs(&mut self, step: &mut Step<'_>) {
        self.for_each_log(step, |replica, wall_time, step| replica.close_log(wall_time, step.effects));
        self.checkpoint_logs(step);
        for (partition, up_to) in self.replicas.unloaded() {
            step.effects.write(DiskWrite::Flush { partition, up_to });
        }
    }

    fn for_each_log(&mut self, step: &mut Step<'_>, mut act: impl FnMut(&mut Partition, Timestamp, &mut Step<'_>)) {
        let wall_time = self.wall_time(step.now);
        let partitions: Vec<TopicPartition> = self.replicas.iter().map(|(partition, _)| partition.clone()).collect();
        for partition in partitions {
            let replica = self.replicas.get_mut(&partition).expect("the replica was just seen");
            act(replica, wall_time, step);
        }
    }

    pub(super) fn wall_time(&self, now: Instant) -> Timestamp {
        self.setup.wall_clock.at(now)
    }
}
