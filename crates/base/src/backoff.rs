//! The contractual table of waiting times between attempts to reach a camera (contract §10.8).

use std::time::Duration;

/// First waiting time of the table.
pub const FIRST_DELAY: Duration = Duration::from_secs(10);
/// Longest waiting time, whatever the number of failures.
pub const MAX_DELAY: Duration = Duration::from_secs(300);
/// Failures after which an idle camera is no longer tried.
pub const MAX_IDLE_ATTEMPTS: u32 = 5;

/// Counts consecutive failures and says how long to wait before the next attempt.
///
/// **`delay(n) = min(10 s · 2^(n−1), 300 s)`**, with no jitter so that the table can be observed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Wait this long, then try again.
    After(Duration),
    /// Give up until somebody asks, or until the configuration changes.
    Suspend,
}

impl Backoff {
    /// A counter that has already seen `failures` failures (state kept across a restart).
    pub fn resume(failures: u32) -> Self {
        Self { failures }
    }

    /// Consecutive failures so far.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Waiting time before attempt number `attempt`, counted from 1.
    pub fn delay(attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(16);
        (FIRST_DELAY * 2u32.pow(doublings)).min(MAX_DELAY)
    }

    /// Records one failure. `wanted` says whether somebody watches or records: then attempts never stop.
    pub fn fail(&mut self, wanted: bool) -> Next {
        self.failures = self.failures.saturating_add(1);
        if !wanted && self.failures > MAX_IDLE_ATTEMPTS {
            return Next::Suspend;
        }
        Next::After(Self::delay(self.failures))
    }

    /// Media flowed: the next failure starts the table again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_contract() {
        let seconds: Vec<u64> = (1..=7).map(|n| Backoff::delay(n).as_secs()).collect();
        assert_eq!(seconds, [10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(Backoff::delay(u32::MAX), MAX_DELAY);
    }

    #[test]
    fn an_idle_camera_is_suspended_after_the_fifth_attempt() {
        let mut b = Backoff::default();
        for _ in 0..5 {
            assert!(matches!(b.fail(false), Next::After(_)));
        }
        assert_eq!(b.fail(false), Next::Suspend);
    }

    #[test]
    fn a_watched_camera_is_never_given_up() {
        let mut b = Backoff::default();
        for _ in 0..50 {
            assert!(matches!(b.fail(true), Next::After(_)));
        }
        assert_eq!(b.fail(true), Next::After(MAX_DELAY));
        b.reset();
        assert_eq!(b.fail(true), Next::After(FIRST_DELAY));
    }
}
