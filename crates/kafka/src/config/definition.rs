//! What a configuration is: its name, its type, its default and what is wrong with a value
//! (`org.apache.kafka.common.config.ConfigDef`). The messages are Kafka's.

/// A configuration that servers or topics know.
#[derive(Debug)]
pub struct ConfigDefinition {
    /// For example `retention.ms`.
    pub name: &'static str,
    /// What its values are.
    pub config_type: ConfigType,
    /// Kafka's default as text; `None` is Kafka's null.
    pub default: Option<&'static str>,
    /// Which values are allowed.
    pub validator: Validator,
}

/// `ConfigDef.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigType {
    /// `true` or `false`.
    Boolean,
    /// Any text.
    String,
    /// A 16-bit number.
    Short,
    /// A 32-bit number.
    Int,
    /// A 64-bit number.
    Long,
    /// A decimal fraction.
    Double,
    /// Texts with commas between them.
    List,
}

/// Which values are allowed beyond the type (`ConfigDef.Validator`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validator {
    /// All of them.
    Any,
    /// Numbers from here on.
    AtLeast(i64),
    /// Numbers from the first to the second.
    Between(i64, i64),
    /// 1 to 9, or -1.
    GzipLevel,
    /// These texts; for a list, each entry must be one of them.
    OneOf(&'static [&'static str]),
    /// `*`, or a list of `partition:broker`.
    ThrottledReplicas,
    /// A version such as `3.0-IV1` or `2.8`.
    MetadataVersion,
}

/// `compression.type`.
pub(super) const COMPRESSION_TYPES: &[&str] = &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"];
/// `cleanup.policy`.
pub(super) const CLEANUP_POLICIES: &[&str] = &["compact", "delete"];
/// `message.timestamp.type`.
pub(super) const TIMESTAMP_TYPES: &[&str] = &["CreateTime", "LogAppendTime"];

impl ConfigType {
    /// As error messages print it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ConfigType::Boolean => "BOOLEAN",
            ConfigType::String => "STRING",
            ConfigType::Short => "SHORT",
            ConfigType::Int => "INT",
            ConfigType::Long => "LONG",
            ConfigType::Double => "DOUBLE",
            ConfigType::List => "LIST",
        }
    }
}

impl ConfigDefinition {
    pub(super) const fn new(
        name: &'static str,
        config_type: ConfigType,
        default: Option<&'static str>,
        validator: Validator,
    ) -> ConfigDefinition {
        ConfigDefinition { name, config_type, default, validator }
    }

    /// The value as Kafka prints it back once it has read it.
    ///
    /// # Errors
    /// `Invalid value V for configuration N: …` when the type or the validator refuses it.
    pub fn parse(&self, value: &str) -> Result<String, String> {
        let parsed = self.parse_type(value)?;
        self.validate(&parsed)?;
        Ok(parsed)
    }

    fn parse_type(&self, value: &str) -> Result<String, String> {
        let trimmed = value.trim();
        let printed = match self.config_type {
            ConfigType::Boolean => return self.parse_boolean(value),
            ConfigType::String => Some(trimmed.to_owned()),
            ConfigType::Short => trimmed.parse::<i16>().ok().map(|number| number.to_string()),
            ConfigType::Int => trimmed.parse::<i32>().ok().map(|number| number.to_string()),
            ConfigType::Long => trimmed.parse::<i64>().ok().map(|number| number.to_string()),
            ConfigType::Double => trimmed.parse::<f64>().ok().map(printed_double),
            ConfigType::List => Some(trimmed.split(',').map(str::trim).collect::<Vec<_>>().join(",")),
        };
        printed.ok_or_else(|| self.invalid(value, &format!("Not a number of type {}", self.config_type.name())))
    }

    fn parse_boolean(&self, value: &str) -> Result<String, String> {
        match value.trim().to_ascii_lowercase().as_str() {
            "true" => Ok("true".to_owned()),
            "false" => Ok("false".to_owned()),
            _ => Err(self.invalid(value, "Expected value to be either true or false")),
        }
    }

    fn validate(&self, value: &str) -> Result<(), String> {
        match self.validator {
            Validator::Any => Ok(()),
            Validator::AtLeast(least) => self.check_range(value, least, None),
            Validator::Between(least, most) => self.check_range(value, least, Some(most)),
            Validator::GzipLevel => self.check_gzip_level(value),
            Validator::OneOf(allowed) => self.check_choice(value, allowed),
            Validator::ThrottledReplicas => self.check_throttled_replicas(value),
            Validator::MetadataVersion => self.check_metadata_version(value),
        }
    }

    fn check_range(&self, value: &str, least: i64, most: Option<i64>) -> Result<(), String> {
        if is_below(value, least) {
            return Err(self.invalid(value, &format!("Value must be at least {least}")));
        }
        match most {
            Some(most) if is_above(value, most) => {
                Err(self.invalid(value, &format!("Value must be no more than {most}")))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_gzip_level(&self, value: &str) -> Result<(), String> {
        let is_level = value == "-1" || (!is_below(value, 1) && !is_above(value, 9));
        if is_level { Ok(()) } else { Err(self.invalid(value, "Value must be between 1 and 9 or equal to -1")) }
    }

    fn check_choice(&self, value: &str, allowed: &[&str]) -> Result<(), String> {
        let choices: Vec<&str> = match self.config_type {
            ConfigType::List if value.is_empty() => Vec::new(),
            ConfigType::List => value.split(',').collect(),
            ConfigType::Boolean
            | ConfigType::String
            | ConfigType::Short
            | ConfigType::Int
            | ConfigType::Long
            | ConfigType::Double => vec![value],
        };
        match choices.iter().find(|choice| !allowed.contains(choice)) {
            None => Ok(()),
            Some(choice) => Err(self.invalid(choice, &format!("String must be one of: {}", allowed.join(", ")))),
        }
    }

    fn check_throttled_replicas(&self, value: &str) -> Result<(), String> {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_replica = |entry: &str| {
            entry.split_once(':').is_some_and(|(partition, broker)| is_number(partition) && is_number(broker))
        };
        if value == "*" || value.split(',').all(|entry| entry.is_empty() || is_replica(entry)) {
            return Ok(());
        }
        let entries = value.split(',').collect::<Vec<_>>().join(", ");
        let message = format!(
            "{} must be the literal '*' or a list of replicas in the following format: \
             [partitionId]:[brokerId],[partitionId]:[brokerId],...",
            self.name
        );
        Err(self.invalid(&format!("[{entries}]"), &message))
    }

    fn check_metadata_version(&self, value: &str) -> Result<(), String> {
        if is_metadata_version(value) {
            return Ok(());
        }
        Err(self.invalid(value, &format!("Version {value} is not a valid version")))
    }

    /// The message of `ConfigException`.
    fn invalid(&self, value: &str, message: &str) -> String {
        format!("Invalid value {value} for configuration {}: {message}", self.name)
    }
}

/// As Java's `Double.toString` prints a number: `0.5`, `1.0`, `1.0E-4`.
fn printed_double(number: f64) -> String {
    let size = number.abs();
    let is_plain = size == 0.0 || (0.001..10_000_000.0).contains(&size);
    let text = if is_plain { number.to_string() } else { format!("{number:E}") };
    let (digits, exponent) = text.split_at(text.find('E').unwrap_or(text.len()));
    format!("{digits}{}{exponent}", if digits.contains('.') { "" } else { ".0" })
}

/// Both are called with numbers that `parse_type` has printed. Whole numbers and fractions compare as Kafka's
/// doubles do; the comparison never leaves this function.
fn is_below(value: &str, limit: i64) -> bool {
    value.parse::<f64>().is_ok_and(|number| number < limit as f64)
}

fn is_above(value: &str, limit: i64) -> bool {
    value.parse::<f64>().is_ok_and(|number| number > limit as f64)
}

/// Releases up to 4.0 with how many interim versions (`IV0`, `IV1`, …) each had (`MetadataVersion`).
const RELEASES: &[(&str, u8)] = &[
    ("0.8.0", 0),
    ("0.8.1", 0),
    ("0.8.2", 0),
    ("0.9.0", 0),
    ("0.10.0", 2),
    ("0.10.1", 3),
    ("0.10.2", 1),
    ("0.11.0", 3),
    ("1.0", 1),
    ("1.1", 1),
    ("2.0", 2),
    ("2.1", 3),
    ("2.2", 2),
    ("2.3", 2),
    ("2.4", 2),
    ("2.5", 1),
    ("2.6", 1),
    ("2.7", 3),
    ("2.8", 2),
    ("3.0", 2),
    ("3.1", 1),
    ("3.2", 1),
    ("3.3", 4),
    ("3.4", 1),
    ("3.5", 3),
    ("3.6", 3),
    ("3.7", 5),
    ("3.8", 1),
    ("3.9", 1),
];

/// Segments behind the release do not count, so `3.9.1` is a version too.
fn is_metadata_version(value: &str) -> bool {
    let segments = if value.starts_with("0.") { 3 } else { 2 };
    let key = value.split('.').take(segments).collect::<Vec<_>>().join(".");
    RELEASES.iter().any(|(release, interim_versions)| {
        key == *release || (0..*interim_versions).any(|number| key == format!("{release}-IV{number}"))
    })
}
