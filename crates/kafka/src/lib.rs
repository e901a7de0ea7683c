//! The machines of Apache Kafka as deterministic state machines: brokers, controllers and clients.
//!
//! Every machine is sans-IO: it takes one [`node::Input`] at a time with the instant at which it happens and
//! answers with ordered [`node::Effects`]. It reads no clock, opens no socket and draws no random number but
//! from the generator it was given. What carries messages, keeps disks and moves time is the `sim` crate.

#![warn(clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::wildcard_enum_match_arm, reason = "what a test does not expect fails it"))]

pub mod broker;
pub mod chunks;
pub mod client;
pub mod combined;
pub mod config;
pub mod controller;
pub mod event;
pub mod fault;
mod fetch_session_handler;
pub mod instant;
pub mod java_hash;
pub mod leader_election;
pub mod log;
pub mod metadata;
pub mod node;
pub mod raft;
pub mod release;
pub mod replica;
pub mod replica_assignment;
pub mod server_channels;
pub mod spec;
pub mod storage;
pub mod view;
pub mod zk_client;
pub mod zk_controller;
pub mod zk_data;
pub mod zookeeper;

/// The generator behind every random draw of a node: small, portable and pinned.
pub type Rng = rand_xoshiro::Xoshiro256PlusPlus;
