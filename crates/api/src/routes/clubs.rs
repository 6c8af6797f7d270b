//! Clubs (contract §20.11).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vigie_control::clubs::{ClubChange, ClubView};

use super::{DONE, Done};
use crate::app::App;
use crate::auth::Who;
use crate::auth::may::{EditClub, ManageClubs, May};
use crate::error::{ApiResult, Body, Path};

#[derive(Serialize, ToSchema)]
pub(crate) struct ClubsReply {
    success: bool,
    count: usize,
    clubs: Vec<ClubView>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ClubReply {
    success: bool,
    club: ClubView,
}

fn one(club: ClubView) -> Json<ClubReply> {
    Json(ClubReply { success: true, club })
}

/// Clubs that the caller may see.
#[utoipa::path(get, path = "/api/clubs", tag = "clubs", responses((status = 200, body = ClubsReply)))]
pub(crate) async fn list(State(app): State<App>, Who(who): Who) -> ApiResult<Json<ClubsReply>> {
    let clubs = app.control().clubs.list(&who)?;
    Ok(Json(ClubsReply { success: true, count: clubs.len(), clubs }))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct ClubInput {
    /// 1–80 characters, unique without regard to case.
    name: String,
    /// IANA name such as `Europe/Paris`; this server's when it is left out.
    #[serde(default)]
    timezone: Option<String>,
}

/// Add a club; for super administrators.
#[utoipa::path(post, path = "/api/clubs", tag = "clubs", request_body = ClubInput,
    responses((status = 201, body = ClubReply)))]
pub(crate) async fn create(
    State(app): State<App>,
    May(who, ..): May<ManageClubs>,
    Body(input): Body<ClubInput>,
) -> ApiResult<Response> {
    let club = app.control().clubs.create(&who, &input.name, input.timezone.as_deref()).await?;
    Ok((StatusCode::CREATED, one(club)).into_response())
}

/// One club.
#[utoipa::path(get, path = "/api/clubs/{id}", tag = "clubs", params(("id" = i64, Path)),
    responses((status = 200, body = ClubReply)))]
pub(crate) async fn get(State(app): State<App>, Who(who): Who, Path(id): Path<i64>) -> ApiResult<Json<ClubReply>> {
    Ok(one(app.control().clubs.get(&who, id)?))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct ClubChangeInput {
    /// 1–80 characters, unique without regard to case.
    #[serde(default)]
    name: Option<String>,
    /// IANA name.
    #[serde(default)]
    timezone: Option<String>,
}

/// Rename a club or set its time zone; fields that are left out stay.
#[utoipa::path(put, path = "/api/clubs/{id}", tag = "clubs", params(("id" = i64, Path)), request_body = ClubChangeInput,
    responses((status = 200, body = ClubReply)))]
pub(crate) async fn change(
    State(app): State<App>,
    May(who, ..): May<EditClub>,
    Path(id): Path<i64>,
    Body(input): Body<ClubChangeInput>,
) -> ApiResult<Json<ClubReply>> {
    let change = ClubChange { name: input.name, timezone: input.timezone };
    Ok(one(app.control().clubs.change(&who, id, change).await?))
}

/// Remove a club without courts; for super administrators.
#[utoipa::path(delete, path = "/api/clubs/{id}", tag = "clubs", params(("id" = i64, Path)),
    responses((status = 200, body = Done)))]
pub(crate) async fn delete(
    State(app): State<App>,
    May(who, ..): May<ManageClubs>,
    Path(id): Path<i64>,
) -> ApiResult<Json<Done>> {
    app.control().clubs.delete(&who, id).await?;
    Ok(DONE)
}
