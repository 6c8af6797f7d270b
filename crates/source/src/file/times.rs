//! From the times in a file to the times of an endless stream.

use vigie_media::MediaTime;
use vigie_media::demux::Sample;

/// Samples further than this from the end of the one before are a break in the file, and are moved up to it.
const MAX_JUMP_NS: i64 = 10_000_000_000;
/// Length of a sample of which nothing is known.
const USUAL_NS: i64 = 40_000_000;

/// Times of a sample in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    /// Ticks of the track.
    pub(super) pts: i64,
    /// Ticks of the track.
    pub(super) dts: i64,
    /// Presentation time, the same clock for all tracks.
    pub(super) shown_ns: i64,
    /// Decode time: when it is to be published.
    pub(super) at_ns: i64,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    rate: u32,
    last_ns: Option<i64>,
    /// Distance of the last two samples.
    step_ns: i64,
    /// First decode time of this round, with the shift.
    first_ns: Option<i64>,
    /// End of the last sample of this round, with the shift.
    end_ns: i64,
}

/// Remembers where the stream is while the file goes round. All nanoseconds are of the file, before its speed.
#[derive(Debug)]
pub(super) struct Times {
    lines: Vec<Line>,
    speed: f64,
    /// Added to the times of the file.
    shift_ns: i64,
    /// The shift that this round began with.
    round_ns: i64,
    /// Where the file goes on after what was read, without the shift.
    next_ns: Option<i64>,
}

impl Times {
    pub(super) fn new(rates: &[u32], speed: f64) -> Self {
        let line = |&rate| Line { rate, last_ns: None, step_ns: USUAL_NS, first_ns: None, end_ns: i64::MIN };
        Self { lines: rates.iter().map(line).collect(), speed, shift_ns: 0, round_ns: 0, next_ns: None }
    }

    pub(super) fn place(&mut self, sample: &Sample) -> Placed {
        let line = &mut self.lines[sample.track];
        let rate = line.rate;
        let file_ns = MediaTime(sample.dts).nanos(rate);
        if let Some(next) = self.next_ns
            && file_ns.saturating_sub(next).saturating_abs() > MAX_JUMP_NS
        {
            self.shift_ns = self.shift_ns.saturating_add(next.saturating_sub(file_ns));
            for l in &mut self.lines {
                l.last_ns = None;
            }
        }
        let line = &mut self.lines[sample.track];
        line.first_ns.get_or_insert(file_ns.saturating_add(self.shift_ns));
        if let Some(step) = line.last_ns.map(|last| file_ns - last).filter(|&s| s > 0) {
            line.step_ns = step;
        }
        line.last_ns = Some(file_ns);
        let length = match MediaTime(sample.duration).nanos(rate) {
            0 => line.step_ns,
            told => told,
        };
        let next = file_ns.saturating_add(length);
        self.next_ns = Some(next);
        line.end_ns = line.end_ns.max(next.saturating_add(self.shift_ns));

        let shift = MediaTime(self.shift_ns).rescale(1_000_000_000, rate).0;
        let scale = |v: i64| if self.speed == 1.0 { v } else { (v as f64 / self.speed) as i64 };
        let (pts, dts) = (sample.pts.saturating_add(shift), sample.dts.saturating_add(shift));
        Placed {
            pts: scale(pts),
            dts: scale(dts),
            shown_ns: scale(MediaTime(pts).nanos(rate)),
            at_ns: scale(file_ns.saturating_add(self.shift_ns)),
        }
    }

    /// The file begins anew: the first sample of the longest track comes where its last one ends.
    ///
    /// Each track is measured by itself: with B-frames, pictures are decoded from before the sound begins, and the time
    /// from the first of one track to the end of another would leave a hole in both.
    pub(super) fn again(&mut self) {
        let length = self.lines.iter().filter_map(|l| Some(l.end_ns.saturating_sub(l.first_ns?))).max().unwrap_or(0);
        self.round_ns = self.round_ns.saturating_add(length);
        self.shift_ns = self.round_ns;
        self.next_ns = None;
        for line in &mut self.lines {
            (line.last_ns, line.first_ns, line.end_ns) = (None, None, i64::MIN);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn pictures_decoded_before_the_sound_begins_leave_no_hole_between_rounds() {
        let mut times = Times::new(&[1000, 1000], 1.0);
        for round in 0..3 {
            for i in 0..25 {
                let video = Sample { pts: i * 40, ..sample(0, i * 40 - 80, 40) };
                let placed = times.place(&video);
                assert_eq!((placed.pts, placed.dts), (round * 1000 + i * 40, round * 1000 + i * 40 - 80));
                assert_eq!(times.place(&sample(1, i * 40, 40)).pts, round * 1000 + i * 40);
            }
            times.again();
        }
    }

    fn sample(track: usize, dts: i64, duration: i64) -> Sample {
        Sample { track, pts: dts, dts, duration, key: true, data: Bytes::new(), codec: None }
    }

    #[test]
    fn times_go_on_when_the_file_begins_anew() {
        let mut t = Times::new(&[90_000, 48_000], 1.0);
        let mut pass = || {
            // Sound begins 1024 samples before the pictures and ends before them.
            let sound: Vec<i64> = (-1..3).map(|i| t.place(&sample(1, i * 1024, 1024)).dts).collect();
            let pictures: Vec<i64> = (0..3).map(|i| t.place(&sample(0, i * 3600, 0)).dts).collect();
            t.again();
            (pictures, sound)
        };
        assert_eq!(pass(), (vec![0, 3600, 7200], vec![-1024, 0, 1024, 2048]));
        // The pictures are longer: they go on where they end, 120 ms after they began, and the sound keeps its distance.
        assert_eq!(pass(), (vec![10_800, 14_400, 18_000], vec![4736, 5760, 6784, 7808]));
    }

    #[test]
    fn a_break_in_the_files_own_times_is_closed() {
        let mut t = Times::new(&[1000], 1.0);
        let at = |t: &mut Times, dts| t.place(&sample(0, dts, 40)).dts;
        assert_eq!([at(&mut t, 0), at(&mut t, 40), at(&mut t, 1_000_000), at(&mut t, 1_000_040)], [0, 40, 80, 120]);
        assert_eq!(at(&mut t, 5), 160, "back again");
        // A hole that the file tells of is a hole.
        let mut t = Times::new(&[1000], 1.0);
        assert_eq!(t.place(&sample(0, 0, 60_000)).dts, 0);
        assert_eq!(at(&mut t, 60_000), 60_000);
    }

    #[test]
    fn twice_the_speed_is_half_the_time() {
        let mut t = Times::new(&[90_000], 2.0);
        let p = t.place(&sample(0, 90_000, 3600));
        assert_eq!((p.dts, p.at_ns, p.shown_ns), (45_000, 500_000_000, 500_000_000));
    }
}
