//! When a snapshot is due (`org.apache.kafka.image.publisher.SnapshotGenerator`): after so many bytes of records, or
//! after so long. Time is looked at when records are committed.

use crate::config::BrokerConfig;
use crate::instant::{Duration, Instant};
use wire::RecordBatch;

/// What has come since the last snapshot.
#[derive(Clone, Debug)]
pub struct SnapshotSchedule {
    max_bytes: i64,
    max_interval: Option<Duration>,
    bytes: i64,
    since: Instant,
}

impl SnapshotSchedule {
    /// Begins to count.
    #[must_use]
    pub fn new(config: &BrokerConfig, now: Instant) -> SnapshotSchedule {
        let interval_ms = config.metadata_log_max_snapshot_interval_ms;
        SnapshotSchedule {
            max_bytes: config.metadata_log_max_record_bytes_between_snapshots,
            max_interval: (interval_ms > 0).then(|| Duration::from_ms(interval_ms)),
            bytes: 0,
            since: now,
        }
    }

    /// A committed batch was replayed.
    pub fn count(&mut self, batch: &RecordBatch) {
        self.bytes += i64::from(batch.size_in_bytes());
    }

    /// Whether a snapshot is due.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        let is_late = self.max_interval.is_some_and(|interval| now.since(self.since) >= interval);
        self.bytes > 0 && (self.bytes >= self.max_bytes || is_late)
    }

    /// A snapshot was written or loaded: counts anew.
    pub fn restart(&mut self, now: Instant) {
        (self.bytes, self.since) = (0, now);
    }
}
