//! The thread that compacts the broker's logs (`kafka.log.LogCleaner`): again and again the dirtiest one, until none is dirty
//! enough; then it waits. What compaction does to a log is in `log::cleaner`.
//!
//! There is one thread, whatever `log.cleaner.threads` says, and it takes no time; the setting only divides the memory
//! for keys, as in Kafka. The throttle (`log.cleaner.io.max.bytes.per.second`) has nothing to hold back then.

use super::{Broker, Step, timers};
use crate::instant::Duration;
use crate::log::cleaner::LogToClean;
use wire::{Timestamp, TopicPartition};

/// Memory that a key takes while its last record is looked for (`SkimpyOffsetMap.bytesPerEntry`).
const BYTES_PER_KEY: u64 = 24;

impl Broker {
    /// The thread begins with a look, unless `log.cleaner.enable` is off.
    pub(super) fn start_log_cleaner(&self, step: &mut Step<'_>) {
        if self.config.log_cleaner_enable {
            step.effects.set_timer(timers::single(timers::LOG_CLEANER), step.now);
        }
    }

    /// Dirty logs are compacted, and those that delete besides lose their old segments.
    pub(super) fn on_log_cleaner(&mut self, step: &mut Step<'_>) {
        let wall_time = self.wall_time(step.now);
        while self.clean_dirtiest_log(wall_time, step) {}
        self.delete_old_segments(true, step);
        let backoff = Duration::from_ms(self.config.log_cleaner_backoff_ms.max(1));
        step.effects.set_timer(timers::single(timers::LOG_CLEANER), step.now + backoff);
    }

    /// Tells whether there was one, and whether that got anywhere.
    fn clean_dirtiest_log(&mut self, wall_time: Timestamp, step: &mut Step<'_>) -> bool {
        let most_keys = self.most_keys();
        let Some((partition, to_clean)) = self.dirtiest_log(wall_time).filter(|_| most_keys > 0) else { return false };
        let replica = self.replicas.get_mut(&partition).expect("the replica was just seen");
        replica.compact(&to_clean, most_keys, wall_time, step.effects);
        replica.log().cleaner_offset() > Some(to_clean.first_dirty_offset)
    }

    /// The log with the largest dirty part among those whose time has come (`grabFilthiestCompactedLog`).
    fn dirtiest_log(&self, wall_time: Timestamp) -> Option<(TopicPartition, LogToClean)> {
        let candidates = self.replicas.iter().filter_map(|(partition, replica)| {
            let to_clean = replica.log_to_clean(wall_time)?;
            to_clean.is_due(replica.config()).then_some((partition, to_clean))
        });
        let dirtier = |one: &(_, LogToClean), other: &(_, LogToClean)| one.1.compare_dirtiness(&other.1);
        let (partition, to_clean) = candidates.max_by(dirtier)?;
        Some((partition.clone(), to_clean))
    }

    /// How many keys fit into `log.cleaner.dedupe.buffer.size`, up to its load factor.
    fn most_keys(&self) -> u64 {
        let threads = u64::from(self.config.log_cleaner_threads.max(1).unsigned_abs());
        let buffer = self.config.log_cleaner_dedupe_buffer_size.max(0).unsigned_abs() / threads;
        let slots = buffer.min(i32::MAX as u64) / BYTES_PER_KEY;
        self.config.log_cleaner_io_buffer_load_factor.of(slots)
    }
}
