//! Reading samples back, chunk after chunk: from the tables of a finished file, or from the fragments of a growing one.
//!
//! **No table is read whole**, and no size that the file names is believed beyond the bytes that are there.

use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use super::{CutError, Fragment};
use crate::MediaTime;
use crate::mp4::read::{boxes, find, u32_at, u64_at};
use crate::mp4::repair::{Chunk, chunk};
use crate::mp4::tables::SampleEntry;

/// Boxes other than tables are small.
const MAX_BOX: u64 = 1 << 20;
/// Boxes of one level.
const MAX_BOXES: usize = 256;
/// Bytes of a table held at a time.
const PAGE: u64 = 32 << 10;
/// Samples handed out at a time.
const MAX_SAMPLES: u32 = 4096;
const MAX_TRACKS: usize = 8;
const MAX_MOOF: u64 = 4 << 20;

/// A box by its place.
#[derive(Debug, Clone, Copy, Default)]
struct Spot {
    kind: [u8; 4],
    start: u64,
    body: u64,
    end: u64,
}

impl Spot {
    fn read<R: Read + Seek>(self, file: &mut R) -> Result<Vec<u8>, CutError> {
        read_at(file, self.start, self.end - self.start, MAX_BOX)
    }
}

fn read_at<R: Read + Seek>(file: &mut R, at: u64, len: u64, most: u64) -> Result<Vec<u8>, CutError> {
    if len > most {
        return Err(CutError::Damaged("a box is too large"));
    }
    let mut data = vec![0; usize::try_from(len).map_err(|_| CutError::Damaged("a box is too large"))?];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut data)?;
    Ok(data)
}

/// The box at `at`, which has to end at `end` or before.
fn spot<R: Read + Seek>(file: &mut R, at: u64, end: u64) -> Result<Option<Spot>, CutError> {
    if end.saturating_sub(at) < 8 {
        return Ok(None);
    }
    let head = read_at(file, at, 8, 8)?;
    let kind = head.last_chunk().copied().unwrap_or_default();
    let (size, body) = match u32_at(&head, 0) {
        Some(1) if end - at >= 16 => (u64_at(&read_at(file, at + 8, 8, 8)?, 0).unwrap_or(0), at + 16),
        size => (u64::from(size.unwrap_or(0)), at + 8),
    };
    if size < body - at || size > end - at {
        return Err(CutError::Damaged("a box does not fit"));
    }
    Ok(Some(Spot { kind, start: at, body, end: at + size }))
}

/// See [`super::media_start`].
pub(super) fn media_start<R: Read + Seek>(file: &mut R) -> Result<u64, CutError> {
    let len = file.seek(SeekFrom::End(0))?;
    let mut at = 0;
    for _ in 0..MAX_BOXES {
        match spot(file, at, len)? {
            Some(s) if s.kind == *b"moof" => return Ok(s.start),
            Some(s) if s.kind == *b"mdat" => return Ok(s.body),
            Some(s) => at = s.end,
            None => break,
        }
    }
    Err(CutError::Damaged("it has no media"))
}

fn children<R: Read + Seek>(file: &mut R, parent: Spot) -> Result<Vec<Spot>, CutError> {
    let (mut at, mut all) = (parent.body, Vec::new());
    while let Some(s) = spot(file, at, parent.end)? {
        if all.len() >= MAX_BOXES {
            return Err(CutError::Damaged("too many boxes"));
        }
        at = s.end;
        all.push(s);
    }
    Ok(all)
}

fn one(all: &[Spot], kind: &[u8; 4]) -> Result<Spot, CutError> {
    all.iter().find(|s| s.kind == *kind).copied().ok_or(CutError::Damaged("a box is missing"))
}

/// What the file says beside its samples.
#[derive(Debug)]
pub(super) struct Movie {
    pub(super) len: u64,
    /// Ticks per second of edit lists, never zero.
    pub(super) timescale: u32,
    pub(super) fragmented: bool,
    /// The first of each kind.
    pub(super) tracks: Vec<TrackInfo>,
}

/// A track's boxes, and where its tables are.
#[derive(Debug)]
pub(super) struct TrackInfo {
    pub(super) video: bool,
    /// Ticks per second of its times, never zero.
    pub(super) rate: u32,
    pub(super) tkhd: Vec<u8>,
    pub(super) hdlr: Vec<u8>,
    pub(super) minf_head: Vec<u8>,
    /// Sample entries; never empty.
    pub(super) entries: Vec<Vec<u8>>,
    /// Movie ticks before it begins.
    delay: u64,
    /// Media time that is shown first.
    media_time: i64,
    /// How long it is shown, in movie ticks; 0 in growing files.
    shown: u64,
    tables: Vec<Spot>,
}

impl Movie {
    pub(super) fn read<R: Read + Seek>(file: &mut R) -> Result<Self, CutError> {
        let len = file.seek(SeekFrom::End(0))?;
        let mut at = 0;
        let mut before = 0;
        let moov = loop {
            let Some(s) = spot(file, at, len)? else { return Err(CutError::Damaged("it has no index")) };
            before += 1;
            match &s.kind {
                b"moov" => break s,
                _ if before > MAX_BOXES => return Err(CutError::Damaged("it has no index")),
                _ => at = s.end,
            }
        };
        let inside = children(file, moov)?;
        let mvhd = one(&inside, b"mvhd")?.read(file)?;
        let timescale = u32_at(&mvhd, if mvhd.get(8) == Some(&1) { 28 } else { 20 }).filter(|&t| t > 0);
        let timescale = timescale.ok_or(CutError::Damaged("a movie without a clock"))?;
        let mut tracks: Vec<TrackInfo> = Vec::new();
        for s in inside.iter().filter(|s| s.kind == *b"trak").take(MAX_TRACKS) {
            if let Some(t) = TrackInfo::read(file, *s)?
                && !tracks.iter().any(|known| known.video == t.video)
            {
                tracks.push(t);
            }
        }
        if tracks.is_empty() {
            return Err(CutError::Damaged("it has neither pictures nor sound"));
        }
        let fragmented = inside.iter().any(|s| s.kind == *b"mvex");
        Ok(Self { len, timescale, fragmented, tracks })
    }

    /// Length of the visible timeline.
    pub(super) fn visible(&self) -> Duration {
        self.tracks.iter().filter_map(|t| t.visible(self.timescale)).max().unwrap_or_default()
    }
}

impl TrackInfo {
    /// `None` for tracks that are neither pictures nor sound.
    fn read<R: Read + Seek>(file: &mut R, trak: Spot) -> Result<Option<Self>, CutError> {
        let trak = children(file, trak)?;
        let mdia = children(file, one(&trak, b"mdia")?)?;
        let hdlr = one(&mdia, b"hdlr")?.read(file)?;
        let video = match hdlr.get(16..20) {
            Some(b"vide") => true,
            Some(b"soun") => false,
            _ => return Ok(None),
        };
        let mdhd = one(&mdia, b"mdhd")?.read(file)?;
        let rate = u32_at(&mdhd, if mdhd.get(8) == Some(&1) { 28 } else { 20 }).filter(|&r| r > 0);
        let rate = rate.ok_or(CutError::Damaged("a track without a clock"))?;
        let minf = children(file, one(&mdia, b"minf")?)?;
        let mut minf_head = Vec::new();
        for s in minf.iter().filter(|s| matches!(&s.kind, b"vmhd" | b"smhd" | b"dinf")) {
            minf_head.extend(s.read(file)?);
        }
        let tables = children(file, one(&minf, b"stbl")?)?;
        let stsd = one(&tables, b"stsd")?.read(file)?;
        let entries: Vec<Vec<u8>> = boxes(stsd.get(16..).unwrap_or(&[])).map(|b| b.whole.to_vec()).collect();
        if entries.is_empty() {
            return Err(CutError::Damaged("a track without parameters"));
        }
        let edits = match trak.iter().find(|s| s.kind == *b"edts") {
            Some(s) => s.read(file)?,
            None => Vec::new(),
        };
        let (delay, media_time, shown) = edit_list(edits.get(8..).unwrap_or(&[]));
        let tkhd = one(&trak, b"tkhd")?.read(file)?;
        Ok(Some(Self { video, rate, tkhd, hdlr, minf_head, entries, delay, media_time, shown, tables }))
    }

    /// Ticks of the track from media time to the visible timeline.
    pub(super) fn shift(&self, timescale: u32) -> i64 {
        let delay = MediaTime(i64::try_from(self.delay).unwrap_or(i64::MAX)).rescale(timescale, self.rate).0;
        delay.saturating_sub(self.media_time)
    }

    /// Where the track ends on the visible timeline; `None` when nothing says so.
    pub(super) fn visible(&self, timescale: u32) -> Option<Duration> {
        let end = i64::try_from(self.delay.saturating_add(self.shown)).unwrap_or(i64::MAX);
        (self.shown > 0).then(|| MediaTime(end).since(MediaTime(0), timescale))
    }

    /// Its samples, by the tables.
    pub(super) fn chunks(&self, len: u64) -> Result<Chunks, CutError> {
        Ok(Chunks::Tables(Box::new(TableChunks::new(&self.tables, len)?)))
    }
}

/// Delay, first media time and length that an edit list says. Our files have one visible piece.
fn edit_list(edts: &[u8]) -> (u64, i64, u64) {
    let Some(elst) = find(edts, b"elst").map(|b| b.body) else { return (0, 0, 0) };
    let long = elst.first() == Some(&1);
    let entry = if long { 20 } else { 12 };
    let mut delay = 0u64;
    for e in elst.get(8..).unwrap_or(&[]).chunks_exact(entry) {
        let (duration, media_time) = if long {
            (u64_at(e, 0).unwrap_or(0), u64_at(e, 8).unwrap_or(0).cast_signed())
        } else {
            (u64::from(u32_at(e, 0).unwrap_or(0)), i64::from(u32_at(e, 4).unwrap_or(0).cast_signed()))
        };
        if media_time >= 0 {
            return (delay, media_time, duration);
        }
        delay = delay.saturating_add(duration);
    }
    (delay, 0, 0)
}

/// The samples of a track, chunk after chunk in decoding order.
#[derive(Debug)]
pub(super) enum Chunks {
    Tables(Box<TableChunks>),
    Fragments { fragments: Vec<Fragment>, next: usize, track: usize, len: u64 },
}

impl Chunks {
    pub(super) fn fragments(fragments: &[Fragment], track: usize, len: u64) -> Self {
        Chunks::Fragments { fragments: fragments.to_vec(), next: 0, track, len }
    }

    pub(super) fn next<R: Read + Seek>(&mut self, file: &mut R) -> Result<Option<Chunk>, CutError> {
        match self {
            Chunks::Tables(t) => t.next(file),
            Chunks::Fragments { fragments, next, track, len } => {
                while let Some(f) = fragments.get(*next) {
                    *next += 1;
                    if let Some(c) = fragment(file, f.at, *track, *len)? {
                        return Ok(Some(c));
                    }
                }
                Ok(None)
            }
        }
    }
}

/// What a fragment has of a track.
fn fragment<R: Read + Seek>(file: &mut R, at: u64, track: usize, len: u64) -> Result<Option<Chunk>, CutError> {
    const GONE: CutError = CutError::Damaged("a fragment is not where it was written");
    let moof = spot(file, at, len)?.filter(|s| s.kind == *b"moof").ok_or(GONE)?;
    let mdat = spot(file, moof.end, len)?.filter(|s| s.kind == *b"mdat").ok_or(GONE)?;
    let bytes = read_at(file, moof.body, moof.end - moof.body, MAX_MOOF)?;
    let trafs = boxes(&bytes).filter(|b| b.kind == *b"traf");
    let found = trafs.filter_map(|t| chunk(t.body, at, (mdat.body, mdat.end))).find(|(i, _)| *i == track);
    Ok(found.map(|(_, c)| c))
}

/// A table of which one page is in memory.
#[derive(Debug)]
struct Table {
    at: u64,
    count: u32,
    width: u64,
    /// Index of the first entry in the page.
    first: u32,
    page: Vec<u8>,
}

impl Table {
    /// Entries of `width` bytes, counted in the four bytes before the first, which is `head` bytes into the box.
    fn new<R: Read + Seek>(file: &mut R, s: Spot, head: u64, width: u64) -> Result<Self, CutError> {
        let at = s.body.saturating_add(head);
        if at > s.end {
            return Err(CutError::Damaged("a table is cut off"));
        }
        let count = u32_at(&read_at(file, at - 4, 4, 4)?, 0).unwrap_or(0);
        if u64::from(count) * width > s.end - at {
            return Err(CutError::Damaged("a table is cut off"));
        }
        Ok(Self { at, count, width, first: 0, page: Vec::new() })
    }

    fn get<R: Read + Seek>(&mut self, file: &mut R, index: u32) -> Result<Option<&[u8]>, CutError> {
        if index >= self.count {
            return Ok(None);
        }
        let per_page = u32::try_from(PAGE / self.width).unwrap_or(1).max(1);
        let first = index - index % per_page;
        if self.page.is_empty() || self.first != first {
            let n = u64::from(per_page.min(self.count - first));
            self.page = read_at(file, self.at + u64::from(first) * self.width, n * self.width, PAGE)?;
            self.first = first;
        }
        let width = usize::try_from(self.width).unwrap_or(usize::MAX);
        let at = usize::try_from(index - first).unwrap_or(usize::MAX).saturating_mul(width);
        Ok(self.page.get(at..at.saturating_add(width)))
    }

    fn u32<R: Read + Seek>(&mut self, file: &mut R, index: u32) -> Result<Option<u32>, CutError> {
        Ok(self.get(file, index)?.and_then(|e| u32_at(e, 0)))
    }
}

/// A table of equal values in a row.
#[derive(Debug)]
struct Runs {
    table: Table,
    next: u32,
    left: u32,
    value: u32,
}

impl Runs {
    fn new(table: Table) -> Self {
        Self { table, next: 0, left: 0, value: 0 }
    }

    fn next<R: Read + Seek>(&mut self, file: &mut R) -> Result<Option<u32>, CutError> {
        while self.left == 0 {
            let Some(entry) = self.table.get(file, self.next)? else { return Ok(None) };
            (self.left, self.value) = (u32_at(entry, 0).unwrap_or(0), u32_at(entry, 4).unwrap_or(0));
            self.next += 1;
        }
        self.left -= 1;
        Ok(Some(self.value))
    }
}

/// See [`Chunks`].
#[derive(Debug)]
pub(super) struct TableChunks {
    spots: Vec<Spot>,
    len: u64,
    open: Option<Open>,
    sample: u32,
    chunk: u32,
    /// Samples of the current chunk that were not given yet.
    left: u32,
    offset: u64,
    rule: u32,
    description: u32,
    dts: i64,
}

#[derive(Debug)]
struct Open {
    durations: Runs,
    offsets: Option<Runs>,
    keys: Option<(Table, u32)>,
    sizes: Table,
    rules: Table,
    places: Table,
}

impl Open {
    fn new<R: Read + Seek>(file: &mut R, spots: &[Spot]) -> Result<Self, CutError> {
        let find = |kind: &[u8; 4]| spots.iter().find(|s| s.kind == *kind).copied();
        let need = |kind| find(kind).ok_or(CutError::Damaged("a table is missing"));
        let stsz = need(b"stsz")?;
        let sizes = Table::new(file, stsz, 12, 4)?;
        if u32_at(&read_at(file, stsz.body + 4, 4, 4)?, 0) != Some(0) {
            return Err(CutError::Damaged("its samples have one size, as in no recording of ours"));
        }
        let places = match find(b"co64") {
            Some(s) => Table::new(file, s, 8, 8)?,
            None => Table::new(file, need(b"stco")?, 8, 4)?,
        };
        let mut optional = |kind, width| find(kind).map(|s| Table::new(file, s, 8, width)).transpose();
        let (offsets, keys) = (optional(b"ctts", 8)?.map(Runs::new), optional(b"stss", 4)?.map(|t| (t, 0)));
        let durations = Runs::new(Table::new(file, need(b"stts")?, 8, 8)?);
        Ok(Self { durations, offsets, keys, sizes, rules: Table::new(file, need(b"stsc")?, 8, 12)?, places })
    }
}

impl TableChunks {
    fn new(spots: &[Spot], len: u64) -> Result<Self, CutError> {
        let (sample, chunk, left, offset, rule, description, dts) = (0, 0, 0, 0, 0, 1, 0);
        Ok(Self { spots: spots.to_vec(), len, open: None, sample, chunk, left, offset, rule, description, dts })
    }

    fn next<R: Read + Seek>(&mut self, file: &mut R) -> Result<Option<Chunk>, CutError> {
        let open = match &mut self.open {
            Some(o) => o,
            None => self.open.insert(Open::new(file, &self.spots)?),
        };
        if self.sample >= open.sizes.count {
            return Ok(None);
        }
        if self.left == 0 {
            let Some(place) = open.places.get(file, self.chunk)? else { return Ok(None) };
            self.offset = u64_at(place, 0).or_else(|| u32_at(place, 0).map(u64::from)).unwrap_or(0);
            while open.rules.u32(file, self.rule.saturating_add(1))?.is_some_and(|first| first <= self.chunk + 1) {
                self.rule += 1;
            }
            let Some(rule) = open.rules.get(file, self.rule)? else { return Ok(None) };
            self.left = u32_at(rule, 4).unwrap_or(0);
            self.description = u32_at(rule, 8).unwrap_or(0);
            self.chunk += 1;
            if self.left == 0 {
                return Err(CutError::Damaged("a chunk without samples"));
            }
        }
        let (offset, dts) = (self.offset, self.dts);
        let mut samples = Vec::new();
        while self.left > 0 && self.sample < open.sizes.count && samples.len() < MAX_SAMPLES as usize {
            let size = open.sizes.u32(file, self.sample)?.unwrap_or(0);
            self.sample += 1;
            self.left -= 1;
            let duration = open.durations.next(file)?.ok_or(CutError::Damaged("a sample without a time"))?;
            let composition_offset = match &mut open.offsets {
                Some(r) => r.next(file)?.unwrap_or(0).cast_signed(),
                None => 0,
            };
            let key = match &mut open.keys {
                Some((table, next)) => {
                    let key = table.u32(file, *next)? == Some(self.sample);
                    *next += u32::from(key);
                    key
                }
                None => true,
            };
            self.offset = self.offset.checked_add(size.into()).filter(|&end| end <= self.len).ok_or_else(outside)?;
            self.dts = self.dts.saturating_add(duration.into());
            samples.push(SampleEntry { duration, composition_offset, size, key });
        }
        Ok(Some(Chunk { moof: 0, offset, dts, description: self.description, samples }))
    }
}

fn outside() -> CutError {
    CutError::Damaged("a sample lies outside the file")
}
