//! The health family (contract §0.8.5, §10.9) and metrics.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use vigie_base::{Clock, SystemClock};
use vigie_control::cameras::CameraFilter;
use vigie_control::recordings::{EncoderView, VideoTotals};

use crate::app::App;
use crate::auth::may::{ManageCamera, May};
use crate::auth::{Peer, Who};
use crate::error::{ApiError, ApiResult, Path};
use crate::lang::Lang;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alive {
    success: bool,
    /// `ok`.
    status: &'static str,
}

/// Whether the process lives.
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = Alive)))]
pub(crate) async fn alive() -> Json<Alive> {
    Json(Alive { success: true, status: "ok" })
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    success: bool,
    /// `healthy`, `degraded` or `unhealthy`.
    status: &'static str,
    /// For those who signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    /// For those who signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    uptime_seconds: Option<u64>,
    /// For those who signed in: `ok`, `degraded`, `down` or `off` (not wanted) for each part.
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Components>,
    /// For those who signed in: whether OBS is connected. Never, until there is a connection to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    obs_connected: Option<bool>,
    /// For those who signed in: whether the processing service answers. Never, until there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    processing_reachable: Option<bool>,
    /// What everybody should see on every page; missing when there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    banner: Option<&'static str>,
    /// RFC 3339.
    timestamp: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Components {
    web: &'static str,
    rtsp: &'static str,
    recorder: &'static str,
    store: &'static str,
    cameras: &'static str,
}

/// How the server is; more of it for those who signed in.
#[utoipa::path(get, path = "/api/health", tag = "health", responses((status = 200, body = Health)))]
pub(crate) async fn health(
    State(app): State<App>,
    lang: Lang,
    who: Option<axum::Extension<vigie_control::Identity>>,
) -> Json<Health> {
    let (status, components) = overall(&app).await;
    let known = who.is_some();
    Json(Health {
        success: true,
        status,
        version: known.then_some(env!("CARGO_PKG_VERSION")),
        uptime_seconds: known.then(|| app.uptime_seconds()),
        components: known.then_some(components),
        obs_connected: known.then_some(false),
        processing_reachable: known.then_some(false),
        banner: app.banner(lang),
        timestamp: SystemClock.wall().rfc3339(),
    })
}

/// How everything is, and each part.
pub(super) async fn overall(app: &App) -> (&'static str, Components) {
    let store = app.control().recordings.video_health().await;
    let recorder = match &store {
        Ok(h) if h.disk.available == 0 => "down",
        Ok(_) => "ok",
        Err(_) => "down",
    };
    let wanted_but_gone = app.hub().list().iter().any(|s| {
        let s = s.state();
        s.recorders > 0 && s.status.as_str() != "live"
    });
    let components = Components {
        web: "ok",
        rtsp: if app.settings().rtsp_port.is_some() { "ok" } else { "off" },
        recorder,
        store: if store.is_ok() { "ok" } else { "down" },
        cameras: if wanted_but_gone { "degraded" } else { "ok" },
    };
    let status = if store.is_err() {
        "unhealthy"
    } else if wanted_but_gone || recorder != "ok" {
        "degraded"
    } else {
        "healthy"
    };
    (status, components)
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VideoHealth {
    success: bool,
    status: &'static str,
    ffmpeg: Ffmpeg,
    encoder: EncoderView,
    active_sessions: usize,
    active_recordings: usize,
    max_concurrent_recordings: usize,
    /// Ports of per-session listeners; empty unless those are switched on.
    proxy_ports: Vec<u16>,
    videos: VideoTotals,
    disk: vigie_control::recordings::Disk,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ffmpeg {
    available: bool,
    version: Option<String>,
}

impl Ffmpeg {
    /// What was found out at start.
    pub(super) fn of(app: &App) -> Self {
        let version = app.settings().ffmpeg.get().cloned().flatten();
        Self { available: version.is_some(), version }
    }
}

/// Counts of sessions, recordings and files.
#[utoipa::path(get, path = "/api/video/health", tag = "health", responses((status = 200, body = VideoHealth)))]
pub(crate) async fn video(State(app): State<App>) -> ApiResult<Json<VideoHealth>> {
    let h = app.control().recordings.video_health().await?;
    Ok(Json(VideoHealth {
        success: true,
        status: if h.disk.available == 0 { "degraded" } else { "healthy" },
        ffmpeg: Ffmpeg::of(&app),
        encoder: h.encoder,
        active_sessions: h.active_sessions,
        active_recordings: h.active_recordings,
        max_concurrent_recordings: h.max_concurrent_recordings,
        proxy_ports: h.proxy_ports,
        videos: h.videos,
        disk: h.disk,
    }))
}

#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct CameraCounts {
    success: bool,
    total_cameras: usize,
    online_cameras: usize,
    offline_cameras: usize,
    /// Mean of the cameras whose uptime is known, in percent.
    average_uptime: f64,
    cameras_excellent: usize,
    cameras_good: usize,
    cameras_fair: usize,
    cameras_poor: usize,
    cameras_offline: usize,
    cameras_unknown: usize,
}

/// How many cameras are how well.
#[utoipa::path(get, path = "/api/health/status", tag = "health", responses((status = 200, body = CameraCounts)))]
pub(crate) async fn cameras(State(app): State<App>, Who(who): Who) -> ApiResult<Json<CameraCounts>> {
    let (_, cameras) = app.control().cameras.list(&who, &CameraFilter::default()).await?;
    let mut c = CameraCounts { success: true, total_cameras: cameras.len(), ..CameraCounts::default() };
    for camera in &cameras {
        let count = match camera.connection_health.as_str() {
            "excellent" => &mut c.cameras_excellent,
            "good" => &mut c.cameras_good,
            "fair" => &mut c.cameras_fair,
            "poor" => &mut c.cameras_poor,
            "offline" => &mut c.cameras_offline,
            _ => &mut c.cameras_unknown,
        };
        *count += 1;
    }
    c.online_cameras = c.cameras_excellent + c.cameras_good + c.cameras_fair + c.cameras_poor;
    c.offline_cameras = c.cameras_offline;
    let known: Vec<f64> = cameras.iter().filter_map(|c| c.uptime_percentage).collect();
    if !known.is_empty() {
        c.average_uptime = (known.iter().sum::<f64>() / known.len() as f64 * 10.0).round() / 10.0;
    }
    Ok(Json(c))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reconnecting {
    success: bool,
    state: &'static str,
    attempt: u32,
}

/// Try to connect at once, whatever the waiting time.
#[utoipa::path(post, path = "/api/health/cameras/{id}/reconnect", tag = "health",
    params(("id" = String, Path, description = "Number or slug")), responses((status = 202, body = Reconnecting)))]
pub(crate) async fn reconnect(
    State(app): State<App>,
    May(who, ..): May<ManageCamera>,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    app.control().cameras.reconnect(&who, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(Reconnecting { success: true, state: "attempting", attempt: 1 })).into_response())
}

/// Prometheus text, for this machine or with a token.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, content_type = "application/openmetrics-text", body = String)))]
pub(crate) async fn metrics(
    State(app): State<App>,
    peer: Peer,
    who: Option<axum::Extension<vigie_control::Identity>>,
) -> ApiResult<Response> {
    if who.is_none() && !peer.is_loopback() {
        return Err(ApiError::unauthenticated());
    }
    let text = app.metrics().text().map_err(|_| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal"))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
