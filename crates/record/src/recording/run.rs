//! The task behind a recording: what it reads, and when it ends. [`file`] has what it does to its files, [`notes`] what
//! it says about them.

mod file;
mod notes;
mod replay;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use vigie_base::{RecordingId, UnixMillis};
use vigie_hub::{Cursor, Event, Stream, SubscribeOptions};
use vigie_media::{AccessUnit, MediaKind, StreamDescription};

use self::file::Open;
use super::{Ended, Finished, Live, Phase};
use crate::clip::Asks;
use crate::intake::{Intake, Piece};
use crate::log::SessionLog;
use crate::recorder::Shared;
use crate::{RecordError, Request};

/// How often the stream is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Units taken in one look.
const BATCH: usize = 4096;
/// How often the row and the free space are looked at.
const BOOK: Duration = Duration::from_secs(5);
/// A stream without media for this long has what is held back written out, and counts as cut when the recording ends.
const QUIET: Duration = Duration::from_millis(1500);
/// How long after the end pictures from before it may still arrive.
const GRACE: Duration = Duration::from_millis(250);

/// Encoded frames without a picture are made up this long after their time.
const LATE_NS: i64 = 1_000_000_000;
/// After a stop, what came before it is encoded for so long.
const REST: Duration = Duration::from_secs(5);
/// Cause of a gap: pictures were there, and the encoder lost them or was too slow.
const ENCODER: &str = "encoder";

type Opened = oneshot::Sender<Result<Arc<Mutex<Live>>, RecordError>>;

pub(super) struct Task {
    shared: Arc<Shared>,
    request: Request,
    stream: Arc<Stream>,
    cursor: Cursor,
    clicked: Instant,
    started_at: UnixMillis,
    stop: CancellationToken,
    intake: Intake,
    log: SessionLog,
    description: Option<Arc<StreamDescription>>,
    open: Option<Open>,
    part: u32,
    earlier: Vec<(RecordingId, String)>,
    done_duration: Duration,
    done_frames: u64,
    last_media: Instant,
    /// When the rest began to be encoded, after a stop.
    stopping: Option<Instant>,
    /// Arrival of the first unit that was left out of it.
    unencoded: Option<Instant>,
    live: Option<Arc<Mutex<Live>>>,
}

impl Task {
    pub(super) fn new(
        shared: Arc<Shared>,
        request: Request,
        stream: &Arc<Stream>,
        clicked: Instant,
        started_at: UnixMillis,
        stop: CancellationToken,
    ) -> Self {
        let cursor = stream.subscribe(SubscribeOptions::record(shared.config.lag_bytes));
        let log = SessionLog::open(&shared.config.log_dir, &request.session_id.0);
        let intake = Intake::new(shared.config.encoding, request.mode);
        Self {
            shared,
            request,
            stream: Arc::clone(stream),
            cursor,
            clicked,
            started_at,
            stop,
            intake,
            log,
            description: None,
            open: None,
            part: 1,
            earlier: Vec::new(),
            done_duration: Duration::ZERO,
            done_frames: 0,
            last_media: clicked,
            stopping: None,
            unencoded: None,
            live: None,
        }
    }

    fn say(&self, text: impl std::fmt::Display) {
        self.log.line(self.shared.clock.wall(), text);
    }

    /// An instant in nanoseconds of the stream's timeline.
    fn stream_ns(&self, at: Instant) -> i64 {
        let origin = self.stream.origin();
        let ahead = i64::try_from(at.saturating_duration_since(origin).as_nanos()).unwrap_or(i64::MAX);
        let behind = i64::try_from(origin.saturating_duration_since(at).as_nanos()).unwrap_or(i64::MAX);
        ahead - behind
    }

    /// The instant of a time of the stream's timeline, in nanoseconds.
    fn instant_of(&self, ns: i64) -> Instant {
        let (origin, by) = (self.stream.origin(), Duration::from_nanos(ns.unsigned_abs()));
        let at = if ns < 0 { origin.checked_sub(by) } else { origin.checked_add(by) };
        at.unwrap_or(origin)
    }

    fn wall_of(&self, at: Instant) -> UnixMillis {
        let now = Instant::now();
        let offset = millis(at.saturating_duration_since(now)) - millis(now.saturating_duration_since(at));
        UnixMillis(self.shared.clock.wall().0.saturating_add(offset))
    }

    pub(super) async fn run(mut self: Box<Self>, opened: Opened) -> Result<Finished, RecordError> {
        self.say(format_args!("start: {} for {:?}", self.request.stream, self.request.duration));
        match self.first_file().await {
            Ok(live) => {
                self.live = Some(Arc::clone(&live));
                // The caller may have gone away; then the token is cancelled and the file finished at once.
                let _ = opened.send(Ok(live));
            }
            Err(e) => {
                warn!(session = %self.request.session_id, error = %e, "recording did not start");
                self.say(format_args!("did not start: {e}"));
                let _ = opened.send(Err(e.clone()));
                return Err(e);
            }
        }
        let (ended, mut error) = match self.record().await {
            Ok(ended) => (ended, None),
            Err(e) => (Ended::Broken, Some(e)),
        };
        self.with_live(|l| l.phase = Phase::Stopping);
        let end_at = match ended {
            Ended::Elapsed => self.clicked + self.request.duration,
            _ => Instant::now().min(self.clicked + self.request.duration),
        };
        self.trailing_gap(end_at).await;
        if error.is_none() {
            error = self.finish_intake(end_at).await.err();
        }
        // What is encoded ends with its last frame: the rate stays constant.
        let end_ns = (!self.intake.is_heavy()).then(|| self.stream_ns(end_at));
        let last = self.close(end_ns, &mut error).await;
        let result = match (last, error) {
            (Some((id, path, size_bytes)), error) => Ok(Finished {
                id,
                path,
                earlier: std::mem::take(&mut self.earlier),
                size_bytes,
                duration: self.done_duration,
                frames: self.done_frames,
                ended,
                error,
            }),
            (None, error) => match self.earlier.pop() {
                Some((id, path)) => Ok(Finished {
                    id,
                    path,
                    earlier: std::mem::take(&mut self.earlier),
                    size_bytes: 0,
                    duration: self.done_duration,
                    frames: self.done_frames,
                    ended,
                    error,
                }),
                None => Err(error.unwrap_or(RecordError::Empty)),
            },
        };
        self.report(&result, end_at);
        result
    }

    /// What is still inside encoders.
    async fn finish_intake(&mut self, end_at: Instant) -> Result<(), RecordError> {
        if let Some(from) = self.unencoded {
            self.gap_of(from, end_at, ENCODER).await;
        }
        let sound = self.intake.finish().await;
        // Frames up to the end, unless there was no time even for what has come.
        let end_ns = if self.unencoded.is_some() { i64::MIN } else { self.stream_ns(end_at) };
        if !self.intake.is_heavy() {
            return self.put(sound).await;
        }
        self.heavy(move |intake, pieces| intake.finish_pictures(end_ns, sound, pieces)).await
    }

    fn with_live(&self, f: impl FnOnce(&mut Live)) {
        if let Some(live) = &self.live {
            f(&mut live.lock());
        }
    }

    /// Reads until the first picture is in an open file.
    async fn first_file(&mut self) -> Result<Arc<Mutex<Live>>, RecordError> {
        let deadline = tokio::time::sleep(self.shared.config.first_picture);
        tokio::pin!(deadline);
        while self.open.is_none() {
            let event = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(RecordError::Empty),
                event = self.cursor.next() => Some(event.map_err(|_| RecordError::StreamClosed)?),
                () = &mut deadline => {
                    return Err(RecordError::SourceDown(self.shared.config.first_picture.as_secs()));
                }
                () = tokio::time::sleep(LOOK), if self.intake.is_heavy() => None,
            };
            match event {
                Some(event) => self.take(vec![event]).await?,
                None => self.look(i64::MIN).await?,
            }
        }
        let (id, path) = self.open.as_ref().map_or((RecordingId(0), String::new()), |o| (o.id, o.path.clone()));
        Ok(Arc::new(Mutex::new(Live {
            phase: Phase::Recording,
            path,
            id,
            size_bytes: 0,
            frames: 0,
            gaps: 0,
            mode: self.intake.mode(),
            error: None,
            ended_after: None,
            asks: Asks::default(),
        })))
    }

    async fn record(&mut self) -> Result<Ended, RecordError> {
        let end = self.clicked + self.request.duration;
        let end_ns = self.stream_ns(end);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut booked = Instant::now();
        let mut events = Vec::new();
        loop {
            let stopped = tokio::select! {
                biased;
                () = self.stop.cancelled() => true,
                _ = look.tick() => false,
            };
            // Until nothing is left: what has arrived before a stop belongs to the recording.
            let (mut closed, mut over, mut left) = (false, false, true);
            while left && !closed && !over {
                closed = self.cursor.drain(BATCH, &mut events).is_err();
                left = events.len() >= BATCH;
                over = self.past(&mut events, end_ns);
                self.take(std::mem::take(&mut events)).await?;
            }
            self.look(end_ns).await?;
            if let Some(o) = &mut self.open {
                if self.last_media.elapsed() > QUIET && o.file.has_unwritten() {
                    let ops = o.file.flush();
                    self.shared.writer.queue(&o.sink, ops).await;
                }
                if let Some(e) = o.sink.failure() {
                    return Err(e);
                }
            }
            self.answer().await;
            self.publish_status();
            if stopped {
                return Ok(Ended::Stopped);
            }
            if over || Instant::now() > end + GRACE {
                return Ok(Ended::Elapsed);
            }
            if closed {
                return Ok(Ended::CameraRemoved);
            }
            if booked.elapsed() >= BOOK {
                booked = Instant::now();
                self.book().await?;
            }
        }
    }

    /// Leaves out what is shown after the end; true when everything from now on is.
    fn past(&self, events: &mut Vec<Event>, end_ns: i64) -> bool {
        let mut over = false;
        let rate = |u: &AccessUnit| {
            let d = self.stream.description();
            d.and_then(|d| d.track(u.track).map(|t| (t.clock_rate, t.kind()))).unwrap_or((90_000, MediaKind::Video))
        };
        events.retain(|e| match e {
            Event::Unit(u) => {
                let (rate, kind) = rate(u);
                over |= kind == MediaKind::Video && u.dts.nanos(rate) >= end_ns;
                u.pts.nanos(rate) < end_ns
            }
            _ => true,
        });
        over
    }

    async fn take(&mut self, events: Vec<Event>) -> Result<(), RecordError> {
        for event in events {
            match event {
                Event::Description(d) => {
                    let mut pieces = Vec::new();
                    if self.intake.wants_means(&d) {
                        self.intake.set_means(self.shared.means().await?);
                    }
                    if self.intake.wants_ffmpeg(&d) {
                        self.intake.set_ffmpeg(self.shared.ffmpeg().await);
                    }
                    self.intake.describe(&d, &mut pieces)?;
                    // Sound from before belongs before what follows.
                    let rest = self.intake.rest_of_replaced().await;
                    self.put(rest).await?;
                    self.put(pieces).await?;
                }
                Event::Unit(u) => {
                    self.last_media = u.arrived.max(self.last_media);
                    if self.is_out_of_time(&u) {
                        continue;
                    }
                    if self.intake.is_heavy() {
                        self.heavy(move |intake, pieces| intake.unit(&u, pieces)).await?;
                    } else {
                        let mut pieces = Vec::new();
                        self.intake.unit(&u, &mut pieces)?;
                        self.put(pieces).await?;
                    }
                }
                Event::Gap(g) => self.gap(g).await,
                // Recorders are told of losses by gaps.
                Event::Skipped(_) => {}
            }
        }
        Ok(())
    }

    /// Takes what came out of encoders. Frames go on, up to `end_ns`, when the camera is silent for a second.
    async fn look(&mut self, end_ns: i64) -> Result<(), RecordError> {
        if !self.intake.is_heavy() {
            return Ok(());
        }
        let ns = self.stream_ns(Instant::now()).saturating_sub(LATE_NS).min(end_ns);
        self.heavy(move |intake, pieces| intake.look(ns, pieces)).await
    }

    /// Does work that takes milliseconds away from the async workers, and puts what comes of it into the file.
    async fn heavy<F>(&mut self, work: F) -> Result<(), RecordError>
    where
        F: FnOnce(&mut Intake, &mut Vec<Piece>) -> Result<(), RecordError> + Send + 'static,
    {
        let mut intake = std::mem::take(&mut self.intake);
        let done = tokio::task::spawn_blocking(move || {
            let mut pieces = Vec::new();
            let result = work(&mut intake, &mut pieces);
            (intake, pieces, result)
        });
        let (intake, pieces, result) =
            done.await.map_err(|_| RecordError::EncoderUnavailable("the encoder has crashed".into()))?;
        self.intake = intake;
        self.put(pieces).await?;
        result
    }

    /// An encoder that is far behind when the recording is stopped does not get the rest: the file is wanted.
    fn is_out_of_time(&mut self, unit: &AccessUnit) -> bool {
        if !self.intake.is_heavy() || !self.stop.is_cancelled() {
            return false;
        }
        let out = self.stopping.get_or_insert_with(Instant::now).elapsed() > REST;
        if out {
            self.unencoded.get_or_insert(unit.arrived);
        }
        out
    }

    async fn put(&mut self, pieces: Vec<Piece>) -> Result<(), RecordError> {
        for piece in pieces {
            match piece {
                Piece::Description(d) => {
                    let outcome = self.open.as_mut().map(|o| o.file.describe(&d));
                    match outcome {
                        Some(Ok(ops)) => {
                            if let Some(o) = &mut self.open {
                                self.shared.writer.queue(&o.sink, ops).await;
                                o.description = Arc::clone(&d);
                            }
                        }
                        Some(Err(why)) => self.rotate(&why.to_string()).await?,
                        None => {}
                    }
                    self.description = Some(d);
                }
                Piece::Gap(from, to) => {
                    let (from, to) = (self.instant_of(from), self.instant_of(to));
                    self.gap_of(from, to, ENCODER).await;
                }
                Piece::Note(text) => self.say(text),
                Piece::Unit(u) => {
                    if self.open.is_none() {
                        let Some(d) = self.description.clone() else { continue };
                        let video = d.track(u.track).is_some_and(|t| t.kind() == MediaKind::Video);
                        if d.video().is_some() && !(video && u.key) {
                            continue;
                        }
                        self.open_file(&d, &u).await?;
                        continue;
                    }
                    if let Some(o) = &mut self.open {
                        let ops = o.file.push(&u);
                        self.shared.writer.queue(&o.sink, ops).await;
                        self.make_room().await?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}
