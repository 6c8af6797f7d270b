//! Capture sessions (contract §20.3).

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vigie_control::sessions::{SessionRequest, SessionView};

use crate::app::App;
use crate::auth::may::{ControlSession, CreateSession, May};
use crate::auth::{ForCaller, Who};
use crate::error::{ApiError, ApiResult, Body};

#[derive(Deserialize, ToSchema)]
pub(crate) struct CreateInput {
    /// The court.
    #[serde(default)]
    terrain_id: Option<i64>,
    /// A camera without a court; for super administrators.
    #[serde(default)]
    camera_id: Option<i64>,
    /// The club; for super administrators.
    #[serde(default)]
    club_id: Option<i64>,
    /// Give back one's own open session instead of refusing a second one.
    #[serde(default)]
    reuse: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SessionReply {
    success: bool,
    session: SessionView,
}

/// Make a session; answers once a picture really came.
#[utoipa::path(post, path = "/api/video/session/create", tag = "sessions", request_body = CreateInput,
    responses((status = 200, body = SessionReply)))]
pub(crate) async fn create(
    State(app): State<App>,
    May(who, ..): May<CreateSession>,
    ForCaller(links): ForCaller,
    Body(input): Body<CreateInput>,
) -> ApiResult<Json<SessionReply>> {
    let request = SessionRequest {
        terrain_id: input.terrain_id,
        camera_id: input.camera_id,
        club_id: input.club_id,
        reuse: input.reuse,
    };
    let session = app.control().sessions.create(&who, request, &links).await?;
    Ok(Json(SessionReply { success: true, session }))
}

/// A body that names a session.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SessionInput {
    #[serde(default)]
    session_id: Option<String>,
}

impl SessionInput {
    pub(super) fn id(self) -> ApiResult<String> {
        self.session_id.filter(|s| !s.is_empty()).ok_or_else(|| ApiError::missing("session_id"))
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ClosedReply {
    success: bool,
    session_id: String,
}

/// Close a session that does not record.
#[utoipa::path(post, path = "/api/video/session/close", tag = "sessions", request_body = SessionInput,
    responses((status = 200, body = ClosedReply)))]
pub(crate) async fn close(
    State(app): State<App>,
    May(who, ..): May<ControlSession>,
    Body(input): Body<SessionInput>,
) -> ApiResult<Json<ClosedReply>> {
    let session_id = input.id()?;
    app.control().sessions.close(&who, &session_id).await?;
    Ok(Json(ClosedReply { success: true, session_id }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SessionsReply {
    success: bool,
    count: usize,
    sessions: Vec<SessionView>,
}

/// Open sessions that the caller may see.
#[utoipa::path(get, path = "/api/video/session/list", tag = "sessions", responses((status = 200, body = SessionsReply)))]
pub(crate) async fn list(
    State(app): State<App>,
    Who(who): Who,
    ForCaller(links): ForCaller,
) -> ApiResult<Json<SessionsReply>> {
    let sessions = app.control().sessions.list(&who, &links).await?;
    Ok(Json(SessionsReply { success: true, count: sessions.len(), sessions }))
}
