//! Courts (contract §20.11), which the contract calls terrains.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vigie_control::courts::{CourtChange, NewCourt, TerrainView};

use super::{DONE, Done, sent};
use crate::app::App;
use crate::auth::Who;
use crate::auth::may::{ManageCourts, May};
use crate::error::{ApiResult, Body, Path};

#[derive(Serialize, ToSchema)]
pub(crate) struct TerrainsReply {
    success: bool,
    count: usize,
    terrains: Vec<TerrainView>,
}

impl TerrainsReply {
    fn json(terrains: Vec<TerrainView>) -> Json<Self> {
        Json(Self { success: true, count: terrains.len(), terrains })
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TerrainReply {
    success: bool,
    terrain: TerrainView,
}

fn one(terrain: TerrainView) -> Json<TerrainReply> {
    Json(TerrainReply { success: true, terrain })
}

/// All courts that the caller may see, with what happens on them now.
#[utoipa::path(get, path = "/api/terrains", tag = "clubs", responses((status = 200, body = TerrainsReply)))]
pub(crate) async fn all(State(app): State<App>, Who(who): Who) -> ApiResult<Json<TerrainsReply>> {
    Ok(TerrainsReply::json(app.control().courts.list(&who, None)?))
}

/// Courts of a club.
#[utoipa::path(get, path = "/api/clubs/{id}/terrains", tag = "clubs", params(("id" = i64, Path)),
    responses((status = 200, body = TerrainsReply)))]
pub(crate) async fn of_club(
    State(app): State<App>,
    Who(who): Who,
    Path(club): Path<i64>,
) -> ApiResult<Json<TerrainsReply>> {
    Ok(TerrainsReply::json(app.control().courts.list(&who, Some(club))?))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct TerrainInput {
    /// 1–80 characters, unique in the club without regard to case.
    name: String,
    /// The camera that looks at it; one without a club comes into this one.
    #[serde(default)]
    camera_id: Option<i64>,
    /// Whether sessions may be made on it; true when it is left out.
    #[serde(default)]
    enabled: Option<bool>,
}

/// Add a court to a club; for administrators of the club.
#[utoipa::path(post, path = "/api/clubs/{id}/terrains", tag = "clubs", params(("id" = i64, Path)),
    request_body = TerrainInput, responses((status = 201, body = TerrainReply)))]
pub(crate) async fn create(
    State(app): State<App>,
    May(who, ..): May<ManageCourts>,
    Path(club): Path<i64>,
    Body(input): Body<TerrainInput>,
) -> ApiResult<Response> {
    let new = NewCourt { name: input.name, camera_id: input.camera_id, enabled: input.enabled.unwrap_or(true) };
    let terrain = app.control().courts.create(&who, club, new).await?;
    Ok((StatusCode::CREATED, one(terrain)).into_response())
}

/// One court.
#[utoipa::path(get, path = "/api/terrains/{id}", tag = "clubs", params(("id" = i64, Path)),
    responses((status = 200, body = TerrainReply)))]
pub(crate) async fn get(State(app): State<App>, Who(who): Who, Path(id): Path<i64>) -> ApiResult<Json<TerrainReply>> {
    Ok(one(app.control().courts.get(&who, id)?))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct TerrainChangeInput {
    /// 1–80 characters, unique in the club without regard to case.
    #[serde(default)]
    name: Option<String>,
    /// Another camera; null takes it away.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    camera_id: Option<Option<i64>>,
    /// Whether sessions may be made on it.
    #[serde(default)]
    enabled: Option<bool>,
}

/// Change a court; fields that are left out stay. An open session goes on with the camera that it began with.
#[utoipa::path(put, path = "/api/terrains/{id}", tag = "clubs", params(("id" = i64, Path)),
    request_body = TerrainChangeInput, responses((status = 200, body = TerrainReply)))]
pub(crate) async fn change(
    State(app): State<App>,
    May(who, ..): May<ManageCourts>,
    Path(id): Path<i64>,
    Body(input): Body<TerrainChangeInput>,
) -> ApiResult<Json<TerrainReply>> {
    let change = CourtChange { name: input.name, camera_id: input.camera_id, enabled: input.enabled };
    Ok(one(app.control().courts.change(&who, id, change).await?))
}

/// Remove a court on which no session is open; its kiosk passes end, its recordings stay.
#[utoipa::path(delete, path = "/api/terrains/{id}", tag = "clubs", params(("id" = i64, Path)),
    responses((status = 200, body = Done)))]
pub(crate) async fn delete(
    State(app): State<App>,
    May(who, ..): May<ManageCourts>,
    Path(id): Path<i64>,
) -> ApiResult<Json<Done>> {
    app.control().courts.delete(&who, id).await?;
    Ok(DONE)
}
