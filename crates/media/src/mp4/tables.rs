//! The sample tables of one track, written page by page into the space kept for them.
//!
//! **Memory does not grow with the length of a recording**: of each table only the page being filled is held; full
//! pages go to their final place at once. Each table has a region of the file from the beginning; what it leaves
//! unused becomes a `free` box inside `stbl`. A region that is nearly used up is made larger where the file system can
//! put space into the middle of a file ([`Tables::inserted`]); where it cannot, further pages are handed out to be put
//! anywhere ([`Tables::spill`]), and the whole table is copied behind the media at the end ([`Tables::behind`]).

use bytes::Bytes;

use super::boxes::BoxWriter;
use super::session::Op;

/// Bytes gathered before they are written.
const PAGE: usize = 4096;
/// Kept beyond the plan: [`Tables::room_at`] asks for more while there is still room for some fragments.
const MARGIN: u64 = 64 << 10;
/// Space is inserted into a file at multiples of this, the block size of common file systems.
pub(super) const BLOCK: u64 = 4096;

/// Bytes that belong at a place of the file.
#[derive(Debug, Clone)]
pub struct Write {
    /// Offset in the file.
    pub at: u64,
    /// Written one after another.
    pub data: Vec<Bytes>,
}

impl Write {
    /// One piece of memory.
    pub fn new(at: u64, data: impl Into<Bytes>) -> Self {
        Self { at, data: vec![data.into()] }
    }

    /// Total length.
    pub fn len(&self) -> u64 {
        self.data.iter().map(|d| d.len() as u64).sum()
    }

    /// Whether it writes nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One sample, as the tables see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleEntry {
    /// Until the next sample is decoded, in track ticks.
    pub duration: u32,
    /// Presentation time minus decode time, in track ticks.
    pub composition_offset: i32,
    /// Bytes.
    pub size: u32,
    /// A decoder can start here.
    pub key: bool,
}

/// How many entries to keep room for.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// Samples.
    pub samples: u64,
    /// Fragments that have samples of this track.
    pub chunks: u64,
    /// Whether samples are shown in another order than they are decoded.
    pub reordered: bool,
    /// Whether a decoder cannot start at every sample.
    pub has_keys: bool,
}

#[derive(Debug)]
struct Table {
    kind: &'static [u8; 4],
    version: u8,
    /// Bytes between the version and the entries: the count, for `stsz` the common size before it.
    head: u64,
    entry: u64,
    start: u64,
    end: u64,
    written: u64,
    page: Vec<u8>,
    count: u64,
    /// The region is used up.
    spilling: bool,
    /// Full pages without a place.
    homeless: Vec<Bytes>,
    /// Where those went that were given one, and their lengths.
    spilled: Vec<(u64, u64)>,
}

impl Table {
    fn new(kind: &'static [u8; 4], version: u8, entry: u64, entries: u64, at: &mut u64) -> Self {
        let head = if kind == b"stsz" { 8 } else { 4 };
        let start = *at;
        // The last 8 bytes are never used by entries, so that a `free` box always fits behind them.
        let size = (12 + head + entries * entry + MARGIN + 8).next_multiple_of(8);
        *at += size;
        Self {
            kind,
            version,
            head,
            entry,
            start,
            end: start + size,
            written: 0,
            page: Vec::new(),
            count: 0,
            spilling: false,
            homeless: Vec::new(),
            spilled: Vec::new(),
        }
    }

    fn at(&self) -> u64 {
        self.start + 12 + self.head
    }

    fn room(&self) -> u64 {
        (self.end - 8).saturating_sub(self.at() + self.written + self.page.len() as u64)
    }

    /// Where the next entry would go.
    fn used(&self) -> u64 {
        self.at() + self.written + self.page.len() as u64
    }

    fn push(&mut self, entry: &[u8], out: &mut Vec<Write>) {
        // Beyond the region lies another table.
        if !self.spilling && self.room() < self.entry {
            self.write_page(out);
            self.spilling = true;
        }
        self.page.extend_from_slice(entry);
        self.count += 1;
        if self.page.len() >= PAGE {
            if self.spilling {
                self.homeless.push(std::mem::take(&mut self.page).into());
            } else {
                self.write_page(out);
            }
        }
    }

    fn write_page(&mut self, out: &mut Vec<Write>) {
        let page = std::mem::take(&mut self.page);
        if !page.is_empty() {
            let at = self.at() + self.written;
            self.written += page.len() as u64;
            out.push(Write::new(at, page));
        }
    }

    /// A block boundary behind all entries with room for a box header, when the region is nearly used up.
    fn room_at(&self) -> Option<u64> {
        let at = self.used().next_multiple_of(BLOCK);
        (self.room() < MARGIN / 2 && !self.spilling && at + 8 <= self.end).then_some(at)
    }

    /// `len` bytes were inserted into the file at `at`.
    fn inserted(&mut self, at: u64, len: u64) {
        if self.start > at {
            self.start += len;
            self.end += len;
        } else if self.end > at {
            self.end += len;
        }
    }

    /// Bytes of the whole box.
    fn size(&self) -> u64 {
        let pages = self.homeless.iter().map(|p| p.len() as u64).chain(self.spilled.iter().map(|(_, len)| *len));
        12 + self.head + self.written + pages.sum::<u64>() + self.page.len() as u64
    }

    fn box_head(&self, size: u64) -> Vec<u8> {
        let mut head = BoxWriter::new();
        head.u32(clamp(size));
        head.bytes(self.kind);
        head.u32(u32::from(self.version) << 24);
        if self.head == 8 {
            head.u32(0);
        }
        head.u32(clamp(self.count));
        head.into_vec()
    }

    /// The whole box at `at`, gathered from wherever its pages are.
    fn behind(&mut self, at: &mut u64, out: &mut Vec<Op>) {
        out.push(Op::Write(Write::new(*at, self.box_head(self.size()))));
        *at += 12 + self.head;
        for (from, len) in [(self.at(), self.written)].into_iter().chain(self.spilled.iter().copied()) {
            if len > 0 {
                out.push(Op::Copy { from, to: *at, len });
                *at += len;
            }
        }
        let mut rest = std::mem::take(&mut self.homeless);
        rest.push(std::mem::take(&mut self.page).into());
        let write = Write { at: *at, data: rest };
        *at += write.len();
        out.push(Op::Write(write));
    }

    /// Completes the box; the rest of the region becomes free.
    fn finish(&mut self, out: &mut Vec<Write>) {
        let used = self.used();
        out.push(Write::new(self.start, self.box_head(used - self.start)));
        let mut tail = BoxWriter::new();
        tail.bytes(&std::mem::take(&mut self.page));
        tail.u32(clamp(self.end - used));
        tail.bytes(b"free");
        out.push(Write::new(self.at() + self.written, tail.into_vec()));
    }

    /// Says that there is no such table.
    fn omit(&self, out: &mut Vec<Write>) {
        out.push(Write::new(self.start, free_header(self.end - self.start)));
    }
}

/// The header of a `free` box of that size.
pub(super) fn free_header(size: u64) -> Vec<u8> {
    let mut b = BoxWriter::new();
    b.u32(clamp(size));
    b.bytes(b"free");
    b.into_vec()
}

fn clamp(v: u64) -> u32 {
    u32::try_from(v).unwrap_or(u32::MAX)
}

/// Equal values in a row, as `stts` and `ctts` want them.
#[derive(Debug, Default)]
struct Run(Option<(u32, u32)>);

impl Run {
    fn push(&mut self, value: u32, table: &mut Table, out: &mut Vec<Write>) {
        match &mut self.0 {
            Some((n, v)) if *v == value && *n < u32::MAX => *n += 1,
            _ => {
                self.flush(table, out);
                self.0 = Some((1, value));
            }
        }
    }

    fn flush(&mut self, table: &mut Table, out: &mut Vec<Write>) {
        if let Some((n, v)) = self.0.take() {
            let mut entry = [0; 8];
            entry[..4].copy_from_slice(&n.to_be_bytes());
            entry[4..].copy_from_slice(&v.to_be_bytes());
            table.push(&entry, out);
        }
    }
}

/// All tables of a track.
#[derive(Debug)]
pub struct Tables {
    stts: Table,
    ctts: Table,
    stss: Table,
    stsz: Table,
    stsc: Table,
    co64: Table,
    durations: Run,
    offsets: Run,
    reordered: bool,
    has_keys: bool,
    all_keys: bool,
    last_chunk: Option<(u32, u32)>,
}

impl Tables {
    /// Lays the tables out from `at` on and moves `at` behind them.
    pub fn new(capacity: Capacity, at: &mut u64) -> Self {
        let Capacity { samples, chunks, reordered, has_keys } = capacity;
        Self {
            stts: Table::new(b"stts", 0, 8, samples, at),
            ctts: Table::new(b"ctts", 1, 8, if reordered { samples } else { 0 }, at),
            stss: Table::new(b"stss", 0, 4, if has_keys { samples } else { 0 }, at),
            stsz: Table::new(b"stsz", 0, 4, samples, at),
            stsc: Table::new(b"stsc", 0, 12, chunks, at),
            co64: Table::new(b"co64", 0, 8, chunks, at),
            durations: Run::default(),
            offsets: Run::default(),
            reordered: false,
            has_keys,
            all_keys: true,
            last_chunk: None,
        }
    }

    /// Samples entered so far.
    pub fn samples(&self) -> u64 {
        self.stsz.count
    }

    /// Where space has to be inserted into the file because a table is nearly full: a block boundary inside the unused
    /// part of its region, at which a box header fits.
    pub fn room_at(&self) -> Option<u64> {
        self.all().iter().find_map(|t| t.room_at())
    }

    /// `len` bytes were inserted at `at`, which [`Self::room_at`] of this or another track has named: everything behind
    /// it has moved, the media included. What comes back corrects the offsets that are written already.
    pub fn inserted(&mut self, at: u64, len: u64) -> Option<Op> {
        for t in self.all_mut() {
            t.inserted(at, len);
        }
        for entry in self.co64.page.chunks_exact_mut(8) {
            if let Some(offset) = entry.first_chunk_mut::<8>() {
                *offset = (u64::from_be_bytes(*offset) + len).to_be_bytes();
            }
        }
        let (at, count) = (self.co64.at(), self.co64.written / 8);
        (count > 0).then_some(Op::Add { at, count, by: len })
    }

    /// Whether a region was used up, so that the tables have to be put together behind the media.
    pub fn is_spilled(&self) -> bool {
        self.all().iter().any(|t| t.spilling)
    }

    /// Gives every page without a place one: `put` writes it and says where.
    pub fn spill(&mut self, mut put: impl FnMut(Bytes) -> u64) {
        for t in self.all_mut() {
            for page in std::mem::take(&mut t.homeless) {
                let len = page.len() as u64;
                t.spilled.push((put(page), len));
            }
        }
    }

    fn all(&self) -> [&Table; 6] {
        [&self.stts, &self.ctts, &self.stss, &self.stsz, &self.stsc, &self.co64]
    }

    fn all_mut(&mut self) -> [&mut Table; 6] {
        [&mut self.stts, &mut self.ctts, &mut self.stss, &mut self.stsz, &mut self.stsc, &mut self.co64]
    }

    /// Enters the samples of one fragment, which lie one after another from `offset` on.
    pub fn chunk(
        &mut self,
        offset: u64,
        description: u32,
        samples: impl ExactSizeIterator<Item = SampleEntry>,
        out: &mut Vec<Write>,
    ) {
        let count = clamp(samples.len() as u64);
        if count == 0 {
            return;
        }
        self.co64.push(&offset.to_be_bytes(), out);
        if self.last_chunk != Some((count, description)) {
            self.last_chunk = Some((count, description));
            let mut entry = [0; 12];
            entry[..4].copy_from_slice(&clamp(self.co64.count).to_be_bytes());
            entry[4..8].copy_from_slice(&count.to_be_bytes());
            entry[8..].copy_from_slice(&description.to_be_bytes());
            self.stsc.push(&entry, out);
        }
        for s in samples {
            self.stsz.push(&s.size.to_be_bytes(), out);
            self.durations.push(s.duration, &mut self.stts, out);
            self.offsets.push(s.composition_offset.cast_unsigned(), &mut self.ctts, out);
            self.reordered |= s.composition_offset != 0;
            if s.key && self.has_keys {
                self.stss.push(&clamp(self.stsz.count).to_be_bytes(), out);
            } else if !s.key {
                self.all_keys = false;
            }
        }
    }

    /// Which tables the track needs, in the order of [`Self::all`].
    fn needed(&self) -> [bool; 6] {
        [true, self.reordered, self.has_keys && !self.all_keys, true, true, true]
    }

    /// Enters what is still being counted. Nothing may be entered afterwards.
    pub fn flush(&mut self, out: &mut Vec<Write>) {
        self.durations.flush(&mut self.stts, out);
        self.offsets.flush(&mut self.ctts, out);
    }

    /// Completes all boxes in their regions. Not when [`Self::is_spilled`].
    pub fn finish(&mut self, out: &mut Vec<Write>) {
        self.flush(out);
        let needed = self.needed();
        for (t, needed) in self.all_mut().into_iter().zip(needed) {
            if needed {
                t.finish(out);
            } else {
                t.omit(out);
            }
        }
    }

    /// Puts all boxes together from `at` on, one after another, and moves `at` behind them.
    pub fn behind(&mut self, at: &mut u64, out: &mut Vec<Op>) {
        let mut writes = Vec::new();
        self.flush(&mut writes);
        out.extend(writes.into_iter().map(Op::Write));
        let needed = self.needed();
        for (t, _) in self.all_mut().into_iter().zip(needed).filter(|(_, needed)| *needed) {
            t.behind(at, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: u32) -> SampleEntry {
        // Times that shiver defeat the run-length coding: the worst case that the plan is made for.
        SampleEntry { duration: 1024 + n % 2, composition_offset: (n % 3).cast_signed(), size: 100 + n, key: true }
    }

    fn fill(capacity: Capacity) -> (Tables, u64, Vec<Write>) {
        let mut end = 1000;
        let mut t = Tables::new(capacity, &mut end);
        let mut out = Vec::new();
        let samples = u32::try_from(capacity.samples).unwrap();
        let per = samples / u32::try_from(capacity.chunks).unwrap();
        for chunk in 0..samples / per {
            t.chunk(u64::from(chunk), 1, (chunk * per..(chunk + 1) * per).map(entry), &mut out);
            assert!(t.room_at().is_none(), "full after {} of {samples}", t.samples());
        }
        (t, end, out)
    }

    #[test]
    fn the_plan_always_fits_and_no_write_leaves_the_region() {
        for has_keys in [true, false] {
            let (mut t, end, mut out) = fill(Capacity { samples: 100_000, chunks: 2000, reordered: true, has_keys });
            assert!(t.all().iter().all(|t| t.page.len() <= PAGE), "memory stays flat");
            t.finish(&mut out);
            assert!(out.iter().all(|w| w.at >= 1000 && w.at + w.len() <= end));
        }
    }

    #[test]
    fn beyond_the_plan_it_says_so_in_time_and_never_writes_into_its_neighbour() {
        let mut end = 0;
        let mut t = Tables::new(Capacity { samples: 10, chunks: 10, reordered: true, has_keys: true }, &mut end);
        let mut out = Vec::new();
        let mut warned = None;
        for n in 0..50_000 {
            t.chunk(0, 1, std::iter::once(entry(n)), &mut out);
            if t.room_at().is_some() && warned.is_none() {
                warned = Some(n);
            }
        }
        assert!(warned.is_some_and(|n| n > 1000 && n < 6000), "{warned:?}");
        assert!(t.is_spilled());
        assert!(out.iter().all(|w| w.at + w.len() <= end));
        let mut pages = 0;
        t.spill(|page| {
            assert!(page.len() < 2 * PAGE);
            pages += 1;
            end + pages * 10_000
        });
        let (mut at, mut ops) = (1 << 40, Vec::new());
        t.behind(&mut at, &mut ops);
        let sum = |f: fn(&Op) -> u64| ops.iter().map(f).sum::<u64>();
        let copied = sum(|op| if let Op::Copy { len, .. } = op { *len } else { 0 });
        let written = sum(|op| if let Op::Write(w) = op { w.len() } else { 0 });
        // Every entry, and six times a head: 16 bytes, 20 for the sizes.
        let entries = 50_000 * (8 + 8 + 4 + 8) + 12;
        assert_eq!((copied + written, at - (1 << 40)), (entries + 5 * 16 + 4, entries + 5 * 16 + 4));
    }

    #[test]
    fn inserted_space_moves_what_lies_behind_it_and_corrects_the_offsets() {
        let mut end = 0;
        let mut t = Tables::new(Capacity { samples: 10, chunks: 10, reordered: true, has_keys: true }, &mut end);
        let mut out = Vec::new();
        let mut n = 0;
        let at = loop {
            t.chunk(1_000_000 + u64::from(n), 1, std::iter::once(entry(n)), &mut out);
            n += 1;
            if let Some(at) = t.room_at() {
                break at;
            }
        };
        assert!(at.is_multiple_of(BLOCK));
        let (before, room): (Vec<_>, Vec<_>) = (t.all().map(|t| t.start).into(), t.all().map(Table::room).into());
        let op = t.inserted(at, 8192).expect("pages of offsets are written");
        assert!(matches!(op, Op::Add { count, by: 8192, at } if count > 0 && at == t.co64.at()));
        let last = t.co64.page.last_chunk::<8>().map(|b| u64::from_be_bytes(*b));
        assert_eq!(last, Some(1_000_000 + u64::from(n) - 1 + 8192));
        let grew: Vec<usize> = (0..6).filter(|&i| t.all()[i].room() > room[i]).collect();
        assert_eq!(grew.len(), 1, "the one table that was nearly full");
        for (i, t) in t.all().iter().enumerate() {
            assert_eq!(t.start, before[i] + if i > grew[0] { 8192 } else { 0 });
        }
    }
}
