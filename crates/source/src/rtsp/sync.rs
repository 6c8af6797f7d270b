//! The clock that pictures and sound of one session share, from RTCP sender reports (RFC 3550 §6.4.1).
//!
//! **Time is counted in the pictures' own ticks**, so that a report that comes late or is corrected moves sound, never
//! pictures. A report that contradicts the arrival times is not believed.

use std::time::Instant;

/// Farther than this from the arrival times, and a sender report is nonsense.
const BELIEVABLE_NS: i64 = 3_000_000_000;

#[derive(Debug, Clone, Copy)]
struct Report {
    /// Unrolled RTP timestamp.
    ticks: i64,
    /// Seconds since 1900, 32.32 fixed point.
    ntp: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct SharedClock {
    video_rate: i64,
    audio_rate: i64,
    first: Option<(i64, Instant)>,
    video: Option<Report>,
    audio: Option<Report>,
}

impl SharedClock {
    pub(super) fn new(video_rate: u32, audio_rate: u32) -> Self {
        Self {
            video_rate: i64::from(video_rate.max(1)),
            audio_rate: i64::from(audio_rate.max(1)),
            first: None,
            video: None,
            audio: None,
        }
    }

    /// A sender report of one of the two tracks.
    pub(super) fn report(&mut self, is_video: bool, ticks: i64, ntp: u64) {
        // Zero means that the camera does not know the time (RFC 3550 §6.4.1).
        let report = (ntp != 0).then_some(Report { ticks, ntp });
        if is_video {
            self.video = report;
        } else {
            self.audio = report;
        }
    }

    /// Nanoseconds since the first picture.
    pub(super) fn video(&mut self, pts: i64, arrived: Instant) -> Option<i64> {
        let (first, _) = *self.first.get_or_insert((pts, arrived));
        Some(to_ns(pts.saturating_sub(first), self.video_rate))
    }

    /// The same clock for sound, once both tracks were reported.
    pub(super) fn audio(&self, pts: i64, arrived: Instant) -> Option<i64> {
        let (first, first_arrived) = self.first?;
        let (video, audio) = (self.video?, self.audio?);
        let between = ntp_ns(audio.ntp, video.ntp);
        let since_video_report = between.saturating_add(to_ns(pts.saturating_sub(audio.ticks), self.audio_rate));
        let ns = since_video_report.saturating_add(to_ns(video.ticks.saturating_sub(first), self.video_rate));
        let passed = i64::try_from(arrived.saturating_duration_since(first_arrived).as_nanos()).unwrap_or(i64::MAX);
        (ns.saturating_sub(passed).saturating_abs() < BELIEVABLE_NS).then_some(ns)
    }
}

fn to_ns(ticks: i64, rate: i64) -> i64 {
    let ns = i128::from(ticks) * 1_000_000_000 / i128::from(rate);
    i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX })
}

/// `a` − `b` in nanoseconds.
fn ntp_ns(a: u64, b: u64) -> i64 {
    let ns = ((i128::from(a) - i128::from(b)) * 1_000_000_000) >> 32;
    i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NTP_SECOND: u64 = 1 << 32;

    #[test]
    fn sound_follows_the_reports() {
        let start = Instant::now();
        let mut c = SharedClock::new(90_000, 8000);
        assert_eq!(c.video(1_000_000, start), Some(0));
        assert_eq!(c.audio(500, start), None);
        let now = 3_900_000_000 * NTP_SECOND;
        // The picture of tick 1_090_000 and the sound of tick 8500 were both taken at `now`, half a second apart in
        // what the reports say.
        c.report(true, 1_090_000, now);
        c.report(false, 8500, now + NTP_SECOND / 2);
        let arrived = start + Duration::from_millis(1700);
        assert_eq!(c.audio(8500, arrived), Some(1_500_000_000));
        assert_eq!(c.audio(8580, arrived), Some(1_510_000_000));
    }

    #[test]
    fn reports_that_cannot_be_true_are_not_believed() {
        let start = Instant::now();
        let mut c = SharedClock::new(90_000, 8000);
        c.video(0, start);
        c.report(true, 0, NTP_SECOND);
        c.report(false, 0, 3_900_000_000 * NTP_SECOND);
        assert_eq!(c.audio(0, start), None);
        c.report(true, i64::MIN, u64::MAX);
        c.report(false, i64::MAX, 1);
        assert_eq!(c.audio(i64::MIN, start), None);
        c.report(true, 0, 0);
        assert_eq!(c.audio(0, start), None);
    }
}
