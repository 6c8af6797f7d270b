//! Cameras (contract §10.6).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use vigie_control::cameras::{CameraFilter, CameraView, StreamUrls, TestView};
use vigie_control::events::EventView;

use super::preview::TicketReply;
use super::{DONE, Done};
use crate::app::App;
use crate::auth::may::{ManageCamera, May};
use crate::auth::{ForCaller, Who};
use crate::error::{ApiError, ApiResult, Body, Path, Query};

/// What a camera can be given; every field may be left out where it is not needed.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body; control reads the JSON itself, so that absent and null stay apart")]
pub(crate) struct CameraInput {
    /// For people; unique in a club.
    name: String,
    /// For paths; made from the name when not given.
    slug: Option<String>,
    /// `rtsp`, `http_mjpeg`, `https`, `file`, `testcard`; guessed from the URL when not given.
    connection_type: Option<String>,
    /// Where the best picture is. A user name and password in it are moved to the encrypted store.
    primary_stream_url: Option<String>,
    /// The same, under its short name.
    url: Option<String>,
    /// Where the small picture is.
    secondary_stream_url: Option<String>,
    /// The same, under its short name.
    sub_url: Option<String>,
    /// Where a still picture is.
    snapshot_url: Option<String>,
    /// At the camera.
    username: Option<String>,
    /// At the camera; never shown again.
    password: Option<String>,
    /// `auto`, `tcp`, `udp`; short for the field of `connection_config`.
    transport: Option<String>,
    /// `timeout_ms`, `transport`, `user_agent`, `fps_limit`, `loop`, `speed`, …
    connection_config: Option<Value>,
    manufacturer: Option<String>,
    model: Option<String>,
    club_id: Option<i64>,
    terrain_id: Option<i64>,
    enabled: Option<bool>,
    /// Pull it even while nobody watches.
    always_on: Option<bool>,
    tags: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    club_id: Option<i64>,
    /// `excellent`, `good`, `fair`, `poor`, `offline` or `unknown`.
    health: Option<String>,
    connection_type: Option<String>,
    manufacturer: Option<String>,
    /// Words in name, slug, model, host or tags.
    q: Option<String>,
    /// From 1.
    page: Option<u32>,
    /// 1–500; all when missing.
    per_page: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CamerasReply {
    success: bool,
    /// On all pages.
    count: usize,
    cameras: Vec<CameraView>,
}

/// Cameras that the caller may see.
#[utoipa::path(get, path = "/api/cameras", tag = "cameras", params(ListQuery), responses((status = 200, body = CamerasReply)))]
pub(crate) async fn list(
    State(app): State<App>,
    Who(who): Who,
    Query(q): Query<ListQuery>,
) -> ApiResult<Json<CamerasReply>> {
    let filter = CameraFilter {
        club_id: q.club_id,
        health: q.health,
        connection_type: q.connection_type,
        manufacturer: q.manufacturer,
        q: q.q,
        page: q.page,
        per_page: q.per_page,
    };
    let (count, cameras) = app.control().cameras.list(&who, &filter).await?;
    Ok(Json(CamerasReply { success: true, count, cameras }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CameraReply {
    success: bool,
    camera: CameraView,
}

fn one(camera: CameraView) -> Json<CameraReply> {
    Json(CameraReply { success: true, camera })
}

/// Add a camera.
#[utoipa::path(post, path = "/api/cameras", tag = "cameras", request_body = CameraInput,
    responses((status = 201, body = CameraReply)))]
pub(crate) async fn create(
    State(app): State<App>,
    May(who, ..): May<ManageCamera>,
    Body(input): Body<Map<String, Value>>,
) -> ApiResult<Response> {
    let camera = app.control().cameras.create(&who, &input).await?;
    Ok((StatusCode::CREATED, one(camera)).into_response())
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct GetQuery {
    /// `1` shows URLs with their passwords; for super administrators, and audited.
    reveal: Option<String>,
}

/// One camera.
#[utoipa::path(get, path = "/api/cameras/{id}", tag = "cameras", params(("id" = String, Path, description = "Number or slug"), GetQuery),
    responses((status = 200, body = CameraReply)))]
pub(crate) async fn get(
    State(app): State<App>,
    Who(who): Who,
    Path(id): Path<String>,
    Query(q): Query<GetQuery>,
) -> ApiResult<Json<CameraReply>> {
    let cameras = &app.control().cameras;
    let reveal = switch("reveal", q.reveal.as_deref())?;
    Ok(one(if reveal { cameras.reveal(&who, &id).await? } else { cameras.get(&who, &id).await? }))
}

/// Change a camera; fields that are left out are reset.
#[utoipa::path(put, path = "/api/cameras/{id}", tag = "cameras", request_body = CameraInput,
    params(("id" = String, Path, description = "Number or slug")), responses((status = 200, body = CameraReply)))]
pub(crate) async fn replace(
    State(app): State<App>,
    May(who, ..): May<ManageCamera>,
    Path(id): Path<String>,
    Body(input): Body<Map<String, Value>>,
) -> ApiResult<Json<CameraReply>> {
    Ok(one(app.control().cameras.update(&who, &id, &input, true).await?))
}

/// Change the fields that the body holds.
#[utoipa::path(patch, path = "/api/cameras/{id}", tag = "cameras", request_body = CameraInput,
    params(("id" = String, Path, description = "Number or slug")), responses((status = 200, body = CameraReply)))]
pub(crate) async fn change(
    State(app): State<App>,
    May(who, ..): May<ManageCamera>,
    Path(id): Path<String>,
    Body(input): Body<Map<String, Value>>,
) -> ApiResult<Json<CameraReply>> {
    Ok(one(app.control().cameras.update(&who, &id, &input, false).await?))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeleteQuery {
    /// `1` deletes it even while it is recorded.
    force: Option<String>,
}

/// Remove a camera; its recordings stay.
#[utoipa::path(delete, path = "/api/cameras/{id}", tag = "cameras", params(("id" = String, Path, description = "Number or slug"), DeleteQuery),
    responses((status = 200, body = Done)))]
pub(crate) async fn delete(
    State(app): State<App>,
    May(who, ..): May<ManageCamera>,
    Path(id): Path<String>,
    Query(q): Query<DeleteQuery>,
) -> ApiResult<Json<Done>> {
    let force = switch("force", q.force.as_deref())?;
    app.control().cameras.delete(&who, &id, force).await?;
    Ok(DONE)
}

/// `1`/`true` or `0`/`false`.
pub(super) fn switch(name: &str, value: Option<&str>) -> ApiResult<bool> {
    match value {
        None | Some("" | "0" | "false") => Ok(false),
        Some("1" | "true") => Ok(true),
        Some(_) => Err(ApiError::invalid(name, "0 or 1 is expected")),
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TestReply {
    /// Whether the test ran; how it went stands in `result`.
    success: bool,
    result: TestView,
}

/// Test the connection of a stored camera.
#[utoipa::path(post, path = "/api/cameras/{id}/test", tag = "cameras", params(("id" = String, Path, description = "Number or slug")),
    responses((status = 200, body = TestReply)))]
pub(crate) async fn test(
    State(app): State<App>,
    May(who, ..): May<ManageCamera>,
    Path(id): Path<String>,
) -> ApiResult<Json<TestReply>> {
    let result = app.control().cameras.test(&who, &id).await?;
    Ok(Json(TestReply { success: true, result }))
}

/// Test a connection before it is stored.
#[utoipa::path(post, path = "/api/cameras/test", tag = "cameras", request_body = CameraInput,
    responses((status = 200, body = TestReply)))]
pub(crate) async fn test_new(
    State(app): State<App>,
    May(who, ..): May<ManageCamera>,
    Body(input): Body<Map<String, Value>>,
) -> ApiResult<Json<TestReply>> {
    let result = app.control().cameras.test_new(&who, &input).await?;
    Ok(Json(TestReply { success: true, result }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct StreamsReply {
    success: bool,
    count: usize,
    streams: Vec<StreamUrls>,
}

/// Where to watch a camera.
#[utoipa::path(get, path = "/api/cameras/{id}/streams", tag = "cameras", params(("id" = String, Path, description = "Number or slug")),
    responses((status = 200, body = StreamsReply)))]
pub(crate) async fn streams(
    State(app): State<App>,
    Who(who): Who,
    ForCaller(links): ForCaller,
    Path(id): Path<String>,
) -> ApiResult<Json<StreamsReply>> {
    let streams = app.control().cameras.stream_urls(&who, &id, &links).await?;
    Ok(Json(StreamsReply { success: true, count: streams.len(), streams }))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Older than the event of this number.
    pub(super) before: Option<i64>,
    /// 1–1000; 100 when missing.
    limit: Option<u32>,
}

impl EventsQuery {
    pub(super) fn limit(&self) -> u32 {
        self.limit.unwrap_or(100).clamp(1, 1000)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct EventsReply {
    success: bool,
    count: usize,
    /// Newest first.
    events: Vec<EventView>,
}

impl EventsReply {
    pub(super) fn json(events: Vec<EventView>) -> Json<Self> {
        Json(Self { success: true, count: events.len(), events })
    }
}

/// What happened to a camera.
#[utoipa::path(get, path = "/api/cameras/{id}/events", tag = "cameras", params(("id" = String, Path, description = "Number or slug"), EventsQuery),
    responses((status = 200, body = EventsReply)))]
pub(crate) async fn events(
    State(app): State<App>,
    Who(who): Who,
    Path(id): Path<String>,
    Query(q): Query<EventsQuery>,
) -> ApiResult<Json<EventsReply>> {
    let events = app.control().events.of_camera(&who, &id, q.before, q.limit()).await?;
    Ok(EventsReply::json(events))
}

/// A ticket for views of this camera, so that players without a sign-in can show it.
#[utoipa::path(post, path = "/api/cameras/{id}/ticket", tag = "cameras", params(("id" = String, Path, description = "Number or slug")),
    responses((status = 200, body = TicketReply)))]
pub(crate) async fn ticket(
    State(app): State<App>,
    Who(who): Who,
    Path(id): Path<String>,
) -> ApiResult<Json<TicketReply>> {
    Ok(TicketReply::json(&app.control().cameras.ticket(&who, &id).await?))
}
