//! The preferred leader's way back when too many partitions of a broker are led by others (`checkAndTriggerAutoLeaderRebalance` of `kafka.controller.KafkaController`).

use super::work::{Deed, Stop, Work};
use std::collections::BTreeMap;
use wire::{BrokerId, TopicPartition};

impl Work<'_> {
    /// Time to look whether leaders are where they belong.
    pub(super) fn on_auto_rebalance(&mut self) -> Result<(), Stop> {
        let interval_seconds = self.facts.config.leader_imbalance_check_interval_seconds;
        self.deeds.push(Deed::ScheduleRebalance { after_ms: interval_seconds.saturating_mul(1_000) });
        for partitions in self.imbalanced() {
            self.elect_preferred(&partitions)?;
        }
        Ok(())
    }

    /// For each broker that prefers too many partitions led by others, those that it could lead.
    fn imbalanced(&mut self) -> Vec<Vec<TopicPartition>> {
        let percentage = i64::from(self.facts.config.leader_imbalance_per_broker_percentage);
        let context = self.context();
        let mut by_preferred: BTreeMap<BrokerId, Vec<TopicPartition>> = BTreeMap::new();
        for partition in context.partitions() {
            let preferred = context.assignment(&partition).replicas.first().copied();
            if let Some(preferred) = preferred.filter(|_| !context.is_queued_for_deletion(&partition.topic)) {
                by_preferred.entry(preferred).or_default().push(partition);
            }
        }
        let candidates = by_preferred.into_iter().filter_map(|(broker, partitions)| {
            let all = partitions.len() as i64;
            let is_elsewhere = |partition: &TopicPartition| {
                context.leaderships.get(partition).is_some_and(|leadership| leadership.state.leader != Some(broker))
            };
            let mut elsewhere: Vec<TopicPartition> = partitions.into_iter().filter(is_elsewhere).collect();
            let is_imbalanced = elsewhere.len() as i64 * 100 > percentage * all;
            elsewhere.retain(|partition| {
                let isr = &context.leaderships[partition].state.isr;
                context.is_live(broker) && isr.contains(&broker)
            });
            (is_imbalanced && !elsewhere.is_empty()).then_some(elsewhere)
        });
        candidates.collect()
    }
}
