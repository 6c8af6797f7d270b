//! A part of a recording as a file of its own, without coding anything again and without writing anything down.
//!
//! A [`Cut`] is the beginning of the new file (`ftyp`, `moov` and the header of `mdat`) and a list of places in the old
//! one whose bytes follow. It can be streamed at once, with ranges, by anybody who can read the old file, and **the same
//! cut always has the same bytes**, also after the old file was made smaller ([`super::compact`]).
//!
//! Pictures begin at the key frame at or before the asked one, so that they can be decoded; an edit list hides those
//! before it. Sound is cut at the same instant, with a little before it that a decoder needs. Only sample tables are
//! read, a page at a time: memory grows with the part that is cut out, not with the file.

mod build;
mod select;
mod source;

use std::io::{self, Read, Seek};
use std::time::Duration;

use bytes::Bytes;

use self::build::Part;
use self::select::{Selection, Window};
use self::source::{Chunks, Movie, TrackInfo};
use crate::MediaTime;

/// Why there is no such part.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// The file could not be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The end does not lie after the beginning.
    #[error("the end of a part has to lie after its beginning")]
    EmptyRange,
    /// The beginning lies behind the end of the file.
    #[error("the recording is {} ms long", duration.as_millis())]
    BeyondEnd {
        /// How long the file is.
        duration: Duration,
    },
    /// No picture or sound is there at that time.
    #[error("there is neither picture nor sound at that time")]
    Nothing,
    /// It is still being written.
    #[error("the recording is not finished")]
    Unfinished,
    /// The file breaks the rules, or was not written by us.
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
}

/// Bytes of the old file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where they stand in the new file.
    pub position: u64,
    /// Where they stand in the old file.
    pub at: u64,
    /// How many.
    pub len: u64,
}

/// Where bytes of the new file come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// These.
    Head(&'a [u8]),
    /// So many of the old file.
    Source {
        /// First byte.
        at: u64,
        /// How many at most.
        len: u64,
    },
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Cut {
    /// `ftyp`, `moov` and the header of `mdat`.
    pub head: Bytes,
    /// What follows, without holes.
    pub pieces: Vec<Piece>,
    /// Bytes of the whole new file.
    pub length: u64,
    /// Where it begins on the old file's timeline: the first picture that is shown.
    pub start: Duration,
    /// How long it plays.
    pub duration: Duration,
    /// Pictures in it, those that are hidden included.
    pub frames: u64,
    /// Codec, width and height of the pictures.
    pub video: Option<(&'static str, u32, u32)>,
    /// Codec of the sound.
    pub audio: Option<&'static str>,
}

impl Cut {
    /// What stands at a position of the new file; `None` behind its end.
    pub fn at(&self, position: u64) -> Option<Place<'_>> {
        if let Some(rest) = usize::try_from(position).ok().and_then(|p| self.head.get(p..)).filter(|r| !r.is_empty()) {
            return Some(Place::Head(rest));
        }
        let after = self.pieces.partition_point(|p| p.position <= position);
        let piece = self.pieces.get(after.checked_sub(1)?)?;
        let skip = position - piece.position;
        (skip < piece.len).then(|| Place::Source { at: piece.at + skip, len: piece.len - skip })
    }
}

/// A fragment of a growing file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    /// First byte of its `moof`, counted from the first fragment's: the space before that may become larger.
    pub at: u64,
    /// Decode time of its first sample, in nanoseconds since the file's zero.
    pub time_ns: i64,
    /// Whether a decoder can start in it.
    pub key: bool,
}

/// Cuts from `from` to `to` of the visible timeline out of a finished file. An end behind the file's end is moved there.
pub fn cut<R: Read + Seek>(file: &mut R, from: Duration, to: Duration) -> Result<Cut, CutError> {
    if from >= to {
        return Err(CutError::EmptyRange);
    }
    let movie = Movie::read(file)?;
    if movie.fragmented {
        return Err(CutError::Unfinished);
    }
    let duration = movie.visible();
    if from >= duration {
        return Err(CutError::BeyondEnd { duration });
    }
    let sources = movie.tracks.iter().map(|t| t.chunks(movie.len)).collect::<Result<Vec<_>, _>>()?;
    part(file, &movie, sources, from, to.min(duration))
}

/// Cuts the last `length` out of a file that still grows, or was finished a moment ago. `fragments` are its newest ones,
/// all of them whole on the disk.
pub fn cut_growing<R: Read + Seek>(file: &mut R, fragments: &[Fragment], length: Duration) -> Result<Cut, CutError> {
    let movie = Movie::read(file)?;
    if !movie.fragmented {
        let end = movie.visible();
        return cut(file, end.saturating_sub(length), end);
    }
    let begin = media_start(file)?;
    let there = |f: &Fragment| Fragment { at: begin.saturating_add(f.at), ..*f };
    let fragments: Vec<Fragment> = fragments.iter().map(there).collect();
    let sources = || movie.tracks.iter().enumerate().map(|(i, _)| Chunks::fragments(&fragments, i, movie.len));
    // The end of the pictures; of the sound where there are none.
    let main = movie.tracks.iter().position(|t| t.video).unwrap_or(0);
    let (Some(track), Some(mut source)) = (movie.tracks.get(main), sources().nth(main)) else {
        return Err(CutError::Nothing);
    };
    // All pictures that are shown before the next one is decoded are there; of those after it one may be missing.
    let mut end = i64::MIN;
    while let Some(chunk) = source.next(file)? {
        let ticks = chunk.samples.iter().map(|s| i64::from(s.duration)).fold(0, i64::saturating_add);
        end = end.max(chunk.dts.saturating_add(ticks));
    }
    let end = MediaTime(end.saturating_add(track.shift(movie.timescale))).since(MediaTime(0), track.rate);
    if end.is_zero() {
        return Err(CutError::Nothing);
    }
    part(file, &movie, sources().collect(), end.saturating_sub(length), end)
}

/// Where the media of one of our files begins, growing or finished. While that stays the same, everything in the media
/// stays where it is.
pub fn media_start<R: Read + Seek>(file: &mut R) -> Result<u64, CutError> {
    source::media_start(file)
}

fn part<R: Read + Seek>(
    file: &mut R,
    movie: &Movie,
    sources: Vec<Chunks>,
    from: Duration,
    to: Duration,
) -> Result<Cut, CutError> {
    let (mut start, mut video) = (from, None);
    let mut sources: Vec<Option<Chunks>> = sources.into_iter().map(Some).collect();
    // Pictures first: where they begin, sound begins.
    let order = (0..movie.tracks.len()).filter(|&i| movie.tracks[i].video);
    let order = order.chain((0..movie.tracks.len()).filter(|&i| !movie.tracks[i].video));
    let mut parts = Vec::new();
    for i in order {
        let (Some(track), Some(source)) = (movie.tracks.get(i), sources.get_mut(i).and_then(Option::take)) else {
            continue;
        };
        let Some(window) = window(movie, track, start, to) else { continue };
        let selection = Selection::of(file, source, track, window)?;
        if track.video {
            let s = selection.ok_or(CutError::Nothing)?;
            start = time(s.start.saturating_add(track.shift(movie.timescale)), track.rate);
            video = Some(s.frames());
            parts.push(Part::new(track, s));
        } else if let Some(s) = selection {
            parts.push(Part::new(track, s));
        }
    }
    if parts.is_empty() {
        return Err(CutError::Nothing);
    }
    let mut cut = build::build(movie.timescale, &parts, start)?;
    cut.frames = video.unwrap_or(0);
    Ok(cut)
}

/// The part in ticks of a track's media; `None` when nothing of the track is visible there.
fn window(movie: &Movie, track: &TrackInfo, from: Duration, to: Duration) -> Option<Window> {
    let shift = track.shift(movie.timescale);
    let to = track.visible(movie.timescale).map_or(to, |end| to.min(end));
    let media = |t: Duration| MediaTime::from_duration(t, track.rate).0.saturating_sub(shift);
    (from < to).then(|| Window { zero: media(Duration::ZERO), from: media(from), to: media(to) })
}

fn time(ticks: i64, rate: u32) -> Duration {
    MediaTime(ticks).since(MediaTime(0), rate)
}
