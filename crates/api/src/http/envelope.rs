//! **No failure leaves without an envelope**, whoever made it: our handlers, an output's router, axum or a layer.

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::Value;

use crate::error::ApiError;
use crate::lang::Lang;

/// Bodies of failures larger than this are passed on as they are.
const MAX_BODY: usize = 64 << 10;

/// Headers of the original answer that stay true when its body is replaced.
const KEPT: [header::HeaderName; 6] = [
    header::ALLOW,
    header::RETRY_AFTER,
    header::CONTENT_RANGE,
    header::WWW_AUTHENTICATE,
    header::SET_COOKIE,
    header::VARY,
];

/// The language that the request asks for.
pub(crate) fn lang(headers: &HeaderMap) -> Lang {
    Lang::negotiate(headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()))
}

/// Gives failures their envelope, in the caller's language.
pub(crate) async fn apply(request: Request, next: Next) -> Response {
    let lang = lang(request.headers());
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    if let Some(e) = response.extensions().get::<ApiError>() {
        let rendered = e.render(lang);
        return keep_headers(response.headers(), rendered);
    }
    if !is_json(response.headers()) {
        let text = is_text(response.headers());
        let (parts, body) = response.into_parts();
        let mut error = ApiError::from_status(status);
        // Frameworks explain client mistakes in plain text; our own failures stay in the log.
        if text
            && status.is_client_error()
            && let Ok(bytes) = axum::body::to_bytes(body, MAX_BODY).await
            && let Ok(s) = std::str::from_utf8(&bytes)
            && !s.trim().is_empty()
        {
            error = error.message(s.trim());
        }
        return keep_headers(&parts.headers, error.render(lang));
    }
    translate(response, lang).await
}

/// An envelope that an output's router wrote: outputs know codes, not languages.
async fn translate(response: Response, lang: Lang) -> Response {
    if response.body().size_hint().upper().is_none_or(|n| n > MAX_BODY as u64) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, MAX_BODY).await else {
        return keep_headers(&parts.headers, ApiError::from_status(parts.status).render(lang));
    };
    let parsed: Option<Value> = serde_json::from_slice(&bytes).ok();
    let Some(code) = parsed.as_ref().and_then(|v| v["code"].as_str()) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    let mut error = ApiError::from_status(parts.status);
    error.code = known(code).unwrap_or(error.code);
    if error.code != code {
        // A code that has no sentence of its own: the output's words are better than ours.
        return Response::from_parts(parts, Body::from(bytes));
    }
    let v = parsed.unwrap_or_default();
    error.message = v["message"].as_str().or_else(|| v["error"].as_str()).map(str::to_owned);
    error.details = v.get("details").cloned();
    keep_headers(&parts.headers, error.render(lang))
}

fn known(code: &str) -> Option<&'static str> {
    crate::error::known_code(code)
}

fn is_json(headers: &HeaderMap) -> bool {
    content_type(headers).is_some_and(|t| t.starts_with("application/json"))
}

fn is_text(headers: &HeaderMap) -> bool {
    content_type(headers).is_some_and(|t| t.starts_with("text/plain"))
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

fn keep_headers(from: &HeaderMap, mut to: Response) -> Response {
    for name in KEPT {
        for value in from.get_all(&name) {
            if name == header::SET_COOKIE {
                to.headers_mut().append(&name, value.clone());
            } else {
                to.headers_mut().insert(&name, value.clone());
            }
        }
    }
    to
}
