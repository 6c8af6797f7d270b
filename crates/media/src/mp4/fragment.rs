//! Initialisation segments and fragments (ISO/IEC 14496-12 §8.8): for players behind MSE, and for growing files.
//!
//! **A fragment's offsets start at its own `moof`**, so it means the same wherever its bytes go. Track `TrackId(n)`
//! of a description is track number n + 1 of the file.

use bytes::{BufMut, Bytes, BytesMut};

use super::boxes::{self, BoxWriter, Edit, TrackHead};
use crate::{Codec, StreamDescription, Track, TrackId};

/// One access unit in a fragment.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Until the next unit of the track is decoded, in track ticks.
    pub duration: u32,
    /// Presentation time minus decode time, in track ticks.
    pub composition_offset: i32,
    /// A decoder can start here.
    pub key: bool,
    /// The unit as it crosses the hub.
    pub data: Bytes,
}

/// Consecutive units of one track.
#[derive(Debug, Clone)]
pub struct TrackRun {
    /// Which track.
    pub track: TrackId,
    /// Decode time of the first sample, in track ticks.
    pub base_decode_time: u64,
    /// Which sample entry they use, from 1. Always 1 with [`init_segment`].
    pub description_index: u32,
    /// In decoding order.
    pub samples: Vec<Sample>,
}

impl TrackRun {
    /// A run that uses the first sample entry.
    pub fn new(track: TrackId, base_decode_time: u64, samples: Vec<Sample>) -> Self {
        Self { track, base_decode_time, description_index: 1, samples }
    }

    fn bytes(&self) -> usize {
        self.samples.iter().map(|s| s.data.len()).sum()
    }
}

/// `ftyp` and `moov` for fragments with these tracks.
pub fn init_segment(description: &StreamDescription) -> Bytes {
    let mut b = BoxWriter::new();
    boxes::ftyp(&mut b);
    let tracks: Vec<InitTrack<'_>> =
        description.tracks.iter().map(|t| InitTrack { entries: vec![t], edits: Vec::new() }).collect();
    init_moov(&mut b, 1000, &tracks, 0);
    b.into_vec().into()
}

/// A track of an initialisation `moov`.
#[derive(Debug, Clone)]
pub struct InitTrack<'a> {
    /// Every set of parameters that it has had, the first one first; never empty.
    pub entries: Vec<&'a Track>,
    /// Its edit list.
    pub edits: Vec<Edit>,
}

/// A `moov` without samples, `padding` bytes (0 or at least 8) longer than it needs to be.
pub fn init_moov(b: &mut BoxWriter, timescale: u32, tracks: &[InitTrack<'_>], padding: usize) {
    let number = |i: usize| u32::try_from(i + 1).unwrap_or(u32::MAX);
    b.atom(b"moov", |b| {
        boxes::mvhd(b, timescale, 0, number(tracks.len()));
        for (i, t) in tracks.iter().enumerate() {
            let Some(track) = t.entries.first() else { continue };
            b.atom(b"trak", |b| {
                boxes::tkhd(b, number(i), track, TrackHead::default());
                boxes::edts(b, &t.edits);
                b.atom(b"mdia", |b| {
                    boxes::mdhd(b, track.clock_rate, 0);
                    boxes::hdlr(b, track.kind());
                    b.atom(b"minf", |b| {
                        boxes::minf_head(b, track.kind());
                        b.atom(b"stbl", |b| {
                            boxes::stsd(b, t.entries.iter().copied());
                            b.full(b"stts", 0, 0, |b| b.u32(0));
                            b.full(b"stsc", 0, 0, |b| b.u32(0));
                            b.full(b"stsz", 0, 0, |b| b.zeros(8));
                            b.full(b"stco", 0, 0, |b| b.u32(0));
                        });
                    });
                });
            });
        }
        b.atom(b"mvex", |b| {
            for i in 0..tracks.len() {
                b.full(b"trex", 0, 0, |b| {
                    b.u32(number(i));
                    b.u32(1);
                    b.zeros(12);
                });
            }
        });
        if padding >= 8 {
            b.atom(b"free", |b| b.zeros(padding - 8));
        }
    });
}

/// The media type of such a stream, for `MediaSource.isTypeSupported` (RFC 6381 §3.3).
pub fn mime(description: &StreamDescription) -> String {
    let codecs: Vec<String> = description.tracks.iter().map(codec_string).collect();
    let kind = if description.video().is_some() { "video" } else { "audio" };
    format!("{kind}/mp4; codecs=\"{}\"", codecs.join(","))
}

fn codec_string(track: &Track) -> String {
    match &track.codec {
        Codec::H264(p) => p.video.rfc6381.clone(),
        Codec::H265(p) => p.video.rfc6381.clone(),
        Codec::Jpeg(_) => "mp4v.6C".into(),
        Codec::Aac(p) => format!("mp4a.40.{}", p.object_type),
        Codec::Opus(_) => "opus".into(),
        Codec::G711(p) => if p.law == crate::G711Law::A { "alaw" } else { "ulaw" }.into(),
    }
}

/// `moof` and `mdat` with these runs, one after another. `sequence` grows by one with each fragment, from 1.
pub fn fragment(sequence: u32, runs: &[TrackRun]) -> Bytes {
    let head = fragment_head(sequence, runs);
    let size = head.len() + runs.iter().map(TrackRun::bytes).sum::<usize>();
    let mut out = BytesMut::with_capacity(size);
    out.put_slice(&head);
    for s in runs.iter().flat_map(|r| &r.samples) {
        out.put_slice(&s.data);
    }
    out.freeze()
}

/// `moof` and the header of its `mdat`: everything but the samples, which follow in the order of the runs. For
/// writers that gather the samples' memory instead of copying it.
pub fn fragment_head(sequence: u32, runs: &[TrackRun]) -> Bytes {
    // data-offset, duration, size, flags and composition offset for each sample.
    const TRUN_FLAGS: u32 = 0x1 | 0x100 | 0x200 | 0x400 | 0x800;
    const SAMPLE_KEY: u32 = 0x0200_0000;
    const SAMPLE_DEPENDS: u32 = 0x0101_0000;
    let mut b = BoxWriter::new();
    let mut offsets = Vec::with_capacity(runs.len());
    b.atom(b"moof", |b| {
        b.full(b"mfhd", 0, 0, |b| b.u32(sequence));
        for run in runs {
            b.atom(b"traf", |b| {
                let track = u32::from(run.track.0) + 1;
                // default-base-is-moof, and the sample entry when it is not the first.
                if run.description_index == 1 {
                    b.full(b"tfhd", 0, 0x02_0000, |b| b.u32(track));
                } else {
                    b.full(b"tfhd", 0, 0x02_0002, |b| {
                        b.u32(track);
                        b.u32(run.description_index);
                    });
                }
                b.full(b"tfdt", 1, 0, |b| b.u64(run.base_decode_time));
                b.full(b"trun", 1, TRUN_FLAGS, |b| {
                    b.u32(u32::try_from(run.samples.len()).unwrap_or(u32::MAX));
                    offsets.push(b.len());
                    b.u32(0);
                    for s in &run.samples {
                        b.u32(s.duration);
                        b.u32(u32::try_from(s.data.len()).unwrap_or(u32::MAX));
                        b.u32(if s.key { SAMPLE_KEY } else { SAMPLE_DEPENDS });
                        b.i32(s.composition_offset);
                    }
                });
            });
        }
    });
    let mut at = b.len() + 8;
    for (run, offset) in runs.iter().zip(offsets) {
        b.patch_u32(offset, u32::try_from(at).unwrap_or(u32::MAX));
        at += run.bytes();
    }
    let mdat = at - b.len();
    b.u32(u32::try_from(mdat).unwrap_or(u32::MAX));
    b.bytes(b"mdat");
    b.into_vec().into()
}
