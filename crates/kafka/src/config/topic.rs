//! The configurations of topics (`org.apache.kafka.storage.internals.log.LogConfig`): what there are, what a topic's
//! own values and its broker's defaults add up to.

use super::BrokerConfig;
use super::definition::ConfigDefinition;
use super::definition::ConfigType::{Boolean, Double, Int, List, Long, String as Text};
use super::definition::Validator::{Any, AtLeast, Between, GzipLevel, MetadataVersion, OneOf, ThrottledReplicas};
use super::definition::{CLEANUP_POLICIES, COMPRESSION_TYPES, TIMESTAMP_TYPES};
use super::fraction::Fraction;
use std::collections::BTreeMap;
use wire::TimestampType;

/// A configuration of topics.
#[derive(Debug)]
pub struct TopicConfigDefinition {
    /// Name, type, default and limits.
    pub definition: ConfigDefinition,
    /// The server properties that give its default, strongest first, with the factor that makes them this unit
    /// (`ServerTopicConfigSynonyms`).
    pub synonyms: &'static [(&'static str, i64)],
    is_simulated: bool,
}

impl TopicConfigDefinition {
    /// The configuration's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.definition.name
    }

    /// Whether it changes what the simulated brokers do. The others are kept and shown, and have no effect.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.is_simulated
    }

    /// The value in force as text.
    pub(super) fn effective(&self, overrides: &BTreeMap<String, String>, broker: &BrokerConfig) -> String {
        match overrides.get(self.name()) {
            Some(value) => self.definition.parse(value).expect("the controller refuses values that do not parse"),
            None => self.server_default(broker),
        }
    }

    fn server_default(&self, broker: &BrokerConfig) -> String {
        let set = self.synonyms.iter().find_map(|(name, factor)| Some((broker.property(name)?, *factor)));
        let value = match set {
            Some((value, 1)) => value.to_owned(),
            Some((value, factor)) => {
                let number: i64 = value.parse().expect("only whole numbers are converted");
                number.saturating_mul(factor).to_string()
            }
            None => self.definition.default.unwrap_or_default().to_owned(),
        };
        let is_unlimited = self.name() == "retention.ms" && value.starts_with('-');
        if is_unlimited { "-1".to_owned() } else { value }
    }
}

const HOURS: i64 = 3_600_000;
const MINUTES: i64 = 60_000;

const fn simulated(definition: ConfigDefinition, synonyms: &'static [(&'static str, i64)]) -> TopicConfigDefinition {
    TopicConfigDefinition { definition, synonyms, is_simulated: true }
}

const fn kept(definition: ConfigDefinition, synonyms: &'static [(&'static str, i64)]) -> TopicConfigDefinition {
    TopicConfigDefinition { definition, synonyms, is_simulated: false }
}

const fn config(
    name: &'static str,
    config_type: super::definition::ConfigType,
    default: &'static str,
    validator: super::definition::Validator,
) -> ConfigDefinition {
    ConfigDefinition::new(name, config_type, Some(default), validator)
}

const FOREVER: &str = "9223372036854775807";

/// All of them, in the order in which a broker lists them (that of its hash map).
pub const TOPIC_CONFIGS: &[TopicConfigDefinition] = &[
    kept(config("compression.type", Text, "producer", OneOf(COMPRESSION_TYPES)), &[("compression.type", 1)]),
    kept(config("remote.log.delete.on.disable", Boolean, "false", Any), &[]),
    kept(config("leader.replication.throttled.replicas", List, "", ThrottledReplicas), &[]),
    kept(config("remote.storage.enable", Boolean, "false", Any), &[]),
    kept(config("message.downconversion.enable", Boolean, "true", Any), &[("log.message.downconversion.enable", 1)]),
    simulated(config("min.insync.replicas", Int, "1", AtLeast(1)), &[("min.insync.replicas", 1)]),
    simulated(
        config("segment.jitter.ms", Long, "0", AtLeast(0)),
        &[("log.roll.jitter.ms", 1), ("log.roll.jitter.hours", HOURS)],
    ),
    kept(config("remote.log.copy.disable", Boolean, "false", Any), &[]),
    kept(config("local.retention.ms", Long, "-2", AtLeast(-2)), &[("log.local.retention.ms", 1)]),
    simulated(config("cleanup.policy", List, "delete", OneOf(CLEANUP_POLICIES)), &[("log.cleanup.policy", 1)]),
    simulated(
        config("flush.ms", Long, FOREVER, AtLeast(0)),
        &[("log.flush.interval.ms", 1), ("log.flush.scheduler.interval.ms", 1)],
    ),
    kept(config("follower.replication.throttled.replicas", List, "", ThrottledReplicas), &[]),
    kept(config("compression.lz4.level", Int, "9", Between(1, 17)), &[("compression.lz4.level", 1)]),
    simulated(config("segment.bytes", Int, "1073741824", AtLeast(14)), &[("log.segment.bytes", 1)]),
    simulated(
        config("retention.ms", Long, "604800000", AtLeast(-1)),
        &[("log.retention.ms", 1), ("log.retention.minutes", MINUTES), ("log.retention.hours", HOURS)],
    ),
    kept(config("compression.gzip.level", Int, "-1", GzipLevel), &[("compression.gzip.level", 1)]),
    simulated(config("flush.messages", Long, FOREVER, AtLeast(1)), &[("log.flush.interval.messages", 1)]),
    kept(config("compression.zstd.level", Int, "3", Between(-131_072, 22)), &[("compression.zstd.level", 1)]),
    kept(config("message.format.version", Text, "3.0-IV1", MetadataVersion), &[("log.message.format.version", 1)]),
    simulated(config("max.compaction.lag.ms", Long, FOREVER, AtLeast(1)), &[("log.cleaner.max.compaction.lag.ms", 1)]),
    kept(config("file.delete.delay.ms", Long, "60000", AtLeast(0)), &[("log.segment.delete.delay.ms", 1)]),
    simulated(config("max.message.bytes", Int, "1048588", AtLeast(0)), &[("message.max.bytes", 1)]),
    simulated(config("min.compaction.lag.ms", Long, "0", AtLeast(0)), &[("log.cleaner.min.compaction.lag.ms", 1)]),
    simulated(
        config("message.timestamp.type", Text, "CreateTime", OneOf(TIMESTAMP_TYPES)),
        &[("log.message.timestamp.type", 1)],
    ),
    kept(config("local.retention.bytes", Long, "-2", AtLeast(-2)), &[("log.local.retention.bytes", 1)]),
    kept(config("preallocate", Boolean, "false", Any), &[("log.preallocate", 1)]),
    simulated(
        config("min.cleanable.dirty.ratio", Double, "0.5", Between(0, 1)),
        &[("log.cleaner.min.cleanable.ratio", 1)],
    ),
    simulated(config("index.interval.bytes", Int, "4096", AtLeast(0)), &[("log.index.interval.bytes", 1)]),
    simulated(
        config("unclean.leader.election.enable", Boolean, "false", Any),
        &[("unclean.leader.election.enable", 1)],
    ),
    simulated(config("retention.bytes", Long, "-1", Any), &[("log.retention.bytes", 1)]),
    simulated(config("delete.retention.ms", Long, "86400000", AtLeast(0)), &[("log.cleaner.delete.retention.ms", 1)]),
    simulated(
        config("message.timestamp.after.max.ms", Long, FOREVER, AtLeast(0)),
        &[("log.message.timestamp.after.max.ms", 1)],
    ),
    simulated(
        config("message.timestamp.before.max.ms", Long, FOREVER, AtLeast(0)),
        &[("log.message.timestamp.before.max.ms", 1)],
    ),
    simulated(config("segment.ms", Long, "604800000", AtLeast(1)), &[("log.roll.ms", 1), ("log.roll.hours", HOURS)]),
    simulated(
        config("message.timestamp.difference.max.ms", Long, FOREVER, AtLeast(0)),
        &[("log.message.timestamp.difference.max.ms", 1)],
    ),
    simulated(config("segment.index.bytes", Int, "10485760", AtLeast(4)), &[("log.index.size.max.bytes", 1)]),
];

/// Whether a configuration of brokers can change while these run (`DynamicBrokerConfig.AllDynamicConfigs`, as far as the
/// simulation knows them): the defaults of topics, the cleaner, threads and producer ids.
#[must_use]
pub fn is_dynamic_config(name: &str) -> bool {
    const OTHERS: [&str; 14] = [
        "background.threads",
        "log.cleaner.backoff.ms",
        "log.cleaner.dedupe.buffer.size",
        "log.cleaner.io.buffer.load.factor",
        "log.cleaner.io.buffer.size",
        "log.cleaner.io.max.bytes.per.second",
        "log.cleaner.threads",
        "max.connections",
        "num.io.threads",
        "num.network.threads",
        "num.recovery.threads.per.data.dir",
        "num.replica.fetchers",
        "producer.id.expiration.ms",
        "transaction.partition.verification.enable",
    ];
    let is_default_of_topics =
        TOPIC_CONFIGS.iter().any(|config| config.synonyms.first().is_some_and(|(of, _)| *of == name));
    is_default_of_topics || OTHERS.contains(&name)
}

/// The definition of one topic configuration.
#[must_use]
pub fn topic_config(name: &str) -> Option<&'static TopicConfigDefinition> {
    TOPIC_CONFIGS.iter().find(|config| config.name() == name)
}

/// Checks one value by itself.
///
/// # Errors
/// `Unknown topic config name: …`, or what is wrong with the value.
pub fn validate_topic_config(name: &str, value: &str) -> Result<(), String> {
    let config = topic_config(name).ok_or_else(|| format!("Unknown topic config name: {name}"))?;
    config.definition.parse(value).map(drop)
}

/// Checks all values of a topic, by themselves and against each other, as a controller does (`LogConfig.validate`).
///
/// # Errors
/// What is wrong, in Kafka's words: unknown names come first.
pub fn validate_topic_configs(configs: &BTreeMap<String, String>, broker: &BrokerConfig) -> Result<(), String> {
    if let Some(unknown) = configs.keys().find(|name| topic_config(name).is_none()) {
        return Err(format!("Unknown topic config name: {unknown}"));
    }
    for config in TOPIC_CONFIGS {
        if let Some(value) = configs.get(config.name()) {
            config.definition.parse(value)?;
        }
    }
    check_compaction_lags(configs, broker)?;
    check_remote_storage(configs, broker)
}

fn check_compaction_lags(configs: &BTreeMap<String, String>, broker: &BrokerConfig) -> Result<(), String> {
    let values = Values { overrides: configs, broker };
    let (least, most) = (values.long("min.compaction.lag.ms"), values.long("max.compaction.lag.ms"));
    if least <= most {
        return Ok(());
    }
    Err(format!("conflict topic config setting min.compaction.lag.ms ({least}) > max.compaction.lag.ms ({most})"))
}

fn check_remote_storage(configs: &BTreeMap<String, String>, broker: &BrokerConfig) -> Result<(), String> {
    if !(Values { overrides: configs, broker }).boolean("remote.storage.enable") {
        return Ok(());
    }
    Err("Tiered Storage functionality is disabled in the broker. \
         Topic cannot be configured with remote log storage."
        .to_owned())
}

/// `cleanup.policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CleanupPolicy {
    /// Old segments go.
    Delete,
    /// Only the last record of each key stays.
    Compact,
    /// Both.
    CompactAndDelete,
    /// Neither: an empty list.
    Neither,
}

impl CleanupPolicy {
    /// Whether old segments go.
    #[must_use]
    pub fn deletes(self) -> bool {
        match self {
            CleanupPolicy::Delete | CleanupPolicy::CompactAndDelete => true,
            CleanupPolicy::Compact | CleanupPolicy::Neither => false,
        }
    }

    /// Whether only the last record of each key stays.
    #[must_use]
    pub fn compacts(self) -> bool {
        match self {
            CleanupPolicy::Compact | CleanupPolicy::CompactAndDelete => true,
            CleanupPolicy::Delete | CleanupPolicy::Neither => false,
        }
    }
}

/// A topic's configurations as values (`LogConfig`), as far as they concern this project.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TopicConfig {
    /// `min.insync.replicas`.
    pub min_insync_replicas: i32,
    /// `max.message.bytes`: the largest batch.
    pub max_message_bytes: i32,
    /// `unclean.leader.election.enable`.
    pub unclean_leader_election_enable: bool,
    /// `message.timestamp.type`.
    pub message_timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`, or the older `message.timestamp.difference.max.ms`.
    pub message_timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`, or the older `message.timestamp.difference.max.ms`.
    pub message_timestamp_after_max_ms: i64,
    /// `cleanup.policy`.
    pub cleanup_policy: CleanupPolicy,
    /// `retention.ms`, -1 for no limit.
    pub retention_ms: i64,
    /// `retention.bytes`, -1 for no limit.
    pub retention_bytes: i64,
    /// `segment.bytes`.
    pub segment_bytes: i32,
    /// `segment.ms`.
    pub segment_ms: i64,
    /// `segment.jitter.ms`.
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`: the room for the entries of either index.
    pub segment_index_bytes: i32,
    /// `index.interval.bytes`: at least so many bytes lie between two entries of the indexes.
    pub index_interval_bytes: i32,
    /// `flush.messages`: after so many records the log is flushed.
    pub flush_messages: i64,
    /// `flush.ms`: after so long it is, if the broker looks.
    pub flush_ms: i64,
    /// `delete.retention.ms`.
    pub delete_retention_ms: i64,
    /// `min.cleanable.dirty.ratio`.
    pub min_cleanable_dirty_ratio: Fraction,
    /// `min.compaction.lag.ms`.
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`.
    pub max_compaction_lag_ms: i64,
}

impl TopicConfig {
    /// A topic's own values over its broker's defaults. The values have been validated before.
    #[must_use]
    pub fn resolve(overrides: &BTreeMap<String, String>, broker: &BrokerConfig) -> TopicConfig {
        let values = Values { overrides, broker };
        TopicConfig {
            min_insync_replicas: values.int("min.insync.replicas"),
            max_message_bytes: values.int("max.message.bytes"),
            unclean_leader_election_enable: values.boolean("unclean.leader.election.enable"),
            message_timestamp_type: values.timestamp_type(),
            message_timestamp_before_max_ms: values.timestamp_limit("message.timestamp.before.max.ms"),
            message_timestamp_after_max_ms: values.timestamp_limit("message.timestamp.after.max.ms"),
            cleanup_policy: values.cleanup_policy(),
            retention_ms: values.long("retention.ms"),
            retention_bytes: values.long("retention.bytes"),
            segment_bytes: values.int("segment.bytes"),
            segment_ms: values.long("segment.ms"),
            segment_jitter_ms: values.long("segment.jitter.ms"),
            segment_index_bytes: values.int("segment.index.bytes"),
            index_interval_bytes: values.int("index.interval.bytes"),
            flush_messages: values.long("flush.messages"),
            flush_ms: values.long("flush.ms"),
            delete_retention_ms: values.long("delete.retention.ms"),
            min_cleanable_dirty_ratio: Fraction::of_text(&values.text("min.cleanable.dirty.ratio")),
            min_compaction_lag_ms: values.long("min.compaction.lag.ms"),
            max_compaction_lag_ms: values.long("max.compaction.lag.ms"),
        }
    }
}

/// Reads typed values.
struct Values<'a> {
    overrides: &'a BTreeMap<String, String>,
    broker: &'a BrokerConfig,
}

impl Values<'_> {
    fn text(&self, name: &str) -> String {
        let config = topic_config(name).expect("callers name configurations that exist");
        config.effective(self.overrides, self.broker)
    }

    fn long(&self, name: &str) -> i64 {
        self.text(name).parse().expect("values of this type are numbers")
    }

    fn int(&self, name: &str) -> i32 {
        self.text(name).parse().expect("values of this type are numbers")
    }

    fn boolean(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    fn timestamp_type(&self) -> TimestampType {
        if self.text("message.timestamp.type") == "LogAppendTime" {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        }
    }

    /// The older configuration counts where the newer one is left at its default.
    fn timestamp_limit(&self, name: &str) -> i64 {
        match self.long(name) {
            i64::MAX => self.long("message.timestamp.difference.max.ms"),
            limit => limit,
        }
    }

    fn cleanup_policy(&self) -> CleanupPolicy {
        let policies = self.text("cleanup.policy");
        let has = |policy: &str| policies.split(',').any(|entry| entry == policy);
        match (has("compact"), has("delete")) {
            (true, true) => CleanupPolicy::CompactAndDelete,
            (true, false) => CleanupPolicy::Compact,
            (false, true) => CleanupPolicy::Delete,
            (false, false) => CleanupPolicy::Neither,
        }
    }
}
