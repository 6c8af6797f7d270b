//! What `control` is told at start.

use std::path::PathBuf;
use std::time::Duration;

use vigie_base::Secret;

/// Settings of `control`. The names in `vigie.toml` stand beside each.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of key, database and lock (`--data-dir`).
    pub data_dir: PathBuf,
    /// Folder of videos (`paths.media`).
    pub media_dir: PathBuf,
    /// Folder of logs (`paths.log`).
    pub log_dir: PathBuf,
    /// Recordings at one time (`record.max_concurrent`).
    pub max_concurrent_recordings: usize,
    /// Length of a recording when none is said (`record.default_duration_seconds`).
    pub default_recording: Duration,
    /// Idle sessions are closed after this (`session.timeout_seconds`).
    pub session_timeout: Duration,
    /// Whether the end of a recording closes its session (contract X-18).
    pub close_on_stop: bool,
    /// How much of the past is kept while a session is open, so that a moment can be had that nobody recorded
    /// (`session.replay_seconds`, at most 120; zero keeps nothing).
    pub replay: Duration,
    /// How long a new session waits for its first frame.
    pub first_frame_timeout: Duration,
    /// Room that recordings leave on the disk (`MIN_FREE_DISK_MB`, 500 MB).
    pub min_free_bytes: u64,
    /// RTSP access.
    pub rtsp: RtspConfig,
    /// Ways in that this program has: the source list.
    pub connection_types: Vec<&'static str>,
    /// First administrator (`VIGIE_ADMIN_USERNAME`, `VIGIE_ADMIN_PASSWORD`); only while there is no user.
    pub admin: Option<(String, Secret)>,
    /// Argon2id cost.
    pub argon2: Argon2Cost,
}

impl Config {
    /// Defaults for a data directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        Self {
            media_dir: data_dir.join("media"),
            log_dir: data_dir.join("logs"),
            data_dir,
            max_concurrent_recordings: 10,
            default_recording: Duration::from_secs(5400),
            session_timeout: Duration::from_secs(7200),
            close_on_stop: false,
            replay: Duration::from_secs(30),
            first_frame_timeout: Duration::from_secs(10),
            min_free_bytes: 500 << 20,
            rtsp: RtspConfig::default(),
            connection_types: vec!["rtsp", "http_mjpeg", "https", "file", "testcard"],
            admin: None,
            argon2: Argon2Cost::default(),
        }
    }
}

/// Which challenges RTSP clients get (`RTSP_AUTH_METHOD`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RtspAuthMethod {
    /// Basic and Digest.
    #[default]
    Both,
    /// Basic alone.
    Basic,
    /// Digest alone.
    Digest,
}

/// RTSP access (decisions 18 and 19). A user without a password, or the other way round, is an error at start.
#[derive(Debug, Clone)]
pub struct RtspConfig {
    /// `rtsp.user` / `RTSP_USER`.
    pub user: Option<String>,
    /// `rtsp.password` / `RTSP_PASSWORD`.
    pub password: Option<Secret>,
    /// `rtsp.auth_method` / `RTSP_AUTH_METHOD`.
    pub auth_method: RtspAuthMethod,
    /// `rtsp.open`: nobody is asked.
    pub open: bool,
    /// `rtsp.trust_loopback`: loopback clients are let in while no account is set.
    pub trust_loopback: bool,
}

impl Default for RtspConfig {
    fn default() -> Self {
        Self { user: None, password: None, auth_method: RtspAuthMethod::Both, open: false, trust_loopback: true }
    }
}

/// Argon2id cost. The default is what RFC 9106 and OWASP recommend for interactive sign-in; tests use less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
}

impl Default for Argon2Cost {
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}
