//! What `control` needs from those it must not see: the runner of sources, the prober and the recorder, in plain types.
//! The binary implements these and hands them in.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use url::Url;
use vigie_base::{CameraId, Fault, RecordingId, Secret, SessionId, StreamKey, StreamName, UserId};
use vigie_hub::{GapCause, Reason};

/// One stream of a camera, ready to be pulled.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamConnection {
    /// Which stream.
    pub stream: StreamName,
    /// The `connection_type`.
    pub kind: String,
    /// Where, without user information.
    pub url: Url,
    /// User name and password.
    pub credentials: Option<(String, Secret)>,
    /// The camera's `connection_config`.
    pub config: serde_json::Value,
}

/// A camera as the runner of its sources needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraConnection {
    /// Which camera.
    pub id: CameraId,
    /// For the log.
    pub slug: String,
    /// Whether it may be pulled at all.
    pub enabled: bool,
    /// Whether it is wanted even while nobody watches.
    pub always_on: bool,
    /// Its streams, `main` first.
    pub streams: Vec<StreamConnection>,
    /// Failures remembered from the last run; zero after a change of the connection.
    pub failures: u32,
}

/// Runs the sources of cameras. Never blocks.
#[async_trait]
pub trait StreamHost: Send + Sync + 'static {
    /// Runs the camera as given from now on. **A stream that equals the one running is left alone**; one that differs
    /// is restarted, its attempts counted anew; one that is missing is stopped.
    fn apply(&self, camera: CameraConnection);
    /// Stops everything of a camera and ends its streams in the hub.
    fn remove(&self, id: CameraId);
    /// Tries again at once, whatever the back-off says.
    async fn reconnect(&self, id: CameraId);
}

/// What a connection test found.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeReport {
    /// From opening the connection to the first proof of usable media.
    pub response_time_ms: u64,
    /// Picture width.
    pub width: u32,
    /// Picture height.
    pub height: u32,
    /// Pictures per second, as declared or measured.
    pub fps: Option<f64>,
    /// Video codec.
    pub codec: Option<String>,
    /// Audio codec.
    pub audio_codec: Option<String>,
}

/// Why a connection test failed.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeFailure {
    /// The class.
    pub reason: Reason,
    /// One redacted sentence.
    pub message: String,
}

/// Tests a connection, apart from whatever runs.
#[async_trait]
pub trait Prober: Send + Sync + 'static {
    /// Connects, waits for usable media, disconnects.
    async fn probe(&self, stream: StreamConnection, timeout: Duration) -> Result<ProbeReport, ProbeFailure>;
}

/// What is to be recorded. **The recorder names the file and writes its row**, in that order (file, folder, row: the
/// recorder's promise), so there is neither when it is asked; [`ActiveRecording::row`] tells the row.
#[derive(Debug, Clone)]
pub struct RecordJob {
    /// The capture session; names the file.
    pub session: SessionId,
    /// Which stream.
    pub stream: StreamKey,
    /// What the camera is called now.
    pub camera_name: String,
    /// The club; 0 without a court.
    pub club_id: i64,
    /// The court.
    pub terrain_id: Option<i64>,
    /// Who started it.
    pub user_id: Option<UserId>,
    /// When to stop by itself.
    pub planned: Duration,
}

/// How far a recording has come.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordProgress {
    /// Length of what is written.
    pub duration_ms: i64,
    /// Bytes of media written.
    pub size_bytes: u64,
    /// Video frames written.
    pub frames: u64,
    /// Gaps so far.
    pub gaps: u32,
    /// Why it ended by itself, once it did.
    pub ended: Option<Result<(), RecordFailure>>,
}

/// A finished recording.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordDone {
    /// Length.
    pub duration_ms: i64,
    /// Size of the file.
    pub size_bytes: u64,
    /// Video frames.
    pub frames: u64,
    /// Video codec.
    pub codec: Option<String>,
    /// Audio codec.
    pub audio_codec: Option<String>,
    /// Picture width.
    pub width: Option<u32>,
    /// Picture height.
    pub height: Option<u32>,
}

/// Why a recording could not begin or end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFailure {
    /// Whose fault.
    pub fault: Fault,
    /// One sentence.
    pub message: String,
    /// What it was, for a gap or an event.
    pub cause: Option<GapCause>,
}

/// A recording that runs.
#[async_trait]
pub trait ActiveRecording: Send + Sync + 'static {
    /// Its row in the store, written already; path, start and plan stand there.
    fn row(&self) -> RecordingId;
    /// How far it has come. Cheap.
    fn progress(&self) -> RecordProgress;
    /// Finishes the file and its row; answers when the file is playable. A second call answers the same.
    async fn stop(&self) -> Result<RecordDone, RecordFailure>;
    /// Returns when the recording ended, by itself or by [`ActiveRecording::stop`].
    async fn ended(&self);
}

/// Makes and deletes recordings. Keeps their rows in the store (opened, progress, gaps, sealed, deleted).
#[async_trait]
pub trait Recorder: Send + Sync + 'static {
    /// Begins to write; answers when the file is open and its row written.
    async fn start(&self, job: RecordJob) -> Result<Arc<dyn ActiveRecording>, RecordFailure>;
    /// Deletes a finished recording: marks the row, removes the file, drops the row.
    async fn delete(&self, id: RecordingId) -> Result<(), RecordFailure>;
}
