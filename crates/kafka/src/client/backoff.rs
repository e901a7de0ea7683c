//! Exponential back-off with jitter (`org.apache.kafka.common.utils.ExponentialBackoff`), in whole numbers.

use crate::Rng;
use crate::instant::Duration;
use rand::RngExt;

/// A back-off that doubles with each failure, ±20 %, up to a maximum.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExponentialBackoff {
    /// The first pause, in milliseconds.
    pub(super) initial_ms: i64,
    /// The longest pause, in milliseconds.
    pub(super) max_ms: i64,
}

impl ExponentialBackoff {
    /// The pause after `attempts` earlier failures.
    pub(super) fn after(self, attempts: u32, rng: &mut Rng) -> Duration {
        if self.max_ms <= self.initial_ms {
            return Duration::from_ms(self.max_ms);
        }
        let doubled = self.initial_ms.saturating_mul(1 << attempts.min(30));
        let term_ms = u64::try_from(doubled.min(self.max_ms)).unwrap_or(0);
        let per_mille = rng.random_range(800..1_200u64);
        Duration(term_ms * per_mille).min(Duration::from_ms(self.max_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn pauses_double_within_a_fifth_up_to_the_maximum() {
        let mut rng = Rng::seed_from_u64(1);
        let backoff = ExponentialBackoff { initial_ms: 50, max_ms: 1_000 };
        for (attempts, low, high) in
            [(0, 40, 60), (1, 80, 120), (2, 160, 240), (3, 320, 480), (4, 640, 960), (5, 800, 1_000), (60, 800, 1_000)]
        {
            for _ in 0..50 {
                let pause = backoff.after(attempts, &mut rng);
                assert!(pause >= Duration::from_ms(low) && pause <= Duration::from_ms(high), "{attempts}: {pause:?}");
            }
        }
    }
}
