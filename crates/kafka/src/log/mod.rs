//! The log of one partition: segments of batches, offsets, leader epochs, producers and transactions.
//!
//! Follows `kafka.log.UnifiedLog`, `LogLoader`, `LogSegment`, `ProducerStateManager` and `LeaderEpochFileCache` (KIP-98,
//! KIP-101, KIP-320). When segments are deleted or compacted is decided elsewhere; here is how it is carried out.
//! Tiered storage is not modelled.

mod append;
mod leader_epoch_cache;
mod loader;
mod maintenance;
mod partition_log;
pub mod producers;
mod reading;
pub mod segment;
pub mod segments;
#[cfg(test)]
mod tests;
mod truncation;
mod validation;

pub use append::{AppendError, AppendInfo, FollowerAppendError, LeaderAppend};
pub use maintenance::StartBeyondHighWatermark;
pub use partition_log::{LogContext, LogSettings, PartitionLog};
pub use producers::{AppendOrigin, ProducerState, VerificationGuard};
pub use reading::{FoundOffset, LogRead, ReadLimit};
pub use segment::LogSegment;
pub use segments::Segments;
