//! Media time: whole ticks of a track's own clock.

use std::time::Duration;

/// Ticks of the track's clock rate since the stream's origin, the same instant for all tracks of a stream.
///
/// Kept in the track's own unit (90 kHz video, the sampling rate for audio) so that nothing is rounded between a
/// camera's RTP timestamp (RFC 3550 §5.1) and the one we send or write. May be negative for the decode time of the
/// first pictures of a stream with reordering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MediaTime(pub i64);

impl MediaTime {
    /// The time in another clock, rounded to nearest.
    pub fn rescale(self, from_rate: u32, to_rate: u32) -> MediaTime {
        if from_rate == to_rate || from_rate == 0 {
            return self;
        }
        let wide = i128::from(self.0) * i128::from(to_rate);
        let rate = i128::from(from_rate);
        MediaTime(i64::try_from((wide + rate / 2).div_euclid(rate)).unwrap_or(i64::MAX))
    }

    /// Nanoseconds since the origin.
    pub fn nanos(self, rate: u32) -> i64 {
        self.rescale(rate, 1_000_000_000).0
    }

    /// Ticks of `rate` in `d`, rounded to nearest.
    pub fn from_duration(d: Duration, rate: u32) -> MediaTime {
        let ticks = (d.as_nanos() * u128::from(rate) + 500_000_000) / 1_000_000_000;
        MediaTime(i64::try_from(ticks).unwrap_or(i64::MAX))
    }

    /// The distance from `earlier`, zero when it lies after.
    pub fn since(self, earlier: MediaTime, rate: u32) -> Duration {
        let ticks = self.0.saturating_sub(earlier.0).max(0).unsigned_abs();
        let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(rate.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl std::ops::Add<i64> for MediaTime {
    type Output = MediaTime;
    fn add(self, ticks: i64) -> MediaTime {
        MediaTime(self.0.saturating_add(ticks))
    }
}

impl std::ops::Sub for MediaTime {
    type Output = i64;
    fn sub(self, other: MediaTime) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rescaling_rounds_to_nearest_on_both_sides_of_zero() {
        assert_eq!(MediaTime(90_000).rescale(90_000, 48_000), MediaTime(48_000));
        assert_eq!(MediaTime(1).rescale(90_000, 48_000), MediaTime(1));
        assert_eq!(MediaTime(-90_000).rescale(90_000, 1000), MediaTime(-1000));
        assert_eq!(MediaTime(i64::MAX).rescale(1, 1_000_000_000), MediaTime(i64::MAX));
    }

    #[test]
    fn durations_do_not_go_below_zero() {
        assert_eq!(MediaTime(5).since(MediaTime(9), 10), Duration::ZERO);
        assert_eq!(MediaTime(90_000).since(MediaTime(-90_000), 90_000), Duration::from_secs(2));
    }
}
