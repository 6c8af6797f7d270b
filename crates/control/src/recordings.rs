//! Recordings of capture sessions, and the files they leave (contract §20.4, §20.6, §20.7).
//!
//! The recorder writes files and rows; here is who may, when, and what the answers say. **A stop answers when the file
//! is playable, and answers the same again however often it is asked.**

mod clean;
mod estimate;
mod files;
mod running;
mod view;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use vigie_base::{Fault, SessionId, StreamKey};
use vigie_hub::Status;
use vigie_record::RecordingStatus as Running;
use vigie_store::{CaptureSession, Recording as Row, RecordingFilter, RecordingKind, RecordingState, SessionState};

use crate::core::Core;
use crate::error::{Error, Result};
use crate::policy::{Action, Identity, Target, decide};
use crate::sessions::{Sessions, user_of};

pub use estimate::{EstimateQuery, EstimateView};
pub use files::{FileQuery, Part, PartQuery};
pub(crate) use running::record_error;
pub(crate) use view::clip_file;
pub use view::{
    Cleaned, Disk, Download, EncoderView, FileList, GapView, RecordingStatus, StartedView, StoppedView, VideoHealth,
    VideoTotals, VideoView,
};
pub use vigie_record::VideoMode;

/// Most of a session's log that is shown: its end.
const LOG_BYTES: u64 = 1 << 20;

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

    /// Starts to record. `duration_minutes` 1–720, 90 when missing; `mode` as configured when missing.
    pub async fn start(
        &self,
        who: &Identity,
        session_id: &str,
        duration_minutes: Option<f64>,
        mode: Option<VideoMode>,
    ) -> Result<StartedView> {
        if self.core.stopping.is_cancelled() {
            return Err(Error::Stopping);
        }
        let row = self.sessions.find(who, Action::ControlSession, session_id).await?;
        let duration = self.duration(duration_minutes)?;
        if row.state == SessionState::Closed {
            return Err(Error::SessionClosed);
        }
        // A caller that goes away does not stop what it began.
        let (core, user) = (Arc::clone(&self.core), user_of(who));
        let view = tokio::spawn(async move { running::start(&core, row, user, duration, mode).await })
            .await
            .map_err(|_| Error::Internal("starting a recording panicked".to_owned()))??;
        let target = format!("recording/{}", view.recording_id);
        self.core.auth.note(who, "recording.start", &target, Value::Null).await;
        Ok(view)
    }

    /// Stops; answers when the file is playable. A second stop answers the same.
    pub async fn stop(&self, who: &Identity, session_id: &str) -> Result<StoppedView> {
        let session = self.sessions.find(who, Action::ControlSession, session_id).await?;
        if let Some(recording) = self.core.recorder.get(&session.id) {
            if !recording.is_over() {
                self.core.set_session_state(&session.id, SessionState::Stopping, None).await;
                let target = format!("recording/{}", recording.status().id);
                self.core.auth.note(who, "recording.stop", &target, Value::Null).await;
            }
            let end = recording.stop().await;
            // The task that waits for the end does the same; whoever comes second changes nothing.
            running::finish(&self.core, &session.id, &recording, end.clone()).await;
            end.map_err(running::record_error)?;
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
        // What ended in this process is known to the frame; the wall clock of the row may have jumped.
        let ended = self.core.recorder.get(&session.id).map(|r| r.status());
        let connected = session
            .camera_id
            .and_then(|c| self.core.hub.get(StreamKey::main(c)))
            .is_some_and(|s| s.state().status == Status::Live);
        let gaps = match &row {
            Some(r) => self.core.store.gaps(r.id).await?.len(),
            None => 0,
        };
        let path = row.as_ref().map(|r| self.full_path(r));
        Ok(view::ended(&session, row.as_ref(), ended.as_ref(), gaps, connected, path))
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
            interrupted: false,
            mode: Some(s.mode.to_owned()),
            video_path: None,
            download_url: None,
        }
    }

    /// What was asked for, or what is usual.
    fn duration(&self, minutes: Option<f64>) -> Result<Duration> {
        match minutes {
            None => Ok(self.core.config.default_recording),
            Some(m) if m.is_finite() && (1.0..=720.0).contains(&m) => Ok(Duration::from_secs_f64(m * 60.0)),
            Some(_) => Err(Error::DurationOutOfRange),
        }
    }

    /// The log of a session's recordings, for administrators of its club: its last MiB.
    pub async fn log(&self, who: &Identity, session_id: &str) -> Result<String> {
        decide(who, Action::ReadSystem, &Target::Any)?;
        let session = self.sessions.find(who, Action::ViewSession, session_id).await?;
        // The id of a row of ours: no path can be hidden in it.
        let path = self.core.config.log_dir.join("video").join(format!("{}.ffmpeg.log", session.id));
        let read = tokio::task::spawn_blocking(move || tail(&path, LOG_BYTES)).await;
        match read.map_err(|_| Error::Internal("reading a log panicked".to_owned()))? {
            Ok(text) => Ok(text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(Error::LogNotFound),
            Err(e) => Err(Error::Recorder { fault: Fault::Disk, message: format!("the log cannot be read: {e}") }),
        }
    }

    /// The newest recording of a session, clips aside.
    pub(crate) async fn newest(&self, session: &SessionId) -> Result<Option<Row>> {
        let kind = Some(RecordingKind::Session);
        let filter = RecordingFilter { session_id: Some(session.clone()), kind, ..Default::default() };
        let rows = self.core.store.recordings(&filter).await?;
        Ok(rows.into_iter().find(|r| r.state != RecordingState::Deleting))
    }

    fn full_path(&self, row: &Row) -> String {
        self.core.config.media_dir.join(&row.path).display().to_string()
    }

    /// Removes what is left over; also says what, line by line.
    pub async fn clean_up(&self, who: &Identity) -> Result<(Cleaned, Vec<Value>)> {
        decide(who, Action::CleanUp, &Target::Any)?;
        let done = clean::run(&self.core, who).await?;
        if user_of(who).is_some() {
            self.core.auth.note(who, "cleanup", "videos", Value::Null).await;
        }
        Ok(done)
    }

    /// Counts for health.
    pub async fn video_health(&self) -> Result<VideoHealth> {
        let (count, total_size_bytes) = self.core.store.recordings_total().await?;
        // The operator may have put the videos on a disk of their own, which a link leads to.
        let (media, videos) = (&self.core.config.media_dir, self.core.config.media_dir.join("videos"));
        let disk = rustix::fs::statvfs(if videos.exists() { &videos } else { media })
            .map(|s| Disk { total: s.f_blocks * s.f_frsize, available: s.f_bavail * s.f_frsize })
            .unwrap_or(Disk { total: 0, available: 0 });
        let encoder = self.core.recorder.encoder().await;
        Ok(VideoHealth {
            active_sessions: self.core.sessions.all().len(),
            active_recordings: self.core.recorder.active().len(),
            max_concurrent_recordings: self.core.recorder.config().max_concurrent,
            proxy_ports: self.core.ports.list().into_iter().map(|(_, port)| port).collect(),
            videos: VideoTotals { count, total_size_bytes },
            disk,
            encoder: EncoderView { name: encoder.name, available: encoder.available, why: encoder.why },
        })
    }
}

/// The end of a text file, from the beginning of a line.
fn tail(path: &std::path::Path, most: u64) -> std::io::Result<String> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = std::fs::File::open(path)?;
    let skipped = file.metadata()?.len().saturating_sub(most);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let cut = if skipped > 0 { text.find('\n').map_or(0, |at| at + 1) } else { 0 };
    Ok(text[cut..].to_owned())
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
