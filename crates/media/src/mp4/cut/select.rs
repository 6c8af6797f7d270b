//! Which samples of a track belong to a part, and how they are timed in it.
//!
//! **What is shown begins at the asked picture and ends at the asked instant**; what has to be decoded before it comes
//! along and is hidden. One pass over the samples: those since the last key frame are held until it is known whether
//! they are needed.

use std::collections::VecDeque;
use std::io::{Read, Seek};

use super::CutError;
use super::source::{Chunks, TrackInfo};
use crate::mp4::repair::Chunk;
use crate::mp4::tables::SampleEntry;

/// Sound before the asked instant that goes to the decoder unheard: more than a frame of AAC, and what RFC 7845 §4.6
/// wants for Opus. One part in so many of a second.
const PREROLL_PART: u32 = 12;
/// A time this little before a picture means the picture: clients know times in milliseconds at worst. One part in so
/// many of a second.
const TOLERANCE_PART: u32 = 2000;
/// Pictures held in reserve until it is known whether they are needed: deeper than any reordering.
const MAX_TENTATIVE: usize = 64;

/// What is asked for, in ticks of the track's media.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Where the visible timeline begins.
    pub(super) zero: i64,
    pub(super) from: i64,
    pub(super) to: i64,
}

/// Samples of one chunk that are taken, one after another in the old file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) at: u64,
    pub(super) bytes: u64,
    pub(super) samples: u32,
    /// Sample entry in the old file, from 1.
    pub(super) description: u32,
}

/// The samples of a part, as tables.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// Media time of the old file that is shown first.
    pub(super) start: i64,
    /// Media time of the old file where it ends.
    pub(super) end: i64,
    /// Ticks from the first sample's decode time to what is shown first.
    pub(super) hidden: i64,
    pub(super) runs: Vec<Run>,
    /// Entries of `stts`, `ctts`, `stss` and `stsz`.
    pub(super) durations: Vec<(u32, u32)>,
    pub(super) offsets: Vec<(u32, i32)>,
    pub(super) keys: Vec<u32>,
    pub(super) sizes: Vec<u32>,
    /// Sum of all durations.
    pub(super) ticks: u64,
}

/// Where the part begins.
#[derive(Debug, Clone, Copy)]
struct Begin {
    /// What is shown first, on the old file's timeline.
    start: i64,
    /// The media time of what is shown first.
    shown: i64,
    /// Taken from the duration of the sample before the number given: the picture stands in a hole, and only the rest
    /// of the hole is wanted.
    shorten: Option<(u64, i64)>,
}

impl Begin {
    fn plain(at: i64) -> Self {
        Self { start: at, shown: at, shorten: None }
    }
}

/// A sample with its place in the track.
#[derive(Debug, Clone, Copy)]
struct Placed {
    number: u64,
    dts: i64,
    at: u64,
    description: u32,
    entry: SampleEntry,
}

impl Placed {
    fn pts(&self) -> i64 {
        self.dts.saturating_add(self.entry.composition_offset.into())
    }
}

/// Samples one after another, with the chunk that each is in.
struct Samples {
    chunks: Chunks,
    current: Option<(Chunk, usize, u64, i64)>,
    number: u64,
}

impl Samples {
    fn next<R: Read + Seek>(&mut self, file: &mut R) -> Result<Option<Placed>, CutError> {
        loop {
            if let Some((chunk, index, at, dts)) = &mut self.current
                && let Some(&entry) = chunk.samples.get(*index)
            {
                let sample = Placed { number: self.number, dts: *dts, at: *at, description: chunk.description, entry };
                *index += 1;
                *at = at.saturating_add(entry.size.into());
                *dts = dts.saturating_add(entry.duration.into());
                self.number += 1;
                return Ok(Some(sample));
            }
            match self.chunks.next(file)? {
                Some(c) => {
                    let (at, dts) = (c.offset, c.dts);
                    self.current = Some((c, 0, at, dts));
                }
                None => return Ok(None),
            }
        }
    }
}

impl Selection {
    /// `None` when no sample of the track is shown in the window.
    pub(super) fn of<R: Read + Seek>(
        file: &mut R,
        chunks: Chunks,
        track: &TrackInfo,
        window: Window,
    ) -> Result<Option<Self>, CutError> {
        let mut samples = Samples { chunks, current: None, number: 0 };
        let tolerance = tolerance(track);
        let preroll = if track.video { 0 } else { i64::from(track.rate / PREROLL_PART) };
        let (held, begin) = begin(file, &mut samples, track, window, preroll)?;
        let to = window.to.saturating_sub(tolerance);
        let Some(begin) = begin.filter(|b| b.start < to) else { return Ok(None) };
        let mut taken = Self { start: begin.start, end: begin.start, ..Self::default() };
        let mut first = None;
        // Samples that are shown too late themselves, but may be needed by one that follows.
        let mut tentative: Vec<Placed> = Vec::new();
        let mut rest = held.into_iter();
        let mut hold: Option<Placed> = None;
        while let Some(s) = rest.next().map_or_else(|| samples.next(file), |s| Ok(Some(s)))? {
            let first_dts = *first.get_or_insert(s.dts);
            taken.hidden = begin.shown.saturating_sub(first_dts);
            if s.dts >= to || tentative.len() >= MAX_TENTATIVE {
                break;
            }
            tentative.push(s);
            if s.pts() < to {
                for s in tentative.drain(..) {
                    if let Some(before) = hold.replace(s) {
                        taken.take(before, begin.shorten);
                    }
                }
            }
        }
        // The last one does not outlast the part.
        let Some(mut last) = hold else { return Ok(None) };
        let room = window.to.saturating_sub(last.pts()).max(1);
        if track.video {
            last.entry.duration = last.entry.duration.min(u32::try_from(room).unwrap_or(u32::MAX));
        }
        taken.take(last, begin.shorten);
        taken.end = taken.end.min(window.to);
        Ok((taken.end > taken.start).then_some(taken))
    }

    /// How many samples.
    pub(super) fn frames(&self) -> u64 {
        self.sizes.len() as u64
    }

    fn take(&mut self, s: Placed, shorten: Option<(u64, i64)>) {
        let mut duration = s.entry.duration;
        self.end = self.end.max(s.pts().saturating_add(duration.into()));
        if let Some((number, ticks)) = shorten
            && s.number + 1 == number
        {
            duration = duration.saturating_sub(u32::try_from(ticks).unwrap_or(u32::MAX)).max(1);
        }
        match self.runs.last_mut() {
            Some(r) if r.at + r.bytes == s.at && r.description == s.description => {
                r.bytes += u64::from(s.entry.size);
                r.samples += 1;
            }
            _ => {
                let (at, bytes, description) = (s.at, u64::from(s.entry.size), s.description);
                self.runs.push(Run { at, bytes, samples: 1, description });
            }
        }
        run_length(&mut self.durations, duration);
        run_length(&mut self.offsets, s.entry.composition_offset);
        self.sizes.push(s.entry.size);
        if s.entry.key {
            self.keys.push(u32::try_from(self.sizes.len()).unwrap_or(u32::MAX));
        }
        self.ticks += u64::from(duration);
    }
}

fn tolerance(track: &TrackInfo) -> i64 {
    if track.video { i64::from(track.rate / TOLERANCE_PART) } else { 0 }
}

fn run_length<T: PartialEq>(runs: &mut Vec<(u32, T)>, value: T) {
    match runs.last_mut() {
        Some((n, v)) if *v == value && *n < u32::MAX => *n += 1,
        _ => runs.push((1, value)),
    }
}

/// Reads up to the samples that are shown at `from`, and gives those that are needed of them, and where to begin.
fn begin<R: Read + Seek>(
    file: &mut R,
    samples: &mut Samples,
    track: &TrackInfo,
    window: Window,
    preroll: i64,
) -> Result<(VecDeque<Placed>, Option<Begin>), CutError> {
    let from = window.from.saturating_add(tolerance(track));
    let mut held: VecDeque<Placed> = VecDeque::new();
    let mut keyed = false;
    // The picture that is shown at `from`, and the one after it with what is known of the sample before that.
    let mut shown: Option<i64> = None;
    let mut after: Option<After> = None;
    while let Some(s) = samples.next(file)? {
        let pts = s.pts();
        if s.entry.key && (pts <= from.saturating_sub(preroll) || !keyed) {
            held.clear();
            keyed = true;
        } else if !keyed {
            // Without what it refers to it is of no use.
            continue;
        }
        let before = held.back().map_or(0, |b: &Placed| b.entry.duration);
        held.push_back(s);
        if pts <= from {
            shown = Some(shown.map_or(pts, |p| p.max(pts)));
        } else if after.is_none_or(|a| pts < a.pts) {
            after = Some(After { pts, number: s.number, before: before.into(), clean: after.is_none() });
        }
        // Nothing that follows can be shown before this.
        if after.is_some_and(|a| s.dts >= a.pts) || (after.is_some() && !track.video) {
            break;
        }
    }
    let begin = match (shown, after) {
        // It begins later.
        (None, after) => after.map(|a| Begin::plain(a.pts)),
        (Some(_), _) if !track.video => Some(Begin::plain(window.from)),
        (Some(shown), after) => {
            let late = window.from - shown;
            let last = held.back().map_or(0, |s| s.entry.duration);
            let (number, before) = match after {
                Some(a) if !a.clean => (0, 0),
                Some(a) => (a.number, a.before),
                None => (samples.number, i64::from(last)),
            };
            // It has stood still for long, or the recording itself begins while it is shown.
            let early = shown < window.zero;
            Some(if (early || late > i64::from(track.rate)) && before > late {
                Begin { start: window.from, shown, shorten: Some((number, late)) }
            } else {
                Begin::plain(if early { window.from } else { shown })
            })
        }
    };
    Ok((held, begin))
}

/// The first picture that is shown after the asked instant.
#[derive(Debug, Clone, Copy)]
struct After {
    pts: i64,
    number: u64,
    /// How long the sample before it lasts.
    before: i64,
    /// No picture that is shown later was decoded before it.
    clean: bool,
}
