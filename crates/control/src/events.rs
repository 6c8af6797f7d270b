//! Events.
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast;
use vigie_base::{CameraId, RecordingId, SessionId};
use crate::error::Result;
use crate::policy::Identity;

/// Something changed. Whoever wants to know more asks for the thing with the rights of who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A camera was added or changed, or its state did.
    Camera(CameraId),
    /// A camera is gone.
    CameraRemoved(CameraId),
    /// A session was made, changed or closed.
    Session(SessionId),
    /// A recording began, ended or was deleted.
    Recording {
        /// Its session.
        session: SessionId,
        /// Its row.
        recording: RecordingId,
    },
    /// An event was stored; by its number.
    Event(i64),
}

/// A stored event as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventView {
    /// Grows with time.
    pub id: i64,
    /// RFC 3339.
    pub at: String,
    /// `camera_online`, `camera_offline`, …
    pub kind: String,
    /// The camera.
    pub camera_id: Option<i64>,
    /// The session.
    pub session_id: Option<String>,
    /// The recording.
    pub recording_id: Option<i64>,
    /// One sentence.
    pub message: String,
    /// More, for machines.
    pub data: Value,
}

/// Events. See the module.
#[derive(Debug)]
pub struct Events {}

impl Events {
    /// Notices from now on. A subscriber that is more than 1024 behind is told `Lagged` and should ask for everything.
    pub fn subscribe(&self) -> broadcast::Receiver<Notice> {
        todo!()
    }
    /// Stored events of a camera, newest first.
    pub async fn of_camera(&self, who: &Identity, id_or_slug: &str, before: Option<i64>, limit: u32) -> Result<Vec<EventView>> {
        todo!()
    }
    /// Stored events, newest first.
    pub async fn list(&self, who: &Identity, before: Option<i64>, limit: u32) -> Result<Vec<EventView>> {
        todo!()
    }
}
