//! Sound: AAC (RFC 3640 §3.2, §3.3.5–3.3.6; RFC 6416 §6 for LATM), and formats with one unit per packet.
//!
//! A missing packet costs the frame that it was part of and nothing else.

use bytes::Bytes;

use super::{Fault, Out, Packet};
use crate::aac;
use crate::bitstream::Bits;

/// Frames in one packet; real ones hold up to 15.
const MAX_FRAMES: u32 = 256;
/// Bytes of one frame, or of one LATM element.
const MAX_FRAME_BYTES: usize = 64 << 10;

/// How RFC 3640 packets of one track are built (§4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AacLayout {
    /// Bits of a frame's size; with [`Self::index_length`] 0, too, every frame is [`Self::constant_size`] long.
    pub size_length: u8,
    /// Bits of the first frame's index.
    pub index_length: u8,
    /// Bits of the later frames' distance.
    pub index_delta_length: u8,
    /// Bytes of every frame when sizes are not sent.
    pub constant_size: u16,
    /// Ticks from one frame to the next.
    pub frame_ticks: u32,
}

/// AAC in the manner of RFC 3640.
#[derive(Debug)]
pub(super) struct Aac {
    layout: AacLayout,
    partial: Vec<u8>,
    /// Bytes that the fragments should add up to.
    wanted: usize,
    timestamp: u32,
}

impl Aac {
    pub(super) fn new(layout: AacLayout) -> Self {
        Self { layout, partial: Vec::new(), wanted: 0, timestamp: 0 }
    }

    pub(super) fn held(&self) -> usize {
        self.partial.len()
    }

    pub(super) fn push(&mut self, p: &Packet<'_>, lost: bool, out: &mut Out) -> Result<(), Fault> {
        if lost && !self.partial.is_empty() {
            self.partial.clear();
            out.damaged();
        }
        let result = self.frames(p, out);
        if result.is_err() {
            self.partial.clear();
        }
        result
    }

    fn frames(&mut self, p: &Packet<'_>, out: &mut Out) -> Result<(), Fault> {
        let l = self.layout;
        let cut = Fault::Malformed("an AAC packet that is cut off");
        if p.payload.is_empty() {
            return Ok(());
        }
        if l.size_length == 0 {
            let frames = p.payload.chunks_exact(usize::from(l.constant_size.max(1))).take(MAX_FRAMES as usize);
            for (i, frame) in (0u32..).zip(frames) {
                self.whole(p.timestamp, i, frame, out);
            }
            return Ok(());
        }
        let (bits, rest) = p.payload.split_first_chunk::<2>().ok_or(cut)?;
        let bits = u32::from(u16::from_be_bytes(*bits));
        let (headers, mut data) = rest.split_at_checked(bits.div_ceil(8) as usize).ok_or(cut)?;
        let first = u32::from(l.size_length) + u32::from(l.index_length);
        let other = u32::from(l.size_length) + u32::from(l.index_delta_length);
        let count = bits.checked_sub(first).map_or(0, |more| 1 + more / other);
        if count == 0 || count > MAX_FRAMES {
            return Err(Fault::Malformed("an AAC packet with too few or too many frames"));
        }
        let mut headers = Bits::new(headers, "AAC frame header");
        for i in 0..count {
            let size = headers.u(u32::from(l.size_length)).map_err(|_| cut)? as usize;
            let delta = if i == 0 { l.index_length } else { l.index_delta_length };
            let delta = headers.u(u32::from(delta)).map_err(|_| cut)?;
            if i > 0 && delta != 0 {
                return Err(Fault::Malformed("interleaved AAC frames, which are not read"));
            }
            if size > data.len() {
                return if count == 1 { self.fragment(p, size, data, out) } else { Err(cut) };
            }
            let (frame, behind) = data.split_at(size);
            self.whole(p.timestamp, i, frame, out);
            data = behind;
        }
        Ok(())
    }

    fn whole(&mut self, timestamp: u32, i: u32, frame: &[u8], out: &mut Out) {
        if !self.partial.is_empty() {
            self.partial.clear();
            out.damaged();
        }
        let frame = without_adts(frame);
        if !frame.is_empty() {
            let timestamp = timestamp.wrapping_add(i.wrapping_mul(self.layout.frame_ticks));
            out.unit(timestamp, Bytes::copy_from_slice(frame), false);
        }
    }

    /// A piece of a frame; each says how large the whole is.
    fn fragment(&mut self, p: &Packet<'_>, size: usize, data: &[u8], out: &mut Out) -> Result<(), Fault> {
        if size > MAX_FRAME_BYTES {
            return Err(Fault::Malformed("an AAC frame larger than 64 KiB"));
        }
        if !self.partial.is_empty() && (self.timestamp, self.wanted) != (p.timestamp, size) {
            self.partial.clear();
            out.damaged();
        }
        (self.timestamp, self.wanted) = (p.timestamp, size);
        self.partial.extend_from_slice(data);
        if self.partial.len() > size {
            return Err(Fault::Malformed("an AAC frame longer than it says"));
        }
        if self.partial.len() == size {
            let whole = std::mem::take(&mut self.partial);
            self.whole(p.timestamp, 0, &whole, out);
        } else if p.marker {
            // The last piece, and it is not whole: the beginning was before our time.
            self.partial.clear();
            return Err(Fault::Incomplete);
        }
        Ok(())
    }
}

/// Some cameras leave the ADTS header on.
fn without_adts(frame: &[u8]) -> &[u8] {
    match aac::adts_header(frame) {
        Ok(h) if h.frame_len == frame.len() && h.blocks == 1 => &frame[h.header_len..],
        _ => frame,
    }
}

/// AAC in LATM elements whose configuration came with the session description.
#[derive(Debug)]
pub(super) struct Latm {
    /// Frames in an element.
    subframes: u8,
    frame_ticks: u32,
    partial: Vec<u8>,
    timestamp: u32,
    /// An element's beginning may be missing: nothing is read up to the next marker.
    doubtful: bool,
}

impl Latm {
    pub(super) fn new(subframes: u8, frame_ticks: u32) -> Self {
        Self { subframes: subframes.max(1), frame_ticks, partial: Vec::new(), timestamp: 0, doubtful: true }
    }

    pub(super) fn held(&self) -> usize {
        self.partial.len()
    }

    pub(super) fn push(&mut self, p: &Packet<'_>, lost: bool, out: &mut Out) -> Result<(), Fault> {
        if lost || (!self.partial.is_empty() && p.timestamp != self.timestamp) {
            if !self.partial.is_empty() {
                self.partial.clear();
                out.damaged();
            }
            self.doubtful = lost;
        }
        if self.doubtful {
            self.doubtful = !p.marker;
            return Ok(());
        }
        if p.payload.len() + self.partial.len() > MAX_FRAME_BYTES {
            self.partial.clear();
            self.doubtful = !p.marker;
            return Err(Fault::Malformed("a LATM element larger than 64 KiB"));
        }
        self.timestamp = p.timestamp;
        if !p.marker {
            self.partial.extend_from_slice(p.payload);
            return Ok(());
        }
        let mut whole = std::mem::take(&mut self.partial);
        let element = if whole.is_empty() {
            p.payload
        } else {
            whole.extend_from_slice(p.payload);
            &whole
        };
        self.element(element, out)
    }

    /// ISO/IEC 14496-3 table 1.44: the sizes are runs of 255 with a last byte below.
    fn element(&self, mut rest: &[u8], out: &mut Out) -> Result<(), Fault> {
        for i in 0..u32::from(self.subframes) {
            let mut size = 0usize;
            loop {
                let (byte, tail) = rest.split_first().ok_or(Fault::Malformed("a LATM element that is cut off"))?;
                rest = tail;
                size += usize::from(*byte);
                if *byte != 255 {
                    break;
                }
            }
            let (frame, tail) =
                rest.split_at_checked(size).ok_or(Fault::Malformed("a LATM element that is cut off"))?;
            rest = tail;
            if !frame.is_empty() {
                let timestamp = self.timestamp.wrapping_add(i.wrapping_mul(self.frame_ticks));
                out.unit(timestamp, Bytes::copy_from_slice(frame), false);
            }
        }
        Ok(())
    }
}
