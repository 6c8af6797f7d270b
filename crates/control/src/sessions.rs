//! Capture sessions: a person's reservation of a camera's stream (contract §20.3, §20.8).
//!
//! **A session is verified only by a frame that really came**, and one that cannot be is not left behind. An open
//! session is demand: its camera is never suspended. Open sessions live in memory with their claim on the stream; the
//! store has them too, so that a restart can say what became of them.

mod view;
mod wait;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use serde_json::json;
use tracing::{info, warn};
use vigie_base::{CameraId, SessionId, StreamKey, UnixMillis, UserId};
use vigie_hub::{Failure, Hold, Reason, Status};
use vigie_record::Recording;
use vigie_store::{CaptureSession, Role, SessionState, StoreError};

use crate::auth::{Ticket, TicketScope};
use crate::cameras::whole_ms;
use crate::core::Core;
use crate::error::{Error, Result};
use crate::events::{About, Notice};
use crate::links::Links;
use crate::policy::{Action, Identity, Target, decide};

pub use view::{PreviewInfo, PreviewLinks, SessionRequest, SessionView};

/// One open session.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) row: CaptureSession,
    verified: bool,
    /// What runs in it, until its end was said.
    recording: Option<Arc<Recording>>,
    /// Its own listener, where sessions have one.
    port: Option<u16>,
    /// Keeps the camera pulled.
    _hold: Hold,
}

/// Open sessions.
#[derive(Debug, Default)]
pub(crate) struct Table(Mutex<BTreeMap<SessionId, Open>>);

impl Table {
    pub(crate) fn get(&self, id: &SessionId) -> Option<CaptureSession> {
        self.0.lock().get(id).map(|o| o.row.clone())
    }

    pub(crate) fn all(&self) -> Vec<CaptureSession> {
        self.0.lock().values().map(|o| o.row.clone()).collect()
    }

    fn of_camera(&self, camera: CameraId) -> Option<CaptureSession> {
        self.0.lock().values().find(|o| o.row.camera_id == Some(camera)).map(|o| o.row.clone())
    }

    /// Takes a session for a new recording; `None` when one is starting, running or being finished. Otherwise the
    /// state to go back to when nothing comes of it.
    pub(crate) fn begin(&self, id: &SessionId) -> Result<Option<SessionState>> {
        let mut open = self.0.lock();
        let row = &mut open.get_mut(id).ok_or(Error::SessionClosed)?.row;
        if matches!(row.state, SessionState::Starting | SessionState::Recording | SessionState::Stopping) {
            return Ok(None);
        }
        Ok(Some(std::mem::replace(&mut row.state, SessionState::Starting)))
    }

    /// Notes what runs in a session.
    pub(crate) fn recorded_by(&self, id: &SessionId, recording: &Arc<Recording>) {
        if let Some(o) = self.0.lock().get_mut(id) {
            o.recording = Some(Arc::clone(recording));
        }
    }

    /// Whether the end of this recording is still to be said; true once. The state moves in the same moment, so that
    /// whoever comes second finds it moved.
    pub(crate) fn take_end(&self, id: &SessionId, recording: &Recording, state: SessionState) -> bool {
        let mut open = self.0.lock();
        let Some(o) = open.get_mut(id) else { return false };
        let taken = o.recording.take_if(|r| std::ptr::eq(&**r, recording)).is_some();
        if taken {
            o.row.state = state;
        }
        taken
    }

    pub(crate) fn touch(&self, id: &SessionId, now: UnixMillis) {
        if let Some(o) = self.0.lock().get_mut(id) {
            o.row.last_activity_at = o.row.last_activity_at.max(now);
        }
    }
}

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
        let Some(camera_id) = request.camera_id else {
            if request.terrain_id.is_none() {
                return Err(Error::missing("terrain_id"));
            }
            // Courts come with the clubs; until then there is none.
            decide(who, Action::CreateSession, &Target::Any)?;
            return Err(Error::TerrainNotFound);
        };
        decide(who, Action::CreateSession, &Target::Court { club_id: None, terrain_id: None })?;
        if request.terrain_id.is_some() {
            return Err(Error::field("camera_id", "not_allowed", "give a court or a camera, not both"));
        }
        let camera = CameraId(camera_id);
        let fields = match self.core.cameras.read().get(&camera) {
            Some(c) => c.fields.clone(),
            None => return Err(Error::CameraNotFound),
        };
        if !fields.enabled {
            let message = "the camera is switched off".to_owned();
            return Err(Error::CameraUnreachable { reason: Reason::Config, message });
        }
        // A caller that goes away does not leave half a session behind: what was begun is finished without it.
        let (core, owner) = (Arc::clone(&self.core), user_of(who));
        let row = tokio::spawn(async move { open(&core, camera, owner, request.reuse).await })
            .await
            .map_err(|_| Error::Internal("making a session panicked".to_owned()))??;
        self.touch(&row.id.0);
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
        self.core.auth.audit(user_of(who), &who.username, "session.close", &target, None).await;
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

    /// Facts for a preview.
    pub async fn preview_info(&self, who: &Identity, session_id: &str, links: &Links) -> Result<PreviewInfo> {
        let row = self.find(who, Action::ViewSession, session_id).await?;
        let state = row.camera_id.and_then(|c| self.core.hub.get(StreamKey::main(c))).map(|s| s.state());
        let video = state.as_ref().and_then(|s| s.description.as_ref()?.video()?.video().cloned());
        let urls = preview(&row.id, links);
        Ok(PreviewInfo {
            session_id: row.id.0.clone(),
            active: row.state != SessionState::Closed,
            viewers: state.as_ref().map_or(0, |s| s.viewers),
            width: video.as_ref().map(|v| v.width),
            height: video.as_ref().map(|v| v.height),
            fps: state.as_ref().map_or(0.0, |s| (s.fps * 10.0).round() / 10.0),
            last_frame_age_ms: state.as_ref().and_then(|s| s.last_unit_age).map(whole_ms),
            source_connected: state.as_ref().is_some_and(|s| s.status == Status::Live),
            recording_active: self.core.is_recording(&row.id),
            stream_url: urls.stream,
            snapshot_url: urls.snapshot,
        })
    }

    /// A ticket for views of this session.
    pub async fn ticket(&self, who: &Identity, session_id: &str) -> Result<Ticket> {
        let row = self.find(who, Action::ViewSession, session_id).await?;
        self.core.auth.issue_ticket(who, TicketScope::Session(row.id))
    }

    /// Somebody used it: it is not idle.
    pub fn touch(&self, session_id: &str) {
        self.core.sessions.touch(&SessionId(session_id.to_owned()), self.core.clock.wall());
    }

    fn view(&self, row: &CaptureSession, links: &Links) -> SessionView {
        let recording = self.core.recorder.get(&row.id).filter(|r| !r.is_over());
        let open = self.core.sessions.0.lock().get(&row.id).map(|o| (o.verified, o.row.last_activity_at, o.port));
        let port = open.and_then(|o| o.2);
        SessionView {
            session_id: row.id.0.clone(),
            local_url: match port {
                // A listener of the session's own speaks plain HTTP, as the older systems did.
                Some(port) => format!("http://127.0.0.1:{port}/stream.mjpg"),
                None => format!("{}/proxy/{}/stream.mjpg", links.local(), row.id),
            },
            proxy_port: port.unwrap_or(links.http_port),
            verified: open.is_some_and(|o| o.0),
            club_id: row.club_id,
            terrain_id: row.terrain_id,
            camera_id: row.camera_id.map(|c| c.0),
            user_id: row.user_id.map(|u| u.0),
            state: row.state.as_str(),
            created_at: row.created_at.rfc3339(),
            last_activity_at: open.map_or(row.last_activity_at, |o| o.1).rfc3339(),
            recording_active: recording.is_some(),
            elapsed_seconds: recording.map_or(0, |r| r.status().elapsed.as_secs().cast_signed()),
            preview: preview(&row.id, links),
            rtsp_url: links.rtsp(&format!("session/{}", row.id)),
        }
    }
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

    pub(crate) fn is_recording(&self, id: &SessionId) -> bool {
        self.recorder.get(id).is_some_and(|r| !r.is_over())
    }

    /// Moves an open session to another state.
    pub(crate) async fn set_session_state(&self, id: &SessionId, state: SessionState, error: Option<String>) {
        let row = {
            let mut open = self.sessions.0.lock();
            let Some(o) = open.get_mut(id) else { return };
            o.row.state = state;
            o.row.error = error;
            o.row.last_activity_at = o.row.last_activity_at.max(self.clock.wall());
            o.row.clone()
        };
        if let Err(e) = self.store.update_session(&row).await {
            warn!(session = %id, error = %e, "the session's state could not be stored");
        }
        self.bus.tell(Notice::Session(id.clone()));
    }
}

/// Reserves the camera, waits for a frame, and opens the session; or leaves nothing behind.
async fn open(core: &Arc<Core>, camera: CameraId, owner: Option<UserId>, reuse: bool) -> Result<CaptureSession> {
    let stream = core.hub.ensure(StreamKey::main(camera));
    // Before our claim, which may bring an attempt that fails faster than the row is written.
    let mut status = stream.status();
    let before = status.borrow_and_update().clone();
    let claimed = Instant::now();
    let now = core.clock.wall();
    let mut seconds = now.seconds();
    // 1. A place in the table: from here on the camera is taken.
    let row = loop {
        let row = CaptureSession {
            id: SessionId(format!("sess_0_{camera}_{seconds}")),
            camera_id: Some(camera),
            club_id: 0,
            terrain_id: None,
            user_id: owner,
            state: SessionState::Creating,
            created_at: now,
            last_activity_at: now,
            closed_at: None,
            error: None,
        };
        {
            let mut table = core.sessions.0.lock();
            if let Some(o) = table.values().find(|o| o.row.camera_id == Some(camera)) {
                let mine = owner.is_some() && o.row.user_id == owner && o.verified;
                return if reuse && mine { Ok(o.row.clone()) } else { Err(Error::SessionExists(o.row.id.clone())) };
            }
            table.insert(
                row.id.clone(),
                Open { row: row.clone(), verified: false, recording: None, port: None, _hold: stream.hold() },
            );
        }
        // 2. The row. A second that was used before is skipped (decision 28).
        match core.store.insert_session(&row).await {
            Ok(()) => break row,
            Err(e) => {
                core.sessions.0.lock().remove(&row.id);
                match e {
                    StoreError::Conflict("session id") => seconds += 1,
                    e => return Err(e.into()),
                }
            }
        }
    };
    // 3. A frame.
    let waited = wait::first_frame(core, &stream, status, before, claimed).await;
    if let Err(Failure { reason, message }) = waited {
        info!(session = %row.id, reason = reason.as_str(), "no session: the camera does not deliver");
        close(core, &row.id, Some(message.clone())).await;
        return Err(Error::CameraUnreachable { reason, message });
    }
    // 4. A port of its own, where sessions have one.
    let port = match core.ports.allocate(&row.id) {
        Ok(port) => port,
        Err(e) => {
            close(core, &row.id, Some(e.to_string())).await;
            return Err(e.into());
        }
    };
    // 5. Open.
    if let Some(o) = core.sessions.0.lock().get_mut(&row.id) {
        o.verified = true;
        o.port = port;
    }
    core.set_session_state(&row.id, SessionState::Created, None).await;
    let about = About { camera: Some(camera), session: Some(row.id.clone()), recording: None };
    core.event("session_created", about, format!("session {} was opened", row.id), json!(null)).await;
    // The camera may have been removed while we waited; its sessions went with it.
    let open = core.sessions.get(&row.id);
    if open.is_none() {
        core.ports.release(&row.id);
    }
    open.ok_or(Error::CameraNotFound)
}

/// Closes an open session: the claim on the stream ends.
pub(crate) async fn close(core: &Core, id: &SessionId, error: Option<String>) {
    let Some(mut open) = core.sessions.0.lock().remove(id) else { return };
    core.ports.release(id);
    let failed = error.is_some();
    open.row.state = SessionState::Closed;
    open.row.closed_at = Some(core.clock.wall());
    open.row.error = error;
    if let Err(e) = core.store.update_session(&open.row).await {
        warn!(session = %id, error = %e, "the closed session could not be stored");
    }
    core.bus.tell(Notice::Session(id.clone()));
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
    let now = core.clock.wall();
    let limit = i64::try_from(core.config.session_timeout.as_millis()).unwrap_or(i64::MAX);
    let mut idle = Vec::new();
    for row in core.sessions.all() {
        let mine = who.role == Role::SuperAdmin || who.club_id == Some(row.club_id);
        let watched = row
            .camera_id
            .and_then(|c| core.hub.get(StreamKey::main(c)))
            .is_some_and(|s| s.demand().borrow().viewers > 0);
        if watched || core.is_recording(&row.id) {
            core.sessions.touch(&row.id, now);
        } else if mine && now.since_ms(row.last_activity_at) >= limit {
            idle.push(row.id);
        }
    }
    idle
}
