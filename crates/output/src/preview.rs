//! A capture session's live picture (§20.5) and the per-session routes of the old proxy (§0.8.5).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use tokio::time::{interval, timeout};
use vigie_hub::{OpenSession, Status, Stream};

use crate::http::{Caller, HttpError, Target, presence, shut_out};
use crate::pictures::{PictureQuery, Pictures};
use crate::rendition::{Form, Pace, Renditions};
use crate::snapshot::query;
use crate::{mjpeg, snapshot};

/// A socket that takes nothing for this long is closed.
const STALLED: Duration = Duration::from_secs(20);
const PING: Duration = Duration::from_secs(15);

/// What a preview shows now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PreviewInfo {
    session_id: String,
    active: bool,
    viewers: usize,
    width: Option<u32>,
    height: Option<u32>,
    fps: f64,
    last_frame_age_ms: Option<u64>,
    source_connected: bool,
    recording_active: bool,
    stream_url: String,
    snapshot_url: String,
}

/// Envelope of [`PreviewInfo`].
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PreviewAnswer {
    success: bool,
    preview: PreviewInfo,
}

fn info(session: &OpenSession, stream: &Stream) -> PreviewInfo {
    let (state, id) = (stream.state(), &session.id);
    let video = state.description.as_ref().and_then(|d| d.video().and_then(|t| t.video().cloned()));
    PreviewInfo {
        session_id: id.0.clone(),
        active: true,
        viewers: state.viewers,
        width: video.as_ref().map(|v| v.width),
        height: video.as_ref().map(|v| v.height),
        fps: (state.fps * 100.0).round() / 100.0,
        last_frame_age_ms: age_ms(state.last_unit_age),
        source_connected: state.status == Status::Live,
        recording_active: session.recording,
        stream_url: format!("/api/preview/{id}/stream.mjpeg"),
        snapshot_url: format!("/api/preview/{id}/snapshot.jpg"),
    }
}

fn age_ms(age: Option<Duration>) -> Option<u64> {
    age.and_then(|a| u64::try_from(a.as_millis()).ok())
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Live pictures of a session as multipart MJPEG.
#[utoipa::path(
    get, path = "/api/preview/{session_id}/stream.mjpeg", tag = "preview",
    params(("session_id" = String, Path), PictureQuery),
    responses(
        (status = 200, content_type = "multipart/x-mixed-replace; boundary=frame", body = Vec<u8>),
        (status = 403, description = "`forbidden`"), (status = 404, description = "`session_not_found`"),
        (status = 502, description = "`camera_unreachable`"), (status = 503, description = "`no_frame_yet`"),
    )
)]
pub(crate) async fn preview_mjpeg(
    State(s): State<Pictures>,
    caller: Caller,
    Path(id): Path<String>,
    q: Result<Query<PictureQuery>, QueryRejection>,
) -> Result<Response, HttpError> {
    mjpeg::respond(&s, &caller, Target::Session(&id), &query(q)?).await
}

/// A still picture of a session; suited to being polled.
#[utoipa::path(
    get, path = "/api/preview/{session_id}/snapshot.jpg", tag = "preview",
    params(("session_id" = String, Path), PictureQuery),
    responses(
        (status = 200, content_type = "image/jpeg", body = Vec<u8>),
        (status = 403, description = "`forbidden`"), (status = 404, description = "`session_not_found`"),
        (status = 502, description = "`camera_unreachable`"), (status = 503, description = "`no_frame_yet`"),
    )
)]
pub(crate) async fn preview_snapshot(
    State(s): State<Pictures>,
    caller: Caller,
    Path(id): Path<String>,
    q: Result<Query<PictureQuery>, QueryRejection>,
) -> Result<Response, HttpError> {
    snapshot::respond(&s, &caller, Target::Session(&id), &query(q)?).await
}

/// What the preview of a session shows now.
#[utoipa::path(
    get, path = "/api/preview/{session_id}/info", tag = "preview", params(("session_id" = String, Path)),
    responses(
        (status = 200, body = PreviewAnswer), (status = 403, description = "`not_owner`, `other_club`, `forbidden`"),
        (status = 404, description = "`session_not_found`"),
    )
)]
pub(crate) async fn preview_info(
    State(s): State<Pictures>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, HttpError> {
    let (session, stream) = s.session(&caller, &id).await?;
    Ok(no_store(Json(PreviewAnswer { success: true, preview: info(&session, &stream) }).into_response()))
}

/// Live pictures of a session over a WebSocket: JPEG pictures as binary messages, `{"type":"state",…}` as text.
#[utoipa::path(
    get, path = "/api/preview/{session_id}/ws", tag = "preview",
    params(("session_id" = String, Path), PictureQuery),
    responses((status = 101, description = "WebSocket"), (status = 404, description = "`session_not_found`"))
)]
pub(crate) async fn preview_socket(
    State(s): State<Pictures>,
    caller: Caller,
    Path(id): Path<String>,
    q: Result<Query<PictureQuery>, QueryRejection>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, HttpError> {
    let q = query(q)?;
    let (form, every) = (q.form()?, q.interval_ms(100)?);
    let (session, stream) = s.session(&caller, &id).await?;
    let gate = Arc::clone(&s.gate);
    Ok(upgrade.max_message_size(4096).on_upgrade(move |socket| async move {
        let end = shut_out(Arc::clone(&s.gate), caller.0, stream.key(), Some(session.id.clone()));
        tokio::select! {
            () = show(socket, &stream, &s.renditions, form, every) => {}
            // The socket goes with what shows on it.
            () = end => {}
        }
        gate.touch_session(&session.id.0);
    }))
}

async fn show(mut socket: WebSocket, stream: &Arc<Stream>, renditions: &Arc<Renditions>, form: Form, every_ms: u32) {
    let _viewer = presence(stream);
    let rendition = renditions.get(stream, form, Pace::Every(every_ms));
    let mut shots = rendition.shots();
    shots.mark_changed();
    let mut status = stream.status();
    status.mark_changed();
    let mut ping = interval(PING);
    loop {
        let message = tokio::select! {
            r = shots.changed() => {
                if r.is_err() { return }
                match &*shots.borrow_and_update() {
                    Some(shot) => Message::Binary(shot.jpeg.clone()),
                    None => continue,
                }
            }
            r = status.changed() => {
                if r.is_err() { return }
                let state = status.borrow_and_update().as_str();
                let failure = stream.state().failure.map(|f| f.message);
                Message::Text(json!({ "type": "state", "state": state, "message": failure }).to_string().into())
            }
            _ = ping.tick() => Message::Ping(bytes::Bytes::new()),
            () = rendition.ended().cancelled() => return,
            received = socket.recv() => match received {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
        };
        if !matches!(timeout(STALLED, socket.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// The same as `stream.mjpeg` of the preview, under the path of the old proxy.
#[utoipa::path(
    get, path = "/proxy/{session_id}/stream.mjpg", tag = "preview",
    params(("session_id" = String, Path), PictureQuery),
    responses((status = 200, content_type = "multipart/x-mixed-replace; boundary=frame", body = Vec<u8>))
)]
pub(crate) async fn proxy_mjpeg(
    s: State<Pictures>,
    caller: Caller,
    id: Path<String>,
    q: Result<Query<PictureQuery>, QueryRejection>,
) -> Result<Response, HttpError> {
    preview_mjpeg(s, caller, id, q).await
}

/// The same as `snapshot.jpg` of the preview, under the path of the old proxy.
#[utoipa::path(
    get, path = "/proxy/{session_id}/snapshot.jpg", tag = "preview",
    params(("session_id" = String, Path), PictureQuery),
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>))
)]
pub(crate) async fn proxy_snapshot(
    s: State<Pictures>,
    caller: Caller,
    id: Path<String>,
    q: Result<Query<PictureQuery>, QueryRejection>,
) -> Result<Response, HttpError> {
    preview_snapshot(s, caller, id, q).await
}

/// Health of one session's stream, as the old proxy answered it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ProxyHealth {
    success: bool,
    status: &'static str,
    session_id: String,
    connected: bool,
    last_frame_age_ms: Option<u64>,
    clients: usize,
}

/// Whether a session's stream flows.
#[utoipa::path(
    get, path = "/proxy/{session_id}/health", tag = "preview", params(("session_id" = String, Path)),
    responses((status = 200, body = ProxyHealth), (status = 404, description = "`session_not_found`"))
)]
pub(crate) async fn proxy_health(
    State(s): State<Pictures>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, HttpError> {
    let (session, stream) = s.session(&caller, &id).await?;
    let state = stream.state();
    let health = ProxyHealth {
        success: true,
        status: "ok",
        session_id: session.id.0,
        connected: state.status == Status::Live,
        last_frame_age_ms: age_ms(state.last_unit_age),
        clients: state.viewers,
    };
    Ok(no_store(Json(health).into_response()))
}
