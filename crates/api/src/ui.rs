//! The web interface, inside the binary.
//!
//! Files under `assets/` carry their hash in their name and may be kept for ever; everything else is asked for again
//! with its ETag. Any other address of a page is answered with `index.html`: the page knows its own places.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::error::ApiError;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// First parts of paths that belong to programs: a wrong one is an error, not a page.
const NOT_PAGES: [&str; 12] =
    ["api", "assets", "cam", "health", "hls", "metrics", "onvif", "proxy", "socket.io", "static", "whep", "whip"];

/// Whether the interface was built into this binary (or, in development, next to it).
pub fn is_built() -> bool {
    Dist::get("index.html").is_some()
}

/// Answers what no route took.
pub(crate) async fn serve(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    let reading = matches!(*request.method(), Method::GET | Method::HEAD);
    if let Some(found) = (reading && !path.is_empty()).then(|| Dist::get(path)).flatten() {
        return file(&request, path, found);
    }
    if !reading || NOT_PAGES.contains(&first) || last_part_has_extension(path) {
        return ApiError::no_such_route().into_response();
    }
    match Dist::get("index.html") {
        Some(index) => file(&request, "index.html", index),
        None => not_built(),
    }
}

fn last_part_has_extension(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|p| p.contains('.'))
}

fn takes_gzip(request: &Request) -> bool {
    let accepted = request.headers().get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|e| {
        let mut parts = e.split(';').map(str::trim);
        parts.next() == Some("gzip") && !parts.any(|q| matches!(q, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn file(request: &Request, path: &str, plain: EmbeddedFile) -> Response {
    // Packed when the interface was built, so nothing is packed while somebody waits.
    let packed = if takes_gzip(request) { Dist::get(&format!("{path}.gz")) } else { None };
    let is_packed = packed.is_some();
    let found = packed.unwrap_or(plain);
    let etag = etag(&found.metadata.sha256_hash());
    let caching = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.split(',').any(|t| t.trim().trim_start_matches("W/") == etag));
    let mut builder = Response::builder()
        .header(header::ETAG, &etag)
        .header(header::CACHE_CONTROL, caching)
        .header(header::VARY, "Accept-Encoding");
    if is_packed {
        builder = builder.header(header::CONTENT_ENCODING, "gzip");
    }
    let response = if known {
        builder.status(StatusCode::NOT_MODIFIED).body(Body::empty())
    } else {
        let body = match found.data {
            Cow::Borrowed(b) => Body::from(b),
            Cow::Owned(v) => Body::from(v),
        };
        builder.header(header::CONTENT_TYPE, content_type(path)).body(body)
    };
    response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn etag(hash: &[u8; 32]) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(34);
    out.push('"');
    for b in &hash[..16] {
        let _ = write!(out, "{b:02x}");
    }
    out.push('"');
    out
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// What a browser sees when the binary was built without the interface.
fn not_built() -> Response {
    const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Vigie</title>\
        <body style=\"font:16px/1.5 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem\">\
        <h1>Vigie is running</h1><p>The web interface was not built into this binary. Run <code>make build</code>, \
        which builds it first, and start Vigie again.</p><p>The API works: <a href=\"/api/docs\">its documentation</a>, \
        <a href=\"/api/openapi.json\">its description</a>.</p></body></html>";
    let mut r = (StatusCode::OK, PAGE).into_response();
    r.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    r
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &str) -> Response {
        serve(Request::builder().uri(path).body(Body::empty()).unwrap()).await
    }

    #[tokio::test]
    async fn pages_are_answered_and_programs_get_errors() {
        for page in ["/", "/cameras/3", "/settings"] {
            let r = get(page).await;
            assert_eq!(r.status(), StatusCode::OK, "{page}");
            assert!(r.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
        }
        for wrong in ["/api/nothing", "/assets/x.js", "/favicon.nothing", "/proxy/x/y"] {
            assert_eq!(get(wrong).await.status(), StatusCode::NOT_FOUND, "{wrong}");
        }
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let asks = |accepted: &str| {
            takes_gzip(&Request::builder().header(header::ACCEPT_ENCODING, accepted).body(Body::empty()).unwrap())
        };
        assert!(asks("gzip, deflate, br") && asks("br;q=1.0, gzip;q=0.8"));
        assert!(!asks("identity") && !asks("gzip;q=0") && !asks(""));
    }

    #[tokio::test]
    async fn a_known_file_is_not_sent_again() {
        if !is_built() {
            return;
        }
        let etag = get("/").await.headers()[header::ETAG].clone();
        let again = Request::builder().uri("/").header(header::IF_NONE_MATCH, etag).body(Body::empty()).unwrap();
        assert_eq!(serve(again).await.status(), StatusCode::NOT_MODIFIED);
    }
}
