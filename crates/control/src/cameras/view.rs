//! A camera as the API shows it. URLs are redacted, always.

use serde::Serialize;
use serde_json::Value;
use url::Url;
use vigie_base::{StreamKey, StreamName, UnixMillis};
use vigie_hub::{Hub, Status};
use vigie_store::Camera;

use super::draft::shown;

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
    /// The class of the last failure.
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

/// The streams that a camera has: `main`, and `sub` when a second URL is known.
pub(crate) fn stream_names(camera: &Camera) -> Vec<StreamName> {
    let mut names = vec![StreamName::Main];
    if camera.fields.secondary_stream_url.is_some() {
        names.push(StreamName::Sub);
    }
    names
}

/// The port of a URL, or its scheme's own.
pub(crate) fn port_of(url: &Url) -> Option<u16> {
    url.port_or_known_default().or(match url.scheme() {
        "rtsp" => Some(554),
        "rtsps" => Some(322),
        "rtmp" => Some(1935),
        "rtmps" => Some(443),
        _ => None,
    })
}

/// The view of a camera. `has_password` is known without opening anything when nothing is sealed.
pub(crate) fn camera_view(camera: &Camera, has_password: bool, hub: &Hub) -> CameraView {
    let f = &camera.fields;
    let h = &camera.health;
    let show = |url: &Option<String>| shown(url, f.username.as_deref(), has_password);
    let primary = f.primary_stream_url.as_ref().and_then(|u| Url::parse(u).ok());
    let on_network = primary.as_ref().filter(|u| u.has_host());
    CameraView {
        id: camera.id.0,
        slug: f.slug.clone(),
        name: f.name.clone(),
        manufacturer: f.manufacturer.clone(),
        model: f.model.clone(),
        firmware_version: f.firmware_version.clone(),
        serial_number: f.serial_number.clone(),
        connection_type: f.connection_type.clone(),
        primary_stream_url: show(&f.primary_stream_url),
        secondary_stream_url: show(&f.secondary_stream_url),
        snapshot_url: show(&f.snapshot_url),
        connection_config: f.connection_config.clone(),
        cloud_config: f.cloud_config.clone(),
        connection_health: if h.level.is_empty() { "unknown".to_owned() } else { h.level.clone() },
        last_health_check: h.checked_at.map(UnixMillis::rfc3339),
        uptime_percentage: h.uptime_percentage,
        failed_connection_attempts: h.failures,
        last_error_message: h.last_error.clone(),
        rtsp_url: if f.connection_type == "rtsp" { show(&f.primary_stream_url) } else { None },
        ip_address: on_network.and_then(|u| u.host_str()).map(|h| h.trim_matches(['[', ']']).to_owned()),
        port: on_network.and_then(port_of),
        username: f.username.clone(),
        has_password,
        club_id: f.club_id,
        terrain_id: f.terrain_id,
        enabled: f.enabled,
        always_on: f.always_on,
        tags: f.tags.clone(),
        declared: !f.declared_fields.is_empty(),
        declared_fields: f.declared_fields.clone(),
        created_at: camera.created_at.rfc3339(),
        updated_at: camera.updated_at.rfc3339(),
        streams: stream_names(camera).into_iter().map(|s| stream_view(camera, s, hub)).collect(),
    }
}

fn stream_view(camera: &Camera, stream: StreamName, hub: &Hub) -> StreamView {
    let state = hub.get(StreamKey { camera: camera.id, stream }).map(|s| s.state());
    let mut view = StreamView {
        stream: stream.as_str(),
        state: if camera.fields.enabled { "idle" } else { "disabled" },
        error_code: None,
        error: None,
        retry_in_ms: None,
        attempt: None,
        codec: None,
        audio_codec: None,
        width: None,
        height: None,
        fps: 0.0,
        bitrate_kbps: 0,
        last_frame_age_ms: None,
        viewers: 0,
        recorders: 0,
        instant_join: false,
        skipped: 0,
    };
    let Some(s) = state else { return view };
    if camera.fields.enabled {
        view.state = s.status.as_str();
    }
    if let Status::Waiting { attempt, at } = s.status {
        view.attempt = Some(attempt);
        view.retry_in_ms = Some(whole_ms(at.saturating_duration_since(std::time::Instant::now())));
    }
    if let Some(f) = s.failure {
        view.error_code = Some(f.reason.as_str());
        view.error = Some(f.message);
    }
    if let Some(d) = s.description {
        if let Some(track) = d.video() {
            view.codec = Some(track.codec.name().to_owned());
            view.width = track.video().map(|v| v.width);
            view.height = track.video().map(|v| v.height);
        }
        view.audio_codec = d.audio().map(|t| t.codec.name().to_owned());
    }
    view.fps = (s.fps * 10.0).round() / 10.0;
    view.bitrate_kbps = s.bitrate_bps / 1000;
    view.last_frame_age_ms = s.last_unit_age.map(whole_ms);
    view.viewers = s.viewers;
    view.recorders = s.recorders;
    view.instant_join = s.instant_join;
    view.skipped = s.skipped_units;
    view
}

pub(crate) fn whole_ms(d: std::time::Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}
