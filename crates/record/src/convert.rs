//! What cannot be put into an MP4 that plays everywhere is converted: G.711 to AAC by ffmpeg ([`aac`]), or to Opus
//! where there is no ffmpeg; MJPEG to H.264. Opus and H.264 are made in-process.

mod aac;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use vigie_codec::h264::{Encoder, EncoderOptions};
use vigie_codec::opus::{self, PACKET_TICKS};
use vigie_codec::{Colour, VideoEncoder, jpeg};
use vigie_media::{AccessUnit, Codec, G711Params, MediaTime, OpusParams, Track, g711};

pub(crate) use self::aac::ToAac;
use crate::RecordError;

/// Sound further than this from where it should be is a hole, not jitter.
const MAX_DRIFT_TICKS: i64 = 48_000 / 20;

/// G.711 in, Opus out.
pub(crate) struct ToOpus {
    encoder: opus::Encoder,
    law: G711Params,
    rate: u32,
    /// Presentation time of the next packet, 48 kHz.
    next: Option<i64>,
}

impl ToOpus {
    pub(crate) fn new(law: G711Params, rate: u32) -> Result<Self, RecordError> {
        let encoder = opus::Encoder::new(law.sample_rate, law.channels, 32_000 * i32::from(law.channels));
        let encoder = encoder.map_err(|e| RecordError::EncoderUnavailable(e.to_string()))?;
        Ok(Self { encoder, law, rate, next: None })
    }

    pub(crate) fn params(&self) -> OpusParams {
        self.encoder.params()
    }

    /// Packets that `unit` completes, on the 48 kHz clock.
    pub(crate) fn unit(&mut self, unit: &AccessUnit, out: &mut Vec<Arc<AccessUnit>>) {
        let pts = unit.pts.rescale(self.rate, 48_000).0;
        let channels = i64::from(self.law.channels.max(1));
        let pending = i64::try_from(self.encoder.pending_samples()).unwrap_or(0) / channels;
        let pending = pending * 48_000 / i64::from(self.law.sample_rate.max(1));
        let start = match self.next {
            Some(next) if (pts - next - pending).abs() <= MAX_DRIFT_TICKS => next,
            next => {
                self.encoder.reset();
                next.map_or(pts, |n| n.max(pts))
            }
        };
        let samples: Vec<i16> = unit.data.iter().map(|&b| g711::expand(self.law.law, b)).collect();
        let Ok(packets) = self.encoder.encode(&samples) else { return };
        let mut at = start;
        for data in packets {
            out.push(Arc::new(AccessUnit { pts: MediaTime(at), dts: MediaTime(at), data, key: true, ..unit.clone() }));
            at += PACKET_TICKS;
        }
        self.next = Some(at);
    }
}

/// JPEG pictures in, H.264 out.
pub(crate) struct ToH264 {
    encoder: Option<(Encoder, (u32, u32))>,
    rate: u32,
    fps: f32,
    /// What was announced last.
    known: Option<Codec>,
}

impl ToH264 {
    pub(crate) fn new(track: &Track, fps: f64) -> Self {
        let declared = track.video().and_then(|v| v.fps);
        let fps = if fps >= 1.0 { fps } else { declared.unwrap_or(25.0) };
        Self { encoder: None, rate: track.clock_rate, fps: fps.clamp(1.0, 120.0) as f32, known: None }
    }

    /// The codec when it changed, and the picture. `None` for a picture that is damaged: the one before it stays.
    pub(crate) fn unit(&mut self, unit: &AccessUnit) -> Result<Option<(Option<Codec>, Bytes, bool)>, RecordError> {
        let Ok(picture) = jpeg::decode(&unit.data) else { return Ok(None) };
        let size = (picture.width() & !1, picture.height() & !1);
        let failed = |e: vigie_codec::CodecError| RecordError::EncoderUnavailable(e.to_string());
        let fresh = self.encoder.as_ref().is_none_or(|(_, s)| *s != size);
        if fresh {
            let pixels = size.0.saturating_mul(size.1);
            let options = EncoderOptions {
                fps: self.fps,
                // A tenth of a bit per pixel: about 5 Mbit/s at 1080p25.
                bitrate_bps: ((pixels as f32 * self.fps * 0.1) as u32).max(256_000),
                key_interval: (self.fps * 2.0).ceil() as u32,
                colour: Colour::JPEG,
            };
            self.encoder = Some((Encoder::new(options).map_err(failed)?, size));
        }
        let Some((encoder, _)) = &mut self.encoder else { return Ok(None) };
        let at = Duration::from_nanos(u64::try_from(unit.pts.nanos(self.rate)).unwrap_or(0));
        let even = (size != (picture.width(), picture.height())).then(|| picture.view().render(size, Colour::JPEG));
        let encoded = encoder.encode(even.as_ref().map_or(picture.view(), |p| p.view()), at, fresh).map_err(failed)?;
        let codec = encoder.codec();
        let changed = codec.filter(|c| self.known.as_ref() != Some(c)).inspect(|c| self.known = Some(c.clone()));
        Ok(Some((changed, encoded.data, encoded.key)))
    }
}
