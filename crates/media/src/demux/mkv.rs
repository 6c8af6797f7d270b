//! Matroska and WebM (RFC 9559): a flat walk over clusters, blocks read one at a time.
//!
//! **Nothing is jumped to**: the walk only goes forward, so no seek head or cue can send it in a circle, and what an
//! element says of its size is checked against the file before a byte is taken.

mod block;
mod tracks;

use std::collections::VecDeque;
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use bytes::Bytes;

use super::{DemuxError, DemuxTrack, Demuxer, Sample, SoundClock, choose, is_key, read_at, with_long_lengths};
use crate::reorder::DecodeTimes;
use crate::{Codec, MediaKind, MediaTime, opus};
use tracks::Entry;

const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const TRACKS: u32 = 0x1654_ae6b;
const CLUSTER: u32 = 0x1f43_b675;
const CLUSTER_TIME: u32 = 0xe7;
const SIMPLE_BLOCK: u32 = 0xa3;
const BLOCK_GROUP: u32 = 0xa0;
const BLOCK: u32 = 0xa1;

/// Elements that are read whole before the first cluster.
const MAX_HEADER: u64 = 8 << 20;

/// Whether a file begins like Matroska.
pub(super) fn is_matroska(head: &[u8]) -> bool {
    head.starts_with(&EBML.to_be_bytes())
}

/// An element's place; `end` is `None` when its size is not known.
#[derive(Debug, Clone, Copy)]
struct Element {
    id: u32,
    body: u64,
    end: Option<u64>,
}

/// A variable-size integer: value and bytes. `keep_marker` for identifiers. `None` when damaged or cut off.
fn vint(data: &[u8], keep_marker: bool) -> Option<(u64, usize)> {
    let first = *data.first()?;
    let len = first.leading_zeros() as usize + 1;
    let rest = data.get(1..len).filter(|_| len <= 8)?;
    let head = if keep_marker { first } else { (u16::from(first) & ((1u16 << (8 - len)) - 1)) as u8 };
    Some((rest.iter().fold(u64::from(head), |v, &b| v << 8 | u64::from(b)), len))
}

/// The value that says "size unknown" in `len` bytes.
fn unknown_size(len: usize) -> u64 {
    (1 << (7 * len)) - 1
}

/// The children inside an element's body; the walk ends at damage.
fn children(mut body: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let (id, id_len) = vint(body, true).filter(|(_, len)| *len <= 4)?;
        let rest = &body[id_len..];
        let (size, size_len) = vint(rest, false)?;
        let rest = &rest[size_len..];
        let size = usize::try_from(size).ok().filter(|&s| s <= rest.len())?;
        let (child, behind) = rest.split_at(size);
        body = behind;
        Some((u32::try_from(id).ok()?, child))
    })
}

fn uint(body: &[u8]) -> Option<u64> {
    (body.len() <= 8).then(|| body.iter().fold(0, |v, &b| v << 8 | u64::from(b)))
}

fn float(body: &[u8]) -> Option<f64> {
    match body.len() {
        4 => body.first_chunk().map(|b| f64::from(f32::from_be_bytes(*b))),
        8 => body.first_chunk().map(|b| f64::from_be_bytes(*b)),
        _ => None,
    }
}

#[derive(Debug)]
struct Line {
    entry: Entry,
    codec: Codec,
    rank: usize,
    clock: u32,
    decode_times: Option<DecodeTimes>,
    sound: Option<SoundClock>,
}

impl Line {
    fn restart(&mut self, scale: u64) {
        let fps = self.entry.frame_ns.map(|ns| 1e9 / ns as f64);
        let fps = fps.or(match &self.codec {
            Codec::H264(p) => p.video.fps,
            Codec::H265(p) => p.video.fps,
            _ => None,
        });
        let depth = match &self.codec {
            Codec::H264(p) => p.video.reorder_depth,
            Codec::H265(p) => p.video.reorder_depth,
            _ => 0,
        };
        let video = self.codec.kind() == MediaKind::Video;
        let interval = f64::from(self.clock) / fps.filter(|f| (1.0..=1000.0).contains(f)).unwrap_or(25.0);
        self.decode_times = video.then(|| DecodeTimes::new(depth, interval as i64));
        self.sound = (!video).then(|| SoundClock::new(self.clock, scale));
    }
}

/// See the module.
pub(super) struct Matroska<R> {
    reader: R,
    len: u64,
    /// Nanoseconds of a tick.
    scale: u64,
    duration: Option<Duration>,
    tracks: Vec<DemuxTrack>,
    lines: Vec<Line>,
    first_cluster: u64,
    at: u64,
    cluster_time: u64,
    queue: VecDeque<Sample>,
}

impl<R: Read + Seek + Send> Matroska<R> {
    pub(super) fn open(mut reader: R) -> Result<Self, DemuxError> {
        let len = reader.seek(SeekFrom::End(0))?;
        let damaged = |what| DemuxError::Damaged { what };
        let head = element(&mut reader, len, 0)?.filter(|e| e.id == EBML).ok_or(damaged("it has no header"))?;
        let segment = head.end.ok_or(damaged("its header has no size"))?;
        let segment =
            element(&mut reader, len, segment)?.filter(|e| e.id == SEGMENT).ok_or(damaged("it has no segment"))?;
        let mut at = segment.body;
        let (mut scale, mut ticks) = (1_000_000, None);
        let (mut entries, mut first_cluster) = (None, None);
        while let Some(e) = element(&mut reader, len, at)? {
            if e.id == CLUSTER {
                first_cluster.get_or_insert(at);
                if entries.is_some() {
                    break;
                }
            }
            let Some(end) = e.end else { break };
            if matches!(e.id, INFO | TRACKS) {
                if end - e.body > MAX_HEADER {
                    return Err(damaged("its headers are too large"));
                }
                let Some(body) = read_at(&mut reader, len, e.body, end - e.body)? else { break };
                if e.id == TRACKS {
                    entries = Some(tracks::read(&body));
                } else {
                    for (id, value) in children(&body) {
                        match id {
                            0x2a_d7b1 => {
                                scale = uint(value).filter(|s| (1..=1_000_000_000).contains(s)).unwrap_or(scale)
                            }
                            0x4489 => ticks = float(value),
                            _ => {}
                        }
                    }
                }
            }
            at = end;
        }
        let entries = entries.ok_or(damaged("it has no list of tracks"))?;
        let first_cluster = first_cluster.ok_or(damaged("it has no media"))?;
        let codecs: Vec<Option<Codec>> = entries.iter().map(|e| e.codec.clone()).collect();
        let (tracks, rank) = choose(&codecs);
        if tracks.is_empty() {
            return Err(DemuxError::NoTracks);
        }
        let mut lines = Vec::new();
        for (entry, rank) in entries.into_iter().zip(rank) {
            let (Some(rank), Some(codec)) = (rank, entry.codec.clone()) else { continue };
            let clock = tracks[rank].clock_rate;
            let mut line = Line { entry, codec, rank, clock, decode_times: None, sound: None };
            line.restart(scale);
            lines.push(line);
        }
        let duration =
            ticks.map(|t| t * scale as f64 / 1e9).filter(|s| (0.0..1e9).contains(s)).map(Duration::from_secs_f64);
        Ok(Self {
            reader,
            len,
            scale,
            duration,
            tracks,
            lines,
            first_cluster,
            at: first_cluster,
            cluster_time: 0,
            queue: VecDeque::new(),
        })
    }

    /// Queues the frames of one block.
    fn take_block(&mut self, data: &[u8]) {
        let Some(block) = block::parse(data) else { return };
        let Some(line) = self.lines.iter_mut().find(|l| l.entry.number == block.track) else { return };
        let ticks = i128::from(self.cluster_time) + i128::from(block.time);
        let mut ns = ticks * i128::from(self.scale) - i128::from(line.entry.delay_ns);
        for frame in block.frames {
            let data = match &line.entry.stripped {
                Some(head) => [&head[..], frame].concat(),
                None => frame.to_vec(),
            };
            let data = match line.entry.length_size {
                Some(size) => with_long_lengths(data, size),
                None => Bytes::from(data),
            };
            if data.is_empty() {
                continue;
            }
            let duration_ns = line.entry.frame_ns.unwrap_or(0);
            let duration = match &line.codec {
                Codec::Aac(p) => i64::from(p.frame_samples),
                Codec::Opus(_) => i64::from(opus::duration(&data).unwrap_or(0)),
                Codec::G711(p) => i64::try_from(data.len() / usize::from(p.channels.max(1))).unwrap_or(0),
                _ => MediaTime(i64::try_from(duration_ns).unwrap_or(0)).rescale(1_000_000_000, line.clock).0,
            };
            let at = i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN / 4 } else { i64::MAX / 4 });
            let pts = MediaTime(at).rescale(1_000_000_000, line.clock).0.clamp(i64::MIN / 4, i64::MAX / 4);
            let (dts, pts) = match (&mut line.decode_times, &mut line.sound) {
                (Some(d), _) => {
                    let (dts, pts) = d.next(MediaTime(pts));
                    (dts.0, pts.0)
                }
                (None, Some(s)) => {
                    let at = s.place(pts, duration);
                    (at, at)
                }
                (None, None) => (pts, pts),
            };
            let key = is_key(&line.codec, &data);
            self.queue.push_back(Sample { track: line.rank, pts, dts, duration, key, data, codec: None });
            ns += i128::from(duration_ns);
        }
    }
}

/// The element at `at`. `None` at the end of the file.
fn element<R: Read + Seek>(reader: &mut R, len: u64, at: u64) -> Result<Option<Element>, DemuxError> {
    let Some(head) = read_at(reader, len, at, len.saturating_sub(at).min(12))? else { return Ok(None) };
    if head.len() < 2 {
        return Ok(None);
    }
    let damaged = DemuxError::Damaged { what: "an element without a valid size" };
    let Some((id, id_len)) = vint(&head, true).filter(|(_, len)| *len <= 4) else { return Err(damaged) };
    let Some((size, size_len)) = vint(&head[id_len..], false) else { return Err(damaged) };
    let body = at + (id_len + size_len) as u64;
    let end = (size != unknown_size(size_len)).then(|| body.saturating_add(size).min(len));
    Ok(Some(Element { id: u32::try_from(id).unwrap_or(0), body, end }))
}

impl<R: Read + Seek + Send> Demuxer for Matroska<R> {
    fn tracks(&self) -> &[DemuxTrack] {
        &self.tracks
    }

    fn next_sample(&mut self) -> Result<Option<Sample>, DemuxError> {
        loop {
            if let Some(sample) = self.queue.pop_front() {
                return Ok(Some(sample));
            }
            let Some(e) = element(&mut self.reader, self.len, self.at)? else { return Ok(None) };
            if e.id == CLUSTER || e.id == SEGMENT {
                self.at = e.body;
                continue;
            }
            // Only clusters (and segments) may leave their size open.
            let Some(end) = e.end else { return Ok(None) };
            self.at = end;
            if matches!(e.id, CLUSTER_TIME | SIMPLE_BLOCK | BLOCK_GROUP) {
                let Some(body) = read_at(&mut self.reader, self.len, e.body, end - e.body)? else { continue };
                match e.id {
                    CLUSTER_TIME => self.cluster_time = uint(&body).unwrap_or(self.cluster_time),
                    SIMPLE_BLOCK => self.take_block(&body),
                    _ => {
                        if let Some((_, block)) = children(&body).find(|(id, _)| *id == BLOCK) {
                            self.take_block(block);
                        }
                    }
                }
            }
        }
    }

    fn rewind(&mut self) -> Result<(), DemuxError> {
        self.at = self.first_cluster;
        self.cluster_time = 0;
        self.queue.clear();
        for line in &mut self.lines {
            line.restart(self.scale);
        }
        Ok(())
    }

    fn duration(&self) -> Option<Duration> {
        self.duration
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_variable_size() {
        assert_eq!(vint(&[0x81], false), Some((1, 1)));
        assert_eq!(vint(&[0x40, 0x7f], false), Some((127, 2)));
        assert_eq!(vint(&[0x1a, 0x45, 0xdf, 0xa3], true), Some((u64::from(EBML), 4)));
        assert_eq!(vint(&[0xff], false), Some((unknown_size(1), 1)));
        assert_eq!(vint(&[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], false), Some((unknown_size(8), 8)));
        assert_eq!(vint(&[0x40], false), None);
        assert_eq!(vint(&[0x00; 9], false), None);
    }
}
