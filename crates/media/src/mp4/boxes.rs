//! Boxes and sample entries (ISO/IEC 14496-12, 14496-14, 14496-15).
//!
//! Written by hand rather than through a box library: session files need the exact position of each table before its
//! content is known. **A box's length is patched when it is closed, so it cannot disagree with its content.**

use crate::{Codec, G711Law, H264Params, H265Params, MediaKind, Track, VideoInfo};

/// Appends boxes to a buffer.
#[derive(Debug, Default)]
pub struct BoxWriter {
    buf: Vec<u8>,
}

impl BoxWriter {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was written.
    pub fn into_vec(self) -> Vec<u8> {
        self.buf
    }

    /// What was written so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.buf
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.buf.len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.buf.is_empty()
    }

    /// A box with the content that `body` writes.
    pub fn atom(&mut self, kind: &[u8; 4], body: impl FnOnce(&mut Self)) {
        let start = self.buf.len();
        self.u32(0);
        self.bytes(kind);
        body(self);
        // Content beyond 4 GiB never goes through memory.
        let len = u32::try_from(self.buf.len() - start).unwrap_or(u32::MAX);
        self.buf[start..start + 4].copy_from_slice(&len.to_be_bytes());
    }

    /// A box with version and flags.
    pub fn full(&mut self, kind: &[u8; 4], version: u8, flags: u32, body: impl FnOnce(&mut Self)) {
        self.atom(kind, |b| {
            b.u32(u32::from(version) << 24 | (flags & 0x00ff_ffff));
            body(b);
        });
    }

    /// Raw bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }
    /// One byte.
    pub fn u8(&mut self, v: u8) {
        self.buf.push(v);
    }
    /// Big-endian.
    pub fn u16(&mut self, v: u16) {
        self.bytes(&v.to_be_bytes());
    }
    /// Big-endian.
    pub fn u32(&mut self, v: u32) {
        self.bytes(&v.to_be_bytes());
    }
    /// Big-endian.
    pub fn i32(&mut self, v: i32) {
        self.bytes(&v.to_be_bytes());
    }
    /// Big-endian.
    pub fn u64(&mut self, v: u64) {
        self.bytes(&v.to_be_bytes());
    }
    /// `n` zero bytes.
    pub fn zeros(&mut self, n: usize) {
        self.buf.resize(self.buf.len() + n, 0);
    }
    /// Overwrites four bytes written earlier. A position that was not written yet is left alone.
    pub fn patch_u32(&mut self, at: usize, v: u32) {
        if let Some(slot) = self.buf.get_mut(at..at + 4) {
            slot.copy_from_slice(&v.to_be_bytes());
        }
    }
}

/// The file type box. The brands hold in every state of a file: `iso6` for fragments whose offsets start at their
/// `moof`, `mp41` for the finished one. 32 bytes, so that what follows is aligned to 8.
pub fn ftyp(b: &mut BoxWriter) {
    b.atom(b"ftyp", |b| {
        b.bytes(b"isom");
        b.u32(0x200);
        b.bytes(b"isomiso2iso6mp41");
    });
}

/// The sample entry of a track.
pub fn sample_entry(b: &mut BoxWriter, track: &Track) {
    match &track.codec {
        Codec::H264(p) => visual(b, b"avc1", &p.video, |b| avcc(b, p)),
        Codec::H265(p) => visual(b, b"hvc1", &p.video, |b| hvcc(b, p)),
        // Object type 0x6C is JPEG (ISO/IEC 14496-1, registered object types).
        Codec::Jpeg(p) => visual(b, b"mp4v", &p.video, |b| esds(b, 0x6c, 0x11, &[])),
        Codec::Aac(p) => audio(b, b"mp4a", u16::from(p.channels), p.sample_rate, |b| esds(b, 0x40, 0x15, &p.config)),
        Codec::Opus(p) => audio(b, b"Opus", u16::from(p.channels), 48_000, |b| {
            b.atom(b"dOps", |b| {
                b.u8(0);
                b.u8(p.channels);
                b.u16(p.pre_skip);
                b.u32(48_000);
                b.u16(0);
                b.u8(0);
            });
        }),
        Codec::G711(p) => {
            let kind = if p.law == G711Law::A { b"alaw" } else { b"ulaw" };
            audio(b, kind, u16::from(p.channels), p.sample_rate, |_| {});
        }
    }
}

fn visual(b: &mut BoxWriter, kind: &[u8; 4], video: &VideoInfo, config: impl FnOnce(&mut BoxWriter)) {
    b.atom(kind, |b| {
        b.zeros(6);
        b.u16(1);
        b.zeros(16);
        b.u16(u16::try_from(video.width).unwrap_or(u16::MAX));
        b.u16(u16::try_from(video.height).unwrap_or(u16::MAX));
        b.u32(0x0048_0000);
        b.u32(0x0048_0000);
        b.u32(0);
        b.u16(1);
        b.zeros(32);
        b.u16(0x18);
        b.u16(0xffff);
        config(b);
    });
}

fn audio(b: &mut BoxWriter, kind: &[u8; 4], channels: u16, rate: u32, config: impl FnOnce(&mut BoxWriter)) {
    b.atom(kind, |b| {
        b.zeros(6);
        b.u16(1);
        b.zeros(8);
        b.u16(channels);
        b.u16(16);
        b.u32(0);
        // 16.16; rates that do not fit are told by the codec's own configuration.
        b.u32(u16::try_from(rate).map_or(0, |r| u32::from(r) << 16));
        config(b);
    });
}

/// Elementary stream descriptor (ISO/IEC 14496-1 §7.2.6.5). Lengths here always fit one byte or two.
fn esds(b: &mut BoxWriter, object_type: u8, stream_type: u8, specific: &[u8]) {
    fn descriptor(b: &mut BoxWriter, tag: u8, body: &[u8]) {
        b.u8(tag);
        // Always four bytes of length, as most writers do.
        let n = u32::try_from(body.len()).unwrap_or(0);
        for shift in [21u32, 14, 7, 0] {
            let more = if shift > 0 { 0x80 } else { 0 };
            b.u8(u8::try_from(n >> shift & 0x7f).unwrap_or(0) | more);
        }
        b.bytes(body);
    }
    let mut config = BoxWriter::new();
    config.u8(object_type);
    config.u8(stream_type);
    config.zeros(3 + 4 + 4);
    if !specific.is_empty() {
        descriptor(&mut config, 5, specific);
    }
    let mut es = BoxWriter::new();
    es.u16(0);
    es.u8(0);
    descriptor(&mut es, 4, &config.buf);
    descriptor(&mut es, 6, &[2]);
    b.full(b"esds", 0, 0, |b| descriptor(b, 3, &es.buf));
}

/// AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1).
fn avcc(b: &mut BoxWriter, p: &H264Params) {
    b.atom(b"avcC", |b| {
        let at = |i: usize| p.sps.get(i).copied().unwrap_or(0);
        let profile = at(1);
        b.bytes(&[1, profile, at(2), at(3), 0xff, 0xe1]);
        nal(b, &p.sps);
        let pps = &p.pps[..p.pps.len().min(255)];
        b.u8(u8::try_from(pps.len()).unwrap_or(255));
        for pps in pps {
            nal(b, pps);
        }
        if matches!(profile, 100 | 110 | 122 | 144) {
            let rbsp = unescape(p.sps.get(4..).unwrap_or(&[]));
            let mut r = Bits::new(&rbsp);
            r.ue();
            let (chroma, luma_depth, chroma_depth) = chroma_and_depths(&mut r, |_| {});
            b.bytes(&[0xfc | chroma, 0xf8 | luma_depth, 0xf8 | chroma_depth, 0]);
        }
    });
}

/// HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1).
fn hvcc(b: &mut BoxWriter, p: &H265Params) {
    b.atom(b"hvcC", |b| {
        let rbsp = unescape(p.sps.get(2..).unwrap_or(&[]));
        let first = rbsp.first().copied().unwrap_or(0);
        let sub_layers = usize::from(first >> 1 & 7);
        let mut general = [0u8; 12];
        if let Some(ptl) = rbsp.get(1..13) {
            general.copy_from_slice(ptl);
        }
        let mut r = Bits::new(&rbsp);
        r.skip(8 + 96);
        let flags: Vec<(bool, bool)> = (0..sub_layers).map(|_| (r.bit() == 1, r.bit() == 1)).collect();
        if sub_layers > 0 {
            r.skip(2 * (8 - sub_layers));
        }
        for (profile, level) in flags {
            r.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 });
        }
        r.ue();
        let (chroma, luma_depth, chroma_depth) = chroma_and_depths(&mut r, |r| {
            r.ue();
            r.ue();
            if r.bit() == 1 {
                for _ in 0..4 {
                    r.ue();
                }
            }
        });
        b.u8(1);
        b.bytes(&general);
        b.u16(0xf000);
        b.u8(0xfc);
        b.bytes(&[0xfc | chroma, 0xf8 | luma_depth, 0xf8 | chroma_depth]);
        b.u16(0);
        // Sub-layers, whether they nest, and NAL lengths of four bytes.
        let layers = u8::try_from(sub_layers + 1).unwrap_or(1);
        b.u8(layers << 3 | (first & 1) << 2 | 3);
        b.u8(3);
        // 0x80: the array is complete, which `hvc1` promises.
        for (kind, sets) in [(32, std::slice::from_ref(&p.vps)), (33, std::slice::from_ref(&p.sps)), (34, &p.pps)] {
            b.u8(0x80 | kind);
            b.u16(u16::try_from(sets.len()).unwrap_or(u16::MAX));
            for set in sets.iter().take(usize::from(u16::MAX)) {
                nal(b, set);
            }
        }
    });
}

fn nal(b: &mut BoxWriter, nal: &[u8]) {
    let nal = &nal[..nal.len().min(usize::from(u16::MAX))];
    b.u16(u16::try_from(nal.len()).unwrap_or(u16::MAX));
    b.bytes(nal);
}

/// Chroma format, then whatever the codec puts in between, then bit depths over 8.
fn chroma_and_depths(r: &mut Bits<'_>, between: impl FnOnce(&mut Bits<'_>)) -> (u8, u8, u8) {
    let chroma = r.ue();
    if chroma == 3 {
        r.skip(1);
    }
    between(r);
    let small = |v: u32, max: u32| u8::try_from(v.min(max)).unwrap_or(0);
    (small(chroma, 3), small(r.ue(), 7), small(r.ue(), 7))
}

/// Removes emulation prevention bytes (ITU-T H.264 §7.4.1). Only the first bytes of a set are looked at.
fn unescape(nal: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(nal.len().min(256));
    let mut zeros = 0;
    for &byte in nal.iter().take(256) {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

/// Reads bits; zeros after the end.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }
    fn bit(&mut self) -> u32 {
        let byte = self.data.get(self.at / 8).copied().unwrap_or(0);
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        u32::from(bit)
    }
    fn skip(&mut self, n: usize) {
        self.at += n;
    }
    /// Unsigned Exp-Golomb.
    fn ue(&mut self) -> u32 {
        let mut zeros = 0;
        while self.at < self.data.len() * 8 && self.bit() == 0 {
            zeros += 1;
        }
        if zeros > 31 {
            return u32::MAX;
        }
        (0..zeros).fold(1u32, |v, _| v << 1 | self.bit()) - 1
    }
}

/// What a track's boxes say beside its tables.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrackHead {
    /// In ticks of the movie clock.
    pub movie_duration: u64,
    /// In ticks of the track.
    pub media_duration: u64,
}

/// `tkhd` of track number `number` (from 1).
pub fn tkhd(b: &mut BoxWriter, number: u32, track: &Track, head: TrackHead) {
    b.full(b"tkhd", 1, 3, |b| {
        b.u64(0);
        b.u64(0);
        b.u32(number);
        b.u32(0);
        b.u64(head.movie_duration);
        b.zeros(8);
        b.u16(0);
        b.u16(u16::from(track.kind() == MediaKind::Audio));
        b.u16(if track.kind() == MediaKind::Audio { 0x0100 } else { 0 });
        b.u16(0);
        matrix(b);
        let (w, h) = track.video().map_or((0, 0), |v| (v.width, v.height));
        b.u32(w.min(0xffff) << 16);
        b.u32(h.min(0xffff) << 16);
    });
}

fn matrix(b: &mut BoxWriter) {
    for v in [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000] {
        b.u32(v);
    }
}

/// `mvhd` with the movie clock, its length and the number of the next track.
pub fn mvhd(b: &mut BoxWriter, timescale: u32, duration: u64, next_track: u32) {
    b.full(b"mvhd", 1, 0, |b| {
        b.u64(0);
        b.u64(0);
        b.u32(timescale);
        b.u64(duration);
        b.u32(0x0001_0000);
        b.u16(0x0100);
        b.zeros(10);
        matrix(b);
        b.zeros(24);
        b.u32(next_track);
    });
}

/// `mdhd` with version 1 (64-bit) times, language undetermined.
pub fn mdhd(b: &mut BoxWriter, timescale: u32, duration: u64) {
    b.full(b"mdhd", 1, 0, |b| {
        b.u64(0);
        b.u64(0);
        b.u32(timescale);
        b.u64(duration);
        b.u16(0x55c4);
        b.u16(0);
    });
}

/// `hdlr` of a kind of media.
pub fn hdlr(b: &mut BoxWriter, kind: MediaKind) {
    b.full(b"hdlr", 0, 0, |b| {
        b.u32(0);
        b.bytes(if kind == MediaKind::Video { b"vide" } else { b"soun" });
        b.zeros(12);
        b.bytes(if kind == MediaKind::Video { b"Video\0" } else { b"Sound\0" });
    });
}

/// Media header and data reference: everything of `minf` before `stbl`.
pub fn minf_head(b: &mut BoxWriter, kind: MediaKind) {
    match kind {
        MediaKind::Video => b.full(b"vmhd", 0, 1, |b| b.zeros(8)),
        MediaKind::Audio => b.full(b"smhd", 0, 0, |b| b.zeros(4)),
    }
    b.atom(b"dinf", |b| {
        b.full(b"dref", 0, 0, |b| {
            b.u32(1);
            b.full(b"url ", 0, 1, |_| {});
        });
    });
}

/// One entry of an edit list: for `duration` movie ticks (0 in a growing file: to the end), show the media from
/// `media_time` track ticks on, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit {
    /// In movie ticks.
    pub duration: u64,
    /// In track ticks; `None` shows nothing.
    pub media_time: Option<u64>,
}

/// `edts` with the edits; nothing when there are none.
pub fn edts(b: &mut BoxWriter, edits: &[Edit]) {
    if edits.is_empty() {
        return;
    }
    b.atom(b"edts", |b| {
        b.full(b"elst", 1, 0, |b| {
            b.u32(u32::try_from(edits.len()).unwrap_or(0));
            for e in edits {
                b.u64(e.duration);
                b.u64(e.media_time.unwrap_or(u64::MAX));
                b.u32(0x0001_0000);
            }
        });
    });
}

/// `stsd` with one entry for each set of parameters that the track has had.
pub fn stsd<'a>(b: &mut BoxWriter, entries: impl ExactSizeIterator<Item = &'a Track>) {
    b.full(b"stsd", 0, 0, |b| {
        b.u32(u32::try_from(entries.len()).unwrap_or(0));
        entries.for_each(|t| sample_entry(b, t));
    });
}
