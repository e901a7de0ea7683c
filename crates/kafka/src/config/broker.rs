//! The properties of one broker or controller as values (`KafkaConfig`).

use super::broker_definitions::BROKER_CONFIGS;
use super::definition::ConfigDefinition;
use super::fraction::Fraction;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Why a server does not start with its properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// `org.apache.kafka.common.config.ConfigException`: a value is wrong by itself.
    InvalidValue(String),
    /// `java.lang.IllegalArgumentException`: values do not go together.
    RequirementFailed(&'static str),
}

impl fmt::Display for ConfigError {
    /// The exception's message.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::InvalidValue(message) => formatter.write_str(message),
            ConfigError::RequirementFailed(requirement) => write!(formatter, "requirement failed: {requirement}"),
        }
    }
}

macro_rules! broker_config {
    ($($field:ident: $type:ty = $name:literal;)+) => {
        /// The properties that brokers and controllers act upon. Defaults are Kafka's.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct BrokerConfig {
            $(#[doc = concat!("`", $name, "`.")] pub $field: $type,)+
            set: Arc<BTreeMap<String, String>>,
        }

        impl BrokerConfig {
            fn from_set(set: BTreeMap<String, String>) -> BrokerConfig {
                BrokerConfig { $($field: typed(&set, $name),)+ set: Arc::new(set) }
            }
        }
    };
}

broker_config! {
    auto_create_topics_enable: bool = "auto.create.topics.enable";
    auto_leader_rebalance_enable: bool = "auto.leader.rebalance.enable";
    broker_heartbeat_interval_ms: i64 = "broker.heartbeat.interval.ms";
    broker_session_timeout_ms: i64 = "broker.session.timeout.ms";
    controlled_shutdown_enable: bool = "controlled.shutdown.enable";
    controlled_shutdown_max_retries: i32 = "controlled.shutdown.max.retries";
    controlled_shutdown_retry_backoff_ms: i64 = "controlled.shutdown.retry.backoff.ms";
    controller_quorum_append_linger_ms: i64 = "controller.quorum.append.linger.ms";
    controller_quorum_election_backoff_max_ms: i64 = "controller.quorum.election.backoff.max.ms";
    controller_quorum_election_timeout_ms: i64 = "controller.quorum.election.timeout.ms";
    controller_quorum_fetch_timeout_ms: i64 = "controller.quorum.fetch.timeout.ms";
    controller_quorum_request_timeout_ms: i64 = "controller.quorum.request.timeout.ms";
    controller_quorum_retry_backoff_ms: i64 = "controller.quorum.retry.backoff.ms";
    controller_socket_timeout_ms: i64 = "controller.socket.timeout.ms";
    default_replication_factor: i32 = "default.replication.factor";
    delete_topic_enable: bool = "delete.topic.enable";
    eligible_leader_replicas_enable: bool = "eligible.leader.replicas.enable";
    fetch_max_bytes: i32 = "fetch.max.bytes";
    initial_broker_registration_timeout_ms: i64 = "initial.broker.registration.timeout.ms";
    leader_imbalance_check_interval_seconds: i64 = "leader.imbalance.check.interval.seconds";
    leader_imbalance_per_broker_percentage: i32 = "leader.imbalance.per.broker.percentage";
    log_cleaner_backoff_ms: i64 = "log.cleaner.backoff.ms";
    log_cleaner_dedupe_buffer_size: i64 = "log.cleaner.dedupe.buffer.size";
    log_cleaner_enable: bool = "log.cleaner.enable";
    log_cleaner_io_buffer_load_factor: Fraction = "log.cleaner.io.buffer.load.factor";
    log_cleaner_threads: i32 = "log.cleaner.threads";
    log_flush_offset_checkpoint_interval_ms: i64 = "log.flush.offset.checkpoint.interval.ms";
    log_flush_scheduler_interval_ms: i64 = "log.flush.scheduler.interval.ms";
    log_flush_start_offset_checkpoint_interval_ms: i64 = "log.flush.start.offset.checkpoint.interval.ms";
    log_initial_task_delay_ms: i64 = "log.initial.task.delay.ms";
    log_retention_check_interval_ms: i64 = "log.retention.check.interval.ms";
    max_incremental_fetch_session_cache_slots: i32 = "max.incremental.fetch.session.cache.slots";
    max_request_partition_size_limit: i32 = "max.request.partition.size.limit";
    message_max_bytes: i32 = "message.max.bytes";
    metadata_log_max_record_bytes_between_snapshots: i64 = "metadata.log.max.record.bytes.between.snapshots";
    metadata_log_max_snapshot_interval_ms: i64 = "metadata.log.max.snapshot.interval.ms";
    metadata_max_idle_interval_ms: i64 = "metadata.max.idle.interval.ms";
    metadata_max_retention_bytes: i64 = "metadata.max.retention.bytes";
    metadata_max_retention_ms: i64 = "metadata.max.retention.ms";
    min_insync_replicas: i32 = "min.insync.replicas";
    num_partitions: i32 = "num.partitions";
    num_replica_fetchers: i32 = "num.replica.fetchers";
    producer_id_expiration_check_interval_ms: i64 = "producer.id.expiration.check.interval.ms";
    producer_id_expiration_ms: i64 = "producer.id.expiration.ms";
    replica_fetch_backoff_ms: i64 = "replica.fetch.backoff.ms";
    replica_fetch_max_bytes: i32 = "replica.fetch.max.bytes";
    replica_fetch_min_bytes: i32 = "replica.fetch.min.bytes";
    replica_fetch_response_max_bytes: i32 = "replica.fetch.response.max.bytes";
    replica_fetch_wait_max_ms: i64 = "replica.fetch.wait.max.ms";
    replica_high_watermark_checkpoint_interval_ms: i64 = "replica.high.watermark.checkpoint.interval.ms";
    replica_lag_time_max_ms: i64 = "replica.lag.time.max.ms";
    replica_socket_timeout_ms: i64 = "replica.socket.timeout.ms";
    request_timeout_ms: i64 = "request.timeout.ms";
    transaction_partition_verification_enable: bool = "transaction.partition.verification.enable";
    unclean_leader_election_enable: bool = "unclean.leader.election.enable";
    unclean_leader_election_interval_ms: i64 = "unclean.leader.election.interval.ms";
    unstable_feature_versions_enable: bool = "unstable.feature.versions.enable";
    zookeeper_session_timeout_ms: i32 = "zookeeper.session.timeout.ms";
}

impl Default for BrokerConfig {
    fn default() -> Self {
        BrokerConfig::from_set(BTreeMap::new())
    }
}

impl BrokerConfig {
    /// Reads a server's properties. Names that Kafka does not know are kept and have no effect, as there.
    ///
    /// # Errors
    /// A value that Kafka would refuse at start.
    pub fn from_properties(properties: &BTreeMap<String, String>) -> Result<BrokerConfig, ConfigError> {
        let mut set = properties.clone();
        for config in BROKER_CONFIGS {
            if let Some(value) = set.get_mut(config.name) {
                *value = config.parse(value).map_err(ConfigError::InvalidValue)?;
            }
        }
        check_log_times(&set)?;
        let config = BrokerConfig::from_set(set);
        config.check()?;
        Ok(config)
    }

    /// `zookeeper.connection.timeout.ms`; by default the session timeout.
    #[must_use]
    pub fn zookeeper_connection_timeout_ms(&self) -> i64 {
        let given = self.property("zookeeper.connection.timeout.ms").and_then(|value| value.parse().ok());
        given.unwrap_or(i64::from(self.zookeeper_session_timeout_ms))
    }

    /// These properties with what was set on the server while it runs, weakest first. Values that do not go together with
    /// the others do not count: a broker logs an error and goes on as before.
    #[must_use]
    pub fn with_dynamic(&self, layers: &[&BTreeMap<String, String>]) -> BrokerConfig {
        let mut set = (*self.set).clone();
        for layer in layers {
            set.extend(layer.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        BrokerConfig::from_properties(&set).unwrap_or_else(|_| self.clone())
    }

    /// A property that was given, as Kafka reads it.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        self.set.get(name).map(String::as_str)
    }

    /// All definitions, by name.
    #[must_use]
    pub fn definitions() -> &'static [ConfigDefinition] {
        BROKER_CONFIGS
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.replica_fetch_wait_max_ms > self.replica_socket_timeout_ms {
            return Err(ConfigError::RequirementFailed(
                "replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms \
                 to prevent unnecessary socket timeouts",
            ));
        }
        if self.replica_fetch_wait_max_ms > self.replica_lag_time_max_ms {
            return Err(ConfigError::RequirementFailed(
                "replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms \
                 to prevent frequent changes in ISR",
            ));
        }
        Ok(())
    }
}

fn check_log_times(set: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    let at_least = |name: &str, least: i64| {
        set.get(name).and_then(|value| value.parse::<i64>().ok()).is_none_or(|number| number >= least)
    };
    if !at_least("log.roll.ms", 1) {
        return Err(ConfigError::RequirementFailed("log.roll.ms must be greater than or equal to 1"));
    }
    if !at_least("log.roll.jitter.ms", 0) {
        return Err(ConfigError::RequirementFailed("log.roll.jitter.ms must be greater than or equal to 0"));
    }
    let is_zero = |name: &str| set.get(name).is_some_and(|value| value == "0");
    let strongest = ["log.retention.ms", "log.retention.minutes", "log.retention.hours"]
        .into_iter()
        .find(|name| set.contains_key(*name));
    if strongest.is_some_and(is_zero) {
        return Err(ConfigError::RequirementFailed(
            "log.retention.ms must be unlimited (-1) or, greater than or equal to 1",
        ));
    }
    Ok(())
}

fn typed<T: std::str::FromStr>(set: &BTreeMap<String, String>, name: &str) -> T {
    let text = match set.get(name) {
        Some(value) => value,
        None => default_of(name),
    };
    text.parse().ok().expect("values and defaults were parsed by their definition")
}

fn default_of(name: &str) -> &'static str {
    let config = BROKER_CONFIGS.iter().find(|config| config.name == name).expect("typed fields are defined");
    config.default.expect("typed fields have defaults")
}
