//! Making a session (contract §20.3): 1. the place is taken, 2. the row written, 3. a frame waited for, 4. a port
//! opened where sessions have one, 5. the session opened. **What fails on the way leaves nothing behind.**

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tracing::info;
use vigie_base::{CameraId, SessionId, StreamKey, UserId};
use vigie_hub::{Failure, Reason};
use vigie_store::{CaptureSession, SessionState, StoreError};

use super::table::{Open, Taken};
use super::{Sessions, close, wait};
use crate::core::Core;
use crate::error::{Error, Result};
use crate::events::About;
use crate::policy::{Action, Identity, Target, decide};

/// Where a session is wanted, and may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) camera: CameraId,
    /// 0 without a court.
    pub(crate) club_id: i64,
    pub(crate) terrain_id: Option<i64>,
}

impl Sessions {
    /// A court, if `who` may make a session there and it can be recorded.
    pub(crate) fn place_on_court(&self, who: &Identity, terrain: i64) -> Result<Place> {
        self.recordable_court(who, Action::CreateSession, terrain)
    }

    /// A court that can be recorded, if `who` may do that there.
    pub(crate) fn recordable_court(&self, who: &Identity, action: Action, terrain: i64) -> Result<Place> {
        let court = self.core.court_for(who, action, terrain)?;
        if !court.enabled {
            return Err(Error::TerrainDisabled);
        }
        let camera = court.camera_id.ok_or(Error::NoCamera)?;
        self.check_camera(camera)?;
        Ok(Place { camera, club_id: court.club_id, terrain_id: Some(terrain) })
    }

    /// A camera without a court, if `who` may make a session there.
    pub(crate) fn place_at_camera(&self, who: &Identity, camera: CameraId) -> Result<Place> {
        decide(who, Action::CreateSession, &Target::Court { club_id: None, terrain_id: None })?;
        self.check_camera(camera)?;
        Ok(Place { camera, club_id: 0, terrain_id: None })
    }

    /// Whether there is such a camera, switched on.
    pub(crate) fn check_camera(&self, camera: CameraId) -> Result<()> {
        match self.core.cameras.read().get(&camera) {
            None => Err(Error::CameraNotFound),
            Some(c) if !c.fields.enabled => {
                let message = "the camera is switched off".to_owned();
                Err(Error::CameraUnreachable { reason: Reason::Config, message })
            }
            Some(_) => Ok(()),
        }
    }
}

/// See the module. With `reuse`, the owner's own session is given back, also one that is being made at this moment.
pub(super) async fn open(core: &Arc<Core>, place: Place, owner: Option<UserId>, reuse: bool) -> Result<CaptureSession> {
    loop {
        let stream = core.hub.ensure(StreamKey::main(place.camera));
        // Before our claim, which may bring an attempt that fails faster than the row is written.
        let mut status = stream.status();
        let before = status.borrow_and_update().clone();
        let claimed = Instant::now();
        let row = match reserve(core, place, owner, || claim(core, &stream)).await? {
            Ok(row) => row,
            Err(Taken::Own(id, mut verified)) if reuse => {
                // An error says that nothing came of it: the place is free again.
                let verified = verified.wait_for(|v| *v).await.is_ok();
                match core.sessions.get(&id).filter(|_| verified) {
                    Some(row) => return Ok(row),
                    None => continue,
                }
            }
            Err(Taken::Own(id, _) | Taken::Other(id)) => return Err(Error::SessionExists(id)),
        };
        if let Err(Failure { reason, message }) = wait::first_frame(core, &stream, status, before, claimed).await {
            info!(session = %row.id, reason = reason.as_str(), "no session: the camera does not deliver");
            close(core, &row.id, Some(message.clone())).await;
            return Err(Error::CameraUnreachable { reason, message });
        }
        return finish(core, place, &row).await;
    }
}

/// The claim of an open session. What the camera sent lately is kept for it, so that a moment can be had that nobody
/// recorded.
fn claim(core: &Core, stream: &Arc<vigie_hub::Stream>) -> vigie_hub::Hold {
    match core.config.replay {
        Duration::ZERO => stream.hold(),
        past => stream.hold_history(past),
    }
}

/// Steps 1 and 2: from here on the place is taken. A second that was used before is skipped (decision 28).
async fn reserve(
    core: &Arc<Core>,
    place: Place,
    owner: Option<UserId>,
    hold: impl Fn() -> vigie_hub::Hold,
) -> Result<Result<CaptureSession, Taken>> {
    let now = core.clock.wall();
    let mut seconds = now.seconds();
    loop {
        let on = place.terrain_id.unwrap_or(place.camera.0);
        let row = CaptureSession {
            id: SessionId(format!("sess_{}_{on}_{seconds}", place.club_id)),
            camera_id: Some(place.camera),
            club_id: place.club_id,
            terrain_id: place.terrain_id,
            user_id: owner,
            state: SessionState::Creating,
            created_at: now,
            last_activity_at: now,
            closed_at: None,
            error: None,
        };
        let new = Open::new(row.clone(), hold(), core.clock.now());
        if let Err(taken) = core.sessions.take_place(&place, owner, new) {
            return Ok(Err(taken));
        }
        match core.store.insert_session(&row).await {
            Ok(()) => {
                core.tell_session(&row);
                return Ok(Ok(row));
            }
            Err(e) => {
                core.sessions.remove(&row.id);
                match e {
                    StoreError::Conflict("session id") => seconds += 1,
                    e => return Err(e.into()),
                }
            }
        }
    }
}

/// Steps 4 and 5.
async fn finish(core: &Arc<Core>, place: Place, row: &CaptureSession) -> Result<CaptureSession> {
    // What was there when we began may have gone while we waited.
    let gone = match place.terrain_id.map(|t| core.court(t)) {
        Some(None) => Some(Error::TerrainNotFound),
        Some(Some(court)) if !court.enabled => Some(Error::TerrainDisabled),
        _ => None,
    };
    if let Some(e) = gone {
        close(core, &row.id, Some(e.to_string())).await;
        return Err(e);
    }
    let port = match core.ports.allocate(&row.id) {
        Ok(port) => port,
        Err(e) => {
            close(core, &row.id, Some(e.to_string())).await;
            return Err(e.into());
        }
    };
    let set = core.sessions.with(&row.id, |o| {
        o.port = port;
        o.verified.send_replace(true);
    });
    if set.is_none() {
        // Closed meanwhile, by a person or with its camera.
        core.ports.release(&row.id);
        return Err(gone_meanwhile(core, place));
    }
    core.set_session_state(&row.id, SessionState::Created, None).await;
    let about = About { camera: Some(place.camera), session: Some(row.id.clone()), recording: None };
    core.event("session_created", about, format!("session {} was opened", row.id), json!(null)).await;
    core.sessions.get(&row.id).ok_or_else(|| gone_meanwhile(core, place))
}

fn gone_meanwhile(core: &Core, place: Place) -> Error {
    if core.cameras.read().contains_key(&place.camera) { Error::SessionClosed } else { Error::CameraNotFound }
}
