//! The binary under test.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clients::Child;
use crate::until;

const START: Duration = Duration::from_secs(20);
const PASSWORD: &str = "correct horse battery";

/// A running `vigie serve` with a data directory of its own and a signed-in administrator.
#[derive(Debug)]
pub struct Vigie {
    child: Child,
    dir: TempDir,
    log: PathBuf,
    /// `http://127.0.0.1:port`
    pub http: String,
    /// `127.0.0.1:port`
    pub rtsp: String,
    token: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

/// An HTTP answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// The body as JSON; null when it is not.
    pub body: Value,
}

impl Vigie {
    /// Starts with that `vigie.toml` (may be empty) and those further arguments.
    pub fn start(config: &str, args: &[&str]) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("vigie-test-").tempdir()?;
        std::fs::write(dir.path().join("vigie.toml"), config)?;
        let args: Vec<String> = args.iter().map(|s| (*s).to_owned()).collect();
        let log = dir.path().join("test.log");
        let (child, env) = (spawn(dir.path(), &log, &args, &[])?, Vec::new());
        let mut v = Self { child, dir, log, http: String::new(), rtsp: String::new(), token: String::new(), args, env };
        v.wait_until_listening(0)?;
        v.sign_in()?;
        Ok(v)
    }

    /// Starts again after [`Vigie::kill`] or [`Vigie::terminate`], on new ports.
    pub fn restart(&mut self) -> Result<()> {
        let from = std::fs::metadata(&self.log).map(|m| m.len()).unwrap_or(0);
        self.child = spawn(self.dir.path(), &self.log, &self.args, &self.env)?;
        self.wait_until_listening(usize::try_from(from)?)?;
        self.sign_in()
    }

    /// What the next start is told on its command line and in its environment.
    pub fn configure(&mut self, args: &[&str], env: &[(&str, &str)]) {
        self.args = args.iter().map(|s| (*s).to_owned()).collect();
        self.env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    }

    fn wait_until_listening(&mut self, from: usize) -> Result<()> {
        let (http, rtsp) = until("vigie says that it listens", START, || {
            if let Some(status) = self.child.try_wait()? {
                bail!("vigie ended with {status}:\n{}", self.log_text());
            }
            let text = self.log_text();
            let Some(line) = text.get(from..).and_then(|t| t.lines().find(|l| l.contains("http=http://"))) else {
                return Ok(None);
            };
            let field = |name: &str| {
                line.split_whitespace().find_map(|w| w.strip_prefix(name)).map(|v| v.trim_matches('"').to_owned())
            };
            Ok(field("http=").zip(field("rtsp=rtsp://")))
        })?;
        self.http = http.trim_end_matches('/').to_owned();
        self.rtsp = rtsp.trim_end_matches('/').to_owned();
        Ok(())
    }

    fn sign_in(&mut self) -> Result<()> {
        let needed = self.get("/api/setup")?.body["needed"].as_bool().unwrap_or(false);
        let who = json!({"username": "admin", "password": PASSWORD});
        if needed {
            let a = self.post("/api/setup", &who)?;
            ensure!(a.status == 201, "setup: {a:?}");
        }
        let a = self.post("/api/auth/login", &who)?;
        self.token = a.body["token"].as_str().with_context(|| format!("login: {a:?}"))?.to_owned();
        Ok(())
    }

    /// GET with the administrator's token.
    pub fn get(&self, path: &str) -> Result<Answer> {
        let request = ureq::http::Request::get(format!("{}{path}", self.http));
        self.send(request.header("Authorization", format!("Bearer {}", self.token)).body(Vec::new())?)
    }

    /// POST of JSON with the administrator's token.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send_json("POST", path, body)
    }

    /// Any method with JSON and the administrator's token.
    pub fn send_json(&self, method: &str, path: &str, body: &Value) -> Result<Answer> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.http));
        if !self.token.is_empty() {
            request = request.header("Authorization", format!("Bearer {}", self.token));
        }
        self.send(request.header("Content-Type", "application/json").body(serde_json::to_vec(body)?)?)
    }

    fn send(&self, request: ureq::http::Request<Vec<u8>>) -> Result<Answer> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .into();
        let mut response = agent.run(request)?;
        let status = response.status().as_u16();
        let bytes = response.body_mut().with_config().limit(256 << 20).read_to_vec()?;
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// The raw bytes behind a path.
    pub fn download(&self, path: &str) -> Result<Vec<u8>> {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = ureq::http::Request::get(format!("{}{path}", self.http));
        let request = request.header("Authorization", format!("Bearer {}", self.token)).body(())?;
        let mut response = agent.run(request)?;
        ensure!(response.status().is_success(), "{path}: {}", response.status());
        Ok(response.body_mut().with_config().limit(1 << 30).read_to_vec()?)
    }

    /// Adds a camera; its id.
    pub fn add_camera(&self, camera: &Value) -> Result<i64> {
        let a = self.post("/api/cameras", camera)?;
        ensure!(a.status == 201, "create camera: {a:?}");
        a.body["camera"]["id"].as_i64().context("camera id")
    }

    /// Opens a capture session on a camera; its id.
    pub fn open_session(&self, camera: i64) -> Result<String> {
        let a = self.post("/api/video/session/create", &json!({"camera_id": camera}))?;
        ensure!(a.status == 200, "create session: {a:?}");
        Ok(a.body["session"]["session_id"].as_str().context("session id")?.to_owned())
    }

    /// The administrator's token, for programs that ask by themselves.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Where players find a stream: `rtsp://127.0.0.1:port/` and the path.
    pub fn rtsp_url(&self, path: &str) -> String {
        format!("rtsp://{}/{path}", self.rtsp.trim_start_matches("rtsp://"))
    }

    /// Everything logged so far.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in KiB.
    pub fn rss_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).context("VmRSS")?;
        Ok(line.split_whitespace().nth(1).context("VmRSS")?.parse()?)
    }

    /// kill -9.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()
    }

    /// Sends a signal by name, such as `HUP`.
    pub fn signal(&self, name: &str) -> Result<()> {
        let ok = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status()?.success();
        ensure!(ok, "kill -s {name}");
        Ok(())
    }

    /// SIGTERM, then waits for a clean end.
    pub fn terminate(&mut self) -> Result<()> {
        self.signal("TERM")?;
        let status = until("vigie ends after SIGTERM", Duration::from_secs(15), || self.child.try_wait())?;
        ensure!(status.success(), "vigie ended with {status}:\n{}", self.log_text());
        Ok(())
    }
}

fn spawn(dir: &Path, log: &Path, args: &[String], env: &[(String, String)]) -> Result<Child> {
    let binary = binary()?;
    let out = File::options().create(true).append(true).open(log)?;
    let mut command = Command::new(binary);
    command
        .args(["serve", "--http", "127.0.0.1:0", "--rtsp", "127.0.0.1:0", "--data-dir"])
        .arg(dir)
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir)
        .envs(env.iter().map(|(k, v)| (k, v)))
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out);
    Child::spawn(command)
}

/// The binary of this build: beside the test's own folder.
fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("VIGIE_BIN") {
        return Ok(path.into());
    }
    let exe = std::env::current_exe()?;
    let path = exe.parent().and_then(Path::parent).context("target folder")?.join("vigie");
    ensure!(path.exists(), "{} is not built: run `cargo build -p vigie`", path.display());
    Ok(path)
}
