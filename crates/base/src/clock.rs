//! Time, passed in. Code that decides by the wall clock takes a [`Clock`], so that a test can own time.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since 1970-01-01T00:00:00Z, the unit of every stored time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Milliseconds from `earlier` to `self`; negative when the wall clock was set back.
    pub fn since_ms(self, earlier: UnixMillis) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in UTC with milliseconds (contract §0.8.6); out-of-range values are clamped to 1970.
    pub fn rfc3339(self) -> String {
        let nanos = i128::from(self.0) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .format(&Rfc3339)
            .unwrap_or_default()
    }
}

impl From<SystemTime> for UnixMillis {
    fn from(t: SystemTime) -> Self {
        match t.duration_since(UNIX_EPOCH) {
            Ok(d) => Self(i64::try_from(d.as_millis()).unwrap_or(i64::MAX)),
            Err(e) => Self(-i64::try_from(e.duration().as_millis()).unwrap_or(i64::MAX)),
        }
    }
}

/// A source of both clocks: the monotonic one for intervals, the wall clock for labels.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Monotonic time.
    fn now(&self) -> Instant;
    /// Wall time; may jump in either direction.
    fn wall(&self) -> UnixMillis;
}

/// The machine's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }
    fn wall(&self) -> UnixMillis {
        SystemTime::now().into()
    }
}

/// A clock that moves only when told to.
#[derive(Debug, Clone)]
pub struct FakeClock {
    inner: Arc<Mutex<(Instant, UnixMillis)>>,
}

impl FakeClock {
    /// Starts at the given wall time.
    pub fn at(wall: UnixMillis) -> Self {
        Self { inner: Arc::new(Mutex::new((Instant::now(), wall))) }
    }

    /// Moves both clocks forward.
    pub fn advance(&self, by: Duration) {
        let mut t = self.inner.lock();
        t.0 += by;
        t.1.0 += i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    }

    /// Sets the wall clock alone, as an operator or NTP would.
    pub fn set_wall(&self, wall: UnixMillis) {
        self.inner.lock().1 = wall;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Instant {
        self.inner.lock().0
    }
    fn wall(&self) -> UnixMillis {
        self.inner.lock().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_utc() {
        assert_eq!(UnixMillis(1_701_234_567_089).rfc3339(), "2023-11-29T05:09:27.089Z");
        assert_eq!(UnixMillis(-1).seconds(), -1);
    }

    #[test]
    fn the_fake_clock_separates_steps_from_time_passing() {
        let c = FakeClock::at(UnixMillis(10_000));
        let start = c.now();
        c.advance(Duration::from_secs(2));
        c.set_wall(UnixMillis(1_000));
        assert_eq!(c.now() - start, Duration::from_secs(2));
        assert_eq!(c.wall(), UnixMillis(1_000));
    }
}
