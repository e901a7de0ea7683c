//! What Kafka prints for wrong values, what it lists and what its defaults are.

use super::*;
use std::collections::BTreeMap;
use wire::TimestampType;
use wire::response::ConfigSource;

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn broker(entries: &[(&str, &str)]) -> BrokerConfig {
    BrokerConfig::from_properties(&map(entries)).expect("valid properties")
}

#[test]
fn every_default_passes_its_own_validator() {
    let topics = TOPIC_CONFIGS.iter().map(|config| &config.definition);
    for config in BrokerConfig::definitions().iter().chain(topics) {
        if let Some(default) = config.default {
            assert!(config.parse(default).is_ok(), "{}", config.name);
        }
    }
}

#[test]
fn wrong_topic_values_are_refused_in_kafkas_words() {
    for (name, value, message) in [
        ("nope", "1", "Unknown topic config name: nope"),
        ("retention.ms", "abc", "Invalid value abc for configuration retention.ms: Not a number of type LONG"),
        (
            "segment.bytes",
            "9999999999",
            "Invalid value 9999999999 for configuration segment.bytes: Not a number of type INT",
        ),
        (
            "min.insync.replicas",
            "-1",
            "Invalid value -1 for configuration min.insync.replicas: Value must be at least 1",
        ),
        ("segment.bytes", "13", "Invalid value 13 for configuration segment.bytes: Value must be at least 14"),
        (
            "compression.lz4.level",
            "18",
            "Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17",
        ),
        (
            "compression.gzip.level",
            "0",
            "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1",
        ),
        (
            "min.cleanable.dirty.ratio",
            "2",
            "Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
        ),
        (
            "preallocate",
            "yes",
            "Invalid value yes for configuration preallocate: Expected value to be either true or false",
        ),
        (
            "cleanup.policy",
            "compact,nope",
            "Invalid value nope for configuration cleanup.policy: String must be one of: compact, delete",
        ),
        (
            "compression.type",
            "zip",
            "Invalid value zip for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer",
        ),
        (
            "message.timestamp.type",
            "now",
            "Invalid value now for configuration message.timestamp.type: String must be one of: CreateTime, LogAppendTime",
        ),
        (
            "message.format.version",
            "5.0",
            "Invalid value 5.0 for configuration message.format.version: Version 5.0 is not a valid version",
        ),
        (
            "leader.replication.throttled.replicas",
            "1-2",
            "Invalid value [1-2] for configuration leader.replication.throttled.replicas: leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
        ),
    ] {
        assert_eq!(validate_topic_config(name, value), Err(message.to_owned()));
    }
}

#[test]
fn right_topic_values_are_accepted() {
    for (name, value) in [
        ("retention.ms", "-1"),
        ("retention.ms", " 1000 "),
        ("preallocate", "TRUE"),
        ("cleanup.policy", "compact, delete"),
        ("cleanup.policy", ""),
        ("compression.gzip.level", "-1"),
        ("message.format.version", "2.8.1"),
        ("message.format.version", "3.0-IV1"),
        ("leader.replication.throttled.replicas", "0:1,1:2"),
        ("leader.replication.throttled.replicas", "*"),
    ] {
        assert_eq!(validate_topic_config(name, value), Ok(()), "{name}={value}");
    }
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    let lags = map(&[("min.compaction.lag.ms", "10"), ("max.compaction.lag.ms", "5")]);
    assert_eq!(
        validate_topic_configs(&lags, &BrokerConfig::default()),
        Err("conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)".to_owned())
    );
    let remote = map(&[("remote.storage.enable", "true")]);
    assert!(validate_topic_configs(&remote, &BrokerConfig::default()).is_err());
}

#[test]
fn the_list_of_topic_configurations_is_that_of_the_tools_usage() {
    let mut names: Vec<&str> = TOPIC_CONFIGS.iter().map(TopicConfigDefinition::name).collect();
    names.sort_unstable();
    assert_eq!(names.len(), 36);
    assert_eq!((names[0], names[35]), ("cleanup.policy", "unclean.leader.election.enable"));
    names.dedup();
    assert_eq!(names.len(), 36);
}

fn described(overrides: &BTreeMap<String, String>, properties: &BrokerConfig) -> Vec<wire::response::ConfigEntry> {
    let nothing = BTreeMap::new();
    let layers = ConfigLayers { properties, on_all_brokers: &nothing, on_this_broker: &nothing };
    layers.describe_topic(overrides)
}

#[test]
fn configurations_are_listed_in_the_order_of_the_real_broker() {
    let overrides = map(&[
        ("message.timestamp.type", "CreateTime"),
        ("retention.ms", "-1"),
        ("segment.bytes", "52428800"),
        ("cleanup.policy", "delete"),
    ]);
    let listed: Vec<(String, String)> = described(&overrides, &BrokerConfig::default())
        .into_iter()
        .filter(|entry| entry.source == ConfigSource::DynamicTopicConfig)
        .map(|entry| (entry.name, entry.value.expect("topic configurations are never null")))
        .collect();
    let printed: Vec<String> = listed.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        printed.join(","),
        "cleanup.policy=delete,segment.bytes=52428800,retention.ms=-1,message.timestamp.type=CreateTime"
    );
}

#[test]
fn a_broker_property_shows_as_static_only_under_its_strongest_name() {
    let broker = broker(&[("log.segment.bytes", "1073741824"), ("log.retention.hours", "1")]);
    let entries = described(&BTreeMap::new(), &broker);
    let of = |name: &str| entries.iter().find(|entry| entry.name == name).expect("every configuration is listed");
    assert_eq!(of("segment.bytes").source, ConfigSource::StaticBrokerConfig);
    assert_eq!(
        (of("retention.ms").source, of("retention.ms").value.as_deref()),
        (ConfigSource::DefaultConfig, Some("3600000"))
    );
}

#[test]
fn a_topics_values_go_before_its_brokers_and_those_before_kafkas() {
    let broker = broker(&[("min.insync.replicas", "2"), ("message.max.bytes", "2000"), ("log.roll.hours", "2")]);
    let config = TopicConfig::resolve(&map(&[("min.insync.replicas", "3")]), &broker);
    assert_eq!((config.min_insync_replicas, config.max_message_bytes), (3, 2000));
    assert_eq!((config.segment_ms, config.retention_ms), (7_200_000, 604_800_000));
    assert_eq!(config.message_timestamp_type, TimestampType::CreateTime);
    assert_eq!(config.cleanup_policy, CleanupPolicy::Delete);
}

#[test]
fn the_older_timestamp_limit_counts_where_the_newer_is_not_set() {
    let overrides = map(&[("message.timestamp.difference.max.ms", "7"), ("message.timestamp.after.max.ms", "9")]);
    let config = TopicConfig::resolve(&overrides, &BrokerConfig::default());
    assert_eq!((config.message_timestamp_before_max_ms, config.message_timestamp_after_max_ms), (7, 9));
}

#[test]
fn server_defaults_are_kafkas() {
    let config = BrokerConfig::default();
    assert_eq!((config.broker_session_timeout_ms, config.broker_heartbeat_interval_ms), (9000, 2000));
    assert_eq!((config.replica_lag_time_max_ms, config.replica_fetch_wait_max_ms), (30_000, 500));
    assert_eq!((config.message_max_bytes, config.num_partitions), (1_048_588, 1));
    assert!(config.auto_create_topics_enable && !config.unclean_leader_election_enable);
}

#[test]
fn unknown_server_properties_are_ignored_and_wrong_values_refused() {
    assert_eq!(broker(&[("no.such.property", "x")]).broker_session_timeout_ms, 9000);
    let error = |name: &str, value: &str| {
        BrokerConfig::from_properties(&map(&[(name, value)])).expect_err("the value is wrong").to_string()
    };
    assert_eq!(
        error("broker.session.timeout.ms", "soon"),
        "Invalid value soon for configuration broker.session.timeout.ms: Not a number of type INT"
    );
    assert_eq!(
        error("num.partitions", "0"),
        "Invalid value 0 for configuration num.partitions: Value must be at least 1"
    );
    assert_eq!(
        error("replica.lag.time.max.ms", "100"),
        "requirement failed: replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms \
         to prevent frequent changes in ISR"
    );
}

#[test]
fn what_is_only_kept_can_be_told_from_what_is_simulated() {
    let is_simulated = |name: &str| topic_config(name).expect("it exists").is_simulated();
    assert!(is_simulated("min.insync.replicas"));
    assert!(is_simulated("retention.ms") && is_simulated("cleanup.policy"));
    assert!(!is_simulated("compression.type"));
}

#[test]
fn doubles_are_printed_as_java_prints_them() {
    let ratio = &topic_config("min.cleanable.dirty.ratio").expect("it exists").definition;
    for (value, printed) in [("1", "1.0"), ("0", "0.0"), ("0.50", "0.5"), ("0.00010", "1.0E-4"), ("15e-5", "1.5E-4")] {
        assert_eq!(ratio.parse(value), Ok(printed.to_owned()));
    }
}
