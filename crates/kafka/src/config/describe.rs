//! How `DescribeConfigs` lists configurations: their values, who set them, and what would count otherwise
//! (`kafka.server.ConfigHelper`, KIP-226).

use super::definition::ConfigDefinition;
use super::topic::{TOPIC_CONFIGS, TopicConfigDefinition};
use super::{BrokerConfig, is_dynamic_config};
use std::collections::BTreeMap;
use wire::response::{ConfigEntry, ConfigSource, ConfigSynonym};

/// Broker configurations of which the first one that is set counts, strongest first.
const SYNONYMS: [&[&str]; 4] = [
    &["log.roll.ms", "log.roll.hours"],
    &["log.roll.jitter.ms", "log.roll.jitter.hours"],
    &["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
    &["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
];

/// Where values of brokers come from, strongest first.
const LAYERS: [ConfigSource; 4] = [
    ConfigSource::DynamicBrokerConfig,
    ConfigSource::DynamicDefaultBrokerConfig,
    ConfigSource::StaticBrokerConfig,
    ConfigSource::DefaultConfig,
];

/// Where a broker's configurations come from.
#[derive(Clone, Copy, Debug)]
pub struct ConfigLayers<'a> {
    /// Its properties file.
    pub properties: &'a BrokerConfig,
    /// What was set on all brokers while they run.
    pub on_all_brokers: &'a BTreeMap<String, String>,
    /// What was set on this broker while it runs.
    pub on_this_broker: &'a BTreeMap<String, String>,
}

impl ConfigLayers<'_> {
    /// All configurations of a topic with who set each, in the order in which a broker lists them.
    #[must_use]
    pub fn describe_topic(&self, overrides: &BTreeMap<String, String>) -> Vec<ConfigEntry> {
        let effective = self.properties.with_dynamic(&[self.on_all_brokers, self.on_this_broker]);
        TOPIC_CONFIGS.iter().map(|config| self.describe_topic_config(config, overrides, &effective)).collect()
    }

    /// All configurations of this broker that the simulation knows, by name.
    #[must_use]
    pub fn describe_broker(&self) -> Vec<ConfigEntry> {
        let effective = self.properties.with_dynamic(&[self.on_all_brokers, self.on_this_broker]);
        let entry = |config: &ConfigDefinition| {
            let value = effective.property(config.name).or(config.default).map(str::to_owned);
            entry(config.name, value, is_dynamic_config(config.name), self.synonyms(config.name))
        };
        BrokerConfig::definitions().iter().map(entry).collect()
    }

    /// What was set on all brokers while they run.
    #[must_use]
    pub fn describe_all_brokers(&self) -> Vec<ConfigEntry> {
        let is_of_all = |synonym: &ConfigSynonym| synonym.source == ConfigSource::DynamicDefaultBrokerConfig;
        let configs = self.on_all_brokers.iter();
        configs
            .map(|(name, value)| {
                let synonyms = self.synonyms(name).into_iter().filter(is_of_all).collect();
                entry(name, Some(value.clone()), is_dynamic_config(name), synonyms)
            })
            .collect()
    }

    /// Only synonyms from the strongest name on are told, so that a property under a weaker name alone shows as a default.
    /// Kafka's `DescribeConfigs` has this gap.
    fn describe_topic_config(
        &self,
        config: &TopicConfigDefinition,
        overrides: &BTreeMap<String, String>,
        effective: &BrokerConfig,
    ) -> ConfigEntry {
        let value = Some(config.effective(overrides, effective));
        let mut synonyms = match config.synonyms.first() {
            Some((name, _)) => self.synonyms(name),
            None => Vec::new(),
        };
        if overrides.contains_key(config.name()) {
            let (name, source) = (config.name().to_owned(), ConfigSource::DynamicTopicConfig);
            synonyms.insert(0, ConfigSynonym { name, value: value.clone(), source });
        }
        entry(config.name(), value, true, synonyms)
    }

    /// All values that a configuration of brokers could have, the one in force first.
    fn synonyms(&self, name: &str) -> Vec<ConfigSynonym> {
        let group = SYNONYMS.iter().find(|group| group.contains(&name));
        let names: Vec<&str> = group.map_or_else(|| vec![name], |group| group.to_vec());
        let of_layer = |source: &ConfigSource| {
            let synonym = |name: &&str| {
                let value = Some(self.value_in(*source, name)?.to_owned());
                Some(ConfigSynonym { name: (*name).to_owned(), value, source: *source })
            };
            names.iter().filter_map(synonym).collect::<Vec<_>>()
        };
        LAYERS.iter().flat_map(of_layer).skip_while(|synonym| synonym.name != name).collect()
    }

    fn value_in(&self, source: ConfigSource, name: &str) -> Option<&str> {
        match source {
            ConfigSource::DynamicTopicConfig => None,
            ConfigSource::DynamicBrokerConfig => self.on_this_broker.get(name).map(String::as_str),
            ConfigSource::DynamicDefaultBrokerConfig => self.on_all_brokers.get(name).map(String::as_str),
            ConfigSource::StaticBrokerConfig => self.properties.property(name),
            ConfigSource::DefaultConfig => {
                BrokerConfig::definitions().iter().find(|config| config.name == name)?.default
            }
        }
    }
}

fn entry(name: &str, value: Option<String>, is_dynamic: bool, synonyms: Vec<ConfigSynonym>) -> ConfigEntry {
    ConfigEntry {
        name: name.to_owned(),
        value,
        source: synonyms.first().map_or(ConfigSource::DefaultConfig, |strongest| strongest.source),
        is_read_only: !is_dynamic,
        is_sensitive: false,
        synonyms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// `name=value {SOURCE:name=value, …}`.
    fn line(entries: &[ConfigEntry], name: &str) -> String {
        let entry = entries.iter().find(|entry| entry.name == name).expect("the configuration is listed");
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
        let synonyms: Vec<String> = entry
            .synonyms
            .iter()
            .map(|synonym| format!("{}:{}={}", synonym.source.name(), synonym.name, value(&synonym.value)))
            .collect();
        format!("{}={} {{{}}}", entry.name, value(&entry.value), synonyms.join(", "))
    }

    #[test]
    fn topics_tell_their_values_and_all_synonyms() {
        let properties = BrokerConfig::from_properties(&map(&[("log.segment.bytes", "2000")])).expect("it is valid");
        let (all, own) = (map(&[("log.retention.ms", "5")]), map(&[("log.segment.bytes", "3000")]));
        let layers = ConfigLayers { properties: &properties, on_all_brokers: &all, on_this_broker: &own };
        let entries = layers.describe_topic(&map(&[("retention.ms", "86400000")]));
        for (name, expected) in [
            (
                "retention.ms",
                "retention.ms=86400000 {DYNAMIC_TOPIC_CONFIG:retention.ms=86400000, \
                 DYNAMIC_DEFAULT_BROKER_CONFIG:log.retention.ms=5, DEFAULT_CONFIG:log.retention.hours=168}",
            ),
            (
                "segment.bytes",
                "segment.bytes=3000 {DYNAMIC_BROKER_CONFIG:log.segment.bytes=3000, \
                 STATIC_BROKER_CONFIG:log.segment.bytes=2000, DEFAULT_CONFIG:log.segment.bytes=1073741824}",
            ),
            ("cleanup.policy", "cleanup.policy=delete {DEFAULT_CONFIG:log.cleanup.policy=delete}"),
            ("flush.ms", "flush.ms=9223372036854775807 {}"),
        ] {
            assert_eq!(line(&entries, name), expected);
        }
    }

    #[test]
    fn brokers_tell_their_own_values_and_those_of_all() {
        let properties = BrokerConfig::from_properties(&map(&[("num.partitions", "3")])).expect("it is valid");
        let (all, own) = (map(&[("log.cleaner.threads", "2")]), map(&[("log.cleaner.threads", "4")]));
        let layers = ConfigLayers { properties: &properties, on_all_brokers: &all, on_this_broker: &own };
        let entries = layers.describe_broker();
        assert_eq!(
            line(&entries, "log.cleaner.threads"),
            "log.cleaner.threads=4 {DYNAMIC_BROKER_CONFIG:log.cleaner.threads=4, \
             DYNAMIC_DEFAULT_BROKER_CONFIG:log.cleaner.threads=2, DEFAULT_CONFIG:log.cleaner.threads=1}"
        );
        assert_eq!(
            line(&entries, "num.partitions"),
            "num.partitions=3 {STATIC_BROKER_CONFIG:num.partitions=3, DEFAULT_CONFIG:num.partitions=1}"
        );
        let is_read_only = |name: &str| entries.iter().find(|entry| entry.name == name).map(|entry| entry.is_read_only);
        assert_eq!((is_read_only("log.cleaner.threads"), is_read_only("num.partitions")), (Some(false), Some(true)));
        assert_eq!(
            line(&layers.describe_all_brokers(), "log.cleaner.threads"),
            "log.cleaner.threads=2 {DYNAMIC_DEFAULT_BROKER_CONFIG:log.cleaner.threads=2}"
        );
    }
}
