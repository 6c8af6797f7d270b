//! What the sample descriptions of a track say.

use std::sync::Arc;

use mp4_atom::{Avcc, Codec as Description, Hvcc, Trak};

use crate::bitstream::BitstreamError;
use crate::{Codec, G711Law, G711Params, JpegParams, VideoInfo, aac, h264, h265, opus};

/// One sample description.
#[derive(Debug)]
pub(in crate::demux) struct Entry {
    /// `None` when it is nothing that we play.
    pub(in crate::demux) codec: Option<Codec>,
    /// Bytes of the length before each NAL unit.
    pub(in crate::demux) length_size: Option<u8>,
    /// Of uncompressed sound.
    pub(super) bytes_per_pcm_sample: Option<u32>,
}

impl Entry {
    fn of(codec: Result<Codec, BitstreamError>) -> Self {
        Self { codec: codec.ok(), length_size: None, bytes_per_pcm_sample: None }
    }
}

/// All sample descriptions of a track.
pub(super) fn read(trak: &Trak) -> Vec<Entry> {
    trak.mdia.minf.stbl.stsd.codecs.iter().take(64).map(entry).collect()
}

fn entry(description: &Description) -> Entry {
    match description {
        Description::Avc1(e) => avc(&e.avcc),
        Description::Avc3(e) => avc(&e.avcc),
        Description::Hvc1(e) => hevc(&e.hvcc),
        Description::Hev1(e) => hevc(&e.hvcc),
        Description::Jpeg(e) => Entry::of(Ok(jpeg(e.visual.width, e.visual.height))),
        Description::Mp4a(e) => {
            let config = e.esds.es_desc.dec_config.dec_specific.as_ref().map_or(&[][..], |d| &d.raw);
            Entry::of(aac::params(config).map(|p| Codec::Aac(Arc::new(p))))
        }
        Description::Opus(e) => Entry::of(opus::params(e.dops.output_channel_count, e.dops.pre_skip).map(Codec::Opus)),
        Description::Unknown(kind, body) => unknown(&<[u8; 4]>::from(*kind), body),
        _ => Entry { codec: None, length_size: None, bytes_per_pcm_sample: None },
    }
}

pub(in crate::demux) fn avc(config: &Avcc) -> Entry {
    let sps = config.sequence_parameter_sets.first().map_or(&[][..], |s| s);
    let pps: Vec<&[u8]> = config.picture_parameter_sets.iter().map(|p| &p[..]).collect();
    Entry {
        length_size: Some(config.length_size),
        ..Entry::of(h264::params(sps, &pps).map(|p| Codec::H264(Arc::new(p))))
    }
}

pub(in crate::demux) fn hevc(config: &Hvcc) -> Entry {
    let of = |kind: u8| -> Vec<&[u8]> {
        let arrays = config.arrays.iter().filter(|a| a.nal_unit_type == kind);
        arrays.flat_map(|a| a.nalus.iter().map(|n| &n[..])).collect()
    };
    let (vps, sps) = (of(h265::VPS), of(h265::SPS));
    let params = h265::params(vps.first().copied().unwrap_or(&[]), sps.first().copied().unwrap_or(&[]), &of(h265::PPS));
    Entry {
        length_size: Some(config.length_size_minus_one.saturating_add(1)),
        ..Entry::of(params.map(|p| Codec::H265(Arc::new(p))))
    }
}

fn jpeg(width: u16, height: u16) -> Codec {
    let video = VideoInfo {
        width: width.into(),
        height: height.into(),
        fps: None,
        reorder_depth: 0,
        rfc6381: "mp4v.6C".to_owned(),
    };
    Codec::Jpeg(Arc::new(JpegParams { video }))
}

/// Sample entries that the box library leaves alone: `mp4v` with JPEG inside, and QuickTime's G.711.
fn unknown(kind: &[u8; 4], body: &[u8]) -> Entry {
    let none = Entry { codec: None, length_size: None, bytes_per_pcm_sample: None };
    let u16_at = |at: usize| body.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
    let law = match kind {
        b"alaw" => G711Law::A,
        b"ulaw" => G711Law::Mu,
        b"mp4v" => {
            // VisualSampleEntry: size at 24. The object type 0x6C is the first byte of a DecoderConfigDescriptor
            // (tag 4, its length in one to four bytes) in the `esds`.
            let is_jpeg = body.get(78..).and_then(decoder_object_type) == Some(0x6c);
            return match (u16_at(24), u16_at(26)) {
                (Some(w), Some(h)) if is_jpeg && w > 0 && h > 0 => Entry::of(Ok(jpeg(w, h))),
                _ => none,
            };
        }
        _ => return none,
    };
    // AudioSampleEntry: channels at 16, rate as 16.16 at 24.
    match (u16_at(16), u16_at(24)) {
        (Some(channels @ 1..=2), Some(rate)) if rate > 0 => {
            let channels = channels as u8;
            let codec = Codec::G711(G711Params { law, sample_rate: rate.into(), channels });
            Entry { bytes_per_pcm_sample: Some(channels.into()), ..Entry::of(Ok(codec)) }
        }
        _ => none,
    }
}

/// `objectTypeIndication` of an `esds` box among boxes (ISO/IEC 14496-1 §7.2.6.6).
fn decoder_object_type(mut boxes: &[u8]) -> Option<u8> {
    loop {
        let size = usize::try_from(u32::from_be_bytes(*boxes.first_chunk()?)).ok()?;
        let body = boxes.get(8..size)?;
        if boxes.get(4..8)? == b"esds" {
            let mut rest = descriptor(body.get(4..)?, 3)?;
            let flags = *rest.get(2)?;
            rest = rest.get(3..)?;
            if flags & 0x80 != 0 {
                rest = rest.get(2..)?;
            }
            if flags & 0x40 != 0 {
                rest = rest.get(1 + usize::from(*rest.first()?)..)?;
            }
            if flags & 0x20 != 0 {
                rest = rest.get(2..)?;
            }
            return descriptor(rest, 4)?.first().copied();
        }
        boxes = boxes.get(size..)?;
    }
}

/// The contents of the descriptor at the beginning, when it has that tag.
fn descriptor(data: &[u8], tag: u8) -> Option<&[u8]> {
    if *data.first()? != tag {
        return None;
    }
    let last = data.get(1..5.min(data.len()))?.iter().position(|b| b & 0x80 == 0)? + 1;
    data.get(last + 1..)
}
