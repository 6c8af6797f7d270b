//! Recordings as the API shows them (contract §20.4, §20.6, §20.7).

use std::path::PathBuf;

use serde::Serialize;
use vigie_base::{RecordingId, SessionId, UnixMillis};
use vigie_record::RecordingStatus as Running;
use vigie_store::{CaptureSession, RecordedGap, Recording as Row, RecordingState};

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
    /// Whether Vigie died while it was written; what had been written was kept.
    pub interrupted: bool,
    /// `copy` or `encode`.
    pub mode: Option<String>,
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
    /// `session` or `clip`.
    pub kind: &'static str,
    /// Of a clip: the recording that it was cut from.
    pub clip_of: Option<i64>,
    /// `sess_….mp4`.
    pub filename: String,
    /// 0 without a court.
    pub club_id: i64,
    /// The court.
    pub terrain_id: Option<i64>,
    /// What the court is called now.
    pub terrain_name: Option<String>,
    /// The camera.
    pub camera_id: Option<i64>,
    /// What the camera was called then.
    pub camera_name: String,
    /// Who recorded it.
    pub user_id: Option<i64>,
    /// What that user is called now.
    pub username: Option<String>,
    /// How many markers it has.
    pub markers: i64,
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
    /// Ports of per-session listeners; empty unless those are switched on.
    pub proxy_ports: Vec<u16>,
    /// Finished files.
    pub videos: VideoTotals,
    /// The disk of the media folder.
    pub disk: Disk,
    /// What encodes recordings that cannot be copied.
    pub encoder: EncoderView,
}

/// The encoder.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EncoderView {
    /// `libx264` or `openh264`.
    pub name: &'static str,
    /// Whether it works; when not, recordings that need it are refused.
    pub available: bool,
    /// Why it is not the preferred one, or does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
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

/// Where a file is fetched. The file's own number is in it: a session may have several.
pub(super) fn download_url(row: &Row) -> String {
    let session = row.session_id.as_ref().map_or("", |s| s.0.as_str());
    url(session, row.club_id, row.id)
}

fn url(session: &str, club_id: i64, recording: RecordingId) -> String {
    format!("/api/video/files/{session}/download?club_id={club_id}&recording_id={recording}")
}

/// The last part of the path.
pub(super) fn filename(row: &Row) -> String {
    last_part(&row.path)
}

fn last_part(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// Name and address of a clip that was just made.
pub(crate) fn clip_file(session: &SessionId, club_id: i64, clip: RecordingId, path: &str) -> (String, String) {
    (last_part(path), url(&session.0, club_id, clip))
}

/// A row with its gaps picked out of `gaps`; names and markers are the caller's to add.
pub(super) fn video(row: &Row, gaps: &[RecordedGap]) -> VideoView {
    let gap = |g: &RecordedGap| GapView {
        from: g.from.rfc3339(),
        to: g.to.map(UnixMillis::rfc3339),
        at_seconds: g.offset_ms as f64 / 1000.0,
        cause: g.cause.clone(),
    };
    VideoView {
        session_id: row.session_id.as_ref().map(|s| s.0.clone()).unwrap_or_default(),
        recording_id: row.id.0,
        kind: row.kind.as_str(),
        clip_of: row.clip_of.map(|r| r.0),
        filename: filename(row),
        club_id: row.club_id,
        terrain_id: row.terrain_id,
        terrain_name: None,
        camera_id: row.camera_id.map(|c| c.0),
        camera_name: row.camera_name.clone(),
        user_id: row.user_id.map(|u| u.0),
        username: None,
        markers: 0,
        size_bytes: row.size_bytes,
        size_mb: (row.size_bytes as f64 / 1_048_576.0 * 100.0).round() / 100.0,
        duration_seconds: row.duration_ms as f64 / 1000.0,
        created_at: row.started_at.rfc3339(),
        ended_at: row.ended_at.map(UnixMillis::rfc3339),
        state: row.state.as_str(),
        interrupted: row.interrupted,
        locked: row.locked,
        gaps: gaps.iter().filter(|g| g.recording_id == row.id).map(gap).collect(),
        codec: row.codec.clone(),
        audio_codec: row.audio_codec.clone(),
        width: row.width,
        height: row.height,
        download_url: download_url(row),
    }
}

/// The status of a session that does not record now: frozen at the end of its newest recording, if it has one.
pub(super) fn ended(
    session: &CaptureSession,
    row: Option<&Row>,
    ended: Option<&Running>,
    gaps: usize,
    source_connected: bool,
    path: Option<String>,
) -> RecordingStatus {
    // People plan whole seconds; what a file was still to hold when it was opened is some milliseconds less.
    let planned_ms = row.map_or(0, |r| r.planned_ms.saturating_add(999) / 1000 * 1000);
    let elapsed_ms = row.map_or(0, |r| match ended {
        Some(e) if e.id == r.id => i64::try_from(e.elapsed.as_millis()).unwrap_or(i64::MAX),
        _ => elapsed_ms(r),
    });
    let elapsed_ms = elapsed_ms.clamp(0, planned_ms);
    let size_bytes = row.map_or(0, |r| r.size_bytes);
    let sealed = row.filter(|r| r.state == RecordingState::Sealed);
    RecordingStatus {
        session_id: session.id.0.clone(),
        recording_id: row.map(|r| r.id.0),
        active: false,
        elapsed_seconds: elapsed_ms / 1000,
        duration_seconds: planned_ms / 1000,
        progress_percent: (elapsed_ms * 100).checked_div(planned_ms).unwrap_or(0).min(100),
        state: session.state.as_str(),
        size_bytes,
        source_connected,
        gaps: i64::try_from(gaps).unwrap_or(i64::MAX),
        frames: row.map_or(0, |r| r.frames),
        // Bits per millisecond are kbit/s.
        bitrate_kbps: (size_bytes * 8).checked_div(row.map_or(0, |r| r.duration_ms)).unwrap_or(0),
        error: row.and_then(|r| r.error.clone()).or_else(|| session.error.clone()),
        interrupted: row.is_some_and(|r| r.interrupted),
        mode: row.map(|r| r.mode.clone()),
        video_path: sealed.and(path),
        download_url: sealed.map(download_url),
    }
}

/// How far the wall clock's account of a recording may be from the file's own and still be believed: what a last frame
/// and the end of a lost camera make.
const PLAUSIBLE_MS: i64 = 2000;

/// Between click and end. The wall clock counts it as people do, but not when it jumped meanwhile.
fn elapsed_ms(row: &Row) -> i64 {
    let wall = row.ended_at.map(|end| end.since_ms(row.started_at));
    wall.filter(|ms| (ms - row.duration_ms).abs() <= PLAUSIBLE_MS).unwrap_or(row.duration_ms)
}
