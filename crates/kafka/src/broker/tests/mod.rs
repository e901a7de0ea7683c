//! Behaviours of a whole broker: what it does with each input, as exact lists of effects in words.

mod configs;
mod deleting;
mod describe;
mod fetch_sessions;
mod fetching;
mod lifecycle;
mod producing;
mod replication;
mod scene;
mod still_fetches;
mod topics;
mod zookeeper;
mod zookeeper_configs;
mod zookeeper_scene;
