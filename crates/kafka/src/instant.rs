//! Virtual time. Nobody reads a clock: `now` is always an argument.

use std::fmt;
use std::ops::{Add, Sub};
use wire::Timestamp;

/// Microseconds since the world began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

/// A span of virtual time, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub u64);

impl Duration {
    /// A span of whole milliseconds; negative counts as none, and what is longer than any run as the longest.
    #[must_use]
    pub fn from_ms(milliseconds: i64) -> Duration {
        Duration(u64::try_from(milliseconds).unwrap_or(0).saturating_mul(1_000))
    }

    /// Whole milliseconds in the span.
    #[must_use]
    pub fn as_ms(self) -> i64 {
        (self.0 / 1_000) as i64
    }
}

impl Instant {
    /// When the world began.
    pub const ZERO: Instant = Instant(0);

    /// Whole milliseconds since the world began.
    #[must_use]
    pub fn as_ms(self) -> i64 {
        (self.0 / 1_000) as i64
    }

    /// The span since `earlier`; none if that lies ahead.
    #[must_use]
    pub fn since(self, earlier: Instant) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, span: Duration) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;
    fn sub(self, span: Duration) -> Instant {
        Instant(self.0.saturating_sub(span.0))
    }
}

impl fmt::Display for Instant {
    /// Seconds with microseconds, `12.345678`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// What a node's wall clock says: a fixed epoch plus virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WallClock {
    /// The wall-clock time at which the world began, in milliseconds since 1970.
    pub epoch: Timestamp,
}

impl WallClock {
    /// The wall-clock time at `now`.
    #[must_use]
    pub fn at(self, now: Instant) -> Timestamp {
        Timestamp(self.epoch.0.saturating_add(now.as_ms()))
    }
}
