//! A stream cut into fMP4 fragments, one per picture: pure, no clock, no task.
//!
//! **A sample is written when the next one of its track is known**, because only then its length is; a live picture is
//! therefore one frame interval late, and exact. Sound travels with the pictures. Sound that a browser cannot play
//! from MP4 (G.711) becomes Opus here, once for everybody; sound that stopped is left out, because a browser would
//! wait for it.

use std::sync::Arc;

use bytes::Bytes;
use tracing::debug;
use vigie_codec::opus;
use vigie_media::mp4::fragment::{self, Sample, TrackRun};
use vigie_media::{AccessUnit, Codec, G711Params, StreamDescription, Track, TrackId, g711};

/// Decode times start here, so that reordering at the beginning does not make them negative. In seconds.
const LEAD_S: i64 = 10;
/// Sound that did not come for this long is gone; sound that came for this long is back.
const SOUND_PATIENCE_MS: i64 = 2000;
/// Sound is sent without a picture when this much of it waits.
const SOUND_WAIT_MS: i64 = 300;
const OPUS_CLOCK: u32 = 48_000;

/// What a browser must have before fragments mean anything.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Init {
    pub(crate) segment: Bytes,
    pub(crate) mime: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) codec: &'static str,
}

/// What comes out, in order.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Init(Arc<Init>),
    /// `key`: a decoder can start with it.
    Fragment {
        data: Bytes,
        key: bool,
    },
}

struct Pending {
    pts: i64,
    dts: i64,
    key: bool,
    data: Bytes,
}

enum Sound {
    AsIs,
    /// `at`: when the next packet begins, at 48 kHz.
    ToOpus {
        encoder: opus::Encoder,
        params: G711Params,
        at: Option<i64>,
    },
}

struct SoundLine {
    /// In the source's description.
    source: TrackId,
    source_rate: u32,
    rate: u32,
    codec: Codec,
    sound: Sound,
    waiting: Vec<Pending>,
    /// Media time, in ms, of the first unit of the current uninterrupted run and of the newest one.
    run: Option<(i64, i64)>,
}

/// Cuts one stream.
pub(crate) struct Packager {
    wants_sound: bool,
    video: Option<Track>,
    sound: Option<SoundLine>,
    sound_on: bool,
    last_picture: Option<Pending>,
    sequence: u32,
    started: bool,
}

impl Packager {
    /// For browsers that play the stream's sound, or for those that do not.
    pub(crate) fn new(wants_sound: bool) -> Self {
        Self { wants_sound, video: None, sound: None, sound_on: false, last_picture: None, sequence: 0, started: false }
    }

    /// The tracks from here on.
    pub(crate) fn describe(&mut self, description: &StreamDescription) {
        self.video = description.video().cloned();
        self.sound = if self.wants_sound { description.audio().and_then(sound_line) } else { None };
        self.sound_on = false;
        self.last_picture = None;
        self.started = false;
    }

    /// Media is missing here: what waits belongs to what was before.
    pub(crate) fn interrupted(&mut self) {
        self.last_picture = None;
        if let Some(s) = &mut self.sound {
            s.waiting.clear();
            if let Sound::ToOpus { encoder, .. } = &mut s.sound {
                encoder.reset();
            }
        }
    }

    /// Takes one unit and gives what it completes.
    pub(crate) fn push(&mut self, unit: &AccessUnit, out: &mut Vec<Piece>) {
        let Some(video) = &self.video else { return };
        if unit.track == video.id {
            let rate = video.clock_rate;
            self.picture(unit, rate, out);
        } else if let Some(line) = &mut self.sound
            && unit.track == line.source
        {
            line.take(unit);
            let waited = match (line.waiting.first(), line.waiting.last()) {
                (Some(a), Some(b)) => (b.dts - a.dts) * 1000 / i64::from(line.rate.max(1)),
                _ => 0,
            };
            if waited < SOUND_WAIT_MS {
                return;
            }
            let runs: Vec<TrackRun> =
                if self.sound_on && self.started { self.sound_run().into_iter().collect() } else { Vec::new() };
            if !runs.is_empty() {
                self.emit(&runs, false, out);
            } else if let Some(line) = &mut self.sound {
                // Not started or not part of it: only the newest matters.
                let keep = line.waiting.len().saturating_sub(8);
                line.waiting.drain(..keep);
            }
        }
    }

    fn picture(&mut self, unit: &AccessUnit, rate: u32, out: &mut Vec<Piece>) {
        let now = Pending { pts: unit.pts.0, dts: unit.dts.0, key: unit.key, data: unit.data.clone() };
        let at_ms = unit.dts.rescale(rate, 1000).0;
        let Some(last) = self.last_picture.replace(now) else { return };
        let sounds = self.sound.as_ref().is_some_and(|s| s.sounds(at_ms, self.sound_on, !self.started));
        // A change of tracks is a new beginning, so it waits for a picture that one can begin with.
        if !self.started || (sounds != self.sound_on && last.key) {
            if !last.key {
                return;
            }
            self.sound_on = sounds;
            self.started = true;
            self.sequence = 0;
            match self.init() {
                Some(init) => out.push(Piece::Init(Arc::new(init))),
                None => {
                    self.started = false;
                    return;
                }
            }
        }
        let sample = Sample {
            duration: u32::try_from((unit.dts.0 - last.dts).max(1)).unwrap_or(u32::MAX),
            composition_offset: i32::try_from(last.pts - last.dts).unwrap_or(0),
            key: last.key,
            data: last.data,
        };
        let mut runs = vec![TrackRun::new(TrackId(0), decode_time(last.dts, rate), vec![sample])];
        if self.sound_on {
            runs.extend(self.sound_run());
        }
        self.emit(&runs, last.key, out);
    }

    fn emit(&mut self, runs: &[TrackRun], key: bool, out: &mut Vec<Piece>) {
        self.sequence = self.sequence.wrapping_add(1);
        out.push(Piece::Fragment { data: fragment::fragment(self.sequence, runs), key });
    }

    /// All waiting sound but the last, whose length is not known yet.
    fn sound_run(&mut self) -> Option<TrackRun> {
        let line = self.sound.as_mut()?;
        let n = line.waiting.len().checked_sub(1).filter(|&n| n > 0)?;
        let first = line.waiting[0].dts;
        let next: Vec<i64> = line.waiting[1..].iter().map(|p| p.dts).collect();
        let samples = line
            .waiting
            .drain(..n)
            .zip(next)
            .map(|(p, next)| Sample {
                duration: u32::try_from((next - p.dts).max(1)).unwrap_or(u32::MAX),
                composition_offset: 0,
                key: true,
                data: p.data,
            })
            .collect();
        Some(TrackRun::new(TrackId(1), decode_time(first, line.rate), samples))
    }

    fn init(&self) -> Option<Init> {
        let video = self.video.as_ref()?;
        let info = video.video()?.clone();
        let mut tracks = vec![Track { id: TrackId(0), ..video.clone() }];
        if self.sound_on
            && let Some(s) = &self.sound
        {
            tracks.push(Track { id: TrackId(1), clock_rate: s.rate, codec: s.codec.clone() });
        }
        let description = StreamDescription { generation: 1, tracks };
        Some(Init {
            segment: fragment::init_segment(&description),
            mime: fragment::mime(&description),
            width: info.width,
            height: info.height,
            codec: video.codec.name(),
        })
    }
}

fn decode_time(dts: i64, rate: u32) -> u64 {
    u64::try_from(dts.saturating_add(LEAD_S * i64::from(rate))).unwrap_or(0)
}

fn sound_line(track: &Track) -> Option<SoundLine> {
    let (rate, codec, sound) = match &track.codec {
        Codec::G711(p) => {
            let encoder = match opus::Encoder::new(p.sample_rate, p.channels, 24_000) {
                Ok(e) => e,
                Err(e) => {
                    debug!(error = %e, "this sound is left out for browsers");
                    return None;
                }
            };
            let codec = Codec::Opus(encoder.params());
            (OPUS_CLOCK, codec, Sound::ToOpus { encoder, params: *p, at: None })
        }
        Codec::Aac(_) | Codec::Opus(_) => (track.clock_rate, track.codec.clone(), Sound::AsIs),
        Codec::H264(_) | Codec::H265(_) | Codec::Jpeg(_) => return None,
    };
    Some(SoundLine {
        source: track.id,
        source_rate: track.clock_rate,
        rate,
        codec,
        sound,
        waiting: Vec::new(),
        run: None,
    })
}

impl SoundLine {
    fn take(&mut self, unit: &AccessUnit) {
        let at_ms = unit.pts.rescale(self.source_rate, 1000).0;
        self.run = match self.run {
            Some((since, last)) if at_ms - last < SOUND_PATIENCE_MS => Some((since, at_ms)),
            _ => Some((at_ms, at_ms)),
        };
        match &mut self.sound {
            Sound::AsIs => {
                self.waiting.push(Pending { pts: unit.pts.0, dts: unit.dts.0, key: true, data: unit.data.clone() });
            }
            Sound::ToOpus { encoder, params, at } => {
                let channels = i64::from(params.channels.max(1));
                let begins = unit.pts.rescale(self.source_rate, self.rate).0;
                let pending = encoder.pending_samples() as i64 * i64::from(self.rate)
                    / (i64::from(params.sample_rate.max(1)) * channels);
                let jumped = at.is_none_or(|at| (begins - at - pending).abs() > i64::from(self.rate) / 10);
                if jumped {
                    encoder.reset();
                }
                let next = if jumped { at.insert(begins) } else { at.get_or_insert(begins) };
                let samples: Vec<i16> = unit.data.iter().map(|&b| g711::expand(params.law, b)).collect();
                match encoder.encode(&samples) {
                    Ok(packets) => {
                        for data in packets {
                            self.waiting.push(Pending { pts: *next, dts: *next, key: true, data });
                            *next += opus::PACKET_TICKS;
                        }
                    }
                    Err(e) => debug!(error = %e, "a piece of sound was lost"),
                }
            }
        }
        // Decode times must grow within a run, whatever the camera says.
        if let [.., a, b] = &mut self.waiting[..]
            && b.dts <= a.dts
        {
            b.dts = a.dts + 1;
        }
    }

    /// Whether sound belongs to the stream at that time. At the beginning some is enough; later it has to prove
    /// that it stays, for each change makes browsers begin anew.
    fn sounds(&self, at_ms: i64, on: bool, beginning: bool) -> bool {
        self.run.is_some_and(|(since, last)| {
            at_ms - last < SOUND_PATIENCE_MS && (on || beginning || last - since >= SOUND_PATIENCE_MS / 2)
        })
    }
}

#[cfg(test)]
#[path = "package_tests.rs"]
mod tests;
