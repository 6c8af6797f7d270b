//! The list of tracks (RFC 9559 §5.1.4).

use std::sync::Arc;

use mp4_atom::{Atom, Avcc, Hvcc};

use super::super::mp4::{avc, hevc};
use super::{children, float, uint};
use crate::{Codec, G711Law, G711Params, JpegParams, VideoInfo, aac, opus};

/// What a track says of itself.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) number: u64,
    /// `None` when it is nothing that we play.
    pub(super) codec: Option<Codec>,
    /// Bytes of the length before each NAL unit.
    pub(super) length_size: Option<u8>,
    /// Distance of two frames.
    pub(super) frame_ns: Option<u64>,
    /// Taken off every time (Opus).
    pub(super) delay_ns: u64,
    /// What every frame begins with, and was therefore left out.
    pub(super) stripped: Option<Vec<u8>>,
}

#[derive(Default)]
struct Raw<'a> {
    id: &'a [u8],
    private: &'a [u8],
    width: u64,
    height: u64,
    rate: f64,
    channels: u64,
    encoded: bool,
}

/// All entries of a `Tracks` element.
pub(super) fn read(body: &[u8]) -> Vec<Entry> {
    children(body).filter(|(id, _)| *id == 0xae).take(64).map(|(_, entry)| read_entry(entry)).collect()
}

fn read_entry(body: &[u8]) -> Entry {
    let mut entry = Entry::default();
    let mut raw = Raw { rate: 8000.0, channels: 1, ..Raw::default() };
    for (id, value) in children(body) {
        match id {
            0xd7 => entry.number = uint(value).unwrap_or(0),
            0x86 => raw.id = value,
            0x63a2 => raw.private = value,
            0x23_e383 => entry.frame_ns = uint(value).filter(|ns| (1..=60_000_000_000).contains(ns)),
            0x56aa => entry.delay_ns = uint(value).filter(|&ns| ns < 10_000_000_000).unwrap_or(0),
            0xe0 => {
                for (id, value) in children(value) {
                    match id {
                        0xb0 => raw.width = uint(value).unwrap_or(0),
                        0xba => raw.height = uint(value).unwrap_or(0),
                        _ => {}
                    }
                }
            }
            0xe1 => {
                for (id, value) in children(value) {
                    match id {
                        0xb5 => raw.rate = float(value).unwrap_or(0.0),
                        0x9f => raw.channels = uint(value).unwrap_or(0),
                        _ => {}
                    }
                }
            }
            0x6d80 => match stripped(value) {
                Some(head) => entry.stripped = Some(head),
                None => raw.encoded = true,
            },
            _ => {}
        }
    }
    if !raw.encoded {
        codec(&mut entry, &raw);
    }
    entry
}

/// The bytes of "header stripping" when that is the only encoding; `None` for compression and encryption.
fn stripped(encodings: &[u8]) -> Option<Vec<u8>> {
    let mut encodings = children(encodings).filter(|(id, _)| *id == 0x6240);
    let (_, one) = encodings.next()?;
    let (_, compression) = children(one).find(|(id, _)| *id == 0x5034)?;
    let algorithm = children(compression).find(|(id, _)| *id == 0x4254).and_then(|(_, v)| uint(v));
    if algorithm != Some(3) || encodings.next().is_some() {
        return None;
    }
    let head = children(compression).find(|(id, _)| *id == 0x4255).map_or(&[][..], |(_, v)| v);
    (head.len() <= 64).then(|| head.to_vec())
}

fn codec(entry: &mut Entry, raw: &Raw<'_>) {
    entry.codec = match raw.id {
        b"V_MPEG4/ISO/AVC" => {
            let described = Avcc::decode_body(&mut &raw.private[..]).map(|c| avc(&c));
            let Ok(e) = described else { return };
            entry.length_size = e.length_size;
            e.codec
        }
        b"V_MPEGH/ISO/HEVC" => {
            let described = Hvcc::decode_body(&mut &raw.private[..]).map(|c| hevc(&c));
            let Ok(e) = described else { return };
            entry.length_size = e.length_size;
            e.codec
        }
        b"V_MJPEG" => {
            let (Ok(width), Ok(height)) = (u32::try_from(raw.width), u32::try_from(raw.height)) else { return };
            let fps = entry.frame_ns.map(|ns| 1e9 / ns as f64);
            let video = VideoInfo { width, height, fps, reorder_depth: 0, rfc6381: "mp4v.6C".to_owned() };
            (width > 0 && height > 0).then(|| Codec::Jpeg(Arc::new(JpegParams { video })))
        }
        b"A_AAC" => aac::params(raw.private).ok().map(|p| Codec::Aac(Arc::new(p))),
        b"A_OPUS" => opus::head(raw.private).ok().map(Codec::Opus),
        // WAVEFORMATEX, little-endian: format, channels, rate.
        b"A_MS/ACM" => match raw.private.first_chunk() {
            Some(&[format, 0, channels @ 1..=2, 0, r0, r1, r2, r3]) => {
                let law = match format {
                    6 => G711Law::A,
                    7 => G711Law::Mu,
                    _ => return,
                };
                let sample_rate = u32::from_le_bytes([r0, r1, r2, r3]);
                (1000..=192_000).contains(&sample_rate).then_some(Codec::G711(G711Params {
                    law,
                    sample_rate,
                    channels,
                }))
            }
            _ => None,
        },
        // Before codec private data was used for it, the configuration was in the name.
        id if id.starts_with(b"A_AAC/") && !id.ends_with(b"/SBR") => u8::try_from(raw.channels)
            .ok()
            .and_then(|c| aac::lc_config(raw.rate as u32, c))
            .and_then(|c| aac::params(&c).ok())
            .map(|p| Codec::Aac(Arc::new(p))),
        _ => None,
    };
}
