//! AAC: AudioSpecificConfig, ADTS headers, and a frame of silence (ISO/IEC 14496-3).
//!
//! **Frames cross the hub raw, without ADTS.** With spectral band replication ([`AacParams::sample_rate`] is the
//! output rate) a frame has twice its core's samples, so `frame_samples / sample_rate` is always its duration.

use bytes::Bytes;

use crate::AacParams;
use crate::bitstream::{Bits, BitstreamError};

const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350];

/// Low complexity.
pub const LC: u8 = 2;
/// Spectral band replication ("HE-AAC").
pub const SBR: u8 = 5;
/// Parametric stereo ("HE-AAC v2").
pub const PS: u8 = 29;

/// Reads an AudioSpecificConfig (§1.6.2.1).
pub fn params(asc: &[u8]) -> Result<AacParams, BitstreamError> {
    let mut b = Bits::new(asc, "AAC configuration");
    let mut object_type = object_type(&mut b)?;
    let core_rate = sample_rate(&mut b)?;
    let mut channel_config = b.u8(4)?;
    let mut output_rate = core_rate;
    let signalled = matches!(object_type, SBR | PS).then_some(object_type);
    if signalled.is_some() {
        output_rate = sample_rate(&mut b)?;
        object_type = self::object_type(&mut b)?;
        if object_type == 22 {
            channel_config = b.u8(4)?;
        }
    }
    // GASpecificConfig (§4.4.1) is what these have; speech and lossless coders have others.
    if !matches!(object_type, 1..=4 | 6 | 7 | 17 | 19..=23) {
        return Err(BitstreamError::Unsupported { what: "this kind of MPEG-4 audio" });
    }
    let short = b.bit()?;
    if b.bit()? {
        b.skip(14)?;
    }
    let extension = b.bit()?;
    let channels = match channel_config {
        0 => program_channels(&mut b)?,
        c @ 1..=6 => c,
        7 => 8,
        11 => 7,
        12 | 14 => 8,
        _ => return Err(b.invalid()),
    };
    if extension {
        // Error resilience flags; nothing that matters to us follows them.
        b.align();
    }
    let outer = match signalled {
        Some(t) => t,
        None => trailing_extension(&mut b, core_rate, &mut output_rate).unwrap_or(object_type),
    };
    let core_samples: u16 = match object_type {
        // Low delay: 480 or 512.
        23 if short => 480,
        23 => 512,
        _ if short => 960,
        _ => 1024,
    };
    // With SBR the rates differ by two, or are equal when it runs "down-sampled".
    let doubled = output_rate == core_rate.saturating_mul(2);
    Ok(AacParams {
        config: Bytes::copy_from_slice(asc),
        sample_rate: output_rate,
        channels: if outer == PS { 2 } else { channels },
        frame_samples: if doubled { core_samples * 2 } else { core_samples },
        object_type: outer,
    })
}

/// SBR and PS told behind the configuration, so that old decoders do not see it (§1.6.6.1).
fn trailing_extension(b: &mut Bits<'_>, core_rate: u32, output_rate: &mut u32) -> Option<u8> {
    if b.remaining() < 16 || b.u(11).ok()? != 0x2b7 || object_type(b).ok()? != SBR || !b.bit().ok()? {
        return None;
    }
    let rate = sample_rate(b).ok()?;
    if rate == core_rate || rate == core_rate.saturating_mul(2) {
        *output_rate = rate;
    }
    let ps = b.remaining() >= 12 && b.u(11).ok()? == 0x548 && b.bit().ok()?;
    Some(if ps { PS } else { SBR })
}

fn object_type(b: &mut Bits<'_>) -> Result<u8, BitstreamError> {
    match b.u8(5)? {
        31 => Ok(32 + b.u8(6)?),
        t => Ok(t),
    }
}

fn sample_rate(b: &mut Bits<'_>) -> Result<u32, BitstreamError> {
    let rate = match b.u8(4)? {
        15 => b.u(24)?,
        i => RATES.get(usize::from(i)).copied().unwrap_or(0),
    };
    if (1000..=192_000).contains(&rate) { Ok(rate) } else { Err(b.invalid()) }
}

/// Channels of a program_config_element (§4.5.2.1).
fn program_channels(b: &mut Bits<'_>) -> Result<u8, BitstreamError> {
    b.skip(4 + 2 + 4)?;
    let elements = b.u(4)? + b.u(4)? + b.u(4)?;
    let low_frequency = b.u8(2)?;
    let (data, coupling) = (b.u(3)?, b.u(4)?);
    for bits in [4, 4, 3] {
        if b.bit()? {
            b.skip(bits)?;
        }
    }
    let mut channels = low_frequency;
    for _ in 0..elements {
        channels += if b.bit()? { 2 } else { 1 };
        b.skip(4)?;
    }
    b.skip(u32::from(low_frequency) * 4 + data * 4 + coupling * 5)?;
    if channels == 0 { Err(b.invalid()) } else { Ok(channels) }
}

/// The AudioSpecificConfig of AAC-LC with 1024 samples per frame. `None` over six channels or without a rate.
pub fn lc_config(sample_rate: u32, channels: u8) -> Option<Bytes> {
    if !(1..=6).contains(&channels) || !(1000..=192_000).contains(&sample_rate) {
        return None;
    }
    let tail = u64::from(channels) << 3;
    Some(match RATES.iter().position(|&r| r == sample_rate) {
        Some(i) => {
            let v = u16::from(LC) << 11 | (i as u16) << 7 | tail as u16;
            Bytes::copy_from_slice(&v.to_be_bytes())
        }
        None => {
            // 5 + 4 + 24 + 4 + 3 bits: five bytes.
            let v = u64::from(LC) << 35 | 15 << 31 | u64::from(sample_rate) << 7 | tail;
            Bytes::copy_from_slice(&v.to_be_bytes()[3..])
        }
    })
}

/// An ADTS header (§1.A.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdtsHeader {
    /// 1 to 4; 2 is AAC-LC.
    pub object_type: u8,
    /// Of the core: with implicit SBR the output has twice that.
    pub sample_rate: u32,
    /// 1 to 7; 0 says that it is told inside the frame.
    pub channel_config: u8,
    /// Bytes of the header, checksum included.
    pub header_len: usize,
    /// Bytes of header and frame together, never less than `header_len`.
    pub frame_len: usize,
    /// Raw blocks of 1024 samples behind the header, nearly always 1.
    pub blocks: u8,
}

impl AdtsHeader {
    /// The parameters that a raw frame behind this header needs.
    pub fn params(&self) -> Result<AacParams, BitstreamError> {
        if self.channel_config == 0 {
            return Err(BitstreamError::Unsupported { what: "AAC without a channel configuration" });
        }
        let rate = RATES.iter().position(|&r| r == self.sample_rate).unwrap_or(4) as u16;
        let v = u16::from(self.object_type) << 11 | rate << 7 | u16::from(self.channel_config) << 3;
        params(&v.to_be_bytes())
    }
}

/// Reads the header at the beginning of `data`; at least 7 bytes (9 with a checksum).
pub fn adts_header(data: &[u8]) -> Result<AdtsHeader, BitstreamError> {
    let mut b = Bits::new(data, "ADTS header");
    // Syncword, then the layer, which is always 0; the MPEG version between them does not matter.
    if b.u(12)? != 0xfff || b.u(3)? & 3 != 0 {
        return Err(b.invalid());
    }
    let without_checksum = b.bit()?;
    let object_type = b.u8(2)? + 1;
    let rate = usize::from(b.u8(4)?);
    b.skip(1)?;
    let channel_config = b.u8(3)?;
    b.skip(4)?;
    let frame_len = b.u(13)? as usize;
    b.skip(11)?;
    let blocks = b.u8(2)? + 1;
    let header_len = if without_checksum { 7 } else { 9 };
    let sample_rate = *RATES.get(rate).ok_or(b.invalid())?;
    if frame_len < header_len {
        return Err(b.invalid());
    }
    Ok(AdtsHeader { object_type, sample_rate, channel_config, header_len, frame_len, blocks })
}

/// A raw AAC-LC frame of digital silence, for 1 or 2 channels and any sampling rate: it codes no band at all.
pub fn silent_frame(channels: u8) -> Option<&'static [u8]> {
    match channels {
        1 => Some(&[0x01, 0x18, 0x20, 0x07]),
        2 => Some(&[0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c]),
        _ => None,
    }
}
