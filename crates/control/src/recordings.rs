//! Recordings of capture sessions, and the files they leave (contract §20.4, §20.6, §20.7).
//!
//! The recorder writes files and rows; here is who may, when, and what the answers say. **A stop answers when the file
//! is playable, and answers the same again however often it is asked.**

mod clean;
mod view;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tracing::{info, warn};
use vigie_base::{Fault, RecordingId, SessionId, StreamKey, UnixMillis};
use vigie_hub::{Reason, Status};
use vigie_record::{RecordError, Recording, RecordingStatus as Running, Request};
use vigie_store::{
    CaptureSession, RecordedGap, Recording as Row, RecordingFilter, RecordingState, Role, SessionState, StoreError,
};

use crate::core::Core;
use crate::error::{Error, Result};
use crate::events::{About, Notice};
use crate::policy::{Action, Identity, Target, decide};
use crate::sessions::{Sessions, user_of};

pub use view::{
    Cleaned, Disk, Download, FileList, GapView, RecordingStatus, StartedView, StoppedView, VideoHealth, VideoTotals,
    VideoView,
};

/// Longest that a download waits for its file to get its final size.
const SETTLE: Duration = Duration::from_secs(5);

/// Recordings. See the module.
#[derive(Debug, Clone)]
pub struct Recordings {
    pub(crate) core: Arc<Core>,
    sessions: Sessions,
}

impl Recordings {
    pub(crate) fn new(core: Arc<Core>, sessions: Sessions) -> Self {
        Self { core, sessions }
    }

    /// Starts to record. `duration_minutes` 1–720, 90 when missing.
    pub async fn start(&self, who: &Identity, session_id: &str, duration_minutes: Option<f64>) -> Result<StartedView> {
        if self.core.stopping.is_cancelled() {
            return Err(Error::Stopping);
        }
        let row = self.sessions.find(who, Action::ControlSession, session_id).await?;
        let duration = match duration_minutes {
            None => self.core.config.default_recording,
            Some(m) if m.is_finite() && (1.0..=720.0).contains(&m) => Duration::from_secs_f64(m * 60.0),
            Some(_) => return Err(Error::DurationOutOfRange),
        };
        if row.state == SessionState::Closed {
            return Err(Error::SessionClosed);
        }
        // A caller that goes away does not stop what it began.
        let (core, user) = (Arc::clone(&self.core), user_of(who));
        let view = tokio::spawn(async move { start(&core, row, user, duration).await })
            .await
            .map_err(|_| Error::Internal("starting a recording panicked".to_owned()))??;
        let target = format!("recording/{}", view.recording_id);
        self.core.auth.audit(user_of(who), &who.username, "recording.start", &target, None).await;
        Ok(view)
    }

    /// Stops; answers when the file is playable. A second stop answers the same.
    pub async fn stop(&self, who: &Identity, session_id: &str) -> Result<StoppedView> {
        let session = self.sessions.find(who, Action::ControlSession, session_id).await?;
        if let Some(recording) = self.core.recorder.get(&session.id) {
            if !recording.is_over() {
                self.core.set_session_state(&session.id, SessionState::Stopping, None).await;
                let target = format!("recording/{}", recording.status().id);
                self.core.auth.audit(user_of(who), &who.username, "recording.stop", &target, None).await;
            }
            let end = recording.stop().await;
            // The task that waits for the end does the same; whoever comes second changes nothing.
            finish(&self.core, &session.id, &recording, end.clone()).await;
            end.map_err(record_error)?;
        }
        let row = self.newest(&session.id).await?.ok_or(Error::NotRecording)?;
        match row.state {
            RecordingState::Sealed => Ok(StoppedView {
                session_id: session.id.0.clone(),
                recording_id: row.id.0,
                video_path: self.full_path(&row),
                size_bytes: row.size_bytes,
                duration_seconds: seconds(row.duration_ms),
                download_url: view::download_url(&row),
            }),
            RecordingState::Failed => {
                let message = row.error.unwrap_or_else(|| "the recording failed".to_owned());
                Err(Error::Recorder { fault: Fault::Disk, message })
            }
            RecordingState::Open | RecordingState::Deleting => Err(Error::NotRecording),
        }
    }

    /// How far it is. Answered from memory while it runs.
    pub async fn status(&self, who: &Identity, session_id: &str) -> Result<RecordingStatus> {
        let session = self.sessions.find(who, Action::ViewSession, session_id).await?;
        let running = self.core.recorder.get(&session.id).filter(|r| !r.is_over());
        if let Some(r) = running {
            return Ok(self.running(&session, &r.status()));
        }
        let row = self.newest(&session.id).await?;
        let connected = session
            .camera_id
            .and_then(|c| self.core.hub.get(StreamKey::main(c)))
            .is_some_and(|s| s.state().status == Status::Live);
        let gaps = match &row {
            Some(r) => self.core.store.gaps(r.id).await?.len(),
            None => 0,
        };
        Ok(view::ended(&session, row.as_ref(), gaps, connected, row.as_ref().map(|r| self.full_path(r))))
    }

    fn running(&self, session: &CaptureSession, s: &Running) -> RecordingStatus {
        RecordingStatus {
            session_id: session.id.0.clone(),
            recording_id: Some(s.id.0),
            active: true,
            elapsed_seconds: s.elapsed.as_secs().cast_signed(),
            duration_seconds: s.planned.as_secs().cast_signed(),
            progress_percent: i64::from(s.progress_percent()),
            state: session.state.as_str(),
            size_bytes: s.size_bytes.cast_signed(),
            source_connected: s.source_connected,
            gaps: i64::from(s.gaps),
            frames: s.frames.cast_signed(),
            bitrate_kbps: (s.bitrate_bps / 1000).cast_signed(),
            error: s.error.as_ref().map(ToString::to_string),
            video_path: None,
            download_url: None,
        }
    }

    async fn newest(&self, session: &SessionId) -> Result<Option<Row>> {
        let filter = RecordingFilter { session_id: Some(session.clone()), ..Default::default() };
        let rows = self.core.store.recordings(&filter).await?;
        Ok(rows.into_iter().find(|r| r.state != RecordingState::Deleting))
    }

    fn full_path(&self, row: &Row) -> String {
        self.core.config.media_dir.join(&row.path).display().to_string()
    }

    /// Finished files of a club; of the own club when `None`. Super administrators have none of their own: they say
    /// which (contract §20.6), 0 being what belongs to no club.
    pub async fn files(&self, who: &Identity, club_id: Option<i64>) -> Result<FileList> {
        let club = club_id.or(who.club_id).ok_or(Error::missing("club_id"))?;
        decide(who, Action::ReadFile, &Target::Club(club))?;
        let own = (who.role == Role::Player).then_some(who.user_id);
        let state = Some(RecordingState::Sealed);
        let filter = RecordingFilter { club_id: Some(club), user_id: own, state, ..Default::default() };
        let rows = self.core.store.recordings(&filter).await?;
        let ids: Vec<RecordingId> = rows.iter().map(|r| r.id).collect();
        let gaps = self.core.store.gaps_of(&ids).await?;
        let videos: Vec<VideoView> = rows.iter().map(|r| view::video(r, &gaps)).collect();
        Ok(FileList {
            club_id: Some(club),
            count: videos.len(),
            total_size_bytes: videos.iter().map(|v| v.size_bytes).sum(),
            videos,
        })
    }

    /// A recording's row that `who` may do that to: `recording_id`, or else the newest of the session.
    async fn row(
        &self,
        who: &Identity,
        action: Action,
        session_id: &str,
        club_id: Option<i64>,
        recording_id: Option<i64>,
    ) -> Result<Row> {
        let session = self.core.find_session(session_id).await?.ok_or(Error::VideoNotFound)?;
        let row = match recording_id {
            Some(id) => self.core.store.recording(RecordingId(id)).await?,
            None => self.newest(&session.id).await?,
        };
        let fits = |r: &Row| {
            r.session_id.as_ref() == Some(&session.id)
                && r.state != RecordingState::Deleting
                && club_id.is_none_or(|c| c == r.club_id)
        };
        let row = row.filter(fits).ok_or(Error::VideoNotFound)?;
        let club_id = (row.club_id != 0).then_some(row.club_id);
        decide(who, action, &Target::Session { club_id, terrain_id: row.terrain_id, user_id: row.user_id })?;
        Ok(row)
    }

    /// One file, by `recording_id` or else the newest of the session.
    pub async fn video(&self, who: &Identity, session_id: &str, recording_id: Option<i64>) -> Result<VideoView> {
        let row = self.row(who, Action::ReadFile, session_id, None, recording_id).await?;
        let gaps: Vec<RecordedGap> = self.core.store.gaps(row.id).await?;
        Ok(view::video(&row, &gaps))
    }

    /// A finished file to be sent.
    pub async fn download(
        &self,
        who: &Identity,
        session_id: &str,
        club_id: Option<i64>,
        recording_id: Option<i64>,
    ) -> Result<Download> {
        let row = self.row(who, Action::ReadFile, session_id, club_id, recording_id).await?;
        match row.state {
            RecordingState::Sealed => {}
            RecordingState::Open => return Err(Error::RecordingActive),
            RecordingState::Failed | RecordingState::Deleting => return Err(Error::VideoNotFound),
        }
        // A short file is rewritten without its reserve right after the stop; a player that reads it in pieces must not
        // get some of the one and some of the other.
        self.core.recorder.settled(row.id, SETTLE).await;
        let path = self.core.config.media_dir.join(&row.path);
        let meta = tokio::fs::metadata(&path).await.map_err(|e| {
            warn!(recording = %row.id, path = %path.display(), error = %e, "a recorded file is missing");
            Error::VideoNotFound
        })?;
        Ok(Download {
            filename: view::filename(&row),
            path,
            size_bytes: meta.len(),
            modified: meta.modified().map_or(row.started_at, UnixMillis::from),
            recording_id: row.id.0,
        })
    }

    /// Deletes file and row.
    pub async fn delete(
        &self,
        who: &Identity,
        session_id: &str,
        club_id: Option<i64>,
        recording_id: Option<i64>,
    ) -> Result<()> {
        let row = self.row(who, Action::DeleteFile, session_id, club_id, recording_id).await?;
        if row.state == RecordingState::Open {
            return Err(Error::RecordingActive);
        }
        if row.locked {
            return Err(Error::Locked);
        }
        self.core.recorder.delete(row.id).await.map_err(record_error)?;
        let target = format!("recording/{}", row.id);
        self.core.auth.audit(user_of(who), &who.username, "recording.delete", &target, None).await;
        if let Some(session) = row.session_id {
            self.core.bus.tell(Notice::Recording { session, recording: row.id });
        }
        Ok(())
    }

    /// Protects a file, or no longer.
    pub async fn lock(
        &self,
        who: &Identity,
        session_id: &str,
        recording_id: Option<i64>,
        locked: bool,
    ) -> Result<VideoView> {
        let row = self.row(who, Action::DeleteFile, session_id, None, recording_id).await?;
        self.core.store.lock_recording(row.id, locked).await.map_err(|e| match e {
            StoreError::NotFound(_) => Error::VideoNotFound,
            e => e.into(),
        })?;
        let action = if locked { "recording.lock" } else { "recording.unlock" };
        let target = format!("recording/{}", row.id);
        self.core.auth.audit(user_of(who), &who.username, action, &target, None).await;
        self.core.bus.tell(Notice::Recording { session: SessionId(session_id.to_owned()), recording: row.id });
        self.video(who, session_id, Some(row.id.0)).await
    }

    /// Removes what is left over; also says what, line by line.
    pub async fn clean_up(&self, who: &Identity) -> Result<(Cleaned, Vec<Value>)> {
        decide(who, Action::CleanUp, &Target::Any)?;
        clean::run(&self.core, who).await
    }

    /// Counts for health.
    pub async fn video_health(&self) -> Result<VideoHealth> {
        let (count, total_size_bytes) = self.core.store.recordings_total().await?;
        let disk = rustix::fs::statvfs(&self.core.config.media_dir)
            .map(|s| Disk { total: s.f_blocks * s.f_frsize, available: s.f_bavail * s.f_frsize })
            .unwrap_or(Disk { total: 0, available: 0 });
        Ok(VideoHealth {
            active_sessions: self.core.sessions.all().len(),
            active_recordings: self.core.recorder.active().len(),
            max_concurrent_recordings: self.core.recorder.config().max_concurrent,
            proxy_ports: self.core.ports.list().into_iter().map(|(_, port)| port).collect(),
            videos: VideoTotals { count, total_size_bytes },
            disk,
        })
    }
}

async fn start(
    core: &Arc<Core>,
    session: CaptureSession,
    user_id: Option<vigie_base::UserId>,
    duration: Duration,
) -> Result<StartedView> {
    let id = session.id.clone();
    let camera = session.camera_id.ok_or(Error::CameraNotFound)?;
    let name = core.cameras.read().get(&camera).map(|c| c.fields.name.clone()).ok_or(Error::CameraNotFound)?;
    if core.is_recording(&id) {
        return Err(Error::AlreadyRecording);
    }
    let limit = core.recorder.config().max_concurrent;
    if core.recorder.active().len() >= limit {
        return Err(Error::MaxConcurrent(limit));
    }
    let stream = StreamKey::main(camera);
    let estimate = core.recorder.estimate(stream, duration, None).await.map_err(record_error)?;
    if !estimate.fits() {
        return Err(Error::DiskFull { needed_bytes: estimate.bytes, available_bytes: estimate.free_bytes });
    }
    // From here on nobody else starts in this session.
    let before = core.sessions.begin(&id)?.ok_or(Error::AlreadyRecording)?;
    core.set_session_state(&id, SessionState::Starting, None).await;
    let request = Request {
        session_id: id.clone(),
        stream,
        camera_name: name.clone(),
        club_id: session.club_id,
        terrain_id: session.terrain_id,
        user_id,
        duration,
        mode: None,
    };
    let recording = match core.recorder.start(request).await {
        Ok(r) => r,
        Err(e) => {
            // The session is as usable as before.
            core.set_session_state(&id, before, Some(e.to_string())).await;
            return Err(match e {
                RecordError::SourceDown(_) => unreachable_now(core, stream, &e),
                e => record_error(e),
            });
        }
    };
    core.sessions.recorded_by(&id, &recording);
    core.set_session_state(&id, SessionState::Recording, None).await;
    let status = recording.status();
    info!(session = %id, recording = %status.id, seconds = duration.as_secs(), "recording");
    let about = About { camera: Some(camera), session: Some(id.clone()), recording: Some(status.id) };
    core.event("recording_started", about, format!("{name} is being recorded"), json!(null)).await;
    core.bus.tell(Notice::Recording { session: id.clone(), recording: status.id });
    let view = StartedView {
        session_id: id.0.clone(),
        recording_id: status.id.0,
        started_at: status.started_at.rfc3339(),
        duration_seconds: duration.as_secs().cast_signed(),
        video_path: core.config.media_dir.join(&status.path).display().to_string(),
        mode: status.mode.to_owned(),
    };
    let core = Arc::clone(core);
    tokio::spawn(async move {
        let end = recording.wait().await;
        finish(&core, &id, &recording, end).await;
    });
    Ok(view)
}

/// What the camera itself said is worth more than that no picture came.
fn unreachable_now(core: &Core, stream: StreamKey, e: &RecordError) -> Error {
    let failure = core.hub.get(stream).and_then(|s| s.state().failure);
    let (reason, message) = failure.map_or((Reason::NoVideo, e.to_string()), |f| (f.reason, f.message));
    Error::CameraUnreachable { reason, message }
}

/// Says once that a recording has ended, and moves its session on.
async fn finish(
    core: &Arc<Core>,
    session: &SessionId,
    recording: &Recording,
    end: Result<vigie_record::Finished, RecordError>,
) {
    let id = recording.status().id;
    let state = if end.is_ok() { SessionState::Complete } else { SessionState::Failed };
    if core.sessions.take_end(session, recording, state) {
        let error = match &end {
            Ok(f) => f.error.as_ref().map(ToString::to_string),
            Err(e) => Some(e.to_string()),
        };
        core.set_session_state(session, state, error.clone()).await;
        let about = About {
            camera: Some(recording.request().stream.camera),
            session: Some(session.clone()),
            recording: Some(id),
        };
        let name = &recording.request().camera_name;
        match &end {
            Ok(f) => {
                let text = format!("the recording of {name} is finished");
                let data =
                    json!({"size_bytes": f.size_bytes, "duration_seconds": f.duration.as_secs_f64(), "error": error});
                core.event("recording_finished", about, text, data).await;
            }
            Err(e) => {
                core.event("recording_failed", about, format!("the recording of {name} failed: {e}"), json!(null))
                    .await;
            }
        }
    }
    // By whoever is here first: a caller that was told of the end finds the session closed.
    if core.config.close_on_stop {
        crate::sessions::close(core, session, end.as_ref().err().map(ToString::to_string)).await;
    }
    core.bus.tell(Notice::Recording { session: session.clone(), recording: id });
}

/// The recorder's refusals in the words of the contract.
fn record_error(e: RecordError) -> Error {
    let message = e.to_string();
    match e {
        RecordError::AlreadyRecording => Error::AlreadyRecording,
        RecordError::TooMany(n) => Error::MaxConcurrent(n),
        RecordError::SourceDown(_) | RecordError::StreamClosed | RecordError::Empty | RecordError::NothingToRecord => {
            Error::CameraUnreachable { reason: Reason::NoVideo, message }
        }
        RecordError::DiskFull { free_mb, needed_mb } => {
            Error::DiskFull { needed_bytes: needed_mb << 20, available_bytes: free_mb << 20 }
        }
        RecordError::EncoderUnavailable(_) => Error::EncoderUnavailable,
        RecordError::CannotCopy(_) => Error::field("mode", "invalid_field", message),
        RecordError::NotFinished => Error::VideoNotFound,
        RecordError::Disk(_) | RecordError::Index(_) => Error::Recorder { fault: e.fault(), message },
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
