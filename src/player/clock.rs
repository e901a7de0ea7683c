//! How much virtual time an animation frame is worth, and what the frames cost.

use kafka::instant::Duration;

/// A frame that comes later than this after the one before it is worth no more: the tab was hidden.
const LONGEST_FRAME_MS: f64 = 100.0;

/// Turns the time stamps of animation frames into spans of virtual time.
#[derive(Debug)]
pub(super) struct Clock {
    last_ms: Option<f64>,
    /// The part of a microsecond that is still owed.
    remainder_us: f64,
    cost: FrameCost,
}

/// What the frame loop has cost on the main thread.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct FrameCost {
    pub(crate) frames: u32,
    pub(crate) total_ms: f64,
    pub(crate) longest_ms: f64,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock { last_ms: None, remainder_us: 0.0, cost: FrameCost::default() }
    }

    /// The virtual time since the frame before, at a speed.
    pub(super) fn span_of_frame(&mut self, timestamp_ms: f64, speed: f64) -> Duration {
        let last_ms = self.last_ms.replace(timestamp_ms).unwrap_or(timestamp_ms);
        let passed_ms = (timestamp_ms - last_ms).clamp(0.0, LONGEST_FRAME_MS);
        let span_us = passed_ms * 1_000.0 * speed + self.remainder_us;
        self.remainder_us = span_us.fract();
        Duration(span_us as u64)
    }

    pub(super) fn note_cost(&mut self, milliseconds: f64) {
        self.cost.frames += 1;
        self.cost.total_ms += milliseconds;
        self.cost.longest_ms = self.cost.longest_ms.max(milliseconds);
    }

    pub(super) fn cost(&self) -> FrameCost {
        self.cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_motion_loses_no_part_of_a_microsecond() {
        let mut clock = Clock::new();
        let total: u64 = (0..=600).map(|frame| clock.span_of_frame(f64::from(frame) * 16.7, 0.001).0).sum();
        assert!(
            (10_019..=10_020).contains(&total),
            "600 frames of 16.7 ms are 10.02 s, a thousandth is 10,020 us: {total}"
        );
    }

    #[test]
    fn a_hidden_tab_does_not_jump_ahead() {
        let mut clock = Clock::new();
        clock.span_of_frame(0.0, 1.0);
        assert_eq!(clock.span_of_frame(60_000.0, 1.0), Duration(100_000));
    }
}
