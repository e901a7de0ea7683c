//! The metadata quorum (`org.apache.kafka.raft`, KIP-595, KIP-630).

mod snapshot;

pub use snapshot::MetadataSnapshot;
