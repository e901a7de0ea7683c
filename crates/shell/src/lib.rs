//! The Kafka command line: words, to commands for a [`sim::Session`], to lines of text. No terminal, no DOM.
//!
//! The tools are those of Apache Kafka 3.9: option names, defaults and messages are theirs, the descriptions in the
//! usage tables are this project's own. What a tool does on the network is done by a client machine of the `kafka`
//! crate; a [`job::Job`] turns that machine's events into what the tool prints. What is not simulated is said, with
//! exit status 2, and never faked.

#![warn(clippy::float_arithmetic)]

pub mod admin_tool;
pub mod api_versions;
pub mod argparse;
pub mod bootstrap;
pub mod client_properties;
pub mod cluster;
pub mod configs;
pub mod configs_text;
pub mod console_consumer;
pub mod console_producer;
pub mod console_text;
pub mod delete_records;
pub mod directive;
pub mod disk_files;
pub mod dump_log;
pub mod dump_log_indexes;
pub mod dump_log_records;
pub mod features;
pub mod files;
pub mod get_offsets;
pub mod java_exception;
pub mod job;
pub mod json;
pub mod launch;
pub mod leader_election;
pub mod line_reader;
pub mod log_dirs;
pub mod log_lines;
pub mod message_formatter;
pub mod metadata_quorum;
pub mod node_name;
pub mod options;
pub mod output;
pub mod place;
pub mod plan;
pub mod reassign_json;
pub mod reassign_partitions;
pub mod reassign_text;
pub mod script;
pub mod sinks;
pub mod terminal;
pub mod text_commands;
pub mod tools;
pub mod topics;
pub mod topics_text;
pub mod usage;
pub mod uuid;
pub mod words;
pub mod zookeeper_shell;
pub mod zookeeper_shell_text;
