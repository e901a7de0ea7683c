//! One replica of a partition on one broker, leading or following.
//!
//! Follows `kafka.cluster.Partition` and the fetcher threads' state of one partition. A [`Partition`] knows nothing of
//! connections, parked requests and timers: the broker asks it and tells it, and learns from [`Changes`] which parked
//! requests to look at again.

mod context;
mod follower_progress;
mod following;
mod isr_state;
mod leading;
mod partition;
mod read_replica;
mod record_deletion;
mod serving;
#[cfg(test)]
mod tests;

pub use context::{Changes, Context, ReplicaSettings};
pub use following::FollowerRequest;
pub use leading::{AlterPartitionOutcome, Appended, ParkedProduce};
pub use partition::Partition;
pub use record_deletion::Deletion;
pub use serving::{FetchRead, ParkedFetch, Reader};
