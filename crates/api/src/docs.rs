//! The page at `/api/docs`: our own, small, from this binary alone. It asks no other host for anything.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

/// The page and its two files.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move {
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text).into_response()
        })
    };
    Router::new()
        .route("/api/docs", file("text/html; charset=utf-8", include_str!("docs/index.html")))
        .route("/api/docs/style.css", file("text/css; charset=utf-8", include_str!("docs/style.css")))
        .route("/api/docs/app.js", file("text/javascript; charset=utf-8", include_str!("docs/app.js")))
}
