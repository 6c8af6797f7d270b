//! `vigie doctor`: what this machine lacks, and which package has it. **It changes nothing.**

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Args;

use super::serve::{environment, files};
use crate::config::Config;

/// Options of `vigie doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Folder that the server would use.
    #[arg(long, env = "VIGIE_DATA_DIR", default_value = "./vigie-data", value_name = "DIR")]
    data_dir: PathBuf,
    /// Configuration file; `<data-dir>/vigie.toml` when not given.
    #[arg(long, env = "VIGIE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// How one check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    Good(String),
    /// Works without, but not everything.
    Weak(String),
    /// Does not work.
    Bad(String),
}

use Finding::{Bad, Good, Weak};

/// Free space below which a recording machine is in trouble.
const LOW_DISK_BYTES: u64 = 2 << 30;

impl Doctor {
    /// Prints the findings; the exit code is 1 when something does not work.
    pub(crate) fn run(&self) -> ExitCode {
        let files = files(&self.data_dir, self.config.as_deref());
        let mut findings = Vec::new();
        let config = match Config::load(&files, &environment(), &Vec::new()) {
            Ok(loaded) => {
                findings.push(Good(if files.toml.exists() {
                    format!("configuration {} is usable", files.toml.display())
                } else {
                    "no configuration file: defaults are used".to_owned()
                }));
                findings.extend(loaded.warnings.into_iter().map(Weak));
                loaded.config
            }
            Err(e) => {
                findings.push(Bad(format!("{e:#}")));
                Config::default()
            }
        };
        findings.push(tool(
            &config.tools.ffmpeg,
            "ffmpeg",
            "H.265 and interlaced snapshots, and encoding, do not work without it",
        ));
        findings.push(tool(&config.tools.ffprobe, "ffmpeg", "only used to cross-check recordings"));
        findings.push(writable(&self.data_dir));
        findings.push(disk(config.paths.media.as_deref().unwrap_or(&self.data_dir)));
        let running = in_use(&self.data_dir);
        for address in &config.http.listen {
            findings.push(port(*address, "the web server", running));
        }
        if config.rtsp.enabled {
            findings.push(port(config.rtsp.listen, "the RTSP server", running));
        }
        findings.push(clock());
        findings.push(files_limit());
        let out = std::io::stdout();
        let mut out = out.lock();
        for f in &findings {
            let (mark, text) = match f {
                Good(t) => ("ok  ", t),
                Weak(t) => ("warn", t),
                Bad(t) => ("FAIL", t),
            };
            // A closed pipe is the reader's choice; the exit code still tells.
            let _ = writeln!(out, "{mark}  {text}");
        }
        let bad = findings.iter().any(|f| matches!(f, Bad(_)));
        let last =
            if bad { "Something has to be put right first; see FAIL above." } else { "This machine can run Vigie." };
        let _ = writeln!(out, "\n{last}");
        if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// The first line of `<program> -version`, without the word "version" and what follows the number.
pub(crate) fn version_of(program: &Path) -> Option<String> {
    let out = Command::new(program).arg("-version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let words: Vec<&str> = text.lines().next()?.split_whitespace().collect();
    let at = words.iter().position(|w| *w == "version")?;
    words.get(at + 1).map(|v| (*v).to_owned())
}

fn tool(program: &Path, package: &str, why: &str) -> Finding {
    let name = program.display();
    match version_of(program) {
        Some(v) => Good(format!("{name} {v}")),
        None => Weak(format!("{name} is missing: {why}. Install it with: sudo apt-get install {package}")),
    }
}

fn writable(dir: &Path) -> Finding {
    // The folder, or the nearest one above it that exists: the server makes the rest.
    let mut there = if dir.is_absolute() { dir.to_owned() } else { Path::new(".").join(dir) };
    while !there.exists() {
        if !there.pop() {
            break;
        }
    }
    if rustix::fs::access(&there, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok() {
        Good(format!("data folder {} can be written", dir.display()))
    } else {
        Bad(format!("data folder {}: this user may not write in {}", dir.display(), there.display()))
    }
}

fn disk(dir: &Path) -> Finding {
    let mut there = dir.to_owned();
    while !there.exists() && there.pop() {}
    let there = if there.as_os_str().is_empty() { PathBuf::from(".") } else { there };
    match rustix::fs::statvfs(&there) {
        Ok(s) => {
            let free = s.f_bavail.saturating_mul(s.f_frsize);
            let text =
                format!("{:.1} GiB free for recordings in {}", free as f64 / f64::from(1u32 << 30), there.display());
            if free < LOW_DISK_BYTES {
                Weak(format!("only {text}: an hour of 4 Mbit/s video takes 1.7 GiB"))
            } else {
                Good(text)
            }
        }
        Err(e) => Bad(format!("cannot ask for the free space of {}: {e}", there.display())),
    }
}

/// Whether a server works on that folder now: its ports are then taken by itself.
fn in_use(dir: &Path) -> bool {
    let Ok(file) = std::fs::File::open(dir.join("vigie.lock")) else { return false };
    let taken = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockShared);
    matches!(taken, Err(e) if e == rustix::io::Errno::WOULDBLOCK)
}

fn port(address: std::net::SocketAddr, what: &str, running: bool) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Good(format!("{what} can listen on {address}")),
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse && running => {
            Good(format!("{what}: {address} is taken by the Vigie that is running"))
        }
        Err(e) => Bad(format!("{what} cannot listen on {address}: {e}")),
    }
}

fn clock() -> Finding {
    // What systemd-timesyncd leaves behind; chrony and ntpd keep a pid file instead.
    let signs = ["/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/chronyd.pid", "/run/ntpd.pid"];
    if signs.iter().any(|s| Path::new(s).exists()) {
        Good("the clock is kept by a time service".to_owned())
    } else {
        Weak(
            "no time service was found: recordings carry this machine's clock. Install one with: sudo apt-get install chrony"
                .to_owned(),
        )
    }
}

fn files_limit() -> Finding {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match limit {
        Some(n) if n < 1024 => {
            Weak(format!("only {n} open files are allowed: each reader needs one (ulimit -n 65536)"))
        }
        Some(n) => Good(format!("{n} open files are allowed")),
        None => Good("open files are not limited".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_named_with_its_package() {
        let Weak(text) = tool(Path::new("/nowhere/ffmpeg"), "ffmpeg", "why") else { panic!("should be weak") };
        assert!(text.contains("apt-get install ffmpeg"));
    }

    #[test]
    fn a_taken_port_fails_unless_we_hold_it() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        assert!(matches!(port(address, "x", false), Bad(_)));
        assert!(matches!(port(address, "x", true), Good(_)));
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_judged_by_its_parent() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(writable(&dir.path().join("a/b")), Good(_)));
    }
}
