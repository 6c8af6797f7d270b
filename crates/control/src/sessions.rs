//! Capture sessions.
use serde::Serialize;
use crate::auth::Ticket;
use crate::error::Result;
use crate::links::Links;
use crate::policy::Identity;

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

/// Capture sessions. See the module.
#[derive(Debug)]
pub struct Sessions {}

impl Sessions {
    /// Makes a session once a frame really came.
    pub async fn create(&self, who: &Identity, request: SessionRequest, links: &Links) -> Result<SessionView> {
        todo!()
    }
    /// Closes a session that does not record.
    pub async fn close(&self, who: &Identity, session_id: &str) -> Result<()> {
        todo!()
    }
    /// Open sessions that `who` may see.
    pub async fn list(&self, who: &Identity, links: &Links) -> Result<Vec<SessionView>> {
        todo!()
    }
    /// One session; the short id is understood too.
    pub async fn get(&self, who: &Identity, session_id: &str, links: &Links) -> Result<SessionView> {
        todo!()
    }
    /// Facts for a preview.
    pub async fn preview_info(&self, who: &Identity, session_id: &str, links: &Links) -> Result<PreviewInfo> {
        todo!()
    }
    /// A ticket for views of this session.
    pub async fn ticket(&self, who: &Identity, session_id: &str) -> Result<Ticket> {
        todo!()
    }
    /// Somebody used it: it is not idle.
    pub fn touch(&self, session_id: &str) {
        todo!()
    }
}
