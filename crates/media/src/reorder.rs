//! Decode times for streams that carry presentation times only.
//!
//! RTP timestamps are presentation times (RFC 6184 §5.1), yet MP4, transport streams and every muxer want decode
//! times. With a reorder depth of *d* (H.264 `max_num_reorder_frames`), the *n*-th picture in decoding order has at
//! most *d* pictures before it that are shown after it; so the (*n* − *d*)-th smallest presentation time seen so far
//! is never later than the picture's own, and grows. That is the decode time given out: **no look-ahead, no delay,
//! never backwards, never after the presentation time**.

use crate::MediaTime;

/// Gives each picture, in decoding order, a decode time.
#[derive(Debug, Clone)]
pub struct DecodeTimes {
    depth: usize,
    /// Presentation times not yet given out, ascending; never more than `depth + 1`.
    held: Vec<i64>,
    /// Distance of two pictures, used before enough of them were seen.
    frame_ticks: i64,
    last: Option<i64>,
}

impl DecodeTimes {
    /// `frame_ticks` is the expected distance of two pictures in ticks.
    pub fn new(depth: u8, frame_ticks: i64) -> Self {
        Self { depth: usize::from(depth.min(16)), held: Vec::new(), frame_ticks: frame_ticks.max(1), last: None }
    }

    /// Forgets the pictures seen, for a timeline that jumped; the depth is kept.
    pub fn restart(&mut self) {
        self.held.clear();
    }

    /// The decode time of the next picture in decoding order.
    ///
    /// A stream that reorders more than it declared gets its decode times squeezed rather than a picture that is
    /// shown before it is decoded; the second value is then the presentation time moved up to the decode time.
    pub fn next(&mut self, pts: MediaTime) -> (MediaTime, MediaTime) {
        if self.depth == 0 {
            let dts = self.last.map_or(pts.0, |l| pts.0.max(l + 1));
            self.last = Some(dts);
            return (MediaTime(dts), MediaTime(dts));
        }
        if self.held.is_empty() {
            // Pretend `depth` pictures came before the first one.
            let depth = i64::try_from(self.depth).unwrap_or(16);
            self.held.extend((1..=depth).rev().map(|i| pts.0 - i * self.frame_ticks));
        }
        let at = self.held.partition_point(|&p| p <= pts.0);
        self.held.insert(at, pts.0);
        let dts = self.held.remove(0);
        let dts = self.last.map_or(dts, |l| dts.max(l + 1));
        self.last = Some(dts);
        (MediaTime(dts), MediaTime(pts.0.max(dts)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(depth: u8, pts: &[i64]) -> Vec<(i64, i64)> {
        let mut d = DecodeTimes::new(depth, 10);
        pts.iter().map(|&p| d.next(MediaTime(p))).map(|(d, p)| (d.0, p.0)).collect()
    }

    #[test]
    fn without_b_frames_both_times_are_one() {
        assert_eq!(run(0, &[0, 10, 20]), [(0, 0), (10, 10), (20, 20)]);
    }

    #[test]
    fn b_pyramid_of_depth_two() {
        // Decoding order I P B b b: shown at 0 40 20 10 30.
        let out = run(2, &[0, 40, 20, 10, 30, 80, 60, 50, 70]);
        assert_eq!(out.iter().map(|t| t.0).collect::<Vec<_>>(), [-20, -10, 0, 10, 20, 30, 40, 50, 60]);
        assert!(out.iter().all(|(d, p)| p >= d));
    }

    #[test]
    fn a_stream_that_lies_about_its_depth_stays_monotonic() {
        let out = run(0, &[0, 40, 20, 10, 30, 80]);
        assert!(out.windows(2).all(|w| w[1].0 > w[0].0), "{out:?}");
        assert!(out.iter().all(|(d, p)| p >= d));
    }
}
