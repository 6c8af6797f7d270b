//! Clips: the last seconds of a session, kept as a file of their own; and parts of finished recordings, streamed without
//! writing anything.
//!
//! **A recording that runs is never held up by a clip**: its task is asked at its next look, hands out where its newest
//! fragments are, and goes on; everything else happens beside it. While nothing is recorded, a clip is made of what the
//! hub keeps ([`replay`]), as a recording would have written it.
//!
//! Order of effects of a clip's file, each durable before the next begins: 1. the file is made, 2. the folder synced,
//! 3. the row written (`open`), 4. everything but the first eight bytes is written and synced, 5. the first eight bytes
//! and a sync, 6. the row is sealed. A clip that did not get to 5 is nothing, and is removed with its row; one that got
//! there is whole.

mod ask;
mod copy;
mod part;
mod planned;
mod replay;

use std::sync::Arc;
use std::time::{Duration, Instant};

use vigie_base::{RecordingId, SessionId, StreamKey, UnixMillis, UserId};
use vigie_media::mp4::cut::CutError;
use vigie_store::{NewRecording, RecordingEnd, RecordingKind, RecordingProgress};

pub(crate) use self::ask::{Asks, Snapshot};
use self::copy::Source;
pub use self::part::PartFile;
pub(crate) use self::planned::Planned;
use crate::recorder::{Recorder, disk_full};
use crate::{RecordError, Recording};

/// Clips that are made at a time; more wait.
pub(crate) const MAX_AT_ONCE: usize = 2;
/// A file that moved its media while it was read is read again so often.
const ATTEMPTS: usize = 4;

/// What to keep.
#[derive(Debug, Clone)]
pub struct ClipRequest {
    /// Of which capture session; names the file.
    pub session_id: SessionId,
    /// Which stream.
    pub stream: StreamKey,
    /// What the camera is called now.
    pub camera_name: String,
    /// The club; 0 without a court.
    pub club_id: i64,
    /// The court.
    pub terrain_id: Option<i64>,
    /// Who asked for it.
    pub user_id: Option<UserId>,
    /// How much of the past; the clip is shorter when less is there.
    pub length: Duration,
    /// Nothing from before is shown: when the session was opened. What a camera saw before is somebody else's.
    pub not_before: Option<Instant>,
}

/// A clip on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// Its row.
    pub id: RecordingId,
    /// Its file below the media folder.
    pub path: String,
    /// The recording that ran, and where on its visible timeline the clip begins.
    pub of: Option<(RecordingId, Duration)>,
    /// Wall time of its first picture.
    pub started_at: UnixMillis,
    /// How long it plays.
    pub duration: Duration,
    /// Bytes of the file.
    pub size_bytes: u64,
}

/// A clip before it is written.
struct Plan {
    cut: vigie_media::mp4::cut::Cut,
    source: Source,
    of: Option<(RecordingId, Duration)>,
    started_at: UnixMillis,
    mode: &'static str,
}

impl Recorder {
    /// Keeps the last seconds of a session as a file: from the file that is being recorded, or from what the hub keeps
    /// when nothing is. Takes as long as writing the file does, plus the look of the recording (100 ms); pictures that
    /// have to be coded (MJPEG) take about as long as coding them takes.
    pub async fn clip(&self, request: ClipRequest) -> Result<Clip, RecordError> {
        let clicked = Instant::now();
        let _place = self.shared.clips.acquire().await.map_err(|_| RecordError::NothingKept)?;
        let space = self.shared.writer.volume().space().map_err(|e| RecordError::Disk(e.to_string()))?;
        disk_full(space.free, self.shared.config.keep_free_bytes)?;
        let running = self.get(&request.session_id).filter(|r| !r.is_over());
        let mut error = None;
        if let Some(recording) = running {
            for _ in 0..ATTEMPTS {
                let plan = match self.plan_recorded(&request, &recording).await {
                    // Read while its head was being written: the next look finds it whole, or finished.
                    Err(e @ (RecordError::Moved | RecordError::Disk(_))) => {
                        error = Some(e);
                        continue;
                    }
                    plan => plan?,
                };
                match self.write(&request, plan).await {
                    // Its space was enlarged while it was read: what was written is removed already.
                    Err(RecordError::Moved) => error = Some(RecordError::Moved),
                    result => return result,
                }
            }
            return Err(error.unwrap_or(RecordError::NothingKept));
        }
        let plan = self.plan_kept(&request, clicked).await?;
        self.write(&request, plan).await
    }

    /// From the file of a running recording.
    async fn plan_recorded(&self, request: &ClipRequest, recording: &Recording) -> Result<Plan, RecordError> {
        let length = request.length;
        let Some(snapshot) = recording.snapshot().await? else { return self.plan_ended(request, recording).await };
        let (file, fragments) = (Arc::clone(&snapshot.file), snapshot.fragments);
        let planned = tokio::task::spawn_blocking(move || copy::plan_growing(&file, &fragments, length));
        let (cut, source) = planned.await.map_err(crashed)??;
        let started_at = after(snapshot.zero, cut.start);
        let of = Some((snapshot.id, cut.start));
        Ok(Plan { cut, source, of, started_at, mode: snapshot.mode })
    }

    /// From the file of a recording that has ended a moment ago.
    async fn plan_ended(&self, request: &ClipRequest, recording: &Recording) -> Result<Plan, RecordError> {
        let done = recording.wait().await?;
        let row = self.shared.index.row(done.id).await?.ok_or(RecordError::NothingKept)?;
        let end = Duration::from_millis(u64::try_from(row.duration_ms).unwrap_or(0));
        let part = self.part_once(done.id, end.saturating_sub(request.length), end).await?;
        let started_at = after(row.started_at, part.start());
        let of = Some((done.id, part.start()));
        let mode = recording.status().mode;
        let (cut, source) = part.into_source()?;
        Ok(Plan { cut, source, of, started_at, mode })
    }

    /// From what the hub keeps.
    async fn plan_kept(&self, request: &ClipRequest, clicked: Instant) -> Result<Plan, RecordError> {
        let stream = self.shared.hub.get(request.stream).ok_or(RecordError::StreamClosed)?;
        let waited = clicked.elapsed();
        let past = stream.past(request.length + waited).ok_or(RecordError::NothingKept)?;
        // A clip ends when it was asked for, however long it had to wait for its turn.
        let from = clicked.checked_sub(request.length);
        let from = from.max(request.not_before).unwrap_or(past.origin);
        let fps = stream.state().fps;
        let made = replay::make(&self.shared, past, from, fps).await?;
        let into = made.begins.saturating_add(made.cut.start);
        let started_at = self.wall_of(made.origin + into);
        Ok(Plan { cut: made.cut, source: Source::Memory(made.image), of: None, started_at, mode: made.mode })
    }

    async fn write(&self, request: &ClipRequest, plan: Plan) -> Result<Clip, RecordError> {
        // 1. The file; 2. its entry in the folder.
        let stem = format!("videos/{}/{}_clip", request.club_id, request.session_id);
        let volume = Arc::clone(self.shared.writer.volume());
        let made = tokio::task::spawn_blocking(move || copy::create(volume.as_ref(), &stem));
        let (path, file) = made.await.map_err(crashed)??;
        // 3. The row.
        let new = NewRecording {
            kind: RecordingKind::Clip,
            session_id: Some(request.session_id.clone()),
            camera_id: request.stream.camera,
            camera_name: request.camera_name.clone(),
            club_id: request.club_id,
            terrain_id: request.terrain_id,
            user_id: request.user_id,
            path: path.clone(),
            started_at: plan.started_at,
            planned_ms: millis(request.length).max(1),
            mode: plan.mode.into(),
            clip_of: plan.of.map(|(id, _)| id),
        };
        let id = match self.shared.index.opened(new).await {
            Ok(id) => id,
            Err(e) => {
                let volume = Arc::clone(self.shared.writer.volume());
                let name = path.clone();
                // Without a row it is nothing; the next start removes what cannot be removed now.
                let _ = tokio::task::spawn_blocking(move || volume.remove(&name)).await;
                return Err(e.into());
            }
        };
        // 4. The media and the head; 5. the first eight bytes.
        let Plan { cut, source, of, started_at, .. } = plan;
        let end = RecordingEnd {
            progress: RecordingProgress {
                duration_ms: millis(cut.duration),
                size_bytes: i64::try_from(cut.length).unwrap_or(i64::MAX),
                frames: i64::try_from(cut.frames).unwrap_or(i64::MAX),
            },
            ended_at: after(started_at, cut.duration),
            interrupted: false,
            codec: cut.video.map(|v| v.0.to_owned()),
            audio_codec: cut.audio.map(str::to_owned),
            width: cut.video.map(|v| i64::from(v.1)),
            height: cut.video.map(|v| i64::from(v.2)),
        };
        let (duration, size_bytes) = (cut.duration, cut.length);
        let written = tokio::task::spawn_blocking(move || copy::fill(file.as_ref(), &cut, &source));
        if let Err(e) = written.await.map_err(crashed).flatten() {
            self.abandon_clip(id, &path, &e).await;
            return Err(e);
        }
        // 6. The row. When that fails, the next start finds the file whole.
        self.shared.index.sealed(id, &end).await?;
        Ok(Clip { id, path, of, started_at, duration, size_bytes })
    }

    /// Removes a clip that came to nothing, with its row. What does not work now is done at the next start.
    pub(crate) async fn abandon_clip(&self, id: RecordingId, path: &str, why: &RecordError) {
        let failed = self.shared.index.failed(id, self.shared.clock.wall(), &why.to_string()).await;
        let erased = match failed.and(self.shared.index.deleting(id).await) {
            Ok(()) => self.erase(id, path).await,
            Err(e) => Err(e.into()),
        };
        if let Err(e) = erased {
            tracing::warn!(recording = %id, path, error = %e, "a clip that came to nothing could not be removed");
        }
    }

    fn wall_of(&self, at: Instant) -> UnixMillis {
        let (now, wall) = (Instant::now(), self.shared.clock.wall().0);
        let offset = millis(at.saturating_duration_since(now)) - millis(now.saturating_duration_since(at));
        UnixMillis(wall.saturating_add(offset))
    }
}

fn crashed(_: tokio::task::JoinError) -> RecordError {
    RecordError::Disk("the clip's writer has crashed".into())
}

fn after(at: UnixMillis, by: Duration) -> UnixMillis {
    UnixMillis(at.0.saturating_add(millis(by)))
}

fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

impl From<CutError> for RecordError {
    fn from(e: CutError) -> Self {
        match e {
            CutError::EmptyRange => RecordError::EmptyPart,
            CutError::BeyondEnd { duration } => RecordError::BeyondEnd { duration_ms: millis(duration) },
            CutError::Nothing => RecordError::NothingKept,
            CutError::Unfinished => RecordError::NotFinished,
            CutError::Io(_) | CutError::Damaged(_) => RecordError::Disk(e.to_string()),
        }
    }
}
