//! First run (contract §0.9, decision 50).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vigie_base::Secret;

use super::auth::signed_in;
use crate::app::App;
use crate::auth::Peer;
use crate::error::{ApiResult, Body};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SetupState {
    success: bool,
    /// Whether there is no user yet.
    needed: bool,
    /// Whether this caller has to bring the code from the server's console.
    code_required: bool,
}

/// Whether the first administrator has to be made.
#[utoipa::path(get, path = "/api/setup", tag = "sign-in", responses((status = 200, body = SetupState)))]
pub(crate) async fn state(
    State(app): State<App>,
    peer: Peer,
    who: Option<axum::Extension<vigie_control::Identity>>,
) -> Json<SetupState> {
    // Where nobody has to sign in there is nothing to set up.
    let needed = who.is_none() && app.control().auth.setup_needed();
    Json(SetupState { success: true, needed, code_required: needed && !peer.at_this_machine() })
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct SetupInput {
    username: String,
    password: String,
    /// From the server's console; not needed on the server itself.
    #[serde(default)]
    code: Option<String>,
}

/// Makes the first administrator, and signs in.
#[utoipa::path(post, path = "/api/setup", tag = "sign-in", request_body = SetupInput,
    responses((status = 201, body = super::auth::SignInReply)))]
pub(crate) async fn run(State(app): State<App>, peer: Peer, Body(input): Body<SetupInput>) -> ApiResult<Response> {
    let password = Secret::new(input.password);
    let code = input.code.as_deref().map(str::trim).filter(|c| !c.is_empty());
    let done = app.control().auth.setup(peer.local_caller(), input.username.trim(), &password, code).await?;
    Ok(signed_in(&app, StatusCode::CREATED, &done))
}
