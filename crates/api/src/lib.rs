//! The HTTP surface: REST, events, the description of it all, metrics, and the embedded interface.
//!
//! **Nothing is decided here.** Rules live in `control`; this crate turns requests into its calls, and its answers into
//! the contract's envelopes. Routers of outputs (pictures, media over HTTP) are handed in by the binary: this crate
//! sees neither sources nor outputs.

mod app;
mod auth;
mod docs;
pub mod error;
mod http;
pub mod lang;
mod metrics;
mod openapi;
mod routes;
mod ui;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tower::Layer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::limit::RequestBodyLimitLayer;
use utoipa_axum::router::OpenApiRouter;

pub use app::{App, ListenerPort, LogLines, Settings};
pub use http::client::{Doors, Exposure, private_networks};
pub use http::origin::REQUEST_HEADER;
pub use metrics::{Reading, Readings};
pub use ui::is_built as ui_is_built;

use http::{client, envelope, headers, linger, slash};

/// Puts everything together. `outputs` are the routers of HTTP-shaped ways out; they are reached with a sign-in or a
/// ticket, and find who asks as `Extension<vigie_hub::Principal>`.
pub fn router(app: App, outputs: OpenApiRouter) -> Router {
    let public = openapi::mark(routes::public().with_state(app.clone()), openapi::Access::Public);
    let protected = openapi::mark(
        routes::protected().with_state(app.clone()).route_layer(from_fn(auth::require)),
        openapi::Access::SignIn,
    );
    let outputs = openapi::mark(outputs.route_layer(from_fn(auth::require_or_ticket)), openapi::Access::SignInOrTicket);
    let (routes, document) =
        OpenApiRouter::with_openapi(openapi::base()).merge(public).merge(protected).merge(outputs).split_for_parts();

    let inner = routes
        .merge(openapi::router(document))
        .merge(docs::router())
        .route_layer(from_fn_with_state(app.clone(), metrics::count))
        .fallback(ui::serve)
        .layer(from_fn(http::timeout))
        .layer(from_fn_with_state(app.clone(), auth::identify))
        .layer(RequestBodyLimitLayer::new(http::BODY_LIMIT))
        .layer(from_fn(envelope::apply))
        .layer(cors(&app))
        .layer(from_fn_with_state(app.clone(), client::admit))
        .layer(from_fn(headers::apply))
        .layer(from_fn_with_state(app.clone(), client::locate));

    // Routing has to see the path without its trailing slash, so this goes around the router, not into it.
    let trimmed = tower::util::MapRequestLayer::new(slash::trim::<axum::body::Body>).layer(inner);
    let trimmed = tower::util::MapRequestLayer::new(linger::wrap).layer(trimmed);
    Router::new().fallback_service(trimmed)
}

fn cors(app: &App) -> CorsLayer {
    let origins = &app.settings().cors_origins;
    if origins.is_empty() {
        // Says nothing: browsers then keep other pages out.
        return CorsLayer::new();
    }
    let origins: Vec<_> = origins.iter().filter_map(|o| o.trim_end_matches('/').parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods(tower_http::cors::AllowMethods::mirror_request())
        .allow_headers(tower_http::cors::AllowHeaders::mirror_request())
}
