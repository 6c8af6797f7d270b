//! Bit rate and frame rate over a sliding window, without a timer.

use std::time::{Duration, Instant};

const SLOTS: usize = 8;
const SLOT: Duration = Duration::from_millis(500);

/// Counts bytes and pictures in eight half-second slots; the figure is of the full slots before the current one.
#[derive(Debug)]
pub(crate) struct Meter {
    epoch: Instant,
    slots: [(u64, u64, u32); SLOTS],
}

impl Meter {
    pub(crate) fn new(now: Instant) -> Self {
        Self { epoch: now, slots: [(u64::MAX, 0, 0); SLOTS] }
    }

    fn slot_number(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.epoch).as_millis() / SLOT.as_millis();
        u64::try_from(elapsed).unwrap_or(u64::MAX - 1)
    }

    pub(crate) fn add(&mut self, now: Instant, bytes: usize, picture: bool) {
        let n = self.slot_number(now);
        let slot = &mut self.slots[usize::try_from(n % SLOTS as u64).unwrap_or(0)];
        if slot.0 != n {
            *slot = (n, 0, 0);
        }
        slot.1 += bytes as u64;
        slot.2 += u32::from(picture);
    }

    /// Bits per second and pictures per second.
    pub(crate) fn rates(&self, now: Instant) -> (u64, f64) {
        let n = self.slot_number(now);
        let oldest = n.saturating_sub(SLOTS as u64 - 1);
        let full = self.slots.iter().filter(|s| s.0 >= oldest && s.0 < n);
        // Counted from the first slot with media, so that a stream that has just started reads right.
        let (bytes, pictures, first) = full.fold((0u64, 0u32, n), |(b, p, f), s| (b + s.1, p + s.2, f.min(s.0)));
        let slots = n - first;
        if slots == 0 {
            return (0, 0.0);
        }
        let seconds = slots as f64 * SLOT.as_secs_f64();
        ((bytes as f64 * 8.0 / seconds) as u64, f64::from(pictures) / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_media_reads_as_its_rate_and_silence_as_zero() {
        let start = Instant::now();
        let mut m = Meter::new(start);
        for i in 0..250u32 {
            m.add(start + Duration::from_millis(40) * i, 20_000, true);
        }
        let (bps, fps) = m.rates(start + Duration::from_secs(10));
        assert!((3_900_000..4_100_000).contains(&bps), "{bps}");
        assert!((24.0..26.0).contains(&fps), "{fps}");
        assert_eq!(m.rates(start + Duration::from_secs(20)), (0, 0.0));
    }

    #[test]
    fn a_stream_that_has_just_started_reads_right() {
        let start = Instant::now();
        let mut m = Meter::new(start);
        for i in 0..50u32 {
            m.add(start + Duration::from_secs(100) + Duration::from_millis(40) * i, 20_000, true);
        }
        let (_, fps) = m.rates(start + Duration::from_millis(101_500));
        assert!((24.0..27.0).contains(&fps), "{fps}");
    }
}
