//! The sample tables of one track, written page by page into the space kept for them.
//!
//! **Memory does not grow with the length of a recording**: of each table only the page being filled is held; full
//! pages go to their final place at once. Each table has a region of the file from the beginning; what it leaves
//! unused becomes a `free` box inside `stbl`.

use bytes::Bytes;

use super::boxes::BoxWriter;

/// Bytes gathered before they are written.
const PAGE: usize = 4096;
/// Kept beyond the plan: a fragment's worth of entries is still accepted after [`Tables::is_full`] has said so.
const MARGIN: u64 = 64 << 10;

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
}

impl Table {
    fn new(kind: &'static [u8; 4], version: u8, entry: u64, entries: u64, at: &mut u64) -> Self {
        let head = if kind == b"stsz" { 8 } else { 4 };
        let start = *at;
        // The last 8 bytes are never used by entries, so that a `free` box always fits behind them.
        let size = (12 + head + entries * entry + MARGIN + 8).next_multiple_of(8);
        *at += size;
        Self { kind, version, head, entry, start, end: start + size, written: 0, page: Vec::new(), count: 0 }
    }

    fn at(&self) -> u64 {
        self.start + 12 + self.head
    }

    fn room(&self) -> u64 {
        (self.end - 8).saturating_sub(self.at() + self.written + self.page.len() as u64)
    }

    fn push(&mut self, entry: &[u8], out: &mut Vec<Write>) {
        // `is_full` has warned 64 KiB ago; beyond the region lies another table.
        if self.room() < self.entry {
            return;
        }
        self.page.extend_from_slice(entry);
        self.count += 1;
        if self.page.len() >= PAGE {
            let page = std::mem::take(&mut self.page);
            let at = self.at() + self.written;
            self.written += page.len() as u64;
            out.push(Write::new(at, page));
        }
    }

    /// Completes the box; the rest of the region becomes free.
    fn finish(&mut self, out: &mut Vec<Write>) {
        let mut head = BoxWriter::new();
        let used = self.at() + self.written + self.page.len() as u64;
        head.u32(clamp(used - self.start));
        head.bytes(self.kind);
        head.u32(u32::from(self.version) << 24);
        if self.head == 8 {
            head.u32(0);
        }
        head.u32(clamp(self.count));
        out.push(Write::new(self.start, head.into_vec()));
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

    /// Whether the plan is used up: the file has to be finished after what is being written now.
    pub fn is_full(&self) -> bool {
        self.all().iter().any(|t| t.room() < MARGIN / 2)
    }

    fn all(&self) -> [&Table; 6] {
        [&self.stts, &self.ctts, &self.stss, &self.stsz, &self.stsc, &self.co64]
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

    /// Completes all boxes.
    pub fn finish(&mut self, out: &mut Vec<Write>) {
        self.durations.flush(&mut self.stts, out);
        self.offsets.flush(&mut self.ctts, out);
        self.stts.finish(out);
        if self.reordered {
            self.ctts.finish(out);
        } else {
            self.ctts.omit(out);
        }
        if self.all_keys || !self.has_keys {
            self.stss.omit(out);
        } else {
            self.stss.finish(out);
        }
        self.stsz.finish(out);
        self.stsc.finish(out);
        self.co64.finish(out);
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
            assert!(!t.is_full(), "full after {} of {samples}", t.samples());
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
            if t.is_full() && warned.is_none() {
                warned = Some(n);
            }
        }
        assert!(warned.is_some_and(|n| n > 1000 && n < 6000), "{warned:?}");
        t.finish(&mut out);
        assert!(out.iter().all(|w| w.at + w.len() <= end));
    }
}
