//! H.264 (RFC 6184, packetization-mode 1) and H.265 (RFC 7798) payloads.
//!
//! Parameter sets and other small units that carry no picture share one aggregation packet; a picture's slices go
//! alone, or in fragments **filled exactly to the packet size**, so that segmentation offload takes them in one run.
//! A key frame that comes without parameter sets gets them from the track's description.

use smallvec::SmallVec;

use super::Writer;
use crate::{AccessUnit, H264Params, H265Params, nal};

/// The two families differ in header size and in where the type stands.
trait Family {
    /// Bytes of a NAL unit's header, and of an aggregation packet's.
    const HEADER: usize;
    /// Whether a unit holds a piece of a picture.
    fn is_slice(nal: &[u8]) -> bool;
    /// Whether a unit may be sent at all: types that mean something else inside RTP may not.
    fn is_sendable(nal: &[u8]) -> bool;
    /// Writes the header of an aggregation packet over these units.
    fn aggregate_header(w: &mut Writer, nals: &[&[u8]]);
    /// Writes the header of a fragment.
    fn fragment_header(w: &mut Writer, nal: &[u8], first: bool, last: bool);
}

struct H264;
struct H265;

impl Family for H264 {
    const HEADER: usize = 1;

    fn is_slice(nal: &[u8]) -> bool {
        matches!(nal[0] & 0x1f, 1..=5)
    }

    fn is_sendable(nal: &[u8]) -> bool {
        matches!(nal[0] & 0x1f, 1..=23)
    }

    fn aggregate_header(w: &mut Writer, nals: &[&[u8]]) {
        // The importance of the most important unit inside (RFC 6184 §5.7).
        let nri = nals.iter().map(|n| n[0] & 0x60).max().unwrap_or(0);
        w.put(&[nri | 24]);
    }

    fn fragment_header(w: &mut Writer, nal: &[u8], first: bool, last: bool) {
        let se = u8::from(first) << 7 | u8::from(last) << 6;
        w.put(&[nal[0] & 0x60 | 28, se | nal[0] & 0x1f]);
    }
}

impl Family for H265 {
    const HEADER: usize = 2;

    fn is_slice(nal: &[u8]) -> bool {
        nal[0] >> 1 & 0x3f < 32
    }

    fn is_sendable(nal: &[u8]) -> bool {
        nal.len() >= 2 && nal[0] >> 1 & 0x3f < 48
    }

    fn aggregate_header(w: &mut Writer, nals: &[&[u8]]) {
        // Lowest layer and temporal id of the units inside (RFC 7798 §4.4.2); cameras send layer 0.
        let tid = nals.iter().map(|n| n[1] & 7).min().unwrap_or(1).max(1);
        w.put(&[48 << 1, tid]);
    }

    fn fragment_header(w: &mut Writer, nal: &[u8], first: bool, last: bool) {
        let kind = nal[0] >> 1 & 0x3f;
        w.put(&[nal[0] & 0x81 | 49 << 1, nal[1], u8::from(first) << 7 | u8::from(last) << 6 | kind]);
    }
}

pub(super) fn h264(w: &mut Writer, room: usize, unit: &AccessUnit, params: &H264Params) {
    let kind = |n: &&[u8]| n.first().map_or(0, |b| b & 0x1f);
    let mut sets: SmallVec<[&[u8]; 4]> = SmallVec::new();
    if unit.key {
        let has_sps = nal::units(&unit.data).any(|n| kind(&n) == 7);
        let has_pps = nal::units(&unit.data).any(|n| kind(&n) == 8);
        if !(has_sps && has_pps) {
            sets.push(&params.sps);
            sets.extend(params.pps.iter().map(|p| &p[..]));
        }
    }
    write::<H264>(w, room, unit, &sets);
}

pub(super) fn h265(w: &mut Writer, room: usize, unit: &AccessUnit, params: &H265Params) {
    let kind = |n: &[u8]| n.first().map_or(0, |b| b >> 1 & 0x3f);
    let mut sets: SmallVec<[&[u8]; 4]> = SmallVec::new();
    if unit.key {
        let mut seen = [false; 3];
        for n in nal::units(&unit.data) {
            if let 32..=34 = kind(n) {
                seen[usize::from(kind(n) - 32)] = true;
            }
        }
        if seen != [true; 3] {
            sets.extend([&params.vps[..], &params.sps[..]]);
            sets.extend(params.pps.iter().map(|p| &p[..]));
        }
    }
    write::<H265>(w, room, unit, &sets);
}

fn write<F: Family>(w: &mut Writer, room: usize, unit: &AccessUnit, sets: &[&[u8]]) {
    let mut small: SmallVec<[&[u8]; 8]> = SmallVec::new();
    let mut small_bytes = F::HEADER;
    let nals = sets.iter().copied().chain(nal::units(&unit.data));
    for n in nals.filter(|n| !n.is_empty() && F::is_sendable(n)) {
        if F::is_slice(n) || n.len() + 2 + F::HEADER > room {
            flush::<F>(w, &mut small, &mut small_bytes);
            single::<F>(w, room, n);
        } else {
            if small_bytes + 2 + n.len() > room {
                flush::<F>(w, &mut small, &mut small_bytes);
            }
            small_bytes += 2 + n.len();
            small.push(n);
        }
    }
    flush::<F>(w, &mut small, &mut small_bytes);
    if w.count > 0 {
        w.set_marker();
    }
}

fn flush<F: Family>(w: &mut Writer, small: &mut SmallVec<[&[u8]; 8]>, bytes: &mut usize) {
    match small[..] {
        [] => {}
        [only] => {
            w.begin(false);
            w.put(only);
            w.end();
        }
        _ => {
            w.begin(false);
            F::aggregate_header(w, small);
            for n in small.iter() {
                // Fits: the whole packet does.
                w.put(&u16::try_from(n.len()).unwrap_or(0).to_be_bytes());
                w.put(n);
            }
            w.end();
        }
    }
    small.clear();
    *bytes = F::HEADER;
}

fn single<F: Family>(w: &mut Writer, room: usize, n: &[u8]) {
    if n.len() <= room {
        w.begin(false);
        w.put(n);
        w.end();
        return;
    }
    let body = &n[F::HEADER..];
    let chunks = body.chunks(room - F::HEADER - 1);
    let last = chunks.len() - 1;
    for (i, chunk) in chunks.enumerate() {
        w.begin(false);
        F::fragment_header(w, n, i == 0, i == last);
        w.put(chunk);
        w.end();
    }
}
