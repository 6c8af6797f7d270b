//! Who asks. **Identifying never refuses**: it finds out who somebody is, and the layer of the route decides whether
//! that is enough. Credentials are looked for in this order: `Authorization: Bearer` (access or API token), the cookie
//! of a browser that signed in, and `?ticket=` on routes that show media.

pub(crate) mod may;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use vigie_base::Secret;
use vigie_control::auth::{Caller, SignedIn};
use vigie_control::{Identity, Links};
use vigie_hub::Principal;

use crate::app::App;
use crate::error::ApiError;
use crate::http::client::{Client, Doors};
use crate::http::origin;

/// Cookie of the access token.
pub(crate) const ACCESS_COOKIE: &str = "vigie_session";
/// Cookie of the refresh token; sent to `/api/auth` alone.
pub(crate) const REFRESH_COOKIE: &str = "vigie_refresh";

/// A valid ticket came with the request.
#[derive(Debug, Clone, Copy)]
struct TicketHolder;

/// Finds out who asks, and keeps foreign pages from acting with a browser's cookie.
pub(crate) async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let address = request.extensions().get::<Client>().map(|c| c.address);
    let headers = request.headers();
    let bearer = bearer(headers);
    let with_cookie =
        bearer.is_none() && (cookie(headers, ACCESS_COOKIE).is_some() || cookie(headers, REFRESH_COOKIE).is_some());
    if let Err(e) = origin::check(&request, with_cookie, app.origins()) {
        return e.into_response();
    }
    let token = bearer.or_else(|| cookie(headers, ACCESS_COOKIE));
    let identity = token.and_then(|t| app.control().auth.authenticate(t).ok());
    let identity = identity.or_else(|| is_open(&app, &request).then(Identity::open));
    let ticket = query_value(request.uri().query(), "ticket");
    let holder = identity.is_none() && ticket.as_deref().is_some_and(|t| app.control().auth.redeem_ticket(t).is_some());
    let principal = match (&identity, ticket) {
        (Some(who), _) => who.principal(),
        (None, Some(t)) if holder => Principal::Ticket(t),
        _ => Principal::Anonymous,
    };
    let links = app.links_for(&request);
    let extensions = request.extensions_mut();
    extensions.insert(principal);
    extensions.insert(links);
    if let Some(who) = identity {
        extensions.insert(Identity { address, ..who });
    }
    if holder {
        extensions.insert(TicketHolder);
    }
    next.run(request).await
}

/// Whether this request may do everything without a sign-in (`auth.mode = "open"`).
fn is_open(app: &App, request: &Request) -> bool {
    let peer = Peer::of(request.extensions(), origin::host_of(request));
    match app.settings().exposure.doors {
        Doors::Locked => false,
        Doors::OpenHere => peer.at_this_machine(),
        // A name that the internet gave out may be made to mean this machine while a page of that name is open.
        Doors::OpenToAll => {
            let host = origin::host_of(request);
            host.is_none_or(|h| origin::is_of_this_network(h) || app.origins().names(h))
        }
    }
}

/// Lets in who signed in.
pub(crate) async fn require(request: Request, next: Next) -> Response {
    if request.extensions().get::<Identity>().is_none() {
        return ApiError::unauthenticated().into_response();
    }
    next.run(request).await
}

/// Lets in who signed in or holds a ticket; whether it is a ticket for this, the gate says.
pub(crate) async fn require_or_ticket(request: Request, next: Next) -> Response {
    let e = request.extensions();
    if e.get::<Identity>().is_none() && e.get::<TicketHolder>().is_none() {
        return ApiError::unauthenticated().into_response();
    }
    next.run(request).await
}

/// Who signed in.
#[derive(Debug, Clone)]
pub(crate) struct Who(pub(crate) Identity);

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Identity>().cloned().map(Self).ok_or_else(ApiError::unauthenticated)
    }
}

/// Addresses for answers.
#[derive(Debug, Clone)]
pub(crate) struct ForCaller(pub(crate) Links);

impl FromRequestParts<App> for ForCaller {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Links>().cloned().unwrap_or_else(|| app.links())))
    }
}

/// Where the request comes from ([`Client`]). Headers never raise trust; they only lower it: what a proxy on this
/// machine passes on comes from loopback, but not from somebody at this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    address: IpAddr,
    forwarded: bool,
    /// The request names this machine by an address or as `localhost`. A page of the internet whose name was made to
    /// mean 127.0.0.1 (DNS rebinding) names it otherwise.
    plainly_named: bool,
}

impl Peer {
    fn of(extensions: &axum::http::Extensions, host: Option<&str>) -> Self {
        let client = extensions.get::<Client>();
        // Without a note of where it comes from nobody is trusted: this address is not loopback.
        let address = client.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |c| c.address);
        let forwarded = client.is_none_or(|c| c.forwarded);
        Self { address, forwarded, plainly_named: host.is_none_or(origin::names_this_machine) }
    }

    /// For counting attempts.
    pub(crate) fn caller(self) -> Caller {
        Caller { address: self.address }
    }

    /// For what is free at this machine alone: an address that is loopback only when the person is.
    pub(crate) fn local_caller(self) -> Caller {
        let stranger = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Caller {
            address: if self.at_this_machine() || !self.address.to_canonical().is_loopback() {
                self.address
            } else {
                stranger
            },
        }
    }

    /// Whether the person is at this machine, and meant it.
    pub(crate) fn at_this_machine(self) -> bool {
        self.is_loopback() && self.plainly_named
    }

    pub(crate) fn is_loopback(self) -> bool {
        !self.forwarded && self.address.to_canonical().is_loopback()
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let host = parts.uri.authority().map(axum::http::uri::Authority::as_str);
        let host = host.or_else(|| parts.headers.get(header::HOST).and_then(|v| v.to_str().ok()));
        Ok(Self::of(&parts.extensions, host))
    }
}

/// The refresh token that a browser holds.
#[derive(Debug)]
pub(crate) struct RefreshToken(pub(crate) Option<Secret>);

impl<S: Sync> FromRequestParts<S> for RefreshToken {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(cookie(&parts.headers, REFRESH_COOKIE).map(Secret::new)))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(n, v)| *n == name && !v.is_empty())
        .map(|(_, v)| v)
}

/// A query value that needs no decoding: tickets are made of URL-safe characters.
fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    query?.split('&').filter_map(|p| p.split_once('=')).find(|(n, _)| *n == name).map(|(_, v)| v.to_owned())
}

/// The cookies of a sign-in.
pub(crate) fn set_cookies(response: &mut Response, signed_in: &SignedIn, secure: bool) {
    put(response, ACCESS_COOKIE, signed_in.token.reveal(), "/", signed_in.expires_in, secure);
    put(response, REFRESH_COOKIE, signed_in.refresh_token.reveal(), "/api/auth", signed_in.refresh_expires_in, secure);
}

/// The cookie of a tablet: its pass. There is nothing to refresh.
pub(crate) fn set_kiosk_cookie(response: &mut Response, pass: &Secret, lives: Duration, secure: bool) {
    put(response, ACCESS_COOKIE, pass.reveal(), "/", lives.as_secs(), secure);
    put(response, REFRESH_COOKIE, "", "/api/auth", 0, secure);
}

/// Takes them back.
pub(crate) fn clear_cookies(response: &mut Response, secure: bool) {
    put(response, ACCESS_COOKIE, "", "/", 0, secure);
    put(response, REFRESH_COOKIE, "", "/api/auth", 0, secure);
}

fn put(response: &mut Response, name: &str, value: &str, path: &str, max_age: u64, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path={path}; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}");
    // Tokens are made of URL-safe characters, so this always fits into a header.
    if let Ok(mut v) = HeaderValue::try_from(text) {
        v.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, v);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_where_they_belong() {
        let mut h = HeaderMap::new();
        h.insert(header::AUTHORIZATION, HeaderValue::from_static("bearer abc"));
        h.append(header::COOKIE, HeaderValue::from_static("a=1; vigie_session=xyz"));
        h.append(header::COOKIE, HeaderValue::from_static("vigie_refresh=r"));
        assert_eq!(bearer(&h), Some("abc"));
        assert_eq!((cookie(&h, ACCESS_COOKIE), cookie(&h, REFRESH_COOKIE)), (Some("xyz"), Some("r")));
        assert_eq!(cookie(&h, "session"), None);
        assert_eq!(query_value(Some("a=1&ticket=t-1"), "ticket").as_deref(), Some("t-1"));
    }

    #[test]
    fn a_forwarded_request_does_not_come_from_this_machine() {
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let here = Peer { address: local, forwarded: false, plainly_named: true };
        assert!(here.is_loopback() && here.local_caller().address.is_loopback());
        let proxied = Peer { forwarded: true, ..here };
        assert!(!proxied.is_loopback() && !proxied.local_caller().address.is_loopback());
        let rebound = Peer { plainly_named: false, ..here };
        assert!(!rebound.at_this_machine() && !rebound.local_caller().address.is_loopback());
        for (host, plain) in [
            ("localhost:5000", true),
            ("127.0.0.1", true),
            ("[::1]:5000", true),
            ("evil.example:5000", false),
            ("localhost.evil", false),
        ] {
            assert_eq!(origin::names_this_machine(host), plain, "{host}");
        }
    }

    #[test]
    fn cookies_are_out_of_reach_of_scripts_and_other_sites() {
        let mut r = ().into_response();
        put(&mut r, "n", "v", "/", 60, true);
        let c = r.headers()[header::SET_COOKIE].to_str().unwrap();
        for part in ["HttpOnly", "SameSite=Strict", "Secure", "Max-Age=60", "Path=/"] {
            assert!(c.contains(part), "{c}");
        }
    }
}
