//! H.265: parameter sets and key frames (ITU-T H.265).
//!
//! Only what decides about size, pace and order is read, up to the timing in the VUI; **size and order never depend
//! on the parts of the SPS behind them**, in which cameras are careless.

use std::fmt::Write;

use bytes::Bytes;

use crate::bitstream::{Bits, BitstreamError};
use crate::nal::trim_zeros;
use crate::{H265Params, VideoInfo, nal};

/// Video parameter set.
pub const VPS: u8 = 32;
/// Sequence parameter set.
pub const SPS: u8 = 33;
/// Picture parameter set.
pub const PPS: u8 = 34;
/// Access unit delimiter.
pub const AUD: u8 = 35;
/// Supplemental enhancement information before the picture.
pub const SEI_PREFIX: u8 = 39;

const MAX_PPS: usize = 64;
/// Pictures over this edge length are a mistake, not a camera (level 6.2 ends at 16,888).
const MAX_EDGE: u32 = 32_768;

/// `nal_unit_type` of a NAL unit's first byte (§7.3.1.2).
pub fn nal_type(first: u8) -> u8 {
    first >> 1 & 0x3f
}

/// Reads the parameter sets (no start codes, no lengths). VPS and PPS are kept as they are.
pub fn params(vps: &[u8], sps: &[u8], pps: &[&[u8]]) -> Result<H265Params, BitstreamError> {
    let (vps, sps) = (trim_zeros(vps), trim_zeros(sps));
    if vps.len() < 3 || nal_type(vps[0]) != VPS {
        return Err(BitstreamError::Invalid { what: "H.265 video parameter set" });
    }
    if sps.len() < 3 || nal_type(sps[0]) != SPS {
        return Err(BitstreamError::Invalid { what: "H.265 sequence parameter set" });
    }
    let pps: Vec<Bytes> = pps
        .iter()
        .map(|p| trim_zeros(p))
        .filter(|p| p.len() > 2 && nal_type(p[0]) == PPS)
        .take(MAX_PPS)
        .map(Bytes::copy_from_slice)
        .collect();
    if pps.is_empty() {
        return Err(BitstreamError::Invalid { what: "H.265 picture parameter set" });
    }
    let facts = Sps::parse(&sps[2..])?;
    let fps = facts.fps.or_else(|| vps_fps(&vps[2..]).ok().flatten());
    let video = VideoInfo {
        width: facts.width,
        height: facts.height,
        fps,
        reorder_depth: facts.reorder_depth,
        rfc6381: facts.profile.rfc6381(),
    };
    Ok(H265Params { vps: Bytes::copy_from_slice(vps), sps: Bytes::copy_from_slice(sps), pps, video })
}

/// Facts that the `hvcC` box repeats from the SPS (ISO/IEC 14496-15 §8.3.3.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Sps {
    /// Profile, tier and level.
    pub profile: Profile,
    /// `chroma_format_idc`; 1 is 4:2:0.
    pub chroma_format: u8,
    /// Bits of a luma sample.
    pub bit_depth_luma: u8,
    /// Bits of a chroma sample.
    pub bit_depth_chroma: u8,
    /// 1 to 7.
    pub temporal_layers: u8,
    /// `sps_temporal_id_nesting_flag`.
    pub temporal_id_nested: bool,
    /// After cropping.
    pub width: u32,
    /// After cropping.
    pub height: u32,
    /// `sps_max_num_reorder_pics` of the highest sub-layer.
    pub reorder_depth: u8,
    /// From the VUI.
    pub fps: Option<f64>,
}

/// `general_…` of profile_tier_level (§7.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// 0 to 3.
    pub space: u8,
    /// High tier.
    pub high_tier: bool,
    /// 1 is Main, 2 Main 10.
    pub idc: u8,
    /// Bit 31 is flag 0.
    pub compatibility: u32,
    /// Six bytes of constraint flags.
    pub constraints: [u8; 6],
    /// 30 times the level.
    pub level: u8,
}

impl Profile {
    /// The `codecs` parameter for parameter sets out of band (ISO/IEC 14496-15 annex E.3).
    pub fn rfc6381(&self) -> String {
        let space = ["", "A", "B", "C"][usize::from(self.space & 3)];
        let tier = if self.high_tier { 'H' } else { 'L' };
        let mut s = format!("hvc1.{space}{}.{:X}.{tier}{}", self.idc, self.compatibility.reverse_bits(), self.level);
        let used = self.constraints.iter().rposition(|&b| b != 0).map_or(0, |i| i + 1);
        for byte in &self.constraints[..used] {
            // Writing to a string cannot fail.
            let _ = write!(s, ".{byte:X}");
        }
        s
    }

    /// Reads profile_tier_level and skips what it says of sub-layers.
    fn read(b: &mut Bits<'_>, max_sub_layers_minus1: u8) -> Result<Self, BitstreamError> {
        let space = b.u8(2)?;
        let high_tier = b.bit()?;
        let idc = b.u8(5)?;
        let compatibility = b.u(32)?;
        let mut constraints = [0; 6];
        for byte in &mut constraints {
            *byte = b.u8(8)?;
        }
        let level = b.u8(8)?;
        let mut present = [(false, false); 7];
        for slot in present.iter_mut().take(usize::from(max_sub_layers_minus1)) {
            *slot = (b.bit()?, b.bit()?);
        }
        if max_sub_layers_minus1 > 0 {
            for _ in max_sub_layers_minus1..8 {
                b.skip(2)?;
            }
        }
        for (profile, level) in present {
            b.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 })?;
        }
        Ok(Self { space, high_tier, idc, compatibility, constraints, level })
    }
}

impl Sps {
    /// Reads an SPS without its two header bytes.
    pub fn parse(payload: &[u8]) -> Result<Self, BitstreamError> {
        let mut b = Bits::of_nal(payload, "H.265 sequence parameter set");
        b.skip(4)?;
        let max_sub_layers_minus1 = b.u8(3)?;
        if max_sub_layers_minus1 > 6 {
            return Err(b.invalid());
        }
        let temporal_id_nested = b.bit()?;
        let profile = Profile::read(&mut b, max_sub_layers_minus1)?;
        b.ue_max(15)?;
        let chroma_format = b.ue_max(3)? as u8;
        let separate_planes = chroma_format == 3 && b.bit()?;
        let (coded_width, coded_height) = (b.ue_max(MAX_EDGE)?, b.ue_max(MAX_EDGE)?);
        let (sub_width, sub_height) = match chroma_format {
            1 if !separate_planes => (2, 2),
            2 if !separate_planes => (2, 1),
            _ => (1, 1),
        };
        let mut crop = [0u32; 4];
        if b.bit()? {
            for c in &mut crop {
                *c = b.ue_max(MAX_EDGE)?;
            }
        }
        let [left, right, top, bottom] = crop;
        let width = coded_width.checked_sub((left + right) * sub_width).filter(|&w| w > 0);
        let height = coded_height.checked_sub((top + bottom) * sub_height).filter(|&h| h > 0);
        let (Some(width), Some(height)) = (width, height) else {
            return Err(BitstreamError::Invalid { what: "H.265 picture size" });
        };
        let bit_depth_luma = b.ue_max(8)? as u8 + 8;
        let bit_depth_chroma = b.ue_max(8)? as u8 + 8;
        let log2_max_poc_lsb = b.ue_max(12)? + 4;
        let all_layers = b.bit()?;
        let mut reorder_depth = 0;
        for _ in if all_layers { 0 } else { max_sub_layers_minus1 }..=max_sub_layers_minus1 {
            b.ue()?;
            reorder_depth = b.ue_max(16)? as u8;
            b.ue()?;
        }
        let mut sps = Self {
            profile,
            chroma_format,
            bit_depth_luma,
            bit_depth_chroma,
            temporal_layers: max_sub_layers_minus1 + 1,
            temporal_id_nested,
            width,
            height,
            reorder_depth,
            fps: None,
        };
        sps.fps = fps_behind(&mut b, log2_max_poc_lsb).unwrap_or(None);
        Ok(sps)
    }
}

/// Everything between the sub-layer ordering and the VUI timing (§7.3.2.2.1).
fn fps_behind(b: &mut Bits<'_>, log2_max_poc_lsb: u32) -> Result<Option<f64>, BitstreamError> {
    for _ in 0..6 {
        b.ue()?;
    }
    if b.bit()? && b.bit()? {
        skip_scaling_lists(b)?;
    }
    b.skip(2)?;
    if b.bit()? {
        b.skip(8)?;
        b.ue()?;
        b.ue()?;
        b.skip(1)?;
    }
    skip_short_term_sets(b)?;
    if b.bit()? {
        for _ in 0..b.ue_max(32)? {
            b.skip(log2_max_poc_lsb + 1)?;
        }
    }
    b.skip(2)?;
    if !b.bit()? {
        return Ok(None);
    }
    if b.bit()? && b.u(8)? == 255 {
        b.skip(32)?;
    }
    if b.bit()? {
        b.skip(1)?;
    }
    if b.bit()? {
        b.skip(4)?;
        if b.bit()? {
            b.skip(24)?;
        }
    }
    if b.bit()? {
        b.ue()?;
        b.ue()?;
    }
    b.skip(3)?;
    if b.bit()? {
        for _ in 0..4 {
            b.ue()?;
        }
    }
    timing(b)
}

/// `…_timing_info_present_flag` and what follows it. One tick is one picture here, unlike in H.264 (§E.3.1).
fn timing(b: &mut Bits<'_>) -> Result<Option<f64>, BitstreamError> {
    if !b.bit()? {
        return Ok(None);
    }
    let (ticks, scale) = (b.u(32)?, b.u(32)?);
    Ok((ticks > 0 && scale > 0).then(|| f64::from(scale) / f64::from(ticks)))
}

fn skip_scaling_lists(b: &mut Bits<'_>) -> Result<(), BitstreamError> {
    for size in 0..4u32 {
        // 32 × 32 has lists for luma only (§7.3.4).
        let step = if size == 3 { 3 } else { 1 };
        for _ in (0..6).step_by(step) {
            if b.bit()? {
                if size > 1 {
                    b.ue()?;
                }
                for _ in 0..64.min(1u32 << (4 + 2 * size)) {
                    b.ue()?;
                }
            } else {
                b.ue()?;
            }
        }
    }
    Ok(())
}

fn skip_short_term_sets(b: &mut Bits<'_>) -> Result<(), BitstreamError> {
    let sets = b.ue_max(64)?;
    let mut previous = 0u32;
    for i in 0..sets {
        previous = if i > 0 && b.bit()? {
            b.skip(1)?;
            b.ue()?;
            let mut kept = 0;
            for _ in 0..=previous {
                let used = b.bit()?;
                if used || b.bit()? {
                    kept += 1;
                }
            }
            kept
        } else {
            let pictures = b.ue_max(16)? + b.ue_max(16)?;
            for _ in 0..pictures {
                b.ue()?;
                b.skip(1)?;
            }
            pictures
        };
        if previous > 32 {
            return Err(b.invalid());
        }
    }
    Ok(())
}

/// The picture rate in the VPS, where some cameras have it alone.
fn vps_fps(payload: &[u8]) -> Result<Option<f64>, BitstreamError> {
    let mut b = Bits::of_nal(payload, "H.265 video parameter set");
    b.skip(12)?;
    let max_sub_layers_minus1 = b.u8(3)?;
    if max_sub_layers_minus1 > 6 {
        return Err(b.invalid());
    }
    b.skip(17)?;
    Profile::read(&mut b, max_sub_layers_minus1)?;
    let all_layers = b.bit()?;
    for _ in if all_layers { 0 } else { max_sub_layers_minus1 }..=max_sub_layers_minus1 {
        for _ in 0..3 {
            b.ue()?;
        }
    }
    let max_layer_id = b.u(6)?;
    for _ in 0..b.ue_max(1023)? {
        b.skip(max_layer_id + 1)?;
    }
    timing(&mut b)
}

/// Whether a decoder can start at this access unit (length-prefixed NAL units): its pictures are IRAP pictures, that
/// is BLA, IDR or CRA (§7.4.2.2, types 16 to 21).
pub fn is_key(au: &[u8]) -> bool {
    nal::units(au)
        .filter_map(|n| n.first().map(|&b| nal_type(b)))
        .find(|&t| t < VPS)
        .is_some_and(|t| (16..=21).contains(&t))
}

/// VPS, SPS, and all PPS.
pub type ParameterSets<'a> = (&'a [u8], &'a [u8], Vec<&'a [u8]>);

/// VPS, SPS and PPS inside an access unit (length-prefixed), when it has all three.
pub fn params_in(au: &[u8]) -> Option<ParameterSets<'_>> {
    let (mut vps, mut sps, mut pps) = (None, None, Vec::new());
    for nal in nal::units(au) {
        match nal.first().map(|&b| nal_type(b)) {
            Some(VPS) => vps = Some(nal),
            Some(SPS) => sps = Some(nal),
            Some(PPS) if pps.len() < MAX_PPS => pps.push(nal),
            Some(0..VPS) => break,
            _ => {}
        }
    }
    match (vps, sps) {
        (Some(vps), Some(sps)) if !pps.is_empty() => Some((vps, sps, pps)),
        _ => None,
    }
}
