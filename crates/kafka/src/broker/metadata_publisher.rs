//! Acts on what a stretch of the metadata log changed (`kafka.server.metadata.BrokerMetadataPublisher` and
//! `ReplicaManager.applyDelta`): replicas are deleted, made, led, followed and configured.

use super::{Broker, Step};
use crate::config::TopicConfig;
use crate::event::{BrokerEvent, EventKind};
use crate::metadata::{ClusterImage, ImageDelta, PartitionRegistration, TopicImage};
use crate::replica::Changes;
use crate::view::BrokerState;
use std::collections::BTreeSet;
use std::sync::Arc;
use wire::{BrokerId, TopicName, TopicPartition};

impl Broker {
    /// Acts on a new image.
    pub(super) fn publish(&mut self, delta: &ImageDelta, step: &mut Step<'_>) {
        let image = Arc::clone(&self.image);
        let is_first = !std::mem::replace(&mut self.membership.metadata_log_mut().is_published, true);
        if is_first {
            self.start_replica_manager(step);
            self.replicas.delete_strays(&image, &self.membership.metadata_log().partition, step.effects);
        }
        let removed = self.removed_replicas(&image, delta).chain(self.moved_replicas(&image, delta));
        let removed: BTreeSet<TopicPartition> = removed.cloned().collect();
        self.delete_replicas(&removed, step);
        self.reconfigure(&image, delta);
        self.apply_roles(&image, delta, step);
        self.configure_replicas(&image, delta);
        self.note_fencing(&image, delta, step);
        if is_first {
            self.replicas.forget_disk();
            self.on_first_publish(step);
        }
    }

    /// Replicas of removed topics. A topic that was made anew has another id: its replicas are made later.
    fn removed_replicas<'a>(
        &'a self,
        image: &'a ClusterImage,
        delta: &'a ImageDelta,
    ) -> impl Iterator<Item = &'a TopicPartition> {
        delta.removed_partitions.iter().filter(|partition| {
            let topic_id = self.replicas.get(partition).map(|replica| replica.log().topic_id());
            topic_id.is_some() && image.topics().get(&partition.topic).map(|topic| topic.topic_id) != topic_id
        })
    }

    /// What was set on all brokers counts, and then what was set on this one.
    fn reconfigure(&mut self, image: &ClusterImage, delta: &ImageDelta) {
        if self.is_reconfigured_by(delta) {
            let own = image.broker_configs(Some(self.setup.broker_id));
            self.config = Arc::new(self.setup.config.with_dynamic(&[image.broker_configs(None), own]));
        }
    }

    fn is_reconfigured_by(&self, delta: &ImageDelta) -> bool {
        [None, Some(self.setup.broker_id)].iter().any(|broker| delta.changed_broker_configs.contains(broker))
    }

    /// Replicas that were moved away.
    fn moved_replicas<'a>(
        &'a self,
        image: &'a ClusterImage,
        delta: &'a ImageDelta,
    ) -> impl Iterator<Item = &'a TopicPartition> {
        delta.changed_partitions.iter().filter(|partition| {
            let is_here =
                image.partition(partition).is_some_and(|state| state.replicas.contains(&self.setup.broker_id));
            !is_here && self.replicas.get(partition).is_some()
        })
    }

    fn delete_replicas(&mut self, partitions: &BTreeSet<TopicPartition>, step: &mut Step<'_>) {
        for partition in partitions {
            self.remove_from_fetchers(partition);
            self.replicas.delete(partition, step.effects);
            self.purgatory.touch(partition);
        }
        if !partitions.is_empty() {
            self.checkpoint_logs(step);
        }
    }

    /// First the partitions to lead, then those to follow.
    fn apply_roles(&mut self, image: &ClusterImage, delta: &ImageDelta, step: &mut Step<'_>) {
        for leads in [true, false] {
            for partition in &delta.changed_partitions {
                let topic = image.topics().get(&partition.topic).expect("changed partitions exist");
                let state = topic.partitions.get(&partition.partition).expect("changed partitions exist");
                let leader_is_here = state.leader == Some(self.setup.broker_id);
                if state.replicas.contains(&self.setup.broker_id) && leader_is_here == leads {
                    self.apply_role(partition, topic, state, step);
                }
            }
        }
        self.advance_fetchers(step);
    }

    /// A replica takes the role that its partition's state gives it.
    pub(super) fn apply_role(
        &mut self,
        partition: &TopicPartition,
        topic: &TopicImage,
        state: &PartitionRegistration,
        step: &mut Step<'_>,
    ) {
        let (config, wall_clock) = (Arc::clone(&self.config), self.setup.wall_clock);
        let (context, replicas) = self.context(step.now);
        let replica = replicas.ensure(partition, topic, (&config, wall_clock.at(step.now)), step.effects);
        let changes = replica.apply_metadata(state, &context, step.effects);
        self.apply_to_fetchers(partition, state, changes);
        self.on_changes(partition, changes, step);
    }

    fn apply_to_fetchers(&mut self, partition: &TopicPartition, state: &PartitionRegistration, changes: Changes) {
        let leads = state.leader == Some(self.setup.broker_id);
        let gives_up = !leads && self.gives_up_following(state);
        if leads || gives_up || changes.leadership {
            self.remove_from_fetchers(partition);
        }
        if gives_up {
            self.replicas.get_mut(partition).expect("the replica was just seen").stop_fetching();
        } else if !leads && changes.leadership {
            self.start_fetching(partition, state.leader);
        }
    }

    fn start_fetching(&mut self, partition: &TopicPartition, leader: Option<BrokerId>) {
        let Some(leader) = leader else { return };
        let Some(registration) = self.image.brokers().get(&leader) else { return };
        let endpoint = registration.endpoint.clone();
        self.add_to_fetcher(leader, endpoint, partition.clone());
    }

    fn configure_replicas(&mut self, image: &ClusterImage, delta: &ImageDelta) {
        let all_change = self.is_reconfigured_by(delta);
        let is_changed = |name: &TopicName| all_change || delta.changed_configs.contains(name);
        for (name, topic) in image.topics().iter().filter(|(name, _)| is_changed(name)) {
            let config = Arc::new(TopicConfig::resolve(&topic.configs, &self.config));
            for index in topic.partitions.keys() {
                if let Some(replica) = self.replicas.get_mut(&TopicPartition::new(name.clone(), *index)) {
                    replica.set_config(Arc::clone(&config));
                }
            }
        }
    }

    fn note_fencing(&mut self, image: &ClusterImage, delta: &ImageDelta, step: &mut Step<'_>) {
        let broker_id = self.setup.broker_id;
        let is_own = delta.changed_brokers.contains(&broker_id) && self.state == BrokerState::Running;
        let registration = image.brokers().get(&broker_id).filter(|_| is_own);
        let is_current = |epoch| self.broker_epoch == Some(epoch);
        if registration.is_some_and(|registration| registration.fenced && is_current(registration.broker_epoch)) {
            step.effects.note(EventKind::Broker(BrokerEvent::BecameFenced));
        }
    }
}
