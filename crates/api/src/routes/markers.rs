//! Moments of a session and the clips that keep them: instant replay.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use vigie_control::markers::{ClipView, MarkerView, NewMark};

use super::cameras::switch;
use super::{DONE, Done};
use crate::app::App;
use crate::auth::Who;
use crate::auth::may::{ControlSession, May};
use crate::error::{ApiResult, Body, Path, Query};

#[derive(Deserialize, ToSchema)]
pub(crate) struct MarkInput {
    /// How much of the past the clip holds, in seconds: 10–120, 30 when missing.
    #[serde(default)]
    seconds: Option<f64>,
    /// What to call it; at most 80 characters.
    #[serde(default)]
    label: Option<String>,
    /// Whether to keep a clip; `true` when missing.
    #[serde(default)]
    clip: Option<bool>,
    /// A place in this recording of the session, instead of now; such a place gets no clip.
    #[serde(default)]
    recording_id: Option<i64>,
    /// Where in the recording as it plays, in seconds; in the newest one when `recording_id` is missing.
    #[serde(default)]
    offset_seconds: Option<f64>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MarkReply {
    success: bool,
    marker: MarkerView,
    /// The clip; it is shorter than asked for when less is there.
    clip: Option<ClipView>,
    /// Why there is no clip although one was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    clip_error: Option<String>,
}

/// Mark this moment and keep the last seconds as a clip; answers when the clip can be played.
#[utoipa::path(post, path = "/api/video/session/{session_id}/mark", tag = "markers",
    params(("session_id" = String, Path)), request_body = MarkInput,
    responses((status = 200, body = MarkReply), (status = 422, description = "`seconds_out_of_range`"),
        (status = 503, description = "`no_frame_yet`")))]
pub(crate) async fn mark(
    State(app): State<App>,
    May(who, ..): May<ControlSession>,
    Path(id): Path<String>,
    Body(input): Body<MarkInput>,
) -> ApiResult<Json<MarkReply>> {
    let mark = NewMark {
        seconds: input.seconds,
        label: input.label,
        clip: input.clip.unwrap_or(true),
        recording_id: input.recording_id,
        offset_seconds: input.offset_seconds,
    };
    let done = app.control().markers.mark(&who, &id, mark).await?;
    Ok(Json(MarkReply { success: true, marker: done.marker, clip: done.clip, clip_error: done.clip_error }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MarkersReply {
    success: bool,
    count: usize,
    markers: Vec<MarkerView>,
}

/// Markers of a session, oldest first; also after it was closed.
#[utoipa::path(get, path = "/api/video/session/{session_id}/markers", tag = "markers",
    params(("session_id" = String, Path)), responses((status = 200, body = MarkersReply)))]
pub(crate) async fn list(
    State(app): State<App>,
    Who(who): Who,
    Path(id): Path<String>,
) -> ApiResult<Json<MarkersReply>> {
    let markers = app.control().markers.list(&who, &id).await?;
    Ok(Json(MarkersReply { success: true, count: markers.len(), markers }))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeleteQuery {
    /// `1`: the clip's file too; for administrators.
    clip: Option<String>,
}

/// Take a marker back. Its clip stays, unless `clip=1`.
#[utoipa::path(delete, path = "/api/video/session/{session_id}/markers/{marker_id}", tag = "markers",
    params(("session_id" = String, Path), ("marker_id" = i64, Path), DeleteQuery),
    responses((status = 200, body = Done), (status = 404, description = "`marker_not_found`")))]
pub(crate) async fn delete(
    State(app): State<App>,
    May(who, ..): May<ControlSession>,
    Path((id, marker)): Path<(String, i64)>,
    Query(q): Query<DeleteQuery>,
) -> ApiResult<Json<Done>> {
    let with_clip = switch("clip", q.clip.as_deref())?;
    app.control().markers.delete(&who, &id, marker, with_clip).await?;
    Ok(DONE)
}
