//! What handlers share.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio_util::sync::CancellationToken;
use vigie_control::{Control, Links};
use vigie_hub::Hub;

use crate::http::origin::AllowedOrigins;
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
    /// Version of ffmpeg, once it was asked; the inner `None` when there is none.
    pub ffmpeg: Arc<OnceLock<Option<String>>>,
    /// Cancelled when the server stops: streams of events end then.
    pub stopping: CancellationToken,
    /// Counters of parts that this crate cannot see, for `/metrics`.
    pub readings: Option<Readings>,
}

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

    pub(crate) fn uptime_seconds(&self) -> u64 {
        self.0.started.elapsed().as_secs()
    }

    /// Addresses that work for whoever used this host name.
    pub(crate) fn links(&self, host_header: Option<&str>) -> Links {
        Links {
            host: host_header.map_or_else(|| "127.0.0.1".to_owned(), |h| without_port(h).to_owned()),
            scheme: if self.0.settings.secure { "https" } else { "http" },
            http_port: self.0.settings.http_port,
            rtsp_port: self.0.settings.rtsp_port,
        }
    }
}

/// `[::1]:5000` → `[::1]`, `host:5000` → `host`.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && !port.contains(']') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lose_their_port_and_nothing_else() {
        for (host, bare) in [("h:5000", "h"), ("[::1]:5000", "[::1]"), ("[::1]", "[::1]"), ("h", "h")] {
            assert_eq!(without_port(host), bare);
        }
    }
}
