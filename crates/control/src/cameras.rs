//! Cameras.
use serde::Serialize;
use serde_json::{Map, Value};
use vigie_base::CameraId;
use crate::error::Result;
use crate::links::Links;
use crate::policy::Identity;

/// A camera as the API shows it (contract §10.6). URLs are redacted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CameraView {
    /// Its number.
    pub id: i64,
    /// Its name in paths.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Vendor.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Firmware version.
    pub firmware_version: Option<String>,
    /// Serial number.
    pub serial_number: Option<String>,
    /// Way in.
    pub connection_type: String,
    /// Best picture.
    pub primary_stream_url: Option<String>,
    /// Small picture.
    pub secondary_stream_url: Option<String>,
    /// Still picture.
    pub snapshot_url: Option<String>,
    /// Timeouts, transport and the like.
    pub connection_config: Value,
    /// Cloud account.
    pub cloud_config: Value,
    /// `excellent|good|fair|poor|offline|unknown`.
    pub connection_health: String,
    /// When it was last checked (RFC 3339).
    pub last_health_check: Option<String>,
    /// Thirty days, 0–100.
    pub uptime_percentage: Option<f64>,
    /// Consecutive failures.
    pub failed_connection_attempts: u32,
    /// Redacted.
    pub last_error_message: Option<String>,
    /// Legacy: the primary URL, when it is RTSP.
    pub rtsp_url: Option<String>,
    /// Legacy: host of the primary URL.
    pub ip_address: Option<String>,
    /// Legacy: port of the primary URL.
    pub port: Option<u16>,
    /// User name at the camera.
    pub username: Option<String>,
    /// Whether a password is stored.
    pub has_password: bool,
    /// Its club.
    pub club_id: Option<i64>,
    /// Its court.
    pub terrain_id: Option<i64>,
    /// Whether it may be pulled.
    pub enabled: bool,
    /// Whether it is pulled even while nobody watches.
    pub always_on: bool,
    /// Free words.
    pub tags: Vec<String>,
    /// Whether the configuration file declares it.
    pub declared: bool,
    /// Fields that only the file may change.
    pub declared_fields: Vec<String>,
    /// When it was made (RFC 3339).
    pub created_at: String,
    /// When it was last changed (RFC 3339).
    pub updated_at: String,
    /// What is observed now, main stream first.
    pub streams: Vec<StreamView>,
}

/// One stream of a camera, as observed now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StreamView {
    /// `main` or `sub`.
    pub stream: &'static str,
    /// `idle|connecting|live|silent|waiting|suspended|disabled`.
    pub state: &'static str,
    /// The last failure: its class and one sentence.
    pub error_code: Option<&'static str>,
    /// The last failure, for people.
    pub error: Option<String>,
    /// Milliseconds until the next attempt, while waiting.
    pub retry_in_ms: Option<u64>,
    /// Number of the next attempt, while waiting.
    pub attempt: Option<u32>,
    /// Video codec.
    pub codec: Option<String>,
    /// Audio codec.
    pub audio_codec: Option<String>,
    /// Picture width.
    pub width: Option<u32>,
    /// Picture height.
    pub height: Option<u32>,
    /// Measured pictures per second.
    pub fps: f64,
    /// Measured kbit/s.
    pub bitrate_kbps: u64,
    /// Age of the newest frame.
    pub last_frame_age_ms: Option<u64>,
    /// Viewers now.
    pub viewers: usize,
    /// Recorders now.
    pub recorders: usize,
    /// Whether a newcomer gets a picture at once.
    pub instant_join: bool,
    /// Entries that slow readers had to skip.
    pub skipped: u64,
}

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

/// A camera in the configuration file (`[[cameras]]`): the keys of the API, plus `password_file`.
pub type DeclaredCamera = Map<String, Value>;

/// What a reconciliation did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Slugs added.
    pub added: Vec<String>,
    /// Slugs changed.
    pub changed: Vec<String>,
    /// Slugs that the file no longer holds: disabled.
    pub disabled: Vec<String>,
}

/// Cameras. See the module.
#[derive(Debug)]
pub struct Cameras {}

impl Cameras {
    /// Adds a camera. `body` is the JSON object of the request.
    pub async fn create(&self, who: &Identity, body: &Map<String, Value>) -> Result<CameraView> {
        todo!()
    }
    /// Cameras that `who` may see, and how many there are on all pages.
    pub async fn list(&self, who: &Identity, filter: &CameraFilter) -> Result<(usize, Vec<CameraView>)> {
        todo!()
    }
    /// One camera, by number or slug.
    pub async fn get(&self, who: &Identity, id_or_slug: &str) -> Result<CameraView> {
        todo!()
    }
    /// Changes the fields that `body` holds (PATCH; PUT is the same, except that fields left out are reset).
    pub async fn update(&self, who: &Identity, id_or_slug: &str, body: &Map<String, Value>, replace: bool) -> Result<CameraView> {
        todo!()
    }
    /// Removes a camera. `RecordingActive` while it is recorded, unless `force`.
    pub async fn delete(&self, who: &Identity, id_or_slug: &str, force: bool) -> Result<()> {
        todo!()
    }
    /// Tests the connection of a stored camera.
    pub async fn test(&self, who: &Identity, id_or_slug: &str) -> Result<TestView> {
        todo!()
    }
    /// Tests a connection that is not stored; same body as `create`, the name may be missing.
    pub async fn test_new(&self, who: &Identity, body: &Map<String, Value>) -> Result<TestView> {
        todo!()
    }
    /// Tries to connect at once.
    pub async fn reconnect(&self, who: &Identity, id_or_slug: &str) -> Result<()> {
        todo!()
    }
    /// Where to watch it.
    pub async fn stream_urls(&self, who: &Identity, id_or_slug: &str, links: &Links) -> Result<Vec<StreamUrls>> {
        todo!()
    }
    /// A ticket for views of this camera.
    pub async fn ticket(&self, who: &Identity, id_or_slug: &str) -> Result<crate::auth::Ticket> {
        todo!()
    }
    /// Makes the store agree with the configuration file. On an error nothing was changed.
    pub async fn reconcile(&self, declared: &[DeclaredCamera]) -> Result<Reconciled> {
        todo!()
    }
    /// Whether there is such a camera.
    pub async fn exists(&self, id: CameraId) -> bool {
        todo!()
    }
}
