//! Kiosk passes: links that open one court on a tablet. The secret stands behind the `#` of the link, which browsers
//! send to nobody; the page hands it in once and gets the cookie.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vigie_base::Secret;
use vigie_control::auth::UserView;
use vigie_control::courts::{NewPass, PassView, TerrainView};

use super::{DONE, Done};
use crate::app::App;
use crate::auth::may::{ManageCourts, May, ViewPasses};
use crate::auth::{ForCaller, Peer, set_kiosk_cookie};
use crate::error::{ApiError, ApiResult, Body, Path};

#[derive(Serialize, ToSchema)]
pub(crate) struct PassesReply {
    success: bool,
    count: usize,
    passes: Vec<PassView>,
}

/// Passes of a court that still work; for administrators of the club.
#[utoipa::path(get, path = "/api/terrains/{id}/kiosk", tag = "clubs", params(("id" = i64, Path)),
    responses((status = 200, body = PassesReply)))]
pub(crate) async fn list(
    State(app): State<App>,
    May(who, ..): May<ViewPasses>,
    Path(id): Path<i64>,
) -> ApiResult<Json<PassesReply>> {
    let passes = app.control().courts.passes(&who, id)?;
    Ok(Json(PassesReply { success: true, count: passes.len(), passes }))
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct PassInput {
    /// 1–8760; 12 when it is left out.
    hours: Option<i64>,
    /// What to call it; the court's name when it is left out.
    name: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PassReply {
    success: bool,
    pass: PassView,
    /// Opens the court on whatever device follows it; shown this once.
    url: String,
    /// The same as a QR code: an SVG document.
    qr_svg: String,
}

/// Make a pass for the tablet beside a court; for administrators of the club.
#[utoipa::path(post, path = "/api/terrains/{id}/kiosk", tag = "clubs", params(("id" = i64, Path)),
    request_body = PassInput, responses((status = 201, body = PassReply)))]
pub(crate) async fn create(
    State(app): State<App>,
    May(who, ..): May<ManageCourts>,
    ForCaller(links): ForCaller,
    Path(id): Path<i64>,
    Body(input): Body<PassInput>,
) -> ApiResult<Response> {
    let new = NewPass { hours: input.hours, name: input.name };
    let (pass, secret) = app.control().courts.create_pass(&who, id, new).await?;
    let url = format!("{}/kiosk/{id}#{}", links.http(), secret.reveal());
    let qr_svg = qr(&url)?;
    Ok((StatusCode::CREATED, Json(PassReply { success: true, pass, url, qr_svg })).into_response())
}

/// End a pass; the tablet is out with its next call.
#[utoipa::path(delete, path = "/api/terrains/{id}/kiosk/{pass_id}", tag = "clubs",
    params(("id" = i64, Path), ("pass_id" = i64, Path)), responses((status = 200, body = Done)))]
pub(crate) async fn delete(
    State(app): State<App>,
    May(who, ..): May<ManageCourts>,
    Path((id, pass)): Path<(i64, i64)>,
) -> ApiResult<Json<Done>> {
    app.control().courts.delete_pass(&who, id, pass).await?;
    Ok(DONE)
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct KioskInput {
    /// What stands behind the `#` of the link.
    pass: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct KioskReply {
    success: bool,
    user: UserView,
    terrain: TerrainView,
    /// When the pass ends (RFC 3339).
    expires_at: String,
}

/// Hand in a pass: the cookie that comes back opens its court.
#[utoipa::path(post, path = "/api/auth/kiosk", tag = "sign-in", request_body = KioskInput,
    responses((status = 200, body = KioskReply)))]
pub(crate) async fn sign_in(State(app): State<App>, peer: Peer, Body(input): Body<KioskInput>) -> ApiResult<Response> {
    let done = app.control().courts.kiosk(peer.caller(), &Secret::new(input.pass)).await?;
    let body = KioskReply { success: true, user: done.user, terrain: done.terrain, expires_at: done.expires_at };
    let mut response = Json(body).into_response();
    set_kiosk_cookie(&mut response, &done.token, done.expires_in, app.settings().secure);
    Ok(response)
}

/// Black on white with the quiet zone that scanners need, whatever the page around it looks like.
fn qr(text: &str) -> ApiResult<String> {
    let code = QrCode::new(text.as_bytes()).map_err(|e| {
        tracing::error!(error = %e, "a link does not fit into a QR code");
        ApiError::from_status(StatusCode::INTERNAL_SERVER_ERROR)
    })?;
    let (black, white) = (svg::Color("#000"), svg::Color("#fff"));
    Ok(code.render().min_dimensions(256, 256).dark_color(black).light_color(white).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_becomes_a_picture_without_anything_but_shapes() {
        let svg = qr("http://192.0.2.9:5000/kiosk/7#vgt_0123456789abcdef0123456789abcdef0123456789a").unwrap();
        assert!(svg.starts_with("<?xml") && svg.trim_end().ends_with("</svg>"), "{}", &svg[..60]);
        for no in ["<script", "href", "vgt_", "onload"] {
            assert!(!svg.contains(no), "{no}");
        }
        assert!(qr(&"x".repeat(10_000)).is_err());
    }
}
