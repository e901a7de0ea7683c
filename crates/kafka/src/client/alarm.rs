//! The one timer of a client program: it goes off when the program has something to do of itself.

use crate::instant::{Duration, Instant};
use crate::node::{Effects, Timer};

const WAKE_UP: Timer = Timer { kind: 0, key: 0 };

/// The shortest pause. A Java client counts in milliseconds too.
const SHORTEST: Duration = Duration(1_000);

/// The timer and the instant to which it is set.
#[derive(Clone, Debug, Default)]
pub(super) struct Alarm {
    set_to: Option<Instant>,
}

impl Alarm {
    /// The timer has gone off.
    pub(super) fn on_fired(&mut self) {
        self.set_to = None;
    }

    /// Sets, moves or cancels the timer; an instant that has passed counts as a millisecond from now.
    pub(super) fn set(&mut self, now: Instant, at: Option<Instant>, effects: &mut Effects) {
        let at = at.map(|at| at.max(now + SHORTEST));
        if at == self.set_to {
            return;
        }
        match at {
            Some(at) => effects.set_timer(WAKE_UP, at),
            None => effects.cancel_timer(WAKE_UP),
        }
        self.set_to = at;
    }
}

/// The earlier of two instants, either of which may be missing.
pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
