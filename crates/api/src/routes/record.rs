//! Recordings of a session (contract §20.4).

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use vigie_control::Error;
use vigie_control::recordings::{EstimateQuery, EstimateView, RecordingStatus, StartedView, StoppedView, VideoMode};

use super::session::SessionInput;
use crate::app::App;
use crate::auth::Who;
use crate::auth::may::{ControlSession, May, ReadSystem};
use crate::error::{ApiError, ApiResult, Body, Path, Query};

#[derive(Deserialize, ToSchema)]
pub(crate) struct StartInput {
    #[serde(default)]
    session_id: Option<String>,
    /// 1–720; 90 when missing.
    #[serde(default)]
    duration_minutes: Option<f64>,
    /// `auto`, `copy` or `encode`; as configured when missing.
    #[serde(default)]
    mode: Option<String>,
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
    May(who, ..): May<ControlSession>,
    Body(input): Body<StartInput>,
) -> ApiResult<Json<StartReply>> {
    let id = input.session_id.filter(|s| !s.is_empty()).ok_or_else(|| ApiError::missing("session_id"))?;
    let mode = mode(input.mode.as_deref())?;
    let recording = app.control().recordings.start(&who, &id, input.duration_minutes, mode).await?;
    Ok(Json(StartReply { success: true, recording }))
}

fn mode(word: Option<&str>) -> ApiResult<Option<VideoMode>> {
    word.map(|w| w.parse().map_err(|e: String| ApiError::from(Error::field("mode", "value", e)))).transpose()
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
    May(who, ..): May<ControlSession>,
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

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct EstimateParams {
    /// A session; or else:
    session_id: Option<String>,
    /// a court; or else:
    terrain_id: Option<i64>,
    /// a camera without a court.
    camera_id: Option<i64>,
    /// 1–720; 90 when missing.
    duration_minutes: Option<f64>,
    /// `auto`, `copy` or `encode`; as configured when missing.
    mode: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct EstimateReply {
    success: bool,
    estimate: EstimateView,
}

/// What a recording would weigh, and whether the disk can hold it.
#[utoipa::path(get, path = "/api/video/record/estimate", tag = "recordings", params(EstimateParams),
    responses((status = 200, body = EstimateReply)))]
pub(crate) async fn estimate(
    State(app): State<App>,
    Who(who): Who,
    Query(q): Query<EstimateParams>,
) -> ApiResult<Json<EstimateReply>> {
    let query = EstimateQuery {
        session_id: q.session_id.filter(|s| !s.is_empty()),
        terrain_id: q.terrain_id,
        camera_id: q.camera_id,
        duration_minutes: q.duration_minutes,
        mode: mode(q.mode.as_deref())?,
    };
    let estimate = app.control().recordings.estimate(&who, &query).await?;
    Ok(Json(EstimateReply { success: true, estimate }))
}

/// What was noted while the session was recorded: its last MiB; for administrators of its club.
#[utoipa::path(get, path = "/api/video/record/{session_id}/log", tag = "recordings", params(("session_id" = String, Path)),
    responses((status = 200, content_type = "text/plain", body = String), (status = 404, description = "`log_not_found`")))]
pub(crate) async fn log(
    State(app): State<App>,
    May(who, ..): May<ReadSystem>,
    Path(id): Path<String>,
) -> ApiResult<String> {
    Ok(app.control().recordings.log(&who, &id).await?)
}
