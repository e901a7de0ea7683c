//! Configurations of brokers and topics: names, types, defaults and what is wrong with a value.
