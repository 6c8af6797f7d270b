//! Headers that every answer carries.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::origin::host_of;

/// What the page may load: itself, pictures and media that it makes from received bytes, WebSockets to this host.
fn policy(host: Option<&str>) -> String {
    // `'self'` covers same-host WebSockets only in newer browsers, so they are named as well.
    let sockets = host.map(|h| format!(" ws://{h} wss://{h}")).unwrap_or_default();
    format!(
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
         media-src 'self' blob:; worker-src 'self' blob:; connect-src 'self'{sockets}; font-src 'self' data:; \
         object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )
}

/// Adds the security headers, and `no-store` where nothing else was said about caching.
pub(crate) async fn apply(State(()): State<()>, request: Request, next: Next) -> Response {
    let host = host_of(&request).filter(|h| is_plain_host(h)).map(str::to_owned);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(v) = HeaderValue::try_from(policy(host.as_deref())) {
        headers.insert(header::CONTENT_SECURITY_POLICY, v);
    }
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::X_FRAME_OPTIONS, "DENY");
    set(headers, header::REFERRER_POLICY, "same-origin");
    set(headers, header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(headers, header::HeaderName::from_static("permissions-policy"), "camera=(), microphone=(self), geolocation=()");
    if !headers.contains_key(header::CACHE_CONTROL) {
        set(headers, header::CACHE_CONTROL, "no-store");
    }
    response
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

/// A host that can stand in a policy without ending the directive.
fn is_plain_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 260
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_cannot_write_into_the_policy() {
        assert!(is_plain_host("vigie.local:5000") && is_plain_host("[::1]:5000"));
        for bad in ["a; script-src *", "a b", "", "a,b", "a'b"] {
            assert!(!is_plain_host(bad), "{bad}");
        }
        assert!(policy(Some("h:1")).contains("ws://h:1 wss://h:1"));
    }
}
