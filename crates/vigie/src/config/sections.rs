//! The sections of `vigie.toml`, typed. **What is secret is never written out again**: it is serialised as stars.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize, Serializer};
use vigie_base::Secret;
use vigie_record::Encoding;

use super::address;

/// `[http]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Http {
    /// Addresses and ports to listen on, or ports alone; port 0 takes a free one. The first is the one that is shown.
    #[serde(deserialize_with = "addresses")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Further ports on the same hosts, with everything that the first one has. 0 takes a free one.
    pub(crate) compat_ports: Vec<u16>,
    /// Origins whose pages may call the API from a browser.
    pub(crate) cors_origins: Vec<String>,
    /// The address that people use, when it is not the one listened on (`https://vigie.example`).
    pub(crate) public_url: Option<String>,
    /// Where requests may come from. This machine always may.
    #[serde(deserialize_with = "networks")]
    pub(crate) allowed_networks: Vec<IpNet>,
    /// Proxies whose word about where a request came from is taken.
    #[serde(deserialize_with = "networks")]
    pub(crate) trusted_proxies: Vec<IpNet>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([0, 0, 0, 0], 5000))],
            compat_ports: Vec::new(),
            cors_origins: Vec::new(),
            public_url: None,
            allowed_networks: vigie_api::private_networks(),
            trusted_proxies: Vec::new(),
        }
    }
}

/// `[compat]`: what clients of the older systems expect.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Compat {
    /// Each session gets a port of its own on loopback (contract X-03).
    pub(crate) session_ports: bool,
    /// The first of them.
    pub(crate) session_port_base: u16,
    /// The last of them; a thousand above the first when not set.
    pub(crate) session_port_last: Option<u16>,
}

impl Default for Compat {
    fn default() -> Self {
        Self { session_ports: false, session_port_base: 8080, session_port_last: None }
    }
}

impl Compat {
    /// The ports that sessions may take.
    pub(crate) fn range(&self) -> std::ops::RangeInclusive<u16> {
        self.session_port_base..=self.session_port_last.unwrap_or_else(|| self.session_port_base.saturating_add(1000))
    }
}

/// `[tls]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
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
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Rtsp {
    /// Whether there is an RTSP server at all.
    pub(crate) enabled: bool,
    /// Address and port to listen on, or a port alone; port 0 takes a free one.
    #[serde(deserialize_with = "listen")]
    pub(crate) listen: SocketAddr,
    /// The one account demanded of every reader, with `password`.
    pub(crate) user: Option<String>,
    /// Its password.
    #[serde(deserialize_with = "secret", serialize_with = "stars")]
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
            enabled: true,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
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
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Auth {
    /// Whether people have to sign in.
    pub(crate) mode: AuthMode,
    /// `mode = "open"` is meant, although other machines can reach the server.
    pub(crate) insecure_open: bool,
    /// First administrator of an unattended start; from the environment, used only while there is no user.
    pub(crate) admin_username: Option<String>,
    /// Its password.
    #[serde(deserialize_with = "secret", serialize_with = "stars")]
    pub(crate) admin_password: Option<Secret>,
}

/// Whether people have to sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AuthMode {
    /// They do.
    #[default]
    Required,
    /// Whoever reaches the server may do everything.
    Open,
}

/// `[record]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Record {
    /// Recordings at one time.
    pub(crate) max_concurrent: usize,
    /// Planned length when the caller names none.
    pub(crate) default_duration_seconds: u64,
    /// Space that recordings never take.
    pub(crate) min_free_disk_mb: u64,
    /// Whether pictures are kept as the camera sent them: `auto`, `copy`, `encode`.
    pub(crate) video_mode: String,
    /// The encoder, where one is needed: `auto`, `libx264`, `openh264`.
    pub(crate) encoder: String,
    /// Its preset, of `ultrafast` to `veryslow`.
    pub(crate) preset: String,
    /// Its constant rate factor, 0 (lossless) to 51.
    pub(crate) crf: u8,
    /// Pictures per second of what is encoded.
    pub(crate) fps: u32,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            max_concurrent: 10,
            default_duration_seconds: 5400,
            min_free_disk_mb: 500,
            video_mode: "auto".to_owned(),
            encoder: "auto".to_owned(),
            preset: "veryfast".to_owned(),
            crf: 23,
            fps: 25,
        }
    }
}

impl Record {
    /// How pictures are recorded, in the recorder's words.
    pub(crate) fn encoding(&self) -> anyhow::Result<Encoding> {
        Ok(Encoding {
            mode: self.video_mode.parse().map_err(|e| anyhow::anyhow!("record.video_mode: {e}"))?,
            encoder: self.encoder.parse().map_err(|e| anyhow::anyhow!("record.encoder: {e}"))?,
            preset: self.preset.parse().map_err(|e| anyhow::anyhow!("record.preset: {e}"))?,
            crf: self.crf,
            fps: self.fps,
        })
    }
}

/// `[session]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Session {
    /// A session that nobody uses ends after this long.
    pub(crate) timeout_seconds: u64,
    /// Stopping the recording closes the session.
    pub(crate) close_on_stop: bool,
    /// How much of the past an open session keeps for instant replay, 0 to 120.
    pub(crate) replay_seconds: u64,
}

impl Default for Session {
    fn default() -> Self {
        Self { timeout_seconds: 7200, close_on_stop: false, replay_seconds: 30 }
    }
}

/// `[paths]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Paths {
    /// Root of all media; `<data-dir>/media` when not set.
    pub(crate) media: Option<PathBuf>,
    /// Videos of sessions: below `media`, or absolute.
    pub(crate) videos: PathBuf,
    /// Root of the logs; `<data-dir>/logs` when not set.
    pub(crate) log: Option<PathBuf>,
    /// Logs of single recordings: below `log`, or absolute.
    pub(crate) video_logs: PathBuf,
    /// Folder of `config.env` and `config.json`; `<data-dir>/etc` when not set.
    pub(crate) etc: Option<PathBuf>,
}

impl Default for Paths {
    fn default() -> Self {
        Self { media: None, videos: "videos".into(), log: None, video_logs: "video".into(), etc: None }
    }
}

/// `[tools]`
#[derive(Debug, Clone, Deserialize, Serialize)]
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
#[derive(Debug, Clone, Deserialize, Serialize)]
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
#[derive(Debug, Clone, Deserialize, Serialize)]
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
#[derive(Debug, Clone, Deserialize, Serialize)]
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

fn listen<'de, D: serde::Deserializer<'de>>(d: D) -> Result<SocketAddr, D::Error> {
    address(&String::deserialize(d)?).map_err(serde::de::Error::custom)
}

fn addresses<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<SocketAddr>, D::Error> {
    let texts = Vec::<String>::deserialize(d)?;
    texts.iter().map(|t| address(t).map_err(serde::de::Error::custom)).collect()
}

/// `192.168.0.0/16`, or a single address.
fn networks<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<IpNet>, D::Error> {
    let read = |text: &String| {
        let t = text.trim();
        t.parse::<IpNet>().ok().or_else(|| t.parse::<std::net::IpAddr>().ok().map(IpNet::from)).ok_or_else(|| {
            serde::de::Error::custom(format!("a network looks like 192.168.0.0/16 or 10.1.2.3, not like `{text}`"))
        })
    };
    Vec::<String>::deserialize(d)?.iter().map(read).collect()
}

pub(super) fn secret<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(d)?.filter(|s| !s.is_empty()).map(Secret::new))
}

fn stars<S: Serializer>(secret: &Option<Secret>, s: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|_| super::STARS).serialize(s)
}
