//! One timeline per stream, over any number of connections to its camera.
//!
//! A camera's timestamps start anywhere, jump, and begin anew with each connection; readers and recordings must not
//! notice. **Out of here, time never goes backwards, and it stays true to the time that passed**: each connection is
//! anchored where its first unit arrived, so an outage of ten seconds is a hole of ten seconds.
//!
//! Sound is kept together with pictures by the clock the source says both share (RTP-Info, then sender reports). It
//! may appear late or be corrected, so sound is moved towards it by at most 20 ms per second and never stepped back.

use std::time::Instant;

use vigie_media::reorder::DecodeTimes;
use vigie_media::{MediaKind, MediaTime, StreamDescription, TrackId};

/// Timestamps further than this from the time that passed are a fault of the camera: the track is anchored anew.
const MAX_DRIFT_NS: i64 = 10_000_000_000;
/// Differences of sound and pictures below this are left alone.
const SYNC_TOLERANCE_NS: i64 = 5_000_000;
/// Sound is moved by at most one part in 50 of the time that passed (20 ms per second).
const SLEW_DIVISOR: i64 = 50;

#[derive(Debug)]
struct Line {
    rate: u32,
    kind: MediaKind,
    /// Source ticks + offset = stream ticks. `None` until this connection's first unit.
    offset: Option<i64>,
    decode_times: DecodeTimes,
    last_pts: i64,
    last_dts: i64,
    started: bool,
}

/// Maps source timestamps to stream time.
#[derive(Debug)]
pub struct Timeline {
    origin: Instant,
    lines: Vec<Line>,
    /// Shared clock of the connection + anchor = stream nanoseconds.
    anchor_ns: Option<i64>,
}

/// Where a unit stands on the stream's timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Presentation time.
    pub pts: MediaTime,
    /// Decode time.
    pub dts: MediaTime,
}

impl Timeline {
    /// A timeline whose zero is `origin`.
    pub fn new(origin: Instant) -> Self {
        Self { origin, lines: Vec::new(), anchor_ns: None }
    }

    /// The instant of time zero.
    pub fn origin(&self) -> Instant {
        self.origin
    }

    /// Takes over the tracks of `description`. Tracks that stay what they were keep their place in time.
    pub fn describe(&mut self, description: &StreamDescription) {
        for (i, t) in description.tracks.iter().enumerate() {
            let depth = t.video().map_or(0, |v| v.reorder_depth);
            let fps = t.video().and_then(|v| v.fps).filter(|f| (1.0..=240.0).contains(f)).unwrap_or(25.0);
            let interval = (f64::from(t.clock_rate) / fps) as i64;
            let fresh = DecodeTimes::new(depth, interval);
            match self.lines.get_mut(i) {
                Some(l) if l.rate == t.clock_rate && l.kind == t.kind() => l.decode_times = fresh,
                _ => {
                    // A new kind of track begins after everything that was shown before.
                    let last = self.lines.get(i).map(|l| MediaTime(l.last_dts).rescale(l.rate, t.clock_rate).0);
                    let line = Line {
                        rate: t.clock_rate,
                        kind: t.kind(),
                        offset: None,
                        decode_times: fresh,
                        last_pts: last.unwrap_or(i64::MIN / 4),
                        last_dts: last.unwrap_or(i64::MIN / 4),
                        started: last.is_some(),
                    };
                    if i < self.lines.len() {
                        self.lines[i] = line;
                    } else {
                        self.lines.push(line);
                    }
                }
            }
        }
        self.lines.truncate(description.tracks.len());
    }

    /// A new connection to the camera: its timestamps have nothing to do with the earlier ones.
    pub fn reconnect(&mut self) {
        self.anchor_ns = None;
        for l in &mut self.lines {
            l.offset = None;
        }
    }

    /// Places one unit. `pts` and `dts` are source ticks of the track; `shared_ns` is the source's clock common to
    /// all its tracks, when it has one. `None` for a track that was not described.
    pub fn place(
        &mut self,
        track: TrackId,
        pts: i64,
        dts: Option<i64>,
        shared_ns: Option<i64>,
        arrived: Instant,
    ) -> Option<Placed> {
        let passed = arrived.saturating_duration_since(self.origin);
        let mut anchor = self.anchor_ns;
        let line = self.lines.get_mut(usize::from(track.0))?;
        let rate = line.rate;
        let now_ticks = MediaTime::from_duration(passed, rate).0;
        let to_ticks = |ns: i64| MediaTime(ns).rescale(1_000_000_000, rate).0;

        let wanted = match (shared_ns, anchor) {
            (Some(s), Some(a)) => Some(to_ticks(s.saturating_add(a))),
            _ => None,
        };
        let reanchor = match line.offset {
            None => true,
            Some(o) => {
                let drift = pts.saturating_add(o).saturating_sub(now_ticks);
                MediaTime(drift).nanos(rate).abs() > MAX_DRIFT_NS
            }
        };
        if reanchor {
            if line.offset.is_some() && line.kind == MediaKind::Video {
                // The pictures' own clock jumped: what sound is compared with moves along.
                anchor = None;
            }
            let mut at = wanted.unwrap_or(now_ticks);
            if MediaTime(at - now_ticks).nanos(rate).abs() > MAX_DRIFT_NS {
                at = now_ticks;
            }
            if line.started {
                at = at.max(line.last_pts.saturating_add(1));
            }
            line.offset = Some(at.saturating_sub(pts));
            line.decode_times.restart();
        } else if line.kind == MediaKind::Audio
            && let (Some(w), Some(o)) = (wanted, line.offset)
        {
            let error = w.saturating_sub(pts.saturating_add(o));
            if MediaTime(error).nanos(rate).abs() > SYNC_TOLERANCE_NS {
                let step = (pts.saturating_add(o).saturating_sub(line.last_pts) / SLEW_DIVISOR).max(1);
                line.offset = Some(o.saturating_add(error.clamp(-step, step)));
            }
        }
        let offset = line.offset.unwrap_or(0);
        let shown = pts.saturating_add(offset);
        let (mut d, mut p) = match dts {
            Some(dts) => (dts.saturating_add(offset), shown),
            None => {
                let (d, p) = line.decode_times.next(MediaTime(shown));
                (d.0, p.0)
            }
        };
        if line.started {
            d = d.max(line.last_dts.saturating_add(1));
        }
        p = p.max(d);
        line.last_dts = d;
        line.last_pts = line.last_pts.max(p);
        line.started = true;
        if anchor.is_none()
            && let Some(s) = shared_ns
        {
            self.anchor_ns = Some(MediaTime(p).nanos(rate).saturating_sub(s));
        }
        Some(Placed { pts: MediaTime(p), dts: MediaTime(d) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use vigie_media::{Codec, G711Law, G711Params, JpegParams, Track, VideoInfo};

    use super::*;

    fn description() -> StreamDescription {
        let video = VideoInfo { width: 2, height: 2, fps: Some(25.0), ..Default::default() };
        StreamDescription {
            generation: 1,
            tracks: vec![
                Track { id: TrackId(0), clock_rate: 90_000, codec: Codec::Jpeg(Arc::new(JpegParams { video })) },
                Track {
                    id: TrackId(1),
                    clock_rate: 8000,
                    codec: Codec::G711(G711Params { law: G711Law::A, sample_rate: 8000, channels: 1 }),
                },
            ],
        }
    }

    #[test]
    fn an_outage_is_a_hole_of_its_own_length() {
        let start = Instant::now();
        let mut t = Timeline::new(start);
        t.describe(&description());
        let a = t.place(TrackId(0), 1_000_000, None, None, start).unwrap();
        let b = t.place(TrackId(0), 1_003_600, None, None, start + Duration::from_millis(40)).unwrap();
        assert_eq!((a.pts.0, b.pts.0), (0, 3600));
        t.reconnect();
        let c = t.place(TrackId(0), 77, None, None, start + Duration::from_secs(10)).unwrap();
        assert_eq!(c.pts.0, 900_000);
    }

    #[test]
    fn a_camera_clock_that_jumps_is_anchored_anew() {
        let start = Instant::now();
        let mut t = Timeline::new(start);
        t.describe(&description());
        t.place(TrackId(0), 0, None, None, start);
        let far = t.place(TrackId(0), 90_000 * 86_400, None, None, start + Duration::from_secs(1)).unwrap();
        assert_eq!(far.pts.0, 90_000);
        let back = t.place(TrackId(0), 5, None, None, start + Duration::from_secs(2)).unwrap();
        assert_eq!(back.pts.0, 180_000);
    }

    #[test]
    fn time_never_goes_backwards_whatever_the_camera_says() {
        let start = Instant::now();
        let mut t = Timeline::new(start);
        t.describe(&description());
        let mut last = i64::MIN;
        for (i, pts) in [0, i64::MAX, i64::MIN, 5, -5, 5, 5, 90_000].into_iter().enumerate() {
            let p = t.place(TrackId(0), pts, None, None, start + Duration::from_millis(i as u64)).unwrap();
            assert!(p.dts.0 > last && p.pts >= p.dts, "{p:?} after {last}");
            last = p.dts.0;
        }
    }

    #[test]
    fn sound_is_slewed_to_the_shared_clock_not_stepped() {
        let start = Instant::now();
        let mut t = Timeline::new(start);
        t.describe(&description());
        t.place(TrackId(0), 0, None, Some(5_000_000_000), start);
        // Sound whose first packet came 300 ms late, without a shared clock yet: anchored by arrival.
        let late = start + Duration::from_millis(300);
        let first = t.place(TrackId(1), 0, None, None, late).unwrap();
        assert_eq!(first.pts.0, 2400);
        // Then a sender report says it was taken at the same time as the picture.
        let mut last = first.pts.0;
        for i in 1..1000i64 {
            let ns = 5_000_000_000 + i * 20_000_000;
            let at = late + Duration::from_millis(20 * i as u64);
            let p = t.place(TrackId(1), i * 160, None, Some(ns), at).unwrap();
            assert!(p.pts.0 > last);
            last = p.pts.0;
        }
        assert!((last - 999 * 160).abs() <= 40, "{}", last - 999 * 160);
    }
}
