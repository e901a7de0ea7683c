//! When TCP transmits again what nobody acknowledged, as Linux does it by default: the time-out doubles with each try, up
//! to two minutes, and after so many tries the connection is given up.

use kafka::instant::{Duration, Instant};

const LONGEST_TIMEOUT: Duration = Duration(120_000_000);

/// How often and how soon something is transmitted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retransmissions {
    first_timeout: Duration,
    most: u32,
}

impl Retransmissions {
    /// On an established connection: `TCP_RTO_MIN` and `tcp_retries2`.
    pub(crate) const OF_DATA: Retransmissions = Retransmissions { first_timeout: Duration(200_000), most: 15 };
    /// Of what opens a connection: `TCP_TIMEOUT_INIT` and `tcp_syn_retries`.
    pub(crate) const OF_CONNECTING: Retransmissions = Retransmissions { first_timeout: Duration(1_000_000), most: 6 };

    /// How many retransmissions there are.
    pub(crate) fn most(self) -> u32 {
        self.most
    }

    /// How long after the first transmission the one with this number follows; 0 is the first one itself.
    pub(crate) fn after(self, number: u32) -> Duration {
        Duration((0..number).map(|try_before| self.timeout(try_before).0).sum())
    }

    /// How long after the first transmission the connection is given up.
    pub(crate) fn give_up_after(self) -> Duration {
        self.after(self.most + 1)
    }

    /// When something sent at `sent_at` is transmitted next: at `now` or later.
    pub(crate) fn next(self, sent_at: Instant, now: Instant) -> Instant {
        let tries = (0..=self.most).map(|number| sent_at + self.after(number));
        tries.into_iter().find(|at| *at >= now).unwrap_or(now)
    }

    fn timeout(self, number: u32) -> Duration {
        Duration((self.first_timeout.0 << number).min(LONGEST_TIMEOUT.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_outs_double_up_to_two_minutes_and_end_as_linux_ends_them() {
        let data = Retransmissions::OF_DATA;
        let millis: Vec<i64> = (0..5).map(|number| data.after(number).as_ms()).collect();
        assert_eq!(millis, [0, 200, 600, 1_400, 3_000]);
        assert_eq!(data.give_up_after().as_ms(), 924_600);
        assert_eq!(Retransmissions::OF_CONNECTING.give_up_after().as_ms(), 127_000);
    }

    #[test]
    fn the_next_try_is_the_first_that_is_not_over() {
        let data = Retransmissions::OF_DATA;
        let next = |now| data.next(Instant(1_000_000), Instant(now)).0;
        assert_eq!(
            [next(1_000_000), next(1_000_001), next(1_200_000), next(1_600_001)],
            [1_000_000, 1_200_000, 1_200_000, 2_400_000]
        );
    }
}
