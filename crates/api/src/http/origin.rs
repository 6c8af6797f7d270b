//! Which pages may act with a browser's cookie.
//!
//! **A cookie alone changes nothing.** A state-changing request that is let in by cookie must come from our own page
//! (`Sec-Fetch-Site`, else `Origin`) *and* carry the header `X-Requested-With`, which a foreign page cannot add without
//! asking us first (CORS preflight). WebSockets, which know no preflight, are held to their `Origin`.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};

use super::client::Client;
use crate::app::without_port;
use crate::error::ApiError;

/// The header that our own pages send with each change; its value does not matter.
pub const REQUEST_HEADER: &str = "x-requested-with";

/// Pages that may call us.
#[derive(Debug, Clone, Default)]
pub(crate) struct AllowedOrigins {
    /// `scheme://host[:port]`, lower case: `http.cors_origins` and `http.public_url`.
    pub(crate) extra: Vec<String>,
}

impl AllowedOrigins {
    /// From configured values.
    pub(crate) fn new<'a>(origins: impl IntoIterator<Item = &'a str>) -> Self {
        Self { extra: origins.into_iter().map(|o| o.trim_end_matches('/').to_ascii_lowercase()).collect() }
    }

    /// Whether one of them is on that host.
    pub(crate) fn names(&self, host: &str) -> bool {
        self.extra.iter().filter_map(|o| Some(o.split_once("://")?.1)).any(|h| name_of(h) == name_of(host))
    }

    fn allows(&self, origin: &str, host: Option<&str>) -> bool {
        let origin = origin.to_ascii_lowercase();
        if self.extra.contains(&origin) {
            return true;
        }
        // The scheme is left out: behind a TLS terminator the page is https and we are http.
        let authority = origin.split_once("://").map(|(_, a)| a);
        matches!((authority, host), (Some(a), Some(h)) if a.eq_ignore_ascii_case(h))
    }
}

/// The host that the client believes it talks to.
pub(crate) fn host_of(request: &Request) -> Option<&str> {
    let forwarded = request.extensions().get::<Client>().and_then(|c| c.host.as_deref());
    if forwarded.is_some() {
        return forwarded;
    }
    request
        .uri()
        .authority()
        .map(axum::http::uri::Authority::as_str)
        .or_else(|| request.headers().get(header::HOST).and_then(|v| v.to_str().ok()))
}

/// Whether that host means this machine by an address, or as `localhost`.
pub(crate) fn names_this_machine(host: &str) -> bool {
    let name = name_of(host);
    name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok()
}

/// Whether that host is named in a way that nobody on the internet can give out: an address, a single word, or a name
/// of those that are kept for local networks (RFC 6762, RFC 8375, ICANN's `.internal`).
pub(crate) fn is_of_this_network(host: &str) -> bool {
    let name = name_of(host);
    let kept = [".local", ".lan", ".home", ".home.arpa", ".internal"];
    names_this_machine(host) || !name.contains('.') || kept.iter().any(|end| name.ends_with(end))
}

fn name_of(host: &str) -> String {
    without_port(host).trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase()
}

/// Whether the request changes something.
pub(crate) fn changes_state(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Whether the request asks for a WebSocket.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    let has = |name, word: &str| {
        headers.get(name).and_then(|v| v.to_str().ok()).is_some_and(|v| v.to_ascii_lowercase().contains(word))
    };
    has(header::UPGRADE, "websocket") || headers.contains_key(header::SEC_WEBSOCKET_KEY)
}

/// Refuses requests that a foreign page made.
pub(crate) fn check(request: &Request, by_cookie: bool, allowed: &AllowedOrigins) -> Result<(), ApiError> {
    let headers = request.headers();
    let changes = changes_state(request.method());
    if !changes && !is_upgrade(headers) {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let refused = || ApiError::new(axum::http::StatusCode::FORBIDDEN, "bad_origin");
    let origin_fits = text("origin").map(|o| allowed.allows(o, host_of(request)));
    if origin_fits == Some(false) {
        return Err(refused());
    }
    // Without an `Origin` the browser's own judgement decides; neither means that no browser is involved.
    if origin_fits.is_none() && matches!(text("sec-fetch-site"), Some("cross-site" | "same-site")) {
        return Err(refused());
    }
    if by_cookie && changes && !headers.contains_key(REQUEST_HEADER) {
        return Err(ApiError::new(axum::http::StatusCode::FORBIDDEN, "csrf")
            .message("send the header `X-Requested-With: vigie`, or an `Authorization` header instead of the cookie"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn request(method: &str, headers: &[(&str, &str)]) -> Request {
        let mut b = Request::builder().method(method).uri("/api/cameras").header("host", "vigie.local:5000");
        for (k, v) in headers {
            b = b.header(*k, *v);
        }
        b.body(Body::empty()).unwrap()
    }

    fn code(method: &str, headers: &[(&str, &str)], cookie: bool) -> Option<&'static str> {
        let allowed = AllowedOrigins::new(["http://localhost:5173/"]);
        check(&request(method, headers), cookie, &allowed).err().map(|e| e.code)
    }

    #[test]
    fn our_own_page_may_act_and_a_foreign_one_may_not() {
        let ours = [("origin", "http://vigie.local:5000"), (REQUEST_HEADER, "1")];
        assert_eq!(code("POST", &ours, true), None);
        assert_eq!(code("POST", &[("origin", "https://vigie.local:5000"), (REQUEST_HEADER, "1")], true), None);
        assert_eq!(code("POST", &[("origin", "http://localhost:5173"), (REQUEST_HEADER, "1")], true), None);
        assert_eq!(code("POST", &[("origin", "http://evil.example"), (REQUEST_HEADER, "1")], true), Some("bad_origin"));
        assert_eq!(code("POST", &[("origin", "null"), (REQUEST_HEADER, "1")], true), Some("bad_origin"));
        assert_eq!(
            code("DELETE", &[("sec-fetch-site", "cross-site"), (REQUEST_HEADER, "1")], true),
            Some("bad_origin")
        );
    }

    #[test]
    fn names_of_the_internet_are_told_from_those_of_a_building() {
        for ours in
            ["localhost:5000", "[::1]:5000", "192.168.1.9", "vigie", "vigie.local:5000", "nvr.home.arpa", "NVR.lan."]
        {
            assert!(is_of_this_network(ours), "{ours}");
        }
        for theirs in ["evil.example", "local.evil.example:5000", "127.0.0.1.evil.example", "notlocal.example"] {
            assert!(!is_of_this_network(theirs), "{theirs}");
        }
        let allowed = AllowedOrigins::new(["https://vigie.example:8443"]);
        assert!(allowed.names("vigie.example") && !allowed.names("evil.example"));
    }

    #[test]
    fn a_cookie_needs_the_header_and_a_token_does_not() {
        assert_eq!(code("POST", &[], true), Some("csrf"));
        assert_eq!(code("POST", &[], false), None);
        assert_eq!(code("GET", &[], true), None);
    }

    #[test]
    fn web_sockets_are_held_to_their_origin() {
        let ws = |o| [("upgrade", "websocket"), ("origin", o)];
        assert_eq!(code("GET", &ws("http://vigie.local:5000"), true), None);
        assert_eq!(code("GET", &ws("http://evil.example"), true), Some("bad_origin"));
        assert_eq!(code("GET", &[("upgrade", "websocket")], true), None);
    }
}
