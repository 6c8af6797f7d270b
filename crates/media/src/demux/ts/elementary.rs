//! Elementary streams: from the payload of PES packets to samples.

use std::sync::Arc;

use bytes::Bytes;

use super::super::{Sample, SoundClock};
use crate::{Codec, MediaTime, aac, h264, h265, nal};

/// What `stream_type` (table 2-34) names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    H264,
    H265,
    Aac,
}

impl Kind {
    pub(super) fn of(stream_type: u8) -> Option<Self> {
        match stream_type {
            0x1b => Some(Kind::H264),
            0x24 => Some(Kind::H265),
            0x0f => Some(Kind::Aac),
            _ => None,
        }
    }
}

/// One elementary stream.
#[derive(Debug)]
pub(super) struct Elementary {
    kind: Kind,
    codec: Option<Codec>,
    /// What the track was described with, told again when the file begins anew.
    first: Option<Codec>,
    /// An ADTS frame that goes on in the next packet.
    carry: Vec<u8>,
    sound: Option<SoundClock>,
    last_dts: Option<i64>,
}

impl Elementary {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, codec: None, first: None, carry: Vec::new(), sound: None, last_dts: None }
    }

    pub(super) fn codec(&self) -> Option<&Codec> {
        self.codec.as_ref()
    }

    pub(super) fn restart(&mut self) {
        self.carry.clear();
        self.sound = None;
        self.last_dts = None;
        self.codec.clone_from(&self.first);
    }

    /// The samples that a PES packet completes; times in 90 kHz.
    pub(super) fn take(&mut self, payload: &[u8], pts: Option<i64>, dts: Option<i64>) -> Vec<Sample> {
        match self.kind {
            Kind::Aac => self.sound(payload, pts),
            Kind::H264 | Kind::H265 => self.picture(payload, pts, dts).into_iter().collect(),
        }
    }

    /// Takes new parameters over; returns them when they are a change.
    fn learn(&mut self, codec: Codec) -> Option<Codec> {
        if self.codec.as_ref() == Some(&codec) {
            return None;
        }
        let known = self.codec.replace(codec.clone()).is_some();
        if !known {
            self.first = Some(codec);
            return None;
        }
        Some(codec)
    }

    fn picture(&mut self, payload: &[u8], pts: Option<i64>, dts: Option<i64>) -> Option<Sample> {
        let delimiter = |n: &&[u8]| match self.kind {
            Kind::H264 => h264::nal_type(n[0]) == h264::AUD,
            _ => h265::nal_type(n[0]) == h265::AUD,
        };
        let nals: Vec<&[u8]> = nal::split_annex_b(payload).into_iter().filter(|n| !delimiter(n)).collect();
        if nals.is_empty() {
            return None;
        }
        let data = nal::join(nals.iter().copied());
        let (key, told) = match self.kind {
            Kind::H264 => {
                let sets = h264::params_in(&data).and_then(|(sps, pps)| h264::params(sps, &pps).ok());
                (h264::is_key(&data), sets.map(|p| Codec::H264(Arc::new(p))))
            }
            _ => {
                let sets = h265::params_in(&data).and_then(|(vps, sps, pps)| h265::params(vps, sps, &pps).ok());
                (h265::is_key(&data), sets.map(|p| Codec::H265(Arc::new(p))))
            }
        };
        let codec = told.and_then(|c| self.learn(c));
        self.codec.as_ref()?;
        // A picture without times comes right behind the one before.
        let dts = dts.or(self.last_dts.map(|d| d + 1))?;
        self.last_dts = Some(dts);
        Some(Sample { track: 0, pts: pts.unwrap_or(dts).max(dts), dts, duration: 0, key, data, codec })
    }

    fn sound(&mut self, payload: &[u8], pts: Option<i64>) -> Vec<Sample> {
        let mut out = Vec::new();
        // The time is that of the first frame that begins in the packet (§2.4.3.7).
        let mut waiting = self.carry.len();
        let mut data = std::mem::take(&mut self.carry);
        data.extend_from_slice(payload);
        let mut rest = &data[..];
        let mut pts = pts;
        while let Some(start) = rest.windows(2).position(|w| w[0] == 0xff && w[1] & 0xf6 == 0xf0) {
            waiting = waiting.saturating_sub(start);
            rest = &rest[start..];
            let header = match aac::adts_header(rest) {
                Ok(h) => h,
                Err(_) if rest.len() < 9 => break,
                Err(_) => {
                    rest = &rest[1..];
                    waiting = waiting.saturating_sub(1);
                    continue;
                }
            };
            if header.frame_len > rest.len() {
                break;
            }
            let (frame, behind) = rest.split_at(header.frame_len);
            rest = behind;
            let began_before = waiting > 0;
            waiting = waiting.saturating_sub(header.frame_len);
            let Ok(params) = header.params() else { continue };
            let raw = frame.get(header.header_len..).filter(|f| !f.is_empty() && header.blocks == 1);
            let (Some(raw), rate, samples) = (raw, params.sample_rate, i64::from(params.frame_samples)) else {
                continue;
            };
            let codec = self.learn(Codec::Aac(Arc::new(params)));
            // One tick of 90 kHz, and some, since muxers round frames one by one.
            let clock = self.sound.get_or_insert_with(|| SoundClock::new(rate, 1_000_000));
            let told = if began_before { None } else { pts.take() };
            let Some(at) = told.map(|t| MediaTime(t).rescale(90_000, rate).0).or(clock.next) else { continue };
            let at = clock.place(at, samples);
            let data = Bytes::copy_from_slice(raw);
            out.push(Sample { track: 0, pts: at, dts: at, duration: samples, key: true, data, codec });
        }
        if rest.len() < 8192 {
            self.carry = rest.to_vec();
        }
        out
    }
}
