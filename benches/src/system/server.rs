//! The measured `vigie serve` and the questions it is asked.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use ureq::http::Request;

use crate::sys;

const ADMIN: &str = "bench";
const PASSWORD: &str = "a password for the bench";
/// Longest wait for anything it is asked.
const PATIENCE: Duration = Duration::from_secs(60);

/// The process on the first core, with its administrator signed in.
pub(super) struct Server {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    agent: ureq::Agent,
    token: String,
    http: String,
    pub(super) rtsp: std::net::SocketAddr,
    /// From spawning to the log line.
    pub(super) started: Duration,
}

/// A JPEG, how long it took, and when its picture reached the server, about.
pub(super) struct Picture {
    pub(super) took: Duration,
    pub(super) arrived: Instant,
    pub(super) bytes: Vec<u8>,
}

impl Server {
    /// Starts on that folder, which holds `vigie.toml`, and waits until it listens.
    pub(super) fn start(vigie: &Path, dir: &Path) -> Result<Self> {
        let mut c = Command::new(vigie);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("VIGIE_") || name.to_string_lossy().starts_with("RTSP_") {
                c.env_remove(name);
            }
        }
        c.args(["serve", "--http", "127.0.0.1:0", "--rtsp", "127.0.0.1:0", "--data-dir"]).arg(dir.join("data"));
        c.arg("--config").arg(dir.join("vigie.toml"));
        c.env("NO_COLOR", "1").env("VIGIE_ADMIN_USERNAME", ADMIN).env("VIGIE_ADMIN_PASSWORD", PASSWORD);
        c.current_dir(dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // The child is born on the core that its parent is on.
        let pinned = sys::pin(0);
        let begun = Instant::now();
        let child = c.spawn();
        let _ = pinned.and_then(|()| sys::pin(1));
        let mut child = child.with_context(|| format!("cannot start {}", vigie.display()))?;
        let stderr = child.stderr.take().context("no pipe")?;
        let log = Arc::new(Mutex::new(Vec::new()));
        let (sender, receiver) = sync_channel(1);
        let lines = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if line.contains("listening http=") {
                    let _ = sender.try_send((Instant::now(), line.clone()));
                }
                lines.lock().push(line);
            }
        });
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .max_idle_connections_per_host(32)
            .build();
        let agent = ureq::Agent::new_with_config(agent);
        let rtsp = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let mut s =
            Self { child, log, agent, token: String::new(), http: String::new(), rtsp, started: Duration::ZERO };
        let (at, line) = match receiver.recv_timeout(PATIENCE) {
            Ok(l) => l,
            Err(RecvTimeoutError::Timeout) => bail!("it does not listen\n{}", s.last_words()),
            Err(RecvTimeoutError::Disconnected) => bail!("it ended while starting\n{}", s.last_words()),
        };
        let field = |name: &str| line.split_whitespace().find_map(|w| w.strip_prefix(name)).map(str::to_owned);
        s.started = at - begun;
        s.http = field("http=").context("no web address in the log")?;
        s.rtsp = field("rtsp=rtsp://").context("no RTSP address in the log")?.parse()?;
        Ok(s)
    }

    pub(super) fn sign_in(&mut self) -> Result<()> {
        let answer = self.post("/api/auth/login", &json!({ "username": ADMIN, "password": PASSWORD }))?.0;
        self.token = format!("Bearer {}", answer["token"].as_str().context("no token")?);
        Ok(())
    }

    /// The end of its log.
    pub(super) fn last_words(&self) -> String {
        let log = self.log.lock();
        log[log.len().saturating_sub(15)..].join("\n")
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn cpu(&self) -> Result<Duration> {
        Ok(sys::cpu_of(self.pid())?)
    }

    pub(super) fn rss_kib(&self) -> f64 {
        sys::rss_kib_of(&self.pid().to_string()) as f64
    }

    /// JSON of a GET, and how long it took.
    pub(super) fn get(&self, path: &str) -> Result<(Value, Duration)> {
        let request = Request::get(format!("{}{path}", self.http)).header("Authorization", &self.token);
        let begun = Instant::now();
        let mut response = self.agent.run(request.body(())?)?;
        let bytes = response.body_mut().read_to_vec()?;
        let took = begun.elapsed();
        Ok((checked(path, response.status().as_u16(), &bytes)?, took))
    }

    /// The body of a GET, to be read as it comes.
    pub(super) fn open(&self, path: &str) -> Result<impl std::io::Read + use<>> {
        let request = Request::get(format!("{}{path}", self.http)).header("Authorization", &self.token);
        let response = self.agent.run(request.body(())?)?;
        ensure!(response.status().is_success(), "{path}: {}", response.status());
        Ok(response.into_body().into_reader())
    }

    /// JSON of a POST, and how long it took.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<(Value, Duration)> {
        let request = Request::post(format!("{}{path}", self.http))
            .header("Authorization", &self.token)
            .header("Content-Type", "application/json")
            .body(serde_json::to_vec(body)?)?;
        let begun = Instant::now();
        let mut response = self.agent.run(request)?;
        let bytes = response.body_mut().read_to_vec()?;
        let took = begun.elapsed();
        Ok((checked(path, response.status().as_u16(), &bytes)?, took))
    }

    /// A snapshot of a camera.
    pub(super) fn picture(&self, camera: i64) -> Result<Picture> {
        let path = format!("/api/cameras/{camera}/snapshot.jpg");
        let request = Request::get(format!("{}{path}", self.http)).header("Authorization", &self.token);
        let begun = Instant::now();
        let mut response = self.agent.run(request.body(())?)?;
        let bytes = response.body_mut().with_config().limit(64 << 20).read_to_vec()?;
        let took = begun.elapsed();
        let status = response.status().as_u16();
        ensure!(status == 200, "{path}: {status}: {}", String::from_utf8_lossy(&bytes));
        let age = response.headers().get("x-frame-age-ms").context("no X-Frame-Age-Ms")?.to_str()?.parse()?;
        Ok(Picture { took, arrived: begun + took - Duration::from_millis(age), bytes })
    }

    /// KiB of media that all rings hold.
    pub(super) fn held_kib(&self) -> Result<f64> {
        let mut response = self.agent.get(format!("{}/metrics", self.http)).call()?;
        let text = response.body_mut().read_to_string()?;
        let values = text.lines().filter(|l| l.starts_with("vigie_stream_held_bytes{"));
        let bytes = values.map(|l| l.rsplit(' ').next().unwrap_or_default().parse::<f64>());
        Ok(bytes.sum::<Result<f64, _>>()? / 1024.0)
    }

    /// The number that the `n`-th camera of the configuration got.
    pub(super) fn camera(&self, n: usize) -> Result<i64> {
        let slug = super::slug(n);
        let all = self.get("/api/cameras")?.0;
        let all = all["cameras"].as_array().context("no cameras")?;
        let one = all.iter().find(|c| c["slug"] == slug.as_str());
        one.and_then(|c| c["id"].as_i64()).with_context(|| format!("no camera `{slug}`"))
    }

    /// A session on a camera: its id, and how long that took.
    pub(super) fn session(&self, camera: i64) -> Result<(String, Duration)> {
        let (answer, took) = self.post("/api/video/session/create", &json!({ "camera_id": camera }))?;
        Ok((answer["session"]["session_id"].as_str().context("no session id")?.to_owned(), took))
    }

    /// Starts to record into a session; how long that took.
    pub(super) fn record(&self, session: &str) -> Result<Duration> {
        let body = json!({ "session_id": session, "duration_minutes": 10 });
        Ok(self.post("/api/video/record/start", &body)?.1)
    }

    /// Stops a recording; how long that took.
    pub(super) fn stop_recording(&self, session: &str) -> Result<Duration> {
        Ok(self.post("/api/video/record/stop", &json!({ "session_id": session }))?.1)
    }

    /// How a session's recording is, and how long the answer took.
    pub(super) fn status(&self, session: &str) -> Result<(Value, Duration)> {
        let (answer, took) = self.get(&format!("/api/video/record/status/{session}"))?;
        Ok((answer["status"].clone(), took))
    }

    /// Ends it politely.
    pub(super) fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "it ended with {status}\n{}", self.last_words());
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn checked(path: &str, status: u16, bytes: &[u8]) -> Result<Value> {
    ensure!((200..300).contains(&status), "{path}: {status}: {}", String::from_utf8_lossy(bytes));
    Ok(serde_json::from_slice(bytes)?)
}
