//! ISO base media files (ISO/IEC 14496-12): sample tables, then movie fragments, with edit lists.
//!
//! **Media data is read sample by sample; only `moov` and one `moof` at a time are held.**

mod entry;
mod table;

use std::collections::VecDeque;
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use bytes::Bytes;
use mp4_atom::{Atom, Moof, Moov, Traf, Trak, Trex};

use super::{DemuxError, DemuxTrack, Demuxer, Sample, choose, is_key, read_at, with_long_lengths};
use crate::{Codec, MediaTime};
use entry::Entry;
pub(super) use entry::{avc, hevc};
use table::{Cursor, Place};

/// Twelve hours at 60 pictures per second, with sound, need about 50 MB.
const MAX_MOOV: u64 = 96 << 20;
const MAX_MOOF: u64 = 4 << 20;
/// Samples of one fragment; a fragment of an hour has fewer.
const MAX_FRAGMENT_SAMPLES: usize = 500_000;

/// Whether a file begins like an ISO base media or QuickTime file.
pub(super) fn is_mp4(head: &[u8]) -> bool {
    matches!(
        head.get(4..8),
        Some(b"ftyp" | b"styp" | b"moov" | b"moof" | b"mdat" | b"free" | b"skip" | b"wide" | b"pnot" | b"sidx")
    )
}

#[derive(Debug, Clone, Copy)]
struct BoxHead {
    kind: [u8; 4],
    start: u64,
    body: u64,
    end: u64,
}

/// The box at `at`; one that runs past the end of the file is cut there. `None` at the end.
fn next_box<R: Read + Seek>(reader: &mut R, len: u64, at: u64) -> Result<Option<BoxHead>, DemuxError> {
    let Some(head) = read_at(reader, len, at, 8)? else { return Ok(None) };
    let (Some(&size), Some(&kind)) = (head.first_chunk::<4>(), head.last_chunk::<4>()) else { return Ok(None) };
    let (body, end) = match u32::from_be_bytes(size) {
        0 => (at + 8, len),
        1 => {
            let Some(large) = read_at(reader, len, at + 8, 8)? else { return Ok(None) };
            let size = large.first_chunk::<8>().map_or(0, |b| u64::from_be_bytes(*b));
            (at + 16, at.saturating_add(size))
        }
        size => (at + 8, at + u64::from(size)),
    };
    if end < body {
        return Err(DemuxError::Damaged { what: "a box smaller than its header" });
    }
    Ok(Some(BoxHead { kind, start: at, body, end: end.min(len) }))
}

/// A track that is played.
#[derive(Debug)]
struct Line {
    track_id: u32,
    rate: u32,
    /// What its sample description boxes say, in their order.
    entries: Vec<Entry>,
    /// Index of the entry in use.
    entry: usize,
    /// Media ticks from media time to presentation on the movie's timeline (edit list).
    shift: i64,
    cursor: Cursor,
    trex: Trex,
    /// Samples of the current fragment.
    pending: VecDeque<Place>,
    /// Decode time behind the last sample of a fragment, for fragments that do not say theirs.
    fragment_end: i64,
}

impl Line {
    fn peek(&mut self) -> Option<Place> {
        self.cursor.current().or_else(|| self.pending.front().copied())
    }

    fn pop(&mut self) {
        if self.cursor.current().is_some() {
            self.cursor.advance();
        } else {
            self.pending.pop_front();
        }
    }

    fn finish(&mut self) {
        self.cursor.finish();
        self.pending.clear();
    }
}

/// See the module.
pub(super) struct Mp4<R> {
    reader: R,
    len: u64,
    tracks: Vec<DemuxTrack>,
    lines: Vec<Line>,
    duration: Option<Duration>,
    /// Where the walk over the fragments goes on; `None` in files without fragments.
    next_fragment: Option<u64>,
    first_fragment: Option<u64>,
}

impl<R: Read + Seek + Send> Mp4<R> {
    pub(super) fn open(mut reader: R) -> Result<Self, DemuxError> {
        let len = reader.seek(SeekFrom::End(0))?;
        let mut at = 0;
        let moov = loop {
            let Some(b) = next_box(&mut reader, len, at)? else {
                return Err(DemuxError::Damaged { what: "it has no index (moov)" });
            };
            if &b.kind == b"moov" {
                if b.end - b.body > MAX_MOOV {
                    return Err(DemuxError::Damaged { what: "its index (moov) is too large" });
                }
                break b;
            }
            at = b.end;
        };
        let Some(body) = read_in_steps(&mut reader, moov.body, moov.end - moov.body)? else {
            return Err(DemuxError::Damaged { what: "its index (moov) is cut off" });
        };
        let decoded = Moov::decode_body(&mut &body[..])
            .map_err(|_| DemuxError::Damaged { what: "its index (moov) cannot be read" })?;
        drop(body);
        Self::with_moov(reader, len, decoded, moov.end)
    }

    fn with_moov(reader: R, len: u64, moov: Moov, after: u64) -> Result<Self, DemuxError> {
        let movie_rate = moov.mvhd.timescale.max(1);
        let fragmented = moov.mvex.is_some();
        let trex = moov.mvex.as_ref().map(|m| m.trex.clone()).unwrap_or_default();
        let movie_ticks = moov.mvex.and_then(|m| m.mehd).map_or(moov.mvhd.duration, |m| m.fragment_duration);
        let duration = match movie_ticks {
            0 | 0xffff_ffff | u64::MAX => None,
            ticks => Some(Duration::from_secs_f64((ticks as f64 / f64::from(movie_rate)).min(1e9))),
        };

        let entries: Vec<Vec<Entry>> = moov.trak.iter().take(64).map(entry::read).collect();
        let codecs: Vec<Option<Codec>> = entries.iter().map(|e| e.first().and_then(|e| e.codec.clone())).collect();
        let (tracks, rank) = choose(&codecs);
        if tracks.is_empty() {
            return Err(DemuxError::NoTracks);
        }
        let mut lines: Vec<(usize, Line)> = Vec::new();
        for ((trak, entries), rank) in moov.trak.into_iter().zip(entries).zip(rank) {
            let Some(rank) = rank else { continue };
            lines.push((rank, line(trak, entries, &trex, movie_rate)?));
        }
        lines.sort_by_key(|(rank, _)| *rank);
        let first_fragment = fragmented.then_some(after);
        Ok(Self {
            reader,
            len,
            tracks,
            lines: lines.into_iter().map(|(_, l)| l).collect(),
            duration,
            next_fragment: first_fragment,
            first_fragment,
        })
    }

    /// Queues the samples of the next fragment; false when there is none.
    fn load_fragment(&mut self) -> Result<bool, DemuxError> {
        while let Some(at) = self.next_fragment {
            let Some(b) = next_box(&mut self.reader, self.len, at)? else {
                self.next_fragment = None;
                return Ok(false);
            };
            self.next_fragment = Some(b.end);
            if &b.kind != b"moof" {
                continue;
            }
            if b.end - b.body > MAX_MOOF {
                return Err(DemuxError::Damaged { what: "a fragment's index is too large" });
            }
            let Some(body) = read_at(&mut self.reader, self.len, b.body, b.end - b.body)? else { continue };
            // The last one of a file that is still written, or whose writer died.
            let Ok(moof) = Moof::decode_body(&mut &body[..]) else { continue };
            for traf in &moof.traf {
                if let Some(line) = self.lines.iter_mut().find(|l| l.track_id == traf.tfhd.track_id) {
                    queue(line, traf, b.start)?;
                }
            }
            if self.lines.iter().any(|l| !l.pending.is_empty()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn line(trak: Trak, entries: Vec<Entry>, trex: &[Trex], movie_rate: u32) -> Result<Line, DemuxError> {
    let rate = trak.mdia.mdhd.timescale;
    if rate == 0 {
        return Err(DemuxError::Damaged { what: "a track without a clock" });
    }
    let shift = shift(&trak, rate, movie_rate);
    let track_id = trak.tkhd.track_id;
    let bytes_per_pcm_sample = entries.first().and_then(|e| e.bytes_per_pcm_sample);
    Ok(Line {
        track_id,
        rate,
        entries,
        entry: 0,
        shift,
        cursor: Cursor::new(trak.mdia.minf.stbl, rate, bytes_per_pcm_sample),
        trex: trex.iter().find(|t| t.track_id == track_id).cloned().unwrap_or_default(),
        pending: VecDeque::new(),
        fragment_end: 0,
    })
}

/// Empty edits delay a track; the first real one says which media time is zero. Further ones, of which cut films are
/// made, are played as if they were not there.
fn shift(trak: &Trak, rate: u32, movie_rate: u32) -> i64 {
    let mut delay = 0u64;
    for edit in trak.edts.iter().filter_map(|e| e.elst.as_ref()).flat_map(|e| &e.entries) {
        match edit.media_time {
            None => delay = delay.saturating_add(edit.segment_duration),
            Some(start) => {
                let delay = MediaTime(i64::try_from(delay).unwrap_or(0)).rescale(movie_rate, rate).0;
                return delay.saturating_sub(i64::try_from(start).unwrap_or(0));
            }
        }
    }
    0
}

/// Appends the samples of a track fragment (§8.8.7, §8.8.8).
fn queue(line: &mut Line, traf: &Traf, moof_start: u64) -> Result<(), DemuxError> {
    let head = &traf.tfhd;
    let base = head.base_data_offset.unwrap_or(moof_start);
    let mut dts = match &traf.tfdt {
        Some(t) => i64::try_from(t.base_media_decode_time).unwrap_or(0),
        None => line.fragment_end,
    };
    let description =
        head.sample_description_index.unwrap_or(line.trex.default_sample_description_index).saturating_sub(1);
    let default_duration = head.default_sample_duration.unwrap_or(line.trex.default_sample_duration);
    let default_size = head.default_sample_size.unwrap_or(line.trex.default_sample_size);
    let mut offset = base;
    for run in &traf.trun {
        if let Some(delta) = run.data_offset {
            offset = base.saturating_add_signed(i64::from(delta));
        }
        if line.pending.len().saturating_add(run.samples.len()) > MAX_FRAGMENT_SAMPLES {
            return Err(DemuxError::Damaged { what: "a fragment with too many samples" });
        }
        for s in run.samples.iter() {
            let duration = i64::from(s.duration.unwrap_or(default_duration));
            let size = s.size.unwrap_or(default_size);
            let pts = dts.saturating_add(s.cts.unwrap_or(0));
            line.pending.push_back(Place { offset, size, dts, pts, duration, description });
            offset = offset.saturating_add(u64::from(size));
            dts = dts.saturating_add(duration);
        }
    }
    line.fragment_end = dts;
    Ok(())
}

/// Like [`read_at`] for sizes over a sample's, growing with what is really there.
fn read_in_steps<R: Read + Seek>(reader: &mut R, at: u64, size: u64) -> Result<Option<Vec<u8>>, DemuxError> {
    reader.seek(SeekFrom::Start(at))?;
    let mut body = Vec::new();
    reader.by_ref().take(size).read_to_end(&mut body)?;
    Ok((body.len() as u64 == size).then_some(body))
}

impl<R: Read + Seek + Send> Demuxer for Mp4<R> {
    fn tracks(&self) -> &[DemuxTrack] {
        &self.tracks
    }

    fn next_sample(&mut self) -> Result<Option<Sample>, DemuxError> {
        loop {
            let mut next: Option<(usize, i64, Place)> = None;
            for (i, line) in self.lines.iter_mut().enumerate() {
                if let Some(place) = line.peek() {
                    let at = MediaTime(place.dts.saturating_add(line.shift)).nanos(line.rate);
                    if next.is_none_or(|(_, best, _)| at < best) {
                        next = Some((i, at, place));
                    }
                }
            }
            let Some((track, _, place)) = next else {
                if self.load_fragment()? {
                    continue;
                }
                return Ok(None);
            };
            let line = &mut self.lines[track];
            line.pop();
            if place.size == 0 {
                continue;
            }
            let Some(data) = read_at(&mut self.reader, self.len, place.offset, u64::from(place.size))? else {
                // Cut off: what is there has been played.
                line.finish();
                continue;
            };
            let at = usize::try_from(place.description).unwrap_or(usize::MAX);
            let changed = at != line.entry && at < line.entries.len();
            if changed {
                line.entry = at;
            }
            let Some(entry) = line.entries.get(line.entry) else { continue };
            let Some(codec) = &entry.codec else { continue };
            let data = match entry.length_size {
                Some(size) => with_long_lengths(data, size),
                None => Bytes::from(data),
            };
            if data.is_empty() {
                continue;
            }
            let clock = self.tracks[track].clock_rate;
            let to_clock = |ticks: i64| MediaTime(ticks).rescale(line.rate, clock).0;
            let dts = to_clock(place.dts.saturating_add(line.shift));
            return Ok(Some(Sample {
                track,
                pts: to_clock(place.pts.saturating_add(line.shift)).max(dts),
                dts,
                duration: to_clock(place.duration),
                key: is_key(codec, &data),
                data,
                codec: changed.then(|| codec.clone()),
            }));
        }
    }

    fn rewind(&mut self) -> Result<(), DemuxError> {
        for line in &mut self.lines {
            line.cursor.restart();
            line.pending.clear();
            line.fragment_end = 0;
        }
        self.next_fragment = self.first_fragment;
        Ok(())
    }

    fn duration(&self) -> Option<Duration> {
        self.duration
    }
}
