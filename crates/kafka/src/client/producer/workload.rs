//! Records that a producer program makes of itself, at an even pace.
//!
//! A program that is blocked in `send` makes none meanwhile, and does not catch up afterwards.

use crate::Rng;
use crate::instant::{Duration, Instant};
use crate::node::ProducerRecord;
use crate::spec::Workload;
use rand::RngExt;
use std::sync::Arc;
use wire::Bytes;

/// A workload and how far it is.
#[derive(Clone, Debug)]
pub(super) struct WorkloadRunner {
    workload: Workload,
    /// Shared by the records that have them.
    keys: Arc<[Bytes]>,
    made: u64,
    due_at: Instant,
    rng: Rng,
}

impl WorkloadRunner {
    /// The first record is due at once.
    pub(super) fn new(workload: Workload, rng: Rng) -> WorkloadRunner {
        let keys = workload.keys.iter().map(|key| Bytes::from(key.as_bytes())).collect();
        WorkloadRunner { workload, keys, made: 0, due_at: Instant::ZERO, rng }
    }

    /// When the next record is due.
    pub(super) fn due_at(&self) -> Instant {
        self.due_at
    }

    /// Makes the next record if it is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<ProducerRecord> {
        if now < self.due_at {
            return None;
        }
        self.made += 1;
        self.due_at = now + Duration::from_ms(self.workload.interval_ms.max(1));
        let value = format!("{}{}", self.workload.value_prefix, self.made);
        Some(ProducerRecord {
            topic: self.workload.topic.clone(),
            partition: None,
            key: self.draw_key(),
            value: Some(Bytes::from(value.as_bytes())),
            headers: Vec::new(),
        })
    }

    fn draw_key(&mut self) -> Option<Bytes> {
        if self.keys.is_empty() {
            return None;
        }
        let drawn = self.rng.random_range(0..self.keys.len() as u32);
        Some(self.keys[drawn as usize].clone())
    }
}
