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
    /// The session's own port, where sessions have one; otherwise our HTTP port.
    pub proxy_port: u16,
    /// Whether a frame was really received.
    pub verified: bool,
    /// 0 without a court.
    pub club_id: i64,
    /// The court.
    pub terrain_id: Option<i64>,
    /// What the court is called now.
    pub terrain_name: Option<String>,
    /// The camera.
    pub camera_id: Option<i64>,
    /// What the camera is called now.
    pub camera_name: Option<String>,
    /// Who made it.
    pub user_id: Option<i64>,
    /// What that user is called now.
    pub username: Option<String>,
    /// See contract §20.8.
    pub state: &'static str,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub last_activity_at: String,
    /// RFC 3339: when it is closed if nobody uses it any more. Missing while it records or is watched, and after it
    /// was closed.
    pub expires_at: Option<String>,
    /// Whether a recording runs.
    pub recording_active: bool,
    /// Seconds since the recording began, 0 without one.
    pub elapsed_seconds: i64,
    /// Planned length of the recording, while one runs.
    pub duration_seconds: Option<i64>,
    /// What is left of it.
    pub remaining_seconds: Option<i64>,
    /// Where to see it.
    pub preview: PreviewLinks,
    /// RTSP.
    pub rtsp_url: Option<String>,
}
