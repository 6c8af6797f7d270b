//! Reading media files: MP4 (whole and fragmented), Matroska and MPEG transport streams.
//!
//! A [`Demuxer`] reads over anything that is `Read + Seek`, one sample at a time, in decoding order, and hands it out
//! in the form that crosses the hub. **A file is never trusted**: no size it names is allocated before that many bytes
//! are known to be there, every walk is bounded by its length, and damage ends in an error or an early end.
//!
//! Times are in 90 kHz for pictures and in the sampling rate for sound, whatever the container counts in.

mod mkv;
mod mp4;
mod ts;

use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use bytes::Bytes;
use vigie_base::Fault;

use crate::bitstream::BitstreamError;
use crate::{Codec, MediaKind, nal};

/// Clock of every video track that a demuxer gives out.
pub const VIDEO_CLOCK: u32 = 90_000;
/// Larger samples than this are damage: a 100-megapixel JPEG fits.
const MAX_SAMPLE: u64 = 64 << 20;

/// Why a file cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum DemuxError {
    /// The file could not be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// None of the containers that are known.
    #[error("this is no MP4, Matroska or MPEG transport stream file")]
    UnknownContainer,
    /// The container breaks its own rules.
    #[error("the file is damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
    },
    /// No track has a codec that is handled here.
    #[error("the file has no track that can be played (H.264, H.265, MJPEG, AAC, Opus or G.711)")]
    NoTracks,
    /// The parameters of a track cannot be understood.
    #[error("a track cannot be played: {0}")]
    Bitstream(#[from] BitstreamError),
}

impl DemuxError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            DemuxError::Io(e) if e.kind() == io::ErrorKind::NotFound => Fault::NotFound,
            DemuxError::Io(_) => Fault::Disk,
            _ => Fault::Config,
        }
    }
}

/// A track of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct DemuxTrack {
    /// Ticks per second of its times: 90 kHz for pictures, the sampling rate for sound.
    pub clock_rate: u32,
    /// Codec and parameters at the beginning.
    pub codec: Codec,
}

impl DemuxTrack {
    fn new(codec: Codec) -> Self {
        let clock_rate = match &codec {
            Codec::H264(_) | Codec::H265(_) | Codec::Jpeg(_) => VIDEO_CLOCK,
            Codec::Aac(p) => p.sample_rate,
            Codec::G711(p) => p.sample_rate,
            Codec::Opus(_) => 48_000,
        };
        Self { clock_rate: clock_rate.max(1), codec }
    }
}

/// One picture, or one frame of sound.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Index into [`Demuxer::tracks`].
    pub track: usize,
    /// Presentation time in ticks of the track; zero is where the file begins to play, so it may be negative.
    pub pts: i64,
    /// Decode time in ticks of the track; grows from sample to sample of a track.
    pub dts: i64,
    /// How long it lasts in ticks, 0 when nothing says so.
    pub duration: i64,
    /// A decoder can start here.
    pub key: bool,
    /// In the form of [`crate::AccessUnit::data`].
    pub data: Bytes,
    /// New parameters that hold from this sample on.
    pub codec: Option<Codec>,
}

/// A file that is being read.
pub trait Demuxer: Send {
    /// Its tracks: at most one video and one audio track, video first.
    fn tracks(&self) -> &[DemuxTrack];
    /// The next sample, about in the order of decode times over all tracks; `None` at the end.
    fn next_sample(&mut self) -> Result<Option<Sample>, DemuxError>;
    /// Goes back to the beginning.
    fn rewind(&mut self) -> Result<(), DemuxError>;
    /// How long it plays, when the container says so.
    fn duration(&self) -> Option<Duration>;
}

/// Looks at the first bytes and opens the file with the reader for its container.
pub fn open<R: Read + Seek + Send + 'static>(mut reader: R) -> Result<Box<dyn Demuxer>, DemuxError> {
    let mut head = Vec::with_capacity(1024);
    reader.seek(SeekFrom::Start(0))?;
    reader.by_ref().take(1024).read_to_end(&mut head)?;
    reader.seek(SeekFrom::Start(0))?;
    if mkv::is_matroska(&head) {
        return Ok(Box::new(mkv::Matroska::open(reader)?));
    }
    if mp4::is_mp4(&head) {
        return Ok(Box::new(mp4::Mp4::open(reader)?));
    }
    if let Some(format) = ts::sniff(&head) {
        return Ok(Box::new(ts::TransportStream::open(reader, format)?));
    }
    Err(DemuxError::UnknownContainer)
}

/// Keeps the first track of each kind, pictures first. `rank` gives each place in `codecs` its place in the result.
fn choose(codecs: &[Option<Codec>]) -> (Vec<DemuxTrack>, Vec<Option<usize>>) {
    let first = |kind| codecs.iter().position(|c| c.as_ref().is_some_and(|c| c.kind() == kind));
    let mut tracks = Vec::new();
    let mut rank = vec![None; codecs.len()];
    for i in [first(MediaKind::Video), first(MediaKind::Audio)].into_iter().flatten() {
        if let Some(codec) = &codecs[i] {
            rank[i] = Some(tracks.len());
            tracks.push(DemuxTrack::new(codec.clone()));
        }
    }
    (tracks, rank)
}

/// Reads exactly `size` bytes at `offset` of a file of `len` bytes; `None` when it does not have them.
fn read_at<R: Read + Seek>(reader: &mut R, len: u64, offset: u64, size: u64) -> Result<Option<Vec<u8>>, DemuxError> {
    if size > MAX_SAMPLE || offset.checked_add(size).is_none_or(|end| end > len) {
        return Ok(None);
    }
    let Ok(size) = usize::try_from(size) else { return Ok(None) };
    reader.seek(SeekFrom::Start(offset))?;
    let mut data = vec![0; size];
    match reader.read_exact(&mut data) {
        Ok(()) => Ok(Some(data)),
        // The file became shorter while it was read.
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// NAL units behind lengths of `length_size` bytes, as units behind 4 bytes; damaged ends are cut off.
fn with_long_lengths(data: Vec<u8>, length_size: u8) -> Bytes {
    let width = usize::from(length_size.clamp(1, 4));
    let mut nals = Vec::new();
    let mut rest = &data[..];
    while rest.len() >= width {
        let (prefix, behind) = rest.split_at(width);
        let size = prefix.iter().fold(0usize, |n, &b| n << 8 | usize::from(b));
        if size > behind.len() {
            break;
        }
        let (unit, next) = behind.split_at(size);
        if !unit.is_empty() {
            nals.push(unit);
        }
        rest = next;
    }
    let sum: usize = nals.iter().map(|n| n.len() + 4).sum();
    if width == 4 && sum == data.len() { Bytes::from(data) } else { nal::join(nals) }
}

/// Whether a decoder can start at this unit, by its codec and contents.
fn is_key(codec: &Codec, data: &[u8]) -> bool {
    match codec {
        Codec::H264(_) => crate::h264::is_key(data),
        Codec::H265(_) => crate::h265::is_key(data),
        _ => true,
    }
}

/// Times of sound from a container whose clock is coarser than the samples.
///
/// Frames follow each other without a hole; the container's time is believed only when it lies further off than it
/// can have been rounded.
#[derive(Debug, Clone)]
struct SoundClock {
    tolerance: i64,
    next: Option<i64>,
}

impl SoundClock {
    /// `unit_ns` is the distance of two of the container's ticks.
    fn new(rate: u32, unit_ns: u64) -> Self {
        let ticks = u128::from(unit_ns) * u128::from(rate) / 1_000_000_000;
        Self { tolerance: i64::try_from(ticks * 2).unwrap_or(i64::MAX).max(2), next: None }
    }

    fn place(&mut self, container: i64, duration: i64) -> i64 {
        let at = match self.next {
            Some(next) if container.saturating_sub(next).saturating_abs() <= self.tolerance => next,
            // Never back: a decoder's clock does not run backwards.
            Some(next) => container.max(next),
            None => container,
        };
        self.next = Some(at.saturating_add(duration.max(0)));
        at
    }
}
