//! What a source is told about the camera it connects to.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;
use vigie_base::Secret;

/// How RTP travels from the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP, then UDP when the camera refuses TCP (461) or the connection.
    #[default]
    Auto,
    /// Interleaved in the RTSP connection.
    Tcp,
    /// Datagrams to ports of ours.
    Udp,
    /// Datagrams to a group.
    Multicast,
    /// Inside HTTP.
    Http,
}

/// The options of `connection_config` (contract §10.6) that a source understands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectionConfig {
    /// The camera was set up by somebody who may not reach into this machine: whatever its names and redirects lead to,
    /// it must be outside.
    pub walled: bool,
    /// How long to wait for a connection or an answer.
    pub timeout_ms: u64,
    /// How RTP travels.
    pub transport: Transport,
    /// `User-Agent` to send; some cameras serve only those they know.
    pub user_agent: Option<String>,
    /// Most pictures per second asked for, where pictures are polled.
    pub fps_limit: Option<f64>,
    /// Files: begin again at the end.
    #[serde(rename = "loop")]
    pub looped: bool,
    /// Files: 1.0 is real time.
    pub speed: f64,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            walled: false,
            timeout_ms: 5000,
            transport: Transport::Auto,
            user_agent: None,
            fps_limit: None,
            looped: true,
            speed: 1.0,
        }
    }
}

impl ConnectionConfig {
    /// How long to wait for a connection or an answer.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.clamp(100, 120_000))
    }
}

/// One stream of one camera, as a source needs it. The URL holds no credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSpec {
    /// The `connection_type` of the contract; an entry of `KINDS`.
    pub kind: String,
    /// Where, without user information. `testcard:` URLs take their options in the query.
    pub url: Url,
    /// User name and password.
    pub credentials: Option<(String, Secret)>,
    /// Everything else.
    pub config: ConnectionConfig,
}

impl SourceSpec {
    /// The host and port to connect to, where there is one; the port of the scheme when the URL has none. IPv6
    /// addresses come without brackets.
    pub fn target(&self) -> Option<(String, u16)> {
        let port = match self.url.scheme() {
            "rtsp" => 554,
            "rtsps" => 322,
            "rtmp" => 1935,
            _ => self.url.port_or_known_default()?,
        };
        let host = self.url.host_str()?.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty()).then(|| (host.to_owned(), self.url.port().unwrap_or(port)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_the_port_of_its_scheme() {
        let target = |url: &str| {
            let url = Url::parse(url).unwrap();
            SourceSpec { kind: String::new(), url, credentials: None, config: ConnectionConfig::default() }.target()
        };
        assert_eq!(target("rtsp://10.0.0.1/a"), Some(("10.0.0.1".to_owned(), 554)));
        assert_eq!(target("rtsp://[::1]:8554/a"), Some(("::1".to_owned(), 8554)));
        assert_eq!(target("https://cam.local/a"), Some(("cam.local".to_owned(), 443)));
        assert_eq!(target("file:///tmp/a.mp4"), None);
        assert_eq!(target("testcard:?width=640"), None);
    }
}
