//! Cameras: adding, reading, changing, testing and removing them.
//!
//! **No change disconnects what it does not concern**: the host is told of a camera only when something that it runs
//! by has changed, and leaves alone the streams that stay as they are. Secrets are in clear only inside a [`Draft`].

mod declared;
mod draft;
mod input;
mod rules;
mod slug;
mod view;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tracing::{info, warn};
use vigie_base::{CameraId, StreamKey, StreamName, UnixMillis};
use vigie_hub::Status;
use vigie_store::{Camera, CameraHealth, StoreError};

use crate::auth::{Ticket, TicketScope};
use crate::core::Core;
use crate::error::{Error, Result};
use crate::events::{self, Notice};
use crate::host::{CameraConnection, StreamConnection};
use crate::links::Links;
use crate::policy::{Action, Identity, Target, decide};
use crate::sessions;

use declared::differences;
pub use declared::{DeclaredCamera, Reconciled};
use draft::{Draft, Which};
use input::Mode;
pub use view::{CameraView, StreamView};
pub(crate) use view::{port_of, stream_names, whole_ms};

/// Connection tests at one time.
const TESTS: usize = 8;

/// Where to watch a camera.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StreamUrls {
    /// `main` or `sub`.
    pub stream: &'static str,
    /// RTSP, by slug.
    pub rtsp: Option<String>,
    /// MJPEG.
    pub mjpeg: String,
    /// Snapshot.
    pub snapshot: String,
    /// WebSocket for MSE.
    pub mse: String,
}

/// The result of a connection test: an item of `all_results` (contract §10.4).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TestView {
    /// Whether usable media came.
    pub success: bool,
    /// Way in.
    pub connection_type: String,
    /// Redacted.
    pub url: Option<String>,
    /// Until the first proof of usable media.
    pub response_time_ms: Option<u64>,
    /// `1920x1080`.
    pub resolution: Option<String>,
    /// Pictures per second.
    pub fps: Option<f64>,
    /// Video codec.
    pub codec: Option<String>,
    /// Audio codec.
    pub audio_codec: Option<String>,
    /// The first picture as `data:image/jpeg;base64,…`, at most 480 pixels wide and 200,023 bytes long; null after a
    /// failure, and when this server cannot decode it.
    pub picture: Option<String>,
    /// One sentence.
    pub error: Option<String>,
    /// `dns|tcp|auth|not_found|no_video|timeout|protocol|config`.
    pub error_code: Option<&'static str>,
}

/// Which cameras are asked for.
#[derive(Debug, Clone, Default)]
pub struct CameraFilter {
    /// Of this club.
    pub club_id: Option<i64>,
    /// Of this health level.
    pub health: Option<String>,
    /// Of this way in.
    pub connection_type: Option<String>,
    /// Of this vendor.
    pub manufacturer: Option<String>,
    /// Words in name, slug, model, host or tags.
    pub q: Option<String>,
    /// From 1.
    pub page: Option<u32>,
    /// 1–500; all when `None`.
    pub per_page: Option<u32>,
}

impl CameraFilter {
    fn fits(&self, c: &Camera) -> bool {
        let f = &c.fields;
        let level = if c.health.level.is_empty() { "unknown" } else { &c.health.level };
        let words = || {
            let url = f.primary_stream_url.as_deref().unwrap_or_default();
            let model = f.model.as_deref().unwrap_or_default();
            format!("{} {} {model} {url} {}", f.name, f.slug, f.tags.join(" ")).to_lowercase()
        };
        self.club_id.is_none_or(|club| f.club_id == Some(club))
            && self.health.as_deref().is_none_or(|h| h == level)
            && self.connection_type.as_deref().is_none_or(|t| t == f.connection_type)
            && self.manufacturer.as_deref().is_none_or(|m| f.manufacturer.as_deref() == Some(&m.to_lowercase()))
            && self.q.as_deref().is_none_or(|q| {
                let words = words();
                q.to_lowercase().split_whitespace().all(|w| words.contains(w))
            })
    }
}

/// Cameras. See the module.
#[derive(Debug, Clone)]
pub struct Cameras {
    pub(crate) core: Arc<Core>,
    tests: Arc<Semaphore>,
}

impl Cameras {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, tests: Arc::new(Semaphore::new(TESTS)) }
    }

    /// Hands every stored camera to the host, with what is remembered of its streams.
    pub(crate) async fn start(&self) -> Result<()> {
        let _one = self.core.camera_changes.lock().await;
        let cameras: Vec<Camera> = self.core.cameras.read().values().cloned().collect();
        for r in self.core.store.remembered_streams().await? {
            let known = cameras.iter().any(|c| c.id == r.camera_id && stream_names(c).contains(&r.stream));
            if known && let Some(description) = crate::remember::from_json(&r.description) {
                self.core.hub.ensure(StreamKey { camera: r.camera_id, stream: r.stream }).remember(description);
            }
        }
        for camera in cameras {
            let mut connection = self.open(&camera).connection(camera.id, camera.health.failures);
            connection.next_attempt = self.next_attempt(&camera.health);
            self.run(&camera, connection);
        }
        Ok(())
    }

    /// When a camera that failed is due. One that was being tried when the process ended is due now.
    fn next_attempt(&self, health: &CameraHealth) -> Option<UnixMillis> {
        (health.failures > 0 && !health.suspended)
            .then(|| health.next_attempt_at.unwrap_or_else(|| self.core.clock.wall()))
    }

    /// The camera with its secrets. One whose secrets do not open goes on without them, and says so.
    fn open(&self, camera: &Camera) -> Draft {
        Draft::open(camera, &self.core.keys).unwrap_or_else(|e| {
            warn!(camera = %camera.fields.slug, error = %e, "the camera's password has to be entered again");
            let without = Camera { secrets: None, ..camera.clone() };
            Draft::open(&without, &self.core.keys).unwrap_or_else(|_| Draft::empty())
        })
    }

    fn run(&self, camera: &Camera, connection: CameraConnection) {
        for stream in stream_names(camera) {
            let stream = self.core.hub.ensure(StreamKey { camera: camera.id, stream });
            events::watch(&self.core, &stream);
        }
        self.core.streams.apply(connection);
    }

    fn view(&self, camera: &Camera) -> CameraView {
        view::camera_view(camera, self.open(camera).password.is_some(), &self.core.hub)
    }

    /// Adds a camera. `body` is the JSON object of the request.
    pub async fn create(&self, who: &Identity, body: &Map<String, Value>) -> Result<CameraView> {
        decide(who, Action::ManageCamera, &Target::Any)?;
        let mut draft = Draft::empty();
        draft.apply(body, Mode::Create, &self.core.config.connection_types)?;
        self.allow(who, &mut draft, None)?;
        rules::reach(who, &draft, None).await?;
        let _one = self.core.camera_changes.lock().await;
        if draft.fields.slug.is_empty() {
            let cameras = self.core.cameras.read();
            draft.fields.slug = slug::from_name(&draft.fields.name, |s| cameras.values().any(|c| c.fields.slug == s));
        }
        let court = draft.fields.terrain_id;
        let camera = self.insert(draft).await?;
        self.assign(camera.id, None, court).await?;
        self.note(who, "camera.create", &camera, &[]).await;
        Ok(self.view(&self.core.cameras.read().get(&camera.id).cloned().unwrap_or(camera)))
    }

    /// With `camera_changes` held.
    async fn insert(&self, draft: Draft) -> Result<Camera> {
        let keys = Arc::clone(&self.core.keys);
        let seal = |id: CameraId| draft.seal(&keys, id);
        let camera = self.core.store.insert_camera(draft.fields.clone(), &seal, self.core.clock.wall()).await;
        let camera = camera.map_err(taken)?;
        self.core.put_camera(camera.clone());
        self.run(&camera, draft.connection(camera.id, 0));
        self.core.bus.tell(Notice::Camera(camera.id));
        info!(camera = %camera.fields.slug, "camera added");
        Ok(camera)
    }

    /// Cameras that `who` may see, and how many there are on all pages.
    pub async fn list(&self, who: &Identity, filter: &CameraFilter) -> Result<(usize, Vec<CameraView>)> {
        let mut cameras: Vec<Camera> = {
            let all = self.core.cameras.read();
            let mine = |c: &&Camera| {
                filter.fits(c) && decide(who, Action::ViewCamera, &self.core.camera_target(who, c)).is_ok()
            };
            all.values().filter(mine).cloned().collect()
        };
        let total = cameras.len();
        if let Some(per_page) = filter.per_page {
            let per_page = per_page.clamp(1, 500) as usize;
            let skip = (filter.page.unwrap_or(1).max(1) as usize - 1).saturating_mul(per_page);
            cameras = cameras.into_iter().skip(skip).take(per_page).collect();
        }
        Ok((total, cameras.iter().map(|c| self.view(c)).collect()))
    }

    /// One camera, by number or slug.
    pub async fn get(&self, who: &Identity, id_or_slug: &str) -> Result<CameraView> {
        Ok(self.view(&self.core.camera_for(who, Action::ViewCamera, id_or_slug)?))
    }

    /// One camera with its URLs in clear (`?reveal=1`): for super administrators, and noted in the audit log.
    pub async fn reveal(&self, who: &Identity, id_or_slug: &str) -> Result<CameraView> {
        decide(who, Action::RevealSecret, &Target::Any)?;
        let camera = self.core.camera_for(who, Action::ViewCamera, id_or_slug)?;
        self.note(who, "camera.reveal", &camera, &[]).await;
        let (draft, mut view) = (self.open(&camera), self.view(&camera));
        view.primary_stream_url = draft.literal(Which::Primary);
        view.secondary_stream_url = draft.literal(Which::Secondary);
        view.snapshot_url = draft.literal(Which::Snapshot);
        view.rtsp_url = view.rtsp_url.and(view.primary_stream_url.clone());
        Ok(view)
    }

    /// Changes the fields that `body` holds; with `replace` (PUT), fields left out are reset.
    pub async fn update(
        &self,
        who: &Identity,
        id_or_slug: &str,
        body: &Map<String, Value>,
        replace: bool,
    ) -> Result<CameraView> {
        let mode = if replace { Mode::Replace } else { Mode::Patch };
        {
            let before = self.open(&self.core.camera_for(who, Action::ManageCamera, id_or_slug)?);
            let mut draft = before.clone();
            draft.apply(body, mode, &self.core.config.connection_types)?;
            self.allow(who, &mut draft, Some(&before))?;
            rules::reach(who, &draft, Some(&before)).await?;
        }
        let _one = self.core.camera_changes.lock().await;
        let camera = self.core.camera_for(who, Action::ManageCamera, id_or_slug)?;
        let before = self.open(&camera);
        let mut draft = before.clone();
        draft.apply(body, mode, &self.core.config.connection_types)?;
        let changed = differences(&before, &draft);
        let ruled: Vec<String> = changed
            .iter()
            .filter(|c| before.fields.declared_fields.iter().any(|d| d == *c))
            .map(|c| (*c).to_owned())
            .collect();
        if !ruled.is_empty() {
            return Err(Error::DeclaredInFile(ruled));
        }
        rules::keeps_password(&before, &draft, body)?;
        self.allow(who, &mut draft, Some(&before))?;
        let (was, court) = (before.fields.terrain_id, draft.fields.terrain_id);
        let camera = self.write(&camera, draft).await?;
        self.assign(camera.id, was, court).await?;
        self.note(who, "camera.update", &camera, &changed).await;
        Ok(self.view(&self.core.cameras.read().get(&camera.id).cloned().unwrap_or(camera)))
    }

    /// With `camera_changes` held. The host hears of it only when what it runs by has changed.
    async fn write(&self, old: &Camera, draft: Draft) -> Result<Camera> {
        let was = self.open(old).connection(old.id, 0);
        let now = draft.connection(old.id, 0);
        let secrets = draft.seal(&self.core.keys, old.id);
        let at = self.core.clock.wall();
        let updated = self.core.store.update_camera(old.id, draft.fields.clone(), secrets, at).await.map_err(taken)?;
        self.core.put_camera(updated.clone());
        if was != now {
            let main = |c: &CameraConnection| c.streams.iter().find(|s| s.stream == StreamName::Main).cloned();
            let mut connection = now.clone();
            if main(&was) == main(&now) {
                connection.failures = updated.health.failures;
                connection.next_attempt = self.next_attempt(&updated.health);
            } else {
                // Another camera, as far as anybody knows: what was learned of the old one is not true of it.
                self.core.store.forget_streams(old.id).await?;
                self.core.set_health(old.id, |h| *h = CameraHealth::default()).await;
            }
            self.run(&updated, connection);
        }
        self.core.bus.tell(Notice::Camera(old.id));
        Ok(self.core.cameras.read().get(&old.id).cloned().unwrap_or(updated))
    }

    /// Removes a camera. `RecordingActive` while it is recorded, unless `force`; then the recording is finished first.
    pub async fn delete(&self, who: &Identity, id_or_slug: &str, force: bool) -> Result<()> {
        let _one = self.core.camera_changes.lock().await;
        let camera = self.core.camera_for(who, Action::ManageCamera, id_or_slug)?;
        if !camera.fields.declared_fields.is_empty() {
            return Err(Error::DeclaredInFile(vec!["slug".to_owned()]));
        }
        if self.core.recorder.is_recording(camera.id) && !force {
            return Err(Error::RecordingActive);
        }
        // 1. Recordings are finished and sessions closed, 2. the row goes, 3. the streams end.
        sessions::end_of_camera(&self.core, camera.id).await;
        self.core.store.delete_camera(camera.id).await?;
        self.core.cameras.write().remove(&camera.id);
        self.core.courts_lose_camera(camera.id);
        self.core.streams.remove(camera.id);
        self.core.bus.tell(Notice::CameraRemoved(camera.id));
        self.note(who, "camera.delete", &camera, &[]).await;
        info!(camera = %camera.fields.slug, "camera removed");
        Ok(())
    }

    /// Tests the connection of a stored camera. While it is being pulled no second connection is made: many cameras
    /// allow only one.
    pub async fn test(&self, who: &Identity, id_or_slug: &str) -> Result<TestView> {
        let camera = self.core.camera_for(who, Action::ManageCamera, id_or_slug)?;
        let draft = self.open(&camera);
        if let Some(running) = self.running(&camera).await {
            return Ok(running);
        }
        let (view, level) = self.probe(&draft).await?;
        let now = self.core.clock.wall();
        self.core
            .set_health(camera.id, |h| {
                h.level = level.to_owned();
                h.checked_at = Some(now);
                h.last_error = view.error.clone();
            })
            .await;
        self.core.bus.tell(Notice::Camera(camera.id));
        Ok(view)
    }

    /// The answer for a camera that sends at this moment.
    async fn running(&self, camera: &Camera) -> Option<TestView> {
        let stream = self.core.hub.get(StreamKey::main(camera.id))?;
        let state = stream.state();
        let age = state.last_unit_age.filter(|a| *a < Duration::from_secs(5) && state.status == Status::Live)?;
        let description = state.description?;
        let video = description.video()?;
        Some(TestView {
            success: true,
            connection_type: camera.fields.connection_type.clone(),
            url: camera.fields.primary_stream_url.clone(),
            response_time_ms: Some(self.core.connect_ms(camera.id).unwrap_or(whole_ms(age))),
            resolution: video.video().map(|v| format!("{}x{}", v.width, v.height)),
            fps: Some((state.fps * 10.0).round() / 10.0),
            codec: Some(video.codec.name().to_owned()),
            audio_codec: description.audio().map(|t| t.codec.name().to_owned()),
            picture: self.core.prober.picture(&stream).await.as_ref().and_then(picture_url),
            error: None,
            error_code: None,
        })
    }

    /// Tests a connection that is not stored; same body as `create`, the name may be missing.
    pub async fn test_new(&self, who: &Identity, body: &Map<String, Value>) -> Result<TestView> {
        decide(who, Action::ManageCamera, &Target::Any)?;
        let mut body = body.clone();
        body.entry("name").or_insert_with(|| Value::String("test".to_owned()));
        let mut draft = Draft::empty();
        draft.apply(&body, Mode::Create, &self.core.config.connection_types)?;
        // A test stores nothing, and takes no court from anybody.
        draft.fields.terrain_id = None;
        self.allow(who, &mut draft, None)?;
        rules::reach(who, &draft, None).await?;
        Ok(self.probe(&draft).await?.0)
    }

    async fn probe(&self, draft: &Draft) -> Result<(TestView, &'static str)> {
        let _place = self.tests.acquire().await.map_err(|_| Error::Stopping)?;
        let connection = draft.connection(CameraId(0), 0);
        let main: StreamConnection =
            connection.streams.into_iter().next().ok_or(Error::missing("primary_stream_url"))?;
        let ms = main.config.get("timeout_ms").and_then(Value::as_u64).unwrap_or(5000);
        let mut view = TestView {
            success: false,
            connection_type: main.kind.clone(),
            url: draft::shown(
                &draft.fields.primary_stream_url,
                draft.fields.username.as_deref(),
                draft.password.is_some(),
            ),
            response_time_ms: None,
            resolution: None,
            fps: None,
            codec: None,
            audio_codec: None,
            picture: None,
            error: None,
            error_code: None,
        };
        // Connecting, then as long again for the first picture.
        let timeout = Duration::from_millis(ms.saturating_mul(2).clamp(1000, 60_000));
        let level = match self.core.prober.probe(main, timeout).await {
            Ok(r) => {
                view.success = true;
                view.response_time_ms = Some(r.response_time_ms);
                view.resolution = Some(format!("{}x{}", r.width, r.height));
                view.fps = r.fps;
                view.codec = r.codec;
                view.audio_codec = r.audio_codec;
                view.picture = r.picture.as_ref().and_then(picture_url);
                events::level(r.response_time_ms)
            }
            Err(f) => {
                view.error = Some(f.message);
                view.error_code = Some(f.reason.as_str());
                "offline"
            }
        };
        Ok((view, level))
    }

    /// Tries to connect at once.
    pub async fn reconnect(&self, who: &Identity, id_or_slug: &str) -> Result<()> {
        let camera = self.core.camera_for(who, Action::ManageCamera, id_or_slug)?;
        self.core.streams.reconnect(camera.id).await;
        self.note(who, "camera.reconnect", &camera, &[]).await;
        Ok(())
    }

    /// Where to watch it.
    pub async fn stream_urls(&self, who: &Identity, id_or_slug: &str, links: &Links) -> Result<Vec<StreamUrls>> {
        let camera = self.core.camera_for(who, Action::ViewCamera, id_or_slug)?;
        let (id, slug, base) = (camera.id, &camera.fields.slug, links.http());
        let urls = stream_names(&camera).into_iter().map(|s| {
            let stream = s.as_str();
            StreamUrls {
                stream,
                rtsp: links.rtsp(&format!("cam/{slug}/{stream}")),
                mjpeg: format!("{base}/api/cameras/{id}/stream.mjpeg?stream={stream}"),
                snapshot: format!("{base}/api/cameras/{id}/snapshot.jpg?stream={stream}"),
                mse: format!("{}/api/live/ws", base.replacen("http", "ws", 1)),
            }
        });
        Ok(urls.collect())
    }

    /// A ticket for views of this camera.
    pub async fn ticket(&self, who: &Identity, id_or_slug: &str) -> Result<Ticket> {
        let camera = self.core.camera_for(who, Action::ViewCamera, id_or_slug)?;
        self.core.auth.issue_ticket(who, TicketScope::Camera(camera.id))
    }

    /// Whether there is such a camera.
    pub async fn exists(&self, id: CameraId) -> bool {
        self.core.cameras.read().contains_key(&id)
    }

    async fn note(&self, who: &Identity, action: &str, camera: &Camera, changed: &[&str]) {
        let mut details = json!({ "name": camera.fields.name, "slug": camera.fields.slug });
        if !changed.is_empty() {
            details["changed"] = json!(changed);
        }
        self.core.auth.note(who, action, &format!("camera/{}", camera.id), details).await;
    }
}

/// Largest JPEG that is put into an answer, in bytes.
const MAX_PICTURE: usize = 150_000;

/// For an `<img>`; nothing when it is too large to be worth the wait.
fn picture_url(jpeg: &Bytes) -> Option<String> {
    (jpeg.len() <= MAX_PICTURE).then(|| format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)))
}

fn taken(e: StoreError) -> Error {
    match e {
        StoreError::Conflict("name") => Error::DuplicateName,
        StoreError::Conflict("slug") => Error::DuplicateSlug,
        StoreError::NotFound(_) => Error::CameraNotFound,
        e => e.into(),
    }
}
