//! Configurations of brokers, controllers and topics: names, types, defaults and what is wrong with a value. Dynamic
//! configurations of brokers (KIP-226) are not modelled: a server's properties stay as it started with them.

mod broker;
mod broker_definitions;
mod definition;
mod fraction;
mod topic;

pub use broker::{BrokerConfig, ConfigError};
pub use definition::{ConfigDefinition, ConfigType, Validator};
pub use fraction::Fraction;
pub use topic::{
    CleanupPolicy, TOPIC_CONFIGS, TopicConfig, TopicConfigDefinition, describe_topic_configs, is_dynamic_config,
    topic_config, validate_topic_config, validate_topic_configs,
};

#[cfg(test)]
mod tests;
