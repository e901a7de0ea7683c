//! How long to wait before the next attempt (`org.apache.kafka.common.utils.ExponentialBackoff`), in whole numbers.

use crate::Rng;
use crate::instant::Duration;
use rand::RngExt;

/// A wait that doubles with every failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ExponentialBackoff {
    /// The first wait.
    pub(super) initial_ms: i64,
    /// The longest wait. One that is not above the first makes every wait the same.
    pub(super) max_ms: i64,
    /// How far a wait may lie off, in thousandths of it.
    pub(super) jitter_permille: i64,
}

impl ExponentialBackoff {
    /// The wait after so many earlier failures.
    pub(super) fn after(self, failures: u32, rng: &mut Rng) -> Duration {
        if self.max_ms <= self.initial_ms {
            return Duration::from_ms(self.initial_ms);
        }
        let term_ms = self.initial_ms.saturating_mul(1 << failures.min(40)).min(self.max_ms);
        let permille = rng.random_range(1_000 - self.jitter_permille..=1_000 + self.jitter_permille);
        Duration::from_ms((term_ms * permille / 1_000).min(self.max_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn waits_double_up_to_the_longest_and_stay_within_the_jitter() {
        let backoff = ExponentialBackoff { initial_ms: 50, max_ms: 1_000, jitter_permille: 200 };
        let mut rng = Rng::seed_from_u64(1);
        for (failures, low, high) in [(0, 40, 60), (1, 80, 120), (4, 640, 960), (5, 800, 1_000), (99, 800, 1_000)] {
            for _ in 0..50 {
                let wait = backoff.after(failures, &mut rng).as_ms();
                assert!((low..=high).contains(&wait), "{failures} failures: {wait} ms");
            }
        }
    }

    #[test]
    fn equal_limits_give_a_constant_wait() {
        let backoff = ExponentialBackoff { initial_ms: 50, max_ms: 50, jitter_permille: 200 };
        assert_eq!(backoff.after(7, &mut Rng::seed_from_u64(1)), Duration::from_ms(50));
    }
}
