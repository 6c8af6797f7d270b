//! Recordings of a session (contract §20.4).

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vigie_control::recordings::{RecordingStatus, StartedView, StoppedView};

use super::session::SessionInput;
use crate::app::App;
use crate::auth::Who;
use crate::error::{ApiError, ApiResult, Body, Path};

#[derive(Deserialize, ToSchema)]
pub(crate) struct StartInput {
    #[serde(default)]
    session_id: Option<String>,
    /// 1–720; 90 when missing.
    #[serde(default)]
    duration_minutes: Option<f64>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct StartReply {
    success: bool,
    recording: StartedView,
}

/// Start to record.
#[utoipa::path(post, path = "/api/video/record/start", tag = "recordings", request_body = StartInput,
    responses((status = 200, body = StartReply)))]
pub(crate) async fn start(
    State(app): State<App>,
    Who(who): Who,
    Body(input): Body<StartInput>,
) -> ApiResult<Json<StartReply>> {
    let id = input.session_id.filter(|s| !s.is_empty()).ok_or_else(|| ApiError::missing("session_id"))?;
    let recording = app.control().recordings.start(&who, &id, input.duration_minutes).await?;
    Ok(Json(StartReply { success: true, recording }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct StopReply {
    success: bool,
    #[serde(flatten)]
    recording: StoppedView,
}

/// Stop; answers when the file is complete and playable.
#[utoipa::path(post, path = "/api/video/record/stop", tag = "recordings", request_body = SessionInput,
    responses((status = 200, body = StopReply)))]
pub(crate) async fn stop(
    State(app): State<App>,
    Who(who): Who,
    Body(input): Body<SessionInput>,
) -> ApiResult<Json<StopReply>> {
    let recording = app.control().recordings.stop(&who, &input.id()?).await?;
    Ok(Json(StopReply { success: true, recording }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct StatusReply {
    success: bool,
    status: RecordingStatus,
}

/// How far a recording is.
#[utoipa::path(get, path = "/api/video/record/status/{session_id}", tag = "recordings", params(("session_id" = String, Path)),
    responses((status = 200, body = StatusReply)))]
pub(crate) async fn status(
    State(app): State<App>,
    Who(who): Who,
    Path(id): Path<String>,
) -> ApiResult<Json<StatusReply>> {
    let status = app.control().recordings.status(&who, &id).await?;
    Ok(Json(StatusReply { success: true, status }))
}
