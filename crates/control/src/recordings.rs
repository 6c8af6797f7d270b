//! Recordings.
use std::path::PathBuf;
use serde::Serialize;
use serde_json::Value;
use vigie_base::UnixMillis;
use crate::error::Result;
use crate::policy::Identity;

/// The answer to `record/start`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartedView {
    /// The session.
    pub session_id: String,
    /// The file's row.
    pub recording_id: i64,
    /// RFC 3339.
    pub started_at: String,
    /// Planned length.
    pub duration_seconds: i64,
    /// Where it is written.
    pub video_path: String,
    /// `copy` or `encode`.
    pub mode: String,
}

/// The answer to `record/stop`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoppedView {
    /// The session.
    pub session_id: String,
    /// The file's row.
    pub recording_id: i64,
    /// The file.
    pub video_path: String,
    /// Its size.
    pub size_bytes: i64,
    /// Its length.
    pub duration_seconds: f64,
    /// Where to get it.
    pub download_url: String,
}

/// `GET /api/video/record/status/<session_id>`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordingStatus {
    /// The session.
    pub session_id: String,
    /// The file's row, once something was recorded.
    pub recording_id: Option<i64>,
    /// Whether it runs.
    pub active: bool,
    /// Whole seconds; frozen after the end.
    pub elapsed_seconds: i64,
    /// Planned length.
    pub duration_seconds: i64,
    /// 0–100, rounded down.
    pub progress_percent: i64,
    /// State of the session (contract §20.8).
    pub state: &'static str,
    /// Bytes written.
    pub size_bytes: i64,
    /// Whether media flows.
    pub source_connected: bool,
    /// Gaps so far.
    pub gaps: i64,
    /// Video frames written.
    pub frames: i64,
    /// Average so far.
    pub bitrate_kbps: i64,
    /// Why it failed.
    pub error: Option<String>,
    /// The file, after the end.
    pub video_path: Option<String>,
    /// Where to get it, after the end.
    pub download_url: Option<String>,
}

/// One recorded file in a list (contract §20.6).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VideoView {
    /// The session.
    pub session_id: String,
    /// The file's row.
    pub recording_id: i64,
    /// `sess_….mp4`.
    pub filename: String,
    /// 0 without a court.
    pub club_id: i64,
    /// The court.
    pub terrain_id: Option<i64>,
    /// The camera.
    pub camera_id: Option<i64>,
    /// What the camera was called then.
    pub camera_name: String,
    /// Who recorded it.
    pub user_id: Option<i64>,
    /// Its size.
    pub size_bytes: i64,
    /// In units of 1,048,576 bytes, two decimals.
    pub size_mb: f64,
    /// Its length.
    pub duration_seconds: f64,
    /// RFC 3339: when it began.
    pub created_at: String,
    /// RFC 3339: when it ended.
    pub ended_at: Option<String>,
    /// `open|sealed|failed`.
    pub state: &'static str,
    /// Whether the process died while it was written.
    pub interrupted: bool,
    /// Whether it is protected.
    pub locked: bool,
    /// Holes in it.
    pub gaps: Vec<GapView>,
    /// Video codec.
    pub codec: Option<String>,
    /// Audio codec.
    pub audio_codec: Option<String>,
    /// Picture width.
    pub width: Option<i64>,
    /// Picture height.
    pub height: Option<i64>,
    /// Where to get it.
    pub download_url: String,
}

/// A hole in a recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GapView {
    /// RFC 3339.
    pub from: String,
    /// RFC 3339; missing while it lasts.
    pub to: Option<String>,
    /// Where in the file, in seconds.
    pub at_seconds: f64,
    /// `source_lost|source_silent|packet_loss|overrun|format_change|restart|disk`.
    pub cause: String,
}

/// `GET /api/video/files/list`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileList {
    /// Whose files; missing means all clubs.
    pub club_id: Option<i64>,
    /// How many.
    pub count: usize,
    /// All together.
    pub total_size_bytes: i64,
    /// Newest first.
    pub videos: Vec<VideoView>,
}

/// A finished file to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Download {
    /// On this machine.
    pub path: PathBuf,
    /// For `Content-Disposition`.
    pub filename: String,
    /// Its size.
    pub size_bytes: u64,
    /// When it was finished.
    pub modified: UnixMillis,
    /// The file's row; a good entity tag together with size and time.
    pub recording_id: i64,
}

/// What a clean-up removed.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cleaned {
    /// Idle sessions closed.
    pub sessions: usize,
    /// Streams stopped that nobody wanted.
    pub proxies: usize,
    /// Empty files removed.
    pub empty_files: usize,
}

/// The facts of `GET /api/video/health`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VideoHealth {
    /// Open sessions.
    pub active_sessions: usize,
    /// Recordings that run.
    pub active_recordings: usize,
    /// The limit.
    pub max_concurrent_recordings: usize,
    /// Finished files.
    pub videos: VideoTotals,
    /// The disk of the media folder.
    pub disk: Disk,
}

/// Finished files.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VideoTotals {
    /// How many.
    pub count: i64,
    /// All together.
    pub total_size_bytes: i64,
}

/// Room on a disk, in bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Disk {
    /// All.
    pub total: u64,
    /// For us.
    pub available: u64,
}

/// Recordings. See the module.
#[derive(Debug)]
pub struct Recordings {}

impl Recordings {
    /// Starts to record. `duration_minutes` 1–720, 90 when missing.
    pub async fn start(&self, who: &Identity, session_id: &str, duration_minutes: Option<f64>) -> Result<StartedView> {
        todo!()
    }
    /// Stops; answers when the file is playable. A second stop answers the same.
    pub async fn stop(&self, who: &Identity, session_id: &str) -> Result<StoppedView> {
        todo!()
    }
    /// How far it is.
    pub async fn status(&self, who: &Identity, session_id: &str) -> Result<RecordingStatus> {
        todo!()
    }
    /// Files of a club; `None` lists those of all clubs for super administrators, of the own club for others.
    pub async fn files(&self, who: &Identity, club_id: Option<i64>) -> Result<FileList> {
        todo!()
    }
    /// One file, for `recording_id` or else the newest of the session.
    pub async fn video(&self, who: &Identity, session_id: &str, recording_id: Option<i64>) -> Result<VideoView> {
        todo!()
    }
    /// A finished file to be sent.
    pub async fn download(&self, who: &Identity, session_id: &str, club_id: Option<i64>, recording_id: Option<i64>) -> Result<Download> {
        todo!()
    }
    /// Deletes file and row.
    pub async fn delete(&self, who: &Identity, session_id: &str, club_id: Option<i64>, recording_id: Option<i64>) -> Result<()> {
        todo!()
    }
    /// Protects a file, or no longer.
    pub async fn lock(&self, who: &Identity, session_id: &str, recording_id: Option<i64>, locked: bool) -> Result<VideoView> {
        todo!()
    }
    /// Removes what is left over; also says what, line by line.
    pub async fn clean_up(&self, who: &Identity) -> Result<(Cleaned, Vec<Value>)> {
        todo!()
    }
    /// Counts for health.
    pub async fn video_health(&self) -> Result<VideoHealth> {
        todo!()
    }
}
