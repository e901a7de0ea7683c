//! The log of one partition: batches, offsets, leader epochs.
//!
//! Follows `kafka.log.UnifiedLog` and `LeaderEpochFileCache` (KIP-101, KIP-320). Segments, retention, compaction,
//! producer state and transactions are not modelled: the log start offset moves only when the log starts anew, and
//! the last stable offset is the high watermark.

mod leader_epoch_cache;
mod partition_log;
#[cfg(test)]
mod tests;
mod validation;

pub use partition_log::{AppendError, AppendInfo, FollowerAppendError, FoundOffset, PartitionLog, ReadLimit};
