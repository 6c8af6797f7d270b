//! Everything that somebody needs who is asked for help (contract §20.13), in one answer that can be sent on.
//!
//! **Nothing in it is secret**: it is made of the same redacted views as the other answers, each as far as the caller
//! may see it. The log speaks of all clubs, so only super administrators get it.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use vigie_base::{Clock, SystemClock};
use vigie_control::cameras::{CameraFilter, StreamView};
use vigie_control::recordings::{Disk, EncoderView, RecordingStatus, VideoTotals};
use vigie_control::sessions::SessionView;
use vigie_control::{Action, Target, decide};

use super::cameras::switch;
use super::health::{Components, Ffmpeg, overall};
use crate::app::App;
use crate::auth::ForCaller;
use crate::auth::may::{May, ReadSystem};
use crate::error::{ApiResult, Query};

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct DiagnoseQuery {
    /// `1`: as a file to be saved.
    download: Option<String>,
}

/// One stream of a camera.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CameraStream {
    camera_id: i64,
    camera_name: String,
    connection_type: String,
    /// Without user name and password.
    url: Option<String>,
    #[serde(flatten)]
    stream: StreamView,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Diagnosis {
    success: bool,
    /// RFC 3339: when this was asked.
    at: String,
    version: &'static str,
    /// Operating system and processor.
    platform: String,
    uptime_seconds: u64,
    /// `healthy`, `degraded` or `unhealthy`.
    status: &'static str,
    components: Components,
    ffmpeg: Ffmpeg,
    encoder: EncoderView,
    disk: Disk,
    videos: VideoTotals,
    max_concurrent_recordings: usize,
    proxy_ports: Vec<u16>,
    streams: Vec<CameraStream>,
    /// Open sessions.
    sessions: Vec<SessionView>,
    /// Recordings that run.
    recordings: Vec<RecordingStatus>,
    /// The newest 200 lines of the log, oldest first, secrets masked; for super administrators.
    log: Vec<String>,
}

/// What is going on: version, machine, streams, sessions, recordings and the end of the log; for administrators.
#[utoipa::path(get, path = "/api/system/diagnose", tag = "health", params(DiagnoseQuery),
    responses((status = 200, body = Diagnosis)))]
pub(crate) async fn diagnose(
    State(app): State<App>,
    May(who, ..): May<ReadSystem>,
    ForCaller(links): ForCaller,
    Query(q): Query<DiagnoseQuery>,
) -> ApiResult<Response> {
    let download = switch("download", q.download.as_deref())?;
    let control = app.control();
    let (status, components) = overall(&app).await;
    let video = control.recordings.video_health().await?;
    let (_, cameras) = control.cameras.list(&who, &CameraFilter::default()).await?;
    let sessions = control.sessions.list(&who, &links).await?;
    let mut recordings = Vec::new();
    for s in sessions.iter().filter(|s| s.recording_active) {
        recordings.push(control.recordings.status(&who, &s.session_id).await?);
    }
    let streams = cameras.into_iter().flat_map(|c| {
        let (id, name, kind) = (c.id, c.name, c.connection_type);
        let (main, sub) = (c.primary_stream_url, c.secondary_stream_url);
        c.streams.into_iter().map(move |stream| CameraStream {
            camera_id: id,
            camera_name: name.clone(),
            connection_type: kind.clone(),
            url: if stream.stream == "sub" { sub.clone() } else { main.clone() },
            stream,
        })
    });
    let all = decide(&who, Action::ReadAudit, &Target::Any).is_ok();
    let at = SystemClock.wall();
    let diagnosis = Diagnosis {
        success: true,
        at: at.rfc3339(),
        version: env!("CARGO_PKG_VERSION"),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        uptime_seconds: app.uptime_seconds(),
        status,
        components,
        ffmpeg: Ffmpeg::of(&app),
        encoder: video.encoder,
        disk: video.disk,
        videos: video.videos,
        max_concurrent_recordings: video.max_concurrent_recordings,
        proxy_ports: video.proxy_ports,
        streams: streams.collect(),
        sessions,
        recordings,
        log: app.settings().log.as_ref().filter(|_| all).map(|l| (l.0)()).unwrap_or_default(),
    };
    let mut response = Json(diagnosis).into_response();
    if download {
        let name = format!("attachment; filename=\"vigie-diagnosis-{}.json\"", at.seconds());
        if let Ok(value) = HeaderValue::try_from(name) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
        }
    }
    Ok(response)
}
