//! What happens: told at once to whoever listens, and stored for later.
//!
//! A notice says only that something changed; **whoever wants to know more asks for it with the rights of the person
//! it is for**, so the bus needs no rules. A watcher per stream turns the states of the hub into events, once per
//! transition, and keeps what has to outlive a restart: when media last flowed, the place in the back-off table, the
//! tracks.

use std::sync::{Arc, Weak};
use std::time::Instant;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tracing::warn;
use vigie_base::{CameraId, RecordingId, SessionId, StreamName};
use vigie_hub::{Status, Stream};
use vigie_store::{CameraHealth, EventFilter, NewEvent, RememberedStream, StoredEvent};

use crate::cameras::whole_ms;
use crate::core::Core;
use crate::error::Result;
use crate::policy::{Action, Identity, Target, decide};

/// Notices that a slow listener may be behind before it loses some (and is told so).
const CAPACITY: usize = 1024;

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
    /// A court was added or changed, or what happens on it did.
    Terrain(i64),
    /// A court is gone.
    TerrainRemoved(i64),
    /// A moment was marked in a session, or a mark changed.
    Marker {
        /// The session.
        session: SessionId,
        /// The mark.
        marker: i64,
    },
    /// A mark was taken back.
    MarkerRemoved {
        /// The session.
        session: SessionId,
        /// The mark.
        marker: i64,
    },
    /// An event was stored; by its number.
    Event(i64),
}

/// Carries notices. Never waits for a listener.
#[derive(Debug)]
pub(crate) struct Bus(broadcast::Sender<Notice>);

impl Bus {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }

    pub(crate) fn tell(&self, notice: Notice) {
        // An error means that nobody listens.
        let _ = self.0.send(notice);
    }
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

impl From<StoredEvent> for EventView {
    fn from(e: StoredEvent) -> Self {
        Self {
            id: e.id,
            at: e.at.rfc3339(),
            kind: e.kind,
            camera_id: e.camera_id.map(|c| c.0),
            session_id: e.session_id.map(|s| s.0),
            recording_id: e.recording_id.map(|r| r.0),
            message: e.message,
            data: e.data,
        }
    }
}

/// Events. See the module.
#[derive(Debug, Clone)]
pub struct Events {
    core: Arc<Core>,
}

impl Events {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Notices from now on. A subscriber that is more than 1024 behind is told `Lagged` and should ask for everything.
    pub fn subscribe(&self) -> broadcast::Receiver<Notice> {
        self.core.bus.0.subscribe()
    }

    /// Stored events of a camera, newest first.
    pub async fn of_camera(
        &self,
        who: &Identity,
        id_or_slug: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<EventView>> {
        let camera = self.core.camera_for(who, Action::ViewCamera, id_or_slug)?;
        let filter = EventFilter { camera_id: Some(camera.id), session_id: None, before, limit };
        Ok(self.core.store.events(&filter).await?.into_iter().map(EventView::from).collect())
    }

    /// Stored events of everything, newest first.
    pub async fn list(&self, who: &Identity, before: Option<i64>, limit: u32) -> Result<Vec<EventView>> {
        decide(who, Action::ReadAudit, &Target::Any)?;
        let filter = EventFilter { before, limit, ..EventFilter::default() };
        Ok(self.core.store.events(&filter).await?.into_iter().map(EventView::from).collect())
    }

    /// The configuration file was read again and could not be used: everything stayed as it was (decision 42).
    pub async fn configuration_rejected(&self, why: String) {
        self.core.event("configuration_rejected", About::default(), why, Value::Null).await;
    }
}

/// What an event is about.
#[derive(Debug, Default)]
pub(crate) struct About {
    pub(crate) camera: Option<CameraId>,
    pub(crate) session: Option<SessionId>,
    pub(crate) recording: Option<RecordingId>,
}

impl Core {
    /// Stores an event and tells the bus. One that cannot be stored is logged, and changes nothing else.
    pub(crate) async fn event(&self, kind: &str, about: About, message: String, data: Value) {
        let new = NewEvent {
            at: self.clock.wall(),
            kind: kind.to_owned(),
            camera_id: about.camera,
            session_id: about.session,
            recording_id: about.recording,
            message,
            data,
        };
        match self.store.insert_event(&new).await {
            Ok(stored) => self.bus.tell(Notice::Event(stored.id)),
            Err(e) => warn!(kind, error = %e, "an event could not be stored"),
        }
    }

    /// Changes what was observed about a camera, here and in the store.
    pub(crate) async fn set_health(&self, id: CameraId, change: impl FnOnce(&mut CameraHealth)) {
        let health = {
            let mut cameras = self.cameras.write();
            let Some(camera) = cameras.get_mut(&id) else { return };
            change(&mut camera.health);
            camera.health.clone()
        };
        if let Err(e) = self.store.set_camera_health(id, &health).await {
            warn!(camera = %id, error = %e, "the camera's state could not be stored");
        }
    }

    /// How long the camera took from connecting to its first picture, last time.
    pub(crate) fn connect_ms(&self, id: CameraId) -> Option<u64> {
        self.connect_ms.lock().get(&id).copied()
    }
}

/// The level of a response time (contract §10.9).
pub(crate) fn level(response_ms: u64) -> &'static str {
    match response_ms {
        0..500 => "excellent",
        500..1500 => "good",
        1500..=3000 => "fair",
        _ => "poor",
    }
}

/// Watches a stream until it is gone. Watching one that is watched already does nothing.
pub(crate) fn watch(core: &Arc<Core>, stream: &Arc<Stream>) {
    let weak = Arc::downgrade(stream);
    {
        let mut watched = core.watched.lock();
        watched.retain(|_, w| w.strong_count() > 0);
        if watched.get(&stream.key()).is_some_and(|w| Weak::ptr_eq(w, &weak)) {
            return;
        }
        watched.insert(stream.key(), weak.clone());
    }
    let core = Arc::clone(core);
    let mut status = stream.status();
    tokio::spawn(async move {
        let mut watcher = Watcher { core: Arc::clone(&core), online: None, connecting: None };
        loop {
            let now = status.borrow_and_update().clone();
            let Some(stream) = weak.upgrade() else { return };
            watcher.see(&stream, now).await;
            drop(stream);
            tokio::select! {
                changed = status.changed() => if changed.is_err() { return },
                () = core.stopping.cancelled() => return,
            }
        }
    });
}

struct Watcher {
    core: Arc<Core>,
    /// `None` until something was learned since start.
    online: Option<bool>,
    connecting: Option<Instant>,
}

impl Watcher {
    async fn see(&mut self, stream: &Stream, status: Status) {
        let key = stream.key();
        let id = key.camera;
        let main = key.stream == StreamName::Main;
        match &status {
            Status::Connecting => {
                self.connecting.get_or_insert_with(Instant::now);
            }
            Status::Live => {
                let took = self.connecting.take().map(|t| whole_ms(t.elapsed()));
                self.remember(stream).await;
                if main {
                    self.live(id, took).await;
                }
            }
            Status::Silent | Status::Waiting { .. } | Status::Suspended => {
                self.connecting = None;
                if main {
                    self.lost(stream, &status).await;
                }
            }
            Status::Idle | Status::Disabled => self.connecting = None,
        }
        self.core.bus.tell(Notice::Camera(id));
        if main {
            // Whether a court can be recorded depends on its camera.
            for court in self.core.courts_of_camera(id) {
                self.core.bus.tell(Notice::Terrain(court));
            }
        }
    }

    async fn live(&mut self, id: CameraId, took: Option<u64>) {
        let now = self.core.clock.wall();
        if let Some(ms) = took {
            self.core.connect_ms.lock().insert(id, ms);
        }
        self.core
            .set_health(id, |h| {
                if let Some(ms) = took.or_else(|| (h.level.is_empty() || h.level == "offline").then_some(0)) {
                    h.level = level(ms).to_owned();
                }
                h.checked_at = Some(now);
                h.last_seen_at = Some(now);
                h.failures = 0;
                h.next_attempt_at = None;
                h.suspended = false;
                h.last_error = None;
            })
            .await;
        if self.online != Some(true) {
            self.online = Some(true);
            let about = About { camera: Some(id), ..About::default() };
            let data = json!({ "response_time_ms": took });
            self.core.event("camera_online", about, format!("{} is online", self.name(id)), data).await;
        }
    }

    async fn lost(&mut self, stream: &Stream, status: &Status) {
        let id = stream.key().camera;
        let state = stream.state();
        let (now, wall) = (Instant::now(), self.core.clock.wall());
        let failure = state.failure;
        self.core
            .set_health(id, |h| {
                h.level = "offline".to_owned();
                h.checked_at = Some(wall);
                if self.online == Some(true) {
                    h.last_seen_at = Some(wall);
                }
                h.suspended = *status == Status::Suspended;
                h.next_attempt_at = None;
                if let Status::Waiting { attempt, at } = status {
                    h.failures = *attempt;
                    let ms = i64::try_from(at.saturating_duration_since(now).as_millis()).unwrap_or(i64::MAX);
                    h.next_attempt_at = Some(vigie_base::UnixMillis(wall.0.saturating_add(ms)));
                }
                if let Some(f) = &failure {
                    h.last_error = Some(f.message.clone());
                }
            })
            .await;
        let about = || About { camera: Some(id), ..About::default() };
        if self.online != Some(false) {
            self.online = Some(false);
            let why = failure.as_ref().map_or("it sends no pictures", |f| f.message.as_str());
            let data = json!({ "reason": failure.as_ref().map(|f| f.reason.as_str()), "state": status.as_str() });
            self.core.event("camera_offline", about(), format!("{} is offline: {why}", self.name(id)), data).await;
        }
        if *status == Status::Suspended {
            let message = format!("{} did not answer five times and is left alone", self.name(id));
            self.core.event("camera_suspended", about(), message, json!(null)).await;
        }
    }

    async fn remember(&self, stream: &Stream) {
        let Some(description) = stream.description() else { return };
        let key = stream.key();
        let remembered = RememberedStream {
            camera_id: key.camera,
            stream: key.stream,
            description: crate::remember::to_json(&description),
            seen_at: self.core.clock.wall(),
        };
        if let Err(e) = self.core.store.remember_stream(&remembered).await {
            warn!(camera = %key.camera, error = %e, "the stream's tracks could not be stored");
        }
    }

    fn name(&self, id: CameraId) -> String {
        self.core.cameras.read().get(&id).map_or_else(|| "the camera".to_owned(), |c| c.fields.name.clone())
    }
}
