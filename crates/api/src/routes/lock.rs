//! Files that nobody deletes. **What is locked goes neither by hand nor by a clean-up**, until it is unlocked.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vigie_control::recordings::VideoView;
use vigie_control::{Action, Target, decide};

use crate::app::App;
use crate::auth::Who;
use crate::error::{ApiError, ApiResult, Body, Path};

#[derive(Deserialize, ToSchema)]
pub(crate) struct LockInput {
    /// Whether nobody may delete it, administrators included, until it is unlocked.
    locked: bool,
    /// Which file of the session; the newest recording when missing.
    #[serde(default)]
    recording_id: Option<i64>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LockReply {
    success: bool,
    video: VideoView,
}

/// Protect a file from being deleted, or no longer; for administrators. Deleting a protected one is 423 `locked`.
#[utoipa::path(post, path = "/api/video/files/{session_id}/lock", tag = "files",
    params(("session_id" = String, Path)), request_body = LockInput,
    responses((status = 200, body = LockReply), (status = 404, description = "`video_not_found`")))]
pub(crate) async fn lock(
    State(app): State<App>,
    Who(who): Who,
    Path(id): Path<String>,
    body: Result<Body<LockInput>, ApiError>,
) -> ApiResult<Json<LockReply>> {
    // Who may never do it hears that, and not what is wrong with the body.
    decide(&who, Action::DeleteFile, &Target::Any).map_err(vigie_control::Error::from)?;
    let Body(input) = body?;
    let video = app.control().recordings.lock(&who, &id, input.recording_id, input.locked).await?;
    Ok(Json(LockReply { success: true, video }))
}
