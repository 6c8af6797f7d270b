//! The description of the whole surface (contract §0.8.10), put together from the handlers themselves.
//!
//! Who may call an operation is not written at each handler: the group that a route is in decides it, here and in the
//! router alike, so that the two cannot disagree.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    ResponseBuilder, Schema, Type,
};
use utoipa_axum::router::OpenApiRouter;

use crate::auth::ACCESS_COOKIE;
use crate::http::origin::REQUEST_HEADER;

/// What a group of routes asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing.
    Public,
    /// A sign-in or API token.
    SignIn,
    /// The same, or a ticket.
    SignInOrTicket,
}

/// The document before any route is in it.
pub(crate) fn base() -> OpenApi {
    let description = format!(
        "Every JSON answer carries `success`; a failure also has a stable `code` and an `error` sentence in the \
         language of `Accept-Language` (en, fr). A trailing slash makes no difference. Sign in with \
         `POST /api/auth/login`, then send the token as `Authorization: Bearer …`, or let the browser's cookie do it. \
         A request that changes something and is let in by cookie must carry the header `{REQUEST_HEADER}`."
    );
    let text = || RefOr::T(Schema::Object(ObjectBuilder::new().schema_type(Type::String).build()));
    let failure = ObjectBuilder::new()
        .description(Some("A failure."))
        .property("success", ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([false])))
        .property("error", text())
        .property("code", text())
        .property("message", text())
        .property("details", ObjectBuilder::new())
        .required("success")
        .required("error")
        .required("code")
        .build();
    let components = ComponentsBuilder::new()
        .schema("Failure", Schema::Object(failure))
        .response(
            "Failure",
            ResponseBuilder::new()
                .description("It did not work: `code` says why.")
                .content(
                    "application/json",
                    ContentBuilder::new().schema(Some(Ref::from_schema_name("Failure"))).build(),
                )
                .build(),
        )
        .security_scheme("bearer", SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()))
        .security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(ACCESS_COOKIE))))
        .security_scheme("ticket", SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::new("ticket"))))
        .build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Vigie")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(description))
                .license(Some(
                    LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0")).build(),
                ))
                .build(),
        )
        .components(Some(components))
        .build()
}

/// Writes into each operation of a group its unique name, who may call it, and that it can fail.
pub(crate) fn mark<S: Clone + Send + Sync + 'static>(mut router: OpenApiRouter<S>, access: Access) -> OpenApiRouter<S> {
    for (path, item) in &mut router.get_openapi_mut().paths.paths {
        for (method, operation) in operations(item) {
            // The handlers' own names repeat (`list`, `delete`); OpenAPI wants each name once.
            operation.operation_id = Some(operation_id(method, path));
            operation.security = Some(requirements(access));
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(r) = response
                    && r.description.is_empty()
                {
                    // OpenAPI demands a description of every answer.
                    r.description = reason(status).to_owned();
                }
            }
            operation
                .responses
                .responses
                .entry("default".to_owned())
                .or_insert_with(|| RefOr::Ref(Ref::from_response_name("Failure")));
        }
    }
    router
}

fn requirements(access: Access) -> Vec<SecurityRequirement> {
    let need = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
    match access {
        Access::Public => Vec::new(),
        Access::SignIn => vec![need("bearer"), need("cookie")],
        Access::SignInOrTicket => vec![need("bearer"), need("cookie"), need("ticket")],
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("delete", &mut item.delete),
        ("patch", &mut item.patch),
        ("head", &mut item.head),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn reason(status: &str) -> &'static str {
    let status = status.parse().ok().and_then(|s| axum::http::StatusCode::from_u16(s).ok());
    status.and_then(|s| s.canonical_reason()).unwrap_or("An answer.")
}

/// `get_api_cameras_id_streams` for `GET /api/cameras/{id}/streams`.
fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

/// Serves the finished document.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(document: OpenApi) -> Router<S> {
    // Written once: it cannot change while the process runs.
    let json: Arc<str> = document.to_json().unwrap_or_default().into();
    let serve = move || {
        let json = Arc::clone(&json);
        async move { ([(header::CONTENT_TYPE, "application/json")], json.to_string()).into_response() }
    };
    Router::new().route("/api/openapi.json", get(serve))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_named_after_their_method_and_path() {
        assert_eq!(operation_id("get", "/api/cameras/{id}/streams"), "get_api_cameras_id_streams");
        assert_eq!(operation_id("get", "/proxy/{session_id}/stream.mjpg"), "get_proxy_session_id_stream_mjpg");
        assert_ne!(operation_id("get", "/api/health"), operation_id("get", "/health"));
    }
}
