//! The task behind a recording.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use vigie_base::{RecordingId, UnixMillis};
use vigie_hub::{Cursor, Event, Gap, GapCause, Status, Stream, SubscribeOptions};
use vigie_media::mp4::session::{Plan, SessionFile};
use vigie_media::{AccessUnit, MediaKind, StreamDescription};
use vigie_store::{NewRecording, RecordedGap, RecordingEnd, RecordingKind, RecordingProgress};

use super::{Ended, Finished, Live, Phase};
use crate::intake::{Intake, Piece};
use crate::log::SessionLog;
use crate::recorder::{Shared, disk_full};
use crate::repair::salvage;
use crate::writer::Sink;
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

type Opened = oneshot::Sender<Result<Arc<Mutex<Live>>, RecordError>>;

/// The file being written.
struct Open {
    id: RecordingId,
    path: String,
    sink: Arc<Sink>,
    file: SessionFile,
    description: Arc<StreamDescription>,
}

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
        Self {
            shared,
            request,
            stream: Arc::clone(stream),
            cursor,
            clicked,
            started_at,
            stop,
            intake: Intake::default(),
            log,
            description: None,
            open: None,
            part: 1,
            earlier: Vec::new(),
            done_duration: Duration::ZERO,
            done_frames: 0,
            last_media: clicked,
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
            let rest = self.intake.finish().await;
            error = self.put(rest).await.err();
        }
        let last = self.close(Some(self.stream_ns(end_at)), &mut error).await;
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

    fn report(&self, result: &Result<Finished, RecordError>, end_at: Instant) {
        let session = &self.request.session_id;
        self.with_live(|l| {
            l.ended_after = Some(end_at.saturating_duration_since(self.clicked));
            match result {
                Ok(f) => {
                    l.phase = Phase::Complete;
                    l.error.clone_from(&f.error);
                }
                Err(e) => {
                    l.phase = Phase::Failed;
                    l.error = Some(e.clone());
                }
            }
        });
        match result {
            Ok(f) => {
                info!(%session, path = f.path, seconds = f.duration.as_secs_f64(), frames = f.frames, "recorded");
                self.say(format_args!("end: {:?}, {} frames, {:?}, {}", f.ended, f.frames, f.duration, f.path));
                if let Some(e) = &f.error {
                    warn!(%session, error = %e, "the recording ended early");
                    self.say(format_args!("it ended early: {e}"));
                }
            }
            Err(e) => {
                warn!(%session, error = %e, "nothing was recorded");
                self.say(format_args!("nothing was recorded: {e}"));
            }
        }
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
                event = self.cursor.next() => event.map_err(|_| RecordError::StreamClosed)?,
                () = &mut deadline => {
                    return Err(RecordError::SourceDown(self.shared.config.first_picture.as_secs()));
                }
            };
            self.take(vec![event]).await?;
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
            let closed = self.cursor.drain(BATCH, &mut events).is_err();
            let over = self.past(&mut events, end_ns);
            self.take(std::mem::take(&mut events)).await?;
            if let Some(o) = &mut self.open {
                if self.last_media.elapsed() > QUIET && o.file.has_unwritten() {
                    let ops = o.file.flush();
                    self.shared.writer.queue(&o.sink, ops).await;
                }
                if let Some(e) = o.sink.failure() {
                    return Err(e);
                }
            }
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

    /// The row's figures, and whether there is still room.
    async fn book(&mut self) -> Result<(), RecordError> {
        let Some(o) = &self.open else { return Ok(()) };
        let progress = progress(o);
        if let Err(e) = self.shared.index.progress(o.id, progress).await {
            // The file goes on; the row is put right at the end.
            warn!(recording = %o.id, error = %e, "progress could not be noted");
        }
        let shared = Arc::clone(&self.shared);
        let space = tokio::task::spawn_blocking(move || shared.writer.volume().space()).await;
        match space {
            Ok(Ok(s)) => disk_full(s.free, self.shared.config.keep_free_bytes / 2),
            _ => Ok(()),
        }
    }

    fn publish_status(&self) {
        let (frames, size) = self.open.as_ref().map_or((0, 0), |o| (o.file.frames(), o.file.media_bytes()));
        self.with_live(|l| {
            l.frames = self.done_frames + frames;
            l.size_bytes = size;
            if let Some(o) = &self.open {
                l.id = o.id;
                l.path.clone_from(&o.path);
            }
        });
    }

    async fn take(&mut self, events: Vec<Event>) -> Result<(), RecordError> {
        for event in events {
            match event {
                Event::Description(d) => {
                    let mut pieces = Vec::new();
                    if self.intake.wants_ffmpeg(&d) {
                        self.intake.set_ffmpeg(self.shared.ffmpeg().await);
                    }
                    self.intake.describe(&d, self.stream.state().fps, &mut pieces)?;
                    self.put(pieces).await?;
                }
                Event::Unit(u) => {
                    self.last_media = u.arrived.max(self.last_media);
                    let mut pieces = Vec::new();
                    if self.intake.is_heavy() {
                        let mut intake = std::mem::take(&mut self.intake);
                        let work = tokio::task::spawn_blocking(move || {
                            let result = intake.unit(&u, &mut pieces);
                            (intake, pieces, result)
                        });
                        let (intake, made, result) = work
                            .await
                            .map_err(|_| RecordError::EncoderUnavailable("the encoder has crashed".into()))?;
                        self.intake = intake;
                        pieces = made;
                        result?;
                    } else {
                        self.intake.unit(&u, &mut pieces)?;
                    }
                    self.put(pieces).await?;
                }
                Event::Gap(g) => self.gap(g).await,
                // Recorders are told of losses by gaps.
                Event::Skipped(_) => {}
            }
        }
        Ok(())
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
                    let mut full = false;
                    if let Some(o) = &mut self.open {
                        let ops = o.file.push(&u);
                        full = o.file.is_full();
                        self.shared.writer.queue(&o.sink, ops).await;
                    }
                    if full {
                        self.rotate("its tables are full").await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Ends this file and lets the next picture begin another.
    async fn rotate(&mut self, why: &str) -> Result<(), RecordError> {
        self.say(format_args!("continuing in another file: {why}"));
        let mut error = None;
        if let Some((id, path, _)) = self.close(None, &mut error).await {
            self.earlier.push((id, path));
        }
        self.part += 1;
        error.map_or(Ok(()), Err)
    }

    fn free_path(&self) -> String {
        let stem = format!("videos/{}/{}", self.request.club_id, self.request.session_id);
        let volume = self.shared.writer.volume();
        let part = if self.part > 1 { format!("-part{}", self.part) } else { String::new() };
        let mut n = 1u32;
        loop {
            let number = if n > 1 { format!("_{n}") } else { String::new() };
            let path = format!("{stem}{number}{part}.mp4");
            if !volume.exists(&path) {
                return path;
            }
            n += 1;
        }
    }

    async fn open_file(&mut self, description: &Arc<StreamDescription>, first: &AccessUnit) -> Result<(), RecordError> {
        let click_ns = (self.part == 1).then(|| self.stream_ns(self.clicked));
        let left = self.request.duration.saturating_sub(self.clicked.elapsed());
        let plan = Plan { duration: left, click_ns, fps: self.stream.state().fps };
        let (file, head) = SessionFile::create(description, first, plan);

        // 1. The file, with disk blocks for its reserve and its head synced; 2. its entry in the folder.
        let path = self.free_path();
        let (shared, name, reserve) = (Arc::clone(&self.shared), path.clone(), file.file_bytes());
        let made = tokio::task::spawn_blocking(move || {
            let handle = shared.writer.volume().create(&name)?;
            handle.allocate(reserve)?;
            Ok::<_, std::io::Error>(handle)
        });
        let handle = made.await.map_err(std::io::Error::other).flatten().map_err(|e| match e.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                RecordError::DiskFull { free_mb: 0, needed_mb: reserve >> 20 }
            }
            _ => RecordError::Disk(e.to_string()),
        })?;
        let sink = self.shared.writer.adopt(&path, handle);
        self.shared.writer.finish(&sink, head).await?;
        let (shared, name) = (Arc::clone(&self.shared), path.clone());
        let synced = tokio::task::spawn_blocking(move || shared.writer.volume().sync_folder_of(&name));
        synced.await.map_err(std::io::Error::other).flatten().map_err(|e| RecordError::Disk(e.to_string()))?;

        // 3. The row.
        let elapsed = i64::try_from(self.clicked.elapsed().as_millis()).unwrap_or(0);
        let late = if self.part > 1 { elapsed } else { 0 };
        let new = NewRecording {
            kind: RecordingKind::Session,
            session_id: Some(self.request.session_id.clone()),
            camera_id: self.request.stream.camera,
            camera_name: self.request.camera_name.clone(),
            club_id: self.request.club_id,
            terrain_id: self.request.terrain_id,
            user_id: self.request.user_id,
            path: path.clone(),
            started_at: UnixMillis(self.started_at.0 + late),
            planned_ms: i64::try_from(left.as_millis()).unwrap_or(i64::MAX),
            mode: self.intake.mode().into(),
            clip_of: None,
        };
        let id = self.shared.index.opened(new).await?;
        self.say(format_args!("file: {path} (recording {id}, {})", self.intake.mode()));
        self.open = Some(Open { id, path, sink, file, description: Arc::clone(description) });
        Ok(())
    }

    /// Finishes the open file and seals its row. What goes wrong is put into `error`.
    async fn close(
        &mut self,
        end_ns: Option<i64>,
        error: &mut Option<RecordError>,
    ) -> Option<(RecordingId, String, u64)> {
        let mut o = self.open.take()?;
        // 5. The file.
        let ops = o.file.finish(end_ns);
        let mut facts = progress(&o);
        if let Err(e) = self.shared.writer.finish(&o.sink, ops).await {
            error.get_or_insert(e);
        }
        if let Some(e) = o.sink.failure() {
            // What reached the disk before is kept: the file is finished as start-up would.
            let salvaged = match e {
                RecordError::DiskFull { .. } => salvage(Arc::clone(o.sink.file())).await.ok().flatten(),
                // After a failed sync nobody knows what is on the disk; the file is left as it is, and said so.
                _ => None,
            };
            match salvaged {
                Some(f) => {
                    facts = RecordingProgress {
                        duration_ms: millis(f.duration),
                        size_bytes: i64::try_from(f.media_bytes).unwrap_or(i64::MAX),
                        frames: i64::try_from(f.frames).unwrap_or(i64::MAX),
                    };
                }
                None => {
                    self.fail_row(o.id, &e).await;
                    error.get_or_insert(e);
                    return None;
                }
            }
        }
        // 6. The row.
        let video = o.description.video();
        let end = RecordingEnd {
            progress: facts,
            ended_at: self.shared.clock.wall(),
            interrupted: false,
            codec: video.map(|t| t.codec.name().to_owned()),
            audio_codec: o.description.audio().map(|t| t.codec.name().to_owned()),
            width: video.and_then(|t| t.video()).map(|v| i64::from(v.width)),
            height: video.and_then(|t| t.video()).map(|v| i64::from(v.height)),
        };
        let smaller = crate::shrink::announce(&self.shared, o.id, o.file.media_bytes());
        if let Err(e) = self.shared.index.sealed(o.id, &end).await {
            // The file is whole; the next start finds it finished and seals the row.
            error.get_or_insert(e.into());
        }
        if let Some(smaller) = smaller {
            crate::shrink::later(smaller, o.path.clone());
        }
        self.done_duration += Duration::from_millis(u64::try_from(facts.duration_ms).unwrap_or(0));
        self.done_frames += u64::try_from(facts.frames).unwrap_or(0);
        self.with_live(|l| l.size_bytes = u64::try_from(facts.size_bytes).unwrap_or(0));
        Some((o.id, o.path, u64::try_from(facts.size_bytes).unwrap_or(0)))
    }

    async fn fail_row(&self, id: RecordingId, why: &RecordError) {
        if let Err(e) = self.shared.index.failed(id, self.shared.clock.wall(), &why.to_string()).await {
            warn!(recording = %id, error = %e, "the row could not be closed; the next start will");
        }
    }

    async fn gap(&mut self, gap: Gap) {
        let Some(o) = &self.open else { return };
        if gap.to <= self.clicked {
            return;
        }
        let from = gap.from.max(self.clicked);
        let row = RecordedGap {
            recording_id: o.id,
            from: self.wall_of(from),
            to: Some(self.wall_of(gap.to)),
            offset_ms: millis(from.saturating_duration_since(self.clicked)),
            cause: gap.cause.as_str().into(),
        };
        if let Err(e) = self.shared.index.gap(&row).await {
            warn!(recording = %o.id, error = %e, "a gap could not be noted");
        }
        let length = gap.to.saturating_duration_since(from);
        self.say(format_args!("gap of {length:?} at {} ms: {}", row.offset_ms, row.cause));
        self.with_live(|l| l.gaps += 1);
    }

    /// A camera that is gone when the recording ends leaves a gap too.
    async fn trailing_gap(&mut self, end: Instant) {
        if end.saturating_duration_since(self.last_media) > QUIET {
            let connected = matches!(self.stream.state().status, Status::Live | Status::Silent);
            let cause = if connected { GapCause::SourceSilent } else { GapCause::SourceLost };
            self.gap(Gap { cause, from: self.last_media, to: end }).await;
        }
    }
}

fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

fn progress(o: &Open) -> RecordingProgress {
    RecordingProgress {
        duration_ms: millis(o.file.duration()),
        size_bytes: i64::try_from(o.file.media_bytes()).unwrap_or(i64::MAX),
        frames: i64::try_from(o.file.frames()).unwrap_or(i64::MAX),
    }
}
