//! Capture sessions as the API asks for and shows them (contract §20.3, §20.5).

use serde::Serialize;

/// A wish for a session (contract §20.3): a court or a camera.
#[derive(Debug, Clone, Default)]
pub struct SessionRequest {
    /// The court.
    pub terrain_id: Option<i64>,
    /// A camera without a court; super administrators only.
    pub camera_id: Option<i64>,
    /// The club; super administrators only.
    pub club_id: Option<i64>,
    /// Get one's own session back when there is one.
    pub reuse: bool,
}

/// Where to see a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewLinks {
    /// MJPEG.
    pub stream: String,
    /// One JPEG.
    pub snapshot: String,
    /// JPEG pictures over a WebSocket.
    pub ws: String,
}

/// A capture session as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionView {
    /// `sess_<club>_<terrain>_<unix seconds>`.
    pub session_id: String,
    /// MJPEG on loopback.
    pub local_url: String,
    /// Our HTTP port.
    pub proxy_port: u16,
    /// Whether a frame was really received.
    pub verified: bool,
    /// 0 without a court.
    pub club_id: i64,
    /// The court.
    pub terrain_id: Option<i64>,
    /// The camera.
    pub camera_id: Option<i64>,
    /// Who made it.
    pub user_id: Option<i64>,
    /// See contract §20.8.
    pub state: &'static str,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub last_activity_at: String,
    /// Whether a recording runs.
    pub recording_active: bool,
    /// Seconds since the recording began, 0 without one.
    pub elapsed_seconds: i64,
    /// Where to see it.
    pub preview: PreviewLinks,
    /// RTSP.
    pub rtsp_url: Option<String>,
}

/// `GET /api/preview/<session_id>/info`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewInfo {
    /// The session.
    pub session_id: String,
    /// Whether it is open.
    pub active: bool,
    /// Viewers now.
    pub viewers: usize,
    /// Picture width.
    pub width: Option<u32>,
    /// Picture height.
    pub height: Option<u32>,
    /// Pictures per second.
    pub fps: f64,
    /// Age of the newest frame.
    pub last_frame_age_ms: Option<u64>,
    /// Whether media flows.
    pub source_connected: bool,
    /// Whether a recording runs.
    pub recording_active: bool,
    /// MJPEG.
    pub stream_url: String,
    /// One JPEG.
    pub snapshot_url: String,
}
