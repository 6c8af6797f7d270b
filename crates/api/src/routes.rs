//! The routes by subject, and which of them need no sign-in.

mod audit;
mod auth;
mod cameras;
mod clubs;
mod diagnose;
mod events;
mod files;
mod health;
mod kiosk;
mod lock;
mod markers;
mod part;
mod preview;
mod range;
mod record;
mod session;
mod setup;
mod terrains;
mod users;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// Routes that anybody may call.
pub(crate) fn public() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(health::alive))
        .routes(routes!(health::health))
        .routes(routes!(health::video))
        .routes(routes!(health::metrics))
        .routes(routes!(setup::state, setup::run))
        .routes(routes!(auth::login))
        .routes(routes!(auth::refresh))
        .routes(routes!(kiosk::sign_in))
}

/// Routes for those who signed in; what each may do, `control` decides.
pub(crate) fn protected() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(auth::logout))
        .routes(routes!(auth::me))
        .routes(routes!(auth::password))
        .routes(routes!(auth::stream_password))
        .routes(routes!(auth::tokens, auth::create_token))
        .routes(routes!(auth::delete_token))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::get, users::change, users::delete))
        .routes(routes!(users::reset))
        .routes(routes!(audit::list))
        .routes(routes!(clubs::list, clubs::create))
        .routes(routes!(clubs::get, clubs::change, clubs::delete))
        .routes(routes!(terrains::all))
        .routes(routes!(terrains::of_club, terrains::create))
        .routes(routes!(terrains::get, terrains::change, terrains::delete))
        .routes(routes!(kiosk::list, kiosk::create))
        .routes(routes!(kiosk::delete))
        .routes(routes!(health::cameras))
        .routes(routes!(health::reconnect))
        .routes(routes!(cameras::list, cameras::create))
        .routes(routes!(cameras::test_new))
        .routes(routes!(cameras::get, cameras::replace, cameras::change, cameras::delete))
        .routes(routes!(cameras::test))
        .routes(routes!(cameras::streams))
        .routes(routes!(cameras::events))
        .routes(routes!(cameras::ticket))
        .routes(routes!(session::create))
        .routes(routes!(session::close))
        .routes(routes!(session::list))
        .routes(routes!(record::start))
        .routes(routes!(record::stop))
        .routes(routes!(record::status))
        .routes(routes!(record::estimate))
        .routes(routes!(record::log))
        .routes(routes!(markers::mark))
        .routes(routes!(markers::list))
        .routes(routes!(markers::delete))
        .routes(routes!(preview::ticket))
        .routes(routes!(files::list))
        .routes(routes!(files::download))
        .routes(routes!(part::clip))
        .routes(routes!(files::delete))
        .routes(routes!(lock::lock))
        .routes(routes!(files::clean_up))
        .routes(routes!(diagnose::diagnose))
        .routes(routes!(events::list))
        .routes(routes!(events::stream))
        .routes(routes!(events::socket))
}

/// An answer that carries nothing but its success.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct Done {
    /// Always true.
    success: bool,
}

/// A field that was sent, be it null; with `default`, one that was not sent is `None`.
fn sent<'de, T, D>(d: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(d).map(Some)
}

/// It worked, and there is nothing more to say.
pub(crate) const DONE: axum::Json<Done> = axum::Json(Done { success: true });
