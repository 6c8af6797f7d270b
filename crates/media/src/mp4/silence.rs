//! Frames that decode to nothing, for holes in the sound.

use bytes::Bytes;

use crate::{Codec, Track, aac, g711};

/// A silent frame and how long it lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// One frame in the form that crosses the hub.
    pub frame: Bytes,
    /// In ticks of the track, at least 1.
    pub ticks: u32,
}

impl Silence {
    /// The silence of a sound track; `None` where no silent frame is known.
    pub fn of(track: &Track) -> Option<Self> {
        match &track.codec {
            Codec::Aac(p) if p.object_type == 2 && p.frame_samples == 1024 && p.sample_rate == track.clock_rate => {
                Some(Self { frame: Bytes::from_static(aac::silent_frame(p.channels)?), ticks: 1024 })
            }
            // 20 ms of full-band CELT without content (RFC 6716 §3.1: configuration 31, one frame).
            Codec::Opus(p) if track.clock_rate == 48_000 => {
                let frame: &'static [u8] = if p.channels == 2 { &[0xfc, 0xff, 0xfe] } else { &[0xf8, 0xff, 0xfe] };
                Some(Self { frame: Bytes::from_static(frame), ticks: 960 })
            }
            Codec::G711(p) if p.sample_rate == track.clock_rate && track.clock_rate >= 50 => {
                let ticks = track.clock_rate / 50;
                let size = ticks as usize * usize::from(p.channels);
                Some(Self { frame: vec![g711::silence(p.law); size].into(), ticks })
            }
            _ => None,
        }
    }
}
