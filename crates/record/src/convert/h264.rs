//! Pictures of any kind in, H.264 at a constant rate out: by x264 in an ffmpeg child, or by the encoder that is built in.
//!
//! **An encoder that fails costs the pictures that were inside it, and the file says so**: the hole is a gap with the
//! cause `encoder`, another encoder is started at the next picture, and after [`RESTARTS`] of them the built-in one
//! takes over. One that is too slow makes the recorder fall behind in the hub's ring, whose budget bounds the memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use vigie_codec::ffmpeg::Ffmpeg;
use vigie_codec::ffmpeg::x264::X264Options;
use vigie_codec::{CodecError, Coded, Colour, Picture, SteadyEncoder, h264, paint};
use vigie_media::{AccessUnit, Codec, MediaTime, Track, TrackId};

use super::pacer::Pacer;
use super::pictures::Pictures;
use crate::{Encoding, RecordError};

pub(crate) use super::pacer::CLOCK;

/// So often x264 is started again within one recording.
const RESTARTS: u32 = 3;
/// An encoder has so long to give what is inside, at the end (contract §20.1).
const FINISH: Duration = Duration::from_secs(10);
/// The last picture is held for so long, or for three times the usual distance; then there is no signal.
const HOLD_NS: i64 = 2_000_000_000;

/// How pictures are encoded here.
#[derive(Debug, Clone)]
pub(crate) struct Means {
    /// What was configured.
    pub(crate) encoding: Encoding,
    /// ffmpeg, when x264 was tried and works.
    pub(crate) x264: Option<Arc<Ffmpeg>>,
    /// ffmpeg, for decoding.
    pub(crate) ffmpeg: Option<Arc<Ffmpeg>>,
}

/// What comes out, in order.
#[derive(Debug)]
pub(crate) enum Made {
    /// The codec of what follows.
    Codec(Codec),
    /// A picture, on a clock of [`CLOCK`].
    Unit(AccessUnit),
    /// Pictures are missing, from and to in nanoseconds of the stream.
    Gap(i64, i64),
    /// For the recording's log.
    Note(String),
}

/// An encoder and which frames its pictures are.
struct Coder {
    inner: Box<dyn SteadyEncoder>,
    frames: Frames,
    size: (u32, u32),
}

/// Frame numbers of the pictures that went into an encoder, as far as they are still asked for.
#[derive(Debug, Default)]
struct Frames {
    /// The number of the first of them among all that went in.
    from: i64,
    numbers: VecDeque<i64>,
}

/// More pictures than this never lie between one that goes in and one that comes out.
const REMEMBERED: usize = 512;

impl Frames {
    fn push(&mut self, frame: i64) {
        self.numbers.push_back(frame);
        if self.numbers.len() > REMEMBERED {
            self.numbers.pop_front();
            self.from += 1;
        }
    }

    /// The frame of the n-th picture; what lies before the first one counts down from it.
    fn number(&self, n: i64) -> i64 {
        let known = usize::try_from(n - self.from).ok().and_then(|i| self.numbers.get(i).copied());
        known.unwrap_or_else(|| self.numbers.front().copied().unwrap_or(0) + n - self.from)
    }
}

/// See the module. Not to be used on an async worker.
pub(crate) struct ToH264 {
    means: Means,
    track: TrackId,
    rate: u32,
    pictures: Option<Pictures>,
    pacer: Pacer,
    coder: Option<Coder>,
    /// The first frame after what came out.
    given: i64,
    failures: u32,
    slate: bool,
    /// Pictures were lost because the encoder is too slow: what lies before the next one is left out.
    behind: bool,
    /// Time of the newest picture, and how far it was from the one before.
    newest_ns: Option<i64>,
    usual_ns: i64,
    template: Option<AccessUnit>,
    known: Option<Codec>,
}

impl ToH264 {
    pub(crate) fn new(means: Means, track: &Track) -> Result<Self, RecordError> {
        let pacer = Pacer::new(means.encoding.fps);
        let mut this = Self {
            means,
            track: track.id,
            rate: track.clock_rate,
            pictures: None,
            pacer,
            coder: None,
            given: 0,
            failures: 0,
            slate: false,
            behind: false,
            newest_ns: None,
            usual_ns: 0,
            template: None,
            known: None,
        };
        this.source(track)?;
        Ok(this)
    }

    /// The pictures come like this from here on; the frames go on as they are. Must be called inside a runtime.
    pub(crate) fn source(&mut self, track: &Track) -> Result<(), RecordError> {
        self.pictures = Some(Pictures::of(track, self.means.ffmpeg.as_ref())?);
        (self.track, self.rate) = (track.id, track.clock_rate);
        Ok(())
    }

    pub(crate) fn track(&self) -> TrackId {
        self.track
    }

    /// What comes out; known when the first picture has.
    pub(crate) fn codec(&self) -> Option<&Codec> {
        self.known.as_ref()
    }

    /// A unit of the source.
    pub(crate) fn unit(&mut self, unit: &AccessUnit, out: &mut Vec<Made>) -> Result<(), RecordError> {
        self.template = Some(unit.clone());
        let mut ready = Vec::new();
        if let Some(pictures) = &mut self.pictures {
            pictures.push(unit, unit.pts.nanos(self.rate), &mut ready)?;
        }
        for (ns, picture) in ready {
            self.show(ns, picture, out)?;
        }
        Ok(())
    }

    fn show(&mut self, ns: i64, picture: Picture, out: &mut Vec<Made>) -> Result<(), RecordError> {
        if std::mem::take(&mut self.behind) {
            self.pacer.jump(ns);
        }
        self.until(ns, out)?;
        if let Some(before) = self.newest_ns.replace(ns).filter(|_| !self.slate) {
            self.usual_ns = ns.saturating_sub(before).max(0);
        }
        self.slate = false;
        self.pacer.show(ns, even(picture));
        Ok(())
    }

    /// What came out of decoder and encoder meanwhile; and when pictures have been missing before `ns`, frames for them.
    pub(crate) fn look(&mut self, ns: i64, out: &mut Vec<Made>) -> Result<(), RecordError> {
        let mut ready = Vec::new();
        if let Some(pictures) = &mut self.pictures {
            pictures.pull(&mut ready);
        }
        for (at, picture) in ready {
            self.show(at, picture, out)?;
        }
        self.until(ns, out)?;
        let mut coded = Vec::new();
        if let Some(coder) = &mut self.coder {
            // What is wrong with it is seen at the next picture.
            let _ = coder.inner.pull(&mut coded);
            self.give(coded, out);
        }
        Ok(())
    }

    /// Pictures were lost because this is too slow.
    pub(crate) fn fell_behind(&mut self) {
        self.behind = true;
    }

    /// Gives the frames before `ns`, whether or not there are pictures for them.
    fn until(&mut self, ns: i64, out: &mut Vec<Made>) -> Result<(), RecordError> {
        loop {
            if !self.slate && self.pacer.quiet_ns() > HOLD_NS.max(3 * self.usual_ns) {
                self.slate = true;
                self.pacer.replace(|p| paint::no_signal(p.width(), p.height(), p.colour()));
            }
            let Some((frame, picture)) = self.pacer.due(ns).map(|(n, p)| (n, p.clone())) else { return Ok(()) };
            self.encode(frame, &picture, out)?;
        }
    }

    /// The end: frames up to `ns`, and everything that is still inside.
    pub(crate) fn finish(&mut self, ns: i64, out: &mut Vec<Made>) -> Result<(), RecordError> {
        let mut ready = Vec::new();
        if let Some(pictures) = self.pictures.take() {
            pictures.finish(FINISH, &mut ready);
        }
        for (at, picture) in ready {
            self.show(at, picture, out)?;
        }
        self.until(ns, out)?;
        if let Some((frame, picture)) = self.pacer.last().map(|(n, p)| (n, p.clone())) {
            self.encode(frame, &picture, out)?;
        }
        self.end_coder(out);
        Ok(())
    }

    fn encode(&mut self, frame: i64, picture: &Picture, out: &mut Vec<Made>) -> Result<(), RecordError> {
        let size = (picture.width(), picture.height());
        if self.coder.as_ref().is_some_and(|c| c.size != size) {
            self.end_coder(out);
        }
        // Each attempt uses up a restart, and the built-in encoder is the last one.
        for _ in 0..=RESTARTS + 1 {
            let coder = match &mut self.coder {
                Some(coder) => coder,
                None => {
                    let inner = self.start(size, picture.colour(), out)?;
                    self.coder.insert(Coder { inner, frames: Frames::default(), size })
                }
            };
            let mut coded = Vec::new();
            coder.frames.push(frame);
            let pushed = coder.inner.push(picture.view(), &mut coded);
            self.give(coded, out);
            match pushed {
                Ok(()) => return Ok(()),
                Err(e) => self.failed(&e, frame, out),
            }
        }
        Err(RecordError::EncoderUnavailable("no encoder takes these pictures".into()))
    }

    fn start(
        &mut self,
        size: (u32, u32),
        colour: Colour,
        out: &mut Vec<Made>,
    ) -> Result<Box<dyn SteadyEncoder>, RecordError> {
        let Encoding { fps, preset, crf, .. } = self.means.encoding;
        let (width, height) = size;
        let mut encoder: Option<Box<dyn SteadyEncoder>> = None;
        if let Some(f) = self.means.x264.as_ref().filter(|_| self.failures <= RESTARTS) {
            match f.encode_x264(X264Options { width, height, colour, fps, preset, crf }) {
                Ok(e) => encoder = Some(Box::new(e)),
                Err(e) => {
                    self.failures = RESTARTS + 1;
                    out.push(Made::Note(format!("x264 cannot be started: {e}")));
                }
            }
        }
        let encoder = match encoder {
            Some(e) => e,
            None => {
                let options = h264::EncoderOptions {
                    fps: fps as f32,
                    // A tenth of a bit per pixel: about 5 Mbit/s at 1080p25.
                    bitrate_bps: ((width as f32 * height as f32 * fps as f32 * 0.1) as u32).max(256_000),
                    key_interval: fps * 2,
                    colour,
                };
                let steady = h264::Steady::new(options);
                Box::new(steady.map_err(|e| RecordError::EncoderUnavailable(e.to_string()))?)
            }
        };
        out.push(Made::Note(format!("encoder: {}", encoder.parameters())));
        Ok(encoder)
    }

    /// The encoder is gone, with what was inside.
    fn failed(&mut self, e: &CodecError, frame: i64, out: &mut Vec<Made>) {
        self.coder = None;
        self.failures += 1;
        out.push(Made::Note(format!("the encoder failed: {e}")));
        if self.given < frame {
            out.push(Made::Gap(self.pacer.ns(self.given), self.pacer.ns(frame)));
        }
    }

    fn end_coder(&mut self, out: &mut Vec<Made>) {
        let Some(coder) = &mut self.coder else { return };
        let mut coded = Vec::new();
        let finished = coder.inner.finish(FINISH, &mut coded);
        let missing = i64::try_from(coder.inner.inside()).unwrap_or(0);
        self.give(coded, out);
        self.coder = None;
        if let Err(e) = finished {
            out.push(Made::Note(format!("the encoder ended badly: {e}")));
            if missing > 0 {
                out.push(Made::Gap(self.pacer.ns(self.given), self.pacer.ns(self.given + missing)));
            }
        }
    }

    fn give(&mut self, coded: Vec<Coded>, out: &mut Vec<Made>) {
        let (Some(coder), Some(template)) = (&self.coder, &self.template) else { return };
        if coded.is_empty() {
            return;
        }
        if let Some(codec) = coder.inner.codec().filter(|c| self.known.as_ref() != Some(c)) {
            self.known = Some(codec.clone());
            out.push(Made::Codec(codec));
        }
        for c in coded {
            let shown = coder.frames.number(c.shown);
            self.given = self.given.max(shown + 1);
            out.push(Made::Unit(AccessUnit {
                track: self.track,
                pts: MediaTime(self.pacer.ticks(shown)),
                dts: MediaTime(self.pacer.ticks(coder.frames.number(c.decoded))),
                key: c.key,
                data: c.data,
                ..template.clone()
            }));
        }
    }
}

/// Sizes are even in H.264 with 4:2:0.
fn even(picture: Picture) -> Picture {
    let size = (picture.width() & !1, picture.height() & !1);
    if size == (picture.width(), picture.height()) {
        return picture;
    }
    picture.view().render((size.0.max(16), size.1.max(16)), picture.colour())
}
