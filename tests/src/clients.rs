//! Programs that nobody here wrote.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::until;

/// A child process that ends with its owner.
#[derive(Debug)]
pub struct Child(std::process::Child);

impl Child {
    /// Starts it.
    pub fn spawn(mut command: Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        Ok(Self(command.spawn().with_context(|| format!("starting {name}"))?))
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// The exit status, once it ended.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    /// kill -9, and waits.
    pub fn kill(&mut self) -> Result<()> {
        // It may have ended by itself, which is just as well.
        let _ = self.0.kill();
        self.0.wait()?;
        Ok(())
    }

    /// Waits for the end, at most for `limit`.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        until("a child process ends", limit, || self.try_wait())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Fails with the way out when a program is missing.
pub fn require(program: &str) -> Result<()> {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status()?;
    ensure!(found.success(), "{program} is missing: run `make test`, or scripts/setup test");
    Ok(())
}

/// ffprobe's view of a URL or file, as JSON with `streams` and `format`.
pub fn ffprobe_json(input: &str, options: &[&str]) -> Result<Value> {
    require("ffprobe")?;
    let out = Command::new("timeout")
        .args(["30", "ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format"])
        .args(options)
        .arg(input)
        .output()?;
    if !out.status.success() {
        bail!("ffprobe {input}: {}", String::from_utf8_lossy(&out.stderr));
    }
    Ok(serde_json::from_slice(&out.stdout)?)
}

/// The codecs that ffprobe finds, in stream order.
pub fn ffprobe(input: &str, options: &[&str]) -> Result<Vec<String>> {
    let probed = ffprobe_json(input, options)?;
    let streams = probed["streams"].as_array().context("streams")?;
    Ok(streams.iter().filter_map(|s| s["codec_name"].as_str()).map(str::to_owned).collect())
}

/// A camera made of GStreamer's RTSP server (`testkit/cameras/gst_rtsp.py`).
#[derive(Debug)]
pub struct GstCamera {
    child: Child,
    /// The port it listens on.
    pub port: u16,
    options: Vec<String>,
}

impl GstCamera {
    /// Starts it with the script's options, on a free port.
    pub fn start(options: &[&str]) -> Result<Self> {
        let options: Vec<String> = options.iter().map(|s| (*s).to_owned()).collect();
        let (child, port) = launch(0, &options)?;
        Ok(Self { child, port, options })
    }

    /// Pulls the plug.
    pub fn unplug(&mut self) -> Result<()> {
        self.child.kill()
    }

    /// Plugs it in again, on the same port.
    pub fn replug(&mut self) -> Result<()> {
        (self.child, _) = launch(self.port, &self.options)?;
        Ok(())
    }
}

/// An MJPEG camera over HTTP (`testkit/cameras/http_jpeg.py`).
#[derive(Debug)]
pub struct HttpCamera {
    _child: Child,
    /// The port it listens on.
    pub port: u16,
}

impl HttpCamera {
    /// Starts it on a free port.
    pub fn start() -> Result<Self> {
        require("ffmpeg")?;
        let (child, port) = launch_script("http_jpeg.py", 0, &[])?;
        Ok(Self { _child: child, port })
    }
}

fn launch(port: u16, options: &[String]) -> Result<(Child, u16)> {
    launch_script("gst_rtsp.py", port, options)
}

fn launch_script(name: &str, port: u16, options: &[String]) -> Result<(Child, u16)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/cameras").join(name);
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script).args(["--port", &port.to_string()]).args(options);
    // It serves until its input ends, so that it never outlives the test.
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = Child::spawn(command)?;
    let out = child.0.stdout.take().context("stdout")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    let said = line.split_whitespace().find_map(|w| w.strip_prefix("port="));
    let port = said.and_then(|p| p.parse().ok()).with_context(|| format!("{line:?} instead of the camera's port"))?;
    Ok((child, port))
}
