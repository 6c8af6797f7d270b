//! Open sessions, in memory, each with its claim on the stream.
//!
//! **There is one session per court, and one per camera where there is no court**: the place is taken and looked at
//! under one lock, so that of two who come at once one gets it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::watch;
use vigie_base::{CameraId, Clock, SessionId, UnixMillis, UserId};
use vigie_hub::Hold;
use vigie_record::Recording;
use vigie_store::{CaptureSession, SessionState};

use super::opening::Place;
use crate::error::{Error, Result};

/// One open session.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) row: CaptureSession,
    /// What runs in it, until its end was said.
    recording: Option<Arc<Recording>>,
    /// Its own listener, where sessions have one.
    pub(super) port: Option<u16>,
    /// When it was last used, by the clock that does not jump.
    pub(super) used: Instant,
    /// When it was made, by the clock that the camera's pictures are stamped with.
    made: Instant,
    /// Whether a frame really came; dropped when the session goes.
    pub(super) verified: watch::Sender<bool>,
    /// Keeps the camera pulled.
    _hold: Hold,
}

impl Open {
    /// A session that waits for its first frame.
    pub(super) fn new(row: CaptureSession, hold: Hold, now: Instant) -> Self {
        Self {
            row,
            recording: None,
            port: None,
            used: now,
            made: Instant::now(),
            verified: watch::Sender::new(false),
            _hold: hold,
        }
    }

    pub(super) fn is_verified(&self) -> bool {
        *self.verified.borrow()
    }
}

/// Who has the place that somebody wants.
pub(super) enum Taken {
    /// The same person: the session, and whether it is verified, now and from now on.
    Own(SessionId, watch::Receiver<bool>),
    /// Somebody else, or the same person who does not want it back.
    Other(SessionId),
}

/// Open sessions.
#[derive(Debug, Default)]
pub(crate) struct Table(Mutex<BTreeMap<SessionId, Open>>);

impl Table {
    pub(crate) fn get(&self, id: &SessionId) -> Option<CaptureSession> {
        self.with(id, |o| o.row.clone())
    }

    pub(crate) fn all(&self) -> Vec<CaptureSession> {
        self.0.lock().values().map(|o| o.row.clone()).collect()
    }

    pub(super) fn of_camera(&self, camera: CameraId) -> Option<CaptureSession> {
        self.0.lock().values().find(|o| o.row.camera_id == Some(camera)).map(|o| o.row.clone())
    }

    /// Something of an open session, read or changed under the lock.
    pub(crate) fn with<T>(&self, id: &SessionId, f: impl FnOnce(&mut Open) -> T) -> Option<T> {
        self.0.lock().get_mut(id).map(f)
    }

    /// Takes the place for a new session, unless somebody has it.
    pub(super) fn take_place(&self, place: &Place, owner: Option<UserId>, new: Open) -> Result<(), Taken> {
        let mut open = self.0.lock();
        let here = |o: &&Open| match place.terrain_id {
            Some(t) => o.row.terrain_id == Some(t),
            None => o.row.terrain_id.is_none() && o.row.camera_id == Some(place.camera),
        };
        if let Some(o) = open.values().find(here) {
            let own = o.row.user_id == owner;
            let taken =
                if own { Taken::Own(o.row.id.clone(), o.verified.subscribe()) } else { Taken::Other(o.row.id.clone()) };
            return Err(taken);
        }
        open.insert(new.row.id.clone(), new);
        Ok(())
    }

    /// Since when it has been open: what the camera showed before is not its affair.
    pub(crate) fn opened(&self, id: &SessionId) -> Option<Instant> {
        self.with(id, |o| o.made)
    }

    pub(super) fn remove(&self, id: &SessionId) -> Option<Open> {
        self.0.lock().remove(id)
    }

    /// Takes a session for a new recording; `None` when one is starting, running or being finished. Otherwise the
    /// state to go back to when nothing comes of it.
    pub(crate) fn begin(&self, id: &SessionId) -> Result<Option<SessionState>> {
        let begun = self.with(id, |o| match o.row.state {
            // Nobody was told of it yet: it may still come to nothing.
            SessionState::Creating => Err(Error::SessionNotFound),
            SessionState::Starting | SessionState::Recording | SessionState::Stopping => Ok(None),
            _ => Ok(Some(std::mem::replace(&mut o.row.state, SessionState::Starting))),
        });
        begun.unwrap_or(Err(Error::SessionClosed))
    }

    /// Notes what runs in a session.
    pub(crate) fn recorded_by(&self, id: &SessionId, recording: &Arc<Recording>) {
        self.with(id, |o| o.recording = Some(Arc::clone(recording)));
    }

    /// Whether the end of this recording is still to be said; true once. The state moves in the same moment, so that
    /// whoever comes second finds it moved.
    pub(crate) fn take_end(&self, id: &SessionId, recording: &Recording, state: SessionState) -> bool {
        let taken = self.with(id, |o| {
            let taken = o.recording.take_if(|r| std::ptr::eq(&**r, recording)).is_some();
            if taken {
                o.row.state = state;
            }
            taken
        });
        taken.unwrap_or(false)
    }

    /// Somebody used it.
    pub(crate) fn touch(&self, id: &SessionId, clock: &dyn Clock) {
        let (now, wall): (Instant, UnixMillis) = (clock.now(), clock.wall());
        self.with(id, |o| {
            o.used = now;
            o.row.last_activity_at = wall;
        });
    }
}
