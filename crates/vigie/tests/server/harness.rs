//! A server of our own on free ports with a folder of its own, ended when the test ends however it ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use reqwest::{Method, RequestBuilder, Response};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longest wait for anything; a machine under load is slow, not broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) const ADMIN: &str = "admin";
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Server {
    child: Child,
    log: Arc<Mutex<String>>,
    pub(crate) http: String,
    pub(crate) client: reqwest::Client,
    token: Option<String>,
}

/// The binary with a folder, and nothing of the test runner's own environment that it would listen to.
pub(crate) fn command(dir: &Path) -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_vigie"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("VIGIE_") || name.to_string_lossy().starts_with("RTSP_") {
            c.env_remove(name);
        }
    }
    c.env("NO_COLOR", "1").current_dir(dir);
    c.args(["serve", "--http", "127.0.0.1:0", "--rtsp", "127.0.0.1:0", "--data-dir"]).arg(dir.join("data"));
    // Two fixed UDP ports cannot be shared by tests that run side by side.
    c.env("VIGIE_RTSP_RTP_PORT", "0");
    c
}

impl Server {
    pub(crate) async fn start(dir: &TempDir) -> Self {
        Self::start_with(command(dir.path())).await
    }

    pub(crate) async fn start_with(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let addresses = read_log(&mut child, Arc::clone(&log));
        let http = tokio::task::spawn_blocking(move || addresses.recv_timeout(DEADLINE)).await.unwrap();
        let Ok(http) = http else {
            let _ = child.kill();
            panic!("the server did not start:\n{}", log.lock());
        };
        let client = reqwest::Client::builder().timeout(DEADLINE).no_proxy().build().unwrap();
        Self { child, log, http, client, token: None }
    }

    /// A server with an administrator who is signed in.
    pub(crate) async fn with_admin(dir: &TempDir) -> Self {
        let mut s = Self::start(dir).await;
        s.sign_in().await;
        s
    }

    /// Makes the administrator, or signs in when there is one.
    pub(crate) async fn sign_in(&mut self) {
        let body = json!({ "username": ADMIN, "password": PASSWORD });
        let needed = self.get("/api/setup").await["needed"] == json!(true);
        let path = if needed { "/api/setup" } else { "/api/auth/login" };
        let answer = self.post(path, body).await;
        self.token = Some(answer["token"].as_str().unwrap().to_owned());
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().clone()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let r = self.client.request(method, format!("{}{path}", self.http));
        match &self.token {
            Some(t) => r.bearer_auth(t),
            None => r,
        }
    }

    /// The JSON of a request that has to work.
    pub(crate) async fn get(&self, path: &str) -> Value {
        ok(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        ok(self.request(Method::POST, path).json(&body).send().await.unwrap()).await
    }

    /// Status and `code` of a request that has to fail.
    pub(crate) async fn fails(&self, method: Method, path: &str, body: Option<Value>) -> (u16, String) {
        let mut r = self.request(method, path);
        if let Some(b) = body {
            r = r.json(&b);
        }
        failure(r.send().await.unwrap()).await
    }

    /// A camera that shows the test card; its number.
    pub(crate) async fn test_card(&self, name: &str) -> i64 {
        let url = "testcard:?width=320&height=240&fps=25&gop=25";
        let body = json!({ "name": name, "connection_type": "testcard", "primary_stream_url": url });
        self.post("/api/cameras", body).await["camera"]["id"].as_i64().unwrap()
    }

    /// A session on that camera; its id.
    pub(crate) async fn session(&self, camera: i64) -> String {
        let s = self.post("/api/video/session/create", json!({ "camera_id": camera })).await;
        assert_eq!(s["session"]["verified"], json!(true));
        s["session"]["session_id"].as_str().unwrap().to_owned()
    }

    /// Records into a session until so many frames are written.
    pub(crate) async fn record(&self, session: &str, frames: i64) {
        self.post("/api/video/record/start", json!({ "session_id": session, "duration_minutes": 5 })).await;
        let path = format!("/api/video/record/status/{session}");
        until("frames are recorded", async || self.get(&path).await["status"]["frames"].as_i64() >= Some(frames)).await;
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end of the process.
    pub(crate) async fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < DEADLINE, "the server does not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the server ---\n{}", self.log());
        }
    }
}

/// Collects the log, and hands out the address of the line that says `listening`.
fn read_log(child: &mut Child, log: Arc<Mutex<String>>) -> Receiver<String> {
    let (sender, receiver) = sync_channel(1);
    let stderr = child.stderr.take().unwrap();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if let Some(rest) = line.split("listening http=").nth(1) {
                let _ = sender.try_send(rest.split_whitespace().next().unwrap_or_default().to_owned());
            }
            let mut log = log.lock();
            log.push_str(&line);
            log.push('\n');
        }
    });
    receiver
}

pub(crate) async fn ok(r: Response) -> Value {
    let (status, url) = (r.status(), r.url().path().to_owned());
    let text = r.text().await.unwrap();
    let v: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{url}: {status}: not JSON: {text}"));
    assert!(status.is_success() && v["success"] == json!(true), "{url}: {status}: {text}");
    v
}

pub(crate) async fn failure(r: Response) -> (u16, String) {
    let (status, url) = (r.status(), r.url().path().to_owned());
    let text = r.text().await.unwrap();
    let v: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{url}: {status}: not JSON: {text}"));
    assert!(!status.is_success() && v["success"] == json!(false), "{url}: {status}: {text}");
    assert!(v["error"].as_str().is_some_and(|e| !e.is_empty()), "{url}: no sentence: {text}");
    (status.as_u16(), v["code"].as_str().unwrap_or_default().to_owned())
}

/// Asks again and again until the answer is yes.
pub(crate) async fn until(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !ask().await {
        assert!(start.elapsed() < DEADLINE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What ffprobe says about a file: codec types in order, and the length in seconds.
pub(crate) fn ffprobe(path: &Path) -> (Vec<String>, f64) {
    let out = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "stream=codec_type:format=duration", "-of", "json"])
        .arg(path)
        .output()
        .expect("ffprobe is installed (make setup)");
    assert!(out.status.success(), "ffprobe: {}", String::from_utf8_lossy(&out.stderr));
    let v: Value = serde_json::from_slice(&out.stdout).unwrap();
    let kinds = v["streams"].as_array().unwrap().iter().map(|s| s["codec_type"].as_str().unwrap().to_owned()).collect();
    (kinds, v["format"]["duration"].as_str().unwrap().parse().unwrap())
}

/// Every frame decodes: what ffmpeg complains about, which should be nothing.
pub(crate) fn decode_errors(path: &Path) -> String {
    let out = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-i"])
        .arg(path)
        .args(["-f", "null", "-"])
        .stdin(Stdio::null())
        .output()
        .expect("ffmpeg is installed (make setup)");
    String::from_utf8_lossy(&out.stderr).into_owned()
}
