//! The beginning of the new file, around the samples that were selected.

use std::time::Duration;

use super::select::Selection;
use super::source::TrackInfo;
use super::{Cut, CutError, Piece, time};
use crate::MediaTime;
use crate::mp4::boxes::{self, BoxWriter, Edit};
use crate::mp4::read::{u32_at, u64_at};
use crate::mp4::repair::codecs;

/// A track of the new file.
#[derive(Debug)]
pub(super) struct Part<'a> {
    track: &'a TrackInfo,
    selection: Selection,
}

impl<'a> Part<'a> {
    pub(super) fn new(track: &'a TrackInfo, selection: Selection) -> Self {
        Self { track, selection }
    }
}

/// Where the samples of a run stand in the new file, counted from the first byte of media.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    position: u64,
    samples: u32,
    /// Sample entry in the new file, from 1.
    description: u32,
}

/// Puts the parts together. `start` is where the new file begins on the old one's timeline.
pub(super) fn build(timescale: u32, parts: &[Part<'_>], start: Duration) -> Result<Cut, CutError> {
    let (mut pieces, chunks, payload) = lay_out(parts)?;
    let mut b = BoxWriter::new();
    boxes::ftyp(&mut b);
    let moov = b.len();
    let mut offsets = Vec::new();
    let edits: Vec<Edits> = parts.iter().map(|p| Edits::of(p, timescale, start)).collect();
    let duration = edits.iter().map(|e| e.movie_duration).max().unwrap_or(0);
    let next = parts.iter().map(|p| number(p.track)).max().unwrap_or(0).saturating_add(1);
    let mut entries = Vec::new();
    for p in parts {
        entries.push(used_entries(p)?);
    }
    b.atom(b"moov", |b| {
        boxes::mvhd(b, timescale, duration, next);
        for (((p, edits), entries), chunks) in parts.iter().zip(&edits).zip(&entries).zip(&chunks) {
            b.atom(b"trak", |b| track(b, p, edits, entries, chunks, &mut offsets));
        }
    });
    let (video, audio) = codecs(&b.as_slice()[moov..]);
    if payload > u64::from(u32::MAX) - 8 {
        b.u32(1);
        b.bytes(b"mdat");
        b.u64(payload.saturating_add(16));
    } else {
        b.u32(u32::try_from(payload + 8).unwrap_or(u32::MAX));
        b.bytes(b"mdat");
    }
    let mut head = b.into_vec();
    let media = head.len() as u64;
    for (at, count) in offsets {
        for entry in head.get_mut(at..at + count * 8).unwrap_or_default().chunks_exact_mut(8) {
            let position = u64_at(entry, 0).unwrap_or(0).saturating_add(media);
            entry.copy_from_slice(&position.to_be_bytes());
        }
    }
    pieces.iter_mut().for_each(|p| p.position = p.position.saturating_add(media));
    Ok(Cut {
        head: head.into(),
        pieces,
        length: media.saturating_add(payload),
        start,
        duration: time(i64::try_from(duration).unwrap_or(i64::MAX), timescale),
        frames: 0,
        video,
        audio,
    })
}

type Layout = (Vec<Piece>, Vec<Vec<Chunk>>, u64);

/// Media keeps the order that it has in the old file: pictures and sound of a moment stay together.
fn lay_out(parts: &[Part<'_>]) -> Result<Layout, CutError> {
    let runs = |i: usize| parts.get(i).map_or(&[][..], |p| &p.selection.runs[..]);
    let mut order: Vec<(u64, usize, usize)> =
        (0..parts.len()).flat_map(|i| runs(i).iter().enumerate().map(move |(n, r)| (r.at, i, n))).collect();
    order.sort_unstable();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut chunks: Vec<Vec<(usize, Chunk)>> = vec![Vec::new(); parts.len()];
    let mut position = 0u64;
    for (at, i, n) in order {
        let Some(run) = runs(i).get(n) else { continue };
        chunks[i].push((n, Chunk { position, samples: run.samples, description: run.description }));
        match pieces.last_mut() {
            Some(p) if p.at + p.len == at => p.len += run.bytes,
            _ => pieces.push(Piece { position, at, len: run.bytes }),
        }
        position = position.checked_add(run.bytes).ok_or(CutError::Damaged("it is too large"))?;
    }
    // A track's chunks are listed in decoding order, wherever they lie.
    for c in &mut chunks {
        c.sort_unstable_by_key(|(n, _)| *n);
    }
    Ok((pieces, chunks.into_iter().map(|c| c.into_iter().map(|(_, c)| c).collect()).collect(), position))
}

/// The sample entries that the part uses, by their numbers in the old file, in the order of their first use: a player
/// that looks at the first one only sees the right one.
fn used_entries(part: &Part<'_>) -> Result<Vec<u32>, CutError> {
    let mut used = Vec::new();
    for r in &part.selection.runs {
        if !used.contains(&r.description) {
            used.push(r.description);
        }
    }
    let known = part.track.entries.len();
    if used.iter().any(|&d| usize::try_from(d).map_or(true, |d| d == 0 || d > known)) {
        return Err(CutError::Damaged("a sample without parameters"));
    }
    Ok(used)
}

fn entry<'a>(part: &Part<'a>, description: u32) -> &'a [u8] {
    usize::try_from(description).ok().and_then(|d| part.track.entries.get(d.checked_sub(1)?)).map_or(&[], |e| &e[..])
}

/// The edit list and the durations that follow from it.
#[derive(Debug)]
struct Edits {
    list: Vec<Edit>,
    movie_duration: u64,
}

impl Edits {
    fn of(p: &Part<'_>, timescale: u32, start: Duration) -> Self {
        let rate = p.track.rate;
        let movie = |ticks: i64| u64::try_from(MediaTime(ticks).rescale(rate, timescale).0).unwrap_or(0);
        let s = &p.selection;
        let begins = time(s.start.saturating_add(p.track.shift(timescale)), rate);
        let delay = MediaTime::from_duration(begins.saturating_sub(start), timescale).0;
        let delay = u64::try_from(delay).unwrap_or(0);
        let shown = movie(s.end.saturating_sub(s.start));
        let mut list = Vec::new();
        if delay > 0 {
            list.push(Edit { duration: delay, media_time: None });
        }
        list.push(Edit { duration: shown, media_time: Some(u64::try_from(s.hidden).unwrap_or(0)) });
        Self { list, movie_duration: delay.saturating_add(shown) }
    }
}

fn number(track: &TrackInfo) -> u32 {
    let at = if track.tkhd.get(8) == Some(&1) { 28 } else { 20 };
    u32_at(&track.tkhd, at).unwrap_or(1)
}

fn track(
    b: &mut BoxWriter,
    part: &Part<'_>,
    edits: &Edits,
    used: &[u32],
    chunks: &[Chunk],
    offsets: &mut Vec<(usize, usize)>,
) {
    let (t, s) = (part.track, &part.selection);
    b.bytes(&track_header(part, edits.movie_duration, used));
    boxes::edts(b, &edits.list);
    b.atom(b"mdia", |b| {
        boxes::mdhd(b, t.rate, s.ticks);
        b.bytes(&t.hdlr);
        b.atom(b"minf", |b| {
            b.bytes(&t.minf_head);
            b.atom(b"stbl", |b| {
                b.full(b"stsd", 0, 0, |b| {
                    b.u32(count(used));
                    used.iter().for_each(|&d| b.bytes(entry(part, d)));
                });
                tables(b, s);
                chunk_tables(b, used, chunks, offsets);
            });
        });
    });
}

/// `tkhd` with the new duration and the size of the pictures that come first.
fn track_header(part: &Part<'_>, duration: u64, used: &[u32]) -> Vec<u8> {
    let mut tkhd = part.track.tkhd.clone();
    let long = tkhd.get(8) == Some(&1);
    let (at, size) = if long { (36, 96) } else { (28, 84) };
    if long {
        put(&mut tkhd, at, &duration.to_be_bytes());
    } else {
        put(&mut tkhd, at, &u32::try_from(duration).unwrap_or(u32::MAX).to_be_bytes());
    }
    // VisualSampleEntry: width and height in 16 bits each, 32 bytes into the box.
    if part.track.video
        && let Some(pixels) = used.first().and_then(|&d| entry(part, d).get(32..36))
    {
        put(&mut tkhd, size, &[pixels[0], pixels[1], 0, 0, pixels[2], pixels[3], 0, 0]);
    }
    tkhd
}

fn put(data: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(slot) = data.get_mut(at..at + bytes.len()) {
        slot.copy_from_slice(bytes);
    }
}

fn count<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

/// Times, key frames and sizes (ISO/IEC 14496-12 §8.6, §8.7.3).
fn tables(b: &mut BoxWriter, s: &Selection) {
    b.full(b"stts", 0, 0, |b| {
        b.u32(count(&s.durations));
        for (n, ticks) in &s.durations {
            b.u32(*n);
            b.u32(*ticks);
        }
    });
    if s.offsets.iter().any(|(_, ticks)| *ticks != 0) {
        b.full(b"ctts", 1, 0, |b| {
            b.u32(count(&s.offsets));
            for (n, ticks) in &s.offsets {
                b.u32(*n);
                b.i32(*ticks);
            }
        });
    }
    if s.keys.len() < s.sizes.len() {
        b.full(b"stss", 0, 0, |b| {
            b.u32(count(&s.keys));
            s.keys.iter().for_each(|k| b.u32(*k));
        });
    }
    b.full(b"stsz", 0, 0, |b| {
        b.u32(0);
        b.u32(count(&s.sizes));
        s.sizes.iter().for_each(|n| b.u32(*n));
    });
}

/// Which samples lie together, and where: from the first byte of media on, until the caller adds what comes before it.
fn chunk_tables(b: &mut BoxWriter, used: &[u32], chunks: &[Chunk], offsets: &mut Vec<(usize, usize)>) {
    let new = |d: u32| used.iter().position(|&u| u == d).map_or(1, |i| u32::try_from(i + 1).unwrap_or(1));
    let mut rules: Vec<(u32, u32, u32)> = Vec::new();
    for (c, n) in chunks.iter().zip(1u32..) {
        let rule = (c.samples, new(c.description));
        if rules.last().is_none_or(|&(_, samples, d)| (samples, d) != rule) {
            rules.push((n, rule.0, rule.1));
        }
    }
    b.full(b"stsc", 0, 0, |b| {
        b.u32(count(&rules));
        for (first, samples, description) in rules {
            b.u32(first);
            b.u32(samples);
            b.u32(description);
        }
    });
    b.full(b"co64", 0, 0, |b| {
        b.u32(count(chunks));
        offsets.push((b.len(), chunks.len()));
        chunks.iter().for_each(|c| b.u64(c.position));
    });
}
