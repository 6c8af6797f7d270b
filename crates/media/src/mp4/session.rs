//! The file of one recording, from its first byte to its last, as a state machine that performs no I/O.
//!
//! ```text
//! growing:   ftyp | moov (init) | free (reserve: tables fill up inside) | moof mdat | moof mdat | …
//! finished:  ftyp | free        | moov (tables) | free | mdat (16-byte header, spans every fragment)
//! ```
//!
//! **After every single operation that comes out of here, what is on disk is a valid file** that holds every whole
//! fragment. Finishing takes a fixed handful of small writes, whatever the length: the tables are in place already.
//!
//! 1. The tail: the last fragment is appended.
//! 2. The stage, all inside the payload of the `free` box, invisible: the boxes around the tables, a `free` box for
//!    what is left, and the header of the one `mdat`.
//! 3. Sync.
//! 4. The flip: the 8-byte header of the init `moov` becomes that of a `free` box which swallows it together with
//!    the header of the old `free` box. It lies at a multiple of 8, so within one sector: it is there or it is not.
//! 5. Sync.
//!
//! New parameters of the same codec switch the init `moov` to one with a further sample entry by the same trick. A plan
//! that turns out too small is dealt with in [`grow`].

pub(super) mod close;
pub mod grow;
mod recent;

use std::time::Duration;

use bytes::Bytes;

use self::recent::Recent;
use super::boxes::{self, BoxWriter, Edit};
use super::cut::Fragment;
use super::fragment::{InitTrack, Sample, TrackRun, fragment_head, init_moov};
use super::silence::Silence;
use super::tables::{BLOCK, Capacity, SampleEntry, Tables, Write, free_header};
use crate::{AccessUnit, Codec, MediaKind, MediaTime, StreamDescription, Track};

const FTYP: u64 = 32;
/// Fragments are cut at this age, or at a key frame when older than half of it: a crash loses less than a second.
const FRAGMENT: Duration = Duration::from_millis(800);
/// Samples of a track in one fragment.
const MAX_RUN: usize = 1024;
/// Sample entries that one file may collect over all tracks.
const MAX_SWITCHES: u64 = 8;

/// One operation. They are to be carried out in order; after an error, none of the later ones.
#[derive(Debug, Clone)]
pub enum Op {
    /// Write bytes at an offset.
    Write(Write),
    /// Cut the file to this length. Only [`super::repair`] asks for it.
    Truncate(u64),
    /// Copy bytes within the file. The places do not overlap.
    Copy {
        /// Offset of the first byte.
        from: u64,
        /// Offset that it goes to.
        to: u64,
        /// How many.
        len: u64,
    },
    /// Add to big-endian 64-bit numbers that lie one after another.
    Add {
        /// Offset of the first.
        at: u64,
        /// How many numbers.
        count: u64,
        /// What is added to each.
        by: u64,
    },
    /// Make everything so far durable.
    Sync,
}

/// What is known before the first unit.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How long the recording may become.
    pub duration: Duration,
    /// The instant of the click in nanoseconds of the stream's timeline; what lies before it is hidden by the edit
    /// list. `None` starts with the first unit.
    pub click_ns: Option<i64>,
    /// Measured pictures per second, 0 when unknown.
    pub fps: f64,
}

/// Why a file cannot take what comes next. It has to be finished, and another one begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// The codec or the set of tracks changed.
    #[error("the codec or the set of tracks changed")]
    Format,
    /// The camera changed its parameters too often for one file.
    #[error("the file has no room for another set of parameters")]
    Parameters,
}

#[derive(Debug)]
struct Pending {
    dts: i64,
    pts: i64,
    key: bool,
    data: Bytes,
    /// Sample entry that was in force when it came.
    index: u32,
}

#[derive(Debug)]
struct Lane {
    /// Every set of parameters so far.
    entries: Vec<Track>,
    /// Which of them is in force, from 1.
    index: u32,
    pending: Option<Pending>,
    run: Vec<Sample>,
    run_dts: u64,
    /// Sample entry of the run.
    run_index: u32,
    tables: Tables,
    /// First byte of the tables and first byte after them.
    span: (u64, u64),
    silence: Option<Silence>,
    first_dts: Option<i64>,
    nominal: u32,
    /// Greatest presentation time.
    last_shown: i64,
    /// Where its visible part ends.
    end: i64,
    /// Sum of all durations.
    media_duration: u64,
}

impl Lane {
    fn rate(&self) -> u32 {
        self.entries.first().map_or(1, |t| t.clock_rate)
    }

    fn kind(&self) -> MediaKind {
        self.entries.first().map_or(MediaKind::Audio, Track::kind)
    }

    fn add(&mut self, duration: u32, p: Pending) {
        let Pending { dts, pts, key, data, index } = p;
        if self.run.is_empty() {
            self.run_dts = u64::try_from(dts).unwrap_or(0);
            self.run_index = index;
        }
        self.first_dts.get_or_insert(dts);
        self.last_shown = self.last_shown.max(pts);
        self.end = self.end.max(pts.saturating_add(i64::from(duration)));
        self.media_duration += u64::from(duration);
        let composition_offset = i32::try_from(pts.saturating_sub(dts)).unwrap_or(0);
        self.run.push(Sample { duration, composition_offset, key, data });
    }
}

/// See the module.
#[derive(Debug)]
pub struct SessionFile {
    lanes: Vec<Lane>,
    /// Media time zero of the file, in nanoseconds of the stream: the first picture's decode time. Where pictures
    /// are reordered it is shown later; the edit list begins there.
    base_ns: i64,
    /// Where the visible part begins, nanoseconds of the stream.
    start_ns: i64,
    timescale: u32,
    /// The init `moov` in force: offset and length.
    init: (u64, u64),
    data_start: u64,
    tail: u64,
    /// The reserve stays as large as it is.
    fixed: bool,
    /// Bytes of tables between the fragments.
    spilled: u64,
    recent: Recent,
    sequence: u32,
    fragment_start: Option<i64>,
    frames: u64,
    dropped: u64,
}

impl SessionFile {
    /// Begins a file with `first`, which has to be a key frame when there is a video track. The operations write its
    /// head; the unit itself stays in memory until its duration is known.
    pub fn create(description: &StreamDescription, first: &AccessUnit, plan: Plan) -> (Self, Vec<Op>) {
        let rate_of = |u: &AccessUnit| description.track(u.track).map_or(90_000, |t| t.clock_rate);
        let base_ns = first.dts.nanos(rate_of(first));
        let first_shown = first.pts.nanos(rate_of(first));
        let start_ns = plan.click_ns.map_or(first_shown, |c| c.max(first_shown));
        let timescale = description.video().or(description.tracks.first()).map_or(90_000, |t| t.clock_rate);

        let skips = description.tracks.iter().map(|t| skip(base_ns, start_ns, t.clock_rate));
        let init = init_bytes(timescale, description.tracks.iter().zip(skips).map(|(t, s)| (vec![t], s)));
        // Room for the init `moov`s that may follow, and for the boxes around each track's tables.
        let head = (16 << 10) + MAX_SWITCHES * (init.len() as u64 + 8);
        let mut at = FTYP + init.len() as u64 + 8;
        let lanes = description
            .tracks
            .iter()
            .map(|t| {
                let tables_at = (at + head).next_multiple_of(8);
                at = tables_at;
                let tables = Tables::new(capacity(t, plan), &mut at);
                Lane {
                    entries: vec![t.clone()],
                    index: 1,
                    pending: None,
                    run: Vec::new(),
                    run_dts: 0,
                    run_index: 1,
                    tables,
                    span: (tables_at, at),
                    silence: Silence::of(t),
                    first_dts: None,
                    nominal: nominal_duration(t, plan.fps),
                    last_shown: 0,
                    end: 0,
                    media_duration: 0,
                }
            })
            .collect();
        let data_start = (at + 8 + 16).next_multiple_of(BLOCK);
        let mut file = Self {
            lanes,
            base_ns,
            start_ns,
            timescale,
            init: (FTYP, init.len() as u64),
            data_start,
            tail: data_start,
            fixed: false,
            spilled: 0,
            recent: Recent::default(),
            sequence: 0,
            fragment_start: None,
            frames: 0,
            dropped: 0,
        };
        let mut b = BoxWriter::new();
        boxes::ftyp(&mut b);
        b.bytes(&init);
        b.bytes(&free_header(data_start - FTYP - init.len() as u64));
        // The end of the reserve first: from the moment the head is there, its `free` box has its whole length.
        let mut ops =
            vec![Op::Write(Write::new(data_start - 16, vec![0; 16])), Op::Write(Write::new(0, b.into_vec())), Op::Sync];
        ops.extend(file.push(first));
        (file, ops)
    }

    fn base_ticks(&self, rate: u32) -> i64 {
        MediaTime(self.base_ns).rescale(1_000_000_000, rate).0
    }

    /// Takes the next unit, in the order of the stream. The operations are empty unless a fragment became complete.
    ///
    /// Sound from before the first picture, and units whose time does not grow, are dropped and counted.
    pub fn push(&mut self, unit: &AccessUnit) -> Vec<Op> {
        let mut ops = Vec::new();
        let index = usize::from(unit.track.0);
        let Some(rate) = self.lanes.get(index).map(Lane::rate) else {
            self.dropped += 1;
            return ops;
        };
        let base = self.base_ticks(rate);
        let dts = unit.dts.0.saturating_sub(base);
        let pts = unit.pts.0.saturating_sub(base).max(dts);
        let late = self.lanes[index].pending.as_ref().is_some_and(|p| dts <= p.dts);
        if dts < 0 || late {
            self.dropped += 1;
            return ops;
        }
        self.settle(index, dts, &mut ops);

        let lane = &mut self.lanes[index];
        let index_of_entry = lane.index;
        lane.pending = Some(Pending { dts, pts, key: unit.key, data: unit.data.clone(), index: index_of_entry });
        if lane.kind() == MediaKind::Video {
            self.frames += 1;
        }
        if self.paces(index) {
            let start = *self.fragment_start.get_or_insert(dts);
            let age = MediaTime(dts).since(MediaTime(start), rate);
            if age >= FRAGMENT || (unit.key && age >= FRAGMENT / 2) {
                self.cut(&mut ops);
                self.fragment_start = Some(dts);
            }
        }
        ops
    }

    /// Whether fragments are cut by this track: the video track, or the only kind there is.
    fn paces(&self, index: usize) -> bool {
        let video = self.lanes.iter().position(|l| l.kind() == MediaKind::Video);
        index == video.unwrap_or(0)
    }

    /// Gives the pending sample of a lane its duration, now that the next one starts at `dts`.
    fn settle(&mut self, index: usize, dts: i64, ops: &mut Vec<Op>) {
        let Some(p) = self.lanes[index].pending.take() else { return };
        if self.lanes[index].run_index != p.index && !self.lanes[index].run.is_empty() {
            self.cut(ops);
        }
        let lane = &mut self.lanes[index];
        let span = u32::try_from(dts - p.dts).unwrap_or(u32::MAX);
        // A hole in the sound is filled with silence: players that ignore long durations would run ahead.
        let fill = lane.silence.clone().filter(|s| span >= s.ticks.saturating_mul(3));
        let (mut at, entry) = (p.dts, p.index);
        let duration = fill.as_ref().map_or(span, |s| s.ticks);
        lane.add(duration, p);
        at += i64::from(duration);
        while let Some(s) = &fill
            && at < dts
        {
            let left = u32::try_from(dts - at).unwrap_or(u32::MAX);
            let ticks = if left < s.ticks * 2 { left } else { s.ticks };
            let frame = Pending { dts: at, pts: at, key: true, data: s.frame.clone(), index: entry };
            self.lanes[index].add(ticks, frame);
            at += i64::from(ticks);
            if self.lanes[index].run.len() >= MAX_RUN {
                self.cut(ops);
            }
        }
        if self.lanes[index].run.len() >= MAX_RUN {
            self.cut(ops);
        }
    }

    /// Writes everything whose duration is known, for a stream that has gone quiet.
    pub fn flush(&mut self) -> Vec<Op> {
        let mut ops = Vec::new();
        self.cut(&mut ops);
        ops
    }

    /// Whether there is something that [`Self::flush`] would write.
    pub fn has_unwritten(&self) -> bool {
        self.lanes.iter().any(|l| !l.run.is_empty())
    }

    fn cut(&mut self, ops: &mut Vec<Op>) {
        let mut runs = Vec::new();
        for l in self.lanes.iter_mut().filter(|l| !l.run.is_empty()) {
            let track = l.entries.first().map_or(crate::TrackId(0), |t| t.id);
            let samples = std::mem::take(&mut l.run);
            runs.push(TrackRun { track, base_decode_time: l.run_dts, description_index: l.run_index, samples });
        }
        if runs.is_empty() {
            return;
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.recent.push(self.fragment_of(&runs));
        let head = fragment_head(self.sequence, &runs);
        let mut at = self.tail + head.len() as u64;
        let mut data = vec![head];
        let mut pages = Vec::new();
        for run in runs {
            let Some(lane) = self.lanes.get_mut(usize::from(run.track.0)) else { continue };
            let entries = run.samples.iter().map(|s| SampleEntry {
                duration: s.duration,
                composition_offset: s.composition_offset,
                size: u32::try_from(s.data.len()).unwrap_or(u32::MAX),
                key: s.key,
            });
            lane.tables.chunk(at, run.description_index, entries, &mut pages);
            at += run.samples.iter().map(|s| s.data.len() as u64).sum::<u64>();
            data.extend(run.samples.into_iter().map(|s| s.data));
        }
        ops.push(Op::Write(Write { at: self.tail, data }));
        self.tail = at;
        ops.extend(pages.into_iter().map(Op::Write));
        self.spill(ops);
    }

    /// Where a fragment of these runs begins, in place and time.
    fn fragment_of(&self, runs: &[TrackRun]) -> Fragment {
        let main = self.lanes.iter().position(|l| l.kind() == MediaKind::Video).unwrap_or(0);
        let run = runs.iter().find(|r| usize::from(r.track.0) == main);
        let first = run.or(runs.first());
        let rate = first.and_then(|r| self.lanes.get(usize::from(r.track.0))).map_or(1, Lane::rate);
        let dts = first.map_or(0, |r| i64::try_from(r.base_decode_time).unwrap_or(i64::MAX));
        let key = run.is_some_and(|r| r.samples.iter().any(|s| s.key));
        Fragment { at: self.tail - self.data_start, time_ns: MediaTime(dts).nanos(rate), key }
    }

    /// The newest fragments, oldest first: those of the last two minutes, from a key frame on.
    pub fn recent(&self) -> Vec<Fragment> {
        self.recent.all()
    }

    /// Takes over a new description. When only parameters changed, the file goes on with a further sample entry.
    pub fn describe(&mut self, description: &StreamDescription) -> Result<Vec<Op>, Full> {
        let goes_on = description.tracks.len() == self.lanes.len()
            && description.tracks.iter().zip(&self.lanes).all(|(t, l)| {
                t.clock_rate == l.rate() && l.entries.first().is_some_and(|f| f.codec.same_kind(&t.codec))
            });
        if !goes_on {
            return Err(Full::Format);
        }
        let known = |l: &Lane, t: &Track| l.entries.iter().position(|e| e.codec == t.codec);
        let fresh = self.lanes.iter().zip(&description.tracks).filter(|(l, t)| known(l, t).is_none()).count();
        // The next init `moov` and the final boxes of the first track share the space before its tables.
        let size = self.init.1 + description.tracks.iter().map(entry_bytes).sum::<usize>() as u64;
        let room = self.lanes.first().map_or(0, |l| l.span.0).saturating_sub(self.init.0 + self.init.1);
        if fresh > 0 && room < 2 * size + 1024 {
            return Err(Full::Parameters);
        }
        if fresh > 0 && self.lanes.iter().map(|l| l.entries.len() as u64).sum::<u64>() >= MAX_SWITCHES {
            return Err(Full::Parameters);
        }
        for (l, t) in self.lanes.iter_mut().zip(&description.tracks) {
            let at = known(l, t).unwrap_or_else(|| {
                l.entries.push(t.clone());
                l.entries.len() - 1
            });
            // The unit in hand keeps the entry it came with.
            l.index = u32::try_from(at + 1).unwrap_or(1);
            l.silence = Silence::of(t);
        }
        let mut ops = Vec::new();
        if fresh > 0 {
            self.switch_init(&mut ops);
        }
        Ok(ops)
    }

    fn switch_init(&mut self, ops: &mut Vec<Op>) {
        let (old, old_len) = self.init;
        let tracks =
            self.lanes.iter().map(|l| (l.entries.iter().collect(), skip(self.base_ns, self.start_ns, l.rate())));
        let moov = init_bytes(self.timescale, tracks);
        let at = old + old_len + 8;
        let mut b = BoxWriter::new();
        b.bytes(&moov);
        b.bytes(&free_header(self.data_start - at - moov.len() as u64));
        ops.push(Op::Write(Write::new(at, b.into_vec())));
        ops.push(Op::Sync);
        ops.push(Op::Write(Write::new(old, free_header(old_len + 8))));
        ops.push(Op::Sync);
        self.init = (at, moov.len() as u64);
    }

    /// Bytes of media and fragment headers on disk; the reserve does not count.
    pub fn media_bytes(&self) -> u64 {
        self.tail - self.data_start - self.spilled
    }

    /// Bytes of the file, the reserve included.
    pub fn file_bytes(&self) -> u64 {
        self.tail
    }

    /// Video frames taken.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Units that did not fit the timeline.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Where the visible part begins, nanoseconds of the stream.
    pub fn start_ns(&self) -> i64 {
        self.start_ns
    }

    /// Length of the visible part so far.
    pub fn duration(&self) -> Duration {
        let ends = self.lanes.iter().map(|l| {
            let end = l.pending.as_ref().map_or(l.end, |p| l.end.max(p.pts + i64::from(l.nominal)));
            MediaTime(end).nanos(l.rate())
        });
        let end = ends.max().unwrap_or(0).saturating_add(self.base_ns);
        Duration::from_nanos(u64::try_from(end.saturating_sub(self.start_ns)).unwrap_or(0))
    }
}

fn skip(base_ns: i64, start_ns: i64, rate: u32) -> u64 {
    let ns = start_ns.saturating_sub(base_ns);
    u64::try_from(MediaTime(ns).rescale(1_000_000_000, rate).0).unwrap_or(0)
}

/// An init `moov` whose length is a multiple of 8, so that what follows it is aligned.
fn init_bytes<'a>(timescale: u32, tracks: impl Iterator<Item = (Vec<&'a Track>, u64)>) -> Vec<u8> {
    let tracks: Vec<InitTrack<'_>> = tracks
        .map(|(entries, skip)| {
            let edits = if skip > 0 { vec![Edit { duration: 0, media_time: Some(skip) }] } else { Vec::new() };
            InitTrack { entries, edits }
        })
        .collect();
    let mut b = BoxWriter::new();
    init_moov(&mut b, timescale, &tracks, 0);
    let padding = (8 - b.len() % 8) % 8 + 8;
    let mut b = BoxWriter::new();
    init_moov(&mut b, timescale, &tracks, padding);
    b.into_vec()
}

fn entry_bytes(track: &Track) -> usize {
    let mut b = BoxWriter::new();
    boxes::sample_entry(&mut b, track);
    b.len()
}

/// Entries to keep room for. Frame rates that cameras declare are often wrong: while none was measured, twice the
/// declared one is kept.
fn capacity(track: &Track, plan: Plan) -> Capacity {
    let seconds = plan.duration.as_secs() + 90;
    let video = track.video();
    let per_second = match &track.codec {
        Codec::Aac(p) => u64::from(p.sample_rate) / u64::from(p.frame_samples.max(1)) + 2,
        Codec::Opus(_) | Codec::G711(_) => 110,
        Codec::H264(_) | Codec::H265(_) | Codec::Jpeg(_) => {
            let declared = video.and_then(|v| v.fps).unwrap_or(0.0);
            let room = if plan.fps >= 1.0 { 1.25 } else { 2.0 };
            (declared.max(plan.fps).clamp(30.0, 240.0) * room) as u64
        }
    };
    Capacity {
        samples: per_second * seconds,
        chunks: seconds * 3,
        // Whatever the parameter sets say: some cameras reorder without declaring it.
        reordered: matches!(track.codec, Codec::H264(_) | Codec::H265(_)),
        has_keys: matches!(track.codec, Codec::H264(_) | Codec::H265(_)),
    }
}

/// How long a sample is when nothing says so.
fn nominal_duration(track: &Track, fps: f64) -> u32 {
    match &track.codec {
        Codec::Aac(p) => u32::from(p.frame_samples),
        Codec::Opus(_) => track.clock_rate / 50,
        Codec::G711(_) => 1,
        Codec::H264(_) | Codec::H265(_) | Codec::Jpeg(_) => {
            let declared = track.video().and_then(|v| v.fps).filter(|f| (1.0..=240.0).contains(f));
            let fps = if fps >= 1.0 { fps } else { declared.unwrap_or(25.0) };
            (f64::from(track.clock_rate) / fps) as u32
        }
    }
}
