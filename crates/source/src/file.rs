//! Files: MP4, Matroska and transport streams, played at the pace at which they were recorded.
//!
//! `file:///path/to/recording.mp4`. **The file's own times decide when a picture is published, and its timestamps go
//! on when it begins again**, so a reader sees one endless stream. Reading happens on threads that may block, a batch
//! ahead of what is played; never more than a batch and what plays now is held.

mod times;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::task::JoinHandle;
use tokio::time::{Instant as Deadline, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};
use vigie_hub::{Publisher, Reason, SourceTrack, SourceUnit};
use vigie_media::demux::{self, DemuxError, DemuxTrack, Demuxer, Sample};
use vigie_media::{MediaKind, TrackId};

use crate::{Source, SourceError, SourceSpec, unpublishable};
use times::Times;

/// A batch ends at the first of these.
const BATCH_SAMPLES: usize = 64;
const BATCH_BYTES: usize = 1 << 20;
/// How late a sample may be before the rest is not hurried after it: the machine slept, or was far too busy.
const MAX_LATE: Duration = Duration::from_secs(3);

/// A source for a `file:` URL.
pub fn make(spec: &SourceSpec) -> Result<Box<dyn Source>, SourceError> {
    let wrong = |message: &str| SourceError::new(Reason::Config, message);
    if spec.url.scheme() != "file" {
        return Err(wrong("a file is named by a URL like file:///srv/videos/match.mp4"));
    }
    let path = spec.url.to_file_path().map_err(|()| wrong("the URL does not name a file of this machine"))?;
    let speed = spec.config.speed;
    if !(0.1..=16.0).contains(&speed) {
        return Err(wrong("the speed of a file is a number from 0.1 to 16"));
    }
    Ok(Box::new(FileSource { path, looped: spec.config.looped, speed }))
}

struct FileSource {
    path: PathBuf,
    looped: bool,
    speed: f64,
}

/// What a batch is made of.
enum Item {
    Sample(Sample),
    /// The file begins anew.
    Again,
}

/// A demuxer that is filling or was filling a batch.
struct Reader {
    demuxer: Box<dyn Demuxer>,
    looped: bool,
    /// Samples since the beginning of the file.
    samples: u64,
}

struct Batch {
    items: Vec<Item>,
    /// How it goes on: with the same reader, or not at all.
    rest: Result<Option<Reader>, SourceError>,
}

impl Reader {
    fn batch(mut self) -> Batch {
        let (mut items, mut bytes) = (Vec::new(), 0);
        while items.len() < BATCH_SAMPLES && bytes < BATCH_BYTES {
            match self.demuxer.next_sample() {
                Ok(Some(sample)) => {
                    self.samples += 1;
                    bytes += sample.data.len();
                    items.push(Item::Sample(sample));
                }
                Ok(None) if self.samples == 0 => {
                    let message = "the file holds no pictures or sound, only their description";
                    return Batch { items, rest: Err(SourceError::new(Reason::NoVideo, message)) };
                }
                Ok(None) if self.looped => {
                    if let Err(e) = self.demuxer.rewind() {
                        return Batch { items, rest: Err(failure(&e)) };
                    }
                    self.samples = 0;
                    items.push(Item::Again);
                }
                Ok(None) => return Batch { items, rest: Ok(None) },
                Err(e) => return Batch { items, rest: Err(failure(&e)) },
            }
        }
        Batch { items, rest: Ok(Some(self)) }
    }
}

fn open(path: &Path, looped: bool) -> Result<Reader, SourceError> {
    let file = File::open(path).map_err(|e| failure(&DemuxError::Io(e)))?;
    // A pipe or a device would block for ever.
    if !file.metadata().is_ok_and(|m| m.is_file()) {
        return Err(SourceError::new(Reason::Config, "the path names a folder or a device, not a file"));
    }
    let demuxer = demux::open(BufReader::with_capacity(64 * 1024, file)).map_err(|e| failure(&e))?;
    Ok(Reader { demuxer, looped, samples: 0 })
}

/// Says it without the path: whoever may see the error knows which file was asked for.
fn failure(e: &DemuxError) -> SourceError {
    let (reason, message) = match e {
        DemuxError::Io(e) => match e.kind() {
            io::ErrorKind::NotFound => (Reason::NotFound, "there is no such file".to_owned()),
            io::ErrorKind::PermissionDenied => (Reason::Config, "Vigie is not allowed to read the file".to_owned()),
            _ => (Reason::Config, format!("the file cannot be read: {e}")),
        },
        DemuxError::UnknownContainer | DemuxError::NoTracks | DemuxError::Bitstream(_) => {
            (Reason::NoVideo, e.to_string())
        }
        DemuxError::Damaged { .. } => (Reason::Protocol, e.to_string()),
    };
    SourceError::new(reason, message)
}

fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    tokio::task::spawn_blocking(work)
}

/// Waits for blocking work; `None` when cancelled before.
async fn until_done<T>(work: &mut JoinHandle<T>, cancel: &CancellationToken) -> Result<Option<T>, SourceError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Ok(None),
        done = work => match done {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(SourceError::new(Reason::Protocol, "the file could not be read to its end")),
        },
    }
}

#[async_trait]
impl Source for FileSource {
    async fn run(&mut self, mut out: Publisher, cancel: CancellationToken) -> Result<(), SourceError> {
        let (path, looped) = (self.path.clone(), self.looped);
        let mut opening = spawn(move || open(&path, looped));
        let Some(reader) = until_done(&mut opening, &cancel).await? else { return Ok(()) };
        let reader = reader?;

        // Sound of another speed would need to be made anew; beside pictures it is left out.
        let all = reader.demuxer.tracks().to_vec();
        let silent = self.speed != 1.0 && all.iter().any(|t| t.codec.kind() == MediaKind::Video);
        let mut tracks: Vec<DemuxTrack> = all;
        if silent {
            tracks.retain(|t| t.codec.kind() == MediaKind::Video);
        }
        info!(
            codecs = ?tracks.iter().map(|t| t.codec.name()).collect::<Vec<_>>(),
            duration_s = reader.demuxer.duration().map(|d| d.as_secs_f64()),
            "playing a file"
        );
        if let Err(e) = describe(&mut out, &tracks) {
            return unpublishable(e);
        }

        let rates: Vec<u32> = tracks.iter().map(|t| t.clock_rate).collect();
        let mut times = Times::new(&rates, self.speed);
        let mut pace = None;
        let mut reading = spawn(move || reader.batch());
        loop {
            let Some(batch) = until_done(&mut reading, &cancel).await? else { return Ok(()) };
            let last = match batch.rest {
                Ok(Some(reader)) => {
                    reading = spawn(move || reader.batch());
                    None
                }
                Ok(None) => Some(Ok(())),
                Err(e) => Some(Err(e)),
            };
            for item in batch.items {
                let sample = match item {
                    Item::Sample(s) if s.track < tracks.len() => s,
                    Item::Sample(_) => continue,
                    Item::Again => {
                        debug!("the file begins again");
                        times.again();
                        continue;
                    }
                };
                let placed = times.place(&sample);
                let due = due(&mut pace, placed.at_ns);
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => return Ok(()),
                    () = sleep_until(due) => {}
                }
                if let Some(codec) = sample.codec {
                    tracks[sample.track].codec = codec;
                    if let Err(e) = describe(&mut out, &tracks) {
                        return unpublishable(e);
                    }
                }
                let unit = SourceUnit {
                    track: TrackId(u8::try_from(sample.track).unwrap_or(u8::MAX)),
                    pts: placed.pts,
                    dts: Some(placed.dts),
                    shared_ns: Some(placed.shown_ns),
                    arrived: Instant::now(),
                    key: sample.key,
                    data: sample.data,
                };
                if let Err(e) = out.push(unit) {
                    return unpublishable(e);
                }
            }
            if let Some(last) = last {
                return last;
            }
        }
    }
}

fn describe(out: &mut Publisher, tracks: &[DemuxTrack]) -> Result<(), vigie_hub::publish::PublishError> {
    let tracks = tracks.iter().map(|t| SourceTrack { clock_rate: t.clock_rate, codec: t.codec.clone() });
    out.describe(tracks.collect()).map(|_| ())
}

/// When the sample of that time is due. `pace` is the instant of time zero.
fn due(pace: &mut Option<(Deadline, i64)>, at_ns: i64) -> Deadline {
    let now = Deadline::now();
    let (start, first) = *pace.get_or_insert((now, at_ns));
    let due = start + Duration::from_nanos(u64::try_from(at_ns.saturating_sub(first)).unwrap_or(0));
    if now.saturating_duration_since(due) > MAX_LATE {
        *pace = Some((now, at_ns));
        return now;
    }
    due
}

#[cfg(test)]
mod tests;
