//! Configurations of brokers, controllers and topics: names, types, defaults and what is wrong with a value. What is set while
//! a server runs (KIP-226) lies over its properties.

mod broker;
mod broker_definitions;
mod definition;
mod describe;
mod fraction;
mod topic;

pub use broker::{BrokerConfig, ConfigError};
pub use definition::{ConfigDefinition, ConfigType, Validator};
pub use describe::ConfigLayers;
pub use fraction::Fraction;
pub use topic::{
    CleanupPolicy, TOPIC_CONFIGS, TopicConfig, TopicConfigDefinition, is_dynamic_config, topic_config,
    validate_topic_config, validate_topic_configs,
};

#[cfg(test)]
mod tests;
