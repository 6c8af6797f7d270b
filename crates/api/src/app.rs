//! What handlers share.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::Request;
use tokio_util::sync::CancellationToken;
use vigie_control::{Control, Links};
use vigie_hub::Hub;

use crate::http::client::{Client, Doors, Exposure};
use crate::http::origin::{self, AllowedOrigins};
use crate::lang::Lang;
use crate::metrics::{Metrics, Readings};

/// What the surface is told at start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Port of the web server, as bound.
    pub http_port: u16,
    /// Port of the RTSP server, as bound.
    pub rtsp_port: Option<u16>,
    /// Whether the web server speaks TLS itself: cookies are then `Secure`.
    pub secure: bool,
    /// Origins whose pages may call us (`http.cors_origins`).
    pub cors_origins: Vec<String>,
    /// The address that people use, when it is another than the one listened on (`http.public_url`).
    pub public_url: Option<String>,
    /// Who may reach the server, and whether they sign in.
    pub exposure: Exposure,
    /// Version of ffmpeg, once it was asked; the inner `None` when there is none.
    pub ffmpeg: Arc<OnceLock<Option<String>>>,
    /// Cancelled when the server stops: streams of events end then.
    pub stopping: CancellationToken,
    /// Counters of parts that this crate cannot see, for `/metrics`.
    pub readings: Option<Readings>,
    /// The newest lines of the log, redacted.
    pub log: Option<LogLines>,
}

/// Gives the newest lines of the log, oldest first.
#[derive(Clone)]
pub struct LogLines(pub Arc<dyn Fn() -> Vec<String> + Send + Sync>);

impl std::fmt::Debug for LogLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogLines")
    }
}

/// The port of the listener that a request came in by, when there are several; the binary leaves it in the request's
/// extensions.
#[derive(Debug, Clone, Copy)]
pub struct ListenerPort(pub u16);

/// Shared by all handlers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    control: Arc<Control>,
    hub: Hub,
    settings: Settings,
    origins: AllowedOrigins,
    metrics: Metrics,
    started: Instant,
}

impl App {
    /// Everything that handlers need.
    pub fn new(control: Arc<Control>, hub: Hub, settings: Settings) -> Self {
        let origins = AllowedOrigins::new(settings.cors_origins.iter().chain(&settings.public_url).map(String::as_str));
        let metrics = Metrics::new(hub.clone(), settings.readings.clone());
        Self(Arc::new(Inner { control, hub, settings, origins, metrics, started: Instant::now() }))
    }

    pub(crate) fn control(&self) -> &Arc<Control> {
        &self.0.control
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn origins(&self) -> &AllowedOrigins {
        &self.0.origins
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// What everybody should see on every page.
    pub(crate) fn banner(&self, lang: Lang) -> Option<&'static str> {
        match (self.0.settings.exposure.doors, lang) {
            (Doors::Locked, _) => None,
            (_, Lang::En) => Some("Nobody has to sign in: whoever reaches this server may do everything."),
            (_, Lang::Fr) => Some("Personne ne doit se connecter : qui atteint ce serveur peut tout faire."),
        }
    }

    pub(crate) fn uptime_seconds(&self) -> u64 {
        self.0.started.elapsed().as_secs()
    }

    /// Addresses that work on this machine.
    pub(crate) fn links(&self) -> Links {
        let scheme = if self.0.settings.secure { "https" } else { "http" };
        Links {
            host: "127.0.0.1".to_owned(),
            scheme,
            http_port: self.0.settings.http_port,
            rtsp_port: self.0.settings.rtsp_port,
            local_scheme: scheme,
            local_port: self.0.settings.http_port,
        }
    }

    /// Addresses that work for whoever asks: by the host they used and the port they came in by, or as the proxy in
    /// front of us was asked.
    pub(crate) fn links_for(&self, request: &Request) -> Links {
        let mut links = self.links();
        if let Some(ListenerPort(port)) = request.extensions().get() {
            (links.http_port, links.local_port) = (*port, *port);
        }
        if let Some(host) = origin::host_of(request) {
            links.host = without_port(host).to_owned();
        }
        if let Some(client) = request.extensions().get::<Client>() {
            links.scheme = client.scheme.unwrap_or(links.scheme);
            if let Some(host) = &client.host {
                let default = if links.scheme == "https" { 443 } else { 80 };
                links.http_port = port_of(host).unwrap_or(default);
            }
        }
        links
    }
}

/// `[::1]:5000` → `[::1]`, `host:5000` → `host`.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && !port.contains(']') => name,
        _ => host,
    }
}

fn port_of(host: &str) -> Option<u16> {
    host.strip_prefix(without_port(host))?.strip_prefix(':')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lose_their_port_and_nothing_else() {
        for (host, bare) in [("h:5000", "h"), ("[::1]:5000", "[::1]"), ("[::1]", "[::1]"), ("h", "h")] {
            assert_eq!(without_port(host), bare);
            assert_eq!(port_of(host), host.ends_with(":5000").then_some(5000));
        }
    }
}
