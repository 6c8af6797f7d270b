//! G.711 in, AAC-LC out, by an ffmpeg that runs as long as the recording.
//!
//! **Sound is placed by counting samples, never by when a frame comes out.** A hole in what the camera sends moves the
//! count, and the file fills it with silence. An encoder that dies is started again after a second: the recording goes
//! on, with silence in between, because another codec would mean another file and pictures lost between the two.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tracing::warn;
use vigie_codec::ffmpeg::Ffmpeg;
use vigie_codec::ffmpeg::aac::{self, AacEncoder, FRAME_SAMPLES, OUTPUT_RATE, PRIMING};
use vigie_media::{AacParams, AccessUnit, G711Params, MediaTime, g711};

use super::MAX_DRIFT_TICKS;

/// Pause before a dead encoder is replaced.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the end of a recording waits for the last frames; usually they take a few milliseconds.
const FLUSH: Duration = Duration::from_secs(2);

/// See the module. All times are in samples of the output, 48 kHz.
pub(crate) struct ToAac {
    ffmpeg: Arc<Ffmpeg>,
    law: G711Params,
    /// Clock of the units that come in.
    rate: u32,
    params: Arc<AacParams>,
    run: Option<Run>,
    /// Not to be started again before.
    resting: Option<Instant>,
    /// Presentation time of the last frame given.
    last: Option<i64>,
    /// The unit that came last: frames that come out take its track and its arrival.
    template: Option<Arc<AccessUnit>>,
}

/// One child.
struct Run {
    encoder: AacEncoder,
    /// Samples per channel that went in, at the rate of the sound.
    fed: i64,
    /// Frames that came out.
    frames: i64,
    anchors: Anchors,
}

/// Which sample of a run is shown when.
#[derive(Debug, Default)]
struct Anchors(VecDeque<(i64, i64)>);

impl Anchors {
    /// From sample `at` on, `pts` counts.
    fn jump(&mut self, at: i64, pts: i64) {
        self.0.push_back((at, pts));
    }

    /// When the next sample is expected; `None` before the first.
    fn expected(&self, at: i64) -> Option<i64> {
        self.0.back().map(|(sample, pts)| pts + at - sample)
    }

    /// When a frame that begins with sample `at` is shown. Frames are asked for in order.
    fn frame(&mut self, at: i64) -> Option<i64> {
        // A frame across a jump goes to where most of it belongs.
        while self.0.get(1).is_some_and(|(sample, _)| *sample <= at + FRAME_SAMPLES / 2) {
            self.0.pop_front();
        }
        self.0.front().map(|(sample, pts)| pts + at - sample)
    }
}

impl ToAac {
    /// `None` when that ffmpeg cannot make AAC, or not of this.
    pub(crate) fn new(ffmpeg: Arc<Ffmpeg>, law: G711Params, rate: u32) -> Option<Self> {
        let params = aac::params(law.channels).filter(|_| ffmpeg.encodes_aac() && law.sample_rate >= 8000)?;
        let params = Arc::new(params);
        Some(Self { ffmpeg, law, rate, params, run: None, resting: None, last: None, template: None })
    }

    pub(crate) fn params(&self) -> Arc<AacParams> {
        Arc::clone(&self.params)
    }

    /// Takes a unit, and gives the frames that are ready.
    pub(crate) fn unit(&mut self, unit: &Arc<AccessUnit>, out: &mut Vec<Arc<AccessUnit>>) {
        self.template = Some(Arc::clone(unit));
        let result = self.feed(unit).and_then(|()| self.drain(out));
        self.rest_after(result);
    }

    /// Gives the frames that are ready.
    pub(crate) fn take(&mut self, out: &mut Vec<Arc<AccessUnit>>) {
        let result = self.drain(out);
        self.rest_after(result);
    }

    fn rest_after(&mut self, result: Result<(), vigie_codec::CodecError>) {
        if let Err(e) = result {
            warn!(error = %e, "the sound's encoder failed; silence until it is started again");
            self.run = None;
            self.resting = Some(Instant::now() + AGAIN);
        }
    }

    /// How much sound went in and has not come out.
    pub(crate) fn held(&self) -> Duration {
        let Some(run) = &self.run else { return Duration::ZERO };
        let fed = run.fed * i64::from(OUTPUT_RATE) / i64::from(self.law.sample_rate.max(1));
        let held = MediaTime(fed - (run.frames * FRAME_SAMPLES - PRIMING));
        held.since(MediaTime(0), OUTPUT_RATE)
    }

    fn feed(&mut self, unit: &AccessUnit) -> Result<(), vigie_codec::CodecError> {
        let pts = unit.pts.rescale(self.rate, OUTPUT_RATE).0;
        let run = match &mut self.run {
            Some(run) => run,
            None => {
                if self.resting.is_some_and(|t| Instant::now() < t) {
                    return Ok(());
                }
                let encoder = self.ffmpeg.encode_aac(self.law.sample_rate, self.law.channels)?;
                self.run.insert(Run { encoder, fed: 0, frames: 0, anchors: Anchors::default() })
            }
        };
        let at = run.fed * i64::from(OUTPUT_RATE) / i64::from(self.law.sample_rate);
        match run.anchors.expected(at) {
            // Sound that was there already.
            Some(expected) if pts < expected - MAX_DRIFT_TICKS => return Ok(()),
            Some(expected) if pts <= expected + MAX_DRIFT_TICKS => {}
            _ => run.anchors.jump(at, pts),
        }
        let samples: Vec<i16> = unit.data.iter().map(|&b| g711::expand(self.law.law, b)).collect();
        run.fed += samples.len() as i64 / i64::from(self.law.channels.max(1));
        run.encoder.push(&samples)
    }

    fn drain(&mut self, out: &mut Vec<Arc<AccessUnit>>) -> Result<(), vigie_codec::CodecError> {
        while let Some(run) = &mut self.run {
            let Some(frame) = run.encoder.pull()? else { break };
            let pts = run.next_frame();
            self.give(pts, frame, out);
        }
        Ok(())
    }

    fn give(&mut self, pts: Option<i64>, data: Bytes, out: &mut Vec<Arc<AccessUnit>>) {
        let Some(pts) = pts.filter(|p| self.last.is_none_or(|last| *p > last)) else { return };
        let Some(template) = &self.template else { return };
        self.last = Some(pts);
        let at = MediaTime(pts);
        out.push(Arc::new(AccessUnit { pts: at, dts: at, data, key: true, ..AccessUnit::clone(template) }));
    }

    /// Ends the sound, and gives what was still inside the encoder.
    pub(crate) async fn finish(&mut self, out: &mut Vec<Arc<AccessUnit>>) {
        let Some(Run { encoder, fed, mut frames, mut anchors }) = self.run.take() else { return };
        let end = fed * i64::from(OUTPUT_RATE) / i64::from(self.law.sample_rate);
        for frame in encoder.finish(FLUSH).await {
            let at = frames * FRAME_SAMPLES - PRIMING;
            frames += 1;
            // What only fills the last frame is no sound.
            if at < end {
                let pts = anchors.frame(at);
                self.give(pts, frame, out);
            }
        }
    }
}

impl Run {
    fn next_frame(&mut self) -> Option<i64> {
        let at = self.frames * FRAME_SAMPLES - PRIMING;
        self.frames += 1;
        self.anchors.frame(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_follow_the_samples_across_a_hole() {
        let mut a = Anchors::default();
        assert_eq!(a.expected(0), None);
        a.jump(0, 500_000);
        assert_eq!(a.expected(4800), Some(504_800));
        // 4800 samples came, then the camera was gone until 600 000.
        a.jump(4800, 600_000);
        assert_eq!(a.expected(5000), Some(600_200));
        let times: Vec<_> = (-1..7).map(|i| a.frame(i * FRAME_SAMPLES)).collect();
        let expected = [498_976, 500_000, 501_024, 502_048, 503_072, 504_096, 600_320, 601_344];
        assert_eq!(times, expected.map(Some));
    }
}
