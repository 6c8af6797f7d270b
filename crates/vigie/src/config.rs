//! What the operator configured, from seven places, as one typed value.
//!
//! **Command line > `VIGIE_…` > the older systems' environment names > `vigie.toml` > `config.env` > `config.json` >
//! built-in default** (decision 41). Layers are merged as TOML tables first and typed once, so that a mistake is
//! reported the same way wherever it was made.

pub(crate) mod cameras;
mod env_file;
mod keys;
mod layers;
mod sections;

use std::net::{SocketAddr, ToSocketAddrs};

use anyhow::bail;
use serde::{Deserialize, Serialize};

pub(crate) use cameras::CameraTable;
pub(crate) use layers::{Environment, Files, Overrides};
pub(crate) use sections::{
    Auth, AuthMethod, AuthMode, Compat, Http, HubMemory, Log, Paths, Reconnect, Record, Rtsp, Session, Tls, Tools,
};

/// Everything that `vigie.toml` may hold.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Config {
    /// The web server.
    pub(crate) http: Http,
    /// HTTPS on the same port.
    pub(crate) tls: Tls,
    /// The RTSP server.
    pub(crate) rtsp: Rtsp,
    /// Signing in.
    pub(crate) auth: Auth,
    /// What clients of the older systems expect.
    pub(crate) compat: Compat,
    /// Recordings.
    pub(crate) record: Record,
    /// Capture sessions.
    pub(crate) session: Session,
    /// Where files go.
    pub(crate) paths: Paths,
    /// Programs of the machine.
    pub(crate) tools: Tools,
    /// Reconnection.
    pub(crate) reconnect: Reconnect,
    /// The hub's memory.
    pub(crate) hub: HubMemory,
    /// The log.
    pub(crate) log: Log,
    /// Cameras that this file declares.
    #[serde(skip_serializing)]
    pub(crate) cameras: Vec<CameraTable>,
}

/// `host:port`, `:port` or a port alone.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    if let Ok(port) = text.trim_start_matches(':').parse::<u16>() {
        return Ok(SocketAddr::from(([0, 0, 0, 0], port)));
    }
    text.parse::<SocketAddr>()
        .ok()
        .or_else(|| text.to_socket_addrs().ok().and_then(|mut a| a.next()))
        .ok_or_else(|| "an address looks like 0.0.0.0:5000, [::]:5000, localhost:5000 or 5000".to_owned())
}

/// `key=value`, as the command line says it.
pub(crate) fn setting(text: &str) -> Result<(&'static str, toml::Value), String> {
    let (key, value) = text.split_once('=').ok_or("a setting looks like record.max_concurrent=4")?;
    let key = keys::find(key.trim()).ok_or_else(|| keys::unknown(key.trim()))?;
    keys::read(key, value).map(|v| (key, v)).map_err(|e| format!("{key}: {e:#}"))
}

/// A configuration, with what was odd about it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The value.
    pub(crate) config: Config,
    /// Sentences for the log: unknown keys, unreadable names.
    pub(crate) warnings: Vec<String>,
    /// Every key with its value and where that came from.
    pub(crate) effective: Vec<Effective>,
}

/// What is shown of a secret.
const STARS: &str = "********";

/// One key as it counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Effective {
    /// The dotted key.
    pub(crate) key: &'static str,
    /// The value, stars for a secret; `None` when it is not set.
    pub(crate) value: Option<toml::Value>,
    /// The place that set it; `None` for the default.
    pub(crate) from: Option<String>,
}

impl Config {
    /// Reads the files (which may be missing, but for one that was named) and puts the other layers over them.
    pub(crate) fn load(files: &Files, env: &Environment, cli: &Overrides) -> anyhow::Result<Loaded> {
        let merged = layers::merge(files, env, cli)?;
        // An error of the typed step may quote the offending line, and that line may hold a password.
        let config: Config = toml::Value::Table(merged.table).try_into().map_err(|e| layers::without_source(&e))?;
        config.check()?;
        let values = toml::Table::try_from(&config)?;
        let value = |key: &str| {
            let value = key.split_once('.').and_then(|(s, k)| values.get(s)?.get(k).cloned())?;
            Some(if keys::is_secret(key) { STARS.into() } else { value })
        };
        // `http.port` and its like are another way to say `http.listen`.
        let effective = keys::all().filter(|k| !k.ends_with(".port")).map(|key| Effective {
            key,
            value: value(key),
            from: merged.from.get(key).cloned(),
        });
        Ok(Loaded { effective: effective.collect(), config, warnings: merged.warnings })
    }

    fn check(&self) -> anyhow::Result<()> {
        match (&self.rtsp.user, &self.rtsp.password) {
            (Some(_), None) => bail!("rtsp.user is set but rtsp.password is not: set both, or neither"),
            (None, Some(_)) => bail!("rtsp.password is set but rtsp.user is not: set both, or neither"),
            _ => {}
        }
        match (&self.tls.cert, &self.tls.key) {
            (Some(_), None) => bail!("tls.cert is set but tls.key is not"),
            (None, Some(_)) => bail!("tls.key is set but tls.cert is not"),
            (Some(_), Some(_)) if self.tls.self_signed => {
                bail!("tls.self_signed and tls.cert exclude each other: remove one of them")
            }
            _ => {}
        }
        match (&self.auth.admin_username, &self.auth.admin_password) {
            (Some(_), None) | (None, Some(_)) => {
                bail!("VIGIE_ADMIN_USERNAME and VIGIE_ADMIN_PASSWORD belong together: set both, or neither")
            }
            _ => {}
        }
        self.check_doors()?;
        let (record, session) = (&self.record, &self.session);
        for (key, value, range) in [
            ("record.crf", u64::from(record.crf), 0..=51),
            ("record.fps", u64::from(record.fps), 1..=120),
            ("record.default_duration_seconds", record.default_duration_seconds, 1..=43_200),
            ("session.replay_seconds", session.replay_seconds, 0..=120),
        ] {
            if !range.contains(&value) {
                bail!("{key} is {} to {}, not {value}", range.start(), range.end());
            }
        }
        record.encoding()?;
        cameras::check(&self.cameras)
    }

    /// Who can reach the server, and what is open to them.
    fn check_doors(&self) -> anyhow::Result<()> {
        if self.http.listen.is_empty() {
            bail!("http.listen is empty: nobody could reach the web server");
        }
        let range = self.compat.range();
        if self.compat.session_ports && (range.is_empty() || *range.start() == 0) {
            bail!(
                "compat.session_port_base ({}) and compat.session_port_last ({}) name no ports",
                range.start(),
                range.end()
            );
        }
        let outside = self.http.listen.iter().find(|a| !a.ip().to_canonical().is_loopback());
        if let (AuthMode::Open, Some(address), false) = (self.auth.mode, outside, self.auth.insecure_open) {
            bail!(
                "auth.mode = \"open\" lets everybody do everything, and the web server listens on {address}, where other \
                 machines reach it. Listen on 127.0.0.1 (--http), require signing in, or say --insecure-open"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
