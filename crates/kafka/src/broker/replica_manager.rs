//! The replicas on this broker (`kafka.server.ReplicaManager`): where they are found, what runs over all of them from
//! time to time, and what a change in one of them means for others. What a replica does itself is in `replica`.

use super::still_fetches::StillFollowers;
use super::{Broker, Step, timers};
use crate::config::{BrokerConfig, TopicConfig};
use crate::instant::Instant;
use crate::log::LogSettings;
use crate::metadata::{ClusterImage, METADATA_TOPIC, TopicImage};
use crate::node::Effects;
use crate::replica::{Changes, Context, Partition, ReplicaSettings};
use crate::spec::HistoricalFaults;
use crate::storage::{Disk, DiskWrite, StoredLog};
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{BrokerId, ErrorCode, Offset, PartitionIndex, Timestamp, TopicId, TopicName, TopicPartition};

/// The replicas by partition.
#[derive(Clone, Debug)]
pub(super) struct ReplicaManager {
    settings: ReplicaSettings,
    pub(super) replicas: BTreeMap<TopicPartition, Arc<Partition>>,
    /// What their followers' fetches have not told them yet.
    pub(super) still_followers: StillFollowers,
    changes_of_leaders: u64,
    changes_of_followers: u64,
    /// What the disk held at start, until each log is taken or deleted.
    stored: Arc<BTreeMap<TopicPartition, StoredLog>>,
    checkpointed: BTreeMap<TopicPartition, Offset>,
    /// Whether they are written down from time to time.
    is_checkpointing: bool,
}

impl ReplicaManager {
    /// No replicas yet.
    pub(super) fn new(
        broker_id: BrokerId,
        config: &BrokerConfig,
        log: LogSettings,
        faults: HistoricalFaults,
    ) -> ReplicaManager {
        ReplicaManager {
            settings: ReplicaSettings::new(broker_id, config, log, faults),
            replicas: BTreeMap::new(),
            still_followers: StillFollowers::default(),
            changes_of_leaders: 0,
            changes_of_followers: 0,
            stored: Arc::default(),
            checkpointed: BTreeMap::new(),
            is_checkpointing: false,
        }
    }

    /// Remembers the logs that an earlier run left. They are loaded when metadata says what they are for.
    pub(super) fn take_disk(&mut self, disk: &Disk) {
        self.stored = Arc::clone(&disk.logs);
        self.settings.log.had_clean_shutdown = disk.clean_shutdown.is_some();
    }

    /// The replica of a partition, if there is one here.
    pub(super) fn get(&self, partition: &TopicPartition) -> Option<&Partition> {
        self.replicas.get(partition).map(|replica| &**replica)
    }

    /// The same, to change it.
    pub(super) fn get_mut(&mut self, partition: &TopicPartition) -> Option<&mut Partition> {
        self.note_still_fetches();
        let replica = self.replicas.get_mut(partition)?;
        match replica.is_leader() {
            true => self.changes_of_leaders += 1,
            false => self.changes_of_followers += 1,
        }
        Some(Arc::make_mut(replica))
    }

    /// The same, for a fetch, which mostly changes nothing that others see; else [`ReplicaManager::on_leader_changed`] is
    /// to be called.
    pub(super) fn get_mut_to_fetch(&mut self, partition: &TopicPartition) -> Option<&mut Partition> {
        self.note_still_fetches();
        self.replicas.get_mut(partition).map(Arc::make_mut)
    }

    /// A fetch has changed the replica that it read.
    pub(super) fn on_leader_changed(&mut self) {
        self.changes_of_leaders += 1;
    }

    /// The same number comes back as long as nothing happens to the replicas that lead.
    pub(super) fn changes_of_leaders(&self) -> u64 {
        self.changes_of_leaders
    }

    /// The same number comes back as long as nothing happens to the replicas that follow.
    pub(super) fn changes_of_followers(&self) -> u64 {
        self.changes_of_followers
    }

    fn on_all_changed(&mut self) {
        self.note_still_fetches();
        self.changes_of_leaders += 1;
        self.changes_of_followers += 1;
    }

    /// All replicas, by partition.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&TopicPartition, &Partition)> {
        self.replicas.iter().map(|(partition, replica)| (partition, &**replica))
    }

    /// Loads the replica's log, or makes it, unless the replica is there already.
    pub(super) fn ensure(
        &mut self,
        partition: &TopicPartition,
        topic: &TopicImage,
        (config, wall_time): (&BrokerConfig, Timestamp),
        effects: &mut Effects,
    ) -> &mut Partition {
        self.on_all_changed();
        let (settings, stored) = (self.settings, &self.stored);
        let replica = self.replicas.entry(partition.clone()).or_insert_with(|| {
            let config = Arc::new(TopicConfig::resolve(&topic.configs, config));
            Arc::new(match stored.get(partition).filter(|log| log.topic_id == topic.topic_id) {
                Some(log) => Partition::load(partition.clone(), log, config, settings, wall_time, effects),
                None => Partition::create(partition.clone(), topic.topic_id, config, settings, wall_time, effects),
            })
        });
        Arc::make_mut(replica)
    }

    /// The replicas of one topic.
    pub(super) fn of_topic<'a>(&'a self, topic: &'a TopicName) -> impl Iterator<Item = &'a TopicPartition> {
        let first = TopicPartition::new(topic.clone(), PartitionIndex(0));
        self.replicas.range(first..).map(|(partition, _)| partition).take_while(|partition| partition.topic == *topic)
    }

    /// Deletes a replica and its log, or a log that was not loaded. Returns whether there was one.
    pub(super) fn delete(&mut self, partition: &TopicPartition, effects: &mut Effects) -> bool {
        self.on_all_changed();
        self.checkpointed.remove(partition);
        let is_stored = self.stored.contains_key(partition);
        if is_stored {
            Arc::make_mut(&mut self.stored).remove(partition);
        }
        match self.replicas.remove(partition) {
            Some(replica) => Arc::unwrap_or_clone(replica).delete(effects),
            None if is_stored => effects.write(DiskWrite::DeleteLog { partition: partition.clone() }),
            None => return false,
        }
        true
    }

    /// The id of the topic that the partition's log here belongs to, whether it has been loaded or not.
    pub(super) fn topic_id(&self, partition: &TopicPartition) -> Option<TopicId> {
        let replica = self.replicas.get(partition).map(|replica| replica.log().topic_id());
        replica.or_else(|| self.stored.get(partition).map(|log| log.topic_id))
    }

    /// Deletes the logs on the disk that belong to no replica of this broker (`isStrayKraftReplica`), which an earlier
    /// run left. The metadata log is not among them.
    pub(super) fn delete_strays(&mut self, image: &ClusterImage, metadata: &TopicPartition, effects: &mut Effects) {
        let strays = self.stored.iter().filter(|(partition, log)| {
            *partition != metadata && !is_replica_here(image, partition, log, self.settings.broker_id)
        });
        for (partition, _) in strays {
            effects.write(DiskWrite::DeleteLog { partition: partition.clone() });
        }
    }

    /// Forgets what the disk held at start: every log has been taken or deleted.
    pub(super) fn forget_disk(&mut self) {
        self.stored = Arc::default();
    }

    /// The logs on the disk that no replica has loaded, and where they end. The metadata log is not among them.
    pub(super) fn unloaded(&self) -> Vec<(TopicPartition, Offset)> {
        let is_unloaded = |partition: &TopicPartition| {
            partition.topic.as_str() != METADATA_TOPIC && !self.replicas.contains_key(partition)
        };
        let unloaded = self.stored.iter().filter(|(partition, _)| is_unloaded(partition));
        unloaded.map(|(partition, log)| (partition.clone(), log.end_offset())).collect()
    }

    fn take_checkpoint(&mut self) -> Vec<(TopicPartition, Offset)> {
        let mut changed = Vec::new();
        for (partition, replica) in &self.replicas {
            let high_watermark = replica.log().high_watermark();
            if self.checkpointed.get(partition) != Some(&high_watermark) {
                changed.push((partition.clone(), high_watermark));
            }
        }
        self.checkpointed.extend(changed.iter().cloned());
        changed
    }
}

fn is_replica_here(image: &ClusterImage, partition: &TopicPartition, log: &StoredLog, broker_id: BrokerId) -> bool {
    let topic = image.topics().get(&partition.topic).filter(|topic| topic.topic_id == log.topic_id);
    let state = topic.and_then(|topic| topic.partitions.get(&partition.partition));
    state.is_some_and(|state| state.replicas.contains(&broker_id))
}

impl Broker {
    /// The world around the replicas, for those that are only looked at.
    pub(super) fn surroundings(&self, now: Instant) -> Context<'_> {
        Context {
            now,
            wall_clock: self.setup.wall_clock,
            broker_epoch: self.broker_epoch_or_none(),
            image: &self.image,
        }
    }

    /// The world around the replicas, and the replicas.
    pub(super) fn context(&mut self, now: Instant) -> (Context<'_>, &mut ReplicaManager) {
        let context = Context {
            now,
            wall_clock: self.setup.wall_clock,
            broker_epoch: self.broker_epoch_or_none(),
            image: &self.image,
        };
        (context, &mut self.replicas)
    }

    /// A replica changed: others may wait for that.
    pub(super) fn on_changes(&mut self, partition: &TopicPartition, changes: Changes, step: &mut Step<'_>) {
        let Changes { leadership, log_start_offset, log_end_offset, high_watermark, isr_proposed } = changes;
        if leadership || log_start_offset || log_end_offset || high_watermark {
            self.purgatory.touch(partition);
        }
        if isr_proposed {
            self.submit_proposal(partition, step);
        }
    }

    /// Why a partition that has no replica here cannot be served.
    pub(super) fn error_without_replica(&self, partition: &TopicPartition) -> ErrorCode {
        match self.image.partition(partition) {
            Some(_) => ErrorCode::NotLeaderOrFollower,
            None => ErrorCode::UnknownTopicOrPartition,
        }
    }

    /// Starts what runs from time to time.
    pub(super) fn start_replica_manager(&mut self, step: &mut Step<'_>) {
        self.schedule_isr_expiration(step);
        self.start_checkpointing(step);
        self.start_log_manager(step);
    }

    /// Writes high watermarks down from now on, unless it does so already.
    pub(super) fn start_checkpointing(&mut self, step: &mut Step<'_>) {
        if !std::mem::replace(&mut self.replicas.is_checkpointing, true) {
            self.schedule_checkpoint(step);
        }
    }

    /// Leaders look for followers that lag.
    pub(super) fn on_isr_expiration(&mut self, step: &mut Step<'_>) {
        let led = self.replicas.iter().filter(|(_, replica)| replica.is_leader());
        let led: Vec<TopicPartition> = led.map(|(partition, _)| partition.clone()).collect();
        for partition in led {
            let (context, replicas) = self.context(step.now);
            let replica = replicas.get_mut(&partition).expect("the replica was just seen");
            let changes = replica.maybe_shrink_isr(&context, step.effects);
            self.on_changes(&partition, changes, step);
        }
        self.schedule_isr_expiration(step);
    }

    /// Leaders will look for followers that lag.
    pub(super) fn schedule_isr_expiration(&mut self, step: &mut Step<'_>) {
        timers::set_again(timers::ISR_EXPIRATION, self.setup.config.replica_lag_time_max_ms / 2, step);
    }

    /// High watermarks are written down.
    pub(super) fn on_high_watermark_checkpoint(&mut self, step: &mut Step<'_>) {
        self.checkpoint_high_watermarks(step);
        self.schedule_checkpoint(step);
    }

    /// Writes down the high watermarks that are not on the disk yet.
    pub(super) fn checkpoint_high_watermarks(&mut self, step: &mut Step<'_>) {
        let changed = self.replicas.take_checkpoint();
        if !changed.is_empty() {
            step.effects.write(DiskWrite::HighWatermarks(changed));
        }
    }

    fn schedule_checkpoint(&mut self, step: &mut Step<'_>) {
        let interval_ms = self.setup.config.replica_high_watermark_checkpoint_interval_ms;
        timers::set_again(timers::HIGH_WATERMARK_CHECKPOINT, interval_ms, step);
    }
}
