//! Client properties as the tools collect them from files and options, and what is wrong with a value
//! (`ConfigDef`). Only what the simulated clients understand is looked at.

use crate::java_exception::JavaException;
use kafka::spec::{AutoOffsetReset, ConsumerConfig, ProducerConfig};
use std::collections::BTreeMap;
use wire::request::{Acks, IsolationLevel};

/// Properties by name. Later ones win.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientProperties {
    values: BTreeMap<String, String>,
}

/// Properties that would make a client do what this simulation cannot.
const NOT_SIMULATED: [&str; 6] = [
    "transactional.id",
    "interceptor.classes",
    "partitioner.class",
    "sasl.mechanism",
    "sasl.jaas.config",
    "group.instance.id",
];

const COMPRESSION_TYPES: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

impl ClientProperties {
    /// Adds properties; they win over those that are there.
    pub fn extend(&mut self, properties: impl IntoIterator<Item = (String, String)>) {
        self.values.extend(properties);
    }

    /// Sets one property.
    pub fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// A property's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The first property that asks for something that is not simulated.
    #[must_use]
    pub fn not_simulated(&self) -> Option<String> {
        let is_secured = |protocol: &&str| !protocol.trim().eq_ignore_ascii_case("PLAINTEXT");
        let protocol =
            self.get("security.protocol").filter(is_secured).map(|value| format!("security.protocol={value}"));
        let named =
            || NOT_SIMULATED.iter().find(|name| self.values.contains_key(**name)).map(|name| (*name).to_owned());
        protocol.or_else(named)
    }

    fn number(&self, name: &str, range: Range) -> Result<Option<i64>, JavaException> {
        let Some(value) = self.get(name).map(str::trim) else { return Ok(None) };
        let parsed = value.parse::<i64>().ok().filter(|number| range.is_long || i32::try_from(*number).is_ok());
        match parsed {
            None if range.is_long => Err(invalid(name, value, "Not a number of type LONG")),
            None => Err(invalid(name, value, "Not a number of type INT")),
            Some(number) if number < range.least => {
                Err(invalid(name, value, &format!("Value must be at least {}", range.least)))
            }
            Some(number) => Ok(Some(number)),
        }
    }

    fn int(&self, name: &str, least: i64, default: i32) -> Result<i32, JavaException> {
        let number = self.number(name, Range { least, is_long: false })?;
        Ok(number.map_or(default, |number| i32::try_from(number).expect("the range of an INT was checked")))
    }

    fn long(&self, name: &str, least: i64, default: i64) -> Result<i64, JavaException> {
        Ok(self.number(name, Range { least, is_long: true })?.unwrap_or(default))
    }

    fn boolean(&self, name: &str, default: bool) -> Result<bool, JavaException> {
        match self.get(name).map(str::trim) {
            None => Ok(default),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => Err(invalid(name, text, "Expected value to be either true or false")),
        }
    }

    fn one_of(&self, name: &str, allowed: &[&str], default: &str) -> Result<String, JavaException> {
        let value = self.get(name).unwrap_or(default).trim();
        if allowed.contains(&value) {
            return Ok(value.to_owned());
        }
        Err(invalid(name, value, &format!("String must be one of: {}", allowed.join(", "))))
    }

    /// `ProducerConfig` of these properties; what is not set has Kafka's default.
    ///
    /// # Errors
    /// A `ConfigException` for the first bad value.
    pub fn producer_config(&self) -> Result<ProducerConfig, JavaException> {
        let default = ProducerConfig::default();
        let acks = self.one_of("acks", &["all", "-1", "0", "1"], "all")?;
        self.one_of("compression.type", &COMPRESSION_TYPES, "none")?;
        self.boolean("enable.idempotence", true)?;
        let delivery_timeout_ms = i32::try_from(default.delivery_timeout_ms).unwrap_or(i32::MAX);
        Ok(ProducerConfig {
            buffer_memory: self.long("buffer.memory", 0, default.buffer_memory)?,
            retries: self.int("retries", 0, default.retries)?,
            acks: acks_of(&acks),
            batch_size: self.int("batch.size", 0, default.batch_size)?,
            partitioner_ignore_keys: self.boolean("partitioner.ignore.keys", default.partitioner_ignore_keys)?,
            linger_ms: self.long("linger.ms", 0, default.linger_ms)?,
            delivery_timeout_ms: i64::from(self.int("delivery.timeout.ms", 0, delivery_timeout_ms)?),
            max_request_size: self.int("max.request.size", 0, default.max_request_size)?,
            retry_backoff_ms: self.long("retry.backoff.ms", 0, default.retry_backoff_ms)?,
            retry_backoff_max_ms: self.long("retry.backoff.max.ms", 0, default.retry_backoff_max_ms)?,
            max_block_ms: self.long("max.block.ms", 0, default.max_block_ms)?,
            request_timeout_ms: self.int("request.timeout.ms", 0, default.request_timeout_ms)?,
            metadata_max_age_ms: self.long("metadata.max.age.ms", 0, default.metadata_max_age_ms)?,
            max_in_flight_requests_per_connection: self.int(
                "max.in.flight.requests.per.connection",
                1,
                default.max_in_flight_requests_per_connection,
            )?,
        })
    }

    /// `ConsumerConfig` of these properties; what is not set has Kafka's default.
    ///
    /// # Errors
    /// A `ConfigException` for the first bad value.
    pub fn consumer_config(&self) -> Result<ConsumerConfig, JavaException> {
        let default = ConsumerConfig::default();
        let reset = self.one_of("auto.offset.reset", &["latest", "earliest", "none"], "latest")?;
        let isolation = self.one_of("isolation.level", &["read_committed", "read_uncommitted"], "read_uncommitted")?;
        Ok(ConsumerConfig {
            metadata_max_age_ms: self.long("metadata.max.age.ms", 0, default.metadata_max_age_ms)?,
            client_rack: self.get("client.rack").map(str::trim).filter(|rack| !rack.is_empty()).map(str::to_owned),
            max_partition_fetch_bytes: self.int("max.partition.fetch.bytes", 0, default.max_partition_fetch_bytes)?,
            fetch_min_bytes: self.int("fetch.min.bytes", 0, default.fetch_min_bytes)?,
            fetch_max_bytes: self.int("fetch.max.bytes", 0, default.fetch_max_bytes)?,
            fetch_max_wait_ms: self.int("fetch.max.wait.ms", 0, default.fetch_max_wait_ms)?,
            retry_backoff_ms: self.long("retry.backoff.ms", 0, default.retry_backoff_ms)?,
            retry_backoff_max_ms: self.long("retry.backoff.max.ms", 0, default.retry_backoff_max_ms)?,
            auto_offset_reset: reset_of(&reset),
            request_timeout_ms: self.int("request.timeout.ms", 0, default.request_timeout_ms)?,
            max_poll_records: self.int("max.poll.records", 1, default.max_poll_records)?,
            isolation_level: isolation_of(&isolation),
            allow_auto_create_topics: self.boolean("allow.auto.create.topics", default.allow_auto_create_topics)?,
        })
    }
}

/// The whole numbers that a property may have.
#[derive(Clone, Copy)]
struct Range {
    least: i64,
    is_long: bool,
}

fn invalid(name: &str, value: &str, why: &str) -> JavaException {
    JavaException::config(&format!("Invalid value {value} for configuration {name}: {why}"))
}

fn acks_of(text: &str) -> Acks {
    match text {
        "0" => Acks::None,
        "1" => Acks::Leader,
        _ => Acks::All,
    }
}

fn reset_of(text: &str) -> AutoOffsetReset {
    match text {
        "earliest" => AutoOffsetReset::Earliest,
        "none" => AutoOffsetReset::None,
        _ => AutoOffsetReset::Latest,
    }
}

fn isolation_of(text: &str) -> IsolationLevel {
    match text {
        "read_committed" => IsolationLevel::ReadCommitted,
        _ => IsolationLevel::ReadUncommitted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_values_are_refused_in_kafkas_words() {
        let cases = [
            ("acks", "5", "String must be one of: all, -1, 0, 1"),
            ("batch.size", "x", "Not a number of type INT"),
            ("batch.size", "99999999999", "Not a number of type INT"),
            ("linger.ms", "-1", "Value must be at least 0"),
            ("max.in.flight.requests.per.connection", "0", "Value must be at least 1"),
            ("partitioner.ignore.keys", "maybe", "Expected value to be either true or false"),
        ];
        for (name, value, why) in cases {
            let mut properties = ClientProperties::default();
            properties.set(name, value);
            let message = format!("Invalid value {value} for configuration {name}: {why}");
            assert_eq!(properties.producer_config().unwrap_err().message(), message);
        }
    }

    #[test]
    fn without_properties_the_defaults_are_kafkas() {
        let properties = ClientProperties::default();
        assert_eq!(properties.producer_config(), Ok(ProducerConfig::default()));
        assert_eq!(properties.consumer_config(), Ok(ConsumerConfig::default()));
    }

    #[test]
    fn what_is_not_simulated_is_named() {
        let mut properties = ClientProperties::default();
        properties.set("security.protocol", "PLAINTEXT");
        assert_eq!(properties.not_simulated(), None);
        properties.set("security.protocol", "SSL");
        assert_eq!(properties.not_simulated().as_deref(), Some("security.protocol=SSL"));
    }
}
