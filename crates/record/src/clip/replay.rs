//! A clip of what the hub keeps: written into memory as a recording would be, then cut like one.
//!
//! **Nothing is copied**: the image of the file refers to the units of the ring, and only its tables are made.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::sleep;
use vigie_hub::{Event, Past};
use vigie_media::mp4::cut::{Cut, cut};
use vigie_media::mp4::session::{Op, Plan, SessionFile};
use vigie_media::{AccessUnit, MediaKind, MediaTime, StreamDescription};

use crate::RecordError;
use crate::intake::{Intake, Piece};
use crate::recorder::Shared;

/// Sound that an encoder may hold before it is waited for.
const AHEAD: Duration = Duration::from_secs(3);
/// How long it is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// A file in memory: the space before the media, then pieces of media.
#[derive(Debug, Default, Clone)]
pub(super) struct Image {
    head: Vec<u8>,
    pieces: BTreeMap<u64, Bytes>,
    len: u64,
}

impl Image {
    fn new(data_start: u64) -> Self {
        let head = vec![0; usize::try_from(data_start).unwrap_or(0)];
        Self { len: head.len() as u64, head, pieces: BTreeMap::new() }
    }

    fn apply(&mut self, ops: Vec<Op>) {
        for op in ops {
            // The other operations are for files that outgrow their plan, which these are made not to.
            let Op::Write(w) = op else { continue };
            let mut at = w.at;
            for piece in w.data {
                let end = at + piece.len() as u64;
                let into = usize::try_from(at).ok().zip(usize::try_from(end).ok());
                if let Some(slot) = into.and_then(|(a, b)| self.head.get_mut(a..b)) {
                    slot.copy_from_slice(&piece);
                } else if !piece.is_empty() {
                    self.len = self.len.max(end);
                    self.pieces.insert(at, piece);
                }
                at = end;
            }
        }
    }

    /// Up to `len` bytes from `at` on, at least one.
    pub(super) fn get(&self, at: u64, len: u64) -> io::Result<Bytes> {
        let most = usize::try_from(len).unwrap_or(usize::MAX);
        if let Some(rest) = usize::try_from(at).ok().and_then(|at| self.head.get(at..)).filter(|r| !r.is_empty()) {
            return Ok(Bytes::copy_from_slice(&rest[..rest.len().min(most)]));
        }
        let (start, piece) = self.pieces.range(..=at).next_back().ok_or(io::ErrorKind::UnexpectedEof)?;
        let skip = usize::try_from(at - start).unwrap_or(usize::MAX);
        if skip >= piece.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(piece.slice(skip..piece.len().min(skip.saturating_add(most))))
    }
}

/// An image as a file.
struct Open<'a> {
    image: &'a Image,
    at: u64,
}

impl Read for Open<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.image.len || buf.is_empty() {
            return Ok(0);
        }
        let bytes = self.image.get(self.at, buf.len() as u64)?;
        buf[..bytes.len()].copy_from_slice(&bytes);
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }
}

impl Seek for Open<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // Any position may be sought, as in a file; reading there gives nothing.
        let mut place = Cursor::new(&[][..]);
        place.set_position(self.at);
        self.at = match to {
            SeekFrom::End(d) => self.image.len.checked_add_signed(d).ok_or(io::ErrorKind::InvalidInput)?,
            to => place.seek(to)?,
        };
        Ok(self.at)
    }
}

/// A clip in memory.
pub(super) struct Made {
    pub(super) cut: Cut,
    pub(super) image: Image,
    /// The instant of the stream's time zero.
    pub(super) origin: Instant,
    /// Where the image's visible timeline begins, from there on.
    pub(super) begins: Duration,
    pub(super) mode: &'static str,
}

/// Makes a clip of a snapshot. It shows nothing from before `from`.
pub(super) async fn make(shared: &Shared, past: Past, from: Instant, fps: f64) -> Result<Made, RecordError> {
    let Past { origin, taken, description, events } = past;
    // Nothing is encoded that can be copied, whatever recordings do.
    let mut intake = Intake::new(shared.config.encoding, Some(crate::VideoMode::Auto));
    let mut writing = Writing::new(&events, ns(origin, from), taken.saturating_duration_since(from), fps);
    for event in std::iter::once(Event::Description(description)).chain(events) {
        let mut pieces = Vec::new();
        match event {
            Event::Description(d) => {
                if intake.wants_means(&d) {
                    intake.set_means(shared.means().await?);
                }
                if intake.wants_ffmpeg(&d) {
                    intake.set_ffmpeg(shared.ffmpeg().await);
                }
                intake.describe(&d, &mut pieces)?;
                pieces.extend(intake.rest_of_replaced().await);
            }
            Event::Unit(u) => {
                if intake.is_heavy() {
                    let work = tokio::task::spawn_blocking(move || {
                        let result = intake.unit(&u, &mut pieces);
                        (intake, pieces, result)
                    });
                    let crashed = |_| RecordError::EncoderUnavailable("the encoder has crashed".into());
                    let (back, made, result) = work.await.map_err(crashed)?;
                    (intake, pieces) = (back, made);
                    result?;
                } else {
                    intake.unit(&u, &mut pieces)?;
                }
                let patience = Instant::now() + PATIENCE;
                while intake.held() > AHEAD && Instant::now() < patience {
                    sleep(LOOK).await;
                    intake.drain(&mut pieces);
                }
            }
            // The times say so.
            Event::Gap(_) | Event::Skipped(_) => {}
        }
        writing.take(pieces);
    }
    let (sound, mode) = (intake.finish().await, intake.mode());
    let work = tokio::task::spawn_blocking(move || {
        let mut pieces = Vec::new();
        intake.finish_pictures(i64::MIN, sound, &mut pieces)?;
        writing.take(pieces);
        writing.finish()
    });
    let (image, cut, begins) = work.await.map_err(super::crashed)??;
    Ok(Made { cut, image, origin, begins, mode })
}

/// The image while it is written.
struct Writing {
    start_ns: i64,
    plan: Plan,
    description: Option<Arc<StreamDescription>>,
    file: Option<(SessionFile, Image)>,
    /// Decode time in nanoseconds and duration of the newest picture, or piece of sound where there are no pictures.
    newest_ns: i64,
    step_ns: i64,
    full: bool,
}

impl Writing {
    fn new(events: &[Event], start_ns: i64, length: Duration, fps: f64) -> Self {
        let units = events.iter().filter(|e| matches!(e, Event::Unit(_))).count();
        // Room for every unit in the tables of either track, whatever the rates that were measured.
        let seconds = length.as_secs() + 1 + units as u64 / 30;
        let plan = Plan { duration: Duration::from_secs(seconds), click_ns: Some(start_ns), fps };
        let (description, file) = (None, None);
        Self { start_ns, plan, description, file, newest_ns: i64::MIN, step_ns: 0, full: false }
    }

    fn take(&mut self, pieces: Vec<Piece>) {
        for piece in pieces {
            match piece {
                Piece::Description(d) => {
                    let goes_on = match &mut self.file {
                        Some((file, image)) => file.describe(&d).map(|ops| image.apply(ops)).is_ok(),
                        None => true,
                    };
                    if !goes_on {
                        // Another codec: one file holds only what came since.
                        (self.file, self.newest_ns) = (None, i64::MIN);
                    }
                    self.description = Some(d);
                }
                Piece::Unit(u) => self.unit(&u),
                // The times say so; a clip has no log.
                Piece::Gap(..) | Piece::Note(_) => {}
            }
        }
    }

    fn unit(&mut self, unit: &AccessUnit) {
        let Some(description) = &self.description else { return };
        let Some(track) = description.track(unit.track) else { return };
        let picture = track.kind() == MediaKind::Video;
        let paces = picture || description.video().is_none();
        match &mut self.file {
            _ if self.full => return,
            Some((file, image)) => {
                image.apply(file.push(unit));
                // Cannot happen as the plan is made; what would come behind the media is not part of the image.
                self.full = file.grow().is_some();
            }
            None if paces && unit.key => {
                let (file, ops) = SessionFile::create(description, unit, self.plan);
                let mut image = Image::new(file.file_bytes());
                image.apply(ops);
                self.file = Some((file, image));
            }
            None => return,
        }
        if paces {
            let dts = unit.dts.nanos(track.clock_rate);
            if self.newest_ns > i64::MIN && dts > self.newest_ns {
                self.step_ns = dts - self.newest_ns;
            }
            self.newest_ns = self.newest_ns.max(dts);
        }
    }

    /// The image, the clip in it, and where its visible timeline begins.
    fn finish(self) -> Result<(Image, Cut, Duration), RecordError> {
        let (mut file, mut image) = self.file.ok_or(RecordError::NothingKept)?;
        image.apply(file.finish(None));
        let begins = file.start_ns().max(self.start_ns);
        // Pictures that are shown after the next one is decoded may lack one between them.
        let end = self.newest_ns.saturating_add(self.step_ns.max(1)).saturating_sub(begins);
        let end = u64::try_from(end).map_err(|_| RecordError::NothingKept)?;
        let cut = cut(&mut Open { image: &image, at: 0 }, Duration::ZERO, Duration::from_nanos(end));
        let cut = cut.map_err(|e| match e {
            vigie_media::mp4::cut::CutError::EmptyRange | vigie_media::mp4::cut::CutError::BeyondEnd { .. } => {
                RecordError::NothingKept
            }
            e => e.into(),
        })?;
        Ok((image, cut, Duration::from_nanos(u64::try_from(begins).unwrap_or(0))))
    }
}

/// An instant in nanoseconds of the stream's timeline.
fn ns(origin: Instant, at: Instant) -> i64 {
    let ahead = MediaTime::from_duration(at.saturating_duration_since(origin), 1_000_000_000).0;
    ahead - MediaTime::from_duration(origin.saturating_duration_since(at), 1_000_000_000).0
}
