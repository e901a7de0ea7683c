//! Puts a topic's description together from what `kafka-topics --describe` asks for.

use crate::event::TopicDescription;
use crate::java_hash::sort_as_hash_map_of;
use wire::BrokerId;
use wire::response::{ConfigEntry, ConfigSource, DescribedConfigs, DescribedTopic};

/// The least number of buckets of the `java.util.HashMap` in which the real tool keeps a topic's 36 configurations.
const BUCKETS: u32 = 64;

/// A topic with its configurations as the tool shows them.
pub(super) fn description(
    topic: DescribedTopic,
    configs: Option<&DescribedConfigs>,
    live_brokers: &[BrokerId],
) -> TopicDescription {
    let entries = configs.map_or(&[][..], |configs| &configs.entries);
    let min_insync = entries.iter().find(|entry| entry.name == "min.insync.replicas");
    TopicDescription {
        topic,
        configs: overrides(entries),
        min_insync_replicas: min_insync.and_then(|entry| entry.value.as_deref()?.parse().ok()).unwrap_or(1),
        reassignments: Vec::new(),
        live_brokers: live_brokers.to_vec(),
    }
}

/// Everything that is not Kafka's default, in the order of a Java hash map.
fn overrides(entries: &[ConfigEntry]) -> Vec<(String, String)> {
    let mut entries: Vec<&ConfigEntry> = entries.iter().collect();
    sort_as_hash_map_of(BUCKETS, &mut entries, |entry| entry.name.as_str());
    let shown = entries.into_iter().filter(|entry| entry.source != ConfigSource::DefaultConfig);
    shown.map(|entry| (entry.name.clone(), entry.value.clone().unwrap_or_default())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, value: &str, source: ConfigSource) -> ConfigEntry {
        ConfigEntry {
            name: name.into(),
            value: Some(value.into()),
            source,
            is_read_only: false,
            is_sensitive: false,
            synonyms: Vec::new(),
        }
    }

    #[test]
    fn overrides_come_in_the_order_of_the_real_tool() {
        let entries = [
            entry("cleanup.policy", "compact", ConfigSource::DynamicTopicConfig),
            entry("compression.type", "producer", ConfigSource::DefaultConfig),
            entry("min.insync.replicas", "2", ConfigSource::DynamicTopicConfig),
        ];
        let shown = overrides(&entries);
        let text: Vec<String> = shown.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(text, ["min.insync.replicas=2", "cleanup.policy=compact"]);
    }

    #[test]
    fn a_pair_seen_in_another_transcript_keeps_its_order_too() {
        let entries = [
            entry("cleanup.policy", "compact", ConfigSource::DynamicTopicConfig),
            entry("message.timestamp.type", "CreateTime", ConfigSource::DynamicTopicConfig),
        ];
        let names: Vec<String> = overrides(&entries).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["cleanup.policy", "message.timestamp.type"]);
    }
}
