//! H.264: parameter sets and key frames (ITU-T H.264).
//!
//! Pictures are never decoded here. **What makes a key frame is read from the NAL units themselves**, whatever the
//! container or camera claims.

mod lenient;

use bytes::Bytes;
use h264_reader::nal::sps::{ChromaFormat, FrameMbsFlags, PicOrderCntType, SeqParameterSet};
use h264_reader::rbsp::{BitReader, ByteReader};

use crate::bitstream::{Bits, BitstreamError};
use crate::nal::trim_zeros;
use crate::{H264Params, VideoInfo, nal};

/// Slice of a picture that is not a random access point.
pub const SLICE: u8 = 1;
/// Slice of an IDR picture.
pub const IDR: u8 = 5;
/// Supplemental enhancement information.
pub const SEI: u8 = 6;
/// Sequence parameter set.
pub const SPS: u8 = 7;
/// Picture parameter set.
pub const PPS: u8 = 8;
/// Access unit delimiter.
pub const AUD: u8 = 9;

/// More parameter sets than this in one access unit are ignored.
const MAX_PPS: usize = 256;
/// Pictures over this edge length are a mistake, not a camera (level 6.2 ends at 16,880).
const MAX_EDGE: u32 = 32_768;

/// `nal_unit_type` of a NAL unit's first byte (§7.4.1).
pub fn nal_type(first: u8) -> u8 {
    first & 0x1f
}

/// Reads the parameter sets (no start codes, no lengths). The SPS is understood, the PPS are kept as they are.
pub fn params(sps: &[u8], pps: &[&[u8]]) -> Result<H264Params, BitstreamError> {
    let sps = trim_zeros(sps);
    let video = video_info(sps)?;
    let pps: Vec<Bytes> = pps
        .iter()
        .map(|p| trim_zeros(p))
        .filter(|p| p.len() > 1 && nal_type(p[0]) == PPS)
        .take(MAX_PPS)
        .map(Bytes::copy_from_slice)
        .collect();
    if pps.is_empty() {
        return Err(BitstreamError::Invalid { what: "H.264 picture parameter set" });
    }
    Ok(H264Params { sps: Bytes::copy_from_slice(sps), pps, video })
}

fn read(nal: &[u8]) -> Option<SeqParameterSet> {
    let bits = BitReader::new(ByteReader::skipping_h264_header(nal));
    SeqParameterSet::from_bits(lenient::Lenient::new(bits)).ok()
}

fn video_info(nal: &[u8]) -> Result<VideoInfo, BitstreamError> {
    const WHAT: &str = "H.264 sequence parameter set";
    let (Some(&[header, profile, constraints, level]), true) = (nal.first_chunk::<4>(), nal.len() <= 4096) else {
        return Err(BitstreamError::Truncated { what: WHAT });
    };
    if nal_type(header) != SPS {
        return Err(BitstreamError::Invalid { what: WHAT });
    }
    let sps = read(nal).ok_or(BitstreamError::Invalid { what: WHAT })?;
    let (width, height) = sps.pixel_dimensions().map_err(|_| BitstreamError::Invalid { what: WHAT })?;
    if width == 0 || height == 0 || width > MAX_EDGE || height > MAX_EDGE {
        return Err(BitstreamError::Invalid { what: "H.264 picture size" });
    }
    // A frame is two ticks long, whether it is coded as fields or not (§E.2.1, num_units_in_tick).
    let timing = sps.vui_parameters.as_ref().and_then(|v| v.timing_info.as_ref());
    let fps = timing
        .filter(|t| t.num_units_in_tick > 0 && t.time_scale > 0)
        .map(|t| f64::from(t.time_scale) / (2.0 * f64::from(t.num_units_in_tick)));
    Ok(VideoInfo {
        width,
        height,
        fps,
        reorder_depth: reorder_depth(&sps, profile, constraints),
        rfc6381: format!("avc1.{profile:02x}{constraints:02x}{level:02x}"),
    })
}

/// `max_num_reorder_frames`, or what stands in for it.
fn reorder_depth(sps: &SeqParameterSet, profile: u8, constraints: u8) -> u8 {
    let level = sps.level_idc;
    // Baseline has no B slices; with type 2 output order is decoding order (§8.2.1.3).
    if profile == 66 || matches!(sps.pic_order_cnt, PicOrderCntType::TypeTwo) {
        return 0;
    }
    if let Some(r) = sps.vui_parameters.as_ref().and_then(|v| v.bitstream_restrictions.as_ref()) {
        return u8::try_from(r.max_num_reorder_frames.min(16)).unwrap_or(16);
    }
    // Intra-only profiles (§A.2.8 to §A.2.11) and what the standard infers for them (§E.2.1).
    if constraints & 0x10 != 0 && matches!(profile, 44 | 86 | 100 | 110 | 122 | 244) {
        return 0;
    }
    // With one reference frame there is nothing to predict from on both sides: cameras that leave the restriction
    // out nearly always are of this kind, and need no decode times earlier than their presentation times.
    if sps.max_num_ref_frames <= 1 {
        return 0;
    }
    let frames = max_dpb_frames(sps, level, constraints);
    u8::try_from(sps.max_num_ref_frames.min(frames).min(16)).unwrap_or(16)
}

/// MaxDpbFrames (§A.3.1 item h, Table A-1).
fn max_dpb_frames(sps: &SeqParameterSet, level: u8, constraints: u8) -> u32 {
    let max_dpb_mbs: u64 = match level {
        10 | 9 => 396,
        11 if constraints & 0x10 != 0 && matches!(sps.profile_idc.into(), 66u8 | 77 | 88) => 396,
        11 => 900,
        12 | 13 | 20 => 2376,
        21 => 4752,
        22 | 30 => 8100,
        31 => 18_000,
        32 => 20_480,
        40 | 41 => 32_768,
        42 => 34_816,
        50 => 110_400,
        51 | 52 => 184_320,
        60..=62 => 696_320,
        _ => return 16,
    };
    let fields = if matches!(sps.frame_mbs_flags, FrameMbsFlags::Frames) { 1 } else { 2 };
    let frame_mbs = u64::from(sps.pic_width_in_mbs()) * u64::from(sps.pic_height_in_map_units()) * fields;
    u32::try_from((max_dpb_mbs / frame_mbs.max(1)).clamp(1, 16)).unwrap_or(16)
}

/// Whether the pictures are 8 bit 4:2:0 frames, which is all that the in-process decoder knows.
pub fn is_plain_420(sps: &[u8]) -> bool {
    read(trim_zeros(sps)).is_some_and(|s| {
        s.chroma_info.chroma_format == ChromaFormat::YUV420
            && s.chroma_info.bit_depth_luma_minus8 == 0
            && s.chroma_info.bit_depth_chroma_minus8 == 0
            && matches!(s.frame_mbs_flags, FrameMbsFlags::Frames)
    })
}

/// Whether a decoder can start at this access unit (length-prefixed NAL units): an IDR picture, or an I picture that
/// a recovery point of distance 0 announces (§D.2.8).
pub fn is_key(au: &[u8]) -> bool {
    let mut recovery = false;
    for nal in nal::units(au) {
        let Some((&first, payload)) = nal.split_first() else { continue };
        match nal_type(first) {
            IDR => return true,
            SEI => recovery |= has_recovery_point(payload).unwrap_or(false),
            // Only the first slice is looked at: a mixed picture would have to lie in its recovery point too.
            SLICE => return recovery && is_intra_slice(payload).unwrap_or(false),
            2..=4 => return false,
            _ => {}
        }
    }
    false
}

fn has_recovery_point(sei: &[u8]) -> Result<bool, BitstreamError> {
    let mut b = Bits::of_nal(sei, "H.264 supplemental information");
    while b.remaining() >= 24 {
        let kind = ff_coded(&mut b)?;
        let size = ff_coded(&mut b)?;
        if kind == 6 {
            return Ok(b.ue()? == 0);
        }
        b.skip(size.saturating_mul(8))?;
    }
    Ok(false)
}

/// A number as a run of 0xff and a last byte (§7.3.2.3.1).
fn ff_coded(b: &mut Bits<'_>) -> Result<u32, BitstreamError> {
    let mut value = 0u32;
    loop {
        let byte = b.u(8)?;
        value = value.saturating_add(byte);
        if byte != 0xff {
            return Ok(value);
        }
    }
}

fn is_intra_slice(payload: &[u8]) -> Result<bool, BitstreamError> {
    let mut b = Bits::of_nal(payload, "H.264 slice header");
    let _first_mb = b.ue()?;
    Ok(matches!(b.ue()?, 2 | 7))
}

/// The parameter sets inside an access unit (length-prefixed), when it has an SPS and at least one PPS.
pub fn params_in(au: &[u8]) -> Option<(&[u8], Vec<&[u8]>)> {
    let mut sps = None;
    let mut pps = Vec::new();
    for nal in nal::units(au) {
        match nal.first().map(|&b| nal_type(b)) {
            Some(SPS) => sps = Some(nal),
            Some(PPS) if pps.len() < MAX_PPS => pps.push(nal),
            Some(SLICE..=IDR) => break,
            _ => {}
        }
    }
    sps.filter(|_| !pps.is_empty()).map(|sps| (sps, pps))
}
