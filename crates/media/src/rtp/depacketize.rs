//! The way back: access units from packets of our own payload formats, for round trips in tests, fuzzing and benches.
//!
//! Strict about order, **never trusts a length**, and makes no attempt to repair loss: a unit with a missing packet is
//! an error. Sources have their own depacketiser with a camera's habits in mind.

use bytes::{BufMut, Bytes, BytesMut};

use super::jpeg_tables::STANDARD;
use super::{RTP_HEADER, RtpError};
use crate::Codec;

/// Largest unit that is put together.
const MAX_UNIT_BYTES: usize = 16 << 20;

/// One unit, as it was before it was packetised (parameter sets that were prepended included).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depacketized {
    /// The RTP timestamp.
    pub timestamp: u32,
    /// In the form of [`crate::AccessUnit::data`].
    pub data: Bytes,
}

/// Puts units together from packets in order.
#[derive(Debug)]
pub struct Depacketizer {
    codec: Codec,
    out: BytesMut,
    /// Start of the NAL unit that fragments are being collected for.
    fragment: Option<usize>,
    next_seq: Option<u16>,
    timestamp: u32,
    /// Size that the fragments of an AAC frame should add up to.
    wanted: usize,
}

impl Depacketizer {
    /// For packets of that codec.
    pub fn new(codec: Codec) -> Self {
        Self { codec, out: BytesMut::new(), fragment: None, next_seq: None, timestamp: 0, wanted: 0 }
    }

    /// Takes one RTP packet; returns the unit that it completes.
    pub fn push(&mut self, packet: &[u8]) -> Result<Option<Depacketized>, RtpError> {
        let result = self.take(packet);
        if result.is_err() || self.out.len() > MAX_UNIT_BYTES {
            self.out.clear();
            self.fragment = None;
        }
        result
    }

    fn take(&mut self, packet: &[u8]) -> Result<Option<Depacketized>, RtpError> {
        let bad = RtpError::Malformed;
        let (h, payload) = packet.split_first_chunk::<RTP_HEADER>().ok_or(bad("shorter than an RTP header"))?;
        if h[0] != 0x80 {
            return Err(bad("padding, extensions or contributing sources are not ours"));
        }
        let marker = h[1] & 0x80 != 0;
        let seq = u16::from_be_bytes([h[2], h[3]]);
        let timestamp = u32::from_be_bytes([h[4], h[5], h[6], h[7]]);
        if self.next_seq.replace(seq.wrapping_add(1)).is_some_and(|n| n != seq) {
            return Err(bad("a packet is missing"));
        }
        if !self.out.is_empty() && timestamp != self.timestamp {
            return Err(bad("a unit without an end"));
        }
        self.timestamp = timestamp;
        let complete = match &self.codec {
            Codec::H264(_) => self.h264(payload)? && marker,
            Codec::H265(_) => self.h265(payload)? && marker,
            Codec::Jpeg(_) => {
                self.jpeg(payload)?;
                marker
            }
            Codec::Aac(_) => self.aac(payload)?,
            Codec::G711(_) | Codec::Opus(_) => {
                self.out.put_slice(payload);
                true
            }
        };
        if !complete {
            return Ok(None);
        }
        if self.fragment.is_some() {
            return Err(bad("the last fragment is missing"));
        }
        Ok(Some(Depacketized { timestamp, data: self.out.split().freeze() }))
    }

    fn nal(&mut self, nal: &[u8]) {
        self.out.put_u32(u32::try_from(nal.len()).unwrap_or(0));
        self.out.put_slice(nal);
    }

    fn aggregate(&mut self, mut rest: &[u8]) -> Result<bool, RtpError> {
        while !rest.is_empty() {
            let (len, tail) = rest.split_first_chunk::<2>().ok_or(RtpError::Malformed("a cut-off aggregate"))?;
            let len = usize::from(u16::from_be_bytes(*len));
            let (nal, tail) = tail.split_at_checked(len).ok_or(RtpError::Malformed("a cut-off aggregate"))?;
            self.nal(nal);
            rest = tail;
        }
        Ok(true)
    }

    fn fragment(&mut self, flags: u8, header: &[u8], body: &[u8]) -> Result<bool, RtpError> {
        let (first, last) = (flags & 0x80 != 0, flags & 0x40 != 0);
        match (first, self.fragment) {
            (true, None) => {
                self.fragment = Some(self.out.len());
                self.out.put_u32(0);
                self.out.put_slice(header);
            }
            (false, Some(_)) => {}
            _ => return Err(RtpError::Malformed("a fragment out of place")),
        }
        self.out.put_slice(body);
        if last && let Some(start) = self.fragment.take() {
            let len = u32::try_from(self.out.len() - start - 4).unwrap_or(0);
            self.out[start..start + 4].copy_from_slice(&len.to_be_bytes());
        }
        Ok(last)
    }

    fn h264(&mut self, p: &[u8]) -> Result<bool, RtpError> {
        match p {
            [24, rest @ ..] | [0x20..=0x7f, rest @ ..] if p[0] & 0x1f == 24 => self.aggregate(rest),
            [indicator, flags, body @ ..] if indicator & 0x1f == 28 => {
                self.fragment(*flags, &[indicator & 0x60 | flags & 0x1f], body)
            }
            [header, ..] if matches!(header & 0x1f, 1..=23) => {
                self.nal(p);
                Ok(true)
            }
            _ => Err(RtpError::Malformed("not a payload of RFC 6184 mode 1")),
        }
    }

    fn h265(&mut self, p: &[u8]) -> Result<bool, RtpError> {
        let [h0, h1, rest @ ..] = p else { return Err(RtpError::Malformed("shorter than a NAL header")) };
        match (h0 >> 1 & 0x3f, rest) {
            (48, rest) => self.aggregate(rest),
            (49, [flags, body @ ..]) => self.fragment(*flags, &[h0 & 0x81 | (flags & 0x3f) << 1, *h1], body),
            (0..=47, _) => {
                self.nal(p);
                Ok(true)
            }
            _ => Err(RtpError::Malformed("not a payload of RFC 7798")),
        }
    }

    fn aac(&mut self, p: &[u8]) -> Result<bool, RtpError> {
        let [0, 16, s1, s0, body @ ..] = p else { return Err(RtpError::Malformed("not one AAC-hbr unit")) };
        self.wanted = usize::from(u16::from_be_bytes([*s1, *s0]) >> 3);
        self.out.put_slice(body);
        match self.out.len().cmp(&self.wanted) {
            std::cmp::Ordering::Less => Ok(false),
            std::cmp::Ordering::Equal => Ok(true),
            std::cmp::Ordering::Greater => Err(RtpError::Malformed("an AAC frame longer than it says")),
        }
    }

    fn jpeg(&mut self, p: &[u8]) -> Result<(), RtpError> {
        let cut = RtpError::Malformed("a cut-off JPEG packet");
        let (h, mut rest) = p.split_first_chunk::<8>().ok_or(cut.clone())?;
        let offset = u32::from_be_bytes([0, h[1], h[2], h[3]]);
        let restart = if h[4] >= 64 {
            let (r, tail) = rest.split_first_chunk::<4>().ok_or(cut.clone())?;
            rest = tail;
            Some([r[0], r[1]])
        } else {
            None
        };
        if offset == 0 {
            let (q, tail) = rest.split_first_chunk::<132>().ok_or(cut)?;
            if !self.out.is_empty() || h[5] != 255 || q[..4] != [0, 0, 0, 128] {
                return Err(RtpError::Malformed("a JPEG without its own tables"));
            }
            rest = tail;
            jpeg_header(&mut self.out, h, &q[4..], restart);
        } else if self.out.is_empty() {
            return Err(RtpError::Malformed("a JPEG without a beginning"));
        }
        self.out.put_slice(rest);
        Ok(())
    }
}

/// A JFIF header for what RFC 2435 leaves out (§3.1, appendix B).
fn jpeg_header(out: &mut BytesMut, h: &[u8; 8], tables: &[u8], restart: Option<[u8; 2]>) {
    out.put_slice(&[0xff, 0xd8]);
    for (i, table) in (0u8..).zip(tables.chunks(64)) {
        out.put_slice(&[0xff, 0xdb, 0, 67, i]);
        out.put_slice(table);
    }
    if let Some([a, b]) = restart {
        out.put_slice(&[0xff, 0xdd, 0, 4, a, b]);
    }
    let luma = if h[4] & 1 == 0 { 0x21 } else { 0x22 };
    let (width, height) = (u16::from(h[6]) * 8, u16::from(h[7]) * 8);
    out.put_slice(&[0xff, 0xc0, 0, 17, 8]);
    out.put_u16(height);
    out.put_u16(width);
    out.put_slice(&[3, 1, luma, 0, 2, 0x11, 1, 3, 0x11, 1]);
    for (class, counts, values) in STANDARD {
        out.put_slice(&[0xff, 0xc4]);
        out.put_u16(u16::try_from(values.len() + 19).unwrap_or(0));
        out.put_u8(class);
        out.put_slice(&counts);
        out.put_slice(values);
    }
    out.put_slice(&[0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]);
}
