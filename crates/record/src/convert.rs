//! What cannot be put into an MP4 that plays everywhere is converted: G.711 to AAC by ffmpeg ([`aac`]), or to Opus
//! where there is no ffmpeg; MJPEG, and whatever is wanted, to H.264 of a constant rate ([`h264`]).

mod aac;
pub(crate) mod h264;
mod pacer;
mod pictures;

use std::sync::Arc;

use vigie_codec::opus::{self, PACKET_TICKS};
use vigie_media::{AccessUnit, G711Params, MediaTime, OpusParams, g711};

pub(crate) use self::aac::ToAac;
pub(crate) use self::h264::ToH264;
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
