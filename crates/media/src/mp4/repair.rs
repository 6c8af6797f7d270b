//! What start-up does with a session file whose writer died.
//!
//! **Nothing whole is ever given up**: a torn end is cut off, a fragment whose bytes never reached the disk is left
//! out, and everything else ends up in a finished file. The same holds when the repair itself is interrupted: it
//! writes into the reserve, then flips, exactly as a normal end does, and can be run again at any point.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use super::finish::{FinalTrack, final_moov};
use super::read::{Found, boxes, descend, find, header, u32_at, u64_at};
use super::session::Op;
use super::session::close::{edit_list, mdat_from};
use super::tables::{Capacity, SampleEntry, Tables, Write, free_header};
use crate::{MediaTime, nal};

/// A `moov` or `moof` longer than this is not one of ours.
const MAX_HEAD: u64 = 256 << 20;
/// So many fragments at the end are looked into: older ones were synced long before the power went.
const SUSPECTS: usize = 64;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Length of the visible part.
    pub duration: Duration,
    /// Video frames.
    pub frames: u64,
    /// Bytes of media and fragment headers.
    pub media_bytes: u64,
    /// Codec, width and height of the pictures, by their first sample entry.
    pub video: Option<(&'static str, u32, u32)>,
    /// Codec of the sound.
    pub audio: Option<&'static str>,
    /// The movie lies behind the media, because there was no room for it in front.
    pub behind: bool,
}

/// The verdict on a file.
#[derive(Debug)]
pub enum Verdict {
    /// It was finished; nothing to do.
    Finished(Facts),
    /// Carry these out, in order, and it is.
    Repair(Facts, Vec<Op>),
    /// There is not one whole fragment in it.
    Empty,
}

/// Why nothing can be said about a file.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It was not written by us, or its beginning is destroyed.
    #[error("this is not a recording of ours: {0}")]
    Foreign(&'static str),
}

struct Lane {
    tkhd: Vec<u8>,
    hdlr: Vec<u8>,
    minf_head: Vec<u8>,
    stsd: Vec<u8>,
    rate: u32,
    video: bool,
    nal_units: bool,
    start: i64,
    chunks: Vec<Chunk>,
    end: i64,
}

/// Samples of a track that lie one after another.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) moof: u64,
    /// First byte of the first sample.
    pub(super) offset: u64,
    /// Decode time of the first sample.
    pub(super) dts: i64,
    /// Their sample entry, from 1.
    pub(super) description: u32,
    pub(super) samples: Vec<SampleEntry>,
}

/// Looks at a file and says what has to be done.
pub fn inspect<R: Read + Seek>(file: &mut R) -> Result<Verdict, RepairError> {
    let len = file.seek(SeekFrom::End(0))?;
    let mut at = 0;
    let mut media = None;
    loop {
        let Some((size, kind)) = top_header(file, at, len)? else {
            return if at < len.min(64) { Ok(Verdict::Empty) } else { Err(RepairError::Foreign("no movie header")) };
        };
        match &kind {
            b"ftyp" | b"free" if size <= len - at => at += size,
            // Its movie lies behind it.
            b"mdat" if media.is_none() && size >= 16 && size <= len - at => {
                media = Some(size - 16);
                at += size;
            }
            b"moov" if size <= MAX_HEAD && size <= len - at => {
                let moov = read_at(file, at, size)?;
                if boxes(&moov[8..]).map(|b| b.whole.len()).sum::<usize>() + 8 != moov.len() {
                    return torn_head(file, at, len);
                }
                if find(&moov[8..], b"mvex").is_none() {
                    return finished(&moov, media.unwrap_or(len - at - size), media.is_some());
                }
                if media.is_some() {
                    return Err(RepairError::Foreign("fragments before the movie header"));
                }
                return growing(file, &moov, at, len);
            }
            // The first bytes of a new file are zeros until its head is written.
            _ if at == 0 && size == 0 => return Ok(Verdict::Empty),
            _ => return Err(RepairError::Foreign("an unexpected box before the movie header")),
        }
    }
}

/// Size and kind of the box at `at`; zeros are reported as size 0 of kind zero.
fn top_header<R: Read + Seek>(file: &mut R, at: u64, len: u64) -> io::Result<Option<(u64, [u8; 4])>> {
    if at.saturating_add(8) > len {
        return Ok(None);
    }
    let head = read_at(file, at, 8.min(len - at))?;
    if head == [0; 8] {
        return Ok(Some((0, [0; 4])));
    }
    Ok(match header(&head) {
        Some(h) => Some(h),
        None if head[..4] == [0, 0, 0, 1] && at + 16 <= len => {
            let large = read_at(file, at + 8, 8)?;
            let kind = [head[4], head[5], head[6], head[7]];
            u64_at(&large, 0).filter(|&s| s >= 16).map(|s| (s, kind))
        }
        None => None,
    })
}

fn read_at<R: Read + Seek>(file: &mut R, at: u64, len: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut out = Vec::new();
    file.take(len).read_to_end(&mut out)?;
    if out.len() as u64 != len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(out)
}

/// The head is synced before anything else is written: when it is torn, nothing but zeros follows.
fn torn_head<R: Read + Seek>(file: &mut R, at: u64, len: u64) -> Result<Verdict, RepairError> {
    let mut last = at;
    let mut from = at;
    while from < len {
        let block = read_at(file, from, (len - from).min(1 << 20))?;
        if let Some(i) = block.iter().rposition(|&b| b != 0) {
            last = from + i as u64;
        }
        from += block.len() as u64;
    }
    // A head is a few kilobytes; fragments begin after a reserve that is much longer.
    if last < at + (64 << 10) { Ok(Verdict::Empty) } else { Err(RepairError::Foreign("its beginning is destroyed")) }
}

fn finished(moov: &[u8], media_bytes: u64, behind: bool) -> Result<Verdict, RepairError> {
    let mvhd = find(&moov[8..], b"mvhd").ok_or(RepairError::Foreign("a movie without header"))?;
    let (timescale, duration) = (u32_at(mvhd.body, 20), u64_at(mvhd.body, 24));
    let duration = match (timescale, duration.map(i64::try_from)) {
        (Some(t), Some(Ok(d))) if t > 0 => MediaTime(d).since(MediaTime(0), t),
        _ => return Err(RepairError::Foreign("a movie without duration")),
    };
    let frames = boxes(&moov[8..])
        .filter(|b| b.kind == *b"trak")
        .filter(|t| descend(t.body, &[b"mdia", b"hdlr"]).is_some_and(|h| h.body.get(8..12) == Some(b"vide")))
        .filter_map(|t| descend(t.body, &[b"mdia", b"minf", b"stbl", b"stsz"]))
        .filter_map(|s| u32_at(s.body, 8))
        .map(u64::from)
        .sum();
    let (video, audio) = codecs(moov);
    Ok(Verdict::Finished(Facts { duration, frames, media_bytes, video, audio, behind }))
}

fn growing<R: Read + Seek>(file: &mut R, moov: &[u8], at: u64, len: u64) -> Result<Verdict, RepairError> {
    let mut lanes: Vec<Lane> = boxes(&moov[8..]).filter(|b| b.kind == *b"trak").filter_map(|b| lane(&b)).collect();
    if lanes.is_empty() {
        return Err(RepairError::Foreign("a movie without tracks"));
    }
    let free_at = at + moov.len() as u64;
    let mut data_start = match top_header(file, free_at, len)? {
        // The length of the file is the end of the reserve from the first moment on.
        Some((size, kind)) if kind == *b"free" && size >= 24 && size <= len - free_at => free_at + size,
        _ => return torn_head(file, free_at, len),
    };
    // Space was inserted, and the reserve has not taken its new size.
    if let Some((size, kind)) = top_header(file, data_start, len)?
        && kind == *b"free"
        && size <= len - data_start
    {
        data_start += size;
    }
    let tail = scan(file, &mut lanes, data_start, len)?;
    drop_unwritten(file, &mut lanes)?;
    if lanes.iter().all(|l| l.chunks.is_empty()) {
        return Ok(Verdict::Empty);
    }
    lanes.iter_mut().for_each(close_holes);

    let timescale = find(&moov[8..], b"mvhd").and_then(|m| u32_at(m.body, 20)).filter(|&t| t > 0);
    let timescale = timescale.ok_or(RepairError::Foreign("a movie without clock"))?;
    let mut ops = Vec::new();
    if tail < len {
        ops.push(Op::Truncate(tail));
        ops.push(Op::Sync);
    }
    let stage = free_at + 8;
    let (mut writes, end, duration) = build(&lanes, stage, timescale)?;
    let behind = end + 24 > data_start;
    if behind {
        // More samples than the reserve was made for: the movie goes behind the media, as [`super::session::close`]
        // does it.
        let (movie, end, _) = build(&lanes, tail + 8, timescale)?;
        // The last table's region may be longer than what is written of it.
        writes = vec![Write::new(end - 8, vec![0; 8])];
        writes.extend(movie);
        writes.push(Write::new(tail, free_header(end - tail)));
        writes.extend(mdat_from(stage, data_start, tail + 8));
    } else {
        writes.extend(mdat_from(end, data_start, tail));
    }
    ops.extend(writes.into_iter().map(Op::Write));
    ops.push(Op::Sync);
    ops.push(Op::Write(Write::new(at, free_header(moov.len() as u64 + 8))));
    ops.push(Op::Sync);

    let frames = lanes.iter().filter(|l| l.video).flat_map(|l| &l.chunks).map(|c| c.samples.len() as u64).sum();
    let duration = i64::try_from(duration).unwrap_or(0);
    let (video, audio) = codecs(moov);
    let facts = Facts {
        duration: MediaTime(duration).since(MediaTime(0), timescale),
        frames,
        media_bytes: tail - data_start,
        video,
        audio,
        behind,
    };
    Ok(Verdict::Repair(facts, ops))
}

pub(super) type Video = (&'static str, u32, u32);

/// What the first sample entries of a movie say.
pub(super) fn codecs(moov: &[u8]) -> (Option<Video>, Option<&'static str>) {
    let (mut video, mut audio) = (None, None);
    for trak in boxes(moov.get(8..).unwrap_or(&[])).filter(|b| b.kind == *b"trak") {
        let stsd = descend(trak.body, &[b"mdia", b"minf", b"stbl", b"stsd"]);
        let Some(entry) = stsd.and_then(|s| boxes(s.body.get(8..)?).next()) else { continue };
        let name = match &entry.kind {
            b"avc1" => "h264",
            b"hvc1" => "h265",
            b"mp4v" => "mjpeg",
            b"mp4a" => "aac",
            b"Opus" => "opus",
            b"alaw" => "pcm_alaw",
            b"ulaw" => "pcm_mulaw",
            _ => continue,
        };
        if matches!(name, "h264" | "h265" | "mjpeg") {
            let size = u32_at(entry.body, 24).unwrap_or(0);
            video = Some((name, size >> 16, size & 0xffff));
        } else {
            audio = Some(name);
        }
    }
    (video, audio)
}

fn lane(trak: &Found<'_>) -> Option<Lane> {
    let mdia = find(trak.body, b"mdia")?;
    let minf = find(mdia.body, b"minf")?;
    let stsd = descend(minf.body, &[b"stbl", b"stsd"])?;
    let hdlr = find(mdia.body, b"hdlr")?;
    let rate = u32_at(find(mdia.body, b"mdhd")?.body, 20).filter(|&r| r > 0)?;
    // `elst` version 1: the one edit that we write into a growing file has its media time at byte 16.
    let start = descend(trak.body, &[b"edts", b"elst"]).and_then(|e| u64_at(e.body, 16)).unwrap_or(0);
    let entry = stsd.body.get(8..).and_then(|e| boxes(e).next()).map(|e| e.kind);
    Some(Lane {
        tkhd: find(trak.body, b"tkhd")?.whole.to_vec(),
        hdlr: hdlr.whole.to_vec(),
        minf_head: boxes(minf.body).filter(|b| b.kind != *b"stbl").flat_map(|b| b.whole.to_vec()).collect(),
        stsd: stsd.whole.to_vec(),
        rate,
        video: hdlr.body.get(8..12) == Some(b"vide"),
        nal_units: entry.is_some_and(|kind| matches!(&kind, b"avc1" | b"hvc1")),
        start: i64::try_from(start).ok()?,
        chunks: Vec::new(),
        end: 0,
    })
}

/// Reads fragment after fragment, and says where the last whole one ends.
fn scan<R: Read + Seek>(file: &mut R, lanes: &mut [Lane], from: u64, len: u64) -> Result<u64, RepairError> {
    let mut at = from;
    while let Some((size, kind)) = top_header(file, at, len)? {
        // Tables that found no room in the reserve.
        if kind == *b"free" && size <= MAX_HEAD && at.saturating_add(size) <= len {
            at += size;
            continue;
        }
        if kind != *b"moof" || !(8..=MAX_HEAD).contains(&size) {
            break;
        }
        let Some((mdat, kind)) = top_header(file, at.saturating_add(size), len)? else { break };
        let end = at.saturating_add(size).saturating_add(mdat);
        if kind != *b"mdat" || end > len {
            break;
        }
        let moof = read_at(file, at, size)?;
        for traf in boxes(&moof[8..]).filter(|b| b.kind == *b"traf") {
            if let Some((track, chunk)) = chunk(traf.body, at, (at + size + 8, end))
                && let Some(lane) = lanes.get_mut(track)
            {
                lane.chunks.push(chunk);
            }
        }
        at = end;
    }
    // A file that ends before its first fragment is as long as its reserve.
    Ok(at.min(len.max(from)))
}

/// What a track fragment says, with the index of its track; `None` when its samples do not lie in `data`.
pub(super) fn chunk(traf: &[u8], moof: u64, data: (u64, u64)) -> Option<(usize, Chunk)> {
    let tfhd = find(traf, b"tfhd")?.body;
    let track = usize::try_from(u32_at(tfhd, 4)?).ok()?.checked_sub(1)?;
    let description = if u32_at(tfhd, 0)? & 2 != 0 { u32_at(tfhd, 8)? } else { 1 };
    let dts = i64::try_from(u64_at(find(traf, b"tfdt")?.body, 4)?).ok()?;
    let trun = find(traf, b"trun")?.body;
    let count = usize::try_from(u32_at(trun, 4)?).ok()?;
    let offset = moof + u64::from(u32_at(trun, 8)?);
    let samples: Vec<SampleEntry> = trun
        .get(12..)?
        .chunks_exact(16)
        .take(count)
        .filter_map(|s| {
            Some(SampleEntry {
                duration: u32_at(s, 0)?,
                size: u32_at(s, 4)?,
                key: u32_at(s, 8)? & 0x1_0000 == 0,
                composition_offset: u32_at(s, 12)?.cast_signed(),
            })
        })
        .collect();
    let size: u64 = samples.iter().map(|s| u64::from(s.size)).sum();
    let whole = samples.len() == count && offset >= data.0 && offset.checked_add(size)? <= data.1;
    whole.then_some((track, Chunk { moof, offset, dts, description, samples }))
}

/// Leaves out fragments at the end whose pictures are not there: after a power cut a file can have its length
/// without its bytes.
fn drop_unwritten<R: Read + Seek>(file: &mut R, lanes: &mut [Lane]) -> Result<(), RepairError> {
    let mut bad = VecDeque::new();
    for lane in lanes.iter().filter(|l| l.nal_units) {
        for c in lane.chunks.iter().rev().take(SUSPECTS) {
            let size: u64 = c.samples.iter().map(|s| u64::from(s.size)).sum();
            let data = read_at(file, c.offset, size)?;
            let mut at = 0;
            for s in &c.samples {
                let end = at + s.size as usize;
                let unit = data.get(at..end).unwrap_or(&[]);
                let covered: usize = nal::units(unit).map(|n| n.len() + 4).sum();
                if covered != unit.len() || nal::units(unit).any(<[u8]>::is_empty) {
                    bad.push_back(c.moof);
                    break;
                }
                at = end;
            }
        }
    }
    for lane in lanes {
        lane.chunks.retain(|c| !bad.contains(&c.moof));
    }
    Ok(())
}

/// A sample lasts until the next one: also when a fragment between them was left out.
fn close_holes(lane: &mut Lane) {
    let total = |c: &Chunk| c.samples.iter().map(|s| i64::from(s.duration)).sum::<i64>();
    for i in 1..lane.chunks.len() {
        let next = lane.chunks[i].dts;
        let before = &mut lane.chunks[i - 1];
        let hole = next.saturating_sub(before.dts).saturating_sub(total(before));
        if let Some(last) = before.samples.last_mut()
            && hole > 0
        {
            last.duration = u32::try_from(hole.saturating_add(last.duration.into())).unwrap_or(u32::MAX);
        }
    }
    for c in &lane.chunks {
        let mut dts = c.dts;
        for s in &c.samples {
            let shown = dts.saturating_add(s.composition_offset.into());
            lane.end = lane.end.max(shown.saturating_add(s.duration.into()));
            dts = dts.saturating_add(s.duration.into());
        }
    }
}

/// The final movie from `at` on: what to write, where it ends, and its duration in movie ticks.
fn build(lanes: &[Lane], at: u64, timescale: u32) -> Result<(Vec<Write>, u64, u64), RepairError> {
    let mut writes = Vec::new();
    let mut tracks = Vec::new();
    let mut end = at;
    for l in lanes.iter().filter(|l| !l.chunks.is_empty()) {
        let samples: Vec<&SampleEntry> = l.chunks.iter().flat_map(|c| &c.samples).collect();
        let capacity = Capacity {
            samples: samples.len() as u64,
            chunks: l.chunks.len() as u64,
            reordered: samples.iter().any(|s| s.composition_offset != 0),
            has_keys: samples.iter().any(|s| !s.key),
        };
        let head = l.tkhd.len() + l.hdlr.len() + l.minf_head.len() + l.stsd.len() + 512;
        end = (end + head as u64).next_multiple_of(8);
        let first_table = end;
        let mut tables = Tables::new(capacity, &mut end);
        for c in &l.chunks {
            tables.chunk(c.offset, c.description, c.samples.iter().copied(), &mut writes);
        }
        tables.finish(&mut writes);
        let first = l.chunks.first().map_or(0, |c| c.dts);
        let edits = edit_list(first, l.start, l.end, l.rate, timescale);
        tracks.push(FinalTrack {
            tkhd: l.tkhd.clone(),
            hdlr: l.hdlr.clone(),
            minf_head: l.minf_head.clone(),
            stsd: l.stsd.clone(),
            rate: l.rate,
            media_duration: samples.iter().map(|s| u64::from(s.duration)).sum(),
            movie_duration: edits.iter().map(|e| e.duration).sum(),
            edits,
            tables: (first_table, end),
        });
    }
    let duration = tracks.iter().map(|t| t.movie_duration).max().unwrap_or(0);
    final_moov(at, timescale, duration, &tracks, &mut writes)
        .map_err(|_| RepairError::Foreign("its boxes are too large"))?;
    Ok((writes, end, duration))
}
