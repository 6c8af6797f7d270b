//! H.264 (RFC 6184 §5.6–5.8) and H.265 (RFC 7798 §4.4): NAL units out of packets, access units out of NAL units.
//!
//! **A picture that lost a piece is never passed on.** An access unit ends with the marker, with a new timestamp, or
//! before a delimiter: cameras leave out any of them. NAL units that stand before a picture belong to the next one,
//! whatever marker or timestamp the camera gave them.

use super::sets::ParameterSets;
use super::{Fault, Out, Packet};
use crate::{h264, h265};

/// Room that a unit begins with at most; more is taken when it is needed.
const MAX_FIRST_RESERVE: usize = 64 << 10;

/// The two families differ in header size and in where the type stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    H264,
    H265,
}

/// What a NAL unit means for the borders of access units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Slice,
    ParameterSet,
    Delimiter,
    /// Stands before the picture that it belongs to.
    Prefix,
    /// Stands behind it.
    Suffix,
    /// Means something else inside RTP, or nothing.
    Unusable,
}

impl Family {
    /// Bytes of a NAL unit's header.
    pub(super) fn header(self) -> usize {
        match self {
            Family::H264 => 1,
            Family::H265 => 2,
        }
    }

    pub(super) fn nal_type(self, first: u8) -> u8 {
        match self {
            Family::H264 => h264::nal_type(first),
            Family::H265 => h265::nal_type(first),
        }
    }

    /// ITU-T H.264 §7.4.1.2.3, H.265 §7.4.2.4.4.
    fn role(self, first: u8) -> Role {
        match (self, self.nal_type(first)) {
            (Family::H264, h264::SLICE..=h264::IDR) | (Family::H265, 0..=31) => Role::Slice,
            (Family::H264, h264::SPS | h264::PPS) | (Family::H265, h265::VPS | h265::SPS | h265::PPS) => {
                Role::ParameterSet
            }
            (Family::H264, h264::AUD) | (Family::H265, h265::AUD) => Role::Delimiter,
            (Family::H264, h264::SEI | 14..=18) | (Family::H265, h265::SEI_PREFIX | 41..=44) => Role::Prefix,
            (Family::H264, 10..=13 | 19..=23) | (Family::H265, 36..=38 | 40 | 45..=47) => Role::Suffix,
            _ => Role::Unusable,
        }
    }

    /// Whether a slice is the first of its picture: `first_mb_in_slice` is 0, `first_slice_segment_in_pic_flag` is 1.
    fn begins_picture(self, slice: &[u8]) -> bool {
        slice.get(self.header()).is_some_and(|b| b & 0x80 != 0)
    }
}

/// Puts pictures together.
#[derive(Debug)]
pub(super) struct Pictures {
    family: Family,
    /// Taken out of the units and kept here; `None` leaves them where they are, and everything else, too.
    pub(super) sets: Option<ParameterSets>,
    /// NAL units behind 4-byte lengths.
    unit: Vec<u8>,
    /// Length of the unit before.
    usual: usize,
    /// Where the NAL unit begins that fragments are being collected for.
    fragment: Option<usize>,
    timestamp: u32,
    pub(super) packets: u32,
    has_slice: bool,
    /// Where what belongs to the picture ends in `unit`.
    picture_end: usize,
    /// The parameter sets changed before this picture.
    new_sets: bool,
    /// Nothing more of the unit with this timestamp is wanted.
    skip: Option<u32>,
    /// Something before may be missing: the next picture has to show that it is whole.
    doubtful: bool,
}

impl Pictures {
    /// As cameras send them.
    pub(super) fn new(family: Family, sets: ParameterSets) -> Self {
        Self { sets: Some(sets), doubtful: true, ..Self::verbatim(family) }
    }

    /// As our own packetiser sends them: every byte comes out as it went in.
    pub(super) fn verbatim(family: Family) -> Self {
        Self {
            family,
            sets: None,
            unit: Vec::new(),
            usual: 0,
            fragment: None,
            timestamp: 0,
            packets: 0,
            has_slice: false,
            picture_end: 0,
            new_sets: false,
            skip: None,
            doubtful: false,
        }
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        self.unit.len()
    }

    pub(super) fn push(&mut self, p: &Packet<'_>, lost: bool, out: &mut Out) -> Result<(), Fault> {
        if lost {
            self.doubtful = true;
            if self.has_slice || self.fragment.is_some() {
                // Either its end is missing, or, when it goes on, its middle.
                out.damaged();
                self.skip = Some(self.timestamp);
            }
            self.discard();
        }
        if let Some(skipped) = self.skip {
            if skipped == p.timestamp {
                if p.marker {
                    self.skip = None;
                }
                return Ok(());
            }
            self.skip = None;
        }
        if p.timestamp != self.timestamp {
            self.border(out);
        }
        self.timestamp = p.timestamp;
        self.packets += 1;
        if let Err(fault) = self.payload(p.payload, out) {
            self.discard();
            self.skip = (!p.marker).then_some(p.timestamp);
            return Err(fault);
        }
        if p.marker && self.fragment.is_some() {
            self.discard();
            return Err(Fault::Malformed("a picture whose last fragment is missing"));
        }
        // A marker behind parameter sets alone ends nothing.
        if p.marker && self.has_slice {
            self.finish(self.unit.len(), out);
        }
        Ok(())
    }

    /// A new access unit begins without the last one having been ended.
    fn border(&mut self, out: &mut Out) {
        if self.fragment.is_some() {
            out.damaged();
            self.discard();
        } else if self.has_slice {
            self.finish(self.picture_end, out);
        }
    }

    /// Hands out the unit up to `end`; what stands behind it belongs to the next.
    fn finish(&mut self, end: usize, out: &mut Out) {
        let behind = self.unit.split_off(end);
        let mut data = std::mem::replace(&mut self.unit, behind);
        self.usual = data.len();
        data.shrink_to_fit();
        out.unit(self.timestamp, data.into(), std::mem::take(&mut self.new_sets));
        self.has_slice = false;
        self.picture_end = 0;
        self.packets = 0;
    }

    pub(super) fn discard(&mut self) {
        self.unit.clear();
        self.fragment = None;
        self.has_slice = false;
        self.picture_end = 0;
        self.packets = 0;
        if std::mem::take(&mut self.new_sets)
            && let Some(sets) = &mut self.sets
        {
            // The next picture still has to be told about.
            sets.changed = true;
        }
    }

    fn payload(&mut self, p: &[u8], out: &mut Out) -> Result<(), Fault> {
        let p = if self.sets.is_some() { without_start_code(p) } else { p };
        match (self.family, p) {
            (_, []) => Ok(()),
            (Family::H264, [first, ..]) if first & 0x80 != 0 => {
                Err(Fault::Malformed("a NAL unit that says it is damaged"))
            }
            (Family::H264, [first, rest @ ..]) => match (h264::nal_type(*first), rest) {
                (1..=23, _) => self.single(p, out),
                (24, rest) => self.aggregate(rest, out),
                (28, [flags, body @ ..]) => self.part(*flags, &[first & 0x60 | flags & 0x1f], body, out),
                (25..=27 | 29, _) => Err(Fault::Malformed("H.264 in interleaved mode, which is not read")),
                _ => Err(Fault::Malformed("not a payload of RFC 6184")),
            },
            (Family::H265, [h0, h1, rest @ ..]) => match (h265::nal_type(*h0), rest) {
                (0..=47, _) => self.single(p, out),
                (48, rest) => self.aggregate(rest, out),
                (49, [flags, body @ ..]) => self.part(*flags, &[h0 & 0x81 | (flags & 0x3f) << 1, *h1], body, out),
                _ => Err(Fault::Malformed("not a payload of RFC 7798")),
            },
            (Family::H265, _) => Err(Fault::Malformed("shorter than a NAL unit's header")),
        }
    }

    /// Makes room for a length, and says where.
    fn begin(&mut self, bytes: usize) -> usize {
        if self.unit.capacity() == 0 {
            self.unit.reserve(self.usual.min(MAX_FIRST_RESERVE).max(bytes + 4));
        }
        let start = self.unit.len();
        self.unit.extend_from_slice(&[0; 4]);
        start
    }

    fn single(&mut self, nal: &[u8], out: &mut Out) -> Result<(), Fault> {
        if self.fragment.is_some() {
            return Err(Fault::Malformed("a NAL unit between the fragments of another"));
        }
        let start = self.begin(nal.len());
        self.unit.extend_from_slice(nal);
        self.close(start, out)
    }

    fn aggregate(&mut self, mut rest: &[u8], out: &mut Out) -> Result<(), Fault> {
        while !rest.is_empty() {
            let cut = Fault::Malformed("an aggregate shorter than its parts");
            let (len, tail) = rest.split_first_chunk::<2>().ok_or(cut)?;
            let (nal, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*len))).ok_or(cut)?;
            // Cameras have been seen to send empty parts.
            if !nal.is_empty() {
                self.single(if self.sets.is_some() { without_start_code(nal) } else { nal }, out)?;
            }
            rest = tail;
        }
        Ok(())
    }

    fn part(&mut self, flags: u8, header: &[u8], body: &[u8], out: &mut Out) -> Result<(), Fault> {
        let (first, last) = (flags & 0x80 != 0, flags & 0x40 != 0);
        let start = match (first, self.fragment) {
            (true, None) => {
                let start = self.begin(body.len());
                self.unit.extend_from_slice(header);
                self.fragment = Some(start);
                start
            }
            (false, Some(start)) => start,
            (true, Some(_)) => return Err(Fault::Malformed("a fragment that begins before the last one ended")),
            (false, None) if self.doubtful => return Err(Fault::Incomplete),
            (false, None) => return Err(Fault::Malformed("the middle of a fragmented unit without its beginning")),
        };
        self.unit.extend_from_slice(body);
        if last {
            self.fragment = None;
            return self.close(start, out);
        }
        Ok(())
    }

    /// The NAL unit from `start` on is complete.
    fn close(&mut self, start: usize, out: &mut Out) -> Result<(), Fault> {
        let body = start + 4;
        if self.sets.is_none() {
            self.put_length(start);
            self.has_slice = true;
            self.picture_end = self.unit.len();
            return Ok(());
        }
        while self.unit.len() > body && self.unit.last() == Some(&0) {
            self.unit.pop();
        }
        if let Some(at) = start_code(&self.unit[body..]) {
            return self.close_in_pieces(start, at, out);
        }
        let nal = &self.unit[body..];
        let role = if nal.len() > self.family.header() { self.family.role(nal[0]) } else { Role::Unusable };
        match role {
            Role::Unusable => {
                self.unit.truncate(start);
                return Ok(());
            }
            Role::ParameterSet => {
                if let Some(sets) = &mut self.sets {
                    sets.take(nal);
                }
                self.unit.truncate(start);
                return Ok(());
            }
            Role::Slice if !self.has_slice => {
                if self.doubtful && !self.family.begins_picture(nal) {
                    return Err(Fault::Incomplete);
                }
                self.doubtful = false;
                self.has_slice = true;
                self.new_sets |= self.sets.as_mut().is_some_and(|s| std::mem::take(&mut s.changed));
            }
            Role::Delimiter if self.has_slice => {
                self.put_length(start);
                self.border(out);
                return Ok(());
            }
            Role::Slice | Role::Delimiter | Role::Prefix | Role::Suffix => {}
        }
        self.put_length(start);
        if matches!(role, Role::Slice | Role::Suffix) {
            self.picture_end = self.unit.len();
        }
        Ok(())
    }

    /// Some cameras put a whole Annex B stream where one NAL unit belongs.
    fn close_in_pieces(&mut self, start: usize, first_code: usize, out: &mut Out) -> Result<(), Fault> {
        let whole = self.unit.split_off(start);
        let mut rest = &whole[4..];
        let mut code = Some(first_code);
        while !rest.is_empty() {
            let (nal, behind) = match code {
                Some(at) => (&rest[..at], &rest[at + 3..]),
                None => (rest, &[][..]),
            };
            if !nal.is_empty() {
                let start = self.begin(nal.len());
                self.unit.extend_from_slice(nal);
                self.close(start, out)?;
            }
            rest = behind;
            code = start_code(rest);
        }
        Ok(())
    }

    fn put_length(&mut self, start: usize) {
        let len = u32::try_from(self.unit.len() - start - 4).unwrap_or(u32::MAX);
        self.unit[start..start + 4].copy_from_slice(&len.to_be_bytes());
    }
}

/// Where `00 00 01` stands, which emulation prevention keeps out of every NAL unit.
fn start_code(data: &[u8]) -> Option<usize> {
    // The third byte of three is 1, and of the bytes of a picture few are.
    memchr::memchr_iter(1, data).find(|&at| at >= 2 && data[at - 2..at] == [0, 0]).map(|at| at - 2)
}

fn without_start_code(data: &[u8]) -> &[u8] {
    match data {
        [0, 0, 1, rest @ ..] | [0, 0, 0, 1, rest @ ..] => rest,
        _ => data,
    }
}
