//! Addresses in answers.

/// How the caller reached us; the API makes one per request, so that answers hold addresses that work for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// Host name or address without port, brackets around IPv6.
    pub host: String,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Port of the HTTP listener.
    pub http_port: u16,
    /// Port of the RTSP listener; `None` when RTSP is off.
    pub rtsp_port: Option<u16>,
    /// What the listener itself speaks, whatever a proxy in front of it does.
    pub local_scheme: &'static str,
    /// The port of the listener itself.
    pub local_port: u16,
}

impl Links {
    /// `http://host:port` without a path; without the port where it goes without saying.
    pub fn http(&self) -> String {
        if matches!((self.scheme, self.http_port), ("http", 80) | ("https", 443)) {
            return format!("{}://{}", self.scheme, self.host);
        }
        format!("{}://{}:{}", self.scheme, self.host, self.http_port)
    }

    /// `rtsp://host:port/path`.
    pub fn rtsp(&self, path: &str) -> Option<String> {
        self.rtsp_port.map(|port| format!("rtsp://{}:{port}/{path}", self.host))
    }

    /// The seed's `local_url` base: always loopback (contract §20.3).
    pub fn local(&self) -> String {
        format!("{}://127.0.0.1:{}", self.local_scheme, self.local_port)
    }
}
