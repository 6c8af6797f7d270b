//! Walking the sample tables of a track (ISO/IEC 14496-12 §8.6, §8.7) from sample to sample.

use mp4_atom::{Stbl, StszSamples};

/// Where a sample is and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) size: u32,
    /// Media ticks.
    pub(super) dts: i64,
    /// Media ticks.
    pub(super) pts: i64,
    /// Media ticks.
    pub(super) duration: i64,
    /// Index of the sample description, from 0.
    pub(super) description: u32,
}

/// A place in run-length coded entries.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    index: usize,
    used: u32,
}

impl Run {
    /// Goes on by `n` samples; `count` gives the length of a run.
    fn advance(&mut self, n: u32, count: impl Fn(usize) -> Option<u32>) {
        let mut left = n;
        while let Some(len) = count(self.index) {
            let room = len.saturating_sub(self.used);
            if left < room {
                self.used += left;
                return;
            }
            left -= room;
            self.index += 1;
            self.used = 0;
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    sample: u32,
    chunk: usize,
    in_chunk: u32,
    stsc: usize,
    /// Bytes of the chunk before the sample.
    passed: u64,
    stts: Run,
    ctts: Run,
    dts: i64,
    done: bool,
}

/// See the module. Uncompressed sound, whose samples are bytes, comes in pieces of 20 ms.
#[derive(Debug)]
pub(super) struct Cursor {
    tables: Stbl,
    /// Bytes of one sample and most samples at a time.
    pcm: Option<(u32, u32)>,
    at: State,
    settled: Option<Place>,
}

impl Cursor {
    pub(super) fn new(mut tables: Stbl, rate: u32, bytes_per_pcm_sample: Option<u32>) -> Self {
        // Empty runs only cost time later.
        tables.stts.entries.retain(|e| e.sample_count > 0);
        if let Some(c) = &mut tables.ctts {
            c.entries.retain(|e| e.sample_count > 0);
        }
        let pcm = bytes_per_pcm_sample.map(|bytes| (bytes, (rate / 50).max(1)));
        let mut cursor = Self { tables, pcm, at: State::default(), settled: None };
        cursor.settle();
        cursor
    }

    pub(super) fn current(&self) -> Option<Place> {
        self.settled
    }

    pub(super) fn restart(&mut self) {
        self.at = State::default();
        self.settle();
    }

    pub(super) fn finish(&mut self) {
        self.at.done = true;
        self.settled = None;
    }

    pub(super) fn advance(&mut self) {
        let Some(place) = self.settled else { return };
        let step = self.step(place.size);
        let at = &mut self.at;
        at.sample = at.sample.saturating_add(step);
        at.in_chunk = at.in_chunk.saturating_add(step);
        at.passed = at.passed.saturating_add(u64::from(place.size));
        at.dts = at.dts.saturating_add(place.duration);
        at.stts.advance(step, |i| self.tables.stts.entries.get(i).map(|e| e.sample_count));
        if let Some(c) = &self.tables.ctts {
            at.ctts.advance(step, |i| c.entries.get(i).map(|e| e.sample_count));
        }
        self.settle();
    }

    /// How many samples a place of that many bytes stands for.
    fn step(&self, bytes: u32) -> u32 {
        self.pcm.map_or(1, |(size, _)| (bytes / size.max(1)).max(1))
    }

    fn count(&self) -> u32 {
        match &self.tables.stsz.samples {
            StszSamples::Identical { count, .. } => *count,
            StszSamples::Different { sizes } => u32::try_from(sizes.len()).unwrap_or(u32::MAX),
        }
    }

    fn chunk_offset(&self, chunk: usize) -> Option<u64> {
        match (&self.tables.co64, &self.tables.stco) {
            (Some(t), _) => t.entries.get(chunk).copied(),
            (None, Some(t)) => t.entries.get(chunk).map(|&o| u64::from(o)),
            (None, None) => None,
        }
    }

    /// Finds the chunk of the current sample and what the tables say of it.
    fn settle(&mut self) {
        self.settled = None;
        if self.at.done || self.at.sample >= self.count() {
            return;
        }
        // Chunks that are used up, or declared to be empty, are passed over; each round takes one.
        let (description, left) = loop {
            let entries = &self.tables.stsc.entries;
            while entries
                .get(self.at.stsc + 1)
                .is_some_and(|e| usize::try_from(e.first_chunk).is_ok_and(|first| first <= self.at.chunk + 1))
            {
                self.at.stsc += 1;
            }
            let Some(entry) = entries.get(self.at.stsc) else { return };
            if self.at.in_chunk < entry.samples_per_chunk {
                break (entry.sample_description_index.saturating_sub(1), entry.samples_per_chunk - self.at.in_chunk);
            }
            self.at.chunk += 1;
            self.at.in_chunk = 0;
            self.at.passed = 0;
            if self.chunk_offset(self.at.chunk).is_none() {
                return;
            }
        };
        let Some(start) = self.chunk_offset(self.at.chunk) else { return };
        let delta = self.tables.stts.entries.get(self.at.stts.index).map_or(0, |e| e.sample_delta);
        let (size, samples) = match (self.pcm, &self.tables.stsz.samples) {
            (Some((bytes, most)), _) => {
                let samples = left.min(most).min(self.count() - self.at.sample);
                (samples.saturating_mul(bytes), samples)
            }
            (None, StszSamples::Identical { size, .. }) => (*size, 1),
            (None, StszSamples::Different { sizes }) => {
                let Some(&size) = usize::try_from(self.at.sample).ok().and_then(|i| sizes.get(i)) else { return };
                (size, 1)
            }
        };
        let shown_later =
            self.tables.ctts.as_ref().and_then(|c| c.entries.get(self.at.ctts.index)).map_or(0, |e| e.sample_offset);
        self.settled = Some(Place {
            offset: start.saturating_add(self.at.passed),
            size,
            dts: self.at.dts,
            pts: self.at.dts.saturating_add(shown_later),
            duration: i64::from(delta).saturating_mul(i64::from(samples)),
            description,
        });
    }
}
