//! The log of one partition: segments of batches, offsets, leader epochs, producers and transactions.
//!
//! Follows `kafka.log.UnifiedLog`, `LogLoader`, `LogSegment`, `ProducerStateManager` and `LeaderEpochFileCache` (KIP-98,
//! KIP-101, KIP-320). When retention and compaction take place is the broker's business; what then goes is decided here.
//! Tiered storage is not modelled.

mod append;
pub mod cleaner;
mod leader_epoch_cache;
mod loader;
mod maintenance;
mod partition_log;
pub mod producers;
mod reading;
mod retention;
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
