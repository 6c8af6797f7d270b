//! `vigie serve`: the command line over the configuration, then the server until it is told to stop.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::config::{Config, Environment, Files, Overrides, address, setting};
use crate::logging;
use crate::wire;

/// The ports of the older systems (contract §0.6.1, X-01), beside our own.
const SEED_PORTS: [u16; 2] = [5002, 8000];

/// Options of `vigie serve`. Each is also an environment variable and a key of `vigie.toml`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Folder of database, key and recordings.
    #[arg(long, env = "VIGIE_DATA_DIR", default_value = "./vigie-data", value_name = "DIR")]
    data_dir: PathBuf,
    /// Configuration file; `<data-dir>/vigie.toml` when not given.
    #[arg(long, env = "VIGIE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the web server listens: `0.0.0.0:5000`, or a port alone; several with commas. Port 0 takes a free one
    /// [VIGIE_HTTP, http.listen].
    #[arg(long, value_name = "ADDR", value_parser = address, value_delimiter = ',')]
    http: Vec<SocketAddr>,
    /// Further ports with everything that the first one has, on the same hosts [VIGIE_HTTP_COMPAT_PORTS, http.compat_ports].
    #[arg(long, value_name = "PORT", value_delimiter = ',')]
    compat_ports: Vec<u16>,
    /// Listen as the older systems did: on the ports 5002 and 8000 too, and on loopback from 8080 for each session.
    #[arg(long, env = "VIGIE_SEED_PORTS", value_parser = clap::builder::FalseyValueParser::new())]
    seed_ports: bool,
    /// Let `auth.mode = "open"` stand although other machines reach the server.
    #[arg(long, env = "VIGIE_INSECURE_OPEN", value_parser = clap::builder::FalseyValueParser::new())]
    insecure_open: bool,
    /// Where the RTSP server listens: `0.0.0.0:8554`, or a port alone [VIGIE_RTSP, rtsp.listen].
    #[arg(long, value_name = "ADDR", value_parser = address)]
    rtsp: Option<SocketAddr>,
    /// Let everybody watch over RTSP without a password [VIGIE_RTSP_OPEN, rtsp.open].
    #[arg(long)]
    rtsp_open: bool,
    /// Serve HTTPS with a certificate made at first start [VIGIE_TLS_SELF_SIGNED, tls.self_signed].
    #[arg(long)]
    tls_self_signed: bool,
    /// Add a camera that needs no hardware: a moving test picture with a clock and a tone.
    #[arg(long, env = "VIGIE_DEMO", value_parser = clap::builder::FalseyValueParser::new())]
    demo: bool,
    /// Any setting by its key, such as `--set record.max_concurrent=4`.
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(&'static str, toml::Value)>,
    /// Log one JSON object per line [VIGIE_LOG_JSON, log.json].
    #[arg(long)]
    log_json: bool,
    /// What to log: `info`, `debug`, or a list such as `info,vigie_source=debug` [VIGIE_LOG, log.filter].
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

/// Where the configuration comes from, kept for reading it again on SIGHUP.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    files: Files,
    env: Environment,
    cli: Overrides,
}

impl Origin {
    /// Reads the configuration.
    pub(crate) fn load(&self) -> anyhow::Result<crate::config::Loaded> {
        Config::load(&self.files, &self.env, &self.cli)
    }
}

impl Serve {
    /// Where these options say that the configuration is.
    pub(crate) fn origin(&self) -> Origin {
        Origin { files: files(&self.data_dir, self.config.as_deref()), env: environment(), cli: self.overrides() }
    }

    /// Runs until the server is told to stop.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let started = std::time::Instant::now();
        let origin = self.origin();
        let loaded = origin.load()?;
        let recent = logging::start(&loaded.config.log)?;
        for w in &loaded.warnings {
            tracing::warn!("{w}");
        }
        allow_many_sockets();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("vigie")
            .build()
            .context("cannot start the runtime")?;
        let config = loaded.config;
        let run = wire::Run { origin, config, data_dir: self.data_dir, demo: self.demo, started, recent };
        let result = runtime.block_on(wire::serve(run));
        // A file system that hangs must not keep the process from ending.
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
        result
    }

    fn overrides(&self) -> Overrides {
        let mut set: Overrides = Vec::new();
        let text = |a: SocketAddr| toml::Value::String(a.to_string());
        let ports = |all: &[u16]| toml::Value::Array(all.iter().map(|p| i64::from(*p).into()).collect());
        if !self.http.is_empty() {
            set.push(("http.listen", toml::Value::Array(self.http.iter().map(|a| text(*a)).collect())));
        }
        if self.seed_ports {
            set.push(("http.compat_ports", ports(&SEED_PORTS)));
            set.push(("compat.session_ports", toml::Value::Boolean(true)));
        }
        if !self.compat_ports.is_empty() {
            set.push(("http.compat_ports", ports(&self.compat_ports)));
        }
        set.extend(self.rtsp.map(|a| ("rtsp.listen", text(a))));
        set.extend(self.log.clone().map(|f| ("log.filter", toml::Value::String(f))));
        for (given, key) in [
            (self.insecure_open, "auth.insecure_open"),
            (self.rtsp_open, "rtsp.open"),
            (self.tls_self_signed, "tls.self_signed"),
            (self.log_json, "log.json"),
        ] {
            if given {
                set.push((key, toml::Value::Boolean(true)));
            }
        }
        set.extend(self.set.iter().cloned());
        set
    }
}

/// Where a server of that folder looks for its settings.
pub(crate) fn files(data_dir: &Path, named: Option<&Path>) -> Files {
    Files {
        toml: named.map_or_else(|| data_dir.join("vigie.toml"), Path::to_owned),
        named: named.is_some(),
        etc: data_dir.join("etc"),
    }
}

/// The process's variables. Names and values that are no text are nobody's options.
pub(crate) fn environment() -> Environment {
    std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect()
}

/// Takes as many open files as the system lets this user have: each reader is one.
fn allow_many_sockets() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if limit.current != limit.maximum
        && let Err(e) = setrlimit(Resource::Nofile, wanted)
    {
        tracing::warn!(error = %e, "the limit of open files could not be raised");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        serve: Serve,
    }

    fn overrides(line: &[&str]) -> Overrides {
        let line = ["vigie"].iter().chain(line);
        <Line as clap::Parser>::try_parse_from(line).unwrap().serve.overrides()
    }

    #[test]
    fn the_older_systems_ports_are_one_word() {
        let dir = tempfile::tempdir().unwrap();
        let load = |line: &[&str]| {
            Config::load(&files(dir.path(), None), &Environment::new(), &overrides(line)).unwrap().config
        };
        let seed = load(&["--seed-ports"]);
        assert_eq!(seed.http.compat_ports, [5002, 8000]);
        assert!(seed.compat.session_ports);
        assert_eq!(seed.compat.range(), 8080..=9080);
        assert_eq!(load(&["--seed-ports", "--compat-ports", "5003,8001"]).http.compat_ports, [5003, 8001]);
        assert_eq!(load(&["--set", "record.max_concurrent=4", "--set", "http.port=0"]).record.max_concurrent, 4);
        let plain = load(&[]);
        assert!(plain.http.compat_ports.is_empty() && !plain.compat.session_ports);
    }

    #[test]
    fn several_addresses_can_be_given() {
        let listen = |line: &[&str]| overrides(line).iter().find(|(k, _)| *k == "http.listen").unwrap().1.clone();
        let both = toml::Value::from(vec!["127.0.0.1:1", "[::1]:2"]);
        assert_eq!(listen(&["--http", "127.0.0.1:1,[::1]:2"]), both);
        assert_eq!(listen(&["--http", "127.0.0.1:1", "--http", "[::1]:2"]), both);
    }

    #[test]
    fn addresses_are_read_generously() {
        assert_eq!(address("5000").unwrap().to_string(), "0.0.0.0:5000");
        assert_eq!(address(":0").unwrap().to_string(), "0.0.0.0:0");
        assert_eq!(address("[::1]:80").unwrap().to_string(), "[::1]:80");
        assert!(address("nonsense").is_err());
    }
}
