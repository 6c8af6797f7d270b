//! What the operator configured, from five places, as one typed value.
//!
//! **Command line > `VIGIE_…` > the older systems' environment names > `vigie.toml` > built-in default.** Layers are
//! merged as TOML tables first and typed once, so that a mistake is reported the same way wherever it was made.

pub(crate) mod cameras;
mod layers;

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;
use vigie_base::Secret;

pub(crate) use cameras::CameraTable;
pub(crate) use layers::{Environment, Overrides};

/// Everything that `vigie.toml` may hold.
#[derive(Debug, Clone, Default, Deserialize)]
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
    pub(crate) cameras: Vec<CameraTable>,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Http {
    /// Address and port to listen on, or a port alone; port 0 takes a free one.
    #[serde(deserialize_with = "listen")]
    pub(crate) listen: SocketAddr,
    /// Origins whose pages may call the API from a browser.
    pub(crate) cors_origins: Vec<String>,
    /// The address that people use, when it is not the one listened on (`https://vigie.example`).
    pub(crate) public_url: Option<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([0, 0, 0, 0], 5000)), cors_origins: Vec::new(), public_url: None }
    }
}

/// `[tls]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tls {
    /// Certificate chain, PEM.
    pub(crate) cert: Option<PathBuf>,
    /// Private key, PEM.
    pub(crate) key: Option<PathBuf>,
    /// Make a certificate at first start and keep it in the data directory.
    pub(crate) self_signed: bool,
}

/// `[rtsp]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Rtsp {
    /// Address and port to listen on, or a port alone; port 0 takes a free one.
    #[serde(deserialize_with = "listen")]
    pub(crate) listen: SocketAddr,
    /// The one account demanded of every reader, with `password`.
    pub(crate) user: Option<String>,
    /// Its password.
    #[serde(deserialize_with = "secret")]
    pub(crate) password: Option<Secret>,
    /// `both`, `basic` or `digest`.
    pub(crate) auth_method: AuthMethod,
    /// Nobody needs a password.
    pub(crate) open: bool,
    /// Readers on this machine need no password while no account is set.
    pub(crate) trust_loopback: bool,
    /// First of the two UDP ports that media leaves from; 0 takes free ones.
    pub(crate) rtp_port: u16,
}

impl Default for Rtsp {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8554)),
            user: None,
            password: None,
            auth_method: AuthMethod::Both,
            open: false,
            trust_loopback: true,
            rtp_port: 8000,
        }
    }
}

/// Which schemes RTSP readers are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AuthMethod {
    /// Basic and Digest.
    Both,
    /// Basic alone: the password crosses the network readable.
    Basic,
    /// Digest alone.
    Digest,
}

/// `[auth]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Auth {
    /// First administrator of an unattended start; from the environment, used only while there is no user.
    pub(crate) admin_username: Option<String>,
    /// Its password.
    #[serde(deserialize_with = "secret")]
    pub(crate) admin_password: Option<Secret>,
}

/// `[record]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    /// Recordings at one time.
    pub(crate) max_concurrent: usize,
    /// Planned length when the caller names none.
    pub(crate) default_duration_seconds: u64,
    /// Space that recordings never take.
    pub(crate) min_free_disk_mb: u64,
}

impl Default for Record {
    fn default() -> Self {
        Self { max_concurrent: 10, default_duration_seconds: 5400, min_free_disk_mb: 500 }
    }
}

/// `[session]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Session {
    /// A session that nobody uses ends after this long.
    pub(crate) timeout_seconds: u64,
    /// Stopping the recording closes the session.
    pub(crate) close_on_stop: bool,
}

impl Default for Session {
    fn default() -> Self {
        Self { timeout_seconds: 7200, close_on_stop: false }
    }
}

/// `[paths]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Paths {
    /// Root of all media; `<data-dir>/media` when not set.
    pub(crate) media: Option<PathBuf>,
    /// Root of the per-session logs; `<data-dir>/logs` when not set.
    pub(crate) log: Option<PathBuf>,
}

/// `[tools]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Tools {
    /// The ffmpeg program.
    pub(crate) ffmpeg: PathBuf,
    /// The ffprobe program.
    pub(crate) ffprobe: PathBuf,
}

impl Default for Tools {
    fn default() -> Self {
        Self { ffmpeg: "ffmpeg".into(), ffprobe: "ffprobe".into() }
    }
}

/// `[reconnect]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Reconnect {
    /// While somebody watches or records, look each second whether the camera answers again.
    pub(crate) probe: bool,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self { probe: true }
    }
}

/// `[hub]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct HubMemory {
    /// MiB of media that all streams together may hold.
    pub(crate) budget_mb: usize,
}

impl Default for HubMemory {
    fn default() -> Self {
        Self { budget_mb: 512 }
    }
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Log {
    /// One JSON object per line instead of text.
    pub(crate) json: bool,
    /// What is logged: `info`, or a list such as `info,vigie_source=debug`.
    pub(crate) filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { json: false, filter: "info".to_owned() }
    }
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

fn listen<'de, D: serde::Deserializer<'de>>(d: D) -> Result<SocketAddr, D::Error> {
    address(&String::deserialize(d)?).map_err(serde::de::Error::custom)
}

fn secret<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(d)?.filter(|s| !s.is_empty()).map(Secret::new))
}

/// A configuration, with what was odd about it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The value.
    pub(crate) config: Config,
    /// Sentences for the log: unknown keys, unreadable names.
    pub(crate) warnings: Vec<String>,
}

impl Config {
    /// Reads `file` (which may be missing unless it was named) and puts the other layers over it.
    pub(crate) fn load(file: &Path, must_exist: bool, env: &Environment, cli: &Overrides) -> anyhow::Result<Loaded> {
        let text = match std::fs::read_to_string(file) {
            Ok(t) => t,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !must_exist => String::new(),
            Err(e) => {
                return Err(e).with_context(|| format!("cannot read the configuration file {}", file.display()));
            }
        };
        Self::parse(&text, env, cli).with_context(|| format!("the configuration is not usable ({})", file.display()))
    }

    /// The same, from text.
    pub(crate) fn parse(text: &str, env: &Environment, cli: &Overrides) -> anyhow::Result<Loaded> {
        let mut table: toml::Table = text.parse().map_err(|e: toml::de::Error| layers::without_source(&e))?;
        let mut warnings = layers::unknown_keys(&table);
        layers::apply_environment(&mut table, env, &mut warnings)?;
        layers::apply_overrides(&mut table, cli);
        // An error of the typed step may quote the offending line, and that line may hold a password.
        let config: Config = toml::Value::Table(table).try_into().map_err(|e| layers::without_source(&e))?;
        config.check()?;
        Ok(Loaded { config, warnings })
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
        cameras::check(&self.cameras)
    }
}

#[cfg(test)]
mod tests;
