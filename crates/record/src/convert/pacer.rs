//! A constant frame rate out of pictures that come when they come.
//!
//! **Every frame of the grid is given exactly once, in order**: a picture takes the frame that is nearest to its time;
//! what lies between two pictures repeats the earlier one, and of two pictures for one frame the later one is shown.

use vigie_codec::Picture;

/// Ticks of a second on the clock of what is encoded.
pub(crate) const CLOCK: u32 = 90_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Pacer {
    fps: i64,
    /// Time of frame 0, nanoseconds of the stream.
    base_ns: Option<i64>,
    /// The first frame that was not given.
    next: i64,
    held: Option<Picture>,
    /// Time of the picture that came last.
    newest_ns: i64,
}

impl Pacer {
    pub(super) fn new(fps: u32) -> Self {
        Self { fps: i64::from(fps.max(1)), base_ns: None, next: 0, held: None, newest_ns: 0 }
    }

    /// When a frame is shown, on a clock of [`CLOCK`].
    pub(super) fn ticks(&self, frame: i64) -> i64 {
        let base = self.base_ns.unwrap_or(0);
        let base = (i128::from(base) * i128::from(CLOCK)).div_euclid(1_000_000_000);
        i64::try_from(base).unwrap_or(i64::MAX).saturating_add(frame.saturating_mul(i64::from(CLOCK)) / self.fps)
    }

    /// When a frame is shown, nanoseconds of the stream.
    pub(super) fn ns(&self, frame: i64) -> i64 {
        self.base_ns.unwrap_or(0).saturating_add(frame.saturating_mul(1_000_000_000) / self.fps)
    }

    /// The frame nearest to a time.
    fn nearest(&self, ns: i64) -> i64 {
        let since = i128::from(ns.saturating_sub(self.base_ns.unwrap_or(ns)));
        let twice = (since * 2 * i128::from(self.fps) + 1_000_000_000).div_euclid(2_000_000_000);
        i64::try_from(twice).unwrap_or(i64::MAX)
    }

    fn is_due(&self, ns: i64) -> bool {
        self.held.is_some() && self.next < self.nearest(ns)
    }

    /// The picture of the next frame, if that frame lies before `ns`; `None` when everything until then was given.
    pub(super) fn due(&mut self, ns: i64) -> Option<(i64, &Picture)> {
        let frame = self.next;
        if !self.is_due(ns) {
            return None;
        }
        self.next += 1;
        self.held.as_ref().map(|picture| (frame, picture))
    }

    /// A picture came. Everything [`Self::due`] before its time has to be taken first.
    pub(super) fn show(&mut self, ns: i64, picture: Picture) {
        self.base_ns.get_or_insert(ns);
        self.newest_ns = self.newest_ns.max(ns);
        self.held = Some(picture);
    }

    /// Leaves out the frames before `ns`, because nobody can encode them in time: the picture before is shown longer.
    pub(super) fn jump(&mut self, ns: i64) {
        if self.held.is_some() {
            self.next = self.next.max(self.nearest(ns));
        }
    }

    /// The last picture, at the end: when it was never given, a frame for it.
    pub(super) fn last(&mut self) -> Option<(i64, &Picture)> {
        if self.next > self.nearest(self.newest_ns) {
            return None;
        }
        let frame = self.next;
        let picture = self.held.as_ref()?;
        self.next += 1;
        Some((frame, picture))
    }

    /// How long there was no picture at frame [`Self::due`] would give, in nanoseconds.
    pub(super) fn quiet_ns(&self) -> i64 {
        self.ns(self.next).saturating_sub(self.newest_ns)
    }

    /// Shows something else until the next picture comes.
    pub(super) fn replace(&mut self, with: impl FnOnce(&Picture) -> Picture) {
        if let Some(held) = &mut self.held {
            *held = with(held);
        }
    }
}

#[cfg(test)]
mod tests {
    use vigie_codec::Colour;

    use super::*;

    const MS: i64 = 1_000_000;

    /// Frames and the numbers of the pictures in them, for pictures at these times (milliseconds).
    fn paced(fps: u32, times: &[i64]) -> Vec<u8> {
        let mut pacer = Pacer::new(fps);
        let mut out = Vec::new();
        let mut next = 0;
        let mut take = |(frame, picture): (i64, &Picture)| {
            assert_eq!(frame, next);
            next += 1;
            out.push(picture.planes()[0][0]);
        };
        for (n, &at) in (0u8..).zip(times) {
            while let Some(f) = pacer.due(at * MS) {
                take(f);
            }
            let mut picture = Picture::new(16, 16, Colour::JPEG);
            picture.split_mut()[0].fill(n);
            pacer.show(at * MS, picture);
        }
        while let Some(f) = pacer.last() {
            take(f);
        }
        out
    }

    #[test]
    fn every_frame_once() {
        assert_eq!(paced(25, &[1000, 1040, 1080, 1120]), [0, 1, 2, 3]);
        // Shivering changes nothing, as long as it is less than half a frame.
        assert_eq!(paced(25, &[1000, 1057, 1063, 1139]), [0, 1, 2, 3]);
        // Half the rate repeats, twice the rate leaves out.
        assert_eq!(paced(50, &[0, 40, 80]), [0, 0, 1, 1, 2]);
        assert_eq!(paced(25, &[0, 20, 41, 61, 82]), [0, 2, 4]);
        // A hole is filled; a picture that comes too late is shown in the next frame.
        assert_eq!(paced(10, &[0, 500, 400, 610]), [0, 0, 0, 0, 0, 2, 3]);
    }

    #[test]
    fn frames_stay_on_their_grid_for_hours() {
        let mut pacer = Pacer::new(30);
        pacer.show(123_456_789, Picture::new(16, 16, Colour::JPEG));
        let day = 30 * 86_400;
        assert_eq!(pacer.ticks(day) - pacer.ticks(0), 86_400 * i64::from(CLOCK));
        assert_eq!(pacer.ns(day) - pacer.ns(0), 86_400_000_000_000);
        assert_eq!(pacer.ticks(1) - pacer.ticks(0), 3000);
    }
}
