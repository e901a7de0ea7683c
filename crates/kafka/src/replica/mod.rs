//! One replica of a partition on one broker, leading or following.
//!
//! Follows `kafka.cluster.Partition` and the fetcher threads' state of one partition. A [`Partition`] knows nothing of
//! connections, parked requests and timers: the broker asks it and tells it, and learns from [`Changes`] which parked
//! requests to look at again.

mod partition;

pub use partition::{
    AlterPartitionOutcome, Appended, Changes, Context, FetchRead, FollowerRequest, ParkedFetch, ParkedProduce,
    Partition, Reader, ReplicaSettings,
};
