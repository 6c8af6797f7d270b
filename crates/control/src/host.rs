//! What `control` needs from those it must not see: the runner of sources, the prober and the listeners of single
//! sessions, in plain types.
//! The binary implements these and hands them in.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use url::Url;
use vigie_base::{CameraId, Secret, SessionId, StreamName, UnixMillis};
use vigie_hub::{Reason, Stream};

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
    /// When it would have been tried again, if it was to be; `None` after failures says that it was left alone.
    pub next_attempt: Option<UnixMillis>,
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
    /// The first picture as a small JPEG; missing when it cannot be decoded here.
    pub picture: Option<Bytes>,
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
    /// The newest key frame of a stream that runs, as a small JPEG; `None` when it cannot be decoded here.
    async fn picture(&self, stream: &Arc<Stream>) -> Option<Bytes>;
}

/// Every port of the range is taken (contract §20.15, `no_free_port`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no port is free for another session")]
pub struct NoFreePort;

/// Listeners that serve one session each, for clients of the older systems (contract X-03, `compat.session_ports`).
/// Never blocks for longer than binding a socket takes.
pub trait SessionPorts: Send + Sync + 'static {
    /// Opens a listener for that session, which is in the table already; `Ok(None)` when sessions have none of their
    /// own. Called once per session, before anybody is told of it.
    fn allocate(&self, session: &SessionId) -> Result<Option<u16>, NoFreePort>;
    /// Closes the session's listener, if it has one: the session is over.
    fn release(&self, session: &SessionId);
    /// What is open now, by port.
    fn list(&self) -> Vec<(SessionId, u16)>;
}

/// Sessions are found under their path alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPorts;

impl SessionPorts for NoPorts {
    fn allocate(&self, _: &SessionId) -> Result<Option<u16>, NoFreePort> {
        Ok(None)
    }
    fn release(&self, _: &SessionId) {}
    fn list(&self) -> Vec<(SessionId, u16)> {
        Vec::new()
    }
}
