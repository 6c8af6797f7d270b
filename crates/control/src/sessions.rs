//! Capture sessions: a person's reservation of a camera's stream (contract §20.3, §20.8).
//!
//! **A session is verified only by a frame that really came**, and one that cannot be is not left behind. An open
//! session is demand: its camera is never suspended. Open sessions live in memory with their claim on the stream; the
//! store has them too, so that a restart can say what became of them.

mod opening;
mod table;
mod view;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tracing::warn;
use vigie_base::{CameraId, SessionId, StreamKey, UnixMillis, UserId};
use vigie_store::{CaptureSession, SessionState};

use crate::auth::{Ticket, TicketScope};
use crate::core::Core;
use crate::error::{Error, Result};
use crate::events::{About, Notice};
use crate::links::Links;
use crate::policy::{Action, Identity, Target, decide};

pub(crate) use table::Table;
pub use view::{PreviewLinks, SessionRequest, SessionView};

/// What the rules look at.
pub(crate) fn target(row: &CaptureSession) -> Target {
    let club_id = (row.club_id != 0).then_some(row.club_id);
    Target::Session { club_id, terrain_id: row.terrain_id, user_id: row.user_id }
}

/// The user of a row; Vigie itself is nobody.
pub(crate) fn user_of(who: &Identity) -> Option<UserId> {
    (who.user_id.0 > 0).then_some(who.user_id)
}

/// Capture sessions. See the module.
#[derive(Debug, Clone)]
pub struct Sessions {
    pub(crate) core: Arc<Core>,
}

impl Sessions {
    /// Makes a session once a frame really came; at once when the camera is being pulled.
    pub async fn create(&self, who: &Identity, request: SessionRequest, links: &Links) -> Result<SessionView> {
        if self.core.stopping.is_cancelled() {
            return Err(Error::Stopping);
        }
        let place = match (request.terrain_id, request.camera_id) {
            (Some(court), None) => self.place_on_court(who, court)?,
            (None, Some(camera)) => self.place_at_camera(who, CameraId(camera))?,
            (None, None) => return Err(Error::missing("terrain_id")),
            (Some(_), Some(_)) => {
                return Err(Error::field("camera_id", "not_allowed", "give a court or a camera, not both"));
            }
        };
        if request.club_id.is_some_and(|c| c != place.club_id) {
            return Err(Error::field("club_id", "value", "this court belongs to another club"));
        }
        // A caller that goes away does not leave half a session behind: what was begun is finished without it.
        let (core, owner) = (Arc::clone(&self.core), user_of(who));
        let row = tokio::spawn(async move { opening::open(&core, place, owner, request.reuse).await })
            .await
            .map_err(|_| Error::Internal("making a session panicked".to_owned()))??;
        self.touch(&row.id.0);
        let target = format!("session/{}", row.id);
        self.core.auth.note(who, "session.create", &target, Value::Null).await;
        Ok(self.view(&row, links))
    }

    /// Closes a session that does not record. One that is closed is not there to be closed again (REC-019).
    pub async fn close(&self, who: &Identity, session_id: &str) -> Result<()> {
        let row = self.find(who, Action::ControlSession, session_id).await?;
        if row.state == SessionState::Closed {
            return Err(Error::SessionNotFound);
        }
        if self.core.is_recording(&row.id) || matches!(row.state, SessionState::Starting | SessionState::Stopping) {
            return Err(Error::RecordingActive);
        }
        close(&self.core, &row.id, None).await;
        let target = format!("session/{}", row.id);
        self.core.auth.note(who, "session.close", &target, Value::Null).await;
        Ok(())
    }

    /// Open sessions that `who` may see.
    pub async fn list(&self, who: &Identity, links: &Links) -> Result<Vec<SessionView>> {
        let mut rows = self.core.sessions.all();
        rows.retain(|r| decide(who, Action::ViewSession, &target(r)).is_ok());
        rows.sort_by_key(|r| r.created_at);
        Ok(rows.iter().map(|r| self.view(r, links)).collect())
    }

    /// One session, open or closed; the short id is understood too.
    pub async fn get(&self, who: &Identity, session_id: &str, links: &Links) -> Result<SessionView> {
        let row = self.find(who, Action::ViewSession, session_id).await?;
        Ok(self.view(&row, links))
    }

    /// A session that `who` may do that to.
    pub(crate) async fn find(&self, who: &Identity, action: Action, session_id: &str) -> Result<CaptureSession> {
        let row = self.core.find_session(session_id).await?.ok_or(Error::SessionNotFound)?;
        decide(who, action, &target(&row))?;
        self.touch(&row.id.0);
        Ok(row)
    }

    /// A ticket for views of this session.
    pub async fn ticket(&self, who: &Identity, session_id: &str) -> Result<Ticket> {
        let row = self.find(who, Action::ViewSession, session_id).await?;
        self.core.auth.issue_ticket(who, TicketScope::Session(row.id))
    }

    /// Somebody used it: it is not idle.
    pub fn touch(&self, session_id: &str) {
        self.core.sessions.touch(&SessionId(session_id.to_owned()), self.core.clock.as_ref());
    }

    fn view(&self, row: &CaptureSession, links: &Links) -> SessionView {
        let core = &self.core;
        let recording = core.recorder.get(&row.id).filter(|r| !r.is_over()).map(|r| r.status());
        let open = core.sessions.with(&row.id, |o| (o.is_verified(), o.row.last_activity_at, o.port, o.used));
        let port = open.and_then(|o| o.2);
        let whole = |d: Duration| d.as_secs().cast_signed();
        let camera_name = |id| core.cameras.read().get(&id).map(|c| c.fields.name.clone());
        // What keeps it open has no end that could be foretold.
        let kept = recording.is_some() || core.is_watched(row);
        let left = open
            .filter(|_| !kept)
            .map(|o| core.config.session_timeout.saturating_sub(core.clock.now().saturating_duration_since(o.3)));
        SessionView {
            session_id: row.id.0.clone(),
            local_url: match port {
                // A listener of the session's own speaks plain HTTP, as the older systems did.
                Some(port) => format!("http://127.0.0.1:{port}/stream.mjpg"),
                None => format!("{}/proxy/{}/stream.mjpg", links.local(), row.id),
            },
            proxy_port: port.unwrap_or(links.local_port),
            verified: open.is_some_and(|o| o.0),
            club_id: row.club_id,
            terrain_id: row.terrain_id,
            terrain_name: row.terrain_id.and_then(|t| core.court(t)).map(|c| c.name),
            camera_id: row.camera_id.map(|c| c.0),
            camera_name: row.camera_id.and_then(camera_name),
            user_id: row.user_id.map(|u| u.0),
            username: row.user_id.and_then(|u| core.auth.name_of(u)),
            state: row.state.as_str(),
            created_at: row.created_at.rfc3339(),
            last_activity_at: open.map_or(row.last_activity_at, |o| o.1).rfc3339(),
            expires_at: left.map(|d| after(core.clock.wall(), d).rfc3339()),
            recording_active: recording.is_some(),
            elapsed_seconds: recording.as_ref().map_or(0, |r| whole(r.elapsed)),
            duration_seconds: recording.as_ref().map(|r| whole(r.planned)),
            remaining_seconds: recording.as_ref().map(|r| whole(r.planned.saturating_sub(r.elapsed))),
            preview: preview(&row.id, links),
            rtsp_url: links.rtsp(&format!("session/{}", row.id)),
        }
    }
}

fn after(at: UnixMillis, d: Duration) -> UnixMillis {
    UnixMillis(at.0.saturating_add(i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
}

fn preview(id: &SessionId, links: &Links) -> PreviewLinks {
    let base = links.http();
    PreviewLinks {
        stream: format!("{base}/api/preview/{id}/stream.mjpeg"),
        snapshot: format!("{base}/api/preview/{id}/snapshot.jpg"),
        ws: format!("{}/api/preview/{id}/ws", base.replacen("http", "ws", 1)),
    }
}

impl Core {
    /// A session by its id or its short form `sess_<terrain>_<seconds>` where that is clear (contract §0.5.2).
    pub(crate) async fn find_session(&self, id: &str) -> Result<Option<CaptureSession>> {
        let exact = SessionId(id.to_owned());
        if let Some(row) = self.sessions.get(&exact) {
            return Ok(Some(row));
        }
        if let Some(row) = self.store.session(&exact).await? {
            return Ok(Some(row));
        }
        let digits = |s: &str| !s.is_empty() && s.len() <= 20 && s.bytes().all(|b| b.is_ascii_digit());
        match id.strip_prefix("sess_").and_then(|rest| rest.split_once('_')) {
            Some((terrain, seconds)) if digits(terrain) && digits(seconds) => {
                let found = self.store.sessions_ending_with(&format!("_{terrain}_{seconds}")).await?;
                let [one] = found.as_slice() else { return Ok(None) };
                Ok(Some(self.sessions.get(&one.id).unwrap_or_else(|| one.clone())))
            }
            _ => Ok(None),
        }
    }

    /// Whether somebody watches the session's camera.
    fn is_watched(&self, row: &CaptureSession) -> bool {
        let stream = row.camera_id.and_then(|c| self.hub.get(StreamKey::main(c)));
        stream.is_some_and(|s| s.demand().borrow().viewers > 0)
    }

    /// Tells that a session changed, and with it its court.
    pub(crate) fn tell_session(&self, row: &CaptureSession) {
        self.bus.tell(Notice::Session(row.id.clone()));
        if let Some(terrain) = row.terrain_id {
            self.bus.tell(Notice::Terrain(terrain));
        }
    }

    pub(crate) fn is_recording(&self, id: &SessionId) -> bool {
        self.recorder.get(id).is_some_and(|r| !r.is_over())
    }

    /// Moves an open session to another state.
    pub(crate) async fn set_session_state(&self, id: &SessionId, state: SessionState, error: Option<String>) {
        let wall = self.clock.wall();
        let row = self.sessions.with(id, |o| {
            o.row.state = state;
            o.row.error = error;
            o.row.last_activity_at = wall;
            o.used = self.clock.now();
            o.row.clone()
        });
        let Some(row) = row else { return };
        if let Err(e) = self.store.update_session(&row).await {
            warn!(session = %id, error = %e, "the session's state could not be stored");
        }
        self.tell_session(&row);
    }
}

/// Closes an open session: the claim on the stream ends.
pub(crate) async fn close(core: &Core, id: &SessionId, error: Option<String>) {
    let Some(mut open) = core.sessions.remove(id) else { return };
    core.ports.release(id);
    let failed = error.is_some();
    open.row.state = SessionState::Closed;
    open.row.closed_at = Some(core.clock.wall());
    open.row.error = error;
    if let Err(e) = core.store.update_session(&open.row).await {
        warn!(session = %id, error = %e, "the closed session could not be stored");
    }
    core.tell_session(&open.row);
    if !failed {
        let about = About { camera: open.row.camera_id, session: Some(id.clone()), recording: None };
        core.event("session_closed", about, format!("session {id} was closed"), json!(null)).await;
    }
}

/// Finishes what runs on a camera that is about to go.
pub(crate) async fn end_of_camera(core: &Core, camera: CameraId) {
    while let Some(row) = core.sessions.of_camera(camera) {
        if let Some(recording) = core.recorder.get(&row.id) {
            // The outcome is in its row.
            let _ = recording.stop().await;
        }
        close(core, &row.id, None).await;
    }
}

/// Sessions that a crash left open: their recordings were repaired before, they themselves are over.
pub(crate) async fn close_left_over(core: &Core) -> Result<()> {
    for mut row in core.store.open_sessions().await? {
        row.state = SessionState::Closed;
        row.closed_at = Some(core.clock.wall());
        row.error.get_or_insert_with(|| "Vigie was restarted".to_owned());
        core.store.update_session(&row).await?;
    }
    Ok(())
}

/// Ids of sessions without recording, viewers or calls for too long, as far as `who` may clean up.
pub(crate) fn idle(core: &Core, who: &Identity) -> Vec<SessionId> {
    let now = core.clock.now();
    let mut idle = Vec::new();
    for row in core.sessions.all() {
        let resting = matches!(row.state, SessionState::Created | SessionState::Complete | SessionState::Failed);
        if core.is_watched(&row) || core.is_recording(&row.id) {
            core.sessions.touch(&row.id, core.clock.as_ref());
        } else if resting && decide(who, Action::CleanUp, &target(&row)).is_ok() {
            // By the clock that does not jump: setting the machine's time throws nobody out.
            let used = core.sessions.with(&row.id, |o| o.used);
            if used.is_some_and(|u| now.saturating_duration_since(u) >= core.config.session_timeout) {
                idle.push(row.id);
            }
        }
    }
    idle
}
