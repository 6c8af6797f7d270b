//! A court as the API shows it, with what happens on it at this moment.

use serde::Serialize;
use vigie_base::{StreamKey, UnixMillis};
use vigie_hub::Status;
use vigie_store::{CaptureSession, SessionState};

use super::{Court, Courts};
use crate::policy::{Action, Identity, decide};
use crate::sessions;

/// A court as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TerrainView {
    /// Its number.
    pub id: i64,
    /// Its club.
    pub club_id: i64,
    /// What that is called.
    pub club_name: String,
    /// Its name.
    pub name: String,
    /// The camera that looks at it.
    pub camera_id: Option<i64>,
    /// What that is called.
    pub camera_name: Option<String>,
    /// Whether sessions may be made on it.
    pub enabled: bool,
    /// When it was made (RFC 3339).
    pub created_at: String,
    /// `disabled|no_camera|recording|reserved|camera_offline|ready`, the first that is true.
    pub status: &'static str,
    /// The open session on it, when the caller may see that session.
    pub session_id: Option<String>,
    /// Who records on it, while somebody does: people of the club share its courts.
    pub recording_by: Option<String>,
    /// When that recording ends by itself (RFC 3339).
    pub recording_until: Option<String>,
    /// Whether its camera sends pictures at this moment.
    pub live: bool,
}

impl Courts {
    pub(super) fn view(&self, who: &Identity, court: &Court) -> TerrainView {
        self.views(who, std::slice::from_ref(court)).swap_remove(0)
    }

    pub(super) fn views(&self, who: &Identity, courts: &[Court]) -> Vec<TerrainView> {
        let open = self.core.sessions.all();
        courts.iter().map(|c| self.one(who, c, open.iter().find(|s| s.terrain_id == Some(c.id)))).collect()
    }

    fn one(&self, who: &Identity, court: &Court, session: Option<&CaptureSession>) -> TerrainView {
        let camera = court.camera_id.and_then(|id| self.core.cameras.read().get(&id).cloned());
        let stream = court.camera_id.and_then(|id| self.core.hub.get(StreamKey::main(id)));
        let live = stream.is_some_and(|s| s.state().status == Status::Live);
        let recording = |s: &CaptureSession| {
            matches!(s.state, SessionState::Starting | SessionState::Recording | SessionState::Stopping)
                || self.core.is_recording(&s.id)
        };
        let status = match (&camera, session) {
            _ if !court.enabled => "disabled",
            (None, _) => "no_camera",
            (_, Some(s)) if recording(s) => "recording",
            (_, Some(_)) => "reserved",
            (Some(c), None) if !c.fields.enabled || (!live && c.health.level == "offline") => "camera_offline",
            (Some(_), None) => "ready",
        };
        let seen = session.filter(|s| decide(who, Action::ViewSession, &sessions::target(s)).is_ok());
        let runs = session.and_then(|s| self.core.recorder.get(&s.id)).filter(|r| !r.is_over()).map(|r| r.status());
        let recording_until = runs.as_ref().map(|r| {
            let planned = i64::try_from(r.planned.as_millis()).unwrap_or(i64::MAX);
            UnixMillis(r.started_at.0.saturating_add(planned)).rfc3339()
        });
        let maker = session.filter(|_| runs.is_some()).and_then(|s| s.user_id);
        let created_at = self.core.terrains.read().get(&court.id).map(|t| t.created_at.rfc3339());
        TerrainView {
            id: court.id,
            club_id: court.club_id,
            club_name: court.club_name.clone(),
            name: court.name.clone(),
            camera_id: court.camera_id.map(|c| c.0),
            camera_name: camera.map(|c| c.fields.name),
            enabled: court.enabled,
            created_at: created_at.unwrap_or_default(),
            status,
            recording_by: maker.and_then(|u| self.core.auth.name_of(u)),
            recording_until,
            session_id: seen.map(|s| s.id.0.clone()),
            live,
        }
    }
}
