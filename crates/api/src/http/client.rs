//! Where a request comes from, and whether requests from there are taken.
//!
//! **A header is believed only when a trusted proxy sent it** (`http.trusted_proxies`); otherwise the socket's peer is
//! the client. Of a chain of proxies the rightmost address counts that is not a trusted proxy itself: what stands
//! further left is the client's own word.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

use super::envelope;
use crate::app::App;
use crate::error::ApiError;

/// Who may reach the server, and whose word counts.
#[derive(Debug, Clone)]
pub struct Exposure {
    /// Networks that requests are taken from (`http.allowed_networks`). This machine always is one.
    pub allowed: Vec<IpNet>,
    /// Proxies that are believed (`http.trusted_proxies`).
    pub trusted: Vec<IpNet>,
    /// Whether people sign in (`auth.mode`).
    pub doors: Doors,
}

/// Whether people sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doors {
    /// They do.
    Locked,
    /// Whoever is at this machine may do everything.
    OpenHere,
    /// Everybody may do everything.
    OpenToAll,
}

impl Default for Exposure {
    fn default() -> Self {
        Self { allowed: private_networks(), trusted: Vec::new(), doors: Doors::Locked }
    }
}

/// The networks of a building: private (RFC 1918), shared (RFC 6598), link-local, loopback, unique local (RFC 4193).
pub fn private_networks() -> Vec<IpNet> {
    let networks = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    ];
    networks.iter().filter_map(|n| n.parse().ok()).collect()
}

impl Exposure {
    fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || contains(&self.allowed, address)
    }
}

/// An IPv4 address that came over an IPv6 socket is the IPv4 address.
fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|n| match (n, address) {
        (IpNet::V6(n), IpAddr::V4(v4)) if n.prefix_len() >= 96 => n.contains(&v4.to_ipv6_mapped()),
        _ => n.contains(&address),
    })
}

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    /// The client's address; the unspecified one when nobody knows it.
    pub(crate) address: IpAddr,
    /// Whether the request was passed on by somebody, whoever says so: the person is then not at this machine.
    pub(crate) forwarded: bool,
    /// `http` or `https`, as a trusted proxy was asked.
    pub(crate) scheme: Option<&'static str>,
    /// Host and perhaps port, as a trusted proxy was asked.
    pub(crate) host: Option<String>,
}

impl Client {
    fn of(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip"].iter().any(|h| headers.contains_key(*h));
        // A server that was built without peer addresses trusts nobody: this address is no network's.
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let mut client = Self { address: peer.to_canonical(), forwarded, scheme: None, host: None };
        if !contains(trusted, peer) {
            return client;
        }
        client.address = behind(headers, trusted).unwrap_or(client.address);
        client.scheme = last(headers, "x-forwarded-proto").and_then(|s| match s.to_ascii_lowercase().as_str() {
            "http" | "ws" => Some("http"),
            "https" | "wss" => Some("https"),
            _ => None,
        });
        client.host = last(headers, "x-forwarded-host").filter(|h| is_host(h));
        client
    }
}

/// The rightmost address that is no trusted proxy; the leftmost when all are.
fn behind(headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let chain: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .map(str::trim)
        .collect();
    let mut found = None;
    for entry in chain.into_iter().rev() {
        // What is no address was written by nobody we trust: the last one that is stays.
        let Some(address) = address_of(entry) else { break };
        found = Some(address);
        if !contains(trusted, address) {
            break;
        }
    }
    found
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn address_of(entry: &str) -> Option<IpAddr> {
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    let parsed = bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|s| s.ip()));
    parsed.map(|a: IpAddr| a.to_canonical())
}

fn last(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
}

fn is_host(host: &str) -> bool {
    host.len() <= 260
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
}

/// Notes where the request comes from, for all that follows.
pub(crate) async fn locate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
    let client = Client::of(peer, request.headers(), &app.settings().exposure.trusted);
    let over_tls = client.scheme == Some("https");
    request.extensions_mut().insert(client);
    let mut response = next.run(request).await;
    if over_tls {
        secure_cookies(response.headers_mut());
    }
    response
}

/// Cookies that a browser gets over TLS are sent back over TLS alone, though we speak none with the proxy.
fn secure_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<_> = headers.get_all(header::SET_COOKIE).iter().cloned().collect();
    headers.remove(header::SET_COOKIE);
    for cookie in cookies {
        let text = cookie.to_str().unwrap_or_default();
        let marked = if text.contains("; Secure") { None } else { format!("{text}; Secure").try_into().ok() };
        headers.append(header::SET_COOKIE, marked.unwrap_or(cookie));
    }
}

/// Takes requests from the networks that may ask, and no others (contract GEN-063).
pub(crate) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let exposure = &app.settings().exposure;
    let Some(client) = request.extensions().get::<Client>().filter(|c| !exposure.allows(c.address)) else {
        return next.run(request).await;
    };
    tracing::debug!(address = %client.address, "refused: not in http.allowed_networks");
    let message = format!("{} is in none of the networks of `http.allowed_networks`", client.address);
    ApiError::new(StatusCode::FORBIDDEN, "network_not_allowed")
        .message(message)
        .render(envelope::lang(request.headers()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(s: &str) -> IpAddr {
        s.parse().unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut h = HeaderMap::new();
        for (name, value) in pairs {
            h.append(*name, value.parse().unwrap());
        }
        h
    }

    fn nets(list: &[&str]) -> Vec<IpNet> {
        list.iter().map(|n| n.parse().unwrap()).collect()
    }

    #[test]
    fn a_building_is_let_in_and_the_internet_is_not() {
        let e = Exposure::default();
        for inside in [
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.9",
            "100.64.0.1",
            "169.254.7.7",
            "127.0.0.2",
            "fd00::1",
            "fe80::1",
            "::1",
        ] {
            assert!(e.allows(ip(inside)), "{inside}");
        }
        for outside in ["203.0.113.5", "172.32.0.1", "2001:db8::1", "0.0.0.0", "::", "192.169.0.1"] {
            assert!(!e.allows(ip(outside)), "{outside}");
        }
        assert!(e.allows(ip("::ffff:192.168.1.9")) && !e.allows(ip("::ffff:203.0.113.5")), "IPv4 over an IPv6 socket");
    }

    #[test]
    fn what_the_operator_lists_counts_and_this_machine_always_does() {
        let e = Exposure { allowed: nets(&["198.51.100.0/24"]), ..Exposure::default() };
        assert!(e.allows(ip("198.51.100.7")) && e.allows(ip("127.0.0.1")) && !e.allows(ip("192.168.1.9")));
        let all = Exposure { allowed: nets(&["0.0.0.0/0", "::/0"]), ..Exposure::default() };
        assert!(all.allows(ip("203.0.113.5")) && all.allows(ip("2001:db8::1")));
        let v4 = Exposure { allowed: nets(&["0.0.0.0/0"]), ..Exposure::default() };
        assert!(v4.allows(ip("::ffff:203.0.113.5")) && !v4.allows(ip("2001:db8::1")));
        let mapped = Exposure { allowed: nets(&["::ffff:203.0.113.0/120"]), ..Exposure::default() };
        assert!(mapped.allows(ip("203.0.113.5")) && !mapped.allows(ip("203.0.114.5")));
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let h = headers(&[
            ("x-forwarded-for", "192.168.1.9"),
            ("x-forwarded-host", "club.example"),
            ("x-forwarded-proto", "https"),
        ]);
        let trusted = nets(&["10.0.0.0/8"]);
        let stranger = Client::of(Some(ip("203.0.113.5")), &h, &trusted);
        assert_eq!(stranger, Client { address: ip("203.0.113.5"), forwarded: true, scheme: None, host: None });
        let proxied = Client::of(Some(ip("::ffff:10.0.0.1")), &h, &trusted);
        let host = Some("club.example".to_owned());
        assert_eq!(proxied, Client { address: ip("192.168.1.9"), forwarded: true, scheme: Some("https"), host });
        assert!(!Client::of(Some(ip("10.0.0.1")), &HeaderMap::new(), &trusted).forwarded);
    }

    #[test]
    fn of_a_chain_the_rightmost_stranger_counts() {
        let trusted = nets(&["10.0.0.0/8"]);
        let of = |list: &[(&'static str, &str)]| Client::of(Some(ip("10.0.0.1")), &headers(list), &trusted).address;
        assert_eq!(of(&[("x-forwarded-for", "127.0.0.1, 203.0.113.5, 10.0.0.2")]), ip("203.0.113.5"));
        assert_eq!(
            of(&[("x-forwarded-for", "127.0.0.1, 203.0.113.5"), ("x-forwarded-for", "10.0.0.2")]),
            ip("203.0.113.5")
        );
        assert_eq!(of(&[("x-forwarded-for", "10.0.0.3, 10.0.0.2")]), ip("10.0.0.3"), "all of them proxies");
        assert_eq!(
            of(&[("x-forwarded-for", "127.0.0.1, nonsense, 10.0.0.2")]),
            ip("10.0.0.2"),
            "no word of the client"
        );
        assert_eq!(of(&[("x-forwarded-for", "[2001:db8::1]:4711")]), ip("2001:db8::1"));
        assert_eq!(of(&[("x-forwarded-for", "203.0.113.5:4711")]), ip("203.0.113.5"));
        assert_eq!(of(&[("x-real-ip", "203.0.113.5")]), ip("10.0.0.1"));
    }

    #[test]
    fn a_host_that_could_leave_its_place_is_not_taken() {
        let trusted = nets(&["10.0.0.0/8"]);
        let of = |h: &str| Client::of(Some(ip("10.0.0.1")), &headers(&[("x-forwarded-host", h)]), &trusted).host;
        assert_eq!(of("a.example:8443").as_deref(), Some("a.example:8443"));
        assert_eq!(of("a.example/x?y"), None);
        assert_eq!(of("first.example, second.example").as_deref(), Some("second.example"));
    }

    #[test]
    fn cookies_behind_tls_are_marked_once() {
        let mut h = headers(&[("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2; Secure")]);
        secure_cookies(&mut h);
        let all: Vec<_> = h.get_all("set-cookie").iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(all, ["a=1; Path=/; Secure", "b=2; Secure"]);
    }
}
