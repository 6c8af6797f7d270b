//! The whole program: `vigie serve` on the first core, cameras, players and questions on the second.
//!
//! **Nothing is counted but what the `vigie` process does**: its CPU clock, its resident memory, and the time until its
//! answer is there. Memory figures are beyond the media that its rings hold, as `/metrics` says.

mod courts;
mod cut;
mod many;
mod preview;
mod server;
mod snapshot;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::sys;
use crate::table::{Table, Times};
use server::Server;

/// What to run.
pub(crate) struct Options {
    vigie: PathBuf,
    seconds: u64,
    cameras: usize,
    rounds: usize,
    only: Option<String>,
}

impl Options {
    pub(crate) fn parse(args: &[&str]) -> Result<Self> {
        let vigie = PathBuf::from("target/release/vigie");
        let mut o = Self { vigie, seconds: 10, cameras: 100, rounds: 5, only: None };
        for pair in args.chunks(2) {
            match pair {
                ["--vigie", path] => o.vigie = path.into(),
                ["--seconds", n] => o.seconds = n.parse()?,
                ["--cameras", n] => o.cameras = n.parse()?,
                ["--rounds", n] => o.rounds = n.parse()?,
                ["--only", part] => o.only = Some((*part).to_owned()),
                other => bail!("unknown option {other:?}"),
            }
        }
        o.vigie = std::path::absolute(&o.vigie)?;
        Ok(o)
    }
}

type Part = fn(&Options, &mut Table) -> Result<()>;

pub(crate) fn run(o: &Options) -> Result<()> {
    ensure!(o.vigie.exists(), "{} is not there: `make build` makes it", o.vigie.display());
    sys::pin(1)?;
    println!("{} on core 0; cameras (1080p25, 4 Mbit/s), players and questions on core 1", o.vigie.display());
    let mut table = Table::default();
    let parts: [(&str, Part); 6] = [
        ("start", start_and_idle),
        ("cameras", many::run),
        ("courts", courts::run),
        ("cut", cut::run),
        ("snapshot", snapshot::run),
        ("preview", preview::run),
    ];
    for (name, part) in parts {
        if o.only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        println!("    {name}: load average before it {}", load());
        if let Err(e) = part(o, &mut table) {
            println!("    {name} FAILED: {e:#}");
            table.failed(name, &e);
        }
    }
    table.print();
    ensure!(table.complete(), "not everything was measured");
    Ok(())
}

/// Processes that want to run, over the last minute: figures taken on a busy machine say little.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// A folder on the disk that the bench is for (`VIGIE_BENCH_DIR` chooses it), with the configuration in it.
fn folder(cameras: usize, farm: Option<SocketAddr>) -> Result<tempfile::TempDir> {
    let base = std::env::var_os("VIGIE_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::Builder::new().prefix("vigie-bench-").tempdir_in(base)?;
    let mut toml = "[record]\nmax_concurrent = 200\n\n[rtsp]\nrtp_port = 0\n".to_owned();
    if let Some(farm) = farm {
        for n in 1..=cameras {
            write!(toml, "\n[[cameras]]\nslug = \"{}\"\nurl = \"rtsp://{farm}/cam/{n}/main\"\n", slug(n))?;
        }
    }
    std::fs::write(dir.path().join("vigie.toml"), toml)?;
    Ok(dir)
}

/// Short names that sort as their numbers do, since cameras of a file are numbered in that order.
fn slug(n: usize) -> String {
    format!("cam-{n:04}")
}

fn wait(seconds: f64) {
    std::thread::park_timeout(Duration::from_secs_f64(seconds));
}

/// Share of a core that the process used over that long.
fn cores(server: &Server, seconds: f64) -> Result<f64> {
    let (begun, cpu) = (sys::monotonic_ns(), server.cpu()?);
    wait(seconds);
    let took = sys::monotonic_ns() - begun;
    Ok((server.cpu()? - cpu).as_nanos() as f64 / took as f64)
}

fn start_and_idle(o: &Options, table: &mut Table) -> Result<()> {
    let dir = folder(0, None)?;
    let first = started(&o.vigie, dir.path())?;
    let mut times = Times::default();
    for _ in 0..10 {
        times.add(started(&o.vigie, dir.path())?);
    }
    let median = times.ms(0.5);
    let figure = format!("{median:.0} / {:.0}", times.ms(1.0));
    table.row("start to listening, ms: median / most of 10", figure, "<= 150", median <= 150.0);
    table.note("  the very first start on an empty folder", format!("{:.0}", first.as_secs_f64() * 1e3));

    let server = Server::start(&o.vigie, dir.path())?;
    wait(10.0);
    let rss = server.rss_kib() / 1024.0;
    table.row("idle, no camera: MiB (RSS) after 10 s", format!("{rss:.1}"), "<= 25", rss <= 25.0);
    let percent = cores(&server, 10.0)? * 100.0;
    table.row("  % of a core over 10 s", format!("{percent:.3}"), "0.0", percent < 0.05);
    server.stop()
}

fn started(vigie: &Path, dir: &Path) -> Result<Duration> {
    let server = Server::start(vigie, dir)?;
    let took = server.started;
    server.stop()?;
    Ok(took)
}
